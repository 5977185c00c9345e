//! What the tool keeps to itself, and what others cannot make it do: no file of its own is open to others, no path leads
//! out of the store, and neither a template nor a store file of a stranger's reaches anything.

use crate::store::{CONFIG, Store, tree_of};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// A catalogue of one frame.
fn store_with(products: &[Value]) -> Store {
    let lines: String = products.iter().map(|product| format!("{product}\n")).collect();
    Store::new(CONFIG).file("catalog/products.jsonl", lines)
}

fn frame(id: u32, name: &str) -> Value {
    json!({ "_id": id, "sku": format!("S-{id}"), "name": name, "price": 90, "active": true, "in_stock": true })
}

/// Asserts that nobody else may look into a folder of the tool's own or read a file of it.
fn assert_private(folder: &Path) {
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        let Ok(metadata) = entry.metadata() else { continue };
        seen += 1;
        let mode = metadata.permissions().mode() & 0o777;
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{} has mode {mode:o}", entry.path().display());
    }
    assert!(seen > 3, "nothing is in {}", folder.display());
}

#[test]
fn what_the_tool_keeps_is_private_even_where_everything_else_is_open() {
    let store = Store::from_example("boutique");
    let inner = store.command(&["generate", "store.yaml", "--progress", "json"]);
    let mut child = Command::new("sh")
        .args(["-c", r#"umask 0; exec "$@""#, "sh"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(store.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    for line in lines.map_while(Result::ok) {
        // While it works, and there are working files.
        if line.contains(r#""event":"started""#) && line.contains(r#""phase":"pages""#) {
            assert_private(&store.path(".storegen"));
        }
    }
    assert!(child.wait().expect("it ends").success());
    assert_private(&store.path(".storegen"));
    let page = store.output().join("index.html").metadata().expect("a page").permissions().mode();
    assert_eq!(page & 0o444, 0o444, "web servers cannot read the store");
}

#[test]
fn links_in_the_output_lead_nowhere() {
    let store = store_with(&[frame(1, "Alder"), frame(2, "Birch")]);
    store.generated(&[]);
    let home = store.output().join("index.html");
    let victim = store.path("victim");
    std::fs::create_dir_all(victim.join("products")).expect("a folder");
    std::fs::write(victim.join("notes.txt"), "mine").expect("a file");
    // The same bytes as in the store, so that nothing seems to have changed.
    std::fs::copy(&home, victim.join("index.html")).expect("a copy");
    let before = tree_of(&victim);

    std::fs::remove_file(&home).expect("removed");
    symlink(victim.join("index.html"), &home).expect("a link");
    store.generated(&["--overwrite"]);
    let is_link = home.symlink_metadata().expect("a page").file_type().is_symlink();
    assert!(!is_link, "a page of the store is a link to a file of somebody else's");
    assert_eq!(tree_of(&victim), before);

    std::fs::remove_dir_all(store.output().join("products")).expect("removed");
    symlink(victim.join("products"), store.output().join("products")).expect("a link");
    for arguments in [&[][..], &["--overwrite"], &["--full"]] {
        store.generate(arguments).code(1).says("products");
        assert_eq!(tree_of(&victim), before, "{arguments:?} wrote through a link");
    }
}

#[test]
fn names_that_climb_or_are_devices_become_harmless_paths() {
    let names = ["CON", "nul", "Aux", "com1", "LPT9.html", "..", "../../etc", "/etc/passwd", "C:\\x", ".", "PRN"];
    let mut products: Vec<Value> = names.iter().zip(1..).map(|(name, id)| frame(id, name)).collect();
    products.extend(names.iter().zip(101..).map(|(name, id)| {
        let mut product = frame(id, &format!("Frame {id}"));
        product["slug"] = json!(name);
        product["seo"] = json!({ "slug": name });
        product["brand"] = json!(name);
        product["category"] = json!(name);
        product
    }));
    let store = store_with(&products);
    store.generated(&[]);
    assert!(!store.product_slugs().is_empty());
    let devices = ["con", "prn", "aux", "nul", "com1", "lpt9"];
    for path in store.tree().into_keys() {
        for segment in path.split('/') {
            let stem = segment.split('.').next().unwrap_or_default().to_lowercase();
            assert!(!devices.contains(&stem.as_str()) && segment != "..", "{path}");
        }
    }
    let around: Vec<String> = std::fs::read_dir(store.path(""))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(around.len(), 4, "something was written beside the store: {around:?}");
}

#[test]
fn templates_read_neither_files_nor_the_environment() {
    for text in [
        "{{> ../../secret}}",
        "{{> /etc/passwd}}",
        "{{#> ../../../secret}}{{/../../../secret}}",
        "{{include \"../../secret.txt\"}}",
        "{{env \"TOKEN\"}}",
        "{{lookup @root \"env\"}}{{@root.env.TOKEN}}",
        "{{process.env.TOKEN}}",
        "{{#with (lookup this \"constructor\")}}{{this}}{{/with}}{{constructor.name}}",
    ] {
        let store = store_with(&[frame(1, "Alder")])
            .edit(|config| config + "theme: ./theme\n")
            .file("secret.txt", "s3cret-in-a-file")
            .file("theme/templates/pages/about.hbs", text)
            .env("TOKEN", "s3cret-in-the-environment");
        let run = store.generate(&[]);
        assert_ne!(run.code, Some(101), "{text}: {}", run.stderr);
        assert!(run.code != Some(0), "{text} was taken");
        assert!(run.stderr.contains("templates/pages/about.hbs"), "{text}: {}", run.stderr);
        assert!(!store.output().exists(), "{text}");
    }
}

#[test]
fn links_in_a_theme_publish_nothing() {
    let store = store_with(&[frame(1, "Alder")])
        .edit(|config| config + "theme: ./theme\n")
        .file("secret.txt", "s3cret")
        .file("theme/assets/own.txt", "own");
    symlink("../../secret.txt", store.path("theme/assets/leak.txt")).expect("a link");
    symlink("/etc", store.path("theme/assets/etc")).expect("a link");
    store.generated(&[]);
    for path in store.tree().into_keys() {
        assert!(!path.contains("leak") && !path.contains("passwd"), "{path}");
        assert!(!store.page_bytes(&path).windows(6).any(|part| part == b"s3cret"), "{path}");
    }
}

#[test]
fn a_strangers_store_file_runs_nothing() {
    let trap = "$(touch pwned) `touch pwned` | touch pwned ; touch pwned & !include secret.txt";
    let store = store_with(&[frame(1, "Alder")]).edit(|config| {
        format!("{config}site_title: {trap:?}\nstore_description: {trap:?}\ntax_note: \"$$(touch pwned)\"\n")
    });
    store.generated(&[]);
    assert!(!store.path("pwned").exists() && !store.output().join("pwned").exists());
    for line in
        ["hooks: {before: touch pwned}", "exec: touch pwned", "plugins: [./evil.so]", "catalog: !!python/object x"]
    {
        let store = store_with(&[frame(1, "Alder")]).edit(|config| format!("{config}{line}\n"));
        store.generate(&[]).code(2);
        assert!(!store.path("pwned").exists(), "{line}");
    }
}

#[test]
fn what_was_done_to_stores_is_written_down() {
    let store = store_with(&[frame(1, "Alder")]);
    let job = store.generated(&[]);
    store.generated(&["--dry-run"]);
    store.run(&["clean", "--keep", "1"]).code(0);
    store.generated(&[]);
    store.run(&["clean", "--keep", "1"]).code(0);
    let text = std::fs::read_to_string(store.path(".storegen/audit.jsonl")).expect("an audit log");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let actions: Vec<&str> = lines.iter().filter_map(|line| line["action"].as_str()).collect();
    assert_eq!(actions, ["generated", "generated", "jobs_deleted"], "{text}");
    let hash = blake3::hash(&std::fs::read(store.path("store.yaml")).expect("a store file")).to_hex().to_string();
    assert_eq!((&lines[0]["job_id"], &lines[0]["config_hash"]), (&job["job_id"], &json!(hash)));
    assert_eq!(lines[0]["output"], json!(store.output()));
    assert!(lines[0]["files"].as_u64() > Some(10) && lines[0]["by"]["pid"].is_u64(), "{text}");
    assert_eq!(lines[2]["jobs"], json!([job["job_id"]]));
}
