//! The conductor: one run, top to bottom.
//!
//! [`generate`] goes through the rooms in the order of the data; [`read_catalog`] is its first half, which checking and
//! explaining share. What happens is told to an observer as it happens; nothing here prints or knows the time.

mod cards;
pub mod check;
pub mod doctor;
pub mod explain;
mod held;
mod images;
mod models;
mod pictures;
mod reach;
mod reading;
mod rendering;
mod theme;
pub mod warm;

pub use held::Held;
use held::Pages;
pub use reading::{ReadCatalog, read_catalog};

use crate::assets::cache::Cache;
use crate::assets::cdn;
use crate::assets::media::Media;
use crate::catalog::{CatalogError, SharedReadings};
use crate::config::{CatalogUri, ConfigErrors, Platform, StoreConfiguration, ThemeSource};
use crate::enhance::{Damaged, Standing, collect};
use crate::event::{Cancelled, Event, Finding, Observer, Outcome, Phase, Reading};
use crate::pages::{self, Renderer, Round, Theme};
use crate::reliability::{Breakers, Unavailable};
use crate::room::Room;
use crate::site::{self, Digest, Memory, Shard, Staging, Whole};
use reading::{Read, Reader, read_again};
use rendering::{render, write_assets};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How to run, apart from what store.yaml says.
#[derive(Clone, Debug)]
pub struct GenerateOptions {
    /// Documents that cannot be sold make the run fail.
    pub strict: bool,
    /// Write into a folder that storegen did not make.
    pub overwrite: bool,
    /// Do everything but write the store.
    pub dry_run: bool,
    /// The job this run belongs to; names the staging folder.
    pub job_id: String,
    /// Where publishing keeps its journal; exists.
    pub journal_dir: PathBuf,
    /// Where the product snapshot may live; exists.
    pub work_dir: PathBuf,
    /// Folder of the cache; made when it is missing.
    pub cache_dir: PathBuf,
    /// When the run began, for dating what is kept; no page depends on it.
    pub now: SystemTime,
    /// Where it is remembered what stores were made from, so that only what has changed is made again; made if need be.
    /// Without one everything is made.
    pub memory_dir: Option<PathBuf>,
    /// Where copies of catalogues are kept for the time when a server cannot be reached; without one there are none.
    pub copies_dir: Option<PathBuf>,
    /// The job that is run again; what it had read and kept is not read again.
    pub resumes: Option<String>,
    /// Make everything, whatever is remembered.
    pub full: bool,
    /// Memory for what is being worked on.
    pub room: Room,
    /// Make this part of the store only.
    pub shard: Option<Shard>,
    /// Catalogues that other stores of the same run read as well.
    pub shared: SharedReadings,
    /// Places besides the configuration and the catalogue that the store must not take, such as the home folder.
    pub protected: Vec<PathBuf>,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Products in the store.
    pub products: u64,
    /// HTML pages and other files planned from the catalogue.
    pub pages: u64,
    /// Those of them that had to be rendered; the others are as the last run left them.
    pub rendered: u64,
    /// How the catalogue was read.
    pub reading: Reading,
    /// What was published; `None` after a dry run.
    pub published: Option<site::Published>,
    /// Platform to URL or path.
    pub generated_urls: BTreeMap<String, String>,
}

/// Why a run ended early; each kind has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// store.yaml, its mapping or its theme is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// What the user asked for cannot be done as asked.
    #[error("{0:#}")]
    Usage(anyhow::Error),
    /// The catalogue cannot be reached.
    #[error("{0:#}")]
    SourceUnavailable(anyhow::Error),
    /// Something has failed too often of late, so it was not asked.
    #[error(transparent)]
    LeftAlone(#[from] Unavailable),
    /// The run was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Anything else.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

impl From<CatalogError> for RunError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Unavailable(_) => Self::SourceUnavailable(error.into()),
            CatalogError::Invalid(_) => Self::Usage(error.into()),
            CatalogError::Cancelled(cancelled) => Self::Cancelled(cancelled),
        }
    }
}

impl From<anyhow::Error> for RunError {
    fn from(error: anyhow::Error) -> Self {
        if error.is::<Cancelled>() { Self::Cancelled(Cancelled) } else { Self::Failed(error) }
    }
}

