//! Which products were written to since a moment that a run before has kept.
//!
//! A replica set keeps a log of what is written, and a change stream begins anywhere in it. In: the moment, if there is
//! one. Out: the moment up to which everything has been told, which the next run begins at, and what was told. It comes
//! before the snapshot that is read from, so that what is written between the two is told once more, and never missed.
//! Where anything is in doubt nothing is told, and every document is read and compared.

use super::changes::of_collections;
use crate::catalog::document::RawDocument;
use crate::site::Digest;
use ::mongodb::Database;
use ::mongodb::bson::{Bson, Document, Timestamp, doc};
use ::mongodb::change_stream::ChangeStream;
use ::mongodb::change_stream::event::{ChangeStreamEvent, OperationType, ResumeToken};
use ::mongodb::error::Error;
use ::mongodb::options::{ClientOptions, ReadPreference, SelectionCriteria};
use ::mongodb::results::CollectionType;
use futures_util::TryStreamExt as _;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

/// Documents beyond which reading all of them is no slower.
const MOST: usize = 20_000;
/// How long the log may be read; a server that tells more slowly is read in the usual way.
const LONGEST: Duration = Duration::from_secs(5);
/// How long the server waits for more before it says that there is none.
const WAIT: Duration = Duration::from_millis(1);

/// What a server is asked for.
#[derive(Debug)]
pub(in crate::catalog) struct Asks {
    /// The moment that was kept, if there is one.
    pub(in crate::catalog) since: Option<Vec<u8>>,
    /// Collections beside those of the products that it matters of whether anything was written to them.
    pub(in crate::catalog) beside: Vec<String>,
}

/// What a server tells of its changes.
#[derive(Clone, Debug)]
pub struct Told {
    /// Up to where everything was told, to begin at the next time.
    pub moment: Vec<u8>,
    /// The products that were written to since the moment that was kept; `None` where that is not known for certain.
    pub changed: Option<Changed>,
}

/// Products that were written to, or removed.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    ids: BTreeMap<String, Vec<Bson>>,
    /// As [`RawDocument::key`] has them.
    pub keys: HashSet<Digest>,
    /// Something else than products may have been written to.
    pub beside: bool,
}

impl Changed {
    fn add(&mut self, collection: String, id: Bson) -> Option<()> {
        if self.keys.insert(RawDocument::key_of(&collection, id.clone())?) {
            self.ids.entry(collection).or_default().push(id);
        }
        Some(())
    }

    /// The documents among those that a query finds.
    pub(super) fn among(&self, collection: &str, query: &Document) -> Document {
        let ids = self.ids.get(collection).cloned().unwrap_or_default();
        doc! { "$and": [{ "_id": { "$in": ids } }, query.clone()] }
    }
}

/// Asks a server. `hello` is what it said of itself before.
pub(super) async fn ask(
    database: &Database,
    options: &ClientOptions,
    hello: &Document,
    products: &[String],
    asks: &Asks,
) -> Option<Told> {
    let is_primary = match &options.selection_criteria {
        None => true,
        Some(criteria) => matches!(criteria, SelectionCriteria::ReadPreference(ReadPreference::Primary)),
    };
    let until = hello.get_document("lastWrite").and_then(|write| write.get_document("majorityOpTime"));
    let until = until.and_then(|time| time.get_timestamp("ts")).ok()?;
    let others = others(database, products, &asks.beside).await.ok()?;
    if !is_primary || others.products {
        return None;
    }
    let watched = Watched { products, beside: if others.beside { &[] } else { &asks.beside } };
    if let Some(since) = asks.since.as_deref().and_then(|bytes| Document::from_reader(bytes).ok())
        && let Ok(Some(told)) = tell(database, watched, &since, until).await
    {
        return Some(told);
    }
    // From now on, then.
    let stream = open(database, watched, None).await.ok()?;
    Some(Told { moment: moment_of(&stream)?, changed: None })
}

/// Collections whose changes are told.
#[derive(Clone, Copy)]
struct Watched<'a> {
    products: &'a [String],
    beside: &'a [String],
}

impl Watched<'_> {
    fn names(self) -> Vec<String> {
        [self.products, self.beside].concat()
    }
}

