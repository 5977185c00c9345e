//! What only the whole catalogue can tell: order, slugs, brands in use, neighbours, and what tells products apart.
//!
//! In: the drafts of a [`Collector`], from whatever thread and block. Out: the enhanced catalogue, in an order that does not
//! depend on which block came first, and what is remembered of this reading.

use super::catalog::EnhancedCatalog;
use super::collect::{Collector, Reading, Recollection};
use super::drafts::Gathered;
use super::memory::{Index, Remembered, Unwritten};
use super::outline::{Outlines, Used};
use super::patch::Ties;
use super::record::{ProductRecord, TermId};
use super::records::Records;
use super::related::Related;
use super::slugs::unique_slugs;
use super::terms::Interner;
use crate::catalog::product::Brand;
use crate::catalog::vocabulary::key_of;
use crate::config::SortOrder;
use crate::event::{Finding, Outcome};
use anyhow::Result;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError};

impl Collector<'_> {
    /// Puts everything in order. `max_products` keeps the first ones in sort order. What is to be remembered of this
    /// reading comes with the catalogue.
    ///
    /// # Errors
    /// [`Damaged`](super::memory::Damaged), when what is remembered cannot be read back; [`Undecided`], when it takes more
    /// than the changes that a server told of; and when the disk fails.
    pub fn finish(
        mut self,
        sort: SortOrder,
        max_products: Option<usize>,
        findings: &mut Vec<Finding>,
    ) -> Result<(EnhancedCatalog, Option<Unwritten>)> {
        let from = findings.len();
        let comparison = self.comparison();
        let length = self.snapshot.length();
        let snapshot = Arc::new(self.snapshot.finish());
        let drafts = self.drafts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut drafts = drafts.gather(Arc::clone(&snapshot));
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
            patched = patchable.and_then(|patchable| patchable.with(drafts.in_memory()?, sort));
            let documents = &memory.last.documents;
            if patched.is_some() {
                about_the_whole.extend(memory.last.about_the_whole.iter().cloned());
            } else {
                let blob_of =
                    |&(document, place, key): &(u32, _, _)| Some((documents[document as usize].draft?, place, key));
                drafts.add(known.iter().filter_map(blob_of).collect(), &memory)?;
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
            let (catalog, ties) = patched.into_catalog(snapshot);
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
        let mut outlines = Outlines::of(&drafts, sort)?;
        let mut order = without_twins(outlines.by_id(&drafts), &outlines, &drafts, findings)?;
        let has_twins = findings.len() > from;
        // Which of two comes first is only known where all are read.
        if has_twins && comparison.is_some_and(|comparison| comparison.was_told) {
            return Err(Undecided.into());
        }
        report_duplicate_skus(&order, &outlines, &drafts, findings)?;

        outlines.sort(&mut order);
        if let Some(most) = max_products
            && let Some(left_out) = order.get(most..)
        {
            let detail = format!("left out by `product_filters.max_products`: {most}");
            for &number in left_out {
                findings.push(about(&drafts, number, Outcome::Excluded, "filtered", "", detail.clone())?);
            }
            order.truncate(most);
        }
        let (mut used_brands, mut used_categories) = (Used::default(), Used::default());
        drafts.look_through(
            &order,
            |draft| (draft.record.brand, draft.record.categories.clone()),
            |(brand, categories)| {
                used_brands.extend(brand);
                used_categories.extend(categories);
            },
        )?;
        let (terms, term_moves) = self.terms.finish(&outlines.terms);
        let (brands, brand_moves) = final_brands(&self.references.brands, self.named_brands, &used_brands.into());
        let mut tree = self.tree;
        let moves = Moves { terms: term_moves, brands: brand_moves, categories: tree.prune(&used_categories.into()) };
        let wishes = order.iter().map(|&number| (outlines.ids.get(number), outlines.wished_slugs.get(number)));
        let slugs = unique_slugs(wishes.collect(), "product");
        let differences = differences(&order, &outlines, &slugs);
        drop(outlines);
        let (records, ties) = match drafts.take_in_order(&order) {
            Some(mut drafts) => {
                let ties = index.as_ref().filter(|_| self.is_for_rounds).and_then(|_| Ties::of(&drafts));
                drafts.iter_mut().zip(slugs).for_each(|(draft, slug)| moves.settle(&mut draft.record, slug));
                (Records::from(drafts.into_iter().map(|draft| draft.record).collect::<Vec<_>>()), ties)
            }
            None => (records_on_disk(&drafts, &order, &slugs, &moves)?, None),
        };
        drop(drafts);
        let related = Related::of(&records);
        records.verify()?;
        let unwritten = index.map(|(memory, index, moment)| Unwritten {
            memory,
            index: Index { about_the_whole: findings[from..].to_vec(), ..index },
            length,
            moment: moment.filter(|_| !has_twins),
            ties,
            patchable: None,
        });
        let categories = tree.nodes;
        let catalog =
            EnhancedCatalog { records, related, brands, categories, terms, snapshot, differences, touched: None };
        Ok((catalog, unwritten))
    }
}

