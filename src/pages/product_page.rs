//! A product's page: everything known about a frame, in the order a shopper asks.
//!
//! Takes the full product and its record; makes the page's content. What is not known is left out, never guessed;
//! what was worked out, such as an estimated width, says so.

use super::buying::Buying;
use super::card::{self, Cards, Placement, Price};
use super::lenses::{self, Lenses};
use super::outer::{self, Content, Crumb, CrumbLink, Section};
use super::plan::{Subject, product_path};
use super::policies::{self, Policy};
use super::shop::{Anchor, Img, Shop};
use super::{listing_page, structured};
use crate::assets::drawing::{measured, swatch};
use crate::assets::icons::SOCIAL_CARD_SIZE;
use crate::assets::models::ModelPlace;
use crate::assets::viewer;
use crate::catalog::product::{Availability, ModelFormat};
use crate::catalog::vocabulary::{FaceShape, Term, Vocabulary};
use crate::enhance::record::TermId;
use crate::enhance::size::FrameSize;
use crate::enhance::{EnhancedProduct, ProductRecord};
use crate::score::{FaceShapeCompatibility, Strength};
use serde::Serialize;
use std::borrow::Cow;

/// Longest description, in bytes of HTML, that stands whole beside the picture.
const SHORT_DESCRIPTION: usize = 800;

#[derive(Serialize)]
struct ProductPage<'a> {
    crumbs: Vec<CrumbLink>,
    slug: &'a str,
    url: &'a str,
    /// Keys of the face shapes it suits, with spaces between.
    suits: String,
    /// Price in minor units, for scripts.
    minor: i64,
    currency: &'static str,
    name: &'a str,
    brand: Option<Anchor>,
    brand_name: Option<&'a str>,
    pictures: Vec<Img>,
    is_gallery: bool,
    price: Price,
    tax_note: Option<&'a str>,
    availability: &'static str,
    availability_words: &'a str,
    /// The gist of a description that is too long to stand beside the picture.
    summary: Option<&'a str>,
    rating: Option<String>,
    /// Fragments.
    key_facts: String,
    variants: Vec<Swatch<'a>>,
    /// The same frame where the catalogue has it as another product.
    siblings: Vec<Anchor>,
    /// Lenses to have put into the frame.
    lenses: Vec<Lenses<'a>>,
    lenses_chosen: bool,
    buying: Buying<'a>,
    policies: Vec<Policy<'a>>,
    description: &'a str,
    /// Fragments.
    frame: String,
    /// Fragments.
    lens: String,
    sku: Option<&'a str>,
    gtin: Option<&'a str>,
    has_facts: bool,
    size: Option<Size<'a>>,
    /// Fragments.
    fits: String,
    guide: Option<String>,
    /// The model that can be turned about here.
    model: Option<ShownModel>,
    media: Vec<Anchor>,
    /// Models that phones can show in the room.
    ar_models: Vec<Anchor>,
    related: String,
}

/// A 3D model that the store's own viewer shows.
#[derive(Serialize)]
struct ShownModel {
    url: String,
    /// The script of the viewer.
    viewer: String,
    /// Of the file, in the units that shoppers know.
    size: String,
    /// The same model for phones that need it in another format.
    for_phones: Option<String>,
}

/// A fact with its words.
#[derive(Serialize)]
struct Row<'a> {
    /// What comparisons know it by; not given where a page says it a second time.
    key: Option<&'static str>,
    label: &'a str,
    value: String,
    url: Option<String>,
    /// Whether it is the colour that is shown, which shoppers may choose.
    is_color: bool,
}

/// The frame in a colour.
#[derive(Serialize)]
struct Swatch<'a> {
    key: &'a str,
    name: &'a str,
    fill: Option<String>,
    picture: Img,
    /// What the picture shows, for when it takes the place of the main one.
    alt: String,
    sku: Option<&'a str>,
    shopify_variant: Option<&'a str>,
    /// The colour that the page shows at first.
    is_current: bool,
}

#[derive(Serialize)]
struct Size<'a> {
    class: Option<&'static str>,
    printed: Option<&'a str>,
    sentence: Option<String>,
    rows: Vec<Row<'a>>,
    /// An `<svg>` element.
    drawing: Option<String>,
    /// Width of the front in mm, for the fitting tool.
    front: Option<String>,
    is_estimated: bool,
    bridge: Option<String>,
    temple: Option<String>,
}

