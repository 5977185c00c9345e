//! Writes the 3D models that products have in the store: each once, and those of the last run without reading them.

use super::{RunError, stop_if_cancelled};
use crate::assets::media::Media;
use crate::enhance::EnhancedCatalog;
use crate::enhance::collect::digest_of;
use crate::event::Observer;
use crate::site::{Made, Staging};
use anyhow::Context as _;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Adds every model whose path is wanted to a new tree.
///
/// # Errors
/// When a model is no longer what it was when the catalogue was read, or the disk refuses.
pub(super) fn write(
    catalog: &EnhancedCatalog,
    media: &Media,
    staging: &Staging,
    is_wanted: &(dyn Fn(&str) -> bool + Sync),
    observer: &dyn Observer,
) -> Result<(), RunError> {
    let mut owners: BTreeMap<Box<str>, u32> = BTreeMap::new();
    for (index, record) in (0..).zip(catalog.records.iter()) {
        for path in record.models.iter().filter(|path| is_wanted(path)) {
            owners.entry(path.clone()).or_insert(index);
        }
    }
    let owners: Vec<(Box<str>, u32)> = owners.into_iter().collect();
    owners.par_iter().with_max_len(1).try_for_each(|(path, index)| -> Result<(), RunError> {
        stop_if_cancelled(observer)?;
        // The name is made from the contents, so that a file of this name is made from the same.
        let made_from = digest_of(&blake3::hash(path.as_bytes()));
        if staging.keep(path, made_from) {
            return Ok(());
        }
        let product = catalog.product(*index)?.product;
        let is_it = |model: &&_| media.model(model).is_ok_and(|model| model.own_path() == Some(&**path));
        let gone =
            || format!("the 3D model of product {} has gone since the catalogue was read; run again", product.id);
        let model = product.models.iter().find(is_it).with_context(gone)?;
        let bytes = media.model_bytes(model).map_err(anyhow::Error::from)?.with_context(gone)?;
        Ok(staging.write_made(path, &bytes, Made { from: Some(made_from), ..Made::default() })?)
    })
}
