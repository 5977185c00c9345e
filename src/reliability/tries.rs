//! Tries of one request: pauses that grow, with chance in them, until a number of tries or a deadline is reached.

use crate::config::RetrySettings;
use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::{Duration, Instant};

/// The tries of one request, from its first failure on.
#[derive(Debug)]
pub struct Tries {
    settings: RetrySettings,
    pauses: <ExponentialBuilder as BackoffBuilder>::Backoff,
    failing_since: Option<Instant>,
}

impl Tries {
    /// No failure yet.
    pub fn new(settings: &RetrySettings) -> Self {
        let RetrySettings { attempts, first_delay, longest_delay, jitter, .. } = *settings;
        let mut pauses = ExponentialBuilder::default().with_min_delay(first_delay);
        pauses = match attempts {
            Some(attempts) => pauses.with_max_times(attempts.saturating_sub(1) as usize),
            None => pauses.without_max_times(),
        };
        // Chance adds up to as much again, which must find room below the longest pause.
        pauses = match jitter {
            true => pauses.with_max_delay(longest_delay / 2).with_jitter(),
            false => pauses.with_max_delay(longest_delay),
        };
        Self { settings: *settings, pauses: pauses.build(), failing_since: None }
    }

    /// After another failure: how long to wait before the next try, or `None` when it is given up. `wish` is how long the
    /// other side asks to be left alone.
    pub fn pause(&mut self, now: Instant, wish: Option<Duration>) -> Option<Duration> {
        let since = *self.failing_since.get_or_insert(now);
        let left = self.settings.deadline.saturating_sub(now.saturating_duration_since(since));
        let wish = wish.unwrap_or_default();
        if left.is_zero() || wish > left {
            return None;
        }
        self.pauses.next().map(|pause| pause.min(self.settings.longest_delay).max(wish).min(left))
    }

    /// When it failed for the first time; `None` while all is well.
    pub fn failing_since(&self) -> Option<Instant> {
        self.failing_since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SETTINGS: RetrySettings = RetrySettings {
        attempts: Some(4),
        first_delay: Duration::from_millis(100),
        longest_delay: Duration::from_millis(300),
        jitter: false,
        deadline: Duration::from_secs(60),
        breaker_failures: 5,
        breaker_pause: Duration::from_secs(300),
    };

    /// Pauses in milliseconds when every try fails at once.
    fn pauses(settings: &RetrySettings) -> Vec<u128> {
        let (mut tries, mut now) = (Tries::new(settings), Instant::now());
        std::iter::from_fn(|| {
            let pause = tries.pause(now, None)?;
            now += pause;
            Some(pause.as_millis())
        })
        .take(10_000)
        .collect()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_attempts() {
        assert_eq!(pauses(&SETTINGS), [100, 200, 300]);
        assert_eq!(pauses(&RetrySettings { attempts: Some(1), ..SETTINGS }), []);
        let until_late = RetrySettings { attempts: None, deadline: Duration::from_millis(950), ..SETTINGS };
        let (last, others) = (pauses(&until_late).pop(), pauses(&until_late).len() - 1);
        // The last try is made at the deadline, but for a rounding.
        assert!(others == 4 && last.is_some_and(|last| (45..=50).contains(&last)), "{last:?} after {others}");
    }

    #[test]
    fn what_the_other_side_wishes_is_done_within_the_deadline() {
        let (now, mut tries) = (Instant::now(), Tries::new(&SETTINGS));
        assert!(tries.failing_since().is_none());
        assert_eq!(tries.pause(now, Some(Duration::from_secs(20))), Some(Duration::from_secs(20)));
        assert_eq!(tries.pause(now + Duration::from_secs(20), Some(Duration::from_secs(50))), None);
        assert_eq!(tries.pause(now + Duration::from_secs(60), None), None);
        assert_eq!(tries.failing_since(), Some(now));
    }

    proptest! {
        #[test]
        fn chance_makes_pauses_longer_but_never_too_long(first in 1_u64..500, longest in 500_u64..5000, attempts in 1_u32..20) {
            let settings = RetrySettings {
                attempts: Some(attempts),
                first_delay: Duration::from_millis(first),
                longest_delay: Duration::from_millis(longest),
                jitter: true,
                ..SETTINGS
            };
            let pauses = pauses(&settings);
            prop_assert!(pauses.len() < attempts as usize);
            prop_assert!(pauses.iter().all(|pause| *pause <= u128::from(longest)), "{pauses:?}");
            prop_assert!(pauses.iter().rev().skip(1).all(|pause| *pause >= u128::from(first.min(longest / 2))), "{pauses:?}");
            prop_assert!(pauses.iter().sum::<u128>() <= SETTINGS.deadline.as_millis());
        }
    }
}
