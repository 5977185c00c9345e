//! Decoders of a dozen formats meet whatever people upload; one that gives up costs its picture only, and says nothing.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread is at work for [`guarded`].
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does some work; gives nothing where it panics. What panics elsewhere is told on the terminal as ever.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.try_with(Cell::get).unwrap_or(false) {
                usual(panic);
            }
        }));
    });
    let before = IS_GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(before);
    done.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nothing_and_the_next_work_is_done() {
        assert_eq!(guarded(|| guarded(|| panic!("a decoder")).unwrap_or(1) + 1), Some(2));
        assert!(!IS_GUARDED.get());
    }
}
