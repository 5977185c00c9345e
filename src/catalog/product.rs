//! A product as the rest of storegen knows it: what the catalogue said, parsed once and trusted from here on.
//!
//! Confidential fields of the source documents (cost price, price history, warehouse locations, internal notes,
//! authors) have no place in these types, so nothing downstream can leak them.

use super::money::Money;
use super::vocabulary::Term;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One sellable product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Canonical text of the document's `_id`; unique in a run.
    pub id: String,
    /// Stock keeping unit.
    pub sku: Option<String>,
    /// Barcode (UPC, EAN, GTIN) as digits; only kept when its check digit is right.
    pub gtin: Option<String>,
    /// Display name, never blank, control characters removed, at most 300 characters.
    pub name: String,
    /// Long description as it was written; may hold HTML that nobody has sanitised yet.
    pub description: String,
    /// One or two sentences, if the catalogue has them.
    pub short_description: Option<String>,
    /// Brand reference.
    pub brand: Option<Reference>,
    /// Category references, most specific first.
    pub categories: Vec<Reference>,
    /// Price asked now.
    pub price: Money,
    /// Former or list price; always above `price` and in its currency.
    pub compare_at: Option<Money>,
    /// Whether it can be bought.
    pub availability: Availability,
    /// Pieces in stock, when known; shown as "few left", never as a number.
    pub quantity: Option<i64>,
    /// Prescription, sunglasses, blue-light, reading.
    pub frame_type: Option<Term>,
    /// Outline of the front.
    pub frame_shape: Option<Term>,
    /// Full-rim, semi-rimless, rimless.
    pub rim: Option<Term>,
    /// Frame materials, main one first.
    pub materials: Vec<Term>,
    /// Frame colours, main one first.
    pub colors: Vec<Term>,
    /// The same frame in other colours.
    pub variants: Vec<ColorVariant>,
    /// Who it is made for.
    pub gender: Option<Term>,
    /// Adult, teen, child.
    pub age_group: Option<Term>,
    /// Classic, sporty, vintage.
    pub style: Option<Term>,
    /// Hinge type.
    pub hinge: Option<Term>,
    /// Selling points: spring hinges, adjustable nose pads, low-bridge fit.
    pub features: Vec<Term>,
    /// Free labels.
    pub tags: Vec<Term>,
    /// Lens facts.
    pub lens: Lens,
    /// Dimensions of the frame.
    pub measurements: Measurements,
    /// Scores that came with the product, indexed by [`super::vocabulary::FaceShape::index`].
    pub stored_fits: [Option<StoredFit>; 7],
    /// Pictures in display order.
    pub images: Vec<Image>,
    /// Videos.
    pub videos: Vec<Video>,
    /// 3D models.
    pub models: Vec<ArModel>,
    /// Search engine texts that came with the product.
    pub seo: StoredSeo,
    /// Its texts in further languages.
    pub translations: Translations,
    /// Data quality 0..=1 that came with the product.
    pub quality: Option<f32>,
    /// Numbers on how well it is liked.
    pub analytics: Analytics,
    /// Hand-picked for the home page.
    pub featured: bool,
    /// Hand-made order, lower first.
    pub sort_order: Option<i64>,
    /// Milliseconds since 1970-01-01 UTC.
    pub created_at: Option<i64>,
    /// Milliseconds since 1970-01-01 UTC.
    pub updated_at: Option<i64>,
    /// The product's id in Shopify, if it is sold there already.
    pub shopify_id: Option<String>,
    /// The id of its variant in Shopify, which carts are made of; digits.
    pub shopify_variant_id: Option<String>,
    /// Where it can be paid for, such as a Stripe payment link; an `https` URL.
    pub payment_link: Option<String>,
}

/// Texts in a further language of the store; what is absent is shown in the store's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// Display name.
    pub name: Option<String>,
    /// Long description, not sanitised.
    pub description: Option<String>,
    /// One or two sentences.
    pub short_description: Option<String>,
    /// Title for search engines.
    pub seo_title: Option<String>,
    /// Description for search engines.
    pub seo_description: Option<String>,
}

