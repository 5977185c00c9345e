//! From pixels to a file: JPEG, WebP or AVIF, on one thread and without metadata.

use super::ImageProblem;
use super::canvas::Canvas;
use crate::config::{ImageEffort, ImageFormat, ImageSettings};

/// Quality from which JPEG keeps colours as fine as brightness.
const FINE_COLORS: u8 = 90;

/// Encodes a picture.
pub(super) fn encode(canvas: &Canvas, format: ImageFormat, settings: &ImageSettings) -> Result<Vec<u8>, ImageProblem> {
    match format {
        ImageFormat::Jpeg => jpeg(canvas, settings.jpeg_quality, settings.effort),
        ImageFormat::WebP => webp(canvas, f32::from(settings.webp_quality), settings.effort),
        ImageFormat::Avif => avif(canvas, settings.avif_quality, settings.effort),
    }
}

fn failed(error: &dyn std::fmt::Display) -> ImageProblem {
    ImageProblem::new("media_not_encoded", format!("cannot be made ready: {error}"))
}

/// Encodes JPEG; quality is from 1 to 100.
pub(super) fn jpeg(canvas: &Canvas, quality: u8, effort: ImageEffort) -> Result<Vec<u8>, ImageProblem> {
    use mozjpeg_rs::{Encoder, Preset, Subsampling, TrellisConfig};
    let preset = match effort {
        ImageEffort::Fast => Preset::BaselineFastest,
        ImageEffort::Normal => Preset::BaselineBalanced,
        ImageEffort::Best => Preset::ProgressiveSmallest,
    };
    let encoder = Encoder::new(preset)
        .quality(quality)
        .subsampling(if quality >= FINE_COLORS { Subsampling::S444 } else { Subsampling::S420 })
        // A search for the best steps takes twice the time, and at equal SSIMULACRA2 saves nothing.
        .trellis(TrellisConfig::disabled());
    encoder.encode_rgb(&canvas.pixels, canvas.width, canvas.height).map_err(|error| failed(&error))
}

/// Encodes WebP; quality is from 0 to 100.
pub(super) fn webp(canvas: &Canvas, quality: f32, effort: ImageEffort) -> Result<Vec<u8>, ImageProblem> {
    let mut config = webp::WebPConfig::new().map_err(|()| failed(&"the WebP encoder does not start"))?;
    config.quality = quality;
    config.method = match effort {
        ImageEffort::Fast => 2,
        ImageEffort::Normal => 4,
        ImageEffort::Best => 6,
    };
    let encoder = webp::Encoder::from_rgb(&canvas.pixels, canvas.width, canvas.height);
    let encoded = encoder.encode_advanced(&config).map_err(|error| failed(&format!("{error:?}")))?;
    Ok(encoded.to_vec())
}

fn avif(canvas: &Canvas, quality: u8, effort: ImageEffort) -> Result<Vec<u8>, ImageProblem> {
    use ravif::{Encoder, Img, RGB8};
    let speed = match effort {
        ImageEffort::Fast => 10,
        ImageEffort::Normal => 10,
        ImageEffort::Best => 6,
    };
    let pixels: Vec<RGB8> =
        canvas.pixels.chunks_exact(3).map(|pixel| RGB8::new(pixel[0], pixel[1], pixel[2])).collect();
    let pixels = Img::new(&pixels[..], canvas.width as usize, canvas.height as usize);
    let encoder = Encoder::new().with_quality(f32::from(quality.clamp(1, 100))).with_speed(speed);
    let encoded = encoder.with_num_threads(Some(1)).encode_rgb(pixels).map_err(|error| failed(&error))?;
    Ok(encoded.avif_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::image::{Header, decode};

    #[test]
    fn what_is_encoded_looks_the_same_when_it_is_read() {
        let (width, height) = (160, 96);
        let color = |at: usize| if at % 160 < 80 { [200, 40, 40] } else { [40, 60, 200] };
        let pixels: Vec<u8> = (0..160 * 96).flat_map(color).collect();
        let canvas = Canvas { width, height, pixels };
        for effort in [ImageEffort::Fast, ImageEffort::Normal, ImageEffort::Best] {
            for format in [ImageFormat::Jpeg, ImageFormat::WebP] {
                let settings = ImageSettings { effort, ..ImageSettings::default() };
                let bytes = encode(&canvas, format, &settings).expect("it encodes");
                let header = Header::read(&bytes).expect("a picture");
                assert_eq!((header.shown.width, header.shown.height), (width, height));
                let read = decode::decode(bytes, &header, &settings).expect("it is read").decoded.pixels;
                for (x, expected) in [(40, [200, 40, 40]), (120, [40, 60, 200])] {
                    let at = (48 * 160 + x) * 3;
                    let near = read[at..at + 3].iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 12);
                    assert!(near, "{format:?} {effort:?}: {:?} where {expected:?} was", &read[at..at + 3]);
                }
            }
        }
    }
}
