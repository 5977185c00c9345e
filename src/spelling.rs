//! What somebody probably meant by a word that is not known. Takes what was written and the words there are; gives one of
//! them, or none where a guess would be wild.

/// The known word closest to a misspelt one, if one is close; a word written out, or cut short, is close.
pub(crate) fn nearest<'known, Known: AsRef<str> + 'known>(
    written: &str,
    known: impl IntoIterator<Item = &'known Known>,
) -> Option<&'known str> {
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
    let near = known.into_iter().filter_map(|known| Some((near(known.as_ref())?, known.as_ref())));
    near.min().map(|(_, known)| known)
}

/// Without case and separators: `storeName`, `store-name` and `store_name` are one.
pub(crate) fn fold(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}
