//! Finished pages in a real browser: they look whole on a phone, with and without scripts, and complain of nothing.

use crate::mongod::free_port;
use crate::pages;
use crate::store::Store;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Sends the files of a folder on loopback until the test process ends.
pub(crate) fn serve(folder: PathBuf, listener: TcpListener) -> Url {
    let base = Url::parse(&format!("http://{}/", listener.local_addr().expect("an address"))).expect("an address");
    let (folder, address) = (Arc::new(folder), base.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, base) = (Arc::clone(&folder), address.clone());
            std::thread::spawn(move || answer(&folder, &base, stream));
        }
    });
    base
}

fn answer(folder: &Path, base: &Url, mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let mut header = String::new();
    while reader.read_line(&mut header).ok()? > 2 {
        header.clear();
    }
    let target = base.join(request.split_whitespace().nth(1)?).ok()?;
    let (status, path) = match pages::file_of(folder, base, &target) {
        Some(path) => ("200 OK", path),
        None => ("404 Not Found", folder.join("404.html")),
    };
    let mut body = Vec::new();
    std::fs::File::open(&path).ok()?.read_to_end(&mut body).ok()?;
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("xml") => "application/xml",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .ok()?;
    stream.write_all(&body).ok()
}

/// A chromedriver of this test's own.
pub(crate) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let mut process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver: {error}; run `tests/install.sh` first"));
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        assert!(
            lines.by_ref().map_while(Result::ok).any(|line| line.contains("started successfully")),
            "chromedriver did not start"
        );
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port }
    }

    /// A browser window `width` CSS pixels wide.
    pub(crate) async fn window(&self, width: u32, scripts: bool) -> Client {
        let profile = json!({ "profile.managed_default_content_settings.javascript": if scripts { 1 } else { 2 } });
        let capabilities = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "args": [
                    "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                ],
                "mobileEmulation": { "deviceMetrics": { "width": width, "height": 900, "pixelRatio": 1.0, "mobile": width < 600, "touch": width < 600 } },
                "prefs": profile,
            },
        });
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().expect("an object").clone())
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("Chromium starts; `tests/install.sh` installs it")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks for what the browser's console said since the last question.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

pub(crate) async fn console_errors(client: &Client) -> Vec<String> {
    let log = client.issue_cmd(ConsoleLog).await.expect("the console log");
    log.as_array()
        .expect("entries")
        .iter()
        .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
        .map(|entry| entry["message"].as_str().unwrap_or_default().to_string())
        .collect()
}

/// Waits until an expression is true in the page. A machine that draws without a graphics card, with other tests beside it,
/// may take many seconds for a frame: so it is asked several times, each time for less than the driver lets a script run.
pub(crate) async fn until(client: &Client, condition: &str) {
    let script = r#"
        const [condition, done] = [new Function("return (" + arguments[0] + ")"), arguments[arguments.length - 1]];
        const end = performance.now() + 20000;
        const look = () => {
            let holds = false;
            try {
                holds = condition();
            } catch {
                // What it asks about may not be there yet.
            }
            if (holds) done(true);
            else if (performance.now() > end) done(false);
            else setTimeout(look, 20);
        };
        look();
    "#;
    let (mut interrupted, mut asked) = (0, 0);
    let held = loop {
        match client.execute_async(script, vec![json!(condition)]).await {
            Ok(held) if held == json!(true) || asked == 6 => break held,
            Ok(_) => asked += 1,
            // A page that loads anew takes the question with it.
            Err(_) if interrupted < 20 => interrupted += 1,
            Err(error) => panic!("the page cannot be asked: {error}"),
        }
    };
    assert_eq!(held, json!(true), "never true: {condition}\n{:?}", console_errors(client).await);
}

/// The value of an expression in the page.
pub(crate) async fn value_of(client: &Client, expression: &str) -> Value {
    client.execute(&format!("return ({expression})"), Vec::new()).await.expect("the page can be asked")
}

