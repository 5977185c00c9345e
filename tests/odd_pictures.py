#!/usr/bin/env python3
"""Makes a folder of odd picture files: every kind that a catalogue may hold, whole, broken and hostile.

All of the whole ones show the same: four quarters, red, green, blue and yellow, 480 by 360 pixels as shown.
"""
import io
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 480, 360
RED, GREEN, BLUE, YELLOW = (200, 40, 40), (40, 160, 60), (40, 60, 200), (230, 200, 60)


def quarters(colors=(RED, GREEN, BLUE, YELLOW)):
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    for at, color in enumerate(colors):
        picture.paste(color, (at % 2 * WIDTH // 2, at // 2 * HEIGHT // 2, (at % 2 + 1) * WIDTH // 2, (at // 2 + 1) * HEIGHT // 2))
    return picture


def encoded(picture, form, **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def turned(orientation):
    """The pixels as a camera stores them that wants them turned, and what says so."""
    undo = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180], 4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE], 6: [Image.Transpose.ROTATE_90], 7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    picture = quarters()
    for step in undo.get(orientation, []):
        picture = picture.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return picture, exif


def icc_profile(space, primaries=None):
    """A small ICC profile: a matrix with a gamma of 2.2, or no more than the header of an ink profile."""
    tags = []
    if primaries:
        s15 = lambda value: struct.pack(">i", round(value * 65536))
        xyz = lambda triple: b"XYZ \0\0\0\0" + b"".join(map(s15, triple))
        tags = [(name, xyz(triple)) for name, triple in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries)]
        tags.append((b"wtpt", xyz((0.9642, 1.0, 0.8249))))
        curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags:
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"mntr" if primaries else b"prtr", space, b"XYZ " if primaries else b"Lab ")
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def in_adobe_rgb(color):
    """An sRGB colour in the numbers of Adobe RGB."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    matrix = ((0.71512, 0.28488, 0.0), (0.0, 1.0, 0.0), (0.0, 0.04116, 0.95884))
    mixed = [sum(a * b for a, b in zip(row, linear)) for row in matrix]
    return tuple(round(255 * max(0.0, value) ** (1 / 2.2)) for value in mixed)


def png(width, height, depth, kind, rows, chunks=()):
    chunk = lambda name, body: struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    others = b"".join(chunk(name, body) for name, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + others + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def deep_png():
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        for x in range(WIDTH):
            color = (RED, GREEN, BLUE, YELLOW)[(y >= HEIGHT // 2) * 2 + (x >= WIDTH // 2)]
            rows += b"".join(struct.pack(">H", channel * 257) for channel in color)
    return png(WIDTH, HEIGHT, 16, 2, zlib.compress(bytes(rows)))


def patched(data, old, new):
    assert old in data
    return data.replace(old, new, 1)


def whole():
    plain = quarters()
    black = Image.new("RGB", (WIDTH, HEIGHT))
    jpeg = encoded(plain, "JPEG", quality=92)
    yield "baseline.jpg", jpeg
    yield "fine-colours.jpg", encoded(plain, "JPEG", quality=92, subsampling=0)
    yield "progressive.jpg", encoded(plain, "JPEG", quality=92, progressive=True)
    yield "restarts.jpg", encoded(plain, "JPEG", quality=92, restart_marker_rows=1)
    yield "inks.jpg", encoded(plain.convert("CMYK"), "JPEG", quality=95)
    yield "inks-wrong-profile.jpg", encoded(plain.convert("CMYK"), "JPEG", quality=95, icc_profile=icc_profile(b"CMYK"))
    yield "inks-rgb-profile.jpg", encoded(plain.convert("CMYK"), "JPEG", quality=95, icc_profile=icc_profile(b"RGB ", ADOBE_RGB))
    yield "ink-profile-on-rgb.jpg", encoded(plain, "JPEG", quality=92, icc_profile=icc_profile(b"CMYK"))
    yield "adobe-rgb.jpg", encoded(quarters([in_adobe_rgb(c) for c in (RED, GREEN, BLUE, YELLOW)]), "JPEG", quality=95, subsampling=0, icc_profile=icc_profile(b"RGB ", ADOBE_RGB))
    yield "adobe-rgb.png", encoded(quarters([in_adobe_rgb(c) for c in (RED, GREEN, BLUE, YELLOW)]), "PNG", icc_profile=icc_profile(b"RGB ", ADOBE_RGB))
    yield "broken-profile.jpg", encoded(plain, "JPEG", quality=92, icc_profile=b"no profile at all")
    for orientation in range(1, 9):
        picture, exif = turned(orientation)
        yield f"turned-{orientation}.jpg", encoded(picture, "JPEG", quality=92, exif=exif)
    picture, exif = turned(6)
    yield "turned.png", encoded(picture, "PNG", exif=exif)
    yield "turned.webp", encoded(picture, "WEBP", quality=92, exif=exif)
    yield "plain.png", encoded(plain, "PNG")
    yield "deep.png", deep_png()
    yield "interlaced.png", encoded(plain, "PNG", interlace=1)
    yield "palette.png", encoded(plain.quantize(4), "PNG")
    yield "lossy.webp", encoded(plain, "WEBP", quality=92)
    yield "lossless.webp", encoded(plain, "WEBP", lossless=True)
    yield "plain.gif", encoded(plain.quantize(8), "GIF")
    yield "moving.gif", encoded(plain.quantize(8), "GIF", save_all=True, append_images=[black.quantize(8)], duration=100)
    yield "moving.webp", encoded(plain, "WEBP", save_all=True, append_images=[black], duration=100, lossless=True)
    yield "moving.png", encoded(plain, "PNG", save_all=True, append_images=[black], duration=100)
    yield "moving-with-thumbnail.png", encoded(black, "PNG", save_all=True, default_image=True, append_images=[plain, black], duration=100)
    yield "plain.bmp", encoded(plain, "BMP")
    yield "plain.tif", encoded(plain, "TIFF")
    yield "packed.tif", encoded(plain, "TIFF", compression="tiff_lzw")
    yield "png-named.jpg", encoded(plain, "PNG")
    yield "jpeg-named.webp", jpeg
    yield "trailing-bytes.jpg", jpeg + b"\0" * 5000


def transparent():
    """The yellow quarter is transparent, and so shows the ground."""
    clear = quarters().convert("RGBA")
    clear.paste((0, 0, 0, 0), (WIDTH // 2, HEIGHT // 2, WIDTH, HEIGHT))
    yield "clear.png", encoded(clear, "PNG")
    yield "clear.webp", encoded(clear, "WEBP", lossless=True)
    colors = quarters().quantize(4)
    yield "clear-palette.png", encoded(colors, "PNG", transparency=colors.getpixel((WIDTH - 1, HEIGHT - 1)))
    yield "clear.gif", encoded(colors, "GIF", transparency=colors.getpixel((WIDTH - 1, HEIGHT - 1)))


def broken():
    noisy = Image.effect_noise((WIDTH, HEIGHT), 60).convert("RGB")
    jpeg = encoded(noisy, "JPEG", quality=92)
    cut = lambda data, percent: data[: len(data) * percent // 100]
    yield "cut.jpg", cut(jpeg, 60)
    yield "cut-progressive.jpg", cut(encoded(noisy, "JPEG", quality=92, progressive=True), 30)
    yield "cut.png", cut(encoded(noisy, "PNG"), 50)
    yield "cut.webp", cut(encoded(noisy, "WEBP", quality=92), 50)
    yield "cut.gif", cut(encoded(noisy.quantize(64), "GIF"), 50)
    yield "cut.tif", cut(encoded(noisy, "TIFF"), 50)
    yield "empty.jpg", b""
    yield "text.jpg", b"<!doctype html><title>404 Not Found</title>"
    frame = jpeg[jpeg.index(b"\xff\xc0") :][:5]
    yield "twelve-bits.jpg", patched(jpeg, frame, frame[:4] + b"\x0c")
    yield "arithmetic.jpg", patched(jpeg, b"\xff\xc0", b"\xff\xc9")
    yield "lossless.jpg", patched(jpeg, b"\xff\xc0", b"\xff\xc3")
    yield "phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500
    yield "layers.psd", b"8BPS\0\x01" + b"\0" * 500


def bombs():
    sides = struct.pack(">HH", 65_500, 65_500)
    yield "bomb-square.png", png(65_536, 65_536, 8, 2, zlib.compress(b"\0" * 50_000_000, 9))
    yield "bomb-wide.png", png(2_000_000_000, 1, 8, 2, zlib.compress(b"\0"))
    yield "bomb-deep.png", png(29_000, 29_000, 16, 6, zlib.compress(b"\0" * 1_000_000, 9))
    jpeg = encoded(quarters(), "JPEG")
    start = jpeg.index(b"\xff\xc0") + 5
    yield "bomb.jpg", jpeg[:start] + sides + jpeg[start + 4 :]
    gif = encoded(quarters().quantize(8), "GIF")
    yield "bomb.gif", gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:]
    webp = encoded(quarters().convert("RGBA"), "WEBP", quality=80, exif=turned(1)[1])
    at = webp.index(b"VP8X") + 12
    yield "bomb.webp", webp[:at] + b"\xfe\x3f\x00\xfe\x3f\x00" + webp[at + 6 :]
    bitmap = encoded(quarters(), "BMP")
    yield "bomb.bmp", bitmap[:18] + struct.pack("<ii", 2_000_000_000, 2_000_000_000) + bitmap[26:]
    tiff = bytearray(encoded(quarters(), "TIFF"))
    (place,) = struct.unpack("<I", tiff[4:8])
    (count,) = struct.unpack("<H", tiff[place : place + 2])
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        if struct.unpack("<H", tiff[entry : entry + 2])[0] in (256, 257):
            tiff[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 400_000)
    yield "bomb.tif", bytes(tiff)


# Adobe RGB (1998), adapted to D50.
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for kind in (whole, transparent, broken, bombs):
        place = folder / kind.__name__
        place.mkdir(parents=True, exist_ok=True)
        for name, data in kind():
            (place / name).write_bytes(data)
