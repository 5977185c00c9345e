//! Files in the output folder that storegen did not write: a `CNAME`, a `.git`, a verification file.
//!
//! In: the folder and the manifest of the last run. Out: what else is there, whether the new store needs its place, and
//! how it gets into a new tree. A symbolic link is a file like any other here: kept, never followed.

use super::manifest::Change;
use super::output::{INSIDE_PREFIX, Placement};
use super::{MANIFEST, Manifest};
use anyhow::{Context as _, bail};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Something that storegen did not write.
pub(super) struct Foreign {
    /// Relative to the output folder.
    path: PathBuf,
    is_folder: bool,
}

/// Finds all of it, folders before what is in them.
///
/// # Errors
/// When a folder cannot be read and would be lost in an exchange.
pub(super) fn find(output: &Path, old: &Manifest, placement: Placement) -> anyhow::Result<Vec<Foreign>> {
    let mut found = Vec::new();
    let walk = WalkDir::new(output)
        .min_depth(1)
        .into_iter()
        .filter_entry(|entry| entry.depth() != 1 || !entry.file_name().to_string_lossy().starts_with(INSIDE_PREFIX));
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            // Such as the `lost+found` of a mounted disk: nobody moves it.
            Err(error) if placement == Placement::Inside && is_refused(&error) => continue,
            Err(error) => return Err(error).context("cannot list the files that are not the store's"),
        };
        let Ok(path) = entry.path().strip_prefix(output) else { continue };
        let is_folder = entry.file_type().is_dir();
        let known = path.to_str().is_some_and(|path| match is_folder {
            true => old.has_folder(path),
            false => old.contains(path) || path == MANIFEST,
        });
        if !known {
            found.push(Foreign { path: path.to_path_buf(), is_folder });
        }
    }
    Ok(found)
}

fn is_refused(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Drops what the new store may overwrite, and refuses what it would have to destroy otherwise.
///
/// # Errors
/// Names the files that stand where the store needs a file or a folder.
pub(super) fn settle_clashes(found: Vec<Foreign>, new: &Manifest, overwrite: bool) -> anyhow::Result<Vec<Foreign>> {
    let mut clashing = Vec::new();
    let mut kept = Vec::new();
    for foreign in found {
        match foreign.clash(new) {
            None => kept.push(foreign),
            Some(Clash::SameFile) if overwrite => {}
            Some(_) => clashing.push(format!("`{}`", foreign.path.display())),
        }
    }
    if clashing.is_empty() {
        return Ok(kept);
    }
    let more = clashing.len().saturating_sub(5);
    clashing.truncate(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let advice = if overwrite { "move them away" } else { "move them away, or pass `--overwrite` to replace files" };
    bail!("the store needs the place of files that storegen did not write: {}{more}; {advice}", clashing.join(", "))
}

/// Refuses a store some of whose new files would take the place of something that storegen did not write; asks for the
/// new paths only, so that its cost is that of the change and not of the store.
///
/// # Errors
/// As [`settle_clashes`].
pub(super) fn refuse_clashes(output: &Path, old: &Manifest, new: &Manifest, overwrite: bool) -> anyhow::Result<()> {
    let mut found = Vec::new();
    let added = old.changes(new).filter_map(|change| match change {
        Change::Added(path) => Some(path),
        Change::Changed(_) | Change::Removed(_) => None,
    });
    for path in added {
        let mut at = PathBuf::new();
        for part in path.split('/') {
            at.push(part);
            let Ok(metadata) = output.join(&at).symlink_metadata() else { break };
            let known = at.to_str().is_some_and(|path| old.contains(path) || old.has_folder(path));
            if metadata.is_dir() && at == Path::new(path) {
                // What is in it is in the way too, and that is what a person can move away.
                found.extend(find(output, old, Placement::Inside)?.into_iter().filter(|one| one.path.starts_with(&at)));
            }
            if !known {
                found.push(Foreign { path: at.clone(), is_folder: metadata.is_dir() });
            }
            if !metadata.is_dir() {
                break;
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    settle_clashes(found, new, overwrite).map(|_| ())
}

enum Clash {
    /// A file in the place of a file.
    SameFile,
    /// A file in the place of a folder, or the other way around.
    FileAndFolder,
}

impl Foreign {
    fn clash(&self, new: &Manifest) -> Option<Clash> {
        let is_file = |path: &Path| path.to_str().is_some_and(|path| new.contains(path));
        if self.path.ancestors().skip(1).any(is_file) || (self.is_folder && is_file(&self.path)) {
            return Some(Clash::FileAndFolder);
        }
        if self.is_folder {
            return None;
        }
        if self.path.to_str().is_some_and(|path| new.has_folder(path)) {
            return Some(Clash::FileAndFolder);
        }
        is_file(&self.path).then_some(Clash::SameFile)
    }

    /// Gives the file a second name in the new tree, or a copy where the file system has no second names.
    ///
    /// # Errors
    /// When neither is possible.
    pub(super) fn carry(&self, output: &Path, tree: &Path) -> anyhow::Result<()> {
        let (from, to) = (output.join(&self.path), tree.join(&self.path));
        self.carry_between(&from, &to)
            .with_context(|| format!("cannot keep `{}`, which storegen did not write", from.display()))
    }

    fn carry_between(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.is_folder {
            fs::create_dir_all(to)?;
            return fs::set_permissions(to, fs::metadata(from)?.permissions());
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        let Err(no_second_name) = fs::hard_link(from, to) else { return Ok(()) };
        let metadata = fs::symlink_metadata(from)?;
        if metadata.is_file() {
            fs::copy(from, to)?;
            return fs::File::options().write(true).open(to)?.set_modified(metadata.modified()?);
        }
        #[cfg(unix)]
        if metadata.is_symlink() {
            return std::os::unix::fs::symlink(fs::read_link(from)?, to);
        }
        Err(no_second_name)
    }
}

/// Saves what somebody put into the old tree while it was being exchanged: files of `retired` that neither its `manifest`
/// nor `output` has move to `output`.
///
/// # Errors
/// When one cannot be moved; nothing is lost then, because `retired` stays.
pub(super) fn rescue(retired: &Path, manifest: &Manifest, output: &Path) -> anyhow::Result<()> {
    if !retired.is_dir() || !output.is_dir() {
        return Ok(());
    }
    for foreign in find(retired, manifest, Placement::Beside)? {
        let (from, to) = (retired.join(&foreign.path), output.join(&foreign.path));
        if to.symlink_metadata().is_ok() || foreign.is_folder {
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        }
        fs::rename(&from, &to).with_context(|| format!("cannot move `{}` to `{}`", from.display(), to.display()))?;
    }
    Ok(())
}
