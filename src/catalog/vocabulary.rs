//! The closed vocabulary of eyewear, and how the many spellings in catalogues fold into it.
//!
//! A [`Term`] is a value a shopper can filter by: a stable key for URLs and comparisons, and a label to show.
//! Known spellings fold into one key; unknown values keep their own wording and are never dropped.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A normalised value with the words to show for it. A product has dozens, nearly all of them so short that they need
/// no memory of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term {
    /// Lower-case key of ASCII letters, digits and hyphens; never empty.
    pub key: SmolStr,
    /// The words a shopper reads.
    pub label: SmolStr,
}

/// The vocabularies that have known spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Vocabulary {
    /// Outline of the front: round, cat-eye, aviator.
    FrameShape,
    /// What the frame is sold for: prescription, sunglasses, blue-light, reading.
    FrameType,
    /// Full-rim, semi-rimless, rimless.
    Rim,
    /// Acetate, titanium, metal.
    Material,
    /// Who it is made for.
    Gender,
    /// Colours, kept as the catalogue words them.
    Color,
    /// Anything else: features, coatings, tags, styles.
    Other,
}

impl Vocabulary {
    /// Key, as in files of words.
    pub fn key(self) -> &'static str {
        match self {
            Self::FrameShape => "frame_shape",
            Self::FrameType => "frame_type",
            Self::Rim => "rim",
            Self::Material => "material",
            Self::Gender => "gender",
            Self::Color => "color",
            Self::Other => "other",
        }
    }
}

impl Term {
    /// Reads a value in the spelling of any catalogue; `None` when nothing but blanks or signs is left.
    pub fn parse(vocabulary: Vocabulary, text: &str) -> Option<Self> {
        let label = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let key = key_of(&label);
        if key.is_empty() {
            return None;
        }
        if let Some((key, label)) = known(vocabulary, &key.replace('-', "")) {
            return Some(Self { key: key.into(), label: label.into() });
        }
        let spaced = label.replace('_', " ");
        let is_code = !spaced.contains(char::is_uppercase);
        Some(Self { key: key.into(), label: if is_code { capitalised(&spaced) } else { spaced }.into() })
    }
}

/// A URL-safe key: transliterated, lower case, hyphens between words, at most 80 bytes, cut at a word where one ends.
pub fn key_of(text: &str) -> String {
    const LONGEST: usize = 80;
    // Transliteration grows text up to several-fold; 400 characters leave more than the longest key.
    let bounded: String = text.chars().take(400).collect();
    let mut key = slug::slugify(bounded);
    if key.len() > LONGEST {
        key.truncate(LONGEST);
        if let Some(at) = key.rfind('-').filter(|&at| at > LONGEST / 2) {
            key.truncate(at);
        }
    }
    key.trim_matches('-').to_string()
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn known(vocabulary: Vocabulary, folded: &str) -> Option<(&'static str, &'static str)> {
    Some(match (vocabulary, folded) {
        (Vocabulary::FrameShape, "round" | "circle" | "circular") => ("round", "Round"),
        (Vocabulary::FrameShape, "oval") => ("oval", "Oval"),
        (Vocabulary::FrameShape, "square") => ("square", "Square"),
        (Vocabulary::FrameShape, "rectangle" | "rectangular") => ("rectangle", "Rectangle"),
        (Vocabulary::FrameShape, "cateye" | "cateyes" | "catseye") => ("cat-eye", "Cat-eye"),
        (Vocabulary::FrameShape, "aviator" | "pilot" | "navigator") => ("aviator", "Aviator"),
        (Vocabulary::FrameShape, "wayfarer" | "dframe") => ("wayfarer", "Wayfarer"),
        (Vocabulary::FrameShape, "browline" | "clubmaster" | "club") => ("browline", "Browline"),
        (Vocabulary::FrameShape, "geometric" | "hexagon" | "hexagonal" | "octagon" | "octagonal") => {
            ("geometric", "Geometric")
        }
        (Vocabulary::FrameShape, "butterfly") => ("butterfly", "Butterfly"),
        (Vocabulary::FrameShape, "oversized" | "oversize") => ("oversized", "Oversized"),
        (Vocabulary::FrameShape, "panto" | "pantos" | "keyhole") => ("panto", "Panto"),
        (Vocabulary::FrameType, "prescription" | "glasses" | "eyeglasses" | "optical" | "rx") => {
            ("prescription", "Eyeglasses")
        }
        (Vocabulary::FrameType, "sunglasses" | "sunglass" | "sun") => ("sunglasses", "Sunglasses"),
        (Vocabulary::FrameType, "bluelight" | "computer" | "computerglasses" | "bluelightglasses") => {
            ("blue-light", "Blue-light glasses")
        }
        (Vocabulary::FrameType, "reading" | "readers" | "readingglasses") => ("reading", "Reading glasses"),
        (Vocabulary::Rim, "fullrim" | "full" | "fullframe") => ("full-rim", "Full rim"),
        (Vocabulary::Rim, "semirimless" | "halfrim" | "semirim" | "half" | "nylor") => ("semi-rimless", "Semi-rimless"),
        (Vocabulary::Rim, "rimless" | "frameless") => ("rimless", "Rimless"),
        (Vocabulary::Material, "acetate" | "celluloseacetate") => ("acetate", "Acetate"),
        (Vocabulary::Material, "titanium" | "puretitanium") => ("titanium", "Titanium"),
        (Vocabulary::Material, "betatitanium") => ("beta-titanium", "Beta-titanium"),
        (Vocabulary::Material, "stainlesssteel" | "steel") => ("stainless-steel", "Stainless steel"),
        (Vocabulary::Material, "metal") => ("metal", "Metal"),
        (Vocabulary::Material, "tr90") => ("tr90", "TR90"),
        (Vocabulary::Material, "aluminium" | "aluminum") => ("aluminium", "Aluminium"),
        (Vocabulary::Material, "wood" | "wooden") => ("wood", "Wood"),
        (Vocabulary::Material, "horn" | "buffalohorn") => ("horn", "Horn"),
        (Vocabulary::Material, "plastic") => ("plastic", "Plastic"),
        (Vocabulary::Gender, "women" | "woman" | "female" | "womens" | "ladies" | "f") => ("women", "Women"),
        (Vocabulary::Gender, "men" | "man" | "male" | "mens" | "gentlemen" | "m") => ("men", "Men"),
        (Vocabulary::Gender, "unisex" | "all" | "neutral" | "any") => ("unisex", "Unisex"),
        (Vocabulary::Gender, "kids" | "children" | "child" | "kid" | "boys" | "girls") => ("kids", "Kids"),
        (Vocabulary::Color, "gray") => ("grey", "Grey"),
        (Vocabulary::Color, "tortoise" | "tortoiseshell" | "havana") => ("tortoise", "Tortoise"),
        (Vocabulary::Other, "bluelight" | "bluelightfilter" | "bluelightblocking") => {
            ("blue-light", "Blue-light filter")
        }
        (Vocabulary::Other, "uv400") => ("uv400", "UV400"),
        (Vocabulary::Other, "antireflective" | "ar" | "antireflection") => ("anti-reflective", "Anti-reflective"),
        _ => return None,
    })
}

/// Outlines that the compatibility rules know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are the trade's own names")]
pub enum FrameShape {
    Round,
    Oval,
    Square,
    Rectangle,
    CatEye,
    Aviator,
    Wayfarer,
    Browline,
    Geometric,
    Butterfly,
    Oversized,
    Panto,
}

impl FrameShape {
    /// Every outline.
    pub const ALL: [Self; 12] = [
        Self::Round,
        Self::Oval,
        Self::Square,
        Self::Rectangle,
        Self::CatEye,
        Self::Aviator,
        Self::Wayfarer,
        Self::Browline,
        Self::Geometric,
        Self::Butterfly,
        Self::Oversized,
        Self::Panto,
    ];

    /// The key of the matching [`Term`].
    pub fn key(self) -> &'static str {
        match self {
            Self::Round => "round",
            Self::Oval => "oval",
            Self::Square => "square",
            Self::Rectangle => "rectangle",
            Self::CatEye => "cat-eye",
            Self::Aviator => "aviator",
            Self::Wayfarer => "wayfarer",
            Self::Browline => "browline",
            Self::Geometric => "geometric",
            Self::Butterfly => "butterfly",
            Self::Oversized => "oversized",
            Self::Panto => "panto",
        }
    }

    /// The outline a normalised term stands for, if the rules know it.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.key() == key)
    }
}

