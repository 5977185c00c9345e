//! Turns the events of a run into its job record and its report.
//!
//! In: events, from many threads. Out: the record in the state file, brought up to date a few times a second by a thread
//! of its own so that no worker waits for the disk, the log, and the report. Knows nothing of how the work is done.

use super::clock::Clock;
use super::file::{JobStore, StateError};
use super::log::{Entry, JobLog, Level};
use super::record::{Changes, GenerationJob, JobStatus, PhaseMetrics};
use super::report::Report;
use crate::event::{Event, Finding, Observer, Outcome, Phase};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use time::OffsetDateTime;

/// Shortest time between two updates of the state file and of the log.
const UPDATE_INTERVAL: Duration = Duration::from_millis(350);
/// Longest time between two updates of the state file, so that whoever watches sees that the run is alive.
const SLOWEST_INTERVAL: Duration = Duration::from_secs(10);
/// Times that an update may last before the next one follows: updates take less than 1 % of the time, also on a slow
/// disk and among many processes.
const PAUSE: u32 = 120;

/// Findings of a run by outcome and reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Documents left out on purpose.
    pub excluded: BTreeMap<String, u64>,
    /// Documents that cannot be sold as they are.
    pub skipped: BTreeMap<String, u64>,
    /// Documents with something mended.
    pub repaired: BTreeMap<String, u64>,
    /// Where every finding is, if there is one.
    pub report: Option<PathBuf>,
    /// Why the report is not whole; that does not end a run.
    pub report_error: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// The store is published.
    Completed {
        /// Products in it.
        products: u64,
        /// Where it is, by platform.
        generated_urls: BTreeMap<String, String>,
        /// What had to be done to it.
        changes: Option<Changes>,
    },
    /// It failed; the message may have a second line that starts with `hint: `.
    Failed(String),
    /// It was stopped.
    Cancelled,
}

/// Records one run.
pub struct Recorder {
    shared: Arc<Shared>,
    updates: Option<JoinHandle<()>>,
}

struct Shared {
    store: JobStore,
    clock: Arc<dyn Clock>,
    live: Mutex<Live>,
    wake: Condvar,
}

struct Live {
    job: GenerationJob,
    /// `None` once it could not be written to; a run does not fail for want of its log.
    log: Option<JobLog>,
    progress: Progress,
    tally: Tally,
    report: Report,
    started: Duration,
    changed: bool,
    over: bool,
}

impl Recorder {
    /// Begins the work of a pending job, and says so in the state file.
    ///
    /// # Errors
    /// When the state file cannot be written, or the job is not pending.
    pub fn start(store: JobStore, mut job: GenerationJob, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        job.start(clock.now()).map_err(anyhow::Error::new)?;
        store.replace(&job)?;
        let log = JobLog::begin(store.log_path(&job.job_id)).ok();
        let mut live = Live {
            report: Report::new(store.report_path(&job.job_id)),
            job,
            log,
            progress: Progress::default(),
            tally: Tally::default(),
            started: clock.elapsed(),
            changed: false,
            over: false,
        };
        live.log_start();
        let shared = Arc::new(Shared { store, clock, live: Mutex::new(live), wake: Condvar::new() });
        let for_thread = Arc::clone(&shared);
        let updates = std::thread::Builder::new()
            .name("job record".into())
            .spawn(move || for_thread.keep_up_to_date())
            .map_err(anyhow::Error::new)?;
        Ok(Self { shared, updates: Some(updates) })
    }

