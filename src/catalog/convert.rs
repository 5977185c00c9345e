//! Raw documents to products.
//!
//! In: a document of any dialect. Out: a [`Product`] in which every fact is checked, or one finding that says why the
//! document is left out. What is wrong in a part only is dropped or mended, with a finding. Never panics on a document,
//! never reads what is confidential, never lets a list or text grow without bound.

use super::document::{RawDocument, Unreadable};
use super::fits;
use super::mapping::MappingError;
use super::media;
use super::money::{Currency, Money};
use super::product::{Analytics, Availability, ColorVariant, Lens, Measurements, Product, Reference, StoredSeo};
use super::reading::{Notes, Reading, line_of, quoted};
use super::references::References;
use super::scalars;
use super::targets::{Mappings, ProductField as Field};
use super::vocabulary::{Term, Vocabulary, key_of};
use crate::config::{Color, MappingFile};
use crate::event::{Finding, Outcome};
use std::sync::Arc;

/// Longest name in characters, as [`Product::name`] promises.
const LONGEST_NAME: usize = 300;

/// Longest description in bytes; what is longer is cut with a finding.
const LONGEST_DESCRIPTION: usize = 100_000;

/// Longest of the short texts: summaries, titles for search engines.
const LONGEST_SUMMARY: usize = 1_000;

/// Most values of one kind, such as colours or tags; further ones are left out.
const MOST_TERMS: usize = 32;

/// Most colour variants.
const MOST_VARIANTS: usize = 64;

/// Turns raw documents into products, by the dialects or a mapping of the store's own.
#[derive(Debug)]
pub struct Mapper {
    mappings: Mappings,
    default_currency: Currency,
    references: Option<Arc<References>>,
}

impl Mapper {
    /// Compiles the mapping. `None` reads the three built-in dialects.
    ///
    /// # Errors
    /// Every mistake in the mapping, together.
    pub fn new(mapping: Option<&MappingFile>, default_currency: Currency) -> Result<Self, Vec<MappingError>> {
        Ok(Self { mappings: Mappings::compile(mapping)?, default_currency, references: None })
    }

    /// Completes products from what the other collections know: names of brands and categories that the product only
    /// points at, ids in other forms, the most specific category first, face-shape scores and event counts.
    #[must_use]
    pub fn with_references(self, references: Arc<References>) -> Self {
        Self { references: Some(references), ..self }
    }

    /// Reads one product. `None` when it is left out; then the last finding says why, with the document's id.
    pub fn product(&self, raw: &RawDocument, collection: &str, findings: &mut Vec<Finding>) -> Option<Product> {
        let decoded = match raw.decode() {
            Ok(decoded) => decoded,
            Err(why) => {
                let mut notes = Notes::new(findings, collection, raw.label());
                let (reason, detail) = unreadable(&why);
                notes.left_out(Outcome::Skipped, reason, String::new(), detail);
                return None;
            }
        };
        let mapping = &self.mappings.products;
        let id = mapping.one(&decoded.root, Field::Id).and_then(|value| scalars::identifier(&value));
        let notes = Notes::new(findings, collection, id.clone().unwrap_or_else(|| raw.label()));
        let mut reading = Reading { mapping, document: &decoded.root, notes };
        let Some(id) = id else {
            let detail = "no id, or one of a kind that cannot be read; give the document an `_id`".into();
            let place = reading.place(Field::Id);
            reading.notes.left_out(Outcome::Skipped, "missing_id", place, detail);
            return None;
        };
        match self.assemble(&mut reading, id) {
            Ok(product) => {
                if decoded.lossy {
                    let detail = || "some text is not valid UTF-8; the faulty bytes show as \u{fffd}".into();
                    reading.notes.repaired("invalid_utf8", String::new, detail);
                }
                Some(product)
            }
            Err(LeftOut { outcome, reason, field, detail }) => {
                let place = reading.place(field);
                reading.notes.left_out(outcome, reason, place, detail);
                None
            }
        }
    }

