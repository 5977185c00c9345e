//! What only the whole catalogue can tell: order, slugs, brands in use, neighbours, and what tells products apart.
//!
//! In: the drafts of a [`Collector`], from whatever thread and block. Out: the enhanced catalogue, in an order that does not
//! depend on which block came first, and what is remembered of this reading.

use super::catalog::EnhancedCatalog;
use super::collect::{Collector, Draft, Place, Reading, Recollection};
use super::memory::{Index, Remembered, Unwritten};
use super::patch::Ties;
use super::record::{ProductRecord, TermId, beginning_of};
use super::related::related;
use super::slugs::unique_slugs;
use super::terms::Interner;
use crate::catalog::product::Brand;
use crate::catalog::vocabulary::key_of;
use crate::config::SortOrder;
use crate::event::{Finding, Outcome};
use anyhow::Result;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::PoisonError;

impl Collector<'_> {
    /// Puts everything in order. `max_products` keeps the first ones in sort order. What is to be remembered of this
    /// reading comes with the catalogue.
    ///
    /// # Errors
    /// [`Damaged`](super::memory::Damaged), when what is remembered cannot be read back; [`Undecided`], when it takes more
    /// than the changes that a server told of.
    pub fn finish(
        mut self,
        sort: SortOrder,
        max_products: Option<usize>,
        findings: &mut Vec<Finding>,
    ) -> Result<(EnhancedCatalog, Option<Unwritten>)> {
        let from = findings.len();
        let comparison = self.comparison();
        let blocks = std::mem::take(self.drafts.get_mut().unwrap_or_else(PoisonError::into_inner));
        // Each block is let go as soon as it is moved.
        let mut drafts = Vec::with_capacity(blocks.iter().map(Vec::len).sum());
        blocks.into_iter().for_each(|block| drafts.extend(block));
        let mut index = None;
        let mut patched = None;
        let about_the_whole = findings;
        if let Some((Recollection { mut memory, now, findings, moment, .. }, comparison)) =
            self.memory.take().zip(comparison)
        {
            let Reading { known, others, pictures, .. } = now.into_inner().unwrap_or_else(PoisonError::into_inner);
            // Every document of before is there, and every one that was in the store is in it again.
            let is_complete = known.len() + others.len() == memory.last.documents.len()
                && others.len() == drafts.len()
                && max_products.is_none();
            let patchable = memory.patchable.take().filter(|_| comparison.was_told && is_complete);
            patched = patchable.and_then(|patchable| patchable.with(&drafts, sort));
            let documents = &memory.last.documents;
            if patched.is_some() {
                about_the_whole.extend(memory.last.about_the_whole.iter().cloned());
            } else {
                let blob_of = |&(document, place, key): &(u32, Place, _)| {
                    Some((documents[document as usize].draft?, (place, key)))
                };
                let blobs: Vec<_> = known.iter().filter_map(blob_of).collect();
                drafts.reserve(blobs.len());
                drafts.extend(memory.read_all(blobs, |draft: &mut Draft, (place, key)| {
                    (draft.place, draft.key) = (place, key);
                })?);
            }
            let known =
                known.into_iter().map(|(document, _, key)| Remembered { key, ..documents[document as usize].clone() });
            let next = Index {
                documents: known.chain(others).collect(),
                terms: self.terms.spellings(),
                brands: self.named_brands.spellings(),
                pictures,
                standing: comparison.standing,
                about_references: findings,
                ..Index::default()
            };
            // What is not remembered would be lost where only changes are read.
            let moment = moment.filter(|_| next.documents.len() as u64 == comparison.count);
            index = Some((memory, next, moment));
        }
        let findings = about_the_whole;
        if let Some(patched) = patched {
            let length = self.snapshot.length();
            let (catalog, ties) = patched.into_catalog(self.snapshot.finish());
            let unwritten = index.map(|(memory, index, moment)| Unwritten {
                memory,
                index: Index { about_the_whole: findings[from..].to_vec(), ..index },
                length,
                moment,
                ties: Some(ties),
                patchable: None,
            });
            return Ok((catalog, unwritten));
        }
        let used_terms = distinct(drafts.iter().flat_map(|draft| terms_of(&draft.record)));
        let mut by_id = places_by_id(&drafts);
        let id_at = |place: &u32| &drafts[*place as usize].record.id;
        if by_id.windows(2).any(|pair| id_at(&pair[0]) == id_at(&pair[1])) {
            arrange(&mut drafts, by_id);
            drop_twins(&mut drafts, findings);
            by_id = (0..drafts.len() as u32).collect();
        }
        let has_twins = findings.len() > from;
        // Which of two comes first is only known where all are read.
        if has_twins && comparison.is_some_and(|comparison| comparison.was_told) {
            return Err(Undecided.into());
        }
        report_duplicate_skus(by_id.iter().map(|&place| &drafts[place as usize]), findings);

        sort_by_key(&mut drafts, by_id, |draft| rank(&draft.record, sort));
        if let Some(most) = max_products {
            for draft in drafts.iter().skip(most) {
                let detail = format!("left out by `product_filters.max_products`: {most}");
                findings.push(about(draft, Outcome::Excluded, "filtered", "", detail));
            }
            drafts.truncate(most);
        }
        let ties = index.as_ref().filter(|_| self.is_for_rounds).and_then(|_| Ties::of(&drafts));
        let (terms, term_moves) = self.terms.finish(&used_terms);
        let (brands, brand_moves) = final_brands(&self.references.brands, self.named_brands, &drafts);
        let wishes = drafts.iter_mut().map(|draft| (&*draft.record.id, std::mem::take(&mut draft.wished_slug)));
        let slugs = unique_slugs(wishes.collect(), "product");
        for (draft, slug) in drafts.iter_mut().zip(slugs) {
            let record = &mut draft.record;
            record.slug = slug.into();
            record.brand = record.brand.and_then(|brand| brand_moves.get(&brand).copied());
            for id in [&mut record.frame_shape, &mut record.frame_type, &mut record.rim, &mut record.gender] {
                *id = id.map(|id| term_moves[id as usize]);
            }
            for id in record.materials.iter_mut().chain(&mut record.colors).chain(&mut record.features) {
                *id = term_moves[*id as usize];
            }
        }
        let mut tree = self.tree;
        let used = distinct(drafts.iter().flat_map(|draft| draft.record.categories.iter().copied()));
        let category_moves = tree.prune(&used);
        for draft in &mut drafts {
            for category in &mut draft.record.categories {
                *category = category_moves[category];
            }
        }
        let differences = differences(&drafts);
        let mut records: Vec<ProductRecord> = drafts.into_iter().map(|draft| draft.record).collect();
        let neighbours = related(&records);
        for (record, neighbours) in records.iter_mut().zip(neighbours) {
            record.related = neighbours;
        }
        let unwritten = index.map(|(memory, index, moment)| Unwritten {
            memory,
            index: Index { about_the_whole: findings[from..].to_vec(), ..index },
            length: self.snapshot.length(),
            moment: moment.filter(|_| !has_twins),
            ties,
            patchable: None,
        });
        let catalog = EnhancedCatalog {
            records,
            brands,
            categories: tree.nodes,
            terms,
            snapshot: self.snapshot.finish(),
            differences,
            touched: None,
        };
        Ok((catalog, unwritten))
    }
}

