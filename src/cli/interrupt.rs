//! Ctrl-C: the first asks the run to stop, the second ends the program at once.

use super::exit::Exit;
use anyhow::Context as _;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Takes over SIGINT, SIGTERM and SIGHUP; call it once.
///
/// # Errors
/// When the system refuses.
pub(super) fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            // Nothing is lost by not running destructors: whatever a killed run leaves, the next command settles.
            #[expect(clippy::disallowed_methods, reason = "the handler's thread has no other way to end the program")]
            std::process::exit(Exit::Cancelled as i32);
        }
    })
    .context("cannot listen for Ctrl-C")
}

/// Whether the program has been asked to stop.
pub(super) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
