//! Every error a user can make in a store file, and what is said about it.

use super::load::{LARGEST, parse};
use super::meaning::Surroundings;
use super::source::Source;
use super::*;
use crate::catalog::vocabulary::FaceShape;
use proptest::prelude::*;
use snapbox::IntoData;
use std::path::Path;
use std::time::Duration;

/// A file that is in order; most cases add to it from line 4 on.
const SOUND: &str = "store_name: Lumen\ncatalog:\n  uri: products.jsonl\n";

fn environment(name: &str) -> Option<String> {
    (name == "SET").then(|| "s3cret".to_string())
}

fn read_text(text: &str) -> Result<StoreConfiguration, ConfigErrors> {
    let source = Source::new(Path::new("store.yaml"), text.to_string());
    let (file, overrides) = (Path::new("/nowhere/store.yaml"), &Overrides::default());
    parse(&source, &Surroundings { file, overrides, environment: &environment })
}

/// What is said about one fault: line, column, part of the message, part of the hint.
type Told = (usize, usize, &'static str, &'static str);

/// Faults added to [`SOUND`].
const FAULTS: &[(&str, &[Told])] = &[
    // Keys.
    ("theem: x", &[(4, 1, "unknown key `theem`, did you mean `theme`?", "")]),
    ("storeName: x", &[(4, 1, "unknown key `storeName`, did you mean `store_name`?", "")]),
    ("url: x", &[(4, 1, "unknown key `url`, did you mean `base_url`?", "")]),
    ("language: de", &[(4, 1, "unknown key `language`, did you mean `locale`?", "")]),
    ("frobnicate: 1", &[(4, 1, "unknown key `frobnicate`", "`storegen schema` lists every key")]),
    ("in_stock: true", &[(4, 1, "the key `in_stock` does not belong here", "move it under `product_filters`")]),
    ("  theme: x", &[(4, 3, "the key `theme` does not belong here", "move it to the top level")]),
    (
        "min_price: 3",
        &[(
            4,
            1,
            "unknown key `min_price`, did you mean `product_filters.price.min`?",
            "write `min:` and move it under `product_filters.price`",
        )],
    ),
    (
        "product_filters:\n  colour: red",
        &[(5, 3, "unknown key `colour` in `product_filters`", "the keys here are `brand`, `category`")],
    ),
    ("product_filters:\n  price:\n    minimum: 2", &[(6, 5, "unknown key `minimum`", "`max`, `min`")]),
    ("locale: en\nlocale: de", &[(5, 1, "the key `locale` is written twice", "the first is on line 4")]),
    ("<<: {a: b}", &[(4, 1, "merging blocks with `<<` is not supported", "write the keys")]),
    ("? [a]\n: b", &[(4, 3, "a key must be a single word", "")]),
    // The mapping is compiled with the rest, so that its mistakes are told with the others.
    (
        "  mapping:\n    naem: title\n    name: title\n    price: cost\ntheem: x",
        &[
            (5, 11, "unknown target field `naem`, did you mean `name`?", ""),
            (8, 1, "unknown key `theem`, did you mean `theme`?", ""),
        ],
    ),
    // Kinds and ranges.
    ("products_per_page: lots", &[(4, 20, "`products_per_page` must be a whole number from 1 to 200, not `lots`", "")]),
    ("products_per_page: 0", &[(4, 20, "a whole number from 1 to 200, not `0`", "")]),
    ("products_per_page: 500", &[(4, 20, "a whole number from 1 to 200, not `500`", "")]),
    ("products_per_page: 2.5", &[(4, 20, "a whole number from 1 to 200, not `2.5`", "")]),
    ("products_per_page: \"24\"", &[(4, 20, "a whole number", "remove the quotes")]),
    ("products_per_page: [24]", &[(4, 20, "a whole number from 1 to 200, not a list", "write the value itself")]),
    ("featured_products_count: -1", &[(4, 26, "a whole number from 0 to 48, not `-1`", "")]),
    ("enable_face_shape_filter: yes", &[(4, 27, "`true` or `false`, not `yes`", "write `true`")]),
    ("enable_face_shape_filter: \"false\"", &[(4, 27, "`true` or `false`", "remove the quotes")]),
    ("contact_email: {a: b}", &[(4, 16, "must be text, not a block of keys", "")]),
    // Texts by language.
    (
        "store_description: {en: a, de: b}",
        &[(4, 28, "`store_description.de` is for a language that the store does not have", "add it to `locales`")],
    ),
    ("locales: de\ntax_note: {de: inkl. MwSt.}", &[(5, 11, "`tax_note` has no text in `en`", "add `en:` below it")]),
    ("lenses: [{name: {en: [a]}, price: 1}]", &[(4, 18, "`lenses.0.name.en` must be text", "")]),
    (
        "product_filters: none",
        &[(
            4,
            18,
            "`product_filters` must be a block of keys, not `none`",
            "write its keys below it, indented: `brand`",
        )],
    ),
    ("product_filters:\n  min_quality_score: 80", &[(5, 22, "a number from 0 to 1, not `80`", "80 percent is `0.8`")]),
    ("product_filters:\n  min_quality_score: 80%", &[(5, 22, "a number from 0 to 1, not `80%`", "write `0.8`")]),
    (
        "product_filters:\n  min_quality_score: 0,5",
        &[(5, 22, "a number from 0 to 1, not `0,5`", "write `0.5`, with a point")],
    ),
    ("product_filters:\n  min_quality_score: .nan", &[(5, 22, "a number from 0 to 1, not `.nan`", "")]),
    ("product_filters:\n  in_stock: maybe", &[(5, 13, "`true` or `false`, not `maybe`", "")]),
    ("product_filters:\n  max_products: 0", &[(5, 17, "a whole number from 1", "")]),
    ("product_filters:\n  price: 100", &[(5, 10, "must be a block of keys, not `100`", "`max`, `min`")]),
    ("product_filters:\n  price: {min: -1}", &[(5, 16, "a number, 0 or more, not `-1`", "")]),
    (
        "product_filters:\n  price: {min: 200, max: 100.5}",
        &[(5, 16, "`product_filters.price.min` is above", "exchange the two")],
    ),
    (
        "product_filters:\n  face_shape: round",
        &[(5, 15, "must be a block of keys, not `round`", "`min_score`, `shape`")],
    ),
    (
        "product_filters:\n  face_shape:\n    min_score: 0.5",
        &[(6, 5, "`product_filters.face_shape.shape` is missing", "add `shape:`, the face shape")],
    ),
    (
        "product_filters:\n  face_shape: {shape: hart}",
        &[(5, 23, "must be one of `oval`, `round`", "did you mean `heart`?")],
    ),
    ("product_filters:\n  tags:\n    - x\n    -", &[(7, 6, "`product_filters.tags` has an empty entry", "fill it in")]),
    (
        "product_filters:\n  tags: [a, '??']",
        &[(5, 13, "has a value without letters or digits", "the words that the catalogue uses")],
    ),
    (
        "  timeout: 60\n  reconnect: 0.5s",
        &[
            (4, 12, "`60` is no time for `catalog.timeout`", "such as `90s`"),
            (5, 14, "`catalog.reconnect` is less than 1 s", "leave it out"),
        ],
    ),
    (
        "retry: {attempts: 0, first_delay: 2s, longest_delay: 900 ms, deadline: 10ms, breaker_pause: soon}",
        &[
            (4, 19, "`retry.attempts` must be a whole number from 1 to 100, not `0`", ""),
            (4, 54, "`retry.longest_delay` is shorter than `retry.first_delay`", "a shorter `first_delay`"),
            (4, 72, "`retry.deadline` is less than 1 s", "leave it out"),
            (4, 93, "`soon` is no time for `retry.breaker_pause`", "such as `90s`"),
        ],
    ),
    ("sort: price_ascending", &[(4, 7, "`sort` must be one of `featured`, `newest`", "did you mean `price_asc`?")]),
    ("sort: banana", &[(4, 7, "`price_desc`, `name`, `popularity`, `quality`, not `banana`", "")]),
    // Meanings.
    (
        "primary_color: #fff",
        &[(4, 16, "`primary_color` is empty, because ` #` starts a comment", "in quotes: `\"#fff\"`")],
    ),
    ("secondary_color: reddish", &[(4, 18, "`reddish` is no colour for `secondary_color`", "`\"#rrggbb\"`")]),
    ("currency: EURO", &[(4, 11, "`EURO` is no ISO 4217 currency code", "did you mean `EUR`?")]),
    ("tax_note: \"incl\\0 VAT\"", &[(4, 11, "`tax_note` holds control characters", "remove them")]),
    ("words:\n  en:\n    home: \"\\x1b[1m\"", &[(6, 11, "holds control characters", "remove them")]),
    ("currency: €", &[(4, 11, "`€` is no ISO 4217 currency code", "did you mean `EUR`?")]),
    ("locale: en_GB", &[(4, 9, "`en_GB` is no BCP 47 language tag", "write `en-GB`")]),
    ("locale: english", &[(4, 9, "`english` is no BCP 47 language tag", "`de-CH`")]),
    ("locale: en-UK", &[(4, 9, "`en-UK` names no region", "`en-GB`")]),
    (
        "base_url: www.lumen.example",
        &[(4, 11, "is no absolute `http` or `https` URL", "write `https://www.lumen.example`")],
    ),
    ("base_url: ftp://lumen.example/", &[(4, 11, "is no absolute `http` or `https` URL", "`https://shop.example/`")]),
    ("base_url: https://lumen.example/?a=1", &[(4, 11, "`base_url` holds a `?` or `#`", "only the address")]),
    ("contact_email: lumen", &[(4, 16, "`lumen` is no e-mail address", "`hello@shop.example`")]),
    ("contact_email: mailto:a@b.example", &[(4, 16, "is no e-mail address", "leave out `mailto:`")]),
    ("theme: modern-minimum", &[(4, 8, "there is no theme `modern-minimum`", "did you mean `modern-minimal`?")]),
    ("theme: ./nowhere", &[(4, 8, "the theme folder `./nowhere` does not exist", "paths start at the store file")]),
    (
        "deployment_platforms: [static-html, github-pages, shopify]",
        &[
            (4, 37, "deployment to `github-pages` is not built yet", "use `static-html`"),
            (4, 51, "deployment to `shopify` is not built yet", "use `static-html`"),
        ],
    ),
    (
        "deployment_platforms: netlify",
        &[(4, 23, "must be one of `static-html`, `github-pages`, `shopify`, not `netlify`", "")],
    ),
    ("deployment_platforms: []", &[(4, 23, "is an empty list", "leave it out")]),
    ("output: .", &[(4, 9, "the output `.` is the folder that the store file is in", "a folder of its own")]),
    ("output: ''", &[(4, 9, "the output folder has no name", "such as `store`")]),
    ("logo: logo.gif", &[(4, 7, "the logo `logo.gif` is neither SVG nor PNG", "one of the two")]),
    ("logo: ./nowhere.svg", &[(4, 7, "there is no logo `./nowhere.svg`", "paths start at the store file")]),
    ("offline_page: maybe", &[(4, 15, "`true` or `false`, not `maybe`", "")]),
    ("redirects: [/old/]", &[(4, 12, "`redirects` must be a block of keys, not a list", "")]),
    (
        "redirects:\n  old: /products/\n  /a.*: /products/\n  /b/../c/: /products/",
        &[
            (5, 3, "the old address `old` does not start with `/`", "such as `/old/`"),
            (6, 3, "the old address `/a.*` holds one of", "a plain path"),
            (7, 3, "the old address `/b/../c/` cannot be a file", "a path such as"),
        ],
    ),
    (
        "redirects:\n  /a.html: products\n  /b: //h/x\n  /c: 7\n  /d: javascript:alert(1)\n  /e: https://u@h/",
        &[
            (5, 3, "the new address of `/a.html` is neither a path", "such as `/products/`"),
            (6, 3, "the new address of `/b` is neither a path", "such as `/products/`"),
            (7, 3, "the new address of `/c` is no text", "such as `/products/`"),
            (8, 3, "the new address of `/d` is neither a path", "such as `/products/`"),
            (9, 3, "the new address of `/e` holds a user name", "leave it out"),
        ],
    ),
    (
        "redirects:\n  /a: /b/\n  /b: /a\n  /c: /products/\n  /c/: /products/",
        &[
            (5, 3, "the old address `/a` leads back to itself", "a page of the store"),
            (6, 3, "the old address `/b` leads back to itself", "a page of the store"),
            (8, 3, "the old address `/c/` is there twice", "keep one"),
        ],
    ),
    (
        "commerce: shop",
        &[(4, 11, "`commerce` must be one of `enquiry`, `stripe`, `none`, or a block with `shopify`", "")],
    ),
    ("commerce: stripes", &[(4, 11, "or a block with `shopify`, `snipcart`, not `stripes`", "did you mean `stripe`?")]),
    ("commerce: [stripe]", &[(4, 11, "`commerce` must be one of", "write the value itself")]),
    ("commerce:\n  paypal: {}", &[(5, 3, "unknown key `paypal` in `commerce`", "`shopify`, `snipcart`")]),
    ("commerce: {}", &[(4, 11, "`commerce` names no service", "`enquiry`")]),
    ("commerce: {shopify: {}}", &[(4, 21, "`commerce.shopify.domain` is missing", "host name of the shop")]),
    (
        "commerce: {shopify: {domain: 'https://a.example/'}}",
        &[(4, 30, "`https://a.example/` is no host name", "no `https://`")],
    ),
    ("commerce: {snipcart: {public_key: ' '}}", &[(4, 35, "`commerce.snipcart.public_key` is blank", "public key")]),
    (
        "commerce: {shopify: {domain: a.example}, snipcart: {public_key: x}}",
        &[(4, 11, "`commerce` names two services", "keep the one")],
    ),
    ("public_key: x", &[(4, 1, "the key `public_key` does not belong here", "under `commerce.snipcart`")]),
    ("delivery: {countries: [DE, UK]}", &[(4, 28, "`UK` is no ISO 3166 country code", "`GB`")]),
    ("delivery: {countries: Germany}", &[(4, 23, "`Germany` is no ISO 3166 country code", "`DE`")]),
    ("delivery: {transit_days: [4, 2]}", &[(4, 26, "begins with the larger number", "exchange the two")]),
    ("delivery: {handling_days: [1, 2, 3]}", &[(4, 27, "has more than two numbers", "`[2, 4]`")]),
    ("delivery: {price: 4.90 EUR}", &[(4, 19, "`delivery.price` must be a number, 0 or more", "")]),
    ("lenses: [{name: Near}]", &[(4, 10, "`lenses.price` is missing", "add `price:`")]),
    ("lenses: [{name: Near, price: -1}]", &[(4, 30, "`lenses.price` must be", "")]),
    (
        "lenses: [{name: Near, price: 1}, {name: Near, price: 2}]",
        &[(4, 41, "two kinds of lenses have the same name", "give each its own")],
    ),
    (
        "lenses: [{name: Near, price: 1, shopify_variant_id: x}]",
        &[(4, 53, "the id of a variant is made of digits", "copy it")],
    ),
    ("returns: {days: 0}", &[(4, 17, "`returns.days` must be a whole number from 1 to 3650, not `0`", "")]),
    (
        "images: {root: ./nowhere}",
        &[(4, 16, "there is no folder `./nowhere` for pictures", "paths start at the store file")],
    ),
    ("images: {widths: []}", &[(4, 18, "`images.widths` is an empty list", "`[320, 640, 960]`")]),
    ("images: {widths: [320, 9]}", &[(4, 24, "a whole number from 16 to 8192, not `9`", "")]),
    ("images: {widths: 320px}", &[(4, 18, "a whole number from 16 to 8192, not `320px`", "")]),
    ("images: {formats: [webp, jpg]}", &[(4, 26, "must be one of `avif`, `webp`, `jpeg`, not `jpg`", "did you mean")]),
    ("images: {formats: []}", &[(4, 19, "`images.formats` is an empty list", "`avif`, `webp`, `jpeg`")]),
    ("images: {quality: 80}", &[(4, 19, "must be a block of keys, not `80`", "`avif`, `jpeg`, `webp`")]),
    ("images: {quality: {jpeg: 101}}", &[(4, 26, "a whole number from 1 to 100, not `101`", "")]),
    ("images: {fit: stretch}", &[(4, 15, "one of `inside`, `contain`, `cover`, not `stretch`", "")]),
    ("images: {background: whitish}", &[(4, 22, "`whitish` is no colour for `images.background`", "#rrggbb")]),
    ("returns: 30", &[(4, 10, "`returns` must be a block of keys, not `30`", "`days`")]),
    // Fetching and keeping.
    ("images: {download: maybe}", &[(4, 20, "`images.download` must be `true` or `false`", "")]),
    ("images: {max_download: 2 TB}", &[(4, 24, "`2 TB` is no size for `images.max_download`", "`30 MB`")]),
    ("images: {download_timeout: 2 days}", &[(4, 28, "`2 days` is no time for `images.download_timeout`", "`60 s`")]),
    ("images: {downloads_per_host: 0}", &[(4, 30, "must be a whole number from 1 to 32, not `0`", "")]),
    ("assets: {base_url: cdn.example}", &[(4, 20, "is no absolute `http` or `https` URL", "`https://cdn.example`")]),
    ("assets: {base_url: 'https://a@b/'}", &[(4, 20, "`assets.base_url` holds a user name", "leave out")]),
    ("cache: shared", &[(4, 8, "`cache` must be a block of keys, not `shared`", "`folder`, `max_age`, `max_size`")]),
    ("cache: {folder: here}", &[(4, 17, "`here` is no place for the cache", "`store`, `shared`, or a path")]),
    ("cache: {folder: shared}", &[(4, 17, "this user has no folder for caches", "`XDG_CACHE_HOME`")]),
    ("cache: {max_size: 10}", &[(4, 19, "`10` is no size for `cache.max_size`", "`10 GB`")]),
    ("cache: {max_age: for ever}", &[(4, 18, "`for ever` is no time for `cache.max_age`", "`90 days`")]),
    // Variables.
    ("site_title: a ${NOPE} b", &[(4, 15, "the environment variable `NOPE` is not set", "`${NOPE:-…}`")]),
    ("site_title: ${SET} ${NOPE", &[(4, 20, "`${` is not closed", "`$$` for a dollar sign")]),
    ("site_title: ${1A}", &[(4, 13, "`${1A}` names no variable", "letters, digits and `_`")]),
    (
        "sort: ${SET}\ncurrency: ${SET}",
        &[(4, 7, "not `${SET}`", ""), (5, 11, "`${SET}` is no ISO 4217", "such as `EUR`")],
    ),
    ("product_filters: {brand: ${SET}}", &[(4, 27, "is missing before this", "a variable has to stand in quotes")]),
    // YAML.
    ("\ttheme: x", &[(4, 1, "a tab indents this line", "replace the tab with spaces")]),
    ("product_filters:\n\tin_stock: true", &[(5, 1, "a tab indents this line", "replace the tab with spaces")]),
    (
        "product_filters:\n   brand: a\n  tags: b",
        &[(6, 3, "this line does not fit the lines before it", "start in the same column")],
    ),
    ("theme: \"x", &[(4, 8, "the text in quotes does not end", "close it")]),
    ("site_title: 'it's", &[(4, 17, "something follows the closing quote", "write `''` for a quote")]),
    ("site_title: \"a\\qb\"", &[(4, 13, "`\\` begins no known escape", "`\\\\` for a backslash")]),
    ("site_title: Lumen: the shop", &[(4, 18, "a second `: ` in one line", "in quotes")]),
    ("site_title: @home", &[(4, 13, "a value cannot start with `@`", "in quotes")]),
    ("site_title: [a, b", &[(4, 13, "the bracket `[` is not closed", "close it")]),
    ("theme = x", &[(4, 1, "this line is no `key: value`", "a `:` and a space are missing")]),
    ("theme: *x", &[(4, 8, "no `&name` before this alias", "in quotes if the `*` belongs to it")]),
    ("theme: !env X", &[(4, 8, "the tag `!env` is not supported", "`${NAME}`")]),
    ("---\nstore_name: b", &[(4, 1, "a second document starts here", "a file of its own")]),
];

