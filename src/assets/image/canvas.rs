//! From decoded pixels to opaque sRGB pictures of the sizes that a store wants.
//!
//! The large original is read once, by the resize to the largest size; turning it upright, its colours and its ground
//! come after that, on far fewer pixels, and the smaller sizes are made from the larger ones.

use super::decode::{Decoded, Layout, Oriented};
use super::header::is_turned;
use super::{ImageProblem, Size, color};
use crate::config::{Color, ImageFit, ImageSettings};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage, RgbaImage};

/// Width to height of pictures that are brought into one proportion.
const PROPORTION: f64 = 4.0 / 3.0;
/// Largest height of a variant in pixels: WebP ends at 16,383.
const LARGEST_HEIGHT: f64 = 16_000.0;
/// How much wider than the widest of the store's widths an original has to be to get a variant of its own width.
const WORTH_IT: f64 = 1.15;

/// Opaque sRGB pixels.
#[derive(Debug)]
pub(super) struct Canvas {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Red, green, blue.
    pub(super) pixels: Vec<u8>,
}

/// What is kept of an original, and what that is shown on, both upright and in its pixels.
#[derive(Clone, Copy)]
struct Extent {
    kept: (f64, f64),
    ground: (f64, f64),
}

impl Extent {
    fn of((width, height): (f64, f64), fit: ImageFit) -> Self {
        let (kept, ground) = match fit {
            ImageFit::Inside => ((width, height), (width, height)),
            ImageFit::Cover => {
                let kept = (width.min(height * PROPORTION), height.min(width / PROPORTION));
                (kept, kept)
            }
            ImageFit::Contain => ((width, height), (width.max(height * PROPORTION), height.max(width / PROPORTION))),
        };
        Self { kept, ground }
    }

    /// The largest size it is made in, as a share of the original's; at most 1.
    fn scale(self, settings: &ImageSettings) -> f64 {
        let wanted = settings.widths.last().map_or(self.ground.0, |&widest| f64::from(widest));
        (wanted / self.ground.0).min(LARGEST_HEIGHT / self.ground.1).min(1.0)
    }
}

/// The share of an original's width and height that is needed of it.
pub(super) fn scale(shown: Size, settings: &ImageSettings) -> f64 {
    Extent::of((f64::from(shown.width), f64::from(shown.height)), settings.fit).scale(settings)
}

/// Brings a picture to its largest size, upright, in sRGB and over its ground.
pub(super) fn largest(oriented: Oriented, settings: &ImageSettings) -> Result<Canvas, ImageProblem> {
    let Oriented { decoded, orientation } = oriented;
    let turned = is_turned(orientation);
    let exchange = |(width, height): (f64, f64)| if turned { (height, width) } else { (width, height) };
    let stored = (f64::from(decoded.width), f64::from(decoded.height));
    let (width, height) = exchange(stored);
    let extent = Extent::of((width, height), settings.fit);
    let scale = extent.scale(settings);
    let Extent { kept, ground } = extent;
    let sized = |(width, height): (f64, f64)| Size {
        width: ((width * scale).round() as u32).max(1),
        height: ((height * scale).round() as u32).max(1),
    };
    let (inner, outer) = (sized(exchange(kept)), sized(ground));
    let crop = exchange(kept);
    let is_whole = crop == stored;
    let Decoded { width, height, pixels: samples, layout, profile, is_gray } = decoded;
    let pixels = if is_whole && (inner.width, inner.height) == (width, height) {
        samples.into_vec()
    } else {
        let left_top = ((stored.0 - crop.0) / 2.0, (stored.1 - crop.1) / 2.0);
        let options = ResizeOptions::new().crop(left_top.0, left_top.1, crop.0, crop.1);
        let options = options.use_alpha(layout == Layout::Rgba);
        let pixels = resized(&samples, Size { width, height }, layout, inner, &options)?;
        drop(samples);
        pixels
    };
    let no_pixels = || ImageProblem::damaged(&"its pixels are not all there");
    let mut upright = match layout {
        Layout::Rgb => RgbImage::from_raw(inner.width, inner.height, pixels).map(DynamicImage::ImageRgb8),
        Layout::Rgba | Layout::Cmyk => {
            RgbaImage::from_raw(inner.width, inner.height, pixels).map(DynamicImage::ImageRgba8)
        }
    }
    .ok_or_else(no_pixels)?;
    upright.apply_orientation(orientation);
    let (width, height) = (upright.width(), upright.height());
    let mut pixels = upright.into_bytes();
    if layout == Layout::Cmyk {
        pixels = color::of_inks(&pixels, profile.as_deref());
    } else if let Some(profile) = profile {
        color::to_srgb(&mut pixels, layout, &profile, is_gray);
    }
    if layout == Layout::Rgba {
        pixels = over(&pixels, settings.background);
    }
    let picture = Canvas { width, height, pixels };
    Ok(if settings.fit == ImageFit::Contain { with_margins(picture, outer, settings.background) } else { picture })
}

