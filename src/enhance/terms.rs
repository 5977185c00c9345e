//! Interned terms: each word of the vocabulary is held once, however many products use it.

use super::record::TermId;
use crate::catalog::vocabulary::{Term, Vocabulary};
use smol_str::SmolStr;
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

/// Terms in order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    terms: Vec<(Vocabulary, Term)>,
}

impl Terms {
    /// The term of an id.
    pub fn get(&self, id: TermId) -> &Term {
        &self.terms[id as usize].1
    }

    /// The vocabulary that the term of an id belongs to.
    pub fn vocabulary(&self, id: TermId) -> Vocabulary {
        self.terms[id as usize].0
    }

    /// Every term with its id, in order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (TermId, &Term)> {
        self.terms.iter().enumerate().map(|(id, (_, term))| (id as TermId, term))
    }
}

/// Collects terms from many threads; the same key in two vocabularies is two terms, with labels of their own. Each
/// spelling has a preliminary id, handed out as they come in; [`Interner::finish`] makes one term of all spellings of a
/// key and puts them in order.
#[derive(Default)]
pub(super) struct Interner {
    state: RwLock<Collected>,
}

#[derive(Default)]
struct Collected {
    ids: HashMap<Vocabulary, HashMap<SmolStr, Vec<TermId>>>,
    spellings: Vec<(Vocabulary, Term)>,
}

impl Collected {
    fn find(&self, vocabulary: Vocabulary, term: &Term) -> Option<TermId> {
        let ids = self.ids.get(&vocabulary)?.get(&term.key)?;
        ids.iter().copied().find(|&id| self.spellings[id as usize].1.label == term.label)
    }

    fn add(&mut self, vocabulary: Vocabulary, term: Term) -> TermId {
        let id = self.spellings.len() as TermId;
        self.ids.entry(vocabulary).or_default().entry(term.key.clone()).or_default().push(id);
        self.spellings.push((vocabulary, term));
        id
    }
}

impl Interner {
    /// Knows these spellings already, by the ids that are their places.
    pub(super) fn knowing(spellings: Vec<(Vocabulary, Term)>) -> Self {
        let mut state = Collected::default();
        for (vocabulary, term) in spellings {
            state.add(vocabulary, term);
        }
        Self { state: RwLock::new(state) }
    }

    /// The preliminary id of a spelling.
    pub(super) fn intern(&self, vocabulary: Vocabulary, term: &Term) -> TermId {
        if let Some(id) = self.state.read().unwrap_or_else(PoisonError::into_inner).find(vocabulary, term) {
            return id;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match state.find(vocabulary, term) {
            Some(id) => id,
            None => state.add(vocabulary, term.clone()),
        }
    }

    /// Every spelling by its preliminary id.
    pub(super) fn spellings(&self) -> Vec<(Vocabulary, Term)> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).spellings.clone()
    }

    /// The terms whose preliminary ids are `used`, in order of their keys, and for each preliminary id the final one.
    /// Of several spellings the alphabetically first one stays, so that the result does not depend on which came first.
    pub(super) fn finish(self, used: &HashSet<TermId>) -> (Terms, Vec<TermId>) {
        let Collected { spellings, .. } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut order: Vec<TermId> = used.iter().copied().collect();
        let rank = |id: TermId| {
            let (vocabulary, term) = &spellings[id as usize];
            (&term.key, *vocabulary, &term.label)
        };
        order.sort_by(|&a, &b| rank(a).cmp(&rank(b)));
        let mut moved = vec![0; spellings.len()];
        let mut terms: Vec<(Vocabulary, Term)> = Vec::new();
        for id in order {
            let (vocabulary, term) = &spellings[id as usize];
            if terms.last().is_none_or(|(other, last)| (&last.key, *other) != (&term.key, *vocabulary)) {
                terms.push((*vocabulary, term.clone()));
            }
            moved[id as usize] = (terms.len() - 1) as TermId;
        }
        (Terms { terms }, moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_depend_on_who_came_first() {
        let term = |key: &str, label: &str| Term { key: key.into(), label: label.into() };
        let forwards = Interner::default();
        let backwards = Interner::default();
        let terms = [term("b", "B"), term("a", "a"), term("a", "A")];
        let first: Vec<_> = terms.iter().map(|term| forwards.intern(Vocabulary::Color, term)).collect();
        let mut second: Vec<_> = terms.iter().rev().map(|term| backwards.intern(Vocabulary::Color, term)).collect();
        second.reverse();
        let all = HashSet::from([0, 1, 2]);
        let (one, moved_one) = forwards.finish(&all);
        let (two, moved_two) = backwards.finish(&all);
        assert_eq!(one.terms, two.terms);
        assert_eq!(one.iter().map(|(_, term)| term.clone()).collect::<Vec<_>>(), [term("a", "A"), term("b", "B")]);
        let ids = |ids: Vec<TermId>, moved: Vec<TermId>| ids.iter().map(|&id| moved[id as usize]).collect::<Vec<_>>();
        assert_eq!(ids(first, moved_one), ids(second, moved_two));
    }

    #[test]
    fn spellings_that_nobody_uses_any_more_have_no_say() {
        let term = |label: &str| (Vocabulary::Color, Term { key: "a".into(), label: label.into() });
        let interner = Interner::knowing(vec![term("A"), term("a")]);
        assert_eq!(interner.intern(Vocabulary::Color, &term("a").1), 1);
        let (terms, moved) = interner.finish(&HashSet::from([1]));
        assert_eq!((terms.terms.len(), terms.get(moved[1]).label.as_str()), (1, "a"));
    }

    #[test]
    fn one_key_in_two_vocabularies_is_two_terms() {
        let term = |label: &str| Term { key: "blue-light".into(), label: label.into() };
        let interner = Interner::default();
        let kind = interner.intern(Vocabulary::FrameType, &term("Blue-light glasses"));
        let feature = interner.intern(Vocabulary::Other, &term("Blue-light filter"));
        let (terms, moved) = interner.finish(&HashSet::from([kind, feature]));
        assert_eq!(terms.get(moved[kind as usize]).label, "Blue-light glasses");
        assert_eq!(terms.get(moved[feature as usize]).label, "Blue-light filter");
    }
}
