//! Pictures that a catalogue points at: a source as it stands in a product in, a safe address and its dimensions out.
//!
//! Remote pictures are linked unless they have been fetched; all others are to be made ready by [`super::pictures`], which
//! then tells what became of them. Nothing outside the folder of pictures is ever opened, nothing is taken for a picture
//! because of its name, and no pixel is decoded: only headers are read, and SVG as a whole.

use super::fetch::Fetched;
use super::image::{Header, ImageProblem};
use super::pictures::{Picture, Pictures};
use crate::catalog::StoredFile;
use base64::Engine;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::UNIX_EPOCH;
use url::Url;

/// Largest local picture in bytes. A product photo has a few million; this keeps a stray disk image out of memory.
const LARGEST_FILE: u64 = 64 << 20;
/// Largest picture in a `data:` URL in bytes.
const LARGEST_EMBEDDED: usize = 5 << 20;

/// A picture that pages may point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFile {
    /// The remote URL, or a name made from the bytes (`<hash>.<format>`), which tells originals apart.
    pub url_path: String,
    /// Where its bytes are.
    pub origin: Origin,
    /// Pixels, as shown: a photo that its metadata turns by 90 degrees has its sides exchanged. Unknown for remote ones.
    pub width: Option<u32>,
    /// Pixels, like `width`.
    pub height: Option<u32>,
    /// Of its bytes; unknown for remote ones.
    pub hash: Option<blake3::Hash>,
}

/// Where the bytes of a picture are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On another server; the store links there.
    Remote,
    /// In this file, to be copied.
    Local(PathBuf),
    /// Here, to be written.
    Embedded(Arc<[u8]>),
    /// In the cache, where it has been fetched to; to be written.
    Fetched(Fetched),
}

/// Why a source is no usable picture; becomes a finding of the product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct MediaProblem {
    /// Short stable key to count by.
    pub reason: &'static str,
    /// What is wrong and how to mend it.
    pub detail: String,
}

impl MediaProblem {
    pub(super) fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// Size and time of a picture's file, in bytes and nanoseconds since 1970; `None` where there is no file.
pub type Trace = Option<(u64, u64)>;

type Resolved = Result<MediaFile, MediaProblem>;

/// Resolves the pictures of one catalogue; may be asked from many threads and looks at each file once.
#[derive(Default)]
pub struct Media {
    root: Option<PathBuf>,
    local: Mutex<BTreeMap<String, Arc<OnceLock<Resolved>>>>,
    /// By path in the store: pictures in `data:` URLs are too long to be known by their source.
    embedded: Mutex<BTreeMap<String, MediaFile>>,
    /// Pictures on servers and in the database, by address, as they were found when they were fetched.
    fetched: RwLock<BTreeMap<String, Resolved>>,
    /// The catalogue is in a database, which may keep pictures as well.
    has_stored: bool,
    /// What has become of the pictures that were made ready.
    pictures: Pictures,
    pub(super) models: super::models::Known,
}

/// A picture that has to be fetched before pages can be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distant {
    /// From a server.
    Web(Url),
    /// From the catalogue's database.
    Stored(StoredFile),
}

impl fmt::Display for Distant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web(url) => url.fmt(formatter),
            Self::Stored(file) => write!(formatter, "gridfs://{}/{}", file.bucket, file.id),
        }
    }
}

impl Media {
    /// `folder` is where relative paths start from; `None` where there are none.
    pub fn new(folder: Option<&Path>) -> Self {
        Self { root: folder.and_then(|folder| folder.canonicalize().ok()), ..Self::default() }
    }

    /// Takes what has become of the pictures; from now on, pages show that.
    pub fn set_pictures(&mut self, pictures: Pictures) {
        self.pictures = pictures;
    }

    /// What has become of the pictures so far.
    pub fn pictures(&self) -> &Pictures {
        &self.pictures
    }

    /// What has become of a file: nothing for one that is linked, or the reason why it cannot be shown.
    pub fn picture(&self, file: &MediaFile) -> Option<Result<&Picture, &ImageProblem>> {
        self.pictures.of(&file.url_path)
    }