/// Compatibility with a face shape.
#[derive(Serialize)]
struct Fit<'a> {
    key: &'static str,
    name: &'a str,
    url: Option<String>,
    strength: &'a str,
    level: &'static str,
    percent: u8,
    reasons: Vec<&'a str>,
    caveat: Option<&'a str>,
}

/// Builds the page of a product.
pub(crate) fn build(shop: &Shop<'_>, cards: &Cards, index: u32) -> anyhow::Result<Content> {
    let Some(record) = shop.record(index) else { anyhow::bail!("the plan names a product that is not there: {index}") };
    let record = &*record;
    let enhanced = shop.product(index, record)?;
    let product = &enhanced.product;
    let path = product_path(&record.slug);
    let url = shop.links.absolute(&path);
    let crumbs = crumbs(shop, record, &path);
    let pictures = pictures(shop, record, &enhanced);

    let mut related = String::new();
    for &index in shop.catalog.related.to(index).iter().take(4) {
        cards.push(shop, index, Placement::default(), &mut related)?;
    }
    let variants = variants(shop, record, &enhanced, &pictures);
    let colors: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
    let frame = facts(shop, frame_rows(shop, record, &enhanced))?;
    let lenses = lenses::of_product(shop, record, product);
    let models = models(shop, &enhanced);
    let buying = Buying::of(shop, product, shop.name(record), &colors, &lenses);
    let page = ProductPage {
        crumbs: outer::crumb_links(shop, &crumbs),
        slug: &record.slug,
        url: &url,
        suits: card::suits(shop, record),
        minor: product.price.minor,
        currency: product.price.currency.code(),
        name: &product.name,
        // How many frames the brand has would change the page with each of them.
        brand: record.brand.and_then(|brand| shop.anchor_of(Subject::Brand(brand))).map(Anchor::without_note),
        brand_name: enhanced.brand_name.as_deref(),
        is_gallery: pictures.len() > 1,
        price: Price::new(shop, product.price, product.compare_at.map(|before| before.minor)),
        tax_note: shop.config.tax_note.as_deref(),
        availability: product.availability.key(),
        availability_words: availability_words(shop, product.availability),
        summary: Some(enhanced.summary.as_str()).filter(|_| enhanced.description_html.len() > SHORT_DESCRIPTION),
        rating: rating(shop, &enhanced),
        key_facts: facts(shop, key_facts(shop, &enhanced))?,
        siblings: siblings(shop, index, record),
        lenses_chosen: !buying.only_asks() && lenses::can_be_chosen(shop),
        buying,
        lenses,
        variants,
        policies: policies::sections(shop, product.price),
        description: &enhanced.description_html,
        has_facts: !frame.is_empty() || product.sku.is_some() || product.gtin.is_some(),
        frame,
        lens: facts(shop, lens_rows(shop, &enhanced))?,
        sku: product.sku.as_deref(),
        gtin: product.gtin.as_deref(),
        size: size(shop, record, &enhanced),
        fits: if shop.config.enable_face_shape_filter { fits(shop, &enhanced)? } else { String::new() },
        guide: shop.face_guide(),
        model: models.shown,
        media: videos(shop, &enhanced).chain(models.to_open).collect(),
        ar_models: models.for_phones,
        related,
        pictures,
    };
    let images: Vec<String> = page.pictures.iter().map(|picture| shop.links.absolute_of(&picture.large)).collect();
    let category = crumbs.get(1..crumbs.len() - 1).filter(|trail| !trail.is_empty());
    let category = category.map(|trail| trail.iter().map(|crumb| crumb.name.as_str()).collect::<Vec<_>>().join(" > "));
    let colors: Vec<structured::Variant<'_>> =
        page.variants.iter().map(|variant| in_structured_data(shop, record, variant, &url)).collect();
    let nodes = vec![
        structured::breadcrumbs(shop, &crumbs),
        structured::product(shop, record, &enhanced, &url, &images, category, &colors),
    ];
    let shows_models = page.model.is_some();
    let shown = page.pictures.first();
    let card = shop.social_card(record).zip(shown).map(|(card, shown)| {
        let (width, height) = SOCIAL_CARD_SIZE;
        (shop.links.absolute_shared(&card.path()), shown.alt.clone(), width, height)
    });
    let photo = shown.filter(|picture| !picture.is_drawing).map(|picture| {
        (shop.links.absolute_of(&picture.large), picture.alt.clone(), picture.large_width, picture.large_height)
    });
    Ok(Content {
        body: shop.templates.render("pages/product", &page)?,
        title: enhanced.seo.title.clone(),
        description: enhanced.seo.description.clone(),
        open_graph_type: "product",
        picture: card.or(photo),
        price: Some(product.price),
        section: Section::None,
        is_indexable: true,
        sells: true,
        shows_models,
        nodes,
        path,
        ..Content::default()
    })
}