/// Two documents have the same id, and only some of them were read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the changes that the server told of are not enough; generate again with `--full`")]
pub struct Undecided;

/// Numbers that count from 0, of which most come many times.
fn distinct(numbers: impl Iterator<Item = u32>) -> HashSet<u32> {
    let mut has: Vec<bool> = Vec::new();
    for number in numbers {
        let place = number as usize;
        if place >= has.len() {
            has.resize(place + 1, false);
        }
        has[place] = true;
    }
    (0..).zip(has).filter(|(_, has)| *has).map(|(number, _)| number).collect()
}

/// Every term of a record.
fn terms_of(record: &ProductRecord) -> impl Iterator<Item = TermId> {
    let single = [record.frame_shape, record.frame_type, record.rim, record.gender].into_iter().flatten();
    single.chain(record.materials.iter().chain(&record.colors).chain(&record.features).copied())
}

fn about(draft: &Draft, outcome: Outcome, reason: &str, field: &str, detail: String) -> Finding {
    Finding {
        outcome,
        reason: reason.to_string(),
        collection: draft.collection.to_string(),
        document: draft.record.id.to_string(),
        field: field.to_string(),
        detail,
    }
}

/// Leaves only the first of those that have the same id and lie side by side.
fn drop_twins(drafts: &mut Vec<Draft>, findings: &mut Vec<Finding>) {
    drafts.dedup_by(|later, first| {
        let is_same = later.record.id == first.record.id;
        if is_same {
            let detail = format!("another document has this `_id` and came first: `{}`", first.record.name);
            findings.push(about(later, Outcome::Skipped, "duplicate_id", "_id", detail));
        }
        is_same
    });
}

fn report_duplicate_skus<'d>(drafts: impl Iterator<Item = &'d Draft>, findings: &mut Vec<Finding>) {
    let mut first: HashMap<&str, &Draft> = HashMap::new();
    for draft in drafts {
        if let Some(sku) = draft.record.sku.as_deref() {
            match first.get(sku) {
                Some(other) => findings.push(about(
                    draft,
                    Outcome::Repaired,
                    "duplicate_sku",
                    "sku",
                    format!(
                        "sku `{sku}` is also that of `{}` ({}); both are in the store",
                        other.record.name, other.record.id
                    ),
                )),
                None => {
                    first.insert(sku, draft);
                }
            }
        }
    }
}

