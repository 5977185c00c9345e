//! What is fuzzed: each function takes any bytes and panics when something is not as it must be.
//!
//! `tests/fuzz/run` feeds them by libFuzzer; the suite feeds them what is in `corpus/`, where every input goes that once found
//! something.

use std::cell::OnceCell;
use std::path::{Component, Path};
use storegen::assets::media::Media;
use storegen::catalog::money::Currency;
use storegen::catalog::vocabulary::key_of;
use storegen::catalog::{Mapper, Place, RawDocument, Source};
use storegen::config::{Overrides, StoreText};
use storegen::event::{Event, Observer};
use storegen::site::{Manifest, check_path};

/// Takes any bytes.
pub(crate) type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder in `corpus/`.
pub(crate) const TARGETS: [(&str, Target); 4] =
    [("config", config), ("mapper", mapper), ("readers", readers), ("paths", paths)];

struct Silent;

impl Observer for Silent {
    fn observe(&self, _: Event) {}
}

/// The store file: it is understood, or every fault is told without showing a secret.
pub(crate) fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let text = StoreText::kept(Path::new("/nowhere/store.yaml"), text.to_owned());
    let environment = |name: &str| (name == "SET").then(|| "s3cret-of-the-environment".to_owned());
    assert!(!text.hash().is_empty() && text.redacted().len() <= bytes.len() * 4 + 64);
    match text.load(&Overrides::default(), &environment) {
        Ok(store) => assert!(!format!("{store:?}").is_empty()),
        Err(errors) => {
            let told = format!("{}{}", errors.render(false), errors);
            assert!(!errors.errors().is_empty() && !told.contains("s3cret-of-the-environment"), "{told}");
        }
    }
}

/// A document: it becomes a product, or a finding says why not.
pub(crate) fn mapper(bytes: &[u8]) {
    thread_local! {
        static MAPPER: OnceCell<Mapper> = const { OnceCell::new() };
    }
    let document = match bytes.first() {
        Some(b'{') => RawDocument::json(bytes, Place::Line(1)),
        _ => RawDocument::bson(bytes, Place::Byte(0)),
    };
    MAPPER.with(|mapper| {
        let mapper = mapper.get_or_init(|| {
            let currency = Currency::from_code("EUR").expect("a currency");
            Mapper::new(None, currency).unwrap_or_else(|errors| panic!("{errors:?}"))
        });
        let mut findings = Vec::new();
        let product = mapper.product(&document, "products", &mut findings);
        assert!(product.is_some() || !findings.is_empty(), "left out without a word");
        for finding in &findings {
            assert!(!finding.reason.is_empty() && !finding.detail.is_empty(), "{finding:?}");
        }
    });
}

/// A catalogue file of any format: the first byte says which, the others are in it. It is read to its end or refused.
pub(crate) fn readers(bytes: &[u8]) {
    let Some((format, contents)) = bytes.split_first() else { return };
    let extension = ["bson", "json", "jsonl", "bson.gz", "json.gz", "ndjson"][usize::from(*format) % 6];
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(format!("products.{extension}")), contents).expect("written");
    let text = format!("store_name: x\ncatalog: {{uri: ./products.{extension}}}\n");
    let store = StoreText::kept(&folder.path().join("store.yaml"), text);
    let store = store.load(&Overrides::default(), &|_| None).expect("a sound store file");
    let Ok(source) = Source::open(&store.catalog) else { return };
    let Ok(references) = source.references(&Silent) else { return };
    let Ok(products) = source.products(&store.product_filters, &references, None, &Silent) else { return };
    for block in products {
        match block {
            Ok(block) => block.documents.iter().for_each(|document| assert!(document.size() <= 16 << 20)),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                break;
            }
        }
    }
}

/// Paths, slugs, addresses of pictures and manifests: what passes stays inside.
pub(crate) fn paths(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::parse(bytes) {
        let mut written = Vec::new();
        manifest.write_to(&mut written).expect("a vector takes everything");
        let again = Manifest::parse(&written).expect("what is written is read");
        assert_eq!(again, manifest);
        for (path, _) in manifest.iter() {
            assert!(check_path(path).is_ok(), "{path:?}");
        }
    }
    let text = String::from_utf8_lossy(bytes);
    if check_path(&text).is_ok() {
        assert!(Path::new(&*text).components().all(|part| matches!(part, Component::Normal(_))), "{text:?}");
    }
    let slug = key_of(&text);
    assert!(slug.len() <= 80 && !slug.contains(['/', '\\', '.', '\0', ' ', '%', '<', '"']), "{slug:?}");
    assert_eq!(key_of(&slug), slug, "a slug of a slug is another one");
    let is_device = |name: &str| check_path(name).is_err();
    if !slug.is_empty() && is_device(&slug) {
        assert!(slug.len() <= 4, "{slug:?} is neither a path nor a device");
    }
    if let Ok(file) = Media::new(None).resolve(&text) {
        assert!(!file.url_path.is_empty() && !file.url_path.to_lowercase().starts_with("javascript:"), "{file:?}");
    }
}
