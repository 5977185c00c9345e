//! The store file: every setting, its default, and the message when it is wrong.
//!
//! `StoreConfiguration` is the checked value the other rooms receive. Nothing in it has to be validated again.
//! On the way there: text (`source`) → tree (`tree`) → variables filled in (`variables`) → held against the schema
//! (`shape`) → the settings as written (`file`) → what they mean (`meaning`, `selection`, `selling`, `images`).

mod error;
mod file;
mod images;
mod keeping;
mod load;
mod locations;
mod meaning;
mod operation;
mod places;
mod redirects;
mod scaffold;
mod schema;
mod selection;
mod selling;
mod shape;
mod source;
mod suggest;
mod translations;
mod tree;
mod uri;
#[cfg(test)]
mod user_errors;
mod variables;

pub use error::{ConfigError, ConfigErrors};
pub use images::{ImageEffort, ImageFit, ImageFormat, ImageSettings, SocialCards};
pub use keeping::{bytes, span};
pub use load::{Overrides, StoreText, load};
pub(crate) use meaning::THEMES;
pub use operation::{JobSettings, RetrySettings};
pub use places::BlockPlaces;
pub use scaffold::{Choices, ScaffoldError, scaffold};
pub use schema::schema;
pub use source::{Place, redact};
pub use variables::Environment;

use crate::assets::cache::Limits;
use crate::catalog::money::{Currency, Money};
use crate::catalog::vocabulary::FaceShape;
pub use crate::content::Content;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// A checked store configuration: paths are absolute, defaults are filled in.
#[derive(Clone, Debug)]
pub struct StoreConfiguration {
    /// The file it was read from.
    pub path: PathBuf,
    /// Display name of the store.
    pub store_name: String,
    /// One or two sentences about the store.
    pub store_description: Option<String>,
    /// Where customers write to.
    pub contact_email: Option<String>,
    /// Absolute `http(s)` URL of the store's root; its path always ends in `/`.
    pub base_url: Url,
    /// BCP 47 tags, canonical form, such as `en-GB`, each once: first the store's own, then those it is also in.
    pub locales: Vec<String>,
    /// The same in the words of each further language that the file has texts in, by locale.
    pub translations: BTreeMap<String, StoreConfiguration>,
    /// Settings whose text a further language lacks, by locale.
    pub untranslated: BTreeMap<String, Vec<String>>,
    /// Texts that the store words its own way: by language or locale, then by key.
    pub words: BTreeMap<String, BTreeMap<String, String>>,
    /// Pages in the store's own words.
    pub content: Content,
    /// Shops that customers can go to.
    pub locations: Vec<Location>,
    /// Currency of products that name none.
    pub currency: Currency,
    /// Name of an embedded theme, or the folder of the store's own.
    pub theme: ThemeSource,
    /// What the store file sets of the theme's settings; the theme knows which there are.
    pub theme_settings: BTreeMap<String, serde_json::Value>,
    /// Where those stand.
    pub theme_places: BlockPlaces,
    /// An SVG or PNG file, absolute; it was there when the configuration was read.
    pub logo: Option<PathBuf>,
    /// Accent colour.
    pub primary_color: Color,
    /// Second colour.
    pub secondary_color: Color,
    /// Products on one listing page, 1..=200.
    pub products_per_page: usize,
    /// Products featured on the home page, 0..=48.
    pub featured_products_count: usize,
    /// Whether face-shape listings and compatibility are shown.
    pub enable_face_shape_filter: bool,
    /// Title of the home page; the store's name where the file has none.
    pub site_title: Option<String>,
    /// Meta description of the home page.
    pub site_description: Option<String>,
    /// Where the store goes; never empty.
    pub deployment_platforms: Vec<Platform>,
    /// Whether there is a page for those who have lost their connection.
    pub offline_page: bool,
    /// Old addresses, by path, each once.
    pub redirects: Vec<Redirect>,
    /// Whether the addresses of products that are no longer in the store lead on.
    pub redirects_removed_products: bool,
    /// Folder of the finished store, absolute.
    pub output: PathBuf,
    /// Which products are in the store.
    pub product_filters: ProductFilters,
    /// Order of listings.
    pub sort: SortOrder,
    /// How customers buy.
    pub commerce: Commerce,
    /// A few words about taxes, beside prices.
    pub tax_note: Option<String>,
    /// Lenses that customers can have put into a frame, each name once.
    pub lenses: Vec<LensOption>,
    /// How orders reach customers.
    pub delivery: Option<Delivery>,
    /// How things can be sent back.
    pub returns: Option<Returns>,
    /// Whether and how pictures are fetched from other servers.
    pub download: DownloadSettings,
    /// Where pictures of products are served from, where it is not the store itself; ends in `/`.
    pub assets_url: Option<Url>,
    /// What is kept between runs.
    pub cache: CacheSettings,
    /// How runs are conducted.
    pub jobs: JobSettings,
    /// How things outside that fail are tried again, and when they are left alone.
    pub retry: RetrySettings,
    /// Folder that relative paths of pictures and models start from, absolute.
    pub media_root: PathBuf,
    /// How pictures are made ready.
    pub images: ImageSettings,
    /// Where products come from.
    pub catalog: CatalogSettings,
}

