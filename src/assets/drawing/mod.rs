//! Drawings of frames, made from shape, measurements, colour, material and rim style.
//!
//! [`FrameDrawing`] says what to draw in a few bytes; equal products are equal drawings and share one file. Drawing is a
//! pure function of it: no clock, no randomness, so the same product gives the same bytes for ever.

mod color;
mod curve;
mod front;
mod measured;
mod outline;
mod parts;

pub use measured::measured;

use crate::catalog::product::{ColorVariant, Measurements, Product};
use crate::catalog::vocabulary::{FrameShape, Term};
use color::{Finish, Pattern, Rgb};
use serde::{Deserialize, Serialize};

/// Goes into file names; to be raised whenever the drawing of an equal key changes, so that caches let go of the old one.
const VERSION: u8 = 3;

/// Millimetres between drawings, for lenses and for the bridge. A picture in a listing shows nothing finer, and frames that
/// look the same share a file: with steps of 4 mm, 10,000 products have 6,000 drawings, with these 2,900. Figures are drawn
/// by [`measured`], to the tenth.
const LENS_STEP: f64 = 8.0;
/// See [`LENS_STEP`].
const BRIDGE_STEP: f64 = 6.0;

/// What a drawing shows: small, comparable, and the same for products that look the same, so that they share a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FrameDrawing {
    shape: FrameShape,
    rim: Rim,
    build: Build,
    finish: Finish,
    lens: Tint,
    /// Lens width in mm, in steps of [`LENS_STEP`].
    width: u8,
    /// Lens height in mm, in steps of [`LENS_STEP`].
    height: u8,
    /// Between the lenses in mm, in steps of [`BRIDGE_STEP`].
    bridge: u8,
}

/// How much of the lens the frame goes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Rim {
    Full,
    Half,
    None,
}

/// How heavy the material makes the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Build {
    /// Acetate, horn, wood.
    Thick,
    /// Injected plastics.
    Slim,
    /// Metal and titanium.
    Wire,
}

/// What the lenses look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Tint {
    Clear,
    BlueLight,
    /// Sunglasses: one colour, lighter below.
    Dark(Rgb),
    /// Sunglasses that reflect in a colour.
    Mirror(Rgb),
}

impl FrameDrawing {
    /// Works out what to draw; every product can be drawn.
    pub fn of(product: &Product) -> Self {
        let shape = shape_of(product);
        let build = build_of(product, shape);
        let (width, height, bridge) = dimensions(shape, build, &product.measurements);
        let rim = rim_of(product);
        Self { shape, rim, build, finish: finish_of(product, build), lens: tint_of(product), width, height, bridge }
    }

    /// The same frame in another colour.
    pub fn in_color(self, variant: &ColorVariant) -> Self {
        let finish = variant_finish(variant).unwrap_or(self.finish);
        Self { finish, ..self }
    }

    /// A frame that stands for a store as a whole, in its colour.
    pub fn emblem(color: crate::config::Color) -> Self {
        let (shape, build) = (FrameShape::Panto, Build::Thick);
        let (width, height, bridge) = dimensions(shape, build, &Measurements::default());
        let finish = Finish::solid(color.rgb);
        Self { shape, rim: Rim::Full, build, finish, lens: Tint::Clear, width, height, bridge }
    }

    /// Where the drawing's file is in the store.
    pub fn path(self) -> String {
        let mut hash = blake3::Hasher::new();
        let finish = self.finish;
        let (tint, tint_color) = match self.lens {
            Tint::Clear => (0, [0; 3]),
            Tint::BlueLight => (1, [0; 3]),
            Tint::Dark(color) => (2, color),
            Tint::Mirror(color) => (3, color),
        };
        hash.update(&[VERSION, self.shape as u8, self.rim as u8, self.build as u8]);
        hash.update(&[finish.pattern as u8, u8::from(finish.matte), tint, self.width, self.height, self.bridge]);
        hash.update(&finish.base).update(&finish.second).update(&tint_color);
        format!("assets/frames/{}.svg", &hash.finalize().to_hex()[..16])
    }

    /// The drawing as a whole SVG file, 4:3, on transparent ground.
    pub fn svg(self) -> String {
        front::svg(self)
    }
}

/// The colour to show for a colour term, as `#rrggbb`; `None` when no word of it is known.
pub fn swatch(color: &Term) -> Option<String> {
    Finish::named(&color.key).map(|finish| crate::config::Color { rgb: finish.base }.to_string())
}

fn shape_of(product: &Product) -> FrameShape {
    let words = [
        product.frame_shape.as_ref().map(|term| term.key.to_string()),
        product.style.as_ref().map(|term| term.key.to_string()),
        Some(crate::catalog::vocabulary::key_of(&product.name)),
    ];
    words.iter().flatten().find_map(|key| shape_in(key)).unwrap_or(FrameShape::Panto)
}

