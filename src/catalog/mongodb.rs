//! Catalogues in a MongoDB server, through the official driver.
//!
//! A replica set is read in one snapshot: brands, categories and products are as they were at one moment, however long
//! reading takes. A standalone server has no snapshots; there documents are read in the order of their ids, and a look at
//! the collections before and after tells whether somebody wrote meanwhile. Whole batches are copied into blocks and
//! not decoded here. Nothing that leaves this file holds the password of the connection string.

mod changes;
mod health;
mod reading;
mod since;
mod words;

use super::document::RawDocument;
use super::references::Beside;
use super::stream::Outlet;
use super::{CatalogError, pushdown, scalars};
use crate::config::{Collections, Patience, Secret};
use crate::event::{Cancelled, Event, Observer};
use ::mongodb::bson::{Document, RawDocumentBuf, doc};
use ::mongodb::error::{Error, ErrorKind};
use ::mongodb::options::ClientOptions;
use ::mongodb::{Client, ClientSession, Database};
pub(super) use changes::Changes;
use futures_util::future::{Either, select};
use reading::{Connection, within};
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{sleep, timeout};
use words::{PATIENCE, Words};

pub use health::ServerHealth;
pub(super) use since::Asks;
pub use since::{Changed, Told};

/// How often a wait looks whether the run was cancelled.
const GLANCE: Duration = Duration::from_millis(20);

/// Server versions from 5.0 on read snapshots outside of transactions.
const SNAPSHOT_WIRE_VERSION: i32 = 13;

/// Which products are read.
pub(super) struct Wanted<'a> {
    /// Finds those that the store wants.
    pub(super) query: Document,
    /// Finds those that are asked for, which may be more.
    pub(super) asked: Document,
    /// Only those that were written to.
    pub(super) changed: Option<&'a Changed>,
    /// What is asked for of each.
    pub(super) projection: Option<Document>,
}

/// A server and the runtime its driver lives in.
pub(super) struct Server {
    runtime: Arc<Runtime>,
    uri: Secret,
    database: String,
    patience: Patience,
    connection: OnceCell<Connection>,
    /// Which changes are asked for, if they are.
    asks: Option<Asks>,
}

impl Server {
    /// Starts the driver's runtime; connects to nothing yet.
    pub(super) fn new(uri: Secret, database: String, patience: Patience) -> Result<Self, CatalogError> {
        // One worker: the driver only waits and copies, decoding is done elsewhere.
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("mongodb").enable_all().build();
        let runtime = runtime.map_err(|error| CatalogError::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self { runtime: Arc::new(runtime), uri, database, patience, connection: OnceCell::new(), asks: None })
    }

    /// Asks for changes too, as soon as it is connected.
    pub(super) fn asking_for_changes(self, asks: Asks) -> Self {
        Self { asks: Some(asks), ..self }
    }

    /// Connects, if nobody has done so before.
    pub(super) fn connect_for(&self, products: &[String], observer: &dyn Observer) -> Result<(), CatalogError> {
        self.wait(observer, async { self.connection(products, observer).await.map(drop) })
    }

    /// What was told of changes; `None` where nothing was, or nobody has connected yet.
    pub(super) fn told(&self) -> Option<&Told> {
        self.connection.get()?.told.as_ref()
    }

    pub(super) fn runtime(&self) -> Arc<Runtime> {
        Arc::clone(&self.runtime)
    }

    /// Reads brands, categories, compatibility and counted events.
    pub(super) fn references(
        &self,
        names: &Collections,
        observer: &dyn Observer,
        take: &mut dyn FnMut(Beside, &RawDocument),
    ) -> Result<(), CatalogError> {
        self.wait(observer, async {
            let connection = self.connection(&names.products, observer).await?;
            for kind in Beside::ALL {
                let name = kind.name(names);
                let take = |raw| take(kind, &raw);
                match kind {
                    Beside::Brands => connection.each(name, Some(pushdown::brand_projection()), observer, take).await?,
                    Beside::Categories | Beside::Compatibility => connection.each(name, None, observer, take).await?,
                    Beside::Events => connection.events(name, take).await?,
                }
            }
            Ok(())
        })
    }

