//! Inputs that fuzzing found, and those it began with: each must pass, for ever.

#[path = "../fuzz/targets.rs"]
mod targets;

use crate::store::repository;

#[test]
fn every_input_of_the_corpus_passes() {
    for (name, target) in targets::TARGETS {
        let folder = repository().join("tests/fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in std::fs::read_dir(&folder).expect("a corpus") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("an input");
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            assert!(outcome.is_ok(), "{} does not pass", path.display());
            inputs += 1;
        }
        assert!(inputs >= 5, "{} has only {inputs} inputs", folder.display());
    }
}
