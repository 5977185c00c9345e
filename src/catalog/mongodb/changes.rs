//! Learns that somebody has written to the catalogue of a server.
//!
//! A replica set and a sharded cluster tell by themselves, through a change stream; a standalone server is asked for a
//! hash of the collections now and then. Only that something has changed is told, not what: whoever reads next compares
//! every document, so that nothing is lost while a server was away.

use super::words::{Trouble, Words};
use crate::catalog::CatalogError;
use crate::config::{Collections, Secret};
use ::mongodb::bson::{Document, doc};
use ::mongodb::change_stream::ChangeStream;
use ::mongodb::change_stream::event::ChangeStreamEvent;
use ::mongodb::error::{Error, ErrorKind};
use ::mongodb::options::ClientOptions;
use ::mongodb::{Client, Database};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep, timeout};

/// How often a wait looks whether it is over.
const GLANCE: Duration = Duration::from_millis(20);
/// Changes that follow each other within this time are one.
const QUIET: Duration = Duration::from_millis(60);
/// A burst is not waited for longer than this.
const LONGEST_BURST: Duration = Duration::from_secs(2);
/// Least time between two questions to a standalone server, or to one that is away.
const PAUSE: Duration = Duration::from_secs(1);
/// A standalone server spends at most one part in so many of its time on questions.
const SHARE: u32 = 20;
/// What a standalone server answers when it is asked for a change stream.
const NO_CHANGE_STREAMS: i32 = 40573;

/// The changes of one catalogue.
pub(in crate::catalog) struct Changes {
    runtime: Runtime,
    database: Database,
    names: Vec<String>,
    words: Words,
    way: Way,
}

/// How changes are learned of.
enum Way {
    Stream(ChangeStream<ChangeStreamEvent<Document>>),
    /// By the last hash, and how long the server took for it.
    Hash(Option<String>, Duration),
}

impl Changes {
    /// Begins to listen; from now on no change is missed.
    ///
    /// # Errors
    /// When the server cannot be reached, or tells of changes in neither way.
    pub(in crate::catalog) fn begin(uri: &Secret, database: &str, names: &Collections) -> Result<Self, CatalogError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("changes").enable_all().build();
        let runtime = runtime.map_err(|error| CatalogError::Unavailable(format!("cannot start a thread: {error}")))?;
        let mut words = Words::of_uri(uri.expose());
        let client = runtime.block_on(async {
            let mut options = ClientOptions::parse(uri.expose()).await.map_err(|error| words.of_uri_error(error))?;
            options.server_selection_timeout.get_or_insert(words.patience);
            options.app_name.get_or_insert_with(|| "storegen".into());
            words.complete(&options);
            Client::with_options(options).map_err(|error| words.of_uri_error(error))
        })?;
        let others = [&names.brands, &names.categories, &names.face_shape_compatibility, &names.user_analytics]
            .map(String::clone);
        let names: Vec<String> = names.products.iter().cloned().chain(others).collect();
        let database = client.database(database);
        let way = runtime.block_on(open(&database, &names));
        let way = way.map_err(|error| words.of_trouble("listening for changes", &Trouble::Driver(error)))?;
        Ok(Self { runtime, database, names, words, way })
    }

    /// Whether the server is asked now and then, because it does not tell by itself.
    pub(in crate::catalog) fn is_polling(&self) -> bool {
        matches!(self.way, Way::Hash(..))
    }

    /// Waits for the next change, and for the end of the burst it belongs to; `false` when it was over before. A server
    /// that goes away is waited for, and may have been changed meanwhile; `note` is told of it.
    pub(in crate::catalog) fn wait(&mut self, is_over: &dyn Fn() -> bool, note: &dyn Fn(String)) -> bool {
        let Self { runtime, database, names, words, way } = self;
        runtime.block_on(async {
            let over = pin!(async {
                while !is_over() {
                    sleep(GLANCE).await;
                }
            });
            let changed = pin!(async {
                let Err(error) = next(way, database, names).await else { return };
                note(format!("{}; waiting for it", words.of_trouble("listening for changes", &Trouble::Driver(error))));
                loop {
                    sleep(PAUSE).await;
                    if let Ok(again) = open(database, names).await {
                        *way = again;
                        return;
                    }
                }
            });
            matches!(select(changed, over).await, Either::Left(_))
        })
    }
}

async fn open(database: &Database, names: &[String]) -> Result<Way, Error> {
    match database.watch().pipeline(of_collections(names)).await {
        Ok(stream) => Ok(Way::Stream(stream)),
        Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(c) if c.code == NO_CHANGE_STREAMS) => {
            let (hash, took) = hash(database, names).await?;
            Ok(Way::Hash(hash, took))
        }
        Err(error) => Err(error),
    }
}

/// Leaves of a stream of changes those that have to do with collections, one that is renamed to take the place of another
/// included, and of each what was changed, without a word of what it says.
pub(super) fn of_collections(names: &[String]) -> [Document; 2] {
    let ours = doc! { "$match": { "$or": [
        { "ns.coll": { "$in": names.to_vec() } },
        { "to.coll": { "$in": names.to_vec() } },
        { "operationType": { "$in": ["dropDatabase", "invalidate"] } },
    ] } };
    [ours, doc! { "$project": { "operationType": 1, "ns": 1, "to": 1, "documentKey": 1 } }]
}

/// The server's own hash of the collections, and how long it took.
async fn hash(database: &Database, names: &[String]) -> Result<(Option<String>, Duration), Error> {
    let began = Instant::now();
    let answer = database.run_command(doc! { "dbHash": 1, "collections": names.to_vec() }).await?;
    Ok((answer.get_str("md5").ok().map(str::to_owned), began.elapsed()))
}

/// Comes back after a change.
async fn next(way: &mut Way, database: &Database, names: &[String]) -> Result<(), Error> {
    match way {
        Way::Stream(stream) => {
            let ended = || Error::custom("the server has ended the stream of changes");
            stream.next().await.ok_or_else(ended)??;
            let began = Instant::now();
            while began.elapsed() < LONGEST_BURST {
                match timeout(QUIET, stream.next()).await {
                    Ok(Some(Ok(_))) => {}
                    // The next wait deals with it; there is a change to tell first.
                    Ok(_) | Err(_) => break,
                }
            }
            Ok(())
        }
        Way::Hash(last, took) => loop {
            sleep(PAUSE.max(*took * SHARE)).await;
            let (now, duration) = hash(database, names).await?;
            *took = duration;
            if now != *last {
                *last = now;
                return Ok(());
            }
        },
    }
}
