//! The mapping language: where in a document of any shape each fact stands.
//!
//! A mapping names target fields and gives each a rule. A rule is a dotted path (`price.base_price`), a list of rules
//! of which the first that finds something counts, or a map: `path` or `paths` (or `all`, which joins what several
//! rules find, or `const`), `default`, and changes. Changes always happen in this order, whatever the order in the file:
//! `fields`, `split`, `part`, `lower`, `lookup`, `factor`, `prefix`, `suffix`, `join`, `nonzero`. Rules are compiled
//! once, with every mistake reported together; applying them never fails, it only finds nothing.

use super::document::Value;
use super::scalars;
use super::vocabulary::key_of;
use crate::config::MappingFile;
use crate::spelling::nearest;
use rust_decimal::Decimal;
use serde_json::Value as Written;
use std::borrow::Cow;
use std::str::FromStr;

/// A mistake in a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {message}")]
pub struct MappingError {
    /// The target field, with its section where it is not the products': `price`, `brands.name`.
    pub field: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// Paths that are never read, whoever asks: what they hold must not reach a store.
const CONFIDENTIAL: [&str; 6] =
    ["cost_price", "price_history", "warehouse_locations", "internal_notes", "created_by", "updated_by"];

const RULE_KEYS: [&str; 15] = [
    "path", "paths", "all", "const", "default", "fields", "split", "part", "lower", "lookup", "factor", "prefix",
    "suffix", "join", "nonzero",
];

/// Longer lists of candidates or fields are mistakes.
const MOST_CANDIDATES: usize = 64;

/// What a target field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// One scalar.
    One,
    /// Any number of scalars.
    Many,
    /// Any number of scalars, and every dialect has its say, not only the first that finds something.
    Everyone,
    /// Any number of maps with these keys.
    Items(&'static [&'static str]),
}

/// The target fields of one kind of document.
pub(super) trait Target: Copy + 'static {
    /// Every field with its name and what it holds, in the order of [`Target::index`].
    const ALL: &'static [(&'static str, Holds)];

    fn index(self) -> usize;
}

/// Compiled rules for one kind of document.
#[derive(Debug)]
pub(super) struct Mapping<T> {
    rules: Vec<Option<Rule>>,
    target: std::marker::PhantomData<fn() -> T>,
}

/// Where one fact stands and how it is changed on the way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    origin: Origin,
    changes: Option<Box<Changes>>,
}

