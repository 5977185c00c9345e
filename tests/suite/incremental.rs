//! Generating again after a change: only what changed is made and touched, and the result is that of a fresh build.

use crate::store::{CONFIG, Store, assert_same_tree, tree_of};
use crate::watching::Watching;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The boutique, whose catalogue can be changed.
struct Shop {
    store: Store,
    products: Vec<Value>,
    brands: Vec<Value>,
    categories: Vec<Value>,
}

impl Shop {
    fn new() -> Self {
        // Small pages, so that there are many of them, and an old address.
        let more = "products_per_page: 6\nredirects:\n  /old/: /products/\noffline_page: true\n";
        let store = Store::from_example("boutique");
        let store = store.edit(|config| format!("{}{more}", config.replace("products_per_page: 24\n", "")));
        let read = |name: &str| -> Vec<Value> {
            let text = std::fs::read_to_string(store.path(format!("catalog/{name}.jsonl"))).expect("the catalogue");
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        let (products, brands, categories) = (read("products"), read("brands"), read("categories"));
        let shop = Self { store, products, brands, categories };
        shop.save();
        shop
    }

    fn save(&self) {
        for (name, documents) in
            [("products", &self.products), ("brands", &self.brands), ("categories", &self.categories)]
        {
            let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
            self.store.write(format!("catalog/{name}.jsonl"), lines.join("\n"));
        }
    }

    /// What a build that knows nothing of any other gives.
    fn fresh(&self) -> BTreeMap<String, String> {
        for folder in ["fresh", "fresh-state"] {
            let _ = std::fs::remove_dir_all(self.store.path(folder));
        }
        self.store.generate(&["--quiet", "--output", "fresh", "--state", "fresh-state/state.json"]).code(0);
        tree_of(&self.store.path("fresh"))
    }

    /// What two machines make together, each of which knows what it made before.
    fn in_parts(&self) -> BTreeMap<String, String> {
        for number in 1..=2 {
            let (shard, part) = (format!("{number}/2"), format!("part{number}"));
            let state = format!("{part}-state/state.json");
            self.store.generate(&["--quiet", "--shard", &shard, "--output", &part, "--state", &state]).code(0);
        }
        self.store.run(&["merge", "merged", "part1", "part2"]).code(0);
        tree_of(&self.store.path("merged"))
    }

    fn product(&mut self, name: &str) -> &mut Value {
        self.products.iter_mut().find(|product| product["name"] == name).expect("it is in the boutique")
    }

    fn times(&self) -> BTreeMap<String, (i64, i64, u64)> {
        times_below(&self.store.output())
    }
}

/// When each file was written last, and as which file.
fn times_below(folder: &Path) -> BTreeMap<String, (i64, i64, u64)> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("an entry"));
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("inside").to_string_lossy().into_owned();
            let metadata = entry.metadata().expect("metadata");
            (path, (metadata.mtime(), metadata.mtime_nsec(), metadata.ino()))
        })
        .collect()
}

