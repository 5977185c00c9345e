//! How a run goes, shown while it goes: bars for people, lines for logs, JSON for programs.

use super::terminal::{Terminal, Verbosity};
use super::words;
use crate::event::{Event, Finding, Observer, Outcome, Phase};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// How to show progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ProgressChoice {
    /// Bars on a terminal, lines elsewhere
    #[default]
    Auto,
    /// Bars
    Bar,
    /// Lines, as for a log
    Plain,
    /// One JSON object a line on stderr
    Json,
    /// Nothing
    None,
}

/// Time between two plain lines about the same phase.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);
/// Time between two JSON objects about the same phase.
const JSON_INTERVAL: Duration = Duration::from_millis(250);

/// Shows the events of a run on stderr.
pub(super) struct ProgressView<'a> {
    terminal: &'a Terminal,
    choice: ProgressChoice,
    current: Mutex<Option<Current>>,
}

/// The phase that goes on.
struct Current {
    phase: Phase,
    total: Option<u64>,
    steps: u64,
    started: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl<'a> ProgressView<'a> {
    pub(super) fn new(terminal: &'a Terminal, choice: ProgressChoice) -> Self {
        let choice = match choice {
            _ if terminal.verbosity == Verbosity::Quiet && choice != ProgressChoice::Json => ProgressChoice::None,
            ProgressChoice::Auto if terminal.is_err_terminal() => ProgressChoice::Bar,
            ProgressChoice::Auto => ProgressChoice::Plain,
            chosen => chosen,
        };
        Self { terminal, choice, current: Mutex::new(None) }
    }

    /// Takes the bar away; a run that failed leaves its phase unfinished.
    pub(super) fn end(&self) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(bar) = current.and_then(|current| current.bar) {
            bar.finish_and_clear();
        }
    }

    fn started(&self, phase: Phase, total: Option<u64>) -> Current {
        let bar = (self.choice == ProgressChoice::Bar).then(|| bar(phase, total, self.terminal.err.color));
        if self.choice == ProgressChoice::Json {
            self.json(json!({"event": "started", "phase": phase, "total": total}));
        }
        let now = Instant::now();
        Current { phase, total, steps: 0, started: now, told: now, bar }
    }

    fn advanced(&self, current: &mut Current, steps: u64) {
        current.steps += steps;
        if let Some(bar) = &current.bar {
            bar.set_position(current.steps);
        }
        let interval = if self.choice == ProgressChoice::Json { JSON_INTERVAL } else { PLAIN_INTERVAL };
        if current.told.elapsed() < interval {
            return;
        }
        current.told = Instant::now();
        let Current { phase, total, steps, .. } = *current;
        match self.choice {
            ProgressChoice::Json => {
                self.json(json!({"event": "advanced", "phase": phase, "steps": steps, "total": total}));
            }
            ProgressChoice::Plain => {
                let of = total.map(|total| format!(" of {}", words::number(total))).unwrap_or_default();
                let rate = words::rate(steps as f64 / current.started.elapsed().as_secs_f64());
                self.terminal.note(&format!("  {:<9} {}{of}, {rate}", phase.key(), words::number(steps)));
            }
            _ => {}
        }
    }

    fn finished(&self, current: Current, steps: u64) {
        let seconds = current.started.elapsed().as_secs_f64();
        if let Some(bar) = &current.bar {
            bar.finish_and_clear();
        }
        match self.choice {
            ProgressChoice::Json => {
                let seconds = (seconds * 1000.0).round() / 1000.0;
                self.json(json!({"event": "finished", "phase": current.phase, "steps": steps, "seconds": seconds}));
            }
            // A store of drawings has nothing to tell of its pictures.
            ProgressChoice::Bar | ProgressChoice::Plain if current.phase == Phase::Images && steps == 0 => {}
            ProgressChoice::Bar | ProgressChoice::Plain => {
                let paint = self.terminal.err;
                let count = counted(current.phase, steps);
                let rate = match current.phase {
                    Phase::Products | Phase::Fetch | Phase::Images | Phase::Pages | Phase::Cards if seconds > 0.05 => {
                        words::rate(steps as f64 / seconds)
                    }
                    _ => String::new(),
                };
                let line = format!("{:<9} {count:<34} {:>8}", current.phase.key(), words::duration(seconds));
                let rate = if rate.is_empty() { rate } else { paint.dim(&format!("  {rate:>9}")) };
                self.terminal.note(&format!("{} {line}{rate}", paint.green("✓")));
            }
            _ => {}
        }
    }

