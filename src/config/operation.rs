//! How runs of a store are conducted: how many at once, how long, what is remembered, when to stop asking others.
//!
//! In: the `jobs` and `reliability` blocks as written. Out: [`JobSettings`], [`ReliabilitySettings`]. Nothing here changes what the store looks like.

use super::keeping::span;
use super::meaning::Reading;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// Jobs of one user that may run at once.
const MOST_AT_ONCE: u16 = 5;
/// Ended jobs that are remembered.
const KEPT_JOBS: u32 = 100;
/// Days that ended jobs are remembered.
const KEPT_DAYS: u16 = 30;

/// Failures in a row after which a dependency is left alone.
const MOST_FAILURES: u32 = 5;
/// How long a dependency is left alone.
const PAUSE: Duration = Duration::from_secs(300);

/// How jobs are run and remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSettings {
    /// Jobs that may run at once on the machine, this one included; at least 1.
    pub max_concurrent_jobs: usize,
    /// Longest time a job may work, waiting for its turn not included.
    pub timeout: Option<Duration>,
    /// Ended jobs that are remembered; at least 1.
    pub keep: usize,
    /// Days that ended jobs are remembered; at least 1.
    pub keep_days: u16,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self { max_concurrent_jobs: MOST_AT_ONCE.into(), timeout: None, keep: KEPT_JOBS as usize, keep_days: KEPT_DAYS }
    }
}

/// How jobs are run and remembered.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsFile {
    /// Jobs that may run at once, over all stores that one user builds on a machine; others wait for their turn.
    ///
    /// From 1 to 1000. Default: 5.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) max_concurrent_jobs: Option<u16>,

    /// Longest time a job may work before it is stopped, such as `30m` or `1.5 hours`. Waiting does not count.
    ///
    /// Default: no limit.
    pub(super) timeout: Option<String>,

    /// Ended jobs that are remembered, with their reports and logs.
    ///
    /// From 1 to 10000. Default: 100.
    #[schemars(range(min = 1, max = 10_000))]
    pub(super) keep: Option<u32>,

    /// Days after which ended jobs are forgotten.
    ///
    /// From 1 to 3650. Default: 30.
    #[schemars(range(min = 1, max = 3650))]
    pub(super) keep_days: Option<u16>,
}

/// When to leave something alone that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReliabilitySettings {
    /// Failures in a row after which a dependency is left alone; at least 1.
    pub breaker_failures: u32,
    /// How long it is left alone before one run tries again.
    pub breaker_pause: Duration,
}

impl Default for ReliabilitySettings {
    fn default() -> Self {
        Self { breaker_failures: MOST_FAILURES, breaker_pause: PAUSE }
    }
}

/// When to leave something alone that does not answer: the database, a host of pictures, a service.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReliabilityFile {
    /// Failures in a row after which runs fail at once, without asking.
    ///
    /// From 1 to 1000. Default: 5.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) breaker_failures: Option<u32>,

    /// How long it is left alone; then one run tries again, and the others follow when it succeeds.
    ///
    /// Default: `5m`.
    pub(super) breaker_pause: Option<String>,
}

impl Reading<'_> {
    pub(super) fn reliability(&mut self, file: ReliabilityFile) -> Option<ReliabilitySettings> {
        let pause = self.duration("reliability.breaker_pause", file.breaker_pause, Duration::from_secs(1))?;
        Some(ReliabilitySettings {
            breaker_failures: file.breaker_failures.unwrap_or(MOST_FAILURES),
            breaker_pause: pause.unwrap_or(PAUSE),
        })
    }

    pub(super) fn jobs(&mut self, file: JobsFile) -> Option<JobSettings> {
        Some(JobSettings {
            max_concurrent_jobs: file.max_concurrent_jobs.unwrap_or(MOST_AT_ONCE).into(),
            timeout: self.duration("jobs.timeout", file.timeout, Duration::from_secs(1))?,
            keep: file.keep.unwrap_or(KEPT_JOBS) as usize,
            keep_days: file.keep_days.unwrap_or(KEPT_DAYS),
        })
    }

    /// The outer `None` is a fault, the inner one a time left out.
    pub(super) fn duration(
        &mut self,
        path: &str,
        written: Option<String>,
        least: Duration,
    ) -> Option<Option<Duration>> {
        let Some(text) = written else { return Some(None) };
        match span(&text) {
            Some(duration) if duration >= least => Some(Some(duration)),
            Some(_) => {
                let message = format!("`{path}` is less than {} s", least.as_secs_f32());
                self.fault(path, &message, "write a longer time, or leave it out")
            }
            None => {
                let message = format!("`{}` is no time for `{path}`", self.shown(path));
                self.fault(path, &message, "write a number and a unit, such as `90s`, `30m` or `1.5 hours`")
            }
        }
    }
}
