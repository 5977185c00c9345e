//! `storegen-manifest.json`: every file that a run wrote, with its hash and size.
//!
//! In: paths and bytes. Out: sorted entries. The manifest says which files are storegen's own to replace and remove,
//! which have changed, and (to a deployment) what to send. It holds no times, so equal stores have equal manifests.

use anyhow::{Context as _, bail};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Name of the manifest in the output folder.
pub const MANIFEST: &str = "storegen-manifest.json";

/// Version of the manifest's format.
const VERSION: u32 = 1;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// BLAKE3 of its bytes.
    #[serde(rename = "blake3", serialize_with = "write_hash", deserialize_with = "read_hash")]
    pub hash: [u8; 32],
    /// Its size in bytes.
    pub size: u64,
}

impl Fingerprint {
    /// The fingerprint of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { hash: *blake3::hash(bytes).as_bytes(), size: bytes.len() as u64 }
    }
}

fn write_hash<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(blake3::Hash::from_bytes(*hash).to_hex().as_str())
}

fn read_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    hash_of(&text).ok_or_else(|| serde::de::Error::custom("a hash has 64 hexadecimal digits in small letters"))
}

/// Reads 64 hexadecimal digits.
fn hash_of(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let length = HEXLOWER.decode_len(text.len()).ok()?;
    (length == hash.len() && HEXLOWER.decode_mut(text.as_bytes(), &mut hash).is_ok()).then_some(hash)
}

/// Every file of a published store except the manifest itself, sorted by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    files: Vec<(Arc<str>, Fingerprint)>,
}

