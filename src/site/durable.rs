//! Files that survive a power cut: written beside their place, flushed, then renamed into it.
//!
//! In: bytes and a place. Out: the place holds either what it held before or all of the bytes, never a part.

use anyhow::Context as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Start of the names of files that are being written; one that is left was never finished.
pub const UNFINISHED: &str = ".storegen-";

/// Puts `bytes` in the place of the file `path`, readable by its owner only.
///
/// # Errors
/// When the folder is missing, full or cannot be written to; `path` then holds what it held before.
pub fn replace_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(path, bytes, 0o600)
}

/// The same for a file that everybody may read.
///
/// # Errors
/// As [`replace_file`].
pub fn replace_readable_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(path, bytes, 0o644)
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        file.write_all(bytes)?;
        #[cfg(unix)]
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        #[cfg(not(unix))]
        let _ = mode;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync_folder(folder)
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}

/// How to open files that, where they are made, only their owner can read.
pub fn private() -> fs::OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder, and those it is in, which only their owner can look into; one that is there stays as it is.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_folder(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).with_context(|| format!("cannot make the folder `{}`", path.display()))
}

/// Puts working memory that can be lost in the place of the file `path`, readable by its owner only: a file of a known
/// `kind`, with a hash before it by which damage and other versions of storegen are told.
///
/// # Errors
/// When the folder is missing, full or cannot be written to.
pub fn write_sealed(path: &Path, kind: &str, contents: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        file.write_all(seal(kind, contents).as_bytes())?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}

/// What the system tells of a file without reading it. Another file, or the same after it was written to, has another
/// stamp; files that are only ever replaced as a whole have no other way to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    place: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a file; `None` where there is no file, or no system that tells enough.
    #[cfg(unix)]
    pub fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let file = path.symlink_metadata().ok()?;
        let changed = (file.ctime(), file.ctime_nsec());
        Some(Self { place: (file.dev(), file.ino()), size: file.len(), changed })
    }

    /// The stamp of a file; `None` where there is no file, or no system that tells enough.
    #[cfg(not(unix))]
    pub fn of(_: &Path) -> Option<Self> {
        None
    }
}

/// Reads what [`write_sealed`] wrote; `None` where there is nothing, or nothing that can be relied on.
pub fn read_sealed(path: &Path, kind: &str) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(path).ok()?;
    let contents = bytes.split_off(blake3::OUT_LEN.min(bytes.len()));
    (bytes == seal(kind, &contents).as_bytes()).then_some(contents)
}

fn seal(kind: &str, contents: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(concat!("storegen ", env!("CARGO_PKG_VERSION"), " ").as_bytes());
    hasher.update(kind.as_bytes()).update(&[0]).update(contents);
    hasher.finalize()
}

/// Makes renames in a folder durable.
///
/// # Errors
/// When the file system reports one.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Makes every file under a folder durable with one call for the whole file system: flushing 100,000 files one by one
/// takes minutes on a spinning disk.
pub(super) fn sync_tree(folder: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(File::open(folder)?)?;
    #[cfg(all(unix, not(target_os = "linux")))]
    rustix::fs::sync();
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Reads bytes from a place in a file, whatever else is read from it meanwhile.
///
/// # Errors
/// When the file ends before, or the disk fails.
#[cfg(unix)]
pub fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

/// Reads bytes from a place in a file, whatever else is read from it meanwhile.
///
/// # Errors
/// When the file ends before, or the disk fails.
#[cfg(windows)]
pub fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        let count = file.seek_read(bytes, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[count..];
        offset += count as u64;
    }
    Ok(())
}
