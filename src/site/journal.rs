//! What a killed process was about to do to an output folder, and how the next command ends it.
//!
//! A run builds in a *container*, a hidden folder on the output's own file system:
//! `lock` (held while the process lives), `journal.json` (which step it is at), `tree/` (the new store) and `old/` (the
//! old one, between two renames). The state folder has a pointer to each container. In: pointers. Out: whole stores.

use super::durable::{private, replace_file, sync_folder};
use super::foreign::rescue;
use super::output::Output;
use super::publish::roll_forward;
use super::{Fingerprint, MANIFEST, Manifest};
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

const VERSION: u32 = 1;

/// How far a run has come; decides what its container means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    /// `tree/` is incomplete, the output untouched.
    Staging,
    /// `tree/` and the output are being exchanged in one step: before it or after it.
    Exchange,
    /// The output goes to `old/`, then `tree/` takes its place.
    Swap,
    /// The files of `tree/` move into the output one by one.
    RollForward,
}

#[derive(Serialize, Deserialize)]
struct Journal {
    version: u32,
    job_id: String,
    output: PathBuf,
    step: Step,
    /// Fingerprint of the new store's manifest, by which the new store is known once it is in place.
    manifest: Option<Fingerprint>,
}

#[derive(Serialize, Deserialize)]
struct Pointer {
    container: PathBuf,
    /// What the container is called while it is being made.
    unborn: PathBuf,
}

/// What became of a run that had been killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The run's job.
    pub job_id: String,
    /// Its output folder.
    pub output: PathBuf,
    /// Whether its store is the one in the folder now; the store of before is otherwise.
    pub published: bool,
}

/// Ends what killed processes left half done, finishing it or taking it back, and removes their leftovers.
///
/// Processes that are still alive are left alone. `journal_dir` is the folder given to [`Output::stage`].
///
/// # Errors
/// When a leftover cannot be dealt with; the others are, first.
pub fn recover(journal_dir: &Path) -> anyhow::Result<Vec<Recovered>> {
    let entries = match fs::read_dir(journal_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", journal_dir.display())),
    };
    let mut recovered = Vec::new();
    let mut first_error = None;
    for path in
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "json"))
    {
        match recover_one(&path) {
            Ok(one) => recovered.extend(one),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    match first_error {
        Some(error) => Err(error.context("cannot clean up after a run that was killed")),
        None => Ok(recovered),
    }
}

fn recover_one(path: &Path) -> anyhow::Result<Option<Recovered>> {
    let pointer = match File::open(path) {
        Ok(pointer) => pointer,
        // Its process has just finished.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    };
    match pointer.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
        }
    }
    let mut settled = Settled::Gone;
    // A pointer that was never written to points at nothing that exists.
    if let Ok(Pointer { container, unborn }) = serde_json::from_reader(&pointer) {
        remove_tree_if_there(&unborn).with_context(|| format!("cannot remove `{}`", unborn.display()))?;
        if container.exists() {
            settled = settle(&container)?;
        }
    }
    if let Settled::Alive = settled {
        return Ok(None);
    }
    remove_if_there(path)?;
    Ok(settled.recovered())
}

pub(super) enum Settled {
    Alive,
    Gone,
    Done(Recovered),
}

impl Settled {
    pub(super) fn recovered(self) -> Option<Recovered> {
        match self {
            Self::Done(recovered) => Some(recovered),
            Self::Alive | Self::Gone => None,
        }
    }
}

/// Ends what a container's journal says, unless its process is alive.
pub(super) fn settle(container: &Path) -> anyhow::Result<Settled> {
    let settling = || format!("cannot settle `{}`", container.display());
    let lock = match File::options().create(true).append(true).open(container.join("lock")) {
        Ok(lock) => lock,
        // Another command has just settled it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settled::Gone),
        Err(error) => return Err(error).with_context(settling),
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Settled::Alive),
        Err(TryLockError::Error(error)) => return Err(error).with_context(settling),
    }
    settle_locked(container)
}

