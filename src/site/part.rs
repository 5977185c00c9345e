//! A store made on several machines: each makes the part of the pages that its number says, and the parts are merged.
//!
//! Which part a file belongs to is told by a hash of its path, on every machine alike. In: parts, each a folder with a
//! manifest and a description of what it is a part of. Out: the store, byte for byte that of one machine, or a refusal
//! that names what is missing or does not fit.

use super::{Digest, Manifest, Output, Published, Staging};
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The description of a part, in its folder.
const PART: &str = "storegen-part.json";

const VERSION: u32 = 1;

/// Most parts of a store.
const MOST_PARTS: u32 = 10_000;

/// One of several parts, such as 2/8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    number: u32,
    of: u32,
}

/// Text that names no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a part is written as its number, from 1, and how many parts there are, at most {MOST_PARTS}, such as `2/8`")]
pub struct NoShard;

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (number, of) = text.split_once('/').ok_or(NoShard)?;
        let (number, of) = (number.parse().map_err(|_| NoShard)?, of.parse().map_err(|_| NoShard)?);
        if (1..=MOST_PARTS).contains(&of) && (1..=of).contains(&number) {
            Ok(Self { number, of })
        } else {
            Err(NoShard)
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.of)
    }
}

impl TryFrom<String> for Shard {
    type Error = NoShard;

    fn try_from(text: String) -> Result<Self, NoShard> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl Shard {
    /// Whether a file belongs to this part.
    pub fn owns(self, path: &str) -> bool {
        let hash = blake3::hash(path.as_bytes());
        let number = u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]));
        number % u64::from(self.of) == u64::from(self.number - 1)
    }
}

/// What a folder is a part of.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    version: u32,
    /// Hash of all that the store is made from.
    plan: String,
    part: Shard,
}

impl Staging {
    /// Says of which part of which store this is the tree.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn describe_part(&self, part: Shard, made_from: Digest) -> anyhow::Result<()> {
        let plan = u128::from_be_bytes(made_from);
        let mut text = serde_json::to_vec_pretty(&Part { version: VERSION, plan: format!("{plan:032x}"), part })?;
        text.push(b'\n');
        self.write(PART, &text)
    }
}

/// Puts the store that `parts` make up into `output`.
///
/// # Errors
/// When the parts are not those of one store, one is missing, given twice or damaged, or the store cannot be published.
pub fn merge(output: Output, parts: &[PathBuf], journal_dir: &Path, job_id: &str) -> anyhow::Result<Published> {
    let described: Vec<(&PathBuf, Part)> =
        parts.iter().map(|path| Ok((path, read(path)?))).collect::<anyhow::Result<_>>()?;
    check_together(&described)?;
    let staging = output.stage(journal_dir, job_id, None)?;
    let mut taken = BTreeMap::new();
    for path in parts {
        let manifest = Manifest::read(path)?;
        let manifest =
            manifest.with_context(|| format!("`{}` has no manifest; make this part again", path.display()))?;
        for (file, fingerprint) in manifest.iter().filter(|(file, _)| *file != PART) {
            match taken.insert(file.to_string(), *fingerprint) {
                // Parts may need the same drawings.
                Some(other) if other == *fingerprint => continue,
                Some(_) => bail!("`{file}` in `{}` is not what it is in another part; make them again", path.display()),
                None => {}
            }
            let source = path.join(file);
            if !source.is_file() {
                bail!("`{file}` is missing in `{}`; make this part again", path.display());
            }
            if staging.copy(file, &source)? != *fingerprint {
                bail!("`{file}` in `{}` was changed after it was made; make this part again", path.display());
            }
        }
    }
    drop(taken);
    Ok(staging.publish(None)?.0)
}

fn read(path: &Path) -> anyhow::Result<Part> {
    let file = path.join(PART);
    let bytes = match fs::read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("`{}` is no part of a store; make one with `--shard 1/2 --output DIR`", path.display())
        }
        read => read.with_context(|| format!("cannot read `{}`", file.display()))?,
    };
    let part: Part =
        serde_json::from_slice(&bytes).with_context(|| format!("cannot understand `{}`", file.display()))?;
    if part.version > VERSION {
        bail!("`{}` was written by a later version of storegen", file.display());
    }
    Ok(part)
}

fn check_together(parts: &[(&PathBuf, Part)]) -> anyhow::Result<()> {
    let Some(((first_path, first), others)) = parts.split_first() else { bail!("there is no part to merge") };
    if let Some((path, _)) = others.iter().find(|(_, part)| part.plan != first.plan || part.part.of != first.part.of) {
        bail!(
            "`{}` and `{}` are not parts of the same store: the catalogue, the configuration, the version of storegen or the \
             number of parts was another one; make all parts again",
            first_path.display(),
            path.display()
        );
    }
    let mut given: BTreeMap<u32, &PathBuf> = BTreeMap::new();
    for (path, part) in parts {
        if let Some(other) = given.insert(part.part.number, path) {
            bail!("`{}` and `{}` are the same part, {}", other.display(), path.display(), part.part);
        }
    }
    let missing: Vec<String> = (1..=first.part.of)
        .filter(|number| !given.contains_key(number))
        .map(|number| Shard { number, of: first.part.of }.to_string())
        .collect();
    if !missing.is_empty() {
        let more = missing.len().saturating_sub(8);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        bail!(
            "{}{more} of the store {} missing",
            missing[..missing.len().min(8)].join(", "),
            if missing.len() == 1 { "is" } else { "are" }
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_belongs_to_exactly_one_part() {
        for of in [1, 2, 8] {
            for path in ["index.html", "products/a/index.html", "search/index.json"] {
                let owners = (1..=of).filter(|&number| Shard { number, of }.owns(path)).count();
                assert_eq!(owners, 1, "{path} of {of}");
            }
        }
    }

    #[test]
    fn parts_are_written_in_one_way() {
        assert_eq!("2/8".parse::<Shard>().map(|shard| shard.to_string()), Ok("2/8".to_string()));
        for text in ["", "2", "0/8", "9/8", "1/0", "-1/2", "1/2/3", "1/99999999999"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
