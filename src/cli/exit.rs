//! Exit codes, and which failure means which.

use crate::pipeline::RunError;
use std::process::ExitCode;

/// How the program ends. The codes are part of the interface: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// The catalogue cannot be reached.
    SourceUnavailable = 4,
    /// Too many jobs run already, and it was not to wait.
    Busy = 5,
    /// Cancelled, as a shell shows a program that was interrupted.
    Cancelled = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure as a person reads it: one message, and what to do.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: Message,
    pub(super) hint: Option<String>,
}

/// What is said of a failure.
#[derive(Debug)]
pub(super) enum Message {
    /// One sentence.
    Sentence(String),
    /// The errors of a store file, which show their lines.
    Config(crate::config::ConfigErrors),
}

impl Failure {
    /// Any failure that has no code of its own.
    pub(super) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Failed, message: Message::Sentence(format!("{:#}", error.into())), hint: None }
    }

    /// Something that was asked for in a way that cannot be done.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: Message::Sentence(message.into()), hint: Some(hint.into()) }
    }

    /// The failure as the job record keeps it: a hint on a line of its own.
    pub(super) fn for_record(&self) -> String {
        let message = match &self.message {
            Message::Sentence(sentence) => sentence.clone(),
            Message::Config(errors) => errors.render(false),
        };
        match &self.hint {
            Some(hint) => format!("{message}\nhint: {hint}"),
            None => message,
        }
    }
}

impl From<crate::config::ConfigErrors> for Failure {
    fn from(errors: crate::config::ConfigErrors) -> Self {
        Self { exit: Exit::Usage, message: Message::Config(errors), hint: None }
    }
}

impl From<crate::jobs::StateError> for Failure {
    fn from(error: crate::jobs::StateError) -> Self {
        Self::failed(error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let (exit, hint) = match error {
            RunError::Config(errors) => return errors.into(),
            RunError::Usage(_) => (Exit::Usage, None),
            RunError::SourceUnavailable(_) => (
                Exit::SourceUnavailable,
                Some(
                    "see that the server runs and that `catalog.uri` names it; `storegen check` tries the same".into(),
                ),
            ),
            RunError::LeftAlone(_) => {
                (Exit::SourceUnavailable, Some("`--ignore-breakers` asks it at once; so does `storegen check`".into()))
            }
            RunError::Cancelled(_) => (Exit::Cancelled, None),
            RunError::Failed(_) => (Exit::Failed, None),
        };
        Self { exit, message: Message::Sentence(error.to_string()), hint }
    }
}
