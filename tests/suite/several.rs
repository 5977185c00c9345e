//! `storegen generate a.yaml b.yaml`: many stores in one run.

use crate::interruption::make_catalog;
use crate::mongod::{self, Catalog, Mongod};
use crate::proxy::{Proxy, Weather};
use crate::store::{CONFIG, Run, Store, assert_same_tree, tree_of};
use mongodb::bson::{Document, doc};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Longer than anything here takes; a wait that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(240);

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
fn two_stores_in_one_folder_are_refused_before_anything_is_made() {
    let store = stores();
    let north = std::fs::read_to_string(store.path(ALL[0])).expect("a store file");
    store.write("stores/again.yaml", north.replace("Glasses north", "Other glasses"));
    let run = store.run(&["generate", ALL[0], ALL[1], "stores/again.yaml"]).code(2);
    let (told, hint) =
        ("`stores/north.yaml` and `stores/again.yaml` would both be written to", "an `output` of its own");
    assert!(run.stderr.contains(told) && run.stderr.contains(hint), "{}", run.stderr);
    assert!(!store.path("stores/out").exists());
    // A link is another name of a folder, and a folder within that of another store is not one of its own.
    std::os::unix::fs::symlink(".", store.path("stores/link")).expect("a link");
    store.write("stores/again.yaml", north.replace("out/north", "link/out/north"));
    store.run(&["generate", ALL[0], "stores/again.yaml"]).code(2).says("would both be written to");
    store.write("stores/again.yaml", north.replace("out/north", "out/north/inner"));
    store.run(&["generate", ALL[0], "stores/again.yaml"]).code(2).says("to which `stores/north.yaml` is written");
    // Nor does anybody have to read a table who asked for quiet.
    assert_eq!(store.run(&["generate", ALL[0], ALL[1], "--quiet"]).code(0).stdout, "");
}

#[test]
fn a_store_that_fails_does_not_keep_others_from_their_work() {
    let store = stores();
    store.write("stores/south.yaml", "store_name: Broken\nbase_url: nowhere\n");
    let run = store.run(&["generate", ALL[0], ALL[1], ALL[2]]).code(2).says("south.yaml");
    assert!(run.stdout.contains("✗") && run.stdout.matches("✓").count() == 2, "{}", run.stdout);
    assert!(!tree_of(&store.path("stores/out/west")).is_empty() && !store.path("stores/out/south").exists());
    store.run(&["generate", ALL[0], ALL[2], "--output", "x"]).code(2).says("`--output` is for one store");
    store.run(&["generate", ALL[0], ALL[2], "--progress", "json"]).code(2).says("`--progress json` is for one store");
}

/// Stores of one database that differ in all that stores may differ in.
const NORTH: &str = "theme: eyewear-focused\ncurrency: CHF\nproduct_filters: { frame_shape: [round, cat_eye] }\n";
const SOUTH: &str =
    "theme: classic-optician\nlocale: de\nproduct_filters: { in_stock: true, price: { max: 150 }, gender: [women] }\n";
const WEST: &str = "currency: GBP\nproduct_filters: { brand: [Arbel, corvo, Kelmar], category: [eyeglasses] }\n";
/// A store of everything.
const EAST: &str = "locales: [fr]\nsort: price_asc\n";

/// The stores north, south and so on of one database, each with settings of its own.
struct Chain {
    store: Store,
    count: usize,
}

impl Chain {
    const NAMES: [&str; 3] = ["north", "south", "west"];

    fn of(uri: &str, database: &str, settings: &[&str]) -> Self {
        let chain = Self { store: Store::new(CONFIG).env("SHOP_URI", uri), count: settings.len() };
        for (name, settings) in Self::NAMES.iter().zip(settings) {
            chain.configure(name, database, settings);
        }
        chain
    }

    fn configure(&self, name: &str, database: &str, settings: &str) {
        let catalog = format!("catalog: {{ uri: \"${{SHOP_URI}}\", database: {database} }}");
        let images = "images: { download: false }";
        let config = format!(
            "store_name: Glasses {name}\nbase_url: https://{name}.example/\noutput: out/{name}\n{images}\n{catalog}\n{settings}"
        );
        self.store.write(format!("stores/{name}.yaml"), config);
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().take(self.count)
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let stores = self.names().map(|name| format!("stores/{name}.yaml"));
        std::iter::once("generate".to_string()).chain(stores).chain(more.iter().map(ToString::to_string)).collect()
    }

