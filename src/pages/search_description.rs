//! `opensearch.xml`: how browsers search the store from their address bar.
//!
//! Takes the configuration; makes XML. The page it points at does the searching.

use super::shop::Shop;
use super::xml::{self, escaped, push_element};
use crate::assets::icons;
use crate::catalog::text::shortened;
use std::fmt::Write as _;

/// Path of the description.
pub(crate) const PATH: &str = "opensearch.xml";
/// Longest short name that the format allows, in characters.
const LONGEST_NAME: usize = 16;

/// The description.
pub(crate) fn build(shop: &Shop<'_>) -> String {
    let mut text = String::from(xml::DECLARATION);
    text.push_str("<OpenSearchDescription xmlns=\"http://a9.com/-/spec/opensearch/1.1/\">\n");
    push_element(&mut text, "ShortName", &shortened(&shop.config.store_name, LONGEST_NAME));
    push_element(&mut text, "Description", &title(shop));
    push_element(&mut text, "InputEncoding", "UTF-8");
    push_element(&mut text, "Language", shop.locale);
    let _ = writeln!(
        text,
        "<Image width=\"32\" height=\"32\" type=\"image/x-icon\">{}</Image>",
        escaped(&shop.links.absolute_shared(icons::FAVICON_ICO))
    );
    let _ = writeln!(
        text,
        "<Url type=\"text/html\" template=\"{}?q={{searchTerms}}\"/>",
        escaped(&shop.links.absolute("search/index.html"))
    );
    text.push_str("</OpenSearchDescription>\n");
    text
}

/// What the search is called, in itself and where pages point at it.
pub(crate) fn title(shop: &Shop<'_>) -> String {
    shop.words.fill("search_title", &[("store", &shop.config.store_name)])
}
