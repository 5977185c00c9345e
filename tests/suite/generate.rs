//! `storegen generate` on the example boutique.

use crate::pages;
use crate::store::{CONFIG, Store, assert_same_tree};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

const RECORD: [&str; 16] = [
    "catalog_as_of",
    "completed_at",
    "config_path",
    "created_at",
    "error_message",
    "generated_urls",
    "job_id",
    "performance_metrics",
    "processed_products",
    "progress_percentage",
    "retry_of",
    "skipped",
    "started_at",
    "status",
    "store_name",
    "total_products",
];

fn boutique() -> Store {
    Store::from_example("boutique")
}

fn base() -> Url {
    Url::parse("https://lantern-street.example/").expect("an address")
}

fn source_documents(store: &Store) -> Vec<Value> {
    let text = std::fs::read_to_string(store.path("catalog/products.jsonl")).expect("the catalogue");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn the_example_becomes_a_whole_store() {
    let store = boutique();
    store.generated(&[]);
    for page in [
        "index.html",
        "404.html",
        "sitemap.xml",
        "robots.txt",
        "products/index.html",
        "products/page/2/index.html",
        "products/ashby/index.html",
        "brands/halden-row/index.html",
        "categories/eyeglasses/index.html",
        "categories/eyeglasses/titanium-light/rimless/index.html",
        "face-shapes/heart/index.html",
    ] {
        assert!(store.output().join(page).is_file(), "{page} is missing");
    }
    let home = store.page("index.html");
    assert!(home.contains("Lantern Street Eyewear"));
    let product = pages::product_data(&store.page("products/penrose/index.html"));
    assert_eq!(product["name"], "Penrose");
    let colors = product["hasVariant"].as_array().expect("each colour has a number of its own");
    for color in colors {
        let offer = &color["offers"];
        assert_eq!((offer["price"].as_str(), offer["priceCurrency"].as_str()), (Some("195.00"), Some("EUR")));
    }
    let numbers: BTreeSet<_> = colors.iter().filter_map(|color| color["sku"].as_str()).collect();
    assert!(numbers.len() > 1 && numbers.len() == colors.len(), "{numbers:?}");
}

#[test]
fn every_link_of_the_example_leads_somewhere() {
    let store = boutique();
    store.generated(&[]);
    let dead = pages::dead_links(&store.output(), &base());
    assert!(dead.is_empty(), "{} dead links:\n{}", dead.len(), dead[..dead.len().min(30)].join("\n"));
}

#[test]
fn every_address_of_the_sitemap_is_a_page_and_every_product_is_in_it() {
    let store = boutique();
    store.generated(&[]);
    let sitemap = store.page("sitemap.xml");
    let listed: BTreeSet<String> = sitemap
        .split("<loc>")
        .skip(1)
        .map(|rest| rest.split("</loc>").next().unwrap_or_default().to_string())
        .collect();
    for address in &listed {
        let address = Url::parse(address).expect("an address");
        assert!(pages::file_of(&store.output(), &base(), &address).is_some(), "{address} is not a page");
    }
    for slug in store.product_slugs() {
        let address = base().join(&format!("products/{slug}/")).expect("an address");
        assert!(listed.contains(address.as_str()), "{address} is not in the sitemap");
    }
}

#[test]
fn every_product_is_in_the_store_or_in_the_report() {
    let store = boutique();
    let record = store.generated(&[]);
    let sold: BTreeSet<String> = store
        .product_slugs()
        .iter()
        .map(|slug| {
            pages::product_data(&store.page(&format!("products/{slug}/index.html")))["name"]
                .as_str()
                .expect("a name")
                .to_string()
        })
        .collect();
    let documents = source_documents(&store);
    let report = store.report(&record);
    let findings: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let unsold = findings
        .iter()
        .filter(|finding| finding["collection"] == "products")
        .filter(|finding| finding["outcome"] == "skipped" || finding["outcome"] == "excluded");
    assert_eq!(store.product_slugs().len() + unsold.count(), documents.len(), "{report}");
    for document in &documents {
        let name = document["name"].as_str().unwrap_or_default();
        if !sold.contains(name) {
            let id = document["_id"]["$oid"].as_str().expect("the unsold have ObjectIds");
            assert!(report.contains(id), "{id} ({name}) is neither in the store nor in the report");
        }
    }
    // A copied stock unit and slug is sold under a slug of its own.
    assert_eq!(store.product_slugs().iter().filter(|slug| slug.starts_with("ashby")).count(), 2);
}

#[test]
fn the_job_record_has_exactly_its_fields() {
    let store = boutique();
    let record = store.generated(&[]);
    let object = record.as_object().expect("an object");
    let fields: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(fields, RECORD.into_iter().collect());

    let id = record["job_id"].as_str().expect("text");
    let digits = id.strip_prefix("job_").expect("starts with job_");
    assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(record["status"], "completed");
    assert_eq!(record["progress_percentage"].as_f64(), Some(100.0));
    assert_eq!(record["store_name"], "Lantern Street Eyewear");
    assert_eq!(record["error_message"], Value::Null);
    for moment in ["created_at", "started_at", "completed_at"] {
        let text = record[moment].as_str().expect("a moment");
        let format = &time::format_description::well_known::Rfc3339;
        let read = time::OffsetDateTime::parse(text, format).expect("RFC 3339");
        assert!(read.offset().is_utc(), "{text}");
    }
    let metrics = &record["performance_metrics"];
    assert!(metrics["products_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{metrics}");
    assert!(metrics.get("current_phase").is_some(), "{metrics}");
    assert!(record["generated_urls"].get("static-html").is_some(), "{}", record["generated_urls"]);
    assert_eq!(record["total_products"].as_u64(), Some(source_documents(&store).len() as u64));
    assert_eq!(record["processed_products"].as_u64(), Some(store.product_slugs().len() as u64));
    let reasons: BTreeMap<String, u64> = serde_json::from_value(record["skipped"].clone()).expect("counts by reason");
    assert_eq!(reasons.get("missing_name"), Some(&1), "{reasons:?}");

    assert_eq!(store.newest_job()["job_id"], record["job_id"]);
    let one = store.run(&["status", id, "--json"]).code(0).json();
    assert_eq!(one["job_id"], record["job_id"]);
    store.run(&["status", "job_000000000000"]).code(1).says("job_000000000000");
}

#[test]
fn status_lists_the_newest_job_first() {
    let store = boutique();
    let first = store.generated(&[]);
    let second = store.generated(&[]);
    assert_ne!(first["job_id"], second["job_id"]);
    let listing = store.run(&["status"]).code(0).stdout;
    let position = |record: &Value| listing.find(record["job_id"].as_str().expect("text")).expect("listed");
    assert!(position(&second) < position(&first), "{listing}");
}

#[test]
fn a_second_run_changes_not_a_byte() {
    let store = boutique();
    store.generated(&["--threads", "1"]);
    let first = store.tree();
    store.generated(&["--threads", "2"]);
    assert_same_tree(&first, &store.tree(), "the same store built twice");
}

#[test]
fn the_store_does_not_depend_on_how_much_memory_there_is() {
    let store = Store::from_example("studio");
    store.generated(&[]);
    let usual = store.tree();
    store.generated(&["--max-memory", "64MB", "--full"]);
    assert_same_tree(&usual, &store.tree(), "the same store with little memory");
    for (size, told) in [("1MB", "at least 64 MB"), ("much", "such as `256MB`")] {
        let refused = store.run(&["generate", "store.yaml", "--max-memory", size]).code(2);
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
}

#[test]
fn products_that_do_not_fit_into_memory_make_the_same_store() {
    let store = boutique();
    // More than there is room for in the least, with names, article numbers and ids that come twice.
    let catalog = std::fs::read_to_string(store.path("catalog/products.jsonl")).expect("the catalogue");
    let products: Vec<Value> = catalog.lines().map(|line| serde_json::from_str(line).expect("a product")).collect();
    let mut many = String::new();
    for number in 0..2400 {
        let mut product = products[number % products.len()].clone();
        product["_id"] = format!("product-{:04}", number.min(2395)).into();
        if let Some(name) = product["name"].as_str() {
            product["name"] = format!("{name} {}", number % 500).into();
        }
        many.push_str(&format!("{product}\n"));
    }
    store.write("catalog/products.jsonl", &many);
    let told = |record: &Value| {
        // Blocks of documents are told about as they are done.
        let mut lines: Vec<String> = store.report(record).lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    let record = store.generated(&[]);
    let (usual, usually_told) = (store.tree(), told(&record));
    let record = store.generated(&["--max-memory", "64MB", "--full"]);
    assert_same_tree(&usual, &store.tree(), "the same store with little memory");
    assert_eq!(usually_told, told(&record));
    // What is not in memory is remembered all the same: the products as they were, and those that were renamed.
    store.write("catalog/products.jsonl", many.replace(" 77\"", " 77b\""));
    store.generated(&["--max-memory", "64MB"]);
    let changed = store.tree();
    assert_ne!(changed, usual);
    store.generated(&["--full"]);
    assert_same_tree(&changed, &store.tree(), "the same store after a change, with little memory and with much");
}

#[test]
fn stale_pages_go_and_foreign_files_stay() {
    let store = boutique();
    store.generated(&[]);
    store.write("store/CNAME", "lantern-street.example\n");
    store.write("store/products/notes.txt", "by hand");
    let catalog = std::fs::read_to_string(store.path("catalog/products.jsonl")).expect("the catalogue");
    let without: String =
        catalog.lines().filter(|line| !line.contains("\"name\":\"Colombe\"")).map(|line| format!("{line}\n")).collect();
    assert!(store.output().join("products/colombe/index.html").is_file());
    store.write("catalog/products.jsonl", without);
    store.generated(&[]);
    assert!(!store.output().join("products/colombe").exists(), "the page of a product that is gone is still there");
    assert_eq!(store.page("CNAME"), "lantern-street.example\n");
    assert_eq!(store.page("products/notes.txt"), "by hand");
}

#[test]
fn strict_fails_on_skipped_products_and_publishes_nothing() {
    let store = boutique();
    store.generate(&["--strict"]).code(1).says("--strict");
    assert!(!store.output().join("index.html").exists());
    let job = store.newest_job();
    assert_eq!(job["status"], "failed");
    assert!(job["error_message"].as_str().is_some_and(|text| !text.is_empty()));
}

#[test]
fn nothing_confidential_reaches_the_store_or_the_report() {
    let store = boutique();
    let run = store.generate(&["--json"]).code(0);
    let report = store.run(&["check", "store.yaml", "--json"]).code(0);
    let secrets =
        ["renegotiate the margin", "BACKROOM-", "j.harker", "orders@halden-row.example", "cost_price", "price_history"];
    let costs: Vec<String> = source_documents(&store)
        .iter()
        .filter_map(|document| document["price"]["cost_price"].as_f64())
        .map(|cost| format!("{cost:.2}"))
        .collect();
    assert!(costs.len() > 15);
    let mut texts = vec![run.stdout, run.stderr, report.stdout, report.stderr, store.state_text()];
    texts.extend(
        store.tree().into_keys().map(|name| {
            String::from_utf8_lossy(&std::fs::read(store.output().join(name)).expect("a file")).into_owned()
        }),
    );
    for text in &texts {
        for secret in &secrets {
            assert!(!text.contains(secret), "`{secret}` got out");
        }
    }
    for page in store.product_slugs() {
        let html = store.page(&format!("products/{page}/index.html"));
        for cost in &costs {
            assert!(!html.contains(cost.as_str()), "cost price {cost} is on {page}");
        }
    }
}

#[test]
fn a_store_below_a_path_links_below_it() {
    let store = boutique()
        .edit(|text| text.replace("https://lantern-street.example/", "https://shops.example/lantern-street/"));
    store.generated(&[]);
    let base = Url::parse("https://shops.example/lantern-street/").expect("an address");
    let dead = pages::dead_links(&store.output(), &base);
    assert!(dead.is_empty(), "{dead:?}");
    for file in pages::html_files(&store.output()) {
        let html = store.page(&file);
        let document = scraper::Html::parse_document(&html);
        for link in document.select(&pages::select("a[href^='/'], [src^='/'], link[href^='/']")) {
            let value = link.value().attr("href").or(link.value().attr("src")).unwrap_or_default();
            assert!(value.starts_with("/lantern-street/"), "{file}: {value} leaves the store");
        }
    }
}

#[test]
fn pages_say_who_they_are() {
    let store = boutique();
    store.generated(&[]);
    let mut titles = BTreeMap::new();
    for file in pages::html_files(&store.output()) {
        let html = store.page(&file);
        let document = scraper::Html::parse_document(&html);
        let one = |css: &str| document.select(&pages::select(css)).count();
        assert_eq!((one("title"), one("h1"), one("html[lang]")), (1, 1, 1), "{file}");
        pages::structured_data(&html);
        if file == "404.html" {
            continue;
        }
        let canonical =
            document.select(&pages::select("link[rel=canonical]")).next().and_then(|link| link.value().attr("href"));
        let own = pages::address(&base(), &file);
        let is_listed = one("meta[name=robots][content=noindex]") == 0;
        assert_eq!(canonical, is_listed.then_some(own.as_str()), "{file}");
        assert_eq!(one("meta[name=description]"), 1, "{file}");
        let title: String = document.select(&pages::select("title")).flat_map(|title| title.text()).collect();
        if let Some(other) = titles.insert(title.clone(), file.clone()) {
            panic!("{file} and {other} share the title {title:?}");
        }
    }
}

#[test]
fn listings_are_paginated_with_plain_links() {
    let store = boutique().edit(|text| text.replace("products_per_page: 24", "products_per_page: 10"));
    store.generated(&[]);
    let products = store.product_slugs().len();
    let mut seen = BTreeSet::new();
    for number in 1..=products.div_ceil(10) {
        let file =
            if number == 1 { "products/index.html".to_string() } else { format!("products/page/{number}/index.html") };
        let html = store.page(&file);
        let document = scraper::Html::parse_document(&html);
        let here = pages::address(&base(), &file);
        for link in document.select(&pages::select("main a[href]")) {
            let target = here.join(link.value().attr("href").unwrap_or_default()).expect("an address");
            if let Some(slug) = target.path().strip_prefix("/products/").and_then(|rest| rest.strip_suffix('/'))
                && !slug.is_empty()
                && !slug.starts_with("page/")
            {
                seen.insert(slug.to_string());
            }
        }
        let next = document.select(&pages::select("[rel~=next]")).count();
        assert_eq!(next > 0, number < products.div_ceil(10), "{file}");
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), store.product_slugs());
    assert!(!store.output().join(format!("products/page/{}", products.div_ceil(10) + 1)).exists());
}

#[test]
fn an_empty_catalogue_is_a_store_without_products() {
    let store = Store::new(CONFIG).file("catalog/products.jsonl", "");
    let record = store.generated(&[]);
    assert_eq!(record["total_products"], 0);
    store.generate(&["--full"]).code(0).says("no product that can be sold");
    assert!(pages::dead_links(&store.output(), &Url::parse("https://shop.example/").expect("an address")).is_empty());
}
