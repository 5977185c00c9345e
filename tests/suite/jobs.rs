//! The life of jobs: waiting, being stopped, running out of time, being run again, being forgotten.

use crate::mongod::Mongod;
use crate::store::{CONFIG, Run, Store, assert_same_tree, repository};
use bson::doc;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const PRODUCT: &str = r#"{"_id":"a","sku":"A-1","name":"Lido","price":90,"frame_shape":"round","in_stock":true}"#;

/// A server that takes a connection and never answers: a job that reads from it works until it is stopped.
struct Silence(TcpListener);

impl Silence {
    fn begin() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    /// A store file of a store that is read from here.
    fn config(&self) -> String {
        let address = self.0.local_addr().expect("an address");
        CONFIG.replace("uri: catalog", &format!("uri: mongodb://{address}/?serverSelectionTimeoutMS=600000"))
    }

    /// Waits until a job reads.
    fn heard(&self) -> TcpStream {
        self.0.accept().expect("the program connects").0
    }
}

/// A store with one product, and with a second store file `slow.yaml` that is read from a silent server.
fn store(silence: &Silence) -> Store {
    Store::new(CONFIG).file("catalog/products.jsonl", PRODUCT).file("slow.yaml", silence.config())
}

/// A run that goes on, and what it says.
struct Going {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
    said: String,
}

impl Going {
    fn start(store: &Store, arguments: &[&str]) -> Self {
        let mut child = store.command(arguments).args(["--progress", "json"]).spawn().expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        Self { child, lines, said: String::new() }
    }

