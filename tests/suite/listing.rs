//! Listings and search in a real browser: facets, orders, the address, the keyboard, slips of the pen, no scripts.

use crate::browser::{Driver, console_errors, runtime, served_boutique, until, value_of};
use crate::pages;
use fantoccini::{Client, Locator};
use scraper::Html;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// Addresses of the products on show.
const SHOWN: &str = "[...document.querySelectorAll('[data-results] .card-name a')].map((link) => link.pathname)";
/// How many the page says there are.
const SAID: &str = "parseInt(document.querySelector('[data-status]').textContent, 10)";

fn set(value: &Value) -> BTreeSet<String> {
    let links = value.as_array().expect("a list").iter();
    links.map(|link| link.as_str().expect("a path").to_string()).collect()
}

/// The products that the pages of a listing have, read from its files.
fn products_of(output: &Path, folder: &str) -> BTreeSet<String> {
    let pages = pages::html_files(output).into_iter().filter(|file| file.starts_with(folder));
    pages
        .flat_map(|file| {
            let document = Html::parse_document(&std::fs::read_to_string(output.join(file)).expect("a page"));
            let links = pages::select(".cards .card-name a");
            document.select(&links).filter_map(|link| link.value().attr("href")).map(str::to_string).collect::<Vec<_>>()
        })
        .collect()
}

async fn choose(client: &Client, facet: &str, value: &str) {
    let control = format!("input[name={facet}][value={value}]");
    until(client, &format!("document.querySelector('{control}')?.checkVisibility()")).await;
    // The page scrolls smoothly, and a click on the way would miss.
    let into_view =
        format!("document.querySelector('{control}').scrollIntoView({{ block: 'center', behavior: 'instant' }})");
    value_of(client, &into_view).await;
    client.find(Locator::Css(&control)).await.expect("the facet").click().await.expect("it can be ticked");
}

async fn open(client: &Client, page: &url::Url, path: &str) {
    client.goto(page.join(path).expect("an address").as_str()).await.expect("the page loads");
}

#[test]
fn facets_narrow_the_list_and_live_in_the_address() {
    let (store, base) = served_boutique();
    let round = products_of(&store.output(), "shapes/round/");
    let for_hearts = products_of(&store.output(), "face-shapes/heart/");
    assert!(round.len() > 3 && for_hearts.len() > 3);
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "products/").await;
        let served = value_of(&client, SHOWN).await;

        until(&client, "document.querySelector('input[name=shape][value=round]')").await;
        let promised = value_of(
            &client,
            "document.querySelector('input[name=shape][value=round]').parentNode.querySelector('.facet-count').textContent",
        )
        .await;
        assert_eq!(promised, json!(round.len().to_string()));
        choose(&client, "shape", "round").await;
        until(&client, &format!("{SAID} === {}", round.len())).await;
        until(&client, &format!("{SHOWN}.length === {}", round.len())).await;
        assert_eq!(set(&value_of(&client, SHOWN).await), round);
        assert_eq!(value_of(&client, "location.search").await, json!("?shape=round"));

        choose(&client, "face", "heart").await;
        let both: BTreeSet<String> = round.intersection(&for_hearts).cloned().collect();
        until(&client, &format!("{SAID} === {}", both.len())).await;
        until(&client, &format!("{SHOWN}.length === {}", both.len())).await;
        assert_eq!(set(&value_of(&client, SHOWN).await), both);

        // Two values of one facet add up, and an address opened afresh shows what it showed before.
        choose(&client, "shape", "oval").await;
        let ovals = products_of(&store.output(), "shapes/oval/");
        let wider: BTreeSet<String> = round.union(&ovals).filter(|path| for_hearts.contains(*path)).cloned().collect();
        until(&client, &format!("location.search.includes('oval') && {SHOWN}.length === {}", wider.len())).await;
        let address = client.current_url().await.expect("an address");
        assert_eq!(address.query(), Some("face=heart&shape=oval,round"));
        client.goto(address.as_str()).await.expect("the page loads");
        until(&client, &format!("{SHOWN}.length === {}", wider.len())).await;
        assert_eq!(set(&value_of(&client, SHOWN).await), wider);
        until(&client, "document.querySelector('input[name=face][value=heart]')?.checked").await;

        client.back().await.expect("back");
        until(&client, &format!("{SHOWN}.length === {}", both.len())).await;
        // Where it stands after going back may be below the header, which stays in the window.
        value_of(&client, "document.querySelector('.pill-clear').scrollIntoView({ block: 'center', behavior: 'instant' })").await;
        client.find(Locator::Css(".pill-clear")).await.expect("a way out").click().await.expect("it can be pressed");
        until(&client, "location.search === '' && document.querySelectorAll('input[name]:checked').length === 0").await;
        until(&client, &format!("{SHOWN}.length === {}", served.as_array().expect("a list").len())).await;
        assert_eq!(value_of(&client, SHOWN).await, served);
        assert_eq!(console_errors(&client).await, Vec::<String>::new());
        client.close().await.expect("the window closes");
    });
}

