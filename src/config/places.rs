//! Where the rules of a mapping and the settings of a theme stand, so that the room that understands them can point at
//! the line.

use super::error::ConfigError;
use super::shape::joined;
use super::source::{Place, Source};
use super::tree::{Content, Node};
use crate::catalog::MappingError;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Places in a block of a store file whose keys are understood elsewhere; holds no secrets. The default knows no place.
#[derive(Clone, Debug, Default)]
pub struct BlockPlaces {
    file: PathBuf,
    /// By the path of keys and list positions within the block, joined with dots; empty for the block itself.
    places: BTreeMap<String, Place>,
}

impl BlockPlaces {
    pub(super) fn new(source: &Source, block: Option<&Node>, fallback: &Range<usize>) -> Self {
        let mut places = BTreeMap::from([(String::new(), source.place(fallback))]);
        if let Some(block) = block {
            collect(source, block, "", &mut places);
        }
        Self { file: source.file.clone(), places }
    }

    /// The store file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Mistakes that compiling the mapping found, with the lines they are on.
    pub fn errors(&self, mistakes: &[MappingError]) -> Vec<ConfigError> {
        mistakes.iter().map(|mistake| self.error(&mistake.field, &mistake.message, None)).collect()
    }

    /// An error at a path such as `price.transform` or `name.from.1`, or at the nearest part of it that is in the file.
    pub fn error(&self, path: &str, message: &str, hint: Option<&str>) -> ConfigError {
        let mut known = path;
        let place = loop {
            match (self.places.get(known), known.rsplit_once('.')) {
                (Some(place), _) => break Some(place.clone()),
                (None, Some((parent, _))) => known = parent,
                (None, None) => break self.places.get("").cloned(),
            }
        };
        ConfigError::new(&self.file, place, message, hint)
    }
}

fn collect(source: &Source, node: &Node, path: &str, places: &mut BTreeMap<String, Place>) {
    places.entry(path.to_string()).or_insert_with(|| source.place(&node.span));
    match &node.content {
        Content::Map(entries) => {
            for entry in entries {
                let inner = joined(path, &entry.key);
                if !matches!(entry.value.content, Content::Scalar(_)) {
                    places.insert(inner.clone(), source.place(&entry.key_span));
                }
                collect(source, &entry.value, &inner, places);
            }
        }
        Content::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(source, item, &joined(path, &index.to_string()), places);
            }
        }
        Content::Scalar(_) | Content::Faulty => {}
    }
}
