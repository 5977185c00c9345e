#!/usr/bin/env python3
"""Times `storegen preview` on the example: from its start to its address, and from a change of a file to the page in a browser.

    benches/preview.py [--binary target/release/storegen] [--rounds 15]

Needs chromedriver and Chromium, which `tests/install.sh` installs. Prints medians and the slowest; nothing here fails on a slow
machine.
"""

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Browser:
    """A window of Chromium, by way of chromedriver."""

    def __init__(self):
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.PIPE, text=True)
        if not any("started successfully" in line for line in self.driver.stdout):
            sys.exit("chromedriver did not start")
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        self.session = "/session/" + self.ask("/session", wanted)["sessionId"]

    def ask(self, path, body):
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        self.ask(self.session + "/url", {"url": url})

    def shows(self, text):
        script = {"script": "return document.body.textContent.includes(arguments[0])", "args": [text]}
        try:
            return self.ask(self.session + "/execute/sync", script)
        except urllib.error.HTTPError:
            # A page that loads anew takes the question with it.
            return False

    def close(self):
        urllib.request.urlopen(urllib.request.Request(self.address + self.session, method="DELETE")).close()
        self.driver.terminate()
        self.driver.wait()


def start(binary, folder):
    """A preview, its address, and the seconds until it was told."""
    began = time.perf_counter()
    command = [binary, "preview", "store.yaml", "--port", str(free_port())]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = process.stdout.readline()
    seconds = time.perf_counter() - began
    if "http" not in line:
        sys.exit("the preview did not start")
    return process, line[line.index("http") :].strip(), seconds


def stop(process):
    process.terminate()
    process.wait()


def row(label, seconds):
    print(f"{label:<44}  median {statistics.median(seconds) * 1000:>5.0f} ms   slowest {max(seconds) * 1000:>5.0f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "target" / "release" / "storegen", type=lambda text: Path(text).resolve())
    parser.add_argument("--rounds", default=15, type=int)
    options = parser.parse_args()
    if not options.binary.is_file():
        sys.exit(f"{options.binary} is missing; run `cargo build --release` first")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "boutique"
        shutil.copytree(ROOT / "examples" / "boutique", folder, ignore=shutil.ignore_patterns("store", ".storegen", "screenshots"))
        config = folder / "store.yaml"
        config.write_text(config.read_text().replace("theme: modern-minimal", "theme: ./theme"))
        partial = folder / "theme" / "templates" / "pages" / "about.hbs"
        partial.parent.mkdir(parents=True)
        partial.write_text("<h1>Round 0</h1>")
        (folder / "content").mkdir(exist_ok=True)
        sizes = folder / "content" / "sizes.md"
        sizes.write_text("---\ntitle: Sizes\n---\nRound 0\n")
        catalog = folder / "catalog" / "products.jsonl"
        products = catalog.read_text()

        first, again = [], []
        for _ in range(options.rounds):
            shutil.rmtree(folder / ".storegen", ignore_errors=True)
            for times in (first, again):
                process, _, seconds = start(options.binary, folder)
                times.append(seconds)
                stop(process)
        row("start, for the first time", first)
        row("start, later", again)

        process, address, _ = start(options.binary, folder)
        browser = Browser()
        changes = [
            ("a partial", "about/", lambda text: partial.write_text(f"<h1>{text}</h1>")),
            ("a Markdown page", "sizes/", lambda text: sizes.write_text(f"---\ntitle: Sizes\n---\n{text}\n")),
            ("a line of the catalogue", "products/", lambda text: catalog.write_text(products.replace('"Penrose"', f'"Penrose {text}"'))),
        ]
        for label, path, change in changes:
            browser.open(address + path)
            times = []
            for number in range(1, options.rounds + 1):
                text = f"Round {number}"
                began = time.perf_counter()
                change(text)
                while not browser.shows(text):
                    if time.perf_counter() - began > 60:
                        sys.exit(f"{label}: the change never came")
                    time.sleep(0.005)
                times.append(time.perf_counter() - began)
            row(f"{label}, until it is in the browser", times)
        browser.close()
        stop(process)


main()
