//! `storegen status`: how runs went, and how they go, in this process or any other.

use super::exit::{Exit, Failure};
use super::job_page::{self, Beside};
use super::terminal::Terminal;
use super::{GlobalArgs, interrupt, job_statistics, job_table, state, words};
use crate::jobs::{Clock, GenerationJob, JobStatus, JobStore, Statistics, SystemClock, reasons};
use crate::reliability::{Breaker, BreakerState};
use clap::Args;
use console::truncate_str;
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::OffsetDateTime;

/// Time between two looks at the state file.
const WATCH_INTERVAL: Duration = Duration::from_millis(250);
/// Jobs that are shown unless more are asked for.
const USUAL_LIMIT: usize = 10;
/// Documents that are shown for each reason.
const EXAMPLES: usize = 3;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen status
  storegen status job_5f2c9a01b3d4
  storegen status --watch
  storegen status --only failed --since 2d
  storegen status --stats --store lumen
  storegen status --json | jq '.[0].status'")]
pub(super) struct StatusArgs {
    /// Only this job, with all its numbers; the start of its id is enough
    #[arg(value_name = "JOB_ID", conflicts_with_all = ["stats", "of_state", "of_store", "since"])]
    job: Option<String>,
    /// Print records as JSON: an array, or one object for JOB_ID and --stats
    #[arg(long)]
    json: bool,
    /// Stay and show what changes, until Ctrl-C or until JOB_ID has ended
    #[arg(short, long)]
    watch: bool,
    /// How many jobs to show, newest first [default: 10]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    limit: Option<u16>,
    /// Only jobs that are pending, running, completed, failed or cancelled; may be given more than once
    #[arg(long = "only", value_name = "STATE", value_enum, hide_possible_values = true)]
    of_state: Vec<StateChoice>,
    /// Only jobs of stores whose name has this in it
    #[arg(long = "store", value_name = "NAME")]
    of_store: Option<String>,
    /// Only jobs made within this time, such as 2d or 12h
    #[arg(long, value_name = "TIME", value_parser = words::span_of)]
    since: Option<Duration>,
    /// Numbers about all these jobs: how many succeed, how long they take, how fast they are
    #[arg(long)]
    stats: bool,
}

/// The states, as they are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum StateChoice {
    Pending,
    #[value(alias = "in_progress", alias = "in-progress")]
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl StateChoice {
    fn fits(self, status: JobStatus) -> bool {
        status
            == match self {
                Self::Pending => JobStatus::Pending,
                Self::Running => JobStatus::InProgress,
                Self::Completed => JobStatus::Completed,
                Self::Failed => JobStatus::Failed,
                Self::Cancelled => JobStatus::Cancelled,
            }
    }
}

impl StatusArgs {
    fn is_wanted(&self, job: &GenerationJob, now: OffsetDateTime) -> bool {
        let of_state = self.of_state.is_empty() || self.of_state.iter().any(|state| state.fits(job.status));
        let of_store =
            self.of_store.as_ref().is_none_or(|name| job.store_name.to_lowercase().contains(&name.to_lowercase()));
        let is_recent = self.since.is_none_or(|since| now - job.created_at <= since);
        of_state && of_store && is_recent
    }

    fn limit(&self) -> usize {
        self.limit.map_or(USUAL_LIMIT, usize::from)
    }

    fn has_filters(&self) -> bool {
        !self.of_state.is_empty() || self.of_store.is_some() || self.since.is_some()
    }
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
    let mut jobs = store.jobs()?;
    let now = SystemClock::new().now();
    let Some(wanted) = &args.job else {
        jobs.retain(|job| args.is_wanted(job, now));
        let text = match (args.stats, args.json) {
            (true, true) => json(&Statistics::of(&jobs), args.watch)?,
            (true, false) => job_statistics::describe(&Statistics::of(&jobs), terminal.out),
            (false, true) => json(&jobs.get(..args.limit()).unwrap_or(&jobs), args.watch)?,
            (false, false) => list(&jobs, now, store, args, terminal),
        };
        return Ok(Seen { text, ended: None });
    };
    let job = state::find(&jobs, wanted, store)?;
    let text = if args.json { json(job, args.watch)? } else { page(job, now, store, terminal)? };
    Ok(Seen { text, ended: Some(job.status).filter(|status| status.is_final()) })
}

