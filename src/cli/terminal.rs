//! The only place that prints.
//!
//! Results go to stdout, everything else to stderr. A reader that goes away (`storegen status | head`) is a quiet end, not
//! an error. Colour never carries meaning alone.

use super::exit::{Failure, Message};
use anyhow::anyhow;
use console::{Style, Term};
use serde::Serialize;
use serde_json::json;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What to say of a result that is lost.
pub(super) fn unwritten(error: &io::Error) -> Failure {
    Failure::failed(anyhow!("cannot write the result: {error}"))
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How much to say besides results and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// Where the program speaks.
pub(super) struct Terminal {
    /// Colours of stdout.
    pub(super) out: Paint,
    /// Colours of stderr.
    pub(super) err: Paint,
    pub(super) verbosity: Verbosity,
    /// A program reads stderr: every line there is a JSON object.
    is_for_programs: bool,
    reader_gone: AtomicBool,
    /// Why a result could not be written, where its reader has not merely gone away.
    lost: OnceLock<io::Error>,
}

impl Terminal {
    pub(super) fn new(color: ColorChoice, verbosity: Verbosity) -> Self {
        let wants_color = |is_terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !is_set("NO_COLOR") && !is_dumb(),
        };
        Self {
            out: Paint { color: wants_color(io::stdout().is_terminal()) },
            err: Paint { color: wants_color(io::stderr().is_terminal()) },
            verbosity,
            is_for_programs: false,
            reader_gone: AtomicBool::new(false),
            lost: OnceLock::new(),
        }
    }

    /// The same place, where only errors are told.
    pub(super) fn quiet(&self) -> Self {
        let (reader_gone, lost) = (AtomicBool::new(false), OnceLock::new());
        Self { verbosity: Verbosity::Quiet, reader_gone, lost, ..*self }
    }

    /// The same place, where a program reads what goes to stderr.
    pub(super) fn for_programs(self) -> Self {
        Self { is_for_programs: true, err: Paint { color: false }, ..self }
    }

    /// Prints a result to stdout.
    pub(super) fn result(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            self.reader_gone.store(true, Ordering::Relaxed);
            if error.kind() != io::ErrorKind::BrokenPipe {
                // The first trouble says most.
                let _ = self.lost.set(error);
            }
        }
    }

    /// What came of results; an error where one of them could not be written.
    pub(super) fn results(&self) -> Result<(), Failure> {
        self.lost.get().map_or(Ok(()), |error| Err(unwritten(error)))
    }

    /// Prints a result as JSON to stdout.
    pub(super) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(Failure::failed)?;
        self.result(&(text + "\n"));
        Ok(())
    }

    /// Prints a line to stderr, whatever the verbosity; for machine-readable progress.
    pub(super) fn line(&self, text: &str) {
        // Nobody is left to be told that nobody listens.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Prints a line to stderr unless quiet.
    pub(super) fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.tell("note", "", text);
        }
    }

    /// Prints something that a person should look at to stderr.
    pub(super) fn warn(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.tell("warning", &self.err.yellow("warning: "), text);
        }
    }

    /// Prints a failure to stderr.
    pub(super) fn failure(&self, failure: &Failure) {
        match &failure.message {
            Message::Sentence(sentence) => self.tell("error", &self.err.red("error: "), sentence),
            Message::Config(errors) => self.tell("error", "", &errors.render(self.err.color)),
        }
        if let Some(hint) = &failure.hint {
            self.tell("hint", &self.err.cyan("hint: "), hint);
        }
    }

    /// Prints a message to stderr; its kind is a word for programs and a mark for people.
    fn tell(&self, event: &str, mark: &str, text: &str) {
        if self.is_for_programs {
            self.line(&json!({"event": event, "message": text.trim()}).to_string());
        } else {
            self.line(&format!("{mark}{text}"));
        }
    }

    /// Whether stdout has been closed by its reader.
    pub(super) fn is_reader_gone(&self) -> bool {
        self.reader_gone.load(Ordering::Relaxed)
    }

    /// Whether a person sits before stdout.
    pub(super) fn is_out_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether a person sits before stderr.
    pub(super) fn is_err_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether a person can be asked.
    pub(super) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a person on stderr and gives the answer without blanks around it; empty where the input is over.
    pub(super) fn ask(&self, question: &str, offered: &str) -> io::Result<String> {
        let mut stderr = io::stderr().lock();
        write!(stderr, "{} {question} {} ", self.err.cyan("?"), self.err.dim(&format!("[{offered}]")))?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(answer.trim().to_string())
    }

    /// Rows and columns of stdout's terminal.
    pub(super) fn out_size(&self) -> Option<(usize, usize)> {
        Term::stdout().size_checked().map(|(rows, columns)| (rows.into(), columns.into()))
    }

    /// Replaces the last `lines` lines on stdout's terminal with text.
    pub(super) fn redraw(&self, lines: usize, text: &str) {
        let erase = if lines > 0 { format!("\x1b[{lines}F\x1b[0J") } else { String::new() };
        self.result(&(erase + text));
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|name| name == "dumb")
}

/// Colours, or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    fn apply(self, style: Style, text: &str) -> String {
        style.force_styling(self.color).apply_to(text).to_string()
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.apply(Style::new().bold(), text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.apply(Style::new().dim(), text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.apply(Style::new().red().bold(), text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.apply(Style::new().green(), text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.apply(Style::new().yellow(), text)
    }

    pub(super) fn cyan(self, text: &str) -> String {
        self.apply(Style::new().cyan(), text)
    }
}
