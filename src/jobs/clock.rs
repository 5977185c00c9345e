//! The time of day, passed in. Waits of other rooms use the stopwatch of the system.

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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use time::macros::datetime;

    /// Stands still until it is moved.
    #[derive(Default)]
    pub(crate) struct TestClock {
        milliseconds: AtomicU64,
    }

    impl TestClock {
        pub(crate) fn pass(&self, milliseconds: u64) {
            self.milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
        }
    }

    impl Clock for TestClock {
        fn now(&self) -> OffsetDateTime {
            datetime!(2026-03-01 08:00 UTC) + self.elapsed()
        }

        fn elapsed(&self) -> Duration {
            Duration::from_millis(self.milliseconds.load(Ordering::Relaxed))
        }
    }
}
