//! SVG pictures that others have made: markup in, the same drawing without anything that acts or reaches out.
//!
//! What is not known to be harmless is left out: elements and attributes come from lists, references lead into the
//! picture itself or to small pictures of pixels that are part of it. Documents that would grow when they are shown are
//! refused. What comes out is written anew from the parsed tree, so that no reader can take it for something else than
//! this one did.

use super::decode::{Decoded, Layout, Samples};
use super::header::Header;
use super::{ImageProblem, Size};
use crate::assets::lettering::{self, escape};
use crate::config::Color;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::Tree;
use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

/// Largest file in bytes.
const LARGEST: usize = 2 << 20;
/// Most elements, texts and comments together.
const MOST_NODES: u32 = 50_000;
/// Most elements within one another. Each may need a picture of its own while it is drawn.
const DEEPEST: usize = 32;
/// Most elements that are drawn once everything that is used again stands where it is used.
const MOST_DRAWN: u64 = 50_000;
/// As how many elements a step of a filter counts.
const FILTER_STEP: u64 = 200;
/// Largest and smallest side in pixels.
const SIDES: std::ops::RangeInclusive<f32> = 1.0..=30_000.0;
/// Longest side in pixels of what is drawn from it.
const LONGEST_DRAWN: f32 = 4_000.0;
/// Most pixels of a picture that is part of it.
const MOST_EMBEDDED: u64 = 4_000_000;

const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Elements that only draw, at a cost that can be told beforehand.
const ELEMENTS: [&str; 41] = [
    "circle",
    "clipPath",
    "defs",
    "desc",
    "ellipse",
    "feBlend",
    "feColorMatrix",
    "feComponentTransfer",
    "feComposite",
    "feDropShadow",
    "feFlood",
    "feFuncA",
    "feFuncB",
    "feFuncG",
    "feFuncR",
    "feGaussianBlur",
    "feMerge",
    "feMergeNode",
    "feOffset",
    "filter",
    "g",
    "image",
    "line",
    "linearGradient",
    "mask",
    "path",
    "pattern",
    "polygon",
    "polyline",
    "radialGradient",
    "rect",
    "stop",
    "style",
    "svg",
    "switch",
    "symbol",
    "text",
    "textPath",
    "title",
    "tspan",
    "use",
];

/// Attributes that only say how something is drawn. Those of the form `font-…`, `stroke-…` and so on are in [`FAMILIES`].
const ATTRIBUTES: [&str; 106] = [
    "alignment-baseline",
    "amplitude",
    "baseline-shift",
    "class",
    "clip",
    "clip-path",
    "clip-rule",
    "clipPathUnits",
    "color",
    "color-interpolation",
    "color-interpolation-filters",
    "color-rendering",
    "cx",
    "cy",
    "d",
    "dir",
    "direction",
    "display",
    "dominant-baseline",
    "dx",
    "dy",
    "enable-background",
    "exponent",
    "filter",
    "filterUnits",
    "flood-color",
    "flood-opacity",
    "fr",
    "fx",
    "fy",
    "gradientTransform",
    "gradientUnits",
    "height",
    "id",
    "image-rendering",
    "in",
    "in2",
    "intercept",
    "isolation",
    "k1",
    "k2",
    "k3",
    "k4",
    "kerning",
    "lang",
    "lengthAdjust",
    "letter-spacing",
    "lighting-color",
    "mask",
    "maskContentUnits",
    "maskUnits",
    "method",
    "mix-blend-mode",
    "mode",
    "offset",
    "opacity",
    "operator",
    "overflow",
    "paint-order",
    "pathLength",
    "patternContentUnits",
    "patternTransform",
    "patternUnits",
    "pointer-events",
    "points",
    "preserveAspectRatio",
    "primitiveUnits",
    "r",
    "radius",
    "result",
    "role",
    "rotate",
    "rx",
    "ry",
    "shape-rendering",
    "side",
    "slope",
    "spacing",
    "spreadMethod",
    "startOffset",
    "stdDeviation",
    "stop-color",
    "stop-opacity",
    "style",
    "tableValues",
    "text-decoration",
    "textLength",
    "transform",
    "transform-origin",
    "type",
    "unicode-bidi",
    "values",
    "vector-effect",
    "version",
    "viewBox",
    "visibility",
    "width",
    "word-spacing",
    "writing-mode",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
    "z",
];

