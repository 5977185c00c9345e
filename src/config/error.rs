//! What is wrong with a store file, told so that a stranger can mend it.
//!
//! Errors are collected, put in the order of the file and shown together, each with its line and a caret.

use super::source::{Place, redact};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing wrong with a store file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Where in the file; absent when it is the whole file, or a setting from outside it.
    pub place: Option<Place>,
    /// What is wrong. Never holds a secret.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl ConfigError {
    /// An error; secrets are taken out of both texts.
    pub fn new(file: &Path, place: Option<Place>, message: &str, hint: Option<&str>) -> Self {
        Self { file: file.to_path_buf(), place, message: redact(message), hint: hint.map(redact) }
    }

    fn render(&self, renderer: &Renderer) -> String {
        let file = self.file.display().to_string();
        let mut group = Group::with_title(Level::ERROR.primary_title(self.message.as_str()));
        if let Some(place) = &self.place {
            let mark = AnnotationKind::Primary.span(place.underline.clone());
            let mut snippet = Snippet::source(place.text.as_str()).line_start(place.line).annotation(mark);
            if place.is_whole() {
                snippet = snippet.path(file);
            } else {
                // A snippet counts columns in what it shows; where that is not the whole line, the true one is told apart.
                group = group.element(Origin::path(file).line(place.line).char_column(place.column));
            }
            group = group.element(snippet);
        } else {
            group = group.element(Origin::path(file));
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        renderer.render(&[group])
    }
}

/// Everything wrong with a store file, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
}

impl ConfigErrors {
    /// Puts errors in the order of the file; those without a place come last.
    pub fn new(mut errors: Vec<ConfigError>) -> Self {
        errors.sort_by_key(|error| error.place.as_ref().map_or((usize::MAX, 0), |place| (place.line, place.column)));
        errors.dedup();
        Self { errors }
    }

    /// The one error that ends the reading of a file.
    pub(super) fn one(file: &Path, place: Option<Place>, message: &str, hint: Option<&str>) -> Self {
        Self { errors: vec![ConfigError::new(file, place, message, hint)] }
    }

    /// The errors, in the order of the file.
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// The errors for a terminal, each with its line and a caret, with a blank line between them.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        self.errors.iter().map(|error| error.render(&renderer)).collect::<Vec<_>>().join("\n\n")
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigErrors {}
