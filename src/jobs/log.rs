//! `.storegen/logs/<job>.jsonl`: what happened in a job, one JSON object a line, in the order it happened.
//!
//! In: the events of a run. Out: the file, private like the state, without secrets: passwords in addresses, tokens and
//! the like are `***`. A log that grows too long begins anew, with the part before it kept as `<job>.1.jsonl`, so that
//! one job never takes more than twice the limit. Readers get the lines of both, oldest first.

use super::file::{JobStore, open_private};
use super::record::JobId;
use crate::config::redact;
use crate::event::{Event, Finding, Outcome, Phase};
use crate::site::durable::make_private_folder;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Bytes after which a log begins anew.
const LONGEST: u64 = 4 << 20;

/// How much an entry matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every document that was mended or left out on purpose.
    Debug,
    /// What the run did.
    Info,
    /// What a person should look at: documents that cannot be sold, fallbacks that were taken.
    Warn,
    /// Why the job failed.
    Error,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// How much it matters.
    pub level: Level,
    /// Stable key of what happened, such as `phase_finished`.
    pub event: String,
    /// What happened, for people.
    pub message: String,
    /// Its parts, for programs.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl Entry {
    /// An entry; `fields` has to be an object. Secrets are taken out of the message and of texts among the fields.
    pub(super) fn new(time: OffsetDateTime, level: Level, event: &str, message: &str, fields: Value) -> Self {
        let Value::Object(mut fields) = fields else { return Self::new(time, level, event, message, json!({})) };
        for field in fields.values_mut() {
            if let Value::String(text) = field {
                *text = redact(text);
            }
        }
        Self { time, level, event: event.into(), message: redact(message), fields }
    }

    /// What an event says; `None` for those that come too often to be kept.
    pub(super) fn of(event: &Event, time: OffsetDateTime, seconds: impl FnOnce(Phase) -> f64) -> Option<Self> {
        let entry = |level, key, message: &str, fields| Some(Self::new(time, level, key, message, fields));
        match event {
            Event::Started { phase, total } => {
                let message = match total {
                    Some(total) => format!("{} begins, {total} steps", phase.key()),
                    None => format!("{} begins", phase.key()),
                };
                entry(Level::Info, "phase_started", &message, json!({"phase": phase, "total": total}))
            }
            Event::Finished { phase, steps } => {
                let seconds = seconds(*phase);
                let message = format!("{} done, {steps} steps in {seconds} s", phase.key());
                let fields = json!({"phase": phase, "steps": steps, "seconds": seconds});
                entry(Level::Info, "phase_finished", &message, fields)
            }
            Event::Found(finding) => {
                let (level, key) = match finding.outcome {
                    Outcome::Skipped => (Level::Warn, "document_skipped"),
                    Outcome::Excluded => (Level::Debug, "document_excluded"),
                    Outcome::Repaired => (Level::Debug, "document_repaired"),
                };
                let Finding { reason, collection, document, field, detail, .. } = finding;
                let message = format!("{collection} {document}: {detail}");
                let fields = json!({"reason": reason, "collection": collection, "document": document, "field": field});
                entry(level, key, &message, fields)
            }
            Event::Note(text) => entry(Level::Warn, "note", text, json!({})),
            Event::Offline { taken_at, why } => {
                let message = format!("reading the copy of {taken_at}: {why}");
                entry(Level::Warn, "offline", &message, json!({}))
            }
            Event::CacheUsed { shelf, uses } => {
                entry(Level::Info, "cache_used", "the cache was used", json!({"shelf": shelf, "uses": uses}))
            }
            Event::Advanced { .. } | Event::Queued { .. } | Event::Anew => None,
        }
    }
}

/// A log that is being written.
pub(super) struct JobLog {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
}

impl JobLog {
    /// Begins a log.
    pub(super) fn begin(path: PathBuf) -> anyhow::Result<Self> {
        path.parent().map_or(Ok(()), make_private_folder)?;
        let file = open_private(&path).with_context(|| format!("cannot make the log `{}`", path.display()))?;
        Ok(Self { file: BufWriter::new(file), length: 0, path })
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if self.length + line.len() as u64 > LONGEST {
            self.file.flush()?;
            fs::rename(&self.path, before(&self.path))?;
            self.file = BufWriter::new(open_private(&self.path)?);
            self.length = 0;
        }
        self.length += line.len() as u64;
        self.file.write_all(&line)
    }

