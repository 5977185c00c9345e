//! Orders of products that shoppers can choose: for each product its place among the others.
//!
//! Takes records; makes a column of ranks. Equal products share a rank, and scripts keep the store's order among them.

use super::code;
use crate::catalog::vocabulary::FaceShape;
use crate::enhance::ProductRecord;
use crate::pages::shop::Shop;
use rayon::prelude::*;
use serde_json::json;

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By price, low to high; scripts turn it around for high to low.
    Price,
    /// Newest first, those without a date last.
    Newest,
    /// By name.
    Name,
    /// Most liked first.
    Popular,
    /// By how well they suit a face shape, best first.
    Fit(FaceShape),
}

impl Order {
    /// The orders that a store offers.
    pub(crate) fn all_of(shop: &Shop<'_>) -> Vec<Self> {
        let mut orders = vec![Self::Price, Self::Newest, Self::Name, Self::Popular];
        if shop.config.enable_face_shape_filter {
            orders.extend(FaceShape::ALL.map(Self::Fit));
        }
        orders
    }

    /// Key, as scripts know it.
    pub(crate) fn key(self) -> String {
        match self {
            Self::Price => "price".into(),
            Self::Newest => "newest".into(),
            Self::Name => "name".into(),
            Self::Popular => "popular".into(),
            Self::Fit(shape) => format!("fit-{}", shape.key()),
        }
    }

    /// Path of the column.
    pub(crate) fn file(self) -> String {
        format!("index/order-{}.json", self.key())
    }

    /// Adds what the place of a product comes from. But for names, keys are as long as each other, and their order is that
    /// of their bytes.
    fn push_key(self, shop: &Shop<'_>, record: &ProductRecord, keys: &mut Vec<u8>) {
        /// In the order of the numbers, lowest first.
        fn ascending(number: i64) -> u64 {
            number.cast_unsigned() ^ (1 << 63)
        }
        match self {
            Self::Price => {
                keys.extend_from_slice(record.price.currency.code().as_bytes());
                keys.extend_from_slice(&ascending(record.price.minor).to_be_bytes());
            }
            Self::Newest => {
                keys.push(u8::from(record.created_at.is_none()));
                keys.extend_from_slice(&(!ascending(record.created_at.unwrap_or_default())).to_be_bytes());
            }
            Self::Name => {
                let name = shop.name(record);
                keys.extend_from_slice(&(name.len() as u32).to_be_bytes());
                keys.extend_from_slice(name.as_bytes());
            }
            Self::Popular => keys.extend_from_slice(&(!record.popularity).to_be_bytes()),
            Self::Fit(shape) => {
                let fit = record.fits[shape.index()];
                keys.extend_from_slice(&[u8::from(fit.is_none()), !fit.unwrap_or_default()]);
            }
        }
    }

    /// Whether two states of a product may have different places.
    pub(crate) fn tells_apart(self, shop: &Shop<'_>, one: &ProductRecord, other: &ProductRecord) -> bool {
        let key = |record| {
            let mut key = Vec::new();
            self.push_key(shop, record, &mut key);
            key
        };
        key(one) != key(other)
    }
}

/// What the places of all products in an order come from.
pub(crate) struct Keys {
    pub(crate) order: Order,
    /// What the order is, and the keys behind it.
    bytes: Vec<u8>,
    /// Where the keys begin.
    start: usize,
    count: usize,
}

impl Keys {
    /// The keys of some orders, made in one pass through the products: there may be more of them than there is memory for.
    pub(crate) fn of_orders(shop: &Shop<'_>, orders: &[Order]) -> Vec<Self> {
        let count = shop.catalog.records.len();
        let begun = |&order: &Order| {
            let bytes = format!("{} {}\n", order.key(), shop.locale).into_bytes();
            Self { order, start: bytes.len(), bytes, count }
        };
        let mut all: Vec<Self> = orders.iter().map(begun).collect();
        if !all.is_empty() {
            for record in shop.catalog.records.iter() {
                all.iter_mut().for_each(|keys| keys.order.push_key(shop, &record, &mut keys.bytes));
            }
        }
        all
    }

    /// All that the ranks are made from.
    pub(crate) fn basis(&self) -> &[u8] {
        &self.bytes
    }

    /// The file: how many ranks there are, then the rank of each product.
    pub(crate) fn text(&self, shop: &Shop<'_>) -> String {
        let keys = &self.bytes[self.start..];
        let ranks = match (self.order, keys.len().checked_div(self.count)) {
            (Order::Name, _) => {
                let sorted_by = SortKeys::of_names(shop, keys);
                ranks(self.count, |place| sorted_by.get(place))
            }
            (_, width) => {
                let width = width.unwrap_or_default();
                ranks(self.count, |place| &keys[place * width..][..width])
            }
        };
        let count = ranks.iter().max().map_or(0, |last| last + 1) as usize;
        let width = code::width(count);
        let mut codes = String::with_capacity(ranks.len() * width);
        ranks.iter().for_each(|&rank| code::push_fixed(&mut codes, rank as usize, width));
        format!("{}\n", json!([count, codes]))
    }
}

/// What names are sorted by in the store's language, one key behind the other.
#[derive(Default)]
struct SortKeys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl SortKeys {
    fn of_names(shop: &Shop<'_>, names: &[u8]) -> Self {
        const AT_ONCE: usize = 1 << 12;
        let (mut names, mut keys) = (names_in(names).peekable(), Self::default());
        while names.peek().is_some() {
            let some: Vec<&str> = names.by_ref().take(AT_ONCE).collect();
            for key in some.into_par_iter().map(|name| shop.collator.key(name)).collect::<Vec<_>>() {
                keys.bytes.extend_from_slice(&key);
                keys.ends.push(keys.bytes.len());
            }
        }
        keys
    }

    fn get(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[place]]
    }
}

/// Names, each behind its length.
fn names_in(mut keys: &[u8]) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (length, rest) = keys.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        keys = rest;
        std::str::from_utf8(name).ok()
    })
}

/// Ranks from 0, without gaps; equal keys have the same.
fn ranks<'k>(count: usize, key: impl Fn(usize) -> &'k [u8] + Sync) -> Vec<u32> {
    let key = |place: u32| key(place as usize);
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.par_sort_by(|&a, &b| key(a).cmp(key(b)));
    let mut ranks = vec![0; count];
    for pair in order.windows(2) {
        ranks[pair[1] as usize] = ranks[pair[0] as usize] + u32::from(key(pair[0]) != key(pair[1]));
    }
    ranks
}
