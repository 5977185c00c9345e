//! What social media show of a link to a product: its picture with name, brand, price and store beside it.
//!
//! In: texts, colours, and which picture; out: a JPEG of 1200 by 630 pixels, from the cache where it is there. Texts whose
//! letters the font has not are left out. The same things give the same pixels on every machine.

use super::cache::{Cache, Key, Shelf};
use super::drawing::FrameDrawing;
use super::icons::SOCIAL_CARD_SIZE;
use super::image::{self, Pixels, Size};
use super::lettering::{self, Weight};
use super::palette::{Mood, Scheme};
use super::pictures::Pictures;
use crate::config::{Color, ImageSettings};
use crate::site::Digest;
use anyhow::{Context as _, Result};
use resvg::tiny_skia::{FillRule, FilterQuality, Paint, PathBuilder, Pattern, Pixmap, SpreadMode, Transform};
use resvg::usvg::Tree;
use std::fmt::Write as _;

/// Names this code in the keys of caches; the number changes whenever the same input would give another picture.
pub const MAKER: &str = "social card 2";

/// Quality of the JPEG, 1 to 100.
const QUALITY: u8 = 86;
/// Distance of the picture from the edges.
const MARGIN: u32 = 40;
/// What the picture fits into.
const ROOM: Size = Size { width: 680, height: 550 };
/// Where texts begin, and how wide they are.
const TEXT_LEFT: f32 = 764.0;
const TEXT_WIDTH: f32 = 396.0;

/// Colours of all cards of a store.
#[derive(Clone, Debug)]
pub struct CardLook {
    ground: Color,
    text: Color,
    muted: Color,
    accent: Color,
}

impl CardLook {
    /// The colours of a store.
    pub fn new(primary: Color, secondary: Color) -> Self {
        let scheme = Scheme::light(Mood::Calm, primary, secondary);
        let color = |name| scheme.color(name);
        Self {
            ground: color("surface-2"),
            text: color("text"),
            muted: color("text-muted"),
            accent: color("accent-text"),
        }
    }
}

/// What a card shows of the product.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A picture that has been made ready, by the name of its original.
    Photo(String),
    /// A drawing.
    Drawing(FrameDrawing),
}

/// What a card says.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CardWords<'a> {
    pub store: &'a str,
    pub brand: Option<&'a str>,
    pub name: &'a str,
    pub price: &'a str,
}

/// A card that can be made.
#[derive(Clone, Debug)]
pub struct SocialCard {
    key: Key,
    shown: Shown,
    look: CardLook,
    store: Option<String>,
    brand: Option<String>,
    name: Option<String>,
    price: Option<String>,
}

impl SocialCard {
    /// Decides on a card.
    pub fn new(words: &CardWords<'_>, look: &CardLook, shown: Shown) -> Self {
        let written = lettering::written;
        let (store, name, price) = (written(words.store), written(words.name), written(words.price));
        let brand = words.brand.and_then(written);
        let picture = match &shown {
            Shown::Photo(original) => original.clone(),
            Shown::Drawing(drawing) => drawing.path(),
        };
        let texts = [&store, &brand, &name, &price].map(|text| text.as_deref().unwrap_or_default());
        let [store_text, brand_text, name_text, price_text] = texts.map(str::as_bytes);
        let colors = format!("{look:?}");
        let parts = [picture.as_bytes(), store_text, brand_text, name_text, price_text, colors.as_bytes()];
        Self { key: Key::new(Shelf::Cards, MAKER, &parts), shown, look: look.clone(), store, brand, name, price }
    }

    /// Path of the file in the store.
    pub fn path(&self) -> String {
        format!("assets/cards/{}.jpg", self.key.short_name())
    }

    /// Hash of what it is made from.
    pub fn made_from(&self) -> Digest {
        self.key.digest()
    }

    /// The file: from the cache, or else made and kept there.
    ///
    /// # Errors
    /// When its picture cannot be had any more, or the cache cannot be written to.
    pub fn file(&self, pictures: &Pictures, settings: &ImageSettings, cache: &Cache) -> Result<Vec<u8>> {
        let kept = cache.look::<()>(&self.key).and_then(|entry| entry.blob(0));
        cache.count(Shelf::Cards, kept.is_some());
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let photo = match &self.shown {
            Shown::Photo(original) => Some(pictures.fitted(original, ROOM, settings, cache)?),
            Shown::Drawing(_) => None,
        };
        let file = self.draw(photo).context("a social card")?;
        cache.put(&self.key, (), &[&file])?;
        Ok(file)
    }

