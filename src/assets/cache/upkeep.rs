//! Looking after a cache: how much is in it, how often it was of use, and what has to go.
//!
//! Only files with names that the cache makes are ever touched, so a folder that holds other things as well keeps them.

use super::{Cache, Shelf, Uses, lock};
use crate::site::durable::{UNFINISHED, replace_file};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Age at which an unfinished file is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// How much may be kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes; what was not used for longest goes first.
    pub max_size: u64,
    /// Longest time since the last use.
    pub max_age: Duration,
}

/// What a cache holds.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Its folder.
    pub folder: PathBuf,
    /// Entries on all shelves.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// By shelf.
    pub shelves: BTreeMap<Shelf, ShelfStats>,
}

/// What one shelf holds, and how often it was of use.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ShelfStats {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Uses in the last run that had any.
    pub last_run: Uses,
    /// Uses in all runs since it was last emptied.
    pub all_runs: Uses,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// `uses.json`: how often each shelf was of use.
#[derive(Default, Serialize, Deserialize)]
struct Counters {
    last_run: BTreeMap<Shelf, Uses>,
    all_runs: BTreeMap<Shelf, Uses>,
}

struct Found {
    path: PathBuf,
    shelf: Shelf,
    bytes: u64,
    used: SystemTime,
    is_finished: bool,
}

impl Cache {
    /// What is in the cache, and how often it was of use.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn stats(&self) -> anyhow::Result<Stats> {
        let counters = self.counters();
        let uses = |counted: &BTreeMap<Shelf, Uses>, shelf| counted.get(&shelf).copied().unwrap_or_default();
        let shelf = |shelf| ShelfStats {
            last_run: uses(&counters.last_run, shelf),
            all_runs: uses(&counters.all_runs, shelf),
            ..ShelfStats::default()
        };
        let mut shelves: BTreeMap<Shelf, ShelfStats> = Shelf::ALL.into_iter().map(|name| (name, shelf(name))).collect();
        let (mut entries, mut bytes) = (0, 0);
        for found in self.found()?.iter().filter(|found| found.is_finished) {
            let shelf = shelves.entry(found.shelf).or_default();
            shelf.entries += 1;
            shelf.bytes += found.bytes;
            entries += 1;
            bytes += found.bytes;
        }
        Ok(Stats { folder: self.root.clone(), entries, bytes, shelves })
    }

    /// Removes what has not been used for too long, then what was not used for longest until the rest fits.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file cannot be removed.
    pub fn prune(&self, limits: Limits) -> anyhow::Result<Removed> {
        if !self.root.is_dir() {
            return Ok(Removed::default());
        }
        let _lock = lock(&self.root).with_context(|| self.trouble("lock"))?;
        let mut found = self.found()?;
        found.sort_by(|one, other| (one.used, &one.path).cmp(&(other.used, &other.path)));
        let mut left: u64 = found.iter().map(|found| found.bytes).sum();
        let mut removed = Removed::default();
        for found in &found {
            let age = self.now.duration_since(found.used).unwrap_or_default();
            let has_to_go = match found.is_finished {
                true => age > limits.max_age || left > limits.max_size,
                false => age > ABANDONED,
            };
            if has_to_go {
                self.remove(found, &mut removed)?;
                left -= found.bytes;
            }
        }
        Ok(removed)
    }

    /// Removes everything, and forgets how often it was of use.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file cannot be removed.
    pub fn clear(&self) -> anyhow::Result<Removed> {
        let mut removed = Removed::default();
        if !self.root.is_dir() {
            return Ok(removed);
        }
        let _lock = lock(&self.root).with_context(|| self.trouble("lock"))?;
        for found in self.found()?.iter().filter(|found| found.is_finished) {
            self.remove(found, &mut removed)?;
        }
        match fs::remove_file(self.counters_path()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| self.trouble("empty")),
            _ => Ok(removed),
        }
    }

    fn remove(&self, found: &Found, removed: &mut Removed) -> anyhow::Result<()> {
        match fs::remove_file(&found.path) {
            Ok(()) if found.is_finished => {
                removed.entries += 1;
                removed.bytes += found.bytes;
            }
            Ok(()) => {}
            // Another process was quicker.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| self.trouble("empty")),
        }
        Ok(())
    }

    /// Every file that the cache has made, finished or not.
    fn found(&self) -> anyhow::Result<Vec<Found>> {
        let mut found = Vec::new();
        for shelf in Shelf::ALL {
            for folder in listed(&self.root.join(shelf.name())).with_context(|| self.trouble("read"))? {
                if !folder.file_name().to_str().is_some_and(|name| is_hex(name, 2)) {
                    continue;
                }
                for file in listed(&folder.path()).with_context(|| self.trouble("read"))? {
                    let name = file.file_name();
                    let name = name.to_str().unwrap_or_default();
                    let is_finished = is_hex(name, 62);
                    // It may vanish between the listing and the look.
                    let Ok(metadata) = file.metadata() else { continue };
                    if metadata.is_file() && (is_finished || name.starts_with(UNFINISHED)) {
                        let used = metadata.modified().unwrap_or(self.now);
                        found.push(Found { path: file.path(), shelf, bytes: metadata.len(), used, is_finished });
                    }
                }
            }
        }
        Ok(found)
    }

    /// Adds the uses of this run to those that last.
    pub(super) fn add_uses(&self) -> anyhow::Result<()> {
        let run: BTreeMap<Shelf, Uses> = Shelf::ALL
            .into_iter()
            .map(|shelf| (shelf, self.uses(shelf)))
            .filter(|(_, uses)| *uses != Uses::default())
            .collect();
        if run.is_empty() {
            return Ok(());
        }
        self.make()?;
        let _lock = lock(&self.root).with_context(|| self.trouble("lock"))?;
        let mut counters = self.counters();
        for (shelf, uses) in run {
            let all = counters.all_runs.entry(shelf).or_default();
            all.hits += uses.hits;
            all.misses += uses.misses;
            counters.last_run.insert(shelf, uses);
        }
        replace_file(&self.counters_path(), &serde_json::to_vec_pretty(&counters)?)
    }

    /// Counters are only told to people: where they cannot be read, counting begins again.
    fn counters(&self) -> Counters {
        let bytes = fs::read(self.counters_path()).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    fn counters_path(&self) -> PathBuf {
        self.root.join("uses.json")
    }

    fn trouble(&self, verb: &str) -> String {
        format!("cannot {verb} the cache `{}`", self.root.display())
    }
}

