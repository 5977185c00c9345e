#!/usr/bin/env python3
"""Makes the boutique's 3D model, catalog/models/ashby.glb, out of the measurements that the catalogue gives of Ashby.

Needs Python 3.8 or newer and nothing else. The same script makes the same bytes.

One half of the frame is modelled: a rim, half of the bridge, a temple and a lens. The other half is its mirror image. Lengths
are in millimetres here and in metres in the file; the wearer looks along +z.
"""

import json
import math
import struct
from pathlib import Path

TARGET = Path(__file__).resolve().parent / "catalog" / "models" / "ashby.glb"

EYE, LENS_HEIGHT, BRIDGE, TEMPLE = 51.0, 40.0, 19.0, 145.0
# Radius of the curve that the front follows around the face, thickness and depth of the acetate.
FACE_CURVE, RIM, DEPTH = 210.0, 4.4, 4.2
TORTOISE = ((58, 30, 14), (150, 84, 34), (214, 142, 66))


class Mesh:
    """Corners with colours, and triangles between them."""

    def __init__(self):
        self.corners, self.colors, self.triangles = [], [], []

    def strip(self, rings, closed):
        """Joins rings of corners; `closed` joins the last one to the first."""
        start, size = len(self.corners), len(rings[0])
        for ring in rings:
            self.corners += ring
        for at in range(len(rings) - (not closed)):
            here, there = start + at * size, start + (at + 1) % len(rings) * size
            for side in range(size):
                following = (side + 1) % size
                a, b, c, d = here + side, here + following, there + side, there + following
                self.triangles += [(a, c, b), (b, c, d)]

    def cap(self, ring, centre, is_start):
        """Closes the end of a strip."""
        start = len(self.corners)
        self.corners += [*ring, centre]
        for side in range(len(ring)):
            a, b = start + side, start + (side + 1) % len(ring)
            self.triangles.append((a, b, start + len(ring)) if is_start else (b, a, start + len(ring)))

    def normals(self):
        sums = [[0.0, 0.0, 0.0] for _ in self.corners]
        for triangle in self.triangles:
            a, b, c = (self.corners[at] for at in triangle)
            u, v = [b[i] - a[i] for i in range(3)], [c[i] - a[i] for i in range(3)]
            cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
            for at in triangle:
                for i in range(3):
                    sums[at][i] += cross[i]
        lengths = [math.sqrt(sum(part * part for part in normal)) or 1.0 for normal in sums]
        return [[part / length for part in normal] for normal, length in zip(sums, lengths)]


def on_face(x, y, z):
    """Bends the flat front around the face."""
    return (x, y, z - x * x / (2 * FACE_CURVE))


def outline(angle, grown):
    """A point of the lens's edge, or of a line `grown` outside of it: broad at the brow, a little narrower below."""
    cos, sin = math.cos(angle), math.sin(angle)
    width, height, power = EYE / 2 + grown, LENS_HEIGHT / 2 + grown, 3.1
    reach = (abs(cos) ** power + abs(sin) ** power) ** (-1 / power)
    x, y = width * reach * cos, height * reach * sin
    brow = y / height
    x *= 1 + 0.06 * brow
    # The outer corner of the brow is drawn up and out.
    corner = max(0.0, cos) ** 2 * max(0.0, sin) ** 2
    return (BRIDGE / 2 + EYE / 2 + x + 7 * corner, y + 5 * corner)


def tortoise(corner):
    """The colour of the acetate at a place: slow waves, so that spots run through rim, bridge and temple."""
    x, y, z = corner
    wave = math.sin(x * 0.21 + 1.7 * math.sin(y * 0.16) + z * 0.09) + math.sin(y * 0.27 - z * 0.17 + 0.6 * math.sin(x * 0.33))
    share = min(1.0, max(0.0, wave / 2.8 + 0.36))
    low, high = (TORTOISE[0], TORTOISE[1]) if share < 0.6 else (TORTOISE[1], TORTOISE[2])
    share = share / 0.6 if share < 0.6 else (share - 0.6) / 0.4
    # Colours of corners are amounts of light, not the numbers that screens are sent.
    return [round(255 * ((a + (b - a) * share) / 255) ** 2.2) for a, b in zip(low, high)] + [255]


def section(half_width, half_depth, sides, power=3.2):
    """A rounded rectangle around nothing, as pairs of across and deep."""
    for side in range(sides):
        angle = 2 * math.pi * side / sides
        cos, sin = math.cos(angle), math.sin(angle)
        reach = (abs(cos) ** power + abs(sin) ** power) ** (-1 / power)
        yield half_width * reach * cos, half_depth * reach * sin


def rim(mesh, steps=72, sides=10):
    rings = []
    for step in range(steps):
        angle = 2 * math.pi * step / steps
        # Stronger above than below.
        grown = RIM + 1.6 * max(0.0, math.sin(angle))
        (x0, y0), (x1, y1) = outline(angle, -0.6), outline(angle, grown)
        ring = []
        for across, deep in section(0.5, DEPTH / 2, sides):
            share = 0.5 + across
            ring.append(on_face(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, deep))
        rings.append(ring)
    mesh.strip(rings, closed=True)


def bridge(mesh, steps=7, sides=10):
    end = BRIDGE / 2 - 1
    rings = []
    for step in range(steps):
        x = end * step / (steps - 1)
        y = 8.5 - 2.2 * (x / end) ** 2
        ring = [on_face(x, y + across, deep + 0.5) for across, deep in section(3.4 + 1.4 * (x / end) ** 2, DEPTH / 2, sides)]
        rings.append(ring[::-1])
    mesh.strip(rings, closed=False)


