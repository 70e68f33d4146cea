"""What of a PNG is handed to the decoder: the pixels and what they need. What stands beside them may be too much, or broken."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import PngImagePlugin

from reverie.errors import UnsafeError
from reverie.files.colour_coding import Coding, coded, usable
from reverie.files.png import SIGNATURE

MOST_PROFILE = 4 << 20  # bytes of an ICC profile: the largest for printers have two or three million
_MOST_EXIF = 1 << 20
_MOST_TEXT = 1 << 20  # above it a text is worth a word
_MOST_UNPACKED = 32 << 20  # of all that is packed beside the pixels: more is an attempt to fill our memory
_MOST_PLAIN = 64 << 20  # of all texts that are not
_PIXELS = frozenset([b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs", b"eXIf"])
_LOW_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}  # which take the other byte of two

Told = bytes | Coding | None
"""How a file tells its colours: an ICC profile, numbers, or not, which means sRGB."""


@dataclass(frozen=True)
class LeanPng:
    """A PNG without what stands beside its pixels.

    Attributes:
        content: the file's bytes, without texts and colours.
        told: its colours, the most exact way in which they are told.
        pictures: of an animation; 1 of others.
        notes: what was skipped.
    """

    content: bytes
    told: Told
    pictures: int
    notes: tuple[str, ...]


def lean(content: bytes, name: str) -> LeanPng:
    """A PNG as it is handed to Pillow.

    Raises:
        UnsafeError: there is more beside the pixels than any picture has.
    """
    kept: list[bytes | memoryview] = [SIGNATURE]
    notes, found = [], dict[bytes, bytes]()
    packed, plain, pictures, pixels_seen = 0, 0, 1, False
    for kind, body, whole in _chunks(content):
        pixels_seen = pixels_seen or kind == b"IDAT"
        if kind == b"eXIf" and len(body) > _MOST_EXIF:
            notes.append(_skipped("EXIF", len(body)))
        elif kind in _PIXELS or kind[:1].isupper():
            kept.append(whole)
        elif kind in (b"iCCP", b"zTXt", b"iTXt"):
            size, unpacked = _unpacked(kind, body, _MOST_UNPACKED - packed)
            packed += size
            if kind == b"iCCP" and size > MOST_PROFILE:
                notes.append(_skipped("colour profile", size))
            elif kind == b"iCCP" and not pixels_seen:
                found.setdefault(kind, unpacked)
            elif max(size, len(body)) > _MOST_TEXT:
                notes.append(_skipped("text", max(size, len(body))))
        elif kind in (b"cICP", b"sRGB", b"gAMA", b"cHRM") and not pixels_seen and zlib.crc32(kind + body) == _crc(whole):
            found.setdefault(kind, bytes(body))
        elif kind == b"acTL" and len(body) == 8:
            pictures = max(1, struct.unpack(">I", body[:4])[0])
        elif len(body) > _MOST_TEXT and kind not in (b"fdAT", b"fcTL"):
            notes.append(_skipped("text" if kind == b"tEXt" else "part", len(body)))
        plain += len(body) if kind in (b"tEXt", b"iTXt") else 0
        if packed > _MOST_UNPACKED or plain > _MOST_PLAIN:
            raise UnsafeError(f"'{name}' carries texts or a profile that unpack to too much", "export it again without metadata")
    return LeanPng(b"".join(kept), _told(found), pictures, tuple(dict.fromkeys(notes)))


def deep_levels(content: bytes) -> npt.NDArray[np.uint16]:
    """(H, W, C) of a PNG of 16 bits a channel, with 2, 3 or 4 of them: Pillow gives one byte of each two, so it is asked twice."""
    if content[25] == 4:
        pairs = _loaded(content, "RGBA", "RGBA")  # grey and alpha: four bytes a pixel
        high, low = pairs[..., 0::2], pairs[..., 1::2]
    else:
        mode, raw = ("RGB", "RGB;16B") if content[25] == 2 else ("RGBA", "RGBA;16B")
        high, low = _loaded(content, mode, raw), _loaded(content, mode, _LOW_BYTES[raw])
    return (high.astype(np.uint16) << np.uint16(8)) | low.astype(np.uint16)


def _loaded(content: bytes, mode: str, raw: str) -> npt.NDArray[np.uint8]:
    with PngImagePlugin.PngImageFile(BytesIO(content), "") as image:
        image._mode = mode
        image.tile = [each._replace(args=raw) for each in image.tile]
        return np.asarray(image)


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """Each chunk: its kind, what is in it, and all of it; of a file cut short the rest as it is."""
    view, at = memoryview(content), len(SIGNATURE)
    while at < len(content):
        size = int.from_bytes(view[at : at + 4], "big")
        kind, whole = bytes(view[at + 4 : at + 8]), view[at : at + 12 + size]
        if len(whole) < 12 + size:
            kind = b"IDAT"  # for the decoder to say what is wrong
        yield kind, whole[8:-4], whole
        if kind == b"IEND":
            return
        at += 12 + size


def _crc(whole: memoryview) -> int:
    return int.from_bytes(whole[-4:], "big")


def _unpacked(kind: bytes, body: memoryview, most: int) -> tuple[int, bytes]:
    """How many bytes a chunk unpacks to, counted up to a little above `most`, and of a profile that is not too large these bytes."""
    head, _, rest = bytes(body[:80]).partition(b"\0")
    begin = len(head) + (3 if kind == b"iTXt" else 2)
    if kind == b"iTXt":
        if rest[:1] != b"\1":
            return 0, b""
        texts = bytes(body[begin : begin + 1024]).split(b"\0", 2)
        begin += sum(len(each) + 1 for each in texts[:2])
    unpacker, packed, size, out = zlib.decompressobj(), bytes(body[begin:]), 0, []
    with contextlib.suppress(zlib.error):
        while packed and size <= most and not unpacker.eof:
            piece = unpacker.decompress(packed, 1 << 20)
            packed, size = unpacker.unconsumed_tail, size + len(piece)
            if kind == b"iCCP" and size <= MOST_PROFILE:
                out.append(piece)
    return size, b"".join(out)


def _told(found: dict[bytes, bytes]) -> Told:
    """By what takes precedence in the third edition of the specification."""
    cicp = found.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[2] == 0:
        coding = coded(cicp[0], cicp[1], narrow=cicp[3] == 0)
        if coding is not None:
            return None if coding.is_srgb else coding
    if found.get(b"iCCP"):
        return found[b"iCCP"]
    return None if b"sRGB" in found else of_gamma(found.get(b"gAMA", b""), found.get(b"cHRM", b""))


def of_gamma(gamma: bytes, chromaticities: bytes) -> Coding | None:
    """What the chunks gAMA and cHRM say; None where that is sRGB, or nothing."""
    coding = Coding()
    if len(gamma) == 4:
        value = int.from_bytes(gamma, "big") / 100_000
        if 0.05 <= value <= 10 and not 0.95 < value * 2.2 < 1.05:  # 1/2.2 is how the curve of sRGB is written here
            coding = Coding(power=1 / value)
    if len(chromaticities) == 32:
        primaries: Any = tuple(each / 100_000 for each in struct.unpack(">8I", chromaticities))
        if usable(primaries):
            coding = Coding(primaries, coding.power)
    return None if coding.is_srgb else coding


def _skipped(what: str, size: int) -> str:
    return f"its {what} of {size / 1e6:,.1f} MB is too large and was skipped"
