//! `storegen generate`: waits for its turn, makes the store, keeps the record, tells the result. `storegen retry` shares all but
//! where the order comes from.

use super::exit::{Exit, Failure};
use super::progress::{ProgressChoice, ProgressView};
use super::state::{self, Unturned};
use super::terminal::{Terminal, Verbosity};
use super::{GlobalArgs, interrupt, several, watch, words};
use crate::catalog::SharedReadings;
use crate::config::{Overrides, StoreConfiguration, StoreText};
use crate::event::{Event, Observer};
use crate::jobs::{
    Begun, Changes, Clock, Deed, Ending, Exporter, GenerationJob, JobId, JobStatus, JobStore, NewJob, Recorder,
    Request, Stop, StopReason, SystemClock, Tally,
};
use crate::pipeline::{self, GenerateOptions, Held, RunError, Summary};
use crate::reliability::Breakers;
use crate::room::Room;
use crate::site::Shard;
use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use time::OffsetDateTime;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen generate store.yaml
  storegen generate store.yaml --output /srv/www/shop --strict
  storegen generate store.yaml --watch
  storegen generate stores/*.yaml
  storegen generate store.yaml --json --progress none | jq .generated_urls")]
pub(super) struct GenerateArgs {
    /// The store's configuration; of several, each makes a store
    #[arg(default_value = "store.yaml", value_name = "CONFIG")]
    configs: Vec<PathBuf>,
    #[command(flatten)]
    choices: Choices,
    /// Stay, and make the store again whenever its files or its database change
    #[arg(long, conflicts_with = "dry_run")]
    watch: bool,
    /// Do everything but write: no store, no record
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(super) conduct: Conduct,
}

/// What is made. Kept with the job, so that running it again makes the same.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Choices {
    /// Folder of the finished store, in place of the configured one
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Fail when a product has to be skipped
    #[arg(long)]
    strict: bool,
    /// Replace files in the folder that storegen did not write
    #[arg(long)]
    overwrite: bool,
    /// Keep a copy of a database's catalogue, and build from it when the database cannot be reached
    #[arg(long)]
    offline_ok: bool,
    /// Make every page, also those that would come out as they are
    #[arg(long)]
    full: bool,
    /// Make one part of the store, such as 2/8; `storegen merge` puts the parts together
    #[arg(long, value_name = "N/OF", requires = "output")]
    shard: Option<Shard>,
}

/// How a run is conducted and told.
#[derive(Clone, Debug, Args)]
pub(super) struct Conduct {
    /// Worker threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Memory that the work may take, such as 256MB: fewer pictures and documents are in hand at once, and more of a
    /// large catalogue stays on the disk
    #[arg(long, value_name = "SIZE", value_parser = words::room_of)]
    max_memory: Option<u64>,
    /// Fail at once where the job would have to wait for others
    #[arg(long)]
    no_wait: bool,
    /// Stop after this time of work, such as 90s or 30m, in place of `jobs.timeout`
    #[arg(long, value_name = "TIME", value_parser = words::span_of)]
    timeout: Option<Duration>,
    /// Ask the database even where it has failed too often of late
    #[arg(long)]
    ignore_breakers: bool,
    /// Print the job's record as JSON
    #[arg(long)]
    json: bool,
    /// How to show progress: auto, bar, plain, json or none
    #[arg(long, value_name = "HOW", value_enum, default_value_t, hide_possible_values = true)]
    progress: ProgressChoice,
    /// Tell errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Other stores are made beside this one.
    #[arg(skip)]
    has_company: bool,
}

impl Conduct {
    /// The same for one of several stores, whose progress nobody could follow.
    pub(super) fn for_one_of_several(&self) -> Self {
        Self { json: false, progress: ProgressChoice::None, has_company: true, ..self.clone() }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether progress is told to a program.
    pub(super) fn tells_json(&self) -> bool {
        self.progress == ProgressChoice::Json
    }

    /// Worker threads of its own for one of several stores: where it waits for a server, a thread of theirs would wait too.
    fn own_threads(&self) -> Result<Option<rayon::ThreadPool>, Failure> {
        let threads = || rayon::ThreadPoolBuilder::new().num_threads(rayon::current_num_threads()).build();
        let threads = self.has_company.then(threads).transpose();
        threads.context("cannot start the worker threads").map_err(Failure::failed)
    }

    /// Starts as many worker threads as were asked for; once a process.
    pub(super) fn start_threads(&self) -> Result<(), Failure> {
        let Some(threads) = self.threads else { return Ok(()) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        pool.build_global().context("cannot start the worker threads").map_err(Failure::failed)
    }
}

pub(super) fn run(args: &GenerateArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    args.conduct.start_threads()?;
    let config = match &args.configs[..] {
        [config] => config,
        configs => {
            for (is_given, option) in [
                (args.choices.output.is_some(), "--output"),
                (args.watch, "--watch"),
                (args.dry_run, "--dry-run"),
                (args.conduct.tells_json(), "--progress json"),
            ] {
                if is_given {
                    let hint = "give one store file, or leave the option out";
                    return Err(Failure::usage(
                        format!("`{option}` is for one store, not for {}", configs.len()),
                        hint,
                    ));
                }
            }
            return several::run(configs, &args.choices, &args.conduct, global, terminal);
        }
    };
    let store = state::open(global.state.as_deref(), state::folder_of(config), terminal);
    let held = RefCell::new(if args.watch { Held::for_rounds() } else { Held::default() });
    let build = || {
        let order = Order::new(StoreText::read(config)?, args.choices.clone());
        let held = &mut held.borrow_mut();
        conduct(held, order, store.clone(), args.dry_run, &args.conduct, terminal, &|_| {})
    };
    if args.watch {
        let load = || Ok(StoreText::read(config)?.load(&args.choices.overrides(), &|name| std::env::var(name).ok())?);
        return watch::run(config, terminal, &load, &build);
    }
    build()
}

impl Choices {
    pub(super) fn overrides(&self) -> Overrides {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Overrides { output: self.output.as_ref().map(absolute) }
    }
}

/// What is to be made, and why.
pub(super) struct Order {
    pub(super) text: StoreText,
    pub(super) choices: Choices,
    /// The job that is run again.
    pub(super) retry_of: Option<JobId>,
    /// The same, where it did not come to its end, so that what it had read is of use.
    pub(super) resumes: Option<JobId>,
    /// What other stores of the run read as well.
    pub(super) shared: SharedReadings,
}

impl Order {
    /// A store that is made for the first time, on its own.
    pub(super) fn new(text: StoreText, choices: Choices) -> Self {
        Self { text, choices, retry_of: None, resumes: None, shared: SharedReadings::default() }
    }
}

/// Runs a job from its place in the line to its record, which `ended` is shown. What the process `held` from the last time
/// is used.
pub(super) fn conduct(
    held: &mut Held,
    order: Order,
    store: JobStore,
    dry_run: bool,
    args: &Conduct,
    terminal: &Terminal,
    ended: &dyn Fn(&GenerationJob),
) -> Result<Exit, Failure> {
    let Order { text, mut choices, retry_of, resumes, shared } = order;
    let overrides = choices.overrides();
    choices.output.clone_from(&overrides.output);
    let config = text.load(&overrides, &|name| std::env::var(name).ok())?;
    // A dry run keeps its record and its working files where they vanish with it.
    let scratch = dry_run.then(tempfile::tempdir).transpose().context("cannot make a folder for working files");
    let scratch = scratch.map_err(Failure::failed)?;
    let state_folder = store.folder().to_path_buf();
    let kept = config.cache.folder_beside(&state_folder);
    let store = scratch.as_ref().map_or(store, |scratch| JobStore::at(scratch.path()));

    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let request = Request::new(&config.path, &text, json!(choices));
    let new = NewJob {
        store_name: config.store_name.clone(),
        config_path: config.path.clone(),
        retry_of,
        request: Some(request),
    };
    let Begun { job, running, set_aside } = store.begin(clock.now(), &new, &config.jobs)?;
    if let Some(aside) = set_aside {
        terminal.warn(&format!("the old state file is now `{}`, because {}", aside.path.display(), aside.why));
    }
    let view = ProgressView::new(terminal, args.progress);
    let waiting = Stop::new(&running, &*clock, &interrupt::is_interrupted, None);
    let _place =
        match state::turn(&store, job.job_id.clone(), config.jobs.max_concurrent_jobs, args.no_wait, &waiting, &view) {
            Ok(place) => place,
            Err(unturned) => return turned_away(job, unturned, &store, clock.now(), args, terminal),
        };
    let options = GenerateOptions {
        strict: choices.strict,
        overwrite: choices.overwrite,
        dry_run,
        job_id: job.job_id.to_string(),
        journal_dir: store.journal_dir(),
        work_dir: running.work_dir().to_path_buf(),
        // A dry run may use what is kept, but begins no keeping.
        cache_dir: match &scratch {
            Some(scratch) if !kept.is_dir() => scratch.path().join("cache"),
            _ => kept,
        },
        now: clock.now().into(),
        memory_dir: (!dry_run).then(|| store.memory_dir()),
        copies_dir: (choices.offline_ok && !dry_run).then(|| store.copies_dir()),
        resumes: resumes.as_ref().map(ToString::to_string),
        full: choices.full,
        room: args.max_memory.map_or_else(Room::default, Room::within),
        shard: choices.shard,
        shared,
        protected: std::env::home_dir().into_iter().chain([state_folder]).collect(),
    };
    let timeout = args.timeout.or(config.jobs.timeout);
    let stop = Stop::new(&running, &*clock, &interrupt::is_interrupted, timeout);
    let job_id = job.job_id.clone();
    let now = || clock.now();
    let memory = store.clone();
    let mut breakers = Breakers::new(&memory, &now, &config.retry);
    if args.ignore_breakers {
        breakers = breakers.ignored();
    }
    let threads = args.own_threads()?;
    let recorder = Recorder::start(store.clone(), job, Arc::clone(&clock))?;
    let listeners = Listeners::new(&recorder, &view, &stop);
    let mut generate = || pipeline::generate(&config, &options, &breakers, held, &listeners);
    let result = match threads {
        Some(threads) => threads.install(generate),
        None => generate(),
    };
    view.end();
    if let Ok(Summary { published: Some(published), .. }) = &result {
        let deed = Deed::Generated {
            job_id: &job_id,
            store: &config.store_name,
            config: &config.path,
            config_hash: &text.hash(),
            output: &config.output,
            files: published.files,
            added: published.added,
            changed: published.changed,
            removed: published.removed,
        };
        state::audit(&store, &deed, terminal);
    }
    tell(args, dry_run, &config, recorder, result, stop.reason(), &Audience { terminal, ended })
}

/// Ends the record of a job that never had its turn.
fn turned_away(
    mut job: GenerationJob,
    why: Unturned,
    store: &JobStore,
    now: OffsetDateTime,
    args: &Conduct,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let (status, outcome) = match why {
        Unturned::Stopped => {
            terminal.note(&format!("{} cancelled before it began", terminal.err.yellow("■")));
            (JobStatus::Cancelled, Ok(Exit::Cancelled))
        }
        Unturned::Failed(failure) => (JobStatus::Failed, Err(failure)),
    };
    let message = outcome.as_ref().err().map(Failure::for_record);
    job.end(status, message, now).map_err(Failure::failed)?;
    store.replace(&job)?;
    if args.json {
        terminal.json(&job)?;
    }
    outcome
}

/// Who is told of the end of a run.
struct Audience<'a> {
    terminal: &'a Terminal,
    /// Is shown the record.
    ended: &'a dyn Fn(&GenerationJob),
}

/// Ends the record and tells the result.
fn tell(
    args: &Conduct,
    dry_run: bool,
    config: &StoreConfiguration,
    recorder: Recorder,
    result: Result<Summary, RunError>,
    stopped: Option<StopReason>,
    audience: &Audience<'_>,
) -> Result<Exit, Failure> {
    let &Audience { terminal, ended } = audience;
    let (ending, outcome) = match result {
        Ok(summary) => {
            let generated_urls = summary.generated_urls.clone();
            let changes = summary.published.map(|published| Changes {
                reading: summary.reading,
                pages_made: summary.rendered,
                pages_kept: summary.pages - summary.rendered,
                files: published.files,
                bytes: published.bytes,
                files_added: published.added,
                files_changed: published.changed,
                files_removed: published.removed,
            });
            (Ending::Completed { products: summary.products, generated_urls, changes }, Ok(summary))
        }
        Err(RunError::Cancelled(_)) => match stopped {
            Some(StopReason::TimedOut(limit)) => {
                let failure = Failure {
                    hint: Some("give it more time with `--timeout`, or `jobs.timeout` in the store file".into()),
                    ..Failure::failed(anyhow::anyhow!(
                        "the job was stopped because its time was up after {}; the store of before is as it was",
                        words::duration(limit.as_secs_f64())
                    ))
                };
                (Ending::Failed(failure.for_record()), Err(Some(failure)))
            }
            _ => (Ending::Cancelled, Err(None)),
        },
        Err(error) => {
            let failure = Failure::from(error);
            (Ending::Failed(failure.for_record()), Err(Some(failure)))
        }
    };
    let (job, tally) = recorder.end(ending)?;
    ended(&job);
    let traced = Exporter::of(&|name| std::env::var(name).ok())
        .and_then(|exporter| exporter.map_or(Ok(()), |exporter| exporter.export(&job)));
    if let Err(error) = traced {
        terminal.warn(&format!("{error:#}"));
    }
    if let Some(error) = &tally.report_error {
        terminal.warn(&format!("the report is not whole: {error}"));
    }
    if args.json {
        terminal.json(&job)?;
    }
    match outcome {
        Ok(summary) => {
            if !args.json && terminal.verbosity > Verbosity::Quiet {
                terminal.result(&describe(config, &summary, &job, &tally, dry_run, terminal));
            }
            Ok(Exit::Done)
        }
        Err(Some(failure)) => {
            if let Some(report) = tally.report.filter(|_| !dry_run) {
                terminal.note(&format!("every finding of the run is in `{}`", words::shown(&report)));
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
    // What takes about as long without any product says nothing of them.
    let rate = job.performance_metrics.products_per_second.filter(|rate| *rate >= 2.0);
    let rate = rate.map(|rate| format!(", {} products/s", words::number(rate as u64)));
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
    if let Some(taken_at) = job.catalog_as_of {
        row("offline", &paint.yellow(&format!("from the copy of {}", words::moment(taken_at))));
    }
    if let Some(published) = &summary.published {
        row("store", &words::shown(&config.output));
        // Links begin at the host, so that a page opened as a file would have no style.
        row("see it", &paint.cyan(&format!("storegen preview {}", words::shown(&config.path))));
        let mut files = format!("{} ({})", words::number(published.files), words::bytes(published.bytes));
        for (count, what) in [(published.added, "new"), (published.changed, "changed"), (published.removed, "removed")]
        {
            // In a first store everything is new.
            if count > 0 && count < published.files {
                let _ = write!(files, ", {} {what}", words::number(count));
            }
        }
        row("files", &files);
        let kept = summary.pages - summary.rendered;
        if kept > 0 {
            row("pages", &format!("{} made, {} as before", words::number(summary.rendered), words::number(kept)));
        }
        if let Some(how) = words::read(summary.reading) {
            row("catalog", &how);
        }
    }
    for (name, counts) in [("skipped", &tally.skipped), ("excluded", &tally.excluded), ("repaired", &tally.repaired)] {
        if !counts.is_empty() {
            let total = words::number(counts.values().sum());
            row(name, &format!("{total}  {}", paint.dim(&words::harmless(&words::reasons(counts)))));
        }
    }
    if !dry_run {
        if let Some(report) = &tally.report {
            row("report", &words::shown(report));
        }
        row("job", job.job_id.as_str());
    }
    text
}

/// The record and the terminal, side by side.
struct Listeners<'a> {
    recorder: &'a Recorder,
    view: &'a ProgressView<'a>,
    stop: &'a Stop<'a>,
    stop_told: AtomicBool,
}

impl<'a> Listeners<'a> {
    fn new(recorder: &'a Recorder, view: &'a ProgressView<'a>, stop: &'a Stop<'a>) -> Self {
        Self { recorder, view, stop, stop_told: AtomicBool::new(false) }
    }
}

impl Observer for Listeners<'_> {
    fn observe(&self, event: Event) {
        self.recorder.observe(event.clone());
        self.view.observe(event);
    }

    fn is_cancelled(&self) -> bool {
        let Some(reason) = self.stop.reason() else { return false };
        if !self.stop_told.swap(true, Ordering::Relaxed) {
            let text = match reason {
                StopReason::Interrupted => "stopping; another Ctrl-C ends it at once",
                StopReason::Requested => "stopping, as `storegen cancel` asks",
                StopReason::TimedOut(_) => "stopping, its time is up",
            };
            self.view.observe(Event::Note(text.into()));
        }
        true
    }
}
