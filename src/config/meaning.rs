//! What the settings of a well-formed store file mean: addresses, codes, colours, folders, filters.
//!
//! Each setting is read by one function that tells its own faults at its own place; none stops the others.

use super::error::ConfigError;
use super::file::{CatalogFile, CollectionsFile, OneOrMany, PlatformName, RemovedName, SortName, StoreFile};
use super::load::Overrides;
use super::places::BlockPlaces;
use super::shape::{joined, shortened};
use super::source::Source;
use super::tree::{Content, Node};
use super::uri::clean;
use super::variables::Environment;
use super::{
    CatalogSettings, CatalogUri, Collections, Color, Patience, Platform, RetrySettings, SortOrder, StoreConfiguration,
    ThemeSource,
};
use crate::catalog::check_mapping;
use crate::catalog::money::Currency;
use crate::language::language_of;
use crate::spelling::nearest;
use icu_locale_core::Locale;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// Names of the themes that are part of the program.
pub(crate) const THEMES: [&str; 3] = ["modern-minimal", "eyewear-focused", "classic-optician"];
/// Database of a catalogue that names none.
const DATABASE: &str = "eyewear_ml";
/// Variable that comes before `catalog.uri`.
const CATALOG_VARIABLE: &str = "STOREGEN_CATALOG_URI";
/// Currencies that a misspelt code is compared with.
const USUAL_CURRENCIES: [&str; 24] = [
    "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
    "BRL", "MXN", "ZAR", "TRY", "KRW", "SGD", "AED", "KWD",
];

/// What a store file is read together with.
pub(super) struct Surroundings<'run> {
    /// The file, absolute.
    pub(super) file: &'run Path,
    pub(super) overrides: &'run Overrides,
    pub(super) environment: Environment<'run>,
}

/// The configuration, or nothing where faults were told.
pub(super) fn configuration(
    mut file: StoreFile,
    root: &Node,
    source: &Source,
    around: &Surroundings<'_>,
    errors: &mut Vec<ConfigError>,
) -> Option<StoreConfiguration> {
    let folder = around.file.parent().unwrap_or(Path::new("/")).to_path_buf();
    let mut reading = Reading { root, source, folder, errors };

    let store_name = reading.store_name(&file.store_name);
    let contact_email = reading.contact_email(file.contact_email);
    let base_url = reading.base_url("base_url", &file.base_url);
    let assets_url = match &file.assets.base_url {
        Some(written) => reading.base_url("assets.base_url", written).map(Some),
        None => Some(None),
    };
    let locales = reading.locales(&file.locale, &file.locales);
    let words = reading.words(&file.words, locales.as_deref());
    let content = reading.content(&file.content, locales.as_deref().unwrap_or_default());
    let locations = reading.locations(file.locations);
    let currency = reading.currency(&file.currency);
    let theme = reading.theme(&file.theme);
    let primary_color = reading.color("primary_color", &file.primary_color);
    let secondary_color = reading.color("secondary_color", &file.secondary_color);
    let deployment_platforms = reading.platforms(&file.deployment_platforms);
    let product_filters = reading.filters(file.product_filters);
    let commerce = reading.commerce(file.commerce);
    let lenses = currency.and_then(|currency| reading.lenses(file.lenses, currency));
    let delivery = reading.delivery(file.delivery);
    let returns = reading.returns(file.returns);
    let retry = reading.retry(file.retry, file.reliability);
    let download = reading.download(&file.images, retry);
    let cache = reading.cache(&file.cache, around);
    let jobs = reading.jobs(file.jobs);
    let catalog = reading.catalog(file.catalog, locales.as_deref().unwrap_or_default(), retry, around);
    let theme_places =
        BlockPlaces::new(reading.source, reading.node("theme_settings"), &reading.span("theme_settings"));
    let media_root = reading.media_root(file.images.root.take(), catalog.as_ref());
    let images = reading.images(&file.images);
    let logo = reading.logo(file.logo);
    let redirects = reading.redirects(&file.redirects, base_url.as_ref());
    let output = reading.output(&file.output, around, theme.as_ref(), catalog.as_ref(), media_root.as_deref());

    Some(StoreConfiguration {
        path: around.file.to_path_buf(),
        store_name: store_name?,
        store_description: worded(file.store_description),
        contact_email: contact_email?,
        base_url: base_url?,
        locales: locales?,
        translations: BTreeMap::new(),
        untranslated: BTreeMap::new(),
        words: words?,
        content: content?,
        locations: locations?,
        currency: currency?,
        theme: theme?,
        theme_settings: file.theme_settings,
        theme_places,
        logo: logo?,
        primary_color: primary_color?,
        secondary_color: secondary_color?,
        products_per_page: usize::from(file.products_per_page),
        featured_products_count: usize::from(file.featured_products_count),
        enable_face_shape_filter: file.enable_face_shape_filter,
        site_title: worded(file.site_title),
        site_description: worded(file.site_description),
        deployment_platforms: deployment_platforms?,
        offline_page: file.offline_page,
        redirects: redirects?,
        redirects_removed_products: matches!(file.removed_products, RemovedName::Redirect),
        output: output?,
        product_filters: product_filters?,
        sort: order(file.sort),
        commerce: commerce?,
        tax_note: worded(file.tax_note),
        lenses: lenses?,
        delivery: delivery?,
        returns: returns?,
        download: download?,
        assets_url: assets_url?,
        cache: cache?,
        jobs: jobs?,
        retry: retry?,
        media_root: media_root?,
        images: images?,
        catalog: catalog?,
    })
}

