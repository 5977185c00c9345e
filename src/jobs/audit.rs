//! `.storegen/audit.jsonl`: what was done to stores, by whom and from which configuration, one JSON object a line.
//!
//! In: deeds. Out: lines at the end of the file, on the disk when the call returns. No line is ever changed: a file that has
//! grown large gets a number (`audit-1.jsonl` is the newest of them) and a new one begins; the oldest goes once there are
//! too many. Holds no secret.

use super::file::{JobStore, open_private};
use super::record::JobId;
use crate::site::durable::make_private_folder;
use anyhow::Context as _;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Size in bytes at which a file gets a number: some 3,000 deeds.
const LARGEST: u64 = 1 << 20;
/// Numbered files that are kept.
const KEPT: u32 = 20;

/// Somebody at a machine.
#[derive(Clone, Debug, Serialize)]
pub struct Actor {
    /// Name of the user, as the system or the environment tells it.
    pub user: String,
    /// Number of the user, where the system has one.
    pub uid: Option<u32>,
    /// Name of the machine, where the system tells.
    pub host: String,
    /// Number of the process.
    pub pid: u32,
}

impl Actor {
    /// This process; `user` is what the environment calls its user.
    pub fn this(user: Option<String>) -> Self {
        #[cfg(unix)]
        let uid = Some(rustix::process::getuid().as_raw());
        #[cfg(not(unix))]
        let uid = None;
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        let user = user.or_else(|| uid.map(|uid: u32| uid.to_string())).unwrap_or_default();
        Self { user, uid, host, pid: std::process::id() }
    }
}

/// What was done.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Deed<'a> {
    /// A store was published to a folder.
    Generated {
        /// The job.
        job_id: &'a JobId,
        /// Display name of the store.
        store: &'a str,
        /// The store file, absolute.
        config: &'a Path,
        /// BLAKE3 of the store file's text, in hexadecimal.
        config_hash: &'a str,
        /// The folder.
        output: &'a Path,
        /// Files of the store now.
        files: u64,
        /// Files that the last store did not have.
        added: u64,
        /// Files with other content than in the last store.
        changed: u64,
        /// Files of the last store that are gone.
        removed: u64,
    },
    /// A store was put together from parts and published to a folder.
    Merged {
        /// The folder.
        output: &'a Path,
        /// The folders of the parts, as they were named.
        parts: &'a [PathBuf],
        /// Files of the store now.
        files: u64,
        /// Files that the last store did not have.
        added: u64,
        /// Files with other content than in the last store.
        changed: u64,
        /// Files of the last store that are gone.
        removed: u64,
    },
    /// A store was published that a killed process had begun to publish.
    Recovered {
        /// The job of the killed process.
        job_id: &'a str,
        /// The folder.
        output: &'a Path,
    },
    /// Records of jobs were deleted, with their reports and logs.
    JobsDeleted {
        /// The jobs.
        jobs: &'a [JobId],
        /// Files that went with them.
        files: u64,
    },
    /// What was kept of pictures was deleted, in part or in whole.
    CacheDeleted {
        /// The cache's folder.
        folder: &'a Path,
        /// Bytes that were freed.
        bytes: u64,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    #[serde(flatten)]
    deed: &'a Deed<'a>,
    by: &'a Actor,
    version: &'static str,
}

impl JobStore {
    /// Writes a deed down.
    ///
    /// # Errors
    /// When the file cannot be written to.
    pub fn audit(&self, at: OffsetDateTime, by: &Actor, deed: &Deed<'_>) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&Line { at, deed, by, version: env!("CARGO_PKG_VERSION") })?;
        line.push(b'\n');
        make_private_folder(self.folder())?;
        let path = self.folder().join("audit.jsonl");
        let _lock = self.lock()?;
        let append = || -> io::Result<()> {
            if fs::metadata(&path).is_ok_and(|metadata| metadata.len() + line.len() as u64 > LARGEST) {
                number(&path)?;
            }
            let mut file: File = open_private(&path)?;
            // One call for the whole line: a process that is killed writes all of it or nothing.
            file.write_all(&line)?;
            file.sync_data()
        };
        append().with_context(|| format!("cannot write the audit log `{}`", path.display()))
    }
}

/// Gives a full file the number 1, and those that have numbers the next.
fn number(path: &Path) -> io::Result<()> {
    let numbered = |number: u32| path.with_file_name(format!("audit-{number}.jsonl"));
    for number in (1..KEPT).rev() {
        match fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn lines_are_added_and_full_files_get_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let store = JobStore::at(&folder.path().join("state.json"));
        let actor = Actor::this(Some("ada".into()));
        let audit = |bytes: u64| {
            let deed = Deed::CacheDeleted { folder: folder.path(), bytes };
            store.audit(datetime!(2026-03-01 08:00 UTC), &actor, &deed).unwrap();
        };
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        audit(1);
        audit(2);
        let text = read("audit.jsonl");
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[1]["action"], &lines[1]["bytes"]), (&"cache_deleted".into(), &2.into()));
        assert_eq!((&lines[0]["at"], &lines[0]["by"]["user"]), (&"2026-03-01T08:00:00Z".into(), &"ada".into()));
        fs::write(folder.path().join("audit.jsonl"), vec![b' '; LARGEST as usize]).unwrap();
        audit(3);
        fs::write(folder.path().join("audit.jsonl"), vec![b'\n'; LARGEST as usize]).unwrap();
        audit(4);
        assert!(read("audit.jsonl").contains("\"bytes\":4"));
        assert!(read("audit-1.jsonl").starts_with('\n') && read("audit-2.jsonl").starts_with(' '));
    }
}
