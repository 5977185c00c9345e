#!/usr/bin/env python3
"""Measures how pictures are made ready, side by side with sharp: CPU seconds of whole processes, bytes, quality, memory.

    benches/images.py [--photos 100] [--binary target/release/storegen] [--formats jpeg,jpeg+webp,avif] [--scored 12]

Makes photos of 1 to 12 megapixels from those that scikit-image brings along: pieces of them, enlarged, mirrored and put together, so that
each has the textures, edges and noise of real ones. Then, for each set of formats, runs `storegen generate` on a catalogue with one product
for each photo, and sharp (npm, in a process of its own) on the same files to the same widths, and prints the ratios. Quality is SSIMULACRA2
against the photo reduced with Pillow. sharp is run at three qualities, so that its bytes at equal quality can be read off a line.

AVIF is only worth measuring with a binary that was built with `--features avif-assembly`.

What it needs (Pillow, scikit-image, ssimulacra2, sharp) is installed below target/bench. Nothing here fails on a slow machine; CPU seconds
hardly change when other programs run, wall seconds do, so only the former are compared.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACE = HERE.parent / "target" / "bench"
WIDTHS = [320, 640, 960, 1440]
SHARP = "sharp@0.35"
PACKAGES = ["pillow>=11.3,<13", "scikit-image", "ssimulacra2"]
QUALITY = {"jpeg": 80, "webp": 80, "avif": 65}
# Around the qualities that come out alike; sharp's own defaults are 80, 80 and 50.
SHARP_QUALITY = {"jpeg": [80, 88, 94], "webp": [70, 80, 90], "avif": [40, 50, 60]}

SCRIPT = """
const sharp = require("sharp");
const fs = require("fs");
const [folder, target, formats, widths, quality, effort] = JSON.parse(process.argv[2]);
sharp.cache(false);
(async () => {
  for (const name of fs.readdirSync(folder).sort()) {
    const bytes = fs.readFileSync(`${folder}/${name}`);
    const { width: own } = await sharp(bytes).metadata();
    for (const width of widths.filter((width) => width <= own)) {
      for (const format of formats) {
        const options = { quality: quality[format] };
        if (format === "avif" && effort !== null) options.effort = effort;
        await sharp(bytes).rotate().resize({ width }).toFormat(format, options).toFile(`${target}/${name.replace(".jpg", "")}-${width}.${format}`);
      }
    }
  }
})();
"""


def install():
    """Runs the rest in an environment that has what it needs."""
    python = PLACE / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PLACE / "venv"], check=True)
    if subprocess.run([python, "-c", "import PIL, skimage, ssimulacra2"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True)
    if not (PLACE / "node_modules" / "sharp").exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        (PLACE / "package.json").write_text("{}\n")
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", SHARP], cwd=PLACE, check=True)
    if Path(sys.prefix).resolve() != (PLACE / "venv").resolve():
        os.execv(python, [python, *sys.argv])


def make_photos(folder, count):
    """Photos made of pieces of real ones; the same every time."""
    import skimage
    from PIL import Image, ImageOps

    data = Path(skimage.__file__).parent / "data"
    names = ["astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "hubble_deep_field.jpg", "retina.jpg", "color.png"]
    real = [Image.open(data / name).convert("RGB") for name in names if (data / name).exists()]
    real = [picture for picture in real if min(picture.size) >= 300]
    if not real:
        sys.exit("scikit-image brings no photos along")
    chance = random.Random(7)
    for number in range(count):
        pixels = 1e6 * 12 ** (number / max(1, count - 1))
        width = round((pixels * 4 / 3) ** 0.5)
        height = round(width * 3 / 4)
        photo = Image.new("RGB", (width, height))
        columns = max(2, width // 700)
        side = -(-width // columns)
        for top in range(0, height, side):
            for left in range(0, width, side):
                source = chance.choice(real)
                piece = min(*source.size, chance.randint(260, 420))
                x, y = (chance.randint(0, length - piece) for length in source.size)
                tile = source.crop((x, y, x + piece, y + piece)).resize((side, side), Image.Resampling.LANCZOS)
                photo.paste(ImageOps.mirror(tile) if chance.random() < 0.5 else tile, (left, top))
        grain = Image.effect_noise((width, height), 12).convert("RGB")
        Image.blend(photo, grain, 0.04).save(folder / f"{number:03}.jpg", quality=92, progressive=number % 5 == 4)


# A process starts with the peak of the one that it was forked from, so a small one starts those that are measured.
MEASURING = """
import os, sys
pid = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(command, cwd):
    """CPU seconds, and the most memory in MiB that the process held."""
    command = [sys.executable, "-S", "-c", MEASURING, *map(str, command)]
    finished = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(finished.stderr)
    cpu, peak = finished.stdout.splitlines()[-1].split()
    return float(cpu), float(peak)


def store(folder, photos, formats):
    """A store with one product for each photo."""
    (folder / "catalog").mkdir(parents=True)
    products = []
    for photo in photos:
        os.link(photo, folder / "catalog" / photo.name)
        products.append({"_id": photo.stem, "name": f"Frame {photo.stem}", "price": 99, "currency": "EUR", "in_stock": True, "active": True, "media": {"primary_image": photo.name}})
    (folder / "catalog" / "products.jsonl").write_text("".join(json.dumps(product) + "\n" for product in products))
    (folder / "store.yaml").write_text(
        "store_name: Benchmark\nbase_url: https://shop.example/\noutput: store\ncatalog: {uri: catalog}\n"
        + f"images: {{widths: {WIDTHS}, formats: [{', '.join(formats)}], quality: {json.dumps(QUALITY)}}}\n"
    )