    /// Ends the job; its record is on disk when this returns.
    ///
    /// # Errors
    /// When the state file cannot be written.
    pub fn end(mut self, ending: Ending) -> Result<(GenerationJob, Tally), StateError> {
        self.stop_updates();
        let (now, elapsed) = (self.shared.clock.now(), self.shared.clock.elapsed());
        let mut live = self.shared.live();
        live.refresh(elapsed);
        let flushed = live.report.flush();
        live.note_report_error(flushed);
        live.tally.report = live.report.path().map(PathBuf::from);
        let seconds = (elapsed.saturating_sub(live.started)).as_secs_f64();
        let (status, message) = match ending {
            Ending::Completed { products, generated_urls, changes } => {
                live.job.processed_products = products;
                live.job.total_products = live.job.total_products.max(products);
                live.job.performance_metrics.products_per_second = rate(products, seconds);
                live.job.generated_urls = generated_urls;
                live.job.performance_metrics.changes = changes;
                (JobStatus::Completed, None)
            }
            Ending::Failed(message) => (JobStatus::Failed, Some(message)),
            Ending::Cancelled => (JobStatus::Cancelled, None),
        };
        live.job.performance_metrics.seconds = Some(rounded(seconds));
        live.job.end(status, message, now).map_err(anyhow::Error::new)?;
        live.log_end(now);
        self.shared.store.replace(&live.job)?;
        Ok((live.job.clone(), live.tally.clone()))
    }

    fn stop_updates(&mut self) {
        self.shared.live().over = true;
        self.shared.wake.notify_all();
        if let Some(updates) = self.updates.take() {
            let _ = updates.join();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop_updates();
    }
}

impl Observer for Recorder {
    fn observe(&self, event: Event) {
        let (now, elapsed) = (self.shared.clock.now(), self.shared.clock.elapsed());
        let mut live = self.shared.live();
        live.changed = true;
        live.log_event(&event, now, elapsed);
        match event {
            Event::Started { phase, total } => {
                if let (Phase::Products, Some(total)) = (phase, total) {
                    live.job.total_products = total;
                }
                live.job.performance_metrics.current_phase = Some(phase);
                live.progress.start(phase, total, elapsed);
            }
            Event::Advanced { phase, steps } => {
                live.progress.advance(phase, steps);
                if phase == Phase::Products {
                    live.job.processed_products += steps;
                    live.job.total_products = live.job.total_products.max(live.job.processed_products);
                }
            }
            Event::Finished { phase, steps } => {
                live.progress.finish(phase, steps, elapsed);
                if phase == Phase::Products {
                    live.job.processed_products = steps;
                    live.job.total_products = live.job.total_products.max(steps);
                }
            }
            Event::Found(finding) => live.find(&finding),
            Event::Offline { taken_at, .. } => {
                live.job.catalog_as_of = Some(taken_at);
                live.begin_anew();
            }
            Event::Anew => live.begin_anew(),
            Event::CacheUsed { shelf, uses } => {
                live.job.performance_metrics.cache.insert(shelf, uses);
            }
            Event::Note(_) | Event::Queued { .. } => {}
        }
    }
}

impl Shared {
    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_up_to_date(&self) {
        let mut live = self.live();
        let mut due = self.clock.elapsed();
        while !live.over {
            let waited = self.wake.wait_timeout(live, UPDATE_INTERVAL);
            live = waited.unwrap_or_else(PoisonError::into_inner).0;
            live.flush_log();
            let began = self.clock.elapsed();
            if live.over || began < due || !std::mem::take(&mut live.changed) {
                continue;
            }
            live.refresh(began);
            // The end of the run flushes again and reports what fails then.
            let _ = live.report.flush();
            let job = live.job.clone();
            drop(live);
            // A record that is late is no reason to fail; the last one is written by `end`.
            let _ = self.store.replace(&job);
            let lasted = self.clock.elapsed().saturating_sub(began);
            due = began + (lasted * PAUSE).min(SLOWEST_INTERVAL);
            live = self.live();
        }
    }
}

impl Live {
    /// Brings the numbers of the record up to date.
    fn refresh(&mut self, elapsed: Duration) {
        self.job.progress_percentage = self.progress.percentage();
        let metrics = &mut self.job.performance_metrics;
        metrics.phases = self.progress.metrics(self.started, elapsed);
        metrics.peak_memory_bytes = peak_memory();
        if let Some(products) = metrics.phases.get(&Phase::Products) {
            metrics.products_per_second = rate(products.count, products.seconds);
        }
    }

