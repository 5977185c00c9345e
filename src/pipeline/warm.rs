//! Fills the cache: fetches the pictures of a store and makes them ready, and makes no store of them.

use super::{RunError, images, media_of, pictures, read_catalog, theme};
use crate::assets::cache::{Cache, Shelf, Uses};
use crate::config::StoreConfiguration;
use crate::event::Observer;
use crate::reliability::Breakers;
use crate::room::Room;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// What the cache had, and what it has now besides.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Warmed {
    /// Products in the store.
    pub products: u64,
    /// Pictures made ready: those that were, and those that had to be made.
    pub images: Uses,
    /// Pictures fetched: those that were, and those that had to be asked for.
    pub downloads: Uses,
}

/// Reads the catalogue and makes its pictures ready.
///
/// # Errors
/// See [`RunError`]. What was done until then stays in the cache.
pub fn warm(
    config: &StoreConfiguration,
    cache: &Cache,
    breakers: &Breakers<'_>,
    work_dir: &Path,
    observer: &dyn Observer,
) -> Result<Warmed, RunError> {
    let theme = theme::load(config)?;
    let mut media = media_of(config);
    let mut catalog = read_catalog(config, theme.words(), &media, work_dir, observer)?.catalog;
    pictures::fetch(config, &mut catalog, &media, cache, breakers, Room::default(), observer)?;
    images::make(config, &mut media, &mut catalog, cache, Room::default(), observer)?;
    catalog.records.verify()?;
    cache.end_run(config.cache.limits, observer);
    let products = catalog.records.len() as u64;
    Ok(Warmed { products, images: cache.uses(Shelf::Images), downloads: cache.uses(Shelf::Downloads) })
}
