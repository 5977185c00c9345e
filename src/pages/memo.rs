//! Fragments that many pages share: rendered once, kept, pasted.
//!
//! Takes a fragment's template and fields; gives its HTML. Rendering is pure, so that equal fields mean equal HTML and
//! a lookup, which costs a fraction of a template's time, can stand for it. Keeps no more than a fixed number of bytes.

use super::template::Templates;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Bytes of finished fragments that are kept.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Finished fragments by template and fields.
#[derive(Default)]
pub(crate) struct Memo {
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    fragments: HashMap<Vec<u8>, Box<str>>,
    bytes: usize,
}

impl Memo {
    /// Appends a fragment to `out`.
    ///
    /// # Errors
    /// When the theme's template asks for something that is not there.
    pub(crate) fn push<T: Serialize>(
        &self,
        templates: &Templates,
        name: &'static str,
        fields: &T,
        out: &mut String,
    ) -> anyhow::Result<()> {
        let mut key = name.as_bytes().to_vec();
        key.push(0);
        let key = postcard::to_extend(fields, key)?;
        if let Some(fragment) = self.kept.read().unwrap_or_else(PoisonError::into_inner).fragments.get(&key) {
            out.push_str(fragment);
            return Ok(());
        }
        let fragment = templates.render(name, fields)?;
        out.push_str(&fragment);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes < KEPT_BYTES {
            kept.bytes += key.len() + fragment.len();
            kept.fragments.insert(key, fragment.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::Words;

    #[test]
    fn equal_fields_give_the_same_fragment_and_others_their_own() {
        #[derive(Serialize)]
        struct Fields {
            name: &'static str,
        }
        let mut templates = Templates::new();
        templates.add("fragments/a", "a.hbs", "<i>{{name}}</i>", &Words::default()).expect("it compiles");
        templates.add("fragments/b", "b.hbs", "<b>{{name}}</b>", &Words::default()).expect("it compiles");
        let memo = Memo::default();
        let mut out = String::new();
        for (template, name) in [("fragments/a", "x"), ("fragments/b", "x"), ("fragments/a", "y"), ("fragments/a", "x")]
        {
            memo.push(&templates, template, &Fields { name }, &mut out).expect("it renders");
        }
        assert_eq!(out, "<i>x</i><b>x</b><i>y</i><i>x</i>");
    }
}
