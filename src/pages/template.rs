//! The template engine behind the pages: compilation, escaping, and errors with a place.
//!
//! Takes template texts and plain structs; makes HTML. Fields are always escaped for text and quoted attributes
//! unless a template asks for `{{{ }}}`. Never looks for files.

use super::theme::ThemeError;
use super::words::Words;
use handlebars::Handlebars;
use serde::Serialize;

/// Compiled templates by name, such as `pages/home`.
#[derive(Debug)]
pub(crate) struct Templates {
    engine: Handlebars<'static>,
    /// Of everything that was compiled.
    sources: blake3::Hasher,
}

impl Templates {
    pub(crate) fn new() -> Self {
        let mut engine = Handlebars::new();
        // A field that a template misspells is an error with a line, not an empty place in the store.
        engine.set_strict_mode(true);
        engine.set_prevent_indent(true);
        engine.register_escape_fn(escape);
        Self { engine, sources: blake3::Hasher::new() }
    }

    /// Compiles a template after filling in its words; `file` is where mistakes are reported.
    pub(crate) fn add(&mut self, name: &str, file: &str, text: &str, words: &Words) -> Result<(), ThemeError> {
        let text = tightened(&fill_words(file, text, words)?);
        self.sources.update(name.as_bytes()).update(&[0]).update(text.as_bytes()).update(&[0]);
        self.engine.register_template_string(name, text).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 0));
            ThemeError::Template { file: file.into(), line, column: column + 1, detail: error.reason().to_string() }
        })
    }

    /// A hash of all templates with the words in them.
    pub(crate) fn digest(&self) -> blake3::Hash {
        self.sources.finalize()
    }

    /// Renders a template.
    ///
    /// # Errors
    /// When the template asks for a field that is not there; the message has template and line.
    pub(crate) fn render<T: Serialize>(&self, name: &str, context: &T) -> anyhow::Result<String> {
        self.engine.render(name, context).map_err(|error| {
            let place = match (error.line_no, error.column_no) {
                (Some(line), Some(column)) => format!("templates/{name}.hbs:{line}:{column}"),
                _ => format!("templates/{name}.hbs"),
            };
            anyhow::anyhow!("{place}: {}", error.reason())
        })
    }
}

/// Escapes for HTML text, for quoted attributes and for XML.
pub(crate) fn escape(text: &str) -> String {
    let Some(first) = text.find(is_special) else { return text.to_string() };
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(&text[..first]);
    for character in text[first..].chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn is_special(character: char) -> bool {
    matches!(character, '&' | '<' | '>' | '"' | '\'')
}

/// Indentation is for those who read templates, not for those who load pages; lines stay, so that errors keep theirs.
fn tightened(text: &str) -> String {
    text.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}

fn fill_words(file: &str, text: &str, words: &Words) -> Result<String, ThemeError> {
    const OPENING: &str = "{{words.";
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(OPENING) {
        filled.push_str(&rest[..at]);
        let behind = &rest[at + OPENING.len()..];
        let error = |detail: String| {
            let before = &text[..text.len() - rest.len() + at];
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            ThemeError::Template { file: file.into(), line: before.matches('\n').count() + 1, column, detail }
        };
        let Some((key, after)) = behind.split_once("}}") else {
            return Err(error("`{{words.` is not closed, `}}` was expected".into()));
        };
        let Some(word) = words.get(key) else { return Err(error(words.unknown(key))) };
        filled.push_str(&escape(word));
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_an_error_with_its_line() {
        #[derive(Serialize)]
        struct Page {
            heading: &'static str,
        }
        let mut templates = Templates::new();
        let text = "<h1>{{heading}}</h1>\n  <p>{{headign}}</p>";
        templates.add("pages/home", "templates/pages/home.hbs", text, &Words::default()).expect("it compiles");
        let error = templates.render("pages/home", &Page { heading: "x" }).expect_err("an error").to_string();
        assert!(error.starts_with("templates/pages/home.hbs:2:"), "{error}");
        assert!(error.contains("headign"), "{error}");
    }

    #[test]
    fn text_and_attributes_are_escaped() {
        assert_eq!(escape(r#"<a href='x'>"&"#), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(escape("plain = text"), "plain = text");
    }
}
