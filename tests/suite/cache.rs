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