/// The sizes that a picture is made in, the smallest first: the store's widths as far as it is wide enough, and its own
/// width where that adds anything.
pub(super) fn sizes(largest: &Canvas, settings: &ImageSettings) -> Vec<Size> {
    let mut widths: Vec<u32> = settings.widths.iter().copied().filter(|&width| width <= largest.width).collect();
    if widths.last().is_none_or(|&widest| f64::from(largest.width) > f64::from(widest) * WORTH_IT) {
        widths.push(largest.width);
    }
    let height = |width: u32| {
        let exact = f64::from(width) * f64::from(largest.height) / f64::from(largest.width);
        if width == largest.width { largest.height } else { (exact.round() as u32).max(1) }
    };
    widths.into_iter().map(|width| Size { width, height: height(width) }).collect()
}

/// A smaller copy.
pub(super) fn scaled(canvas: &Canvas, size: Size) -> Result<Canvas, ImageProblem> {
    let from = Size { width: canvas.width, height: canvas.height };
    let pixels = resized(&canvas.pixels, from, Layout::Rgb, size, &ResizeOptions::new())?;
    Ok(Canvas { width: size.width, height: size.height, pixels })
}

fn resized(
    pixels: &[u8],
    from: Size,
    layout: Layout,
    to: Size,
    options: &ResizeOptions,
) -> Result<Vec<u8>, ImageProblem> {
    let kind = if layout == Layout::Rgb { PixelType::U8x3 } else { PixelType::U8x4 };
    let source = ImageRef::new(from.width, from.height, pixels, kind).map_err(|error| ImageProblem::damaged(&error))?;
    let mut target = Image::new(to.width, to.height, kind);
    Resizer::new().resize(&source, &mut target, options).map_err(|error| ImageProblem::damaged(&error))?;
    Ok(target.into_vec())
}

/// Pixels with opacity over a colour.
fn over(pixels: &[u8], ground: Color) -> Vec<u8> {
    let mut opaque = Vec::with_capacity(pixels.len() / 4 * 3);
    for pixel in pixels.chunks_exact(4) {
        let opacity = u32::from(pixel[3]);
        let mixed = |channel: usize| {
            let sum = u32::from(pixel[channel]) * opacity + u32::from(ground.rgb[channel]) * (255 - opacity);
            // A weighted mean of bytes is a byte.
            ((sum + 127) / 255) as u8
        };
        opaque.extend_from_slice(&[mixed(0), mixed(1), mixed(2)]);
    }
    opaque
}

/// A picture in the middle of a ground of its colour.
fn with_margins(picture: Canvas, outer: Size, ground: Color) -> Canvas {
    let (width, height) = (outer.width.max(picture.width), outer.height.max(picture.height));
    if (width, height) == (picture.width, picture.height) {
        return picture;
    }
    let mut pixels = ground.rgb.repeat(width as usize * height as usize);
    let (left, top) = ((width - picture.width) as usize / 2, (height - picture.height) as usize / 2);
    let (row, whole) = (picture.width as usize * 3, width as usize * 3);
    for (line, target) in picture.pixels.chunks_exact(row).zip(pixels.chunks_exact_mut(whole).skip(top)) {
        target[left * 3..left * 3 + row].copy_from_slice(line);
    }
    Canvas { width, height, pixels }
}
