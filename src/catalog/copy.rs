//! Copies of what was read from a server, to build from when it cannot be reached.
//!
//! In: the documents of a reading, as they came. Out: a folder of BSON files as mongodump writes them, which is read like
//! any other. A copy is there as a whole or not at all: it is written among the working files of its job and moved into
//! place once everything has been read. What the server was not asked for, such as confidential fields, is not in it. Of
//! each question to a server the newest copy is kept, and of all questions the latest few.

use super::document::RawDocument;
use crate::config::{CatalogUri, StoreConfiguration};
use crate::site::durable::{make_private_folder, replace_file};
use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

/// Version of the layout; copies of another are not used.
const VERSION: u32 = 1;

/// Copies that are kept in one folder.
const MOST_COPIES: usize = 8;

/// What is kept about a copy; written last.
const ABOUT: &str = "about.json";

/// A folder of copies.
#[derive(Clone, Debug)]
pub struct Copies {
    folder: PathBuf,
}

/// A whole copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Folder that can be read as a catalogue.
    pub folder: PathBuf,
    /// When the reading ended.
    pub taken_at: OffsetDateTime,
}

#[derive(Serialize, Deserialize)]
struct About {
    version: u32,
    /// Without password.
    source: String,
    #[serde(with = "time::serde::rfc3339")]
    taken_at: OffsetDateTime,
}

impl Copies {
    /// The copies in a folder. Touches nothing.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// The newest copy of what a store asks its server for; `None` where there is none, or its catalogue is no server's.
    pub fn newest(&self, config: &StoreConfiguration) -> Option<Copy> {
        let question = question(config)?;
        let copies = self.all().into_iter().filter(|(name, _)| name.starts_with(&question));
        copies.map(|(_, copy)| copy).max_by_key(|copy| copy.taken_at)
    }

    /// The copy that a run kept under its name, if it is still there and answers what a store asks now.
    pub fn of(&self, config: &StoreConfiguration, name: &str) -> Option<Copy> {
        let wanted = format!("{}-{name}", question(config)?);
        self.all().into_iter().find(|(folder, _)| *folder == wanted).map(|(_, copy)| copy)
    }

    /// Folders of copies that were taken before a moment, and what killed runs left there, in the order of their names.
    pub fn taken_before(&self, moment: OffsetDateTime) -> Vec<PathBuf> {
        let whole: BTreeMap<PathBuf, OffsetDateTime> =
            self.all().into_iter().map(|(_, copy)| (copy.folder, copy.taken_at)).collect();
        let is_older = |path: &PathBuf| {
            let changed = || fs::metadata(path).and_then(|metadata| metadata.modified()).ok().map(OffsetDateTime::from);
            whole.get(path).copied().or_else(changed).is_some_and(|taken_at| taken_at < moment)
        };
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir() && is_older(path)).collect();
        folders.sort();
        folders
    }

    /// Every whole copy, with the name of its folder.
    fn all(&self) -> Vec<(String, Copy)> {
        let read = |entry: fs::DirEntry| {
            let folder = entry.path();
            let about: About = serde_json::from_slice(&fs::read(folder.join(ABOUT)).ok()?).ok()?;
            let name = entry.file_name().into_string().ok()?;
            (about.version == VERSION).then_some((name, Copy { folder, taken_at: about.taken_at }))
        };
        fs::read_dir(&self.folder).into_iter().flatten().flatten().filter_map(read).collect()
    }

    /// Begins a copy among the working files of a job; `None` where the catalogue is no server's.
    ///
    /// # Errors
    /// When `work_dir` cannot be written to.
    pub fn begin(&self, config: &StoreConfiguration, work_dir: &Path) -> anyhow::Result<Option<CopyWriter>> {
        let Some(question) = question(config) else { return Ok(None) };
        let folder = work_dir.join("copy");
        make_private_folder(&folder)?;
        let writing = Writing { folder, files: BTreeMap::new(), trouble: None };
        let source = config.catalog.uri.display_safe();
        let writer = CopyWriter { copies: self.clone(), question, source, writing: Arc::new(Mutex::new(writing)) };
        Ok(Some(writer))
    }

    /// Removes copies of the same question but the newest, and the oldest where there are too many.
    fn thin_out(&self) {
        let mut copies = self.all();
        copies.sort_by_key(|(_, copy)| std::cmp::Reverse(copy.taken_at));
        let mut seen: Vec<String> = Vec::new();
        for (name, copy) in copies {
            let question = name.split('-').next().unwrap_or_default().to_string();
            if seen.len() >= MOST_COPIES || seen.contains(&question) {
                // What cannot be removed now is removed after the next run.
                let _ = fs::remove_dir_all(&copy.folder);
            } else {
                seen.push(question);
            }
        }
    }
}

