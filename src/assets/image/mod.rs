//! Pixels: one file as a catalogue has it in, a picture in every width and format of the store out.
//!
//! In: bytes, and [`ImageSettings`]. Out: finished files in memory, without any metadata of the original. A file is told
//! by its contents, never by its name; its size is checked against the limits before anything is decoded; what cannot
//! be shown is an [`ImageProblem`], never a panic. Nothing here touches the disk or the network, and the same bytes and
//! settings give the same files.
//!
//! ```text
//! bytes ─► header ─► decode ─► resize, turn, to sRGB, over the ground ─► encode ─► files
//!          limits    (jpeg,     └──────────────── canvas ──────────┘      └─ glance: colour and preview
//!                     others)
//! ```

mod canvas;
mod color;
mod decode;
mod encode;
mod glance;
mod guard;
mod header;
mod jpeg;
mod svg;

pub use header::Header;

use crate::config::{ImageFormat, ImageSettings};
use serde::{Deserialize, Serialize};

/// Names this code in the keys of caches; the number changes whenever the same input would give other files.
pub const MAKER: &str = "picture variants 6";

/// Why a file is no picture that a store can show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ImageProblem {
    /// Short stable key to count by.
    pub reason: &'static str,
    /// What is wrong with the file and how to mend it, to follow its name: `is cut off; ...`.
    pub detail: String,
}

impl ImageProblem {
    fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// One that was kept: reasons are few, and this knows them all.
    pub(super) fn kept(reason: &str, detail: String) -> Self {
        const REASONS: [&str; 6] = [
            "media_not_an_image",
            "media_format_unsupported",
            "media_truncated",
            "media_too_large",
            "media_not_encoded",
            "media_svg",
        ];
        let reason = REASONS.into_iter().find(|known| *known == reason).unwrap_or(REASONS[0]);
        Self { reason, detail }
    }

    fn damaged(error: &dyn std::fmt::Display) -> Self {
        Self::new("media_not_an_image", format!("is damaged or not a picture: {error}"))
    }

    fn unsupported(what: &str) -> Self {
        Self::new("media_format_unsupported", format!("{what}; save it as JPEG, PNG or WebP"))
    }
}

/// Width and height of a finished picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// What pages need to know of a picture besides its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The sizes it is made in, the smallest first; never empty.
    pub sizes: Vec<Size>,
    /// Its most frequent colour, in sRGB.
    pub color: [u8; 3],
    /// A WebP file of about 16 pixels' width, to be shown while the picture loads; empty for an SVG, which is there at once.
    pub preview: Vec<u8>,
    /// The size of the SVG that it is for browsers; then its sizes are for those who cannot draw one.
    pub vector: Option<Size>,
}

/// A picture that is ready for the store.
#[derive(Debug)]
pub struct Made {
    /// What pages need to know.
    pub facts: Facts,
    /// Contents of the files: size by size, and for each size format by format, in the order of the settings. An SVG comes
    /// last.
    pub files: Vec<Vec<u8>>,
}

/// The end of a file's name in a format.
pub fn extension(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Avif => "avif",
        ImageFormat::WebP => "webp",
        ImageFormat::Jpeg => "jpg",
    }
}

/// The media type of a format.
pub fn media_type(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Avif => "image/avif",
        ImageFormat::WebP => "image/webp",
        ImageFormat::Jpeg => "image/jpeg",
    }
}

