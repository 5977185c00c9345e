//! The template engine behind the pages: compilation, escaping, and errors with a place.
//!
//! Takes template texts and plain structs; makes HTML. Fields are always escaped for text and quoted attributes
//! unless a template asks for `{{{ }}}`. handlebars parses every template; those that keep to the common constructs
//! are drawn by a [`Program`], which gives the same bytes in a quarter of the time. Never looks for files.

use super::fields::Fields;
use super::program::Program;
use super::theme::partials::{self, Expanded};
use super::theme::{Settings, ThemeError};
use crate::catalog::text;
use crate::language::Words;
use handlebars::Handlebars;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

/// Compiled templates by name, such as `pages/home`.
#[derive(Debug)]
pub(crate) struct Templates {
    engine: Handlebars<'static>,
    /// Hashes of their texts, words included.
    digests: BTreeMap<String, blake3::Hash>,
    programs: HashMap<String, Program>,
    /// By template and line, the file and line that they come from.
    origins: HashMap<String, Vec<(String, usize)>>,
}

thread_local! {
    /// The last page's fields, whose room is used again.
    static FIELDS: RefCell<Fields> = RefCell::default();
}

impl Templates {
    pub(crate) fn new() -> Self {
        let mut engine = Handlebars::new();
        // A field that a template misspells is an error with a line, not an empty place in the store.
        engine.set_strict_mode(true);
        engine.set_prevent_indent(true);
        engine.register_escape_fn(escape);
        Self { engine, programs: HashMap::new(), origins: HashMap::new(), digests: BTreeMap::new() }
    }

    /// Whether a file is a template in itself, partials aside; a partial is used in others only whole.
    pub(crate) fn check(file: &str, text: &str) -> Result<(), ThemeError> {
        // The engine takes what is between the signs of a partial for a name, whatever it is.
        handlebars::Template::compile(text).map(|_| ()).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 0));
            ThemeError::at(file, line, column + 1, error.reason().to_string())
        })
    }

    /// Compiles a template after filling in its words and the settings of the theme.
    pub(crate) fn add(
        &mut self,
        name: &str,
        template: Expanded,
        words: &Words,
        settings: &Settings,
    ) -> Result<(), ThemeError> {
        let text = tightened(&fill(&template, words, settings)?);
        self.digests.insert(name.to_string(), blake3::hash(text.as_bytes()));
        self.engine.register_template_string(name, text).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 0));
            let (file, line) = template.origin(line);
            ThemeError::at(&file, line, column + 1, error.reason().to_string())
        })?;
        self.origins.insert(name.to_string(), template.origins);
        match self.engine.get_template(name).and_then(Program::of) {
            Some(program) => _ = self.programs.insert(name.to_string(), program),
            None => _ = self.programs.remove(name),
        }
        Ok(())
    }

    /// A hash of all templates with the words in them.
    pub(crate) fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for (name, digest) in &self.digests {
            hasher.update(name.as_bytes()).update(&[0]).update(digest.as_bytes());
        }
        hasher.finalize()
    }

    /// A hash of one template with the words in it, if there is one of this name.
    pub(crate) fn digest_of(&self, name: &str) -> Option<&blake3::Hash> {
        self.digests.get(name)
    }

    /// Renders a template.
    ///
    /// # Errors
    /// When the template asks for a field that is not there; the message has template and line.
    pub(crate) fn render<T: Serialize>(&self, name: &str, context: &T) -> anyhow::Result<String> {
        let mut html = String::new();
        self.render_into(name, context, &mut html)?;
        Ok(html)
    }

    /// Renders a template at the end of `out`.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub(crate) fn render_into<T: Serialize>(&self, name: &str, context: &T, out: &mut String) -> anyhow::Result<()> {
        let drawn = self.programs.get(name).and_then(|program| {
            let mut fields = FIELDS.take();
            let drawn = fields.fill(context).ok().and_then(|root| program.render(&fields, root, out));
            FIELDS.set(fields);
            drawn
        });
        if drawn.is_none() {
            out.push_str(&self.render_by_engine(name, context)?);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.engine.get_templates().keys().map(String::as_str)
    }

    /// Whether a template is drawn by a program.
    #[cfg(test)]
    pub(crate) fn is_program(&self, name: &str) -> bool {
        self.programs.contains_key(name)
    }

    fn render_by_engine<T: Serialize>(&self, name: &str, context: &T) -> anyhow::Result<String> {
        self.engine.render(name, context).map_err(|error| {
            let place = match (error.line_no, error.column_no, self.origins.get(name)) {
                (Some(line), Some(column), Some(origins)) => {
                    let (file, line) = partials::origin(origins, line);
                    format!("{file}:{line}:{column}")
                }
                _ => partials::file_of(name),
            };
            anyhow::anyhow!("{place}: {}", error.reason())
        })
    }
}

