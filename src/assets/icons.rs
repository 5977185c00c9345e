//! Icons and the social card of a store, made from its two colours and from its logo where it has one.
//!
//! The same colours give the same bytes: everything is drawn as SVG and rasterised here, with no fonts and no files.

use super::drawing::FrameDrawing;
use super::logo::Logo;
use super::palette::{Mood, Scheme};
use crate::config::Color;
use crate::enhance::collect::digest;
use crate::site::Digest;
use anyhow::{Context, Result, ensure};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Path of the icon for browser tabs.
pub const FAVICON: &str = "favicon.svg";
/// Path of the icon for browsers that take no SVG, with pictures of [`ICO_SIDES`].
pub const FAVICON_ICO: &str = "favicon.ico";
/// Sides in pixels of the pictures in the icon file.
const ICO_SIDES: [u8; 2] = [16, 32];
/// Path of the icon for home screens of Apple devices, 180 by 180 pixels.
pub const TOUCH_ICON: &str = "apple-touch-icon.png";
/// Paths and sides in pixels of the icons for a web app manifest; their content keeps clear of the mask's edge.
pub const APP_ICONS: [(&str, u32); 2] = [("icon-192.png", 192), ("icon-512.png", 512)];
/// Path of the picture that stands for the store in social media.
pub const SOCIAL_CARD: &str = "social-card.jpg";
/// Width and height of the social card in pixels.
pub const SOCIAL_CARD_SIZE: (u32, u32) = (1200, 630);

/// The icon files of a store before they are drawn, which takes longer than most pages do.
pub struct Icons {
    primary: Color,
    secondary: Color,
    logo: Option<Logo>,
}

impl Icons {
    /// Icons in a store's colours, with its logo where it has one.
    pub fn new(primary: Color, secondary: Color, logo: Option<Logo>) -> Self {
        Self { primary, secondary, logo }
    }

    /// Paths of the files.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        let apps = APP_ICONS.into_iter().map(|(path, _)| path);
        [FAVICON, FAVICON_ICO, TOUCH_ICON, SOCIAL_CARD].into_iter().chain(apps)
    }

    /// A hash of everything that they are drawn from.
    pub fn made_from(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(concat!("icons ", env!("CARGO_PKG_VERSION")).as_bytes());
        hasher.update(format!("{} {}", self.primary, self.secondary).as_bytes());
        self.logo.iter().for_each(|logo| _ = hasher.update(logo.bytes()));
        digest(&hasher)
    }

    /// Draws them all: path in the store and contents.
    ///
    /// # Errors
    /// Only when the rasteriser or an encoder fails, which no colours are known to bring about.
    pub fn draw(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        files(self.primary, self.secondary, self.logo.as_ref())
    }
}

fn files(primary: Color, secondary: Color, logo: Option<&Logo>) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let scheme = Scheme::light(Mood::Calm, primary, secondary);
    let (ground, line) = (scheme.color("accent"), scheme.color("on-accent"));
    let favicon = logo.map_or_else(|| glyph(ground, line, Look::Tab), Logo::icon);
    let mut files = vec![(FAVICON, favicon.into_bytes())];
    let square = |side: u32, look: Look| match logo {
        Some(logo) => logo.on_square(side),
        None => raster(&glyph(ground, line, look), side, side),
    };
    let pictures = ICO_SIDES.map(|side| square(u32::from(side), Look::Tiny).and_then(|rows| png(&rows, side.into())));
    files.push((FAVICON_ICO, ico(pictures).context("drawing the icon file")?));
    for (path, side) in APP_ICONS.into_iter().chain([(TOUCH_ICON, 180)]) {
        let picture = square(side, Look::Masked).and_then(|rows| png(&rows, side));
        files.push((path, picture.with_context(|| format!("drawing `{path}`"))?));
    }
    let (width, height) = SOCIAL_CARD_SIZE;
    let picture = raster(&card(&scheme), width, height).context("drawing the social card")?;
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 88)
        .write_image(&picture, width, height, ExtendedColorType::Rgb8)
        .context("encoding the social card")?;
    files.push((SOCIAL_CARD, bytes));
    Ok(files)
}

fn png(rows: &[u8], side: u32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::NoFilter).write_image(
        rows,
        side,
        side,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// An icon file: a header, an entry of 16 bytes for each of [`ICO_SIDES`], and the pictures as PNG.
fn ico(pictures: [Result<Vec<u8>>; ICO_SIDES.len()]) -> Result<Vec<u8>> {
    let mut bytes = vec![0, 0, 1, 0, ICO_SIDES.len() as u8, 0];
    let mut pixels = Vec::new();
    for (side, picture) in ICO_SIDES.into_iter().zip(pictures) {
        let picture = picture?;
        let offset = 6 + 16 * ICO_SIDES.len() + pixels.len();
        // Width, height, no palette, reserved, one plane, 24 bits a pixel, length, offset.
        bytes.extend([side, side, 0, 0, 1, 0, 24, 0]);
        bytes.extend(u32::try_from(picture.len())?.to_le_bytes());
        bytes.extend(u32::try_from(offset)?.to_le_bytes());
        pixels.extend(picture);
    }
    bytes.extend(pixels);
    Ok(bytes)
}

/// Where the glyph is going to be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// In a browser's tab, with round corners.
    Tab,
    /// There as well, in a few pixels that have no room for corners.
    Tiny,
    /// On a home screen: phones cut their own corners, so this one goes to the edge.
    Masked,
}

