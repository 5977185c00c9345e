//! Publishing over an old store with foreign files, and pulling the plug at every step of it.

use super::*;
use crate::site::{Made, Memory, Output, recover};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::process::Command;

const OLD: &[(&str, &str)] = &[
    ("index.html", "old home"),
    ("same.html", "same"),
    ("gone/index.html", "gone"),
    ("a", "a file"),
    ("b/c", "in a folder"),
];
const NEW: &[(&str, &str)] = &[
    ("index.html", "new home"),
    ("same.html", "same"),
    ("new/index.html", "new"),
    ("a/x", "now a folder"),
    ("b", "now a file"),
];
const FOREIGN: &[(&str, &str)] = &[("CNAME", "shop.example"), (".git/HEAD", "ref"), ("gone/notes.txt", "mine")];

/// A folder with a shop in it: `shop/store` is the output, `state` holds the journal.
struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("shop")).unwrap();
        Self { folder }
    }

    fn with_old_store() -> Self {
        let shop = Self::new();
        shop.publish(OLD, Way::Exchange, Placement::Beside).unwrap();
        for (path, text) in FOREIGN {
            let path = shop.store().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir(shop.store().join("empty")).unwrap();
        symlink("/etc", shop.store().join("link")).unwrap();
        shop
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("shop/store")
    }

    fn publish(&self, files: &[(&str, &str)], way: Way, placement: Placement) -> anyhow::Result<Published> {
        publish(self.folder.path(), files, way, placement, &mut |_| Ok(()))
    }

    fn recover(&self) -> Vec<crate::site::Recovered> {
        recover(&self.folder.path().join("state/publish")).unwrap()
    }

    /// Everything in the store by path, links as `-> target`; the manifest left out.
    fn contents(&self) -> BTreeMap<String, String> {
        let mut contents = BTreeMap::new();
        for entry in walkdir::WalkDir::new(self.store()).min_depth(1) {
            let entry = entry.unwrap();
            let path = entry.path().strip_prefix(self.store()).unwrap().to_str().unwrap().to_string();
            if entry.path_is_symlink() {
                contents.insert(path, format!("-> {}", fs::read_link(entry.path()).unwrap().display()));
            } else if entry.file_type().is_file() && path != MANIFEST {
                contents.insert(path, fs::read_to_string(entry.path()).unwrap());
            }
        }
        contents
    }

    fn assert_no_leftovers(&self) {
        let names = |folder: PathBuf| -> Vec<String> {
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        assert_eq!(names(self.folder.path().join("shop")), ["store"]);
        assert!(names(self.folder.path().join("state/publish")).is_empty());
        assert!(!names(self.store()).iter().any(|name| name.starts_with(".storegen-")));
    }
}

fn publish(
    folder: &Path,
    files: &[(&str, &str)],
    way: Way,
    placement: Placement,
    at: &mut Checkpoint,
) -> anyhow::Result<Published> {
    let mut output = Output::claim(&folder.join("shop/store"), &[], false)?;
    output.placement = placement;
    let ledger = folder.join("state/ledger");
    let memory = Memory { path: &ledger, make_anew: false };
    let staging = output.stage(&folder.join("state/publish"), "job_0123456789ab", Some(memory))?;
    for (path, text) in files {
        staging.write(path, text.as_bytes())?;
    }
    Ok(staging.publish_by(Some(way), None, at)?.0)
}

fn expected(store: &[(&str, &str)]) -> BTreeMap<String, String> {
    let files = store.iter().chain(FOREIGN).chain(&[("link", "-> /etc")]);
    files.map(|(path, text)| ((*path).to_string(), (*text).to_string())).collect()
}

const WAYS: [(Way, Placement); 4] = [
    (Way::Exchange, Placement::Beside),
    (Way::Swap, Placement::Beside),
    (Way::FileByFile, Placement::Beside),
    (Way::FileByFile, Placement::Inside),
];

#[test]
fn the_new_store_replaces_the_old_and_foreign_files_stay() {
    for (way, placement) in WAYS {
        let shop = Shop::with_old_store();
        let before = fs::metadata(shop.store().join("same.html")).unwrap();
        let published = shop.publish(NEW, way, placement).unwrap();
        assert_eq!(shop.contents(), expected(NEW), "{way:?} {placement:?}");
        assert_eq!((published.files, published.added, published.changed, published.removed), (5, 3, 1, 3));
        assert!(shop.store().join("empty").is_dir());
        let after = fs::metadata(shop.store().join("same.html")).unwrap();
        assert_eq!((before.mtime(), before.mtime_nsec()), (after.mtime(), after.mtime_nsec()));
        assert_eq!(after.nlink(), 1);
        shop.assert_no_leftovers();

        let again = shop.publish(NEW, way, placement).unwrap();
        assert_eq!((again.added, again.changed, again.removed), (0, 0, 0));
        assert_eq!(shop.contents(), expected(NEW));
        shop.assert_no_leftovers();
    }
}

#[test]
fn foreign_files_in_the_way_are_named_and_the_old_store_stays() {
    for (way, placement) in WAYS {
        for (path, planned) in [("CNAME", "CNAME"), ("gone/notes.txt", "gone"), ("link", "link/x"), ("empty", "empty")]
        {
            let shop = Shop::with_old_store();
            let error = format!("{:#}", shop.publish(&[(planned, "x")], way, placement).unwrap_err());
            assert!(error.contains(&format!("`{path}`")), "{error}");
            assert_eq!(shop.contents(), expected(OLD));
            shop.assert_no_leftovers();
        }
    }
}

#[test]
fn a_file_edited_by_hand_is_written_again() {
    let shop = Shop::with_old_store();
    fs::write(shop.store().join("same.html"), "sane").unwrap();
    shop.publish(OLD, Way::Exchange, Placement::Beside).unwrap();
    assert_eq!(shop.contents(), expected(OLD));
}

#[test]
fn no_path_is_written_twice_and_a_dropped_tree_leaves_nothing() {
    let shop = Shop::with_old_store();
    let error = shop.publish(&[("x", "1"), ("x", "2")], Way::Exchange, Placement::Beside).unwrap_err();
    assert!(format!("{error:#}").contains("two files of the store want the path `x`"), "{error:#}");
    assert_eq!(shop.contents(), expected(OLD));
    shop.assert_no_leftovers();
}

#[test]
fn what_was_made_from_the_same_is_kept_with_what_it_needs_and_in_pieces() {
    let shop = Shop::new();
    let (journal, ledger) = (shop.folder.path().join("state/publish"), shop.folder.path().join("state/ledger"));
    let stage = |job: &str| {
        let memory = Memory { path: &ledger, make_anew: false };
        Output::claim(&shop.store(), &[], false).unwrap().stage(&journal, job, Some(memory)).unwrap()
    };
    let (page, other, head, entry) = ([1; 16], [2; 16], [3; 16], [4; 16]);
    let first = stage("job_1");
    first.write("drawing.svg", b"drawing").unwrap();
    let needs = vec!["drawing.svg".to_string()];
    first.write_made("page.html", b"page", Made { from: Some(page), needs, ..Made::default() }).unwrap();
    let pieces = vec![(head, 2), (entry, 3)];
    first.write_made("feed.xml", "ä<b>".as_bytes(), Made { pieces, ..Made::default() }).unwrap();
    first.publish(None).unwrap();

    let second = stage("job_2");
    assert!(!second.keep("page.html", other) && !second.keep("new.html", page) && second.keep("page.html", page));
    let pieces = second.pieces("feed.xml").unwrap();
    assert_eq!((pieces.get(&entry), pieces.get(&head), pieces.get(&page)), (Some("<b>"), Some("ä"), None));
    assert!(second.pieces("page.html").is_none() && second.pieces("new.html").is_none());
    second.write("feed.xml", b"other").unwrap();
    second.write("b.html", b"new").unwrap();
    second.publish(None).unwrap();
    let names: Vec<String> = shop.contents().into_keys().collect();
    assert_eq!(names, ["b.html", "drawing.svg", "feed.xml", "page.html"]);

    // The page's companion stands at another place in the ledger now, and is still known as such.
    assert!(stage("job_3").keep("page.html", page));
    fs::write(shop.store().join("drawing.svg"), "mine").unwrap();
    let fourth = stage("job_4");
    assert!(!fourth.keep("page.html", page));
    assert!(fourth.pieces("feed.xml").is_none(), "it was not written in pieces");
}

#[test]
fn two_runs_do_not_write_to_one_folder() {
    let shop = Shop::with_old_store();
    let journal = shop.folder.path().join("state/publish");
    let first = Output::claim(&shop.store(), &[], false).unwrap().stage(&journal, "job_1", None).unwrap();
    let second = Output::claim(&shop.store(), &[], false).unwrap().stage(&journal, "job_2", None);
    assert!(format!("{:#}", second.err().unwrap()).contains("another run"));
    assert_eq!(shop.recover(), [], "the living run was touched");
    first.write("index.html", b"first").unwrap();
    first.publish(None).unwrap();
    assert_eq!(shop.contents().get("index.html").unwrap(), "first");
}

#[test]
fn a_file_that_arrives_during_the_exchange_is_saved() {
    for way in [Way::Exchange, Way::Swap] {
        let shop = Shop::with_old_store();
        let late = shop.store().join("late/file.txt");
        publish(shop.folder.path(), NEW, way, Placement::Beside, &mut |moment| {
            if moment == Moment::Carried {
                fs::create_dir(late.parent().unwrap())?;
                fs::write(&late, "late")?;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(fs::read_to_string(&late).unwrap(), "late");
    }
}

#[test]
fn an_error_at_any_step_leaves_a_whole_store() {
    for (way, placement) in WAYS {
        for step in 0.. {
            let shop = Shop::with_old_store();
            let mut left = step;
            let result = publish(shop.folder.path(), NEW, way, placement, &mut |_| match left {
                0 => bail!("stopped"),
                _ => {
                    left -= 1;
                    Ok(())
                }
            });
            shop.recover();
            let contents = shop.contents();
            assert!(
                contents == expected(OLD) || contents == expected(NEW),
                "{way:?} {placement:?} {step}: {contents:#?}"
            );
            shop.assert_no_leftovers();
            if result.is_ok() {
                break;
            }
        }
    }
}

/// Runs in a process of its own, which it ends without warning at the step that the environment names.
#[test]
#[ignore = "started by `a_process_killed_at_any_step_leaves_a_whole_store`"]
fn victim() {
    let plan = std::env::var("STOREGEN_TEST_VICTIM").unwrap();
    let mut words = plan.splitn(3, ' ');
    let mut number = || words.next().unwrap().parse::<usize>().unwrap();
    let ((way, placement), mut left) = (WAYS[number()], number());
    publish(Path::new(words.next().unwrap()), NEW, way, placement, &mut |_| {
        if left == 0 {
            std::process::abort();
        }
        left -= 1;
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_process_killed_at_any_step_leaves_a_whole_store() {
    for (position, (way, placement)) in WAYS.iter().enumerate() {
        let (mut old, mut new) = (0, 0);
        for step in 0.. {
            let shop = Shop::with_old_store();
            #[expect(clippy::disallowed_methods, reason = "a test needs a process")]
            let victim = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "site::publish::tests::victim", "--ignored", "--quiet"])
                .env("STOREGEN_TEST_VICTIM", format!("{position} {step} {}", shop.folder.path().display()))
                .output()
                .unwrap();
            let recovered = shop.recover();
            let contents = shop.contents();
            let is_new = contents == expected(NEW);
            assert!(is_new || contents == expected(OLD), "{way:?} {placement:?} {step}: {contents:#?}");
            shop.assert_no_leftovers();
            if victim.status.success() {
                assert!(is_new);
                break;
            }
            let [recovered] = &recovered[..] else { panic!("{recovered:?} at {step}") };
            assert_eq!(recovered.published, is_new, "{way:?} {placement:?} {step}");
            *(if is_new { &mut new } else { &mut old }) += 1;
            shop.publish(NEW, *way, *placement).unwrap();
            assert_eq!(shop.contents(), expected(NEW));
        }
        assert!(old > 0 && new > 0, "{way:?} {placement:?} was never interrupted on both sides");
    }
}
