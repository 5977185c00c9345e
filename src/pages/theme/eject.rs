//! Writes a theme of the program into a folder, whole or file by file, for somebody to make it their own.
//!
//! A store made with the whole folder is the store made with the theme itself, byte for byte. Never writes over a file.

use super::description::Description;
use super::layers::Layers;
use super::{ThemeError, meant, partials};
use crate::spelling::nearest;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What to write out.
#[derive(Clone, Debug, Default)]
pub struct Ejection {
    /// A theme of the program.
    pub theme: String,
    /// Files such as `fragments/card` or `assets/base.css`; everything when empty.
    pub only: Vec<String>,
}

/// Why a theme cannot be written out.
#[derive(Debug, thiserror::Error)]
pub enum EjectError {
    /// There is no such theme.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// The theme has no such file.
    #[error("`{theme}` has no `{file}`{}", meant(nearest.as_deref()))]
    UnknownFile {
        /// The theme.
        theme: String,
        /// As it was asked for.
        file: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// Something is in the way.
    #[error("`{}` is there already and is not written over; choose another folder, or move it away", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`: {why}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why; not named as the source, which would be told twice.
        why: std::io::Error,
    },
}

/// Writes the files; gives their paths. Nothing is written if one of them is there already.
///
/// # Errors
/// See [`EjectError`].
pub fn eject(wanted: &Ejection, folder: &Path) -> Result<Vec<PathBuf>, EjectError> {
    let layers = Layers::embedded(&wanted.theme)?;
    let is_wanted = |name: &String| {
        name == "theme.yaml"
            || name.starts_with("assets/")
            || (name.starts_with("templates/") && name.ends_with(".hbs"))
    };
    let known: Vec<String> = layers.names().into_iter().filter(is_wanted).collect();
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    if wanted.only.is_empty() {
        files.extend(known.iter().filter_map(|name| Some((folder.join(name), layers.bytes(name)?.to_vec()))));
    } else {
        for file in &wanted.only {
            let spellings = [file.clone(), partials::file_of(file), format!("templates/{file}")];
            let Some(name) = known.iter().find(|known| spellings.contains(known)) else {
                return Err(EjectError::UnknownFile {
                    theme: wanted.theme.clone(),
                    file: file.clone(),
                    nearest: spellings.iter().find_map(|spelling| nearest(spelling, &known)).map(str::to_string),
                });
            };
            files.push((folder.join(name), layers.bytes(name).unwrap_or_default().to_vec()));
        }
        let description = folder.join("theme.yaml");
        if !description.exists() && files.iter().all(|(path, _)| *path != description) {
            files.push((description, Description::extending(&wanted.theme).into_bytes()));
        }
    }
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(EjectError::InTheWay { path: path.clone() });
    }
    for (path, bytes) in &files {
        write(path, bytes).map_err(|why| EjectError::Write { path: path.clone(), why })?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}
