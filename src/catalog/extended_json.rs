//! JSON text to values, MongoDB Extended JSON included, canonical and relaxed.
//!
//! One pass over the text: a map whose first key begins with `$` and whose form is one that Extended JSON defines
//! becomes the value it stands for; any other map stays what it is. Text is borrowed wherever it holds no escapes.

use super::document::{DEEPEST, Unreadable, Value, uuid};
use super::scalars;
use mongodb::bson::{Binary, oid::ObjectId, spec::BinarySubtype};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// Decodes one value; anything but blanks behind it is an error.
pub(super) fn decode(text: &str) -> Result<Value<'_>, Unreadable> {
    let too_deep = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Reading { depth: 0, too_deep: &too_deep }.deserialize(&mut deserializer);
    value
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| if too_deep.get() { Unreadable::TooDeep } else { Unreadable::Malformed(error.to_string()) })
}

#[derive(Clone, Copy)]
struct Reading<'c> {
    depth: usize,
    too_deep: &'c Cell<bool>,
}

impl Reading<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= DEEPEST {
            self.too_deep.set(true);
            return Err(E::custom("nested too deep"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Value::Double(number as f64), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Double(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let inside = self.deeper()?;
        let mut items = Vec::with_capacity(8);
        while let Some(item) = sequence.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let inside = self.deeper()?;
        let mut entries = Vec::with_capacity(16);
        while let Some(key) = map.next_key_seed(Key)? {
            entries.push((key, map.next_value_seed(inside)?));
        }
        Ok(collapse(entries))
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
}

fn collapse<'a>(entries: Vec<(Cow<'a, str>, Value<'a>)>) -> Value<'a> {
    let special = match entries.as_slice() {
        [(key, value)] if key.starts_with('$') => one_key(key, value),
        [(first, value), (second, other)] if first.starts_with('$') => two_keys(first, value, second, other),
        _ => None,
    };
    special.unwrap_or(Value::Map(entries))
}

fn one_key<'a>(key: &str, value: &Value<'a>) -> Option<Value<'a>> {
    let text = match value {
        Value::Text(text) => Some(text.as_ref()),
        _ => None,
    };
    Some(match key {
        "$oid" => Value::ObjectId(ObjectId::parse_str(text?).ok()?.bytes()),
        "$uuid" => Value::Uuid(scalars::uuid_bytes(text?)?),
        "$numberInt" | "$numberLong" => Value::Int(text?.parse().ok()?),
        "$numberDouble" => Value::Double(text?.parse().ok()?),
        "$numberDecimal" | "$symbol" => Value::Text(Cow::Owned(text?.to_owned())),
        "$date" => match value {
            Value::Int(millis) => Value::Date(*millis),
            Value::Text(text) => Value::Date(scalars::moment_from_text(text)?),
            _ => return None,
        },
        "$timestamp" => match value.get("t")? {
            Value::Int(seconds) => Value::Date(seconds.checked_mul(1000)?),
            _ => return None,
        },
        "$binary" => {
            let (Value::Text(base64), Value::Text(subtype)) = (value.get("base64")?, value.get("subType")?) else {
                return None;
            };
            binary(base64, subtype)?
        }
        "$undefined" | "$minKey" | "$maxKey" | "$regularExpression" | "$code" | "$dbPointer" => Value::Null,
        _ => return None,
    })
}

fn two_keys<'a>(first: &str, value: &Value<'a>, second: &str, other: &Value<'a>) -> Option<Value<'a>> {
    match (first, second, value, other) {
        ("$binary", "$type", Value::Text(base64), Value::Text(subtype)) => binary(base64, subtype),
        ("$regex", "$options", ..) | ("$code", "$scope", ..) => Some(Value::Null),
        _ => None,
    }
}

fn binary<'a>(base64: &str, subtype: &str) -> Option<Value<'a>> {
    let subtype = BinarySubtype::from(u8::from_str_radix(subtype, 16).ok()?);
    let binary = Binary::from_base64(base64, subtype).ok()?;
    Some(uuid(binary.subtype, &binary.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_extended_json_are_understood() {
        let oid = Value::ObjectId([0x64, 0x9c, 0x5f, 0x0d, 0x1e, 0x4b, 0x2a, 0x00, 0x12, 0x34, 0x56, 0x78]);
        let id = [0x0d, 0x25, 0x5c, 0x04, 0x1d, 0x3c, 0x4d, 0x66, 0x9a, 0x28, 0x8b, 0x0b, 0x4e, 0x9a, 0x3d, 0x3e];
        for (text, expected) in [
            (r#"{"$oid":"649c5f0d1e4b2a0012345678"}"#, oid),
            (r#"{"$numberInt":"12"}"#, Value::Int(12)),
            (r#"{"$numberLong":"9000000000"}"#, Value::Int(9_000_000_000)),
            (r#"{"$numberDouble":"129.5"}"#, Value::Double(129.5)),
            (r#"{"$numberDouble":"-Infinity"}"#, Value::Double(f64::NEG_INFINITY)),
            (r#"{"$numberDecimal":"129.90"}"#, Value::Text("129.90".into())),
            (r#"{"$date":{"$numberLong":"1700000000000"}}"#, Value::Date(1_700_000_000_000)),
            (r#"{"$date":"2023-11-14T22:13:20Z"}"#, Value::Date(1_700_000_000_000)),
            (r#"{"$date":"2023-11-14T22:13:20.123+01:00"}"#, Value::Date(1_699_996_400_123)),
            (r#"{"$date":1700000000000}"#, Value::Date(1_700_000_000_000)),
            (r#"{"$binary":{"base64":"DSVcBB08TWaaKIsLTpo9Pg==","subType":"04"}}"#, Value::Uuid(id)),
            (r#"{"$binary":"DSVcBB08TWaaKIsLTpo9Pg==","$type":"04"}"#, Value::Uuid(id)),
            (r#"{"$uuid":"0d255c04-1d3c-4d66-9a28-8b0b4e9a3d3e"}"#, Value::Uuid(id)),
            (r#"{"$undefined":true}"#, Value::Null),
            ("18446744073709551615", Value::Double(18_446_744_073_709_551_615.0)),
            (r#""caf\u00e9""#, Value::Text("café".into())),
        ] {
            assert_eq!(decode(text), Ok(expected), "{text}");
        }
        assert!(matches!(decode(r#"{"$numberDouble":"NaN"}"#), Ok(Value::Double(number)) if number.is_nan()));
    }

    #[test]
    fn what_only_looks_like_extended_json_stays_a_map() {
        for text in [r#"{"$oid":"short"}"#, r#"{"$price":1}"#, r#"{"$date":true}"#, r#"{"$oid":"x","b":1,"c":2}"#] {
            assert!(matches!(decode(text), Ok(Value::Map(_))), "{text}");
        }
    }

    #[test]
    fn broken_text_is_an_error() {
        for text in ["", "{", r#"{"a":1"#, r#"{"a":1}}"#, r#"{"price":NaN}"#, "{'a':1}", r#"{"a":"\ud800"}"#] {
            assert!(matches!(decode(text), Err(Unreadable::Malformed(_))), "{text}");
        }
    }
}
