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
use super::shop::Shop;
use crate::assets::image::MAKER;
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

/// Makes `index/facets.json`, which has every facet with its values and counts and every order, and their columns.
///
/// # Errors
/// When `write` fails.
pub(crate) fn write_facets(shop: &Shop<'_>, write: &(dyn Fn(&str, &[u8]) -> Result<()> + Sync)) -> Result<()> {
    let facets = FacetKind::ALL.par_iter().map(|&kind| {
        let Some((facet, column)) = Facet::of(shop, kind) else { return Ok(None) };
        let text = column.text();
        write(&kind.file(), text.as_bytes())?;
        let values = facet.values.iter().zip(column.counts(facet.values.len()));
        let values = values.map(|(value, count)| match &value.extra {
            Some(extra) => json!([value.key, value.label, count, extra]),
            None => json!([value.key, value.label, count]),
        });
        Ok(Some(json!({
            "key": kind.key(),
            "label": facet.label,
            "all": kind.wants_all(),
            "file": versioned(&kind.file(), &text),
            "values": values.collect::<Vec<_>>(),
        })))
    });
    let facets: Vec<Option<Json>> = facets.collect::<Result<_>>()?;
    let orders = Order::all_of(shop).into_par_iter().map(|order| {
        let text = order.text(shop);
        write(&order.file(), text.as_bytes())?;
        Ok((order.key(), Json::from(versioned(&order.file(), &text))))
    });
    let orders: Vec<(String, Json)> = orders.collect::<Result<_>>()?;
    let summary = json!({
        "count": shop.catalog.records.len(),
        "block": CARDS_IN_BLOCK,
        "cards": hash_of_cards(shop),
        "facets": facets.into_iter().flatten().collect::<Vec<_>>(),
        "orders": orders.into_iter().collect::<serde_json::Map<_, _>>(),
    });
    write(FACETS, format!("{summary}\n").as_bytes())
}

/// The file of a column with what changes when its contents do, so that browsers may keep it.
fn versioned(file: &str, text: &str) -> String {
    format!("{file}?v={}", &blake3::hash(text.as_bytes()).to_hex()[..8])
}

/// Changes when any card may have.
fn hash_of_cards(shop: &Shop<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(MAKER.as_bytes()).update(format!("{:?}", shop.config.images).as_bytes());
    for record in &shop.catalog.records {
        hasher.update(record.slug.as_bytes()).update(shop.name(record).as_bytes());
        hasher.update(&record.price.minor.to_le_bytes()).update(&record.compare_at.unwrap_or(0).to_le_bytes());
        let size = record.size.map_or(u8::MAX, |size| size as u8);
        hasher.update(&[record.availability as u8, record.color_count, size]);
        hasher.update(&record.fits.map(|fit| fit.unwrap_or(u8::MAX)));
        hasher.update(shop.brand_name(record).unwrap_or_default().as_bytes());
        if let Some((source, alt)) = &record.image {
            hasher.update(source.as_bytes()).update(alt.as_bytes());
            // The file at an address may be another one than before.
            let file = shop.media.resolve(source).ok();
            hasher.update(file.map(|file| file.url_path).unwrap_or_default().as_bytes());
        }
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex()[..8].to_string()
}
