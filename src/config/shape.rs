//! Holds the tree of a store file against the schema: keys, kinds, ranges and words.
//!
//! Every fault is told; what is faulty is left out of the value that comes of it, so that the rest can still be checked.

use super::error::ConfigError;
use super::schema::{Kind, Schema, listed};
use super::source::{Source, redact};
use super::suggest::{self, Meant};
use super::tree::{Content, Entry, Node, Scalar};
use crate::spelling::{fold, nearest};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};
use std::ops::Range;
use std::str::FromStr;

/// Keys listed in a hint before it gets unreadable.
const MOST_LISTED: usize = 14;

/// Checks a file's tree; what comes out has the shape of [`super::file::StoreFile`], and is nothing for a file without keys.
pub(super) fn check(root: &Node, source: &Source, errors: &mut Vec<ConfigError>) -> Option<Value> {
    let schema = Schema::get();
    let paths = schema.paths();
    let mut walk = Walk { schema, paths, source, errors };
    let Content::Map(entries) = &root.content else {
        let message = "a store file is a block of keys such as `store_name: …`";
        walk.tell(&root.span, message, Some("`storegen init` writes a file to start from"));
        return None;
    };
    let (object, _) = walk.block(entries, &(root.span.start..root.span.start), schema.root(), "");
    Some(Value::Object(object))
}

struct Walk<'run> {
    schema: &'run Schema,
    paths: Vec<String>,
    source: &'run Source,
    errors: &'run mut Vec<ConfigError>,
}

impl<'run> Walk<'run> {
    fn tell(&mut self, span: &Range<usize>, message: &str, hint: Option<&str>) {
        self.errors.push(ConfigError::new(&self.source.file, Some(self.source.place(span)), message, hint));
    }

    /// The value of a node, or nothing when it is faulty.
    fn value(&mut self, node: &Node, schema: &'run Value, path: &str) -> Option<Value> {
        let schema = self.schema.resolve(schema);
        match (self.schema.kind(schema), &node.content) {
            (_, Content::Faulty) => None,
            (Kind::Block, Content::Map(entries)) => {
                let (object, whole) = self.block(entries, &node.span, schema, path);
                whole.then_some(Value::Object(object))
            }
            (Kind::Free, Content::Map(_)) => self.free(node, path),
            (Kind::OneOrMany(_, many), Content::List(_)) => self.value(node, many, path),
            (Kind::OneOrMany(one, _), _) => self.value(node, one, path),
            (Kind::WordOrBlock(_, block), Content::Map(_)) => self.value(node, block, path),
            (Kind::WordOrBlock(word, _), Content::Scalar(scalar)) => {
                let words = self.schema.resolve(word);
                self.scalar_of(scalar, &node.span, words, schema, path)
            }
            (Kind::List(items), Content::List(nodes)) => {
                let count = nodes.len();
                let values: Vec<Value> = nodes.iter().filter_map(|node| self.item(node, items, path)).collect();
                (values.len() == count).then_some(Value::Array(values))
            }
            (Kind::Text | Kind::Word(_) | Kind::Integer | Kind::Number | Kind::Boolean, Content::Scalar(scalar)) => {
                self.scalar(scalar, &node.span, schema, path)
            }
            (Kind::Block, Content::Scalar(_)) => {
                let keys: Vec<&str> = self.schema.properties(schema).iter().map(|(key, _)| *key).collect();
                let hint = format!("write its keys below it, indented: {}", listed(&keys));
                self.wrong(node, schema, path, Some(&hint));
                None
            }
            (_, Content::List(items)) if items.len() == 1 => {
                self.wrong(node, schema, path, Some("write the value itself, without `-` and brackets"));
                None
            }
            _ => {
                self.wrong(node, schema, path, None);
                None
            }
        }
    }

    fn item(&mut self, node: &Node, schema: &'run Value, path: &str) -> Option<Value> {
        if node.scalar().is_some_and(Scalar::is_null) {
            self.tell(&node.span, &format!("`{path}` has an empty entry"), Some("fill it in or remove it"));
            return None;
        }
        self.value(node, schema, path)
    }

    fn wrong(&mut self, node: &Node, schema: &Value, path: &str, hint: Option<&str>) {
        let found = match &node.content {
            Content::List(_) => "a list".to_string(),
            Content::Map(_) => "a block of keys".to_string(),
            Content::Scalar(scalar) => format!("`{}`", shortened(scalar.shown())),
            Content::Faulty => return,
        };
        let message = format!("`{path}` must be {}, not {found}", self.schema.describe(schema));
        self.tell(&node.span, &message, hint);
    }

