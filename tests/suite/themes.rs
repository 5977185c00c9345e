//! Themes: listed, shown, copied and changed; and what is said of those that are not sound.

use crate::pages::select;
use crate::store::{CONFIG, Store, assert_same_tree, tree_of};
use scraper::Html;
use std::collections::BTreeSet;

const THEMES: [&str; 3] = ["modern-minimal", "eyewear-focused", "classic-optician"];

/// A store of two frames in a theme.
fn store(theme: &str) -> Store {
    let products = "{\"_id\":1,\"name\":\"Alma\",\"price\":90,\"active\":true,\"in_stock\":true,\"frame_shape\":\"round\"}\n\
                    {\"_id\":2,\"name\":\"Tova\",\"price\":95,\"active\":true,\"in_stock\":true,\"frame_shape\":\"square\"}\n";
    Store::new(&format!("{CONFIG}theme: {theme}\n")).file("catalog/products.jsonl", products)
}

#[test]
fn each_theme_is_a_shop_of_its_own() {
    let mut looks = BTreeSet::new();
    for theme in THEMES {
        let store = Store::from_example("boutique")
            .edit(|text| text.replace("theme: modern-minimal", &format!("theme: {theme}")));
        store.generated(&[]);
        let home = store.page("index.html");
        let page = Html::parse_document(&home);
        assert_eq!(page.select(&select("h1")).count(), 1, "{theme}");
        let order: Vec<String> = page.select(&select("main h2")).map(|heading| heading.text().collect()).collect();
        let sheet = page.select(&select("link[rel=stylesheet]")).next().expect("a stylesheet");
        let sheet = store.page(sheet.attr("href").expect("an address").trim_start_matches('/'));
        looks.insert((order, sheet.len()));
        for font in page.select(&select("link[rel=preload]")) {
            let font = font.attr("href").expect("an address").trim_start_matches('/');
            assert!(store.output().join(font).is_file(), "{theme}: {font}");
            assert!(sheet.contains(font.trim_start_matches("assets/")), "{theme}: {font} is not used");
        }
        for folder in ["products", "face-shapes/heart", "products/penrose"] {
            let page = store.page(&format!("{folder}/index.html"));
            assert!(page.contains("Lantern Street Eyewear"), "{theme}: {folder}");
        }
    }
    assert_eq!(looks.len(), THEMES.len());
}

#[test]
fn themes_are_listed_and_shown() {
    let store = Store::new("");
    let list = store.run(&["themes"]).code(0);
    for theme in THEMES {
        assert!(list.stdout.contains(theme), "{}", list.stdout);
        let shown = store.run(&["themes", "show", theme, "--json"]).code(0).json();
        assert_eq!(shown["name"], theme);
        assert!(
            shown["files"].as_array().is_some_and(|files| files.iter().any(|file| file == "theme.yaml")),
            "{shown}"
        );
    }
    let shown = store.run(&["themes", "show", "eyewear-focused"]).code(0);
    assert!(shown.stdout.contains("columns") && shown.stdout.contains("a number from 2 to 4"), "{}", shown.stdout);
    store.run(&["themes", "show", "glitter"]).code(2).says("there is no theme `glitter`; use `modern-minimal`");
}

#[test]
fn an_ejected_theme_makes_the_same_store_and_a_changed_partial_only_what_it_should() {
    for theme in THEMES {
        let store = store(theme);
        store.generated(&[]);
        let built_in = store.tree();
        store.run(&["themes", "eject", theme, "theme"]).code(0);
        let store = store.edit(|text| text.replace(&format!("theme: {theme}"), "theme: ./theme"));
        store.generated(&[]);
        let ejected = store.tree();
        assert_same_tree(&built_in, &ejected, theme);

        let before: Vec<(String, String)> = html_of(&store);
        let card = store.path("theme/templates/fragments/card.hbs");
        let text = std::fs::read_to_string(&card).expect("the card").replacen("<li ", "<li data-changed ", 1);
        std::fs::write(card, text).expect("changed");
        store.generated(&[]);
        for ((path, before), (same_path, after)) in before.into_iter().zip(html_of(&store)) {
            assert_eq!(path, same_path);
            assert_eq!(after.replace("<li data-changed ", "<li "), before, "{theme}: {path}");
            let cards = before.matches("<li class=\"card").count();
            assert_eq!(after.matches("<li data-changed ").count(), cards, "{theme}: {path}");
        }
    }
}

