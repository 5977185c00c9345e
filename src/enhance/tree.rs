//! The category tree, built from documents that may contradict themselves.
//!
//! Loops are cut at their smallest id, children of nothing become roots, invisible categories pass their children and
//! products on to the nearest visible ancestor. Every such mending is a finding.

use super::slugs::unique_slugs;
use super::wording::safe_html;
use crate::catalog::product::{Category, Reference, Translation};
use crate::catalog::vocabulary::key_of;
use crate::event::{Finding, Outcome};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A category in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryNode {
    /// Canonical `_id`.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Unique among all categories; a nested category's page is `/categories/<root>/<child>/`.
    pub slug: String,
    /// Safe HTML about the category.
    pub description_html: Option<String>,
    /// Names in further languages, by locale.
    pub names: BTreeMap<String, String>,
    /// Safe HTML in further languages, by locale.
    pub descriptions_html: BTreeMap<String, String>,
    /// Index of the parent.
    pub parent: Option<u32>,
    /// Indices of the children, in order.
    pub children: Vec<u32>,
}

/// The tree, and where products find their category in it.
#[derive(Clone, Debug, Default)]
pub struct CategoryTree {
    /// Parents before children.
    pub nodes: Vec<CategoryNode>,
    by_id: HashMap<String, u32>,
    by_key: HashMap<String, u32>,
}

fn translated(category: &Category, text: impl Fn(&Translation) -> Option<String>) -> BTreeMap<String, String> {
    let translations = category.translations.iter();
    translations.filter_map(|(locale, translation)| Some((locale.clone(), text(translation)?))).collect()
}

impl CategoryTree {
    /// Builds the tree.
    pub fn new(mut categories: Vec<Category>, collection: &str, findings: &mut Vec<Finding>) -> Self {
        categories.sort_by(|a, b| {
            (a.sort_order.unwrap_or(i64::MAX), &a.name, &a.id).cmp(&(b.sort_order.unwrap_or(i64::MAX), &b.name, &b.id))
        });
        let mut repaired = |id: &str, reason: &str, detail: String| {
            findings.push(Finding {
                outcome: Outcome::Repaired,
                reason: reason.to_string(),
                collection: collection.to_string(),
                document: id.to_string(),
                field: "parent_id".to_string(),
                detail,
            });
        };
        let position: HashMap<&str, usize> =
            categories.iter().enumerate().map(|(at, category)| (category.id.as_str(), at)).collect();
        let mut parents: Vec<Option<usize>> = categories
            .iter()
            .map(|category| {
                let wished = category.parent.as_deref()?;
                let found = position.get(wished).copied();
                if found.is_none() {
                    repaired(
                        &category.id,
                        "orphan_category",
                        format!("parent `{wished}` does not exist; `{}` is shown at the top level", category.name),
                    );
                }
                found
            })
            .collect();
        let mut by_id_order: Vec<usize> = (0..categories.len()).collect();
        by_id_order.sort_by(|&a, &b| categories[a].id.cmp(&categories[b].id));
        for &start in &by_id_order {
            let mut at = parents[start];
            // A walk longer than the tree can only be going round.
            for _ in 0..categories.len() {
                match at {
                    Some(position) if position == start => {
                        parents[start] = None;
                        repaired(
                            &categories[start].id,
                            "category_loop",
                            format!("is its own ancestor; `{}` is shown at the top level", categories[start].name),
                        );
                        break;
                    }
                    Some(position) => at = parents[position],
                    None => break,
                }
            }
        }
        let visible_ancestor = |start: usize| {
            let mut at = parents[start];
            while let Some(position) = at {
                if categories[position].visible {
                    return Some(position);
                }
                at = parents[position];
            }
            None
        };
        let slugs = unique_slugs(
            categories
                .iter()
                .map(|category| {
                    let wish = if category.slug.is_empty() { &category.name } else { &category.slug };
                    (category.id.as_str(), key_of(wish))
                })
                .collect(),
            "category",
        );

        let mut children: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
        for (at, category) in categories.iter().enumerate() {
            if category.visible {
                children.entry(visible_ancestor(at)).or_default().push(at);
            }
        }
        let mut tree = Self::default();
        let mut index_of: HashMap<usize, u32> = HashMap::new();
        let roots = children.remove(&None).unwrap_or_default();
        let mut stack: Vec<usize> = roots.into_iter().rev().collect();
        while let Some(at) = stack.pop() {
            let category = &categories[at];
            let index = tree.nodes.len() as u32;
            index_of.insert(at, index);
            let parent = visible_ancestor(at).and_then(|parent| index_of.get(&parent).copied());
            if let Some(parent) = parent {
                tree.nodes[parent as usize].children.push(index);
            }
            tree.nodes.push(CategoryNode {
                id: category.id.clone(),
                name: category.name.clone(),
                slug: slugs[at].clone(),
                description_html: category.description.as_deref().map(safe_html).filter(|html| !html.is_empty()),
                names: translated(category, |translation| translation.name.clone()),
                descriptions_html: translated(category, |translation| {
                    translation.description.as_deref().map(safe_html).filter(|html| !html.is_empty())
                }),
                parent,
                children: Vec::new(),
            });
            stack.extend(children.remove(&Some(at)).unwrap_or_default().into_iter().rev());
        }
        for (at, category) in categories.iter().enumerate() {
            let target = if category.visible { Some(at) } else { visible_ancestor(at) };
            if let Some(&index) = target.and_then(|target| index_of.get(&target)) {
                tree.by_id.insert(category.id.clone(), index);
            }
        }
        for (index, node) in tree.nodes.iter().enumerate() {
            for key in [node.slug.clone(), key_of(&node.name)] {
                tree.by_key.entry(key).or_insert(index as u32);
            }
        }
        tree
    }

