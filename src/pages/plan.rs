//! The plan: every page of the store and where it goes, before anything is rendered.
//!
//! Takes the configuration and the enhanced catalogue; makes a list in a fixed order, the same for the same input.
//! Never reads full products, so that it stays cheap for any size of catalogue.

use super::link::Links;
use super::{content_page, feed, llms, news, redirects, search_description, sitemap, worker};
use crate::catalog::vocabulary::FaceShape;
use crate::config::{Commerce, Redirect, StoreConfiguration};
use crate::content::ContentKind;
use crate::enhance::EnhancedCatalog;
use crate::enhance::record::{Fits, TermId, suits};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Every file that pages make, in order.
#[derive(Debug)]
pub struct Plan {
    /// In the order they are best rendered: front pages first, files for machines last.
    pub pages: Vec<PlannedPage>,
    /// The listings that pages show a part of.
    pub listings: Vec<Listing>,
    /// Old addresses that lead on: the configured ones, and behind them those of products that are no longer there.
    pub redirects: Vec<Redirect>,
    by_subject: BTreeMap<Subject, usize>,
    per_page: usize,
}

/// One file to render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPage {
    /// Path of the file below the output folder, with `/` on every platform.
    pub path: Box<str>,
    /// What it shows.
    pub kind: PageKind,
    /// Position of its language among the store's; 0 is the store's own.
    pub language: u8,
}

impl PlannedPage {
    /// Root-relative address of the page.
    pub fn url_path(&self, links: &Links) -> String {
        links.shared(&self.path)
    }
}

/// What a planned file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// The front page.
    Home,
    /// One page of a listing; `number` counts from 1.
    Listing {
        /// Index into [`Plan::listings`].
        listing: u32,
        /// Which page of it.
        number: u32,
    },
    /// All brands.
    BrandIndex,
    /// The category tree.
    CategoryIndex,
    /// How to find frames for a face.
    FaceShapeGuide,
    /// A product; an index into the catalogue's records.
    Product(u32),
    /// About the store.
    About,
    /// How to reach the store.
    Contact,
    /// A page of the content folder, an index into the configuration's.
    Text(u32),
    /// The posts of the content folder.
    Blog,
    /// Shops that customers can go to.
    Locations,
    /// Results of a search.
    Search,
    /// The frames that a shopper has put aside.
    Favourites,
    /// Up to four frames beside each other.
    Compare,
    /// Some cards in the store's order, for scripts; counted from 0.
    CardBlock(u32),
    /// What a shopper wants to have: the cart, or the list for an enquiry.
    Cart,
    /// Shown for unknown addresses.
    NotFound,
    /// `sitemap.xml`: the index when there are parts, all addresses otherwise.
    Sitemap,
    /// One part of a large sitemap, counted from 1.
    SitemapPart(u32),
    /// `robots.txt`.
    Robots,
    /// `_headers`, for hosts that read it.
    Headers,
    /// The web app manifest.
    Manifest,
    /// One part of the feed for shopping services, counted from 1.
    ProductFeed(u32),
    /// The feed of new frames.
    News,
    /// How browsers search the store.
    SearchDescription,
    /// `llms.txt`.
    LanguageModels,
    /// What is shown without a connection.
    Offline,
    /// The script that keeps the offline page.
    Worker,
    /// `_redirects`, for hosts that read it.
    Redirects,
    /// A page that leads on from an old address, an index into the plan's redirects.
    Moved(u32),
}

impl PageKind {
    /// Whether every language has one of its own; the others speak for the whole store.
    pub(crate) fn is_translated(self) -> bool {
        !matches!(
            self,
            Self::Sitemap
                | Self::SitemapPart(_)
                | Self::Robots
                | Self::Headers
                | Self::LanguageModels
                | Self::Offline
                | Self::Worker
                | Self::Redirects
                | Self::Moved(_)
        )
    }

    /// Whether search engines are asked to list the page.
    pub fn is_indexable(self) -> bool {
        !matches!(
            self,
            Self::Search
                | Self::Favourites
                | Self::Compare
                | Self::CardBlock(_)
                | Self::Cart
                | Self::NotFound
                | Self::Sitemap
                | Self::SitemapPart(_)
                | Self::Robots
                | Self::Headers
                | Self::Manifest
                | Self::ProductFeed(_)
                | Self::News
                | Self::SearchDescription
                | Self::LanguageModels
                | Self::Offline
                | Self::Worker
                | Self::Redirects
                | Self::Moved(_)
        )
    }
}

