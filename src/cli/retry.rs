//! `storegen retry`: runs a job again as it was asked for then.

use super::exit::{Exit, Failure};
use super::generate::{self, Choices, Conduct, Order};
use super::terminal::Terminal;
use super::{GlobalArgs, state};
use crate::config::StoreText;
use crate::jobs::{JobStatus, Request};
use crate::pipeline::Held;
use anyhow::Context as _;
use clap::Args;
use std::path::Path;

#[derive(Debug, Args)]
#[command(after_help = "\
The store file is taken as it was when the job began, and variables in it as they are now. Pictures that the \
job fetched or made are not fetched or made again; nor is a database read again that a job with --offline-ok \
had read before it failed.

Examples:
  storegen retry job_5f2c9a01b3d4
  storegen retry 5f2c --timeout 1h")]
pub(super) struct RetryArgs {
    /// The job; the start of its id is enough
    #[arg(value_name = "JOB_ID")]
    job: String,
    #[command(flatten)]
    pub(super) conduct: Conduct,
}

pub(super) fn run(args: &RetryArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let store = state::open(global.state.as_deref(), Path::new("."), terminal);
    let jobs = store.jobs()?;
    let job = state::find(&jobs, &args.job, &store)?;
    let again = format!("`storegen generate {}` makes the store as it is configured now", job.config_path.display());
    if !job.status.is_final() {
        let hint = format!("wait for it, or stop it with `storegen cancel {}`", job.job_id);
        return Err(Failure::usage(format!("{} is still {}", job.job_id, job.status.words()), hint));
    }
    let Some(request) = store.request(&job.job_id).map_err(Failure::failed)? else {
        return Err(Failure::usage(format!("what {} was asked to do was not kept", job.job_id), again));
    };
    let choices: Choices = serde_json::from_value(request.options.clone())
        .with_context(|| format!("what {} was asked to do cannot be understood", job.job_id))
        .map_err(Failure::failed)?;
    let Some(text) = text_of(&request) else {
        let config = request.config_path.display();
        return Err(Failure::usage(
            format!("`{config}` held a secret, which is not kept, and has changed since {} began", job.job_id),
            format!("write secrets as `${{VAR}}`, then they need not be kept; {again}"),
        ));
    };
    let retry_of = Some(job.job_id.clone());
    // One that came to its end is run again for the catalogue of now.
    let resumes = retry_of.clone().filter(|_| job.status != JobStatus::Completed);
    let order = Order { retry_of, resumes, ..Order::new(text, choices) };
    args.conduct.start_threads()?;
    generate::conduct(&mut Held::default(), order, store, false, &args.conduct, terminal, &|_| {})
}

/// The store file of then. One that held secrets is still good where nothing else in it has changed.
fn text_of(request: &Request) -> Option<StoreText> {
    if request.is_whole {
        return Some(StoreText::kept(&request.config_path, request.config_text.clone()));
    }
    StoreText::read(&request.config_path).ok().filter(|now| now.redacted() == request.config_text)
}
