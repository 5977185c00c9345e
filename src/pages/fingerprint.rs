//! What a page is made from, as a hash: one whose hash is that of the last run need not be rendered again.
//!
//! Takes what the renderer takes; makes a hash for each page of the kinds that there are many of. Errs on the safe side:
//! a hash that changes too often costs time, one that changes too seldom would leave a stale page. Pages that there is one
//! of, such as the front page, see too much of the store to have a hash; they are always rendered, and compared.

use super::listing_page;
use super::outer::Shell;
use super::plan::{PageKind, PlannedPage, Subject, lineage};
use super::shop::Shop;
use super::theme::Theme;
use super::{feed, index};
use crate::assets::{image, social_card, viewer};
use crate::config::{CacheFolder, CatalogUri, StoreConfiguration, ThemeSource};
use crate::enhance::collect::{digest, digest_of};
use crate::enhance::record::TermId;
use crate::enhance::{EnhancedCatalog, ProductRecord};
use crate::site::Digest;
use anyhow::{Context as _, Result};
use rayon::prelude::*;
use std::ops::Range;
use std::path::PathBuf;

/// Hashes of what pages are made from.
pub(crate) struct Fingerprints {
    /// What every page depends on.
    base: [u8; 32],
    /// What a card shows, and nearly all else that a record knows, by record.
    cards: Vec<Digest>,
    /// What all pages of a listing say, by listing.
    listings: Vec<Digest>,
    brands: Vec<Digest>,
    categories: Vec<Digest>,
}

/// A hash of all settings that pages may depend on: not where files are, and no secrets.
fn of_settings(config: &StoreConfiguration, theme: &Theme) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes()).update(image::MAKER.as_bytes());
    hasher.update(social_card::MAKER.as_bytes());
    // Every setting has a place in this text, so that none can be forgotten.
    hasher.update(format!("{:?}", without_places(config)).as_bytes()).update(theme.digest().as_bytes());
    *hasher.finalize().as_bytes()
}

fn without_places(config: &StoreConfiguration) -> StoreConfiguration {
    let mut settings = config.clone();
    settings.translations.values_mut().for_each(|translation| *translation = without_places(translation));
    settings.path = PathBuf::new();
    settings.output = PathBuf::new();
    settings.media_root = PathBuf::new();
    settings.catalog.uri = CatalogUri::Path(PathBuf::new());
    settings.cache.folder = CacheFolder::OfStore;
    // Their contents count: see `Theme::digest`, and the logo in the shell.
    settings.theme = ThemeSource::Folder(PathBuf::new());
    settings.logo = config.logo.as_ref().map(|_| PathBuf::new());
    settings.content.folder = PathBuf::new();
    settings.content.pictures.values_mut().for_each(|file| *file = PathBuf::new());
    // Where a rule stands in the file changes with every line above it.
    settings.catalog.mapping_places = crate::config::BlockPlaces::default();
    settings.theme_places = crate::config::BlockPlaces::default();
    settings
}

/// A hash of all that a store is made from besides its catalogue.
///
/// # Errors
/// When the logo cannot be read.
pub fn settings(config: &StoreConfiguration, theme: &Theme) -> Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&of_settings(config, theme)).update(theme.files_digest().as_bytes());
    if let Some(logo) = &config.logo {
        let bytes = std::fs::read(logo).with_context(|| format!("cannot read the logo `{}`", logo.display()))?;
        hasher.update(&bytes);
    }
    Ok(digest(&hasher))
}

impl Fingerprints {
    pub(crate) fn new(shop: &Shop<'_>, shell: &Shell, theme: &Theme) -> Result<Self> {
        let mut base = blake3::Hasher::new();
        base.update(&of_settings(shop.config, theme));
        shell.hash(&mut base);
        base.update(viewer::script().as_bytes());
        // The ways that any page may offer. Those to brands and categories are told where they are offered.
        for listing in &shop.plan.listings {
            if !matches!(listing.subject, Subject::Brand(_) | Subject::Category(_)) {
                push(&mut base, &[&listing.folder, &shop.subject_name(listing.subject)]);
            }
        }
        let catalog = shop.catalog;
        let listings: Result<_> =
            shop.plan.listings.par_iter().map(|listing| listing_page::digest(shop, listing)).collect();
        Ok(Self {
            base: *base.finalize().as_bytes(),
            cards: catalog.records.par_iter().map(|record| card(shop, record)).collect(),
            listings: listings?,
            brands: (0..).zip(&catalog.brands).map(|(index, _)| brand(shop, index)).collect(),
            categories: (0..).zip(&catalog.categories).map(|(index, _)| category(shop, index)).collect(),
        })
    }

    /// The hash of what a page is made from, for the kinds of pages that have one.
    pub(crate) fn of(&self, shop: &Shop<'_>, page: &PlannedPage) -> Option<Digest> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.base);
        match page.kind {
            PageKind::Product(index) => self.push_product(shop, index, &mut hasher)?,
            PageKind::Listing { listing, number } => {
                let members = shop.plan.listings.get(listing as usize)?;
                let range = shop.plan.members_on(members, number);
                hasher.update(b"listing").update(&self.listings[listing as usize]).update(&number.to_le_bytes());
                hasher.update(&shop.plan.page_count(members).to_le_bytes());
                members.members[range].iter().for_each(|&index| _ = hasher.update(&self.cards[index as usize]));
            }
            PageKind::CardBlock(block) => {
                hasher.update(b"cards");
                self.cards[index::records_of_block(shop, block)].iter().for_each(|card| _ = hasher.update(card));
            }
            PageKind::ProductFeed(number) => {
                hasher.update(b"feed");
                for index in indices(feed::records_of_part(shop, number)) {
                    self.push_record(shop, index, &mut hasher)?;
                }
            }
            _ => return None,
        }
        Some(digest(&hasher))
    }