/// Faults of whole files.
const WHOLE_FAULTS: &[(&str, &[Told])] = &[
    ("", &[(0, 0, "the file is empty", "`storegen init`")]),
    ("# only a comment\n", &[(0, 0, "the file is empty", "`storegen init`")]),
    ("- a\n", &[(1, 1, "a store file is a block of keys", "`storegen init`")]),
    ("catalog: {uri: x}\n", &[(1, 1, "`store_name` is missing", "name of the store")]),
    ("store_name:\ncatalog: {uri: x}\n", &[(1, 1, "`store_name` is empty", "after the colon")]),
    ("store_name: ' '\ncatalog: {uri: x}\n", &[(1, 13, "`store_name` is blank", "customers know")]),
    ("store_name: x\n", &[(1, 1, "`catalog.uri` is missing", "add `catalog:` with `uri:`")]),
    ("store_name: x\ncatalog:\n  database: y\n", &[(3, 3, "`catalog.uri` is missing", "add `catalog:` with `uri:`")]),
    ("store_name: x\ncatalog: products.jsonl\n", &[(2, 10, "`catalog` must be a block of keys", "`uri`")]),
    (
        "store_name: x\ncatalog: {uri: 'postgres://h/db', databse: x}\n",
        &[
            (2, 16, "`catalog.uri` is an address of a kind", "`mongodb://…`"),
            (2, 35, "unknown key `databse`, did you mean `database`?", ""),
        ],
    ),
    (
        "store_name: x\ncatalog:\n  uri: mongodb:/h/db\n",
        &[(3, 8, "`catalog.uri` is no MongoDB address", "has to start with")],
    ),
    ("store_name: x\ncatalog:\n  uri: ~/x.json\n", &[(3, 8, "only a shell understands", "`${HOME}/…`")]),
    (
        "store_name: x\ncatalog:\n  uri: store/x.json\n",
        &[(1, 1, "the output `store` is the folder that the catalogue is in", "")],
    ),
    (
        "store_name: x\ncatalog:\n  uri: x\n  database: a.b\n  collections: {products: [a, ../b]}\n",
        &[(4, 13, "`a.b` is no database name", "no dots"), (5, 31, "`../b` is no collection name", "no path")],
    ),
    (
        "store_name: x\ncatalog:\n  uri: x\n  mapping: m.yaml\n",
        &[(4, 12, "`catalog.mapping` must be a block of keys", "")],
    ),
    ("a: &a [*a]", &[(1, 8, "inside the very value it names", "")]),
    (
        r#"{"store_config": {"store_name": "Old", "store_id": 7, "theem": "x"}, "product_filters": {"price_range": {}}, "catalog": {"uri": "x"}}"#,
        &[
            (1, 40, "unknown key `store_id`", "`storegen schema`"),
            (1, 55, "unknown key `theem`, did you mean `theme`?", ""),
            (1, 90, "unknown key `price_range`, did you mean `price`?", ""),
        ],
    ),
];