    /// Lets addresses of files in the catalogue's database through.
    pub fn with_stored_files(mut self) -> Self {
        self.has_stored = true;
        self
    }

    /// What a source stands for when it has to be fetched; `None` for one that is at hand, or wrong.
    pub fn distant(&self, source: &str) -> Option<Distant> {
        let source = source.trim();
        let url = match source.strip_prefix("//") {
            Some(rest) => Url::parse(&format!("https://{rest}")),
            None => Url::parse(source),
        };
        let url = url.ok()?;
        match url.scheme() {
            "gridfs" => StoredFile::parse(source).map(Distant::Stored).filter(|_| self.has_stored),
            _ => remote(&url).is_ok().then_some(Distant::Web(url)),
        }
    }

    /// Takes what came of fetching a picture; from then on its address stands for that.
    pub fn take_fetched(&self, place: &Distant, outcome: Result<Fetched, MediaProblem>) -> Result<(), MediaProblem> {
        let address = place.to_string();
        let resolved = outcome.and_then(|fetched| {
            let gone = || {
                MediaProblem::new(
                    "media_unreachable",
                    format!("the picture `{}` is gone from the cache; run again", shortened(&address)),
                )
            };
            let bytes = fetched.bytes().ok_or_else(gone)?;
            measured(&bytes, &shown_address(&address), Origin::Fetched(fetched))
        });
        let told = resolved.as_ref().map(drop).map_err(Clone::clone);
        self.fetched.write().unwrap_or_else(PoisonError::into_inner).insert(address, resolved);
        told
    }

    /// Lets an address stand for itself again.
    pub fn forget_fetched(&self, place: &Distant) {
        self.fetched.write().unwrap_or_else(PoisonError::into_inner).remove(&place.to_string());
    }

    fn fetched(&self, address: &str) -> Option<Resolved> {
        self.fetched.read().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
    }

