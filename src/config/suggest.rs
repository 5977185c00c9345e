//! What somebody probably meant by a word that is not known.

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
    word(key, &here).or_else(|| holding(key, &here)).map(|meant| Meant::Key(meant.to_string()))
}

/// The known word closest to a misspelt one, if one is close; a word written out, or cut short, is close.
pub(super) fn word<'known, Known: AsRef<str>>(written: &str, known: &'known [Known]) -> Option<&'known str> {
    const SHORTEST_PREFIX: usize = 4;
    const LONGEST: usize = 64;
    if written.len() > LONGEST {
        return None;
    }
    let folded = fold(written);
    let allowed = (folded.chars().count() / 3).clamp(1, 4);
    let near = |known: &str| {
        let known = fold(known);
        let distance = strsim::damerau_levenshtein(&folded, &known);
        let begun = folded.len().min(known.len()) >= SHORTEST_PREFIX
            && (folded.starts_with(&known) || known.starts_with(&folded));
        (begun || distance <= allowed && distance < known.chars().count()).then_some(distance)
    };
    known.iter().filter_map(|known| Some((near(known.as_ref())?, known.as_ref()))).min().map(|(_, known)| known)
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

/// Without case and separators: `storeName`, `store-name` and `store_name` are one.
pub(super) fn fold(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}
