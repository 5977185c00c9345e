//! Which products are in the store: `product_filters`, applied to what a product turned out to be.
//!
//! The database may have left some products out already; this is the rule that counts, for every source alike.

use crate::catalog::product::{Brand, Product};
use crate::catalog::vocabulary::{Term, key_of};
use crate::config::ProductFilters;
use crate::enhance::tree::CategoryNode;
use crate::score::Scores;
use rust_decimal::Decimal;

/// What the filters look at.
pub(super) struct Candidate<'a> {
    /// The product.
    pub(super) product: &'a Product,
    /// Its scores.
    pub(super) scores: &'a Scores,
    /// Its brand document, if there is one.
    pub(super) brand: Option<&'a Brand>,
    /// Its categories and all their ancestors.
    pub(super) lineage: &'a [&'a CategoryNode],
}

/// The name of the first filter that leaves the product out; `None` lets it in.
pub(super) fn left_out_by(filters: &ProductFilters, candidate: &Candidate<'_>) -> Option<&'static str> {
    let Candidate { product, scores, .. } = candidate;
    let is_wanted = |wanted: &[String], term: &Term| wanted.iter().any(|key| term.key == *key);
    let among =
        |wanted: &[String], term: Option<&Term>| wanted.is_empty() || term.is_some_and(|term| is_wanted(wanted, term));
    let any_among =
        |wanted: &[String], terms: &[Term]| wanted.is_empty() || terms.iter().any(|term| is_wanted(wanted, term));
    let checks: [(&'static str, bool); 11] = [
        ("in_stock", filters.in_stock.is_none_or(|wanted| product.availability.is_available() == wanted)),
        ("min_quality_score", filters.min_quality_score.is_none_or(|least| scores.quality >= least)),
        ("frame_type", among(&filters.frame_type, product.frame_type.as_ref())),
        ("brand", filters.brand.is_empty() || brand_matches(&filters.brand, candidate)),
        ("category", filters.category.is_empty() || category_matches(&filters.category, candidate)),
        ("gender", gender_matches(&filters.gender, product.gender.as_ref())),
        ("frame_shape", among(&filters.frame_shape, product.frame_shape.as_ref())),
        ("material", any_among(&filters.material, &product.materials)),
        ("price", price_matches(filters, product)),
        ("face_shape", face_shape_matches(filters, scores)),
        ("tags", any_among(&filters.tags, &product.tags)),
    ];
    checks.into_iter().find(|(_, passes)| !passes).map(|(name, _)| name)
}

fn named(wanted: &[String], ids_and_names: &[Option<&str>]) -> bool {
    ids_and_names.iter().flatten().any(|text| {
        let key = key_of(text);
        wanted.iter().any(|wish| wish == text || key_of(wish) == key)
    })
}

fn brand_matches(wanted: &[String], candidate: &Candidate<'_>) -> bool {
    let reference = candidate.product.brand.as_ref();
    let brand = candidate.brand;
    named(
        wanted,
        &[
            reference.and_then(|reference| reference.id.as_deref()),
            reference.and_then(|reference| reference.name.as_deref()),
            brand.map(|brand| brand.id.as_str()),
            brand.map(|brand| brand.name.as_str()),
            brand.map(|brand| brand.slug.as_str()).filter(|slug| !slug.is_empty()),
        ],
    )
}

fn category_matches(wanted: &[String], candidate: &Candidate<'_>) -> bool {
    let own =
        candidate.product.categories.iter().flat_map(|reference| [reference.id.as_deref(), reference.name.as_deref()]);
    let tree = candidate
        .lineage
        .iter()
        .flat_map(|node| [Some(node.id.as_str()), Some(node.name.as_str()), Some(node.slug.as_str())]);
    named(wanted, &own.chain(tree).collect::<Vec<_>>())
}

fn gender_matches(wanted: &[String], gender: Option<&Term>) -> bool {
    wanted.is_empty()
        || gender.is_some_and(|gender| {
            let for_adults = wanted.iter().any(|wish| wish == "women" || wish == "men");
            wanted.iter().any(|key| gender.key == *key) || (gender.key == "unisex" && for_adults)
        })
}

fn price_matches(filters: &ProductFilters, product: &Product) -> bool {
    let price = Decimal::new(product.price.minor, product.price.currency.digits());
    filters.price.min.is_none_or(|least| price >= least) && filters.price.max.is_none_or(|most| price <= most)
}

fn face_shape_matches(filters: &ProductFilters, scores: &Scores) -> bool {
    filters.face_shape.is_none_or(|wanted| {
        scores.fits[wanted.shape.index()].as_ref().is_some_and(|fit| fit.score >= wanted.min_score)
    })
}
