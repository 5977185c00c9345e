//! Jobs as people read them below each other: one a row, with what a person should know about those that failed or go on.

use super::terminal::Paint;
use super::words;
use crate::jobs::{GenerationJob, JobStatus};
use console::{measure_text_width, pad_str, truncate_str};
use std::fmt::Write as _;
use time::OffsetDateTime;

/// Columns of a terminal of unknown size.
pub(super) const USUAL_WIDTH: usize = 100;
/// Columns of a progress bar.
const BAR: usize = 24;

/// Jobs below each other, with what a person should know about those that failed or go on.
pub(super) fn table(jobs: &[GenerationJob], now: OffsetDateTime, paint: Paint, width: Option<usize>) -> String {
    let width = width.unwrap_or(USUAL_WIDTH).max(40);
    let heads = ["JOB", "STATUS", "STORE", "STARTED", "PRODUCTS", "TIME", "RATE"];
    let rows: Vec<[String; 7]> = jobs.iter().map(|job| cells(job, now)).collect();
    let mut widths = heads.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = measure_text_width(cell).max(*width);
        }
    }
    // Where it is narrow, the columns at the end give way; the page about one job has them all.
    let mut columns = heads.len();
    while columns > 3 && 2 + widths.iter().take(columns).map(|width| width + 2).sum::<usize>() > width {
        columns -= 1;
    }
    let line = |cells: [&str; 7]| {
        let cells = cells.iter().zip(widths).enumerate().take(columns).map(|(column, (cell, width))| {
            let side = if column >= 4 { console::Alignment::Right } else { console::Alignment::Left };
            pad_str(cell, width, side, None).into_owned()
        });
        cells.collect::<Vec<_>>()
    };
    let mut text = format!("  {}\n", paint.dim(line(heads).join("  ").trim_end()));
    for (job, row) in jobs.iter().zip(&rows) {
        let mut cells = line(row.each_ref().map(String::as_str));
        if let Some(status) = cells.get_mut(1) {
            *status = in_status_color(job.status, paint, status);
        }
        let symbol = in_status_color(job.status, paint, symbol(job.status));
        let _ = writeln!(text, "{symbol} {}", cells.join("  ").trim_end());
        for note in notes(job, now, paint) {
            let _ = writeln!(text, "    {}", truncate_str(&note, width.saturating_sub(4), "…"));
        }
    }
    text
}

fn cells(job: &GenerationJob, now: OffsetDateTime) -> [String; 7] {
    let metrics = &job.performance_metrics;
    let products = match job.status {
        JobStatus::InProgress if job.total_products > job.processed_products => {
            format!("{} / {}", words::number(job.processed_products), words::number(job.total_products))
        }
        JobStatus::Completed => words::number(job.processed_products),
        _ if job.processed_products > 0 => words::number(job.processed_products),
        _ => "–".into(),
    };
    let store = words::harmless(&job.store_name);
    [
        job.job_id.to_string(),
        job.status.words().into(),
        truncate_str(&store, 24, "…").into_owned(),
        words::ago(job.started_at.unwrap_or(job.created_at), now),
        products,
        job.duration(now).map_or_else(|| "–".into(), |time| words::duration(time.as_seconds_f64())),
        metrics.products_per_second.map_or_else(|| "–".into(), words::rate),
    ]
}

/// The lines below a row.
fn notes(job: &GenerationJob, now: OffsetDateTime, paint: Paint) -> Vec<String> {
    match (job.status, &job.error_message) {
        (JobStatus::InProgress, _) => vec![progress_line(job, now, paint)],
        (JobStatus::Pending, _) => vec![paint.dim("waits until another job ends")],
        (_, Some(message)) => {
            let (why, hint) = parts(message);
            // A configuration's errors are many lines; the first says what it is.
            let why = why.lines().next().unwrap_or_default();
            let hint = hint.map(|hint| paint.cyan(&format!("→ {}", words::harmless(hint))));
            std::iter::once(words::harmless(why)).chain(hint).collect()
        }
        _ => job.catalog_as_of.iter().map(|at| format!("offline: from the copy of {}", words::moment(*at))).collect(),
    }
}

