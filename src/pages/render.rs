//! The renderer: one planned page in, its bytes out.
//!
//! Takes everything the store is made of once; each page after that is a pure function, safe to call from many
//! threads. What pages share (header, footer, cards) is rendered once and pasted.

use super::card::Cards;
use super::fingerprint::{Fingerprints, Stale};
use super::index::{Columns, Shelf};
use super::link::Links;
use super::outer::{Look, Shell};
use super::plan::{PageKind, Plan, PlannedPage, folder_of};
use super::price::PriceFormat;
use super::round::{Made, MadeEdition};
use super::shop::{self, Shop, Used};
use super::theme::{Theme, ThemeLanguage};
use super::{
    content_page, feed, home_page, host_files, index, index_page, listing_page, llms, news, product_page, redirects,
    search_description, sitemap, text_page, tool_page, worker,
};
use crate::assets::drawing::FrameDrawing;
use crate::assets::icons::Icons;
use crate::assets::logo::Logo;
use crate::assets::media::Media;
use crate::assets::social_card::{CardLook, SocialCard};
use crate::assets::theme_files::{self, ThemeFile};
use crate::assets::{palette, viewer};
use crate::config::StoreConfiguration;
use crate::enhance::{EnhancedCatalog, ProductRecord};
use crate::language::Collator;
use crate::site::{Digest, Piece, Pieces};
use anyhow::{Context, Result};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// Renders the pages of one store.
pub struct Renderer<'a> {
    /// By the position of their language among the store's; the store's own is first and always there.
    editions: Vec<Edition<'a>>,
    files: Vec<ThemeFile>,
    icons: Icons,
    worker: String,
    /// The drawings of all cards, where they are those of the last time.
    drawings: Option<Arc<BTreeSet<FrameDrawing>>>,
}

/// The store in one language.
struct Edition<'a> {
    shop: Shop<'a>,
    shell: Shell,
    cards: Cards,
    fingerprints: Fingerprints,
    /// What may be others than before; unknown for a store that was not made before.
    stale: Option<Stale>,
    /// Those of the filters that were made before.
    made_columns: Option<Columns>,
    columns: OnceLock<Columns>,
}

/// A rendered page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The file.
    pub bytes: Vec<u8>,
    /// Paths of the drawings that a product's page points at.
    pub files: Vec<String>,
    /// Of a file that is put together from pieces: what each was made from, and its length.
    pub pieces: Vec<Piece>,
}

