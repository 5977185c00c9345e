//! Circuit breakers: after some failures in a row a dependency is left alone for a while, then tried by one run alone.
//!
//! In: whether each use of a dependency succeeded. Out: a [`Pass`] for the next use, or [`Unavailable`] with the moment
//! from which on it is worth a try. What is known is shared by all processes through a [`Memory`]; it is read when a
//! dependency is first used, and written only when something changes, so that a thousand good downloads cost nothing.

use super::Dependency;
use crate::config::RetrySettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::format_description;

/// What is remembered of a dependency that has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breaker {
    /// Failures since it last worked.
    pub failures: u32,
    /// When it was found to be down, for the last time; `None` while it is used freely.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub opened_at: Option<OffsetDateTime>,
    /// Until when it is left alone; `None` while it is used freely.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub retry_at: Option<OffsetDateTime>,
    /// When a run began to try whether it works again; `None` when none does.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub probed_at: Option<OffsetDateTime>,
    /// What the last failure said. Never holds a secret.
    pub last_failure: Option<String>,
}

/// Whether a dependency may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// It may.
    Closed,
    /// It may not, until a moment.
    Open(OffsetDateTime),
    /// One run may try.
    HalfOpen,
}

impl Breaker {
    /// Whether the dependency may be used now. A clock that was set back keeps nobody waiting until it catches up.
    pub fn state(&self, now: OffsetDateTime) -> BreakerState {
        let Some(opened_at) = self.opened_at else { return BreakerState::Closed };
        let since = self.probed_at.unwrap_or(opened_at).max(opened_at);
        match self.retry_at {
            Some(until) if since <= now && now < until => BreakerState::Open(until),
            _ => BreakerState::HalfOpen,
        }
    }
}

/// Where breakers are remembered, for all processes.
pub trait Memory: Send + Sync {
    /// What is remembered of a dependency, by [`Dependency::key`]; the default where nothing is.
    fn recall(&self, key: &str) -> Breaker;

    /// Changes what is remembered, while nobody else does; one that is the default again is forgotten. Gives the result.
    /// Where nothing can be written, the change holds for this process.
    fn change(&self, key: &str, change: &mut dyn FnMut(&mut Breaker)) -> Breaker;
}

/// The dependency has failed too often of late.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{dependency} has failed {failures} times in a row and is unavailable until {}: {last_failure}", moment(*until))]
pub struct Unavailable {
    /// Which.
    pub dependency: Dependency,
    /// When it may be tried again.
    pub until: OffsetDateTime,
    failures: u32,
    last_failure: String,
}

fn moment(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_else(|_| time.to_string())
}

/// The breakers of all dependencies of a run.
pub struct Breakers<'a> {
    memory: &'a dyn Memory,
    now: &'a (dyn Fn() -> OffsetDateTime + Send + Sync),
    threshold: u32,
    pause: Duration,
    is_ignored: bool,
    /// What this run knows, so that it asks and tells the memory only what is new.
    known: Mutex<HashMap<String, Breaker>>,
}

impl<'a> Breakers<'a> {
    /// Breakers that are remembered in `memory`; `now` tells the time in UTC.
    pub fn new(
        memory: &'a dyn Memory,
        now: &'a (dyn Fn() -> OffsetDateTime + Send + Sync),
        settings: &RetrySettings,
    ) -> Self {
        let (threshold, pause) = (settings.breaker_failures, settings.breaker_pause);
        Self { memory, now, threshold, pause, is_ignored: false, known: Mutex::default() }
    }

    /// The same, but letting every use through; what comes of it still counts.
    pub fn ignored(self) -> Self {
        Self { is_ignored: true, ..self }
    }

