//! store.yaml as it is written: these structs are the manual, the JSON Schema, and what the loader checks against.
//!
//! Every string may hold `${VAR}` or `${VAR:-default}`; `$$` is a dollar sign. Relative paths start at the store file.

use super::operation::{JobsFile, ReliabilityFile, RetryFile};
use crate::catalog::vocabulary::FaceShape;
use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{SeqAccessDeserializer, StrDeserializer, U64Deserializer};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A store of `storegen`: who sells, what it looks like, which products are in it and where they come from.
///
/// Strings may hold `${VAR}` and `${VAR:-default}`, filled in from the environment; `$$` writes a dollar sign.
/// Relative paths start at the folder of this file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "store.yaml", extend("required" = ["store_name"]))]
pub(super) struct StoreFile {
    /// Name of the store, as customers read it. Required.
    ///
    /// Example: `store_name: Lumen & Oak`
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(super) store_name: String,

    /// One or two sentences about the store, for the home and about pages.
    ///
    /// Example: `store_description: Independent opticians since 1987.`
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) store_description: Option<String>,

    /// Where customers write to. Without it the store has no contact link.
    ///
    /// Example: `contact_email: hello@lumen.example`
    #[schemars(extend("format" = "email"))]
    pub(super) contact_email: Option<String>,

    /// Absolute `http` or `https` URL at which the store will be reached; may have a path, but no `?`, `#` or user.
    ///
    /// Canonical links, the sitemap and social previews are made from it, so set the real one before publishing.
    /// Default: `http://localhost:8000/`. Example: `base_url: https://lumen.example/shop/`
    #[serde(default = "defaults::base_url")]
    #[schemars(extend("format" = "uri"))]
    pub(super) base_url: String,

    /// Language and region of the store, a BCP 47 tag. Decides how prices are written and what browsers are told.
    ///
    /// Default: `en`. Example: `locale: de-CH`
    #[serde(default = "defaults::locale")]
    pub(super) locale: String,

    /// Further languages of the store, one or a list of tags like `locale`; each has all pages in a folder of its own.
    ///
    /// Texts of the catalogue come from `name: {en: …, de: …}`, `name_de` or `translations: {de: {name: …}}`; what is
    /// missing is shown in the language of `locale`, and `storegen check` counts it.
    /// Example: `locales: [de, ar]`
    #[serde(default)]
    pub(super) locales: OneOrMany<String>,

    /// Texts of the pages that the store words its own way: language → key → text.
    ///
    /// The keys are those of the program's `templates/words.en.yaml`.
    /// Example: `words: {en: {home_headline: Glasses for the sea}}`
    #[serde(default)]
    pub(super) words: BTreeMap<String, serde_json::Value>,

    /// Folder of Markdown files that become pages: about, delivery, questions, a blog in `blog/`.
    ///
    /// Default: `content`, beside this file, if it is there. `storegen help content` tells what goes into the files.
    #[serde(default = "defaults::content")]
    pub(super) content: String,

    /// Shops of the store, with their opening hours; they have a page of their own.
    #[serde(default)]
    pub(super) locations: Vec<LocationFile>,

    /// ISO 4217 code of the currency of products that name none. Amounts are never converted.
    ///
    /// Default: `USD`. Example: `currency: EUR`
    #[serde(default = "defaults::currency")]
    pub(super) currency: String,

    /// Name of a theme of the program, or the folder of your own: a path that holds `/` or starts with `.`.
    ///
    /// `storegen themes` lists them. A folder needs only the files that differ from the theme that it builds on.
    /// Default: `modern-minimal`. Example: `theme: ./theme`
    #[serde(default = "defaults::theme")]
    pub(super) theme: String,

    /// What the theme lets store owners choose; `storegen themes show NAME` lists it.
    ///
    /// Example: `theme_settings: {notice: Closed on Monday}`
    #[serde(default)]
    pub(super) theme_settings: BTreeMap<String, serde_json::Value>,

    /// The store's logo, an SVG or PNG file; stands in the header in place of the name, and on icons.
    ///
    /// Text in an SVG has to be outlines, for icons are drawn without fonts. Example: `logo: logo.svg`
    pub(super) logo: Option<String>,

    /// Colour of buttons and links, as `#rgb` or `#rrggbb` in quotes (outside quotes, ` #` starts a comment).
    ///
    /// Default: `"#1f2a44"`.
    #[serde(default = "defaults::primary_color")]
    #[schemars(extend("format" = "color-hex"))]
    pub(super) primary_color: String,

    /// Colour of badges and details, written like `primary_color`.
    ///
    /// Default: `"#a34a1f"`.
    #[serde(default = "defaults::secondary_color")]
    #[schemars(extend("format" = "color-hex"))]
    pub(super) secondary_color: String,

    /// Products on one page of a listing.
    ///
    /// From 1 to 200. Default: 24.
    #[serde(default = "defaults::products_per_page")]
    #[schemars(range(min = 1, max = 200))]
    pub(super) products_per_page: u16,

    /// Products featured on the home page; 0 leaves the section out.
    ///
    /// From 0 to 48. Default: 8.
    #[serde(default = "defaults::featured_products_count")]
    #[schemars(range(min = 0, max = 48))]
    pub(super) featured_products_count: u16,

    /// Whether the store has listings by face shape and shows how well a frame suits each.
    ///
    /// Default: true.
    #[serde(default = "defaults::enable_face_shape_filter")]
    pub(super) enable_face_shape_filter: bool,

    /// Title of the home page in browsers and search results. Default: the name of the store.
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) site_title: Option<String>,

    /// Description of the home page in search results. Default: `store_description`.
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) site_description: Option<String>,

    /// Where the store goes, one or a list. `static-html` is the output folder.
    ///
    /// Default: `[static-html]`. `github-pages` and `shopify` are not built yet and refused.
    #[serde(default = "defaults::deployment_platforms")]
    pub(super) deployment_platforms: OneOrMany<PlatformName>,

    /// Whether the store shows a page of its own where there is no connection, by a service worker.
    ///
    /// Default: false.
    #[serde(default)]
    pub(super) offline_page: bool,

    /// Old addresses and where they lead: path in the store → path in the store or `http(s)` URL.
    ///
    /// Written to `_redirects`, and as small pages for hosts that do not read that file.
    /// Example: `redirects: {"/old-shop/": "/products/"}`
    #[serde(default)]
    pub(super) redirects: BTreeMap<String, serde_json::Value>,

    /// What stands where a product was that is no longer in the store: nothing, or a small page that leads on to all
    /// products.
    ///
    /// Default: `gone`.
    #[serde(default)]
    pub(super) removed_products: RemovedName,

    /// Folder of the finished store. Files in it that storegen did not write are kept.
    ///
    /// Default: `store`, beside this file.
    #[serde(default = "defaults::output")]
    pub(super) output: String,

    /// Which products are in the store; without it, all that can be sold.
    #[serde(default)]
    pub(super) product_filters: FilterFile,

    /// Order of products in listings. Default: `featured`.
    #[serde(default)]
    pub(super) sort: SortName,

    /// How customers buy: `enquiry`, `stripe`, `none`, or a block with `shopify` or `snipcart`.
    ///
    /// `enquiry` gathers a list that customers mail to `contact_email`. A product that lacks what a service needs
    /// (`shopify_variant_id`, `payment_link`) is asked for by enquiry.
    /// Default: `enquiry`. Example: `commerce: {shopify: {domain: lumen.myshopify.com}}`
    #[serde(default)]
    pub(super) commerce: CommerceFile,

    /// A few words about taxes that stand beside a frame's price and the cart's total, and below listings. Example:
    /// `tax_note: incl. VAT`
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) tax_note: Option<String>,

    /// Lenses that customers can have put into a frame, each with what it adds to the price.
    ///
    /// Shown where the catalogue does not say that a frame takes no prescription lenses.
    #[serde(default)]
    pub(super) lenses: Vec<LensFile>,

    /// How orders reach customers. Shown on every product page, and told to search engines as far as it is given.
    pub(super) delivery: Option<DeliveryFile>,

    /// How customers can send things back. Shown and told like `delivery`.
    pub(super) returns: Option<ReturnsFile>,

    /// Where the pictures of products come from.
    #[serde(default)]
    pub(super) images: ImagesFile,

    /// Where visitors load the pictures of products from.
    #[serde(default)]
    pub(super) assets: AssetsFile,

    /// What is kept between runs so that no picture is fetched or made twice.
    #[serde(default)]
    pub(super) cache: CacheFile,
    /// How jobs are run and remembered; changes nothing of the store.
    #[serde(default)]
    pub(super) jobs: JobsFile,

    /// How things outside that fail are tried again, and when they are left alone.
    #[serde(default)]
    pub(super) retry: RetryFile,

    /// Older place of `retry.breaker_failures` and `retry.breaker_pause`.
    #[serde(default)]
    pub(super) reliability: ReliabilityFile,

    /// Where the products come from.
    #[serde(default)]
    pub(super) catalog: CatalogFile,
}

