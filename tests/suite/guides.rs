//! The face-shape finder and the offline page in a real browser: with a tape measure, with a photo and by keyboard.

use crate::browser::{Driver, console_errors, runtime, served_boutique};
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// Waits until a script says `true`.
async fn wait_for(client: &Client, condition: &str) {
    let script = format!(
        "const done = arguments[arguments.length - 1];\
         const ask = async () => ((await ({condition})) ? done(true) : requestAnimationFrame(ask));\
         ask();"
    );
    let asked = tokio::time::timeout(Duration::from_secs(20), client.execute_async(&script, Vec::new())).await;
    asked.unwrap_or_else(|_| panic!("never true: {condition}")).unwrap_or_else(|error| panic!("{condition}: {error}"));
}

async fn open(client: &Client, base: &Url, path: &str) {
    client.goto(base.join(path).expect("an address").as_str()).await.expect("the page loads");
}

/// Opens the finder and chooses one of its ways.
async fn open_finder(client: &Client, base: &Url, way: &str) {
    open(client, base, "face-shapes/").await;
    wait_for(client, "document.querySelector('[data-finder]').hasAttribute('data-ready')").await;
    let script = format!("document.querySelector('[name=finder-way][value={way}]').click()");
    client.execute(&script, Vec::new()).await.expect("chosen");
}

async fn text_of(client: &Client, css: &str) -> String {
    client.find(Locator::Css(css)).await.expect(css).text().await.expect("a text")
}

async fn press(client: &Client, css: &str, keys: &str) {
    client.find(Locator::Css(css)).await.expect(css).send_keys(keys).await.expect("pressed");
}

async fn write(client: &Client, css: &str, text: &str) {
    let field = client.find(Locator::Css(css)).await.expect(css);
    field.clear().await.expect("cleared");
    field.send_keys(text).await.expect("written");
}

async fn remembered(client: &Client) -> Value {
    let script = "return JSON.parse(localStorage.getItem('store:/:face'))";
    client.execute(script, Vec::new()).await.expect("asked")
}

async fn assert_no_complaints(client: &Client) {
    let errors = console_errors(client).await;
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn each_face_has_a_drawing_of_its_own_which_the_content_policy_lets_through() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        for (path, css) in [("products/penrose/", ".fits > li"), ("", ".faces .face-icon"), ("face-shapes/", ".guide .face-icon")] {
            open(&client, &base, path).await;
            let script = format!(
                "const drawn = [...document.querySelectorAll('{css}')].map((face) => getComputedStyle(face, '::before'));\
                 const masks = new Set(drawn.map((style) => style.maskImage).filter((mask) => mask.includes('data:image/svg')));\
                 return [masks.size, drawn.filter((style) => parseFloat(style.height) > 20).length]"
            );
            let drawn = client.execute(&script, Vec::new()).await.expect("asked");
            assert_eq!(drawn, json!([7, 7]), "{path}");
            assert_no_complaints(&client).await;
        }
        client.close().await.expect("closed");
    });
}

