//! Partials: `{{> fragments/name}}` in a template is replaced by that fragment when the theme is loaded.
//!
//! Takes a template's name and a way to find texts; makes one text, and for each of its lines where it comes from, so
//! that errors can name it. A partial sees what the template around it sees; it takes no parameters, for the engine
//! would copy the page's fields for each.

use super::ThemeError;
use crate::spelling::nearest;

/// Deepest nesting of partials.
const DEEPEST: usize = 12;
/// Most lines of a template with its partials.
const MOST_LINES: usize = 20_000;

/// A template with its partials in place.
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// By line from 0: the file that it comes from and its line there from 1.
    pub(crate) origins: Vec<(String, usize)>,
    /// Names of the templates that are in it, itself first.
    pub(crate) parts: Vec<String>,
}

impl Expanded {
    /// A text that stands alone.
    #[cfg(test)]
    pub(crate) fn alone(file: &str, text: &str) -> Self {
        let origins = (1..=text.lines().count().max(1)).map(|line| (file.to_string(), line)).collect();
        Self { text: text.to_string(), origins, parts: Vec::new() }
    }

    /// Where a line, counted from 1, comes from.
    pub(crate) fn origin(&self, line: usize) -> (String, usize) {
        origin(&self.origins, line)
    }
}

/// Where a line, counted from 1, comes from.
pub(crate) fn origin(origins: &[(String, usize)], line: usize) -> (String, usize) {
    let at = line.saturating_sub(1).min(origins.len().saturating_sub(1));
    origins.get(at).cloned().unwrap_or_default()
}

/// Puts partials in place; `find` gives the text of a template by its name, such as `fragments/card`, and `known` the
/// names there are.
pub(super) fn expand<'t>(
    name: &str,
    find: &dyn Fn(&str) -> Option<&'t str>,
    known: &dyn Fn() -> Vec<String>,
) -> Result<Expanded, ThemeError> {
    let mut expansion =
        Expansion { find, known, open: Vec::new(), text: String::new(), origins: Vec::new(), parts: Vec::new() };
    let text = find(name).unwrap_or_default();
    expansion.take(name, text)?;
    Ok(Expanded { text: expansion.text, origins: expansion.origins, parts: expansion.parts })
}

struct Expansion<'f, 't> {
    find: &'f dyn Fn(&str) -> Option<&'t str>,
    known: &'f dyn Fn() -> Vec<String>,
    /// Templates that are being put in, outermost first.
    open: Vec<String>,
    text: String,
    origins: Vec<(String, usize)>,
    parts: Vec<String>,
}

impl Expansion<'_, '_> {
    fn take(&mut self, name: &str, text: &str) -> Result<(), ThemeError> {
        let file = file_of(name);
        self.open.push(name.to_string());
        self.parts.push(name.to_string());
        let mut in_remark = false;
        for (at, line) in text.lines().enumerate() {
            if at > 0 {
                self.text.push('\n');
            }
            if self.text.is_empty() || self.text.ends_with('\n') {
                self.origins.push((file.clone(), at + 1));
            }
            self.take_line(&file, at + 1, line, &mut in_remark)?;
        }
        self.open.pop();
        Ok(())
    }

    fn take_line(&mut self, file: &str, number: usize, line: &str, in_remark: &mut bool) -> Result<(), ThemeError> {
        let mut rest = line;
        while !rest.is_empty() {
            if *in_remark {
                let end = rest.find("--}}").map(|at| at + 4);
                *in_remark = end.is_none();
                let (inside, after) = rest.split_at(end.unwrap_or(rest.len()));
                self.text.push_str(inside);
                rest = after;
                continue;
            }
            let Some(at) = rest.find("{{") else {
                self.text.push_str(rest);
                break;
            };
            let (before, tag) = rest.split_at(at);
            self.text.push_str(before);
            if let Some(remark) = tag.strip_prefix("{{!--") {
                *in_remark = true;
                self.text.push_str("{{!--");
                rest = remark;
                continue;
            }
            let column = line[..line.len() - tag.len()].chars().count() + 1;
            let fault = |detail: String| ThemeError::at(file, number, column, detail);
            if tag.starts_with("{{#>") {
                return Err(fault(
                    "partials with a block inside are not supported; write `{{> fragments/name}}`".into(),
                ));
            }
            let Some(inside) = tag.strip_prefix("{{>") else {
                self.text.push_str("{{");
                rest = &tag[2..];
                continue;
            };
            let Some((inside, after)) = inside.split_once("}}") else {
                return Err(fault("`{{>` is not closed on its line, `}}` was expected".into()));
            };
            let mut words = inside.split_whitespace();
            let name = words.next().unwrap_or_default().to_string();
            if words.next().is_some() {
                let detail = format!(
                    "the partial `{name}` is given parameters, which partials do not take; they see what the template \
                     around them sees"
                );
                return Err(fault(detail));
            }
            self.include(&name, fault)?;
            rest = after;
        }
        Ok(())
    }

