//! A theme: templates, words, stylesheets and other files, from the program itself or from a folder.
//!
//! Takes the name of an embedded theme or a folder, whose files take the place of `modern-minimal`'s one by one;
//! makes compiled templates and the theme's files. Every mistake in a theme is an error that names the file and,
//! where there is one, the line. Never reads outside the folder.

use super::template::Templates;
use crate::config::ThemeSource;
use crate::language::{Words, language_of};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The theme that folder themes build on.
const DEFAULT: &str = "modern-minimal";

/// A loaded theme.
#[derive(Debug)]
pub struct Theme {
    /// Words and templates in each language of the store.
    pub(crate) languages: Vec<ThemeLanguage>,
    /// Contents of the stylesheets, in the order they apply.
    pub(crate) stylesheets: Vec<String>,
    /// ES modules by name, such as `listing.js`.
    pub(crate) scripts: BTreeMap<String, String>,
    /// The service worker.
    pub(crate) worker: String,
    /// Pictures, fonts and the like, by name.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// What a theme says in one language.
#[derive(Debug)]
pub(crate) struct ThemeLanguage {
    /// BCP 47 tag.
    pub(crate) locale: String,
    pub(crate) words: Words,
    /// With the words filled in.
    pub(crate) templates: Templates,
}

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No embedded theme has this name.
    #[error("there is no theme `{name}`; use `{DEFAULT}` or the path of a folder, such as `./theme`")]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// A file or folder cannot be read.
    #[error("cannot read `{}` of the theme: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `theme.yaml` or a words file is not as it should be.
    #[error("{file}: {detail}")]
    Description {
        /// Where it stands.
        file: String,
        /// What is wrong.
        detail: String,
    },
    /// `words` of the store file names a text that there is none of.
    #[error("`words.{language}` of the store file: {detail}")]
    Words {
        /// The language it is for.
        language: String,
        /// What is wrong and what may have been meant.
        detail: String,
    },
    /// A file in `templates/` that takes the place of nothing.
    #[error("`{file}` takes the place of no template; the nearest name is `{nearest}`")]
    UnknownTemplate {
        /// The file.
        file: String,
        /// What may have been meant.
        nearest: String,
    },
    /// A template does not compile.
    #[error("{file}:{line}:{column}: {detail}")]
    Template {
        /// Where it stands.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong and what was expected.
        detail: String,
    },
    /// A stylesheet that `theme.yaml` lists is not there.
    #[error("`theme.yaml` lists the stylesheet `{name}`, but there is no `assets/{name}`")]
    MissingStylesheet {
        /// The name listed.
        name: String,
    },
}

/// `theme.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    /// Files in `assets/` that become the stylesheet, in order.
    stylesheets: Vec<String>,
    #[serde(default, rename = "name")]
    _name: Option<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

macro_rules! embedded {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../", $folder, "/", $name)))),+]
    };
}

const TEMPLATES: &[(&str, &str)] = embedded!["templates":
    "outer.hbs",
    "pages/home.hbs",
    "pages/listing.hbs",
    "pages/index.hbs",
    "pages/product.hbs",
    "pages/face_shapes.hbs",
    "pages/about.hbs",
    "pages/contact.hbs",
    "pages/search.hbs",
    "pages/favourites.hbs",
    "pages/compare.hbs",
    "pages/cart.hbs",
    "pages/not_found.hbs",
    "pages/offline.hbs",
    "pages/moved.hbs",
    "fragments/header.hbs",
    "fragments/footer.hbs",
    "fragments/card.hbs",
    "fragments/filters.hbs",
    "fragments/sorting.hbs",
    "fragments/fact.hbs",
    "fragments/fit.hbs",
];

const SCRIPTS: &[(&str, &str)] = embedded!["templates/scripts":
    "store.js",
    "memory.js",
    "cards.js",
    "catalog.js",
    "narrowing.js",
    "words.js",
    "search.js",
    "search_box.js",
    "listing.js",
    "finder.js",
    "face_shape.js",
    "face_mark.js",
    "product.js",
    "gallery.js",
    "fitting.js",
    "product_pages.js",
    "share.js",
    "bag.js",
    "favourites.js",
    "compare.js",
    "cart.js",
];

/// Stands alone, as it is no module of the pages.
const WORKER: (&str, &str) = ("templates/service_worker.js", include_str!("../../templates/service_worker.js"));

const MODERN_MINIMAL: &[(&str, &str)] = embedded!["themes/modern-minimal":
    "theme.yaml",
    "assets/base.css",
    "assets/layout.css",
    "assets/products.css",
    "assets/pages.css",
    "assets/guides.css",
    "assets/shopping.css",
];

