//! The viewer of 3D models that pages load when somebody asks for it: its files, and what it needs to be allowed.
//!
//! It is Google's `<model-viewer>`, which is part of the program, so that a store asks nobody else for it. Its licences go
//! where it goes.

use super::theme_files::ThemeFile;

const SCRIPT: &[u8] = include_bytes!("viewer/model-viewer.min.js");
const LICENCES: &[u8] = include_bytes!("viewer/licences.txt");

/// Hash of the stylesheet that the viewer writes into itself, as a content policy has it. It changes with the viewer:
/// browsers tell the new one where they refuse it.
pub const STYLE_HASH: &str = "sha256-PXtZZkJMMyc18o/DN1ZEFOJ2qEGq95IQbVaJFMOXOb0=";

/// Path of the script in the store.
pub fn script() -> String {
    format!("{}/model-viewer.min.js", folder())
}

/// The files of a store that shows models.
pub fn files() -> [ThemeFile; 2] {
    let licences = format!("{}/licences.txt", folder());
    [(script(), SCRIPT), (licences, LICENCES)].map(|(path, bytes)| ThemeFile { path, bytes: bytes.to_vec() })
}

/// A folder named after what is in it, so that browsers may keep that for ever.
fn folder() -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(SCRIPT).update(LICENCES);
    format!("assets/viewer.{}", &hasher.finalize().to_hex()[..12])
}
