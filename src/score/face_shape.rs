//! Compatibility of a frame with a face shape: the stored score and the rule model, and how they are combined.
//!
//! The rule model starts from the outline (the catalogue's own rules where it has them, else the trade's table), then
//! looks at rim, depth and size. It is a convention, so its confidence stays below that of a confident stored score.
//!
//! Combination. With stored score `s` and confidence `c`, rule score `r` and confidence `q`:
//! `score = (c*s + (1-c)*q*r) / (c + (1-c)*q)`, so a stored score that is sure of itself stands as it is, one that is
//! not leaves room for the rules, and the result never falls as `s` rises. The confidence of the result is the better
//! of both, raised as far towards `1-(1-c)(1-q)` as the two agree: it is never below what either part knew.

use super::matrix::{self, Standing};
use super::{FaceShapeCompatibility, Reason, Rules};
use crate::catalog::product::{Product, StoredFit};
use crate::catalog::vocabulary::{FaceShape, FrameShape};

/// Confidence of a stored score whose document states none.
pub const UNSTATED_CONFIDENCE: f64 = 0.5;

/// Reasons kept for a face shape.
const MOST_REASONS: usize = 3;

/// Characters of a stored reason that are shown; longer ones are essays, not reasons.
const LONGEST_REASON: usize = 200;

/// How a compatibility came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Score and confidence that came with the product.
    pub stored: Option<(f64, f64)>,
    /// What the rule model says.
    pub rule: Option<RuleScore>,
    /// The combination that pages show.
    pub combined: FaceShapeCompatibility,
}

/// What the rule model says, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleScore {
    /// 0..=1, after all steps.
    pub score: f64,
    /// 0..=1.
    pub confidence: f64,
    /// Each step: what was looked at, and by how much it moved the score.
    pub steps: Vec<(String, f64)>,
    /// For shoppers, most telling first.
    pub reasons: Vec<Reason>,
    standing: Standing,
}

/// Assesses one face shape; `None` when neither the product nor the rules know anything.
pub fn assess(product: &Product, rules: &Rules, face: FaceShape) -> Option<Assessment> {
    let stored_fit = product.stored_fits[face.index()].as_ref();
    let stored = stored_fit.map(|fit| {
        let confidence = fit.confidence.map_or(UNSTATED_CONFIDENCE, f64::from);
        (unit(f64::from(fit.score)), unit(confidence))
    });
    let rule = by_rules(product, rules, face);
    let (score, confidence) = match (stored, &rule) {
        (None, None) => return None,
        (Some(stored), None) => stored,
        (None, Some(rule)) => (rule.score, rule.confidence),
        (Some(stored), Some(rule)) => combine(stored, (rule.score, rule.confidence)),
    };
    let combined = FaceShapeCompatibility {
        score: thousandths(score),
        confidence: thousandths(confidence),
        reasons: reasons(stored_fit, rule.as_ref(), score),
        caveat: Some(Reason::known(caveat(score, rule.as_ref()))),
    };
    Some(Assessment { stored, rule, combined })
}

/// Combines a stored and a rule `(score, confidence)`; see the module's text for the formula and its properties.
pub fn combine(stored: (f64, f64), rule: (f64, f64)) -> (f64, f64) {
    let (stored_score, stored_confidence) = (unit(stored.0), unit(stored.1));
    let (rule_score, rule_confidence) = (unit(rule.0), unit(rule.1));
    let rule_weight = (1.0 - stored_confidence) * rule_confidence;
    let weight = stored_confidence + rule_weight;
    let score = if weight > 0.0 {
        (stored_confidence * stored_score + rule_weight * rule_score) / weight
    } else {
        stored_score
    };
    let better = stored_confidence.max(rule_confidence);
    let together = 1.0 - (1.0 - stored_confidence) * (1.0 - rule_confidence);
    let agreement = 1.0 - (stored_score - rule_score).abs();
    (unit(score), unit(better + (together - better).max(0.0) * agreement))
}

