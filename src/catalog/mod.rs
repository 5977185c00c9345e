//! Products from outside.
//!
//! A [`Source`] (a MongoDB database, a folder of dumps, a file) hands over blocks of documents that are not yet decoded;
//! a [`Mapper`] turns each into a [`product::Product`] or a finding that says why not. Both are safe to run side by
//! side: one thread reads, any number of others decode. [`References`] holds what the other collections know and is
//! read first. Confidential fields are never read, and nothing here knows what becomes of a product.

mod convert;
mod copy;
mod document;
mod extended_json;
mod files;
mod fits;
mod gridfs;
mod json_stream;
mod mapping;
mod media;
pub mod money;
mod mongodb;
pub mod product;
mod pushdown;
mod reading;
mod references;
mod scalars;
mod shared;
mod sieve;
mod spool;
mod stream;
mod targets;
pub mod text;
pub mod vocabulary;

pub use convert::Mapper;
pub use copy::{Copies, Copy, CopyWriter};
pub use document::{Place, RawDocument};
pub use gridfs::{StoredContents, StoredFile};
pub use mapping::MappingError;
pub use mongodb::{Changed, ServerHealth, Told};
pub use references::{Bounds, EventCounts, FaceShapeRules, FrameRule, References};
pub use shared::{Keeper, SharedReading, SharedReadings, Taken, Turn};
pub use stream::{Block, Products};

use crate::config::{CatalogSettings, CatalogUri, Collections, MappingFile, ProductFilters};
use crate::event::{Cancelled, Observer};
use crate::room::Room;
use files::{CollectionFile, FileDocuments, Files};
use references::{Beside, Collecting};
use shared::Noting;
use spool::Part;
use std::sync::Arc;
use std::time::SystemTime;
use stream::Outlet;
use targets::Mappings;

/// Why a catalogue could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The source is not what the configuration says: a missing file, an unknown format, a missing collection.
    #[error("{0}")]
    Invalid(String),
    /// The server cannot be reached, refuses the user, or went away.
    #[error("{0}")]
    Unavailable(String),
    /// The run was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Where a catalogue is read from.
pub struct Source {
    origin: Origin,
    collections: Collections,
    mappings: Mappings,
    copy: Option<CopyWriter>,
    turn: Option<Turn>,
    room: Room,
}

/// Learns that the catalogue in a server has been changed.
pub struct Watch(mongodb::Changes);

impl Watch {
    /// Begins to listen; from now on no change is missed. `None` for a catalogue in files, which tell nothing.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`] when the server cannot be reached, or does not tell of changes.
    pub fn begin(settings: &CatalogSettings) -> Result<Option<Self>, CatalogError> {
        let CatalogUri::MongoDb(uri) = &settings.uri else { return Ok(None) };
        mongodb::Changes::begin(uri, &settings.database, &settings.collections).map(Self).map(Some)
    }

    /// Whether the server is asked now and then, because it does not tell by itself.
    pub fn is_polling(&self) -> bool {
        self.0.is_polling()
    }

    /// Waits for the next change and the end of its burst; `false` when `is_over` said so before. `note` is told when the
    /// server goes away, which does not end the wait.
    pub fn wait(&mut self, is_over: &dyn Fn() -> bool, note: &dyn Fn(String)) -> bool {
        self.0.wait(is_over, note)
    }
}

enum Origin {
    MongoDb(Box<mongodb::Server>),
    Files(Box<Files>),
}

impl Source {
    /// Finds the files of a catalogue, or gets ready to connect to a server; connects to nothing yet.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] when there is no such file or folder, or no products in it, or the mapping is wrong.
    pub fn open(settings: &CatalogSettings) -> Result<Self, CatalogError> {
        let mappings = Mappings::compile(settings.mapping.as_ref()).map_err(|errors| {
            let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
            CatalogError::Invalid(format!("`catalog.mapping`: {}", told.join("; ")))
        })?;
        let origin = match &settings.uri {
            CatalogUri::MongoDb(uri) => {
                let server = mongodb::Server::new(uri.clone(), settings.database.clone(), settings.patience)?;
                Origin::MongoDb(Box::new(server))
            }
            CatalogUri::Path(path) => {
                Origin::Files(Box::new(Files::find(path, &settings.database, &settings.collections)?))
            }
        };
        let mappings = mappings.in_locales(&settings.locales);
        let collections = settings.collections.clone();
        Ok(Self { origin, collections, mappings, copy: None, turn: None, room: Room::default() })
    }

    /// Has as many documents on their way as there is room for.
    pub fn within(self, room: Room) -> Self {
        Self { room, ..self }
    }

    /// Gives a copy of everything that is read from a server to a writer.
    pub fn copied_to(self, writer: Option<CopyWriter>) -> Self {
        Self { copy: writer, ..self }
    }

