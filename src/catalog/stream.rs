//! Blocks of documents on their way from the thread that reads to those that decode.
//!
//! The channel between them is short, so that reading waits for decoding and memory stays bounded. It never ends without
//! a word: a reader that dies is an error, not the end of the catalogue.

use super::CatalogError;
use super::copy::CopyWriter;
use super::document::RawDocument;
use super::shared::Keeper;
use super::sieve;
use super::spool::Part;
use crate::event::{Cancelled, Event, Observer};
use crate::room::Room;
use mongodb::bson::Document;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Most documents in a block.
const MOST_DOCUMENTS: usize = 500;

/// Blocks that wait between reading and decoding.
const WAITING: usize = 2;

/// How often a wait looks whether the run was cancelled.
const GLANCE: Duration = Duration::from_millis(20);

/// Some documents of one collection, in the source's order.
#[derive(Clone, Debug)]
pub struct Block {
    /// Counts from 0 over all collections; blocks come in this order.
    pub sequence: usize,
    /// The collection or file they are from.
    pub collection: Arc<str>,
    /// The documents, not yet decoded.
    pub documents: Vec<RawDocument>,
}

/// The blocks of a catalogue. Ends early, with [`CatalogError::Cancelled`], when the run is cancelled; dropping it stops
/// the reader.
pub struct Products<'o> {
    receiver: Receiver<Message>,
    observer: &'o dyn Observer,
    total: Option<u64>,
    finished: bool,
    /// Keeps a driver's runtime alive while blocks are read; dropped behind the receiver, which lets the reader go.
    _runtime: Option<Arc<tokio::runtime::Runtime>>,
}

enum Message {
    Block(Block),
    Note(String),
    Finished(Result<(), CatalogError>),
}

impl<'o> Products<'o> {
    pub(super) fn new(
        inlet: Inlet,
        observer: &'o dyn Observer,
        total: Option<u64>,
        runtime: Option<Arc<tokio::runtime::Runtime>>,
    ) -> Self {
        Self { receiver: inlet.0, observer, total, finished: false, _runtime: runtime }
    }

    /// How many documents there will be, where the source can tell; only good for a progress bar.
    pub fn total_hint(&self) -> Option<u64> {
        self.total
    }
}

impl Iterator for Products<'_> {
    type Item = Result<Block, CatalogError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.finished {
            if self.observer.is_cancelled() {
                self.finished = true;
                return Some(Err(Cancelled.into()));
            }
            match self.receiver.recv_timeout(GLANCE) {
                Ok(Message::Block(block)) => return Some(Ok(block)),
                Ok(Message::Note(note)) => self.observer.observe(Event::Note(note)),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Finished(outcome)) => {
                    self.finished = true;
                    return outcome.err().map(Err);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.finished = true;
                    let message = "reading the catalogue stopped without a reason; run again".into();
                    return Some(Err(CatalogError::Unavailable(message)));
                }
            }
        }
        None
    }
}

/// The end of the channel that gives blocks.
pub(super) struct Inlet(Receiver<Message>);

/// The end of the channel that takes documents and makes blocks of them.
pub(super) struct Outlet {
    sender: SyncSender<Message>,
    sequence: usize,
    collection: Arc<str>,
    documents: Vec<RawDocument>,
    bytes: usize,
    /// Most bytes in a block, give or take a document.
    most: usize,
    copy: Option<CopyWriter>,
    /// Keeps everything for other stores.
    keeper: Option<Keeper>,
    /// Finds what this store wants of everything.
    wanted: Document,
    /// Somebody still listens.
    is_heard: bool,
}

/// Nobody listens any more.
#[derive(Debug)]
pub(super) struct Gone;

impl Outlet {
    pub(super) fn new(room: Room) -> (Self, Inlet) {
        let (sender, receiver) = sync_channel(WAITING);
        let (collection, documents) = ("".into(), Vec::new());
        let outlet = Self {
            sender,
            sequence: 0,
            collection,
            documents,
            bytes: 0,
            most: room.documents,
            copy: None,
            keeper: None,
            wanted: Document::new(),
            is_heard: true,
        };
        (outlet, Inlet(receiver))
    }

    /// Gives every document to a keeper.
    pub(super) fn keep_for_others(&mut self, keeper: Option<Keeper>) {
        self.keeper = keeper;
    }

    /// Passes on only what a query finds.
    pub(super) fn only(&mut self, query: Document) {
        self.wanted = query;
    }

    /// Gives a copy of every document that is passed on to a writer.
    pub(super) fn copy_to(&mut self, writer: Option<CopyWriter>) {
        self.copy = writer;
    }

    /// Says of which collection the documents that follow are.
    pub(super) fn begin(&mut self, collection: &str) {
        // When nobody listens any more, the next document tells.
        let _ = self.flush();
        self.collection = collection.into();
        if let Some(copy) = &self.copy {
            copy.begin(collection);
        }
        if let Some(keeper) = &self.keeper {
            keeper.begin_part(Part::Products(collection.into()));
        }
    }

    /// Takes a document; waits when the channel is full.
    pub(super) fn push(&mut self, document: RawDocument) -> Result<(), Gone> {
        if let Some(keeper) = &self.keeper {
            keeper.add(&document);
        }
        if !sieve::lets_through(&self.wanted, &document) {
            return Ok(());
        }
        if let Some(copy) = &self.copy {
            copy.add(&self.collection, &document);
        }
        self.bytes += document.size();
        self.documents.push(document);
        if self.documents.len() >= MOST_DOCUMENTS || self.bytes >= self.most { self.flush() } else { Ok(()) }
    }

    /// Passes a note on to the observer.
    pub(super) fn note(&mut self, note: String) {
        if let Some(keeper) = &self.keeper {
            keeper.note(&note);
        }
        let _ = self.sender.send(Message::Note(note));
    }

    /// Says how reading ended.
    pub(super) fn finish(&mut self, outcome: Result<(), CatalogError>) {
        if self.flush().is_err() || !self.is_heard {
            return;
        }
        let trouble = self.keeper.as_ref().and_then(|keeper| keeper.end(&outcome));
        trouble.into_iter().for_each(|trouble| _ = self.sender.send(Message::Note(trouble)));
        let _ = self.sender.send(Message::Finished(outcome));
    }

    fn flush(&mut self) -> Result<(), Gone> {
        if self.documents.is_empty() {
            return Ok(());
        }
        let documents = std::mem::take(&mut self.documents);
        let block = Block { sequence: self.sequence, collection: Arc::clone(&self.collection), documents };
        self.sequence += 1;
        self.bytes = 0;
        self.sender.send(Message::Block(block)).map_err(|_| {
            self.is_heard = false;
            Gone
        })
    }
}
