//! `storegen generate a.yaml b.yaml`: many stores in one run, side by side as far as `jobs.max_concurrent_jobs` lets them.
//!
//! In: store files. Out: a job each, and a table of how they went. A store that fails does not keep others from their work.

use super::exit::{Exit, Failure};
use super::generate::{self, Choices, Conduct, Order};
use super::terminal::{Terminal, Verbosity};
use super::{GlobalArgs, state, words};
use crate::catalog::SharedReadings;
use crate::config::{StoreConfiguration, StoreText};
use crate::event::Reading;
use crate::jobs::GenerationJob;
use crate::pipeline::Held;
use crate::site::real_path;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Most stores that have a thread of their own; more than that wait for one before they even join the line.
const MOST_AT_ONCE: usize = 64;

/// How one store went.
struct Went {
    outcome: Result<Exit, Failure>,
    job: Option<GenerationJob>,
}

/// Makes all stores, then tells of each.
pub(super) fn run(
    configs: &[PathBuf],
    choices: &Choices,
    args: &Conduct,
    global: &GlobalArgs,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let loaded = load_all(configs, choices);
    refuse_shared_outputs(&loaded)?;
    let stores: Vec<StoreConfiguration> = loaded.into_iter().map(|(_, store)| store).collect();
    let shared = SharedReadings::among(&stores);
    let quietly = args.for_one_of_several();
    let quiet = terminal.quiet();
    let next = AtomicUsize::new(0);
    let went: Vec<Mutex<Option<Went>>> = configs.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some((config, place)) = configs.iter().zip(&went).nth(next.fetch_add(1, Ordering::Relaxed)) {
            let one = make(config, choices, &shared, &quietly, global, &quiet);
            let mark = mark(&one.outcome, terminal);
            terminal.note(&format!("{mark} {}", words::shown(config)));
            if let Some(taken_at) = one.job.as_ref().and_then(|job| job.catalog_as_of) {
                let from = format!("offline: made from the copy of {}", words::moment(taken_at));
                terminal.warn(&format!("{}: {from}", words::shown(config)));
            }
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(one);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..configs.len().min(MOST_AT_ONCE) {
            scope.spawn(work);
        }
    });
    let went = went.into_iter().map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner));
    let went: Vec<(&Path, Went)> =
        configs.iter().map(PathBuf::as_path).zip(went).filter_map(|(config, went)| Some((config, went?))).collect();
    if args.is_json() {
        let jobs: Vec<&GenerationJob> = went.iter().filter_map(|(_, went)| went.job.as_ref()).collect();
        terminal.json(&jobs)?;
    } else if terminal.verbosity > Verbosity::Quiet {
        terminal.result(&table(&went, terminal));
    }
    for (config, went) in &went {
        if let Err(failure) = &went.outcome {
            // An error says nothing without the name of its store, so that this is told to those who want errors only.
            terminal.line(&format!("\n{}:", words::shown(config)));
            terminal.failure(failure);
        }
    }
    Ok(exit_of(&went))
}

/// What can be understood of the store files; what is wrong with the others is told by their jobs.
fn load_all<'c>(configs: &'c [PathBuf], choices: &Choices) -> Vec<(&'c Path, StoreConfiguration)> {
    let load = |config: &'c PathBuf| {
        let text = StoreText::read(config).ok()?;
        Some((config.as_path(), text.load(&choices.overrides(), &|name| std::env::var(name).ok()).ok()?))
    };
    configs.iter().filter_map(load).collect()
}

/// Two stores in one folder would each take the place of the other; one within the folder of another would be moved while it
/// is written.
fn refuse_shared_outputs(stores: &[(&Path, StoreConfiguration)]) -> Result<(), Failure> {
    let mut outputs: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    for (config, store) in stores {
        // What cannot be found out here is told by the store's own job.
        let output = real_path(&store.output).map_or_else(|_| store.output.clone(), |(output, _)| output);
        let shown = output.display().to_string();
        if let Some(other) = outputs.insert(output, config) {
            return Err(Failure::usage(
                format!("`{}` and `{}` would both be written to `{shown}`", words::shown(other), words::shown(config)),
                "give each store an `output` of its own",
            ));
        }
    }
    for (inner, config) in &outputs {
        if let Some((outer, other)) = outputs.iter().find(|(outer, _)| inner != *outer && inner.starts_with(outer)) {
            let (config, other) = (words::shown(config), words::shown(other));
            let (inner, outer) = (inner.display(), outer.display());
            return Err(Failure::usage(
                format!("`{config}` would be written to `{inner}`, within `{outer}`, to which `{other}` is written"),
                "give each store a folder beside those of the others, or make them in runs of their own",
            ));
        }
    }
    Ok(())
}

