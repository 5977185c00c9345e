//! The files of the new store: those that were made now, and those of the last run that stay.
//!
//! In: both lists, each by path. Out: one ledger, of which the manifest is a part, and which of the files are new.

use super::Manifest;
use super::last::Last;
use super::ledger::{Entry, Ledger};
use super::spill::{Placed, Spill, wanted_twice};
use std::collections::HashMap;

/// Everything that belongs to the new store.
pub(super) struct Files {
    pub(super) ledger: Ledger,
    /// By place in the ledger: whether the file is in the new tree; it stands in the output as it should otherwise.
    is_new: Vec<bool>,
}

impl Files {
    /// Files that were `placed`, and what stays of the last run. `needed` numbers the paths that placed ones need.
    ///
    /// # Errors
    /// When two files have the same path, or the disk refuses.
    pub(super) fn of(last: Last, placed: &Spill, needed: &HashMap<Box<str>, u32>) -> anyhow::Result<Self> {
        match same_places(&last, placed)? {
            Some(places) => Self::in_same_places(last, placed, needed, &places),
            None => Self::merged(&last, placed, needed),
        }
    }

    /// Puts new files in the places of the last ones; the others are kept.
    fn in_same_places(
        mut last: Last,
        placed: &Spill,
        needed: &HashMap<Box<str>, u32>,
        places: &[usize],
    ) -> anyhow::Result<Self> {
        let mut ledger = std::mem::take(&mut last.ledger);
        ledger.whole = None;
        let mut is_new = vec![false; ledger.len()];
        (0..ledger.len()).filter(|&place| !last.is_kept(place)).for_each(|place| ledger.forget_origin(place));
        let needed = placed_at(needed, |path| ledger.find(path));
        let others = placed.in_order()?.zip(places).map(|(file, &place)| {
            let Placed { mut entry, is_new: is_this_new } = file?;
            if last.is_kept(place) {
                return Err(wanted_twice(&entry.path));
            }
            is_new[place] = is_this_new;
            let needs: Option<Vec<u32>> = entry.needs.iter().map(|&number| needed[number as usize]).collect();
            entry.made_from = entry.made_from.filter(|_| needs.is_some());
            entry.needs = needs.unwrap_or_default().into();
            Ok((place, entry))
        });
        ledger.replace(others)?;
        Ok(Self { ledger, is_new })
    }

    /// Both lists are in order of paths, and so is what is made of them.
    fn merged(last: &Last, placed: &Spill, needed: &HashMap<Box<str>, u32>) -> anyhow::Result<Self> {
        let placed = placed.in_order()?;
        let staying = || (0..last.ledger.len()).filter(|&place| last.stays(place));
        let path_bytes = staying().map(|place| last.ledger.manifest().path(place).len()).sum::<usize>();
        let most = placed.files + staying().count();
        let mut files = Self { ledger: Ledger::default(), is_new: Vec::with_capacity(most) };
        files.ledger.reserve(most, placed.path_bytes + path_bytes);

        // What files need is numbered by places in the last ledger, and behind these by what new ones need.
        let mut settled = vec![None; last.ledger.len()];
        let first_number = settled.len() as u32;
        let mut placed = placed.peekable();
        for (place, entry) in last.ledger.entries().enumerate() {
            let is_before = |file: &Placed| file.entry.path < entry.path;
            while let Some(file) = placed.next_if(|file| file.as_ref().map_or(true, is_before)) {
                files.add(file?, first_number);
            }
            // A file that is needed by a kept page may have been made again by another one.
            let again = placed.next_if(|file| file.as_ref().is_ok_and(|file| file.entry.path == entry.path));
            let new_place = u32::try_from(files.ledger.len()).ok();
            match again {
                Some(_) if last.is_kept(place) => return Err(wanted_twice(&entry.path)),
                Some(file) => files.add(file?, first_number),
                None if !last.stays(place) => continue,
                None => {
                    // What others need may be something else to this run, so it is made again when it is a page.
                    let made_from = entry.made_from.filter(|_| last.is_kept(place));
                    files.ledger.push(&Entry { made_from, ..entry });
                    files.is_new.push(false);
                }
            }
            settled[place] = new_place;
        }
        for file in placed {
            files.add(file?, first_number);
        }
        settled.extend(placed_at(needed, |path| files.ledger.find(path)));
        files.ledger.settle_needs(&settled);
        Ok(files)
    }

    fn add(&mut self, file: Placed, first_number: u32) {
        let Placed { mut entry, is_new } = file;
        entry.needs.to_mut().iter_mut().for_each(|number| *number += first_number);
        self.ledger.push(&entry);
        self.is_new.push(is_new);
    }

    pub(super) fn manifest(&self) -> &Manifest {
        self.ledger.manifest()
    }

    /// Paths of the files in the new tree.
    pub(super) fn written(&self) -> impl Iterator<Item = &str> + Clone {
        self.paths(true)
    }

    /// Paths of the files that stand in the output as they should.
    pub(super) fn kept(&self) -> impl Iterator<Item = &str> {
        self.paths(false)
    }

