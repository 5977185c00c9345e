//! Quality of a product's document: how much of what a shopper needs it holds.
//!
//! A quality score that came with the product is taken as it is. Where there is none, the parts below are weighed; the
//! weights follow what a product page can least do without, and add up to one.

use crate::catalog::product::Product;

/// A part of the quality score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// What was looked at.
    pub name: &'static str,
    /// Share of the whole, 0..=1.
    pub weight: f64,
    /// How far it is met, 0..=1.
    pub met: f64,
}

/// The parts of a product's quality, in a fixed order; their weights add up to one.
pub fn parts(product: &Product) -> [Part; 10] {
    let described = product.description.chars().count().min(300) as f64 / 300.0;
    let measured = &product.measurements;
    let dimensions =
        [measured.lens_width, measured.bridge, measured.temple, measured.frame_width.or(measured.lens_height)];
    let known = |flag: bool| if flag { 1.0 } else { 0.0 };
    let part = |name, weight, met| Part { name, weight, met };
    [
        part("description", 0.20, described),
        part("pictures", 0.20, product.images.len().min(3) as f64 / 3.0),
        part("measurements", 0.15, dimensions.iter().flatten().count() as f64 / 4.0),
        part("brand", 0.10, known(product.brand.is_some())),
        part("frame shape", 0.10, known(product.frame_shape.is_some())),
        part("material", 0.07, known(!product.materials.is_empty())),
        part("colour", 0.06, known(!product.colors.is_empty())),
        part("category", 0.05, known(!product.categories.is_empty())),
        part("stock unit or barcode", 0.04, known(product.sku.is_some() || product.gtin.is_some())),
        part("frame type", 0.03, known(product.frame_type.is_some())),
    ]
}

/// Quality, 0..=1.
pub fn quality(product: &Product) -> f64 {
    product
        .quality
        .map_or_else(|| parts(product).iter().map(|part| part.weight * part.met).sum(), f64::from)
        .clamp(0.0, 1.0)
}
