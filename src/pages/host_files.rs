//! Files that hosts, browsers and crawlers ask for: `robots.txt`, `_headers`, the web app manifest.
//!
//! Takes the configuration; makes small texts. The content policy lets nothing in from outside but pictures and
//! videos of the catalogue.

use super::shop::Shop;
use crate::assets::icons;
use crate::catalog::text::shortened;
use crate::config::Commerce;
use serde_json::json;

/// Where a page may load things from. The same text stands in every page, for hosts that send no headers.
pub(crate) fn content_policy(shop: &Shop<'_>) -> String {
    // Catalogues that still link pictures over plain http would otherwise show none.
    let records = shop.catalog.records.iter();
    let is_plain = records.filter_map(|record| record.image.as_ref()).any(|(source, _)| source.starts_with("http://"));
    let pictures = if is_plain { "https: http:" } else { "https:" };
    let (connect, assets, frames) = match shop.config.commerce {
        Commerce::Snipcart { .. } => (
            " https://app.snipcart.com https://cdn.snipcart.com",
            " https://cdn.snipcart.com",
            " frame-src https://app.snipcart.com;",
        ),
        _ => ("", "", ""),
    };
    format!(
        "default-src 'none'; base-uri 'none'; connect-src 'self'{connect}; font-src 'self'{assets}; \
         form-action 'self';{frames} img-src 'self' data: {pictures}; manifest-src 'self'; media-src 'self' https:; \
         object-src 'none'; script-src 'self'{assets}; style-src 'self'{assets}"
    )
}

/// `robots.txt`.
pub(crate) fn robots(shop: &Shop<'_>) -> String {
    format!("User-agent: *\nAllow: /\n\nSitemap: {}\n", shop.links.absolute("sitemap.xml"))
}

/// `_headers`, which Netlify, Cloudflare Pages and others read.
pub(crate) fn headers(shop: &Shop<'_>) -> String {
    let prefix = shop.links.prefix();
    let policy = content_policy(shop);
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
         Cache-Control: public, max-age=31536000, immutable\n"
    )
}

/// The web app manifest.
pub(crate) fn manifest(shop: &Shop<'_>) -> String {
    let mut icons = vec![json!({ "src": shop.links.local(icons::FAVICON), "sizes": "any", "type": "image/svg+xml" })];
    for (path, side) in icons::APP_ICONS {
        for purpose in ["any", "maskable"] {
            icons.push(json!({
                "src": shop.links.local(path),
                "sizes": format!("{side}x{side}"),
                "type": "image/png",
                "purpose": purpose,
            }));
        }
    }
    let manifest = json!({
        "name": shop.config.store_name,
        "short_name": shortened(&shop.config.store_name, 24),
        "description": shop.config.store_description.as_deref().unwrap_or_default(),
        "lang": shop.config.locale,
        "start_url": shop.links.local("index.html"),
        "scope": shop.links.prefix(),
        "display": "browser",
        "background_color": "#ffffff",
        "theme_color": shop.config.primary_color.to_string(),
        "icons": icons,
    });
    format!("{manifest:#}\n")
}
