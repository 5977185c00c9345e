//! Every file of the store but pictures of products: rendered, or kept as the last run left it.
//!
//! In: a plan and its renderer. Out: files in a new tree, from many threads. Without a tree everything is rendered all the
//! same, and nothing written.

use super::{RunError, owns, stop_if_cancelled};
use crate::assets::drawing::FrameDrawing;
use crate::assets::icons::Icons;
use crate::enhance::collect;
use crate::event::{Event, Observer, Phase};
use crate::pages::{self, Rendered, Renderer};
use crate::site::{Digest, Made, Shard, Staging};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Renders every page and every file pages point at, except those that `staging` can keep, and hands each to it. `places`
/// are where they stood the last time, if the plan is the same.
/// Gives how many pages were rendered.
pub(super) fn render(
    plan: &pages::Plan,
    places: &[Option<u32>],
    renderer: &Renderer<'_>,
    staging: Option<&Staging>,
    shard: Option<Shard>,
    observer: &dyn Observer,
) -> Result<u64, RunError> {
    /// Pages between two looks at the observer: a few milliseconds of work.
    const BATCH: usize = 64;
    observer.observe(Event::Started { phase: Phase::Pages, total: Some(plan.pages.len() as u64) });
    let rendered = AtomicU64::new(0);
    let pages = || {
        plan.pages.par_chunks(BATCH).enumerate().try_for_each(|(number, batch)| -> Result<(), RunError> {
            stop_if_cancelled(observer)?;
            for (index, page) in (number * BATCH..).zip(batch).filter(|(_, page)| owns(shard, &page.path)) {
                let place = places.get(index).copied().flatten();
                if renderer.is_as_before(page) && staging.is_some_and(|staging| staging.keep_again(&page.path, place)) {
                    renderer.point_at_cards(page);
                    continue;
                }
                let made_from = renderer.fingerprint(page);
                if staging.zip(made_from).is_some_and(|(staging, made_from)| staging.keep(&page.path, made_from)) {
                    renderer.point_at_cards(page);
                    continue;
                }
                let before = staging.and_then(|staging| staging.pieces(&page.path));
                let Rendered { bytes, files, pieces } = renderer.render_from(page, before.as_ref())?;
                rendered.fetch_add(1, Ordering::Relaxed);
                let made = Made { from: made_from, needs: files, pieces };
                staging.map_or(Ok(()), |staging| staging.write_made(&page.path, &bytes, made))?;
            }
            observer.observe(Event::Advanced { phase: Phase::Pages, steps: batch.len() as u64 });
            Ok(())
        })
    };
    let shelf = Shelf { staging, observer };
    let indexes = || -> Result<(), RunError> {
        if owns(shard, pages::FACETS_SUMMARY) {
            renderer.facets(&shelf)?;
        }
        let write = |path: &str, bytes: &[u8]| pages::Shelf::put(&shelf, path, bytes, None);
        renderer
            .folders()
            .filter(|folder| owns(shard, &format!("{folder}{}", pages::SEARCH_SUMMARY)))
            .try_for_each(|folder| search_index(renderer, folder, staging, &write))?;
        Ok(())
    };
    if renderer.is_again() {
        // A long file among the few pages would leave the other threads without work.
        let (pages, indexes) = rayon::join(pages, indexes);
        pages.and(indexes)?;
    } else {
        pages().and_then(|()| indexes())?;
    }
    observer.observe(Event::Finished { phase: Phase::Pages, steps: plan.pages.len() as u64 });
    Ok(rendered.into_inner())
}

/// Takes files on until the run is cancelled.
struct Shelf<'a> {
    /// Without one they are only made.
    staging: Option<&'a Staging>,
    observer: &'a dyn Observer,
}

impl pages::Shelf for Shelf<'_> {
    fn keep(&self, path: &str, made_from: Digest) -> Option<blake3::Hash> {
        Some(self.staging?.recall(path, made_from)?.hash.into())
    }

    fn keep_again(&self, path: &str) -> bool {
        self.staging.is_some_and(|staging| staging.keep_again(path, None))
    }

    fn put(&self, path: &str, bytes: &[u8], made_from: Option<Digest>) -> anyhow::Result<()> {
        stop_if_cancelled(self.observer)?;
        let made = Made { from: made_from, ..Made::default() };
        self.staging.map_or(Ok(()), |staging| staging.write_made(path, bytes, made))
    }
}

/// Makes the search index of a language, unless the one of the last run can be kept. Its summary stands for all of its
/// files.
fn search_index(
    renderer: &Renderer<'_>,
    folder: &str,
    staging: Option<&Staging>,
    write: &(dyn Fn(&str, &[u8]) -> anyhow::Result<()> + Sync),
) -> anyhow::Result<()> {
    let summary_path = format!("{folder}{}", pages::SEARCH_SUMMARY);
    let Some(staging) = staging else { return renderer.search_index(folder, write) };
    if renderer.is_search_as_before(folder) && staging.keep_again(&summary_path, None) {
        return Ok(());
    }
    let made_from = renderer.search_fingerprint(folder);
    if made_from.is_some_and(|made_from| staging.keep(&summary_path, made_from)) {
        return Ok(());
    }
    let (parts, summary) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    renderer.search_index(folder, &|path, bytes| {
        if path == summary_path {
            *summary.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
            return Ok(());
        }
        parts.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_string());
        write(path, bytes)
    })?;
    let parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    staging.write_made(&summary_path, &summary, Made { from: made_from, needs: parts, ..Made::default() })
}

/// Draws the icons, unless all of them can be kept.
fn write_icons(staging: &Staging, icons: &Icons, shard: Option<Shard>) -> anyhow::Result<()> {
    let made_from = icons.made_from();
    let missing: Vec<&str> = icons.paths().filter(|path| owns(shard, path) && !staging.keep(path, made_from)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let drawn = icons.draw()?;
    let mut missing = drawn.iter().filter(|(path, _)| missing.contains(path));
    let made = || Made { from: Some(made_from), ..Made::default() };
    missing.try_for_each(|(path, bytes)| staging.write_made(path, bytes, made()))
}

/// Writes what pages point at: stylesheet and icons, drawings, but no pictures of products.
pub(super) fn write_assets(staging: &Staging, renderer: &Renderer<'_>, shard: Option<Shard>) -> anyhow::Result<()> {
    for file in renderer.files().iter().filter(|file| owns(shard, &file.path)) {
        staging.write(&file.path, &file.bytes)?;
    }
    write_icons(staging, renderer.icons(), shard)?;
    let drawings: Vec<FrameDrawing> = renderer.drawings().into_iter().collect();
    drawings.par_iter().try_for_each(|drawing| {
        let path = drawing.path();
        // The path tells what is drawn, and the program how.
        let made_from = collect::digest_of(&blake3::hash(concat!("drawing ", env!("CARGO_PKG_VERSION")).as_bytes()));
        if staging.keep(&path, made_from) {
            return Ok(());
        }
        staging.write_made(&path, drawing.svg().as_bytes(), Made { from: Some(made_from), ..Made::default() })
    })
}
