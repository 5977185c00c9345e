//! Servers, networks and disks that fail while the program works: the job ends whole or with one clear message, and the
//! old store stays.

use crate::interruption::make_catalog;
use crate::mongod::{Catalog, Mongod};
use crate::proxy::{Proxy, Weather};
use crate::store::{CONFIG, Run, Store, assert_same_tree, tree_of};
use mongodb::bson::doc;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

/// Products of the catalogues here, and how much is added to each: 48 MB, three answers of a server, so that reading has a
/// middle.
const PRODUCTS: usize = 1_500;
const PADDING: usize = 32 * 1024;
/// Bytes after which a server is in its second answer.
const IN_THE_MIDDLE: u64 = 20_000_000;

/// Everything is read, but few pages are made and no pictures fetched: reading is what is tried here.
const QUICK: &str = "sort: price_asc\nproduct_filters: { max_products: 60 }\nimages: { download: false }\n";

/// A server with a catalogue that takes a while to read, and what a run over it gives.
struct Shop {
    server: Mongod,
    store: Store,
    whole: BTreeMap<String, String>,
    job: Value,
}

impl Shop {
    fn new(server: Mongod, uri: &str, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        make_catalog(PRODUCTS, "EUR", folder.path());
        Catalog::read(folder.path()).load(&server, uri, "shop");
        let pad = doc! { "$set": { "padding": "x".repeat(PADDING) } };
        server.command(uri, "shop", doc! { "update": "products", "updates": [{ "q": {}, "u": pad, "multi": true }] });
        // Only what is on the disk survives a kill.
        server.command(uri, "admin", doc! { "fsync": 1 });
        let catalog = format!("uri: ${{SHOP_URI}}\n  database: shop{settings}");
        let config = CONFIG.replace("uri: catalog", &catalog) + QUICK;
        let store = Store::new(&config).env("SHOP_URI", uri);
        let job = store.generated(&[]);
        assert_eq!(documents(&job), PRODUCTS as u64);
        Self { server, whole: store.tree(), store, job }
    }

    fn standalone(settings: &str) -> Self {
        let server = Mongod::start(&[]);
        let uri = server.uri();
        Self::new(server, &uri, settings)
    }

    /// The same shop, seen through a bad network.
    fn behind(mut self, proxy: &Proxy) -> Self {
        let uri = format!("mongodb://{}/?directConnection=true&serverSelectionTimeoutMS=2000", proxy.address());
        self.store = self.store.env("SHOP_URI", &uri);
        self
    }

    /// Starts a run that reads everything, although nothing has changed.
    fn start(&self) -> Child {
        self.store
            .command(&["generate", "store.yaml", "--full", "--progress", "json"])
            .spawn()
            .expect("the program starts")
    }

    /// Kills the server in the middle of a run that reads through `proxy`, which then shows nothing but a broken network.
    fn kill_in_the_middle(&mut self, proxy: &Proxy) -> Child {
        proxy.change_after(IN_THE_MIDDLE, Weather::Silent);
        let run = self.start();
        proxy.wait_for(Weather::Silent);
        self.server.kill();
        proxy.change(Weather::Cut);
        run
    }

    /// Kills the server in the middle of a run, and starts it again two seconds later.
    fn kill_and_start_again(mut self) {
        let proxy = Proxy::to(self.server.port());
        self = self.behind(&proxy);
        let run = self.kill_in_the_middle(&proxy);
        std::thread::sleep(Duration::from_secs(2));
        self.server.start_again();
        proxy.change(Weather::Clear);
        end(run).code(0).says("was interrupted after");
        self.assert_whole();
    }

    /// Asserts that the newest run read every document once, and made the same store as the first.
    fn assert_whole(&self) {
        let job = self.store.newest_job();
        assert_eq!(documents(&job), PRODUCTS as u64, "{job}");
        assert_eq!((&job["status"], &job["skipped"]), (&self.job["status"], &self.job["skipped"]));
        assert_same_tree(&self.whole, &self.store.tree(), "after the outage");
    }

