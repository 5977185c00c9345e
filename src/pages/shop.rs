//! What every page builder may look at: configuration, catalogue, plan, words, links and pictures of one store.
//!
//! Takes references only; makes small answers such as a price in the store's writing or the picture of a product.
//! Never renders and never writes.

use super::link::Links;
use super::plan::{FACE_GUIDE, Listing, Plan, Subject};
use super::price::PriceFormat;
use super::template::Templates;
use crate::assets::drawing::FrameDrawing;
use crate::assets::image::{self, Size};
use crate::assets::media::{Media, Origin};
use crate::assets::pictures::Picture;
use crate::assets::social_card::{CardLook, CardWords, Shown, SocialCard};
use crate::catalog::vocabulary::FaceShape;
use crate::config::{ImageFormat, SocialCards, StoreConfiguration};
use crate::enhance::record::TermId;
use crate::enhance::{EnhancedCatalog, EnhancedProduct, ProductRecord};
use crate::language::{Collator, Words, plain};
use rayon::prelude::*;
use serde::Serialize;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use twox_hash::XxHash3_64;

/// Pixels of a dense screen that a card is wide at most.
const CARD_WIDTH: u32 = 900;

/// Files that rendered pages point at and that somebody has to write.
#[derive(Debug, Default)]
pub(crate) struct Used {
    drawings: Mutex<BTreeSet<FrameDrawing>>,
}

thread_local! {
    /// Paths that the page which this thread renders points at, while somebody wants to know.
    static POINTED_AT: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

impl Used {
    /// Counts some drawings as pointed at from the beginning.
    pub(crate) fn beginning_with(drawings: BTreeSet<FrameDrawing>) -> Self {
        Self { drawings: Mutex::new(drawings) }
    }

    pub(crate) fn drawings(&self) -> BTreeSet<FrameDrawing> {
        self.drawings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does some work on this thread and tells which files of the store what it made points at.
    pub(crate) fn watching<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
        POINTED_AT.set(Some(BTreeSet::new()));
        let made = work();
        (made, POINTED_AT.take().unwrap_or_default().into_iter().collect())
    }

    fn point_at(path: &str) {
        POINTED_AT.with_borrow_mut(|paths| {
            if let Some(paths) = paths {
                paths.insert(path.to_string());
            }
        });
    }

    fn use_drawing(&self, drawing: FrameDrawing, path: &str) {
        Self::point_at(path);
        self.drawings.lock().unwrap_or_else(PoisonError::into_inner).insert(drawing);
    }
}

/// One store, for the page builders.
pub(crate) struct Shop<'a> {
    pub(crate) config: &'a StoreConfiguration,
    /// BCP 47 tag.
    pub(crate) locale: &'a str,
    /// Position of the language among the store's; 0 is its own.
    pub(crate) language: u8,
    /// Every language of the store.
    pub(crate) languages: Arc<[Language]>,
    pub(crate) catalog: &'a EnhancedCatalog,
    pub(crate) plan: &'a Plan,
    pub(crate) templates: &'a Templates,
    pub(crate) words: &'a Words,
    pub(crate) media: &'a Media,
    pub(crate) used: Arc<Used>,
    pub(crate) collator: Collator,
    pub(crate) repeated_skus: Arc<BTreeSet<Box<str>>>,
    /// Hashes of the brands and names of all products.
    pub(crate) name_hashes: OnceLock<Vec<u32>>,
    /// When the newest change of a product in each listing was, in the plan's order; for the parts of the sitemap.
    pub(crate) listing_changes: OnceLock<Vec<Option<i64>>>,
    pub(crate) links: Links,
    pub(crate) prices: PriceFormat,
    /// How social cards look.
    pub(crate) card_look: CardLook,
}

/// A language of the store, as others link to it.
#[derive(Clone, Debug)]
pub(crate) struct Language {
    /// BCP 47 tag.
    pub(crate) locale: String,
    /// What it calls itself.
    pub(crate) name: String,
    pub(crate) links: Links,
}