    fn draw(&self, photo: Option<Pixels>) -> Result<Vec<u8>> {
        let (width, height) = SOCIAL_CARD_SIZE;
        let has_texts = [&self.store, &self.brand, &self.name, &self.price].into_iter().any(Option::is_some);
        let left = if has_texts { MARGIN } else { (width - ROOM.width) / 2 };
        let tree = Tree::from_str(&self.ground(left), &lettering::options()).context("reading its drawing")?;
        let mut pixmap = Pixmap::new(width, height).context("making room for it")?;
        resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
        if let Some(photo) = photo {
            let x = left + (ROOM.width - photo.size.width) / 2;
            let y = (height - photo.size.height) / 2;
            place(&photo, (x as f32, y as f32), &mut pixmap).context("placing its picture")?;
        }
        let rows = pixmap.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
        image::jpeg(Pixels { size: Size { width, height }, rows }, QUALITY)
            .map_err(|problem| anyhow::anyhow!("{problem}"))
    }

    /// Everything but the photo, as SVG.
    fn ground(&self, left: u32) -> String {
        let (width, height) = SOCIAL_CARD_SIZE;
        let CardLook { ground, text, muted, accent } = self.look;
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><rect width="{width}" height="{height}" fill="{ground}"/>"#
        );
        if let Shown::Drawing(drawing) = self.shown {
            let _ = write!(svg, r#"<g transform="translate({left} 60) scale(.85)">{}</g>"#, drawing.svg());
        }
        // Size, distance to the next baseline, weight, colour.
        let mut lines: Vec<(String, f32, f32, Weight, Color)> = Vec::new();
        let line = |text: &str, size: f32| fitted(text, size, Weight::Medium);
        lines.extend(self.brand.as_deref().map(|brand| (line(brand, 28.0), 28.0, 48.0, Weight::Medium, muted)));
        if let Some(name) = &self.name {
            let (size, parts) = in_lines(name);
            lines.extend(parts.into_iter().map(|part| (part, size, size * 1.18, Weight::Bold, text)));
        }
        lines.extend(self.price.as_deref().map(|price| (line(price, 38.0), 38.0, 66.0, Weight::Medium, accent)));
        let tall: f32 = lines.iter().map(|line| line.2).sum();
        let mut baseline = (height as f32 - tall) / 2.0 - 14.0;
        for (part, size, step, weight, color) in &lines {
            baseline += step;
            lettering::push_line(&mut svg, part, (TEXT_LEFT, baseline), *size, *weight, *color);
        }
        if let Some(store) = &self.store {
            let place = (TEXT_LEFT, (height - MARGIN) as f32 - 8.0);
            lettering::push_line(&mut svg, &line(store, 24.0), place, 24.0, Weight::Medium, muted);
        }
        svg.push_str("</svg>");
        svg
    }
}

/// Puts a photo with round corners onto a picture.
fn place(photo: &Pixels, (x, y): (f32, f32), pixmap: &mut Pixmap) -> Option<()> {
    const CORNER: f32 = 22.0;
    let Size { width, height } = photo.size;
    let mut pixels = Pixmap::new(width, height)?;
    for (target, color) in pixels.data_mut().chunks_exact_mut(4).zip(photo.rows.chunks_exact(3)) {
        target.copy_from_slice(&[color[0], color[1], color[2], 255]);
    }
    let (right, bottom) = (x + width as f32, y + height as f32);
    let corner = CORNER.min(width.min(height) as f32 / 2.0);
    // A quarter of a circle as a cubic curve.
    let pull = corner * (1.0 - 0.552_285);
    let mut outline = PathBuilder::new();
    outline.move_to(x + corner, y);
    outline.line_to(right - corner, y);
    outline.cubic_to(right - pull, y, right, y + pull, right, y + corner);
    outline.line_to(right, bottom - corner);
    outline.cubic_to(right, bottom - pull, right - pull, bottom, right - corner, bottom);
    outline.line_to(x + corner, bottom);
    outline.cubic_to(x + pull, bottom, x, bottom - pull, x, bottom - corner);
    outline.line_to(x, y + corner);
    outline.cubic_to(x, y + pull, x + pull, y, x + corner, y);
    outline.close();
    let at = Transform::from_translate(x, y);
    let shader = Pattern::new(pixels.as_ref(), SpreadMode::Pad, FilterQuality::Nearest, 1.0, at);
    let paint = Paint { shader, ..Paint::default() };
    pixmap.fill_path(&outline.finish()?, &paint, FillRule::Winding, Transform::identity(), None);
    Some(())
}

