//! `storegen generate --watch`: the store follows what it is made from.

use crate::mongod::{self, Mongod};
use crate::store::{CONFIG, Store, assert_same_tree, tree_of};
use bson::doc;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes; a wait that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(240);

/// A program that watches, and what it says.
pub(crate) struct Watching {
    child: Child,
    said: Receiver<String>,
}

impl Watching {
    /// Starts it and waits until it has built the store for the first time.
    pub(crate) fn begin(store: &Store, arguments: &[&str]) -> Self {
        let watching = Self::start(store, arguments);
        watching.hears("watching");
        watching
    }

    fn start(store: &Store, arguments: &[&str]) -> Self {
        let arguments = [&["generate", "store.yaml", "--watch"], arguments].concat();
        let mut child = store.command(&arguments).spawn().expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let (sender, said) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, said }
    }

    /// Waits through as many builds as it takes until something is so.
    pub(crate) fn until(&self, is_so: impl Fn() -> bool) {
        while {
            self.hears("watching");
            !is_so()
        } {}
    }

    /// Waits until the program says something.
    fn hears(&self, expected: &str) -> String {
        let mut heard = String::new();
        let end = Instant::now() + PATIENCE;
        while let Ok(line) = self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
            heard = format!("{heard}{line}\n");
            if line.contains(expected) {
                return line;
            }
        }
        panic!("nobody said `{expected}`, but:\n{heard}");
    }

    /// Ends it as a person does.
    pub(crate) fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it runs");
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0));
    }
}

fn fresh(store: &Store) -> std::collections::BTreeMap<String, String> {
    store.generate(&["--quiet", "--full", "--output", "fresh", "--state", "fresh-state/state.json"]).code(0);
    tree_of(&store.path("fresh"))
}

#[test]
fn the_store_follows_its_files() {
    let store = Store::from_example("boutique");
    let watching = Watching::begin(&store, &[]);
    let catalog = store.path("catalog/products.jsonl");
    let text = std::fs::read_to_string(&catalog).expect("the catalogue");
    std::fs::write(&catalog, text.replace("\"Nagi Aviator\"", "\"Nagi Pilot\"")).expect("written");
    watching.hears("watching");
    assert!(store.page("products/index.html").contains("Nagi Pilot"));

    // A file that is saved half is told, and does not end the watch.
    std::fs::write(&catalog, &text[..text.len() / 2]).expect("written");
    watching.hears("the file ends in the middle");
    watching.hears("watching");
    assert!(store.page("products/index.html").contains("Nagi Pilot"));
    let config = std::fs::read_to_string(store.path("store.yaml")).expect("the store file");
    store.write("store.yaml", config.replace("sort: featured", "sort: fatured"));
    watching.hears("fatured");
    watching.hears("watching");
    store.write("store.yaml", config.replace("sort: featured", "sort: name"));
    watching.hears("watching");
    std::fs::write(&catalog, &text).expect("written");
    watching.hears("watching");
    watching.end();
    assert_same_tree(&fresh(&store), &store.tree(), "after all changes");
}

#[test]
fn a_store_that_is_taken_away_behind_a_watch_is_made_whole_again() {
    let store = Store::from_example("boutique");
    let catalog = store.path("catalog/products.jsonl");
    let text = std::fs::read_to_string(&catalog).expect("the catalogue");
    let renamed = |name: &str| std::fs::write(&catalog, text.replace("\"Nagi Aviator\"", name)).expect("written");
    let watching = Watching::begin(&store, &[]);
    // The second build relies on what the first has left.
    renamed("\"Nagi Pilot\"");
    watching.hears("watching");
    std::fs::remove_dir_all(store.output()).expect("removed");
    renamed("\"Nagi Captain\"");
    watching.hears("watching");
    assert_same_tree(&fresh(&store), &store.tree(), "after the store was taken away");
    std::fs::remove_dir_all(store.path(".storegen")).expect("removed");
    renamed("\"Nagi Gunner\"");
    watching.until(|| store.page("products/index.html").contains("Nagi Gunner"));
    watching.end();
    assert_same_tree(&fresh(&store), &store.tree(), "after what was remembered was taken away");
}

