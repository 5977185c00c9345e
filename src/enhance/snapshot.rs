//! Full products on disk: an append-only file that rendering reads back, so that memory does not grow with
//! descriptions. Records and texts of pages may be added. The file has no name, so nothing is left behind however the process
//! ends, or it is that of [`super::memory`], which writes over what was added in the next run.

use super::EnhancedProduct;
use super::memory::Damaged;
use crate::site::durable::read_exact_at;
use anyhow::{Context, Result};
use std::cell::RefCell;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// Packed products, on their way in or out; the room is used again.
    static PACKED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Bytes of its hash that stand behind each product.
const CHECK: usize = 4;

/// Writes products, in any order and from many threads.
pub struct SnapshotWriter {
    file: Mutex<(File, u64)>,
    /// Bytes that were there before.
    remembered: u64,
}

/// Reads products back, from many threads.
pub struct Snapshot {
    file: File,
    end: AtomicU64,
    /// Bytes that an earlier run has written; only they can have been damaged.
    remembered: u64,
}

/// Where a product is: offset and length in bytes.
pub type Location = (u64, u32);

impl SnapshotWriter {
    /// Opens an unnamed file in `folder`, which must exist.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create_in(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder)
            .with_context(|| format!("creating the product snapshot in `{}`", folder.display()))?;
        Ok(Self { file: Mutex::new((file, 0)), remembered: 0 })
    }

    /// Continues a file behind its first `length` bytes.
    pub(super) fn append_to(file: File, length: u64) -> Self {
        Self { file: Mutex::new((file, length)), remembered: length }
    }

    /// Appends a block of products with one write; the locations, and hashes of the products, are in their order.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn append<'a>(
        &self,
        products: impl Iterator<Item = &'a EnhancedProduct>,
    ) -> Result<Vec<(Location, blake3::Hash)>> {
        let mut block = PACKED.take();
        block.clear();
        let mut described = Vec::new();
        for product in products {
            let start = block.len();
            block = postcard::to_extend(product, block)
                .and_then(|block| postcard::to_extend(&product.scores, block))
                .context("packing a product for the snapshot")?;
            let hash = blake3::hash(&block[start..]);
            block.extend_from_slice(&hash.as_bytes()[..CHECK]);
            described.push(((start as u64, (block.len() - start) as u32), hash));
        }
        let base = self.append_bytes(&block)?;
        described.iter_mut().for_each(|((start, _), _)| *start += base);
        PACKED.set(block);
        Ok(described)
    }

    /// Appends bytes; gives where they begin.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub(super) fn append_bytes(&self, bytes: &[u8]) -> Result<u64> {
        let mut guard = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (file, length) = &mut *guard;
        let base = *length;
        file.seek(SeekFrom::Start(base)).and_then(|_| file.write_all(bytes)).context("writing the product snapshot")?;
        *length += bytes.len() as u64;
        Ok(base)
    }

    /// Bytes so far.
    pub(super) fn length(&self) -> u64 {
        self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1
    }

    /// Ends writing.
    pub fn finish(self) -> Snapshot {
        let (file, end) = self.file.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Snapshot { file, end: AtomicU64::new(end), remembered: self.remembered }
    }
}

impl Snapshot {
    /// Reads one product.
    ///
    /// # Errors
    /// When the disk fails; [`Damaged`], when it is not what an earlier run has written.
    pub fn read(&self, location: Location) -> Result<EnhancedProduct> {
        let unpack = |bytes: &[u8]| {
            let (mut product, scores) = postcard::take_from_bytes::<EnhancedProduct>(bytes)?;
            product.scores = postcard::from_bytes(scores)?;
            Ok(product)
        };
        self.unpacked(location, unpack)
    }

    /// Reads one product but for its scores, which takes half the time.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn read_without_scores(&self, location: Location) -> Result<EnhancedProduct> {
        self.unpacked(location, |bytes| postcard::take_from_bytes(bytes).map(|(product, _)| product))
    }

    fn unpacked(
        &self,
        location: Location,
        unpack: impl FnOnce(&[u8]) -> postcard::Result<EnhancedProduct>,
    ) -> Result<EnhancedProduct> {
        self.with_bytes(location, |bytes| {
            let (product, check) = bytes.split_last_chunk::<CHECK>().ok_or(Damaged)?;
            let is_remembered = location.0 < self.remembered;
            if is_remembered && !blake3::hash(product).as_bytes().starts_with(check) {
                return Err(Damaged.into());
            }
            unpack(product).context("unpacking a product from the snapshot")
        })
    }

    /// Adds bytes; safe to call from many threads.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn add(&self, bytes: &[u8]) -> Result<Location> {
        let length = u32::try_from(bytes.len()).context("more than 4 GiB at once")?;
        let offset = self.end.fetch_add(u64::from(length), Ordering::Relaxed);
        write_all_at(&self.file, bytes, offset).context("writing the product snapshot")?;
        Ok((offset, length))
    }

    /// Appends to `out` what was added as a text.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn push_text(&self, location: Location, out: &mut String) -> Result<()> {
        self.with_bytes(location, |bytes| {
            out.push_str(std::str::from_utf8(bytes).context("unpacking a text from the snapshot")?);
            Ok(())
        })
    }

    /// What `take` makes of the bytes at a place.
    ///
    /// # Errors
    /// When the disk fails, and those of `take`.
    pub(super) fn with_bytes<T>(&self, (offset, length): Location, take: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        let mut packed = PACKED.take();
        let length = length as usize;
        if packed.len() < length {
            packed.resize(length, 0);
        }
        let bytes = &mut packed[..length];
        let taken = match read_exact_at(&self.file, bytes, offset) {
            Ok(()) => take(bytes),
            Err(error) => Err(error).context("reading the product snapshot"),
        };
        PACKED.set(packed);
        taken
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> std::io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        let count = file.seek_write(bytes, offset)?;
        if count == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
        offset += count as u64;
    }
    Ok(())
}
