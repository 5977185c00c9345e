//! The list of the new store's files while they are made: on the disk, for the catalogue needs the memory.
//!
//! In: files from many threads, in any order. Out: all of them in the order of their paths. They are sorted in runs, which
//! stand one behind the other in a file and are merged as they are read back.

use super::durable::read_exact_at;
use super::frames::{FrameReader, FrameWriter};
use super::ledger::Entry;
use super::staging::lock;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Files of a run: some hundred kilobytes in memory, and some hundred runs of the largest store.
const RUN: usize = 4096;

/// Bytes of a run that are read at a time.
const BUFFER: usize = 8 * 1024;

/// A file of the new store that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Placed {
    /// What it needs is not told by places, which nobody knows yet.
    pub(super) entry: Entry<'static>,
    /// Whether it stands in the new tree; it stands in the output already otherwise.
    pub(super) is_new: bool,
}

/// A list of files on the disk.
pub(super) struct Spill {
    folder: PathBuf,
    /// Files of the run that is not written yet.
    recent: Mutex<Vec<Placed>>,
    runs: Mutex<Runs>,
}

/// What has been written.
#[derive(Default)]
struct Runs {
    /// It has no name, so that nothing of it stays whatever becomes of the process.
    file: Option<Arc<File>>,
    /// Where each run ends.
    ends: Vec<u64>,
    files: usize,
    path_bytes: usize,
}

impl Spill {
    /// An empty list, on the file system of `folder`.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), recent: Mutex::default(), runs: Mutex::default() }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn add(&self, placed: Placed) -> anyhow::Result<()> {
        // A file with very many pieces takes as much room as a whole run.
        let is_long = placed.entry.pieces.len() >= RUN;
        let mut recent = lock(&self.recent);
        recent.push(placed);
        if recent.len() < RUN && !is_long {
            return Ok(());
        }
        let run = std::mem::take(&mut *recent);
        drop(recent);
        self.append(run)
    }

    fn append(&self, mut run: Vec<Placed>) -> anyhow::Result<()> {
        run.sort_unstable_by(|one, other| one.entry.path.cmp(&other.entry.path));
        let mut bytes = Vec::new();
        let mut frames = FrameWriter::new(&mut bytes);
        run.iter().try_for_each(|placed| frames.write(placed))?;
        let mut runs = lock(&self.runs);
        runs.append(&self.folder, &bytes)
            .with_context(|| format!("cannot write the list of new files in `{}`", self.folder.display()))?;
        runs.files += run.len();
        runs.path_bytes += run.iter().map(|placed| placed.entry.path.len()).sum::<usize>();
        Ok(())
    }

    /// All files so far, by path. Of two with the same path an error comes in the place of the first.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn in_order(&self) -> anyhow::Result<InOrder> {
        let recent = std::mem::take(&mut *lock(&self.recent));
        if !recent.is_empty() {
            self.append(recent)?;
        }
        let runs = lock(&self.runs);
        let heads = runs.heads().context("cannot read the list of new files")?;
        Ok(InOrder { heads, files: runs.files, path_bytes: runs.path_bytes })
    }

    /// Forgets all files and gives up their room, so that they are not flushed to the disk with the store.
    pub(super) fn clear(&mut self) {
        (*lock(&self.recent), *lock(&self.runs)) = Default::default();
    }
}

impl Runs {
    fn append(&mut self, folder: &Path, run: &[u8]) -> io::Result<()> {
        let mut file = match &self.file {
            Some(file) => &**file,
            None => self.file.insert(Arc::new(tempfile::tempfile_in(folder)?)),
        };
        let start = self.ends.last().copied().unwrap_or(0);
        // What could not be written as a whole is written over.
        file.seek(SeekFrom::Start(start))?;
        file.write_all(run)?;
        self.ends.push(start + run.len() as u64);
        Ok(())
    }

    /// All runs, the one with the first path on top.
    fn heads(&self) -> anyhow::Result<BinaryHeap<Head>> {
        let Some(file) = &self.file else { return Ok(BinaryHeap::new()) };
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let heads = starts.zip(&self.ends).map(|(at, &end)| {
            let section = Section { file: Arc::clone(file), at, end };
            let mut rest = FrameReader::new(BufReader::with_capacity(BUFFER, section));
            Ok(rest.next()?.map(|placed| Head { placed, rest }))
        });
        heads.filter_map(Result::transpose).collect()
    }
}

/// Files of all runs, by path.
pub(super) struct InOrder {
    heads: BinaryHeap<Head>,
    /// How many files there are.
    pub(super) files: usize,
    /// How many bytes their paths have.
    pub(super) path_bytes: usize,
}