fn product(id: i32, name: &str) -> bson::Document {
    doc! { "_id": id, "name": name, "price": 90 + id, "frame_shape": "round" }
}

/// A store of forty products in a database of its own, which is given.
fn stored_in(server: &Mongod, uri: &str) -> (Store, String) {
    let database = server.new_database();
    let products: Vec<bson::Document> = (0..40).map(|id| product(id, &format!("Frame {id}"))).collect();
    server.insert(uri, &database, "products", &products);
    let config = CONFIG.replace("  uri: catalog\n", &format!("  uri: {uri}\n  database: {database}\n"));
    (Store::new(&config), database)
}

fn set_price(server: &Mongod, uri: &str, database: &str, price: i32) {
    let update = doc! { "update": "products", "updates": [{ "q": { "_id": 7 }, "u": { "$set": { "price": price } } }] };
    server.command(uri, database, update);
}

fn follows(server: &Mongod, uri: &str, says: &str) {
    let (store, database) = stored_in(server, uri);
    let watching = Watching::start(&store, &[]);
    let told = watching.hears("watching");
    assert!(told.contains(says), "{told}");
    set_price(server, uri, &database, 471);
    watching.hears("watching");
    assert!(store.page("products/frame-7/index.html").contains("471"));
    server.command(uri, &database, doc! { "delete": "products", "deletes": [{ "q": { "_id": 8 }, "limit": 1 }] });
    watching.hears("watching");
    assert!(!store.output().join("products/frame-8").exists());
    server.insert(uri, &database, "products", &[product(99, "Late")]);
    watching.hears("watching");
    assert!(store.page("products/late/index.html").contains("Late"));
    watching.end();
    assert_same_tree(&fresh(&store), &store.tree(), "after all changes");
}

#[test]
fn a_watched_store_is_that_of_a_fresh_build_after_each_kind_of_change() {
    let server = Mongod::replica_set();
    let uri = server.replica_set_uri();
    let (store, database) = stored_in(&server, &uri);
    let watching = Watching::begin(&store, &[]);
    let set = |id: i32, fields: bson::Document| {
        let update = doc! { "update": "products", "updates": [{ "q": { "_id": id }, "u": { "$set": fields } }] };
        server.command(&uri, &database, update);
        watching.hears("watching");
        assert_same_tree(&fresh(&store), &store.tree(), &format!("after product {id} was changed"));
    };
    // What concern one product only: price, stock, what it is found by.
    set(7, doc! { "price": 471 });
    set(7, doc! { "price": 12.5, "stock_quantity": 0 });
    set(9, doc! { "description": "Bent by hand.", "price": 1000 });
    // What others depend on: places in the order, slugs, brands, terms, titles.
    set(11, doc! { "is_featured": true });
    set(12, doc! { "name": "Frame 13" });
    set(13, doc! { "brand": "Maison Neuve", "price": 33 });
    set(13, doc! { "frame_shape": "oval" });
    set(14, doc! { "price": -1 });
    set(14, doc! { "price": 88 });
    set(14, doc! { "sku": "A-1" });
    set(15, doc! { "sku": "A-1" });
    set(15, doc! { "price": 90 });
    // Only the first build has to read everything.
    let state = std::fs::read_to_string(store.path(".storegen/state.json")).expect("the state");
    assert_eq!(state.matches("\"whole\"").count(), 1, "{state}");
    assert_eq!(state.matches("\"told\"").count(), 12, "{state}");
    // Another collection in the place of the first, as an aggregation that ends in `$out` puts it there.
    server.insert(&uri, &database, "others", &[product(1, "The only one")]);
    let name = |name: &str| format!("{database}.{name}");
    let rename = doc! { "renameCollection": name("others"), "to": name("products"), "dropTarget": true };
    server.command(&uri, "admin", rename);
    watching.until(|| store.output().join("products/the-only-one/index.html").exists());
    watching.end();
    assert_same_tree(&fresh(&store), &store.tree(), "with another collection");
}