    /// Reads on until a line holds a text.
    #[track_caller]
    fn until(&mut self, text: &str) {
        loop {
            let Some(Ok(line)) = self.lines.next() else { panic!("no `{text}` in:\n{}", self.said) };
            self.said = format!("{}{line}\n", self.said);
            if line.contains(text) {
                return;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there");
    }

    /// Waits until it has ended; gives exit code and all it said.
    fn end(mut self) -> (Option<i32>, String) {
        let rest: Vec<String> = self.lines.by_ref().map_while(Result::ok).collect();
        let status = self.child.wait().expect("it ends");
        (status.code(), format!("{}{}", self.said, rest.join("\n")))
    }
}

fn jobs(store: &Store) -> Vec<Value> {
    store.run(&["status", "--json"]).code(0).json().as_array().expect("a list").clone()
}

fn id(job: &Value) -> String {
    job["job_id"].as_str().expect("an id").to_string()
}

fn moment(job: &Value, key: &str) -> OffsetDateTime {
    OffsetDateTime::parse(job[key].as_str().expect("a time"), &Rfc3339).expect("a time")
}

fn statuses(store: &Store) -> Vec<String> {
    jobs(store).iter().map(|job| job["status"].as_str().expect("a status").to_string()).collect()
}

#[test]
fn jobs_wait_in_order_of_arrival_and_begin_when_one_ends() {
    let silence = Silence::begin();
    let store = store(&silence).edit(|text| text + "jobs: { max_concurrent_jobs: 1 }\n");
    let slow = Going::start(&store, &["generate", "slow.yaml"]);
    let _connection = silence.heard();
    let mut second = Going::start(&store, &["generate", "store.yaml"]);
    second.until(r#""event":"queued""#);
    // Another store with a state file of its own waits in the same line.
    let other = Store::new(CONFIG).file("catalog/products.jsonl", PRODUCT);
    let other = other.edit(|text| text + "jobs: { max_concurrent_jobs: 1 }\n").sharing_queue_with(&store);
    let mut third = Going::start(&other, &["generate", "store.yaml"]);
    third.until(r#"{"before":1,"event":"queued"}"#);
    assert_eq!(statuses(&store), ["pending", "in_progress"]);
    assert_eq!(statuses(&other), ["pending"]);
    let refused = store.generate(&["--no-wait"]).code(5).says("1 job at once is all that may run");
    assert!(refused.stderr.contains("jobs.max_concurrent_jobs"), "{}", refused.stderr);

    // However the first ends, the next has its turn.
    slow.signal(Signal::KILL);
    slow.end();
    let (code, said) = second.end();
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = third.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(statuses(&store), ["failed", "completed", "failed"]);
    let ended = jobs(&store);
    assert!(ended[2]["error_message"].as_str().is_some_and(|text| text.starts_with("interrupted")), "{}", ended[2]);
    assert!(moment(&jobs(&other)[0], "started_at") >= moment(&ended[1], "completed_at"));
}

#[test]
fn a_running_and_a_waiting_job_are_cancelled() {
    let silence = Silence::begin();
    let store = store(&silence).edit(|text| text + "jobs: { max_concurrent_jobs: 1 }\n");
    store.generated(&[]);
    let before = store.tree();
    store.run(&["cancel", "--all"]).code(0).says("no job runs or waits");

    let slow = Going::start(&store, &["generate", "slow.yaml"]);
    let _connection = silence.heard();
    let mut waiting = Going::start(&store, &["generate", "store.yaml"]);
    waiting.until("queued");
    let waiting_id = id(&jobs(&store)[0]);
    let told = store.run(&["cancel", &waiting_id["job_".len()..]]).code(0);
    assert_eq!(told.stdout, format!("■ {waiting_id} cancelled\n"));
    assert_eq!(waiting.end().0, Some(130));
    assert_eq!(statuses(&store), ["cancelled", "in_progress", "completed"]);

    let told = store.run(&["cancel", "--all", "--json"]).code(0).json();
    assert_eq!(told[0]["status"], "cancelled");
    let (code, said) = slow.end();
    assert_eq!(code, Some(130));
    assert!(said.contains("as `storegen cancel` asks"), "{said}");
    assert_eq!(statuses(&store), ["cancelled", "cancelled", "completed"]);
    assert_same_tree(&before, &store.tree(), "after cancelling");

    store.run(&["cancel", &waiting_id]).code(0);
    store.run(&["cancel", &id(&jobs(&store)[2])]).code(1).says("has ended already: it is completed");
    store.run(&["cancel", "job_ffffffffffff"]).code(1).says("no job `job_ffffffffffff`");
}

#[test]
fn a_job_that_does_not_stop_by_itself_is_killed_when_asked() {
    let silence = Silence::begin();
    let store = store(&silence);
    let stubborn = Going::start(&store, &["generate", "slow.yaml"]);
    let _connection = silence.heard();
    stubborn.signal(Signal::STOP);
    let told = store.run(&["cancel", "--all", "--force"]).code(0);
    assert!(told.stdout.ends_with(" cancelled\n"), "{}", told.stdout);
    assert_eq!(stubborn.end().0, None, "it was not killed");
    assert!(jobs(&store)[0]["error_message"].as_str().is_some_and(|text| text.contains("was killed")));
}

#[test]
fn a_job_whose_time_is_up_fails() {
    let silence = Silence::begin();
    let store = store(&silence);
    let slow = silence.config() + "jobs: { timeout: 1s }\n";
    let store = store.file("slow.yaml", slow);
    for arguments in [&["generate", "slow.yaml"][..], &["generate", "slow.yaml", "--timeout", "1s"]] {
        let said = store.run(arguments).code(1).says("its time was up after 1.0 s").stderr;
        assert!(said.contains("`--timeout`") && said.contains("stopping"), "{said}");
        let job = store.newest_job();
        assert_eq!(job["status"], "failed");
        assert!(job["error_message"].as_str().is_some_and(|text| text.contains("jobs.timeout")), "{job}");
    }
    store.run(&["generate", "slow.yaml", "--timeout", "soon"]).code(2);
    store.generate(&["--timeout", "1h"]).code(0);
}

#[test]
fn a_job_is_run_again_with_the_configuration_of_then() {
    let silence = Silence::begin();
    let store = store(&silence).edit(|text| text.replace("Test Store", "${NAME}")).env("NAME", "Then & Now");
    store.generated(&["--output", "elsewhere"]);
    let first = id(&store.newest_job());
    let before = crate::store::tree_of(&store.path("elsewhere"));
    store.write("store.yaml", "store_name: Changed\nbase_url: nonsense\n");
    store.run(&["retry", &first, "--json", "--quiet"]).code(0);
    let again = store.newest_job();
    assert_eq!((&again["status"], &again["retry_of"]), (&json!("completed"), &json!(first)));
    assert_eq!(again["store_name"], "Then & Now");
    assert_same_tree(&before, &crate::store::tree_of(&store.path("elsewhere")), "run again");
    assert!(!store.state_text().contains("Then & Now\\nbase_url"), "the variable was filled in where it is kept");

    // Running jobs are not run twice at once.
    let going = Going::start(&store, &["generate", "slow.yaml"]);
    let _connection = silence.heard();
    let running = id(&store.newest_job());
    store.run(&["retry", &running]).code(2).says("is still in progress").says("storegen cancel");
    going.signal(Signal::KILL);
    going.end();
    // What was killed can be run again.
    let again = Going::start(&store, &["retry", &running]);
    let _connection = silence.heard();
    again.signal(Signal::INT);
    assert_eq!(again.end().0, Some(130));
    assert_eq!(store.newest_job()["retry_of"], json!(running));
}

#[test]
fn a_secret_in_a_store_file_is_not_kept_and_its_job_still_runs_again() {
    let silence = Silence::begin();
    let secret = silence.config().replace("mongodb://", "mongodb://ada:s3cr3t@");
    let store = Store::new(&secret);
    let going = Going::start(&store, &["generate", "store.yaml"]);
    let _connection = silence.heard();
    going.signal(Signal::INT);
    assert_eq!(going.end().0, Some(130));
    assert!(!store.state_text().contains("s3cr3t"));
    let job = id(&store.newest_job());
    let again = Going::start(&store, &["retry", &job]);
    let _connection = silence.heard();
    again.signal(Signal::INT);
    assert_eq!(again.end().0, Some(130));
    store.write("store.yaml", secret.replace("EUR", "CHF"));
    store.run(&["retry", &job]).code(2).says("held a secret").says("${VAR}");
}

#[test]
fn old_jobs_are_forgotten_with_their_files() {
    let silence = Silence::begin();
    let store = store(&silence).edit(|text| text + "jobs: { keep: 2 }\n");
    for _ in 0..4 {
        store.generated(&[]);
    }
    assert_eq!(statuses(&store).len(), 3, "two ended ones were kept when the last began");
    let files = |folder: &str| std::fs::read_dir(store.path(folder)).map_or(0, Iterator::count);
    assert_eq!(files(".storegen/requests"), 3);
    store.write(".storegen/reports/job_0123456789ab.jsonl", "{}\n");
    store.write(".storegen/state.json.damaged-1", "{");
    let long_ago = SystemTime::now() - Duration::from_secs(400 * 86_400);
    let set_aside = std::fs::File::open(store.path(".storegen/state.json.damaged-1")).expect("a file");
    set_aside.set_modified(long_ago).expect("its time can be set");

    let planned = store.run(&["clean", "--dry-run", "--json"]).code(0).json();
    assert_eq!((statuses(&store).len(), files(".storegen/requests")), (3, 3), "a dry run changed something");
    let told = store.run(&["clean"]).code(0).stdout;
    assert!(told.contains("forgot 1 job and"), "{told}");
    assert_eq!(planned["jobs"].as_array().map(Vec::len), Some(1));
    assert_eq!(planned["kept"], 2);
    assert!(planned["bytes"].as_u64() > Some(100), "{planned}");
    assert_eq!((statuses(&store).len(), files(".storegen/requests"), files(".storegen/reports")), (2, 2, 0));
    assert!(!store.path(".storegen/state.json.damaged-1").exists());
    assert!(store.run(&["clean"]).code(0).stdout.contains("nothing to forget"));

    // A job that goes on is never forgotten.
    let going = Going::start(&store, &["generate", "slow.yaml"]);
    let _connection = silence.heard();
    store.run(&["clean", "--keep", "1"]).code(0);
    assert_eq!(statuses(&store), ["in_progress", "completed"]);
    going.signal(Signal::INT);
    going.end();
}

/// Rewrites the state file as another program might.
fn edit_state(store: &Store, change: impl FnOnce(&mut Value)) {
    let path = store.path(".storegen/state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("a state file")).expect("JSON");
    change(&mut state);
    std::fs::write(path, state.to_string()).expect("a state file");
}

#[test]
fn neither_a_clock_that_jumps_nor_a_number_used_again_makes_a_job_lie() {
    let silence = Silence::begin();
    let store = store(&silence);
    store.generated(&[]);
    let alive = Going::start(&store, &["generate", "slow.yaml"]);
    let _connection = silence.heard();
    let dead = "job_0123456789ab";
    edit_state(&store, |state| {
        let jobs = state["jobs"].as_array_mut().expect("jobs");
        // The living one seems to begin in seventy years, the ended one to end before it began.
        jobs[0]["started_at"] = json!("2096-02-29T12:00:00Z");
        jobs[1]["completed_at"] = json!("1999-12-31T23:59:59Z");
        let mut other = jobs[0].clone();
        other["job_id"] = json!(dead);
        other["started_at"] = json!("2096-02-29T12:00:00Z");
        jobs.push(other);
    });
    // A process of that number lives, as process 1 always does, but it is another one: the lock is free.
    store.write(format!(".storegen/running/{dead}/lock"), r#"{"pid":1,"started":5,"boot":null}"#);
    let shown = jobs(&store);
    let status_of = |id: &str| shown.iter().find(|job| job["job_id"] == id).expect("the job")["status"].clone();
    assert_eq!(status_of(dead), "failed");
    assert_eq!(shown[0]["status"], "in_progress");
    assert_eq!(shown[1]["status"], "completed");
    let table = store.run(&["status"]).code(0).stdout;
    assert!(!table.contains(" -"), "a negative time:\n{table}");
    let page = store.run(&["status", &id(&shown[1])]).code(0).stdout;
    let seconds = shown[1]["performance_metrics"]["seconds"].as_f64().expect("seconds");
    assert!(seconds > 0.0 && page.contains("time "), "{page}");
    alive.signal(Signal::INT);
    assert_eq!(alive.end().0, Some(130));
    // What seems to have ended in the past or the future does not keep the next job from being made.
    store.generated(&[]);
    assert!(!store.path(format!(".storegen/running/{dead}")).exists());
}

#[test]
fn a_state_file_of_a_later_version_is_set_aside_and_work_goes_on() {
    let store = Store::new(CONFIG).file("catalog/products.jsonl", PRODUCT);
    let later = r#"{"version": 7, "tasks": {}}"#;
    store.write(".storegen/state.json", later);
    store.run(&["status"]).code(1).says("later version of storegen (format 7)");
    store.generate(&[]).code(0).says("state.json.later-1").says("format 7");
    let kept = std::fs::read_to_string(store.path(".storegen/state.json.later-1")).expect("it was kept");
    assert_eq!(kept, later);
    assert_eq!(statuses(&store), ["completed"]);
}

#[test]
fn twenty_processes_share_a_state_file_while_a_thousand_look_at_it() {
    const PROCESSES: usize = 20;
    const LOOKS: usize = 1_000;
    let store = Store::new(CONFIG).file("catalog/products.jsonl", PRODUCT);
    let store = store.edit(|text| text + "jobs: { max_concurrent_jobs: 3 }\n");
    let output = |number: usize| format!("store-{number}");
    let (looks, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let look = || {
        let run = Run::new("status".into(), store.command(&["status", "--json"]).output().expect("it starts"));
        let seen = run.code(0).json();
        let running = seen.as_array().expect("a list").iter().filter(|job| job["status"] == "in_progress").count();
        most.fetch_max(running, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        for number in 0..PROCESSES {
            let store = &store;
            scope.spawn(move || store.generate(&["--quiet", "--output", &output(number)]).code(0));
        }
        for _ in 0..8 {
            scope.spawn(|| {
                while looks.fetch_add(1, Ordering::Relaxed) < LOOKS {
                    look();
                }
            });
        }
    });
    let ended = store.run(&["status", "--json", "--limit", "100"]).code(0).json();
    let ended = ended.as_array().expect("a list");
    let ids: BTreeSet<String> = ended.iter().map(id).collect();
    assert_eq!((ended.len(), ids.len()), (PROCESSES, PROCESSES), "a job was lost or is there twice");
    assert!(ended.iter().all(|job| job["status"] == "completed"), "{ended:?}");
    assert!(ended.iter().all(|job| job["processed_products"] == 1));
    assert!((1..=3).contains(&most.into_inner()), "the limit was not kept");
    let urls: BTreeSet<&str> = ended.iter().filter_map(|job| job["generated_urls"]["static-html"].as_str()).collect();
    assert!(urls.len() == PROCESSES && urls.iter().all(|url| Path::new(url).is_file()));
    // By the records too, no more than three worked at one time.
    for job in ended {
        let began = moment(job, "started_at");
        let at_once = ended
            .iter()
            .filter(|other| moment(other, "started_at") <= began && began < moment(other, "completed_at"))
            .count();
        assert!(at_once <= 3, "{at_once} jobs worked at {began}");
    }
    assert!(std::fs::read_dir(store.path(".storegen/running")).is_ok_and(|mut left| left.next().is_none()));
}

#[test]
fn a_server_that_fails_again_and_again_is_left_alone_for_a_while() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let uri = format!("mongodb://ada:s3cr3t@{nobody}/?serverSelectionTimeoutMS=100");
    let config =
        CONFIG.replace("uri: catalog", &format!("uri: {uri}")) + "retry: { breaker_failures: 2, breaker_pause: 1h }\n";
    let store = Store::new(&config);
    for _ in 0..2 {
        store.generate(&[]).code(4).says("no server answers");
    }
    let listener = TcpListener::bind(nobody).expect("the port is free again");
    listener.set_nonblocking(true).expect("a listener");
    let refused = store.generate(&[]).code(4).says(&format!("mongodb at `{nobody}` has failed 2 times in a row"));
    assert!(refused.stderr.contains("unavailable until 20") && refused.stderr.contains("--ignore-breakers"));
    assert!(listener.accept().is_err(), "the server was asked");
    drop(listener);
    let state: Value =
        serde_json::from_str(&std::fs::read_to_string(store.path(".storegen/state.json")).expect("text"))
            .expect("a state file");
    assert_eq!(state["breakers"][format!("mongodb:{nobody}")]["failures"], 2, "{state}");
    assert!(store.run(&["status"]).code(0).stdout.contains("is left alone until"));
    store.generate(&["--ignore-breakers"]).code(4).says("no server answers");
    assert!(!store.state_text().contains("s3cr3t"));
    // The clock is set back: nobody is kept waiting until it catches up.
    edit_state(&store, |state| {
        let breaker = &mut state["breakers"][format!("mongodb:{nobody}")];
        breaker["opened_at"] = json!("2096-02-29T12:00:00Z");
        breaker["retry_at"] = json!("2096-02-29T13:00:00Z");
    });
    store.generate(&[]).code(4).says("no server answers");
}

#[test]
fn a_server_that_works_again_is_used_again() {
    let server = crate::mongod::shared();
    let database = server.new_database();
    let catalog = crate::mongod::Catalog::read(&repository().join("examples/boutique/catalog"));
    catalog.load(&server, &server.uri(), &database);
    let store = Store::new(&CONFIG.replace("uri: catalog", &format!("uri: {}\n  database: {database}", server.uri())));
    store.generated(&[]);
    let host = server.uri();
    let host = host.trim_start_matches("mongodb://").trim_end_matches('/');
    let breaker = json!({"failures": 5, "opened_at": "2001-01-01T00:00:00Z", "retry_at": "2001-01-01T01:00:00Z", "probed_at": null, "last_failure": "x"});
    edit_state(&store, |state| state["breakers"][format!("mongodb:{host}")] = breaker);
    store.generated(&[]);
    let state = std::fs::read_to_string(store.path(".storegen/state.json")).expect("text");
    assert!(!state.contains("breakers"), "{state}");
}

#[test]
fn a_log_tells_what_happened_in_a_job() {
    let silence = Silence::begin();
    let broken = r#"{"_id":"b","name":"No price","token":"t0ps3cret"}"#;
    let store = store(&silence).file("catalog/products.jsonl", format!("{PRODUCT}\n{broken}\n"));
    store.run(&["logs"]).code(1).says("no jobs in");
    store.generated(&[]);
    let told = store.run(&["logs"]).code(0).stdout;
    for part in
        ["info  building `Test Store`", "warn  products b: ", "(missing_price)", "info  pages done", "completed"]
    {
        assert!(told.contains(part), "no `{part}` in:\n{told}");
    }
    let job = id(&store.newest_job());
    let lines = store.run(&["logs", &job, "--json", "--level", "warn"]).code(0).stdout;
    let entry: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&entry["level"], &entry["reason"]), (&json!("warn"), &json!("missing_price")));
    assert_eq!(lines.lines().count(), 1, "{lines}");

    // Followed from another process until the job has ended.
    let slow = Going::start(&store, &["generate", "slow.yaml"]);
    let _connection = silence.heard();
    let following = store.command(&["logs", "--follow"]).spawn().expect("the program starts");
    slow.signal(Signal::INT);
    assert_eq!(slow.end().0, Some(130));
    let followed = Run::new("logs --follow".into(), following.wait_with_output().expect("it ends")).code(0).stdout;
    assert!(followed.contains("connect begins") && followed.ends_with("cancelled\n"), "{followed}");
    store.run(&["logs", "--level", "loud"]).code(2);
}

#[test]
fn the_state_file_is_as_its_schema_says() {
    let store = Store::new(CONFIG).file("catalog/products.jsonl", PRODUCT);
    store.generated(&[]);
    let schema = store.run(&["schema", "state"]).code(0).json();
    let state: Value =
        serde_json::from_slice(&std::fs::read(store.path(".storegen/state.json")).expect("a state file"))
            .expect("JSON");
    assert_eq!(schema["properties"]["version"]["const"], state["version"]);
    let described = |of: &Value, object: &Value| {
        for (key, _) in object.as_object().expect("an object") {
            assert!(
                of["properties"][key]["description"].is_string() || of["properties"][key]["$ref"].is_string(),
                "{key}"
            );
        }
    };
    described(&schema, &state);
    let job = &state["jobs"][0];
    described(&schema["$defs"]["GenerationJob"], job);
    described(&schema["$defs"]["PerformanceMetrics"], &job["performance_metrics"]);
    described(&schema["$defs"]["PhaseMetrics"], &job["performance_metrics"]["phases"]["pages"]);
}

#[test]
fn status_finds_jobs_tells_all_of_one_and_sums_up_many() {
    let silence = Silence::begin();
    let broken = (0..5).map(|number| format!("{{\"_id\":\"x{number}\",\"name\":\"No price\"}}\n")).collect::<String>();
    let store = store(&silence).file("catalog/products.jsonl", format!("{PRODUCT}\n{broken}"));
    store.generated(&[]);
    store.generate(&["--strict"]).code(1);
    store.run(&["generate", "slow.yaml", "--timeout", "1s", "--quiet"]).code(1);
    let ids: Vec<String> = jobs(&store).iter().map(id).collect();
    let found = |arguments: &[&str]| {
        let run = store.run(&[&["status", "--json"], arguments].concat()).code(0).json();
        run.as_array().expect("a list").iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(found(&["--only", "failed"]), ids[..2]);
    assert_eq!(found(&["--only", "completed", "--only", "running"]), ids[2..]);
    assert_eq!(found(&["--store", "TEST", "--since", "1h"]), ids);
    assert!(found(&["--store", "other"]).is_empty());
    edit_state(&store, |state| state["jobs"][2]["created_at"] = json!("2020-01-01T00:00:00Z"));
    assert_eq!(found(&["--since", "2d"]), ids[..2]);
    assert!(store.run(&["status", "--only", "cancelled"]).code(0).stdout.contains("no jobs like that"));
    store.run(&["status", "--only", "lost"]).code(2);

    let page = store.run(&["status", &ids[2]]).code(0).stdout;
    for part in [
        "static-html",
        "PHASE",
        "slowest",
        "SKIPPED",
        "5  missing_price",
        "products x0: ",
        "and 2 more",
        "report",
        "log",
    ] {
        assert!(page.contains(part), "no `{part}` in:\n{page}");
    }
    let page = store.run(&["status", &ids[0]]).code(0).stdout;
    assert!(page.contains("its time was up") && page.contains("→ give it more time"), "{page}");

    let stats = store.run(&["status", "--stats", "--json"]).code(0).json();
    assert_eq!((&stats["jobs"], &stats["by_status"]), (&json!(3), &json!({"completed": 1, "failed": 2})));
    assert!((stats["success_rate"].as_f64().expect("a rate") - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(stats["over_time"].as_array().map(Vec::len), Some(1));
    assert!(store.run(&["status", "--stats"]).code(0).stdout.contains("33 % of those that completed or failed"));
}

#[test]
fn a_store_is_made_from_the_last_copy_where_that_is_allowed_and_says_so() {
    let server = crate::mongod::Mongod::start(&[]);
    let catalog = crate::mongod::Catalog::read(&repository().join("examples/boutique/catalog"));
    catalog.load(&server, &server.uri(), "shop");
    let uri = format!("{}/?serverSelectionTimeoutMS=500", server.uri().trim_end_matches('/'));
    let config = CONFIG.replace("uri: catalog", &format!("uri: {uri}\n  database: shop\n  reconnect: 1s"));
    let store = Store::new(&config);
    store.generated(&[]);
    assert!(!store.path(".storegen/copies").exists(), "a copy was kept though nobody asked for one");
    for _ in 0..2 {
        assert_eq!(store.generated(&["--offline-ok"])["catalog_as_of"], Value::Null);
    }
    let copies = || std::fs::read_dir(store.path(".storegen/copies")).expect("copies").flatten().collect::<Vec<_>>();
    assert_eq!(copies().len(), 1, "only the newest is kept");
    use std::os::unix::fs::PermissionsExt as _;
    for entry in walkdir::WalkDir::new(store.path(".storegen/copies")) {
        let mode = entry.expect("an entry").metadata().expect("its kind").permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read the copy");
    }
    let before = store.tree();
    drop(server);

    store.generate(&[]).code(4);
    store.write("store/index.html", "gone");
    let offline = store.generate(&["--offline-ok"]).code(0);
    assert!(offline.stderr.contains("no server answers"), "{}", offline.stderr);
    assert!(offline.stderr.contains("offline: the store is made from the copy of 20"), "{}", offline.stderr);
    assert!(offline.stdout.contains("from the copy of 20"), "{}", offline.stdout);
    assert_same_tree(&before, &store.tree(), "made from the copy");
    let job = store.newest_job();
    assert_eq!(job["status"], "completed");
    assert!(job["catalog_as_of"].as_str().is_some_and(|time| time.starts_with("20")), "{job}");
    assert!(store.report(&job).contains("\"reason\":\"offline_copy\""));
    assert!(store.run(&["status"]).code(0).stdout.contains("offline: from the copy of"));
    // A breaker that is open leads to the copy too, without asking anybody.
    for _ in 0..3 {
        store.generate(&[]).code(4);
    }
    store.generate(&["--offline-ok"]).code(0).says("unavailable until").says("offline: ");
    // Another question has no answer yet.
    let store = store.edit(|text| text + "product_filters: { in_stock: true }\n");
    store.generate(&["--offline-ok"]).code(4).says("unavailable until");
}

#[test]
fn a_job_that_is_run_again_reads_nothing_that_it_had_read() {
    let server = Mongod::start(&[]);
    let database = server.new_database();
    let frame = |id: i32| doc! { "_id": id, "name": format!("Frame {id}"), "price": 90, "frame_shape": "round" };
    server.insert(&server.uri(), &database, "products", &[frame(1), frame(2)]);
    let config = CONFIG.replace("  uri: catalog\n", &format!("  uri: {}\n  database: {database}\n", server.uri()));
    let store = Store::new(&config);
    // A file of somebody else is in the way, which is found out when everything has been read.
    store.write("store/robots.txt", "mine");
    assert_ne!(store.generate(&["--offline-ok"]).code, Some(0));
    let failed = store.newest_job();
    assert_eq!(failed["status"], "failed");
    std::fs::remove_dir_all(store.output()).expect("removed");
    drop(server);
    let id = failed["job_id"].as_str().expect("an id");
    store.run(&["retry", id]).code(0).says("had read the catalogue, which is not read again");
    assert!(store.output().join("products/frame-2/index.html").is_file());
    let job = store.newest_job();
    assert_eq!((&job["retry_of"], &job["status"]), (&failed["job_id"], &json!("completed")));
    assert!(job["catalog_as_of"].is_string(), "{job}");

    // A copy goes when jobs of its age go.
    let copy =
        std::fs::read_dir(store.path(".storegen/copies")).expect("copies").flatten().next().expect("a copy").path();
    let about = copy.join("about.json");
    store.run(&["clean"]).code(0);
    assert!(about.is_file());
    let text = std::fs::read_to_string(&about).expect("text");
    let mut of_then: Value = serde_json::from_str(&text).expect("JSON");
    of_then["taken_at"] = json!("2020-01-01T00:00:00Z");
    std::fs::write(&about, of_then.to_string()).expect("written");
    let would = store.run(&["clean", "--dry-run"]).code(0);
    assert!(would.stdout.contains("products.bson.gz") && about.is_file(), "{}", would.stdout);
    store.run(&["clean"]).code(0);
    assert!(!copy.exists());
}

#[test]
fn a_lock_that_nobody_lets_go_of_is_not_waited_for_for_ever() {
    let store = Store::new(CONFIG).file("catalog/products.jsonl", "{\"_id\": 1, \"name\": \"A\", \"price\": 9}\n");
    store.generated(&[]);
    // As by a process that was stopped with Ctrl-Z.
    let lock = std::fs::File::options().append(true).open(store.path(".storegen/lock")).expect("a lock");
    lock.lock().expect("locked");
    store.run(&["clean"]).code(1).says("has been locked by another process for 10 s").says("`fg`");
    drop(lock);
    store.run(&["clean"]).code(0);
}

#[test]
fn a_host_of_pictures_that_fails_is_left_alone_too_and_costs_no_run() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let product = |number: usize| {
        let image = format!("http://{nobody}/{number}.png");
        json!({"_id": number, "sku": number.to_string(), "name": "Lido", "price": 90, "media": {"primary_image": image}}).to_string()
    };
    let products: Vec<String> = (0..2).map(product).collect();
    let store = Store::new(CONFIG).file("catalog/products.jsonl", products.join("\n")).edit(|text| {
        text + "images: { allow_private_hosts: true, downloads_per_host: 1 }\n\
            reliability: { breaker_failures: 1, breaker_pause: 1h }\n"
    });
    store.generated(&[]);
    let state: Value =
        serde_json::from_str(&std::fs::read_to_string(store.path(".storegen/state.json")).expect("text"))
            .expect("a state file");
    let breaker = &state["breakers"][format!("assets:{nobody}")];
    assert_eq!(breaker["failures"], 1, "{state}");
    let listener = TcpListener::bind(nobody).expect("the port is free again");
    listener.set_nonblocking(true).expect("a listener");
    store.generated(&["--full"]);
    assert!(listener.accept().is_err(), "the host was asked");
    assert!(store.run(&["status"]).code(0).stdout.contains(&format!("assets at {nobody} is left alone until")));
}
