//! How a catalogue is read: as far as it has to be, with what is remembered of the last time and what other stores have read.
//!
//! In: the source, and what a run may fall back on. Out: an enhanced catalogue, or the word that the store that stands was
//! made from just that.

use super::{GenerateOptions, Last, RunError, held, report, stop_if_cancelled, tell_of_damage};
use crate::assets::media::Media;
use crate::catalog::{Block, CopyWriter, Mapper, RawDocument, References, SharedReadings, Source};
use crate::config::{ConfigErrors, StoreConfiguration};
use crate::enhance::{
    self, Collector, Comparison, Damaged, EnhancedCatalog, Mapped, Standing, Undecided, Unwritten, Written, collect,
};
use crate::event::{Event, Finding, Observer, Phase, Reading};
use crate::language::Words;
use crate::room::Room;
use crate::score::Rules;
use crate::site::{self, Digest, Whole};
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A catalogue that has been read to the end.
pub struct ReadCatalog {
    /// Everything pages are planned from.
    pub catalog: EnhancedCatalog,
    /// The rules the scores came from.
    pub rules: Rules,
    /// Documents read, whatever became of them.
    pub documents: u64,
}

/// What stands beside the products.
pub(super) struct Beside {
    /// Hash of the configuration that it was read with.
    of: blake3::Hash,
    references: Arc<References>,
}

/// What reading a catalogue came to.
pub(super) enum Read {
    /// The store that stands was made from it; what is remembered of it stays so.
    AsBefore(Whole, Reading, Option<Box<Written>>),
    /// A catalogue, how it was read, which state of it that is, as far as anything is remembered, and what the next run
    /// is to know of it.
    Whole(Box<ReadCatalog>, Reading, Option<Standing>, Option<Box<Unwritten>>),
}

/// Reads the catalogue as far as it has to be read; reads it again where what is remembered turns out to be damaged.
pub(super) fn read_again(
    with: &Reader<'_>,
    options: &GenerateOptions,
    last: &Last,
    output: &site::Output,
    written: &Mutex<Option<Written>>,
    observer: &dyn Observer,
) -> Result<Read, RunError> {
    let open = |forget: bool| {
        let own = lock(written).take();
        let open = |folder: &Path| enhance::Memory::open(folder, &last.name, forget, own);
        last.folder.as_deref().map(open).transpose().map(Option::flatten)
    };
    let stands = |standing: &Standing| last.stands(output, standing).filter(|_| !options.full);
    let remembered = |memory| Remembered { memory, settings: last.settings, stands: &stands };
    let outcome = read(with, &options.work_dir, open(options.full)?.map(remembered), true, observer);
    match outcome {
        Err(RunError::Failed(error)) if error.is::<Undecided>() => {
            read(with, &options.work_dir, open(options.full)?.map(remembered), false, observer)
        }
        Err(RunError::Failed(error)) if error.is::<Damaged>() => {
            tell_of_damage(observer);
            with.copy.map_or(Ok(()), CopyWriter::begin_anew)?;
            read(with, &options.work_dir, open(true)?.map(remembered), false, observer)
        }
        outcome => outcome,
    }
}

/// What a catalogue is read with.
pub(super) struct Reader<'a> {
    pub(super) config: &'a StoreConfiguration,
    pub(super) words: &'a Words,
    pub(super) media: &'a Media,
    /// Where a copy of what a server gives goes.
    pub(super) copy: Option<&'a CopyWriter>,
    /// What other stores of the run read as well, and the job that this one is read for.
    pub(super) shared: Option<(&'a SharedReadings, &'a str)>,
    pub(super) room: Room,
    /// What stood beside the products the last time, and now.
    pub(super) beside: &'a Mutex<Option<Beside>>,
    /// The store will be made again by the same process.
    pub(super) is_for_rounds: bool,
}

/// What a reading can fall back on.
struct Remembered<'a> {
    memory: enhance::Memory,
    settings: Digest,
    /// The store that stands, if it was made from this state of the catalogue.
    stands: &'a dyn Fn(&Standing) -> Option<Whole>,
}

