//! A store in several languages: each whole under its own folder, and every page pointing at the others.

use crate::pages::{dead_links, html_files, select};
use crate::store::Store;
use scraper::Html;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

const CONFIG: &str = "\
store_name: Test Store
base_url: https://shop.example/
currency: EUR
locale: en
locales: [de, ar]
words: {de: {home_headline: Brillen vom Meer}}
catalog:
  uri: catalog
";

const PRODUCTS: &str = r#"{"_id":"a","sku":"A-1","name":{"en":"Harbour Round","de":"Hafen Rund","ar":"الميناء"},"description":{"en":"A light frame for long days at the sea.","de":"Eine leichte Fassung für lange Tage am Meer."},"price":1299.5,"frame_shape":"round","frame_type":"sunglasses","color":"Black","materials":["acetate"],"category_id":"c","frame_size":{"lens_width":48.5,"bridge_width":20,"temple_length":145}}
{"_id":"b","sku":"B-1","name":"Zephyr","name_de":"Ölbaum","price":99,"frame_shape":"square","frame_type":"prescription","color":"Gold","category_id":"c"}
{"_id":"c","sku":"C-1","name":"Pine","price":89,"frame_shape":"oval","frame_type":"reading","category_id":"c","translations":{"de":{"name":"Ahorn"}}}
"#;

fn store() -> Store {
    let categories = r#"{"_id":"c","name":{"en":"Everyday","de":"Alltag"},"slug":"everyday"}"#;
    Store::new(CONFIG).file("catalog/products.jsonl", PRODUCTS).file("catalog/categories.jsonl", categories)
}

fn links(page: &str, css: &str, key: &str) -> BTreeMap<String, String> {
    let (document, selector) = (Html::parse_document(page), select(css));
    let found = document.select(&selector).map(|link| {
        let of = |name: &str| link.value().attr(name).unwrap_or_default().to_string();
        (of(key), of("href"))
    });
    found.collect()
}

#[test]
fn every_language_is_a_whole_store_that_knows_the_others() {
    let store = store();
    store.generate(&[]).code(0);
    let base = Url::parse("https://shop.example/").expect("a URL");
    assert_eq!(dead_links(&store.output(), &base), Vec::<String>::new());

    let own: Vec<String> = html_files(&store.output())
        .into_iter()
        .filter(|path| !path.starts_with("de/") && !path.starts_with("ar/"))
        .collect();
    assert!(own.len() > 15, "{own:?}");
    for path in &own {
        let page = store.page(path);
        for language in ["de", "ar"] {
            let other = store.page(&format!("{language}/{path}"));
            assert!(other.contains(&format!("<html lang=\"{language}\"")), "{path}");
        }
        if page.contains("rel=\"canonical\"") {
            let address = |folder: &str| {
                format!("https://shop.example/{folder}{}", path.strip_suffix("index.html").unwrap_or(path))
            };
            let expected: BTreeMap<String, String> = [("en", ""), ("de", "de/"), ("ar", "ar/"), ("x-default", "")]
                .map(|(language, folder)| (language.to_string(), address(folder)))
                .into();
            for folder in ["", "de/", "ar/"] {
                let page = store.page(&format!("{folder}{path}"));
                assert_eq!(links(&page, "link[rel=alternate][hreflang]", "hreflang"), expected, "{folder}{path}");
                assert!(
                    page.contains(&format!("<link rel=\"canonical\" href=\"{}\">", address(folder))),
                    "{folder}{path}"
                );
            }
        }
    }
    let switch = links(&store.page("de/products/harbour-round/index.html"), ".languages a", "lang");
    assert_eq!(switch["ar"], "/ar/products/harbour-round/");
    assert_eq!(switch["en"], "/products/harbour-round/");
    let sitemap = store.page("sitemap.xml");
    assert!(sitemap.contains("<loc>https://shop.example/de/products/harbour-round/</loc>"), "{sitemap}");
    let german =
        "<xhtml:link rel=\"alternate\" hreflang=\"de\" href=\"https://shop.example/de/products/harbour-round/\"/>";
    assert_eq!(sitemap.matches(german).count(), 3);
}

