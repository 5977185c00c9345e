//! What is known of the published files beyond the manifest: when each was written, and what it was made from.
//!
//! Kept in the state folder, beside no store. In: the entries of a publication. Out: for the next one, which files still
//! stand as they were written and need not be made again. Nothing is taken on trust: an entry counts only where the
//! manifest that is in place names the same bytes, and the file on the disk has the size and the time that it had, or
//! else still has those bytes.

use super::durable::{read_sealed, write_sealed_by};
use super::{Fingerprint, Manifest};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// Hash of everything that can change the bytes of a file.
pub type Digest = [u8; 16];

/// Raised whenever the entries change their form.
const KIND: &str = "ledger 3";

/// Every file of a publication, by path.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub(super) whole: Option<Whole>,
    pub(super) entries: Vec<Entry>,
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
pub(super) struct Entry {
    pub(super) path: Arc<str>,
    pub(super) content: [u8; 32],
    pub(super) size: u64,
    /// When it was written, in nanoseconds since 1970; 0 where nobody knows.
    pub(super) modified: u64,
    /// What it was made from; files without it are made again and compared.
    pub(super) made_from: Option<Digest>,
    /// Other files that it cannot do without, as places in the ledger.
    pub(super) needs: Box<[u32]>,
    /// Where the file is put together from pieces that the next run may use again: what each was made from, and its
    /// length in bytes, one behind the other from the beginning.
    pub(super) pieces: Box<[Piece]>,
}

/// What a part of a file was made from, and its length in bytes.
pub type Piece = (Digest, u32);

impl Entry {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint { hash: self.content, size: self.size }
    }
}

impl Ledger {
    /// Reads the ledger of the last publication; empty where there is none that can be relied on.
    pub(super) fn read(path: &Path) -> Self {
        let ledger: Option<Self> = read_sealed(path, KIND).and_then(|bytes| postcard::from_bytes(&bytes).ok());
        ledger.unwrap_or_default()
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        write_sealed_by(path, KIND, |to| Ok(postcard::to_io(self, to).map(drop)?))
    }

    /// The place of a path.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.entries.binary_search_by(|entry| (*entry.path).cmp(path)).ok()
    }

    /// For each entry whether its file still stands in `output` as it was published.
    pub(super) fn intact(&self, output: &Path, manifest: &Manifest) -> Vec<bool> {
        /// Entries that one thread looks at in a row: some milliseconds of work.
        const BATCH: usize = 512;
        let mut files = manifest.iter().peekable();
        let mut is_listed = |entry: &Entry| {
            while files.next_if(|(path, _)| **path < *entry.path).is_some() {}
            files.peek().is_some_and(|(path, is)| **path == *entry.path && **is == entry.fingerprint())
        };
        let listed: Vec<bool> = self.entries.iter().map(&mut is_listed).collect();
        let Ok(folder) = Folder::open(output) else { return vec![false; listed.len()] };
        self.entries
            .par_iter()
            .zip(listed)
            .with_min_len(BATCH)
            .map(|(entry, is_listed)| is_listed && folder.holds(entry))
            .collect()
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
    fn holds(&self, entry: &Entry) -> bool {
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