/// Reads, maps, scores and enhances the whole catalogue; what the products lack is said in `words`.
///
/// # Errors
/// See [`RunError`].
pub fn read_catalog(
    config: &StoreConfiguration,
    words: &Words,
    media: &Media,
    work_dir: &Path,
    observer: &dyn Observer,
) -> Result<ReadCatalog, RunError> {
    let room = Room::default();
    let beside = &Mutex::default();
    let with = Reader { config, words, media, copy: None, shared: None, room, beside, is_for_rounds: false };
    match read(&with, work_dir, None, false, observer)? {
        Read::Whole(catalog, ..) => Ok(*catalog),
        Read::AsBefore(..) => {
            Err(RunError::Failed(anyhow::anyhow!("nothing is remembered, so nothing can be as before")))
        }
    }
}

fn read(
    with: &Reader<'_>,
    work_dir: &Path,
    remembered: Option<Remembered<'_>>,
    believes: bool,
    observer: &dyn Observer,
) -> Result<Read, RunError> {
    let Reader { config, words, media, copy, shared, room, beside, is_for_rounds } = *with;
    observer.observe(Event::Started { phase: Phase::Connect, total: None });
    let mapper = Mapper::new(config.catalog.mapping.as_ref(), config.currency)
        .map_err(|errors| RunError::Config(ConfigErrors::new(config.catalog.mapping_places.errors(&errors))))?
        .in_locales(&config.locales);
    let mut source = Source::open(&config.catalog)?.copied_to(copy.cloned()).within(room);
    let moment = remembered.as_ref().and_then(|remembered| remembered.memory.moment());
    // Of what was written before a moment that another process has kept, nothing will be told to this one.
    let is_own = remembered.as_ref().is_some_and(|remembered| remembered.memory.is_own());
    let of = held::hash_of(config);
    let known = lock(beside).take().filter(|beside| is_own && beside.of == of).map(|beside| beside.references);
    // A copy of the catalogue needs every document.
    let may_be_told = believes && copy.is_none() && moment.is_some();
    if remembered.is_some() {
        source = source.asking_for_changes(moment, known.is_some());
    }
    let shared = shared.and_then(|(readings, job)| Some((readings.of(config)?, job)));
    if let Some((reading, job)) = shared.filter(|_| !may_be_told) {
        source = source.sharing(reading.turn(config, job, work_dir, observer)?);
    }
    let is_anothers = source.is_anothers();
    let witness = source.witness().map(|witness| collect::digest_of(&blake3::hash(&witness)));
    if let Some(Remembered { memory, settings, stands }) = &remembered
        && let Some(standing) = witness.and_then(|witness| memory.unchanged(*settings, witness, media))
        && let Some(whole) = stands(&standing)
    {
        observer.observe(Event::Finished { phase: Phase::Connect, steps: 1 });
        observer.observe(Event::Started { phase: Phase::Products, total: Some(standing.count) });
        report(memory.findings().cloned(), observer);
        observer.observe(Event::Finished { phase: Phase::Products, steps: standing.count });
        return Ok(Read::AsBefore(whole, Reading::SameFiles, None));
    }
    let references = source.references_again(known, observer)?;
    *lock(beside) = is_for_rounds.then(|| Beside { of, references: Arc::clone(&references) });
    let mut findings = references.findings.clone();
    let mapper = mapper.with_references(Arc::clone(&references));
    let collector = Collector::new(words, &references, media, &config.product_filters, work_dir, &mut findings)?;
    let collector = collector.within(room).for_rounds(is_for_rounds);
    let about_references = findings.clone();
    let (collector, stands) = match remembered {
        Some(Remembered { memory, settings, stands }) => {
            let moment = source.told().map(|told| told.moment.clone());
            (collector.remembering(memory, settings, witness, findings, moment)?, Some(stands))
        }
        None => (collector, None),
    };
    let changed = source.told().and_then(|told| told.changed.as_ref()).filter(|_| may_be_told);
    let believed = changed.and_then(|changed| Some((changed, collector.believe(&changed.keys)?)));
    if shared.is_some() && may_be_told && believed.is_none() {
        // Then all documents are needed, which may be there already.
        return Err(RunError::Failed(Undecided.into()));
    }
    let changed = believed.as_ref().map(|(changed, _)| *changed);
    let products = source.products(&config.product_filters, &references, changed, observer)?;
    observer.observe(Event::Finished { phase: Phase::Connect, steps: 1 });

    let before = collector.comparison().map_or(0, |comparison| comparison.count);
    let total = products.total_hint().map(|total| before + total);
    observer.observe(Event::Started { phase: Phase::Products, total });
    observer.observe(Event::Advanced { phase: Phase::Products, steps: before });
    let documents = AtomicU64::new(before);
    // Changes may turn out not to be enough; then everything is read, and told only once.
    let is_told = believed.is_some();
    let told = Mutex::new(believed.map(|(_, findings)| findings).unwrap_or_default());
    let tell = |findings: Vec<Finding>| {
        if is_told {
            lock(&told).extend(findings);
        } else {
            report(findings, observer);
        }
    };
    tell(about_references);
    let compares = stands.is_some();
    products.par_bridge().try_for_each(|block| -> Result<(), RunError> {
        let block = block?;
        stop_if_cancelled(observer)?;
        tell(take_block(&collector, &mapper, &block, compares)?);
        let count = block.documents.len() as u64;
        documents.fetch_add(count, Ordering::Relaxed);
        observer.observe(Event::Advanced { phase: Phase::Products, steps: count });
        Ok(())
    })?;
    let documents = documents.into_inner();
    let comparison = collector.comparison();
    let same = comparison.filter(|comparison| comparison.is_same);
    if let Some((comparison, whole)) = same.and_then(|comparison| Some((comparison, stands?(&comparison.standing)?))) {
        let (findings, written) = collector.end_as_before();
        tell(findings);
        report(told.into_inner().unwrap_or_else(PoisonError::into_inner), observer);
        observer.observe(Event::Finished { phase: Phase::Products, steps: documents });
        return Ok(Read::AsBefore(whole, how(documents, Some(&comparison), is_anothers), written.map(Box::new)));
    }
    let rules = collector.rules().clone();
    let mut findings = Vec::new();
    let (catalog, unwritten) = collector.finish(config.sort, config.product_filters.max_products, &mut findings)?;
    tell(findings);
    report(told.into_inner().unwrap_or_else(PoisonError::into_inner), observer);
    observer.observe(Event::Finished { phase: Phase::Products, steps: documents });
    stop_if_cancelled(observer)?;
    let reading = how(documents, comparison.as_ref(), is_anothers);
    let standing = comparison.map(|comparison| comparison.standing);
    let unwritten = unwritten.map(Box::new);
    Ok(Read::Whole(Box::new(ReadCatalog { catalog, rules, documents }), reading, standing, unwritten))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a catalogue was read that was read to its end.
fn how(documents: u64, comparison: Option<&Comparison>, is_anothers: bool) -> Reading {
    let known = comparison.map_or(0, |comparison| comparison.known);
    let other = documents - known;
    match known {
        _ if is_anothers => Reading::Shared { known, other },
        _ if comparison.is_some_and(|comparison| comparison.was_told) => Reading::Told { known, other },
        0 => Reading::Whole,
        _ => Reading::Compared { known, other },
    }
}

/// Maps the documents of a block that are not as they were, and hands them on. Gives what was noteworthy.
fn take_block(
    collector: &Collector<'_>,
    mapper: &Mapper,
    block: &Block,
    compares: bool,
) -> anyhow::Result<Vec<Finding>> {
    let hash = |document: &RawDocument| document.digest(&block.collection).filter(|_| compares);
    let hashes: Vec<Option<Digest>> = block.documents.iter().map(hash).collect();
    let key = |document: &RawDocument| document.key(&block.collection).filter(|_| compares);
    let keys: Vec<Option<Digest>> = block.documents.iter().map(key).collect();
    let (known, mut findings) = collector.recognise(block.sequence, &hashes, &keys);
    let others = block.documents.iter().enumerate().filter(|(position, _)| !known[*position]);
    let mapped = others.map(|(position, document)| {
        let mut findings = Vec::new();
        let product = mapper.product(document, &block.collection, &mut findings);
        Mapped { position, hash: hashes[position], key: keys[position], product, findings }
    });
    findings.extend(collector.take(block.sequence, &block.collection, mapped.collect())?);
    Ok(findings)
}
