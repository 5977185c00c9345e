//! The cache of assets: what has been made of the same bytes with the same settings is never made twice.
//!
//! In: a [`Key`] of everything that decides a result, and the result. Out: the result again, in this run, in a later one,
//! or in another process. What comes out is what went in, checked by its hash; an entry that is damaged is removed and
//! counts as never made. Nothing that a build needs may be only here: an entry can vanish at any moment.
//!
//! ```no_run
//! # use std::{path::Path, time::{Duration, SystemTime}};
//! # use storegen::assets::cache::{Cache, Key, Shelf};
//! # #[derive(serde::Serialize, serde::Deserialize)] struct Variants { widths: Vec<u32> }
//! # fn encode(_: &[u8]) -> anyhow::Result<(Variants, Vec<Vec<u8>>)> { Ok((Variants { widths: vec![320] }, vec![Vec::new()])) }
//! # fn main() -> anyhow::Result<()> {
//! # let (source, settings, now) = (&b""[..], &b""[..], SystemTime::now());
//! let cache = Cache::at(Path::new(".storegen/cache"), now);
//! let key = Key::new(Shelf::Images, "variants 1", &[source, settings]);
//! let entry = match cache.get::<Variants>(&key) {
//!     Some(entry) => entry,
//!     None => {
//!         let (variants, files) = encode(source)?;
//!         cache.put(&key, variants, &files)?
//!     }
//! };
//! let first = entry.blob(0); // `None` when it has been removed or damaged since: make it again.
//! # Ok(()) }
//! ```

mod entry;
mod upkeep;

pub use entry::Entry;
pub use upkeep::{Limits, Removed, ShelfStats, Stats};

use crate::event::{Event, Observer};
use crate::site::durable::{UNFINISHED, make_private_folder, private};
use anyhow::Context as _;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How exactly uses are remembered: a newer one than this is not written down again.
const USE_PRECISION: Duration = Duration::from_secs(3600);

/// Kinds of things in a cache; each has a folder and counters of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shelf {
    /// Variants of pictures.
    Images,
    /// Pictures fetched from servers.
    Downloads,
    /// Social cards.
    Cards,
    /// Small facts, such as the hash of a file that has not changed since.
    Facts,
}

impl Shelf {
    /// Every shelf.
    pub const ALL: [Self; 4] = [Self::Images, Self::Downloads, Self::Cards, Self::Facts];

    /// Name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Downloads => "downloads",
            Self::Cards => "cards",
            Self::Facts => "facts",
        }
    }
}

/// Name of a result: a hash of everything that decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    shelf: Shelf,
    hash: blake3::Hash,
}

impl Key {
    /// `maker` names the code that makes the result, with a version that changes when its results do; `parts` is all that
    /// goes in. Parts are told apart by their lengths, so `["ab", "c"]` is not `["a", "bc"]`.
    pub fn new(shelf: Shelf, maker: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("storegen 2026 asset cache key");
        for part in [maker.as_bytes()].iter().chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self { shelf, hash: hasher.finalize() }
    }

    /// The hash, shortened to what tells files of a store apart.
    pub fn digest(&self) -> crate::site::Digest {
        let mut digest = crate::site::Digest::default();
        let length = digest.len();
        digest.copy_from_slice(&self.hash.as_bytes()[..length]);
        digest
    }

    /// The hash's first digits, for names of files that change with what goes in.
    pub fn short_name(&self) -> String {
        self.hash.to_hex()[..16].to_string()
    }

    fn path(&self, root: &Path) -> PathBuf {
        let digits = self.hash.to_hex();
        root.join(self.shelf.name()).join(&digits[..2]).join(&digits[2..])
    }
}

/// How often a shelf had what was looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uses {
    /// It was there.
    pub hits: u64,
    /// It was not, and had to be made.
    pub misses: u64,
}

impl Uses {
    /// Hits among all uses, 0..=1; `None` before the first.
    pub fn hit_rate(self) -> Option<f64> {
        let all = self.hits + self.misses;
        (all > 0).then(|| self.hits as f64 / all as f64)
    }
}

