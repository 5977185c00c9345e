//! One reading of a server's catalogue for all stores of a run that share it.
//!
//! In: the stores of a run. The first of those with one catalogue that needs every document reads it, asks for what any of
//! them wants, and writes down what it is sent ([`super::spool`]); the others wait, and take it from there. A reading that
//! comes to nothing, because its store fails or is cancelled, is begun anew by the next one that waits; where the server
//! does not answer, those that waited hear of it as well. Stores that ask their server in other words, because their
//! mappings name other fields, do not share.

use super::CatalogError;
use super::document::RawDocument;
use super::mongodb::Told;
use super::pushdown;
use super::references::{Beside, Collecting};
use super::spool::{About, Part, Spool, SpoolWriter};
use super::stream::{Gone, Outlet};
use super::targets::Mappings;
use crate::config::{CatalogSettings, MappingFile, Patience, ProductFilters, StoreConfiguration};
use crate::event::{Cancelled, Event, Observer};
use mongodb::bson::Document;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a wait looks whether the run was cancelled.
const GLANCE: Duration = Duration::from_millis(20);

/// The catalogues that several stores of a run have in common; none by default.
#[derive(Clone, Debug, Default)]
pub struct SharedReadings {
    by_catalog: Arc<BTreeMap<String, Arc<SharedReading>>>,
}

impl SharedReadings {
    /// What the stores of a run have in common.
    pub fn among<'a>(stores: impl IntoIterator<Item = &'a StoreConfiguration>) -> Self {
        let mut wishes: BTreeMap<String, Vec<Wish>> = BTreeMap::new();
        for store in stores {
            if let Some(catalog) = catalog_of(&store.catalog) {
                wishes.entry(catalog).or_default().push(Wish::of(store));
            }
        }
        let shared = wishes.into_iter().filter(|(_, wishes)| wishes.len() > 1);
        let shared = shared.map(|(catalog, wishes)| (catalog, Arc::new(SharedReading::new(wishes))));
        Self { by_catalog: Arc::new(shared.collect()) }
    }

    /// The reading that a store takes part in, unless it has its catalogue to itself.
    pub fn of(&self, store: &StoreConfiguration) -> Option<&Arc<SharedReading>> {
        let reading = self.by_catalog.get(&catalog_of(&store.catalog)?)?;
        // The store file may have been written to since; the others do not ask for what it wants now.
        reading.wishes.contains(&Wish::of(store)).then_some(reading)
    }
}

/// A hash of where documents come from and what is asked for of each; `None` for files.
fn catalog_of(settings: &CatalogSettings) -> Option<String> {
    let server = settings.server()?;
    let mappings = Mappings::compile(settings.mapping.as_ref()).ok()?.in_locales(&settings.locales);
    let asked = format!("{server} {:?}", pushdown::projection(&mappings));
    Some(blake3::hash(asked.as_bytes()).to_hex().to_string())
}

/// Which documents a store wants.
#[derive(PartialEq)]
struct Wish {
    mapping: Option<MappingFile>,
    locales: Vec<String>,
    filters: ProductFilters,
}

impl Wish {
    fn of(store: &StoreConfiguration) -> Self {
        let CatalogSettings { mapping, locales, .. } = &store.catalog;
        Self { mapping: mapping.clone(), locales: locales.clone(), filters: store.product_filters.clone() }
    }

    /// The query that finds them, given the brands and categories there are.
    fn query(&self, named: &[(Beside, RawDocument)]) -> Document {
        let Ok(mappings) = Mappings::compile(self.mapping.as_ref()) else { return Document::new() };
        let mappings = mappings.in_locales(&self.locales);
        let mut collecting = Collecting::new(&mappings);
        if !(self.filters.brand.is_empty() && self.filters.category.is_empty()) {
            named.iter().for_each(|(kind, raw)| collecting.take(*kind, raw, ""));
        }
        pushdown::query(&mappings, &self.filters, &collecting.finish())
    }
}

/// A catalogue that is read once.
pub struct SharedReading {
    wishes: Vec<Wish>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The job that reads now.
    reader: Option<String>,
    /// Readings that have been begun.
    begun: u64,
    /// Of the last one, if the server did not answer: how long it was waited for, and what it came to.
    unanswered: Option<(Patience, String)>,
    spool: Option<Arc<Spool>>,
}

