//! What the last run left of a store, and what this one has found out about it so far.
//!
//! In: the ledger of the last publication, and which of its files still stand. Out: what can be kept. Asked by many threads.

use super::Fingerprint;
use super::ledger::Ledger;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU8, Ordering};

/// The files of the last run.
#[derive(Default)]
pub(super) struct Last {
    pub(super) ledger: Ledger,
    /// Places in the ledger, by hashes of paths: a search through it looks at far more of them. A process that has written
    /// the ledger itself knows most of the places.
    places: Option<HashMap<u64, u32>>,
    by: RandomState,
    /// By place in the ledger: whether the file still stands.
    intact: Vec<bool>,
    /// By place in the ledger: what this run has found out about the file.
    fate: Vec<AtomicU8>,
}

/// A file that is part of the new store as it stands.
const KEPT: u8 = 1;
/// A file that a kept one cannot do without.
const NEEDED: u8 = 2;

impl Last {
    /// The files of a ledger that this process has written itself, having looked at every file before.
    pub(super) fn own(ledger: Ledger) -> Self {
        let fate = std::iter::repeat_with(AtomicU8::default).take(ledger.len()).collect();
        Self { intact: vec![true; ledger.len()], fate, ledger, ..Self::default() }
    }

    /// The files of any other ledger, and for each whether it still stands.
    pub(super) fn of_others(ledger: Ledger, intact: Vec<bool>) -> Self {
        let by = RandomState::new();
        let places = (0..).zip(ledger.manifest().iter()).map(|(place, (path, _))| (by.hash_one(path), place)).collect();
        Self { places: Some(places), by, intact, ..Self::own(ledger) }
    }

    /// Whether this process has written the ledger itself.
    pub(super) fn is_own(&self) -> bool {
        self.places.is_none()
    }

    /// The place of a path in the ledger.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        let Some(places) = &self.places else { return self.ledger.find(path) };
        let place = *places.get(&self.by.hash_one(path))? as usize;
        // Two paths may have the same hash.
        if self.ledger.manifest().path(place) == path { Some(place) } else { self.ledger.find(path) }
    }

    /// Whether the file at a place still stands as it was published.
    pub(super) fn is_intact(&self, place: usize) -> bool {
        self.intact.get(place).copied().unwrap_or(false)
    }

    /// Keeps the file at a place with all that it needs, if they still stand.
    pub(super) fn keep(&self, place: usize) -> Option<Fingerprint> {
        let needs = || self.ledger.needs(place).iter().map(|&need| need as usize);
        if !self.is_intact(place) || !needs().all(|need| self.is_intact(need)) {
            return None;
        }
        needs().for_each(|need| _ = self.fate[need].fetch_or(NEEDED, Ordering::Relaxed));
        // Two pages of the same path are told apart when both are there.
        let is_first = self.fate[place].fetch_or(KEPT, Ordering::Relaxed) & KEPT == 0;
        is_first.then(|| self.ledger.manifest().fingerprint(place))
    }

    /// Whether the file at a place has been kept for itself.
    pub(super) fn is_kept(&self, place: usize) -> bool {
        self.fate[place].load(Ordering::Relaxed) & KEPT != 0
    }

    /// Whether the file at a place is part of the new store as it stands, unless it is made again.
    pub(super) fn stays(&self, place: usize) -> bool {
        self.fate[place].load(Ordering::Relaxed) != 0
    }
}
