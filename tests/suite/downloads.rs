//! Pictures on other servers: fetched once, checked again, never from where they should not come.

use crate::store::{CONFIG, Store};
use futures_util::AsyncWriteExt as _;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use mongodb::options::GridFsBucketOptions;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server of pictures on the loopback address that remembers what it was asked for.
struct Server {
    port: u16,
    seen: Arc<Mutex<BTreeMap<String, Vec<Asked>>>>,
}

/// One request.
#[derive(Clone, Debug)]
struct Asked {
    is_conditional: bool,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let log = Arc::clone(&seen);
        // Ends with the process of the tests.
        thread::spawn(move || {
            for connection in listener.incoming().filter_map(Result::ok) {
                let log = Arc::clone(&log);
                thread::spawn(move || serve(connection, &log));
            }
        });
        Self { port, seen }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Requests for a path since the last look.
    fn take(&self, path: &str) -> Vec<Asked> {
        self.seen.lock().expect("a lock").remove(path).unwrap_or_default()
    }

    fn total(&self) -> usize {
        self.seen.lock().expect("a lock").values().map(Vec::len).sum()
    }
}

fn serve(mut connection: TcpStream, log: &Mutex<BTreeMap<String, Vec<Asked>>>) {
    let mut reader = BufReader::new(connection.try_clone().expect("a handle"));
    loop {
        let mut head = Vec::new();
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
            head.push(std::mem::take(&mut line).trim_end().to_ascii_lowercase());
        }
        let Some(path) = head.first().and_then(|first| first.split(' ').nth(1)).map(str::to_string) else { return };
        let is_conditional = head.iter().any(|line| line.starts_with("if-none-match: \"one\""));
        let count = {
            let mut log = log.lock().expect("a lock");
            let asked = log.entry(path.clone()).or_default();
            asked.push(Asked { is_conditional });
            asked.len()
        };
        let answer = |status: &str, headers: &str, body: &[u8]| {
            let mut bytes =
                format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
            bytes.extend_from_slice(body);
            bytes
        };
        let bytes = match path.as_str() {
            "/a.png" if is_conditional => answer("304 Not Modified", "", b""),
            "/a.png" | "/b.png" => answer("200 OK", "etag: \"one\"\r\ncontent-type: text/html\r\n", &picture(7)),
            "/fresh.png" => answer("200 OK", "cache-control: public, max-age=3600\r\n", &picture(8)),
            "/flaky.png" if count <= 2 => answer("503 Service Unavailable", "retry-after: 1\r\n", b""),
            "/flaky.png" => answer("200 OK", "", &picture(9)),
            "/hop.png" => answer("302 Found", "location: /b.png\r\n", b""),
            "/loop.png" => answer("301 Moved", "location: /loop.png\r\n", b""),
            "/file.png" => answer("302 Found", "location: file:///etc/passwd\r\n", b""),
            "/text.png" => answer("200 OK", "content-type: image/png\r\n", b"<html>not here</html>"),
            "/none.png" => answer("200 OK", "", b""),
            "/big.png" => answer("200 OK", "", &vec![0; 300_000]),
            "/endless.png" => {
                // No length, and more than anybody wants.
                let mut bytes = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
                bytes.resize(400_000, 0);
                let _ = connection.write_all(&bytes);
                return;
            }
            _ => answer("404 Not Found", "", b"nothing"),
        };
        if connection.write_all(&bytes).is_err() {
            return;
        }
    }
}

