//! One catalogue, many ways to hand it over: MongoDB in its several forms, dumps, exports. The store must not tell them apart.

use crate::mongod::{self, Catalog, Mongod};
use crate::store::{Store, assert_same_tree, repository};
use flate2::{Compression, write::GzEncoder};
use mongodb::bson::{Bson, Document};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;

const FILTERED: &str = "\
store_name: Filtered
base_url: https://shop.example/
currency: EUR
output: store
images:
  download: false
catalog:
  uri: catalog
  database: DATABASE
product_filters:
  in_stock: true
  price: { min: 80, max: 320.50 }
  brand: [Arbel, corvo, Estrel, Grevin, kelmar, Orlane, Stavely, Wexcombe]
  category: [eyeglasses, Sunglasses Modern]
";

const UNFILTERED: &str = "\
store_name: Whole
base_url: https://shop.example/
output: store
images:
  download: false
catalog:
  uri: catalog
  database: DATABASE
";

type Encode = fn(&[Document]) -> Vec<u8>;

/// Makes a catalogue of a size with the benchmark's generator.
fn make_catalog(count: usize, folder: &Path) {
    let made = Command::new("python3")
        .arg(repository().join("benches/make_catalog.py"))
        .arg(count.to_string())
        .arg(folder)
        .output()
        .expect("python3 is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// What is true of the generated products, apart from how their documents say it.
fn truths(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("truth.jsonl")).expect("the truth");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Slugs of the products that can be sold and that a filter lets through.
fn expected(truths: &[Value], filter: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut slugs: Vec<String> = truths
        .iter()
        .filter(|truth| truth["trouble"].is_null() && filter(truth))
        .map(|truth| truth["slug"].as_str().expect("a slug").to_string())
        .collect();
    slugs.sort();
    slugs
}

fn text<'a>(truth: &'a Value, field: &str) -> &'a str {
    truth[field].as_str().unwrap_or_default()
}

fn passes_filtered(truth: &Value) -> bool {
    let brands = ["Arbel", "Corvo", "Estrel", "Grevin", "Kelmar", "Orlane", "Stavely", "Wexcombe"];
    let cents = truth["cents"].as_u64().expect("cents");
    let category = text(truth, "category");
    truth["in_stock"] == true
        && (8_000..=32_050).contains(&cents)
        && brands.contains(&text(truth, "brand"))
        && (category.starts_with("Eyeglasses") || category.starts_with("Sunglasses Modern"))
}

fn bson(documents: &[Document]) -> Vec<u8> {
    documents.iter().flat_map(|document| mongodb::bson::serialize_to_vec(document).expect("BSON")).collect()
}

fn json_lines(documents: &[Document], encode: fn(Bson) -> Value) -> Vec<u8> {
    documents
        .iter()
        .flat_map(|document| format!("{}\n", encode(Bson::Document(document.clone()))).into_bytes())
        .collect()
}

fn canonical(documents: &[Document]) -> Vec<u8> {
    json_lines(documents, Bson::into_canonical_extjson)
}

fn relaxed(documents: &[Document]) -> Vec<u8> {
    json_lines(documents, Bson::into_relaxed_extjson)
}

fn array(documents: &[Document]) -> Vec<u8> {
    let values: Vec<Value> =
        documents.iter().map(|document| Bson::Document(document.clone()).into_relaxed_extjson()).collect();
    serde_json::to_vec_pretty(&values).expect("JSON")
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

/// A store that reads its catalogue from a server.
fn from_server(config: &str, uri: &str, database: &str) -> Store {
    Store::new(&config.replace("uri: catalog", "uri: ${SHOP_URI}").replace("DATABASE", database)).env("SHOP_URI", uri)
}

#[test]
fn ten_thousand_products_give_exactly_the_pages_that_the_filters_allow() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(10_000, folder.path());
    let expected = expected(&truths(folder.path()), passes_filtered);
    assert!(expected.len() > 200, "the filters leave too little to compare: {}", expected.len());
    let catalog = Catalog::read(folder.path());
    let server = mongod::shared();
    let database = server.new_database();
    catalog.load(&server, &server.uri(), &database);

    let store = from_server(FILTERED, &server.uri(), &database);
    store.generated(&["--threads", "1"]);
    assert_eq!(store.product_slugs(), expected);
    let first = store.tree();
    store.generated(&["--threads", "2"]);
    assert_same_tree(&first, &store.tree(), "one thread and two");

    let dump = Store::new(&FILTERED.replace("DATABASE", "shop"));
    catalog.write(&dump.path("catalog"), "bson", bson);
    dump.generated(&[]);
    assert_same_tree(&first, &dump.tree(), "MongoDB and mongodump");

    let export = Store::new(&FILTERED.replace("DATABASE", "shop"));
    catalog.write(&export.path("catalog"), "json", canonical);
    export.generated(&[]);
    assert_same_tree(&first, &export.tree(), "MongoDB and mongoexport");
}

