//! One value of a document to one fact: ids, numbers, dates, yes and no, clean text, addresses of media.
//!
//! Each function takes every spelling the catalogues are known to use and gives one canonical form, or `None` when the
//! value is of another kind. Nothing here knows a field by name.

use super::document::Value;
use super::money::parse_amount;
use super::text::{first_byte, is_one_line};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::str::FromStr;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime, PrimitiveDateTime};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

/// Longest id taken over; a longer one cannot be told from a mistake.
const LONGEST_ID: usize = 200;

/// Longest text that is read as a number.
const LONGEST_NUMBER: usize = 64;

/// Longest address of a picture, video or model.
const LONGEST_ADDRESS: usize = 2_048;

/// Longest picture written into the document itself.
const LONGEST_DATA_ADDRESS: usize = 100_000;

/// Milliseconds of the years 1900 to 2200; other dates are mistakes.
const PLAUSIBLE_MOMENTS: std::ops::Range<i64> = -2_208_988_800_000..7_258_118_400_000;

/// One canonical text for an id: an ObjectId and its hex text give the same, so do a UUID and its text.
pub(super) fn identifier(value: &Value<'_>) -> Option<String> {
    match value {
        Value::ObjectId(bytes) => Some(hex(bytes)),
        Value::Uuid(bytes) => Some(uuid_text(bytes)),
        Value::Int(number) => Some(number.to_string()),
        Value::Double(number) if number.is_finite() && number.abs() < 1e18 => Some(number.to_string()),
        Value::Text(text) => {
            let text = clean_line(text, LONGEST_ID + 1);
            let is_object_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_object_id || uuid_bytes(&text).is_some() {
                return Some(text.to_ascii_lowercase());
            }
            Some(text).filter(|text| !text.is_empty() && text.chars().count() <= LONGEST_ID)
        }
        _ => None,
    }
}

/// Every form in which an id may stand in a database, for queries.
pub(super) fn id_forms(id: &str) -> Vec<Value<'static>> {
    let mut forms = vec![Value::Text(Cow::Owned(id.to_owned()))];
    if let Some(bytes) = object_id_bytes(id) {
        forms.push(Value::ObjectId(bytes));
    }
    if let Some(bytes) = uuid_bytes(id) {
        forms.push(Value::Uuid(bytes));
    }
    if let Ok(number) = id.parse() {
        forms.push(Value::Int(number));
    }
    forms
}

fn object_id_bytes(text: &str) -> Option<[u8; 12]> {
    let mut bytes = [0; 12];
    if text.len() != 24 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn uuid_text(bytes: &[u8; 16]) -> String {
    let hex = hex(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The bytes of a UUID in its hyphenated form.
pub(super) fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    if text.len() != 36 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 16];
    let mut digits = text.bytes().enumerate().filter(|&(at, _)| !matches!(at, 8 | 13 | 18 | 23));
    if [8, 13, 18, 23].iter().any(|&at| text.as_bytes()[at] != b'-') {
        return None;
    }
    for byte in &mut bytes {
        let (high, low) = (digits.next()?.1 as char, digits.next()?.1 as char);
        *byte = u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()?;
    }
    Some(bytes)
}

/// The words of a value: text as it is, numbers and ids written out.
pub(super) fn text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        Value::Double(number) if number.is_finite() && number.abs() < 1e18 => Some(Cow::Owned(number.to_string())),
        Value::ObjectId(_) | Value::Uuid(_) => identifier(value).map(Cow::Owned),
        _ => None,
    }
}

/// A number; doubles by their shortest decimal text, so that 129.9 is 129.9. `None` for NaN, infinity and words.
pub(super) fn decimal(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Int(number) => Some(Decimal::from(*number)),
        Value::Double(number) if number.is_finite() && number.abs() < 1e20 => {
            Decimal::from_str(&number.to_string()).ok()
        }
        Value::Text(text) if text.len() <= LONGEST_NUMBER => parse_amount(text),
        _ => None,
    }
}

/// A number whose last digits do not matter.
pub(super) fn float(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number).filter(|number| number.is_finite()),
        _ => decimal(value)?.to_f64(),
    }
}

/// A whole number; fractions are cut off.
pub(super) fn integer(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => decimal(value)?.trunc().to_i64(),
    }
}

