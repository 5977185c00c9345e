//! What is kept of the pages that were made last, so that the next time only those are looked at that may be others.
//!
//! In: a plan and what the renderer found out about its pages. Out: the same again for a catalogue that differs in a few
//! products, if the plan is the same for it. A process that makes a store once has no use for it.

use super::fingerprint::Fingerprints;
use super::index::Columns;
use super::plan::{Plan, plan};
use crate::assets::drawing::FrameDrawing;
use crate::config::StoreConfiguration;
use crate::enhance::EnhancedCatalog;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The pages of a store as they were made last.
pub struct Round {
    plan: Plan,
    made: Made,
}

/// What pages were made from.
pub struct Made {
    /// In the order of the store's languages.
    pub(super) editions: Vec<MadeEdition>,
    /// What the cards of products without a photo show.
    pub(super) drawings: Arc<BTreeSet<FrameDrawing>>,
    /// Stock keeping units that several products have.
    pub(super) repeated_skus: Arc<BTreeSet<Box<str>>>,
}

/// What the pages in one language were made from.
pub(super) struct MadeEdition {
    pub(super) fingerprints: Fingerprints,
    pub(super) columns: Columns,
}

impl Round {
    /// A plan, and what its pages were made from.
    pub fn new(plan: Plan, made: Made) -> Self {
        Self { plan, made }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// Plans the store. Where the catalogue differs from the one before in nothing that the plan depends on, it is the plan of
/// the last `round`, and what its pages were made from comes with it.
pub fn plan_again(
    config: &StoreConfiguration,
    catalog: &EnhancedCatalog,
    round: Option<Round>,
) -> (Plan, Option<Made>) {
    let is_same = catalog.touched.as_ref().is_some_and(|touched| {
        // Products keep their names, brands, categories and terms where they are only touched.
        touched.records.iter().all(|(index, old)| {
            let new = catalog.records.at(*index);
            (&old.slug, old.fits, old.created_at) == (&new.slug, new.fits, new.created_at)
        })
    });
    match round.filter(|_| is_same) {
        Some(Round { plan, made }) => (plan, Some(made)),
        None => (plan(config, catalog), None),
    }
}
