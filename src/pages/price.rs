//! Prices as people of a locale write them.
//!
//! Works on minor units and text only, never on floating point numbers. Digits are Western ones in every locale, so
//! that a price looks the same in the page and to machines that read it.

use crate::catalog::money::Money;
use std::borrow::Cow;

const NO_BREAK_SPACE: char = '\u{a0}';
const NARROW_NO_BREAK_SPACE: char = '\u{202f}';

/// How a locale writes an amount of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceFormat {
    decimal: char,
    group: char,
    /// Numbers of four digits are grouped too.
    groups_four_digits: bool,
    sign: SignPlace,
    language: String,
    region: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignPlace {
    Before,
    BeforeWithSpace,
    AfterWithSpace,
}

impl PriceFormat {
    /// The format of a BCP 47 tag such as `de-AT`; unknown languages are written the English way.
    pub fn of_locale(locale: &str) -> Self {
        let mut subtags = locale.split(['-', '_']);
        let language = subtags.next().unwrap_or_default().to_ascii_lowercase();
        let region = subtags.find(|tag| tag.len() == 2).unwrap_or_default().to_ascii_uppercase();
        let (decimal, group, groups_four_digits, sign) = match (language.as_str(), region.as_str()) {
            ("de" | "it" | "fr" | "rm", "CH" | "LI") => ('.', '\u{2019}', true, SignPlace::BeforeWithSpace),
            ("de", "AT") => (',', NO_BREAK_SPACE, true, SignPlace::BeforeWithSpace),
            ("de" | "it" | "da" | "id" | "tr" | "el" | "ro" | "sl" | "hr", _) => {
                (',', '.', true, SignPlace::AfterWithSpace)
            }
            ("fr", _) => (',', NARROW_NO_BREAK_SPACE, true, SignPlace::AfterWithSpace),
            ("es", "MX" | "US" | "PR" | "GT" | "PA") => ('.', ',', true, SignPlace::Before),
            ("es", _) => (',', '.', false, SignPlace::AfterWithSpace),
            ("nl", _) => (',', '.', true, SignPlace::BeforeWithSpace),
            ("pt", "PT") => (',', NO_BREAK_SPACE, false, SignPlace::AfterWithSpace),
            ("pt", _) => (',', '.', true, SignPlace::BeforeWithSpace),
            ("pl" | "bg", _) => (',', NO_BREAK_SPACE, false, SignPlace::AfterWithSpace),
            ("cs" | "sk" | "sv" | "fi" | "nb" | "no" | "nn" | "hu" | "uk" | "ru", _) => {
                (',', NO_BREAK_SPACE, true, SignPlace::AfterWithSpace)
            }
            ("ar" | "he" | "fa", _) => ('.', ',', true, SignPlace::AfterWithSpace),
            _ => ('.', ',', true, SignPlace::Before),
        };
        Self { decimal, group, groups_four_digits, sign, language, region }
    }

    /// Writes a price, such as `$1,299.00` or `1.299,00 €`.
    pub fn write(&self, money: Money) -> String {
        self.signed(money, &money.decimal())
    }

    /// Writes a price of whole units, such as `$150`.
    pub fn write_whole(&self, money: Money) -> String {
        let decimal = money.decimal();
        self.signed(money, decimal.split_once('.').map_or(decimal.as_str(), |(whole, _)| whole))
    }

    fn signed(&self, money: Money, decimal: &str) -> String {
        let number = self.number(decimal);
        let sign = self.sign_of(money);
        match self.sign {
            // A code is never glued to the number.
            SignPlace::Before if sign.ends_with(|last: char| last.is_alphabetic()) => {
                format!("{sign}{NO_BREAK_SPACE}{number}")
            }
            SignPlace::Before => format!("{sign}{number}"),
            SignPlace::BeforeWithSpace => format!("{sign}{NO_BREAK_SPACE}{number}"),
            SignPlace::AfterWithSpace => format!("{number}{NO_BREAK_SPACE}{sign}"),
        }
    }

    /// Writes a number such as `1299.5`.
    pub(crate) fn number(&self, plain: &str) -> String {
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let mut number = String::with_capacity(plain.len() + 4);
        let is_grouped = whole.len() > if self.groups_four_digits { 3 } else { 4 };
        for (at, digit) in whole.chars().enumerate() {
            if is_grouped && at > 0 && (whole.len() - at) % 3 == 0 && digit.is_ascii_digit() {
                number.push(self.group);
            }
            number.push(digit);
        }
        if !fraction.is_empty() {
            number.push(self.decimal);
            number.push_str(fraction);
        }
        number
    }

