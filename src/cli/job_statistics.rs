//! Numbers about many jobs, for people.

use super::terminal::Paint;
use super::words;
use crate::jobs::{JobStatus, Spread, Statistics};
use std::fmt::Write as _;

/// Columns of the line that shows speeds over time.
const COLUMNS: usize = 40;
/// From slow to fast.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The numbers, each on a line of its own.
pub(super) fn describe(statistics: &Statistics, paint: Paint) -> String {
    let mut text = format!("{}\n\n", paint.bold(&words::counted(statistics.jobs as u64, "job", "jobs")));
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {} {value}", paint.dim(&format!("{name:<12}")));
    };
    let by_status: Vec<String> = JobStatus::ALL
        .iter()
        .filter_map(|status| Some(format!("{} {}", statistics.by_status.get(status.key())?, status.words())))
        .collect();
    if !by_status.is_empty() {
        row("state", &by_status.join(", "));
    }
    if let Some(rate) = statistics.success_rate {
        let percent = format!("{:.0} %", rate * 100.0);
        let percent = if rate >= 0.9 { paint.green(&percent) } else { paint.yellow(&percent) };
        row("succeeded", &format!("{percent} {}", paint.dim("of those that completed or failed")));
    }
    if let Some(seconds) = &statistics.seconds {
        row("time", &spread(seconds, words::duration));
    }
    if let Some(rates) = &statistics.products_per_second {
        row("products", &spread(rates, words::rate));
    }
    if let (Some(first), Some(last)) = (statistics.over_time.first(), statistics.over_time.last()) {
        let speeds: Vec<f64> = statistics.over_time.iter().map(|speed| speed.products_per_second).collect();
        let dates = format!("{} to {}", first.completed_at.date(), last.completed_at.date());
        row("over time", &format!("{} {}", paint.cyan(&sparkline(&speeds)), paint.dim(&dates)));
    }
    for (shelf, uses) in statistics.cache.iter().filter(|(_, uses)| uses.hits + uses.misses > 0) {
        let part = uses.hits as f64 / (uses.hits + uses.misses) as f64;
        let all = words::number(uses.hits + uses.misses);
        row("cache", &format!("{:.0} % of {all} {} were there", part * 100.0, shelf.name()));
    }
    text
}

fn spread(numbers: &Spread, shown: fn(f64) -> String) -> String {
    let [p50, p95, max] = [numbers.p50, numbers.p95, numbers.max].map(shown);
    format!("p50 {p50}   p95 {p95}   max {max}")
}

/// Numbers as a row of bars, the largest as high as the line; of many, each bar is the mean of several.
fn sparkline(numbers: &[f64]) -> String {
    let chunk = numbers.len().div_ceil(COLUMNS).max(1);
    let means: Vec<f64> = numbers.chunks(chunk).map(|chunk| chunk.iter().sum::<f64>() / chunk.len() as f64).collect();
    let largest = means.iter().copied().fold(0.0, f64::max);
    let step = |mean: f64| if largest > 0.0 { ((mean / largest) * 7.0).round() as usize } else { 0 };
    means.iter().map(|mean| STEPS[step(*mean).min(7)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::cache::{Shelf, Uses};
    use crate::jobs::{JobId, Speed};
    use snapbox::str;
    use std::collections::BTreeMap;
    use time::macros::datetime;

    #[test]
    fn the_numbers_stand_below_each_other() {
        let speed = |products_per_second| Speed {
            job_id: JobId::random(),
            completed_at: datetime!(2026-03-01 08:00 UTC),
            products_per_second,
        };
        let statistics = Statistics {
            jobs: 12,
            by_status: BTreeMap::from([("completed", 9), ("failed", 2), ("cancelled", 1)]),
            success_rate: Some(9.0 / 11.0),
            seconds: Some(Spread { p50: 3.4, p95: 75.0, max: 80.0 }),
            products_per_second: Some(Spread { p50: 2_000.0, p95: 2_900.0, max: 3_000.0 }),
            over_time: [1_000.0, 3_000.0, 2_000.0, 10.0].map(speed).into(),
            cache: BTreeMap::from([(Shelf::Images, Uses { hits: 950, misses: 50 })]),
        };
        snapbox::assert_data_eq!(
            describe(&statistics, Paint { color: false }),
            str![[r#"
12 jobs

  state        9 completed, 2 failed, 1 cancelled
  succeeded    82 % of those that completed or failed
  time         p50 3.4 s   p95 1 min 15 s   max 1 min 20 s
  products     p50 2,000/s   p95 2,900/s   max 3,000/s
  over time    ▃█▆▁ 2026-03-01 to 2026-03-01
  cache        95 % of 1,000 images were there

"#]]
        );
    }

    #[test]
    fn many_numbers_fit_a_line() {
        let line = sparkline(&(0..1_000).map(f64::from).collect::<Vec<_>>());
        assert!(line.chars().count() <= COLUMNS && line.starts_with('▁') && line.ends_with('█'), "{line}");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
    }
}
