//! The command line: what was typed, and what is told.
//!
//! In: arguments. Out: an exit code, results on stdout, everything else on stderr. One file per command: its arguments,
//! one call into the library, its summary. No rule of the business lives here.

mod cache;
mod cancel;
mod check;
mod clean;
mod doctor;
mod exit;
mod explain;
mod generate;
mod help;
mod init;
mod interrupt;
mod job_page;
mod job_statistics;
mod job_table;
mod logs;
mod manuals;
mod merge;
mod metrics;
mod preview;
mod progress;
mod reading;
mod retry;
mod schema;
mod several;
mod state;
mod status;
mod terminal;
mod themes;
mod watch;
mod words;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use exit::{Exit, Failure};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use terminal::{ColorChoice, Terminal, Verbosity};

/// Turns an eyewear catalogue into a finished static online store.
#[derive(Debug, Parser)]
#[command(name = "storegen", version, propagate_version = true, disable_help_subcommand = true, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: GlobalArgs,
}

const AFTER_HELP: &str = "\
Examples:
  storegen init my-store                 a first store.yaml with a small catalogue
  storegen generate my-store/store.yaml  the store, in my-store/store
  storegen preview my-store/store.yaml   the store while you work on it
  storegen status                        what has been generated, and how it went
  storegen help topics                   more on the store file, languages, content, themes

Exit codes:
  0    done
  1    failed
  2    wrong usage or configuration
  4    the catalogue cannot be reached
  5    too many jobs run already (with --no-wait)
  130  cancelled (Ctrl-C, storegen cancel)";

#[derive(Debug, Args)]
struct GlobalArgs {
    /// Where jobs are recorded [default: the nearest .storegen/state.json upward]
    #[arg(long, global = true, value_name = "PATH", env = "STOREGEN_STATE", hide_env_values = true)]
    state: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    #[arg(help = "When to use colour: auto, always or never")]
    color: ColorChoice,
    /// Tell every finding as it is made
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the store
    Generate(generate::GenerateArgs),
    /// Put the parts of a store together that several machines have made
    Merge(merge::MergeArgs),
    /// Tell how runs went, or how they go
    Status(status::StatusArgs),
    /// Print what happened in a job, also while it happens
    Logs(logs::LogsArgs),
    /// Stop a job that runs or waits
    Cancel(cancel::CancelArgs),
    /// Run a job again, with the configuration of then
    Retry(retry::RetryArgs),
    /// Forget old jobs, with their reports and logs
    Clean(clean::CleanArgs),
    /// Try the configuration and the catalogue, and report on its quality
    Check(check::CheckArgs),
    /// Print what monitoring wants to know, for Prometheus
    Metrics(metrics::MetricsArgs),
    /// Look at everything that a run needs, and say what to do about it
    Doctor(doctor::DoctorArgs),
    /// Show how a product got its scores and its place
    Explain(explain::ExplainArgs),
    /// Write a first store.yaml with a small catalogue beside it
    Init(init::InitArgs),
    /// Look into what is kept of pictures between runs, or empty it
    Cache(cache::CacheArgs),
    /// List the themes, show what can be set, or copy one to change it
    Themes(themes::ThemesArgs),
    /// Print the JSON Schema of store.yaml, or of the state file
    Schema(schema::SchemaArgs),
    /// Show the store on this machine, built again whenever something changes
    Preview(preview::PreviewArgs),
    /// Print the script with which a shell completes commands
    Completions(manuals::CompletionsArgs),
    /// Print the manual, or write its pages into a folder
    Man(manuals::ManArgs),
    /// Tell of a command or a topic; `help topics` lists the topics
    Help(help::HelpArgs),
}

/// Parses the arguments, runs the command, tells of its failure. Call it once, from `main`.
pub fn run() -> ExitCode {
    let cli = match Cli::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too. A reader that has gone away is no failure.
            return match error.print() {
                Err(lost) if !error.use_stderr() && lost.kind() != ErrorKind::BrokenPipe => {
                    let terminal = Terminal::new(ColorChoice::Auto, Verbosity::Normal);
                    terminal.failure(&terminal::unwritten(&lost));
                    Exit::Failed.into()
                }
                _ if error.use_stderr() => Exit::Usage.into(),
                _ => Exit::Done.into(),
            };
        }
    };
    let verbosity = match &cli.command {
        Command::Generate(args) if args.conduct.quiet => Verbosity::Quiet,
        Command::Retry(args) if args.conduct.quiet => Verbosity::Quiet,
        _ if cli.global.verbose => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let terminal = Terminal::new(cli.global.color, verbosity);
    let terminal = match &cli.command {
        Command::Generate(args) if args.conduct.tells_json() => terminal.for_programs(),
        Command::Retry(args) if args.conduct.tells_json() => terminal.for_programs(),
        _ => terminal,
    };
    match cli.run(&terminal).and_then(|exit| terminal.results().map(|()| exit)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit.into()
        }
    }
}

impl Cli {
    fn run(self, terminal: &Terminal) -> Result<Exit, Failure> {
        interrupt::listen().map_err(Failure::failed)?;
        match self.command {
            Command::Generate(args) => generate::run(&args, &self.global, terminal),
            Command::Merge(args) => merge::run(&args, &self.global, terminal),
            Command::Status(args) => status::run(&args, &self.global, terminal),
            Command::Logs(args) => logs::run(&args, &self.global, terminal),
            Command::Cancel(args) => cancel::run(&args, &self.global, terminal),
            Command::Retry(args) => retry::run(&args, &self.global, terminal),
            Command::Clean(args) => clean::run(&args, &self.global, terminal),
            Command::Check(args) => check::run(&args, &self.global, terminal),
            Command::Metrics(args) => metrics::run(&args, &self.global, terminal),
            Command::Doctor(args) => doctor::run(&args, &self.global, terminal),
            Command::Explain(args) => explain::run(&args, &self.global, terminal),
            Command::Init(args) => init::run(&args, terminal),
            Command::Cache(args) => cache::run(&args, &self.global, terminal),
            Command::Themes(args) => themes::run(&args, terminal),
            Command::Schema(args) => schema::run(&args, terminal),
            Command::Preview(args) => preview::run(&args, &self.global, terminal),
            Command::Completions(args) => manuals::completions(&args, terminal),
            Command::Man(args) => manuals::man(&args, terminal),
            Command::Help(args) => help::run(&args, terminal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_exit_code() {
        let help = Cli::command().render_help().to_string();
        for exit in [Exit::Done, Exit::Failed, Exit::Usage, Exit::SourceUnavailable, Exit::Busy, Exit::Cancelled] {
            assert!(help.lines().any(|line| line.starts_with(&format!("  {:<4} ", exit as u8))), "{exit:?}: {help}");
        }
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for words in [
            "",
            "generate --threads 0",
            "generate --progress loud",
            "status --limit 0",
            "cancel",
            "cancel x --all",
            "generate --timeout 5",
            "explain store.yaml",
        ] {
            let arguments = std::iter::once("storegen").chain(words.split_whitespace());
            assert!(Cli::try_parse_from(arguments).is_err(), "`{words}` passed");
        }
    }
}
