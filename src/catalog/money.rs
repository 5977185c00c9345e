//! Money: exact amounts in a currency's own minor units.
//!
//! Amounts come in as decimals of any length and are rounded once, half to even, to the digits the
//! currency has (ISO 4217: two for EUR, none for JPY, three for KWD). No binary float ever holds a price.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An ISO 4217 currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads an ISO 4217 code in any letter case; `None` when no such currency exists.
    pub fn from_code(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(&code.trim().to_ascii_uppercase()).map(Self)
    }

    /// The three-letter code, upper case.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The customary sign, such as `€`; the code where a currency has none.
    pub fn sign(self) -> String {
        self.0.symbol().to_string()
    }

    /// How many decimal digits the currency has.
    pub fn digits(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom(format!("`{code}` is not an ISO 4217 code")))
    }
}

/// An amount of money in minor units (cents, yen, fils).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units of `currency`; never negative for a price.
    pub minor: i64,
    /// The currency the minor units belong to.
    pub currency: Currency,
}

impl Money {
    /// Rounds a decimal amount to the currency's digits, half to even; `None` when it does not fit 64 bits.
    pub fn from_decimal(amount: Decimal, currency: Currency) -> Option<Self> {
        let digits = currency.digits();
        let rounded = amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
        let factor = Decimal::from(10_i64.checked_pow(digits)?);
        let minor = rounded.checked_mul(factor)?.to_i64()?;
        Some(Self { minor, currency })
    }

    /// The amount as a plain decimal with the currency's digits, such as `129.00`, for machines to read.
    pub fn decimal(self) -> String {
        let digits = self.currency.digits();
        Decimal::new(self.minor, digits).to_string()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.decimal(), self.currency.code())
    }
}

/// Reads an amount as people and exports write it: `129`, `$129.00`, `129,00 €`, `1.299,00`, `1,299.00`, `CHF 1'299.50`.
///
/// The last `.` or `,` is the decimal sign unless exactly three digits follow it and another grouping sign or
/// nothing but digits stands before it with no sign of the other kind (`1,299` is one thousand two hundred).
pub fn parse_amount(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if let Ok(plain) = Decimal::from_str(text) {
        return Some(plain);
    }
    if let Ok(scientific) = Decimal::from_scientific(text) {
        return Some(scientific);
    }
    let first = text.find(|c: char| c.is_ascii_digit())?;
    let last = text.rfind(|c: char| c.is_ascii_digit())?;
    // `129.-` is a price without cents; only a sign before the digits makes it negative.
    let negative = text[..first].contains(['-', '\u{2212}']);
    let number = &text[first..=last];
    if !is_one_number(number) {
        return None;
    }
    let core: String = number.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).collect();
    let decimal_at = core.rfind(['.', ',']).filter(|&at| {
        let sign = core.as_bytes()[at] as char;
        let other = if sign == '.' { ',' } else { '.' };
        let fraction = core.len() - at - 1;
        let repeated = core.matches(sign).count() > 1;
        !repeated && (fraction != 3 || core.contains(other))
    });
    let (whole, fraction) = match decimal_at {
        Some(at) => (&core[..at], &core[at + 1..]),
        None => (core.as_str(), ""),
    };
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let number = format!("{}{whole}.{fraction}0", if negative { "-" } else { "" });
    Decimal::from_str(&number).ok()
}

/// Whether text from a first to a last digit is a single number: a range (`99-129`), a size (`52-18-140`) or a sentence
/// (`2 for 100`) is not. Blanks and apostrophes may stand before groups of three digits.
fn is_one_number(number: &str) -> bool {
    let mut rest = number.split([' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}']);
    let head = rest.next().unwrap_or_default();
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    let groups = |part: &str| part.chars().take_while(char::is_ascii_digit).count() == 3;
    plain(head) && rest.all(|part| plain(part) && groups(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro(text: &str) -> Option<String> {
        let euro = Currency::from_code("EUR").expect("EUR exists");
        parse_amount(text).and_then(|amount| Money::from_decimal(amount, euro)).map(Money::decimal)
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, expected) in [
            ("129", "129.00"),
            ("$129.00", "129.00"),
            ("129,00 €", "129.00"),
            ("1.299,00 €", "1299.00"),
            ("1,299.00", "1299.00"),
            ("1,299", "1299.00"),
            ("CHF 1'299.50", "1299.50"),
            ("1.29E+2", "129.00"),
            ("-5", "-5.00"),
            ("89.9", "89.90"),
            ("0.125", "0.12"),
            ("129.-", "129.00"),
            ("1 299,00 €", "1299.00"),
            ("-1,50 €", "-1.50"),
            ("US$ 129.00", "129.00"),
        ] {
            assert_eq!(euro(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(euro("on request"), None);
        assert_eq!(euro(""), None);
        for text in ["NaN", "Infinity", "99-129", "52-18-140", "2 for 100", "129 incl. 19% VAT", "9E+900", "2024-05-01"]
        {
            assert_eq!(euro(text), None, "{text}");
        }
    }

    #[test]
    fn a_currency_keeps_its_own_digits() {
        let yen = Currency::from_code("jpy").expect("JPY exists");
        let amount = parse_amount("12900.4").expect("a number");
        assert_eq!(Money::from_decimal(amount, yen).expect("fits").decimal(), "12900");
    }
}
