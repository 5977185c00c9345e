//! What monitoring wants to know of the jobs that are remembered, in the text format of Prometheus.
//!
//! In: records and breakers. Out: text. All values are gauges over what the state file remembers, since records go when they
//! are old; `storegen_last_*` tells of the newest completed job of each store file.

use super::record::{GenerationJob, JobStatus};
use super::statistics::Statistics;
use crate::reliability::{Breaker, BreakerState};
use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use time::OffsetDateTime;

/// The metrics of a state file: `jobs` newest first, `breakers` by dependency.
pub fn prometheus(jobs: &[GenerationJob], breakers: &BTreeMap<String, Breaker>, now: OffsetDateTime) -> String {
    let mut text = Text::default();
    let statistics = Statistics::of(jobs);
    text.metric("storegen_jobs", "Jobs that are remembered, by status.");
    for status in JobStatus::ALL {
        let count = statistics.by_status.get(status.key()).copied().unwrap_or(0);
        text.sample("storegen_jobs", &[("status", status.key())], count);
    }
    text.metric("storegen_jobs_retried", "Remembered jobs that ran another one again.");
    text.sample("storegen_jobs_retried", &[], jobs.iter().filter(|job| job.retry_of.is_some()).count());
    if let Some(seconds) = statistics.seconds {
        text.metric("storegen_job_duration_seconds", "Seconds of work of completed jobs.");
        for (quantile, value) in [("0.5", seconds.p50), ("0.95", seconds.p95), ("1", seconds.max)] {
            text.sample("storegen_job_duration_seconds", &[("quantile", quantile)], value);
        }
    }
    text.metric("storegen_cache_uses", "Looks into the cache by remembered jobs, by shelf and outcome.");
    for (shelf, uses) in &statistics.cache {
        for (outcome, count) in [("hit", uses.hits), ("miss", uses.misses)] {
            text.sample("storegen_cache_uses", &[("shelf", shelf.name()), ("outcome", outcome)], count);
        }
    }
    text.metric("storegen_breaker_state", "Whether a dependency is used: 0 freely, 1 on trial, 2 not at all.");
    for (dependency, breaker) in breakers {
        let state = match breaker.state(now) {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open(_) => 2,
        };
        text.sample("storegen_breaker_state", &[("dependency", dependency)], state);
    }
    text.metric("storegen_breaker_failures", "Failures of a dependency since it last worked.");
    for (dependency, breaker) in breakers {
        text.sample("storegen_breaker_failures", &[("dependency", dependency)], breaker.failures);
    }
    last(&mut text, jobs);
    text.text
}

/// The newest completed job of each store file.
fn last(text: &mut Text, jobs: &[GenerationJob]) {
    let mut newest: BTreeMap<String, &GenerationJob> = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.status == JobStatus::Completed) {
        newest.entry(job.config_path.display().to_string()).or_insert(job);
    }
    type Value = fn(&GenerationJob) -> Option<f64>;
    let values: [(&str, &str, Value); 8] = [
        ("storegen_last_completed_timestamp_seconds", "When it ended.", |job| {
            job.completed_at.map(|at| at.unix_timestamp() as f64)
        }),
        ("storegen_last_duration_seconds", "Seconds of work.", |job| {
            job.completed_at.and_then(|at| job.duration(at)).map(time::Duration::as_seconds_f64)
        }),
        ("storegen_last_products", "Products in the store.", |job| Some(job.processed_products as f64)),
        ("storegen_last_skipped_documents", "Documents that are not in the store.", |job| {
            Some(job.skipped.values().sum::<u64>() as f64)
        }),
        ("storegen_last_pages", "Pages of the store.", |job| {
            job.performance_metrics.changes.map(|changes| (changes.pages_made + changes.pages_kept) as f64)
        }),
        ("storegen_last_pages_made", "Pages that had to be rendered.", |job| {
            job.performance_metrics.changes.map(|changes| changes.pages_made as f64)
        }),
        ("storegen_last_bytes", "Bytes of the store.", |job| {
            job.performance_metrics.changes.map(|changes| changes.bytes as f64)
        }),
        ("storegen_last_peak_memory_bytes", "Most memory that the process held.", |job| {
            job.performance_metrics.peak_memory_bytes.map(|bytes| bytes as f64)
        }),
    ];
    for (name, help, value) in values {
        text.metric(name, &format!("{help} Of the newest completed job of a store file."));
        for (config, job) in &newest {
            if let Some(value) = value(job) {
                text.sample(name, &[("store", &job.store_name), ("config", config)], value);
            }
        }
    }
    let name = "storegen_last_phase_seconds";
    text.metric(name, "Seconds of each phase of the newest completed job of a store file.");
    for (config, job) in &newest {
        for (phase, metrics) in &job.performance_metrics.phases {
            text.sample(
                name,
                &[("store", &job.store_name), ("config", config), ("phase", phase.key())],
                metrics.seconds,
            );
        }
    }
}

#[derive(Default)]
struct Text {
    text: String,
}

impl Text {
    // Writing to a string cannot fail.
    fn metric(&mut self, name: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }
}

/// The value of a label as the format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{JobId, NewJob};
    use time::macros::datetime;

    #[test]
    fn names_that_hold_quotes_and_lines_do_no_harm() {
        let now = datetime!(2026-03-01 08:00 UTC);
        let new = NewJob {
            store_name: "A \"B\"\nC\\".into(),
            config_path: "/shop/store.yaml".into(),
            retry_of: None,
            request: None,
        };
        let mut job = GenerationJob::new(JobId::random(), now, &new);
        job.start(now).unwrap();
        job.end(JobStatus::Completed, None, now + time::Duration::seconds(90)).unwrap();
        let breaker = Breaker { failures: 5, opened_at: Some(now), ..Breaker::default() };
        let text = prometheus(&[job], &BTreeMap::from([("mongodb:h:1".to_owned(), breaker)]), now);
        let labels = r#"{store="A \"B\"\nC\\",config="/shop/store.yaml"}"#;
        assert!(text.contains(&format!("storegen_last_duration_seconds{labels} 90\n")), "{text}");
        assert!(text.contains("storegen_jobs{status=\"completed\"} 1\n"), "{text}");
        assert!(text.contains("storegen_breaker_failures{dependency=\"mongodb:h:1\"} 5\n"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok()), "{line}");
        }
    }
}
