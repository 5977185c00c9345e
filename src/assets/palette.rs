//! The colours of a store, made from the two that its owner picked.
//!
//! Hues come from the owner; lightness is moved until every text can be read on every ground it may stand on, in a light
//! and in a dark scheme. Done in OKLCH, in which equal steps look equal, and checked on the rounded hex values that are
//! written (WCAG 2.2, success criteria 1.4.3 and 1.4.11). Conversion matrices: Björn Ottosson, "A perceptual color space
//! for image processing" (2020), <https://bottosson.github.io/posts/oklab/>.

use crate::config::Color;
use serde::Deserialize;

/// Lowest contrast of text.
const TEXT: f64 = 4.5;
/// Lowest contrast of borders of controls and of the focus ring.
const CONTROL: f64 = 3.0;
/// The grounds that text stands on.
const GROUNDS: [&str; 3] = ["bg", "surface", "surface-2"];

/// Which colour is used on which ground, and the lowest contrast between them. The stylesheets keep to these pairs.
pub const PAIRS: [(&str, &[&str], f64); 14] = [
    ("text", &GROUNDS, TEXT),
    ("text-muted", &GROUNDS, TEXT),
    ("accent-text", &GROUNDS, TEXT),
    ("sale", &GROUNDS, TEXT),
    ("ok", &GROUNDS, TEXT),
    ("warn", &GROUNDS, TEXT),
    ("on-accent", &["accent"], TEXT),
    ("on-secondary", &["secondary"], TEXT),
    ("on-sale", &["sale"], TEXT),
    ("on-inverse", &["inverse"], TEXT),
    ("inverse-muted", &["inverse"], TEXT),
    ("inverse-accent", &["inverse"], TEXT),
    ("border", &GROUNDS, CONTROL),
    ("focus", &GROUNDS, CONTROL),
];

/// What the grounds of pages are like; a theme chooses one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mood {
    /// Nearly white, with a breath of the primary colour.
    #[default]
    Calm,
    /// Paper and wood, whatever the store's colours.
    Warm,
    /// White and black.
    Stark,
}

impl Mood {
    /// Every mood.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Warm, Self::Stark];
}

/// Lightness and chroma of the neutral colours of a scheme; those of text and borders move on where they have to.
struct Tones {
    bg: (f64, f64),
    surface: (f64, f64),
    surface_2: (f64, f64),
    line: (f64, f64),
    text: (f64, f64),
    muted: (f64, f64),
    border: (f64, f64),
    inverse: (f64, f64),
    /// The direction in which lightness leaves the grounds: -1 in a light scheme, 1 in a dark one.
    away: f64,
}

const LIGHT: f64 = -1.0;
const DARK: f64 = 1.0;

impl Tones {
    fn light(mood: Mood) -> Self {
        match mood {
            Mood::Calm => Self {
                bg: (0.985, 0.004),
                surface: (1.0, 0.0),
                surface_2: (0.958, 0.011),
                line: (0.9, 0.012),
                text: (0.24, 0.018),
                muted: (0.46, 0.02),
                border: (0.66, 0.018),
                inverse: (0.24, 0.03),
                away: LIGHT,
            },
            Mood::Warm => Self {
                bg: (0.975, 0.015),
                surface: (0.992, 0.008),
                surface_2: (0.945, 0.024),
                line: (0.89, 0.03),
                text: (0.27, 0.025),
                muted: (0.47, 0.035),
                border: (0.64, 0.04),
                inverse: (0.29, 0.03),
                away: LIGHT,
            },
            Mood::Stark => Self {
                bg: (1.0, 0.0),
                surface: (0.985, 0.0),
                surface_2: (0.955, 0.003),
                line: (0.87, 0.003),
                text: (0.17, 0.004),
                muted: (0.44, 0.006),
                border: (0.58, 0.006),
                inverse: (0.17, 0.004),
                away: LIGHT,
            },
        }
    }