/// Two documents have the same id, and only some of them were read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the changes that the server told of are not enough; generate again with `--full`")]
pub struct Undecided;

/// What preliminary ids have become.
struct Moves {
    terms: Vec<TermId>,
    brands: HashMap<u32, u32>,
    categories: HashMap<u32, u32>,
}

impl Moves {
    /// Makes a record of a draft final, but for its neighbours.
    fn settle(&self, record: &mut ProductRecord, slug: String) {
        record.slug = slug.into();
        record.brand = record.brand.and_then(|brand| self.brands.get(&brand).copied());
        for id in [&mut record.frame_shape, &mut record.frame_type, &mut record.rim, &mut record.gender] {
            *id = id.map(|id| self.terms[id as usize]);
        }
        for id in record.materials.iter_mut().chain(&mut record.colors).chain(&mut record.features) {
            *id = self.terms[*id as usize];
        }
        for category in &mut record.categories {
            *category = self.categories[category];
        }
    }
}

/// The records of drafts that are not in memory.
fn records_on_disk(drafts: &Gathered, order: &[u32], slugs: &[String], moves: &Moves) -> Result<Records> {
    /// Some megabytes of records.
    const PACKET: usize = 1 << 13;
    let record = |(&number, slug): (&u32, &String)| {
        let mut record = drafts.read(number)?.record;
        moves.settle(&mut record, slug.clone());
        Ok(record)
    };
    let packets = order.chunks(PACKET).zip(slugs.chunks(PACKET));
    let packets = packets.map(|(numbers, slugs)| numbers.par_iter().zip(slugs).map(record).collect());
    Records::on_disk(Arc::clone(drafts.snapshot()), packets)
}

fn about(
    drafts: &Gathered,
    number: u32,
    outcome: Outcome,
    reason: &str,
    field: &str,
    detail: String,
) -> Result<Finding> {
    let (collection, document) =
        drafts.look_at(number, |draft| (draft.collection.to_string(), draft.record.id.to_string()))?;
    Ok(Finding { outcome, reason: reason.to_string(), collection, document, field: field.to_string(), detail })
}

/// Leaves only the first of those that have the same id, which lie side by side.
fn without_twins(
    by_id: Vec<u32>,
    outlines: &Outlines,
    drafts: &Gathered,
    findings: &mut Vec<Finding>,
) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = Vec::with_capacity(by_id.len());
    for number in by_id {
        match order.last() {
            Some(&first) if outlines.ids.get(first) == outlines.ids.get(number) => {
                let name = drafts.look_at(first, |draft| draft.record.name.clone())?;
                let detail = format!("another document has this `_id` and came first: `{name}`");
                findings.push(about(drafts, number, Outcome::Skipped, "duplicate_id", "_id", detail)?);
            }
            _ => order.push(number),
        }
    }
    Ok(order)
}

fn report_duplicate_skus(
    order: &[u32],
    outlines: &Outlines,
    drafts: &Gathered,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let mut first: HashMap<&str, u32> = HashMap::new();
    for &number in order {
        let Some(sku) = outlines.sku(number) else { continue };
        match first.get(sku) {
            Some(&other) => {
                let (name, id) = drafts.look_at(other, |draft| (draft.record.name.clone(), draft.record.id.clone()))?;
                let detail = format!("sku `{sku}` is also that of `{name}` ({id}); both are in the store");
                findings.push(about(drafts, number, Outcome::Repaired, "duplicate_sku", "sku", detail)?);
            }
            None => _ = first.insert(sku, number),
        }
    }
    Ok(())
}

/// Brand documents and named brands that some product uses, by name, each with a slug of its own.
fn final_brands(known: &[Brand], named: Interner, used: &HashSet<u32>) -> (Vec<Brand>, HashMap<u32, u32>) {
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

/// For products whose title or description another one has too: the stock unit where that tells them apart, else the
/// slug, which always does. By place in `order`.
fn differences(order: &[u32], outlines: &Outlines, slugs: &[String]) -> BTreeMap<u32, String> {
    let mut differences = BTreeMap::new();
    for text in 0..2 {
        let hash = |(index, &number): (u32, &u32)| (outlines.texts[number as usize][text], index);
        let mut groups: Vec<(u64, u32)> = (0..).zip(order).map(hash).collect();
        groups.par_sort_unstable();
        for group in groups.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            let sku_of = |index: u32| outlines.sku(order[index as usize]);
            let distinct: HashSet<_> = group.iter().filter_map(|&(_, index)| sku_of(index)).collect();
            for &(_, index) in group {
                let sku = sku_of(index).filter(|_| distinct.len() == group.len());
                let difference = sku.unwrap_or(&slugs[index as usize]);
                differences.insert(index, difference.to_string());
            }
        }
    }
    differences
}