def ours_of(folder):
    """Finished files by photo, width and format."""
    import re

    found = {}
    for page in (folder / "store" / "products").glob("frame-*/index.html"):
        gallery = page.read_text().split("<figure")[1].split("</figure>")[0]
        for address, width in re.findall(r"/(assets/media/[0-9a-f]+-(\d+)\.\w+)", gallery):
            path = folder / "store" / address
            found[page.parent.name.removeprefix("frame-"), int(width), {"jpg": "jpeg"}.get(path.suffix[1:], path.suffix[1:])] = path
    return found


def score(photo, path, width):
    """SSIMULACRA2 of a finished file."""
    from PIL import Image
    from ssimulacra2 import compute_ssimulacra2

    with tempfile.TemporaryDirectory() as place:
        original, made = Path(place, "original.png"), Path(place, "made.png")
        finished = Image.open(path).convert("RGB")
        finished.save(made)
        Image.open(photo).convert("RGB").resize(finished.size, Image.Resampling.LANCZOS).save(original)
        return compute_ssimulacra2(str(original), str(made))


def at_quality(points, wanted):
    """Bytes at a score, on the line through the measured points."""
    points = sorted(points)
    low, high = points[0], points[-1]
    for one, other in zip(points, points[1:]):
        if one[0] <= wanted <= other[0]:
            low, high = one, other
    share = (wanted - low[0]) / (high[0] - low[0]) if high[0] != low[0] else 0
    return low[1] + share * (high[1] - low[1])


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def compare(place, photos, formats, binary, scored, effort):
    """Runs both on all photos and prints what came of it."""
    ours = place / "ours"
    store(ours, photos, formats)
    our_cpu, our_peak = run([binary, "generate", "--quiet", "store.yaml"], ours)
    again, _ = run([binary, "generate", "--quiet", "store.yaml"], ours)
    made = ours_of(ours)
    theirs = place / "theirs"
    theirs.mkdir()
    quality = {name: SHARP_QUALITY[name][1] for name in formats}
    their_cpu, their_peak = run(["node", "-e", SCRIPT, "sharp", json.dumps([str(photos[0].parent), str(theirs), formats, WIDTHS, quality, effort])], PLACE)
    ratio = our_cpu / their_cpu
    title = "+".join(formats) + ("" if effort is None else f" (sharp's effort {effort})")
    print(f"\n{title}: {len(photos)} photos, {len(made)} files", flush=True)
    print(f"  CPU     {our_cpu:7.1f} s   sharp {their_cpu:7.1f} s   ratio {ratio:.2f}   (run again: {again:.1f} s)")
    print(f"  memory  {our_peak:7.0f} MB  sharp {their_peak:7.0f} MB", flush=True)
    some = photos[:: max(1, len(photos) // scored)][:scored] if scored else []
    for name in formats if some else []:
        keys = [(photo.stem, width, name) for photo in some for width in WIDTHS if (photo.stem, width, name) in made]
        curve = []
        for step in SHARP_QUALITY[name]:
            target = place / f"{name}-{step}"
            target.mkdir()
            source = place / "some"
            if not source.exists():
                source.mkdir()
                for photo in some:
                    os.link(photo, source / photo.name)
            run(["node", "-e", SCRIPT, "sharp", json.dumps([str(source), str(target), [name], WIDTHS, {name: step}, effort])], PLACE)
            files = {key: target / f"{key[0]}-{key[1]}.{name}" for key in keys}
            curve.append((mean(score(photos[0].parent / f"{key[0]}.jpg", path, key[1]) for key, path in files.items()), sum(path.stat().st_size for path in files.values())))
        our_score = mean(score(photos[0].parent / f"{key[0]}.jpg", made[key], key[1]) for key in keys)
        our_bytes = sum(made[key].stat().st_size for key in keys)
        equal = at_quality(curve, our_score)
        points = ", ".join(f"{bytes_ / 1e6:.2f} MB at {value:.1f}" for value, bytes_ in curve)
        print(f"  {name:5} {our_bytes / 1e6:.2f} MB at SSIMULACRA2 {our_score:.1f}; sharp {points}; bytes at equal quality: {our_bytes / equal:.2f} of sharp's", flush=True)
    shutil.rmtree(place)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--binary", default=HERE.parent / "target" / "release" / "storegen", type=Path)
    parser.add_argument("--formats", default="jpeg,jpeg+webp,avif")
    parser.add_argument("--scored", type=int, default=12, help="photos whose quality is measured; 0 for none")
    options = parser.parse_args()
    install()
    from PIL import Image

    binary = options.binary.resolve()
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        place = Path(folder)
        photos = place / "photos"
        photos.mkdir()
        make_photos(photos, options.photos)
        photos = sorted(photos.iterdir())
        print(f"{len(photos)} photos, {sum(photo.stat().st_size for photo in photos) / 1e6:.0f} MB")
        for formats in options.formats.split(","):
            for effort in [None, 1] if formats == "avif" else [None]:
                compare(place / "run", photos, formats.split("+"), binary, options.scored, effort)
        print()
        for kind in ["baseline", "progressive"]:
            one = place / kind
            one.mkdir()
            photo = one / "photo.jpg"
            with Image.open(photos[-1]) as largest:
                largest.resize((4000, 3000)).save(photo, quality=92, progressive=kind == "progressive")
            store(one / "store", [photo], ["webp", "jpeg"])
            _, peak = run([binary, "generate", "--quiet", "store.yaml"], one / "store")
            print(f"memory for one {kind} photo of {photo.stat().st_size / 1e6:.1f} MB, 12 megapixels: {peak:.0f} MB")


if __name__ == "__main__":
    main()
