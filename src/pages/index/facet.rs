//! Facets: what shoppers narrow a listing by, their values, and for each product which of them it has.
//!
//! Takes records; makes a column a facet: the different sets of values, and for each product the number of its set.

use super::code;
use super::price_range::{PriceRange, Prices};
use crate::assets::drawing::swatch;
use crate::catalog::vocabulary::FaceShape;
use crate::enhance::ProductRecord;
use crate::enhance::record::TermId;
use crate::enhance::size::{Progressive, SizeClass};
use crate::pages::plan::{Subject, lineage};
use crate::pages::shop::Shop;
use serde_json::{Value as Json, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// What a facet is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FacetKind {
    Face,
    Shape,
    Type,
    Brand,
    Category,
    Price,
    Size,
    Color,
    Material,
    Rim,
    Gender,
    Lenses,
    Feature,
    Stock,
    Offer,
}

impl FacetKind {
    /// Every kind, in the order shoppers see them.
    pub(crate) const ALL: [Self; 15] = [
        Self::Face,
        Self::Shape,
        Self::Type,
        Self::Price,
        Self::Brand,
        Self::Size,
        Self::Color,
        Self::Material,
        Self::Rim,
        Self::Gender,
        Self::Lenses,
        Self::Feature,
        Self::Category,
        Self::Stock,
        Self::Offer,
    ];

    /// Key, as in addresses.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Shape => "shape",
            Self::Type => "type",
            Self::Brand => "brand",
            Self::Category => "category",
            Self::Price => "price",
            Self::Size => "size",
            Self::Color => "color",
            Self::Material => "material",
            Self::Rim => "rim",
            Self::Gender => "gender",
            Self::Lenses => "lenses",
            Self::Feature => "feature",
            Self::Stock => "stock",
            Self::Offer => "offer",
        }
    }

    fn label<'a>(self, shop: &Shop<'a>) -> &'a str {
        match self {
            Self::Face => shop.words.say("facet_face"),
            Self::Shape => shop.words.say("facet_shape"),
            Self::Type => shop.words.say("facet_type"),
            Self::Brand => shop.words.say("facet_brand"),
            Self::Category => shop.words.say("facet_category"),
            Self::Price => shop.words.say("facet_price"),
            Self::Size => shop.words.say("facet_size"),
            Self::Color => shop.words.say("facet_color"),
            Self::Material => shop.words.say("facet_material"),
            Self::Rim => shop.words.say("facet_rim"),
            Self::Gender => shop.words.say("facet_gender"),
            Self::Lenses => shop.words.say("facet_lenses"),
            Self::Feature => shop.words.say("facet_feature"),
            Self::Stock => shop.words.say("facet_stock"),
            Self::Offer => shop.words.say("facet_offer"),
        }
    }

    /// Whether two chosen values both have to be there, as one expects of features, or one of them is enough.
    pub(crate) fn wants_all(self) -> bool {
        matches!(self, Self::Lenses | Self::Feature)
    }

    /// Whether the column, or what is said of it, may depend on which of two states of a product there is.
    pub(crate) fn tells_apart(self, one: &ProductRecord, other: &ProductRecord) -> bool {
        match self {
            Self::Face => one.fits != other.fits,
            Self::Brand => one.brand != other.brand,
            Self::Category => one.categories != other.categories,
            Self::Price => one.price != other.price,
            Self::Size => one.size != other.size,
            Self::Lenses => (one.prescription_ready, one.progressive) != (other.prescription_ready, other.progressive),
            Self::Stock => one.availability.is_available() != other.availability.is_available(),
            Self::Offer => one.compare_at.is_some() != other.compare_at.is_some(),
            Self::Shape | Self::Type | Self::Color | Self::Material | Self::Rim | Self::Gender | Self::Feature => {
                terms_of(self, one) != terms_of(self, other)
            }
        }
    }

    /// Path of the column.
    pub(crate) fn file(self) -> String {
        format!("index/{}.json", self.key())
    }

    /// The facet and value that a listing's subject stands for.
    pub(crate) fn of_subject(shop: &Shop<'_>, subject: Subject) -> Option<(Self, String)> {
        Some(match subject {
            Subject::All => return None,
            Subject::FrameType(term) => (Self::Type, shop.catalog.terms.get(term).key.to_string()),
            Subject::FrameShape(term) => (Self::Shape, shop.catalog.terms.get(term).key.to_string()),
            Subject::FaceShape(shape) => (Self::Face, shape.key().to_string()),
            Subject::Brand(index) => (Self::Brand, shop.catalog.brands.get(index as usize)?.slug.clone()),
            Subject::Category(index) => (Self::Category, shop.catalog.categories.get(index as usize)?.slug.clone()),
        })
    }
}