#[test]
fn each_fault_is_told_at_its_place_with_a_way_out() {
    let added = FAULTS.iter().map(|(text, told)| (format!("{SOUND}{text}\n"), *told));
    let whole = WHOLE_FAULTS.iter().map(|(text, told)| ((*text).to_string(), *told));
    for (text, expected) in added.chain(whole) {
        let errors = read_text(&text).expect_err(&text);
        let shown = errors.render(false);
        assert_eq!(errors.errors().len(), expected.len(), "{text}\n{shown}");
        for (error, (line, column, message, hint)) in errors.errors().iter().zip(expected) {
            let place = error.place.as_ref().map_or((0, 0), |place| (place.line, place.column));
            assert_eq!(place, (*line, *column), "{text}\n{shown}");
            assert!(error.message.contains(message), "{message}\n{shown}");
            assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{hint}\n{shown}");
            assert!(shown.contains(message) && !shown.contains("s3cret"), "{shown}");
            if let Some(place) = &error.place {
                assert!(shown.contains(&format!("store.yaml:{line}:{column}")), "{shown}");
                assert!(
                    text.lines().nth(line - 1).is_some_and(|line| line.contains(place.text.trim_end_matches('…'))),
                    "{shown}"
                );
            }
        }
    }
    assert!(FAULTS.len() + WHOLE_FAULTS.len() >= 40);
}