fn order(name: SortName) -> SortOrder {
    match name {
        SortName::Featured => SortOrder::Featured,
        SortName::Newest => SortOrder::Newest,
        SortName::PriceAsc => SortOrder::PriceAscending,
        SortName::PriceDesc => SortOrder::PriceDescending,
        SortName::Name => SortOrder::Name,
        SortName::Popularity => SortOrder::Popularity,
        SortName::Quality => SortOrder::Quality,
    }
}

/// A text with its blanks in order; nothing where only blanks are.
pub(super) fn worded(text: Option<String>) -> Option<String> {
    let text = text?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// The faults told so far, and what is needed to tell more.
pub(super) struct Reading<'run> {
    root: &'run Node,
    source: &'run Source,
    folder: PathBuf,
    errors: &'run mut Vec<ConfigError>,
}

impl Reading<'_> {
    /// Where relative paths start.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(self.root, |node, part| match &node.content {
            Content::List(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => node.get(part),
        })
    }

    /// Where a setting stands, or else the block it belongs to, or the start of the file.
    fn span(&self, path: &str) -> Range<usize> {
        let mut known = path;
        loop {
            if let Some(node) = self.node(known) {
                return node.span.clone();
            }
            let Some((parent, _)) = known.rsplit_once('.') else {
                return self.root.span.start..self.root.span.start;
            };
            known = parent;
        }
    }

    /// A setting's value as it was written.
    pub(super) fn shown(&self, path: &str) -> String {
        self.node(path).and_then(Node::scalar).map_or_else(String::new, |scalar| shortened(scalar.shown()))
    }

    fn is_variable(&self, path: &str) -> bool {
        self.node(path).and_then(Node::scalar).is_some_and(|scalar| scalar.written.is_some())
    }

    /// Tells a fault, and is the nothing that stands for the value.
    pub(super) fn fault<T>(&mut self, path: &str, message: &str, hint: &str) -> Option<T> {
        let place = self.source.place(&self.span(path));
        self.errors.push(ConfigError::new(&self.source.file, Some(place), message, Some(hint)));
        None
    }

    /// Tells a fault of one entry of a block, whose key may hold dots.
    pub(super) fn fault_of_entry<T>(&mut self, block: &str, key: &str, message: &str, hint: &str) -> Option<T> {
        let span = match self.node(block).map(|node| &node.content) {
            Some(Content::Map(entries)) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.key_span),
            _ => None,
        };
        let place = self.source.place(span.unwrap_or(&self.span(block)));
        self.errors.push(ConfigError::new(&self.source.file, Some(place), message, Some(hint)));
        None
    }

    fn store_name(&mut self, written: &str) -> Option<String> {
        let name = worded(Some(written.to_string()));
        match name {
            Some(name) if name.chars().any(char::is_control) => {
                self.fault("store_name", "`store_name` holds control characters", "remove them")
            }
            Some(name) if name.chars().count() > 200 => self.fault(
                "store_name",
                "`store_name` is longer than 200 characters",
                "put the rest into `store_description`",
            ),
            Some(name) => Some(name),
            // A name that is missing, or faulty in form, has been told already.
            None if self.node("store_name").and_then(Node::scalar).is_none_or(super::tree::Scalar::is_null) => None,
            None => {
                self.fault("store_name", "`store_name` is blank", "write the name that customers know the store by")
            }
        }
    }

    /// The outer `None` is a fault, the inner one an address left out.
    fn contact_email(&mut self, written: Option<String>) -> Option<Option<String>> {
        let Some(text) = worded(written) else { return Some(None) };
        let sound = text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && host.contains('.')
                && host.split('.').all(|label| !label.is_empty())
                && !text
                    .contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"'(),:;@\\".contains(c) && c != '@')
                && !host.contains('@')
        });
        if sound {
            return Some(Some(text));
        }
        let message = format!("`{}` is no e-mail address", self.shown("contact_email"));
        let hint =
            if text.starts_with("mailto:") { "leave out `mailto:`" } else { "write it like `hello@shop.example`" };
        self.fault("contact_email", &message, hint)
    }

    fn base_url(&mut self, path: &str, written: &str) -> Option<Url> {
        let shown = self.shown(path);
        let url = Url::parse(written.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(mut url) = url.filter(Url::has_host) else {
            let bare = !written.contains("//") && written.contains('.') && !self.is_variable(path);
            let hint =
                if bare { format!("write `https://{shown}`") } else { "write it like `https://shop.example/`".into() };
            return self.fault(path, &format!("`{shown}` is no absolute `http` or `https` URL"), &hint);
        };
        if !url.username().is_empty() || url.password().is_some() {
            return self.fault(
                path,
                &format!("`{path}` holds a user name"),
                "visitors need none; leave out everything up to the `@`",
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return self.fault(
                path,
                &format!("`{path}` holds a `?` or `#`"),
                "give only the address under which the files will stand",
            );
        }
        if !url.path().ends_with('/') {
            let folder = format!("{}/", url.path());
            url.set_path(&folder);
        }
        Some(url)
    }

    /// The store's own locale and the further ones, each once.
    fn locales(&mut self, own: &str, further: &OneOrMany<String>) -> Option<Vec<String>> {
        let listed = matches!(self.node("locales").map(|node| &node.content), Some(Content::List(_)));
        let mut locales = vec![self.locale("locale", own)];
        for (index, written) in further.0.iter().enumerate() {
            let path = if listed { joined("locales", &index.to_string()) } else { "locales".to_string() };
            let locale = self.locale(&path, written);
            if locale.is_none() || !locales.contains(&locale) {
                locales.push(locale);
            }
        }
        locales.into_iter().collect()
    }

    /// The pages in a folder of Markdown. The usual one need not be there, another has to be.
    fn content(&mut self, written: &str, locales: &[String]) -> Option<crate::content::Content> {
        let path = "content";
        let folder = clean(&self.folder.join(written.trim()));
        if !folder.is_dir() && self.node(path).is_some() {
            let message = format!("the content folder `{}` does not exist", self.shown(path));
            return self.fault(path, &message, "paths start at the store file");
        }
        match crate::content::read(&folder, locales) {
            Ok(content) => Some(content),
            Err(errors) => {
                for error in errors {
                    let message = format!("`{}/{}", written.trim(), error.to_string().replacen(": ", "`: ", 1));
                    self.errors.push(ConfigError::new(&self.source.file, None, &message, Some(&error.hint)));
                }
                None
            }
        }
    }

    fn words(
        &mut self,
        written: &BTreeMap<String, Value>,
        locales: Option<&[String]>,
    ) -> Option<BTreeMap<String, BTreeMap<String, String>>> {
        let mut words = BTreeMap::new();
        let mut whole = true;
        for (language, texts) in written {
            let place = joined("words", language);
            let is_of = |locale: &String| locale == language || language_of(locale) == language;
            if locales.is_some_and(|locales| !locales.iter().any(is_of)) {
                let message = format!("`words.{}` is for a language that the store does not have", shortened(language));
                let _: Option<()> =
                    self.fault(&place, &message, "add it to `locales`, or write the language of `locale`");
                whole = false;
                continue;
            }
            let texts = texts.as_object().map(|texts| {
                texts.iter().map(|(key, text)| Some((key.clone(), text.as_str()?.to_string()))).collect::<Option<_>>()
            });
            match texts {
                Some(Some(texts)) => _ = words.insert(language.clone(), texts),
                _ => {
                    let message = format!("`words.{}` must be a block of keys with a text each", shortened(language));
                    let _: Option<()> = self.fault(&place, &message, "write it like `words: {en: {home_headline: …}}`");
                    whole = false;
                }
            }
        }
        whole.then_some(words)
    }

    fn locale(&mut self, path: &str, written: &str) -> Option<String> {
        let shown = self.shown(path);
        let Ok(locale) = written.trim().parse::<Locale>() else {
            let dashed = written.trim().replace('_', "-");
            let base = dashed.split('.').next().unwrap_or_default();
            let hint = match base.parse::<Locale>() {
                Ok(meant) if !self.is_variable(path) => format!("write `{meant}`"),
                _ => "write a language such as `en`, or a language and a region such as `de-CH`".to_string(),
            };
            return self.fault(path, &format!("`{shown}` is no BCP 47 language tag"), &hint);
        };
        if locale.id.region.is_some_and(|region| region.as_str() == "UK") {
            return self.fault(
                path,
                &format!("`{shown}` names no region"),
                "the United Kingdom is `GB`, as in `en-GB`",
            );
        }
        if locale.id.language.is_unknown() {
            return self.fault(path, &format!("`{shown}` names no language"), "write a language such as `en`");
        }
        Some(locale.to_string())
    }

    fn currency(&mut self, written: &str) -> Option<Currency> {
        let path = "currency";
        if let Some(currency) = Currency::from_code(written) {
            return Some(currency);
        }
        let code = match written.trim().to_lowercase().as_str() {
            "€" | "euro" | "euros" => Some("EUR"),
            "$" | "us$" | "dollar" | "dollars" => Some("USD"),
            "£" | "pound" | "pounds" => Some("GBP"),
            "¥" | "yen" => Some("JPY"),
            "fr." | "sfr" | "franken" => Some("CHF"),
            _ if self.is_variable(path) => None,
            _ => nearest(written.trim(), &USUAL_CURRENCIES),
        };
        let hint =
            code.map_or("write a code of three letters such as `EUR`".into(), |code| format!("did you mean `{code}`?"));
        let message = format!("`{}` is no ISO 4217 currency code", self.shown(path));
        self.fault(path, &message, &hint)
    }

    fn theme(&mut self, written: &str) -> Option<ThemeSource> {
        let path = "theme";
        let written = written.trim();
        if written.contains('/') || written.starts_with('.') {
            let folder = clean(&self.folder.join(written));
            if folder.is_dir() {
                return Some(ThemeSource::Folder(folder));
            }
            let message = format!("the theme folder `{}` does not exist", self.shown(path));
            return self.fault(path, &message, "paths start at the store file; leave `theme` out for `modern-minimal`");
        }
        if THEMES.contains(&written) {
            return Some(ThemeSource::Embedded(written.to_string()));
        }
        let close = nearest(written, &THEMES).filter(|_| !self.is_variable(path));
        let hint = match close {
            Some(theme) => format!("did you mean `{theme}`?"),
            None => {
                let names = THEMES.map(|name| format!("`{name}`")).join(", ");
                format!("the program has {names}; a theme of your own is a path such as `./theme`")
            }
        };
        let message = format!("there is no theme `{}`", self.shown(path));
        self.fault(path, &message, &hint)
    }

    /// The outer `None` is a fault, the inner one a logo left out.
    fn logo(&mut self, written: Option<String>) -> Option<Option<PathBuf>> {
        let path = "logo";
        let Some(written) = worded(written) else { return Some(None) };
        let file = clean(&self.folder.join(&written));
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        let shown = self.shown(path);
        if !matches!(ending.as_str(), "svg" | "png") {
            return self.fault(
                path,
                &format!("the logo `{shown}` is neither SVG nor PNG"),
                "save it as one of the two",
            );
        }
        if !file.is_file() {
            return self.fault(path, &format!("there is no logo `{shown}`"), "paths start at the store file");
        }
        Some(Some(file))
    }

    fn media_root(&mut self, written: Option<String>, catalog: Option<&CatalogSettings>) -> Option<PathBuf> {
        let path = "images.root";
        let Some(written) = worded(written) else {
            let folder = catalog.and_then(|catalog| catalog.uri.folder());
            return Some(folder.unwrap_or_else(|| self.folder.clone()));
        };
        let folder = clean(&self.folder.join(written));
        if !folder.is_dir() {
            let message = format!("there is no folder `{}` for pictures", self.shown(path));
            return self.fault(path, &message, "paths start at the store file");
        }
        Some(folder)
    }

    pub(super) fn color(&mut self, path: &str, written: &str) -> Option<Color> {
        Color::parse(written).or_else(|| {
            let message = format!("`{}` is no colour for `{path}`", self.shown(path));
            self.fault(path, &message, "write `\"#rrggbb\"` or `\"#rgb\"`, in quotes, such as `\"#1f2a44\"`")
        })
    }

    fn platforms(&mut self, written: &OneOrMany<PlatformName>) -> Option<Vec<Platform>> {
        let path = "deployment_platforms";
        if written.0.is_empty() {
            return self.fault(
                path,
                "`deployment_platforms` is an empty list",
                "write `[static-html]`, or leave it out",
            );
        }
        let listed = matches!(self.node(path).map(|node| &node.content), Some(Content::List(_)));
        let mut platforms = Vec::new();
        let mut whole = true;
        for (index, name) in written.0.iter().enumerate() {
            let key = match name {
                PlatformName::StaticHtml => {
                    platforms.push(Platform::StaticHtml);
                    continue;
                }
                PlatformName::GithubPages => "github-pages",
                PlatformName::Shopify => "shopify",
            };
            whole = false;
            let spot = if listed { joined(path, &index.to_string()) } else { path.to_string() };
            let message = format!("deployment to `{key}` is not built yet");
            let _: Option<()> = self.fault(&spot, &message, "use `static-html`, and upload the output folder yourself");
        }
        platforms.dedup();
        whole.then_some(platforms)
    }

    fn output(
        &mut self,
        written: &str,
        around: &Surroundings<'_>,
        theme: Option<&ThemeSource>,
        catalog: Option<&CatalogSettings>,
        media_root: Option<&Path>,
    ) -> Option<PathBuf> {
        let written = written.trim();
        let flag = around.overrides.output.as_ref();
        let (folder, shown) = match flag {
            Some(folder) => (std::path::absolute(folder).ok(), folder.display().to_string()),
            None if self.is_variable("output") => (self.below(written), self.shown("output")),
            None => (self.below(written), shortened(written)),
        };
        let fault = match &folder {
            None => Some(("the output folder has no name".to_string(), "name it, such as `store`")),
            Some(_) if shown.contains('\0') => {
                Some(("the output folder's name holds a zero character".into(), "remove it"))
            }
            Some(folder) if folder.is_file() => {
                Some((format!("the output `{shown}` is a file"), "name a folder; it is made when it does not exist"))
            }
            Some(folder) => self.endangered(folder, theme, catalog, media_root).map(|what| {
                let message = format!("the output `{shown}` is the folder that {what} is in, or one above it");
                (message, "give the store a folder of its own, such as `store`")
            }),
        };
        match fault {
            None => folder,
            Some((message, hint)) if flag.is_some() => {
                self.errors.push(ConfigError::new(&self.source.file, None, &message, Some(hint)));
                None
            }
            Some((message, hint)) => self.fault("output", &message, hint),
        }
    }

    /// A path that starts at the store file, if there is one.
    fn below(&self, written: &str) -> Option<PathBuf> {
        (!written.is_empty()).then(|| clean(&self.folder.join(written)))
    }

    /// What would stand in the output folder although it is not of the store's making.
    fn endangered(
        &self,
        output: &Path,
        theme: Option<&ThemeSource>,
        catalog: Option<&CatalogSettings>,
        media_root: Option<&Path>,
    ) -> Option<&'static str> {
        let output = resolved(output);
        let holds = |path: &Path| resolved(path).starts_with(&output);
        if holds(&self.folder) {
            return Some("the store file");
        }
        match (theme, catalog.map(|catalog| &catalog.uri)) {
            (Some(ThemeSource::Folder(theme)), _) if holds(theme) => Some("the theme"),
            (_, Some(CatalogUri::Path(catalog))) if holds(catalog) => Some("the catalogue"),
            _ if media_root.is_some_and(holds) => Some("`images.root`"),
            _ => None,
        }
    }

    fn catalog(
        &mut self,
        file: CatalogFile,
        locales: &[String],
        retry: Option<RetrySettings>,
        around: &Surroundings<'_>,
    ) -> Option<CatalogSettings> {
        let uri = self.catalog_uri(file.uri, around);
        let database = self.database(file.database);
        let collections = self.collections(file.collections);
        let places = BlockPlaces::new(self.source, self.node("catalog.mapping"), &self.span("catalog.mapping"));
        if let Some(Err(mistakes)) = file.mapping.as_ref().map(check_mapping) {
            self.errors.extend(places.errors(&mistakes));
        }
        let second = Duration::from_secs(1);
        let answer = self.duration("catalog.timeout", file.timeout, second);
        let outage = self.duration("catalog.reconnect", file.reconnect, second);
        let uri = uri?;
        let database = database?.unwrap_or_else(|| uri.database().unwrap_or(DATABASE).to_string());
        let (mapping, retry) = (file.mapping, retry?);
        let retry = RetrySettings { deadline: outage?.unwrap_or(retry.deadline), ..retry };
        Some(CatalogSettings {
            uri,
            database,
            collections: collections?,
            mapping,
            mapping_places: places,
            locales: locales.to_vec(),
            patience: Patience { answer: answer?.unwrap_or(Patience::default().answer), retry },
        })
    }

    fn catalog_uri(&mut self, written: Option<String>, around: &Surroundings<'_>) -> Option<CatalogUri> {
        let path = "catalog.uri";
        if let Some(uri) = (around.environment)(CATALOG_VARIABLE).filter(|uri| !uri.is_empty()) {
            let folder = std::path::absolute(".").unwrap_or_else(|_| self.folder.clone());
            return CatalogUri::parse(&uri, &folder)
                .map_err(|(problem, hint)| {
                    let message = format!("the catalogue given by `{CATALOG_VARIABLE}` {problem}");
                    self.errors.push(ConfigError::new(&self.source.file, None, &message, Some(hint)));
                })
                .ok();
        }
        let Some(uri) = written else {
            // A uri or a catalog that is faulty in form has been told already.
            let told = [path, "catalog"].into_iter().find_map(|path| self.node(path));
            let faulty = told.is_some_and(|node| match &node.content {
                Content::Scalar(scalar) => !scalar.is_null(),
                Content::Map(_) => false,
                Content::List(_) | Content::Faulty => true,
            });
            if faulty {
                return None;
            }
            return self.fault(
                path,
                "`catalog.uri` is missing, so there are no products",
                "add `catalog:` with `uri:` below it: `mongodb://…`, or the path of a file or folder",
            );
        };
        CatalogUri::parse(&uri, &self.folder)
            .map_err(|(problem, hint)| self.fault::<()>(path, &format!("`catalog.uri` {problem}"), hint))
            .ok()
    }

    /// The outer `None` is a fault, the inner one a name left out.
    fn database(&mut self, written: Option<String>) -> Option<Option<String>> {
        let Some(name) = written else { return Some(None) };
        let sound = !name.is_empty()
            && name.len() < 64
            && !name.contains(|c: char| c.is_control() || "/\\. \"$*<>:|?".contains(c));
        if sound {
            return Some(Some(name));
        }
        let message = format!("`{}` is no database name", self.shown("catalog.database"));
        self.fault(
            "catalog.database",
            &message,
            "MongoDB allows up to 63 letters, digits, `_` and `-`; no dots, blanks or `$`",
        )
    }

    fn collections(&mut self, file: CollectionsFile) -> Option<Collections> {
        let defaults = Collections::default();
        let block = "catalog.collections";
        let listed =
            matches!(self.node("catalog.collections.products").map(|node| &node.content), Some(Content::List(_)));
        let mut products: Vec<String> = Vec::new();
        for (index, name) in file.products.0.into_iter().enumerate() {
            let spot = if listed { format!("{block}.products.{index}") } else { format!("{block}.products") };
            let name = self.collection(&spot, Some(name), String::new())?;
            if !products.contains(&name) {
                products.push(name);
            }
        }
        Some(Collections {
            products: if products.is_empty() { defaults.products } else { products },
            brands: self.collection(&joined(block, "brands"), file.brands, defaults.brands)?,
            categories: self.collection(&joined(block, "categories"), file.categories, defaults.categories)?,
            face_shape_compatibility: self.collection(
                &joined(block, "face_shape_compatibility"),
                file.face_shape_compatibility,
                defaults.face_shape_compatibility,
            )?,
            user_analytics: self.collection(
                &joined(block, "user_analytics"),
                file.user_analytics,
                defaults.user_analytics,
            )?,
        })
    }

    fn collection(&mut self, path: &str, written: Option<String>, default: String) -> Option<String> {
        let Some(name) = written else { return Some(default) };
        let sound = !name.is_empty()
            && name.len() <= 200
            && !name.starts_with('.')
            && !name.starts_with("system.")
            && !name.contains(|c: char| c.is_control() || "/\\$".contains(c));
        if sound {
            return Some(name);
        }
        let message = format!("`{}` is no collection name", self.shown(path));
        self.fault(path, &message, "write the name alone, such as `products`: no path, no `$`")
    }
}

/// A path with the links in the part of it that exists followed.
fn resolved(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut known = path;
    loop {
        if let Ok(real) = known.canonicalize() {
            return missing.iter().rev().fold(real, |path, part| path.join(part));
        }
        match (known.parent(), known.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                known = parent;
            }
            _ => return path.to_path_buf(),
        }
    }
}
