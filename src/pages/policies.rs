//! Delivery and returns: what the store says of them, and sentences worked out from its numbers.
//!
//! Takes the configuration; makes texts for product pages and the parts of an offer for machines. Says nothing that
//! the configuration does not.

use super::shop::Shop;
use crate::catalog::money::Money;
use crate::config::{DayRange, Delivery, Returns};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

/// A section of a product page that opens on demand.
#[derive(Serialize)]
pub(crate) struct Policy<'a> {
    heading: &'a str,
    /// The store's own words.
    text: Option<&'a str>,
    /// Worked out from the numbers.
    sentence: String,
}

/// The sections where no product is spoken of.
pub(crate) fn general<'a>(shop: &Shop<'a>) -> Vec<Policy<'a>> {
    sections(shop, Money { minor: 0, currency: shop.config.currency })
}

/// The sections for a product of this price.
pub(crate) fn sections<'a>(shop: &Shop<'a>, price: Money) -> Vec<Policy<'a>> {
    let delivery = shop.config.delivery.as_ref().map(|delivery| Policy {
        heading: shop.words.say("delivery"),
        text: delivery.text.as_deref(),
        sentence: delivery_sentence(shop, delivery, price),
    });
    let returns = shop.config.returns.as_ref().map(|returns| Policy {
        heading: shop.words.say("returns"),
        text: returns.text.as_deref(),
        sentence: returns_sentence(shop, returns),
    });
    let policies = [delivery, returns].into_iter().flatten();
    policies.filter(|policy| policy.text.is_some() || !policy.sentence.is_empty()).collect()
}

fn delivery_sentence(shop: &Shop<'_>, delivery: &Delivery, price: Money) -> String {
    let mut sentences = Vec::new();
    if !delivery.countries.is_empty() {
        sentences.push(shop.words.fill("delivery_to", &[("countries", &countries(shop, &delivery.countries))]));
    }
    sentences.extend(match (delivery.handling_days, delivery.transit_days) {
        (Some(handling), Some(transit)) => Some(days(shop, "delivery_days", sum(handling, transit))),
        (Some(handling), None) => Some(days(shop, "delivery_handling", handling)),
        (None, Some(transit)) => Some(days(shop, "delivery_transit", transit)),
        (None, None) => None,
    });
    let amount =
        |amount: Decimal| Money::from_decimal(amount, shop.config.currency).map(|money| shop.prices.write(money));
    let free_from = delivery.free_from.and_then(amount);
    match delivery.price {
        Some(cost) if cost.is_zero() => sentences.push(shop.words.say("delivery_free").to_string()),
        cost => {
            if let Some(cost) = cost.and_then(amount) {
                sentences.push(shop.words.fill("delivery_price", &[("price", &cost)]));
            }
            if let Some(from) = free_from {
                sentences.push(if is_free_for(shop, delivery, price) {
                    shop.words.fill("delivery_free_here", &[("price", &from)])
                } else {
                    shop.words.fill("delivery_free_from", &[("price", &from)])
                });
            }
        }
    }
    sentences.join(" ")
}

fn returns_sentence(shop: &Shop<'_>, returns: &Returns) -> String {
    let mut sentences = Vec::new();
    if let Some(days) = returns.days {
        sentences.push(shop.words.count("returns_days", usize::from(days), &[("days", &days.to_string())]));
    }
    match returns.is_free {
        Some(true) => sentences.push(shop.words.say("returns_free").to_string()),
        Some(false) => sentences.push(shop.words.say("returns_paid").to_string()),
        None => {}
    }
    if !returns.countries.is_empty() {
        sentences.push(shop.words.fill("returns_from", &[("countries", &countries(shop, &returns.countries))]));
    }
    sentences.join(" ")
}

fn countries(shop: &Shop<'_>, codes: &[String]) -> String {
    shop.words.list(codes.iter().map(|code| shop.words.country(code)))
}

fn sum(one: DayRange, other: DayRange) -> DayRange {
    DayRange { least: one.least.saturating_add(other.least), most: one.most.saturating_add(other.most) }
}

/// A sentence with a number of days; a range takes the plural form of its end.
fn days(shop: &Shop<'_>, key: &'static str, days: DayRange) -> String {
    let written =
        if days.least == days.most { days.most.to_string() } else { format!("{}–{}", days.least, days.most) };
    shop.words.count(key, usize::from(days.most), &[("days", &written)])
}

/// Whether an order of this product alone is sent for nothing. Amounts of other currencies cannot be compared.
fn is_free_for(shop: &Shop<'_>, delivery: &Delivery, price: Money) -> bool {
    let from = delivery.free_from.and_then(|from| Money::from_decimal(from, shop.config.currency));
    from.is_some_and(|from| from.currency == price.currency && price.minor >= from.minor)
}

/// `OfferShippingDetails` for each country; nothing where machines would miss the destination or the price, or where
/// the price is in another currency than the offer.
pub(crate) fn shipping_details(shop: &Shop<'_>, price: Money) -> Option<Value> {
    let delivery = shop.config.delivery.as_ref()?;
    let cost = delivery.price.and_then(|cost| Money::from_decimal(cost, shop.config.currency))?;
    if delivery.countries.is_empty() || cost.currency != price.currency {
        return None;
    }
    let cost = if is_free_for(shop, delivery, price) { Money { minor: 0, ..cost } } else { cost };
    let mut time = json!({ "@type": "ShippingDeliveryTime" });
    for (key, days) in [("handlingTime", delivery.handling_days), ("transitTime", delivery.transit_days)] {
        if let Some(days) = days {
            time[key] = json!({ "@type": "QuantitativeValue", "minValue": days.least, "maxValue": days.most, "unitCode": "DAY" });
        }
    }
    let has_time = delivery.handling_days.is_some() || delivery.transit_days.is_some();
    let to_country = |country: &String| {
        let mut details = json!({
            "@type": "OfferShippingDetails",
            "shippingRate": { "@type": "MonetaryAmount", "value": cost.decimal(), "currency": cost.currency.code() },
            "shippingDestination": { "@type": "DefinedRegion", "addressCountry": country },
        });
        if has_time {
            details["deliveryTime"] = time.clone();
        }
        details
    };
    Some(delivery.countries.iter().map(to_country).collect())
}

/// `MerchantReturnPolicy`; nothing where machines would miss the countries or the days.
pub(crate) fn return_policy(shop: &Shop<'_>) -> Option<Value> {
    let returns = shop.config.returns.as_ref()?;
    let days = returns.days.filter(|_| !returns.countries.is_empty())?;
    let mut policy = json!({
        "@type": "MerchantReturnPolicy",
        "applicableCountry": returns.countries,
        "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
        "merchantReturnDays": days,
    });
    if let Some(is_free) = returns.is_free {
        let fees = if is_free { "FreeReturn" } else { "ReturnFeesCustomerResponsibility" };
        policy["returnFees"] = format!("https://schema.org/{fees}").into();
    }
    Some(policy)
}
