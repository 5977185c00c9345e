//! Finds the state file of a command and the line in which its job waits, and settles what killed processes left before
//! anything else happens.

use super::exit::{Exit, Failure};
use super::progress::ProgressView;
use super::terminal::Terminal;
use crate::event::{Event, Observer as _};
use crate::jobs::{
    Actor, Clock as _, Deed, GenerationJob, JobId, JobStore, Place, Queue, StateError, Stop, SystemClock,
};
use crate::site;
use std::path::{Path, PathBuf};

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
        if one.published {
            audit(store, &Deed::Recovered { job_id: &one.job_id, output: &one.output }, terminal);
        }
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

/// Writes down what was done to a store, and by whom. What is done is done: a log that cannot be written is told, no more.
pub(super) fn audit(store: &JobStore, deed: &Deed<'_>, terminal: &Terminal) {
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    if let Err(error) = store.audit(SystemClock::new().now(), &Actor::this(user), deed) {
        terminal.warn(&format!("{error:#}"));
    }
}

/// The folder of a configuration, where its state belongs.
pub(super) fn folder_of(config: &Path) -> &Path {
    config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The job whose id starts with what was typed, with `job_` or without.
pub(super) fn find<'a>(
    jobs: &'a [GenerationJob],
    wanted: &str,
    store: &JobStore,
) -> Result<&'a GenerationJob, Failure> {
    let digits = wanted.strip_prefix("job_").unwrap_or(wanted);
    if digits.is_empty() {
        return Err(Failure::usage(
            "the id of a job is empty".to_string(),
            "`storegen status` lists all; the start of an id is enough",
        ));
    }
    let mut found = jobs.iter().filter(|job| job.job_id.as_str()["job_".len()..].starts_with(digits));
    match (found.next(), found.next()) {
        (Some(job), None) => Ok(job),
        (None, _) => Err(Failure {
            hint: Some("`storegen status` lists all; `--state` names another state file".into()),
            ..Failure::failed(anyhow::anyhow!("no job `{wanted}` in `{}`", store.path().display()))
        }),
        (Some(_), Some(_)) => {
            Err(Failure::usage(format!("more than one job starts with `{wanted}`"), "give more of its id"))
        }
    }
}

/// There is no job at all.
pub(super) fn none_found(store: &JobStore) -> Failure {
    Failure {
        hint: Some("`storegen generate store.yaml` starts one; `--state` names another state file".into()),
        ..Failure::failed(anyhow::anyhow!("no jobs in `{}`", store.path().display()))
    }
}

/// Why a job never had its turn.
pub(super) enum Unturned {
    /// It was stopped while it waited.
    Stopped,
    /// It was not to wait, or could not.
    Failed(Failure),
}

/// Waits until fewer than `limit` jobs of this user are ahead of a job; its turn lasts until the place is dropped.
pub(super) fn turn(
    store: &JobStore,
    job_id: JobId,
    limit: usize,
    no_wait: bool,
    stop: &Stop<'_>,
    view: &ProgressView<'_>,
) -> Result<Place, Unturned> {
    let failed = |error: anyhow::Error| Unturned::Failed(Failure::failed(error));
    let of_user = queue_folder().map(|folder| Queue::at(&folder).join(&job_id));
    let place = match of_user {
        Some(Ok(place)) => place,
        // No home, or one that cannot be written to, as in some containers: then jobs of one state file wait for each other.
        Some(Err(_)) | None => Queue::at(&store.folder().join("queue")).join(&job_id).map_err(failed)?,
    };
    if no_wait && place.ahead().map_err(failed)? >= limit {
        return Err(Unturned::Failed(Failure {
            exit: Exit::Busy,
            hint: Some("leave out `--no-wait` to wait for one of them; `storegen status` shows them".into()),
            ..Failure::failed(anyhow::anyhow!(
                "{} at once is all that may run (`jobs.max_concurrent_jobs`), and that many do",
                super::words::counted(limit as u64, "job", "jobs")
            ))
        }));
    }
    match place.wait(limit, stop, |before| view.observe(Event::Queued { before })).map_err(failed)? {
        None => Ok(place),
        Some(_) => Err(Unturned::Stopped),
    }
}

/// Where the jobs of this user wait for each other, whatever store they are of.
fn queue_folder() -> Option<PathBuf> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = if cfg!(windows) { named("LOCALAPPDATA") } else { named("XDG_STATE_HOME") };
    let folder =
        state.or_else(|| Some(std::env::home_dir().filter(|home| home.is_absolute())?.join(".local/state")))?;
    Some(folder.join("storegen/queue"))
}
