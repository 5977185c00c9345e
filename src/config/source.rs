//! The text of a store file and where things stand in it, fit to be shown.
//!
//! Takes byte ranges of the text, gives lines and columns with the line itself. A shown line never holds a password:
//! what stands between `user:` and `@` in a URI, and the value of anything named like a secret, is `***`.

use serde::Serialize;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Longest piece of a line that is shown; a store file on one line can be a megabyte long.
const LONGEST_EXCERPT: usize = 200;

/// A spot in a file, with its line made safe to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The line, or the part of it around the spot, without secrets.
    pub text: String,
    /// The bytes of `text` to underline.
    #[serde(skip)]
    pub(super) underline: Range<usize>,
}

impl Place {
    /// Whether nothing before the spot is left out of `text`.
    pub(super) fn is_whole(&self) -> bool {
        self.text[..self.underline.start].chars().count() + 1 == self.column
    }
}

/// How far a secret is sought behind its name, in bytes; bounds the work on a file that is one long line.
const LONGEST_SECRET: usize = 1024;

/// The text of one file.
pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) text: String,
    secrets: Vec<Range<usize>>,
    /// Where each line starts.
    lines: Vec<usize>,
}

impl Source {
    pub(super) fn new(file: &Path, text: String) -> Self {
        let secrets = secret_ranges(&text);
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file: file.to_path_buf(), text, secrets, lines }
    }

    /// Where a byte range stands; of a range over several lines, its first line.
    pub(super) fn place(&self, range: &Range<usize>) -> Place {
        let start = floor_boundary(&self.text, range.start);
        let line = self.lines.partition_point(|&line| line <= start).max(1);
        let line_start = self.lines[line - 1];
        let line_end = self.text[start..].find(['\n', '\r']).map_or(self.text.len(), |at| start + at);
        let end = floor_boundary(&self.text, range.end).clamp(start, line_end);
        let (shown, underline) = self.show(line_start..line_end, start..end);
        let (text, underline) = excerpt(&shown, underline);
        Place { line, column: self.text[line_start..start].chars().count() + 1, text, underline }
    }

    /// A line without its secrets, and where the marked bytes went.
    fn show(&self, line: Range<usize>, marked: Range<usize>) -> (String, Range<usize>) {
        let mut shown = String::new();
        let mut underline = 0..0;
        let mut at = line.start;
        let mut copy = |from: usize, to: usize, shown: &mut String| {
            if (from..=to).contains(&marked.start) {
                underline.start = shown.len() + marked.start - from;
            }
            if (from..=to).contains(&marked.end) {
                underline.end = shown.len() + marked.end - from;
            }
            shown.push_str(&self.text[from..to]);
        };
        let first = self.secrets.partition_point(|secret| secret.end <= line.start);
        for secret in self.secrets[first..].iter().take_while(|secret| secret.start < line.end) {
            let from = secret.start.max(line.start);
            copy(at, from, &mut shown);
            shown.push_str(HIDDEN);
            at = secret.end.min(line.end);
        }
        copy(at, line.end, &mut shown);
        let start = underline.start.min(shown.len());
        let end = underline.end.clamp(start, shown.len());
        (shown, start..end)
    }
}

const HIDDEN: &str = "***";

/// A text of any origin with `***` in place of the secrets in it: passwords of addresses, values of anything named like a
/// secret, tokens that are known by their look.
pub fn redact(text: &str) -> String {
    let mut shown = String::new();
    let mut at = 0;
    for secret in secret_ranges(text) {
        shown.push_str(&text[at..secret.start]);
        shown.push_str(HIDDEN);
        at = secret.end;
    }
    shown.push_str(&text[at..]);
    shown
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The part of a line around the underlined bytes.
fn excerpt(line: &str, underline: Range<usize>) -> (String, Range<usize>) {
    if line.len() <= LONGEST_EXCERPT {
        return (line.to_string(), underline);
    }
    let from = floor_boundary(line, underline.start.saturating_sub(LONGEST_EXCERPT / 3));
    let to = floor_boundary(line, from + LONGEST_EXCERPT);
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    let moved = |at: usize| at.clamp(from, to) - from + before.len();
    (format!("{before}{}{after}", &line[from..to]), moved(underline.start)..moved(underline.end))
}

/// Names whose values are never shown.
const SECRET_NAMES: [&str; 9] =
    ["password", "passwd", "secret", "token", "api_key", "apikey", "credential", "private_key", "authorization"];

/// What tokens of well-known services begin with; they are secrets wherever they stand.
const TOKEN_STARTS: [&str; 9] =
    ["bearer ", "ghp_", "gho_", "ghs_", "github_pat_", "shpat_", "shpss_", "sk_live_", "rk_live_"];

/// Shortest rest of a token, in characters.
const SHORTEST_TOKEN: usize = 8;

/// What must not be shown, in order and without overlaps.
fn secret_ranges(text: &str) -> Vec<Range<usize>> {
    let folded = text.to_ascii_lowercase().replace('-', "_");
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, mark) in folded.match_indices("//") {
        ranges.extend(password_range(text, at, at + mark.len()));
    }
    for (at, mark) in folded.match_indices("mongodb") {
        let rest = &folded[at + mark.len()..];
        let rest = rest.strip_prefix("+srv").unwrap_or(rest);
        let after = rest.trim_start_matches([':', '/']);
        if after.len() < rest.len() {
            ranges.extend(password_range(text, at, text.len() - after.len()));
        }
    }
    for name in SECRET_NAMES {
        let mut covered = 0;
        for (at, _) in folded.match_indices(name) {
            if at >= covered
                && let Some(range) = value_range(text, at + name.len())
            {
                covered = range.end;
                ranges.push(range);
            }
        }
    }
    for start in TOKEN_STARTS {
        for (at, _) in text.to_ascii_lowercase().match_indices(start) {
            let from = at + start.len();
            let length = text[from..].find(|c: char| !(c.is_ascii_alphanumeric() || "_-.~+/=".contains(c)));
            let to = length.map_or(text.len(), |length| from + length);
            ranges.extend((to - from >= SHORTEST_TOKEN).then_some(from..to));
        }
    }
    ranges.retain(|range| !is_variable(&text[range.clone()]));
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// A secret kept elsewhere, as it should be, may be named: `${MONGO_PASSWORD}`.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    name.is_some_and(|name| name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()))
}

