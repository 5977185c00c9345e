//! Front matter: what stands between two lines of `---` at the head of a Markdown file.

use super::Menu;
use serde::Deserialize;
use time::Date;
use time::format_description::well_known::Iso8601;

/// What is told of a page.
pub(super) struct FrontMatter {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) menu: Menu,
    pub(super) order: i64,
    pub(super) date: Option<Date>,
    pub(super) is_faq: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    description: Option<String>,
    #[serde(default)]
    menu: Menu,
    #[serde(default)]
    order: i64,
    date: Option<String>,
    #[serde(default)]
    kind: WrittenKind,
}

#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenKind {
    #[default]
    Page,
    Faq,
}

impl FrontMatter {
    /// The front matter, the text behind it, and the line that the text begins on.
    ///
    /// # Errors
    /// The line of the mistake and what it is.
    pub(super) fn split(text: &str) -> Result<(Self, &str, usize), (usize, String)> {
        let text = text.trim_start_matches('\u{feff}');
        let behind =
            text.strip_prefix("---").and_then(|rest| rest.split_once('\n')).filter(|(rest, _)| rest.trim().is_empty());
        let Some((_, behind)) = behind else {
            return Err((
                1,
                "does not begin with front matter; write `---`, `title: …` and `---`, each on a line".into(),
            ));
        };
        let mut end = 0;
        for (number, line) in behind.split_inclusive('\n').enumerate() {
            if line.trim_end() == "---" {
                let front = Self::parse(&behind[..end])?;
                return Ok((front, &behind[end + line.len()..], number + 3));
            }
            end += line.len();
        }
        Err((1, "has front matter without an end; write `---` on a line of its own behind it".into()))
    }

    fn parse(yaml: &str) -> Result<Self, (usize, String)> {
        let written: Written = serde_yaml::from_str(yaml).map_err(|error| {
            let line = error.location().map_or(1, |place| place.line() as usize);
            let text = error.to_string();
            (line + 1, text.lines().next().unwrap_or_default().to_string())
        })?;
        let line_of = |key: &str| yaml.lines().position(|line| line.starts_with(key)).map_or(2, |at| at + 2);
        if written.title.trim().is_empty() {
            return Err((line_of("title"), "`title` is blank".into()));
        }
        let date = written.date.map(|date| {
            let day = Date::parse(date.trim(), &Iso8601::DATE);
            day.map_err(|_| (line_of("date"), format!("`{date}` is no date; write it like `2026-03-01`")))
        });
        Ok(Self {
            title: written.title.split_whitespace().collect::<Vec<_>>().join(" "),
            description: written.description.filter(|text| !text.trim().is_empty()),
            menu: written.menu,
            order: written.order,
            date: date.transpose()?,
            is_faq: written.kind == WrittenKind::Faq,
        })
    }
}
