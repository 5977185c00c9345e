//! `${VAR}` and `${VAR:-default}` in the strings of a store file.
//!
//! What a variable holds becomes part of the string and is never read as YAML again; messages show only what was written.

use super::error::ConfigError;
use super::source::Source;
use super::tree::{Content, Node};
use std::ops::Range;

/// Looks up a variable of the environment.
pub type Environment<'run> = &'run dyn Fn(&str) -> Option<String>;

/// Fills in the variables of every string below a node; `$$` becomes `$`.
pub(super) fn fill(node: &mut Node, source: &Source, environment: Environment<'_>, errors: &mut Vec<ConfigError>) {
    match &mut node.content {
        Content::Scalar(scalar) => match expand(&scalar.text, environment) {
            Ok(filled) if filled == scalar.text => {}
            Ok(filled) => scalar.written = Some(std::mem::replace(&mut scalar.text, filled)),
            Err(faults) => {
                errors.extend(faults.iter().map(|fault| fault.told(&node.span, source)));
                node.content = Content::Faulty;
            }
        },
        Content::List(items) => items.iter_mut().for_each(|item| fill(item, source, environment, errors)),
        Content::Map(entries) => {
            entries.iter_mut().for_each(|entry| fill(&mut entry.value, source, environment, errors));
        }
        Content::Faulty => {}
    }
}

struct Fault {
    /// Which `${` of the text it is about, counted from 0.
    occurrence: usize,
    message: String,
    hint: String,
}

impl Fault {
    fn told(&self, span: &Range<usize>, source: &Source) -> ConfigError {
        let written = &source.text[span.clone()];
        let spot = written.match_indices("${").nth(self.occurrence).map_or_else(
            || span.clone(),
            |(at, _)| {
                let length = written[at..].find('}').map_or(2, |end| end + 1);
                span.start + at..span.start + at + length
            },
        );
        ConfigError::new(&source.file, Some(source.place(&spot)), &self.message, Some(&self.hint))
    }
}

fn expand(text: &str, environment: Environment<'_>) -> Result<String, Vec<Fault>> {
    let mut filled = String::with_capacity(text.len());
    let mut faults = Vec::new();
    let mut rest = text;
    let mut occurrence = 0;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            filled.push('$');
            // `$${` is written text, but it still counts as a `${` of the file.
            occurrence += usize::from(after.starts_with('{'));
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let Some(end) = inside.find('}') else {
                faults.push(Fault {
                    occurrence,
                    message: "`${` is not closed".into(),
                    hint: "write `${NAME}`, or `$$` for a dollar sign that stands for itself".into(),
                });
                return Err(faults);
            };
            match variable(&inside[..end], environment) {
                Ok(value) => filled.push_str(&value),
                Err((message, hint)) => faults.push(Fault { occurrence, message, hint }),
            }
            occurrence += 1;
            rest = &inside[end + 1..];
        } else {
            filled.push('$');
        }
    }
    filled.push_str(rest);
    if faults.is_empty() { Ok(filled) } else { Err(faults) }
}

/// The value of `NAME` or `NAME:-default`; as in a shell, the default also stands in for an empty variable.
fn variable(inside: &str, environment: Environment<'_>) -> Result<String, (String, String)> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let named =
        name.chars().enumerate().all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit());
    if name.is_empty() || !named {
        return Err((
            format!("`${{{inside}}}` names no variable"),
            "write `${NAME}` or `${NAME:-default}`; a name has letters, digits and `_`".into(),
        ));
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err((
            format!("the default of `${{{name}}}` holds another variable"),
            "a default is plain text; set the variable instead".into(),
        ));
    }
    match (environment(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_string()),
        (None, None) => Err((
            format!("the environment variable `{name}` is not set"),
            format!("set it (`export {name}=…`), or give a default: `${{{name}:-…}}`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Vec<String>> {
        let environment = |name: &str| match name {
            "HOST" => Some("db.example".to_string()),
            "EMPTY" => Some(String::new()),
            "TRICK" => Some("${HOST}: [x]".to_string()),
            _ => None,
        };
        expand(text, &environment).map_err(|faults| faults.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn variables_are_filled_in_once() {
        for (text, expected) in [
            ("mongodb://${HOST}/shop", "mongodb://db.example/shop"),
            ("${NONE:-a:-b}", "a:-b"),
            ("${EMPTY:-other}${EMPTY}", "other"),
            ("${TRICK}", "${HOST}: [x]"),
            ("$$${HOST} costs $5, $${HOST}", "$db.example costs $5, ${HOST}"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn every_fault_of_a_string_is_told() {
        let faults = expanded("${NONE} ${HOST} ${1X} ${A:-${HOST}").expect_err("faults");
        assert_eq!(
            faults,
            [
                "the environment variable `NONE` is not set",
                "`${1X}` names no variable",
                "the default of `${A}` holds another variable"
            ]
        );
    }
}
