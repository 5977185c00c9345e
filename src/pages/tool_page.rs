//! Pages that scripts fill: search results, favourites, the comparison.
//!
//! Takes the store; makes their frames and what stands there without scripts, which is a way to all frames.

use super::listing_page::Tools;
use super::outer::{self, Content, Crumb, CrumbLink};
use super::shop::{Anchor, Shop};
use serde::Serialize;

#[derive(Serialize)]
struct ToolPage<'a> {
    crumbs: Vec<CrumbLink>,
    heading: &'a str,
    url: String,
    compare: String,
    all: Anchor,
    /// HTML.
    filters: String,
    /// HTML.
    sorting: String,
}

/// Builds the page of search results.
pub(crate) fn search(shop: &Shop<'_>) -> anyhow::Result<Content> {
    build(shop, "search/index.html", "pages/search", shop.words.say("search"), shop.words.say("search_lead"))
}

/// Builds the page of a shopper's favourites.
pub(crate) fn favourites(shop: &Shop<'_>) -> anyhow::Result<Content> {
    build(
        shop,
        "favourites/index.html",
        "pages/favourites",
        shop.words.say("favourites"),
        shop.words.say("favourites_lead"),
    )
}

/// Builds the page that compares frames.
pub(crate) fn compare(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let lead = shop.words.say("compare_lead");
    build(shop, "compare/index.html", "pages/compare", shop.words.say("compare_frames"), lead)
}

fn build(shop: &Shop<'_>, path: &str, template: &str, heading: &str, lead: &str) -> anyhow::Result<Content> {
    let crumbs = [outer::home_crumb(shop), Crumb { name: heading.to_string(), path: path.to_string() }];
    let Tools { filters, sorting } = Tools::of_search(shop)?;
    let page = ToolPage {
        crumbs: outer::crumb_links(shop, &crumbs),
        heading,
        url: shop.links.local(path),
        compare: shop.links.local("compare/index.html"),
        all: shop.all_frames(),
        filters,
        sorting,
    };
    Ok(Content {
        path: path.to_string(),
        title: outer::title(shop, heading),
        description: outer::description(shop, lead),
        body: shop.templates.render(template, &page)?,
        open_graph_type: "website",
        ..Content::default()
    })
}
