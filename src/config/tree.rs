//! YAML (and so JSON) text as a tree whose every node knows where it stands.
//!
//! Scalars stay as they were written: whether `24` is a number is decided by the setting it belongs to. Aliases are
//! copied in, within a budget, so that no small file can grow large.

use super::error::ConfigErrors;
use super::source::Source;
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span};
use std::collections::BTreeMap;
use std::ops::Range;

/// Most nodes in a file, with every alias counted in full.
const MOST_NODES: usize = 20_000;
/// Deepest nesting of blocks, and of brackets.
const DEEPEST: usize = 32;

/// A node of the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) content: Content,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Something that an error has been reported for already.
    Faulty,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

/// A single value.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Written without quotes, so it may be a number, `true` or nothing.
    pub(super) plain: bool,
    /// As it was written, where variables have been filled in.
    pub(super) written: Option<String>,
}

impl Scalar {
    /// The text to show in messages: never what came from a variable.
    pub(super) fn shown(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }

    /// Whether it stands for "nothing".
    pub(super) fn is_null(&self) -> bool {
        self.plain && self.written.is_none() && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The text of a number or `true`; none for a text in quotes, unless it was made from variables.
    pub(super) fn unquoted(&self) -> Option<&str> {
        (self.plain || self.written.is_some()).then_some(self.text.as_str())
    }
}

impl Node {
    /// The scalar, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The value of a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        match &self.content {
            Content::Scalar(_) | Content::Faulty => 1,
            Content::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Content::Map(entries) => 1 + entries.iter().map(|entry| 1 + entry.value.size()).sum::<usize>(),
        }
    }
}

/// Reads the one document of a file; the first fault ends the reading, as nothing after it can be trusted.
pub(super) fn read(source: &Source) -> Result<Node, ConfigErrors> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut reader = Reader {
        source,
        parser: Parser::new_from_str_with_options(&source.text, options),
        anchors: BTreeMap::new(),
        nodes: 0,
    };
    let mut root = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(..) if root.is_some() => {
                return Err(reader.fault(
                    &span,
                    "a second document starts here, but a store file holds one",
                    Some("remove this `---` and what follows it, or keep the other store in a file of its own"),
                ));
            }
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            event => root = Some(reader.node(event, &span)?),
        }
    }
    let empty = || ConfigErrors::one(&source.file, None, EMPTY, Some(EMPTY_HINT));
    let root = root.ok_or_else(empty)?;
    if root.scalar().is_some_and(Scalar::is_null) { Err(empty()) } else { Ok(root) }
}

const EMPTY: &str = "the file is empty, so the store has no name";
const EMPTY_HINT: &str = "`storegen init` writes a file to start from; the least is `store_name:` and `catalog:`";

struct Reader<'text> {
    source: &'text Source,
    parser: Parser<'text, granit_parser::StrInput<'text>>,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'text> Reader<'text> {
    fn next(&mut self) -> Result<(Event<'text>, Span), ConfigErrors> {
        match self.parser.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(syntax_error(self.source, &error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn fault(&self, span: &Span, message: &str, hint: Option<&str>) -> ConfigErrors {
        ConfigErrors::one(&self.source.file, Some(self.source.place(&bytes(span))), message, hint)
    }

    fn count(&mut self, nodes: usize, span: &Span) -> Result<(), ConfigErrors> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        let message = format!("the file grows past {MOST_NODES} values here, aliases (`*name`) counted in full");
        Err(self.fault(span, &message, Some("write the values out, or use fewer aliases")))
    }

    fn node(&mut self, event: Event<'text>, span: &Span) -> Result<Node, ConfigErrors> {
        self.count(1, span)?;
        if event.tag().is_some() {
            let shown = span.tag_span().and_then(|tag| tag.slice(&self.source.text)).unwrap_or("!").to_string();
            let place = span.tag_span().unwrap_or(*span);
            return Err(self.fault(
                &place,
                &format!("the tag `{shown}` is not supported"),
                Some("write the plain value; `${NAME}` fills in a variable of the environment"),
            ));
        }
        let anchor = event.anchor_id();
        let node = match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                let scalar = Scalar { text: text.into_owned(), plain, written: None };
                Node { span: bytes(span), content: Content::Scalar(scalar) }
            }
            Event::SequenceStart(..) => self.list(span)?,
            Event::MappingStart(..) => self.map(span)?,
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id).cloned() else {
                    return Err(self.fault(span, "this alias stands inside the very value it names", None));
                };
                self.count(size, span)?;
                Node { span: bytes(span), content: node.content }
            }
            _ => return Err(self.fault(span, "a value is missing here", None)),
        };
        if let Some(anchor) = anchor {
            let size = node.size();
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn list(&mut self, start: &Span) -> Result<Node, ConfigErrors> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::SequenceEnd | Event::StreamEnd => {
                    return Ok(Node { span: bytes(start).start..bytes(&span).end, content: Content::List(items) });
                }
                event => items.push(self.node(event, &span)?),
            }
        }
    }

    fn map(&mut self, start: &Span) -> Result<Node, ConfigErrors> {
        let mut entries = Vec::new();
        loop {
            let (event, key_span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                return Ok(Node { span: bytes(start).start..bytes(&key_span).end, content: Content::Map(entries) });
            }
            let key = self.node(event, &key_span)?;
            let Content::Scalar(key) = key.content else {
                return Err(self.fault(&key_span, "a key must be a single word, not a list or a block", None));
            };
            let (event, span) = self.next()?;
            let value = self.node(event, &span)?;
            entries.push(Entry { key: key.text, key_span: bytes(&key_span), value });
        }
    }
}

