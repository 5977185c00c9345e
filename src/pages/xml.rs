//! XML: elements with escaped contents, and none of the characters that no XML file may hold.
//!
//! Takes texts of any origin; appends markup. Knows nothing of what the elements mean.

use super::template::{escape, push_escaped};
use crate::catalog::text::first_byte;
use time::OffsetDateTime;

/// First line of every XML file.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Appends an element with a text inside.
pub(crate) fn push_element(xml: &mut String, name: &str, text: &str) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    if is_plain(text) {
        push_escaped(xml, text);
    } else {
        xml.push_str(&escaped(text));
    }
    xml.push_str("</");
    xml.push_str(name);
    xml.push_str(">\n");
}

/// A text for elements and quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    if is_plain(text) || text.chars().all(is_allowed) {
        return escape(text);
    }
    escape(&text.chars().filter(|&character| is_allowed(character)).collect::<String>())
}

/// Whether a text holds nothing but the printable characters of ASCII, all of which are allowed.
fn is_plain(text: &str) -> bool {
    first_byte(text.as_bytes(), |byte| byte.wrapping_sub(b' ') > b'~' - b' ').is_none()
}

/// The characters of XML 1.0, without the control characters that it allows but advises against.
fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => !other.is_control(),
    }
}

/// The time of a number of milliseconds; `None` for years that no feed or sitemap can mean.
pub(crate) fn time_of(milliseconds: i64) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::from_unix_timestamp(milliseconds.div_euclid(1000)).ok()?;
    (1990..=9999).contains(&time.year()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_an_element() {
        let mut xml = String::new();
        push_element(&mut xml, "title", "A & B </title><!--\u{0}\u{b}\u{1b}\u{85}\u{ffff}-->]]> é 👓");
        assert_eq!(xml, "<title>A &amp; B &lt;/title&gt;&lt;!----&gt;]]&gt; é 👓</title>\n");
    }
}