/// Brand documents and named brands that some product uses, by name, each with a slug of its own.
fn final_brands(known: &[Brand], named: Interner, drafts: &[Draft]) -> (Vec<Brand>, HashMap<u32, u32>) {
    let used = distinct(drafts.iter().filter_map(|draft| draft.record.brand));
    let known_count = known.len() as u32;
    let used_names: HashSet<TermId> = used.iter().filter_map(|brand| brand.checked_sub(known_count)).collect();
    let (named, moves) = named.finish(&used_names);
    let named_brands = named.iter().map(|(index, term)| {
        let brand = Brand { id: format!("name:{}", term.key), name: term.label.to_string(), ..Brand::default() };
        (known_count + index, brand)
    });
    let known_brands = (0..).zip(known.iter().cloned()).filter(|(index, _)| used.contains(index));
    let mut brands: Vec<(u32, Brand)> = known_brands.chain(named_brands).collect();
    brands.sort_by(|(_, a), (_, b)| (a.name.to_lowercase(), &a.id).cmp(&(b.name.to_lowercase(), &b.id)));
    let wishes = brands.iter().map(|(_, brand)| {
        let wish = if key_of(&brand.slug).is_empty() { &brand.name } else { &brand.slug };
        (brand.id.as_str(), key_of(wish))
    });
    let slugs = unique_slugs(wishes.collect(), "brand");
    let mut moved = HashMap::with_capacity(brands.len());
    let mut list = Vec::with_capacity(brands.len());
    for ((old, mut brand), slug) in brands.into_iter().zip(slugs) {
        moved.insert(old, list.len() as u32);
        brand.slug = slug;
        list.push(brand);
    }
    // Every spelling of a name is the same brand.
    let merged = used_names.iter().filter_map(|&name| {
        let brand = moved.get(&(known_count + moves[name as usize]))?;
        Some((known_count + name, *brand))
    });
    let merged: HashMap<u32, u32> = merged.collect();
    moved.retain(|brand, _| *brand < known_count);
    moved.extend(merged);
    (list, moved)
}

/// Sorts drafts; those of the same key come in the order of `places`. A draft is large, so that each is moved only once, and
/// there is never a second list of them.
fn sort_by_key<K: Ord + Send>(drafts: &mut [Draft], places: Vec<u32>, key: impl Fn(&Draft) -> K + Sync) {
    let keyed = places.into_par_iter().enumerate();
    let mut order: Vec<(K, usize, u32)> =
        keyed.map(|(turn, place)| (key(&drafts[place as usize]), turn, place)).collect();
    order.par_sort_unstable();
    arrange(drafts, order.into_iter().map(|(.., place)| place).collect());
}

/// The places of drafts in the order of their ids, and of those of the same id in the order of the catalogue.
fn places_by_id(drafts: &[Draft]) -> Vec<u32> {
    let beginnings = drafts.par_iter().enumerate().map(|(place, draft)| (beginning_of(&draft.record.id), place as u32));
    let mut order: Vec<([u8; 24], u32)> = beginnings.collect();
    let whole = |source: u32| {
        let draft = &drafts[source as usize];
        (&draft.record.id, draft.place)
    };
    order.par_sort_unstable_by(|one, other| one.0.cmp(&other.0).then_with(|| whole(one.1).cmp(&whole(other.1))));
    order.into_iter().map(|(_, place)| place).collect()
}

/// Puts at each place the draft that is at its source.
fn arrange(drafts: &mut [Draft], mut sources: Vec<u32>) {
    for start in 0..drafts.len() {
        // Along the circle of places that this one belongs to; its end is marked by a place that is its own source.
        let mut place = start;
        loop {
            let source = std::mem::replace(&mut sources[place], place as u32) as usize;
            if source == start {
                break;
            }
            drafts.swap(place, source);
            place = source;
        }
    }
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

/// For products whose title or description another one has too: the stock unit where that tells them apart, else the
/// slug, which always does.
fn differences(drafts: &[Draft]) -> BTreeMap<u32, String> {
    let mut differences = BTreeMap::new();
    for text in 0..2 {
        let mut groups: Vec<(u64, u32)> =
            drafts.iter().enumerate().map(|(index, draft)| (draft.texts[text], index as u32)).collect();
        groups.par_sort_unstable();
        for group in groups.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            let sku_of = |index: u32| drafts[index as usize].record.sku.as_deref();
            let distinct: HashSet<_> = group.iter().filter_map(|&(_, index)| sku_of(index)).collect();
            for &(_, index) in group {
                let sku = sku_of(index).filter(|_| distinct.len() == group.len());
                let difference = sku.unwrap_or(&drafts[index as usize].record.slug);
                differences.insert(index, difference.to_string());
            }
        }
    }
    differences
}
