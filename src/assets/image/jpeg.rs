//! JPEG: what its markers say, and its pixels.
//!
//! Decoders are lenient: a file that was cut off in an upload comes out with a grey lower half, and nobody is told. So
//! the markers are read here first, which also tells apart the kinds that no browser shows.

use super::ImageProblem;
use super::decode::{Decoded, Layout, Samples};
use super::guard;
use super::header::cut_off;
use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// How the coefficients are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Sequential,
    Progressive,
    Arithmetic,
    Lossless,
}

/// What the markers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) width: u32,
    pub(super) height: u32,
    /// 1 is grey, 3 is colour, 4 is ink.
    pub(super) components: u8,
    /// Bits of a sample.
    pub(super) precision: u8,
    pub(super) coding: Coding,
    /// Samples of all components together, in whole blocks.
    pub(super) samples: u64,
    /// Blocks of the finest component.
    blocks: u64,
    /// Adobe's colour transform, when its marker is there; then inks are inverted.
    pub(super) adobe: Option<u8>,
    pub(super) orientation: Orientation,
    /// Colours that are coarser than brightness, and yet written down each by itself.
    pub(super) is_split: bool,
    /// The end of the picture is in the file.
    pub(super) has_end: bool,
}

/// Walks through the markers up to the end of the first picture; nothing where there is none.
pub(super) fn scan(bytes: &[u8]) -> Option<Scan> {
    let mut found: Option<Scan> = None;
    let mut adobe = None;
    let mut orientation = None;
    let mut at = 2;
    while let Some(next) = next_marker(bytes, at) {
        let marker = bytes[next];
        at = next + 1;
        match marker {
            0xd8 => continue,
            0xd9 => {
                found = found.map(|scan| Scan { has_end: true, ..scan });
                break;
            }
            _ => {}
        }
        let Some(length) = bytes.get(at..at + 2).map(|pair| usize::from(u16::from_be_bytes([pair[0], pair[1]]))) else {
            break;
        };
        let Some(body) = bytes.get(at + 2..at + length.max(2)) else { break };
        at += length.max(2);
        match marker {
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => found = found.or_else(|| frame(marker, body)),
            0xe1 if body.starts_with(b"Exif\0\0") => {
                orientation = orientation.or_else(|| Orientation::from_exif_chunk(&body[6..]));
            }
            0xda => {
                if let Some(scan) = &mut found {
                    scan.is_split |= body.first().is_some_and(|count| *count < scan.components)
                        && scan.samples != u64::from(scan.components) * 64 * scan.blocks;
                }
            }
            0xee if body.starts_with(b"Adobe") => adobe = body.get(11).copied(),
            _ => {}
        }
    }
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    found.map(|scan| Scan { adobe, orientation, ..scan })
}

/// Where the next marker's number stands: behind any `ff`, but not a stuffed zero or a restart within entropy-coded data.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr(0xff, bytes.get(at..)?)? + 1;
        match bytes.get(at)? {
            0x00 | 0x01 | 0xd0..=0xd7 => at += 1,
            0xff => {}
            _ => return Some(at),
        }
    }
}