/// The paths from which a database can tell what a fact is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// The value stands at one of these as it is, or as a zero that does not count.
    pub(super) paths: Vec<String>,
    /// A value at one of these would be changed first, so only documents without one can be judged.
    pub(super) absent: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Origin {
    Path(Path),
    First(Vec<Rule>),
    All(Vec<Rule>),
    Const(Value<'static>),
}

/// Keys from the outside in; no keys mean the whole document.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Path(Vec<String>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Changes {
    fields: Vec<(&'static str, Rule)>,
    split: Vec<String>,
    part: Option<usize>,
    lower: bool,
    lookup: Vec<(String, Option<Value<'static>>)>,
    otherwise: Option<Option<Value<'static>>>,
    factor: Option<Decimal>,
    prefix: String,
    suffix: String,
    join: Option<String>,
    nonzero: bool,
    default: Option<Value<'static>>,
}

impl<T: Target> Mapping<T> {
    /// Compiles the rules of one section. `section` is empty for products.
    pub(super) fn compile(written: &MappingFile, section: &str, errors: &mut Vec<MappingError>) -> Self {
        let mut rules = vec![None; T::ALL.len()];
        for (name, rule) in written {
            let field = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
            let Some(index) = T::ALL.iter().position(|(known, _)| known == name) else {
                let known = T::ALL.iter().map(|(known, _)| *known);
                errors.push(MappingError { message: unknown("target field", name, known), field });
                continue;
            };
            match compile_rule(rule, T::ALL[index].1) {
                Ok(rule) => rules[index] = Some(if T::ALL[index].1 == Holds::Everyone { rule.heard() } else { rule }),
                Err(message) => errors.push(MappingError { field, message }),
            }
        }
        Self { rules, target: std::marker::PhantomData }
    }

    /// One mapping of several: for each field the candidates of the first come before those of the next.
    pub(super) fn merge(mappings: Vec<Self>) -> Self {
        let mut merged: Vec<Vec<Rule>> = vec![Vec::new(); T::ALL.len()];
        for mapping in mappings {
            for (candidates, rule) in merged.iter_mut().zip(mapping.rules) {
                for candidate in rule.into_iter().flat_map(Rule::candidates) {
                    if !candidates.contains(&candidate) {
                        candidates.push(candidate);
                    }
                }
            }
        }
        let join = |(mut candidates, (_, holds)): (Vec<Rule>, &(&str, Holds))| match (candidates.len(), holds) {
            (0 | 1, _) => candidates.pop(),
            (_, Holds::Everyone) => Some(Rule { origin: Origin::All(candidates), changes: None }),
            _ => Some(Rule { origin: Origin::First(candidates), changes: None }),
        };
        let rules = merged.into_iter().zip(T::ALL).map(join).collect();
        Self { rules, target: std::marker::PhantomData }
    }

    /// The rule of a field, unless the mapping has none.
    pub(super) fn rule(&self, field: T) -> Option<&Rule> {
        self.rules[field.index()].as_ref()
    }

    /// The one value that a field's rule finds.
    pub(super) fn one<'d>(&'d self, document: &'d Value<'d>, field: T) -> Option<Cow<'d, Value<'d>>> {
        match self.rule(field)?.find(document, is_scalar)? {
            Cow::Borrowed(Value::List(items)) => items.iter().find(|item| item.is_given()).map(Cow::Borrowed),
            Cow::Owned(Value::List(items)) => items.into_iter().find(Value::is_given).map(Cow::Owned),
            scalar => Some(scalar),
        }
    }

    /// The text of a field in a language: from a block of languages, from a field of its own beside it (`name_de`), or
    /// from the document's `translations`.
    pub(super) fn in_language<'d>(
        &self,
        document: &'d Value<'d>,
        field: T,
        locale: &str,
    ) -> Option<Cow<'d, Value<'d>>> {
        self.rule(field)?.paths().into_iter().find_map(|path| path.in_language(document, locale))
    }

    /// The text of a field in whatever language a block of languages has first.
    pub(super) fn in_any_language<'d>(&self, document: &'d Value<'d>, field: T) -> Option<Cow<'d, Value<'d>>> {
        self.rule(field)?.paths().into_iter().find_map(|path| match path.walk(document)? {
            Cow::Borrowed(Value::Map(languages)) if languages.iter().all(|(key, _)| is_language(key)) => languages
                .iter()
                .find(|(_, text)| text.is_given() && is_scalar(text))
                .map(|(_, text)| Cow::Borrowed(text)),
            _ => None,
        })
    }

    /// All that a field's rule finds.
    pub(super) fn many<'d>(&'d self, document: &'d Value<'d>, field: T) -> Vec<Cow<'d, Value<'d>>> {
        match self.rule(field).and_then(|rule| rule.find(document, is_anything)) {
            None => Vec::new(),
            Some(Cow::Borrowed(Value::List(items))) => items.iter().map(Cow::Borrowed).collect(),
            Some(Cow::Owned(Value::List(items))) => items.into_iter().map(Cow::Owned).collect(),
            Some(value) => vec![value],
        }
    }

    /// The path in this document from which a field was read, for messages.
    pub(super) fn place(&self, document: &Value<'_>, field: T) -> String {
        let paths = self.rule(field).map(Rule::paths).unwrap_or_default();
        let given = |path: &&&Path| path.walk(document).is_some_and(|value| value.is_given());
        let path = paths.iter().find(given).or(paths.first());
        path.map_or_else(|| T::ALL[field.index()].0.to_owned(), |path| path.0.join("."))
    }

    /// The paths that a field's rule reads.
    pub(super) fn paths_of(&self, field: T) -> Vec<String> {
        self.rule(field).into_iter().flat_map(Rule::paths).map(Path::without_indices).collect()
    }

    /// Every path that any rule reads; `None` when a rule reads the whole document.
    pub(super) fn all_paths(&self) -> Option<Vec<String>> {
        let paths: Vec<&Path> = self.rules.iter().flatten().flat_map(Rule::paths).collect();
        let whole = paths.iter().any(|path| path.0.is_empty());
        (!whole).then(|| paths.into_iter().map(|path| path.without_indices()).collect())
    }
}

fn is_scalar(value: &Value<'_>) -> bool {
    match value {
        Value::Map(_) => false,
        Value::List(items) => {
            items.iter().any(|item| item.is_given() && !matches!(item, Value::Map(_) | Value::List(_)))
        }
        _ => true,
    }
}