fn by_rules(product: &Product, rules: &Rules, face: FaceShape) -> Option<RuleScore> {
    let outline = product.frame_shape.as_ref().and_then(|term| FrameShape::from_key(&term.key));
    let rim = product.rim.as_ref().map(|term| term.key.as_str());
    let mut steps = Vec::new();
    let mut reasons = Vec::new();
    let (mut score, mut confidence, mut standing);

    let own_rule = product.frame_shape.as_ref().and_then(|term| rules.find(face, &term.key));
    if let Some(own) = own_rule {
        score = unit(own.score);
        confidence = unit(own.confidence);
        standing = Standing::Agreed;
        steps.push(("the catalogue's rule for this outline".to_string(), score));
        reasons.extend(own.reasons.iter().map(|reason| written(reason)));
        if reasons.is_empty() {
            reasons.extend(outline.map(|outline| Reason::known(matrix::reason(face, outline))));
        }
    } else if let Some(outline) = outline {
        let cell = matrix::cell(face, outline);
        score = matrix::worth(cell.strength);
        confidence = matrix::trust(cell.standing);
        standing = cell.standing;
        steps.push((format!("{} outline on a {} face", outline.key(), face.key()), score));
        reasons.push(Reason::known(matrix::reason(face, outline)));
    } else if let Some("rimless" | "semi-rimless") = rim {
        let cell = matrix::rimless_cell(face, rim == Some("semi-rimless"));
        score = matrix::worth(cell.strength);
        // The rim alone says less than an outline does.
        confidence = matrix::trust(cell.standing) * 0.75;
        standing = cell.standing;
        steps.push((format!("front without a full rim on a {} face", face.key()), score));
        reasons.push(Reason::known(matrix::rimless_reason(face)));
        return Some(RuleScore { score, confidence, steps, reasons, standing });
    } else {
        return None;
    }

    if let Some("rimless" | "semi-rimless") = rim {
        let semi = rim == Some("semi-rimless");
        let cell = matrix::rimless_cell(face, semi);
        // A rimless front shows little of its outline, a semi-rimless one half of it.
        let share = if semi { 0.25 } else { 0.5 };
        let moved = (matrix::worth(cell.strength) - score) * share;
        score = unit(score + moved);
        confidence *= 0.95;
        if cell.standing != Standing::Agreed {
            standing = cell.standing;
        }
        steps.push((if semi { "semi-rimless front" } else { "rimless front" }.to_string(), moved));
        reasons.push(Reason::known(matrix::rimless_reason(face)));
    }
    for (what, moved, why) in [depth(product, face), breadth(product, face)].into_iter().flatten() {
        score = unit(score + moved);
        // Measured proportions are facts: they make the convention a little firmer.
        confidence = unit(confidence + 0.03);
        steps.push((what.to_string(), moved));
        reasons.push(Reason::known(why));
    }
    Some(RuleScore { score, confidence, steps, reasons, standing })
}

type Step = (&'static str, f64, &'static str);

/// Depth of the front: height of a lens over its width. Adult lenses lie around 0.75.
fn depth(product: &Product, face: FaceShape) -> Option<Step> {
    let measured = &product.measurements;
    let height = measured.lens_height.or(measured.frame_height)?;
    let ratio = height / measured.lens_width?;
    let deep = ratio >= 0.85;
    let shallow = ratio <= 0.62;
    Some(match face {
        FaceShape::Oblong if deep => ("deep lenses", 0.08, "oblong_deep_lenses"),
        FaceShape::Oblong if shallow => ("shallow lenses", -0.10, "oblong_shallow_lenses"),
        FaceShape::Round if shallow => ("shallow lenses", 0.06, "round_shallow_lenses"),
        FaceShape::Round if deep => ("deep lenses", -0.06, "round_deep_lenses"),
        FaceShape::Square if shallow => ("shallow lenses", 0.04, "square_shallow_lenses"),
        FaceShape::Heart if deep => ("deep lenses", 0.04, "heart_deep_lenses"),
        _ => return None,
    })
}

