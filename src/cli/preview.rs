//! `storegen preview`: the store on this machine, built again and reloaded when something changes.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::{GlobalArgs, interrupt, state};
use crate::config::{CatalogUri, Overrides, StoreConfiguration, ThemeSource, load};
use crate::event::{Event, Observer};
use crate::jobs::{Clock as _, JobStore, SystemClock};
use crate::pipeline::{self, GenerateOptions};
use crate::preview::{self, Attempt, Built, Place, Told};
use crate::reliability::Breakers;
use crate::site::durable::make_private_folder;
use anyhow::Context as _;
use clap::Args;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

/// The port that is tried first, and the last of those tried after it.
const PORTS: std::ops::RangeInclusive<u16> = 8000..=8020;

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
            terminal.note(&terminal.err.dim("built again whenever a file changes; Ctrl-C ends it"));
        }
        Told::Rebuilt => terminal.note(&format!("{} built again", terminal.err.green("✓"))),
        Told::Failed(error) => terminal.line(&format!("{} {error}", terminal.err.red("error:"))),
    };
    preview::run(&place, || workshop.build(&config), &tell, &interrupt::is_interrupted).map_err(Failure::failed)?;
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
}

impl Workshop {
    fn open(store: JobStore) -> Result<Self, Failure> {
        let folder = store.folder().join("preview");
        make_private_folder(&folder).map_err(Failure::failed)?;
        let lock =
            File::create(folder.join("lock")).context("cannot make the preview's lock").map_err(Failure::failed)?;
        if lock.try_lock().is_ok() {
            return Ok(Self { store, folder, _lock: Some(lock), _own: None });
        }
        let own =
            tempfile::tempdir_in(&folder).context("cannot make a folder for the preview").map_err(Failure::failed)?;
        Ok(Self { store, folder: own.path().to_path_buf(), _lock: None, _own: Some(own) })
    }

    fn build(&self, config: &Path) -> Attempt {
        let folder = config.parent().unwrap_or(Path::new("/"));
        let mut sources = vec![config.to_path_buf(), folder.join("content")];
        let overrides = Overrides { output: Some(self.folder.join("store")), catalog_uri: None };
        let outcome = match load(config, &overrides, &|name| std::env::var(name).ok()) {
            Ok(config) => {
                sources.extend(sources_of(&config));
                self.generate(&config)
            }
            Err(errors) => Err(errors.render(false)),
        };
        Attempt { outcome, sources }
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
                job_id: "preview".into(),
                journal_dir: made("journal")?,
                work_dir: made("work")?,
                cache_dir: config.cache.folder_beside(&self.folder),
                now: std::time::SystemTime::now(),
                memory_dir: Some(made("memory")?),
                copies_dir: None,
                full: false,
                shard: None,
                protected: std::env::home_dir().into_iter().collect(),
            })
        };
        let options = options().map_err(|error| format!("{error:#}"))?;
        let clock = SystemClock::new();
        let now = || clock.now();
        let breakers = Breakers::new(&self.store, &now, &config.reliability);
        pipeline::generate(config, &options, &breakers, &Quiet)
            .map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
        Ok(Built { folder: config.output.clone(), prefix: config.base_url.path().to_string() })
    }
}

/// Everything whose change calls for another build.
fn sources_of(config: &StoreConfiguration) -> Vec<PathBuf> {
    let mut sources: Vec<PathBuf> = config.logo.iter().cloned().collect();
    if let ThemeSource::Folder(theme) = &config.theme {
        sources.push(theme.clone());
    }
    if let CatalogUri::Path(catalog) = &config.catalog.uri {
        sources.push(catalog.clone());
    }
    sources
}

/// Findings are for `storegen check`; a preview tells what keeps it from being built.
struct Quiet;

impl Observer for Quiet {
    fn observe(&self, _: Event) {}

    fn is_cancelled(&self) -> bool {
        interrupt::is_interrupted()
    }
}
