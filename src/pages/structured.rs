//! Structured data: what machines read about a page, as JSON-LD in schema.org's vocabulary.
//!
//! Takes facts of the catalogue; makes one script element's text. Never states what the catalogue does not say: no
//! ratings, codes or policies are made up.

use super::outer::Crumb;
use super::shop::Shop;
use crate::assets::icons;
use crate::catalog::product::Availability;
use crate::enhance::{EnhancedProduct, ProductRecord};
use serde_json::{Map, Value, json};

/// Tags and styles that say that a frame is not new.
const NOT_NEW: [&str; 6] = ["used", "pre-owned", "preowned", "second-hand", "refurbished", "vintage-original"];

/// Makes the text of a script element from nodes; it can neither end the element nor open a comment in it.
pub(crate) fn script(nodes: Vec<Value>) -> String {
    let graph = json!({ "@context": "https://schema.org", "@graph": nodes });
    let text = graph.to_string();
    let mut safe = String::with_capacity(text.len() + 32);
    for character in text.chars() {
        match character {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            other => safe.push(other),
        }
    }
    safe
}

/// The way from the front page to a page.
pub(crate) fn breadcrumbs(shop: &Shop<'_>, crumbs: &[Crumb]) -> Value {
    let items = crumbs.iter().enumerate().map(|(at, crumb)| {
        json!({
            "@type": "ListItem",
            "position": at + 1,
            "name": crumb.name,
            "item": shop.links.absolute(&crumb.path),
        })
    });
    json!({ "@type": "BreadcrumbList", "itemListElement": items.collect::<Vec<_>>() })
}

/// A page of a listing with the products on it; `first` is the position of the first one, from 1.
pub(crate) fn collection(name: &str, url: &str, first: usize, products: impl Iterator<Item = String>) -> Value {
    let items =
        products.enumerate().map(|(at, url)| json!({ "@type": "ListItem", "position": first + at, "url": url }));
    json!({
        "@type": "CollectionPage",
        "name": name,
        "url": url,
        "mainEntity": { "@type": "ItemList", "itemListElement": items.collect::<Vec<_>>() },
    })
}

/// The store itself, for the front page.
pub(crate) fn store(shop: &Shop<'_>) -> Vec<Value> {
    let home = shop.links.absolute("index.html");
    let mut organization = json!({
        "@type": "OnlineStore",
        "@id": format!("{home}#store"),
        "name": shop.config.store_name,
        "url": home,
        "logo": shop.links.absolute(icons::APP_ICONS[1].0),
    });
    if let Some(fields) = organization.as_object_mut() {
        insert(fields, "description", shop.config.store_description.as_deref());
        insert(fields, "email", shop.config.contact_email.as_deref());
    }
    let site = json!({
        "@type": "WebSite",
        "name": shop.config.store_name,
        "url": home,
        "inLanguage": shop.config.locale,
        "publisher": { "@id": format!("{home}#store") },
    });
    vec![organization, site]
}

