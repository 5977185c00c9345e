//! Reading finished pages as a browser would: links that resolve, structured data that parses, nothing injected.

use scraper::{Html, Selector};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use url::Url;

/// Every HTML file below a folder, by its path inside.
pub(crate) fn html_files(output: &Path) -> Vec<String> {
    let mut files: Vec<String> =
        crate::store::tree_of(output).into_keys().filter(|name| name.ends_with(".html")).collect();
    files.sort();
    files
}

/// The address of a file of the output folder.
pub(crate) fn address(base: &Url, file: &str) -> Url {
    base.join(file.strip_suffix("index.html").unwrap_or(file)).expect("an address")
}

pub(crate) fn select(css: &str) -> Selector {
    Selector::parse(css).expect("a selector")
}

/// Follows every link of every page; returns what does not lead anywhere, as `page: link`.
pub(crate) fn dead_links(output: &Path, base: &Url) -> Vec<String> {
    let attributes = [
        ("a[href], link[href], area[href]", "href"),
        ("[src]", "src"),
        ("[srcset]", "srcset"),
        ("[poster]", "poster"),
        ("use[href]", "href"),
    ];
    let mut dead = Vec::new();
    let mut seen: HashMap<Url, bool> = HashMap::new();
    for file in html_files(output) {
        let here = address(base, &file);
        let document = Html::parse_document(&std::fs::read_to_string(output.join(&file)).expect("a page"));
        let ids: BTreeSet<&str> = document.select(&select("[id]")).filter_map(|element| element.value().id()).collect();
        for (css, attribute) in attributes {
            for element in document.select(&select(css)) {
                let value = element.value().attr(attribute).unwrap_or_default();
                let links: Vec<&str> = if attribute == "srcset" {
                    value.split(',').filter_map(|candidate| candidate.split_whitespace().next()).collect()
                } else {
                    vec![value]
                };
                for link in links {
                    let target = match here.join(link) {
                        Ok(target) => target,
                        Err(error) => {
                            dead.push(format!("{file}: {link}: {error}"));
                            continue;
                        }
                    };
                    if target.scheme() == "mailto" || !target.as_str().starts_with(base.as_str()) {
                        continue;
                    }
                    let mut page = target.clone();
                    page.set_fragment(None);
                    let same_page = page == here;
                    if let Some(fragment) = target.fragment().filter(|fragment| same_page && !fragment.is_empty())
                        && !ids.contains(fragment)
                    {
                        dead.push(format!("{file}: {link}: no such id"));
                    }
                    if !*seen.entry(page.clone()).or_insert_with(|| file_of(output, base, &page).is_some()) {
                        dead.push(format!("{file}: {link}"));
                    }
                }
            }
        }
    }
    dead
}

/// The file that a static host would send for an address.
pub(crate) fn file_of(output: &Path, base: &Url, page: &Url) -> Option<PathBuf> {
    let inside = page.path().strip_prefix(base.path())?;
    let decoded = percent_decoded(inside);
    if decoded.split('/').any(|part| part == "..") {
        return None;
    }
    let path = output.join(&decoded);
    let path = if decoded.is_empty() || decoded.ends_with('/') { path.join("index.html") } else { path };
    path.is_file().then_some(path)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(hex.unwrap_or(bytes[at]));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Every structured-data object of a page.
pub(crate) fn structured_data(html: &str) -> Vec<Value> {
    let document = Html::parse_document(html);
    document
        .select(&select(r#"script[type="application/ld+json"]"#))
        .flat_map(|script| {
            let text: String = script.text().collect();
            let value: Value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("structured data: {error} in {text}"));
            match value {
                Value::Array(values) => values,
                Value::Object(mut object) => match object.remove("@graph") {
                    Some(Value::Array(values)) => values,
                    _ => vec![Value::Object(object)],
                },
                other => panic!("structured data: {other}"),
            }
        })
        .collect()
}

/// The structured data of the product that a page is about.
pub(crate) fn product_data(html: &str) -> Value {
    structured_data(html)
        .into_iter()
        .find(|value| value["@type"] == "Product" || value["@type"] == "ProductGroup")
        .expect("the page of a product says so")
}

/// Whatever on a page could run code that storegen did not write: handlers, script addresses, frames, foreign scripts.
pub(crate) fn foreign_code(html: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let mut found = Vec::new();
    for element in document.select(&select("*")) {
        let name = element.value().name();
        if ["iframe", "object", "embed", "applet", "base"].contains(&name) {
            found.push(format!("<{name}>"));
        }
        for (attribute, value) in element.value().attrs() {
            let folded: String = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
            let folded = folded.to_ascii_lowercase();
            if attribute.starts_with("on")
                || ["javascript:", "vbscript:", "data:text/html"].iter().any(|bad| folded.starts_with(bad))
            {
                found.push(format!("<{name} {attribute}={value:?}>"));
            }
        }
        if name == "script" {
            let text: String = element.text().collect();
            if text.contains("__xss") && element.value().attr("type") != Some("application/ld+json") {
                found.push(format!("<script>{text}"));
            }
        }
    }
    found
}
