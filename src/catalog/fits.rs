//! Face-shape scores as the catalogues store them: a map from face shape to a score, with or without confidence and
//! reasons, a list of such entries, or only a list of recommended shapes.

use super::document::Value;
use super::product::StoredFit;
use super::reading::{Reading, line_of, quoted, share_of};
use super::targets::ProductField;
use super::vocabulary::FaceShape;

/// What a catalogue that only recommends a shape, without a score, is taken to say: clearly suited, not best possible.
const RECOMMENDED: f32 = 0.8;

/// Most reasons kept for one face shape.
const MOST_REASONS: usize = 8;

/// The scores of one product, by [`FaceShape::index`].
pub(super) fn of_product(reading: &mut Reading<'_, '_, ProductField>) -> [Option<StoredFit>; 7] {
    let mut fits = [const { None }; 7];
    for found in reading.many(ProductField::FaceShapes) {
        let Value::Map(entries) = found.as_ref() else { continue };
        if let Some(shape) = found.get("shape") {
            if let Some(shape) = face_shape(shape) {
                take(reading, &mut fits, shape, &found);
            }
            continue;
        }
        for (key, value) in entries {
            if let Some(shape) = FaceShape::from_key(key) {
                take(reading, &mut fits, shape, value);
            }
        }
    }
    for value in reading.many(ProductField::RecommendedFaceShapes) {
        if let Some(shape) = face_shape(&value) {
            fits[shape.index()].get_or_insert(StoredFit { score: RECOMMENDED, confidence: None, reasons: Vec::new() });
        }
    }
    fits
}

fn take(
    reading: &mut Reading<'_, '_, ProductField>,
    fits: &mut [Option<StoredFit>; 7],
    shape: FaceShape,
    value: &Value<'_>,
) {
    if fits[shape.index()].is_some() || !value.is_given() {
        return;
    }
    match stored_fit(value) {
        Ok(fit) => fits[shape.index()] = fit,
        Err(score) => reading.repaired("bad_score", ProductField::FaceShapes, || {
            format!(
                "{} is not a score between 0 and 1, so it was left out; percent need `factor: 0.01` in a mapping",
                quoted(score)
            )
        }),
    }
}

/// A face shape named by a value.
pub(super) fn face_shape(value: &Value<'_>) -> Option<FaceShape> {
    FaceShape::from_key(&line_of(value, 40)?)
}

/// A score with what stands beside it; an error is the faulty score.
pub(super) fn stored_fit<'v, 'a>(value: &'v Value<'a>) -> Result<Option<StoredFit>, &'v Value<'a>> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| value.get(key).filter(|value| value.is_given()));
    let score = match value {
        Value::Map(_) => first(&["score", "compatibility_score"]),
        scalar => Some(scalar),
    };
    let Some(score) = score else { return Ok(None) };
    let reasons = match first(&["reasons", "simple_reasoning", "reasoning"]) {
        None => Vec::new(),
        Some(Value::List(items)) => items.iter().filter_map(|item| line_of(item, 300)).take(MOST_REASONS).collect(),
        Some(item) => line_of(item, 300).into_iter().collect(),
    };
    let confidence = first(&["confidence", "confidence_level"]).and_then(share_of);
    Ok(Some(StoredFit { score: share_of(score).ok_or(score)?, confidence, reasons }))
}