#[test]
fn what_stands_beside_the_products_is_read_again_once_it_is_written_to() {
    let server = Mongod::replica_set();
    let uri = server.replica_set_uri();
    let (store, database) = stored_in(&server, &uri);
    let store = store.edit(|config| format!("{config}locales: [de]\nremoved_products: redirect\n"));
    let watching = Watching::begin(&store, &[]);
    let follows = |what: &str| {
        watching.hears("watching");
        assert_same_tree(&fresh(&store), &store.tree(), what);
    };
    let set = |id: i32, fields: bson::Document| {
        let what = format!("after product {id} was changed to {fields}");
        let update = doc! { "update": "products", "updates": [{ "q": { "_id": id }, "u": { "$set": fields } }] };
        server.command(&uri, &database, update);
        follows(&what);
    };
    set(7, doc! { "price": 471 });
    set(7, doc! { "brand": "Maison Neuve" });
    server.insert(&uri, &database, "brands", &[doc! { "_id": 1, "name": "Maison Neuve", "country": "France" }]);
    follows("after the brand was described");
    set(7, doc! { "price": 472 });
    set(8, doc! { "price": 473, "updated_at": "2026-03-04T05:06:07Z" });
    let events: Vec<bson::Document> = (0..30).map(|_| doc! { "event_type": "purchase", "product_id": 9 }).collect();
    server.insert(&uri, &database, "user_analytics", &events);
    follows("after a frame was bought");
    set(9, doc! { "price": 474, "stock_quantity": 0 });
    // What the plan depends on: dates, measures, and which products there are.
    set(10, doc! { "created_at": "2026-03-04T05:06:07Z" });
    set(11, doc! { "lens_width": 58, "bridge_width": 20, "temple_length": 150 });
    server.command(&uri, &database, doc! { "delete": "products", "deletes": [{ "q": { "_id": 12 }, "limit": 1 }] });
    watching.hears("watching");
    assert!(store.page("products/frame-12/index.html").contains("http-equiv=\"refresh\""));
    let before = store.tree();
    set_price(&server, &uri, &database, 475);
    watching.hears("watching");
    watching.end();
    // A fresh store knows of no removed product.
    let after = store.tree();
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let is_here = |path: &&String| !path.contains("frame-12") && !path.contains("manifest");
    let fresh = fresh(&store);
    for path in after.keys().filter(is_here) {
        assert_eq!(after[path], fresh[path], "{path}");
    }
}

#[test]
fn the_store_follows_a_replica_set_that_tells_of_changes() {
    let server = Mongod::replica_set();
    follows(&server, &server.replica_set_uri(), "the changes that the database tells of");
}

#[test]
fn the_store_follows_a_server_that_has_to_be_asked() {
    let server = mongod::shared();
    follows(&server, &server.uri(), "asked now and then");
}

#[test]
fn a_watch_outlives_the_fall_and_the_restart_of_its_database() {
    let mut server = Mongod::replica_set();
    // A short search for the server, so that the driver gives up on it while it is away.
    let uri = format!("{}&serverSelectionTimeoutMS=1000", server.replica_set_uri());
    let (store, database) = stored_in(&server, &uri);
    let watching = Watching::begin(&store, &[]);
    let shows = |price: &str| store.page("products/frame-7/index.html").contains(price);

    // The primary hands over; being the only member, it is elected again a moment later.
    let patient = server.replica_set_uri();
    server.command(&patient, "admin", doc! { "replSetStepDown": 1, "secondaryCatchUpPeriodSecs": 0, "force": true });
    set_price(&server, &patient, &database, 471);
    watching.until(|| shows("471"));

    server.kill();
    watching.hears("waiting for it");
    server.start_again();
    set_price(&server, &patient, &database, 823);
    watching.until(|| shows("823"));

    // It listens again, and not only to the end of the outage.
    set_price(&server, &patient, &database, 596);
    watching.until(|| shows("596"));
    watching.end();
    assert_same_tree(&fresh(&store), &store.tree(), "after all changes");
}