impl fmt::Debug for SharedReading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SharedReading").field("stores", &self.wishes.len()).finish_non_exhaustive()
    }
}

/// What a store does to have every document.
pub enum Turn {
    /// It reads them, and keeps them for the others.
    Read(Keeper),
    /// It takes them from another's reading.
    Take(Taken),
}

/// Another store's reading, or an earlier one of the same store.
#[derive(Clone)]
pub struct Taken(Arc<Spool>);

impl Taken {
    /// Up to when the server had told of its changes when it was read.
    pub(super) fn told(&self) -> Option<&Told> {
        self.0.about.told.as_ref()
    }

    /// As the server's own. Tells what was noted of the whole reading, too.
    pub(super) fn references(
        &self,
        observer: &dyn Observer,
        take: &mut dyn FnMut(Beside, &RawDocument),
    ) -> Result<(), CatalogError> {
        self.0.about.notes.iter().for_each(|note| observer.observe(Event::Note(note.clone())));
        for kind in Beside::ALL {
            let taken = self.0.each(&Part::References(kind), |raw| {
                take(kind, &raw);
                ControlFlow::Continue(())
            });
            let _: ControlFlow<()> = taken.map_err(|error| unreadable(&error))?;
        }
        Ok(())
    }

    /// Reads the products that a query finds into an outlet.
    pub(super) fn products(&self, names: &[String], query: Document, outlet: &mut Outlet) -> Result<(), CatalogError> {
        if query != self.0.about.query {
            outlet.only(query);
        }
        for name in names {
            outlet.begin(name);
            let part = Part::Products(name.clone());
            let flow = self.0.each(&part, |raw| match outlet.push(raw) {
                Ok(()) => ControlFlow::Continue(()),
                Err(Gone) => ControlFlow::Break(()),
            });
            if flow.map_err(|error| unreadable(&error))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// How many products a query finds, where that is known.
    pub(super) fn total(&self, query: &Document) -> Option<u64> {
        (query.is_empty() || *query == self.0.about.query).then(|| self.0.products())
    }
}

fn unreadable(error: &io::Error) -> CatalogError {
    CatalogError::Unavailable(format!("what another store has read of the catalogue cannot be read again: {error}"))
}

impl SharedReading {
    fn new(wishes: Vec<Wish>) -> Self {
        Self { wishes, state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another store's reading is there or this `store` has to read; `job` tells the others who reads, and
    /// `folder` is where it may write.
    ///
    /// # Errors
    /// [`CatalogError::Cancelled`], and [`CatalogError::Unavailable`] when the reading that was waited for failed of it.
    pub fn turn(
        self: &Arc<Self>,
        store: &StoreConfiguration,
        job: &str,
        folder: &Path,
        observer: &dyn Observer,
    ) -> Result<Turn, CatalogError> {
        let mut waited_for = None;
        loop {
            let mut state = self.state();
            if let Some(spool) = &state.spool {
                return Ok(Turn::Take(Taken(Arc::clone(spool))));
            }
            let Some(reader) = state.reader.clone() else {
                if let Some((others, message)) = &state.unanswered
                    && waited_for == Some(state.begun)
                    && *others == store.catalog.patience
                {
                    return Err(CatalogError::Unavailable(message.clone()));
                }
                state.reader = Some(job.to_string());
                state.begun += 1;
                state.unanswered = None;
                drop(state);
                return Ok(Turn::Read(Keeper::begin(Arc::clone(self), store, folder)));
            };
            if waited_for != Some(state.begun) {
                waited_for = Some(state.begun);
                drop(state);
                observer.observe(Event::Note(format!("waiting for {reader}, which reads the same catalogue")));
                continue;
            }
            drop(self.changed.wait_timeout(state, GLANCE).unwrap_or_else(PoisonError::into_inner));
            if observer.is_cancelled() {
                return Err(Cancelled.into());
            }
        }
    }

    /// A query that finds what any of the stores wants.
    fn query(&self, named: &[(Beside, RawDocument)]) -> Document {
        let mut queries: Vec<Document> = Vec::new();
        for query in self.wishes.iter().map(|wish| wish.query(named)) {
            if query.is_empty() {
                return query;
            }
            if !queries.contains(&query) {
                queries.push(query);
            }
        }
        match queries.len() {
            0 | 1 => queries.pop().unwrap_or_default(),
            _ => mongodb::bson::doc! { "$or": queries },
        }
    }
}

/// Keeps what a store reads for the others, from any thread. Trouble with the disk is told at the end and does not keep the
/// store itself from anything.
#[derive(Clone)]
pub struct Keeper(Arc<Keeping>);

struct Keeping {
    reading: Arc<SharedReading>,
    patience: Patience,
    kept: Mutex<Kept>,
}

struct Kept {
    /// Nothing once it is finished.
    writer: Option<io::Result<SpoolWriter>>,
    part: Option<Part>,
    /// Brands and categories, which stores call by their names.
    named: Vec<(Beside, RawDocument)>,
    about: About,
    unanswered: Option<String>,
}

impl Keeper {
    fn begin(reading: Arc<SharedReading>, store: &StoreConfiguration, folder: &Path) -> Self {
        let writer = Some(SpoolWriter::create_in(folder));
        let kept = Kept { writer, part: None, named: Vec::new(), about: About::default(), unanswered: None };
        let kept = Mutex::new(kept);
        Self(Arc::new(Keeping { reading, patience: store.catalog.patience, kept }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server has to be asked for on behalf of all stores, once the other collections are read; it had `told` of its
    /// changes before.
    pub(super) fn query(&self, told: Option<&Told>) -> Document {
        let mut kept = self.kept();
        let query = self.0.reading.query(&std::mem::take(&mut kept.named));
        kept.about.query = query.clone();
        // What was written to since the reader's last moment is no concern of the other stores.
        kept.about.told = told.map(|told| Told { moment: told.moment.clone(), changed: None });
        query
    }

    /// Says which documents follow.
    pub(super) fn begin_part(&self, part: Part) {
        self.kept().part = Some(part);
    }

    /// Adds a document.
    pub(super) fn add(&self, document: &RawDocument) {
        let mut kept = self.kept();
        let Kept { writer, part: Some(part), named, .. } = &mut *kept else { return };
        if let Part::References(kind @ (Beside::Brands | Beside::Categories)) = part {
            named.push((*kind, document.clone()));
        }
        if let Some(Ok(open)) = writer
            && let Err(error) = open.add(part, document)
        {
            *writer = Some(Err(error));
        }
    }

    /// Adds what a person should know of the reading.
    pub(super) fn note(&self, note: &str) {
        self.kept().about.notes.push(note.to_string());
    }

    /// Has those that wait for the reading know that it failed.
    pub(super) fn failed(&self, error: &CatalogError) {
        if let CatalogError::Unavailable(message) = error {
            self.kept().unanswered = Some(message.clone());
        }
    }

    /// Hands the reading to the others if it has come to its end. Gives what a person should know where that cannot be.
    pub(super) fn end(&self, outcome: &Result<(), CatalogError>) -> Option<String> {
        if let Err(error) = outcome {
            self.failed(error);
            return None;
        }
        let mut kept = self.kept();
        let about = std::mem::take(&mut kept.about);
        let spool = kept.writer.take()?.and_then(|writer| writer.finish(about));
        match spool {
            Ok(spool) => {
                self.0.reading.state().spool = Some(Arc::new(spool));
                self.0.reading.changed.notify_all();
                None
            }
            Err(error) => {
                Some(format!("what was read cannot be kept for the other stores, which read it themselves: {error}"))
            }
        }
    }
}

/// However a reading ends, the next one may begin.
impl Drop for Keeping {
    fn drop(&mut self) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        let unanswered = kept.unanswered.take().map(|message| (self.patience, message));
        let mut state = self.reading.state();
        state.reader = None;
        state.unanswered = unanswered;
        drop(state);
        self.reading.changed.notify_all();
    }
}

/// Keeps what is noted while the other collections are read.
pub(super) struct Noting<'a> {
    pub(super) observer: &'a dyn Observer,
    pub(super) keeper: Option<&'a Keeper>,
}

impl Observer for Noting<'_> {
    fn observe(&self, event: Event) {
        if let (Event::Note(note), Some(keeper)) = (&event, self.keeper) {
            keeper.note(note);
        }
        self.observer.observe(event);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}
