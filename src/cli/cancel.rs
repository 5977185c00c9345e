//! `storegen cancel`: stops jobs of other processes, and waits until they have stopped.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::{GlobalArgs, interrupt, job_table, state};
use crate::jobs::{GenerationJob, JobId, JobStatus, JobStore};
use clap::Args;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a job may take to stop by itself; it looks every 50 ms while it works.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a job that is to be killed may take to stop by itself.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);
/// Time between two looks at the state file.
const GLANCE: Duration = Duration::from_millis(50);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen cancel job_5f2c9a01b3d4
  storegen cancel --all
  storegen cancel 5f2c --force")]
pub(super) struct CancelArgs {
    /// The job; the start of its id is enough
    #[arg(value_name = "JOB_ID", required_unless_present = "all", conflicts_with = "all")]
    job: Option<String>,
    /// Every job that runs or waits
    #[arg(long)]
    all: bool,
    /// Kill the process of a job that does not stop by itself
    #[arg(long)]
    force: bool,
    /// Print the records as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CancelArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let store = state::open(global.state.as_deref(), Path::new("."), terminal);
    let jobs = store.jobs()?;
    let chosen: Vec<JobId> = match &args.job {
        Some(wanted) => {
            let job = state::find(&jobs, wanted, &store)?;
            if job.status.is_final() && job.status != JobStatus::Cancelled {
                let message = anyhow::anyhow!("{} has ended already: it is {}", job.job_id, job.status.words());
                return Err(Failure::failed(message));
            }
            vec![job.job_id.clone()]
        }
        None => jobs.iter().filter(|job| !job.status.is_final()).map(|job| job.job_id.clone()).collect(),
    };
    for job_id in &chosen {
        store.request_cancel(job_id).map_err(Failure::failed)?;
    }
    let ended = wait(&store, &chosen, if args.force { SHORT_PATIENCE } else { PATIENCE }, terminal)?;
    let stubborn: Vec<&JobId> = ended.iter().filter(|job| !job.status.is_final()).map(|job| &job.job_id).collect();
    let ended = match args.force && !stubborn.is_empty() {
        true => {
            for job_id in &stubborn {
                // One that has ended in the meantime needs no killing.
                store.owner(job_id).map_or(Ok(()), |owner| owner.kill()).map_err(Failure::failed)?;
            }
            wait(&store, &chosen, PATIENCE, terminal)?
        }
        false => ended,
    };
    tell(&ended, args, terminal)
}

/// Waits until the jobs have ended, for a while, and gives their records.
fn wait(
    store: &JobStore,
    chosen: &[JobId],
    patience: Duration,
    terminal: &Terminal,
) -> Result<Vec<GenerationJob>, Failure> {
    let began = Instant::now();
    loop {
        // A job that dies of it leaves its record to others.
        state::settle(store, terminal);
        let mut jobs = store.jobs()?;
        jobs.retain(|job| chosen.contains(&job.job_id));
        let is_over = jobs.iter().all(|job| job.status.is_final());
        if is_over || began.elapsed() >= patience || interrupt::is_interrupted() {
            return Ok(jobs);
        }
        std::thread::sleep(GLANCE);
    }
}

fn tell(jobs: &[GenerationJob], args: &CancelArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    if args.json {
        terminal.json(&jobs)?;
    } else if jobs.is_empty() {
        terminal.note("no job runs or waits");
    } else {
        let lines = jobs.iter().map(|job| job_table::headline(job, terminal.out) + "\n");
        terminal.result(&lines.collect::<String>());
    }
    let list = |jobs: Vec<&GenerationJob>| jobs.iter().map(|job| job.job_id.as_str()).collect::<Vec<_>>().join(", ");
    let (going, ended): (Vec<_>, Vec<_>) =
        jobs.iter().filter(|job| job.status != JobStatus::Cancelled).partition(|job| !job.status.is_final());
    match (going.is_empty(), ended.is_empty()) {
        (true, true) => Ok(Exit::Done),
        (false, _) => Err(Failure {
            hint: Some("`--force` kills the process; the store of before stays as it is".into()),
            ..Failure::failed(anyhow::anyhow!("not stopped yet: {}", list(going)))
        }),
        (true, false) => Err(Failure::failed(anyhow::anyhow!("ended before it could be stopped: {}", list(ended)))),
    }
}
