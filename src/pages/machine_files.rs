//! Tests of the files that machines read: feeds, descriptions, redirects, the worker.

use super::sample_store::{catalog, configuration, products, rendered, text};
use super::{Renderer, Theme, plan, refuse_collisions};
use crate::assets::media::Media;
use crate::catalog::product::{Image, Product};
use crate::config::{Redirect, StoreConfiguration};
use resvg::usvg::roxmltree::{Document, Node};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

const BASE: &str = "https://example.org/shop/";

fn files(config: &StoreConfiguration, products: Vec<Product>) -> BTreeMap<String, Vec<u8>> {
    rendered(config, &catalog(products)).1
}

fn sample() -> BTreeMap<String, Vec<u8>> {
    files(&configuration(BASE), products())
}

fn child<'a>(item: Node<'a, 'a>, name: &str) -> Option<&'a str> {
    item.children().find(|child| child.tag_name().name() == name)?.text()
}

fn children<'a>(document: &'a Document<'a>, name: &'static str) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.has_tag_name(name)).collect()
}

fn redirect(from: &str, path: &str, target: &str) -> Redirect {
    Redirect { from: from.into(), path: path.into(), target: Url::parse(target).expect("a URL") }
}

#[test]
fn the_product_feed_says_what_is_known_and_no_more() {
    let mut products = products();
    products[0].images = ["https://cdn.example.org/a.jpg", "https://cdn.example.org/b.jpg"]
        .map(|source| Image { source: source.into(), alt: None, role: None, dimensions: None })
        .into();
    let files = files(&configuration(BASE), products);
    let document = Document::parse(text(&files, "feeds/products.xml")).expect("well-formed");
    let items = children(&document, "item");
    let ids: BTreeSet<_> = items.iter().filter_map(|&item| child(item, "id")).collect();
    assert_eq!(ids.len(), items.len(), "ids are unique");
    let item = |id: &str| *items.iter().find(|&&item| child(item, "id") == Some(id)).unwrap_or_else(|| panic!("{id}"));

    let first = item("HR-1000");
    assert_eq!(child(first, "title"), Some("Windsor 1"));
    assert_eq!(child(first, "link"), Some("https://example.org/shop/products/windsor-1/"));
    assert_eq!((child(first, "price"), child(first, "sale_price")), (Some("119.00 EUR"), Some("89.00 EUR")));
    assert_eq!(child(first, "image_link"), Some("https://cdn.example.org/a.jpg"));
    assert_eq!(child(first, "additional_image_link"), Some("https://cdn.example.org/b.jpg"));
    assert_eq!((child(first, "brand"), child(first, "gender")), (Some("Norrsken"), Some("female")));
    assert_eq!((child(first, "color"), child(first, "size")), (Some("Black"), Some("46-17-140")));
    assert_eq!((child(first, "identifier_exists"), child(first, "gtin")), (Some("no"), None));
    assert_eq!((child(first, "availability"), child(first, "condition")), (Some("in_stock"), Some("new")));

    // The colour of the frame itself is no variant of it; neither has the other a photo.
    let group: Vec<_> = items.iter().filter(|&&item| child(item, "item_group_id") == Some("HR-1000")).collect();
    assert_eq!(group.iter().filter_map(|&&item| child(item, "color")).collect::<Vec<_>>(), ["Black", "Honey", "Navy"]);
    assert_eq!(child(item("HR-1000--honey"), "image_link"), None);

    assert_eq!(child(item("HR-1009"), "availability"), Some("out_of_stock"));
    assert!(!ids.contains("HR-1010"), "what is no longer made is not for sale");
    let bare = item("bare");
    for unknown in ["image_link", "brand", "color", "material", "gender", "age_group", "size", "sale_price", "gtin"] {
        assert_eq!(child(bare, unknown), None, "{unknown}");
    }
}

#[test]
fn the_newest_frames_make_the_news() {
    assert!(!sample().contains_key("feeds/new.atom"), "frames without dates are no news");
    let mut products: Vec<Product> =
        (0..70).map(|number| Product::sample(&format!("n{number}"), &format!("New & {number}"))).collect();
    for (number, product) in (0..).zip(&mut products) {
        product.created_at = Some(1_700_000_000_000 + number * 86_400_000);
        product.updated_at = (number == 3).then_some(1_900_000_000_000);
    }
    products[69].created_at = Some(i64::MAX);
    let files = files(&configuration(BASE), products);
    let document = Document::parse(text(&files, "feeds/new.atom")).expect("well-formed");
    let entries: Vec<_> = document.descendants().filter(|node| node.tag_name().name() == "entry").collect();
    assert_eq!(entries.len(), 50);
    assert_eq!(child(entries[0], "title"), Some("New & 68"));
    assert_eq!(child(entries[0], "published"), Some("2024-01-21T22:13:20Z"));
    assert_eq!(child(document.root_element(), "updated"), Some("2024-01-21T22:13:20Z"));
    assert!(
        child(entries[0], "content").is_some_and(|html| html.starts_with("<p><img src=\"https://example.org/shop/"))
    );
    assert!(text(&files, "index.html").contains("type=\"application/atom+xml\" href=\"/shop/feeds/new.atom\""));
}