/// What a `<picture>` element shows; one without other files is an `<img>`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Img {
    /// The file for browsers that know nothing of the others; `width` and `height` are its own.
    pub(crate) src: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) alt: String,
    /// Drawings stand free on their ground; photos fill it.
    pub(crate) is_drawing: bool,
    /// The same in other widths, as `srcset` has it.
    pub(crate) srcset: Option<String>,
    /// The same in formats that browsers should rather take, the best one first.
    pub(crate) better: Vec<Better>,
    /// The smallest file, for thumbnails.
    pub(crate) small: String,
    /// The largest file, for enlarging and for machines.
    pub(crate) large: String,
    pub(crate) large_width: u32,
    pub(crate) large_height: u32,
    /// Its most frequent colour, as `#rrggbb`.
    pub(crate) color: Option<String>,
    /// A few pixels of it, as a `data:` URL.
    pub(crate) preview: Option<String>,
}

/// A `<source>` element's attributes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Better {
    pub(crate) media_type: &'static str,
    pub(crate) srcset: String,
}

impl Img {
    /// A picture of which there is one file.
    pub(crate) fn single(src: String, (width, height): (u32, u32), alt: String) -> Self {
        Self {
            small: src.clone(),
            large: src.clone(),
            src,
            width,
            height,
            large_width: width,
            large_height: height,
            alt,
            ..Self::default()
        }
    }
}

/// A link with the words it shows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Anchor {
    pub(crate) name: String,
    pub(crate) url: String,
    /// Words about how much is behind it.
    pub(crate) note: Option<String>,
}

impl Anchor {
    pub(crate) fn without_note(self) -> Self {
        Self { note: None, ..self }
    }
}

/// Stock keeping units that more than one product claims.
pub(crate) fn repeated_skus(catalog: &EnhancedCatalog) -> BTreeSet<Box<str>> {
    let hash = |sku: &str| XxHash3_64::oneshot(sku.as_bytes());
    let records = || catalog.records.par_iter();
    // Hashes take less room than texts, and tell of most that they are the only ones.
    let mut hashes: Vec<u64> = records().filter_map(|(_, record)| record.sku.as_deref().map(hash)).collect();
    hashes.par_sort_unstable();
    let repeated: HashSet<u64> = hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    if repeated.is_empty() {
        return BTreeSet::new();
    }
    let skus = records().filter_map(|(_, record)| record.sku.clone());
    let mut skus: Vec<Box<str>> = skus.filter(|sku| repeated.contains(&hash(sku))).collect();
    skus.par_sort_unstable();
    skus.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect()
}

