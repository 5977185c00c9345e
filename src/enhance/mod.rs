//! What a catalogue leaves out: closed vocabulary, sizes, wording, related products.
//!
//! One product at a time becomes an [`EnhancedProduct`] (kept in the snapshot on disk) and a [`ProductRecord`] (kept
//! in memory where there is room). When all are in, [`EnhancedCatalog`] has what only the whole can tell: slugs, order,
//! neighbours.

pub mod catalog;
pub mod collect;
mod drafts;
mod finish;
pub mod memory;
mod outline;
mod patch;
pub mod record;
pub mod records;
mod related;
mod selection;
pub mod size;
mod slugs;
pub mod snapshot;
pub mod terms;
pub mod tree;
pub mod wording;

pub use catalog::EnhancedCatalog;
pub use collect::{Collector, Comparison, Mapped};
pub use finish::Undecided;
pub use memory::{Damaged, Memory, Standing, Unwritten, Written};
pub use record::ProductRecord;
pub use records::Records;
pub use related::Related;

use crate::catalog::product::Product;
use crate::language::Words;
use crate::score::Scores;
use serde::{Deserialize, Serialize};
use size::FrameSize;

/// A product with everything a product page shows, except what depends on other products.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnhancedProduct {
    /// What the catalogue said.
    pub product: Product,
    /// Display name of the brand, resolved.
    pub brand_name: Option<String>,
    /// Compatibility with each face shape, quality and popularity, with their parts. In the snapshot it stands behind the
    /// rest, for it is as long as that, and feeds and searches do without.
    #[serde(skip)]
    pub scores: Scores,
    /// Size class and printed size; `None` without measurements.
    pub size: Option<FrameSize>,
    /// Description as safe HTML: sanitised, or paragraphs made from plain text, or a text made from the facts.
    pub description_html: String,
    /// One or two plain sentences for cards, feeds and social previews.
    pub summary: String,
    /// Search engine texts.
    pub seo: SeoData,
    /// Alternative text for each of `product.images`, in the same order; never empty, never repeated.
    pub image_alts: Vec<String>,
    /// Alternative text of the drawing that stands in for a missing photo.
    pub drawing_alt: String,
}

impl EnhancedProduct {
    /// A product with the wording of a language.
    pub fn new(words: &Words, product: Product, scores: Scores, brand_name: Option<String>) -> Self {
        let brand = brand_name.as_deref();
        let summary = wording::summary(words, &product, brand);
        Self {
            size: FrameSize::of(&product),
            description_html: wording::description_html(words, &product, brand),
            seo: wording::seo(words, &product, brand, &summary),
            image_alts: wording::image_alts(words, &product, brand),
            drawing_alt: wording::drawing_alt(words, &product, brand),
            summary,
            scores,
            brand_name,
            product,
        }
    }
}

impl EnhancedProduct {
    /// The same product in a further language: what the catalogue has in it, and the wording of that language.
    pub fn in_language(self, words: &Words, locale: &str, brand_name: Option<String>) -> Self {
        let mut product = self.product;
        // Written in the store's own language, like the texts below.
        product.images.iter_mut().for_each(|image| image.alt = None);
        if let Some(translation) = product.translations.remove(locale) {
            product.name = translation.name.unwrap_or(product.name);
            if let Some(description) = translation.description {
                product.description = description;
                product.short_description = None;
            }
            product.short_description = translation.short_description.or(product.short_description);
            product.seo.title = translation.seo_title;
            product.seo.description = translation.seo_description;
        }
        Self::new(words, product, self.scores, brand_name)
    }
}

/// Search engine texts; lengths are in characters as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeoData {
    /// 10..=60 characters, never cut in a word.
    pub title: String,
    /// 50..=160 characters, never cut in a word.
    pub description: String,
    /// Keywords, for the search index.
    pub keywords: Vec<String>,
}