fn is_anything(_: &Value<'_>) -> bool {
    true
}

impl Rule {
    /// What the rule finds in a document, if anything that `accepted` takes is given there.
    pub(super) fn find<'d>(
        &'d self,
        document: &'d Value<'d>,
        accepted: fn(&Value<'_>) -> bool,
    ) -> Option<Cow<'d, Value<'d>>> {
        let Some(changes) = &self.changes else {
            return self.origin.find(document, accepted).filter(|value| value.is_given() && accepted(value));
        };
        self.origin
            .find(document, is_anything)
            .filter(|value| value.is_given())
            .and_then(|value| changes.apply(value))
            .filter(|value| value.is_given() && accepted(value))
            .or_else(|| changes.default.as_ref().map(Cow::Borrowed))
    }

    /// All candidates have their say instead of the first.
    fn heard(self) -> Self {
        match self {
            Self { origin: Origin::First(rules), changes } => Self { origin: Origin::All(rules), changes },
            rule => rule,
        }
    }

    fn candidates(self) -> Vec<Rule> {
        match self {
            Self { origin: Origin::First(candidates), changes: None } => candidates,
            rule => vec![rule],
        }
    }

    fn paths(&self) -> Vec<&Path> {
        match &self.origin {
            Origin::Path(path) => vec![path],
            Origin::First(rules) | Origin::All(rules) => rules.iter().flat_map(Self::paths).collect(),
            Origin::Const(_) => Vec::new(),
        }
    }

    /// Where a database can judge a fact by itself; `None` where it cannot, because no candidate is a plain path or
    /// one gives a value of its own making.
    pub(super) fn judged(&self) -> Option<Judged> {
        let candidates = match (&self.origin, &self.changes) {
            (Origin::First(candidates) | Origin::All(candidates), None) => candidates.as_slice(),
            _ => std::slice::from_ref(self),
        };
        let mut judged = Judged::default();
        for candidate in candidates {
            let paths = candidate.paths().into_iter().map(|path| path.0.join("."));
            if candidate.is_plain() {
                judged.paths.extend(paths);
            } else {
                judged.absent.extend(paths);
            }
        }
        let is_named = judged.paths.iter().chain(&judged.absent).all(|path| !path.is_empty());
        (is_named && !judged.paths.is_empty() && !self.invents()).then_some(judged)
    }

    fn is_plain(&self) -> bool {
        let unchanged = |changes: &Changes| *changes == Changes { nonzero: true, ..Changes::default() };
        matches!(self.origin, Origin::Path(_)) && self.changes.as_deref().is_none_or(unchanged)
    }

    fn invents(&self) -> bool {
        let has_default = self.changes.as_ref().is_some_and(|changes| changes.default.is_some());
        has_default
            || match &self.origin {
                Origin::Path(_) => false,
                Origin::First(rules) | Origin::All(rules) => rules.iter().any(Self::invents),
                Origin::Const(_) => true,
            }
    }
}

impl Origin {
    fn find<'d>(&'d self, document: &'d Value<'d>, accepted: fn(&Value<'_>) -> bool) -> Option<Cow<'d, Value<'d>>> {
        match self {
            Self::Path(path) => path.walk(document),
            Self::First(rules) => rules.iter().find_map(|rule| rule.find(document, accepted)),
            Self::All(rules) => {
                let mut joined = Vec::new();
                for found in rules.iter().filter_map(|rule| rule.find(document, is_anything)) {
                    match found.into_owned() {
                        Value::List(items) => joined.extend(items),
                        value => joined.push(value),
                    }
                }
                Some(Cow::Owned(Value::List(joined)))
            }
            Self::Const(value) => Some(Cow::Borrowed(value)),
        }
    }
}

/// Whether a key is written like a language: `de`, `de-CH`, `pt_BR`.
fn is_language(key: &str) -> bool {
    let mut parts = key.split(['-', '_']);
    let is_tag = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    parts.next().is_some_and(|language| is_tag(language, 2..=3)) && parts.all(|part| is_tag(part, 2..=4))
}