    fn found(&self, current: Option<&Current>, finding: &Finding) {
        match self.choice {
            ProgressChoice::Json => {
                let mut object = json!({"event": "found"});
                if let (Some(object), Ok(serde_json::Value::Object(fields))) =
                    (object.as_object_mut(), serde_json::to_value(finding))
                {
                    object.extend(fields);
                }
                self.json(object);
            }
            _ if self.terminal.verbosity == Verbosity::Verbose => {
                let paint = self.terminal.err;
                let outcome = match finding.outcome {
                    Outcome::Excluded => paint.dim("excluded"),
                    Outcome::Skipped => paint.yellow("skipped"),
                    Outcome::Repaired => paint.cyan("repaired"),
                };
                let Finding { collection, document, detail, reason, .. } = finding;
                let text = words::harmless(&format!("{collection} {document}: {detail} ({reason})"));
                self.above_bar(current, &format!("  {outcome} {text}"));
            }
            _ => {}
        }
    }

    fn queued(&self, before: usize) {
        let text = match before {
            0 => "next in line, as soon as a running job ends".to_string(),
            _ => format!("{} in line before this one", words::counted(before as u64, "job", "jobs")),
        };
        match self.choice {
            ProgressChoice::Json => self.json(json!({"event": "queued", "before": before})),
            ProgressChoice::Bar | ProgressChoice::Plain => {
                self.terminal.note(&format!("{} waiting: {text}", self.terminal.err.dim("○")));
            }
            _ => {}
        }
    }

    fn offline(&self, current: Option<&Current>, taken_at: OffsetDateTime, why: &str) {
        match self.choice {
            ProgressChoice::Json => {
                let taken_at = words::moment(taken_at);
                self.json(json!({"event": "offline", "taken_at": taken_at, "why": why}));
            }
            _ => {
                let text = format!("{why}\n  offline: the store is made from the copy of {}", words::moment(taken_at));
                let lines: Vec<String> = text.lines().map(words::harmless).collect();
                self.above_bar(current, &format!("{} {}", self.terminal.err.yellow("warning:"), lines.join("\n")));
            }
        }
    }

    fn noted(&self, current: Option<&Current>, text: &str) {
        match self.choice {
            ProgressChoice::Json => self.json(json!({"event": "note", "message": text})),
            _ => self.above_bar(current, &format!("  {} {}", self.terminal.err.cyan("note:"), words::harmless(text))),
        }
    }

    fn above_bar(&self, current: Option<&Current>, line: &str) {
        match current.and_then(|current| current.bar.as_ref()) {
            Some(bar) => bar.suspend(|| self.terminal.note(line)),
            None => self.terminal.note(line),
        }
    }

    fn json(&self, object: serde_json::Value) {
        self.terminal.line(&object.to_string());
    }
}

impl Observer for ProgressView<'_> {
    fn observe(&self, event: Event) {
        let mut place = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Started { phase, total } => *place = Some(self.started(phase, total)),
            Event::Advanced { phase, steps } => {
                if let Some(current) = place.as_mut().filter(|current| current.phase == phase) {
                    self.advanced(current, steps);
                }
            }
            Event::Finished { phase, steps } => {
                if let Some(current) = place.take_if(|current| current.phase == phase) {
                    self.finished(current, steps);
                }
            }
            Event::Offline { taken_at, why } => self.offline(place.as_ref(), taken_at, &why),
            Event::Queued { before } => self.queued(before),
            Event::Found(finding) => self.found(place.as_ref(), &finding),
            Event::Note(text) => self.noted(place.as_ref(), &text),
            Event::CacheUsed { shelf, uses } if self.choice == ProgressChoice::Json => {
                self.json(json!({"event": "cache_used", "shelf": shelf, "hits": uses.hits, "misses": uses.misses}));
            }
            Event::Anew | Event::CacheUsed { .. } => {}
        }
    }
}

/// What the steps of a phase were; nothing where there is nothing to count.
pub(super) fn counted(phase: Phase, steps: u64) -> String {
    match phase {
        Phase::Connect => String::new(),
        _ if steps == 0 => String::new(),
        Phase::Products => words::counted(steps, "product", "products"),
        Phase::Fetch | Phase::Images => words::counted(steps, "picture", "pictures"),
        Phase::Plan | Phase::Pages => words::counted(steps, "page", "pages"),
        Phase::Cards => words::counted(steps, "social card", "social cards"),
        Phase::Publish => words::counted(steps, "file", "files"),
    }
}

fn bar(phase: Phase, total: Option<u64>, color: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let template = match total {
        Some(_) => "{spinner_} {prefix:<9} {bar:30} {human_pos}/{human_len}  {percent} %  {rate}  {left}",
        None => "{spinner_} {prefix:<9} {human_pos}  {rate}",
    };
    let template = template.replace("{spinner_}", if color { "{spinner:.cyan}" } else { "{spinner}" });
    let template = if color { template.replace("{bar:30}", "{bar:30.cyan/black.bright}") } else { template };
    if let Ok(style) = ProgressStyle::with_template(&template) {
        let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = out.write_str(&words::rate(state.per_sec()));
        };
        let left = |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{} left", words::duration(state.eta().as_secs_f64().ceil()));
        };
        bar.set_style(
            style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ").with_key("rate", rate).with_key("left", left),
        );
    }
    bar.set_prefix(phase.key());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
