//! What shoppers do with scripts in a real browser: put aside, compare, choose, check the fit, and go to buy.

use crate::browser::{Driver, console_errors, runtime, serve, served_boutique, until, value_of};
use crate::store::{CONFIG, Store};
use base64::Engine;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use std::net::TcpListener;
use url::Url;

async fn open(client: &Client, base: &Url, path: &str) {
    client.goto(base.join(path).expect("an address").as_str()).await.expect("the page loads");
}

async fn click(client: &Client, selector: &str) {
    until(client, &format!("document.querySelector(`{selector}`)")).await;
    client.execute(&format!("document.querySelector(`{selector}`).click()"), Vec::new()).await.expect("a click");
}

async fn fill(client: &Client, selector: &str, text: &str) {
    let field = client.find(Locator::Css(selector)).await.expect(selector);
    field.clear().await.expect("cleared");
    field.send_keys(text).await.expect("typed");
}

async fn assert_quiet(client: &Client) {
    let errors = console_errors(client).await;
    assert!(errors.is_empty(), "{errors:?}");
}

/// Puts a frame on a list by the button of its page.
async fn put_aside(client: &Client, base: &Url, slug: &str, list: &str) {
    open(client, base, &format!("products/{slug}/")).await;
    click(client, &format!("[data-tools] [data-list={list}]")).await;
    until(client, &format!("document.querySelector('[data-tools] [data-list={list}][aria-pressed=true]')")).await;
}