/// Where the pictures of products come from, and how they are made ready: in several widths and formats, so that each screen
/// loads no more than it shows. What was made once is kept, and made again only when the picture or a setting changes.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImagesFile {
    /// Folder that relative paths of pictures and 3D models start from.
    ///
    /// Default: the catalogue's folder, or the folder of this file when products come from a database.
    #[serde(default)]
    pub(super) root: Option<String>,

    /// Whether pictures at `http` and `https` addresses are fetched and become part of the store; links lead to them
    /// otherwise. Default: true.
    #[serde(default = "defaults::download")]
    pub(super) download: bool,

    /// Whether pictures may be fetched from servers in private networks, such as `localhost` or `10.0.0.8`.
    ///
    /// Leave it off where the catalogue holds addresses that others have written. Default: false.
    #[serde(default)]
    pub(super) allow_private_hosts: bool,

    /// Most that one picture may have, in kB or MB, up to `500 MB`. Default: `30 MB`.
    #[serde(default = "defaults::max_download")]
    pub(super) max_download: String,

    /// How long fetching one picture may take, in seconds or minutes, up to `1 hour`. Default: `60 s`.
    #[serde(default = "defaults::download_timeout")]
    pub(super) download_timeout: String,

    /// Pictures that one server is asked for at once, from 1 to 32. Default: 6.
    #[serde(default = "defaults::downloads_per_host")]
    #[schemars(range(min = 1, max = 32))]
    pub(super) downloads_per_host: u8,

    /// How long a picture that has been fetched is taken as it is, without asking its server whether it has changed.
    ///
    /// Where the server names a longer time, that counts. Default: `1 hour`.
    #[serde(default = "defaults::recheck_after")]
    pub(super) recheck_after: String,

    /// Widths in pixels, one or a list, from 16 to 8192 each, at most 12. No picture is made wider than it is.
    ///
    /// The widest is also what shoppers see enlarged. Default: `[320, 640, 960, 1440]`.
    #[serde(default = "defaults::image_widths")]
    #[schemars(schema_with = "widths")]
    pub(super) widths: OneOrMany<u16>,

    /// File formats, one or a list of `avif`, `webp`, `jpeg`. Browsers take the best one that they know.
    ///
    /// AVIF is the smallest and takes by far the longest to make. Default: `[webp, jpeg]`.
    #[serde(default = "defaults::image_formats")]
    pub(super) formats: OneOrMany<FormatName>,

    /// Quality by format.
    #[serde(default)]
    pub(super) quality: QualityFile,

    /// Colour behind transparent pictures, and around those that `fit: contain` gives margins. Default: `"#ffffff"`.
    #[serde(default = "defaults::image_background")]
    #[schemars(extend("format" = "color-hex"))]
    pub(super) background: String,

    /// `inside` keeps the proportions of each picture; `contain` gives it margins to make it 4:3, `cover` cuts it to 4:3.
    ///
    /// Default: `inside`.
    #[serde(default)]
    pub(super) fit: FitName,

    /// How long to look for a smaller file: `fast`, `normal` or `best`. Default: `normal`.
    #[serde(default)]
    pub(super) effort: EffortName,

    /// Which products get a picture for link previews, with their name, brand and price: `photos`, those with a photo in
    /// the store; `all`, also those with a drawing; `none`. The others show that of the store. Default: `photos`.
    #[serde(default)]
    pub(super) social_cards: SocialCardsName,
}

