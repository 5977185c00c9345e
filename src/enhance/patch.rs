//! A catalogue that has been made before, with a few changed products put in their places.
//!
//! In: the catalogue, and the drafts of the products that a server says were written to. Out: the catalogue that making it
//! from all drafts would give. Prices, stock, scores and descriptions concern one product; as soon as anything changes that
//! others depend on (which products there are, their order, slugs, brands, terms), all drafts are needed.

use super::catalog::{EnhancedCatalog, Touched};
use super::drafts::Draft;
use super::outline::rank;
use super::record::ProductRecord;
use super::records::Records;
use super::related::{Related, is_as_near};
use super::snapshot::Snapshot;
use super::terms::Terms;
use super::tree::CategoryNode;
use crate::catalog::product::Brand;
use crate::config::SortOrder;
use crate::site::Digest;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What of each draft the others depend on.
pub(super) struct Ties {
    /// Places of records by the keys of their documents.
    by_key: HashMap<Digest, u32>,
    of_records: Vec<Digest>,
}

/// A catalogue with what it takes to change it, but without its full products: as long as somebody has their file open,
/// nobody else can use what is remembered.
pub(super) struct Patchable {
    records: Records,
    related: Related,
    brands: Vec<Brand>,
    categories: Vec<CategoryNode>,
    terms: Terms,
    differences: BTreeMap<u32, String>,
    ties: Ties,
    touched: Touched,
}

impl Ties {
    /// The ties of drafts in the order of their records; `None` where a server could not tell of each that it was changed.
    pub(super) fn of(drafts: &[Draft]) -> Option<Self> {
        let places = (0..).zip(drafts).map(|(place, draft)| Some((draft.key?, place)));
        let by_key: HashMap<Digest, u32> = places.collect::<Option<_>>()?;
        let of_records: Vec<Digest> = drafts.par_iter().map(tie).collect::<Option<_>>()?;
        (by_key.len() == drafts.len()).then_some(Self { by_key, of_records })
    }
}

/// A hash of what a draft says that has to do with more than its own product. Ids of brands, categories and terms are
/// preliminary, and stay the same from one reading to the next.
fn tie(draft: &Draft) -> Option<Digest> {
    let ProductRecord { id, name, sku, brand, categories, frame_shape, frame_type, rim, gender, .. } = &draft.record;
    let ProductRecord { materials, colors, features, .. } = &draft.record;
    let own = (&*draft.collection, &draft.wished_slug, draft.texts, id, name, sku);
    let shared = (brand, categories, frame_shape, frame_type, rim, gender, materials, colors, features);
    let bytes = postcard::to_stdvec(&(own, shared)).ok()?;
    Some(super::collect::digest_of(&blake3::hash(&bytes)))
}

impl Patchable {
    /// A catalogue as it was made.
    pub(super) fn new(catalog: EnhancedCatalog, ties: Ties) -> Self {
        let EnhancedCatalog { records, related, brands, categories, terms, differences, snapshot: _, touched: _ } =
            catalog;
        Self { records, related, brands, categories, terms, differences, ties, touched: Touched::default() }
    }

    /// The catalogue with its full products, and its ties for the next time.
    pub(super) fn into_catalog(self, snapshot: Arc<Snapshot>) -> (EnhancedCatalog, Ties) {
        let Self { records, related, brands, categories, terms, differences, ties, touched } = self;
        let touched = Some(touched);
        (EnhancedCatalog { records, related, brands, categories, terms, differences, snapshot, touched }, ties)
    }

