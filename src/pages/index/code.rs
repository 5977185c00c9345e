//! Numbers as text: characters that need no escape in JSON, one to a few for a number.
//!
//! Columns use a fixed width, so that the code of a product is found by its position; postings use as few characters
//! as a number needs.

/// How many values one character has.
const BASE: usize = 90;
/// In a number of variable length, values below this end it.
const LAST: usize = 60;

/// The character of a value: printable ASCII from `#`, without the backslash.
fn character(value: usize) -> char {
    // `value` is below 90, so that the result is at most `}`.
    let code = 35 + value as u8;
    char::from(if code >= b'\\' { code + 1 } else { code })
}

/// Characters that each of `count` different numbers needs.
pub(super) fn width(count: usize) -> usize {
    let mut width = 1;
    let mut room = BASE;
    while room < count {
        width += 1;
        room = room.saturating_mul(BASE);
    }
    width
}

/// Appends a number in a fixed width, most significant character first.
pub(super) fn push_fixed(text: &mut String, number: usize, width: usize) {
    for place in (0..width as u32).rev() {
        text.push(character(number / BASE.pow(place) % BASE));
    }
}

/// Appends a number in as few characters as it takes.
pub(super) fn push_short(text: &mut String, number: usize) {
    let high = number / LAST;
    if high > 0 {
        push_leading(text, high - 1);
    }
    text.push(character(number % LAST));
}

/// What stands before the last character: values from 60 to 89, and again before those.
fn push_leading(text: &mut String, number: usize) {
    const LEADING: usize = BASE - LAST;
    if number >= LEADING {
        push_leading(text, number / LEADING - 1);
    }
    text.push(character(LAST + number % LEADING));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(character: char) -> usize {
        let code = character as usize;
        code - 35 - usize::from(code > usize::from(b'\\'))
    }

    fn read_short(text: &str) -> Vec<usize> {
        let (mut numbers, mut high) = (Vec::new(), 0);
        for value in text.chars().map(value) {
            if value < LAST {
                numbers.push(high * LAST + value);
                high = 0;
            } else {
                high = high * (BASE - LAST) + (value - LAST) + 1;
            }
        }
        numbers
    }

    proptest! {
        #[test]
        fn short_numbers_come_back(numbers in prop::collection::vec(0_usize..3_000_000, 0..50)) {
            let mut text = String::new();
            numbers.iter().for_each(|&number| push_short(&mut text, number));
            prop_assert_eq!(read_short(&text), numbers);
        }

        #[test]
        fn fixed_numbers_come_back(number in 0_usize..700_000) {
            let mut text = String::new();
            push_fixed(&mut text, number, width(700_000));
            prop_assert_eq!(text.chars().map(value).fold(0, |sum, value| sum * BASE + value), number);
        }
    }

    #[test]
    fn characters_need_no_escape() {
        let all: String = (0..BASE).map(character).collect();
        assert!(!all.contains(['"', '\\']) && all.chars().all(|c| c.is_ascii_graphic()));
        assert_eq!(all.chars().collect::<std::collections::BTreeSet<_>>().len(), BASE);
        assert_eq!([width(0), width(90), width(91), width(8100), width(8101)], [1, 1, 2, 2, 3]);
    }
}
