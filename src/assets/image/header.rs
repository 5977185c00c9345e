//! What a file is, before any of it is decoded: its format, its size, and what decoding it would take.
//!
//! Takes the whole file; makes a [`Header`] or says why the file cannot be shown. This is where bombs are refused: a
//! small file may claim to be as large as it likes, and nothing is allocated by what it claims.

use super::guard::guarded;
use super::jpeg::{self, Coding};
use super::svg::{self, Svg};
use super::{ImageProblem, Size};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageReader, Limits};
use std::io::Cursor;

/// Largest width and height in pixels.
const LARGEST_SIDE: u32 = 30_000;
/// Most pixels: larger than any camera's picture.
const MOST_PIXELS: u64 = 120_000_000;
/// Most bytes that the pixels of one picture may take while it is decoded.
const MOST_BYTES: u64 = 512 << 20;
/// Bytes besides the pixels: the largest variant and what encoders keep of it.
const WORKSPACE: u64 = 24 << 20;
/// Bytes of a few layers of a drawing.
const SVG_LAYERS: u64 = 32 << 20;

/// Formats that can be read, with what else is known of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Jpeg(jpeg::Scan),
    Svg(Svg),
    /// One that `image` decodes.
    Other(image::ImageFormat),
}

/// What a file is.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// By its contents.
    pub(super) kind: Kind,
    /// As it is shown: a photo that its metadata turns by 90 degrees has its sides exchanged.
    pub shown: Size,
    /// Bytes of memory that making it ready takes, in all; an estimate that is not exceeded by much.
    pub memory: u64,
    pub(super) orientation: Orientation,
}

impl Header {
    /// Looks at a file.
    ///
    /// # Errors
    /// When it is no picture, one that cannot be decoded, or one that is too large.
    pub fn read(bytes: &[u8]) -> Result<Self, ImageProblem> {
        if bytes.is_empty() {
            return Err(ImageProblem::new("media_not_an_image", "is empty, a file of zero bytes; upload it again"));
        }
        let read = guarded(|| match svg::is_svg(bytes) {
            true => of_svg(bytes),
            false => match format_of(bytes)? {
                image::ImageFormat::Jpeg => of_jpeg(bytes),
                format => of_other(bytes, format),
            },
        });
        read.unwrap_or_else(|| Err(ImageProblem::damaged(&"its contents make no sense")))
    }

    /// The end of a file's name in its format.
    pub fn extension(&self) -> &'static str {
        match &self.kind {
            Kind::Jpeg(_) => "jpg",
            Kind::Svg(_) => "svg",
            Kind::Other(image::ImageFormat::Tiff) => "tif",
            Kind::Other(format) => format.extensions_str().first().copied().unwrap_or("picture"),
        }
    }
}

fn format_of(bytes: &[u8]) -> Result<image::ImageFormat, ImageProblem> {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let brand = bytes.get(4..12).filter(|box_type| box_type.starts_with(b"ftyp")).map(|box_type| &box_type[4..]);
    match brand {
        Some(b"avif" | b"avis") => return Err(ImageProblem::unsupported("is an AVIF picture, which is not read")),
        Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1") => {
            return Err(ImageProblem::unsupported("is a HEIC picture, as phones take them, which is not read"));
        }
        _ => {}
    }
    match image::guess_format(bytes) {
        Ok(format @ (Jpeg | Png | WebP | Gif | Bmp | Tiff)) => Ok(format),
        Ok(other) => Err(ImageProblem::unsupported(&format!("is a {other:?} file"))),
        Err(_) if bytes.starts_with(b"8BPS") => Err(ImageProblem::unsupported("is a Photoshop document")),
        Err(_) if bytes.starts_with(b"%PDF") => Err(ImageProblem::unsupported("is a PDF document")),
        Err(_) if bytes.starts_with(&[0xff, 0x0a]) || bytes.starts_with(b"\0\0\0\x0cJXL ") => {
            Err(ImageProblem::unsupported("is a JPEG XL picture, which is not read"))
        }
        Err(_) => Err(ImageProblem::damaged(&"nothing in it says which format it is in")),
    }
}