#[test]
fn favourites_are_kept_shared_and_brought_up_to_date() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, true).await;
        for slug in ["penrose", "birnam"] {
            put_aside(&client, &base, slug, "heart").await;
        }
        until(&client, "document.querySelector('[data-count=favourites]').textContent === '2'").await;
        open(&client, &base, "favourites/").await;
        until(&client, "document.querySelectorAll('main .card').length === 2").await;
        click(&client, "main .card[data-slug=birnam] .card-remove").await;
        until(&client, "document.querySelectorAll('main .card').length === 1").await;
        click(&client, ".undo button").await;
        until(&client, "document.querySelector('main .card').dataset.slug === 'birnam'").await;

        open(&client, &base, "favourites/?frames=ashby,penrose,ola").await;
        until(&client, "document.querySelectorAll('main .card[data-slug]').length === 3").await;
        assert_eq!(value_of(&client, "document.querySelector('main .card [data-name]').textContent").await, "Ashby");
        assert_quiet(&client).await;

        let edit = "Object.keys(localStorage).filter((key) => key.endsWith(':favourites')).forEach((key) => localStorage.setItem(key, \
             JSON.stringify([{ slug: 'sold-long-ago', name: 'Old', price: '€1.00' }, ...JSON.parse(localStorage.getItem(key)).map((entry) => ({ ...entry, price: '€1.00' }))])))";
        client.execute(edit, Vec::new()).await.expect("edited");
        open(&client, &base, "favourites/").await;
        until(&client, "document.querySelector('[data-slug=sold-long-ago] [data-now]').textContent.includes('No longer')").await;
        until(&client, "document.querySelector('[data-slug=penrose] [data-now]').textContent.includes('from €1.00 to €')").await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn frames_are_compared_in_a_table_with_headers() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        for slug in ["penrose", "birnam"] {
            put_aside(&client, &base, slug, "compare").await;
        }
        open(&client, &base, "compare/").await;
        until(&client, "document.querySelectorAll('[data-comparison] tbody th[scope=row]').length > 5").await;
        assert_eq!(value_of(&client, "document.querySelectorAll('[data-comparison] thead th').length").await, json!(2));
        let widths = "[...document.querySelectorAll('tbody tr')].find((row) => row.cells[0].textContent === 'Lens width').innerText";
        assert_eq!(value_of(&client, widths).await, "Lens width\t48 mm\t47 mm");
        let labels = "[...document.querySelectorAll('[data-comparison] tbody th[scope=row]')].map((th) => th.textContent)";
        let labels = value_of(&client, labels).await;
        let labels: Vec<&str> = labels.as_array().expect("labels").iter().filter_map(|label| label.as_str()).collect();
        assert!(!labels.contains(&"") && ["Availability", "Shape"].iter().all(|label| labels.contains(label)), "{labels:?}");
        click(&client, "[data-differences]").await;
        until(&client, "document.querySelector('.marks-differences tr.differs')").await;
        click(&client, "thead th[data-slug=birnam] button").await;
        until(&client, "document.querySelectorAll('[data-comparison] thead th').length === 1").await;
        open(&client, &base, "compare/?frames=ashby,ola,penrose").await;
        until(&client, "document.querySelectorAll('[data-comparison] tbody th[scope=row]').length > 5").await;
        assert_eq!(value_of(&client, "document.querySelectorAll('[data-comparison] thead th').length").await, json!(3));
        assert_quiet(&client).await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn an_enquiry_names_every_frame_and_what_it_costs_now() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, true).await;
        open(&client, &base, "products/penrose/").await;
        until(&client, "document.querySelector('[data-tools] [data-list]')").await;
        click(&client, "[name=colour]:not(:checked)").await;
        fill(&client, "#quantity", "2").await;
        click(&client, "[data-buy] button").await;
        until(&client, "document.querySelector('[data-count=cart]').textContent === '2'").await;
        let chosen = "document.querySelector('[name=colour]:checked').parentElement.querySelector('bdi').textContent";
        let facts = "document.querySelector('.key-facts [data-colour]').textContent";
        until(&client, &format!("{facts} === {chosen}.trim()")).await;
        let all = value_of(&client, "document.querySelector('[data-fact=colors]').textContent").await;
        let chosen = value_of(&client, &format!("{chosen}.trim()")).await;
        assert!(all.as_str().is_some_and(|all| all.contains(chosen.as_str().expect("a colour"))), "{chosen} in {all}");
        assert!(
            client.current_url().await.expect("an address").query().is_some_and(|query| query.starts_with("colour="))
        );

        open(&client, &base, "cart/").await;
        until(&client, "document.querySelector('[data-note]').textContent.startsWith('Prices are')").await;
        let address = value_of(&client, "document.querySelector('[data-hand-over]').href").await;
        let address = Url::parse(address.as_str().expect("a link")).expect("an address");
        assert_eq!((address.scheme(), address.path()), ("mailto", "hello@lantern-street.example"));
        let (_, body) = address.query_pairs().find(|(name, _)| name == "body").expect("a body");
        for expected in ["2 × ", "Penrose", "Article number HR-", "/products/penrose/", "Total: €390.00"] {
            assert!(body.contains(expected), "no {expected} in\n{body}");
        }
        assert_quiet(&client).await;

        let edit = "Object.keys(localStorage).filter((key) => key.endsWith(':cart')).forEach((key) => \
             localStorage.setItem(key, localStorage.getItem(key).replace('\"minor\":19500', '\"minor\":100')))";
        client.execute(edit, Vec::new()).await.expect("edited");
        client.refresh().await.expect("loaded again");
        until(&client, "document.querySelector('[data-problem]').textContent.includes('from €1.00 to €195.00')").await;
        until(&client, "document.querySelector('[data-total]').textContent === '€390.00'").await;
        click(&client, "[data-clear]").await;
        until(&client, "!document.querySelector('[data-empty]').hidden").await;
        click(&client, "[data-undo] button").await;
        until(&client, "document.querySelectorAll('.cart-line').length === 1").await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn lenses_are_chosen_with_a_frame_and_counted_in() {
    let (store, base) = served_boutique();
    assert!(
        store.page("products/penrose/index.html").contains("Single vision"),
        "lenses stand in the page without scripts"
    );
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, true).await;
        open(&client, &base, "products/penrose/").await;
        until(&client, "document.querySelector('[data-tools] [data-list]')").await;
        click(&client, "[name=lenses][value='Single vision']").await;
        until(&client, "document.querySelector('[data-lens-total]').textContent === 'With Single vision: €264.00'")
            .await;
        click(&client, "[data-buy] button").await;
        click(&client, "[name=lenses][value='']").await;
        click(&client, "[data-buy] button").await;

        open(&client, &base, "cart/").await;
        until(&client, "document.querySelector('[data-note]').textContent.startsWith('Prices are')").await;
        assert_eq!(value_of(&client, "document.querySelectorAll('.cart-line').length").await, json!(2));
        assert_eq!(value_of(&client, "document.querySelector('[data-total]').textContent").await, "€459.00");
        let address = value_of(&client, "document.querySelector('[data-hand-over]').href").await;
        let address = Url::parse(address.as_str().expect("a link")).expect("an address");
        let (_, body) = address.query_pairs().find(|(name, _)| name == "body").expect("a body");
        assert!(body.contains("Single vision (+ €69.00)"), "{body}");
        assert_quiet(&client).await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn a_measure_is_held_against_every_front() {
    let (_store, base) = served_boutique();
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, true).await;
        open(&client, &base, "products/birnam/").await;
        until(&client, "document.querySelector('[data-tools] [data-list]')").await;
        let output = "document.querySelector('[data-fitting] output')";
        for (text, level) in
            [("a lot", "unclear"), ("136", "good"), ("13,2 cm", "bearable"), ("52 [] 18 - 140", "poor")]
        {
            fill(&client, "#fitting", text).await;
            click(&client, "[data-fitting] button").await;
            until(&client, &format!("{output}.dataset.level === '{level}'")).await;
        }
        let said = value_of(&client, &format!("{output}.textContent")).await;
        assert!(
            said.as_str().is_some_and(|said| said.contains("7 mm wider") && said.contains("bridge is 2 mm wider")),
            "{said}"
        );
        open(&client, &base, "products/penrose/").await;
        value_of(&client, "document.querySelector('[data-fitting]').scrollIntoView()").await;
        until(&client, &format!("{output}.dataset.level === 'bearable'")).await;
        assert_eq!(value_of(&client, "document.querySelectorAll('[data-recent] .card').length").await, json!(1));
        assert_quiet(&client).await;
        client.close().await.expect("the window closes");
    });
}

