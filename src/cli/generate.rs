//! `storegen generate`: makes the store, keeps the record, tells the result.

use super::exit::{Exit, Failure};
use super::progress::{ProgressChoice, ProgressView};
use super::terminal::{Terminal, Verbosity};
use super::{GlobalArgs, interrupt, state, words};
use crate::config::{self, Overrides, StoreConfiguration};
use crate::event::{Event, Observer};
use crate::jobs::{Begun, Clock, Ending, GenerationJob, JobStore, Recorder, SystemClock, Tally};
use crate::pipeline::{self, GenerateOptions, RunError, Summary};
use anyhow::Context as _;
use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use url::Url;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen generate store.yaml
  storegen generate store.yaml --output /srv/www/shop --strict
  storegen generate store.yaml --json --progress none | jq .generated_urls")]
pub(super) struct GenerateArgs {
    /// The store's configuration
    #[arg(default_value = "store.yaml")]
    config: PathBuf,
    /// Folder of the finished store, in place of the configured one
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Fail when a product has to be skipped
    #[arg(long)]
    strict: bool,
    /// Replace files in the folder that storegen did not write
    #[arg(long)]
    overwrite: bool,
    /// Worker threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Do everything but write: no store, no record
    #[arg(long)]
    dry_run: bool,
    /// Print the job's record as JSON
    #[arg(long)]
    json: bool,
    /// How to show progress: auto, bar, plain, json or none
    #[arg(long, value_name = "HOW", value_enum, default_value_t, hide_possible_values = true)]
    progress: ProgressChoice,
    /// Tell errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

pub(super) fn run(args: &GenerateArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let store = state::open(global.state.as_deref(), state::folder_of(&args.config), terminal);
    let overrides = Overrides { output: args.output.clone(), catalog_uri: None };
    let config = config::load(&args.config, &overrides, &|name| std::env::var(name).ok())?;
    if let Some(threads) = args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        pool.build_global().context("cannot start the worker threads").map_err(Failure::failed)?;
    }
    // A dry run keeps its record and its working files where they vanish with it.
    let scratch = args.dry_run.then(tempfile::tempdir).transpose().context("cannot make a folder for working files");
    let scratch = scratch.map_err(Failure::failed)?;
    let state_folder = store.folder().to_path_buf();
    let kept = config.cache.folder_beside(&state_folder);
    let store = scratch.as_ref().map_or(store, |scratch| JobStore::at(scratch.path()));

    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let Begun { job, running, set_aside } = store.begin(clock.now(), &config.store_name, &config.path)?;
    if let Some(aside) = set_aside {
        terminal.warn(&format!("the old state file is now `{}`, because {}", aside.path.display(), aside.why));
    }
    let options = GenerateOptions {
        strict: args.strict,
        overwrite: args.overwrite,
        dry_run: args.dry_run,
        job_id: job.job_id.to_string(),
        journal_dir: store.journal_dir(),
        work_dir: running.work_dir().to_path_buf(),
        // A dry run may use what is kept, but begins no keeping.
        cache_dir: match &scratch {
            Some(scratch) if !kept.is_dir() => scratch.path().join("cache"),
            _ => kept,
        },
        now: clock.now().into(),
        protected: std::env::home_dir().into_iter().chain([state_folder]).collect(),
    };
    let recorder = Recorder::start(store, job, clock)?;
    let view = ProgressView::new(terminal, args.progress);
    let result = pipeline::generate(&config, &options, &Listeners::new(&recorder, &view));
    view.end();
    tell(args, &config, recorder, result, terminal)
}