    /// The hash of what the search index is made from.
    pub(crate) fn of_search(&self, shop: &Shop<'_>) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.base).update(b"search");
        for record in &shop.catalog.records {
            hasher.update(&record.searched);
            record.categories.iter().for_each(|&category| _ = hasher.update(&self.categories[category as usize]));
        }
        digest(&hasher)
    }

    /// The hash of what a product's entry in the feed is made from.
    pub(crate) fn of_feed_entry(&self, shop: &Shop<'_>, index: u32) -> Option<Digest> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.base).update(b"feed entry");
        self.push_record(shop, index, &mut hasher)?;
        Some(digest(&hasher))
    }

    fn push_product(&self, shop: &Shop<'_>, index: u32, hasher: &mut blake3::Hasher) -> Option<()> {
        hasher.update(b"product");
        self.push_record(shop, index, hasher)?;
        shop.record(index)?.related.iter().for_each(|&index| _ = hasher.update(&self.cards[index as usize]));
        Some(())
    }

    /// All that the store knows of one product.
    fn push_record(&self, shop: &Shop<'_>, index: u32, hasher: &mut blake3::Hasher) -> Option<()> {
        let record = shop.record(index)?;
        hasher.update(&record.content).update(&self.cards[index as usize]);
        push(hasher, &[shop.catalog.differences.get(&index).map_or("", String::as_str)]);
        hasher.update(&[u8::from(record.sku.as_deref().is_some_and(|sku| shop.repeated_skus.contains(sku)))]);
        record.brand.iter().for_each(|&brand| _ = hasher.update(&self.brands[brand as usize]));
        record.categories.iter().for_each(|&category| _ = hasher.update(&self.categories[category as usize]));
        Some(())
    }
}

fn indices(range: Range<usize>) -> impl Iterator<Item = u32> {
    range.filter_map(|index| u32::try_from(index).ok())
}

/// Texts with their ends, so that none runs into the next.
fn push(hasher: &mut blake3::Hasher, texts: &[&str]) {
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
}

/// The same for many short ones, which are hashed at once.
fn gather(bytes: &mut Vec<u8>, texts: &[&str]) {
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
}

/// Everything in a record but its neighbours, and where its full product is.
fn card(shop: &Shop<'_>, record: &ProductRecord) -> Digest {
    // Named one by one, so that a new field has to be given a thought here.
    let ProductRecord {
        id,
        slug,
        name,
        names,
        sku,
        brand: _,
        categories,
        price,
        compare_at,
        availability,
        frame_shape,
        frame_type,
        rim,
        gender,
        materials,
        colors,
        features,
        prescription_ready,
        progressive,
        size,
        fits,
        quality,
        popularity,
        featured,
        sort_order,
        created_at,
        updated_at,
        front_width,
        image,
        has_web_media: _,
        has_stored_media: _,
        has_files: _,
        models: _,
        color_count,
        snapshot: _,
        content: _,
        searched: _,
        drawing,
        related: _,
    } = record;
    let mut bytes = Vec::with_capacity(1024);
    let brand = shop.brand_name(record).unwrap_or_default();
    gather(&mut bytes, &[id, slug, name, sku.as_deref().unwrap_or_default(), brand, price.currency.code()]);
    names.iter().for_each(|(locale, name)| gather(&mut bytes, &[locale, name]));
    let (image, alt) = image.as_ref().map_or(("", ""), |(image, alt)| (&**image, &**alt));
    gather(&mut bytes, &[image, alt]);
    // The file at an address may be another one than before.
    let photo = if image.is_empty() { None } else { shop.media.resolve(image).ok() };
    gather(&mut bytes, &[photo.as_ref().map_or("", |photo| photo.url_path.as_str())]);
    let numbers = (
        (price.minor, compare_at, availability, prescription_ready, progressive, size, fits),
        (quality, popularity, featured, sort_order, created_at, updated_at, front_width, color_count),
        (drawing, categories.len()),
    );
    // Numbers, and enumerations without contents, have a form in this format whatever they are.
    bytes = postcard::to_extend(&numbers, bytes).unwrap_or_default();
    let mut terms = |ids: &[TermId]| {
        bytes.extend_from_slice(&(ids.len() as u32).to_le_bytes());
        for &id in ids {
            let term = shop.catalog.terms.get(id);
            gather(&mut bytes, &[&term.key, &term.label]);
        }
    };
    [frame_shape, frame_type, rim, gender].into_iter().for_each(|id| terms(id.as_slice()));
    [materials, colors, features].into_iter().for_each(|ids| terms(ids));
    digest_of(&blake3::hash(&bytes))
}

/// A brand and its page.
fn brand(shop: &Shop<'_>, index: u32) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{:?}", shop.catalog.brands[index as usize]).as_bytes());
    push_way(shop, Subject::Brand(index), &mut hasher);
    digest(&hasher)
}

/// A category, those above it, and their pages.
fn category(shop: &Shop<'_>, index: u32) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for index in lineage(shop.catalog, index) {
        push(&mut hasher, &[&category_name(shop.catalog, index)]);
        push_way(shop, Subject::Category(index), &mut hasher);
    }
    digest(&hasher)
}

fn category_name(catalog: &EnhancedCatalog, index: u32) -> String {
    catalog
        .categories
        .get(index as usize)
        .map(|node| format!("{} {} {:?} {:?}", node.slug, node.name, node.names, node.descriptions_html))
        .unwrap_or_default()
}

fn push_way(shop: &Shop<'_>, subject: Subject, hasher: &mut blake3::Hasher) {
    push(hasher, &[shop.plan.listing_of(subject).map_or("", |listing| &listing.folder)]);
}