    /// Asserts that the newest run failed for want of a server, said so once, and left the old store alone.
    fn assert_failed(&self, run: Run) -> Run {
        let run = run.code(4);
        // The one for people, the other for programs.
        let is_error = |line: &&str| line.starts_with("error:") || line.starts_with(r#"{"event":"error","#);
        assert_eq!(run.stderr.lines().filter(is_error).count(), 1, "{}", run.stderr);
        let job = self.store.newest_job();
        assert_eq!(job["status"], "failed");
        assert!(job["error_message"].as_str().is_some_and(|message| message.contains("hint: ")), "{job}");
        assert_same_tree(&self.whole, &self.store.tree(), "after the failure");
        run
    }
}

/// Documents that a run read.
fn documents(job: &Value) -> u64 {
    job["performance_metrics"]["phases"]["products"]["count"].as_u64().expect("a count")
}

/// Waits for the end of a run.
fn end(run: Child) -> Run {
    Run::new("generate".into(), run.wait_with_output().expect("it ends"))
}

#[test]
fn a_killed_server_that_comes_back_costs_no_product() {
    Shop::standalone("").kill_and_start_again();
}

#[test]
fn a_killed_member_of_a_replica_set_that_comes_back_costs_no_product() {
    let server = Mongod::replica_set();
    let uri = server.replica_set_uri();
    Shop::new(server, &uri, "").kill_and_start_again();
}

#[test]
fn a_killed_server_that_stays_away_ends_the_run_with_one_message() {
    let shop = Shop::standalone("\n  reconnect: 2s");
    let proxy = Proxy::to(shop.server.port());
    let mut shop = shop.behind(&proxy);
    let run = shop.kill_in_the_middle(&proxy);
    let run = shop.assert_failed(end(run));
    run.says("reading `products` from").says("did not come back within").says("catalog.reconnect");
    // And the next run, for which there is no server at all.
    let run = shop.store.generate(&[]);
    shop.assert_failed(run).says("no server answers at");
}

#[test]
fn a_network_that_is_cut_and_mended_costs_no_product() {
    let shop = Shop::standalone("");
    let proxy = Proxy::to(shop.server.port());
    let shop = shop.behind(&proxy);
    proxy.change_after(IN_THE_MIDDLE, Weather::Cut);
    let run = shop.start();
    proxy.wait_for(Weather::Cut);
    proxy.change(Weather::Clear);
    end(run).code(0).says("was interrupted after");
    shop.assert_whole();
}

#[test]
fn every_second_packet_may_stall_and_the_store_is_whole() {
    let shop = Shop::standalone("");
    let proxy = Proxy::to(shop.server.port());
    let shop = shop.behind(&proxy);
    proxy.change(Weather::Stalls(Duration::from_millis(5)));
    shop.store.generate(&[]).code(0);
    shop.assert_whole();
}

#[test]
fn networks_that_never_get_better_end_the_run_in_bounded_time() {
    let shop = Shop::standalone("\n  timeout: 2s\n  reconnect: 2s");
    let proxy = Proxy::to(shop.server.port());
    let shop = shop.behind(&proxy);
    for (weather, says) in [
        (Weather::Cut, "error:"),
        (Weather::Silent, "error:"),
        // A batch at this rate takes minutes.
        (Weather::Slow, "no answer for"),
        (Weather::Stalls(Duration::from_secs(20)), "error:"),
    ] {
        proxy.change(Weather::Clear);
        proxy.change_after(2_000_000, weather);
        let run = shop.store.generate(&[]);
        shop.assert_failed(run).says(says);
    }
}

/// A file system of a size of its own; goes away with the value.
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts one on a new folder.
    ///
    /// # Panics
    /// Where nothing can be mounted: these tests do not skip.
    fn mount(path: PathBuf, size: &str) -> Self {
        std::fs::create_dir(&path).expect("a folder");
        let disk = Self { path };
        disk.run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size},mode=755"), "none"]));
        disk
    }

    /// Changes its size or its mode.
    fn remount(&self, options: &str) {
        self.run(Command::new("mount").args(["-o", &format!("remount,{options}")]));
    }

    fn run(&self, command: &mut Command) {
        let output = command.arg(&self.path).output().expect("mount is installed");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run these tests as root, in a machine or container that may mount: {said}");
    }

    fn used(&self) -> u64 {
        let usage = rustix::fs::statvfs(&self.path).expect("a file system");
        (usage.f_blocks - usage.f_bfree) * usage.f_frsize
    }

    /// Names of all that is on it.
    fn listed(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.path)
            .expect("the disk")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A store whose output is on a disk of its own, with an old store on it and a larger catalogue waiting.
