//! What a catalogue is worth before anything is built from it: counts by reason, coverage, worst offenders.

use super::{RunError, media_of, read_catalog, theme};
use crate::config::StoreConfiguration;
use crate::content::ContentPage;
use crate::enhance::{EnhancedCatalog, EnhancedProduct, ProductRecord};
use crate::event::{Event, Finding, Observer, Outcome};
use crate::language::is_same_language;
use crate::pages::Theme;
use crate::score::quality;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Examples kept for each reason, and products listed as the worst.
const EXAMPLES: usize = 3;
const WORST: usize = 10;

/// The state of a catalogue.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the output's own")]
pub struct CatalogReport {
    /// Documents read.
    pub documents: u64,
    /// Products that would be in the store.
    pub products: u64,
    pub brands: u64,
    pub categories: u64,
    /// Documents left out because they cannot be sold.
    pub skipped: u64,
    /// Documents left out on purpose.
    pub excluded: u64,
    /// By reason, most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// Mean quality of the products, 0..=1.
    pub mean_quality: f32,
    /// For each part of the quality, the share of products that have it in full, 0..=1.
    pub coverage: Vec<Coverage>,
    /// The products with the lowest quality.
    pub worst: Vec<Offender>,
    /// What the languages of the store lack; those that lack nothing are not here.
    pub languages: Vec<LanguageGaps>,
}

/// What is shown in another language than it should be.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the output's own")]
pub struct LanguageGaps {
    pub locale: String,
    /// Keys of the texts that pages show in English.
    pub untranslated: Vec<String>,
    /// Products whose name is the one in the store's own language.
    pub unnamed_products: u64,
    /// Settings whose text is the one in the store's own language.
    pub untranslated_settings: Vec<String>,
    /// Pages of the content folder whose text is in another language, by address.
    pub untranslated_content: Vec<String>,
}

impl LanguageGaps {
    fn is_any(&self) -> bool {
        let Self { locale: _, untranslated, unnamed_products, untranslated_settings, untranslated_content } = self;
        *unnamed_products > 0
            || [untranslated, untranslated_settings, untranslated_content].iter().any(|keys| !keys.is_empty())
    }
}

/// How often something was found.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the output's own")]
pub struct ReasonCount {
    pub reason: String,
    pub outcome: Outcome,
    pub count: u64,
    /// The first few by id.
    pub examples: Vec<Finding>,
}

/// How many products have something.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the output's own")]
pub struct Coverage {
    pub part: &'static str,
    pub share: f32,
}

/// A product that needs attention.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the output's own")]
pub struct Offender {
    pub id: String,
    pub sku: Option<String>,
    pub name: String,
    pub quality: f32,
    /// Parts of the quality that are missing or incomplete.
    pub lacks: Vec<&'static str>,
}

impl CatalogReport {
    /// Whether any document cannot be sold.
    pub fn has_skips(&self) -> bool {
        self.skipped > 0
    }
}

