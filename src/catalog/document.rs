//! Documents as a source hands them over, and what is inside one.
//!
//! A [`RawDocument`] is the bytes of one document, BSON or JSON text, and where it stood; it costs nothing until it is
//! decoded, which happens in parallel. Decoding gives a [`Value`] tree that borrows its text from those bytes and means
//! the same whichever of the two it came from. Kinds that no product needs (code, regular expressions, keys of shards)
//! become [`Value::Null`]. Nothing here knows what a product is.

use super::extended_json;
use super::scalars;
use mongodb::bson::raw::{RawBson, RawBsonRef, RawElement};
use mongodb::bson::spec::{BinarySubtype, ElementType};
use mongodb::bson::{Bson, RawDocument as BsonDocument, doc};
use std::borrow::Cow;
use std::fmt;
use twox_hash::{XxHash3_64, XxHash3_128};

/// Documents may be nested this deep, as MongoDB itself allows.
pub(super) const DEEPEST: usize = 100;

/// Longest document in bytes: MongoDB's own limit.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;

/// Most characters of an id that is only told.
const LONGEST_LABEL: usize = 100;

/// One document, not yet decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDocument {
    body: Body,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Bson(Box<[u8]>),
    Json(Box<[u8]>),
    TooLarge,
}

/// Where a document stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It came from a server.
    Database,
    /// It begins on this line, counted from 1.
    Line(u64),
    /// It begins at this byte, counted from 0.
    Byte(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database => formatter.write_str("unknown"),
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Byte(byte) => write!(formatter, "byte {byte}"),
        }
    }
}

/// Why a document could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    TooLarge,
    TooDeep,
    Malformed(String),
}

/// A decoded document.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    /// Always [`Value::Map`].
    pub(super) root: Value<'a>,
    /// Some text was not valid UTF-8 and holds replacement characters now.
    pub(super) lossy: bool,
}