/// The first shape whose word occurs in a key; the more telling words are looked for first.
fn shape_in(key: &str) -> Option<FrameShape> {
    const WORDS: [(&str, FrameShape); 32] = [
        ("cat-eye", FrameShape::CatEye),
        ("cateye", FrameShape::CatEye),
        ("cat", FrameShape::CatEye),
        ("aviator", FrameShape::Aviator),
        ("pilot", FrameShape::Aviator),
        ("navigator", FrameShape::Aviator),
        ("teardrop", FrameShape::Aviator),
        ("wayfarer", FrameShape::Wayfarer),
        ("d-frame", FrameShape::Wayfarer),
        ("trapez", FrameShape::Wayfarer),
        ("clubmaster", FrameShape::Browline),
        ("browline", FrameShape::Browline),
        ("brow", FrameShape::Browline),
        ("butterfly", FrameShape::Butterfly),
        ("panto", FrameShape::Panto),
        ("p3", FrameShape::Panto),
        ("keyhole", FrameShape::Panto),
        ("oversize", FrameShape::Oversized),
        ("shield", FrameShape::Oversized),
        ("mask", FrameShape::Oversized),
        ("wrap", FrameShape::Rectangle),
        ("hexagon", FrameShape::Geometric),
        ("octagon", FrameShape::Geometric),
        ("geometric", FrameShape::Geometric),
        ("angular", FrameShape::Geometric),
        ("rectang", FrameShape::Rectangle),
        ("square", FrameShape::Square),
        ("oval", FrameShape::Oval),
        ("almond", FrameShape::Oval),
        ("ellip", FrameShape::Oval),
        ("circ", FrameShape::Round),
        ("round", FrameShape::Round),
    ];
    let begins_a_word =
        |word: &str| key.match_indices(word).any(|(at, _)| at == 0 || key.as_bytes().get(at - 1) == Some(&b'-'));
    FrameShape::from_key(key).or_else(|| WORDS.iter().find(|(word, _)| begins_a_word(word)).map(|(_, shape)| *shape))
}

fn rim_of(product: &Product) -> Rim {
    match product.rim.as_ref().map(|term| term.key.as_str()) {
        Some(key) if key.contains("semi") || key.contains("half") => Rim::Half,
        Some(key) if key.contains("rimless") => Rim::None,
        _ => Rim::Full,
    }
}

fn build_of(product: &Product, shape: FrameShape) -> Build {
    const WIRE: [&str; 10] =
        ["metal", "titan", "steel", "alumin", "alloy", "monel", "beryllium", "gold", "silver", "nickel"];
    const SLIM: [&str; 8] = ["tr90", "tr-90", "nylon", "polyamide", "plastic", "ultem", "carbon", "injected"];
    for material in &product.materials {
        let is = |words: &[&str]| words.iter().any(|word| material.key.contains(word));
        if is(&WIRE) {
            return Build::Wire;
        }
        if is(&SLIM) {
            return Build::Slim;
        }
        if is(&["acetate", "horn", "wood", "cellulose", "zyl"]) {
            return Build::Thick;
        }
    }
    if shape == FrameShape::Aviator { Build::Wire } else { Build::Thick }
}

fn finish_of(product: &Product, build: Build) -> Finish {
    let main = product.colors.first();
    let variant = main
        .and_then(|color| product.variants.iter().find(|variant| variant.color.key == color.key))
        .or_else(|| product.variants.first().filter(|_| main.is_none()));
    let finish = variant.and_then(variant_finish).or_else(|| main.and_then(|color| Finish::named(&color.key)));
    let material = || product.materials.iter().find_map(|material| Finish::named(&material.key));
    finish.or_else(material).unwrap_or_else(|| match build {
        Build::Wire => Finish { pattern: Pattern::Metallic, ..Finish::solid([120, 125, 132]) },
        Build::Thick | Build::Slim => Finish::solid([58, 60, 66]),
    })
}

/// The variant's own colour, in the pattern that its name speaks of.
fn variant_finish(variant: &ColorVariant) -> Option<Finish> {
    let named = Finish::named(&variant.color.key);
    let exact = variant.hex.as_deref().and_then(Finish::hex);
    match (named, exact) {
        (Some(named), Some(exact)) if matches!(named.pattern, Pattern::Solid | Pattern::Metallic) => {
            Some(Finish { base: exact.base, second: exact.base, ..named })
        }
        (named, exact) => named.or(exact),
    }
}

