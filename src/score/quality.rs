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

/// What is looked at, and its share of the whole; the shares add up to one.
pub const PARTS: [(&str, f64); 10] = [
    ("description", 0.20),
    ("pictures", 0.20),
    ("measurements", 0.15),
    ("brand", 0.10),
    ("frame shape", 0.10),
    ("material", 0.07),
    ("colour", 0.06),
    ("category", 0.05),
    ("stock unit or barcode", 0.04),
    ("frame type", 0.03),
];

/// How far a product meets each of [`PARTS`], in that order.
pub fn parts(product: &Product) -> [Part; 10] {
    let measured = &product.measurements;
    let dimensions =
        [measured.lens_width, measured.bridge, measured.temple, measured.frame_width.or(measured.lens_height)];
    let known = |flag: bool| if flag { 1.0 } else { 0.0 };
    let met = [
        product.description.chars().count().min(300) as f64 / 300.0,
        product.images.len().min(3) as f64 / 3.0,
        dimensions.iter().flatten().count() as f64 / 4.0,
        known(product.brand.is_some()),
        known(product.frame_shape.is_some()),
        known(!product.materials.is_empty()),
        known(!product.colors.is_empty()),
        known(!product.categories.is_empty()),
        known(product.sku.is_some() || product.gtin.is_some()),
        known(product.frame_type.is_some()),
    ];
    std::array::from_fn(|at| {
        let (name, weight) = PARTS[at];
        Part { name, weight, met: met[at] }
    })
}

/// Quality, 0..=1.
pub fn quality(product: &Product) -> f64 {
    product
        .quality
        .map_or_else(|| parts(product).iter().map(|part| part.weight * part.met).sum(), f64::from)
        .clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_add_up_to_one() {
        let sum: f64 = PARTS.iter().map(|(_, weight)| weight).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_stored_quality_is_taken_and_bounded() {
        let mut product = Product::sample("a", "Nora");
        assert_eq!(quality(&product), 0.0);
        product.description = "x".repeat(150);
        assert!((quality(&product) - 0.10).abs() < 1e-9);
        product.quality = Some(7.0);
        assert_eq!(quality(&product), 1.0);
    }
}
