//! The store's logo: a file of its owner's, shown as it is by an image element and drawn on icons.
//!
//! Takes an SVG or PNG; makes the file that pages point at, and pixels for icons. Its markup is never put into a page,
//! and nothing that it points at is ever opened.

use super::theme_files::{ThemeFile, hashed_name};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree};
use std::path::Path;

/// Largest logo in bytes: every page asks for it.
const LARGEST: u64 = 512 << 10;
/// Share of an icon's side that the logo takes, so that a round mask cuts nothing off.
const SHARE_OF_ICON: f32 = 0.72;

/// A logo that has been read and understood.
pub struct Logo {
    bytes: Vec<u8>,
    picture: Picture,
}

enum Picture {
    Vector(Box<Tree>),
    Pixels(DynamicImage),
}

impl Logo {
    /// Reads a logo.
    ///
    /// # Errors
    /// When the file cannot be read, is too large for a logo, or is not what its name says.
    pub fn read(path: &Path) -> Result<Self> {
        Self::load(path).with_context(|| format!("the logo `{}`", path.display()))
    }

    fn load(path: &Path) -> Result<Self> {
        let size = path.metadata()?.len();
        ensure!(size <= LARGEST, "has {} KiB; at most {} are taken", size >> 10, LARGEST >> 10);
        let bytes = std::fs::read(path)?;
        let is_svg = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
        let picture = if is_svg {
            let resolver = ImageHrefResolver { resolve_string: Box::new(|_, _| None), ..ImageHrefResolver::default() };
            let options = Options { image_href_resolver: resolver, ..Options::default() };
            Picture::Vector(Box::new(Tree::from_data(&bytes, &options).context("is no readable SVG")?))
        } else {
            let pixels = image::load_from_memory_with_format(&bytes, ImageFormat::Png);
            Picture::Pixels(pixels.context("is no readable PNG")?)
        };
        Ok(Self { bytes, picture })
    }

    /// The file as it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file that pages point at.
    pub fn file(&self) -> ThemeFile {
        let path = format!("assets/{}", hashed_name(&format!("logo.{}", self.ending()), &self.bytes));
        ThemeFile { path, bytes: self.bytes.clone() }
    }

    /// Width and height in pixels, at least 1.
    pub fn size(&self) -> (u32, u32) {
        match &self.picture {
            Picture::Vector(tree) => {
                let size = tree.size().to_int_size();
                (size.width(), size.height())
            }
            Picture::Pixels(pixels) => (pixels.width(), pixels.height()),
        }
    }

    /// The logo as an SVG icon on white.
    pub fn icon(&self) -> String {
        let kind = if self.ending() == "svg" { "svg+xml" } else { "png" };
        let data = BASE64_STANDARD.encode(&self.bytes);
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#fff"/><image x="6" y="6" width="52" height="52" href="data:image/{kind};base64,{data}"/></svg>"##
        )
    }

    /// The logo in the middle of a white square, as rows of red, green, blue.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn on_square(&self, side: u32) -> Result<Vec<u8>> {
        let (width, height) = self.size();
        let scale = side as f32 * SHARE_OF_ICON / width.max(height) as f32;
        let fitted = |length: u32| ((length as f32 * scale).round() as u32).clamp(1, side);
        let (wide, high) = (fitted(width), fitted(height));
        let (left, top) = ((side - wide) / 2, (side - high) / 2);
        let mut rows = vec![255; side as usize * side as usize * 3];
        let mut put = |x: u32, y: u32, shade: [u8; 3]| {
            let at = ((top + y) as usize * side as usize + (left + x) as usize) * 3;
            rows[at..at + 3].copy_from_slice(&shade);
        };
        match &self.picture {
            Picture::Vector(tree) => {
                let mut pixmap = Pixmap::new(wide, high).context("making room for the logo")?;
                let size = tree.size();
                let fit = Transform::from_scale(wide as f32 / size.width(), high as f32 / size.height());
                resvg::render(tree, fit, &mut pixmap.as_mut());
                for (at, pixel) in (0..).zip(pixmap.pixels()) {
                    // The colours have been multiplied with their opacity, so white fills what is left.
                    let rest = 255 - pixel.alpha();
                    put(at % wide, at / wide, [pixel.red(), pixel.green(), pixel.blue()].map(|shade| shade + rest));
                }
            }
            Picture::Pixels(pixels) => {
                let small = pixels.resize_exact(wide, high, FilterType::Lanczos3).to_rgba8();
                for (x, y, pixel) in small.enumerate_pixels() {
                    let [red, green, blue, opacity] = pixel.0.map(u32::from);
                    let on_white = |shade: u32| ((shade * opacity + 255 * (255 - opacity)) / 255) as u8;
                    put(x, y, [red, green, blue].map(on_white));
                }
            }
        }
        Ok(rows)
    }

    fn ending(&self) -> &'static str {
        match self.picture {
            Picture::Vector(_) => "svg",
            Picture::Pixels(_) => "png",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logo(name: &str, bytes: &[u8]) -> Result<Logo> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Logo::read(&path)
    }

    #[test]
    fn a_logo_keeps_its_proportions_on_an_icon() {
        let svg = br##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 50"><rect width="200" height="50" fill="#800"/></svg>"##;
        let vector = logo("logo.svg", svg).unwrap();
        assert_eq!(vector.size(), (200, 50));
        let mut png = std::io::Cursor::new(Vec::new());
        image::RgbaImage::from_pixel(40, 10, image::Rgba([136, 0, 0, 255]))
            .write_to(&mut png, ImageFormat::Png)
            .unwrap();
        let pixels = logo("logo.PNG", png.get_ref()).unwrap();
        for logo in [vector, pixels] {
            let rows = logo.on_square(100).unwrap();
            let pixel = |x: usize, y: usize| &rows[(y * 100 + x) * 3..][..3];
            assert_eq!((pixel(50, 50), pixel(20, 55)), (&[136, 0, 0][..], &[136, 0, 0][..]));
            assert_eq!((pixel(50, 30), pixel(5, 50)), (&[255; 3][..], &[255; 3][..]));
            assert!(logo.icon().contains(";base64,") && logo.file().path.starts_with("assets/logo."));
        }
    }

    #[test]
    fn what_is_no_picture_is_told() {
        for (name, said) in [("logo.svg", "is no readable SVG"), ("logo.png", "is no readable PNG")] {
            let error = format!("{:#}", logo(name, b"<b>").err().unwrap());
            assert!(error.contains("logo.") && error.contains(said), "{error}");
        }
        let error = format!("{:#}", logo("logo.svg", &vec![b' '; 600 << 10]).err().unwrap());
        assert!(error.contains("600 KiB"), "{error}");
    }
}
