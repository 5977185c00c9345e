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
mod header;
mod jpeg;

pub use header::Header;

use crate::config::{ImageFormat, ImageSettings};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Names this code in the keys of caches; the number changes whenever the same input would give other files.
pub const MAKER: &str = "picture variants 3";

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
        const REASONS: [&str; 5] = [
            "media_not_an_image",
            "media_format_unsupported",
            "media_truncated",
            "media_too_large",
            "media_not_encoded",
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
    /// A WebP file of about 16 pixels' width, to be shown while the picture loads.
    pub preview: Vec<u8>,
}

/// A picture that is ready for the store.
#[derive(Debug)]
pub struct Made {
    /// What pages need to know.
    pub facts: Facts,
    /// Contents of the files: size by size, and for each size format by format, in the order of the settings.
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
    // Decoders of a dozen formats meet whatever people upload; one that gives up costs its picture only.
    catch_unwind(AssertUnwindSafe(|| make_all(bytes, header, settings, should_stop)))
        .unwrap_or_else(|_| Err(ImageProblem::damaged(&"its contents make no sense")))
}

fn make_all(
    bytes: Vec<u8>,
    header: &Header,
    settings: &ImageSettings,
    should_stop: &dyn Fn() -> bool,
) -> Result<Option<Made>, ImageProblem> {
    let decoded = decode::decode(bytes, header)?;
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
    Ok(Some(Made { facts: Facts { sizes, color, preview }, files }))
}
