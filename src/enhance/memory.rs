//! What was made of each document in the last run, so that one that has not changed need not be made again.
//!
//! Two private files a store: an append-only one with full products and drafts of records, and an index of it that is
//! replaced as a whole at the end of a reading. Beside them stands up to which moment a server had told of its changes
//! when the index was made. A document is known by a hash of its bytes. In: a basis, which is a hash
//! of everything else that products depend on; with another basis nothing is remembered. Damage is told by hashes, and
//! then nothing is remembered either: all of this may be lost at any time. Only one process at a time uses it.

use super::EnhancedCatalog;
use super::patch::{Patchable, Ties};
use super::snapshot::{Location, SnapshotWriter};
use crate::assets::media::{Media, Trace};
use crate::catalog::vocabulary::{Term, Vocabulary};
use crate::event::Finding;
use crate::site::Digest;
use crate::site::durable::{
    Stamp, make_private_folder, private, read_exact_at, read_sealed, write_sealed, write_sealed_by,
};
use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Raised whenever anything that is remembered changes its form.
const KIND: &str = "catalogue 11";

/// The same for the moment.
const MOMENT: &str = "moment 1";

/// Bytes of the products' file that need not be there, at which it is begun anew if they are most of it.
const MUCH_WASTE: u64 = 64 << 20;

/// What is remembered of a catalogue.
pub struct Memory {
    index_path: PathBuf,
    file: File,
    basis: Digest,
    pub(super) last: Index,
    by_document: HashMap<Digest, u32>,
    moment_path: PathBuf,
    moment: Option<Vec<u8>>,
    is_own: bool,
    /// The catalogue that the last reading came to, where it is still there.
    pub(super) patchable: Option<Patchable>,
}

/// What is to be remembered of a reading. Writing it can wait until shoppers see what was made of it.
pub struct Unwritten {
    pub(super) memory: Memory,
    pub(super) index: Index,
    /// Bytes of the products' file that belong to the index.
    pub(super) length: u64,
    pub(super) moment: Option<Vec<u8>>,
    pub(super) ties: Option<Ties>,
    pub(super) patchable: Option<Patchable>,
}

impl Unwritten {
    /// Keeps the catalogue that the reading came to, as it was then, so that the next one need not be made from scratch.
    pub fn keep(&mut self, catalog: EnhancedCatalog) {
        self.patchable = self.ties.take().map(|ties| Patchable::new(catalog, ties));
    }

    /// Remembers it, in place of the last reading.
    pub fn write(self) -> Option<Written> {
        let written = self.memory.replace(self.index, self.length, self.moment.as_deref())?;
        Some(Written { patchable: self.patchable, ..written })
    }
}

/// An index that this process has written, to be used again while its file is the same.
pub struct Written {
    stamp: Stamp,
    index: Index,
    patchable: Option<Patchable>,
}

/// The index of the products' file.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) basis: Digest,
    /// Bytes of the products' file that belong to this index.
    pub(super) length: u64,
    pub(super) documents: Vec<Remembered>,
    /// Every spelling by its preliminary id.
    pub(super) terms: Vec<(Vocabulary, Term)>,
    pub(super) brands: Vec<(Vocabulary, Term)>,
    /// Pictures in the folder of pictures.
    pub(super) pictures: Vec<(Box<str>, Trace)>,
    pub(super) standing: Standing,
    /// What was noteworthy about brands, categories and rules.
    pub(super) about_references: Vec<Finding>,
    /// What was noteworthy about products beside each other.
    pub(super) about_the_whole: Vec<Finding>,
}

/// Which state of the catalogue was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Hash of all documents in their order; `None` where one of them could not be hashed.
    pub documents: Option<Digest>,
    /// Hash of what products are completed with.
    pub references: Digest,
    /// What showed, without reading, which state it was.
    pub witness: Option<Digest>,
    /// Documents read.
    pub count: u64,
}

/// What became of one document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) hash: Digest,
    /// Hash of its collection and id, where a server may tell that it was changed.
    pub(super) key: Option<Digest>,
    /// Its draft; `None` where it is not in the store.
    pub(super) draft: Option<Blob>,
    /// There is nothing of that kind about most documents.
    pub(super) noted: Option<Box<Noted>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Noted {
    findings: Vec<Finding>,
    /// Places in [`Index::pictures`].
    pictures: Box<[u32]>,
}

impl Remembered {
    /// A document that nothing has been made of so far.
    pub(super) fn new(hash: Digest, key: Option<Digest>, findings: &[Finding], pictures: Box<[u32]>) -> Self {
        let is_any = !findings.is_empty() || !pictures.is_empty();
        let noted = is_any.then(|| Box::new(Noted { findings: findings.to_vec(), pictures }));
        Self { hash, key, draft: None, noted }
    }

