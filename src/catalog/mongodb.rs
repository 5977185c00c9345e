//! Catalogues in a MongoDB server, through the official driver.
//!
//! A replica set is read in one snapshot: brands, categories and products are as they were at one moment, however long
//! reading takes. A standalone server has no snapshots; there documents are read in the order of their ids, and a look at
//! the collections before and after tells whether somebody wrote meanwhile. Whole batches are copied into blocks and
//! not decoded here. Nothing that leaves this file holds the password of the connection string.

use super::document::{Place, RawDocument};
use super::pushdown;
use super::references::{Collecting, EVENT_KIND_PATHS, EVENT_PRODUCT_PATHS};
use super::stream::Outlet;
use super::{CatalogError, scalars};
use crate::config::{Collections, Secret};
use crate::event::{Cancelled, Event, Observer};
use ::mongodb::action::Action;
use ::mongodb::bson::raw::RawBsonRef;
use ::mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use ::mongodb::error::{Error, ErrorKind};
use ::mongodb::options::ClientOptions;
use ::mongodb::raw_batch_cursor::RawBatch;
use ::mongodb::{Client, ClientSession, Collection, Database};
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{sleep, timeout};

/// How long to look for a server, and to wait for a connection, unless the connection string says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a server may take for one batch.
const BATCH_PATIENCE: Duration = Duration::from_secs(60);

/// How long counting and comparing may take; both only serve the display.
const COUNT_PATIENCE: Duration = Duration::from_secs(3);

/// Documents asked for at once: 24 µs of CPU a document one by one, 13 in batches of 1000.
const BATCH: u32 = 1000;

/// How often a wait looks whether the run was cancelled.
const GLANCE: Duration = Duration::from_millis(20);

/// Server versions from 5.0 on read snapshots outside of transactions.
const SNAPSHOT_WIRE_VERSION: i32 = 13;

/// A server and the runtime its driver lives in.
pub(super) struct Server {
    runtime: Arc<Runtime>,
    uri: Secret,
    database: String,
    connection: OnceCell<Connection>,
}

#[derive(Clone)]
struct Connection {
    database: Database,
    collections: BTreeSet<String>,
    /// One session for everything that is read, so that all of it is of one moment.
    session: Arc<Mutex<ClientSession>>,
    is_snapshot: bool,
    words: Words,
}

/// What error messages need, and what they must not show.
#[derive(Clone)]
struct Words {
    hosts: String,
    secrets: Vec<String>,
    patience: Duration,
}

impl Server {
    /// Starts the driver's runtime; connects to nothing yet.
    pub(super) fn new(uri: Secret, database: String) -> Result<Self, CatalogError> {
        // One worker: the driver only waits and copies, decoding is done elsewhere.
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("mongodb").enable_all().build();
        let runtime = runtime.map_err(|error| CatalogError::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self { runtime: Arc::new(runtime), uri, database, connection: OnceCell::new() })
    }

    pub(super) fn runtime(&self) -> Arc<Runtime> {
        Arc::clone(&self.runtime)
    }

    /// Reads brands, categories, compatibility and counted events.
    pub(super) fn references(
        &self,
        names: &Collections,
        collecting: &mut Collecting<'_>,
        observer: &dyn Observer,
    ) -> Result<(), CatalogError> {
        self.wait(observer, async {
            let connection = self.connection(&names.products, observer).await?;
            let brands = Some(pushdown::brand_projection());
            connection.each(&names.brands, brands, |raw| collecting.take_brand(&raw, &names.brands)).await?;
            connection.each(&names.categories, None, |raw| collecting.take_category(&raw, &names.categories)).await?;
            let compatibility = &names.face_shape_compatibility;
            connection.each(compatibility, None, |raw| collecting.take_compatibility(&raw, compatibility)).await?;
            connection.events(&names.user_analytics, collecting).await
        })
    }

