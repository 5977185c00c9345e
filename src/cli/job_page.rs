//! One job as people read it, in full: when, how fast, phase by phase, and which documents were left out and why.

use super::job_table::{headline, in_status_color, parts, progress_line};
use super::terminal::Paint;
use super::{progress, words};
use crate::event::Outcome;
use crate::jobs::{GenerationJob, JobStatus, Reason};
use console::truncate_str;
use std::fmt::Write as _;
use std::path::Path;
use time::OffsetDateTime;

/// Columns of a line in the timeline.
const TIMELINE: usize = 32;
/// Narrowest that a page gets.
const NARROWEST: usize = 60;

/// What is told besides the record.
pub(super) struct Beside<'a> {
    /// Findings by reason, with examples.
    pub(super) reasons: &'a [Reason],
    /// Where all findings are, if there are any.
    pub(super) report: Option<&'a Path>,
    /// Where the log is, if there is one.
    pub(super) log: Option<&'a Path>,
}

/// Everything about one job.
pub(super) fn page(
    job: &GenerationJob,
    beside: &Beside<'_>,
    now: OffsetDateTime,
    paint: Paint,
    width: usize,
) -> String {
    let mut text = headline(job, paint) + "\n";
    if job.status == JobStatus::InProgress {
        let _ = writeln!(text, "  {}", progress_line(job, now, paint));
    }
    text += &failure(job, paint);
    text.push('\n');
    text += &facts(job, beside, now, paint);
    text += &timeline(job, paint);
    text += &left_out(beside.reasons, paint, width.max(NARROWEST));
    text
}

/// Why it failed, and what to do.
fn failure(job: &GenerationJob, paint: Paint) -> String {
    let Some(message) = &job.error_message else { return String::new() };
    let (why, hint) = parts(message);
    let mut text = String::new();
    for line in why.lines() {
        let _ = writeln!(text, "  {}", in_status_color(job.status, paint, &words::harmless(line)));
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "  {}", paint.cyan(&format!("→ {}", words::harmless(hint))));
    }
    text
}

fn facts(job: &GenerationJob, beside: &Beside<'_>, now: OffsetDateTime, paint: Paint) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {} {value}", paint.dim(&format!("{name:<12}")));
    };
    let metrics = &job.performance_metrics;
    row("store", &words::harmless(&job.store_name));
    row("config", &words::harmless(&job.config_path.display().to_string()));
    if let Some(before) = &job.retry_of {
        row("runs again", before.as_str());
    }
    row("created", &format!("{} ({})", words::moment(job.created_at), words::ago(job.created_at, now)));
    if let Some(started) = job.started_at {
        let waited = (started - job.created_at).as_seconds_f64();
        let waited = if waited >= 1.0 { format!(", after {} in line", words::duration(waited)) } else { String::new() };
        row("started", &(words::moment(started) + &waited));
    }
    if let Some(ended) = job.completed_at {
        row("ended", &words::moment(ended));
    }
    if let Some(time) = job.duration(now) {
        row("time", &words::duration(time.as_seconds_f64()));
    }
    if let Some(taken_at) = job.catalog_as_of {
        row("offline", &paint.yellow(&format!("from the copy of {}", words::moment(taken_at))));
    }
    let rate = metrics.products_per_second.map(|rate| format!(", {}", words::rate(rate)));
    let (done, total) = (words::number(job.processed_products), words::number(job.total_products));
    row("products", &format!("{done} of {total}{}", rate.unwrap_or_default()));
    if let Some(changes) = &metrics.changes {
        row(
            "pages",
            &format!("{} made, {} kept", words::number(changes.pages_made), words::number(changes.pages_kept)),
        );
        let [added, changed, removed] =
            [changes.files_added, changes.files_changed, changes.files_removed].map(words::number);
        row("files", &format!("{added} new, {changed} changed, {removed} removed"));
        if let Some(how) = words::read(changes.reading) {
            row("catalog", &how);
        }
    }
    for (shelf, uses) in &metrics.cache {
        let (hits, all) = (words::number(uses.hits), words::number(uses.hits + uses.misses));
        row("cache", &format!("{hits} of {all} {} were there", shelf.name()));
    }
    for (platform, url) in &job.generated_urls {
        row(platform, &paint.cyan(&words::harmless(url)));
    }
    if let Some(peak) = metrics.peak_memory_bytes {
        row("peak memory", &words::bytes(peak));
    }
    for (name, path) in [("report", beside.report), ("log", beside.log)] {
        if let Some(path) = path {
            row(name, &words::shown(path));
        }
    }
    text
}