impl Shop<'_> {
    /// The record at an index, when there is one.
    pub(crate) fn record(&self, index: u32) -> Option<Cow<'_, ProductRecord>> {
        self.catalog.records.get(index as usize)
    }

    /// Whether two products may well have the same brand and name, as can be said without reading either.
    pub(crate) fn seem_named_alike(&self, one: u32, other: u32) -> bool {
        let hash = |(_, record): (u32, Cow<'_, ProductRecord>)| {
            let seed = u64::from(record.brand.unwrap_or(u32::MAX));
            XxHash3_64::oneshot_with_seed(seed, record.name.to_ascii_lowercase().as_bytes()) as u32
        };
        let hashes = self.name_hashes.get_or_init(|| self.catalog.records.par_iter().map(hash).collect());
        hashes.get(one as usize) == hashes.get(other as usize)
    }

    /// Whether any product can be looked at in the store's viewer of 3D models.
    pub(crate) fn has_models(&self) -> bool {
        self.catalog.records.iter().any(|record| record.models.iter().any(|path| path.ends_with(".glb")))
    }

    /// What a term is called in the store's language.
    pub(crate) fn label(&self, term: TermId) -> &str {
        let terms = &self.catalog.terms;
        self.words.term(terms.vocabulary(term), terms.get(term))
    }

    pub(crate) fn brand_name(&self, record: &ProductRecord) -> Option<&str> {
        let brand = record.brand?;
        self.catalog.brands.get(brand as usize).map(|_| self.name_of_brand(brand))
    }

    /// The name of a product in the language.
    pub(crate) fn name<'r>(&self, record: &'r ProductRecord) -> &'r str {
        let own = || record.names.iter().find(|(locale, _)| **locale == *self.locale).map(|(_, name)| &**name);
        if self.language == 0 { &record.name } else { own().unwrap_or(&record.name) }
    }

    /// The name of a brand, an index into the catalogue's, in the language.
    pub(crate) fn name_of_brand(&self, index: u32) -> &str {
        let brand = &self.catalog.brands[index as usize];
        let own = brand.translations.get(self.locale).and_then(|translation| translation.name.as_deref());
        own.unwrap_or(&brand.name)
    }

    /// The name of a category, an index into the catalogue's, in the language.
    pub(crate) fn name_of_category(&self, index: u32) -> &str {
        let category = &self.catalog.categories[index as usize];
        category.names.get(self.locale).unwrap_or(&category.name)
    }

    /// The full product of a record, in the language.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub(crate) fn product(&self, index: u32, record: &ProductRecord) -> anyhow::Result<EnhancedProduct> {
        match self.language {
            0 => self.catalog.product_of(index, record),
            _ => self.catalog.product_in(index, record, self.words, self.locale),
        }
    }

    /// The full product of a record, for files that say nothing of its scores.
    pub(crate) fn product_without_scores(&self, index: u32, record: &ProductRecord) -> anyhow::Result<EnhancedProduct> {
        match self.language {
            0 => self.catalog.product_without_scores(index, record),
            _ => self.product(index, record),
        }
    }

    /// The photo of a source with its alternative text; `written` is its size as the catalogue says. Nothing where there
    /// is no photo, or it cannot be shown.
    pub(crate) fn photo(&self, source: &str, alt: &str, written: Option<(u32, u32)>) -> Option<Img> {
        self.photo_up_to(u32::MAX, source, alt, written)
    }

    /// The same for a place that is never wider than `widest` pixels of a screen.
    fn photo_up_to(&self, widest: u32, source: &str, alt: &str, written: Option<(u32, u32)>) -> Option<Img> {
        let file = self.media.resolve(source).ok()?;
        match self.media.picture(&file) {
            Some(Ok(picture)) => Some(self.in_all_sizes(picture, widest, plain(alt))),
            Some(Err(_)) => None,
            // One that nobody has made ready is on another server, and of unknown size. The page gives pictures a fixed
            // place, so this only has to be a likely shape.
            None => (file.origin == Origin::Remote)
                .then(|| Img::single(self.links.media(&file.url_path), written.unwrap_or((1200, 900)), plain(alt))),
        }
    }

    fn in_all_sizes(&self, picture: &Picture, widest: u32, alt: String) -> Img {
        if let Some((path, size)) = picture.vector() {
            let large = picture.largest();
            return Img {
                large: self.links.media(&picture.path(large, self.media.pictures().plain_format())),
                large_width: large.width,
                large_height: large.height,
                color: Some(picture.color()),
                ..Img::single(self.links.media(&path), (size.width, size.height), alt)
            };
        }
        let pictures = self.media.pictures();
        let plain_format = pictures.plain_format();
        let all = picture.sizes();
        let count = all.iter().position(|size| size.width >= widest).map_or(all.len(), |last| last + 1);
        let address = |size: Size, format: ImageFormat| self.links.media(&picture.path(size, format));
        let srcset = |format: ImageFormat| {
            let one = |size: &Size| format!("{} {}w", address(*size, format), size.width);
            all[..count].iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let better = pictures.formats().iter().filter(|format| **format != plain_format);
        let (usual, large) = (picture.usual(), picture.largest());
        Img {
            src: address(usual, plain_format),
            width: usual.width,
            height: usual.height,
            alt,
            is_drawing: false,
            srcset: (count > 1).then(|| srcset(plain_format)),
            better: better
                .map(|&format| Better { media_type: image::media_type(format), srcset: srcset(format) })
                .collect(),
            small: address(all[0], plain_format),
            large: address(large, plain_format),
            large_width: large.width,
            large_height: large.height,
            color: Some(picture.color()),
            preview: picture.preview().filter(|_| widest == u32::MAX),
        }
    }

    /// The drawing of a frame, which is 4:3.
    pub(crate) fn drawing(&self, drawing: FrameDrawing, alt: &str) -> Img {
        let path = drawing.path();
        self.used.use_drawing(drawing, &path);
        Img { is_drawing: true, ..Img::single(self.links.shared(&path), (800, 600), plain(alt)) }
    }

    /// The picture of a product in a listing. The name stands beside it, so that a drawing needs no text of its own.
    pub(crate) fn card_picture(&self, record: &ProductRecord) -> Img {
        // The text is in the store's own language; in others the name stands for it.
        let text = |alt| if self.language == 0 { alt } else { self.name(record) };
        let photo =
            record.image.as_ref().and_then(|(source, alt)| self.photo_up_to(CARD_WIDTH, source, text(alt), None));
        photo.unwrap_or_else(|| self.drawing(record.drawing, ""))
    }

    /// Whether a card of the product shows a photo.
    pub(crate) fn has_card_photo(&self, record: &ProductRecord) -> bool {
        let source = record.image.as_ref().map(|(source, _)| source);
        source.is_some_and(|source| self.photo_up_to(CARD_WIDTH, source, "", None).is_some())
    }

    /// What link previews show of a product; nothing where they show the picture of the store.
    pub(crate) fn social_card(&self, record: &ProductRecord) -> Option<SocialCard> {
        let photo = |source: &str| {
            let file = self.media.resolve(source).ok()?;
            self.media.picture(&file)?.ok()?;
            Some(Shown::Photo(file.url_path))
        };
        let shown = match (self.config.images.social_cards, &record.image) {
            (SocialCards::None, _) | (SocialCards::Photos, None) => return None,
            (_, Some((source, _))) => photo(source)?,
            (SocialCards::All, None) => Shown::Drawing(record.drawing),
        };
        let words = CardWords {
            store: &self.config.store_name,
            brand: self.brand_name(record),
            name: self.name(record),
            price: &self.prices.write(record.price),
        };
        Some(SocialCard::new(&words, &self.card_look, shown))
    }

    /// A link to the first page of a listing.
    pub(crate) fn listing_anchor(&self, listing: &Listing) -> Anchor {
        Anchor {
            name: self.subject_name(listing.subject),
            url: self.links.local(&self.plan.listing_path(listing, 1)),
            note: Some(self.words.frames(listing.members.len())),
        }
    }

    /// The link to a subject's listing, if it has one.
    pub(crate) fn anchor_of(&self, subject: Subject) -> Option<Anchor> {
        Some(self.listing_anchor(self.plan.listing_of(subject)?))
    }

    /// The address of a subject's listing, if it has one.
    pub(crate) fn url_of(&self, subject: Subject) -> Option<String> {
        let listing = self.plan.listing_of(subject)?;
        Some(self.links.local(&self.plan.listing_path(listing, 1)))
    }

    /// The link to every frame of the store.
    pub(crate) fn all_frames(&self) -> Anchor {
        self.anchor_of(Subject::All).unwrap_or_else(|| Anchor {
            name: self.words.say("all_frames").to_string(),
            url: self.links.local("products/index.html"),
            note: None,
        })
    }

    /// The link to the guide to face shapes, if there is one.
    pub(crate) fn face_guide(&self) -> Option<String> {
        let is_listed = |shape: &FaceShape| self.plan.listing_of(Subject::FaceShape(*shape)).is_some();
        FaceShape::ALL.iter().any(is_listed).then(|| self.links.local(FACE_GUIDE))
    }

    /// Links to all listings of a kind, in the plan's order.
    pub(crate) fn anchors(&self, is_wanted: impl Fn(Subject) -> bool) -> Vec<Anchor> {
        let listings = self.plan.listings.iter().filter(|listing| is_wanted(listing.subject));
        listings.map(|listing| self.listing_anchor(listing)).collect()
    }

    /// What the products of a subject are called in links and breadcrumbs.
    pub(crate) fn subject_name(&self, subject: Subject) -> String {
        match subject {
            Subject::All => self.words.say("all_frames").to_string(),
            Subject::FrameType(term) | Subject::FrameShape(term) => self.label(term).to_string(),
            Subject::FaceShape(shape) => {
                self.words.fill("face_heading", &[("face", self.words.face_in_sentence(shape))])
            }
            Subject::Brand(index) => self.name_of_brand(index).to_string(),
            Subject::Category(index) => self.name_of_category(index).to_string(),
        }
    }
}
