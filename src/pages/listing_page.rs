//! One page of a listing: heading, neighbouring listings, cards, links to the other pages.
//!
//! Takes a planned listing page; makes its content. Knows records only, never full products.

use super::card::{Cards, Placement};
use super::index::facet::FacetKind;
use super::outer::{self, Content, Crumb, CrumbLink, Section};
use super::plan::{FACE_GUIDE, Listing, Subject, product_path};
use super::shop::{Anchor, Shop};
use super::structured;
use crate::catalog::text::shortened;
use crate::catalog::vocabulary::FaceShape;
use crate::config::SortOrder;
use crate::enhance::collect;
use crate::language::FaceGuide;
use crate::site::Digest;
use serde::Serialize;

/// Pictures of the first cards are loaded at once: about what a screen shows.
const EAGER_CARDS: usize = 4;
/// Longest name that a title holds whole, in characters.
const LONGEST_NAME: usize = 36;

#[derive(Serialize)]
struct ListingPage<'a> {
    crumbs: Vec<CrumbLink>,
    tax_note: Option<&'a str>,
    heading: String,
    intro: Option<String>,
    /// Safe HTML from the catalogue.
    intro_html: Option<&'a str>,
    count: String,
    face: Option<FaceAdvice<'a>>,
    chips: Vec<Chip>,
    chips_label: &'a str,
    cards: String,
    pagination: Option<Pagination>,
    all_url: String,
    first_url: String,
    /// What scripts take for granted: the facet of the listing's subject, and its value.
    facet: Option<&'static str>,
    value: String,
    /// HTML.
    filters: String,
    /// HTML.
    sorting: String,
}

/// The controls of a listing that scripts serve, as HTML.
pub(crate) struct Tools {
    pub(crate) filters: String,
    pub(crate) sorting: String,
}

#[derive(Serialize)]
struct Sorting<'a> {
    usual: &'a str,
    others: Vec<SortChoice<'a>>,
}

#[derive(Serialize)]
struct SortChoice<'a> {
    key: &'static str,
    label: &'a str,
}

impl Tools {
    fn of_listing(shop: &Shop<'_>, subject: Subject) -> anyhow::Result<Self> {
        let usual = match (subject, shop.config.sort) {
            (Subject::FaceShape(_), _) => shop.words.say("sort_face"),
            (_, SortOrder::Featured) => shop.words.say("sort_featured"),
            (_, SortOrder::Newest) => shop.words.say("sort_newest"),
            (_, SortOrder::PriceAscending) => shop.words.say("sort_price_ascending"),
            (_, SortOrder::PriceDescending) => shop.words.say("sort_price_descending"),
            (_, SortOrder::Name) => shop.words.say("sort_name"),
            (_, SortOrder::Popularity) => shop.words.say("sort_popularity"),
            (_, SortOrder::Quality) => shop.words.say("sort_quality"),
        };
        Self::with_usual(shop, usual)
    }

    /// The controls of a page of search results.
    pub(crate) fn of_search(shop: &Shop<'_>) -> anyhow::Result<Self> {
        Self::with_usual(shop, shop.words.say("sort_relevance"))
    }

    fn with_usual(shop: &Shop<'_>, usual: &str) -> anyhow::Result<Self> {
        let mut others: Vec<_> = [
            ("newest", shop.words.say("sort_newest")),
            ("price-asc", shop.words.say("sort_price_ascending")),
            ("price-desc", shop.words.say("sort_price_descending")),
            ("name", shop.words.say("sort_name")),
            ("popular", shop.words.say("sort_popularity")),
        ]
        .into_iter()
        .map(|(key, label)| SortChoice { key, label })
        .collect();
        others.retain(|choice| choice.label != usual);
        Ok(Self {
            filters: shop.templates.render("fragments/filters", &())?,
            sorting: shop.templates.render("fragments/sorting", &Sorting { usual, others })?,
        })
    }
}

/// What the guide says, on the first page of a face shape's listing.
#[derive(Serialize)]
struct FaceAdvice<'a> {
    key: &'static str,
    guide: &'a FaceGuide,
    guide_url: String,
}

/// A link to a neighbouring listing.
#[derive(Serialize)]
struct Chip {
    name: String,
    url: String,
    is_current: bool,
}

