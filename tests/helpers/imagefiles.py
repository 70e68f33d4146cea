"""What the tests of the files share: a small picture, in every format, and PNGs assembled by hand."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

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


SEEDS = {kind: saved(photo(), kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")}