    fn assemble(&self, reading: &mut Reading<'_, '_, Field>, id: String) -> Result<Product, LeftOut> {
        if !reading.is_active(Field::Active) {
            let status = reading.one(Field::Active).map_or_else(String::new, |value| quoted(&value));
            let detail = format!("its status is {status}; only active products are sold");
            return Err(LeftOut { outcome: Outcome::Excluded, reason: "inactive", field: Field::Active, detail });
        }
        let name = reading
            .line(Field::Name, LONGEST_NAME)
            .ok_or_else(|| skipped("missing_name", Field::Name, "a product without a name cannot be sold; name it"))?;
        let price = self.price(reading)?;
        let (availability, quantity) = availability(reading);
        let mut product = Product {
            sku: reading.line(Field::Sku, 100),
            gtin: gtin(reading),
            description: description(reading),
            short_description: reading.line(Field::ShortDescription, LONGEST_SUMMARY),
            brand: brand(reading),
            categories: categories(reading),
            compare_at: compare_at(reading, price),
            frame_type: reading.term(Field::FrameType, Vocabulary::FrameType),
            frame_shape: reading.term(Field::FrameShape, Vocabulary::FrameShape),
            rim: reading.term(Field::Rim, Vocabulary::Rim),
            materials: reading.terms(Field::Materials, Vocabulary::Material, MOST_TERMS),
            colors: reading.terms(Field::Colors, Vocabulary::Color, MOST_TERMS),
            variants: variants(reading),
            gender: reading.term(Field::Gender, Vocabulary::Gender),
            age_group: reading.term(Field::AgeGroup, Vocabulary::Other),
            style: reading.term(Field::Style, Vocabulary::Other),
            hinge: reading.term(Field::Hinge, Vocabulary::Other),
            features: reading.terms(Field::Features, Vocabulary::Other, MOST_TERMS),
            tags: reading.terms(Field::Tags, Vocabulary::Other, MOST_TERMS),
            lens: lens(reading),
            measurements: measurements(reading),
            stored_fits: fits::of_product(reading),
            images: media::images(reading),
            videos: media::videos(reading),
            models: media::models(reading),
            seo: seo(reading),
            quality: reading.share(Field::Quality),
            analytics: analytics(reading),
            featured: reading.truth(Field::Featured).unwrap_or(false),
            sort_order: reading.integer(Field::SortOrder),
            created_at: reading.moment(Field::CreatedAt),
            updated_at: reading.moment(Field::UpdatedAt),
            shopify_id: reading.line(Field::ShopifyId, 100),
            id,
            name,
            price,
            availability,
            quantity,
        };
        if let Some(references) = &self.references {
            references.complete(&mut product, reading.identifier(Field::ExternalId).as_deref());
        }
        Ok(product)
    }

    fn price(&self, reading: &mut Reading<'_, '_, Field>) -> Result<Money, LeftOut> {
        let currency = match reading.one(Field::Currency) {
            None => self.default_currency,
            Some(value) => scalars::text(&value).and_then(|code| Currency::from_code(&code)).ok_or_else(|| {
                let detail = format!("{} is not a currency; write its ISO 4217 code, such as `EUR`", quoted(&value));
                skipped("unknown_currency", Field::Currency, detail)
            })?,
        };
        let Some(value) = reading.one(Field::Price) else {
            return Err(skipped(
                "missing_price",
                Field::Price,
                "a product without a price cannot be sold; give it one",
            ));
        };
        let amount = scalars::decimal(&value)
            .ok_or_else(|| skipped("bad_price", Field::Price, format!("{} is not a price", quoted(&value))))?;
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(skipped("negative_price", Field::Price, format!("{} is below zero", quoted(&value))));
        }
        Money::from_decimal(amount, currency)
            .ok_or_else(|| skipped("bad_price", Field::Price, format!("{} is too large for a price", quoted(&value))))
    }
}

/// Why a product is left out.
struct LeftOut {
    outcome: Outcome,
    reason: &'static str,
    field: Field,
    detail: String,
}

fn skipped(reason: &'static str, field: Field, detail: impl Into<String>) -> LeftOut {
    LeftOut { outcome: Outcome::Skipped, reason, field, detail: detail.into() }
}