/// A small PNG of one shade.
fn picture(shade: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixels = image::RgbImage::from_pixel(40, 30, image::Rgb([shade, 100, 200]));
    pixels.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

/// One frame for each list of pictures.
fn catalog(pictures: &[&[String]]) -> String {
    let frame = |(at, pictures): (usize, &&[String])| {
        let document: Value = json!({
            "_id": at + 1, "name": format!("Frame {}", at + 1), "sku": format!("F-{at}"), "price": 100,
            "media": { "primary_image": pictures[0], "gallery_images": &pictures[1..] },
        });
        format!("{document}\n")
    };
    pictures.iter().enumerate().map(frame).collect()
}

fn store(settings: &str, pictures: &[&[String]]) -> Store {
    Store::new(&format!("{CONFIG}images:\n{settings}")).file("catalog/products.jsonl", catalog(pictures))
}

/// Reasons of findings by document.
fn reasons(store: &Store, record: &Value) -> BTreeMap<String, Vec<String>> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in store.report(record).lines() {
        let finding: Value = serde_json::from_str(line).expect("JSON");
        let text = |key: &str| finding[key].as_str().expect("text").to_string();
        reasons.entry(text("document")).or_default().push(text("reason"));
    }
    reasons.values_mut().for_each(|reasons| reasons.sort());
    reasons
}

#[test]
fn pictures_are_fetched_once_and_asked_for_again_when_they_are_old() {
    let server = Server::start();
    let (a, fresh) = (server.url("/a.png"), server.url("/fresh.png"));
    // Nothing is that young that it need not be asked for, unless its server says so.
    let settings = "  allow_private_hosts: true\n  recheck_after: 0.001 s\n";
    let store = store(settings, &[std::slice::from_ref(&a), &[a.clone(), fresh]]);
    let record = store.generated(&[]);
    assert_eq!(record["performance_metrics"]["cache"]["downloads"], json!({ "hits": 0, "misses": 2 }), "{record}");
    assert_eq!((server.take("/a.png").len(), server.take("/fresh.png").len()), (1, 1));
    let page = store.page("products/frame-1/index.html");
    assert!(!page.contains(&a) && page.contains("/assets/"), "the picture is not linked to:\n{page}");
    let first = store.tree();
    let pictures = first.keys().filter(|name| name.starts_with("assets/media/")).count();
    assert!(pictures >= 2, "{first:?}");

    let record = store.generated(&[]);
    assert_eq!(record["performance_metrics"]["cache"]["downloads"], json!({ "hits": 2, "misses": 0 }), "{record}");
    let asked = server.take("/a.png");
    assert!(asked.len() == 1 && asked[0].is_conditional, "{asked:?}");
    assert_eq!(server.total(), 0, "what is fresh is not asked for");
    crate::store::assert_same_tree(&first, &store.tree(), "fetched and kept");
    let stats = store.run(&["cache", "stats", "--json"]).code(0).json();
    assert_eq!(stats["shelves"]["downloads"]["entries"], 2, "{stats}");
    assert_eq!(stats["shelves"]["downloads"]["all_runs"], json!({ "hits": 2, "misses": 2 }), "{stats}");

    let store = store.edit(|text| text.replace("recheck_after: 0.001 s", "recheck_after: 1 hour"));
    store.generated(&[]);
    assert_eq!(server.total(), 0, "nothing is asked for within the time of the configuration");
    crate::store::assert_same_tree(&first, &store.tree(), "without asking");
}

