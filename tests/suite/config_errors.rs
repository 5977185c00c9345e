//! Mistakes in the store file: each is told so that a stranger can mend it.

use crate::store::{CONFIG, Store};

/// A change of the store file, and what the message must hold.
const MISTAKES: &[(&str, &str, &[&str])] = &[
    ("an unknown key", "theem: modern-minimal\n", &["theem", "theme", "store.yaml:"]),
    ("an unknown filter", "product_filters:\n  in_stok: true\n", &["in_stok", "in_stock"]),
    ("a colour that is none", "primary_color: bluish\n", &["primary_color", "bluish", "#"]),
    ("a currency that does not exist", "currency: XQX\n", &["currency", "XQX", "ISO 4217"]),
    ("a locale that is none", "locale: english please\n", &["locale", "english please"]),
    ("a relative address", "base_url: /shop\n", &["base_url", "/shop", "https://"]),
    ("an address without http", "base_url: ftp://shop.example/\n", &["base_url", "ftp"]),
    ("no products on a page", "products_per_page: 0\n", &["products_per_page", "0"]),
    ("too many products on a page", "products_per_page: 100000\n", &["products_per_page", "200"]),
    ("words for a number", "products_per_page: many\n", &["products_per_page", "many"]),
    ("an unknown theme", "theme: modern-maximal\n", &["theme", "modern-maximal", "modern-minimal"]),
    ("an unknown platform", "deployment_platforms: [static-htm]\n", &["static-htm", "static-html"]),
    ("a platform that is not built yet", "deployment_platforms: [github-pages]\n", &["github-pages", "not built yet"]),
    ("another platform that is not built yet", "deployment_platforms: [shopify]\n", &["shopify", "not built yet"]),
    ("prices the wrong way round", "product_filters:\n  price: { min: 300, max: 100 }\n", &["min", "max", "300"]),
    ("a score above one", "product_filters:\n  min_quality_score: 80\n", &["min_quality_score", "80"]),
    (
        "a face that is none",
        "product_filters:\n  face_shape: { shape: hexagon, min_score: 0.5 }\n",
        &["hexagon", "heart"],
    ),
    ("an unknown order", "sort: cheapest\n", &["cheapest", "price_asc"]),
    (
        "a variable that is not set",
        "contact_email: ${STOREGEN_NO_SUCH_VARIABLE}\n",
        &["STOREGEN_NO_SUCH_VARIABLE", ":-"],
    ),
    ("an e-mail address that is none", "contact_email: nobody\n", &["contact_email", "nobody"]),
    ("a key given twice", "store_name: Again\n", &["store_name"]),
    ("broken YAML", "theme: [modern\n", &["store.yaml:"]),
    ("an empty name", "store_name: \"\"\n", &["store_name"]),
];

/// The usual store file with the keys of `change` replaced.
fn with(change: &str) -> String {
    let key = change.split(':').next().unwrap_or_default();
    let kept = CONFIG.lines().filter(|line| change.contains("Again") || line.split(':').next() != Some(key));
    format!("{change}{}\n", kept.collect::<Vec<_>>().join("\n"))
}

#[test]
fn each_mistake_is_a_message_that_helps() {
    for (what, change, expected) in MISTAKES {
        let store = Store::new(&with(change));
        let run = store.generate(&[]).code(2);
        for part in *expected {
            assert!(run.stderr.contains(part), "{what}: no `{part}` in\n{}", run.stderr);
        }
        assert!(run.stderr.contains("store.yaml"), "{what}: the file is not named in\n{}", run.stderr);
        assert!(run.stdout.is_empty(), "{what}: {}", run.stdout);
        assert!(!store.output().exists(), "{what}: something was published");
    }
}

#[test]
fn all_mistakes_are_reported_together_with_their_lines() {
    let store = Store::new(
        "store_name: Shop\ntheem: x\nprimary_color: bluish\ncurrency: XQX\nbase_url: https://shop.example/\ncatalog:\n  uri: catalog\n  databse: shop\n",
    );
    let run = store.generate(&[]).code(2);
    for part in ["theem", "primary_color", "XQX", "databse", "database"] {
        assert!(run.stderr.contains(part), "no `{part}` in\n{}", run.stderr);
    }
    for position in ["store.yaml:2:", "store.yaml:3:", "store.yaml:4:", "store.yaml:8:"] {
        assert!(run.stderr.contains(position), "no `{position}` in\n{}", run.stderr);
    }
    assert!(run.stderr.contains("primary_color: bluish"), "the line itself is not shown in\n{}", run.stderr);
}

#[test]
fn a_missing_name_and_a_missing_file_are_told() {
    let run = Store::new("base_url: https://shop.example/\ncatalog:\n  uri: catalog\n").generate(&[]).code(2);
    assert!(run.stderr.contains("store_name"), "{}", run.stderr);
    Store::new("").run(&["generate", "elsewhere.yaml"]).code(2).says("elsewhere.yaml");
}

#[test]
fn a_password_in_a_mistaken_line_is_not_shown() {
    let config = "store_name: Shop\nbase_url: https://shop.example/\ncatalog:\n  uri: mongodb://shop:hunter2@db.example/?nonsense=%zz\n  databse: x\n";
    let run = Store::new(config).generate(&[]);
    assert_ne!(run.code, Some(0));
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
}

#[test]
fn variables_fill_in_and_fall_back() {
    let config = CONFIG.replace("Test Store", "${SHOP_NAME} of ${SHOP_TOWN:-Nowhere}");
    let store = Store::new(&config).env("SHOP_NAME", "Spectacles").file("catalog/products.jsonl", "");
    assert_eq!(store.generated(&[])["store_name"], "Spectacles of Nowhere");
}

#[test]
fn the_older_request_is_a_store_file_too() {
    let request = r#"{
        "store_config": {"store_name": "Old Request", "base_url": "https://shop.example/", "currency": "EUR", "catalog": {"uri": "catalog"}, "output": "store"},
        "product_filters": {"price": {"max": 100}}
    }"#;
    let line = |id: u32, price: u32| {
        format!(
            "{{\"_id\":{id},\"sku\":\"S{id}\",\"name\":\"Frame {id}\",\"price\":{price},\"in_stock\":true,\"active\":true}}\n"
        )
    };
    let store =
        Store::new("").file("request.json", request).file("catalog/products.jsonl", line(1, 50) + &line(2, 150));
    let record = store.run(&["generate", "request.json", "--json", "--quiet"]).code(0).json();
    assert_eq!(record["store_name"], "Old Request");
    assert_eq!(store.product_slugs(), ["frame-1"]);
}

#[test]
fn wrong_usage_is_told_with_exit_code_2() {
    let store = Store::new(CONFIG);
    store.run(&["genrate"]).code(2);
    store.generate(&["--threads", "none"]).code(2);
    store.generate(&["--progress", "sometimes"]).code(2);
}
