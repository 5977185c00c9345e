//! What the order of the store, its slugs and its texts for search engines depend on, of every draft: in columns, which a
//! million products fit into where their records would not.

use super::drafts::{Draft, Gathered};
use super::record::{ProductRecord, TermId, beginning_of};
use crate::catalog::vocabulary::key_of;
use crate::config::SortOrder;
use anyhow::Result;
use rayon::prelude::*;
use std::collections::HashSet;

/// Columns, by the numbers of drafts.
#[derive(Default)]
pub(super) struct Outlines {
    pub(super) ids: Texts,
    pub(super) wished_slugs: Texts,
    /// Empty where there is none.
    pub(super) skus: Texts,
    /// Hashes of title and description.
    pub(super) texts: Vec<[u64; 2]>,
    ranks: Vec<[i64; 4]>,
    names: Texts,
    /// Preliminary ids of the terms in use.
    pub(super) terms: HashSet<TermId>,
}

/// A line of the columns.
struct Outline {
    id: Box<str>,
    wished_slug: Box<str>,
    sku: Option<Box<str>>,
    texts: [u64; 2],
    rank: ([i64; 4], String),
    terms: Vec<TermId>,
}

impl Outline {
    fn of(draft: &Draft, sort: SortOrder) -> Self {
        let record = &draft.record;
        Self {
            id: record.id.clone(),
            wished_slug: draft.wished_slug.as_str().into(),
            sku: record.sku.clone(),
            texts: draft.texts,
            rank: rank(record, sort),
            terms: terms_of(record).collect(),
        }
    }
}

impl Outlines {
    /// The columns of all drafts.
    ///
    /// # Errors
    /// When a draft cannot be read back.
    pub(super) fn of(drafts: &Gathered, sort: SortOrder) -> Result<Self> {
        let numbers: Vec<u32> = (0..drafts.len() as u32).collect();
        let mut outlines = Self::default();
        let mut terms = Used::default();
        drafts.look_through(
            &numbers,
            |draft| Outline::of(draft, sort),
            |outline| {
                outlines.ids.push(&outline.id);
                outlines.wished_slugs.push(&outline.wished_slug);
                outlines.skus.push(outline.sku.as_deref().unwrap_or_default());
                outlines.texts.push(outline.texts);
                outlines.ranks.push(outline.rank.0);
                outlines.names.push(&outline.rank.1);
                terms.extend(outline.terms);
            },
        )?;
        Ok(Self { terms: terms.into(), ..outlines })
    }

    /// The sku of a draft.
    pub(super) fn sku(&self, number: u32) -> Option<&str> {
        Some(self.skus.get(number)).filter(|sku| !sku.is_empty())
    }

    /// The numbers of drafts in the order of their ids, and of those of the same id in the order of the catalogue.
    pub(super) fn by_id(&self, drafts: &Gathered) -> Vec<u32> {
        let numbers = (0..drafts.len() as u32).into_par_iter();
        let mut order: Vec<([u8; 24], u32)> =
            numbers.map(|number| (beginning_of(self.ids.get(number)), number)).collect();
        let whole = |number: u32| (self.ids.get(number), drafts.place_of(number));
        order.par_sort_unstable_by(|one, other| one.0.cmp(&other.0).then_with(|| whole(one.1).cmp(&whole(other.1))));
        order.into_iter().map(|(_, number)| number).collect()
    }

    /// Sorts numbers of drafts as the store shows them; those of the same rank stay as they are. Can be done once.
    pub(super) fn sort(&mut self, numbers: &mut [u32]) {
        let (ranks, names) = (std::mem::take(&mut self.ranks), std::mem::take(&mut self.names));
        let rank = |number: u32| (ranks[number as usize], names.get(number));
        numbers.par_sort_by(|&one, &other| rank(one).cmp(&rank(other)));
    }
}

/// Texts, one behind the other.
#[derive(Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<u64>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u64);
    }

    pub(super) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[number] as usize]
    }
}

/// Numbers that count from 0, of which most come many times.
#[derive(Default)]
pub(super) struct Used(Vec<bool>);

impl Extend<u32> for Used {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, numbers: I) {
        for number in numbers {
            let place = number as usize;
            if place >= self.0.len() {
                self.0.resize(place + 1, false);
            }
            self.0[place] = true;
        }
    }
}

impl From<Used> for HashSet<u32> {
    fn from(used: Used) -> Self {
        (0..).zip(used.0).filter(|(_, is_used)| *is_used).map(|(number, _)| number).collect()
    }
}

/// Every term of a record.
fn terms_of(record: &ProductRecord) -> impl Iterator<Item = TermId> {
    let single = [record.frame_shape, record.frame_type, record.rim, record.gender].into_iter().flatten();
    single.chain(record.materials.iter().chain(&record.colors).chain(&record.features).copied())
}

/// Where a product stands in an order, lowest first. Whole numbers are turned around by turning their bits around.
pub(super) fn rank(record: &ProductRecord, sort: SortOrder) -> ([i64; 4], String) {
    let first = |number: i64| [number, 0, 0, 0];
    let numbers = match sort {
        SortOrder::Featured => [
            !i64::from(record.featured),
            !i64::from(record.availability.is_available()),
            record.sort_order.unwrap_or(i64::MAX),
            !(i64::from(record.quality) + i64::from(record.popularity)),
        ],
        SortOrder::Newest => first(!record.created_at.unwrap_or(i64::MIN)),
        SortOrder::PriceAscending => first(record.price.minor),
        SortOrder::PriceDescending => first(!record.price.minor),
        SortOrder::Name => return (first(0), key_of(&record.name)),
        SortOrder::Popularity => first(!i64::from(record.popularity)),
        SortOrder::Quality => first(!i64::from(record.quality)),
    };
    (numbers, String::new())
}