    /// Asks to use a dependency. Say afterwards how it went.
    ///
    /// # Errors
    /// When it has failed too often of late, or another run is trying it.
    pub fn enter(&self, dependency: &Dependency) -> Result<Pass<'_>, Unavailable> {
        let key = dependency.key();
        let mut known = self.known();
        let breaker = known.entry(key.clone()).or_insert_with(|| self.memory.recall(&key));
        let pass = || Pass { breakers: self, key: key.clone() };
        let now = (self.now)();
        if self.is_ignored || breaker.state(now) == BreakerState::Closed {
            return Ok(pass());
        }
        // Another process may have found it well meanwhile, or may be trying it.
        let mut admitted = false;
        *breaker = self.memory.change(&key, &mut |breaker| {
            let state = breaker.state(now);
            admitted = !matches!(state, BreakerState::Open(_));
            if state == BreakerState::HalfOpen {
                // A run that never says how it went is waited for as long as for a failure.
                (breaker.probed_at, breaker.retry_at) = (Some(now), Some(now + self.pause));
            }
        });
        match breaker.state(now) {
            BreakerState::Open(until) if !admitted => Err(Unavailable {
                dependency: dependency.clone(),
                until,
                failures: breaker.failures,
                last_failure: breaker.last_failure.clone().unwrap_or_default(),
            }),
            _ => Ok(pass()),
        }
    }

    /// Whether a dependency may be used freely, as far as this run knows.
    pub fn is_closed(&self, dependency: &Dependency) -> bool {
        let key = dependency.key();
        let mut known = self.known();
        let breaker = known.entry(key.clone()).or_insert_with(|| self.memory.recall(&key));
        self.is_ignored || breaker.state((self.now)()) == BreakerState::Closed
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Breaker>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to use a dependency. Dropped without a word, as when a run is cancelled, it counts as neither.
#[must_use = "say how it went"]
pub struct Pass<'a> {
    breakers: &'a Breakers<'a>,
    /// Empty once it has been said how it went.
    key: String,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let key = std::mem::take(&mut self.key);
        let mut known = self.breakers.known();
        // The next may try in its place.
        if known.get(&key).is_some_and(|breaker| breaker.probed_at.is_some()) {
            let breaker = self.breakers.memory.change(&key, &mut |breaker| {
                (breaker.probed_at, breaker.retry_at) = (None, None);
            });
            known.insert(key, breaker);
        }
    }
}

