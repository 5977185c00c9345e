//! A stream of JSON text to the text of each document in it.
//!
//! JSON Lines, arrays, pretty-printed and concatenated documents are all told apart while reading, by structure alone,
//! so that a file of any size is read with the memory of one document. A document that is broken is handed on as it is,
//! for its finding; the stream goes on behind it at the next line that begins a document. Only what makes the rest of
//! the file worthless is an error: an end in the middle of something, or more text behind the end of an array.

use super::document::{LARGEST, Place, RawDocument};
use std::io::{self, BufRead};

/// Why a stream could not be read to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// Reading failed.
    Io(io::Error),
    /// The text is at fault on this line.
    Line(u64, String),
}

/// The documents of one stream, in its order.
pub(super) struct JsonDocuments<R> {
    input: R,
    line: u64,
    in_array: bool,
    after_array: bool,
    finished: bool,
    scan: Scan,
}

/// The state of reading one document.
#[derive(Default)]
struct Scan {
    text: Vec<u8>,
    begins: u64,
    /// Blanks before the document on its line; none when other text stands before it.
    indent: Option<usize>,
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// The last byte that is neither blank nor inside text.
    last: u8,
    too_large: bool,
    /// Skipping to the next line that begins a document.
    lost: bool,
    /// Blanks since the line began, until anything else comes.
    margin: Option<usize>,
}

impl<R: BufRead> JsonDocuments<R> {
    pub(super) fn new(input: R) -> Self {
        let scan = Scan { margin: Some(0), ..Scan::default() };
        Self { input, line: 1, in_array: false, after_array: false, finished: false, scan }
    }

    fn read(&mut self) -> Result<Option<RawDocument>, Broken> {
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broken::Io(error)),
            };
            if buffer.is_empty() {
                return self.end();
            }
            let mut used = 0;
            let mut found = Ok(None);
            while used < buffer.len() {
                if self.scan.is_amid_line() {
                    used += self.scan.run(&buffer[used..]);
                    if self.scan.depth == 0 {
                        found = Ok(Some(Step::Document(self.scan.take())));
                        break;
                    }
                    if used == buffer.len() {
                        break;
                    }
                }
                let byte = buffer[used];
                used += 1;
                found = step(&mut self.scan, byte, self.line, &mut self.in_array, &mut self.after_array);
                if let Ok(Some(Step::Again(document))) = found {
                    // The byte begins the next document; it is looked at once more.
                    used -= 1;
                    self.input.consume(used);
                    return Ok(Some(document));
                }
                if byte == b'\n' {
                    self.line += 1;
                }
                if !matches!(found, Ok(None)) {
                    break;
                }
            }
            self.input.consume(used);
            match found? {
                Some(Step::Document(document) | Step::Again(document)) => return Ok(Some(document)),
                None => {}
            }
        }
    }

    fn end(&mut self) -> Result<Option<RawDocument>, Broken> {
        self.finished = true;
        if self.scan.lost {
            return Ok(Some(self.scan.take()));
        }
        if self.scan.depth > 0 {
            let message = "the file ends in the middle of the document that begins here; export it again";
            return Err(Broken::Line(self.scan.begins, message.into()));
        }
        if self.in_array {
            return Err(Broken::Line(self.line, "the file ends before the `]` of its array; export it again".into()));
        }
        Ok(None)
    }
}

impl<R: BufRead> Iterator for JsonDocuments<R> {
    type Item = Result<RawDocument, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let found = self.read().transpose();
        self.finished |= matches!(found, None | Some(Err(_)));
        found
    }
}

enum Step {
    /// A document ends with this byte.
    Document(RawDocument),
    /// A broken document ended before this byte, which begins another.
    Again(RawDocument),
}