/// Makes a picture ready: `bytes` is the whole file and `header` what [`Header::read`] said of it. `should_stop` is asked
/// between files; nothing comes out once it says so.
///
/// # Errors
/// When the file turns out to be damaged, or holds what cannot be decoded.
pub fn make(
    bytes: Vec<u8>,
    header: &Header,
    settings: &ImageSettings,
    should_stop: &dyn Fn() -> bool,
) -> Result<Option<Made>, ImageProblem> {
    let make = || match &header.kind {
        header::Kind::Svg(svg) => {
            // The same picture serves every screen, so one in pixels is enough for all others.
            let widths = settings.widths.last().copied().into_iter().collect();
            let one = ImageSettings { widths, ..settings.clone() };
            let made = make_all(bytes, header, &one, should_stop)?;
            Ok(made.map(|mut made| {
                made.files.push(svg.file(settings.background));
                let color = settings.background.rgb;
                made.facts = Facts { color, preview: Vec::new(), vector: Some(svg.size()), ..made.facts };
                made
            }))
        }
        _ => make_all(bytes, header, settings, should_stop),
    };
    guard::guarded(make).unwrap_or_else(|| Err(ImageProblem::damaged(&"its contents make no sense")))
}

/// Opaque sRGB pixels.
#[derive(Debug)]
pub struct Pixels {
    /// Width and height.
    pub size: Size,
    /// Red, green, blue.
    pub rows: Vec<u8>,
}

/// Decodes a file and makes it as large as fits into `room`.
///
/// # Errors
/// When it is none that can be decoded.
pub fn fitted(bytes: Vec<u8>, room: Size, settings: &ImageSettings) -> Result<Pixels, ImageProblem> {
    let header = Header::read(&bytes)?;
    let (width, height) = (f64::from(header.shown.width), f64::from(header.shown.height));
    let scale = (f64::from(room.width) / width).min(f64::from(room.height) / height);
    let side = |length: f64| ((length * scale).round() as u32).max(1);
    let size = Size { width: side(width), height: side(height) };
    let fit = || {
        // As it is, upright and on its ground; the size comes after that.
        let whole =
            ImageSettings { widths: vec![size.width], fit: crate::config::ImageFit::Inside, ..settings.clone() };
        let decoded = decode::decode(bytes, &header, &whole)?;
        canvas::scaled(&canvas::largest(decoded, &whole)?, size)
    };
    let canvas = guard::guarded(fit).unwrap_or_else(|| Err(ImageProblem::damaged(&"its contents make no sense")))?;
    Ok(Pixels { size, rows: canvas.pixels })
}

/// Encodes pixels as JPEG; `quality` is from 1 to 100.
///
/// # Errors
/// When the picture is too large for the format.
pub fn jpeg(pixels: Pixels, quality: u8) -> Result<Vec<u8>, ImageProblem> {
    let Pixels { size: Size { width, height }, rows } = pixels;
    encode::jpeg(&canvas::Canvas { width, height, pixels: rows }, quality, crate::config::ImageEffort::Normal)
}

fn make_all(
    bytes: Vec<u8>,
    header: &Header,
    settings: &ImageSettings,
    should_stop: &dyn Fn() -> bool,
) -> Result<Option<Made>, ImageProblem> {
    let decoded = decode::decode(bytes, header, settings)?;
    if should_stop() {
        return Ok(None);
    }
    let largest = canvas::largest(decoded, settings)?;
    let sizes = canvas::sizes(&largest, settings);
    let mut by_size = Vec::with_capacity(sizes.len());
    let mut small = None;
    // From the largest down, so that its pixels need not be kept.
    let mut last = largest;
    for (at, &size) in sizes.iter().enumerate().rev() {
        if at + 1 < sizes.len() || size.width != last.width {
            last = canvas::scaled(&last, size)?;
        }
        let mut files = Vec::with_capacity(settings.formats.len());
        for &format in &settings.formats {
            if should_stop() {
                return Ok(None);
            }
            files.push(encode::encode(&last, format, settings)?);
        }
        by_size.push(files);
        if at == 0 {
            small = Some(glance::of(&last)?);
        }
    }
    let Some((color, preview)) = small else { return Err(ImageProblem::damaged(&"it has no pixels")) };
    let files = by_size.into_iter().rev().flatten().collect();
    Ok(Some(Made { facts: Facts { sizes, color, preview, vector: None }, files }))
}
