#!/usr/bin/env python3
"""Times whole runs of storegen and prints where the time goes.

    benches/whole_program.py [--sizes 1000,10000] [--binary target/release/storegen] [--threads N] [--shard N/OF] [--peak MIB]
                             [--keep DIR] [--versus CMD]

Makes a catalogue of each size with make_catalog.py, runs `storegen generate` on it twice (a cold run, then one over its own output)
and prints products per second, CPU seconds and peak memory, in all and by phase: counts and seconds are the job record's, CPU and
memory are asked of the system at each change of phase. Between the two runs a plain program writes the same files with the same
bytes, with as many processes as there are processors: what writing costs, whoever writes; storegen's own time includes flushing
all to the disk before it publishes, which is timed apart here. At the end stands how much memory a product takes, from the smallest
and the largest catalogue.
`--versus CMD` times another program on the same catalogue: `{catalog}` and `{output}` in CMD stand for folders.
Nothing here fails on a slow machine; only on a run that fails, or takes more memory than `--peak`.
"""

import argparse
import json
import multiprocessing
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
images:
  download: false
catalog:
  uri: catalog
"""


class Measured:
    """One run of a command: what it printed, wall and CPU seconds, peak memory in MiB, and CPU and peak by phase."""

    def __init__(self, command, cwd):
        self.phases = {}
        self.seen = None
        self.record = 0.0
        with tempfile.TemporaryFile() as output:
            began = time.perf_counter()
            process = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=subprocess.PIPE)
            tail = []
            for line in process.stderr:
                tail = tail[-30:] + [line.decode(errors="replace")]
                self.follow(process.pid, line)
            _, status, usage = os.wait4(process.pid, 0)
            self.wall = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu = usage.ru_utime + usage.ru_stime
            self.peak = usage.ru_maxrss / 1024
            self.close(self.cpu, self.peak)
            if process.returncode != 0:
                sys.exit(f"{shlex.join(map(str, command))} failed with {process.returncode}\n{''.join(tail)}")
            output.seek(0)
            self.output = output.read()

    def follow(self, pid, line):
        """Takes the processor time and peak memory at each change of phase."""
        try:
            phase = json.loads(line).get("phase")
        except (ValueError, AttributeError):
            return
        if not phase:
            return
        self.record = max(self.record, thread_seconds(pid, "job record"))
        if self.seen and self.seen[0] == phase:
            return
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            peak = next((int(row.split()[1]) / 1024 for row in status if row.startswith("VmHWM")), 0)
        self.close(cpu, peak)
        self.seen = (phase, cpu)

    def close(self, cpu, peak):
        if self.seen:
            phase, began = self.seen
            before = self.phases.get(phase, (0, 0))[0]
            self.phases[phase] = (before + cpu - began, peak)


def thread_seconds(pid, name):
    """CPU seconds that a thread of a process has taken so far."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            if (thread / "comm").read_text().strip() == name:
                return int((thread / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue  # It has ended meanwhile.
    return 0.0


def written_plainly(files):
    """Writes files, given as pairs of paths, from the one to the other. Reading them is not measured. Wall and CPU seconds."""
    wall = cpu = 0
    folders = set()
    for at in range(0, len(files), 500):
        batch = [(target, source.read_bytes()) for source, target in files[at : at + 500]]
        began, cpu_began = time.perf_counter(), time.process_time()
        for target, contents in batch:
            folder = os.path.dirname(target)
            if folder not in folders:
                os.makedirs(folder, exist_ok=True)
                folders.add(folder)
            file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            os.write(file, contents)
            os.close(file)
        wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - cpu_began
    return wall, cpu


def write_plainly(store, target):
    """Wall and CPU seconds of writing the files of a store somewhere else, and wall seconds until they are safe on the disk."""
    files = sorted(path for path in store.rglob("*") if path.is_file())
    files = [(path, f"{target}/{path.relative_to(store)}") for path in files]
    count = os.cpu_count() or 1
    share = -(-len(files) // count)
    os.sync()
    with multiprocessing.Pool(count) as pool:
        times = pool.map(written_plainly, [files[at : at + share] for at in range(0, len(files), share)], chunksize=1)
    began = time.perf_counter()
    os.sync()
    flushing = time.perf_counter() - began
    shutil.rmtree(target)
    return max(wall for wall, _ in times), sum(cpu for _, cpu in times), flushing


def row(*cells):
    print("  ".join(f"{cell:<36}" if place == 0 else f"{cell:>12}" for place, cell in enumerate(cells)), flush=True)


def bench(size, options, scratch):
    folder = scratch / str(size)
    subprocess.run([sys.executable, HERE / "make_catalog.py", str(size), folder / "catalog"], check=True)
    (folder / "store.yaml").write_text(STORE, encoding="utf-8")
    command = [options.binary, "generate", "store.yaml", "--json", "--progress", "json"]
    if options.threads:
        command += ["--threads", str(options.threads)]
    if options.shard:
        command += ["--shard", options.shard, "--output", "store"]
    most = 0
    for label in ("cold", "over its own output"):
        run = Measured(command, folder)
        most = max(most, run.peak)
        row(f"{size} products, {label}", f"{size / run.wall:.0f}/s", f"{run.wall:.2f} s", f"{run.cpu:.2f} s", f"{run.peak:.0f} MiB")
        for name, phase in json.loads(run.output)["performance_metrics"]["phases"].items():
            seconds, count = phase["seconds"], phase["count"]
            cpu, peak = run.phases.get(name, (None, None))
            row(
                f"    {name} ({count} steps)",
                f"{count / seconds:.0f}/s" if seconds else "",
                f"{seconds:.2f} s",
                "" if cpu is None else f"{cpu:.2f} s",
                "" if peak is None else f"{peak:.0f} MiB",
            )
        row("    keeping the job's record", f"{run.record / run.cpu:.2%} of CPU", "", f"{run.record:.3f} s")
        if label == "cold":
            wall, cpu, flushing = write_plainly(folder / "store", folder / "plain")
            row("    the same files, plainly written", "", f"{wall:.2f} s", f"{cpu:.2f} s")
            row("    the same, and safe on the disk", "", f"{wall + flushing:.2f} s")
            whole = f"{run.wall / (wall + flushing):.2f} times that of writing what outlives a power cut, as storegen does"
            print(f"    {run.wall / wall:.2f} times the wall time of writing alone, {whole}")
    pages = sum(1 for path in (folder / "store").rglob("*") if path.is_file())
    weight = sum(path.stat().st_size for path in (folder / "store").rglob("*") if path.is_file())
    print(f"    {pages} files, {weight / 1e6:.1f} MB")
    if options.versus:
        other = options.versus.format(catalog=folder / "catalog", output=folder / "other")
        run = Measured(["sh", "-c", other], folder)
        row(f"{size} products, the other", f"{size / run.wall:.0f}/s", f"{run.wall:.2f} s", f"{run.cpu:.2f} s", f"{run.peak:.0f} MiB")
    return most


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--binary", default=HERE.parent / "target" / "release" / "storegen", type=lambda text: Path(text).resolve())
    parser.add_argument("--threads", type=int)
    parser.add_argument("--shard", metavar="N/OF", help="make one part of the pages; products are read and ordered all the same")
    parser.add_argument("--peak", type=int, metavar="MIB", help="fail where a run took more memory than this")
    parser.add_argument("--versus", metavar="CMD")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave catalogues and stores there")
    options = parser.parse_args()
    if not options.binary.is_file():
        sys.exit(f"{options.binary} is missing; run `cargo build --release` first")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    scratch = Path(options.keep or tempfile.mkdtemp(prefix="storegen-bench-")).resolve()
    print(f"{os.cpu_count()} processors\n")
    row("", "rate", "wall", "CPU", "peak so far")
    try:
        peaks = {size: bench(size, options, scratch) for size in options.sizes}
        few, many = min(peaks), max(peaks)
        if many > few:
            print(f"{(peaks[many] - peaks[few]) * 2**20 / (many - few):.0f} bytes of memory for each further product")
        if options.peak and max(peaks.values()) > options.peak:
            sys.exit(f"at its peak, a run took {max(peaks.values()):.0f} MiB in place of at most {options.peak}")
    finally:
        if not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