impl StoreConfiguration {
    /// Files and folders that the store is made from, whether they are there or not; a database has none. The other
    /// collections of a catalogue that is a single file, and pictures, lie beside it, so its folder stands for it.
    pub fn sources(&self) -> Vec<PathBuf> {
        let theme = match &self.theme {
            ThemeSource::Folder(folder) => Some(folder.clone()),
            ThemeSource::Embedded(_) => None,
        };
        let catalog = self.catalog.uri.folder();
        // What lies beside the store file with a database may be a whole home folder.
        let media = (self.path.parent() != Some(&self.media_root)).then(|| self.media_root.clone());
        let own = [self.path.clone(), self.content.folder.clone()];
        let mut sources: Vec<PathBuf> =
            own.into_iter().chain(self.logo.clone()).chain(theme).chain(catalog).chain(media).collect();
        sources.dedup();
        sources
    }

    /// The store in the words of one of its locales, as far as the file has any.
    pub fn in_locale(&self, locale: &str) -> &Self {
        self.translations.get(locale).unwrap_or(self)
    }
}

/// Whether and how pictures are fetched from other servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadSettings {
    /// Whether they are; links lead to them otherwise.
    pub enabled: bool,
    /// Whether servers in private networks may be asked.
    pub allow_private_hosts: bool,
    /// Most bytes of one picture.
    pub max_size: u64,
    /// Longest time for one picture, from the request to its last byte.
    pub timeout: Duration,
    /// Pictures that one server is asked for at once, at least 1.
    pub per_host: usize,
    /// How long a picture is taken as it is without asking, whatever its server says.
    pub recheck_after: Duration,
    /// How one that cannot be had is tried again.
    pub retry: RetrySettings,
}

/// What is kept between runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// Where.
    pub folder: CacheFolder,
    /// How much, and how long.
    pub limits: Limits,
}

impl CacheSettings {
    /// The folder, for a store whose state is kept in `state_folder`.
    pub fn folder_beside(&self, state_folder: &Path) -> PathBuf {
        match &self.folder {
            CacheFolder::OfStore => state_folder.join("cache"),
            CacheFolder::At(folder) => folder.clone(),
        }
    }
}

/// Where results that can be used again are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheFolder {
    /// Beside the store's state.
    OfStore,
    /// In this folder, absolute.
    At(PathBuf),
}

/// How customers buy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Commerce {
    /// By a list that they mail to the store.
    #[default]
    Enquiry,
    /// In a Shopify shop, which the cart is handed over to.
    Shopify {
        /// Host name, in lower case.
        domain: String,
    },
    /// In Snipcart's cart.
    Snipcart {
        /// Public API key.
        public_key: String,
    },
    /// By a Stripe payment link for each product.
    Stripe,
    /// Not in the store.
    None,
}

