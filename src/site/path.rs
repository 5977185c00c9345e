//! Which paths a page or asset may have: relative, and harmless on every file system and web server.
//!
//! In: the path that a plan wants to write to. Out: nothing, or why not. Never touches the disk.

use super::MANIFEST;
use crate::catalog::text::is_device_name;

/// Longest path in bytes; leaves room for the folder in front of it within the usual 4,096.
const LONGEST_PATH: usize = 1024;
/// Longest part between two slashes in bytes, as most file systems have it.
const LONGEST_SEGMENT: usize = 255;

/// A path that nothing may be written to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot be a file of the store: {why}")]
pub struct UnsafePath {
    path: String,
    why: &'static str,
}

/// Checks a path of the output, written with `/`.
///
/// # Errors
/// When it is empty, absolute or too long, climbs (`..`), names a device, has characters that some file system
/// forbids, or belongs to storegen itself.
pub fn check_path(path: &str) -> Result<(), UnsafePath> {
    match problem(path) {
        None => Ok(()),
        Some(why) => Err(UnsafePath { path: path.chars().take(200).flat_map(char::escape_debug).collect(), why }),
    }
}

fn problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.len() > LONGEST_PATH {
        return Some("it is longer than 1,024 bytes");
    }
    if path.chars().any(|letter| letter.is_control() || r#"\<>:"|?*"#.contains(letter)) {
        return Some("it has a character that is not allowed in file names everywhere");
    }
    if path.eq_ignore_ascii_case(MANIFEST) || path.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(".storegen"))
    {
        return Some("the name is reserved for storegen");
    }
    path.split('/').find_map(segment_problem)
}

fn segment_problem(segment: &str) -> Option<&'static str> {
    if segment.is_empty() {
        return Some("it starts or ends with a slash, or has two in a row");
    }
    if segment.len() > LONGEST_SEGMENT {
        return Some("a part of it is longer than 255 bytes");
    }
    if segment.ends_with(['.', ' ']) {
        return Some("a part of it is `.` or `..`, or ends with a dot or a space");
    }
    is_device_name(segment).then_some("a part of it is a device name on Windows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn pages_and_assets_pass() {
        for path in [
            "index.html",
            "products/ray-ban-aviator/index.html",
            "assets/site.9f3c.css",
            "_headers",
            ".well-known/x",
            "brands/日本/index.html",
            "comet/index.html",
            "com/index.html",
        ] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn dangerous_paths_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/./b",
            "a//b",
            "a/",
            "a\\..\\b",
            "C:/x",
            "a\0b",
            "a\nb",
            "con",
            "products/AUX.html",
            "lpt9/x",
            "nul .txt",
            "dot./x",
            "space /x",
            "storegen-manifest.json",
            "Storegen-Manifest.json",
            ".storegen-job_1/tree/x",
        ] {
            assert!(check_path(path).is_err(), "{path:?} passed");
        }
        assert!(check_path(&"a/".repeat(600)).is_err());
        assert!(check_path(&"a".repeat(256)).is_err());
    }

    #[test]
    fn the_message_shows_no_raw_control_characters() {
        let message = check_path("a\u{1b}[31m\nb").unwrap_err().to_string();
        assert!(!message.chars().any(char::is_control), "{message:?}");
    }

    proptest! {
        #[test]
        fn what_passes_stays_inside(path in r#"([a-c./\\:\x00 ]|\.\.|con|é){0,24}"#) {
            if check_path(&path).is_ok() {
                prop_assert!(Path::new(&path).components().all(|part| matches!(part, Component::Normal(_))));
                prop_assert!(Path::new("/out").join(&path).starts_with("/out"));
            }
        }
    }
}
