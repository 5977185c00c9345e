#!/usr/bin/env python3
"""Photographs frames of a store in a studio that is only computed, so that the example has photos that belong to it.

    examples/studio/photograph.py STORE OUT PRODUCT...      # STORE is a generated store, with the drawings
    (needs: pip install numpy scipy pillow numba resvg-py)

A drawing's outline is given depth, bent round a face and given temples; rays are followed from a camera through the lenses to
a table, with a softbox above, reflections, and soft shadows that the lenses tint. The photos in catalog/photos/ were made with
it, so none of them shows a thing that exists, and they come under the same licence as everything here.
"""
import io
import math
import re
import sys
from pathlib import Path

import numpy as np
import resvg_py
from numba import njit
from PIL import Image
from scipy import ndimage

SCALE = 5.1          # pixels of a drawing to the millimetre
FINE = 3             # pixels of the outline to one of the drawing
WIDTH, HEIGHT = 1200, 900
CROPPED = 1080, 720
# Turn in degrees, height of the camera in degrees, width of the view in millimetres, rows cropped off above.
VIEWS = [(0, 9, 185, 18), (34, 15, 232, 80)]


def raster(svg, scale=FINE):
    png = resvg_py.svg_to_bytes(svg_string=svg, width=800 * scale, height=600 * scale)
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGBA"), np.float32) / 255


def parts(svg):
    """The front with its colours, and the lenses, each as a picture of its own."""
    head, _ = svg.split("</defs>", 1)
    mirrored = lambda name: f'<use href="#{name}"/><use href="#{name}" transform="matrix(-1 0 0 1 800 0)"/></svg>'
    front = raster(head + "</defs>" + mirrored("f"))
    lens = raster(head + "</defs>" + mirrored("l"))
    return front, lens[..., 3]


def distances(inside):
    """Signed distance to an edge in millimetres; negative inside."""
    field = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    return (ndimage.gaussian_filter(field, 1.2) / (SCALE * FINE)).astype(np.float32)


@njit(fastmath=True, cache=True)
def look(field, x, y):
    u, v = (x * 5.1 + 400.0) * 3.0, (288.0 - y * 5.1) * 3.0
    over = 0.0
    if u < 0.0:
        over += -u; u = 0.0
    if v < 0.0:
        over += -v; v = 0.0
    if u > field.shape[1] - 2.0:
        over += u - field.shape[1] + 2.0; u = field.shape[1] - 2.0
    if v > field.shape[0] - 2.0:
        over += v - field.shape[0] + 2.0; v = field.shape[0] - 2.0
    i, j = int(u), int(v)
    a, b = u - i, v - j
    top = field[j, i] * (1 - a) + field[j, i + 1] * a
    low = field[j + 1, i] * (1 - a) + field[j + 1, i + 1] * a
    return top * (1 - b) + low * b + over / 15.3


@njit(fastmath=True, cache=True)
def box(dx, dy, dz, r):
    dx += r; dy += r; dz += r
    inner = min(max(dx, max(dy, dz)), 0.0)
    return inner + math.sqrt(max(dx, 0.0) ** 2 + max(dy, 0.0) ** 2 + max(dz, 0.0) ** 2) - r


@njit(fastmath=True, cache=True)
def scene(front, shape, x, y, z):
    """Distance to the frame: shape is depth, edge, bend, hinge x, hinge y, drop, temple height, temple thickness."""
    bent = z + shape[2] * x * x
    d = look(front, x, y) + shape[1]
    w = abs(bent) - shape[0] / 2 + shape[1]
    best = min(max(d, w), 0.0) + math.sqrt(max(d, 0.0) ** 2 + max(w, 0.0) ** 2) - shape[1]
    back = -z - shape[2] * shape[3] * shape[3]
    ear = max(back - 92.0, 0.0)
    middle = shape[4] - shape[5] * (ear / 50.0) ** 1.6
    across = abs(abs(x) - (shape[3] - 0.035 * back)) - shape[7] / 2
    high = shape[6] * (1.0 - 0.25 * min(max(back, 0.0), 80.0) / 80.0 + 0.25 * min(ear, 40.0) / 40.0)
    along = max(-back - 1.2, back - 142.0)
    temple = box(across, (abs(y - middle) - high / 2) * 0.8, along, min(0.9, shape[7] / 2.2))
    return min(best, temple)