fn tint_of(product: &Product) -> Tint {
    const GREY: Rgb = [58, 61, 66];
    let kind = product.frame_type.as_ref().map(|term| term.key.as_str());
    if kind == Some("sunglasses") || (kind.is_none() && product.lens.polarized == Some(true)) {
        let key = product.lens.color.as_ref().map_or("", |color| color.key.as_str());
        let color = Finish::named(key).map_or(GREY, |finish| finish.base);
        return if key.contains("mirror") || key.contains("flash") { Tint::Mirror(color) } else { Tint::Dark(color) };
    }
    let blue_light = |terms: &[Term]| terms.iter().any(|term| term.key.contains("blue-light"));
    if kind == Some("blue-light") || blue_light(&product.lens.coatings) { Tint::BlueLight } else { Tint::Clear }
}

/// Lens width, lens height and bridge in steps, within what the shape allows.
fn dimensions(shape: FrameShape, build: Build, known: &Measurements) -> (u8, u8, u8) {
    let recipe = outline::recipe(shape);
    let (usual_width, usual_height, usual_bridge) = recipe.usual;
    let known_of = |value: Option<f32>| value.map(f64::from);
    let ends = if build == Build::Wire { 6.0 } else { 8.0 };
    let bridge = stepped(known_of(known.bridge).unwrap_or(usual_bridge), 12.0, 26.0, BRIDGE_STEP);
    let from_front = known_of(known.frame_width).map(|front| (front - f64::from(bridge) - ends) / 2.0);
    let width = stepped(known_of(known.lens_width).or(from_front).unwrap_or(usual_width), 38.0, 62.0, LENS_STEP);
    let from_front = known_of(known.frame_height).map(|front| front - ends);
    let height = known_of(known.lens_height).or(from_front);
    let height = height.unwrap_or(f64::from(width) * usual_height / usual_width);
    let (low, high) = recipe.proportions;
    let height = stepped(height, f64::from(width) * low, f64::from(width) * high, LENS_STEP);
    (width, height, bridge)
}

