//! `storegen cache`: what is kept of pictures between runs, and how much of it.

use super::exit::{Exit, Failure};
use super::reading::reading;
use super::terminal::{Paint, Terminal};
use super::words::{bytes, counted, number, span_of};
use super::{GlobalArgs, state};
use crate::assets::cache::{Cache, Limits, Removed, Shelf, Stats, Uses};
use crate::config::{self, CacheSettings, Overrides};
use crate::jobs::{Clock as _, Deed, SystemClock};
use crate::pipeline::warm::warm;
use crate::reliability::Breakers;
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  storegen cache stats
  storegen cache warm store.yaml
  storegen cache prune store.yaml --max-size '2 GB'
  storegen cache clear store.yaml --json")]
pub(super) struct CacheArgs {
    #[command(subcommand)]
    what: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Tell what is kept and how often it was of use
    Stats(WhichArgs),
    /// Fetch and make all pictures of the store, without making the store
    Warm(WhichArgs),
    /// Remove what is too old or too much
    Prune(PruneArgs),
    /// Remove everything; the next run makes it again
    Clear(WhichArgs),
}

#[derive(Debug, Args)]
struct WhichArgs {
    /// The configuration of the store whose cache it is
    #[arg(default_value = "store.yaml")]
    config: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct PruneArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Most that may stay, such as '500 MB', in place of the configured size
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_size: Option<u64>,
    /// Longest time without use, such as '30 days', in place of the configured one
    #[arg(long, value_name = "TIME", value_parser = span_of)]
    max_age: Option<Duration>,
}

fn size(text: &str) -> Result<u64, String> {
    config::bytes(text).ok_or_else(|| "write a number and a unit, such as '500 MB'".into())
}

pub(super) fn run(args: &CacheArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    match &args.what {
        CacheCommand::Stats(which) => {
            let (cache, settings) = open(which, global)?;
            let stats = cache.stats().map_err(Failure::failed)?;
            match which.json {
                true => terminal.json(&stats)?,
                false => terminal.result(&describe(&stats, settings.limits, terminal.out)),
            }
        }
        CacheCommand::Warm(which) => warm_up(which, global, terminal)?,
        CacheCommand::Prune(prune) => {
            let (cache, settings) = open(&prune.which, global)?;
            let limits = Limits {
                max_size: prune.max_size.unwrap_or(settings.limits.max_size),
                max_age: prune.max_age.unwrap_or(settings.limits.max_age),
            };
            tell_removed(cache.prune(limits).map_err(Failure::failed)?, &cache, &prune.which, global, terminal)?;
        }
        CacheCommand::Clear(which) => {
            let (cache, _) = open(which, global)?;
            tell_removed(cache.clear().map_err(Failure::failed)?, &cache, which, global, terminal)?;
        }
    }
    Ok(Exit::Done)
}

fn open(which: &WhichArgs, global: &GlobalArgs) -> Result<(Cache, CacheSettings), Failure> {
    let config = config::load(&which.config, &Overrides::default(), &|name| std::env::var(name).ok())?;
    let folder = config.cache.folder_beside(state::of(global.state.as_deref(), &which.config).folder());
    let cache = Cache::at(&folder, SystemClock::new().now().into());
    Ok((cache, config.cache))
}

fn warm_up(which: &WhichArgs, global: &GlobalArgs, terminal: &Terminal) -> Result<(), Failure> {
    let store = state::of(global.state.as_deref(), &which.config);
    let clock = SystemClock::new();
    let now = || clock.now();
    let (cache, warmed) = reading(&which.config, terminal, |config, work_dir, observer| {
        let cache = Cache::at(&config.cache.folder_beside(store.folder()), now().into());
        let breakers = Breakers::new(&store, &now, &config.retry);
        let warmed = warm(config, &cache, &breakers, work_dir, observer)?;
        Ok((cache, warmed))
    })?;
    if which.json {
        return terminal.json(&warmed);
    }
    let had = |uses: Uses, made: &str| match uses.hits + uses.misses {
        0 => "none".to_string(),
        all => format!("{}, {} of them {made} now", counted(all, "picture", "pictures"), number(uses.misses)),
    };
    terminal.result(&format!(
        "\n{} {} is ready for {}\n\n  ready     {}\n  fetched   {}\n",
        terminal.out.green("✓"),
        terminal.out.bold(&cache.root().display().to_string()),
        counted(warmed.products, "product", "products"),
        had(warmed.images, "made"),
        had(warmed.downloads, "fetched"),
    ));
    Ok(())
}

fn tell_removed(
    removed: Removed,
    cache: &Cache,
    which: &WhichArgs,
    global: &GlobalArgs,
    terminal: &Terminal,
) -> Result<(), Failure> {
    if removed.entries > 0 {
        let deed = Deed::CacheDeleted { folder: cache.root(), bytes: removed.bytes };
        state::audit(&state::of(global.state.as_deref(), &which.config), &deed, terminal);
    }
    if which.json {
        return terminal.json(&removed);
    }
    let what = counted(removed.entries, "entry", "entries");
    let sign = terminal.out.green("✓");
    terminal.result(&format!("{sign} removed {what} ({}) from `{}`\n", bytes(removed.bytes), cache.root().display()));
    Ok(())
}

/// What a cache holds, for a person.
fn describe(stats: &Stats, limits: Limits, paint: Paint) -> String {
    let days = limits.max_age.as_secs_f64() / 86_400.0;
    let mut text = format!(
        "\n{}: {} in {}\n{}\n\n",
        paint.bold(&stats.folder.display().to_string()),
        bytes(stats.bytes),
        counted(stats.entries, "entry", "entries"),
        paint.dim(&format!("kept up to {}, and {days:.0} days after the last use", bytes(limits.max_size))),
    );
    let heading = format!("  {:<10} {:>9} {:>9} {:>14} {:>14}", "", "entries", "size", "hits last run", "hits ever");
    let _ = writeln!(text, "{}", paint.dim(&heading));
    for shelf in Shelf::ALL {
        let Some(held) = stats.shelves.get(&shelf) else { continue };
        let _ = writeln!(
            text,
            "  {:<10} {:>9} {:>9} {:>14} {:>14}",
            shelf.name(),
            number(held.entries),
            bytes(held.bytes),
            rate(held.last_run),
            rate(held.all_runs)
        );
    }
    text
}

/// `98 % of 363`, or a dash before the first use.
fn rate(uses: Uses) -> String {
    let percent = uses.hit_rate().map(|rate| (rate * 100.0).floor());
    percent.map_or("-".into(), |percent| format!("{percent} % of {}", number(uses.hits + uses.misses)))
}
