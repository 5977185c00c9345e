//! A catalogue that means harm, or was made by a program that did not care: the store must be whole, the report must tell.

use crate::mongod;
use crate::pages;
use crate::store::{CONFIG, Store, assert_same_tree};
use mongodb::bson::{Document, RawDocumentBuf, doc};
use std::collections::BTreeSet;
use url::Url;

const SCRIPT: &str = "\"><script>window.__xss=1</script>";
const BREAKOUT: &str = "</script><img src=x onerror=window.__xss=1>";

/// The usual store file, which asks no server for the pictures that these documents name.
fn offline() -> String {
    format!("{CONFIG}images:\n  download: false\n")
}

fn sellable(id: i32, name: &str) -> Document {
    doc! { "_id": id, "sku": format!("H-{id}"), "name": name, "price": 99, "currency": "EUR", "in_stock": true, "active": true, "frame_shape": "round" }
}

fn with(id: i32, name: &str, more: Document) -> Document {
    let mut document = sellable(id, name);
    document.extend(more);
    document
}

fn nested(levels: usize) -> Document {
    (0..levels).fold(doc! { "bottom": true }, |inner, _| doc! { "deeper": inner })
}

/// Documents that must be in the store, mended where they must be.
fn sold() -> Vec<Document> {
    vec![
        sellable(1, SCRIPT),
        with(
            2,
            BREAKOUT,
            doc! { "description": "<svg onload=window.__xss=1><iframe src=javascript:window.__xss=1></iframe><a href=\"jAvAscript:window.__xss=1\">x</a><p onmouseover=window.__xss=1>text</p><base href=//evil.example/><style>*{display:none}</style>" },
        ),
        with(3, "Climber", doc! { "seo": { "slug": "../../../climbed" } }),
        with(4, "Absolute", doc! { "seo": { "slug": "/tmp/absolute" } }),
        with(5, "Dots", doc! { "seo": { "slug": ".." } }),
        with(6, "Index", doc! { "seo": { "slug": "index.html" } }),
        with(7, "Page", doc! { "seo": { "slug": "page" } }),
        with(8, "Nul", doc! { "seo": { "slug": "a\0b" } }),
        sellable(9, &"long name ".repeat(10_000)),
        with(10, "Deep", doc! { "specifications": nested(60), "attributes": { "more": nested(40) } }),
        sellable(11, "Right \u{202e}evil\u{202c} left"),
        sellable(12, "👓🕶️ Emoji 👨‍👩‍👧‍👦"),
        sellable(13, "نظارة شمسية"),
        sellable(14, "Same"),
        sellable(15, "Same"),
        sellable(16, "same"),
        with(
            17,
            "Pictures",
            doc! { "media": { "primary_image": "javascript:window.__xss=1", "gallery_images": ["../../../../../../etc/passwd", "file:///etc/passwd", "//evil.example/x.png\" onerror=\"window.__xss=1", "data:text/html,<script>window.__xss=1</script>"] } },
        ),
        with(
            18,
            "Handlebars {{#each products}}{{lookup . \"constructor\"}}{{/each}}",
            doc! { "description": "{{{name}}} {{> header}}" },
        ),
        with(
            19,
            "Texts",
            doc! { "seo": { "title": SCRIPT, "description": BREAKOUT, "keywords": [SCRIPT] }, "color": SCRIPT, "frame_shape": SCRIPT, "frame_material": BREAKOUT, "gender_target": SCRIPT, "ai_tags": [BREAKOUT], "brand_name": BREAKOUT, "category_name": SCRIPT },
        ),
        with(
            20,
            "Wrong types",
            doc! { "description": [1, 2, 3], "measurements": "wide", "colors": 7, "media": 3, "seo": [], "face_shape_compatibility": "good", "quality_score": "high", "inventory_quantity": "some", "created_at": "yesterday", "tags": {} },
        ),
        with(
            21,
            "Numbers",
            doc! { "quality_score": f64::NAN, "rating": f64::INFINITY, "measurements": { "lens_width": f64::NEG_INFINITY, "bridge_width": 1e300, "temple_length": -140 }, "face_shape_compatibility": { "oval": f64::NAN, "round": 7.5, "square": -1 } },
        ),
        with(22, "Line\nbreaks\r\nand\ttabs \u{0} \u{7}", doc! {}),
    ]
}