/// Generates the store. What is `held` from the last time is used, and replaced. Where what is remembered of the last run
/// turns out to be damaged while pages are made of it, everything is made anew.
///
/// # Errors
/// See [`RunError`]. Whatever it is, the store that was there before is still whole.
pub fn generate(
    config: &StoreConfiguration,
    options: &GenerateOptions,
    breakers: &Breakers<'_>,
    held: &mut Held,
    observer: &dyn Observer,
) -> Result<Summary, RunError> {
    match make(config, options, breakers, held, observer) {
        Err(RunError::Failed(error)) if error.is::<Damaged>() && !options.full => {
            tell_of_damage(observer);
            make(config, &GenerateOptions { full: true, ..options.clone() }, breakers, held, observer)
        }
        outcome => outcome,
    }
}

/// Says that all that has been done so far is done again.
fn tell_of_damage(observer: &dyn Observer) {
    observer.observe(Event::Note("what is remembered of the catalogue is damaged; it is read anew".into()));
    observer.observe(Event::Anew);
}

fn make(
    config: &StoreConfiguration,
    options: &GenerateOptions,
    breakers: &Breakers<'_>,
    held: &mut Held,
    observer: &dyn Observer,
) -> Result<Summary, RunError> {
    // What was read by a run that failed then is not to be read again.
    held.write();
    let theme = &*held.theme(config)?;
    let known = std::mem::take(&mut held.known);
    let protected = protected(config, &options.protected);
    let output = site::Output::claim_knowing(known, &config.output, &protected, options.overwrite)
        .map_err(|refused| RunError::Usage(refused.into()))?;
    let watcher = Skips::watching(observer);
    let cache = Cache::at(&options.cache_dir, options.now);
    let mut media = media_of(config);
    let last = Last::of(config, options, theme, &output)?;
    let before = held.take_pages(config);
    let (written, is_for_rounds) = (Mutex::new(held.written.take()), held.is_for_rounds);
    let beside = Mutex::new(held.beside.take());
    let read = reach::reach(config, options, breakers, &watcher, |config, copy| {
        let shared = Some((&options.shared, options.job_id.as_str()));
        let room = options.room;
        let beside = &beside;
        let with = Reader { config, words: theme.words(), media: &media, copy, shared, room, beside, is_for_rounds };
        read_again(&with, options, &last, &output, &written, &watcher)
    });
    held.beside = beside.into_inner().unwrap_or_else(PoisonError::into_inner);
    let read = read?;
    watcher.refuse(options.strict)?;
    let (read, reading, standing) = match read {
        Read::AsBefore(whole, reading, written) => {
            held.written = written.map(|written| *written);
            held.keep_pages(config, before);
            cache.end_run(config.cache.limits, observer);
            let published = site::Published::nothing_new(output.manifest());
            held.known = output.into_known();
            return Ok(Summary {
                products: whole.products,
                pages: whole.pages,
                rendered: 0,
                reading,
                generated_urls: config.deployment_platforms.iter().map(|platform| url_of(*platform, config)).collect(),
                published: Some(published),
            });
        }
        Read::Whole(read, reading, standing, unwritten) => {
            held.remember(unwritten);
            (read, reading, standing)
        }
    };
    let mut catalog = read.catalog;
    if catalog.records.is_empty() {
        // A file that was cut short, or filters that let nothing through, look like that too.
        observer.observe(Event::Note("the catalogue has no product that can be sold; the store is without any".into()));
    }
    let has_fetched = pictures::fetch(config, &mut catalog, &media, &cache, breakers, options.room, observer)?;
    images::make(config, &mut media, &mut catalog, &cache, options.room, observer)?;

    observer.observe(Event::Started { phase: Phase::Plan, total: None });
    let (round, places) = before.map(|Pages { round, places }| (round, places)).unzip();
    let (mut plan, made) = pages::plan_again(config, &catalog, round);
    let places = places.filter(|_| made.is_some()).unwrap_or_default();
    if made.is_none() {
        plan.lead_on(config, output.manifest().iter().map(|(path, _)| path));
    }
    let renderer = Renderer::new(config, &catalog, &plan, theme, &media, made)?;
    pages::refuse_collisions(config, &plan, &renderer).map_err(RunError::Usage)?;
    report(pages::broken_links(config, &plan), observer);
    observer.observe(Event::Finished { phase: Phase::Plan, steps: plan.pages.len() as u64 });
    let pages = plan.pages.iter().filter(|page| owns(options.shard, &page.path)).count() as u64;
    let products = catalog.records.len() as u64;

    let (rendered, published) = if options.dry_run {
        let rendered = render(&plan, &places, &renderer, None, options.shard, observer)?;
        catalog.records.verify()?;
        (rendered, None)
    } else {
        let ledger = last.ledger();
        let memory = ledger.as_deref().map(|path| Memory { path, make_anew: options.full });
        let staging = output.stage(&options.journal_dir, &options.job_id, memory)?;
        let rendered = render(&plan, &places, &renderer, Some(&staging), options.shard, observer)?;
        write_assets(&staging, &renderer, options.shard)?;
        let is_owned = |path: &str| owns(options.shard, path);
        cards::write(config, &renderer, &media, &cache, &staging, options.shard, observer)?;
        media.pictures().write(&config.images, &cache, &staging, &is_owned, options.room, observer)?;
        models::write(&catalog, &media, &staging, &is_owned, observer)?;
        catalog.records.verify()?;
        if let Some(shard) = options.shard {
            describe_part(&staging, shard, standing.and_then(|standing| last.plan(&standing)))?;
        }
        // A part of a store knows only a part of the pictures.
        if let (Some(url), None) = (&config.assets_url, options.shard) {
            staging.write(cdn::MANIFEST, &cdn::manifest(url.as_str(), &staging.listed(cdn::is_picture)?)?)?;
        }
        stop_if_cancelled(observer)?;
        observer.observe(Event::Started { phase: Phase::Publish, total: None });
        // Pictures on servers may change where nothing else does, so such a store is never known to be as before.
        // A picture that cannot be shown is told of in every run, so that none of those may end early either.
        let is_settled = !has_fetched && !media.pictures().has_problems();
        let made_from = standing.filter(|_| is_settled).and_then(|standing| last.made_from(&standing));
        // What pages were made from makes room for the lists of files, unless it is needed soon.
        let is_kept = is_settled && held.is_for_rounds && options.shard.is_none();
        let made = if is_kept {
            renderer.into_made()
        } else {
            drop(renderer);
            None
        };
        let round = made.map(|made| Round::new(plan, made));
        if is_kept {
            held.keep_catalog(catalog);
        } else {
            drop(catalog);
        }
        let (published, known) = staging.publish(made_from.map(|made_from| Whole { made_from, products, pages }))?;
        held.known = known;
        let places = if published.added == 0 && published.removed == 0 { places } else { Vec::new() };
        if let Some(round) = round {
            held.keep_round(config, round, places);
        }
        observer.observe(Event::Finished { phase: Phase::Publish, steps: published.files });
        (rendered, Some(published))
    };
    held.write();
    cache.end_run(config.cache.limits, observer);
    let platforms = if published.is_some() { &config.deployment_platforms[..] } else { &[] };
    Ok(Summary {
        products,
        pages,
        rendered,
        reading,
        generated_urls: platforms.iter().map(|platform| url_of(*platform, config)).collect(),
        published,
    })
}