    /// Starts reading products into an outlet; gives how many there may be, if the server can tell quickly.
    pub(super) fn products(
        &self,
        names: &[String],
        query: Document,
        projection: Option<Document>,
        mut outlet: Outlet,
        observer: &dyn Observer,
    ) -> Result<Option<u64>, CatalogError> {
        let (connection, total) = self.wait(observer, async {
            let connection = self.connection(names, observer).await?.clone();
            let total = connection.count(names, &query).await;
            Ok((connection, total))
        })?;
        let names = names.to_vec();
        self.runtime.spawn(async move {
            let outcome = connection.stream(&names, &query, projection.as_ref(), &mut outlet).await;
            tokio::task::block_in_place(|| outlet.finish(outcome));
        });
        Ok(total)
    }

    fn wait<T>(
        &self,
        observer: &dyn Observer,
        work: impl Future<Output = Result<T, CatalogError>>,
    ) -> Result<T, CatalogError> {
        self.runtime.block_on(async {
            let cancelled = pin!(async {
                while !observer.is_cancelled() {
                    sleep(GLANCE).await;
                }
            });
            match select(pin!(work), cancelled).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(_) => Err(CatalogError::Cancelled(Cancelled)),
            }
        })
    }

    async fn connection(&self, products: &[String], observer: &dyn Observer) -> Result<&Connection, CatalogError> {
        self.connection.get_or_try_init(|| self.connect(products, observer)).await
    }

    async fn connect(&self, products: &[String], observer: &dyn Observer) -> Result<Connection, CatalogError> {
        let mut words = Words::of_uri(self.uri.expose());
        let mut options = ClientOptions::parse(self.uri.expose()).await.map_err(|error| words.of_uri_error(&error))?;
        words.complete(&options);
        words.patience = *options.server_selection_timeout.get_or_insert(PATIENCE);
        options.connect_timeout.get_or_insert(PATIENCE);
        options.app_name.get_or_insert_with(|| "storegen".into());
        let client = Client::with_options(options).map_err(|error| words.of_uri_error(&error))?;
        let database = client.database(&self.database);
        let hello = database.run_command(doc! { "hello": 1 }).await;
        let hello = hello.map_err(|error| words.of_error("connecting", &error))?;
        let listed = database.list_collection_names().authorized_collections(true).await;
        let collections: BTreeSet<String> =
            listed.map_err(|error| words.of_error("listing collections", &error))?.into_iter().collect();
        if let Some(missing) = products.iter().find(|name| !collections.contains(*name)) {
            return Err(self.missing(missing, &collections, &client, &words).await);
        }
        let (session, is_snapshot) = open_session(&client, &database, products, &hello, observer)
            .await
            .map_err(|error| words.of_error("opening a session", &error))?;
        Ok(Connection { database, collections, session: Arc::new(Mutex::new(session)), is_snapshot, words })
    }

    async fn missing(
        &self,
        collection: &str,
        collections: &BTreeSet<String>,
        client: &Client,
        words: &Words,
    ) -> CatalogError {
        let list = |names: Vec<String>| format!("`{}`", names.join("`, `"));
        let Words { hosts, .. } = words;
        if collections.is_empty() {
            let databases = client.list_database_names().await.unwrap_or_default();
            let there = if databases.is_empty() { String::new() } else { format!("; there are {}", list(databases)) };
            let database = &self.database;
            return CatalogError::Invalid(format!(
                "no database `{database}` with collections on {hosts}{there}; set `catalog.database`"
            ));
        }
        CatalogError::Invalid(format!(
            "no collection `{collection}` in the database `{}` on {hosts}; there are {}; set `catalog.collections.products`",
            self.database,
            list(collections.iter().cloned().collect())
        ))
    }
}