#[test]
fn an_empty_result_leads_to_what_is_nearly_one() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "products/?brand=tolland&gender=kids").await;
        until(&client, "document.querySelector('.empty h2')?.textContent === 'No frames found'").await;
        let offered = value_of(&client, "document.querySelector('.near button').textContent").await;
        let offered = offered.as_str().expect("a text").to_string();
        let count: usize = offered.split(' ').next().expect("a number").parse().expect("a number");
        assert!(count > 0 && offered.contains(" without “"), "{offered}");
        client.execute("document.querySelector('.near button').click()", Vec::new()).await.expect("clicked");
        until(&client, &format!("document.querySelectorAll('[data-results] .card').length === {count}")).await;
        // An old link to what the shop has no more is a link to the rest of what it says.
        open(&client, &base, "products/?brand=gone,tolland&colour=plaid&utm_source=mail").await;
        until(&client, "new URL(location).search === '?brand=tolland'").await;
        until(&client, "document.querySelectorAll('.pill').length === 1").await;
        assert_eq!(console_errors(&client).await, Vec::<String>::new());
        client.close().await.expect("the window closes");
    });
}

#[test]
fn orders_and_pages_go_over_the_whole_listing() {
    let (store, base) = served_boutique();
    let all = products_of(&store.output(), "products/");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "products/?sort=price-desc").await;
        let texts = "[...document.querySelectorAll('[data-results] [data-price]')].map((price) => parseFloat(price.textContent.replace(/[^0-9.]/g, '')))";
        // The page comes in the store's own order.
        until(&client, &format!("{texts}.every((price, at, all) => at === 0 || all[at - 1] >= price)")).await;
        let mut seen = BTreeSet::new();
        let mut prices = Vec::new();
        loop {
            let page = value_of(&client, SHOWN).await;
            seen.extend(set(&page));
            prices.extend(value_of(&client, texts).await.as_array().expect("prices").iter().filter_map(Value::as_f64));
            let next = "document.querySelector('[data-results] a[rel=next]')";
            if value_of(&client, &format!("{next} === null")).await == true {
                break;
            }
            client.execute(&format!("{next}.click()"), Vec::new()).await.expect("the next page");
            until(&client, &format!("JSON.stringify({SHOWN}) !== JSON.stringify({page}) && !document.querySelector('[data-results]').hasAttribute('aria-busy')")).await;
        }
        assert_eq!(seen, all);
        assert!(prices.len() == all.len() && prices.is_sorted_by(|a, b| a >= b), "{prices:?}");
        client.close().await.expect("the window closes");
    });
}

