//! Pictures: whatever a catalogue holds becomes files that browsers show, or a line in the report.

use crate::mongod;
use crate::pages;
use crate::store::{CONFIG, Store};
use image::{GenericImageView, RgbImage};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;

const RED: [u8; 3] = [200, 40, 40];
const GREEN: [u8; 3] = [40, 160, 60];
const BLUE: [u8; 3] = [40, 60, 200];
const YELLOW: [u8; 3] = [230, 200, 60];
const WHITE: [u8; 3] = [255; 3];
/// Largest difference in a channel: compression, and the mixing of inks, are not exact.
const TOLERANCE: u8 = 14;

/// A store with one product for each file of a folder of its catalogue; names are file names.
fn store_of(catalog: &BTreeMap<String, Vec<u8>>, config: &str) -> Store {
    let mut store = Store::new(&format!("{CONFIG}{config}"));
    let products: Vec<String> = catalog.keys().map(|name| product(name, &[name])).collect();
    store = store.file("catalog/products.jsonl", products.join("\n"));
    catalog.iter().for_each(|(name, bytes)| store.write(format!("catalog/{name}"), bytes));
    store
}

fn product(name: &str, pictures: &[&str]) -> String {
    let media: Vec<Value> = pictures.iter().map(|picture| json!({"url": picture})).collect();
    json!({"_id": name, "name": name, "price": 99, "currency": "EUR", "in_stock": true, "active": true, "media": {"images": media}})
        .to_string()
}