    /// Hands everything so far to the system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Where the part of a log is that came before.
fn before(path: &Path) -> PathBuf {
    path.with_extension("1.jsonl")
}

/// Reads a log, also while it is written.
pub struct LogReader {
    path: PathBuf,
    file: Option<File>,
    /// Bytes of a line whose end is not there yet.
    rest: Vec<u8>,
    is_first_look: bool,
}

impl JobStore {
    /// Where the log of a job is.
    pub fn log_path(&self, job_id: &JobId) -> PathBuf {
        self.folder().join("logs").join(format!("{job_id}.jsonl"))
    }

    /// Opens the log of a job; it may have none, or none yet.
    pub fn log(&self, job_id: &JobId) -> LogReader {
        LogReader { path: self.log_path(job_id), file: None, rest: Vec::new(), is_first_look: true }
    }
}

impl LogReader {
    /// Whether there is a log.
    pub fn exists(&self) -> bool {
        self.path.exists() || before(&self.path).exists()
    }

    /// The lines that have come since the last look, each with what it says; a damaged line is left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_lines(&mut self) -> anyhow::Result<Vec<(String, Entry)>> {
        let mut lines = Vec::new();
        let mut read = || -> io::Result<()> {
            if std::mem::take(&mut self.is_first_look)
                && let Ok(mut file) = File::open(before(&self.path))
            {
                take_lines(&mut file, &mut Vec::new(), &mut lines)?;
            }
            loop {
                if let Some(file) = &mut self.file {
                    take_lines(file, &mut self.rest, &mut lines)?;
                }
                // A log that began anew is another file by the same name.
                let newest = match File::open(&self.path) {
                    Ok(newest) => newest,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                    Err(error) => return Err(error),
                };
                if self.file.as_ref().is_some_and(|file| is_same(file, &newest)) {
                    return Ok(());
                }
                self.rest.clear();
                self.file = Some(newest);
            }
        };
        read().with_context(|| format!("cannot read the log `{}`", self.path.display()))?;
        Ok(lines)
    }
}

fn take_lines(file: &mut File, rest: &mut Vec<u8>, lines: &mut Vec<(String, Entry)>) -> io::Result<()> {
    file.read_to_end(rest)?;
    let whole = rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    for line in rest.drain(..whole).as_slice().split(|&byte| byte == b'\n') {
        if let (Ok(entry), Ok(text)) = (serde_json::from_slice(line), std::str::from_utf8(line)) {
            lines.push((text.to_string(), entry));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_same(one: &File, other: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |file: &File| file.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    identity(one) == identity(other)
}

#[cfg(not(unix))]
fn is_same(one: &File, other: &File) -> bool {
    // A log only grows, so one that is shorter is another one.
    let length = |file: &File| file.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    length(other) >= length(one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    fn entry(number: usize, text: &str) -> Entry {
        Entry::new(NOW, Level::Info, "note", text, json!({"number": number, "uri": "mongodb://ada:s3cret@h/"}))
    }

    #[test]
    fn lines_are_read_while_they_are_written_and_the_file_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = JobStore::at(&folder.path().join(".storegen/state.json"));
        let job_id = JobId::random();
        let mut reader = store.log(&job_id);
        assert!(!reader.exists() && reader.next_lines().unwrap().is_empty());
        let mut log = JobLog::begin(store.log_path(&job_id)).unwrap();
        let filler = "x".repeat(1 << 16);
        let mut seen = Vec::new();
        for number in 0..150 {
            log.add(&entry(number, &filler)).unwrap();
            if number % 7 == 0 {
                log.flush().unwrap();
                seen.extend(reader.next_lines().unwrap());
            }
        }
        log.flush().unwrap();
        seen.extend(reader.next_lines().unwrap());
        let numbers: Vec<u64> = seen.iter().map(|(_, entry)| entry.fields["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..150).collect::<Vec<_>>());
        let path = store.log_path(&job_id);
        let size = |path: &Path| path.metadata().unwrap().len();
        assert!(size(&path) <= LONGEST && size(&before(&path)) <= LONGEST);
        // Whoever comes late sees the end of it, in order.
        let late: Vec<u64> = store
            .log(&job_id)
            .next_lines()
            .unwrap()
            .iter()
            .map(|(_, entry)| entry.fields["number"].as_u64().unwrap())
            .collect();
        assert!(late.len() >= 60 && late.is_sorted() && late.last() == Some(&149), "{late:?}");
    }

    #[test]
    fn no_secret_gets_into_a_log() {
        let message = "reading mongodb://ada:s3cret@h/ with Authorization: Bearer abcdef123456";
        let written = serde_json::to_string(&entry(1, message)).unwrap();
        assert!(!written.contains("s3cret") && !written.contains("abcdef"), "{written}");
        assert!(written.contains("mongodb://ada:***@h/"), "{written}");
    }
}
