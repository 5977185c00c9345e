//! The new store while it is being made: a tree that nobody sees yet.
//!
//! In: bytes by path, from many threads. Out: the files that differ from those of the last run, on the output's file
//! system, and a list of all. A file that the last run wrote with the same bytes is not written again; one that would be
//! made from the same things again need not even be made: [`Staging::keep`].

use super::durable::Stamp;
use super::journal::Container;
use super::ledger::{Digest, Entry, Ledger, Piece, Whole, modified};
use super::output::Output;
use super::{Fingerprint, Manifest, check_path};
use anyhow::Context as _;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A new tree, not yet published. Dropping it removes it.
pub struct Staging {
    pub(super) output: Output,
    pub(super) container: Container,
    tree: PathBuf,
    /// Held while a folder is made: threads that make folders side by side would only spin in the kernel.
    folders: Mutex<()>,
    files: Mutex<Written>,
    last: Ledger,
    /// Places in the last ledger, by hashes of paths: a search through it looks at far more of them. A process that has
    /// written the ledger itself knows most of the places.
    places: Option<HashMap<u64, u32>>,
    by: RandomState,
    /// By place in the last ledger: whether the file still stands.
    intact: Vec<bool>,
    /// By place in the last ledger: what this run has found out about the file.
    fate: Vec<AtomicU8>,
    ledger_path: Option<PathBuf>,
}

/// The files of the new store that were not kept.
#[derive(Default)]
struct Written {
    files: Vec<Placed>,
    /// Numbers of the paths that files need: there are many pages to a drawing.
    needed: HashMap<Box<str>, u32>,
}

/// A file of the new store.
struct Placed {
    /// Shared with the plan, the manifest and the ledger: a store of a million products has 1.4 million of them.
    path: Arc<str>,
    fingerprint: Fingerprint,
    modified: u64,
    made_from: Option<Digest>,
    /// As numbers in [`Written::needed`].
    needs: Box<[u32]>,
    pieces: Box<[Piece]>,
    /// Whether it stands in the new tree; it stands in the output already otherwise.
    is_new: bool,
}

/// A file of the last run that is part of the new store as it stands.
const KEPT: u8 = 1;
/// A file of the last run that a kept one cannot do without.
const NEEDED: u8 = 2;

/// A file of the new store: a new one, or one of the last run with its fate.
enum Merged {
    Placed(Placed),
    Kept(Entry, u8),
}

impl Merged {
    fn path(&self) -> &str {
        match self {
            Self::Placed(file) => &file.path,
            Self::Kept(entry, _) => &entry.path,
        }
    }
}

/// Everything that belongs to the new store.
pub(super) struct Files {
    pub(super) manifest: Manifest,
    pub(super) ledger: Ledger,
    /// By place in the ledger: whether the file is in the new tree; it stands in the output as it should otherwise.
    is_new: Vec<bool>,
}

impl Placed {
    /// The file with the places of its companions. A page may not be kept where they are not all there.
    fn into_entry(self, needs: Option<Box<[u32]>>) -> Entry {
        Entry {
            path: self.path,
            content: self.fingerprint.hash,
            size: self.fingerprint.size,
            modified: self.modified,
            made_from: self.made_from.filter(|_| needs.is_some()),
            needs: needs.unwrap_or_default(),
            pieces: self.pieces,
        }
    }
}

impl Files {
    fn of(ledger: Ledger, is_new: Vec<bool>) -> Self {
        let manifest = ledger.entries.iter().map(|entry| (Arc::clone(&entry.path), entry.fingerprint()));
        Self { manifest: Manifest::new(manifest.collect()), ledger, is_new }
    }

    /// Paths of the files in the new tree.
    pub(super) fn written(&self) -> impl Iterator<Item = &str> {
        self.paths(true)
    }

    /// Paths of the files that stand in the output as they should.
    pub(super) fn kept(&self) -> impl Iterator<Item = &str> {
        self.paths(false)
    }

