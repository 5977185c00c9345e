//! 3D models: what a catalogue holds is part of the store, in a viewer of the store's own, or a line in the report.

use crate::browser::{Driver, console_errors, runtime, served_boutique, until, value_of};
use crate::store::{CONFIG, Store};
use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::path::Path;

fn product(name: &str, models: &[&str]) -> String {
    let models: Vec<Value> = models.iter().map(|model| json!({ "url": model })).collect();
    json!({"_id": name, "name": name, "price": 99, "currency": "EUR", "in_stock": true, "active": true, "media": {"ar_models": models}})
        .to_string()
}

/// A triangle, with its corners in a buffer of these fields.
fn triangle(buffer: &Value) -> Value {
    json!({
        "asset": { "version": "2.0" },
        "scene": 0,
        "scenes": [{ "nodes": [0] }],
        "nodes": [{ "mesh": 0 }],
        "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 } }] }],
        "accessors": [{
            "bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0],
        }],
        "bufferViews": [{ "buffer": 0, "byteLength": 36 }],
        "buffers": [buffer],
    })
}

fn corners(width: f32) -> Vec<u8> {
    [0.0, 0.0, 0.0, width, 0.0, 0.0, 0.0, 1.0, 0.0].into_iter().flat_map(f32::to_le_bytes).collect()
}

const PHONE_SCENE: &[u8] = b"PK\x03\x04\x0a\0\0\0\0\0aaaabbbbccccdddd\x06\0\0\0a.usdc";

fn paths_of(store: &Store, ending: &str) -> Vec<String> {
    store.tree().into_keys().filter(|path| path.ends_with(ending)).collect()
}

#[test]
fn models_beside_the_catalogue_become_files_of_the_store() {
    let store = Store::new(CONFIG)
        .file(
            "catalog/products.jsonl",
            [
                product("Turned", &["models/a.gltf", "models/a.usdz"]),
                product("Plain", &[]),
                product("Linked", &["https://cdn.example/b.glb"]),
                product("Odd", &["models/none.glb", "models/odd.glb", "../up.glb"]),
            ]
            .join("\n"),
        )
        .file("catalog/models/a.gltf", triangle(&json!({ "uri": "a.bin", "byteLength": 36 })).to_string())
        .file("catalog/models/a.bin", corners(1.0))
        .file("catalog/models/a.usdz", PHONE_SCENE)
        .file("catalog/models/odd.glb", b"no model at all");
    let record = store.generated(&[]);

    let report = store.report(&record);
    for (part, reason) in [("none.glb", "media_missing"), ("odd.glb", "model_unknown"), ("up.glb", "bad_media_address")]
    {
        assert!(report.lines().any(|line| line.contains(part) && line.contains(reason)), "no {reason} in\n{report}");
    }

    let [glb] = &paths_of(&store, ".glb")[..] else { panic!("one packed model") };
    let [usdz] = &paths_of(&store, ".usdz")[..] else { panic!("one model for phones") };
    assert!(glb.starts_with("assets/models/") && usdz.starts_with("assets/models/"), "{glb} {usdz}");
    assert_eq!(store.page_bytes(usdz), PHONE_SCENE);
    let packed = store.page_bytes(glb);
    assert!(packed.starts_with(b"glTF\x02") && packed.windows(36).any(|part| part == corners(1.0)));

    let [viewer] = &paths_of(&store, "model-viewer.min.js")[..] else { panic!("one viewer") };
    let turned = store.page("products/turned/index.html");
    assert!(
        turned.contains(&format!("data-model=\"/{glb}\"")) && turned.contains(&format!("data-viewer=\"/{viewer}\""))
    );
    assert!(turned.contains(&format!("<a class=\"unscripted\" href=\"/{glb}\">")), "a link without scripts");
    assert!(turned.contains(&format!("<a rel=\"ar\" href=\"/{usdz}\">")));
    assert!(turned.contains("wasm-unsafe-eval") && !turned.contains("unsafe-inline"));
    for path in ["products/plain/index.html", "products/linked/index.html", "products/odd/index.html", "index.html"] {
        let page = store.page(path);
        assert!(!page.contains("wasm-unsafe-eval") && !page.contains("data-model"), "{path} allows more than it needs");
    }
    assert!(store.page("products/linked/index.html").contains("href=\"https://cdn.example/b.glb\""));
    assert!(store.page("_headers").contains("wasm-unsafe-eval"), "a header must not forbid what a page needs");
}

#[test]
fn a_store_without_models_has_no_viewer() {
    let store = Store::new(CONFIG).file("catalog/products.jsonl", product("Linked", &["https://cdn.example/b.glb"]));
    store.generated(&[]);
    assert!(!store.tree().into_keys().any(|path| path.contains("viewer")));
    assert!(!store.page("_headers").contains("wasm-unsafe-eval"));
}