/// The value of a locale in a map, or of its language: `de-CH`, `de_CH`, `de`, in any case.
fn of_locale<'v, 'd>(map: &'v Value<'d>, locale: &str, key_of: impl Fn(&str) -> String) -> Option<&'v Value<'d>> {
    let Value::Map(entries) = map else { return None };
    let language = locale.split('-').next().unwrap_or_default();
    [locale, &locale.replace('-', "_"), language].into_iter().find_map(|name| {
        let wanted = key_of(name);
        let found = entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(&wanted));
        found.map(|(_, value)| value).filter(|value| value.is_given())
    })
}

impl Path {
    fn in_language<'d>(&self, document: &'d Value<'d>, locale: &str) -> Option<Cow<'d, Value<'d>>> {
        let (last, before) = self.0.split_last()?;
        let Cow::Borrowed(parent) = walk(document, before)? else { return None };
        let in_block = || of_locale(parent.get(last)?, locale, str::to_string);
        let beside = || of_locale(parent, locale, |name| format!("{last}_{name}"));
        let apart = || of_locale(document.get("translations")?, locale, str::to_string)?.get(last);
        let found = in_block().or_else(beside).or_else(apart)?;
        (found.is_given() && is_scalar(found)).then_some(Cow::Borrowed(found))
    }

    fn walk<'d>(&self, document: &'d Value<'d>) -> Option<Cow<'d, Value<'d>>> {
        walk(document, &self.0)
    }

    fn without_indices(&self) -> String {
        let named = self.0.iter().filter(|step| step.parse::<usize>().is_err());
        named.map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

/// Follows keys inwards; a list is entered by a number, or else by each of its items.
fn walk<'d>(value: &'d Value<'d>, steps: &[String]) -> Option<Cow<'d, Value<'d>>> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(Cow::Borrowed(value));
    };
    match value {
        Value::Map(_) => walk(value.get(step)?, rest),
        Value::List(items) => match step.parse::<usize>() {
            Ok(index) => walk(items.get(index)?, rest),
            Err(_) => {
                let found: Vec<_> = items.iter().filter_map(|item| walk(item, steps)).map(Cow::into_owned).collect();
                (!found.is_empty()).then_some(Cow::Owned(Value::List(found)))
            }
        },
        _ => None,
    }
}

impl Changes {
    fn apply<'d>(&'d self, value: Cow<'d, Value<'d>>) -> Option<Cow<'d, Value<'d>>> {
        let mut value = value;
        if !self.fields.is_empty() {
            value = Cow::Owned(self.take_fields(&value));
        }
        if !self.split.is_empty() {
            value = Cow::Owned(self.split(&value));
        }
        if let Some(part) = self.part {
            value = match value {
                Cow::Borrowed(Value::List(items)) => Cow::Borrowed(items.get(part)?),
                Cow::Owned(Value::List(items)) => Cow::Owned(items.into_iter().nth(part)?),
                single if part == 0 => single,
                _ => return None,
            };
        }
        if self.changes_scalars() {
            value = Cow::Owned(self.each(value.into_owned())?);
        }
        if let (Some(join), Value::List(items)) = (&self.join, value.as_ref()) {
            let words: Vec<_> = items.iter().filter_map(scalars::text).collect();
            value = Cow::Owned(Value::Text(Cow::Owned(words.join(join))));
        }
        let is_zero = self.nonzero && scalars::decimal(&value).is_some_and(|number| number.is_zero());
        (!is_zero).then_some(value)
    }

    fn take_fields(&self, value: &Value<'_>) -> Value<'static> {
        let take = |item: &Value<'_>| {
            let found = self.fields.iter().filter_map(|(name, rule)| {
                let value = rule.find(item, is_scalar)?.into_owned().into_owned();
                Some((Cow::Borrowed(*name), value))
            });
            Value::Map(found.collect())
        };
        match value {
            Value::List(items) => Value::List(items.iter().map(take).collect()),
            item => Value::List(vec![take(item)]),
        }
    }

    fn split(&self, value: &Value<'_>) -> Value<'static> {
        let mut parts = Vec::new();
        let items = match value {
            Value::List(items) => items.as_slice(),
            item => std::slice::from_ref(item),
        };
        for text in items.iter().filter_map(scalars::text) {
            let mut pieces = vec![text.as_ref()];
            for separator in &self.split {
                pieces = pieces.into_iter().flat_map(|piece| piece.split(separator.as_str())).collect();
            }
            parts.extend(pieces.into_iter().map(|piece| Value::Text(Cow::Owned(piece.trim().to_owned()))));
        }
        Value::List(parts)
    }

    fn changes_scalars(&self) -> bool {
        self.lower
            || !self.lookup.is_empty()
            || self.otherwise.is_some()
            || self.factor.is_some()
            || !self.prefix.is_empty()
            || !self.suffix.is_empty()
    }

    /// Changes a scalar, or each scalar of a list or map; `None` when nothing is left of it.
    fn each<'d>(&'d self, value: Value<'d>) -> Option<Value<'d>> {
        match value {
            Value::List(items) => Some(Value::List(items.into_iter().filter_map(|item| self.each(item)).collect())),
            Value::Map(entries) => {
                Some(Value::Map(entries.into_iter().filter_map(|(key, item)| Some((key, self.each(item)?))).collect()))
            }
            scalar => self.scalar(scalar),
        }
    }

    fn scalar<'d>(&'d self, mut value: Value<'d>) -> Option<Value<'d>> {
        if let (true, Value::Text(text)) = (self.lower, &value) {
            value = Value::Text(Cow::Owned(text.to_lowercase()));
        }
        if !self.lookup.is_empty() || self.otherwise.is_some() {
            let words = match &value {
                Value::Bool(truth) => Cow::Owned(truth.to_string()),
                _ => scalars::text(&value)?,
            };
            let folded = fold(&words);
            let known = self.lookup.iter().find(|(key, _)| *key == folded).map(|(_, target)| target);
            if let Some(target) = known.or(self.otherwise.as_ref()) {
                value = target.clone()?;
            }
        }
        if let Some(factor) = self.factor {
            // What is not a number stays as it is, for the target field to complain of.
            if let Some(product) = scalars::decimal(&value).and_then(|number| number.checked_mul(factor)) {
                value = Value::Text(Cow::Owned(product.normalize().to_string()));
            }
        }
        if !self.prefix.is_empty() || !self.suffix.is_empty() {
            let text = scalars::text(&value)?;
            value = Value::Text(Cow::Owned(format!("{}{text}{}", self.prefix, self.suffix)));
        }
        Some(value)
    }
}

