//! Fetches the pictures and 3D models that are neither beside the catalogue nor in it, before pages are planned.
//!
//! A picture that cannot be had costs its product that picture alone: it is reported, and the next one, or the drawing,
//! takes its place.

use super::{RunError, stop_if_cancelled};
use crate::assets::cache::{Cache, Key, Shelf};
use crate::assets::fetch::{FetchError, Fetched, fetch_all};
use crate::assets::media::{Distant, Media, MediaProblem};
use crate::catalog::{Source, StoredContents, StoredFile};
use crate::config::StoreConfiguration;
use crate::enhance::collect::digest;
use crate::enhance::{EnhancedCatalog, ProductRecord};
use crate::event::{Event, Finding, Observer, Outcome, Phase};
use crate::reliability::Breakers;
use crate::room::Room;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use url::Url;

impl From<FetchError> for RunError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            FetchError::Failed(error) => Self::Failed(error),
        }
    }
}

/// Fetches what the products of the catalogue need, and takes what cannot be had out of their records. Gives whether
/// there was anything to fetch.
pub(super) fn fetch(
    config: &StoreConfiguration,
    catalog: &mut EnhancedCatalog,
    media: &Media,
    cache: &Cache,
    breakers: &Breakers<'_>,
    room: Room,
    observer: &dyn Observer,
) -> Result<bool, RunError> {
    let wanted = wanted(config, catalog, media, observer)?;
    if wanted.is_empty() {
        return Ok(false);
    }
    observer.observe(Event::Started { phase: Phase::Fetch, total: Some(wanted.len() as u64) });
    let mut outcome = Outcomes { media, observer, wanted: &wanted, problems: Mutex::default() };
    let mut urls = BTreeSet::new();
    let mut files = Vec::new();
    for place in wanted.keys() {
        match place {
            Distant::Web(url) => drop(urls.insert(url.clone())),
            Distant::Stored(file) => files.push(file.clone()),
        }
    }
    if !files.is_empty() {
        stored(config, &files, cache, &outcome)?;
    }
    if !urls.is_empty() {
        web(config, &urls, cache, breakers, room, &outcome)?;
    }
    observer.observe(Event::Finished { phase: Phase::Fetch, steps: wanted.len() as u64 });
    let problems = std::mem::take(outcome.problems.get_mut().unwrap_or_else(PoisonError::into_inner));
    replace(config, catalog, media, &wanted, &problems, observer)?;
    Ok(true)
}

/// Something that has to be fetched.
struct Wanted {
    /// A 3D model, not a picture.
    is_model: bool,
    /// The products that show it.
    products: Vec<u32>,
}

/// Everything that has to be fetched.
fn wanted(
    config: &StoreConfiguration,
    catalog: &EnhancedCatalog,
    media: &Media,
    observer: &dyn Observer,
) -> Result<BTreeMap<Distant, Wanted>, RunError> {
    let links_are_enough = |place: &Distant| matches!(place, Distant::Web(_)) && !config.download.enabled;
    let found: Vec<(Distant, bool, u32)> = (0..catalog.records.len() as u32)
        .into_par_iter()
        .filter(|&index| catalog.records.at(index).needs_fetching(config.download.enabled))
        .map(|index| -> Result<Vec<(Distant, bool, u32)>, RunError> {
            stop_if_cancelled(observer)?;
            let product = catalog.product(index)?.product;
            let pictures = product.pictures().map(|source| (source, false));
            let models = product.models.iter().map(|model| (model.source.as_str(), true));
            let places =
                pictures.chain(models).filter_map(|(source, is_model)| Some((media.distant(source)?, is_model)));
            let needed = places.filter(|(place, _)| !links_are_enough(place));
            Ok(needed.map(|(place, is_model)| (place, is_model, index)).collect())
        })
        .try_reduce(Vec::new, |mut all, more| {
            all.extend(more);
            Ok(all)
        })?;
    let mut wanted: BTreeMap<Distant, Wanted> = BTreeMap::new();
    for (place, is_model, index) in found {
        let Wanted { products, .. } = wanted.entry(place).or_insert(Wanted { is_model, products: Vec::new() });
        if products.last() != Some(&index) {
            products.push(index);
        }
    }
    Ok(wanted)
}

/// Where fetched pictures go as they come.
struct Outcomes<'a> {
    media: &'a Media,
    observer: &'a dyn Observer,
    wanted: &'a BTreeMap<Distant, Wanted>,
    problems: Mutex<BTreeMap<Distant, MediaProblem>>,
}

impl Outcomes<'_> {
    fn take(&self, place: Distant, outcome: Result<Fetched, MediaProblem>) {
        let is_model = self.wanted.get(&place).is_some_and(|wanted| wanted.is_model);
        let taken = match is_model {
            true => self.media.take_fetched_model(&place, outcome),
            false => self.media.take_fetched(&place, outcome),
        };
        if let Err(problem) = taken {
            self.problems.lock().unwrap_or_else(PoisonError::into_inner).insert(place, problem);
        }
        self.observer.observe(Event::Advanced { phase: Phase::Fetch, steps: 1 });
    }
}