    /// The second surface is light enough for a black frame to stand out from it.
    fn dark(mood: Mood) -> Self {
        match mood {
            Mood::Calm => Self {
                bg: (0.19, 0.012),
                surface: (0.235, 0.014),
                surface_2: (0.34, 0.018),
                line: (0.36, 0.016),
                text: (0.95, 0.008),
                muted: (0.8, 0.014),
                border: (0.62, 0.018),
                inverse: (0.13, 0.012),
                away: DARK,
            },
            Mood::Warm => Self {
                bg: (0.205, 0.014),
                surface: (0.245, 0.017),
                surface_2: (0.35, 0.024),
                line: (0.37, 0.024),
                text: (0.94, 0.018),
                muted: (0.79, 0.025),
                border: (0.62, 0.03),
                inverse: (0.15, 0.014),
                away: DARK,
            },
            Mood::Stark => Self {
                bg: (0.14, 0.0),
                surface: (0.19, 0.002),
                surface_2: (0.33, 0.004),
                line: (0.34, 0.004),
                text: (0.97, 0.0),
                muted: (0.8, 0.004),
                border: (0.62, 0.006),
                inverse: (0.0, 0.0),
                away: DARK,
            },
        }
    }
}

/// The hue of paper and wood.
const WARM_HUE: f64 = 80.0;

