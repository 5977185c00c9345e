//! Pages of the store's own: texts, questions, the blog, the shops with their opening hours.
//!
//! Takes the content that the configuration holds; makes pages, and tells which of their links lead nowhere. Texts are
//! made harmless by [`crate::content::html`].

use super::outer::{self, Crumb, CrumbLink, Section};
use super::plan::{PageKind, Plan};
use super::shop::{Anchor, Shop};
use super::structured;
use crate::config::{Location, StoreConfiguration};
use crate::content::html::{self, Target};
use crate::content::{ContentKind, ContentPage, Menu, Version};
use crate::event::{Finding, Outcome};
use crate::language::is_same_language;
use serde::Serialize;
use serde_json::json;
use std::cell::LazyCell;
use std::collections::HashSet;
use time::Date;
use url::Url;

/// Path of the list of posts.
pub(crate) const BLOG: &str = "blog/index.html";
/// Path of the page of shops.
pub(crate) const LOCATIONS: &str = "stores/index.html";

#[derive(Serialize)]
struct TextPage<'a> {
    crumbs: Vec<CrumbLink>,
    /// That of the text, where it is not the page's.
    language: Option<&'a str>,
    heading: &'a str,
    lead: Option<&'a str>,
    date: Option<DateWords>,
    /// Safe HTML.
    body: String,
}

#[derive(Serialize)]
struct DateWords {
    machine: String,
    words: String,
}

#[derive(Serialize)]
struct BlogPage<'a> {
    crumbs: Vec<CrumbLink>,
    heading: &'a str,
    intro: String,
    posts: Vec<PostEntry<'a>>,
}

#[derive(Serialize)]
struct PostEntry<'a> {
    title: &'a str,
    url: String,
    text: Option<&'a str>,
    date: Option<DateWords>,
}

#[derive(Serialize)]
struct LocationsPage<'a> {
    crumbs: Vec<CrumbLink>,
    heading: &'a str,
    intro: String,
    locations: Vec<LocationEntry<'a>>,
}

#[derive(Serialize)]
struct LocationEntry<'a> {
    name: &'a str,
    address: Vec<String>,
    phone: Option<&'a str>,
    phone_url: String,
    email: Option<outer::Email<'a>>,
    hours: Vec<DayHours<'a>>,
}

#[derive(Serialize)]
struct DayHours<'a> {
    day: &'a str,
    hours: String,
}

/// Path of a page of the content folder.
pub(crate) fn path(page: &ContentPage) -> String {
    format!("{}/index.html", page.address)
}

fn version<'a>(shop: &Shop<'a>, page: &'a ContentPage) -> Option<&'a Version> {
    in_own_language(shop, page).map(|(_, version)| version)
}

/// A page as the language has it, and the language that it is lent from where it has none.
fn in_own_language<'a>(shop: &Shop<'a>, page: &'a ContentPage) -> Option<(Option<&'a str>, &'a Version)> {
    let (locale, version) = page.version(shop.locale, shop.config.locales.first().map_or("", String::as_str))?;
    Some(((!is_same_language(locale, shop.locale)).then_some(locale), version))
}

/// The ways to pages of the content folder that a menu shows, in its order, and the blog and the shops.
pub(crate) fn menu(shop: &Shop<'_>, is_header: bool) -> Vec<Anchor> {
    let pages = shop.config.content.pages.iter().filter(|page| page.kind != ContentKind::Post);
    let pages = pages.filter(|page| is_header || !matches!(page.address.as_str(), "about" | "contact"));
    let mut ways: Vec<(i64, &str, String)> = pages
        .filter_map(|page| {
            let version = version(shop, page)?;
            let is_there = match version.menu {
                Menu::Header => true,
                Menu::Footer => !is_header,
                Menu::None => false,
            };
            is_there.then(|| (version.order, version.title.as_str(), shop.links.local(&path(page))))
        })
        .collect();
    ways.sort_by_key(|(order, ..)| *order);
    let ways = ways.into_iter().map(|(_, name, url)| Anchor { name: name.to_string(), url, note: None });
    let further = [(PageKind::Blog, shop.words.say("blog")), (PageKind::Locations, shop.words.say("locations"))];
    let further = further.into_iter().filter(|_| !is_header).filter_map(|(kind, name)| {
        Some(Anchor { name: name.to_string(), url: outer::page_link(shop, kind)?, note: None })
    });
    ways.chain(further).collect()
}

