#!/usr/bin/env bash
# Builds the boutique and photographs it with headless Chromium into examples/boutique/screenshots/.
# Needs chromium and Python 3; cwebp (apt: webp) makes the pictures small.
set -euo pipefail
cd "$(dirname "$0")/.."

storegen=${STOREGEN:-target/release/storegen}
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cp -r examples/boutique/catalog "$work/"
sed "s|^base_url:.*|base_url: http://127.0.0.1:$port/|" examples/boutique/store.yaml >"$work/store.yaml"
"$storegen" generate "$work/store.yaml" --quiet
python3 -m http.server "$port" --bind 127.0.0.1 --directory "$work/store" >/dev/null 2>&1 &
server=$!
until curl -sf "http://127.0.0.1:$port/" >/dev/null; do kill -0 "$server"; sleep 0.1; done

out=examples/boutique/screenshots
mkdir -p "$out"
shoot() { # name, path, width, height
    chromium --headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
        --disable-sync --hide-scrollbars --user-data-dir="$work/profile" --virtual-time-budget=4000 \
        --window-size="$3,$4" --screenshot="$work/$1.png" "http://127.0.0.1:$port/$2" >/dev/null 2>&1
    cwebp -quiet -q 82 "$work/$1.png" -o "$out/$1.webp"
    echo "$out/$1.webp"
}
shoot home "" 1280 1000
shoot product products/ashby/ 1280 1000
shoot face-shape face-shapes/heart/ 1280 1000
shoot listing "products/?face=heart&shape=round,oval" 1280 1000
shoot search "search/?q=tortoise" 1280 1000
shoot finder face-shapes/ 1280 1000
# Chromium's windows are at least 500 pixels wide, which is a large phone.
shoot phone-listing products/ 500 1000
shoot phone-product products/ashby/ 500 1000