    /// Starts reading products into an outlet; gives how many of them the store may want, if the server can tell quickly.
    pub(super) fn products(
        &self,
        names: &[String],
        wanted: Wanted<'_>,
        mut outlet: Outlet,
        observer: &dyn Observer,
    ) -> Result<Option<u64>, CatalogError> {
        let Wanted { query, asked, changed, projection } = wanted;
        let (connection, total) = self.wait(observer, async {
            let connection = self.connection(names, observer).await?.clone();
            let total = match changed {
                Some(changed) => Some(changed.keys.len() as u64),
                None => connection.count(names, &query).await,
            };
            Ok((connection, total))
        })?;
        let query_of = |name: &String| changed.map_or_else(|| asked.clone(), |changed| changed.among(name, &asked));
        let requests: Vec<(String, Document)> = names.iter().map(|name| (name.clone(), query_of(name))).collect();
        self.runtime.spawn(async move {
            let outcome = connection.stream(&requests, projection.as_ref(), &mut outlet).await;
            tokio::task::block_in_place(|| outlet.finish(outcome));
        });
        Ok(total)
    }

    /// The database, once it is connected to.
    pub(super) async fn database(
        &self,
        products: &[String],
        observer: &dyn Observer,
    ) -> Result<&Database, CatalogError> {
        Ok(&self.connection(products, observer).await?.database)
    }

    /// How long answers are waited for.
    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// The driver's words on one line, without secrets.
    pub(super) fn shown(&self, error: &Error) -> String {
        self.connection.get().map_or_else(String::new, |connection| connection.words.shown(error))
    }

    /// Looks the server over.
    pub(super) fn health(
        &self,
        names: &[String],
        now: &(dyn Fn() -> SystemTime + Sync),
        observer: &dyn Observer,
    ) -> Result<ServerHealth, CatalogError> {
        self.wait(observer, async { self.connection(names, observer).await?.health(names, now).await })
    }

    pub(super) fn wait<T>(
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
        let mut options = ClientOptions::parse(self.uri.expose()).await.map_err(|error| words.of_uri_error(error))?;
        options.server_selection_timeout.get_or_insert(PATIENCE);
        options.connect_timeout.get_or_insert(PATIENCE);
        options.app_name.get_or_insert_with(|| "storegen".into());
        words.complete(&options);
        let client = Client::with_options(options.clone()).map_err(|error| words.of_uri_error(error))?;
        let database = client.database(&self.database);
        let limit = self.patience.answer.saturating_add(words.patience);
        let hello = within(limit, database.run_command(doc! { "hello": 1 }).into_future()).await;
        let hello = hello.map_err(|trouble| words.of_trouble("connecting", &trouble))?;
        let listed = within(limit, database.list_collection_names().authorized_collections(true).into_future()).await;
        let collections: BTreeSet<String> =
            listed.map_err(|trouble| words.of_trouble("listing collections", &trouble))?.into_iter().collect();
        if let Some(missing) = products.iter().find(|name| !collections.contains(*name)) {
            return Err(self.missing(missing, &collections, &client, &words).await);
        }
        let told = match &self.asks {
            Some(asks) => {
                let asking = since::ask(&database, &options, &hello, products, asks);
                timeout(limit, asking).await.ok().flatten()
            }
            None => None,
        };
        let (session, is_snapshot) = within(limit, open_session(&client, &database, products, &hello, observer))
            .await
            .map_err(|trouble| words.of_trouble("opening a session", &trouble))?;
        let session = Arc::new(Mutex::new(session));
        let patience = self.patience;
        // What is not read from a snapshot may be taken back by the server, and that is not told.
        let told = told.filter(|_| is_snapshot);
        Ok(Connection { database, collections, session, is_snapshot, told, words, patience })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Room;

    #[test]
    fn a_connection_string_that_cannot_be_used_is_told_apart_from_a_server_that_is_away() {
        struct Silent;
        impl Observer for Silent {
            fn observe(&self, _: Event) {}
        }
        let told = |uri: &str| {
            let server = Server::new(Secret::new(uri.into()), "shop".into(), Patience::default()).unwrap();
            let wanted = Wanted { query: doc! {}, asked: doc! {}, changed: None, projection: None };
            server.products(&["products".into()], wanted, Outlet::new(Room::default()).0, &Silent).unwrap_err()
        };
        let error = told("mongodb://user:pa/ss@localhost");
        assert!(matches!(&error, CatalogError::Invalid(message) if message.contains("catalog.uri")), "{error}");
        assert!(!error.to_string().contains("pa/ss"), "{error}");
        let error = told("mongodb://user:hidden@127.0.0.1:1/?serverSelectionTimeoutMS=50");
        assert!(matches!(&error, CatalogError::Unavailable(message) if message.contains("127.0.0.1:1")), "{error}");
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}