/// Yes or no.
pub(super) fn truth(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Double(number) => match *number {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        },
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "1" | "on" => Some(true),
            "false" | "no" | "n" | "0" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Milliseconds since 1970-01-01 UTC from a date, ISO 8601 text, or seconds or milliseconds.
pub(super) fn moment(value: &Value<'_>) -> Option<i64> {
    let millis = match value {
        Value::Date(millis) => *millis,
        Value::Text(text) => moment_from_text(text)?,
        Value::Int(_) | Value::Double(_) => {
            let number = integer(value)?;
            // Seconds of today have ten digits, milliseconds thirteen.
            if number.unsigned_abs() < 100_000_000_000 { number * 1000 } else { number }
        }
        _ => return None,
    };
    Some(millis).filter(|millis| PLAUSIBLE_MOMENTS.contains(millis))
}

/// Milliseconds since 1970-01-01 UTC from ISO 8601 text; without an offset it is UTC.
pub(super) fn moment_from_text(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.len() > LONGEST_NUMBER {
        return None;
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(text, &Iso8601::DEFAULT))
        .or_else(|_| PrimitiveDateTime::parse(&text.replacen(' ', "T", 1), &Iso8601::DEFAULT).map(|at| at.assume_utc()))
        .or_else(|_| Date::parse(text, &Iso8601::DEFAULT).map(|day| day.midnight().assume_utc()))
        .ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Characters that reorder or hide the text around them, or are blanks that nobody sees: bidirectional overrides and
/// isolates, zero-width spaces, word joiners, byte order marks.
fn is_treacherous(character: char) -> bool {
    matches!(character, '\u{200b}' | '\u{2060}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// One line without control characters, blanks collapsed, cut to so many characters between graphemes.
pub(super) fn clean_line(text: &str, longest: usize) -> String {
    if text.len() <= longest && text.is_ascii() && is_one_line(text) {
        return text.to_owned();
    }
    let mut line = String::with_capacity(text.len().min(longest * 4));
    let mut characters = 0;
    let mut blank = false;
    for character in text.chars() {
        // `\u{2028}` and its like separate words, so they are blanks before they are treacherous.
        if character.is_whitespace() {
            blank = !line.is_empty();
        } else if !character.is_control() && !is_treacherous(character) {
            if blank {
                line.push(' ');
                characters += 1;
                blank = false;
            }
            line.push(character);
            characters += 1;
            if characters > longest {
                break;
            }
        }
    }
    if characters > longest { cut(&line, longest) } else { line }
}

fn cut(line: &str, longest: usize) -> String {
    let mut kept = 0;
    let mut characters = 0;
    for (at, grapheme) in line.grapheme_indices(true) {
        characters += grapheme.chars().count();
        if characters > longest {
            break;
        }
        kept = at + grapheme.len();
    }
    if kept == 0 {
        // One grapheme alone is too long: a letter buried under marks.
        return line.chars().take(longest).collect();
    }
    line[..kept].trim_end().to_owned()
}

/// Text of several lines without control characters, at most so many bytes; the flag says whether it was cut.
pub(super) fn clean_block(text: &str, longest: usize) -> (String, bool) {
    let keep =
        |character: char| matches!(character, '\n' | '\t') || !(character.is_control() || is_treacherous(character));
    let text = text.trim();
    let end = if text.len() > longest { text.floor_char_boundary(longest) } else { text.len() };
    let head = &text[..end];
    // Nearly all texts are plain ones, for which there is no need to look at every character.
    let is_suspect = |byte: u8| ((byte < b' ') & (byte != b'\n') & (byte != b'\t')) | (byte >= 0x7f);
    let block = if first_byte(head.as_bytes(), is_suspect).is_none() {
        head.to_owned()
    } else {
        head.chars().filter(|character| keep(*character)).collect()
    };
    (block, end < text.len())
}

/// Where a picture, video or model may come from; `None` for anything that could run or leave its folder.
pub(super) fn media_address(text: &str, data_allowed: bool) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(|character| character.is_control() || is_treacherous(character)) {
        return None;
    }
    if data_allowed && text.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("data:image/")) {
        return Some(text.to_owned()).filter(|text| text.len() <= LONGEST_DATA_ADDRESS);
    }
    if text.len() > LONGEST_ADDRESS {
        return None;
    }
    if let Some(rest) = text.strip_prefix("//") {
        return web_address(&format!("https://{rest}"));
    }
    match text.split_once(':') {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#']) => match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => web_address(text),
            "gridfs" if rest.starts_with("//") && is_inside(&rest[2..]) => Some(text.to_owned()),
            _ => None,
        },
        _ => is_inside(text).then(|| text.trim_start_matches("./").to_owned()),
    }
}

/// An `http(s)` URL in its normal form.
pub(super) fn web_address(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST_ADDRESS {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let carries_secret = !url.username().is_empty() || url.password().is_some();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && !carries_secret).then(|| url.into())
}

/// Whether a relative path stays below where it starts.
fn is_inside(path: &str) -> bool {
    let decoded = path.replace("%2e", ".").replace("%2E", ".").replace("%2f", "/").replace("%2F", "/");
    !decoded.is_empty()
        && !decoded.starts_with('/')
        && !decoded.contains('\\')
        && !decoded.to_ascii_lowercase().contains("%5c")
        && decoded.split('/').all(|segment| segment != "..")
}

/// A GTIN of 8, 12, 13 or 14 digits with the right check digit. A number has lost its leading zeros; they are restored.
pub(super) fn gtin(value: &Value<'_>) -> Option<String> {
    let text = text(value)?;
    let digits: String = text.trim().chars().filter(|character| !matches!(character, ' ' | '-')).collect();
    if digits.len() > 14 || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded = |length: usize| format!("{digits:0>length$}");
    let candidates: Vec<String> = match value {
        Value::Text(_) => vec![digits.clone()].into_iter().filter(|d| matches!(d.len(), 8 | 12 | 13 | 14)).collect(),
        _ => [8, 12, 13, 14].into_iter().filter(|&length| length >= digits.len()).map(padded).take(1).collect(),
    };
    candidates.into_iter().find(|candidate| has_right_check_digit(candidate))
}

fn has_right_check_digit(digits: &str) -> bool {
    let weighted = |(at, byte): (usize, u8)| u32::from(byte - b'0') * if at % 2 == 0 { 1 } else { 3 };
    digits.bytes().any(|byte| byte != b'0')
        && digits.bytes().rev().enumerate().map(weighted).sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    #[test]
    fn one_id_has_one_text() {
        let bytes = [0x64, 0x9c, 0x5f, 0x0d, 0x1e, 0x4b, 0x2a, 0x00, 0x12, 0x34, 0x56, 0x78];
        let uuid = uuid_bytes("0D255C04-1d3c-4d66-9a28-8b0b4e9a3d3e").unwrap();
        for (value, expected) in [
            (Value::ObjectId(bytes), Some("649c5f0d1e4b2a0012345678")),
            (words("649C5F0D1E4B2A0012345678"), Some("649c5f0d1e4b2a0012345678")),
            (Value::Uuid(uuid), Some("0d255c04-1d3c-4d66-9a28-8b0b4e9a3d3e")),
            (words("0D255C04-1D3C-4D66-9A28-8B0B4E9A3D3E"), Some("0d255c04-1d3c-4d66-9a28-8b0b4e9a3d3e")),
            (Value::Int(42), Some("42")),
            (Value::Double(42.0), Some("42")),
            (words(" SKU-7 "), Some("SKU-7")),
            (words("  "), None),
            (Value::Double(f64::NAN), None),
            (Value::Null, None),
        ] {
            assert_eq!(identifier(&value).as_deref(), expected, "{value:?}");
        }
        assert_eq!(identifier(&words(&"x".repeat(500))), None);
        for id in ["649c5f0d1e4b2a0012345678", "0d255c04-1d3c-4d66-9a28-8b0b4e9a3d3e", "42", "SKU-7"] {
            assert!(id_forms(id).iter().all(|form| identifier(form).as_deref() == Some(id)), "{id}");
        }
    }

    #[test]
    fn numbers_come_without_binary_noise() {
        for (value, expected) in [
            (Value::Double(129.9), Some("129.9")),
            (Value::Double(0.1 + 0.2), Some("0.30000000000000004")),
            (Value::Int(129), Some("129")),
            (words("129,00 €"), Some("129.000")),
            (words("1.29E+2"), Some("129")),
            (Value::Double(f64::NAN), None),
            (Value::Double(f64::INFINITY), None),
            (Value::Double(1e300), None),
            (words("NaN"), None),
            (words("Infinity"), None),
            (Value::Bool(true), None),
        ] {
            assert_eq!(decimal(&value).map(|number| number.to_string()).as_deref(), expected, "{value:?}");
        }
        assert_eq!(decimal(&words(&"9".repeat(100_000))), None);
    }

    #[test]
    fn moments_are_read_in_every_spelling() {
        for value in [
            Value::Date(1_700_000_000_000),
            Value::Int(1_700_000_000),
            Value::Int(1_700_000_000_000),
            Value::Double(1_700_000_000.0),
            words("2023-11-14T22:13:20Z"),
            words("2023-11-14T23:13:20+01:00"),
            words("2023-11-14T22:13:20"),
            words("2023-11-14 22:13:20"),
        ] {
            assert_eq!(moment(&value), Some(1_700_000_000_000), "{value:?}");
        }
        assert_eq!(moment(&words("2023-11-14")), Some(1_699_920_000_000));
        for value in [Value::Date(i64::MAX), words("yesterday"), Value::Null, Value::Double(f64::NAN)] {
            assert_eq!(moment(&value), None, "{value:?}");
        }
    }

    #[test]
    fn lines_are_clean_and_bounded() {
        assert_eq!(clean_line("  A\u{0}c\u{202e}e\t\n tate\u{2028}1 ", 300), "Ace tate 1");
        assert_eq!(clean_line(&"é".repeat(400), 300).chars().count(), 300);
        let family = "👨‍👩‍👧‍👦";
        let cut = clean_line(&family.repeat(100), 300);
        assert_eq!(cut, family.repeat(300 / family.chars().count()));
        let buried = format!("a{}", "\u{301}".repeat(1000));
        assert_eq!(clean_line(&buried, 300).chars().count(), 300);
        assert_eq!(clean_block(" one\r\n\u{0}two ", 100), ("one\ntwo".into(), false));
        assert_eq!(clean_block("éé", 3), ("é".into(), true));
    }

    #[test]
    fn media_come_from_the_web_or_from_inside_the_catalogue() {
        for (text, expected) in [
            ("https://cdn.example.com/a b.jpg", Some("https://cdn.example.com/a%20b.jpg")),
            ("//cdn.example.com/a.jpg", Some("https://cdn.example.com/a.jpg")),
            ("images/a.jpg", Some("images/a.jpg")),
            ("./images/a.jpg", Some("images/a.jpg")),
            ("gridfs://images/64ab", Some("gridfs://images/64ab")),
            ("data:image/png;base64,AAAA", Some("data:image/png;base64,AAAA")),
            ("images/a:b.jpg", Some("images/a:b.jpg")),
            ("javascript:alert(1)", None),
            ("JavaScript:alert(1)", None),
            ("java\nscript:alert(1)", None),
            ("data:text/html,<script>", None),
            ("file:///etc/passwd", None),
            ("/etc/passwd", None),
            ("../secret.jpg", None),
            ("images/../../secret.jpg", None),
            ("images/%2e%2E/secret.jpg", None),
            ("gridfs://../x", None),
            ("C:\\x.jpg", None),
            ("a\\..\\x.jpg", None),
            ("https://user:secret@example.com/a.jpg", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(media_address(text, true).as_deref(), expected, "{text}");
        }
        assert_eq!(media_address("data:image/png;base64,AAAA", false), None);
    }

    #[test]
    fn a_gtin_needs_its_check_digit() {
        for (value, expected) in [
            (words("4006381333931"), Some("4006381333931")),
            (words("0 36000 29145 2"), Some("036000291452")),
            (Value::Int(36_000_291_452), Some("036000291452")),
            (words("73513537"), Some("73513537")),
            (words("4006381333930"), None),
            (words("0000000000000"), None),
            (words("36000291452"), None),
            (words("UPC 123"), None),
            (Value::Bool(true), None),
        ] {
            assert_eq!(gtin(&value).as_deref(), expected, "{value:?}");
        }
    }
}
