//! A theme: templates, words, stylesheets and other files, from the program itself or from a folder.
//!
//! Takes the name of a theme of the program or a folder, whose files take the place of those of the theme that it
//! builds on one by one, and what the store file sets of the theme's settings; makes compiled templates and the theme's
//! files. Every mistake in a theme is an error that names the file and, where there is one, the line. Never reads
//! outside the folder.

mod description;
mod eject;
mod embedded;
mod layers;
pub(crate) mod partials;

pub(crate) use description::Settings;
pub use description::{SettingFault, SettingInfo};
pub use eject::{EjectError, Ejection, eject};

use super::template::Templates;
use crate::assets::palette::Mood;
use crate::config::{StoreConfiguration, ThemeSource};
use crate::language::{Words, language_of};
use crate::spelling::nearest;
use description::Description;
use embedded::{TEMPLATES, THEMES};
use layers::Layers;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Stands alone, as it is no module of the pages.
const WORKER: &str = "templates/service_worker.js";

/// A loaded theme.
#[derive(Debug)]
pub struct Theme {
    /// Words and templates in each language of the store.
    pub(crate) languages: Vec<ThemeLanguage>,
    /// What the grounds of pages are like.
    pub(crate) mood: Mood,
    /// Custom properties of the settings, as CSS declarations.
    pub(crate) declarations: String,
    /// Attributes of the root element that tell the settings, each after a blank.
    pub(crate) attributes: String,
    /// Contents of the stylesheets, in the order they apply.
    pub(crate) stylesheets: Vec<String>,
    /// ES modules by name, such as `listing.js`.
    pub(crate) scripts: BTreeMap<String, String>,
    /// The service worker.
    pub(crate) worker: String,
    /// Pictures, fonts and the like, by name.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Fonts among them that are needed at once.
    pub(crate) preload: Vec<String>,
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
    /// No theme of the program has this name.
    #[error("there is no theme `{name}`; use {} or the path of a folder, such as `./theme`", listed(&names()))]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// A file or folder cannot be read.
    #[error("cannot read `{}` of the theme: {why}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why; not named as the source, which would be told twice.
        why: std::io::Error,
    },
    /// A words file is not as it should be.
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
    #[error("`{file}` takes the place of no template and is no template's partial{}", meant(nearest.as_deref()))]
    UnknownTemplate {
        /// The file.
        file: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// A template or `theme.yaml` is not as it should be.
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
    /// A file that `theme.yaml` lists is not there.
    #[error("`theme.yaml` lists `{name}`, but there is no `assets/{name}`; add it, or take it off the list")]
    MissingAsset {
        /// The name listed.
        name: String,
    },
    /// The store file sets what the theme does not take.
    #[error("{}", .0.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; "))]
    Settings(Vec<SettingFault>),
}

impl ThemeError {
    pub(crate) fn at(file: &str, line: usize, column: usize, detail: String) -> Self {
        Self::Template { file: file.into(), line, column, detail }
    }
}

/// What is told of a theme before it is used.
#[derive(Clone, Debug, Serialize)]
pub struct ThemeInfo {
    /// What `theme` in a store file calls it.
    pub name: String,
    /// Its title.
    pub title: String,
    /// In a sentence or two.
    pub description: String,
    /// What can be set.
    pub settings: Vec<SettingInfo>,
    /// Files that it has of its own, by their names in its folder.
    pub files: Vec<String>,
}

/// Names of the themes that are part of the program; all others build on the first.
pub fn names() -> Vec<&'static str> {
    THEMES.iter().map(|theme| theme.name).collect()
}