/// The colours of one scheme by the names of their custom properties, in the order they are written.
pub(super) struct Scheme(Vec<(&'static str, Color)>);

impl Scheme {
    pub(super) fn light(mood: Mood, primary: Color, secondary: Color) -> Self {
        Self::build(mood, &Tones::light(mood), primary, secondary)
    }

    pub(super) fn dark(mood: Mood, primary: Color, secondary: Color) -> Self {
        Self::build(mood, &Tones::dark(mood), primary, secondary)
    }

    fn build(mood: Mood, tones: &Tones, primary: Color, secondary: Color) -> Self {
        let (brand, second) = (Oklch::of(primary), Oklch::of(secondary));
        let tint = brand.chroma.min(0.12) / 0.12;
        let neutral = |(lightness, chroma): (f64, f64)| match mood {
            Mood::Calm => brand.with(lightness, chroma * tint),
            Mood::Stark => brand.with(lightness, chroma),
            Mood::Warm => Oklch { lightness, chroma, hue: WARM_HUE.to_radians() },
        };
        let grounds = [
            ("bg", neutral(tones.bg).color()),
            ("surface", neutral(tones.surface).color()),
            ("surface-2", neutral(tones.surface_2).color()),
            ("line", neutral(tones.line).color()),
        ];
        let on: Vec<Color> = grounds.iter().filter(|(name, _)| GROUNDS.contains(name)).map(|(_, c)| *c).collect();
        let away = tones.away;
        let apart = |color: Oklch, ratio: f64| color.moved_until(away, |c| on.iter().all(|g| contrast(c, *g) >= ratio));
        // A filled button keeps the owner's colour as long as its shape can still be told from the page.
        let visible = if away < 0.0 { 1.3 } else { 2.2 };
        let (accent, secondary) = (apart(brand, visible), apart(second, visible));
        let signal = |hue: f64| {
            let lightness = if away < 0.0 { 0.55 } else { 0.72 };
            apart(Oklch { lightness, chroma: 0.16, hue: hue.to_radians() }, TEXT)
        };
        let sale = signal(25.0);
        let inverse = neutral(tones.inverse).color();
        let on_inverse = |color: Oklch| color.moved_until(1.0, |c| contrast(c, inverse) >= TEXT);
        let mut colors = grounds.to_vec();
        // Colours that are chosen for their contrast start from the rounded ones, as pages show them.
        let text = |tone| Oklch::of(neutral(tone).color());
        colors.extend([
            ("text", apart(text(tones.text), TEXT)),
            ("text-muted", apart(text(tones.muted), TEXT)),
            ("border", apart(text(tones.border), CONTROL)),
            ("accent", accent),
            ("on-accent", readable_on(accent)),
            ("accent-text", apart(brand, TEXT)),
            ("secondary", secondary),
            ("on-secondary", readable_on(secondary)),
            ("inverse", inverse),
            ("on-inverse", on_inverse(neutral((0.985, 0.004)))),
            ("inverse-muted", on_inverse(neutral((0.78, 0.01)))),
            ("inverse-accent", on_inverse(second)),
            ("focus", apart(brand, CONTROL)),
            ("sale", sale),
            ("on-sale", readable_on(sale)),
            ("ok", signal(150.0)),
            ("warn", signal(70.0)),
        ]);
        Self(colors)
    }

    /// The colour of a custom property; black for a name that there is not.
    pub(super) fn color(&self, name: &str) -> Color {
        self.0.iter().find(|(known, _)| *known == name).map_or(Color { rgb: [0; 3] }, |(_, color)| *color)
    }

    fn declarations(&self) -> String {
        self.0.iter().map(|(name, color)| format!("--{name}:{color};")).collect()
    }
}

/// CSS custom properties for a light and a dark scheme, as two rules.
///
/// Names: `--bg`, `--surface`, `--surface-2` (ground of pictures), `--line` (hairlines that carry no meaning), `--text`,
/// `--text-muted`, `--border` (controls), `--accent`, `--on-accent`, `--accent-text`, `--secondary`, `--on-secondary`,
/// `--inverse` (a dark ground in both schemes), `--on-inverse`, `--inverse-muted`, `--inverse-accent`, `--focus`, `--sale`,
/// `--on-sale`, `--ok`, `--warn`. [`PAIRS`] says which may stand on which.
pub fn css_variables(mood: Mood, primary: Color, secondary: Color) -> String {
    format!(
        ":root{{color-scheme:light dark;{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
        Scheme::light(mood, primary, secondary).declarations(),
        Scheme::dark(mood, primary, secondary).declarations(),
    )
}

/// White or nearly black, whichever reads better; one of them always reaches the contrast of text.
fn readable_on(ground: Color) -> Color {
    let (white, ink, black) = (Color { rgb: [255; 3] }, Color { rgb: [20, 20, 24] }, Color { rgb: [0; 3] });
    let enough = |color: &Color| contrast(*color, ground) >= TEXT;
    [white, ink].into_iter().find(enough).unwrap_or(black)
}

/// WCAG contrast ratio, 1..=21.
pub fn contrast(one: Color, other: Color) -> f64 {
    let luminance = |color: Color| {
        let [red, green, blue] = color.rgb.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// A colour as lightness 0..=1, chroma from 0, and hue in radians.
#[derive(Clone, Copy)]
struct Oklch {
    lightness: f64,
    chroma: f64,
    hue: f64,
}

impl Oklch {
    fn of(color: Color) -> Self {
        let [red, green, blue] = color.rgb.map(linear);
        let long = (0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue).cbrt();
        let medium = (0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue).cbrt();
        let short = (0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue).cbrt();
        let lightness = 0.210_454_255_3 * long + 0.793_617_785 * medium - 0.004_072_046_8 * short;
        let a = 1.977_998_495_1 * long - 2.428_592_205 * medium + 0.450_593_709_9 * short;
        let b = 0.025_904_037_1 * long + 0.782_771_766_2 * medium - 0.808_675_766 * short;
        Self { lightness, chroma: a.hypot(b), hue: b.atan2(a) }
    }

    fn with(self, lightness: f64, chroma: f64) -> Self {
        Self { lightness, chroma, ..self }
    }

    /// Linear red, green and blue; outside 0..=1 where the screen has no such colour.
    fn rgb(self) -> [f64; 3] {
        let (sine, cosine) = self.hue.sin_cos();
        let (a, b) = (self.chroma * cosine, self.chroma * sine);
        let long = (self.lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let medium = (self.lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let short = (self.lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
        [
            4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
            -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
            -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701 * short,
        ]
    }

    /// The nearest colour a screen has: chroma gives way, lightness and hue stay.
    fn color(self) -> Color {
        let shown = |rgb: [f64; 3]| rgb.iter().all(|part| (-1e-4..=1.0001).contains(part));
        let mut rgb = self.rgb();
        if !shown(rgb) {
            let (mut inside, mut outside) = (0.0, self.chroma);
            for _ in 0..14 {
                let middle = (inside + outside) / 2.0;
                if shown(self.with(self.lightness, middle).rgb()) { inside = middle } else { outside = middle }
            }
            rgb = self.with(self.lightness, inside).rgb();
        }
        Color { rgb: rgb.map(encoded) }
    }

    /// Goes lighter (`away` 1) or darker (-1) in small steps until a condition holds; the colour itself where it already does.
    fn moved_until(self, away: f64, holds: impl Fn(Color) -> bool) -> Color {
        const STEPS: u32 = 200;
        let mut color = self.color();
        for step in 1..=STEPS {
            if holds(color) {
                break;
            }
            let goal = if away < 0.0 { 0.0 } else { 1.0 };
            let lightness = self.lightness + (goal - self.lightness) * f64::from(step) / f64::from(STEPS);
            color = self.with(lightness, self.chroma).color();
        }
        color
    }
}

/// sRGB byte to linear light.
fn linear(byte: u8) -> f64 {
    let value = f64::from(byte) / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Linear light to the nearest sRGB byte.
fn encoded(light: f64) -> u8 {
    let light = light.clamp(0.0, 1.0);
    let value = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (value * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// The two schemes as a browser reads them from the CSS text.
    fn written(css: &str) -> [BTreeMap<String, Color>; 2] {
        let (light, dark) = css.split_once("@media").expect("two schemes");
        [light, dark].map(|block| {
            let declarations = block.split("--").skip(1).filter_map(|part| part.split_once(':'));
            let color = |value: &str| Color::parse(value.split(';').next().unwrap()).expect("a hex colour");
            declarations.map(|(name, value)| (name.to_string(), color(value))).collect()
        })
    }

    fn every_pair_reads_well(primary: [u8; 3], secondary: [u8; 3]) -> Result<(), TestCaseError> {
        let css = |mood| css_variables(mood, Color { rgb: primary }, Color { rgb: secondary });
        for (css, scheme) in Mood::ALL.map(css).iter().flat_map(|css| written(css).map(|scheme| (css, scheme))) {
            for (front, grounds, lowest) in PAIRS {
                for ground in grounds {
                    let ratio = contrast(scheme[front], scheme[*ground]);
                    prop_assert!(ratio >= lowest, "{front} on {ground}: {ratio:.2} in {css}");
                }
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn text_can_be_read_whatever_the_owner_picks(primary: [u8; 3], secondary: [u8; 3]) {
            every_pair_reads_well(primary, secondary)?;
        }
    }

    #[test]
    fn text_can_be_read_with_extreme_colors() {
        let extremes = [[0; 3], [255; 3], [255, 255, 0], [0, 0, 255], [0, 255, 0], [255, 0, 255], [128; 3], [118; 3]];
        for primary in extremes {
            every_pair_reads_well(primary, [255, 230, 0]).unwrap();
        }
    }

    #[test]
    fn a_fitting_color_is_kept_as_it_is() {
        let css = css_variables(Mood::Calm, Color { rgb: [0x1f, 0x5f, 0x4f] }, Color { rgb: [0xc0, 0x70, 0x40] });
        assert!(css.contains("--accent:#1f5f4f;") && css.contains("--secondary:#c07040;"), "{css}");
        assert!(css.starts_with(":root{color-scheme:light dark;--bg:#"), "{css}");
        assert_eq!(css.matches('{').count(), css.matches('}').count());
    }

    #[test]
    fn conversion_there_and_back_gives_the_same_color() {
        for rgb in [[0, 0, 0], [255, 255, 255], [200, 30, 90], [1, 2, 3], [0, 128, 255]] {
            assert_eq!(Oklch::of(Color { rgb }).color().rgb, rgb);
        }
    }

    #[test]
    fn contrast_is_measured_as_wcag_says() {
        let [black, white, grey] = [[0; 3], [255; 3], [118; 3]].map(|rgb| Color { rgb });
        assert!((contrast(black, white) - 21.0).abs() < 1e-9);
        assert!((contrast(grey, white) - 4.54).abs() < 0.01);
    }
}