/// The way to a product: by its most specific category, or through all frames.
fn crumbs(shop: &Shop<'_>, record: &ProductRecord, path: &str) -> Vec<Crumb> {
    let mut crumbs = vec![outer::home_crumb(shop)];
    let category = record.categories.first().and_then(|&category| {
        let listing = shop.plan.listing_of(Subject::Category(category))?;
        let own = Crumb { name: shop.subject_name(listing.subject), path: shop.plan.listing_path(listing, 1) };
        Some(listing_page::ancestors(shop, category).into_iter().chain([own]))
    });
    match category {
        Some(trail) => crumbs.extend(trail),
        None => {
            crumbs.push(Crumb { name: shop.words.say("all_frames").to_string(), path: "products/index.html".into() })
        }
    }
    crumbs.push(Crumb { name: shop.name(record).to_string(), path: path.to_string() });
    crumbs
}

/// The photos that can be shown, or the drawing where there is none.
fn pictures(shop: &Shop<'_>, record: &ProductRecord, enhanced: &EnhancedProduct) -> Vec<Img> {
    let photos = enhanced.product.images.iter().zip(&enhanced.image_alts);
    let mut pictures: Vec<Img> =
        photos.filter_map(|(image, alt)| shop.photo(&image.source, alt, image.dimensions)).collect();
    if pictures.is_empty() {
        pictures.push(shop.drawing(record.drawing, &enhanced.drawing_alt));
    }
    pictures
}

fn availability_words<'a>(shop: &Shop<'a>, availability: Availability) -> &'a str {
    match availability {
        Availability::InStock => shop.words.say("in_stock"),
        Availability::LowStock => shop.words.say("low_stock"),
        Availability::OutOfStock => shop.words.say("out_of_stock"),
        Availability::Discontinued => shop.words.say("no_longer_made"),
    }
}

fn rating(shop: &Shop<'_>, enhanced: &EnhancedProduct) -> Option<String> {
    let (rating, count) = enhanced.product.analytics.rating.filter(|&(_, count)| count > 0)?;
    let rating = shop.prices.number(&format!("{rating:.1}"));
    Some(shop.words.count("rating", count as usize, &[("rating", &rating), ("count", &count.to_string())]))
}

fn row<'a>(shop: &Shop<'a>, key: &'static str, value: Option<String>) -> Option<Row<'a>> {
    Some(Row {
        key: Some(key),
        label: shop.words.say(key),
        value: value.filter(|value| !value.is_empty())?,
        url: None,
        is_color: false,
    })
}

fn linked<'a>(
    shop: &Shop<'a>,
    key: &'static str,
    term: Option<TermId>,
    subject: fn(TermId) -> Subject,
) -> Option<Row<'a>> {
    let term = term?;
    let url = shop.url_of(subject(term));
    Some(Row { key: Some(key), label: shop.words.say(key), value: shop.label(term).to_string(), url, is_color: false })
}

fn list(shop: &Shop<'_>, vocabulary: Vocabulary, terms: &[Term]) -> Option<String> {
    (!terms.is_empty()).then(|| shop.words.list(terms.iter().map(|term| shop.words.term(vocabulary, term))))
}

fn one(shop: &Shop<'_>, vocabulary: Vocabulary, term: Option<&Term>) -> Option<String> {
    term.map(|term| shop.words.term(vocabulary, term).to_string())
}

/// Rows as HTML.
fn facts(shop: &Shop<'_>, rows: Vec<Row<'_>>) -> anyhow::Result<String> {
    let mut html = String::new();
    for row in rows {
        shop.templates.render_into("fragments/fact", &row, &mut html)?;
    }
    Ok(html)
}

