//! `theme.yaml`: what a theme is called, which sheets it is made of, and what store owners may set.
//!
//! In: its text, and what the store file sets. Out: values for templates and stylesheets, or faults with a way out.

use super::ThemeError;
use crate::assets::palette::Mood;
use crate::config::Color;
use crate::spelling::nearest;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Longest text that a setting holds, in characters.
const LONGEST_TEXT: usize = 500;

/// `theme.yaml` as it is written; what a theme leaves out it takes from the theme that it builds on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    /// The theme of the program that this one builds on.
    pub(super) extends: Option<String>,
    /// What the grounds of pages are like.
    pub(super) palette: Option<Mood>,
    /// Files in `assets/` that become the stylesheet, in order.
    pub(super) stylesheets: Option<Vec<String>>,
    /// Fonts in `assets/` that are needed at once.
    #[serde(default)]
    pub(super) preload: Option<Vec<String>>,
    #[serde(default)]
    settings: BTreeMap<String, Declared>,
}

/// A setting as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    r#type: Kind,
    default: Written,
    about: Option<String>,
    /// Words to choose from.
    #[serde(default)]
    of: Vec<String>,
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Text,
    Boolean,
    Number,
    Choice,
    Color,
}

/// A value as YAML has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Written {
    Boolean(bool),
    Number(f64),
    Text(String),
}

/// What a setting may be.
#[derive(Clone, Debug, PartialEq)]
enum Allowed {
    Text,
    Boolean,
    Number { min: f64, max: f64 },
    Choice(Vec<String>),
    Color,
}

/// A setting with its value.
#[derive(Clone, Debug)]
struct Setting {
    allowed: Allowed,
    value: Value,
    about: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Boolean(bool),
    Number(f64),
    Choice(String),
    Color(Color),
}

/// A setting in the store file that the theme does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// Its name.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// The settings of a theme by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(BTreeMap<String, Setting>);

impl Description {
    /// Reads `theme.yaml`; `file` is where mistakes are reported.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, ThemeError> {
        serde_yaml::from_str(text).map_err(|error| {
            let error = error.without_snippet();
            let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
            let number = |number: u64| usize::try_from(number).unwrap_or(1);
            let detail = error.to_string();
            let detail = detail.split(" at line ").next().unwrap_or_default();
            ThemeError::at(file, number(line), number(column), detail.to_string())
        })
    }

    /// The `theme.yaml` of a folder that changes some files of a theme.
    pub(super) fn extending(theme: &str) -> String {
        format!("extends: {theme}\n")
    }

    /// What this theme says, and what the one that it builds on says where this one is silent.
    pub(super) fn over(self, base: Self) -> Self {
        let mut settings = base.settings;
        settings.extend(self.settings);
        Self {
            name: self.name.or(base.name),
            description: self.description.or(base.description),
            extends: self.extends.or(base.extends),
            palette: self.palette.or(base.palette),
            stylesheets: self.stylesheets.or(base.stylesheets),
            preload: self.preload.or(base.preload),
            settings,
        }
    }

    /// The settings with their defaults.
    pub(super) fn settings(&self, file: &str, text: &str) -> Result<Settings, ThemeError> {
        let setting = |(name, declared): (&String, &Declared)| {
            let fault = |detail: String| {
                let line = text.lines().position(|line| line.trim_start().starts_with(&format!("{name}:")));
                ThemeError::at(file, line.map_or(1, |line| line + 1), 1, format!("the setting `{name}` {detail}"))
            };
            let is_plain = |name: &str| {
                name.starts_with(|c: char| c.is_ascii_lowercase())
                    && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
            };
            if !is_plain(name) {
                return Err(fault("has a name that is not made of small letters, digits and `_`; rename it".into()));
            }
            let allowed = match declared.r#type {
                Kind::Text => Allowed::Text,
                Kind::Boolean => Allowed::Boolean,
                Kind::Color => Allowed::Color,
                Kind::Number => {
                    Allowed::Number { min: declared.min.unwrap_or(f64::MIN), max: declared.max.unwrap_or(f64::MAX) }
                }
                Kind::Choice if declared.of.is_empty() || !declared.of.iter().all(|word| is_plain(word)) => {
                    return Err(fault("is a choice; list its words in `of`, in small letters".into()));
                }
                Kind::Choice => Allowed::Choice(declared.of.clone()),
            };
            let default = match &declared.default {
                Written::Boolean(value) => Json::from(*value),
                Written::Number(value) => Json::from(*value),
                Written::Text(value) => Json::from(value.as_str()),
            };
            let value =
                allowed.read(&default).map_err(|(wanted, _)| fault(format!("has a default that is not {wanted}")))?;
            Ok((name.clone(), Setting { allowed, value, about: declared.about.clone().unwrap_or_default() }))
        };
        self.settings.iter().map(setting).collect::<Result<_, _>>().map(Settings)
    }
}

