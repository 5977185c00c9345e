//! Numbers: how well a frame suits each face shape, how good its document is, how popular it is.
//!
//! Takes a product and the catalogue's own rules, gives [`Scores`]. Pure: the same input gives the same numbers on any
//! machine and any number of threads.

pub mod face_shape;
pub mod matrix;
pub mod popularity;
pub mod quality;

use crate::catalog::FaceShapeRules;
use crate::catalog::product::Product;
use crate::catalog::vocabulary::FaceShape;
use crate::language::Words;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Scores a product.
pub fn score(product: &Product, rules: &Rules) -> Scores {
    Scores {
        fits: FaceShape::ALL.map(|face| face_shape::assess(product, rules, face).map(|assessment| assessment.combined)),
        quality: quality::quality(product) as f32,
        popularity: popularity::popularity(&product.analytics) as f32,
    }
}

/// The catalogue's own rules: which outlines suit which face, from its `face_shape_compatibility` collection.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    by_outline: [BTreeMap<String, OutlineRule>; 7],
}

/// One rule of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct OutlineRule {
    /// 0..=1.
    pub score: f64,
    /// 0..=1.
    pub confidence: f64,
    /// Sentences for shoppers.
    pub reasons: Vec<String>,
}

impl Rules {
    /// Takes over the rules of a catalogue. A rule model that does not say how sure it is of itself is trusted a little
    /// more than the general convention: it is the shop's own.
    pub fn new(documents: &[FaceShapeRules]) -> Self {
        const UNSTATED_CONFIDENCE: f32 = 0.7;
        let mut rules = Self::default();
        for document in documents {
            let confidence = f64::from(document.confidence.unwrap_or(UNSTATED_CONFIDENCE));
            for frame in &document.frames {
                let reasons = frame.reasons.iter().chain(&frame.tips).cloned().collect();
                rules.add(
                    document.shape,
                    &frame.shape.key,
                    OutlineRule { score: f64::from(frame.score), confidence, reasons },
                );
            }
        }
        rules
    }

    /// Adds a rule; the first one for a face and an outline stands.
    pub fn add(&mut self, face: FaceShape, outline_key: &str, rule: OutlineRule) {
        self.by_outline[face.index()].entry(outline_key.to_string()).or_insert(rule);
    }

    /// The rule for a face and the key of an outline.
    pub fn find(&self, face: FaceShape, outline_key: &str) -> Option<&OutlineRule> {
        self.by_outline[face.index()].get(outline_key)
    }
}

/// Scores of one product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// By [`crate::catalog::vocabulary::FaceShape::index`]; `None` where neither the catalogue nor the rules know.
    pub fits: [Option<FaceShapeCompatibility>; 7],
    /// Quality of the document, 0..=1.
    pub quality: f32,
    /// Popularity, 0..=1.
    pub popularity: f32,
}

/// How well a frame suits a face shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaceShapeCompatibility {
    /// 0..=1.
    pub score: f32,
    /// 0..=1.
    pub confidence: f32,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What to keep in mind.
    pub caveat: Option<Reason>,
}

/// A sentence that a shopper reads about a frame and a face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The program's own, by its key in the words of each language.
    Known(Cow<'static, str>),
    /// The catalogue's, as it is written there.
    Written(String),
}

impl Reason {
    pub(crate) const fn known(key: &'static str) -> Self {
        Self::Known(Cow::Borrowed(key))
    }

    /// The sentence in the words of a language.
    pub fn text<'a>(&'a self, words: &'a Words) -> &'a str {
        match self {
            Self::Known(key) => words.reason(key),
            Self::Written(sentence) => sentence,
        }
    }
}

impl FaceShapeCompatibility {
    /// Advice in words; styling advice, never a verdict.
    pub fn strength(&self) -> Strength {
        match self.score {
            score if score >= 0.8 => Strength::OftenSuggested,
            score if score >= 0.55 => Strength::WorksToo,
            _ => Strength::LessOften,
        }
    }
}

/// How strongly a frame is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Strength {
    OftenSuggested,
    WorksToo,
    LessOften,
}

impl Strength {
    /// The words a shopper reads.
    pub fn label(self, words: &Words) -> &str {
        match self {
            Self::OftenSuggested => words.say("strength_often"),
            Self::WorksToo => words.say("strength_works"),
            Self::LessOften => words.say("strength_less"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::product::StoredFit;
    use crate::catalog::vocabulary::{FrameShape, Term, Vocabulary};
    use proptest::prelude::*;

    fn frame(outline: Option<FrameShape>, rim: Option<&str>, lens: Option<(f32, f32)>, width: Option<f32>) -> Product {
        let mut product = Product::sample("a", "Nora");
        product.frame_shape = outline.and_then(|outline| Term::parse(Vocabulary::FrameShape, outline.key()));
        product.rim = rim.and_then(|rim| Term::parse(Vocabulary::Rim, rim));
        product.measurements.lens_width = lens.map(|lens| lens.0);
        product.measurements.lens_height = lens.map(|lens| lens.1);
        product.measurements.frame_width = width;
        product
    }

    fn any_frame() -> impl Strategy<Value = Product> {
        (
            prop::option::of(prop::sample::select(FrameShape::ALL.to_vec())),
            prop::option::of(prop::sample::select(vec!["full-rim", "semi-rimless", "rimless"])),
            prop::option::of((20.0..90.0_f32, 15.0..80.0_f32)),
            prop::option::of(80.0..200.0_f32),
        )
            .prop_map(|(outline, rim, lens, width)| frame(outline, rim, lens, width))
    }

    proptest! {
        #[test]
        fn scores_are_bounded_and_deterministic(product in any_frame()) {
            let scores = score(&product, &Rules::default());
            prop_assert_eq!(&scores, &score(&product, &Rules::default()));
            for fit in scores.fits.iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&fit.score) && (0.0..=1.0).contains(&fit.confidence));
                prop_assert!((1..=3).contains(&fit.reasons.len()));
            }
        }

        #[test]
        fn a_higher_stored_score_never_lowers_the_result(
            product in any_frame(), low in 0.0..=1.0_f32, rise in 0.0..=1.0_f32, confidence in prop::option::of(0.0..=1.0_f32),
        ) {
            let with = |score: f32| {
                let mut product = product.clone();
                product.stored_fits[0] = Some(StoredFit { score, confidence, reasons: Vec::new() });
                super::score(&product, &Rules::default()).fits[0].clone().expect("a stored score is always shown")
            };
            prop_assert!(with((low + rise).min(1.0)).score >= with(low).score);
        }
    }

    #[test]
    fn nothing_known_is_nothing_shown() {
        let scores = score(&frame(None, None, None, None), &Rules::default());
        assert!(scores.fits.iter().all(Option::is_none));
    }

    #[test]
    fn the_catalogues_own_rules_come_before_the_convention() {
        let product = frame(Some(FrameShape::Round), None, None, None);
        let mut rules = Rules::default();
        let own = OutlineRule { score: 0.9, confidence: 0.8, reasons: vec!["House rule.".into()] };
        rules.add(FaceShape::Round, "round", own);
        let by_house = score(&product, &rules).fits[FaceShape::Round.index()].clone().expect("a fit");
        let by_convention = score(&product, &Rules::default()).fits[FaceShape::Round.index()].clone().expect("a fit");
        assert!(by_house.score > by_convention.score);
        assert_eq!(by_house.reasons, [Reason::Written("House rule.".into())]);
    }
}