/// Reads the whole catalogue and reports on it.
///
/// # Errors
/// When the catalogue cannot be read.
pub fn check(config: &StoreConfiguration, work_dir: &Path, observer: &dyn Observer) -> Result<CatalogReport, RunError> {
    let tally = Tally { observer, reasons: Mutex::default() };
    let theme = theme::load(config)?;
    let read = read_catalog(config, theme.words(), &media_of(config), work_dir, &tally)?;
    let catalog = &read.catalog;
    let count = catalog.records.len();

    let met: Vec<[bool; 10]> = (0..count as u32)
        .into_par_iter()
        .map(|index| catalog.product(index).map(|full| quality::parts(&full.product).map(|part| part.met >= 1.0)))
        .collect::<anyhow::Result<_>>()?;
    let share = |part: usize| met.iter().filter(|met| met[part]).count() as f32 / count.max(1) as f32;
    let mut lowest: Vec<u32> = (0..count as u32).collect();
    lowest.sort_by_key(|&index| {
        let record = catalog.records.at(index);
        (record.quality, record.id.clone())
    });
    let offenders = lowest.iter().take(WORST).map(|&index| catalog.product(index).map(|full| offender(&full)));
    let worst: Vec<Offender> = offenders.collect::<anyhow::Result<_>>()?;
    catalog.records.verify()?;
    let reasons = tally.into_counts();
    let total =
        |outcome: Outcome| reasons.iter().filter(|reason| reason.outcome == outcome).map(|reason| reason.count).sum();
    let qualities: u64 = catalog.records.iter().map(|record| u64::from(record.quality)).sum();
    Ok(CatalogReport {
        documents: read.documents,
        products: count as u64,
        brands: catalog.brands.len() as u64,
        categories: catalog.categories.len() as u64,
        skipped: total(Outcome::Skipped),
        excluded: total(Outcome::Excluded),
        mean_quality: qualities as f32 / 1000.0 / count.max(1) as f32,
        coverage: quality::PARTS
            .iter()
            .enumerate()
            .map(|(at, (part, _))| Coverage { part, share: share(at) })
            .collect(),
        reasons,
        worst,
        languages: gaps(config, &theme, catalog),
    })
}

fn gaps(config: &StoreConfiguration, theme: &Theme, catalog: &EnhancedCatalog) -> Vec<LanguageGaps> {
    let languages = theme.untranslated().enumerate().map(|(position, (locale, untranslated))| {
        let is_named = |record: &ProductRecord| record.names.iter().any(|(named, _)| **named == *locale);
        let unnamed = catalog.records.iter().filter(|record| position > 0 && !is_named(record)).count();
        LanguageGaps {
            locale: locale.to_string(),
            untranslated: untranslated.into_iter().map(str::to_string).collect(),
            unnamed_products: unnamed as u64,
            untranslated_settings: config.untranslated.get(locale).cloned().unwrap_or_default(),
            untranslated_content: lent(config, locale),
        }
    });
    languages.filter(LanguageGaps::is_any).collect()
}

/// Addresses of the content folder's pages that are shown in another language.
fn lent(config: &StoreConfiguration, locale: &str) -> Vec<String> {
    let own = config.locales.first().map_or("", String::as_str);
    let is_lent = |page: &&ContentPage| page.version(locale, own).is_some_and(|(of, _)| !is_same_language(of, locale));
    config.content.pages.iter().filter(is_lent).map(|page| page.address.clone()).collect()
}

fn offender(full: &EnhancedProduct) -> Offender {
    let parts = quality::parts(&full.product);
    Offender {
        id: full.product.id.clone(),
        sku: full.product.sku.clone(),
        name: full.product.name.clone(),
        quality: full.scores.quality,
        lacks: parts.iter().filter(|part| part.met < 1.0).map(|part| part.name).collect(),
    }
}

type Counted = BTreeMap<(Outcome, String), (u64, Vec<Finding>)>;

/// Counts findings by reason and keeps a few examples, the smallest ids.
struct Tally<'a> {
    observer: &'a dyn Observer,
    reasons: Mutex<Counted>,
}

impl Tally<'_> {
    fn into_counts(self) -> Vec<ReasonCount> {
        let reasons = self.reasons.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut counts: Vec<ReasonCount> = reasons
            .into_iter()
            .map(|((outcome, reason), (count, examples))| ReasonCount { reason, outcome, count, examples })
            .collect();
        counts.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        counts
    }
}

impl Observer for Tally<'_> {
    fn observe(&self, event: Event) {
        let Event::Found(finding) = event else {
            return self.observer.observe(event);
        };
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, examples) = reasons.entry((finding.outcome, finding.reason.clone())).or_default();
        *count += 1;
        let place = examples.partition_point(|example| example.document <= finding.document);
        if place < EXAMPLES {
            examples.insert(place, finding);
            examples.truncate(EXAMPLES);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}