#[test]
fn all_faults_of_a_file_are_told_in_its_order() {
    let text = "store_name: Lumen\ntheem: x\ncurrency: EURO\nproducts_per_page: 0\ncatalog:\n  uri: ${NOPE}\n";
    let errors = read_text(text).expect_err("faults");
    let lines: Vec<usize> = errors.errors().iter().filter_map(|e| e.place.as_ref()).map(|place| place.line).collect();
    assert_eq!(lines, [2, 3, 4, 6], "{errors}");
    snapbox::assert_data_eq!(
        errors.render(false),
        snapbox::str![[r#"
error: unknown key `theem`, did you mean `theme`?
 --> store.yaml:2:1
  |
2 | theem: x
  | ^^^^^

error: `EURO` is no ISO 4217 currency code
 --> store.yaml:3:11
  |
3 | currency: EURO
  |           ^^^^
  |
  = help: did you mean `EUR`?

error: `products_per_page` must be a whole number from 1 to 200, not `0`
 --> store.yaml:4:20
  |
4 | products_per_page: 0
  |                    ^

error: the environment variable `NOPE` is not set
 --> store.yaml:6:8
  |
6 |   uri: ${NOPE}
  |        ^^^^^^^
  |
  = help: set it (`export NOPE=…`), or give a default: `${NOPE:-…}`
"#]]
        .raw()
    );
    assert!(errors.render(true).contains("\u{1b}["));
    let listed = serde_json::to_value(&errors).expect("JSON");
    assert_eq!(listed[1]["place"]["text"], "currency: EURO");
    assert_eq!(listed[1]["place"]["column"], 11);
}

#[test]
fn no_secret_is_ever_shown() {
    for text in [
        "store_name: x\ncatalog: mongodb://ada:s3cret@h/db\n",
        "store_name: x\ncatalog: {uri: \"postgres://ada:s3cret@h/db\", databse: x}\n",
        "store_name: x\ncatalog: {uri: \"mongodb://ada:p@s3cret@h/db\"}\n",
        "store_name: x\ncatalog:\n  uri: mongodb//ada:s3cret@h/db\n",
        "store_name: x\ncatalog:\n  uri: mongodb://ada:${NOPE:-s3cret}@h@${NOPE}\n",
        "store_name: x\ntheme: https://ada:s3cret@h/\nbase_url: https://ada:s3cret@h/\n",
        "store_name: x\nmongodb://ada:s3cret@h: y\n",
        "store_name: x\ncatalog: [mongodb://ada:s3cret@h\n",
        "store_name: x\napi_token: s3cret\ncatalog: {password: s3cret}\n",
        "store_name: x\nproducts_per_page: mongodb://ada:s3cret-and-much-more-of-it-so-that-the-message-is-cut-before-the-at@h\n",
        "store_name: ${SET}\ntheme: ${SET}\ncurrency: ${SET}\nlocale: ${SET}\nbase_url: ${SET}\ncontact_email: ${SET}\noutput: ${SET}/..\n",
    ] {
        let errors = read_text(text).expect_err(text);
        let told = format!("{errors}{errors:?}{}", serde_json::to_string(&errors).expect("JSON"));
        assert!(!told.contains("s3cret"), "{told}");
    }
    let store = read_text("store_name: x\ncatalog: {uri: 'mongodb://ada:${SET}@h/shop'}\n").expect("sound");
    assert!(matches!(&store.catalog.uri, CatalogUri::MongoDb(uri) if uri.expose() == "mongodb://ada:s3cret@h/shop"));
    assert_eq!(store.catalog.uri.display_safe(), "mongodb://ada:***@h/shop");
    assert!(!format!("{store:?}").contains("s3cret"));
}

#[test]
fn defaults_fill_what_the_file_leaves_out() {
    let store = read_text(SOUND).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(store.base_url.as_str(), "http://localhost:8000/");
    assert_eq!((&store.locales[..], store.currency.code()), (&["en".to_string()][..], "USD"));
    assert_eq!(store.theme, ThemeSource::Embedded("modern-minimal".into()));
    assert_eq!((store.products_per_page, store.featured_products_count), (24, 8));
    assert!(store.enable_face_shape_filter);
    assert_eq!(store.deployment_platforms, [Platform::StaticHtml]);
    assert_eq!((&store.logo, store.offline_page, store.redirects.len()), (&None, false, 0));
    assert_eq!(store.output, Path::new("/nowhere/store"));
    assert_eq!(store.product_filters, ProductFilters::default());
    assert_eq!(store.sort, SortOrder::Featured);
    assert_eq!(store.commerce, Commerce::Enquiry);
    assert_eq!((&store.tax_note, &store.delivery, &store.returns), (&None, &None, &None));
    assert_eq!(store.cache.folder_beside(Path::new("/nowhere/.storegen")), Path::new("/nowhere/.storegen/cache"));
    assert_eq!(store.images, ImageSettings::default());
    assert_eq!(store.catalog.database, "eyewear_ml");
    assert_eq!(store.catalog.collections, Collections::default());
    assert_eq!(store.catalog.uri.display_safe(), "/nowhere/products.jsonl");
    assert!(store.catalog.mapping.is_none());
    assert_eq!(store.catalog.patience, Patience::default());
    assert_eq!((store.retry, store.download.retry.attempts), (RetrySettings::default(), Some(4)));
}

#[test]
fn every_setting_reaches_the_configuration() {
    let text = r##"
store_name: "  Lumen  & Oak "
store_description: >
  Frames
  for all.
contact_email: hello@lumen.example
base_url: HTTPS://Lumen.Example/shop
locale: DE-ch
currency: chf
primary_color: abc
secondary_color: "#A0B1C2"
products_per_page: ${NONE:-12}
featured_products_count: 0
enable_face_shape_filter: False
site_title: Lumen costs $$5
deployment_platforms: Static_HTML
offline_page: true
redirects: {/old shop: "/products/?a=1", /x.html: "https://other.example"}
output: ./out
product_filters:
  in_stock: true
  min_quality_score: 0.5
  frame_type: Glasses
  brand: [Casa Orme, "${SET}"]
  category: sunglasses
  gender: [female, ladies, unisex]
  frame_shape: [cateye, Half Moon]
  material: Pure Titanium
  price: {min: 49.90, max: 1e3}
  face_shape: {shape: Heart}
  tags: New Arrival
  max_products: 100
sort: Price-Desc
commerce: {shopify: {domain: Lumen.MyShopify.com}}
tax_note: incl.  VAT
delivery: {text: By bike., countries: [ch, LI, CH], price: 4.90, free_from: 100, handling_days: 1, transit_days: [2, 4]}
returns: {days: 30, countries: CH, free: true}
images: {download: false, allow_private_hosts: true, max_download: 5 MB, download_timeout: 2 min, recheck_after: 1 d, widths: [800, 400, 800], formats: [jpeg, AVIF], quality: {avif: 60}, background: "#eee", fit: cover, effort: best, social_cards: all}
assets: {base_url: https://cdn.example/a}
cache: {folder: ./kept, max_size: 500 MB, max_age: 2 weeks}
retry: {attempts: 7, first_delay: 250ms, longest_delay: 9 s, jitter: false, deadline: 1 min, breaker_failures: 3}
reliability: {breaker_failures: 9, breaker_pause: 2 min}
lenses: [{name: Near  sight, text: For reading., price: 59.5, progressive: true, shopify_variant_id: "4711"}]
catalog:
  uri: mongodb://h/shop
  timeout: 1.5 min
  reconnect: 5s
  collections: {products: [frames, lenses], brands: makers}
  mapping:
    name: title
    price: {paths: [offer.amount, "12"], factor: 0.01}
"##;
    let store = read_text(text).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(store.store_name, "Lumen & Oak");
    assert_eq!(store.store_description.as_deref(), Some("Frames for all."));
    assert_eq!(store.base_url.as_str(), "https://lumen.example/shop/");
    assert_eq!((&store.locales[..], store.currency.code()), (&["de-CH".to_string()][..], "CHF"));
    assert_eq!(
        (store.primary_color.to_string(), store.secondary_color.to_string()),
        ("#aabbcc".into(), "#a0b1c2".into())
    );
    assert_eq!((store.products_per_page, store.featured_products_count), (12, 0));
    assert!(!store.enable_face_shape_filter);
    assert_eq!(store.site_title.as_deref(), Some("Lumen costs $5"));
    assert!(store.offline_page);
    let redirects: Vec<_> = store.redirects.iter().map(|one| (one.path.as_str(), one.target.as_str())).collect();
    assert_eq!(
        redirects,
        [("old shop/index.html", "https://lumen.example/shop/products/?a=1"), ("x.html", "https://other.example/")]
    );
    assert_eq!(store.output, Path::new("/nowhere/out"));
    let filters = &store.product_filters;
    assert_eq!((filters.in_stock, filters.min_quality_score, filters.max_products), (Some(true), Some(0.5), Some(100)));
    assert_eq!(filters.frame_type, ["prescription"]);
    assert_eq!(filters.brand, ["Casa Orme", "s3cret"]);
    assert_eq!(filters.gender, ["women", "unisex"]);
    assert_eq!(filters.frame_shape, ["cat-eye", "half-moon"]);
    assert_eq!(filters.material, ["titanium"]);
    assert_eq!(filters.price, PriceRange { min: Some(Decimal::new(4990, 2)), max: Some(Decimal::from(1000)) });
    assert_eq!(filters.face_shape.map(|filter| (filter.shape, filter.min_score)), Some((FaceShape::Heart, 0.6)));
    assert_eq!(filters.tags, ["new-arrival"]);
    assert_eq!(store.sort, SortOrder::PriceDescending);
    assert_eq!(store.commerce, Commerce::Shopify { domain: "lumen.myshopify.com".into() });
    assert_eq!(store.tax_note.as_deref(), Some("incl. VAT"));
    let delivery = Delivery {
        text: Some("By bike.".into()),
        countries: vec!["CH".into(), "LI".into()],
        price: Some(Decimal::new(490, 2)),
        free_from: Some(Decimal::from(100)),
        handling_days: Some(DayRange { least: 1, most: 1 }),
        transit_days: Some(DayRange { least: 2, most: 4 }),
    };
    assert_eq!(store.delivery, Some(delivery));
    let returns = Returns { text: None, days: Some(30), countries: vec!["CH".into()], is_free: Some(true) };
    assert_eq!(store.returns, Some(returns));
    let retry = RetrySettings {
        attempts: Some(7),
        first_delay: Duration::from_millis(250),
        longest_delay: Duration::from_secs(9),
        jitter: false,
        deadline: Duration::from_secs(60),
        breaker_failures: 3,
        breaker_pause: Duration::from_secs(120),
    };
    assert_eq!(store.retry, retry);
    let download = DownloadSettings {
        enabled: false,
        allow_private_hosts: true,
        max_size: 5_000_000,
        timeout: Duration::from_secs(120),
        per_host: 6,
        recheck_after: Duration::from_secs(86_400),
        retry,
    };
    assert_eq!(store.download, download);
    assert_eq!(store.assets_url.as_ref().map(Url::as_str), Some("https://cdn.example/a/"));
    assert_eq!(store.cache.folder, CacheFolder::At("/nowhere/kept".into()));
    assert_eq!(store.cache.limits, Limits { max_size: 500_000_000, max_age: Duration::from_secs(14 * 86_400) });
    let lenses = LensOption {
        name: "Near sight".into(),
        text: Some("For reading.".into()),
        price: Money { minor: 5950, currency: store.currency },
        is_progressive: true,
        shopify_variant_id: Some("4711".into()),
    };
    assert_eq!(store.lenses, [lenses]);
    let images = ImageSettings {
        widths: vec![400, 800],
        formats: vec![ImageFormat::Avif, ImageFormat::Jpeg],
        avif_quality: 60,
        background: Color { rgb: [0xee; 3] },
        fit: ImageFit::Cover,
        effort: ImageEffort::Best,
        social_cards: SocialCards::All,
        ..ImageSettings::default()
    };
    assert_eq!(store.images, images);
    assert_eq!(store.catalog.database, "shop");
    assert_eq!(store.catalog.collections.products, ["frames", "lenses"]);
    assert_eq!(store.catalog.collections.brands, "makers");
    let retry = RetrySettings { deadline: Duration::from_secs(5), ..retry };
    assert_eq!(store.catalog.patience, Patience { answer: Duration::from_secs(90), retry });
    let mapping = store.catalog.mapping.expect("a mapping");
    assert_eq!(mapping["price"], serde_json::json!({"paths": ["offer.amount", "12"], "factor": 0.01}));
    let places = &store.catalog.mapping_places;
    let at = |path: &str| places.error(path, "m", None).place.map(|place| (place.line, place.column));
    let name = 1 + text.lines().position(|line| line.ends_with("name: title")).expect("the mapping");
    assert_eq!(at("name"), Some((name, 11)));
    assert_eq!(at("price.paths.1"), Some((name + 1, 35)));
    assert_eq!(at("price.factor.of.what"), Some((name + 1, 50)));
    assert_eq!(at("elsewhere"), Some((name, 5)));
}

#[test]
fn a_request_of_the_older_service_is_a_store_file() {
    let text = "{\n\t\"store_config\": {\n\t\t\"store_name\": \"Caf\\u00e9 \\ud83d\\ude0e\",\n\t\t\"contact_email\": null,\n\t\t\"products_per_page\": 12\n\t},\n\t\"product_filters\": {\"brand\": [\"a\", \"b\"], \"in_stock\": true}\n}\n";
    assert!(read_text(text).expect_err("no catalogue").errors()[0].message.contains("`catalog.uri` is missing"));
    let flag = Overrides { output: Some("/data/out".into()) };
    let source = Source::new(Path::new("store.json"), text.to_string());
    let catalog = |name: &str| (name == "STOREGEN_CATALOG_URI").then(|| "/data/products.jsonl".to_string());
    let around = Surroundings { file: Path::new("/nowhere/store.json"), overrides: &flag, environment: &catalog };
    let store = parse(&source, &around).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((store.store_name.as_str(), store.products_per_page), ("Café 😎", 12));
    assert_eq!(store.product_filters.brand, ["a", "b"]);
    assert_eq!(store.catalog.uri.display_safe(), "/data/products.jsonl");
    assert_eq!(store.output, Path::new("/data/out"));
}

#[test]
fn the_environment_comes_before_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.yaml");
    std::fs::write(&path, SOUND).expect("written");
    let variable = |uri: &'static str| move |name: &str| (name == "STOREGEN_CATALOG_URI").then(|| uri.to_string());
    let uri = |environment: Environment<'_>| {
        load(&path, &Overrides::default(), environment).expect("sound").catalog.uri.display_safe()
    };
    assert_eq!(uri(&variable("mongodb://from-variable/")), "mongodb://from-variable/");
    assert_eq!(uri(&|_| None), folder.path().join("products.jsonl").display().to_string());
    let wrong = variable("mongodb://ada:s3cret@/");
    let errors = load(&path, &Overrides::default(), &wrong).expect_err("no server");
    assert!(errors.to_string().contains("the catalogue given by `STOREGEN_CATALOG_URI` names no server"), "{errors}");
    assert!(!errors.to_string().contains("s3cret"));
}

#[test]
fn files_that_are_no_store_files_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let utf16: Vec<u8> = "\u{feff}store_name: x".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let sound = at("shop.yml", SOUND.as_bytes());
    for (path, message, hint) in [
        (folder.path().to_path_buf(), "this is a folder, not a store file", "store.yaml`"),
        (folder.path().join("none.yaml"), "there is no such file", "`storegen init` writes"),
        (sound.with_extension("yaml"), "there is no such file", "shop.yml`"),
        (at("utf16.yaml", &utf16), "the file is in UTF-16", "save it as UTF-8"),
        (at("latin.yaml", b"store_name: x\nsite_title: caf\xe9 y\n"), "the file is not in UTF-8", "save it as UTF-8"),
        (at("huge.yaml", &vec![b'#'; LARGEST + 1]), "larger than 1 MiB", "not the catalogue"),
    ] {
        let errors = load(&path, &Overrides::default(), &|_| None).expect_err(message);
        assert_eq!(errors.errors().len(), 1, "{errors}");
        let error = &errors.errors()[0];
        assert!(
            error.message.contains(message) && error.hint.as_deref().is_some_and(|told| told.contains(hint)),
            "{errors}"
        );
        assert!(errors.to_string().contains(&path.display().to_string()), "{errors}");
    }
    let latin = load(&folder.path().join("latin.yaml"), &Overrides::default(), &|_| None).expect_err("Latin-1");
    assert_eq!(latin.errors()[0].place.as_ref().map(|place| (place.line, place.column)), Some((2, 16)));
    let marked = at("marked.yaml", format!("\u{feff}{SOUND}").as_bytes());
    load(&marked, &Overrides::default(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
    let windows = at("windows.yaml", SOUND.replace('\n', "\r\n").as_bytes());
    load(&windows, &Overrides::default(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
}

#[test]
fn small_files_cannot_grow_large() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    for (name, before) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"]) {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(", ")));
    }
    let errors = read_text(&bomb).expect_err("a bomb");
    assert!(errors.to_string().contains("the file grows past 20000 values"), "{errors}");
    let errors = read_text(&"[".repeat(100_000)).expect_err("too deep");
    assert!(errors.to_string().contains("more than 32 deep"), "{errors}");
    let errors = read_text(&format!("store_name: x\nlocale: {}\n", "x".repeat(500_000))).expect_err("too long");
    assert!(errors.to_string().len() < 2_000, "{}", errors.to_string().len());
    for nasty in [
        "//".repeat(LARGEST / 2),
        "${a".repeat(LARGEST / 3),
        "token: ".repeat(LARGEST / 7),
        format!("{}: x", "k".repeat(LARGEST - 10)),
        (0..9_000).map(|index| format!("k{index}: mongodb://a:b@c\n")).collect(),
    ] {
        read_text(&nasty).expect_err("no store file");
    }
}

/// Pieces that, strung together, come close to store files of every kind of wrongness.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(schema::Schema::get().paths())
            .prop_map(|path| format!("{}: ", path.rsplit('.').next().unwrap_or_default())),
        prop::sample::select(vec![
            "\n",
            "\n  ",
            "\n    ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            ": ",
            "\"",
            "'",
            "#",
            " #fff",
            "\t",
            "---\n",
            "&a ",
            "*a",
            "!t ",
            "${SET}",
            "${",
            "$$",
            "~",
            "true",
            "1",
            "-1.5",
            "1e400",
            ".inf",
            "100000000000000000000",
            "round",
            "static-html",
            "price_asc",
            "mongodb://a:s3cret@h/",
            "é€😎",
            "\u{202e}",
            "\r\n",
            "|\n",
            ">\n",
            "<<: ",
            "? ",
            "%",
            "@",
            "\u{0}",
            "\u{feff}",
            "store_config: ",
            "x",
        ])
        .prop_map(str::to_string),
        ".{0,6}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in pieces(), sound in any::<bool>()) {
        let text = if sound { format!("{SOUND}{text}") } else { text };
        if let Err(errors) = read_text(&text) {
            prop_assert!(!errors.errors().is_empty());
            for error in errors.errors() {
                prop_assert!(error.place.is_some() || error.message.starts_with("the file is empty"), "{}", errors);
            }
            prop_assert!(!errors.render(true).is_empty());
            prop_assert!(!errors.to_string().contains("s3cret"), "{}", errors);
        }
    }
}
