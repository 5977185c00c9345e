//! Runs that do not reach their end: killed, or stopped with Ctrl-C.

use crate::mongod;
use crate::store::{CONFIG, Store, assert_same_tree, repository, tree_of};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

/// A store with several catalogues to choose from.
struct Exchange {
    store: Store,
}

impl Exchange {
    /// `new` has other products than `old`; `edited` lacks one of them.
    fn new() -> Self {
        let store = Store::new(&format!("{CONFIG}images: {{ download: false }}\n"));
        make_catalog(60, "EUR", &store.path("old"));
        make_catalog(40, "CHF", &store.path("new"));
        copy(&store.path("old"), &store.path("edited"));
        let products = store.path("edited/products.jsonl");
        let text = std::fs::read_to_string(&products).expect("products");
        let (rest, _) = text.trim_end().rsplit_once('\n').expect("several products");
        std::fs::write(&products, format!("{rest}\n")).expect("written");
        Self { store }
    }

    fn choose(&self, which: &str) {
        let link = self.store.path("catalog");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(which, link).expect("a link");
    }

    /// Keeps the store and all that the program knows of it under a name.
    fn keep(&self, name: &str) {
        for part in ["store", ".storegen"] {
            copy(&self.store.path(part), &self.store.path(format!("{name}-{part}")));
        }
    }

    /// Puts back what was kept.
    fn restore(&self, name: &str) {
        for part in ["store", ".storegen"] {
            std::fs::remove_dir_all(self.store.path(part)).expect("removed");
            copy(&self.store.path(format!("{name}-{part}")), &self.store.path(part));
        }
    }

    /// Starts a run and kills it; says whether it had ended before.
    fn kill(&self, moment: Moment) -> bool {
        let mut child = self
            .store
            .command(&["generate", "store.yaml", "--progress", "json"])
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let progress = BufReader::new(child.stderr.take().expect("a pipe"));
        let delay = match moment {
            Moment::AnyTime(delay) => delay,
            Moment::Publishing(delay) => {
                let mut lines = progress.lines().map_while(Result::ok);
                let _ =
                    lines.find(|line| line.contains(r#""event":"started""#) && line.contains(r#""phase":"publish""#));
                delay
            }
        };
        std::thread::sleep(delay);
        signal(&child, Signal::KILL);
        child.wait().expect("it ends").success()
    }
}

/// When to kill a run.
enum Moment {
    /// So long after its start.
    AnyTime(Duration),
    /// So long after publishing began.
    Publishing(Duration),
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp is installed");
    assert!(done.success());
}

/// Numbers in 0..1 that look random and are the same in every run (splitmix64).
fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Kills runs that turn the old store into `which`, half of them while they publish.
fn kill_on_the_way_to(which: &str, moments: u32, seed: u64) {
    let exchange = Exchange::new();
    let store = &exchange.store;
    exchange.choose("old");
    store.generated(&[]);
    exchange.keep("old");
    let old = store.tree();
    exchange.choose(which);
    let began = Instant::now();
    let job = store.generated(&[]);
    let duration = began.elapsed();
    let publishing = job["performance_metrics"]["phases"]["publish"]["seconds"].as_f64().expect("seconds");
    let new = store.tree();
    assert_ne!(old, new);

    let mut random = random(seed);
    let (mut killed, mut kept) = (0, 0);
    for number in 0..moments {
        exchange.restore("old");
        let moment = match number % 2 {
            0 => Moment::AnyTime(duration.mul_f64(random())),
            _ => Moment::Publishing(Duration::from_secs_f64(publishing.max(0.02) * random())),
        };
        let ended_by_itself = exchange.kill(moment);
        killed += u32::from(!ended_by_itself);

        let listed = store.run(&["status", "--json"]).code(0);
        let found = store.tree();
        if found == old {
            kept += 1;
            assert!(!ended_by_itself, "run {number} succeeded but the old store is still there");
        } else {
            assert_same_tree(&new, &found, &format!("run {number}, killed"));
        }
        assert!(!listed.stdout.contains("in_progress"), "a dead job still runs: {}", listed.stdout);
        // The next run completes, whatever was left.
        if number % 8 == 7 {
            store.generated(&[]);
            assert_same_tree(&new, &store.tree(), &format!("the run after run {number}"));
        }
    }
    assert!(killed >= moments / 3, "only {killed} of {moments} runs were killed while they ran");
    assert!(kept > 0, "no run was killed before it published");
    store.generated(&[]);
    assert_same_tree(&new, &store.tree(), "the run after the last kill");
    let mut found: Vec<String> = std::fs::read_dir(store.path(""))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let known = ["catalog", "edited", "new", "old", "old-.storegen", "old-store", "store", "store.yaml"];
    assert_eq!(found, [&[".storegen"], &known[..]].concat(), "something was left behind");
}

#[test]
fn a_run_killed_at_any_moment_leaves_the_old_store_or_the_new_one() {
    kill_on_the_way_to("new", 30, 1);
}

#[test]
fn a_run_killed_while_it_publishes_a_small_change_leaves_the_old_store_or_the_new_one() {
    kill_on_the_way_to("edited", 20, 2);
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
