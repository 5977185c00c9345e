//! Pages in the store's own words: Markdown beside the store file, questions, a blog, shops with opening hours.

use crate::pages::{dead_links, select};
use crate::store::Store;
use scraper::Html;
use serde_json::Value;
use url::Url;

const CONFIG: &str = r#"store_name: Test Store
base_url: https://shop.example/shop/
locale: en
locales: [de]
currency: EUR
locations:
  - name: Altona
    street: Elbchaussee 1
    postal_code: "22765"
    city: Hamburg
    country: DE
    phone: +49 40 123456
    hours: {mon-fri: "9:00-12:30, 14:00-18:00", sat: "10:00-14:00", sun: closed}
catalog:
  uri: catalog
"#;

const PRODUCT: &str = r#"{"_id":"a","sku":"A-1","name":"Harbour","price":129,"frame_shape":"round"}"#;

fn store() -> Store {
    Store::new(CONFIG)
        .file("catalog/products.jsonl", PRODUCT)
        .file("content/about.md", "---\ntitle: Who we are\nmenu: header\n---\nSee [sizes](sizes.md#how), [all](/products/) and ![us](us.png).\n")
        .file("content/about.de.md", "---\ntitle: Wer wir sind\nmenu: header\n---\nSiehe [Größen](sizes.md).\n")
        .file("content/sizes.md", "---\ntitle: Size guide\norder: 2\n---\n## How\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
        .file("content/faq.md", "---\ntitle: Questions\nkind: faq\norder: 1\n---\n## Can I return them?\n\nYes, [within 30 days](sizes.md).\n")
        .file("content/blog/spring.md", "---\ntitle: Spring frames\ndescription: What is new.\ndate: 2026-03-01\n---\nNew.\n")
        .file("content/us.png", [0x89, b'P', b'N', b'G'])
}

fn nodes(page: &str) -> Vec<Value> {
    let (document, selector) = (Html::parse_document(page), select("script[type='application/ld+json']"));
    let scripts = document.select(&selector).map(|script| script.text().collect::<String>());
    let graphs = scripts.map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
    graphs.flat_map(|graph| graph["@graph"].as_array().cloned().unwrap_or_default()).collect()
}

fn node(page: &str, kind: &str) -> Value {
    nodes(page).into_iter().find(|node| node["@type"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn markdown_becomes_pages_in_every_language() {
    let store = store();
    let record = store.generated(&[]);
    // A run that finds nothing, such as a link that leads nowhere, keeps no report.
    let report = format!(".storegen/reports/{}.jsonl", record["job_id"].as_str().expect("a job id"));
    assert!(!store.path(report).exists());
    let base = Url::parse("https://shop.example/shop/").expect("a URL");
    assert_eq!(dead_links(&store.output(), &base), Vec::<String>::new());
    let about = store.page("about/index.html");
    assert!(about.contains("<h1><bdi>Who we are</bdi></h1>") && about.contains("href=\"/shop/sizes/#how\""), "{about}");
    assert!(about.contains("src=\"/shop/assets/content/us."), "{about}");
    let german = store.page("de/about/index.html");
    assert!(german.contains("Wer wir sind") && german.contains("href=\"/shop/de/sizes/\""), "{german}");
    // What has no translation is shown in the store's own language, in the frame of the other.
    assert!(store.page("de/sizes/index.html").contains("Size guide"));
    let home = store.page("index.html");
    for (place, title) in
        [("header", "Who we are"), ("footer", "Size guide"), ("footer", "Questions"), ("footer", "Blog")]
    {
        let (document, selector) = (Html::parse_document(&home), select(&format!(".site-{place} a")));
        assert!(
            document.select(&selector).any(|link| link.text().collect::<String>() == title),
            "{title} in the {place}"
        );
    }
}

#[test]
fn questions_posts_and_shops_are_told_to_machines() {
    let store = store();
    store.generate(&[]).code(0);
    let faq = node(&store.page("faq/index.html"), "FAQPage");
    assert_eq!(faq["mainEntity"][0]["name"], "Can I return them?");
    let answer = faq["mainEntity"][0]["acceptedAnswer"]["text"].as_str().expect("a text");
    assert!(answer.contains("href=\"https://shop.example/shop/sizes/\""), "{answer}");
    let post = node(&store.page("blog/spring/index.html"), "BlogPosting");
    assert_eq!(post["datePublished"], "2026-03-01");
    assert!(store.page("blog/index.html").contains("1 March 2026"));
    assert!(store.page("de/blog/index.html").contains("1. März 2026"));
    assert!(store.page("feeds/new.atom").contains("<title>Spring frames</title>"));
    let page = store.page("stores/index.html");
    let optician = node(&page, "Optician");
    assert_eq!(optician["address"]["addressLocality"], "Hamburg");
    assert_eq!(optician["openingHoursSpecification"].as_array().map(Vec::len), Some(11));
    assert!(page.contains("09:00–12:30, 14:00–18:00") && page.contains("Closed"), "{page}");
    assert!(store.page("sitemap.xml").contains("<loc>https://shop.example/shop/blog/spring/</loc>"));
}

#[test]
fn hostile_markdown_is_harmless_and_mistakes_are_told() {
    let hostile = "---\ntitle: \"<script>window.x=1</script>\"\n---\n<script>alert(1)</script>\n\n[a](javascript:alert(1)) \
                   <img src=x onerror=alert(1)> [gone](gone.md) [out](../../etc/passwd)\n";
    let store = Store::new(CONFIG).file("catalog/products.jsonl", PRODUCT).file("content/help.md", hostile);
    let record = store.generated(&[]);
    let page = store.page("help/index.html");
    for part in ["<script>alert", "<script>window", "javascript:alert", "<img src=x"] {
        assert!(!page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    let report = store.report(&record);
    assert_eq!(report.matches("broken_link").count(), 3, "{report}");
    assert!(report.contains("help.md") && report.contains("gone.md"), "{report}");

    let before = store.tree();
    store.write("content/help.md", "---\ntitle: Help\nmenue: footer\n---\n");
    store.generate(&[]).code(2).says("content/help.md:3`: ");
    store.write("content/help.md", "---\ntitle: Help\n---\n![x](../catalog/products.jsonl)\n");
    store.generate(&[]).code(2).says("there is no picture");
    assert_eq!(store.tree(), before);
}
