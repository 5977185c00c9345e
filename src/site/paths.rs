//! Paths in order, one behind the other in one piece of memory.
//!
//! A store of a million products has 1.4 million of them, and a piece of memory for each would cost as much as its text.

/// Paths, each of which comes after the one before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Paths {
    text: String,
    /// Where each ends in the text.
    ends: Vec<usize>,
}

impl Paths {
    /// Makes room for so many more paths, and bytes of them.
    pub(super) fn reserve(&mut self, paths: usize, bytes: usize) {
        self.ends.reserve_exact(paths);
        self.text.reserve_exact(bytes);
    }

    pub(super) fn push(&mut self, path: &str) {
        debug_assert!(self.last().is_none_or(|last| last < path), "`{path}` is out of order");
        self.text.push_str(path);
        self.ends.push(self.text.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all of them together.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The path at a place that there is.
    pub(super) fn at(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[place]]
    }

    pub(super) fn last(&self) -> Option<&str> {
        Some(self.at(self.len().checked_sub(1)?))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.len()).map(|place| self.at(place))
    }

    /// The place of a path.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        let place = self.first_not(|other| other < path);
        (place < self.len() && self.at(place) == path).then_some(place)
    }

    /// The place of the first path that is not before something.
    pub(super) fn first_not(&self, is_before: impl Fn(&str) -> bool) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            if is_before(self.at(middle)) { from = middle + 1 } else { to = middle }
        }
        from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_found_at_its_place() {
        let mut paths = Paths::default();
        assert_eq!((paths.len(), paths.last(), paths.find("a")), (0, None, None));
        let all = ["a", "a-b/x", "a/x", "b", "ü"];
        all.iter().for_each(|path| paths.push(path));
        assert!(paths.iter().eq(all));
        assert_eq!((paths.last(), paths.bytes()), (Some("ü"), 12));
        for (place, path) in all.iter().enumerate() {
            assert_eq!(paths.find(path), Some(place));
        }
        for other in ["", "a-", "aa", "z", "üü"] {
            assert_eq!(paths.find(other), None, "{other}");
        }
    }
}
