//! What stands in the place of a picture while it loads: its most frequent colour, and a preview of a few pixels.

use super::canvas::{Canvas, scaled};
use super::{ImageProblem, Size, encode};
use crate::config::ImageEffort;

/// Width of the preview in pixels.
const WIDTH: u32 = 16;
/// Most of its height, so that a very tall picture has a small preview, too.
const HEIGHT: u32 = 64;
/// Quality of the preview, which is shown many times enlarged.
const QUALITY: f32 = 30.0;

/// Colour and preview.
pub(super) fn of(canvas: &Canvas) -> Result<([u8; 3], Vec<u8>), ImageProblem> {
    let width = WIDTH.min(canvas.width);
    let exact = f64::from(width) * f64::from(canvas.height) / f64::from(canvas.width);
    let small = scaled(canvas, Size { width, height: (exact.round() as u32).clamp(1, HEIGHT) })?;
    let preview = encode::webp(&small, QUALITY, ImageEffort::Best)?;
    Ok((dominant(&small.pixels), preview))
}

/// The mean of the pixels in the fullest of 64 boxes of the colour cube; of boxes equally full, the darkest.
fn dominant(pixels: &[u8]) -> [u8; 3] {
    let mut boxes = [[0_u32; 4]; 64];
    for pixel in pixels.chunks_exact(3) {
        let place = usize::from(pixel[0] >> 6) << 4 | usize::from(pixel[1] >> 6) << 2 | usize::from(pixel[2] >> 6);
        let sums = &mut boxes[place];
        sums[3] += 1;
        for (sum, channel) in sums.iter_mut().zip(pixel) {
            *sum += u32::from(*channel);
        }
    }
    let mut fullest = boxes[0];
    for one in &boxes[1..] {
        if one[3] > fullest[3] {
            fullest = *one;
        }
    }
    let count = fullest[3].max(1);
    // Means of bytes are bytes.
    [fullest[0], fullest[1], fullest[2]].map(|sum| (sum / count) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_colour_is_found() {
        let mut pixels = [250, 251, 252].repeat(10);
        pixels.extend([10, 20, 200].repeat(4));
        assert_eq!(dominant(&pixels), [250, 251, 252]);
        assert_eq!(dominant(&[]), [0, 0, 0]);
    }
}
