"""Damaged films, for the tests and for torture: seeded, from small sound ones."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

from tests.helpers.clips import pan, save_clip

NUMBERS = [bytes.fromhex(each) for each in ("00000000", "ffffffff", "7fffffff", "0000ffff", "ffff0000", "80000000")]
TEXTS = (
    b"hello\n" * 50,
    b"#EXTM3U\n#EXTINF:1,\nhttp://example.invalid/a.ts\n",
    b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    b"<svg/>",
    bytes(4000),
)


def sound_films(folder: Path) -> list[Path]:
    """Whole small films, one of each container."""
    frames = pan(20, 48, 64).frames
    made = [save_clip(folder / "front.mp4", frames, sound_seconds=0.8, options={"movflags": "+faststart"})]
    made += [save_clip(folder / f"a{suffix}", frames, sound_seconds=0.8) for suffix in (".mp4", ".webm", ".mkv", ".avi", ".ts")]
    return [*made, save_clip(folder / "a.gif", frames), save_clip(folder / "intra.mp4", frames, codec="mjpeg", pixels="yuvj420p")]


def damaged(rng: random.Random, films: list[Path], folder: Path) -> tuple[str, Path]:
    """One damaged film, and how it came about."""
    source = rng.choice(films)
    whole = source.read_bytes()
    way = rng.choice(list(WAYS))
    place = folder / f"damaged{rng.choice([source.suffix] * 4 + ['.mp4', '.png', ''])}"
    place.write_bytes(WAYS[way](rng, bytearray(whole)))
    return f"{source.name}, {way}", place


def _cut(rng: random.Random, data: bytearray) -> bytes:
    return bytes(data[: rng.randrange(len(data))])


def _flipped(rng: random.Random, data: bytearray) -> bytes:
    for _ in range(rng.choice([1, 5, 50, 500])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _zeroed(rng: random.Random, data: bytearray) -> bytes:
    at = rng.randrange(len(data))
    length = min(rng.choice([64, 512, 4096]), len(data) - at)
    data[at : at + length] = bytes(length)
    return bytes(data)


def _swapped(rng: random.Random, data: bytearray) -> bytes:
    """Two pieces change places; in an MP4 whole boxes."""
    ends = _boxes(data) or sorted(rng.randrange(len(data)) for _ in range(4))
    pieces = [bytes(data[a:b]) for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    rng.shuffle(pieces)
    return b"".join(pieces)


def _boxes(data: bytearray) -> list[int]:
    if data[4:8] != b"ftyp":
        return []
    ends, at = [], 0
    while at + 8 <= len(data) and (size := int.from_bytes(data[at : at + 4], "big")) >= 8:
        at += size
        ends.append(at)
    return ends[:-1]


def _numbers(rng: random.Random, data: bytearray) -> bytes:
    """Absurd sizes and counts in the headers."""
    marks = [data.find(each) for each in (b"stsz", b"stts", b"tkhd", b"avc1", b"mdhd", b"avih", b"strh", b"stco", b"\xb0\x82", b"elst")]
    for _ in range(rng.randrange(1, 4)):
        begin = rng.choice([each for each in marks if each > 0] or [0])
        at = min(begin + rng.randrange(80), len(data) - 4)
        data[at : at + 4] = rng.choice(NUMBERS)
    return bytes(data)


def timeless(data: bytearray) -> bytes:
    """0 frames a second: an MP4 whose frames all take no time, a GIF without delays, an AVI whose rate is 0."""
    if (at := data.find(b"stts")) > 0:
        count = int.from_bytes(data[at + 8 : at + 12], "big")
        for each in range(min(count, 1000)):
            data[at + 16 + 8 * each : at + 20 + 8 * each] = bytes(4)
    if (at := data.find(b"avih")) > 0:
        data[at + 8 : at + 12] = bytes(4)
        at = data.find(b"strh")
        data[at + 8 + 20 : at + 8 + 28] = struct.pack("<II", 1, 0)
    at = -1
    while data[:3] == b"GIF" and (at := data.find(b"!\xf9\x04", at + 1)) > 0:
        data[at + 4 : at + 6] = bytes(2)
    return bytes(data)


def _text(rng: random.Random, data: bytearray) -> bytes:
    return rng.choice(TEXTS)


def _doubled(rng: random.Random, data: bytearray) -> bytes:
    at, to = sorted(rng.randrange(len(data)) for _ in range(2))
    data[at:at] = data[at:to]
    return bytes(data)


def _noise(rng: random.Random, data: bytearray) -> bytes:
    at = rng.randrange(min(len(data), 400))
    data[at:] = rng.randbytes(len(data) - at)
    return bytes(data)


WAYS: dict[str, Callable[[random.Random, bytearray], bytes]] = {
    "cut": _cut, "flipped": _flipped, "flipped more": _flipped, "zeroed": _zeroed, "swapped": _swapped, "numbers": _numbers,
    "more numbers": _numbers, "timeless": lambda _, data: timeless(data), "text": _text, "doubled": _doubled, "noise": _noise,
}  # fmt: skip