#[derive(Default)]
struct Counter {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// A folder of results, shared by any number of threads and processes.
pub struct Cache {
    root: PathBuf,
    now: SystemTime,
    counters: [Counter; Shelf::ALL.len()],
}

impl Cache {
    /// The cache in a folder, which is made with the first entry. `now` is what uses are dated with.
    pub fn at(root: &Path, now: SystemTime) -> Self {
        Self { root: root.to_path_buf(), now, counters: Default::default() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What time it is for this cache.
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// What is kept under a key; `None` when it has to be made. `About` is what [`Cache::put`] was given: a shape that
    /// differs counts as damage, so change the maker's version along with it.
    pub fn get<About: DeserializeOwned>(&self, key: &Key) -> Option<Entry<About>> {
        let entry = self.look(key);
        self.count(key.shelf, entry.is_some());
        entry
    }

    /// Counts a use; [`Cache::get`] does it by itself, after [`Cache::look`] it is the caller who knows.
    pub fn count(&self, shelf: Shelf, was_there: bool) {
        let counter = &self.counters[shelf as usize];
        let counted = if was_there { &counter.hits } else { &counter.misses };
        counted.fetch_add(1, Ordering::Relaxed);
    }

    /// Like [`Cache::get`], for what may be out of date: counts nothing.
    pub fn look<About: DeserializeOwned>(&self, key: &Key) -> Option<Entry<About>> {
        let path = key.path(&self.root);
        let mut file = File::open(&path).ok()?;
        let entry = Entry::read(&mut file, &path, key.hash.as_bytes());
        if entry.is_none() {
            let _ = std::fs::remove_file(&path);
        } else if self.is_use_worth_noting(&file) {
            // Tells `prune` that somebody wants it; where that fails, it is only thought older than it is.
            let _ = file.set_modified(self.now);
        }
        entry
    }

    fn is_use_worth_noting(&self, file: &File) -> bool {
        let last = file.metadata().and_then(|metadata| metadata.modified());
        last.is_ok_and(|last| self.now.duration_since(last).is_ok_and(|since| since >= USE_PRECISION))
    }

    /// Keeps a result: what there is to know about it, and any number of files. It is there whole or not at all, whatever
    /// happens meanwhile.
    ///
    /// # Errors
    /// When the folder is full or cannot be written to.
    pub fn put<About: Serialize, Blob: AsRef<[u8]>>(
        &self,
        key: &Key,
        about: About,
        blobs: &[Blob],
    ) -> anyhow::Result<Entry<About>> {
        let path = key.path(&self.root);
        let (entry, header) = Entry::new(about, blobs, &path, key.hash.as_bytes())?;
        let write = || -> anyhow::Result<()> {
            self.make()?;
            let folder = path.parent().unwrap_or(&self.root);
            make_private_folder(folder)?;
            let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
            file.write_all(&header)?;
            blobs.iter().try_for_each(|blob| file.write_all(blob.as_ref()))?;
            file.as_file().set_modified(self.now)?;
            // Not flushed: what a power cut leaves half written is known by its hash.
            file.persist(&path)?;
            Ok(())
        };
        write().with_context(|| {
            format!("cannot keep a file in the cache `{}`; free some space, or set `cache.folder`", self.root.display())
        })?;
        Ok(entry)
    }

    /// Makes the folder when it is missing.
    fn make(&self) -> anyhow::Result<()> {
        if self.root.is_dir() {
            return Ok(());
        }
        make_private_folder(&self.root)?;
        // Tells backup programs that nothing here is worth keeping; if it cannot be written, no harm is done.
        let tag =
            "Signature: 8a477f597d28d172789f06886806bc55\n# Made by storegen; `storegen cache clear` empties it.\n";
        let _ = private()
            .write(true)
            .create_new(true)
            .open(self.root.join("CACHEDIR.TAG"))
            .and_then(|mut file| file.write_all(tag.as_bytes()));
        Ok(())
    }

    /// Uses of a shelf through this value.
    pub fn uses(&self, shelf: Shelf) -> Uses {
        let counter = &self.counters[shelf as usize];
        Uses { hits: counter.hits.load(Ordering::Relaxed), misses: counter.misses.load(Ordering::Relaxed) }
    }

    /// Ends a run: tells how often each shelf was of use, adds that to the counters that last, and keeps the limits if
    /// the cache has grown. Whatever fails here is told as a note, for the work is done.
    pub fn end_run(&self, limits: Limits, observer: &dyn Observer) {
        for shelf in Shelf::ALL {
            let uses = self.uses(shelf);
            if uses != Uses::default() {
                observer.observe(Event::CacheUsed { shelf, uses });
            }
        }
        let has_grown = Shelf::ALL.iter().any(|shelf| self.uses(*shelf).misses > 0);
        let result = self.add_uses().and_then(|()| if has_grown { self.prune(limits).map(drop) } else { Ok(()) });
        if let Err(error) = result {
            observer.observe(Event::Note(format!("{error:#}")));
        }
    }
}

/// Opens the file that processes queue up at which change more than one entry.
fn lock(root: &Path) -> io::Result<File> {
    let lock = private().create(true).truncate(false).write(true).open(root.join("lock"))?;
    lock.lock()?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn key(name: &str) -> Key {
        Key::new(Shelf::Images, "test", &[name.as_bytes()])
    }

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(&folder.path().join("cache"), NOW);
        (folder, cache)
    }

    #[test]
    fn what_was_kept_is_found_again_and_counted() {
        let (_folder, cache) = cache();
        assert!(cache.get::<String>(&key("a")).is_none());
        let made = cache.put(&key("a"), "about".to_string(), &[b"one".to_vec(), Vec::new()]).unwrap();
        assert_eq!(made.blob(0).as_deref(), Some(&b"one"[..]));
        let found = cache.get::<String>(&key("a")).unwrap();
        assert_eq!(found.about, "about");
        assert_eq!((found.blob(0), found.blob(1), found.blob(2)), (Some(b"one".to_vec()), Some(Vec::new()), None));
        assert_eq!(cache.uses(Shelf::Images), Uses { hits: 1, misses: 1 });
        assert_eq!(cache.uses(Shelf::Cards), Uses::default());
        let other = Key::new(Shelf::Cards, "test", &[b"a"]);
        assert!(cache.get::<String>(&other).is_none(), "shelves are apart");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_look() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, cache) = cache();
        cache.put(&key("a"), (), &[b"one"]).unwrap();
        let path = key("a").path(cache.root());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        for folder in path.ancestors().skip(1).take(3) {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
    }

    #[test]
    fn a_result_of_another_shape_is_not_taken() {
        let (_folder, cache) = cache();
        cache.put(&key("a"), 7_u8, &[b"one"]).unwrap();
        assert!(cache.get::<(String, String)>(&key("a")).is_none());
        assert!(cache.get::<u8>(&key("a")).is_none(), "it has been removed");
    }

    #[test]
    fn an_entry_under_the_wrong_name_is_not_taken() {
        let (_folder, cache) = cache();
        cache.put(&key("a"), (), &[b"one"]).unwrap();
        let wrong = key("b").path(cache.root());
        fs::create_dir_all(wrong.parent().unwrap()).unwrap();
        fs::copy(key("a").path(cache.root()), &wrong).unwrap();
        assert!(cache.get::<()>(&key("b")).is_none());
    }

    #[test]
    fn threads_and_handles_share_a_folder() {
        let (_folder, cache) = cache();
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let root = cache.root();
                scope.spawn(move || {
                    let cache = Cache::at(root, NOW);
                    for round in 0..50_u8 {
                        let key = key(&format!("{}", round % 7));
                        match cache.get::<u8>(&key) {
                            Some(entry) => {
                                assert_eq!(entry.about, round % 7);
                                assert!(entry.blob(0).is_none_or(|blob| blob == vec![round % 7; 5000]));
                            }
                            None => drop(cache.put(&key, round % 7, &[vec![round % 7; 5000]]).unwrap()),
                        }
                        if thread == 0 && round % 10 == 0 {
                            cache.clear().unwrap();
                        }
                    }
                });
            }
        });
    }

    proptest! {
        #[test]
        fn no_damage_goes_unseen(at in 0_usize..100_000, flip in 1_u8.., cut in any::<bool>()) {
            let (_folder, cache) = cache();
            let blobs = [vec![1_u8; 40], vec![2; 70]];
            cache.put(&key("a"), "about".to_string(), &blobs).unwrap();
            let path = key("a").path(cache.root());
            let mut bytes = fs::read(&path).unwrap();
            let at = at % bytes.len();
            if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
            fs::write(&path, bytes).unwrap();
            let whole = cache.get::<String>(&key("a")).and_then(|entry| {
                assert_eq!(entry.about, "about");
                Some([entry.blob(0)?, entry.blob(1)?])
            });
            prop_assert_eq!(whole, None);
            prop_assert!(!path.exists(), "it is removed, so that it is made again");
        }

        #[test]
        fn parts_of_a_key_do_not_run_together(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..4),
                                              others in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..4)) {
            let of = |parts: &[Vec<u8>]| {
                Key::new(Shelf::Images, "test", &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            prop_assert_eq!(of(&parts) == of(&others), parts == others);
        }
    }
}