fn frame(marker: u8, body: &[u8]) -> Option<Scan> {
    let &[precision, h1, h0, w1, w0, components, ..] = body else { return None };
    let (width, height) = (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
    let factors: Vec<(u64, u64)> = body[6..]
        .chunks_exact(3)
        .take(usize::from(components))
        .map(|component| (u64::from(component[1] >> 4), u64::from(component[1] & 15)))
        .collect();
    let most = |of: fn(&(u64, u64)) -> u64| factors.iter().map(of).max().unwrap_or(1).max(1);
    let (most_h, most_v) = (most(|factor| factor.0), most(|factor| factor.1));
    let blocks = u64::from(width).div_ceil(8 * most_h) * u64::from(height).div_ceil(8 * most_v);
    let samples = factors.iter().map(|(h, v)| blocks * h * v * 64).sum();
    let blocks = blocks * most_h * most_v;
    let coding = match marker {
        0xc0 | 0xc1 => Coding::Sequential,
        0xc2 => Coding::Progressive,
        0xc9..=0xcb | 0xcd..=0xcf => Coding::Arithmetic,
        _ => Coding::Lossless,
    };
    let orientation = Orientation::NoTransforms;
    Some(Scan {
        width,
        height,
        components,
        precision,
        coding,
        samples,
        blocks,
        adobe: None,
        orientation,
        is_split: false,
        has_end: false,
    })
}

/// Decodes a file that at least `needed` of its width and height are wanted of, so that one that is much larger may come
/// out smaller. Inks stay inks, as amounts from 0 to 255, for only a profile knows what they look like.
pub(super) fn decode(bytes: Vec<u8>, scan: &Scan, needed: f64) -> Result<Decoded, ImageProblem> {
    // A progressive file's coefficients would be held twice, which costs more memory than its pixels do.
    if needed <= 0.5 && scan.coding == Coding::Sequential && scan.has_end && matches!(scan.components, 1 | 3) {
        // What only the lenient decoder reads is left to it.
        if let Some(decoded) = guard::guarded(|| reduced(&bytes, scan, needed)).flatten() {
            return Ok(decoded);
        }
    }
    whole(bytes, scan)
}

/// A half, a quarter or an eighth of the width and height, from the first coefficients of each block: it takes as little
/// memory as it has pixels.
fn reduced(bytes: &[u8], scan: &Scan, needed: f64) -> Option<Decoded> {
    // The sides are at most 65,535, and saturate.
    let side = |length: u32| (f64::from(length) * needed).ceil() as u16;
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    // It looks for one side that is long enough, and both have to be.
    let (width, height) = decoder.scale(side(scan.width), u16::MAX).ok()?;
    if height < side(scan.height) {
        return None;
    }
    let pixels = decoder.decode().ok()?;
    let is_gray = scan.components == 1;
    let pixels = match decoder.info()?.pixel_format {
        jpeg_decoder::PixelFormat::RGB24 => pixels,
        jpeg_decoder::PixelFormat::L8 => pixels.iter().flat_map(|&gray| [gray; 3]).collect(),
        _ => return None,
    };
    let profile = decoder.icc_profile();
    Some(Decoded {
        width: u32::from(width),
        height: u32::from(height),
        pixels: Samples::Allocated(pixels),
        layout: Layout::Rgb,
        profile,
        is_gray,
    })
}

fn whole(bytes: Vec<u8>, scan: &Scan) -> Result<Decoded, ImageProblem> {
    let is_ycck = scan.components == 4 && scan.adobe == Some(2);
    let (space, layout) = match scan.components {
        4 if is_ycck => (ColorSpace::YCCK, Layout::Cmyk),
        4 => (ColorSpace::CMYK, Layout::Cmyk),
        _ => (ColorSpace::RGB, Layout::Rgb),
    };
    // Where the end is missing, what is there has to be whole, so nothing is forgiven.
    let options = DecoderOptions::new_fast()
        .jpeg_set_out_colorspace(space)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .set_strict_mode(!scan.has_end);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&bytes), options);
    let problem = |error: &dyn std::fmt::Display| {
        if scan.has_end { ImageProblem::damaged(error) } else { cut_off() }
    };
    decoder.decode_headers().map_err(|error| problem(&error))?;
    let length = scan.width as usize * scan.height as usize * layout.channels();
    if decoder.output_buffer_size() != Some(length) {
        return Err(problem(&"its size is not what it says"));
    }
    let mut pixels = Samples::mapped(length)?;
    decoder.decode_into(&mut pixels).map_err(|error| problem(&error))?;
    if is_ycck {
        for pixel in pixels.chunks_exact_mut(4) {
            let inks = ink_of([pixel[0], pixel[1], pixel[2]]);
            pixel[..3].copy_from_slice(&inks);
            pixel[3] = 255 - pixel[3];
        }
    } else if layout == Layout::Cmyk && scan.adobe.is_some() {
        pixels.iter_mut().for_each(|ink| *ink = 255 - *ink);
    }
    let profile = decoder.icc_profile();
    Ok(Decoded { width: scan.width, height: scan.height, pixels, layout, profile, is_gray: scan.components == 1 })
}

