//! `.storegen/requests/<job>.json`: what a job was asked to do, so that it can be run again as it was then.
//!
//! In: the store file as it was read and the options of the command. Out: the same, later. Secrets are not kept:
//! `${VAR}` stays as it was written, and whatever else looks like a secret is replaced by `***` before it gets here.

use crate::config::StoreText;
use crate::site::durable::{make_private_folder, replace_file};
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Version of the file's format.
const VERSION: u32 = 1;

/// What a job was asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    version: u32,
    /// The store file, absolute; relative paths in its text start there.
    pub config_path: PathBuf,
    /// Its text, without secrets.
    pub config_text: String,
    /// Whether that is all of the text: no secret was written in it.
    pub is_whole: bool,
    /// The options of the command, in the command's own terms.
    pub options: serde_json::Value,
}

impl Request {
    /// What a job is asked to do.
    pub fn new(config_path: &Path, text: &StoreText, options: serde_json::Value) -> Self {
        Self {
            version: VERSION,
            config_path: config_path.to_path_buf(),
            config_text: text.redacted(),
            is_whole: text.is_harmless(),
            options,
        }
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        path.parent().map_or(Ok(()), make_private_folder)?;
        replace_file(path, &serde_json::to_vec(self)?)
    }

    pub(super) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        };
        let request: Self =
            serde_json::from_slice(&bytes).with_context(|| format!("`{}` is damaged", path.display()))?;
        if request.version > VERSION {
            bail!("`{}` was written by a later version of storegen; update storegen", path.display());
        }
        Ok(Some(request))
    }
}
