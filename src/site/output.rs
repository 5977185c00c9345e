//! Whether a folder can be the store's: asked before any work is done.
//!
//! In: the configured folder and the places it must not swallow. Out: an [`Output`] to stage a store for, or a refusal
//! that says what to do. Changes nothing on disk.

use super::durable::Stamp;
use super::ledger::Ledger;
use super::mounts;
use super::{MANIFEST, Manifest};
use rayon::iter::{IndexedParallelIterator, ParallelIterator as _};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Why a folder cannot be used for the store, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("cannot use `{output}` for the store: {why}")]
pub struct Refused {
    output: String,
    why: String,
}

/// What a process has read or written itself of the store that stands, to be used again while the files are the same.
#[derive(Debug, Default)]
pub struct Known {
    pub(super) manifest: Option<(Stamp, Manifest)>,
    pub(super) ledger: Option<(Stamp, Ledger)>,
}

impl Known {
    /// The places of files in what is known, for [`Staging::keep_again`](super::Staging::keep_again).
    pub fn places<'p>(&self, paths: impl IndexedParallelIterator<Item = &'p str>) -> Vec<Option<u32>> {
        let ledger = self.ledger.as_ref().map(|(_, ledger)| ledger);
        paths.map(|path| u32::try_from(ledger?.find(path)?).ok()).collect()
    }
}

/// A folder that the store may be written to.
#[derive(Debug)]
pub struct Output {
    /// The folder itself, absolute, symbolic links resolved.
    pub(super) path: PathBuf,
    pub(super) overwrite: bool,
    /// What the last run wrote; empty for a new folder.
    pub(super) manifest: Manifest,
    /// The file that it was read from.
    pub(super) seen: Option<Stamp>,
    /// The ledger of the last publication, where this process has written it itself.
    pub(super) ledger: Option<(Stamp, Ledger)>,
    pub(super) placement: Placement,
}

/// Where the new tree is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// Next to the folder, to be exchanged with it.
    Beside,
    /// In the folder, because it is a mount point or the folder around it cannot be written to.
    Inside,
}

impl Output {
    /// Checks that the store can be written to `output`.
    ///
    /// `protected` are files and folders that the store must not take the place of, such as the configuration, the
    /// catalogue and the home folder. With `overwrite`, files that storegen did not write may be replaced.
    ///
    /// # Errors
    /// When the folder is a file, is or holds a protected place, is somebody else's site, or cannot be written to.
    pub fn claim(output: &Path, protected: &[PathBuf], overwrite: bool) -> Result<Self, Refused> {
        Self::claim_knowing(Known::default(), output, protected, overwrite)
    }

    /// The same where something is known already, which is not read again while its files are the same.
    ///
    /// # Errors
    /// As [`Output::claim`].
    pub fn claim_knowing(known: Known, output: &Path, protected: &[PathBuf], overwrite: bool) -> Result<Self, Refused> {
        let refuse = |why: String| Refused { output: output.display().to_string(), why };
        let (path, missing) = real_path(output).map_err(|error| refuse(error.to_string()))?;
        if path.parent().is_none() {
            return Err(refuse("it is the root of the file system; name a folder of its own in `output`".into()));
        }
        for place in protected {
            if real_path(place).is_ok_and(|(place, _)| place.starts_with(&path)) {
                let place = place.display();
                return Err(refuse(format!("it is or holds `{place}`; name a folder of its own in `output`")));
            }
        }
        if missing > 0 {
            let ground = path.ancestors().nth(missing).unwrap_or(Path::new("/"));
            if !ground.is_dir() {
                return Err(refuse(format!("`{}` is not a folder", ground.display())));
            }
            writable(ground).map_err(|why| refuse(why.to_string()))?;
            let placement = Placement::Beside;
            return Ok(Self { path, overwrite, manifest: Manifest::default(), seen: None, ledger: None, placement });
        }
        if !path.is_dir() {
            return Err(refuse("it is a file; move it away or name another folder in `output`".into()));
        }
        writable(&path).map_err(|why| refuse(why.to_string()))?;
        let Known { manifest, ledger } = known;
        let seen = Stamp::of(&path.join(MANIFEST));
        let known = manifest.filter(|(stamp, _)| seen == Some(*stamp)).map(|(_, manifest)| manifest);
        let manifest = match known.map_or_else(|| Manifest::read(&path), |manifest| Ok(Some(manifest))) {
            Ok(Some(manifest)) => manifest,
            Ok(None) if !overwrite && path.join("index.html").symlink_metadata().is_ok() => {
                return Err(refuse(
                    "it holds a site that storegen did not make; name another folder in `output`, or pass \
                     `--overwrite` to replace the files of that site that the store needs"
                        .into(),
                ));
            }
            Ok(None) => Manifest::default(),
            Err(_) if overwrite => Manifest::default(),
            Err(error) => {
                let advice = format!("delete `{MANIFEST}` there and pass `--overwrite`, or name another folder");
                return Err(refuse(format!("{error:#}; {advice}")));
            }
        };
        let parent_writable = path.parent().is_some_and(|parent| writable(parent).is_ok());
        let placement = match parent_writable && !mounts::is_or_holds_mount_point(&path) {
            true => Placement::Beside,
            false => Placement::Inside,
        };
        Ok(Self { path, overwrite, manifest, seen, ledger, placement })
    }