/// Lenses that customers can have put into a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LensOption {
    /// What they are called.
    pub name: String,
    /// In the store's words.
    pub text: Option<String>,
    /// What they add to the price of a frame, in the store's currency.
    pub price: Money,
    /// Whether a frame has to be deep enough for progressive lenses.
    pub is_progressive: bool,
    /// The id of their variant in Shopify; digits.
    pub shopify_variant_id: Option<String>,
}

/// A shop that customers can go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Location {
    pub name: String,
    pub street: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
    /// ISO 3166 code in upper case.
    pub country: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    /// From Monday: when it opens and closes, as `09:00`; none on days that it is closed.
    pub hours: [Vec<(String, String)>; 7],
}

/// How orders reach customers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// In the store's words.
    pub text: Option<String>,
    /// ISO 3166 codes in upper case.
    pub countries: Vec<String>,
    /// What it costs, in major units of the store's currency.
    pub price: Option<Decimal>,
    /// Value from which it costs nothing, in major units of the store's currency.
    pub free_from: Option<Decimal>,
    /// Working days until an order is sent.
    pub handling_days: Option<DayRange>,
    /// Working days on the way.
    pub transit_days: Option<DayRange>,
}

/// How things can be sent back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    /// In the store's words.
    pub text: Option<String>,
    /// Days in which it can be done; at least 1.
    pub days: Option<u16>,
    /// ISO 3166 codes in upper case.
    pub countries: Vec<String>,
    /// Whether it costs the customer nothing.
    pub is_free: Option<bool>,
}

/// A number of days, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// At least.
    pub least: u8,
    /// At most, never below `least`.
    pub most: u8,
}

/// Where the theme comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThemeSource {
    /// A theme that is part of the program.
    Embedded(String),
    /// A folder, absolute; its files take the place of `modern-minimal`'s, file by file.
    Folder(PathBuf),
}

/// An old address and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The address as it was written, such as `/old/`.
    pub from: String,
    /// The file of the page that leads on, such as `old/index.html`; may be written to on any system.
    pub path: String,
    /// Absolute URL that it leads to.
    pub target: Url,
}

/// Where a store goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// The output folder.
    StaticHtml,
}

impl Platform {
    /// Key, as in store.yaml and the job record.
    pub fn key(self) -> &'static str {
        match self {
            Self::StaticHtml => "static-html",
        }
    }
}

/// Which products are in the store; an absent or empty filter lets everything through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductFilters {
    /// `Some(true)`: only what can be ordered now; `Some(false)`: only what cannot.
    pub in_stock: Option<bool>,
    /// Lowest quality score, 0..=1.
    pub min_quality_score: Option<f32>,
    /// Normalised keys of frame types; any of them.
    pub frame_type: Vec<String>,
    /// Names, slugs or ids of brands; any of them, compared by [`crate::catalog::vocabulary::key_of`] or id.
    pub brand: Vec<String>,
    /// Names, slugs or ids of categories; any of them or of their descendants.
    pub category: Vec<String>,
    /// Normalised keys of genders; any of them. `unisex` products pass for women and men.
    pub gender: Vec<String>,
    /// Normalised keys of frame shapes; any of them.
    pub frame_shape: Vec<String>,
    /// Normalised keys of materials; any of them.
    pub material: Vec<String>,
    /// Lowest and highest price in major units of the product's currency, both inclusive.
    pub price: PriceRange,
    /// A face shape and the lowest compatibility with it.
    pub face_shape: Option<FaceShapeFilter>,
    /// Normalised keys of tags; any of them.
    pub tags: Vec<String>,
    /// At most this many products, the first ones in the store's sort order.
    pub max_products: Option<usize>,
}

/// Inclusive bounds in major units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriceRange {
    /// Lowest price.
    pub min: Option<Decimal>,
    /// Highest price.
    pub max: Option<Decimal>,
}

