//! `storegen metrics`: what monitoring wants to know.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::{GlobalArgs, state, words};
use crate::jobs::{Clock as _, SystemClock, prometheus};
use crate::site::durable::replace_readable_file;
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "\
The text format of Prometheus, from the state file. With --textfile, the file is replaced whole, for the textfile \
collector of node_exporter.

Examples:
  storegen metrics
  storegen metrics --textfile /var/lib/node_exporter/textfile/storegen.prom")]
pub(super) struct MetricsArgs {
    /// Write to a file in place of standard output
    #[arg(long, value_name = "PATH")]
    textfile: Option<PathBuf>,
}

pub(super) fn run(args: &MetricsArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let store = state::open(global.state.as_deref(), Path::new("."), terminal);
    let text = prometheus(&store.jobs()?, &store.breakers()?, SystemClock::new().now());
    match &args.textfile {
        Some(path) => {
            replace_readable_file(path, text.as_bytes()).map_err(Failure::failed)?;
            terminal.note(&format!("wrote `{}`", words::shown(path)));
        }
        None => terminal.result(&text),
    }
    Ok(Exit::Done)
}