    /// Puts products in the places that they had; `None` where the others would be different, too, or are not in memory.
    pub(super) fn with(mut self, drafts: &[Draft], sort: SortOrder) -> Option<Self> {
        let place_of = |draft: &Draft| {
            let place = *self.ties.by_key.get(&draft.key?)?;
            (self.ties.of_records[place as usize] == tie(draft)?).then_some(place as usize)
        };
        let places = drafts.iter().map(|draft| Some((place_of(draft)?, &draft.record)));
        let changed: BTreeMap<usize, &ProductRecord> = places.collect::<Option<_>>()?;
        let records = self.records.in_memory()?;
        let order = |record: &ProductRecord| (rank(record, sort), record.id.clone());
        let order_at = |place: usize| Some(order(changed.get(&place).copied().or(records.get(place))?));
        let stays = |(&place, record): (&usize, &&ProductRecord)| {
            let own = order(record);
            let before = place.checked_sub(1).and_then(order_at);
            before.is_none_or(|before| before < own) && order_at(place + 1).is_none_or(|next| own < next)
        };
        if !changed.iter().all(stays) {
            return None;
        }
        let touched = &mut self.touched;
        for (place, new) in changed {
            let old = &mut records[place];
            // What was made of the preliminary ids is what would be made of them again.
            let was = old.clone();
            let new = ProductRecord {
                slug: was.slug,
                brand: was.brand,
                categories: was.categories,
                frame_shape: was.frame_shape,
                frame_type: was.frame_type,
                rim: was.rim,
                gender: was.gender,
                materials: was.materials,
                colors: was.colors,
                features: was.features,
                ..new.clone()
            };
            touched.records.insert(u32::try_from(place).ok()?, std::mem::replace(old, new));
        }
        let records = &self.records;
        let others = touched.records.iter().filter(|(place, old)| !is_as_near(old, &records.at(**place)));
        let others: Vec<(u32, &ProductRecord)> = others.map(|(place, old)| (*place, old)).collect();
        if !others.is_empty() {
            touched.neighbours.extend(self.related.put_right(records, others.into_iter()));
        }
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::collect::{Collector, Mapped};
    use super::*;
    use crate::assets::media::Media;
    use crate::catalog::References;
    use crate::catalog::product::{Availability, Product, Reference};
    use crate::catalog::vocabulary::{Term, Vocabulary};
    use crate::config::ProductFilters;
    use crate::language::Words;
    use proptest::prelude::*;
    use std::borrow::Cow;
    use std::sync::PoisonError;

    fn products() -> Vec<Product> {
        let priced = |(at, name): (i64, &str)| {
            let mut product = Product::sample(name, name);
            product.price.minor = 10_000 + 1000 * at;
            product
        };
        (0..).zip(["Ada", "Bea", "Cora", "Dora"]).map(priced).collect()
    }

    fn mapped(position: usize, product: Product) -> Mapped {
        let key = super::super::collect::digest_of(&blake3::hash(product.id.as_bytes()));
        Mapped { key: Some(key), ..Mapped::product(position, product) }
    }

    /// The catalogue of all products once some of them are others: made from scratch, and patched if that can be.
    fn made_of(
        products: &[Product],
        others: &[(usize, Product)],
        sort: SortOrder,
    ) -> (EnhancedCatalog, Option<EnhancedCatalog>) {
        let folder = tempfile::tempdir().expect("a folder");
        let (words, references, media) = (Words::english(), References::default(), Media::new(None));
        let filters = ProductFilters::default();
        let collector = || {
            let mut findings = Vec::new();
            Collector::new(&words, &references, &media, &filters, folder.path(), &mut findings).expect("a collector")
        };
        let take = |collector: &Collector<'_>, block: usize, products: Vec<Product>| {
            let mapped = (0..).zip(products).map(|(position, product)| mapped(position, product)).collect();
            collector.take(block, &Arc::from("products"), mapped).expect("room on disk");
        };
        let finished = |collector: Collector<'_>| collector.finish(sort, None, &mut Vec::new()).expect("drafts").0;
        let mut now = products.to_vec();
        others.iter().for_each(|(place, product)| now[*place] = product.clone());
        let fresh = collector();
        take(&fresh, 0, now);

        let drafts_of = |collector: Collector<'_>| {
            let snapshot = Arc::new(collector.snapshot.finish());
            let drafts = collector.drafts.into_inner().unwrap_or_else(PoisonError::into_inner);
            let mut drafts = drafts.gather(Arc::clone(&snapshot));
            let order: Vec<u32> = (0..drafts.len() as u32).collect();
            (drafts.take_in_order(&order).expect("in memory"), snapshot)
        };
        let [before, twin] = [collector(), collector()];
        [&before, &twin].into_iter().for_each(|collector| take(collector, 0, products.to_vec()));
        let (mut drafts, _) = drafts_of(twin);
        drafts.sort_by_key(|draft| (rank(&draft.record, sort), draft.record.id.clone()));
        let ties = Ties::of(&drafts).expect("keys");
        // Preliminary ids are the same for who knows the spellings already.
        let after = collector();
        take(&after, 0, products.to_vec());
        take(&after, 1, others.iter().map(|(_, product)| product.clone()).collect());
        let (mut drafts, snapshot) = drafts_of(after);
        let drafts = drafts.split_off(products.len());
        let patched = Patchable::new(finished(before), ties).with(&drafts, sort);
        (finished(fresh), patched.map(|patched| patched.into_catalog(snapshot).0))
    }

    fn changed(change: impl Fn(&mut Product)) -> (EnhancedCatalog, Option<EnhancedCatalog>) {
        let products = products();
        let mut other = products[1].clone();
        change(&mut other);
        made_of(&products, &[(1, other)], SortOrder::PriceAscending)
    }

    fn shown(catalog: &EnhancedCatalog) -> Vec<String> {
        let records = (0..).zip(catalog.records.iter());
        let unplaced = |record: Cow<'_, ProductRecord>| ProductRecord { snapshot: (0, 0), ..record.into_owned() };
        records.map(|(index, record)| format!("{:?} {:?}", unplaced(record), catalog.related.to(index))).collect()
    }

    #[test]
    fn what_concerns_one_product_is_put_in_its_place() {
        let changes: [fn(&mut Product); 3] = [
            |product| product.price.minor += 500,
            |product| product.featured = true,
            |product| product.sort_order = Some(3),
        ];
        for change in changes {
            let (fresh, patched) = changed(change);
            let patched = patched.expect("nobody else is concerned");
            assert_eq!(shown(&fresh), shown(&patched));
            let touched = patched.touched.expect("a patched catalogue").records;
            assert_eq!(touched.keys().copied().collect::<Vec<_>>(), [1]);
        }
    }

    #[test]
    fn what_concerns_others_is_left_to_the_whole() {
        let changes: [fn(&mut Product); 4] = [
            |product| product.price.minor = 12_500,
            |product| product.name = "Bella".into(),
            |product| product.sku = Some("B-1".into()),
            |product| product.id = "new".into(),
        ];
        for change in changes {
            assert!(changed(change).1.is_none());
        }
    }

    /// One of a few dozen frames in a few shapes and brands, so that some have enough neighbours of their kind and some do
    /// not.
    fn frame(at: usize, price: i64) -> Product {
        let mut product = Product::sample(&format!("p{at:03}"), &format!("Frame {at:03}"));
        product.price.minor = price;
        let shape = ["round", "oval", "square", "aviator", "cat eye"][(at * 7 / 3) % 5];
        product.frame_shape = Term::parse(Vocabulary::FrameShape, shape);
        let brand = ["Nord", "Lumen", "Arc", "Vale"][(at * 5 / 2) % 4];
        product.brand = (!at.is_multiple_of(3)).then(|| Reference { id: None, name: Some(brand.into()) });
        product
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn neighbours_of_changed_products_are_those_of_a_fresh_catalogue(
            prices in proptest::collection::vec(5_000..30_000_i64, 30..120),
            changes in proptest::collection::vec((0..1000_usize, 5_000..30_000_i64, proptest::bool::ANY), 1..5),
        ) {
            let products: Vec<Product> = (0..).zip(&prices).map(|(at, price)| frame(at, *price)).collect();
            let changes: BTreeMap<usize, (i64, bool)> =
                changes.into_iter().map(|(at, price, sold)| (at % products.len(), (price, sold))).collect();
            let other = |(at, (price, is_sold)): (usize, (i64, bool))| {
                let mut product = frame(at, price);
                if is_sold {
                    product.availability = Availability::OutOfStock;
                }
                (at, product)
            };
            let others: Vec<(usize, Product)> = changes.into_iter().map(other).collect();
            let (fresh, patched) = made_of(&products, &others, SortOrder::Name);
            let patched = patched.expect("names, and so places, stay");
            prop_assert_eq!(shown(&fresh), shown(&patched));
        }
    }
}