impl<'a> Renderer<'a> {
    /// Prepares: stylesheet, header and footer. `made` comes with a plan that has been used before.
    ///
    /// # Errors
    /// When a template of the theme asks for something that is not there; the message has file and line.
    pub fn new(
        config: &'a StoreConfiguration,
        catalog: &'a EnhancedCatalog,
        plan: &'a Plan,
        theme: &'a Theme,
        media: &'a Media,
        made: Option<Made>,
    ) -> Result<Self> {
        let palette = palette::css_variables(theme.mood, config.primary_color, config.secondary_color);
        let palette = format!("{palette}:root{{{}}}\n", theme.declarations);
        let mut files = theme_files::build(&palette, &theme.stylesheets, &theme.files);
        let logo = config.logo.as_deref().map(Logo::read).transpose()?;
        let made = made.zip(catalog.touched.as_ref());
        let looks_alike = |(index, old): (&u32, &ProductRecord)| {
            let new = catalog.records.at(*index);
            (&old.image, old.drawing) == (&new.image, new.drawing)
        };
        let drawings = made.as_ref().filter(|(_, touched)| touched.records.iter().all(looks_alike));
        let drawings = drawings.map(|(made, _)| Arc::clone(&made.drawings));
        let used = drawings.as_ref().map(|drawings| Used::beginning_with(BTreeSet::clone(drawings)));
        let used = Arc::new(used.unwrap_or_default());
        let repeated_skus = made.as_ref().map(|(made, _)| Arc::clone(&made.repeated_skus));
        let repeated_skus = repeated_skus.unwrap_or_else(|| Arc::new(shop::repeated_skus(catalog)));
        let touched = made.as_ref().map(|(_, touched)| *touched);
        let mut made_editions = made.map(|(made, _)| made.editions).unwrap_or_default().into_iter();
        let languages = languages(config, theme);
        let mut editions = Vec::with_capacity(languages.len());
        for (position, language) in (0..=u8::MAX).zip(&theme.languages) {
            let shop = Shop {
                config: config.in_locale(&language.locale),
                locale: &language.locale,
                language: position,
                languages: Arc::clone(&languages),
                catalog,
                plan,
                templates: &language.templates,
                words: &language.words,
                media,
                used: Arc::clone(&used),
                collator: Collator::of_locale(&language.locale),
                repeated_skus: Arc::clone(&repeated_skus),
                name_hashes: OnceLock::new(),
                listing_changes: OnceLock::new(),
                links: languages[usize::from(position)].links.clone(),
                prices: PriceFormat::of_locale(&language.locale),
                card_look: CardLook::new(config.primary_color, config.secondary_color),
            };
            let (scripts, modules) = theme_files::scripts(&theme.scripts, &script_values(&shop));
            files.files.extend(modules);
            let fonts = theme.preload.iter().filter_map(|name| files.assets.get(name));
            let look = Look {
                stylesheet: shop.links.shared(&files.stylesheet),
                attributes: theme.attributes.clone(),
                fonts: fonts.map(|path| shop.links.shared(path)).collect(),
            };
            let shell = Shell::new(&shop, look, &scripts, logo.as_ref())?;
            let (fingerprints, stale, made_columns) = match made_editions.next().zip(touched) {
                Some((MadeEdition { fingerprints, columns }, touched)) => {
                    let (fingerprints, stale) = Fingerprints::again(fingerprints, touched, &shop, &shell, theme)?;
                    let columns = stale.is_some().then_some(columns);
                    (fingerprints, stale, columns)
                }
                None => (Fingerprints::new(&shop, &shell, theme)?, None, None),
            };
            let (cards, columns) = (Cards::new(catalog.records.len()), OnceLock::new());
            editions.push(Edition { shell, cards, fingerprints, stale, made_columns, columns, shop });
        }
        let own = editions.first().context("the theme was loaded for no language")?;
        let worker = if config.offline_page {
            let offline = own.shell.wrap(&own.shop, text_page::offline(&own.shop)?)?;
            worker::script(&own.shop, &theme.worker, &offline, &files.files)
        } else {
            String::new()
        };
        for (path, file) in &config.content.pictures {
            let bytes = std::fs::read(file).with_context(|| format!("reading `{}`", file.display()))?;
            files.files.push(ThemeFile { path: path.clone(), bytes });
        }
        if own.shop.has_models() {
            files.files.extend(viewer::files());
        }
        files.files.extend(logo.as_ref().map(Logo::file));
        let icons = Icons::new(config.primary_color, config.secondary_color, logo);
        Ok(Self { editions, files: files.files, icons, worker, drawings })
    }

