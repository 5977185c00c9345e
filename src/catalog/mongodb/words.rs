//! What kept a server from answering, and what is told of it, without its password.
//!
//! In: the driver's errors, and silence. Out: one sentence each, saying where, what and how to mend it.

use crate::catalog::{CatalogError, scalars};
use ::mongodb::error::{Error, ErrorKind};
use ::mongodb::options::ClientOptions;
use std::time::Duration;

/// How long to look for a server, and to wait for a connection, unless the connection string says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What kept an answer from coming.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing came for so long.
    Silence(Duration),
    /// The driver's own account.
    Driver(Error),
    /// Something came that is no answer.
    Unreadable(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl Trouble {
    /// Whether the same request may well be answered in a while: the server went away, restarts, or hands over to another.
    pub(super) fn is_passing(&self) -> bool {
        /// What servers say while they stop, start or change roles, and CursorNotFound.
        const PASSING: [i32; 15] = [6, 7, 43, 89, 91, 134, 189, 246, 262, 9001, 10107, 11600, 11602, 13435, 13436];
        match self {
            Self::Silence(_) => true,
            Self::Unreadable(_) => false,
            Self::Driver(error) => match error.kind.as_ref() {
                ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::ServerSelection { .. } => true,
                ErrorKind::Command(command) => PASSING.contains(&command.code),
                _ => false,
            },
        }
    }

    /// Whether the moment that was read from is no longer kept: SnapshotTooOld, SnapshotUnavailable.
    pub(super) fn is_lost_snapshot(&self) -> bool {
        matches!(self, Self::Driver(error)
            if matches!(error.kind.as_ref(), ErrorKind::Command(command) if matches!(command.code, 239 | 246)))
    }
}

/// What error messages need, and what they must not show.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) hosts: String,
    secrets: Vec<String>,
    /// How long the driver looks for a server.
    pub(super) patience: Duration,
}

impl Words {
    pub(super) fn of_uri(uri: &str) -> Self {
        let authority = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let secrets = user.split_once(':').map(|(_, password)| password.to_owned());
        Self { hosts: format!("`{hosts}`"), secrets: secrets.into_iter().collect(), patience: PATIENCE }
    }

    pub(super) fn complete(&mut self, options: &ClientOptions) {
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        self.hosts = format!("`{}`", hosts.join(","));
        self.patience = options.server_selection_timeout.unwrap_or(PATIENCE);
        let credential = options.credential.as_ref();
        self.secrets.extend(credential.and_then(|credential| credential.password.clone()));
    }

    /// The driver's words on one line, without secrets.
    pub(super) fn shown(&self, error: &Error) -> String {
        let mut words = error.kind.to_string();
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            words = words.replace(secret.as_str(), "***");
        }
        scalars::clean_line(&words, 400)
    }

    pub(super) fn of_uri_error(&self, error: Error) -> CatalogError {
        match *error.kind {
            ErrorKind::InvalidArgument { .. } | ErrorKind::InvalidTlsConfig { .. } => {
                CatalogError::Invalid(format!("`catalog.uri` cannot be used: {}", self.shown(&error)))
            }
            _ => self.of_trouble("connecting", &error.into()),
        }
    }

    /// What happened, in a few words.
    pub(super) fn briefly(&self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Silence(patience) => format!("no answer for {} s", patience.as_secs_f32()),
            Trouble::Driver(error) => first_cause(&self.shown(error)).to_owned(),
            Trouble::Unreadable(why) => format!("the server's answer cannot be read: {why}"),
        }
    }

    /// What happened and what to do.
    pub(super) fn of_trouble(&self, doing: &str, trouble: &Trouble) -> CatalogError {
        let Self { hosts, .. } = self;
        let briefly = self.briefly(trouble);
        let Trouble::Driver(error) = trouble else {
            let hint = "see whether the server and the way to it are slow; `catalog.timeout` sets the limit";
            return CatalogError::Unavailable(format!("{doing} from {hosts}: {briefly}; {hint}"));
        };
        let words = self.shown(error);
        let hint = match error.kind.as_ref() {
            ErrorKind::Authentication { .. } => "check user, password and `authSource` in `catalog.uri`",
            ErrorKind::ServerSelection { .. } if words.contains("certificate") => {
                "check the server's certificate, and `tlsCAFile` in `catalog.uri`"
            }
            ErrorKind::ServerSelection { .. } => {
                let seconds = self.patience.as_secs_f32();
                return CatalogError::Unavailable(format!(
                    "{doing}: no server answers at {hosts} within {seconds} s; is it running, and are host and port right? ({briefly})"
                ));
            }
            ErrorKind::InvalidTlsConfig { .. } => "check the files that `catalog.uri` names",
            ErrorKind::DnsResolve { .. } => "check the host name in `catalog.uri`",
            // Unauthorized, AuthenticationFailed.
            ErrorKind::Command(command) if matches!(command.code, 13 | 18) => {
                "give a user who may read the database, as `mongodb://user:password@host`"
            }
            // SnapshotTooOld.
            ErrorKind::Command(command) if command.code == 239 => {
                "reading took longer than the server keeps a snapshot; raise `minSnapshotHistoryWindowInSeconds` there"
            }
            _ => "check the server and run again",
        };
        CatalogError::Unavailable(format!("{doing} from {hosts} failed: {words}; {hint}"))
    }

    /// A server that went away in the middle and did not come back.
    pub(super) fn of_outage(&self, doing: &str, taken: u64, trouble: &Trouble, waited: Duration) -> CatalogError {
        let Self { hosts, .. } = self;
        let (briefly, waited) = (self.briefly(trouble), waited.as_secs_f32());
        CatalogError::Unavailable(format!(
            "{doing} from {hosts}: the server went away after {taken} documents and did not come back within {waited:.0} s \
             ({briefly}); check the server and run again, or raise `catalog.reconnect`"
        ))
    }
}

/// What kept the driver from the first server, out of its account of all servers.
fn first_cause(words: &str) -> &str {
    let cause = words.split_once("Error: Kind: ").map_or(words, |(_, cause)| cause);
    [", labels:", " }"].iter().filter_map(|end| cause.find(end)).min().map_or(cause, |end| &cause[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_is_told_and_not_the_topology() {
        let account = "Server selection timeout: No available servers. Topology: { Type: Unknown, Servers: [ { Address: \
                       a:1, Type: Unknown, Error: Kind: I/O error: Connection refused (os error 111), labels: {}, source: \
                       None } ] }";
        assert_eq!(first_cause(account), "I/O error: Connection refused (os error 111)");
        assert_eq!(first_cause("something else"), "something else");
    }

    #[test]
    fn passwords_are_never_told() {
        let words = Words::of_uri("mongodb://reader:s3cr%40t@db.example.com:27018/?authSource=admin");
        assert_eq!(words.hosts, "`db.example.com:27018`");
        let trouble = Trouble::Driver(Error::custom("cannot log in with s3cr%40t".to_owned()));
        for told in
            [words.of_trouble("connecting", &trouble), words.of_outage("reading", 3, &trouble, Duration::from_secs(1))]
        {
            assert!(!told.to_string().contains("s3cr"), "{told}");
        }
        assert!(words.of_trouble("connecting", &trouble).to_string().contains("***"));
    }

    #[test]
    fn only_what_may_pass_is_waited_for() {
        assert!(Trouble::Silence(PATIENCE).is_passing());
        assert!(Trouble::Driver(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()).is_passing());
        assert!(!Trouble::Driver(Error::custom(())).is_passing());
        assert!(!Trouble::Unreadable("x".into()).is_passing());
    }
}
