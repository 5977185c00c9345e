#!/usr/bin/env python3
"""Measures what a second run costs: with nothing changed, with catalogue files of another time, with one price changed.

    benches/again.py [--sizes 1000,10000] [--binary target/release/storegen] [--keep DIR]

Each is run on a catalogue of make_catalog.py after a cold run, and its CPU time is told as a share of that of the cold run, with the
number of pages made and of files that have another time or content than before. Fails only when a run fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from whole_program import HERE, STORE, Measured


def files_of(store):
    """Modification time and inode of every file."""
    found = {}
    for folder, _, names in os.walk(store):
        for name in names:
            status = os.stat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (status.st_mtime_ns, status.st_ino)
    return found


def raise_a_price(catalog):
    """Adds one to the first price in dollars and cents that a product has of its own."""
    path, other = catalog / "products.jsonl", catalog / "products.new"
    is_done = False
    # Line by line: what this process takes counts as the peak of those it starts.
    with path.open(encoding="utf-8") as old, other.open("w", encoding="utf-8") as new:
        for line in old:
            document = {} if is_done else json.loads(line)
            price = document.get("price")
            if isinstance(price, (int, float)) and price > 0:
                document["price"] = price + 1
                line = json.dumps(document) + "\n"
                is_done = True
            new.write(line)
    if not is_done:
        sys.exit("no product has a price of its own")
    other.replace(path)


def measure(size, binary, folder):
    subprocess.run([sys.executable, HERE / "make_catalog.py", str(size), folder / "catalog"], check=True)
    (folder / "store.yaml").write_text(STORE, encoding="utf-8")
    command = [binary, "generate", "store.yaml", "--json", "--progress", "none"]
    cold = None
    for name, change in [
        ("cold", lambda: None),
        ("nothing changed", lambda: None),
        ("files of another time", lambda: os.utime(folder / "catalog" / "products.jsonl")),
        ("one price changed", lambda: raise_a_price(folder / "catalog")),
    ]:
        before = files_of(folder / "store")
        change()
        run = Measured(command, folder)
        cold = cold or run.cpu
        after = files_of(folder / "store")
        touched = sum(before.get(path) != after.get(path) for path in before.keys() | after.keys())
        made = json.loads(run.output)["performance_metrics"]["changes"]["pages_made"]
        share = run.cpu / cold
        print(f"| {size:,} | {name} | {run.wall:.2f} s | {run.cpu:.2f} s | {share:.1%} | {run.peak:.0f} MiB | {made:,} | {touched:,} |")
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000")
    parser.add_argument("--binary", default=HERE.parent / "target/release/storegen", type=Path)
    parser.add_argument("--keep", type=Path, help="folder to work in, which is kept")
    args = parser.parse_args()
    print("| products | | wall | CPU | of cold | peak memory | pages made | files touched |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for size in (int(size) for size in args.sizes.split(",")):
        if args.keep:
            folder = args.keep / str(size)
            folder.mkdir(parents=True)
            measure(size, args.binary.resolve(), folder)
        else:
            with tempfile.TemporaryDirectory() as folder:
                measure(size, args.binary.resolve(), Path(folder))


if __name__ == "__main__":
    main()