/// The same for a container whose lock the caller holds.
fn settle_locked(container: &Path) -> anyhow::Result<Settled> {
    let settling = || format!("cannot settle `{}`", container.display());
    let bytes = match fs::read(container.join("journal.json")) {
        Ok(bytes) => bytes,
        // The last of a removal that was interrupted; it takes the trees first.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            remove_container(container)?;
            return Ok(Settled::Gone);
        }
        Err(error) => return Err(error).with_context(settling),
    };
    let journal: Journal = serde_json::from_slice(&bytes).with_context(settling)?;
    if journal.version > VERSION {
        bail!("`{}` was left by a later version of storegen; run that version once", container.display());
    }
    let (output, tree, old) = (&journal.output, container.join("tree"), container.join("old"));
    match journal.step {
        Step::Staging => {}
        Step::Exchange => rescue(&tree, &vouched(&tree), output)?,
        Step::Swap => {
            if !output.exists() {
                let whole = if tree.exists() { &tree } else { &old };
                fs::rename(whole, output).with_context(settling)?;
            }
            rescue(&old, &vouched(&old), output)?;
        }
        Step::RollForward => roll_forward(&tree, output, &mut |_| Ok(()))?,
    }
    if let Some(parent) = output.parent().filter(|parent| parent.exists()) {
        sync_folder(parent).with_context(settling)?;
    }
    let in_place = Fingerprint::of_file(&output.join(MANIFEST)).ok();
    let published = in_place.is_some() && in_place == journal.manifest;
    remove_container(container)?;
    Ok(Settled::Done(Recovered { job_id: journal.job_id, output: journal.output, published }))
}

/// The manifest of a tree; one that cannot be read vouches for no file, so that everything in the tree is saved.
fn vouched(tree: &Path) -> Manifest {
    Manifest::read(tree).ok().flatten().unwrap_or_default()
}

/// The folder in which a living run builds.
pub(super) struct Container {
    path: PathBuf,
    pointer: PathBuf,
    journal: Journal,
    /// The locks of the container and of its pointer, held until the run is over or its process dies; `None` once it is
    /// over.
    locks: Option<(File, File)>,
}

impl Container {
    /// Makes the container and its pointer, after having settled what dead runs left beside it.
    ///
    /// # Errors
    /// When another run is writing to the same output, or the folders cannot be made.
    pub(super) fn create(output: &Output, journal_dir: &Path, job_id: &str) -> anyhow::Result<Self> {
        let parent = output.container_parent();
        fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        settle_leftovers(output)?;
        let path = parent.join(format!("{}{job_id}", output.container_prefix()));
        let pointer = journal_dir.join(format!("{job_id}.json"));
        let journal = Journal {
            version: VERSION,
            job_id: job_id.into(),
            output: output.path().to_path_buf(),
            step: Step::Staging,
            manifest: None,
        };
        // The pointer comes first, so that nothing is ever made that no later command would find. The container gets its
        // name last, so that nobody sees one without its lock held and its journal there.
        let unborn = parent.join(format!("{}new-{job_id}", output.container_prefix()));
        let pointer_lock = point(&pointer, &Pointer { container: path.clone(), unborn: unborn.clone() })
            .with_context(|| format!("cannot write `{}`", pointer.display()))?;
        match make(&unborn, &journal).and_then(|lock| Ok(fs::rename(&unborn, &path).map(|()| lock)?)) {
            Ok(lock) => Ok(Self { path, pointer, journal, locks: Some((lock, pointer_lock)) }),
            Err(error) => {
                if remove_tree_if_there(&unborn).is_ok() {
                    let _ = remove_if_there(&pointer);
                }
                Err(error).with_context(|| format!("cannot make `{}`", path.display()))
            }
        }
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the new store is built.
    pub(super) fn tree(&self) -> PathBuf {
        self.path.join("tree")
    }

    /// Where the old store is between two renames.
    pub(super) fn old(&self) -> PathBuf {
        self.path.join("old")
    }

    /// Writes down, durably, what is about to happen.
    pub(super) fn enter(&mut self, step: Step, manifest: Fingerprint) -> anyhow::Result<()> {
        self.journal.step = step;
        self.journal.manifest = Some(manifest);
        replace_file(&self.path.join("journal.json"), &serde_json::to_vec(&self.journal)?)
    }

    /// Removes the container; all that mattered in it has been moved.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.locks = None;
        remove_container(&self.path)?;
        Ok(remove_if_there(&self.pointer)?)
    }
}