/// The posts of a store, the latest first.
pub(crate) fn posts(config: &StoreConfiguration) -> Vec<(u32, &ContentPage)> {
    let posts = (0..).zip(&config.content.pages).filter(|(_, page)| page.kind == ContentKind::Post);
    let mut posts: Vec<(u32, &ContentPage)> = posts.collect();
    let date = |page: &ContentPage| page.versions.values().filter_map(|version| version.date).max();
    posts.sort_by(|(_, a), (_, b)| date(b).cmp(&date(a)).then_with(|| a.address.cmp(&b.address)));
    posts
}

/// Builds a page of the content folder.
pub(crate) fn text(shop: &Shop<'_>, index: u32) -> anyhow::Result<outer::Content> {
    let page = shop.config.content.pages.get(index as usize);
    let Some((page, (lent_from, version))) = page.and_then(|page| Some((page, in_own_language(shop, page)?))) else {
        anyhow::bail!("the plan names a text that is not there: {index}")
    };
    let path = path(page);
    let mut crumbs = vec![outer::home_crumb(shop)];
    if page.kind == ContentKind::Post {
        crumbs.push(Crumb { name: shop.words.say("blog").to_string(), path: BLOG.into() });
    }
    crumbs.push(Crumb { name: version.title.clone(), path: path.clone() });
    let body = html::of(&version.text, &|target| resolve(shop, page, version, target));
    let url = shop.links.absolute(&path);
    let mut nodes = vec![structured::breadcrumbs(shop, &crumbs)];
    match page.kind {
        ContentKind::Page => {}
        ContentKind::Post => nodes.push(structured::written(&json!({
            "@type": "BlogPosting",
            "headline": version.title,
            "description": version.description,
            "datePublished": version.date.map(machine_date),
            "inLanguage": lent_from.unwrap_or(shop.locale),
            "url": url,
            "author": { "@type": "Organization", "name": shop.config.store_name, "url": shop.links.absolute("index.html") },
        }))),
        ContentKind::Faq => {
            let questions = html::questions(&version.text, &|target| absolute(shop, page, version, target));
            let questions = questions.into_iter().map(|one| {
                json!({
                    "@type": "Question",
                    "name": one.question,
                    "acceptedAnswer": { "@type": "Answer", "text": one.answer.trim() },
                })
            });
            let questions: Vec<_> = questions.collect();
            if !questions.is_empty() {
                nodes.push(structured::written(
                    &json!({ "@type": "FAQPage", "url": url, "inLanguage": lent_from.unwrap_or(shop.locale), "mainEntity": questions }),
                ));
            }
        }
    }
    let fields = TextPage {
        crumbs: outer::crumb_links(shop, &crumbs),
        language: lent_from,
        heading: &version.title,
        lead: version.description.as_deref(),
        date: version.date.map(|date| date_words(shop, date)),
        body,
    };
    Ok(outer::Content {
        title: outer::title(shop, &version.title),
        description: outer::description(shop, version.description.as_deref().unwrap_or(&version.title)),
        body: shop.templates.render("pages/text", &fields)?,
        path,
        open_graph_type: if page.kind == ContentKind::Post { "article" } else { "website" },
        nodes,
        section: Section::Text(index),
        is_indexable: true,
        ..outer::Content::default()
    })
}

/// Builds the list of posts.
pub(crate) fn blog(shop: &Shop<'_>) -> anyhow::Result<outer::Content> {
    let heading = shop.words.say("blog");
    let crumbs = vec![outer::home_crumb(shop), Crumb { name: heading.to_string(), path: BLOG.into() }];
    let intro = shop.words.fill("blog_intro", &[("store", &shop.config.store_name)]);
    let posts = posts(shop.config).into_iter().filter_map(|(_, page)| {
        let version = version(shop, page)?;
        Some(PostEntry {
            title: &version.title,
            url: shop.links.local(&path(page)),
            text: version.description.as_deref(),
            date: version.date.map(|date| date_words(shop, date)),
        })
    });
    let fields =
        BlogPage { crumbs: outer::crumb_links(shop, &crumbs), heading, intro: intro.clone(), posts: posts.collect() };
    Ok(outer::Content {
        path: BLOG.into(),
        title: outer::title(shop, shop.words.say("blog_title")),
        description: outer::description(shop, &intro),
        body: shop.templates.render("pages/blog", &fields)?,
        open_graph_type: "website",
        nodes: vec![structured::breadcrumbs(shop, &crumbs)],
        is_indexable: true,
        ..outer::Content::default()
    })
}

