//! The shell around every page: head, header, main, footer.
//!
//! Takes a page's own parts; makes the finished document. Header and footer are rendered once for the whole store and
//! pasted, for a nested template would copy the page's fields every time.

use super::shop::{Anchor, Img, Shop};
use super::structured::{self, Node};
use super::{content_page, news, search_description};
use crate::assets::icons;
use crate::assets::logo::Logo;
use crate::catalog::money::Money;
use crate::catalog::text::shortened;
use crate::config::Commerce;
use crate::language::{self, plain};
use serde::Serialize;

/// Longest title that search engines show whole, in characters.
const LONGEST_TITLE: usize = 60;
/// Longest description that search engines show whole, in characters.
const LONGEST_DESCRIPTION: usize = 160;

/// A step on the way from the front page.
#[derive(Clone, Debug)]
pub(crate) struct Crumb {
    pub(crate) name: String,
    /// Output path.
    pub(crate) path: String,
}

/// A step of the breadcrumbs, for templates; the last one is the page itself and has no link.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CrumbLink {
    name: String,
    url: Option<String>,
}

/// What a page builder hands over.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Output path.
    pub(crate) path: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) body: String,
    /// `product` or `website`.
    pub(crate) open_graph_type: &'static str,
    pub(crate) nodes: Vec<Node>,
    /// Picture for link previews: absolute URL, alternative text and size.
    pub(crate) picture: Option<(String, String, u32, u32)>,
    pub(crate) price: Option<Money>,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    /// Which entry of the main navigation the page belongs to.
    pub(crate) section: Section,
    pub(crate) is_indexable: bool,
    /// Shown in the place of other pages, so that nobody should be sent to its own address.
    pub(crate) is_placeless: bool,
    /// Things can be put into a cart here.
    pub(crate) sells: bool,
    /// The viewer of 3D models may be loaded here.
    pub(crate) shows_models: bool,
}

/// Entries of the main navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Section {
    /// Behind none of them.
    #[default]
    None,
    /// All frames.
    Frames,
    /// A frame type, by its place in the navigation.
    Type(usize),
    /// Face shapes.
    Faces,
    /// Brands.
    Brands,
    /// Categories.
    Categories,
    /// About.
    About,
    /// Contact.
    Contact,
    /// A page of the content folder.
    Text(u32),
}

/// Frame types that have a place in the main navigation.
const TYPES_IN_NAVIGATION: usize = 3;

#[derive(Serialize)]
struct Outer<'a> {
    language: &'a str,
    direction: &'static str,
    policy: &'a str,
    title: String,
    description: String,
    canonical: Option<String>,
    previous: &'a Option<String>,
    next: &'a Option<String>,
    open_graph_type: &'a str,
    store_name: &'a str,
    picture: PreviewPicture,
    price: Option<PreviewPrice>,
    structured: Option<String>,
    prefix: &'a str,
    manifest: String,
    /// The page in every language, for machines; nothing where there is one language only.
    translations: Vec<Translation<'a>>,
    /// The same for shoppers; leads to the front page where the page itself has no address to go to.
    languages: Vec<LanguageLink<'a>>,
    look: &'a Look,
    script: &'a str,
    /// Public key of the Snipcart account, on pages that sell.
    snipcart: Option<&'a str>,
    theme_color: String,
    news: Option<&'a Alternate>,
    search: &'a Alternate,
    header: &'a str,
    body: &'a str,
    footer: &'a str,
}

/// A page in a language.
#[derive(Serialize)]
struct Translation<'a> {
    /// BCP 47 tag, or `x-default`.
    language: &'a str,
    url: String,
}

/// The way to a language.
#[derive(Serialize)]
struct LanguageLink<'a> {
    language: &'a str,
    name: &'a str,
    url: String,
    is_current: bool,
}

/// A file for machines that the head points at.
#[derive(Serialize)]
struct Alternate {
    url: String,
    title: String,
}

#[derive(Serialize)]
struct PreviewPicture {
    url: String,
    alt: String,
    width: u32,
    height: u32,
}

#[derive(Serialize)]
struct PreviewPrice {
    amount: String,
    currency: &'static str,
}