/// The end of a message about a name that is not known.
fn meant(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"))
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A theme's files, and what its `theme.yaml` comes to.
struct Opened {
    layers: Layers,
    description: Description,
    settings: Settings,
}

fn open(source: &ThemeSource) -> Result<Opened, ThemeError> {
    const FILE: &str = "theme.yaml";
    let mut layers = match source {
        ThemeSource::Embedded(name) => Layers::embedded(name)?,
        ThemeSource::Folder(folder) => Layers::folder(folder)?,
    };
    let own = if layers.is_own(FILE) { layers.text(FILE).unwrap_or_default().to_string() } else { String::new() };
    let mut description = if own.is_empty() { Description::default() } else { Description::parse(FILE, &own)? };
    if let Some(extended) = &description.extends {
        layers.extend(extended).map_err(|error| ThemeError::at(FILE, 1, 1, error.to_string()))?;
    }
    let base = layers.base_text(FILE).unwrap_or_default();
    description = description.over(Description::parse(FILE, base)?);
    // A default that is wrong is one of the theme's own: a test looks through those of the program.
    let settings = description.settings(FILE, &own)?;
    Ok(Opened { layers, description, settings })
}

/// Tells of a theme.
///
/// # Errors
/// When there is no such theme, or its `theme.yaml` is not as it should be.
pub fn info(source: &ThemeSource) -> Result<ThemeInfo, ThemeError> {
    let Opened { layers, description, settings } = open(source)?;
    let (name, files) = match source {
        ThemeSource::Embedded(name) => {
            let theme = THEMES.iter().find(|theme| theme.name == name);
            let files = theme.map_or(&[][..], |theme| theme.files);
            (name.clone(), files.iter().map(|(file, _)| (*file).to_string()).collect())
        }
        ThemeSource::Folder(folder) => {
            (folder.display().to_string(), layers.names().into_iter().filter(|file| layers.is_own(file)).collect())
        }
    };
    Ok(ThemeInfo {
        title: description.name.unwrap_or_else(|| name.clone()),
        description: description.description.unwrap_or_default(),
        settings: settings.described(),
        name,
        files,
    })
}

impl Theme {
    /// A hash of the files that pages point at.
    pub(crate) fn files_digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| _ = hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        self.stylesheets.iter().chain([&self.declarations]).for_each(|sheet| add(sheet.as_bytes()));
        self.scripts.iter().flat_map(|(name, text)| [name, text]).for_each(|text| add(text.as_bytes()));
        self.files.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]).for_each(&mut add);
        add(self.worker.as_bytes());
        add(format!("{:?} {:?}", self.mood, self.preload).as_bytes());
        hasher.finalize()
    }

    /// A hash of everything in the theme that pages are made from. Stylesheets and scripts have hashes in their names.
    pub(crate) fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for language in &self.languages {
            hasher.update(language.templates.digest().as_bytes()).update(format!("{:?}", language.words).as_bytes());
        }
        hasher.update(self.attributes.as_bytes());
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

    /// Loads the theme of a store, sets its settings, and compiles its templates for each of the store's locales.
    ///
    /// # Errors
    /// When there is no such theme, a file of it cannot be read or is not as it should be, or a setting or a text is not
    /// one of the theme's.
    pub fn of(config: &StoreConfiguration) -> Result<Self, ThemeError> {
        Self::load(&config.theme, &config.locales, &config.words, &config.theme_settings)
    }

    /// `own_words` are the store's own, by language or locale.
    fn load(
        source: &ThemeSource,
        locales: &[String],
        own_words: &BTreeMap<String, BTreeMap<String, String>>,
        chosen: &BTreeMap<String, Value>,
    ) -> Result<Self, ThemeError> {
        let Opened { layers, description, mut settings } = open(source)?;
        settings.set(chosen).map_err(ThemeError::Settings)?;
        let in_language = |locale: &String| {
            let mut words = words_of(&layers, locale)?;
            for language in [language_of(locale), locale] {
                for (key, text) in own_words.get(language).into_iter().flatten() {
                    let unknown = |detail| ThemeError::Words { language: language.to_string(), detail };
                    words.replace(key, text).map_err(unknown)?;
                }
            }
            let templates = compile(&layers, &words, &settings)?;
            Ok(ThemeLanguage { locale: locale.clone(), words, templates })
        };
        let languages = locales.iter().map(in_language).collect::<Result<_, ThemeError>>()?;
        let missing = |name: &String| ThemeError::MissingAsset { name: name.clone() };
        let stylesheets = description.stylesheets.unwrap_or_default();
        let stylesheets = stylesheets
            .iter()
            .map(|name| Ok(layers.text(&format!("assets/{name}")).ok_or_else(|| missing(name))?.to_string()))
            .collect::<Result<_, ThemeError>>()?;
        let files = layers.assets();
        let preload = description.preload.unwrap_or_default();
        if let Some(name) = preload.iter().find(|name| !files.contains_key(*name)) {
            return Err(missing(name));
        }
        let scripts = TEMPLATES.iter().filter_map(|(name, _)| {
            let script = name.strip_prefix("scripts/")?;
            Some((script.to_string(), layers.text(&format!("templates/{name}"))?.to_string()))
        });
        Ok(Self {
            languages,
            mood: description.palette.unwrap_or_default(),
            declarations: settings.declarations(),
            attributes: settings.attributes(),
            stylesheets,
            scripts: scripts.collect(),
            worker: layers.text(WORKER).unwrap_or_default().to_string(),
            files,
            preload,
        })
    }
}