/// Documents that cannot be sold; each must be in the report.
fn unsellable() -> Vec<Document> {
    vec![
        with(101, "NaN", doc! { "price": f64::NAN }),
        with(102, "Infinite", doc! { "price": f64::INFINITY }),
        with(103, "Astronomic", doc! { "price": "1e400" }),
        with(104, "Negative", doc! { "price": -1 }),
        with(105, "A list", doc! { "price": [1, 2] }),
        with(106, "Words", doc! { "price": "on request" }),
        sellable(107, ""),
        sellable(108, " \u{200b}\u{202e}\u{0} "),
        with(109, "x", doc! { "name": 7.5_f64.recip() > 1.0 }),
        doc! { "_id": 110 },
    ]
}

fn others() -> Vec<(&'static str, Vec<Document>)> {
    vec![
        (
            "brands",
            vec![
                doc! { "_id": "b1", "name": SCRIPT, "slug": "../../brand", "website": "javascript:window.__xss=1", "logo_url": "javascript:window.__xss=1", "description": "<script>window.__xss=1</script>", "active": true },
                doc! { "_id": "b2", "name": 5 },
            ],
        ),
        (
            "categories",
            vec![
                doc! { "_id": "c1", "name": BREAKOUT, "slug": "..", "parent_id": "c2", "active": true },
                doc! { "_id": "c2", "name": "Loop", "slug": "../..", "parent_id": "c1", "active": true },
                doc! { "_id": "c3", "name": "Self", "slug": "page", "parent_id": "c3", "active": true },
            ],
        ),
    ]
}

fn encoded(documents: &[Document]) -> Vec<u8> {
    documents.iter().flat_map(|document| mongodb::bson::serialize_to_vec(document).expect("BSON")).collect()
}

/// A document whose name and description are not UTF-8, which BSON forbids and servers accept.
fn not_utf8(id: i32) -> Vec<u8> {
    let document = with(id, "Bad @@ name", doc! { "description": "It has @@ in it" });
    let mut bytes = mongodb::bson::serialize_to_vec(&document).expect("BSON");
    for at in 0..bytes.len() - 1 {
        if &bytes[at..at + 2] == b"@@" {
            bytes[at..at + 2].copy_from_slice(&[0xff, 0xfe]);
        }
    }
    bytes
}

fn products() -> Vec<u8> {
    let mut bytes = encoded(&sold());
    bytes.extend(encoded(&unsellable()));
    bytes.extend(not_utf8(23));
    bytes
}

fn hostile_store() -> Store {
    let mut bytes = products();
    // A database cannot hold an id twice; a dump that was put together by hand can.
    bytes.extend(encoded(&[sellable(14, "Same id"), sellable(14, "Same id again")]));
    let mut store = Store::new(&offline()).file("catalog/products.bson", bytes);
    for (name, documents) in others() {
        store = store.file(format!("catalog/{name}.bson"), encoded(&documents));
    }
    store
}

fn base() -> Url {
    Url::parse("https://shop.example/").expect("an address")
}

#[test]
fn nothing_is_injected_into_any_page() {
    let store = hostile_store();
    store.generated(&[]);
    let mut products = 0;
    for file in pages::html_files(&store.output()) {
        let html = store.page(&file);
        let found = pages::foreign_code(&html);
        assert!(found.is_empty(), "{file}: {found:?}");
        assert!(!html.contains("root:x:"), "{file} holds a file of the system");
        for value in pages::structured_data(&html) {
            products += usize::from(value["@type"] == "Product");
        }
        let document = scraper::Html::parse_document(&html);
        assert_eq!(document.select(&pages::select("h1")).count(), 1, "{file}");
    }
    assert!(products >= sold().len(), "{products} products");
    let dead = pages::dead_links(&store.output(), &base());
    assert!(dead.is_empty(), "{dead:?}");
    for name in store.tree().into_keys().filter(|name| name.ends_with(".svg")) {
        let svg = store.page(&name);
        assert!(!svg.contains("__xss") && !svg.contains("<script"), "{name}");
    }
    for name in ["sitemap.xml", "robots.txt"] {
        assert!(!store.page(name).contains("<script"), "{name}");
    }
}

