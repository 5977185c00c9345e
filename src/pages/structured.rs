//! Structured data: what machines read about a page, as JSON-LD in schema.org's vocabulary.
//!
//! Takes facts of the catalogue; makes one script element's text. Never states what the catalogue does not say: no
//! ratings, codes or policies are made up.

use super::outer::Crumb;
use super::policies;
use super::shop::Shop;
use crate::assets::icons;
use crate::catalog::product::{Availability, Product};
use crate::catalog::text::push_escaped;
use crate::catalog::vocabulary::Vocabulary;
use crate::enhance::{EnhancedProduct, ProductRecord};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;

/// Tags and styles that say that a frame is not new.
const NOT_NEW: [&str; 6] = ["used", "pre-owned", "preowned", "second-hand", "refurbished", "vintage-original"];

/// One thing described, as JSON.
pub(crate) type Node = String;

fn node<T: Serialize>(thing: &T) -> Node {
    // Structs of texts and finite numbers cannot fail to become JSON.
    serde_json::to_string(thing).unwrap_or_default()
}

/// A thing that is JSON already.
pub(crate) fn written(thing: &serde_json::Value) -> Node {
    node(thing)
}

/// Makes the text of a script element from nodes; it can neither end the element nor open a comment in it.
pub(crate) fn script(nodes: &[Node]) -> String {
    let length: usize = nodes.iter().map(String::len).sum();
    let mut safe = String::with_capacity(length + 128);
    safe.push_str("{\"@context\":\"https://schema.org\",\"@graph\":[");
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            safe.push(',');
        }
        push_safe(&mut safe, node);
    }
    safe.push_str("]}");
    safe
}

fn push_safe(safe: &mut String, json: &str) {
    let means_something = |byte: u8| (byte == b'<') | (byte == b'>') | (byte == b'&');
    let otherwise = |byte: u8| match byte {
        b'<' => "\\u003c",
        b'>' => "\\u003e",
        _ => "\\u0026",
    };
    if json.contains('\u{2028}') || json.contains('\u{2029}') {
        let json = json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        push_escaped(safe, &json, means_something, otherwise);
    } else {
        push_escaped(safe, json, means_something, otherwise);
    }
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct ListItem<'a> {
    position: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct BreadcrumbList<'a> {
    item_list_element: Vec<ListItem<'a>>,
}

/// The way from the front page to a page.
pub(crate) fn breadcrumbs(shop: &Shop<'_>, crumbs: &[Crumb]) -> Node {
    let items = crumbs.iter().enumerate().map(|(at, crumb)| ListItem {
        position: at + 1,
        name: Some(crumb.name.as_str()),
        item: Some(shop.links.absolute(&crumb.path)),
        url: None,
    });
    node(&BreadcrumbList { item_list_element: items.collect() })
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct CollectionPage<'a> {
    name: &'a str,
    url: &'a str,
    in_language: &'a str,
    main_entity: ItemList<'a>,
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct ItemList<'a> {
    item_list_element: Vec<ListItem<'a>>,
}

/// A page of a listing with the products on it; `first` is the position of the first one, from 1.
pub(crate) fn collection(
    shop: &Shop<'_>,
    name: &str,
    url: &str,
    first: usize,
    products: impl Iterator<Item = String>,
) -> Node {
    let item = |(at, url)| ListItem { position: first + at, name: None, item: None, url: Some(url) };
    let items = products.enumerate().map(item).collect();
    node(&CollectionPage { name, url, in_language: shop.locale, main_entity: ItemList { item_list_element: items } })
}

/// The store itself, for the front page.
pub(crate) fn store(shop: &Shop<'_>) -> Vec<Node> {
    let home = shop.links.absolute("index.html");
    let mut organization = json!({
        "@type": "OnlineStore",
        "@id": format!("{home}#store"),
        "name": shop.config.store_name,
        "url": home,
        "logo": shop.links.absolute_shared(icons::APP_ICONS[1].0),
    });
    for (key, value) in [("description", &shop.config.store_description), ("email", &shop.config.contact_email)] {
        if let Some(value) = value {
            organization[key] = value.as_str().into();
        }
    }
    let site = json!({
        "@type": "WebSite",
        "name": shop.config.store_name,
        "url": home,
        "inLanguage": shop.locale,
        "publisher": { "@id": format!("{home}#store") },
    });
    vec![node(&organization), node(&site)]
}

