//! Whether everything that a run needs is there and in order, before somebody waits for it.
//!
//! In: a configuration. Out: a list of checks, each with its remedy. Reads no product and writes nothing.

use super::{protected, theme};
use crate::catalog::{CatalogError, ServerHealth, Source};
use crate::config::{CatalogUri, StoreConfiguration, ThemeSource};
use crate::event::{Cancelled, Observer};
use crate::site::Output;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Free space below which a disk is called full: a small store with all that is needed to make it.
const LEAST_FREE: u64 = 200 << 20;
/// How far two clocks may be apart, in seconds, before times in records mislead.
const LARGEST_SKEW: f64 = 5.0;
/// Oldest version of MongoDB that the driver speaks with, and the oldest that gives snapshots.
const OLDEST: (u32, u32) = (4, 2);
const SNAPSHOTS_SINCE: (u32, u32) = (5, 0);

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// Runs will work, but something should be seen to.
    Warn,
    /// Runs will fail.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: a short stable key.
    pub name: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen. Never holds a secret.
    pub detail: String,
    /// What to do, unless all is well.
    pub remedy: Option<String>,
}

impl Check {
    /// Something that is as it should be.
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, health: Health::Ok, detail: detail.into(), remedy: None }
    }

    /// Something that should be seen to.
    pub fn warn(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, health: Health::Warn, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// Something that makes runs fail.
    pub fn fail(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, health: Health::Fail, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}

/// What a configuration is looked at together with.
pub struct Surroundings<'a> {
    /// Folder of the state file.
    pub state_folder: &'a Path,
    /// Places that the store must not take, as for a run.
    pub protected: &'a [PathBuf],
    /// This machine's clock.
    pub now: &'a (dyn Fn() -> SystemTime + Sync),
}

/// What came of an examination.
#[derive(Debug)]
pub struct Examination {
    /// In the order in which a run meets them.
    pub checks: Vec<Check>,
    /// Whether the database is out of reach.
    pub is_unreachable: bool,
}

/// Looks at everything that a run of this configuration needs.
///
/// # Errors
/// When it was asked to stop.
pub fn examine(
    config: &StoreConfiguration,
    around: &Surroundings<'_>,
    observer: &dyn Observer,
) -> Result<Examination, Cancelled> {
    let mut checks = vec![of_theme(config)];
    let mut is_unreachable = false;
    match Source::open(&config.catalog).and_then(|source| source.health(around.now, observer)) {
        Ok(Some(server)) => checks.extend(of_server(&server)),
        Ok(None) => checks.push(Check::ok("catalogue", config.catalog.uri.display_safe())),
        Err(CatalogError::Cancelled(cancelled)) => return Err(cancelled),
        Err(error) => {
            is_unreachable = matches!(error, CatalogError::Unavailable(_));
            let name = if matches!(config.catalog.uri, CatalogUri::MongoDb(_)) { "mongodb" } else { "catalogue" };
            let remedy = "see to it that `catalog.uri` and what it names are right; `storegen check` reads all of it";
            checks.push(Check::fail(name, error.to_string(), remedy));
        }
    }
    checks.push(output(config, around.protected));
    checks.push(space("output disk", &config.output, needed(&config.output)));
    checks.push(state(around.state_folder));
    checks.push(space("state disk", around.state_folder, LEAST_FREE));
    Ok(Examination { checks, is_unreachable })
}

fn of_theme(config: &StoreConfiguration) -> Check {
    let name = match &config.theme {
        ThemeSource::Embedded(name) => format!("`{name}`"),
        ThemeSource::Folder(folder) => format!("`{}`", folder.display()),
    };
    match theme::load(config) {
        Ok(_) => Check::ok("theme", name),
        Err(error) => Check::fail("theme", error.to_string(), "mend the theme, or use one of the program's"),
    }
}