    fn log_start(&mut self) {
        let Some(started) = self.job.started_at else { return };
        let waited = rounded((started - self.job.created_at).as_seconds_f64().max(0.0));
        let message = format!("building `{}` from `{}`", self.job.store_name, self.job.config_path.display());
        let version = env!("CARGO_PKG_VERSION");
        let fields = serde_json::json!({
            "version": version, "pid": std::process::id(), "waited_seconds": waited, "retry_of": self.job.retry_of,
        });
        self.log(&Entry::new(started, Level::Info, "job_started", &message, fields));
        self.flush_log();
    }

    fn log_event(&mut self, event: &Event, now: OffsetDateTime, elapsed: Duration) {
        let progress = &self.progress;
        if let Some(entry) = Entry::of(event, now, |phase| progress.seconds(phase, elapsed)) {
            self.log(&entry);
        }
    }

    fn log_end(&mut self, now: OffsetDateTime) {
        let level = if self.job.status == JobStatus::Failed { Level::Error } else { Level::Info };
        let message = self.job.error_message.clone().unwrap_or_else(|| self.job.status.words().into());
        let fields = serde_json::json!({"status": self.job.status, "seconds": self.job.performance_metrics.seconds});
        self.log(&Entry::new(now, level, "job_ended", &message, fields));
        self.flush_log();
    }

    fn log(&mut self, entry: &Entry) {
        if self.log.as_mut().is_some_and(|log| log.add(entry).is_err()) {
            self.log = None;
        }
    }

    fn flush_log(&mut self) {
        if self.log.as_mut().is_some_and(|log| log.flush().is_err()) {
            self.log = None;
        }
    }

    /// Forgets what was found by a reading that led to nothing, as that of a server that went away.
    fn begin_anew(&mut self) {
        self.job.processed_products = 0;
        self.job.skipped.clear();
        self.tally = Tally::default();
        let emptied = self.report.empty();
        self.note_report_error(emptied);
    }

    fn find(&mut self, finding: &Finding) {
        let counts = match finding.outcome {
            Outcome::Excluded => &mut self.tally.excluded,
            Outcome::Skipped => &mut self.tally.skipped,
            Outcome::Repaired => &mut self.tally.repaired,
        };
        *counts.entry(finding.reason.clone()).or_default() += 1;
        if finding.outcome != Outcome::Repaired {
            *self.job.skipped.entry(finding.reason.clone()).or_default() += 1;
        }
        let added = self.report.add(finding);
        self.note_report_error(added);
    }

    /// The first trouble says most.
    fn note_report_error(&mut self, result: anyhow::Result<()>) {
        if let Err(error) = result {
            self.tally.report_error.get_or_insert_with(|| format!("{error:#}"));
        }
    }
}

/// How far the phases are.
#[derive(Default)]
struct Progress {
    phases: BTreeMap<Phase, PhaseProgress>,
}

struct PhaseProgress {
    total: Option<u64>,
    steps: u64,
    started: Duration,
    ended: Option<Duration>,
}

impl Progress {
    fn start(&mut self, phase: Phase, total: Option<u64>, elapsed: Duration) {
        self.phases.insert(phase, PhaseProgress { total, steps: 0, started: elapsed, ended: None });
    }

    fn advance(&mut self, phase: Phase, steps: u64) {
        if let Some(progress) = self.phases.get_mut(&phase) {
            progress.steps += steps;
        }
    }

    fn finish(&mut self, phase: Phase, steps: u64, elapsed: Duration) {
        if let Some(progress) = self.phases.get_mut(&phase) {
            progress.steps = steps;
            progress.ended = Some(elapsed);
        }
    }