/// A product and its offer; `images` are absolute URLs.
pub(crate) fn product(
    shop: &Shop<'_>,
    record: &ProductRecord,
    enhanced: &EnhancedProduct,
    url: &str,
    images: &[String],
    category: Option<String>,
) -> Value {
    let product = &enhanced.product;
    let mut offer = json!({
        "@type": "Offer",
        "url": url,
        "price": product.price.decimal(),
        "priceCurrency": product.price.currency.code(),
        "availability": match product.availability {
            Availability::InStock => "https://schema.org/InStock",
            Availability::LowStock => "https://schema.org/LimitedAvailability",
            Availability::OutOfStock => "https://schema.org/OutOfStock",
            Availability::Discontinued => "https://schema.org/Discontinued",
        },
    });
    let terms = product.tags.iter().chain(&product.style);
    if !terms.into_iter().any(|term| NOT_NEW.contains(&term.key.as_str())) {
        offer["itemCondition"] = "https://schema.org/NewCondition".into();
    }

    let mut fields = Map::new();
    fields.insert("@type".into(), "Product".into());
    insert(&mut fields, "name", Some(&record.name));
    insert(&mut fields, "url", Some(url));
    insert(&mut fields, "description", Some(&enhanced.summary));
    insert(&mut fields, "sku", Some(product.sku.as_deref().unwrap_or(&product.id)));
    insert(&mut fields, "gtin", product.gtin.as_deref());
    fields.insert("image".into(), images.into());
    if let Some(brand) = enhanced.brand_name.as_deref().or_else(|| shop.brand_name(record)) {
        fields.insert("brand".into(), json!({ "@type": "Brand", "name": brand }));
    }
    insert(&mut fields, "category", category.as_deref());
    insert(&mut fields, "color", product.colors.first().map(|color| color.label.as_str()));
    insert(&mut fields, "material", product.materials.first().map(|material| material.label.as_str()));
    if let Some(size) = &enhanced.size {
        insert(&mut fields, "size", Some(size.printed.as_deref().unwrap_or(size.class.label())));
        if !size.estimated {
            fields.insert("width".into(), quantity(size.front_width, "MMT"));
        }
    }
    if let Some(weight) = product.measurements.weight {
        fields.insert("weight".into(), quantity(weight, "GRM"));
    }
    if let Some(gender) = product.gender.as_ref().and_then(|gender| suggested_gender(&gender.key)) {
        fields.insert("audience".into(), json!({ "@type": "PeopleAudience", "suggestedGender": gender }));
    }
    let properties = properties(shop, enhanced);
    if !properties.is_empty() {
        fields.insert("additionalProperty".into(), properties.into());
    }
    if let Some((rating, count)) = product.analytics.rating.filter(|&(_, count)| count > 0) {
        fields.insert(
            "aggregateRating".into(),
            json!({ "@type": "AggregateRating", "ratingValue": format!("{rating:.1}"), "ratingCount": count }),
        );
    }
    fields.insert("offers".into(), offer);
    Value::Object(fields)
}

fn properties(shop: &Shop<'_>, enhanced: &EnhancedProduct) -> Vec<Value> {
    let product = &enhanced.product;
    let measurements = &product.measurements;
    let terms = [("frame_shape", &product.frame_shape), ("rim", &product.rim)];
    let terms = terms.into_iter().filter_map(|(key, term)| Some((key, json!(term.as_ref()?.label), None)));
    let lengths = [
        ("lens_width", measurements.lens_width),
        ("lens_height", measurements.lens_height),
        ("bridge", measurements.bridge),
        ("temple", measurements.temple),
    ];
    let lengths = lengths.into_iter().filter_map(|(key, length)| Some((key, number(length?), Some("MMT"))));
    let property = |(key, value, unit): (&'static str, Value, Option<&str>)| {
        let mut property = json!({ "@type": "PropertyValue", "name": shop.words.say(key), "value": value });
        if let Some(unit) = unit {
            property["unitCode"] = unit.into();
        }
        property
    };
    terms.chain(lengths).map(property).collect()
}

fn quantity(value: f32, unit: &str) -> Value {
    json!({ "@type": "QuantitativeValue", "value": number(value), "unitCode": unit })
}

/// Tenths are as fine as frames are measured; widening a float would print digits nobody measured.
fn number(value: f32) -> Value {
    json!((f64::from(value) * 10.0).round() / 10.0)
}

fn suggested_gender(key: &str) -> Option<&'static str> {
    match key {
        "women" => Some("female"),
        "men" => Some("male"),
        "unisex" => Some("unisex"),
        _ => None,
    }
}

fn insert(fields: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        fields.insert(key.into(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_cannot_be_closed_from_within() {
        let text = script(vec![json!({ "name": "</script><!-- & \u{2028}" })]);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        let read: Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(read["@graph"][0]["name"], "</script><!-- & \u{2028}");
    }
}