/// Compiles the templates that pages are made with, partials and all.
fn compile(layers: &Layers, words: &Words, settings: &Settings) -> Result<Templates, ThemeError> {
    let find = |name: &str| layers.text(&partials::file_of(name));
    let known = || {
        let names = layers.names().into_iter();
        let name = |file: String| Some(file.strip_prefix("templates/")?.strip_suffix(".hbs")?.to_string());
        names.filter_map(name).filter(|name| name.starts_with("fragments/")).collect()
    };
    let mut templates = Templates::new();
    let mut used = BTreeSet::new();
    // A fault of a file's own is told before one that its partials bring.
    for file in layers.names().iter().filter(|file| file.ends_with(".hbs") && layers.is_own(file)) {
        Templates::check(file, layers.text(file).unwrap_or_default())?;
    }
    for name in TEMPLATES.iter().filter_map(|(name, _)| name.strip_suffix(".hbs")) {
        // What lies deeper is only ever a part of others.
        if name.matches('/').count() > 1 {
            continue;
        }
        let expanded = partials::expand(name, &find, &known)?;
        used.extend(expanded.parts.iter().skip(1).map(|part| partials::file_of(part)));
        templates.add(name, expanded, words, settings)?;
    }
    if let Some(file) = layers.strange_templates().find(|file| !used.contains(*file)) {
        let known: Vec<String> = TEMPLATES.iter().map(|(name, _)| format!("templates/{name}")).collect();
        let nearest = nearest(file, &known).map(str::to_string);
        return Err(ThemeError::UnknownTemplate { file: file.to_string(), nearest });
    }
    Ok(templates)
}

