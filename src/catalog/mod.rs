//! Products from outside.

pub mod money;
pub mod product;
pub mod text;
pub mod vocabulary;

/// What products refer to.
#[derive(Default)]
pub struct References {
    /// Brands.
    pub brands: Vec<product::Brand>,
    /// Categories.
    pub categories: Vec<product::Category>,
    /// Rules.
    pub rules: Vec<FaceShapeRules>,
}
/// Rules stand-in.
pub struct FaceShapeRules;
/// Counts stand-in.
pub struct EventCounts {
    /// v
    pub views: u64,
    /// c
    pub clicks: u64,
    /// s
    pub conversions: u64,
}
impl References {
    /// stand-in
    pub fn product_fits_of(&self, _product: &product::Product) -> Option<&[Option<product::StoredFit>; 7]> {
        None
    }
    /// stand-in
    pub fn events_of(&self, _product: &product::Product) -> Option<EventCounts> {
        None
    }
}
