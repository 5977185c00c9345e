//! Files of a built store as a host serves them: types, the headers of `_headers`, the page for unknown addresses,
//! compression. Never leaves the folder, whatever an address says and wherever a link in it leads.

use super::Built;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::StatusCode;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, VARY,
};
use std::io::Write as _;
use std::path::{Path, PathBuf};

pub(super) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
pub(super) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
pub(super) const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
pub(super) const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Headers for addresses that match a pattern.
pub(super) struct Rule {
    pattern: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is sent for an address.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

/// The rules of the store's `_headers`.
pub(super) fn rules(built: &Built) -> Vec<Rule> {
    let text = std::fs::read_to_string(built.folder.join("_headers")).unwrap_or_default();
    let mut rules: Vec<Rule> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if !line.starts_with([' ', '\t']) {
            rules.push(Rule { pattern: line.trim().to_string(), headers: Vec::new() });
            continue;
        }
        let header = line.trim().split_once(": ");
        let header = header.and_then(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
        if let Some((rule, header)) = rules.last_mut().zip(header) {
            rule.headers.push(header);
        }
    }
    rules
}

impl Rule {
    fn is_for(&self, path: &str) -> bool {
        match self.pattern.split_once('*') {
            Some((start, end)) => {
                path.len() >= start.len() + end.len() && path.starts_with(start) && path.ends_with(end)
            }
            None => self.pattern == path,
        }
    }
}

/// Whether a browser takes compressed answers.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| one.split(';').next().is_some_and(|name| name.trim() == "gzip"))
}

/// The element that loads the script which reloads pages; it comes from the store's own address, as its policy asks. The
/// script learns from its own address which build the page is of.
pub(super) fn loader(prefix: &str, build: u64) -> String {
    format!("<script type=\"module\" src=\"{prefix}.preview/reload.js?build={build}\"></script>")
}

/// What is at an address below the store's path; pages are told that they are of `build`.
pub(super) fn find(built: &Built, rules: &[Rule], below: &str, accepts_gzip: bool, build: u64) -> Answer {
    let mut headers = HeaderMap::new();
    let path = format!("{}{below}", built.prefix);
    for rule in rules.iter().filter(|rule| rule.is_for(&path)) {
        headers.extend(rule.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    let found = decoded(below).and_then(|below| place_of(&built.folder, &below));
    let (status, file) = match found {
        Some(Found::File(file)) => (StatusCode::OK, Some(file)),
        Some(Found::Folder) => {
            if let Ok(target) = format!("{path}/").parse() {
                headers.insert(LOCATION, target);
            }
            (StatusCode::FOUND, None)
        }
        None => (StatusCode::NOT_FOUND, not_found(&built.folder, below)),
    };
    let kind = file.as_deref().map_or(TEXT, kind_of);
    let mut bytes = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    if kind == HTML {
        let loader = loader(&built.prefix, build);
        let end = memchr::memmem::rfind(&bytes, b"</body>").unwrap_or(bytes.len());
        bytes.splice(end..end, loader.into_bytes());
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
    let is_text =
        kind.to_str().is_ok_and(|kind| kind.contains("charset") || kind.contains("svg") || kind.contains("json"));
    headers.insert(CONTENT_TYPE, kind);
    if is_text {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if accepts_gzip && let Some(small) = compressed(&bytes) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            bytes = small;
        }
    }
    Answer { status, headers, bytes }
}

fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

enum Found {
    File(PathBuf),
    /// A folder whose address lacks its slash.
    Folder,
}

/// The file of an address, if it is one of the store's: links out of the folder are followed to nowhere.
fn place_of(root: &Path, below: &str) -> Option<Found> {
    if below.contains(['\\', '\0', ':']) || below.split('/').any(|part| part.starts_with('.') || part == "_headers") {
        return None;
    }
    let root = root.canonicalize().ok()?;
    let place =
        root.join(below.trim_start_matches('/')).canonicalize().ok().filter(|place| place.starts_with(&root))?;
    if !place.is_dir() {
        return Some(Found::File(place)).filter(|_| !below.ends_with('/'));
    }
    if !below.is_empty() && !below.ends_with('/') {
        return Some(Found::Folder);
    }
    let index = place.join("index.html").canonicalize().ok()?;
    (index.starts_with(&root) && index.is_file()).then_some(Found::File(index))
}

/// The page for unknown addresses that is nearest: a language has its own.
fn not_found(root: &Path, below: &str) -> Option<PathBuf> {
    let first = below.split('/').next().unwrap_or_default();
    let own = format!("{first}/404.html");
    [own.as_str(), "404.html"].into_iter().find_map(|path| match place_of(root, path)? {
        Found::File(file) => Some(file),
        Found::Folder => None,
    })
}

/// An address without its percent signs; nothing where it is no text.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn kind_of(file: &Path) -> HeaderValue {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    HeaderValue::from_static(match ending {
        "html" => return HTML,
        "js" => return SCRIPT,
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "xml" => "text/xml; charset=utf-8",
        "atom" => "application/atom+xml; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "glb" => "model/gltf-binary",
        "usdz" => "model/vnd.usdz+zip",
        "mp4" => "video/mp4",
        _ => return TEXT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built() -> (tempfile::TempDir, Built) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("store");
        for (name, text) in [
            ("index.html", "<body>home</body>"),
            ("404.html", "<body>lost</body>"),
            ("de/404.html", "<body>verloren</body>"),
            ("a/index.html", "<body>a</body>"),
            ("assets/x.css", "a{}"),
            ("_headers", "/shop/*\n  X-Frame: a\n\n/shop/assets/*\n  Cache-Control: immutable\n"),
            ("../secret.txt", "secret"),
        ] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), root.join("link.txt")).expect("a link");
        (folder, Built { folder: root, prefix: "/shop/".into() })
    }

    fn answer(below: &str) -> (u16, String, HeaderMap) {
        let (_folder, built) = built();
        let answer = find(&built, &rules(&built), below, false, 7);
        (answer.status.as_u16(), String::from_utf8(answer.bytes).expect("text"), answer.headers)
    }

    #[test]
    fn files_come_with_the_headers_of_the_store() {
        let (status, page, headers) = answer("");
        assert_eq!((status, headers["x-frame"].as_bytes()), (200, &b"a"[..]));
        assert!(
            page.contains("home<script type=\"module\" src=\"/shop/.preview/reload.js?build=7\"></script></body>"),
            "{page}"
        );
        let (status, _, headers) = answer("assets/x.css");
        assert_eq!((status, headers[CACHE_CONTROL].as_bytes()), (200, &b"immutable"[..]));
        let (status, _, headers) = answer("a");
        assert_eq!((status, headers[LOCATION].as_bytes()), (302, &b"/shop/a/"[..]));
    }

    #[test]
    fn unknown_addresses_have_a_page_of_their_own() {
        assert!(answer("nowhere/").1.contains("lost"));
        assert!(answer("de/nowhere/").1.contains("verloren"));
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for below in [
            "../secret.txt",
            "%2e%2e/secret.txt",
            "..%2fsecret.txt",
            "a/../../secret.txt",
            "a/%2e%2e/%2e%2e/secret.txt",
            "..\\secret.txt",
            "%2fetc/passwd",
            "//etc/passwd",
            "link.txt",
            "%00",
            "%ff",
            "%",
            "_headers",
            ".preview/x",
        ] {
            let (status, text, _) = answer(below);
            assert_eq!(status, 404, "{below}");
            assert!(!text.contains("secret") && !text.contains("root:"), "{below}: {text}");
        }
    }
}