    /// Keeps everything that is read from a server for other stores, or takes it from the reading of one.
    pub fn sharing(self, turn: Turn) -> Self {
        // The others want to know from when on to ask for changes, even if this store does not.
        Self { turn: Some(turn), ..self.asking_for_changes(None, false) }
    }

    /// Whether it is another store's reading.
    pub fn is_anothers(&self) -> bool {
        self.taken().is_some()
    }

    fn taken(&self) -> Option<&Taken> {
        match &self.turn {
            Some(Turn::Take(taken)) => Some(taken),
            Some(Turn::Read(_)) | None => None,
        }
    }

    fn keeper(&self) -> Option<&Keeper> {
        match &self.turn {
            Some(Turn::Read(keeper)) => Some(keeper),
            Some(Turn::Take(_)) | None => None,
        }
    }

    /// Asks a server that keeps a log of its changes for those since a moment that [`Self::told`] gave before: of
    /// products, and with `beside` also whether anything else has been written to.
    pub fn asking_for_changes(self, since: Option<&[u8]>, beside: bool) -> Self {
        let name = |kind: Beside| kind.name(&self.collections).to_string();
        let beside = if beside { Beside::ALL.map(name).to_vec() } else { Vec::new() };
        let asks = mongodb::Asks { since: since.map(<[u8]>::to_vec), beside };
        let origin = match self.origin {
            Origin::MongoDb(server) => Origin::MongoDb(Box::new(server.asking_for_changes(asks))),
            files @ Origin::Files(_) => files,
        };
        Self { origin, ..self }
    }

    /// What the server has told of its changes, once [`Self::references`] has connected to it.
    pub fn told(&self) -> Option<&Told> {
        match (&self.origin, self.taken()) {
            (_, Some(taken)) => taken.told(),
            (Origin::MongoDb(server), None) => server.told(),
            (Origin::Files(_), None) => None,
        }
    }

    /// What shows, without reading it, whether the catalogue has been changed; `None` where only reading tells.
    pub fn witness(&self) -> Option<Vec<u8>> {
        match &self.origin {
            Origin::MongoDb(_) => None,
            Origin::Files(files) => files.witness(),
        }
    }

    /// Looks the server over that the catalogue is on; nothing for files.
    ///
    /// # Errors
    /// As [`CatalogError`] says.
    pub fn health(
        &self,
        now: &(dyn Fn() -> SystemTime + Sync),
        observer: &dyn Observer,
    ) -> Result<Option<ServerHealth>, CatalogError> {
        match &self.origin {
            Origin::MongoDb(server) => server.health(&self.collections.products, now, observer).map(Some),
            Origin::Files(files) => files.check().map(|()| None),
        }
    }

    /// Reads everything but the products. Connects to the server, and says when there is no snapshot.
    ///
    /// # Errors
    /// As [`CatalogError`] says; faulty documents are findings in the result instead.
    pub fn references(&self, observer: &dyn Observer) -> Result<References, CatalogError> {
        let mut collecting = Collecting::new(&self.mappings);
        let mut take = |kind: Beside, raw: &RawDocument| {
            let name = kind.name(&self.collections);
            if let Some(copy) = &self.copy {
                copy.add(name, raw);
            }
            if let Some(keeper) = self.keeper() {
                keeper.begin_part(Part::References(kind));
                keeper.add(raw);
            }
            collecting.take(kind, raw, name);
        };
        match (&self.origin, self.taken()) {
            (_, Some(taken)) => taken.references(observer, &mut take)?,
            (Origin::MongoDb(server), None) => {
                let noting = Noting { observer, keeper: self.keeper() };
                self.minded(server.references(&self.collections, &noting, &mut take))?;
            }
            (Origin::Files(files), None) => {
                for kind in Beside::ALL {
                    each(files.of(kind), observer, |raw, name| collecting.take(kind, raw, name))?;
                }
            }
        }
        Ok(collecting.finish())
    }

    /// The same where they have been read before, unless the server tells that they may be others since the moment that
    /// it was asked about.
    ///
    /// # Errors
    /// As [`Source::references`].
    pub fn references_again(
        &self,
        known: Option<Arc<References>>,
        observer: &dyn Observer,
    ) -> Result<Arc<References>, CatalogError> {
        // Whoever takes part in another's reading, or has a part in it, needs the documents themselves.
        if let (Origin::MongoDb(server), None, None, Some(known)) = (&self.origin, &self.turn, &self.copy, known) {
            server.connect_for(&self.collections.products, observer)?;
            let changed = server.told().and_then(|told| told.changed.as_ref());
            if changed.is_some_and(|changed| !changed.beside) {
                return Ok(known);
            }
        }
        self.references(observer).map(Arc::new)
    }

    /// Has the other stores know what a failure of this one's reading was.
    fn minded<T>(&self, outcome: Result<T, CatalogError>) -> Result<T, CatalogError> {
        if let (Some(keeper), Err(error)) = (self.keeper(), &outcome) {
            keeper.failed(error);
        }
        outcome
    }