#[derive(Serialize)]
#[serde(rename = "Product", tag = "@type", rename_all = "camelCase")]
struct ProductNode<'a> {
    sku: &'a str,
    offers: Offer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gtin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'a str>,
    #[serde(flatten)]
    model: Model<'a>,
}

/// A frame that comes in several colours, each of which is sold under a number of its own.
#[derive(Serialize)]
#[serde(rename = "ProductGroup", tag = "@type", rename_all = "camelCase")]
struct GroupNode<'a> {
    #[serde(rename = "productGroupID")]
    product_group_id: &'a str,
    varies_by: &'static str,
    has_variant: Vec<VariantNode<'a>>,
    #[serde(flatten)]
    model: Model<'a>,
}

#[derive(Serialize)]
#[serde(rename = "Product", tag = "@type", rename_all = "camelCase")]
struct VariantNode<'a> {
    name: &'a str,
    sku: &'a str,
    color: &'a str,
    image: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    gtin: Option<&'a str>,
    offers: Offer<'a>,
}

/// What all colours of a frame have in common.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Model<'a> {
    name: &'a str,
    url: &'a str,
    description: &'a str,
    image: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<Brand<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    material: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<QuantitativeValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<QuantitativeValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<PeopleAudience>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    additional_property: Vec<PropertyValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregate_rating: Option<AggregateRating>,
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct Offer<'a> {
    url: &'a str,
    price: String,
    price_currency: &'static str,
    availability: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_condition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_details: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_merchant_return_policy: Option<serde_json::Value>,
}