fn of_jpeg(bytes: &[u8]) -> Result<Header, ImageProblem> {
    let scan = jpeg::scan(bytes).ok_or_else(|| ImageProblem::damaged(&"a JPEG file without a picture in it"))?;
    match scan.coding {
        Coding::Arithmetic => {
            return Err(ImageProblem::unsupported("is a JPEG with arithmetic coding, which no browser shows"));
        }
        Coding::Lossless => return Err(ImageProblem::unsupported("is a lossless JPEG, which no browser shows")),
        Coding::Sequential | Coding::Progressive => {}
    }
    if scan.coding == Coding::Sequential && scan.is_split {
        // The decoder takes one colour for the other then, and says nothing.
        return Err(ImageProblem::unsupported(
            "is a JPEG of a rare kind, with each colour by itself, which is not read",
        ));
    }
    if scan.precision != 8 {
        let what = format!("is a JPEG with {} bits a colour, which no browser shows", scan.precision);
        return Err(ImageProblem::unsupported(&what));
    }
    let channels = if scan.components == 4 { 4 } else { 3 };
    let pixels = checked(scan.width, scan.height, channels)?;
    // A progressive file's coefficients are all kept until the last scan: two bytes each.
    let coefficients = if scan.coding == Coding::Progressive { scan.samples * 2 } else { 0 };
    let orientation = scan.orientation;
    Ok(Header {
        shown: shown(scan.width, scan.height, orientation),
        memory: pixels + coefficients + bytes.len() as u64 + WORKSPACE,
        orientation,
        kind: Kind::Jpeg(scan),
    })
}

fn of_svg(bytes: &[u8]) -> Result<Header, ImageProblem> {
    let svg = Svg::clean(bytes)?;
    let memory = SVG_LAYERS + bytes.len() as u64 * 4 + WORKSPACE;
    Ok(Header { shown: svg.size(), memory, orientation: Orientation::NoTransforms, kind: Kind::Svg(svg) })
}

fn of_other(bytes: &[u8], format: image::ImageFormat) -> Result<Header, ImageProblem> {
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format);
    decoder.limits(limits());
    let mut decoder = decoder.into_decoder().map_err(|error| problem_of(&error))?;
    let (width, height) = decoder.dimensions();
    let color = decoder.color_type();
    let own = u64::from(color.bytes_per_pixel());
    let is_plain = matches!(color, ColorType::Rgb8 | ColorType::Rgba8);
    let animated = if matches!(format, image::ImageFormat::Gif | image::ImageFormat::Png | image::ImageFormat::WebP) {
        4
    } else {
        0
    };
    let converted = if is_plain { 0 } else { 4 };
    let pixels = checked(width, height, own + converted + animated)?;
    // Damaged orientation metadata does not make a photo unusable.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok(Header {
        kind: Kind::Other(format),
        shown: shown(width, height, orientation),
        memory: pixels + bytes.len() as u64 + WORKSPACE,
        orientation,
    })
}

/// What decoders may allocate.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    limits
}

/// What a decoder says, for people.
pub(super) fn problem_of(error: &image::ImageError) -> ImageProblem {
    match error {
        image::ImageError::Limits(_) => too_large("is larger than any camera's picture".into()),
        image::ImageError::Unsupported(error) => {
            ImageProblem::unsupported(&format!("is of a kind that is not read: {error}"))
        }
        image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => cut_off(),
        // Some decoders tell of an early end in words only.
        other if other.to_string().to_ascii_lowercase().contains("unexpected end") => cut_off(),
        other => ImageProblem::damaged(other),
    }
}

/// A file that ends too early.
pub(super) fn cut_off() -> ImageProblem {
    ImageProblem::new("media_truncated", "is cut off: the file ends in the middle of the picture; upload it again")
}

fn too_large(what: String) -> ImageProblem {
    ImageProblem::new("media_too_large", format!("{what}; make it smaller, some 2000 pixels serve every screen"))
}

/// Bytes of the pixels, when neither they nor the sides are too many.
fn checked(width: u32, height: u32, bytes_a_pixel: u64) -> Result<u64, ImageProblem> {
    if width == 0 || height == 0 {
        return Err(ImageProblem::damaged(&"it has no width or height"));
    }
    let pixels = u64::from(width) * u64::from(height);
    let bytes = pixels * bytes_a_pixel;
    if width > LARGEST_SIDE || height > LARGEST_SIDE || pixels > MOST_PIXELS || bytes > MOST_BYTES {
        return Err(too_large(format!("claims to be {width} by {height} pixels, which is too large")));
    }
    Ok(bytes)
}

fn shown(width: u32, height: u32, orientation: Orientation) -> Size {
    if is_turned(orientation) { Size { width: height, height: width } } else { Size { width, height } }
}

/// Whether an orientation exchanges width and height.
pub(super) fn is_turned(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}
