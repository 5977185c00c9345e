//! Slugs: one for each page, the same from run to run.

use crate::catalog::text::is_device_name;
use rayon::prelude::*;
use std::collections::HashSet;

/// Path segments that listings use themselves.
const RESERVED: [&str; 1] = ["page"];

/// Gives every `(id, wish)` a slug of its own, in the order they come in; wishes are keys.
///
/// Among those that wish for the same slug the smallest id gets it as it is (ids of most databases grow with time, so
/// the oldest keeps its address); the others get a suffix made from their own id, which does not change when other
/// products come or go.
pub(super) fn unique_slugs<W>(wishes: Vec<(&str, W)>, fallback: &str) -> Vec<String>
where
    W: AsRef<str> + Into<String> + Ord + Send,
{
    let mut wanted: Vec<(W, &str, usize)> =
        wishes.into_iter().enumerate().map(|(position, (id, wish))| (wish, id, position)).collect();
    wanted.par_sort_unstable();
    let is_first = |at: usize| at == 0 || wanted[at - 1].0 != wanted[at].0;
    let is_usable = |at: usize| {
        let slug = wanted[at].0.as_ref();
        is_first(at) && !slug.is_empty() && !RESERVED.contains(&slug) && !is_device_name(slug)
    };
    let is_wanted = |slug: &str| wanted.binary_search_by(|(other, ..)| other.as_ref().cmp(slug)).is_ok();
    let mut suffixed = HashSet::new();
    let mut slugs = vec![None; wanted.len()];
    for (slug, id, position) in (0..wanted.len()).filter(|&at| !is_usable(at)).map(|at| &wanted[at]) {
        let stem = if slug.as_ref().is_empty() { fallback } else { slug.as_ref() };
        let hash = blake3::hash(id.as_bytes()).to_hex();
        let with_suffix = |length: usize| format!("{stem}-{}", &hash[..length]);
        let is_free = |candidate: &String| !is_wanted(candidate) && !suffixed.contains(candidate);
        // Ids are unique in a run, so some length of their hash is.
        let chosen = (6..=hash.len()).map(with_suffix).find(is_free).unwrap_or_else(|| with_suffix(hash.len()));
        suffixed.insert(chosen.clone());
        slugs[*position] = Some(chosen);
    }
    for (slug, _, position) in wanted {
        slugs[position].get_or_insert_with(|| slug.into());
    }
    slugs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::vocabulary::key_of;
    use proptest::prelude::*;

    fn slugs(wishes: &[(&str, &str)]) -> Vec<String> {
        unique_slugs(wishes.iter().map(|(id, wish)| (*id, key_of(wish))).collect(), "product")
    }

    #[test]
    fn names_of_devices_get_a_suffix() {
        for name in ["CON", "aux", "Com1"] {
            let slug = &slugs(&[("a", name)])[0];
            assert!(slug.starts_with(&format!("{}-", name.to_lowercase())), "{slug}");
        }
        assert_eq!(slugs(&[("a", "Conrad"), ("b", "Com 1")]), ["conrad", "com-1"]);
    }

    #[test]
    fn the_smallest_id_keeps_the_plain_slug() {
        let given = slugs(&[("b", "Nora"), ("a", "nora"), ("c", "Nora!")]);
        assert_eq!(given[1], "nora");
        assert!(given[0].starts_with("nora-") && given[2].starts_with("nora-") && given[0] != given[2]);
        let without_c = slugs(&[("b", "Nora"), ("a", "nora")]);
        assert_eq!(given[0], without_c[0]);
    }

    #[test]
    fn hostile_wishes_become_plain_segments() {
        for wish in ["../../etc/passwd", "", "???", "page", "con/aux", "\u{202e}gpj"] {
            let slug = &slugs(&[("a", wish)])[0];
            assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{slug}");
            assert!(!slug.is_empty() && slug != "page");
        }
    }

    proptest! {
        #[test]
        fn slugs_are_unique_whatever_the_wishes(wishes in prop::collection::vec("[a-b]{0,2}(-[0-9a-f]{6})?", 0..40)) {
            let ids: Vec<String> = (0..wishes.len()).map(|n| format!("id{n}")).collect();
            let given = unique_slugs(ids.iter().map(|id| id.as_str()).zip(wishes.iter().map(|wish| key_of(wish))).collect(), "product");
            let distinct: HashSet<_> = given.iter().collect();
            prop_assert_eq!(distinct.len(), given.len());
        }
    }
}
