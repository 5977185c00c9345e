//! `storegen schema`: the JSON Schema of store.yaml, for editors, and of the state file, for programs that read it.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::{config, jobs};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen schema > store.schema.json
  storegen schema state | jq '.properties'")]
pub(super) struct SchemaArgs {
    /// Of which file: store or state
    #[arg(value_enum, default_value_t, hide_possible_values = true)]
    of: Described,
}

/// The files that have a schema.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Described {
    /// The store file
    #[default]
    Store,
    /// `.storegen/state.json`
    State,
}

pub(super) fn run(args: &SchemaArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let schema = match args.of {
        Described::Store => config::schema(),
        Described::State => jobs::state_schema(),
    };
    terminal.result(&format!("{}\n", schema.trim_end()));
    Ok(Exit::Done)
}
