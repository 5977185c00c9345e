//! Related products: neighbours in shape, brand, price and fit.
//!
//! Comparing every product with every other does not scale, so each one looks at its neighbours by price among the
//! frames of its own type and shape, and among those of its own brand. The work grows with the number of products, not
//! with its square, and the result depends on nothing but the products.

use super::record::{ProductRecord, TermId, beginning_of};
use super::records::Records;
use super::size::SizeClass;
use crate::catalog::money::Currency;
use rayon::prelude::*;
use std::collections::HashMap;

/// Neighbours a page shows.
pub(super) const MOST_RELATED: usize = 8;

/// How far to look in each direction among frames of the same shape, and among those of the same brand.
const SAME_SHAPE_REACH: usize = 16;
const SAME_BRAND_REACH: usize = 8;

/// For each record, the positions of its related records, best first, never itself.
pub struct Related(Vec<Row>);

/// Positions, and [`NONE`] behind them.
type Row = [u32; MOST_RELATED];

impl Related {
    /// The neighbours of all records.
    pub(super) fn of(records: &Records) -> Self {
        let assortment = Assortment::of(records);
        let by_rank = (0..assortment.traits.len() as u32).into_par_iter();
        let by_rank = by_rank
            .map_init(Room::default, |room, rank| (assortment.position(rank), assortment.neighbours(rank, room)));
        let mut rows = vec![[NONE; MOST_RELATED]; records.len()];
        for (position, row) in by_rank.collect::<Vec<_>>() {
            rows[position as usize] = row;
        }
        Self(rows)
    }

    /// The positions of the records related to one.
    pub fn to(&self, position: u32) -> &[u32] {
        let row = self.0.get(position as usize).map_or(&[][..], |row| row);
        row.split(|&other| other == NONE).next().unwrap_or_default()
    }

    /// Puts right those records that have other related ones than before `changed` records, here as they were, got other
    /// prices, fits and the like. Gives their positions.
    pub(super) fn put_right<'r>(
        &mut self,
        records: &Records,
        changed: impl Iterator<Item = (u32, &'r ProductRecord)>,
    ) -> Vec<u32> {
        let assortment = Assortment::of(records);
        let rank_of = |record: &ProductRecord| {
            let comes_before = |&position: &u32| price_key(&records.at(position)) < price_key(record);
            assortment.by_price.partition_point(comes_before) as u32
        };
        let moves: Vec<(u32, u32)> =
            changed.map(|(position, old)| (rank_of(old), rank_of(&records.at(position)))).collect();
        let mut concerned: Vec<u32> = Vec::new();
        for &(old, new) in &moves {
            for (lanes, reach) in assortment.lanes() {
                // Each of the others may have moved this one's neighbours by one place.
                concerned.extend(lanes.between(old, new, reach + moves.len()));
            }
        }
        concerned.sort_unstable();
        concerned.dedup();
        let neighbours = |room: &mut Room, rank| (assortment.position(rank), assortment.neighbours(rank, room));
        let anew: Vec<(u32, Row)> = concerned.into_par_iter().map_init(Room::default, neighbours).collect();
        let mut others = Vec::new();
        for (position, row) in anew {
            if std::mem::replace(&mut self.0[position as usize], row) != row {
                others.push(position);
            }
        }
        others
    }
}

/// Products in the order of their prices, and how near each is to others.
struct Assortment {
    by_price: Vec<u32>,
    /// In the same order, so that those that are compared lie close together in memory.
    traits: Vec<Traits>,
    by_shape: Lanes,
    by_brand: Lanes,
    by_type: Lanes,
}

fn price_key(record: &ProductRecord) -> (i64, &str) {
    (record.price.minor, &record.id)
}

