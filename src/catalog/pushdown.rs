//! What the server can sort out before it sends anything: filters and projection, from the mapping in force.
//!
//! The server may only hold back a document that the filters, applied to the finished product, would leave out too.
//! So each filter is written as a condition to drop: every place where the fact can stand holds, beyond doubt, a value
//! that does not pass. Spellings nobody knows, numbers in text, and facts that are worked out later all get through.
//! A filter whose fact does not stand in plain paths is not sent at all.

use super::document::Value;
use super::mapping::{Judged, Rule};
use super::references::References;
use super::scalars;
use super::targets::{Mappings, ProductField as Field};
use super::vocabulary::{Term, Vocabulary};
use crate::config::{PriceRange, ProductFilters};
use mongodb::bson::{Binary, Bson, Document, doc, oid::ObjectId, spec::BinarySubtype};
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
    let judged = |field: Field| mappings.products.rule(field).and_then(Rule::judged);
    let mut drop = Vec::new();
    for (vocabulary, field, wanted) in [
        (Vocabulary::FrameShape, Field::FrameShape, &filters.frame_shape),
        (Vocabulary::FrameType, Field::FrameType, &filters.frame_type),
        (Vocabulary::Gender, Field::Gender, &filters.gender),
        (Vocabulary::Material, Field::Materials, &filters.material),
    ] {
        let others = other_spellings(vocabulary, wanted);
        if let (false, Some(judged)) = (wanted.is_empty() || others.is_empty(), judged(field)) {
            drop.push(all_say(&judged, |path| only_of(path, &others)));
        }
    }
    if filters.in_stock == Some(true) {
        drop.extend(out_of_stock(&judged));
    }
    if let Some(judged) = judged(Field::Price) {
        drop.extend(out_of_range(&judged, filters.price));
    }
    let brands = (!filters.brand.is_empty()).then(|| references.brand_ids(&filters.brand)).flatten();
    drop.extend(brands.and_then(|ids| elsewhere(mappings, Field::BrandId, Field::Brand, &ids)));
    let categories = (!filters.category.is_empty()).then(|| references.category_ids(&filters.category)).flatten();
    drop.extend(categories.and_then(|ids| elsewhere(mappings, Field::CategoryId, Field::Category, &ids)));
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
    // Where texts in further languages may stand.
    let texts = [Field::Name, Field::Description, Field::ShortDescription, Field::SeoTitle, Field::SeoDescription];
    let languages = mappings.locales.iter().flat_map(|locale| {
        let language = locale.split('-').next().unwrap_or_default();
        [locale.replace('-', "_"), language.to_string()]
    });
    let languages: Vec<String> = languages.collect();
    if mappings.locales.len() > 1 {
        let beside = texts.iter().flat_map(|field| mappings.products.paths_of(*field));
        let beside: Vec<String> =
            beside.flat_map(|path| languages.iter().map(move |language| format!("{path}_{language}"))).collect();
        paths.extend(beside);
        paths.push("translations".into());
    }
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

/// True where nothing is said.
fn silent(path: &str) -> Document {
    doc! { path: { "$in": [null, ""] } }
}