/// The phases below each other, each where it was in the time of the whole.
fn timeline(job: &GenerationJob, paint: Paint) -> String {
    let phases = &job.performance_metrics.phases;
    let whole = phases.values().map(|phase| phase.after + phase.seconds).fold(0.0, f64::max);
    let longest = phases.values().map(|phase| phase.seconds).fold(0.0, f64::max);
    if phases.is_empty() || whole <= 0.0 {
        return String::new();
    }
    let mut text = format!("\n  {}\n", paint.dim("PHASE         TIME  SHARE"));
    for (phase, metrics) in phases {
        let time = words::duration(metrics.seconds);
        let share = format!("{:.0} %", metrics.seconds / whole * 100.0);
        let column = |seconds: f64| ((seconds / whole * TIMELINE as f64).round() as usize).min(TIMELINE);
        let from = column(metrics.after).min(TIMELINE - 1);
        let to = column(metrics.after + metrics.seconds).max(from + 1);
        let is_slowest = metrics.seconds >= longest;
        let bar = "━".repeat(to - from);
        let bar = if is_slowest { paint.yellow(&bar) } else { paint.cyan(&bar) };
        let (before, after) = ("·".repeat(from), "·".repeat(TIMELINE - to));
        let count = progress::counted(*phase, metrics.count);
        let slowest = if is_slowest && phases.len() > 1 { "  slowest" } else { "" };
        let line = format!(
            "  {:<9} {time:>8}  {share:>5}  {}{bar}{}  {count}{}",
            phase.key(),
            paint.dim(&before),
            paint.dim(&after),
            paint.yellow(slowest)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Which documents were left out or mended, by reason, with a few of each.
fn left_out(reasons: &[Reason], paint: Paint, width: usize) -> String {
    let mut text = String::new();
    for (outcome, title) in [
        (Outcome::Skipped, "SKIPPED, cannot be sold as they are"),
        (Outcome::Excluded, "EXCLUDED, left out on purpose"),
        (Outcome::Repaired, "REPAIRED, in the store with the faulty part mended or left out"),
    ] {
        let of_outcome: Vec<&Reason> = reasons.iter().filter(|reason| reason.outcome == outcome).collect();
        if of_outcome.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n  {}", paint.dim(title));
        for Reason { reason, count, examples, .. } in of_outcome {
            let _ = writeln!(text, "  {:>7}  {}", words::number(*count), paint.bold(&words::harmless(reason)));
            for example in examples {
                let line = words::harmless(&format!("{} {}: {}", example.collection, example.document, example.detail));
                let _ = writeln!(text, "           {}", truncate_str(&line, width.saturating_sub(11), "…"));
            }
            let more = count.saturating_sub(examples.len() as u64);
            if more > 0 {
                let _ = writeln!(text, "           {}", paint.dim(&format!("and {} more", words::number(more))));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Finding, Phase};
    use crate::jobs::{JobId, NewJob, PhaseMetrics};
    use snapbox::str;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    #[test]
    fn a_page_about_a_job_has_it_all() {
        let job_id = JobId::parse("job_00000000005a").unwrap();
        let created = NOW - time::Duration::minutes(90);
        let mut job = GenerationJob::new(job_id, created, &NewJob::named("Blickfang"));
        job.start(created + time::Duration::seconds(3)).unwrap();
        (job.processed_products, job.total_products) = (57, 60);
        job.retry_of = JobId::parse("job_000000000001");
        let metrics = &mut job.performance_metrics;
        metrics.products_per_second = Some(16.7);
        metrics.peak_memory_bytes = Some(84_000_000);
        metrics.phases.insert(Phase::Products, PhaseMetrics { seconds: 1.25, count: 60, after: 0.0 });
        metrics.phases.insert(Phase::Pages, PhaseMetrics { seconds: 2.5, count: 140, after: 1.25 });
        job.end(JobStatus::Completed, None, created + time::Duration::milliseconds(6_750)).unwrap();
        let example = Finding {
            outcome: Outcome::Skipped,
            reason: "missing_price".into(),
            collection: "products".into(),
            document: "17".into(),
            field: "price".into(),
            detail: format!("the price is missing; {}", "add one ".repeat(20)),
        };
        let reason =
            Reason { outcome: Outcome::Skipped, reason: "missing_price".into(), count: 3, examples: vec![example] };
        let beside =
            Beside { reasons: &[reason], report: Some(Path::new("/shop/.storegen/reports/x.jsonl")), log: None };
        snapbox::assert_data_eq!(
            page(&job, &beside, NOW, Paint { color: false }, 80),
            str![[r#"
✓ job_00000000005a completed

  store        Blickfang
  config       /shop/store.yaml
  runs again   job_000000000001
  created      2026-03-01 06:30:00 UTC (1 hour ago)
  started      2026-03-01 06:30:03 UTC, after 3.0 s in line
  ended        2026-03-01 06:30:06 UTC
  time         3.8 s
  products     57 of 60, 17/s
  peak memory  84 MB
  report       /shop/.storegen/reports/x.jsonl

  PHASE         TIME  SHARE
  products     1.2 s   33 %  ━━━━━━━━━━━·····················  60 products
  pages        2.5 s   67 %  ···········━━━━━━━━━━━━━━━━━━━━━  140 pages  slowest

  SKIPPED, cannot be sold as they are
        3  missing_price
           products 17: the price is missing; add one add one add one add one a…
           and 2 more

"#]]
        );
    }
}