/// Every HTML file of a store with its text.
fn html_of(store: &Store) -> Vec<(String, String)> {
    let paths = store.tree().into_keys().filter(|path| path.ends_with(".html"));
    paths.map(|path| (path.clone(), store.page(&path))).collect()
}

#[test]
fn single_files_are_ejected_and_nothing_is_written_over() {
    let store = store("classic-optician");
    store.generated(&[]);
    let built_in = store.tree();
    store.run(&["themes", "eject", "classic-optician", "theme", "fragments/card", "assets/look.css"]).code(0);
    let files: Vec<String> = tree_of(&store.path("theme")).into_keys().collect();
    assert_eq!(files, ["assets/look.css", "templates/fragments/card.hbs", "theme.yaml"]);
    let store = store.edit(|text| text.replace("theme: classic-optician", "theme: ./theme"));
    store.generated(&[]);
    assert_same_tree(&built_in, &store.tree(), "the rest comes from the theme that it extends");
    store
        .run(&["themes", "eject", "classic-optician", "theme"])
        .code(2)
        .says("is there already and is not written over");
    store
        .run(&["themes", "eject", "classic-optician", "other", "fragments/crad"])
        .code(2)
        .says("`templates/fragments/card.hbs`");
    assert!(!store.path("other").exists());
}

#[test]
fn a_theme_that_is_not_sound_is_told_with_its_line_and_the_old_store_stays() {
    let store = store("./theme").file("theme/theme.yaml", "settings:\n  note: {type: text, default: ''}\n");
    store.generated(&[]);
    let before = store.tree();
    let good = "settings:\n  note: {type: text, default: ''}\n";
    let faults = [
        ("templates/pages/about.hbs", "<h1>\n{{#if heading}}\n", "templates/pages/about.hbs:"),
        ("templates/pages/about.hbs", "<h1>\n{{headign}}", "templates/pages/about.hbs:2:"),
        (
            "templates/pages/about.hbs",
            "\n {{settings.nothing}}",
            "templates/pages/about.hbs:2:2: there is no setting `nothing`",
        ),
        (
            "templates/pages/about.hbs",
            "{{> fragments/crad}}",
            "templates/pages/about.hbs:1:1: there is no partial `fragments/crad`",
        ),
        (
            "templates/pages/about.hbs",
            "{{words.hoome}}",
            "templates/pages/about.hbs:1:1: there are no words `hoome`, did you mean `home`?",
        ),
        ("templates/pages/aboot.hbs", "", "did you mean `templates/pages/about.hbs`?"),
        (
            "templates/fragments/card.hbs",
            "a\n{{> fragments/card}}",
            "templates/fragments/card.hbs:2:1: the partial `fragments/card` includes itself without end",
        ),
        ("theme.yaml", "settings:\n  note: {type: txet, default: ''}\n", "theme.yaml:2:"),
        (
            "theme.yaml",
            "settings:\n  note: {type: number, default: x}\n",
            "theme.yaml:2:1: the setting `note` has a default that is not a number",
        ),
        ("theme.yaml", "stylesheets: [mine.css]\n", "there is no `assets/mine.css`"),
    ];
    for (file, text, told) in faults {
        store.write(format!("theme/{file}"), text);
        store
            .generate(&["--quiet"])
            .code(if told.contains(".hbs:2:") && text.contains("headign") { 1 } else { 2 })
            .says(told);
        assert_same_tree(&before, &store.tree(), told);
        std::fs::remove_file(store.path(format!("theme/{file}"))).expect("removed");
        store.write("theme/theme.yaml", good);
    }
}

#[test]
fn settings_are_checked_at_their_line() {
    let with = |settings: &str| store(&format!("eyewear-focused\ntheme_settings:{settings}"));
    let good = with("\n  notice: 'Closed <today> {{now}}'\n  columns: 2");
    good.generated(&[]);
    let home = good.page("index.html");
    assert!(home.contains("<p class=\"notice\">Closed &lt;today&gt; &#123;&#123;now}}</p>"), "{home}");
    with("\n  notise: x").generate(&[]).code(2).says("store.yaml:9:11").says("did you mean `notice`?");
    with("\n  columns: 9").generate(&[]).code(2).says("store.yaml:9:").says("must be a number from 2 to 4");
    with(" {hero: colour}").generate(&[]).code(2).says("did you mean `color`?");
    with(" loud").generate(&[]).code(2).says("`theme_settings` must be a block of keys");
}