fn stepped(millimetres: f64, low: f64, high: f64, step: f64) -> u8 {
    ((millimetres.clamp(low, high) / step).round() * step) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::vocabulary::Vocabulary;
    use std::collections::BTreeSet;

    pub(super) fn product(shape: &str, materials: &[&str], color: &str) -> Product {
        let term = |vocabulary, text: &str| Term::parse(vocabulary, text);
        Product {
            frame_shape: term(Vocabulary::FrameShape, shape),
            materials: materials.iter().filter_map(|text| term(Vocabulary::Material, text)).collect(),
            colors: term(Vocabulary::Color, color).into_iter().collect(),
            ..Product::sample("1", "Nameless")
        }
    }

    /// Every shape in every rim, weight, pattern and tint.
    fn every_drawing() -> Vec<FrameDrawing> {
        let colors = ["black", "tortoise", "crystal", "rose-gold", "brown-fade", "black-gold", "matte-white"];
        let tints = [Tint::Clear, Tint::BlueLight, Tint::Dark([58, 61, 66]), Tint::Mirror([44, 82, 148])];
        let mut all = Vec::new();
        for shape in FrameShape::ALL {
            for rim in [Rim::Full, Rim::Half, Rim::None] {
                for build in [Build::Thick, Build::Slim, Build::Wire] {
                    let (width, height, bridge) = dimensions(shape, build, &Measurements::default());
                    for (index, color) in colors.into_iter().enumerate() {
                        let finish = Finish::named(color).unwrap();
                        let lens = tints[(index + all.len()) % 4];
                        all.push(FrameDrawing { shape, rim, build, finish, lens, width, height, bridge });
                    }
                }
            }
        }
        all
    }

    #[test]
    fn every_drawing_is_small_whole_and_its_own() {
        let mut paths = BTreeSet::new();
        for drawing in every_drawing() {
            let svg = drawing.svg();
            let parsed = resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default());
            assert!(parsed.is_ok(), "{parsed:?} in {svg}");
            assert!(svg.len() < 7_000, "{} bytes: {drawing:?}", svg.len());
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("style="), "{svg}");
            assert!(paths.insert(drawing.path()), "two drawings share a path: {drawing:?}");
            assert_eq!(svg, drawing.svg());
        }
    }

    #[test]
    fn both_halves_agree_to_the_pixel() {
        use resvg::tiny_skia::{Pixmap, Transform};
        for drawing in every_drawing().into_iter().step_by(37) {
            let tree = resvg::usvg::Tree::from_str(&drawing.svg(), &resvg::usvg::Options::default()).unwrap();
            let mut picture = Pixmap::new(400, 300).unwrap();
            resvg::render(&tree, Transform::from_scale(0.5, 0.5), &mut picture.as_mut());
            let alpha = |x: u32, y: u32| i32::from(picture.pixel(x, y).unwrap().alpha());
            let (mut drawn, mut difference) = (0, 0);
            for (x, y) in (0..200).flat_map(|x| (0..300).map(move |y| (x, y))) {
                let apart = (alpha(x, y) - alpha(399 - x, y)).abs();
                // The rasteriser rounds the two sides of a slanting edge differently.
                assert!(apart <= 80, "{drawing:?} at {x},{y}: {apart}");
                difference += apart;
                drawn += i32::from(alpha(x, y) > 0);
            }
            assert!(difference < 2 * drawn, "{drawing:?}");
            assert!(drawn > 8_000, "{drawing:?} shows only {drawn} pixels");
            let edge_is_free = (0..300).all(|y| alpha(0, y) == 0) && (0..400).all(|x| alpha(x, 0) == 0);
            assert!(edge_is_free, "{drawing:?} is cut off");
        }
    }

    #[test]
    fn a_new_look_gets_new_file_names() {
        let mut hash = blake3::Hasher::new();
        for drawing in every_drawing() {
            hash.update(drawing.svg().as_bytes());
        }
        // When this fails because drawings look different now: raise `VERSION` and put the new value here.
        assert_eq!((VERSION, &hash.finalize().to_hex()[..16]), (3, "287ed371fea00399"));
    }

    #[test]
    fn products_that_look_the_same_share_a_drawing() {
        let mut one = product("round", &["acetate"], "Black");
        let mut other = product("Circular", &["Cellulose Acetate"], "black");
        (one.measurements.lens_width, other.measurements.lens_width) = (Some(48.0), Some(50.6));
        other.name = "Another".into();
        assert_eq!(FrameDrawing::of(&one), FrameDrawing::of(&other));
        other.measurements.lens_width = Some(56.0);
        assert_ne!(FrameDrawing::of(&one).path(), FrameDrawing::of(&other).path());
    }

    #[test]
    fn what_the_product_says_decides_what_is_drawn() {
        let of = |product: &Product| FrameDrawing::of(product);
        let term = |text| Term::parse(Vocabulary::Other, text);
        assert_eq!(of(&product("half moon cat eye", &["titanium"], "gold")).shape, FrameShape::CatEye);
        assert_eq!(of(&product("unheard-of", &[], "")).shape, FrameShape::Panto);
        assert_eq!(of(&product("aviator", &[], "")).build, Build::Wire);
        assert_eq!(of(&product("aviator", &["acetate"], "")).build, Build::Thick);
        let mut sun = product("round", &["acetate"], "black");
        sun.frame_type = Term::parse(Vocabulary::FrameType, "sunglasses");
        assert!(matches!(of(&sun).lens, Tint::Dark(_)));
        sun.lens.color = term("green mirror");
        assert!(matches!(of(&sun).lens, Tint::Mirror([40, 92, 66])));
        let mut half = product("oval", &["metal"], "silver");
        half.rim = Term::parse(Vocabulary::Rim, "half-rim");
        assert_eq!(of(&half).rim, Rim::Half);
        let mut named = product("", &["acetate"], "black");
        (named.frame_shape, named.name) = (None, "Aviator Grande".into());
        assert_eq!(of(&named).shape, FrameShape::Aviator);
    }

    #[test]
    fn a_variant_is_drawn_in_its_own_color() {
        let variant = |color: &str, hex: Option<&str>| ColorVariant {
            color: Term::parse(Vocabulary::Color, color).unwrap(),
            hex: hex.map(Into::into),
            sku: None,
            image: None,
            shopify_variant_id: None,
        };
        let base = FrameDrawing::of(&product("round", &["acetate"], "black"));
        assert_eq!(base.in_color(&variant("Petrol dream", Some("#125566"))).finish.base, [0x12, 0x55, 0x66]);
        assert_eq!(base.in_color(&variant("Tortoise", Some("#804020"))).finish.pattern, Pattern::Tortoise);
        assert_eq!(base.in_color(&variant("???x", Some("nonsense"))), base);
        assert_eq!(swatch(&variant("Navy", None).color).as_deref(), Some("#202c4e"));
    }

    #[test]
    fn hostile_measurements_stay_within_the_picture() {
        let mut wild = product("cat-eye", &["acetate"], "black");
        for value in [20.0, 90.0, f32::MAX, -5.0, f32::NAN] {
            wild.measurements.lens_width = Some(value);
            wild.measurements.lens_height = Some(value);
            wild.measurements.bridge = Some(value);
            let svg = FrameDrawing::of(&wild).svg();
            assert!(!svg.contains("NaN") && svg.len() < 7_000, "{value}");
        }
    }
}
