//! Reading one document through a mapping: a field at a time, cleaned and bounded, with notes on what was wrong.
//!
//! Bounds on text and lists keep one hostile document from filling the memory; they are far above what real catalogues
//! hold. A document gets at most one note a reason, and a document that is left out gets exactly one.

use super::document::Value;
use super::mapping::{Mapping, Target};
use super::product::{Translation, Translations};
use super::scalars;
use super::vocabulary::{Term, Vocabulary};
use crate::event::{Finding, Outcome};
use std::borrow::Cow;

/// Longest wording of a term, in characters.
const LONGEST_TERM: usize = 120;

/// Longest value quoted in a note, in characters.
const LONGEST_QUOTE: usize = 60;

/// The findings of one document.
pub(super) struct Notes<'n> {
    findings: &'n mut Vec<Finding>,
    from: usize,
    collection: &'n str,
    document: String,
}

impl<'n> Notes<'n> {
    pub(super) fn new(findings: &'n mut Vec<Finding>, collection: &'n str, document: String) -> Self {
        let from = findings.len();
        Self { findings, from, collection, document }
    }

    /// Notes something mended, unless that reason is noted already.
    pub(super) fn repaired(&mut self, reason: &str, field: impl FnOnce() -> String, detail: impl FnOnce() -> String) {
        if !self.findings[self.from..].iter().any(|finding| finding.reason == reason) {
            self.push(Outcome::Repaired, reason, field(), detail());
        }
    }

    /// Notes that the document is left out, in place of all other notes on it.
    pub(super) fn left_out(&mut self, outcome: Outcome, reason: &str, field: String, detail: String) {
        self.findings.truncate(self.from);
        self.push(outcome, reason, field, detail);
    }

    fn push(&mut self, outcome: Outcome, reason: &str, field: String, detail: String) {
        self.findings.push(Finding {
            outcome,
            reason: reason.into(),
            collection: self.collection.into(),
            document: self.document.clone(),
            field,
            detail,
        });
    }
}

/// A document, the mapping it is read with, and what was noted on the way.
pub(super) struct Reading<'d, 'n, T> {
    pub(super) mapping: &'d Mapping<T>,
    pub(super) document: &'d Value<'d>,
    /// Locales of the store, its own first.
    pub(super) locales: &'d [String],
    pub(super) notes: Notes<'n>,
}

