//! The slim record: what listings, facets, related products and the sitemap need of a product.

use super::size::{Progressive, SizeClass};
use crate::assets::drawing::FrameDrawing;
use crate::catalog::money::Money;
use crate::catalog::product::Availability;
use crate::catalog::vocabulary::FaceShape;
use crate::site::Digest;
use serde::{Deserialize, Serialize};

/// Position of a [`crate::catalog::vocabulary::Term`] in [`super::catalog::Terms`].
pub type TermId = u32;

/// Compatibility in percent, by [`FaceShape::index`]; `None` where nothing is known.
pub type Fits = [Option<u8>; 7];

/// A few hundred bytes of a product; the rest is in the snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProductRecord {
    /// Canonical `_id`.
    pub id: Box<str>,
    /// Unique in the store; the page is `/products/<slug>/`.
    pub slug: Box<str>,
    /// Display name.
    pub name: Box<str>,
    /// Display names in further languages: locale and name.
    pub names: Box<[(Box<str>, Box<str>)]>,
    /// Stock keeping unit.
    pub sku: Option<Box<str>>,
    /// Index into [`super::EnhancedCatalog::brands`].
    pub brand: Option<u32>,
    /// Indices into [`super::EnhancedCatalog::categories`], most specific first, ancestors not included.
    pub categories: Box<[u32]>,
    /// Price asked now.
    pub price: Money,
    /// Former price in minor units of the same currency, above `price`.
    pub compare_at: Option<i64>,
    /// Whether it can be bought.
    pub availability: Availability,
    /// Outline of the front.
    pub frame_shape: Option<TermId>,
    /// What it is sold for.
    pub frame_type: Option<TermId>,
    /// Full-rim, semi-rimless, rimless.
    pub rim: Option<TermId>,
    /// Who it is made for.
    pub gender: Option<TermId>,
    /// Frame materials.
    pub materials: Box<[TermId]>,
    /// Frame colours.
    pub colors: Box<[TermId]>,
    /// Selling points.
    pub features: Box<[TermId]>,
    /// Can be glazed to a prescription.
    pub prescription_ready: bool,
    /// Whether progressive lenses fit.
    pub progressive: Progressive,
    /// Size class.
    pub size: Option<SizeClass>,
    /// How well it suits faces.
    pub fits: Fits,
    /// Quality in thousandths.
    pub quality: u16,
    /// Popularity in thousandths.
    pub popularity: u16,
    /// Hand-picked for the home page.
    pub featured: bool,
    /// Hand-made order, lower first.
    pub sort_order: Option<i64>,
    /// Milliseconds since 1970-01-01 UTC.
    pub created_at: Option<i64>,
    /// Milliseconds since 1970-01-01 UTC.
    pub updated_at: Option<i64>,
    /// Estimated or measured front width in tenths of a millimetre.
    pub front_width: Option<u16>,
    /// Source of the first picture and its alternative text.
    pub image: Option<(Box<str>, Box<str>)>,
    /// Some of its pictures or 3D models are on servers.
    pub has_web_media: bool,
    /// Some of its pictures or 3D models are in the database.
    pub has_stored_media: bool,
    /// Some of its pictures are files, or written into the catalogue.
    pub has_files: bool,
    /// Paths in the store of its 3D models that are there.
    pub models: Box<[Box<str>]>,
    /// Number of colours the frame comes in, itself included.
    pub color_count: u8,
    /// Where the full product is in the snapshot: offset and length in bytes.
    pub snapshot: (u64, u32),
    /// Hash of everything that is known of the product, its pictures' files included.
    pub content: Digest,
    /// Hash of what it is found by.
    pub searched: Digest,
    /// What the stand-in drawing shows.
    pub drawing: FrameDrawing,
}

/// Lowest compatibility in percent at which a frame is listed for a face shape. Neutral cells of the rules come to
/// about 61 on their own.
pub const LISTED_FIT: u8 = 70;

/// The beginning of an id, for sorting by ids: they are somewhere else in memory, and most differ in their first letters.
pub(super) fn beginning_of(id: &str) -> [u8; 24] {
    std::array::from_fn(|at| id.as_bytes().get(at).copied().unwrap_or_default())
}

impl ProductRecord {
    /// Whether anything of it has to be fetched; `from_web` is whether pictures and models on servers are.
    pub fn needs_fetching(&self, from_web: bool) -> bool {
        self.has_stored_media || (from_web && self.has_web_media)
    }

    /// Whether it is listed for a face shape.
    pub fn suits(&self, shape: FaceShape) -> bool {
        suits(&self.fits, shape)
    }
}

/// Whether what suits faces like this is listed for a face shape.
pub fn suits(fits: &Fits, shape: FaceShape) -> bool {
    fits[shape.index()].is_some_and(|fit| fit >= LISTED_FIT)
}