impl Default for ImagesFile {
    fn default() -> Self {
        Self {
            root: None,
            download: defaults::download(),
            allow_private_hosts: false,
            max_download: defaults::max_download(),
            download_timeout: defaults::download_timeout(),
            downloads_per_host: defaults::downloads_per_host(),
            recheck_after: defaults::recheck_after(),
            widths: defaults::image_widths(),
            formats: defaults::image_formats(),
            quality: QualityFile::default(),
            background: defaults::image_background(),
            fit: FitName::default(),
            effort: EffortName::default(),
            social_cards: SocialCardsName::default(),
        }
    }
}

/// Where visitors load the pictures of products from.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssetsFile {
    /// Absolute URL below which `assets/media/` of the store can be reached, such as that of a CDN.
    ///
    /// Pages link pictures there, and `assets-manifest.json` lists them for uploading. Without it the store serves them
    /// itself. Example: `base_url: https://cdn.lumen.example/`
    #[schemars(extend("format" = "uri"))]
    pub(super) base_url: Option<String>,
}

/// What is kept between runs. `storegen cache` looks into it and empties it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CacheFile {
    /// `store`: in `.storegen/cache`, beside the state file. `shared`: in this user's folder for caches, for all stores. Or
    /// a folder: a path that holds `/` or starts with `.`.
    ///
    /// Default: `store`.
    #[serde(default = "defaults::cache_folder")]
    pub(super) folder: String,

    /// Most that is kept, in kB, MB or GB; what was not used for longest goes first.
    ///
    /// Default: `10 GB`.
    #[serde(default = "defaults::cache_size")]
    pub(super) max_size: String,

    /// How long something is kept after its last use, in minutes, hours, days or weeks.
    ///
    /// Default: `90 days`.
    #[serde(default = "defaults::cache_age")]
    pub(super) max_age: String,
}

