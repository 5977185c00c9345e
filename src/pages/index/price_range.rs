//! Price ranges: a handful of round boundaries that share the products out about evenly.
//!
//! Takes the prices of the store's main currency; makes ranges that stay the same while shoppers filter.

use crate::catalog::money::{Currency, Money};
use crate::pages::shop::Shop;
use std::collections::BTreeMap;

/// How many ranges are aimed at.
const RANGES: usize = 6;

/// Prices from one boundary up to, but not including, the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PriceRange {
    currency: Currency,
    /// Whole units of the currency.
    from: Option<i64>,
    to: Option<i64>,
}

/// The prices of a store by the codes of their currencies.
#[derive(Default)]
pub(super) struct Prices(BTreeMap<&'static str, Vec<Money>>);

impl Prices {
    pub(super) fn push(&mut self, price: Money) {
        self.0.entry(price.currency.code()).or_default().push(price);
    }
}

impl PriceRange {
    /// The ranges of a store: of the currency that most of its products have, ties by code.
    pub(super) fn of(Prices(by_currency): &Prices) -> Vec<Self> {
        let Some(prices) = by_currency.values().rev().max_by_key(|prices| prices.len()) else { return Vec::new() };
        let Some(currency) = prices.first().map(|price| price.currency) else { return Vec::new() };
        let mut units: Vec<i64> = prices.iter().map(|price| whole_units(*price)).collect();
        units.sort_unstable();
        let bounds = boundaries(&units);
        let starts = std::iter::once(None).chain(bounds.iter().copied().map(Some));
        let ends = bounds.iter().copied().map(Some).chain([None]);
        starts.zip(ends).map(|(from, to)| Self { currency, from, to }).collect()
    }

    /// Whether a price lies in it.
    pub(super) fn holds(&self, price: Money) -> bool {
        let units = whole_units(price);
        price.currency == self.currency
            && self.from.is_none_or(|from| units >= from)
            && self.to.is_none_or(|to| units < to)
    }

    /// Key, as in addresses: `100-150`, `300-`.
    pub(super) fn key(&self) -> String {
        let write = |bound: Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        format!("{}-{}", write(self.from), write(self.to))
    }

    /// What shoppers read.
    pub(super) fn label(&self, shop: &Shop<'_>) -> String {
        let write = |units: i64| {
            let price =
                Money { minor: units.saturating_mul(10_i64.pow(self.currency.digits())), currency: self.currency };
            shop.prices.write_whole(price)
        };
        match (self.from.map(write), self.to.map(write)) {
            (Some(from), Some(to)) => shop.words.fill("price_between", &[("from", &from), ("to", &to)]),
            (Some(from), None) => shop.words.fill("price_from", &[("from", &from)]),
            (None, Some(to)) => shop.words.fill("price_below", &[("to", &to)]),
            (None, None) => shop.words.say("facet_price").to_string(),
        }
    }
}

fn whole_units(price: Money) -> i64 {
    price.minor.div_euclid(10_i64.pow(price.currency.digits()))
}

/// Round numbers near the places that split sorted prices evenly.
fn boundaries(units: &[i64]) -> Vec<i64> {
    let mut bounds: Vec<i64> = (1..RANGES)
        .filter_map(|part| units.get(units.len() * part / RANGES))
        .map(|&units| rounded(units))
        .filter(|&bound| units.first().is_some_and(|&first| bound > first))
        .filter(|&bound| units.last().is_some_and(|&last| bound <= last))
        .collect();
    bounds.dedup();
    bounds
}

/// The nearest of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten.
fn rounded(units: i64) -> i64 {
    let mut power = 1_i64;
    while units / power >= 100 {
        power *= 10;
    }
    // From here on the number has at most two digits before `power`.
    let steps = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100];
    let nearest = steps.into_iter().min_by_key(|step| (units - step * power).abs());
    nearest.unwrap_or(1) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_round_and_share_evenly() {
        let units: Vec<i64> = (40..400).collect();
        assert_eq!(boundaries(&units), [100, 150, 200, 300]);
        assert_eq!(boundaries(&[99; 20]), Vec::<i64>::new());
        assert_eq!(boundaries(&[]), Vec::<i64>::new());
        assert_eq!([rounded(7), rounded(95), rounded(128), rounded(17_300), rounded(0)], [6, 100, 150, 15_000, 1]);
    }
}
