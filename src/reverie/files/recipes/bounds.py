"""How much a file may make us read while a recipe is looked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from reverie.errors import UnsafeError

MAX_RECIPE = 1 << 20
"""A recipe has at most this many bytes of UTF-8."""

MAX_PACKET = 8 * MAX_RECIPE  # of XMP: escaped, a recipe grows at most sixfold
_MAX_PARTS = 200_000  # chunks, segments, boxes, elements or blocks of one file: more is an attempt to keep us busy


def parts(name: str) -> Iterator[None]:
    """As many turns as a file may have parts.

    Raises:
        UnsafeError: after the last of them.
    """
    for _ in range(_MAX_PARTS):
        yield
    raise UnsafeError(f"'{name}' is made of more than {_MAX_PARTS:,} parts", "open it in another program and export it again")


def bounded(file: BinaryIO, length: int, most: int, name: str) -> bytes:
    """The next `length` bytes of a file.

    Raises:
        UnsafeError: more than `most`.
    """
    if length > most:
        raise too_long(name)
    return file.read(length)


def too_long(name: str) -> UnsafeError:
    return UnsafeError(f"'{name}' carries a text above {MAX_RECIPE:,} bytes where a recipe should be", "do not trust this file")
