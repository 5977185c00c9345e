//! The JSON Schema of a store file, made from [`StoreFile`], and the few questions the loader asks of it.

use super::file::StoreFile;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// The JSON Schema of store.yaml, indented, with a newline at its end.
pub fn schema() -> String {
    format!("{:#}\n", Schema::get().root)
}

/// The schema with its definitions at hand.
pub(super) struct Schema {
    root: Value,
}

/// What a setting may be.
pub(super) enum Kind<'schema> {
    /// Keys that are known.
    Block,
    /// Any keys and values.
    Free,
    /// A list of things.
    List(&'schema Value),
    /// One thing or a list of things.
    OneOrMany(&'schema Value, &'schema Value),
    /// One of a few words, or a block.
    WordOrBlock(&'schema Value, &'schema Value),
    /// One of a few words.
    Word(Vec<&'schema str>),
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl Schema {
    /// It takes a while to make, and a process that watches its store asks for it again and again.
    pub(super) fn get() -> &'static Self {
        static SCHEMA: LazyLock<Schema> =
            LazyLock::new(|| Schema { root: schemars::schema_for!(StoreFile).to_value() });
        &SCHEMA
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// Follows references and sets the "or nothing" of optional settings aside.
    pub(super) fn resolve<'schema>(&'schema self, schema: &'schema Value) -> &'schema Value {
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
            return self.resolve(&self.root["$defs"][name]);
        }
        let choices: Vec<&Value> =
            schema["anyOf"].as_array().into_iter().flatten().filter(|one| !is_null(one)).collect();
        match choices[..] {
            [only] => self.resolve(only),
            _ => schema,
        }
    }

    /// What a resolved schema asks for.
    pub(super) fn kind<'schema>(&'schema self, schema: &'schema Value) -> Kind<'schema> {
        if let Some([one, other]) = schema["anyOf"].as_array().map(Vec::as_slice) {
            return match type_name(self.resolve(other)) {
                Some("object") => Kind::WordOrBlock(one, other),
                _ => Kind::OneOrMany(one, other),
            };
        }
        let words: Vec<&str> = match (schema["enum"].as_array(), schema["oneOf"].as_array()) {
            (Some(words), _) => words.iter().filter_map(Value::as_str).collect(),
            (None, Some(choices)) => choices.iter().filter_map(|choice| choice["const"].as_str()).collect(),
            (None, None) => Vec::new(),
        };
        if !words.is_empty() {
            return Kind::Word(words);
        }
        match type_name(schema) {
            Some("object") if schema["properties"].is_object() => Kind::Block,
            Some("array") => Kind::List(&schema["items"]),
            Some("string") => Kind::Text,
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            _ => Kind::Free,
        }
    }

    /// The settings of a block, in the order of their names.
    pub(super) fn properties<'schema>(&'schema self, schema: &'schema Value) -> Vec<(&'schema str, &'schema Value)> {
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties.map(|(key, property)| (key.as_str(), property)).collect()
    }

    /// The dotted path of every setting.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect_paths(&self.root, "", &mut paths);
        paths
    }

    fn collect_paths(&self, block: &Value, prefix: &str, paths: &mut Vec<String>) {
        for (key, property) in self.properties(block) {
            let path = if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
            let inner = self.resolve(property);
            let block = match self.kind(inner) {
                Kind::WordOrBlock(_, block) => self.resolve(block),
                _ => inner,
            };
            self.collect_paths(block, &path, paths);
            paths.push(path);
        }
    }

    /// What a setting has to be, in words: `a whole number from 1 to 200`.
    pub(super) fn describe(&self, schema: &Value) -> String {
        let mut words = match self.kind(schema) {
            Kind::Block | Kind::Free => "a block of keys".to_string(),
            Kind::List(_) => "a list".to_string(),
            Kind::OneOrMany(..) => "one value or a list of them".to_string(),
            Kind::WordOrBlock(word, block) => {
                let keys: Vec<&str> = self.properties(self.resolve(block)).iter().map(|(key, _)| *key).collect();
                format!("{}, or a block with {}", self.describe(self.resolve(word)), listed(&keys))
            }
            Kind::Word(words) => format!("one of {}", listed(&words)),
            Kind::Text => "text".to_string(),
            Kind::Integer => "a whole number".to_string(),
            Kind::Number => "a number".to_string(),
            Kind::Boolean => "`true` or `false`".to_string(),
        };
        // Writing to a string cannot fail.
        let _ = match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
            (Some(least), Some(most)) => write!(words, " from {least} to {most}"),
            (Some(least), None) => write!(words, ", {least} or more"),
            (None, Some(most)) => write!(words, " up to {most}"),
            (None, None) => Ok(()),
        };
        words
    }
}

/// Words in backticks with commas between them.
pub(super) fn listed<Word: AsRef<str>>(words: &[Word]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null"
}

fn type_name(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_described_and_no_block_takes_unknown_keys() {
        let root: Value = serde_json::from_str(&schema()).expect("JSON");
        assert_eq!(root["required"], serde_json::json!(["store_name"]));
        let schema = Schema::get();
        let mut blocks = vec![schema.root()];
        blocks
            .extend(root["$defs"].as_object().expect("definitions").values().filter(|block| block["type"] == "object"));
        assert!(blocks.len() > 10, "{}", blocks.len());
        for block in blocks {
            assert_eq!(block["additionalProperties"], false, "{block}");
            for (key, property) in schema.properties(block) {
                assert!(property["description"].as_str().is_some_and(|text| text.len() > 5), "{key}: {property}");
            }
        }
        let paths = schema.paths();
        for path in [
            "theme",
            "product_filters.price.max",
            "product_filters.face_shape.shape",
            "catalog.collections.brands",
            "commerce.shopify.domain",
        ] {
            assert!(paths.iter().any(|known| known == path), "{path} in {paths:?}");
        }
    }

    #[test]
    fn the_schema_tells_the_defaults() {
        let root = &Schema::get().root;
        for (key, default) in
            [("products_per_page", Value::from(24)), ("locale", "en".into()), ("sort", "featured".into())]
        {
            assert_eq!(root["properties"][key]["default"], default, "{key}");
        }
    }
}
