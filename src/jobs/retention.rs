//! What is remembered of ended jobs, and for how long.
//!
//! In: the jobs of a state file, newest first, and what is to be kept. Out: the same without those that are too many or
//! too old, and without their files. A job that has not ended is never forgotten. A clock that was set back makes nothing
//! old; one that was set forward still leaves the newest jobs in place.

use super::file::JobStore;
use super::record::{GenerationJob, JobId};
use super::running;
use crate::config::JobSettings;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Ended jobs that no clock makes too old.
const ALWAYS_KEPT: usize = 3;

/// Folders with files that belong to one job each, named after it.
const FOLDERS: [&str; 3] = ["reports", "requests", "logs"];

/// What cleaning takes away, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Cleaned {
    /// Jobs that are forgotten, newest first.
    pub jobs: Vec<JobId>,
    /// Files that go: those of forgotten jobs, those that belong to no job, old state files that had been set aside.
    pub files: Vec<PathBuf>,
    /// Bytes in those files.
    pub bytes: u64,
    /// Jobs that stay.
    pub kept: usize,
}

/// Takes out of the list what is not to be remembered, and gives the ids.
pub(super) fn forget(jobs: &mut Vec<GenerationJob>, settings: &JobSettings, now: OffsetDateTime) -> Vec<JobId> {
    let mut ended = 0;
    let mut forgotten = Vec::new();
    jobs.retain(|job| {
        if !job.status.is_final() {
            return true;
        }
        ended += 1;
        let age = now - job.completed_at.unwrap_or(job.created_at);
        let is_old = age > time::Duration::days(settings.keep_days.into()) && ended > ALWAYS_KEPT;
        let keep = ended <= settings.keep && !is_old;
        if !keep {
            forgotten.push(job.job_id.clone());
        }
        keep
    });
    forgotten
}

/// Removes the files of jobs. The record goes first: a file without a job is found by the next cleaning, a job without its
/// files is not.
pub(super) fn remove_files(folder: &Path, jobs: &[JobId]) {
    if jobs.is_empty() {
        return;
    }
    let jobs: BTreeSet<&JobId> = jobs.iter().collect();
    for (path, _) in files(folder).into_iter().filter(|(_, owner)| jobs.contains(owner)) {
        let _ = fs::remove_file(path);
    }
}

impl JobStore {
    /// Forgets what is too old or too much, with all files that belong to it. With `dry_run` only tells what that is.
    ///
    /// # Errors
    /// When the state file cannot be read, understood or written.
    pub fn clean(
        &self,
        now: OffsetDateTime,
        settings: &JobSettings,
        dry_run: bool,
    ) -> Result<Cleaned, super::StateError> {
        if !self.folder().exists() {
            return Ok(Cleaned::default());
        }
        let _lock = self.lock()?;
        let mut document = self.read()?;
        let forgotten = forget(&mut document.jobs, settings, now);
        let known: BTreeSet<&JobId> = document.jobs.iter().map(|job| &job.job_id).collect();
        let is_needed = |job_id: &JobId| known.contains(job_id) || running::is_alive(&self.running_folder(), job_id);
        let orphans = files(self.folder()).into_iter().filter(|(_, job_id)| !is_needed(job_id)).map(|(path, _)| path);
        let files: Vec<PathBuf> = orphans.chain(self.old_states(now, settings)).collect();
        let kept = document.jobs.len();
        let bytes = files.iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum();
        if !dry_run {
            // As in `remove_files`.
            if !forgotten.is_empty() {
                self.write(&document)?;
            }
            for path in &files {
                fs::remove_file(path).map_err(|error| {
                    anyhow::Error::new(error).context(format!("cannot remove `{}`", path.display()))
                })?;
            }
        }
        Ok(Cleaned { jobs: forgotten, files, bytes, kept })
    }

    /// State files that were set aside, by now longer ago than jobs are remembered.
    fn old_states(&self, now: OffsetDateTime, settings: &JobSettings) -> Vec<PathBuf> {
        let name = self.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_set_aside = |entry: &fs::DirEntry| {
            let file_name = entry.file_name();
            let rest = file_name.to_str().and_then(|file_name| file_name.strip_prefix(&name));
            rest.is_some_and(|rest| rest.starts_with(".damaged-") || rest.starts_with(".later-"))
        };
        let is_old = |entry: &fs::DirEntry| {
            let changed = entry.metadata().and_then(|metadata| metadata.modified());
            let age = changed.map(|changed| now - OffsetDateTime::from(changed));
            age.is_ok_and(|age| age > time::Duration::days(settings.keep_days.into()))
        };
        let entries = fs::read_dir(self.folder()).into_iter().flatten().flatten();
        entries.filter(|entry| is_set_aside(entry) && is_old(entry)).map(|entry| entry.path()).collect()
    }
}

/// Every file that belongs to a job, with that job, in the order of their names.
fn files(folder: &Path) -> Vec<(PathBuf, JobId)> {
    let entries = |name: &&str| fs::read_dir(folder.join(name)).into_iter().flatten().flatten();
    let owned = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let job_id = JobId::parse(name.to_str()?.split('.').next()?)?;
        Some((entry.path(), job_id))
    };
    let mut files: Vec<_> = FOLDERS.iter().flat_map(entries).filter_map(owned).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{JobStatus, NewJob};
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    /// Jobs that ended so many days ago; `None` for one that goes on.
    fn jobs(ages: &[Option<i64>]) -> Vec<GenerationJob> {
        let job = |age: &Option<i64>| {
            let mut job = GenerationJob::new(JobId::random(), NOW, &NewJob::named("Specs"));
            if let Some(days) = age {
                job.end(JobStatus::Failed, None, NOW - time::Duration::days(*days)).unwrap();
            }
            job
        };
        ages.iter().map(job).collect()
    }

    #[test]
    fn what_is_too_much_or_too_old_is_forgotten() {
        let settings = |keep, keep_days| JobSettings { keep, keep_days, ..JobSettings::default() };
        for (ages, settings, kept) in [
            (&[Some(0), None, Some(0), Some(0), None][..], settings(2, 30), &[0, 1, 2, 4][..]),
            (&[Some(0), Some(1), Some(29), Some(31), Some(400)], settings(100, 30), &[0, 1, 2]),
            (&[Some(-9_000), Some(-9_000), Some(-9_000), Some(-9_000)], settings(100, 1), &[0, 1, 2, 3]),
            (&[Some(9_000), Some(9_000), Some(9_000), Some(9_000)], settings(100, 30), &[0, 1, 2]),
        ] {
            let all = jobs(ages);
            let mut left = all.clone();
            let forgotten = forget(&mut left, &settings, NOW);
            let expected: Vec<GenerationJob> = kept.iter().map(|&at| all[at].clone()).collect();
            assert_eq!(left, expected, "{ages:?}");
            assert_eq!(forgotten.len() + left.len(), all.len());
        }
    }
}