fn of_server(server: &ServerHealth) -> Vec<Check> {
    let ServerHealth { hosts, version, .. } = server;
    let documents: u64 = server.products.iter().map(|(_, count)| count).sum();
    let mut checks = vec![match numbers(version) {
        Some(numbers) if numbers < OLDEST => Check::fail(
            "mongodb",
            format!("{hosts} answers, version {version}"),
            format!("update the server to {}.{} or newer", OLDEST.0, OLDEST.1),
        ),
        _ => Check::ok("mongodb", format!("{hosts} answers, version {version}, {documents} products")),
    }];
    checks.push(match (&server.cluster, server.has_snapshots) {
        (Some(cluster), true) => Check::ok("consistency", format!("`{cluster}` gives snapshots")),
        (Some(cluster), false) if numbers(version).is_some_and(|numbers| numbers < SNAPSHOTS_SINCE) => Check::warn(
            "consistency",
            format!("`{cluster}` has version {version}, which gives no snapshots"),
            "update it to 5.0 or newer, or do not write to the catalogue while a store is made",
        ),
        (Some(cluster), false) => Check::warn(
            "consistency",
            format!("`{cluster}` gives no snapshots"),
            "see to it that majority reads work, or do not write to the catalogue while a store is made",
        ),
        (None, _) => Check::warn(
            "consistency",
            "a server of its own gives no snapshots, so a store may mix old and new documents",
            "do not write to the catalogue while a store is made, or make the server a replica set of one",
        ),
    });
    checks.push(match (&server.user, server.may_write) {
        (Some(user), false) => Check::ok("permissions", format!("`{user}` may read and not write")),
        (Some(user), true) => Check::warn(
            "permissions",
            format!("`{user}` may change the catalogue"),
            "reading is all that storegen does; give it a user with the role `read`",
        ),
        (None, _) => Check::warn(
            "permissions",
            "the server asks nobody for a name",
            "turn access control on (`security.authorization`), unless nobody else reaches the server",
        ),
    });
    if server.wanted_indexes.is_empty() {
        checks.push(Check::ok("indexes", "none are missing; products are read in the order of their ids"));
    }
    for (collection, field) in &server.wanted_indexes {
        checks.push(Check::warn(
            "indexes",
            format!("no index on `{field}` in `{collection}`, so each run looks at every document for the newest date"),
            format!("run in mongosh: db.getCollection(\"{collection}\").createIndex({{ \"{field}\": 1 }})"),
        ));
    }
    if let Some(ahead) = server.clock_ahead_seconds {
        checks.push(if ahead.abs() <= LARGEST_SKEW {
            Check::ok("clock", "agrees with the server's")
        } else {
            let way = if ahead > 0.0 { "behind" } else { "before" };
            let detail = format!("this machine's clock is {:.0} s {way} the server's", ahead.abs());
            Check::warn("clock", detail, "set both by NTP; times in records and `retry at` go by this machine's")
        });
    }
    checks
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn output(config: &StoreConfiguration, places: &[PathBuf]) -> Check {
    let shown = config.output.display();
    match Output::claim(&config.output, &protected(config, places), false) {
        Ok(output) if output.manifest().is_empty() => Check::ok("output", format!("`{shown}` can be written to")),
        Ok(output) => Check::ok("output", format!("`{shown}` holds a store of {} files", output.manifest().len())),
        Err(refused) => Check::fail("output", refused.to_string(), "name another folder in `output`, or mend this one"),
    }
}

/// What a run may need on the output's disk: the old store stands until the new one is whole.
fn needed(output: &Path) -> u64 {
    let old = crate::site::Manifest::read(output).ok().flatten().map_or(0, |manifest| manifest.bytes());
    LEAST_FREE.max(old + old / 5)
}

fn space(name: &'static str, folder: &Path, needed: u64) -> Check {
    let ground = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(folder);
    let megabytes = |bytes: u64| bytes / 1_000_000;
    match free(ground) {
        Some(free) if free < needed => Check::warn(
            name,
            format!("{} MB are free at `{}`, a run may need {}", megabytes(free), ground.display(), megabytes(needed)),
            "make room; a run that finds the disk full fails and leaves the old store as it is",
        ),
        Some(free) => Check::ok(name, format!("{} MB are free", megabytes(free))),
        None => Check::ok(name, "the system does not tell how much is free"),
    }
}

/// Bytes that this user may still write to a file system.
fn free(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    return rustix::fs::statvfs(folder).ok().map(|usage| usage.f_bavail.saturating_mul(usage.f_frsize));
    #[cfg(not(unix))]
    return {
        let _ = folder;
        None
    };
}

fn state(folder: &Path) -> Check {
    let shown = folder.display();
    let ground = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(folder);
    #[cfg(unix)]
    {
        use rustix::fs::{Access, access};
        use std::os::unix::fs::PermissionsExt as _;
        if let Err(error) = access(ground, Access::WRITE_OK | Access::EXEC_OK) {
            let remedy = "give this user the right to write there, or name another place with `--state`";
            return Check::fail("state", format!("`{}` cannot be written to: {error}", ground.display()), remedy);
        }
        let mode = folder.metadata().map(|metadata| metadata.permissions().mode() & 0o077);
        if mode.is_ok_and(|others| others != 0) {
            let remedy = format!("chmod -R go= \"{shown}\"");
            return Check::warn("state", format!("others can look into `{shown}`"), remedy);
        }
    }
    let is_new = ground != folder;
    Check::ok("state", format!("`{shown}` {}", if is_new { "can be made" } else { "is private and can be written to" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> ServerHealth {
        ServerHealth {
            hosts: "`h:1`".into(),
            version: "6.0.5".into(),
            cluster: Some("rs".into()),
            has_snapshots: true,
            products: vec![("products".into(), 7)],
            user: Some("shop".into()),
            may_write: false,
            wanted_indexes: Vec::new(),
            clock_ahead_seconds: Some(0.3),
        }
    }

    fn healths(server: &ServerHealth) -> Vec<(&'static str, Health)> {
        of_server(server).iter().map(|check| (check.name, check.health)).collect()
    }

    #[test]
    fn a_server_in_order_has_nothing_to_be_seen_to() {
        assert!(of_server(&server()).iter().all(|check| check.health == Health::Ok && check.remedy.is_none()));
    }

    #[test]
    fn each_trouble_has_its_line_and_its_remedy() {
        let troubled = ServerHealth {
            version: "4.0.1".into(),
            cluster: None,
            has_snapshots: false,
            user: None,
            may_write: true,
            wanted_indexes: vec![("frames".into(), "updated_at".into())],
            clock_ahead_seconds: Some(-90.0),
            ..server()
        };
        let expected = [
            ("mongodb", Health::Fail),
            ("consistency", Health::Warn),
            ("permissions", Health::Warn),
            ("indexes", Health::Warn),
            ("clock", Health::Warn),
        ];
        assert_eq!(healths(&troubled), expected);
        let checks = of_server(&troubled);
        assert!(checks.iter().all(|check| check.remedy.is_some()));
        assert!(
            checks[3].remedy.as_deref().is_some_and(|remedy| remedy.contains("createIndex({ \"updated_at\": 1 })"))
        );
        assert!(checks[4].detail.contains("90 s before"), "{}", checks[4].detail);
    }
}