/// Paths whose file is another one than before, came or went.
fn touched(before: &BTreeMap<String, (i64, i64, u64)>, after: &BTreeMap<String, (i64, i64, u64)>) -> BTreeSet<String> {
    before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

fn how(record: &Value) -> &Value {
    &record["performance_metrics"]["changes"]["reading"]
}

fn sorted(report: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = report.lines().collect();
    lines.sort_unstable();
    lines
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
}

#[test]
fn nothing_changed_touches_nothing() {
    let shop = Shop::new();
    let first = shop.store.generated(&[]);
    assert_eq!(how(&first), &json!({"how": "whole"}));
    let before = shop.times();
    let run = shop.store.generate(&[]).code(0);
    assert_eq!(touched(&before, &shop.times()), BTreeSet::new());
    assert!(run.stdout.contains("as before") && run.stdout.contains("not read again"), "{}", run.stdout);
    let second = shop.store.newest_job();
    assert_eq!(how(&second), &json!({"how": "same_files"}));
    assert_eq!(second["performance_metrics"]["changes"]["pages_made"], 0);
    // Whatever was left out of the store is told again.
    assert_eq!(second["skipped"], first["skipped"]);
    assert_eq!(sorted(&shop.store.report(&second)), sorted(&shop.store.report(&first)));

    // The same documents in a file of another time are compared one by one.
    shop.save();
    let third = shop.store.generated(&[]);
    assert_eq!(how(&third), &json!({"how": "compared", "known": shop.products.len(), "other": 0}));
    assert_eq!(sorted(&shop.store.report(&third)), sorted(&shop.store.report(&first)));
    assert_eq!(touched(&before, &shop.times()), BTreeSet::new());
    assert_eq!(how(&shop.store.generated(&[])), &json!({"how": "same_files"}));
    // Everything anew gives the same bytes, which are not written again either.
    shop.store.generated(&["--full"]);
    assert_eq!(touched(&before, &shop.times()), BTreeSet::new());
}

#[test]
fn a_changed_price_touches_only_what_shows_it() {
    let mut shop = Shop::new();
    shop.store.generated(&[]);
    let before = shop.times();
    shop.product("Nagi Aviator")["price"] = json!({"$numberDecimal": "358"});
    shop.save();
    let record = shop.store.generated(&[]);
    assert_eq!(how(&record), &json!({"how": "compared", "known": shop.products.len() - 1, "other": 1}));
    let touched = touched(&before, &shop.times());
    let listing = |path: &str| path.contains("/page/") || path.matches('/').count() <= 3;
    let shows_it = |path: &String| {
        let page = || shop.store.page(path);
        match path.as_str() {
            "storegen-manifest.json" | "index/facets.json" => true,
            path if path.starts_with("index/orders/") || path.starts_with("index/price") => true,
            path if path.starts_with("index/order") => true,
            path if path.ends_with(".xml") || path.ends_with(".atom") || path.ends_with(".txt") => {
                page().contains("358")
            }
            path if path.ends_with("index.html") => listing(path) && page().contains("358"),
            _ => false,
        }
    };
    let strangers: Vec<&String> = touched.iter().filter(|path| !shows_it(path)).collect();
    assert!(strangers.is_empty(), "touched without a reason: {strangers:#?}");
    for expected in ["products/nagi-aviator/index.html", "index/facets.json", "storegen-manifest.json"] {
        assert!(touched.contains(expected), "{expected} is not in {touched:#?}");
    }
    assert!(touched.iter().any(|path| path.starts_with("feeds/")), "{touched:#?}");
    assert!(touched.iter().any(|path| path.starts_with("brands/")), "{touched:#?}");
    assert_same_tree(&shop.fresh(), &shop.store.tree(), "after a new price");
}

#[test]
fn any_changes_give_what_a_fresh_build_gives() {
    let mut shop = Shop::new();
    let mut dice = Dice(0x5eed_cafe);
    shop.store.generated(&[]);
    let watching = Watching::begin(&shop.store, &["--output", "watched", "--state", "watched-state/state.json"]);
    for round in 0..14 {
        let mut said = Vec::new();
        for _ in 0..=dice.below(3) {
            said.push(change(&mut shop, &mut dice, round));
        }
        shop.save();
        shop.store.generated(&[]);
        let fresh = shop.fresh();
        assert_same_tree(&fresh, &shop.store.tree(), &format!("round {round}: {said:?}"));
        watching.until(|| tree_of(&shop.store.path("watched")) == fresh);
        if round % 5 == 4 {
            assert_same_tree(&fresh, &shop.in_parts(), &format!("in parts, round {round}: {said:?}"));
        }
    }
    watching.end();
}

/// Makes one change and says which.
fn change(shop: &mut Shop, dice: &mut Dice, round: usize) -> String {
    let at = dice.below(shop.products.len());
    let kind = dice.below(13);
    let other = dice.below(shop.products.len());
    let name = shop.products[at]["name"].as_str().unwrap_or_default().to_string();
    let product = &mut shop.products[at];
    match kind {
        0 => product["price"] = json!(format!("{}.50", 40 + dice.below(400))),
        1 => product["name"] = json!(format!("{name} No. {round}")),
        2 => product["description"] = json!(format!("<p>Made again in round {round}, with <b>care</b>.</p>")),
        3 => {
            let categories = &shop.categories;
            product["category_id"] = categories[dice.below(categories.len())]["_id"].clone();
        }
        4 => {
            shop.products.remove(at);
        }
        5 => {
            let mut copy = product.clone();
            copy["_id"] = json!(format!("added-{round}-{at}"));
            copy["name"] = json!(format!("Added {round}"));
            copy["sku"] = json!(format!("ADD-{round}-{at}"));
            copy["images"] = json!([format!("photos/{}.png", dice.below(3))]);
            let picture = image::RgbImage::from_pixel(8, 6, image::Rgb([round as u8, at as u8, 7]));
            let mut bytes = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
            shop.store.write(format!("catalog/photos/{}.png", dice.below(3)), bytes.into_inner());
            shop.products.push(copy);
        }
        6 => shop.products.swap(at, other),
        7 => {
            let brand = dice.below(shop.brands.len());
            shop.brands[brand]["name"] = json!(format!("Workshop {round}"));
            shop.brands[brand]["display_name"] = json!(format!("Workshop {round}"));
        }
        8 => {
            let category = dice.below(shop.categories.len());
            shop.categories[category]["name"] = json!(format!("Kind {round}"));
            shop.categories[category]["display_name"] = json!(format!("Kind {round}"));
        }
        9 => product["colors"] = json!([format!("Round {round} green"), "Black"]),
        10 => product["availability_status"] = json!(["in_stock", "out_of_stock", "discontinued"][dice.below(3)]),
        11 => product["brand_id"] = shop.brands[dice.below(shop.brands.len())]["_id"].clone(),
        _ => {
            let sku = shop.products[other]["sku"].clone();
            shop.products[at]["sku"] = sku;
        }
    }
    format!("{kind} of {name}")
}

#[test]
fn addresses_of_removed_products_lead_on_where_that_is_wanted() {
    let mut shop = Shop::new();
    shop.store = shop.store.edit(|config| format!("{config}removed_products: redirect\nlocales: [de]\n"));
    shop.store.generated(&[]);
    let places = ["products/acorn/index.html", "de/products/acorn/index.html"];
    let leads_on = |shop: &Shop, place: &str| shop.store.page(place).contains("http-equiv=\"refresh\"");
    assert!(places.iter().all(|place| !leads_on(&shop, place)));

    let acorn = shop.product("Acorn").clone();
    shop.products.retain(|product| product["name"] != "Acorn");
    shop.save();
    for round in ["removed", "removed some time ago"] {
        shop.store.generated(&["--full"]);
        for (place, target) in places.iter().zip(["/products/", "/de/products/"]) {
            let page = shop.store.page(place);
            assert!(
                leads_on(&shop, place) && page.contains(&format!("lantern-street.example{target}\"")),
                "{round}: {page}"
            );
        }
        assert!(!shop.store.page("sitemap.xml").contains("acorn"), "{round}");
    }
    shop.products.push(acorn);
    shop.save();
    shop.store.generated(&[]);
    assert!(places.iter().all(|place| !leads_on(&shop, place)));

    shop.products.retain(|product| product["name"] != "Acorn");
    shop.save();
    shop.store.generated(&[]);
    shop.store = shop.store.edit(|config| config.replace("removed_products: redirect", "removed_products: gone"));
    shop.store.generated(&[]);
    assert!(places.iter().all(|place| !shop.store.output().join(place).exists()));
    assert_same_tree(&shop.fresh(), &shop.store.tree(), "without addresses of old");
}

#[test]
fn settings_templates_and_full_do_what_they_must() {
    let shop = Shop::new();
    shop.store.generated(&[]);
    for (round, change) in
        [("primary_color: \"#2b2a4c\"", "primary_color: \"#123456\""), ("locale: en-GB", "locale: en-IE")]
            .into_iter()
            .enumerate()
    {
        let text = std::fs::read_to_string(shop.store.path("store.yaml")).expect("the store file");
        shop.store.write("store.yaml", text.replace(change.0, change.1));
        shop.store.generated(&[]);
        assert_same_tree(&shop.fresh(), &shop.store.tree(), &format!("round {round}"));
    }
    let text = std::fs::read_to_string(shop.store.path("store.yaml")).expect("the store file");
    shop.store.write("store.yaml", text.replace("theme: modern-minimal", "theme: ./own"));
    for words in ["one", "two"] {
        shop.store.write("own/templates/words.en.yaml", format!("texts: {{in_stock: 'There are {words}'}}"));
        shop.store.generated(&[]);
        assert!(shop.store.page("products/penrose/index.html").contains(&format!("There are {words}")));
        assert_same_tree(&shop.fresh(), &shop.store.tree(), "after other words");
    }
}

#[test]
fn what_somebody_did_to_the_store_is_mended() {
    let shop = Shop::new();
    shop.store.generated(&[]);
    let whole = shop.store.tree();
    let page = shop.store.output().join("products/penrose/index.html");
    let drawing = shop.store.tree().keys().find(|path| path.starts_with("assets/frames/")).cloned().expect("a drawing");
    type Change<'a> = Box<dyn Fn() + 'a>;
    let changes: [(&str, Change); 5] = [
        ("a page edited", Box::new(|| std::fs::write(&page, "mine").expect("written"))),
        ("a page removed", Box::new(|| std::fs::remove_file(&page).expect("removed"))),
        ("a drawing removed", Box::new(|| std::fs::remove_file(shop.store.output().join(&drawing)).expect("removed"))),
        (
            "a folder removed",
            Box::new(|| std::fs::remove_dir_all(shop.store.output().join("brands")).expect("removed")),
        ),
        ("the store removed", Box::new(|| std::fs::remove_dir_all(shop.store.output()).expect("removed"))),
    ];
    for (what, change) in changes {
        change();
        shop.store.generated(&[]);
        assert_same_tree(&whole, &shop.store.tree(), what);
    }
    // What is remembered may be damaged, or be that of another store.
    for ledger in ledgers(&shop) {
        let mut bytes = std::fs::read(&ledger).expect("a ledger");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&ledger, bytes).expect("written");
    }
    shop.store.generated(&[]);
    assert_same_tree(&whole, &shop.store.tree(), "after damage to what is remembered");
}