impl Allowed {
    /// A value of this kind, or what was wanted and what to do.
    fn read(&self, written: &Json) -> Result<Value, (String, String)> {
        let number = || written.as_f64().or_else(|| written.as_str()?.trim().parse().ok());
        let found = match self {
            Self::Text => match written {
                Json::String(text) if text.chars().count() <= LONGEST_TEXT => {
                    Some(Value::Text(text.trim().to_string()))
                }
                Json::Number(number) => Some(Value::Text(number.to_string())),
                _ => None,
            },
            Self::Boolean => written.as_bool().map(Value::Boolean),
            Self::Number { min, max } => number().filter(|n| (*min..=*max).contains(n)).map(Value::Number),
            Self::Choice(words) => {
                let word = written.as_str().map(str::trim);
                word.filter(|word| words.iter().any(|known| known == word)).map(|word| Value::Choice(word.into()))
            }
            Self::Color => written.as_str().and_then(Color::parse).map(Value::Color),
        };
        found.ok_or_else(|| {
            let hint = match self {
                Self::Text => "write it in quotes".to_string(),
                Self::Boolean => "write `true` or `false`".to_string(),
                Self::Number { .. } => "write a number in that range".to_string(),
                Self::Choice(words) => nearest(written.as_str().unwrap_or_default(), words)
                    .map_or("write one of these words".into(), |word| format!("did you mean `{word}`?")),
                Self::Color => "write it in quotes, such as \"#1f2a44\"".to_string(),
            };
            (self.describe(), hint)
        })
    }

    fn describe(&self) -> String {
        match self {
            Self::Text => format!("a text of at most {LONGEST_TEXT} characters"),
            Self::Boolean => "`true` or `false`".into(),
            Self::Number { min, max } if *min == f64::MIN && *max == f64::MAX => "a number".into(),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Color => "a colour".into(),
        }
    }
}

impl Settings {
    /// Takes what the store file sets.
    pub(super) fn set(&mut self, chosen: &BTreeMap<String, Json>) -> Result<(), Vec<SettingFault>> {
        let mut faults = Vec::new();
        for (key, written) in chosen {
            let Some(setting) = self.0.get_mut(key) else {
                let message = format!("this theme has no setting `{key}`");
                let hint = match nearest(key, self.0.keys()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if self.0.is_empty() => "it has no settings at all; remove `theme_settings`".into(),
                    None => format!("it has {}", listed(self.0.keys())),
                };
                faults.push(SettingFault { key: key.clone(), message, hint });
                continue;
            };
            match setting.allowed.read(written) {
                Ok(value) => setting.value = value,
                Err((wanted, hint)) => {
                    let message = format!("`theme_settings.{key}` must be {wanted}");
                    faults.push(SettingFault { key: key.clone(), message, hint });
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// What stands in a template for a setting that is shown: its text, unescaped.
    pub(crate) fn shown(&self, name: &str) -> Option<String> {
        Some(match &self.0.get(name)?.value {
            Value::Text(text) | Value::Choice(text) => text.clone(),
            Value::Boolean(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Color(color) => color.to_string(),
        })
    }

    /// What stands in an expression of a template for a setting: a literal. Of a text, only whether there is one.
    pub(crate) fn literal(&self, name: &str) -> Option<String> {
        Some(match &self.0.get(name)?.value {
            Value::Text(text) => (!text.is_empty()).to_string(),
            Value::Boolean(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Choice(word) => format!("\"{word}\""),
            Value::Color(_) => "true".into(),
        })
    }

    /// What to say about a name that no setting has.
    pub(crate) fn unknown(&self, name: &str) -> String {
        match nearest(name, self.0.keys()) {
            Some(near) => format!("there is no setting `{name}`, did you mean `{near}`?"),
            None => format!("there is no setting `{name}`; declare it in `theme.yaml`"),
        }
    }

    /// Numbers and colours for stylesheets, as custom properties `--setting-name`.
    pub(super) fn declarations(&self) -> String {
        let declaration = |(name, setting): (&String, &Setting)| match &setting.value {
            Value::Number(value) => Some(format!("--setting-{name}:{value};")),
            Value::Color(color) => Some(format!("--setting-{name}:{color};")),
            _ => None,
        };
        self.0.iter().filter_map(declaration).collect()
    }

    /// Choices and switches for stylesheets, as attributes ` data-theme-name="value"` of the root element.
    pub(super) fn attributes(&self) -> String {
        let attribute = |(name, setting): (&String, &Setting)| match &setting.value {
            Value::Choice(word) => Some(format!(" data-theme-{}=\"{word}\"", name.replace('_', "-"))),
            Value::Boolean(value) => Some(format!(" data-theme-{}=\"{value}\"", name.replace('_', "-"))),
            _ => None,
        };
        self.0.iter().filter_map(attribute).collect()
    }

    /// Name, kind, value and meaning of each, for people.
    pub(super) fn described(&self) -> Vec<SettingInfo> {
        let info = |(name, setting): (&String, &Setting)| SettingInfo {
            name: name.clone(),
            wanted: setting.allowed.describe().replace('`', ""),
            default: self.shown(name).unwrap_or_default(),
            about: setting.about.clone(),
        };
        self.0.iter().map(info).collect()
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A setting of a theme, for people.
#[derive(Clone, Debug, Serialize)]
pub struct SettingInfo {
    /// Key below `theme_settings`.
    pub name: String,
    /// What it may be, in words.
    pub wanted: String,
    /// What it is unless the store file says otherwise.
    pub default: String,
    /// What it is for.
    pub about: String,
}