/// Whether anything else than a collection is among names: nobody tells of changes behind a view.
struct Others {
    products: bool,
    beside: bool,
}

async fn others(database: &Database, products: &[String], beside: &[String]) -> Result<Others, Error> {
    let names = Watched { products, beside }.names();
    let listed = database.list_collections().filter(doc! { "name": { "$in": names } }).await?;
    let listed: Vec<_> = listed.try_collect().await?;
    let others = listed.iter().filter(|one| !matches!(one.collection_type, CollectionType::Collection));
    let others: Vec<&String> = others.map(|one| &one.name).collect();
    let among = |names: &[String]| others.iter().any(|name| names.contains(*name));
    Ok(Others { products: among(products), beside: among(beside) })
}

type Stream = ChangeStream<ChangeStreamEvent<Document>>;

async fn open(database: &Database, watched: Watched<'_>, since: Option<ResumeToken>) -> Result<Stream, Error> {
    let ours = of_collections(&watched.names());
    database.watch().pipeline(ours).resume_after(since).max_await_time(WAIT).await
}

async fn tell(
    database: &Database,
    watched: Watched<'_>,
    since: &Document,
    until: Timestamp,
) -> Result<Option<Told>, Error> {
    let began = Instant::now();
    let Ok(token) = ::mongodb::bson::deserialize_from_document::<Holder>(since.clone()) else { return Ok(None) };
    let mut stream = open(database, watched, Some(token.token)).await?;
    let mut changed = Changed { beside: watched.beside.is_empty(), ..Changed::default() };
    loop {
        if let Some(event) = stream.next_if_any().await? {
            let is_written = matches!(
                event.operation_type,
                OperationType::Insert | OperationType::Update | OperationType::Replace | OperationType::Delete
            );
            let collection = event.ns.and_then(|name| name.coll);
            let is_of = |names: &[String]| collection.as_ref().is_some_and(|collection| names.contains(collection));
            let (is_product, is_beside) = (is_of(watched.products), is_of(watched.beside));
            changed.beside |= is_beside;
            if is_product || !is_beside {
                let id = event.document_key.and_then(|mut key| key.remove("_id"));
                let Some((collection, id)) = collection.zip(id).filter(|_| is_written) else { return Ok(None) };
                if changed.add(collection, id).is_none() {
                    return Ok(None);
                }
            }
        } else if stream.resume_token().and_then(|token| time_of(&token)).is_some_and(|time| time >= until) {
            // The end of the log as it was when the server was asked about itself, and maybe more.
            return Ok(moment_of(&stream).map(|moment| Told { moment, changed: Some(changed) }));
        }
        if changed.keys.len() > MOST || began.elapsed() > LONGEST {
            return Ok(None);
        }
    }
}

/// A token in a document, as it is kept.
#[derive(serde::Serialize, serde::Deserialize)]
struct Holder {
    token: ResumeToken,
}

fn moment_of(stream: &Stream) -> Option<Vec<u8>> {
    let holder = Holder { token: stream.resume_token()? };
    ::mongodb::bson::serialize_to_document(&holder).ok()?.to_vec().ok()
}

/// The moment that a token stands for. Tokens are the server's own affair, but begin alike since version 4.0: the kind
/// of a timestamp in one byte, then the timestamp, in hexadecimal digits.
fn time_of(token: &ResumeToken) -> Option<Timestamp> {
    let token = ::mongodb::bson::serialize_to_document(&Holder { token: token.clone() }).ok()?;
    let digits = token.get_document("token").ok()?.get_str("_data").ok()?;
    let digits = digits.strip_prefix("82")?;
    let number = |from: usize| u32::from_str_radix(digits.get(from..from + 8)?, 16).ok();
    Some(Timestamp { time: number(0)?, increment: number(8)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_moment() {
        let token =
            |data: &str| ::mongodb::bson::deserialize_from_document::<Holder>(doc! { "token": { "_data": data } });
        let told = |data: &str| time_of(&token(data).expect("a token").token);
        let moment = Timestamp { time: 0x6543_2100, increment: 7 };
        assert_eq!(told("826543210000000007 2B0229".replace(' ', "").as_str()), Some(moment));
        for other in ["", "81", "82654321", "82zzzzzzzz00000007"] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
