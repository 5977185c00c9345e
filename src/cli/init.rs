//! `storegen init`: a store to start from.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::config;
use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  storegen init my-store && storegen generate my-store/store.yaml")]
pub(super) struct InitArgs {
    /// Folder for the files; made when it does not exist
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(args: &InitArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let files = config::scaffold(&args.folder).map_err(Failure::failed)?;
    let mut text = String::new();
    for file in &files {
        let _ = writeln!(text, "{} {}", terminal.out.green("✓"), file.display());
    }
    let config = args.folder.join("store.yaml");
    let config = config.strip_prefix(".").unwrap_or(&config).display();
    let _ = writeln!(text, "\nnext: {}", terminal.out.cyan(&format!("storegen generate {config}")));
    terminal.result(&text);
    Ok(Exit::Done)
}