/// True where at least one path has something, everything there passes `says`, and nothing stands where it would be
/// changed before it counts.
fn all_say(judged: &Judged, says: impl Fn(&str) -> Document) -> Document {
    let each = judged.paths.iter().map(|path| doc! { "$or": [silent(path), says(path)] });
    let absent = judged.absent.iter().map(|path| silent(path));
    let some: Vec<Document> = judged.paths.iter().map(|path| says(path)).collect();
    doc! { "$and": each.chain(absent).chain([doc! { "$or": some }]).collect::<Vec<_>>() }
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
        let passes = Term::parse(vocabulary, words).is_none_or(|term| wanted.iter().any(|wish| term.key == *wish));
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

fn out_of_stock(judged: &impl Fn(Field) -> Option<Judged>) -> Vec<Document> {
    const GONE: [&str; 4] = ["out_of_stock", "discontinued", "out-of-stock", "sold_out"];
    // Every word on availability is heard and the least hopeful counts, so one is enough.
    let paths = judged(Field::Availability).map(|judged| judged.paths).unwrap_or_default();
    let mut drop: Vec<Document> = paths.into_iter().map(|path| doc! { path: { "$in": GONE.to_vec() } }).collect();
    drop.extend(judged(Field::InStock).map(|judged| all_say(&judged, |path| doc! { path: false })));
    drop
}

fn out_of_range(judged: &Judged, range: PriceRange) -> Option<Document> {
    // Prices are rounded to the currency's digits later; a unit more than the range leaves room for that.
    let bound = |bound: Option<Decimal>, margin: i64| bound?.checked_add(Decimal::from(margin))?.to_f64();
    let (low, high) = (bound(range.min, -1), bound(range.max, 1));
    if low.is_none() && high.is_none() {
        return None;
    }
    let outside = |path: &str| {
        let low = low.map(|low| doc! { path: { "$type": "number", "$gte": 0, "$lt": low } });
        let high = high.map(|high| doc! { path: { "$type": "number", "$gt": high } });
        let ends: Vec<Document> = low.into_iter().chain(high).collect();
        doc! { "$or": ends, path: { "$not": { "$type": "array" } } }
    };
    // One dialect has a number where another has a group of prices; a group says nothing by itself.
    let each =
        judged.paths.iter().map(|path| doc! { "$or": [silent(path), { path: { "$type": "object" } }, outside(path)] });
    let absent = judged.absent.iter().map(|path| silent(path));
    let some: Vec<Document> = judged.paths.iter().map(|path| outside(path)).collect();
    Some(doc! { "$and": each.chain(absent).chain([doc! { "$or": some }]).collect::<Vec<_>>() })
}

/// Every form in which an id may stand in the database.
pub(super) fn id_values(id: &str) -> Vec<Bson> {
    scalars::id_forms(id).into_iter().filter_map(bson).collect()
}

/// Drops documents that point, by ids beyond doubt, at other brands or categories only, and name none.
fn elsewhere(mappings: &Mappings, id: Field, name: Field, ids: &[String]) -> Option<Document> {
    let judged = mappings.products.rule(id)?.judged()?;
    let names = match mappings.products.rule(name) {
        Some(rule) => rule.judged()?,
        None => Judged::default(),
    };
    let wanted: Vec<Bson> = ids.iter().flat_map(|id| id_values(id)).collect();
    // An ObjectId as text in lower case is one; any other text may be an id in a form that only the mapping understands.
    let doubtful = doc! { "$type": "string", "$not": { "$regex": "^[0-9a-f]{24}$" } };
    let elsewhere = |path: &str| {
        doc! { "$and": [
            { path: { "$type": ["objectId", "string"], "$nin": wanted.clone() } },
            { path: { "$not": { "$elemMatch": { "$not": { "$type": ["objectId", "string"] } } } } },
            { path: { "$not": { "$elemMatch": doubtful.clone() } } },
            { "$nor": [{ path: doubtful.clone() }] },
        ] }
    };
    let nameless = names.paths.iter().chain(&names.absent).map(|path| silent(path));
    Some(doc! { "$and": nameless.chain([all_say(&judged, elsewhere)]).collect::<Vec<_>>() })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::document::tests::raw_bson;
    use crate::catalog::references::Collecting;
    use serde_json::json;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn asked(filters: &ProductFilters) -> String {
        let mappings = Mappings::compile(None).unwrap();
        let mut collecting = Collecting::new(&mappings);
        collecting.take_brand(&raw_bson(&doc! { "_id": "riva", "name": "Riva Uno" }), "brands");
        query(&mappings, filters, &collecting.finish()).to_string()
    }

    #[test]
    fn filters_are_asked_of_the_server_only_where_it_cannot_err() {
        assert_eq!(asked(&ProductFilters::default()), "{}");
        let unsure = ProductFilters {
            min_quality_score: Some(0.5),
            tags: texts(&["new"]),
            brand: texts(&["riva-uno", "a brand that is only named in products"]),
            in_stock: Some(false),
            max_products: Some(3),
            ..ProductFilters::default()
        };
        assert_eq!(asked(&unsure), "{}");
        let brand = asked(&ProductFilters { brand: texts(&["Riva Uno"]), ..ProductFilters::default() });
        assert!(brand.contains("brand_id") && brand.contains("\"riva\""), "{brand}");
        let price = PriceRange { min: None, max: Some(Decimal::MAX) };
        assert!(asked(&ProductFilters { price, ..ProductFilters::default() }).starts_with('{'));
    }

    #[test]
    fn no_spelling_of_a_wanted_value_is_dropped() {
        for (vocabulary, words) in SPELLINGS {
            for word in words {
                let wanted = Term::parse(vocabulary, word).unwrap().key.to_string();
                let others = other_spellings(vocabulary, std::slice::from_ref(&wanted));
                assert!(!others.is_empty());
                for other in others {
                    let other = Term::parse(vocabulary, other.as_str().unwrap()).unwrap();
                    assert_ne!(other.key, wanted, "{word}");
                }
            }
        }
    }

    #[test]
    fn a_mapping_of_ones_own_asks_for_what_it_names() {
        let own = [
            ("name".to_owned(), json!("titel")),
            ("price".to_owned(), json!(["preis.netto", "preis"])),
            ("images".to_owned(), json!({ "path": "bilder.0.url" })),
        ];
        let mappings = Mappings::compile(Some(&own.into())).unwrap();
        let expected = doc! { "_id": 1, "bilder.url": 1, "id": 1, "preis": 1, "sku": 1, "titel": 1 };
        assert_eq!(projection(&mappings), Some(expected));
        let dialects = projection(&Mappings::compile(None).unwrap()).unwrap();
        assert_eq!(dialects.get("price.cost_price"), Some(&Bson::Int32(0)));
    }
}
