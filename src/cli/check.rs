//! `storegen check`: what a run would make of the configuration and the catalogue.

use super::GlobalArgs;
use super::exit::{Exit, Failure};
use super::reading::reading;
use super::terminal::{Paint, Terminal};
use super::words::{counted, harmless, number};
use crate::event::Outcome;
use crate::pipeline::check::{CatalogReport, ReasonCount, check};
use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen check store.yaml
  storegen check store.yaml --json | jq .reasons")]
pub(super) struct CheckArgs {
    /// The store's configuration
    #[arg(default_value = "store.yaml")]
    pub(super) config: PathBuf,
    /// Fail when a document cannot be sold
    #[arg(long)]
    pub(super) strict: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &CheckArgs, _global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let report = reading(&args.config, terminal, check)?;
    if args.json {
        terminal.json(&report)?;
    } else {
        terminal.result(&describe(&report, terminal.out));
    }
    Ok(if args.strict && report.has_skips() { Exit::Failed } else { Exit::Done })
}

/// The report, for a person.
fn describe(report: &CatalogReport, paint: Paint) -> String {
    let mut text = format!(
        "\n{} {} would be in the store, of {}; {}, {}\n",
        paint.green("✓"),
        paint.bold(&counted(report.products, "product", "products")),
        counted(report.documents, "document", "documents"),
        counted(report.brands, "brand", "brands"),
        counted(report.categories, "category", "categories"),
    );
    for (outcome, title, what) in [
        (Outcome::Skipped, "skipped", "cannot be sold as they are"),
        (Outcome::Excluded, "excluded", "left out on purpose"),
        (Outcome::Repaired, "repaired", "in the store, with the faulty part mended or left out"),
    ] {
        let reasons: Vec<&ReasonCount> = report.reasons.iter().filter(|reason| reason.outcome == outcome).collect();
        if reasons.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{} {}\n", paint.bold(title), paint.dim(what));
        for reason in reasons {
            let _ = writeln!(text, "  {:>7}  {}", number(reason.count), reason.reason);
            for example in &reason.examples {
                let line = format!("{}: {}", example.document, example.detail);
                let _ = writeln!(text, "           {}", paint.dim(&harmless(&line)));
            }
        }
    }
    let _ = write!(text, "\n{} {:.0} of 100\n", paint.bold("quality"), report.mean_quality * 100.0);
    for coverage in &report.coverage {
        let filled = (coverage.share * 20.0).round() as usize;
        let bar = format!("{}{}", "█".repeat(filled), paint.dim(&"░".repeat(20 - filled.min(20))));
        let _ = writeln!(text, "  {:<22} {bar} {:>3.0} %", coverage.part, coverage.share * 100.0);
    }
    if !report.languages.is_empty() {
        let _ = write!(
            text,
            "\n{} {}\n",
            paint.bold("languages"),
            paint.dim("what is shown in another one for want of a translation")
        );
    }
    for gaps in &report.languages {
        if gaps.unnamed_products > 0 {
            let products = counted(gaps.unnamed_products, "product has", "products have");
            let _ = writeln!(text, "  {:<7}  {products} no name in it", gaps.locale);
        }
        if !gaps.untranslated.is_empty() {
            let texts = counted(gaps.untranslated.len() as u64, "text of the pages is", "texts of the pages are");
            let shown = gaps.untranslated.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if gaps.untranslated.len() > 5 { " …" } else { "" };
            let _ = writeln!(text, "  {:<7}  {texts} in English: {}{more}", gaps.locale, paint.dim(&harmless(&shown)));
        }
        for (lacking, one, many) in [
            (&gaps.untranslated_settings, "setting has", "settings have"),
            (&gaps.untranslated_content, "page of the content folder has", "pages of the content folder have"),
        ] {
            if !lacking.is_empty() {
                let settings = counted(lacking.len() as u64, one, many);
                let shown = paint.dim(&harmless(&lacking.join(", ")));
                let _ = writeln!(text, "  {:<7}  {settings} no text in it: {shown}", gaps.locale);
            }
        }
    }
    if !report.worst.is_empty() {
        let _ = write!(text, "\n{} {}\n", paint.bold("worst products"), paint.dim("and what they lack"));
        for worst in &report.worst {
            let name = format!("{} ({})", worst.name, worst.sku.as_deref().unwrap_or(&worst.id));
            let lacks = if worst.lacks.is_empty() { "nothing".to_string() } else { worst.lacks.join(", ") };
            let _ = writeln!(text, "  {:>3.0}  {}  {}", worst.quality * 100.0, harmless(&name), paint.dim(&lacks));
        }
    }
    text
}
