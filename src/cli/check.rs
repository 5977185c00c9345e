//! `storegen check`: what a run would make of the configuration and the catalogue.

use super::GlobalArgs;
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen check store.yaml
  storegen check store.yaml --json | jq .reasons")]
pub(super) struct CheckArgs {
    /// The store's configuration
    #[arg(default_value = "store.yaml")]
    pub(super) config: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// STAND-IN until the pipeline is merged.
pub(super) fn run(args: &CheckArgs, _global: &GlobalArgs, _terminal: &Terminal) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("stand-in: check {} {}", args.config.display(), args.json)))
}