    /// The node a product's reference points at, by id, else by slug or name.
    pub fn resolve(&self, reference: &Reference) -> Option<u32> {
        let by_id = reference.id.as_ref().and_then(|id| self.by_id.get(id).or_else(|| self.by_key.get(&key_of(id))));
        by_id.or_else(|| reference.name.as_ref().and_then(|name| self.by_key.get(&key_of(name)))).copied()
    }

    /// A node and its ancestors, itself first.
    pub fn lineage(&self, index: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(index), |&at| self.nodes[at as usize].parent)
    }

    /// Keeps only nodes with a product in them or below, and tells where each old index went.
    pub fn prune(&mut self, used: &HashSet<u32>) -> HashMap<u32, u32> {
        let kept: HashSet<u32> = used.iter().flat_map(|&index| self.lineage(index).collect::<Vec<_>>()).collect();
        let mut moved = HashMap::with_capacity(kept.len());
        for index in 0..self.nodes.len() as u32 {
            if kept.contains(&index) {
                moved.insert(index, moved.len() as u32);
            }
        }
        let old = std::mem::take(&mut self.nodes);
        self.nodes = old
            .into_iter()
            .enumerate()
            .filter(|(index, _)| moved.contains_key(&(*index as u32)))
            .map(|(_, node)| CategoryNode {
                parent: node.parent.and_then(|parent| moved.get(&parent).copied()),
                children: node.children.iter().filter_map(|child| moved.get(child).copied()).collect(),
                ..node
            })
            .collect();
        let remap = |map: &mut HashMap<String, u32>| {
            map.retain(|_, index| match moved.get(index) {
                Some(&new) => {
                    *index = new;
                    true
                }
                None => false,
            });
        };
        remap(&mut self.by_id);
        remap(&mut self.by_key);
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn category(id: &str, parent: Option<&str>, visible: bool) -> Category {
        Category {
            id: id.into(),
            name: id.to_uppercase(),
            slug: String::new(),
            parent: parent.map(Into::into),
            visible,
            ..Category::default()
        }
    }

    fn names(tree: &CategoryTree) -> Vec<(String, Option<u32>)> {
        tree.nodes.iter().map(|node| (node.name.clone(), node.parent)).collect()
    }

    #[test]
    fn loops_orphans_and_hidden_nodes_are_mended() {
        let mut findings = Vec::new();
        let tree = CategoryTree::new(
            vec![
                category("a", Some("c"), true),
                category("b", Some("a"), true),
                category("c", Some("b"), true),
                category("d", Some("nowhere"), true),
                category("e", None, false),
                category("f", Some("e"), true),
            ],
            "categories",
            &mut findings,
        );
        assert_eq!(
            names(&tree),
            [("A".into(), None), ("B".into(), Some(0)), ("C".into(), Some(1)), ("D".into(), None), ("F".into(), None)]
        );
        let reasons: Vec<_> = findings.iter().map(|finding| finding.reason.as_str()).collect();
        assert_eq!(reasons, ["orphan_category", "category_loop"]);
    }

    #[test]
    fn products_of_a_hidden_category_go_to_its_visible_ancestor() {
        let tree = CategoryTree::new(
            vec![category("top", None, true), category("hidden", Some("top"), false)],
            "categories",
            &mut Vec::new(),
        );
        let reference = Reference { id: Some("hidden".into()), name: None };
        assert_eq!(tree.resolve(&reference), Some(0));
    }

    proptest! {
        #[test]
        fn every_visible_category_is_in_the_tree_once(parents in prop::collection::vec(prop::option::of(0usize..12), 0..12)) {
            let categories: Vec<_> = parents
                .iter()
                .enumerate()
                .map(|(at, parent)| category(&format!("c{at}"), parent.map(|p| format!("c{p}")).as_deref(), true))
                .collect();
            let tree = CategoryTree::new(categories, "categories", &mut Vec::new());
            prop_assert_eq!(tree.nodes.len(), parents.len());
            for (index, node) in tree.nodes.iter().enumerate() {
                prop_assert!(node.parent.is_none_or(|parent| (parent as usize) < index));
            }
        }
    }
}