/// The reason and sentence for a document that cannot be decoded.
pub(super) fn unreadable(why: &Unreadable) -> (&'static str, String) {
    match why {
        Unreadable::TooLarge => ("too_large", "larger than 16 MiB, the most that a document may be".into()),
        Unreadable::TooDeep => ("too_deep", "nested deeper than 100 levels".into()),
        Unreadable::Malformed(error) => ("unreadable", format!("cannot be read: {}", scalars::clean_line(error, 200))),
    }
}

fn availability(reading: &mut Reading<'_, '_, Field>) -> (Availability, Option<i64>) {
    let quantity = reading.integer(Field::Quantity).map(|quantity| quantity.max(0));
    let threshold = reading.integer(Field::LowStockThreshold);
    let mut availability = Availability::InStock;
    // The least hopeful word counts: a shop that cannot deliver loses more than one that could have.
    for value in reading.many(Field::Availability) {
        match scalars::text(&value).and_then(|words| known_availability(&words)) {
            Some(known) => availability = availability.max(known),
            None => match scalars::truth(&value) {
                Some(true) => {}
                Some(false) => availability = availability.max(Availability::OutOfStock),
                None if !value.is_given() => {}
                None => reading.repaired("unknown_availability", Field::Availability, || {
                    format!("{} is not an availability; stock decided instead", quoted(&value))
                }),
            },
        }
    }
    if reading.truth(Field::InStock) == Some(false) || quantity == Some(0) {
        availability = availability.max(Availability::OutOfStock);
    }
    if quantity.zip(threshold).is_some_and(|(quantity, threshold)| quantity <= threshold) {
        availability = availability.max(Availability::LowStock);
    }
    (availability, quantity)
}

fn known_availability(words: &str) -> Option<Availability> {
    Some(match key_of(words).replace('-', "").as_str() {
        "instock" | "available" => Availability::InStock,
        "lowstock" | "limited" | "limitedavailability" | "fewleft" => Availability::LowStock,
        "outofstock" | "soldout" | "unavailable" => Availability::OutOfStock,
        "discontinued" | "retired" => Availability::Discontinued,
        _ => return None,
    })
}

fn compare_at(reading: &mut Reading<'_, '_, Field>, price: Money) -> Option<Money> {
    let value = reading.one(Field::CompareAtPrice)?;
    let former = scalars::decimal(&value).and_then(|amount| Money::from_decimal(amount, price.currency));
    if former.is_none() {
        reading.repaired("bad_compare_at_price", Field::CompareAtPrice, || {
            format!("{} is not a price, so no former price is shown", quoted(&value))
        });
    }
    former.filter(|former| former.minor > price.minor)
}

fn gtin(reading: &mut Reading<'_, '_, Field>) -> Option<String> {
    let value = reading.one(Field::Gtin)?;
    let gtin = scalars::gtin(&value);
    if gtin.is_none() {
        reading.repaired("bad_gtin", Field::Gtin, || {
            format!("{} is not a barcode with a right check digit, so it was left out", quoted(&value))
        });
    }
    gtin
}

fn description(reading: &mut Reading<'_, '_, Field>) -> String {
    let Some(value) = reading.one(Field::Description) else { return String::new() };
    let (text, was_cut) =
        scalars::text(&value).map(|text| scalars::clean_block(&text, LONGEST_DESCRIPTION)).unwrap_or_default();
    if was_cut {
        reading.repaired("long_description", Field::Description, || {
            format!("longer than {LONGEST_DESCRIPTION} bytes, so the rest was cut")
        });
    }
    text
}

fn brand(reading: &Reading<'_, '_, Field>) -> Option<Reference> {
    let brand = Reference { id: reading.identifier(Field::BrandId), name: reading.line(Field::Brand, 200) };
    (brand != Reference::default()).then_some(brand)
}