pub(super) fn progress_line(job: &GenerationJob, now: OffsetDateTime, paint: Paint) -> String {
    let part = (job.progress_percentage / 100.0).clamp(0.0, 1.0);
    let filled = (part * BAR as f64).round() as usize;
    let phase = job.performance_metrics.current_phase.map_or("starting", |phase| phase.key());
    let mut line = format!(
        "{}{} {:.0} %  {phase}",
        paint.cyan(&"━".repeat(filled)),
        paint.dim(&"─".repeat(BAR - filled)),
        job.progress_percentage.floor()
    );
    // Too early to tell before a tenth of it is done.
    if let Some(time) = job.duration(now).filter(|_| part >= 0.1) {
        let left = time.as_seconds_f64() * (1.0 - part) / part;
        let _ = write!(line, "  about {} left", words::duration(left.ceil()));
    }
    line
}

/// A job and where it is in its life, on one line.
pub(super) fn headline(job: &GenerationJob, paint: Paint) -> String {
    format!(
        "{} {} {}",
        in_status_color(job.status, paint, symbol(job.status)),
        paint.bold(job.job_id.as_str()),
        in_status_color(job.status, paint, job.status.words())
    )
}

/// The message of a record, and what to do about it.
pub(super) fn parts(message: &str) -> (&str, Option<&str>) {
    match message.rsplit_once("\nhint: ") {
        Some((why, hint)) => (why, Some(hint)),
        None => (message, None),
    }
}

fn symbol(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Pending => "○",
        JobStatus::InProgress => "●",
        JobStatus::Completed => "✓",
        JobStatus::Failed => "✗",
        JobStatus::Cancelled => "■",
    }
}

pub(super) fn in_status_color(status: JobStatus, paint: Paint, text: &str) -> String {
    match status {
        JobStatus::Pending => paint.dim(text),
        JobStatus::InProgress => paint.cyan(text),
        JobStatus::Completed => paint.green(text),
        JobStatus::Failed => paint.red(text),
        JobStatus::Cancelled => paint.yellow(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Phase;
    use crate::jobs::{JobId, NewJob};
    use snapbox::str;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);
    const PLAIN: Paint = Paint { color: false };

    fn job(number: u32, name: &str) -> GenerationJob {
        let job_id = JobId::parse(&format!("job_{number:012x}")).unwrap();
        let created = NOW - time::Duration::minutes(number.into());
        let mut job = GenerationJob::new(job_id, created, &NewJob::named(name));
        job.start(created).unwrap();
        job
    }

    fn jobs() -> [GenerationJob; 3] {
        let mut going = job(0, "Blickfang");
        going.started_at = Some(NOW - time::Duration::seconds(4));
        (going.progress_percentage, going.processed_products, going.total_products) = (40.9, 4_210, 10_000);
        going.performance_metrics.current_phase = Some(Phase::Products);
        let mut done = job(90, "A store with a very long name indeed");
        (done.processed_products, done.total_products) = (57, 60);
        done.skipped.insert("missing_price".into(), 3);
        done.performance_metrics.products_per_second = Some(16.7);
        done.end(JobStatus::Completed, None, done.created_at + time::Duration::milliseconds(3_400)).unwrap();
        let mut failed = job(3_000, "Esc\u{1b}[2Jape");
        let why = "cannot reach the catalogue\nsecond line\nhint: start the server".to_string();
        failed.end(JobStatus::Failed, Some(why), failed.created_at).unwrap();
        [going, done, failed]
    }

    #[test]
    fn the_table_says_what_goes_on_and_why_it_failed() {
        snapbox::assert_data_eq!(
            table(&jobs(), NOW, PLAIN, Some(120)),
            str![[r#"
  JOB               STATUS       STORE                     STARTED           PRODUCTS    TIME  RATE
● job_000000000000  in progress  Blickfang                 just now    4,210 / 10,000   4.0 s     –
    ━━━━━━━━━━────────────── 40 %  products  about 6.0 s left
✓ job_00000000005a  completed    A store with a very lon…  1 hour ago              57   3.4 s  17/s
✗ job_000000000bb8  failed       Esc�[2Jape                2 days ago               –  0.00 s     –
    cannot reach the catalogue
    → start the server

"#]]
        );
    }

    #[test]
    fn a_narrow_table_keeps_what_matters() {
        for width in [40, 60, 80, 100] {
            let text = table(&jobs(), NOW, PLAIN, Some(width));
            assert!(text.contains("job_00000000005a  completed"), "{text}");
            let widest = text.lines().map(measure_text_width).max().unwrap();
            assert!(widest <= width.max(62), "{width}: {widest}\n{text}");
        }
    }
}
