//! Reading collections from a server that may go away in the middle.
//!
//! Documents are read in the order of their ids and in whole batches. When the server goes away (it restarts, hands over
//! to another member, the network breaks) reading waits for it and goes on behind the last document that was taken. So a
//! document that is there and unchanged all the while comes once and only once; on a replica set it comes as it was at the
//! moment of the snapshot, unless the server has lost that moment, which is told.

use super::since::Told;
use super::words::{Trouble, Words};
use crate::catalog::CatalogError;
use crate::catalog::document::{Place, RawDocument};
use crate::catalog::references::{EVENT_KIND_PATHS, EVENT_PRODUCT_PATHS};
use crate::catalog::stream::{Gone, Outlet};
use crate::config::Patience;
use crate::event::{Event, Observer};
use crate::reliability::Tries;
use ::mongodb::action::Action;
use ::mongodb::bson::raw::RawBsonRef;
use ::mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use ::mongodb::error::Error;
use ::mongodb::raw_batch_cursor::RawBatch;
use ::mongodb::{ClientSession, Collection, Database};
use futures_util::{Stream, StreamExt};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// How long counting and comparing may take; both only serve the display.
const COUNT_PATIENCE: Duration = Duration::from_secs(3);

/// Documents asked for at once: 24 µs of CPU a document one by one, 13 in batches of 1000.
const BATCH: u32 = 1000;

/// Where documents of the built-in shapes keep the moment of their last change.
pub(super) const DATES: [&str; 2] = ["updated_at", "metadata.updated_at"];

/// A server that has answered.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) database: Database,
    pub(super) collections: BTreeSet<String>,
    /// One session for everything that is read, so that all of it is of one moment.
    pub(super) session: Arc<Mutex<ClientSession>>,
    pub(super) is_snapshot: bool,
    pub(super) told: Option<Told>,
    pub(super) words: Words,
    pub(super) patience: Patience,
}

/// Where documents go.
trait Taker {
    /// Takes documents; breaks when nobody wants more.
    fn take(&mut self, documents: Vec<RawDocument>) -> ControlFlow<()>;

    /// Passes on what a person should know.
    fn note(&mut self, note: String);
}

impl Taker for Outlet {
    fn take(&mut self, documents: Vec<RawDocument>) -> ControlFlow<()> {
        // Sending blocks while the other side is busy; that is what holds the server back.
        let sent = tokio::task::block_in_place(|| documents.into_iter().try_for_each(|raw| self.push(raw)));
        match sent {
            Ok(()) => ControlFlow::Continue(()),
            Err(Gone) => ControlFlow::Break(()),
        }
    }

    fn note(&mut self, note: String) {
        tokio::task::block_in_place(|| Outlet::note(self, note));
    }
}

/// Takes every document of a small collection.
struct Each<'a, F> {
    take: F,
    observer: &'a dyn Observer,
}

impl<F: FnMut(RawDocument)> Taker for Each<'_, F> {
    fn take(&mut self, documents: Vec<RawDocument>) -> ControlFlow<()> {
        documents.into_iter().for_each(&mut self.take);
        ControlFlow::Continue(())
    }

    fn note(&mut self, note: String) {
        self.observer.observe(Event::Note(note));
    }
}

/// What is read of a collection.
struct Request<'a> {
    collection: &'a str,
    query: Document,
    projection: Option<Document>,
}

/// How far reading has come.
#[derive(Default)]
struct Progress {
    taken: u64,
    /// The id of the last document that was taken, where it has one.
    last: Option<Bson>,
}

impl Progress {
    /// The query for what is still to come; nothing when the place cannot be found again.
    fn rest(&self, query: &Document) -> Option<Document> {
        match &self.last {
            None => (self.taken == 0).then(|| query.clone()),
            // An expression compares ids of different kinds in the order they are sorted by; a plain `$gt` would leave out
            // all that are not of the last one's kind.
            Some(last) => {
                let behind = doc! { "$expr": { "$gt": ["$_id", { "$literal": last.clone() }] } };
                Some(doc! { "$and": [query.clone(), behind] })
            }
        }
    }
}

/// Waits before the next try of a server that went away; says no when it has taken too long.
async fn bear(outage: &mut Tries) -> bool {
    let Some(pause) = outage.pause(Instant::now(), None) else { return false };
    sleep(pause).await;
    true
}

fn waited(outage: &Tries) -> Duration {
    outage.failing_since().map(|since| since.elapsed()).unwrap_or_default()
}

impl Connection {
    fn collection(&self, name: &str) -> Collection<RawDocumentBuf> {
        self.database.collection(name)
    }