/// Ends the record and tells the result.
fn tell(
    args: &GenerateArgs,
    config: &StoreConfiguration,
    recorder: Recorder,
    result: Result<Summary, RunError>,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let (ending, outcome) = match result {
        Ok(summary) => {
            let generated_urls = summary.generated_urls.clone();
            (Ending::Completed { products: summary.products, generated_urls }, Ok(summary))
        }
        Err(RunError::Cancelled(_)) => (Ending::Cancelled, Err(None)),
        Err(error) => {
            let failure = Failure::from(error);
            (Ending::Failed(failure.for_record()), Err(Some(failure)))
        }
    };
    let (job, tally) = recorder.end(ending)?;
    if let Some(error) = &tally.report_error {
        terminal.warn(&format!("the report is not whole: {error}"));
    }
    if args.json {
        terminal.json(&job)?;
    }
    match outcome {
        Ok(summary) => {
            if !args.json && terminal.verbosity > Verbosity::Quiet {
                terminal.result(&describe(config, &summary, &job, &tally, args.dry_run, terminal));
            }
            Ok(Exit::Done)
        }
        Err(Some(failure)) => {
            if let Some(report) = tally.report.filter(|_| !args.dry_run) {
                terminal.note(&format!("every finding of the run is in `{}`", shown(&report)));
            }
            Err(failure)
        }
        Err(None) => {
            terminal.note(&format!("{} cancelled; the store of before is as it was", terminal.err.yellow("■")));
            Ok(Exit::Cancelled)
        }
    }
}

/// The end of a run, for a person.
fn describe(
    config: &StoreConfiguration,
    summary: &Summary,
    job: &GenerationJob,
    tally: &Tally,
    dry_run: bool,
    terminal: &Terminal,
) -> String {
    let paint = terminal.out;
    let seconds = job.completed_at.and_then(|now| job.duration(now)).map_or(0.0, time::Duration::as_seconds_f64);
    let rate =
        job.performance_metrics.products_per_second.map(|rate| format!(", {} products/s", words::number(rate as u64)));
    let mut text = format!(
        "\n{} {}: {} and {} in {}{}{}\n\n",
        paint.green("✓"),
        paint.bold(&words::harmless(&config.store_name)),
        words::counted(summary.products, "product", "products"),
        words::counted(summary.pages, "page", "pages"),
        words::duration(seconds),
        rate.unwrap_or_default(),
        if dry_run { " (dry run: nothing was written)" } else { "" },
    );
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {} {value}", paint.dim(&format!("{name:<9}")));
    };
    if let Some(published) = &summary.published {
        row("store", &shown(&config.output));
        if let Ok(url) = Url::from_file_path(config.output.join("index.html")) {
            row("open", &paint.cyan(url.as_str()));
        }
        let mut files = format!("{} ({})", words::number(published.files), words::bytes(published.bytes));
        for (count, what) in [(published.added, "new"), (published.changed, "changed"), (published.removed, "removed")]
        {
            // In a first store everything is new.
            if count > 0 && count < published.files {
                let _ = write!(files, ", {} {what}", words::number(count));
            }
        }
        row("files", &files);
    }
    for (name, counts) in [("skipped", &tally.skipped), ("excluded", &tally.excluded), ("repaired", &tally.repaired)] {
        if !counts.is_empty() {
            let total = words::number(counts.values().sum());
            row(name, &format!("{total}  {}", paint.dim(&words::harmless(&words::reasons(counts)))));
        }
    }
    if !dry_run {
        if let Some(report) = &tally.report {
            row("report", &shown(report));
        }
        row("job", job.job_id.as_str());
    }
    text
}

/// A path as short as it can be from here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative =
        here.as_deref().and_then(|here| path.strip_prefix(here).ok()).filter(|path| path.components().next().is_some());
    relative.unwrap_or(path).display().to_string()
}

/// The record and the terminal, side by side.
struct Listeners<'a> {
    recorder: &'a Recorder,
    view: &'a ProgressView<'a>,
    stop_told: AtomicBool,
}

impl<'a> Listeners<'a> {
    fn new(recorder: &'a Recorder, view: &'a ProgressView<'a>) -> Self {
        Self { recorder, view, stop_told: AtomicBool::new(false) }
    }
}

impl Observer for Listeners<'_> {
    fn observe(&self, event: Event) {
        self.recorder.observe(event.clone());
        self.view.observe(event);
    }

    fn is_cancelled(&self) -> bool {
        let stop = interrupt::is_interrupted();
        if stop && !self.stop_told.swap(true, Ordering::Relaxed) {
            self.view.observe(Event::Note("stopping; another Ctrl-C ends it at once".into()));
        }
        stop
    }
}