/// Opens a snapshot where the deployment has them, or else a plain session. The flag says which.
async fn open_session(
    client: &Client,
    database: &Database,
    products: &[String],
    hello: &Document,
    observer: &dyn Observer,
) -> Result<(ClientSession, bool), Error> {
    let is_cluster = hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|kind| kind == "isdbgrid");
    let version = hello.get_i32("maxWireVersion").unwrap_or(0);
    if is_cluster && version >= SNAPSHOT_WIRE_VERSION {
        let mut session = client.start_session().snapshot(true).await?;
        let first = products.first().map_or("products", String::as_str);
        let products = database.collection::<RawDocumentBuf>(first);
        match products.find_one(doc! {}).projection(doc! { "_id": 1 }).session(&mut session).await {
            Ok(_) => return Ok((session, true)),
            Err(error) if matches!(*error.kind, ErrorKind::Command(_)) => {
                let reason = scalars::clean_line(&error.kind.to_string(), 200);
                let note = format!("the server gives no snapshot ({reason}); documents are read as they are meanwhile");
                observer.observe(Event::Note(note));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((client.start_session().await?, false))
}

impl Connection {
    fn collection(&self, name: &str) -> Collection<RawDocumentBuf> {
        self.database.collection(name)
    }

    /// Hands every document of a small collection to `take`, in the order of ids. A collection that is not there has none.
    async fn each(
        &self,
        name: &str,
        projection: Option<Document>,
        mut take: impl FnMut(RawDocument),
    ) -> Result<(), CatalogError> {
        if !self.collections.contains(name) {
            return Ok(());
        }
        let doing = format!("reading `{name}`");
        let mut session = self.session.lock().await;
        let collection = self.collection(name);
        let find = collection.find(doc! {}).sort(doc! { "_id": 1 }).batch_size(BATCH);
        let find = find.optional(projection, |find, projection| find.projection(projection));
        let mut cursor =
            find.session(&mut *session).batch().await.map_err(|error| self.words.of_error(&doing, &error))?;
        let mut batches = cursor.stream(&mut session);
        while let Some(batch) = self.next(&mut batches, &doing).await? {
            self.documents(&batch, &doing)?.into_iter().for_each(&mut take);
        }
        Ok(())
    }

    /// Has the server count events by product and kind.
    async fn events(&self, name: &str, collecting: &mut Collecting<'_>) -> Result<(), CatalogError> {
        if !self.collections.contains(name) {
            return Ok(());
        }
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
        let doing = format!("counting `{name}`");
        let mut session = self.session.lock().await;
        let pipeline = [doc! { "$group": group }];
        let collection = self.collection(name);
        let counting = collection.aggregate(pipeline).allow_disk_use(true).batch_size(BATCH);
        let cursor = counting.session(&mut *session).batch().await;
        let mut cursor = cursor.map_err(|error| self.words.of_error(&doing, &error))?;
        let mut batches = cursor.stream(&mut session);
        while let Some(batch) = self.next(&mut batches, &doing).await? {
            for raw in self.documents(&batch, &doing)? {
                let Ok(decoded) = raw.decode() else { continue };
                let id = decoded.root.get("_id");
                let (product, kind) = (id.and_then(|id| id.get("product")), id.and_then(|id| id.get("kind")));
                let count = decoded.root.get("count").and_then(scalars::integer);
                if let (Some(product), Some(kind), Some(count)) =
                    (product, kind, count.and_then(|n| u64::try_from(n).ok()))
                {
                    collecting.take_events(product, kind, count);
                }
            }
        }
        Ok(())
    }

    /// How many products the query finds, unless that takes long.
    async fn count(&self, names: &[String], query: &Document) -> Option<u64> {
        let mut total = 0;
        for name in names {
            let collection = self.collection(name);
            total += if query.is_empty() {
                timeout(COUNT_PATIENCE, async { collection.estimated_document_count().await }).await.ok()?.ok()?
            } else {
                collection.count_documents(query.clone()).max_time(COUNT_PATIENCE).await.ok()?
            };
        }
        Some(total)
    }

    async fn stream(
        &self,
        names: &[String],
        query: &Document,
        projection: Option<&Document>,
        outlet: &mut Outlet,
    ) -> Result<(), CatalogError> {
        let before = self.fingerprint(names).await;
        for name in names {
            let doing = format!("reading `{name}`");
            outlet.begin(name);
            let mut session = self.session.lock().await;
            let collection = self.collection(name);
            let find = collection.find(query.clone()).sort(doc! { "_id": 1 }).batch_size(BATCH);
            let find = find.optional(projection, |find, projection| find.projection(projection.clone()));
            let cursor = find.session(&mut *session).batch().await;
            let mut cursor = cursor.map_err(|error| self.words.of_error(&doing, &error))?;
            let mut batches = cursor.stream(&mut session);
            while let Some(batch) = self.next(&mut batches, &doing).await? {
                let documents = self.documents(&batch, &doing)?;
                drop(batch);
                // Sending blocks while the other side is busy; that is what holds the server back.
                let sent = tokio::task::block_in_place(|| documents.into_iter().try_for_each(|raw| outlet.push(raw)));
                if sent.is_err() {
                    return Ok(());
                }
            }
        }
        if before != self.fingerprint(names).await {
            let note = "the catalogue was changed while it was read, so the store may mix old and new documents; \
                        generate again, or read from a replica set, which gives one moment";
            tokio::task::block_in_place(|| outlet.note(note.into()));
        }
        Ok(())
    }

    /// What shows whether somebody wrote, where there is no snapshot: how many documents there are and the latest dates.
    async fn fingerprint(&self, names: &[String]) -> Vec<Option<Document>> {
        let mut prints = Vec::new();
        if self.is_snapshot {
            return prints;
        }
        for name in names {
            let group = doc! {
                "_id": null, "count": { "$sum": 1 },
                "flat": { "$max": "$updated_at" }, "nested": { "$max": "$metadata.updated_at" },
            };
            let collection = self.database.collection::<Document>(name);
            let first = match collection.aggregate([doc! { "$group": group }]).max_time(COUNT_PATIENCE).await {
                Ok(mut cursor) => cursor.next().await.and_then(Result::ok),
                Err(_) => None,
            };
            prints.push(first);
        }
        prints
    }

    async fn next(
        &self,
        batches: &mut (impl Stream<Item = Result<RawBatch, Error>> + Unpin),
        doing: &str,
    ) -> Result<Option<RawBatch>, CatalogError> {
        match timeout(BATCH_PATIENCE, batches.next()).await {
            Ok(batch) => batch.transpose().map_err(|error| self.words.of_error(doing, &error)),
            Err(_) => {
                let (seconds, hosts) = (BATCH_PATIENCE.as_secs(), &self.words.hosts);
                Err(CatalogError::Unavailable(format!("{doing} from {hosts}: no answer for {seconds} s; run again")))
            }
        }
    }

    fn documents(&self, batch: &RawBatch, doing: &str) -> Result<Vec<RawDocument>, CatalogError> {
        let broken = |error: String| {
            CatalogError::Unavailable(format!(
                "{doing} from {}: the server's answer cannot be read: {error}",
                self.words.hosts
            ))
        };
        let items = batch.doc_slices().map_err(|error| broken(error.to_string()))?;
        items
            .into_iter()
            .map(|item| match item.map_err(|error| broken(error.to_string()))? {
                RawBsonRef::Document(document) => Ok(RawDocument::bson(document.as_bytes(), Place::Database)),
                _ => Err(broken("not a document".into())),
            })
            .collect()
    }
}

impl Words {
    fn of_uri(uri: &str) -> Self {
        let authority = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let secrets = user.split_once(':').map(|(_, password)| password.to_owned());
        Self { hosts: format!("`{hosts}`"), secrets: secrets.into_iter().collect(), patience: PATIENCE }
    }

    fn complete(&mut self, options: &ClientOptions) {
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        self.hosts = format!("`{}`", hosts.join(","));
        let credential = options.credential.as_ref();
        self.secrets.extend(credential.and_then(|credential| credential.password.clone()));
    }

    /// The driver's words on one line, without secrets.
    fn shown(&self, error: &Error) -> String {
        let mut words = error.kind.to_string();
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            words = words.replace(secret.as_str(), "***");
        }
        scalars::clean_line(&words, 400)
    }

    fn of_uri_error(&self, error: &Error) -> CatalogError {
        match *error.kind {
            ErrorKind::InvalidArgument { .. } | ErrorKind::InvalidTlsConfig { .. } => {
                CatalogError::Invalid(format!("`catalog.uri` cannot be used: {}", self.shown(error)))
            }
            _ => self.of_error("connecting", error),
        }
    }

    fn of_error(&self, doing: &str, error: &Error) -> CatalogError {
        let Self { hosts, .. } = self;
        let words = self.shown(error);
        let hint = match error.kind.as_ref() {
            ErrorKind::Authentication { .. } => "check user, password and `authSource` in `catalog.uri`",
            ErrorKind::ServerSelection { .. } if words.contains("certificate") => {
                "check the server's certificate, and `tlsCAFile` in `catalog.uri`"
            }
            ErrorKind::ServerSelection { .. } => {
                let seconds = self.patience.as_secs_f32();
                let words = first_cause(&words);
                return CatalogError::Unavailable(format!(
                    "{doing}: no server answers at {hosts} within {seconds} s; is it running, and are host and port right? ({words})"
                ));
            }
            ErrorKind::InvalidTlsConfig { .. } => "check the files that `catalog.uri` names",
            ErrorKind::DnsResolve { .. } => "check the host name in `catalog.uri`",
            // Unauthorized, AuthenticationFailed.
            ErrorKind::Command(command) if matches!(command.code, 13 | 18) => {
                "give a user who may read the database, as `mongodb://user:password@host`"
            }
            // SnapshotTooOld.
            ErrorKind::Command(command) if command.code == 239 => {
                "reading took longer than the server keeps a snapshot; raise `minSnapshotHistoryWindowInSeconds` there"
            }
            _ => "check the server and run again",
        };
        CatalogError::Unavailable(format!("{doing} from {hosts} failed: {words}; {hint}"))
    }
}

/// What kept the driver from the first server, out of its account of all servers.
fn first_cause(words: &str) -> &str {
    let cause = words.split_once("Error: Kind: ").map_or(words, |(_, cause)| cause);
    [", labels:", " }"].iter().filter_map(|end| cause.find(end)).min().map_or(cause, |end| &cause[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_is_told_and_not_the_topology() {
        let account = "Server selection timeout: No available servers. Topology: { Type: Unknown, Servers: [ { Address: \
                       a:1, Type: Unknown, Error: Kind: I/O error: Connection refused (os error 111), labels: {}, source: \
                       None } ] }";
        assert_eq!(first_cause(account), "I/O error: Connection refused (os error 111)");
        assert_eq!(first_cause("something else"), "something else");
    }

    #[test]
    fn passwords_are_never_told() {
        let words = Words::of_uri("mongodb://reader:s3cr%40t@db.example.com:27018/?authSource=admin");
        assert_eq!(words.hosts, "`db.example.com:27018`");
        let error = Error::custom("cannot log in with s3cr%40t".to_owned());
        let told = words.of_error("connecting", &error).to_string();
        assert!(!told.contains("s3cr") && told.contains("***"), "{told}");
    }

    #[test]
    fn a_connection_string_that_cannot_be_used_is_told_apart_from_a_server_that_is_away() {
        struct Silent;
        impl Observer for Silent {
            fn observe(&self, _: Event) {}
        }
        let told = |uri: &str| {
            let server = Server::new(Secret::new(uri.into()), "shop".into()).unwrap();
            server.products(&["products".into()], doc! {}, None, Outlet::new().0, &Silent).unwrap_err()
        };
        let error = told("mongodb://user:pa/ss@localhost");
        assert!(matches!(&error, CatalogError::Invalid(message) if message.contains("catalog.uri")), "{error}");
        assert!(!error.to_string().contains("pa/ss"), "{error}");
        let error = told("mongodb://user:hidden@127.0.0.1:1/?serverSelectionTimeoutMS=50");
        assert!(matches!(&error, CatalogError::Unavailable(message) if message.contains("127.0.0.1:1")), "{error}");
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}
