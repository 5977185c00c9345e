//! Every error a user can make, and what is said about it.

use super::*;

#[test]
fn show() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases: Vec<String> =
        std::fs::read_to_string("/tmp/cases.txt").unwrap().split("\n=====\n").map(String::from).collect();
    for case in cases {
        let case = case.replace("<TAB>", "\t");
        let path = folder.path().join("store.yaml");
        std::fs::write(&path, &case).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let source = Source::new(Path::new("store.yaml"), text);
        let over = Overrides::default();
        let around = Surroundings {
            file: &path,
            overrides: &over,
            environment: &|name| (name == "SET").then(|| "s3cretvalue".to_string()),
        };
        match parse(&source, &around) {
            Ok(_) => println!("OK\n{case}"),
            Err(errors) => println!("{errors}"),
        }
        println!("-----------------");
    }
    println!("{}", crate::config::schema());
}