/// The program's words with the theme's over them, those of its English file under those of the language's own.
fn words_of(layers: &Layers, locale: &str) -> Result<Words, ThemeError> {
    let language = language_of(locale);
    let own = |language: &str| {
        let file = format!("templates/words.{language}.yaml");
        let text = layers.text(&file)?;
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

#[cfg(test)]
mod tests {
    use super::embedded::DEFAULT;
    use super::*;
    use crate::assets::palette::PAIRS;
    use crate::content::tests::folder;

    fn load(files: &[(&str, &str)]) -> Result<Theme, ThemeError> {
        Theme::load(
            &ThemeSource::Folder(folder(files).path().to_path_buf()),
            &english(),
            &BTreeMap::new(),
            &BTreeMap::new(),
        )
    }

    fn english() -> Vec<String> {
        vec!["en".to_string()]
    }

    fn message(files: &[(&str, &str)]) -> String {
        load(files).expect_err("an error").to_string()
    }

    fn embedded(name: &str) -> Result<Theme, ThemeError> {
        Theme::load(&ThemeSource::Embedded(name.into()), &english(), &BTreeMap::new(), &BTreeMap::new())
    }

    #[test]
    fn the_embedded_themes_load_and_are_drawn_the_fast_way() {
        assert_eq!(names()[0], DEFAULT);
        for name in names() {
            let theme = embedded(name).expect("it loads");
            let templates: Vec<_> = theme.languages[0].templates.names().collect();
            assert!(templates.len() > 10, "{templates:?}");
            for template in templates {
                assert!(
                    theme.languages[0].templates.is_program(template),
                    "{name}: `{template}` is left to handlebars"
                );
            }
        }
        let unknown = embedded("glitter").expect_err("no such theme").to_string();
        assert!(unknown.contains("there is no theme `glitter`; use `modern-minimal`, `eyewear-focused`"), "{unknown}");
    }

    /// The declarations of a property in a rule's body that name a custom property of the palette.
    fn colors<'c>(body: &'c str, properties: &[&str]) -> Vec<&'c str> {
        let declarations = body.split(';').filter_map(|declaration| declaration.split_once(':'));
        let wanted = declarations.filter(|(property, _)| properties.contains(&property.trim()));
        wanted.filter_map(|(_, value)| value.trim().strip_prefix("var(--")?.strip_suffix(')')).collect()
    }

    #[test]
    fn stylesheets_keep_to_the_pairs_that_the_palette_answers_for() {
        let grounds = ["bg", "surface", "surface-2"];
        let on = |front: &str| -> Vec<&str> {
            PAIRS.iter().filter(|(name, ..)| *name == front).flat_map(|(_, on, _)| on.iter().copied()).collect()
        };
        for name in names() {
            let theme = embedded(name).expect("it loads");
            let sheets = theme.stylesheets.join("\n");
            let mut seen = 0;
            for rule in sheets.split('}') {
                let body = rule.rsplit('{').next().unwrap_or_default();
                let selector = rule.rsplit('{').nth(1).unwrap_or_default().trim();
                let fronts = colors(body, &["color"]);
                let backs = colors(body, &["background", "background-color"]);
                for front in fronts {
                    seen += 1;
                    match backs.first() {
                        // The two have the same contrast whichever is in front.
                        Some(back) => assert!(
                            on(front).contains(back) || on(back).contains(&front),
                            "{name}: `{front}` on `{back}`, in `{selector}`"
                        ),
                        None => assert!(
                            on(front).iter().any(|ground| grounds.contains(ground))
                                || front.contains("inverse")
                                || front.starts_with("on-"),
                            "{name}: `{front}` without its ground, in `{selector}`"
                        ),
                    }
                }
            }
            assert!(seen > 50, "{name}: only {seen} colours found");
        }
    }

    #[test]
    fn settings_reach_templates_and_stylesheets() {
        let files = [
            (
                "theme.yaml",
                "settings:\n  note: {type: text, default: ''}\n  wide: {type: boolean, default: false}\n  \
                 columns: {type: number, min: 1, max: 4, default: 3}\n  look: {type: choice, of: [round, square], default: round}\n  \
                 ink: {type: color, default: '#102030'}\n",
            ),
            (
                "templates/pages/about.hbs",
                "{{#if settings.note}}<b>{{settings.note}}</b>{{else}}none{{/if}}{{#unless settings.wide}}narrow{{/unless}}",
            ),
        ];
        let folder = folder(&files);
        let source = ThemeSource::Folder(folder.path().to_path_buf());
        let about = |chosen: &[(&str, Value)]| {
            let chosen = chosen.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            let theme = Theme::load(&source, &english(), &BTreeMap::new(), &chosen)?;
            let html = theme.languages[0].templates.render("pages/about", &()).expect("it renders");
            Ok::<_, ThemeError>((html, theme.attributes, theme.declarations))
        };
        let (html, attributes, declarations) = about(&[]).expect("defaults");
        assert_eq!(html, "nonenarrow");
        assert_eq!(attributes, " data-theme-look=\"round\" data-theme-wide=\"false\"");
        assert_eq!(declarations, "--setting-columns:3;--setting-ink:#102030;");
        let chosen = [
            ("note", Value::from("{{#if <i>")),
            ("wide", true.into()),
            ("columns", 2.into()),
            ("look", "square".into()),
        ];
        let (html, attributes, declarations) = about(&chosen).expect("chosen");
        assert_eq!(html, "<b>&#123;&#123;#if &lt;i&gt;</b>");
        assert_eq!(attributes, " data-theme-look=\"square\" data-theme-wide=\"true\"");
        assert!(declarations.starts_with("--setting-columns:2;"), "{declarations}");
        let refused =
            about(&[("colums", 2.into()), ("columns", 7.into()), ("look", "sqare".into()), ("wide", "x".into())]);
        let Err(ThemeError::Settings(faults)) = refused else { panic!("settings that do not fit") };
        let told: Vec<_> = faults.iter().map(|fault| format!("{}: {}", fault.message, fault.hint)).collect();
        assert_eq!(
            told,
            [
                "`theme_settings.columns` must be a number from 1 to 4: write a number in that range",
                "this theme has no setting `colums`: did you mean `columns`?",
                "`theme_settings.look` must be one of `round`, `square`: did you mean `square`?",
                "`theme_settings.wide` must be `true` or `false`: write `true` or `false`",
            ]
        );
    }

    #[test]
    fn a_folder_builds_on_the_theme_that_it_names() {
        let theme =
            load(&[("theme.yaml", "extends: classic-optician\n"), ("assets/base.css", "a{}")]).expect("it loads");
        assert_eq!(theme.mood, Mood::Warm);
        assert_eq!(theme.stylesheets[0], "a{}");
        assert!(theme.files.contains_key("eb-garamond.woff2"));
        let unknown = message(&[("theme.yaml", "extends: glitter\n")]);
        assert!(unknown.starts_with("theme.yaml:1:1: there is no theme `glitter`"), "{unknown}");
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
        assert!(key.starts_with("theme.yaml:1:1: "), "{key}");
        let setting = message(&[("templates/pages/about.hbs", "a\n{{#if settings.nothing}}{{/if}}")]);
        assert_eq!(setting, "templates/pages/about.hbs:2:1: there is no setting `nothing`; declare it in `theme.yaml`");
        let default = message(&[("theme.yaml", "settings:\n  wide: {type: boolean, default: 7}\n")]);
        assert!(default.starts_with("theme.yaml:2:1: the setting `wide` has a default that is not"), "{default}");
        let partial = message(&[("templates/pages/about.hbs", "a\n{{> fragments/nothing}}")]);
        assert!(partial.starts_with("templates/pages/about.hbs:2:1: there is no partial"), "{partial}");
        let inside = message(&[
            ("templates/pages/about.hbs", "{{> fragments/mine}}"),
            ("templates/fragments/mine.hbs", "a\n{{#if x}}\n"),
        ]);
        assert!(inside.starts_with("templates/fragments/mine.hbs:"), "{inside}");
    }
}
