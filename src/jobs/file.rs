//! `.storegen/state.json`: every job that is remembered, in one JSON document.
//!
//! In: changes to jobs, from any number of processes. Out: a file that is whole at any moment, because it is replaced and
//! never edited, and that loses no change, because changes are made under a lock (`.storegen/lock`). Readers need no lock.
//! A file that cannot be understood is set aside, never overwritten.

use super::process::Owner;
use super::record::{GenerationJob, JobId, JobStatus};
use super::request::Request;
use super::retention;
use super::running::{self, Running};
use crate::config::JobSettings;
use crate::reliability::Breaker;
use crate::site::Recovered;
use crate::site::durable::{UNFINISHED, make_private_folder, private, replace_file};
use anyhow::Context as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// How long another process may hold the lock; it takes milliseconds where all is well.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// Longest pause between two tries to get it.
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

/// Version of the file's format.
const VERSION: u32 = 1;

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is not JSON, or not the right JSON.
    #[error(
        "the state file `{path}` is damaged ({why}); the next `storegen generate` sets it aside and begins a new one"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A later version of storegen wrote it.
    #[error(
        "the state file `{path}` was written by a later version of storegen (format {version}); update storegen, or name \
         another file with `--state`"
    )]
    Future {
        /// The file.
        path: String,
        /// Its format.
        version: u64,
    },
    /// The system does not let it be read or written.
    #[error("{0:#}")]
    Io(anyhow::Error),
}

impl From<anyhow::Error> for StateError {
    // Without naming it as the source: it is in the message, and would be told twice.
    fn from(error: anyhow::Error) -> Self {
        Self::Io(error)
    }
}

/// A state file that could not be understood, and where it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its new place.
    pub path: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

/// What a job is to be.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Display name of the store.
    pub store_name: String,
    /// The configuration it is made from, absolute.
    pub config_path: PathBuf,
    /// The job that this one runs again.
    pub retry_of: Option<JobId>,
    /// What is needed to run it again; kept with the job.
    pub request: Option<Request>,
}

impl NewJob {
    /// A job of a store, with nothing kept to run it again.
    #[cfg(test)]
    pub(crate) fn named(store_name: &str) -> Self {
        let config_path = "/shop/store.yaml".into();
        Self { store_name: store_name.into(), config_path, retry_of: None, request: None }
    }
}

/// A job that has just been made.
#[derive(Debug)]
pub struct Begun {
    /// Its record, pending.
    pub job: GenerationJob,
    /// This process's claim to it.
    pub running: Running,
    /// An older state file that had to make place.
    pub set_aside: Option<SetAside>,
}

/// The jobs in a state file.
#[derive(Clone, Debug)]
pub struct JobStore {
    path: PathBuf,
    folder: PathBuf,
}

/// `.storegen/state.json`: every job that is remembered, and what is known of dependencies that have failed.
///
/// The file is replaced as a whole, under the lock `.storegen/lock`; readers need none. Keys may be added without a new
/// version; a new version means that old readers would misunderstand it, and they set such a file aside.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(title = "state.json")]
pub(super) struct Document {
    /// Version of the format.
    #[schemars(extend("const" = VERSION))]
    version: u32,
    /// Newest first.
    pub(super) jobs: Vec<GenerationJob>,
    /// Dependencies that have failed since they last worked, by kind and host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) breakers: BTreeMap<String, Breaker>,
}

/// The JSON Schema of the state file, indented, with a newline at its end.
pub fn state_schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Document).to_value())
}

impl Default for Document {
    fn default() -> Self {
        Self { version: VERSION, jobs: Vec::new(), breakers: BTreeMap::new() }
    }
}

impl JobStore {
    /// The state file at `path`, or `state.json` in it when it is a folder. Touches nothing.
    pub fn at(path: &Path) -> Self {
        let path = if path.is_dir() { path.join("state.json") } else { path.to_path_buf() };
        let path = std::path::absolute(&path).unwrap_or(path);
        let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Self { path, folder }
    }

    /// The nearest `.storegen/state.json` in `start` or a folder around it; else the one that would be made in `start`.
    pub fn nearest(start: &Path) -> Self {
        let start = std::path::absolute(start).unwrap_or_else(|_| start.to_path_buf());
        let in_folder = |folder: &Path| folder.join(".storegen/state.json");
        let found = start.ancestors().map(in_folder).find(|path| path.is_file());
        Self::at(&found.unwrap_or_else(|| in_folder(&start)))
    }