    /// Seconds that a phase has taken.
    fn seconds(&self, phase: Phase, elapsed: Duration) -> f64 {
        let started = self.phases.get(&phase).map_or(elapsed, |progress| progress.started);
        rounded(elapsed.saturating_sub(started).as_secs_f64())
    }

    /// 0..=99.9, one decimal: the last step is the job's end, not a phase's.
    fn percentage(&self) -> f64 {
        let done: f64 = self.phases.iter().map(|(phase, progress)| weight(*phase) * progress.part()).sum();
        (done * 10.0).floor().clamp(0.0, 999.0) / 10.0
    }

    fn metrics(&self, began: Duration, elapsed: Duration) -> BTreeMap<Phase, PhaseMetrics> {
        let metrics = |progress: &PhaseProgress| PhaseMetrics {
            after: rounded(progress.started.saturating_sub(began).as_secs_f64()),
            seconds: rounded(progress.ended.unwrap_or(elapsed).saturating_sub(progress.started).as_secs_f64()),
            count: progress.steps,
        };
        self.phases.iter().map(|(phase, progress)| (*phase, metrics(progress))).collect()
    }
}

impl PhaseProgress {
    fn part(&self) -> f64 {
        match (self.ended, self.total) {
            (Some(_), _) => 1.0,
            (None, Some(total)) if total > 0 => (self.steps as f64 / total as f64).min(1.0),
            (None, Some(_)) => 0.0,
            // Of a catalogue of unknown length all that can be said is that it gets longer.
            (None, None) => self.steps as f64 / (self.steps as f64 + 10_000.0),
        }
    }
}

/// The share of each phase in a run, in percent, as measured with 10,000 products.
fn weight(phase: Phase) -> f64 {
    match phase {
        Phase::Connect => 1.0,
        Phase::Products => 40.0,
        Phase::Fetch | Phase::Cards => 0.0,
        Phase::Images => 8.0,
        Phase::Plan => 3.0,
        Phase::Pages => 44.0,
        Phase::Publish => 4.0,
    }
}

fn rate(count: u64, seconds: f64) -> Option<f64> {
    (count > 0 && seconds > 0.0).then(|| (count as f64 / seconds * 10.0).round() / 10.0)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// Most memory that this process has held at once, in bytes; `None` where the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::NewJob;
    use crate::jobs::clock::tests::TestClock;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn recorder() -> (tempfile::TempDir, JobStore, Arc<TestClock>, Recorder) {
        let folder = tempfile::tempdir().unwrap();
        let store = JobStore::at(&folder.path().join(".storegen/state.json"));
        let clock = Arc::new(TestClock::default());
        let begun = store.begin(clock.now(), &NewJob::named("Specs"), &Default::default()).unwrap();
        let recorder = Recorder::start(store.clone(), begun.job, clock.clone()).unwrap();
        (folder, store, clock, recorder)
    }

    fn finding(outcome: Outcome, reason: &str) -> Event {
        Event::Found(Finding {
            outcome,
            reason: reason.into(),
            collection: "products".into(),
            document: "1".into(),
            field: "price".into(),
            detail: "the price is missing".into(),
        })
    }

    #[test]
    fn a_completed_run_is_recorded_whole() {
        let (_folder, store, clock, recorder) = recorder();
        recorder.observe(Event::Started { phase: Phase::Products, total: Some(60) });
        clock.pass(1500);
        recorder.observe(Event::Advanced { phase: Phase::Products, steps: 60 });
        recorder.observe(finding(Outcome::Skipped, "missing_price"));
        recorder.observe(finding(Outcome::Excluded, "inactive"));
        recorder.observe(finding(Outcome::Excluded, "inactive"));
        recorder.observe(finding(Outcome::Repaired, "long_name"));
        recorder.observe(Event::Finished { phase: Phase::Products, steps: 60 });
        clock.pass(500);
        let urls = BTreeMap::from([("static-html".to_string(), "/shop/store".to_string())]);
        let (job, tally) =
            recorder.end(Ending::Completed { products: 57, generated_urls: urls.clone(), changes: None }).unwrap();
        assert_eq!(store.jobs().unwrap(), std::slice::from_ref(&job));
        assert_eq!((job.status, job.progress_percentage), (JobStatus::Completed, 100.0));
        assert_eq!((job.total_products, job.processed_products), (60, 57));
        assert_eq!(job.completed_at, Some(datetime!(2026-03-01 08:00:02 UTC)));
        assert_eq!(job.generated_urls, urls);
        assert_eq!(job.skipped, BTreeMap::from([("inactive".into(), 2), ("missing_price".into(), 1)]));
        assert_eq!(tally.repaired, BTreeMap::from([("long_name".into(), 1)]));
        let metrics = job.performance_metrics;
        assert_eq!((metrics.products_per_second, metrics.current_phase), (Some(28.5), None));
        assert_eq!(
            metrics.phases,
            BTreeMap::from([(Phase::Products, PhaseMetrics { seconds: 1.5, count: 60, after: 0.0 })])
        );
        assert!(metrics.peak_memory_bytes.is_some() || !cfg!(target_os = "linux"));
        let report = std::fs::read_to_string(tally.report.unwrap()).unwrap();
        assert_eq!(report.lines().count(), 4);
        let first: Finding = serde_json::from_str(report.lines().next().unwrap()).unwrap();
        assert_eq!(first.reason, "missing_price");
    }

    #[test]
    fn another_process_sees_progress_while_the_run_goes_on() {
        let (_folder, store, _clock, recorder) = recorder();
        recorder.observe(Event::Started { phase: Phase::Connect, total: None });
        recorder.observe(Event::Finished { phase: Phase::Connect, steps: 4 });
        recorder.observe(Event::Started { phase: Phase::Products, total: Some(100) });
        recorder.observe(Event::Advanced { phase: Phase::Products, steps: 50 });
        let seen = loop {
            let job = store.jobs().unwrap().remove(0);
            if job.progress_percentage > 0.0 {
                break job;
            }
            std::thread::yield_now();
        };
        assert_eq!(seen.status, JobStatus::InProgress);
        assert_eq!(seen.performance_metrics.current_phase, Some(Phase::Products));
        assert_eq!((seen.processed_products, seen.total_products, seen.progress_percentage), (50, 100, 21.0));
        let (job, _) = recorder.end(Ending::Cancelled).unwrap();
        assert_eq!((job.status, job.error_message), (JobStatus::Cancelled, None));
    }

    #[test]
    fn a_report_that_cannot_be_written_shows_at_the_end_and_the_record_is_whole() {
        let (_folder, store, _clock, recorder) = recorder();
        std::fs::write(store.folder().join("reports"), "in the way").unwrap();
        recorder.observe(finding(Outcome::Skipped, "missing_price"));
        let (_, tally) = recorder.end(Ending::Failed("too bad\nhint: try again".into())).unwrap();
        assert!(tally.report_error.unwrap().contains("reports"));
        assert_eq!(store.jobs().unwrap()[0].status, JobStatus::Failed);
    }

    proptest! {
        #[test]
        fn progress_never_falls_and_never_claims_to_be_done(
            totals in prop::collection::vec(prop::option::of(0..50_u64), Phase::ALL.len()),
            steps in prop::collection::vec(0..60_u64, 0..20),
        ) {
            let mut progress = Progress::default();
            let mut last = 0.0;
            for (phase, total) in Phase::ALL.into_iter().zip(totals) {
                progress.start(phase, total, Duration::ZERO);
                for steps in &steps {
                    progress.advance(phase, *steps);
                    let now = progress.percentage();
                    prop_assert!((last..100.0).contains(&now), "{last} {now}");
                    last = now;
                }
                progress.finish(phase, steps.iter().sum(), Duration::ZERO);
            }
            prop_assert_eq!(progress.percentage(), 99.9);
        }
    }
}
