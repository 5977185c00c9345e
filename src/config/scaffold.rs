//! The files that a new store starts from: a commented store.yaml, its schema for editors, and a small catalogue.
//!
//! Nothing that exists is ever overwritten.

use super::Color;
use super::schema::schema;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The store file, in which choices take the place of lines.
const STORE: &str = include_str!("scaffold/store.yaml");

/// What a new store is to be; the sample's own where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Name of the store.
    pub name: Option<String>,
    /// Colour of buttons and links.
    pub primary_color: Option<Color>,
    /// Name of a theme, or a folder.
    pub theme: Option<String>,
    /// Where products come from; the sample catalogue is left out then.
    pub source: Option<String>,
}

impl Choices {
    /// The store file with the choices in it.
    fn store_file(&self) -> String {
        let lines = STORE.lines().map(|line| {
            // JSON's strings are YAML's.
            let written = |key: &str, value: &str| format!("{key}: {}", serde_json::Value::from(value));
            match (line, self) {
                (line, Self { name: Some(name), .. }) if line.starts_with("store_name:") => {
                    // A name is what it is; only a catalogue's address may ask for variables.
                    written("store_name", &name.replace('$', "$$"))
                }
                (line, Self { primary_color: Some(color), .. }) if line.starts_with("primary_color:") => {
                    written("primary_color", &color.to_string())
                }
                (line, Self { theme: Some(theme), .. }) if line.starts_with("# theme:") => written("theme", theme),
                ("  uri: catalog", Self { source: Some(source), .. }) => written("  uri", source),
                _ => line.to_string(),
            }
        });
        lines.map(|line| line + "\n").collect()
    }
}

/// Paths below the folder, with what is written there.
fn files(choices: &Choices) -> Vec<(&'static str, String)> {
    let mut files = vec![("store.yaml", choices.store_file()), ("store.schema.json", schema())];
    if choices.source.is_none() {
        files.extend([
            ("catalog/products.jsonl", include_str!("scaffold/catalog/products.jsonl").into()),
            ("catalog/brands.jsonl", include_str!("scaffold/catalog/brands.jsonl").into()),
            ("catalog/categories.jsonl", include_str!("scaffold/catalog/categories.jsonl").into()),
        ]);
    }
    files
}

/// Why a folder did not get the files of a new store.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// Files of these names are there already; nothing was written.
    #[error("{} already there; give another folder, or move {} away: {}",
        if .0.len() == 1 { "a file is" } else { "files are" },
        if .0.len() == 1 { "it" } else { "them" },
        .0.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", "))]
    Exists(Vec<PathBuf>),
    /// A file or folder could not be made.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Writes the files of a new store into a folder, which is made when it does not exist, and gives their paths.
///
/// # Errors
/// Files that are in the way, all of them at once and before anything is written, or what the disk refuses.
pub fn scaffold(folder: &Path, choices: &Choices) -> Result<Vec<PathBuf>, ScaffoldError> {
    let files: Vec<(PathBuf, String)> =
        files(choices).into_iter().map(|(name, text)| (folder.join(name), text)).collect();
    let existing: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).filter(|path| is_taken(path)).collect();
    if !existing.is_empty() {
        return Err(ScaffoldError::Exists(existing));
    }
    let mut written = Vec::new();
    for (path, text) in files {
        if let Err(source) = write_new(&path, &text) {
            // What is there by halves would be in the way of the next attempt.
            written.iter().for_each(|path: &PathBuf| _ = fs::remove_file(path));
            return Err(match source.kind() {
                io::ErrorKind::AlreadyExists => ScaffoldError::Exists(vec![path]),
                _ => ScaffoldError::Write { path, source },
            });
        }
        written.push(path);
    }
    Ok(written)
}

/// A link that leads nowhere takes the name as well.
fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| _ = fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CatalogUri, Overrides, load};
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn documents(text: &str) -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    #[test]
    fn what_is_written_can_be_loaded_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("new/shop");
        let written = scaffold(&target, &Choices::default()).expect("written");
        assert_eq!(written.len(), 5);
        let store =
            load(&target.join("store.yaml"), &Overrides::default(), &|_| None).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(store.store_name, "Harbour & Pine");
        assert!(matches!(&store.catalog.uri, CatalogUri::Path(path) if path == &target.join("catalog")));
    }

    #[test]
    fn choices_are_in_the_store_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let choices = Choices {
            name: Some("Lumen: \"Oak\" #1".into()),
            primary_color: Color::parse("#0a5"),
            theme: Some("modern-minimal".into()),
            source: Some("mongodb://localhost/shop".into()),
        };
        assert_eq!(scaffold(folder.path(), &choices).expect("written").len(), 2);
        let store = load(&folder.path().join("store.yaml"), &Overrides::default(), &|_| None);
        let store = store.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!((store.store_name.as_str(), store.primary_color.rgb), ("Lumen: \"Oak\" #1", [0x00, 0xaa, 0x55]));
        assert!(matches!(store.catalog.uri, CatalogUri::MongoDb(_)));
    }

    #[test]
    fn every_setting_shown_in_a_comment_is_real() {
        let known =
            ["currency", "theme", "sort", "output", "database", "collections", "brands", "product_filters", "price"];
        let mut shown = 0;
        let text: String = STORE
            .lines()
            .map(|line| {
                let setting = line.replacen("# ", "", 1);
                let key = setting.split_once(':').map_or("", |(key, _)| key.trim());
                let is_setting = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                if !line.trim_start().starts_with('#') || !is_setting || key == "environment" {
                    return format!("{line}\n");
                }
                shown += usize::from(known.contains(&key));
                format!("{setting}\n")
            })
            .collect();
        assert!(shown >= 8, "{text}");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.yaml");
        fs::write(&path, text).expect("written");
        load(&path, &Overrides::default(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("catalog")).expect("made");
        fs::write(folder.path().join("store.yaml"), "mine").expect("written");
        fs::write(folder.path().join("catalog/brands.jsonl"), "mine").expect("written");
        let error = scaffold(folder.path(), &Choices::default()).expect_err("refused");
        assert!(matches!(&error, ScaffoldError::Exists(paths) if paths.len() == 2), "{error}");
        assert!(error.to_string().contains("store.yaml") && error.to_string().contains("brands.jsonl"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("store.yaml")).expect("there"), "mine");
        assert!(!folder.path().join("store.schema.json").exists());
    }

    #[test]
    fn the_catalogue_holds_together() {
        let files = files(&Choices::default());
        let of = |name: &str| documents(&files.iter().find(|(file, _)| file.ends_with(name)).expect(name).1);
        let ids = |documents: &[Value]| -> BTreeSet<String> {
            documents.iter().map(|document| document["_id"].as_str().expect("an id").to_string()).collect()
        };
        let (products, brands, categories) =
            (of("products.jsonl"), ids(&of("brands.jsonl")), ids(&of("categories.jsonl")));
        assert_eq!(ids(&products).len(), 12);
        for product in &products {
            assert!(brands.contains(product["brand_id"].as_str().expect("a brand")), "{product}");
            assert!(categories.contains(product["category_id"].as_str().expect("a category")), "{product}");
        }
        let kinds: BTreeSet<&str> = products.iter().filter_map(|product| product["frame_type"].as_str()).collect();
        assert_eq!(kinds.len(), 4);
    }
}