/// How the last run read its catalogue.
fn how(store: &Store) -> serde_json::Value {
    store.generated(&[])["performance_metrics"]["changes"]["reading"].clone()
}

#[test]
fn only_what_a_replica_set_says_was_written_to_is_read() {
    let server = Mongod::replica_set();
    let uri = server.replica_set_uri();
    let (store, database) = stored_in(&server, &uri);
    let command = |command: bson::Document| server.command(&uri, &database, command);
    let told = |known: u64, other: u64| serde_json::json!({ "how": "told", "known": known, "other": other });
    let is_as_fresh = |why: &str| assert_same_tree(&fresh(&store), &store.tree(), why);
    assert_eq!(how(&store)["how"], "whole");
    assert_eq!(how(&store), told(40, 0));

    set_price(&server, &uri, &database, 471);
    assert_eq!(how(&store), told(39, 1));
    assert!(store.page("products/frame-7/index.html").contains("471"));
    is_as_fresh("after a new price");

    // Everything at once, one document several times, one written to and as before, one that cannot be sold.
    set_price(&server, &uri, &database, 5);
    set_price(&server, &uri, &database, 88);
    command(doc! { "update": "products", "updates": [
        { "q": { "_id": 3 }, "u": { "$set": { "price": 1 } } },
        { "q": { "_id": 3 }, "u": { "$set": { "price": 93 } } },
        { "q": { "_id": 4 }, "u": { "$unset": { "price": 1 } } },
    ] });
    command(doc! { "delete": "products", "deletes": [{ "q": { "_id": 8 }, "limit": 1 }] });
    server.insert(&uri, &database, "products", &[product(99, "Late"), product(100, "Frame 12")]);
    assert_eq!(how(&store), told(37, 4));
    assert!(!store.output().join("products/frame-8").exists() && !store.output().join("products/frame-4").exists());
    is_as_fresh("after many changes");
    assert_eq!(how(&store), told(41, 0));

    // Brands are read in any case; with another one everything is made of the documents again.
    command(doc! { "insert": "brands", "documents": [{ "_id": "b", "name": "Atelier" }] });
    command(doc! { "update": "products", "updates": [{ "q": { "_id": 1 }, "u": { "$set": { "brand_id": "b" } } }] });
    assert_eq!(how(&store)["how"], "whole");
    is_as_fresh("with a brand");

    // Whose id a document takes is only known where all are read.
    server.insert(&uri, &database, "products", &[doc! { "_id": "2", "name": "Twin", "price": 70 }]);
    let twins = how(&store);
    assert_eq!(twins["how"], "compared");
    is_as_fresh("with a document whose id reads like another's");
    command(doc! { "delete": "products", "deletes": [{ "q": { "_id": "2" }, "limit": 1 }] });
    assert_eq!(how(&store)["how"], "compared");

    // What is kept of the moment may be lost, and a collection replaced.
    assert_eq!(how(&store), told(41, 0));
    for entry in walkdir::WalkDir::new(store.path(".storegen")).into_iter().map(|entry| entry.expect("an entry")) {
        if entry.path().extension().is_some_and(|extension| extension == "moment") {
            std::fs::write(entry.path(), "nonsense").expect("written");
        }
    }
    set_price(&server, &uri, &database, 90);
    assert_eq!(how(&store)["how"], "compared");
    assert_eq!(how(&store), told(41, 0));
    server.insert(&uri, &database, "others", &[product(1, "The only one")]);
    let name = |name: &str| format!("{database}.{name}");
    let rename = doc! { "renameCollection": name("others"), "to": name("products"), "dropTarget": true };
    server.command(&uri, "admin", rename);
    assert_ne!(how(&store)["how"], "told");
    assert!(store.page("products/the-only-one/index.html").contains("The only one"));
    is_as_fresh("with another collection");
}
