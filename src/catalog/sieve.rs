//! Judges documents by a query of [`super::pushdown`], as the server would, where they come from another store's reading.
//!
//! A store that is read alone never sees what its query holds back; one that shares a reading must not see it either, or
//! the next reading alone would find other documents than are remembered. Only what those queries are made of is known
//! here. A document that cannot be judged beyond doubt gets through, as the filters are applied to products in any case.

use super::document::RawDocument;
use mongodb::bson::raw::{RawArray, RawBsonRef};
use mongodb::bson::{Bson, Document, RawDocument as BsonDocument};
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Numbers beyond this may change when they become doubles.
const LARGEST_EXACT: u64 = 1 << 53;

/// The text of an ObjectId, as the queries write it.
const OBJECT_ID: &str = "^[0-9a-f]{24}$";

/// Whether a query finds a document, or may find it.
pub(super) fn lets_through(query: &Document, document: &RawDocument) -> bool {
    let judged = || finds(query, BsonDocument::from_bytes(document.as_bson()?).ok()?);
    query.is_empty() || judged().unwrap_or(true)
}

/// Whether a query finds a document; `None` where that is in doubt.
fn finds(query: &Document, document: &BsonDocument) -> Option<bool> {
    for (key, condition) in query {
        let finds_one = |part: &Bson| finds(part.as_document()?, document);
        let is_met = match key.as_str() {
            "$and" => !any(condition.as_array()?, |part| finds_one(part).map(|found| !found))?,
            "$or" => any(condition.as_array()?, finds_one)?,
            "$nor" => !any(condition.as_array()?, finds_one)?,
            path if path.starts_with('$') => return None,
            path => {
                let mut values = Vec::new();
                gather(document, path, &mut values)?;
                meets(condition, &values, true)?
            }
        };
        if !is_met {
            return Some(false);
        }
    }
    Some(true)
}

fn any<T>(items: impl IntoIterator<Item = T>, holds: impl Fn(T) -> Option<bool>) -> Option<bool> {
    for item in items {
        if holds(item)? {
            return Some(true);
        }
    }
    Some(false)
}

/// What stands at a path, `None` in the list for nothing. Lists on the way are looked into, the last one is not.
fn gather<'d>(document: &'d BsonDocument, path: &str, values: &mut Vec<Option<RawBsonRef<'d>>>) -> Option<()> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    match (document.get(name).ok()?, rest) {
        (value, None) => values.push(value),
        (Some(RawBsonRef::Document(inner)), Some(rest)) => gather(inner, rest, values)?,
        (Some(RawBsonRef::Array(items)), Some(rest)) => {
            // A number may be a place in the list, or a name in its documents.
            if rest.starts_with(|first: char| first.is_ascii_digit()) {
                return None;
            }
            for item in items {
                if let RawBsonRef::Document(inner) = item.ok()? {
                    gather(inner, rest, values)?;
                }
            }
        }
        (_, Some(_)) => values.push(None),
    }
    Some(())
}