/// Lookups do not mind letter case, blanks, hyphens and underscores; words of signs only are compared as they are.
fn fold(words: &str) -> String {
    let folded = key_of(words).replace('-', "");
    if folded.is_empty() { words.trim().to_owned() } else { folded }
}

fn compile_rule(written: &Written, holds: Holds) -> Result<Rule, String> {
    match written {
        Written::String(path) => Ok(Rule { origin: Origin::Path(compile_path(path)?), changes: None }),
        Written::Array(candidates) => {
            Ok(Rule { origin: Origin::First(compile_list(candidates, holds)?), changes: None })
        }
        Written::Object(entries) => {
            if let Some(key) = entries.keys().find(|key| !RULE_KEYS.contains(&key.as_str())) {
                return Err(unknown("key", key, RULE_KEYS.into_iter()));
            }
            let origin = compile_origin(entries, holds)?;
            let changes = compile_changes(entries, holds)?;
            Ok(Rule { origin, changes: (changes != Changes::default()).then(|| Box::new(changes)) })
        }
        _ => Err("a rule is a path such as `price.amount`, a list of rules, or a map with `path`".into()),
    }
}

fn compile_origin(entries: &serde_json::Map<String, Written>, holds: Holds) -> Result<Origin, String> {
    let given: Vec<&str> =
        ["path", "paths", "all", "const"].into_iter().filter(|key| entries.contains_key(*key)).collect();
    let [key] = given.as_slice() else {
        return Err("give exactly one of `path`, `paths`, `all`, `const`".into());
    };
    match (*key, &entries[*key]) {
        ("path", Written::String(path)) => Ok(Origin::Path(compile_path(path)?)),
        ("path", _) => Err("`path` is text such as `price.amount`; a list of candidates is `paths`".into()),
        ("paths", Written::Array(rules)) => Ok(Origin::First(compile_list(rules, holds)?)),
        ("paths", Written::String(path)) => Ok(Origin::Path(compile_path(path)?)),
        ("all", Written::Array(rules)) => Ok(Origin::All(compile_list(rules, holds)?)),
        ("const", value) => Ok(Origin::Const(constant(value)?)),
        (key, _) => Err(format!("`{key}` is a list of rules")),
    }
}

fn compile_list(rules: &[Written], holds: Holds) -> Result<Vec<Rule>, String> {
    if rules.is_empty() || rules.len() > MOST_CANDIDATES {
        return Err(format!("a list of rules has 1 to {MOST_CANDIDATES} entries"));
    }
    rules.iter().map(|rule| compile_rule(rule, holds)).collect()
}

