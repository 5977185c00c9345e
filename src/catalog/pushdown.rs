//! What the server can sort out before it sends anything: filters and projection, from the mapping in force.
//!
//! The server may only hold back a document that the filters, applied to the finished product, would leave out too.
//! So each filter is written as a condition to drop: every place where the fact can stand holds, beyond doubt, a value
//! that does not pass. Spellings nobody knows, numbers in text, and facts that are worked out later all get through.
//! A filter whose fact does not stand in plain paths is not sent at all.

use super::document::Value;
use super::references::References;
use super::scalars;
use super::targets::{Mappings, ProductField as Field};
use super::vocabulary::{Term, Vocabulary};
use crate::config::{PriceRange, ProductFilters};
use mongodb::bson::{Binary, Bson, Document, Regex, doc, oid::ObjectId, spec::BinarySubtype};
use rust_decimal::{Decimal, prelude::ToPrimitive};

/// Spellings that catalogues use, in every writing of their blanks; all of them fold to known keys.
const SPELLINGS: [(Vocabulary, &[&str]); 4] = [
    (
        Vocabulary::FrameShape,
        &[
            "round",
            "oval",
            "square",
            "rectangle",
            "rectangular",
            "cat eye",
            "cateye",
            "aviator",
            "pilot",
            "wayfarer",
            "browline",
            "clubmaster",
            "geometric",
            "hexagonal",
            "butterfly",
            "oversized",
            "panto",
        ],
    ),
    (
        Vocabulary::FrameType,
        &[
            "prescription",
            "glasses",
            "eyeglasses",
            "optical",
            "sunglasses",
            "sun",
            "blue light",
            "computer",
            "reading",
            "readers",
        ],
    ),
    (Vocabulary::Gender, &["women", "woman", "female", "men", "man", "male", "kids", "children", "boys", "girls"]),
    (
        Vocabulary::Material,
        &[
            "acetate",
            "titanium",
            "beta titanium",
            "stainless steel",
            "steel",
            "metal",
            "tr90",
            "aluminium",
            "aluminum",
            "wood",
            "horn",
            "plastic",
        ],
    ),
];

/// The query for one collection of products.
pub(super) fn query(mappings: &Mappings, filters: &ProductFilters, references: &References) -> Document {
    let paths = |field: Field| mappings.products.rule(field).and_then(super::mapping::Rule::plain_paths);
    let mut drop = Vec::new();
    for (vocabulary, field, wanted) in [
        (Vocabulary::FrameShape, Field::FrameShape, &filters.frame_shape),
        (Vocabulary::FrameType, Field::FrameType, &filters.frame_type),
        (Vocabulary::Gender, Field::Gender, &filters.gender),
        (Vocabulary::Material, Field::Materials, &filters.material),
    ] {
        let others = other_spellings(vocabulary, wanted);
        if let (false, Some(paths)) = (wanted.is_empty() || others.is_empty(), paths(field)) {
            drop.push(all_say(&paths, |path| only_of(path, &others)));
        }
    }
    if filters.in_stock == Some(true) {
        drop.extend(out_of_stock(&paths));
    }
    if let Some(paths) = paths(Field::Price) {
        drop.extend(out_of_range(&paths, filters.price));
    }
    let brands = (!filters.brand.is_empty()).then(|| references.brand_ids(&filters.brand)).flatten();
    drop.extend(
        brands.and_then(|ids| elsewhere(paths(Field::BrandId), paths(Field::Brand), mappings, Field::Brand, &ids)),
    );
    let categories = (!filters.category.is_empty()).then(|| references.category_ids(&filters.category)).flatten();
    drop.extend(
        categories.and_then(|ids| {
            elsewhere(paths(Field::CategoryId), paths(Field::Category), mappings, Field::Category, &ids)
        }),
    );
    if drop.is_empty() {
        doc! {}
    } else {
        doc! { "$nor": drop }
    }
}

/// What the server need not send: what is confidential or large and never read. A mapping of the store's own names all
/// that is wanted instead.
pub(super) fn projection(mappings: &Mappings) -> Option<Document> {
    const UNREAD: [&str; 20] = [
        "price.cost_price",
        "price.price_history",
        "cost_price",
        "price_history",
        "inventory.warehouse_locations",
        "warehouse_locations",
        "metadata.internal_notes",
        "metadata.created_by",
        "metadata.updated_by",
        "internal_notes",
        "created_by",
        "updated_by",
        "quality.quality_issues",
        "integration.sync_errors",
        "integration.last_sync",
        "media.optimized_images",
        "analytics.rating.distribution",
        "embedding",
        "embeddings",
        "image_embedding",
    ];
    if !mappings.own {
        return Some(UNREAD.iter().map(|path| ((*path).to_owned(), Bson::Int32(0))).collect());
    }
    let mut paths = mappings.products.all_paths()?;
    paths.push("_id".into());
    paths.sort();
    let mut wanted: Vec<String> = Vec::new();
    for path in paths {
        // A path inside one that is wanted as a whole would be refused by the server.
        if !wanted
            .iter()
            .any(|outer| path == *outer || path.strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('.')))
        {
            wanted.push(path);
        }
    }
    let is_plain = wanted.iter().all(|path| !path.contains('$') && !path.is_empty());
    is_plain.then(|| wanted.into_iter().map(|path| (path, Bson::Int32(1))).collect())
}

/// What leaves out the confidential parts of brand documents.
pub(super) fn brand_projection() -> Document {
    doc! { "manufacturer": 0, "metadata.internal_notes": 0, "metadata.created_by": 0, "metadata.updated_by": 0 }
}