fn store_on_a_disk(state_too: bool) -> (Store, Disk, BTreeMap<String, String>) {
    let config = CONFIG.replace("output: store", "output: disk/store") + "images: { download: false }\n";
    let store = Store::new(&config);
    make_catalog(40, "EUR", &store.path("catalog"));
    let disk = Disk::mount(store.path("disk"), "256m");
    if state_too {
        std::fs::create_dir(disk.path.join("state")).expect("a folder");
        std::os::unix::fs::symlink("disk/state", store.path(".storegen")).expect("a link");
    }
    store.generated(&[]);
    let old = tree_of(&disk.path.join("store"));
    std::fs::remove_dir_all(store.path("catalog")).expect("removed");
    make_catalog(60, "CHF", &store.path("catalog"));
    (store, disk, old)
}

#[test]
fn a_full_disk_fails_the_run_and_keeps_the_old_store() {
    let (store, disk, old) = store_on_a_disk(false);
    let used = disk.used();
    // From nothing at all to most of what is needed.
    for spare in [0, 4 << 10, 64 << 10, 512 << 10, 2 << 20, 3 << 20] {
        disk.remount(&format!("size={}", used + spare));
        store.generate(&[]).code(1).says("No space left on device");
        assert_same_tree(&old, &tree_of(&disk.path.join("store")), &format!("{spare} bytes were left"));
        assert_eq!(disk.listed(), ["store"], "left behind with {spare} bytes");
        assert_eq!(store.newest_job()["status"], "failed");
    }
    disk.remount("size=256m");
    store.generated(&[]);
    assert_ne!(old, tree_of(&disk.path.join("store")));
}

#[test]
fn a_full_disk_under_the_state_loses_no_job_and_no_store() {
    let (store, disk, old) = store_on_a_disk(true);
    let jobs = store.run(&["status", "--json"]).code(0).json();
    let used = disk.used();
    for spare in [0, 4 << 10, 12 << 10, 24 << 10, 64 << 10, 1 << 20] {
        disk.remount(&format!("size={}", used + spare));
        let run = store.generate(&[]);
        assert_eq!(run.code, Some(1), "with {spare} bytes: {}", run.stderr);
        assert_same_tree(&old, &tree_of(&disk.path.join("store")), &format!("{spare} bytes were left"));
        let now = store.run(&["status", "--json"]).code(0).json();
        let known = now.as_array().expect("jobs").iter().any(|job| job["job_id"] == jobs[0]["job_id"]);
        assert!(known, "the first job is lost: {now}");
    }
    disk.remount("size=256m");
    store.generated(&[]);
    assert_eq!(store.newest_job()["status"], "completed");
    assert_ne!(old, tree_of(&disk.path.join("store")));
}

#[test]
fn a_read_only_output_is_refused_before_any_work() {
    let (store, disk, old) = store_on_a_disk(false);
    disk.remount("ro");
    store.generate(&[]).code(2).says("disk/store").says("Read-only file system");
    assert_same_tree(&old, &tree_of(&disk.path.join("store")), "read-only");
    disk.remount("rw");
    store.generated(&[]);
    assert_ne!(old, tree_of(&disk.path.join("store")));
}
