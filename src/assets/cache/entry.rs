//! One entry of a cache: a file with a header, then its blobs one after another.
//!
//! The header holds the key, what there is to know, and length and hash of every blob; a hash of its own stands before
//! it. Nothing in a file is believed before its hash has been checked.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// First bytes of every entry, with the version of its format.
const MAGIC: &[u8; 8] = b"stgcache";
/// Longest header in bytes, so that a damaged length takes no memory.
const LONGEST_HEADER: u32 = 16 << 20;

type Hash = [u8; 32];

/// A result in the cache; its files are read when they are asked for.
#[derive(Clone, Debug)]
pub struct Entry<About> {
    /// What there is to know about it.
    pub about: About,
    path: PathBuf,
    /// Where in the file the blobs begin.
    start: u64,
    blobs: Vec<Blob>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Blob {
    length: u64,
    hash: Hash,
}

#[derive(Serialize, Deserialize)]
struct Header<About> {
    key: Hash,
    about: About,
    blobs: Vec<Blob>,
}

impl<About> Entry<About> {
    /// One of its files, by the order in which they were kept. `None` when there is none of that number, or when it has
    /// been removed or damaged since; it is gone then, and has to be made again.
    pub fn blob(&self, index: usize) -> Option<Vec<u8>> {
        let blob = self.blobs.get(index)?;
        let before: u64 = self.blobs[..index].iter().map(|blob| blob.length).sum();
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.start + before))?;
            let mut bytes = Vec::new();
            file.take(blob.length).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().ok()?;
        if blake3::hash(&bytes) != blob.hash {
            let _ = std::fs::remove_file(&self.path);
            return None;
        }
        Some(bytes)
    }

    /// An entry and the bytes that stand before its blobs.
    pub(super) fn new<B: AsRef<[u8]>>(
        about: About,
        blobs: &[B],
        path: &Path,
        key: &Hash,
    ) -> anyhow::Result<(Self, Vec<u8>)>
    where
        About: Serialize,
    {
        let blob =
            |bytes: &B| Blob { length: bytes.as_ref().len() as u64, hash: *blake3::hash(bytes.as_ref()).as_bytes() };
        let header = Header { key: *key, about, blobs: blobs.iter().map(blob).collect() };
        let body = postcard::to_stdvec(&header)?;
        let length = u32::try_from(body.len()).ok().filter(|length| *length <= LONGEST_HEADER);
        let length = length.ok_or_else(|| anyhow::anyhow!("there is too much to know about a file to keep it"))?;
        let mut bytes = Vec::with_capacity(body.len() + 44);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(blake3::hash(&body).as_bytes());
        bytes.extend_from_slice(&body);
        let Header { about, blobs, .. } = header;
        Ok((Self { about, path: path.to_path_buf(), start: bytes.len() as u64, blobs }, bytes))
    }

    /// Reads what stands before the blobs; `None` when anything about it is not as it should be.
    pub(super) fn read(file: &mut File, path: &Path, key: &Hash) -> Option<Self>
    where
        About: DeserializeOwned,
    {
        let mut fixed = [0; 44];
        file.read_exact(&mut fixed).ok()?;
        let length = u32::from_le_bytes(fixed[8..12].try_into().ok()?);
        if &fixed[..8] != MAGIC || length > LONGEST_HEADER {
            return None;
        }
        let mut body = vec![0; length as usize];
        file.read_exact(&mut body).ok()?;
        if blake3::hash(&body).as_bytes() != &fixed[12..44] {
            return None;
        }
        let header: Header<About> = postcard::from_bytes(&body).ok()?;
        let start = 44 + u64::from(length);
        // A blob that is cut off is cheaper to see now than when it is needed.
        let end = header.blobs.iter().try_fold(start, |end, blob| end.checked_add(blob.length))?;
        let is_whole = file.metadata().is_ok_and(|metadata| metadata.len() == end);
        (&header.key == key && is_whole).then(|| Self {
            about: header.about,
            path: path.to_path_buf(),
            start,
            blobs: header.blobs,
        })
    }
}
