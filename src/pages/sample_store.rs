//! A store made by hand, for tests: forty ordinary frames and a few hostile ones, through the real enhancement.

use super::{PageKind, Plan, Renderer, Theme, plan};
use crate::assets::cache::Limits;
use crate::assets::media::Media;
use crate::catalog::References;
use crate::catalog::money::{Currency, Money};
use crate::catalog::product::{
    Availability, Brand, Category, ColorVariant, Image, Lens, Measurements, Product, Reference,
};
use crate::catalog::vocabulary::{FrameShape, Term, Vocabulary};
use crate::config::{
    CacheFolder, CacheSettings, CatalogSettings, CatalogUri, Collections, Color, Commerce, DayRange, Delivery,
    DownloadSettings, ImageSettings, JobSettings, Platform, ProductFilters, RetrySettings, Returns, SortOrder,
    StoreConfiguration, ThemeSource,
};
use crate::enhance::{Collector, EnhancedCatalog, Mapped};
use crate::language::Words;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

const HOSTILE: [&str; 5] = [
    "\"><script>window.__xss=1</script>",
    "</script><img src=x onerror=window.__xss=1>",
    "Luna \u{202e}evitceles \u{1f453}\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "{{words.home}} ${x} {{{body}}} & 'Quote' \"Double\"",
    "نظارات شمسية",
];

pub(super) fn configuration(base_url: &str) -> StoreConfiguration {
    StoreConfiguration {
        translations: BTreeMap::new(),
        untranslated: BTreeMap::new(),
        path: PathBuf::from("/store.yaml"),
        store_name: "Halden & Rook".into(),
        store_description: Some(
            "Spectacles and sunglasses from small European workshops, measured and described with care.".into(),
        ),
        contact_email: Some("hello@example.org".into()),
        base_url: Url::parse(base_url).expect("a URL"),
        locales: vec!["en-GB".into()],
        words: BTreeMap::new(),
        content: Default::default(),
        locations: Vec::new(),
        currency: Currency::from_code("EUR").expect("EUR exists"),
        theme: ThemeSource::Embedded("modern-minimal".into()),
        theme_settings: Default::default(),
        theme_places: Default::default(),
        primary_color: Color { rgb: [0x1f, 0x4b, 0x43] },
        secondary_color: Color { rgb: [0xc8, 0xa2, 0x6b] },
        products_per_page: 12,
        featured_products_count: 8,
        enable_face_shape_filter: true,
        site_title: None,
        site_description: None,
        deployment_platforms: vec![Platform::StaticHtml],
        output: PathBuf::from("/store"),
        logo: None,
        offline_page: false,
        redirects: Vec::new(),
        redirects_removed_products: false,
        product_filters: ProductFilters::default(),
        sort: SortOrder::Featured,
        commerce: Commerce::Enquiry,
        tax_note: None,
        delivery: None,
        returns: None,
        download: DownloadSettings {
            enabled: false,
            allow_private_hosts: false,
            max_size: 1_000_000,
            timeout: Duration::from_secs(60),
            per_host: 1,
            recheck_after: Duration::from_secs(60),
            retry: RetrySettings::default(),
        },
        assets_url: None,
        cache: CacheSettings {
            folder: CacheFolder::OfStore,
            limits: Limits { max_size: 1_000_000, max_age: Duration::from_secs(86_400) },
        },
        jobs: JobSettings::default(),
        lenses: Vec::new(),
        retry: RetrySettings::default(),
        media_root: PathBuf::from("/catalog"),
        images: ImageSettings::default(),
        catalog: CatalogSettings {
            uri: CatalogUri::Path(PathBuf::from("/catalog")),
            database: "eyewear_ml".into(),
            collections: Collections::default(),
            locales: Vec::new(),
            mapping: None,
            mapping_places: Default::default(),
            patience: Default::default(),
        },
    }
}

fn term(vocabulary: Vocabulary, text: &str) -> Option<Term> {
    Term::parse(vocabulary, text)
}

