//! Runs that do not reach their end: killed, or stopped with Ctrl-C.

use crate::mongod;
use crate::store::{CONFIG, Store, assert_same_tree, repository, tree_of};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Makes a catalogue of a size with the benchmark's generator.
pub(crate) fn make_catalog(count: usize, currency: &str, folder: &Path) {
    let made = Command::new("python3")
        .arg(repository().join("benches/make_catalog.py"))
        .args([&count.to_string(), folder.to_str().expect("a plain path"), "--currency", currency])
        .status()
        .expect("python3 is installed");
    assert!(made.success());
}

fn signal(child: &Child, signal: Signal) {
    let id = Pid::from_child(child);
    // The process may have ended by itself in the meantime.
    let _ = kill_process(id, signal);
}

/// Two catalogues for one store, and what each gives.
struct Exchange {
    store: Store,
}

impl Exchange {
    fn new() -> Self {
        let store = Store::new(CONFIG);
        make_catalog(240, "EUR", &store.path("old"));
        make_catalog(160, "CHF", &store.path("new"));
        Self { store }
    }

    fn choose(&self, which: &str) {
        let link = self.store.path("catalog");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(which, link).expect("a link");
    }
}

#[test]
fn a_killed_run_leaves_the_old_store_or_the_new_one() {
    const MOMENTS: u32 = 24;
    let exchange = Exchange::new();
    let store = &exchange.store;
    exchange.choose("old");
    store.generated(&[]);
    let old = store.tree();
    exchange.choose("new");
    let began = Instant::now();
    store.generated(&[]);
    let duration = began.elapsed();
    let new = store.tree();
    assert_ne!(old, new);

    let (mut killed, mut kept) = (0, 0);
    for moment in 0..MOMENTS {
        exchange.choose("old");
        store.generated(&[]);
        assert_same_tree(&old, &store.tree(), "the old store, built again");
        exchange.choose("new");
        let mut child = store.command(&["generate", "store.yaml", "--quiet"]).spawn().expect("the program starts");
        std::thread::sleep(duration * moment / MOMENTS + Duration::from_millis(1));
        signal(&child, Signal::KILL);
        let ended_by_itself = child.wait().expect("it ends").success();
        killed += u32::from(!ended_by_itself);

        let listed = store.run(&["status", "--json"]).code(0);
        let found = store.tree();
        if found == old {
            kept += 1;
            assert!(!ended_by_itself, "the run succeeded but the old store is still there");
        } else {
            assert_same_tree(&new, &found, &format!("killed after {moment}/{MOMENTS} of {duration:?}"));
        }
        assert!(!listed.stdout.contains("in_progress"), "a dead job still runs: {}", listed.stdout);
    }
    assert!(killed >= MOMENTS / 2, "only {killed} of {MOMENTS} runs were killed while they ran");
    assert!(kept > 0, "no run was killed before it published");
    store.generated(&[]);
    assert_same_tree(&new, &store.tree(), "the run after the last kill");
    let siblings: Vec<String> = std::fs::read_dir(store.path(""))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !["store", "store.yaml", "catalog", "old", "new", ".storegen"].contains(&name.as_str()))
        .collect();
    assert!(siblings.is_empty(), "left behind: {siblings:?}");
}

#[test]
fn a_broken_state_file_is_set_aside_not_fatal() {
    let store = Store::from_example("boutique");
    store.generated(&[]);
    store.write(".storegen/state.json", "{ \"jobs\": [ half a rec");
    store.generated(&[]);
    assert_eq!(store.newest_job()["status"], "completed");
}

#[test]
fn ctrl_c_cancels_and_keeps_the_old_store() {
    let exchange = Exchange::new();
    let store = &exchange.store;
    exchange.choose("old");
    store.generated(&[]);
    let old = store.tree();
    make_catalog(3_000, "EUR", &store.path("large"));
    exchange.choose("large");
    let mut child =
        store.command(&["generate", "store.yaml", "--progress", "json"]).spawn().expect("the program starts");
    let progress = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut said = String::new();
    for line in progress.map_while(Result::ok) {
        // Products are being read; thousands of pages are still to come.
        if line.contains(r#""event":"started""#) && line.contains(r#""phase":"products""#) {
            signal(&child, Signal::INT);
        }
        said = format!("{said}{line}\n");
    }
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130), "{said}");
    assert_eq!(store.newest_job()["status"], "cancelled");
    assert_same_tree(&old, &store.tree(), "after Ctrl-C");
}

#[test]
fn ctrl_c_while_a_server_is_silent_cancels_too() {
    // A listener that never answers keeps the program waiting for the server's greeting.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let store = Store::new(&CONFIG.replace("uri: catalog", &format!("uri: mongodb://{address}/")));
    let child = store.command(&["generate", "store.yaml"]).spawn().expect("the program starts");
    let _connection = silent.accept().expect("the program connects");
    signal(&child, Signal::INT);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(store.newest_job()["status"], "cancelled");
    assert!(tree_of(&store.output()).is_empty());
}

#[test]
fn a_server_that_dies_while_it_is_read_is_reported() {
    let server = mongod::Mongod::start(&[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(300, "EUR", folder.path());
    mongod::Catalog::read(folder.path()).load(&server, &server.uri(), "shop");
    let uri = format!("{}/?serverSelectionTimeoutMS=1500", server.uri());
    let store = Store::new(&CONFIG.replace("uri: catalog", &format!("uri: {uri}\n  database: shop")));
    store.generated(&[]);
    let before = store.tree();
    drop(server);
    store.generate(&[]).code(4);
    assert_same_tree(&before, &store.tree(), "after the server died");
}