/// What is known of the last run.
struct Last {
    /// Where it is remembered, unless nothing is.
    folder: Option<PathBuf>,
    /// Under which name.
    name: String,
    /// Hash of all that the store is made from besides its catalogue.
    settings: Digest,
    shard: Option<Shard>,
}

impl Last {
    fn of(
        config: &StoreConfiguration,
        options: &GenerateOptions,
        theme: &Theme,
        output: &site::Output,
    ) -> anyhow::Result<Self> {
        let name = blake3::hash(output.path().as_os_str().as_encoded_bytes()).to_hex();
        let settings = pages::settings_fingerprint(config, theme)?;
        Ok(Self { folder: options.memory_dir.clone(), name: name[..16].into(), settings, shard: options.shard })
    }

    /// Hash of all that the whole store is made from.
    fn plan(&self, standing: &Standing) -> Option<Digest> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.settings).update(&standing.references).update(&standing.documents?);
        Some(collect::digest_of(&hasher.finalize()))
    }

    /// Hash of all that what is made of it is made from.
    fn made_from(&self, standing: &Standing) -> Option<Digest> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.plan(standing)?);
        self.shard.iter().for_each(|shard| _ = hasher.update(shard.to_string().as_bytes()));
        Some(collect::digest_of(&hasher.finalize()))
    }

    fn ledger(&self) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{}.ledger", self.name)))
    }

    /// The store that stands, if it was made from this state of the catalogue.
    fn stands(&self, output: &site::Output, standing: &Standing) -> Option<Whole> {
        output.stands(&self.ledger()?, self.made_from(standing)?)
    }
}

