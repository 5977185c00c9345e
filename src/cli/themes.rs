//! `storegen themes`: which there are, what each lets one set, and a copy of one to make one's own.

use super::exit::{Exit, Failure};
use super::terminal::{Paint, Terminal};
use crate::config::ThemeSource;
use crate::pages::theme::{self, EjectError, Ejection, ThemeError, ThemeInfo};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  storegen themes
  storegen themes show classic-optician
  storegen themes eject classic-optician ./theme
  storegen themes eject modern-minimal ./theme fragments/card")]
pub(super) struct ThemesArgs {
    #[command(subcommand)]
    what: Option<ThemesCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum ThemesCommand {
    /// List the themes of the program
    List(ListArgs),
    /// Tell what a theme is like and what can be set
    Show(ShowArgs),
    /// Write a theme into a folder, whole or some of its files, to change it there
    Eject(EjectArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Print the themes as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Name of a theme, or the folder of one
    #[arg(value_name = "THEME")]
    theme: String,
    /// Print the theme as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct EjectArgs {
    /// Name of a theme
    #[arg(value_name = "THEME")]
    theme: String,
    /// Folder for the files; made when it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only these, such as fragments/card or assets/base.css [default: everything]
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

pub(super) fn run(args: &ThemesArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    match &args.what {
        None => list(&args.list, terminal),
        Some(ThemesCommand::List(args)) => list(args, terminal),
        Some(ThemesCommand::Show(args)) => show(args, terminal),
        Some(ThemesCommand::Eject(args)) => eject(args, terminal),
    }
}

fn list(args: &ListArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let themes = theme::names().into_iter().map(|name| theme::info(&ThemeSource::Embedded(name.into())));
    let themes: Vec<ThemeInfo> = themes.collect::<Result<_, _>>().map_err(Failure::failed)?;
    if args.json {
        terminal.json(&themes)?;
        return Ok(Exit::Done);
    }
    let paint = terminal.out;
    let width = themes.iter().map(|theme| theme.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for theme in &themes {
        let _ = writeln!(text, "{}  {}", paint.bold(&format!("{:width$}", theme.name)), theme.description);
    }
    let _ = writeln!(text, "\n{} shows what can be set", paint.cyan("storegen themes show NAME"));
    terminal.result(&text);
    Ok(Exit::Done)
}

fn show(args: &ShowArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let is_folder = args.theme.contains('/') || args.theme.starts_with('.');
    let source = match is_folder {
        true => ThemeSource::Folder(PathBuf::from(&args.theme)),
        false => ThemeSource::Embedded(args.theme.clone()),
    };
    let info = theme::info(&source).map_err(refused)?;
    if args.json {
        terminal.json(&info)?;
    } else {
        terminal.result(&describe(&info, terminal.out));
    }
    Ok(Exit::Done)
}

fn describe(info: &ThemeInfo, paint: Paint) -> String {
    let mut text = format!("{}\n{}\n\n{}\n", paint.bold(&info.title), info.description, paint.bold("settings"));
    if info.settings.is_empty() {
        text.push_str("  none\n");
    }
    for setting in &info.settings {
        let default = if setting.default.is_empty() { "\"\"" } else { &setting.default };
        let _ = writeln!(text, "  {}  {}", paint.cyan(&setting.name), setting.about);
        let _ = writeln!(text, "      {}", paint.dim(&format!("{}; {default} unless set", setting.wanted)));
    }
    let _ = writeln!(text, "\n{}", paint.bold("files of its own"));
    for file in &info.files {
        let _ = writeln!(text, "  {file}");
    }
    text
}

fn eject(args: &EjectArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let wanted = Ejection { theme: args.theme.clone(), only: args.files.clone() };
    let files = theme::eject(&wanted, &args.folder).map_err(|error| match error {
        EjectError::Theme(error) => refused(error),
        error @ EjectError::Write { .. } => Failure::failed(error),
        error => Failure::usage(error.to_string(), "`storegen themes show NAME` lists a theme's files"),
    })?;
    let mut text = String::new();
    for file in &files {
        let _ = writeln!(text, "{} {}", terminal.out.green("✓"), file.display());
    }
    let folder = args.folder.display().to_string();
    let folder = if folder.contains('/') || folder.starts_with('.') { folder } else { format!("./{folder}") };
    let _ = writeln!(text, "\nnext: write {} into store.yaml", terminal.out.cyan(&format!("theme: {folder}")));
    terminal.result(&text);
    Ok(Exit::Done)
}

fn refused(error: ThemeError) -> Failure {
    match error {
        ThemeError::Read { .. } => Failure::failed(error),
        error => Failure::usage(error.to_string(), "`storegen themes` lists the themes"),
    }
}