fn step(
    scan: &mut Scan,
    byte: u8,
    line: u64,
    in_array: &mut bool,
    after_array: &mut bool,
) -> Result<Option<Step>, Broken> {
    let margin = scan.margin;
    scan.margin = match (byte, margin) {
        (b'\n', _) => Some(0),
        (b' ' | b'\t' | b'\r', Some(blanks)) => Some(blanks + 1),
        _ => None,
    };
    if scan.lost {
        let begins_document = byte == b'{' && margin.is_some() && margin == scan.indent;
        let ends_array = byte == b']' && *in_array && margin.is_some();
        // Something that is no document is over where the next item of its array begins.
        let ends_item = *in_array && matches!(byte, b',' | b']') && scan.is_stray_value();
        if begins_document || ends_array || ends_item {
            scan.margin = margin;
            return Ok(Some(Step::Again(scan.take())));
        }
        scan.push(byte);
        return Ok(None);
    }
    if scan.depth == 0 {
        return outside(scan, byte, margin, line, in_array, after_array);
    }
    if scan.in_text {
        // JSON text never runs over the end of a line, which alone is left to be looked at here.
        scan.lost = true;
        scan.push(byte);
        return Ok(None);
    }
    match byte {
        b'{' if margin.is_some()
            && margin == scan.indent
            && line > scan.begins
            && !matches!(scan.last, b'[' | b',' | b':') =>
        {
            // A document cannot stand here: the one before it was never closed.
            scan.margin = margin;
            return Ok(Some(Step::Again(scan.take())));
        }
        b'{' | b'[' => scan.depth += 1,
        b'}' | b']' => scan.depth -= 1,
        b'"' => scan.in_text = true,
        _ => {}
    }
    if !byte.is_ascii_whitespace() {
        scan.last = byte;
    }
    scan.push(byte);
    Ok((scan.depth == 0).then(|| Step::Document(scan.take())))
}

fn outside(
    scan: &mut Scan,
    byte: u8,
    margin: Option<usize>,
    line: u64,
    in_array: &mut bool,
    after_array: &mut bool,
) -> Result<Option<Step>, Broken> {
    match byte {
        b' ' | b'\t' | b'\r' | b'\n' => return Ok(None),
        _ if *after_array => {
            return Err(Broken::Line(
                line,
                "there is more text behind the end of the array; split or repair the file".into(),
            ));
        }
        b',' if *in_array => return Ok(None),
        b']' if *in_array => {
            *in_array = false;
            *after_array = true;
            return Ok(None);
        }
        b'[' if !*in_array && scan.begins == 0 => {
            *in_array = true;
            return Ok(None);
        }
        b'{' => scan.depth = 1,
        _ => scan.lost = true,
    }
    scan.begins = line;
    if byte == b'{' {
        scan.indent = margin;
    } else {
        scan.indent = scan.indent.or(Some(0));
    }
    scan.last = byte;
    scan.push(byte);
    Ok(None)
}

impl Scan {
    fn push(&mut self, byte: u8) {
        self.push_all(&[byte]);
    }

    fn push_all(&mut self, bytes: &[u8]) {
        if self.text.len() + bytes.len() > LARGEST {
            self.too_large = true;
            self.text = Vec::new();
        }
        if !self.too_large {
            self.text.extend_from_slice(bytes);
        }
    }

    /// Whether what was skipped so far is a whole value, such as a number where a document was to be. Only short ones are
    /// looked at: this is asked at every comma.
    fn is_stray_value(&self) -> bool {
        const LONGEST: usize = 1024;
        self.text.len() <= LONGEST && serde_json::from_slice::<serde::de::IgnoredAny>(&self.text).is_ok()
    }

    /// Whether it is inside of a document, and something stands before it on its line already.
    fn is_amid_line(&self) -> bool {
        self.depth > 0 && !self.lost && self.margin.is_none()
    }

    /// Takes what comes up to the end of the document or of the line: most of a catalogue. Gives how many bytes that were.
    fn run(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.in_text && !self.escaped {
                at += memchr::memchr3(b'"', b'\\', b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                match bytes.get(at) {
                    Some(b'"') => (self.in_text, self.last) = (false, b'"'),
                    Some(b'\\') => self.escaped = true,
                    _ => break,
                }
                at += 1;
                continue;
            }
            match byte {
                b'\n' => break,
                _ if self.escaped => self.escaped = false,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                b'"' => self.in_text = true,
                _ => {}
            }
            if !self.in_text && !byte.is_ascii_whitespace() {
                self.last = byte;
            }
            at += 1;
            if self.depth == 0 {
                break;
            }
        }
        self.push_all(&bytes[..at]);
        at
    }