/// Width of the front in mm, where it is far from the middle of adult frames (about 125 to 145).
fn breadth(product: &Product, face: FaceShape) -> Option<Step> {
    let width = product.measurements.frame_width?;
    let very_wide = width >= 148.0;
    let very_narrow = width <= 122.0;
    Some(match face {
        FaceShape::Oblong if very_wide => ("very wide front", 0.04, "oblong_wide"),
        FaceShape::Oblong | FaceShape::Diamond | FaceShape::Triangle if very_narrow => {
            ("very narrow front", -0.06, "narrow_front")
        }
        FaceShape::Oval | FaceShape::Heart if very_wide => ("very wide front", -0.06, "wide_front"),
        FaceShape::Round if very_narrow => ("very narrow front", -0.04, "round_narrow"),
        _ => return None,
    })
}

fn reasons(stored: Option<&StoredFit>, rule: Option<&RuleScore>, score: f64) -> Vec<Reason> {
    let stored_reasons = stored.into_iter().flat_map(|fit| &fit.reasons).map(|reason| written(reason)).take(2);
    let mut reasons: Vec<Reason> = Vec::new();
    // A rule that points the other way than the result would contradict the badge beside it.
    let rule = rule.filter(|rule| stored.is_none() || (rule.score >= 0.55) == (score >= 0.55));
    for reason in stored_reasons.chain(rule.into_iter().flat_map(|rule| rule.reasons.iter().cloned())) {
        if reason != Reason::Written(String::new()) && !reasons.contains(&reason) && reasons.len() < MOST_REASONS {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() {
        reasons.push(Reason::known(match score {
            score if score >= 0.8 => "model_high",
            score if score >= 0.55 => "model_works",
            _ => "model_low",
        }));
    }
    reasons
}

fn written(reason: &str) -> Reason {
    let words = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    Reason::Written(crate::catalog::text::shortened(&words, LONGEST_REASON))
}

fn caveat(score: f64, rule: Option<&RuleScore>) -> &'static str {
    match rule.map(|rule| rule.standing) {
        Some(Standing::Disputed) => "caveat_disputed",
        Some(Standing::Derived) => "caveat_derived",
        _ if score < 0.55 => "caveat_width_right",
        _ => "caveat_width_first",
    }
}

fn unit(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

fn thousandths(value: f64) -> f32 {
    ((value * 1000.0).round() / 1000.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn combining_is_bounded_monotonic_and_never_worse_informed(
            low in 0.0..=1.0_f64, rise in 0.0..=1.0_f64, confidence in 0.0..=1.0_f64,
            rule_score in 0.0..=1.0_f64, rule_confidence in 0.0..=1.0_f64,
        ) {
            let high = (low + rise).min(1.0);
            let rule = (rule_score, rule_confidence);
            let (score_low, known_low) = combine((low, confidence), rule);
            let (score_high, known_high) = combine((high, confidence), rule);
            prop_assert!((0.0..=1.0).contains(&score_low) && (0.0..=1.0).contains(&known_low));
            prop_assert!(score_high >= score_low - 1e-12);
            for known in [known_low, known_high] {
                prop_assert!(known >= confidence.max(rule_confidence) - 1e-12);
            }
            prop_assert!(score_low >= low.min(rule_score) - 1e-12 && score_low <= low.max(rule_score) + 1e-12);
        }

        #[test]
        fn a_certain_stored_score_stands_as_it_is(score in 0.0..=1.0_f64, rule in (0.0..=1.0_f64, 0.0..=1.0_f64)) {
            let (combined, confidence) = combine((score, 1.0), rule);
            prop_assert!((combined - score).abs() < 1e-12);
            prop_assert!((confidence - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn nonsense_is_taken_as_nothing_known() {
        assert_eq!(combine((f64::NAN, f64::NAN), (f64::NAN, f64::NAN)).0, 0.0);
    }
}