    fn include(&mut self, name: &str, fault: impl Fn(String) -> ThemeError) -> Result<(), ThemeError> {
        if self.open.iter().any(|open| open == name) {
            let way: Vec<&str> = self.open.iter().map(String::as_str).chain([name]).collect();
            let detail =
                format!("the partial `{name}` includes itself without end ({}); take one of them out", way.join(" → "));
            return Err(fault(detail));
        }
        let Some(text) = (self.find)(name) else {
            let known = (self.known)();
            let near = nearest(name, &known);
            let hint = near.map_or(String::new(), |near| format!(", or did you mean `{near}`?"));
            let file = file_of(name);
            return Err(fault(format!("there is no partial `{name}`; write `{file}`{hint}")));
        };
        if self.open.len() >= DEEPEST || self.origins.len() > MOST_LINES {
            return Err(fault(format!(
                "partials are nested too deep, or come to more than {MOST_LINES} lines, at `{name}`"
            )));
        }
        let text = text.trim_end_matches('\n');
        self.take(name, text)
    }
}

/// The file of a template in a theme's folder.
pub(crate) fn file_of(name: &str) -> String {
    format!("templates/{name}.hbs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn expanded(texts: &[(&str, &str)]) -> Result<Expanded, String> {
        let texts: BTreeMap<&str, &str> = texts.iter().copied().collect();
        let known = || texts.keys().map(|name| name.to_string()).collect();
        expand("page", &|name| texts.get(name).copied(), &known).map_err(|error| error.to_string())
    }

    #[test]
    fn partials_are_put_in_and_lines_know_where_they_come_from() {
        let found = expanded(&[
            ("page", "a\n  {{> fragments/b}}\nz {{> fragments/c}} y\n{{!-- {{> nothing}}\n{{> nothing}} --}}end"),
            ("fragments/b", "b1\nb2 {{> fragments/c}}\nb3\n"),
            ("fragments/c", "{{c}}"),
        ])
        .expect("it is sound");
        let text = "a\n  b1\nb2 {{c}}\nb3\nz {{c}} y\n{{!-- {{> nothing}}\n{{> nothing}} --}}end";
        assert_eq!(found.text, text);
        assert_eq!(found.origins.len(), text.lines().count());
        assert_eq!(found.origin(3), ("templates/fragments/b.hbs".into(), 2));
        assert_eq!(found.origin(5), ("templates/page.hbs".into(), 3));
        assert_eq!(found.parts, ["page", "fragments/b", "fragments/c", "fragments/c"]);
    }

    #[test]
    fn what_cannot_be_put_in_is_told_at_its_place() {
        let told = |texts: &[(&str, &str)]| expanded(texts).err().expect("an error");
        let missing = told(&[("page", "a\n b {{> fragments/cadr}}"), ("fragments/card", "")]);
        assert!(missing.starts_with("templates/page.hbs:2:4: there is no partial `fragments/cadr`"), "{missing}");
        assert!(missing.contains("`fragments/card`"), "{missing}");
        let endless = told(&[("page", "{{> a}}"), ("a", "x\n{{> b}}"), ("b", "{{> a}}")]);
        assert_eq!(
            endless,
            "templates/b.hbs:1:1: the partial `a` includes itself without end (page → a → b → a); take one of them out"
        );
        assert!(told(&[("page", "{{> a b=c}}"), ("a", "")]).contains("parameters"));
        assert!(told(&[("page", "{{> a\n}}"), ("a", "")]).contains("not closed"));
        assert!(told(&[("page", "{{#> a}}{{/a}}"), ("a", "")]).contains("block inside"));
    }
}
