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
            Kept::OnDisk(on_disk) => on_disk.row(place..place.saturating_add(1)).pop(),
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

    /// Those at some places, as far as there are any.
    pub fn range(&self, places: Range<usize>) -> impl Iterator<Item = Cow<'_, ProductRecord>> {
        let (in_memory, on_disk) = self.kept();
        let places = places.start.min(self.len())..places.end.min(self.len());
        let in_memory = in_memory.get(places.clone()).unwrap_or_default();
        let rows =
            on_disk.into_iter().flat_map(move |on_disk| rows_of(places.clone()).flat_map(|row| on_disk.row(row)));
        in_memory.iter().map(Cow::Borrowed).chain(rows)
    }

    /// All of them with their places, on many threads.
    pub fn par_iter(&self) -> impl ParallelIterator<Item = (u32, Cow<'_, ProductRecord>)> {
        let (in_memory, on_disk) = self.kept();
        let in_memory = in_memory.par_iter().enumerate().map(|(place, record)| (place as u32, Cow::Borrowed(record)));
        let rows: Vec<(&OnDisk, Range<usize>)> = on_disk
            .into_iter()
            .flat_map(|on_disk| rows_of(0..on_disk.places.len()).map(move |row| (on_disk, row)))
            .collect();
        let rows = rows.into_par_iter();
        in_memory.chain(rows.flat_map_iter(|(on_disk, row)| (row.start as u32..).zip(on_disk.row(row))))
    }

    fn kept(&self) -> (&[ProductRecord], Option<&OnDisk>) {
        match &self.0 {
            Kept::InMemory(records) => (records, None),
            Kept::OnDisk(on_disk) => (&[], Some(on_disk)),
        }
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

/// Places that are read at once: some 60 kilobytes of records.
fn rows_of(places: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    const IN_A_ROW: usize = 256;
    places.clone().step_by(IN_A_ROW).map(move |from| from..places.end.min(from + IN_A_ROW))
}

impl OnDisk {
    /// The records at some places. What lies side by side is read at once.
    fn row(&self, places: Range<usize>) -> Vec<Cow<'_, ProductRecord>> {
        let places = self.places.get(places).unwrap_or_default();
        let runs = places.chunk_by(|one, next| one.0 + u64::from(one.1) == next.0);
        runs.flat_map(|run| self.read(run)).collect()
    }

    fn read(&self, run: &[Location]) -> Vec<Cow<'_, ProductRecord>> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Vec::new() };
        let all = (first.0, (last.0 - first.0) as u32 + last.1);
        let unpack = |bytes: &[u8]| {
            let record = |&(offset, length): &Location| {
                let start = (offset - first.0) as usize;
                postcard::from_bytes(&bytes[start..start + length as usize])
            };
            run.iter().map(record).collect::<Result<Vec<ProductRecord>, _>>().context("unpacking records")
        };
        match self.snapshot.with_bytes(all, unpack) {
            Ok(records) => records.into_iter().map(Cow::Owned).collect(),
            Err(error) => {
                self.failure.get_or_init(|| format!("{error:#}"));
                run.iter().filter_map(|_| self.stand_in.as_deref().map(Cow::Borrowed)).collect()
            }
        }
    }
}

/// A record behind others.
fn packed(record: &ProductRecord, bytes: Vec<u8>) -> Result<Vec<u8>> {
    postcard::to_extend(record, bytes).context("packing a record for the product snapshot")
}

#[cfg(test)]
mod tests {
    use super::super::collect::{Collector, Mapped};
    use super::super::snapshot::SnapshotWriter;
    use super::*;
    use crate::assets::media::Media;
    use crate::catalog::References;
    use crate::catalog::product::Product;
    use crate::config::{ProductFilters, SortOrder};
    use crate::language::Words;

    fn records(count: usize) -> Vec<ProductRecord> {
        let folder = tempfile::tempdir().expect("a folder");
        let (words, references, media) = (Words::english(), References::default(), Media::new(None));
        let (filters, mut findings) = (ProductFilters::default(), Vec::new());
        let collector = Collector::new(&words, &references, &media, &filters, folder.path(), &mut findings);
        let collector = collector.expect("a collector");
        let product = |number: usize| Product::sample(&format!("p{number:04}"), &format!("Frame {number:04}"));
        let mapped = (0..count).map(|number| Mapped::product(number, product(number)));
        collector.take(0, &Arc::from("products"), mapped.collect()).expect("room on disk");
        let (mut catalog, _) = collector.finish(SortOrder::Name, None, &mut findings).expect("drafts");
        std::mem::take(catalog.records.in_memory().expect("few enough"))
    }

    #[test]
    fn what_is_on_disk_is_read_by_place_in_rows_and_on_many_threads() {
        let own = records(700);
        let file = tempfile::tempfile().expect("a file");
        let snapshot = Arc::new(SnapshotWriter::append_to(file.try_clone().expect("a file"), 0).finish());
        let packets = own.chunks(300).map(|packet| Ok(packet.to_vec()));
        let mut records = Records::on_disk(snapshot, packets).expect("room on disk");
        let other = ProductRecord { name: "Another".into(), ..own[257].clone() };
        records.replace(257, other).expect("room on disk");

        let mut names: Vec<&str> = own.iter().map(|record| &*record.name).collect();
        names[257] = "Another";
        assert!(records.iter().map(|record| record.name.clone()).eq(names.iter().map(|name| (*name).into())));
        let together: Vec<(u32, Box<str>)> =
            records.par_iter().map(|(place, record)| (place, record.name.clone())).collect();
        assert!(together.into_iter().eq((0..).zip(names.iter().map(|name| (*name).into()))));
        assert_eq!(records.range(698..900).count(), 2);
        assert_eq!(&*records.at(699).name, names[699]);
        assert!(records.get(700).is_none());
        records.verify().expect("all there");

        // What is lost is told, and nobody sees a record that is none.
        file.set_len(100).expect("a file");
        assert_eq!(records.iter().count(), 700);
        assert!(records.verify().is_err());
    }
}