fn compile_path(path: &str) -> Result<Path, String> {
    if path == "." {
        return Ok(Path(Vec::new()));
    }
    let steps: Vec<String> = path.split('.').map(|step| step.trim().to_owned()).collect();
    if steps.iter().any(String::is_empty) {
        return Err(format!("`{path}` is not a path; write keys with dots between them, such as `price.amount`"));
    }
    if let Some(step) = steps.iter().find(|step| CONFIDENTIAL.contains(&step.as_str())) {
        return Err(format!("`{step}` is confidential and is never read into a store; choose another path"));
    }
    Ok(Path(steps))
}

fn compile_changes(entries: &serde_json::Map<String, Written>, holds: Holds) -> Result<Changes, String> {
    let mut changes = Changes::default();
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("default", value) => changes.default = Some(constant(value)?),
            ("fields", Written::Object(fields)) => changes.fields = compile_fields(fields, holds)?,
            ("split", Written::String(separator)) => changes.split = vec![separator.clone()],
            ("split", Written::Array(separators)) => {
                let texts = separators.iter().map(|separator| separator.as_str().map(str::to_owned));
                changes.split = texts.collect::<Option<_>>().ok_or("`split` is text or a list of texts")?;
            }
            ("part", value) => {
                let part = value.as_u64().and_then(|part| usize::try_from(part).ok());
                changes.part = Some(part.ok_or("`part` is a whole number; the first part is 0")?);
            }
            ("lower", Written::Bool(lower)) => changes.lower = *lower,
            ("nonzero", Written::Bool(nonzero)) => changes.nonzero = *nonzero,
            ("lookup", Written::Object(table)) => {
                for (words, target) in table {
                    let target = if target.is_null() { None } else { Some(constant(target)?) };
                    if words == "*" {
                        changes.otherwise = Some(target);
                    } else {
                        changes.lookup.push((fold(words), target));
                    }
                }
            }
            ("factor", Written::Number(number)) => changes.factor = Some(factor(&number.to_string())?),
            ("factor", Written::String(number)) => changes.factor = Some(factor(number)?),
            ("prefix", Written::String(text)) => changes.prefix.clone_from(text),
            ("suffix", Written::String(text)) => changes.suffix.clone_from(text),
            ("join", Written::String(text)) => changes.join = Some(text.clone()),
            ("path" | "paths" | "all" | "const", _) => {}
            ("lower" | "nonzero", _) => return Err(format!("`{key}` is `true` or `false`")),
            ("lookup", _) => return Err("`lookup` is a map from the catalogue's words to storegen's".into()),
            ("fields", _) => return Err("`fields` is a map from names to rules".into()),
            ("factor", _) => return Err("`factor` is a number such as 0.01".into()),
            (key, _) => return Err(format!("`{key}` is text")),
        }
    }
    if changes.split.iter().any(String::is_empty) {
        return Err("`split` needs the text between the parts, such as \",\"".into());
    }
    Ok(changes)
}

fn compile_fields(
    fields: &serde_json::Map<String, Written>,
    holds: Holds,
) -> Result<Vec<(&'static str, Rule)>, String> {
    let Holds::Items(known) = holds else {
        return Err("`fields` is for lists of things, such as `images`; this field holds plain values".into());
    };
    let mut compiled = Vec::new();
    for (name, rule) in fields {
        let name =
            known.iter().find(|known| *known == name).ok_or_else(|| unknown("field", name, known.iter().copied()))?;
        let rule = compile_rule(rule, Holds::One).map_err(|message| format!("`fields.{name}`: {message}"))?;
        compiled.push((*name, rule));
    }
    Ok(compiled)
}

fn factor(number: &str) -> Result<Decimal, String> {
    Decimal::from_str(number)
        .or_else(|_| Decimal::from_scientific(number))
        .map_err(|_| format!("`factor` is a number such as 0.01, not `{number}`"))
}

fn constant(value: &Written) -> Result<Value<'static>, String> {
    Ok(match value {
        Written::Bool(truth) => Value::Bool(*truth),
        Written::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Text(Cow::Owned(number.to_string())),
        },
        Written::String(text) => Value::Text(Cow::Owned(text.clone())),
        Written::Array(items) => Value::List(items.iter().map(constant).collect::<Result<_, _>>()?),
        Written::Null | Written::Object(_) => return Err("a constant is text, a number, true, false or a list".into()),
    })
}

