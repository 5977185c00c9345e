//! The product feed: what shopping services read, as RSS 2.0 with Google Merchant Center's elements.
//!
//! Takes full products, one at a time; makes XML, in parts where there are many. States nothing that the catalogue
//! does not say: codes that are not known are said to be missing, and a product without a photo has no picture, for
//! drawings are not accepted. Frames that are no longer made are left out.

use super::plan::{Subject, product_path};
use super::product_page::address_in_color;
use super::shop::Shop;
use super::structured::{is_new, suggested_gender};
use super::{listing_page, xml};
use crate::catalog::product::{Availability, ColorVariant, Product};
use crate::catalog::text::shortened;
use crate::catalog::vocabulary::{Term, Vocabulary};
use crate::enhance::wording::text_of_safe_html;
use crate::enhance::{EnhancedProduct, ProductRecord};
use crate::site::{Digest, Piece, Pieces};
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::ops::Range;

/// Products in one file: a file is made in memory, and stays below 30 MB with these.
const PART: usize = 5_000;
/// Products that tell how long the others will be.
const SAMPLE: usize = 100;
/// Longest id that is accepted, in characters.
const LONGEST_ID: usize = 50;
/// Longest title that is accepted, in characters.
const LONGEST_TITLE: usize = 150;
/// Longest description that is accepted, in characters.
const LONGEST_DESCRIPTION: usize = 5000;
/// Additional pictures that are accepted.
const MOST_PICTURES: usize = 10;
/// Colours and materials that are accepted.
const MOST_TERMS: usize = 3;

/// How many files a number of products needs.
pub(crate) fn part_count(products: usize) -> u32 {
    u32::try_from(products.div_ceil(PART).max(1)).unwrap_or(u32::MAX)
}

/// Path of one part, counted from 1.
pub(crate) fn path(part: u32) -> String {
    if part <= 1 { "feeds/products.xml".into() } else { format!("feeds/products-{part}.xml") }
}

/// The records of one part, counted from 1.
pub(crate) fn records_of_part(shop: &Shop<'_>, number: u32) -> Range<usize> {
    let count = shop.catalog.records.len();
    let first = count.min((number.saturating_sub(1) as usize).saturating_mul(PART));
    first..count.min(first + PART)
}

/// One part, counted from 1, and the pieces it consists of. Entries are taken from the file that was there `before` where
/// they were made from the same, as `made_from` tells by the index of a record.
///
/// # Errors
/// When a full product cannot be read back.
pub(crate) fn part(
    shop: &Shop<'_>,
    number: u32,
    before: Option<&Pieces>,
    made_from: &dyn Fn(u32) -> Option<Digest>,
) -> anyhow::Result<(String, Vec<Piece>)> {
    let mut xml = String::from(xml::DECLARATION);
    xml.push_str("<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n");
    xml::push_element(&mut xml, "title", &shop.config.store_name);
    xml::push_element(&mut xml, "link", &shop.links.absolute("index.html"));
    let about = shop.config.store_description.as_deref().unwrap_or(&shop.config.store_name);
    xml::push_element(&mut xml, "description", about);
    xml::push_element(&mut xml, "language", shop.locale);
    let records = records_of_part(shop, number);
    let size_before = xml.len();
    let mut pieces = vec![(Digest::default(), piece_length(size_before)?)];
    for (index, record) in (records.start as u32..).zip(shop.catalog.records.range(records.clone())) {
        let start = xml.len();
        let made_from = made_from(index);
        let as_before = before.zip(made_from).and_then(|(before, made_from)| before.get(&made_from));
        match as_before {
            Some(entry) => xml.push_str(entry),
            None if record.availability == Availability::Discontinued => {}
            None => push_product(shop, &record, &shop.product_without_scores(index, &record)?, &mut xml),
        }
        pieces.push((made_from.unwrap_or_default(), piece_length(xml.len() - start)?));
        if (index as usize) + 1 - records.start == SAMPLE {
            // To grow by doubling would touch three times the memory.
            let left = records.len() - SAMPLE;
            xml.reserve((xml.len() - size_before) / SAMPLE * left / 8 * 9);
        }
    }
    xml.push_str("</channel>\n</rss>\n");
    Ok((xml, pieces))
}

