//! What the other collections know: brands, categories, compatibility rules, stored scores, counted events.
//!
//! These collections are small beside the products and are loaded whole, once, before them. Everything is kept in the
//! order of ids, so that it does not matter in which order a source hands the documents over.

use super::convert::unreadable;
use super::document::{RawDocument, Value};
use super::fits;
use super::product::{Brand, Category, Product, StoredFit, Translation};
use super::reading::{Notes, Reading, line_of, share_of};
use super::scalars;
use super::targets::{BrandField, CategoryField, Mappings};
use super::vocabulary::{FaceShape, Term, Vocabulary, key_of};
use crate::config::Collections;
use crate::event::{Finding, Outcome};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Most lines of advice kept of one rule document.
const MOST_ADVICE: usize = 16;

/// Where an event names its product, best first.
pub(super) const EVENT_PRODUCT_PATHS: [&str; 6] = [
    "product_id",
    "properties.product_id",
    "productId",
    "event_data.product_id",
    "data.product_id",
    "metadata.product_id",
];

/// Where an event says what happened, best first.
pub(super) const EVENT_KIND_PATHS: [&str; 5] = ["event_type", "event", "type", "action", "event_name"];

/// Everything about products that does not stand in the product documents.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// Active brands, by id.
    pub brands: Vec<Brand>,
    /// Categories, by id; the inactive ones are there, not visible.
    pub categories: Vec<Category>,
    /// What frames suit a face shape, by face shape.
    pub rules: Vec<FaceShapeRules>,
    /// Scores kept beside the products, by canonical product id, then by [`FaceShape::index`].
    pub product_fits: BTreeMap<String, [Option<StoredFit>; 7]>,
    /// Counted events, by canonical product id.
    pub popularity: BTreeMap<String, EventCounts>,
    /// What was wrong with the documents, in the order of their ids.
    pub findings: Vec<Finding>,
    brands_known: BTreeMap<String, Known>,
    categories_known: BTreeMap<String, Known>,
    digest: OnceLock<blake3::Hash>,
}

/// How often shoppers did something with a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// Looked at it.
    pub views: u64,
    /// Clicked on it, or put it into a cart or on a list.
    pub clicks: u64,
    /// Bought it.
    pub conversions: u64,
}

/// One document of the `face_shape_compatibility` collection that speaks of frames in general.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceShapeRules {
    /// The face shape it is about.
    pub shape: FaceShape,
    /// Frame shapes with their scores.
    pub frames: Vec<FrameRule>,
    /// Recommended width of the front, millimetres.
    pub frame_width: Option<Bounds>,
    /// Recommended height of the front, millimetres.
    pub frame_height: Option<Bounds>,
    /// Recommended bridge, millimetres.
    pub bridge_width: Option<Bounds>,
    /// What to avoid, in the catalogue's words.
    pub avoid: Vec<String>,
    /// How sure the model is, 0..=1.
    pub confidence: Option<f32>,
}

/// How well one frame shape suits.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameRule {
    /// The frame shape.
    pub shape: Term,
    /// 0..=1.
    pub score: f32,
    /// Why, in the catalogue's words.
    pub reasons: Vec<String>,
    /// How to wear it, in the catalogue's words.
    pub tips: Vec<String>,
}

/// A recommended range; each end is positive or absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Lowest.
    pub min: Option<f32>,
    /// Highest.
    pub max: Option<f32>,
    /// Best.
    pub ideal: Option<f32>,
}

/// A brand or category as products point at it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    id: String,
    name: String,
    /// Steps to the root.
    depth: usize,
}

impl References {
    /// A hash of all that products are completed with.
    pub fn digest(&self) -> blake3::Hash {
        *self.digest.get_or_init(|| self.hash())
    }

    fn hash(&self) -> blake3::Hash {
        // Everything has a place in this text, so that nothing can be forgotten.
        let Self { brands, categories, rules, product_fits, popularity, brands_known, categories_known, .. } = self;
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{brands:?}{categories:?}{rules:?}{brands_known:?}{categories_known:?}").as_bytes());
        for (product, fits) in product_fits {
            hasher.update(format!("{product:?}{fits:?}").as_bytes());
        }
        for (product, EventCounts { views, clicks, conversions }) in popularity {
            hasher.update(product.as_bytes()).update(&[0]);
            [views, clicks, conversions].into_iter().for_each(|count| _ = hasher.update(&count.to_le_bytes()));
        }
        hasher.finalize()
    }