impl Default for CacheFile {
    fn default() -> Self {
        Self { folder: defaults::cache_folder(), max_size: defaults::cache_size(), max_age: defaults::cache_age() }
    }
}

fn widths(_: &mut SchemaGenerator) -> Schema {
    let one = json_schema!({"type": "integer", "minimum": 16, "maximum": 8192});
    json_schema!({"anyOf": [one, {"type": "array", "items": one}], "default": defaults::image_widths()})
}

/// Quality by format, from 1 to 100. The numbers of different formats do not compare; the defaults look alike.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QualityFile {
    /// Quality of JPEG files. Default: 80.
    #[serde(default = "defaults::jpeg_quality")]
    #[schemars(range(min = 1, max = 100))]
    pub(super) jpeg: u8,

    /// Quality of WebP files. Default: 80.
    #[serde(default = "defaults::webp_quality")]
    #[schemars(range(min = 1, max = 100))]
    pub(super) webp: u8,

    /// Quality of AVIF files. Default: 65.
    #[serde(default = "defaults::avif_quality")]
    #[schemars(range(min = 1, max = 100))]
    pub(super) avif: u8,
}

impl Default for QualityFile {
    fn default() -> Self {
        Self { jpeg: defaults::jpeg_quality(), webp: defaults::webp_quality(), avif: defaults::avif_quality() }
    }
}

/// Formats that pictures are made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FormatName {
    Avif,
    Webp,
    Jpeg,
}

/// How pictures are brought into proportion.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FitName {
    #[default]
    Inside,
    Contain,
    Cover,
}

/// How long encoders look for a smaller file.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum EffortName {
    Fast,
    #[default]
    Normal,
    Best,
}

/// Which products get a picture for link previews.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SocialCardsName {
    #[default]
    Photos,
    All,
    None,
}

/// How customers buy: a word, or a service with its settings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum CommerceFile {
    Word(CommerceName),
    Service(CommerceServiceFile),
}

impl Default for CommerceFile {
    fn default() -> Self {
        Self::Word(CommerceName::Enquiry)
    }
}

impl Serialize for CommerceFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Word(word) => word.serialize(serializer),
            // Only the default is ever written, into the schema.
            Self::Service(_) => serializer.serialize_none(),
        }
    }
}

/// Ways to buy that need no settings.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum CommerceName {
    Enquiry,
    Stripe,
    None,
}

