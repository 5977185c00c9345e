//! The pictures of a catalogue's products, made ready between reading it and planning pages.
//!
//! Only what is in the store is made. A picture that turns out to be broken costs itself only: it is told, and the
//! product's next one, or the drawing, takes its place.

use super::{RunError, report, stop_if_cancelled};
use crate::assets::cache::Cache;
use crate::assets::media::{Media, MediaFile, shortened};
use crate::assets::pictures::Pictures;
use crate::config::StoreConfiguration;
use crate::enhance::{EnhancedCatalog, EnhancedProduct, ProductRecord};
use crate::event::{Event, Finding, Observer, Outcome, Phase};
use crate::room::Room;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Products between two looks at the observer.
const BATCH: usize = 256;

/// Makes the pictures of all products ready, and lets `media` and the records know what has become of them.
///
/// # Errors
/// See [`RunError`].
pub(super) fn make(
    config: &StoreConfiguration,
    media: &mut Media,
    catalog: &mut EnhancedCatalog,
    cache: &Cache,
    room: Room,
    observer: &dyn Observer,
) -> Result<(), RunError> {
    let collections = config.catalog.collections.products.join(", ");
    let files = originals(config, media, catalog, &collections, observer)?;
    observer.observe(Event::Started { phase: Phase::Images, total: Some(files.len() as u64) });
    let pictures = Pictures::make(&files, &config.images, cache, room, observer)?;
    let has_problems = pictures.has_problems();
    media.set_pictures(pictures);
    if has_problems {
        replace_broken(config, media, catalog, &collections, observer)?;
    }
    observer.observe(Event::Finished { phase: Phase::Images, steps: files.len() as u64 });
    Ok(())
}

/// Every original that a page will show, each once, in order of their names.
fn originals(
    config: &StoreConfiguration,
    media: &Media,
    catalog: &EnhancedCatalog,
    collections: &str,
    observer: &dyn Observer,
) -> Result<Vec<MediaFile>, RunError> {
    let indices = with_files(config, catalog);
    let found = indices.par_chunks(BATCH).map(|batch| -> Result<BTreeMap<String, MediaFile>, RunError> {
        stop_if_cancelled(observer)?;
        let mut found = BTreeMap::new();
        for &index in batch {
            let enhanced = catalog.product(index)?;
            for source in enhanced.product.pictures() {
                match media.resolve(source) {
                    Ok(file) if file.hash.is_some() => drop(found.entry(file.url_path.clone()).or_insert(file)),
                    Ok(_) => {}
                    // What is on servers has been told when it was fetched, and of the product's own pictures those that
                    // are wrong have been left out. So this is one of a colour.
                    Err(problem) if media.distant(source).is_none() => {
                        report([finding(&enhanced, collections, problem.reason, problem.detail)], observer);
                    }
                    Err(_) => {}
                }
            }
        }
        Ok(found)
    });
    let all = found.try_reduce(BTreeMap::new, |mut all, mut some| {
        all.append(&mut some);
        Ok(all)
    })?;
    Ok(all.into_values().collect())
}

/// Indices of the products that have pictures to be made ready: the others need not be read.
fn with_files(config: &StoreConfiguration, catalog: &EnhancedCatalog) -> Vec<u32> {
    (0..)
        .zip(catalog.records.iter())
        .filter(|(_, record)| record.has_files || record.needs_fetching(config.download.enabled))
        .map(|(index, _)| index)
        .collect()
}

/// Tells of every picture that cannot be shown, and gives products whose first one it is the next that can.
fn replace_broken(
    config: &StoreConfiguration,
    media: &Media,
    catalog: &mut EnhancedCatalog,
    collections: &str,
    observer: &dyn Observer,
) -> Result<(), RunError> {
    /// Record, and the picture that is its first now.
    type Change = (u32, Option<(Box<str>, Box<str>)>);
    let indices = with_files(config, catalog);
    let changes = indices.par_chunks(BATCH).map(|batch| -> Result<Vec<Change>, RunError> {
        stop_if_cancelled(observer)?;
        let mut changes = Vec::new();
        for &index in batch {
            let enhanced = catalog.product(index)?;
            let is_broken = |source: &str| match media.resolve(source).ok().and_then(|file| {
                let problem = media.picture(&file)?.err()?;
                Some(finding(&enhanced, collections, problem.reason, format!("`{}` {problem}", shortened(source))))
            }) {
                Some(finding) => {
                    report([finding], observer);
                    true
                }
                None => false,
            };
            let product = &enhanced.product;
            let broken: Vec<bool> = product.images.iter().map(|image| is_broken(&image.source)).collect();
            for source in product.variants.iter().filter_map(|variant| variant.image.as_deref()) {
                // One that is also a picture of the product has been told.
                if product.images.iter().all(|image| image.source != source) {
                    is_broken(source);
                }
            }
            if broken.first() == Some(&true) {
                let shown = product.images.iter().zip(&enhanced.image_alts).zip(&broken).find(|(_, broken)| !**broken);
                changes
                    .push((index, shown.map(|((image, alt), _)| (image.source.as_str().into(), alt.as_str().into()))));
            }
        }
        Ok(changes)
    });
    let changes: Vec<Change> = changes.try_reduce(Vec::new, |mut all, some| {
        all.extend(some);
        Ok(all)
    })?;
    for (index, image) in changes {
        let record = catalog.records.at(index).into_owned();
        catalog.records.replace(index, ProductRecord { image, ..record })?;
    }
    Ok(())
}

fn finding(enhanced: &EnhancedProduct, collections: &str, reason: &str, detail: String) -> Finding {
    Finding {
        outcome: Outcome::Repaired,
        reason: reason.to_string(),
        collection: collections.to_string(),
        document: enhanced.product.id.clone(),
        field: "media".to_string(),
        detail,
    }
}
