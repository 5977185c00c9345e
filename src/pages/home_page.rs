//! The front page: hero, featured frames, and the ways in: by face, by shape, by category, by brand.
//!
//! Takes records and listings; makes the page's content. Never reads full products.

use super::card::{Cards, Placement};
use super::outer::{self, Content};
use super::plan::{Subject, product_path};
use super::shop::{Anchor, Img, Shop};
use super::structured;
use crate::catalog::text::shortened;
use crate::catalog::vocabulary::FaceShape;
use crate::enhance::ProductRecord;
use serde::Serialize;

/// Ways in that the front page shows of a kind before it leaves the rest to their own page.
const MOST_TILES: usize = 8;
/// Brands are names only, so that more of them fit.
const MOST_BRANDS: usize = 24;

#[derive(Serialize)]
struct Home<'a> {
    headline: &'a str,
    lead: String,
    hero: Option<Hero<'a>>,
    all: Anchor,
    faces_url: Option<String>,
    featured: String,
    faces: Vec<FaceTile<'a>>,
    shapes: Vec<Tile>,
    categories: Vec<Tile>,
    categories_url: Option<String>,
    brands: Vec<Anchor>,
    brands_url: Option<String>,
}

#[derive(Serialize)]
struct Hero<'a> {
    name: &'a str,
    url: String,
    picture: Img,
    price: String,
}

/// A way in by face shape.
#[derive(Serialize)]
struct FaceTile<'a> {
    name: &'a str,
    url: String,
    key: &'static str,
    note: Option<String>,
}

/// A way in with the picture of a frame behind it.
#[derive(Serialize)]
pub(crate) struct Tile {
    name: String,
    url: String,
    note: Option<String>,
    picture: Option<Img>,
}

/// Builds the front page.
pub(crate) fn build(shop: &Shop<'_>, cards: &Cards) -> anyhow::Result<Content> {
    let featured = featured(shop);
    let mut html = String::new();
    for &index in &featured {
        cards.push(shop, index, Placement::default(), &mut html)?;
    }
    let first = featured.first().copied().or_else(|| best(shop).first().copied());
    let first = first.and_then(|index| shop.record(index));
    let store = shop.config.store_name.as_str();
    let page = Home {
        headline: shop.words.say("home_headline"),
        lead: match &shop.config.store_description {
            Some(text) => text.clone(),
            None => shop.words.fill("home_lead", &[("store", store)]),
        },
        hero: first.as_deref().map(|record| hero(shop, record)),
        all: shop.all_frames(),
        faces_url: shop.face_guide(),
        featured: html,
        faces: face_tiles(shop),
        shapes: tiles(shop, |subject| matches!(subject, Subject::FrameShape(_)), &featured),
        categories: tiles(shop, |subject| is_root_category(shop, subject), &featured),
        categories_url: (!shop.catalog.categories.is_empty()).then(|| shop.links.local("categories/index.html")),
        brands: brands(shop),
        brands_url: (!shop.catalog.brands.is_empty()).then(|| shop.links.local("brands/index.html")),
    };
    let title = match shop.config.site_title.as_deref().unwrap_or(store) {
        name if name.chars().count() < 10 => shop.words.fill("home_title", &[("store", name)]),
        name => name.to_string(),
    };
    let text = shop.config.site_description.as_deref().or(shop.config.store_description.as_deref());
    Ok(Content {
        path: "index.html".into(),
        title: shortened(&title, 60),
        description: outer::description(shop, text.unwrap_or_default()),
        body: shop.templates.render("pages/home", &page)?,
        open_graph_type: "website",
        nodes: structured::store(shop),
        is_indexable: true,
        ..Content::default()
    })
}

