"""What the tests of the files share: a small picture, in every format, and PNGs assembled by hand."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image

from reverie.files.png import SIGNATURE, chunk

RECIPE = '{"target": "blocks.4.1", "words": "naïve <b> & \\"quoted\\"\\r\\n 夢 🐕 ]]> tiff:Orientation=\\"6\\""}'


def photo(height: int = 24, width: int = 32) -> np.ndarray:
    """Smooth, and unlike its mirror images."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 / width, y * 255 / height, (x + 2 * y) * 255 / (width + 2 * height)], -1).astype(np.uint8)  # (H, W, 3)


ALPHA = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32).astype(np.uint8)


def saved(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    out = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, kind, **options)
    return out.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return SIGNATURE + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SEEDS = {kind: saved(photo(), kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000")}


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

Tags = dict[int, tuple[int, list[int]]]  # tag: type (3 for 16 bits, 4 for 32), values


def plain_png(levels: np.ndarray, *chunks: bytes) -> bytes:
    """A PNG of (H, W) or (H, W, C) levels, uint8 or uint16, with these chunks before the pixels."""
    levels = levels[..., None] if levels.ndim == 2 else levels
    height, width, channels = levels.shape
    rows = b"".join(b"\0" + row.astype(levels.dtype.newbyteorder(">")).tobytes() for row in levels)
    return png(width, height, levels.dtype.itemsize * 8, {1: 0, 2: 4, 3: 2, 4: 6}[channels], rows, *chunks)


def tiff_tags(levels: np.ndarray, photometric: int, *, bits: int | None = None, form: int = 1, **own: int) -> Tags:
    """The tags of an uncompressed TIFF of (H, W) or (H, W, C) levels; `form` 2 for numbers with a sign, 3 for floats; `subfile`."""
    height, width, samples = (*levels.shape, 1)[:3]
    bits = levels.dtype.itemsize * 8 if bits is None else bits
    tags: Tags = {
        256: (4, [width * levels.dtype.itemsize * 8 // bits]), 257: (4, [height]), 258: (3, [bits] * samples), 259: (3, [1]),
        262: (3, [photometric]), 277: (3, [samples]), 278: (4, [height]), 339: (3, [form] * samples),
    }  # fmt: skip
    return {**tags, 254: (4, [own["subfile"]])} if "subfile" in own else tags


def tiff(*pages: tuple[Tags, np.ndarray] | tuple[Tags, np.ndarray, list[tuple[Tags, np.ndarray]]], order: Literal["<", ">"] = "<") -> bytes:
    """A TIFF of these pages, each perhaps with pictures nested in it (SubIFDs)."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0))

    def write(tags: Tags, levels: np.ndarray, nested: list[tuple[Tags, np.ndarray]]) -> tuple[int, int]:
        inner = [write(*each, [])[0] for each in nested]
        at, content = len(out), levels.astype(levels.dtype.newbyteorder(order)).tobytes()
        out.extend(content + bytes(len(content) % 2))
        entries = {**tags, 273: (4, [at]), 279: (4, [len(content)]), **({330: (4, inner)} if inner else {})}
        written = b""
        for tag, (kind, values) in sorted(entries.items()):
            value = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
            if len(value) > 4:
                place = len(out)
                out.extend(value)
                value = struct.pack(order + "I", place)
            written += struct.pack(order + "HHI", tag, kind, len(values)) + value.ljust(4, b"\0")
        place = len(out)
        out.extend(struct.pack(order + "H", len(entries)) + written + bytes(4))
        return place, len(out) - 4

    link = 4
    for tags, levels, *nested in pages:
        place, following = write(tags, levels, nested[0] if nested else [])
        struct.pack_into(order + "I", out, link, place)
        link = following
    return bytes(out)


# ── light ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])  # BT.2087
TO_P3 = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])


def light_of(levels: np.ndarray) -> np.ndarray:
    """sRGB levels of 8 bits → light, 1 for white."""
    signal = levels / 255
    light: np.ndarray = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    return light


def pq(nits: np.ndarray) -> np.ndarray:
    """Light of a screen → the signal 0..1 (SMPTE ST 2084)."""
    part = (nits.clip(0) / 10_000) ** 0.1593017578125
    signal: np.ndarray = ((0.8359375 + 18.8515625 * part) / (1 + 18.6875 * part)) ** 78.84375
    return signal


def hlg(light: np.ndarray) -> np.ndarray:
    """Light of a scene, 0..1 → the signal 0..1 (ARIB STD-B67)."""
    root: np.ndarray = np.sqrt(3 * light.clip(0, 1 / 12))
    signal: np.ndarray = np.where(light <= 1 / 12, root, 0.17883277 * np.log((12 * light - 0.28466892).clip(1e-9)) + 0.55991073)
    return signal


def hdr_of(levels: np.ndarray, kind: str) -> np.ndarray:
    """(H, W, 3) sRGB levels of 8 bits → the signal, 0..1, that HDR in BT.2020 has for them: white is 203 nits, or 75 % of HLG."""
    light = (light_of(levels) @ TO_BT2020.T).clip(0)
    return pq(light * 203) if kind == "PQ" else hlg(light * 0.265)
