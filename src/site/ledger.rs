//! What is known of the published files beyond the manifest: when each was written, and what it was made from.
//!
//! Kept in the state folder, beside no store. In: the entries of a publication. Out: for the next one, which files still
//! stand as they were written and need not be made again. Nothing is taken on trust: an entry counts only where the
//! manifest that is in place names the same bytes, and the file on the disk has the size and the time that it had, or
//! else still has those bytes.

use super::durable::{open_sealed, write_sealed_by};
use super::frames::{FrameReader, FrameWriter};
use super::{Fingerprint, Manifest};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Hash of everything that can change the bytes of a file.
pub type Digest = [u8; 16];

/// Raised whenever the entries change their form.
const KIND: &str = "ledger 4";

/// Every file of a publication, by path. What is known of one is spread over lists with the same order: a store of a
/// million products has 1.4 million files.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) whole: Option<Whole>,
    manifest: Manifest,
    modified: Vec<u64>,
    made_from: Vec<Option<Digest>>,
    needs: Needs,
    /// By place; few files have any.
    pieces: BTreeMap<usize, Box<[Piece]>>,
}

/// For each file what it needs, one behind the other.
#[derive(Clone, Debug, Default)]
struct Needs {
    places: Vec<u32>,
    /// Where those of each file end.
    ends: Vec<usize>,
}

/// What stands before the entries of a ledger.
#[derive(Serialize, Deserialize)]
struct Head {
    whole: Option<Whole>,
    files: usize,
    path_bytes: usize,
}

/// A store as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// Hash of everything that the store was made from.
    pub made_from: Digest,
    /// Products in it.
    pub products: u64,
    /// Pages in it.
    pub pages: u64,
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry<'l> {
    pub(super) path: Cow<'l, str>,
    pub(super) content: [u8; 32],
    pub(super) size: u64,
    /// When it was written, in nanoseconds since 1970; 0 where nobody knows.
    pub(super) modified: u64,
    /// What it was made from; files without it are made again and compared.
    pub(super) made_from: Option<Digest>,
    /// Other files that it cannot do without, as places in the ledger.
    pub(super) needs: Cow<'l, [u32]>,
    /// Where the file is put together from pieces that the next run may use again: what each was made from, and its
    /// length in bytes, one behind the other from the beginning.
    pub(super) pieces: Cow<'l, [Piece]>,
}

/// What a part of a file was made from, and its length in bytes.
pub type Piece = (Digest, u32);

impl Entry<'_> {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint { hash: self.content, size: self.size }
    }
}

impl Ledger {
    /// Reads the ledger of the last publication; empty where there is none that can be relied on.
    pub(super) fn read(path: &Path) -> Self {
        Self::read_whole(path).unwrap_or_default()
    }

    fn read_whole(path: &Path) -> Option<Self> {
        let mut frames = FrameReader::new(open_sealed(path, KIND)?);
        let Head { whole, files, path_bytes } = frames.next().ok()??;
        let mut ledger = Self { whole, ..Self::default() };
        ledger.reserve(files, path_bytes);
        while let Some(entry) = frames.next().ok()? {
            ledger.push(&entry);
        }
        Some(ledger)
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        write_sealed_by(path, KIND, |to| {
            let mut frames = FrameWriter::new(to);
            let (files, path_bytes) = (self.len(), self.manifest.path_bytes());
            frames.write(&Head { whole: self.whole, files, path_bytes })?;
            self.entries().try_for_each(|entry| frames.write(&entry))
        })
    }

    /// The same files without what only this program wants to know of them.
    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(super) fn len(&self) -> usize {
        self.manifest.len()
    }