    /// The state file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the state file, the reports and the journals.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where publications are journalled.
    pub fn journal_dir(&self) -> PathBuf {
        self.folder.join("publish")
    }

    /// Where it is remembered what stores were made from.
    pub fn memory_dir(&self) -> PathBuf {
        self.folder.join("stores")
    }

    /// Where copies of catalogues are kept.
    pub fn copies_dir(&self) -> PathBuf {
        self.folder.join("copies")
    }

    /// Where the findings of a job are.
    pub fn report_path(&self, job_id: &JobId) -> PathBuf {
        self.folder.join("reports").join(format!("{job_id}.jsonl"))
    }

    /// Where what a job was asked to do is kept.
    pub(super) fn request_path(&self, job_id: &JobId) -> PathBuf {
        self.folder.join("requests").join(format!("{job_id}.json"))
    }

    /// What a job was asked to do; `None` where it was not kept.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn request(&self, job_id: &JobId) -> anyhow::Result<Option<Request>> {
        Request::read(&self.request_path(job_id))
    }

    /// Asks the process of a job to stop; it looks every few milliseconds. Nothing happens where there is none.
    ///
    /// # Errors
    /// When the request cannot be written.
    pub fn request_cancel(&self, job_id: &JobId) -> anyhow::Result<()> {
        running::request_cancel(&self.running_folder(), job_id)
    }

    /// The process that runs a job; `None` where there is none.
    pub fn owner(&self, job_id: &JobId) -> Option<Owner> {
        let folder = self.running_folder();
        running::owner(&folder, job_id).filter(|_| running::is_alive(&folder, job_id))
    }

    /// Every remembered job, newest first. A job whose process has died may still be in progress here; see
    /// [`JobStore::end_dead_jobs`].
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn jobs(&self) -> Result<Vec<GenerationJob>, StateError> {
        Ok(self.read()?.jobs)
    }

    /// What is remembered of dependencies that have failed, by [`crate::reliability::Dependency::key`].
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn breakers(&self) -> Result<BTreeMap<String, Breaker>, StateError> {
        Ok(self.read()?.breakers)
    }

    pub(super) fn read(&self) -> Result<Document, StateError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Document::default()),
            Err(error) => {
                return Err(anyhow::Error::new(error).context(format!("cannot read `{}`", self.path.display())).into());
            }
        };
        self.parse(&bytes)
    }

    /// Adds a pending job and claims it for this process; forgets old ones as `settings` say.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub fn begin(&self, now: OffsetDateTime, new: &NewJob, settings: &JobSettings) -> Result<Begun, StateError> {
        make_private_folder(&self.folder)?;
        if self.folder.ends_with(".storegen") {
            // A store that is kept in git should not carry its state along; if this fails, nothing is lost.
            let ignore = private().write(true).create_new(true).open(self.folder.join(".gitignore"));
            let _ = ignore.and_then(|mut file| file.write_all(b"*\n"));
        }
        make_private_folder(&self.journal_dir())?;
        let _lock = self.lock()?;
        let (mut document, set_aside) = match self.read() {
            Ok(document) => (document, None),
            Err(StateError::Io(error)) => return Err(error.into()),
            Err(error) => (Document::default(), Some(self.set_aside(&error)?)),
        };
        let running = Running::begin(&self.running_folder(), JobId::random())?;
        let job = GenerationJob::new(running.job_id().clone(), now, new);
        if let Some(request) = &new.request {
            request.write(&self.request_path(&job.job_id))?;
        }
        document.jobs.insert(0, job.clone());
        let forgotten = retention::forget(&mut document.jobs, settings, now);
        self.write(&document)?;
        retention::remove_files(&self.folder, &forgotten);
        Ok(Begun { job, running, set_aside })
    }

    /// Replaces the record of a job.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written; it is unchanged then.
    pub fn replace(&self, job: &GenerationJob) -> Result<(), StateError> {
        let _lock = self.lock()?;
        let mut document = self.read()?;
        match document.jobs.iter_mut().find(|other| other.job_id == job.job_id) {
            Some(place) => *place = job.clone(),
            // The file was removed, or another one put in its place, while the job ran.
            None => document.jobs.insert(0, job.clone()),
        }
        self.write(&document)
    }

    /// Marks jobs as failed whose process has died, and removes their working files. `recovered` tells which of them had
    /// published. Returns the jobs that were marked.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written.
    pub fn end_dead_jobs(
        &self,
        now: OffsetDateTime,
        recovered: &[Recovered],
    ) -> Result<Vec<GenerationJob>, StateError> {
        let running_folder = self.running_folder();
        let is_dead = |job: &GenerationJob| !job.status.is_final() && !running::is_alive(&running_folder, &job.job_id);
        let has_leftovers = fs::read_dir(&running_folder).is_ok_and(|mut entries| entries.next().is_some());
        if !has_leftovers && !self.jobs()?.iter().any(is_dead) {
            return Ok(Vec::new());
        }
        let _lock = self.lock()?;
        let mut document = self.read()?;
        let mut ended = Vec::new();
        for job in document.jobs.iter_mut().filter(|job| is_dead(job)) {
            let published = recovered.iter().any(|one| one.published && one.job_id == job.job_id.as_str());
            let store =
                if published { "its store was published nevertheless" } else { "the store of before is in place" };
            // Whoever asked for its end and then killed it got what was wanted.
            let (status, message) = match running::was_asked_to_stop(&running_folder, &job.job_id) {
                true => (JobStatus::Cancelled, format!("its process was killed; {store}")),
                false => {
                    let hint = format!("`storegen retry {}` runs it again", job.job_id);
                    let message = format!("interrupted: the process ended before the job did; {store}\nhint: {hint}");
                    (JobStatus::Failed, message)
                }
            };
            job.end(status, Some(message), now).map_err(anyhow::Error::new)?;
            ended.push(job.clone());
        }
        if !ended.is_empty() {
            self.write(&document)?;
        }
        running::remove_dead(&running_folder);
        self.remove_unfinished();
        Ok(ended)
    }

    /// Removes files that a process was killed while writing. The lock is held, so nobody writes one now.
    fn remove_unfinished(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    pub(super) fn running_folder(&self) -> PathBuf {
        self.folder.join("running")
    }

    pub(super) fn lock(&self) -> anyhow::Result<File> {
        let path = self.folder.join("lock");
        let failed = || format!("cannot lock `{}`", path.display());
        let file = open_private(&path).with_context(failed)?;
        let began = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
                Err(TryLockError::WouldBlock) if began.elapsed() >= LOCK_PATIENCE => anyhow::bail!(
                    "`{}` has been locked by another process for {} s; if that was stopped with Ctrl-Z, let it go on with `fg` \
                     or kill it",
                    path.display(),
                    LOCK_PATIENCE.as_secs()
                ),
                Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Document, StateError> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let path = || self.path.display().to_string();
        let damaged = |error: serde_json::Error| StateError::Damaged { path: path(), why: error.to_string() };
        // The version comes first: a later format need not look like this one otherwise.
        let Version { version } = serde_json::from_slice(bytes).map_err(damaged)?;
        if version > u64::from(VERSION) {
            return Err(StateError::Future { path: path(), version });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    pub(super) fn write(&self, document: &Document) -> Result<(), StateError> {
        let mut bytes = serde_json::to_vec_pretty(document).map_err(anyhow::Error::new)?;
        bytes.push(b'\n');
        Ok(replace_file(&self.path, &bytes)?)
    }

    /// Moves a file that cannot be understood to a name that is still free.
    fn set_aside(&self, error: &StateError) -> anyhow::Result<SetAside> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let kind = if matches!(error, StateError::Future { .. }) { "later" } else { "damaged" };
        let mut names = (1_u32..).map(|number| self.path.with_file_name(format!("{name}.{kind}-{number}")));
        let path =
            names.find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| self.path.with_extension(kind));
        fs::rename(&self.path, &path).with_context(|| format!("cannot set `{}` aside", self.path.display()))?;
        let why = match error {
            StateError::Damaged { why, .. } => format!("it is damaged: {why}"),
            StateError::Future { version, .. } => format!("a later version of storegen wrote it (format {version})"),
            StateError::Io(error) => error.to_string(),
        };
        Ok(SetAside { path, why })
    }
}

