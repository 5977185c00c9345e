//! The new store while it is being made: a tree that nobody sees yet.
//!
//! In: bytes by path, from many threads. Out: the files that differ from those of the last run, on the output's file
//! system, and a list of all. A file that the last run wrote with the same bytes is not written again; one that would be
//! made from the same things again need not even be made: [`Staging::keep`].

use super::durable::Stamp;
use super::files::Files;
use super::journal::Container;
use super::last::Last;
use super::ledger::{Digest, Entry, Ledger, Piece, Whole, modified};
use super::output::Output;
use super::spill::{Placed, Spill, wanted_twice};
use super::{Fingerprint, check_path};
use anyhow::Context as _;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A new tree, not yet published. Dropping it removes it.
pub struct Staging {
    /// The files of the new store that were not kept; in the container, and therefore closed before that is removed.
    placed: Spill,
    pub(super) output: Output,
    pub(super) container: Container,
    tree: PathBuf,
    /// Held while a folder is made: threads that make folders side by side would only spin in the kernel.
    folders: Mutex<()>,
    /// Numbers of the paths that they need: there are many pages to a drawing.
    needed: Mutex<HashMap<Box<str>, u32>>,
    last: Last,
    ledger_path: Option<PathBuf>,
}

/// How a file came about, for the next run.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Hash of everything that it was made from; without it the file is made again and compared.
    pub from: Option<Digest>,
    /// Paths of other files without which it is nothing.
    pub needs: Vec<String>,
    /// Parts of it that can be used again, in order and without gaps from its beginning.
    pub pieces: Vec<Piece>,
}

/// A file of the last run, by the pieces that it was put together from.
#[derive(Debug)]
pub struct Pieces {
    text: String,
    places: HashMap<Digest, Range<usize>>,
}

impl Pieces {
    /// The piece that was made from something.
    pub fn get(&self, made_from: &Digest) -> Option<&str> {
        self.text.get(self.places.get(made_from)?.clone())
    }
}

/// What is remembered of the last publication.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    /// The file it is in, and will be; its folder exists.
    pub path: &'a Path,
    /// Whether to make everything anew nevertheless.
    pub make_anew: bool,
}

impl Output {
    /// What was published last, if it was made from the same things and every file of it still stands.
    pub fn stands(&self, memory: &Path, made_from: Digest) -> Option<Whole> {
        let read;
        let own = self.ledger.as_ref().filter(|(stamp, _)| Stamp::of(memory) == Some(*stamp));
        let ledger = match own {
            Some((_, ledger)) => ledger,
            None => {
                read = Ledger::read(memory);
                &read
            }
        };
        let whole = ledger.whole.filter(|whole| whole.made_from == made_from)?;
        let is_all = ledger.len() == self.manifest.len();
        (is_all && ledger.intact(&self.path, &self.manifest).into_iter().all(|intact| intact)).then_some(whole)
    }

    /// Begins a new tree for this output. `job_id` names it; `journal_dir` gets a pointer to it, which
    /// [`super::recover`] finds.
    ///
    /// # Errors
    /// When another run is writing to the same folder, or the disk refuses.
    pub fn stage(mut self, journal_dir: &Path, job_id: &str, memory: Option<Memory<'_>>) -> anyhow::Result<Staging> {
        let container = Container::create(&self, journal_dir, job_id)?;
        // A run that was killed may have been settled just now, and the manifest with it.
        let newer = self.newer_manifest()?;
        let is_as_left = newer.is_none();
        self.manifest = newer.unwrap_or_else(|| std::mem::take(&mut self.manifest));
        let last = memory.filter(|memory| !memory.make_anew).map(|memory| self.take_ledger(memory.path));
        let (ledger, is_own) = last.unwrap_or_default();
        let last = if is_own && is_as_left {
            Last::own(ledger)
        } else {
            let intact = ledger.intact(&self.path, &self.manifest);
            Last::of_others(ledger, intact)
        };
        if self.manifest == *last.ledger.manifest() {
            // One list of them will do.
            self.manifest = last.ledger.manifest().clone();
        }
        Ok(Staging {
            tree: container.tree(),
            placed: Spill::in_folder(container.path()),
            needed: Mutex::default(),
            folders: Mutex::default(),
            ledger_path: memory.map(|memory| memory.path.to_path_buf()),
            output: self,
            container,
            last,
        })
    }
}

impl Staging {
    /// Keeps a file of the last run that was made from the same things, unless it or a file that it needs was changed
    /// or removed since. Says whether it was kept; it has to be written otherwise.
    pub fn keep(&self, path: &str, made_from: Digest) -> bool {
        self.recall(path, made_from).is_some()
    }