/// A picture of one colour, small enough to stand in a catalogue.
fn picture(shade: u8) -> String {
    let mut png = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(40, 30, image::Rgb([shade, 120, 90]));
    image.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(png.into_inner()))
}

fn served_shopify() -> (Store, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}/", listener.local_addr().expect("an address"));
    let config =
        CONFIG.replace("https://shop.example/", &base) + "commerce: {shopify: {domain: lumen.myshopify.com}}\n";
    let product = |id: u8, name: &str, variant: Value| {
        json!({
            "_id": id, "name": name, "price": 90, "active": true, "in_stock": true, "color": "black",
            "shopify_variant_id": variant,
            "media": { "primary_image": picture(id), "gallery_images": [picture(id + 100), picture(id + 200)] },
            "color_variants": [{ "name": "Honey", "shopify_variant_id": "4711" }, { "name": "Navy" }],
        })
    };
    let products = [product(1, "Alma", json!("gid://shopify/ProductVariant/42")), product(2, "Tova", Value::Null)];
    let lines: String = products.iter().map(|product| format!("{product}\n")).collect();
    let store = Store::new(&config).file("catalog/products.jsonl", lines);
    store.generated(&[]);
    let base = serve(store.output(), listener);
    (store, base)
}

#[test]
fn pictures_and_colours_follow_the_keyboard() {
    let (store, base) = served_shopify();
    // Shopping services are led to the colour that they show.
    assert!(store.page("feeds/products.xml").contains("/products/alma/?colour=navy</link>"));
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(1280, true).await;
        open(&client, &base, "products/alma/").await;
        until(&client, "document.querySelector('[data-tools] [data-list]')").await;
        let track = client.find(Locator::Css(".gallery-track")).await.expect("a row of pictures");
        track.send_keys(&Key::Right.to_string()).await.expect("a key");
        until(&client, "document.querySelector('.thumbs [aria-current]').hash === '#picture-1'").await;
        track.send_keys(&Key::End.to_string()).await.expect("a key");
        until(&client, "document.querySelector('.thumbs [aria-current]').hash === '#picture-2'").await;
        until(&client, "document.querySelector('.gallery-track').scrollLeft > 0").await;

        click(&client, "#picture-2 a").await;
        until(&client, "document.querySelector('dialog.zoom[open]')").await;
        // Larger and back again, without a pointer.
        let picture = client.find(Locator::Css(".zoom-picture")).await.expect("the enlarged picture");
        for (key, is_near) in [("\u{e007}", true), (" ", false), ("+", true), ("-", false)] {
            picture.send_keys(key).await.expect("a key");
            until(&client, &format!("document.querySelector('.zoom-picture.is-near') !== null === {is_near}")).await;
        }
        client.active_element().await.expect("focus").send_keys(&Key::Escape.to_string()).await.expect("a key");
        until(&client, "!document.querySelector('dialog.zoom[open]')").await;

        let drawn = "document.querySelector('#picture-0.has-drawing img[alt*=Navy]')";
        click(&client, "[name=colour][value=navy]").await;
        until(&client, drawn).await;
        open(&client, &base, "products/alma/?colour=navy").await;
        until(&client, drawn).await;
        assert_quiet(&client).await;
        client.close().await.expect("the window closes");
    });
}

#[test]
fn a_cart_becomes_an_address_of_the_shopify_shop() {
    let (store, base) = served_shopify();
    assert!(!store.page("products/tova/index.html").contains("data-buy"), "without a variant it can only be asked for");
    let driver = Driver::start();
    runtime().block_on(async {
        let client = driver.window(360, true).await;
        open(&client, &base, "products/alma/").await;
        until(&client, "document.querySelector('[data-tools] [data-list]')").await;
        for color in ["black", "honey", "honey", "navy"] {
            click(&client, &format!("[name=colour][value={color}]")).await;
            click(&client, "[data-buy] button").await;
        }
        open(&client, &base, "cart/").await;
        until(&client, "document.querySelectorAll('.cart-line').length === 3").await;
        until(&client, "[...document.querySelectorAll('[data-problem]')].some((told) => told.textContent !== '')")
            .await;
        let expected = "https://lumen.myshopify.com/cart/42:1,4711:2";
        until(&client, &format!("document.querySelector('[data-hand-over]').href === '{expected}'")).await;
        assert_eq!(value_of(&client, "document.querySelector('[data-total]').textContent").await, "€270.00");
        assert_quiet(&client).await;
        client.close().await.expect("the window closes");
    });
}
