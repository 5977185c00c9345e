//! Where a catalogue is, and how to say so without its password.

use super::{CatalogUri, Secret};
use std::fmt;
use std::path::{Path, PathBuf};

/// What is wrong with a catalogue's address, and how to mend it; neither text holds any of the address.
pub(super) type Fault = (&'static str, &'static str);

const SCHEMES: [&str; 2] = ["mongodb://", "mongodb+srv://"];

impl CatalogUri {
    /// Reads an address; paths are taken from `folder`, which is absolute.
    pub(super) fn parse(text: &str, folder: &Path) -> Result<Self, Fault> {
        let text = text.trim();
        let folded = text.to_ascii_lowercase();
        if let Some(scheme) = SCHEMES.into_iter().find(|scheme| folded.starts_with(scheme)) {
            let rest = &text[scheme.len()..];
            check_server(rest)?;
            return Ok(Self::MongoDb(Secret::new(format!("{scheme}{rest}"))));
        }
        if folded.starts_with("mongodb:") || folded.starts_with("mongodb+") || folded.starts_with("mongodb/") {
            return Err(("is no MongoDB address", "it has to start with `mongodb://` or `mongodb+srv://`"));
        }
        if folded.starts_with("file://") {
            return Err(("must be a plain path", "leave out `file://`"));
        }
        if text.contains("://") {
            return Err((
                "is an address of a kind that storegen does not read",
                "give `mongodb://…`, `mongodb+srv://…`, or the path of a file or folder",
            ));
        }
        if text.starts_with('~') {
            return Err(("starts with `~`, which only a shell understands", "write `${HOME}/…`"));
        }
        if text.is_empty() {
            return Err(("is empty", "give `mongodb://…`, or the path of a file or folder"));
        }
        if text.contains('\0') {
            return Err(("holds a zero character", "remove it"));
        }
        Ok(Self::Path(clean(&folder.join(text))))
    }

    /// Folder of a catalogue in files; the collections of one that is a single file lie beside it.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Path(path) if path.is_file() => path.parent().map(Path::to_path_buf),
            Self::Path(path) => Some(path.clone()),
            Self::MongoDb(_) => None,
        }
    }

    /// The address without password and options, for terminals, logs and the job record: `mongodb://user:***@host/db`.
    pub fn display_safe(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::MongoDb(secret) => {
                let text = secret.expose();
                let (scheme, rest) = text.split_once("://").unwrap_or(("mongodb", ""));
                // A password may hold unescaped signs, so the user part reaches to the last `@`.
                let (user, server) = rest.rsplit_once('@').map_or((None, rest), |(user, server)| (Some(user), server));
                let server = server.split('?').next().unwrap_or_default();
                match user.map(|user| user.split_once(':').map_or((user, ""), |(name, _)| (name, ":***"))) {
                    Some((name, hidden)) => format!("{scheme}://{name}{hidden}@{server}"),
                    None => format!("{scheme}://{server}"),
                }
            }
        }
    }

    /// The hosts of a server's address, without user and password: `a:27017,b:27017`.
    pub fn hosts(&self) -> Option<&str> {
        let Self::MongoDb(secret) = self else { return None };
        let (_, rest) = secret.expose().split_once("://")?;
        let server = rest.rsplit_once('@').map_or(rest, |(_, server)| server);
        server.split(['/', '?']).next()
    }

    /// The database that a server's address names, unless it is the one for signing in.
    pub(super) fn database(&self) -> Option<&str> {
        let Self::MongoDb(secret) = self else { return None };
        let (_, rest) = secret.expose().split_once("://")?;
        let (_, path) = rest.split_once('/')?;
        path.split('?').next().filter(|name| !name.is_empty() && *name != "admin")
    }
}

impl fmt::Display for CatalogUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.display_safe())
    }
}

/// Looks at user, hosts and path; the driver checks the rest when it connects.
fn check_server(rest: &str) -> Result<(), Fault> {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (user, hosts) = authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
    let beyond = &rest[authority.len()..];
    let beyond_path = beyond.split('?').next().unwrap_or_default();
    let loose =
        beyond_path.contains('@') || user.is_some_and(|user| user.contains('@') || user.matches(':').count() > 1);
    if loose || (user.is_none() && beyond.contains('@') && authority.contains(':') && !port_ends(authority)) {
        return Err((
            "has a sign in its user or password that belongs in percent form",
            "write `%40` for `@`, `%3A` for `:`, `%2F` for `/`, `%3F` for `?`",
        ));
    }
    if hosts.split(',').any(|host| host.split(':').next().unwrap_or_default().is_empty()) {
        return Err(("names no server", "write it after the `//`, or after the `@`: `mongodb://db.example:27017/`"));
    }
    Ok(())
}

fn port_ends(hosts: &str) -> bool {
    hosts.rsplit(':').next().is_some_and(|port| port.chars().all(|c| c.is_ascii_digit()))
}

/// A path without `.` parts; `..` stays, as it may lead through a link.
pub(super) fn clean(path: &Path) -> std::path::PathBuf {
    path.components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CatalogUri, Fault> {
        CatalogUri::parse(text, Path::new("/shop"))
    }

    #[test]
    fn addresses_are_shown_without_secrets() {
        for (text, shown, database) in [
            ("mongodb://ada:s3cret@host/db", "mongodb://ada:***@host/db", Some("db")),
            ("MongoDB+SRV://ada:s%40@c.example/?authSource=x", "mongodb+srv://ada:***@c.example/", None),
            ("mongodb://ada@h1,h2:27018/admin", "mongodb://ada@h1,h2:27018/admin", None),
            ("mongodb://host/db?tlsCertificateKeyFilePassword=s3cret", "mongodb://host/db", Some("db")),
            ("./catalog//products.jsonl", "/shop/catalog/products.jsonl", None),
            ("/else/where", "/else/where", None),
        ] {
            let uri = read(text).expect(text);
            assert_eq!((uri.display_safe().as_str(), uri.database()), (shown, database), "{text}");
            assert!(!format!("{uri:?} {uri}").contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn addresses_that_cannot_work_are_refused() {
        for text in [
            "",
            "mongodb:/host",
            "mongodb//host",
            "mongodb://",
            "mongodb://ada:pw@/db",
            "mongodb://ada:p@ss@host/db",
            "mongodb://ada:p/ss@host/db",
            "mongodb://ada:p?ss@host/db",
            "mongodb://a,,b/db",
            "postgres://host/db",
            "https://shop.example/products.json",
            "file:///tmp/x",
            "~/products.json",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
