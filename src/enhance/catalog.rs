//! The enhanced catalogue: slim records in the store's order, brands, the category tree, terms.

use super::EnhancedProduct;
use super::record::{ProductRecord, TermId};
use crate::catalog::product::Brand;
use crate::catalog::vocabulary::Term;

/// All that pages are planned from. Indices (`u32`) into its vectors are stable for the run.
pub struct EnhancedCatalog {
    /// In the store's sort order.
    pub records: Vec<ProductRecord>,
    /// Brands that have at least one product, by name; `slug` is unique.
    pub brands: Vec<Brand>,
    /// Categories in tree order (parents before children); only those with a product in them or below.
    pub categories: Vec<CategoryNode>,
    /// Interned terms.
    pub terms: Terms,
    /// Full products on disk.
    pub snapshot: Snapshot,
}

/// A category in the tree.
#[derive(Clone, Debug)]
pub struct CategoryNode {
    /// Display name.
    pub name: String,
    /// Unique among all categories; a nested category's page is `/categories/<root>/<child>/`.
    pub slug: String,
    /// Safe HTML about the category.
    pub description_html: Option<String>,
    /// Index of the parent.
    pub parent: Option<u32>,
    /// Indices of the children, in order.
    pub children: Vec<u32>,
}

/// Interned terms, by [`TermId`].
#[derive(Default)]
pub struct Terms {
    terms: Vec<Term>,
}

impl Terms {
    /// The term of an id.
    pub fn get(&self, id: TermId) -> &Term {
        &self.terms[id as usize]
    }
}

/// Full products in an append-only file.
pub struct Snapshot;

impl Snapshot {
    /// Reads the full product of a record; safe to call from many threads.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, _record: &ProductRecord) -> anyhow::Result<EnhancedProduct> {
        anyhow::bail!("skeleton")
    }
}