#[test]
fn filters_can_be_used_by_touch_and_by_keyboard_alone() {
    let (store, base) = served_boutique();
    let round = products_of(&store.output(), "shapes/round/");
    let driver = Driver::start();
    runtime().block_on(async {
        let phone = driver.window(360, true).await;
        open(&phone, &base, "products/").await;
        phone.find(Locator::Css(".filter-button")).await.expect("the button").click().await.expect("it opens");
        choose(&phone, "shape", "round").await;
        until(&phone, &format!("{SAID} === {}", round.len())).await;
        phone.find(Locator::Css("[data-apply]")).await.expect("a way back").click().await.expect("it closes");
        until(&phone, "!document.querySelector('[data-filters]').checkVisibility()").await;
        // What lies over the page is closed when the keyboard leaves it, so that it never moves about behind it.
        for (opener, pane, last) in
            [(".filter-button", "#filters", "[data-apply]"), (".menu-button", "#menu", "li:last-child a")]
        {
            phone.find(Locator::Css(opener)).await.expect("the button").click().await.expect("it opens");
            until(&phone, &format!("document.querySelector('{pane}:popover-open')")).await;
            let last = phone.find(Locator::Css(&format!("{pane} {last}"))).await.expect("the last stop");
            last.send_keys("\u{e004}").await.expect("Tab");
            until(&phone, &format!("!document.querySelector('{pane}:popover-open')")).await;
            let is_on_page =
                format!("document.activeElement !== document.body && !document.activeElement.closest('{pane}')");
            assert_eq!(value_of(&phone, &is_on_page).await, json!(true), "{pane}");
        }
        assert_eq!(value_of(&phone, "document.documentElement.scrollWidth").await, json!(360));
        phone.close().await.expect("the window closes");

        let desk = driver.window(1280, true).await;
        open(&desk, &base, "products/").await;
        until(&desk, "document.querySelector('input[name=shape][value=round]')").await;
        let mut stops = 0;
        while value_of(&desk, "document.activeElement.value ?? ''").await != json!("round")
            || value_of(&desk, "document.activeElement.name ?? ''").await != json!("shape")
        {
            desk.active_element().await.expect("a focus").send_keys("\u{e004}").await.expect("Tab");
            stops += 1;
            assert!(stops < 80, "the facet is never reached");
        }
        desk.active_element().await.expect("a focus").send_keys(" ").await.expect("Space");
        until(&desk, &format!("{SHOWN}.length === {}", round.len())).await;
        assert_eq!(value_of(&desk, "document.activeElement.value").await, json!("round"), "the focus stays");
        // A pill that is taken off is gone; the keyboard goes on beside it, not at the beginning of the page.
        for control in [".pill", ".pill-clear"] {
            if value_of(&desk, "document.querySelector('.pill') === null").await == json!(true) {
                choose(&desk, "shape", "round").await;
                until(&desk, "document.querySelector('.pill')").await;
            }
            desk.find(Locator::Css(control)).await.expect("a way back").send_keys("\u{e007}").await.expect("Enter");
            until(&desk, "!document.querySelector('.pill') && document.activeElement.matches('[data-results]')").await;
        }
        desk.close().await.expect("the window closes");
    });
}

#[test]
fn a_listing_of_a_brand_keeps_to_it() {
    let (store, base) = served_boutique();
    let brand = products_of(&store.output(), "brands/ikuto-works/");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "brands/ikuto-works/?sort=name").await;
        until(&client, &format!("{SHOWN}.length === {}", brand.len())).await;
        assert_eq!(set(&value_of(&client, SHOWN).await), brand);
        assert_eq!(value_of(&client, "document.querySelectorAll('input[name=brand]').length").await, json!(0));
        client.close().await.expect("the window closes");
    });
}

/// Names of the frames that a query finds, best first.
async fn found(client: &Client, base: &url::Url, query: &str) -> Vec<String> {
    let mut address = base.join("search/").expect("an address");
    address.query_pairs_mut().append_pair("q", query);
    client.goto(address.as_str()).await.expect("the page loads");
    until(client, "document.querySelector('[data-status]').textContent !== '' && !document.querySelector('[data-results]').hasAttribute('aria-busy')").await;
    let names = value_of(
        client,
        "[...document.querySelectorAll('[data-results] [data-name]')].map((name) => name.textContent)",
    )
    .await;
    names.as_array().expect("names").iter().map(|name| name.as_str().expect("a name").to_string()).collect()
}

#[test]
fn search_forgives_slips_and_knows_synonyms() {
    let (store, base) = served_boutique();
    let cat_eyes = products_of(&store.output(), "shapes/cat-eye/");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        assert_eq!(found(&client, &base, "penrose").await[0], "Penrose");
        assert_eq!(
            value_of(&client, "document.querySelector('[data-results] mark').textContent").await,
            json!("Penrose")
        );
        for slip in ["penrsoe", "penrosse", "pemrose", "ePnrose"] {
            assert_eq!(found(&client, &base, slip).await.first().map(String::as_str), Some("Penrose"), "{slip}");
        }
        for query in ["cateye", "cat eye", "Cat-Eye"] {
            found(&client, &base, query).await;
            let shown = set(&value_of(&client, SHOWN).await);
            assert!(cat_eyes.is_subset(&shown), "{query}: {shown:?}");
        }
        assert!(!found(&client, &base, "clear").await.is_empty(), "crystal is clear");
        assert_eq!(found(&client, &base, "qzxvkwpj").await, Vec::<String>::new());
        assert!(
            value_of(&client, "document.querySelector('[data-results]').innerText")
                .await
                .as_str()
                .is_some_and(|text| text.contains("No frames"))
        );

        // Filters work on what was found.
        let all = found(&client, &base, "acetate").await.len();
        choose(&client, "shape", "cat-eye").await;
        until(&client, &format!("{SAID} > 0 && {SAID} < {all} && location.search.includes('shape=cat-eye')")).await;
        assert_eq!(console_errors(&client).await, Vec::<String>::new());
        client.close().await.expect("the window closes");
    });
}

