//! `.storegen/reports/<job>.jsonl`: every finding of a run, one JSON object a line.
//!
//! In: findings, from many threads, in any order. Out: the file, made with the first finding, private like the state; and
//! later, from the file, what kinds of findings there were.

use super::file::open_private;
use crate::event::{Finding, Outcome};
use crate::site::durable::make_private_folder;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// A report that is being written.
pub(super) struct Report {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Report {
    /// A report with nothing in it; makes no file yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Adds a finding.
    pub(super) fn add(&mut self, finding: &Finding) -> anyhow::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(create(&self.path)?),
        };
        let written = serde_json::to_writer(&mut *file, finding).map_err(std::io::Error::from);
        written.and_then(|()| file.write_all(b"\n")).with_context(|| self.failed())
    }

    /// Takes back what was added so far.
    pub(super) fn empty(&mut self) -> anyhow::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        drop(file.into_parts());
        std::fs::remove_file(&self.path).with_context(|| self.failed())
    }

    /// Hands everything so far to the system.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        let flushed = self.file.as_mut().map_or(Ok(()), BufWriter::flush);
        flushed.with_context(|| self.failed())
    }

    /// The file, if there is anything in it.
    pub(super) fn path(&self) -> Option<&Path> {
        self.file.is_some().then_some(&self.path)
    }

    fn failed(&self) -> String {
        format!("cannot write the report `{}`", self.path.display())
    }
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    path.parent().map_or(Ok(()), make_private_folder)?;
    let file = open_private(path).with_context(|| format!("cannot make the report `{}`", path.display()))?;
    Ok(BufWriter::new(file))
}

/// Findings with the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What became of the documents.
    pub outcome: Outcome,
    /// Key of the reason, such as `missing_price`.
    pub reason: String,
    /// How many there are.
    pub count: u64,
    /// The first few of them, by collection and document.
    pub examples: Vec<Finding>,
}

/// Reads a report: every reason, most frequent first, each with some examples. A line that is damaged, as the last one of
/// a run that was killed may be, is left out; a report that is not there has no reasons.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn reasons(path: &Path, examples: usize) -> anyhow::Result<Vec<Reason>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read the report `{}`", path.display())),
    };
    let mut found: BTreeMap<(Outcome, String), Reason> = BTreeMap::new();
    for line in BufReader::new(file).split(b'\n') {
        let line = line.with_context(|| format!("cannot read the report `{}`", path.display()))?;
        let Ok(finding) = serde_json::from_slice::<Finding>(&line) else { continue };
        let key = (finding.outcome, finding.reason.clone());
        let reason = found.entry(key).or_insert_with_key(|(outcome, reason)| Reason {
            outcome: *outcome,
            reason: reason.clone(),
            count: 0,
            examples: Vec::new(),
        });
        reason.count += 1;
        // Findings come in the order of threads; the smallest are the same every time.
        let place = |finding: &Finding| (finding.collection.clone(), finding.document.clone());
        let at = reason.examples.partition_point(|example| place(example) <= place(&finding));
        reason.examples.insert(at, finding);
        reason.examples.truncate(examples);
    }
    let mut reasons: Vec<Reason> = found.into_values().collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    Ok(reasons)
}