/// A value of a facet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FacetValue {
    pub(crate) key: String,
    pub(crate) label: String,
    /// A colour to show, or how deep a category lies.
    pub(crate) extra: Option<Json>,
}

impl FacetValue {
    fn new(key: impl Into<String>, label: impl Into<String>) -> Self {
        Self { key: key.into(), label: label.into(), extra: None }
    }
}

/// A facet of one store.
pub(crate) struct Facet {
    pub(crate) kind: FacetKind,
    pub(crate) label: String,
    pub(crate) values: Vec<FacetValue>,
    lookup: Lookup,
}

/// How the values of a record are found.
enum Lookup {
    Terms(HashMap<TermId, u32>),
    Prices(Vec<PriceRange>),
    /// The record says it itself.
    Direct,
}

/// What is found in the products before there are values.
struct Found {
    /// How many products have each term, by kind; nothing for kinds that are not about terms.
    terms: Vec<(FacetKind, BTreeMap<TermId, usize>)>,
    prices: Prices,
}

impl Found {
    fn of(shop: &Shop<'_>, kinds: &[FacetKind]) -> Self {
        let has_prices = kinds.contains(&FacetKind::Price);
        let mut terms: Vec<(FacetKind, BTreeMap<TermId, usize>)> =
            kinds.iter().map(|&kind| (kind, BTreeMap::new())).collect();
        let mut prices = Prices::default();
        for record in shop.catalog.records.iter() {
            for (kind, counts) in &mut terms {
                terms_of(*kind, &record).iter().for_each(|&term| *counts.entry(term).or_default() += 1);
            }
            if has_prices {
                prices.push(record.price);
            }
        }
        Self { terms, prices }
    }
}

impl Facet {
    /// Facets of some kinds with their columns, those that tell any of the products apart: in two passes through the
    /// products, of which there may be more than there is memory for.
    pub(crate) fn of_kinds(shop: &Shop<'_>, kinds: &[FacetKind]) -> Vec<Option<(Self, Column)>> {
        if kinds.is_empty() {
            return Vec::new();
        }
        let Found { terms, prices } = Found::of(shop, kinds);
        let facets = terms.into_iter().map(|(kind, counts)| Self::new(shop, kind, counts, &prices));
        let with_sorting = |facet: Self| {
            let sorting = Sorting::of(shop.catalog.records.len(), facet.values.len());
            (facet, sorting)
        };
        let mut facets: Vec<Option<(Self, Sorting)>> = facets.map(|facet| facet.map(with_sorting)).collect();
        for record in shop.catalog.records.iter() {
            for (facet, sorting) in facets.iter_mut().flatten() {
                facet.values_of(shop, &record, &mut sorting.values);
                sorting.take();
            }
        }
        let column =
            |(facet, sorting): (Self, Sorting)| (sorting.column.sets.len() > 1).then_some((facet, sorting.column));
        facets.into_iter().map(|made| made.and_then(column)).collect()
    }

