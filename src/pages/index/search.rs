//! The search index: for each word the products that have it, in files small enough for a phone.
//!
//! Products are taken in segments of the store's order, so that the first results need only the first segment's files,
//! and memory holds one segment at a time. In a segment, words with the same first two letters are in one file. Words
//! by their last two letters, without products, help with slips at the beginning of a word.

use super::code;
use super::text::{bucket_of, ending_bucket_of, for_each_word, is_code};
use crate::catalog::vocabulary::Vocabulary;
use crate::enhance::wording::words_of_safe_html;
use crate::enhance::{EnhancedProduct, ProductRecord};
use crate::pages::plan::lineage;
use crate::pages::shop::Shop;
use anyhow::Result;
use rayon::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::collections::hash_map::{Entry, HashMap};
use std::ops::Range;

/// The file that names all others.
pub(crate) const SUMMARY: &str = "search/index.json";

/// Products in a segment.
const SEGMENT: usize = 8192;
/// Bytes of a file that are aimed at, before compression.
const FILE_BYTES: usize = 8 * 1024;
/// Products whose words are gathered by one thread at a time.
const SHARE: usize = 256;
/// Most files of one kind in a segment.
const MOST_FILES: u32 = 256;
/// Words of a description that are searched.
const DESCRIPTION_WORDS: usize = 150;

/// Where a word stands, which decides how much a hit is worth.
#[derive(Clone, Copy)]
enum Field {
    Name,
    Attribute,
    Description,
}

/// Positions of products by field, ascending.
#[derive(Default)]
struct Postings([Vec<u32>; 3]);

/// The words of some products. A word that says nothing about a product has no postings.
type Words = HashMap<Box<str>, Option<Postings>>;

/// Makes every file of the index and hands each to `write`.
///
/// # Errors
/// When a product cannot be read back, or `write` fails.
pub(crate) fn write_all(shop: &Shop<'_>, write: &(dyn Fn(&str, &[u8]) -> Result<()> + Sync)) -> Result<()> {
    let mut spellings: BTreeSet<Box<str>> = BTreeSet::new();
    let mut buckets = Vec::new();
    let mut version = blake3::Hasher::new();
    let count = shop.catalog.records.len();
    for (number, from) in (0..count).step_by(SEGMENT).enumerate() {
        let index = segment(shop, from..count.min(from + SEGMENT))?;
        let is_spelled = |postings: &Postings| postings.0[..2].iter().any(|positions| !positions.is_empty());
        let spelled = index.iter().filter(|(word, postings)| !is_code(word) && is_spelled(postings));
        spellings.extend(spelled.map(|(word, _)| word.clone()));
        let entries: Vec<(&str, String)> = index.iter().map(|(word, postings)| (&**word, postings.text())).collect();
        let size: usize = entries.iter().map(|(word, postings)| word.len() + postings.len() + 8).sum();
        let count = files_for(size);
        let mut files: Vec<serde_json::Map<String, Json>> = vec![serde_json::Map::new(); count as usize];
        for (word, postings) in entries {
            files[bucket_of(word, count) as usize].insert(word.to_string(), Json::from(postings));
        }
        let texts: Vec<String> = files.into_par_iter().map(|words| Json::Object(words).to_string()).collect();
        texts.iter().for_each(|text| _ = version.update(text.as_bytes()));
        texts
            .par_iter()
            .enumerate()
            .try_for_each(|(bucket, text)| write(&format!("search/{number}/{bucket}.json"), text.as_bytes()))?;
        buckets.push(count);
    }

    let size: usize = spellings.iter().map(|word| word.len() + 3).sum();
    let endings = files_for(size);
    let mut files: Vec<Vec<&str>> = vec![Vec::new(); endings as usize];
    for word in &spellings {
        files[ending_bucket_of(word, endings) as usize].push(word);
    }
    for (bucket, words) in files.into_iter().enumerate() {
        write(&format!("search/endings/{bucket}.json"), json!(words).to_string().as_bytes())?;
    }
    let summary = json!({
        "count": count,
        "segment": SEGMENT,
        "files": buckets,
        "endings": endings,
        "version": version.finalize().to_hex()[..8],
    });
    write(SUMMARY, format!("{summary}\n").as_bytes())
}

fn files_for(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(FILE_BYTES)).unwrap_or(MOST_FILES).next_power_of_two().min(MOST_FILES)
}

