//! Pages in the store's own words: a folder of Markdown beside the store file.
//!
//! Takes the folder and the store's locales; gives checked pages with their front matter, their text and the pictures
//! they show. Markdown is made harmless in [`html`]. Never follows a path out of the folder.

mod front_matter;
pub(crate) mod html;

use crate::catalog::vocabulary::key_of;
use crate::language::language_of;
use front_matter::FrontMatter;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use time::Date;

/// Largest Markdown file.
const LARGEST: u64 = 1 << 20;
/// First parts of addresses that the store's other pages have.
const TAKEN: [&str; 18] = [
    "404",
    "assets",
    "brands",
    "cart",
    "categories",
    "compare",
    "face-shapes",
    "favourites",
    "feeds",
    "index",
    "offline",
    "products",
    "search",
    "shapes",
    "sitemap",
    "stores",
    "types",
    "contact",
];
/// Endings of pictures that pages may show. SVG is left out, since it can hold scripts.
const PICTURES: [&str; 6] = ["avif", "gif", "jpeg", "jpg", "png", "webp"];

/// Everything in the folder that becomes part of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The folder, whether it is there or not.
    pub folder: PathBuf,
    /// By address.
    pub pages: Vec<ContentPage>,
    /// Pictures: path in the store and file.
    pub pictures: BTreeMap<String, PathBuf>,
}

/// A page, in one language or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentPage {
    /// Folder of the page: `about`, `blog/a-new-workshop`.
    pub address: String,
    /// What it is.
    pub kind: ContentKind,
    /// By locale; never empty.
    pub versions: BTreeMap<String, Version>,
}

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    /// A page of its own.
    Page,
    /// An entry of the blog: a file in `blog/`.
    Post,
    /// Questions, each a heading of the second level, and their answers.
    Faq,
}

/// Where the way to a page is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Menu {
    /// In the header, and in the footer.
    Header,
    /// In the footer.
    #[default]
    Footer,
    /// Nowhere.
    None,
}

/// A page in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The file below the content folder, for messages.
    pub file: String,
    /// Title.
    pub title: String,
    /// For search engines, and below the title.
    pub description: Option<String>,
    /// Where the way to it is shown.
    pub menu: Menu,
    /// Lower first.
    pub order: i64,
    /// Day of publication.
    pub date: Option<Date>,
    /// Markdown.
    pub text: String,
    /// The line of the file that the text begins on.
    pub first_line: usize,
    /// Pictures by the way that the text names them: path in the store.
    pub pictures: BTreeMap<String, String>,
}

impl ContentPage {
    /// The page in a locale, or else in its language, or else in the store's own; with the locale that it is in.
    pub fn version(&self, locale: &str, own: &str) -> Option<(&str, &Version)> {
        let of = |locale: &str| {
            self.versions.get_key_value(locale).or_else(|| self.versions.get_key_value(language_of(locale)))
        };
        let found = of(locale).or_else(|| of(own)).or_else(|| self.versions.iter().next());
        found.map(|(locale, version)| (locale.as_str(), version))
    }
}

