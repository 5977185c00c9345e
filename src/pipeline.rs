//! The conductor: one run, top to bottom.

use crate::config::{CatalogUri, ConfigErrors, StoreConfiguration, ThemeSource};
use crate::event::{Cancelled, Event, Finding, Observer, Outcome, Phase};
use crate::site;
use std::collections::BTreeMap;
use std::path::PathBuf;

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
    /// Places besides the configuration and the catalogue that the store must not take, such as the home folder.
    pub protected: Vec<PathBuf>,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Products in the store.
    pub products: u64,
    /// HTML pages and other files rendered from the catalogue.
    pub pages: u64,
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
    /// The run was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Anything else.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for RunError {
    fn from(error: anyhow::Error) -> Self {
        if error.is::<Cancelled>() { Self::Cancelled(Cancelled) } else { Self::Failed(error) }
    }
}

/// STAND-IN until the pipeline is merged: writes placeholder pages, STOREGEN_STAND_IN of them (default 2,000).
pub fn generate(
    config: &StoreConfiguration,
    options: &GenerateOptions,
    observer: &dyn Observer,
) -> Result<Summary, RunError> {
    let mut protected = options.protected.clone();
    protected.push(config.path.clone());
    if let CatalogUri::Path(path) = &config.catalog.uri {
        protected.push(path.clone());
    }
    if let ThemeSource::Folder(path) = &config.theme {
        protected.push(path.clone());
    }
    let output = site::Output::claim(&config.output, &protected, options.overwrite)
        .map_err(|refused| RunError::Usage(refused.into()))?;
    observer.observe(Event::Started { phase: Phase::Connect, total: None });
    if std::env::var_os("STOREGEN_STAND_IN_DOWN").is_some() {
        return Err(RunError::SourceUnavailable(anyhow::anyhow!(
            "cannot reach the catalogue at `localhost:27017`: connection refused"
        )));
    }
    observer.observe(Event::Finished { phase: Phase::Connect, steps: 12 });
    let pages = std::env::var("STOREGEN_STAND_IN").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000_u64);
    let pause = std::env::var("STOREGEN_STAND_IN_PAUSE").ok().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    observer.observe(Event::Started { phase: Phase::Products, total: Some(pages) });
    for step in 0..pages / 100 {
        if observer.is_cancelled() {
            return Err(Cancelled.into());
        }
        std::thread::sleep(std::time::Duration::from_millis(pause));
        observer.observe(Event::Advanced { phase: Phase::Products, steps: 100 });
        if step % 8 == 3 {
            observer.observe(Event::Found(Finding {
                outcome: if step % 3 == 0 { Outcome::Skipped } else { Outcome::Excluded },
                reason: if step % 3 == 0 { "missing_price".into() } else { "inactive".into() },
                collection: "products".into(),
                document: format!("65f0c0ffee{step:014}"),
                field: "price".into(),
                detail: "it has no price; give it one".into(),
            }));
        }
    }
    observer.observe(Event::Finished { phase: Phase::Products, steps: pages });
    observer.observe(Event::Started { phase: Phase::Plan, total: None });
    observer.observe(Event::Finished { phase: Phase::Plan, steps: pages });
    let mut published = None;
    if !options.dry_run {
        let staging = output.stage(&options.journal_dir, &options.job_id)?;
        observer.observe(Event::Started { phase: Phase::Pages, total: Some(pages) });
        let text = format!("<p>{}</p>", "A page of some length. ".repeat(400));
        use rayon::prelude::*;
        let numbers: Vec<u64> = (0..pages).collect();
        numbers.par_chunks(64).try_for_each(|chunk| {
            if observer.is_cancelled() {
                return Err(RunError::Cancelled(Cancelled));
            }
            for number in chunk {
                let path =
                    if *number == 0 { "index.html".into() } else { format!("products/frame-{number}/index.html") };
                staging.write(&path, format!("{number} {text}").as_bytes())?;
            }
            std::thread::sleep(std::time::Duration::from_millis(pause));
            observer.observe(Event::Advanced { phase: Phase::Pages, steps: chunk.len() as u64 });
            Ok(())
        })?;
        observer.observe(Event::Finished { phase: Phase::Pages, steps: pages });
        observer.observe(Event::Started { phase: Phase::Publish, total: None });
        published = Some(staging.publish()?);
        observer.observe(Event::Finished { phase: Phase::Publish, steps: pages });
    }
    let generated_urls = BTreeMap::from([("static-html".to_string(), config.output.display().to_string())]);
    Ok(Summary { products: pages, pages, published, generated_urls })
}
