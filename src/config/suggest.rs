//! Which setting somebody probably meant by a key that is not known.

use crate::spelling::{fold, nearest};

/// Words that other programs, and the older service, use for settings of ours.
const OTHER_NAMES: [(&str, &str); 22] = [
    ("accent_color", "secondary_color"),
    ("connection_string", "catalog.uri"),
    ("db", "catalog.database"),
    ("domain", "base_url"),
    ("language", "locale"),
    ("lang", "locale"),
    ("limit", "product_filters.max_products"),
    ("max_price", "product_filters.price.max"),
    ("min_price", "product_filters.price.min"),
    ("price_max", "product_filters.price.max"),
    ("price_min", "product_filters.price.min"),
    ("price_range", "product_filters.price"),
    ("mongo_uri", "catalog.uri"),
    ("mongodb_uri", "catalog.uri"),
    ("mongodb", "catalog"),
    ("order", "sort"),
    ("order_by", "sort"),
    ("output_dir", "output"),
    ("page_size", "products_per_page"),
    ("path", "catalog.uri"),
    ("sort_by", "sort"),
    ("source", "catalog"),
];

/// Where a key that is unknown in a block was probably meant to be.
pub(super) enum Meant {
    /// Another key of the same block.
    Key(String),
    /// A setting elsewhere, as a dotted path.
    Elsewhere(String),
}

/// The setting probably meant by `key` in the block at `block` (empty for the top), out of the paths of all settings.
pub(super) fn setting(key: &str, block: &str, paths: &[String]) -> Option<Meant> {
    let inside = |path: &str| match path.strip_prefix(block) {
        Some(rest) if block.is_empty() => (!rest.contains('.')).then(|| rest.to_string()),
        Some(rest) => rest.strip_prefix('.').filter(|rest| !rest.contains('.')).map(str::to_string),
        None => None,
    };
    let here: Vec<String> = paths.iter().filter_map(|path| inside(path)).collect();
    let told = |path: &str| inside(path).map_or_else(|| Meant::Elsewhere(path.to_string()), Meant::Key);

    let folded = fold(key);
    if let Some(same) = here.iter().find(|known| fold(known) == folded) {
        return Some(Meant::Key(same.clone()));
    }
    if let Some((_, path)) = OTHER_NAMES.iter().find(|(name, _)| fold(name) == folded) {
        return Some(told(path));
    }
    let last = |path: &str| fold(path.rsplit('.').next().unwrap_or(path));
    if let Some(path) = paths.iter().find(|path| last(path) == folded) {
        return Some(told(path));
    }
    nearest(key, &here).or_else(|| holding(key, &here)).map(|meant| Meant::Key(meant.to_string()))
}

/// The only known key that has all words of `key` in it: `url` is `base_url`.
fn holding<'known>(key: &str, known: &'known [String]) -> Option<&'known str> {
    let words: Vec<String> = key.split(['_', '-', ' ']).map(fold).filter(|word| word.len() > 2).collect();
    let mut fitting = known.iter().filter(|known| {
        !words.is_empty()
            && words.iter().all(|word| known.split('_').any(|part| part == word || part == format!("{word}s")))
    });
    let only = fitting.next()?;
    fitting.next().is_none().then_some(only.as_str())
}
