//! `storegen generate --watch`: makes the store, and again whenever something that it is made from changes.
//!
//! Listens before it builds, so that nothing that is written meanwhile is missed. A build that fails, as on a file that
//! is half saved, is told and does not end the watch.

use super::exit::{Exit, Failure};
use super::interrupt;
use super::terminal::Terminal;
use crate::catalog::Watch;
use crate::config::StoreConfiguration;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use walkdir::WalkDir;

/// Least time between two looks at files.
const GLANCE: Duration = Duration::from_millis(250);
/// Time until a server that cannot be listened to is tried again.
pub(super) const PAUSE: Duration = Duration::from_secs(10);
/// Looking at files takes at most one part in so many of the time.
const SHARE: u32 = 20;

/// Builds, waits, and builds again, until it is stopped. `load` reads the configuration, `build` makes the store.
pub(super) fn run(
    config: &Path,
    terminal: &Terminal,
    load: &dyn Fn() -> Result<StoreConfiguration, Failure>,
    build: &dyn Fn() -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut listening: Option<(String, Watch)> = None;
    loop {
        // A configuration that is broken now may be mended; until then only the store file matters.
        let loaded = load().ok();
        let files = Files::of(config, loaded.as_ref());
        let server = loaded.as_ref().and_then(|loaded| loaded.catalog.server());
        if listening.as_ref().map(|(name, _)| name) != server.as_ref() {
            listening = None;
        }
        if let (None, Some(loaded), Some(server)) = (&listening, &loaded, server) {
            match Watch::begin(&loaded.catalog) {
                Ok(Some(watch)) => listening = Some((server, watch)),
                Ok(None) => {}
                // The build finds the same and says it better; then the wait is for the files, and a little while.
                Err(error) => terminal.warn(&format!("changes cannot be listened for: {error}")),
            }
        }
        let listening_failed =
            listening.is_none() && loaded.as_ref().is_some_and(|loaded| loaded.catalog.server().is_some());
        match build() {
            Ok(Exit::Cancelled) => return Ok(Exit::Cancelled),
            Ok(_) => {}
            Err(failure) => terminal.failure(&failure),
        }
        let way = match &listening {
            Some((_, watch)) if watch.is_polling() => {
                "files, and the database, which is asked now and then because it is no replica set"
            }
            Some(_) => "files, and the changes that the database tells of",
            None => "files",
        };
        terminal.note(&format!("{} watching {way}; Ctrl-C ends it", terminal.err.cyan("…")));
        // A server that cannot be listened to is tried again.
        let began = Instant::now();
        let is_stale = || listening_failed && began.elapsed() >= PAUSE;
        let is_over = || interrupt::is_interrupted() || files.have_changed() || is_stale();
        match &mut listening {
            Some((_, watch)) => _ = watch.wait(&is_over, &|note| terminal.warn(&note)),
            None => {
                while !is_over() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
        if interrupt::is_interrupted() {
            return Ok(Exit::Done);
        }
        files.wait_until_quiet();
    }
}

/// The files that a store is made from.
struct Files {
    places: Vec<PathBuf>,
    /// What storegen itself writes to.
    output: Option<PathBuf>,
    seen: blake3::Hash,
    next: RefCell<(Instant, Duration)>,
}

impl Files {
    fn of(config: &Path, loaded: Option<&StoreConfiguration>) -> Self {
        let places = loaded.map_or_else(|| vec![config.to_path_buf()], StoreConfiguration::sources);
        let mut files = Self {
            places,
            output: loaded.map(|loaded| loaded.output.clone()),
            seen: blake3::hash(b""),
            next: RefCell::new((Instant::now(), Duration::ZERO)),
        };
        files.seen = files.look();
        files
    }

    /// A hash of names, sizes and times.
    fn look(&self) -> blake3::Hash {
        let began = Instant::now();
        let mut hasher = blake3::Hasher::new();
        for place in &self.places {
            let is_ours = |path: &Path| self.output.as_ref().is_some_and(|output| path.starts_with(output));
            let walk = WalkDir::new(place).follow_links(true).sort_by_file_name().into_iter().filter_entry(|entry| {
                let is_hidden = entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
                !is_hidden && !is_ours(entry.path())
            });
            for entry in walk.flatten().filter(|entry| !entry.file_type().is_dir()) {
                let metadata = entry.metadata().ok();
                let time = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
                let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
                let size = metadata.map(|metadata| metadata.len());
                hasher.update(format!("{} {size:?} {since:?}\n", entry.path().display()).as_bytes());
            }
        }
        self.next.replace((Instant::now(), GLANCE.max(began.elapsed() * SHARE)));
        hasher.finalize()
    }

    /// Whether any file came, went or was written to. Looks only now and then, however often it is asked.
    fn have_changed(&self) -> bool {
        let (last, pause) = *self.next.borrow();
        last.elapsed() >= pause && self.look() != self.seen
    }

    /// Waits while files are still being written to, but not for long.
    fn wait_until_quiet(&self) {
        const LOOKS: usize = 20;
        let mut before = self.seen;
        for _ in 0..LOOKS {
            let now = self.look();
            if now == before || interrupt::is_interrupted() {
                return;
            }
            before = now;
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
