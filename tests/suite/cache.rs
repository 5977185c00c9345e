//! What is kept of pictures between runs, as its owner sees it.

use crate::store::{CONFIG, Store};

#[test]
fn an_empty_cache_can_be_looked_at_pruned_and_cleared() {
    let store = Store::new(CONFIG);
    let stats = store.run(&["cache", "stats", "--json"]).code(0).json();
    assert_eq!((&stats["entries"], &stats["bytes"]), (&0.into(), &0.into()), "{stats}");
    assert!(stats["folder"].as_str().is_some_and(|folder| folder.ends_with(".storegen/cache")), "{stats}");
    assert_eq!(stats["shelves"]["images"]["all_runs"]["hits"], 0, "{stats}");
    let told = store.run(&["cache", "stats"]).code(0).stdout;
    assert!(told.contains("0 entries") && told.contains("10 GB") && told.contains("90 days"), "{told}");
    let pruned = store.run(&["cache", "prune", "store.yaml", "--max-size", "1 MB", "--json"]).code(0).json();
    assert_eq!(pruned["entries"], 0, "{pruned}");
    assert!(store.run(&["cache", "clear"]).code(0).stdout.contains("removed 0 entries"));
    assert!(!store.path(".storegen").exists(), "looking leaves nothing behind");
    store.run(&["cache", "prune", "--max-size", "much"]).code(2).says("'500 MB'");
}

#[test]
fn the_cache_is_where_the_store_file_says() {
    let folder = |store: &Store| {
        let stats = store.run(&["cache", "stats", "--json"]).code(0).json();
        stats["folder"].as_str().expect("a folder").to_string()
    };
    let store = Store::new(&format!("{CONFIG}cache:\n  folder: ./kept\n"));
    assert!(folder(&store).ends_with("/kept"), "{}", folder(&store));
    let store = Store::new(&format!("{CONFIG}cache:\n  folder: shared\n"));
    let home = store.path("home").display().to_string();
    let store = store.env("HOME", &home).env("XDG_CACHE_HOME", "");
    assert_eq!(folder(&store), format!("{home}/.cache/storegen"));
}

#[test]
fn a_cache_that_was_warmed_leaves_nothing_to_do_for_the_build() {
    let product = |name: &str| {
        format!(
            r#"{{"_id":"{name}","name":"{name}","price":99,"active":true,"media":{{"primary_image":"{name}.png"}}}}"#
        )
    };
    let products: Vec<String> = ["a", "b", "broken"].map(product).into();
    let store = Store::new(CONFIG).file("catalog/products.jsonl", products.join("\n"));
    for (name, side) in [("a", 400), ("b", 500)] {
        image::RgbImage::new(side, side).save(store.path(format!("catalog/{name}.png"))).expect("a picture");
    }
    store.write("catalog/broken.png", b"no picture");
    let warmed = store.run(&["cache", "warm", "--json"]).code(0).json();
    assert_eq!((&warmed["products"], &warmed["images"]["misses"]), (&3.into(), &2.into()), "{warmed}");
    assert!(!store.output().exists(), "no store is made");
    assert!(store.run(&["cache", "warm"]).code(0).stdout.contains("2 pictures, 0 of them made now"));
    let run = store.generate(&["--progress", "json"]).code(0);
    let events = run.stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let used = events.into_iter().find(|event| event["event"] == "cache_used" && event["shelf"] == "images");
    let used = used.expect("the cache was asked");
    assert_eq!((&used["hits"], &used["misses"]), (&2.into(), &0.into()), "{used}");
}