fn categories(reading: &Reading<'_, '_, Field>) -> Vec<Reference> {
    let ids = reading.many(Field::CategoryId);
    let ids = ids.iter().filter_map(|value| scalars::identifier(value)).take(MOST_TERMS);
    let ids: Vec<Option<String>> = ids.map(Some).collect();
    let names: Vec<Option<String>> = reading.lines(Field::Category, 200, MOST_TERMS).into_iter().map(Some).collect();
    let mut categories: Vec<Reference> = if ids.len() == names.len() {
        ids.into_iter().zip(names).map(|(id, name)| Reference { id, name }).collect()
    } else {
        let by_id = ids.into_iter().map(|id| Reference { id, name: None });
        by_id.chain(names.into_iter().map(|name| Reference { id: None, name })).collect()
    };
    let mut seen = Vec::new();
    categories.retain(|category| {
        let is_new = !seen.contains(category);
        seen.push(category.clone());
        is_new
    });
    categories
}

fn variants(reading: &Reading<'_, '_, Field>) -> Vec<ColorVariant> {
    let mut variants: Vec<ColorVariant> = Vec::new();
    for item in reading.many(Field::Variants).into_iter().take(MOST_VARIANTS) {
        let line = |key: &str| item.get(key).and_then(|value| line_of(value, 120));
        let color = line("color").or_else(|| line_of(&item, 120));
        let Some(color) = color.and_then(|color| Term::parse(Vocabulary::Color, &color)) else { continue };
        let hex = line("hex").and_then(|hex| Color::parse(&hex)).map(|color| color.to_string());
        let image = line_of_address(item.get("image"));
        let variant = ColorVariant { color, hex, sku: line("sku"), image };
        if !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    variants
}

fn line_of_address(value: Option<&super::document::Value<'_>>) -> Option<String> {
    scalars::media_address(&scalars::text(value?)?, true)
}

fn lens(reading: &Reading<'_, '_, Field>) -> Lens {
    Lens {
        material: reading.term(Field::LensMaterial, Vocabulary::Other),
        color: reading.term(Field::LensColor, Vocabulary::Color),
        kind: reading.term(Field::LensType, Vocabulary::Other),
        coatings: reading.terms(Field::LensCoatings, Vocabulary::Other, MOST_TERMS),
        uv_protection: reading.line(Field::UvProtection, 100),
        polarized: reading.truth(Field::Polarized),
        prescription_ready: reading.truth(Field::PrescriptionReady),
    }
}

fn measurements(reading: &mut Reading<'_, '_, Field>) -> Measurements {
    let mut measure = |field: Field, plausible: std::ops::RangeInclusive<f64>| {
        let value = reading.one(field)?;
        let number = scalars::float(&value).filter(|number| plausible.contains(number));
        if number.is_none() {
            let unit = if field == Field::Weight { "g" } else { "mm" };
            reading.repaired("implausible_measurement", field, || {
                let (low, high) = (plausible.start(), plausible.end());
                format!("{} is not between {low} and {high} {unit}, so it was left out", quoted(&value))
            });
        }
        number.map(|number| number as f32)
    };
    Measurements {
        lens_width: measure(Field::LensWidth, 20.0..=90.0),
        lens_height: measure(Field::LensHeight, 15.0..=80.0),
        bridge: measure(Field::Bridge, 5.0..=40.0),
        temple: measure(Field::Temple, 80.0..=200.0),
        frame_width: measure(Field::FrameWidth, 80.0..=200.0),
        frame_height: measure(Field::FrameHeight, 15.0..=100.0),
        weight: measure(Field::Weight, 1.0..=300.0),
    }
}

fn seo(reading: &Reading<'_, '_, Field>) -> StoredSeo {
    StoredSeo {
        title: reading.line(Field::SeoTitle, LONGEST_SUMMARY),
        description: reading.line(Field::SeoDescription, LONGEST_SUMMARY),
        slug: reading.line(Field::Slug, 200),
        keywords: reading.lines(Field::Keywords, 100, MOST_TERMS),
    }
}

fn analytics(reading: &mut Reading<'_, '_, Field>) -> Analytics {
    let average = reading.one(Field::Rating).and_then(|value| scalars::float(&value));
    let average = average.filter(|average| (1.0..=5.0).contains(average)).map(|average| average as f32);
    let count =
        reading.count(Field::RatingCount).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    Analytics {
        views: reading.count(Field::Views),
        clicks: reading.count(Field::Clicks),
        conversions: reading.count(Field::Conversions),
        rating: average.zip(count),
        popularity: reading.share(Field::Popularity),
    }
}
