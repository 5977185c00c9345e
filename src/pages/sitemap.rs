//! `sitemap.xml`: every page that search engines may list, in parts where there are many.
//!
//! Takes the plan; makes XML. Dates come from the catalogue only, so that an unchanged catalogue gives unchanged bytes.

use super::plan::{Listing, PageKind, PlannedPage};
use super::shop::Shop;
use super::template::escape;
use super::xml::time_of;
use crate::enhance::ProductRecord;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Addresses in one file that the protocol allows.
const MOST_ADDRESSES: usize = 50_000;
/// Bytes in one file that the protocol allows are 50 MiB; some room is left for the frame around the entries.
const MOST_BYTES: usize = 50_000_000;
/// Longest address of a photo that is worth an entry, so that the size of a file is bounded.
const LONGEST_PHOTO: usize = 300;

/// Milliseconds of a day, which is all of a time that is told.
const DAY: i64 = 86_400_000;

/// How many files a number of addresses needs; `base` is the length of the base URL.
pub(crate) fn part_count(addresses: usize, base: usize, languages: usize) -> u32 {
    u32::try_from(addresses.div_ceil(part_size(base, languages)).max(1)).unwrap_or(u32::MAX)
}

/// Addresses in one part: as many as are sure to fit, since slugs are at most 80 bytes but nest.
fn part_size(base: usize, languages: usize) -> usize {
    let ways = if languages > 1 { (languages + 1) * (base + 400) } else { 0 };
    let longest_entry = 2 * base + 3 * LONGEST_PHOTO + 600 + ways;
    (MOST_BYTES / longest_entry).clamp(1, MOST_ADDRESSES)
}

/// The file that `robots.txt` names: all addresses, or where the parts are.
pub(crate) fn whole(shop: &Shop<'_>) -> String {
    let parts = shop.plan.pages.iter().filter(|page| matches!(page.kind, PageKind::SitemapPart(_)));
    let parts: Vec<&PlannedPage> = parts.collect();
    if parts.is_empty() {
        return part(shop, 1);
    }
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for part in parts {
        let _ = writeln!(xml, "<sitemap><loc>{}</loc></sitemap>", escape(&shop.links.absolute_shared(&part.path)));
    }
    xml.push_str("</sitemapindex>\n");
    xml
}

/// One part, counted from 1.
pub(crate) fn part(shop: &Shop<'_>, number: u32) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:image=\"http://www.google.com/schemas/sitemap-image/1.1\"",
    );
    if shop.languages.len() > 1 {
        xml.push_str(" xmlns:xhtml=\"http://www.w3.org/1999/xhtml\"");
    }
    xml.push_str(">\n");
    let changes = shop.listing_changes.get_or_init(|| changes(shop));
    for page in pages_of_part(shop, number) {
        push_entry(shop, page, changes, &mut xml);
    }
    xml.push_str("</urlset>\n");
    xml
}

/// The pages in one part, counted from 1.
fn pages_of_part<'s>(shop: &'s Shop<'_>, number: u32) -> impl Iterator<Item = &'s PlannedPage> {
    let size = part_size(shop.config.base_url.as_str().len(), shop.languages.len());
    let first = (number.saturating_sub(1) as usize).saturating_mul(size);
    shop.plan.pages.iter().filter(|page| page.kind.is_indexable()).skip(first).take(size)
}

/// All that one part is made from.
pub(crate) fn basis(shop: &Shop<'_>, number: u32) -> Vec<u8> {
    let changes = shop.listing_changes.get_or_init(|| changes(shop));
    let mut basis = Vec::new();
    let mut push = |text: &str| {
        basis.extend_from_slice(&(text.len() as u32).to_le_bytes());
        basis.extend_from_slice(text.as_bytes());
    };
    for page in pages_of_part(shop, number) {
        push(&page.path);
        let record = shown_record(shop, page);
        let changed = changed(page, record.as_deref(), changes);
        push(&changed.map(|time| time.div_euclid(DAY).to_string()).unwrap_or_default());
        if let Some(record) = record {
            let image = record.image.as_ref();
            let source = image.map_or("", |(source, _)| source);
            push(source);
            // The file at an address may be another one than before.
            let photo = if source.is_empty() { None } else { shop.media.resolve(source).ok() };
            push(photo.as_ref().map_or("", |photo| &photo.url_path));
        }
    }
    basis
}