#[derive(Serialize)]
struct Pagination {
    previous: Option<String>,
    next: Option<String>,
    steps: Vec<Step>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Step {
    number: u32,
    url: Option<String>,
    is_current: bool,
    follows_gap: bool,
}

/// Builds one page of a listing.
pub(crate) fn build(shop: &Shop<'_>, cards: &Cards, listing: &Listing, number: u32) -> anyhow::Result<Content> {
    let range = shop.plan.members_on(listing, number);
    let members = &listing.members[range.clone()];
    let pages = shop.plan.page_count(listing);
    let path = shop.plan.listing_path(listing, number);
    let link_to = |number: u32| shop.links.local(&shop.plan.listing_path(listing, number));
    let wording = Wording::of(shop, listing);
    let (title, description) = wording.for_page(shop, number, pages);
    let crumbs = crumbs(shop, listing);

    let face = match listing.subject {
        Subject::FaceShape(shape) => Some(shape),
        _ => None,
    };
    let mut html = String::with_capacity(members.len() * 1024);
    for (at, &index) in members.iter().enumerate() {
        cards.push(shop, index, Placement { eager: at < EAGER_CARDS, first: at == 0, face }, &mut html)?;
    }

    let (chips, chips_label) = chips(shop, listing);
    let Tools { filters, sorting } = Tools::of_listing(shop, listing.subject)?;
    let (facet, value) = FacetKind::of_subject(shop, listing.subject).unzip();
    let page = ListingPage {
        tax_note: shop.config.tax_note.as_deref(),
        crumbs: outer::crumb_links(shop, &crumbs),
        heading: wording.heading,
        intro: Some(wording.intro).filter(|_| number == 1),
        intro_html: category_html(shop, listing.subject).filter(|_| number == 1),
        count: count(shop, listing, number, pages),
        face: face.filter(|_| number == 1).and_then(|shape| advice(shop, shape)),
        chips,
        chips_label,
        cards: html,
        pagination: (pages > 1).then(|| Pagination {
            previous: (number > 1).then(|| link_to(number - 1)),
            next: (number < pages).then(|| link_to(number + 1)),
            steps: steps(number, pages, link_to),
        }),
        all_url: shop.links.local("products/index.html"),
        first_url: link_to(1),
        facet: facet.map(FacetKind::key),
        value: value.unwrap_or_default(),
        filters,
        sorting,
    };
    let urls = members.iter().filter_map(|&index| shop.record(index));
    let urls = urls.map(|record| shop.links.absolute(&product_path(&record.slug)));
    let nodes = vec![
        structured::breadcrumbs(shop, &crumbs),
        structured::collection(shop, &title, &shop.links.absolute(&path), range.start + 1, urls),
    ];
    Ok(Content {
        body: shop.templates.render("pages/listing", &page)?,
        previous: (number > 1).then(|| link_to(number - 1)),
        next: (number < pages).then(|| link_to(number + 1)),
        path,
        title,
        description,
        open_graph_type: "website",
        nodes,
        section: section(shop, listing.subject),
        is_indexable: true,
        ..Content::default()
    })
}

/// A hash of what all pages of a listing say, apart from their cards and their numbers.
pub(crate) fn digest(shop: &Shop<'_>, listing: &Listing) -> anyhow::Result<Digest> {
    let wording = Wording::of(shop, listing);
    let pages = shop.plan.page_count(listing);
    // How many products the store has is told where there is little else to say.
    let texts = (wording.for_page(shop, 1, pages), wording.for_page(shop, 2, pages));
    let crumbs = outer::crumb_links(shop, &crumbs(shop, listing));
    let face = match listing.subject {
        Subject::FaceShape(shape) => advice(shop, shape),
        _ => None,
    };
    let html = category_html(shop, listing.subject);
    let facet = FacetKind::of_subject(shop, listing.subject).map(|(kind, value)| (kind.key(), value));
    let said = (wording.heading, wording.title, wording.intro, texts, chips(shop, listing), crumbs, face, html, facet);
    let mut hasher = blake3::Hasher::new();
    hasher.update(listing.folder.as_bytes()).update(&(listing.members.len() as u64).to_le_bytes());
    hasher.update(&postcard::to_stdvec(&said)?);
    Ok(collect::digest(&hasher))
}

/// What a listing is called, in its places.
struct Wording {
    heading: String,
    title: String,
    intro: String,
}

impl Wording {
    fn of(shop: &Shop<'_>, listing: &Listing) -> Self {
        let words = shop.words;
        let name = shop.subject_name(listing.subject);
        let count = words.frames(listing.members.len());
        // A long name must leave room for the words that tell this page from others about the same name.
        let short = shortened(&name, LONGEST_NAME);
        let titled = [("name", short.as_str()), ("store", shop.config.store_name.as_str())];
        let values = [("name", name.as_str()), ("store", shop.config.store_name.as_str()), ("count", count.as_str())];
        let (heading, title, intro) = match listing.subject {
            Subject::All => (name.clone(), words.fill("all_title", &titled), words.fill("all_intro", &values)),
            Subject::FrameType(_) => {
                (name.clone(), words.fill("type_title", &titled), words.fill("type_intro", &values))
            }
            Subject::FrameShape(_) => {
                let heading = words.fill("shape_heading", &values);
                (heading, words.fill("shape_title", &titled), words.fill("shape_intro", &values))
            }
            Subject::FaceShape(shape) => {
                let values = [("face", words.face_in_sentence(shape)), ("count", count.as_str())];
                (name.clone(), words.fill("face_title", &values), words.fill("face_intro", &values))
            }
            Subject::Brand(index) => {
                (name.clone(), words.fill("brand_title", &titled), brand_intro(shop, index, &values))
            }
            Subject::Category(index) => {
                let parent = shop.catalog.categories[index as usize].parent.filter(|&parent| parent < index);
                let intro = words.fill("category_intro", &values);
                match parent {
                    Some(parent) => {
                        let values = [("name", short.as_str()), ("parent", shop.name_of_category(parent))];
                        (name.clone(), words.fill("subcategory_title", &values), intro)
                    }
                    None => (name.clone(), words.fill("category_title", &titled), intro),
                }
            }
        };
        Self { heading, title, intro }
    }