/// What the theme asks of every page.
#[derive(Debug, Serialize)]
pub(crate) struct Look {
    /// Link to the stylesheet.
    pub(crate) stylesheet: String,
    /// Attributes of the root element, each after a blank.
    pub(crate) attributes: String,
    /// Links to fonts that are needed at once.
    pub(crate) fonts: Vec<String>,
}

/// The parts that all pages share, rendered once.
pub(crate) struct Shell {
    headers: Vec<(Section, String)>,
    footer: String,
    look: Look,
    script: String,
    policy: String,
    /// That of pages which show 3D models.
    model_policy: String,
    direction: &'static str,
    news: Option<Alternate>,
    search: Alternate,
}

#[derive(Serialize)]
struct Header<'a> {
    home: String,
    search: String,
    favourites: String,
    cart: Option<CartLink<'a>>,
    store_name: &'a str,
    /// Stands in the place of the name.
    logo: Option<&'a Img>,
    entries: Vec<Entry>,
}

/// The way to what a shopper has gathered.
#[derive(Serialize)]
struct CartLink<'a> {
    name: &'a str,
    url: String,
    /// Whether the store itself knows how much is in it.
    is_counted: bool,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    url: String,
    is_current: bool,
}

#[derive(Serialize)]
struct Footer<'a> {
    home: String,
    store_name: &'a str,
    store_description: Option<&'a str>,
    all: Anchor,
    types: Vec<Anchor>,
    shapes: Vec<Anchor>,
    faces: Vec<Anchor>,
    faces_guide: Option<String>,
    brands: Option<String>,
    categories: Option<String>,
    about: String,
    contact: String,
    /// Pages of the store's own.
    pages: Vec<Anchor>,
    email: Option<Email<'a>>,
}

/// An address to write to.
#[derive(Serialize)]
pub(crate) struct Email<'a> {
    pub(crate) address: &'a str,
    pub(crate) url: String,
}

impl Shell {
    /// Renders header and footer.
    pub(crate) fn new(shop: &Shop<'_>, look: Look, scripts: &str, logo: Option<&Logo>) -> anyhow::Result<Self> {
        let entries = navigation(shop);
        let mut sections = vec![Section::None];
        sections.extend(entries.iter().map(|(section, _, _)| *section));
        let logo = logo
            .map(|logo| Img::single(shop.links.shared(&logo.file().path), logo.size(), plain(&shop.config.store_name)));
        let header = |current: Section| {
            let entries = entries.iter().map(|(section, name, url)| Entry {
                name: name.clone(),
                url: url.clone(),
                is_current: *section == current,
            });
            let header = Header {
                home: shop.links.local("index.html"),
                search: shop.links.local("search/index.html"),
                favourites: shop.links.local("favourites/index.html"),
                cart: page_link(shop, super::plan::PageKind::Cart).map(|url| CartLink {
                    name: cart_name(shop),
                    url,
                    is_counted: !matches!(shop.config.commerce, Commerce::Snipcart { .. }),
                }),
                store_name: &shop.config.store_name,
                logo: logo.as_ref(),
                entries: entries.collect(),
            };
            anyhow::Ok((current, shop.templates.render("fragments/header", &header)?))
        };
        Ok(Self {
            headers: sections.into_iter().map(header).collect::<Result<_, _>>()?,
            footer: shop.templates.render("fragments/footer", &footer(shop))?,
            look,
            script: shop.links.shared(&format!("{scripts}/store.js")),
            policy: super::host_files::content_policy(shop, false),
            model_policy: super::host_files::content_policy(shop, true),
            direction: language::direction(shop.locale),
            news: page_link(shop, super::plan::PageKind::News).map(|url| Alternate { url, title: news::title(shop) }),
            search: Alternate {
                url: shop.links.local(search_description::PATH),
                title: search_description::title(shop),
            },
        })
    }