@njit(fastmath=True, cache=True)
def march(front, shape, ox, oy, oz, dx, dy, dz, start, far):
    t = start
    for _ in range(220):
        d = scene(front, shape, ox + dx * t, oy + dy * t, oz + dz * t)
        if d < 0.02:
            return t
        t += max(d * 0.7, 0.02)
        if t > far:
            break
    return -1.0


@njit(fastmath=True, cache=True)
def through(lens, bend, ox, oy, oz, dx, dy, dz, far):
    """Where a ray passes a lens nearest to its beginning; at most two times, as it is bent."""
    a, b, c = bend * dx * dx, dz + 2 * bend * ox * dx, oz + bend * ox * ox
    best = -1.0
    for sign in (-1.0, 1.0):
        if abs(a) < 1e-9:
            t = -c / b if abs(b) > 1e-9 else -1.0
        else:
            under = b * b - 4 * a * c
            if under < 0:
                continue
            t = (-b + sign * math.sqrt(under)) / (2 * a)
        if t > 0.05 and t < far and (best < 0 or t < best) and look(lens, ox + dx * t, oy + dy * t) < 0.0:
            best = t
    return best


@njit(fastmath=True, cache=True)
def studio(x, y, z):
    """Brightness of the studio in a direction: a softbox above, a strip to the left, a window of sorts behind the camera."""
    light = 0.52 + 0.3 * max(y, 0.0)
    if y > 0.0:
        u, v = x / (y + 0.05), (z - 0.15) / (y + 0.05)
        edge = max(abs(u) - 0.95, abs(v) - 0.55)
        light += 1.9 / (1.0 + math.exp(min(edge * 16.0, 60.0)))
    edge = max(abs(x + 0.86) - 0.09, abs(y - 0.2) - 0.38)
    light += 1.1 / (1.0 + math.exp(min(edge * 40.0, 60.0)))
    edge = max(abs(x - 0.9) - 0.05, abs(y - 0.15) - 0.3)
    light += 0.5 / (1.0 + math.exp(min(edge * 40.0, 60.0)))
    if y < 0.0:
        light = 0.72 + 0.1 * y
    return light


@njit(fastmath=True, cache=True)
def tint(tone, y):
    share = min(max((y + 18.0) / 36.0, 0.0), 1.0)
    return (tone[0] + (tone[3] - tone[0]) * share, tone[1] + (tone[4] - tone[1]) * share, tone[2] + (tone[5] - tone[2]) * share)


@njit(fastmath=True, cache=True)
def shadow(front, lens, shape, tone, x, y, z, jx, jz):
    """Light of the softbox at a point, as red, green, blue."""
    lx, ly, lz = -0.28 + jx, 0.9, 0.3 + jz
    n = math.sqrt(lx * lx + ly * ly + lz * lz)
    lx /= n; ly /= n; lz /= n
    if march(front, shape, x, y, z, lx, ly, lz, 0.6, 120.0) > 0:
        return (0.0, 0.0, 0.0)
    if through(lens, shape[2], x, y, z, lx, ly, lz, 120.0) > 0:
        r, g, b = tint(tone, 0.0)
        return (0.9 * r, 0.9 * g, 0.9 * b)
    return (1.0, 1.0, 1.0)