#[test]
fn a_damaged_text_of_an_unchanged_product_is_not_published() {
    let store = Store::new(CONFIG);
    let line = |id: u32, name: &str, text: &str| {
        format!("{{\"_id\": {id}, \"name\": \"{name}\", \"price\": 90, \"description\": \"{text}\"}}\n")
    };
    let catalog = |second: &str| line(1, "Alder", "Cut from one piece of oak.") + &line(2, second, "Bent by hand.");
    store.write("catalog/products.jsonl", catalog("Birch"));
    store.generated(&[]);
    let entries = std::fs::read_dir(store.path(".storegen/stores")).expect("a folder");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    let products = paths.find(|path| path.extension().is_some_and(|ending| ending == "products")).expect("products");
    let mut bytes = std::fs::read(&products).expect("products");
    let text = b"piece of oak";
    let places: Vec<usize> = (0..bytes.len() - text.len()).filter(|&at| bytes[at..].starts_with(text)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] ^= 1;
    }
    std::fs::write(&products, bytes).expect("written");

    // A new name makes the lists of new frames, the feed and the search index anew, which read all products.
    store.write("catalog/products.jsonl", catalog("Cedar"));
    let record = store.generated(&[]);
    let log = store.run(&["logs", record["job_id"].as_str().expect("an id")]).code(0).stdout;
    assert!(log.contains("damaged"), "{log}");
    let mended = store.tree();
    store.generated(&["--full"]);
    assert_same_tree(&mended, &store.tree(), "after damage to a product's text");
    assert!(mended.values().all(|text| !text.contains("qiece")));
}

