//! Wording: search engine texts, alternative texts, descriptions that are safe to show.
//!
//! Takes what the catalogue wrote and fills what it left out from the product's own facts, never inventing any. Plain
//! text goes out as plain text; only [`description_html`] makes HTML, and that is sanitised.

use super::SeoData;
use crate::catalog::product::Product;
use crate::catalog::text::{fits, is_one_line, length, push_escaped, shortened};
use crate::catalog::vocabulary::Vocabulary;
use crate::language::Words;
use ammonia::Builder;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

/// Search engines show about this many characters of a title.
pub const LONGEST_TITLE: usize = 60;
/// Search engines show about this many characters of a description.
pub const LONGEST_DESCRIPTION: usize = 160;
const SHORTEST_TITLE: usize = 10;
const SHORTEST_DESCRIPTION: usize = 50;
const LONGEST_SUMMARY: usize = 180;
const LONGEST_ALT: usize = 125;

/// The product's kind in words: `round sunglasses`, `glasses`.
fn kind(words: &Words, product: &Product) -> String {
    let kind = match product.frame_type.as_ref().map(|term| (term.key.as_str(), term)) {
        Some(("prescription", _)) | None => words.say("kind_glasses").to_string(),
        Some(("blue-light", _)) => words.say("kind_blue_light").to_string(),
        Some(("sunglasses", _)) => words.say("kind_sunglasses").to_string(),
        Some(("reading", _)) => words.say("kind_reading").to_string(),
        Some((_, term)) => words.term_in_sentence(Vocabulary::FrameType, term),
    };
    match &product.frame_shape {
        Some(shape) => {
            let shape = words.term_in_sentence(Vocabulary::FrameShape, shape);
            words.fill("kind_shaped", &[("shape", &shape), ("kind", &kind)])
        }
        None => kind,
    }
}

/// The main colour, with the words that lead to it; nothing where it is not known.
fn color(words: &Words, product: &Product, key: &'static str) -> String {
    let color = product.colors.first().map(|color| words.term_in_sentence(Vocabulary::Color, color));
    color.map_or_else(String::new, |color| words.fill(key, &[("color", &color)]))
}

/// Name with the brand before it, unless the name says it already.
fn branded_name(product: &Product, brand: Option<&str>) -> String {
    match brand {
        Some(brand) if !product.name.to_lowercase().contains(&brand.to_lowercase()) => {
            format!("{brand} {}", product.name)
        }
        _ => product.name.clone(),
    }
}

/// A sentence made of the product's facts alone.
fn facts(words: &Words, product: &Product, brand: Option<&str>) -> String {
    let material = product.materials.first().map_or_else(String::new, |material| {
        let material = words.term_in_sentence(Vocabulary::Material, material);
        words.fill("facts_material", &[("material", &material)])
    });
    let measured = &product.measurements;
    let size = match (measured.lens_width, measured.bridge, measured.temple) {
        (Some(lens), Some(bridge), Some(temple)) => {
            words.fill("facts_size", &[("size", &format!("{lens:.0}-{bridge:.0}-{temple:.0}"))])
        }
        _ => String::new(),
    };
    let values = [
        ("name", branded_name(product, brand)),
        ("kind", kind(words, product)),
        ("material", material),
        ("color", color(words, product, "facts_color")),
        ("size", size),
    ];
    words.fill("facts", &values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// Search engine texts from the product's own and its facts.
pub fn seo(words: &Words, product: &Product, brand: Option<&str>, summary: &str) -> SeoData {
    SeoData {
        title: seo_title(words, product, brand),
        description: seo_description(words, product, brand, summary),
        keywords: product.seo.keywords.clone(),
    }
}

fn seo_title(words: &Words, product: &Product, brand: Option<&str>) -> String {
    let stored = product.seo.title.as_deref().map(plain_text).filter(|title| title.chars().count() >= SHORTEST_TITLE);
    if let Some(title) = stored {
        return shortened(&title, LONGEST_TITLE);
    }
    let name = branded_name(product, brand);
    let kind = kind(words, product);
    let color = product.colors.first().map(|color| words.term_in_sentence(Vocabulary::Color, color));
    let with_color = color
        .filter(|color| !color.is_empty())
        .map(|color| words.fill("product_title_color", &[("name", &name), ("kind", &kind), ("color", &color)]));
    let plain = words.fill("product_title", &[("name", &name), ("kind", &kind)]);
    let candidates = [with_color, Some(plain), Some(name.clone())];
    let fitting = candidates.into_iter().flatten().find(|title| fits(title, LONGEST_TITLE));
    fitting.unwrap_or_else(|| shortened(&name, LONGEST_TITLE))
}

fn seo_description(words: &Words, product: &Product, brand: Option<&str>, summary: &str) -> String {
    let long_enough = |text: &String| text.chars().count() >= SHORTEST_DESCRIPTION;
    let stored = product.seo.description.as_deref().map(plain_text).filter(long_enough);
    if let Some(description) = stored {
        return shortened(&description, LONGEST_DESCRIPTION);
    }
    if summary.chars().count() >= SHORTEST_DESCRIPTION {
        return shortened(summary, LONGEST_DESCRIPTION);
    }
    let mut description = facts(words, product, brand);
    if !summary.is_empty() && !description.starts_with(summary) {
        description = format!("{summary} {description}");
    }
    if description.chars().count() < SHORTEST_DESCRIPTION {
        description.push(' ');
        description.push_str(words.say("product_more"));
    }
    shortened(&description, LONGEST_DESCRIPTION)
}

/// Appends what tells one product from another of the same name, keeping within a length.
pub fn distinguished(text: &str, difference: &str, longest: usize) -> String {
    let difference = shortened(difference, longest / 2);
    let room = longest.saturating_sub(length(&difference) + 3);
    format!("{} · {difference}", shortened(text, room))
}

/// One or two plain sentences.
pub fn summary(words: &Words, product: &Product, brand: Option<&str>) -> String {
    let written = product.short_description.as_deref().map(plain_text).filter(|text| !text.is_empty());
    let text = written.unwrap_or_else(|| plain_text(beginning(&product.description)));
    if text.is_empty() {
        return shortened(&facts(words, product, brand), LONGEST_SUMMARY);
    }
    let mut sentences = String::new();
    for sentence in text.unicode_sentences() {
        if !sentences.is_empty() && sentences.chars().count() + sentence.chars().count() > LONGEST_SUMMARY {
            break;
        }
        sentences.push_str(sentence);
    }
    shortened(sentences.trim(), LONGEST_SUMMARY)
}

/// As much of a text as its first sentences can be in; whole where it holds markup, which cannot be cut anywhere.
fn beginning(text: &str) -> &str {
    const ENOUGH: usize = 8 * LONGEST_SUMMARY;
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) if !holds_markup(text) => &text[..end],
        _ => text,
    }
}

