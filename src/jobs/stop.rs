//! Why a run is to stop before its end: somebody interrupted it, another process asked for it, or its time is up.
//!
//! In: what can stop it. Out: the first reason there was, for good. Work asks every few milliseconds, from many threads;
//! most of the time the answer is one comparison.

use super::clock::Clock;
use super::running::Running;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Time between two looks for a request to cancel.
const GLANCE: Duration = Duration::from_millis(50);

/// Why a run is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The program was interrupted, as by Ctrl-C.
    Interrupted,
    /// Another process asked for it.
    Requested,
    /// It has worked for as long as it may.
    TimedOut(Duration),
}

/// What can stop a run.
pub struct Stop<'a> {
    sources: Option<Sources<'a>>,
    reason: OnceLock<StopReason>,
    /// When to look again, in milliseconds of [`Clock::elapsed`].
    next_look: AtomicU64,
}

struct Sources<'a> {
    running: &'a Running,
    clock: &'a dyn Clock,
    is_interrupted: &'a (dyn Fn() -> bool + Sync),
    time: Option<Time>,
}

struct Time {
    up: Duration,
    limit: Duration,
}

impl<'a> Stop<'a> {
    /// What can stop a job from now on, for at most `timeout`.
    pub fn new(
        running: &'a Running,
        clock: &'a dyn Clock,
        is_interrupted: &'a (dyn Fn() -> bool + Sync),
        timeout: Option<Duration>,
    ) -> Self {
        let time = timeout.map(|limit| Time { up: clock.elapsed().saturating_add(limit), limit });
        let sources = Some(Sources { running, clock, is_interrupted, time });
        Self { sources, reason: OnceLock::new(), next_look: AtomicU64::new(0) }
    }

    /// Nothing can stop it.
    pub fn never() -> Self {
        Self { sources: None, reason: OnceLock::new(), next_look: AtomicU64::new(0) }
    }

    /// Why to stop, if there is a reason.
    pub fn reason(&self) -> Option<StopReason> {
        let Some(sources) = &self.sources else { return None };
        if let Some(reason) = self.reason.get() {
            return Some(*reason);
        }
        let found = if (sources.is_interrupted)() { Some(StopReason::Interrupted) } else { self.look(sources) };
        found.map(|found| *self.reason.get_or_init(|| found))
    }

    fn look(&self, sources: &Sources<'_>) -> Option<StopReason> {
        let now = sources.clock.elapsed();
        if let Some(Time { limit, .. }) = sources.time.as_ref().filter(|time| now >= time.up) {
            return Some(StopReason::TimedOut(*limit));
        }
        let milliseconds = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let due = self.next_look.load(Ordering::Relaxed);
        let next = milliseconds.saturating_add(GLANCE.as_millis() as u64);
        // One thread looks, the others go on.
        let mine = milliseconds >= due
            && self.next_look.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        (mine && sources.running.is_cancel_requested()).then_some(StopReason::Requested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::clock::tests::TestClock;
    use crate::jobs::file::JobStore;
    use crate::jobs::running;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn the_first_reason_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = JobStore::at(&folder.path().join(".storegen/state.json"));
        let clock = TestClock::default();
        let begun = store.begin(clock.now(), &crate::jobs::NewJob::named("Specs"), &Default::default()).unwrap();
        let interrupted = AtomicBool::new(false);
        let is_interrupted = || interrupted.load(Ordering::Relaxed);
        let limit = Duration::from_secs(1);
        let stop = Stop::new(&begun.running, &clock, &is_interrupted, Some(limit));
        let patient = Stop::new(&begun.running, &clock, &is_interrupted, None);
        assert_eq!(stop.reason(), None);
        clock.pass(1_000);
        assert_eq!((stop.reason(), patient.reason()), (Some(StopReason::TimedOut(limit)), None));
        running::request_cancel(&store.folder().join("running"), begun.running.job_id()).unwrap();
        assert_eq!(patient.reason(), None, "it looked again at once");
        clock.pass(60);
        assert_eq!(patient.reason(), Some(StopReason::Requested));
        interrupted.store(true, Ordering::Relaxed);
        assert_eq!((stop.reason(), patient.reason()), (Some(StopReason::TimedOut(limit)), Some(StopReason::Requested)));
    }
}