    /// The customary sign where readers take it for this currency, the code elsewhere.
    fn sign_of(&self, money: Money) -> String {
        let code = money.currency.code();
        let is_home = code.get(..2).is_some_and(|country| country == self.region);
        let sign = match code {
            "EUR" => "€",
            "GBP" => "£",
            "JPY" => "¥",
            "INR" => "₹",
            "KRW" => "₩",
            "ILS" => "₪",
            "VND" => "₫",
            "BRL" => "R$",
            "USD" if is_home || self.region.is_empty() => "$",
            "USD" => "US$",
            "CAD" | "AUD" | "NZD" | "HKD" | "SGD" | "MXN" if is_home => "$",
            "CAD" => "CA$",
            "AUD" => "A$",
            "NZD" => "NZ$",
            "HKD" => "HK$",
            "PLN" if self.language == "pl" => "zł",
            "CZK" if self.language == "cs" => "Kč",
            "SEK" if self.language == "sv" => "kr",
            "NOK" if matches!(self.language.as_str(), "nb" | "nn" | "no") => "kr",
            "DKK" if self.language == "da" => "kr.",
            "HUF" if self.language == "hu" => "Ft",
            "TRY" if self.language == "tr" => "₺",
            "CNY" if self.language == "zh" => "¥",
            _ => code,
        };
        sign.to_string()
    }
}

/// The locale that scripts write numbers in: with Western digits, as pages have them.
pub(crate) fn script_locale(locale: &str) -> Cow<'_, str> {
    match crate::language::direction(locale) {
        "rtl" => format!("{locale}-u-nu-latn").into(),
        _ => locale.into(),
    }
}

/// The discount in whole percent, rounded down so that it is never overstated; `None` below one percent.
pub(crate) fn discount_percent(price: i64, compare_at: i64) -> Option<u8> {
    if compare_at <= price || compare_at <= 0 {
        return None;
    }
    let saved = i128::from(compare_at) - i128::from(price);
    let percent = saved * 100 / i128::from(compare_at);
    u8::try_from(percent).ok().filter(|&percent| percent > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::money::Currency;

    fn written(locale: &str, code: &str, minor: i64) -> String {
        let currency = Currency::from_code(code).expect("a currency");
        PriceFormat::of_locale(locale).write(Money { minor, currency })
    }

    #[test]
    fn prices_follow_the_locale() {
        for (locale, code, minor, expected) in [
            ("en-US", "USD", 129_900, "$1,299.00"),
            ("en-GB", "GBP", 8_900, "£89.00"),
            ("en-GB", "USD", 8_900, "US$89.00"),
            ("en-AU", "AUD", 8_900, "$89.00"),
            ("en", "AUD", 8_900, "A$89.00"),
            ("de-DE", "EUR", 129_900, "1.299,00\u{a0}€"),
            ("de-AT", "EUR", 129_900, "€\u{a0}1\u{a0}299,00"),
            ("de-CH", "CHF", 129_950, "CHF\u{a0}1’299.50"),
            ("fr-FR", "EUR", 129_900, "1\u{202f}299,00\u{a0}€"),
            ("es-ES", "EUR", 129_900, "1299,00\u{a0}€"),
            ("es-ES", "EUR", 1_299_900, "12.999,00\u{a0}€"),
            ("it-IT", "EUR", 12_900, "129,00\u{a0}€"),
            ("pt-BR", "BRL", 129_900, "R$\u{a0}1.299,00"),
            ("nl-NL", "EUR", 12_900, "€\u{a0}129,00"),
            ("pl-PL", "PLN", 129_900, "1299,00\u{a0}zł"),
            ("ja-JP", "JPY", 12_900, "¥12,900"),
            ("en", "KWD", 129_500, "KWD\u{a0}129.500"),
            ("sv-SE", "SEK", 129_900, "1\u{a0}299,00\u{a0}kr"),
            ("en-GB", "SEK", 129_900, "SEK\u{a0}1,299.00"),
        ] {
            assert_eq!(written(locale, code, minor), expected, "{locale} {code}");
        }
    }

    #[test]
    fn huge_amounts_are_exact() {
        assert_eq!(written("en-US", "USD", 9_007_199_254_740_993), "$90,071,992,547,409.93");
    }

    #[test]
    fn discounts_are_never_overstated() {
        assert_eq!(discount_percent(6_700, 10_000), Some(33));
        assert_eq!(discount_percent(6_667, 10_000), Some(33));
        assert_eq!(discount_percent(9_999, 10_000), None);
        assert_eq!(discount_percent(10_000, 10_000), None);
        assert_eq!(discount_percent(0, i64::MAX), Some(100));
    }
}