    /// Completes a product from the other collections. `external_id` is the product's id outside the database.
    pub(super) fn complete(&self, product: &mut Product, external_id: Option<&str>) {
        if let Some(brand) = &mut product.brand
            && let Some(known) = brand.id.as_ref().and_then(|id| self.brands_known.get(id))
        {
            brand.id = Some(known.id.clone());
            brand.name.get_or_insert_with(|| known.name.clone());
        }
        let mut depths = Vec::with_capacity(product.categories.len());
        for category in &mut product.categories {
            let known = category.id.as_ref().and_then(|id| self.categories_known.get(id));
            depths.push(known.map_or(0, |known| known.depth));
            if let Some(known) = known {
                category.id = Some(known.id.clone());
                category.name.get_or_insert_with(|| known.name.clone());
            }
        }
        if depths.iter().any(|depth| *depth != depths[0]) {
            let mut ranked: Vec<_> = depths.into_iter().zip(product.categories.drain(..)).collect();
            ranked.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
            product.categories = ranked.into_iter().map(|(_, category)| category).collect();
        }
        let ids = [Some(product.id.as_str()), external_id, product.sku.as_deref()];
        let mut ids = ids.into_iter().flatten();
        if let Some(stored) = ids.clone().find_map(|id| self.product_fits.get(id)) {
            for (fit, stored) in product.stored_fits.iter_mut().zip(stored) {
                if fit.is_none() {
                    fit.clone_from(stored);
                }
            }
        }
        let analytics = &mut product.analytics;
        let has_none = (analytics.views, analytics.clicks, analytics.conversions) == (None, None, None);
        if has_none && let Some(counts) = ids.find_map(|id| self.popularity.get(id)) {
            analytics.views = Some(counts.views);
            analytics.clicks = Some(counts.clicks);
            analytics.conversions = Some(counts.conversions);
        }
    }

    /// Ids, in every form that is known, of brands that one of the words names by id, name or slug; `None` when a word
    /// names none.
    pub(super) fn brand_ids(&self, words: &[String]) -> Option<Vec<String>> {
        let named = |word: &String, id: &str| {
            let known = self.brands_known.get(id);
            let brand = self.brands.iter().find(|brand| known.is_some_and(|known| brand.id == known.id));
            names(word, id, known, brand.map(|brand| brand.slug.as_str()))
        };
        ids_named(&self.brands_known, words, named)
    }

    /// As [`Self::brand_ids`] for categories, those below the named ones included.
    pub(super) fn category_ids(&self, words: &[String]) -> Option<Vec<String>> {
        let named = |word: &String, id: &str| {
            let known = self.categories_known.get(id);
            let category = self.categories.iter().find(|category| known.is_some_and(|known| category.id == known.id));
            names(word, id, known, category.map(|category| category.slug.as_str()))
        };
        let mut ids = ids_named(&self.categories_known, words, named)?;
        loop {
            let is_inside = |id: &String| ids.contains(id);
            let parent_of = |id: &str| {
                let parent = self.categories.iter().find(|category| category.id == id)?.parent.as_ref()?;
                Some(self.categories_known.get(parent).map_or(parent, |known| &known.id).clone())
            };
            let found: Vec<String> = self
                .categories_known
                .iter()
                .filter(|(id, known)| !is_inside(id) && parent_of(&known.id).is_some_and(|parent| is_inside(&parent)))
                .map(|(id, _)| id.clone())
                .collect();
            if found.is_empty() {
                return Some(ids);
            }
            ids.extend(found);
        }
    }
}

fn names(word: &str, id: &str, known: Option<&Known>, slug: Option<&str>) -> bool {
    let key = key_of(word);
    word == id
        || known.is_some_and(|known| word == known.id || key_of(&known.name) == key)
        || slug.is_some_and(|slug| key_of(slug) == key)
}

fn ids_named(
    known: &BTreeMap<String, Known>,
    words: &[String],
    named: impl Fn(&String, &str) -> bool,
) -> Option<Vec<String>> {
    let mut ids = Vec::new();
    for word in words {
        let found: Vec<String> = known.keys().filter(|id| named(word, id)).cloned().collect();
        if found.is_empty() {
            return None;
        }
        ids.extend(found);
    }
    Some(ids)
}

