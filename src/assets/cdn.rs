//! The list of pictures that are served from another origin, for tools that upload them there.
//!
//! In: paths, hashes and sizes of published files. Out: `assets-manifest.json`. The files stay in the store as well, so
//! that it is whole by itself; names are made from contents, so that an upload never replaces anything in use.

use crate::site::Fingerprint;
use serde::Serialize;

/// Path of the list in the store.
pub const MANIFEST: &str = "assets-manifest.json";
/// Names are made from contents, so a file never changes.
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

#[derive(Serialize)]
struct Manifest<'a> {
    version: u32,
    base_url: &'a str,
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    /// Below the base URL, and below the folder of the store.
    path: &'a str,
    #[serde(rename = "blake3")]
    hash: String,
    bytes: u64,
    #[serde(rename = "type")]
    media_type: &'static str,
    cache_control: &'static str,
}

/// Whether a file is one of the pictures of products.
pub fn is_picture(path: &str) -> bool {
    path.starts_with("assets/media/")
}

/// The list of some pictures, in the order given.
///
/// # Errors
/// Never, as far as is known: nothing in it cannot be written as JSON.
pub fn manifest(base_url: &str, pictures: &[(String, Fingerprint)]) -> anyhow::Result<Vec<u8>> {
    let files = pictures.iter().map(|(path, fingerprint)| File {
        path,
        hash: blake3::Hash::from_bytes(fingerprint.hash).to_string(),
        bytes: fingerprint.size,
        media_type: media_type(path),
        cache_control: CACHE_CONTROL,
    });
    let mut text = serde_json::to_vec_pretty(&Manifest { version: 1, base_url, files: files.collect() })?;
    text.push(b'\n');
    Ok(text)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "jpg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
