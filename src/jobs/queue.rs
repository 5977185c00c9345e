//! The line in which jobs of a machine wait for their turn.
//!
//! In: jobs, from any number of processes and state files. Out: for each a [`Place`], numbered in order of arrival, which
//! it holds until it has ended. A job has its turn when fewer than its limit of places before it are still held, so that
//! never more than the limit work, and none overtakes another. A place is a file that its process keeps locked: the
//! system lets go of it when the process dies, and nothing has to be cleaned up before others move on.

use super::file::open_private;
use super::record::JobId;
use super::stop::{Stop, StopReason};
use crate::site::durable::make_private_folder;
use anyhow::Context as _;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time between two looks at the line: well below what a person notices, and some 50 µs of work.
const GLANCE: Duration = Duration::from_millis(100);

/// A line of jobs.
#[derive(Clone, Debug)]
pub struct Queue {
    folder: PathBuf,
}

/// A job's place in the line, while it waits and while it works; dropping it lets the next one in.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    number: u64,
    path: PathBuf,
    _lock: File,
}

impl Queue {
    /// The line that is kept in a folder; all jobs that are to wait for each other must name the same. Touches nothing.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// Puts a job at the end of the line.
    ///
    /// # Errors
    /// When the folder cannot be written to, or its file system has no locks.
    pub fn join(&self, job_id: &JobId) -> anyhow::Result<Place> {
        make_private_folder(&self.folder)?;
        let path = self.folder.join("lock");
        let lock = || {
            let file = open_private(&path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        };
        let _lock = lock().with_context(|| format!("cannot lock `{}`", path.display()))?;
        let number = places(&self.folder)?.last().map_or(1, |(last, _)| last + 1);
        // Locked before it has its name, so that nobody takes it for the place of a process that has died.
        let unborn = self.folder.join(format!("new-{job_id}"));
        let path = self.folder.join(format!("{number:012}-{job_id}"));
        let make = || {
            let file = open_private(&unborn)?;
            file.lock()?;
            fs::rename(&unborn, &path)?;
            Ok::<_, std::io::Error>(file)
        };
        let lock = make().with_context(|| format!("cannot make `{}`", path.display()))?;
        Ok(Place { folder: self.folder.clone(), number, path, _lock: lock })
    }
}

impl Place {
    /// How many jobs that came before are still there, waiting or working.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn ahead(&self) -> anyhow::Result<usize> {
        let mut ahead = 0;
        for (_, path) in places(&self.folder)?.iter().filter(|(number, _)| *number < self.number) {
            if is_held(path) {
                ahead += 1;
            } else {
                // Its process died; whoever sees it first takes it away.
                let _ = fs::remove_file(path);
            }
        }
        Ok(ahead)
    }

    /// Waits until fewer than `limit` jobs are ahead, and tells how many wait before this one whenever that changes.
    ///
    /// # Errors
    /// When the folder cannot be read. `Ok(Some(reason))` says that waiting was stopped.
    pub fn wait(
        &self,
        limit: usize,
        stop: &Stop<'_>,
        mut tell: impl FnMut(usize),
    ) -> anyhow::Result<Option<StopReason>> {
        let mut told = None;
        loop {
            let ahead = self.ahead()?;
            if ahead < limit {
                return Ok(None);
            }
            let waiting = ahead - limit;
            if told.replace(waiting) != Some(waiting) {
                tell(waiting);
            }
            if let Some(reason) = stop.reason() {
                return Ok(Some(reason));
            }
            std::thread::sleep(GLANCE);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Every place in the line, first come first; some may be left by processes that died.
fn places(folder: &Path) -> anyhow::Result<Vec<(u64, PathBuf)>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let numbered = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let (number, job_id) = name.to_str()?.split_once('-')?;
        JobId::parse(job_id)?;
        Some((number.parse().ok()?, entry.path()))
    };
    let mut places: Vec<(u64, PathBuf)> = entries.flatten().filter_map(numbered).collect();
    places.sort();
    Ok(places)
}

fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> (tempfile::TempDir, Queue) {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::at(&folder.path().join("queue"));
        (folder, queue)
    }

    #[test]
    fn the_next_in_line_has_its_turn_when_a_place_is_given_up() {
        let (_folder, queue) = queue();
        let mut places: Vec<Place> = (0..4).map(|_| queue.join(&JobId::random()).unwrap()).collect();
        let ahead = |places: &[Place]| places.iter().map(|place| place.ahead().unwrap()).collect::<Vec<_>>();
        assert_eq!(ahead(&places), [0, 1, 2, 3]);
        places.remove(1);
        assert_eq!(ahead(&places), [0, 1, 2]);
        places.remove(0);
        places.push(queue.join(&JobId::random()).unwrap());
        assert_eq!(ahead(&places), [0, 1, 2]);
    }

    #[test]
    fn the_dead_do_not_count() {
        let (_folder, queue) = queue();
        let first = queue.join(&JobId::random()).unwrap();
        let dead = queue.folder.join(format!("{:012}-{}", 2, JobId::random()));
        File::create(&dead).unwrap();
        let last = queue.join(&JobId::random()).unwrap();
        assert_eq!((first.ahead().unwrap(), last.ahead().unwrap()), (0, 1));
        assert!(!dead.exists());
    }

    #[test]
    fn never_more_than_the_limit_work_at_once_and_all_get_their_turn() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        const LIMIT: usize = 3;
        let (_folder, queue) = queue();
        let (working, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let place = queue.join(&JobId::random()).unwrap();
                    let stopped = place.wait(LIMIT, &Stop::never(), |_| ()).unwrap();
                    assert_eq!(stopped, None);
                    most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    working.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert!((1..=LIMIT).contains(&most.into_inner()));
        assert!(places(&queue.folder).unwrap().is_empty());
    }
}