/// One value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    /// Also 128-bit decimals, as their decimal text.
    Text(Cow<'a, str>),
    ObjectId([u8; 12]),
    Uuid([u8; 16]),
    /// Milliseconds since 1970-01-01 UTC.
    Date(i64),
    List(Vec<Value<'a>>),
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl RawDocument {
    /// A document in BSON.
    pub fn bson(bytes: &[u8], place: Place) -> Self {
        let body = if bytes.len() > LARGEST { Body::TooLarge } else { Body::Bson(bytes.into()) };
        Self { body, place }
    }

    /// A document in JSON or MongoDB Extended JSON, canonical or relaxed.
    pub fn json(text: &[u8], place: Place) -> Self {
        let body = if text.len() > LARGEST { Body::TooLarge } else { Body::Json(text.into()) };
        Self { body, place }
    }

    /// Stands for a document too large to be taken in.
    pub fn too_large(place: Place) -> Self {
        Self { body: Body::TooLarge, place }
    }

    /// The bytes of a document in BSON.
    pub(super) fn as_bson(&self) -> Option<&[u8]> {
        match &self.body {
            Body::Bson(bytes) => Some(bytes),
            Body::Json(_) | Body::TooLarge => None,
        }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        match &self.body {
            Body::Bson(bytes) | Body::Json(bytes) => bytes.len(),
            Body::TooLarge => 0,
        }
    }

    /// A hash of the document's bytes, which tells states of a catalogue apart and not enemies: it takes a twentieth of
    /// the time that a cryptographic one does. `None` for a document that was too large to be taken in.
    pub fn digest(&self, collection: &str) -> Option<[u8; 16]> {
        let (kind, bytes) = match &self.body {
            Body::Bson(bytes) => (1, bytes),
            Body::Json(bytes) => (2, bytes),
            Body::TooLarge => return None,
        };
        let seed = XxHash3_64::oneshot_with_seed(kind, collection.as_bytes());
        Some(XxHash3_128::oneshot_with_seed(seed, bytes).to_le_bytes())
    }

    /// A hash of its collection and `_id`; `None` for one that is not from a database, or has no `_id`.
    pub fn key(&self, collection: &str) -> Option<[u8; 16]> {
        let (Body::Bson(bytes), Place::Database) = (&self.body, &self.place) else { return None };
        let id = BsonDocument::from_bytes(bytes).ok()?.get("_id").ok()??;
        Self::key_of(collection, Bson::try_from(id).ok()?)
    }

    /// The key of the document that has this `_id`.
    pub(super) fn key_of(collection: &str, id: Bson) -> Option<[u8; 16]> {
        let mut hasher = blake3::Hasher::new();
        let bytes = doc! { "_id": id }.to_vec().ok()?;
        hasher.update(collection.as_bytes()).update(&[0]).update(&bytes);
        let hash = hasher.finalize();
        Some(std::array::from_fn(|at| hash.as_bytes()[at]))
    }

    /// The `_id` of a document that cannot be decoded as a whole, or else its place.
    pub(super) fn label(&self) -> String {
        self.leading_id().unwrap_or_else(|| self.place.to_string())
    }

    fn leading_id(&self) -> Option<String> {
        let Body::Bson(bytes) = &self.body else { return None };
        let document = BsonDocument::from_bytes(bytes).ok()?;
        let element = document.iter_elements().map_while(Result::ok).find(|element| element.key().as_str() == "_id")?;
        let mut lossy = false;
        let known = bson_value(&element, 0, &mut lossy).ok().and_then(|value| scalars::identifier(&value));
        // One that is no name for a product is still what its document is found by.
        known.or_else(|| Some(scalars::clean_line(&Bson::try_from(element).ok()?.to_string(), LONGEST_LABEL)))
    }

    pub(super) fn decode(&self) -> Result<Decoded<'_>, Unreadable> {
        match &self.body {
            Body::TooLarge => Err(Unreadable::TooLarge),
            Body::Bson(bytes) => {
                let document =
                    BsonDocument::from_bytes(bytes).map_err(|error| Unreadable::Malformed(error.to_string()))?;
                let mut lossy = false;
                let root = Value::Map(bson_entries(document, 0, &mut lossy)?);
                Ok(Decoded { root, lossy })
            }
            Body::Json(bytes) => {
                let (root, lossy) = match std::str::from_utf8(bytes) {
                    Ok(text) => (extended_json::decode(text)?, false),
                    Err(_) => (extended_json::decode(&String::from_utf8_lossy(bytes))?.into_owned(), true),
                };
                match root {
                    Value::Map(_) => Ok(Decoded { root, lossy }),
                    _ => Err(Unreadable::Malformed("not a document in `{` and `}`".into())),
                }
            }
        }
    }
}

type Entries<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

fn bson_entries<'a>(document: &'a BsonDocument, depth: usize, lossy: &mut bool) -> Result<Entries<'a>, Unreadable> {
    let mut entries = Vec::with_capacity(16);
    for element in document.iter_elements() {
        let element = element.map_err(|error| Unreadable::Malformed(error.to_string()))?;
        entries.push((Cow::Borrowed(element.key().as_str()), bson_value(&element, depth + 1, lossy)?));
    }
    Ok(entries)
}

fn bson_value<'a>(element: &RawElement<'a>, depth: usize, lossy: &mut bool) -> Result<Value<'a>, Unreadable> {
    if depth > DEEPEST {
        return Err(Unreadable::TooDeep);
    }
    match element.element_type() {
        ElementType::String | ElementType::Symbol => {
            return Ok(match element.value() {
                Ok(RawBsonRef::String(text) | RawBsonRef::Symbol(text)) => Value::Text(Cow::Borrowed(text)),
                _ => match element.value_utf8_lossy() {
                    Ok(RawBson::String(text) | RawBson::Symbol(text)) => {
                        *lossy = true;
                        Value::Text(Cow::Owned(text))
                    }
                    _ => Value::Null,
                },
            });
        }
        ElementType::RegularExpression
        | ElementType::JavaScriptCode
        | ElementType::JavaScriptCodeWithScope
        | ElementType::DbPointer => return Ok(Value::Null),
        _ => {}
    }
    let value = element.value().map_err(|error| Unreadable::Malformed(error.to_string()))?;
    Ok(match value {
        RawBsonRef::Boolean(truth) => Value::Bool(truth),
        RawBsonRef::Int32(number) => Value::Int(number.into()),
        RawBsonRef::Int64(number) => Value::Int(number),
        RawBsonRef::Double(number) => Value::Double(number),
        RawBsonRef::Decimal128(number) => Value::Text(Cow::Owned(number.to_string())),
        RawBsonRef::ObjectId(id) => Value::ObjectId(id.bytes()),
        RawBsonRef::DateTime(date) => Value::Date(date.timestamp_millis()),
        RawBsonRef::Timestamp(stamp) => Value::Date(i64::from(stamp.time) * 1000),
        RawBsonRef::Binary(binary) => uuid(binary.subtype, binary.bytes),
        RawBsonRef::Document(document) => Value::Map(bson_entries(document, depth, lossy)?),
        RawBsonRef::Array(array) => {
            // Only a document's iterator hands out elements whose text may be faulty; an array has the same form.
            let malformed = |error: mongodb::bson::error::Error| Unreadable::Malformed(error.to_string());
            let elements = BsonDocument::from_bytes(array.as_bytes()).map_err(malformed)?;
            let mut items = Vec::with_capacity(8);
            for element in elements.iter_elements() {
                let element = element.map_err(|error| Unreadable::Malformed(error.to_string()))?;
                items.push(bson_value(&element, depth + 1, lossy)?);
            }
            Value::List(items)
        }
        _ => Value::Null,
    })
}

