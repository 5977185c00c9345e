//! The words of the store: every text a shopper reads that does not come from the catalogue, in one file a language.
//!
//! Templates name a text as `{{words.key}}`, which is filled in when the theme is loaded; code asks by key and fills
//! in `{placeholders}`. A number's words have a key for each of the language's plural forms, such as `frames_one` and
//! `frames_other`. Never makes up a text: a key without one is an error of the theme.

use super::plural::Plurals;
use crate::catalog::text::is_one_line;
use crate::catalog::vocabulary::{FaceShape, Term, Vocabulary};
use crate::spelling::nearest;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Texts of one language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// What the language calls itself.
    #[serde(default)]
    name: String,
    /// Nouns keep their capital inside a sentence, as in German.
    #[serde(default)]
    keeps_capitals: bool,
    #[serde(default)]
    texts: BTreeMap<String, String>,
    /// Why a frame suits a face, and what to keep in mind.
    #[serde(default)]
    reasons: BTreeMap<String, String>,
    /// Words of the closed vocabulary, by vocabulary and key; what is not here stays as the catalogue has it.
    #[serde(default)]
    terms: BTreeMap<String, BTreeMap<String, String>>,
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
    #[serde(skip)]
    plurals: Plurals,
    /// Keys whose texts are in English although the language is another.
    #[serde(skip)]
    untranslated: BTreeSet<String>,
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
#[serde(deny_unknown_fields, default)]
pub(crate) struct FaceGuide {
    /// The shape on its own: `Oval`.
    pub(crate) name: String,
    /// As it stands before or after the word for faces: `oval`.
    pub(crate) face: String,
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

impl FaceGuide {
    fn overlay(&mut self, other: Self) {
        let Self { name, face, told, aim, suggested, less, detail } = other;
        for (mine, theirs) in [
            (&mut self.name, name),
            (&mut self.face, face),
            (&mut self.told, told),
            (&mut self.aim, aim),
            (&mut self.suggested, suggested),
            (&mut self.less, less),
            (&mut self.detail, detail),
        ] {
            if !theirs.is_empty() {
                *mine = theirs;
            }
        }
    }
}

impl Words {
    /// The program's own English words.
    pub fn english() -> Self {
        Self::of_locale("en")
    }

    /// The program's own words for a locale such as `de-CH`: English ones where there is no translation.
    pub fn of_locale(locale: &str) -> Self {
        // A test proves that every file of the program can be read.
        let mut words = Self::parse(super::ENGLISH).unwrap_or_default();
        if super::language_of(locale) != "en" {
            words.untranslated =
                words.texts.keys().chain(words.scripts.keys()).map(|key| stem(key).to_string()).collect();
        }
        if let Some(translation) = super::translation(locale).and_then(|yaml| Self::parse(yaml).ok()) {
            words.overlay(translation);
        }
        words.plurals = Plurals::of_locale(locale);
        words
    }

    /// Reads a words file.
    pub(crate) fn parse(yaml: &str) -> Result<Self, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    /// Takes the texts of another file where it has them.
    pub(crate) fn overlay(&mut self, other: Self) {
        if !other.name.is_empty() {
            self.name = other.name;
            self.keeps_capitals = other.keeps_capitals;
        }
        for key in other.texts.keys().chain(other.scripts.keys()) {
            self.untranslated.remove(stem(key));
        }
        self.texts.extend(other.texts);
        self.scripts.extend(other.scripts);
        self.reasons.extend(other.reasons);
        for (vocabulary, terms) in other.terms {
            self.terms.entry(vocabulary).or_default().extend(terms);
        }
        for (shape, guide) in other.face_shapes {
            self.face_shapes.entry(shape).or_default().overlay(guide);
        }
        if !(other.search.stop_words.is_empty() && other.search.synonyms.is_empty()) {
            self.search = other.search;
        }
        self.countries.extend(other.countries);
    }

