//! What a server is and what it lets its user do, for those who set it up.
//!
//! In: a server that answers. Out: its version, what the user may do, the indexes that would help, its clock. Reads no
//! document but the first of each collection of products.

use super::reading::{Connection, DATES, within};
use super::words::Trouble;
use crate::catalog::CatalogError;
use ::mongodb::bson::{Bson, Document, doc};
use ::mongodb::error::Error;
use futures_util::StreamExt;
use std::time::{Duration, SystemTime};

/// A server that answers.
#[derive(Clone, Debug)]
pub struct ServerHealth {
    /// Its addresses, in backticks.
    pub hosts: String,
    /// Its version, such as `6.0.5`.
    pub version: String,
    /// The name of its replica set; `sharded cluster` behind a router; nothing for a server of its own.
    pub cluster: Option<String>,
    /// Whether a catalogue is read as it was at one moment.
    pub has_snapshots: bool,
    /// Collections of products, and how many documents each has.
    pub products: Vec<(String, u64)>,
    /// Who the server takes storegen for; nothing where it asks nobody for a name.
    pub user: Option<String>,
    /// Whether that user may change the catalogue.
    pub may_write: bool,
    /// Indexes that would help: the collection and the field.
    pub wanted_indexes: Vec<(String, String)>,
    /// How far the server's clock is before this machine's; negative when it is behind. Exact to the time of an answer.
    pub clock_ahead_seconds: Option<f64>,
}

impl Connection {
    /// Looks the server over.
    pub(super) async fn health(
        &self,
        names: &[String],
        now: &(dyn Fn() -> SystemTime + Sync),
    ) -> Result<ServerHealth, CatalogError> {
        let told = |doing: &'static str| move |trouble: Trouble| self.words.of_trouble(doing, &trouble);
        let hello = self.ask(doc! { "hello": 1 }).await.map_err(told("greeting"))?;
        let clock_ahead_seconds = hello.get_datetime("localTime").ok().map(|theirs| {
            let ours = now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            theirs.timestamp_millis() as f64 / 1000.0 - ours
        });
        let version = self.ask(doc! { "buildInfo": 1 }).await.map_err(told("asking for the version"))?;
        let status = doc! { "connectionStatus": 1, "showPrivileges": true };
        let status = self.ask(status).await.map_err(told("asking for permissions"))?;
        let may = status.get_document("authInfo").cloned().unwrap_or_default();
        let user = first_document(&may, "authenticatedUsers").and_then(|user| user.get_str("user").ok());
        let cluster = match hello.get_str("msg") {
            Ok("isdbgrid") => Some("sharded cluster".to_owned()),
            _ => hello.get_str("setName").ok().map(str::to_owned),
        };
        let mut products = Vec::new();
        let mut wanted_indexes = Vec::new();
        for name in names {
            let reading = |trouble: Trouble| self.words.of_trouble(&format!("reading `{name}`"), &trouble);
            products.push((name.clone(), self.documents(name).await.map_err(reading)?));
            // Only a server of its own is asked for the newest date: it shows whether somebody wrote meanwhile.
            if !self.is_snapshot {
                let wanted = self.wanted(name).await.map_err(reading)?;
                wanted_indexes.extend(wanted.map(|field| (name.clone(), field)));
            }
        }
        Ok(ServerHealth {
            hosts: self.words.hosts.clone(),
            version: version.get_str("version").unwrap_or("unknown").to_owned(),
            cluster,
            has_snapshots: self.is_snapshot,
            products,
            user: user.map(str::to_owned),
            may_write: may_write(&may, self.database.name()),
            wanted_indexes,
            clock_ahead_seconds,
        })
    }

    async fn ask(&self, command: Document) -> Result<Document, Trouble> {
        self.limited(self.database.run_command(command).into_future()).await
    }

    async fn documents(&self, name: &str) -> Result<u64, Trouble> {
        let collection = self.database.collection::<Document>(name);
        self.limited(collection.estimated_document_count().into_future()).await
    }

    /// The date that documents have and no index begins with.
    async fn wanted(&self, name: &str) -> Result<Option<String>, Trouble> {
        let collection = self.database.collection::<Document>(name);
        let dates: Document = DATES.into_iter().map(|path| (path.to_owned(), Bson::Int32(1))).collect();
        let first = self.limited(collection.find_one(doc! {}).projection(dates).into_future()).await?;
        let first = first.unwrap_or_default();
        let Some(date) = DATES.into_iter().find(|path| at(&first, path).is_some()) else { return Ok(None) };
        let mut indexes = match self.limited(collection.list_indexes().into_future()).await {
            Ok(indexes) => indexes,
            // A view has none, and not every user may list them.
            Err(Trouble::Driver(_)) => return Ok(None),
            Err(trouble) => return Err(trouble),
        };
        while let Some(index) = self.limited(async { indexes.next().await.transpose() }).await? {
            if index.keys.keys().next().is_some_and(|key| key == date) {
                return Ok(None);
            }
        }
        Ok(Some(date.to_owned()))
    }

    async fn limited<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
        let limit: Duration = self.patience.answer.saturating_add(self.words.patience);
        within(limit, request).await
    }
}

fn at<'a>(document: &'a Document, path: &str) -> Option<&'a Bson> {
    match path.split_once('.') {
        Some((first, rest)) => at(document.get_document(first).ok()?, rest),
        None => document.get(path),
    }
}

fn first_document<'a>(document: &'a Document, list: &str) -> Option<&'a Document> {
    document.get_array(list).ok()?.first()?.as_document()
}

/// Whether any privilege lets the user change documents of the database. A server without access control lets everybody.
fn may_write(may: &Document, database: &str) -> bool {
    if first_document(may, "authenticatedUsers").is_none() {
        return true;
    }
    let privileges = may.get_array("authenticatedUserPrivileges").map(Vec::as_slice).unwrap_or_default();
    privileges.iter().filter_map(Bson::as_document).any(|privilege| {
        let resource = privilege.get_document("resource").cloned().unwrap_or_default();
        let is_here = resource.get_bool("anyResource").unwrap_or(false)
            || resource.get_str("db").is_ok_and(|name| name.is_empty() || name == database);
        let actions = privilege.get_array("actions").map(Vec::as_slice).unwrap_or_default();
        let writes = ["insert", "update", "remove", "anyAction"];
        is_here && actions.iter().filter_map(Bson::as_str).any(|action| writes.contains(&action))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_only_read_is_told_from_who_may_write() {
        let of = |db: &str, actions: &[&str]| {
            let user = doc! { "user": "shop", "db": "admin" };
            let privilege = doc! { "resource": { "db": db, "collection": "" }, "actions": actions.to_vec() };
            doc! { "authenticatedUsers": [user], "authenticatedUserPrivileges": [privilege] }
        };
        assert!(!may_write(&of("shop", &["find", "listIndexes"]), "shop"));
        assert!(!may_write(&of("other", &["insert"]), "shop"));
        assert!(may_write(&of("shop", &["find", "insert"]), "shop"));
        assert!(may_write(&of("", &["remove"]), "shop"));
        assert!(may_write(&doc! {}, "shop"));
    }

    #[test]
    fn fields_are_found_by_dotted_paths() {
        let document = doc! { "metadata": { "updated_at": 1 }, "updated_at": 2 };
        assert_eq!(at(&document, "metadata.updated_at"), Some(&Bson::Int32(1)));
        assert_eq!(at(&document, "updated_at.deeper"), None);
    }
}