    /// Starts reading the products in a thread of its own; with `changed`, only those that a server told of.
    ///
    /// A server holds back documents that `filters` would certainly leave out; a file holds nothing back. So the filters
    /// have to be applied to the products in any case. A server's documents come in the order of their ids, a file's in
    /// the file's.
    ///
    /// # Errors
    /// As [`CatalogError`] says; errors on the way come from the iterator.
    pub fn products<'o>(
        &self,
        filters: &ProductFilters,
        references: &References,
        changed: Option<&Changed>,
        observer: &'o dyn Observer,
    ) -> Result<Products<'o>, CatalogError> {
        let (mut outlet, inlet) = Outlet::new(self.room);
        match (&self.origin, self.taken()) {
            (_, Some(taken)) => {
                let query = pushdown::query(&self.mappings, filters, references);
                let total = taken.total(&query);
                outlet.copy_to(self.copy.clone());
                let (taken, names) = (taken.clone(), self.collections.products.clone());
                in_a_thread(outlet, move |outlet| taken.products(&names, query, outlet))?;
                Ok(Products::new(inlet, observer, total, None))
            }
            (Origin::MongoDb(server), None) => {
                let query = pushdown::query(&self.mappings, filters, references);
                let asked = self.keeper().map(|keeper| keeper.query(server.told()));
                let asked = asked.unwrap_or_else(|| query.clone());
                if asked != query {
                    outlet.only(query.clone());
                }
                outlet.copy_to(self.copy.clone());
                outlet.keep_for_others(self.keeper().cloned());
                let wanted =
                    mongodb::Wanted { query, asked, changed, projection: pushdown::projection(&self.mappings) };
                let total = self.minded(server.products(&self.collections.products, wanted, outlet, observer))?;
                Ok(Products::new(inlet, observer, total, Some(server.runtime())))
            }
            (Origin::Files(files), None) => {
                // Opened here, so that a file of another format is told before anything else begins.
                let opened = files.products.iter().map(|file| Ok((file.name.clone(), FileDocuments::open(file)?)));
                let opened: Vec<(String, FileDocuments)> = opened.collect::<Result<_, CatalogError>>()?;
                in_a_thread(outlet, move |outlet| {
                    opened.into_iter().try_for_each(|(name, documents)| {
                        outlet.begin(&name);
                        pour(documents, outlet)
                    })
                })?;
                Ok(Products::new(inlet, observer, None, None))
            }
        }
    }

    /// Reads files that the database keeps, in the order given, and hands each to `take`; `known` is the version that the
    /// caller has of a file, of which nothing is sent then. A catalogue of files has none.
    ///
    /// # Errors
    /// As [`CatalogError`] says; what is wrong with one file is handed to `take`.
    pub fn stored_files(
        &self,
        files: &[StoredFile],
        max_size: u64,
        observer: &dyn Observer,
        known: &dyn Fn(&StoredFile) -> Option<String>,
        take: &mut dyn FnMut(&StoredFile, StoredContents),
    ) -> Result<(), CatalogError> {
        match &self.origin {
            Origin::MongoDb(server) => server.stored_files(files, &self.collections, max_size, observer, known, take),
            Origin::Files(_) => {
                files.iter().for_each(|file| take(file, StoredContents::Missing));
                Ok(())
            }
        }
    }
}

/// Compiles a mapping for its mistakes alone.
///
/// # Errors
/// Every mistake in it.
pub fn check_mapping(mapping: &MappingFile) -> Result<(), Vec<MappingError>> {
    Mappings::compile(Some(mapping)).map(|_| ())
}

/// Has documents read into an outlet, to its end.
fn in_a_thread(
    mut outlet: Outlet,
    read: impl FnOnce(&mut Outlet) -> Result<(), CatalogError> + Send + 'static,
) -> Result<(), CatalogError> {
    let reader = std::thread::Builder::new().name("catalog".into());
    let spawned = reader.spawn(move || {
        let outcome = read(&mut outlet);
        outlet.finish(outcome);
    });
    spawned.map(|_| ()).map_err(|error| CatalogError::Unavailable(format!("cannot start a thread: {error}")))
}

fn pour(documents: FileDocuments, outlet: &mut Outlet) -> Result<(), CatalogError> {
    for document in documents {
        if outlet.push(document?).is_err() {
            break;
        }
    }
    Ok(())
}

fn each(
    file: Option<&CollectionFile>,
    observer: &dyn Observer,
    mut take: impl FnMut(&RawDocument, &str),
) -> Result<(), CatalogError> {
    let Some(file) = file else { return Ok(()) };
    for (at, document) in FileDocuments::open(file)?.enumerate() {
        if at % 64 == 0 && observer.is_cancelled() {
            return Err(Cancelled.into());
        }
        take(&document?, &file.name);
    }
    Ok(())
}