#[test]
fn what_is_read_again_is_told_once() {
    let store = Store::new(CONFIG);
    let catalog = |price: u32| {
        let sound = (0..40).map(|id| format!("{{\"_id\": {id}, \"name\": \"Frame {id}\", \"price\": {price}}}\n"));
        let unsound = "{\"_id\": \"unsound\", \"name\": \"No price\"}\n";
        store.write("catalog/products.jsonl", sound.chain([unsound.to_string()]).collect::<String>());
    };
    catalog(90);
    let skipped = store.generated(&[])["skipped"].clone();
    assert!(skipped.as_object().is_some_and(|skipped| skipped.values().all(|count| count == 1)), "{skipped}");
    // Full products and drafts, of which each is only looked at once it is needed.
    let entries = std::fs::read_dir(store.path(".storegen/stores")).expect("a folder");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    let products = paths.find(|path| path.extension().is_some_and(|ending| ending == "products")).expect("products");
    let length = std::fs::metadata(&products).expect("its length").len();
    std::fs::write(&products, vec![0; length as usize]).expect("written");
    let first_changed = std::fs::read_to_string(store.path("catalog/products.jsonl")).expect("the catalogue");
    store.write("catalog/products.jsonl", first_changed.replacen("90", "91", 1));
    let record = store.generated(&[]);
    assert_eq!(record["skipped"], skipped);
    let report = store.report(&record);
    assert_eq!(report.lines().filter(|line| line.contains("unsound")).count(), 1, "{report}");
    let log = store.run(&["logs", record["job_id"].as_str().expect("an id")]).code(0).stdout;
    assert!(log.contains("damaged"), "{log}");
}

