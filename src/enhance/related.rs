//! Related products: neighbours in shape, brand, price and fit.
//!
//! Comparing every product with every other does not scale, so each one looks at its neighbours by price among the
//! frames of its own type and shape, and among those of its own brand. The work grows with the number of products, not
//! with its square, and the result depends on nothing but the products.

use super::record::{ProductRecord, TermId};
use super::size::SizeClass;
use crate::catalog::money::Currency;
use rayon::prelude::*;
use std::collections::HashMap;

/// Neighbours a page shows.
pub(super) const MOST_RELATED: usize = 8;

/// How far to look in each direction among frames of the same shape, and among those of the same brand.
const SAME_SHAPE_REACH: usize = 16;
const SAME_BRAND_REACH: usize = 8;

/// For each record, the positions of its related records, best first.
pub(super) fn related(records: &[ProductRecord]) -> Vec<Box<[u32]>> {
    let traits: Vec<Traits<'_>> = records.par_iter().map(Traits::of).collect();
    let mut by_price: Vec<u32> = (0..records.len() as u32).collect();
    by_price.par_sort_unstable_by(|&a, &b| {
        let rank = |position: u32| (traits[position as usize].price, &records[position as usize].id);
        rank(a).cmp(&rank(b))
    });
    let by_shape = Lanes::new(&traits, &by_price, |traits| {
        Some((traits.frame_type.unwrap_or(u32::MAX), traits.frame_shape.unwrap_or(u32::MAX)))
    });
    let by_brand = Lanes::new(&traits, &by_price, |traits| traits.brand.map(|brand| (brand, 0)));
    let by_type = Lanes::new(&traits, &by_price, |traits| Some((traits.frame_type.unwrap_or(u32::MAX), 0)));
    (0..records.len() as u32)
        .into_par_iter()
        .map_init(Room::default, |Room { candidates, ranked }, position| {
            candidates.clear();
            candidates.extend(by_shape.near(position, SAME_SHAPE_REACH));
            candidates.extend(by_brand.near(position, SAME_BRAND_REACH));
            if candidates.len() < MOST_RELATED {
                candidates.extend(by_type.near(position, MOST_RELATED));
            }
            candidates.sort_unstable();
            candidates.dedup();
            candidates.retain(|&candidate| candidate != position);
            let own = &traits[position as usize];
            let rank = |&candidate: &u32| (-nearness(own, &traits[candidate as usize]), candidate);
            ranked.clear();
            ranked.extend(candidates.iter().map(rank));
            if ranked.len() > MOST_RELATED {
                ranked.select_nth_unstable(MOST_RELATED - 1);
                ranked.truncate(MOST_RELATED);
            }
            ranked.sort_unstable();
            ranked.iter().map(|&(_, candidate)| candidate).collect()
        })
        .collect()
}

/// What a thread compares in, used again for each product.
#[derive(Default)]
struct Room {
    candidates: Vec<u32>,
    ranked: Vec<(i32, u32)>,
}

/// What nearness is measured by. Every product is compared with dozens of others, so this lies closer together than
/// records do.
struct Traits<'r> {
    price: i64,
    currency: Currency,
    frame_type: Option<TermId>,
    frame_shape: Option<TermId>,
    brand: Option<u32>,
    gender: Option<TermId>,
    materials: &'r [TermId],
    size: Option<SizeClass>,
    is_available: bool,
    fits: [Option<u8>; 7],
}

impl<'r> Traits<'r> {
    fn of(record: &'r ProductRecord) -> Self {
        Self {
            price: record.price.minor,
            currency: record.price.currency,
            frame_type: record.frame_type,
            frame_shape: record.frame_shape,
            brand: record.brand,
            gender: record.gender,
            materials: &record.materials,
            size: record.size,
            is_available: record.availability.is_available(),
            fits: record.fits,
        }
    }
}

/// How near two products are, in points; symmetrical.
fn nearness(a: &Traits<'_>, b: &Traits<'_>) -> i32 {
    let same = |flag: bool, points: i32| if flag { points } else { 0 };
    let (low, high) = (a.price.min(b.price), a.price.max(b.price));
    let price = match (low.checked_mul(20), high) {
        _ if a.currency != b.currency || high <= 0 => 0,
        (Some(twenty), _) => (twenty / high) as i32,
        (None, _) => (i128::from(low) * 20 / i128::from(high)) as i32,
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
        + same(b.is_available && a.is_available, 25)
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
    fn new(traits: &[Traits<'_>], by_price: &[u32], key: impl Fn(&Traits<'_>) -> Option<(u32, u32)>) -> Self {
        let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
        let mut lanes: Vec<Vec<u32>> = Vec::new();
        let mut places = vec![None; traits.len()];
        for &position in by_price {
            if let Some(key) = key(&traits[position as usize]) {
                let lane = *numbers.entry(key).or_insert_with(|| {
                    lanes.push(Vec::new());
                    (lanes.len() - 1) as u32
                });
                let members = &mut lanes[lane as usize];
                places[position as usize] = Some((lane, members.len() as u32));
                members.push(position);
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
