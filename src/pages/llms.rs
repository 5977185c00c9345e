//! `llms.txt`: the store in one page of Markdown, for language models that answer about it.
//!
//! Takes the plan's listings; makes a list of links. Names come from the catalogue, so they are kept from being read
//! as markup.

use super::outer;
use super::plan::{PageKind, Subject};
use super::shop::{Anchor, Shop};
use std::fmt::Write as _;

/// Path of the file.
pub(crate) const PATH: &str = "llms.txt";
/// Links of one kind; the sitemap has all.
const MOST_LINKS: usize = 50;

/// The file.
pub(crate) fn build(shop: &Shop<'_>) -> String {
    let words = shop.words;
    let mut text = format!("# {}\n", plain(&shop.config.store_name));
    if let Some(description) = &shop.config.store_description {
        let _ = write!(text, "\n> {}\n", plain(description));
    }
    let frames = words.frames(shop.catalog.records.len());
    let _ = write!(text, "\n{}\n", words.fill("llms_lead", &[("count", &frames)]));

    let mut first = vec![shop.all_frames()];
    first.extend(shop.anchors(|subject| matches!(subject, Subject::FrameType(_))));
    section(shop, words.say("shop"), &first, &mut text);
    for (name, anchors) in [
        (words.say("shapes"), shop.anchors(|subject| matches!(subject, Subject::FrameShape(_)))),
        (words.say("face_shapes"), shop.anchors(|subject| matches!(subject, Subject::FaceShape(_)))),
        (words.say("brands"), shop.anchors(|subject| matches!(subject, Subject::Brand(_)))),
        (words.say("categories"), shop.anchors(|subject| matches!(subject, Subject::Category(_)))),
    ] {
        section(shop, name, &anchors, &mut text);
    }
    let service = [
        (PageKind::FaceShapeGuide, words.say("guide_heading")),
        (PageKind::About, words.say("about")),
        (PageKind::Contact, words.say("contact")),
    ];
    let service = service.into_iter().filter_map(|(kind, name)| {
        Some(Anchor { name: name.to_string(), url: outer::page_link(shop, kind)?, note: None })
    });
    section(shop, words.say("service"), &service.collect::<Vec<_>>(), &mut text);
    let data = shop
        .plan
        .pages
        .iter()
        .filter(|page| page.language == shop.language)
        .filter(|page| matches!(page.kind, PageKind::ProductFeed(_) | PageKind::News | PageKind::Sitemap));
    let data = data.map(|page| Anchor { name: page.path.to_string(), url: page.url_path(&shop.links), note: None });
    section(shop, words.say("llms_data"), &data.collect::<Vec<_>>(), &mut text);
    text
}

fn section(shop: &Shop<'_>, name: &str, anchors: &[Anchor], text: &mut String) {
    if anchors.is_empty() {
        return;
    }
    let _ = write!(text, "\n## {name}\n\n");
    for anchor in anchors.iter().take(MOST_LINKS) {
        let note = anchor.note.as_ref().map(|note| format!(": {}", plain(note))).unwrap_or_default();
        let _ = writeln!(text, "- [{}]({}){note}", plain(&anchor.name), shop.links.absolute_of(&anchor.url));
    }
}

/// A text on one line that Markdown takes for nothing but text.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in crate::language::plain(text).chars().filter(|character| !character.is_control()) {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#') {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(plain("[a](b)\n# <c>"), "\\[a\\](b) \\# \\<c\\>");
    }
}
