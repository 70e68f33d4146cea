"""Which of the pictures in a TIFF is the picture: many begin with a preview, and a camera's raw file holds little else that can be read."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reverie.errors import InputError

_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # those of whole numbers without a sign
_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SUBIFDS, _FORMAT = 254, 255, 256, 257, 258, 262, 330, 339
_SAMPLES, _DNG = 277, 50706
_MOST = 1000  # directories looked at, and numbers of one tag
_MOST_TAGS = 5000
_PLAIN = frozenset([0, 1, 2, 3, 5, 6, 8])  # photometries that need no developing
_SENSOR = frozenset([32803, 34892])  # a mosaic of colours, and one made linear


@dataclass(frozen=True)
class TiffPicture:
    """What is handed to Pillow for a TIFF.

    Attributes:
        content: the file's bytes, beginning with the directory that is meant, its photometry so that Pillow reads it.
        bits, format: of a sample: 1 for whole numbers, 2 with a sign, 3 for floats.
        samples: of a pixel.
        white_is_zero: whether the levels still have to be turned round.
        notes: what was chosen.
    """

    content: bytes
    bits: int
    format: int
    samples: int
    white_is_zero: bool
    notes: tuple[str, ...]

    @property
    def kind(self) -> str:
        """In words."""
        numbers = {2: "numbers with a sign", 3: "floats"}.get(self.format, "numbers")
        return f"a TIFF of {numbers} of {self.bits} bits, {self.samples} a pixel"


@dataclass(frozen=True)
class _Directory:
    offset: int
    tags: Mapping[int, tuple[int, ...]]
    places: Mapping[int, int]  # where the value of a tag of one number stands

    def first(self, tag: int, default: int = 0) -> int:
        return (self.tags.get(tag) or (default,))[0]

    @property
    def reduced(self) -> bool:
        return bool(self.first(_SUBFILE) & 1) or self.first(_OLD_SUBFILE) == 2

    @property
    def whole(self) -> bool:
        return not self.reduced and not self.first(_SUBFILE) & 4 and self.first(_WIDTH) > 0  # 4: a mask

    @property
    def pixels(self) -> int:
        return self.first(_WIDTH) * self.first(_HEIGHT)


def the_picture(content: bytes, name: str) -> TiffPicture:
    """The picture in a TIFF: its first, or where that is a preview the first whole one that can be read.

    Raises:
        InputError: a camera's raw file, with nothing but previews beside what the sensor saw.
    """
    reader = _Reader(content)
    pages = list(reader.directories(reader.first))
    if not pages:
        return TiffPicture(content, 8, 1, 1, False, ())
    nested = [each for page in pages for offset in page.tags.get(_SUBIFDS, ()) for each in reader.directories(offset)]
    chosen, notes = pages[0], []
    plain = [each for each in (*pages, *nested) if each.whole and each.first(_PHOTOMETRIC) in _PLAIN and not _is_canon(content)]
    raw = any(each.first(_PHOTOMETRIC) in _SENSOR for each in (*pages, *nested)) or _DNG in chosen.tags or _is_canon(content)
    if raw or chosen.reduced:
        if plain:
            chosen = plain[0] if not raw else max(plain, key=lambda each: each.pixels)
        elif raw or any(each.whole for each in nested):
            size = f"{chosen.first(_WIDTH)}×{chosen.first(_HEIGHT)}"
            fault = f"'{name}' is a camera's raw file, of which only the {size} preview can be read"
            raise InputError(fault, "develop it into a TIFF or JPEG with the camera's program, darktable or RawTherapee")
    whole = sum(each.whole for each in pages)
    if whole > 1 and not raw:
        notes.append(f"it has {whole:,} pages; the first was taken")
    bits, photometric = chosen.first(_BITS, 1), chosen.first(_PHOTOMETRIC)
    turned = photometric == 0 and (bits > 8 or chosen.first(_FORMAT, 1) != 1)
    return TiffPicture(
        reader.beginning_with(chosen, {_PHOTOMETRIC: 1} if turned else {}), bits, chosen.first(_FORMAT, 1),
        chosen.first(_SAMPLES, 1), turned, tuple(notes),
    )  # fmt: skip


def _is_canon(content: bytes) -> bool:
    return content[8:10] == b"CR"  # its first directory is a JPEG, the size of the picture but not it


class _Reader:
    """The directories of a TIFF, or of a BigTIFF; what makes no sense is left out."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._order = "<" if content[:2] == b"II" else ">"
        self._big = self._number(2, "H") == 43
        self._offset, self._count = ("Q", "Q") if self._big else ("I", "H")
        self._head = 8 if self._big else 4  # where the offset of the first directory stands
        self.first = self._number(self._head, self._offset)
        self._seen: set[int] = set()

    def directories(self, offset: int) -> Iterator[_Directory]:
        """The directory there, and those that follow it."""
        while offset and offset not in self._seen and len(self._seen) < _MOST:
            self._seen.add(offset)
            with contextlib.suppress(struct.error):
                found, offset = self._directory(offset)
                yield found
                continue
            return

    def beginning_with(self, directory: _Directory, changes: Mapping[int, int]) -> bytes:
        """The file with this directory first, and with other values of tags of one short number."""
        places = [(self._head, self._offset, directory.offset)] if directory.offset != self.first else []
        places += [(directory.places[tag], "H", value) for tag, value in changes.items() if tag in directory.places]
        if not places:
            return self._content
        out = bytearray(self._content)
        for place, kind, value in places:
            struct.pack_into(self._order + kind, out, place, value)
        return bytes(out)

    def _directory(self, offset: int) -> tuple[_Directory, int]:
        count = min(self._number(offset, self._count), _MOST_TAGS)
        at = offset + struct.calcsize(self._count)
        size = 20 if self._big else 12
        tags, places = dict[int, tuple[int, ...]](), dict[int, int]()
        for entry in range(at, at + count * size, size):
            tag, kind, number = self._number(entry, "H"), self._number(entry + 2, "H"), self._number(entry + 4, self._offset)
            letter = _TYPES.get(kind)
            if letter is None or not 0 < number <= _MOST:
                continue
            place = entry + (12 if self._big else 8)
            if number * struct.calcsize(letter) > (8 if self._big else 4):
                place = self._number(place, self._offset)
            with contextlib.suppress(struct.error):
                tags.setdefault(tag, struct.unpack_from(f"{self._order}{number}{letter}", self._content, place))
                places.setdefault(tag, place)
        return _Directory(offset, tags, places), self._number(at + count * size, self._offset)

    def _number(self, place: int, kind: str) -> int:
        return int(struct.unpack_from(self._order + kind, self._content, place)[0])