#[test]
fn the_rule_tells_faces_apart_by_their_ratios() {
    // Forehead, cheekbones, jaw, length and jawline; then the shapes, and how sure the rule is.
    let cases = [
        (json!([118, 136, 108, 150, null]), json!(["round"]), "clear"),
        (json!([130, 136, 128, 152, null]), json!(["square"]), "clear"),
        (json!([124, 135, 116, 225, null]), json!(["oblong"]), "clear"),
        (json!([140, 136, 95, 180, null]), json!(["heart"]), "clear"),
        (json!([110, 130, 135, 170, null]), json!(["triangle"]), "clear"),
        (json!([98, 136, 94, 186, null]), json!(["diamond"]), "clear"),
        (json!([120, 135, 104, 192, null]), json!(["oval"]), "clear"),
        // The same face in metres and in pixels.
        (json!([0.118, 0.136, 0.108, 0.150, null]), json!(["round"]), "clear"),
        (json!([1180, 1360, 1080, 1500, null]), json!(["round"]), "clear"),
        // Between two shapes, the stronger one first; a look at the jaw decides.
        (json!([130, 136, 118, 152, null]), json!(["square", "round"]), "mixed"),
        (json!([130, 136, 118, 152, "angular"]), json!(["square"]), "clear"),
        (json!([130, 136, 118, 152, "soft"]), json!(["round"]), "clear"),
        // Beyond the usual a face is only more of the same.
        (json!([124, 135, 116, 260, null]), json!(["oblong"]), "clear"),
    ];
    let impossible = [
        (json!([14, 136, 108, 150, null]), "forehead"),
        (json!([118, 36, 108, 150, null]), "cheekbones"),
        (json!([118, 136, 108, 0, null]), "length"),
        (json!([118, 136, "NaN", 150, null]), "jaw"),
    ];
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "face-shapes/").await;
        let script = "
            const [faces, done] = arguments;
            const entry = document.querySelector('script[type=module][src$=\"/store.js\"]').src;
            import(entry.replace('store.js', 'face_shape.js')).then(({ faceShape }) => done(faces.map(
                ([forehead, cheekbones, jaw, length, jawline]) => faceShape({ forehead, cheekbones, jaw, length, jawline }))));
        ";
        let faces: Vec<&Value> = cases.iter().map(|case| &case.0).chain(impossible.iter().map(|case| &case.0)).collect();
        let found = client.execute_async(script, vec![json!(faces)]).await.expect("the rule answers");
        for (at, (face, shapes, certainty)) in cases.iter().enumerate() {
            assert_eq!(found[at], json!({ "shapes": shapes, "certainty": certainty }), "{face}");
        }
        for (at, (face, doubtful)) in impossible.iter().enumerate() {
            assert_eq!(found[cases.len() + at], json!({ "doubtful": doubtful }), "{face}");
        }
        client.close().await.expect("the window closes");
    });
}