#[derive(Serialize)]
#[serde(tag = "@type")]
struct Brand<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct QuantitativeValue {
    value: f64,
    unit_code: &'static str,
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct PeopleAudience {
    suggested_gender: &'static str,
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct PropertyValue<'a> {
    name: &'a str,
    value: Fact<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_code: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fact<'a> {
    Words(&'a str),
    Number(f64),
}

#[derive(Serialize)]
#[serde(tag = "@type", rename_all = "camelCase")]
struct AggregateRating {
    rating_value: String,
    rating_count: u32,
}

/// A colour of a frame, as a page shows it.
pub(crate) struct Variant<'a> {
    /// What it is called, colour and all.
    pub(crate) name: String,
    pub(crate) color: &'a str,
    pub(crate) sku: Option<&'a str>,
    /// Absolute URL of its picture.
    pub(crate) image: String,
    /// Absolute URL of the page with this colour chosen.
    pub(crate) url: String,
    /// Whether it is the one that the product itself comes in.
    pub(crate) is_own: bool,
}

/// A product and its offer; `images` are absolute URLs. Where it comes in colours that each have a number of their own,
/// machines are told of all of them.
pub(crate) fn product(
    shop: &Shop<'_>,
    record: &ProductRecord,
    enhanced: &EnhancedProduct,
    url: &str,
    images: &[String],
    category: Option<String>,
    variants: &[Variant<'_>],
) -> Node {
    let product = &enhanced.product;
    // Machines take a stock keeping unit for a product's identity, so one that is not unique would merge two of them.
    let sku = product.sku.as_deref().filter(|sku| !shop.repeated_skus.contains(*sku));
    let brand = enhanced.brand_name.as_deref().or_else(|| shop.brand_name(record));
    let gender = product.gender.as_ref().and_then(|gender| suggested_gender(&gender.key));
    let size = enhanced.size.as_ref();
    let rating = product.analytics.rating.filter(|&(_, count)| count > 0);
    let model = Model {
        name: &product.name,
        url,
        // A description of markup alone leaves no summary; the one for search engines is never empty.
        description: [&enhanced.summary, &enhanced.seo.description]
            .into_iter()
            .find(|text| !text.is_empty())
            .map_or("", String::as_str),
        image: images,
        brand: brand.map(|name| Brand { name }),
        category,
        material: product.materials.first().map(|material| shop.words.term(Vocabulary::Material, material)),
        size: size.map(|size| size.printed.as_deref().unwrap_or(size.class.label())),
        width: size.filter(|size| !size.estimated).map(|size| quantity(size.front_width, "MMT")),
        weight: product.measurements.weight.map(|weight| quantity(weight, "GRM")),
        audience: gender.map(|suggested_gender| PeopleAudience { suggested_gender }),
        additional_property: properties(shop, product),
        aggregate_rating: rating
            .map(|(rating, rating_count)| AggregateRating { rating_value: format!("{rating:.1}"), rating_count }),
    };
    if !are_distinct(shop, variants) {
        return node(&ProductNode {
            sku: sku.unwrap_or(&product.id),
            offers: offer(shop, product, url),
            gtin: product.gtin.as_deref(),
            color: product.colors.first().map(|color| shop.words.term(Vocabulary::Color, color)),
            model,
        });
    }
    let variants = variants.iter().map(|Variant { name, color, sku, image, url, is_own }| VariantNode {
        name,
        sku: sku.unwrap_or_default(),
        color,
        image,
        gtin: product.gtin.as_deref().filter(|_| *is_own),
        offers: offer(shop, product, url),
    });
    node(&GroupNode {
        product_group_id: sku.unwrap_or(&product.id),
        varies_by: "https://schema.org/color",
        has_variant: variants.collect(),
        model,
    })
}

/// Whether there are several colours, none of which machines could take for another one, or for another product.
fn are_distinct(shop: &Shop<'_>, variants: &[Variant<'_>]) -> bool {
    let numbers: BTreeSet<&str> = variants.iter().filter_map(|variant| variant.sku).collect();
    let is_repeated = |sku: &&str| sku.is_empty() || shop.repeated_skus.contains(*sku);
    variants.len() > 1 && numbers.len() == variants.len() && !numbers.iter().any(is_repeated)
}

/// Whether nothing says that a frame has been worn before.
pub(crate) fn is_new(product: &Product) -> bool {
    let mut terms = product.tags.iter().chain(&product.style);
    !terms.any(|term| NOT_NEW.contains(&term.key.as_str()))
}

fn offer<'a>(shop: &Shop<'_>, product: &Product, url: &'a str) -> Offer<'a> {
    Offer {
        url,
        price: product.price.decimal(),
        price_currency: product.price.currency.code(),
        availability: match product.availability {
            Availability::InStock => "https://schema.org/InStock",
            Availability::LowStock => "https://schema.org/LimitedAvailability",
            Availability::OutOfStock => "https://schema.org/OutOfStock",
            Availability::Discontinued => "https://schema.org/Discontinued",
        },
        item_condition: is_new(product).then_some("https://schema.org/NewCondition"),
        shipping_details: policies::shipping_details(shop, product.price),
        has_merchant_return_policy: policies::return_policy(shop),
    }
}

fn properties<'a>(shop: &Shop<'a>, product: &'a Product) -> Vec<PropertyValue<'a>> {
    let measurements = &product.measurements;
    let terms = [("frame_shape", Vocabulary::FrameShape, &product.frame_shape), ("rim", Vocabulary::Rim, &product.rim)];
    let terms = terms.into_iter().filter_map(|(key, vocabulary, term)| {
        let value = Fact::Words(shop.words.term(vocabulary, term.as_ref()?));
        Some(PropertyValue { name: shop.words.say(key), value, unit_code: None })
    });
    let lengths = [
        ("lens_width", measurements.lens_width),
        ("lens_height", measurements.lens_height),
        ("bridge", measurements.bridge),
        ("temple", measurements.temple),
    ];
    let lengths = lengths.into_iter().filter_map(|(key, length)| {
        let value = Fact::Number(tenths(length?));
        Some(PropertyValue { name: shop.words.say(key), value, unit_code: Some("MMT") })
    });
    terms.chain(lengths).collect()
}

fn quantity(value: f32, unit_code: &'static str) -> QuantitativeValue {
    QuantitativeValue { value: tenths(value), unit_code }
}

/// Tenths are as fine as frames are measured; widening a float would print digits nobody measured.
fn tenths(value: f32) -> f64 {
    (f64::from(value) * 10.0).round() / 10.0
}

/// Whom a frame is made for, in the words of schema.org and of shopping services.
pub(crate) fn suggested_gender(key: &str) -> Option<&'static str> {
    match key {
        "women" => Some("female"),
        "men" => Some("male"),
        "unisex" => Some("unisex"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_cannot_be_closed_from_within() {
        let text = script(&[node(&json!({ "name": "</script><!-- & \u{2028}" }))]);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(read["@graph"][0]["name"], "</script><!-- & \u{2028}");
    }
}
