//! Letters in pictures: two weights of a font that is part of the program, so that the same text gives the same pixels on
//! every machine.
//!
//! Takes text; tells whether the font has all of its letters, and how wide it is. Latin, Greek and Cyrillic are there, with
//! the signs of currencies; what is not there is for the caller to leave out, for boxes say nothing.

use crate::config::Color;
use resvg::usvg::{self, fontdb};
use skrifa::{FontRef, MetadataProvider as _};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use unicode_normalization::UnicodeNormalization as _;

const MEDIUM: &[u8] = include_bytes!("inter-medium.otf");
const BOLD: &[u8] = include_bytes!("inter-bold.otf");

/// Name of the font in SVG.
pub(super) const FAMILY: &str = "Inter";

/// Weight of the font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Medium = 500,
    Bold = 700,
}

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    [MEDIUM, BOLD].into_iter().for_each(|font| fonts.load_font_data(font.to_vec()));
    fonts.set_serif_family(FAMILY);
    fonts.set_sans_serif_family(FAMILY);
    fonts.set_monospace_family(FAMILY);
    Arc::new(fonts)
});

/// How SVG is read: with these fonts only, and without opening anything that it points at.
pub(super) fn options() -> usvg::Options<'static> {
    let resolve_string: usvg::ImageHrefStringResolverFn<'static> = Box::new(|_, _| None);
    let image_href_resolver = usvg::ImageHrefResolver { resolve_string, ..usvg::ImageHrefResolver::default() };
    usvg::Options {
        fontdb: Arc::clone(&FONTS),
        font_family: FAMILY.into(),
        image_href_resolver,
        ..usvg::Options::default()
    }
}

/// A text as the font can write it: signs that it lacks are left out; nothing where it lacks a letter or digit.
pub(super) fn written(text: &str) -> Option<String> {
    let font = FontRef::new(BOLD).ok()?;
    let letters = font.charmap();
    let composed: String = text.nfc().collect();
    if composed.chars().any(|letter| letter.is_alphanumeric() && letters.map(letter).is_none()) {
        return None;
    }
    let known = |letter: &char| letter.is_whitespace() || letters.map(*letter).is_some();
    let kept: String = composed.chars().filter(known).collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Appends a line of text to an SVG; `place` is where its baseline begins.
pub(super) fn push_line(svg: &mut String, text: &str, place: (f32, f32), size: f32, weight: Weight, color: Color) {
    let ((x, y), weight) = (place, weight as u16);
    let _ = write!(
        svg,
        r#"<text x="{x}" y="{y}" font-family="{FAMILY}" font-size="{size}" font-weight="{weight}" fill="{color}">"#
    );
    escape(text, svg);
    svg.push_str("</text>");
}

/// Appends a text so that it is one in XML.
pub(super) fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            other => out.push(other),
        }
    }
}

/// Width of a line in units of its size, by the widths of its letters; `None` where the font lacks one of them.
pub(super) fn width(text: &str, weight: Weight) -> Option<f32> {
    let font = FontRef::new(if weight == Weight::Medium { MEDIUM } else { BOLD }).ok()?;
    let (letters, one) = (font.charmap(), skrifa::instance::Size::new(1.0));
    let metrics = font.glyph_metrics(one, skrifa::instance::LocationRef::default());
    text.chars().map(|letter| metrics.advance_width(letters.map(letter)?)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        let width = |text| width(text, Weight::Bold);
        assert_eq!(width(""), Some(0.0));
        let (narrow, wide) = (width("il").unwrap(), width("MW").unwrap());
        assert!(narrow < 0.7 && wide > 1.5, "{narrow} {wide}");
        for text in ["Ångström", "Łódź €1.299,00", "Οδός", "Очки", "1 299,00 zł", "₺ £ ¥", "Năm mới"]
        {
            assert!(width(text).is_some(), "{text}");
        }
        for text in ["眼鏡", "نظارات", "\u{1f453}"] {
            assert_eq!(width(text), None, "{text}");
        }
        assert_eq!(written(" Sun \u{1f60e}  A\u{30a}"), Some("Sun Å".into()));
        assert_eq!((written("眼鏡 2"), written("\u{1f60e}"), written("")), (None, None, None));
    }
}