/// How a file differs between two manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'m> {
    /// The newer one alone has it.
    Added(&'m str),
    /// It has other contents.
    Changed(&'m str),
    /// The older one alone has it.
    Removed(&'m str),
}

/// What stands between a path and the hash in a line of the file.
const HASH: &str = "\": {\"blake3\": \"";
/// What stands between the hash and the size.
const SIZE: &str = "\", \"size\": ";
/// The end of the file.
const TAIL: &str = "\n}\n}\n";

/// The beginning of the file.
fn head() -> String {
    format!("{{\n\"generator\": \"storegen\",\n\"version\": {VERSION},\n\"files\": {{")
}

#[derive(Deserialize)]
struct Written {
    version: u32,
    files: BTreeMap<Arc<str>, Fingerprint>,
}

impl Manifest {
    /// A manifest of files in any order.
    pub fn new(mut files: Vec<(Arc<str>, Fingerprint)>) -> Self {
        files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Self { files }
    }

    /// Reads the manifest of an output folder; `None` when the folder has none.
    ///
    /// # Errors
    /// When it is there and cannot be read or understood.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        match std::fs::read(&path) {
            Ok(bytes) => Self::parse(&bytes).map(Some).with_context(|| format!("cannot read `{}`", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }

    /// Reads the bytes that [`Manifest::to_bytes`] makes.
    ///
    /// # Errors
    /// When they are something else, were made by a later version, or name a path that no run could have written.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        if let Some(own) = Self::parse_lines(bytes) {
            return Ok(own);
        }
        let written: Written = serde_json::from_slice(bytes).context("it is not a manifest of storegen")?;
        if written.version > VERSION {
            bail!("it was written by a later version of storegen");
        }
        // The paths decide what is removed, so a doctored manifest must not reach outside the folder.
        written.files.keys().try_for_each(|path| super::check_path(path))?;
        Ok(Self { files: written.files.into_iter().collect() })
    }

    /// Reads exactly what [`Manifest::to_bytes`] makes, many times as fast as JSON is read; `None` for anything else.
    fn parse_lines(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.strip_prefix(&head())?.strip_suffix(TAIL)?;
        let mut files: Vec<(Arc<str>, Fingerprint)> = Vec::with_capacity(text.len() / 120);
        let mut lines = text.strip_prefix('\n').map(|text| text.split('\n')).into_iter().flatten().peekable();
        while let Some(line) = lines.next() {
            let line = if lines.peek().is_some() { line.strip_suffix(',')? } else { line };
            let (line, size) = line.strip_suffix('}')?.rsplit_once(SIZE)?;
            let (line, hash) = line.split_at_checked(line.len().checked_sub(2 * blake3::OUT_LEN)?)?;
            let path = line.strip_suffix(HASH)?.strip_prefix('"')?;
            let is_in_order = files.last().is_none_or(|(last, _)| **last < *path);
            if !is_in_order || path.contains(['"', '\\']) || super::check_path(path).is_err() {
                return None;
            }
            files.push((path.into(), Fingerprint { hash: hash_of(hash)?, size: size.parse().ok()? }));
        }
        Some(Self { files })
    }

    /// The manifest as a file: JSON with one entry a line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(self.files.len() * 150 + 100);
        text.push_str(&head());
        for (position, (path, fingerprint)) in self.files.iter().enumerate() {
            let hash = blake3::Hash::from_bytes(fingerprint.hash).to_hex();
            // Checked paths have neither quotes, backslashes nor control characters: nothing to escape.
            for part in [if position == 0 { "\n\"" } else { ",\n\"" }, path, HASH, hash.as_str(), SIZE] {
                text.push_str(part);
            }
            let _ = write!(text, "{}}}", fingerprint.size);
        }
        text.push_str(TAIL);
        text.into_bytes()
    }

    /// The fingerprint of a file.
    pub fn get(&self, path: &str) -> Option<&Fingerprint> {
        let position = self.files.binary_search_by(|(other, _)| (**other).cmp(path)).ok()?;
        self.files.get(position).map(|(_, fingerprint)| fingerprint)
    }

    /// Whether a file is in it.
    pub fn contains(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Whether a folder, written without a slash at its end, holds any of the files.
    pub fn has_folder(&self, folder: &str) -> bool {
        // `folder/` sorts before everything below it, but `folder-x` may sort between `folder` and `folder/`.
        let below = |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let start = self.files.partition_point(|(path, _)| {
            let (path, folder) = (path.as_bytes(), folder.as_bytes());
            path.iter().cmp(folder.iter().chain(b"/")).is_lt()
        });
        self.files.get(start).is_some_and(|(path, _)| below(path))
    }

    /// Every file with its fingerprint, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fingerprint)> {
        self.files.iter().map(|(path, fingerprint)| (&**path, fingerprint))
    }

    /// Where a newer manifest differs from this one, in the order of paths.
    pub fn changes<'m>(&'m self, newer: &'m Self) -> impl Iterator<Item = Change<'m>> {
        let (mut old, mut new) = (self.iter().peekable(), newer.iter().peekable());
        std::iter::from_fn(move || {
            loop {
                let order = match (old.peek(), new.peek()) {
                    (Some((was, _)), Some((is, _))) => was.cmp(is),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (None, None) => return None,
                };
                match order {
                    Ordering::Less => return old.next().map(|(path, _)| Change::Removed(path)),
                    Ordering::Greater => return new.next().map(|(path, _)| Change::Added(path)),
                    Ordering::Equal => {
                        let ((path, was), (_, is)) = (old.next()?, new.next()?);
                        if was != is {
                            return Some(Change::Changed(path));
                        }
                    }
                }
            }
        })
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Size of all files together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, fingerprint)| fingerprint.size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(paths: &[&str]) -> Manifest {
        Manifest::new(paths.iter().map(|path| ((*path).into(), Fingerprint::of(path.as_bytes()))).collect())
    }

    #[test]
    fn it_reads_what_it_writes_in_any_order() {
        let one = manifest(&["b/x.html", "a.html", "ü/é.html"]);
        assert_eq!(one.to_bytes(), manifest(&["ü/é.html", "a.html", "b/x.html"]).to_bytes());
        assert_eq!(Manifest::parse(&one.to_bytes()).unwrap(), one);
        assert_eq!(Manifest::parse(&Manifest::default().to_bytes()).unwrap(), Manifest::default());
        // Any other way to write the same is as good.
        let spaced = String::from_utf8(one.to_bytes()).unwrap().replace(", ", " ,\n ");
        assert!(Manifest::parse_lines(&one.to_bytes()).is_some() && Manifest::parse_lines(spaced.as_bytes()).is_none());
        assert_eq!(Manifest::parse(spaced.as_bytes()).unwrap(), one);
    }

    #[test]
    fn changes_are_told_in_order() {
        let old = manifest(&["a", "b", "d", "e"]);
        let mut files: Vec<_> = manifest(&["a", "c", "d", "f"]).files;
        files[2].1.size += 1;
        let new = Manifest { files };
        let told: Vec<_> = old.changes(&new).collect();
        let expected =
            [Change::Removed("b"), Change::Added("c"), Change::Changed("d"), Change::Removed("e"), Change::Added("f")];
        assert_eq!(told, expected);
        assert_eq!(old.changes(&old).count(), 0);
    }

    #[test]
    fn a_doctored_manifest_cannot_reach_outside() {
        let text = String::from_utf8(manifest(&["a/b"]).to_bytes()).unwrap().replace("a/b", "../b");
        assert!(Manifest::parse(text.as_bytes()).is_err());
        assert!(Manifest::parse(br#"{"version": 2, "files": {}}"#).is_err());
        assert!(Manifest::parse(b"{}").is_err());
    }

    #[test]
    fn folders_are_found_between_similar_names() {
        let manifest = manifest(&["a-b/x", "a/x", "a.html", "b"]);
        assert!(manifest.has_folder("a"));
        assert!(manifest.has_folder("a-b"));
        assert!(!manifest.has_folder("b"));
        assert!(!manifest.has_folder("a/x"));
        assert!(!manifest.has_folder("c"));
    }
}
