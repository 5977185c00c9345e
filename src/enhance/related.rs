//! Related products: neighbours in shape, brand, price and fit.
//!
//! Comparing every product with every other does not scale, so each one looks at its neighbours by price among the
//! frames of its own type and shape, and among those of its own brand. The work grows with the number of products, not
//! with its square, and the result depends on nothing but the products.

use super::record::ProductRecord;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Neighbours a page shows.
pub(super) const MOST_RELATED: usize = 8;

/// How far to look in each direction among frames of the same shape, and among those of the same brand.
const SAME_SHAPE_REACH: usize = 16;
const SAME_BRAND_REACH: usize = 8;

/// For each record, the positions of its related records, best first.
pub(super) fn related(records: &[ProductRecord]) -> Vec<Box<[u32]>> {
    let by_shape = Lanes::new(records, |record| {
        Some((record.frame_type.map_or(u32::MAX, |id| id), record.frame_shape.map_or(u32::MAX, |id| id)))
    });
    let by_brand = Lanes::new(records, |record| record.brand.map(|brand| (brand, 0)));
    let by_type = Lanes::new(records, |record| Some((record.frame_type.map_or(u32::MAX, |id| id), 0)));
    (0..records.len() as u32)
        .into_par_iter()
        .map(|position| {
            let mut candidates: Vec<u32> = by_shape.near(position, SAME_SHAPE_REACH).collect();
            candidates.extend(by_brand.near(position, SAME_BRAND_REACH));
            if candidates.len() < MOST_RELATED {
                candidates.extend(by_type.near(position, MOST_RELATED));
            }
            candidates.sort_unstable();
            candidates.dedup();
            candidates.retain(|&candidate| candidate != position);
            let own = &records[position as usize];
            let mut ranked: Vec<(i32, u32)> = candidates
                .into_iter()
                .map(|candidate| (-nearness(own, &records[candidate as usize]), candidate))
                .collect();
            ranked.sort_unstable();
            ranked.truncate(MOST_RELATED);
            ranked.into_iter().map(|(_, candidate)| candidate).collect()
        })
        .collect()
}

/// How near two products are, in points; symmetrical.
fn nearness(a: &ProductRecord, b: &ProductRecord) -> i32 {
    let same = |flag: bool, points: i32| if flag { points } else { 0 };
    let (low, high) = (a.price.minor.min(b.price.minor), a.price.minor.max(b.price.minor));
    let price = if a.price.currency == b.price.currency && high > 0 {
        (i128::from(low) * 20 / i128::from(high)) as i32
    } else {
        0
    };
    // 0 where two frames suit the same faces, 100 where they suit opposite ones.
    let apart: i32 = a
        .fits
        .iter()
        .zip(&b.fits)
        .map(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => (i32::from(*a) - i32::from(*b)).abs(),
            _ => 50,
        })
        .sum::<i32>()
        / 7;
    same(a.frame_type.is_some() && a.frame_type == b.frame_type, 30)
        + same(a.frame_shape.is_some() && a.frame_shape == b.frame_shape, 30)
        + same(a.brand.is_some() && a.brand == b.brand, 18)
        + same(a.size.is_some() && a.size == b.size, 10)
        + same(a.gender.is_some() && a.gender == b.gender, 8)
        + same(a.materials.first().is_some_and(|material| b.materials.contains(material)), 6)
        + same(b.availability.is_available() && a.availability.is_available(), 25)
        + price
        + (100 - apart) / 5
}

/// Records in lanes of the same key, each lane in order of price.
struct Lanes {
    lanes: Vec<Vec<u32>>,
    /// Lane and place in it, by record.
    places: Vec<Option<(u32, u32)>>,
}

impl Lanes {
    fn new(records: &[ProductRecord], key: impl Fn(&ProductRecord) -> Option<(u32, u32)>) -> Self {
        let mut by_key: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        for (position, record) in records.iter().enumerate() {
            if let Some(key) = key(record) {
                by_key.entry(key).or_default().push(position as u32);
            }
        }
        let mut lanes: Vec<Vec<u32>> = by_key.into_values().collect();
        let mut places = vec![None; records.len()];
        for (lane, members) in lanes.iter_mut().enumerate() {
            members.sort_by_key(|&position| {
                let record = &records[position as usize];
                (record.price.minor, record.id.clone())
            });
            for (place, &position) in members.iter().enumerate() {
                places[position as usize] = Some((lane as u32, place as u32));
            }
        }
        Self { lanes, places }
    }

    fn near(&self, position: u32, reach: usize) -> impl Iterator<Item = u32> {
        let window = self.places[position as usize].map_or(&[][..], |(lane, place)| {
            let members = &self.lanes[lane as usize];
            let place = place as usize;
            &members[place.saturating_sub(reach)..(place + reach + 1).min(members.len())]
        });
        window.iter().copied()
    }
}