#[test]
fn a_picture_that_cannot_be_had_costs_its_product_that_picture() {
    let server = Server::start();
    let good = server.url("/a.png");
    let bad = ["/gone.png", "/loop.png", "/file.png", "/text.png", "/none.png", "/big.png", "/endless.png"];
    let bad = bad.map(|path| [server.url(path), good.clone()]);
    let mut products: Vec<&[String]> = bad.iter().map(<[String; 2]>::as_slice).collect();
    let (only_bad, mended) = ([server.url("/gone.png")], [server.url("/flaky.png"), server.url("/hop.png")]);
    products.extend([only_bad.as_slice(), mended.as_slice()]);
    let store = store("  allow_private_hosts: true\n  max_download: 200 kB\n", &products);
    let record = store.generated(&[]);
    assert_eq!(record["status"], "completed");
    let expected: BTreeMap<String, Vec<String>> = [
        ("1", "media_not_found"),
        ("2", "media_unreachable"),
        ("3", "media_refused_address"),
        ("4", "media_not_an_image"),
        ("5", "media_not_an_image"),
        ("6", "media_too_large"),
        ("7", "media_too_large"),
        ("8", "media_not_found"),
    ]
    .into_iter()
    .map(|(document, reason)| (document.to_string(), vec![reason.to_string()]))
    .collect();
    assert_eq!(reasons(&store, &record), expected);
    assert_eq!(server.take("/flaky.png").len(), 3, "asked again until it came");
    assert_eq!(server.take("/gone.png").len(), 1, "what is not there is asked for once");
    let listing = store.page("products/index.html");
    let cards: Vec<&str> = listing.split("<img").skip(1).collect();
    assert!(cards.iter().filter(|card| card.contains("assets/media/")).count() >= 8, "{listing}");
    assert!(cards.iter().any(|card| card.contains("assets/frames/") || card.contains(".svg")), "{listing}");
}

#[test]
fn private_networks_are_not_asked_unless_that_is_meant() {
    let server = Server::start();
    let pictures = [
        [server.url("/a.png")],
        ["http://localhost:8080/a.png".to_string()],
        ["http://[::ffff:127.0.0.1]/a.png".to_string()],
        ["http://169.254.169.254/latest/meta-data/".to_string()],
        [format!("http://2130706433:{}/a.png", server.port)],
    ];
    let products: Vec<&[String]> = pictures.iter().map(<[String; 1]>::as_slice).collect();
    let store = store("  download: true\n", &products);
    let record = store.generated(&[]);
    assert_eq!(server.total(), 0);
    let reasons = reasons(&store, &record);
    assert_eq!(reasons.len(), 5, "{reasons:?}");
    assert!(reasons.values().flatten().all(|reason| reason == "media_refused_address"), "{reasons:?}");
    assert!(store.report(&record).contains("images.allow_private_hosts"));
    assert!(!store.page("products/index.html").contains("169.254"), "a refused address is not linked either");
}

#[test]
fn pictures_are_linked_where_fetching_is_off_and_where_no_server_answers() {
    let port = crate::mongod::free_port();
    let pictures = [[format!("http://127.0.0.1:{port}/a.png?signature=s3cret")]];
    let products: Vec<&[String]> = pictures.iter().map(<[String; 1]>::as_slice).collect();
    let off = store("  download: false\n", &products);
    off.generated(&[]);
    let page = off.page("products/frame-1/index.html");
    assert!(page.contains(&format!("http://127.0.0.1:{port}/a.png")), "{page}");
    let away = store("  allow_private_hosts: true\n", &products);
    let run = away.generate(&[]).code(0).says("no server of pictures answers");
    crate::store::assert_same_tree(&off.tree(), &away.tree(), "linked");
    let state = std::fs::read_to_string(away.path(".storegen/state.json")).expect("the state");
    assert!(!format!("{}{}{state}", run.stdout, run.stderr).contains("s3cret"));
}