/// Why a file of the folder cannot become part of the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", .line.map_or_else(String::new, |line| format!(":{line}")))]
pub struct ContentError {
    /// Below the content folder.
    pub file: String,
    /// Counted from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

/// Reads the folder; one that is not there is empty.
///
/// # Errors
/// Every mistake in it, in the order of the files.
pub fn read(folder: &Path, locales: &[String]) -> Result<Content, Vec<ContentError>> {
    let mut content = Content { folder: folder.to_path_buf(), ..Content::default() };
    let mut errors = Vec::new();
    let Ok(root) = folder.canonicalize() else { return Ok(content) };
    let mut pages: BTreeMap<String, ContentPage> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(is_shown).flatten() {
        let path = entry.path();
        if !entry.file_type().is_file() || path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let file = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let (address, locale) = place_of(&file, locales);
        let told = version(&root, path, &file, &mut content.pictures);
        let (version, is_faq) = match told.and_then(|told| check_address(&address, &file, locales).map(|()| told)) {
            Ok(told) => told,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let kind = match address.split_once('/') {
            Some(("blog", _)) => ContentKind::Post,
            _ if is_faq => ContentKind::Faq,
            _ => ContentKind::Page,
        };
        let page = pages.entry(address.clone()).or_insert(ContentPage { address, kind, versions: BTreeMap::new() });
        if kind == ContentKind::Faq {
            page.kind = kind;
        }
        if let Some(other) = page.versions.insert(locale, version) {
            errors.push(ContentError {
                message: format!("has the address and language of `{}`", other.file),
                hint: "name one of them differently".into(),
                file,
                line: None,
            });
        }
    }
    content.pages = pages.into_values().collect();
    if errors.is_empty() { Ok(content) } else { Err(errors) }
}

fn is_shown(entry: &walkdir::DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with(['.', '_'])
}

/// The address of a file and the locale it is for: `blog/Hello World.de.md` is `blog/hello-world` in German.
fn place_of(file: &str, locales: &[String]) -> (String, String) {
    let stem = file.strip_suffix(".md").unwrap_or(file);
    let own = locales.first().cloned().unwrap_or_default();
    let suffix = stem.rsplit_once('.').and_then(|(stem, suffix)| {
        let is_of = |locale: &&String| locale.eq_ignore_ascii_case(suffix) || language_of(locale) == suffix;
        Some((stem, locales.iter().find(is_of)?.clone()))
    });
    let (stem, locale) = suffix.unwrap_or((stem, own));
    let parts: Vec<String> = stem.split('/').map(key_of).collect();
    let address = parts.join("/");
    (address.strip_suffix("/index").map(str::to_string).unwrap_or(address), locale)
}

fn check_address(address: &str, file: &str, locales: &[String]) -> Result<(), ContentError> {
    let error = |message: String, hint: &str| {
        Err(ContentError { file: file.to_string(), line: None, message, hint: hint.to_string() })
    };
    let mut parts = address.split('/');
    let first = parts.next().unwrap_or_default();
    if address.split('/').any(str::is_empty) {
        return error("its name makes no address".into(), "name it with letters or digits, such as `about.md`");
    }
    if let Some(locale) = locales.iter().skip(1).find(|locale| locale.eq_ignore_ascii_case(first)) {
        let hint = match address.split_once('/') {
            Some((_, rest)) => format!("name it `{rest}.{locale}.md`, without the folder"),
            None => "give the file another name".into(),
        };
        return error(format!("`/{first}/` is where the store's pages in `{locale}` are"), &hint);
    }
    if TAKEN.contains(&first) && !(first == "contact" && parts.next().is_none()) || matches!(address, "blog" | "index")
    {
        return error(format!("`/{address}/` is the address of a page of the store"), "give the file another name");
    }
    Ok(())
}

/// Reads one file. The second value is whether it holds questions.
fn version(
    root: &Path,
    path: &Path,
    file: &str,
    pictures: &mut BTreeMap<String, PathBuf>,
) -> Result<(Version, bool), ContentError> {
    let error = |line: Option<usize>, message: String, hint: &str| ContentError {
        file: file.to_string(),
        line,
        message,
        hint: hint.to_string(),
    };
    let is_small = path.metadata().is_ok_and(|about| about.len() <= LARGEST);
    if !is_small {
        return Err(error(None, "is larger than 1 MiB, or cannot be read".into(), "divide it"));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|why| error(None, format!("cannot be read: {why}"), "save it as UTF-8 text"))?;
    let (front, body, first_line) = FrontMatter::split(&text)
        .map_err(|(line, message)| error(Some(line), message, "see `storegen help content`"))?;
    let mut version = Version {
        file: file.to_string(),
        title: front.title,
        description: front.description,
        menu: front.menu,
        order: front.order,
        date: front.date,
        text: body.to_string(),
        first_line,
        pictures: BTreeMap::new(),
    };
    for (offset, source) in html::pictures(body) {
        let line = first_line + body[..offset].matches('\n').count();
        if crate::pages::link::is_web_url(&source) {
            continue;
        }
        let ending = source.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let beside = path.parent().unwrap_or(root).join(&source);
        let found = beside.canonicalize().ok().filter(|found| found.starts_with(root) && found.is_file());
        let Some(found) = found.filter(|_| PICTURES.contains(&ending.as_str())) else {
            let message = format!("there is no picture `{source}` in the content folder");
            return Err(error(Some(line), message, "put a JPEG, PNG, WebP, AVIF or GIF file beside the text"));
        };
        let bytes =
            std::fs::read(&found).map_err(|why| error(Some(line), format!("`{source}`: {why}"), "look at it"))?;
        let stem = found.file_stem().map(|stem| key_of(&stem.to_string_lossy())).unwrap_or_default();
        let place = format!("assets/content/{stem}.{}.{ending}", &blake3::hash(&bytes).to_hex()[..12]);
        pictures.insert(place.clone(), found);
        version.pictures.insert(source, place);
    }
    Ok((version, front.is_faq))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder with files in it, removed when dropped.
    pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    fn locales() -> Vec<String> {
        vec!["en-GB".into(), "de".into()]
    }

    #[test]
    fn files_become_pages_by_address_and_language() {
        let folder = folder(&[
            ("about.md", "---\ntitle: About us\nmenu: header\norder: 2\n---\nHello\n"),
            ("about.de.md", "---\ntitle: Über uns\n---\nHallo\n"),
            ("blog/2026 Spring.md", "---\ntitle: Spring\ndate: 2026-03-01\n---\n![lens](../lens.png)\n"),
            ("faq.md", "---\ntitle: FAQ\nkind: faq\n---\n## Why?\nSo.\n"),
            ("lens.png", "not really"),
            ("_draft.md", "no front matter"),
        ]);
        let content = read(folder.path(), &locales()).expect("sound");
        let kinds: Vec<_> = content.pages.iter().map(|page| (page.address.as_str(), page.kind)).collect();
        let expected =
            [("about", ContentKind::Page), ("blog/2026-spring", ContentKind::Post), ("faq", ContentKind::Faq)];
        assert_eq!(kinds, expected);
        let about = &content.pages[0];
        assert_eq!(about.version("de", "en-GB").expect("a version").1.title, "Über uns");
        let (locale, version) = about.version("fr", "en-GB").expect("a version");
        assert_eq!((locale, version.title.as_str()), ("en-GB", "About us"));
        assert_eq!(content.pictures.len(), 1);
    }

    #[test]
    fn mistakes_name_file_and_line() {
        let folder = folder(&[
            ("a.md", "no front matter"),
            ("b.md", "---\ntitle: B\nmenue: header\n---\n"),
            ("c.md", "---\ntitle: C\n---\n\n![x](../../etc/passwd.png)\n"),
            ("de/about.md", "---\ntitle: Über uns\n---\n"),
            ("products.md", "---\ntitle: P\n---\n"),
        ]);
        let errors = read(folder.path(), &locales()).expect_err("mistakes");
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(told[0].starts_with("a.md:1: "), "{told:?}");
        assert!(told[1].starts_with("b.md:3: ") && told[1].contains("menue"), "{told:?}");
        assert!(told[2].starts_with("c.md:5: there is no picture"), "{told:?}");
        assert!(told[3].contains("`/de/` is where") && errors[3].hint.contains("`about.de.md`"), "{errors:?}");
        assert!(told[4].contains("`/products/` is the address"), "{told:?}");
    }
}
