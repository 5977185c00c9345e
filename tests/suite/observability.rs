//! What people and machines are told about the tool's health: the doctor, metrics, traces.

use crate::interruption::make_catalog;
use crate::mongod::{self, Catalog, Mongod};
use crate::store::{CONFIG, Store};
use mongodb::bson::doc;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

fn from_server(uri: &str, database: &str) -> Store {
    let catalog = format!("uri: ${{SHOP_URI}}\n  database: {database}");
    Store::new(&CONFIG.replace("uri: catalog", &catalog)).env("SHOP_URI", uri)
}

/// What the doctor says: name, health and remedy of each line.
fn examined(store: &Store, code: i32) -> Vec<(String, String, String)> {
    let report = store.run(&["doctor", "store.yaml", "--json"]).code(code).json();
    assert_eq!(report["healthy"], code == 0);
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_string();
    report["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| (text(check, "name"), text(check, "health"), text(check, "remedy")))
        .collect()
}

fn health<'a>(checks: &'a [(String, String, String)], name: &str) -> &'a str {
    let found = checks.iter().find(|(known, ..)| known == name);
    found.map_or_else(|| panic!("no line about {name} in {checks:?}"), |(_, health, _)| health)
}

#[test]
fn the_doctor_finds_a_shop_of_files_well() {
    let store = Store::from_example("boutique");
    let checks = examined(&store, 0);
    assert!(checks.iter().all(|(_, health, _)| health == "ok"), "{checks:?}");
    for name in ["configuration", "theme", "catalogue", "output", "output disk", "state", "state disk", "jobs"] {
        assert_eq!(health(&checks, name), "ok");
    }
    assert!(!store.path(".storegen").exists() && !store.output().exists(), "looking changed something");
    let told = store.run(&["doctor", "store.yaml"]).code(0).stdout;
    assert!(told.contains("✓ ok") && told.contains("0 failed"), "{told}");
}

#[test]
fn the_doctor_opens_the_files_of_the_catalogue() {
    // Begins like a compressed file, and is none.
    let store = Store::new(CONFIG).file("catalog/products.jsonl.gz", [0x1f, 0x8b, 0, 0]);
    let told = store.run(&["doctor", "store.yaml"]).code(1).stdout;
    assert!(told.contains("products.jsonl.gz"), "{told}");
}

#[test]
fn the_doctor_tells_what_is_amiss_and_what_to_do() {
    let broken = Store::new("store_name: X\ntheem: y\n");
    let checks = examined(&broken, 2);
    assert_eq!((health(&checks, "configuration"), health(&checks, "jobs")), ("fail", "ok"));

    let port = mongod::free_port();
    let away = from_server(&format!("mongodb://shop:hunter2@127.0.0.1:{port}/?serverSelectionTimeoutMS=500"), "shop");
    let run = away.run(&["doctor", "store.yaml"]).code(4);
    assert!(run.stdout.contains("✗ fail") && run.stdout.contains(&port.to_string()), "{}", run.stdout);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("hunter2"));

    let taken = Store::from_example("boutique").file("store/index.html", "somebody else's");
    let checks = examined(&taken, 1);
    assert_eq!(health(&checks, "output"), "fail");

    let open = Store::from_example("boutique");
    open.generated(&[]);
    std::fs::set_permissions(open.path(".storegen"), PermissionsExt::from_mode(0o755)).expect("a mode");
    assert_eq!(health(&examined(&open, 0), "state"), "warn");
    open.run(&["doctor", "store.yaml", "--strict"]).code(1);
}

#[test]
fn the_doctor_looks_a_server_over() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_catalog(20, "EUR", folder.path());
    let catalog = Catalog::read(folder.path());

    let server = mongod::shared();
    let database = server.new_database();
    catalog.load(&server, &server.uri(), &database);
    let dated = doc! { "$set": { "updated_at": mongodb::bson::DateTime::from_millis(0) } };
    let update = doc! { "update": "products", "updates": [{ "q": {}, "u": dated, "multi": true }] };
    server.command(&server.uri(), &database, update);
    let store = from_server(&server.uri(), &database);
    let checks = examined(&store, 0);
    assert_eq!((health(&checks, "mongodb"), health(&checks, "clock")), ("ok", "ok"));
    for name in ["consistency", "permissions", "indexes"] {
        assert_eq!(health(&checks, name), "warn", "{name}");
    }
    let (.., remedy) = checks.iter().find(|(name, ..)| name == "indexes").expect("a line");
    assert!(remedy.contains("createIndex({ \"updated_at\": 1 })"), "{remedy}");
    let index = doc! { "createIndexes": "products", "indexes": [{ "key": { "updated_at": 1 }, "name": "updated" }] };
    server.command(&server.uri(), &database, index);
    assert_eq!(health(&examined(&store, 0), "indexes"), "ok");

    let server = Mongod::with_auth();
    catalog.load(&server, &server.auth_uri(), "shop");
    server.command(
        &server.auth_uri(),
        "admin",
        doc! { "createUser": "reader", "pwd": "looks only", "roles": [{ "role": "read", "db": "shop" }] },
    );
    assert_eq!(health(&examined(&from_server(&server.auth_uri(), "shop"), 0), "permissions"), "warn");
    let reader = server.auth_uri().replace("shop:correct%20horse%2Fbattery", "reader:looks%20only");
    assert_eq!(health(&examined(&from_server(&reader, "shop"), 0), "permissions"), "ok");
    examined(&from_server(&reader.replace("looks", "guesses"), "shop"), 4);

    let server = Mongod::replica_set();
    catalog.load(&server, &server.replica_set_uri(), "shop");
    assert_eq!(health(&examined(&from_server(&server.replica_set_uri(), "shop"), 0), "consistency"), "ok");
}