fn web(
    config: &StoreConfiguration,
    urls: &BTreeSet<Url>,
    cache: &Cache,
    breakers: &Breakers<'_>,
    room: Room,
    outcomes: &Outcomes<'_>,
) -> Result<(), RunError> {
    let has_answer = fetch_all(urls, &config.download, cache, breakers, room, outcomes.observer, &|url, outcome| {
        outcomes.take(Distant::Web(url.clone()), outcome);
    })?;
    if !has_answer {
        // Without a network nothing is known about any picture, so none is taken for dead.
        let mut problems = outcomes.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown: Vec<Distant> = problems
            .iter()
            .filter(|(_, problem)| problem.reason == "media_unreachable")
            .map(|(place, _)| place.clone())
            .collect();
        for place in &unknown {
            problems.remove(place);
            outcomes.media.forget_fetched(place);
            outcomes.media.forget_fetched_model(place);
        }
        let note = "no server of pictures answers, so they are linked and not copied; is this machine offline?";
        if !unknown.is_empty() {
            outcomes.observer.observe(Event::Note(note.into()));
        }
    }
    Ok(())
}

fn stored(
    config: &StoreConfiguration,
    files: &[StoredFile],
    cache: &Cache,
    outcomes: &Outcomes<'_>,
) -> Result<(), RunError> {
    /// Hash and version.
    type Known = ([u8; 32], String);
    let source = Source::open(&config.catalog)?;
    let server = config.catalog.uri.display_safe();
    let key = |file: &StoredFile| {
        let parts = [server.as_str(), &config.catalog.database, &file.bucket, &file.id];
        Key::new(Shelf::Facts, "gridfs 1", &parts.map(str::as_bytes))
    };
    let kept = |file: &StoredFile| {
        let (hash, version) = cache.look::<Known>(&key(file))?.about;
        Some((Fetched::kept(hash, cache)?, version))
    };
    let mut failed = Ok(());
    let keep = |file: &StoredFile, bytes: &[u8], version: String| -> anyhow::Result<Fetched> {
        let fetched = Fetched::keep(bytes, cache)?;
        cache.put::<Known, &[u8]>(&key(file), (fetched.hash, version), &[])?;
        Ok(fetched)
    };
    let known = |file: &StoredFile| kept(file).map(|(_, version)| version);
    source.stored_files(files, config.download.max_size, outcomes.observer, &known, &mut |file, contents| {
        let place = Distant::Stored(file.clone());
        let problem =
            |reason, what: &str| Err(MediaProblem { reason, detail: format!("the picture `{place}` {what}") });
        let was_there = matches!(contents, StoredContents::Same);
        let outcome = match contents {
            StoredContents::Same => match kept(file) {
                Some((fetched, _)) => Ok(fetched),
                None => problem("media_unreachable", "is gone from the cache; run again"),
            },
            StoredContents::Bytes(bytes, version) => match keep(file, &bytes, version) {
                Ok(fetched) => Ok(fetched),
                Err(error) => {
                    failed = Err(error);
                    return;
                }
            },
            StoredContents::Missing => {
                problem("media_missing", "is not in the database; add it or correct the address")
            }
            StoredContents::TooLarge => problem("media_too_large", "is larger than `images.max_download` allows"),
            StoredContents::Broken(why) => problem("media_unreadable", &format!("cannot be read: {why}")),
        };
        cache.count(Shelf::Downloads, was_there);
        outcomes.take(place, outcome);
    })?;
    failed.map_err(RunError::Failed)
}

/// Reports what cannot be had, and gives the records the next picture that can.
fn replace(
    config: &StoreConfiguration,
    catalog: &mut EnhancedCatalog,
    media: &Media,
    wanted: &BTreeMap<Distant, Wanted>,
    problems: &BTreeMap<Distant, MediaProblem>,
    observer: &dyn Observer,
) -> Result<(), RunError> {
    let collection = config.catalog.collections.products.join(", ");
    let mut concerned = BTreeSet::new();
    for (place, problem) in problems {
        for &index in &wanted[place].products {
            concerned.insert(index);
            observer.observe(Event::Found(Finding {
                outcome: Outcome::Repaired,
                reason: problem.reason.to_string(),
                collection: collection.clone(),
                document: catalog.records.at(index).id.to_string(),
                field: "media".to_string(),
                detail: problem.detail.clone(),
            }));
        }
    }
    // The file at an address may be another one than in the last run.
    for (place, Wanted { is_model, products }) in wanted {
        for &index in products {
            let models = match is_model {
                true => Some(media.own_models(&catalog.product(index)?.product)),
                false => None,
            };
            let mut record = catalog.records.at(index).into_owned();
            let mut hasher = blake3::Hasher::new();
            hasher.update(&record.content).update(place.to_string().as_bytes());
            if let Some(models) = models {
                record.models = models;
                record.models.iter().for_each(|path| _ = hasher.update(path.as_bytes()));
                record.content = digest(&hasher);
                catalog.records.replace(index, record)?;
                continue;
            }
            match media.resolve(&place.to_string()) {
                Ok(file) => hasher.update(format!("{} {:?} {:?}", file.url_path, file.width, file.height).as_bytes()),
                Err(problem) => hasher.update(problem.reason.as_bytes()),
            };
            record.content = digest(&hasher);
            catalog.records.replace(index, record)?;
        }
    }
    for index in concerned {
        let enhanced = catalog.product(index)?;
        let mut images = enhanced.product.images.iter().zip(&enhanced.image_alts);
        let usable = images.find(|(image, _)| media.resolve(&image.source).is_ok());
        let image = usable.map(|(image, alt)| (image.source.as_str().into(), alt.as_str().into()));
        let record = catalog.records.at(index).into_owned();
        catalog.records.replace(index, ProductRecord { image, ..record })?;
    }
    Ok(())
}
