//! `storegen status`: how runs went, and how they go, in this process or any other.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::{GlobalArgs, interrupt, job_table, state, words};
use crate::jobs::{Clock, GenerationJob, JobStatus, JobStore, SystemClock};
use crate::reliability::{Breaker, BreakerState};
use clap::Args;
use std::path::Path;
use std::time::Duration;

/// Time between two looks at the state file.
const WATCH_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen status
  storegen status job_5f2c9a01b3d4
  storegen status --watch
  storegen status --json | jq '.[0].status'")]
pub(super) struct StatusArgs {
    /// Only this job, with all its numbers; the start of its id is enough
    #[arg(value_name = "JOB_ID")]
    job: Option<String>,
    /// Print records as JSON: an array, or one object for JOB_ID
    #[arg(long)]
    json: bool,
    /// Stay and show what changes, until Ctrl-C or until JOB_ID has ended
    #[arg(short, long)]
    watch: bool,
    /// How many jobs to show, newest first
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
}

pub(super) fn run(args: &StatusArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let store = state::open(global.state.as_deref(), Path::new("."), terminal);
    let mut lines = 0;
    let mut last = None;
    loop {
        let seen = look(args, &store, terminal)?;
        if last.as_ref() != Some(&seen.text) {
            match args.watch && !args.json && terminal.is_out_terminal() {
                true => terminal.redraw(lines, &seen.text),
                false => terminal.result(&seen.text),
            }
            lines = seen.text.lines().count();
            last = Some(seen.text);
        }
        if !args.watch || interrupt::is_interrupted() || terminal.is_reader_gone() {
            return Ok(Exit::Done);
        }
        match seen.ended {
            Some(JobStatus::Completed) => return Ok(Exit::Done),
            Some(_) => return Ok(Exit::Failed),
            None => std::thread::sleep(WATCH_INTERVAL),
        }
        state::settle(&store, terminal);
    }
}

/// What there is to be seen at one moment.
struct Seen {
    text: String,
    /// How the job that was asked for has ended, if it has.
    ended: Option<JobStatus>,
}

fn look(args: &StatusArgs, store: &JobStore, terminal: &Terminal) -> Result<Seen, Failure> {
    let jobs = store.jobs()?;
    let now = SystemClock::new().now();
    let Some(wanted) = &args.job else {
        let shown = jobs.get(..args.limit.into()).unwrap_or(&jobs);
        let text =
            if args.json { json(&shown, args.watch)? } else { list(shown, jobs.len(), now, store, args, terminal) };
        return Ok(Seen { text, ended: None });
    };
    let job = state::find(&jobs, wanted, store)?;
    let report = Some(store.report_path(&job.job_id)).filter(|report| report.is_file());
    let text = match args.json {
        true => json(job, args.watch)?,
        false => job_table::detail(job, report.as_deref(), now, terminal.out),
    };
    Ok(Seen { text, ended: Some(job.status).filter(|status| status.is_final()) })
}

/// One line for each look while watching, so that a program can read it line by line.
fn json(value: &impl serde::Serialize, one_line: bool) -> Result<String, Failure> {
    let text = if one_line { serde_json::to_string(value) } else { serde_json::to_string_pretty(value) };
    Ok(text.map_err(Failure::failed)? + "\n")
}

fn list(
    shown: &[GenerationJob],
    all: usize,
    now: time::OffsetDateTime,
    store: &JobStore,
    args: &StatusArgs,
    terminal: &Terminal,
) -> String {
    if shown.is_empty() {
        let start = terminal.out.cyan("storegen generate store.yaml");
        let path = terminal.out.dim(&format!("({} does not exist)", store.path().display()));
        let path = if store.path().exists() { String::new() } else { format!("  {path}\n") };
        return format!("no jobs here yet; start one with {start}, or name its state file with --state\n{path}");
    }
    let size = terminal.out_size();
    // While it is drawn again and again it must fit the screen; notes below a job take up to two lines.
    let fitting = size.filter(|_| args.watch).map_or(shown.len(), |(rows, _)| rows.saturating_sub(3) / 3).max(1);
    let shown = shown.get(..fitting).unwrap_or(shown);
    let mut text = job_table::table(shown, now, terminal.out, size.map(|(_, columns)| columns));
    text += &left_alone(store, now, terminal);
    if shown.len() < all {
        let more = format!("  {} more; `--limit {all}` shows all", all - shown.len());
        text += &format!("{}\n", terminal.out.dim(&more));
    }
    text
}

/// Dependencies that are left alone now, a line each.
fn left_alone(store: &JobStore, now: time::OffsetDateTime, terminal: &Terminal) -> String {
    let line = |(key, breaker): (String, Breaker)| match breaker.state(now) {
        BreakerState::Open(until) => {
            let (service, host) = key.split_once(':').unwrap_or((&key, ""));
            let until = words::moment(until);
            let failures = words::counted(breaker.failures.into(), "failure", "failures");
            let text = format!("{service} at {host} is left alone until {until}, after {failures}");
            Some(format!("{} {}\n", terminal.out.yellow("!"), words::harmless(&text)))
        }
        BreakerState::Closed | BreakerState::HalfOpen => None,
    };
    store.breakers().unwrap_or_default().into_iter().filter_map(line).collect()
}
