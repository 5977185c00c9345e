//! Pages that lead to listings: all brands, the category tree, the face-shape guide.
//!
//! Takes the plan's listings; makes the pages' content.

use super::outer::{self, Content, Crumb, CrumbLink, Section};
use super::plan::{FACE_GUIDE, Listing, Subject};
use super::shop::{Anchor, Img, Shop};
use super::structured;
use crate::catalog::vocabulary::FaceShape;
use crate::enhance::record::LISTED_FIT;
use crate::language::FaceGuide;
use serde::Serialize;

#[derive(Serialize)]
struct Index {
    crumbs: Vec<CrumbLink>,
    heading: String,
    intro: String,
    entries: Vec<IndexEntry>,
}

#[derive(Serialize)]
struct IndexEntry {
    name: String,
    url: String,
    note: Option<String>,
    picture: Option<Img>,
    children: Vec<Anchor>,
}

#[derive(Serialize)]
struct Guide<'a> {
    crumbs: Vec<CrumbLink>,
    heading: &'a str,
    intro: &'a str,
    shapes: Vec<GuideEntry<'a>>,
    threshold: String,
}

#[derive(Serialize)]
struct GuideEntry<'a> {
    key: &'static str,
    name: &'a str,
    guide: &'a FaceGuide,
    listing: Option<Anchor>,
}

/// Builds the page of all brands.
pub(crate) fn brands(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let entries = listings(shop, |subject| matches!(subject, Subject::Brand(_)));
    let mut entries: Vec<IndexEntry> = entries.map(|listing| entry(shop, listing, Vec::new())).collect();
    entries.sort_by_cached_key(|entry| shop.collator.key(&entry.name));
    let texts = Texts { name: "brands", title: "brands_title", intro: "brands_intro", path: "brands/index.html" };
    index(shop, texts, entries, Section::Brands)
}

/// Builds the category tree.
pub(crate) fn categories(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let is_root = |subject| match subject {
        Subject::Category(index) => shop.catalog.categories[index as usize].parent.is_none(),
        _ => false,
    };
    let entries = listings(shop, is_root).map(|listing| {
        let children = match listing.subject {
            Subject::Category(index) => shop.catalog.categories[index as usize].children.as_slice(),
            _ => &[],
        };
        let children = children.iter().filter_map(|&child| shop.anchor_of(Subject::Category(child)));
        entry(shop, listing, children.collect())
    });
    let entries = entries.collect();
    let texts = Texts {
        name: "categories",
        title: "categories_title",
        intro: "categories_intro",
        path: "categories/index.html",
    };
    index(shop, texts, entries, Section::Categories)
}

/// Builds the guide to face shapes.
pub(crate) fn face_shapes(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let crumbs = vec![
        outer::home_crumb(shop),
        Crumb { name: shop.words.say("face_shapes").to_string(), path: FACE_GUIDE.into() },
    ];
    let entry = |shape: FaceShape| {
        Some(GuideEntry {
            key: shape.key(),
            name: shop.words.face_name(shape),
            guide: shop.words.face_guide(shape)?,
            listing: shop.anchor_of(Subject::FaceShape(shape)),
        })
    };
    let percent = LISTED_FIT.to_string();
    let page = Guide {
        crumbs: outer::crumb_links(shop, &crumbs),
        heading: shop.words.say("guide_heading"),
        intro: shop.words.say("guide_intro"),
        shapes: FaceShape::ALL.into_iter().filter_map(entry).collect(),
        threshold: shop.words.fill("guide_threshold", &[("percent", &percent)]),
    };
    Ok(Content {
        path: FACE_GUIDE.into(),
        title: outer::title(shop, shop.words.say("guide_title")),
        description: outer::description(shop, shop.words.say("guide_intro")),
        body: shop.templates.render("pages/face_shapes", &page)?,
        open_graph_type: "website",
        nodes: vec![structured::breadcrumbs(shop, &crumbs)],
        section: Section::Faces,
        is_indexable: true,
        ..Content::default()
    })
}

/// Keys of the texts of an index page, and where it goes.
struct Texts {
    name: &'static str,
    title: &'static str,
    intro: &'static str,
    path: &'static str,
}

fn index(shop: &Shop<'_>, texts: Texts, entries: Vec<IndexEntry>, section: Section) -> anyhow::Result<Content> {
    let name = shop.words.say(texts.name).to_string();
    let crumbs = vec![outer::home_crumb(shop), Crumb { name: name.clone(), path: texts.path.into() }];
    let count = entries.len().to_string();
    let values = [("count", count.as_str()), ("store", shop.config.store_name.as_str())];
    let intro = shop.words.count(texts.intro, entries.len(), &values);
    let page = Index { crumbs: outer::crumb_links(shop, &crumbs), heading: name, intro: intro.clone(), entries };
    Ok(Content {
        path: texts.path.into(),
        title: outer::title(shop, shop.words.say(texts.title)),
        description: outer::description(shop, &intro),
        body: shop.templates.render("pages/index", &page)?,
        open_graph_type: "website",
        nodes: vec![structured::breadcrumbs(shop, &crumbs)],
        section,
        is_indexable: true,
        ..Content::default()
    })
}

fn listings<'a>(shop: &Shop<'a>, is_wanted: impl Fn(Subject) -> bool) -> impl Iterator<Item = &'a Listing> {
    shop.plan.listings.iter().filter(move |listing| is_wanted(listing.subject))
}

fn entry(shop: &Shop<'_>, listing: &Listing, children: Vec<Anchor>) -> IndexEntry {
    let first = listing.members.first().and_then(|&member| shop.record(member));
    let picture = first.map(|record| Img { alt: String::new(), ..shop.card_picture(&record) });
    let Anchor { name, url, note } = shop.listing_anchor(listing);
    IndexEntry { name, url, note, picture, children }
}
