//! The first minutes with storegen: `init`, `check`, `explain`, `schema`, `--help`.

use crate::store::{CONFIG, Store};
use serde_json::Value;

#[test]
fn what_init_writes_can_be_generated_at_once() {
    let store = Store::new("");
    store.run(&["init", "my-shop"]).code(0);
    let text = std::fs::read_to_string(store.path("my-shop/store.yaml")).expect("a store file");
    assert!(text.lines().filter(|line| line.trim_start().starts_with('#')).count() >= 10, "hardly commented:\n{text}");
    store.run(&["generate", "my-shop/store.yaml"]).code(0);
    let pages: Vec<String> = walkdir::WalkDir::new(store.path("my-shop"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name() == "index.html")
        .map(|entry| entry.path().display().to_string())
        .collect();
    assert!(pages.len() > 10, "{pages:?}");
}

#[test]
fn init_takes_its_answers_from_flags() {
    let store = Store::new("");
    store.run(&["init", "shop", "--name", "Lumen & Oak", "--primary-color", "#0a5", "--yes"]).code(0);
    store.run(&["generate", "shop/store.yaml"]).code(0);
    let home = std::fs::read_to_string(store.path("shop/store/index.html")).expect("a page");
    assert!(home.contains("Lumen &amp; Oak") && home.contains("#00aa55"), "{home}");
    store.run(&["init", "other", "--primary-color", "greenish"]).code(2).says("#1f3d3a");
    assert!(!store.path("other").exists());
}

#[test]
fn shells_and_manuals_are_served() {
    let store = Store::new("");
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef storegen"),
        ("fish", "complete -c storegen"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = store.run(&["completions", shell]).code(0).stdout;
        assert!(script.contains(part) && script.contains("preview"), "{shell}");
    }
    assert!(store.run(&["man"]).code(0).stdout.contains(".TH storegen"));
    store.run(&["man", "manual/pages"]).code(0);
    let page = std::fs::read_to_string(store.path("manual/pages/storegen-preview.1")).expect("a page");
    assert!(page.contains("\\-\\-host"), "{page}");

    let topics = store.run(&["help", "topics"]).code(0).stdout;
    for topic in ["config", "mapping", "languages", "content", "theme", "deploy"] {
        assert!(topics.contains(topic), "{topic}");
        assert!(store.run(&["help", topic]).code(0).stdout.lines().count() > 7, "{topic}");
    }
    assert!(store.run(&["help", "generate"]).code(0).stdout.contains("--dry-run"));
    store.run(&["help", "thmes"]).code(2).says("did you mean `storegen help themes`?");
    // A guess that is wild helps nobody.
    let wild = store.run(&["help", "quarterly-report"]).code(2).says("`storegen help topics` the topics");
    assert!(!wild.stderr.contains("did you mean"), "{}", wild.stderr);
}

#[test]
fn init_takes_only_what_makes_a_sound_store_file() {
    let store = Store::new(CONFIG);
    store.run(&["init", "cash", "--yes", "--name", "Cash$$Co ${NOBODY}"]).code(0);
    store.run(&["generate", "cash/store.yaml", "--quiet"]).code(0);
    let page = std::fs::read_to_string(store.path("cash/store/index.html")).expect("a store");
    assert!(page.contains("Cash$$Co ${NOBODY}"), "{page}");
    store.run(&["init", "no-theme", "--yes", "--theme", "nope"]).code(2).says("modern-minimal, eyewear-focused");
    store.run(&["init", "no-source", "--yes", "--source", " "]).code(2).says("name a MongoDB address or a path");
    assert!(!store.path("no-theme").exists() && !store.path("no-source").exists());
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let store = Store::new(CONFIG);
    for arguments in [&["schema"][..], &["status", "--json"], &["help", "topics"], &["generate", "--help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a device that is always full");
        let run = store.command(arguments).stdout(full).output().expect("it runs");
        let told = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("cannot write the result"), "{arguments:?}: {told}");
    }
}

#[test]
fn what_the_system_says_is_told_once() {
    let store = Store::new(CONFIG);
    let told = store.generate(&["--state", "/dev/null/x/state.json"]).code(1).stderr;
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(errors.concat().matches("Not a directory").count(), 1, "{told}");
    let told = store.run(&["themes", "eject", "modern-minimal", "/dev/null/x"]).code(1).stderr;
    assert_eq!(told.matches("Not a directory").count(), 1, "{told}");
}

#[test]
fn init_does_not_overwrite() {
    let store = Store::new("store_name: Mine\n");
    store.run(&["init", "."]).code(1).says("store.yaml");
    assert_eq!(std::fs::read_to_string(store.path("store.yaml")).expect("a file"), "store_name: Mine\n");
}

#[test]
fn check_counts_what_is_wrong_and_writes_nothing() {
    let store = Store::from_example("boutique");
    let report = store.run(&["check", "store.yaml", "--json"]).code(0).json();
    let text = report.to_string();
    for reason in ["HR-0000", "negative"] {
        assert!(text.contains(reason) || text.contains("missing_name"), "no {reason} in {text}");
    }
    assert!(!store.output().exists());
    let shown = store.run(&["check", "store.yaml"]).code(0);
    assert!(shown.stdout.contains("skipped") || shown.stderr.contains("skipped"), "{}{}", shown.stdout, shown.stderr);
}

