//! Files that survive a power cut: written beside their place, flushed, then renamed into it.
//!
//! In: bytes and a place. Out: the place holds either what it held before or all of the bytes, never a part.

use anyhow::Context as _;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};
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
    write_sealed_by(path, kind, |to| Ok(to.write_all(contents)?))
}

/// The same for contents that are never in memory as a whole: `write` pours them into the file that it is given.
///
/// # Errors
/// As [`write_sealed`], and when `write` fails.
pub fn write_sealed_by(
    path: &Path,
    kind: &str,
    write: impl FnOnce(&mut BufWriter<Hashing<&File>>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> anyhow::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        // The seal stands first and is known last.
        file.write_all(&[0; blake3::OUT_LEN])?;
        let mut to = BufWriter::with_capacity(BUFFER, Hashing { to: file.as_file(), hasher: hasher_of(kind) });
        write(&mut to)?;
        let seal = to.into_inner().map_err(io::IntoInnerError::into_error)?.hasher.finalize();
        file.rewind()?;
        file.write_all(seal.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}

/// Bytes that are written or read at a time.
const BUFFER: usize = 64 * 1024;

/// Hashes what is written on its way.
pub struct Hashing<W> {
    pub(super) to: W,
    pub(super) hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
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
    let mut contents = Vec::new();
    open_sealed(path, kind)?.read_to_end(&mut contents).ok()?;
    Some(contents)
}

/// The same, to be read bit by bit: all of it has been looked through once, which is little beside making sense of it.
pub(super) fn open_sealed(path: &Path, kind: &str) -> Option<BufReader<File>> {
    let mut file = File::open(path).ok()?;
    let mut seal = [0; blake3::OUT_LEN];
    file.read_exact(&mut seal).ok()?;
    let mut hasher = hasher_of(kind);
    hasher.update_reader(&file).ok()?;
    file.seek(SeekFrom::Start(seal.len() as u64)).ok()?;
    (hasher.finalize() == seal).then(|| BufReader::with_capacity(BUFFER, file))
}

/// Begins the hash of contents.
fn hasher_of(kind: &str) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(concat!("storegen ", env!("CARGO_PKG_VERSION"), " ").as_bytes());
    hasher.update(kind.as_bytes()).update(&[0]);
    hasher
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_bit_by_bit_is_read_as_one_and_the_other_way_around() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let contents: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        write_sealed_by(&path, "kind 1", |to| Ok(contents.chunks(7).try_for_each(|part| to.write_all(part))?)).unwrap();
        assert_eq!(read_sealed(&path, "kind 1").as_ref(), Some(&contents));
        let streamed = fs::read(&path).unwrap();
        write_sealed(&path, "kind 1", &contents).unwrap();
        assert_eq!(fs::read(&path).unwrap(), streamed);
        assert!(read_sealed(&path, "kind 2").is_none());
    }

    #[test]
    fn damage_and_truncation_break_the_seal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_sealed(&path, "kind", &[7; 1000]).unwrap();
        let sealed = fs::read(&path).unwrap();
        for length in [0, 31, 32, 500, sealed.len() - 1] {
            fs::write(&path, &sealed[..length]).unwrap();
            assert!(open_sealed(&path, "kind").is_none(), "cut to {length}");
        }
        for position in [0, 31, 32, sealed.len() - 1] {
            let mut damaged = sealed.clone();
            damaged[position] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert!(open_sealed(&path, "kind").is_none(), "damaged at {position}");
        }
    }

    #[test]
    fn what_cannot_be_written_leaves_the_last_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_sealed(&path, "kind", b"last").unwrap();
        let failed = write_sealed_by(&path, "kind", |to| {
            to.write_all(b"next")?;
            anyhow::bail!("no more")
        });
        assert!(failed.is_err());
        assert_eq!(read_sealed(&path, "kind").as_deref(), Some(&b"last"[..]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
