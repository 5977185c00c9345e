//! What stands between the program and things outside it that fail: the knowledge of when to ask again, and when to stop.
//!
//! In: each failure of one request, for which [`Tries`] say when to make it again; and how each use of a [`Dependency`] went,
//! after all its tries. Out: leave for the next use, or the word that it is unavailable for a while ([`Breakers`]). Nothing
//! here connects to anything, reads a clock or touches a file: all are told the time, and breakers remember in a [`Memory`]
//! that is handed in.

mod breaker;
mod tries;

pub use breaker::{Breaker, BreakerState, Breakers, Memory, Pass, Unavailable};
pub use tries::Tries;

use std::fmt;

/// Something outside that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dependency {
    service: Service,
    host: String,
}

/// Kinds of things outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// A database of catalogues.
    MongoDb,
    /// A host of pictures.
    Assets,
    /// GitHub, for deployments.
    GitHub,
    /// A Shopify shop, for deployments.
    Shopify,
}

impl Service {
    /// Key, as in the state file.
    pub fn key(self) -> &'static str {
        match self {
            Self::MongoDb => "mongodb",
            Self::Assets => "assets",
            Self::GitHub => "github",
            Self::Shopify => "shopify",
        }
    }
}

impl Dependency {
    /// A service at a host, such as `db.example:27017`; must hold neither user nor password. Case does not matter.
    pub fn new(service: Service, host: &str) -> Self {
        Self { service, host: host.to_lowercase() }
    }

    /// Key, as in the state file: `mongodb:db.example:27017`.
    pub fn key(&self) -> String {
        format!("{}:{}", self.service.key(), self.host)
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at `{}`", self.service.key(), self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_known_by_kind_and_host() {
        let dependency = Dependency::new(Service::MongoDb, "DB.example:27017");
        assert_eq!(dependency.key(), "mongodb:db.example:27017");
        assert_eq!(dependency.to_string(), "mongodb at `db.example:27017`");
    }
}
