//! From a file on disk to a checked [`StoreConfiguration`], or to everything that is wrong with it.

use super::error::{ConfigError, ConfigErrors};
use super::file::StoreFile;
use super::meaning::{self, Surroundings};
use super::source::{Source, redact};
use super::translations::{self, Translations};
use super::tree::{self, Content, Entry, Node};
use super::variables::{self, Environment};
use super::{StoreConfiguration, shape};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest store file, in bytes; a catalogue given by mistake is not read to its end.
pub(super) const LARGEST: usize = 1 << 20;

/// What flags of the command line set; each comes before the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Folder of the finished store, relative to the working directory.
    pub output: Option<PathBuf>,
}

/// A store file as it was read, not yet understood.
pub struct StoreText {
    path: PathBuf,
    text: String,
}

impl StoreText {
    /// Reads a store file, YAML or JSON, or a store request of the older service.
    ///
    /// # Errors
    /// When it cannot be read or is no text.
    pub fn read(path: &Path) -> Result<Self, ConfigErrors> {
        Ok(Self { path: path.to_path_buf(), text: read(path)? })
    }

    /// A text that was kept; relative paths in it start at the file that it once stood in.
    pub fn kept(path: &Path, text: String) -> Self {
        Self { path: path.to_path_buf(), text }
    }

    /// The file, absolute.
    ///
    /// # Errors
    /// When there is no current folder.
    pub fn path(&self) -> Result<PathBuf, ConfigErrors> {
        std::path::absolute(&self.path).map_err(|error| unreadable(&self.path, &error))
    }

    /// The text with `***` in place of secrets; variables stay as they are written.
    pub fn redacted(&self) -> String {
        redact(&self.text)
    }

    /// BLAKE3 of the text, in hexadecimal.
    pub fn hash(&self) -> String {
        blake3::hash(self.text.as_bytes()).to_hex().to_string()
    }

    /// Whether no secret is written in the text.
    pub fn is_harmless(&self) -> bool {
        self.redacted() == self.text
    }

    /// Understands the text.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load(
        &self,
        overrides: &Overrides,
        environment: Environment<'_>,
    ) -> Result<StoreConfiguration, ConfigErrors> {
        let source = Source::new(&self.path, self.text.clone());
        let absolute = self.path()?;
        parse(&source, &Surroundings { file: &absolute, overrides, environment })
    }
}

/// Reads a store file, YAML or JSON, or a store request of the older service.
///
/// # Errors
/// Everything that is wrong with the file, at once.
pub fn load(
    path: &Path,
    overrides: &Overrides,
    environment: Environment<'_>,
) -> Result<StoreConfiguration, ConfigErrors> {
    StoreText::read(path)?.load(overrides, environment)
}

/// Reads a text that is in memory already.
pub(super) fn parse(source: &Source, around: &Surroundings<'_>) -> Result<StoreConfiguration, ConfigErrors> {
    let mut root = tree::read(source)?;
    let mut errors = Vec::new();
    open_request(&mut root);
    variables::fill(&mut root, source, around.environment, &mut errors);
    let Translations { roots, lacking } = translations::split(&mut root, source, &mut errors);
    let understood = understood(&root, source, around, &mut errors);
    let Some(mut configuration) = understood.filter(|_| errors.is_empty()) else {
        return Err(ConfigErrors::new(errors));
    };
    for (locale, root) in roots {
        if let Some(translation) = self::understood(&root, source, around, &mut errors) {
            configuration.translations.insert(locale, translation);
        }
    }
    configuration.untranslated = lacking;
    if errors.is_empty() { Ok(configuration) } else { Err(ConfigErrors::new(errors)) }
}

fn understood(
    root: &Node,
    source: &Source,
    around: &Surroundings<'_>,
    errors: &mut Vec<ConfigError>,
) -> Option<StoreConfiguration> {
    let value = shape::check(root, source, errors)?;
    // The walk lets through only what the structs take; anything else is told without a place rather than not at all.
    let file = serde_json::from_value::<StoreFile>(value)
        .map_err(|error| errors.push(ConfigError::new(&source.file, None, &error.to_string(), None)))
        .ok()?;
    meaning::configuration(file, root, source, around, errors)
}

/// Lays the keys of `store_config`, as the older service's requests have it, beside the others.
fn open_request(root: &mut Node) {
    let Content::Map(entries) = &mut root.content else { return };
    let is_request = |entry: &Entry| entry.key == "store_config" && matches!(entry.value.content, Content::Map(_));
    if let Some(at) = entries.iter().position(is_request)
        && let Content::Map(settings) = entries.remove(at).value.content
    {
        entries.splice(at..at, settings);
    }
}

fn read(path: &Path) -> Result<String, ConfigErrors> {
    let whole = |message: &str, hint: &str| ConfigErrors::one(path, None, message, Some(hint));
    if path.is_dir() {
        let inside = path.join("store.yaml");
        return Err(whole(
            "this is a folder, not a store file",
            &format!("give the file, such as `{}`", inside.display()),
        ));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() > LARGEST {
        return Err(whole(
            "the file is larger than 1 MiB, so it is no store file",
            "give the store.yaml, not the catalogue",
        ));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(whole("the file is in UTF-16", "save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        let source = Source::new(path, String::from_utf8_lossy(error.as_bytes()).into_owned());
        let place = source.place(&(start..start + '\u{fffd}'.len_utf8()));
        ConfigErrors::one(
            path,
            Some(place),
            "the file is not in UTF-8: a byte here belongs to no character",
            Some("save it as UTF-8"),
        )
    })
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigErrors {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => {
            let other =
                path.with_extension(if path.extension().is_some_and(|end| end == "yaml") { "yml" } else { "yaml" });
            if other.is_file() {
                format!("there is a `{}`", other.display())
            } else {
                "`storegen init` writes a store file to start from".to_string()
            }
        }
        io::ErrorKind::PermissionDenied => "allow this user to read it".to_string(),
        _ => "check that the disk is there and sound".to_string(),
    };
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_string(),
        io::ErrorKind::PermissionDenied => "this user may not read the file".to_string(),
        _ => format!("the file cannot be read: {error}"),
    };
    ConfigErrors::one(path, None, &reason, Some(&hint))
}