    fn own(&self) -> &Shop<'a> {
        &self.editions[0].shop
    }

    /// Folders of the languages' pages, the empty one of the store's own first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.editions.iter().map(|edition| edition.shop.links.folder())
    }

    /// Files that are not planned pages: the stylesheet, the theme's own files, the logo.
    pub fn files(&self) -> &[ThemeFile] {
        &self.files
    }

    /// The icons and the picture for previews of links.
    pub fn icons(&self) -> &Icons {
        &self.icons
    }

    /// The drawings that cards and the pages rendered so far point at.
    pub fn drawings(&self) -> BTreeSet<FrameDrawing> {
        self.own().used.drawings()
    }

    /// The social cards that pages of products point at, whether they are rendered or kept: by path, with a place that
    /// [`Renderer::social_card`] knows.
    pub fn social_cards(&self) -> BTreeMap<String, (u8, u32)> {
        let mut cards = BTreeMap::new();
        for (language, edition) in (0..=u8::MAX).zip(&self.editions) {
            let records = edition.shop.catalog.records.par_iter();
            let of = |(index, record): (u32, Cow<'_, ProductRecord>)| {
                Some((edition.shop.social_card(&record)?.path(), index))
            };
            let found: Vec<(String, u32)> = records.filter_map(of).collect();
            for (path, index) in found {
                cards.entry(path).or_insert((language, index));
            }
        }
        cards
    }

    /// The card at a place.
    pub fn social_card(&self, (language, index): (u8, u32)) -> Option<SocialCard> {
        let shop = &self.editions.get(usize::from(language))?.shop;
        shop.social_card(&*shop.record(index)?)
    }

    /// Counts the drawings of a file of cards among those that are pointed at, where it is kept and not rendered. Every
    /// card is in one such file, whatever other pages show it.
    pub fn point_at_cards(&self, page: &PlannedPage) {
        if let PageKind::CardBlock(block) = page.kind
            && self.drawings.is_none()
        {
            let shop = self.own();
            let records = shop.catalog.records.range(index::records_of_block(shop, block));
            records.for_each(|record| _ = shop.card_picture(&record));
        }
    }

    /// Whether a page is certainly the same as the last time that this process made the store.
    pub fn is_as_before(&self, page: &PlannedPage) -> bool {
        let edition = self.editions.get(usize::from(page.language));
        edition.is_some_and(|edition| edition.stale.as_ref().is_some_and(|stale| stale.spares(&edition.shop, page)))
    }

    /// Whether only a few pages may be others than the last time that this process made the store.
    pub fn is_again(&self) -> bool {
        self.editions.iter().all(|edition| edition.stale.is_some())
    }

    /// Whether the search index in the folder of a language is certainly the same as then.
    pub fn is_search_as_before(&self, folder: &str) -> bool {
        let stale = self.edition_in(folder).and_then(|edition| edition.stale.as_ref());
        stale.is_some_and(Stale::spares_search)
    }

    /// What pages were made from, for the next time; nothing before the facets are made.
    pub fn into_made(self) -> Option<Made> {
        let shop = self.own();
        let repeated_skus = Arc::clone(&shop.repeated_skus);
        let drawings = self.drawings.clone().unwrap_or_else(|| {
            let records = shop.catalog.records.iter();
            Arc::new(records.filter(|record| !shop.has_card_photo(record)).map(|record| record.drawing).collect())
        });
        let made = |Edition { fingerprints, columns, .. }: Edition<'a>| {
            Some(MadeEdition { fingerprints, columns: columns.into_inner()? })
        };
        Some(Made { editions: self.editions.into_iter().map(made).collect::<Option<_>>()?, drawings, repeated_skus })
    }

    /// The hash of everything that a page is made from, for the kinds of pages that there are many of. Pages of equal
    /// hashes and paths are equal.
    pub fn fingerprint(&self, page: &PlannedPage) -> Option<Digest> {
        let edition = self.editions.get(usize::from(page.language))?;
        edition.fingerprints.of(&edition.shop, page)
    }

    /// The same for the search index in the folder of a language.
    pub fn search_fingerprint(&self, folder: &str) -> Option<Digest> {
        let edition = self.edition_in(folder)?;
        Some(edition.fingerprints.of_search(&edition.shop))
    }

    fn edition_in(&self, folder: &str) -> Option<&Edition<'a>> {
        self.editions.iter().find(|edition| edition.shop.links.folder() == folder)
    }

    /// Makes the files that scripts filter and sort with.
    ///
    /// # Errors
    /// When the shelf does not take one.
    pub fn facets(&self, shelf: &dyn Shelf) -> Result<()> {
        self.editions.iter().try_for_each(|edition| {
            let Edition { shop, fingerprints, made_columns, columns, .. } = edition;
            let made = index::write_facets(shop, fingerprints, made_columns.as_ref(), shelf)?;
            columns.get_or_init(|| made);
            Ok(())
        })
    }

    /// Makes the files that scripts search with in the folder of a language, and hands each to `write`.
    ///
    /// # Errors
    /// When a full product cannot be read back, or `write` fails.
    pub fn search_index(&self, folder: &str, write: &(dyn Fn(&str, &[u8]) -> Result<()> + Sync)) -> Result<()> {
        let edition = self.edition_in(folder).context("the store has no language in this folder")?;
        index::search::write_all(&edition.shop, &|path, bytes| write(&format!("{folder}{path}"), bytes))
            .context("making the search index")
    }

    /// Renders one page.
    ///
    /// # Errors
    /// When a full product cannot be read back, or the theme asks for something that is not there.
    pub fn render(&self, page: &PlannedPage) -> Result<Rendered> {
        self.render_from(page, None)
    }

    /// The same with the file of the last run, the pieces of which are used again where they would come out the same.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn render_from(&self, page: &PlannedPage, before: Option<&Pieces>) -> Result<Rendered> {
        if let PageKind::ProductFeed(number) = page.kind {
            let Edition { shop, fingerprints, .. } = self.edition_of(page)?;
            let made_from = |index| fingerprints.of_feed_entry(index);
            let (xml, pieces) =
                feed::part(shop, number, before, &made_from).with_context(|| format!("rendering `{}`", page.path))?;
            return Ok(Rendered { bytes: xml.into_bytes(), files: Vec::new(), pieces });
        }
        let (bytes, files) = Used::watching(|| self.bytes(page));
        // Other pages show cards, whose pictures are there anyway.
        let files = if matches!(page.kind, PageKind::Product(_)) { files } else { Vec::new() };
        let bytes = bytes.with_context(|| format!("rendering `{}`", page.path))?;
        Ok(Rendered { bytes, files, pieces: Vec::new() })
    }

    fn edition_of(&self, page: &PlannedPage) -> Result<&Edition<'a>> {
        self.editions.get(usize::from(page.language)).context("the plan names a language that is not there")
    }

    fn bytes(&self, page: &PlannedPage) -> Result<Vec<u8>> {
        let Edition { shop, shell, cards, .. } = self.edition_of(page)?;
        let content = match page.kind {
            PageKind::Home => home_page::build(shop, cards)?,
            PageKind::Listing { listing, number } => {
                let listing =
                    shop.plan.listings.get(listing as usize).context("the plan names a listing that is not there")?;
                listing_page::build(shop, cards, listing, number)?
            }
            PageKind::BrandIndex => index_page::brands(shop)?,
            PageKind::CategoryIndex => index_page::categories(shop)?,
            PageKind::FaceShapeGuide => index_page::face_shapes(shop)?,
            PageKind::Product(index) => product_page::build(shop, cards, index)?,
            PageKind::About => text_page::about(shop)?,
            PageKind::Contact => text_page::contact(shop)?,
            PageKind::Text(index) => content_page::text(shop, index)?,
            PageKind::Blog => content_page::blog(shop)?,
            PageKind::Locations => content_page::locations(shop)?,
            PageKind::Search => tool_page::search(shop)?,
            PageKind::Favourites => tool_page::favourites(shop)?,
            PageKind::Compare => tool_page::compare(shop)?,
            PageKind::CardBlock(block) => return Ok(index::card_block(shop, cards, block)?.into_bytes()),
            PageKind::Cart => tool_page::cart(shop)?,
            PageKind::NotFound => text_page::not_found(shop)?,
            PageKind::Sitemap => return Ok(sitemap::whole(shop).into_bytes()),
            PageKind::SitemapPart(number) => return Ok(sitemap::part(shop, number).into_bytes()),
            PageKind::Robots => return Ok(host_files::robots(shop).into_bytes()),
            PageKind::Headers => return Ok(host_files::headers(shop).into_bytes()),
            PageKind::Manifest => return Ok(host_files::manifest(shop).into_bytes()),
            PageKind::ProductFeed(number) => return Ok(feed::part(shop, number, None, &|_| None)?.0.into_bytes()),
            PageKind::News => return Ok(news::build(shop)?.into_bytes()),
            PageKind::SearchDescription => return Ok(search_description::build(shop).into_bytes()),
            PageKind::LanguageModels => return Ok(llms::build(shop).into_bytes()),
            PageKind::Offline => text_page::offline(shop)?,
            PageKind::Worker => return Ok(self.worker.clone().into_bytes()),
            PageKind::Redirects => return Ok(redirects::file(shop).into_bytes()),
            PageKind::Moved(index) => return Ok(redirects::page(shop, index)?.into_bytes()),
        };
        shell.wrap(shop, content)
    }
}

/// The languages of a store, in the order of its locales.
fn languages(config: &StoreConfiguration, theme: &Theme) -> Arc<[shop::Language]> {
    let links = Links::new(&config.base_url).with_pictures_at(config.assets_url.as_ref());
    let language = |(position, language): (usize, &ThemeLanguage)| shop::Language {
        locale: language.locale.clone(),
        name: language.words.name().to_string(),
        links: match position {
            0 => links.clone(),
            _ => links.in_folder(&folder_of(&language.locale)),
        },
    };
    theme.languages.iter().enumerate().map(language).collect()
}

/// What scripts know of the store. Nothing in it depends on the products, so that pages need not change with them.
fn script_values(shop: &Shop<'_>) -> [(&'static str, serde_json::Value); 2] {
    let settings = serde_json::json!({
        "root": shop.links.home(),
        "base": shop.links.prefix(),
        "locale": super::price::script_locale(shop.locale),
        "perPage": shop.config.products_per_page,
        "worker": shop.config.offline_page,
        "words": shop.words.of_scripts(),
    });
    [("settings.js", settings), ("search_words.js", serde_json::json!(shop.words.search()))]
}
