//! From mapped products, block by block and on many threads, to the enhanced catalogue.
//!
//! [`Collector::take`] does everything that one product needs and is called in parallel; what only the whole catalogue can
//! tell is done in [`super::finish`].

use super::EnhancedProduct;
use super::drafts::{Draft, Drafts, Place};
use super::memory::{Blob, Memory, Remembered, Standing, Written};
use super::record::ProductRecord;
use super::selection::{Candidate, left_out_by};
use super::size::Progressive;
use super::snapshot::SnapshotWriter;
use super::terms::Interner;
use super::tree::{CategoryNode, CategoryTree};
use crate::assets::drawing::FrameDrawing;
use crate::assets::media::{Distant, Media, MediaFile, MediaProblem, Origin, Trace, is_linked};
use crate::catalog::References;
use crate::catalog::product::{Product, Reference};
use crate::catalog::vocabulary::{Term, Vocabulary, key_of};
use crate::config::ProductFilters;
use crate::event::{Finding, Outcome};
use crate::language::Words;
use crate::room::Room;
use crate::score::{self, Rules};
use crate::site::Digest;
use anyhow::Result;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that a record takes in memory, by and large: half of them are texts.
const RECORD: usize = 800;

/// Enhances products and gathers their records.
pub struct Collector<'a> {
    words: &'a Words,
    filters: &'a ProductFilters,
    pub(super) references: &'a References,
    media: &'a Media,
    rules: Rules,
    pub(super) tree: CategoryTree,
    brand_by_id: HashMap<String, u32>,
    brand_by_key: HashMap<String, u32>,
    /// Brands that products name but the catalogue has no document of.
    pub(super) named_brands: Interner,
    pub(super) terms: Interner,
    pub(super) snapshot: SnapshotWriter,
    pub(super) drafts: Mutex<Drafts>,
    pub(super) memory: Option<Recollection>,
    pub(super) is_for_rounds: bool,
}

/// What is known of the last reading, and what will be known of this one.
pub(super) struct Recollection {
    pub(super) memory: Memory,
    /// By place in the last index.
    changed_pictures: Vec<bool>,
    witness: Option<Digest>,
    pub(super) findings: Vec<Finding>,
    /// Up to when a server has told of its changes.
    pub(super) moment: Option<Vec<u8>>,
    pub(super) now: Mutex<Reading>,
}

/// What this reading has come across.
#[derive(Default)]
pub(super) struct Reading {
    /// Documents that are as before: their place in the last index, where they stand now, and their key.
    pub(super) known: Vec<(u32, Place, Option<Digest>)>,
    pub(super) others: Vec<Remembered>,
    pub(super) pictures: Vec<(Box<str>, Trace)>,
    by_source: HashMap<Box<str>, u32>,
    /// Sum of the hashes of all blocks, or of all documents where they have keys, whichever came first.
    sum: u128,
    /// Whether each document had a hash.
    is_whole: bool,
    count: u64,
    /// Whether a server told what has changed, so that nothing else was read.
    was_told: bool,
}

/// What mapping made of a document.
pub struct Mapped {
    /// Place in its block.
    pub position: usize,
    /// Hash of its bytes; without one it is not remembered.
    pub hash: Option<Digest>,
    /// Hash of its collection and id, where a server may tell that it was changed.
    pub key: Option<Digest>,
    /// The product, unless it is left out.
    pub product: Option<Product>,
    /// What was noteworthy.
    pub findings: Vec<Finding>,
}

impl Mapped {
    /// A product that came without a document.
    pub fn product(position: usize, product: Product) -> Self {
        Self { position, hash: None, key: None, product: Some(product), findings: Vec::new() }
    }
}

/// How a reading compares with the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Documents that are as before.
    pub known: u64,
    /// Documents read.
    pub count: u64,
    /// The state of the catalogue.
    pub standing: Standing,
    /// Whether it is the state of the last reading.
    pub is_same: bool,
    /// Whether a server told what has changed, so that nothing else was read.
    pub was_told: bool,
}

