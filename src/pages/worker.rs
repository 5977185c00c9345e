//! The service worker, for stores that have an offline page: a script at the store's root.
//!
//! Takes the theme's worker and the files that it keeps; makes the script. Its version changes with those files only,
//! so that a store whose products change keeps its worker.

use super::shop::Shop;
use crate::assets::theme_files::ThemeFile;
use serde_json::json;

/// Path of the script; a worker governs the folder it stands in.
pub(crate) const PATH: &str = "service-worker.js";
/// Path of the page that is shown without a connection.
pub(crate) const OFFLINE_PAGE: &str = "offline/index.html";

/// The script: `offline` is the finished page, `files` are those of the theme.
pub(crate) fn script(shop: &Shop<'_>, worker: &str, offline: &[u8], files: &[ThemeFile]) -> String {
    let is_needed = |file: &&ThemeFile| file.path.ends_with(".css") || file.path.ends_with(".js");
    let mut kept = vec![shop.links.local(OFFLINE_PAGE)];
    let mut hasher = blake3::Hasher::new();
    hasher.update(offline);
    for file in files.iter().filter(is_needed) {
        hasher.update(file.path.as_bytes()).update(&[0]);
        kept.push(shop.links.local(&file.path));
    }
    let settings = json!({
        "root": shop.links.prefix(),
        "version": &hasher.finalize().to_hex()[..12],
        "offline": kept[0],
        "files": kept,
    });
    format!("const settings = {settings};\n{worker}")
}
