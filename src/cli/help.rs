//! `storegen help`: of a command, or of a topic that is larger than one.

use super::Cli;
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::spelling::nearest;
use clap::{Args, CommandFactory as _};
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub(super) struct HelpArgs {
    /// A command, a topic, or `topics` for a list of those
    #[arg(value_name = "COMMAND|TOPIC")]
    words: Vec<String>,
}

/// Topics: name, what it is about, text.
const TOPICS: [(&str, &str, &str); 6] = [
    ("config", "the store file", include_str!("topics/config.txt")),
    ("mapping", "catalogues of another shape", include_str!("topics/mapping.txt")),
    ("languages", "a store in several languages", include_str!("topics/languages.txt")),
    ("content", "pages in the store's own words", include_str!("topics/content.txt")),
    ("theme", "how the store looks", include_str!("topics/theme.txt")),
    ("deploy", "from the folder to the web", include_str!("topics/deploy.txt")),
];

pub(super) fn run(args: &HelpArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut found = Cli::command();
    found.build();
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    if words == ["topics"] {
        let mut text = String::from("Topics of `storegen help TOPIC`:\n");
        for (name, about, _) in TOPICS {
            let _ = writeln!(text, "  {name:<10} {about}");
        }
        terminal.result(&text);
        return Ok(Exit::Done);
    }
    for (depth, word) in words.iter().enumerate() {
        if let Some(below) = found.find_subcommand(word).cloned() {
            found = below;
            continue;
        }
        if let Some((_, _, text)) = TOPICS.iter().find(|(name, ..)| depth == 0 && name == word) {
            terminal.result(text);
            return Ok(Exit::Done);
        }
        let commands = found.get_subcommands().map(|command| command.get_name().to_string());
        let known: Vec<String> = commands.chain(TOPICS.iter().map(|(name, ..)| (*name).to_string())).collect();
        let hint = Some(match nearest(word, &known) {
            Some(near) => format!("did you mean `storegen help {near}`? `storegen help topics` lists the topics"),
            None => "`storegen help` lists the commands, `storegen help topics` the topics".into(),
        });
        let message = anyhow::anyhow!("there is no command or topic `{}`", super::words::harmless(word));
        return Err(Failure { exit: Exit::Usage, hint, ..Failure::failed(message) });
    }
    let help = found.render_long_help();
    terminal.result(&if terminal.out.color { help.ansi().to_string() } else { help.to_string() });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_short_enough_to_be_read_and_no_commands() {
        let command = Cli::command();
        for (name, about, text) in TOPICS {
            assert!(command.find_subcommand(name).is_none(), "{name}");
            assert!(!about.is_empty() && (8..=45).contains(&text.lines().count()), "{name}");
            assert!(text.lines().all(|line| line.chars().count() <= 100), "{name}");
        }
    }
}