@njit(fastmath=True, cache=True)
def normal(front, shape, x, y, z):
    e = 0.12
    nx = scene(front, shape, x + e, y, z) - scene(front, shape, x - e, y, z)
    ny = scene(front, shape, x, y + e, z) - scene(front, shape, x, y - e, z)
    nz = scene(front, shape, x, y, z + e) - scene(front, shape, x, y, z - e)
    n = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
    return nx / n, ny / n, nz / n


@njit(fastmath=True, cache=True)
def table(front, lens, shape, tone, floor, x, z, ground, seed):
    r, g, b = 0.0, 0.0, 0.0
    near = x * x + (z + 40.0) ** 2 < 190.0 ** 2
    if near:
        for k in range(5):
            angle = 2.399963 * (k + seed)
            reach = 0.34 * math.sqrt((k + 0.5) / 5.0)
            light = shadow(front, lens, shape, tone, x, floor + 0.05, z, reach * math.cos(angle) * 1.5, reach * math.sin(angle))
            r += light[0]; g += light[1]; b += light[2]
        r /= 5.0; g /= 5.0; b /= 5.0
        open_ = 1.0 - 0.3 * math.exp(-max(scene(front, shape, x, floor + 1.2, z), 0.0) / 4.5)
    else:
        r = g = b = 1.0
        open_ = 1.0
    fade = 1.0 - 0.16 * min(math.sqrt(x * x + z * z) / 420.0, 1.0)
    return (ground[0] * fade * open_ * (0.58 + 0.42 * r), ground[1] * fade * open_ * (0.58 + 0.42 * g), ground[2] * fade * open_ * (0.58 + 0.42 * b))


@njit(fastmath=True, cache=True)
def surface(front, color, side, lens, shape, tone, gloss, metal, x, y, z, dx, dy, dz, seed):
    nx, ny, nz = normal(front, shape, x, y, z)
    facing = -(nx * dx + ny * dy + nz * dz)
    rx, ry, rz = dx + 2 * facing * nx, dy + 2 * facing * ny, dz + 2 * facing * nz
    back = -z - shape[2] * x * x
    if back < shape[0] * 0.5 + 0.4:
        u = min(max(int((x * 5.1 + 400.0) * 3.0), 0), color.shape[1] - 1)
        v = min(max(int((288.0 - y * 5.1) * 3.0), 0), color.shape[0] - 1)
        br, bg, bb = color[v, u, 0], color[v, u, 1], color[v, u, 2]
    else:
        u = min(max(int(back * 15.3), 0), side.shape[1] - 1)
        v = min(max(int((shape[4] - y + 40.0) * 15.3), 0), side.shape[0] - 1)
        br, bg, bb = side[v, u, 0], side[v, u, 1], side[v, u, 2]
    lr, lg, lb = 0.0, 0.0, 0.0
    for k in range(2):
        angle = 3.1416 * (k + 2.0 * seed)
        light = shadow(front, lens, shape, tone, x + nx * 0.3, y + ny * 0.3, z + nz * 0.3, 0.2 * math.cos(angle), 0.2 * math.sin(angle))
        lr += light[0] / 2; lg += light[1] / 2; lb += light[2] / 2
    slope = max(-0.28 * nx + 0.9 * ny + 0.3 * nz, 0.0)
    open_ = 1.0
    for k in range(1, 4):
        reach = 1.1 * k
        open_ -= 0.22 * max(reach - scene(front, shape, x + nx * reach, y + ny * reach, z + nz * reach), 0.0) / reach
    fill = 0.42 + 0.18 * ny + 0.22 * max(nz, 0.0)
    part = min(max(1.0 - facing, 0.0), 1.0)
    sheen = (0.045 + 0.6 * part ** 5) * gloss
    mirror = studio(rx, ry, rz) * max(open_, 0.2)
    dr, dg, db = fill * open_ + 0.75 * slope * lr, fill * open_ + 0.75 * slope * lg, fill * open_ + 0.75 * slope * lb
    if metal > 0:
        return (br * (0.25 * dr + 0.95 * mirror), bg * (0.25 * dg + 0.95 * mirror), bb * (0.25 * db + 0.95 * mirror))
    return (br * dr + sheen * mirror, bg * dg + sheen * mirror, bb * db + sheen * mirror)