    /// What was noteworthy about it.
    pub(super) fn findings(&self) -> &[Finding] {
        self.noted.as_ref().map_or(&[], |noted| &noted.findings)
    }

    /// Its pictures, as places in [`Index::pictures`].
    pub(super) fn pictures(&self) -> &[u32] {
        self.noted.as_ref().map_or(&[], |noted| &noted.pictures)
    }
}

/// A part of the products' file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Blob {
    pub(super) location: Location,
    /// The beginning of its hash.
    check: u32,
}

impl Blob {
    pub(super) fn new(location: Location, bytes: &[u8]) -> Self {
        Self { location, check: check_of(bytes) }
    }

    /// What is in its bytes.
    pub(super) fn unpack<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, Damaged> {
        if check_of(bytes) != self.check {
            return Err(Damaged);
        }
        postcard::from_bytes(bytes).map_err(|_| Damaged)
    }

    /// Where the bytes behind it begin.
    fn end(self) -> u64 {
        self.location.0 + u64::from(self.location.1)
    }
}

fn check_of(bytes: &[u8]) -> u32 {
    let hash = blake3::hash(bytes);
    u32::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

impl Memory {
    /// Opens what is remembered under a name such as `3f9c` in `folder`, which is made if need be; `None` while another
    /// process uses it. With `forget` it begins empty; an index that this process has `written` is not read again.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn open(folder: &Path, name: &str, forget: bool, written: Option<Written>) -> Result<Option<Self>> {
        make_private_folder(folder)?;
        let path = folder.join(format!("{name}.products"));
        let opening = || format!("cannot open `{}`", path.display());
        let file = private().read(true).write(true).create(true).truncate(false).open(&path).with_context(opening)?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        let index_path = folder.join(format!("{name}.index"));
        let length = file.metadata().with_context(opening)?.len();
        let own = written.filter(|written| !forget && Stamp::of(&index_path) == Some(written.stamp));
        let is_own = own.is_some();
        let (written, patchable) = own.map(|own| (own.index, own.patchable)).unzip();
        let read = || -> Option<Index> {
            let index = match written {
                Some(index) => index,
                None => postcard::from_bytes(&read_sealed(&index_path, KIND)?).ok()?,
            };
            let drafts = index.documents.iter().filter_map(|document| document.draft);
            // A draft is about a tenth of its product.
            let live = drafts.map(|blob| u64::from(blob.location.1) * 11).sum::<u64>();
            (index.length <= length && index.length < live.saturating_mul(2) + MUCH_WASTE).then_some(index)
        };
        let last = if forget { None } else { read() }.unwrap_or_default();
        // What a run that did not come to its end has left.
        file.set_len(last.length).with_context(opening)?;
        let moment_path = folder.join(format!("{name}.moment"));
        let moment = || -> Option<Vec<u8>> {
            let (standing, moment): (Standing, Vec<u8>) =
                postcard::from_bytes(&read_sealed(&moment_path, MOMENT)?).ok()?;
            (standing == last.standing).then_some(moment)
        };
        let moment = if forget { None } else { moment() };
        let by_document = (0..).zip(&last.documents).map(|(place, document)| (document.hash, place)).collect();
        // The catalogue of an index that was put aside, as for want of room, is none of what is remembered.
        let patchable = patchable.flatten().filter(|_| !last.documents.is_empty());
        let basis = Digest::default();
        Ok(Some(Self { index_path, file, basis, last, by_document, moment_path, moment, is_own, patchable }))
    }

    /// Whether it is what this process has remembered itself.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// Up to when a server's changes are known.
    pub fn moment(&self) -> Option<&[u8]> {
        self.moment.as_deref()
    }

    /// The state of the catalogue that was read last, if products depended on the same `settings` then, no picture has
    /// changed since, and the witness is the same.
    pub fn unchanged(&self, settings: Digest, witness: Digest, media: &Media) -> Option<Standing> {
        let standing = self.last.standing;
        let same = self.last.basis == basis(settings, standing.references) && standing.witness == Some(witness);
        (same && self.changed_pictures(media).iter().all(|changed| !changed)).then_some(standing)
    }

    /// Everything that was noteworthy in the last reading.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let documents = self.last.documents.iter().flat_map(Remembered::findings);
        self.last.about_references.iter().chain(documents).chain(&self.last.about_the_whole)
    }

    /// Sets what products depend on besides their documents; forgets everything that was made on another basis.
    pub(super) fn rely_on(&mut self, settings: Digest, references: Digest) -> Result<()> {
        let basis = basis(settings, references);
        if self.last.basis != basis {
            self.patchable = None;
            self.last = Index::default();
            self.by_document = HashMap::new();
            self.file.set_len(0).context("cannot begin the products' file anew")?;
        }
        self.basis = basis;
        Ok(())
    }

    /// By place in [`Index::pictures`], whether the picture is another one than before.
    pub(super) fn changed_pictures(&self, media: &Media) -> Vec<bool> {
        self.last.pictures.iter().map(|(source, trace)| media.trace(source).as_ref() != Some(trace)).collect()
    }

    /// The place of a document in [`Index::documents`].
    pub(super) fn find(&self, hash: &Digest) -> Option<u32> {
        self.by_document.get(hash).copied()
    }

    /// Reads drafts back, each to be completed with its companion; those that lie side by side are read at once.
    pub(super) fn read_all<T, C>(
        &self,
        mut drafts: Vec<(Blob, C)>,
        complete: impl Fn(&mut T, C) + Sync,
    ) -> Result<impl Iterator<Item = T>, Damaged>
    where
        T: DeserializeOwned + Send,
        C: Copy + Send + Sync,
    {
        /// Drafts that one thread reads in a row: some hundred kilobytes.
        const MOST: usize = 512;
        drafts.sort_unstable_by_key(|(blob, _)| blob.location.0);
        let runs = drafts.chunk_by(|(one, _), (next, _)| one.end() == next.location.0);
        let runs: Vec<&[(Blob, C)]> = runs.flat_map(|run| run.chunks(MOST)).collect();
        let read = |run: &&[(Blob, C)]| -> Result<Vec<T>, Damaged> {
            let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else { return Ok(Vec::new()) };
            let start = first.location.0;
            let mut bytes = vec![0; usize::try_from(last.end() - start).map_err(|_| Damaged)?];
            read_exact_at(&self.file, &mut bytes, start).map_err(|_| Damaged)?;
            let draft = |(blob, companion): &(Blob, C)| {
                let (from, to) = ((blob.location.0 - start) as usize, (blob.end() - start) as usize);
                let mut draft = blob.unpack(bytes.get(from..to).ok_or(Damaged)?)?;
                complete(&mut draft, *companion);
                Ok(draft)
            };
            run.iter().map(draft).collect()
        };
        let read: Vec<Vec<T>> = runs.par_iter().map(read).collect::<Result<_, _>>()?;
        Ok(read.into_iter().flatten())
    }

    /// Takes note that the catalogue is as it was, whatever shows it now, and up to when that is known.
    pub(super) fn confirm(mut self, standing: Standing, moment: Option<&[u8]>) -> Option<Written> {
        let is_known = self.last.standing == standing;
        let index = Index { standing, ..std::mem::take(&mut self.last) };
        if is_known {
            self.keep_moment(standing, moment);
            return Some(Written { stamp: Stamp::of(&self.index_path)?, index, patchable: self.patchable });
        }
        let length = index.length;
        self.replace(index, length, moment)
    }

    /// Comes after the index: with an older moment what is known already is only told once more.
    fn keep_moment(&self, standing: Standing, moment: Option<&[u8]>) {
        if let Some(moment) = moment
            && let Ok(bytes) = postcard::to_stdvec(&(standing, moment))
        {
            let _ = write_sealed(&self.moment_path, MOMENT, &bytes);
        }
    }

    /// The products' file, to be appended to.
    pub(super) fn writer(&self) -> Result<SnapshotWriter> {
        let file = self.file.try_clone().context("cannot open the products' file again")?;
        Ok(SnapshotWriter::append_to(file, self.last.length))
    }

    /// Remembers this reading in place of the last. Where the disk refuses, the next run makes everything again, which is
    /// no reason to fail this one.
    fn replace(self, index: Index, length: u64, moment: Option<&[u8]>) -> Option<Written> {
        let index = Index { basis: self.basis, length, ..index };
        write_sealed_by(&self.index_path, KIND, |to| Ok(postcard::to_io(&index, to).map(drop)?)).ok()?;
        self.keep_moment(index.standing, moment);
        Some(Written { stamp: Stamp::of(&self.index_path)?, index, patchable: None })
    }
}

/// A hash of all that products depend on besides their documents and pictures.
fn basis(settings: Digest, references: Digest) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&settings).update(&references);
    super::collect::digest(&hasher)
}

/// What is remembered cannot be read back; everything has to be made again.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("what is remembered of the catalogue is damaged; generate again with `--full`")]
pub struct Damaged;