    /// Finds out what a source stands for: an `http(s)` URL, a `data:` URL, or a path relative to the catalogue.
    ///
    /// # Errors
    /// When there is no picture that a store may show, with the reason.
    pub fn resolve(&self, source: &str) -> Resolved {
        let source = source.trim();
        if source.is_empty() {
            return Err(MediaProblem::new("media_missing", "the picture's address is empty; fill it in or remove it"));
        }
        if let Some(rest) = source.get(..5).filter(|start| start.eq_ignore_ascii_case("data:")).map(|_| &source[5..]) {
            return embedded(rest).inspect(|file| self.keep_embedded(file));
        }
        let whole;
        let address = if source.starts_with("//") {
            whole = format!("https:{source}");
            &whole
        } else {
            source
        };
        match Url::parse(address) {
            Ok(url) if url.scheme() == "gridfs" && self.has_stored => self.stored(source),
            Ok(url) => self.fetched(url.as_str()).unwrap_or_else(|| remote(&url)),
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                let mut known = self.local.lock().unwrap_or_else(PoisonError::into_inner);
                let place = Arc::clone(known.entry(source.to_string()).or_default());
                drop(known);
                place.get_or_init(|| self.local(source)).clone()
            }
            Err(problem) => Err(MediaProblem::new(
                "media_bad_address",
                format!("`{}` is not a valid URL ({problem}); correct it", shortened(source)),
            )),
        }
    }

    /// What shows whether a picture in the folder of pictures is another one than before, without opening it; `None` for
    /// pictures that are elsewhere.
    pub fn trace(&self, source: &str) -> Option<Trace> {
        let source = source.trim();
        let is_local = !source.is_empty()
            && !source.starts_with("//")
            && matches!(Url::parse(source), Err(url::ParseError::RelativeUrlWithoutBase));
        if !is_local {
            return None;
        }
        let path = self.root.as_ref()?.join(source.replace('\\', "/"));
        let metadata = path.metadata().ok();
        Some(metadata.and_then(|metadata| {
            let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some((metadata.len(), since.as_nanos() as u64))
        }))
    }

    fn keep_embedded(&self, file: &MediaFile) {
        let mut known = self.embedded.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(file.url_path.clone()).or_insert_with(|| file.clone());
    }

    fn stored(&self, source: &str) -> Resolved {
        let Some(file) = StoredFile::parse(source) else {
            return Err(MediaProblem::new(
                "media_bad_address",
                format!("`{}` is no address of a stored file; write `gridfs://bucket/id`", shortened(source)),
            ));
        };
        let address = Distant::Stored(file).to_string();
        let unfetched =
            || MediaFile { url_path: address.clone(), origin: Origin::Remote, width: None, height: None, hash: None };
        self.fetched(&address).unwrap_or_else(|| Ok(unfetched()))
    }

    fn local(&self, source: &str) -> Resolved {
        let (path, shown) = self.file_inside(source, LARGEST_FILE)?;
        let unreadable = |error| MediaProblem::new("media_unreadable", format!("`{shown}` cannot be read: {error}"));
        let bytes = fs::read(&path).map_err(unreadable)?;
        measured(&bytes, &shown, Origin::Local(path))
    }

    /// Finds a plain file in the folder of pictures that has `largest` bytes at most; gives its place, and how messages may
    /// call it.
    pub(super) fn file_inside(&self, source: &str, largest: u64) -> Result<(PathBuf, String), MediaProblem> {
        let shown = shortened(source);
        let relative = PathBuf::from(source.replace('\\', "/"));
        let stays = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let outside = || {
            MediaProblem::new(
                "media_outside_catalog",
                format!(
                    "`{shown}` leads out of the folder of pictures; use a path inside it, without `..`, or set `images.root`"
                ),
            )
        };
        if !stays {
            return Err(outside());
        }
        let Some(root) = &self.root else {
            return Err(MediaProblem::new(
                "media_no_folder",
                format!("`{shown}` is a relative path, but this catalogue has no folder; use an `https://` address"),
            ));
        };
        let unreadable = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => MediaProblem::new(
                "media_missing",
                format!(
                    "there is no file `{shown}` in the folder of pictures; add it, correct the path, or set `images.root`"
                ),
            ),
            _ => MediaProblem::new("media_unreadable", format!("`{shown}` cannot be read: {error}")),
        };
        let path = root.join(relative).canonicalize().map_err(unreadable)?;
        if !path.starts_with(root) {
            return Err(outside());
        }
        let metadata = path.metadata().map_err(unreadable)?;
        // Not even opened unless it is a plain file: opening a pipe would wait for ever.
        if !metadata.is_file() {
            return Err(MediaProblem::new("media_not_a_file", format!("`{shown}` is not a file; correct the path")));
        }
        if metadata.len() > largest {
            return Err(MediaProblem::new(
                "media_too_large",
                format!("`{shown}` has {} MB; at most {} are taken", metadata.len() >> 20, largest >> 20),
            ));
        }
        Ok((path, shown))
    }
}

impl MediaFile {
    /// Reads the whole file; nothing for one that is on another server.
    ///
    /// # Errors
    /// When the file has gone since it was resolved, or the disk refuses.
    pub fn bytes(&self) -> std::io::Result<Option<Vec<u8>>> {
        match &self.origin {
            Origin::Remote => Ok(None),
            Origin::Local(path) => fs::read(path).map(Some),
            Origin::Embedded(bytes) => Ok(Some(bytes.to_vec())),
            Origin::Fetched(fetched) => match fetched.bytes() {
                Some(bytes) => Ok(Some(bytes)),
                None => Err(std::io::Error::new(ErrorKind::NotFound, "it is gone from the cache")),
            },
        }
    }
}

/// Whether a source is an address on another server, by its looks.
pub fn is_linked(source: &str) -> bool {
    let source = source.trim();
    let starts = |scheme: &str| source.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    ["http://", "https://", "//"].into_iter().any(starts)
}

pub(super) fn remote(url: &Url) -> Resolved {
    let problem = match url.scheme() {
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => MediaProblem::new(
            "media_bad_address",
            format!(
                "a picture's address at `{}` holds a user name or password, which would be published; remove it",
                url.host_str().unwrap_or_default()
            ),
        ),
        "http" | "https" => {
            return Ok(MediaFile {
                url_path: url.to_string(),
                origin: Origin::Remote,
                width: None,
                height: None,
                hash: None,
            });
        }
        "gridfs" => MediaProblem::new(
            "media_gridfs",
            format!(
                "`{}` is kept in GridFS, but this catalogue is in files; put the picture beside it or on a web server",
                shortened(url.as_str())
            ),
        ),
        scheme => MediaProblem::new(
            "media_bad_address",
            format!(
                "addresses with `{scheme}:` cannot be shown in a store; use `https://` or a path in the folder of pictures"
            ),
        ),
    };
    Err(problem)
}

