//! The output folder: a complete tree of files that appears all at once or not at all.
//!
//! In: bytes by path. Out: the folder as configured, with `storegen-manifest.json` in it. [`Output::claim`] says early
//! whether the folder can be used, [`Staging`] collects the new tree, [`Staging::publish`] exchanges it with the old
//! one, or moves the few files that changed into it, and [`recover`] settles what a killed process left behind. Files that storegen did not write stay as they are;
//! a symbolic link in the folder is never followed.

pub mod durable;
mod files;
mod foreign;
mod frames;
mod journal;
mod last;
mod ledger;
mod manifest;
mod mounts;
mod output;
mod part;
mod path;
mod paths;
mod publish;
mod spill;
mod staging;

pub use journal::{Recovered, recover};
pub use ledger::{Digest, Piece, Whole};
pub use manifest::{Fingerprint, MANIFEST, Manifest};
pub use output::{Known, Output, Refused, real_path};
pub use part::{NoShard, Shard, merge};
pub use path::{UnsafePath, check_path};
pub use publish::Published;
pub use staging::{Made, Memory, Pieces, Staging};