impl Iterator for InOrder {
    type Item = anyhow::Result<Placed>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.take_first()?;
        Some(first.context("cannot read the list of new files").and_then(|first| {
            let is_twice = self.heads.peek().is_some_and(|next| next.placed.entry.path == first.entry.path);
            if is_twice { Err(wanted_twice(&first.entry.path)) } else { Ok(first) }
        }))
    }
}

impl InOrder {
    /// Takes the first of all files, in whose place comes the next of its run.
    fn take_first(&mut self) -> Option<anyhow::Result<Placed>> {
        let mut head = self.heads.peek_mut()?;
        Some(match head.rest.next() {
            Ok(Some(next)) => Ok(std::mem::replace(&mut head.placed, next)),
            Ok(None) => Ok(PeekMut::pop(head).placed),
            Err(error) => Err(error),
        })
    }
}

/// Two files of one path, which cannot both be in the store.
pub(super) fn wanted_twice(path: &str) -> anyhow::Error {
    anyhow::anyhow!("two files of the store want the path `{path}`")
}

/// A run of which the first file has been read.
struct Head {
    placed: Placed,
    rest: FrameReader<BufReader<Section>>,
}

impl Ord for Head {
    /// A heap gives its greatest first, and the first of the paths is wanted.
    fn cmp(&self, other: &Self) -> Ordering {
        other.placed.entry.path.cmp(&self.placed.entry.path)
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

/// A part of a file that others read from as well.
struct Section {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        read_exact_at(&self.file, &mut buffer[..length], self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Fingerprint;

    fn placed(number: usize) -> Placed {
        let path = format!("products/{}/index.html", number * 7919 % 100_003);
        let fingerprint = Fingerprint::of(path.as_bytes());
        let entry = Entry {
            content: fingerprint.hash,
            size: fingerprint.size,
            modified: number as u64,
            made_from: number.is_multiple_of(3).then_some([number as u8; 16]),
            needs: vec![number as u32; number % 4].into(),
            pieces: vec![([1; 16], number as u32); if number.is_multiple_of(5000) { RUN } else { 0 }].into(),
            path: path.into(),
        };
        Placed { entry, is_new: number.is_multiple_of(2) }
    }

    #[test]
    fn what_many_threads_add_comes_back_in_order() {
        const FILES: usize = 20_000;
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::in_folder(folder.path());
        assert_eq!(spill.in_order().unwrap().count(), 0);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let spill = &spill;
                scope.spawn(move || (thread..FILES).step_by(4).for_each(|number| spill.add(placed(number)).unwrap()));
            }
        });
        let mut expected: Vec<Placed> = (0..FILES).map(placed).collect();
        expected.sort_by(|one, other| one.entry.path.cmp(&other.entry.path));
        // It can be read again, and added to.
        for _ in 0..2 {
            let files = spill.in_order().unwrap();
            assert_eq!(files.files, FILES);
            assert_eq!(files.path_bytes, expected.iter().map(|placed| placed.entry.path.len()).sum::<usize>());
            assert!(files.map(Result::unwrap).eq(expected.iter().cloned()));
        }
        spill.add(placed(FILES)).unwrap();
        assert_eq!(spill.in_order().unwrap().map(Result::unwrap).count(), FILES + 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the list has a name");
    }

    #[test]
    fn two_files_of_one_path_are_refused_wherever_they_stand() {
        for between in [0, 10, RUN * 2] {
            let folder = tempfile::tempdir().unwrap();
            let spill = Spill::in_folder(folder.path());
            (0..=between).for_each(|number| spill.add(placed(number)).unwrap());
            spill.add(placed(0)).unwrap();
            let errors: Vec<_> = spill.in_order().unwrap().filter_map(Result::err).collect();
            let [error] = &errors[..] else { panic!("{errors:?}") };
            assert_eq!(error.to_string(), "two files of the store want the path `products/0/index.html`");
        }
    }

    #[test]
    fn what_is_lost_of_the_list_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::in_folder(folder.path());
        (0..100).for_each(|number| spill.add(placed(number)).unwrap());
        assert_eq!(spill.in_order().unwrap().filter(Result::is_ok).count(), 100);
        lock(&spill.runs).file.as_ref().unwrap().set_len(1000).unwrap();
        assert!(spill.in_order().is_err());

        let nowhere = Spill::in_folder(&folder.path().join("gone"));
        nowhere.add(placed(1)).unwrap();
        let error = format!("{:#}", nowhere.in_order().err().unwrap());
        assert!(error.contains("cannot write the list of new files"), "{error}");
    }
}