/// Starts of names of attributes that only say how something is drawn.
const FAMILIES: [&str; 5] = ["fill", "stroke", "font", "text-", "glyph-orientation-"];

/// A picture that may be shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Svg {
    /// Its markup, without declarations; the root has a width and a height in pixels.
    markup: String,
    /// Pixels.
    width: f32,
    /// Pixels.
    height: f32,
}

impl Svg {
    /// Reads a picture and leaves out what could do harm.
    ///
    /// # Errors
    /// When it is not readable, or costs too much to draw.
    pub(super) fn clean(bytes: &[u8]) -> Result<Self, ImageProblem> {
        if bytes.len() > LARGEST {
            let (size, most) = (bytes.len() >> 10, LARGEST >> 10);
            return Err(refused(format!("has {size} kB; at most {most} are taken of an SVG")));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(refused("is an SVG in another encoding than UTF-8; save it as UTF-8".into()));
        };
        let text = without_doctype(text.trim_start_matches('\u{feff}'));
        if text.contains("<!DOCTYPE") {
            // With them it could grow without end when it is read.
            return Err(refused("is an SVG that declares entities; export it as plain SVG, or as PNG".into()));
        }
        let unreadable = |error: &dyn std::fmt::Display| {
            refused(format!("is an SVG that cannot be read ({error}); export it again, or as PNG"))
        };
        let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(&text, options).map_err(|error| unreadable(&error))?;
        let root = document.root_element();
        if root.tag_name().name() != "svg" || root.tag_name().namespace().is_some_and(|namespace| namespace != SVG) {
            return Err(unreadable(&"its outermost element is no `svg`"));
        }
        let drawn = Drawn::default().count(root).map_err(refused)?;
        if drawn > MOST_DRAWN {
            return Err(refused("is an SVG that draws too much; simplify it, or export it as PNG".into()));
        }
        let mut markup = String::with_capacity(text.len());
        write_element(root, None, &mut markup);
        let size = tree(&markup).map_err(|error| unreadable(&error))?.size();
        let (width, height) = (size.width(), size.height());
        if !SIDES.contains(&width) || !SIDES.contains(&height) {
            return Err(refused(format!("is an SVG of {width} by {height} pixels; give it a usual width and height")));
        }
        markup.clear();
        write_element(root, Some((width, height)), &mut markup);
        Ok(Self { markup, width, height })
    }

    /// Width and height in whole pixels.
    pub(super) fn size(&self) -> Size {
        Size { width: (self.width.round() as u32).max(1), height: (self.height.round() as u32).max(1) }
    }

    /// The file for browsers, on its ground.
    pub(super) fn file(&self, ground: Color) -> Vec<u8> {
        let Self { markup, width, height } = self;
        format!(
            r#"<svg xmlns="{SVG}" width="{width}" height="{height}" viewBox="0 0 {width} {height}"><rect width="{width}" height="{height}" style="fill:{ground}"/>{markup}</svg>"#
        )
        .into_bytes()
    }

    /// Its pixels, `wanted` of them from left to right, or fewer where it would become very tall.
    pub(super) fn draw(&self, wanted: u32) -> Result<Decoded, ImageProblem> {
        let scale = (wanted as f32 / self.width).min(LONGEST_DRAWN / self.height);
        let side = |length: f32| ((length * scale).round() as u32).max(1);
        let (width, height) = (side(self.width), side(self.height));
        let tree = tree(&self.markup).map_err(|error| ImageProblem::damaged(&error))?;
        let mut pixmap = Pixmap::new(width, height).ok_or_else(|| ImageProblem::damaged(&"it has no pixels"))?;
        let fit = Transform::from_scale(width as f32 / self.width, height as f32 / self.height);
        resvg::render(&tree, fit, &mut pixmap.as_mut());
        let pixels = pixmap.pixels().iter().flat_map(|pixel| {
            let color = pixel.demultiply();
            [color.red(), color.green(), color.blue(), color.alpha()]
        });
        let (pixels, layout) = (Samples::Allocated(pixels.collect()), Layout::Rgba);
        Ok(Decoded { width, height, pixels, layout, profile: None, is_gray: false })
    }
}

fn tree(markup: &str) -> Result<Tree, resvg::usvg::Error> {
    Tree::from_str(markup, &lettering::options())
}