/// A list of products with pages of its own.
#[derive(Debug)]
pub struct Listing {
    /// What the products have in common.
    pub subject: Subject,
    /// Folder of its first page, ending in `/`.
    pub folder: Box<str>,
    /// Indices of records, in the order shown.
    pub members: Vec<u32>,
}

/// What the products of a listing have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Nothing: every product.
    All,
    /// Sold for the same: sunglasses, reading.
    FrameType(TermId),
    /// The outline.
    FrameShape(TermId),
    /// A face shape they suit.
    FaceShape(FaceShape),
    /// The brand, an index into the catalogue's brands.
    Brand(u32),
    /// The category or one below it, an index into the catalogue's categories.
    Category(u32),
}

impl Plan {
    /// Adds pages that lead on from the products that are no longer there, where the store wants them. `stands` are the
    /// paths of the files that it consists of now.
    pub fn lead_on<'m>(&mut self, config: &StoreConfiguration, stands: impl Iterator<Item = &'m str>) {
        if config.redirects_removed_products {
            let first = self.redirects.len();
            self.redirects.extend(redirects::from_removed(config, self, stands));
            let moved = (0..).zip(&self.redirects).skip(first);
            self.pages.extend(moved.map(|(index, redirect)| page(&redirect.path, PageKind::Moved(index))));
        }
    }

    /// How many pages a listing has; an empty one has one page that says so.
    pub fn page_count(&self, listing: &Listing) -> u32 {
        u32::try_from(listing.members.len().div_ceil(self.per_page).max(1)).unwrap_or(u32::MAX)
    }

    /// The members on one page of a listing, counted from 1.
    pub fn members_on(&self, listing: &Listing, number: u32) -> std::ops::Range<usize> {
        let from = (number.saturating_sub(1) as usize).saturating_mul(self.per_page).min(listing.members.len());
        from..from.saturating_add(self.per_page).min(listing.members.len())
    }

    /// Path of one page of a listing, counted from 1.
    pub fn listing_path(&self, listing: &Listing, number: u32) -> String {
        match number {
            0 | 1 => format!("{}index.html", listing.folder),
            _ => format!("{}page/{number}/index.html", listing.folder),
        }
    }

    /// The listing of a subject, if it has one.
    pub fn listing_of(&self, subject: Subject) -> Option<&Listing> {
        self.by_subject.get(&subject).map(|&at| &self.listings[at])
    }
}

/// Path of the guide to face shapes. It leads to frames, so that a store none of whose frames suits any face known to
/// it has none.
pub(crate) const FACE_GUIDE: &str = "face-shapes/index.html";

/// Path of a product's page.
pub(crate) fn product_path(slug: &str) -> String {
    format!("products/{slug}/index.html")
}