/// A name in as few lines as look well, and their size: large if it is short.
fn in_lines(name: &str) -> (f32, Vec<String>) {
    const SIZES: [(f32, usize); 4] = [(64.0, 2), (54.0, 3), (44.0, 4), (36.0, 5)];
    let wrapped = SIZES.map(|(size, most)| (size, most, wrap(name, size)));
    let fits = |(size, most, lines): &&(f32, usize, Vec<String>)| {
        lines.len() <= *most && lines.iter().all(|line| is_short_enough(line, *size, Weight::Bold))
    };
    if let Some((size, _, lines)) = wrapped.iter().find(fits) {
        return (*size, lines.clone());
    }
    let (size, most, lines) = wrapped.into_iter().next_back().unwrap_or((36.0, 5, Vec::new()));
    let is_cut = lines.len() > most;
    let mut lines: Vec<String> = lines.into_iter().take(most).map(|line| fitted(&line, size, Weight::Bold)).collect();
    if let Some(last) = lines.last_mut().filter(|_| is_cut) {
        *last = fitted(&format!("{last} …"), size, Weight::Bold);
    }
    (size, lines)
}

fn wrap(text: &str, size: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if is_short_enough(&format!("{line} {word}"), size, Weight::Bold) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

fn is_short_enough(line: &str, size: f32, weight: Weight) -> bool {
    lettering::width(line, weight).is_some_and(|width| width * size <= TEXT_WIDTH)
}

/// A line, cut off where it would be too long.
fn fitted(line: &str, size: f32, weight: Weight) -> String {
    if is_short_enough(line, size, weight) {
        return line.to_string();
    }
    let ends = line.char_indices().map(|(at, _)| at).rev();
    let cut = ends.map(|at| format!("{}…", line[..at].trim_end_matches([' ', '…'])));
    cut.into_iter().find(|cut| is_short_enough(cut, size, weight)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(name: &str, price: &str) -> SocialCard {
        let look = CardLook::new(Color { rgb: [43, 42, 76] }, Color { rgb: [168, 90, 20] });
        let words = CardWords { store: "Lumen", brand: Some("Halden Row"), name, price };
        SocialCard::new(&words, &look, Shown::Drawing(FrameDrawing::emblem(Color { rgb: [90, 20, 20] })))
    }

    #[test]
    fn a_card_shows_picture_and_words_in_their_places() {
        let photo = Pixels { size: Size { width: 680, height: 453 }, rows: [200, 40, 40].repeat(680 * 453) };
        let picture =
            ::image::load_from_memory(&card("Ashby", "€149.00").draw(Some(photo)).unwrap()).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), SOCIAL_CARD_SIZE);
        let (ground, photo) = (picture.get_pixel(10, 10).0, picture.get_pixel(380, 315).0);
        assert!(photo[0].abs_diff(200) < 8 && ground[0] > 220, "{photo:?} {ground:?}");
        let dark = |rows: std::ops::Range<u32>| {
            let mut pixels = rows.flat_map(|y| (764..1160).map(move |x| (x, y)));
            pixels.any(|(x, y)| picture.get_pixel(x, y).0[0] < 100)
        };
        assert!(dark(200..430) && dark(560..600) && !dark(0..150), "name, brand and price; store");
        let corner = picture.get_pixel(42, 91).0;
        assert!(corner[1] > 150, "round corners: {corner:?}");
    }

    #[test]
    fn every_word_changes_the_card_and_letters_that_are_missing_are_left_out() {
        let paths = [card("Ashby", "€1").path(), card("Ashby", "€2").path(), card("Ash", "€1").path()];
        assert!(paths[0] != paths[1] && paths[0] != paths[2]);
        let missing = card("眼鏡", "¥12,000 \u{1f453}");
        assert_eq!((missing.name.as_deref(), missing.price.as_deref()), (None, Some("¥12,000")));
        assert!(missing.draw(None).is_ok());
    }

    #[test]
    fn names_of_every_length_fit() {
        let long = "Antidisestablishmentarianism ".repeat(9);
        for name in [
            "Ashby",
            "Puddle Square Kids",
            "The Very Long Name of a Frame That Goes On and On",
            &long,
            "Wwwwwwwwwwwwwwwwwwwwwww",
        ] {
            let (size, lines) = in_lines(name);
            assert!(!lines.is_empty() && lines.len() as f32 * size * 1.18 < 260.0, "{lines:?}");
            assert!(lines.iter().all(|line| is_short_enough(line, size, Weight::Bold)), "{lines:?}");
        }
        assert!(in_lines(&long).1.last().is_some_and(|line| line.ends_with('…')));
        assert_eq!(in_lines("Ashby"), (64.0, vec!["Ashby".to_string()]));
    }
}