    /// Title and description of one page; those of further pages say which they are.
    fn for_page(&self, shop: &Shop<'_>, number: u32, pages: u32) -> (String, String) {
        if number <= 1 {
            return (outer::title(shop, &self.title), outer::description(shop, &self.intro));
        }
        let (number, pages) = (number.to_string(), pages.to_string());
        let values = [("number", number.as_str()), ("pages", pages.as_str())];
        let suffix = shop.words.fill("page_title_suffix", &values);
        // The number must survive when a long name is cut.
        let room = 60_usize.saturating_sub(suffix.chars().count());
        let title = format!("{}{suffix}", shortened(&self.title, room));
        let prefix = shop.words.fill("page_description_prefix", &values);
        (outer::title(shop, &title), outer::description(shop, &format!("{prefix}{}", self.intro)))
    }
}

fn brand_intro(shop: &Shop<'_>, index: u32, values: &[(&str, &str)]) -> String {
    let brand = &shop.catalog.brands[index as usize];
    let mut intro = shop.words.fill("brand_intro", values);
    if let (Some(country), Some(year)) = (&brand.country, brand.established) {
        let year = year.to_string();
        intro.push(' ');
        intro.push_str(&shop.words.fill("brand_origin", &[("country", country), ("year", &year)]));
    }
    intro
}

fn category_html<'a>(shop: &Shop<'a>, subject: Subject) -> Option<&'a str> {
    let Subject::Category(index) = subject else { return None };
    let category = shop.catalog.categories.get(index as usize)?;
    let own = category.descriptions_html.get(shop.locale);
    own.or(category.description_html.as_ref()).map(String::as_str)
}

fn count(shop: &Shop<'_>, listing: &Listing, number: u32, pages: u32) -> String {
    let count = shop.words.frames(listing.members.len());
    if pages <= 1 {
        return count;
    }
    let (number, pages) = (number.to_string(), pages.to_string());
    shop.words.fill("count_of_page", &[("count", &count), ("number", &number), ("pages", &pages)])
}

fn advice<'a>(shop: &Shop<'a>, shape: FaceShape) -> Option<FaceAdvice<'a>> {
    Some(FaceAdvice { key: shape.key(), guide: shop.words.face_guide(shape)?, guide_url: shop.links.local(FACE_GUIDE) })
}

