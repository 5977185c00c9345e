//! Product cards: one fragment a product, pasted into every listing that shows it.
//!
//! A product appears in a dozen listings, and a card costs some microseconds, so finished cards are kept, up to a fixed
//! budget: 100,000 products would need some 80 MB for theirs, which is more than all the rest of the run takes.

use super::plan::product_path;
use super::price::discount_percent;
use super::shop::{Img, Shop};
use crate::catalog::money::Money;
use crate::catalog::product::Availability;
use crate::catalog::vocabulary::FaceShape;
use crate::enhance::ProductRecord;
use crate::score::{FaceShapeCompatibility, Strength};
use serde::Serialize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of finished cards that are kept.
const KEPT_BYTES: usize = 24 * 1024 * 1024;

/// How a card is shown where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Near the top of the page: its picture is loaded at once.
    pub(crate) eager: bool,
    /// The first picture of the page.
    pub(crate) first: bool,
    /// In the listing of a face shape: the card says how strongly it is suggested.
    pub(crate) face: Option<FaceShape>,
}

#[derive(Serialize)]
struct Card<'a> {
    url: String,
    slug: &'a str,
    /// Keys of the face shapes it suits, with spaces between.
    suits: String,
    name: &'a str,
    brand: Option<&'a str>,
    picture: Img,
    price: Price,
    badge: Option<&'a str>,
    class: &'static str,
    picture_class: &'static str,
    note: Option<String>,
    strength: Option<&'a str>,
    loading: &'static str,
    priority: &'static str,
}

/// A price in words for templates.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Price {
    pub(crate) now: String,
    pub(crate) before: Option<String>,
    pub(crate) saved: Option<String>,
}

impl Price {
    pub(crate) fn new(shop: &Shop<'_>, price: Money, compare_at: Option<i64>) -> Self {
        let before = compare_at.map(|minor| shop.prices.write(Money { minor, currency: price.currency }));
        let percent = compare_at.and_then(|before| discount_percent(price.minor, before));
        Self {
            now: shop.prices.write(price),
            before,
            saved: percent.map(|percent| shop.words.fill("saved", &[("percent", &percent.to_string())])),
        }
    }
}

/// Finished cards, by record and by what they say of a face shape: nothing, or one of three strengths.
pub(crate) struct Cards {
    finished: Vec<[OnceLock<Box<str>>; 4]>,
    kept: AtomicUsize,
}

impl Cards {
    pub(crate) fn new(count: usize) -> Self {
        Self { finished: std::iter::repeat_with(Default::default).take(count).collect(), kept: AtomicUsize::new(0) }
    }

    /// Appends the card of a record to `out`.
    ///
    /// # Errors
    /// When the theme's card template asks for something that is not there.
    pub(crate) fn push(
        &self,
        shop: &Shop<'_>,
        index: u32,
        placement: Placement,
        out: &mut String,
    ) -> anyhow::Result<()> {
        let Some(record) = shop.record(index) else { return Ok(()) };
        let strength = placement.face.and_then(|face| strength_of(record, face));
        if placement.eager || placement.first {
            out.push_str(&render(shop, record, placement, strength)?);
            return Ok(());
        }
        let place = &self.finished[index as usize][strength.map_or(0, |strength| 1 + strength as usize)];
        if let Some(card) = place.get() {
            out.push_str(card);
            return Ok(());
        }
        let card = render(shop, record, placement, strength)?;
        out.push_str(&card);
        if self.kept.load(Ordering::Relaxed) < KEPT_BYTES {
            self.kept.fetch_add(card.len(), Ordering::Relaxed);
            // Two threads may have made the same card at once; they are equal, and either will do.
            let _ = place.set(card.into());
        }
        Ok(())
    }
}

fn render(
    shop: &Shop<'_>,
    record: &ProductRecord,
    placement: Placement,
    strength: Option<Strength>,
) -> anyhow::Result<String> {
    let picture = shop.card_picture(record);
    let picture_class = if picture.is_drawing { "card-picture has-drawing" } else { "card-picture" };
    let card = Card {
        url: shop.links.local(&product_path(&record.slug)),
        slug: &record.slug,
        suits: suits(shop, record),
        name: shop.name(record),
        brand: shop.brand_name(record),
        picture,
        price: Price::new(shop, record.price, record.compare_at),
        badge: badge(shop, record),
        class: if record.availability.is_available() { "card" } else { "card card-unavailable" },
        picture_class,
        note: note(shop, record),
        strength: strength.map(|strength| strength.label(shop.words)),
        loading: if placement.eager { "eager" } else { "lazy" },
        priority: if placement.first { "high" } else { "auto" },
    };
    shop.templates.render("fragments/card", &card)
}

/// Keys of the face shapes that a frame suits, with spaces between.
pub(crate) fn suits(shop: &Shop<'_>, record: &ProductRecord) -> String {
    if !shop.config.enable_face_shape_filter {
        return String::new();
    }
    let suiting = FaceShape::ALL.into_iter().filter(|shape| record.suits(*shape));
    suiting.map(FaceShape::key).collect::<Vec<_>>().join(" ")
}

/// Size and number of colours.
fn note(shop: &Shop<'_>, record: &ProductRecord) -> Option<String> {
    let size = record.size.map(|size| size.label().to_string());
    let colors = usize::from(record.color_count);
    let colors = (colors > 1).then(|| shop.words.count("colors", colors, &[("count", &colors.to_string())]));
    match (size, colors) {
        (Some(size), Some(colors)) => Some(shop.words.list([size.as_str(), colors.as_str()])),
        (size, colors) => size.or(colors),
    }
}

/// The most important thing to say about a product in one or two words.
fn badge<'a>(shop: &'a Shop<'_>, record: &ProductRecord) -> Option<&'a str> {
    match record.availability {
        Availability::OutOfStock => Some(shop.words.say("sold_out")),
        Availability::Discontinued => Some(shop.words.say("discontinued")),
        Availability::LowStock => Some(shop.words.say("few_left")),
        Availability::InStock if record.compare_at.is_some() => Some(shop.words.say("sale")),
        Availability::InStock => None,
    }
}

fn strength_of(record: &ProductRecord, face: FaceShape) -> Option<Strength> {
    let percent = record.fits[face.index()]?;
    let fit = FaceShapeCompatibility {
        score: f32::from(percent) / 100.0,
        confidence: 1.0,
        reasons: Vec::new(),
        caveat: None,
    };
    Some(fit.strength())
}