impl Postings {
    /// Adds a product, unless it is there already in a field as good as this one.
    fn add(&mut self, position: u32, field: Field) {
        if self.0.iter().all(|positions| positions.last() != Some(&position)) {
            self.0[field as usize].push(position);
        }
    }

    /// One text a field, separated by blanks: distances between positions.
    fn text(&self) -> String {
        let mut text = String::new();
        for (field, positions) in self.0.iter().enumerate() {
            if field > 0 {
                text.push(' ');
            }
            let mut before = 0;
            for &position in positions {
                code::push_short(&mut text, (position - before) as usize);
                before = position;
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// The words of one segment in order; positions count from its beginning.
fn segment(shop: &Shop<'_>, places: Range<usize>) -> Result<Vec<(Box<str>, Postings)>> {
    let shares: Vec<usize> = places.clone().step_by(SHARE).collect();
    let shares = shares.into_par_iter().map(|from| {
        let mut words = Words::new();
        let share = from..places.end.min(from + SHARE);
        for (index, record) in share.clone().zip(shop.catalog.records.range(share)) {
            let product = shop.product_without_scores(u32::try_from(index)?, &record)?;
            add_words(shop, &record, &product, u32::try_from(index - places.start)?, &mut words);
        }
        Ok(words)
    });
    let mut whole: HashMap<Box<str>, Postings> = HashMap::new();
    for words in shares.collect::<Result<Vec<_>>>()? {
        for (word, postings) in words {
            let Some(postings) = postings else { continue };
            match whole.entry(word) {
                Entry::Vacant(place) => _ = place.insert(postings),
                Entry::Occupied(mut known) => {
                    for (positions, more) in known.get_mut().0.iter_mut().zip(postings.0) {
                        positions.extend(more);
                    }
                }
            }
        }
    }
    let mut words: Vec<_> = whole.into_iter().collect();
    words.par_sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(words)
}

/// Adds the words of a product, each in the best field it stands in. Products come in order of their positions.
fn add_words(shop: &Shop<'_>, record: &ProductRecord, enhanced: &EnhancedProduct, position: u32, words: &mut Words) {
    let mut add = |text: &str, field: Field| {
        for_each_word(text, |word| match words.get_mut(word) {
            Some(None) => {}
            Some(Some(postings)) => postings.add(position, field),
            None if shop.words.search().stop_words.contains(word) => _ = words.insert(word.into(), None),
            None => {
                let mut postings = Postings::default();
                postings.add(position, field);
                words.insert(word.into(), Some(postings));
            }
        });
    };
    let product = &enhanced.product;
    add(&product.name, Field::Name);
    add(enhanced.brand_name.as_deref().unwrap_or_default(), Field::Name);

    for code in [&product.sku, &product.gtin].into_iter().flatten() {
        add(code, Field::Attribute);
    }
    let single = [
        (Vocabulary::FrameShape, &product.frame_shape),
        (Vocabulary::FrameType, &product.frame_type),
        (Vocabulary::Rim, &product.rim),
        (Vocabulary::Gender, &product.gender),
        (Vocabulary::Other, &product.style),
    ];
    let lists = [
        (Vocabulary::Material, &product.materials),
        (Vocabulary::Color, &product.colors),
        (Vocabulary::Other, &product.features),
        (Vocabulary::Other, &product.tags),
        (Vocabulary::Other, &product.lens.coatings),
    ];
    for (vocabulary, term) in single {
        add(term.as_ref().map_or("", |term| shop.words.term(vocabulary, term)), Field::Attribute);
    }
    for (vocabulary, term) in
        lists.into_iter().flat_map(|(vocabulary, terms)| terms.iter().map(move |term| (vocabulary, term)))
    {
        add(shop.words.term(vocabulary, term), Field::Attribute);
    }
    for variant in &product.variants {
        add(shop.words.term(Vocabulary::Color, &variant.color), Field::Attribute);
    }
    for category in record.categories.iter().flat_map(|&category| lineage(shop.catalog, category)) {
        add(shop.name_of_category(category), Field::Attribute);
    }
    if product.lens.polarized == Some(true) {
        add(shop.words.say("polarized"), Field::Attribute);
    }

    let text = words_of_safe_html(&enhanced.description_html);
    text.split_whitespace().take(DESCRIPTION_WORDS).for_each(|word| add(word, Field::Description));
}
