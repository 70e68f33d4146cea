"""What the boxes of HEIC and AVIF say of colours: two numbers, in a property of the picture."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

from reverie.files.colour_coding import Coding, coded

_Box = tuple[bytes, memoryview]
_MOST_BOXES = 10_000


def coding_of(content: bytes) -> Coding | None:
    """How the colours of the picture, or of the film's first frame, are coded; None where that is not told, or is sRGB."""
    with contextlib.suppress(struct.error, IndexError, ValueError):
        nclx = _of_picture(memoryview(content)) or _of_film(memoryview(content))
        if nclx is not None:
            coding = coded(*struct.unpack(">HH", nclx[4:8]))  # how they became RGB is the decoder's affair
            return None if coding is None or coding.is_srgb else coding
    return None


def _of_picture(content: memoryview) -> memoryview | None:
    """The nclx of the primary item; of one without, that of the file's items if all say the same."""
    meta = _inside(content, b"meta", skip=4)
    properties = _inside(meta, b"iprp")
    listed = list(_boxes(_inside(properties, b"ipco")))
    own = [listed[each - 1] for each in _associated(properties, _primary(meta)) if 0 < each <= len(listed)]
    for boxes in (own, listed):
        found = {bytes(body): body for kind, body in boxes if kind == b"colr" and bytes(body[:4]) == b"nclx" and len(body) >= 8}
        if found and (boxes is own or len(found) == 1):
            return next(iter(found.values()))
    return None


def _primary(meta: memoryview) -> int:
    box = _inside(meta, b"pitm")
    return int.from_bytes(box[4 : 6 if not box or box[0] == 0 else 8], "big")


def _associated(properties: memoryview, item: int) -> Iterator[int]:
    """The numbers of an item's properties, from 1."""
    for kind, box in _boxes(properties):
        if kind != b"ipma":
            continue
        wide_item, wide_index, at = box[0] > 0, box[3] & 1, 8
        for _ in range(min(int.from_bytes(box[4:8], "big"), _MOST_BOXES)):
            size = 4 if wide_item else 2
            number, count = int.from_bytes(box[at : at + size], "big"), box[at + size]
            at += size + 1
            for _ in range(count):
                index = int.from_bytes(box[at : at + 1 + wide_index], "big") & (0x7FFF if wide_index else 0x7F)
                at += 1 + wide_index
                if number == item:
                    yield index


def _of_film(content: memoryview) -> memoryview | None:
    """The nclx of the first track of an animation."""
    track = _inside(content, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", skip=8)
    for _, entry in _boxes(track):
        for kind, body in _boxes(entry[78:]):
            if kind == b"colr" and bytes(body[:4]) == b"nclx":
                return body
    return None


def _inside(content: memoryview, *path: bytes, skip: int = 0) -> memoryview:
    """What is in the first box of each of these kinds, one in the other, without its first `skip` bytes; nothing where it is not."""
    for wanted in path:
        content = next((body for kind, body in _boxes(content) if kind == wanted), content[:0])
    return content[skip:]


def _boxes(content: memoryview) -> Iterator[_Box]:
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(content):
            return
        size, kind, head = int.from_bytes(content[at : at + 4], "big"), bytes(content[at + 4 : at + 8]), 8
        if size == 1:
            size, head = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        size = len(content) - at if size == 0 else size
        if size < head:
            return
        yield kind, content[at + head : at + size]
        at += size
