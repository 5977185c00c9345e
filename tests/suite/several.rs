//! `storegen generate a.yaml b.yaml`: many stores in one run.

use crate::store::{CONFIG, Store, tree_of};
use std::collections::BTreeSet;

fn stores() -> Store {
    let store = Store::new(CONFIG);
    store.write("catalog/products.jsonl", r#"{"_id": 1, "name": "Lido", "price": 90, "frame_shape": "round"}"#);
    for name in ["north", "south", "west"] {
        let config = CONFIG
            .replace("Test Store", &format!("Glasses {name}"))
            .replace("output: store", &format!("output: out/{name}"));
        store.write(format!("stores/{name}.yaml"), config.replace("uri: catalog", "uri: ../catalog"));
    }
    store
}

const ALL: [&str; 3] = ["stores/north.yaml", "stores/south.yaml", "stores/west.yaml"];

#[test]
fn many_stores_are_made_in_one_run_and_each_has_its_job() {
    let store = stores();
    let run = store.run(&["generate", ALL[0], ALL[1], ALL[2]]).code(0);
    for name in ["north", "south", "west"] {
        let page = std::fs::read_to_string(store.path(format!("stores/out/{name}/index.html"))).expect("a store");
        assert!(page.contains(&format!("Glasses {name}")));
        assert!(run.stdout.contains(&format!("Glasses {name}")), "{}", run.stdout);
    }
    let jobs = store.run(&["status", "--json"]).code(0).json();
    let named: BTreeSet<&str> =
        jobs.as_array().expect("jobs").iter().filter_map(|job| job["store_name"].as_str()).collect();
    assert_eq!(named, BTreeSet::from(["Glasses north", "Glasses south", "Glasses west"]));
    let again = store.run(&["generate", ALL[0], ALL[1], ALL[2], "--json"]).code(0).json();
    let kept = again.as_array().expect("jobs").iter();
    assert!(
        kept.clone().count() == 3 && kept.clone().all(|job| job["performance_metrics"]["changes"]["pages_made"] == 0)
    );
}

#[test]
fn a_store_that_fails_does_not_keep_others_from_their_work() {
    let store = stores();
    store.write("stores/south.yaml", "store_name: Broken\nbase_url: nowhere\n");
    let run = store.run(&["generate", ALL[0], ALL[1], ALL[2]]).code(2).says("south.yaml");
    assert!(run.stdout.contains("✗") && run.stdout.matches("✓").count() == 2, "{}", run.stdout);
    assert!(!tree_of(&store.path("stores/out/west")).is_empty() && !store.path("stores/out/south").exists());
    store.run(&["generate", ALL[0], ALL[2], "--output", "x"]).code(2).says("`--output` is for one store");
}