impl Assortment {
    fn of(records: &Records) -> Self {
        let keys = records.par_iter();
        let keys = keys.map(|(position, record)| (record.price.minor, beginning_of(&record.id), position));
        let mut keys: Vec<(i64, [u8; 24], u32)> = keys.collect();
        keys.par_sort_unstable_by(|one, other| {
            let by_id = || records.at(one.2).id.cmp(&records.at(other.2).id);
            (one.0, one.1).cmp(&(other.0, other.1)).then_with(by_id)
        });
        let by_price: Vec<u32> = keys.into_iter().map(|(.., position)| position).collect();
        let materials = Materials::of(records);
        let traits: Vec<Traits> =
            by_price.par_iter().map(|&position| Traits::of(&records.at(position), &materials)).collect();
        let by_shape = || Lanes::new(&traits, |traits| Some((traits.frame_type, traits.frame_shape)));
        let by_brand = || Lanes::new(&traits, |traits| (traits.brand != NONE).then_some((traits.brand, 0)));
        let by_type = || Lanes::new(&traits, |traits| Some((traits.frame_type, 0)));
        let (by_shape, (by_brand, by_type)) = rayon::join(by_shape, || rayon::join(by_brand, by_type));
        Self { by_price, traits, by_shape, by_brand, by_type }
    }

    /// Everything that neighbours come from, and how far it is looked through.
    fn lanes(&self) -> [(&Lanes, usize); 3] {
        [(&self.by_shape, SAME_SHAPE_REACH), (&self.by_brand, SAME_BRAND_REACH), (&self.by_type, MOST_RELATED)]
    }

    /// The position of a record by its rank among the prices.
    fn position(&self, rank: u32) -> u32 {
        self.by_price[rank as usize]
    }

    /// The positions of the records related to one.
    fn neighbours(&self, rank: u32, room: &mut Room) -> Row {
        let Room { candidates, ranked } = room;
        candidates.clear();
        let [same_kind @ .., (same_type, type_reach)] = self.lanes();
        for (lanes, reach) in same_kind {
            candidates.extend(lanes.near(rank, reach));
        }
        candidates.sort_unstable();
        candidates.dedup();
        // The product itself is among them.
        if candidates.len() <= MOST_RELATED {
            candidates.extend(same_type.near(rank, type_reach));
            candidates.sort_unstable();
            candidates.dedup();
        }
        let own = &self.traits[rank as usize];
        ranked.clear();
        ranked.extend(
            candidates
                .iter()
                .filter(|&&candidate| candidate != rank)
                .map(|&candidate| (-nearness(own, &self.traits[candidate as usize]), self.position(candidate))),
        );
        if ranked.len() > MOST_RELATED {
            ranked.select_nth_unstable(MOST_RELATED - 1);
            ranked.truncate(MOST_RELATED);
        }
        ranked.sort_unstable();
        let mut row = [NONE; MOST_RELATED];
        row.iter_mut().zip(ranked.iter()).for_each(|(place, &(_, position))| *place = position);
        row
    }
}

/// Whether two states of a product have the same neighbours, and are the same to them.
pub(super) fn is_as_near(one: &ProductRecord, other: &ProductRecord) -> bool {
    let traits = |record: &ProductRecord| {
        let ProductRecord { price, frame_type, frame_shape, brand, gender, size, availability, fits, .. } = record;
        let is_available = availability.is_available();
        (*price, *frame_type, *frame_shape, *brand, *gender, *size, is_available, *fits, record.materials.clone())
    };
    traits(one) == traits(other)
}

/// What a thread compares in, used again for each product.
#[derive(Default)]
struct Room {
    candidates: Vec<u32>,
    ranked: Vec<(i32, u32)>,
}

/// Stands for a term, a brand or a neighbour that a product has none of.
const NONE: u32 = u32::MAX;
/// Stands for a fit of which nothing is known.
const UNKNOWN: u8 = u8::MAX;

/// What nearness is measured by, in one cache line: every product is compared with dozens of others.
struct Traits {
    price: i64,
    /// A bit for each material.
    materials: u128,
    /// The bit of the first one.
    material: u128,
    frame_type: u32,
    frame_shape: u32,
    brand: u32,
    gender: u32,
    currency: Currency,
    size: Option<SizeClass>,
    is_available: bool,
    fits: [u8; 7],
}

