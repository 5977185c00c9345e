//! `storegen preview`: the store on this machine, built again and reloaded when something changes.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::{GlobalArgs, interrupt, state, watch};
use crate::catalog::{SharedReadings, Watch};
use crate::config::{CatalogSettings, Overrides, StoreConfiguration, load};
use crate::event::{Event, Observer};
use crate::jobs::{Clock as _, JobId, JobStore, SystemClock};
use crate::pipeline::{self, GenerateOptions, Held};
use crate::preview::{self, Attempt, Bell, Built, Place, Told};
use crate::reliability::Breakers;
use crate::room::Room;
use crate::site::{self, durable::make_private_folder};
use anyhow::Context as _;
use clap::Args;
use std::cell::RefCell;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// The port that is tried first, and the last of those tried after it.
const PORTS: std::ops::RangeInclusive<u16> = 8000..=8020;

/// Where in its folder a preview keeps note of builds that go on.
const JOURNAL: &str = "journal";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen preview store.yaml
  storegen preview store.yaml --port 3000
  storegen preview store.yaml --host 0.0.0.0   to show it to others in the same network")]
pub(super) struct PreviewArgs {
    /// The store's configuration
    #[arg(default_value = "store.yaml")]
    config: PathBuf,
    /// Address to listen at; any but this machine's own lets others in
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen at [default: the first free one from 8000]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
}

pub(super) fn run(args: &PreviewArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = std::path::absolute(&args.config).map_err(Failure::failed)?;
    // A file that is not there at the start is a slip of the pen, not something to wait for.
    std::fs::metadata(&config)
        .with_context(|| format!("cannot read `{}`", args.config.display()))
        .map_err(Failure::failed)?;
    let workshop = Workshop::open(state::of(global.state.as_deref(), &config))?;
    let place = Place { host: args.host, ports: args.port.map_or(PORTS, |port| port..=port) };
    if !args.host.is_loopback() {
        terminal.warn(&format!("everybody who can reach {} can see the preview", args.host));
    }
    let tell = |told: Told<'_>| match told {
        Told::Ready(address) => {
            terminal.result(&format!("{} {}\n", terminal.out.green("✓"), terminal.out.bold(address)));
            terminal.note(&terminal.err.dim("built again whenever something changes; Ctrl-C ends it"));
        }
        Told::Rebuilt => terminal.note(&format!("{} built again", terminal.err.green("✓"))),
        Told::Failed(error) => terminal.line(&format!("{} {error}", terminal.err.red("error:"))),
    };
    preview::run(&place, |bell| workshop.build(&config, bell), &tell, &interrupt::is_interrupted)
        .map_err(Failure::failed)?;
    Ok(Exit::Done)
}

/// The folder that previews of a store are built in.
struct Workshop {
    /// Remembers servers that failed.
    store: JobStore,
    folder: PathBuf,
    /// Held while the preview runs.
    _lock: Option<File>,
    /// In place of the usual folder where another preview has that.
    _own: Option<tempfile::TempDir>,
    /// What the last sound store file named as sources: those of one that is broken are not known.
    sources: RefCell<Vec<PathBuf>>,
    /// Hears of changes of a database.
    listener: RefCell<Option<Listener>>,
    /// From one build to the next.
    held: RefCell<Held>,
}

impl Workshop {
    fn open(store: JobStore) -> Result<Self, Failure> {
        let folder = store.folder().join("preview");
        make_private_folder(&folder).map_err(Failure::failed)?;
        let lock =
            File::create(folder.join("lock")).context("cannot make the preview's lock").map_err(Failure::failed)?;
        if lock.try_lock().is_ok() {
            // What a preview that was killed has left; nobody else has this folder now.
            site::recover(&folder.join(JOURNAL)).map_err(Failure::failed)?;
            return Ok(Self::at(folder, store, Some(lock), None));
        }
        let own =
            tempfile::tempdir_in(&folder).context("cannot make a folder for the preview").map_err(Failure::failed)?;
        Ok(Self::at(own.path().to_path_buf(), store, None, Some(own)))
    }

