//! Texts as words to search for: lower case, without accents, without the plural's ending.
//!
//! `templates/scripts/words.js` does the same to what shoppers type; a test runs both on the same texts.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest word, in characters; what is longer is cut, here and in the shopper's query.
const LONGEST_WORD: usize = 24;

/// Calls `take` for every word of a text. A word with hyphens is its parts and, as one word, the whole of them, so that
/// `cat-eye` is found as `cateye` and as `cat eye`.
pub(super) fn for_each_word(text: &str, mut take: impl FnMut(&str)) {
    let mut parts = 0;
    let mut word = String::new();
    let mut whole = String::new();
    let mut close = |word: &mut String, whole: &mut String, parts: &mut usize, goes_on: bool| {
        if !word.is_empty() {
            *parts += 1;
            whole.push_str(word);
            take(folded(word));
            word.clear();
        }
        if !goes_on {
            if *parts > 1 {
                take(folded(whole));
            }
            whole.clear();
            *parts = 0;
        }
    };
    for character in text.nfkd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase) {
        // The Greek letter at the end of a word, which capitals do not tell apart.
        let character = if character == 'ς' { 'σ' } else { character };
        if is_ideographic(character) {
            close(&mut word, &mut whole, &mut parts, false);
            word.push(character);
            close(&mut word, &mut whole, &mut parts, false);
        } else if character.is_alphanumeric() {
            word.push(character);
        } else if !matches!(character, '\'' | '\u{2019}') {
            close(&mut word, &mut whole, &mut parts, matches!(character, '-' | '\u{2010}' | '\u{2011}' | '_' | '/'));
        }
    }
    close(&mut word, &mut whole, &mut parts, false);
}

/// Scripts written without blanks: each character is a word.
fn is_ideographic(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// Leaves out an `s` at the end, which is the plural's in many languages, and what is beyond the longest word.
fn folded(word: &str) -> &str {
    let end = word.char_indices().nth(LONGEST_WORD).map_or(word.len(), |(end, _)| end);
    let word = &word[..end];
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem,
        _ => word,
    }
}

/// Which of `count` files a word is in: words with the same first two characters are in the same one. FNV-1a over
/// their code points, as it takes few lines in both languages.
pub(super) fn bucket_of(start: impl Iterator<Item = char>, count: u32) -> u32 {
    let hash =
        start.take(2).fold(0x811c_9dc5_u32, |hash, character| (hash ^ u32::from(character)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 15)) % count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for_each_word(text, |word| words.push(word.to_string()));
        words
    }

    /// The same cases are put to `templates/scripts/words.js` in a browser.
    #[test]
    fn words_are_folded() {
        #[derive(serde::Deserialize)]
        struct Case {
            text: String,
            words: Vec<String>,
        }
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../../tests/words.json")).expect("cases");
        assert!(cases.len() > 5);
        for case in cases {
            assert_eq!(words(&case.text), case.words, "{}", case.text);
        }
    }

    #[test]
    fn words_of_one_beginning_share_a_file() {
        assert_eq!(bucket_of("round".chars(), 64), bucket_of("rope".chars(), 64));
        assert!(
            (0..200_u8).map(|n| bucket_of([char::from(97 + n % 26), char::from(97 + n / 26)].into_iter(), 64)).max()
                > Some(50)
        );
    }
}