fn make(
    config: &Path,
    choices: &Choices,
    shared: &SharedReadings,
    args: &Conduct,
    global: &GlobalArgs,
    terminal: &Terminal,
) -> Went {
    let job = Mutex::new(None);
    let keep = |ended: &GenerationJob| *job.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended.clone());
    let conduct = || {
        let store = state::open(global.state.as_deref(), state::folder_of(config), terminal);
        let order = Order { shared: shared.clone(), ..Order::new(StoreText::read(config)?, choices.clone()) };
        generate::conduct(&mut Held::default(), order, store, false, args, terminal, &keep)
    };
    let outcome = conduct();
    Went { outcome, job: job.into_inner().unwrap_or_else(PoisonError::into_inner) }
}

fn mark(outcome: &Result<Exit, Failure>, terminal: &Terminal) -> String {
    match outcome {
        Ok(Exit::Done) => terminal.out.green("✓"),
        Ok(_) => terminal.out.yellow("■"),
        Err(_) => terminal.out.red("✗"),
    }
}

/// A row a store.
fn table(went: &[(&Path, Went)], terminal: &Terminal) -> String {
    let cells = |(config, went): &(&Path, Went)| {
        let job = went.job.as_ref();
        let changes = job.and_then(|job| job.performance_metrics.changes);
        let number = |value: Option<u64>| value.map_or_else(|| "-".to_string(), words::number);
        let seconds = job.and_then(|job| job.duration(job.completed_at?)).map(time::Duration::as_seconds_f64);
        let done = job.filter(|_| matches!(went.outcome, Ok(Exit::Done)));
        [
            job.map_or_else(|| words::shown(config), |job| words::harmless(&job.store_name)),
            number(done.map(|job| job.processed_products)),
            number(changes.map(|changes| changes.pages_made)),
            number(changes.map(|changes| changes.pages_kept)),
            changes.map_or("-", |changes| came_by(changes.reading, job)).to_string(),
            seconds.map_or_else(|| "-".to_string(), words::duration),
        ]
    };
    let head = ["store", "products", "made", "as before", "catalog", "time"].map(str::to_string);
    let rows: Vec<[String; 6]> = went.iter().map(cells).collect();
    let width =
        |column: usize| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let [name, numbers @ ..] = row;
        let mut line = format!("{name}{}", " ".repeat(widths[0] - name.chars().count()));
        for (text, width) in numbers.iter().zip(&widths[1..]) {
            let _ = write!(line, "  {text:>width$}");
        }
        line
    };
    let mut text = format!("\n  {}\n", terminal.out.dim(&line(&head)));
    for (row, (_, went)) in rows.iter().zip(went) {
        let _ = writeln!(text, "{} {}", mark(&went.outcome, terminal), line(row));
    }
    text
}

/// How a store came by its catalogue, in a word.
fn came_by(reading: Reading, job: Option<&GenerationJob>) -> &'static str {
    if job.is_some_and(|job| job.catalog_as_of.is_some()) {
        return "old copy";
    }
    match reading {
        Reading::SameFiles => "as before",
        Reading::Told { .. } => "changes",
        Reading::Shared { .. } => "shared",
        Reading::Compared { .. } | Reading::Whole => "read",
    }
}

/// What all of them come to: done, cancelled, or what they failed of if that is the same for all that failed.
fn exit_of(went: &[(&Path, Went)]) -> Exit {
    if went.iter().any(|(_, went)| matches!(went.outcome, Ok(Exit::Cancelled))) {
        return Exit::Cancelled;
    }
    let mut failures = went.iter().filter_map(|(_, went)| went.outcome.as_ref().err()).map(|failure| failure.exit);
    match failures.next() {
        None => Exit::Done,
        Some(first) if failures.all(|other| other == first) => first,
        Some(_) => Exit::Failed,
    }
}
