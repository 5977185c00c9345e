//! `storegen logs`: what happened in a job, also while it happens.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::{GlobalArgs, interrupt, state, words};
use crate::jobs::{Entry, JobId, JobStore, Level};
use clap::Args;
use std::path::Path;
use std::time::Duration;

/// Time between two looks at a log.
const GLANCE: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen logs                          the newest job's
  storegen logs job_5f2c9a01b3d4 --level warn
  storegen logs 5f2c --follow
  storegen logs 5f2c --json --level debug | jq .reason")]
pub(super) struct LogsArgs {
    /// The job; the start of its id is enough [default: the newest]
    #[arg(value_name = "JOB_ID")]
    job: Option<String>,
    /// Stay and print what comes, until the job has ended
    #[arg(short, long)]
    follow: bool,
    /// Print the lines as they are: one JSON object each
    #[arg(long)]
    json: bool,
    /// Least level to print: debug, info, warn or error
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LevelChoice::Info, hide_possible_values = true)]
    level: LevelChoice,
}

/// The levels, as they are typed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LevelChoice {
    Debug,
    Info,
    Warn,
    Error,
}

impl From<LevelChoice> for Level {
    fn from(choice: LevelChoice) -> Self {
        match choice {
            LevelChoice::Debug => Self::Debug,
            LevelChoice::Info => Self::Info,
            LevelChoice::Warn => Self::Warn,
            LevelChoice::Error => Self::Error,
        }
    }
}

pub(super) fn run(args: &LogsArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let store = state::open(global.state.as_deref(), Path::new("."), terminal);
    let jobs = store.jobs()?;
    let job_id = match (&args.job, jobs.first()) {
        (Some(wanted), _) => state::find(&jobs, wanted, &store)?.job_id.clone(),
        (None, Some(newest)) => newest.job_id.clone(),
        (None, None) => return Err(state::none_found(&store)),
    };
    let mut log = store.log(&job_id);
    if !args.follow && !log.exists() {
        let message = anyhow::anyhow!("{job_id} has no log; it never began to work, or an older storegen ran it");
        return Err(Failure::failed(message));
    }
    let least = Level::from(args.level);
    loop {
        // Looked at first: what a job says, it says before it ends.
        let is_over = !args.follow || has_ended(&store, &job_id)?;
        let lines = log.next_lines().map_err(Failure::failed)?;
        let mut text = String::new();
        for (line, entry) in lines.iter().filter(|(_, entry)| entry.level >= least) {
            text += &if args.json { line.clone() } else { describe(entry, terminal) };
            text.push('\n');
        }
        if !text.is_empty() {
            terminal.result(&text);
        }
        if is_over || interrupt::is_interrupted() || terminal.is_reader_gone() {
            return Ok(Exit::Done);
        }
        std::thread::sleep(GLANCE);
        state::settle(&store, terminal);
    }
}

fn has_ended(store: &JobStore, job_id: &JobId) -> Result<bool, Failure> {
    Ok(store.jobs()?.iter().find(|job| job.job_id == *job_id).is_none_or(|job| job.status.is_final()))
}

/// An entry for people: `08:00:01.250 warn  products 17: the price is missing`.
fn describe(entry: &Entry, terminal: &Terminal) -> String {
    let paint = terminal.out;
    let (hour, minute, second, milli) = entry.time.time().as_hms_milli();
    let level = match entry.level {
        Level::Debug => paint.dim("debug"),
        Level::Info => paint.cyan("info "),
        Level::Warn => paint.yellow("warn "),
        Level::Error => paint.red("error"),
    };
    let reason = entry.fields.get("reason").and_then(|reason| reason.as_str());
    let reason = reason.map(|reason| format!(" {}", paint.dim(&format!("({})", words::harmless(reason)))));
    let time = paint.dim(&format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"));
    // A message of several lines keeps them, below each other.
    let message: Vec<String> = entry.message.lines().map(words::harmless).collect();
    format!("{time} {level} {}{}", message.join("\n                   "), reason.unwrap_or_default())
}