impl Traits {
    fn of(record: &ProductRecord, materials: &Materials) -> Self {
        let bit = |id: &TermId| materials.bit(*id);
        Self {
            price: record.price.minor,
            materials: record.materials.iter().map(bit).fold(0, |all, one| all | one),
            material: record.materials.first().map_or(0, bit),
            frame_type: record.frame_type.unwrap_or(NONE),
            frame_shape: record.frame_shape.unwrap_or(NONE),
            brand: record.brand.unwrap_or(NONE),
            gender: record.gender.unwrap_or(NONE),
            currency: record.price.currency,
            size: record.size,
            is_available: record.availability.is_available(),
            fits: record.fits.map(|fit| fit.unwrap_or(UNKNOWN)),
        }
    }
}

/// By term, the number of the material that it is in a catalogue, in the order of their terms.
struct Materials(Vec<u32>);

impl Materials {
    fn of(records: &Records) -> Self {
        let mut numbers = Vec::new();
        for record in records.iter() {
            for place in record.materials.iter().map(|&material| material as usize) {
                if place >= numbers.len() {
                    numbers.resize(place + 1, NONE);
                }
                numbers[place] = 0;
            }
        }
        for (number, place) in (0..).zip(numbers.iter_mut().filter(|number| **number != NONE)) {
            *place = number;
        }
        Self(numbers)
    }

    /// The bit of a material. From the 128th on all are one: few catalogues know a dozen.
    fn bit(&self, material: TermId) -> u128 {
        1 << self.0.get(material as usize).map_or(u128::BITS - 1, |&number| number.min(u128::BITS - 1))
    }
}

/// How near two products are, in points; symmetrical but for their materials.
fn nearness(a: &Traits, b: &Traits) -> i32 {
    let same = |flag: bool, points: i32| if flag { points } else { 0 };
    let alike = |one: u32, other: u32| one == other && one != NONE;
    let (low, high) = (a.price.min(b.price), a.price.max(b.price));
    let price = match (low.checked_mul(20), high) {
        _ if a.currency != b.currency || high <= 0 => 0,
        (Some(twenty), _) => (twenty / high) as i32,
        (None, _) => (i128::from(low) * 20 / i128::from(high)) as i32,
    };
    // 0 where two frames suit the same faces, 100 where they suit opposite ones.
    let difference = |(&a, &b): (&u8, &u8)| if a == UNKNOWN || b == UNKNOWN { 50 } else { i32::from(a.abs_diff(b)) };
    let apart = a.fits.iter().zip(&b.fits).map(difference).sum::<i32>() / 7;
    same(alike(a.frame_type, b.frame_type), 30)
        + same(alike(a.frame_shape, b.frame_shape), 30)
        + same(alike(a.brand, b.brand), 18)
        + same(a.size.is_some() && a.size == b.size, 10)
        + same(alike(a.gender, b.gender), 8)
        + same(a.material & b.materials != 0, 6)
        + same(b.is_available && a.is_available, 25)
        + price
        + (100 - apart) / 5
}

/// Ranks in lanes of the same key, each lane in their order.
struct Lanes {
    lanes: Vec<Vec<u32>>,
    /// Lane and place in it, by rank.
    places: Vec<Option<(u32, u32)>>,
}

impl Lanes {
    fn new(traits: &[Traits], key: impl Fn(&Traits) -> Option<(u32, u32)>) -> Self {
        let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
        let mut lanes: Vec<Vec<u32>> = Vec::new();
        let place = |(rank, key): (u32, Option<(u32, u32)>)| {
            let lane = *numbers.entry(key?).or_insert_with(|| {
                lanes.push(Vec::new());
                (lanes.len() - 1) as u32
            });
            let members = &mut lanes[lane as usize];
            members.push(rank);
            Some((lane, members.len() as u32 - 1))
        };
        let places = (0..).zip(traits.iter().map(key)).map(place).collect();
        Self { lanes, places }
    }

    fn near(&self, rank: u32, reach: usize) -> &[u32] {
        self.between(rank, rank, reach)
    }

    /// The lane of `rank` from there to where `other` would be in it, and as far as `reach` beyond both.
    fn between(&self, other: u32, rank: u32, reach: usize) -> &[u32] {
        self.places[rank as usize].map_or(&[], |(lane, place)| {
            let members = &self.lanes[lane as usize];
            let place = place as usize;
            let other = if other == rank { place } else { members.partition_point(|&member| member < other) };
            &members[place.min(other).saturating_sub(reach)..(place.max(other) + reach + 1).min(members.len())]
        })
    }
}