fn product(number: usize) -> Product {
    const NAMES: [&str; 10] =
        ["Windsor", "Alma", "Ellery", "Kestrel", "Margot", "Tova", "Osric", "Linnea", "Pavel", "Sable"];
    const BRANDS: [&str; 5] = ["Norrsken", "Atelier Vale", "Fjord Optik", "Casa Bruna", "Oculo"];
    const COLORS: [&str; 6] = ["Black", "Tortoise", "Forest green", "Crystal", "Gold", "Navy"];
    const MATERIALS: [&str; 4] = ["acetate", "titanium", "metal", "tr90"];
    const TYPES: [&str; 4] = ["prescription", "sunglasses", "prescription", "blue_light"];
    let shape = FrameShape::ALL[number % 12];
    let name = format!("{} {}", NAMES[number % 10], number + 1);
    let mut product = Product::sample(&format!("p{number:02}"), &name);
    let wide = (number % 9) as f32;
    product.sku = Some(format!("HR-{:04}", 1000 + number));
    product.brand = Some(Reference { id: None, name: Some(BRANDS[number % 5].into()) });
    product.categories = vec![Reference { id: Some(format!("c{}", number % 4)), name: None }];
    product.description = "A light frame with a keyhole bridge.\n\nPolished by hand, with five-barrel hinges that close with a quiet click. Comes with a case made of felt.".into();
    product.price.minor = 8_900 + (number as i64) * 1_150;
    let before = Money { minor: product.price.minor + 3_000, ..product.price };
    product.compare_at = number.is_multiple_of(5).then_some(before);
    product.availability = match number % 11 {
        7 => Availability::LowStock,
        9 => Availability::OutOfStock,
        10 => Availability::Discontinued,
        _ => Availability::InStock,
    };
    product.frame_type = term(Vocabulary::FrameType, TYPES[number % 4]);
    product.frame_shape = term(Vocabulary::FrameShape, shape.key());
    product.rim = term(Vocabulary::Rim, ["full", "full", "semi", "rimless"][number % 4]);
    product.materials = term(Vocabulary::Material, MATERIALS[number % 4]).into_iter().collect();
    product.colors = term(Vocabulary::Color, COLORS[number % 6]).into_iter().collect();
    product.gender = term(Vocabulary::Gender, ["women", "men", "unisex"][number % 3]);
    product.features =
        ["Spring hinges", "Adjustable nose pads"].iter().filter_map(|text| term(Vocabulary::Other, text)).collect();
    product.lens = Lens {
        polarized: (number % 4 == 1).then_some(true),
        prescription_ready: Some(number.is_multiple_of(2)),
        ..Lens::default()
    };
    product.measurements = Measurements {
        lens_width: Some(46.0 + wide),
        lens_height: Some(36.0 + wide / 2.0),
        bridge: Some(17.0 + (number % 4) as f32),
        temple: Some(140.0 + (number % 3) as f32 * 2.5),
        frame_width: number.is_multiple_of(2).then_some(128.0 + wide * 2.0),
        frame_height: None,
        weight: number.is_multiple_of(3).then_some(22.5),
    };
    if number.is_multiple_of(6) {
        let variant = |name: &str, hex: Option<&str>| {
            let color = term(Vocabulary::Color, name)?;
            Some(ColorVariant { color, hex: hex.map(str::to_string), sku: None, image: None, shopify_variant_id: None })
        };
        product.variants = [variant("Black", Some("#111111")), variant("Honey", None), variant("Navy", Some("\"><b>"))]
            .into_iter()
            .flatten()
            .collect();
    }
    product.featured = number % 13 == 2;
    product.updated_at = Some(1_750_000_000_000 + number as i64 * 86_400_000);
    product
}

pub(super) fn products() -> Vec<Product> {
    let mut products: Vec<Product> = (0..40).map(product).collect();
    for (number, name) in HOSTILE.into_iter().enumerate() {
        let mut hostile = product(number);
        hostile.id = format!("h{number}");
        hostile.sku = Some(format!("H-{number}"));
        hostile.name = name.into();
        hostile.description = format!("<p onclick=alert(1)>{name}</p><script>alert(1)</script>");
        hostile.brand = Some(Reference { id: None, name: Some(format!("Brand {name}")) });
        hostile.images = vec![Image {
            source: "https://cdn.example.org/a.jpg?x=\"><b>".into(),
            alt: Some(name.into()),
            role: None,
            dimensions: None,
        }];
        products.push(hostile);
    }
    let mut long = product(3);
    long.id = "long".into();
    long.name = "Extraordinarily ".repeat(18) + "long";
    products.push(long);
    // Nothing but what cannot be missing.
    products.push(Product::sample("bare", "Bare"));
    products
}