/// A picture in a `data:` URL; `rest` is what follows the scheme.
fn embedded(rest: &str) -> Resolved {
    let shown = "the `data:` picture";
    let bad = |detail: String| MediaProblem::new("media_bad_address", detail);
    let (kind, body) = rest.split_once(',').ok_or_else(|| bad(format!("{shown} has no `,` before its contents")))?;
    if !kind.to_ascii_lowercase().ends_with(";base64") {
        return Err(bad(format!("{shown} is not in base64; write it as `data:image/png;base64,...`")));
    }
    let too_large =
        || MediaProblem::new("media_too_large", format!("{shown} has more than {} MB", LARGEST_EMBEDDED >> 20));
    if body.len() / 4 * 3 > LARGEST_EMBEDDED + 3 {
        return Err(too_large());
    }
    let compact: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let engine = base64::engine::general_purpose::STANDARD;
    let bytes = engine.decode(&compact).map_err(|_| bad(format!("{shown} is not valid base64; encode it again")))?;
    if bytes.len() > LARGEST_EMBEDDED {
        return Err(too_large());
    }
    let bytes: Arc<[u8]> = bytes.into();
    measured(&bytes, shown, Origin::Embedded(Arc::clone(&bytes)))
}

/// Tells the format by content and reads width and height from the header.
fn measured(bytes: &[u8], shown: &str, origin: Origin) -> Resolved {
    let shown = if shown.starts_with("the ") { shown.to_string() } else { format!("`{shown}`") };
    let header = Header::read(bytes)
        .map_err(|problem| MediaProblem { reason: problem.reason, detail: format!("{shown} {}", problem.detail) })?;
    let hash = blake3::hash(bytes);
    let url_path = format!("{}.{}", &hash.to_hex()[..32], header.extension());
    let (width, height) = (Some(header.shown.width), Some(header.shown.height));
    Ok(MediaFile { url_path, origin, width, height, hash: Some(hash) })
}

/// An address as a report may tell it: what follows a `?` may be a signature.
pub(super) fn shown_address(address: &str) -> String {
    shortened(address.split(['?', '#']).next().unwrap_or_default())
}

