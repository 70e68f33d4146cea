"""PNG as chunks: what Pillow cannot write (16 bits in colour) and what every PNG of ours carries."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8 | np.uint16]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BAND = 1 << 22  # bytes compressed at a time


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk: length, kind, content, checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def ancillary(dpi: tuple[float, float] | None, recipe: str | None) -> list[tuple[bytes, bytes]]:
    """The (kind, content) of what goes before the pixels: colour space, resolution, recipe."""
    chunks = [(b"sRGB", b"\1")]  # relative colorimetric
    if dpi:
        across, down = (round(each / 0.0254) for each in dpi)  # dots per metre
        chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    if recipe is not None:
        chunks.append((b"iTXt", b"reverie\0\0\0\0\0" + recipe.encode()))  # not compressed, no language, no translated key
    return chunks


def deep_png(pixels: npt.NDArray[np.uint16], chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of 16 bits a channel.

    Args:
        pixels: (H, W, 1) or (H, W, 3); with alpha (H, W, 2) or (H, W, 4).
        chunks: from `ancillary`.
    """
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [SIGNATURE, chunk(b"IHDR", header), *(chunk(kind, content) for kind, content in chunks)]
    parts += [chunk(b"IDAT", piece) for piece in _compressed(pixels)]
    return b"".join([*parts, chunk(b"IEND", b"")])


def _compressed(pixels: npt.NDArray[np.uint16]) -> Iterator[bytes]:
    """Rows as differences from the row above (filter 2, Up), deflated in bands so that memory stays bounded."""
    height, width, channels = pixels.shape
    length = width * channels * 2
    rows = max(1, _BAND // length)
    deflate = zlib.compressobj(6)
    above = np.zeros((1, length), np.uint8)
    for top in range(0, height, rows):
        band = pixels[top : top + rows].astype(">u2").view(np.uint8).reshape(-1, length)
        filtered = np.full((len(band), 1 + length), 2, np.uint8)
        filtered[:, 1:] = band - np.concatenate([above, band[:-1]])  # modulo 256, as PNG wants it
        above = band[-1:]
        if piece := deflate.compress(filtered.data):
            yield piece
    yield deflate.flush()
