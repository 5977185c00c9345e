//! `storegen preview`: what it serves, what it refuses, and that a change is in the browser at once.

use crate::browser::{Driver, runtime, until};
use crate::interruption::make_catalog;
use crate::mongod::{Mongod, free_port};
use crate::store::{CONFIG, Store};
use bson::doc;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;
use std::time::{Duration, Instant};

/// Longer than anything here takes; a wait that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(240);

/// A preview that runs until it is dropped.
struct Preview {
    process: Child,
    port: u16,
}

impl Preview {
    fn of(store: &Store) -> Self {
        let port = free_port();
        let mut process =
            store.command(&["preview", "store.yaml", "--port", &port.to_string()]).spawn().expect("the program starts");
        let mut out = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        assert!(line.contains(&format!("http://127.0.0.1:{port}/")), "{line}");
        Self { process, port }
    }

    /// Status, headers in lower case, and body of an answer; the path is sent as it is.
    fn get(&self, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let host = if headers.contains("Host:") { String::new() } else { format!("Host: 127.0.0.1:{}\r\n", self.port) };
        write!(stream, "GET {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n").expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, head, answer[end + 4..].to_vec())
    }
}

/// What the preview tells pages: one JSON document for the state of now and for each change.
struct Events(BufReader<TcpStream>);

impl Events {
    fn of(preview: &Preview, prefix: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", preview.port)).expect("it listens");
        let host = format!("127.0.0.1:{}", preview.port);
        write!(stream, "GET {prefix}.preview/events HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("sent");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        Self(BufReader::new(stream))
    }

    /// The number of the next build that is told, and why it failed.
    fn next(&mut self) -> (u64, Option<String>) {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("the stream goes on") > 0, "the stream has ended");
            if let Some(told) = line.trim().strip_prefix("data: ") {
                let told: serde_json::Value = serde_json::from_str(told).expect("JSON");
                return (told["build"].as_u64().expect("a number"), told["error"].as_str().map(str::to_owned));
            }
        }
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_preview_that_was_killed_while_it_built_is_no_hindrance() {
    let store = Store::new(CONFIG);
    make_catalog(300, "EUR", &store.path("catalog"));
    let folder = store.path(".storegen/preview");
    let unfinished = || -> Vec<String> {
        let entries = std::fs::read_dir(&folder).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(".store.storegen-job_")).collect()
    };
    let mut killed =
        store.command(&["preview", "store.yaml", "--port", &free_port().to_string()]).spawn().expect("it starts");
    let end = Instant::now() + PATIENCE;
    while unfinished().is_empty() {
        assert!(Instant::now() < end, "it never began to build");
        std::thread::sleep(Duration::from_millis(1));
    }
    killed.kill().expect("it runs");
    killed.wait().expect("it ended");
    assert_eq!(unfinished().len(), 1, "it had ended its build before it was killed");

    let preview = Preview::of(&store);
    assert_eq!(preview.get("/", "").0, 200);
    assert!(unfinished().is_empty(), "{:?}", unfinished());
}

fn store() -> Store {
    Store::from_example("boutique")
        .edit(|text| text.replace("https://lantern-street.example/", "https://shop.example/shop/"))
        .edit(|text| text.replace("theme: modern-minimal", "theme: ./theme\ncontent: our/texts"))
        .file("theme/templates/pages/about.hbs", "<h1>First</h1>")
        .file("our/texts/sizes.md", "---\ntitle: Sizes\n---\nOne\n")
}

#[test]
fn it_serves_what_a_host_would_and_nothing_else() {
    let store = store();
    std::fs::write(store.path("secret.txt"), "s3cret").expect("written");
    let preview = Preview::of(&store);
    assert!(!store.output().exists(), "the finished store is none of the preview's business");

    let (status, head, body) = preview.get("/shop/", "");
    let page = String::from_utf8(body).expect("text");
    assert_eq!(status, 200);
    for header in
        ["content-type: text/html; charset=utf-8", "x-content-type-options: nosniff", "content-security-policy: "]
    {
        assert!(head.contains(header), "{header} in {head}");
    }
    // One product has a 3D model, whose decoder is compiled in the browser: that, and nothing else, is let in besides.
    assert!(head.contains("script-src 'self'") && !head.replace("'wasm-unsafe-eval'", "").contains("unsafe"), "{head}");
    assert!(page.contains("<script type=\"module\" src=\"/shop/.preview/reload.js?build=1\">"), "{page}");
    let (_, head, body) = preview.get("/shop/", "Accept-Encoding: br, gzip\r\n");
    assert!(head.contains("content-encoding: gzip") && body.starts_with(&[0x1f, 0x8b]), "{head}");
    let style = page
        .split("href=\"")
        .find(|part| part.starts_with("/shop/assets/style."))
        .and_then(|part| part.split('"').next());
    let (_, head, _) = preview.get(style.expect("a stylesheet"), "");
    assert!(head.contains("content-type: text/css") && head.contains("immutable"), "{head}");
    assert_eq!(preview.get("/", "").0, 302);
    assert_eq!(preview.get("/shop/products", "").0, 302);
    let (status, _, body) = preview.get("/shop/no-such-page/", "");
    assert!(status == 404 && String::from_utf8_lossy(&body).contains("This page does not exist"));

    for path in [
        "/shop/../secret.txt",
        "/shop/%2e%2e/%2e%2e/%2e%2e/secret.txt",
        "/shop/..%2f..%2f..%2fsecret.txt",
        "/../secret.txt",
        "/shop//etc/passwd",
        "/shop/.storegen/state.json",
        "/shop/_headers",
        "/shop/%00",
        "/shop/storegen-manifest.json/..%2f",
    ] {
        let (status, _, body) = preview.get(path, "");
        assert!(status != 200, "{path}: {status}");
        assert!(!String::from_utf8_lossy(&body).contains("s3cret"), "{path}");
    }
    // A page elsewhere that has its name lead here cannot read the store.
    assert_eq!(preview.get("/shop/", "Host: evil.example\r\n").0, 421);
}