    /// Takes the texts of another file where there are none yet: those that a theme has invented.
    pub(crate) fn complete(&mut self, other: Self) {
        for (key, text) in other.texts {
            if !self.texts.contains_key(&key) {
                self.untranslated.insert(stem(&key).to_string());
                self.texts.insert(key, text);
            }
        }
        for (key, text) in other.scripts {
            self.scripts.entry(key).or_insert(text);
        }
    }

    /// Says a text another way, by its key; one of a script has `scripts.` before it.
    pub(crate) fn replace(&mut self, key: &str, text: &str) -> Result<(), String> {
        let known = match key.strip_prefix("scripts.") {
            Some(key) => self.scripts.get_mut(key),
            None => self.texts.get_mut(key),
        };
        match known {
            Some(known) => {
                *known = text.to_string();
                self.untranslated.remove(stem(key.strip_prefix("scripts.").unwrap_or(key)));
            }
            None => return Err(self.unknown(key)),
        }
        Ok(())
    }

    /// Keys whose texts are in English although the language is another, without the endings of plural forms.
    pub(crate) fn untranslated(&self) -> &BTreeSet<String> {
        &self.untranslated
    }

    /// What the language calls itself.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The text of a key, if there is one.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    /// What to say about a key that has no text.
    pub(crate) fn unknown(&self, key: &str) -> String {
        match nearest(key, self.texts.keys()) {
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
        filled(self.say(key), values)
    }

    /// The text of a key in the plural form of a number. Where the form has no text the general one stands, and its
    /// own key before that for texts that are the same for all numbers.
    pub(crate) fn count(&self, key: &'static str, number: usize, values: &[(&str, &str)]) -> String {
        let of_form = |form: &str| self.get(&format!("{key}_{form}"));
        let text = of_form(self.plurals.form(number)).or_else(|| of_form("other"));
        filled(text.unwrap_or_else(|| self.say(key)), values)
    }

    /// `1 frame`, `24 frames`.
    pub(crate) fn frames(&self, count: usize) -> String {
        self.count("frames", count, &[("count", &count.to_string())])
    }

    /// A sentence about a frame and a face, by its key.
    pub(crate) fn reason<'a>(&'a self, key: &'a str) -> &'a str {
        self.reasons.get(key).map_or(key, String::as_str)
    }

    /// What a term of a vocabulary is called.
    pub(crate) fn term<'a>(&'a self, vocabulary: Vocabulary, term: &'a Term) -> &'a str {
        let known = self.terms.get(vocabulary.key()).and_then(|terms| terms.get(term.key.as_str()));
        known.map_or(term.label.as_str(), String::as_str)
    }

    /// A term as it stands inside a sentence.
    pub(crate) fn term_in_sentence(&self, vocabulary: Vocabulary, term: &Term) -> String {
        let label = self.term(vocabulary, term);
        if self.keeps_capitals { label.to_string() } else { label.to_lowercase() }
    }

    /// Several things, one after the other.
    pub(crate) fn list<'a>(&self, things: impl IntoIterator<Item = &'a str>) -> String {
        things.into_iter().collect::<Vec<_>>().join(self.say("list_separator"))
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

    /// The name of a face shape.
    pub(crate) fn face_name(&self, shape: FaceShape) -> &str {
        self.face_guide(shape).map_or(shape.label(), |guide| &guide.name)
    }

    /// A face shape as it stands beside the word for faces.
    pub(crate) fn face_in_sentence(&self, shape: FaceShape) -> &str {
        self.face_guide(shape).map_or(shape.key(), |guide| &guide.face)
    }
}

/// A key without the ending of a plural form.
fn stem(key: &str) -> &str {
    let forms = ["_zero", "_one", "_two", "_few", "_many", "_other"];
    forms.iter().find_map(|form| key.strip_suffix(form)).unwrap_or(key)
}

fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut rest = text;
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

