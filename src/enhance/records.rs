//! The slim records of a catalogue, by their places in the store's order: in memory as long as there is room for them, and
//! beside the full products on disk beyond that.
//!
//! A large catalogue is looked through from one end to the other a few times and then page by page, for which a file that
//! the system has in its own memory is quick enough. Whoever makes a small store again and again wants each record at once.

use super::record::ProductRecord;
use super::snapshot::{Location, Snapshot};
use anyhow::{Context as _, Result};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Every record of a catalogue.
pub struct Records(Kept);

enum Kept {
    InMemory(Vec<ProductRecord>),
    OnDisk(OnDisk),
}

struct OnDisk {
    snapshot: Arc<Snapshot>,
    places: Vec<Location>,
    /// Seen in the place of a record that cannot be read back, until the run ends for that.
    stand_in: Option<Box<ProductRecord>>,
    failure: OnceLock<String>,
}

impl From<Vec<ProductRecord>> for Records {
    fn from(records: Vec<ProductRecord>) -> Self {
        Self(Kept::InMemory(records))
    }
}

impl Records {
    /// Writes records to the disk, in their order and one packet after the other.
    ///
    /// # Errors
    /// When the disk is full or fails, or a packet cannot be made.
    pub(super) fn on_disk(
        snapshot: Arc<Snapshot>,
        packets: impl Iterator<Item = Result<Vec<ProductRecord>>>,
    ) -> Result<Self> {
        let (mut places, mut stand_in) = (Vec::new(), None);
        for packet in packets {
            let mut packet = packet?;
            let mut bytes = Vec::new();
            let mut ends = Vec::with_capacity(packet.len());
            for record in &packet {
                bytes = packed(record, bytes)?;
                ends.push(bytes.len());
            }
            let (mut start, base) = (0, snapshot.add(&bytes)?.0);
            places.extend(ends.into_iter().map(|end| {
                let place = (base + start as u64, (end - start) as u32);
                start = end;
                place
            }));
            if stand_in.is_none() {
                stand_in = packet.pop().map(Box::new);
            }
        }
        Ok(Self(Kept::OnDisk(OnDisk { snapshot, places, stand_in, failure: OnceLock::new() })))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::InMemory(records) => records.len(),
            Kept::OnDisk(OnDisk { places, .. }) => places.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record at a place, if there is one. What the disk refuses is told by [`Records::verify`].
    pub fn get(&self, place: usize) -> Option<Cow<'_, ProductRecord>> {
        match &self.0 {
            Kept::InMemory(records) => records.get(place).map(Cow::Borrowed),
            Kept::OnDisk(on_disk) => on_disk.get(place),
        }
    }

    /// The record at a place that a record is known to be at.
    ///
    /// # Panics
    /// When there is none, as a slice does.
    pub fn at(&self, place: u32) -> Cow<'_, ProductRecord> {
        let place = place as usize;
        self.get(place).unwrap_or_else(|| panic!("there are {} records, and none at {place}", self.len()))
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, ProductRecord>> {
        self.range(0..self.len())
    }

    /// Those at some places.
    pub fn range(&self, places: Range<usize>) -> impl Iterator<Item = Cow<'_, ProductRecord>> {
        places.filter_map(|place| self.get(place))
    }

    /// All of them with their places, on many threads.
    pub fn par_iter(&self) -> impl IndexedParallelIterator<Item = (u32, Cow<'_, ProductRecord>)> {
        (0..self.len() as u32).into_par_iter().map(|place| (place, self.at(place)))
    }

    /// Puts another record in the place of one.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn replace(&mut self, place: u32, record: ProductRecord) -> Result<()> {
        match &mut self.0 {
            Kept::InMemory(records) => records[place as usize] = record,
            Kept::OnDisk(OnDisk { snapshot, places, .. }) => {
                places[place as usize] = snapshot.add(&packed(&record, Vec::new())?)?;
            }
        }
        Ok(())
    }

    /// All of them, where they are in memory.
    pub(super) fn in_memory(&mut self) -> Option<&mut Vec<ProductRecord>> {
        match &mut self.0 {
            Kept::InMemory(records) => Some(records),
            Kept::OnDisk(_) => None,
        }
    }

    /// Says whether every record that was asked for so far could be read back.
    ///
    /// # Errors
    /// When one could not, and another one was seen in its place.
    pub fn verify(&self) -> Result<()> {
        match &self.0 {
            Kept::InMemory(_) => Ok(()),
            Kept::OnDisk(OnDisk { failure, .. }) => {
                failure.get().map_or(Ok(()), |failure| Err(anyhow::anyhow!("{failure}")))
            }
        }
    }
}

impl OnDisk {
    fn get(&self, place: usize) -> Option<Cow<'_, ProductRecord>> {
        let read = |bytes: &[u8]| postcard::from_bytes(bytes).context("unpacking a record from the product snapshot");
        match self.snapshot.with_bytes(*self.places.get(place)?, read) {
            Ok(record) => Some(Cow::Owned(record)),
            Err(error) => {
                self.failure.get_or_init(|| format!("{error:#}"));
                self.stand_in.as_deref().map(Cow::Borrowed)
            }
        }
    }
}

/// A record behind others.
fn packed(record: &ProductRecord, bytes: Vec<u8>) -> Result<Vec<u8>> {
    postcard::to_extend(record, bytes).context("packing a record for the product snapshot")
}