#[test]
fn measurements_give_a_shape_that_the_shop_remembers() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, true).await;
        open_finder(&client, &base, "measure").await;
        write(&client, "#finder-forehead", "11,8 cm").await;
        write(&client, "#finder-cheekbones", "abc").await;
        write(&client, "#finder-jaw", "1").await;
        press(&client, "#finder-jaw", &String::from(char::from(Key::Enter))).await;
        for (field, said) in [("forehead", ""), ("cheekbones", "“abc”"), ("jaw", "unit"), ("length", "number")] {
            let error = text_of(&client, &format!("#finder-{field}-error")).await;
            assert!(error.contains(said) && said.is_empty() == error.is_empty(), "{field}: {error}");
        }
        let focused = client.active_element().await.expect("a field").attr("id").await.expect("an id");
        assert_eq!(focused.as_deref(), Some("finder-cheekbones"));
        assert_eq!(remembered(&client).await, Value::Null);

        write(&client, "#finder-cheekbones", "5 3/8\"").await;
        write(&client, "#finder-jaw", "108").await;
        write(&client, "#finder-length", "150 mm").await;
        press(&client, "#finder-length", &String::from(char::from(Key::Enter))).await;
        wait_for(&client, "document.querySelector('[data-shapes] a.more')").await;
        assert_eq!(remembered(&client).await, json!(["round"]));
        assert!(text_of(&client, "[data-verdict]").await.contains("round"));
        let link = client.find(Locator::Css("[data-shapes] a.more")).await.expect("a link").attr("href").await;
        assert_eq!(link.expect("asked").as_deref(), Some("/face-shapes/round/"));
        assert_no_complaints(&client).await;

        open(&client, &base, "products/").await;
        wait_for(&client, "document.querySelector('.card-suits')").await;
        open(&client, &base, "products/penrose/").await;
        wait_for(&client, "document.querySelector('[data-face=round] .own-face')").await;

        open_finder(&client, &base, "choose").await;
        let checked = "return [...document.querySelectorAll('[name=shape]:checked')].map((box) => box.value)";
        assert_eq!(client.execute(checked, Vec::new()).await.expect("asked"), json!(["round"]));
        press(&client, "[data-forget]", &String::from(char::from(Key::Enter))).await;
        assert_eq!(remembered(&client).await, json!([]));
        open(&client, &base, "products/").await;
        wait_for(&client, "document.querySelector('[data-dressed]') && !document.querySelector('.card-suits')").await;
        assert_no_complaints(&client).await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn points_on_a_photo_are_set_by_keyboard() {
    let (store, base) = served_boutique();
    let photo = store.path("me.png");
    image::RgbImage::from_pixel(600, 800, image::Rgb([200, 160, 140])).save(&photo).expect("a photo");
    store.write("text.jpg", "no picture");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open_finder(&client, &base, "photo").await;
        let choose = async |name: &str| {
            let path = store.path(name);
            press(&client, "#finder-file", path.to_str().expect("a path")).await;
        };
        choose("text.jpg").await;
        wait_for(&client, "document.querySelector('#finder-photo-error').textContent").await;
        choose("me.png").await;
        wait_for(&client, "!document.querySelector('[data-photo]').hidden").await;
        assert_eq!(text_of(&client, "#finder-photo-error").await, "");
        let enter = String::from(char::from(Key::Enter));
        press(&client, "form[data-way=photo] [type=submit]", &enter).await;
        assert_ne!(text_of(&client, "#finder-photo-error").await, "", "points that nobody has set say nothing");

        let place = async |point: &str| {
            let handle = client.find(Locator::Css(&format!("[data-point={point}]"))).await.expect(point);
            assert_eq!(handle.attr("role").await.expect("asked").as_deref(), Some("slider"));
            handle.attr("aria-valuetext").await.expect("asked").expect("a place")
        };
        let before = place("chin").await;
        press(&client, "[data-point=chin]", &String::from(char::from(Key::Down)).repeat(8)).await;
        press(&client, "[data-point=hairline]", &String::from(char::from(Key::Up)).repeat(8)).await;
        assert_ne!(place("chin").await, before);
        let drawn = client.find(Locator::Css("[data-stage] .finder-line")).await.expect("a line").attr("d").await;
        assert_eq!(drawn.expect("asked").unwrap_or_default().matches('L').count(), 4);
        press(&client, "form[data-way=photo] [type=submit]", &enter).await;
        wait_for(&client, "document.querySelector('[data-shapes] li')").await;
        assert!(remembered(&client).await.as_array().is_some_and(|shapes| (1..=2).contains(&shapes.len())));

        press(&client, "[data-remove-photo]", &enter).await;
        let kept = "return document.querySelector('[data-stage] canvas').width";
        assert_eq!(client.execute(kept, Vec::new()).await.expect("asked"), json!(0));
        assert_no_complaints(&client).await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn the_worker_comes_and_goes_with_the_offline_page() {
    let (store, base) = served_boutique();
    let store = store.edit(|text| format!("{text}\noffline_page: true\n"));
    store.generated(&[]);
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "").await;
        wait_for(&client, "navigator.serviceWorker.controller").await;
        let kept = "caches.match('/offline/').then((page) => page?.text()).then((text) => text?.includes('<h1'))";
        wait_for(&client, kept).await;
        let prices = "caches.match('/products/').then((page) => page === undefined)";
        wait_for(&client, prices).await;

        let store = store.edit(|text| text.replace("offline_page: true", ""));
        store.generated(&[]);
        open(&client, &base, "about/").await;
        let gone = "navigator.serviceWorker.getRegistrations().then((all) => all.length === 0)";
        wait_for(&client, gone).await;
        wait_for(&client, "caches.keys().then((names) => names.length === 0)").await;
        assert_no_complaints(&client).await;
        client.close().await.expect("the window closes");
    });
}