    fn take(&mut self) -> RawDocument {
        let place = Place::Line(self.begins);
        let document =
            if self.too_large { RawDocument::too_large(place) } else { RawDocument::json(&self.text, place) };
        self.text.clear();
        *self = Self {
            text: std::mem::take(&mut self.text),
            begins: self.begins,
            indent: self.indent,
            margin: self.margin,
            ..Self::default()
        };
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Documents as `line:text`, with `!` for what cannot be decoded; an error as `line: message`.
    fn documents(text: &str) -> Vec<String> {
        // A small buffer makes every boundary fall inside of something once, a large one none.
        let [small, large] = [3, 4096].map(|capacity| documents_through(capacity, text));
        assert_eq!(small, large, "{text}");
        large
    }

    fn documents_through(capacity: usize, text: &str) -> Vec<String> {
        JsonDocuments::new(BufReader::with_capacity(capacity, text.as_bytes()))
            .map(|found| match found {
                Ok(document) => match document.decode() {
                    Ok(decoded) => format!("{}:{:?}", document.label(), decoded.root.get("a")),
                    Err(_) => format!("{}!", document.label()),
                },
                Err(Broken::Line(line, message)) => format!("error in line {line}: {message}"),
                Err(Broken::Io(error)) => error.to_string(),
            })
            .map(|told| told.replace("Some(Int(", "").replace("))", ""))
            .collect()
    }

    #[test]
    fn a_value_that_is_no_document_takes_none_with_it() {
        let found = documents(r#"[{"a":1},1,{"a":2},"x, y",null,{"a":3},[4,5]]"#);
        assert_eq!(found, ["1:1", "1!", "1:2", "1!", "1!", "1:3", "1!"].map(|told| format!("line {told}")));
    }

    #[test]
    fn every_layout_gives_the_same_documents() {
        for text in [
            "{\"a\":1}\n{\"a\":2}\n",
            "{\"a\":1}\n{\"a\":2}",
            "{\"a\":1}\r\n\r\n{\"a\":2}\r\n",
            "{\"a\":1}{\"a\":2}",
            "[{\"a\":1},{\"a\":2}]",
            "[\n  {\"a\":1},\n  {\"a\":2}\n]\n",
            "[{\n  \"a\": 1\n},\n{\n  \"a\": 2\n}]",
            "{\"b\":\"\\\\\",\"a\":1} {\"b\":\"{\\\"}\",\"a\":2}",
            "{\n  \"a\": 1\n}\n{\n  \"a\": 2,\n  \"b\": [\n{\n}, {\"x\": \"}]\\\"{\"}\n]\n}\n",
        ] {
            let values: Vec<_> =
                documents(text).iter().map(|told| told.split(':').next_back().unwrap().to_owned()).collect();
            assert_eq!(values, ["1", "2"], "{text}");
        }
        assert!(documents("").is_empty());
        assert!(documents("[]").is_empty());
        assert!(documents(" \n\n").is_empty());
    }

    #[test]
    fn a_broken_line_costs_only_itself() {
        for (text, expected) in [
            ("{\"a\":1}\n{\"a\":\n{\"a\":3}\n{\"a\":4}\n", ["line 1:1", "line 2!", "line 4:4"].as_slice()),
            ("{\"a\":1}\n{\"a\":2\n{\"a\":3}\n", &["line 1:1", "line 2!", "line 3:3"]),
            ("{\"a\":1}\n{\"a\":\"x\n{\"a\":3}\n", &["line 1:1", "line 2!", "line 3:3"]),
            ("{\"a\":1}\nnot json\n{\"a\":3}\n", &["line 1:1", "line 2!", "line 3:3"]),
            ("not json\n{\"a\":3}\n", &["line 1!", "line 2:3"]),
            ("{\"a\":1}}\n{\"a\":3}\n", &["line 1:1", "line 1!", "line 2:3"]),
            ("{\"a\":NaN}\n{\"a\":3}\n", &["line 1!", "line 2:3"]),
            ("[\n  {\"a\":1},\n  {\"b\":\n  \"x,\n  {\"a\":3}\n]\n", &["line 2:1", "line 3!", "line 5:3"]),
            ("{\"a\":1}\nrest", &["line 1:1", "line 2!"]),
        ] {
            let found = documents(text);
            if text.contains("\"a\":\n") {
                // After a colon a document may stand, so the line below goes with the broken one.
                assert_eq!(found.len(), 3, "{text}: {found:?}");
                assert_eq!(found[2], "line 4:4");
            } else {
                assert_eq!(found, expected, "{text}");
            }
        }
    }

    #[test]
    fn an_end_too_early_or_too_late_is_an_error_with_its_line() {
        for (text, line) in [
            ("{\"a\":1}\n{\"a\":2", 2),
            ("{\"a\":1}\n{\"a\":\"x", 2),
            ("[{\"a\":1},\n{\"a\":2}", 2),
            ("[{\"a\":1}]\nrest", 2),
            ("[{\"a\":1}]\n[{\"a\":2}]", 2),
        ] {
            let found = documents(text);
            let last = found.last().unwrap();
            assert!(last.starts_with(&format!("error in line {line}: ")), "{text}: {found:?}");
        }
    }
}