/// A service that sells; exactly one of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommerceServiceFile {
    /// Carts are handed over to a Shopify shop. Products need their `shopify_variant_id`.
    pub(super) shopify: Option<ShopifyFile>,

    /// Snipcart's cart in the pages of the store; the only choice that loads anything from elsewhere.
    pub(super) snipcart: Option<SnipcartFile>,
}

/// A Shopify shop.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShopifyFile {
    /// Host name of the shop. Example: `domain: lumen.myshopify.com`
    pub(super) domain: String,
}

/// A Snipcart account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SnipcartFile {
    /// The public API key, which every visitor can see.
    pub(super) public_key: String,
}

/// Lenses that customers can have put into a frame.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LensFile {
    /// What they are called. Example: `name: Single vision`
    #[schemars(schema_with = "name_in_languages")]
    pub(super) name: String,

    /// What customers should know, in a sentence.
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) text: Option<String>,

    /// What they add to the price of a frame, in the store's `currency`; 0 is included.
    #[schemars(schema_with = "some_amount")]
    pub(super) price: Decimal,

    /// Whether they are progressive, which are offered only for frames that are deep enough for them.
    #[serde(default)]
    pub(super) progressive: bool,

    /// The id of their variant in Shopify, which goes into the cart beside the frame's.
    pub(super) shopify_variant_id: Option<String>,
}

/// A shop that customers can go to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LocationFile {
    /// What it is called. Example: `name: Lumen Altona`
    #[schemars(schema_with = "name_in_languages")]
    pub(super) name: String,

    /// Street and number.
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) street: Option<String>,

    /// Postal code, in quotes where it is a number.
    pub(super) postal_code: Option<String>,

    /// Town or city.
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) city: Option<String>,

    /// ISO 3166 code of the country. Example: `country: DE`
    pub(super) country: Option<String>,

    /// Telephone number, with the code of the country.
    pub(super) phone: Option<String>,

    /// E-mail address of the shop.
    pub(super) email: Option<String>,

    /// When it is open: day or days → hours. Example: `hours: {mon-fri: "9:00-12:30, 14:00-18:00", sat: "10:00-14:00"}`
    #[serde(default)]
    pub(super) hours: BTreeMap<String, serde_json::Value>,
}

/// How orders reach customers; what is not given is not told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveryFile {
    /// What customers should know, in your own words.
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) text: Option<String>,

    /// Countries that orders are sent to, one or a list of ISO 3166 codes. Example: `countries: [DE, AT]`
    #[serde(default)]
    pub(super) countries: OneOrMany<String>,

    /// What sending costs, in the store's `currency`; 0 is free.
    #[serde(default)]
    #[schemars(schema_with = "amount")]
    pub(super) price: Option<Decimal>,

    /// Value from which sending is free, in the store's `currency`.
    #[serde(default)]
    #[schemars(schema_with = "amount")]
    pub(super) free_from: Option<Decimal>,

    /// Working days until an order is sent: a number, or the least and the most. Example: `handling_days: [0, 1]`
    #[serde(default)]
    pub(super) handling_days: OneOrMany<u8>,

    /// Working days on the way: a number, or the least and the most. Example: `transit_days: [2, 4]`
    #[serde(default)]
    pub(super) transit_days: OneOrMany<u8>,
}

/// How customers can send things back; what is not given is not told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnsFile {
    /// What customers should know, in your own words.
    #[serde(default)]
    #[schemars(schema_with = "text_in_languages")]
    pub(super) text: Option<String>,

    /// Days in which things can be sent back.
    #[schemars(range(min = 1, max = 3650))]
    pub(super) days: Option<u16>,

    /// Countries that this holds for, one or a list of ISO 3166 codes.
    #[serde(default)]
    pub(super) countries: OneOrMany<String>,

    /// Whether sending things back costs the customer nothing.
    pub(super) free: Option<bool>,
}

