//! `storegen explain`: how a product got its scores, its quality and its place.

use super::GlobalArgs;
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  storegen explain store.yaml RB-3025")]
pub(super) struct ExplainArgs {
    /// The store's configuration
    pub(super) config: PathBuf,
    /// The product's SKU, id or slug
    #[arg(value_name = "SKU")]
    pub(super) product: String,
    /// Print the explanation as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// STAND-IN until the pipeline is merged.
pub(super) fn run(args: &ExplainArgs, _global: &GlobalArgs, _terminal: &Terminal) -> Result<Exit, Failure> {
    let ExplainArgs { config, product, json } = args;
    Err(Failure::failed(anyhow::anyhow!("stand-in: explain {} {product} {json}", config.display())))
}