/// Whether the values at a path meet a condition; with `into_lists`, a list by any of its items as well as by itself.
fn meets(condition: &Bson, values: &[Option<RawBsonRef<'_>>], into_lists: bool) -> Option<bool> {
    let some = |holds: &dyn Fn(Option<RawBsonRef<'_>>) -> Option<bool>| {
        any(values, |&value| match value {
            Some(RawBsonRef::Array(items)) if into_lists => {
                Some(among(items, &|item| holds(Some(item)))? || holds(value)?)
            }
            value => holds(value),
        })
    };
    let Bson::Document(operators) = condition else { return some(&|value| equals(value, condition)) };
    for (operator, operand) in operators {
        let is_met = match operator.as_str() {
            "$not" => !meets(operand, values, into_lists)?,
            "$in" => some(&|value| any(operand.as_array()?, |one| equals(value, one)))?,
            "$nin" => !some(&|value| any(operand.as_array()?, |one| equals(value, one)))?,
            "$elemMatch" => any(values, |value| match value {
                Some(RawBsonRef::Array(items)) => among(items, &|item| meets(operand, &[Some(item)], false)),
                _ => Some(false),
            })?,
            "$type" => some(&|value| match operand {
                Bson::Array(kinds) => any(kinds, |kind| is_of(value, kind.as_str()?)),
                kind => is_of(value, kind.as_str()?),
            })?,
            "$lt" => some(&|value| Some(order(value, operand)? == Some(Ordering::Less)))?,
            "$gt" => some(&|value| Some(order(value, operand)? == Some(Ordering::Greater)))?,
            "$gte" => some(&|value| Some(matches!(order(value, operand)?, Some(Ordering::Greater | Ordering::Equal))))?,
            "$regex" if operand.as_str() == Some(OBJECT_ID) => some(&|value| Some(is_object_id(value)))?,
            _ => return None,
        };
        if !is_met {
            return Some(false);
        }
    }
    Some(true)
}

fn among(items: &RawArray, holds: &dyn Fn(RawBsonRef<'_>) -> Option<bool>) -> Option<bool> {
    any(items, |item| holds(item.ok()?))
}

fn equals(value: Option<RawBsonRef<'_>>, wanted: &Bson) -> Option<bool> {
    Some(match (value, wanted) {
        // What these are equal to differs from one version of the server to another.
        (Some(RawBsonRef::Undefined | RawBsonRef::Symbol(_)), _) => return None,
        (None | Some(RawBsonRef::Null), wanted) => *wanted == Bson::Null,
        (Some(RawBsonRef::String(text)), Bson::String(wanted)) => text == wanted,
        (Some(RawBsonRef::Boolean(truth)), Bson::Boolean(wanted)) => truth == *wanted,
        (Some(RawBsonRef::ObjectId(id)), Bson::ObjectId(wanted)) => id == *wanted,
        (Some(RawBsonRef::Binary(binary)), Bson::Binary(wanted)) => {
            (binary.subtype, binary.bytes) == (wanted.subtype, &wanted.bytes)
        }
        (value, Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_)) => order(value, wanted)? == Some(Ordering::Equal),
        (_, Bson::Null | Bson::String(_) | Bson::Boolean(_) | Bson::ObjectId(_) | Bson::Binary(_)) => false,
        _ => return None,
    })
}

fn is_of(value: Option<RawBsonRef<'_>>, kind: &str) -> Option<bool> {
    use RawBsonRef::{Array, Decimal128, Document, Double, Int32, Int64, ObjectId, String};
    Some(match kind {
        "number" => matches!(value, Some(Double(_) | Int32(_) | Int64(_) | Decimal128(_))),
        "string" => matches!(value, Some(String(_))),
        "object" => matches!(value, Some(Document(_))),
        "objectId" => matches!(value, Some(ObjectId(_))),
        "array" => matches!(value, Some(Array(_))),
        _ => return None,
    })
}

/// How a value compares with a number; `Some(None)` for what is no number.
fn order(value: Option<RawBsonRef<'_>>, bound: &Bson) -> Option<Option<Ordering>> {
    let exact = |number: i64| (number.unsigned_abs() <= LARGEST_EXACT).then_some(number as f64);
    let bound = match bound {
        Bson::Int32(number) => f64::from(*number),
        Bson::Int64(number) => exact(*number)?,
        Bson::Double(number) => *number,
        _ => return None,
    };
    let number = match value {
        Some(RawBsonRef::Int32(number)) => f64::from(number),
        Some(RawBsonRef::Int64(number)) => exact(number)?,
        Some(RawBsonRef::Double(number)) => number,
        Some(RawBsonRef::Decimal128(number)) => {
            let number = number.to_string();
            let number = Decimal::from_str_exact(&number).or_else(|_| Decimal::from_scientific(&number)).ok()?;
            return Some(Some(number.cmp(&Decimal::from_f64_retain(bound)?)));
        }
        _ => return Some(None),
    };
    Some(number.partial_cmp(&bound))
}

fn is_object_id(value: Option<RawBsonRef<'_>>) -> bool {
    let Some(RawBsonRef::String(text)) = value else { return false };
    // A `$` stands before a line break at the end as well.
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.len() == 24 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::{Decimal128, RawDocumentBuf, doc, oid::ObjectId};
    use std::str::FromStr as _;

    fn judged(query: Document, document: &Document) -> Option<bool> {
        finds(&query, &RawDocumentBuf::try_from(document).expect("BSON"))
    }

    #[test]
    fn a_path_finds_what_a_server_finds_there() {
        let document = doc! {
            "a": { "b": 5, "none": null, "list": [1, "two", ["three"]] },
            "items": [{ "tag": "x" }, { "other": 1 }, 7],
            "empty": [], "scalar": 3, "price": Decimal128::from_str("129.00").expect("a number"),
            "vast": Decimal128::from_str("1E+6000").expect("a number"),
        };
        for (query, found) in [
            (doc! { "a.b": { "$in": [5_i64] } }, true),
            (doc! { "a.b": { "$type": "number", "$gte": 0.0, "$lt": 5.5 } }, true),
            (doc! { "a.b": { "$gt": 5.0 } }, false),
            (doc! { "a.none": { "$in": [null, ""] } }, true),
            (doc! { "a.list": { "$in": ["two"] } }, true),
            (doc! { "a.list": { "$in": ["three"] } }, false),
            (doc! { "a.list": { "$type": "array" } }, true),
            (doc! { "a.list": { "$elemMatch": { "$nin": ["two"] } } }, true),
            (doc! { "a.b": { "$not": { "$elemMatch": { "$nin": [5_i64] } } } }, true),
            (doc! { "a.b": { "$type": ["objectId", "string"] } }, false),
            // Of documents in a list, one without the field is silent; other things in the list say nothing.
            (doc! { "items.tag": { "$in": [null] } }, true),
            (doc! { "items.tag": { "$nin": ["x"] } }, false),
            (doc! { "empty.tag": { "$in": [null] } }, false),
            (doc! { "empty": { "$in": [null, ""] } }, false),
            (doc! { "scalar.tag": { "$in": [null] } }, true),
            (doc! { "missing": false }, false),
            (doc! { "$nor": [{ "a.b": 5 }, { "scalar": 4 }] }, false),
            (doc! { "$and": [{ "a.b": 5 }, { "$or": [{ "scalar": 4 }, { "scalar": 3 }] }] }, true),
            (doc! { "price": { "$gte": 129.0, "$lt": 129.5 } }, true),
            (doc! { "price": { "$gt": 129.0 } }, false),
        ] {
            assert_eq!(judged(query.clone(), &document), Some(found), "{query}");
        }
        assert_eq!(judged(doc! { "vast": { "$lt": 1.0 } }, &document), None);
        assert_eq!(judged(doc! { "items.0.tag": "x" }, &document), None);
        assert_eq!(judged(doc! { "a.b": { "$bitsAllSet": 1 } }, &document), None);
    }

    #[test]
    fn ids_in_text_are_told_as_a_server_tells_them() {
        let id = ObjectId::from_bytes([0xab; 12]);
        let doubtful = |value: Bson| {
            judged(doc! { "id": { "$type": "string", "$not": { "$regex": OBJECT_ID } } }, &doc! { "id": value })
        };
        assert_eq!(doubtful(id.into()), Some(false));
        assert_eq!(doubtful(id.to_hex().into()), Some(false));
        assert_eq!(doubtful(format!("{}\n", id.to_hex()).into()), Some(false));
        assert_eq!(doubtful(id.to_hex().to_uppercase().into()), Some(true));
        assert_eq!(judged(doc! { "id": { "$in": [id] } }, &doc! { "id": id }), Some(true));
    }
}