@njit(fastmath=True, cache=True)
def photograph(front, color, side, lens, shape, tone, gloss, metal, mirrored, floor, ground, turn, lift, view, width, height, out):
    cy, sy, cx, sx = math.cos(turn), math.sin(turn), math.cos(lift), math.sin(lift)
    away = 620.0
    fx, fy, fz = -sy * cx, -sx, -cy * cx
    rx, ry, rz = cy, 0.0, -sy
    ux, uy, uz = -sy * sx, cx, -cy * sx
    mx, my, mz = 0.0, floor * 0.35, -100.0 * abs(math.sin(turn)) - 10.0
    ox, oy, oz = mx - fx * away, my - fy * away, mz - fz * away
    for j in range(height):
        for i in range(width):
            r = g = b = 0.0
            for s in range(4):
                a = ((i + 0.25 + 0.5 * (s & 1)) / width - 0.5) * view / away
                c = (0.5 * height / width - (j + 0.25 + 0.5 * (s >> 1)) / width) * view / away
                dx, dy, dz = fx + rx * a + ux * c, fy + ry * a + uy * c, fz + rz * a + uz * c
                n = math.sqrt(dx * dx + dy * dy + dz * dz)
                dx /= n; dy /= n; dz /= n
                seed = ((i * 73 + j * 151 + s * 37) % 97) / 97.0
                far = (floor - oy) / dy if dy < -1e-4 else 5000.0
                t = march(front, shape, ox, oy, oz, dx, dy, dz, away - 190.0, min(far, away + 260.0))
                if t > 0:
                    hr, hg, hb = surface(front, color, side, lens, shape, tone, gloss, metal, ox + dx * t, oy + dy * t, oz + dz * t, dx, dy, dz, seed)
                elif far < 1600.0:
                    hr, hg, hb = table(front, lens, shape, tone, floor, ox + dx * far, oz + dz * far, ground, seed)
                    t = far
                else:
                    hr, hg, hb = ground[0] * 0.84, ground[1] * 0.84, ground[2] * 0.84
                    t = far
                p = through(lens, shape[2], ox, oy, oz, dx, dy, dz, t)
                if p > 0:
                    x, y = ox + dx * p, oy + dy * p
                    ar, ag, ab = tint(tone, y)
                    half = x - (30.0 if x > 0 else -30.0)
                    nx, ny, nz = half / 95.0, y / 95.0, 1.0
                    n = math.sqrt(nx * nx + ny * ny + nz * nz)
                    nx /= n; ny /= n; nz /= n
                    facing = abs(nx * dx + ny * dy + nz * dz)
                    sheen = 0.035 + mirrored + 0.55 * (1.0 - facing) ** 5
                    light = studio(dx + 2 * facing * nx, dy + 2 * facing * ny, dz + 2 * facing * nz) * sheen
                    hr, hg, hb = hr * ar * (1 - sheen) + light, hg * ag * (1 - sheen) + light, hb * ab * (1 - sheen) + light
                r += hr; g += hg; b += hb
            out[j, i, 0], out[j, i, 1], out[j, i, 2] = r / 4, g / 4, b / 4


def linear(color):
    color = np.asarray(color, np.float32)
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4).astype(np.float32)