#[test]
fn the_search_field_suggests_and_is_worked_by_keys() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "").await;
        until(&client, "document.querySelector('.card[data-dressed]') !== null").await;
        let body = client.find(Locator::Css("body")).await.expect("the page");
        body.send_keys("/").await.expect("the short cut");
        assert_eq!(value_of(&client, "document.activeElement.id").await, json!("search-box"));
        client.execute("document.activeElement.blur()", Vec::new()).await.expect("the focus goes");
        body.send_keys("\u{e009}k").await.expect("the other short cut");
        assert_eq!(value_of(&client, "document.activeElement.id").await, json!("search-box"));
        let field = client.find(Locator::Id("search-box")).await.expect("the field");
        field.send_keys("penro").await.expect("typed");
        until(&client, "document.querySelectorAll('.suggestion-product').length > 0").await;
        field.send_keys("\u{e015}").await.expect("Down");
        until(&client, "document.querySelector('#search-box').getAttribute('aria-activedescendant') !== null").await;
        field.send_keys("\u{e00c}").await.expect("Escape");
        until(&client, "document.querySelector('.suggestions').hidden").await;
        field.send_keys("se").await.expect("typed");
        until(&client, "!document.querySelector('.suggestions').hidden").await;
        field.send_keys("\u{e015}").await.expect("Down");
        field.send_keys("\u{e007}").await.expect("Enter");
        until(&client, "location.pathname === '/products/penrose/'").await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn the_browser_and_the_index_agree_on_words() {
    let (store, base) = served_boutique();
    let module = crate::store::tree_of(&store.output()).into_keys().find(|path| path.ends_with("/words.js"));
    let module = base.join(&module.expect("the module")).expect("an address");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "contact/").await;
        let cases: Value = serde_json::from_str(include_str!("../words.json")).expect("cases");
        let script = "const [address, cases, done] = arguments; import(address).then((words) => done(cases.map(({ text }) => words.wordsOf(text))), (error) => done(String(error)));";
        let folded = client.execute_async(script, vec![json!(module.as_str()), cases.clone()]).await.expect("asked");
        for (case, folded) in cases.as_array().expect("cases").iter().zip(folded.as_array().expect("words")) {
            assert_eq!(&case["words"], folded, "{}", case["text"]);
        }
        client.close().await.expect("the window closes");
    });
}

#[test]
fn a_remembered_face_marks_frames_and_offers_an_order() {
    let (store, base) = served_boutique();
    let for_hearts = products_of(&store.output(), "face-shapes/heart/");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "products/").await;
        value_of(&client, "localStorage.setItem('store:/:face', '[\"heart\"]')").await;
        open(&client, &base, "products/").await;
        until(&client, "document.querySelectorAll('.card-suits').length > 0").await;
        let marked = "[...document.querySelectorAll('.card:has(.card-suits) .card-name a')].map((link) => link.pathname)";
        let marked = set(&value_of(&client, marked).await);
        let shown = set(&value_of(&client, SHOWN).await);
        assert_eq!(marked, shown.intersection(&for_hearts).cloned().collect());
        until(&client, "document.querySelector('[data-sort] option[value=face]')").await;
        let order = client.find(Locator::Css("[data-sort]")).await.expect("orders");
        order.select_by_value("face").await.expect("the order of the face");
        until(&client, "location.search === '?sort=face' && document.querySelectorAll('.card:not(:has(.card-suits))').length === 0").await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn without_scripts_nothing_is_offered_that_needs_them() {
    let (store, base) = served_boutique();
    let all = products_of(&store.output(), "products/");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, false).await;
        let mut seen = BTreeSet::new();
        let mut page = base.join("products/").expect("an address");
        loop {
            client.goto(page.as_str()).await.expect("the page loads");
            for control in [".filter-button", "[data-sort]", "[data-filters]", ".search-link"] {
                let found = client.find(Locator::Css(control)).await.expect("it is there");
                assert!(!found.is_displayed().await.expect("asked"), "{control}");
            }
            for link in client.find_all(Locator::Css(".cards .card-name a")).await.expect("cards") {
                seen.insert(link.attr("href").await.expect("asked").expect("a link"));
            }
            let Ok(next) = client.find(Locator::Css("a[rel=next]")).await else { break };
            page = base.join(&next.attr("href").await.expect("asked").expect("a link")).expect("an address");
        }
        assert_eq!(seen, all);
        client.close().await.expect("the window closes");
    });
}
