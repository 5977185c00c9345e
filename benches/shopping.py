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
    of_index = 0
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
            Host.of_index += len(body) * self.path.startswith("/search/")

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

    def run(self, script, *arguments):
        return self.ask(self.session + "/execute/async", {"script": script, "args": arguments})

    def press(self, selector):
        """Moves the pointer onto an element like a hand does, and presses."""
        found = self.ask(self.session + "/element", {"using": "css selector", "value": selector})
        self.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' }); arguments[1]()", found)
        actions = [{"type": "pointerMove", "duration": 100, "x": 0, "y": 0, "origin": found}, {"type": "pause", "duration": 150}]
        actions += [{"type": "pointerDown", "button": 0}, {"type": "pause", "duration": 60}, {"type": "pointerUp", "button": 0}]
        self.ask(self.session + "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def close(self):
        self.driver.terminate()
        self.driver.wait()


# Times from an event to the new list in the document, and to the frame that shows it.
TIMED = """
const [kind, done] = arguments;
const results = document.querySelector('[data-results]');
let begin = 0, changed = 0;
addEventListener(kind, () => { begin ||= performance.now(); }, { capture: true, once: true });
new MutationObserver(() => { changed = performance.now(); }).observe(results, { childList: true });
window.timed = new Promise((resolve) => {
  const look = () => {
    if (changed && !results.hasAttribute('aria-busy')) requestAnimationFrame(() => setTimeout(() => resolve([changed - begin, performance.now() - begin])));
    else setTimeout(look, 4);
  };
  look();
});
done();
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

        def measured(name, page, ready, kind, action, rounds=5):
            lists, frames, firsts, sizes, index = [], [], [], [], []
            for _ in range(rounds):
                browser.devtools("Network.clearBrowserCache")
                browser.go("about:blank")
                browser.go(base + page)
                browser.run(READY % ready)
                before, before_index = Host.sent, Host.of_index
                browser.run(TIMED, kind)
                action()
                to_list, to_frame = browser.run("timed.then(arguments[arguments.length - 1])")
                firsts.append(Host.sent - before)
                index.append(Host.of_index - before_index)
                lists.append(to_list)
                frames.append(to_frame)
                browser.run("setTimeout(arguments[arguments.length - 1], 500)")
                sizes.append(Host.sent - before)
            answer, words, whole = (statistics.median(sent) / 1000 for sent in (firsts, index, sizes))
            times = f"{statistics.median(lists):5.0f} ms to the list, {statistics.median(frames):5.0f} ms to the screen"
            print(f"  {name:24} {times}, {answer:6.1f} kB (search index {words:.1f}), {whole:6.1f} kB in all", flush=True)

        def press(facet, value):
            return lambda: browser.press(f"label:has(> input[name={facet}][value={value}])")

        def run(script):
            return lambda: browser.run(script + "; arguments[arguments.length - 1]()")

        shape, ready = "input[name=shape]", "input[name=face]:not(:disabled)"
        measured("filter", "products/", shape, "click", press("shape", "round"))
        measured("second filter", "products/?shape=round", ready, "click", press("face", "heart"))
        measured("order by price", "products/", shape, "change", run("const order = document.querySelector('[data-sort]'); order.value = 'price-asc'; order.dispatchEvent(new Event('change', { bubbles: true }))"))
        for query in ["willow", "tortoise round", "acetate", "wilow"]:
            ask = run(f"const field = document.querySelector('#search-field'); field.value = '{query}'; field.form.requestSubmit()")
            measured(f"search: {query}", "search/", "#search-field", "submit", ask)
    finally:
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
