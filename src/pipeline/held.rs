//! What a process that makes a store again and again keeps from one time to the next.
//!
//! It is all on the disk as well, or made from the configuration, so that it may be lost at any time; and it is used only
//! while the disk shows that nobody else has been there since.

use super::reading::Beside;
use super::{RunError, theme};
use crate::config::{StoreConfiguration, ThemeSource};
use crate::enhance::{EnhancedCatalog, Unwritten, Written};
use crate::pages::{Round, Theme};
use crate::site::Known;
use rayon::prelude::*;
use std::sync::Arc;

/// Nothing, to begin with.
#[derive(Default)]
pub struct Held {
    /// A theme of the program's own, with a hash of the configuration that it was loaded with.
    theme: Option<(blake3::Hash, Arc<Theme>)>,
    /// The store that stands.
    pub(super) known: Known,
    /// What stands beside the products in the catalogue.
    pub(super) beside: Option<Beside>,
    /// What is remembered of the catalogue.
    pub(super) written: Option<Written>,
    /// What is to be remembered of it once the store is there.
    unwritten: Option<Box<Unwritten>>,
    /// The pages that were made last, with a hash of the configuration that they were made with.
    round: Option<(blake3::Hash, Pages)>,
    /// The store will be made again.
    pub(super) is_for_rounds: bool,
}

/// Pages that were made, and where what is known of the store has each.
pub(super) struct Pages {
    pub(super) round: Round,
    pub(super) places: Vec<Option<u32>>,
}

impl Held {
    /// For a process that will make the store again, and whose shoppers wait for each change.
    pub fn for_rounds() -> Self {
        Self { is_for_rounds: true, ..Self::default() }
    }

    /// Takes what is to be remembered of a catalogue. It takes room, and is written at once where nobody waits.
    pub(super) fn remember(&mut self, unwritten: Option<Box<Unwritten>>) {
        self.unwritten = unwritten;
        if !self.is_for_rounds {
            self.write();
            self.written = None;
        }
    }

    /// Keeps a catalogue that nothing was done to since it was read.
    pub(super) fn keep_catalog(&mut self, catalog: EnhancedCatalog) {
        if let Some(unwritten) = &mut self.unwritten {
            unwritten.keep(catalog);
        }
    }

    /// Takes the pages that were made last with the same configuration; what is made of them has to be given back.
    pub(super) fn take_pages(&mut self, config: &StoreConfiguration) -> Option<Pages> {
        let (of, pages) = self.round.take()?;
        (of == hash_of(config)).then_some(pages)
    }

    /// Keeps pages as they stand.
    pub(super) fn keep_pages(&mut self, config: &StoreConfiguration, pages: Option<Pages>) {
        self.round = pages.map(|pages| (hash_of(config), pages));
    }

    /// Keeps pages that have just been published, at `places` if they are known.
    pub(super) fn keep_round(&mut self, config: &StoreConfiguration, round: Round, mut places: Vec<Option<u32>>) {
        let pages = &round.plan().pages;
        if places.len() != pages.len() {
            places = self.known.places(pages.par_iter().map(|page| &*page.path));
        }
        self.keep_pages(config, Some(Pages { round, places }));
    }

    /// Writes what is to be remembered.
    pub(super) fn write(&mut self) {
        if let Some(unwritten) = self.unwritten.take() {
            self.written = unwritten.write();
        }
    }

    /// The theme of a store. One that stands in files is loaded each time, for they may have changed.
    pub(super) fn theme(&mut self, config: &StoreConfiguration) -> Result<Arc<Theme>, RunError> {
        let of = hash_of(config);
        if let Some((known, theme)) = &self.theme
            && *known == of
        {
            return Ok(Arc::clone(theme));
        }
        let theme = Arc::new(theme::load(config)?);
        let is_own = matches!(config.theme, ThemeSource::Embedded(_));
        self.theme = is_own.then(|| (of, Arc::clone(&theme)));
        Ok(theme)
    }
}

/// A hash of a whole configuration, places and secrets included.
pub(super) fn hash_of(config: &StoreConfiguration) -> blake3::Hash {
    blake3::hash(format!("{config:?}").as_bytes())
}
