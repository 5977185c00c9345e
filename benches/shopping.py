#!/usr/bin/env python3
"""What a shopper with a slow phone waits for, in a real browser: a filter's answer, and a search's first results.

    benches/shopping.py STORE [--throttle 4]

STORE is a generated store's folder. It is served on loopback, compressed as a host would. Prints milliseconds from the click to the
new list on show, the bytes that went over the wire until then, and those that followed. Needs chromedriver and Chromium (tests/install.sh).
"""

import argparse
import gzip
import http.server
import json
import mimetypes
import socket
import statistics
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit



class Host(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root = Path()
    sent = 0
    lock = threading.Lock()

    def do_GET(self):
        path = self.root / unquote(urlsplit(self.path).path).lstrip("/")
        if path.is_dir():
            path = path / "index.html"
        status = 200 if path.is_file() else 404
        body = path.read_bytes() if status == 200 else b"not here"
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        packed = not kind.startswith("image/") or kind.endswith("svg+xml")
        body = gzip.compress(body, 6) if packed else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)
        with Host.lock:
            Host.sent += len(body)

    def log_message(self, *_):
        pass


class Browser:
    def __init__(self, throttle):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.address = f"http://127.0.0.1:{port}"
        while True:
            try:
                urllib.request.urlopen(self.address + "/status").read()
                break
            except OSError:
                time.sleep(0.05)
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]}
        session = self.ask("/session", {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}})
        self.session = f"/session/{session['sessionId']}"
        self.ask(self.session + "/timeouts", {"script": 60_000})
        self.devtools("Emulation.setCPUThrottlingRate", rate=throttle)
        self.devtools("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)

    def ask(self, path, body):
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))["value"]

    def devtools(self, command, **parameters):
        return self.ask(self.session + "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def go(self, address):
        self.ask(self.session + "/url", {"url": address})

    def run(self, script):
        return self.ask(self.session + "/execute/async", {"script": script, "args": []})

    def close(self):
        self.driver.terminate()
        self.driver.wait()


# Runs an action; ends when the list is a new one and nothing is pending, in the frame that shows it.
TIMED = """
const done = arguments[arguments.length - 1];
const results = document.querySelector('[data-results]');
const begin = performance.now();
let changed = 0;
const look = () => {
  if (changed && !results.hasAttribute('aria-busy')) requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin)));
  else setTimeout(look, 2);
};
new MutationObserver(() => { changed ||= performance.now(); }).observe(results, { childList: true });
%s;
look();
"""
READY = "const done = arguments[arguments.length - 1]; const look = () => document.querySelector('%s') ? setTimeout(done, 700) : setTimeout(look, 20); look();"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--throttle", type=float, default=4, help="how many times slower the processor seems (default 4)")
    options = parser.parse_args()

    Host.root = options.store.resolve()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    browser = Browser(options.throttle)
    try:
        count = json.loads((options.store / "index/facets.json").read_text())["count"]
        print(f"{count} products, processor {options.throttle:g} times slower")

        def measured(name, page, ready, action, rounds=5):
            times, firsts, sizes = [], [], []
            for _ in range(rounds):
                browser.devtools("Network.clearBrowserCache")
                browser.go("about:blank")
                browser.go(base + page)
                browser.run(READY % ready)
                before = Host.sent
                times.append(browser.run(TIMED % action))
                firsts.append(Host.sent - before)
                browser.run("setTimeout(arguments[arguments.length - 1], 500)")
                sizes.append(Host.sent - before)
            answer, whole = (statistics.median(sent) / 1000 for sent in (firsts, sizes))
            print(f"  {name:32} {statistics.median(times):6.0f} ms  {answer:7.1f} kB  {whole:7.1f} kB in all")

        pick = "document.querySelector('input[name=%s]:not(:disabled)').click()"
        first = "input[name=shape]"
        measured("first filter, nothing loaded", "products/", first, pick % "shape")
        warm = "const pick = () => document.querySelector('input[name=face]:not(:disabled)').click(); pick()"
        measured("second filter", "products/?shape=round", ".pill", warm)
        measured("order by price", "products/", first, "const order = document.querySelector('[data-sort]'); order.value = 'price-asc'; order.dispatchEvent(new Event('change'))")
        search = "const field = document.querySelector('#search-field'); field.value = '%s'; field.form.requestSubmit()"
        for query in ["willow", "tortoise round", "acetate", "wilow"]:
            measured(f"search: {query}", "search/", "#search-field", search % query)
    finally:
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
