//! Cutting text where a reader would.

use unicode_segmentation::UnicodeSegmentation;

/// Cuts text to at most `longest` characters as a reader counts them, between words, ending in an ellipsis if anything
/// was cut. A single word longer than that is cut between its characters.
pub fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest || text.graphemes(true).nth(longest).is_none() {
        return text.to_string();
    }
    let room = longest.saturating_sub(1);
    let end = text.grapheme_indices(true).nth(room).map_or(text.len(), |(at, _)| at);
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
        fn cutting_never_exceeds_the_length(text in "\\PC{0,200}", longest in 2usize..80) {
            prop_assert!(shortened(&text, longest).graphemes(true).count() <= longest);
        }
    }
}