/// Plans the store.
pub fn plan(config: &StoreConfiguration, catalog: &EnhancedCatalog) -> Plan {
    let listings = listings(config, catalog);
    let by_subject = listings.iter().enumerate().map(|(at, listing)| (listing.subject, at)).collect();
    let mut plan = Plan {
        pages: Vec::new(),
        listings,
        redirects: config.redirects.clone(),
        by_subject,
        per_page: config.products_per_page.max(1),
    };
    let mut pages = vec![page("index.html", PageKind::Home)];
    let mut group = None;
    for (index, listing) in (0..).zip(&plan.listings) {
        let index_page = index_page_of(listing.subject);
        if group != index_page {
            group = index_page;
            pages.extend(index_page.map(|(path, kind)| page(path, kind)));
        }
        pages.extend((1..=plan.page_count(listing)).map(|number| PlannedPage {
            path: plan.listing_path(listing, number).into(),
            kind: PageKind::Listing { listing: index, number },
            language: 0,
        }));
    }
    // Each part reads many products, so they are begun before the last pages are.
    pages.extend(
        (1..=feed::part_count(catalog.records.len())).map(|part| page(&feed::path(part), PageKind::ProductFeed(part))),
    );
    pages.extend((0..).zip(catalog.records.iter()).map(|(index, record)| PlannedPage {
        path: product_path(&record.slug).into(),
        kind: PageKind::Product(index),
        language: 0,
    }));
    let own = |address: &str| config.content.pages.iter().any(|page| page.address == address);
    if !own("about") {
        pages.push(page("about/index.html", PageKind::About));
    }
    if !own("contact") {
        pages.push(page("contact/index.html", PageKind::Contact));
    }
    let texts = (0..).zip(&config.content.pages);
    pages.extend(texts.map(|(index, text)| page(&content_page::path(text), PageKind::Text(index))));
    let has_posts = config.content.pages.iter().any(|page| page.kind == ContentKind::Post);
    if has_posts {
        pages.push(page(content_page::BLOG, PageKind::Blog));
    }
    if !config.locations.is_empty() {
        pages.push(page(content_page::LOCATIONS, PageKind::Locations));
    }
    pages.push(page("search/index.html", PageKind::Search));
    pages.push(page("favourites/index.html", PageKind::Favourites));
    pages.push(page("compare/index.html", PageKind::Compare));
    if config.commerce != Commerce::None {
        pages.push(page("cart/index.html", PageKind::Cart));
    }
    pages.push(page("404.html", PageKind::NotFound));
    pages.extend((0..super::index::card_blocks(catalog.records.len())).map(|block| PlannedPage {
        path: format!("index/cards/{block}.txt").into(),
        kind: PageKind::CardBlock(block),
        language: 0,
    }));
    pages.extend((0..).zip(&config.redirects).map(|(index, redirect)| page(&redirect.path, PageKind::Moved(index))));

    let addresses = pages.iter().filter(|page| page.kind.is_indexable()).count() * config.locales.len();
    let parts = sitemap::part_count(addresses, config.base_url.as_str().len(), config.locales.len());
    pages.push(page("sitemap.xml", PageKind::Sitemap));
    if parts > 1 {
        pages.extend((1..=parts).map(|part| PlannedPage {
            path: format!("sitemap-{part}.xml").into(),
            kind: PageKind::SitemapPart(part),
            language: 0,
        }));
    }
    pages.push(page("robots.txt", PageKind::Robots));
    pages.push(page("_headers", PageKind::Headers));
    pages.push(page("manifest.webmanifest", PageKind::Manifest));
    pages.push(page(search_description::PATH, PageKind::SearchDescription));
    pages.push(page(llms::PATH, PageKind::LanguageModels));
    if has_posts || news::has_news(&catalog.records) {
        pages.push(page(news::PATH, PageKind::News));
    }
    if config.offline_page {
        pages.push(page(worker::OFFLINE_PAGE, PageKind::Offline));
        pages.push(page(worker::PATH, PageKind::Worker));
    }
    if !config.redirects.is_empty() {
        pages.push(page("_redirects", PageKind::Redirects));
    }
    let own: Vec<PlannedPage> = pages.iter().filter(|page| page.kind.is_translated()).cloned().collect();
    for (language, locale) in (0..=u8::MAX).zip(&config.locales).skip(1) {
        let folder = folder_of(locale);
        pages.extend(own.iter().map(|page| PlannedPage {
            path: format!("{folder}{}", page.path).into(),
            kind: page.kind,
            language,
        }));
    }
    plan.pages = pages;
    plan
}

/// Folder of the pages in a further language of the store: `de-ch/`.
pub(crate) fn folder_of(locale: &str) -> String {
    format!("{}/", locale.to_lowercase())
}

fn page(path: &str, kind: PageKind) -> PlannedPage {
    PlannedPage { path: path.into(), kind, language: 0 }
}

/// The page that leads to all listings of a kind.
fn index_page_of(subject: Subject) -> Option<(&'static str, PageKind)> {
    match subject {
        Subject::FaceShape(_) => Some((FACE_GUIDE, PageKind::FaceShapeGuide)),
        Subject::Brand(_) => Some(("brands/index.html", PageKind::BrandIndex)),
        Subject::Category(_) => Some(("categories/index.html", PageKind::CategoryIndex)),
        Subject::All | Subject::FrameType(_) | Subject::FrameShape(_) => None,
    }
}