/// One line for each look while watching, so that a program can read it line by line.
fn json(value: &impl serde::Serialize, one_line: bool) -> Result<String, Failure> {
    let text = if one_line { serde_json::to_string(value) } else { serde_json::to_string_pretty(value) };
    Ok(text.map_err(Failure::failed)? + "\n")
}

fn page(job: &GenerationJob, now: OffsetDateTime, store: &JobStore, terminal: &Terminal) -> Result<String, Failure> {
    let there = |path: PathBuf| Some(path).filter(|path| path.is_file());
    let report = there(store.report_path(&job.job_id));
    let log = there(store.log_path(&job.job_id));
    let reasons = report.as_deref().map_or(Ok(Vec::new()), |report| reasons(report, EXAMPLES));
    let reasons = reasons.map_err(Failure::failed)?;
    let beside = Beside { reasons: &reasons, report: report.as_deref(), log: log.as_deref() };
    let width = terminal.out_size().map_or(job_table::USUAL_WIDTH, |(_, columns)| columns);
    Ok(job_page::page(job, &beside, now, terminal.out, width))
}

fn list(
    jobs: &[GenerationJob],
    now: OffsetDateTime,
    store: &JobStore,
    args: &StatusArgs,
    terminal: &Terminal,
) -> String {
    if jobs.is_empty() && args.has_filters() {
        return "no jobs like that; `storegen status` shows all\n".into();
    }
    if jobs.is_empty() {
        let start = terminal.out.cyan("storegen generate store.yaml");
        let path = terminal.out.dim(&format!("({} does not exist)", store.path().display()));
        let path = if store.path().exists() { String::new() } else { format!("  {path}\n") };
        return format!("no jobs here yet; start one with {start}, or name its state file with --state\n{path}");
    }
    let size = terminal.out_size();
    // While it is drawn again and again it must fit the screen; notes below a job take up to two lines.
    let fitting = size.filter(|_| args.watch).map_or(usize::MAX, |(rows, _)| (rows.saturating_sub(3) / 3).max(1));
    let shown = jobs.get(..args.limit().min(fitting)).unwrap_or(jobs);
    let mut text = job_table::table(shown, now, terminal.out, size.map(|(_, columns)| columns));
    text += &left_alone(store, now, terminal);
    if shown.len() < jobs.len() {
        let more = format!("  {} more; `--limit {}` shows all", jobs.len() - shown.len(), jobs.len());
        text += &format!("{}\n", terminal.out.dim(&more));
    }
    text
}

/// Dependencies that are left alone now, a line each.
fn left_alone(store: &JobStore, now: OffsetDateTime, terminal: &Terminal) -> String {
    let line = |(key, breaker): (String, Breaker)| match breaker.state(now) {
        BreakerState::Open(until) => {
            let (service, host) = key.split_once(':').unwrap_or((&key, ""));
            let until = words::moment(until);
            let failures = words::counted(breaker.failures.into(), "failure", "failures");
            let text = words::harmless(&format!("{service} at {host} is left alone until {until}, after {failures}"));
            let width = terminal.out_size().map_or(job_table::USUAL_WIDTH, |(_, columns)| columns);
            let text = truncate_str(&text, width.saturating_sub(2), "…");
            Some(format!("{} {text}\n", terminal.out.yellow("!")))
        }
        BreakerState::Closed | BreakerState::HalfOpen => None,
    };
    store.breakers().unwrap_or_default().into_iter().filter_map(line).collect()
}
