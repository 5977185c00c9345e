//! Which file of a theme is used: the folder's own, the one of the theme that it builds on, or the program's.
//!
//! In: a theme's name or folder. Out: texts and bytes by their names in a theme's folder, such as
//! `templates/pages/home.hbs`. Never looks outside the folder.

use super::ThemeError;
use super::embedded::{Embedded, TEMPLATES, THEMES};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Endings of files that are text.
const TEXTS: [&str; 4] = [".hbs", ".css", ".yaml", ".js"];

/// The files of a theme, those of a folder over those of the program.
pub(super) struct Layers {
    own: BTreeMap<String, Vec<u8>>,
    base: &'static Embedded,
}

impl Layers {
    /// A theme of the program.
    pub(super) fn embedded(name: &str) -> Result<Self, ThemeError> {
        let theme = THEMES.iter().find(|theme| theme.name == name);
        let base = theme.ok_or_else(|| ThemeError::Unknown { name: name.to_string() })?;
        Ok(Self { own: BTreeMap::new(), base })
    }

    /// A folder; what it builds on is set when its `theme.yaml` has been read.
    pub(super) fn folder(folder: &Path) -> Result<Self, ThemeError> {
        let mut own = BTreeMap::new();
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.map_err(|error| ThemeError::Read {
                path: error.path().unwrap_or(folder).to_path_buf(),
                why: error.into(),
            })?;
            if !entry.file_type().is_file() {
                continue;
            }
            let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let name = parts.join("/");
            let is_used = name == "theme.yaml" || name.starts_with("templates/") || name.starts_with("assets/");
            if !is_used || parts.iter().any(|part| part.starts_with('.')) {
                continue;
            }
            let bytes = std::fs::read(entry.path())
                .map_err(|why| ThemeError::Read { path: entry.path().to_path_buf(), why })?;
            if is_text(&name) && std::str::from_utf8(&bytes).is_err() {
                return Err(ThemeError::at(&name, 1, 1, "is not UTF-8 text; save it as UTF-8".into()));
            }
            own.insert(name, bytes);
        }
        Ok(Self { own, base: &THEMES[0] })
    }

    /// Builds on a theme of the program.
    pub(super) fn extend(&mut self, name: &str) -> Result<(), ThemeError> {
        self.base = Self::embedded(name)?.base;
        Ok(())
    }

    /// Whether the folder brings a file itself.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.own.contains_key(name)
    }

    /// The text of a file.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        // Texts of folders were looked through when they were read; a test does so for those of the program.
        std::str::from_utf8(self.bytes(name)?).ok()
    }

    /// The text of a file of the theme that a folder builds on.
    pub(super) fn base_text(&self, name: &str) -> Option<&'static str> {
        std::str::from_utf8(of_program(self.base, name)?).ok()
    }

    /// The contents of a file.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.own.get(name).map(Vec::as_slice).or_else(|| of_program(self.base, name))
    }

    /// Names of all files, each once.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let of_templates = TEMPLATES.iter().map(|(name, _)| format!("templates/{name}"));
        let default = THEMES[0].files.iter().chain(self.base.files).map(|(name, _)| (*name).to_string());
        self.own.keys().cloned().chain(of_templates).chain(default).collect()
    }

    /// Pictures, fonts and the like by their names in `assets/`.
    pub(super) fn assets(&self) -> BTreeMap<String, Vec<u8>> {
        let names = self.names().into_iter().filter(|name| !is_text(name));
        names
            .filter_map(|name| {
                let asset = name.strip_prefix("assets/")?.to_string();
                Some((asset, self.bytes(&name)?.to_vec()))
            })
            .collect()
    }

    /// Files in `templates/` that take the place of none of the program's.
    pub(super) fn strange_templates(&self) -> impl Iterator<Item = &str> {
        let is_known = |file: &str| {
            let name = file.strip_prefix("templates/").unwrap_or_default();
            TEMPLATES.iter().any(|(known, _)| *known == name)
        };
        let templates = self.own.keys().map(String::as_str).filter(|file| file.starts_with("templates/"));
        templates.filter(move |file| is_text(file) && !file.ends_with(".yaml") && !is_known(file))
    }
}

fn of_program(theme: &'static Embedded, name: &str) -> Option<&'static [u8]> {
    let of = |files: &'static [(&'static str, &'static [u8])], name: &str| {
        files.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
    };
    let in_templates = || of(TEMPLATES, name.strip_prefix("templates/")?);
    of(theme.files, name).or_else(in_templates).or_else(|| of(THEMES[0].files, name))
}

/// Whether a file is text, by its name.
pub(super) fn is_text(name: &str) -> bool {
    TEXTS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::super::embedded::DEFAULT;
    use super::*;

    /// The files below a folder of the repository, by their names in it.
    fn on_disk(folder: &str) -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = walkdir::WalkDir::new(&root).into_iter().map(|entry| entry.expect("an entry"));
        let files = files.filter(|entry| entry.file_type().is_file());
        let name = |path: &Path| path.strip_prefix(&root).expect("inside").to_string_lossy().replace('\\', "/");
        files.map(|entry| name(entry.path())).collect()
    }

    #[test]
    fn every_file_of_a_theme_is_in_the_program() {
        let names = |files: &[(&str, &[u8])]| files.iter().map(|(name, _)| name.to_string()).collect::<BTreeSet<_>>();
        let templates = on_disk("templates");
        // Words belong to languages, not to themes.
        let is_template = |name: &&String| !name.starts_with("words.");
        assert_eq!(names(TEMPLATES), templates.iter().filter(is_template).cloned().collect());
        assert_eq!(THEMES[0].name, DEFAULT);
        assert!(THEMES.iter().map(|theme| theme.name).eq(crate::config::THEMES), "store files may name other themes");
        for theme in THEMES {
            let mut disk = on_disk(&format!("themes/{}", theme.name));
            disk.retain(|name| !name.ends_with(".txt"));
            assert_eq!(names(theme.files), disk, "{}", theme.name);
            for (name, bytes) in theme.files.iter().chain(TEMPLATES) {
                assert!(!is_text(name) || std::str::from_utf8(bytes).is_ok(), "{name}");
            }
        }
    }
}
