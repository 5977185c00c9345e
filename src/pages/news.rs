//! The news feed: the newest frames, as Atom.
//!
//! Takes the records and, of the newest, the full products; makes XML. Every date comes from the catalogue, so that
//! an unchanged catalogue gives unchanged bytes; frames that nobody has dated are no news.

use super::content_page;
use super::plan::product_path;
use super::shop::Shop;
use super::template::escape;
use super::xml::{self, escaped, push_element, time_of};
use crate::enhance::{ProductRecord, Records};
use std::cmp::Reverse;
use std::fmt::Write as _;
use time::format_description::well_known::Rfc3339;

/// Path of the feed.
pub(crate) const PATH: &str = "feeds/new.atom";
/// Frames in the feed.
const MOST_ENTRIES: usize = 50;

/// Whether any frame has a date, so that there can be a feed.
pub(crate) fn has_news(records: &Records) -> bool {
    records.iter().any(|record| record.created_at.and_then(time_of).is_some())
}

/// The feed.
///
/// # Errors
/// When a full product cannot be read back.
pub(crate) fn build(shop: &Shop<'_>) -> anyhow::Result<String> {
    let dated = (0_u32..).zip(shop.catalog.records.iter());
    let mut newest: Vec<_> = dated.filter_map(|(index, record)| Some((time_of(record.created_at?)?, index))).collect();
    newest.sort_unstable_by_key(|&(time, index)| (Reverse(time), index));
    newest.truncate(MOST_ENTRIES);

    let home = shop.links.absolute("index.html");
    let mut entries = String::new();
    let mut latest = None;
    for (created, index) in newest {
        let Some(record) = shop.record(index) else { continue };
        let updated = record.updated_at.and_then(time_of).map_or(created, |updated| updated.max(created));
        latest = latest.max(Some(updated));
        let address = shop.links.absolute(&product_path(&record.slug));
        entries.push_str("<entry>\n");
        push_element(&mut entries, "id", &address);
        push_element(&mut entries, "title", shop.name(&record));
        let _ = writeln!(entries, "<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>", escaped(&address));
        push_element(&mut entries, "published", &created.format(&Rfc3339)?);
        push_element(&mut entries, "updated", &updated.format(&Rfc3339)?);
        let content = content(shop, &record, &shop.product_without_scores(index, &record)?.summary);
        let _ = writeln!(entries, "<content type=\"html\">{}</content>", escaped(&content));
        entries.push_str("</entry>\n");
    }

    for (_, page) in content_page::posts(shop.config).into_iter().take(MOST_ENTRIES) {
        let Some((_, post)) = page.version(shop.locale, shop.config.locales.first().map_or("", String::as_str)) else {
            continue;
        };
        let Some(date) = post.date else { continue };
        let day = date.midnight().assume_utc();
        latest = latest.max(Some(day));
        let address = shop.links.absolute(&content_page::path(page));
        entries.push_str("<entry>\n");
        push_element(&mut entries, "id", &address);
        push_element(&mut entries, "title", &post.title);
        let _ = writeln!(entries, "<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>", escaped(&address));
        push_element(&mut entries, "published", &day.format(&Rfc3339)?);
        push_element(&mut entries, "updated", &day.format(&Rfc3339)?);
        push_element(&mut entries, "summary", post.description.as_deref().unwrap_or(&post.title));
        entries.push_str("</entry>\n");
    }

    let mut feed = String::from(xml::DECLARATION);
    let _ = writeln!(feed, "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">", shop.locale);
    let address = shop.links.absolute(PATH);
    push_element(&mut feed, "id", &address);
    push_element(&mut feed, "title", &title(shop));
    let _ = writeln!(feed, "<link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>", escaped(&address));
    let _ = writeln!(feed, "<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>", escaped(&home));
    if let Some(latest) = latest {
        push_element(&mut feed, "updated", &latest.format(&Rfc3339)?);
    }
    let _ = write!(feed, "<author><name>{}</name></author>\n{entries}</feed>\n", escaped(&shop.config.store_name));
    Ok(feed)
}

/// What the feed is called, in itself and where pages point at it.
pub(crate) fn title(shop: &Shop<'_>) -> String {
    shop.words.fill("news_title", &[("store", &shop.config.store_name)])
}

/// Picture, gist and price, as HTML.
fn content(shop: &Shop<'_>, record: &ProductRecord, summary: &str) -> String {
    let picture = shop.card_picture(record);
    let price = shop.prices.write(record.price);
    format!(
        "<p><img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"></p><p>{}</p><p>{}</p>",
        escape(&shop.links.absolute_of(&picture.src)),
        picture.width,
        picture.height,
        escape(&picture.alt),
        escape(summary),
        escape(&price),
    )
}