/// Which products are in the store. A product has to pass every filter; of a list, one value is enough.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterFile {
    /// `true`: only what can be ordered now; `false`: only what cannot.
    pub(super) in_stock: Option<bool>,

    /// Lowest quality score of a product's data, from 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub(super) min_quality_score: Option<f64>,

    /// Kinds of frame, one or a list: `prescription`, `sunglasses`, `blue-light`, `reading`.
    #[serde(default)]
    pub(super) frame_type: OneOrMany<String>,

    /// Brands, one or a list, by name, slug or id.
    #[serde(default)]
    pub(super) brand: OneOrMany<String>,

    /// Categories, one or a list, by name, slug or id; what is below them is in as well.
    #[serde(default)]
    pub(super) category: OneOrMany<String>,

    /// One or a list of `women`, `men`, `unisex`, `kids`; `unisex` frames pass for women and men.
    #[serde(default)]
    pub(super) gender: OneOrMany<String>,

    /// Outlines, one or a list: `round`, `cat-eye`, `aviator`, and any other that the catalogue has.
    #[serde(default)]
    pub(super) frame_shape: OneOrMany<String>,

    /// Materials, one or a list: `acetate`, `titanium`, and any other that the catalogue has.
    #[serde(default)]
    pub(super) material: OneOrMany<String>,

    /// Lowest and highest price, both included.
    #[serde(default)]
    pub(super) price: PriceFile,

    /// Only frames that suit a face shape. Example: `face_shape: {shape: round, min_score: 0.7}`
    pub(super) face_shape: Option<FaceShapeFile>,

    /// Tags, one or a list.
    #[serde(default)]
    pub(super) tags: OneOrMany<String>,

    /// At most this many products: the first ones in the order of `sort`.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(super) max_products: Option<u32>,
}

/// Bounds of the price in whole units of the product's currency, such as `49.90`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceFile {
    /// Lowest price.
    #[serde(default)]
    #[schemars(schema_with = "amount")]
    pub(super) min: Option<Decimal>,

    /// Highest price.
    #[serde(default)]
    #[schemars(schema_with = "amount")]
    pub(super) max: Option<Decimal>,
}

fn amount(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["number", "null"], "format": "decimal", "minimum": 0, "default": null})
}

/// A text, or one for each language of the store; [`super::translations`] has made one of it before it gets here.
fn text_in_languages(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "object", "null"], "additionalProperties": {"type": "string"}})
}

/// The same where there has to be one.
fn name_in_languages(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "object"], "additionalProperties": {"type": "string", "minLength": 1}, "minLength": 1})
}

fn some_amount(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "number", "format": "decimal", "minimum": 0})
}

/// A face shape and how well frames have to suit it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaceShapeFile {
    /// The face shape.
    pub(super) shape: FaceShapeName,

    /// Lowest compatibility, from 0 to 1. Default: 0.6.
    #[serde(default = "defaults::min_face_shape_score")]
    #[schemars(range(min = 0, max = 1))]
    pub(super) min_score: f64,
}

/// Where the products come from.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogFile {
    /// `mongodb://…` or `mongodb+srv://…`, or the path of a file or folder: JSON Lines, a JSON array, MongoDB extended
    /// JSON or BSON as mongodump writes it, each also gzipped.
    ///
    /// Required, unless given by a flag or by the variable `STOREGEN_CATALOG_URI`, which both come before it.
    /// Keep passwords out of the file: `uri: mongodb://shop:${MONGO_PASSWORD}@db.example/`
    pub(super) uri: Option<String>,

    /// Name of the database. Default: the one named in `uri`, else `eyewear_ml`.
    pub(super) database: Option<String>,

    /// Names of the collections, or of the files in the folder without their endings.
    #[serde(default)]
    pub(super) collections: CollectionsFile,

    /// How documents of another shape are read: field of storegen → path in the document, or a rule.
    ///
    /// Without it, the three built-in shapes are told apart document by document.
    /// Example: `mapping: {name: title, price: offer.amount}`
    pub(super) mapping: Option<BTreeMap<String, serde_json::Value>>,

    /// How long a MongoDB server may take for one answer, at least `1s`. Default: `60s`.
    ///
    /// How long to look for a server at the start is set in `uri`: `?serverSelectionTimeoutMS=5000`.
    pub(super) timeout: Option<String>,

    /// How long to wait for a MongoDB server that went away while it was read; then reading goes on where it had come.
    ///
    /// At least `1s`. Default: `retry.deadline`.
    pub(super) reconnect: Option<String>,
}