fn unknown(what: &str, name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<&str> = known.collect();
    match nearest(name, &names) {
        Some(known) => format!("unknown {what} `{name}`, did you mean `{known}`?"),
        None => format!("unknown {what} `{name}`; known are `{}`", names.join("`, `")),
    }
}

/// Declares the target fields of one kind of document.
macro_rules! targets {
    ($(#[$documentation:meta])* $target:ident { $($field:ident $name:literal $holds:expr,)* }) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $target { $($field,)* }

        impl crate::catalog::mapping::Target for $target {
            const ALL: &'static [(&'static str, crate::catalog::mapping::Holds)] = &[$(($name, $holds),)*];

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(super) use targets;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    targets! { Sample { Name "name" Holds::One, Colors "colors" Holds::Many, Active "active" Holds::Everyone,
    Images "images" Holds::Items(&["url", "role"]), Price "price" Holds::One, } }

    fn compile(rules: &Written) -> Result<Mapping<Sample>, Vec<MappingError>> {
        let file: MappingFile = serde_json::from_value(rules.clone()).unwrap();
        let mut errors = Vec::new();
        let mapping = Mapping::compile(&file, "", &mut errors);
        if errors.is_empty() { Ok(mapping) } else { Err(errors) }
    }

    fn read(rule: Written, document: Written, field: Sample) -> Vec<Value<'static>> {
        let name = Sample::ALL[field.index()].0;
        let mapping = compile(&json!({ name: rule })).unwrap();
        let text = document.to_string();
        let document = super::super::extended_json::decode(&text).unwrap();
        match field {
            Sample::Name | Sample::Price => {
                mapping.one(&document, field).into_iter().map(|value| value.into_owned().into_owned()).collect()
            }
            _ => mapping.many(&document, field).into_iter().map(|value| value.into_owned().into_owned()).collect(),
        }
    }

    fn words(texts: &[&str]) -> Vec<Value<'static>> {
        texts.iter().map(|text| Value::Text(Cow::Owned((*text).to_owned()))).collect()
    }

    #[test]
    fn rules_find_what_they_say() {
        for (rule, document, expected) in [
            (json!("a.b"), json!({"a": {"b": "x"}}), words(&["x"])),
            (json!("a.1.b"), json!({"a": [{"b": "x"}, {"b": "y"}]}), words(&["y"])),
            (json!("a.b"), json!({"a": [{"b": "x"}, {"b": "y"}]}), words(&["x"])),
            (json!(["a", "b"]), json!({"a": "  ", "b": "y"}), words(&["y"])),
            (json!(["a", "b"]), json!({"a": {"deep": 1}, "b": "y"}), words(&["y"])),
            (json!({"path": "a", "default": "z"}), json!({}), words(&["z"])),
            (json!({"const": "always"}), json!({"a": 1}), words(&["always"])),
            (json!({"path": "size", "split": "-", "part": 1}), json!({"size": "52-18-140"}), words(&["18"])),
            (json!({"path": "size", "split": ["-", "/"], "part": 2}), json!({"size": "52/18-140"}), words(&["140"])),
            (json!({"path": "size", "split": "-", "part": 5}), json!({"size": "52-18-140"}), words(&[])),
            (json!({"path": "cents", "factor": 0.01}), json!({"cents": 12995}), words(&["129.95"])),
            (json!({"path": "cents", "factor": "0.01"}), json!({"cents": "12995"}), words(&["129.95"])),
            (json!({"path": "sex", "lookup": {"M": "men", "W": "women"}}), json!({"sex": " m "}), words(&["men"])),
            (json!({"path": "sex", "lookup": {"M": "men"}}), json!({"sex": "boys"}), words(&["boys"])),
            (json!({"path": "sex", "lookup": {"M": "men", "*": null}}), json!({"sex": "boys"}), words(&[])),
            (json!({"path": "ok", "lookup": {"true": "reading", "*": null}}), json!({"ok": true}), words(&["reading"])),
            (json!({"path": "a", "lower": true}), json!({"a": "LOUD"}), words(&["loud"])),
            (
                json!({"path": "a", "prefix": "https://x/", "suffix": ".jpg"}),
                json!({"a": 7}),
                words(&["https://x/7.jpg"]),
            ),
            (json!({"all": ["a", "b"], "join": " "}), json!({"a": "Ray", "b": "One"}), words(&["Ray One"])),
            (json!([{"path": "a", "nonzero": true}, "b"]), json!({"a": 0.0, "b": "9"}), words(&["9"])),
        ] {
            assert_eq!(read(rule.clone(), document, Sample::Name), expected, "{rule}");
        }
        let rule = json!({"path": "colours", "split": ","});
        assert_eq!(read(rule, json!({"colours": "black, red"}), Sample::Colors), words(&["black", "red"]));
        let rule = json!({"path": "pictures", "fields": {"url": ".", "role": {"const": "detail"}}});
        let found = read(rule, json!({"pictures": ["a.jpg"]}), Sample::Images);
        assert_eq!(found[0].get("url"), Some(&words(&["a.jpg"])[0]));
        assert_eq!(found[0].get("role"), Some(&words(&["detail"])[0]));
    }

    #[test]
    fn merged_mappings_try_each_in_order_and_hear_everyone_where_it_counts() {
        let first = compile(&json!({"price": "price.base", "active": "status"})).unwrap();
        let second = compile(&json!({"price": ["price.base", "price"], "active": "on"})).unwrap();
        let merged = Mapping::merge(vec![first, second]);
        for (document, price, verdicts) in [
            (r#"{"price": {"base": 5}, "status": "active"}"#, Value::Int(5), 1),
            (r#"{"price": 6, "on": false, "status": "active"}"#, Value::Int(6), 2),
        ] {
            let document = super::super::extended_json::decode(document).unwrap();
            assert_eq!(merged.one(&document, Sample::Price).map(Cow::into_owned), Some(price));
            assert_eq!(merged.many(&document, Sample::Active).len(), verdicts);
        }
        assert_eq!(merged.rule(Sample::Price).unwrap().judged().unwrap().paths, ["price.base", "price"]);
    }

    #[test]
    fn a_database_judges_only_what_stands_there_as_it_is() {
        for (rule, expected) in [
            (json!("a"), Some((vec!["a"], vec![]))),
            (json!([{"path": "a", "nonzero": true}, "b.c"]), Some((vec!["a", "b.c"], vec![]))),
            (json!([{"path": "a", "lower": true}, "b"]), Some((vec!["b"], vec!["a"]))),
            (json!({"path": "a", "factor": 2}), None),
            (json!(["a", {"const": "b"}]), None),
            (json!(["a", {"path": "b", "default": "c"}]), None),
            (json!(["a", "."]), None),
        ] {
            let judged = compile(&json!({ "name": rule })).unwrap().rule(Sample::Name).unwrap().judged();
            let texts = |paths: Vec<&str>| paths.into_iter().map(str::to_owned).collect();
            let expected = expected.map(|(paths, absent)| Judged { paths: texts(paths), absent: texts(absent) });
            assert_eq!(judged, expected, "{rule}");
        }
    }

    #[test]
    fn mistakes_are_told_together_and_with_a_way_out() {
        let errors = compile(&json!({
            "nmae": "a",
            "name": {"path": "a", "spilt": ","},
            "price": "price.cost_price",
            "colors": {"split": ","},
            "active": 7,
            "images": {"path": "x", "fields": {"link": "y"}},
        }))
        .unwrap_err();
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`active`: a rule is a path such as `price.amount`, a list of rules, or a map with `path`",
                "`colors`: give exactly one of `path`, `paths`, `all`, `const`",
                "`images`: unknown field `link`; known are `url`, `role`",
                "`name`: unknown key `spilt`, did you mean `split`?",
                "`nmae`: unknown target field `nmae`, did you mean `name`?",
                "`price`: `cost_price` is confidential and is never read into a store; choose another path",
            ]
        );
        for rule in [
            json!(""),
            json!("a..b"),
            json!([]),
            json!({"path": "a", "paths": ["b"]}),
            json!({"path": ["a"]}),
            json!({"path": "a", "factor": "much"}),
            json!({"path": "a", "part": -1}),
            json!({"path": "a", "split": ""}),
            json!({"path": "a", "lookup": "x"}),
            json!({"path": "a", "lower": 1}),
            json!({"const": {}}),
            json!({"path": "a", "fields": {}}),
            json!({"path": "a", "join": 1}),
            json!(null),
        ] {
            assert!(compile(&json!({ "name": rule })).is_err(), "{rule}");
        }
    }
}
