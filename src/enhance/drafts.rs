//! Records on their way: from the blocks of a reading, in whatever order they come, to the order of the store.
//!
//! Every draft is written down beside its product. As long as they are not too many they are in memory as well; beyond
//! that only where each is written, and whoever wants to know something of it reads it back.

use super::memory::{Blob, Damaged, Memory};
use super::record::ProductRecord;
use super::snapshot::Snapshot;
use crate::site::Digest;
use anyhow::Result;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Block and place in it; decides between documents of the same id.
pub(super) type Place = (u32, u32);

/// A record on its way: term and brand ids are preliminary, the slug is unknown.
#[derive(Serialize, Deserialize)]
pub(super) struct Draft {
    #[serde(skip)]
    pub(super) place: Place,
    /// As in [`Mapped`](super::Mapped).
    #[serde(skip)]
    pub(super) key: Option<Digest>,
    pub(super) collection: Arc<str>,
    /// As a key: with its own letters only.
    pub(super) wished_slug: String,
    /// Hashes of title and description.
    pub(super) texts: [u64; 2],
    pub(super) record: ProductRecord,
}

/// The drafts of a reading so far.
pub(super) struct Drafts {
    written: Vec<Written>,
    /// By block, so that a growing list is never moved: half of all products would be in memory twice. None of them once
    /// there are too many.
    blocks: Option<Vec<Vec<Draft>>>,
    most: usize,
}

#[derive(Clone, Copy)]
struct Written {
    blob: Blob,
    place: Place,
}

/// All drafts of a reading that is over, each with a number from 0 on.
pub(super) struct Gathered {
    written: Vec<Written>,
    in_memory: Option<Vec<Draft>>,
    most: usize,
    snapshot: Arc<Snapshot>,
}

/// A draft of the last reading: where it is, where its document stands now, and the document's key.
pub(super) type Known = (Blob, Place, Option<Digest>);

impl Drafts {
    /// None yet; up to `most` are kept in memory.
    pub(super) fn up_to(most: usize) -> Self {
        Self { written: Vec::new(), blocks: Some(Vec::new()), most }
    }

    /// Takes those of a block, each with where it was written.
    pub(super) fn push(&mut self, block: Vec<Draft>, blobs: Vec<Blob>) {
        let written = block.iter().zip(blobs).map(|(draft, blob)| Written { blob, place: draft.place });
        self.written.extend(written);
        match &mut self.blocks {
            Some(blocks) if self.written.len() <= self.most => blocks.push(block),
            _ => self.blocks = None,
        }
    }

    /// All of them; `snapshot` is where they were written.
    pub(super) fn gather(self, snapshot: Arc<Snapshot>) -> Gathered {
        let Self { written, blocks, most } = self;
        let in_memory = blocks.map(|blocks| {
            // Each block is let go as soon as it is moved.
            let mut drafts = Vec::with_capacity(written.len());
            blocks.into_iter().for_each(|block| drafts.extend(block));
            drafts
        });
        Gathered { written, in_memory, most, snapshot }
    }
}

impl Gathered {
    /// Adds those of the last reading that are as they were.
    ///
    /// # Errors
    /// When one that is wanted in memory cannot be read back.
    pub(super) fn add(&mut self, known: Vec<Known>, memory: &Memory) -> Result<(), Damaged> {
        let is_much = self.len() + known.len() > self.most;
        self.in_memory = self.in_memory.take().filter(|_| !is_much);
        match &mut self.in_memory {
            Some(drafts) => {
                let known = known.into_iter().map(|(blob, place, key)| (blob, (place, key))).collect();
                drafts.extend(memory.read_all(known, |draft: &mut Draft, (place, key)| {
                    (draft.place, draft.key) = (place, key);
                })?);
            }
            None => self.written.extend(known.into_iter().map(|(blob, place, _)| Written { blob, place })),
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.in_memory.as_ref().map_or(self.written.len(), Vec::len)
    }

    /// All of them, where they are in memory.
    pub(super) fn in_memory(&self) -> Option<&[Draft]> {
        self.in_memory.as_deref()
    }

    /// Where the document of one stands.
    pub(super) fn place_of(&self, number: u32) -> Place {
        let number = number as usize;
        self.in_memory.as_ref().map_or_else(|| self.written[number].place, |drafts| drafts[number].place)
    }

    /// What is to be seen of one.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub(super) fn look_at<T>(&self, number: u32, look: impl FnOnce(&Draft) -> T) -> Result<T> {
        match &self.in_memory {
            Some(drafts) => Ok(look(&drafts[number as usize])),
            None => Ok(look(&self.read(number)?)),
        }
    }

    /// What is to be seen of some, looked at on many threads and taken in the order of `numbers`.
    ///
    /// # Errors
    /// When one cannot be read back.
    pub(super) fn look_through<T: Send>(
        &self,
        numbers: &[u32],
        look: impl Fn(&Draft) -> T + Sync,
        mut take: impl FnMut(T),
    ) -> Result<()> {
        /// Some megabytes of what is seen.
        const AT_ONCE: usize = 1 << 14;
        for numbers in numbers.chunks(AT_ONCE) {
            let seen = numbers.par_iter().map(|&number| self.look_at(number, &look));
            seen.collect::<Result<Vec<T>>>()?.into_iter().for_each(&mut take);
        }
        Ok(())
    }

    /// One that is not in memory.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub(super) fn read(&self, number: u32) -> Result<Draft> {
        let Written { blob, place } = self.written[number as usize];
        let mut draft: Draft = self.snapshot.with_bytes(blob.location, |bytes| Ok(blob.unpack(bytes)?))?;
        draft.place = place;
        Ok(draft)
    }

    /// Where they are written.
    pub(super) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Those of `order` in that order, where they are in memory; what is not in it is dropped.
    pub(super) fn take_in_order(&mut self, order: &[u32]) -> Option<Vec<Draft>> {
        let mut drafts = self.in_memory.take()?;
        let mut is_left = vec![true; drafts.len()];
        order.iter().for_each(|&number| is_left[number as usize] = false);
        let left = (0..).zip(is_left).filter(|(_, is_left)| *is_left).map(|(number, _)| number);
        arrange(&mut drafts, order.iter().copied().chain(left).collect());
        drafts.truncate(order.len());
        Some(drafts)
    }
}

/// Puts at each place the draft that is at its source. A draft is large, so that each is moved only once, and there is
/// never a second list of them.
fn arrange(drafts: &mut [Draft], mut sources: Vec<u32>) {
    for start in 0..drafts.len() {
        // Along the circle of places that this one belongs to; its end is marked by a place that is its own source.
        let mut place = start;
        loop {
            let source = std::mem::replace(&mut sources[place], place as u32) as usize;
            if source == start {
                break;
            }
            drafts.swap(place, source);
            place = source;
        }
    }
}