/// The few facts that stand beside the picture.
fn key_facts<'a>(shop: &Shop<'a>, enhanced: &EnhancedProduct) -> Vec<Row<'a>> {
    let product = &enhanced.product;
    let size = enhanced.size.as_ref().map(|size| match &size.printed {
        Some(printed) => format!("{} · {printed}", size.class.label()),
        None => size.class.label().to_string(),
    });
    let rows = [
        row(shop, "size", size),
        row(shop, "color", one(shop, Vocabulary::Color, product.colors.first())),
        row(shop, "material", one(shop, Vocabulary::Material, product.materials.first())),
        row(shop, "weight", product.measurements.weight.map(|weight| grams(shop, weight))),
    ];
    // The details below say them again.
    rows.into_iter().flatten().map(|row| Row { key: None, is_color: row.key == Some("color"), ..row }).collect()
}

/// The frame in all of its colours, each drawn, or shown by its photo; its own one comes first.
fn variants<'a>(
    shop: &Shop<'a>,
    record: &ProductRecord,
    enhanced: &'a EnhancedProduct,
    pictures: &[Img],
) -> Vec<Swatch<'a>> {
    let product = &enhanced.product;
    if product.variants.is_empty() {
        return Vec::new();
    }
    let in_color = |color: &str| shop.words.fill("in_color", &[("name", shop.name(record)), ("color", color)]);
    let own = product.colors.first();
    let is_listed = own.is_some_and(|own| product.variants.iter().any(|variant| variant.color.key == own.key));
    let own_swatch = own.filter(|_| !is_listed).zip(pictures.first()).map(|(color, picture)| Swatch {
        key: &color.key,
        name: shop.words.term(Vocabulary::Color, color),
        fill: swatch(color),
        picture: picture.clone(),
        alt: picture.alt.clone(),
        sku: product.sku.as_deref(),
        shopify_variant: product.shopify_variant_id.as_deref(),
        is_current: true,
    });
    let others = product.variants.iter().map(|variant| {
        let photo = variant.image.as_deref().and_then(|source| shop.photo(source, "", None));
        Swatch {
            key: &variant.color.key,
            name: shop.words.term(Vocabulary::Color, &variant.color),
            fill: variant.hex.clone().filter(|hex| is_hex_color(hex)).or_else(|| swatch(&variant.color)),
            picture: photo.unwrap_or_else(|| shop.drawing(record.drawing.in_color(variant), "")),
            alt: in_color(shop.words.term(Vocabulary::Color, &variant.color)),
            sku: variant.sku.as_deref(),
            shopify_variant: variant.shopify_variant_id.as_deref(),
            is_current: own.is_some_and(|own| own.key == variant.color.key),
        }
    });
    let mut swatches: Vec<Swatch<'a>> = Vec::new();
    for one in own_swatch.into_iter().chain(others) {
        // A colour is chosen by its key, so that two of the same could not be told apart.
        if swatches.iter().all(|known| known.key != one.key) {
            swatches.push(one);
        }
    }
    swatches
}

/// A colour for machines; `url` is the page's own.
fn in_structured_data<'a>(
    shop: &Shop<'_>,
    record: &ProductRecord,
    variant: &Swatch<'a>,
    url: &str,
) -> structured::Variant<'a> {
    structured::Variant {
        name: shop.words.fill("in_color", &[("name", shop.name(record)), ("color", variant.name)]),
        color: variant.name,
        sku: variant.sku,
        image: shop.links.absolute_of(&variant.picture.src),
        // The colour that a page shows at first has the address of the page.
        url: if variant.is_current { url.to_string() } else { address_in_color(url, variant.key) },
        is_own: variant.is_current,
    }
}

/// The address at which a page shows the frame in one of its other colours.
pub(crate) fn address_in_color(url: &str, key: &str) -> String {
    let key: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    format!("{url}?colour={key}")
}

/// Products of the same name and brand in other colours.
fn siblings(shop: &Shop<'_>, index: u32, record: &ProductRecord) -> Vec<Anchor> {
    let is_same =
        |other: &Cow<'_, ProductRecord>| other.brand == record.brand && other.name.eq_ignore_ascii_case(&record.name);
    let related = shop.catalog.related.to(index).iter().filter(|&&other| shop.seem_named_alike(index, other));
    let others = related.filter_map(|&index| shop.record(index)).filter(is_same);
    let anchor = |other: Cow<'_, ProductRecord>| {
        let color = other.colors.first().filter(|color| Some(*color) != record.colors.first())?;
        let url = shop.links.local(&product_path(&other.slug));
        Some(Anchor { name: shop.label(*color).to_string(), url, note: None })
    };
    others.filter_map(anchor).collect()
}

fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn frame_rows<'a>(shop: &Shop<'a>, record: &ProductRecord, enhanced: &EnhancedProduct) -> Vec<Row<'a>> {
    let product = &enhanced.product;
    let mut colors = product.colors.clone();
    for variant in &product.variants {
        if colors.iter().all(|color| color.key != variant.color.key) {
            colors.push(variant.color.clone());
        }
    }
    let rows = [
        linked(shop, "frame_type", record.frame_type, Subject::FrameType),
        linked(shop, "frame_shape", record.frame_shape, Subject::FrameShape),
        row(shop, "rim", one(shop, Vocabulary::Rim, product.rim.as_ref())),
        row(shop, "materials", list(shop, Vocabulary::Material, &product.materials)),
        row(shop, "colors", list(shop, Vocabulary::Color, &colors)),
        row(shop, "made_for", one(shop, Vocabulary::Gender, product.gender.as_ref())),
        row(shop, "age_group", one(shop, Vocabulary::Other, product.age_group.as_ref())),
        row(shop, "style", one(shop, Vocabulary::Other, product.style.as_ref())),
        row(shop, "hinge", one(shop, Vocabulary::Other, product.hinge.as_ref())),
        row(shop, "features", list(shop, Vocabulary::Other, &product.features)),
    ];
    rows.into_iter().flatten().collect()
}

fn lens_rows<'a>(shop: &Shop<'a>, enhanced: &EnhancedProduct) -> Vec<Row<'a>> {
    let lens = &enhanced.product.lens;
    let yes_no = |fact: Option<bool>| fact.map(|fact| shop.words.say(if fact { "yes" } else { "no" }).to_string());
    let rows = [
        row(shop, "lens_kind", one(shop, Vocabulary::Other, lens.kind.as_ref())),
        row(shop, "lens_material", one(shop, Vocabulary::Other, lens.material.as_ref())),
        row(shop, "lens_color", one(shop, Vocabulary::Color, lens.color.as_ref())),
        row(shop, "coatings", list(shop, Vocabulary::Other, &lens.coatings)),
        row(shop, "uv_protection", lens.uv_protection.clone()),
        row(shop, "polarized", yes_no(lens.polarized)),
        row(shop, "prescription_ready", yes_no(lens.prescription_ready)),
    ];
    rows.into_iter().flatten().collect()
}

fn size<'a>(shop: &Shop<'a>, record: &ProductRecord, enhanced: &'a EnhancedProduct) -> Option<Size<'a>> {
    let measurements = &enhanced.product.measurements;
    let known = enhanced.size.as_ref();
    let front = known.map(|size| {
        let width = millimetres(shop, size.front_width);
        if size.estimated { shop.words.fill("estimated", &[("value", &width)]) } else { width }
    });
    let length = |length: Option<f32>| length.map(|length| millimetres(shop, length));
    let rows = [
        row(shop, "lens_width", length(measurements.lens_width)),
        row(shop, "lens_height", length(measurements.lens_height)),
        row(shop, "bridge", length(measurements.bridge)),
        row(shop, "temple", length(measurements.temple)),
        row(shop, "front_width", front.or(length(measurements.frame_width))),
        row(shop, "front_height", length(measurements.frame_height)),
        row(shop, "weight", measurements.weight.map(|weight| grams(shop, weight))),
    ];
    let front_width = known.map(|size| size.front_width);
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    (!rows.is_empty()).then(|| Size {
        class: known.map(|size| size.class.label()),
        printed: known.and_then(|size| size.printed.as_deref()),
        sentence: known.map(|size| fit_sentence(shop, size)),
        drawing: measured(measurements, record.drawing, |key| shop.words.say(key), |length| millimetres(shop, length)),
        front: front_width.map(tenths),
        is_estimated: known.is_some_and(|size| size.estimated),
        bridge: measurements.bridge.map(tenths),
        temple: measurements.temple.map(tenths),
        rows,
    })
}

/// Faces that a front suits in width: about as wide as the front, give or take 3 mm.
fn fit_sentence(shop: &Shop<'_>, size: &FrameSize) -> String {
    const TOLERANCE: f32 = 3.0;
    let from = format!("{:.0}", size.front_width - TOLERANCE);
    let to = format!("{:.0}", size.front_width + TOLERANCE);
    shop.words.fill("fits_width", &[("from", &from), ("to", &to)])
}