    fn new(shop: &Shop<'_>, kind: FacetKind, counts: BTreeMap<TermId, usize>, prices: &Prices) -> Option<Self> {
        let words = |key: &'static str| shop.words.say(key).to_string();
        let (values, lookup) = match kind {
            FacetKind::Face if !shop.config.enable_face_shape_filter => return None,
            FacetKind::Face => {
                let values = FaceShape::ALL.map(|shape| FacetValue::new(shape.key(), shop.words.face_name(shape)));
                (values.to_vec(), Lookup::Direct)
            }
            FacetKind::Shape
            | FacetKind::Type
            | FacetKind::Color
            | FacetKind::Material
            | FacetKind::Rim
            | FacetKind::Gender
            | FacetKind::Feature => term_values(shop, kind, counts),
            FacetKind::Brand => {
                let values = (0..)
                    .zip(&shop.catalog.brands)
                    .map(|(index, brand)| FacetValue::new(&brand.slug, shop.name_of_brand(index)));
                (values.collect(), Lookup::Direct)
            }
            FacetKind::Category => {
                let value = |(index, category): (u32, &crate::enhance::tree::CategoryNode)| FacetValue {
                    extra: Some(json!(lineage(shop.catalog, index).count().saturating_sub(1))),
                    ..FacetValue::new(&category.slug, shop.name_of_category(index))
                };
                ((0..).zip(&shop.catalog.categories).map(value).collect(), Lookup::Direct)
            }
            FacetKind::Price => {
                let ranges = PriceRange::of(prices);
                let values = ranges.iter().map(|range| FacetValue::new(range.key(), range.label(shop)));
                (values.collect(), Lookup::Prices(ranges))
            }
            FacetKind::Size => {
                let values = SizeClass::ALL.map(|size| FacetValue::new(size.label().to_lowercase(), size.label()));
                (values.to_vec(), Lookup::Direct)
            }
            FacetKind::Lenses => {
                let prescription = FacetValue::new("prescription", words("facet_prescription"));
                let progressive = FacetValue::new("progressive", words("facet_progressive"));
                (vec![prescription, progressive], Lookup::Direct)
            }
            FacetKind::Stock => (vec![FacetValue::new("available", words("facet_available"))], Lookup::Direct),
            FacetKind::Offer => (vec![FacetValue::new("reduced", words("facet_reduced"))], Lookup::Direct),
        };
        Some(Self { kind, label: kind.label(shop).to_string(), values, lookup })
    }

    /// Puts the values that a record has into `values`, as ascending indices.
    fn values_of(&self, shop: &Shop<'_>, record: &ProductRecord, values: &mut Vec<u32>) {
        values.clear();
        let mut flags = |flags: &[bool]| {
            values.extend((0..).zip(flags).filter(|(_, has)| **has).map(|(index, _)| index));
        };
        match (&self.lookup, self.kind) {
            (Lookup::Terms(places), kind) => {
                values.extend(terms_of(kind, record).iter().filter_map(|id| places.get(id).copied()));
            }
            (Lookup::Prices(ranges), _) => {
                let place = ranges.iter().position(|range| range.holds(record.price));
                values.extend(place.and_then(|place| u32::try_from(place).ok()));
            }
            (Lookup::Direct, FacetKind::Face) => flags(&FaceShape::ALL.map(|shape| record.suits(shape))),
            (Lookup::Direct, FacetKind::Brand) => {
                values.extend(record.brand.filter(|&brand| (brand as usize) < self.values.len()));
            }
            (Lookup::Direct, FacetKind::Category) => {
                values.extend(record.categories.iter().flat_map(|&category| lineage(shop.catalog, category)));
            }
            (Lookup::Direct, FacetKind::Size) => values.extend(record.size.map(|size| size as u32)),
            (Lookup::Direct, FacetKind::Lenses) => {
                flags(&[record.prescription_ready, record.progressive == Progressive::Ready]);
            }
            (Lookup::Direct, FacetKind::Stock) => flags(&[record.availability.is_available()]),
            (Lookup::Direct, FacetKind::Offer) => flags(&[record.compare_at.is_some()]),
            (Lookup::Direct, _) => {}
        }
        values.sort_unstable();
        values.dedup();
    }
}