/// Names of the collections; each has its own name as default.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectionsFile {
    /// Products; one name, or several that are read in turn.
    #[serde(default)]
    pub(super) products: OneOrMany<String>,

    /// Brands.
    pub(super) brands: Option<String>,

    /// Categories.
    pub(super) categories: Option<String>,

    /// Compatibility of frames and face shapes: the rules, or one document a product and shape.
    pub(super) face_shape_compatibility: Option<String>,

    /// Events that popularity is counted from.
    pub(super) user_analytics: Option<String>,
}

/// Where a store can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PlatformName {
    StaticHtml,
    GithubPages,
    Shopify,
}

/// What becomes of pages of products that are no longer there.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RemovedName {
    #[default]
    Gone,
    Redirect,
}

/// Orders of products.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SortName {
    #[default]
    Featured,
    Newest,
    PriceAsc,
    PriceDesc,
    Name,
    Popularity,
    Quality,
}

/// Shapes of a face.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FaceShapeName {
    Oval,
    Round,
    Square,
    Heart,
    Diamond,
    Oblong,
    Triangle,
}

impl From<FaceShapeName> for FaceShape {
    fn from(name: FaceShapeName) -> Self {
        match name {
            FaceShapeName::Oval => Self::Oval,
            FaceShapeName::Round => Self::Round,
            FaceShapeName::Square => Self::Square,
            FaceShapeName::Heart => Self::Heart,
            FaceShapeName::Diamond => Self::Diamond,
            FaceShapeName::Oblong => Self::Oblong,
            FaceShapeName::Triangle => Self::Triangle,
        }
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("one value or a list")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(StrDeserializer::new(text)).map(|one| OneOrMany(vec![one]))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                T::deserialize(U64Deserializer::new(number)).map(|one| OneOrMany(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(OneOrMany)
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one}]})
    }
}

/// The defaults, each written once: the schema and the loader both ask here.
mod defaults {
    use super::{FormatName, OneOrMany, PlatformName};

    pub(super) fn base_url() -> String {
        "http://localhost:8000/".into()
    }

    pub(super) fn locale() -> String {
        "en".into()
    }

    pub(super) fn content() -> String {
        "content".into()
    }

    pub(super) fn currency() -> String {
        "USD".into()
    }

    pub(super) fn theme() -> String {
        "modern-minimal".into()
    }

    pub(super) fn primary_color() -> String {
        "#1f2a44".into()
    }

    pub(super) fn secondary_color() -> String {
        "#a34a1f".into()
    }

    pub(super) fn products_per_page() -> u16 {
        24
    }

    pub(super) fn featured_products_count() -> u16 {
        8
    }

    pub(super) fn enable_face_shape_filter() -> bool {
        true
    }

    pub(super) fn deployment_platforms() -> OneOrMany<PlatformName> {
        OneOrMany(vec![PlatformName::StaticHtml])
    }

    pub(super) fn output() -> String {
        "store".into()
    }

    pub(super) fn download() -> bool {
        true
    }

    pub(super) fn max_download() -> String {
        "30 MB".into()
    }

    pub(super) fn download_timeout() -> String {
        "60 s".into()
    }

    pub(super) fn downloads_per_host() -> u8 {
        6
    }

    pub(super) fn recheck_after() -> String {
        "1 hour".into()
    }

    pub(super) fn cache_folder() -> String {
        "store".into()
    }

    pub(super) fn cache_size() -> String {
        "10 GB".into()
    }

    pub(super) fn cache_age() -> String {
        "90 days".into()
    }

    pub(super) fn image_widths() -> OneOrMany<u16> {
        OneOrMany(vec![320, 640, 960, 1440])
    }

    pub(super) fn image_formats() -> OneOrMany<FormatName> {
        OneOrMany(vec![FormatName::Webp, FormatName::Jpeg])
    }

    pub(super) fn image_background() -> String {
        "#ffffff".into()
    }

    pub(super) fn jpeg_quality() -> u8 {
        80
    }

    pub(super) fn webp_quality() -> u8 {
        80
    }

    pub(super) fn avif_quality() -> u8 {
        65
    }

    pub(super) fn min_face_shape_score() -> f64 {
        0.6
    }
}
