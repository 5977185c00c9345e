//! Popularity: what shoppers did, on a scale of 0 to 1.
//!
//! A popularity that came with the product is taken as it is. Else views, clicks and sales are weighed by how much
//! intent they show and squeezed through a logarithm, so that a bestseller does not flatten everything else; a rating
//! counts by how many people gave it.

use crate::catalog::product::Analytics;

/// Weighted actions that count as full popularity.
const FULL: f64 = 100_000.0;

/// Ratings that a mean is mixed with, so that one enthusiast is not a crowd.
const PRIOR_COUNT: f64 = 10.0;

/// The mean those ratings have, on the scale of 1 to 5.
const PRIOR_MEAN: f64 = 3.5;

/// Popularity, 0..=1; 0 when nothing is known.
pub fn popularity(analytics: &Analytics) -> f64 {
    if let Some(known) = analytics.popularity {
        return f64::from(known).clamp(0.0, 1.0);
    }
    let count = |number: Option<u64>| number.unwrap_or(0) as f64;
    let actions = count(analytics.views) + 5.0 * count(analytics.clicks) + 25.0 * count(analytics.conversions);
    let interest = ((1.0 + actions).ln() / (1.0 + FULL).ln()).min(1.0);
    let liking = analytics.rating.map(|(mean, count)| {
        let count = f64::from(count);
        let shrunk = (f64::from(mean) * count + PRIOR_MEAN * PRIOR_COUNT) / (count + PRIOR_COUNT);
        ((shrunk - 1.0) / 4.0).clamp(0.0, 1.0)
    });
    match liking {
        Some(liking) => 0.7 * interest + 0.3 * liking,
        None => interest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_intent_is_more_popularity() {
        let of = |views, clicks, conversions| {
            popularity(&Analytics {
                views: Some(views),
                clicks: Some(clicks),
                conversions: Some(conversions),
                ..Analytics::default()
            })
        };
        assert_eq!(popularity(&Analytics::default()), 0.0);
        assert!(of(10, 0, 0) < of(0, 10, 0) && of(0, 10, 0) < of(0, 0, 10));
        assert!(of(u64::MAX, u64::MAX, u64::MAX) <= 1.0);
    }

    #[test]
    fn one_enthusiast_is_not_a_crowd() {
        let rated = |mean, count| popularity(&Analytics { rating: Some((mean, count)), ..Analytics::default() });
        assert!(rated(5.0, 1) < rated(4.6, 400));
    }
}