/// The collections beside the products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    Brands,
    Categories,
    Compatibility,
    Events,
}

impl Beside {
    pub(super) const ALL: [Self; 4] = [Self::Brands, Self::Categories, Self::Compatibility, Self::Events];

    /// What the collection is called.
    pub(super) fn name(self, names: &Collections) -> &str {
        match self {
            Self::Brands => &names.brands,
            Self::Categories => &names.categories,
            Self::Compatibility => &names.face_shape_compatibility,
            Self::Events => &names.user_analytics,
        }
    }
}

/// Takes the documents of the other collections one by one, in any order.
pub(super) struct Collecting<'m> {
    mappings: &'m Mappings,
    brands: BTreeMap<String, Found<Brand>>,
    categories: BTreeMap<String, Found<Category>>,
    rules: BTreeMap<FaceShape, (String, FaceShapeRules)>,
    fits: BTreeMap<String, [Option<(String, StoredFit)>; 7]>,
    popularity: BTreeMap<String, EventCounts>,
    findings: Vec<Finding>,
}

struct Found<D> {
    document: D,
    aliases: Vec<String>,
    active: bool,
}

impl<'m> Collecting<'m> {
    pub(super) fn new(mappings: &'m Mappings) -> Self {
        Self {
            mappings,
            brands: BTreeMap::new(),
            categories: BTreeMap::new(),
            rules: BTreeMap::new(),
            fits: BTreeMap::new(),
            popularity: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    /// Takes a document of a collection.
    pub(super) fn take(&mut self, kind: Beside, raw: &RawDocument, collection: &str) {
        match kind {
            Beside::Brands => self.take_brand(raw, collection),
            Beside::Categories => self.take_category(raw, collection),
            Beside::Compatibility => self.take_compatibility(raw, collection),
            Beside::Events => self.take_event(raw),
        }
    }

    pub(super) fn take_brand(&mut self, raw: &RawDocument, collection: &str) {
        let mut findings = std::mem::take(&mut self.findings);
        with_root(raw, collection, &mut findings, |root, notes| {
            let mut reading =
                Reading { mapping: &self.mappings.brands, document: root, locales: &self.mappings.locales, notes };
            let Some((id, name)) = id_and_name(&mut reading, raw, BrandField::Id, BrandField::Name) else { return };
            let active = reading.is_active(BrandField::Active);
            if !active {
                let detail = "not active, so it has no page; its products keep its name".into();
                reading.notes.left_out(Outcome::Excluded, "inactive", reading.place(BrandField::Active), detail);
            }
            let description = reading.text(BrandField::Description);
            let line = |field| reading.line(field, 200);
            let brand = Brand {
                slug: line(BrandField::Slug).unwrap_or_default(),
                description: description.and_then(|value| block(&value)),
                country: line(BrandField::Country),
                established: reading.integer(BrandField::Established).and_then(|year| u16::try_from(year).ok()),
                website: reading.line(BrandField::Website, 2_000).and_then(|address| scalars::web_address(&address)),
                logo: logo(&mut reading),
                featured: reading.truth(BrandField::Featured).unwrap_or(false),
                sort_order: reading.integer(BrandField::SortOrder),
                translations: reading.translations(|text| Translation {
                    name: text(BrandField::Name).and_then(|value| line_of(&value, 200)),
                    description: text(BrandField::Description).and_then(|value| block(&value)),
                    ..Translation::default()
                }),
                id: id.clone(),
                name,
            };
            let aliases = reading.identifier(BrandField::ExternalId).into_iter().collect();
            keep(&mut self.brands, id, Found { document: brand, aliases, active }, &mut reading.notes, |brand| {
                format!("{brand:?}")
            });
        });
        self.findings = findings;
    }

    pub(super) fn take_category(&mut self, raw: &RawDocument, collection: &str) {
        let mut findings = std::mem::take(&mut self.findings);
        with_root(raw, collection, &mut findings, |root, notes| {
            let mut reading =
                Reading { mapping: &self.mappings.categories, document: root, locales: &self.mappings.locales, notes };
            let Some((id, name)) = id_and_name(&mut reading, raw, CategoryField::Id, CategoryField::Name) else {
                return;
            };
            let active = reading.is_active(CategoryField::Active);
            if !active {
                let detail = "not active, so it has no page; the categories below it keep their place".into();
                reading.notes.left_out(Outcome::Excluded, "inactive", reading.place(CategoryField::Active), detail);
            }
            let category = Category {
                slug: reading.line(CategoryField::Slug, 200).unwrap_or_default(),
                parent: reading.identifier(CategoryField::Parent),
                description: reading.text(CategoryField::Description).and_then(|value| block(&value)),
                visible: active && reading.truth(CategoryField::Visible).unwrap_or(true),
                sort_order: reading.integer(CategoryField::SortOrder),
                translations: reading.translations(|text| Translation {
                    name: text(CategoryField::Name).and_then(|value| line_of(&value, 200)),
                    description: text(CategoryField::Description).and_then(|value| block(&value)),
                    ..Translation::default()
                }),
                id: id.clone(),
                name,
            };
            let aliases = reading.identifier(CategoryField::ExternalId).into_iter().collect();
            let found = Found { document: category, aliases, active };
            keep(&mut self.categories, id, found, &mut reading.notes, |category| format!("{category:?}"));
        });
        self.findings = findings;
    }

    /// Takes a document of `face_shape_compatibility`: a rule on frames, or the score of one product.
    pub(super) fn take_compatibility(&mut self, raw: &RawDocument, collection: &str) {
        let mut findings = std::mem::take(&mut self.findings);
        with_root(raw, collection, &mut findings, |root, mut notes| {
            let Some(shape) = root.get("face_shape").and_then(fits::face_shape) else {
                let detail = "no face shape that storegen knows; name one in `face_shape`".into();
                notes.left_out(Outcome::Skipped, "unknown_face_shape", "face_shape".into(), detail);
                return;
            };
            let product = root.get("product_id").filter(|value| value.is_given());
            if let Some(product) = product.and_then(scalars::identifier) {
                let Ok(Some(fit)) = fits::stored_fit(root) else {
                    let detail = "`compatibility_score` is not a score between 0 and 1".into();
                    notes.left_out(Outcome::Skipped, "bad_score", "compatibility_score".into(), detail);
                    return;
                };
                let version =
                    root.get("algorithm_version").and_then(|version| line_of(version, 40)).unwrap_or_default();
                let slot = &mut self.fits.entry(product).or_insert([const { None }; 7])[shape.index()];
                // Of several runs of the model the latest counts, by its version, and then the better score.
                let is_better = slot.as_ref().is_none_or(|(other, stored)| {
                    let rank = |version: &String, fit: &StoredFit| {
                        (natural(version), fit.score.to_bits(), fit.reasons.clone())
                    };
                    rank(&version, &fit) > rank(other, stored)
                });
                if is_better {
                    *slot = Some((version, fit));
                }
            } else {
                let rules = frame_rules(root, shape);
                let id = root.get("_id").and_then(scalars::identifier).unwrap_or_default();
                let is_first = self.rules.get(&shape).is_none_or(|(other, _)| id < *other);
                if is_first {
                    self.rules.insert(shape, (id, rules));
                }
            }
        });
        self.findings = findings;
    }

    /// Takes an event, or events that have been counted: `{_id: {product, kind}, count}`.
    pub(super) fn take_event(&mut self, raw: &RawDocument) {
        // Single events are not worth a finding: a catalogue may have millions.
        let Ok(decoded) = raw.decode() else { return };
        if let Some(id @ Value::Map(_)) = decoded.root.get("_id")
            && let (Some(product), Some(kind)) = (id.get("product"), id.get("kind"))
            && let Some(count) = decoded.root.get("count").and_then(scalars::integer)
        {
            return self.take_events(product, kind, u64::try_from(count).unwrap_or(0));
        }
        let first = |paths: &[&str]| {
            let walk = |path: &&str| path.split('.').try_fold(&decoded.root, |value, key| value.get(key));
            paths.iter().filter_map(walk).find(|value| !matches!(value, Value::Null)).cloned()
        };
        if let (Some(product), Some(kind)) = (first(&EVENT_PRODUCT_PATHS), first(&EVENT_KIND_PATHS)) {
            self.take_events(&product, &kind, 1);
        }
    }

    /// Takes so many events of one kind for one product.
    pub(super) fn take_events(&mut self, product: &Value<'_>, kind: &Value<'_>, count: u64) {
        let (Some(product), Some(kind)) = (scalars::identifier(product), line_of(kind, 100)) else { return };
        let words = key_of(&kind);
        let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        let mut counts = EventCounts::default();
        // Sales first: `checkout-view` is not a sale, `purchase-click` is not one either.
        if says(&["view", "impression"]) {
            counts.views = count;
        } else if says(&["click", "cart", "favorite", "favourite", "wishlist", "try-on", "tryon", "select"]) {
            counts.clicks = count;
        } else if says(&["purchase", "conversion", "order", "sale", "sold", "checkout", "buy", "bought"]) {
            counts.conversions = count;
        } else {
            return;
        }
        let total = self.popularity.entry(product).or_default();
        total.views = total.views.saturating_add(counts.views);
        total.clicks = total.clicks.saturating_add(counts.clicks);
        total.conversions = total.conversions.saturating_add(counts.conversions);
    }

    pub(super) fn finish(self) -> References {
        let parents: BTreeMap<String, Option<String>> =
            self.categories.iter().map(|(id, found)| (id.clone(), found.document.parent.clone())).collect();
        let depth = |category: &Category| {
            let mut steps = 0;
            let mut at = category.parent.as_ref();
            // A loop of parents ends when there have been more steps than categories.
            while let Some(parent) = at.filter(|_| steps <= parents.len()) {
                steps += 1;
                at = parents.get(parent).and_then(Option::as_ref);
            }
            steps
        };
        let brands_known = known(&self.brands, |brand| (brand.id.clone(), brand.name.clone(), 0));
        let categories_known =
            known(&self.categories, |category| (category.id.clone(), category.name.clone(), depth(category)));
        let mut findings = self.findings;
        findings.sort_by(|one, other| {
            let rank =
                |finding: &Finding| (finding.collection.clone(), finding.document.clone(), finding.reason.clone());
            rank(one).cmp(&rank(other))
        });
        References {
            brands: self.brands.into_values().filter(|found| found.active).map(|found| found.document).collect(),
            categories: self.categories.into_values().map(|found| found.document).collect(),
            rules: self.rules.into_values().map(|(_, rules)| rules).collect(),
            product_fits: self
                .fits
                .into_iter()
                .map(|(product, fits)| (product, fits.map(|fit| fit.map(|(_, fit)| fit))))
                .collect(),
            popularity: self.popularity,
            findings,
            brands_known,
            categories_known,
            digest: OnceLock::new(),
        }
    }
}

fn known<D>(
    found: &BTreeMap<String, Found<D>>,
    describe: impl Fn(&D) -> (String, String, usize),
) -> BTreeMap<String, Known> {
    let mut known = BTreeMap::new();
    for found in found.values() {
        let (id, name, depth) = describe(&found.document);
        for alias in &found.aliases {
            known.entry(alias.clone()).or_insert_with(|| Known { id: id.clone(), name: name.clone(), depth });
        }
    }
    // An id of its own beats another document's second id.
    for (id, found) in found {
        let (_, name, depth) = describe(&found.document);
        known.insert(id.clone(), Known { id: id.clone(), name, depth });
    }
    known
}

fn with_root(
    raw: &RawDocument,
    collection: &str,
    findings: &mut Vec<Finding>,
    take: impl FnOnce(&Value<'_>, Notes<'_>),
) {
    match raw.decode() {
        Ok(decoded) => {
            let id = decoded.root.get("_id").and_then(scalars::identifier).unwrap_or_else(|| raw.label());
            take(&decoded.root, Notes::new(findings, collection, id));
        }
        Err(why) => {
            let (reason, detail) = unreadable(&why);
            Notes::new(findings, collection, raw.label()).left_out(Outcome::Skipped, reason, String::new(), detail);
        }
    }
}

fn id_and_name<T: super::mapping::Target>(
    reading: &mut Reading<'_, '_, T>,
    raw: &RawDocument,
    id: T,
    name: T,
) -> Option<(String, String)> {
    let Some(found) = reading.identifier(id) else {
        let detail = format!("no id that can be read ({}); give the document an `_id`", raw.label());
        reading.notes.left_out(Outcome::Skipped, "missing_id", reading.place(id), detail);
        return None;
    };
    let Some(name) = reading.text_line(name, 200) else {
        let detail = "no name, so it has no page; name it".into();
        reading.notes.left_out(Outcome::Skipped, "missing_name", reading.place(name), detail);
        return None;
    };
    Some((found, name))
}

/// Keeps one document an id: of several, the one that comes first in the order of their contents.
fn keep<D>(
    kept: &mut BTreeMap<String, Found<D>>,
    id: String,
    found: Found<D>,
    notes: &mut Notes<'_>,
    order: impl Fn(&D) -> String,
) {
    match kept.entry(id) {
        std::collections::btree_map::Entry::Vacant(place) => {
            place.insert(found);
        }
        std::collections::btree_map::Entry::Occupied(mut place) => {
            let detail = "another document has the same id; only one of them is used".into();
            notes.left_out(Outcome::Skipped, "duplicate_id", String::new(), detail);
            if order(&found.document) < order(&place.get().document) {
                place.insert(found);
            }
        }
    }
}

fn block(value: &Value<'_>) -> Option<String> {
    const LONGEST: usize = 100_000;
    let (text, _) = scalars::clean_block(&scalars::text(value)?, LONGEST);
    Some(text).filter(|text| !text.is_empty())
}

fn logo(reading: &mut Reading<'_, '_, BrandField>) -> Option<String> {
    let value = reading.one(BrandField::Logo)?;
    let address = scalars::text(&value).and_then(|text| scalars::media_address(&text, true));
    if address.is_none() {
        let detail = || "the logo's address is not one that is safe to load, so it was left out".into();
        reading.repaired("bad_media_address", BrandField::Logo, detail);
    }
    address
}

fn frame_rules(root: &Value<'_>, shape: FaceShape) -> FaceShapeRules {
    let frames = match root.get("compatible_frame_shapes") {
        Some(Value::List(items)) => items.iter().filter_map(frame_rule).take(64).collect(),
        _ => Vec::new(),
    };
    let recommended = root.get("recommended_measurements");
    let bounds = |key: &str| bounds(recommended?.get(key)?);
    let guidelines = root.get("style_guidelines");
    FaceShapeRules {
        shape,
        frames,
        frame_width: bounds("frame_width"),
        frame_height: bounds("frame_height"),
        bridge_width: bounds("bridge_width"),
        avoid: guidelines.and_then(|guidelines| guidelines.get("avoid")).map(advice).unwrap_or_default(),
        confidence: root.get("model_info").and_then(|model| model.get("confidence_threshold")).and_then(share_of),
    }
}

fn frame_rule(value: &Value<'_>) -> Option<FrameRule> {
    Some(FrameRule {
        shape: Term::parse(Vocabulary::FrameShape, &line_of(value.get("frame_shape")?, 120)?)?,
        score: share_of(value.get("compatibility_score")?)?,
        reasons: value.get("reasons").map(advice).unwrap_or_default(),
        tips: value.get("styling_tips").map(advice).unwrap_or_default(),
    })
}

fn advice(value: &Value<'_>) -> Vec<String> {
    let items = match value {
        Value::List(items) => items.as_slice(),
        item => std::slice::from_ref(item),
    };
    items.iter().filter_map(|item| line_of(item, 300)).take(MOST_ADVICE).collect()
}

fn bounds(value: &Value<'_>) -> Option<Bounds> {
    let end = |key: &str| {
        value.get(key).and_then(scalars::float).filter(|end| *end > 0.0 && *end < 1_000.0).map(|end| end as f32)
    };
    let bounds = Bounds { min: end("min"), max: end("max"), ideal: end("ideal") };
    (bounds != Bounds::default()).then_some(bounds)
}

/// Orders `1.10` behind `1.9`.
fn natural(version: &str) -> Vec<(u64, String)> {
    version
        .split(['.', '-', '_', ' '])
        .map(|part| {
            let digits: String = part.chars().filter(char::is_ascii_digit).collect();
            (digits.parse().unwrap_or(0), part.to_owned())
        })
        .collect()
}