    /// The same, and tells what is in a file that was kept.
    pub fn recall(&self, path: &str, made_from: Digest) -> Option<Fingerprint> {
        let place = self.last.find(path)?;
        if self.last.ledger.made_from(place) == Some(made_from) { self.last.keep(place) } else { None }
    }

    /// Keeps a file that this process has written itself the last time, and knows to be made from the same things now;
    /// `place` is where [`Known::places`](super::Known::places) had it then. Says whether it was kept.
    pub fn keep_again(&self, path: &str, place: Option<u32>) -> bool {
        // They are only listed where another process may have written the ledger or the store.
        if !self.last.is_own() {
            return false;
        }
        let ledger = &self.last.ledger;
        let known = place.map(|place| place as usize);
        let known = known.filter(|&place| place < ledger.len() && ledger.manifest().path(place) == path);
        let place = known.or_else(|| self.last.find(path));
        place.is_some_and(|place| ledger.made_from(place).is_some() && self.last.keep(place).is_some())
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When the path is unsafe, or the disk refuses.
    pub fn write(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.write_made(path, bytes, Made::default())
    }

    /// The pieces of a file of the last run that still stands.
    pub fn pieces(&self, path: &str) -> Option<Pieces> {
        let place = self.standing_place(path)?;
        let pieces = self.last.ledger.pieces(place);
        if pieces.is_empty() {
            return None;
        }
        let text = fs::read_to_string(self.output.path.join(path)).ok()?;
        let mut end = 0;
        let places = pieces.iter().map(|&(made_from, length)| {
            let start = end;
            end += length as usize;
            (made_from, start..end)
        });
        Some(Pieces { places: places.collect(), text })
    }

    /// Adds a file with how it came about, for [`Staging::keep`] and [`Staging::pieces`] in the next run.
    ///
    /// # Errors
    /// As [`Staging::write`].
    pub fn write_made(&self, path: &str, bytes: &[u8], made: Made) -> anyhow::Result<()> {
        check_path(path)?;
        let fingerprint = Fingerprint::of(bytes);
        let standing = (self.output.manifest.get(path) == Some(&fingerprint)).then(|| self.standing(path, bytes));
        let (modified, is_new) = match standing.flatten() {
            Some(modified) => (modified, false),
            None => {
                let mut file = self.create(path)?;
                file.write_all(bytes).with_context(|| format!("cannot write `{path}`"))?;
                (file.metadata().map_or(0, |metadata| modified(&metadata)), true)
            }
        };
        self.record(path, fingerprint, modified, made, is_new)
    }

    /// When the file in the output was written, if it holds exactly these bytes.
    fn standing(&self, path: &str, bytes: &[u8]) -> Option<u64> {
        match self.last.find(path) {
            Some(place) => self.last.is_intact(place).then(|| self.last.ledger.at(place).modified),
            None => holds(&self.output.path.join(path), bytes),
        }
    }

    /// The place in the last ledger of a file that still stands.
    fn standing_place(&self, path: &str) -> Option<usize> {
        self.last.find(path).filter(|&place| self.last.is_intact(place))
    }

    /// Adds a copy of the file `source`; tells what was in it.
    ///
    /// # Errors
    /// As [`Staging::write`], and when the source cannot be read.
    pub fn copy(&self, path: &str, source: &Path) -> anyhow::Result<Fingerprint> {
        check_path(path)?;
        let standing = self.standing_place(path).map(|place| self.last.ledger.at(place));
        let place = |fingerprint, modified, is_new| self.record(path, fingerprint, modified, Made::default(), is_new);
        if let Some(entry) = standing
            && poured(source, &mut io::sink())? == entry.fingerprint()
        {
            place(entry.fingerprint(), entry.modified, false)?;
            return Ok(entry.fingerprint());
        }
        let mut to = self.create(path)?;
        let fingerprint = poured(source, &mut to).with_context(|| format!("cannot write `{path}`"))?;
        if self.output.manifest.get(path) == Some(&fingerprint) {
            // A time that cannot be kept is no reason to fail.
            let _ = fs::symlink_metadata(self.output.path.join(path))
                .and_then(|metadata| metadata.modified())
                .and_then(|time| to.set_modified(time));
        }
        place(fingerprint, to.metadata().map_or(0, |metadata| modified(&metadata)), true)?;
        Ok(fingerprint)
    }

    /// Some files of the new store so far, by path: what was written, kept, or is needed by what was kept.
    ///
    /// # Errors
    /// When two files have the same path, or the disk refuses.
    pub fn listed(&self, is_wanted: impl Fn(&str) -> bool) -> anyhow::Result<Vec<(String, Fingerprint)>> {
        let mut listed = Vec::new();
        for placed in self.placed.in_order()? {
            let Placed { entry, .. } = placed?;
            if is_wanted(&entry.path) {
                let fingerprint = entry.fingerprint();
                listed.push((entry.path.into_owned(), fingerprint));
            }
        }
        let kept = self.last.ledger.manifest().iter().enumerate().filter(|(place, _)| self.last.stays(*place));
        let kept = kept.filter(|(_, (path, _))| is_wanted(path));
        listed.extend(kept.map(|(_, (path, fingerprint))| (path.to_string(), *fingerprint)));
        listed.sort_by(|one, other| one.0.cmp(&other.0));
        listed.dedup_by(|one, other| one.0 == other.0);
        Ok(listed)
    }

    /// Where the ledger goes.
    pub(super) fn ledger_path(&self) -> Option<PathBuf> {
        self.ledger_path.clone()
    }

    /// Everything that was written or kept so far; takes it.
    ///
    /// # Errors
    /// When two files have the same path, or the disk refuses.
    pub(super) fn take_files(&mut self) -> anyhow::Result<Files> {
        let (last, needed) = (std::mem::take(&mut self.last), std::mem::take(&mut *lock(&self.needed)));
        let files = Files::of(last, &self.placed, &needed)?;
        self.placed.clear();
        Ok(files)
    }

    fn record(
        &self,
        path: &str,
        fingerprint: Fingerprint,
        modified: u64,
        made: Made,
        is_new: bool,
    ) -> anyhow::Result<()> {
        let Made { from: made_from, needs, pieces } = made;
        let number = |path: String| {
            let mut needed = lock(&self.needed);
            let next = needed.len() as u32;
            *needed.entry(path.into()).or_insert(next)
        };
        let needs: Vec<u32> = needs.into_iter().map(number).collect();
        let (content, size) = (fingerprint.hash, fingerprint.size);
        let path = path.to_string().into();
        let entry = Entry { path, content, size, modified, made_from, needs: needs.into(), pieces: pieces.into() };
        self.placed.add(Placed { entry, is_new })
    }

    /// Gives files that stand in the output a second name in the new tree.
    ///
    /// # Errors
    /// When one is gone, or the disk refuses.
    pub(super) fn take_along<'f>(&self, kept: impl Iterator<Item = &'f str>) -> anyhow::Result<()> {
        for path in kept {
            let from = self.output.path.join(path);
            let to = self.tree.join(path);
            if self.in_folder(path, || fs::hard_link(&from, &to)).is_err() {
                let copy = || -> io::Result<()> {
                    fs::copy(&from, &to)?;
                    File::options().write(true).open(&to)?.set_modified(fs::metadata(&from)?.modified()?)
                };
                self.in_folder(path, copy).with_context(|| format!("cannot keep `{path}` of the last run"))?;
            }
        }
        Ok(())
    }

