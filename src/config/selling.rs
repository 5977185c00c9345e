//! What the settings about selling mean: the way to buy, lenses, delivery, returns.
//!
//! Like [`super::meaning`], each setting tells its own faults at its own place.

use super::file::{CommerceFile, CommerceName, CommerceServiceFile, DeliveryFile, LensFile, OneOrMany, ReturnsFile};
use super::meaning::{Reading, worded};
use super::shape::joined;
use super::tree::{Content, Scalar};
use super::{Commerce, DayRange, Delivery, LensOption, Returns};
use crate::catalog::money::{Currency, Money};
use icu_locale_core::subtags::Region;

impl Reading<'_> {
    pub(super) fn commerce(&mut self, file: CommerceFile) -> Option<Commerce> {
        let path = "commerce";
        let service = match file {
            CommerceFile::Word(CommerceName::Enquiry) => return Some(Commerce::Enquiry),
            CommerceFile::Word(CommerceName::Stripe) => return Some(Commerce::Stripe),
            CommerceFile::Word(CommerceName::None) => return Some(Commerce::None),
            CommerceFile::Service(service) => service,
        };
        match service {
            CommerceServiceFile { shopify: Some(shopify), snipcart: None } => {
                let domain = shopify.domain.trim().to_ascii_lowercase();
                if is_host_name(&domain) {
                    return Some(Commerce::Shopify { domain });
                }
                let message = format!("`{}` is no host name", self.shown("commerce.shopify.domain"));
                let hint = "write the host alone, such as `lumen.myshopify.com`: no `https://`, no path";
                self.fault("commerce.shopify.domain", &message, hint)
            }
            CommerceServiceFile { shopify: None, snipcart: Some(snipcart) } => {
                let public_key = snipcart.public_key.trim().to_string();
                if !public_key.is_empty() && !public_key.contains(|c: char| c.is_whitespace() || c.is_control()) {
                    return Some(Commerce::Snipcart { public_key });
                }
                let message = "`commerce.snipcart.public_key` is blank, or holds blanks";
                let hint = "copy the public key from the API keys of your Snipcart account";
                self.fault("commerce.snipcart.public_key", message, hint)
            }
            CommerceServiceFile { shopify: Some(_), snipcart: Some(_) } => {
                self.fault(path, "`commerce` names two services", "keep the one that customers are to buy from")
            }
            // A service that is faulty in form has been told already.
            CommerceServiceFile { shopify: None, snipcart: None } if self.has_entries(path) => None,
            CommerceServiceFile { shopify: None, snipcart: None } => self.fault(
                path,
                "`commerce` names no service",
                "write `shopify:` or `snipcart:` below it, or a word such as `enquiry`",
            ),
        }
    }

    /// Whether something is written in a block.
    fn has_entries(&self, path: &str) -> bool {
        let Some(Content::Map(entries)) = self.node(path).map(|node| &node.content) else { return false };
        entries.iter().any(|entry| !entry.value.scalar().is_some_and(Scalar::is_null))
    }

    pub(super) fn lenses(&mut self, file: Vec<LensFile>, currency: Currency) -> Option<Vec<LensOption>> {
        let mut lenses: Vec<LensOption> = Vec::new();
        let mut whole = true;
        for (index, lens) in file.into_iter().enumerate() {
            let spot = |key: &str| joined(&joined("lenses", &index.to_string()), key);
            let name = worded(Some(lens.name)).unwrap_or_default();
            let price = Money::from_decimal(lens.price, currency);
            let variant = lens.shopify_variant_id.map(|id| id.trim().to_string());
            let fault = if name.is_empty() {
                Some(("name", "lenses have a blank name", "say what customers call them"))
            } else if lenses.iter().any(|known| known.name == name) {
                Some(("name", "two kinds of lenses have the same name", "give each its own, for carts know them by it"))
            } else if price.is_none() {
                Some(("price", "the price is too large", "write what the lenses add to the price of a frame"))
            } else if variant.as_ref().is_some_and(|id| id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit())) {
                Some((
                    "shopify_variant_id",
                    "the id of a variant is made of digits",
                    "copy it from the variant's address",
                ))
            } else {
                None
            };
            match (fault, price) {
                (None, Some(price)) => lenses.push(LensOption {
                    name,
                    text: worded(lens.text),
                    price,
                    is_progressive: lens.progressive,
                    shopify_variant_id: variant,
                }),
                (fault, _) => {
                    whole = false;
                    if let Some((key, message, hint)) = fault {
                        let _: Option<()> = self.fault(&spot(key), message, hint);
                    }
                }
            }
        }
        whole.then_some(lenses)
    }

    pub(super) fn delivery(&mut self, file: Option<DeliveryFile>) -> Option<Option<Delivery>> {
        let Some(file) = file else { return Some(None) };
        let countries = self.countries("delivery.countries", &file.countries);
        let handling_days = self.days("delivery.handling_days", &file.handling_days);
        let transit_days = self.days("delivery.transit_days", &file.transit_days);
        Some(Some(Delivery {
            text: worded(file.text),
            countries: countries?,
            price: file.price,
            free_from: file.free_from,
            handling_days: handling_days?,
            transit_days: transit_days?,
        }))
    }

    pub(super) fn returns(&mut self, file: Option<ReturnsFile>) -> Option<Option<Returns>> {
        let Some(file) = file else { return Some(None) };
        let countries = self.countries("returns.countries", &file.countries)?;
        Some(Some(Returns { text: worded(file.text), days: file.days, countries, is_free: file.free }))
    }

    /// Codes in upper case, each once, in the order written.
    fn countries(&mut self, path: &str, written: &OneOrMany<String>) -> Option<Vec<String>> {
        let listed = matches!(self.node(path).map(|node| &node.content), Some(Content::List(_)));
        let mut codes: Vec<String> = Vec::new();
        let mut whole = true;
        for (index, text) in written.0.iter().enumerate() {
            let code = text.trim().to_ascii_uppercase();
            let is_country = code.len() == 2 && code != "UK" && Region::try_from_str(&code).is_ok();
            if !is_country {
                whole = false;
                let spot = if listed { joined(path, &index.to_string()) } else { path.to_string() };
                let message = format!("`{}` is no ISO 3166 country code", self.shown(&spot));
                let hint = if code == "UK" { "the United Kingdom is `GB`" } else { "write two letters such as `DE`" };
                let _: Option<()> = self.fault(&spot, &message, hint);
            } else if !codes.contains(&code) {
                codes.push(code);
            }
        }
        whole.then_some(codes)
    }

    /// The outer `None` is a fault, the inner one days left out.
    fn days(&mut self, path: &str, written: &OneOrMany<u8>) -> Option<Option<DayRange>> {
        match written.0[..] {
            [] => Some(None),
            [days] => Some(Some(DayRange { least: days, most: days })),
            [least, most] if least <= most => Some(Some(DayRange { least, most })),
            [_, _] => self.fault(path, &format!("`{path}` begins with the larger number"), "exchange the two"),
            _ => self.fault(
                path,
                &format!("`{path}` has more than two numbers"),
                "write the least and the most, such as `[2, 4]`",
            ),
        }
    }
}

/// Whether a text is the bare name of a host, with a dot in it.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(is_letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_host_names_pass() {
        for text in ["lumen.myshopify.com", "shop.lumen-oak.example"] {
            assert!(is_host_name(text), "{text}");
        }
        for text in
            ["", "lumen", "https://lumen.example", "lumen.example/", "a..b", "-a.b", "a.b:80", "user@a.b", "a b.c"]
        {
            assert!(!is_host_name(text), "{text}");
        }
    }
}
