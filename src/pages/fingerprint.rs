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
use super::{feed, index, sitemap};
use crate::assets::{image, social_card, viewer};
use crate::config::{CacheFolder, CatalogUri, StoreConfiguration, ThemeSource};
use crate::enhance::catalog::Touched;
use crate::enhance::collect::{digest, digest_of};
use crate::enhance::record::TermId;
use crate::enhance::{EnhancedCatalog, ProductRecord};
use crate::site::Digest;
use anyhow::{Context as _, Result};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

/// Hashes of what pages are made from.
pub(crate) struct Fingerprints {
    shared: Shared,
    /// What a card shows, and nearly all else that a record knows, by record.
    cards: Vec<Digest>,
    /// All that the store knows of a product, by record.
    records: Vec<Digest>,
}

/// What pages show of anything but records.
struct Shared {
    /// What every page depends on.
    base: [u8; 32],
    /// What all pages of a listing say, by listing.
    listings: Vec<Digest>,
    brands: Vec<Digest>,
    categories: Vec<Digest>,
}

/// Which pages may be others than before.
pub(crate) struct Stale {
    /// By record, whether anything of it is.
    records: Vec<bool>,
    /// Indices of listings that say something else on all of their pages.
    listings: BTreeSet<u32>,
    sitemap: bool,
    search: bool,
}

impl Stale {
    /// Whether a page is certainly the same as before.
    pub(crate) fn spares(&self, shop: &Shop<'_>, page: &PlannedPage) -> bool {
        let are_fresh = |records: Range<usize>| !self.records[records].contains(&true);
        let is_fresh = |index: &u32| !self.records[*index as usize];
        match page.kind {
            PageKind::Product(index) => {
                let has_same_neighbours =
                    || shop.catalog.touched.as_ref().is_some_and(|touched| !touched.neighbours.contains(&index));
                let related = shop.catalog.related.to(index);
                is_fresh(&index) && has_same_neighbours() && related.iter().all(is_fresh)
            }
            PageKind::Listing { listing, number } => {
                let listed = shop.plan.listings.get(listing as usize).filter(|_| !self.listings.contains(&listing));
                listed.is_some_and(|listed| listed.members[shop.plan.members_on(listed, number)].iter().all(is_fresh))
            }
            PageKind::CardBlock(block) => are_fresh(index::records_of_block(shop, block)),
            PageKind::ProductFeed(number) => are_fresh(feed::records_of_part(shop, number)),
            PageKind::SitemapPart(_) => !self.sitemap,
            _ => false,
        }
    }

    /// Whether the search index is.
    pub(crate) fn spares_search(&self) -> bool {
        !self.search
    }
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

impl Shared {
    fn of(shop: &Shop<'_>, shell: &Shell, theme: &Theme) -> Result<Self> {
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
        let brands: Vec<Digest> = (0..).zip(&catalog.brands).map(|(index, _)| brand(shop, index)).collect();
        let categories: Vec<Digest> = (0..).zip(&catalog.categories).map(|(index, _)| category(shop, index)).collect();
        Ok(Self { base: *base.finalize().as_bytes(), listings: listings?, brands, categories })
    }

    /// The hashes of a record's card and of all that the store knows of it.
    fn digests(&self, shop: &Shop<'_>, index: u32, record: &ProductRecord) -> (Digest, Digest) {
        let card = card(shop, record);
        (card, whole(shop, index, record, &card, &self.brands, &self.categories))
    }
}

impl Fingerprints {
    pub(crate) fn new(shop: &Shop<'_>, shell: &Shell, theme: &Theme) -> Result<Self> {
        Ok(Self::within(shop, Shared::of(shop, shell, theme)?))
    }

    fn within(shop: &Shop<'_>, shared: Shared) -> Self {
        let records = shop.catalog.records.par_iter();
        let (cards, records) = records.map(|(index, record)| shared.digests(shop, index, &record)).unzip();
        Self { shared, cards, records }
    }