    fn paths(&self, are_new: bool) -> impl Iterator<Item = &str> {
        let entries = self.ledger.entries.iter().zip(&self.is_new);
        entries.filter(move |(_, is_new)| **is_new == are_new).map(|(entry, _)| &*entry.path)
    }
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
        let is_all = ledger.entries.len() == self.manifest.len();
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
        let (last, is_own) = last.unwrap_or_default();
        let is_own = is_own && is_as_left;
        let intact = if is_own {
            // This process has looked at every file before, and has written the rest.
            vec![true; last.entries.len()]
        } else {
            last.intact(&self.path, &self.manifest)
        };
        let by = RandomState::new();
        let places = || (0..).zip(&last.entries).map(|(place, entry)| (by.hash_one(&*entry.path), place)).collect();
        let places = (!is_own).then(places);
        Ok(Staging {
            places,
            by,
            intact,
            fate: std::iter::repeat_with(AtomicU8::default).take(last.entries.len()).collect(),
            last,
            output: self,
            tree: container.tree(),
            container,
            folders: Mutex::default(),
            files: Mutex::default(),
            ledger_path: memory.map(|memory| memory.path.to_path_buf()),
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
        let place = self.find(path)?;
        if self.last.entries[place].made_from == Some(made_from) { self.take(place) } else { None }
    }

    /// Keeps a file that this process has written itself the last time, and knows to be made from the same things now;
    /// `place` is where [`Known::places`](super::Known::places) had it then. Says whether it was kept.
    pub fn keep_again(&self, path: &str, place: Option<u32>) -> bool {
        // They are only listed where another process may have written the ledger or the store.
        if self.places.is_some() {
            return false;
        }
        let known = place.map(|place| place as usize);
        let known = known.filter(|&place| self.last.entries.get(place).is_some_and(|entry| *entry.path == *path));
        let place = known.or_else(|| self.find(path));
        place.is_some_and(|place| self.last.entries[place].made_from.is_some() && self.take(place).is_some())
    }

    /// Keeps a file of the last run with all that it needs, if they still stand.
    fn take(&self, place: usize) -> Option<Fingerprint> {
        let entry = &self.last.entries[place];
        let is_intact = |place: usize| self.intact.get(place).copied().unwrap_or(false);
        let needs = || entry.needs.iter().map(|&need| need as usize);
        if !is_intact(place) || !needs().all(is_intact) {
            return None;
        }
        needs().for_each(|need| _ = self.fate[need].fetch_or(NEEDED, Ordering::Relaxed));
        // Two pages of the same path are told apart when both are there.
        let is_first = self.fate[place].fetch_or(KEPT, Ordering::Relaxed) & KEPT == 0;
        is_first.then(|| entry.fingerprint())
    }

    /// The place of a path in the last ledger.
    fn find(&self, path: &str) -> Option<usize> {
        let Some(places) = &self.places else { return self.last.find(path) };
        let place = *places.get(&self.by.hash_one(path))? as usize;
        // Two paths may have the same hash.
        if *self.last.entries[place].path == *path { Some(place) } else { self.last.find(path) }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When the path is unsafe, or the disk refuses.
    pub fn write(&self, path: impl Into<Arc<str>>, bytes: &[u8]) -> anyhow::Result<()> {
        self.write_made(path, bytes, Made::default())
    }

    /// The pieces of a file of the last run that still stands.
    pub fn pieces(&self, path: &str) -> Option<Pieces> {
        let place = self.find(path).filter(|&place| self.intact[place])?;
        let pieces = &self.last.entries[place].pieces;
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
    pub fn write_made(&self, path: impl Into<Arc<str>>, bytes: &[u8], made: Made) -> anyhow::Result<()> {
        let path = path.into();
        check_path(&path)?;
        let fingerprint = Fingerprint::of(bytes);
        let standing = (self.output.manifest.get(&path) == Some(&fingerprint)).then(|| self.standing(&path, bytes));
        let (modified, is_new) = match standing.flatten() {
            Some(modified) => (modified, false),
            None => {
                let mut file = self.create(&path)?;
                file.write_all(bytes).with_context(|| format!("cannot write `{path}`"))?;
                (file.metadata().map_or(0, |metadata| modified(&metadata)), true)
            }
        };
        self.record(path, fingerprint, modified, made, is_new);
        Ok(())
    }

    /// When the file in the output was written, if it holds exactly these bytes.
    fn standing(&self, path: &str, bytes: &[u8]) -> Option<u64> {
        match self.find(path) {
            Some(place) => self.intact[place].then(|| self.last.entries[place].modified),
            None => holds(&self.output.path.join(path), bytes),
        }
    }

    /// Adds a copy of the file `source`; tells what was in it.
    ///
    /// # Errors
    /// As [`Staging::write`], and when the source cannot be read.
    pub fn copy(&self, path: &str, source: &Path) -> anyhow::Result<Fingerprint> {
        check_path(path)?;
        let standing = self.find(path).filter(|&place| self.intact[place]).map(|place| &self.last.entries[place]);
        let place =
            |fingerprint, modified, is_new| self.record(path.into(), fingerprint, modified, Made::default(), is_new);
        if let Some(entry) = standing
            && poured(source, &mut io::sink())? == entry.fingerprint()
        {
            place(entry.fingerprint(), entry.modified, false);
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
        place(fingerprint, to.metadata().map_or(0, |metadata| modified(&metadata)), true);
        Ok(fingerprint)
    }

    /// Every file of the new store so far, by path: what was written, kept, or is needed by what was kept.
    pub fn listed(&self) -> Vec<(Arc<str>, Fingerprint)> {
        let written = lock(&self.files);
        let placed = written.files.iter().map(|file| (Arc::clone(&file.path), file.fingerprint));
        let kept = self.last.entries.iter().zip(&self.fate).filter(|(_, fate)| fate.load(Ordering::Relaxed) != 0);
        let kept = kept.map(|(entry, _)| (Arc::clone(&entry.path), entry.fingerprint()));
        let mut listed: Vec<_> = placed.chain(kept).collect();
        listed.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        listed.dedup_by(|one, other| one.0 == other.0);
        listed
    }

    /// Where the ledger goes.
    pub(super) fn ledger_path(&self) -> Option<PathBuf> {
        self.ledger_path.clone()
    }

    /// Everything that was written or kept so far; takes it.
    ///
    /// # Errors
    /// When two files have the same path.
    pub(super) fn take_files(&mut self) -> anyhow::Result<Files> {
        let Written { files: mut placed, needed } = std::mem::take(&mut *lock(&self.files));
        placed.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        if let Some(pair) = placed.windows(2).find(|pair| pair[0].path == pair[1].path) {
            return Err(wanted_twice(&pair[0].path));
        }
        if let Some(places) = self.same_places(&placed) {
            return self.replace(placed, &needed, &places);
        }
        // Both lists are in order of paths, and so is what is made of them.
        let last = std::mem::take(&mut self.last.entries);
        let mut moved = vec![None; last.len()];
        let mut merged = Vec::with_capacity(last.len() + placed.len());
        let mut placed = placed.into_iter().peekable();
        for (place, (entry, fate)) in last.into_iter().zip(&self.fate).enumerate() {
            let fate = fate.load(Ordering::Relaxed);
            while let Some(file) = placed.next_if(|file| file.path < entry.path) {
                merged.push(Merged::Placed(file));
            }
            // A file that is needed by a kept page may have been made again by another one.
            let again = placed.next_if(|file| file.path == entry.path);
            match again {
                Some(file) if fate & KEPT != 0 => return Err(wanted_twice(&file.path)),
                _ if fate == 0 && again.is_none() => continue,
                _ => {}
            }
            moved[place] = u32::try_from(merged.len()).ok();
            merged.push(match again {
                Some(file) => Merged::Placed(file),
                None => Merged::Kept(entry, fate),
            });
        }
        merged.extend(placed.map(Merged::Placed));

        let needed = placed_at(&needed, |path| merged.binary_search_by(|file| file.path().cmp(path)).ok());
        let needs: Vec<Option<Box<[u32]>>> = merged
            .iter()
            .map(|file| match file {
                Merged::Placed(file) => file.needs.iter().map(|&number| needed[number as usize]).collect(),
                Merged::Kept(entry, _) => entry.needs.iter().map(|&need| moved[need as usize]).collect(),
            })
            .collect();
        let is_new = merged.iter().map(|file| matches!(file, Merged::Placed(file) if file.is_new)).collect();
        let entries = merged.into_iter().zip(needs).map(|(file, needs)| match file {
            Merged::Placed(file) => file.into_entry(needs),
            Merged::Kept(entry, fate) => {
                // What others need may be something else to this run, so it is made again when it is a page.
                let is_whole = fate & KEPT != 0 && needs.is_some();
                Entry { made_from: entry.made_from.filter(|_| is_whole), needs: needs.unwrap_or_default(), ..entry }
            }
        });
        Ok(Files::of(Ledger { whole: None, entries: entries.collect() }, is_new))
    }

    /// The places of new files in the last ledger, if the new store has the same paths.
    fn same_places(&self, placed: &[Placed]) -> Option<Vec<usize>> {
        let places: Vec<usize> = placed.iter().map(|file| self.last.find(&file.path)).collect::<Option<_>>()?;
        let fates = self.fate.iter().enumerate().filter(|(_, fate)| fate.load(Ordering::Relaxed) == 0);
        fates.map(|(place, _)| place).all(|place| places.binary_search(&place).is_ok()).then_some(places)
    }

    /// Puts new files in the places of the last ones; the others are kept.
    fn replace(
        &mut self,
        placed: Vec<Placed>,
        needed: &HashMap<Box<str>, u32>,
        places: &[usize],
    ) -> anyhow::Result<Files> {
        let mut ledger = Ledger { whole: None, entries: std::mem::take(&mut self.last.entries) };
        let mut is_new = vec![false; ledger.entries.len()];
        for (entry, fate) in ledger.entries.iter_mut().zip(&self.fate) {
            entry.made_from = entry.made_from.filter(|_| fate.load(Ordering::Relaxed) & KEPT != 0);
        }
        let needed = placed_at(needed, |path| ledger.find(path));
        for (file, &place) in placed.into_iter().zip(places) {
            if self.fate[place].load(Ordering::Relaxed) & KEPT != 0 {
                return Err(wanted_twice(&file.path));
            }
            let needs = file.needs.iter().map(|&number| needed[number as usize]).collect();
            is_new[place] = file.is_new;
            ledger.entries[place] = file.into_entry(needs);
        }
        Ok(Files::of(ledger, is_new))
    }

    fn record(&self, path: Arc<str>, fingerprint: Fingerprint, modified: u64, made: Made, is_new: bool) {
        let Made { from: made_from, needs, pieces } = made;
        let mut written = lock(&self.files);
        let Written { files, needed } = &mut *written;
        let number = |path: String| {
            let next = needed.len() as u32;
            *needed.entry(path.into()).or_insert(next)
        };
        let needs = needs.into_iter().map(number).collect();
        files.push(Placed { path, fingerprint, modified, made_from, needs, pieces: pieces.into(), is_new });
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
        match (put(), path.rsplit_once('/')) {
            (Err(error), Some((folder, _))) if error.kind() == io::ErrorKind::NotFound => {
                let alone = lock(&self.folders);
                make_folder(&self.tree.join(folder))?;
                drop(alone);
                put()
            }
            (result, _) => result,
        }
    }
}

fn wanted_twice(path: &str) -> anyhow::Error {
    anyhow::anyhow!("two files of the store want the path `{path}`")
}

/// Makes a folder and those around it; the usual case, one new folder in an old one, is one call.
fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        result => result,
    }
}

/// By number, the places of paths that files need; of some there may be none.
fn placed_at(needed: &HashMap<Box<str>, u32>, place_of: impl Fn(&str) -> Option<usize>) -> Vec<Option<u32>> {
    let mut places = vec![None; needed.len()];
    for (path, &number) in needed {
        places[number as usize] = place_of(path).and_then(|place| u32::try_from(place).ok());
    }
    places
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