    /// The settings of a block that are sound, and whether none that it needs is missing.
    fn block(
        &mut self,
        entries: &[Entry],
        span: &Range<usize>,
        schema: &'run Value,
        path: &str,
    ) -> (Map<String, Value>, bool) {
        let mut object = Map::new();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut seen: Vec<&Entry> = Vec::new();
        for entry in entries {
            if let Some(first) = seen.iter().find(|first| first.key == entry.key) {
                let line = self.source.place(&first.key_span).line;
                let message = format!("the key `{}` is written twice", shortened(&entry.key));
                self.tell(&entry.key_span, &message, Some(&format!("the first is on line {line}; keep one of them")));
                continue;
            }
            seen.push(entry);
            let Some(property) = schema["properties"].get(&entry.key) else {
                self.unknown(&entry.key, &entry.key_span, schema, path);
                continue;
            };
            let inner = joined(path, &entry.key);
            if entry.value.scalar().is_some_and(Scalar::is_null) {
                self.empty(entry, property, &inner, required.contains(&entry.key.as_str()));
            } else if let Some(value) = self.value(&entry.value, property, &inner) {
                object.insert(entry.key.clone(), value);
            }
        }
        let mut whole = true;
        for key in required {
            if !seen.iter().any(|entry| entry.key == key) {
                let message = format!("`{}` is missing", joined(path, key));
                self.tell(span, &message, Some(&format!("add `{key}:`, {}", self.purpose(&schema["properties"][key]))));
            }
            whole &= object.contains_key(key);
        }
        (object, whole)
    }

    /// The first sentence of a setting's description.
    fn purpose(&self, schema: &Value) -> String {
        let described = schema["description"].as_str().unwrap_or_default();
        let sentence = described.split(['.', '\n']).next().unwrap_or_default();
        let mut characters = sentence.chars();
        characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
    }

    /// A key with nothing after it is as good as left out, except where something was meant to be there.
    fn empty(&mut self, entry: &Entry, property: &Value, path: &str, required: bool) {
        let after = &self.source.text[entry.key_span.end..];
        let rest = after.lines().next().unwrap_or_default();
        if property["format"] == "color-hex"
            && let Some(at) = rest.find('#')
        {
            let color = rest[at..].split_whitespace().next().unwrap_or_default();
            let start = entry.key_span.end + at;
            let hint = format!("put the colour in quotes: `\"{}\"`", shortened(color));
            let message = format!("`{path}` is empty, because ` #` starts a comment");
            self.tell(&(start..start + color.len()), &message, Some(&hint));
        } else if required {
            self.tell(&entry.key_span, &format!("`{path}` is empty"), Some("write a value after the colon"));
        }
    }