/// For each product the number of its set of values.
pub(crate) struct Column {
    sets: Vec<Vec<u32>>,
    codes: Vec<u32>,
}

/// A column in the making.
struct Sorting {
    column: Column,
    /// Of the product that is taken next.
    values: Vec<u32>,
    /// Most products have one value or none, whose sets are found sooner than by a hash.
    single: Vec<Option<u32>>,
    numbers: HashMap<Box<[u32]>, u32>,
}

impl Sorting {
    /// For a number of products, and of values that they may have.
    fn of(products: usize, values: usize) -> Self {
        let column = Column { sets: Vec::new(), codes: Vec::with_capacity(products) };
        Self { column, values: Vec::new(), single: vec![None; values + 1], numbers: HashMap::new() }
    }

    fn take(&mut self) {
        let Self { column: Column { sets, codes }, values, single, numbers } = self;
        let place = match values.as_slice() {
            [] => Some(0),
            [value] => Some(*value as usize + 1),
            _ => None,
        };
        let place = place.and_then(|place| single.get_mut(place));
        let known = place.as_ref().map_or_else(|| numbers.get(values.as_slice()).copied(), |place| **place);
        codes.push(known.unwrap_or_else(|| {
            let number = sets.len() as u32;
            match place {
                Some(place) => *place = Some(number),
                None => _ = numbers.insert(values.as_slice().into(), number),
            }
            sets.push(values.clone());
            number
        }));
    }
}

impl Column {
    /// How many products have each value.
    pub(crate) fn counts(&self, values: usize) -> Vec<u32> {
        let mut of_sets = vec![0_u32; self.sets.len()];
        self.codes.iter().for_each(|&code| of_sets[code as usize] += 1);
        let mut counts = vec![0_u32; values];
        for (set, count) in self.sets.iter().zip(of_sets) {
            for &value in set {
                counts[value as usize] += count;
            }
        }
        counts
    }

    /// The file: the sets, then one code a product.
    pub(crate) fn text(&self) -> String {
        let width = code::width(self.sets.len());
        let mut codes = String::with_capacity(self.codes.len() * width);
        self.codes.iter().for_each(|&number| code::push_fixed(&mut codes, number as usize, width));
        format!("{}\n", json!([self.sets, codes]))
    }
}

/// The terms of a record that a facet is about.
fn terms_of(kind: FacetKind, record: &ProductRecord) -> &[TermId] {
    match kind {
        FacetKind::Shape => record.frame_shape.as_slice(),
        FacetKind::Type => record.frame_type.as_slice(),
        FacetKind::Rim => record.rim.as_slice(),
        FacetKind::Gender => record.gender.as_slice(),
        FacetKind::Color => &record.colors,
        FacetKind::Material => &record.materials,
        FacetKind::Feature => &record.features,
        _ => &[],
    }
}

/// The terms in use, the most frequent ones first.
fn term_values(shop: &Shop<'_>, kind: FacetKind, counts: BTreeMap<TermId, usize>) -> (Vec<FacetValue>, Lookup) {
    let mut order: Vec<(TermId, usize)> = counts.into_iter().collect();
    order.sort_by_key(|&(term, count)| (Reverse(count), term));
    let value = |&(id, _): &(TermId, usize)| {
        let term = shop.catalog.terms.get(id);
        let extra = (kind == FacetKind::Color).then(|| swatch(term)).flatten().map(Json::from);
        FacetValue { extra, ..FacetValue::new(term.key.as_str(), shop.label(id)) }
    };
    let values = order.iter().map(value).collect();
    (values, Lookup::Terms(order.iter().map(|(id, _)| *id).zip(0..).collect()))
}