/// Opens a file that only its owner can read, to add to it; makes it where there is none.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    private().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    fn store() -> (tempfile::TempDir, JobStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = JobStore::at(&folder.path().join(".storegen/state.json"));
        (folder, store)
    }

    fn begin(store: &JobStore) -> Begun {
        store.begin(NOW, &NewJob::named("Specs"), &JobSettings::default()).unwrap()
    }

    #[test]
    fn the_nearest_state_file_upward_is_used() {
        let (folder, store) = store();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        begin(&store);
        assert_eq!(JobStore::nearest(&deep).path(), store.path());
        assert_eq!(JobStore::at(store.folder()).path(), store.path());
        begin(&JobStore::at(&deep.join(".storegen/state.json")));
        assert_eq!(JobStore::nearest(&deep).path(), deep.join(".storegen/state.json"));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, store) = store();
        let _begun = begin(&store);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.folder()), 0o700);
        assert_eq!(mode(store.path()), 0o600);
        assert_eq!(mode(&store.folder().join("lock")), 0o600);
    }

    #[test]
    fn jobs_come_newest_first_and_a_record_can_be_replaced() {
        let (_folder, store) = store();
        assert!(store.jobs().unwrap().is_empty());
        let (first, second) = (begin(&store), begin(&store));
        let mut job = first.job.clone();
        job.start(NOW).unwrap();
        store.replace(&job).unwrap();
        assert_eq!(store.jobs().unwrap(), [second.job, job]);
    }

    #[test]
    fn a_job_without_a_living_process_is_failed() {
        let (_folder, store) = store();
        let alive = begin(&store);
        let mut dead = begin(&store);
        dead.job.start(NOW).unwrap();
        store.replace(&dead.job).unwrap();
        let never_started = begin(&store).job;
        assert!(store.end_dead_jobs(NOW, &[]).unwrap().iter().map(|job| &job.job_id).eq([&never_started.job_id]));
        let published = Recovered { job_id: dead.job.job_id.to_string(), output: "/store".into(), published: true };
        drop(dead.running);
        let ended = store.end_dead_jobs(NOW, &[published]).unwrap();
        assert!(ended[0].error_message.as_ref().unwrap().contains("published nevertheless"));
        let status: Vec<_> = store.jobs().unwrap().iter().map(|job| job.status).collect();
        assert_eq!(status, [JobStatus::Failed, JobStatus::Failed, JobStatus::Pending]);
        assert!(alive.running.work_dir().exists());
        assert!(store.end_dead_jobs(NOW, &[]).unwrap().is_empty());
    }

    #[test]
    fn working_files_of_dead_processes_vanish() {
        let (_folder, store) = store();
        let begun = begin(&store);
        let dead = store.folder().join("running/job_0123456789ab");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("snapshot"), "x").unwrap();
        let unfinished = store.folder().join(".storegen-AbCdEf");
        fs::write(&unfinished, "{").unwrap();
        store.end_dead_jobs(NOW, &[]).unwrap();
        assert!(!dead.exists() && !unfinished.exists());
        assert!(begun.running.work_dir().exists());
    }

    #[test]
    fn a_damaged_or_later_file_is_set_aside_with_its_bytes() {
        for (text, end) in
            [("{\"version\": 1, \"jo", "damaged-1"), ("{\"version\": 2, \"tasks\": {}}", "later-1"), ("", "damaged-1")]
        {
            let (_folder, store) = store();
            make_private_folder(store.folder()).unwrap();
            fs::write(store.path(), text).unwrap();
            assert!(store.jobs().is_err());
            assert_eq!(fs::read_to_string(store.path()).unwrap(), text, "reading changed it");
            let aside = begin(&store).set_aside.unwrap();
            assert_eq!(aside.path, store.folder().join(format!("state.json.{end}")));
            assert_eq!(fs::read_to_string(&aside.path).unwrap(), text);
            assert_eq!(store.jobs().unwrap().len(), 1);
        }
    }

    #[test]
    fn a_running_job_never_overwrites_a_file_it_does_not_understand() {
        let (_folder, store) = store();
        let begun = begin(&store);
        fs::write(store.path(), "{\"version\": 9}").unwrap();
        assert!(matches!(store.replace(&begun.job), Err(StateError::Future { version: 9, .. })));
        assert_eq!(fs::read_to_string(store.path()).unwrap(), "{\"version\": 9}");
    }

    #[test]
    fn no_change_is_lost_among_many_writers() {
        let (_folder, store) = store();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let mut begun = begin(&store);
                        begun.job.start(NOW).unwrap();
                        store.replace(&begun.job).unwrap();
                        store.jobs().unwrap();
                        begun.job.end(JobStatus::Completed, None, NOW).unwrap();
                        store.replace(&begun.job).unwrap();
                    }
                });
            }
        });
        let jobs = store.jobs().unwrap();
        assert_eq!(jobs.len(), 40);
        assert!(jobs.iter().all(|job| job.status == JobStatus::Completed));
    }
}
