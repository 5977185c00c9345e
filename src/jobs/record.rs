//! The record of one job, as people and scripts read it.
//!
//! The field names and their order are the format of `state.json` and of `--json`; nothing else goes into a record.

use super::file::NewJob;
use crate::assets::cache::{Shelf, Uses};
use crate::event::{Phase, Reading};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Name of a job: `job_` and twelve hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^job_[0-9a-f]{12}$"))]
pub struct JobId(String);

impl JobId {
    /// A new name. The standard library seeds its hash maps from the system's randomness, which is all that is needed.
    pub fn random() -> Self {
        let random = RandomState::new().hash_one("job");
        Self(format!("job_{:012x}", random & 0xffff_ffff_ffff))
    }

    /// Reads a name; `None` when it is something else, so a name never climbs out of a folder.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("job_")?;
        let fits = digits.len() == 12 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_string()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for JobId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a job id (`job_` and 12 hexadecimal digits)"))
    }
}

impl From<JobId> for String {
    fn from(job_id: JobId) -> Self {
        job_id.0
    }
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Known, not begun.
    Pending,
    /// Some process is at it.
    InProgress,
    /// The store is published.
    Completed,
    /// It ended with an error, or its process died.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// A change of status that a job cannot go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {} cannot become {}", from.words(), to.words())]
pub struct IllegalTransition {
    from: JobStatus,
    to: JobStatus,
}

impl JobStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Pending, Self::InProgress, Self::Completed, Self::Failed, Self::Cancelled];

    /// The status after a change, which is the only way to change one.
    ///
    /// # Errors
    /// Unless it goes from pending to in progress, or from one of these to an end. Only work ends in completion.
    pub fn become_(self, next: Self) -> Result<Self, IllegalTransition> {
        let allowed = match (self, next) {
            (Self::Pending, Self::InProgress | Self::Failed | Self::Cancelled) => true,
            (Self::InProgress, next) => next.is_final(),
            _ => false,
        };
        if allowed { Ok(next) } else { Err(IllegalTransition { from: self, to: next }) }
    }

    /// Whether the job has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Key, as in the state file.
    pub fn key(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One run of `storegen generate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GenerationJob {
    /// Its name.
    pub job_id: JobId,
    /// Where it is in its life.
    pub status: JobStatus,
    /// 0..=100, one decimal; 100 only when completed.
    pub progress_percentage: f64,
    /// Products that the catalogue offered, as far as known.
    pub total_products: u64,
    /// Products read so far; once completed, the products in the store.
    pub processed_products: u64,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: OffsetDateTime,
    /// When work began.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<OffsetDateTime>,
    /// When it ended, however it ended.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub completed_at: Option<OffsetDateTime>,
    /// Where the store is, by platform: a URL or a path.
    pub generated_urls: BTreeMap<String, String>,
    /// Why it failed; what to do about it follows on a line that starts with `hint: `.
    pub error_message: Option<String>,
    /// How fast, how much, how large.
    pub performance_metrics: PerformanceMetrics,
    /// Display name of the store.
    pub store_name: String,
    /// The configuration it was made from, absolute.
    pub config_path: PathBuf,
    /// Documents that are not in the store, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// The job that this one runs again.
    #[serde(default)]
    pub retry_of: Option<JobId>,
    /// When the catalogue was read, where that was not in this job: the server could not be reached, and a copy was used.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub catalog_as_of: Option<OffsetDateTime>,
}

/// How fast a run was, how much it did, and how large it grew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerformanceMetrics {
    /// Products a second: while they are read, of the reading; once completed, of the whole run.
    pub products_per_second: Option<f64>,
    /// What is being done; `None` before and after the work.
    pub current_phase: Option<Phase>,
    /// What each phase took, in the order of the phases.
    pub phases: BTreeMap<Phase, PhaseMetrics>,
    /// How often each shelf of the cache was of use, where it was used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cache: BTreeMap<Shelf, Uses>,
    /// Most memory that the process held at once, in bytes, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// Seconds of work by a clock that is never set, three decimals; `None` before the job has ended.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// What was made and what was left as it was; `None` until the store is published.
    #[serde(default)]
    pub changes: Option<Changes>,
}

/// What a run had to do to bring a store up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// How the catalogue was read.
    pub reading: Reading,
    /// Pages that were rendered.
    pub pages_made: u64,
    /// Pages that nothing has changed of since the last run.
    pub pages_kept: u64,
    /// Files of the store.
    #[serde(default)]
    pub files: u64,
    /// Their size together, in bytes.
    #[serde(default)]
    pub bytes: u64,
    /// Files that the last store did not have.
    pub files_added: u64,
    /// Files with other content than in the last store.
    pub files_changed: u64,
    /// Files of the last store that are gone.
    pub files_removed: u64,
}

/// What one phase took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseMetrics {
    /// Seconds by the wall clock, three decimals.
    pub seconds: f64,
    /// Steps done, such as products or pages.
    pub count: u64,
    /// Seconds from the start of the work to the start of the phase, three decimals.
    #[serde(default)]
    pub after: f64,
}

impl GenerationJob {
    /// A pending job.
    pub fn new(job_id: JobId, created_at: OffsetDateTime, new: &NewJob) -> Self {
        Self {
            job_id,
            status: JobStatus::Pending,
            progress_percentage: 0.0,
            total_products: 0,
            processed_products: 0,
            created_at,
            started_at: None,
            completed_at: None,
            generated_urls: BTreeMap::new(),
            error_message: None,
            performance_metrics: PerformanceMetrics::default(),
            store_name: new.store_name.clone(),
            config_path: new.config_path.clone(),
            skipped: BTreeMap::new(),
            retry_of: new.retry_of.clone(),
            catalog_as_of: None,
        }
    }

    /// Begins the work.
    ///
    /// # Errors
    /// Unless the job is pending.
    pub fn start(&mut self, now: OffsetDateTime) -> Result<(), IllegalTransition> {
        self.status = self.status.become_(JobStatus::InProgress)?;
        self.started_at = Some(now);
        Ok(())
    }

    /// Ends the work, with an `error_message` unless it is completed.
    ///
    /// # Errors
    /// When the job has ended already, or was to be completed without having been started.
    pub fn end(
        &mut self,
        status: JobStatus,
        error_message: Option<String>,
        now: OffsetDateTime,
    ) -> Result<(), IllegalTransition> {
        self.status = self.status.become_(status)?;
        self.completed_at = Some(now);
        self.error_message = error_message;
        self.performance_metrics.current_phase = None;
        if status == JobStatus::Completed {
            self.progress_percentage = 100.0;
        }
        Ok(())
    }

    /// How long it took, or has taken until `now`. Once it has ended this does not depend on whether the machine's clock
    /// was set meanwhile.
    pub fn duration(&self, now: OffsetDateTime) -> Option<time::Duration> {
        if let Some(seconds) = self.performance_metrics.seconds {
            return Some(time::Duration::seconds_f64(seconds));
        }
        let duration = self.completed_at.unwrap_or(now) - self.started_at?;
        Some(duration.max(time::Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn job() -> GenerationJob {
        let job_id = JobId::parse("job_0123456789ab").unwrap();
        GenerationJob::new(job_id, datetime!(2026-03-01 08:00:00.25 UTC), &NewJob::named("Specs"))
    }

    #[test]
    fn a_record_has_exactly_the_documented_fields_in_order() {
        let mut job = job();
        job.start(datetime!(2026-03-01 08:00:01 UTC)).unwrap();
        let text = serde_json::to_string(&job).unwrap();
        let fields = "job_id status progress_percentage total_products processed_products created_at started_at \
            completed_at generated_urls error_message performance_metrics store_name config_path skipped \
            retry_of catalog_as_of";
        let mut rest = text.as_str();
        for field in fields.split_whitespace() {
            let position = rest.find(&format!("\"{field}\":")).unwrap_or_else(|| panic!("{field} not in {rest}"));
            rest = &rest[position..];
        }
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value.as_object().unwrap().len(), fields.split_whitespace().count());
        assert_eq!(value["status"], "in_progress");
        assert_eq!(value["created_at"], "2026-03-01T08:00:00.25Z");
        assert_eq!(value["completed_at"], serde_json::Value::Null);
        assert_eq!(serde_json::from_str::<GenerationJob>(&text).unwrap(), job);
    }

    #[test]
    fn ids_are_strict_and_new_ones_differ() {
        assert!(JobId::parse(JobId::random().as_str()).is_some());
        assert_ne!(JobId::random(), JobId::random());
        for text in ["job_", "job_0123456789AB", "job_0123456789abc", "job_../../../../x", "0123456789ab"] {
            assert!(JobId::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_job_that_failed_before_it_began_keeps_its_message() {
        let mut job = job();
        job.end(JobStatus::Failed, Some("no disk".into()), datetime!(2026-03-01 08:00:02 UTC)).unwrap();
        assert_eq!((job.status, job.error_message.as_deref()), (JobStatus::Failed, Some("no disk")));
        assert_eq!(job.duration(datetime!(2026-03-01 09:00:00 UTC)), None);
        assert!(job.start(datetime!(2026-03-01 08:00:03 UTC)).is_err());
    }

    proptest! {
        #[test]
        fn no_way_leads_out_of_an_end_or_back(wishes in prop::collection::vec(0..5_usize, 0..12)) {
            let mut status = JobStatus::Pending;
            let mut worked = false;
            for wish in wishes {
                let before = status;
                if let Ok(next) = status.become_(JobStatus::ALL[wish]) {
                    prop_assert!(!before.is_final());
                    prop_assert!(next != JobStatus::Pending && next != before);
                    prop_assert!(next != JobStatus::Completed || worked);
                    worked |= next == JobStatus::InProgress;
                    status = next;
                }
            }
        }
    }
}