    /// Hands every document of a small collection to `take`. A collection that is not there has none.
    pub(super) async fn each(
        &self,
        name: &str,
        projection: Option<Document>,
        observer: &dyn Observer,
        take: impl FnMut(RawDocument),
    ) -> Result<(), CatalogError> {
        if !self.collections.contains(name) {
            return Ok(());
        }
        let request = Request { collection: name, query: doc! {}, projection };
        self.read(&request, &mut Each { take, observer }).await.map(|_| ())
    }

    /// Reads products into an outlet: of each collection those that its query finds.
    pub(super) async fn stream(
        &self,
        requests: &[(String, Document)],
        projection: Option<&Document>,
        outlet: &mut Outlet,
    ) -> Result<(), CatalogError> {
        let before = self.fingerprint(requests).await;
        for (name, query) in requests {
            outlet.begin(name);
            let request = Request { collection: name, query: query.clone(), projection: projection.cloned() };
            if self.read(&request, outlet).await?.is_break() {
                return Ok(());
            }
        }
        if before != self.fingerprint(requests).await {
            let note = "the catalogue was changed while it was read, so the store may mix old and new documents; \
                        generate again, or read from a replica set, which gives one moment";
            Taker::note(outlet, note.into());
        }
        Ok(())
    }

    /// Hands a collection to `taker` in the order of ids, through outages.
    async fn read(&self, request: &Request<'_>, taker: &mut impl Taker) -> Result<ControlFlow<()>, CatalogError> {
        let doing = format!("reading `{}`", request.collection);
        let mut progress = Progress::default();
        let mut outage = Tries::new(&self.patience.retry);
        let mut is_snapshot = self.is_snapshot;
        loop {
            let Some(query) = progress.rest(&request.query) else {
                return Err(CatalogError::Unavailable(format!(
                    "{doing} from {}: the server went away, and documents without an `_id` cannot be read on from; run again",
                    self.words.hosts
                )));
            };
            let trouble = match self.pass(request, query, &mut progress, &mut outage, taker).await {
                Ok(flow) => return Ok(flow),
                Err(trouble) => trouble,
            };
            if is_snapshot && outage.failing_since().is_some() && trouble.is_lost_snapshot() {
                is_snapshot = false;
                self.leave_snapshot().await.map_err(|trouble| self.words.of_trouble(&doing, &trouble))?;
                taker.note(format!(
                    "{} lost the moment that was being read; documents from here on are as they are now, so the store may \
                     mix old and new ones if the catalogue was changed meanwhile",
                    self.words.hosts
                ));
                continue;
            }
            if !trouble.is_passing() {
                return Err(self.words.of_trouble(&doing, &trouble));
            }
            if outage.failing_since().is_none() {
                taker.note(format!(
                    "{doing} from {} was interrupted after {} documents ({}); waiting for the server",
                    self.words.hosts,
                    progress.taken,
                    self.words.briefly(&trouble)
                ));
            }
            if !bear(&mut outage).await {
                return Err(self.words.of_outage(&doing, progress.taken, &trouble, waited(&outage)));
            }
        }
    }