/// Texts by the locale that they are for; only of locales that the store has.
pub type Translations = BTreeMap<String, Translation>;

/// A pointer to a brand or category: by id, by name, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Canonical text of the referenced `_id`.
    pub id: Option<String>,
    /// Name written in the product itself.
    pub name: Option<String>,
}

/// Whether a product can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are the catalogue's own words")]
pub enum Availability {
    InStock,
    LowStock,
    OutOfStock,
    Discontinued,
}

impl Availability {
    /// Key, as in documents and URLs.
    pub fn key(self) -> &'static str {
        match self {
            Self::InStock => "in-stock",
            Self::LowStock => "low-stock",
            Self::OutOfStock => "out-of-stock",
            Self::Discontinued => "discontinued",
        }
    }

    /// Whether it can be ordered now.
    pub fn is_available(self) -> bool {
        matches!(self, Self::InStock | Self::LowStock)
    }
}

/// The same frame in another colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColorVariant {
    /// Colour.
    pub color: Term,
    /// CSS hex colour such as `#1a2b3c`, if the catalogue has one.
    pub hex: Option<String>,
    /// Stock keeping unit of the variant.
    pub sku: Option<String>,
    /// Picture of the variant.
    pub image: Option<String>,
    /// The id of the variant in Shopify; digits.
    pub shopify_variant_id: Option<String>,
}

/// Lens facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lens {
    /// Polycarbonate, CR-39, glass.
    pub material: Option<Term>,
    /// Tint.
    pub color: Option<Term>,
    /// Single vision, progressive, plano.
    pub kind: Option<Term>,
    /// Anti-reflective, scratch-resistant.
    pub coatings: Vec<Term>,
    /// Protection as worded by the catalogue, such as `UV400`.
    pub uv_protection: Option<String>,
    /// Polarised lenses.
    pub polarized: Option<bool>,
    /// Can be glazed to a prescription.
    pub prescription_ready: Option<bool>,
}

/// Dimensions in millimetres, weight in grams; each is positive and plausible or absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// Width of one lens (the A measurement), 20..=90 mm.
    pub lens_width: Option<f32>,
    /// Height of one lens (the B measurement), 15..=80 mm.
    pub lens_height: Option<f32>,
    /// Between the lenses, 5..=40 mm.
    pub bridge: Option<f32>,
    /// Length of a temple, 80..=200 mm.
    pub temple: Option<f32>,
    /// Whole front, edge to edge, 80..=200 mm.
    pub frame_width: Option<f32>,
    /// Height of the front, 15..=100 mm.
    pub frame_height: Option<f32>,
    /// Weight, 1..=300 g.
    pub weight: Option<f32>,
}

/// A face-shape score that came with the product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredFit {
    /// 0..=1.
    pub score: f32,
    /// 0..=1; absent when the catalogue does not say.
    pub confidence: Option<f32>,
    /// In the catalogue's words.
    pub reasons: Vec<String>,
}

impl Product {
    /// Sources of everything that its page shows as a picture, in order; one may be there twice.
    pub fn pictures(&self) -> impl Iterator<Item = &str> {
        let images = self.images.iter().map(|image| image.source.as_str());
        images.chain(self.variants.iter().filter_map(|variant| variant.image.as_deref()))
    }
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `http(s)` URL or a path relative to the catalogue.
    pub source: String,
    /// Text for those who do not see it.
    pub alt: Option<String>,
    /// primary, angle, detail, lifestyle, try-on.
    pub role: Option<String>,
    /// Width and height in pixels, when the catalogue says.
    pub dimensions: Option<(u32, u32)>,
}

/// A video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// `http(s)` URL or a path relative to the catalogue.
    pub source: String,
    /// Still picture.
    pub thumbnail: Option<String>,
    /// Seconds.
    pub duration: Option<u32>,
}