#[test]
fn cards_that_look_different_have_another_version() {
    let store = Store::new(CONFIG);
    let version = |document: &str| {
        store.write("catalog/products.jsonl", document);
        store.generated(&[]);
        let facets: Value = serde_json::from_str(&store.page("index/facets.json")).expect("JSON");
        (facets["cards"].clone(), store.page("index/cards/0.txt"))
    };
    let (black, black_card) = version(r#"{"_id": 1, "name": "Lido", "price": 90, "color": "black"}"#);
    let (red, red_card) = version(r#"{"_id": 1, "name": "Lido", "price": 90, "color": "red"}"#);
    assert!(black_card != red_card && black != red, "{black} {red} {black_card} {red_card}");
    let (again, again_card) = version(r#"{"_id": 1, "name": "Lido", "price": 90, "color": "black"}"#);
    assert_eq!((again, again_card), (black.clone(), black_card.clone()));
    let store = store.edit(|config| config.replace("currency: EUR", "currency: CHF"));
    store.generated(&[]);
    let facets: Value = serde_json::from_str(&store.page("index/facets.json")).expect("JSON");
    assert!(store.page("index/cards/0.txt") != black_card && facets["cards"] != black, "{facets}");
}

fn ledgers(shop: &Shop) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(shop.store.path(".storegen/stores")).expect("a folder");
    let ledgers: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    assert!(!ledgers.is_empty());
    ledgers
}

#[test]
fn a_copy_of_the_store_in_the_place_of_the_store_is_as_good() {
    let store = Store::new(CONFIG);
    let catalog = r#"{"_id": 1, "name": "Lido", "price": 90}"#;
    store.write("catalog/products.jsonl", catalog);
    store.generated(&[]);
    let whole = store.tree();
    std::fs::rename(store.output(), store.path("moved")).expect("moved");
    for entry in walkdir::WalkDir::new(store.path("moved")) {
        let entry = entry.expect("an entry");
        let target = store.output().join(entry.path().strip_prefix(store.path("moved")).expect("inside"));
        if entry.file_type().is_dir() {
            std::fs::create_dir(target).expect("a folder");
        } else {
            std::fs::write(target, std::fs::read(entry.path()).expect("read")).expect("written");
        }
    }
    let before = times_below(&store.output());
    store.generated(&[]);
    assert_eq!(touched(&before, &times_below(&store.output())), BTreeSet::new());
    assert_same_tree(&whole, &store.tree(), "the copy");
}