def lens_tone(svg):
    """What a lens lets through, below and above."""
    stops = re.search(r'id="g".*?</linearGradient>', svg).group(0)
    found = re.findall(r'stop-color="(#[0-9a-f]{3,6})"(?: stop-opacity="([.\d]+)")?', stops)
    tones = []
    for color, opacity in (found[-1], found[0]):
        color = "#" + "".join(c * 2 for c in color[1:]) if len(color) == 4 else color
        rgb = linear([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        opacity = float(opacity or 1)
        is_dark = opacity > 0.5
        tones.append(rgb * 0.75 + 0.02 if is_dark else np.array([0.93, 0.95, 0.95], np.float32))
    return np.concatenate(tones).astype(np.float32), is_dark


def main():
    store, out, *names = sys.argv[1:]
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        page = Path(store, "products", name, "index.html").read_text()
        svg = Path(store, re.search(r"assets/frames/[0-9a-f]+\.svg", page).group(0)).read_text()
        front, lens_alpha = parts(svg)
        inside = front[..., 3] > 0.5
        field = distances(inside)
        lens = distances(lens_alpha > 0.5)
        color = front[..., :3] / np.maximum(front[..., 3:], 1e-3)
        # Colour reaches over the edge, so that sides have it as well.
        nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
        color = linear(ndimage.gaussian_filter(color[tuple(nearest)], (1.5, 1.5, 0)))
        rows, columns = np.nonzero(inside)
        half = (columns.max() / FINE - 400) / SCALE
        bottom = (288 - rows.max() / FINE) / SCALE
        edge = rows[columns > columns.max() - 12]
        hinge = (288 - edge.mean() / FINE) / SCALE
        tall = (edge.max() - edge.min()) / FINE / SCALE
        is_wire = inside.mean() < 0.06 or tall < 4.2
        metal = 1.0 if is_wire else 0.0
        shape = np.array([1.6 if is_wire else 4.0, 0.7 if is_wire else 1.0, 0.0016, half - (1.2 if is_wire else 2.2), hinge,
                          hinge - bottom - 1.5, 2.2 if is_wire else max(min(tall, 7.0), 4.6), 1.3 if is_wire else 3.0], np.float32)
        around = color[inside]
        side = np.empty((int(80 * 15.3), int(150 * 15.3), 3), np.float32)
        if '<pattern id="a"' in svg and not is_wire:
            band = color[rows.min() : rows.min() + int(5 * 15.3), columns.min() : columns.max()]
            tiled = np.concatenate([band, band[:, ::-1]], axis=1)
            tiled = np.concatenate([tiled, tiled[::-1]], axis=0)
            side[:] = np.tile(tiled, (side.shape[0] // tiled.shape[0] + 1, side.shape[1] // tiled.shape[1] + 1, 1))[: side.shape[0], : side.shape[1]]
        else:
            side[:] = np.median(around, axis=0)
        tone, is_dark = lens_tone(svg)
        floor = bottom - (0.9 if is_wire else 1.0) + 0.9
        ground = linear([0.965, 0.955, 0.94])
        for number, (turn, lift, view, above) in enumerate(VIEWS):
            picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
            photograph(field, color, side, lens, shape, tone, 1.0, metal, 0.05 if is_dark else 0.02, floor, ground, math.radians(turn), math.radians(lift), view, WIDTH, HEIGHT, picture)
            # A camera's curve, grain, and a JPEG as a photographer sends it.
            shown = np.clip(picture * 1.06, 0, None)
            shown = np.where(shown > 0.8, 0.8 + 0.2 * np.tanh((shown - 0.8) / 0.2), shown)
            shown = np.where(shown <= 0.0031308, shown * 12.92, 1.055 * np.maximum(shown, 1e-6) ** (1 / 2.4) - 0.055)
            shown += np.random.default_rng(7).normal(0, 0.0035, (HEIGHT, WIDTH, 1))
            file = out / f"{name}-{number + 1}.jpg"
            taken = Image.fromarray((np.clip(shown, 0, 1) * 255 + 0.5).astype(np.uint8))
            left = (WIDTH - CROPPED[0]) // 2
            taken.crop((left, above, left + CROPPED[0], above + CROPPED[1])).save(file, quality=84, optimize=True, progressive=True)
            print(file, file.stat().st_size // 1024, "kB", flush=True)


if __name__ == "__main__":
    main()