    fn run(&self, more: &[&str]) -> Run {
        self.store.run(&self.arguments(more).iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Makes all stores; the jobs in their order.
    fn jobs(&self, more: &[&str]) -> Vec<Value> {
        let more = [more, &["--json"]].concat();
        self.run(&more).code(0).json().as_array().expect("jobs").clone()
    }

    fn tree(&self, name: &str) -> BTreeMap<String, String> {
        tree_of(&self.store.path(format!("stores/out/{name}")))
    }

    /// Asserts that a store, its findings and what was read of the catalogue are as if it had been made alone and anew.
    fn is_as_alone(&self, name: &str, job: &Value, why: &str) {
        let (config, output) = (format!("stores/{name}.yaml"), format!("alone/{name}"));
        let state = format!("alone/{name}-state");
        let _ = std::fs::remove_dir_all(self.store.path("alone"));
        let state_file = format!("{state}/state.json");
        let alone = ["generate", &config, "--output", &output, "--state", &state_file, "--json", "--quiet"];
        let alone = self.store.run(&alone).code(0).json();
        assert_same_tree(&tree_of(&self.store.path(&output)), &self.tree(name), &format!("{name}, {why}"));
        let findings = |folder: &str, job: &Value| {
            let path = self.store.path(format!("{folder}/reports/{}.jsonl", job["job_id"].as_str().expect("an id")));
            let report = std::fs::read_to_string(path).expect("a report");
            let mut lines: Vec<String> = report.lines().map(str::to_string).collect();
            lines.sort();
            lines
        };
        assert_eq!(findings(&state, &alone), findings(".storegen", job), "{name}, {why}");
        assert_eq!(documents(&alone), documents(job), "{name}, {why}");
    }

    /// The same for all stores and their jobs, in their order.
    fn are_as_alone(&self, jobs: &[Value], why: &str) {
        self.names().zip(jobs).for_each(|(name, job)| self.is_as_alone(name, job, why));
    }
}

/// Documents that a run made its store of.
fn documents(job: &Value) -> u64 {
    job["performance_metrics"]["phases"]["products"]["count"].as_u64().expect("a count")
}

fn changes(job: &Value) -> &Value {
    &job["performance_metrics"]["changes"]
}

/// How each of some jobs came by its catalogue, in the order of the alphabet.
fn ways(jobs: &[Value]) -> Vec<&str> {
    let mut ways: Vec<&str> = jobs.iter().filter_map(|job| changes(job)["reading"]["how"].as_str()).collect();
    ways.sort_unstable();
    ways
}

/// A database of 300 products in many shapes, which writes down what it is asked.
fn watched_database(server: &Mongod, uri: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(300, "EUR", folder.path());
    let database = server.new_database();
    Catalog::read(folder.path()).load(server, uri, &database);
    server.command(uri, &database, doc! { "profile": 2 });
    database
}

/// What was asked for of the products so far, but for looks at single ones.
fn readings(server: &Mongod, uri: &str, database: &str) -> Vec<Document> {
    let products = format!("{database}.products");
    let asked = doc! { "ns": products, "op": { "$in": ["query", "getmore"] }, "command.limit": { "$ne": 1 } };
    server.find(uri, database, "system.profile", asked)
}

fn set_price(server: &Mongod, uri: &str, database: &str) {
    let cheap = doc! { "q": {}, "u": { "$set": { "price": 12.5 }, "$unset": { "pricing": 1 } }, "multi": false };
    server.command(uri, database, doc! { "update": "products", "updates": [cheap] });
}

#[test]
fn stores_of_one_database_read_it_once_and_are_as_if_each_were_made_alone() {
    let server = mongod::shared();
    let uri = server.uri();
    let database = watched_database(&server, &uri);
    let chain = Chain::of(&uri, &database, &[NORTH, SOUTH, WEST]);
    let jobs = chain.jobs(&[]);
    let read = readings(&server, &uri, &database);
    assert_eq!(read.len(), 1, "{read:?}");
    let sent = read[0].get_i32("nreturned").expect("a number");
    assert!(sent < 300, "the server sends what somebody wants, not {sent}");
    assert_eq!(ways(&jobs), ["shared", "shared", "whole"]);
    for job in &jobs {
        assert!(documents(job) > 20 && documents(job) < sent as u64, "each is sent what it wants: {job}");
    }
    chain.are_as_alone(&jobs, "made together");

    // Each recognises everything, together and alone.
    let again = chain.jobs(&[]);
    assert_eq!(ways(&again), ["compared", "shared", "shared"]);
    for name in chain.names() {
        let alone = chain.store.run(&["generate", &format!("stores/{name}.yaml"), "--json", "--quiet"]).code(0).json();
        for job in again.iter().filter(|job| job["store_name"] == format!("Glasses {name}")).chain([&alone]) {
            let reading = &changes(job)["reading"];
            assert_eq!((&reading["known"], &reading["other"]), (&json!(documents(job)), &json!(0)), "{job}");
            assert_eq!((&changes(job)["pages_made"], &changes(job)["files_changed"]), (&json!(0), &json!(0)), "{job}");
        }
    }

    // One store wants everything, so that everything is read; the others still take what they want.
    set_price(&server, &uri, &database);
    chain.configure("west", &database, EAST);
    let before = readings(&server, &uri, &database).len();
    let run = chain.run(&[]).code(0);
    assert!(run.stdout.contains("catalog") && run.stdout.matches(" shared ").count() == 2, "{}", run.stdout);
    assert_eq!(readings(&server, &uri, &database).len(), before + 1);
    let jobs = chain.store.run(&["status", "--json"]).code(0).json();
    for name in chain.names() {
        let of_store = |job: &&Value| job["store_name"] == format!("Glasses {name}");
        let job = jobs.as_array().expect("jobs").iter().find(of_store).expect("a job");
        chain.is_as_alone(name, job, "after changes");
    }
}

#[test]
fn what_a_replica_set_tells_is_asked_by_each_store_and_all_documents_are_read_once() {
    let server = Mongod::replica_set();
    let uri = server.replica_set_uri();
    let database = watched_database(&server, &uri);
    let chain = Chain::of(&uri, &database, &[NORTH, EAST]);
    assert_eq!(ways(&chain.jobs(&[])), ["shared", "whole"]);
    assert_eq!(ways(&chain.jobs(&[])), ["told", "told"]);
    // The moment that was kept is that of the reading, so nothing written since is missed.
    set_price(&server, &uri, &database);
    let jobs = chain.jobs(&[]);
    assert_eq!(ways(&jobs), ["told", "told"]);
    assert_eq!(changes(&jobs[1])["reading"]["other"], 1);
    chain.are_as_alone(&jobs, "told of a change");

    // With another brand, what is told is not enough for either.
    server.command(
        &uri,
        &database,
        doc! { "insert": "brands", "documents": [{ "_id": "new", "name": "Atelier Nord" }] },
    );
    let before = readings(&server, &uri, &database).len();
    let jobs = chain.jobs(&[]);
    assert_eq!(ways(&jobs), ["shared", "whole"]);
    assert_eq!(readings(&server, &uri, &database).len(), before + 1);
    chain.are_as_alone(&jobs, "with another brand");
    set_price(&server, &uri, &database);
    assert_eq!(ways(&chain.jobs(&[])), ["told", "told"]);
}

#[test]
fn a_store_that_cannot_be_made_leaves_the_reading_to_the_others() {
    let server = mongod::shared();
    let uri = server.uri();
    let database = watched_database(&server, &uri);
    let chain = Chain::of(&uri, &database, &["theme: ./nowhere\n", SOUTH, WEST]);
    chain.run(&[]).code(2).says("nowhere");
    assert_eq!(readings(&server, &uri, &database).len(), 1);
    assert!(chain.tree("north").is_empty());
    for name in ["south", "west"] {
        assert!(!chain.tree(name).is_empty());
    }
    chain.configure("north", &database, NORTH);
    // Documents that cannot be sold make all of them fail, and still are read only once.
    chain.run(&["--strict"]).code(1);
    assert_eq!(readings(&server, &uri, &database).len(), 2);
    let jobs = chain.jobs(&[]);
    chain.are_as_alone(&jobs, "after a failure");
}

#[test]
fn a_reader_that_is_cancelled_is_followed_by_the_next() {
    let server = Mongod::start(&[]);
    let uri = server.uri();
    let database = watched_database(&server, &uri);
    let pad = doc! { "$set": { "padding": "x".repeat(128 * 1024) } };
    server.command(&uri, &database, doc! { "update": "products", "updates": [{ "q": {}, "u": pad, "multi": true }] });
    let proxy = Proxy::to(server.port());
    let through = format!("mongodb://{}/?directConnection=true", proxy.address());
    let mut chain = Chain::of(&through, &database, &[EAST, "sort: name\n"]);
    // In the second answer of three.
    proxy.change_after(20_000_000, Weather::Silent);
    let arguments = chain.arguments(&[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let running = chain.store.command(&arguments).spawn().expect("the program starts");
    proxy.wait_for(Weather::Silent);
    let end = Instant::now() + PATIENCE;
    let reader = loop {
        assert!(Instant::now() < end, "nobody waits for the reader");
        let said = chain.store.state_text();
        if let Some((_, rest)) = said.split_once("waiting for job_") {
            break format!("job_{}", rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    chain.store.run(&["cancel", &reader]).code(0);
    proxy.change(Weather::Clear);
    Run::new("generate".into(), running.wait_with_output().expect("it ends")).code(130);
    let jobs = chain.store.run(&["status", "--json"]).code(0).json();
    let jobs = jobs.as_array().expect("jobs");
    let (cancelled, others): (Vec<&Value>, Vec<&Value>) = jobs.iter().partition(|job| job["job_id"] == reader.as_str());
    assert_eq!((&cancelled[0]["status"], &others[0]["status"]), (&json!("cancelled"), &json!("completed")));
    assert_eq!(changes(others[0])["reading"]["how"], "whole");
    chain.store = chain.store.env("SHOP_URI", &uri);
    let name = others[0]["store_name"].as_str().and_then(|name| name.split(' ').next_back()).expect("a name");
    chain.is_as_alone(name, others[0], "after the other was cancelled");
}

#[test]
fn each_store_keeps_a_copy_of_what_another_has_read() {
    let mut server = Mongod::start(&[]);
    let uri = format!("{}/?serverSelectionTimeoutMS=1500", server.uri());
    let database = watched_database(&server, &uri);
    let chain = Chain::of(&uri, &database, &[NORTH, SOUTH]);
    assert_eq!(ways(&chain.jobs(&["--offline-ok"])), ["shared", "whole"]);
    let before: Vec<_> = chain.names().map(|name| chain.tree(name)).collect();
    server.kill();
    let jobs = chain.jobs(&["--offline-ok", "--full"]);
    assert!(jobs.iter().all(|job| job["catalog_as_of"].is_string()), "{jobs:?}");
    for (name, before) in chain.names().zip(&before) {
        assert_same_tree(before, &chain.tree(name), "from the copy");
    }
    let run = chain.run(&["--offline-ok", "--full"]).code(0);
    assert_eq!(run.stderr.matches("offline: made from the copy of").count(), 2, "{}", run.stderr);
    assert_eq!(run.stdout.matches("old copy").count(), 2, "{}", run.stdout);
}

#[test]
fn a_store_whose_server_falls_silent_does_not_hold_up_the_others() {
    let server = Mongod::start(&[]);
    let database = server.new_database();
    let text = "All about it. ".repeat(200);
    let product = |id: i32| doc! { "_id": id, "name": format!("Frame {id}"), "price": 90, "description": &text };
    server.insert(&server.uri(), &database, "products", &(0..1000).map(product).collect::<Vec<_>>());
    let proxy = Proxy::to(server.port());
    proxy.change_after(600_000, Weather::Silent);

    let store = stores();
    make_catalog(100, "EUR", &store.path("catalog"));
    let catalog = format!("  uri: mongodb://{}/?directConnection=true\n  database: {database}\n", proxy.address());
    let away = CONFIG.replace("output: store", "output: out/away").replace("  uri: catalog\n", &catalog);
    store.write("stores/away.yaml", away);
    let mut run =
        store.command(&["generate", "stores/away.yaml", ALL[0], "--threads", "2"]).spawn().expect("the program starts");
    proxy.wait_for(Weather::Silent);
    let end = Instant::now() + PATIENCE;
    while !store.path("stores/out/north/index.html").exists() {
        assert!(Instant::now() < end, "the other store waits as well");
        assert!(run.try_wait().expect("its state").is_none(), "the silent server was not waited for");
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&run), Signal::INT).expect("it runs");
    assert_eq!(run.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_server_that_does_not_answer_fails_all_that_wait_for_it_and_no_secret_is_told() {
    let port = mongod::free_port();
    let uri = format!("mongodb://shop:hunter2@127.0.0.1:{port}/?serverSelectionTimeoutMS=1500");
    let chain = Chain::of(&uri, "shop", &[NORTH, SOUTH, WEST]);
    let run = chain.run(&[]).code(4).says(&format!("127.0.0.1:{port}"));
    assert_eq!(run.stdout.matches('✗').count(), 3, "{}", run.stdout);
    for text in [run.stdout, run.stderr, chain.store.state_text()] {
        assert!(!text.contains("hunter2"), "the password got out: {text}");
    }
}
