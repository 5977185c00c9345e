//! Pages that scripts fill: search results, favourites, the comparison, the cart.
//!
//! Takes the store; makes their frames and what stands there without scripts, which is a way to all frames.

use super::listing_page::Tools;
use super::outer::{self, Content, Crumb, CrumbLink};
use super::policies::{self, Policy};
use super::shop::{Anchor, Shop};
use crate::config::Commerce;
use crate::language;
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

#[derive(Serialize)]
struct CartPage<'a> {
    crumbs: Vec<CrumbLink>,
    heading: &'a str,
    lead: &'a str,
    empty: &'a str,
    all: Anchor,
    /// The key of the way to buy, as in store.yaml.
    mode: &'static str,
    is_snipcart: bool,
    /// Host of the Shopify shop that carts are handed over to.
    domain: Option<&'a str>,
    /// Where enquiries are mailed to.
    email: Option<&'a str>,
    subject: String,
    contact: String,
    /// Words of the button that hands the cart over.
    hand_over: Option<&'a str>,
    delivery: Vec<Policy<'a>>,
    tax_note: Option<&'a str>,
}

/// Builds the page of the cart, or of the list for an enquiry.
pub(crate) fn cart(shop: &Shop<'_>) -> anyhow::Result<Content> {
    let path = "cart/index.html";
    let heading = outer::cart_name(shop);
    let crumbs = [outer::home_crumb(shop), Crumb { name: heading.to_string(), path: path.to_string() }];
    let (mode, lead, empty) = match shop.config.commerce {
        Commerce::Enquiry => ("enquiry", shop.words.say("enquiry_lead"), shop.words.say("enquiry_empty")),
        Commerce::Shopify { .. } => ("shopify", shop.words.say("shopify_lead"), shop.words.say("cart_empty")),
        Commerce::Snipcart { .. } => ("snipcart", shop.words.say("snipcart_lead"), shop.words.say("cart_empty")),
        Commerce::Stripe => ("stripe", shop.words.say("stripe_lead"), shop.words.say("cart_empty")),
        Commerce::None => anyhow::bail!("the plan names a cart in a store that does not sell"),
    };
    let email = shop.config.contact_email.as_deref();
    let page = CartPage {
        crumbs: outer::crumb_links(shop, &crumbs),
        heading,
        lead,
        empty,
        all: shop.all_frames(),
        mode,
        is_snipcart: mode == "snipcart",
        domain: match &shop.config.commerce {
            Commerce::Shopify { domain } => Some(domain),
            _ => None,
        },
        email: email.filter(|_| mode == "enquiry"),
        subject: language::plain(&shop.words.fill("enquiry_list_subject", &[("store", &shop.config.store_name)])),
        contact: shop.links.local("contact/index.html"),
        hand_over: match mode {
            "enquiry" => email.map(|_| shop.words.say("enquiry_send")),
            "shopify" => Some(shop.words.say("shopify_checkout")),
            _ => None,
        },
        delivery: policies::general(shop),
        tax_note: shop.config.tax_note.as_deref(),
    };
    Ok(Content {
        path: path.to_string(),
        title: outer::title(shop, heading),
        description: outer::description(shop, lead),
        body: shop.templates.render("pages/cart", &page)?,
        open_graph_type: "website",
        sells: true,
        ..Content::default()
    })
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