/// The password in the user part that starts at `user`, of a URI that starts at `start` or somewhat earlier.
/// A password may hold any character, so everything up to the last `@` of the value counts.
fn password_range(text: &str, start: usize, user: usize) -> Option<Range<usize>> {
    text[user..floor_boundary(text, user + LONGEST_SECRET)].find('@')?;
    let scheme = text[..start].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+-.:".contains(c));
    let quote = scheme.chars().next_back().filter(|c| matches!(c, '"' | '\''));
    let end = user + value_length(&text[user..], quote);
    let at = user + text[user..end].rfind('@')?;
    let colon = user + text[user..at].find(':')?;
    (colon + 1 < at).then_some(colon + 1..at)
}

/// The value after a secret's name: `_x": "value"`, `: value` or `=value`.
fn value_range(text: &str, after_name: usize) -> Option<Range<usize>> {
    let rest = text[after_name..].trim_start_matches(|c: char| c.is_alphanumeric() || "_-".contains(c));
    let rest = rest.trim_start_matches(['"', '\'']).trim_start_matches(' ');
    let value = rest.strip_prefix([':', '='])?.trim_start_matches(' ');
    let start = text.len() - value.len();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (start, length) = match quote {
        Some(_) => (start + 1, value_length(&value[1..], quote)),
        None if rest.starts_with('=') => {
            (start, value.find(|c: char| c.is_whitespace() || "&\"',}".contains(c)).unwrap_or(value.len()))
        }
        None => (start, value_length(value, None)),
    };
    (length > 0).then_some(start..start + length)
}

/// Bytes up to the closing quote, or to the end of the line where there is none; no further than a secret reaches.
fn value_length(text: &str, quote: Option<char>) -> usize {
    let text = &text[..floor_boundary(text, LONGEST_SECRET)];
    let line = text.find(['\n', '\r']).unwrap_or(text.len());
    let Some(quote) = quote else { return line };
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if character == quote => return at,
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (text, expected) in [
            ("uri: mongodb://ada:s3cret@host/db", "uri: mongodb://ada:***@host/db"),
            ("uri: \"mongodb+srv://ada:p@ss:w/rd@host\" # me@x", "uri: \"mongodb+srv://ada:***@host\" # me@x"),
            ("uri: mongodb//ada:s3cret@host", "uri: mongodb//ada:***@host"),
            ("uri: MongoDB:/ada:s3cret@host", "uri: MongoDB:/ada:***@host"),
            ("base_url: https://ada:s3cret@shop.example/", "base_url: https://ada:***@shop.example/"),
            (
                r#"{"uri":"mongodb://ada:a\"b@h","contact_email":"a@b.c"}"#,
                r#"{"uri":"mongodb://ada:***@h","contact_email":"a@b.c"}"#,
            ),
            ("uri: mongodb://ada:${DB_PASSWORD}@host", "uri: mongodb://ada:${DB_PASSWORD}@host"),
            ("uri: mongodb://ada:${NONE:-s3cret}@host", "uri: mongodb://ada:***@host"),
            ("api-token: abc def", "api-token: ***"),
            ("Authorization: Bearer abc.def", "Authorization: ***"),
            ("sent with bearer abcdef-12345, twice", "sent with bearer ***, twice"),
            ("push with ghp_16C7e42F292c6912E7 failed", "push with ghp_*** failed"),
            (r#""password": "abc", "theme": "x""#, r#""password": "***", "theme": "x""#),
            (
                "uri: mongodb://h/?tlsCertificateKeyFilePassword=abc&x=1",
                "uri: mongodb://h/?tlsCertificateKeyFilePassword=***&x=1",
            ),
        ] {
            assert_eq!(redact(text), expected);
        }
        for harmless in
            ["uri: mongodb://host:27017/db", "contact_email: ada@shop.example", "base_url: http://localhost:8000/"]
        {
            assert_eq!(redact(harmless), harmless);
        }
    }

    #[test]
    fn a_place_behind_a_secret_keeps_its_true_column() {
        let text = "a: 1\n{uri: \"mongodb://ada:s3cret@host\", théme: x}\n";
        let source = Source::new(Path::new("store.yaml"), text.to_string());
        let at = text.find("x}").expect("the value");
        let place = source.place(&(at..at + 1));
        assert_eq!((place.line, place.column), (2, 43));
        assert_eq!(place.text, "{uri: \"mongodb://ada:***@host\", théme: x}");
        assert_eq!(&place.text[place.underline], "x");
    }

    #[test]
    fn long_lines_are_cut_around_the_spot() {
        let text = format!("{}HERE{}", "é".repeat(5000), "z".repeat(5000));
        let source = Source::new(Path::new("store.json"), text);
        let place = source.place(&(10_000..10_004));
        assert!(place.text.chars().count() <= LONGEST_EXCERPT + 2, "{}", place.text.len());
        assert_eq!(&place.text[place.underline], "HERE");
        assert_eq!(place.column, 5001);
    }
}
