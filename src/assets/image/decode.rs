//! From a file to its pixels, as they stand in it: not yet turned, and in the colours of their profile.

use super::header::{Header, Kind, limits, problem_of};
use super::{ImageProblem, jpeg};
use image::codecs::png::PngDecoder;
use image::{AnimationDecoder as _, DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use std::io::Cursor;

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

/// The pixels of a file.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixels: Vec<u8>,
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

/// Decodes a file; of an animation, its first frame. A drawing comes out `wanted` pixels wide.
pub(super) fn decode(bytes: Vec<u8>, header: &Header, wanted: u32) -> Result<Oriented, ImageProblem> {
    let decoded = match &header.kind {
        Kind::Jpeg(scan) => jpeg::decode(bytes, scan)?,
        Kind::Svg(svg) => svg.draw(wanted)?,
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
    Decoded { width, height, pixels, layout, profile, is_gray }
}
