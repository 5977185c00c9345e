//! Time, passed in: only this file asks the system for it.

use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The moment in UTC, for records; whole milliseconds.
    fn now(&self) -> OffsetDateTime;

    /// Time since some fixed moment, for durations; never goes back.
    fn elapsed(&self) -> Duration;
}

/// The system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] counts from now.
    #[expect(clippy::new_without_default, reason = "it reads the clock, a default should not")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        now.replace_nanosecond(now.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(now)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