/// Alternative text of each picture: the catalogue's where it has one, else name, colour and view; no two alike.
pub fn image_alts(words: &Words, product: &Product, brand: Option<&str>) -> Vec<String> {
    let name = branded_name(product, brand);
    let mut used: HashSet<String> = HashSet::new();
    let mut alts = Vec::with_capacity(product.images.len());
    for image in &product.images {
        let written = image.alt.as_deref().map(plain_text).filter(|alt| !alt.is_empty());
        let wished =
            shortened(&written.unwrap_or_else(|| view(words, product, &name, image.role.as_deref())), LONGEST_ALT);
        let mut alt = wished.clone();
        let mut number = 2;
        while !used.insert(alt.clone()) {
            alt = format!("{wished} ({number})");
            number += 1;
        }
        alts.push(alt);
    }
    alts
}

fn view(words: &Words, product: &Product, name: &str, role: Option<&str>) -> String {
    let role = role.filter(|role| *role != "primary").unwrap_or("front");
    let view = words.get(&format!("view_{role}")).unwrap_or(role);
    let color = color(words, product, "alt_color");
    words.fill("alt_view", &[("name", name), ("color", &color), ("view", view)])
}

/// Alternative text of the drawing that stands in for a missing photo.
pub fn drawing_alt(words: &Words, product: &Product, brand: Option<&str>) -> String {
    let (name, kind) = (branded_name(product, brand), kind(words, product));
    let color = color(words, product, "alt_color");
    shortened(&words.fill("alt_drawing", &[("name", &name), ("color", &color), ("kind", &kind)]), LONGEST_ALT)
}

/// Description as safe HTML: sanitised where it holds HTML, paragraphs where it is plain, made of facts where empty.
pub fn description_html(words: &Words, product: &Product, brand: Option<&str>) -> String {
    let text = product.description.trim();
    let html = if text.is_empty() { String::new() } else { safe_html(text) };
    // Only markup can leave nothing.
    let is_empty = html.is_empty() || (holds_markup(text) && text_of_safe_html(&html).is_empty());
    if is_empty { paragraphs(&facts(words, product, brand)) } else { html }
}

/// Makes text of unknown origin safe to show: HTML is reduced to harmless tags, plain text becomes paragraphs.
pub fn safe_html(text: &str) -> String {
    if !holds_markup(text) {
        return paragraphs(text);
    }
    let clean = ALLOWED.clean(text).to_string();
    let clean = clean.trim();
    let blocks = ["<p>", "<ul>", "<ol>"];
    if clean.is_empty() || blocks.iter().any(|tag| clean.starts_with(tag)) {
        clean.to_string()
    } else if blocks.iter().any(|tag| clean.contains(tag)) {
        format!("<div>{clean}</div>")
    } else {
        format!("<p>{clean}</p>")
    }
}

/// Whether text holds a tag or an entity, rather than a mere `<` or `&`.
fn holds_markup(text: &str) -> bool {
    let starts = |sign: char| text.match_indices(sign).map(|(at, _)| &text[at + 1..]);
    starts('<').any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')))
        || starts('&').any(|rest| {
            let name = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').take(11).count();
            (2..=10).contains(&name) && rest.as_bytes().get(name) == Some(&b';')
        })
}