/// True where at least one path has something and everything there passes `says`.
fn all_say(paths: &[String], says: impl Fn(&str) -> Document) -> Document {
    let each: Vec<Document> =
        paths.iter().map(|path| doc! { "$or": [{ path: { "$in": [null, ""] } }, says(path)] }).collect();
    let some: Vec<Document> = paths.iter().map(|path| says(path)).collect();
    doc! { "$and": [{ "$and": each }, { "$or": some }] }
}

/// True for one of the values, and for a list with nothing else in it.
fn only_of(path: &str, values: &[Bson]) -> Document {
    doc! { path: { "$in": values.to_vec(), "$not": { "$elemMatch": { "$nin": values.to_vec() } } } }
}

/// Every writing of known words that fold to none of the wanted keys.
fn other_spellings(vocabulary: Vocabulary, wanted: &[String]) -> Vec<Bson> {
    let known = SPELLINGS.iter().find(|(of, _)| *of == vocabulary).map_or([].as_slice(), |(_, words)| words);
    let mut others = Vec::new();
    for words in known {
        let passes = Term::parse(vocabulary, words).is_none_or(|term| wanted.contains(&term.key));
        if passes {
            continue;
        }
        let title: Vec<String> = words
            .split(' ')
            .map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect())
            .collect();
        for blank in [" ", "_", "-"] {
            let lower = words.replace(' ', blank);
            others.extend([lower.clone(), lower.to_uppercase(), title.join(blank)]);
        }
    }
    others.sort();
    others.dedup();
    others.into_iter().map(Bson::String).collect()
}

fn out_of_stock(paths: &impl Fn(Field) -> Option<Vec<String>>) -> Vec<Document> {
    let mut drop: Vec<Document> = Vec::new();
    let gone = ["out_of_stock", "discontinued", "out-of-stock", "sold_out"];
    // Every status is heard and the least hopeful counts, so one is enough.
    for path in paths(Field::Availability).unwrap_or_default() {
        drop.push(doc! { path: { "$in": gone.to_vec() } });
    }
    if let Some(paths) = paths(Field::InStock) {
        drop.push(all_say(&paths, |path| doc! { path: false }));
    }
    drop
}

fn out_of_range(paths: &[String], range: PriceRange) -> Option<Document> {
    // Prices are rounded to the currency's digits later; a unit more than the range leaves room for that.
    let bound = |bound: Option<Decimal>, margin: i64| bound.and_then(|bound| (bound + Decimal::from(margin)).to_f64());
    let (low, high) = (bound(range.min, -1), bound(range.max, 1));
    if low.is_none() && high.is_none() {
        return None;
    }
    let outside = |path: &str| {
        let mut ends = Vec::new();
        ends.extend(low.map(|low| doc! { path: { "$type": "number", "$gte": 0, "$lt": low } }));
        ends.extend(high.map(|high| doc! { path: { "$type": "number", "$gt": high } }));
        doc! { "$or": ends, path: { "$not": { "$type": "array" } } }
    };
    let each: Vec<Document> = paths
        .iter()
        // One dialect has a number where another has a group of prices; a group says nothing by itself.
        .map(|path| doc! { "$or": [{ path: { "$in": [null, ""] } }, { path: { "$type": "object" } }, outside(path)] })
        .collect();
    let some: Vec<Document> = paths.iter().map(|path| outside(path)).collect();
    Some(doc! { "$and": [{ "$and": each }, { "$or": some }] })
}

/// Drops documents that point, by ids beyond doubt, at other brands or categories only, and name none.
fn elsewhere(
    id_paths: Option<Vec<String>>,
    name_paths: Option<Vec<String>>,
    mappings: &Mappings,
    name: Field,
    ids: &[String],
) -> Option<Document> {
    let id_paths = id_paths?;
    if mappings.products.rule(name).is_some() && name_paths.is_none() {
        return None;
    }
    let wanted: Vec<Bson> = ids.iter().flat_map(|id| scalars::id_forms(id)).filter_map(bson).collect();
    let nameless = name_paths.unwrap_or_default().into_iter().map(|path| doc! { path: { "$in": [null, ""] } });
    let elsewhere = |path: &str| {
        let doubtful_text = doc! { "$type": "string", "$not": Regex { pattern: hex_pattern(), options: mongodb::bson::raw::cstr!("").into() } };
        doc! { "$and": [
            { path: { "$type": ["objectId", "string"], "$nin": wanted.clone() } },
            { path: { "$not": { "$elemMatch": { "$not": { "$type": ["objectId", "string"] } } } } },
            { path: { "$not": { "$elemMatch": doubtful_text.clone() } } },
            { "$nor": [{ path: doubtful_text }] },
        ] }
    };
    let mut conditions: Vec<Document> = nameless.collect();
    conditions.push(all_say(&id_paths, elsewhere));
    Some(doc! { "$and": conditions })
}

/// An ObjectId written as text in lower case; any other text may be an id in a form that only the mapping understands.
fn hex_pattern() -> mongodb::bson::raw::CString {
    mongodb::bson::raw::cstr!("^[0-9a-f]{24}$").into()
}

fn bson(value: Value<'static>) -> Option<Bson> {
    Some(match value {
        Value::Text(text) => Bson::String(text.into_owned()),
        Value::ObjectId(bytes) => Bson::ObjectId(ObjectId::from_bytes(bytes)),
        Value::Uuid(bytes) => Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: bytes.to_vec() }),
        Value::Int(number) => Bson::Int64(number),
        _ => return None,
    })
}
