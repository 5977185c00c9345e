//! Interned terms: each word of the vocabulary is held once, however many products use it.

use super::record::TermId;
use crate::catalog::vocabulary::Term;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Terms in order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    terms: Vec<Term>,
}

impl Terms {
    /// The term of an id.
    pub fn get(&self, id: TermId) -> &Term {
        &self.terms[id as usize]
    }

    /// Every term with its id, in order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (TermId, &Term)> {
        self.terms.iter().enumerate().map(|(id, term)| (id as TermId, term))
    }
}

/// Collects terms from many threads. Ids are handed out as terms come in; [`Interner::finish`] puts them in order.
#[derive(Default)]
pub(super) struct Interner {
    state: RwLock<(HashMap<String, TermId>, Vec<Term>)>,
}

impl Interner {
    /// The preliminary id of a term. Where spellings of a label differ the alphabetically first one stays, so that the
    /// result does not depend on which product came first.
    pub(super) fn intern(&self, term: &Term) -> TermId {
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(&id) = state.0.get(&term.key)
                && state.1[id as usize].label <= term.label
            {
                return id;
            }
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let (ids, terms) = &mut *state;
        match ids.get(&term.key) {
            Some(&id) => {
                let known = &mut terms[id as usize];
                if term.label < known.label {
                    known.label.clone_from(&term.label);
                }
                id
            }
            None => {
                let id = terms.len() as TermId;
                ids.insert(term.key.clone(), id);
                terms.push(term.clone());
                id
            }
        }
    }

    /// The terms in order of their keys, and for each preliminary id the final one.
    pub(super) fn finish(self) -> (Terms, Vec<TermId>) {
        let (_, terms) = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut order: Vec<usize> = (0..terms.len()).collect();
        order.sort_by(|&a, &b| terms[a].key.cmp(&terms[b].key));
        let mut moved = vec![0; terms.len()];
        for (new, &old) in order.iter().enumerate() {
            moved[old] = new as TermId;
        }
        let mut slots: Vec<Option<Term>> = terms.into_iter().map(Some).collect();
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
        let first: Vec<_> = terms.iter().map(|term| forwards.intern(term)).collect();
        let mut second: Vec<_> = terms.iter().rev().map(|term| backwards.intern(term)).collect();
        second.reverse();
        let (one, moved_one) = forwards.finish();
        let (two, moved_two) = backwards.finish();
        assert_eq!(one.terms, two.terms);
        assert_eq!(one.terms, [term("a", "A"), term("b", "B")]);
        let ids = |ids: Vec<TermId>, moved: Vec<TermId>| ids.iter().map(|&id| moved[id as usize]).collect::<Vec<_>>();
        assert_eq!(ids(first, moved_one), ids(second, moved_two));
    }
}
