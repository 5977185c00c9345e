//! `storegen merge`: puts the parts of a store together that several machines have made.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::{GlobalArgs, state, words};
use crate::jobs::{Deed, JobId};
use crate::site::durable::make_private_folder;
use crate::site::{Output, merge};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Parts are made by `storegen generate --shard`, on any machines, from the same catalogue and configuration.

Examples:
  storegen generate store.yaml --shard 1/2 --output part1
  storegen generate store.yaml --shard 2/2 --output part2
  storegen merge store part1 part2")]
pub(super) struct MergeArgs {
    /// Folder of the finished store
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// The folders of all parts, in any order
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
    /// Replace files in the folder that storegen did not write
    #[arg(long)]
    overwrite: bool,
    /// Print what was published as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &MergeArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let store = state::open(global.state.as_deref(), state::folder_of(&args.output), terminal);
    let journal_dir = store.journal_dir();
    make_private_folder(&journal_dir).map_err(Failure::failed)?;
    let mut protected: Vec<PathBuf> = std::env::home_dir().into_iter().chain([store.folder().to_path_buf()]).collect();
    protected.extend(args.parts.iter().cloned());
    let output = Output::claim(&args.output, &protected, args.overwrite)
        .map_err(|refused| Failure::usage(refused.to_string(), "name another folder, or make room"))?;
    let published = merge(output, &args.parts, &journal_dir, JobId::random().as_str()).map_err(Failure::failed)?;
    let deed = Deed::Merged {
        output: &std::path::absolute(&args.output).unwrap_or_else(|_| args.output.clone()),
        parts: &args.parts,
        files: published.files,
        added: published.added,
        changed: published.changed,
        removed: published.removed,
    };
    state::audit(&store, &deed, terminal);
    if args.json {
        terminal.json(&published)?;
    } else {
        terminal.result(&format!(
            "\n{} {} from {}: {} ({})\n",
            terminal.out.green("✓"),
            words::shown(&args.output),
            words::counted(args.parts.len() as u64, "part", "parts"),
            words::counted(published.files, "file", "files"),
            words::bytes(published.bytes),
        ));
    }
    Ok(Exit::Done)
}
