//! `storegen explain`: how a product got its scores, its quality and its place.

use super::GlobalArgs;
use super::exit::{Exit, Failure};
use super::reading::reading;
use super::terminal::{Paint, Terminal};
use super::words::harmless;
use crate::pipeline::explain::{ExplainedFit, ExplainedProduct, Explanation, explain};
use clap::Args;
use std::fmt::Write as _;
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

pub(super) fn run(args: &ExplainArgs, _global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let wanted = args.product.as_str();
    let explanation =
        reading(&args.config, terminal, |config, work_dir, observer| explain(config, wanted, work_dir, observer))?;
    if explanation.products.is_empty() && explanation.findings.is_empty() {
        return Err(Failure::usage(
            format!("no product has the SKU, id or slug `{}`", harmless(wanted)),
            "the last part of a product page's address is its slug; a document that was left out is found by its id, and \
             `storegen check` tells which those are",
        ));
    }
    if args.json {
        terminal.json(&explanation)?;
    } else {
        terminal.result(&describe(&explanation, terminal.out));
    }
    Ok(Exit::Done)
}

/// The explanation, for a person.
fn describe(explanation: &Explanation, paint: Paint) -> String {
    let mut text = String::new();
    for product in &explanation.products {
        describe_product(&mut text, product, paint);
    }
    if !explanation.findings.is_empty() {
        let _ = writeln!(text, "\n{}", paint.bold("found in the catalogue"));
        for finding in &explanation.findings {
            let line = format!("{}: {} ({})", finding.document, finding.detail, finding.reason);
            let _ = writeln!(text, "  {}", harmless(&line));
        }
    }
    text
}

fn describe_product(text: &mut String, product: &ExplainedProduct, paint: Paint) {
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(text, "  {:<12} {}", name, harmless(value));
    };
    fact("product", &product.name);
    fact("id", &product.id);
    fact("sku", product.sku.as_deref().unwrap_or("none"));
    fact("page", &product.url_path);
    fact("place", &format!("{} of {} in the store's order", product.place.0, product.place.1));
    fact("size", product.size.as_deref().unwrap_or("not measured"));
    fact("popularity", &format!("{:.3}", product.popularity));
    fact("title", &product.seo_title);
    fact("description", &product.seo_description);
    fact("related", &product.related.join(", "));
    let _ = writeln!(text, "\n{} {:.3}", paint.bold("quality"), product.quality);
    for part in &product.quality_parts {
        let _ = writeln!(text, "  {:<22} {:>5.2} of {:.2}", part.part, part.weight * part.met, part.weight);
    }
    let _ = writeln!(text, "\n{}", paint.bold("face shapes"));
    for fit in &product.face_shapes {
        describe_fit(text, fit, paint);
    }
}

fn describe_fit(text: &mut String, fit: &ExplainedFit, paint: Paint) {
    let opinion = |opinion: Option<(f64, f64)>| match opinion {
        Some((score, confidence)) => format!("{score:.2} (confidence {confidence:.2})"),
        None => "none".to_string(),
    };
    let _ = writeln!(
        text,
        "  {:<9} {:.3}  {}  {}",
        fit.face_shape,
        fit.score,
        fit.strength,
        paint.dim(&format!(
            "confidence {:.2}; catalogue {}, rules {}",
            fit.confidence,
            opinion(fit.stored),
            opinion(fit.rules)
        )),
    );
    for (at, (step, moved)) in fit.steps.iter().enumerate() {
        let amount = if at == 0 { format!("{moved:.2}") } else { format!("{moved:+.2}") };
        let _ = writeln!(text, "            {:>5}  {}", amount, harmless(step));
    }
    for reason in &fit.reasons {
        let _ = writeln!(text, "                   {}", paint.dim(&harmless(reason)));
    }
}