    /// Hashes everything that a page takes from the shell.
    pub(crate) fn hash(&self, hasher: &mut blake3::Hasher) {
        let Self { headers, footer, look, script, policy, model_policy, direction, news, search } = self;
        let alternates = news.iter().chain([search]).flat_map(|alternate| [&alternate.url, &alternate.title]);
        let texts = [footer, &look.stylesheet, &look.attributes, script, policy, model_policy].into_iter();
        let texts = texts.chain(&look.fonts).chain(headers.iter().map(|(_, html)| html));
        for text in texts.chain(alternates).map(String::as_str).chain([*direction]) {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
    }

    /// Puts a page's content into the shell.
    pub(crate) fn wrap(&self, shop: &Shop<'_>, content: Content) -> anyhow::Result<Vec<u8>> {
        let header = self.headers.iter().find(|(section, _)| *section == content.section).or(self.headers.first());
        let picture = content.picture.unwrap_or_else(|| {
            let (width, height) = icons::SOCIAL_CARD_SIZE;
            let alt = shop.words.fill("preview_alt", &[("store", &shop.config.store_name)]);
            (shop.links.absolute_shared(icons::SOCIAL_CARD), alt, width, height)
        });
        let outer = Outer {
            language: shop.locale,
            direction: self.direction,
            policy: if content.shows_models { &self.model_policy } else { &self.policy },
            title: plain(&content.title),
            description: plain(&content.description),
            canonical: content.is_indexable.then(|| shop.links.absolute(&content.path)),
            previous: &content.previous,
            next: &content.next,
            open_graph_type: content.open_graph_type,
            store_name: &shop.config.store_name,
            picture: PreviewPicture { url: picture.0, alt: plain(&picture.1), width: picture.2, height: picture.3 },
            price: content.price.map(|price| PreviewPrice { amount: price.decimal(), currency: price.currency.code() }),
            structured: (!content.nodes.is_empty()).then(|| structured::script(&content.nodes)),
            prefix: shop.links.prefix(),
            manifest: shop.links.local("manifest.webmanifest"),
            translations: if content.is_indexable { translations(shop, &content.path) } else { Vec::new() },
            languages: languages(shop, if content.is_placeless { "index.html" } else { &content.path }),
            look: &self.look,
            script: &self.script,
            snipcart: match &shop.config.commerce {
                Commerce::Snipcart { public_key } if content.sells => Some(public_key),
                _ => None,
            },
            theme_color: shop.config.primary_color.to_string(),
            news: self.news.as_ref(),
            search: &self.search,
            header: header.map_or("", |(_, html)| html),
            body: &content.body,
            footer: &self.footer,
        };
        Ok(shop.templates.render("outer", &outer)?.into_bytes())
    }
}

/// A page in every language that the store has, and where those go who read none of them.
fn translations<'s>(shop: &'s Shop<'_>, path: &str) -> Vec<Translation<'s>> {
    let Some(own) = shop.languages.first().filter(|_| shop.languages.len() > 1) else { return Vec::new() };
    let each = shop.languages.iter().map(|language| (language.locale.as_str(), language));
    let all = each.chain([("x-default", own)]);
    all.map(|(language, at)| Translation { language, url: at.links.absolute(path) }).collect()
}

fn languages<'s>(shop: &'s Shop<'_>, path: &str) -> Vec<LanguageLink<'s>> {
    if shop.languages.len() < 2 {
        return Vec::new();
    }
    let link = |language: &'s super::shop::Language| LanguageLink {
        language: &language.locale,
        name: &language.name,
        url: language.links.local(path),
        is_current: language.locale == shop.locale,
    };
    shop.languages.iter().map(link).collect()
}

/// A title of 10 to 60 characters: the subject, with the store's name where there is room.
pub(crate) fn title(shop: &Shop<'_>, subject: &str) -> String {
    let subject = plain(subject);
    let store = plain(&shop.config.store_name);
    let whole = format!("{subject} – {store}");
    if whole.chars().count() <= LONGEST_TITLE {
        return whole;
    }
    shortened(&subject, LONGEST_TITLE)
}

/// A description of at most 160 characters; short ones are followed by a sentence about the store.
pub(crate) fn description(shop: &Shop<'_>, text: &str) -> String {
    const SHORTEST: usize = 50;
    let mut text = plain(text);
    if text.chars().count() < SHORTEST {
        if !text.is_empty() {
            text.push_str(if text.ends_with(['.', '!', '?', '…', '。', '؟']) { " " } else { ". " });
        }
        let count = shop.words.frames(shop.catalog.records.len());
        text.push_str(&shop.words.fill("store_sentence", &[("count", &count)]));
    }
    shortened(&text, LONGEST_DESCRIPTION)
}