impl<'a> Collector<'a> {
    /// Prepares for products, whose wording is in `words`; `folder` is where the snapshot may live. Findings are about the references themselves.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn new(
        words: &'a Words,
        references: &'a References,
        media: &'a Media,
        filters: &'a ProductFilters,
        folder: &Path,
        findings: &mut Vec<Finding>,
    ) -> Result<Self> {
        let tree = CategoryTree::new(references.categories.clone(), "categories", findings);
        let mut brand_by_id = HashMap::new();
        let mut brand_by_key = HashMap::new();
        for (index, brand) in references.brands.iter().enumerate() {
            brand_by_id.insert(brand.id.clone(), index as u32);
            for key in [key_of(&brand.slug), key_of(&brand.name)] {
                brand_by_key.entry(key).or_insert(index as u32);
            }
        }
        brand_by_key.remove("");
        Ok(Self {
            words,
            filters,
            rules: Rules::new(&references.rules),
            references,
            media,
            tree,
            brand_by_id,
            brand_by_key,
            named_brands: Interner::default(),
            terms: Interner::default(),
            snapshot: SnapshotWriter::create_in(folder)?,
            drafts: Mutex::new(Drafts::up_to(Room::default().records / RECORD)),
            memory: None,
            is_for_rounds: false,
        })
    }

    /// Keeps records in memory as long as there is room for them.
    pub fn within(self, room: Room) -> Self {
        Self { drafts: Mutex::new(Drafts::up_to(room.records / RECORD)), ..self }
    }

    /// Gets ready for changes to what is going to be made.
    pub fn for_rounds(self, is_for_rounds: bool) -> Self {
        Self { is_for_rounds, ..self }
    }

    /// Uses what is remembered of documents, and remembers this reading, with the findings there were before it.
    /// `settings` is a hash of all that products depend on besides documents, references and pictures; `witness` shows
    /// which state of the catalogue this is, and `moment` up to when a server has told of its changes.
    ///
    /// # Errors
    /// When the products' file cannot be written to.
    pub fn remembering(
        self,
        mut memory: Memory,
        settings: Digest,
        witness: Option<Digest>,
        findings: Vec<Finding>,
        moment: Option<Vec<u8>>,
    ) -> Result<Self> {
        memory.rely_on(settings, digest_of(&self.references.digest()))?;
        let pictures = memory.last.pictures.clone();
        let reading = Reading {
            by_source: (0..).zip(&pictures).map(|(place, (source, _))| (source.clone(), place)).collect(),
            pictures,
            is_whole: true,
            ..Reading::default()
        };
        Ok(Self {
            snapshot: memory.writer()?,
            terms: Interner::knowing(memory.last.terms.clone()),
            named_brands: Interner::knowing(memory.last.brands.clone()),
            memory: Some(Recollection {
                changed_pictures: memory.changed_pictures(self.media),
                memory,
                witness,
                findings,
                moment,
                now: Mutex::new(reading),
            }),
            ..self
        })
    }

    /// What the hashes of a block's documents tell: for each, whether it is as before and need not be mapped. What was
    /// noteworthy about those comes with it.
    pub fn recognise(
        &self,
        block: usize,
        hashes: &[Option<Digest>],
        keys: &[Option<Digest>],
    ) -> (Vec<bool>, Vec<Finding>) {
        let Some(Recollection { memory, changed_pictures, now, .. }) = &self.memory else {
            return (vec![false; hashes.len()], Vec::new());
        };
        let place_of = |hash: &Option<Digest>| {
            let place = memory.find(hash.as_ref()?)?;
            let pictures = memory.last.documents[place as usize].pictures();
            let is_same = |&picture: &u32| changed_pictures.get(picture as usize) == Some(&false);
            pictures.iter().all(is_same).then_some(place)
        };
        let places: Vec<Option<u32>> = hashes.iter().map(place_of).collect();
        let known = places.iter().flatten().map(|&place| &memory.last.documents[place as usize]);
        let findings = known.flat_map(|document| document.findings().iter().cloned()).collect();
        let pairs: Option<Vec<(Digest, Digest)>> =
            keys.iter().zip(hashes).map(|(key, hash)| (*key).zip(*hash)).collect();
        let sum = pairs.map_or_else(
            || {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&(block as u64).to_le_bytes());
                hashes.iter().flatten().for_each(|hash| _ = hasher.update(hash));
                u128::from_le_bytes(digest(&hasher))
            },
            // Documents of different ids are in the order of their ids, whichever blocks they come in.
            |pairs| pairs.into_iter().map(|(key, hash)| share_of(key, hash)).fold(0, u128::wrapping_add),
        );
        let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
        now.sum = now.sum.wrapping_add(sum);
        now.is_whole &= hashes.iter().all(Option::is_some);
        now.count += hashes.len() as u64;
        now.known.extend(
            places
                .iter()
                .zip(keys)
                .enumerate()
                .filter_map(|(position, (place, key))| Some(((*place)?, standing_at(block, position), *key))),
        );
        (places.iter().map(Option::is_some).collect(), findings)
    }

    /// Takes every remembered document for what it was but those of these keys, which a server says were written to.
    /// Gives what was noteworthy about them; `None`, and nothing is done, where the others have to be looked at too.
    pub fn believe(&self, changed: &HashSet<Digest>) -> Option<Vec<Finding>> {
        let Recollection { memory, changed_pictures, now, .. } = self.memory.as_ref()?;
        let documents = &memory.last.documents;
        if documents.is_empty() || changed_pictures.contains(&true) {
            return None;
        }
        let keys: Vec<Digest> = documents.iter().map(|document| document.key).collect::<Option<_>>()?;
        let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
        let mut findings = Vec::new();
        for (place, (document, key)) in (0..).zip(documents.iter().zip(keys)) {
            if !changed.contains(&key) {
                now.known.push((place, Place::default(), Some(key)));
                now.sum = now.sum.wrapping_add(share_of(key, document.hash));
                findings.extend(document.findings().iter().cloned());
            }
        }
        now.count = now.known.len() as u64;
        now.was_told = true;
        Some(findings)
    }

    /// How this reading, once it is over, compares with the last one; `None` where nothing is remembered.
    pub fn comparison(&self) -> Option<Comparison> {
        let Recollection { memory, witness, now, .. } = self.memory.as_ref()?;
        let now = now.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = Standing {
            documents: now.is_whole.then(|| now.sum.to_le_bytes()),
            references: digest_of(&self.references.digest()),
            witness: *witness,
            count: now.count,
        };
        let last = memory.last.standing;
        let is_same = now.known.len() as u64 == now.count
            && standing.documents.is_some()
            && (standing.documents, standing.references) == (last.documents, last.references);
        Some(Comparison { known: now.known.len() as u64, count: now.count, standing, is_same, was_told: now.was_told })
    }

    /// Scores and enhances the products of one block, keeps those that pass the filters. Gives what was noteworthy.
    ///
    /// # Errors
    /// When the snapshot cannot be written.
    pub fn take(&self, block: usize, collection: &Arc<str>, documents: Vec<Mapped>) -> Result<Vec<Finding>> {
        let mut all_findings = Vec::new();
        let mut kept = Vec::with_capacity(documents.len());
        let mut remembered = Vec::new();
        for Mapped { position, hash, key, product, mut findings } in documents {
            let pictures = product.as_ref().map(|product| self.pictures_of(product)).unwrap_or_default();
            let enhanced = product.and_then(|product| self.enhance(product, collection, &mut findings));
            // What says where a document stands is not true of it for ever.
            let is_placed = |finding: &Finding| ["line ", "byte "].iter().any(|at| finding.document.starts_with(at));
            if let Some(hash) = hash.filter(|_| self.memory.is_some() && !findings.iter().any(is_placed)) {
                let draft = enhanced.is_some().then_some(kept.len());
                remembered.push((draft, Remembered::new(hash, key, &findings, pictures)));
            }
            all_findings.extend(findings);
            kept.extend(enhanced.map(|enhanced| ((position, key), enhanced)));
        }
        let locations = self.snapshot.append(kept.iter().map(|(_, (enhanced, ..))| enhanced))?;
        // Collected, they would keep the room of their products, which is several times as much.
        let mut drafts = Vec::with_capacity(kept.len());
        for (((position, key), (enhanced, brand, categories)), (location, hash)) in kept.into_iter().zip(locations) {
            drafts.push(Draft {
                place: standing_at(block, position),
                key,
                collection: collection.clone(),
                wished_slug: wished_slug(&enhanced.product),
                texts: [fingerprint(&enhanced.seo.title), fingerprint(&enhanced.seo.description)],
                record: self.record(&enhanced, brand, categories, location, hash),
            });
        }
        let blobs = self.write_down(&drafts)?;
        self.remember(&blobs, remembered);
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner).push(drafts, blobs);
        Ok(all_findings)
    }

    /// Everything that one product needs; `None` when a filter leaves it out.
    fn enhance(
        &self,
        product: Product,
        collection: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<(EnhancedProduct, Option<u32>, Vec<u32>)> {
        let product = self.with_usable_media(product, collection, findings);
        let scores = score::score(&product, &self.rules);
        let brand = self.brand_of(&product, collection, findings);
        let categories = self.categories_of(&product, collection, findings);
        let lineage: Vec<&CategoryNode> = categories
            .iter()
            .flat_map(|&index| self.tree.lineage(index))
            .map(|index| &self.tree.nodes[index as usize])
            .collect();
        let known_brand = brand.as_ref().and_then(|brand| self.references.brands.get(brand.index as usize));
        let candidate = Candidate { product: &product, scores: &scores, brand: known_brand, lineage: &lineage };
        if let Some(filter) = left_out_by(self.filters, &candidate) {
            findings.push(Finding {
                outcome: Outcome::Excluded,
                reason: "filtered".to_string(),
                collection: collection.to_string(),
                document: product.id,
                field: String::new(),
                detail: format!("left out by `product_filters.{filter}`"),
            });
            return None;
        }
        let brand_name = brand.as_ref().map(|brand| brand.name.clone());
        let enhanced = EnhancedProduct::new(self.words, product, scores, brand_name);
        Some((enhanced, brand.map(|brand| brand.index), categories))
    }

    /// Writes drafts down beside their products.
    fn write_down(&self, drafts: &[Draft]) -> Result<Vec<Blob>> {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(drafts.len());
        for draft in drafts {
            bytes = postcard::to_extend(draft, bytes)?;
            ends.push(bytes.len());
        }
        let base = self.snapshot.append_bytes(&bytes)?;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let blob = |(start, &end)| {
            Blob::new((base + start as u64, (end - start) as u32), bytes.get(start..end).unwrap_or(&[]))
        };
        Ok(starts.zip(&ends).map(blob).collect())
    }

    /// Takes note of what became of documents; of those that are in the store, which draft that is.
    fn remember(&self, blobs: &[Blob], documents: Vec<(Option<usize>, Remembered)>) {
        let Some(Recollection { now, .. }) = &self.memory else { return };
        let documents = documents.into_iter().map(|(draft, document)| {
            let draft = draft.and_then(|draft| blobs.get(draft).copied());
            Remembered { draft, ..document }
        });
        now.lock().unwrap_or_else(PoisonError::into_inner).others.extend(documents);
    }

    /// The pictures and 3D models of a product that are in the folder of pictures, as places in what is remembered of
    /// pictures.
    fn pictures_of(&self, product: &Product) -> Box<[u32]> {
        let Some(Recollection { now, .. }) = &self.memory else { return Box::default() };
        let models = product.models.iter().map(|model| model.source.as_str());
        let parts: Vec<String> = product.models.iter().flat_map(|model| self.media.parts_of_model(model)).collect();
        let sources = product.pictures().chain(models).chain(parts.iter().map(String::as_str));
        let traced: Vec<_> = sources.filter_map(|source| Some((source, self.media.trace(source)?))).collect();
        if traced.is_empty() {
            return Box::default();
        }
        let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
        let now = &mut *now;
        let place = |(source, trace): (&str, Trace)| match now.by_source.get(source) {
            Some(&place) => {
                now.pictures[place as usize].1 = trace;
                place
            }
            None => {
                let place = now.pictures.len() as u32;
                now.pictures.push((source.into(), trace));
                now.by_source.insert(source.into(), place);
                place
            }
        };
        traced.into_iter().map(place).collect()
    }

    /// Drops pictures that cannot be shown, so that the next one, or the drawing, takes their place; and 3D models.
    fn with_usable_media(&self, mut product: Product, collection: &str, findings: &mut Vec<Finding>) -> Product {
        let id = &product.id;
        let mut tell = |problem: MediaProblem| {
            findings.push(Finding {
                outcome: Outcome::Repaired,
                reason: problem.reason.to_string(),
                collection: collection.to_string(),
                document: id.clone(),
                field: "media".to_string(),
                detail: problem.detail,
            });
        };
        product.images.retain(|image| self.media.resolve(&image.source).map_err(&mut tell).is_ok());
        product.models.retain(|model| self.media.model(model).map_err(&mut tell).is_ok());
        product
    }

    /// The rules in force, for explaining a score.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    fn brand_of(&self, product: &Product, collection: &str, findings: &mut Vec<Finding>) -> Option<BrandLink> {
        let reference = product.brand.as_ref()?;
        let by_id =
            reference.id.as_ref().and_then(|id| self.brand_by_id.get(id).or(self.brand_by_key.get(&key_of(id))));
        let by_name = || reference.name.as_ref().and_then(|name| self.brand_by_key.get(&key_of(name)));
        if let Some(&index) = by_id.or_else(by_name) {
            return Some(BrandLink { index, name: self.references.brands[index as usize].name.clone() });
        }
        let named = reference.name.as_deref().and_then(|name| {
            let key = key_of(name);
            (!key.is_empty()).then(|| Term { key: key.into(), label: name.into() })
        });
        match named {
            Some(term) => {
                let index = self.references.brands.len() as u32 + self.named_brands.intern(Vocabulary::Other, &term);
                Some(BrandLink { index, name: term.label.into() })
            }
            None => {
                findings.push(dangling("unknown_brand", "brand", reference, product, collection));
                None
            }
        }
    }

    fn categories_of(&self, product: &Product, collection: &str, findings: &mut Vec<Finding>) -> Vec<u32> {
        let mut found = Vec::new();
        for reference in &product.categories {
            match self.tree.resolve(reference) {
                Some(index) if !found.contains(&index) => found.push(index),
                Some(_) => {}
                None => findings.push(dangling("unknown_category", "category", reference, product, collection)),
            }
        }
        found
    }

    fn record(
        &self,
        enhanced: &EnhancedProduct,
        brand: Option<u32>,
        categories: Vec<u32>,
        snapshot: super::snapshot::Location,
        hash: blake3::Hash,
    ) -> ProductRecord {
        let product = &enhanced.product;
        let one = |vocabulary, term: &Option<Term>| term.as_ref().map(|term| self.terms.intern(vocabulary, term));
        let many = |vocabulary, terms: &[Term]| terms.iter().map(|term| self.terms.intern(vocabulary, term)).collect();
        let thousandths = |value: f32| (value.clamp(0.0, 1.0) * 1000.0).round() as u16;
        let colors: HashSet<&str> = product
            .colors
            .iter()
            .chain(product.variants.iter().map(|variant| &variant.color))
            .map(|color| color.key.as_str())
            .collect();
        let sources = || product.pictures().chain(product.models.iter().map(|model| model.source.as_str()));
        let distant = || sources().filter_map(|source| self.media.distant(source));
        ProductRecord {
            id: product.id.as_str().into(),
            slug: Box::default(),
            name: product.name.as_str().into(),
            names: product
                .translations
                .iter()
                .filter_map(|(locale, translation)| Some((locale.as_str().into(), translation.name.as_deref()?.into())))
                .collect(),
            sku: product.sku.as_deref().map(Into::into),
            brand,
            categories: categories.into(),
            price: product.price,
            compare_at: product.compare_at.map(|money| money.minor),
            availability: product.availability,
            frame_shape: one(Vocabulary::FrameShape, &product.frame_shape),
            frame_type: one(Vocabulary::FrameType, &product.frame_type),
            rim: one(Vocabulary::Rim, &product.rim),
            gender: one(Vocabulary::Gender, &product.gender),
            materials: many(Vocabulary::Material, &product.materials),
            colors: many(Vocabulary::Color, &product.colors),
            features: many(Vocabulary::Other, &product.features),
            prescription_ready: can_be_glazed(product),
            progressive: Progressive::of(&product.measurements),
            size: enhanced.size.as_ref().map(|size| size.class),
            fits: enhanced
                .scores
                .fits
                .each_ref()
                .map(|fit| fit.as_ref().map(|fit| (fit.score.clamp(0.0, 1.0) * 100.0).round() as u8)),
            quality: thousandths(enhanced.scores.quality),
            popularity: thousandths(enhanced.scores.popularity),
            featured: product.featured,
            sort_order: product.sort_order,
            created_at: product.created_at,
            updated_at: product.updated_at,
            front_width: enhanced.size.as_ref().map(|size| (size.front_width * 10.0).round() as u16),
            image: product
                .images
                .first()
                .zip(enhanced.image_alts.first())
                .map(|(image, alt)| (image.source.as_str().into(), alt.as_str().into())),
            has_web_media: distant().any(|place| matches!(place, Distant::Web(_))),
            has_stored_media: distant().any(|place| matches!(place, Distant::Stored(_))),
            has_files: product.pictures().any(|source| !is_linked(source)),
            models: self.media.own_models(product),
            color_count: u8::try_from(colors.len().max(1)).unwrap_or(u8::MAX),
            snapshot,
            content: self.content(product, hash),
            searched: searched(enhanced),
            drawing: FrameDrawing::of(product),
        }
    }

    /// The hash of a product with what its pictures' addresses stand for: a file may change where no document does.
    fn content(&self, product: &Product, hash: blake3::Hash) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(hash.as_bytes());
        for source in product.pictures() {
            match self.media.resolve(source) {
                Ok(MediaFile { origin: Origin::Remote, .. }) => {}
                Ok(MediaFile { url_path, width, height, .. }) => {
                    hasher.update(url_path.as_bytes()).update(format!("{width:?}{height:?}").as_bytes());
                }
                Err(_) => _ = hasher.update(&[0]),
            }
        }
        self.media.own_models(product).iter().for_each(|path| _ = hasher.update(path.as_bytes()));
        digest(&hasher)
    }

    /// Ends a reading that has found the catalogue as it was, without making anything of it. Gives what was noteworthy
    /// about products beside each other.
    pub fn end_as_before(self) -> (Vec<Finding>, Option<Written>) {
        let Some((comparison, recollection)) = self.comparison().zip(self.memory) else { return (Vec::new(), None) };
        let findings = recollection.memory.last.about_the_whole.clone();
        (findings, recollection.memory.confirm(comparison.standing, recollection.moment.as_deref()))
    }
}