/// Builds the page of the shops.
pub(crate) fn locations(shop: &Shop<'_>) -> anyhow::Result<outer::Content> {
    let heading = shop.words.say("locations");
    let crumbs = vec![outer::home_crumb(shop), Crumb { name: heading.to_string(), path: LOCATIONS.into() }];
    let intro = shop.words.fill("locations_intro", &[("store", &shop.config.store_name)]);
    let entries = shop.config.locations.iter().map(|location| entry(shop, location)).collect();
    let mut nodes = vec![structured::breadcrumbs(shop, &crumbs)];
    nodes.extend(shop.config.locations.iter().map(|location| structured::written(&optician(shop, location))));
    let fields =
        LocationsPage { crumbs: outer::crumb_links(shop, &crumbs), heading, intro: intro.clone(), locations: entries };
    Ok(outer::Content {
        path: LOCATIONS.into(),
        title: outer::title(shop, shop.words.say("locations_title")),
        description: outer::description(shop, &intro),
        body: shop.templates.render("pages/locations", &fields)?,
        open_graph_type: "website",
        nodes,
        is_indexable: true,
        ..outer::Content::default()
    })
}

fn entry<'a>(shop: &Shop<'a>, location: &'a Location) -> LocationEntry<'a> {
    let dialled =
        |phone: &String| phone.chars().filter(|sign| sign.is_ascii_digit() || *sign == '+').collect::<String>();
    let email = |address: &'a String| outer::Email { address, url: super::link::mail_link(address, None) };
    LocationEntry {
        name: &location.name,
        address: address(shop, location),
        phone: location.phone.as_deref(),
        phone_url: location.phone.as_ref().map_or_else(String::new, |phone| format!("tel:{}", dialled(phone))),
        email: location.email.as_ref().map(email),
        hours: hours(shop, location),
    }
}

fn address(shop: &Shop<'_>, location: &Location) -> Vec<String> {
    let town = [&location.postal_code, &location.city].into_iter().flatten().map(String::as_str);
    let town = town.collect::<Vec<_>>().join(" ");
    let country = location.country.as_deref().map(|code| shop.words.country(code).to_string());
    location.street.clone().into_iter().chain([town]).chain(country).filter(|line| !line.is_empty()).collect()
}

fn hours<'a>(shop: &Shop<'a>, location: &Location) -> Vec<DayHours<'a>> {
    const DAYS: [&str; 7] = ["day_1", "day_2", "day_3", "day_4", "day_5", "day_6", "day_7"];
    if location.hours.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    let day = |(key, spans): (&'static str, &Vec<(String, String)>)| DayHours {
        day: shop.words.say(key),
        hours: match spans.is_empty() {
            true => shop.words.say("closed").to_string(),
            false => shop.words.list(
                spans.iter().map(|(from, to)| format!("{from}–{to}")).collect::<Vec<_>>().iter().map(String::as_str),
            ),
        },
    };
    DAYS.into_iter().zip(&location.hours).map(day).collect()
}

fn optician(shop: &Shop<'_>, location: &Location) -> serde_json::Value {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let mut optician = json!({
        "@type": "Optician",
        "name": location.name,
        "url": shop.links.absolute(LOCATIONS),
        "parentOrganization": { "@id": format!("{}#store", shop.links.absolute("index.html")) },
        "image": shop.links.absolute_shared(crate::assets::icons::SOCIAL_CARD),
        "address": {
            "@type": "PostalAddress",
            "streetAddress": location.street,
            "postalCode": location.postal_code,
            "addressLocality": location.city,
            "addressCountry": location.country,
        },
    });
    for (key, value) in [("telephone", &location.phone), ("email", &location.email)] {
        if let Some(value) = value {
            optician[key] = value.as_str().into();
        }
    }
    let open = DAYS.iter().zip(&location.hours).flat_map(|(day, spans)| {
        spans.iter().map(move |(from, to)| {
            json!({ "@type": "OpeningHoursSpecification", "dayOfWeek": day, "opens": from, "closes": to })
        })
    });
    let open: Vec<_> = open.collect();
    if !open.is_empty() {
        optician["openingHoursSpecification"] = open.into();
    }
    if let Some(address) = optician["address"].as_object_mut() {
        address.retain(|_, value| !value.is_null());
    }
    optician
}

pub(crate) fn machine_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