/// Escapes for HTML text, for quoted attributes and for XML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    push_escaped(&mut escaped, text);
    escaped
}

/// Appends a text as [`escape`] writes it.
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    let is_special = |byte: u8| (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == b'\'');
    text::push_escaped(out, text, is_special, |byte| match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&quot;",
        _ => "&#39;",
    });
}

/// Indentation is for those who read templates, not for those who load pages; lines stay, so that errors keep theirs.
fn tightened(text: &str) -> String {
    text.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}

/// Fills in `{{words.key}}` and `{{settings.name}}`. Both are the same on every page, so that conditions on settings are
/// literals by the time the engine sees them.
fn fill(template: &Expanded, words: &Words, settings: &Settings) -> Result<String, ThemeError> {
    let text = template.text.as_str();
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        filled.push_str(&rest[..at]);
        let error = |detail: String| {
            let before = &text[..text.len() - rest.len() + at];
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let (file, line) = template.origin(before.matches('\n').count() + 1);
            ThemeError::at(&file, line, column, detail)
        };
        let behind = &rest[at + 2..];
        let Some((tag, after)) = behind.split_once("}}") else {
            let kind = ["words.", "settings."].into_iter().find(|kind| behind.starts_with(kind));
            if let Some(kind) = kind {
                return Err(error(format!("`{{{{{kind}` is not closed, `}}}}` was expected")));
            }
            filled.push_str("{{");
            rest = behind;
            continue;
        };
        if let Some(key) = tag.strip_prefix("words.") {
            let word = words.get(key).ok_or_else(|| error(words.unknown(key)))?;
            filled.push_str(&literally(word));
        } else if let Some(name) = tag.strip_prefix("settings.") {
            let value = settings.shown(name).ok_or_else(|| error(settings.unknown(name)))?;
            filled.push_str(&literally(&value));
        } else if tag.contains("settings.") && !tag.starts_with('!') {
            filled.push_str("{{");
            filled.push_str(&with_literals(tag, settings).map_err(error)?);
            filled.push_str("}}");
        } else {
            filled.push_str("{{");
            rest = behind;
            continue;
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A text as it stands in a template, which takes no brace of it for the beginning of a tag.
fn literally(text: &str) -> String {
    escape(text).replace('{', "&#123;")
}

/// A tag with the values of settings in the place of their names.
fn with_literals(tag: &str, settings: &Settings) -> Result<String, String> {
    let mut filled = String::with_capacity(tag.len());
    let mut rest = tag;
    while let Some((before, behind)) = rest.split_once("settings.") {
        let end = behind.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(behind.len());
        let (name, after) = behind.split_at(end);
        filled.push_str(before);
        filled.push_str(&settings.literal(name).ok_or_else(|| settings.unknown(name))?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_misspelt_field_is_an_error_with_its_line() {
        #[derive(Serialize)]
        struct Page {
            heading: &'static str,
        }
        let mut templates = Templates::new();
        let text = "<h1>{{heading}}</h1>\n  <p>{{headign}}</p>";
        templates
            .add(
                "pages/home",
                Expanded::alone("templates/pages/home.hbs", text),
                &Words::default(),
                &Settings::default(),
            )
            .expect("it compiles");
        let error = templates.render("pages/home", &Page { heading: "x" }).expect_err("an error").to_string();
        assert!(error.starts_with("templates/pages/home.hbs:2:"), "{error}");
        assert!(error.contains("headign"), "{error}");
    }

    /// What a theme may write of fields, conditions and lists, with names that are there and names that are not.
    fn template() -> impl Strategy<Value = String> {
        const NAMES: &[&str] =
            &["a", "b.c", "b", "list", "none", "this", "number", "zero", "../a", "../../a", "truth", "list.[0].a"];
        const LOCALS: &[&str] = &["@index", "@first", "@last", "../@index"];
        let name = prop_oneof![9 => prop::sample::select(NAMES), 2 => prop::sample::select(LOCALS)];
        let tag = (name.clone(), 0..4).prop_map(|(name, form)| match form {
            0 => format!("{{{{{{{name}}}}}}}"),
            1 => " <b>\n".into(),
            _ => format!("{{{{{name}}}}}"),
        });
        tag.prop_recursive(4, 24, 4, move |inner| {
            let parts = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
            (name.clone(), 0..5, parts.clone(), parts).prop_map(|(name, form, then, otherwise)| match form {
                0 => format!("{{{{#if {name}}}}}{then}{{{{else}}}}{otherwise}{{{{/if}}}}"),
                1 => format!("{{{{#unless {name}}}}}{then}{{{{/unless}}}}"),
                2 => format!("{{{{#each list}}}}{then}{{{{/each}}}}{otherwise}"),
                3 => format!("{{{{#each {name}}}}}{then}{{{{else}}}}{otherwise}{{{{/each}}}}"),
                _ => format!("{{{{#if {name}}}}}{then}{{{{else if truth}}}}{otherwise}{{{{else}}}}-{{{{/if}}}}"),
            })
        })
    }

    #[derive(Clone, Debug, Default, Serialize)]
    struct Thing {
        a: Option<&'static str>,
        b: Option<Inner>,
        number: f32,
        zero: u8,
        truth: bool,
        none: (),
        list: Vec<Thing>,
    }

    #[derive(Clone, Debug, Serialize)]
    struct Inner {
        c: char,
    }

    fn thing() -> impl Strategy<Value = Thing> {
        let text = prop::option::of(prop::sample::select(&["x", "", "<&>", "it's \"é\""][..]));
        let number = prop::sample::select(&[0.0, 0.1, 54.5, -3.0, 1e30][..]);
        let leaf = (text, prop::option::of(prop::char::any()), number, any::<bool>());
        let leaf = leaf.prop_map(|(a, c, number, truth)| Thing {
            a,
            b: c.map(|c| Inner { c }),
            number,
            truth,
            ..Thing::default()
        });
        leaf.prop_recursive(3, 12, 3, |inner| {
            (inner.clone(), prop::collection::vec(inner, 0..3)).prop_map(|(thing, list)| Thing { list, ..thing })
        })
    }

    proptest! {
        #[test]
        fn programs_do_what_handlebars_does(text in template(), thing in thing()) {
            let mut templates = Templates::new();
            if templates.add("t", Expanded::alone("t.hbs", &text), &Words::default(), &Settings::default()).is_ok() {
                let by_engine = templates.render_by_engine("t", &thing).map_err(|error| error.to_string());
                prop_assert!(templates.programs.contains_key("t"));
                let mut fields = Fields::default();
                let root = fields.fill(&thing).expect("fields");
                let mut drawn = "before".to_string();
                match templates.programs["t"].render(&fields, root, &mut drawn) {
                    Some(()) => prop_assert_eq!(Ok(&drawn["before".len()..]), by_engine.as_deref(), "{}", text),
                    None => prop_assert_eq!(drawn, "before"),
                }
            }
        }
    }

    #[test]
    fn other_constructs_are_left_to_handlebars() {
        #[derive(Serialize)]
        struct Page {
            list: Vec<u8>,
            name: &'static str,
        }
        let page = Page { list: vec![1, 2], name: "x" };
        for (text, expected) in [
            ("{{#with this}}{{name}}{{/with}}", "x"),
            ("{{lookup list 1}}", "2"),
            ("{{#each list as |n i|}}{{i}}{{n}}{{/each}}", "0112"),
            ("{{#if (eq name 'x')}}yes{{/if}}", "yes"),
            ("{{len list}}", "2"),
        ] {
            let mut templates = Templates::new();
            templates
                .add("t", Expanded::alone("t.hbs", text), &Words::default(), &Settings::default())
                .expect("it compiles");
            assert!(!templates.programs.contains_key("t"), "{text}");
            assert_eq!(templates.render("t", &page).expect("it renders"), expected);
        }
    }

    #[test]
    fn text_and_attributes_are_escaped() {
        assert_eq!(escape(r#"<a href='x'>"&"#), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(escape("plain = text"), "plain = text");
    }
}