/// What a store asks its server for, as a short name: another answer is no use to it.
fn question(config: &StoreConfiguration) -> Option<String> {
    let CatalogUri::MongoDb(_) = &config.catalog.uri else { return None };
    let catalog = &config.catalog;
    let hosts = catalog.uri.hosts().unwrap_or_default();
    let asked = format!(
        "{hosts}\n{}\n{:?}\n{:?}\n{:?}\n{:?}",
        catalog.database, catalog.collections, catalog.mapping, catalog.locales, config.product_filters
    );
    Some(blake3::hash(asked.as_bytes()).to_hex()[..16].to_string())
}

/// Takes documents, from any thread. Trouble with the disk is told at the end and does not keep anything from being read.
#[derive(Clone)]
pub struct CopyWriter {
    copies: Copies,
    question: String,
    source: String,
    writing: Arc<Mutex<Writing>>,
}

struct Writing {
    folder: PathBuf,
    files: BTreeMap<String, GzEncoder<BufWriter<File>>>,
    trouble: Option<io::Error>,
}

impl CopyWriter {
    /// Says that a collection is there, though it may have no documents.
    pub(super) fn begin(&self, collection: &str) {
        self.write(collection, &[]);
    }

    /// Adds a document of a collection.
    pub(super) fn add(&self, collection: &str, document: &RawDocument) {
        if let Some(bytes) = document.as_bson() {
            self.write(collection, bytes);
        }
    }

    fn write(&self, collection: &str, bytes: &[u8]) {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if writing.trouble.is_none()
            && let Err(error) = writing.add(collection, bytes)
        {
            writing.trouble = Some(error);
        }
    }

    /// Takes back what was added so far, for a reading that begins anew.
    ///
    /// # Errors
    /// When the files cannot be removed.
    pub fn begin_anew(&self) -> anyhow::Result<()> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.files.clear();
        fs::remove_dir_all(&writing.folder)
            .and_then(|()| fs::create_dir(&writing.folder))
            .with_context(|| format!("cannot empty `{}`", writing.folder.display()))
    }

    /// Puts the copy in its place, once everything has been read.
    ///
    /// # Errors
    /// When it could not be written as a whole; the copy of before stays.
    pub fn finish(self, name: &str, taken_at: OffsetDateTime) -> anyhow::Result<()> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let target = self.copies.folder.join(format!("{}-{name}", self.question));
        let failed = || format!("cannot keep a copy of the catalogue in `{}`", target.display());
        if let Some(error) = writing.trouble.take() {
            return Err(error).with_context(failed);
        }
        for file in std::mem::take(&mut writing.files).into_values() {
            let file = file.finish().and_then(|file| file.into_inner().map_err(io::IntoInnerError::into_error));
            file.and_then(|file| file.sync_all()).with_context(failed)?;
        }
        let about = About { version: VERSION, source: self.source.clone(), taken_at };
        replace_file(&writing.folder.join(ABOUT), &serde_json::to_vec(&about)?)?;
        make_private_folder(&self.copies.folder)?;
        fs::rename(&writing.folder, &target).with_context(failed)?;
        self.copies.thin_out();
        Ok(())
    }
}

impl Writing {
    fn add(&mut self, collection: &str, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = self.files.get_mut(collection) {
            return file.write_all(bytes);
        }
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(self.folder.join(format!("{collection}.bson.gz")))?;
        let mut file = GzEncoder::new(BufWriter::new(file), Compression::fast());
        file.write_all(bytes)?;
        self.files.insert(collection.to_string(), file);
        Ok(())
    }
}