fn refused(detail: String) -> ImageProblem {
    ImageProblem::new("media_svg", detail)
}

/// Whether a file is an SVG, by its beginning.
pub(super) fn is_svg(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<') && text.contains("<svg")
}

/// Takes a plain document type away, as old drawing programs write it; one that declares something stays.
fn without_doctype(text: &str) -> String {
    let Some(start) = text.find("<!DOCTYPE") else { return text.to_string() };
    match text[start..].find(['>', '[']) {
        Some(end) if text.as_bytes()[start + end] == b'>' => format!("{}{}", &text[..start], &text[start + end + 1..]),
        _ => text.to_string(),
    }
}

/// Counts what is drawn once everything that is used again stands where it is used.
#[derive(Default)]
struct Drawn<'a, 'input> {
    /// By id; `None` while it is being counted.
    known: HashMap<&'a str, Option<u64>>,
    by_id: HashMap<&'a str, Node<'a, 'input>>,
}

impl<'a, 'input> Drawn<'a, 'input> {
    fn count(mut self, root: Node<'a, 'input>) -> Result<u64, String> {
        self.by_id = root.descendants().filter_map(|node| Some((node.attribute("id")?, node))).collect();
        let mut count = self.of(root, 0)?;
        // A rule of a style may be that of every element.
        let elements = root.descendants().filter(Node::is_element).count() as u64;
        for style in root.descendants().filter(|node| node.has_tag_name("style") || node.has_tag_name((SVG, "style"))) {
            for text in style.children().filter_map(|child| child.text()) {
                for id in references(text) {
                    count = count.saturating_add(self.used(id, 0)?.saturating_mul(elements));
                }
            }
        }
        Ok(count)
    }

    fn of(&mut self, node: Node<'a, 'input>, depth: usize) -> Result<u64, String> {
        if depth > DEEPEST {
            return Err(format!("is an SVG with more than {DEEPEST} elements within one another; simplify it"));
        }
        let mut count: u64 = match node.tag_name().name() {
            // Colours cost nothing, wherever they are used.
            "linearGradient" | "radialGradient" | "stop" | "title" | "desc" => 0,
            "image" => FILTER_STEP,
            name if name.starts_with("fe") => FILTER_STEP,
            _ => 1,
        };
        for child in node.children().filter(Node::is_element) {
            count = count.saturating_add(self.of(child, depth + 1)?);
        }
        // Any attribute may point at something that is drawn for it: patterns, masks, and what `use` repeats.
        for attribute in node.attributes() {
            let (key, value) = (attribute.name(), attribute.value());
            let whole = value.trim().strip_prefix('#').filter(|_| key == "href");
            for id in whole.into_iter().chain(references(value)) {
                count = count.saturating_add(self.used(id, depth)?);
            }
        }
        Ok(count)
    }

    fn used(&mut self, id: &'a str, depth: usize) -> Result<u64, String> {
        match self.known.get(id) {
            Some(Some(count)) => return Ok(*count),
            Some(None) => return Err("is an SVG in which something is part of itself; remove that".into()),
            None => {}
        }
        let Some(node) = self.by_id.get(id).copied() else { return Ok(0) };
        self.known.insert(id, None);
        let count = self.of(node, depth + 1)?;
        self.known.insert(id, Some(count));
        Ok(count)
    }
}

/// What follows each `url(` in a value, without blanks and quotation marks before it.
fn addresses(value: &str) -> impl Iterator<Item = &str> {
    let starts = value.char_indices().filter(|(at, _)| value.as_bytes()[*at..].len() >= 4);
    let starts = starts.filter(|(at, _)| value.as_bytes()[*at..at + 4].eq_ignore_ascii_case(b"url("));
    starts.map(|(at, _)| value[at + 4..].trim_start_matches(|c: char| c.is_whitespace() || c == '"' || c == '\''))
}

/// The ids that a value such as `fill:url(#a)` points at.
fn references(value: &str) -> impl Iterator<Item = &str> {
    let ids = addresses(value).filter_map(|address| address.strip_prefix('#'));
    ids.map(|id| id.split([')', '"', '\'']).next().unwrap_or_default().trim_end())
}