impl Drop for Container {
    /// A run that failed or was cancelled settles its own leftovers; what it cannot, the next command can.
    fn drop(&mut self) {
        // The locks are held to the end: between giving them up and taking them again, another process could step in.
        if let Some(_locks) = self.locks.take()
            && settle_locked(&self.path).is_ok()
        {
            let _ = remove_if_there(&self.pointer);
        }
    }
}

/// Writes a pointer and locks it.
fn point(path: &Path, pointer: &Pointer) -> anyhow::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    loop {
        let mut file = private().write(true).create(true).truncate(true).open(path)?;
        file.lock()?;
        // Between these two calls another command may have taken the empty file for a dead process's and removed it.
        if path.exists() {
            file.write_all(&serde_json::to_vec(pointer)?)?;
            file.sync_all()?;
            path.parent().map_or(Ok(()), sync_folder)?;
            return Ok(file);
        }
    }
}

/// Makes a container and locks it.
fn make(path: &Path, journal: &Journal) -> anyhow::Result<File> {
    fs::create_dir(path)?;
    let lock = File::create(path.join("lock"))?;
    lock.lock()?;
    replace_file(&path.join("journal.json"), &serde_json::to_vec(journal)?)?;
    fs::create_dir(path.join("tree"))?;
    Ok(lock)
}

/// Settles containers of this output whose pointers are elsewhere, such as those of a run with another state file.
fn settle_leftovers(output: &Output) -> anyhow::Result<()> {
    let (parent, prefix) = (output.container_parent(), output.container_prefix());
    let entries = fs::read_dir(parent).with_context(|| format!("cannot read `{}`", parent.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        // `job_` sets containers apart from those that are still being made.
        if !name.to_string_lossy().starts_with(&format!("{prefix}job_")) {
            continue;
        }
        if let Settled::Alive = settle(&entry.path())? {
            bail!(
                "another run of storegen is writing to `{}`; wait for it (`storegen status`) or stop it",
                output.path().display()
            );
        }
    }
    Ok(())
}

/// Removes a container so that an interruption leaves nothing that could be misread: the journal goes last but one, the
/// lock last.
fn remove_container(path: &Path) -> anyhow::Result<()> {
    let remove = || -> io::Result<()> {
        for part in ["tree", "old"] {
            remove_tree_if_there(&path.join(part))?;
        }
        for part in ["journal.json", "lock"] {
            remove_if_there(&path.join(part))?;
        }
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    };
    remove().with_context(|| format!("cannot remove `{}`", path.display()))
}

fn remove_tree_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && open_folders(path) => fs::remove_dir_all(path),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Lets files be removed from the folders of a tree that somebody has closed to writing; says whether any was.
#[cfg(unix)]
fn open_folders(tree: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let mut has_opened = false;
    for folder in WalkDir::new(tree).into_iter().flatten().filter(|entry| entry.file_type().is_dir()) {
        let mode = folder.metadata().map(|metadata| metadata.permissions().mode()).unwrap_or(0o700);
        if mode & 0o700 != 0o700 {
            has_opened |= fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode | 0o700)).is_ok();
        }
    }
    has_opened
}

#[cfg(not(unix))]
fn open_folders(_: &Path) -> bool {
    false
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn folders_that_were_closed_to_writing_are_opened() {
        let tree = tempfile::tempdir().expect("a folder");
        let closed = tree.path().join("a/b");
        fs::create_dir_all(&closed).expect("made");
        assert!(!open_folders(tree.path()));
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).expect("closed");
        assert!(open_folders(tree.path()));
        assert_eq!(closed.metadata().expect("there").permissions().mode() & 0o777, 0o755);
    }
}
