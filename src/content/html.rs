//! Markdown to HTML that can do no harm.
//!
//! Raw HTML is shown as the text it is; links lead to `http(s)`, mail and telephone addresses and into the store, and
//! nowhere else; headings begin below the page's own. What comes out has passed the same cleaning as descriptions of the
//! catalogue, so that a mistake here is caught there.

use crate::catalog::vocabulary::key_of;
use ammonia::Builder;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A question and the HTML of its answer.
pub(crate) struct Question {
    pub(crate) question: String,
    pub(crate) answer: String,
}

/// What a text points at, as it is to be written in the page; `None` takes the link away and leaves its words.
pub(crate) type Resolve<'r> = &'r dyn Fn(&Target<'_>) -> Option<String>;

/// What a text points at.
pub(crate) enum Target<'t> {
    /// A link.
    Link(&'t str),
    /// A picture.
    Picture(&'t str),
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// The pictures that a text shows, with the place in it.
pub(crate) fn pictures(text: &str) -> Vec<(usize, String)> {
    let events = parser(text).into_offset_iter();
    let picture = |(event, place): (Event<'_>, std::ops::Range<usize>)| match event {
        Event::Start(Tag::Image { dest_url, .. }) => Some((place.start, dest_url.to_string())),
        _ => None,
    };
    events.filter_map(picture).collect()
}

/// The links of a text, with the place in it.
pub(crate) fn links(text: &str) -> Vec<(usize, String)> {
    let events = parser(text).into_offset_iter();
    let link = |(event, place): (Event<'_>, std::ops::Range<usize>)| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some((place.start, dest_url.to_string())),
        _ => None,
    };
    events.filter_map(link).collect()
}

/// The HTML of a text.
pub(crate) fn of(text: &str, resolve: Resolve<'_>) -> String {
    written(parser(text), resolve)
}

fn written<'e>(events: impl Iterator<Item = Event<'e>>, resolve: Resolve<'_>) -> String {
    let mut depth_without_link = 0_usize;
    let events: Vec<Event<'e>> = events.collect();
    let mut names = names_of_headings(&events).into_iter();
    let events = events.into_iter().filter_map(|event| {
        Some(match event {
            Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
            Event::Start(Tag::Heading { level, .. }) => Event::Start(heading(level, names.next())),
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => match resolve(&Target::Link(&dest_url)) {
                Some(url) => Event::Start(Tag::Link { link_type, dest_url: url.into(), title, id }),
                None => {
                    depth_without_link += 1;
                    return None;
                }
            },
            Event::End(TagEnd::Link) if depth_without_link > 0 => {
                depth_without_link -= 1;
                return None;
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                let url = resolve(&Target::Picture(&dest_url)).unwrap_or_default();
                Event::Start(Tag::Image { link_type, dest_url: CowStr::from(url), title, id })
            }
            other => other,
        })
    });
    let mut page = String::new();
    html::push_html(&mut page, events);
    CLEAN.clean(&page).to_string()
}

/// The page has a heading of the first level already.
fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => HeadingLevel::H2,
        HeadingLevel::H3 => HeadingLevel::H3,
        _ => HeadingLevel::H4,
    }
}

fn heading(level: HeadingLevel, id: Option<String>) -> Tag<'static> {
    Tag::Heading { level: below(level), id: id.map(CowStr::from), classes: Vec::new(), attrs: Vec::new() }
}

