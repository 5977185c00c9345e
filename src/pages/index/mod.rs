//! What the store's scripts read: facets, orders and cards for listings, and the index for searching.
//!
//! Takes records (and full products for their descriptions); makes many small files, each loaded only when a shopper
//! needs it. Everything is by position in the store's order, so that no file repeats names or addresses.

mod code;
pub(crate) mod facet;
pub(crate) mod order;
mod price_range;
pub(crate) mod search;
mod text;

use super::card::{self, Cards, Placement};
use super::fingerprint::Fingerprints;
use super::shop::Shop;
use crate::enhance::catalog::Touched;
use crate::enhance::{ProductRecord, Records};
use crate::site::Digest;
use anyhow::Result;
use facet::{Facet, FacetKind};
use order::Order;
use rayon::prelude::*;
use serde_json::{Value as Json, json};
use std::ops::Range;

/// The file of the filters that names all others.
pub(crate) const FACETS: &str = "index/facets.json";

/// Cards in one file: a page of a filtered listing asks for a handful of files of some 3 kB each, compressed.
const CARDS_IN_BLOCK: usize = 32;

/// How many files of cards there are.
pub(crate) fn card_blocks(products: usize) -> u32 {
    u32::try_from(products.div_ceil(CARDS_IN_BLOCK)).unwrap_or(u32::MAX)
}

/// What separates cards in a file; no card can hold it.
const SEPARATOR: char = '\u{1e}';

/// The records whose cards are in one file.
pub(crate) fn records_of_block(shop: &Shop<'_>, block: u32) -> Range<usize> {
    let count = shop.catalog.records.len();
    let from = count.min(block as usize * CARDS_IN_BLOCK);
    from..count.min(from + CARDS_IN_BLOCK)
}

/// One file of cards.
pub(crate) fn card_block(shop: &Shop<'_>, cards: &Cards, block: u32) -> Result<String> {
    let records = records_of_block(shop, block);
    let mut block = String::new();
    for index in records.clone() {
        if index > records.start {
            block.push(SEPARATOR);
        }
        cards.push(shop, u32::try_from(index)?, Placement::default(), &mut block)?;
    }
    Ok(block)
}

/// Where files go, by their paths, and where those of the last run may stay.
pub trait Shelf: Sync {
    /// The hash of the file of the last run, if it was made from the same and stays in its place.
    fn keep(&self, path: &str, made_from: Digest) -> Option<blake3::Hash>;

    /// Whether the file of the last run stays in its place, where the caller knows that it would be made the same.
    fn keep_again(&self, path: &str) -> bool;

    /// Takes a file, and what it was made from where the next run may keep it.
    ///
    /// # Errors
    /// When the disk refuses.
    fn put(&self, path: &str, bytes: &[u8], made_from: Option<Digest>) -> Result<()>;
}

/// What the filters were made of, for the next time.
pub(crate) struct Columns {
    facets: Vec<Option<Json>>,
    orders: Vec<Json>,
    cards: Vec<CardHash>,
}

/// Hash of what a card shows.
type CardHash = [u8; 32];

/// Columns that were made before, and where the catalogue has been touched since.
#[derive(Clone, Copy)]
struct Since<'a> {
    columns: &'a Columns,
    touched: &'a Touched,
    records: &'a Records,
}

impl Since<'_> {
    /// Whether two states of a product differ to somebody anywhere.
    fn differs(&self, differ: impl Fn(&ProductRecord, &ProductRecord) -> bool) -> bool {
        self.touched.records.iter().any(|(&index, old)| differ(old, &self.records.at(index)))
    }
}

