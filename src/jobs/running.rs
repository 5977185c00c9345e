//! Which jobs have a living process, and how another process asks one to stop.
//!
//! Each running job has a folder `.storegen/running/<job>/` with a `lock` file that its process holds; the system lets go
//! of it when the process dies, however it dies, whatever the clock does and whoever gets its number next. The file says
//! which process that is. A file `cancel` beside it asks the process to stop. The folder is also where the run keeps its
//! working files.

use super::process::{Life, Owner};
use super::record::JobId;
use crate::site::durable::{make_private_folder, private};
use anyhow::Context as _;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Proof that this process runs a job. Dropping it ends that, and removes the working files.
#[derive(Debug)]
pub struct Running {
    job_id: JobId,
    folder: PathBuf,
    /// `None` once it is being dropped.
    lock: Option<File>,
}

impl Running {
    /// Marks this process as the one that runs the job; the state file's lock must be held.
    pub(super) fn begin(running_folder: &Path, job_id: JobId) -> anyhow::Result<Self> {
        make_private_folder(running_folder)?;
        let folder = running_folder.join(job_id.as_str());
        make_private_folder(&folder)?;
        let path = folder.join("lock");
        let mark = || {
            let mut lock = private().write(true).create(true).truncate(true).open(&path)?;
            lock.lock()?;
            serde_json::to_writer(&lock, &Owner::this())?;
            lock.write_all(b"\n")?;
            Ok::<_, io::Error>(lock)
        };
        let lock = mark().with_context(|| format!("cannot lock `{}`", path.display()))?;
        Ok(Self { job_id, folder, lock: Some(lock) })
    }

    /// The job.
    pub fn job_id(&self) -> &JobId {
        &self.job_id
    }

    /// A private folder for working files of the run; gone after it.
    pub fn work_dir(&self) -> &Path {
        &self.folder
    }

    /// Whether somebody has asked the job to stop.
    pub fn is_cancel_requested(&self) -> bool {
        cancel_request(&self.folder).exists()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lock = None;
        // What cannot be removed now is the next command's to remove.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether some process runs the job.
pub(super) fn is_alive(running_folder: &Path, job_id: &JobId) -> bool {
    let Ok(lock) = File::open(running_folder.join(job_id.as_str()).join("lock")) else { return false };
    match lock.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        // A file system without locks. Whoever is not surely dead is let live.
        Err(TryLockError::Error(_)) => owner(running_folder, job_id).is_some_and(|owner| owner.life() != Life::Dead),
    }
}

/// The process that runs the job, or ran it.
pub(super) fn owner(running_folder: &Path, job_id: &JobId) -> Option<Owner> {
    let text = fs::read(running_folder.join(job_id.as_str()).join("lock")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Asks the process of a job to stop; nothing happens where there is none.
pub(super) fn request_cancel(running_folder: &Path, job_id: &JobId) -> anyhow::Result<()> {
    let path = cancel_request(&running_folder.join(job_id.as_str()));
    match File::create(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot write `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

/// Whether the job was asked to stop, as long as its folder is there.
pub(super) fn was_asked_to_stop(running_folder: &Path, job_id: &JobId) -> bool {
    cancel_request(&running_folder.join(job_id.as_str())).exists()
}

fn cancel_request(folder: &Path) -> PathBuf {
    folder.join("cancel")
}

/// Removes the working files of dead processes; the state file's lock must be held.
pub(super) fn remove_dead(running_folder: &Path) {
    for entry in fs::read_dir(running_folder).into_iter().flatten().flatten() {
        let job_id = entry.file_name().to_str().and_then(JobId::parse);
        if job_id.is_some_and(|job_id| !is_alive(running_folder, &job_id)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
