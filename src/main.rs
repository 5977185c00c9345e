//! The program: everything is in the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

// Rendering allocates all the time: a third of a page's cost is the allocator's with glibc's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // With huge pages, which the allocator asks for, a build takes no less time and 20 MB more memory. A system that does
    // not know of them has nothing to turn off.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
    storegen::cli::run()
}
