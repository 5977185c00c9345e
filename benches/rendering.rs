//! What a page costs: the example boutique's pages, kind by kind, from planned page to bytes.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::Path;
use storegen::assets::media::Media;
use storegen::catalog::{Mapper, Place, RawDocument, References};
use storegen::config::{Overrides, load};
use storegen::enhance::{Collector, Mapped};
use storegen::language::Words;
use storegen::pages::{PageKind, PlannedPage, Renderer, Theme, plan};

fn benches(criterion: &mut Criterion) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/boutique");
    let config = load(&example.join("store.yaml"), &Overrides::default(), &|_| None).expect("the example is sound");
    let mapper = Mapper::new(None, config.currency).expect("the built-in mappings are sound");
    let text = std::fs::read_to_string(example.join("catalog/products.jsonl")).expect("the example is there");
    let mut findings = Vec::new();
    let products = text
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| {
            mapper.product(&RawDocument::json(line.as_bytes(), Place::Line(number)), "products", &mut findings)
        })
        .enumerate()
        .map(|(at, product)| Mapped::product(at, product))
        .collect();

    let folder = tempfile::tempdir().expect("a temporary folder");
    let (references, media) = (References::default(), Media::new(None));
    let words = Words::english();
    let collector = Collector::new(&words, &references, &media, &config.product_filters, folder.path(), &mut findings)
        .expect("a snapshot");
    collector.take(0, &"products".into(), products).expect("a snapshot");
    let (catalog, _) = collector.finish(config.sort, None, &mut findings).expect("nothing is remembered");
    let plan = plan(&config, &catalog);
    let theme = Theme::of(&config).expect("the embedded theme");
    let renderer = Renderer::new(&config, &catalog, &plan, &theme, &media, None).expect("the embedded theme");

    type Kind = (&'static str, fn(&PageKind) -> bool);
    let kinds: [Kind; 3] = [
        ("product", |kind| matches!(kind, PageKind::Product(_))),
        ("listing", |kind| matches!(kind, PageKind::Listing { .. })),
        ("home", |kind| matches!(kind, PageKind::Home)),
    ];
    let mut group = criterion.benchmark_group("page");
    for (name, is_kind) in kinds {
        let pages: Vec<&PlannedPage> = plan.pages.iter().filter(|page| is_kind(&page.kind)).collect();
        group.throughput(Throughput::Elements(pages.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                pages
                    .iter()
                    .map(|page| renderer.render(black_box(page)).expect("it renders").bytes.len())
                    .sum::<usize>()
            });
        });
    }
    group.finish();
}

criterion_group!(rendering, benches);
criterion_main!(rendering);