/// Every listing with something in it (the one of all products even without), grouped by kind.
fn listings(config: &StoreConfiguration, catalog: &EnhancedCatalog) -> Vec<Listing> {
    let mut types: BTreeMap<&str, (TermId, Vec<u32>)> = BTreeMap::new();
    let mut shapes: BTreeMap<&str, (TermId, Vec<u32>)> = BTreeMap::new();
    let mut brands: Vec<Vec<u32>> = vec![Vec::new(); catalog.brands.len()];
    let mut categories: Vec<Vec<u32>> = vec![Vec::new(); catalog.categories.len()];
    let mut fits = Vec::with_capacity(catalog.records.len());
    for (index, record) in (0..).zip(catalog.records.iter()) {
        fits.push(record.fits);
        for (term, groups) in [(record.frame_type, &mut types), (record.frame_shape, &mut shapes)] {
            if let Some(term) = term {
                groups.entry(&catalog.terms.get(term).key).or_insert((term, Vec::new())).1.push(index);
            }
        }
        if let Some(members) = record.brand.and_then(|brand| brands.get_mut(brand as usize)) {
            members.push(index);
        }
        for category in record.categories.iter().flat_map(|&category| lineage(catalog, category)) {
            if let Some(members) =
                categories.get_mut(category as usize).filter(|members| members.last() != Some(&index))
            {
                members.push(index);
            }
        }
    }

    let all = Listing {
        subject: Subject::All,
        folder: "products/".into(),
        members: (0..catalog.records.len() as u32).collect(),
    };
    let mut listings = vec![all];
    listings.extend(types.into_iter().map(|(key, (term, members))| Listing {
        subject: Subject::FrameType(term),
        folder: format!("types/{key}/").into(),
        members,
    }));
    listings.extend(shapes.into_iter().map(|(key, (term, members))| Listing {
        subject: Subject::FrameShape(term),
        folder: format!("shapes/{key}/").into(),
        members,
    }));
    if config.enable_face_shape_filter {
        listings.par_extend(FaceShape::ALL.into_par_iter().map(|shape| Listing {
            subject: Subject::FaceShape(shape),
            folder: format!("face-shapes/{}/", shape.key()).into(),
            members: members_for_face(&fits, shape),
        }));
    }
    listings.extend((0..).zip(&catalog.brands).zip(brands).map(|((index, brand), members)| Listing {
        subject: Subject::Brand(index),
        folder: format!("brands/{}/", brand.slug).into(),
        members,
    }));
    listings.extend((0..).zip(categories).map(|(index, members)| Listing {
        subject: Subject::Category(index),
        folder: category_folder(catalog, index).into(),
        members,
    }));
    listings.retain(|listing| !listing.members.is_empty() || listing.subject == Subject::All);
    listings
}

fn members_for_face(fits: &[Fits], shape: FaceShape) -> Vec<u32> {
    let fitting = (0..).zip(fits).filter(|(_, fits)| suits(fits, shape));
    let mut fitting: Vec<(u8, u32)> = fitting.filter_map(|(index, fits)| Some((fits[shape.index()]?, index))).collect();
    fitting.sort_by_key(|&(fit, index)| (std::cmp::Reverse(fit), index));
    fitting.into_iter().map(|(_, index)| index).collect()
}

/// A category and its ancestors, from itself up to the root.
pub(crate) fn lineage(catalog: &EnhancedCatalog, category: u32) -> impl Iterator<Item = u32> + '_ {
    // Parents stand before their children, so a strictly falling index also ends on a broken tree.
    std::iter::successors(Some(category), |&current| {
        catalog.categories.get(current as usize)?.parent.filter(|&parent| parent < current)
    })
    .filter(|&index| (index as usize) < catalog.categories.len())
}

fn category_folder(catalog: &EnhancedCatalog, category: u32) -> String {
    let slug = |index: u32| catalog.categories[index as usize].slug.as_str();
    let mut trail: Vec<&str> = lineage(catalog, category).map(slug).collect();
    trail.push("categories");
    trail.reverse();
    format!("{}/", trail.join("/"))
}