/// Writes an element with what is in it; `size` is what the outermost one gets.
fn write_element(node: Node<'_, '_>, size: Option<(f32, f32)>, out: &mut String) {
    let name = node.tag_name();
    let is_svg = name.namespace().is_none_or(|namespace| namespace == SVG);
    if !is_svg || !ELEMENTS.contains(&name.name()) {
        return;
    }
    let text = |node: Node<'_, '_>| node.children().filter_map(|child| child.text()).collect::<String>();
    if name.name() == "style" && !is_harmless_style(&text(node)) {
        return;
    }
    let _ = write!(out, "<{}", name.name());
    let mut seen = HashSet::new();
    if node.parent_element().is_none() {
        let _ = write!(out, r#" xmlns="{SVG}""#);
    }
    if let Some((width, height)) = size {
        let _ = write!(out, r#" width="{width}" height="{height}""#);
        seen.extend(["width", "height"]);
    }
    for attribute in node.attributes() {
        let (key, value) = (attribute.name(), attribute.value());
        let kept = match attribute.namespace() {
            None | Some(XLINK) if key == "href" => is_harmless_reference(name.name(), value),
            None => is_harmless_attribute(key) && is_harmless_value(key, value),
            Some(XML) => key == "space" || key == "lang",
            Some(_) => false,
        };
        // What is written without its namespace must not be there twice.
        if kept && seen.insert(key) {
            let prefix = if attribute.namespace() == Some(XML) { "xml:" } else { "" };
            let _ = write!(out, r#" {prefix}{key}=""#);
            escape(value, out);
            out.push('"');
        }
    }
    out.push('>');
    for child in node.children() {
        if child.is_element() {
            write_element(child, None, out);
        } else if let Some(text) = child.text().filter(|_| child.is_text()) {
            escape(text, out);
        }
    }
    let _ = write!(out, "</{}>", name.name());
}

fn is_harmless_attribute(name: &str) -> bool {
    ATTRIBUTES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

fn is_harmless_value(name: &str, value: &str) -> bool {
    if name == "style" { is_harmless_style(value) } else { leads_nowhere(value) }
}

/// Whether a style reaches for nothing: no imports, no fonts, no addresses but those of parts of the picture. An escape
/// could spell any of these, and no drawing needs one.
fn is_harmless_style(style: &str) -> bool {
    let folded = style.to_ascii_lowercase();
    let is_wicked = ['\\', '@', '<'].iter().any(|sign| folded.contains(*sign))
        || ["expression", "javascript", "behavior", "-moz-binding", "image-set", "image(", "src("]
            .iter()
            .any(|word| folded.contains(word))
        || folded.contains("/*");
    !is_wicked && leads_nowhere(&folded)
}

/// Whether every address in a value is that of a part of the picture.
fn leads_nowhere(value: &str) -> bool {
    !value.to_ascii_lowercase().contains("javascript:") && addresses(value).all(|address| address.starts_with('#'))
}

/// Whether a reference leads into the picture, or is a picture of pixels that is part of it.
fn is_harmless_reference(element: &str, value: &str) -> bool {
    let value = value.trim();
    if let Some(id) = value.strip_prefix('#') {
        return !id.is_empty();
    }
    let Some((kind, data)) = value.split_once(',').filter(|_| element == "image") else { return false };
    let is_pixels =
        ["data:image/png;base64", "data:image/jpeg;base64", "data:image/webp;base64", "data:image/gif;base64"]
            .iter()
            .any(|known| kind.eq_ignore_ascii_case(known));
    let compact: Vec<u8> = data.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let is_small = |bytes: Vec<u8>| {
        !is_svg(&bytes)
            && Header::read(&bytes)
                .is_ok_and(|header| u64::from(header.shown.width) * u64::from(header.shown.height) <= MOST_EMBEDDED)
    };
    is_pixels && BASE64_STANDARD.decode(compact).is_ok_and(is_small)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clean(inside: &str) -> String {
        let text = format!(r##"<svg xmlns="{SVG}" xmlns:xlink="{XLINK}" width="40" height="30">{inside}</svg>"##);
        Svg::clean(text.as_bytes()).unwrap_or_else(|problem| panic!("{inside}: {problem}")).markup
    }

    fn png(width: u32, height: u32) -> String {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::GrayImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        BASE64_STANDARD.encode(bytes.into_inner())
    }

    #[test]
    fn a_drawing_stays_as_it_is() {
        for inside in [
            r##"<path d="M0 0h9" fill="none" stroke="#123456" stroke-width="2"></path>"##,
            r##"<defs><linearGradient id="a"><stop offset="0" stop-color="red"></stop></linearGradient></defs><rect width="9" height="9" fill="url(#a)"></rect>"##,
            r##"<g id="b" style="fill:url(#a);opacity:.5"></g><use href="#b" x="1"></use>"##,
            r##"<text x="1" y="2" font-family="Georgia" xml:space="preserve">A &amp; &lt;B&gt;</text>"##,
            r##"<style>.a{fill:red}</style><rect class="a" width="1" height="1"></rect>"##,
            &format!(r##"<image href="data:image/png;base64,{}" width="1" height="1"></image>"##, png(9, 9)),
        ] {
            assert!(clean(inside).contains(inside), "{inside}\n{}", clean(inside));
        }
        assert!(clean(r##"<use xlink:href="#b"/>"##).contains(r##"<use href="#b">"##));
        let old = r#"<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 48"/>"#;
        assert_eq!(Svg::clean(old.as_bytes()).unwrap().size(), Size { width: 64, height: 48 });
    }

    #[test]
    fn nothing_that_acts_or_reaches_out_is_kept() {
        for inside in [
            "<script>evil()</script>",
            "<g><script href='evil.js'/></g>",
            "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>evil</body></foreignObject>",
            "<rect onclick='evil()' onload='evil()'/>",
            "<a href='javascript:evil()'><rect width='1' height='1'/></a>",
            "<a xlink:href='https://evil.example/'/>",
            "<use href='https://evil.example/a.svg#b'/>",
            "<use xlink:href='evil.svg#b'/>",
            "<image href='https://evil.example/a.png'/>",
            "<image href='data:image/svg+xml;base64,ZXZpbA=='/>",
            "<image href='data:text/html,evil'/>",
            "<image href='data:image/png;base64,PHN2ZyBldmlsPg=='/>",
            "<image xlink:href='file:///etc/evil'/>",
            "<rect fill='url(https://evil.example/a#b)'/>",
            "<rect style='fill:url( \"https://evil.example/\" )'/>",
            "<rect style='fill:u\\72l(https://evil.example/)'/>",
            "<style>@import 'https://evil.example/a.css';</style>",
            "<style>rect{fill:url(//evil.example/)}</style>",
            "<style>@font-face{font-family:a;src:url(evil)}</style>",
            "<animate attributeName='href' to='javascript:evil()'/>",
            "<set attributeName='onclick' to='evil()'/>",
            "<iframe xmlns='http://www.w3.org/1999/xhtml' src='evil'/>",
            "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>evil()</h:script>",
            "<metadata>evil</metadata>",
            "<!-- evil --><?evil evil?>",
            "<rect evil='1' data-evil='1' xlink:title='evil'/>",
        ] {
            assert!(!clean(inside).to_lowercase().contains("evil"), "{inside}\n{}", clean(inside));
        }
    }

    #[test]
    fn what_grows_when_it_is_read_or_shown_is_refused() {
        let refused = |text: &str| Svg::clean(text.as_bytes()).expect_err(&text[..text.len().min(200)]).detail;
        let lol = r#"<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>"#;
        assert!(refused(lol).contains("declares entities"));
        let mut doubling = format!(r##"<svg xmlns="{SVG}" width="9" height="9"><g id="n0"><path d="M0 0h9"/></g>"##);
        for level in 1..=30 {
            let _ = write!(doubling, r##"<g id="n{level}"><use href="#n{0}"/><use href="#n{0}"/></g>"##, level - 1);
        }
        assert!(refused(&(doubling + "</svg>")).contains("draws too much"));
        let filters = r##"<rect width="9" height="9" filter="url(#f)"/>"##.repeat(400);
        let blur = r#"<filter id="f"><feGaussianBlur stdDeviation="9"/></filter>"#;
        assert!(refused(&format!(r#"<svg xmlns="{SVG}">{blur}{filters}</svg>"#)).contains("draws too much"));
        let styled = format!("{blur}<style>rect{{fill:red;filter:URL( '#f' )}}</style>{}", "<rect/>".repeat(400));
        assert!(refused(&format!(r#"<svg xmlns="{SVG}">{styled}</svg>"#)).contains("draws too much"));
        let circle = format!(r##"<svg xmlns="{SVG}" width="9" height="9"><g id="a"><use href="#a"/></g></svg>"##);
        assert!(refused(&circle).contains("part of itself"));
        let deep = format!(r#"<svg xmlns="{SVG}">{}{}</svg>"#, "<g>".repeat(200), "</g>".repeat(200));
        assert!(refused(&deep).contains("within one another"));
        let many = format!(r#"<svg xmlns="{SVG}">{}</svg>"#, "<g/>".repeat(60_000));
        assert!(!refused(&many).is_empty());
        assert!(refused(&" ".repeat(LARGEST + 1)).contains("at most"));
        let large = clean(&format!("<image href='data:image/png;base64,{}'/>", png(4000, 2000)));
        assert!(!large.contains("base64"), "a large picture inside");
        for text in ["", "<svg", "<html/>", "plain", r#"<svg xmlns="http://elsewhere.example/"/>"#] {
            assert!(Svg::clean(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Svg::clean(b"<svg xmlns='http://www.w3.org/2000/svg' width='99999999' height='1'/>").is_err());
        assert!(Svg::clean(b"\xff\xfe<\0s\0v\0g\0").is_err());
    }

    #[test]
    fn it_is_drawn_at_any_size_with_text_and_ground() {
        let svg = format!(
            r##"<svg xmlns="{SVG}" viewBox="0 0 40 30"><style>rect{{fill:#c82828}}</style><rect width="20" height="30"/><text x="22" y="20" font-family="Georgia" font-size="18">M</text></svg>"##
        );
        let svg = Svg::clean(svg.as_bytes()).unwrap();
        let drawn = svg.draw(400).unwrap();
        assert_eq!((drawn.width, drawn.height), (400, 300));
        let pixel = |x: usize, y: usize| &drawn.pixels[(y * 400 + x) * 4..][..4];
        assert_eq!((pixel(100, 100), pixel(390, 290)), (&[200, 40, 40, 255][..], &[0; 4][..]));
        let ink = (200..400).flat_map(|x| (0..300).map(move |y| (x, y))).filter(|&(x, y)| pixel(x, y)[3] == 255);
        assert!(ink.count() > 500, "letters are drawn, whatever font was meant");
        let file = String::from_utf8(svg.file(Color { rgb: [255; 3] })).unwrap();
        let again = Svg::clean(file.as_bytes()).unwrap().draw(40).unwrap();
        assert_eq!((&again.pixels[..4], &again.pixels[39 * 4..40 * 4]), (&[200, 40, 40, 255][..], &[255; 4][..]));
    }

    proptest! {
        /// Cleaning is done once: what comes out is not changed by doing it again, whatever went in.
        #[test]
        fn what_is_clean_stays_clean(parts in prop::collection::vec(prop::sample::select(vec![
            "<g>", "</g>", "<rect width='1' height='1'", " onload='evil()'", " fill='url(#a)'", " style='fill:url(evil)'", "/>", ">",
            "<script>", "</script>", "<![CDATA[evil]]>", "&lt;script&gt;", "<use href='#a'/>", "text", "<a href='evil'>", "</a>",
            "<x:g xmlns:x='http://www.w3.org/2000/svg'>", "</x:g>", "<style>", "</style>", "]]>", "&#x3c;evil&#62;",
        ]), 0..14)) {
            let text = format!(r#"<svg xmlns="{SVG}" width="9" height="9">{}</svg>"#, parts.concat());
            if let Ok(svg) = Svg::clean(text.as_bytes()) {
                let again = Svg::clean(svg.markup.as_bytes()).expect("clean");
                prop_assert_eq!(&again.markup, &svg.markup);
                let document = Document::parse(&svg.markup).expect("well formed");
                for node in document.descendants().filter(Node::is_element) {
                    prop_assert!(ELEMENTS.contains(&node.tag_name().name()), "{}", svg.markup);
                    let is_evil = |attribute: &resvg::usvg::roxmltree::Attribute<'_, '_>| {
                        attribute.name() == "onload" || attribute.value().contains("evil")
                    };
                    prop_assert!(!node.attributes().any(|attribute| is_evil(&attribute)), "{}", svg.markup);
                }
            }
        }
    }
}
