//! The moment the new store takes the place of the old one.
//!
//! In: a finished [`Staging`]. Out: the output folder holds the new store and all that storegen did not write. Two trees
//! are exchanged in one step where the system can do that; otherwise with two renames; and where the folder itself
//! cannot be renamed, or only little has changed, file by file. Each way is written into the journal first, so that the
//! next command can end it.

use super::durable::{Hashing, Stamp, sync_folder, sync_tree};
use super::files::Files;
use super::foreign;
use super::journal::{Container, Step};
use super::ledger::Whole;
use super::manifest::Change;
use super::output::{Known, Output, Placement};
use super::staging::Staging;
use super::{Fingerprint, MANIFEST, Manifest};
use anyhow::{Context as _, bail};
use serde::Serialize;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Most files that are moved one by one where whole trees could be exchanged: some milliseconds of renames.
const SMALL_CHANGE: usize = 500;

/// What a publication did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// Files of the store.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// Files that the last store did not have.
    pub added: u64,
    /// Files with other content than in the last store.
    pub changed: u64,
    /// Files of the last store that are gone.
    pub removed: u64,
}

impl Published {
    /// A store that was left as it is.
    pub fn nothing_new(manifest: &Manifest) -> Self {
        Self { files: manifest.len() as u64, bytes: manifest.bytes(), added: 0, changed: 0, removed: 0 }
    }

    fn compare(old: &Manifest, new: &Manifest) -> Self {
        let mut published = Self { files: new.len() as u64, bytes: new.bytes(), added: 0, changed: 0, removed: 0 };
        for change in old.changes(new) {
            match change {
                Change::Added(_) => published.added += 1,
                Change::Changed(_) => published.changed += 1,
                Change::Removed(_) => published.removed += 1,
            }
        }
        published
    }

    fn is_same(&self) -> bool {
        self.added == 0 && self.changed == 0 && self.removed == 0
    }
}

/// Points at which a test can pull the plug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Listed,
    Carried,
    Journalled,
    OldAside,
    Moved,
    Removed,
    InPlace,
}

/// Called at every [`Moment`]; an error stops right there.
type Checkpoint<'a> = dyn FnMut(Moment) -> anyhow::Result<()> + 'a;

impl Staging {
    /// Puts the new store in the place of the old one, all at once, or touches nothing where nothing has changed. `whole`
    /// is what [`Output::stands`](super::Output::stands) will tell of it. Gives what is known of the store then, too.
    ///
    /// # Errors
    /// When a file that storegen did not write is in the way, another run has published in the meantime, or the disk
    /// refuses; the old store is in place then.
    pub fn publish(self, whole: Option<Whole>) -> anyhow::Result<(Published, Known)> {
        self.publish_by(None, whole, &mut |_| Ok(()))
    }

    /// The same in a way that is possible or, without one, in the best way.
    fn publish_by(
        mut self,
        way: Option<Way>,
        whole: Option<Whole>,
        at: &mut Checkpoint,
    ) -> anyhow::Result<(Published, Known)> {
        let mut files = self.take_files()?;
        files.ledger.whole = whole;
        let (new, target) = (files.manifest(), self.output.path.clone());
        let exists = target.exists();
        let newer = if exists { self.output.newer_manifest()? } else { Some(Manifest::default()) };
        if newer.is_some_and(|newer| newer != self.output.manifest) {
            bail!(
                "another run of storegen has published to `{}` in the meantime; run this one again",
                target.display()
            );
        }
        let published = Published::compare(&self.output.manifest, new);
        let is_same =
            exists && files.written().next().is_none() && published.is_same() && target.join(MANIFEST).exists();
        let ledger_path = self.ledger_path();
        let manifest = if is_same {
            let _ = self.container.finish();
            self.output.seen
        } else {
            let changes = files.written().count() as u64 + published.removed;
            let is_small = exists && changes <= SMALL_CHANGE as u64 && changes * 4 <= published.files;
            let way = match way {
                _ if self.output.placement == Placement::Inside => Way::FileByFile,
                Some(way) => way,
                None if is_small => Way::FileByFile,
                None => Way::Exchange,
            };
            self.put_in_place(&files, way, exists, at)
                .with_context(|| format!("cannot put the new store in the place of `{}`", target.display()))?
        };
        let Files { ledger, .. } = files;
        // Without a ledger the next run makes everything again, which is no reason to fail this one.
        let is_written = |path: &PathBuf| ledger.write(path).is_ok();
        let written = ledger_path.filter(is_written).and_then(|path| Stamp::of(&path));
        let manifest = manifest.map(|stamp| (stamp, ledger.manifest().clone()));
        Ok((published, Known { manifest, ledger: written.map(|stamp| (stamp, ledger)) }))
    }

