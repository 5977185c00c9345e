//! What many jobs have in common: how often they succeed, how long they take, how fast they are.
//!
//! In: records. Out: [`Statistics`], the same for the same records.

use super::record::{GenerationJob, JobId, JobStatus};
use crate::assets::cache::{Shelf, Uses};
use serde::Serialize;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Numbers about some jobs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Jobs that were looked at.
    pub jobs: usize,
    /// How many are where in their life; those with none are left out.
    pub by_status: BTreeMap<&'static str, usize>,
    /// Completed ones among those that completed or failed, 0 to 1; `None` where there are neither.
    pub success_rate: Option<f64>,
    /// Seconds of work of completed jobs; `None` where there are none.
    pub seconds: Option<Spread>,
    /// Products a second of completed jobs; `None` where there are none.
    pub products_per_second: Option<Spread>,
    /// The speed of each completed job that had products, oldest first.
    pub over_time: Vec<Speed>,
    /// How often each shelf of the cache had what was looked for.
    pub cache: BTreeMap<Shelf, Uses>,
}

/// How numbers are spread; each is one of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half of them are no larger.
    pub p50: f64,
    /// Nineteen of twenty are no larger.
    pub p95: f64,
    /// None is larger.
    pub max: f64,
}

/// How fast one job was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Speed {
    /// The job.
    pub job_id: JobId,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub completed_at: OffsetDateTime,
    /// Products a second over the whole run.
    pub products_per_second: f64,
}

impl Statistics {
    /// Looks at jobs, newest first.
    pub fn of<'a>(jobs: impl IntoIterator<Item = &'a GenerationJob>) -> Self {
        let mut by_status = BTreeMap::new();
        let (mut count, mut seconds, mut over_time) = (0, Vec::new(), Vec::new());
        let mut cache: BTreeMap<Shelf, Uses> = BTreeMap::new();
        for job in jobs {
            count += 1;
            *by_status.entry(job.status.key()).or_default() += 1;
            for (shelf, uses) in &job.performance_metrics.cache {
                let sum = cache.entry(*shelf).or_default();
                sum.hits += uses.hits;
                sum.misses += uses.misses;
            }
            let (JobStatus::Completed, Some(completed_at)) = (job.status, job.completed_at) else { continue };
            seconds.extend(job.duration(completed_at).map(time::Duration::as_seconds_f64));
            over_time.extend(job.performance_metrics.products_per_second.map(|products_per_second| Speed {
                job_id: job.job_id.clone(),
                completed_at,
                products_per_second,
            }));
        }
        over_time.reverse();
        let of_status = |status: JobStatus| by_status.get(status.key()).copied().unwrap_or(0);
        let (completed, failed) = (of_status(JobStatus::Completed), of_status(JobStatus::Failed));
        Self {
            jobs: count,
            success_rate: (completed + failed > 0).then(|| completed as f64 / (completed + failed) as f64),
            seconds: Spread::of(seconds),
            products_per_second: Spread::of(over_time.iter().map(|speed| speed.products_per_second).collect()),
            over_time,
            cache,
            by_status,
        }
    }
}

impl Spread {
    fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        // The nearest rank: with few numbers the upper one is the largest.
        let rank = |part: f64| numbers.get(((numbers.len() as f64 * part).ceil() as usize).saturating_sub(1)).copied();
        Some(Self { p50: rank(0.5)?, p95: rank(0.95)?, max: rank(1.0)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::NewJob;
    use time::macros::datetime;

    #[test]
    fn jobs_are_counted_and_spread() {
        let now = datetime!(2026-03-01 08:00 UTC);
        let mut jobs: Vec<GenerationJob> = Vec::new();
        for number in 1..=20_u8 {
            let mut job = GenerationJob::new(JobId::random(), now, &NewJob::named("Specs"));
            job.start(now).unwrap();
            job.performance_metrics.seconds = Some(number.into());
            job.performance_metrics.products_per_second = (number > 10).then(|| f64::from(number) * 10.0);
            job.performance_metrics.cache.insert(Shelf::Downloads, Uses { hits: 3, misses: 1 });
            let status = if number == 7 { JobStatus::Failed } else { JobStatus::Completed };
            job.end(status, None, now + std::time::Duration::from_secs(number.into())).unwrap();
            jobs.insert(0, job);
        }
        jobs.push(GenerationJob::new(JobId::random(), now, &NewJob::named("Specs")));
        let found = Statistics::of(&jobs);
        assert_eq!(found.by_status, BTreeMap::from([("completed", 19), ("failed", 1), ("pending", 1)]));
        assert_eq!(found.success_rate, Some(0.95));
        assert_eq!(found.seconds, Some(Spread { p50: 11.0, p95: 20.0, max: 20.0 }));
        assert_eq!(found.products_per_second.map(|spread| spread.p50), Some(150.0));
        let speeds: Vec<f64> = found.over_time.iter().map(|speed| speed.products_per_second).collect();
        assert!(speeds.is_sorted() && speeds.len() == 10);
        assert_eq!(found.cache[&Shelf::Downloads], Uses { hits: 60, misses: 20 });
        let nothing = Statistics::of([]);
        assert_eq!((nothing.jobs, nothing.success_rate, nothing.seconds), (0, None, None));
    }
}
