//! Orders of products that shoppers can choose: for each product its place among the others.
//!
//! Takes records; makes a column of ranks. Equal products share a rank, and scripts keep the store's order among them.

use super::code;
use crate::catalog::vocabulary::FaceShape;
use crate::enhance::{ProductRecord, Records};
use crate::pages::shop::Shop;
use rayon::prelude::*;
use serde_json::json;
use std::cmp::Reverse;

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

    /// All that its ranks are made from.
    pub(crate) fn basis(self, shop: &Shop<'_>) -> Vec<u8> {
        let records = &shop.catalog.records;
        let mut basis = format!("{} {}\n", self.key(), shop.locale).into_bytes();
        records.iter().for_each(|record| self.push_basis(shop, &record, &mut basis));
        basis
    }

    /// What the place of a record comes from.
    fn push_basis(self, shop: &Shop<'_>, record: &ProductRecord, basis: &mut Vec<u8>) {
        match self {
            Self::Price => {
                basis.extend_from_slice(record.price.currency.code().as_bytes());
                basis.extend_from_slice(&record.price.minor.to_le_bytes());
            }
            Self::Newest => {
                basis.push(u8::from(record.created_at.is_some()));
                basis.extend_from_slice(&record.created_at.unwrap_or_default().to_le_bytes());
            }
            Self::Name => {
                let name = shop.name(record);
                basis.extend_from_slice(&(name.len() as u32).to_le_bytes());
                basis.extend_from_slice(name.as_bytes());
            }
            Self::Popular => basis.extend_from_slice(&record.popularity.to_le_bytes()),
            Self::Fit(shape) => basis.push(record.fits[shape.index()].unwrap_or(u8::MAX)),
        }
    }

    /// Whether two states of a product may have different places.
    pub(crate) fn tells_apart(self, shop: &Shop<'_>, one: &ProductRecord, other: &ProductRecord) -> bool {
        let basis = |record| {
            let mut basis = Vec::new();
            self.push_basis(shop, record, &mut basis);
            basis
        };
        basis(one) != basis(other)
    }

    /// The file: how many ranks there are, then the rank of each product.
    pub(crate) fn text(self, shop: &Shop<'_>) -> String {
        let records = &shop.catalog.records;
        let ranks = match self {
            Self::Price => ranks(records, |record| (record.price.currency.code(), record.price.minor)),
            Self::Newest => ranks(records, |record| Reverse(record.created_at)),
            Self::Name => ranks(records, |record| shop.collator.key(shop.name(record))),
            Self::Popular => ranks(records, |record| Reverse(record.popularity)),
            Self::Fit(shape) => ranks(records, |record| Reverse(record.fits[shape.index()])),
        };
        let count = ranks.iter().max().map_or(0, |last| last + 1);
        let width = code::width(count);
        let mut codes = String::with_capacity(ranks.len() * width);
        ranks.iter().for_each(|&rank| code::push_fixed(&mut codes, rank, width));
        format!("{}\n", json!([count, codes]))
    }
}

/// Ranks from 0, without gaps; equal keys have the same.
fn ranks<K: Ord + Send + Sync>(records: &Records, key: impl Fn(&ProductRecord) -> K + Send + Sync) -> Vec<usize> {
    let keys: Vec<K> = records.par_iter().map(|(_, record)| key(&record)).collect();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.par_sort_by(|&a, &b| keys[a].cmp(&keys[b]));
    let mut ranks = vec![0; keys.len()];
    for pair in order.windows(2) {
        ranks[pair[1]] = ranks[pair[0]] + usize::from(keys[pair[0]] != keys[pair[1]]);
    }
    ranks
}
