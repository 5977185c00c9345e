//! Pictures of products for link previews, written after the pages that point at them.

use super::{RunError, owns, stop_if_cancelled};
use crate::assets::cache::Cache;
use crate::assets::media::Media;
use crate::config::StoreConfiguration;
use crate::event::{Event, Observer, Phase};
use crate::pages::Renderer;
use crate::site::{Made, Shard, Staging};
use rayon::prelude::*;

/// Adds every card that a page points at to a new tree; those that stand there from the last run are not even read.
///
/// # Errors
/// See [`RunError`].
pub(super) fn write(
    config: &StoreConfiguration,
    renderer: &Renderer<'_>,
    media: &Media,
    cache: &Cache,
    staging: &Staging,
    shard: Option<Shard>,
    observer: &dyn Observer,
) -> Result<(), RunError> {
    let mut places = renderer.social_cards();
    places.retain(|path, _| owns(shard, path));
    if places.is_empty() {
        return Ok(());
    }
    observer.observe(Event::Started { phase: Phase::Cards, total: Some(places.len() as u64) });
    places.par_iter().try_for_each(|(path, &place)| -> Result<(), RunError> {
        stop_if_cancelled(observer)?;
        if let Some(card) = renderer.social_card(place)
            && !staging.keep(path, card.made_from())
        {
            let file = card.file(media.pictures(), &config.images, cache)?;
            staging.write_made(path.as_str(), &file, Made { from: Some(card.made_from()), ..Made::default() })?;
        }
        observer.observe(Event::Advanced { phase: Phase::Cards, steps: 1 });
        Ok(())
    })?;
    observer.observe(Event::Finished { phase: Phase::Cards, steps: places.len() as u64 });
    Ok(())
}
