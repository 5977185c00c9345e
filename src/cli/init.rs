//! `storegen init`: a store to start from, from flags or from answers.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::config::{self, Choices, Color};
use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen init my-store && storegen generate my-store/store.yaml
  storegen init my-store --name 'Lumen & Oak' --primary-color '#1f3d3a' --yes
  storegen init my-store --source 'mongodb://localhost:27017/eyewear_ml' --yes")]
pub(super) struct InitArgs {
    /// Folder for the files; made when it does not exist
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// Name of the store
    #[arg(long, value_parser = name_of)]
    name: Option<String>,
    /// Colour of buttons and links, such as #1f3d3a
    #[arg(long, value_name = "COLOR", value_parser = color_of)]
    primary_color: Option<Color>,
    /// Name of a theme of the program, or the folder of your own
    #[arg(long, value_parser = theme_of)]
    theme: Option<String>,
    /// Where products come from: a MongoDB address or a path; without it, a small sample catalogue
    #[arg(long, value_name = "URI", value_parser = source_of)]
    source: Option<String>,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
}

fn name_of(text: &str) -> Result<String, String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_name = !name.is_empty() && name.chars().count() <= 200 && !name.chars().any(char::is_control);
    if is_name { Ok(name) } else { Err("a name has 1 to 200 characters".into()) }
}

fn color_of(text: &str) -> Result<Color, String> {
    Color::parse(text).ok_or_else(|| "write it like `#1f3d3a`".into())
}

/// A folder may be made later; a name is known now.
fn theme_of(text: &str) -> Result<String, String> {
    match text.trim() {
        theme if theme.contains('/') || theme.starts_with('.') || config::THEMES.contains(&theme) => {
            Ok(theme.to_string())
        }
        _ => {
            Err(format!("the program has {}; a theme of your own is a path such as ./theme", config::THEMES.join(", ")))
        }
    }
}

fn source_of(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("name a MongoDB address or a path".into()),
        source => Ok(source.to_string()),
    }
}

pub(super) fn run(args: &InitArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut choices = Choices {
        name: args.name.clone(),
        primary_color: args.primary_color,
        theme: args.theme.clone(),
        source: args.source.clone(),
    };
    if !args.yes && terminal.can_ask() {
        ask(&mut choices, terminal)?;
    }
    let files = config::scaffold(&args.folder, &choices).map_err(Failure::failed)?;
    let mut text = String::new();
    for file in &files {
        let _ = writeln!(text, "{} {}", terminal.out.green("✓"), file.display());
    }
    let config = args.folder.join("store.yaml");
    let config = config.strip_prefix(".").unwrap_or(&config).display();
    let _ = writeln!(text, "\nnext: {}", terminal.out.cyan(&format!("storegen generate {config}")));
    let _ = writeln!(text, "  or: {}", terminal.out.cyan(&format!("storegen preview {config}")));
    terminal.result(&text);
    Ok(Exit::Done)
}

/// Asks for what no flag has told; an empty answer takes what is offered.
fn ask(choices: &mut Choices, terminal: &Terminal) -> Result<(), Failure> {
    if choices.name.is_none() {
        choices.name = answer(terminal, "Name of the store", "Harbour & Pine", name_of)?;
    }
    if choices.primary_color.is_none() {
        choices.primary_color = answer(terminal, "Colour of buttons and links", "#1f3d3a", color_of)?;
    }
    if choices.theme.is_none() {
        choices.theme = answer(terminal, "Theme", "modern-minimal", theme_of)?;
    }
    if choices.source.is_none() {
        let question = "Catalogue: a MongoDB address, a path, or a sample";
        choices.source = answer(terminal, question, "sample", source_of)?;
    }
    Ok(())
}

/// The answer to a question; nothing where the offered one is taken. Asks again until it can be read.
fn answer<T>(
    terminal: &Terminal,
    question: &str,
    offered: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Failure> {
    loop {
        let answer = terminal.ask(question, offered).map_err(Failure::failed)?;
        if answer.is_empty() || answer == offered {
            return Ok(None);
        }
        match read(&answer) {
            Ok(value) => return Ok(Some(value)),
            Err(why) => terminal.warn(&why),
        }
    }
}