/// What must be true of any page that is shown: it fits the window and its pictures have arrived.
async fn assert_looks_whole(client: &Client, page: &Url) {
    client.goto(page.as_str()).await.expect("the page loads");
    let script = r#"
        const done = arguments[arguments.length - 1];
        const pictures = [...document.images];
        pictures.forEach((picture) => { picture.loading = "eager"; });
        Promise.all(pictures.map((picture) => picture.decode().catch(() => null))).then(() => done({
            overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            pictures: pictures.length + document.querySelectorAll("main svg").length,
            broken: pictures.filter((picture) => picture.naturalWidth === 0).map((picture) => picture.currentSrc || picture.src),
            injected: window.__xss ?? null,
        }));
    "#;
    let found = client.execute_async(script, Vec::new()).await.expect("the page can be asked");
    assert_eq!(found["overflow"], 0, "{page} is wider than the window");
    assert_eq!(found["broken"], json!([]), "{page}");
    assert!(found["pictures"].as_u64() > Some(0), "{page} has no pictures");
    assert_eq!(found["injected"], Value::Null, "{page}");
    let errors = console_errors(client).await;
    assert!(errors.is_empty(), "{page}: {errors:?}");
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub(crate) fn served_boutique() -> (Store, Url) {
    served_boutique_in("modern-minimal")
}

fn served_boutique_in(theme: &str) -> (Store, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}/", listener.local_addr().expect("an address"));
    let store = Store::from_example("boutique")
        .edit(|text| text.replace("https://lantern-street.example/", &base))
        .edit(|text| text.replace("theme: modern-minimal", &format!("theme: {theme}")));
    store.generated(&[]);
    let base = serve(store.output(), listener);
    (store, base)
}

#[test]
fn the_example_looks_whole_on_a_phone_and_on_a_desk() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        for width in [360, 1280] {
            let client = driver.window(width, true).await;
            for path in [
                "",
                "products/",
                "products/penrose/",
                "products/harbour-oval/",
                "face-shapes/heart/",
                "brands/ikuto-works/",
                "categories/sunglasses/",
            ] {
                assert_looks_whole(&client, &base.join(path).expect("an address")).await;
            }
            client.goto(base.as_str()).await.expect("home");
            assert!(client.title().await.expect("a title").contains("Lantern Street Eyewear"));
            client.close().await.expect("the window closes");
        }
    });
}

/// Where the menu is about to break into two lines, and where it has.
#[test]
fn the_header_fits_every_window_in_every_theme() {
    let driver = Driver::start();
    for theme in ["modern-minimal", "classic-optician", "eyewear-focused"] {
        let (_store, base) = served_boutique_in(theme);
        runtime().block_on(async {
            for width in [600, 960, 1024, 1180] {
                let client = driver.window(width, true).await;
                client.goto(base.as_str()).await.expect("home");
                let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
                assert_eq!(value_of(&client, fits).await, true, "{theme} at {width}");
                client.close().await.expect("the window closes");
            }
        });
    }
}

#[test]
fn a_shopper_finds_a_frame_and_its_price_without_scripts() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, false).await;
        client.goto(base.join("products/").expect("an address").as_str()).await.expect("the listing");
        let product =
            client.find(Locator::Css("main a[href*='/products/']:not([href*='/page/'])")).await.expect("a product");
        let address = product.attr("href").await.expect("asked").expect("a link");
        client.goto(base.join(&address).expect("an address").as_str()).await.expect("the product");
        let heading = client.find(Locator::Css("h1")).await.expect("a heading").text().await.expect("text");
        assert!(!heading.is_empty());
        let text = client.find(Locator::Css("main")).await.expect("the page").text().await.expect("text");
        assert!(text.contains('€'), "no visible price in\n{text}");
        for label in ["Oval", "Heart"] {
            assert!(text.to_lowercase().contains(&label.to_lowercase()), "no word about {label} faces in\n{text}");
        }
        client.close().await.expect("the window closes");
    });
}

#[test]
fn names_that_hold_scripts_run_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}/", listener.local_addr().expect("an address"));
    let names = [
        r#"\"><script>window.__xss=1</script>"#,
        r"</script><img src=x onerror=window.__xss=1>",
        r"<svg/onload=window.__xss=1>",
    ];
    let lines: String = names
        .iter()
        .enumerate()
        .map(|(id, name)| format!("{{\"_id\":{id},\"sku\":\"{name}\",\"name\":\"{name}\",\"description\":\"{name}\",\"brand_name\":\"{name}\",\"price\":9,\"color\":\"{name}\",\"in_stock\":true,\"active\":true}}\n"))
        .collect();
    let store =
        Store::new(&crate::store::CONFIG.replace("https://shop.example/", &base)).file("catalog/products.jsonl", lines);
    store.generated(&[]);
    let base = serve(store.output(), listener);
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        for file in pages::html_files(&store.output()) {
            client.goto(base.join(&file).expect("an address").as_str()).await.expect("the page loads");
            let injected = client.execute("return window.__xss ?? null", Vec::new()).await.expect("asked");
            assert_eq!(injected, Value::Null, "{file}");
        }
        tokio::time::timeout(Duration::from_secs(10), client.close())
            .await
            .expect("in time")
            .expect("the window closes");
    });
}