    fn at(folder: PathBuf, store: JobStore, lock: Option<File>, own: Option<tempfile::TempDir>) -> Self {
        let (sources, listener) = (RefCell::default(), RefCell::default());
        let held = RefCell::new(Held::for_rounds());
        Self { store, folder, _lock: lock, _own: own, sources, listener, held }
    }

    fn build(&self, config: &Path, bell: &Bell) -> Attempt {
        let beside = config.parent().unwrap_or(Path::new("/"));
        let mut written = vec![self.store.folder().to_path_buf()];
        let outcome = match load(config, &Overrides::default(), &|name| std::env::var(name).ok()) {
            Ok(mut loaded) => {
                self.sources.replace(loaded.sources());
                written.push(std::mem::replace(&mut loaded.output, self.folder.join("store")));
                // Listens before it builds, so that nothing that is written meanwhile is missed.
                self.listen(&loaded, bell);
                self.generate(&loaded)
            }
            Err(errors) => Err(errors.render(false)),
        };
        let mut sources = self.sources.borrow().clone();
        if sources.is_empty() {
            sources = vec![config.to_path_buf(), beside.join("content")];
        }
        Attempt { outcome, sources, written }
    }

    fn listen(&self, config: &StoreConfiguration, bell: &Bell) {
        let server = config.catalog.server();
        let mut listener = self.listener.borrow_mut();
        if listener.as_ref().map(|listener| &listener.server) != server.as_ref() {
            *listener = server.map(|server| Listener::begin(server, config.catalog.clone(), bell.clone()));
        }
    }

    fn generate(&self, config: &StoreConfiguration) -> Result<Built, String> {
        let made = |name: &str| -> anyhow::Result<PathBuf> {
            let folder = self.folder.join(name);
            make_private_folder(&folder)?;
            Ok(folder)
        };
        let options = || -> anyhow::Result<GenerateOptions> {
            Ok(GenerateOptions {
                strict: false,
                overwrite: true,
                dry_run: false,
                job_id: JobId::random().to_string(),
                journal_dir: made(JOURNAL)?,
                work_dir: made("work")?,
                cache_dir: config.cache.folder_beside(&self.folder),
                now: std::time::SystemTime::now(),
                memory_dir: Some(made("memory")?),
                copies_dir: None,
                resumes: None,
                full: false,
                room: Room::default(),
                shard: None,
                shared: SharedReadings::default(),
                protected: std::env::home_dir().into_iter().collect(),
            })
        };
        let options = options().map_err(|error| format!("{error:#}"))?;
        let clock = SystemClock::new();
        let now = || clock.now();
        let breakers = Breakers::new(&self.store, &now, &config.retry);
        pipeline::generate(config, &options, &breakers, &mut self.held.borrow_mut(), &Quiet)
            .map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
        Ok(Built { folder: config.output.clone(), prefix: config.base_url.path().to_string() })
    }
}

/// Rings whenever somebody has written to a database, until it is dropped.
struct Listener {
    /// Which database, as [`CatalogSettings::server`] tells it.
    server: String,
    is_over: Arc<AtomicBool>,
}

impl Listener {
    /// Comes back when no change is missed any more, or the server does not answer. Such a server is tried again now and
    /// then, and rings when it answers.
    fn begin(server: String, settings: CatalogSettings, bell: Bell) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let (ready, first) = sync_channel(1);
        std::thread::spawn(move || {
            let is_over = || told.load(Ordering::Relaxed) || interrupt::is_interrupted();
            let mut is_late = false;
            while !is_over() {
                if let Ok(Some(mut changes)) = Watch::begin(&settings) {
                    let _ = ready.try_send(());
                    if is_late {
                        bell.ring();
                    }
                    // That a server is away is told by the build that needs it.
                    while changes.wait(&is_over, &|_| {}) {
                        bell.ring();
                    }
                    return;
                }
                let _ = ready.try_send(());
                is_late = true;
                let began = Instant::now();
                while !is_over() && began.elapsed() < watch::PAUSE {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        });
        let _ = first.recv();
        Self { server, is_over }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Findings are for `storegen check`; a preview tells what keeps it from being built.
struct Quiet;

impl Observer for Quiet {
    fn observe(&self, _: Event) {}

    fn is_cancelled(&self) -> bool {
        interrupt::is_interrupted()
    }
}