/// Shapes of a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are the trade's own names")]
pub enum FaceShape {
    Oval,
    Round,
    Square,
    Heart,
    Diamond,
    Oblong,
    Triangle,
}

impl FaceShape {
    /// Every face shape, in the order stores show them; arrays by face shape are indexed in this order.
    pub const ALL: [Self; 7] =
        [Self::Oval, Self::Round, Self::Square, Self::Heart, Self::Diamond, Self::Oblong, Self::Triangle];

    /// Position in [`FaceShape::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Lower-case key, as in documents and URLs.
    pub fn key(self) -> &'static str {
        ["oval", "round", "square", "heart", "diamond", "oblong", "triangle"][self.index()]
    }

    /// The word a shopper reads.
    pub fn label(self) -> &'static str {
        ["Oval", "Round", "Square", "Heart", "Diamond", "Oblong", "Triangle"][self.index()]
    }

    /// Reads a key in any spelling; `rectangle` and `long` are other names for oblong, `pear` for triangle.
    pub fn from_key(key: &str) -> Option<Self> {
        Some(match key_of(key).as_str() {
            "oval" => Self::Oval,
            "round" => Self::Round,
            "square" => Self::Square,
            "heart" => Self::Heart,
            "diamond" => Self::Diamond,
            "oblong" | "rectangle" | "rectangular" | "long" => Self::Oblong,
            "triangle" | "triangular" | "pear" => Self::Triangle,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_fold_into_one_key() {
        for text in ["cat_eye", "cat-eye", "Cat Eye", "cateye", " CAT  EYE "] {
            let term = Term::parse(Vocabulary::FrameShape, text).expect("a term");
            assert_eq!((term.key.as_str(), term.label.as_str()), ("cat-eye", "Cat-eye"), "{text}");
        }
    }

    #[test]
    fn unknown_values_keep_their_words() {
        let term = Term::parse(Vocabulary::FrameShape, "half_moon").expect("a term");
        assert_eq!((term.key.as_str(), term.label.as_str()), ("half-moon", "Half moon"));
        let term = Term::parse(Vocabulary::Color, "Bordeaux Rouge").expect("a term");
        assert_eq!(term.label, "Bordeaux Rouge");
        assert_eq!(Term::parse(Vocabulary::Color, " ??? "), None);
    }

    #[test]
    fn every_outline_is_found_by_its_key() {
        for shape in FrameShape::ALL {
            assert_eq!(FrameShape::from_key(shape.key()), Some(shape));
        }
        for shape in FaceShape::ALL {
            assert_eq!(FaceShape::from_key(shape.key()), Some(shape));
        }
    }
}
