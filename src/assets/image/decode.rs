//! From a file to its pixels, as they stand in it: not yet turned, and in the colours of their profile.

use super::header::{Header, Kind, limits, problem_of};
use super::{ImageProblem, canvas, jpeg};
use crate::config::ImageSettings;
use image::codecs::png::PngDecoder;
use image::{AnimationDecoder as _, DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use memmap2::MmapMut;
use std::io::Cursor;
use std::ops::{Deref, DerefMut};

/// What the bytes of a pixel stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Rgb,
    /// With opacity, not multiplied in.
    Rgba,
    /// Amounts of ink.
    Cmyk,
}

impl Layout {
    /// Bytes of a pixel.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }
}

/// The bytes of all pixels.
#[derive(Debug)]
pub(super) enum Samples {
    Allocated(Vec<u8>),
    /// Memory of the system's, which it gets back with the last use: an allocator keeps what is freed, and a large photo
    /// would count for as long as its small pictures are made.
    Mapped(MmapMut),
}

impl Samples {
    /// As many zeros.
    pub(super) fn mapped(length: usize) -> Result<Self, ImageProblem> {
        let no_memory =
            |error| ImageProblem::new("media_too_large", format!("has more pixels than memory is free: {error}"));
        MmapMut::map_anon(length).map(Self::Mapped).map_err(no_memory)
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Allocated(bytes) => bytes,
            Self::Mapped(bytes) => bytes.to_vec(),
        }
    }
}

impl Deref for Samples {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Allocated(bytes) => bytes,
            Self::Mapped(bytes) => bytes,
        }
    }
}

impl DerefMut for Samples {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Allocated(bytes) => bytes,
            Self::Mapped(bytes) => bytes,
        }
    }
}

/// The pixels of a file.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixels: Samples,
    pub(super) layout: Layout,
    /// ICC profile.
    pub(super) profile: Option<Vec<u8>>,
    /// All channels of colour are the same.
    pub(super) is_gray: bool,
}

/// Pixels with the orientation that they are to be shown in.
pub(super) struct Oriented {
    pub(super) decoded: Decoded,
    pub(super) orientation: image::metadata::Orientation,
}

/// Decodes a file, as large as the settings need it at least; of an animation, its first frame.
pub(super) fn decode(bytes: Vec<u8>, header: &Header, settings: &ImageSettings) -> Result<Oriented, ImageProblem> {
    let decoded = match &header.kind {
        Kind::Jpeg(scan) => jpeg::decode(bytes, scan, canvas::scale(header.shown, settings))?,
        Kind::Svg(svg) => svg.draw(settings.widths.last().copied().unwrap_or(header.shown.width))?,
        Kind::Other(format) => other(bytes, *format)?,
    };
    Ok(Oriented { decoded, orientation: header.orientation })
}

fn other(bytes: Vec<u8>, format: ImageFormat) -> Result<Decoded, ImageProblem> {
    let problem = |error: image::ImageError| problem_of(&error);
    if format == ImageFormat::Png {
        let decoder = PngDecoder::with_limits(Cursor::new(&bytes), limits()).map_err(problem)?;
        if decoder.is_apng().map_err(problem)? {
            return animated_png(decoder);
        }
    }
    let mut reader = ImageReader::with_format(Cursor::new(&bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(problem)?;
    let profile = decoder.icc_profile().unwrap_or_default();
    let is_gray = !decoder.color_type().has_color();
    let image = DynamicImage::from_decoder(decoder).map_err(problem)?;
    Ok(of_image(image, profile, is_gray))
}

/// The picture of an animation's file need not be part of the animation, so its first frame is asked for.
fn animated_png(mut decoder: PngDecoder<Cursor<&Vec<u8>>>) -> Result<Decoded, ImageProblem> {
    let problem = |error: image::ImageError| problem_of(&error);
    let profile = decoder.icc_profile().unwrap_or_default();
    let frame = decoder.apng().map_err(problem)?.into_frames().next();
    let frame = frame.ok_or_else(|| ImageProblem::damaged(&"an animation without frames"))?.map_err(problem)?;
    Ok(of_image(DynamicImage::ImageRgba8(frame.into_buffer()), profile, false))
}

fn of_image(image: DynamicImage, profile: Option<Vec<u8>>, is_gray: bool) -> Decoded {
    let (width, height) = (image.width(), image.height());
    let (pixels, layout) = if image.color().has_alpha() {
        (image.into_rgba8().into_raw(), Layout::Rgba)
    } else {
        (image.into_rgb8().into_raw(), Layout::Rgb)
    };
    Decoded { width, height, pixels: Samples::Allocated(pixels), layout, profile, is_gray }
}
