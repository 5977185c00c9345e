//! The lenses that a frame can be had with, as far as the store offers any.
//!
//! Takes the store's lenses and what the catalogue knows of the frame; makes the fields of a choice, or of a list where
//! the way that the store sells cannot pass a choice on. Never offers lenses that the frame is known not to take.

use super::shop::Shop;
use crate::catalog::product::Product;
use crate::config::{Commerce, LensOption};
use crate::enhance::ProductRecord;
use crate::enhance::size::Progressive;
use serde::Serialize;

/// Lenses of one kind, on the page of a frame.
#[derive(Serialize)]
pub(crate) struct Lenses<'a> {
    name: &'a str,
    text: Option<&'a str>,
    /// What they add, in words.
    price: String,
    /// What they add, in minor units, for scripts.
    minor: i64,
    variant: Option<&'a str>,
}

/// The lenses that a frame can be had with, in the store's order.
pub(crate) fn of_product<'a>(shop: &Shop<'a>, record: &ProductRecord, product: &Product) -> Vec<Lenses<'a>> {
    if !takes_lenses(product) || product.price.currency != shop.config.currency {
        return Vec::new();
    }
    let is_deep = record.progressive != Progressive::No;
    let fitting = shop.config.lenses.iter().filter(|lenses| is_deep || !lenses.is_progressive);
    fitting
        .map(|lenses| Lenses {
            name: &lenses.name,
            text: lenses.text.as_deref(),
            price: match lenses.price.minor {
                0 => shop.words.say("lenses_included").to_string(),
                _ => shop.words.fill("lenses_add", &[("price", &shop.prices.write(lenses.price))]),
            },
            minor: lenses.price.minor,
            variant: lenses.shopify_variant_id.as_deref(),
        })
        .collect()
}

/// Whether customers choose among the lenses of a frame that they can put on the list or into the cart.
pub(crate) fn can_be_chosen(shop: &Shop<'_>) -> bool {
    match shop.config.commerce {
        Commerce::Enquiry | Commerce::Snipcart { .. } => true,
        Commerce::Shopify { .. } => shop.config.lenses.iter().all(|lenses| lenses.shopify_variant_id.is_some()),
        Commerce::Stripe | Commerce::None => false,
    }
}

/// The lenses as Snipcart writes a choice that adds to the price: `None|Single vision[+59.00]`.
pub(crate) fn for_snipcart(shop: &Shop<'_>, lenses: &[Lenses<'_>]) -> Option<String> {
    let priced = |of: &Lenses<'_>| {
        let known: Option<&LensOption> = shop.config.lenses.iter().find(|known| known.name == of.name);
        let name = of.name.replace(['|', '[', ']'], " ");
        known.map_or(name.clone(), |known| format!("{name}[+{}]", known.price.decimal()))
    };
    let without = shop.words.say("frame_only").to_string();
    let all: Vec<String> = std::iter::once(without).chain(lenses.iter().map(priced)).collect();
    (!lenses.is_empty()).then(|| all.join("|"))
}

/// What the catalogue says, or else what frames of the kind usually do.
fn takes_lenses(product: &Product) -> bool {
    let is_sun = product.frame_type.as_ref().is_some_and(|term| term.key == "sunglasses");
    product.lens.prescription_ready.unwrap_or(!is_sun)
}
