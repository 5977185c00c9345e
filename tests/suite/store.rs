//! A store in a folder of its own: write a configuration and a catalogue, run the program, look at what it made.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// The store file that most tests start from; the catalogue is the folder `catalog` beside it.
pub(crate) const CONFIG: &str = "\
store_name: Test Store
base_url: https://shop.example/
currency: EUR
output: store
catalog:
  uri: catalog
";

/// Root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with a `store.yaml`, removed when dropped.
pub(crate) struct Store {
    folder: TempDir,
    /// Where jobs of this user wait for each other; no two tests share it.
    user_state: Arc<TempDir>,
    config: String,
    environment: Vec<(String, String)>,
}

impl Store {
    /// A store with this configuration and nothing else.
    pub(crate) fn new(config: &str) -> Self {
        let store = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            user_state: Arc::new(tempfile::tempdir().expect("a temporary folder")),
            config: "store.yaml".into(),
            environment: Vec::new(),
        };
        store.file("store.yaml", config)
    }

    /// A copy of an example of the repository, without what was generated from it.
    pub(crate) fn from_example(name: &str) -> Self {
        let store = Self::new("");
        let source = repository().join("examples").join(name);
        for entry in walkdir::WalkDir::new(&source).into_iter().filter_entry(|entry| {
            !(entry.depth() == 1 && ["store", ".storegen", "screenshots"].iter().any(|name| entry.file_name() == *name))
        }) {
            let entry = entry.expect("the example can be read");
            let target = store.path(entry.path().strip_prefix(&source).expect("inside the example"));
            if entry.file_type().is_dir() {
                std::fs::create_dir_all(target).expect("a folder");
            } else {
                std::fs::copy(entry.path(), target).expect("a copy");
            }
        }
        store
    }

    /// Adds or replaces a file.
    pub(crate) fn file(self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Self {
        self.write(path, contents);
        self
    }

    /// Adds or replaces a file.
    pub(crate) fn write(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, contents).expect("a file");
    }

    /// Uses another file than `store.yaml` as the store file.
    pub(crate) fn with_config(mut self, name: &str) -> Self {
        self.config = name.into();
        self
    }

    /// Rewrites the store file.
    pub(crate) fn edit(self, change: impl FnOnce(String) -> String) -> Self {
        let text = std::fs::read_to_string(self.path(&self.config)).expect("a store file");
        let text = change(text);
        let name = self.config.clone();
        self.file(name, text)
    }

    /// Jobs of the two stores wait for each other, as those of one user do.
    pub(crate) fn sharing_queue_with(mut self, other: &Self) -> Self {
        self.user_state = Arc::clone(&other.user_state);
        self
    }

    /// Sets an environment variable for the program.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// A path inside the folder.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The output folder.
    pub(crate) fn output(&self) -> PathBuf {
        self.path("store")
    }

    /// The program with arguments, in the folder, with a quiet environment, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_storegen"));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .env("STOREGEN_STATE", self.path(".storegen/state.json"))
            .env("XDG_STATE_HOME", self.user_state.path())
            .env_remove("RAYON_NUM_THREADS")
            .env_remove("MONGODB_URI")
            .env("NO_COLOR", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the program starts");
        Run::new(arguments.join(" "), output)
    }

    /// `storegen generate` with the store file and further arguments.
    pub(crate) fn generate(&self, arguments: &[&str]) -> Run {
        let mut all = vec!["generate", self.config.as_str()];
        all.extend_from_slice(arguments);
        self.run(&all)
    }

    /// Generates and returns the job record.
    pub(crate) fn generated(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json", "--quiet"];
        all.extend_from_slice(arguments);
        self.generate(&all).code(0).json()
    }

    /// The newest job record.
    pub(crate) fn newest_job(&self) -> Value {
        self.run(&["status", "--json"]).code(0).json()[0].take()
    }

    /// Text of a file of the output folder.
    pub(crate) fn page(&self, path: &str) -> String {
        let path = self.output().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Bytes of a file of the output folder.
    pub(crate) fn page_bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.output().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Every file of the output folder with a hash of its contents.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        tree_of(&self.output())
    }

    /// Slugs of the products that have a page.
    pub(crate) fn product_slugs(&self) -> Vec<String> {
        let mut slugs: Vec<String> = std::fs::read_dir(self.output().join("products"))
            .expect("a products folder")
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| entry.file_name() != "page" && entry.path().join("index.html").is_file())
            .map(|entry| entry.file_name().into_string().expect("a slug is text"))
            .collect();
        slugs.sort();
        slugs
    }

    /// Every finding of a run, one JSON object a line.
    pub(crate) fn report(&self, record: &Value) -> String {
        let name = format!(".storegen/reports/{}.jsonl", record["job_id"].as_str().expect("a job id"));
        std::fs::read_to_string(self.path(&name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// All text that the program keeps about its runs.
    pub(crate) fn state_text(&self) -> String {
        walkdir::WalkDir::new(self.path(".storegen"))
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default()).into_owned())
            .collect()
    }
}

/// Every file below a folder with a hash of its contents; empty where there is no folder.
pub(crate) fn tree_of(folder: &Path) -> BTreeMap<String, String> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).expect("inside").to_string_lossy().into_owned();
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            (name, blake3::hash(&bytes).to_hex().to_string())
        })
        .collect()
}

/// Says which files differ, so that a failure can be read.
pub(crate) fn assert_same_tree(left: &BTreeMap<String, String>, right: &BTreeMap<String, String>, what: &str) {
    assert!(!left.is_empty(), "{what}: the first tree is empty");
    let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let differing: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (left.get(name), right.get(name)) {
            (Some(a), Some(b)) if a == b => None,
            (Some(_), Some(_)) => Some(format!("{name}: other contents")),
            (Some(_), None) => Some(format!("{name}: only in the first")),
            (None, _) => Some(format!("{name}: only in the second")),
        })
        .collect();
    assert!(
        differing.is_empty(),
        "{what}: {} files differ:\n{}",
        differing.len(),
        differing[..differing.len().min(20)].join("\n")
    );
}

/// A run of the program that has ended.
pub(crate) struct Run {
    arguments: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn new(arguments: String, output: Output) -> Self {
        Self {
            arguments,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code,
            Some(expected),
            "storegen {}\nstdout: {}\nstderr: {}",
            self.arguments,
            self.stdout,
            self.stderr
        );
        assert!(!self.stderr.contains("panicked"), "storegen {} panicked: {}", self.arguments, self.stderr);
        self
    }

    /// Asserts that standard error says something.
    #[track_caller]
    pub(crate) fn says(self, expected: &str) -> Self {
        assert!(self.stderr.contains(expected), "storegen {}: no `{expected}` in:\n{}", self.arguments, self.stderr);
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("storegen {}: {error} in\n{}", self.arguments, self.stdout))
    }
}
