//! Plural forms: which of its forms a language uses with a number, by the rules of Unicode's CLDR.

use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules};
use std::fmt;
use std::sync::Arc;

/// The rules of one language.
#[derive(Clone, Default)]
pub(crate) struct Plurals(Option<Arc<PluralRules>>);

impl Plurals {
    /// The rules for a BCP 47 tag; those of its language where its region has none of its own.
    pub(crate) fn of_locale(locale: &str) -> Self {
        let rules = locale.parse::<Locale>().ok().and_then(|locale| PluralRules::try_new_cardinal(locale.into()).ok());
        Self(rules.map(Arc::new))
    }

    /// The form for a number, as keys of words end in it.
    pub(crate) fn form(&self, number: usize) -> &'static str {
        name(self.0.as_ref().map_or(PluralCategory::Other, |rules| rules.category_for(number)))
    }
}

impl fmt::Debug for Plurals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Plurals")
    }
}

fn name(category: PluralCategory) -> &'static str {
    match category {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_follow_the_language() {
        let forms = |locale: &str, numbers: &[usize]| {
            let plurals = Plurals::of_locale(locale);
            numbers.iter().map(|&number| plurals.form(number)).collect::<Vec<_>>()
        };
        assert_eq!(forms("en-GB", &[0, 1, 2]), ["other", "one", "other"]);
        assert_eq!(forms("fr", &[0, 1, 2]), ["one", "one", "other"]);
        assert_eq!(forms("pl", &[1, 2, 5, 22, 112]), ["one", "few", "many", "few", "many"]);
        assert_eq!(forms("ar", &[0, 1, 2, 3, 11, 100]), ["zero", "one", "two", "few", "many", "other"]);
        assert_eq!(forms("ja", &[1, 2]), ["other", "other"]);
        assert_eq!(forms("tlh", &[1]), ["other"]);
    }
}