/// Whether a file is to be made: the whole store's, or those of one part.
fn owns(shard: Option<Shard>, path: &str) -> bool {
    shard.is_none_or(|shard| shard.owns(path))
}

fn describe_part(staging: &Staging, shard: Shard, plan: Option<Digest>) -> anyhow::Result<()> {
    let Some(plan) = plan else {
        anyhow::bail!(
            "a part needs to know from which state of the catalogue it is made, and a document is too large to tell"
        );
    };
    staging.describe_part(shard, plan)
}

fn report(findings: impl IntoIterator<Item = Finding>, observer: &dyn Observer) {
    for finding in findings {
        observer.observe(Event::Found(finding));
    }
}

fn stop_if_cancelled(observer: &dyn Observer) -> Result<(), Cancelled> {
    if observer.is_cancelled() { Err(Cancelled) } else { Ok(()) }
}

/// Passes events on and remembers whether any document was skipped, for `--strict`.
struct Skips<'a> {
    observer: &'a dyn Observer,
    first: Mutex<Option<Finding>>,
    count: AtomicU64,
}

impl<'a> Skips<'a> {
    fn watching(observer: &'a dyn Observer) -> Self {
        Self { observer, first: Mutex::default(), count: AtomicU64::new(0) }
    }

    fn refuse(&self, strict: bool) -> Result<(), RunError> {
        let count = self.count.load(Ordering::Relaxed);
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        match &*first {
            Some(first) if strict => Err(RunError::Failed(anyhow::anyhow!(
                "{count} document{} cannot be sold and `--strict` is set, such as {} in `{}`: {}",
                if count == 1 { "" } else { "s" },
                first.document,
                first.collection,
                first.detail
            ))),
            _ => Ok(()),
        }
    }
}

impl Observer for Skips<'_> {
    fn observe(&self, event: Event) {
        if let Event::Offline { .. } | Event::Anew = event {
            // Reading begins anew.
            self.count.store(0, Ordering::Relaxed);
            *self.first.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        if let Event::Found(finding) = &event
            && finding.outcome == Outcome::Skipped
        {
            self.count.fetch_add(1, Ordering::Relaxed);
            let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
            // The smallest id, not the first to arrive: the message must not depend on threads.
            if first.as_ref().is_none_or(|first| finding.document < first.document) {
                *first = Some(finding.clone());
            }
        }
        self.observer.observe(event);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}

/// Pictures by their sources.
fn media_of(config: &StoreConfiguration) -> Media {
    let media = Media::new(Some(&config.media_root));
    match &config.catalog.uri {
        CatalogUri::Path(_) => media,
        CatalogUri::MongoDb(_) => media.with_stored_files(),
    }
}

/// Everything a run reads, which the output must not take the place of.
fn protected(config: &StoreConfiguration, others: &[PathBuf]) -> Vec<PathBuf> {
    let mut places = others.to_vec();
    places.extend([config.path.clone(), config.media_root.clone()]);
    if let CatalogUri::Path(path) = &config.catalog.uri {
        places.push(path.clone());
    }
    if let ThemeSource::Folder(path) = &config.theme {
        places.push(path.clone());
    }
    places
}

fn url_of(platform: Platform, config: &StoreConfiguration) -> (String, String) {
    let place = match platform {
        Platform::StaticHtml => config.output.join("index.html").display().to_string(),
    };
    (platform.key().to_string(), place)
}
