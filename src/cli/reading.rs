//! What commands need that read a catalogue and build nothing: the configuration, a folder that vanishes, progress.

use super::exit::Failure;
use super::interrupt;
use super::progress::{ProgressChoice, ProgressView};
use super::terminal::Terminal;
use crate::config::{self, Overrides, StoreConfiguration};
use crate::event::{Event, Observer};
use crate::pipeline::RunError;
use anyhow::Context as _;
use std::path::Path;

/// Loads the configuration and calls `work` with it, a folder for working files and a listener that shows progress.
pub(super) fn reading<T>(
    config: &Path,
    terminal: &Terminal,
    work: impl FnOnce(&StoreConfiguration, &Path, &dyn Observer) -> Result<T, RunError>,
) -> Result<T, Failure> {
    let config = config::load(config, &Overrides::default(), &|name| std::env::var(name).ok())?;
    let scratch = tempfile::tempdir().context("cannot make a folder for working files").map_err(Failure::failed)?;
    let view = ProgressView::new(terminal, ProgressChoice::Auto);
    let result = work(&config, scratch.path(), &Watching { view: &view });
    view.end();
    Ok(result?)
}

struct Watching<'a> {
    view: &'a ProgressView<'a>,
}

impl Observer for Watching<'_> {
    fn observe(&self, event: Event) {
        self.view.observe(event);
    }

    fn is_cancelled(&self) -> bool {
        interrupt::is_interrupted()
    }
}
