//! The program: everything is in the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

// Rendering allocates all the time: a third of a page's cost is the allocator's with glibc's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    storegen::cli::run()
}