impl Pass<'_> {
    /// It worked: earlier failures are forgotten.
    pub fn succeeded(mut self) {
        let key = std::mem::take(&mut self.key);
        let mut known = self.breakers.known();
        if known.get(&key).is_some_and(|breaker| *breaker != Breaker::default()) {
            let breaker = self.breakers.memory.change(&key, &mut |breaker| *breaker = Breaker::default());
            known.insert(key, breaker);
        }
    }

    /// It failed for good, after all attempts; `why` must not hold a secret.
    pub fn failed(mut self, why: &str) {
        let key = std::mem::take(&mut self.key);
        let now = (self.breakers.now)();
        let mut known = self.breakers.known();
        let breaker = self.breakers.memory.change(&key, &mut |breaker| {
            breaker.failures = breaker.failures.saturating_add(1);
            breaker.probed_at = None;
            breaker.last_failure = Some(why.to_string());
            if breaker.failures >= self.breakers.threshold {
                (breaker.opened_at, breaker.retry_at) = (Some(now), Some(now + self.breakers.pause));
            }
        });
        known.insert(key, breaker);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Service;
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
    use time::macros::datetime;

    /// A memory that two runs share, and how often it was written to.
    #[derive(Default)]
    struct Shared {
        breakers: Mutex<HashMap<String, Breaker>>,
        writes: AtomicU32,
    }

    impl Memory for Shared {
        fn recall(&self, key: &str) -> Breaker {
            self.breakers.lock().unwrap().get(key).cloned().unwrap_or_default()
        }

        fn change(&self, key: &str, change: &mut dyn FnMut(&mut Breaker)) -> Breaker {
            self.writes.fetch_add(1, Ordering::Relaxed);
            let mut breakers = self.breakers.lock().unwrap();
            let breaker = breakers.entry(key.into()).or_default();
            change(breaker);
            breaker.clone()
        }
    }

    const START: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    #[test]
    fn a_dependency_that_fails_is_left_alone_and_then_tried_by_one() {
        let (memory, seconds) = (Shared::default(), AtomicU64::new(0));
        let now = || START + Duration::from_secs(seconds.load(Ordering::Relaxed));
        let settings = RetrySettings::default();
        let breakers = || Breakers::new(&memory, &now, &settings);
        let (one, other) = (breakers(), breakers());
        let server = Dependency::new(Service::MongoDb, "db:27017");
        for _ in 0..5 {
            one.enter(&server).unwrap().failed("no answer");
        }
        let refused = breakers().enter(&server).err().unwrap();
        assert_eq!(
            refused.to_string(),
            "mongodb at `db:27017` has failed 5 times in a row and is unavailable until 2026-03-01 08:05:00 UTC: no answer"
        );
        assert!(one.enter(&Dependency::new(Service::MongoDb, "db2:27017")).is_ok());

        seconds.store(300, Ordering::Relaxed);
        let probe = one.enter(&server).unwrap();
        assert!(breakers().enter(&server).is_err(), "two tried at once");
        drop(probe);
        let again = breakers();
        let probe = again.enter(&server).unwrap();
        assert!(breakers().enter(&server).is_err(), "two tried at once");
        probe.failed("still no answer");
        assert!(one.enter(&server).is_err() && breakers().enter(&server).is_err());

        seconds.store(600, Ordering::Relaxed);
        breakers().enter(&server).unwrap().succeeded();
        assert!(breakers().enter(&server).is_ok() && one.enter(&server).is_ok(), "it works, and not all may use it");
        drop(other.enter(&server));
        assert_eq!(memory.recall(&server.key()), Breaker::default());
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let pause = Duration::from_secs(300);
        let (opened_at, retry_at) = (Some(START), Some(START + pause));
        let breaker = Breaker { failures: 5, opened_at, retry_at, ..Breaker::default() };
        assert_eq!(breaker.state(START), BreakerState::Open(START + pause));
        assert_eq!(breaker.state(START + pause), BreakerState::HalfOpen);
        assert_eq!(breaker.state(START - time::Duration::days(4000)), BreakerState::HalfOpen);
    }

    #[test]
    fn good_uses_write_nothing() {
        let (memory, now) = (Shared::default(), || START);
        let settings = RetrySettings::default();
        let breakers = Breakers::new(&memory, &now, &settings);
        let host = Dependency::new(Service::Assets, "img.example");
        for _ in 0..100 {
            breakers.enter(&host).unwrap().succeeded();
        }
        assert_eq!(memory.writes.load(Ordering::Relaxed), 0);
        breakers.enter(&host).unwrap().failed("410");
        breakers.enter(&host).unwrap().succeeded();
        breakers.enter(&host).unwrap().succeeded();
        assert_eq!(memory.writes.load(Ordering::Relaxed), 2);
    }

    proptest! {
        #[test]
        fn it_opens_after_failures_in_a_row_and_never_for_longer_than_a_pause(
            steps in prop::collection::vec((any::<bool>(), 0..400_u64), 1..60),
        ) {
            let (memory, seconds) = (Shared::default(), AtomicU64::new(0));
            let now = || START + Duration::from_secs(seconds.load(Ordering::Relaxed));
            let settings = RetrySettings::default();
            let breakers = Breakers::new(&memory, &now, &settings);
            let server = Dependency::new(Service::Shopify, "shop");
            let (mut in_a_row, mut last_failure) = (0, 0);
            for (works, wait) in steps {
                let at = seconds.fetch_add(wait, Ordering::Relaxed) + wait;
                let entered = breakers.enter(&server);
                let paused = in_a_row >= settings.breaker_failures && at < last_failure + 300;
                prop_assert_eq!(entered.is_err(), paused);
                match entered {
                    Err(_) => {}
                    Ok(pass) if works => {
                        pass.succeeded();
                        in_a_row = 0;
                    }
                    Ok(pass) => {
                        pass.failed("no");
                        in_a_row += 1;
                        last_failure = at;
                    }
                }
            }
        }
    }
}
