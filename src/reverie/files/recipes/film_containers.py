"""The recipe inside a film: XMP in MP4, a tag in WebM, a comment in GIF. Read and written here, without a codec.

MP4: a box `uuid` of the kind that XMP has, at the end of the file, as the XMP standard says. WebM: tags at the end of the segment. GIF:
a comment before the end, with `reverie` and a zero byte in front.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from reverie.files.recipes import xmp
from reverie.files.recipes.bounds import MAX_PACKET, MAX_RECIPE, bounded, parts, too_long

FILMS: frozenset[str] = frozenset([".mp4", ".webm", ".gif"])
"""Lower-case suffixes of films that are written."""

_GIF_KEY = b"reverie\0"
_SEGMENT, _TAGS, _TAG, _SIMPLE, _NAME, _STRING = 0x18538067, 0x1254C367, 0x7373, 0x67C8, 0x45A3, 0x4487
_WEBM_KEY = b"REVERIE"


def film_kind_of(start: bytes) -> str | None:
    """MP4 or WEBM, if these first bytes are those of such a film; GIF is known already."""
    if start[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"):
        return "MP4"
    if start[:4] == b"\x1a\x45\xdf\xa3":
        return "WEBM"
    return None


# ── MP4 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def from_mp4(file: BinaryIO, name: str) -> str | None:
    """The recipe in an MP4's XMP."""
    file.seek(0)
    for _ in parts(name):
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            head = 16
        if size < head:  # 0: to the end of the file; else nonsense
            return None
        after = file.tell() + size - head
        if kind == b"uuid" and size - head > 16 and file.read(16) == xmp.UUID:
            return xmp.recipe_in(bounded(file, size - head - 16, MAX_PACKET, name), name)
        file.seek(after)
    return None


# ── WebM ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _number(file: BinaryIO, keep: bool) -> int:
    """A number of EBML: the zeros in front of its first bit say how long it is. `keep` that bit for names; -1 is an unknown size."""
    first = file.read(1)
    if not first or not first[0]:
        raise struct.error
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    if len(rest) < length - 1:
        raise struct.error
    value = int.from_bytes(first + rest, "big")
    if keep:
        return value
    value -= 1 << (7 * length)
    return -1 if value == (1 << (7 * length)) - 1 else value


def from_webm(file: BinaryIO, name: str) -> str | None:
    """The recipe in the tag of a WebM."""
    file.seek(0)
    inside = {_SEGMENT, _TAGS, _TAG, _SIMPLE}
    ours = False
    for _ in parts(name):
        kind, size = _number(file, True), _number(file, False)
        if kind in inside:
            continue
        if size < 0:  # of a live stream: nothing of ours
            return None
        after = file.tell() + size
        if kind == _NAME:
            ours = size == len(_WEBM_KEY) and file.read(size) == _WEBM_KEY
        elif kind == _STRING and ours:
            return bounded(file, size, MAX_RECIPE, name).decode()
        file.seek(after)
    return None


def segment_end(file: BinaryIO) -> int:
    """Where the segment of a WebM should end, in bytes; -1 if it does not say. Where it begins is where `file` is left."""
    while _number(file, True) != _SEGMENT:
        file.seek(_number(file, False), 1)
    size = _number(file, False)
    return file.tell() + size if size >= 0 else -1


def _element(kind: int, content: bytes) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + (len(content) | 1 << 56).to_bytes(8, "big") + content


# ── GIF ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def from_gif(file: BinaryIO, name: str) -> str | None:
    """The recipe in the comment of a GIF."""
    file.seek(10)
    (flags,) = struct.unpack("<B2x", file.read(3))
    file.seek(_palette(flags), 1)
    turns = parts(name)
    while (mark := file.read(1)) in (b"!", b","):
        next(turns)
        comment = mark == b"!" and file.read(1) == b"\xfe"
        if mark == b",":
            (flags,) = struct.unpack("<8xB", file.read(9))
            file.seek(_palette(flags) + 1, 1)
        text = b""
        while length := struct.unpack("B", file.read(1))[0]:
            if comment and len(text) <= len(_GIF_KEY) + MAX_RECIPE:
                text += file.read(length)
            else:
                file.seek(length, 1)
        if text.startswith(_GIF_KEY):
            if len(text) > len(_GIF_KEY) + MAX_RECIPE:
                raise too_long(name)
            return text.removeprefix(_GIF_KEY).decode()
    return None


def _palette(flags: int) -> int:
    """Bytes of the table of colours that follows such flags."""
    return 3 << (flags & 7) + 1 if flags & 128 else 0


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_recipe(place: Path, suffix: str, recipe: str) -> None:
    """Put a recipe into a film that has none."""
    with place.open("rb+") as file:
        if suffix == ".mp4":
            packet = xmp.packet(recipe)
            file.seek(0, os.SEEK_END)
            file.write(struct.pack(">I4s", 24 + len(packet), b"uuid") + xmp.UUID + packet)
        elif suffix == ".gif":
            text = _GIF_KEY + recipe.encode()
            blocks = b"".join(bytes([len(text[at : at + 255])]) + text[at : at + 255] for at in range(0, len(text), 255))
            file.seek(-1, os.SEEK_END)
            file.write(b"!\xfe" + blocks + b"\0;")
        else:
            simple = _element(_NAME, _WEBM_KEY) + _element(_STRING, recipe.encode())
            _append_to_segment(file, _element(_TAGS, _element(_TAG, _element(0x63C0, b"") + _element(_SIMPLE, simple))))


def _append_to_segment(file: BinaryIO, content: bytes) -> None:
    """More at the end of a WebM, whose segment reaches to the end of the file."""
    end = segment_end(file)
    begin = file.tell()
    assert end < 0 or end == file.seek(0, os.SEEK_END)
    file.seek(0, os.SEEK_END)
    file.write(content)
    if end >= 0:
        file.seek(begin - 8)  # libavformat writes it in eight bytes
        file.write((end - begin + len(content) | 1 << 56).to_bytes(8, "big"))