fn piece_length(bytes: usize) -> anyhow::Result<u32> {
    u32::try_from(bytes).context("an entry of more than 4 GiB")
}

/// What differs between the colours of a frame.
struct Item<'a> {
    id: String,
    title: String,
    link: String,
    colors: Vec<&'a str>,
    pictures: Vec<String>,
    gtin: Option<&'a str>,
}

fn push_product(shop: &Shop<'_>, record: &ProductRecord, enhanced: &EnhancedProduct, xml: &mut String) {
    let product = &enhanced.product;
    let id = id_of(shop, product);
    let text = text_of_safe_html(&enhanced.description_html);
    let text = [&text, &enhanced.summary, &enhanced.seo.description].into_iter().find(|text| !text.is_empty());
    let description = shortened(text.map_or("", String::as_str), LONGEST_DESCRIPTION);
    let url = shop.links.absolute(&product_path(&record.slug));
    let item = Item {
        title: shortened(shop.name(record), LONGEST_TITLE),
        link: url.clone(),
        colors: labels(shop, Vocabulary::Color, &product.colors),
        pictures: pictures(shop, product.images.iter().map(|image| image.source.as_str())),
        gtin: product.gtin.as_deref(),
        id: id.clone(),
    };
    let variants = variants(product);
    let group = (!variants.is_empty()).then_some(id.as_str());
    push_item(shop, record, enhanced, &item, &description, group, xml);
    for variant in variants {
        let item = Item {
            id: bounded(format!("{id}--{}", variant.color.key)),
            title: shortened(
                &format!("{}, {}", shop.name(record), shop.words.term(Vocabulary::Color, &variant.color)),
                LONGEST_TITLE,
            ),
            link: address_in_color(&url, &variant.color.key),
            colors: vec![shop.words.term(Vocabulary::Color, &variant.color)],
            pictures: pictures(shop, variant.image.as_deref().into_iter()),
            // A barcode is of one colour only.
            gtin: None,
        };
        push_item(shop, record, enhanced, &item, &description, group, xml);
    }
}

/// The colours that a frame comes in besides its own, each once.
fn variants(product: &Product) -> Vec<&ColorVariant> {
    let mut seen: BTreeSet<&str> = product.colors.first().map(|color| color.key.as_str()).into_iter().collect();
    product.variants.iter().filter(|variant| seen.insert(&variant.color.key)).collect()
}

fn push_item(
    shop: &Shop<'_>,
    record: &ProductRecord,
    enhanced: &EnhancedProduct,
    item: &Item<'_>,
    description: &str,
    group: Option<&str>,
    xml: &mut String,
) {
    let product = &enhanced.product;
    xml.push_str("<item>\n");
    let mut push = |name: &str, value: &str| {
        if !value.is_empty() {
            xml::push_element(xml, name, value);
        }
    };
    let price = |minor: i64| {
        let money = crate::catalog::money::Money { minor, ..product.price };
        format!("{} {}", money.decimal(), money.currency.code())
    };
    push("g:id", &item.id);
    push("title", &item.title);
    push("description", description);
    push("link", &item.link);
    if let Some((first, others)) = item.pictures.split_first() {
        push("g:image_link", first);
        others.iter().take(MOST_PICTURES).for_each(|picture| push("g:additional_image_link", picture));
    }
    push("g:availability", if product.availability.is_available() { "in_stock" } else { "out_of_stock" });
    match product.compare_at {
        Some(before) => {
            push("g:price", &price(before.minor));
            push("g:sale_price", &price(product.price.minor));
        }
        None => push("g:price", &price(product.price.minor)),
    }
    push("g:brand", enhanced.brand_name.as_deref().unwrap_or_default());
    match item.gtin {
        Some(gtin) => push("g:gtin", gtin),
        None => push("g:identifier_exists", "no"),
    }
    push("g:condition", if is_new(product) { "new" } else { "used" });
    push("g:color", &item.colors.join("/"));
    push("g:material", &labels(shop, Vocabulary::Material, &product.materials).join("/"));
    push("g:gender", product.gender.as_ref().and_then(|term| suggested_gender(&term.key)).unwrap_or_default());
    push("g:age_group", age_group(product).unwrap_or_default());
    let size = enhanced.size.as_ref();
    push("g:size", size.map_or("", |size| size.printed.as_deref().unwrap_or(size.class.label())));
    push("g:product_type", &product_type(shop, record));
    push("g:item_group_id", group.unwrap_or_default());
    xml.push_str("</item>\n");
}