/// What a folder theme brings.
#[derive(Default)]
struct Overrides {
    texts: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Theme {
    /// A hash of the files that pages point at.
    pub(crate) fn files_digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| _ = hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        self.stylesheets.iter().for_each(|sheet| add(sheet.as_bytes()));
        self.scripts.iter().flat_map(|(name, text)| [name, text]).for_each(|text| add(text.as_bytes()));
        self.files.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]).for_each(&mut add);
        add(self.worker.as_bytes());
        hasher.finalize()
    }

    /// A hash of everything in the theme that pages are made from. Stylesheets and scripts have hashes in their names.
    pub(crate) fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for language in &self.languages {
            hasher.update(language.templates.digest().as_bytes()).update(format!("{:?}", language.words).as_bytes());
        }
        hasher.finalize()
    }

    /// For each locale, the keys of texts that are shown in English for want of a translation.
    pub fn untranslated(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.languages.iter().map(|language| {
            let keys = language.words.untranslated().iter().map(String::as_str);
            (language.locale.as_str(), keys.collect())
        })
    }

    /// The words of the store's own language.
    pub fn words(&self) -> &Words {
        &self.languages[0].words
    }

    /// Loads a theme and compiles its templates for each of the store's locales; `own_words` are the store's own, by
    /// language or locale.
    ///
    /// # Errors
    /// When there is no such theme, a file of it cannot be read, or a file is not as it should be.
    pub fn load(
        source: &ThemeSource,
        locales: &[String],
        own_words: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<Self, ThemeError> {
        let overrides = match source {
            ThemeSource::Embedded(name) if name == DEFAULT => Overrides::default(),
            ThemeSource::Embedded(name) => return Err(ThemeError::Unknown { name: name.clone() }),
            ThemeSource::Folder(folder) => Overrides::read(folder)?,
        };
        overrides.refuse_unknown_templates()?;
        let languages =
            locales.iter().map(|locale| overrides.in_language(locale, own_words)).collect::<Result<_, _>>()?;

        let description = overrides.text_or_embedded("theme.yaml");
        let description: Description = serde_yaml::from_str(description)
            .map_err(|error| ThemeError::Description { file: "theme.yaml".into(), detail: error.to_string() })?;
        let stylesheets = description.stylesheets.iter().map(|name| {
            let text = overrides.text_or_embedded(&format!("assets/{name}"));
            if text.is_empty() && !overrides.texts.contains_key(&format!("assets/{name}")) {
                return Err(ThemeError::MissingStylesheet { name: name.clone() });
            }
            Ok(text.to_string())
        });
        let stylesheets = stylesheets.collect::<Result<_, _>>()?;
        let script = |&(name, text): &(&str, &str)| {
            let own = overrides.texts.get(&format!("templates/scripts/{name}"));
            (name.to_string(), own.map_or(text, String::as_str).to_string())
        };
        let scripts = SCRIPTS.iter().map(script).collect();
        let worker = overrides.texts.get(WORKER.0).map_or(WORKER.1, String::as_str).to_string();
        Ok(Self { languages, stylesheets, scripts, worker, files: overrides.files })
    }
}

