//! `storegen-manifest.json`: every file that a run wrote, with its hash and size.
//!
//! In: paths and bytes. Out: sorted entries. The manifest says which files are storegen's own to replace and remove,
//! which have changed, and (to a deployment) what to send. It holds no times, so equal stores have equal manifests.

use super::paths::Paths;
use anyhow::{Context as _, bail};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
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

    /// The fingerprint of a file, which is never in memory as a whole.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn of_file(path: &Path) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        Ok(Self::of_hashed(&hasher))
    }

    /// The fingerprint of all bytes that were hashed.
    pub(super) fn of_hashed(hasher: &blake3::Hasher) -> Self {
        Self { hash: *hasher.finalize().as_bytes(), size: hasher.count() }
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
    /// Shared with other manifests of the same files.
    paths: Arc<Paths>,
    fingerprints: Arc<Vec<Fingerprint>>,
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
/// The last line, and the one before it.
const END: &str = "}\n";

/// The beginning of the file.
fn head() -> String {
    format!("{{\n\"generator\": \"storegen\",\n\"version\": {VERSION},\n\"files\": {{")
}

#[derive(Deserialize)]
struct Written {
    version: u32,
    files: BTreeMap<String, Fingerprint>,
}

impl Manifest {
    /// Reads the manifest of an output folder; `None` when the folder has none.
    ///
    /// # Errors
    /// When it is there and cannot be read or understood.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        let reading = || format!("cannot read `{}`", path.display());
        let own = match File::open(&path) {
            Ok(file) => Self::read_lines(BufReader::with_capacity(64 * 1024, file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(reading),
        };
        if own.is_some() {
            return Ok(own);
        }
        let bytes = std::fs::read(&path).with_context(reading)?;
        Self::parse(&bytes).map(Some).with_context(reading)
    }

    /// Reads the bytes that [`Manifest::write_to`] writes.
    ///
    /// # Errors
    /// When they are something else, were made by a later version, or name a path that no run could have written.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        if let Some(own) = Self::read_lines(bytes) {
            return Ok(own);
        }
        let written: Written = serde_json::from_slice(bytes).context("it is not a manifest of storegen")?;
        if written.version > VERSION {
            bail!("it was written by a later version of storegen");
        }
        // The paths decide what is removed, so a doctored manifest must not reach outside the folder.
        written.files.keys().try_for_each(|path| super::check_path(path))?;
        let mut manifest = Self::default();
        written.files.iter().for_each(|(path, fingerprint)| manifest.push(path, *fingerprint));
        Ok(manifest)
    }

    /// Reads exactly what [`Manifest::write_to`] writes, many times as fast as JSON is read and a line at a time; `None`
    /// for anything else.
    fn read_lines(mut from: impl BufRead) -> Option<Self> {
        let mut start = vec![0; head().len()];
        from.read_exact(&mut start).ok()?;
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        if start != head().as_bytes() || line != "\n" {
            return None;
        }
        let mut manifest = Self::default();
        let mut goes_on = true;
        loop {
            line.clear();
            from.read_line(&mut line).ok()?;
            if line == END {
                break;
            }
            if !std::mem::replace(&mut goes_on, line.ends_with(",\n")) {
                return None;
            }
            let text = line.strip_suffix('\n')?;
            let (text, size) = text.strip_suffix(',').unwrap_or(text).strip_suffix('}')?.rsplit_once(SIZE)?;
            let (text, hash) = text.split_at_checked(text.len().checked_sub(2 * blake3::OUT_LEN)?)?;
            let path = text.strip_suffix(HASH)?.strip_prefix('"')?;
            let is_in_order = manifest.paths.last().is_none_or(|last| last < path);
            if !is_in_order || path.contains(['"', '\\']) || super::check_path(path).is_err() {
                return None;
            }
            manifest.push(path, Fingerprint { hash: hash_of(hash)?, size: size.parse().ok()? });
        }
        line.clear();
        from.read_to_string(&mut line).ok()?;
        (line == END && goes_on == manifest.is_empty()).then_some(manifest)
    }

    /// Writes the manifest as a file: JSON with one entry a line.
    ///
    /// # Errors
    /// When `to` cannot be written to.
    pub fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(head().as_bytes())?;
        let mut before = "\n";
        for (path, fingerprint) in self.iter() {
            let hash = blake3::Hash::from_bytes(fingerprint.hash).to_hex();
            // Checked paths have neither quotes, backslashes nor control characters: nothing to escape.
            for part in [before, "\"", path, HASH, hash.as_str(), SIZE] {
                to.write_all(part.as_bytes())?;
            }
            write!(to, "{}}}", fingerprint.size)?;
            before = ",\n";
        }
        write!(to, "\n{END}{END}")
    }

    /// The fingerprint of a file.
    pub fn get(&self, path: &str) -> Option<&Fingerprint> {
        self.find(path).map(|place| &self.fingerprints[place])
    }

    /// Whether a file is in it.
    pub fn contains(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Whether a folder, written without a slash at its end, holds any of the files.
    pub fn has_folder(&self, folder: &str) -> bool {
        // `folder/` sorts before everything below it, but `folder-x` may sort between `folder` and `folder/`.
        let below = |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let start = self.paths.first_not(|path| {
            let (path, folder) = (path.as_bytes(), folder.as_bytes());
            path.iter().cmp(folder.iter().chain(b"/")).is_lt()
        });
        start < self.len() && below(self.path(start))
    }

    /// Every file with its fingerprint, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fingerprint)> + Clone {
        self.paths.iter().zip(self.fingerprints.iter())
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
        self.fingerprints.len()
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// Size of all files together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.fingerprints.iter().map(|fingerprint| fingerprint.size).sum()
    }

    /// The place of a path in the order of all.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.paths.find(path)
    }

    /// The path at a place that there is.
    pub(super) fn path(&self, place: usize) -> &str {
        self.paths.at(place)
    }

    /// The fingerprint at a place that there is.
    pub(super) fn fingerprint(&self, place: usize) -> Fingerprint {
        self.fingerprints[place]
    }

    /// Bytes of all paths together.
    pub(super) fn path_bytes(&self) -> usize {
        self.paths.bytes()
    }

    /// Makes room for so many more files, and bytes of their paths.
    pub(super) fn reserve(&mut self, files: usize, path_bytes: usize) {
        Arc::make_mut(&mut self.paths).reserve(files, path_bytes);
        Arc::make_mut(&mut self.fingerprints).reserve_exact(files);
    }

    /// Adds a file that comes after all others.
    pub(super) fn push(&mut self, path: &str, fingerprint: Fingerprint) {
        Arc::make_mut(&mut self.paths).push(path);
        Arc::make_mut(&mut self.fingerprints).push(fingerprint);
    }

    /// Gives the file at a place that there is another fingerprint.
    pub(super) fn replace(&mut self, place: usize, fingerprint: Fingerprint) {
        Arc::make_mut(&mut self.fingerprints)[place] = fingerprint;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(paths: &[&str]) -> Manifest {
        let mut paths = paths.to_vec();
        paths.sort_unstable();
        let mut manifest = Manifest::default();
        paths.iter().for_each(|path| manifest.push(path, Fingerprint::of(path.as_bytes())));
        manifest
    }

    fn text(manifest: &Manifest) -> String {
        let mut bytes = Vec::new();
        manifest.write_to(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn it_reads_what_it_writes_in_any_order() {
        let one = manifest(&["b/x.html", "a.html", "ü/é.html"]);
        let written = text(&one);
        assert_eq!(written, text(&manifest(&["ü/é.html", "a.html", "b/x.html"])));
        assert_eq!(Manifest::parse(written.as_bytes()).unwrap(), one);
        assert_eq!(Manifest::parse(text(&Manifest::default()).as_bytes()).unwrap(), Manifest::default());
        // Any other way to write the same is as good.
        let spaced = written.replace(", ", " ,\n ");
        assert!(Manifest::read_lines(written.as_bytes()).is_some());
        assert!(Manifest::read_lines(text(&Manifest::default()).as_bytes()).is_some());
        assert!(Manifest::read_lines(spaced.as_bytes()).is_none());
        assert_eq!(Manifest::parse(spaced.as_bytes()).unwrap(), one);
    }

    #[test]
    fn its_form_stays_as_it_is() {
        let hash = blake3::hash(b"a").to_hex();
        let lines = format!("\"a\": {{\"blake3\": \"{hash}\", \"size\": 1}}");
        let start = "{\n\"generator\": \"storegen\",\n\"version\": 1,\n\"files\": {\n";
        assert_eq!(text(&manifest(&["a"])), format!("{start}{lines}\n}}\n}}\n"));
        assert_eq!(text(&Manifest::default()), format!("{start}}}\n}}\n"));
    }

    #[test]
    fn a_part_of_a_manifest_is_none() {
        let written = text(&manifest(&["a", "b/c"]));
        for length in (0..written.len()).filter(|&length| length + 1 != written.len()) {
            assert!(Manifest::parse(&written.as_bytes()[..length]).is_err(), "cut to {length}");
        }
        for other in
            [written.replace(",\n\"b", "\n\"b"), written.replace("}\n}\n}", "},\n}\n}"), format!("{written}}}\n")]
        {
            assert!(Manifest::parse(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn changes_are_told_in_order() {
        let old = manifest(&["a", "b", "d", "e"]);
        let mut new = manifest(&["a", "c", "d", "f"]);
        new.replace(2, Fingerprint::of(b"other"));
        let told: Vec<_> = old.changes(&new).collect();
        let expected =
            [Change::Removed("b"), Change::Added("c"), Change::Changed("d"), Change::Removed("e"), Change::Added("f")];
        assert_eq!(told, expected);
        assert_eq!(old.changes(&old).count(), 0);
    }

    #[test]
    fn a_doctored_manifest_cannot_reach_outside() {
        let text = text(&manifest(&["a/b"])).replace("a/b", "../b");
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