/// Makes `index/facets.json`, which has every facet with its values and counts and every order, and their columns. Those
/// that the catalogue's touched places have nothing to do with stay as they were made `before`.
///
/// # Errors
/// When the shelf does not take a file.
pub(crate) fn write_facets(
    shop: &Shop<'_>,
    fingerprints: &Fingerprints,
    before: Option<&Columns>,
    shelf: &dyn Shelf,
) -> Result<Columns> {
    let at = |file: &str| format!("{}{file}", shop.links.folder());
    let records = &shop.catalog.records;
    let since = before.zip(shop.catalog.touched.as_ref());
    let since = since.map(|(columns, touched)| Since { columns, touched, records });
    let facets = FacetKind::ALL.par_iter().enumerate().map(|(place, &kind)| {
        if let Some(since) = since.filter(|since| !since.differs(|old, new| kind.tells_apart(old, new))) {
            let facet = &since.columns.facets[place];
            if facet.is_none() || shelf.keep_again(&at(&kind.file())) {
                return Ok(facet.clone());
            }
        }
        let Some((facet, column)) = Facet::of(shop, kind) else { return Ok(None) };
        let text = column.text();
        shelf.put(&at(&kind.file()), text.as_bytes(), Some(fingerprints.of_column(text.as_bytes())))?;
        let values = facet.values.iter().zip(column.counts(facet.values.len()));
        let values = values.map(|(value, count)| match &value.extra {
            Some(extra) => json!([value.key, value.label, count, extra]),
            None => json!([value.key, value.label, count]),
        });
        Ok(Some(json!({
            "key": kind.key(),
            "label": facet.label,
            "all": kind.wants_all(),
            "file": versioned(&kind.file(), &blake3::hash(text.as_bytes())),
            "values": values.collect::<Vec<_>>(),
        })))
    });
    let facets: Vec<Option<Json>> = facets.collect::<Result<_>>()?;
    let all_orders = Order::all_of(shop);
    let orders = all_orders.par_iter().enumerate().map(|(place, order)| {
        let path = at(&order.file());
        if let Some(since) = since.filter(|since| !since.differs(|old, new| order.tells_apart(shop, old, new)))
            && shelf.keep_again(&path)
        {
            return Ok(since.columns.orders[place].clone());
        }
        let made_from = fingerprints.of_column(&order.basis(shop));
        let make = || {
            let text = order.text(shop);
            shelf.put(&path, text.as_bytes(), Some(made_from))?;
            anyhow::Ok(blake3::hash(text.as_bytes()))
        };
        let hash = shelf.keep(&path, made_from).map_or_else(make, Ok)?;
        Ok(Json::from(versioned(&order.file(), &hash)))
    });
    let orders: Vec<Json> = orders.collect::<Result<_>>()?;
    let cards = hashes_of_cards(shop, since);
    let named = all_orders.iter().map(|order| order.key()).zip(orders.iter().cloned());
    let summary = json!({
        "count": records.len(),
        "block": CARDS_IN_BLOCK,
        "cards": hash_of_cards(shop, &cards),
        "facets": facets.iter().flatten().collect::<Vec<_>>(),
        "orders": named.collect::<serde_json::Map<_, _>>(),
    });
    shelf.put(&at(FACETS), format!("{summary}\n").as_bytes(), None)?;
    Ok(Columns { facets, orders, cards })
}

/// The file of a column with what changes when its contents do, so that browsers may keep it.
fn versioned(file: &str, hash: &blake3::Hash) -> String {
    format!("{file}?v={}", &hash.to_hex()[..8])
}

/// What each card shows.
fn hashes_of_cards(shop: &Shop<'_>, since: Option<Since<'_>>) -> Vec<CardHash> {
    let shown = |record: &ProductRecord| {
        let source = record.image.as_ref().map(|(source, alt)| (source, alt));
        // The file at an address may be another one than before.
        let file = source.and_then(|(source, _)| shop.media.resolve(source).ok()).map(|file| file.url_path);
        let ProductRecord { slug, price, compare_at, size, availability, color_count, fits, drawing, .. } = record;
        let texts = (slug, shop.name(record), shop.brand_name(record), source, file);
        let numbers = (price, compare_at, size, availability, color_count, fits, drawing);
        // Texts and numbers have a form in this format whatever they are.
        *blake3::hash(&postcard::to_stdvec(&(texts, numbers)).unwrap_or_default()).as_bytes()
    };
    let records = &shop.catalog.records;
    let Some(since) = since else { return records.par_iter().map(|(_, record)| shown(&record)).collect() };
    let mut hashes = since.columns.cards.clone();
    since.touched.records.keys().for_each(|&index| hashes[index as usize] = shown(&records.at(index)));
    hashes
}

/// Changes when any card may have. Beyond cards and what they are drawn with, nothing of the store is in it.
fn hash_of_cards(shop: &Shop<'_>, cards: &[CardHash]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(card::look(shop).as_bytes()).update(cards.as_flattened()).finalize().to_hex()[..8].to_string()
}
