#!/usr/bin/env bash
# Builds the boutique in each theme and photographs it with headless Chromium, into examples/boutique/screenshots/ and
# themes/screenshots/. Needs chromium and Python 3; cwebp (apt: webp) makes the pictures small.
set -euo pipefail
cd "$(dirname "$0")/.."

storegen=${STOREGEN:-target/release/storegen}
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

# The store in a theme, served; leaves its port in $port.
serve() { # theme
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    rm -rf "$work/$1" && cp -r examples/boutique "$work/$1"
    rm -rf "$work/$1/store" "$work/$1/.storegen"
    sed -e "s|^base_url:.*|base_url: http://127.0.0.1:$port/|" -e "s|^theme:.*|theme: $1|" \
        examples/boutique/store.yaml >"$work/$1/store.yaml"
    "$storegen" generate "$work/$1/store.yaml" --quiet
    python3 -m http.server "$port" --bind 127.0.0.1 --directory "$work/$1/store" >/dev/null 2>&1 &
    server=$!
    until curl -sf "http://127.0.0.1:$port/" >/dev/null; do kill -0 "$server"; sleep 0.1; done
}

shoot() { # file without ending, path, width, height, quality
    chromium --headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
        --disable-sync --hide-scrollbars --user-data-dir="$work/profile" --virtual-time-budget=4000 \
        --window-size="$3,$4" --screenshot="$work/shot.png" "http://127.0.0.1:$port/$2" >/dev/null 2>&1
    mkdir -p "$(dirname "$1")"
    cwebp -quiet -q "$5" "$work/shot.png" -o "$1.webp"
    echo "$1.webp"
}

serve modern-minimal
out=examples/boutique/screenshots
shoot $out/home "" 1280 1000 82
shoot $out/product products/ashby/ 1280 1000 82
shoot $out/face-shape face-shapes/heart/ 1280 1000 82
shoot $out/listing "products/?face=heart&shape=round,oval" 1280 1000 82
shoot $out/search "search/?q=tortoise" 1280 1000 82
shoot $out/finder face-shapes/ 1280 1000 82
# Chromium's windows are at least 500 pixels wide, which is a large phone.
shoot $out/phone-listing products/ 500 1000 82
shoot $out/phone-product products/ashby/ 500 1000 82

out=themes/screenshots
for theme in modern-minimal eyewear-focused classic-optician; do
    serve $theme
    for page in home: listing:products/ product:products/penrose/; do
        shoot "$out/$theme-${page%%:*}" "${page#*:}" 1280 900 70
        shoot "$out/$theme-phone-${page%%:*}" "${page#*:}" 500 900 70
    done
done