/// A source short enough for a message.
pub(crate) fn shortened(source: &str) -> String {
    const LONGEST: usize = 120;
    let mut text: String = source.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if source.chars().count() > LONGEST {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::ImageFormat;
    use std::io::Cursor;

    fn picture(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image::RgbImage::new(8, 6).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn reason(media: &Media, source: &str) -> &'static str {
        let problem = media.resolve(source).expect_err(source);
        assert!(!problem.detail.is_empty() && !problem.detail.ends_with('.'), "{problem}");
        problem.reason
    }

    #[test]
    fn a_local_picture_is_told_by_its_bytes_and_named_after_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("photos")).unwrap();
        fs::write(folder.path().join("photos/front.jpg"), picture(ImageFormat::Png)).unwrap();
        fs::write(folder.path().join("copy.gif"), picture(ImageFormat::Png)).unwrap();
        let media = Media::new(Some(folder.path()));
        let file = media.resolve("./photos/front.jpg").unwrap();
        assert_eq!((file.width, file.height), (Some(8), Some(6)));
        assert!(file.url_path.len() == 32 + 4 && file.url_path.ends_with(".png"), "{file:?}");
        assert_eq!(media.resolve("copy.gif").unwrap().url_path, file.url_path);
        assert_eq!(media.resolve("photos\\front.jpg").unwrap().url_path, file.url_path);
        assert!(matches!(file.origin, Origin::Local(path) if path.ends_with("photos/front.jpg")));
    }

    #[test]
    fn every_usual_format_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for (format, extension) in [
            (ImageFormat::Jpeg, "jpg"),
            (ImageFormat::WebP, "webp"),
            (ImageFormat::Gif, "gif"),
            (ImageFormat::Bmp, "bmp"),
            (ImageFormat::Tiff, "tif"),
        ] {
            fs::write(folder.path().join(extension), picture(format)).unwrap();
            let file = Media::new(Some(folder.path())).resolve(extension).unwrap();
            assert!(file.url_path.ends_with(extension), "{file:?}");
            assert_eq!((file.width, file.height), (Some(8), Some(6)));
        }
    }

    #[test]
    fn nothing_outside_the_folder_is_reached() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.png"), picture(ImageFormat::Png)).unwrap();
        let folder = outside.path().join("catalog");
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.png"), folder.join("link.png")).unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.join("up")).unwrap();
        let media = Media::new(Some(&folder));
        let absolute = outside.path().join("secret.png").display().to_string();
        for source in ["../secret.png", "a/../../secret.png", "..\\secret.png", "link.png", "up/secret.png", &absolute]
        {
            assert_eq!(reason(&media, source), "media_outside_catalog", "{source}");
        }
        assert_eq!(reason(&media, &format!("file://{absolute}")), "media_bad_address");
    }

    #[test]
    fn what_is_no_picture_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("page.png", b"<html><script>alert(1)</script>");
        write("drawing.png", b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"><g>");
        write("cut.png", &picture(ImageFormat::Png)[..20]);
        write("empty.jpg", b"");
        write("old.psd", b"8BPS\0\x01\0\0\0\0\0\0");
        fs::create_dir(folder.path().join("folder.png")).unwrap();
        let media = Media::new(Some(folder.path()));
        for (source, expected) in [
            ("page.png", "media_not_an_image"),
            ("drawing.png", "media_svg"),
            ("cut.png", "media_truncated"),
            ("empty.jpg", "media_not_an_image"),
            ("old.psd", "media_format_unsupported"),
            ("folder.png", "media_not_a_file"),
            ("nowhere.png", "media_missing"),
            ("page.png/x.png", "media_missing"),
            ("", "media_missing"),
            ("gridfs://photos/1", "media_gridfs"),
            ("javascript:alert(1)", "media_bad_address"),
            ("https://", "media_bad_address"),
            ("https://user:pass@shop.example/a.jpg", "media_bad_address"),
            ("data:image/png;base64,%%%", "media_bad_address"),
            ("data:image/png,abc", "media_bad_address"),
            ("data:image/svg+xml;base64,PHN2Zz48L2c+", "media_svg"),
        ] {
            assert_eq!(reason(&media, source), expected, "{source}");
        }
        assert_eq!(reason(&Media::new(None), "front.jpg"), "media_no_folder");
        assert!(!media.resolve("https://user:pass@shop.example/a.jpg").unwrap_err().detail.contains("pass@"));
    }

    #[test]
    fn remote_pictures_are_linked() {
        let media = Media::new(None);
        let file = media.resolve("https://cdn.example/a b.jpg?w=1").unwrap();
        assert_eq!((file.url_path.as_str(), file.origin), ("https://cdn.example/a%20b.jpg?w=1", Origin::Remote));
        assert_eq!(media.resolve("//cdn.example/a.jpg").unwrap().url_path, "https://cdn.example/a.jpg");
    }

    #[test]
    fn embedded_pictures_become_files() {
        let bytes = picture(ImageFormat::Png);
        let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
        let file = Media::new(None).resolve(&format!("DATA:image/png;base64,{text}")).unwrap();
        assert_eq!(file.origin, Origin::Embedded(bytes.into()));
        assert_eq!((file.width, file.height), (Some(8), Some(6)));
        let huge = format!("data:image/png;base64,{}", "A".repeat(7 << 20));
        assert_eq!(reason(&Media::new(None), &huge), "media_too_large");
    }

    #[test]
    fn a_file_is_looked_at_once_even_by_many_threads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        fs::write(&path, picture(ImageFormat::Png)).unwrap();
        let media = Media::new(Some(folder.path()));
        let first = media.resolve("a.png").unwrap();
        fs::remove_file(&path).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(media.resolve("a.png").unwrap(), first));
            }
        });
    }
}
