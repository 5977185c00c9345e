//! `storegen schema`: the JSON Schema of store.yaml, for editors.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::config;

pub(super) fn run(terminal: &Terminal) -> Result<Exit, Failure> {
    let schema = config::schema();
    terminal.result(&format!("{}\n", schema.trim_end()));
    Ok(Exit::Done)
}