    /// Those of a catalogue that is touched in some places since `before`, which has the same plan; with what that leaves
    /// stale, unless it is everything.
    pub(crate) fn again(
        before: Self,
        touched: &Touched,
        shop: &Shop<'_>,
        shell: &Shell,
        theme: &Theme,
    ) -> Result<(Self, Option<Stale>)> {
        let shared = Shared::of(shop, shell, theme)?;
        let base_of = |shared: &Shared| (shared.base, shared.brands.clone(), shared.categories.clone());
        if base_of(&before.shared) != base_of(&shared) {
            return Ok((Self::within(shop, shared), None));
        }
        let mut stale = vec![false; shop.catalog.records.len()];
        let (mut sitemap, mut search) = (false, false);
        let Self { shared: last, mut cards, mut records } = before;
        for (&index, old) in &touched.records {
            let new = shop.catalog.records.at(index);
            sitemap |= (old.updated_at, &old.image) != (new.updated_at, &new.image);
            search |= old.searched != new.searched;
            let place = index as usize;
            (cards[place], records[place]) = shared.digests(shop, index, &new);
            stale[place] = true;
        }
        let listings = (0..).zip(last.listings.iter().zip(&shared.listings));
        let listings = listings.filter(|(_, (old, new))| old != new).map(|(index, _)| index).collect();
        Ok((Self { shared, cards, records }, Some(Stale { records: stale, listings, sitemap, search })))
    }

    /// The hash of what a page is made from, for the kinds of pages that have one.
    pub(crate) fn of(&self, shop: &Shop<'_>, page: &PlannedPage) -> Option<Digest> {
        // There are as many as there are pages, and one hash of a few bytes is made sooner than a hasher is set up.
        let mut parts = Vec::with_capacity(1024);
        parts.extend_from_slice(&self.shared.base);
        match page.kind {
            PageKind::Product(index) => {
                parts.extend_from_slice(b"product");
                parts.extend_from_slice(self.records.get(index as usize)?);
                let related = shop.catalog.related.to(index);
                related.iter().for_each(|&index| parts.extend_from_slice(&self.cards[index as usize]));
            }
            PageKind::Listing { listing, number } => {
                let members = shop.plan.listings.get(listing as usize)?;
                let range = shop.plan.members_on(members, number);
                parts.extend_from_slice(b"listing");
                parts.extend_from_slice(&self.shared.listings[listing as usize]);
                parts.extend_from_slice(&number.to_le_bytes());
                parts.extend_from_slice(&shop.plan.page_count(members).to_le_bytes());
                members.members[range].iter().for_each(|&index| parts.extend_from_slice(&self.cards[index as usize]));
            }
            PageKind::CardBlock(block) => {
                parts.extend_from_slice(b"cards");
                parts.extend_from_slice(self.cards[index::records_of_block(shop, block)].as_flattened());
            }
            PageKind::ProductFeed(number) => {
                parts.extend_from_slice(b"feed");
                parts.extend_from_slice(self.records[feed::records_of_part(shop, number)].as_flattened());
            }
            PageKind::SitemapPart(number) => {
                parts.extend_from_slice(b"sitemap");
                parts.extend_from_slice(&sitemap::basis(shop, number));
            }
            _ => return None,
        }
        Some(digest_of(&blake3::hash(&parts)))
    }

    /// The hash of what the search index is made from.
    pub(crate) fn of_search(&self, shop: &Shop<'_>) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.shared.base).update(b"search");
        for record in shop.catalog.records.iter() {
            hasher.update(&record.searched);
            record
                .categories
                .iter()
                .for_each(|&category| _ = hasher.update(&self.shared.categories[category as usize]));
        }
        digest(&hasher)
    }

    /// The hash of what a column of the filters is made from, of which `basis` is what the catalogue says.
    pub(crate) fn of_column(&self, basis: &[u8]) -> Digest {
        let mut hasher = blake3::Hasher::new();
        digest(hasher.update(&self.shared.base).update(b"column").update(basis))
    }

    /// The hash of what a product's entry in the feed is made from.
    pub(crate) fn of_feed_entry(&self, index: u32) -> Option<Digest> {
        let parts = [&self.shared.base[..], b"feed entry", self.records.get(index as usize)?].concat();
        Some(digest_of(&blake3::hash(&parts)))
    }
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

/// All that the store knows of a product whose card is known.
fn whole(
    shop: &Shop<'_>,
    index: u32,
    record: &ProductRecord,
    card: &Digest,
    brands: &[Digest],
    categories: &[Digest],
) -> Digest {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&record.content);
    bytes.extend_from_slice(card);
    let difference = shop.catalog.differences.get(&index);
    gather(&mut bytes, &[difference.map_or("", String::as_str)]);
    bytes.push(u8::from(record.sku.as_deref().is_some_and(|sku| shop.repeated_skus.contains(sku))));
    record.brand.iter().for_each(|&brand| bytes.extend_from_slice(&brands[brand as usize]));
    record.categories.iter().for_each(|&category| bytes.extend_from_slice(&categories[category as usize]));
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