/// The entries of a folder; none when there is no such folder.
fn listed(folder: &Path) -> std::io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_hex(name: &str, length: usize) -> bool {
    name.len() == length && name.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;
    use crate::event::{Event, Observer};
    use std::sync::Mutex;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const ALL: Limits = Limits { max_size: u64::MAX, max_age: Duration::MAX };

    fn at(day: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + DAY * day
    }

    fn key(name: &str) -> Key {
        Key::new(Shelf::Images, "test", &[name.as_bytes()])
    }

    fn names(cache: &Cache) -> String {
        ["a", "b", "c"].into_iter().filter(|name| cache.look::<()>(&key(name)).is_some()).collect()
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        for (day, name) in [(1, "a"), (2, "b"), (3, "c")] {
            Cache::at(folder.path(), at(day)).put(&key(name), (), &[[0_u8; 1000]]).unwrap();
        }
        let cache = Cache::at(folder.path(), at(4));
        assert!(cache.get::<()>(&key("a")).is_some(), "a use counts like new");
        let bytes = cache.stats().unwrap().bytes;
        assert_eq!(cache.prune(ALL).unwrap(), Removed::default());
        let removed = cache.prune(Limits { max_size: bytes - 1, ..ALL }).unwrap();
        assert_eq!((removed.entries, removed.bytes), (1, bytes / 3));
        assert_eq!(names(&cache), "ac");
    }

    #[test]
    fn what_is_too_old_goes_and_so_do_remains() {
        let folder = tempfile::tempdir().unwrap();
        for (day, name) in [(1, "a"), (20, "b")] {
            Cache::at(folder.path(), at(day)).put(&key(name), (), &[b"x"]).unwrap();
        }
        let shelf = folder.path().join("images/00");
        fs::create_dir_all(&shelf).unwrap();
        for (name, day) in [(".storegen-old", 1), (".storegen-new", 21), ("mine.txt", 1)] {
            fs::write(shelf.join(name), "x").unwrap();
            fs::File::options().write(true).open(shelf.join(name)).unwrap().set_modified(at(day)).unwrap();
        }
        let cache = Cache::at(folder.path(), at(21));
        let removed = cache.prune(Limits { max_age: DAY * 10, ..ALL }).unwrap();
        assert_eq!(removed.entries, 1);
        assert_eq!(names(&cache), "b");
        let mut left: Vec<_> = fs::read_dir(&shelf).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".storegen-new", "mine.txt"]);
        assert_eq!(cache.clear().unwrap().entries, 1);
        assert!(shelf.join("mine.txt").exists());
        assert_eq!(cache.stats().unwrap().entries, 0);
    }

    #[test]
    fn uses_add_up_over_runs_and_are_told() {
        #[derive(Default)]
        struct Told(Mutex<Vec<Uses>>);
        impl Observer for Told {
            fn observe(&self, event: Event) {
                if let Event::CacheUsed { uses, .. } = event {
                    self.0.lock().unwrap().push(uses);
                }
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let told = Told::default();
        for _ in 0..3 {
            let cache = Cache::at(folder.path(), at(1));
            if cache.get::<()>(&key("a")).is_none() {
                cache.put(&key("a"), (), &[b"x"]).unwrap();
            }
            cache.end_run(ALL, &told);
        }
        let cache = Cache::at(folder.path(), at(1));
        cache.end_run(ALL, &told);
        let stats = cache.stats().unwrap().shelves[&Shelf::Images];
        assert_eq!(stats.all_runs, Uses { hits: 2, misses: 1 });
        assert_eq!(stats.last_run, Uses { hits: 1, misses: 0 });
        assert_eq!(stats.all_runs.hit_rate().map(|rate| (rate * 100.0).round()), Some(67.0));
        let expected = [Uses { hits: 0, misses: 1 }, Uses { hits: 1, misses: 0 }, Uses { hits: 1, misses: 0 }];
        assert_eq!(*told.0.lock().unwrap(), expected);
        fs::write(folder.path().join("uses.json"), "{").unwrap();
        assert_eq!(cache.stats().unwrap().shelves[&Shelf::Images].all_runs, Uses::default());
    }
}