#[test]
fn every_file_format_gives_the_same_bytes_as_the_server() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(300, folder.path());
    let catalog = Catalog::read(folder.path());
    let server = mongod::shared();
    let database = server.new_database();
    catalog.load(&server, &server.uri(), &database);
    let store = from_server(UNFILTERED, &server.uri(), &database);
    store.generated(&[]);
    assert_eq!(store.product_slugs(), expected(&truths(folder.path()), |_| true));
    let served = store.tree();

    let formats: BTreeMap<&str, Encode> = BTreeMap::from([
        ("bson", bson as Encode),
        ("bson.gz", |documents| gzipped(&bson(documents))),
        ("jsonl", canonical),
        ("jsonl.gz", |documents| gzipped(&canonical(documents))),
        ("json", array),
        ("json.gz", |documents| gzipped(&array(documents))),
        ("ndjson", relaxed),
    ]);
    for (extension, encode) in formats {
        let files = Store::new(&UNFILTERED.replace("DATABASE", "shop"));
        catalog.write(&files.path("catalog"), extension, encode);
        files.generated(&[]);
        assert_same_tree(&served, &files.tree(), extension);
    }
}

#[test]
fn a_single_file_is_a_catalogue_of_products() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(60, folder.path());
    let catalog = Catalog::read(folder.path());
    let (_, products) = &catalog.collections[0];
    let trees: Vec<_> = [("products.bson", bson(products)), ("anything.json.gz", gzipped(&relaxed(products)))]
        .into_iter()
        .map(|(name, bytes)| {
            let config = format!(
                "store_name: One\nbase_url: https://shop.example/\noutput: store\nimages:\n  download: false\ncatalog:\n  uri: dump/{name}\n"
            );
            let store = Store::new(&config).file(format!("dump/{name}"), bytes);
            store.generated(&[]);
            assert_eq!(store.product_slugs(), expected(&truths(folder.path()), |_| true), "{name}");
            store.tree()
        })
        .collect();
    assert_same_tree(&trees[0], &trees[1], "one file");
}

#[test]
fn each_filter_lets_through_what_it_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(450, folder.path());
    let truths = truths(folder.path());
    let catalog = Catalog::read(folder.path());
    let server = mongod::shared();
    let database = server.new_database();
    catalog.load(&server, &server.uri(), &database);
    let any = |values: &'static [&'static str], field: &'static str| {
        move |truth: &Value| values.contains(&text(truth, field))
    };
    type Passes = Box<dyn Fn(&Value) -> bool>;
    let cases: Vec<(&str, Passes)> = vec![
        ("in_stock: false", Box::new(|truth| truth["in_stock"] == false)),
        ("price: { max: 60 }", Box::new(|truth| truth["cents"].as_u64() <= Some(6_000))),
        ("price: { min: 450 }", Box::new(|truth| truth["cents"].as_u64() >= Some(45_000))),
        ("frame_shape: [cat_eye, Rectangular]", Box::new(any(&["cat-eye", "rectangle"], "frame_shape"))),
        ("frame_type: [blue_light]", Box::new(any(&["blue-light"], "frame_type"))),
        ("gender: [women]", Box::new(any(&["women", "unisex"], "gender"))),
        ("material: [Titanium]", Box::new(|truth| truth["materials"][0] == "titanium")),
        ("category: [Reading Modern No 2]", Box::new(any(&["Reading Modern 1"], "category"))),
        ("brand: [no such brand]", Box::new(|_| false)),
    ];
    for (filter, passes) in cases {
        let config = format!(
            "store_name: F\nbase_url: https://shop.example/\noutput: store\nimages:\n  download: false\ncatalog:\n  uri: catalog\n  database: DATABASE\nproduct_filters:\n  {filter}\n"
        );
        let expected = expected(&truths, passes);
        let served = from_server(&config, &server.uri(), &database);
        served.generated(&[]);
        let found = if served.output().join("products").is_dir() { served.product_slugs() } else { Vec::new() };
        assert_eq!(found, expected, "{filter} from MongoDB");
        let filed = Store::new(&config.replace("DATABASE", "shop"));
        catalog.write(&filed.path("catalog"), "jsonl", relaxed);
        filed.generated(&[]);
        assert_same_tree(&served.tree(), &filed.tree(), filter);
    }
}

#[test]
fn max_products_takes_the_first_in_the_chosen_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(120, folder.path());
    let mut cheapest: Vec<(u64, String)> = truths(folder.path())
        .iter()
        .filter(|truth| truth["trouble"].is_null())
        .map(|truth| (truth["cents"].as_u64().expect("cents"), text(truth, "slug").to_string()))
        .collect();
    cheapest.sort();
    let mut expected: Vec<String> = cheapest.into_iter().take(7).map(|(_, slug)| slug).collect();
    expected.sort();
    let config = "store_name: F\nbase_url: https://shop.example/\noutput: store\nsort: price_asc\nimages:\n  download: false\ncatalog:\n  uri: catalog\nproduct_filters:\n  max_products: 7\n";
    let store = Store::new(config);
    Catalog::read(folder.path()).write(&store.path("catalog"), "bson", bson);
    store.generated(&[]);
    assert_eq!(store.product_slugs(), expected);
}