    fn unknown(&mut self, key: &str, span: &Range<usize>, schema: &Value, block: &str) {
        let shown = shortened(key);
        if key == "<<" {
            let hint = "write the keys of that block out here";
            return self.tell(span, "merging blocks with `<<` is not supported", Some(hint));
        }
        match suggest::setting(key, block, &self.paths) {
            Some(Meant::Key(known)) => {
                self.tell(span, &format!("unknown key `{shown}`, did you mean `{known}`?"), None);
            }
            Some(Meant::Elsewhere(path)) => {
                let (parent, last) = path.rsplit_once('.').unwrap_or(("", &path));
                let place = if parent.is_empty() { "to the top level".into() } else { format!("under `{parent}`") };
                if last == key {
                    self.tell(
                        span,
                        &format!("the key `{shown}` does not belong here"),
                        Some(&format!("move it {place}")),
                    );
                } else {
                    let message = format!("unknown key `{shown}`, did you mean `{path}`?");
                    self.tell(span, &message, Some(&format!("write `{last}:` and move it {place}")));
                }
            }
            None => {
                let keys: Vec<&str> = self.schema.properties(schema).iter().map(|(key, _)| *key).collect();
                let place = if block.is_empty() { String::new() } else { format!(" in `{block}`") };
                let hint = if keys.len() > MOST_LISTED {
                    "`storegen schema` lists every key with its meaning".to_string()
                } else {
                    format!("the keys here are {}", listed(&keys))
                };
                self.tell(span, &format!("unknown key `{shown}`{place}"), Some(&hint));
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar, span: &Range<usize>, schema: &Value, path: &str) -> Option<Value> {
        self.scalar_of(scalar, span, schema, schema, path)
    }

    /// Reads a scalar as one schema asks, and describes what was wanted by another that includes it.
    fn scalar_of(
        &mut self,
        scalar: &Scalar,
        span: &Range<usize>,
        schema: &Value,
        whole: &Value,
        path: &str,
    ) -> Option<Value> {
        let read = match self.schema.kind(schema) {
            Kind::Word(words) => word(scalar, &words),
            Kind::Boolean => boolean(scalar),
            Kind::Integer | Kind::Number => number(scalar, schema),
            _ if holds_controls(&scalar.text) => {
                self.tell(span, &format!("`{path}` holds control characters"), Some("remove them"));
                return None;
            }
            _ => Ok(Value::String(scalar.text.clone())),
        };
        read.map_err(|hint| {
            let found = if scalar.shown().is_empty() {
                "an empty text".into()
            } else {
                format!("`{}`", shortened(scalar.shown()))
            };
            let wanted = self.schema.describe(whole);
            self.tell(span, &format!("`{path}` must be {wanted}, not {found}"), hint.as_deref());
        })
        .ok()
    }

    /// A tree whose shape is checked elsewhere, in the terms of YAML's core schema.
    fn free(&mut self, node: &Node, path: &str) -> Option<Value> {
        match &node.content {
            Content::Faulty => None,
            Content::Scalar(scalar) if holds_controls(&scalar.text) => {
                self.tell(&node.span, &format!("`{path}` holds control characters"), Some("remove them"));
                None
            }
            Content::Scalar(scalar) => Some(plain_value(scalar)),
            Content::List(nodes) => {
                nodes.iter().map(|node| self.free(node, path)).collect::<Option<_>>().map(Value::Array)
            }
            Content::Map(entries) => {
                let mut object = Map::new();
                for entry in entries {
                    let inner = joined(path, &entry.key);
                    let value = self.free(&entry.value, &inner)?;
                    if object.insert(entry.key.clone(), value).is_some() {
                        let message = format!("the key `{}` is written twice", shortened(&entry.key));
                        self.tell(&entry.key_span, &message, Some("keep one of them"));
                    }
                }
                Some(Value::Object(object))
            }
        }
    }
}

/// The dotted path of a key in a block.
pub(super) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

/// Whether a text holds what no page can show; ends of lines and tabs can be written on purpose.
fn holds_controls(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// One of a few words, in any case and with any separators, or a hint.
fn word(scalar: &Scalar, words: &[&str]) -> Result<Value, Option<String>> {
    let folded = fold(&scalar.text);
    if let Some(word) = words.iter().find(|word| fold(word) == folded) {
        return Ok(Value::String((*word).to_string()));
    }
    let close = scalar.written.is_none().then(|| nearest(&scalar.text, words)).flatten();
    Err(close.map(|word| format!("did you mean `{word}`?")))
}

/// `true` or `false`, or a hint.
fn boolean(scalar: &Scalar) -> Result<Value, Option<String>> {
    let folded = scalar.text.to_ascii_lowercase();
    match (scalar.unquoted().is_some(), folded.as_str()) {
        (true, "true") => Ok(Value::Bool(true)),
        (true, "false") => Ok(Value::Bool(false)),
        (false, "true" | "false") => Err(Some("remove the quotes".into())),
        (_, "yes" | "on" | "y" | "1") if scalar.written.is_none() => Err(Some("write `true`".into())),
        (_, "no" | "off" | "n" | "0") if scalar.written.is_none() => Err(Some("write `false`".into())),
        _ => Err(None),
    }
}

/// A number within the bounds of its setting, or a hint.
fn number(scalar: &Scalar, schema: &Value) -> Result<Value, Option<String>> {
    let Some(text) = scalar.unquoted().map(str::trim) else {
        let is_number = scalar.text.trim().parse::<f64>().is_ok_and(f64::is_finite);
        return Err(is_number.then(|| "remove the quotes".to_string()));
    };
    // What came from a variable is not shown, not even in a hint.
    let hint = |hint: String| Err(scalar.written.is_none().then_some(hint));
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let Some(amount) = text.parse::<f64>().ok().filter(|amount| is_number && amount.is_finite()) else {
        if let Some(percent) = text.strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok())
            && schema["maximum"] == 1
        {
            return hint(format!("write `{}`", percent / 100.0));
        }
        let pointed = text.replace(',', ".");
        if text.matches(',').count() == 1 && pointed.parse::<f64>().is_ok() {
            return hint(format!("write `{pointed}`, with a point"));
        }
        return Err(None);
    };
    if schema["minimum"].as_f64().is_some_and(|least| amount < least) {
        return Err(None);
    }
    if schema["maximum"].as_f64().is_some_and(|most| amount > most) {
        let percent = schema["maximum"] == 1 && amount <= 100.0;
        return if percent { hint(format!("{amount} percent is `{}`", amount / 100.0)) } else { Err(None) };
    }
    if schema["format"] == "decimal" {
        // Kept as text: a price must not pass through a binary fraction.
        let exact = Decimal::from_str(text).or_else(|_| Decimal::from_scientific(text)).map_err(|_| None)?;
        return Ok(Value::String(exact.to_string()));
    }
    if matches!(schema["type"].as_str().or(schema["type"][0].as_str()), Some("integer")) {
        return text.parse::<i64>().map(Value::from).map_err(|_| None);
    }
    Number::from_f64(amount).map(Value::Number).ok_or(None)
}

/// A scalar of the mapping: numbers, booleans and nothing are told apart as in YAML's core schema.
fn plain_value(scalar: &Scalar) -> Value {
    if !scalar.plain || scalar.written.is_some() {
        return Value::String(scalar.text.clone());
    }
    let text = scalar.text.as_str();
    if scalar.is_null() {
        return Value::Null;
    }
    match text {
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Value::from(whole);
    }
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let number = text.parse::<f64>().ok().filter(|_| numeric).and_then(Number::from_f64);
    number.map_or_else(|| Value::String(text.to_string()), Value::Number)
}

/// A text short enough for a message, without secrets; those are sought in the whole of it, before it is cut.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = redact(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    let cut: String = line.chars().take(LONGEST).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}
