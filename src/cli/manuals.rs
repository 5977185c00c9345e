//! `storegen completions` and `storegen man`: what shells and manual readers are given.

use super::Cli;
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen completions bash > ~/.local/share/bash-completion/completions/storegen
  storegen completions zsh > ~/.zfunc/_storegen
  storegen completions fish > ~/.config/fish/completions/storegen.fish
  storegen completions powershell >> $PROFILE")]
pub(super) struct CompletionsArgs {
    /// bash, zsh, fish, powershell or elvish
    #[arg(value_enum, hide_possible_values = true)]
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen man | man -l -
  storegen man ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// Folder for a page for each command; without one, the first page is printed
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "storegen", &mut script);
    terminal.result(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

pub(super) fn man(args: &ManArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.build();
    let page = |command: clap::Command| -> Result<Vec<u8>, Failure> {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .context("cannot write a manual page")
            .map_err(Failure::failed)?;
        Ok(page)
    };
    let Some(folder) = &args.folder else {
        terminal.result(&String::from_utf8_lossy(&page(command)?));
        return Ok(Exit::Done);
    };
    let write = |path: PathBuf, page: Vec<u8>| {
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            std::io::Write::write_all(&mut file, &page)?;
            file.persist(&path)?;
            Ok(())
        });
        written.with_context(|| format!("cannot write `{}`", path.display())).map_err(Failure::failed)
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))
        .map_err(Failure::failed)?;
    let mut text = String::new();
    let below: Vec<clap::Command> =
        command.get_subcommands().filter(|below| below.get_name() != "help").cloned().collect();
    let own = [("storegen".to_string(), command)].into_iter();
    let all = own.chain(below.into_iter().map(|below| {
        let name = format!("storegen-{}", below.get_name());
        (name.clone(), below.display_name(name))
    }));
    for (name, command) in all {
        let path = folder.join(format!("{name}.1"));
        write(path.clone(), page(command)?)?;
        let _ = writeln!(text, "{} {}", terminal.out.green("✓"), path.display());
    }
    terminal.result(&text);
    Ok(Exit::Done)
}