#[test]
fn pictures_in_the_database_are_read_once_and_again_when_they_change() {
    let server = crate::mongod::shared();
    let database = server.new_database();
    let id = ObjectId::from_bytes([7; 12]);
    let upload = |bytes: Vec<u8>| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = mongodb::Client::with_uri_str(server.uri()).await.expect("a client");
            let options = GridFsBucketOptions::builder().bucket_name("photos".to_string()).build();
            let bucket = client.database(&database).gridfs_bucket(options);
            let _ = bucket.delete(id.into()).await;
            let mut stream = bucket.open_upload_stream("front.png").id(id.into()).await.expect("a stream");
            stream.write_all(&bytes).await.expect("sent");
            stream.close().await.expect("stored");
            let products = client.database(&database).collection::<Document>("products");
            let picture = |id: &str| doc! { "primary_image": format!("gridfs://photos/{id}") };
            for (number, media) in [(1, picture(&id.to_hex())), (2, picture("nowhere"))] {
                let product = doc! { "name": format!("Frame {number}"), "price": 100, "media": media };
                let replacing = products.replace_one(doc! { "_id": number }, product).upsert(true);
                replacing.await.expect("a product");
            }
        });
    };
    upload(picture(1));
    let config = CONFIG.replace("uri: catalog", &format!("uri: {}\n  database: {database}", server.uri()));
    let store = Store::new(&config);
    let record = store.generated(&[]);
    assert_eq!(reasons(&store, &record), [("2".to_string(), vec!["media_missing".to_string()])].into());
    let first = store.tree();
    let picture_of = |tree: &BTreeMap<String, String>| -> Vec<String> {
        tree.keys().filter(|name| name.starts_with("assets/media/") && name.ends_with(".jpg")).cloned().collect()
    };
    assert_eq!(picture_of(&first).len(), 1, "{first:?}");
    let record = store.generated(&[]);
    assert_eq!(record["performance_metrics"]["cache"]["downloads"]["hits"], 1, "{record}");
    crate::store::assert_same_tree(&first, &store.tree(), "read and kept");

    upload(picture(2));
    store.generated(&[]);
    let (old, new) = (picture_of(&first), picture_of(&store.tree()));
    assert!(new.len() == 1 && new != old, "{old:?} {new:?}");
    assert!(store.page("products/frame-1/index.html").contains(&new[0]));
}

#[test]
fn pictures_can_be_served_from_elsewhere() {
    let config = format!("{CONFIG}assets:\n  base_url: https://cdn.example/shop\n");
    let pictures = ["a.png".to_string(), "b.png".to_string()];
    let store = Store::new(&config)
        .file("catalog/products.jsonl", catalog(&[&pictures, &pictures[..1]]))
        .file("catalog/a.png", picture(1))
        .file("catalog/b.png", picture(2));
    store.generated(&[]);
    let page = store.page("products/frame-1/index.html");
    let listing = store.page("products/index.html");
    assert!(page.contains("src=\"https://cdn.example/shop/assets/media/"), "{page}");
    assert!(listing.contains("src=\"https://cdn.example/shop/assets/media/"), "{listing}");
    for text in [&page, &listing, &store.page("sitemap.xml"), &store.page("feeds/products.xml")] {
        assert!(!text.contains("\"/assets/media/") && !text.contains("https://shop.example/assets/media/"), "{text}");
    }
    let manifest =
        |store: &Store| -> Value { serde_json::from_str(&store.page("assets-manifest.json")).expect("JSON") };
    let first = manifest(&store);
    assert_eq!(first["base_url"], "https://cdn.example/shop/");
    let files = first["files"].as_array().expect("files");
    assert!(files.len() >= 2, "{first}");
    for file in files {
        let path = store.output().join(file["path"].as_str().expect("a path"));
        let bytes = std::fs::read(&path).expect("a file");
        assert_eq!(file["blake3"], blake3::hash(&bytes).to_hex().as_str());
        assert_eq!(file["bytes"], bytes.len());
        assert!(file["type"].as_str().is_some_and(|kind| kind.starts_with("image/")), "{file}");
        let link = format!("https://cdn.example/shop/{}", file["path"].as_str().expect("a path"));
        assert!(page.contains(&link), "{link} is on no page");
    }
    // A picture of a page that is kept as it is stays in the list.
    let store = store.file("catalog/c.png", picture(3));
    let more = format!(
        "{}{}",
        catalog(&[&pictures, &pictures[..1]]),
        catalog(&[&["c.png".to_string()]]).replace("\"_id\":1", "\"_id\":9")
    );
    store.write("catalog/products.jsonl", more);
    store.generated(&[]);
    let second = manifest(&store);
    assert!(second["files"].as_array().expect("files").len() > files.len(), "{second}");
}
