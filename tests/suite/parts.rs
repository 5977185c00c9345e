//! `storegen generate --shard` and `storegen merge`: a store made in parts.

use crate::store::{Store, assert_same_tree, tree_of};
use serde_json::json;
use std::collections::BTreeMap;

/// The boutique with small pages, so that there are many.
fn boutique() -> Store {
    Store::from_example("boutique").edit(|config| config.replace("products_per_page: 24", "products_per_page: 5"))
}

fn make_parts(store: &Store, of: usize) -> Vec<String> {
    let parts: Vec<String> = (1..=of).map(|number| format!("part{number}")).collect();
    for (number, part) in (1..).zip(&parts) {
        // Each machine has a state of its own.
        let (shard, state) = (format!("{number}/{of}"), format!("state{number}/state.json"));
        store.generate(&["--quiet", "--shard", &shard, "--output", part, "--state", &state]).code(0);
    }
    parts
}

fn merge(store: &Store, parts: &[String]) -> crate::store::Run {
    let mut arguments = vec!["merge", "merged"];
    arguments.extend(parts.iter().map(String::as_str));
    store.run(&arguments)
}

fn whole(store: &Store) -> BTreeMap<String, String> {
    store.generate(&["--quiet", "--full", "--output", "one", "--state", "one-state/state.json"]).code(0);
    tree_of(&store.path("one"))
}

#[test]
fn parts_make_the_bytes_that_one_machine_makes() {
    let store = boutique();
    let parts = make_parts(&store, 3);
    let sizes: Vec<usize> = parts.iter().map(|part| tree_of(&store.path(part)).len()).collect();
    merge(&store, &parts).code(0);
    let one = whole(&store);
    assert_same_tree(&one, &tree_of(&store.path("merged")), "merged");
    let audit = std::fs::read_to_string(store.path(".storegen/audit.jsonl")).expect("an audit log");
    let line: serde_json::Value = serde_json::from_str(audit.lines().last().expect("a line")).expect("JSON");
    let said = [&line["action"], &line["output"], &line["parts"], &line["files"], &line["added"], &line["removed"]];
    let output = std::fs::canonicalize(store.path("merged")).expect("a folder");
    // The manifest does not count itself.
    let count = json!(one.len() - 1);
    assert_eq!(said, [&json!("merged"), &json!(output), &json!(parts), &count, &count, &json!(0)], "{audit}");
    assert!(line["by"]["pid"].is_u64() && line["at"].is_string(), "{audit}");
    assert!(sizes.iter().all(|&size| size > one.len() / 6 && size < one.len() / 2 + 50), "{sizes:?} of {}", one.len());

    // Each machine makes again only what has changed, and the store is exchanged as any other.
    let text = std::fs::read_to_string(store.path("catalog/products.jsonl")).expect("the catalogue");
    store.write("catalog/products.jsonl", text.replace("\"Nagi Aviator\"", "\"Nagi Pilot\""));
    let parts = make_parts(&store, 3);
    let reversed: Vec<String> = parts.iter().rev().cloned().collect();
    merge(&store, &reversed).code(0);
    assert_same_tree(&whole(&store), &tree_of(&store.path("merged")), "merged again");
}

#[test]
fn what_does_not_make_a_store_is_refused_and_named() {
    let store = boutique();
    let parts = make_parts(&store, 2);
    merge(&store, &parts[..1]).code(1).says("2/2 of the store is missing");
    merge(&store, &[parts[0].clone(), parts[0].clone()]).code(1).says("the same part, 1/2");
    merge(&store, &[parts[0].clone(), "catalog".into()]).code(1).says("`catalog` is no part of a store");
    assert!(!store.path("merged").exists());

    let page = store.path("part1/index.html");
    let page = if page.exists() { page } else { store.path("part2/index.html") };
    let text = std::fs::read_to_string(&page).expect("the front page");
    std::fs::write(&page, format!("{text} ")).expect("written");
    merge(&store, &parts).code(1).says("was changed after it was made");
    std::fs::write(&page, text).expect("written");
    merge(&store, &parts).code(0);

    let store = store.edit(|config| config.replace("currency: EUR", "currency: CHF"));
    store.generate(&["--quiet", "--shard", "2/2", "--output", "part2", "--state", "state2/state.json"]).code(0);
    merge(&store, &parts).code(1).says("are not parts of the same store");
    store.generate(&["--shard", "3/2", "--output", "part2"]).code(2).says("such as `2/8`");
    store.generate(&["--shard", "1/2"]).code(2).says("--output");
}