#[test]
fn texts_prices_numbers_and_direction_are_those_of_the_language() {
    let store = store();
    store.generate(&[]).code(0);
    let german = store.page("de/products/harbour-round/index.html");
    for part in
        ["Hafen Rund", "Eine leichte Fassung", "1.299,50\u{a0}€", "48,5 mm", "Sonnenbrillen", "Schwarz", "Acetat"]
    {
        assert!(german.contains(part), "{part}: {german}");
    }
    assert!(
        german.contains("dir=\"ltr\"") && german.contains("<title>Hafen Rund – Sonnenbrille (Rund), Schwarz</title>")
    );
    let arabic = store.page("ar/products/harbour-round/index.html");
    for part in ["dir=\"rtl\"", "الميناء", "1,299.50\u{a0}€", "نظارات شمسية", "A light frame for long days"]
    {
        assert!(arabic.contains(part), "{part}: {arabic}");
    }
    // Plural forms: three products, of which Arabic has a form of its own.
    assert!(store.page("ar/products/index.html").contains("3 نظارات"));
    assert!(store.page("de/products/index.html").contains("3 Brillen"));
    assert!(store.page("products/index.html").contains("3 frames"));
    assert!(store.page("de/index.html").contains("Brillen vom Meer"));
    // What the catalogue lacks in a language is shown in the store's own.
    assert!(store.page("ar/products/pine/index.html").contains("Pine"));
    assert!(store.page("de/categories/everyday/index.html").contains("Kollektion Alltag"));
    assert!(store.page("de/feeds/products.xml").contains("<language>de</language>"));
}

#[test]
fn each_language_has_its_own_search_facets_and_order() {
    let store = store();
    store.generate(&[]).code(0);
    let facets = |folder: &str| -> Value {
        serde_json::from_str(&store.page(&format!("{folder}index/facets.json"))).expect("JSON")
    };
    let value_of = |facets: &Value, facet: &str, key: &str| {
        let facets = facets["facets"].as_array().expect("facets").clone();
        let facet = facets.into_iter().find(|known| known["key"] == facet).expect("a facet");
        let values = facet["values"].as_array().expect("values").clone();
        values.into_iter().find(|value| value[0] == key).expect("a value")[1].clone()
    };
    assert_eq!(value_of(&facets(""), "type", "sunglasses"), "Sunglasses");
    assert_eq!(value_of(&facets("de/"), "type", "sunglasses"), "Sonnenbrillen");
    let words = |folder: &str| -> String {
        let files = store.tree().into_keys().filter(|path| path.starts_with(&format!("{folder}search/")));
        files.filter(|path| path.ends_with(".json")).map(|path| store.page(&path)).collect()
    };
    assert!(words("de/").contains("\"hafen\"") && !words("").contains("\"hafen\""));
    assert!(words("").contains("\"harbour\"") && !words("de/").contains("\"harbour\""));
    // By name: Ahorn, Hafen, Ölbaum in German; Harbour, Pine, Zephyr in English.
    let order = |folder: &str| store.page(&format!("{folder}index/order-name.json"));
    assert_ne!(order(""), order("de/"));
}

#[test]
fn what_is_not_translated_falls_back_and_is_told() {
    let store = Store::new(&CONFIG.replace("[de, ar]", "[de, sv]")).file("catalog/products.jsonl", PRODUCTS);
    store.generate(&[]).code(0);
    assert!(store.page("sv/products/index.html").contains("3 frames"));
    let report = store.run(&["check", "store.yaml", "--json"]).code(0).json();
    let languages = report["languages"].as_array().expect("languages");
    assert_eq!(languages.len(), 1, "{languages:?}");
    assert_eq!((&languages[0]["locale"], &languages[0]["unnamed_products"]), (&"sv".into(), &3.into()));
    assert!(languages[0]["untranslated"].as_array().expect("keys").contains(&"all_frames".into()));

    let wrong = Store::new(&CONFIG.replace("home_headline", "home_hedline")).file("catalog/products.jsonl", PRODUCTS);
    let run = wrong.generate(&[]).code(2);
    assert!(run.stderr.contains("did you mean `home_headline`?"), "{}", run.stderr);
}