/// A pair of glasses on a square.
fn glyph(ground: Color, line: Color, look: Look) -> String {
    // A tab's icon is tiny, so its glasses are larger; elsewhere a mask may cut a fifth off each side.
    let transform = if look == Look::Masked { "" } else { r#" transform="translate(-8 -10) scale(1.25)""# };
    let corner = if look == Look::Tab { 14 } else { 0 };
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="{corner}" fill="{ground}"/><g{transform} fill="none" stroke="{line}" stroke-width="3.6" stroke-linecap="round" stroke-linejoin="round"><path d="M29 32.5c0 5.2-3.7 9-8.5 9s-8.5-3.8-8.5-9c0-4.6 2.6-7 8.5-7s8.5 2.4 8.5 7zM35 32.5c0 5.2 3.7 9 8.5 9s8.5-3.8 8.5-9c0-4.6-2.6-7-8.5-7s-8.5 2.4-8.5 7z"/><path d="M29 32c1.6-1.8 4.4-1.8 6 0M12.3 30.5l-2-1.500M51.7 30.5l2-1.500"/></g></svg>"#
    )
}

/// A frame in the store's colour in front of a disc in its second one.
fn card(scheme: &Scheme) -> String {
    let drawing = FrameDrawing::emblem(scheme.color("accent-text")).svg();
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 630"><rect width="1200" height="630" fill="{}"/><circle cx="600" cy="315" r="250" fill="{}" fill-opacity=".3"/><g transform="translate(120 -45) scale(1.2)">{drawing}</g></svg>"#,
        scheme.color("surface-2"),
        scheme.color("secondary"),
    )
}

/// Draws an opaque SVG as rows of red, green, blue.
fn raster(svg: &str, width: u32, height: u32) -> Result<Vec<u8>> {
    let tree = Tree::from_str(svg, &Options::default()).context("reading the SVG")?;
    let mut pixmap = Pixmap::new(width, height).context("making room for the picture")?;
    let size = tree.size();
    let scale = Transform::from_scale(width as f32 / size.width(), height as f32 / size.height());
    resvg::render(&tree, scale, &mut pixmap.as_mut());
    let pixels = pixmap.pixels();
    ensure!(pixels.iter().all(|pixel| pixel.alpha() == 255), "the drawing leaves holes in its ground");
    Ok(pixels.iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<(&'static str, Vec<u8>)> {
        files(Color { rgb: [31, 95, 79] }, Color { rgb: [192, 112, 64] }, None).unwrap()
    }

    #[test]
    fn every_picture_has_the_size_it_is_announced_with() {
        let files = sample();
        let size = |path: &str| {
            let bytes = &files.iter().find(|(known, _)| *known == path).expect(path).1;
            let picture = image::load_from_memory(bytes).expect(path);
            (picture.width(), picture.height())
        };
        for (path, side) in APP_ICONS {
            assert_eq!(size(path), (side, side));
        }
        assert_eq!(size(TOUCH_ICON), (180, 180));
        assert_eq!(size(SOCIAL_CARD), SOCIAL_CARD_SIZE);
        assert!(files.iter().any(|(path, bytes)| *path == FAVICON && bytes.starts_with(b"<svg ")));
        assert!(files.iter().all(|(_, bytes)| bytes.len() < 60_000), "light enough for a first visit");
    }

    #[test]
    fn the_icon_file_holds_a_picture_of_each_size() {
        let files = sample();
        let (_, ico) = files.iter().find(|(path, _)| *path == FAVICON_ICO).unwrap();
        assert_eq!(ico[..6], [0, 0, 1, 0, 2, 0]);
        for (at, side) in ICO_SIDES.into_iter().enumerate() {
            let entry = &ico[6 + 16 * at..][..16];
            assert_eq!(entry[..2], [side, side]);
            let number = |at: usize| u32::from_le_bytes(entry[at..at + 4].try_into().unwrap()) as usize;
            let picture = image::load_from_memory(&ico[number(12)..][..number(8)]).expect("a picture");
            assert_eq!((picture.width(), picture.height()), (u32::from(side), u32::from(side)));
        }
    }

    #[test]
    fn the_same_colors_give_the_same_bytes_and_others_give_others() {
        assert!(sample() == sample());
        let other = files(Color { rgb: [120, 20, 60] }, Color { rgb: [192, 112, 64] }, None).unwrap();
        for (one, two) in sample().iter().zip(&other) {
            assert!(one.0 == two.0 && one.1 != two.1, "{}", one.0);
        }
    }

    #[test]
    fn the_card_shows_a_frame_whatever_the_colors() {
        for rgb in [[255; 3], [0; 3], [255, 240, 0]] {
            let files = files(Color { rgb }, Color { rgb }, None).unwrap();
            let (_, bytes) = files.iter().find(|(path, _)| *path == SOCIAL_CARD).unwrap();
            let picture = image::load_from_memory(bytes).unwrap().to_rgb8();
            let color = |x, y| Color { rgb: picture.get_pixel(x, y).0 };
            let darkest = (200..1000).map(|x| super::super::palette::contrast(color(x, 220), color(10, 10)));
            assert!(darkest.fold(0.0, f64::max) > 3.0, "{rgb:?}");
        }
    }
}