/// The bytes of a span; the parser gives byte offsets for every text held in memory.
fn bytes(span: &Span) -> Range<usize> {
    let start = span.start.byte_offset().unwrap_or_default();
    start..span.end.byte_offset().unwrap_or(start).max(start)
}

fn syntax_error(source: &Source, error: &ScanError) -> ConfigErrors {
    let at = error.marker().byte_offset().unwrap_or_else(|| nth_character(&source.text, error.marker().index()));
    if let Some(tab) = indenting_tab(&source.text, at) {
        return ConfigErrors::one(
            &source.file,
            Some(source.place(&(tab..tab + 1))),
            "a tab indents this line, and YAML allows only spaces there",
            Some("replace the tab with spaces, the same number as the lines beside it have"),
        );
    }
    let (message, mut hint) = explain(error.kind());
    let line = source.text[..at].rfind('\n').map_or(0, |line| line + 1);
    if source.text[line..].lines().next().is_some_and(|line| line.contains("${"))
        && source.text[line..at].contains(['{', '['])
    {
        hint = Some("inside brackets, a variable has to stand in quotes: `\"${NAME}\"`");
    }
    let at = at.min(source.text.trim_end().len());
    let end = source.text[at..].chars().next().map_or(at, |character| at + character.len_utf8());
    ConfigErrors::one(&source.file, Some(source.place(&(at..end))), &message, hint)
}

fn nth_character(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
}

/// A tab in the indentation of the line at `at`, or of the one before or after it.
fn indenting_tab(text: &str, at: usize) -> Option<usize> {
    let head = text.get(..at)?;
    let this = head.rfind('\n').map_or(0, |line| line + 1);
    let before = head[..this.saturating_sub(1)].rfind('\n').map_or(0, |line| line + 1);
    let after = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
    [before, this, after].into_iter().find_map(|line| {
        let rest = text[line..].trim_start_matches(' ');
        rest.starts_with('\t').then(|| text.len() - rest.len())
    })
}

const QUOTE_IT: &str =
    "a value that holds `: ` or ` #`, or starts with a sign, has to stand in quotes: `\"like: this\"`";

fn explain(kind: &ErrorKind) -> (String, Option<&'static str>) {
    let text = |text: &str| text.to_string();
    match kind {
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar | ErrorKind::UnexpectedEof => {
            (text("the text in quotes does not end"), Some("close it with the quote it began with"))
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            text("something follows the closing quote"),
            Some("put the whole value in quotes; inside `'…'` write `''` for a quote, inside `\"…\"` write `\\\"`"),
        ),
        ErrorKind::UnknownQuotedScalarEscape => {
            (text("`\\` begins no known escape here"), Some("write `\\\\` for a backslash, or use single quotes"))
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            (format!("the bracket `{open}` is not closed"), Some("close it; entries are separated by commas"))
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("the bracket `{open}` is closed by `{close}`"), Some("brackets close with their own kind"))
        }
        ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => (text("a bracket is not closed"), Some("close it")),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            (text("a comma or the closing bracket is missing before this"), None)
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            (text("a second `: ` in one line makes no sense here"), Some(QUOTE_IT))
        }
        ErrorKind::UnexpectedCharacter { character: '`' } => {
            (text("a value cannot start with a backtick"), Some(QUOTE_IT))
        }
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            (format!("the control character `{}` stands here", character.escape_default()), Some("remove it"))
        }
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("a value cannot start with `{}`", character.escape_default()), Some(QUOTE_IT))
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            (text("this line is no `key: value`"), Some("a `:` and a space are missing, or the line before is broken"))
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::BlockSequenceEntryNotAllowed => (
            text("this line does not fit the lines before it"),
            Some("keys of one block start in the same column; a text that is cut off by a quote or `:` needs quotes"),
        ),
        ErrorKind::InvalidBlockScalarHeader => (
            text("something follows a `>` or `|` that begins a text of several lines"),
            Some("begin that text on the next line, indented, or put the value in quotes"),
        ),
        ErrorKind::CommentInterceptedScalar => (text("a comment stands in the middle of a text"), Some(QUOTE_IT)),
        ErrorKind::MisplacedFlowCollectionEnd => {
            (text("this bracket closes nothing"), Some("remove it, or write the one that it belongs to"))
        }
        ErrorKind::UnknownAnchor => (
            text("no `&name` before this alias has its name"),
            Some("put the value in quotes if the `*` belongs to it"),
        ),
        ErrorKind::RecursionLimitExceeded => (
            format!("blocks or brackets stand more than {DEEPEST} deep here"),
            Some("nothing in a store file needs that"),
        ),
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            (text("a tab stands where YAML allows only spaces"), Some("replace the tab with spaces"))
        }
        other => (format!("this is not valid YAML: {other}"), None),
    }
}
