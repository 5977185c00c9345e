//! From the colours of a profile to sRGB, which is what browsers take pictures without a profile for.
//!
//! A profile is only used for pixels of its own kind: the ink profile of a file whose pixels have become red, green and
//! blue would turn them into something else. One that is damaged is left aside, as browsers do.

use super::decode::Layout;
use moxcms::{ColorProfile, DataColorSpace, Layout as Channels, TransformOptions};

/// Largest difference in a channel between a profile and sRGB that is not worth a conversion.
const INVISIBLE: u8 = 1;

/// Converts pixels in place.
pub(super) fn to_srgb(pixels: &mut [u8], layout: Layout, profile: &[u8], is_gray: bool) {
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    let srgb = ColorProfile::new_srgb();
    let channels = layout.channels();
    match profile.color_space {
        DataColorSpace::Rgb => {
            let (from, to) = match layout {
                Layout::Rgb => (Channels::Rgb, Channels::Rgb),
                Layout::Rgba => (Channels::Rgba, Channels::Rgba),
                Layout::Cmyk => return,
            };
            let options = TransformOptions::default();
            let Ok(transform) = profile.create_transform_8bit(from, &srgb, to, options) else { return };
            let probe = probe(channels);
            let mut seen = vec![0; probe.len()];
            let differs = |(a, b): (&u8, &u8)| a.abs_diff(*b) > INVISIBLE;
            if transform.transform(&probe, &mut seen).is_err() || !probe.iter().zip(&seen).any(differs) {
                return;
            }
            let mut converted = vec![0; pixels.len()];
            if transform.transform(pixels, &mut converted).is_ok() {
                pixels.copy_from_slice(&converted);
            }
        }
        DataColorSpace::Gray if is_gray => {
            let options = TransformOptions::default();
            let Ok(transform) = profile.create_transform_8bit(Channels::Gray, &srgb, Channels::Rgb, options) else {
                return;
            };
            // Every value that a grey pixel can have, once.
            let values: Vec<u8> = (0..=255).collect();
            let mut seen = vec![0; 256 * 3];
            if transform.transform(&values, &mut seen).is_ok() {
                for pixel in pixels.chunks_exact_mut(channels) {
                    let value = usize::from(pixel[0]) * 3;
                    pixel[..3].copy_from_slice(&seen[value..value + 3]);
                }
            }
        }
        _ => {}
    }
}

/// Red, green and blue of amounts of ink: by the profile where there is one, or else as screens have always mixed them.
pub(super) fn of_inks(pixels: &[u8], profile: Option<&[u8]>) -> Vec<u8> {
    let mut rgb = vec![0; pixels.len() / 4 * 3];
    let profile = profile.and_then(|profile| ColorProfile::new_from_slice(profile).ok());
    let transform = profile.filter(|profile| profile.color_space == DataColorSpace::Cmyk).and_then(|profile| {
        let (from, to) = (Channels::Rgba, Channels::Rgb);
        profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default()).ok()
    });
    if transform.is_some_and(|transform| transform.transform(pixels, &mut rgb).is_ok()) {
        return rgb;
    }
    for (inks, pixel) in pixels.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
        let light = 255 - u32::from(inks[3]);
        for (channel, ink) in pixel.iter_mut().zip(inks) {
            // A product of two shares of 255 is one again.
            *channel = ((u32::from(255 - ink) * light + 127) / 255) as u8;
        }
    }
    rgb
}

/// Colours from all over the cube, opaque.
fn probe(channels: usize) -> Vec<u8> {
    const STEPS: [u8; 5] = [0, 64, 128, 192, 255];
    let colors =
        STEPS.iter().flat_map(|red| STEPS.iter().flat_map(move |green| STEPS.map(|blue| [*red, *green, blue])));
    colors.flat_map(|[red, green, blue]| [red, green, blue, 255].into_iter().take(channels)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_gamut_is_brought_into_srgb_and_srgb_stays_as_it_is() {
        let encoded = |profile: ColorProfile| profile.encode().expect("a profile");
        let mut pixels = vec![200, 60, 40, 128, 128, 128];
        to_srgb(&mut pixels, Layout::Rgb, &encoded(ColorProfile::new_display_p3()), false);
        assert!(pixels[0] > 210 && pixels[1] < 55, "{pixels:?}");
        assert!(pixels[3..].iter().all(|gray| gray.abs_diff(128) <= 1), "{pixels:?}");
        let before = vec![1, 2, 3, 250, 128, 7];
        let mut pixels = before.clone();
        to_srgb(&mut pixels, Layout::Rgb, &encoded(ColorProfile::new_srgb()), false);
        assert_eq!(pixels, before);
        to_srgb(&mut pixels, Layout::Rgb, b"no profile", false);
        assert_eq!(pixels, before);
    }

    #[test]
    fn inks_without_a_profile_are_mixed() {
        assert_eq!(of_inks(&[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255], None), [255, 255, 255, 0, 255, 255, 0, 0, 0]);
    }
}