/// The record of the product that a page is about.
fn shown_record<'s>(shop: &'s Shop<'_>, page: &PlannedPage) -> Option<Cow<'s, ProductRecord>> {
    match page.kind {
        PageKind::Product(index) => shop.record(index),
        _ => None,
    }
}

/// When what a page shows was last changed; `record` is that of the product it is about.
fn changed(page: &PlannedPage, record: Option<&ProductRecord>, changes: &[Option<i64>]) -> Option<i64> {
    match page.kind {
        PageKind::Product(_) => record?.updated_at,
        PageKind::Listing { listing, .. } => changes.get(listing as usize).copied().flatten(),
        // The front page shows the best of all frames, which are the first listing.
        PageKind::Home => changes.first().copied().flatten(),
        _ => None,
    }
}

/// When the newest change of a product in each listing was, in the plan's order.
fn changes(shop: &Shop<'_>) -> Vec<Option<i64>> {
    // Records are far apart in memory, and every product is in several listings.
    let dates: Vec<Option<i64>> = shop.catalog.records.iter().map(|record| record.updated_at).collect();
    let date_of = |member: &u32| dates.get(*member as usize).copied().flatten();
    let newest = |listing: &Listing| listing.members.iter().filter_map(date_of).max();
    shop.plan.listings.iter().map(newest).collect()
}

fn push_entry(shop: &Shop<'_>, page: &PlannedPage, changes: &[Option<i64>], xml: &mut String) {
    let _ = write!(xml, "<url><loc>{}</loc>", escape(&shop.links.absolute_shared(&page.path)));
    let record = shown_record(shop, page);
    if let Some(date) = changed(page, record.as_deref(), changes).and_then(date) {
        let _ = write!(xml, "<lastmod>{date}</lastmod>");
    }
    if let Some(record) = record {
        let photo = record.image.as_ref().and_then(|(source, _)| shop.photo(source, "", None));
        if let Some(photo) = photo.filter(|photo| photo.large.len() <= LONGEST_PHOTO) {
            let url = shop.links.absolute_of(&photo.large);
            let _ = write!(xml, "<image:image><image:loc>{}</image:loc></image:image>", escape(&url));
        }
    }
    if let Some(own) = shop.languages.first().filter(|_| shop.languages.len() > 1) {
        let folder = shop.languages.get(usize::from(page.language)).map_or("", |language| language.links.folder());
        let path = page.path.strip_prefix(folder).unwrap_or(&page.path);
        let each = shop.languages.iter().map(|language| (language.locale.as_str(), language));
        for (language, at) in each.chain([("x-default", own)]) {
            let url = escape(&at.links.absolute(path));
            let _ = write!(xml, "<xhtml:link rel=\"alternate\" hreflang=\"{language}\" href=\"{url}\"/>");
        }
    }
    xml.push_str("</url>\n");
}

/// The day of a time in milliseconds, as `2026-01-31`.
fn date(milliseconds: i64) -> Option<String> {
    let time = time_of(milliseconds)?;
    Some(format!("{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_never_passes_the_limits() {
        assert_eq!(part_count(0, 20, 1), 1);
        assert_eq!(part_count(30_000, 20, 1), 1);
        assert!(part_count(50_001, 20, 1) > 1);
        for base in [10, 100, 2000] {
            let size = part_size(base, 1);
            assert!(part_size(base, 10) <= size);
            assert!(size <= MOST_ADDRESSES && size * (2 * base + 3 * LONGEST_PHOTO + 600) <= MOST_BYTES);
        }
    }

    #[test]
    fn dates_are_days_in_utc() {
        assert_eq!(date(1_767_225_599_000).as_deref(), Some("2025-12-31"));
        assert_eq!(date(-62_135_596_800_000), None);
        assert_eq!(date(i64::MAX), None);
    }
}
