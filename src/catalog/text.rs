//! Text as others see it: cut where a reader would, written so that no language takes it for its own signs, and told
//! from names that a system takes for something else.

use unicode_segmentation::UnicodeSegmentation;

/// Cuts text to at most `longest` characters as a reader counts them, between words, ending in an ellipsis if anything
/// was cut. A single word longer than that is cut between its characters.
pub fn shortened(text: &str, longest: usize) -> String {
    if fits(text, longest) {
        return text.to_string();
    }
    let room = longest.saturating_sub(1);
    let end = start_of_character(text, room).unwrap_or(text.len());
    let head = &text[..end];
    let cut_in_word = !text[end..].starts_with(char::is_whitespace);
    let kept = match head.rfind(char::is_whitespace) {
        Some(at) if cut_in_word && at > 0 => &head[..at],
        _ => head,
    };
    let kept =
        kept.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '–' | '—' | '·'));
    format!("{kept}…")
}

/// Whether text is one line with single blanks between its words. Errs on the side of no: a few languages write with
/// bytes that blanks of other kinds begin with, and are looked at character by character instead.
pub fn is_one_line(text: &str) -> bool {
    let is_suspect = |byte: u8| (byte < b' ') | (byte == 0x7f) | (byte == 0xc2) | (byte.wrapping_sub(0xe1) < 3);
    let is_edged = text.starts_with(' ') || text.ends_with(' ');
    !is_edged && first_byte(text.as_bytes(), is_suspect).is_none() && !text.contains("  ")
}

/// Where the first byte of a kind is. Many times faster than going from byte to byte where there are few of them, if
/// `is_it` compares by `|` and `&`, which branch nowhere: then whole blocks are looked at by a few instructions.
pub fn first_byte(bytes: &[u8], is_it: impl Fn(u8) -> bool) -> Option<usize> {
    const BLOCK: usize = 16;
    let holds_one = |block: &[u8]| block.iter().fold(false, |any, &byte| any | is_it(byte));
    let clear = BLOCK * bytes.chunks_exact(BLOCK).take_while(|block| !holds_one(block)).count();
    bytes[clear..].iter().position(|&byte| is_it(byte)).map(|at| clear + at)
}

/// Appends text in which signs of ASCII that mean something where it goes to are written otherwise. `means_something` is
/// asked as in [`first_byte`].
pub fn push_escaped(
    out: &mut String,
    text: &str,
    means_something: impl Fn(u8) -> bool,
    otherwise: impl Fn(u8) -> &'static str,
) {
    let mut rest = text;
    while let Some(at) = first_byte(rest.as_bytes(), &means_something) {
        out.push_str(&rest[..at]);
        out.push_str(otherwise(rest.as_bytes()[at]));
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Number of characters as a reader counts them.
pub fn length(text: &str) -> usize {
    if text.is_ascii() && !text.contains('\r') { text.len() } else { text.graphemes(true).count() }
}

/// Whether text has at most `longest` characters as a reader counts them.
pub fn fits(text: &str, longest: usize) -> bool {
    text.len() <= longest || start_of_character(text, longest).is_none()
}

/// Where the character with this number begins, counted from 0.
fn start_of_character(text: &str, number: usize) -> Option<usize> {
    // Readers take every character of ASCII for one, but for the end of a line that is written with two.
    let head = text.as_bytes().get(..=number)?;
    if head.is_ascii() && !head.contains(&b'\r') && text.as_bytes().get(number + 1).is_none_or(u8::is_ascii) {
        return Some(number);
    }
    text.grapheme_indices(true).nth(number).map(|(at, _)| at)
}

/// `con`, `aux.html`, `COM1`: names that Windows takes for devices, with any extension.
pub fn is_device_name(segment: &str) -> bool {
    let stem = segment.split('.').next().unwrap_or_default().trim_end();
    if !(3..=4).contains(&stem.len()) || !stem.is_ascii() {
        return false;
    }
    let stem = stem.to_ascii_lowercase();
    match stem.as_str() {
        "con" | "prn" | "aux" | "nul" => true,
        _ => {
            (stem.starts_with("com") || stem.starts_with("lpt")) && matches!(stem.as_bytes().get(3), Some(b'1'..=b'9'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_between_words() {
        assert_eq!(shortened("round glasses", 60), "round glasses");
        assert_eq!(shortened("one two three four", 10), "one two…");
        assert_eq!(shortened("one two, three", 9), "one two…");
        assert_eq!(shortened("abcdefghijkl", 5), "abcd…");
    }

    proptest! {
        #[test]
        fn one_line_is_what_folding_leaves_alone(text in "[ab é\n\u{85}\u{a0}\u{2028}\u{3000}]{0,12}") {
            let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert!(!is_one_line(&text) || folded == text);
        }

        #[test]
        fn the_first_byte_is_the_first_one(text in "[a<>é]{0,50}") {
            let is_it = |byte: u8| (byte == b'<') | (byte == b'>');
            prop_assert_eq!(first_byte(text.as_bytes(), is_it), text.find(['<', '>']));
            let mut escaped = String::new();
            push_escaped(&mut escaped, &text, is_it, |byte| if byte == b'<' { "&lt;" } else { "&gt;" });
            prop_assert_eq!(escaped, text.replace('<', "&lt;").replace('>', "&gt;"));
        }

        #[test]
        fn characters_are_counted_as_readers_do(text in "[ab\r\n\u{301}é👓]{0,20}") {
            prop_assert_eq!(length(&text), text.graphemes(true).count());
        }

        #[test]
        fn characters_are_found_where_they_begin(text in "[ab\r\n\u{301}é👓]{0,20}", number in 0usize..24) {
            let found = text.grapheme_indices(true).nth(number).map(|(at, _)| at);
            prop_assert_eq!(start_of_character(&text, number), found);
        }

        #[test]
        fn cutting_never_exceeds_the_length(text in "\\PC{0,200}", longest in 2usize..80) {
            prop_assert!(shortened(&text, longest).graphemes(true).count() <= longest);
        }
    }
}