fn paragraphs(text: &str) -> String {
    let normal = text.replace("\r\n", "\n");
    let mut html = String::with_capacity(normal.len() + 64);
    let means_something =
        |byte: u8| (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == b'\n');
    for block in normal.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        html.push_str("<p>");
        push_escaped(&mut html, block, means_something, |byte| match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "<br>",
        });
        html.push_str("</p>");
    }
    html
}

/// Text without tags or entities, blanks folded.
pub fn plain_text(text: &str) -> String {
    if !holds_markup(text) {
        return folded(text);
    }
    // A blank before each tag keeps the words of neighbouring blocks apart.
    decoded(&NOTHING.clean(&text.replace('<', " <")).to_string())
}

/// Text of HTML that [`safe_html`] has made. Nothing has to be cleaned there any more, which saves most of the time
/// that [`plain_text`] takes.
pub fn text_of_safe_html(html: &str) -> String {
    decoded(&without_tags(html))
}

/// The words of HTML that [`safe_html`] has made, with whatever blanks between them.
pub fn words_of_safe_html(html: &str) -> String {
    replaced(without_tags(html), &ENTITIES)
}

fn without_tags(html: &str) -> String {
    let mut pieces = html.split('<');
    let mut bare = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        bare.push(' ');
        // In safe HTML a `>` of the text is an entity, so the last one ends the tag.
        bare.push_str(piece.rsplit_once('>').map_or("", |(_, text)| text));
    }
    bare
}

fn folded(text: &str) -> String {
    let text = text.trim();
    if is_one_line(text) {
        return text.to_string();
    }
    let mut folded = String::with_capacity(text.len());
    let mut push = |word: &str| {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    };
    // The quicker way takes the vertical tab for a letter, which no text is likely to hold.
    if text.is_ascii() && !text.contains('\u{b}') {
        text.split_ascii_whitespace().for_each(&mut push);
    } else {
        text.split_whitespace().for_each(&mut push);
    }
    folded
}

/// The entities of cleaned HTML and what they stand for, in the order in which they are to be exchanged.
const ENTITIES: [(&str, &str); 5] = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];

/// Entities as the characters they stand for, blanks folded.
fn decoded(bare: &str) -> String {
    let text = if bare.contains('&') { &replaced(bare.to_string(), &ENTITIES) } else { bare };
    replaced(folded(text), &[(" .", "."), (" ,", ",")])
}

/// One exchange after the other; most texts need none.
fn replaced(mut text: String, exchanges: &[(&str, &str)]) -> String {
    for (from, to) in exchanges {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    text
}

/// Tags that cannot harm, and no attributes but the target of a link. Headings are left out: a description must not
/// break the outline of the page it stands in.
static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .tags(HashSet::from(["p", "br", "ul", "ol", "li", "strong", "em", "b", "i", "a"]))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener nofollow"));
    builder
});

static NOTHING: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder.clean_content_tags(HashSet::from(["script", "style"]));
    builder
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_is_made_harmless() {
        assert_eq!(safe_html("a\n\nb & c"), "<p>a</p><p>b &amp; c</p>");
        for (text, is_markup) in
            [("a &amp; b", true), ("a & b; c", false), ("&#8364;", true), ("&x;", false), ("R&D;", false)]
        {
            assert_eq!(holds_markup(text), is_markup, "{text}");
        }
        assert!(!holds_markup("&abcdefghijk;") && holds_markup("&abcdefghij;"));
        assert_eq!(safe_html("first\n\nsecond\nline"), "<p>first</p><p>second<br>line</p>");
        let hostile = safe_html(
            "<script>alert(1)</script><p onclick=x style=y>Hi <img src=x onerror=alert(1)><a href='javascript:x'>l</a></p>",
        );
        assert_eq!(hostile, "<p>Hi <a rel=\"noopener nofollow\">l</a></p>");
    }

    #[test]
    fn text_of_safe_html_is_the_plain_text_of_it() {
        for text in [
            "<p>One <b>two</b>, three.</p><p>4 &lt; 5 &amp; 6</p>",
            "plain > text",
            "a\n\nb <a href='https://x.example/?a>b<c'>c</a>.",
        ] {
            let html = safe_html(text);
            assert_eq!(text_of_safe_html(&html), plain_text(&html), "{html}");
        }
    }

    #[test]
    fn plain_text_has_no_tags() {
        assert_eq!(plain_text("<p>One</p><p>two &amp; three</p><script>x</script>"), "One two & three");
    }

    proptest! {
        #[test]
        fn safe_html_is_safe_when_cleaned_again(text in "[<>/a-z\"'= &;]{0,80}") {
            let once = safe_html(&text);
            prop_assert!(!once.contains("<script") && !once.contains(" onclick"));
        }
    }
}
