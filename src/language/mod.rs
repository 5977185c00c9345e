//! Languages: the words of the store's pages in each of them, plural forms, writing direction.
//!
//! Takes a BCP 47 tag; gives the texts. Knows nothing of pages and products but the vocabulary that both share, so
//! that scoring and enhancing can name a text by its key and leave the words to whoever shows it.

mod collate;
mod plural;
mod words;

pub(crate) use collate::Collator;
pub use words::Words;
pub(crate) use words::{FaceGuide, plain};

macro_rules! translations {
    ($($language:literal),+) => {
        &[$(($language, include_str!(concat!("../../templates/words.", $language, ".yaml")))),+]
    };
}

/// The texts that every language falls back to.
const ENGLISH: &str = include_str!("../../templates/words.en.yaml");

/// Translations by the language's subtag.
const TRANSLATIONS: &[(&str, &str)] = translations!["ar", "de", "es", "fr", "it", "ja", "nl", "pl", "pt"];

/// The program's translation for a locale, if it has one.
fn translation(locale: &str) -> Option<&'static str> {
    let language = language_of(locale);
    TRANSLATIONS.iter().find(|(known, _)| *known == language).map(|(_, yaml)| *yaml)
}

/// Whether two BCP 47 tags are of one language, such as `de-AT` and `de`.
pub(crate) fn is_same_language(one: &str, other: &str) -> bool {
    language_of(one) == language_of(other)
}

/// The language of a BCP 47 tag: `de` of `de-CH`.
pub(crate) fn language_of(locale: &str) -> &str {
    locale.split('-').next().unwrap_or_default()
}

/// `rtl` for languages that are written from right to left.
pub(crate) fn direction(locale: &str) -> &'static str {
    match language_of(locale) {
        "ar" | "he" | "fa" | "ur" | "yi" | "ps" | "dv" | "ckb" => "rtl",
        _ => "ltr",
    }
}