    #[test]
    fn every_key_in_the_code_has_words() {
        let words = Words::english();
        let mut seen = 0;
        let rooms = ["pages", "enhance", "language"].map(|room| format!("{}/src/{room}", env!("CARGO_MANIFEST_DIR")));
        for file in rooms.iter().flat_map(walkdir::WalkDir::new) {
            let file = file.expect("an entry");
            if !file.file_type().is_file() {
                continue;
            }
            let source = std::fs::read_to_string(file.path()).expect("a source file");
            for call in ["say(\"", "fill(\"", "count(\""] {
                for (at, _) in source.match_indices(call) {
                    let key = source[at + call.len()..].split('"').next().unwrap_or_default();
                    if !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                        seen += 1;
                        let other = format!("{key}_other");
                        assert!(words.get(key).or(words.get(&other)).is_some(), "`{key}` has no words");
                    }
                }
            }
        }
        assert!(seen > 50, "only {seen} keys found");
        for shape in FaceShape::ALL {
            assert!(words.face_guide(shape).is_some(), "{}", shape.key());
        }
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    fn stems(texts: &BTreeMap<String, String>) -> BTreeSet<&str> {
        texts.keys().map(|key| stem(key)).collect()
    }

    #[test]
    fn translations_are_complete_and_use_the_same_placeholders() {
        let english = Words::parse(super::super::ENGLISH).expect("readable");
        for (language, yaml) in super::super::TRANSLATIONS {
            let words = Words::parse(yaml).unwrap_or_else(|error| panic!("{language}: {error}"));
            let plurals = Plurals::of_locale(language);
            let forms: BTreeSet<&str> = (0..200).map(|number| plurals.form(number)).collect();
            for (known, texts) in [(&english.texts, &words.texts), (&english.scripts, &words.scripts)] {
                assert_eq!(stems(known), stems(texts), "{language}");
                for (key, text) in texts {
                    let same: BTreeSet<&str> = known
                        .iter()
                        .filter(|(other, _)| stem(other) == stem(key))
                        .flat_map(|(_, text)| placeholders(text))
                        .collect();
                    assert!(placeholders(text).is_subset(&same), "{language}: {key}: {text}");
                    // Of what has plural forms every one that the language needs is there.
                    if key.ends_with("_other")
                        && known.contains_key(key)
                        && known.contains_key(&format!("{}_one", stem(key)))
                    {
                        for form in &forms {
                            let form = format!("{}_{form}", stem(key));
                            assert!(texts.contains_key(&form), "{language}: {form}");
                        }
                    }
                }
            }
            assert_eq!(Words::of_locale(language).untranslated, BTreeSet::new(), "{language}");
            assert!(english.reasons.keys().eq(words.reasons.keys()), "{language}");
            assert!(english.countries.keys().eq(words.countries.keys()), "{language}");
            assert!(!words.name.is_empty() && !words.search.stop_words.is_empty(), "{language}");
            for shape in FaceShape::ALL {
                let guide = words.face_guide(shape).expect(language);
                let texts =
                    [&guide.name, &guide.face, &guide.told, &guide.aim, &guide.suggested, &guide.less, &guide.detail];
                assert!(texts.iter().all(|text| !text.is_empty()), "{language}: {}", shape.key());
            }
            for (vocabulary, key) in [
                ("frame_shape", "round"),
                ("frame_type", "sunglasses"),
                ("rim", "rimless"),
                ("gender", "women"),
                ("color", "black"),
                ("material", "acetate"),
            ] {
                assert!(words.terms[vocabulary].contains_key(key), "{language}: {key}");
            }
        }
    }

    #[test]
    fn numbers_take_the_form_of_the_language() {
        let german = Words::of_locale("de-CH");
        assert_eq!((german.frames(1), german.frames(2)), ("1 Brille".to_string(), "2 Brillen".to_string()));
        let unknown = Words::of_locale("tlh");
        assert_eq!(unknown.frames(3), "3 frames");
        assert!(unknown.untranslated.contains("frames") && unknown.untranslated.len() > 300);
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