#[test]
fn changes_of_theme_content_and_catalogue_are_in_the_browser_at_once() {
    let store = store();
    let preview = Preview::of(&store);
    runtime().block_on(async {
        let driver = Driver::start();
        let client = driver.window(1000, true).await;
        let at = |path: &str| format!("http://127.0.0.1:{}/shop/{path}", preview.port);
        let says = |text: &str| format!("document.body.textContent.includes({text:?})");

        client.goto(&at("about/")).await.expect("the page");
        until(&client, &says("First")).await;
        store.write("theme/templates/pages/about.hbs", "<h1>Second</h1>");
        until(&client, &says("Second")).await;
        // A broken template is told in the page, with its place; the page of before stays.
        store.write("theme/templates/pages/about.hbs", "<h1>Third</h1>\n{{#if x}}");
        until(&client, &says("templates/pages/about.hbs:")).await;
        until(&client, &says("Second")).await;
        store.write("theme/templates/pages/about.hbs", "<h1>Third</h1>");
        until(&client, &format!("{} && !document.querySelector('[data-preview-error]')", says("Third"))).await;

        client.goto(&at("sizes/")).await.expect("the page");
        until(&client, &says("One")).await;
        store.write("our/texts/sizes.md", "---\ntitle: Sizes\n---\nTwo\n");
        until(&client, &says("Two")).await;

        client.goto(&at("products/")).await.expect("the page");
        until(&client, &says("Penrose")).await;
        let catalog = std::fs::read_to_string(store.path("catalog/products.jsonl")).expect("the catalogue");
        store.write("catalog/products.jsonl", catalog.replace("\"Penrose\"", "\"Penrose Nova\""));
        until(&client, &says("Penrose Nova")).await;
        client.close().await.expect("the browser closes");
    });
}

#[test]
fn a_page_that_begins_to_listen_late_learns_that_it_is_out_of_date() {
    let store = store();
    let preview = Preview::of(&store);
    let page = String::from_utf8(preview.get("/shop/about/", "").2).expect("text");
    assert!(page.contains("reload.js?build=1\"") && page.contains("First"), "{page}");
    let mut early = Events::of(&preview, "/shop/");
    assert_eq!(early.next(), (1, None));
    store.write("theme/templates/pages/about.hbs", "<h1>Second</h1>");
    assert_eq!(early.next(), (2, None));
    // The page has not asked until now.
    assert_eq!(Events::of(&preview, "/shop/").next(), (2, None));
    let page = String::from_utf8(preview.get("/shop/about/", "").2).expect("text");
    assert!(page.contains("reload.js?build=2\"") && page.contains("Second"), "{page}");
}

#[test]
fn what_is_written_to_a_database_is_shown_also_after_it_was_away() {
    let mut server = Mongod::start(&[]);
    let uri = server.uri();
    let database = server.new_database();
    let frame = |id: i32, name: &str| doc! { "_id": id, "name": name, "price": 90, "frame_shape": "round" };
    server.insert(&uri, &database, "products", &[frame(1, "Early")]);
    let store = Store::new(&CONFIG.replace("  uri: catalog\n", &format!("  uri: {uri}\n  database: {database}\n")));
    let preview = Preview::of(&store);
    assert_eq!(preview.get("/products/early/", "").0, 200);
    let mut events = Events::of(&preview, "/");
    assert_eq!(events.next(), (1, None));
    server.insert(&uri, &database, "products", &[frame(2, "Late")]);
    assert_eq!(events.next(), (2, None));
    assert_eq!(preview.get("/products/late/", "").0, 200);

    server.kill();
    server.start_again();
    server.insert(&uri, &database, "products", &[frame(3, "Latest")]);
    while preview.get("/products/latest/", "").0 != 200 {
        events.next();
    }
}

#[test]
fn a_place_that_cannot_be_listened_at_is_told() {
    let store = store();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    store.run(&["preview", "store.yaml", "--port", &port]).code(1).says("try another `--port`");
    store.run(&["preview", "store.yaml", "--host", "shop.example"]).code(2);
    store.run(&["preview", "nowhere.yaml"]).code(1).says("nowhere.yaml");
}
