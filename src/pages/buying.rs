//! What a product page offers those who want to have the frame.
//!
//! Takes the way that the store sells and what the catalogue knows of the product; makes the fields of the buttons.
//! A product that lacks what the service needs, or that cannot be ordered, is asked for by mail instead.

use super::lenses::{self, Lenses};
use super::outer::{self, Email};
use super::shop::Shop;
use crate::catalog::product::{Availability, Product};
use crate::config::Commerce;
use serde::Serialize;

/// The buttons of a product page; of the ways to buy, one is there at most.
#[derive(Serialize)]
pub(crate) struct Buying<'a> {
    /// Words of the button that puts the frame on the list or into the cart, with a quantity.
    add: Option<&'a str>,
    /// Where the frame can be paid for at once.
    payment: Option<&'a str>,
    /// Snipcart's button.
    snipcart: Option<SnipcartItem<'a>>,
    /// The id of the variant in Shopify.
    variant: Option<&'a str>,
    /// The address to write to, with the frame as subject.
    ask: Option<Email<'a>>,
    /// The contact page.
    contact: String,
    /// Whether asking is all that can be done.
    only_ask: bool,
}

/// What Snipcart reads from its button, and checks against the page.
#[derive(Serialize)]
struct SnipcartItem<'a> {
    id: &'a str,
    price: String,
    /// Colours to choose from, with `|` between.
    colors: Option<String>,
    /// Lenses to choose from, with what they add to the price.
    lenses: Option<String>,
}

impl<'a> Buying<'a> {
    /// The buttons for a product, which comes in these colours and with these lenses where there is a choice.
    pub(crate) fn of(
        shop: &Shop<'a>,
        product: &'a Product,
        name: &str,
        colors: &[&str],
        lenses: &[Lenses<'_>],
    ) -> Self {
        let subject = shop.words.fill("enquiry_subject", &[("name", name)]);
        let is_available = product.availability.is_available();
        let mut buying = Self {
            add: None,
            payment: None,
            snipcart: None,
            variant: None,
            ask: outer::email(shop, Some(&crate::language::plain(&subject))),
            contact: shop.links.local("contact/index.html"),
            only_ask: true,
        };
        match &shop.config.commerce {
            Commerce::Enquiry if product.availability != Availability::Discontinued => {
                buying.add = Some(shop.words.say("add_to_enquiry"));
            }
            Commerce::Shopify { .. } if is_available && product.shopify_variant_id.is_some() => {
                buying.variant = product.shopify_variant_id.as_deref();
                buying.add = Some(shop.words.say("add_to_cart"));
            }
            Commerce::Stripe if is_available && product.payment_link.is_some() => {
                buying.payment = product.payment_link.as_deref();
                buying.add = Some(shop.words.say("add_to_cart"));
            }
            // Snipcart counts in one currency.
            Commerce::Snipcart { .. } if is_available && product.price.currency == shop.config.currency => {
                buying.snipcart = Some(SnipcartItem {
                    id: &product.id,
                    price: product.price.decimal(),
                    colors: (!colors.is_empty()).then(|| colors.join("|")),
                    lenses: lenses::for_snipcart(shop, lenses),
                });
            }
            _ => {}
        }
        buying.only_ask = buying.add.is_none() && buying.snipcart.is_none();
        buying
    }

    /// Whether asking is all that can be done.
    pub(crate) fn only_asks(&self) -> bool {
        self.only_ask
    }
}
