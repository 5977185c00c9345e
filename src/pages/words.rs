//! The words of the store: every text a shopper reads that does not come from the catalogue, in one file a language.
//!
//! Templates name a text as `{{words.key}}`, which is filled in when the theme is loaded; code asks by key and fills
//! in `{placeholders}`. Never makes up a text: a key without one is an error of the theme.

use crate::catalog::text::is_one_line;
use crate::catalog::vocabulary::FaceShape;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Texts of one language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    #[serde(default)]
    texts: BTreeMap<String, String>,
    /// What scripts say.
    #[serde(default)]
    scripts: BTreeMap<String, String>,
    #[serde(default)]
    search: SearchWords,
    #[serde(default)]
    face_shapes: BTreeMap<String, FaceGuide>,
    /// Names of countries by their ISO 3166 code.
    #[serde(default)]
    countries: BTreeMap<String, String>,
}

/// What searching needs to know of a language. Words are written as the index folds them: lower case, no accents, no
/// `s` of the plural.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchWords {
    /// Words that say nothing about a product.
    pub(crate) stop_words: BTreeSet<String>,
    /// Words that mean the same.
    pub(crate) synonyms: Vec<Vec<String>>,
}

/// What the guide says about one face shape.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaceGuide {
    /// How to tell the shape.
    pub(crate) told: String,
    /// What frames should do for it.
    pub(crate) aim: String,
    /// What is often suggested, and why.
    pub(crate) suggested: String,
    /// What is less often suggested, and why.
    pub(crate) less: String,
    /// A detail to look at.
    pub(crate) detail: String,
}

impl Words {
    /// Reads a words file.
    pub(crate) fn parse(yaml: &str) -> Result<Self, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    /// Takes the texts of another file where it has them.
    pub(crate) fn overlay(&mut self, other: Self) {
        self.texts.extend(other.texts);
        self.scripts.extend(other.scripts);
        self.face_shapes.extend(other.face_shapes);
        if !(other.search.stop_words.is_empty() && other.search.synonyms.is_empty()) {
            self.search = other.search;
        }
        self.countries.extend(other.countries);
    }

    /// The text of a key, if there is one.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    /// What to say about a key that has no text.
    pub(crate) fn unknown(&self, key: &str) -> String {
        let nearest = self.texts.keys().min_by_key(|known| strsim::damerau_levenshtein(known, key));
        match nearest {
            Some(nearest) => format!("there are no words `{key}`, did you mean `{nearest}`?"),
            None => format!("there are no words `{key}`"),
        }
    }

    /// The text of a key that code uses; a test proves that each has one.
    pub(crate) fn say(&self, key: &'static str) -> &str {
        self.get(key).unwrap_or(key)
    }

    /// The text of a key with its `{placeholders}` filled in, each once, so that a value cannot smuggle in another.
    pub(crate) fn fill(&self, key: &'static str, values: &[(&str, &str)]) -> String {
        let mut rest = self.say(key);
        let mut text = String::with_capacity(rest.len() + 32);
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                rest = after;
                continue;
            };
            if let Some((_, value)) = values.iter().find(|(candidate, _)| *candidate == name) {
                text.push_str(value);
            }
            rest = behind;
        }
        text.push_str(rest);
        text
    }

    /// `1 frame`, `24 frames`.
    pub(crate) fn frames(&self, count: usize) -> String {
        let key = if count == 1 { "frames_one" } else { "frames_other" };
        self.fill(key, &[("count", &count.to_string())])
    }

    /// The texts of the store's scripts.
    pub(crate) fn of_scripts(&self) -> &BTreeMap<String, String> {
        &self.scripts
    }

    /// What searching needs to know of the language.
    pub(crate) fn search(&self) -> &SearchWords {
        &self.search
    }

    /// The name of a country, or its code where the words have none.
    pub(crate) fn country<'a>(&'a self, code: &'a str) -> &'a str {
        self.countries.get(code).map_or(code, String::as_str)
    }

    /// The guide of a face shape.
    pub(crate) fn face_guide(&self, shape: FaceShape) -> Option<&FaceGuide> {
        self.face_shapes.get(shape.key())
    }
}

/// A text for attributes and titles: one line, without the marks that turn the writing direction around.
pub(crate) fn plain(text: &str) -> String {
    // The marks begin with a byte that such a line never has.
    if is_one_line(text) {
        return text.to_string();
    }
    let visible = text.chars().filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    visible.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn english() -> Words {
        Words::parse(include_str!("../../templates/words.en.yaml")).expect("the words are readable")
    }

    #[test]
    fn every_key_in_the_code_has_words() {
        let words = english();
        let mut seen = 0;
        for file in walkdir::WalkDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages")) {
            let file = file.expect("an entry");
            if !file.file_type().is_file() {
                continue;
            }
            let source = std::fs::read_to_string(file.path()).expect("a source file");
            for call in ["say(\"", "fill(\""] {
                for (at, _) in source.match_indices(call) {
                    let key = source[at + call.len()..].split('"').next().unwrap_or_default();
                    if !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                        seen += 1;
                        assert!(words.get(key).is_some(), "`{key}` has no words");
                    }
                }
            }
        }
        assert!(seen > 50, "only {seen} keys found");
        assert!(words.get("frames_one").is_some() && words.get("frames_other").is_some());
        for shape in FaceShape::ALL {
            assert!(words.face_guide(shape).is_some(), "{}", shape.key());
        }
    }

    #[test]
    fn values_cannot_smuggle_in_placeholders() {
        let mut words = Words::default();
        words.texts.insert("brand_title".into(), "{name} at {store}".into());
        assert_eq!(words.fill("brand_title", &[("name", "{store}{"), ("store", "S")]), "{store}{ at S");
    }

    #[test]
    fn direction_marks_are_taken_out() {
        assert_eq!(plain("Luna\u{202e}\n sunglasses "), "Luna sunglasses");
        assert_eq!(plain("Luna  sunglasses"), "Luna sunglasses");
        assert_eq!(plain(" Luna sunglasses"), "Luna sunglasses");
    }
}
