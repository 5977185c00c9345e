//! `storegen clean`: forgets old jobs, with all files that belong to them.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use super::{GlobalArgs, state, words};
use crate::catalog::Copies;
use crate::config::{self, JobSettings, Overrides};
use crate::jobs::{Cleaned, Clock as _, Deed, SystemClock};
use anyhow::Context as _;
use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

#[derive(Debug, Args)]
#[command(after_help = "\
Copies of catalogues that are as old go too. Jobs that run or wait are never forgotten, and no store is touched. The same happens by \
itself whenever a job begins, with the limits of its store file.

Examples:
  storegen clean --dry-run
  storegen clean --keep 20 --keep-days 7")]
pub(super) struct CleanArgs {
    /// The store file whose `jobs` block has the limits [default: store.yaml, if there is one]
    config: Option<PathBuf>,
    /// Ended jobs to keep, in place of `jobs.keep`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    keep: Option<u32>,
    /// Days to keep them, in place of `jobs.keep_days`
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    keep_days: Option<u16>,
    /// Only tell what would go
    #[arg(long)]
    dry_run: bool,
    /// Print what went as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CleanArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let usual = Path::new("store.yaml");
    let config = args.config.as_deref().or_else(|| usual.is_file().then_some(usual));
    let mut settings = match config {
        Some(config) => config::load(config, &Overrides::default(), &|name| std::env::var(name).ok())?.jobs,
        None => JobSettings::default(),
    };
    settings.keep = args.keep.map_or(settings.keep, |keep| keep as usize);
    settings.keep_days = args.keep_days.unwrap_or(settings.keep_days);
    let store = state::open(global.state.as_deref(), config.map_or(Path::new("."), state::folder_of), terminal);
    let now = SystemClock::new().now();
    let mut cleaned = store.clean(now, &settings, args.dry_run)?;
    for copy in Copies::at(&store.copies_dir()).taken_before(now - time::Duration::days(settings.keep_days.into())) {
        let files = WalkDir::new(&copy).into_iter().flatten().filter(|entry| entry.file_type().is_file());
        for file in files {
            cleaned.bytes += file.metadata().map_or(0, |metadata| metadata.len());
            cleaned.files.push(file.into_path());
        }
        if !args.dry_run {
            let removed = std::fs::remove_dir_all(&copy);
            removed.with_context(|| format!("cannot remove `{}`", copy.display())).map_err(Failure::failed)?;
        }
    }
    let went = !cleaned.jobs.is_empty() || !cleaned.files.is_empty();
    if went && !args.dry_run {
        let deed = Deed::JobsDeleted { jobs: &cleaned.jobs, files: cleaned.files.len() as u64 };
        state::audit(&store, &deed, terminal);
    }
    match args.json {
        true => terminal.json(&cleaned)?,
        false => terminal.result(&describe(&cleaned, args.dry_run, terminal)),
    }
    Ok(Exit::Done)
}

fn describe(cleaned: &Cleaned, dry_run: bool, terminal: &Terminal) -> String {
    let mut text = String::new();
    let kept = words::counted(cleaned.kept as u64, "job", "jobs");
    if cleaned.jobs.is_empty() && cleaned.files.is_empty() {
        let _ = writeln!(text, "{} nothing to forget; {kept} kept", terminal.out.green("✓"));
        return text;
    }
    for file in &cleaned.files {
        let _ = writeln!(text, "  {}", terminal.out.dim(&words::shown(file)));
    }
    let _ = writeln!(
        text,
        "{} {} {} and {} ({}); {kept} kept",
        terminal.out.green("✓"),
        if dry_run { "would forget" } else { "forgot" },
        words::counted(cleaned.jobs.len() as u64, "job", "jobs"),
        words::counted(cleaned.files.len() as u64, "file", "files"),
        words::bytes(cleaned.bytes),
    );
    text
}