fn date_words(shop: &Shop<'_>, date: Date) -> DateWords {
    const MONTHS: [&str; 12] = [
        "month_1", "month_2", "month_3", "month_4", "month_5", "month_6", "month_7", "month_8", "month_9", "month_10",
        "month_11", "month_12",
    ];
    let month = shop.words.say(MONTHS[usize::from(u8::from(date.month()) - 1)]);
    let (day, year) = (date.day().to_string(), date.year().to_string());
    let written = shop.words.fill("date", &[("day", &day), ("month", month), ("year", &year)]);
    DateWords { machine: machine_date(date), words: shop.words.fill("published_on", &[("date", &written)]) }
}

/// Where a target of a text leads, in a page of the language.
fn resolve(shop: &Shop<'_>, page: &ContentPage, version: &Version, target: &Target<'_>) -> Option<String> {
    match target {
        Target::Picture(source) => match version.pictures.get(*source) {
            Some(path) => Some(shop.links.shared(path)),
            None => super::link::is_web_url(source).then(|| (*source).to_string()),
        },
        Target::Link(url) => match place_of(page, version, url) {
            Place::Outside => Some((*url).to_string()),
            Place::Inside { path, rest } => Some(format!("{}{rest}", shop.links.local(&path))),
            Place::Nowhere => None,
        },
    }
}

fn absolute(shop: &Shop<'_>, page: &ContentPage, version: &Version, target: &Target<'_>) -> Option<String> {
    let link = resolve(shop, page, version, target)?;
    Some(if link.starts_with('/') { shop.links.absolute_of(&link) } else { link })
}

enum Place {
    /// Another site, an address to write to, or another place of the same page.
    Outside,
    /// A file of the store, and what follows its address.
    Inside {
        path: String,
        rest: String,
    },
    Nowhere,
}

/// Where a link leads: `../about.md` to the page that the file becomes, `/products/` into the store.
fn place_of(page: &ContentPage, version: &Version, link: &str) -> Place {
    let lower = link.to_ascii_lowercase();
    if ["http://", "https://", "mailto:", "tel:", "#"].iter().any(|start| lower.starts_with(start)) {
        return Place::Outside;
    }
    let from = match link.split(['?', '#']).next().is_some_and(|path| path.ends_with(".md")) {
        // A file is beside the file.
        true => version.file.clone(),
        false => format!("{}/", page.address),
    };
    let base = Url::parse("store:/").and_then(|root| root.join(&from));
    let Ok(target) = base.and_then(|base| base.join(link)) else { return Place::Nowhere };
    if target.scheme() != "store" || target.has_host() {
        return Place::Nowhere;
    }
    let written = target.path().trim_start_matches('/');
    let rest = [target.query().map(|query| format!("?{query}")), target.fragment().map(|place| format!("#{place}"))];
    let path = match written.strip_suffix(".md") {
        Some(file) => {
            let file = file.rsplit_once('.').map_or(file, |(file, _)| file);
            format!(
                "{}/index.html",
                file.split('/').map(crate::catalog::vocabulary::key_of).collect::<Vec<_>>().join("/")
            )
        }
        None if written.is_empty() || written.ends_with('/') => format!("{written}index.html"),
        None if !written.rsplit('/').next().unwrap_or_default().contains('.') => format!("{written}/index.html"),
        None => written.to_string(),
    };
    Place::Inside { path, rest: rest.into_iter().flatten().collect() }
}

/// Links of the content folder that lead into the store, but to no page of it.
pub fn broken_links(config: &StoreConfiguration, plan: &Plan) -> Vec<Finding> {
    // Looked at only where there are links, of which most stores have none.
    let paths: LazyCell<HashSet<&str>, _> = LazyCell::new(|| plan.pages.iter().map(|page| &*page.path).collect());
    let mut findings = Vec::new();
    for page in &config.content.pages {
        for version in page.versions.values() {
            for (offset, link) in html::links(&version.text) {
                let is_broken = match place_of(page, version, &link) {
                    Place::Outside => false,
                    Place::Inside { path, .. } => !paths.contains(&*path),
                    Place::Nowhere => true,
                };
                if is_broken {
                    let line = version.first_line + version.text[..offset].matches('\n').count();
                    findings.push(Finding {
                        outcome: Outcome::Repaired,
                        reason: "broken_link".into(),
                        collection: "content".into(),
                        document: version.file.clone(),
                        field: format!("line {line}"),
                        detail: format!(
                            "the link `{}` leads to no page of the store",
                            crate::catalog::text::shortened(&link, 100)
                        ),
                    });
                }
            }
        }
    }
    findings
}