/// The stock keeping unit where it is this product's alone, as in the structured data of its page; the id otherwise.
fn id_of(shop: &Shop<'_>, product: &Product) -> String {
    let sku = product.sku.as_deref().filter(|sku| !shop.repeated_skus.contains(*sku));
    bounded(sku.unwrap_or(&product.id).to_string())
}

/// An id that is too long, with its end exchanged for a hash of the whole.
fn bounded(id: String) -> String {
    const HASH: usize = 12;
    if id.chars().count() <= LONGEST_ID {
        return id;
    }
    let kept: String = id.chars().take(LONGEST_ID - HASH - 1).collect();
    format!("{kept}-{}", &blake3::hash(id.as_bytes()).to_hex()[..HASH])
}

fn labels<'a>(shop: &Shop<'a>, vocabulary: Vocabulary, terms: &'a [Term]) -> Vec<&'a str> {
    terms.iter().take(MOST_TERMS).map(|term| shop.words.term(vocabulary, term)).collect()
}

fn pictures<'a>(shop: &Shop<'_>, sources: impl Iterator<Item = &'a str>) -> Vec<String> {
    let photos = sources.filter_map(|source| shop.photo(source, "", None));
    photos.map(|photo| shop.links.absolute_of(&photo.large)).filter(|address| !address.ends_with(".svg")).collect()
}

/// Whom the frame is for, in the five words that there are for it: teenagers count as adults.
fn age_group(product: &Product) -> Option<&'static str> {
    let age = product.age_group.as_ref().map(|term| term.key.as_str());
    match age {
        Some("adult" | "adults" | "teen" | "teens" | "teenager" | "senior") => Some("adult"),
        Some("child" | "children" | "kid" | "kids" | "junior") => Some("kids"),
        Some("toddler" | "toddlers") => Some("toddler"),
        Some("infant" | "infants" | "baby") => Some("infant"),
        _ => product.gender.as_ref().filter(|term| term.key == "kids").map(|_| "kids"),
    }
}

/// The most specific category with those above it, or what the frame is sold for.
fn product_type(shop: &Shop<'_>, record: &ProductRecord) -> String {
    let Some(&category) = record.categories.first() else {
        return record.frame_type.map(|term| shop.label(term).to_string()).unwrap_or_default();
    };
    let above = listing_page::ancestors(shop, category).into_iter().map(|crumb| crumb.name);
    above.chain([shop.subject_name(Subject::Category(category))]).collect::<Vec<_>>().join(" > ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_and_stay_apart() {
        assert_eq!(bounded("HR-1000".into()), "HR-1000");
        let long = |end: &str| bounded(format!("{}{end}", "x".repeat(80)));
        assert_eq!(long("a").chars().count(), LONGEST_ID);
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn many_products_need_many_files() {
        assert_eq!((part_count(0), part_count(PART), part_count(PART + 1)), (1, 1, 2));
        assert_eq!((path(1), path(2)), ("feeds/products.xml".to_string(), "feeds/products-2.xml".to_string()));
    }
}