pub(super) fn catalog(products: Vec<Product>) -> EnhancedCatalog {
    let folder = tempfile::tempdir().expect("a folder");
    let category = |id: &str, name: &str, parent: Option<&str>| Category {
        id: id.into(),
        name: name.into(),
        slug: crate::catalog::vocabulary::key_of(name),
        parent: parent.map(str::to_string),
        description: None,
        visible: true,
        sort_order: None,
        translations: Default::default(),
    };
    let mut references = References::default();
    references.brands = vec![Brand {
        id: "b0".into(),
        name: "Norrsken".into(),
        slug: "norrsken".into(),
        featured: true,
        country: Some("Sweden".into()),
        established: Some(1998),
        ..Brand::default()
    }];
    references.categories = vec![
        category("c0", "Everyday", None),
        category("c1", "Summer", None),
        category("c2", "Office", Some("c0")),
        category("c3", "Page", Some("c0")),
    ];
    let filters = ProductFilters::default();
    let media = Media::new(None);
    let words = Words::english();
    let collector =
        Collector::new(&words, &references, &media, &filters, folder.path(), &mut Vec::new()).expect("a collector");
    let mapped = (0..).zip(products).map(|(position, product)| Mapped::product(position, product)).collect();
    collector.take(0, &Arc::from("products"), mapped).expect("taken");
    collector.finish(SortOrder::Featured, None, &mut Vec::new()).expect("nothing is remembered").0
}

/// A rendered store: bytes by path.
pub(super) fn rendered(config: &StoreConfiguration, catalog: &EnhancedCatalog) -> (Plan, BTreeMap<String, Vec<u8>>) {
    let plan = plan(config, catalog);
    let theme = Theme::of(config).expect("the theme");
    let media = Media::new(None);
    let renderer = Renderer::new(config, catalog, &plan, &theme, &media, None).expect("a renderer");
    let mut files = BTreeMap::new();
    for page in &plan.pages {
        let before = files.insert(page.path.to_string(), renderer.render(page).expect("it renders").bytes);
        assert!(before.is_none(), "two pages at {}", page.path);
    }
    files.extend(renderer.files().iter().map(|file| (file.path.clone(), file.bytes.clone())));
    files.extend(renderer.icons().draw().expect("icons").into_iter().map(|(path, bytes)| (path.to_string(), bytes)));
    for drawing in renderer.drawings() {
        files.insert(drawing.path(), drawing.svg().into_bytes());
    }
    (plan, files)
}

pub(super) fn text<'a>(files: &'a BTreeMap<String, Vec<u8>>, path: &str) -> &'a str {
    let bytes = files.get(path).unwrap_or_else(|| panic!("no {path}"));
    std::str::from_utf8(bytes).expect("text")
}

fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let opening = format!(" {attribute}=\"");
    html.split(opening.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

fn html_files(files: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = (&str, &str)> {
    files.keys().filter(|path| path.ends_with(".html")).map(|path| (path.as_str(), text(files, path)))
}

#[test]
fn every_link_leads_somewhere_below_the_base_path() {
    for base in ["https://example.org/", "https://example.org/shop/"] {
        let config = configuration(base);
        let prefix = config.base_url.path().to_string();
        let (_, files) = rendered(&config, &catalog(products()));
        let mut seen = BTreeSet::new();
        for (path, html) in html_files(&files) {
            for link in ["href", "src"].into_iter().flat_map(|attribute| values(html, attribute)) {
                if link.starts_with("mailto:") || link.starts_with('#') || link.starts_with("https://") {
                    continue;
                }
                let target = link.strip_prefix(&prefix).unwrap_or_else(|| panic!("{path}: {link} leaves {prefix}"));
                let file = if target.is_empty() || target.ends_with('/') {
                    format!("{target}index.html")
                } else {
                    target.into()
                };
                assert!(files.contains_key(&file), "{path}: {link} leads nowhere");
                seen.insert(file);
            }
        }
        let unseen = html_files(&files).map(|(path, _)| path).find(|path| *path != "404.html" && !seen.contains(*path));
        assert_eq!(unseen, None, "no page links to it");
    }
}

#[test]
fn nothing_hostile_gets_out() {
    let (_, files) = rendered(&configuration("https://example.org/"), &catalog(products()));
    for (path, html) in html_files(&files) {
        for forbidden in ["<script>window", "<img src=x", "onclick", " style=", "<b>", "</script><img"] {
            assert!(!html.contains(forbidden), "{path} has {forbidden}");
        }
        for block in html.split("<script type=\"application/ld+json\">").skip(1) {
            let json = block.split("</script>").next().unwrap_or_default();
            serde_json::from_str::<serde_json::Value>(json).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
}

#[test]
fn titles_and_descriptions_are_unique_and_fit() {
    let (_, files) = rendered(&configuration("https://example.org/"), &catalog(products()));
    let mut seen = BTreeSet::new();
    for (path, html) in html_files(&files).filter(|(path, _)| *path != "404.html") {
        let title = html.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).expect("a title");
        let title = unescaped(title);
        assert!((10..=60).contains(&title.graphemes(true).count()), "{path}: {title}");
        assert!(seen.insert(title.clone()), "{path}: another page has the title {title}");
        let description =
            html.split("<meta name=\"description\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
        let description = unescaped(description.expect("a description"));
        assert!((50..=160).contains(&description.graphemes(true).count()), "{path}: {description}");
        assert!(seen.insert(description.clone()), "{path}: another page has the description {description}");
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
    }
}

fn unescaped(html: &str) -> String {
    let quotes = html.replace("&quot;", "\"").replace("&#39;", "'");
    quotes.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn the_same_store_has_the_same_bytes() {
    let config = configuration("https://example.org/");
    let mut backwards = products();
    backwards.reverse();
    assert_eq!(rendered(&config, &catalog(products())).1, rendered(&config, &catalog(backwards)).1);
}

#[test]
fn listings_hold_every_product_once_over_their_pages() {
    let config = configuration("https://example.org/");
    let catalog = catalog(products());
    let (plan, files) = rendered(&config, &catalog);
    for (index, listing) in (0..).zip(&plan.listings) {
        let pages =
            plan.pages.iter().filter(|page| matches!(page.kind, PageKind::Listing { listing, .. } if listing == index));
        let html: String = pages.map(|page| text(&files, &page.path)).collect();
        assert_eq!(html.matches("<li class=\"card").count(), listing.members.len(), "{}", listing.folder);
    }
    let second = text(&files, "products/page/2/index.html");
    assert!(second.contains("rel=\"prev\" href=\"/products/\""));
    assert!(second.contains("rel=\"next\" href=\"/products/page/3/\""));
    assert!(second.contains("<link rel=\"canonical\" href=\"https://example.org/products/page/2/\">"));
    assert!(files.contains_key("categories/everyday/office/index.html"));
}

#[test]
fn a_product_page_says_what_is_known_and_no_more() {
    let (_, files) = rendered(&configuration("https://example.org/"), &catalog(products()));
    let known = text(&files, "products/windsor-1/index.html");
    for expected in
        ["€119", "€89.00", "−25 %", "46-17-140", "128 mm", "22.5 g", "HR-1000", "In stock", "schema.org/InStock"]
    {
        assert!(known.contains(expected), "no {expected}");
    }
    let estimated = text(&files, "products/alma-2/index.html");
    assert!(estimated.contains("(estimated)"));
    assert!(text(&files, "products/sable-10/index.html").contains("Out of stock"));
    let bare = text(&files, "products/bare/index.html");
    for unknown in [" mm", "gtin", "aggregateRating", "<dt>Material", "undefined", "null"] {
        assert!(!bare.contains(unknown), "the bare product has {unknown}");
    }
}

#[test]
fn a_store_without_products_is_whole() {
    let (_, files) = rendered(&configuration("https://example.org/"), &catalog(Vec::new()));
    assert!(text(&files, "products/index.html").contains("There is nothing here yet"));
    assert!(!files.contains_key("brands/index.html"));
    assert!(text(&files, "sitemap.xml").contains("<loc>https://example.org/</loc>"));
}

/// The page of one product in a store that sells in this way.
fn sold(commerce: Commerce, product: Product) -> (String, BTreeMap<String, Vec<u8>>) {
    let config = StoreConfiguration { commerce, ..configuration("https://example.org/") };
    let path = format!("products/{}/index.html", crate::catalog::vocabulary::key_of(&product.name));
    let (_, files) = rendered(&config, &catalog(vec![product]));
    (text(&files, &path).to_string(), files)
}

#[test]
fn each_way_to_sell_has_its_own_buttons() {
    let mut product = product(0);
    let (page, files) = sold(Commerce::Enquiry, product.clone());
    assert!(page.contains("Add to the enquiry list") && page.contains("mailto:hello@example.org?subject="));
    assert!(text(&files, "cart/index.html").contains("<h1>Enquiry list</h1>"));

    let shopify = Commerce::Shopify { domain: "a.example".into() };
    let (page, _) = sold(shopify.clone(), product.clone());
    assert!(!page.contains("data-buy") && page.contains("Ask about this frame"), "without a variant");
    product.shopify_variant_id = Some("42".into());
    let (page, files) = sold(shopify, product.clone());
    assert!(page.contains("data-variant=\"42\"") && page.contains("Add to cart"));
    assert!(text(&files, "cart/index.html").contains("data-domain=\"a.example\""));

    assert!(!sold(Commerce::Stripe, product.clone()).0.contains("Buy now"), "without a payment link");
    product.payment_link = Some("https://buy.stripe.com/x".into());
    let (page, _) = sold(Commerce::Stripe, product.clone());
    assert!(page.contains("<a class=\"button\" href=\"https://buy.stripe.com/x\" rel=\"noopener\">Buy now</a>"));

    let snipcart = Commerce::Snipcart { public_key: "KEY".into() };
    let (page, files) = sold(snipcart, product.clone());
    for expected in
        ["data-item-id=\"p00\"", "data-item-price=\"89.00\"", "data-api-key=\"KEY\"", "snipcart.js\"></script>"]
    {
        assert!(page.contains(expected), "no {expected}");
    }
    assert!(page.contains("script-src 'self' https://cdn.snipcart.com;"));
    assert!(!text(&files, "index.html").contains("snipcart.js"), "only pages that sell load it");
    assert!(text(&files, "_headers").contains("frame-src https://app.snipcart.com;"));

    let (page, files) = sold(Commerce::None, product.clone());
    assert!(!page.contains("data-buy") && !files.contains_key("cart/index.html"));
    product.availability = Availability::OutOfStock;
    assert!(!sold(Commerce::Stripe, product).0.contains("Buy now"), "what is sold out cannot be bought");
}

#[test]
fn delivery_and_returns_are_told_as_far_as_they_are_known() {
    let mut config = configuration("https://example.org/");
    let page = |config: &StoreConfiguration, name: &str| {
        let (_, files) = rendered(config, &catalog(vec![product(0), product(9)]));
        text(&files, &format!("products/{name}/index.html")).to_string()
    };
    let silent = page(&config, "windsor-1");
    assert!(
        !silent.contains("shippingDetails") && !silent.contains("MerchantReturnPolicy") && !silent.contains("<details")
    );
    config.tax_note = Some("incl. VAT".into());
    config.delivery = Some(Delivery { transit_days: Some(DayRange { least: 2, most: 4 }), ..Delivery::default() });
    config.returns = Some(Returns { days: Some(30), ..Returns::default() });
    let sparse = page(&config, "windsor-1");
    assert!(sparse.contains("incl. VAT") && sparse.contains("2–4 working days") && sparse.contains("within 30 days"));
    assert!(!sparse.contains("shippingDetails") && !sparse.contains("MerchantReturnPolicy"), "no country, no price");

    config.delivery = Some(Delivery {
        countries: vec!["DE".into(), "AT".into()],
        price: Some(Decimal::new(490, 2)),
        free_from: Some(Decimal::from(100)),
        handling_days: Some(DayRange { least: 0, most: 1 }),
        transit_days: Some(DayRange { least: 2, most: 4 }),
        ..Delivery::default()
    });
    config.returns = Some(Returns { days: Some(30), countries: vec!["DE".into()], is_free: Some(true), text: None });
    let cheap = page(&config, "windsor-1");
    for expected in
        ["Germany, Austria", "2–5 working days", "€4.90", "It is free from €100.00", "\"value\":\"4.90\"", "FreeReturn"]
    {
        assert!(cheap.contains(expected), "no {expected}");
    }
    assert_eq!(cheap.matches("OfferShippingDetails").count(), 2);
    let dear = page(&config, "sable-10");
    assert!(dear.contains("For this frame it is free") && dear.contains("\"value\":\"0.00\""), "from 100 on");
}

/// Writes the store to `target/sample-store`, to look at.
#[test]
#[ignore = "writes files to look at"]
fn write_the_sample_store() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/sample-store"));
    let _ = std::fs::remove_dir_all(&folder);
    let mut ordinary = products();
    ordinary.truncate(40);
    for (path, bytes) in rendered(&configuration("https://example.org/"), &catalog(ordinary)).1 {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("created");
        std::fs::write(file, bytes).expect("written");
    }
}