/// Breadcrumbs for a template: all but the last are links.
pub(crate) fn crumb_links(shop: &Shop<'_>, crumbs: &[Crumb]) -> Vec<CrumbLink> {
    let last = crumbs.len().saturating_sub(1);
    let link = |(at, crumb): (usize, &Crumb)| CrumbLink {
        name: crumb.name.clone(),
        url: (at < last).then(|| shop.links.local(&crumb.path)),
    };
    crumbs.iter().enumerate().map(link).collect()
}

/// The first breadcrumb.
pub(crate) fn home_crumb(shop: &Shop<'_>) -> Crumb {
    Crumb { name: shop.words.say("home").to_string(), path: "index.html".into() }
}

/// The store's address to write to, with a subject.
pub(crate) fn email<'a>(shop: &Shop<'a>, subject: Option<&str>) -> Option<Email<'a>> {
    let address = shop.config.contact_email.as_deref()?;
    Some(Email { address, url: super::link::mail_link(address, subject) })
}

/// What the store calls the things that a shopper has gathered.
pub(crate) fn cart_name<'a>(shop: &Shop<'a>) -> &'a str {
    match shop.config.commerce {
        Commerce::Enquiry => shop.words.say("enquiry_list"),
        _ => shop.words.say("cart"),
    }
}

fn navigation(shop: &Shop<'_>) -> Vec<(Section, String, String)> {
    use super::plan::{PageKind, Subject};
    let mut entries = Vec::new();
    if let Some(all) = shop.anchor_of(Subject::All) {
        entries.push((Section::Frames, all.name, all.url));
    }
    for (at, subject) in navigation_types(shop).into_iter().enumerate() {
        entries.extend(shop.anchor_of(subject).map(|anchor| (Section::Type(at), anchor.name, anchor.url)));
    }
    for (kind, section, name) in [
        (PageKind::FaceShapeGuide, Section::Faces, shop.words.say("face_shapes")),
        (PageKind::BrandIndex, Section::Brands, shop.words.say("brands")),
        (PageKind::CategoryIndex, Section::Categories, shop.words.say("categories")),
    ] {
        entries.extend(page_link(shop, kind).map(|url| (section, name.to_string(), url)));
    }
    for way in content_page::menu(shop, true) {
        let is_it = |page: &crate::content::ContentPage| shop.links.local(&content_page::path(page)) == way.url;
        let index = shop.config.content.pages.iter().position(is_it).and_then(|index| u32::try_from(index).ok());
        entries.push((index.map_or(Section::None, Section::Text), way.name, way.url));
    }
    entries
}

/// The frame types in the main navigation: those with the most products, in the plan's order.
pub(crate) fn navigation_types(shop: &Shop<'_>) -> Vec<super::plan::Subject> {
    use super::plan::Subject;
    let is_type = |subject: Subject| matches!(subject, Subject::FrameType(_));
    let mut types: Vec<_> = shop.plan.listings.iter().filter(|listing| is_type(listing.subject)).collect();
    types.sort_by_key(|listing| (std::cmp::Reverse(listing.members.len()), listing.folder.clone()));
    types.truncate(TYPES_IN_NAVIGATION);
    types.into_iter().map(|listing| listing.subject).collect()
}

/// The link to a page of which there is one at most.
pub(crate) fn page_link(shop: &Shop<'_>, kind: super::plan::PageKind) -> Option<String> {
    let page = shop.plan.pages.iter().find(|page| page.kind == kind && page.language == shop.language)?;
    Some(page.url_path(&shop.links))
}

fn footer<'a>(shop: &Shop<'a>) -> Footer<'a> {
    use super::plan::{PageKind, Subject};
    Footer {
        home: shop.links.local("index.html"),
        store_name: &shop.config.store_name,
        store_description: shop.config.store_description.as_deref(),
        all: shop.all_frames(),
        types: shop.anchors(|subject| matches!(subject, Subject::FrameType(_))),
        shapes: shop.anchors(|subject| matches!(subject, Subject::FrameShape(_))),
        faces: shop.anchors(|subject| matches!(subject, Subject::FaceShape(_))),
        faces_guide: page_link(shop, PageKind::FaceShapeGuide),
        brands: page_link(shop, PageKind::BrandIndex),
        categories: page_link(shop, PageKind::CategoryIndex),
        about: shop.links.local("about/index.html"),
        contact: shop.links.local("contact/index.html"),
        pages: content_page::menu(shop, false),
        email: email(shop, None),
    }
}
