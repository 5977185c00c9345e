//! The one event type: all that work says to the outside.
//!
//! Rooms report to an [`Observer`]; the terminal, the job file and the tests listen. Nothing below `cli` prints.

use crate::assets::cache::{Shelf, Uses};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The parts of a run, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Connecting, brands, categories, rules.
    Connect,
    /// Reading, scoring and enhancing products.
    Products,
    /// Fetching pictures from servers; left out where there are none.
    Fetch,
    /// Making pictures ready.
    Images,
    /// Slugs, related products, the list of pages.
    Plan,
    /// Rendering and writing pages.
    Pages,
    /// Making pictures for link previews; left out where there are none.
    Cards,
    /// Exchanging the old store for the new one.
    Publish,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 8] =
        [Self::Connect, Self::Products, Self::Fetch, Self::Images, Self::Plan, Self::Pages, Self::Cards, Self::Publish];

    /// Lower-case key, as in the job record.
    pub fn key(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Products => "products",
            Self::Fetch => "fetch",
            Self::Images => "images",
            Self::Plan => "plan",
            Self::Pages => "pages",
            Self::Cards => "cards",
            Self::Publish => "publish",
        }
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The job waits until others have ended; told again whenever the number changes.
    Queued {
        /// Jobs that wait as well and come before it.
        before: usize,
    },
    /// A phase began; `total` is how many steps it has, when known.
    Started {
        /// Which.
        phase: Phase,
        /// Steps, such as products or pages.
        total: Option<u64>,
    },
    /// Some steps of the current phase are done. Reported in batches, not one by one.
    Advanced {
        /// Which.
        phase: Phase,
        /// Steps done since the last such event.
        steps: u64,
    },
    /// Something about the catalogue that a person should know.
    Found(Finding),
    /// The catalogue is read from a copy, from its beginning: the server cannot be reached, or an earlier run has read it.
    /// Whatever was found before this is found again.
    Offline {
        /// When the copy was taken.
        taken_at: OffsetDateTime,
        /// Why the server was not read.
        why: String,
    },
    /// The catalogue is read anew, from its beginning: what an earlier run has left is no help after all. Whatever was found
    /// before this is found again.
    Anew,
    /// Something about the run that a person should know, such as a fallback that was taken.
    Note(String),
    /// How often the cache of assets was of use; once a shelf at the end of the work that used it.
    CacheUsed {
        /// Which part of it.
        shelf: Shelf,
        /// How often.
        uses: Uses,
    },
    /// A phase ended.
    Finished {
        /// Which.
        phase: Phase,
        /// Steps it did.
        steps: u64,
    },
}

/// How a catalogue was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Reading {
    /// Not at all: its files have the sizes and times that they had.
    SameFiles,
    /// Every document, and compared with the last run's by a hash.
    Compared {
        /// Documents that are as they were.
        known: u64,
        /// New and changed documents.
        other: u64,
    },
    /// Only the documents that the server says were written to since the last run.
    Told {
        /// Documents that nobody has written to.
        known: u64,
        /// Those that were read.
        other: u64,
    },
    /// Not from its server: every document as another store of the same run had read it, compared as above.
    Shared {
        /// Documents that are as they were.
        known: u64,
        /// New and changed documents, or all where there was nothing to compare them with.
        other: u64,
    },
    /// Every document, with nothing to compare it with.
    Whole,
}

/// What became of a document with something wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Left out on purpose: not active, or outside the configured filters.
    Excluded,
    /// Left out because it cannot be sold as it is; `--strict` turns this into failure.
    Skipped,
    /// In the store, with the faulty part mended or left out.
    Repaired,
}

/// Something wrong or noteworthy in one document. A bad product is a finding, never an error of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What became of the document.
    pub outcome: Outcome,
    /// Short stable key to count by, such as `missing_price`.
    pub reason: String,
    /// Collection or file the document is in.
    pub collection: String,
    /// Canonical `_id`, or where the document stands (`line 17`) when it has none.
    pub document: String,
    /// The field concerned, as a dotted path of the source document; empty when it is the whole document.
    pub field: String,
    /// One sentence: what is wrong and how to mend it. Never holds a confidential value; long values are cut.
    pub detail: String,
}

/// Listens to the events of a run.
pub trait Observer: Sync {
    /// Takes one event; called from many threads.
    fn observe(&self, event: Event);

    /// Whether the run has been asked to stop. Work checks this at least every few milliseconds.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The run was asked to stop, and did; nothing was published.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;