def temple(mesh, steps=40, sides=8):
    hinge_x, hinge_y = outline(math.radians(31), RIM - 1.4)
    hinge_z = on_face(hinge_x, 0, 0)[2]
    bend, turn = 0.7 * TEMPLE, math.radians(42)
    rings, centres = [], []
    x, y, z, slope = hinge_x, hinge_y, hinge_z + 1.0, 0.0
    for step in range(steps):
        way = TEMPLE * step / (steps - 1)
        share = way / TEMPLE
        tall, thick = 5.4 - 2.2 * share + 1.2 * max(0.0, share - 0.75) * 4, 2.1 - 0.4 * share
        # The tip is rounded off.
        left = min(1.0, (TEMPLE - way) / 7 + 0.001)
        tall, thick = tall * math.sqrt(1 - (1 - left) ** 2), thick * math.sqrt(1 - (1 - left) ** 2)
        ring = []
        for across, deep in section(thick, tall, sides):
            ring.append((x + across, y + deep * math.cos(slope), z - deep * math.sin(slope)))
        rings.append(ring)
        centres.append((x, y, z))
        slope = turn * min(1.0, max(0.0, (way - bend) / 16))
        length = TEMPLE / (steps - 1)
        x -= length * 0.035
        y -= length * math.sin(slope)
        z -= length * math.cos(slope)
    mesh.strip(rings, closed=False)
    mesh.cap(rings[0], centres[0], is_start=True)
    mesh.cap(rings[-1], centres[-1], is_start=False)


def lens(steps=40, rings=4):
    mesh = Mesh()
    middle = BRIDGE / 2 + EYE / 2
    mesh.corners.append(on_face(middle, 0, 0))
    for ring in range(1, rings + 1):
        for step in range(steps):
            x, y = outline(2 * math.pi * step / steps, 0)
            share = ring / rings
            # A lens is a little rounder than the front that holds it.
            bulge = 1.6 * (1 - share * share)
            mesh.corners.append(on_face(middle + (x - middle) * share, y * share, bulge - 0.4))
    for step in range(steps):
        following = (step + 1) % steps
        mesh.triangles.append((0, 1 + step, 1 + following))
        for ring in range(rings - 1):
            a, b = 1 + ring * steps + step, 1 + ring * steps + following
            mesh.triangles += [(a, a + steps, b), (b, a + steps, b + steps)]
    return mesh


class File:
    """A binary glTF file in the making."""

    def __init__(self):
        self.bytes, self.views, self.accessors = bytearray(), [], []

    def add(self, values, form, component, kind, target, normalized=False, limits=False):
        data = b"".join(struct.pack(form, *value) for value in values)
        view = {"buffer": 0, "byteOffset": len(self.bytes), "byteLength": len(data), "target": target}
        self.bytes += data + bytes(-len(data) % 4)
        accessor = {"bufferView": len(self.views), "componentType": component, "count": len(values), "type": kind}
        if normalized:
            accessor["normalized"] = True
        if limits:
            rounded = [struct.unpack(form, struct.pack(form, *value)) for value in values]
            accessor["min"] = [min(column) for column in zip(*rounded)]
            accessor["max"] = [max(column) for column in zip(*rounded)]
        self.views.append(view)
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def mesh(self, name, mesh, material):
        metres = [[part / 1000 for part in corner] for corner in mesh.corners]
        attributes = {
            "POSITION": self.add(metres, "<3f", 5126, "VEC3", 34962, limits=True),
            "NORMAL": self.add(mesh.normals(), "<3f", 5126, "VEC3", 34962),
        }
        if mesh.colors:
            attributes["COLOR_0"] = self.add(mesh.colors, "<4B", 5121, "VEC4", 34962, normalized=True)
        corners = [(at,) for triangle in mesh.triangles for at in triangle]
        indices = self.add(corners, "<H", 5123, "SCALAR", 34963)
        return {"name": name, "primitives": [{"attributes": attributes, "indices": indices, "material": material}]}

    def finish(self, document):
        document.update(
            bufferViews=self.views, accessors=self.accessors, buffers=[{"byteLength": len(self.bytes)}],
        )
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        body = bytes(self.bytes)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(body), 0x004E4942) + body
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def main():
    frame = Mesh()
    rim(frame)
    bridge(frame)
    temple(frame)
    frame.colors = [tortoise(corner) for corner in frame.corners]
    file = File()
    meshes = [file.mesh("Frame", frame, 0), file.mesh("Lens", lens(), 1)]
    document = {
        "asset": {"version": "2.0", "generator": "make-model.py"},
        "scene": 0,
        "scenes": [{"nodes": [0, 1]}],
        "nodes": [
            {"name": "Left", "children": [2, 3]},
            {"name": "Right", "children": [4, 5], "scale": [-1, 1, 1]},
            *({"mesh": mesh} for _ in range(2) for mesh in range(2)),
        ],
        "meshes": meshes,
        "materials": [
            {"name": "Acetate", "pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.22}},
            {
                "name": "Lens",
                "alphaMode": "BLEND",
                "doubleSided": True,
                "pbrMetallicRoughness": {"baseColorFactor": [0.8, 0.88, 0.9, 0.22], "metallicFactor": 0, "roughnessFactor": 0.04},
            },
        ],
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(file.finish(document))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
