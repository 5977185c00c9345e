//! Old addresses: `_redirects` for hosts that read it, and a page that leads on for all others.
//!
//! Takes the configured redirects; makes both. Refuses those that would take the place of a file of the store.

use super::plan::{PageKind, Plan, folder_of};
use super::render::Renderer;
use super::shop::Shop;
use crate::config::{Redirect, StoreConfiguration};
use crate::language;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

#[derive(Serialize)]
struct Moved<'a> {
    language: &'a str,
    direction: &'static str,
    target: String,
}

/// The page at one old address.
pub(crate) fn page(shop: &Shop<'_>, index: u32) -> Result<String> {
    let redirect = shop.plan.redirects.get(index as usize).context("the plan names a redirect that is not there")?;
    let moved = Moved {
        language: shop.locale,
        direction: language::direction(shop.locale),
        target: redirect.target.to_string(),
    };
    shop.templates.render("pages/moved", &moved)
}

/// `_redirects`, which Netlify, Cloudflare Pages and others read.
pub(crate) fn file(shop: &Shop<'_>) -> String {
    let mut lines = String::new();
    let root = shop.links.absolute("index.html");
    for Redirect { path, target, .. } in &shop.config.redirects {
        let from = shop.links.local(path);
        // Addresses of the store itself stay on whatever host the files are tried out on.
        let inside = target.as_str().strip_prefix(&root).map(|inside| format!("{}{inside}", shop.links.prefix()));
        let target = inside.as_deref().unwrap_or(target.as_str());
        // Some hosts take an address with a slash at its end for another one.
        for from in from.strip_suffix('/').into_iter().chain([from.as_str()]) {
            let _ = writeln!(lines, "{from} {target} 301");
        }
    }
    lines
}

/// Ways on from the pages of products that are no longer there: those that the store has now and `plan` does not.
pub(super) fn from_removed<'m>(
    config: &StoreConfiguration,
    plan: &Plan,
    stands: impl Iterator<Item = &'m str>,
) -> Vec<Redirect> {
    // Not every disk tells capitals from small letters.
    let taken: BTreeSet<String> = plan.pages.iter().map(|page| page.path.to_lowercase()).collect();
    let folders: Vec<String> = config.locales.iter().map(|locale| folder_of(locale)).collect();
    let folder_of_page = |path: &str| {
        // The store's own language has no folder.
        let own = std::iter::once("").chain(folders.iter().skip(1).map(String::as_str));
        own.into_iter().find(|folder| {
            let rest = path.strip_prefix(folder).and_then(|path| path.strip_prefix("products/"));
            let slug = rest.and_then(|rest| rest.strip_suffix("/index.html"));
            slug.is_some_and(|slug| !slug.contains('/'))
        })
    };
    let lead_on = |path: &str| {
        let folder = folder_of_page(path).filter(|_| !taken.contains(&path.to_lowercase()))?;
        let target = config.base_url.join(&format!("{folder}products/")).ok()?;
        let from = format!("/{}", path.strip_suffix("index.html")?);
        Some(Redirect { from, path: path.to_string(), target })
    };
    stands.filter_map(lead_on).collect()
}

/// Refuses redirects from an address at which the store has a page or a file.
///
/// # Errors
/// One for all of them, which names each.
pub fn refuse_collisions(config: &StoreConfiguration, plan: &Plan, renderer: &Renderer<'_>) -> Result<()> {
    if config.redirects.is_empty() {
        return Ok(());
    }
    let pages = plan.pages.iter().filter(|page| !matches!(page.kind, PageKind::Moved(_))).map(|page| &*page.path);
    let files = renderer.files().iter().map(|file| file.path.to_lowercase());
    let files = files.chain(renderer.icons().paths().map(str::to_lowercase));
    // Not every disk tells capitals from small letters.
    let taken: BTreeSet<String> = pages.map(str::to_lowercase).chain(files).collect();
    let is_taken = |redirect: &&Redirect| {
        let path = redirect.path.to_lowercase();
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        let below = format!("{path}/");
        taken.contains(&path)
            || path.starts_with("assets/")
            || folders.into_iter().any(|folder| taken.contains(folder))
            || taken.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
    };
    let refused: Vec<String> =
        config.redirects.iter().filter(is_taken).map(|redirect| format!("`{}`", redirect.from)).collect();
    if refused.is_empty() {
        return Ok(());
    }
    bail!(
        "`redirects` leads away from {}, where the store has {} of its own; remove {}, or move what stands there",
        refused.join(", "),
        if refused.len() == 1 { "a page" } else { "pages" },
        if refused.len() == 1 { "it" } else { "them" },
    )
}