/// Cyan, magenta and yellow of luma and chroma, by the equations of JFIF; Adobe's inversion cancels out.
fn ink_of([y, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, blue, red) = (f32::from(y), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let channels = [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue];
    // Floats become bytes by saturation.
    channels.map(|channel| channel.round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(width: u16, height: u16) -> Vec<u8> {
        let pixels: Vec<u8> =
            (0..usize::from(width) * usize::from(height) * 3).map(|at| (at * 7 % 251) as u8).collect();
        let mut bytes = Vec::new();
        jpeg_encoder::Encoder::new(&mut bytes, 80)
            .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
            .expect("it encodes");
        bytes
    }

    #[test]
    fn markers_tell_the_size_and_the_end() {
        let bytes = photo(40, 24);
        let whole = scan(&bytes).expect("a picture");
        assert_eq!((whole.width, whole.height, whole.components, whole.precision), (40, 24, 3, 8));
        assert_eq!((whole.coding, whole.has_end), (Coding::Sequential, true));
        assert!(!scan(&bytes[..bytes.len() - 2]).expect("a picture").has_end);
        assert_eq!(scan(b"\xff\xd8\xff\xd9"), None);
    }

    #[test]
    fn colours_each_by_itself_are_seen() {
        let pixels = [90; 48 * 48 * 3];
        let split = |sampling, own_codes| {
            let mut bytes = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
            encoder.set_sampling_factor(sampling);
            encoder.set_optimized_huffman_tables(own_codes);
            encoder.encode(&pixels, 48, 48, jpeg_encoder::ColorType::Rgb).expect("it encodes");
            scan(&bytes).expect("a picture").is_split
        };
        use jpeg_encoder::SamplingFactor::{F_1_1, F_2_2};
        assert!(split(F_2_2, true), "coarse colours, a scan for each");
        assert!(!split(F_2_2, false) && !split(F_1_1, true));
    }

    #[test]
    fn what_is_wanted_small_is_decoded_small() {
        let (width, height) = (403_u16, 301_u16);
        let ramp = (0..height).flat_map(|y| (0..width).flat_map(move |x| [(x / 2) as u8, (y / 2) as u8, 90]));
        let mut bytes = Vec::new();
        jpeg_encoder::Encoder::new(&mut bytes, 95)
            .encode(&ramp.collect::<Vec<_>>(), width, height, jpeg_encoder::ColorType::Rgb)
            .expect("it encodes");
        let scan = scan(&bytes).expect("a picture");
        for (needed, size) in
            [(1.0, (403, 301)), (0.51, (403, 301)), (0.5, (202, 151)), (0.26, (202, 151)), (0.1, (51, 38))]
        {
            let decoded = decode(bytes.clone(), &scan, needed).expect("it decodes");
            assert_eq!((decoded.width, decoded.height), size, "{needed}");
            let share = f64::from(decoded.width) / 403.0;
            for (x, y) in [(0.25, 0.25), (0.75, 0.5), (0.5, 0.75)] {
                let place = |part: f64, length: u32| (part * f64::from(length)) as usize;
                let (left, top) = (place(x, decoded.width), place(y, decoded.height));
                let at = (top * decoded.width as usize + left) * 3;
                let expected = [left as f64 / share / 2.0, top as f64 / share / 2.0, 90.0];
                let near = |(got, wanted): (&u8, f64)| (f64::from(*got) - wanted).abs() < 5.0;
                assert!(decoded.pixels[at..at + 3].iter().zip(expected).all(near), "{needed}: {x}, {y}");
            }
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_cut_off_or_whole() {
        let bytes = photo(64, 64);
        let whole = decode(bytes.clone(), &scan(&bytes).expect("a picture"), 1.0).expect("it decodes").pixels;
        for end in (2..bytes.len()).step_by(7) {
            let part = bytes[..end].to_vec();
            let Some(scan) = scan(&part) else { continue };
            match decode(part, &scan, 1.0) {
                Ok(decoded) => assert!(bytes.len() - end < 120 && decoded.pixels.len() == whole.len(), "{end}"),
                Err(problem) => assert_eq!(problem.reason, "media_truncated", "{end}"),
            }
        }
    }
}