impl<'d, T: Target> Reading<'d, '_, T> {
    pub(super) fn one(&self, field: T) -> Option<Cow<'d, Value<'d>>> {
        self.mapping.one(self.document, field)
    }

    /// A text in the store's own language, where the catalogue has it in several.
    pub(super) fn text(&self, field: T) -> Option<Cow<'d, Value<'d>>> {
        let (mapping, document) = (self.mapping, self.document);
        let own = || mapping.in_language(document, field, self.locales.first()?);
        let found =
            if self.locales.len() > 1 { own().or_else(|| self.one(field)) } else { self.one(field).or_else(own) };
        let english = || mapping.in_language(document, field, "en");
        found.or_else(english).or_else(|| mapping.in_any_language(document, field))
    }

    /// One line of such a text.
    pub(super) fn text_line(&self, field: T, longest: usize) -> Option<String> {
        line_of(self.text(field)?.as_ref(), longest)
    }

    /// What the catalogue has of a document's texts in the store's further languages; `texts` reads them in one.
    pub(super) fn translations(
        &self,
        texts: impl Fn(&dyn Fn(T) -> Option<Cow<'d, Value<'d>>>) -> Translation,
    ) -> Translations {
        let further = self.locales.iter().skip(1).filter_map(|locale| {
            let translation = texts(&|field| self.mapping.in_language(self.document, field, locale));
            (translation != Translation::default()).then(|| (locale.clone(), translation))
        });
        further.collect()
    }

    pub(super) fn many(&self, field: T) -> Vec<Cow<'d, Value<'d>>> {
        self.mapping.many(self.document, field)
    }

    pub(super) fn place(&self, field: T) -> String {
        self.mapping.place(self.document, field)
    }

    pub(super) fn repaired(&mut self, reason: &str, field: T, detail: impl FnOnce() -> String) {
        let (mapping, document) = (self.mapping, self.document);
        self.notes.repaired(reason, || mapping.place(document, field), detail);
    }

    pub(super) fn identifier(&self, field: T) -> Option<String> {
        scalars::identifier(self.one(field)?.as_ref())
    }

    /// One line of text, at most so many characters.
    pub(super) fn line(&self, field: T, longest: usize) -> Option<String> {
        line_of(self.one(field)?.as_ref(), longest)
    }

    /// Distinct lines, at most so many.
    pub(super) fn lines(&self, field: T, longest: usize, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for value in self.many(field) {
            if let Some(line) = line_of(value.as_ref(), longest).filter(|line| !lines.contains(line)) {
                lines.push(line);
            }
            if lines.len() == most {
                break;
            }
        }
        lines
    }

    pub(super) fn term(&self, field: T, vocabulary: Vocabulary) -> Option<Term> {
        Term::parse(vocabulary, &self.line(field, LONGEST_TERM)?)
    }

    /// Distinct terms, at most so many.
    pub(super) fn terms(&self, field: T, vocabulary: Vocabulary, most: usize) -> Vec<Term> {
        let mut terms: Vec<Term> = Vec::new();
        for line in self.lines(field, LONGEST_TERM, most) {
            if let Some(term) = Term::parse(vocabulary, &line).filter(|term| terms.iter().all(|t| t.key != term.key)) {
                terms.push(term);
            }
        }
        terms
    }

    pub(super) fn truth(&self, field: T) -> Option<bool> {
        scalars::truth(self.one(field)?.as_ref())
    }

    pub(super) fn integer(&self, field: T) -> Option<i64> {
        scalars::integer(self.one(field)?.as_ref())
    }

    pub(super) fn count(&self, field: T) -> Option<u64> {
        u64::try_from(self.integer(field)?).ok()
    }

    pub(super) fn moment(&self, field: T) -> Option<i64> {
        scalars::moment(self.one(field)?.as_ref())
    }

    /// A number between 0 and 1; anything else is left out with a note.
    pub(super) fn share(&mut self, field: T) -> Option<f32> {
        let value = self.one(field)?;
        let share = share_of(value.as_ref());
        if share.is_none() {
            let name = T::ALL[field.index()].0;
            self.repaired("bad_score", field, || {
                format!(
                    "{} is not between 0 and 1, so `{name}` was left out; percent need `factor: 0.01` in a mapping",
                    quoted(&value)
                )
            });
        }
        share
    }

    /// Whether everything that speaks of it says that the document is in use.
    pub(super) fn is_active(&self, field: T) -> bool {
        self.many(field).iter().all(|value| is_active(value))
    }
}

/// `true` and words for a published document; statuses nobody knows are taken for not published.
fn is_active(value: &Value<'_>) -> bool {
    if !value.is_given() {
        return true;
    }
    scalars::truth(value).unwrap_or_else(|| {
        let words = scalars::text(value).unwrap_or_default().trim().to_ascii_lowercase();
        matches!(words.as_str(), "active" | "published" | "enabled" | "live" | "visible")
    })
}

/// One line of clean text, unless nothing is left of it.
pub(super) fn line_of(value: &Value<'_>, longest: usize) -> Option<String> {
    Some(scalars::clean_line(&scalars::text(value)?, longest)).filter(|line| !line.is_empty())
}

/// A number between 0 and 1.
pub(super) fn share_of(value: &Value<'_>) -> Option<f32> {
    let share = scalars::float(value)?;
    (0.0..=1.0).contains(&share).then_some(share as f32)
}

/// A value as a note may show it: short, on one line, in backticks.
pub(super) fn quoted(value: &Value<'_>) -> String {
    let words = match value {
        Value::Map(_) => return "a nested document".into(),
        Value::List(_) => return "a list".into(),
        Value::Bool(truth) => Cow::Owned(truth.to_string()),
        Value::Double(number) => Cow::Owned(format!("{number:?}")),
        other => scalars::text(other).unwrap_or(Cow::Borrowed("a value of another kind")),
    };
    let mut line = scalars::clean_line(&words, LONGEST_QUOTE).replace('`', "'");
    if words.chars().take(LONGEST_QUOTE + 1).count() > LONGEST_QUOTE {
        line.push('…');
    }
    format!("`{line}`")
}