    fn paths(&self, are_new: bool) -> impl Iterator<Item = &str> + Clone {
        let files = self.manifest().iter().zip(&self.is_new);
        files.filter(move |(_, is_new)| **is_new == are_new).map(|((path, _), _)| path)
    }
}

/// The places of new files in the last ledger, if the new store has the same paths.
fn same_places(last: &Last, placed: &Spill) -> anyhow::Result<Option<Vec<usize>>> {
    let places = placed.in_order()?.map(|file| Ok(last.ledger.find(&file?.entry.path)));
    let Some(places) = places.collect::<anyhow::Result<Option<Vec<usize>>>>()? else { return Ok(None) };
    let mut gone = (0..last.ledger.len()).filter(|&place| !last.stays(place));
    Ok(gone.all(|place| places.binary_search(&place).is_ok()).then_some(places))
}

/// By number, the places of paths that files need; of some there may be none.
fn placed_at(needed: &HashMap<Box<str>, u32>, place_of: impl Fn(&str) -> Option<usize>) -> Vec<Option<u32>> {
    let mut places = vec![None; needed.len()];
    for (path, &number) in needed {
        places[number as usize] = place_of(path).and_then(|place| u32::try_from(place).ok());
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Fingerprint;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A file by what it needs, with the hash of what it was made from while it may be kept.
    type Model = BTreeMap<String, (Vec<String>, Option<u8>)>;

    fn entry(path: &str, made_from: u8, needs: Vec<u32>) -> Entry<'static> {
        let Fingerprint { hash, size } = Fingerprint::of(&[made_from]);
        let pieces = vec![([made_from; 16], 1); usize::from(made_from % 3)];
        Entry {
            path: path.to_string().into(),
            content: hash,
            size,
            modified: made_from.into(),
            made_from: Some([made_from; 16]),
            needs: needs.into(),
            pieces: pieces.into(),
        }
    }

    fn files_of(last: Last, made: &Model) -> anyhow::Result<Files> {
        let folder = tempfile::tempdir()?;
        let (placed, mut needed) = (Spill::in_folder(folder.path()), HashMap::new());
        for (path, (needs, made_from)) in made {
            let number = |path: &String| {
                let next = needed.len() as u32;
                *needed.entry(path.as_str().into()).or_insert(next)
            };
            let entry = entry(path, made_from.unwrap_or_default(), needs.iter().map(number).collect());
            placed.add(Placed { entry, is_new: true })?;
        }
        Files::of(last, &placed, &needed)
    }

    fn model_of(ledger: &Ledger) -> Model {
        let of = |entry: Entry<'_>| {
            let needs = entry.needs.iter().map(|&need| ledger.at(need as usize).path.into_owned()).collect();
            assert_eq!(entry.pieces.len() as u64, entry.modified % 3, "{}", entry.path);
            (entry.path.into_owned(), (needs, entry.made_from.map(|made_from| made_from[0])))
        };
        ledger.entries().map(of).collect()
    }

    /// Files that need something that is not there are made again.
    fn settled(mut files: Model) -> Model {
        let all = files.clone();
        files.values_mut().filter(|(needs, _)| !needs.iter().all(|path| all.contains_key(path))).for_each(|file| {
            *file = (Vec::new(), None);
        });
        files
    }

    fn store() -> impl Strategy<Value = Model> {
        btree_map("[a-f]", (vec("[a-h]", 0..3), (1..9_u8).prop_map(Some)), 0..7)
    }

    proptest! {
        #[test]
        fn what_was_made_and_what_stays_are_one_store(before in store(), made in store(), kept in vec("[a-f]", 0..6)) {
            let first = files_of(Last::default(), &before).unwrap();
            let before = settled(before);
            prop_assert_eq!(model_of(&first.ledger), before.clone());

            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger");
            first.ledger.write(&path).unwrap();
            let read = Ledger::read(&path);
            prop_assert!(read.entries().eq(first.ledger.entries()));

            let last = Last::own(read);
            let mut expected = Model::new();
            for path in kept.iter().filter(|path| before.contains_key(*path)) {
                last.keep(last.find(path).unwrap());
                expected.insert(path.clone(), before[path].clone());
                for needed in &before[path].0 {
                    expected.entry(needed.clone()).or_insert((before[needed].0.clone(), None));
                }
            }
            let is_twice = made.keys().any(|path| kept.contains(path) && before.contains_key(path));
            // A file that others need is kept for itself once that has been asked for, too.
            for path in kept.iter().filter(|path| before.contains_key(*path)) {
                expected.insert(path.clone(), before[path].clone());
            }
            expected.extend(made.clone());
            match files_of(last, &made) {
                Err(error) => prop_assert!(is_twice, "{error:#}"),
                Ok(files) => {
                    prop_assert!(!is_twice);
                    prop_assert_eq!(model_of(&files.ledger), settled(expected));
                    prop_assert!(files.written().eq(made.keys()));
                    prop_assert_eq!(files.written().count() + files.kept().count(), files.manifest().len());
                }
            }
        }
    }
}