    /// Opens a new file; the file system itself sees to it that no path is written twice, in capitals or not.
    fn create(&self, path: &str) -> anyhow::Result<File> {
        let target = self.tree.join(path);
        self.in_folder(path, || File::create_new(&target)).with_context(|| match target.symlink_metadata() {
            Ok(_) => wanted_twice(path).to_string(),
            Err(_) => format!("cannot write `{path}`"),
        })
    }

    /// Puts something at a path, after its folder has been made if it is not there. Asking beforehand would take a list of
    /// folders, one for each product.
    fn in_folder<T>(&self, path: &str, put: impl Fn() -> io::Result<T>) -> io::Result<T> {
        let make_folder_of = |folder: &str| {
            let _alone = lock(&self.folders);
            make_folder(&self.tree.join(folder))
        };
        match path.rsplit_once('/') {
            // Most pages have a folder to themselves, which is new.
            Some((folder, "index.html")) => {
                make_folder_of(folder)?;
                put()
            }
            Some((folder, _)) => match put() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    make_folder_of(folder)?;
                    put()
                }
                result => result,
            },
            None => put(),
        }
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

/// Pours a file into `to`; gives the fingerprint of what was in it.
fn poured(source: &Path, to: &mut dyn io::Write) -> anyhow::Result<Fingerprint> {
    let reading = || format!("cannot read `{}`", source.display());
    let mut from = File::open(source).with_context(reading)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    loop {
        let part = match from.read(&mut buffer) {
            Ok(0) => return Ok(Fingerprint { hash: *hasher.finalize().as_bytes(), size }),
            Ok(read) => &buffer[..read],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).with_context(reading),
        };
        hasher.update(part);
        to.write_all(part)?;
        size += part.len() as u64;
    }
}

/// When a file was written, if it holds exactly these bytes.
fn holds(path: &Path, bytes: &[u8]) -> Option<u64> {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        // One byte more than wanted shows a file that has grown.
        let limit = bytes.len() as u64 + 1;
        buffer.reserve(bytes.len() + 2);
        // A link in the place of the file is not the file.
        let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        File::open(path).ok()?.take(limit).read_to_end(buffer).ok()?;
        (buffer == bytes).then(|| modified(&metadata))
    })
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
