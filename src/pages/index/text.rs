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
    if text.is_ascii() {
        for part in text.split_ascii_whitespace() {
            ascii_words_in(part, &mut take);
        }
    } else {
        words_in(text.nfkd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase), take);
    }
}

/// The usual case: a word, perhaps with a full stop behind it.
fn ascii_words_in(part: &str, take: &mut impl FnMut(&str)) {
    let word = part.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    if !word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        words_in(part.bytes().map(|byte| char::from(byte.to_ascii_lowercase())), take);
    } else if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        take(folded(&word.to_ascii_lowercase()));
    } else if !word.is_empty() {
        take(folded(word));
    }
}

fn words_in(characters: impl Iterator<Item = char>, mut take: impl FnMut(&str)) {
    let mut parts = 0;
    let mut word = String::new();
    let mut whole = String::new();
    let mut close = |word: &mut String, whole: &mut String, parts: &mut usize, goes_on: bool| {
        if !word.is_empty() {
            *parts += 1;
            if goes_on || *parts > 1 {
                whole.push_str(word);
            }
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
    for character in characters {
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
    let mut word = word;
    if word.len() > LONGEST_WORD {
        let end = word.char_indices().nth(LONGEST_WORD).map_or(word.len(), |(end, _)| end);
        word = &word[..end];
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem,
        _ => word,
    }
}

/// Which of `count` files a word is in. Words with the same first two letters are in the same one, so that those that
/// begin like the shopper's are found there. Codes, of which a catalogue has as many as products, are spread by all of
/// their characters and only found whole. FNV-1a over code points, as it takes few lines in both languages.
pub(super) fn bucket_of(word: &str, count: u32) -> u32 {
    let length = if is_code(word) { usize::MAX } else { 2 };
    hash(word.chars().take(length)) % count.max(1)
}

/// Which of `count` files of endings a word is in: by its last two letters.
pub(super) fn ending_bucket_of(word: &str, count: u32) -> u32 {
    hash(word.chars().rev().take(2)) % count.max(1)
}

/// Whether a word is a number or an article's code.
pub(super) fn is_code(word: &str) -> bool {
    word.contains(|character: char| character.is_ascii_digit())
}

fn hash(characters: impl Iterator<Item = char>) -> u32 {
    let step = |hash: u32, character: char| (hash ^ u32::from(character)).wrapping_mul(0x0100_0193);
    let hash = characters.fold(0x811c_9dc5, step);
    hash ^ (hash >> 15)
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
    fn words_of_one_beginning_share_a_file_and_codes_do_not() {
        assert_eq!(bucket_of("round", 64), bucket_of("rope", 64));
        assert_eq!(ending_bucket_of("round", 64), ending_bucket_of("land", 64));
        let files: std::collections::BTreeSet<u32> = (0..999).map(|n| bucket_of(&format!("al{n:04}"), 64)).collect();
        assert!(files.len() > 50, "{}", files.len());
    }
}