    /// Gives the stamp of the manifest that is in place then.
    fn put_in_place(self, files: &Files, way: Way, exists: bool, at: &mut Checkpoint) -> anyhow::Result<Option<Stamp>> {
        let target = &self.output.path;
        let tree = self.container.tree();
        let manifest = write_manifest(files.manifest(), &tree.join(MANIFEST)).context("cannot write the manifest")?;
        at(Moment::Listed)?;
        if exists && way == Way::FileByFile {
            let (old, new) = (&self.output.manifest, files.manifest());
            refuse_links(target, files.written())?;
            refuse_links(target, removed(old, new))?;
            foreign::refuse_clashes(target, &self.output.manifest, files.manifest(), self.output.overwrite)?;
        } else if exists {
            self.take_along(files.kept())?;
            let found = foreign::find(target, &self.output.manifest, self.output.placement)?;
            let kept = foreign::settle_clashes(found, files.manifest(), self.output.overwrite)?;
            kept.iter().try_for_each(|foreign| foreign.carry(target, &tree))?;
            let permissions = fs::metadata(target).context("cannot read the output folder")?.permissions();
            fs::set_permissions(&tree, permissions).context("cannot set the output folder's permissions")?;
        }
        at(Moment::Carried)?;

        sync(&tree, files).context("cannot flush the new store to the disk")?;
        let Self { output, mut container, .. } = self;
        put_tree_in_place(&mut container, &output, way, manifest, files, at)?;
        // As long as nobody else can put another one there.
        let manifest = Stamp::of(&output.path.join(MANIFEST));
        // The store is in place: leftovers that cannot be removed now are the next command's to remove.
        let _ = container.finish();
        Ok(manifest)
    }
}

/// Writes a manifest, and tells its own fingerprint.
fn write_manifest(manifest: &Manifest, path: &Path) -> io::Result<Fingerprint> {
    let mut to = BufWriter::new(Hashing { to: fs::File::create(path)?, hasher: blake3::Hasher::new() });
    manifest.write_to(&mut to)?;
    Ok(Fingerprint::of_hashed(&to.into_inner()?.hasher))
}

/// Makes a new tree durable: a few files one by one, for the whole file system may have much else to write.
fn sync(tree: &Path, files: &Files) -> io::Result<()> {
    const FEW: usize = 64;
    if files.written().count() > FEW {
        return sync_tree(tree);
    }
    let written = files.written().chain([MANIFEST]);
    written.map(|path| tree.join(path)).try_for_each(|path| fs::File::open(path)?.sync_all())
}

/// How one tree takes the place of another; each way gives way to the next where it is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In one step.
    Exchange,
    /// With two renames.
    Swap,
    /// With a rename for each file that differs; the only way into a mount point, or a lower layer of an overlay.
    FileByFile,
}

fn put_tree_in_place(
    container: &mut Container,
    Output { path: output, manifest: last, .. }: &Output,
    mut way: Way,
    manifest: Fingerprint,
    files: &Files,
    at: &mut Checkpoint,
) -> anyhow::Result<()> {
    let (tree, old) = (container.tree(), container.old());
    if way == Way::Exchange {
        container.enter(Step::Exchange, manifest)?;
        at(Moment::Journalled)?;
        match exchange(&tree, output)? {
            Attempt::Done => return settle_in(&tree, last, output, at),
            Attempt::Unsupported => way = Way::Swap,
            Attempt::Immovable => way = Way::FileByFile,
        }
    }
    if way == Way::Swap {
        container.enter(Step::Swap, manifest)?;
        at(Moment::Journalled)?;
        match fs::rename(output, &old) {
            Err(error) if is_immovable(&error) => {}
            result => {
                result?;
                at(Moment::OldAside)?;
                fs::rename(&tree, output)?;
                return settle_in(&old, last, output, at);
            }
        }
    }
    container.enter(Step::RollForward, manifest)?;
    at(Moment::Journalled)?;
    roll_forward_between(&tree, output, Manifests { old: last, new: files.manifest() }, files.written(), at)
}

/// Makes the exchange durable before anything of the old tree, which is that of a manifest, is removed.
fn settle_in(retired: &Path, manifest: &Manifest, output: &Path, at: &mut Checkpoint) -> anyhow::Result<()> {
    at(Moment::InPlace)?;
    output.parent().map_or(Ok(()), sync_folder)?;
    foreign::rescue(retired, manifest, output)
}

enum Attempt {
    Done,
    /// The system or the file system cannot exchange.
    Unsupported,
    /// This folder cannot be renamed at all.
    Immovable,
}

/// Exchanges two folders in one step; moves the first where there is no second.
fn exchange(tree: &Path, output: &Path) -> io::Result<Attempt> {
    let result = match output.exists() {
        true => exchange_existing(tree, output),
        false => fs::rename(tree, output),
    };
    match result {
        Ok(()) => Ok(Attempt::Done),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Attempt::Unsupported),
        Err(error) if is_immovable(&error) => Ok(Attempt::Immovable),
        Err(error) => Err(error),
    }
}

/// A mount point is busy; the lower layer of an overlay answers that it is another device.
fn is_immovable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices)
}