#[test]
fn explain_shows_how_a_product_got_its_scores() {
    let store = Store::from_example("boutique");
    let catalog = std::fs::read_to_string(store.path("catalog/products.jsonl")).expect("the catalogue");
    let penrose: Value = catalog
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .find(|document| document["name"] == "Penrose")
        .expect("Penrose");
    let sku = penrose["sku"].as_str().expect("a stock unit");
    let told = store.run(&["explain", "store.yaml", sku]).code(0).stdout;
    for part in ["Penrose", "oval", "heart", "quality"] {
        assert!(told.to_lowercase().contains(&part.to_lowercase()), "no `{part}` in\n{told}");
    }
    // In the store's own language, as its page has it.
    let store = store.edit(|config| config.replace("locale: en-GB", "locale: de"));
    let explained = store.run(&["explain", "store.yaml", sku, "--json"]).code(0).json();
    let description =
        explained["products"][0]["seo_description"].as_str().expect("a description").replace('&', "&amp;");
    store.generate(&["--quiet"]).code(0);
    let page = store.page("products/penrose/index.html").replace("&#39;", "'");
    assert!(
        page.contains(&format!("<meta name=\"description\" content=\"{description}\">")),
        "{description} in {page}"
    );
    let run = store.run(&["explain", "store.yaml", "NO-SUCH-SKU"]);
    assert!(matches!(run.code, Some(1 | 2)) && run.stderr.contains("NO-SUCH-SKU"), "{:?} {}", run.code, run.stderr);
}

#[test]
fn the_schema_knows_every_documented_key() {
    let store = Store::new(CONFIG);
    let schema = store.run(&["schema"]).code(0).json();
    assert!(schema["$schema"].as_str().is_some_and(|draft| draft.contains("json-schema.org")), "{schema}");
    let text = schema.to_string();
    for key in [
        "store_name",
        "store_description",
        "contact_email",
        "base_url",
        "locale",
        "currency",
        "theme",
        "primary_color",
        "secondary_color",
        "products_per_page",
        "featured_products_count",
        "enable_face_shape_filter",
        "site_title",
        "site_description",
        "deployment_platforms",
        "output",
        "product_filters",
        "sort",
        "catalog",
        "mapping",
        "collections",
        "min_quality_score",
        "max_products",
        "face_shape",
    ] {
        assert!(text.contains(&format!("\"{key}\"")), "the schema does not know `{key}`");
    }
    assert!(text.contains("\"additionalProperties\":false"));
}

#[test]
fn help_tells_commands_and_exit_codes() {
    let store = Store::new(CONFIG);
    let help = store.run(&["--help"]).code(0).stdout;
    for part in ["generate", "status", "init", "check", "explain", "schema", "cancel", "retry", "logs", "clean", "130"]
    {
        assert!(help.contains(part), "no `{part}` in\n{help}");
    }
    for command in ["generate", "status", "init", "check", "explain", "schema", "cancel", "retry", "logs", "clean"] {
        let text = store.run(&[command, "--help"]).code(0).stdout;
        assert!(text.len() > 100, "{command} --help says little: {text}");
    }
    let version = store.run(&["--version"]).code(0).stdout;
    assert!(version.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn json_goes_to_standard_output_and_nothing_else_does() {
    let store = Store::from_example("boutique");
    let run = store.generate(&["--json"]).code(0);
    assert!(run.json()["job_id"].is_string());
    let quiet = store.generate(&["--quiet"]).code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let progress = store.generate(&["--progress", "json", "--quiet", "--json"]).code(0);
    assert!(progress.json()["job_id"].is_string());
    let events = |store: &Store, code: i32| -> Vec<Value> {
        let lines = store.generate(&["--progress", "json"]).code(code).stderr;
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{lines}"));
        lines.lines().map(read).collect()
    };
    assert!(events(&store, 0).len() >= 5);
    let failed = events(&store.edit(|config| config.replace("currency:", "curency:")), 2);
    let message = failed.iter().find(|event| event["event"] == "error").expect("an error")["message"].as_str();
    assert!(message.is_some_and(|message| message.contains("curency")), "{failed:?}");
    for run in [run, quiet, progress] {
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "colour although NO_COLOR is set");
    }
}

#[test]
fn the_state_file_is_where_it_was_asked_to_be() {
    let store = Store::from_example("boutique");
    let elsewhere = store.path("elsewhere/state.json");
    let elsewhere = elsewhere.to_str().expect("a plain path");
    store.generated(&["--state", elsewhere]);
    assert!(store.path("elsewhere/state.json").is_file());
    // As from a variable that is not set: no id is not the start of every id.
    store.run(&["retry", "", "--state", elsewhere]).code(2).says("the id of a job is empty");
    let listed = store.run(&["status", "--state", elsewhere, "--json"]).code(0).stdout;
    assert!(listed.contains("job_"), "{listed}");
    let state: Value = serde_json::from_str(&std::fs::read_to_string(elsewhere).expect("the state")).expect("JSON");
    assert!(state.is_object());
}

#[test]
fn without_being_asked_the_state_is_beside_the_store_file_and_found_from_below() {
    let store = Store::from_example("boutique");
    let run = |arguments: &[&str], folder: &str| {
        let output = store.command(arguments).env_remove("STOREGEN_STATE").current_dir(store.path(folder)).output();
        crate::store::Run::new(arguments.join(" "), output.expect("the program starts")).code(0)
    };
    let record = run(&["generate", "store.yaml", "--json", "--quiet"], "").json();
    let listed = run(&["status", "--json"], "catalog").json();
    assert_eq!(listed[0]["job_id"], record["job_id"]);
}