fn standing_at(block: usize, position: usize) -> Place {
    (block as u32, position as u32)
}

/// What a document adds to the hash of a catalogue.
fn share_of(key: Digest, hash: Digest) -> u128 {
    u128::from_le_bytes(digest_of(&blake3::hash([key, hash].as_flattened())))
}

struct BrandLink {
    index: u32,
    name: String,
}

/// What the catalogue says; eyeglasses and reading glasses are made for it.
fn can_be_glazed(product: &Product) -> bool {
    let made_for_it =
        product.frame_type.as_ref().is_some_and(|kind| matches!(kind.key.as_str(), "prescription" | "reading"));
    product.lens.prescription_ready.unwrap_or(made_for_it)
}

fn wished_slug(product: &Product) -> String {
    let wish = product.seo.slug.as_deref().map(key_of).filter(|slug| !slug.is_empty());
    wish.unwrap_or_else(|| key_of(&product.name))
}

/// The hash of what the search index takes from a product.
fn searched(enhanced: &EnhancedProduct) -> Digest {
    let mut hasher = blake3::Hasher::new();
    let product = &enhanced.product;
    let mut add = |text: &str| _ = hasher.update(text.as_bytes()).update(&[0]);
    add(&product.name);
    add(&enhanced.description_html);
    for (locale, translation) in &product.translations {
        add(locale);
        add(translation.name.as_deref().unwrap_or_default());
        add(translation.description.as_deref().unwrap_or_default());
    }
    for text in [&enhanced.brand_name, &product.sku, &product.gtin] {
        add(text.as_deref().unwrap_or_default());
    }
    let single = [&product.frame_shape, &product.frame_type, &product.rim, &product.gender, &product.style];
    let lists = [&product.materials, &product.colors, &product.features, &product.tags, &product.lens.coatings];
    let variants = product.variants.iter().map(|variant| &variant.color);
    for term in single.into_iter().flatten().chain(lists.into_iter().flatten()).chain(variants) {
        add(&term.label);
    }
    add(if product.lens.polarized == Some(true) { "polarized" } else { "" });
    digest(&hasher)
}

