//! Product cards: one fragment a product, pasted into every listing that shows it.
//!
//! A product appears in a dozen listings, and a card costs some microseconds, so finished cards are kept: in memory up to
//! a fixed budget, for 100,000 products would need some 80 MB for theirs, and on disk beside the products beyond that.

use super::plan::product_path;
use super::price::discount_percent;
use super::shop::{Img, Shop};
use crate::assets::image::MAKER;
use crate::catalog::money::Money;
use crate::catalog::product::Availability;
use crate::catalog::vocabulary::FaceShape;
use crate::enhance::ProductRecord;
use crate::enhance::snapshot::Location;
use crate::score::{FaceShapeCompatibility, Strength};
use serde::Serialize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of finished cards that are kept in memory.
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
    is_first: bool,
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

/// The template of a card.
const TEMPLATE: &str = "fragments/card";

/// Finished cards, by record, as all pages but those of face shapes show them.
pub(crate) struct Cards {
    finished: Vec<OnceLock<Kept>>,
    /// Bytes in memory.
    size: AtomicUsize,
}

enum Kept {
    InMemory(Box<str>),
    OnDisk(Location),
}

impl Kept {
    fn push(&self, shop: &Shop<'_>, out: &mut String) -> anyhow::Result<()> {
        match self {
            Self::InMemory(card) => out.push_str(card),
            Self::OnDisk(location) => shop.catalog.snapshot.push_text(*location, out)?,
        }
        Ok(())
    }
}

impl Cards {
    pub(crate) fn new(count: usize) -> Self {
        Self { finished: std::iter::repeat_with(OnceLock::new).take(count).collect(), size: AtomicUsize::new(0) }
    }

    /// Appends the card of a record to `out`.
    ///
    /// # Errors
    /// When the theme's card template asks for something that is not there, or the disk fails.
    pub(crate) fn push(
        &self,
        shop: &Shop<'_>,
        index: u32,
        placement: Placement,
        out: &mut String,
    ) -> anyhow::Result<()> {
        let Some(place) = self.finished.get(index as usize) else { return Ok(()) };
        // Most cards are finished and look the same everywhere, so that their records need not be read.
        let is_usual = placement == Placement::default();
        if let Some(kept) = place.get().filter(|_| is_usual) {
            return kept.push(shop, out);
        }
        let Some(record) = shop.record(index) else { return Ok(()) };
        let record = &*record;
        let strength = placement.face.and_then(|face| strength_of(record, face));
        if placement.eager || placement.first || strength.is_some() {
            return render(shop, record, placement, strength, out);
        }
        if let Some(kept) = place.get() {
            return kept.push(shop, out);
        }
        let start = out.len();
        render(shop, record, placement, strength, out)?;
        let card = &out[start..];
        let kept = if self.size.fetch_add(card.len(), Ordering::Relaxed) < KEPT_BYTES {
            Kept::InMemory(card.into())
        } else {
            Kept::OnDisk(shop.catalog.snapshot.add(card.as_bytes())?)
        };
        // Two threads may have made the same card at once; they are equal, and either will do.
        let _ = place.set(kept);
        Ok(())
    }
}

/// A hash of all but the products that every card in a language is made from.
pub(crate) fn look(shop: &Shop<'_>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(MAKER.as_bytes());
    shop.templates.digest_of(TEMPLATE).iter().for_each(|digest| _ = hasher.update(digest.as_bytes()));
    let config = shop.config;
    let settings = (&config.images, &config.assets_url, config.enable_face_shape_filter);
    hasher.update(format!("{settings:?} {} {} {:?}", shop.locale, shop.links.home(), shop.words).as_bytes());
    hasher.finalize()
}

fn render(
    shop: &Shop<'_>,
    record: &ProductRecord,
    placement: Placement,
    strength: Option<Strength>,
    out: &mut String,
) -> anyhow::Result<()> {
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
        is_first: placement.first,
    };
    shop.templates.render_into(TEMPLATE, &card, out)
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