#[test]
fn files_for_machines_point_at_what_is_there() {
    let files = sample();
    let search = Document::parse(text(&files, "opensearch.xml")).expect("well-formed");
    let address =
        search.descendants().find(|node| node.tag_name().name() == "Url").and_then(|url| url.attribute("template"));
    assert_eq!(address, Some("https://example.org/shop/search/?q={searchTerms}"));

    let manifest: Value = serde_json::from_str(text(&files, "manifest.webmanifest")).expect("JSON");
    let mut links: Vec<String> = ["icons", "shortcuts"]
        .iter()
        .flat_map(|key| manifest[key].as_array().expect("a list"))
        .map(|entry| entry.get("src").or(entry.get("url")).and_then(Value::as_str).expect("an address").to_string())
        .collect();
    assert_eq!((&manifest["id"], &manifest["dir"]), (&"/shop/".into(), &"ltr".into()));

    let guide = text(&files, "llms.txt");
    assert!(guide.starts_with("# Halden & Rook\n\n> Spectacles"));
    let written = guide.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    links.extend(
        written.map(|link| link.strip_prefix("https://example.org").unwrap_or_else(|| panic!("{link}")).into()),
    );
    assert!(links.len() > 30 && links.iter().any(|link| link == "/shop/feeds/products.xml"), "{links:?}");
    for link in links {
        let path = link.strip_prefix("/shop/").unwrap_or_else(|| panic!("{link}"));
        let file = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.into() };
        assert!(files.contains_key(&file), "{link} leads nowhere");
    }
}

#[test]
fn the_sitemap_tells_when_listings_changed() {
    let files = sample();
    let document = Document::parse(text(&files, "sitemap.xml")).expect("well-formed");
    let changed = |end: &str| {
        let urls = document.descendants().filter(|node| node.tag_name().name() == "url");
        let mut urls = urls.filter(|&url| child(url, "loc").is_some_and(|loc| loc == format!("{BASE}{end}")));
        urls.next().and_then(|url| child(url, "lastmod"))
    };
    // The fortieth frame is the newest; the first one is of 15 June 2025.
    assert_eq!((changed(""), changed("products/")), (Some("2025-07-24"), Some("2025-07-24")));
    assert_eq!((changed("products/windsor-1/"), changed("about/")), (Some("2025-06-15"), None));
}

#[test]
fn old_addresses_lead_on() {
    let mut config = configuration(BASE);
    assert!(!files(&config, products()).contains_key("_redirects"));
    config.redirects = vec![
        redirect("/old shop/", "old shop/index.html", "https://example.org/shop/products/?a=1&b=2"),
        redirect("/x.html", "x.html", "https://other.example/"),
    ];
    let files = files(&config, products());
    assert_eq!(
        text(&files, "_redirects"),
        "/shop/old%20shop /shop/products/?a=1&b=2 301\n\
         /shop/old%20shop/ /shop/products/?a=1&b=2 301\n\
         /shop/x.html https://other.example/ 301\n"
    );
    let page = text(&files, "old shop/index.html");
    assert!(page.contains("content=\"0; url=https://example.org/shop/products/?a=1&amp;b=2\""), "{page}");
    assert!(page.contains("<meta name=\"robots\" content=\"noindex\">"));
    assert!(!text(&files, "sitemap.xml").contains("old"));
}

#[test]
fn redirects_take_no_place_of_the_store() {
    let mut config = configuration(BASE);
    let theme = Theme::of(&config).expect("the theme");
    let (media, catalog) = (Media::new(None), catalog(products()));
    let mut refusal = |redirects: &[(&str, &str)]| {
        config.redirects = redirects.iter().map(|(from, path)| redirect(from, path, "https://x.example/")).collect();
        let plan = plan(&config, &catalog);
        let renderer = Renderer::new(&config, &catalog, &plan, &theme, &media, None).expect("a renderer");
        refuse_collisions(&config, &plan, &renderer).err().map(|error| error.to_string())
    };
    assert_eq!(refusal(&[("/old/", "old/index.html"), ("/products/old/", "products/old/index.html")]), None);
    for (from, path) in [
        ("/", "index.html"),
        ("/Products", "Products/index.html"),
        ("/favicon.ico", "favicon.ico/index.html"),
        ("/assets/x", "assets/x/index.html"),
        ("/sitemap.xml/x", "sitemap.xml/x/index.html"),
    ] {
        let message = refusal(&[("/old/", "old/index.html"), (from, path)]).unwrap_or_else(|| panic!("{from} passes"));
        assert!(message.contains(&format!("away from `{from}`,")), "{message}");
    }
}

#[test]
fn a_worker_comes_with_the_offline_page_only() {
    let mut config = configuration(BASE);
    let without = files(&config, products());
    assert!(!without.contains_key("service-worker.js") && !without.contains_key("offline/index.html"));
    assert!(!text(&without, "_headers").contains("worker"));
    config.offline_page = true;
    let with = files(&config, products());
    assert!(text(&with, "offline/index.html").contains("noindex"));
    for path in ["index.html", "_headers"] {
        assert!(text(&with, path).contains("worker-src"), "{path}");
    }
    let worker = text(&with, "service-worker.js");
    let settings = worker.lines().next().and_then(|line| line.strip_prefix("const settings = ")?.strip_suffix(';'));
    let settings: Value = serde_json::from_str(settings.expect("settings")).expect("JSON");
    for file in settings["files"].as_array().expect("a list").iter().filter_map(Value::as_str).skip(1) {
        assert!(with.contains_key(file.strip_prefix("/shop/").expect("below the root")), "{file}");
    }
    let fewer = files(&config, products().into_iter().take(3).collect());
    let dearer = files(
        &config,
        products()
            .into_iter()
            .take(3)
            .map(|mut product| {
                product.price.minor += 1;
                product
            })
            .collect(),
    );
    assert_eq!(text(&fewer, "service-worker.js"), text(&dearer, "service-worker.js"));
}
