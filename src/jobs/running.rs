//! Which jobs have a living process.
//!
//! Each running job has a folder `.storegen/running/<job>/` with a `lock` file that its process holds; the system lets go
//! of it when the process dies, however it dies. The folder is also where the run keeps its working files.

use super::record::JobId;
use crate::site::durable::make_private_folder;
use anyhow::Context as _;
use std::fs::{self, File, TryLockError};
use std::io::Write as _;
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
            let mut lock = File::create(&path)?;
            lock.lock()?;
            // For people who look; liveness is told by the lock alone.
            writeln!(lock, "{}", std::process::id())?;
            Ok::<_, std::io::Error>(lock)
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
    File::open(running_folder.join(job_id.as_str()).join("lock"))
        .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
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
