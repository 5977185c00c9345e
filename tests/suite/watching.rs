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
struct Watching {
    child: Child,
    said: Receiver<String>,
}

impl Watching {
    fn begin(store: &Store) -> Self {
        let mut child = store.command(&["generate", "store.yaml", "--watch"]).spawn().expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let (sender, said) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let watching = Self { child, said };
        watching.hears("watching");
        watching
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
    fn end(mut self) {
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
    let watching = Watching::begin(&store);
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

fn follows(server: &Mongod, uri: &str, says: &str) {
    let database = server.new_database();
    let product = |id: i32, name: &str| doc! { "_id": id, "name": name, "price": 90 + id, "frame_shape": "round" };
    let products: Vec<bson::Document> = (0..40).map(|id| product(id, &format!("Frame {id}"))).collect();
    server.insert(uri, &database, "products", &products);
    let config = CONFIG.replace("  uri: catalog\n", &format!("  uri: {uri}\n  database: {database}\n"));
    let store = Store::new(&config);
    let mut child = store.command(&["generate", "store.yaml", "--watch"]).spawn().expect("the program starts");
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let (sender, said) = channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let watching = Watching { child, said };
    let told = watching.hears("watching");
    assert!(told.contains(says), "{told}");
    let update = doc! { "update": "products", "updates": [{ "q": { "_id": 7 }, "u": { "$set": { "price": 471 } } }] };
    server.command(uri, &database, update);
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
fn the_store_follows_a_replica_set_that_tells_of_changes() {
    let server = Mongod::replica_set();
    follows(&server, &server.replica_set_uri(), "the changes that the database tells of");
}

#[test]
fn the_store_follows_a_server_that_has_to_be_asked() {
    let server = mongod::shared();
    follows(&server, &server.uri(), "asked now and then");
}