/// A UUID where the subtype says so and the length is right; other binary is nothing a store shows.
pub(super) fn uuid<'a>(subtype: BinarySubtype, bytes: &[u8]) -> Value<'a> {
    match (subtype, <[u8; 16]>::try_from(bytes)) {
        (BinarySubtype::Uuid | BinarySubtype::UuidOld, Ok(bytes)) => Value::Uuid(bytes),
        _ => Value::Null,
    }
}

impl<'a> Value<'a> {
    /// The value at a key, when this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Whether the catalogue says anything here: null, blank text and empty lists and maps say nothing.
    pub(super) fn is_given(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Text(text) => !text.trim().is_empty(),
            Self::List(items) => items.iter().any(Value::is_given),
            Self::Map(entries) => !entries.is_empty(),
            _ => true,
        }
    }

    /// The same value without borrowed text.
    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Int(number) => Value::Int(number),
            Self::Double(number) => Value::Double(number),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::ObjectId(bytes) => Value::ObjectId(bytes),
            Self::Uuid(bytes) => Value::Uuid(bytes),
            Self::Date(millis) => Value::Date(millis),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Self::Map(entries) => Value::Map(
                entries.into_iter().map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned())).collect(),
            ),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use mongodb::bson::{self, Bson, doc};
    use proptest::prelude::*;

    pub(in crate::catalog) fn raw_bson(document: &bson::Document) -> RawDocument {
        RawDocument::bson(&document.to_vec().unwrap(), Place::Database)
    }

    /// Any BSON a server could send, hostile numbers included.
    pub(in crate::catalog) fn any_bson() -> impl Strategy<Value = Bson> {
        let leaf = prop_oneof![
            Just(Bson::Null),
            any::<bool>().prop_map(Bson::Boolean),
            any::<i32>().prop_map(Bson::Int32),
            any::<i64>().prop_map(Bson::Int64),
            any::<f64>().prop_map(Bson::Double),
            Just(Bson::Double(f64::NAN)),
            any::<[u8; 16]>().prop_map(|bytes| Bson::Decimal128(bson::Decimal128::from_bytes(bytes))),
            ".*".prop_map(Bson::String),
            "[0-9.,$€ -]{0,12}".prop_map(Bson::String),
            any::<[u8; 12]>().prop_map(|bytes| Bson::ObjectId(bson::oid::ObjectId::from_bytes(bytes))),
            any::<i64>().prop_map(|millis| Bson::DateTime(bson::DateTime::from_millis(millis))),
            any::<Vec<u8>>().prop_map(|bytes| Bson::Binary(bson::Binary { subtype: BinarySubtype::Uuid, bytes })),
            Just(Bson::MaxKey),
            Just(Bson::JavaScriptCode("x".into())),
        ];
        leaf.prop_recursive(4, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Bson::Array),
                prop::collection::vec(("[a-z_]{1,8}", inner), 0..6)
                    .prop_map(|entries| Bson::Document(entries.into_iter().collect())),
            ]
        })
    }

    /// A value as mongoexport writes it, canonical or relaxed.
    pub(in crate::catalog) fn exported(value: &Bson, canonical: bool) -> serde_json::Value {
        use serde_json::json;
        match value {
            Bson::Null => json!(null),
            Bson::Boolean(truth) => json!(truth),
            Bson::Int32(number) if canonical => json!({ "$numberInt": number.to_string() }),
            Bson::Int64(number) if canonical => json!({ "$numberLong": number.to_string() }),
            Bson::Int32(number) => json!(number),
            Bson::Int64(number) => json!(number),
            Bson::Double(number) if canonical || !number.is_finite() => {
                let name = if *number == f64::INFINITY { "Infinity".into() } else { number.to_string() };
                json!({ "$numberDouble": name.replace("-inf", "-Infinity") })
            }
            Bson::Double(number) => json!(number),
            Bson::Decimal128(number) => json!({ "$numberDecimal": number.to_string() }),
            Bson::String(text) => json!(text),
            Bson::ObjectId(id) => json!({ "$oid": id.to_hex() }),
            Bson::DateTime(date) => json!({ "$date": { "$numberLong": date.timestamp_millis().to_string() } }),
            Bson::Binary(binary) => {
                let text = Bson::Binary(binary.clone());
                serde_json::to_value(text).unwrap()
            }
            Bson::Array(items) => items.iter().map(|item| exported(item, canonical)).collect(),
            Bson::Document(document) => {
                document.iter().map(|(key, item)| (key.clone(), exported(item, canonical))).collect()
            }
            _ => json!({ "$undefined": true }),
        }
    }

    fn sorted(value: Value<'_>) -> Value<'_> {
        match value {
            Value::Map(entries) => {
                let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
                entries.sort_by(|one, other| one.0.cmp(&other.0));
                Value::Map(entries)
            }
            Value::List(items) => Value::List(items.into_iter().map(sorted).collect()),
            value => value,
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_kept_with_replacement_characters() {
        let mut bytes = doc! { "_id": 7, "name": "Riva", "tail": true }.to_vec().unwrap();
        let at = bytes.windows(4).position(|window| window == b"Riva").unwrap();
        bytes[at + 1] = 0xff;
        let raw = RawDocument::bson(&bytes, Place::Database);
        let decoded = raw.decode().unwrap();
        assert!(decoded.lossy);
        assert_eq!(decoded.root.get("name"), Some(&Value::Text("R\u{fffd}va".into())));
        assert_eq!(decoded.root.get("tail"), Some(&Value::Bool(true)));

        let raw = RawDocument::json(b"{\"name\": \"R\xffva\"}", Place::Line(1));
        let decoded = raw.decode().unwrap();
        assert!(decoded.lossy);
        assert_eq!(decoded.root.get("name"), Some(&Value::Text("R\u{fffd}va".into())));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| (0..levels).fold(doc! { "x": 1 }, |inner, _| doc! { "x": inner });
        assert!(raw_bson(&nested(DEEPEST - 2)).decode().is_ok());
        assert_eq!(raw_bson(&nested(DEEPEST + 1)).decode().unwrap_err(), Unreadable::TooDeep);
        let text = format!("{{\"a\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
        let raw = RawDocument::json(text.as_bytes(), Place::Line(3));
        assert_eq!(raw.decode().unwrap_err(), Unreadable::TooDeep);
    }

    #[test]
    fn an_unreadable_document_is_called_by_its_id_where_that_can_be_read() {
        let mut bytes = doc! { "_id": "P-1", "name": "x" }.to_vec().unwrap();
        let at = bytes.windows(4).position(|window| window == b"name").unwrap();
        bytes[at - 1] = 0x66;
        let raw = RawDocument::bson(&bytes, Place::Byte(90));
        assert!(matches!(raw.decode(), Err(Unreadable::Malformed(_))));
        assert_eq!(raw.label(), "P-1");
        assert_eq!(RawDocument::json(b"{", Place::Line(17)).label(), "line 17");
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = RawDocument::bson(&bytes, Place::Byte(0)).decode();
            let _ = RawDocument::json(&bytes, Place::Line(1)).decode();
        }

        #[test]
        fn a_damaged_document_never_panics(value in any_bson(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = doc! { "_id": 1, "a": value }.to_vec().unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let raw = RawDocument::bson(&bytes, Place::Byte(0));
            let _ = raw.decode();
            let _ = raw.label();
        }

        #[test]
        fn bson_and_extended_json_decode_alike(value in any_bson()) {
            let document = doc! { "_id": 1, "value": value };
            let expected = raw_bson(&document);
            let expected = expected.decode().unwrap();
            for canonical in [true, false] {
                let text = exported(&Bson::Document(document.clone()), canonical).to_string();
                let raw = RawDocument::json(text.as_bytes(), Place::Line(1));
                let decoded = raw.decode().unwrap();
                let shown = |value: &Value<'_>| format!("{:?}", sorted(value.clone()));
                prop_assert_eq!(shown(&decoded.root), shown(&expected.root), "{}", text);
            }
        }
    }
}
