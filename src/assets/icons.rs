//! Icons and the social card of a store, made from its two colours.
//!
//! The same colours give the same bytes: everything is drawn as SVG and rasterised here, with no fonts and no files.

use super::drawing::FrameDrawing;
use super::palette::Scheme;
use crate::config::Color;
use anyhow::{Context, Result, ensure};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Path of the icon for browser tabs.
pub const FAVICON: &str = "favicon.svg";
/// Path of the icon for home screens of Apple devices, 180 by 180 pixels.
pub const TOUCH_ICON: &str = "apple-touch-icon.png";
/// Paths and sides in pixels of the icons for a web app manifest; their content keeps clear of the mask's edge.
pub const APP_ICONS: [(&str, u32); 2] = [("icon-192.png", 192), ("icon-512.png", 512)];
/// Path of the picture that stands for the store in social media.
pub const SOCIAL_CARD: &str = "social-card.jpg";
/// Width and height of the social card in pixels.
pub const SOCIAL_CARD_SIZE: (u32, u32) = (1200, 630);

/// Draws all icon files of a store: path in the store and contents.
///
/// # Errors
/// Only when the rasteriser or an encoder fails, which no colours are known to bring about.
pub fn files(primary: Color, secondary: Color) -> Result<Vec<(String, Vec<u8>)>> {
    let scheme = Scheme::light(primary, secondary);
    let (ground, line) = (scheme.color("accent"), scheme.color("on-accent"));
    let mut files = vec![(FAVICON.to_string(), glyph(ground, line, 14).into_bytes())];
    // Phones cut their own corners, so these icons go to the edge.
    let full = glyph(ground, line, 0);
    for (path, side) in APP_ICONS.into_iter().chain([(TOUCH_ICON, 180)]) {
        let picture = raster(&full, side, side).with_context(|| format!("drawing `{path}`"))?;
        let mut bytes = Vec::new();
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::NoFilter)
            .write_image(&picture, side, side, ExtendedColorType::Rgb8)
            .with_context(|| format!("encoding `{path}`"))?;
        files.push((path.to_string(), bytes));
    }
    let (width, height) = SOCIAL_CARD_SIZE;
    let picture = raster(&card(&scheme), width, height).context("drawing the social card")?;
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 88)
        .write_image(&picture, width, height, ExtendedColorType::Rgb8)
        .context("encoding the social card")?;
    files.push((SOCIAL_CARD.to_string(), bytes));
    Ok(files)
}

/// A pair of glasses on a square.
fn glyph(ground: Color, line: Color, corner: u32) -> String {
    // A tab's icon is tiny, so its glasses are larger; elsewhere a mask may cut a fifth off each side.
    let transform = if corner > 0 { r#" transform="translate(-8 -10) scale(1.25)""# } else { "" };
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

    fn sample() -> Vec<(String, Vec<u8>)> {
        files(Color { rgb: [31, 95, 79] }, Color { rgb: [192, 112, 64] }).unwrap()
    }

    #[test]
    fn every_picture_has_the_size_it_is_announced_with() {
        let files = sample();
        let size = |path: &str| {
            let bytes = &files.iter().find(|(known, _)| known == path).expect(path).1;
            let picture = image::load_from_memory(bytes).expect(path);
            (picture.width(), picture.height())
        };
        for (path, side) in APP_ICONS {
            assert_eq!(size(path), (side, side));
        }
        assert_eq!(size(TOUCH_ICON), (180, 180));
        assert_eq!(size(SOCIAL_CARD), SOCIAL_CARD_SIZE);
        assert!(files.iter().any(|(path, bytes)| path == FAVICON && bytes.starts_with(b"<svg ")));
        assert!(files.iter().all(|(_, bytes)| bytes.len() < 60_000), "light enough for a first visit");
    }

    #[test]
    fn the_same_colors_give_the_same_bytes_and_others_give_others() {
        assert!(sample() == sample());
        let other = files(Color { rgb: [120, 20, 60] }, Color { rgb: [192, 112, 64] }).unwrap();
        for (one, two) in sample().iter().zip(&other) {
            assert!(one.0 == two.0 && one.1 != two.1, "{}", one.0);
        }
    }

    #[test]
    fn the_card_shows_a_frame_whatever_the_colors() {
        for rgb in [[255; 3], [0; 3], [255, 240, 0]] {
            let files = files(Color { rgb }, Color { rgb }).unwrap();
            let (_, bytes) = files.iter().find(|(path, _)| path == SOCIAL_CARD).unwrap();
            let picture = image::load_from_memory(bytes).unwrap().to_rgb8();
            let color = |x, y| Color { rgb: picture.get_pixel(x, y).0 };
            let darkest = (200..1000).map(|x| super::super::palette::contrast(color(x, 220), color(10, 10)));
            assert!(darkest.fold(0.0, f64::max) > 3.0, "{rgb:?}");
        }
    }
}
