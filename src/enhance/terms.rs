//! Interned terms: each word of the vocabulary is held once, however many products use it.

use super::record::TermId;
use crate::catalog::vocabulary::{Term, Vocabulary};
use std::collections::HashMap;
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

/// Collects terms from many threads; the same key in two vocabularies is two terms, with labels of their own. Ids are handed out as terms come in; [`Interner::finish`] puts them in order.
#[derive(Default)]
pub(super) struct Interner {
    state: RwLock<Collected>,
}

#[derive(Default)]
struct Collected {
    ids: HashMap<Vocabulary, HashMap<String, TermId>>,
    terms: Vec<(Vocabulary, Term)>,
}

impl Collected {
    fn find(&self, vocabulary: Vocabulary, key: &str) -> Option<TermId> {
        self.ids.get(&vocabulary)?.get(key).copied()
    }
}

impl Interner {
    /// The preliminary id of a term. Where spellings of a label differ the alphabetically first one stays, so that the
    /// result does not depend on which product came first.
    pub(super) fn intern(&self, vocabulary: Vocabulary, term: &Term) -> TermId {
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(id) = state.find(vocabulary, &term.key)
                && state.terms[id as usize].1.label <= term.label
            {
                return id;
            }
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match state.find(vocabulary, &term.key) {
            Some(id) => {
                let known = &mut state.terms[id as usize].1;
                if term.label < known.label {
                    known.label.clone_from(&term.label);
                }
                id
            }
            None => {
                let id = state.terms.len() as TermId;
                state.ids.entry(vocabulary).or_default().insert(term.key.clone(), id);
                state.terms.push((vocabulary, term.clone()));
                id
            }
        }
    }

    /// The terms in order of their keys, and for each preliminary id the final one.
    pub(super) fn finish(self) -> (Terms, Vec<TermId>) {
        let Collected { terms, .. } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut order: Vec<usize> = (0..terms.len()).collect();
        order.sort_by(|&a, &b| (&terms[a].1.key, terms[a].0).cmp(&(&terms[b].1.key, terms[b].0)));
        let mut moved = vec![0; terms.len()];
        for (new, &old) in order.iter().enumerate() {
            moved[old] = new as TermId;
        }
        let mut slots: Vec<Option<_>> = terms.into_iter().map(Some).collect();
        let terms = order.into_iter().filter_map(|old| slots[old].take()).collect();
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
        let (one, moved_one) = forwards.finish();
        let (two, moved_two) = backwards.finish();
        assert_eq!(one.terms, two.terms);
        assert_eq!(one.iter().map(|(_, term)| term.clone()).collect::<Vec<_>>(), [term("a", "A"), term("b", "B")]);
        let ids = |ids: Vec<TermId>, moved: Vec<TermId>| ids.iter().map(|&id| moved[id as usize]).collect::<Vec<_>>();
        assert_eq!(ids(first, moved_one), ids(second, moved_two));
    }

    #[test]
    fn one_key_in_two_vocabularies_is_two_terms() {
        let term = |label: &str| Term { key: "blue-light".into(), label: label.into() };
        let interner = Interner::default();
        let kind = interner.intern(Vocabulary::FrameType, &term("Blue-light glasses"));
        let feature = interner.intern(Vocabulary::Other, &term("Blue-light filter"));
        let (terms, moved) = interner.finish();
        assert_eq!(terms.get(moved[kind as usize]).label, "Blue-light glasses");
        assert_eq!(terms.get(moved[feature as usize]).label, "Blue-light filter");
    }
}