/// Frames chosen for the front page: hand-picked ones first, then the best documented and best liked that can be
/// bought. Brands take turns among the latter, so that one brand does not fill the page.
fn featured(shop: &Shop<'_>) -> Vec<u32> {
    let wanted = shop.config.featured_products_count;
    let records = (0..).zip(shop.catalog.records.iter());
    let mut chosen: Vec<u32> =
        records.filter(|(_, record)| record.featured).map(|(index, _)| index).take(wanted).collect();
    let mut shown = std::collections::BTreeMap::new();
    for record in chosen.iter().filter_map(|&index| shop.record(index)) {
        *shown.entry(record.brand).or_insert(0_usize) += 1;
    }
    let mut rest: Vec<u32> = best(shop).into_iter().filter(|index| !chosen.contains(index)).take(wanted * 8).collect();
    while chosen.len() < wanted {
        let least_shown = rest.iter().enumerate().min_by_key(|(at, index)| {
            let brand = shop.record(**index).and_then(|record| record.brand);
            (shown.get(&brand).copied().unwrap_or(0), *at)
        });
        let Some((at, _)) = least_shown else { break };
        let index = rest.remove(at);
        let brand = shop.record(index).and_then(|record| record.brand);
        *shown.entry(brand).or_insert(0) += 1;
        chosen.push(index);
    }
    chosen
}

/// Available frames by quality and popularity, best first.
fn best(shop: &Shop<'_>) -> Vec<u32> {
    let mut best: Vec<(u32, u32)> = (0..)
        .zip(shop.catalog.records.iter())
        .filter(|(_, record)| record.availability.is_available())
        .map(|(index, record)| (u32::from(record.quality) + u32::from(record.popularity), index))
        .collect();
    best.sort_by_key(|&(score, index)| (std::cmp::Reverse(score), index));
    best.into_iter().map(|(_, index)| index).collect()
}

fn hero<'a>(shop: &Shop<'_>, record: &'a ProductRecord) -> Hero<'a> {
    Hero {
        name: shop.name(record),
        url: shop.links.local(&product_path(&record.slug)),
        picture: shop.card_picture(record),
        price: shop.prices.write(record.price),
    }
}

fn face_tiles<'a>(shop: &Shop<'a>) -> Vec<FaceTile<'a>> {
    let tile = |shape: FaceShape| {
        let anchor = shop.anchor_of(Subject::FaceShape(shape))?;
        Some(FaceTile { name: shop.words.face_name(shape), url: anchor.url, key: shape.key(), note: anchor.note })
    };
    FaceShape::ALL.into_iter().filter_map(tile).collect()
}

/// The largest listings of a kind, each with the picture of its first frame that the page does not show yet.
fn tiles(shop: &Shop<'_>, is_wanted: impl Fn(Subject) -> bool, already: &[u32]) -> Vec<Tile> {
    let mut listings: Vec<_> = shop.plan.listings.iter().filter(|listing| is_wanted(listing.subject)).collect();
    listings.sort_by_key(|listing| std::cmp::Reverse(listing.members.len()));
    listings.truncate(MOST_TILES);
    let mut used = already.to_vec();
    let mut tile = |listing: &super::plan::Listing| {
        let members = &listing.members;
        let member = members.iter().find(|member| !used.contains(member)).or(members.first()).copied();
        used.extend(member);
        let picture = member.and_then(|member| shop.record(member)).map(|record| Img {
            // The words of the tile say what it leads to; the frame is only an example.
            alt: String::new(),
            ..shop.card_picture(&record)
        });
        let Anchor { name, url, note } = shop.listing_anchor(listing);
        Tile { name, url, note, picture }
    };
    listings.into_iter().map(&mut tile).collect()
}

fn is_root_category(shop: &Shop<'_>, subject: Subject) -> bool {
    let Subject::Category(index) = subject else { return false };
    shop.catalog.categories.get(index as usize).is_some_and(|category| category.parent.is_none())
}

/// Brands shown by name: featured and hand-ordered ones first.
fn brands(shop: &Shop<'_>) -> Vec<Anchor> {
    let mut order: Vec<_> = (0..).zip(&shop.catalog.brands).collect();
    order.sort_by_key(|(index, brand)| (!brand.featured, brand.sort_order.unwrap_or(i64::MAX), *index));
    let anchors = order.into_iter().filter_map(|(index, _)| shop.anchor_of(Subject::Brand(index)));
    anchors.take(MOST_BRANDS).collect()
}