#[test]
fn texts_of_the_store_file_are_in_every_language_or_told() {
    let config = CONFIG.replace(
        "words:",
        "store_description: {en: Frames by the sea., de: Brillen vom Meer.}\n\
         tax_note: {en: incl. VAT, de: inkl. MwSt., ar: شامل الضريبة}\n\
         lenses: [{name: {en: Single vision, de: Einstärken}, text: Hardened., price: 50}]\n\
         delivery: {text: {en: In a case., de: Im Etui.}, price: 5}\n\
         locations: [{name: Harbour shop, city: {en: Cologne, de: Köln}}]\n\
         words:",
    );
    let store = Store::new(&config)
        .file("catalog/products.jsonl", PRODUCTS)
        .file("content/about.md", "---\ntitle: Who we are\n---\nHello.\n")
        .file("content/about.de.md", "---\ntitle: Wer wir sind\n---\nHallo.\n");
    store.generate(&[]).code(0);
    for (folder, said, unsaid) in [
        ("", ["Frames by the sea.", "incl. VAT", "Single vision", "In a case.", "Cologne"], "Einstärken"),
        ("de/", ["Brillen vom Meer.", "inkl. MwSt.", "Einstärken", "Im Etui.", "Köln"], "Single vision"),
        ("ar/", ["Frames by the sea.", "شامل الضريبة", "Single vision", "In a case.", "Cologne"], "Einstärken"),
    ] {
        let pages = ["index.html", "products/zephyr/index.html", "stores/index.html"];
        let shown = pages.map(|page| store.page(&format!("{folder}{page}"))).concat();
        said.iter().for_each(|text| assert!(shown.contains(text), "no {text} in `{folder}`"));
        assert!(!shown.contains(unsaid), "{unsaid} in `{folder}`");
    }

    for (folder, note) in [("", "incl. VAT"), ("de/", "inkl. MwSt.")] {
        let note = |page: &str| store.page(&format!("{folder}{page}/index.html")).contains(note);
        assert!(note("products") && note("cart"), "{folder}");
    }
    let drawing = store.page("de/products/harbour-round/index.html");
    assert!(drawing.contains("direction=\"ltr\" aria-label=\"Glasbreite 48,5 mm, Steg 20 mm"), "{drawing}");

    // A text that is lent from another language says which that is.
    for (folder, mark) in [("", 0), ("de/", 0), ("ar/", 2)] {
        let page = store.page(&format!("{folder}about/index.html"));
        let main = page.split("<main").nth(1).expect("a main part");
        assert_eq!(main.matches(" lang=\"en\"").count(), mark, "{folder}");
    }

    let report = store.run(&["check", "store.yaml", "--json"]).code(0).json();
    let gaps = |locale: &str, key: &str| {
        let all = report["languages"].as_array().expect("languages");
        let of = all.iter().find(|gaps| gaps["locale"] == locale).expect(locale);
        of[key].as_array().expect(key).iter().map(|gap| gap.as_str().expect("a name").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(gaps("de", "untranslated_settings"), ["lenses.0.text", "locations.0.name"]);
    assert_eq!(gaps("de", "untranslated_content"), Vec::<String>::new());
    assert_eq!(gaps("ar", "untranslated_content"), ["about"]);
    assert!(gaps("ar", "untranslated_settings").contains(&"delivery.text".to_string()));
    let told = store.run(&["check", "store.yaml"]).code(0);
    let expected = "2 settings have no text in it: lenses.0.text, locations.0.name";
    assert!(told.stdout.contains(expected), "{}", told.stdout);
}