/// The odd files of one kind.
fn odd(kind: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let script = crate::store::repository().join("tests/odd_pictures.py");
    let python = mongod::tool("venv/bin/python");
    let made = Command::new(python).arg(script).arg(folder.path()).output().expect("Python runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let files = std::fs::read_dir(folder.path().join(kind)).expect("a folder of that kind");
    files
        .map(|file| file.expect("a file").path())
        .map(|path| (name_of(&path), std::fs::read(&path).expect("its bytes")))
        .collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().and_then(|name| name.to_str()).expect("a name").to_string()
}

/// Pages of products by name.
fn pages_of(store: &Store) -> BTreeMap<String, String> {
    let pages = store.product_slugs().into_iter().map(|slug| store.page(&format!("products/{slug}/index.html")));
    pages.map(|page| (pages::product_data(&page)["name"].as_str().expect("a name").to_string(), page)).collect()
}

/// The largest JPEG of a product's first picture.
fn shown(store: &Store, page: &str) -> RgbImage {
    let path = page.split("<figure").nth(1).and_then(|rest| rest.split("href=\"/").nth(1)).expect("a picture");
    let path = path.split('"').next().expect("an address");
    assert!(path.starts_with("assets/media/") && path.ends_with(".jpg"), "{path}");
    image::open(store.output().join(path)).expect("a picture").to_rgb8()
}

#[track_caller]
fn assert_quarters(name: &str, picture: &RgbImage, colors: [[u8; 3]; 4]) {
    assert_eq!(picture.dimensions(), (480, 360), "{name}");
    for (at, expected) in colors.into_iter().enumerate() {
        let (x, y) = (120 + 240 * (at as u32 % 2), 90 + 180 * (at as u32 / 2));
        // A few pixels around the middle, so that no single one decides.
        for (x, y) in [(x, y), (x - 60, y - 40), (x + 60, y + 40)] {
            let found = picture.get_pixel(x, y).0;
            let far = found.iter().zip(expected).any(|(a, b)| a.abs_diff(b) > TOLERANCE);
            assert!(!far, "{name}: {found:?} where {expected:?} should be, at {x},{y}");
        }
    }
}

fn findings(store: &Store, record: &Value) -> BTreeMap<String, String> {
    // A run that finds nothing writes no report.
    let name = format!(".storegen/reports/{}.jsonl", record["job_id"].as_str().expect("a job id"));
    let report = std::fs::read_to_string(store.path(name)).unwrap_or_default();
    let lines = report.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let media = lines.filter(|line| line["reason"].as_str().is_some_and(|reason| reason.starts_with("media_")));
    media
        .map(|line| {
            (line["document"].as_str().expect("an id").into(), line["reason"].as_str().expect("a reason").into())
        })
        .collect()
}

#[test]
fn every_whole_file_gives_the_right_picture() {
    let files = odd("whole");
    let store = store_of(&files, "");
    let record = store.generated(&[]);
    assert_eq!(findings(&store, &record), BTreeMap::new());
    let pages = pages_of(&store);
    assert_eq!(pages.len(), files.len());
    for (name, page) in &pages {
        assert_quarters(name, &shown(&store, page), [RED, GREEN, BLUE, YELLOW]);
    }
    for path in store.tree().into_keys().filter(|path| path.starts_with("assets/media/")) {
        let bytes = std::fs::read(store.output().join(&path)).expect("its bytes");
        for metadata in [&b"Exif\0"[..], b"EXIF", b"ICC_PROFILE", b"ICCP", b"GPS", b"http://ns.adobe.com"] {
            assert!(!bytes.windows(metadata.len()).any(|part| part == metadata), "{path} holds metadata");
        }
    }
}

#[test]
fn what_is_transparent_shows_the_ground() {
    for (config, ground) in [("", WHITE), ("images: {background: \"#204060\"}\n", [0x20, 0x40, 0x60])] {
        let store = store_of(&odd("transparent"), config);
        let record = store.generated(&[]);
        assert_eq!(findings(&store, &record), BTreeMap::new());
        for (name, page) in &pages_of(&store) {
            assert_quarters(name, &shown(&store, page), [RED, GREEN, BLUE, ground]);
        }
    }
}

#[test]
fn every_broken_file_and_every_bomb_is_told_and_costs_its_picture_only() {
    let mut files = odd("broken");
    files.extend(odd("bombs"));
    let store = store_of(&files, "");
    let record = store.generated(&[]);
    let told = findings(&store, &record);
    let untold: Vec<&String> = files.keys().filter(|name| !told.contains_key(*name)).collect();
    assert!(untold.is_empty(), "nobody is told of {untold:?}");
    for (name, reason) in &told {
        let expected: &[&str] = match name.as_str() {
            "cut-progressive.jpg" | "cut.jpg" | "cut.png" => &["media_truncated"],
            "twelve-bits.jpg" | "arithmetic.jpg" | "lossless.jpg" | "phone.heic" | "layers.psd" => {
                &["media_format_unsupported"]
            }
            "bomb-square.png" | "bomb-deep.png" | "bomb.jpg" | "bomb.gif" => &["media_too_large"],
            _ => &["media_not_an_image", "media_truncated", "media_too_large"],
        };
        assert!(expected.contains(&reason.as_str()), "{name}: {reason}");
    }
    let pages = pages_of(&store);
    assert_eq!(pages.len(), files.len());
    for (name, page) in &pages {
        assert!(page.contains("gallery-picture has-drawing"), "{name} has no drawing in the place of its picture");
    }
}

#[test]
fn the_next_picture_takes_the_place_of_a_broken_one() {
    let mut files = odd("broken");
    files.retain(|name, _| name == "cut.jpg");
    files.insert("whole.png".into(), odd("whole")["plain.png"].clone());
    let store = store_of(&files, "");
    store.write("catalog/products.jsonl", product("Both", &["cut.jpg", "whole.png"]));
    let record = store.generated(&[]);
    assert_eq!(findings(&store, &record), BTreeMap::from([("Both".to_string(), "media_truncated".to_string())]));
    let page = store.page("products/both/index.html");
    assert_eq!(page.matches("<figure").count(), 1);
    assert_quarters("both", &shown(&store, &page), [RED, GREEN, BLUE, YELLOW]);
    assert!(!store.page("products/index.html").contains("has-drawing"), "the card has the next picture, too");
}

#[test]
fn pictures_come_in_the_sizes_and_formats_asked_for_and_never_larger_than_they_are() {
    let config = "images: {widths: [100, 400, 900], formats: [webp, jpeg, avif], fit: cover}\n";
    let store = store_of(&BTreeMap::from([("a.png".to_string(), odd("whole")["plain.png"].clone())]), config);
    store.generated(&[]);
    let tree = store.tree();
    let mut made: Vec<(u32, String)> = Vec::new();
    for path in tree.keys().filter(|path| path.starts_with("assets/media/")) {
        let (name, format) = path.rsplit_once('.').expect("an extension");
        let width: u32 = name.rsplit('-').next().and_then(|width| width.parse().ok()).expect("a width");
        if format != "avif" {
            let picture = image::open(store.output().join(path)).expect("a picture");
            assert_eq!(picture.dimensions(), (width, width * 3 / 4), "{path}");
        }
        made.push((width, format.to_string()));
    }
    made.sort();
    let expected =
        [100, 400, 480].into_iter().flat_map(|width| ["avif", "jpg", "webp"].map(|f| (width, f.to_string())));
    assert_eq!(made, expected.collect::<Vec<_>>());
    let page = store.page("products/a-png/index.html");
    let avif = page.find("type=\"image/avif\"").expect("AVIF");
    assert!(avif < page.find("type=\"image/webp\"").expect("WebP"), "the smallest comes first");
    assert!(page.contains("data:image/webp;base64,") && page.contains("fetchpriority=\"high\""));
    let card = store.page("products/index.html");
    assert!(card.contains("<picture>") && card.contains(" 400w, ") && card.contains("sizes="));
    for address in
        page.split("srcset=\"").chain(card.split("srcset=\"")).skip(1).filter_map(|rest| rest.split('"').next())
    {
        for one in address.split(", ").filter(|one| one.starts_with("/assets/media/")) {
            let path = one.split(' ').next().expect("an address").trim_start_matches('/');
            assert!(tree.contains_key(path), "{one} is nowhere");
        }
    }
}

/// How often a run found pictures in the cache, and how often not.
fn uses(store: &Store) -> (u64, u64) {
    let run = store.generate(&["--progress", "json"]).code(0);
    let events = run.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let used = events.filter(|event| event["event"] == "cache_used" && event["shelf"] == "images");
    used.map(|event| (event["hits"].as_u64().expect("hits"), event["misses"].as_u64().expect("misses")))
        .next()
        .unwrap_or_default()
}

#[test]
fn no_picture_is_made_twice() {
    let mut files = odd("whole");
    files.retain(|name, _| name.starts_with("turned-") || name == "adobe-rgb.jpg");
    let other = files.remove("adobe-rgb.jpg").expect("a picture");
    // One of the eight is the same as another one in its bytes, under another name.
    files.insert("again.jpg".into(), files["turned-1.jpg"].clone());
    let store = store_of(&files, "");
    assert_eq!(uses(&store), (0, 8));
    let first = store.tree();
    assert_eq!(uses(&store).1, 0, "nothing has changed");
    crate::store::assert_same_tree(&first, &store.tree(), "a second build");
    store.write("catalog/turned-3.jpg", other);
    assert_eq!(uses(&store), (7, 1), "one photo has changed");
    assert_ne!(store.page("products/turned-3-jpg/index.html"), "");
    let page = store.page("products/turned-3-jpg/index.html");
    assert_quarters("the new photo", &shown(&store, &page), [RED, GREEN, BLUE, YELLOW]);
    // A file that somebody removed from the store comes back, without being made again.
    let lost = store.tree().into_keys().find(|path| path.starts_with("assets/media/")).expect("a picture");
    std::fs::remove_file(store.output().join(&lost)).expect("removed");
    assert_eq!(uses(&store), (8, 0));
    assert!(store.output().join(&lost).is_file());
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_loses_no_picture_that_was_done() {
    let whole = odd("whole")["plain.png"].clone();
    let mut files = BTreeMap::new();
    for number in 0..24_u32 {
        let mut picture = image::load_from_memory(&whole).expect("a picture").to_rgb8();
        picture.put_pixel(number, 0, image::Rgb([0; 3]));
        let picture = image::imageops::resize(&picture, 1000, 750, image::imageops::FilterType::Nearest);
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).expect("encoded");
        files.insert(format!("{number}.png"), bytes.into_inner());
    }
    let store = store_of(&files, "images: {effort: best}\n");
    let cache = store.path(".storegen/cache/images");
    let done = || {
        walkdir::WalkDir::new(&cache).into_iter().filter_map(Result::ok).filter(|entry| {
            // Files that are being written have a name of their own.
            entry.file_type().is_file() && entry.file_name().len() == 62
        })
    };
    let mut run =
        store.command(&["generate", "store.yaml", "--threads", "1", "--progress", "json"]).spawn().expect("it starts");
    let mut told = BufReader::new(run.stderr.take().expect("a pipe")).lines();
    while done().count() < 4 {
        assert!(told.next().is_some(), "the run ended before it could be killed");
    }
    run.kill().expect("killed");
    run.wait().expect("dead");
    let before = done().count() as u64;
    let (hits, misses) = uses(&store);
    assert!(hits >= before && hits + misses == 24, "{hits} found and {misses} made, where {before} had been done");
}

const DRAWING: &str = r##"<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 48 36" onload="alert(1)">
  <script>alert(2)</script>
  <style>.red{fill:#c82828}</style>
  <defs><rect id="quarter" width="24" height="18"/></defs>
  <a href="javascript:alert(3)"><rect width="9" height="9" fill="#000"/></a>
  <use xlink:href="#quarter" class="red"/>
  <use href="#quarter" x="24" fill="#28a03c" onclick="alert(4)"/>
  <use href="#quarter" y="18" fill="#283cc8"/>
  <image href="https://elsewhere.example/spy.png" width="48" height="36"/>
  <foreignObject width="48" height="36"><body xmlns="http://www.w3.org/1999/xhtml">alert(5)</body></foreignObject>
</svg>"##;

#[test]
fn a_drawing_of_the_catalogue_is_kept_without_what_could_do_harm_and_rasterised() {
    let bomb = r#"<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>"#;
    let circle = r##"<svg xmlns="http://www.w3.org/2000/svg"><g id="a"><use href="#a"/></g></svg>"##;
    let files = [("front.svg", DRAWING), ("bomb.svg", bomb), ("circle.png", circle)];
    let files = files.map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()));
    let store = store_of(&BTreeMap::from(files), "images: {background: \"#e6c83c\"}\n");
    let told = findings(&store, &store.generated(&[]));
    let expected = ["bomb.svg", "circle.png"].map(|name| (name.to_string(), "media_svg".to_string()));
    assert_eq!(told, BTreeMap::from(expected));
    let page = store.page("products/front-svg/index.html");
    let path = page.split("<img src=\"/").nth(1).and_then(|rest| rest.split('"').next()).expect("a picture");
    assert!(path.ends_with(".svg") && page.contains("width=\"48\" height=\"36\""), "{path}");
    let kept = store.page(path);
    for harm in ["alert", "script", "onload", "elsewhere", "foreignObject", "<a ", "DOCTYPE"] {
        assert!(!kept.contains(harm), "{harm} in {kept}");
    }
    // Whoever cannot draw it, such as feeds, gets pixels; so does the social card.
    let picture = shown(&store, &page);
    assert_eq!(picture.dimensions(), (1440, 1080));
    let small = image::imageops::resize(&picture, 480, 360, image::imageops::FilterType::Triangle);
    assert_quarters("front.svg", &small, [RED, GREEN, BLUE, YELLOW]);
    assert_eq!(uses(&store).1, 0, "nothing is made twice");
}

