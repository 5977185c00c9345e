//! Numbers: how well a frame suits each face shape, how good its document is, how popular it is.

use serde::{Deserialize, Serialize};

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