#[test]
fn nothing_is_written_outside_the_output_folder() {
    let store = hostile_store();
    let outside = |store: &Store| {
        let mut tree = crate::store::tree_of(&store.path(""));
        tree.retain(|name, _| !name.starts_with("store/") && !name.starts_with(".storegen/"));
        tree
    };
    let before = outside(&store);
    store.generated(&[]);
    assert_same_tree(&before, &outside(&store), "outside the output folder");
    assert!(!std::path::Path::new("/tmp/absolute").exists());
    for name in store.tree().into_keys() {
        assert!(
            name.len() < 250 && !name.split('/').any(|part| part == ".." || part.starts_with('.') && part.len() == 1),
            "{name}"
        );
        assert!(name.split('/').all(|part| part.len() <= 200 && !part.chars().any(char::is_control)), "{name:?}");
    }
    let paged = std::fs::read_dir(store.output().join("products/page")).map_or(0, Iterator::count);
    assert_eq!(store.output().join("products/page/2/index.html").is_file(), paged > 0);
}

#[test]
fn every_document_is_in_the_store_or_in_the_report() {
    let store = hostile_store();
    let record = store.generated(&[]);
    let report = store.report(&record);
    for document in unsellable() {
        let id = document.get_i32("_id").expect("an id").to_string();
        assert!(report.contains(&format!("\"{id}\"")), "document {id} is not in the report:\n{report}");
    }
    let skus: BTreeSet<String> = store
        .product_slugs()
        .iter()
        .filter_map(|slug| {
            pages::product_data(&store.page(&format!("products/{slug}/index.html")))["sku"].as_str().map(str::to_string)
        })
        .collect();
    for document in sold() {
        let sku = document.get_str("sku").expect("a stock unit");
        assert!(
            skus.contains(sku),
            "{sku} ({:?}) is not in the store",
            document.get_str("name").map(|name| name.chars().take(40).collect::<String>())
        );
    }
    let skipped: u64 =
        record["skipped"].as_object().expect("counts").values().filter_map(serde_json::Value::as_u64).sum();
    assert!(skipped >= unsellable().len() as u64, "{}", record["skipped"]);
    assert!(report.len() < 200_000, "the report repeats the long name: {} bytes", report.len());
}

#[test]
fn a_hostile_store_is_the_same_twice_and_from_a_server() {
    let store = Store::new(&offline()).file("catalog/products.bson", products());
    let mut store = store;
    for (name, documents) in others() {
        store = store.file(format!("catalog/{name}.bson"), encoded(&documents));
    }
    store.generated(&["--threads", "1"]);
    let first = store.tree();
    store.generated(&["--threads", "2"]);
    assert_same_tree(&first, &store.tree(), "twice");

    let server = mongod::shared();
    let database = server.new_database();
    let mut raw: Vec<RawDocumentBuf> =
        sold().iter().chain(&unsellable()).map(|document| RawDocumentBuf::try_from(document).expect("BSON")).collect();
    raw.push(RawDocumentBuf::from_bytes(not_utf8(23)).expect("a document"));
    server.insert(&server.uri(), &database, "products", &raw);
    for (name, documents) in others() {
        server.insert(&server.uri(), &database, name, &documents);
    }
    let served =
        Store::new(&offline().replace("uri: catalog", &format!("uri: {}\n  database: {database}", server.uri())));
    served.generated(&[]);
    assert_same_tree(&first, &served.tree(), "from the server");
}

#[test]
fn lines_that_are_not_documents_are_reported_by_number() {
    let good =
        |id: u32| format!("{{\"_id\":{id},\"sku\":\"S{id}\",\"name\":\"Frame {id}\",\"price\":50,\"active\":true}}\n");
    let deep = format!("{{\"_id\":9,\"a\":{}1{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!("{}not json\n{}[1,2]\n\n{}{deep}\"text\"\n{}", good(1), good(2), good(3), good(4));
    let store = Store::new(&offline()).file("catalog/products.jsonl", text);
    let record = store.generated(&[]);
    assert_eq!(store.product_slugs(), ["frame-1", "frame-2", "frame-3", "frame-4"]);
    let report = store.report(&record);
    for line in ["line 2", "line 4", "line 7", "line 8"] {
        assert!(report.contains(line), "no `{line}` in {report}");
    }
}

#[test]
fn a_dump_that_breaks_off_is_an_error_and_keeps_the_old_store() {
    let store = Store::new(&offline()).file("catalog/products.bson", encoded(&sold()));
    store.generated(&[]);
    let before = store.tree();
    let mut bytes = encoded(&sold());
    bytes.truncate(bytes.len() - 10);
    store.write("catalog/products.bson", bytes);
    let run = store.generate(&[]);
    assert!(matches!(run.code, Some(2 | 4)), "{:?}: {}", run.code, run.stderr);
    assert!(run.stderr.contains("products.bson") && !run.stderr.contains("panicked"), "{}", run.stderr);
    assert_same_tree(&before, &store.tree(), "after a broken dump");
}