fn millimetres(shop: &Shop<'_>, value: f32) -> String {
    shop.words.fill("millimetres", &[("value", &shop.prices.number(&tenths(value)))])
}

fn grams(shop: &Shop<'_>, value: f32) -> String {
    shop.words.fill("grams", &[("value", &shop.prices.number(&tenths(value)))])
}

/// One digit behind the point where there is something to show.
fn tenths(value: f32) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

/// Face shapes, those that are suggested most strongly first.
fn fits(shop: &Shop<'_>, enhanced: &EnhancedProduct) -> anyhow::Result<String> {
    let known = FaceShape::ALL.into_iter().filter_map(|shape| {
        let fit = enhanced.scores.fits[shape.index()].as_ref()?;
        Some((shape, fit, percent(fit)))
    });
    let mut known: Vec<_> = known.collect();
    known.sort_by_key(|&(shape, _, percent)| (std::cmp::Reverse(percent), shape));
    let mut html = String::new();
    for (shape, fit, percent) in known {
        let strength = fit.strength();
        let fields = Fit {
            key: shape.key(),
            name: shop.words.face_name(shape),
            url: shop.url_of(Subject::FaceShape(shape)),
            strength: strength.label(shop.words),
            level: match strength {
                Strength::OftenSuggested => "high",
                Strength::WorksToo => "middle",
                Strength::LessOften => "low",
            },
            percent,
            reasons: fit.reasons.iter().map(|reason| reason.text(shop.words)).collect(),
            caveat: fit.caveat.as_ref().map(|caveat| caveat.text(shop.words)),
        };
        shop.templates.render_into("fragments/fit", &fields, &mut html)?;
    }
    Ok(html)
}

fn percent(fit: &FaceShapeCompatibility) -> u8 {
    // The score is 0..=1, so the cast cannot lose anything.
    (fit.score.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// Videos that can be watched elsewhere.
fn videos(shop: &Shop<'_>, enhanced: &EnhancedProduct) -> impl Iterator<Item = Anchor> {
    let sources = enhanced.product.videos.iter().map(|video| &video.source);
    sources.filter_map(|source| media_anchor(shop.words.say("watch_video"), source))
}

/// The 3D models of a product, by what can be done with them.
#[derive(Default)]
struct Models {
    shown: Option<ShownModel>,
    to_open: Vec<Anchor>,
    for_phones: Vec<Anchor>,
}

fn models(shop: &Shop<'_>, enhanced: &EnhancedProduct) -> Models {
    let mut models = Models::default();
    for model in enhanced.product.models.iter().filter_map(|model| shop.media.model(model).ok()) {
        let (url, size) = match &model.place {
            ModelPlace::Own(path, bytes) => (shop.links.shared(path), Some(*bytes)),
            ModelPlace::Linked(address) if super::link::is_web_url(address) => (address.clone(), None),
            ModelPlace::Linked(_) => continue,
        };
        let anchor =
            |name: &'static str| Anchor { name: shop.words.say(name).to_string(), url: url.clone(), note: None };
        match (model.format, size) {
            (ModelFormat::Usdz, _) => models.for_phones.extend(Some(anchor("view_in_room"))),
            (ModelFormat::Gltf, Some(bytes)) if models.shown.is_none() => {
                let viewer = shop.links.shared(&viewer::script());
                let size = kilobytes(shop, bytes);
                models.shown = Some(ShownModel { url, viewer, size, for_phones: None });
            }
            (ModelFormat::Gltf, _) => models.to_open.push(anchor("view_model")),
        }
    }
    if let Some(shown) = &mut models.shown {
        shown.for_phones = models.for_phones.first().map(|anchor| anchor.url.clone());
    }
    models
}

/// A size such as `1.2 MB`.
fn kilobytes(shop: &Shop<'_>, bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", shop.prices.number(&bytes.div_ceil(1000).to_string())),
        _ => format!("{} MB", shop.prices.number(&format!("{:.1}", bytes as f64 / 1e6))),
    }
}

fn media_anchor(name: &str, source: &str) -> Option<Anchor> {
    let is_open = super::link::is_web_url(source);
    is_open.then(|| Anchor { name: name.to_string(), url: source.to_string(), note: None })
}
