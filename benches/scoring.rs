//! What a product costs before it becomes a page: reading its document, scoring it, enhancing it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use storegen::assets::media::Media;
use storegen::catalog::money::Currency;
use storegen::catalog::product::Product;
use storegen::catalog::{Mapper, Place, RawDocument, References};
use storegen::config::{ProductFilters, SortOrder};
use storegen::enhance::{Collector, Mapped};
use storegen::language::Words;
use storegen::score::{Rules, score};

/// The documents of the example boutique, which has every dialect and every oddity.
fn documents() -> Vec<RawDocument> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/boutique/catalog/products.jsonl");
    let text = std::fs::read_to_string(path).expect("the example is there");
    text.lines().zip(1..).map(|(line, number)| RawDocument::json(line.as_bytes(), Place::Line(number))).collect()
}

fn mapper() -> Mapper {
    Mapper::new(None, Currency::from_code("EUR").expect("EUR exists")).expect("the built-in mappings are sound")
}

fn products(mapper: &Mapper, documents: &[RawDocument]) -> Vec<Product> {
    let mut findings = Vec::new();
    documents.iter().filter_map(|document| mapper.product(document, "products", &mut findings)).collect()
}

fn benches(criterion: &mut Criterion) {
    let (documents, mapper) = (documents(), mapper());
    let products = products(&mapper, &documents);
    let mut group = criterion.benchmark_group("product");

    group.throughput(Throughput::Elements(documents.len() as u64));
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            let mut findings = Vec::new();
            documents
                .iter()
                .filter_map(|document| mapper.product(black_box(document), "products", &mut findings))
                .count()
        });
    });

    group.throughput(Throughput::Elements(products.len() as u64));
    let rules = Rules::default();
    group.bench_function("score", |bencher| {
        bencher.iter(|| products.iter().map(|product| score(black_box(product), &rules).quality).sum::<f32>());
    });

    let folder = tempfile::tempdir().expect("a temporary folder");
    let (references, media, filters) = (References::default(), Media::new(None), ProductFilters::default());
    let collection: Arc<str> = "products".into();
    let words = Words::english();
    group.bench_function("score, enhance and collect", |bencher| {
        bencher.iter_batched(
            || products.clone(),
            |products| {
                let mut findings = Vec::new();
                let collector = Collector::new(&words, &references, &media, &filters, folder.path(), &mut findings)
                    .expect("a snapshot");
                let mapped = (0..).zip(products).map(|(at, product)| Mapped::product(at, product)).collect();
                collector.take(0, &collection, mapped).expect("a snapshot");
                let catalog = collector.finish(SortOrder::Featured, None, &mut findings);
                catalog.expect("nothing is remembered").0.records.len()
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(scoring, benches);
criterion_main!(scoring);
