//! Jobs: what runs have done and are doing, in one JSON file that any number of processes share.
//!
//! In: the events of a run. Out: [`GenerationJob`] records in `.storegen/state.json`, and every finding of a run in
//! `.storegen/reports/<job>.jsonl`; what was done to stores in `.storegen/audit.jsonl`. A record outlives its process: one that died is shown as failed. Nothing here ever
//! overwrites a state file that it does not understand.

mod audit;
mod clock;
mod file;
mod log;
mod memory;
mod metrics;
mod process;
mod queue;
mod record;
mod recorder;
mod report;
mod request;
mod retention;
mod running;
mod statistics;
mod stop;
mod trace;

pub use audit::{Actor, Deed};
pub use clock::{Clock, SystemClock};
pub use file::{Begun, JobStore, NewJob, SetAside, StateError, state_schema};
pub use log::{Entry, Level, LogReader};
pub use metrics::prometheus;
pub use process::{Life, Owner};
pub use queue::{Place, Queue};
pub use record::{Changes, GenerationJob, IllegalTransition, JobId, JobStatus, PerformanceMetrics, PhaseMetrics};
pub use recorder::{Ending, Recorder, Tally};
pub use report::{Reason, reasons};
pub use request::Request;
pub use retention::Cleaned;
pub use running::Running;
pub use statistics::{Speed, Spread, Statistics};
pub use stop::{Stop, StopReason};
pub use trace::Exporter;
