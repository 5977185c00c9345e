//! `storegen doctor`: looks at everything that a run needs and says what to do about it.

use super::exit::{Exit, Failure};
use super::terminal::{Paint, Terminal};
use super::{GlobalArgs, interrupt, state, words};
use crate::config::{self, Overrides};
use crate::event::{Event, Observer};
use crate::jobs::{Clock as _, JobStore, StateError, SystemClock};
use crate::pipeline::doctor::{Check, Health, Surroundings, examine};
use crate::reliability::BreakerState;
use clap::Args;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::SystemTime;

#[derive(Debug, Args)]
#[command(after_help = "\
Reads no product and writes nothing. Ends with 0 when nothing is wrong that would make a run fail, with 1 when
something is, with 2 when it is the configuration, with 4 when it is the database.

Examples:
  storegen doctor store.yaml
  storegen doctor store.yaml --strict --json | jq '.checks[] | select(.health != \"ok\")'")]
pub(super) struct DoctorArgs {
    /// The store's configuration
    #[arg(default_value = "store.yaml")]
    config: PathBuf,
    /// Fail when anything should be seen to
    #[arg(long)]
    strict: bool,
    /// Print the checks as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DoctorArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let store = state::of(global.state.as_deref(), &args.config);
    let mut checks = Vec::new();
    let mut exit = Exit::Done;
    match config::load(&args.config, &Overrides::default(), &|name| std::env::var(name).ok()) {
        Ok(config) => {
            let name = words::harmless(&config.store_name);
            checks.push(Check::ok("configuration", format!("`{}` ({name})", args.config.display())));
            let protected: Vec<PathBuf> =
                std::env::home_dir().into_iter().chain([store.folder().to_path_buf()]).collect();
            let around = Surroundings { state_folder: store.folder(), protected: &protected, now: &SystemTime::now };
            let Ok(found) = examine(&config, &around, &Listener { terminal }) else { return Ok(Exit::Cancelled) };
            checks.extend(found.checks);
            if found.is_unreachable {
                exit = Exit::SourceUnavailable;
            }
        }
        Err(errors) => {
            exit = Exit::Usage;
            checks.push(Check::fail("configuration", errors.render(false).trim_end(), "mend the store file"));
        }
    }
    checks.extend(jobs(&store));
    let has = |health: Health| checks.iter().any(|check| check.health == health);
    if exit == Exit::Done && (has(Health::Fail) || args.strict && has(Health::Warn)) {
        exit = Exit::Failed;
    }
    if args.json {
        terminal.json(&json!({ "healthy": exit == Exit::Done, "checks": checks }))?;
    } else {
        terminal.result(&describe(&checks, terminal.out));
    }
    Ok(exit)
}

/// What the state file says.
fn jobs(store: &JobStore) -> Vec<Check> {
    let jobs = match store.jobs() {
        Ok(jobs) => jobs,
        Err(error @ (StateError::Damaged { .. } | StateError::Future { .. })) => {
            return vec![Check::warn("jobs", error.to_string(), "the next run sets it aside and begins a new one")];
        }
        Err(error) => return vec![Check::fail("jobs", error.to_string(), "see to it that the file can be read")],
    };
    let now = SystemClock::new().now();
    let resting = store.breakers().unwrap_or_default().into_iter().filter_map(|(dependency, breaker)| {
        let last = breaker.last_failure.as_deref().unwrap_or("the reason is not known");
        let detail = format!("{dependency} has failed {} times in a row: {last}", breaker.failures);
        match breaker.state(now) {
            BreakerState::Closed => None,
            BreakerState::HalfOpen => {
                Some(Check::warn("breakers", detail, "the next run tries it; see to it that it works by then"))
            }
            BreakerState::Open(until) => {
                let remedy = format!(
                    "it is left alone until {}; `generate --ignore-breakers` tries it before",
                    words::moment(until)
                );
                Some(Check::warn("breakers", detail, remedy))
            }
        }
    });
    let resting: Vec<Check> = resting.collect();
    let running = jobs.iter().filter(|job| !job.status.is_final()).count() as u64;
    let known = words::counted(jobs.len() as u64, "job", "jobs");
    let mut checks = vec![Check::ok("jobs", format!("{known} remembered, {running} running or waiting"))];
    match resting.is_empty() {
        true => checks.push(Check::ok("breakers", "nothing is being left alone")),
        false => checks.extend(resting),
    }
    checks
}

fn describe(checks: &[Check], paint: Paint) -> String {
    let mut text = String::from("\n");
    for check in checks {
        let sign = match check.health {
            Health::Ok => paint.green("✓ ok  "),
            Health::Warn => paint.yellow("! warn"),
            Health::Fail => paint.red("✗ fail"),
        };
        let mut lines = check.detail.lines();
        let first = words::harmless(lines.next().unwrap_or_default());
        let _ = writeln!(text, "  {sign}  {}  {first}", paint.bold(&format!("{:<13}", check.name)));
        for line in lines {
            let _ = writeln!(text, "  {:<23}{}", "", words::harmless(line));
        }
        if let Some(remedy) = &check.remedy {
            let _ = writeln!(text, "  {:<23}{} {}", "", paint.cyan("→"), words::harmless(remedy));
        }
    }
    let count = |health: Health| checks.iter().filter(|check| check.health == health).count() as u64;
    let _ = writeln!(
        text,
        "\n  {} ok, {} to be seen to, {} failed",
        words::number(count(Health::Ok)),
        words::number(count(Health::Warn)),
        words::number(count(Health::Fail))
    );
    text
}

struct Listener<'a> {
    terminal: &'a Terminal,
}

impl Observer for Listener<'_> {
    fn observe(&self, event: Event) {
        if let Event::Note(note) = event {
            self.terminal.note(&note);
        }
    }

    fn is_cancelled(&self) -> bool {
        interrupt::is_interrupted()
    }
}
