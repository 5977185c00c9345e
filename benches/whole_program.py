#!/usr/bin/env python3
"""Times whole runs of storegen and prints where the time goes.

    benches/whole_program.py [--sizes 1000,10000] [--binary target/release/storegen] [--threads N] [--keep DIR] [--versus CMD]

Makes a catalogue of each size with make_catalog.py, runs `storegen generate` on it twice (a cold run, then one over its own output)
and prints products per second, CPU seconds and peak memory of the process, and the seconds of each phase from the job record.
`--versus CMD` times another program on the same catalogue: `{catalog}` and `{output}` in CMD stand for folders.
Nothing here fails on a slow machine; only on a run that fails.
"""

import argparse
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
STORE = """\
store_name: Benchmark
base_url: https://shop.example/
currency: EUR
products_per_page: 24
output: store
catalog:
  uri: catalog
"""


def measured(command, cwd):
    """Runs a command; its standard output, wall seconds, CPU seconds and peak memory in MiB."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            sys.exit(f"{shlex.join(map(str, command))} failed with {process.returncode}\n{errors.read().decode(errors='replace')[-4000:]}")
        return output.read(), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row(*cells):
    print("  ".join(f"{cell:<26}" if place == 0 else f"{cell:>12}" for place, cell in enumerate(cells)), flush=True)


def phases(record):
    """Seconds and counts by phase, as the job record has them."""
    metrics = record["performance_metrics"]
    found = metrics.get("phases", metrics.get("seconds_by_phase", {}))
    for name, value in found.items() if isinstance(found, dict) else ((item["phase"], item) for item in found):
        if isinstance(value, dict):
            yield name, value.get("seconds"), value.get("count", value.get("steps"))
        else:
            yield name, value, metrics.get("counts_by_phase", {}).get(name)


def bench(size, options, scratch):
    folder = scratch / str(size)
    subprocess.run([sys.executable, HERE / "make_catalog.py", str(size), folder / "catalog"], check=True)
    (folder / "store.yaml").write_text(STORE, encoding="utf-8")
    command = [options.binary, "generate", "store.yaml", "--json", "--quiet"]
    if options.threads:
        command += ["--threads", str(options.threads)]
    for label in ("cold", "over its own output"):
        output, wall, cpu, peak = measured(command, folder)
        row(f"{size} products, {label}", f"{size / wall:.0f}/s", f"{wall:.2f} s", f"{cpu:.2f} s CPU", f"{peak:.0f} MiB")
        for name, seconds, count in phases(json.loads(output)):
            rate = f"{count / seconds:.0f}/s" if count and seconds else ""
            row(f"    {name}", rate, "" if seconds is None else f"{seconds:.2f} s", "", "" if count is None else f"{count} steps")
    pages = sum(1 for path in (folder / "store").rglob("*") if path.is_file())
    weight = sum(path.stat().st_size for path in (folder / "store").rglob("*") if path.is_file())
    print(f"    {pages} files, {weight / 1e6:.1f} MB")
    if options.versus:
        other = options.versus.format(catalog=folder / "catalog", output=folder / "other")
        _, wall, cpu, peak = measured(["sh", "-c", other], folder)
        row(f"{size} products, the other", f"{size / wall:.0f}/s", f"{wall:.2f} s", f"{cpu:.2f} s CPU", f"{peak:.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--binary", default=HERE.parent / "target" / "release" / "storegen", type=lambda text: Path(text).resolve())
    parser.add_argument("--threads", type=int)
    parser.add_argument("--versus", metavar="CMD")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave catalogues and stores there")
    options = parser.parse_args()
    if not options.binary.is_file():
        sys.exit(f"{options.binary} is missing; run `cargo build --release` first")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    scratch = Path(options.keep or tempfile.mkdtemp(prefix="storegen-bench-")).resolve()
    print(f"{os.cpu_count()} processors\n")
    row("", "products", "wall", "processor", "peak memory")
    try:
        for size in options.sizes:
            bench(size, options, scratch)
    finally:
        if not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
