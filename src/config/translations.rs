//! Texts of a store file that are given for several languages: `tax_note: {en: incl. VAT, de: inkl. MwSt.}`.
//!
//! In: the tree of a file. Out: the tree with the texts of the store's own language, one more tree for each further
//! language that has any, and what those lack. All that comes after knows of plain texts only.

use super::error::ConfigError;
use super::shape::{joined, shortened};
use super::source::Source;
use super::tree::{Content, Node};
use crate::language::language_of;
use icu_locale_core::Locale;
use std::collections::BTreeMap;

/// Settings that are texts for customers; `*` is each item of a list.
const TEXTS: [&str; 11] = [
    "store_description",
    "site_title",
    "site_description",
    "tax_note",
    "delivery.text",
    "returns.text",
    "lenses.*.name",
    "lenses.*.text",
    "locations.*.name",
    "locations.*.street",
    "locations.*.city",
];

/// What the further languages of a store make of its file.
pub(super) struct Translations {
    /// The file in the words of a language, by locale, for those that have any.
    pub(super) roots: Vec<(String, Node)>,
    /// Settings whose text a language lacks, by locale.
    pub(super) lacking: BTreeMap<String, Vec<String>>,
}

/// Leaves the texts of the store's own language in a tree, and gives the others.
pub(super) fn split(root: &mut Node, source: &Source, errors: &mut Vec<ConfigError>) -> Translations {
    let locales = locales_of(root);
    let mut texts: Vec<(String, BTreeMap<String, Node>)> = Vec::new();
    for pattern in TEXTS {
        each(root, pattern, "", &mut |path, node| {
            let found = match node.content {
                Content::Map(_) => by_locale(node, path, &locales, source, errors),
                _ => BTreeMap::new(),
            };
            if !node.scalar().is_some_and(|scalar| scalar.is_null()) {
                texts.push((path.to_string(), found));
            }
        });
    }
    let mut translations = Translations { roots: Vec::new(), lacking: BTreeMap::new() };
    for locale in locales.iter().skip(1) {
        let mut translated = root.clone();
        let mut has_any = false;
        for (path, found) in &texts {
            match found.get(locale) {
                Some(text) => {
                    has_any = true;
                    each(&mut translated, path, "", &mut |_, node| *node = text.clone());
                }
                None => translations.lacking.entry(locale.clone()).or_default().push(path.clone()),
            }
        }
        if has_any {
            translations.roots.push((locale.clone(), translated));
        }
    }
    translations
}

/// The locales of a store, its own first, as far as they can be read; what is wrong with them is told where they are.
fn locales_of(root: &Node) -> Vec<String> {
    let own = root.get("locale").and_then(Node::scalar).map_or("en", |scalar| scalar.text.as_str());
    let further: Vec<&Node> = match root.get("locales").map(|node| (&node.content, node)) {
        Some((Content::List(items), _)) => items.iter().collect(),
        Some((_, node)) => vec![node],
        None => Vec::new(),
    };
    let further = further.into_iter().filter_map(Node::scalar).map(|scalar| scalar.text.as_str());
    let mut locales: Vec<String> = Vec::new();
    for locale in [own].into_iter().chain(further).filter_map(|text| text.trim().parse::<Locale>().ok()) {
        let locale = locale.to_string();
        if !locales.contains(&locale) {
            locales.push(locale);
        }
    }
    locales
}

/// Does something with every node that a pattern leads to.
fn each(node: &mut Node, pattern: &str, path: &str, act: &mut dyn FnMut(&str, &mut Node)) {
    if pattern.is_empty() {
        return act(path, node);
    }
    let (step, rest) = pattern.split_once('.').unwrap_or((pattern, ""));
    match &mut node.content {
        Content::Map(entries) => {
            for entry in entries.iter_mut().filter(|entry| entry.key == step) {
                each(&mut entry.value, rest, &joined(path, step), act);
            }
        }
        Content::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let index = index.to_string();
                if step == "*" || step == index {
                    each(item, rest, &joined(path, &index), act);
                }
            }
        }
        _ => {}
    }
}

/// Takes a block of texts apart; its node becomes the text of the store's own language.
fn by_locale(
    node: &mut Node,
    path: &str,
    locales: &[String],
    source: &Source,
    errors: &mut Vec<ConfigError>,
) -> BTreeMap<String, Node> {
    let Content::Map(entries) = std::mem::replace(&mut node.content, Content::Faulty) else { return BTreeMap::new() };
    let mut tell = |span: &std::ops::Range<usize>, message: &str, hint: &str| {
        errors.push(ConfigError::new(&source.file, Some(source.place(span)), message, Some(hint)));
    };
    let mut texts: BTreeMap<String, Node> = BTreeMap::new();
    let mut is_told = false;
    for entry in &entries {
        let shown = joined(path, &shortened(&entry.key));
        let key = entry.key.replace('_', "-");
        let of = |locale: &&String| **locale == key || language_of(locale) == key;
        let is_text = entry.value.scalar().is_some_and(|scalar| !scalar.is_null());
        let mut meant = locales.iter().filter(of).peekable();
        if meant.peek().is_none() {
            let message = format!("`{shown}` is for a language that the store does not have");
            tell(&entry.key_span, &message, "add it to `locales`, or write a text without languages");
        } else if !is_text {
            is_told = true;
            tell(&entry.key_span, &format!("`{shown}` must be text"), "write what customers of that language read");
        } else {
            for locale in meant {
                // What is written for a region counts before what is written for its language.
                if *locale == key || !texts.contains_key(locale) {
                    texts.insert(locale.clone(), entry.value.clone());
                }
            }
        }
    }
    let Some(own) = locales.first() else { return texts };
    match texts.get(own) {
        Some(text) => *node = text.clone(),
        None if is_told => {}
        None => {
            let message = format!("`{path}` has no text in `{own}`, the store's own language");
            tell(&node.span, &message, &format!("add `{}:` below it", language_of(own)));
        }
    }
    texts
}