    /// Reads with one cursor, to its end or until something is in the way.
    async fn pass(
        &self,
        request: &Request<'_>,
        query: Document,
        progress: &mut Progress,
        outage: &mut Tries,
        taker: &mut impl Taker,
    ) -> Result<ControlFlow<()>, Trouble> {
        let mut session = self.session.lock().await;
        let collection = self.collection(request.collection);
        let find = collection.find(query).sort(doc! { "_id": 1 }).batch_size(BATCH);
        let find = find.optional(request.projection.clone(), |find, projection| find.projection(projection));
        let mut cursor = self.answer(find.session(&mut *session).batch().into_future()).await?;
        let mut batches = cursor.stream(&mut session);
        while let Some(batch) = self.next(&mut batches).await? {
            let (documents, last) = documents(&batch)?;
            drop(batch);
            if outage.failing_since().is_some() && !documents.is_empty() {
                *outage = Tries::new(&self.patience.retry);
            }
            progress.taken += documents.len() as u64;
            progress.last = last.or(progress.last.take());
            if taker.take(documents).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Goes on without the snapshot.
    async fn leave_snapshot(&self) -> Result<(), Trouble> {
        let plain = self.answer(self.database.client().start_session().into_future()).await?;
        *self.session.lock().await = plain;
        Ok(())
    }

    /// Has the server count events by product and kind; `take` gets a document for each of both, as
    /// [`crate::catalog::references::Collecting::take_event`] reads it.
    pub(super) async fn events(&self, name: &str, take: impl FnMut(RawDocument)) -> Result<(), CatalogError> {
        if !self.collections.contains(name) {
            return Ok(());
        }
        let doing = format!("counting `{name}`");
        let mut outage = Tries::new(&self.patience.retry);
        let counted = loop {
            let trouble = match self.count_events(name).await {
                Ok(counted) => break counted,
                Err(trouble) => trouble,
            };
            if !trouble.is_passing() {
                return Err(self.words.of_trouble(&doing, &trouble));
            }
            if !bear(&mut outage).await {
                return Err(self.words.of_outage(&doing, 0, &trouble, waited(&outage)));
            }
        };
        counted.into_iter().for_each(take);
        Ok(())
    }

    async fn count_events(&self, name: &str) -> Result<Vec<RawDocument>, Trouble> {
        let first = |paths: &[&str]| {
            paths
                .iter()
                .rev()
                .fold(Bson::Null, |rest, path| Bson::Document(doc! { "$ifNull": [format!("${path}"), rest] }))
        };
        let group = doc! {
            "_id": { "product": first(&EVENT_PRODUCT_PATHS), "kind": first(&EVENT_KIND_PATHS) },
            "count": { "$sum": 1_i64 },
        };
        let mut session = self.session.lock().await;
        let pipeline = [doc! { "$group": group }];
        let collection = self.collection(name);
        let counting = collection.aggregate(pipeline).allow_disk_use(true).batch_size(BATCH);
        let mut cursor = self.answer(counting.session(&mut *session).batch().into_future()).await?;
        let mut batches = cursor.stream(&mut session);
        let mut counted = Vec::new();
        while let Some(batch) = self.next(&mut batches).await? {
            counted.extend(documents(&batch)?.0);
        }
        Ok(counted)
    }

    /// How many products the query finds, unless that takes long.
    pub(super) async fn count(&self, names: &[String], query: &Document) -> Option<u64> {
        let count = async {
            let mut total = 0;
            for name in names {
                let collection = self.collection(name);
                total += if query.is_empty() {
                    collection.estimated_document_count().await.ok()?
                } else {
                    collection.count_documents(query.clone()).max_time(COUNT_PATIENCE).await.ok()?
                };
            }
            Some(total)
        };
        timeout(COUNT_PATIENCE, count).await.ok()?
    }

    /// What shows whether somebody wrote, where there is no snapshot: how many documents there are and the latest dates.
    /// With an index on the date this costs nothing, without one a look at every document.
    async fn fingerprint(&self, requests: &[(String, Document)]) -> Vec<Option<Document>> {
        let mut prints = Vec::new();
        if self.is_snapshot {
            return prints;
        }
        for (name, _) in requests {
            let collection = self.database.collection::<Document>(name);
            let seen = async {
                let mut seen = doc! { "count": collection.estimated_document_count().await.ok()? as i64 };
                for date in DATES {
                    let newest = collection.find_one(doc! {}).sort(doc! { date: -1 }).projection(doc! { date: 1 });
                    seen.insert(date, newest.max_time(COUNT_PATIENCE).await.ok()?);
                }
                Some(seen)
            };
            prints.push(timeout(COUNT_PATIENCE, seen).await.ok().flatten());
        }
        prints
    }

    /// Waits for the first answer to a request, for which the driver may have to look for a server first.
    async fn answer<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
        within(self.patience.answer.saturating_add(self.words.patience), request).await
    }

    async fn next(
        &self,
        batches: &mut (impl Stream<Item = Result<RawBatch, Error>> + Unpin),
    ) -> Result<Option<RawBatch>, Trouble> {
        within(self.patience.answer, async { batches.next().await.transpose() }).await
    }
}

/// Waits for an answer, but not for ever.
pub(super) async fn within<T>(
    patience: Duration,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, Trouble> {
    match timeout(patience, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Trouble::Silence(patience)),
    }
}

/// The documents of a batch, and the id of the last one.
fn documents(batch: &RawBatch) -> Result<(Vec<RawDocument>, Option<Bson>), Trouble> {
    let broken = |error: String| Trouble::Unreadable(error);
    let items = batch.doc_slices().map_err(|error| broken(error.to_string()))?;
    let mut documents = Vec::new();
    let mut last = None;
    for item in items.into_iter() {
        match item.map_err(|error| broken(error.to_string()))? {
            RawBsonRef::Document(document) => {
                documents.push(RawDocument::bson(document.as_bytes(), Place::Database));
                last = Some(document);
            }
            _ => return Err(broken("not a document".into())),
        }
    }
    let id = last.and_then(|document| document.get("_id").ok().flatten()).and_then(|id| Bson::try_from(id).ok());
    Ok((documents, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_goes_on_behind_the_last_id() {
        let query = doc! { "active": true };
        let progress = |taken, last| Progress { taken, last };
        assert_eq!(progress(0, None).rest(&query), Some(query.clone()));
        assert_eq!(progress(5, None).rest(&query), None);
        let behind = doc! { "$expr": { "$gt": ["$_id", { "$literal": "$tricky" }] } };
        assert_eq!(progress(5, Some("$tricky".into())).rest(&query), Some(doc! { "$and": [query.clone(), behind] }));
    }
}