#[test]
fn a_model_that_changes_changes_its_page_and_no_other() {
    let store = Store::new(CONFIG)
        .file("catalog/products.jsonl", [product("Turned", &["a.gltf"]), product("Plain", &[])].join("\n"))
        .file("catalog/a.gltf", triangle(&json!({ "uri": "a.bin", "byteLength": 36 })).to_string())
        .file("catalog/a.bin", corners(1.0));
    store.generated(&[]);
    let before = store.tree();
    assert_eq!(store.generated(&[])["performance_metrics"]["changes"]["pages_made"], 0, "nothing has changed");
    assert_eq!(store.tree(), before);

    store.write("catalog/a.bin", corners(2.0));
    store.generated(&[]);
    let after = store.tree();
    let is_model = |path: &&String| Path::new(path).extension().is_some_and(|ending| ending == "glb");
    assert_eq!(after.keys().filter(is_model).count(), 1, "the model of before is gone");
    let changed: Vec<&String> =
        after.iter().filter(|(path, hash)| before.get(*path) != Some(hash)).map(|(path, _)| path).collect();
    let changed: Vec<&&String> =
        changed.iter().filter(|path| !is_model(path) && !path.starts_with("storegen-")).collect();
    assert_eq!(changed, [&&"products/turned/index.html".to_string()]);

    std::fs::remove_file(store.path("catalog/a.bin")).expect("removed");
    let report = store.report(&store.generated(&[]));
    assert!(report.contains("media_missing") && report.contains("a.bin"), "{report}");
    assert!(!store.page("products/turned/index.html").contains("data-model"));
}

#[test]
fn a_model_is_turned_about_in_the_page() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(640, true).await;
        client.goto(base.join("products/ashby/").expect("an address").as_str()).await.expect("the page loads");
        until(&client, "document.readyState === 'complete' && document.querySelector('[data-tools] [data-list]')").await;
        let asked_for = "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => /viewer|models/.test(name)).length";
        assert_eq!(value_of(&client, asked_for).await, 0, "the viewer comes when it is asked for");

        client.find(Locator::Css("[data-model]")).await.expect("a button").click().await.expect("a click");
        until(&client, "document.querySelector('dialog[open] model-viewer')?.loaded").await;
        until(&client, "document.querySelector('dialog[open] model-viewer').modelIsVisible").await;
        until(&client, "!document.querySelector('.zoom-model').hasAttribute('aria-busy')").await;
        assert_eq!(value_of(&client, "document.querySelector('model-viewer').alt").await, "3D model of Ashby");
        // Turned by the keys, as those do who have no mouse.
        let angle = "document.querySelector('model-viewer').getCameraOrbit().theta";
        let before = value_of(&client, angle).await.as_f64().expect("an angle");
        let press = |key: Key| KeyActions::new("keys".into()).then(KeyAction::Down { value: key.into() }).then(KeyAction::Up { value: key.into() });
        client.perform_actions(press(Key::Tab)).await.expect("a key");
        until(&client, "document.activeElement.matches('model-viewer')").await;
        client.perform_actions(press(Key::Right)).await.expect("a key");
        until(&client, &format!("Math.abs({angle} - {before}) > 0.05")).await;

        let elsewhere = "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => !name.startsWith(location.origin) && !name.startsWith('blob:') && !name.startsWith('data:'))";
        assert_eq!(value_of(&client, elsewhere).await, json!([]));
        // What a machine without a graphics card says of itself is no fault of the page.
        let is_slow = |line: &String| ["GPU stall", "rAF timed out"].iter().any(|known| line.contains(known));
        let errors = console_errors(&client).await;
        let refused: Vec<String> = errors.into_iter().filter(|line| !is_slow(line)).collect();
        assert!(refused.is_empty(), "{refused:?}");

        client.find(Locator::Css("dialog .icon-button")).await.expect("a button").click().await.expect("a click");
        until(&client, "document.querySelector('dialog') === null && document.activeElement.matches('[data-model]')").await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn a_model_that_cannot_be_loaded_is_offered_as_a_file() {
    let (store, base) = served_boutique();
    let [model] = &paths_of(&store, ".glb")[..] else { panic!("one model") };
    std::fs::write(store.output().join(model), b"broken").expect("written");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, true).await;
        client.goto(base.join("products/ashby/").expect("an address").as_str()).await.expect("the page loads");
        until(&client, "document.querySelector('[data-tools] [data-list]')").await;
        client.execute("document.querySelector('[data-model]').click()", Vec::new()).await.expect("a click");
        until(&client, "document.querySelector('dialog [role=alert] a').href.endsWith('.glb')").await;
        client.close().await.expect("the window closes");
    });
}