/// A 3D model for viewing or trying on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArModel {
    /// `http(s)` URL or a path relative to the catalogue.
    pub source: String,
    /// As the catalogue, or else the ending of the address, says.
    pub format: ModelFormat,
}

/// What a 3D model is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelFormat {
    /// `.glb` or `.gltf`, which browsers can draw.
    Gltf,
    /// `.usdz`, which Apple's phones show in the room.
    Usdz,
}

/// Search engine texts that came with the product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSeo {
    /// Page title.
    pub title: Option<String>,
    /// Meta description.
    pub description: Option<String>,
    /// Wished-for slug, not yet checked.
    pub slug: Option<String>,
    /// Keywords.
    pub keywords: Vec<String>,
}

/// Numbers on how well a product is liked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Analytics {
    /// Page views.
    pub views: Option<u64>,
    /// Clicks from listings.
    pub clicks: Option<u64>,
    /// Sales.
    pub conversions: Option<u64>,
    /// Mean rating 1..=5 and how many gave one; both or neither.
    pub rating: Option<(f32, u32)>,
    /// Popularity 0..=1 computed elsewhere.
    pub popularity: Option<f32>,
}

/// A brand document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brand {
    /// Canonical `_id`.
    pub id: String,
    /// Display name, never blank.
    pub name: String,
    /// Wished-for slug, not yet unique.
    pub slug: String,
    /// Plain or HTML text about the brand, not sanitised.
    pub description: Option<String>,
    /// Country of origin.
    pub country: Option<String>,
    /// Year it was founded.
    pub established: Option<u16>,
    /// Official site; an `http(s)` URL.
    pub website: Option<String>,
    /// Logo picture.
    pub logo: Option<String>,
    /// Shown before the others.
    pub featured: bool,
    /// Hand-made order, lower first.
    pub sort_order: Option<i64>,
    /// Its name and description in further languages.
    pub translations: Translations,
}

/// A category document as it stood in the database, before the tree is built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Canonical `_id`.
    pub id: String,
    /// Display name, never blank.
    pub name: String,
    /// Wished-for slug, not yet unique.
    pub slug: String,
    /// Canonical `_id` of the parent; absent at the root.
    pub parent: Option<String>,
    /// Plain or HTML text about the category, not sanitised.
    pub description: Option<String>,
    /// Inactive or invisible categories are kept for their children's place but get no page.
    pub visible: bool,
    /// Hand-made order, lower first.
    pub sort_order: Option<i64>,
    /// Its name and description in further languages.
    pub translations: Translations,
}

#[cfg(test)]
impl Product {
    /// A sellable product with nothing but id, name and price, for tests to build on.
    pub(crate) fn sample(id: &str, name: &str) -> Self {
        let currency = super::money::Currency::from_code("EUR").expect("EUR exists");
        Self {
            id: id.into(),
            sku: None,
            gtin: None,
            name: name.into(),
            description: String::new(),
            short_description: None,
            brand: None,
            categories: Vec::new(),
            price: Money { minor: 12_900, currency },
            compare_at: None,
            availability: Availability::InStock,
            quantity: None,
            frame_type: None,
            frame_shape: None,
            rim: None,
            materials: Vec::new(),
            colors: Vec::new(),
            variants: Vec::new(),
            gender: None,
            age_group: None,
            style: None,
            hinge: None,
            features: Vec::new(),
            tags: Vec::new(),
            lens: Lens::default(),
            measurements: Measurements::default(),
            stored_fits: Default::default(),
            images: Vec::new(),
            videos: Vec::new(),
            models: Vec::new(),
            seo: StoredSeo::default(),
            translations: Translations::new(),
            quality: None,
            analytics: Analytics::default(),
            featured: false,
            sort_order: None,
            created_at: None,
            updated_at: None,
            shopify_id: None,
            shopify_variant_id: None,
            payment_link: None,
        }
    }
}
