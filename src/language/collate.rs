//! Collation: the order in which readers of a language expect names.
//!
//! By the rules of Unicode's CLDR for the locale, so that `Ökonom` stands among the O in German and after Z in Swedish.
//! Lists that are in the store's hand-made order stay in it.

use icu_collator::options::CollatorOptions;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;

/// Puts names in order.
pub(crate) struct Collator(Option<CollatorBorrowed<'static>>);

impl Collator {
    /// The order of a BCP 47 tag.
    pub(crate) fn of_locale(locale: &str) -> Self {
        let preferences = locale.parse::<Locale>().map(CollatorPreferences::from).unwrap_or_default();
        Self(icu_collator::Collator::try_new(preferences, CollatorOptions::default()).ok())
    }

    /// A key whose order is that of the names; names that differ have keys that differ.
    pub(crate) fn key(&self, name: &str) -> Vec<u8> {
        let mut key = Vec::with_capacity(name.len() * 2 + 8);
        if let Some(collator) = &self.0 {
            // A vector takes any number of bytes.
            let _ = collator.write_sort_key_to(name, &mut key);
        }
        key.push(0);
        key.extend_from_slice(name.as_bytes());
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_where_readers_look_for_them() {
        let sorted = |locale: &str, names: &[&'static str]| {
            let collator = Collator::of_locale(locale);
            let mut names = names.to_vec();
            names.sort_by_cached_key(|name| collator.key(name));
            names
        };
        assert_eq!(sorted("de", &["Zeiss", "Öko", "Oslo", "alma"]), ["alma", "Öko", "Oslo", "Zeiss"]);
        assert_eq!(sorted("sv", &["Zeiss", "Öko", "Oslo", "alma"]), ["alma", "Oslo", "Zeiss", "Öko"]);
        assert_eq!(sorted("pl", &["Łoś", "Luna", "Mia"]), ["Luna", "Łoś", "Mia"]);
    }
}
