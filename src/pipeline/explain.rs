//! How a product got its scores, its quality and its place.

use super::{RunError, media_of, read_catalog, theme};
use crate::catalog::vocabulary::FaceShape;
use crate::config::StoreConfiguration;
use crate::event::{Event, Finding, Observer};
use crate::language::Words;
use crate::score::{face_shape, quality};
use serde::Serialize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// All there is to say about the products that a stock unit, id or slug stands for.
#[derive(Debug, Default, Serialize)]
pub struct Explanation {
    /// Products in the store.
    pub products: Vec<ExplainedProduct>,
    /// What was found in documents of that id, kept or not.
    pub findings: Vec<Finding>,
}

/// One product, explained.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the output's own")]
pub struct ExplainedProduct {
    pub id: String,
    pub sku: Option<String>,
    pub name: String,
    pub url_path: String,
    /// Place in the store's order, from 1, and how many products there are.
    pub place: (usize, usize),
    pub quality: f32,
    /// Where the quality comes from.
    pub quality_parts: Vec<ExplainedPart>,
    pub popularity: f32,
    pub size: Option<String>,
    pub face_shapes: Vec<ExplainedFit>,
    pub related: Vec<String>,
    pub seo_title: String,
    pub seo_description: String,
}

/// A part of the quality; the only one is `catalogue` where the document brought its score along.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the output's own")]
pub struct ExplainedPart {
    pub part: &'static str,
    pub weight: f64,
    pub met: f64,
}

/// A face shape: both opinions and what became of them.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the output's own")]
pub struct ExplainedFit {
    pub face_shape: &'static str,
    pub score: f32,
    pub confidence: f32,
    pub strength: String,
    /// Score and confidence that came with the product.
    pub stored: Option<(f64, f64)>,
    /// Score and confidence of the rule model.
    pub rules: Option<(f64, f64)>,
    /// Each step of the rule model: what it looked at, and by how much it moved the score.
    pub steps: Vec<(String, f64)>,
    pub reasons: Vec<String>,
    pub caveat: Option<String>,
}

/// Explains every product whose stock unit, id or slug is `wanted`.
///
/// # Errors
/// When the catalogue cannot be read.
pub fn explain(
    config: &StoreConfiguration,
    wanted: &str,
    work_dir: &Path,
    observer: &dyn Observer,
) -> Result<Explanation, RunError> {
    let listener = Listener { observer, findings: Mutex::default() };
    let words = Words::english();
    // Titles and descriptions are those of the store, in its language.
    let theme = theme::load(config)?;
    let read = read_catalog(config, theme.words(), &media_of(config), work_dir, &listener)?;
    let catalog = &read.catalog;
    let mut explanation = Explanation::default();
    let mut ids = vec![wanted.to_string()];
    for (index, record) in (0..).zip(catalog.records.iter()) {
        if record.sku.as_deref() != Some(wanted) && &*record.id != wanted && &*record.slug != wanted {
            continue;
        }
        let full = catalog.product(index)?;
        let related = catalog.related.to(index).iter();
        let product = &full.product;
        let quality_parts = match product.quality {
            Some(stored) => vec![ExplainedPart { part: "catalogue", weight: 1.0, met: f64::from(stored) }],
            None => quality::parts(product)
                .into_iter()
                .map(|part| ExplainedPart { part: part.name, weight: part.weight, met: part.met })
                .collect(),
        };
        let face_shapes = FaceShape::ALL
            .into_iter()
            .filter_map(|face| {
                let assessment = face_shape::assess(product, &read.rules, face)?;
                let combined = assessment.combined;
                Some(ExplainedFit {
                    face_shape: face.key(),
                    score: combined.score,
                    confidence: combined.confidence,
                    strength: combined.strength().label(&words).to_string(),
                    stored: assessment.stored,
                    rules: assessment.rule.as_ref().map(|rule| (rule.score, rule.confidence)),
                    steps: assessment.rule.map(|rule| rule.steps).unwrap_or_default(),
                    reasons: combined.reasons.iter().map(|reason| reason.text(&words).to_string()).collect(),
                    caveat: combined.caveat.map(|caveat| caveat.text(&words).to_string()),
                })
            })
            .collect();
        ids.push(product.id.clone());
        explanation.products.push(ExplainedProduct {
            id: product.id.clone(),
            sku: product.sku.clone(),
            name: product.name.clone(),
            url_path: format!("/products/{}/", record.slug),
            place: (index as usize + 1, catalog.records.len()),
            quality: full.scores.quality,
            quality_parts,
            popularity: full.scores.popularity,
            size: full.size.as_ref().map(|size| {
                let printed = size.printed.as_deref().map(|printed| format!(" ({printed})")).unwrap_or_default();
                let estimated = if size.estimated { ", estimated" } else { "" };
                format!("{}{printed}, front {:.0} mm{estimated}", size.class.label(), size.front_width)
            }),
            face_shapes,
            related: related.map(|&other| catalog.records.at(other).slug.to_string()).collect(),
            seo_title: full.seo.title,
            seo_description: full.seo.description,
        });
    }
    catalog.records.verify()?;
    let findings = listener.findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    explanation.findings = findings.into_iter().filter(|finding| ids.contains(&finding.document)).collect();
    explanation.findings.sort_by(|a, b| (&a.document, &a.reason, &a.field).cmp(&(&b.document, &b.reason, &b.field)));
    Ok(explanation)
}

struct Listener<'a> {
    observer: &'a dyn Observer,
    findings: Mutex<Vec<Finding>>,
}

impl Observer for Listener<'_> {
    fn observe(&self, event: Event) {
        match event {
            Event::Found(finding) => self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(finding),
            other => self.observer.observe(other),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}
