//! `.storegen/reports/<job>.jsonl`: every finding of a run, one JSON object a line.
//!
//! In: findings, from many threads, in any order. Out: the file, made with the first finding, private like the state.

use super::file::open_private;
use crate::event::Finding;
use crate::site::durable::make_private_folder;
use anyhow::Context as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
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