fn exchange_existing(tree: &Path, output: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, tree, CWD, output, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(io::ErrorKind::Unsupported.into()),
            result => Ok(result?),
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (tree, output);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Moves the files of a finished tree into the output one by one, then removes those of the old store that the new one
/// does not have. Can be repeated from any point at which it was interrupted.
///
/// # Errors
/// When the disk refuses; what has been moved stays moved.
pub(super) fn roll_forward(tree: &Path, output: &Path, at: &mut Checkpoint) -> anyhow::Result<()> {
    // The manifest moves last: when it is gone, so is all the work.
    let Some(new) = Manifest::read(tree)? else { return Ok(()) };
    // An old manifest that cannot be read vouches for no file, so nothing is stale.
    let old = Manifest::read(output).ok().flatten().unwrap_or_default();
    let files = new.iter().map(|(path, _)| path).filter(|path| tree.join(path).symlink_metadata().is_ok());
    roll_forward_between(tree, output, Manifests { old: &old, new: &new }, files, at)
}

/// The store that stands and the one that takes its place.
#[derive(Clone, Copy)]
struct Manifests<'m> {
    old: &'m Manifest,
    new: &'m Manifest,
}

/// Paths of the files that only the old store has.
fn removed<'m>(old: &'m Manifest, new: &'m Manifest) -> impl Iterator<Item = &'m str> {
    old.changes(new).filter_map(|change| match change {
        Change::Removed(path) => Some(path),
        Change::Added(_) | Change::Changed(_) => None,
    })
}

/// The same for some `files` of the new store, in order: those that stand in the tree.
fn roll_forward_between<'f>(
    tree: &Path,
    output: &Path,
    Manifests { old, new }: Manifests<'_>,
    files: impl Iterator<Item = &'f str> + Clone,
    at: &mut Checkpoint,
) -> anyhow::Result<()> {
    let stale: Vec<&str> = removed(old, new).collect();
    let in_the_way = |path: &str| new.has_folder(path) || parents(path).any(|folder| new.contains(folder));

    refuse_links(output, files.clone())?;
    refuse_links(output, stale.iter().copied())?;
    for path in stale.iter().filter(|path| in_the_way(path)) {
        remove_stale(output, path)?;
    }
    let mut folder = PathBuf::new();
    for path in files {
        move_file(tree, output, path, &mut folder)?;
        at(Moment::Moved)?;
    }
    for path in &stale {
        if !in_the_way(path) {
            remove_stale(output, path)?;
            at(Moment::Removed)?;
        }
    }
    sync_tree(output).context("cannot flush the new store to the disk")?;
    move_file(tree, output, MANIFEST, &mut folder)?;
    at(Moment::InPlace)?;
    sync_folder(output).context("cannot flush the new store to the disk")
}

/// Refuses paths that lead through a symbolic link: what is written or removed behind it is not the store's.
///
/// # Errors
/// Names the link.
fn refuse_links<'a>(output: &Path, paths: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
    let mut last = "";
    for path in paths {
        // In the order of paths all that is in a folder stands together. Where a folder was seen, so were those around it.
        let is_seen = |folder: &str| last.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        for folder in parents(path).take_while(|folder| !is_seen(folder)) {
            if output.join(folder).symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
                bail!(
                    "`{folder}` in `{}` is a symbolic link, and nothing is written or removed through links; remove it",
                    output.display()
                );
            }
        }
        last = path;
    }
    Ok(())
}

/// Moves a file into the output; `folder` is the one that was made for the file before it.
fn move_file(tree: &Path, output: &Path, path: &str, folder: &mut PathBuf) -> anyhow::Result<()> {
    let (from, to) = (tree.join(path), output.join(path));
    if let Some(parent) = to.parent().filter(|parent| parent != folder) {
        fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        *folder = parent.to_path_buf();
    }
    match fs::rename(&from, &to) {
        // Moved before the interruption.
        Err(error) if error.kind() == io::ErrorKind::NotFound && to.symlink_metadata().is_ok() => Ok(()),
        result => result.with_context(|| format!("cannot move `{path}` into `{}`", output.display())),
    }
}

/// Removes a file of the old store, and its folders once they are empty.
fn remove_stale(output: &Path, path: &str) -> anyhow::Result<()> {
    match fs::remove_file(output.join(path)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
        // Removed before an interruption, and a folder of the new store has its place already.
        Err(_) if output.join(path).is_dir() => return Ok(()),
        result => result.with_context(|| format!("cannot remove `{path}` from `{}`", output.display()))?,
    }
    // The first folder with something in it ends this.
    let _ = parents(path).try_for_each(|folder| fs::remove_dir(output.join(folder)));
    Ok(())
}

/// The folders around a path, innermost first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/')).map(|(folder, _)| folder)
}

#[cfg(test)]
#[cfg(unix)]
#[path = "publish_tests.rs"]
mod tests;