    /// The place of a path.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.manifest.find(path)
    }

    /// The entry at a place that there is.
    pub(super) fn at(&self, place: usize) -> Entry<'_> {
        let Fingerprint { hash, size } = self.manifest.fingerprint(place);
        Entry {
            path: self.manifest.path(place).into(),
            content: hash,
            size,
            modified: self.modified[place],
            made_from: self.made_from(place),
            needs: self.needs(place).into(),
            pieces: self.pieces(place).into(),
        }
    }

    pub(super) fn made_from(&self, place: usize) -> Option<Digest> {
        self.made_from[place]
    }

    pub(super) fn needs(&self, place: usize) -> &[u32] {
        self.needs.at(place)
    }

    pub(super) fn pieces(&self, place: usize) -> &[Piece] {
        self.pieces.get(&place).map_or(&[], |pieces| pieces)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).map(|place| self.at(place))
    }

    /// Makes room for so many more files, and bytes of their paths.
    pub(super) fn reserve(&mut self, files: usize, path_bytes: usize) {
        self.manifest.reserve(files, path_bytes);
        self.modified.reserve_exact(files);
        self.made_from.reserve_exact(files);
        self.needs.ends.reserve_exact(files);
    }

    /// Adds a file that comes after all others.
    pub(super) fn push(&mut self, entry: &Entry<'_>) {
        if !entry.pieces.is_empty() {
            self.pieces.insert(self.len(), entry.pieces.as_ref().into());
        }
        self.manifest.push(&entry.path, entry.fingerprint());
        self.modified.push(entry.modified);
        self.made_from.push(entry.made_from);
        self.needs.push(&entry.needs);
    }

    /// Takes care that the file at a place is made again and compared.
    pub(super) fn forget_origin(&mut self, place: usize) {
        self.made_from[place] = None;
    }

    /// Puts others in the places of some files with the same paths, in their order.
    pub(super) fn replace(
        &mut self,
        others: impl Iterator<Item = anyhow::Result<(usize, Entry<'static>)>>,
    ) -> anyhow::Result<()> {
        let last = std::mem::take(&mut self.needs);
        self.needs.ends.reserve_exact(last.ends.len());
        for other in others {
            let (place, entry) = other?;
            self.needs.extend(&last, self.needs.ends.len()..place);
            self.needs.push(&entry.needs);
            self.manifest.replace(place, entry.fingerprint());
            self.modified[place] = entry.modified;
            self.made_from[place] = entry.made_from;
            if entry.pieces.is_empty() {
                self.pieces.remove(&place);
            } else {
                self.pieces.insert(place, entry.pieces.into());
            }
        }
        self.needs.extend(&last, self.needs.ends.len()..last.ends.len());
        Ok(())
    }

    /// Puts places for the numbers by which files have named what they need. A file that needs one that is not there will
    /// be made again.
    pub(super) fn settle_needs(&mut self, places: &[Option<u32>]) {
        let Needs { places: needs, ends } = &mut self.needs;
        let (mut start, mut settled) = (0, 0);
        for (end, made_from) in ends.iter_mut().zip(&mut self.made_from) {
            let first = settled;
            for at in start..*end {
                match places[needs[at] as usize] {
                    Some(place) => {
                        needs[settled] = place;
                        settled += 1;
                    }
                    None => *made_from = None,
                }
            }
            if settled - first < *end - start {
                settled = first;
            }
            start = std::mem::replace(end, settled);
        }
        needs.truncate(settled);
    }

    /// For each entry whether its file still stands in `output` as it was published.
    pub(super) fn intact(&self, output: &Path, manifest: &Manifest) -> Vec<bool> {
        /// Entries that one thread looks at in a row: some milliseconds of work.
        const BATCH: usize = 512;
        let mut files = manifest.iter().peekable();
        let is_listed = |(path, was): (&str, &Fingerprint)| {
            while files.next_if(|(other, _)| *other < path).is_some() {}
            files.peek().is_some_and(|(other, is)| *other == path && *is == was)
        };
        let listed: Vec<bool> = self.manifest.iter().map(is_listed).collect();
        let Ok(folder) = Folder::open(output) else { return vec![false; listed.len()] };
        let places = listed.into_par_iter().enumerate().with_min_len(BATCH);
        places.map(|(place, is_listed)| is_listed && folder.holds(&self.at(place))).collect()
    }
}

impl Needs {
    fn at(&self, place: usize) -> &[u32] {
        &self.places[self.start(place)..self.ends[place]]
    }

    /// Where those of a file begin.
    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    fn push(&mut self, needs: &[u32]) {
        self.places.extend_from_slice(needs);
        self.ends.push(self.places.len());
    }

    /// Adds those of some files of another list.
    fn extend(&mut self, other: &Self, files: Range<usize>) {
        let (start, end, moved) = (other.start(files.start), other.start(files.end), self.places.len());
        self.places.extend_from_slice(&other.places[start..end]);
        self.ends.extend(other.ends[files].iter().map(|end| end - start + moved));
    }
}

/// A store's folder, held open so that paths are looked up from there.
struct Folder {
    path: PathBuf,
    #[cfg(unix)]
    opened: fs::File,
}

impl Folder {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_path_buf(),
            #[cfg(unix)]
            opened: fs::File::open(path)?,
        })
    }

    /// Whether a file is as it was published.
    fn holds(&self, entry: &Entry<'_>) -> bool {
        let Some((size, modified)) = self.size_and_time(&entry.path) else { return false };
        // A copy of the store has other times and the same bytes.
        let is_same_file = entry.modified != 0 && modified == entry.modified;
        let has_same_bytes = || {
            let bytes = fs::read(self.path.join(&*entry.path));
            bytes.is_ok_and(|bytes| *blake3::hash(&bytes).as_bytes() == entry.content)
        };
        size == entry.size && (is_same_file || has_same_bytes())
    }

    /// Size of a file in bytes, and when it was written as [`modified`] tells; `None` for anything but a file.
    #[cfg(unix)]
    fn size_and_time(&self, path: &str) -> Option<(u64, u64)> {
        use rustix::fs::{AtFlags, FileType, statat};
        let status = statat(&self.opened, path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_file = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        // The width of these fields is not the same on every system.
        let time = i128::from(status.st_mtime) * 1_000_000_000 + i128::from(status.st_mtime_nsec);
        is_file.then_some((u64::try_from(status.st_size).ok()?, u64::try_from(time).unwrap_or(0)))
    }

    #[cfg(not(unix))]
    fn size_and_time(&self, path: &str) -> Option<(u64, u64)> {
        let metadata = fs::symlink_metadata(self.path.join(path)).ok()?;
        metadata.is_file().then(|| (metadata.len(), modified(&metadata)))
    }
}

/// When a file was last written, in nanoseconds since 1970; 0 where the system does not tell.
pub(super) fn modified(metadata: &Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}
