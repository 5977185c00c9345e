//! The store's marks: icons for tabs and home screens, and the picture that link previews show.
//!
//! Takes the store's colours; gives small files with a pair of glasses on them, drawn pixel by pixel, for link previews
//! and home screens take no vector files.

use super::theme_files::ThemeFile;
use crate::config::Color;
use image::{ImageFormat, Rgb, RgbImage};
use std::io::Cursor;

/// Size of the picture that link previews show.
pub const PREVIEW_SIZE: (u32, u32) = (1200, 630);

/// Makes every mark.
pub fn files(primary: Color, secondary: Color) -> Vec<ThemeFile> {
    let ink = readable_on(primary);
    let icon = |size: u32, share: f32| glasses(size, size, primary.rgb, ink, share);
    let ground = mixed(secondary.rgb, [255, 255, 255], 0.82);
    let preview_ink = if luminance(primary.rgb) < 0.5 { primary.rgb } else { [24, 24, 27] };
    let (width, height) = PREVIEW_SIZE;
    let mut files = vec![ThemeFile { path: "icon.svg".into(), bytes: vector_icon(primary, ink).into_bytes() }];
    for (path, picture) in [
        ("icon-192.png", icon(192, 0.62)),
        ("icon-512.png", icon(512, 0.62)),
        ("apple-touch-icon.png", icon(180, 0.62)),
        ("preview.png", glasses(width, height, ground, preview_ink, 0.46)),
    ] {
        files.extend(png(&picture).map(|bytes| ThemeFile { path: path.into(), bytes }));
    }
    files.extend(png(&icon(48, 0.76)).map(|bytes| ThemeFile { path: "favicon.ico".into(), bytes: as_ico(&bytes, 48) }));
    files
}

fn png(picture: &RgbImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // Writing to memory fails only when the format is not built in.
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).ok()?;
    Some(bytes)
}

/// An icon file that holds one PNG.
fn as_ico(png: &[u8], size: u8) -> Vec<u8> {
    let mut ico = vec![0, 0, 1, 0, 1, 0, size, size, 0, 0, 1, 0, 24, 0];
    ico.extend(u32::try_from(png.len()).unwrap_or(u32::MAX).to_le_bytes());
    ico.extend(22_u32.to_le_bytes());
    ico.extend(png);
    ico
}

fn vector_icon(primary: Color, ink: [u8; 3]) -> String {
    let ink = Color { rgb: ink };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\"><rect width=\"64\" height=\"64\" rx=\"14\" \
         fill=\"{primary}\"/><g fill=\"none\" stroke=\"{ink}\" stroke-width=\"4\" stroke-linecap=\"round\">\
         <circle cx=\"20.500\" cy=\"33\" r=\"9.500\"/><circle cx=\"43.500\" cy=\"33\" r=\"9.500\"/>\
         <path d=\"M29.500 30c1.500-2 3.500-2 5 0\"/></g></svg>\n"
    )
}

/// Two rings and a bridge in the middle of a ground, `share` of its width wide.
fn glasses(width: u32, height: u32, ground: [u8; 3], ink: [u8; 3], share: f32) -> RgbImage {
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let span = width as f32 * share;
    let radius = span * 0.215;
    let offset = span * 0.5 - radius - span * 0.03;
    let stroke = span * 0.045;
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32 + 0.5 - middle_x, y as f32 + 0.5 - middle_y);
        let ring = ((x.abs() - offset).hypot(y) - radius).abs();
        // The bridge is the upper part of a ring of its own between the two.
        let half_gap = offset - radius;
        let arc = (x.hypot(y + radius * 0.1) - half_gap * 1.15).abs();
        let is_bridge = y < -radius * 0.1 && x.abs() < half_gap * 1.2;
        let distance = if is_bridge { ring.min(arc) } else { ring };
        let coverage = (stroke - distance + 0.5).clamp(0.0, 1.0);
        Rgb(mixed(ground, ink, coverage))
    })
}

fn mixed(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    let channel = |at: usize| f32::from(from[at]) + (f32::from(to[at]) - f32::from(from[at])) * share;
    // Between two bytes, so a byte again.
    [0, 1, 2].map(|at| channel(at).round() as u8)
}

fn readable_on(color: Color) -> [u8; 3] {
    if luminance(color.rgb) < 0.6 { [255, 255, 255] } else { [24, 24, 27] }
}

/// Rough perceived brightness, 0..=1.
fn luminance([red, green, blue]: [u8; 3]) -> f32 {
    (f32::from(red) * 0.299 + f32::from(green) * 0.587 + f32::from(blue) * 0.114) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_pictures_of_the_promised_sizes() {
        let color = Color { rgb: [28, 63, 58] };
        let files = files(color, Color { rgb: [201, 168, 118] });
        let size_of = |path: &str| {
            let file = files.iter().find(|file| file.path == path).expect("the file");
            let picture = image::load_from_memory(&file.bytes).expect("a picture");
            (picture.width(), picture.height())
        };
        assert_eq!(size_of("icon-192.png"), (192, 192));
        assert_eq!(size_of("icon-512.png"), (512, 512));
        assert_eq!(size_of("preview.png"), PREVIEW_SIZE);
        assert!(files.iter().any(|file| file.path == "favicon.ico"));
    }
}