impl Overrides {
    fn read(folder: &Path) -> Result<Self, ThemeError> {
        let mut overrides = Self::default();
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.map_err(|error| ThemeError::Read {
                path: error.path().unwrap_or(folder).to_path_buf(),
                source: error.into(),
            })?;
            if !entry.file_type().is_file() {
                continue;
            }
            let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            if parts.iter().any(|part| part.starts_with('.')) {
                continue;
            }
            let name = parts.join("/");
            let unreadable = |source| ThemeError::Read { path: entry.path().to_path_buf(), source };
            let is_text = [".hbs", ".css", ".yaml", ".js"].iter().any(|extension| name.ends_with(extension));
            if is_text {
                overrides.texts.insert(name, std::fs::read_to_string(entry.path()).map_err(unreadable)?);
            } else if let Some(asset) = name.strip_prefix("assets/") {
                overrides.files.insert(asset.to_string(), std::fs::read(entry.path()).map_err(unreadable)?);
            }
        }
        Ok(overrides)
    }

    fn in_language(
        &self,
        locale: &str,
        own_words: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<ThemeLanguage, ThemeError> {
        let mut words = self.words(locale)?;
        for language in [language_of(locale), locale] {
            for (key, text) in own_words.get(language).into_iter().flatten() {
                words
                    .replace(key, text)
                    .map_err(|detail| ThemeError::Words { language: language.to_string(), detail })?;
            }
        }
        let mut templates = Templates::new();
        for (name, text) in TEMPLATES {
            let file = format!("templates/{name}");
            let text = self.texts.get(&file).map_or(*text, String::as_str);
            templates.add(name.trim_end_matches(".hbs"), &file, text, &words)?;
        }
        Ok(ThemeLanguage { locale: locale.to_string(), words, templates })
    }

    /// The program's words with the theme's over them, those of its English file under those of the language's own.
    fn words(&self, locale: &str) -> Result<Words, ThemeError> {
        let language = language_of(locale);
        let own = |language: &str| {
            let file = format!("templates/words.{language}.yaml");
            let text = self.texts.get(&file)?;
            Some(Words::parse(text).map_err(|detail| ThemeError::Description { file, detail }))
        };
        let mut words = Words::of_locale(locale);
        if let Some(english) = own("en").transpose()? {
            if language == "en" { words.overlay(english) } else { words.complete(english) }
        }
        if let Some(own) = own(language).filter(|_| language != "en").transpose()? {
            words.overlay(own);
        }
        Ok(words)
    }

    fn text_or_embedded(&self, name: &str) -> &str {
        let embedded = || MODERN_MINIMAL.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| *text);
        self.texts.get(name).map_or_else(embedded, String::as_str)
    }

    fn refuse_unknown_templates(&self) -> Result<(), ThemeError> {
        let templates = TEMPLATES.iter().map(|(name, _)| format!("templates/{name}"));
        let scripts = SCRIPTS.iter().map(|(name, _)| format!("templates/scripts/{name}"));
        let known: Vec<String> = templates.chain(scripts).chain([WORKER.0.to_string()]).collect();
        let mut replacing = self.texts.keys().filter(|file| file.ends_with(".hbs") || file.ends_with(".js"));
        let unknown = replacing.find(|file| file.starts_with("templates/") && !known.contains(file));
        let Some(file) = unknown else { return Ok(()) };
        let nearest = known.into_iter().min_by_key(|name| strsim::damerau_levenshtein(name, file)).unwrap_or_default();
        Err(ThemeError::UnknownTemplate { file: file.clone(), nearest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    fn load(files: &[(&str, &str)]) -> Result<Theme, ThemeError> {
        Theme::load(&ThemeSource::Folder(folder(files).path().to_path_buf()), &["en".to_string()], &BTreeMap::new())
    }

    fn message(files: &[(&str, &str)]) -> String {
        load(files).expect_err("an error").to_string()
    }

    #[test]
    fn the_embedded_theme_loads() {
        let english = ["en".to_string()];
        Theme::load(&ThemeSource::Embedded(DEFAULT.into()), &english, &BTreeMap::new()).expect("it loads");
        let unknown = Theme::load(&ThemeSource::Embedded("glitter".into()), &english, &BTreeMap::new())
            .expect_err("no such theme");
        assert!(unknown.to_string().contains("there is no theme `glitter`"), "{unknown}");
    }

    #[test]
    fn the_embedded_templates_are_drawn_the_fast_way() {
        let theme = Theme::load(&ThemeSource::Embedded(DEFAULT.into()), &["en".to_string()], &BTreeMap::new())
            .expect("it loads");
        let names: Vec<_> = theme.languages[0].templates.names().collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert!(
                theme.languages[0].templates.is_program(name),
                "`{name}` uses something that only handlebars knows"
            );
        }
    }

    #[test]
    fn a_folder_takes_the_place_of_single_files() {
        let theme = load(&[
            ("templates/pages/about.hbs", "<p>{{words.skip_to_content}}</p>"),
            ("templates/words.en.yaml", "texts: {skip_to_content: 'Go & see'}"),
            ("assets/base.css", "body{color:red}"),
            ("assets/mark.png", "not really"),
        ])
        .expect("it loads");
        let about = theme.languages[0].templates.render("pages/about", &()).expect("it renders");
        assert_eq!(about, "<p>Go &amp; see</p>");
        assert_eq!(theme.stylesheets[0], "body{color:red}");
        assert!(theme.stylesheets.len() > 1);
        assert_eq!(theme.files["mark.png"], b"not really");
    }

    #[test]
    fn mistakes_name_file_and_line() {
        let unclosed = message(&[("templates/pages/home.hbs", "<h1>x</h1>\n{{#if heading}}\n<p>")]);
        assert!(unclosed.starts_with("templates/pages/home.hbs:"), "{unclosed}");
        let mismatch = message(&[("templates/pages/home.hbs", "a\nb\n{{#if x}}{{/each}}")]);
        assert!(mismatch.starts_with("templates/pages/home.hbs:3:"), "{mismatch}");
        let word = message(&[("templates/outer.hbs", "a\n  {{words.skipp_to_content}}")]);
        assert_eq!(
            word,
            "templates/outer.hbs:2:3: there are no words `skipp_to_content`, did you mean `skip_to_content`?"
        );
        let stray = message(&[("templates/pages/hoem.hbs", "")]);
        assert!(stray.contains("`templates/pages/home.hbs`"), "{stray}");
        let missing = message(&[("theme.yaml", "stylesheets: [mine.css]")]);
        assert!(missing.contains("`assets/mine.css`"), "{missing}");
        let key = message(&[("theme.yaml", "styleshets: []")]);
        assert!(key.starts_with("theme.yaml: "), "{key}");
    }
}
