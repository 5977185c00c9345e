//! Breakers in the state file, so that a loop of runs does not go on asking what does not answer.

use super::file::JobStore;
use crate::reliability::{Breaker, Memory};

impl Memory for JobStore {
    fn recall(&self, key: &str) -> Breaker {
        // Whoever needs the file to be in order says so when it is not.
        self.breakers().ok().and_then(|mut breakers| breakers.remove(key)).unwrap_or_default()
    }

    fn change(&self, key: &str, change: &mut dyn FnMut(&mut Breaker)) -> Breaker {
        let lock = self.lock();
        let mut document = self.read().ok();
        let known = document.as_mut().and_then(|document| document.breakers.remove(key));
        let mut breaker = known.unwrap_or_default();
        change(&mut breaker);
        if let (Ok(_lock), Some(mut document)) = (lock, document) {
            if breaker != Breaker::default() {
                document.breakers.insert(key.to_string(), breaker.clone());
            }
            // What cannot be written down holds for this process at least.
            let _ = self.write(&document);
        }
        breaker
    }
}