/// The picture for link previews that a page names, with its announced size.
fn preview(store: &Store, page: &str) -> (String, image::DynamicImage) {
    let meta = |name: &str| {
        let rest = page.split(&format!("<meta property=\"{name}\" content=\"")).nth(1).expect(name);
        rest.split('"').next().expect("a value").to_string()
    };
    let path = meta("og:image").strip_prefix("https://shop.example/").expect("a file of the store").to_string();
    let picture = image::open(store.output().join(&path)).expect("a picture");
    let announced = (meta("og:image:width"), meta("og:image:height"));
    assert_eq!(announced, (picture.width().to_string(), picture.height().to_string()), "{path}");
    assert!(!meta("og:image:alt").is_empty());
    (path, picture)
}

#[test]
fn a_product_with_a_photo_has_a_social_card_of_its_own() {
    let mut files = odd("whole");
    files.retain(|name, _| name == "plain.png");
    let store = store_of(&files, "");
    let both = [product("Ashby", &["plain.png"]), product("Drawn", &[]), product("眼鏡", &["plain.png"])];
    store.write("catalog/products.jsonl", both.join("\n"));
    let cards = |store: &Store| store.tree().into_keys().filter(|path| path.starts_with("assets/cards/")).count();
    store.generated(&[]);
    assert_eq!(cards(&store), 2);
    let (path, card) = preview(&store, &store.page("products/ashby/index.html"));
    assert_eq!((card.width(), card.height()), (1200, 630));
    let card = card.to_rgb8();
    // The picture, 4:3, is as large as fits into 680 by 550 pixels beside the words.
    for (x, y, color) in [(210, 190, RED), (550, 190, GREEN), (210, 440, BLUE), (550, 440, YELLOW)] {
        let found = card.get_pixel(x, y).0;
        assert!(found.iter().zip(color).all(|(a, b)| a.abs_diff(b) <= TOLERANCE), "{found:?} at {x},{y}");
    }
    let ink = |card: &RgbImage, rows: std::ops::Range<u32>| {
        rows.flat_map(|y| (764..1160).map(move |x| (x, y))).filter(|&(x, y)| card.get_pixel(x, y).0[0] < 90).count()
    };
    assert!(ink(&card, 200..450) > 1000, "name and price");

    // Nothing else changes when it is built again; another price is another card, and the old one is gone.
    let first = store.tree();
    store.generated(&[]);
    crate::store::assert_same_tree(&first, &store.tree(), "a second build");
    store.write("catalog/products.jsonl", both.join("\n").replacen("99", "89", 1));
    store.generated(&[]);
    let (dearer, _) = preview(&store, &store.page("products/ashby/index.html"));
    assert!(dearer != path && !store.output().join(&path).exists() && cards(&store) == 2);
    let (other, _) = preview(&store, &store.page("products/drawn/index.html"));
    assert_eq!(other, "social-card.jpg", "a product without a photo has the store's");

    for (setting, expected) in [("all", 3), ("none", 0)] {
        let store = store_of(&files, &format!("images: {{social_cards: {setting}, formats: avif}}\n"));
        store.write("catalog/products.jsonl", both.join("\n"));
        store.generated(&[]);
        assert_eq!(cards(&store), expected, "{setting}");
    }
}
