//! Files that hosts, browsers and crawlers ask for: `robots.txt`, `_headers`, the web app manifest.
//!
//! Takes the configuration; makes small texts. The content policy lets nothing in from outside but pictures and
//! videos of the catalogue.

use super::plan::PageKind;
use super::shop::Shop;
use super::{outer, worker};
use crate::assets::{icons, viewer};
use crate::catalog::text::shortened;
use crate::config::Commerce;
use crate::language;
use serde_json::json;

/// Where a page may load things from. The same text stands in every page, for hosts that send no headers. The viewer of 3D
/// models unpacks their textures to `blob:` addresses, compiles a decoder and writes one stylesheet.
/// Nothing in it needs escaping in double quotes.
pub(crate) fn content_policy(shop: &Shop<'_>, shows_models: bool) -> String {
    // Catalogues that still link pictures over plain http would otherwise show none.
    let mut records = shop.catalog.records.iter();
    let is_plain = records.any(|record| record.image.as_ref().is_some_and(|(source, _)| source.starts_with("http://")));
    let is_plain = is_plain || shop.config.assets_url.as_ref().is_some_and(|url| url.scheme() == "http");
    let pictures = if is_plain { "https: http:" } else { "https:" };
    let (connect, assets, frames) = match shop.config.commerce {
        Commerce::Snipcart { .. } => (
            " https://app.snipcart.com https://cdn.snipcart.com",
            " https://cdn.snipcart.com",
            " frame-src https://app.snipcart.com;",
        ),
        _ => ("", "", ""),
    };
    let worker = if shop.config.offline_page { "; worker-src 'self'" } else { "" };
    let (blob, compile, style) = match shows_models {
        true => (" blob:", " 'wasm-unsafe-eval'", format!(" '{}'", viewer::STYLE_HASH)),
        false => ("", "", String::new()),
    };
    format!(
        "default-src 'none'; base-uri 'none'; connect-src 'self'{blob}{connect}; font-src 'self'{assets}; \
         form-action 'self';{frames} img-src 'self' data:{blob} {pictures}; manifest-src 'self'; media-src 'self' https:; \
         object-src 'none'; script-src 'self'{compile}{assets}; style-src 'self'{style}{assets}{worker}"
    )
}

/// `robots.txt`.
pub(crate) fn robots(shop: &Shop<'_>) -> String {
    format!("User-agent: *\nAllow: /\n\nSitemap: {}\n", shop.links.absolute("sitemap.xml"))
}

/// `_headers`, which Netlify, Cloudflare Pages and others read.
pub(crate) fn headers(shop: &Shop<'_>) -> String {
    let prefix = shop.links.prefix();
    // Where a header and a page's own policy differ, both have to allow: so this one allows what any page needs.
    let policy = content_policy(shop, shop.has_models());
    // A worker that is kept for long could not be replaced.
    let worker = match shop.config.offline_page {
        true => format!("\n{prefix}{}\n  Cache-Control: no-cache\n", worker::PATH),
        false => String::new(),
    };
    let payment = match shop.config.commerce {
        Commerce::Snipcart { .. } => "(self \"https://app.snipcart.com\")",
        _ => "()",
    };
    format!(
        "{prefix}*\n  \
         Content-Security-Policy: {policy}; frame-ancestors 'self'\n  \
         X-Content-Type-Options: nosniff\n  \
         Referrer-Policy: strict-origin-when-cross-origin\n  \
         Permissions-Policy: camera=(self), geolocation=(), microphone=(), payment={payment}\n\n\
         {prefix}assets/*\n  \
         Cache-Control: public, max-age=31536000, immutable\n{worker}"
    )
}

/// The web app manifest.
pub(crate) fn manifest(shop: &Shop<'_>) -> String {
    let mut icons = vec![json!({ "src": shop.links.shared(icons::FAVICON), "sizes": "any", "type": "image/svg+xml" })];
    for (path, side) in icons::APP_ICONS {
        for purpose in ["any", "maskable"] {
            icons.push(json!({
                "src": shop.links.shared(path),
                "sizes": format!("{side}x{side}"),
                "type": "image/png",
                "purpose": purpose,
            }));
        }
    }
    let name = shop.config.store_name.as_str();
    let mut manifest = json!({
        "id": shop.links.home(),
        "name": name,
        "short_name": shortened(name, 24),
        "lang": shop.locale,
        "dir": language::direction(shop.locale),
        "categories": ["shopping", "fashion"],
        "start_url": shop.links.local("index.html"),
        "scope": shop.links.home(),
        "display": "browser",
        "background_color": "#ffffff",
        "theme_color": shop.config.primary_color.to_string(),
        "icons": icons,
        "shortcuts": shortcuts(shop),
    });
    if let Some(description) = &shop.config.store_description {
        manifest["description"] = description.as_str().into();
    }
    format!("{manifest:#}\n")
}

/// The pages that shoppers come for.
fn shortcuts(shop: &Shop<'_>) -> Vec<serde_json::Value> {
    let pages = [
        (PageKind::Search, shop.words.say("search")),
        (PageKind::FaceShapeGuide, shop.words.say("face_shapes")),
        (PageKind::Favourites, shop.words.say("favourites")),
    ];
    let pages = pages.into_iter().filter_map(|(kind, name)| Some((name.to_string(), outer::page_link(shop, kind)?)));
    let all = shop.all_frames();
    [(all.name, all.url)].into_iter().chain(pages).map(|(name, url)| json!({ "name": name, "url": url })).collect()
}
