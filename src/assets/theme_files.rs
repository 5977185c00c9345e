//! Files of the theme: one stylesheet made of the palette and the theme's sheets, the scripts, and whatever they
//! point at.
//!
//! Takes texts and bytes; gives files under names that change with their contents, so that browsers may keep them for
//! ever. Writes nothing.

use std::collections::BTreeMap;

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeFile {
    /// Path below the output folder.
    pub path: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// What a theme comes to.
#[derive(Clone, Debug)]
pub struct ThemeFiles {
    /// Path of the stylesheet.
    pub stylesheet: String,
    /// Paths of the theme's own files by the names that it knows them by.
    pub assets: BTreeMap<String, String>,
    /// Every file, the stylesheet first.
    pub files: Vec<ThemeFile>,
}

/// Makes the files: `assets` are pictures and fonts by the name that the sheets know them by.
pub fn build(palette: &str, sheets: &[String], assets: &BTreeMap<String, Vec<u8>>) -> ThemeFiles {
    let mut css = String::from(palette);
    for sheet in sheets {
        css.push('\n');
        css.push_str(sheet);
    }
    let mut css = compact(&css);
    let mut files = Vec::new();
    let mut paths = BTreeMap::new();
    for (name, bytes) in assets {
        let hashed = hashed_name(name, bytes);
        for quote in ["", "\"", "'"] {
            css = css.replace(&format!("url({quote}{name}{quote})"), &format!("url({hashed})"));
        }
        let path = format!("assets/{hashed}");
        paths.insert(name.clone(), path.clone());
        files.push(ThemeFile { path, bytes: bytes.clone() });
    }
    let stylesheet = format!("assets/{}", hashed_name("style.css", css.as_bytes()));
    files.insert(0, ThemeFile { path: stylesheet.clone(), bytes: css.into_bytes() });
    ThemeFiles { stylesheet, assets: paths, files }
}

/// Makes the files of the scripts, in one folder named by all of their contents, so that they can import each other by
/// name and none is ever mixed with another version's.
/// Each of `values` becomes a module that exports it.
pub fn scripts(scripts: &BTreeMap<String, String>, values: &[(&str, serde_json::Value)]) -> (String, Vec<ThemeFile>) {
    let mut texts: BTreeMap<&str, String> =
        scripts.iter().map(|(name, text)| (name.as_str(), without_remarks(text))).collect();
    texts.extend(values.iter().map(|(name, value)| (*name, format!("export default {value};\n"))));
    let mut hasher = blake3::Hasher::new();
    for (name, text) in &texts {
        hasher.update(name.as_bytes()).update(&[0]).update(text.as_bytes()).update(&[0]);
    }
    let folder = format!("assets/js.{}", &hasher.finalize().to_hex()[..12]);
    let file = |(name, text): (&str, String)| ThemeFile { path: format!("{folder}/{name}"), bytes: text.into_bytes() };
    let files = texts.into_iter().map(file).collect();
    (folder, files)
}

/// Leaves out indentation, empty lines and lines that hold nothing but a remark. Scripts keep texts on one line each,
/// so that no line is inside one.
fn without_remarks(script: &str) -> String {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let mut tight = String::with_capacity(script.len());
    for line in lines {
        tight.push_str(line);
        tight.push('\n');
    }
    tight
}

/// A file name with a hash of the contents in it.
pub(super) fn hashed_name(name: &str, bytes: &[u8]) -> String {
    let hash = blake3::hash(bytes).to_hex();
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{}.{extension}", &hash[..12]),
        None => format!("{name}.{}", &hash[..12]),
    }
}

/// Leaves out comments, indentation and empty lines; what is inside quotes stays as it is.
fn compact(css: &str) -> String {
    let mut plain = String::with_capacity(css.len());
    let mut characters = css.chars().peekable();
    let mut quote = None;
    while let Some(character) = characters.next() {
        match quote {
            Some(open) => {
                plain.push(character);
                if character == '\\' {
                    plain.extend(characters.next());
                } else if character == open {
                    quote = None;
                }
            }
            None if character == '/' && characters.peek() == Some(&'*') => {
                characters.next();
                let mut last = ' ';
                for inside in characters.by_ref() {
                    if last == '*' && inside == '/' {
                        break;
                    }
                    last = inside;
                }
            }
            None => {
                if matches!(character, '"' | '\'') {
                    quote = Some(character);
                }
                plain.push(character);
            }
        }
    }
    let lines = plain.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut tight = String::with_capacity(plain.len());
    for line in lines {
        tight.push_str(line);
        // Whitespace means something only where a selector or value goes on in the next line.
        if !line.ends_with(['{', '}', ';', ',']) {
            tight.push('\n');
        }
    }
    tight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_with_contents() {
        let assets = BTreeMap::from([("mark.svg".to_string(), b"<svg/>".to_vec())]);
        let sheet = vec!["a { background: url(\"mark.svg\") }".to_string()];
        let one = build(":root{--bg:#fff}", &sheet, &assets);
        let other = build(":root{--bg:#000}", &sheet, &assets);
        assert_ne!(one.stylesheet, other.stylesheet);
        assert_eq!(one.files[1], other.files[1]);
        let css = String::from_utf8(one.files[0].bytes.clone()).expect("text");
        let mark = one.files[1].path.strip_prefix("assets/").expect("in assets");
        assert!(css.contains(&format!("url({mark})")), "{css}");
    }

    #[test]
    fn scripts_share_a_folder_that_changes_with_any_of_them() {
        let text = "// why\nimport x from \"./b.js\";\n\n  x(); // here\n";
        let modules = BTreeMap::from([("a.js".to_string(), text.to_string())]);
        let (folder, files) = scripts(&modules, &[("settings.js", serde_json::json!({"root": "/"}))]);
        let paths: Vec<_> = files.iter().map(|file| file.path.strip_prefix(&folder).expect("in the folder")).collect();
        assert_eq!(paths, ["/a.js", "/settings.js"]);
        assert_eq!(files[0].bytes, b"import x from \"./b.js\";\nx(); // here\n");
        assert_eq!(files[1].bytes, b"export default {\"root\":\"/\"};\n");
        let (other, _) = scripts(&modules, &[("settings.js", serde_json::json!({"root": "/shop/"}))]);
        assert_ne!(folder, other);
    }

    #[test]
    fn comments_go_and_quotes_stay() {
        let css = compact("/* a { */\n.b::after {\n  content: \"/* kept */  \\\"\";\n}\n\n.c,\n.d { top: 0 } /* end");
        assert_eq!(css, ".b::after {content: \"/* kept */  \\\"\";}.c,.d { top: 0 }");
    }
}
