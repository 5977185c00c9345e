//! How runs of a store are conducted: how many at once, how long, what is remembered, when to stop asking others.
//!
//! In: the `jobs`, `retry` and `reliability` blocks as written. Out: [`JobSettings`], [`RetrySettings`]. Nothing here changes what
//! the store looks like.

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

/// How things outside that fail are tried again, where the file says nothing.
const USUAL: RetrySettings = RetrySettings {
    attempts: None,
    first_delay: Duration::from_millis(200),
    longest_delay: Duration::from_secs(5),
    jitter: true,
    deadline: Duration::from_secs(30),
    breaker_failures: 5,
    breaker_pause: Duration::from_secs(300),
};

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

/// How something outside that fails is tried again, and when it is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// How often one thing is tried in all, at least 1; `None`: until the deadline.
    pub attempts: Option<u32>,
    /// Pause before the second try; it doubles each time.
    pub first_delay: Duration,
    /// Longest pause; at least as long as the first.
    pub longest_delay: Duration,
    /// Whether chance makes pauses longer, so that many do not come back at once.
    pub jitter: bool,
    /// How long after its first failure a thing is tried again.
    pub deadline: Duration,
    /// Failures in a row after which a dependency is left alone; at least 1.
    pub breaker_failures: u32,
    /// How long it is left alone before one run tries again.
    pub breaker_pause: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        USUAL
    }
}

/// How something outside that fails is tried again, and when it is left alone: the database, a host of pictures.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryFile {
    /// How often one request is made in all; 1 never tries again.
    ///
    /// From 1 to 100. Default: 4 for a picture; a database is tried until `deadline`.
    #[schemars(range(min = 1, max = 100))]
    pub(super) attempts: Option<u32>,

    /// Pause before the second try; it doubles each time.
    ///
    /// Default: `200ms`.
    pub(super) first_delay: Option<String>,

    /// Longest pause between two tries.
    ///
    /// Default: `5s`.
    pub(super) longest_delay: Option<String>,

    /// Whether chance makes pauses longer, so that many runs do not come back at once.
    ///
    /// Default: `true`.
    pub(super) jitter: Option<bool>,

    /// How long after its first failure something is tried again; a server that asks to be left alone for longer is given up.
    ///
    /// At least `1s`. Default: `30s`.
    pub(super) deadline: Option<String>,

    /// Failures in a row, after all tries, after which runs fail at once, without asking.
    ///
    /// From 1 to 1000. Default: 5.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) breaker_failures: Option<u32>,

    /// How long it is left alone; then one run tries again, and the others follow when it succeeds.
    ///
    /// At least `1s`. Default: `5m`.
    pub(super) breaker_pause: Option<String>,
}

/// Older place of two keys of `retry`, which come first.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReliabilityFile {
    /// As in `retry`.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) breaker_failures: Option<u32>,

    /// As in `retry`.
    pub(super) breaker_pause: Option<String>,
}

impl Reading<'_> {
    pub(super) fn retry(&mut self, file: RetryFile, older: ReliabilityFile) -> Option<RetrySettings> {
        let (instant, second) = (Duration::from_millis(1), Duration::from_secs(1));
        let first = self.duration("retry.first_delay", file.first_delay, instant);
        let longest = self.duration("retry.longest_delay", file.longest_delay, instant);
        let deadline = self.duration("retry.deadline", file.deadline, second);
        let pause = self.duration("retry.breaker_pause", file.breaker_pause, second);
        let older_pause = self.duration("reliability.breaker_pause", older.breaker_pause, second);
        let (first_delay, longest) = (first?.unwrap_or(USUAL.first_delay), longest?);
        if longest.is_some_and(|longest| longest < first_delay) {
            let message = "`retry.longest_delay` is shorter than `retry.first_delay`";
            return self.fault("retry.longest_delay", message, "write a longer time, or a shorter `first_delay`");
        }
        Some(RetrySettings {
            attempts: file.attempts,
            first_delay,
            longest_delay: longest.unwrap_or(USUAL.longest_delay.max(first_delay)),
            jitter: file.jitter.unwrap_or(USUAL.jitter),
            deadline: deadline?.unwrap_or(USUAL.deadline),
            breaker_failures: file.breaker_failures.or(older.breaker_failures).unwrap_or(USUAL.breaker_failures),
            breaker_pause: pause?.or(older_pause?).unwrap_or(USUAL.breaker_pause),
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
                let message = format!("`{path}` is less than {} s", least.as_secs_f64());
                self.fault(path, &message, "write a longer time, or leave it out")
            }
            None => {
                let message = format!("`{}` is no time for `{path}`", self.shown(path));
                self.fault(path, &message, "write a number and a unit, such as `90s`, `30m` or `1.5 hours`")
            }
        }
    }
}
