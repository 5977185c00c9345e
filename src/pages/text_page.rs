//! Pages of words: about, contact, and the one for unknown addresses.
//!
//! Takes the configuration; makes the pages' content. Says nothing about the store that its owner has not said.

use super::outer::{self, Content, Crumb, CrumbLink, Email, Section};
use super::plan::Subject;
use super::shop::{Anchor, Shop};
use serde::Serialize;

#[derive(Serialize)]
struct TextPage<'a> {
    crumbs: Vec<CrumbLink>,
    heading: String,
    lead: Option<&'a str>,
    facts: Vec<Fact<'a>>,
    email: Option<Email<'a>>,
    all: Anchor,
    types: Vec<Anchor>,
    faces_url: Option<String>,
    home: String,
}

/// A number about the store, with its words.
#[derive(Serialize)]
struct Fact<'a> {
    number: usize,
    label: &'a str,
}

/// Builds the page about the store.
pub(crate) fn about(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let heading = shop.words.fill("about_heading", &[("store", &shop.config.store_name)]);
    let text = shop.config.store_description.as_deref().unwrap_or_default();
    let lead = shop.words.fill("about_description", &[("store", &shop.config.store_name), ("text", text)]);
    build(shop, "about", "pages/about", heading, &lead, Section::About)
}

/// Builds the page on how to reach the store.
pub(crate) fn contact(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let heading = shop.words.say("contact_heading").to_string();
    let text = shop.words.fill("contact_description", &[("store", &shop.config.store_name)]);
    build(shop, "contact", "pages/contact", heading, &text, Section::Contact)
}

/// Builds the page for unknown addresses.
pub(crate) fn not_found(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let heading = shop.words.say("not_found_heading").to_string();
    let page = page(shop, Vec::new(), heading);
    Ok(Content {
        path: "404.html".into(),
        title: outer::title(shop, &page.heading),
        description: outer::description(shop, ""),
        body: shop.templates.render("pages/not_found", &page)?,
        is_placeless: true,
        open_graph_type: "website",
        ..Content::default()
    })
}

/// Builds the page that is shown without a connection.
pub(crate) fn offline(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let page = page(shop, Vec::new(), shop.words.say("offline_heading").to_string());
    Ok(Content {
        path: super::worker::OFFLINE_PAGE.into(),
        title: outer::title(shop, shop.words.say("offline_title")),
        description: outer::description(shop, shop.words.say("offline_lead")),
        body: shop.templates.render("pages/offline", &page)?,
        is_placeless: true,
        open_graph_type: "website",
        ..Content::default()
    })
}

fn build(
    shop: &Shop<'_>,
    name: &'static str,
    template: &str,
    heading: String,
    description: &str,
    section: Section,
) -> anyhow::Result<Content> {
    let path = format!("{name}/index.html");
    let crumbs = vec![outer::home_crumb(shop), Crumb { name: shop.words.say(name).to_string(), path: path.clone() }];
    let title = outer::title(shop, shop.words.say(if name == "about" { "about_title" } else { "contact_title" }));
    let page = page(shop, outer::crumb_links(shop, &crumbs), heading);
    Ok(Content {
        path,
        title,
        description: outer::description(shop, description),
        body: shop.templates.render(template, &page)?,
        open_graph_type: "website",
        nodes: vec![super::structured::breadcrumbs(shop, &crumbs)],
        section,
        is_indexable: true,
        ..Content::default()
    })
}

fn page<'a>(shop: &Shop<'a>, crumbs: Vec<CrumbLink>, heading: String) -> TextPage<'a> {
    TextPage {
        crumbs,
        heading,
        lead: shop.config.store_description.as_deref(),
        facts: facts(shop),
        email: outer::email(shop, None),
        all: shop.all_frames(),
        types: shop.anchors(|subject| matches!(subject, Subject::FrameType(_))),
        faces_url: shop.face_guide(),
        home: shop.links.local("index.html"),
    }
}

/// How much there is of what, counted in the catalogue.
fn facts<'a>(shop: &Shop<'a>) -> Vec<Fact<'a>> {
    let shapes = shop.plan.listings.iter().filter(|listing| matches!(listing.subject, Subject::FrameShape(_))).count();
    let facts = [
        Fact { number: shop.catalog.records.len(), label: shop.words.say("fact_frames") },
        Fact { number: shop.catalog.brands.len(), label: shop.words.say("fact_brands") },
        Fact { number: shapes, label: shop.words.say("fact_shapes") },
    ];
    facts.into_iter().filter(|fact| fact.number > 1).collect()
}