/// Only products that suit a face shape well enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceShapeFilter {
    /// The face shape.
    pub shape: FaceShape,
    /// Lowest compatibility, 0..=1.
    pub min_score: f32,
}

/// Order of products in listings; ties are broken by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SortOrder {
    /// Hand-made order first, then quality and popularity.
    #[default]
    Featured,
    Newest,
    PriceAscending,
    PriceDescending,
    Name,
    Popularity,
    Quality,
}

/// Where products come from.
#[derive(Clone, Debug)]
pub struct CatalogSettings {
    /// The database server or a path.
    pub uri: CatalogUri,
    /// Database name; `eyewear_ml` where the file has none.
    pub database: String,
    /// Names of the collections, or of the files in a folder without their extension.
    pub collections: Collections,
    /// Locales that texts are wanted in, the store's own first.
    pub locales: Vec<String>,
    /// The store's own document mapping, as a tree still in YAML's own terms; `None` uses the built-in dialects.
    pub mapping: Option<MappingFile>,
    /// Where the mapping's rules stand in the file, for errors found when it is compiled.
    pub mapping_places: BlockPlaces,
    /// How long to wait for a server.
    pub patience: Patience,
}

impl CatalogSettings {
    /// What tells one server's catalogue, as one of its users sees it, from another's: a hash, which may be shown. `None`
    /// for files.
    pub fn server(&self) -> Option<String> {
        let CatalogUri::MongoDb(uri) = &self.uri else { return None };
        let told = format!("{} {:?} {:?}", uri.expose(), self.database, self.collections);
        Some(blake3::hash(told.as_bytes()).to_hex().to_string())
    }
}

/// How long to wait for a database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For one answer, such as a thousand documents.
    pub answer: Duration,
    /// For a server that went away while it was read to come back.
    pub retry: RetrySettings,
}

impl Default for Patience {
    fn default() -> Self {
        Self { answer: Duration::from_secs(60), retry: RetrySettings::default() }
    }
}

/// Where the catalogue is.
#[derive(Clone)]
pub enum CatalogUri {
    /// A MongoDB connection string; may hold a password, so it is never printed or stored.
    MongoDb(Secret),
    /// An absolute path of a file or folder.
    Path(PathBuf),
}

impl fmt::Debug for CatalogUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MongoDb(_) => formatter.write_str("MongoDb(<redacted>)"),
            Self::Path(path) => formatter.debug_tuple("Path").field(path).finish(),
        }
    }
}

/// Names of the collections of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Collections {
    /// One or more; read in this order.
    pub products: Vec<String>,
    pub brands: String,
    pub categories: String,
    pub face_shape_compatibility: String,
    pub user_analytics: String,
}

impl Default for Collections {
    fn default() -> Self {
        Self {
            products: vec!["products".into()],
            brands: "brands".into(),
            categories: "categories".into(),
            face_shape_compatibility: "face_shape_compatibility".into(),
            user_analytics: "user_analytics".into(),
        }
    }
}

/// A mapping as written, before [`crate::catalog::mapping`] compiles it: target field to rule.
pub type MappingFile = BTreeMap<String, serde_json::Value>;

/// Text that must not be shown: its `Debug` and `Display` are redacted.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    /// Red, green, blue.
    pub rgb: [u8; 3],
}

impl Color {
    /// Reads `#rgb` or `#rrggbb`, the `#` optional.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.trim().trim_start_matches('#');
        if !hex.is_ascii() {
            return None;
        }
        let wide: String = match hex.len() {
            3 => hex.chars().flat_map(|digit| [digit, digit]).collect(),
            6 => hex.to_string(),
            _ => return None,
        };
        let value = u32::from_str_radix(&wide, 16).ok()?;
        let [_, red, green, blue] = value.to_be_bytes();
        Some(Self { rgb: [red, green, blue] })
    }
}

impl fmt::Display for Color {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.rgb;
        write!(formatter, "#{red:02x}{green:02x}{blue:02x}")
    }
}