#[test]
fn the_boutique_is_the_same_from_files_and_from_mongodb() {
    let server = mongod::shared();
    let files = Store::from_example("boutique");
    files.generated(&[]);
    let database = server.new_database();
    let served = Store::from_example("boutique")
        .with_config("store-mongodb.yaml")
        .edit(|text| text.replace("database: lantern_street", &format!("database: {database}")))
        .env("MONGODB_URI", &server.uri());
    let loaded = Command::new(mongod::tool("venv/bin/python"))
        .arg(served.path("load-into-mongodb.py"))
        .arg(&database)
        .env("MONGODB_URI", server.uri())
        .output()
        .expect("python starts");
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    served.generated(&[]);
    assert_same_tree(&files.tree(), &served.tree(), "the boutique");
}

fn small_catalog() -> Catalog {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(30, folder.path());
    Catalog::read(folder.path())
}

#[test]
fn servers_with_passwords_replica_sets_and_tls_are_read() {
    let catalog = small_catalog();
    let files = Store::new(&UNFILTERED.replace("DATABASE", "shop"));
    catalog.write(&files.path("catalog"), "bson", bson);
    files.generated(&[]);
    let check = |server: &Mongod, uri: &str, what: &str| {
        catalog.load(server, uri, "shop");
        let store = from_server(UNFILTERED, uri, "shop");
        store.generated(&[]);
        assert_same_tree(&files.tree(), &store.tree(), what);
    };
    let server = Mongod::with_auth();
    check(&server, &server.auth_uri(), "with a password");
    drop(server);
    let server = Mongod::replica_set();
    check(&server, &server.replica_set_uri(), "a replica set");
    drop(server);
    let server = Mongod::with_tls();
    check(&server, &server.tls_uri(), "TLS");
}

#[test]
fn a_wrong_password_is_an_unavailable_source_and_stays_secret() {
    let server = Mongod::with_auth();
    let uri = server.auth_uri().replace("correct%20horse%2Fbattery", "hunter2%21secret");
    let store = from_server(FILTERED, &uri, "shop");
    let run = store.generate(&[]).code(4);
    assert!(run.stderr.to_lowercase().contains("auth"), "{}", run.stderr);
    let job = store.newest_job();
    assert_eq!(job["status"], "failed");
    for text in [run.stdout, run.stderr, store.state_text(), job.to_string()] {
        assert!(!text.contains("hunter2"), "the password got out: {text}");
    }
    assert!(!store.output().exists(), "a store without products was published");
}

#[test]
fn a_server_that_is_down_is_named_and_the_old_store_stays() {
    let server = mongod::shared();
    let database = server.new_database();
    small_catalog().load(&server, &server.uri(), &database);
    let store = from_server(FILTERED, &server.uri(), &database);
    store.generated(&[]);
    let before = store.tree();
    let port = mongod::free_port();
    let store =
        store.env("SHOP_URI", &format!("mongodb://shop:hunter2@127.0.0.1:{port}/?serverSelectionTimeoutMS=1500"));
    let run = store.generate(&[]).code(4).says(&format!("127.0.0.1:{port}"));
    assert!(!run.stderr.contains("hunter2") && !store.state_text().contains("hunter2"));
    assert_same_tree(&before, &store.tree(), "after a failed run");
}

#[test]
fn a_catalogue_that_is_not_there_is_named() {
    let store = Store::new("store_name: X\nbase_url: https://shop.example/\noutput: store\ncatalog:\n  uri: nowhere\n");
    store.generate(&[]).code(2).says("nowhere").says("catalog.uri");
}

#[test]
fn a_client_collection_is_read_through_a_mapping() {
    let config = "\
store_name: Client
base_url: https://shop.example/
currency: CHF
output: store
catalog:
  uri: artikel.jsonl
  mapping:
    id: _id
    sku: artikel.nummer
    name: [artikel.bezeichnung, titel]
    price: { path: preis.rappen, factor: 0.01 }
    currency: { const: CHF }
    frame_shape: { path: form, lookup: { rund: round, eckig: square } }
    colors: { path: farben, split: \"/\", lower: true }
";
    let store = Store::new(config).file(
        "artikel.jsonl",
        concat!(
            r#"{"_id":1,"artikel":{"nummer":"A-1","bezeichnung":"Säntis"},"preis":{"rappen":24950},"form":"rund","farben":"Blau/Gold"}"#,
            "\n",
            r#"{"_id":2,"titel":"Pilatus","artikel":{"nummer":"A-2"},"preis":{"rappen":"19900"},"form":"eckig"}"#,
            "\n",
        ),
    );
    store.generated(&[]);
    assert_eq!(store.product_slugs(), ["pilatus", "santis"]);
    let data = crate::pages::product_data(&store.page("products/santis/index.html"));
    let offer = if data["offers"].is_array() { &data["offers"][0] } else { &data["offers"] };
    assert_eq!((offer["price"].as_str(), offer["priceCurrency"].as_str()), (Some("249.50"), Some("CHF")));
    assert_eq!(data["sku"], "A-1");
    assert!(store.page("products/santis/index.html").contains("Round"));
}
