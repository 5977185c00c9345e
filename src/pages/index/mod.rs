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

use super::card::{Cards, Placement};
use super::fingerprint::Fingerprints;
use super::shop::Shop;
use crate::assets::image::MAKER;
use crate::enhance::ProductRecord;
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

    /// Takes a file, and what it was made from where the next run may keep it.
    ///
    /// # Errors
    /// When the disk refuses.
    fn put(&self, path: &str, bytes: &[u8], made_from: Option<Digest>) -> Result<()>;
}

/// Makes `index/facets.json`, which has every facet with its values and counts and every order, and their columns.
///
/// # Errors
/// When the shelf does not take a file.
pub(crate) fn write_facets(shop: &Shop<'_>, fingerprints: &Fingerprints, shelf: &dyn Shelf) -> Result<()> {
    let at = |file: &str| format!("{}{file}", shop.links.folder());
    let facets = FacetKind::ALL.par_iter().map(|&kind| {
        let Some((facet, column)) = Facet::of(shop, kind) else { return Ok(None) };
        let text = column.text();
        shelf.put(&at(&kind.file()), text.as_bytes(), None)?;
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
    let orders = Order::all_of(shop).into_par_iter().map(|order| {
        let path = at(&order.file());
        let made_from = fingerprints.of_column(&order.basis(shop));
        let make = || {
            let text = order.text(shop);
            shelf.put(&path, text.as_bytes(), Some(made_from))?;
            anyhow::Ok(blake3::hash(text.as_bytes()))
        };
        let hash = shelf.keep(&path, made_from).map_or_else(make, Ok)?;
        Ok((order.key(), Json::from(versioned(&order.file(), &hash))))
    });
    let orders: Vec<(String, Json)> = orders.collect::<Result<_>>()?;
    let summary = json!({
        "count": shop.catalog.records.len(),
        "block": CARDS_IN_BLOCK,
        "cards": hash_of_cards(shop),
        "facets": facets.into_iter().flatten().collect::<Vec<_>>(),
        "orders": orders.into_iter().collect::<serde_json::Map<_, _>>(),
    });
    shelf.put(&at(FACETS), format!("{summary}\n").as_bytes(), None)
}

/// The file of a column with what changes when its contents do, so that browsers may keep it.
fn versioned(file: &str, hash: &blake3::Hash) -> String {
    format!("{file}?v={}", &hash.to_hex()[..8])
}

/// Changes when any card may have, and is the same for equal cards, whatever else the store is made from.
fn hash_of_cards(shop: &Shop<'_>) -> String {
    let shown = |record: &ProductRecord| {
        let source = record.image.as_ref().map(|(source, alt)| (source, alt));
        // The file at an address may be another one than before.
        let file = source.and_then(|(source, _)| shop.media.resolve(source).ok()).map(|file| file.url_path);
        let ProductRecord { slug, price, compare_at, size, availability, color_count, fits, .. } = record;
        let texts = (slug, shop.name(record), shop.brand_name(record), source, file);
        let numbers = (price.minor, compare_at, size, availability, color_count, fits);
        // Texts and numbers have a form in this format whatever they are.
        *blake3::hash(&postcard::to_stdvec(&(texts, numbers)).unwrap_or_default()).as_bytes()
    };
    let cards: Vec<[u8; 32]> = shop.catalog.records.par_iter().map(shown).collect();
    let mut hasher = blake3::Hasher::new();
    hasher.update(MAKER.as_bytes()).update(format!("{:?}", shop.config.images).as_bytes());
    hasher.update(cards.as_flattened()).finalize().to_hex()[..8].to_string()
}
