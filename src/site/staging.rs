//! The new store while it is being made: a tree that nobody sees yet.
//!
//! In: bytes by path, from many threads. Out: files on the output's file system, and their fingerprints. A file that the
//! last run wrote with the same bytes is not written again: it gets a second name, and so keeps its time.

use super::journal::Container;
use super::output::Output;
use super::{Fingerprint, Manifest, check_path};
use anyhow::Context as _;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A new tree, not yet published. Dropping it removes it.
pub struct Staging {
    pub(super) output: Output,
    pub(super) container: Container,
    tree: PathBuf,
    /// Folders that exist in the tree.
    folders: Mutex<HashSet<Box<str>>>,
    files: Mutex<Vec<(Box<str>, Fingerprint)>>,
}

impl Output {
    /// Begins a new tree for this output. `job_id` names it; `journal_dir` gets a pointer to it, which
    /// [`super::recover`] finds.
    ///
    /// # Errors
    /// When another run is writing to the same folder, or the disk refuses.
    pub fn stage(mut self, journal_dir: &Path, job_id: &str) -> anyhow::Result<Staging> {
        let container = Container::create(&self, journal_dir, job_id)?;
        // A run that was killed may have been settled just now, and the manifest with it.
        self.manifest = self.read_manifest()?;
        Ok(Staging {
            output: self,
            tree: container.tree(),
            container,
            folders: Mutex::default(),
            files: Mutex::default(),
        })
    }
}

impl Staging {
    /// Adds a file to the tree.
    ///
    /// # Errors
    /// When the path is unsafe or already taken, or the disk refuses.
    pub fn write(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let target = self.place(path)?;
        let fingerprint = Fingerprint::of(bytes);
        let unchanged = self.output.manifest.get(path) == Some(&fingerprint);
        if !(unchanged && reuse(&self.output.path.join(path), &target, bytes)) {
            create(path, &target)?.write_all(bytes).with_context(|| format!("cannot write `{path}`"))?;
        }
        self.record(path, fingerprint);
        Ok(())
    }

    /// Adds a copy of the file `source` to the tree.
    ///
    /// # Errors
    /// As [`Staging::write`], and when the source cannot be read.
    pub fn copy(&self, path: &str, source: &Path) -> anyhow::Result<()> {
        let target = self.place(path)?;
        let mut from = File::open(source).with_context(|| format!("cannot read `{}`", source.display()))?;
        let mut to = create(path, &target)?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 128 * 1024];
        let mut size = 0;
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", source.display())),
            };
            let part = &buffer[..read];
            hasher.update(part);
            to.write_all(part).with_context(|| format!("cannot write `{path}`"))?;
            size += read as u64;
        }
        let fingerprint = Fingerprint { hash: *hasher.finalize().as_bytes(), size };
        if self.output.manifest.get(path) == Some(&fingerprint) {
            // A time that cannot be kept is no reason to fail.
            let _ = fs::symlink_metadata(self.output.path.join(path))
                .and_then(|metadata| metadata.modified())
                .and_then(|time| to.set_modified(time));
        }
        self.record(path, fingerprint);
        Ok(())
    }

    /// Number of files so far.
    pub fn len(&self) -> usize {
        lock(&self.files).len()
    }

    /// Whether there are no files yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything that was written so far, as a manifest.
    pub(super) fn take_manifest(&self) -> Manifest {
        Manifest::new(std::mem::take(&mut lock(&self.files)))
    }

    fn record(&self, path: &str, fingerprint: Fingerprint) {
        lock(&self.files).push((path.into(), fingerprint));
    }

    /// Where a file goes, after its folder has been made.
    fn place(&self, path: &str) -> anyhow::Result<PathBuf> {
        check_path(path)?;
        if let Some((folder, _)) = path.rsplit_once('/') {
            // Held while the folder is made: threads that make folders side by side would only spin in the kernel.
            let mut folders = lock(&self.folders);
            if !folders.contains(folder) {
                let made = make_folder(&self.tree.join(folder));
                made.with_context(|| format!("cannot make the folder `{folder}`"))?;
                folders.insert(folder.into());
            }
        }
        Ok(self.tree.join(path))
    }
}

/// Makes a folder and those around it; the usual case, one new folder in an old one, is one call.
fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        result => result,
    }
}

/// Opens a new file; the file system itself sees to it that no path is written twice, in capitals or not.
fn create(path: &str, target: &Path) -> anyhow::Result<File> {
    File::create_new(target).with_context(|| match target.symlink_metadata() {
        Ok(_) => format!("two files of the store want the path `{path}`"),
        Err(_) => format!("cannot write `{path}`"),
    })
}

/// Gives an old file a second name in the new tree if it still holds exactly these bytes.
fn reuse(old: &Path, target: &Path, bytes: &[u8]) -> bool {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let same = BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        // One byte more than wanted shows a file that has grown.
        let limit = bytes.len() as u64 + 1;
        buffer.reserve(bytes.len() + 2);
        File::open(old).and_then(|file| file.take(limit).read_to_end(buffer)).is_ok() && buffer == bytes
    });
    same && fs::hard_link(old, target).is_ok()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