/// A name for each heading, so that links can lead to it; none twice, and none that the page has elsewhere.
fn names_of_headings(events: &[Event<'_>]) -> Vec<String> {
    let mut used: HashSet<String> = ["content", "menu", "search-box", "suggestions"].map(String::from).into();
    let mut names = Vec::new();
    let mut text: Option<String> = None;
    for event in events {
        match event {
            Event::Start(Tag::Heading { .. }) => text = Some(String::new()),
            Event::Text(words) | Event::Code(words) => _ = text.as_mut().map(|text| text.push_str(words)),
            Event::End(TagEnd::Heading(_)) => {
                let wished = key_of(&text.take().unwrap_or_default());
                let wished = if wished.is_empty() { "part".to_string() } else { wished };
                let further = (2..).map(|number: u32| format!("{wished}-{number}"));
                let name = std::iter::once(wished.clone()).chain(further).find(|name| !used.contains(name));
                let name = name.unwrap_or(wished);
                used.insert(name.clone());
                names.push(name);
            }
            _ => {}
        }
    }
    names
}

/// The questions of a text: headings of the second level, each with what follows up to the next.
pub(crate) fn questions(text: &str, resolve: Resolve<'_>) -> Vec<Question> {
    let mut questions: Vec<(String, Vec<Event<'_>>)> = Vec::new();
    let mut is_question = false;
    for event in parser(text) {
        match &event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                is_question = true;
                questions.push((String::new(), Vec::new()));
            }
            Event::End(TagEnd::Heading(HeadingLevel::H2)) => is_question = false,
            Event::Text(words) | Event::Code(words) if is_question => {
                if let Some((question, _)) = questions.last_mut() {
                    question.push_str(words);
                }
            }
            _ if is_question => {}
            _ => {
                if let Some((_, answer)) = questions.last_mut() {
                    answer.push(event);
                }
            }
        }
    }
    let questions =
        questions.into_iter().filter(|(question, answer)| !question.trim().is_empty() && !answer.is_empty());
    questions.map(|(question, answer)| Question { question, answer: written(answer.into_iter(), resolve) }).collect()
}

static CLEAN: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let tags = [
        "p",
        "br",
        "hr",
        "h2",
        "h3",
        "h4",
        "ul",
        "ol",
        "li",
        "strong",
        "em",
        "del",
        "a",
        "img",
        "blockquote",
        "code",
        "pre",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    ];
    let mut builder = Builder::default();
    builder
        .tags(HashSet::from(tags))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("h2", HashSet::from(["id"])),
            ("h3", HashSet::from(["id"])),
            ("h4", HashSet::from(["id"])),
            ("img", HashSet::from(["src", "alt"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(ammonia::UrlRelative::PassThrough)
        .set_tag_attribute_value("img", "loading", "lazy")
        .link_rel(Some("noopener"));
    builder
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn harmless(target: &Target<'_>) -> Option<String> {
        match target {
            Target::Link(url) | Target::Picture(url) => Some((*url).to_string()),
        }
    }

    #[test]
    fn hostile_texts_are_made_harmless() {
        let page = of(
            "# One\n\n<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[a](javascript:alert(1)) [b](data:text/html,x) \
             ![c](javascript:x) <a href=\"javascript:x\" onclick=x>d</a>\n\n[ok](https://a.example/?x=1&y=2)\n",
            &harmless,
        );
        for part in
            ["<script", "onerror=alert(1)>\n", "<a href=\"javascript", "<a href=\"data", "<img src=\"javascript"]
        {
            assert!(!page.contains(part), "{part}: {page}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
        assert!(
            page.contains("<h2 id=\"one\">One</h2>") && page.contains("href=\"https://a.example/?x=1&amp;y=2\""),
            "{page}"
        );
    }

    #[test]
    fn links_that_lead_nowhere_leave_their_words() {
        let page = of("See [the *old* page](gone.md).", &|_| None);
        assert_eq!(page.trim(), "<p>See the <em>old</em> page.</p>");
    }

    #[test]
    fn questions_and_answers_belong_together() {
        let questions = questions("Lead\n\n## Can I `return` it?\n\nYes, *soon*.\n\n## And?\n\n- a\n- b\n", &harmless);
        let told: Vec<_> = questions.iter().map(|one| (one.question.as_str(), one.answer.trim())).collect();
        assert_eq!(told[0], ("Can I return it?", "<p>Yes, <em>soon</em>.</p>"));
        assert_eq!(told[1].0, "And?");
    }

    proptest! {
        #[test]
        fn nothing_that_runs_comes_out(text in "[<>a-z\"'= ()\\[\\]!:#`*\n&;/-]{0,120}") {
            let page = of(&text, &harmless);
            prop_assert!(!page.contains("<script") && !page.contains("<iframe") && !page.contains("<style"));
            prop_assert!(!page.contains("href=\"javascript:") && !page.contains("src=\"javascript:"));
        }
    }
}
