//! Addresses: from the path of an output file to the link that pages use for it.
//!
//! Takes the store's base URL and paths such as `products/windsor/index.html`; makes root-relative links, which work
//! from every page (the page for unknown addresses too), and absolute ones for machines. Never touches a file.

use crate::catalog::text::first_byte;
use std::fmt::Write as _;
use url::{Position, Url};

/// Makes the links of one store.
#[derive(Clone, Debug)]
pub struct Links {
    origin: String,
    prefix: String,
    /// Folder of the language's pages: empty, or ending in `/`.
    folder: String,
    /// Where pictures of products are served from instead; ends in `/`.
    pictures: Option<String>,
}

impl Links {
    /// Links below a base URL; its path may be more than `/`.
    pub fn new(base_url: &Url) -> Self {
        let mut prefix = base_url.path().to_string();
        if !prefix.ends_with('/') {
            prefix.push('/');
        }
        Self { origin: base_url[..Position::BeforePath].to_string(), prefix, folder: String::new(), pictures: None }
    }

    /// The same with pictures of products below another URL, which ends in `/`.
    pub(crate) fn with_pictures_at(self, url: Option<&Url>) -> Self {
        Self { pictures: url.map(Url::to_string), ..self }
    }

    /// The same with pages below a folder, such as `de/`.
    pub(crate) fn in_folder(&self, folder: &str) -> Self {
        Self { folder: folder.to_string(), ..self.clone() }
    }

    /// Folder of the language's pages: empty, or ending in `/`.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// The path of the front page, beginning and ending in `/`.
    pub(crate) fn home(&self) -> String {
        format!("{}{}", self.prefix, self.folder)
    }

    /// The path of the store's root, beginning and ending in `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Root-relative link to a page of the language: `products/a/index.html` becomes `/shop/products/a/`.
    pub fn local(&self, path: &str) -> String {
        self.below(&self.folder, path)
    }

    /// Root-relative link to a file that all languages share, or to one by its whole path.
    pub fn shared(&self, path: &str) -> String {
        self.below("", path)
    }

    fn below(&self, folder: &str, path: &str) -> String {
        let path = clean(path);
        let mut link = String::with_capacity(self.prefix.len() + folder.len() + path.len());
        link.push_str(&self.prefix);
        link.push_str(folder);
        push_encoded(&mut link, path, is_path_byte);
        link
    }

    /// Absolute URL of a file as [`Links::shared`] finds it.
    pub fn absolute_shared(&self, path: &str) -> String {
        format!("{}{}", self.origin, self.shared(path))
    }

    /// Absolute URL of a page of the language.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{}", self.origin, self.local(path))
    }

    /// Link to a media file: an output path, or a whole `http(s)` URL, which is kept as it is.
    pub fn media(&self, url: &str) -> String {
        match &self.pictures {
            _ if is_web_url(url) => url.to_string(),
            Some(elsewhere) => {
                let mut link = elsewhere.clone();
                push_encoded(&mut link, url, is_path_byte);
                link
            }
            None => self.shared(url),
        }
    }

    /// Absolute URL of a root-relative link, or of a whole URL, which is kept as it is.
    pub fn absolute_of(&self, link: &str) -> String {
        if is_web_url(link) { link.to_string() } else { format!("{}{link}", self.origin) }
    }
}

/// Whether a text is an `http` or `https` URL, the only kinds a page may link to outside the store.
pub(crate) fn is_web_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// `mailto:` link with a subject.
pub(crate) fn mail_link(address: &str, subject: Option<&str>) -> String {
    let mut link = String::from("mailto:");
    push_encoded(&mut link, address, |byte| is_unreserved(byte) | (byte == b'@') | (byte == b'+'));
    if let Some(subject) = subject {
        link.push_str("?subject=");
        push_encoded(&mut link, subject, is_unreserved);
    }
    link
}

fn clean(path: &str) -> &str {
    match path.strip_suffix("index.html") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => folder,
        _ => path,
    }
}

fn is_unreserved(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit = byte.wrapping_sub(b'0') < 10;
    is_letter | is_digit | (byte == b'-') | (byte == b'.') | (byte == b'_') | (byte == b'~')
}

fn is_path_byte(byte: u8) -> bool {
    let is_sign = (byte == b'/') | (byte == b'@') | (byte == b'+') | (byte == b',');
    is_unreserved(byte) | is_sign | (byte == b'!') | (byte == b'$') | (byte == b'*')
}

fn push_encoded(out: &mut String, text: &str, keep: impl Fn(u8) -> bool) {
    let mut rest = text;
    while let Some(at) = first_byte(rest.as_bytes(), |byte| !keep(byte)) {
        out.push_str(&rest[..at]);
        let end = rest.ceil_char_boundary(at + 1);
        for byte in &rest.as_bytes()[at..end] {
            let _ = write!(out, "%{byte:02X}");
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_prefix_of_the_base_url() {
        let links = Links::new(&Url::parse("https://example.org/shop/").expect("a URL"));
        assert_eq!(links.local("index.html"), "/shop/");
        assert_eq!(links.local("products/windsor/index.html"), "/shop/products/windsor/");
        assert_eq!(links.local("404.html"), "/shop/404.html");
        assert_eq!(links.absolute("products/page/2/index.html"), "https://example.org/shop/products/page/2/");
        assert_eq!(links.media("https://cdn.example.org/a.jpg"), "https://cdn.example.org/a.jpg");
        assert_eq!(links.media("assets/two words#1.jpg"), "/shop/assets/two%20words%231.jpg");
        let elsewhere = Url::parse("https://cdn.example/a/").expect("a URL");
        let links = links.with_pictures_at(Some(&elsewhere));
        assert_eq!(links.media("assets/media/a b.jpg"), "https://cdn.example/a/assets/media/a%20b.jpg");
        assert_eq!(links.media("https://cdn.example.org/a.jpg"), "https://cdn.example.org/a.jpg");
        let german = links.in_folder("de/");
        assert_eq!(german.local("index.html"), "/shop/de/");
        assert_eq!(german.absolute("products/windsor/index.html"), "https://example.org/shop/de/products/windsor/");
        assert_eq!(german.shared("assets/a.css"), "/shop/assets/a.css");
    }

    #[test]
    fn mail_links_cannot_be_broken_out_of() {
        let link = mail_link("hello@example.org?bcc=x", Some("\"Cat & Eye\"\r\nbcc: x"));
        assert_eq!(link, "mailto:hello@example.org%3Fbcc%3Dx?subject=%22Cat%20%26%20Eye%22%0D%0Abcc%3A%20x");
    }
}