fn crumbs(shop: &Shop<'_>, listing: &Listing) -> Vec<Crumb> {
    let here = |name: String, listing: &Listing| Crumb { name, path: shop.plan.listing_path(listing, 1) };
    let index = |key: &'static str, path: &str| Crumb { name: shop.words.say(key).to_string(), path: path.into() };
    let mut crumbs = vec![outer::home_crumb(shop)];
    match listing.subject {
        Subject::All => {}
        Subject::FrameType(_) | Subject::FrameShape(_) => crumbs.push(index("all_frames", "products/index.html")),
        Subject::FaceShape(_) => crumbs.push(index("face_shapes", FACE_GUIDE)),
        Subject::Brand(_) => crumbs.push(index("brands", "brands/index.html")),
        Subject::Category(category) => {
            crumbs.push(index("categories", "categories/index.html"));
            crumbs.extend(ancestors(shop, category));
        }
    }
    crumbs.push(here(shop.subject_name(listing.subject), listing));
    crumbs
}

/// The categories above one, from the root down, for breadcrumbs.
pub(crate) fn ancestors(shop: &Shop<'_>, category: u32) -> Vec<Crumb> {
    let above = super::plan::lineage(shop.catalog, category).skip(1);
    let mut crumbs: Vec<_> = above
        .filter_map(|index| {
            let listing = shop.plan.listing_of(Subject::Category(index))?;
            Some(Crumb { name: shop.subject_name(listing.subject), path: shop.plan.listing_path(listing, 1) })
        })
        .collect();
    crumbs.reverse();
    crumbs
}

/// Links to listings of the same kind, or one level further down.
fn chips<'a>(shop: &Shop<'a>, listing: &Listing) -> (Vec<Chip>, &'a str) {
    let (subjects, label): (Vec<Subject>, _) = match listing.subject {
        Subject::All | Subject::FrameShape(_) => {
            let is_shape = |subject: &Subject| matches!(subject, Subject::FrameShape(_));
            let subjects = shop.plan.listings.iter().map(|listing| listing.subject).filter(is_shape).collect();
            (subjects, shop.words.say("by_shape"))
        }
        Subject::FrameType(_) => {
            let is_type = |subject: &Subject| matches!(subject, Subject::FrameType(_));
            let subjects = shop.plan.listings.iter().map(|listing| listing.subject).filter(is_type).collect();
            (subjects, shop.words.say("by_type"))
        }
        Subject::FaceShape(_) => {
            (FaceShape::ALL.into_iter().map(Subject::FaceShape).collect(), shop.words.say("by_face"))
        }
        Subject::Category(index) => {
            let children = shop.catalog.categories[index as usize].children.iter();
            (children.map(|&child| Subject::Category(child)).collect(), shop.words.say("in_category"))
        }
        Subject::Brand(_) => (Vec::new(), ""),
    };
    let chip = |subject: Subject| {
        let found = shop.plan.listing_of(subject)?;
        let Anchor { name, url, .. } = shop.listing_anchor(found);
        let name = match subject {
            Subject::FaceShape(shape) => shop.words.face_name(shape).to_string(),
            _ => name,
        };
        Some(Chip { name, url, is_current: subject == listing.subject })
    };
    (subjects.into_iter().filter_map(chip).collect(), label)
}

fn section(shop: &Shop<'_>, subject: Subject) -> Section {
    match subject {
        Subject::All | Subject::FrameShape(_) => Section::Frames,
        Subject::FrameType(_) => {
            let place = outer::navigation_types(shop).into_iter().position(|candidate| candidate == subject);
            place.map_or(Section::Frames, Section::Type)
        }
        Subject::FaceShape(_) => Section::Faces,
        Subject::Brand(_) => Section::Brands,
        Subject::Category(_) => Section::Categories,
    }
}

/// Links to other pages: the ends, the neighbours, and leaps of 10 and 100, so that no page is many clicks away.
fn steps(current: u32, pages: u32, link_to: impl Fn(u32) -> String) -> Vec<Step> {
    let around = [-100_i64, -10, -1, 0, 1, 10, 100].map(|leap| i64::from(current) + leap);
    let mut numbers: Vec<u32> =
        around.into_iter().chain([1, i64::from(pages)]).filter_map(|n| u32::try_from(n).ok()).collect();
    numbers.retain(|&number| (1..=pages).contains(&number));
    numbers.sort_unstable();
    numbers.dedup();
    let mut before = 0;
    let step = |number: u32| {
        let follows_gap = number > before + 1;
        before = number;
        Step { number, url: (number != current).then(|| link_to(number)), is_current: number == current, follows_gap }
    };
    numbers.into_iter().map(step).collect()
}
