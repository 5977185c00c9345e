//! Finds the state file of a command, and settles what killed processes left before anything else happens.

use super::terminal::Terminal;
use crate::jobs::{Clock as _, JobStore, StateError, SystemClock};
use crate::site;
use std::path::Path;

/// Opens the state for a command: the file that was named, or the nearest one upward from `start`.
pub(super) fn open(named: Option<&Path>, start: &Path, terminal: &Terminal) -> JobStore {
    let store = named.map_or_else(|| JobStore::nearest(start), JobStore::at);
    settle(&store, terminal);
    store
}

/// The state that belongs to a configuration, without settling anything.
pub(super) fn of(named: Option<&Path>, config: &Path) -> JobStore {
    named.map_or_else(|| JobStore::nearest(folder_of(config)), JobStore::at)
}

/// Ends what killed processes left half done. What cannot be settled is told and left to the next command: it must not
/// keep this one from its work.
pub(super) fn settle(store: &JobStore, terminal: &Terminal) {
    let recovered = site::recover(&store.journal_dir()).unwrap_or_else(|error| {
        terminal.warn(&format!("{error:#}"));
        Vec::new()
    });
    for one in &recovered {
        let output = one.output.display();
        terminal.note(&match one.published {
            true => format!("finished publishing `{output}`, which {} had begun before it was killed", one.job_id),
            false => format!("removed what {} had left when it was killed; `{output}` is as it was before", one.job_id),
        });
    }
    match store.end_dead_jobs(SystemClock::new().now(), &recovered) {
        Ok(_) => {}
        Err(StateError::Io(error)) => terminal.warn(&format!("{error:#}")),
        // Whoever needs the file says so.
        Err(StateError::Damaged { .. } | StateError::Future { .. }) => {}
    }
}

/// The folder of a configuration, where its state belongs.
pub(super) fn folder_of(config: &Path) -> &Path {
    config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
