//! The enhanced catalogue: slim records in the store's order, brands, the category tree, terms.

use super::EnhancedProduct;
use super::record::ProductRecord;
use super::records::Records;
use super::related::Related;
use super::snapshot::Snapshot;
use super::terms::Terms;
use super::tree::CategoryNode;
use super::wording::{self, LONGEST_DESCRIPTION, LONGEST_TITLE};
use crate::catalog::product::Brand;
use crate::language::Words;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All that pages are planned from. Indices (`u32`) into its vectors are stable for the run.
pub struct EnhancedCatalog {
    /// In the store's sort order.
    pub records: Records,
    /// For each record the places of related ones.
    pub related: Related,
    /// Brands that have at least one product, by name; `slug` is unique.
    pub brands: Vec<Brand>,
    /// Categories in tree order (parents before children); only those with a product in them or below.
    pub categories: Vec<CategoryNode>,
    /// Interned terms.
    pub terms: Terms,
    /// Full products on disk.
    pub snapshot: Arc<Snapshot>,
    /// What tells products apart whose search engine texts would be the same, by index of the record.
    pub differences: BTreeMap<u32, String>,
    /// Where it differs from the one that this process made before it; `None` where that is not known.
    pub touched: Option<Touched>,
}

/// Where a catalogue differs from the one before it, which has the same products, brands, categories and terms in the
/// same order.
#[derive(Debug, Default)]
pub struct Touched {
    /// Records that are not the same, as they were, by their indices.
    pub records: BTreeMap<u32, ProductRecord>,
    /// Indices of records that have other related ones.
    pub neighbours: BTreeSet<u32>,
}

impl EnhancedCatalog {
    /// Reads the full product of a record; safe to call from many threads.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn product(&self, index: u32) -> Result<EnhancedProduct> {
        self.product_of(index, &self.records.at(index))
    }

    /// The same where the record is at hand.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn product_of(&self, index: u32, record: &ProductRecord) -> Result<EnhancedProduct> {
        let mut product = self.snapshot.read(record.snapshot)?;
        self.distinguish(index, &mut product);
        Ok(product)
    }

    /// The same without its scores, which takes half the time.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn product_without_scores(&self, index: u32, record: &ProductRecord) -> Result<EnhancedProduct> {
        let mut product = self.snapshot.read_without_scores(record.snapshot)?;
        self.distinguish(index, &mut product);
        Ok(product)
    }

    /// Adds what tells a product from others whose search engine texts would be the same.
    fn distinguish(&self, index: u32, product: &mut EnhancedProduct) {
        if let Some(difference) = self.differences.get(&index) {
            let seo = &mut product.seo;
            seo.title = wording::distinguished(&seo.title, difference, LONGEST_TITLE);
            seo.description = wording::distinguished(&seo.description, difference, LONGEST_DESCRIPTION);
        }
    }

    /// The full product of a record in a further language.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn product_in(
        &self,
        index: u32,
        record: &ProductRecord,
        words: &Words,
        locale: &str,
    ) -> Result<EnhancedProduct> {
        let product: EnhancedProduct = self.snapshot.read(record.snapshot)?;
        let brand = record.brand.and_then(|brand| self.brands.get(brand as usize));
        let brand_name = brand.and_then(|brand| brand.translations.get(locale)?.name.clone());
        let brand_name = brand_name.or_else(|| product.brand_name.clone());
        let mut product = product.in_language(words, locale, brand_name);
        self.distinguish(index, &mut product);
        Ok(product)
    }
}