    /// The folder, absolute, symbolic links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the last run wrote there; empty for a new folder.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The manifest that is there now, where it is another file than the one that was read; one that cannot be read counts
    /// as none where files may be overwritten.
    pub(super) fn newer_manifest(&mut self) -> anyhow::Result<Option<Manifest>> {
        let now = Stamp::of(&self.path.join(MANIFEST));
        if now.is_some() && now == self.seen {
            return Ok(None);
        }
        self.seen = now;
        match Manifest::read(&self.path) {
            Err(_) if self.overwrite => Ok(Some(Manifest::default())),
            manifest => Ok(Some(manifest?.unwrap_or_default())),
        }
    }

    /// The ledger at `path`, and whether this process wrote it.
    pub(super) fn take_ledger(&mut self, path: &Path) -> (Ledger, bool) {
        let own = self.ledger.take().filter(|(stamp, _)| Stamp::of(path) == Some(*stamp));
        own.map_or_else(|| (Ledger::read(path), false), |(_, ledger)| (ledger, true))
    }

    /// What is known of the store that stands, where it stays as it is.
    pub fn into_known(self) -> Known {
        Known { manifest: self.seen.map(|stamp| (stamp, self.manifest)), ledger: self.ledger }
    }

    /// Start of the names of folders that runs build in; the job's id follows.
    pub(super) fn container_prefix(&self) -> String {
        let name = self.path.file_name().unwrap_or(OsStr::new("store")).to_string_lossy();
        match self.placement {
            Placement::Beside => format!(".{name}.storegen-"),
            Placement::Inside => INSIDE_PREFIX.into(),
        }
    }

    /// The folder that runs build in folders of.
    pub(super) fn container_parent(&self) -> &Path {
        match self.placement {
            Placement::Beside => self.path.parent().unwrap_or(&self.path),
            Placement::Inside => &self.path,
        }
    }
}

/// Start of the names of folders that runs build in inside the output; never part of the store.
pub(super) const INSIDE_PREFIX: &str = ".storegen-";

/// The path with symbolic links resolved as far as it exists, and how many of its last parts do not exist yet.
///
/// # Errors
/// When a part of it is a link to nowhere or cannot be looked at, or it goes up out of a folder that does not exist.
pub fn real_path(path: &Path) -> io::Result<(PathBuf, usize)> {
    let path = std::path::absolute(path)?;
    for (missing, ancestor) in path.ancestors().enumerate() {
        match ancestor.canonicalize() {
            Ok(real) => {
                let rest = path.strip_prefix(ancestor).unwrap_or(Path::new(""));
                if rest.components().any(|part| part == std::path::Component::ParentDir) {
                    return Err(io::Error::other("it goes up (`..`) out of a folder that does not exist"));
                }
                // `join("")` would add a slash, and a file with a slash behind it cannot be opened.
                let real = if missing == 0 { real } else { real.join(rest) };
                return Ok((real, missing));
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && ancestor.symlink_metadata().is_err() => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(io::Error::other(format!("`{}` is a link to nowhere", ancestor.display())));
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::NotFound))
}

/// Asks whether files can be made in a folder, without making one.
fn writable(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    let answer =
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).map_err(io::Error::from);
    #[cfg(not(unix))]
    let answer = std::fs::metadata(folder).and_then(|metadata| match metadata.permissions().readonly() {
        true => Err(io::Error::from(io::ErrorKind::PermissionDenied)),
        false => Ok(()),
    });
    answer.map_err(|error| io::Error::other(format!("no files can be made in `{}` ({error})", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn refusal(output: &Path, protected: &[PathBuf]) -> String {
        Output::claim(output, protected, false).unwrap_err().to_string()
    }

    #[test]
    fn new_and_empty_and_nested_folders_are_fine() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "new", "new/below/it"] {
            let output = Output::claim(&folder.path().join(name), &[], false).unwrap();
            assert!(output.manifest().is_empty());
        }
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "claiming changed the disk");
    }

    #[test]
    fn places_that_must_stay_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("shop/store.yaml");
        fs::create_dir(folder.path().join("shop")).unwrap();
        fs::write(&config, "").unwrap();
        let protected = [config.clone()];
        assert!(refusal(Path::new("/"), &[]).contains("root of the file system"));
        assert!(refusal(&folder.path().join("shop"), &protected).contains("it is or holds"));
        assert!(refusal(folder.path(), &protected).contains("it is or holds"));
        assert!(refusal(&folder.path().join("shop/../shop/."), &protected).contains("it is or holds"));
        assert!(refusal(&config, &[]).contains("it is a file"));
        assert!(
            refusal(&config.join("below"), &[]).contains("not a folder"),
            "{}",
            refusal(&config.join("below"), &[])
        );
        assert!(Output::claim(&folder.path().join("shop/store"), &protected, false).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_seen_through() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink("gone", folder.path().join("broken")).unwrap();
        let output = Output::claim(&folder.path().join("link"), &[], false).unwrap();
        assert_eq!(output.path(), folder.path().canonicalize().unwrap().join("real"));
        let protected = [folder.path().join("real/store.yaml")];
        assert!(refusal(&folder.path().join("link"), &protected).contains("it is or holds"));
        assert!(refusal(&folder.path().join("broken"), &[]).contains("link to nowhere"));
    }

    #[test]
    fn a_foreign_site_needs_overwrite_and_other_files_do_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        assert!(Output::claim(folder.path(), &[], false).is_ok());
        fs::write(folder.path().join("index.html"), "mine").unwrap();
        assert!(refusal(folder.path(), &[]).contains("--overwrite"));
        assert!(Output::claim(folder.path(), &[], true).is_ok());
        fs::write(folder.path().join(MANIFEST), "{").unwrap();
        assert!(refusal(folder.path(), &[]).contains(MANIFEST));
    }
}