#[test]
fn metrics_tell_of_jobs_and_stores() {
    let store = Store::from_example("boutique");
    let job = store.generated(&[]);
    store.generate(&["--strict", "--output", "/proc/nowhere"]);
    let text = store.run(&["metrics"]).code(0).stdout;
    let value = |line: &str| -> f64 {
        let found = text.lines().find(|known| known.starts_with(line));
        let found = found.unwrap_or_else(|| panic!("no `{line}` in\n{text}"));
        found.rsplit_once(' ').and_then(|(_, value)| value.parse().ok()).expect("a number")
    };
    assert_eq!(value("storegen_jobs{status=\"completed\"}"), 1.0);
    assert_eq!(value("storegen_last_products{"), job["processed_products"].as_f64().expect("a number"));
    assert!(value("storegen_last_bytes{") > 100_000.0 && value("storegen_last_pages{") > 10.0);
    assert!(value("storegen_last_completed_timestamp_seconds{") > 1.7e9);
    assert!(text.contains("storegen_last_phase_seconds{") && text.contains("phase=\"publish\"}"));
    for line in text.lines() {
        let is_sample = line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok());
        assert!(line.starts_with("# ") || is_sample, "{line}");
    }

    store.write("node/storegen.prom", "old");
    store.run(&["metrics", "--textfile", "node/storegen.prom"]).code(0);
    let written = store.path("node/storegen.prom");
    assert_eq!(std::fs::read_to_string(&written).expect("a file"), text);
    assert_eq!(written.metadata().expect("a file").permissions().mode() & 0o777, 0o644);
    assert_eq!(std::fs::read_dir(store.path("node")).expect("a folder").count(), 1, "something was left behind");
    store.run(&["metrics", "--textfile", "nowhere/storegen.prom"]).code(1).says("nowhere/storegen.prom");
}

/// A collector that takes one request and answers as told.
fn collector(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let taken = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let size = stream.read(&mut buffer).expect("a request");
            request.extend_from_slice(&buffer[..size]);
            let text = String::from_utf8_lossy(&request);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
            if body.len() >= length.parse::<usize>().expect("a number") {
                break;
            }
        }
        stream.write_all(answer.as_bytes()).expect("an answer");
        String::from_utf8(request).expect("text")
    });
    (address, taken)
}

#[test]
fn a_run_is_traced_where_the_environment_says_so() {
    let (address, taken) = collector("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let store = Store::from_example("boutique")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &address)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret")
        .env("OTEL_SERVICE_NAME", "shop-ci");
    let job = store.generated(&[]);
    let request = taken.join().expect("a request");
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n") && head.contains("\r\nx-key: s3cret"), "{head}");
    assert!(head.contains("\r\nContent-Type: application/json"), "{head}");
    let trace: Value = serde_json::from_str(body).expect("JSON");
    let resource = &trace["resourceSpans"][0];
    assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "shop-ci");
    let spans = resource["scopeSpans"][0]["spans"].as_array().expect("spans");
    let names: Vec<&str> = spans.iter().filter_map(|span| span["name"].as_str()).collect();
    assert_eq!(names[0], "storegen generate");
    for phase in ["connect", "products", "plan", "pages", "publish"] {
        assert!(names.contains(&phase), "{names:?}");
    }
    let time = |span: &Value, key: &str| span[key].as_str().expect("a time").parse::<u64>().expect("a number");
    for span in &spans[1..] {
        assert_eq!((&span["traceId"], &span["parentSpanId"]), (&spans[0]["traceId"], &spans[0]["spanId"]));
        assert!(time(span, "startTimeUnixNano") >= time(&spans[0], "startTimeUnixNano"));
        assert!(time(span, "endTimeUnixNano") >= time(span, "startTimeUnixNano"));
    }
    assert!(body.contains(job["job_id"].as_str().expect("an id")));
    assert!(!store.state_text().contains("s3cret"));
}

#[test]
fn a_trace_that_cannot_be_sent_ends_no_run() {
    let (address, taken) = collector("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    let store = Store::from_example("boutique").env("OTEL_EXPORTER_OTLP_ENDPOINT", &address);
    store.generate(&[]).code(0).says("it answered 503");
    taken.join().expect("a request");
    for (endpoint, says) in [
        (format!("http://127.0.0.1:{}", mongod::free_port()), "cannot send the trace"),
        ("https://h".into(), "`http://`"),
    ] {
        let store = Store::from_example("boutique").env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        store.generate(&["--dry-run"]).code(0).says(says);
    }
}