/// The first half of a hash.
pub(crate) fn digest(hasher: &blake3::Hasher) -> Digest {
    digest_of(&hasher.finalize())
}

pub(crate) fn digest_of(hash: &blake3::Hash) -> Digest {
    std::array::from_fn(|at| hash.as_bytes()[at])
}

fn fingerprint(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

fn dangling(reason: &str, what: &str, reference: &Reference, product: &Product, collection: &str) -> Finding {
    let target = reference.id.as_deref().or(reference.name.as_deref()).unwrap_or("");
    Finding {
        outcome: Outcome::Repaired,
        reason: reason.to_string(),
        collection: collection.to_string(),
        document: product.id.clone(),
        field: format!("{what}_id"),
        detail: format!("{what} `{target}` does not exist; the product is shown without it"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::EnhancedCatalog;
    use super::*;
    use crate::config::SortOrder;
    use proptest::prelude::*;
    use std::borrow::Cow;

    fn product(id: &str, name: &str, shape: &str) -> Product {
        let mut product = Product::sample(id, name);
        product.frame_shape = Term::parse(Vocabulary::FrameShape, shape);
        product.brand = Some(Reference { id: None, name: Some(format!("Maison {shape}")) });
        product
    }

    fn collected(blocks: Vec<(usize, Vec<Product>)>, filters: &ProductFilters) -> (EnhancedCatalog, Vec<Finding>) {
        collected_within(Room::default(), SortOrder::Featured, blocks, filters)
    }

    fn collected_within(
        room: Room,
        sort: SortOrder,
        blocks: Vec<(usize, Vec<Product>)>,
        filters: &ProductFilters,
    ) -> (EnhancedCatalog, Vec<Finding>) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut findings = Vec::new();
        let references = References::default();
        let media = Media::new(None);
        let words = Words::english();
        let collector =
            Collector::new(&words, &references, &media, filters, folder.path(), &mut findings).expect("a collector");
        let collector = collector.within(room);
        let collection: Arc<str> = "products".into();
        for (sequence, products) in blocks {
            let mapped = (0..).zip(products).map(|(position, product)| Mapped::product(position, product)).collect();
            findings.extend(collector.take(sequence, &collection, mapped).expect("room on disk"));
        }
        let catalog = collector.finish(sort, filters.max_products, &mut findings);
        let (catalog, _) = catalog.expect("nothing is remembered");
        (catalog, findings)
    }

    #[test]
    fn the_order_of_blocks_changes_nothing() {
        let blocks = || {
            vec![
                (0, vec![product("a", "Nora", "round"), product("b", "Nora", "square")]),
                (1, vec![product("c", "Ines", "cateye"), product("a", "Nora again", "oval")]),
            ]
        };
        let filters = ProductFilters::default();
        let (forwards, findings) = collected(blocks(), &filters);
        let (backwards, _) = collected(blocks().into_iter().rev().collect(), &filters);
        let shown = |catalog: &EnhancedCatalog| {
            (0..catalog.records.len() as u32)
                .map(|index| {
                    let record = catalog.records.at(index);
                    let full = catalog.product(index).expect("in the snapshot");
                    let brand = record.brand.map(|brand| catalog.brands[brand as usize].slug.clone());
                    (record.slug.to_string(), full.product.name, full.seo, brand, catalog.related.to(index).to_vec())
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(&forwards), shown(&backwards));
        assert_eq!(forwards.records.len(), 3);
        assert_eq!(findings.iter().filter(|finding| finding.reason == "duplicate_id").count(), 1);
    }

    #[test]
    fn products_of_the_same_name_get_different_titles() {
        let twin = |id: &str, sku: &str| {
            let mut twin = product(id, "Nora", "round");
            twin.sku = Some(sku.into());
            twin
        };
        let (catalog, _) = collected(vec![(0, vec![twin("a", "N-1"), twin("b", "N-2")])], &ProductFilters::default());
        let titles: Vec<_> = (0..2).map(|index| catalog.product(index).expect("kept").seo.title).collect();
        assert_ne!(titles[0], titles[1]);
        assert!(titles[0].contains("N-1") && titles[1].contains("N-2"), "{titles:?}");
    }

    #[test]
    fn the_first_products_in_order_are_kept() {
        let mut cheap = product("b", "Cheap", "round");
        cheap.featured = true;
        let filters = ProductFilters { max_products: Some(1), ..ProductFilters::default() };
        let (catalog, findings) = collected(vec![(0, vec![product("a", "Dear", "square"), cheap])], &filters);
        assert_eq!(&*catalog.records.at(0).name, "Cheap");
        assert_eq!(catalog.brands.len(), 1);
        assert_eq!(findings.len(), 1);
    }

    proptest! {
        #[test]
        fn records_on_disk_are_those_in_memory(
            products in prop::collection::vec((0..40_usize, 0..6_usize, 0..4_i64, prop::bool::ANY), 1..60),
            in_memory in 0..70_usize,
            most in prop::option::of(0..50_usize),
            by_name in prop::bool::ANY,
        ) {
            let products = products.iter().map(|&(id, name, price, has_sku)| {
                let mut product = product(&format!("p{id}"), &format!("Frame {name}"), ["round", "oval"][name % 2]);
                product.price.minor = 10_000 + price;
                product.sku = has_sku.then(|| format!("S-{name}"));
                product
            });
            let products: Vec<Product> = products.collect();
            let blocks: Vec<_> = (0..).zip(products.chunks(7).map(<[Product]>::to_vec)).collect();
            let filters = ProductFilters { max_products: most, ..ProductFilters::default() };
            let sort = if by_name { SortOrder::Name } else { SortOrder::PriceAscending };
            let made = |records| {
                let room = Room { records, ..Room::default() };
                let (catalog, findings) = collected_within(room, sort, blocks.clone(), &filters);
                let records: Vec<ProductRecord> = catalog.records.iter().map(Cow::into_owned).collect();
                let products: Vec<_> = (0..records.len() as u32)
                    .map(|index| (catalog.product(index).expect("on disk"), catalog.related.to(index).to_vec()))
                    .collect();
                catalog.records.verify().expect("readable");
                format!("{records:?} {products:?} {:?} {:?} {findings:?}", catalog.brands, catalog.differences)
            };
            prop_assert_eq!(made(usize::MAX), made(in_memory * RECORD));
        }

        #[test]
        fn related_products_are_others_and_distinct(shapes in prop::collection::vec(0usize..3, 1..30)) {
            let products = shapes
                .iter()
                .enumerate()
                .map(|(at, shape)| product(&format!("p{at}"), "Frame", ["round", "square", "oval"][*shape]))
                .collect();
            let (catalog, _) = collected(vec![(0, products)], &ProductFilters::default());
            let wanted = (shapes.len() - 1).min(8);
            for index in 0..shapes.len() as u32 {
                let related = catalog.related.to(index);
                let distinct: HashSet<_> = related.iter().collect();
                prop_assert_eq!(distinct.len(), related.len());
                prop_assert!(related.iter().all(|&other| other != index));
                prop_assert_eq!(related.len(), wanted);
            }
        }
    }
}
