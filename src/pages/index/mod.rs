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
use facet::{Column, Facet, FacetKind};
use order::{Keys, Order};
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
    let records = &shop.catalog.records;
    let since = before.zip(shop.catalog.touched.as_ref());
    let since = since.map(|(columns, touched)| Since { columns, touched, records });
    let desk = Desk { shop, fingerprints, shelf, since };
    let facets = desk.facets()?;
    let all_orders = Order::all_of(shop);
    let orders = desk.orders(&all_orders)?;
    let cards = hashes_of_cards(shop, since);
    let named = all_orders.iter().map(|order| order.key()).zip(orders.iter().cloned());
    let summary = json!({
        "count": records.len(),
        "block": CARDS_IN_BLOCK,
        "cards": hash_of_cards(shop, &cards),
        "facets": facets.iter().flatten().collect::<Vec<_>>(),
        "orders": named.collect::<serde_json::Map<_, _>>(),
    });
    shelf.put(&desk.path(FACETS), format!("{summary}\n").as_bytes(), None)?;
    Ok(Columns { facets, orders, cards })
}

/// Where columns are made.
struct Desk<'a> {
    shop: &'a Shop<'a>,
    fingerprints: &'a Fingerprints,
    shelf: &'a dyn Shelf,
    since: Option<Since<'a>>,
}

impl Desk<'_> {
    /// Path of a file in the folder of the language.
    fn path(&self, file: &str) -> String {
        format!("{}{file}", self.shop.links.folder())
    }

    /// What is said of every facet, by kind; the columns go on the shelf.
    fn facets(&self) -> Result<Vec<Option<Json>>> {
        /// Each takes some megabytes for a million products.
        const AT_ONCE: usize = 5;
        let as_before = |(place, &kind): (usize, &FacetKind)| {
            let since = self.since.filter(|since| !since.differs(|old, new| kind.tells_apart(old, new)))?;
            let facet = &since.columns.facets[place];
            (facet.is_none() || self.shelf.keep_again(&self.path(&kind.file()))).then(|| facet.clone())
        };
        let mut facets: Vec<Option<Option<Json>>> = FacetKind::ALL.iter().enumerate().map(as_before).collect();
        let others = FacetKind::ALL.iter().zip(&facets).filter(|(_, facet)| facet.is_none());
        let others: Vec<FacetKind> = others.map(|(kind, _)| *kind).collect();
        let mut made = Vec::with_capacity(others.len());
        for kinds in others.chunks(AT_ONCE) {
            let columns = Facet::of_kinds(self.shop, kinds).into_par_iter();
            let facets = columns.map(|made| made.map(|(facet, column)| self.facet(&facet, &column)).transpose());
            made.extend(facets.collect::<Result<Vec<_>>>()?);
        }
        fill(&mut facets, made);
        Ok(facets.into_iter().flatten().collect())
    }

    fn facet(&self, facet: &Facet, column: &Column) -> Result<Json> {
        let (kind, text) = (facet.kind, column.text());
        let made_from = self.fingerprints.of_column(text.as_bytes());
        self.shelf.put(&self.path(&kind.file()), text.as_bytes(), Some(made_from))?;
        let values = facet.values.iter().zip(column.counts(facet.values.len()));
        let values = values.map(|(value, count)| match &value.extra {
            Some(extra) => json!([value.key, value.label, count, extra]),
            None => json!([value.key, value.label, count]),
        });
        Ok(json!({
            "key": kind.key(),
            "label": facet.label,
            "all": kind.wants_all(),
            "file": versioned(&kind.file(), &blake3::hash(text.as_bytes())),
            "values": values.collect::<Vec<_>>(),
        }))
    }

    /// The file of each order, which goes on the shelf, as scripts ask for it.
    fn orders(&self, all: &[Order]) -> Result<Vec<Json>> {
        let as_before = |(place, order): (usize, &Order)| {
            let differ = |old: &ProductRecord, new: &ProductRecord| order.tells_apart(self.shop, old, new);
            let since = self.since.filter(|since| !since.differs(differ))?;
            self.shelf.keep_again(&self.path(&order.file())).then(|| since.columns.orders[place].clone())
        };
        let mut orders: Vec<Option<Json>> = all.iter().enumerate().map(as_before).collect();
        let others = all.iter().zip(&orders).filter(|(_, order)| order.is_none());
        let others: Vec<Order> = others.map(|(order, _)| *order).collect();
        let mut made = Vec::with_capacity(others.len());
        // Names take as much room as all the others.
        for some in others.chunk_by(|one, next| (*one == Order::Name) == (*next == Order::Name)) {
            let keys = Keys::of_orders(self.shop, some).into_par_iter();
            made.extend(keys.map(|keys| self.order(&keys)).collect::<Result<Vec<_>>>()?);
        }
        fill(&mut orders, made);
        Ok(orders.into_iter().flatten().collect())
    }

    fn order(&self, keys: &Keys) -> Result<Json> {
        let path = self.path(&keys.order.file());
        let made_from = self.fingerprints.of_column(keys.basis());
        let make = || {
            let text = keys.text(self.shop);
            self.shelf.put(&path, text.as_bytes(), Some(made_from))?;
            anyhow::Ok(blake3::hash(text.as_bytes()))
        };
        let hash = self.shelf.keep(&path, made_from).map_or_else(make, Ok)?;
        Ok(Json::from(versioned(&keys.order.file(), &hash)))
    }
}

/// Puts what was made in the places that are empty, in its order.
fn fill<T>(places: &mut [Option<T>], made: Vec<T>) {
    places.iter_mut().filter(|place| place.is_none()).zip(made).for_each(|(place, made)| *place = Some(made));
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
