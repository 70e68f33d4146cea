"""Arrays of numbers (.npy) as pictures of any number of channels. What is read is a stranger's: no pickle, no size that is not there."""

from __future__ import annotations

import os
import tokenize
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from reverie.errors import InputError, ReverieError, UnsafeError, choice
from reverie.files.input_files import reading
from reverie.files.limits import most_pixels
from reverie.store import sha256_of

MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 1 << 16  # bytes, of which numpy itself refuses most
_FAULTS = (ValueError, TypeError, OSError, EOFError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError)


@dataclass(frozen=True)
class Array:
    """A picture as an array holds it.

    Attributes:
        values: (H, W, C), whole numbers without a sign, or finite floats in 0..1.
        white: the number that is white.
        sha256: of the file's bytes, hexadecimal.
        content: the file's bytes.
    """

    values: npt.NDArray[Any]
    white: int
    sha256: str
    content: bytes

    def __repr__(self) -> str:
        height, width, channels = self.values.shape
        return f"Array({width}×{height}, {channels} channels, {self.values.dtype})"


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    begin: int  # of the numbers, in bytes

    @property
    def end(self) -> int:
        return self.begin + prod(self.shape) * self.dtype.itemsize


def is_array(source: Path | bytes) -> bool:
    """Whether a file, or these bytes, are an array, by their content; False of a file that cannot be read."""
    if isinstance(source, bytes):
        return source.startswith(MAGIC)
    try:
        with reading(source) as file:
            return file.read(len(MAGIC)) == MAGIC
    except ReverieError:
        return False


def read_array(path: Path, channels: int | None = None) -> Array:
    """`decode_array` for the file at `path`, which is not read where its size is not what it claims."""
    with reading(path) as file:
        _header(file, os.fstat(file.fileno()).st_size, str(path), channels)
        file.seek(0)
        content = file.read()
    return decode_array(content, str(path), channels)


def decode_array(content: bytes, name: str, channels: int | None = None) -> Array:
    """The picture in the bytes of a .npy file: (C, H, W), (H, W, C) or, of one channel, (H, W).

    Floats are in 0..1; whole numbers without a sign go from 0, black, to the greatest their type holds, white; of truth values true is
    white.

    Args:
        content: the whole file.
        name: for messages.
        channels: that are looked for, first at the beginning of the shape, then at its end; else the shorter of the two are the channels.

    Raises:
        InputError: damaged, of another shape or kind of numbers, or outside 0..1.
        UnsafeError: more pixels than `most_pixels`.
    """
    found = _header(BytesIO(content), len(content), name, channels)
    kind = np.dtype(np.uint8) if found.dtype.kind == "b" else found.dtype
    flat = np.frombuffer(content, kind, offset=found.begin)
    values = flat.reshape(found.shape, order="F" if found.fortran else "C")
    values = values[None] if values.ndim == 2 else values
    values = values.transpose(1, 2, 0) if _is_first(found.shape, channels) else values  # (H, W, C)
    white = {"b": 1, "f": 1}.get(found.dtype.kind) or int(np.iinfo(kind).max)
    if not (values.min() >= 0 and values.max() <= white):  # NaN is neither
        raise InputError(f"'{name}' has numbers outside 0..1, or none", "bring it to 0..1, or give whole numbers without a sign, as uint8")
    return Array(values, white, sha256_of(content), content)


def _header(file: IO[bytes], size: int, name: str, channels: int | None) -> _Header:
    """What an array says of itself, checked."""
    start = BytesIO(file.read(_LONGEST_HEADER))
    try:
        version = np.lib.format.read_magic(start)
        if version not in ((1, 0), (2, 0)):
            raise ValueError
        parse = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        found = _Header(*parse(start), start.tell())
    except _FAULTS as error:
        raise InputError(f"'{name}' is damaged", "write it again with numpy.save") from error
    if found.dtype.kind not in "fub" or (found.dtype.kind == "f" and found.dtype.itemsize > 8):
        remedy = "give floats in 0..1, or whole numbers without a sign, as uint8 or uint16"
        raise InputError(f"'{name}' holds no numbers that say what is black and white", remedy)
    shape = found.shape
    if len(shape) not in (2, 3) or not all(type(each) is int and each > 0 for each in shape):
        raise InputError(f"'{name}' has the shape {shape}"[:200], "a picture is (C, H, W), (H, W, C) or (H, W)")
    pixels = prod(shape[-2:] if _is_first(shape, channels) else shape[:2])
    if pixels > most_pixels():
        remedy = f"allow more with {choice('max_pixels')} if you trust it"
        raise UnsafeError(f"'{name}' claims {pixels:,} pixels, more than {most_pixels():,}", remedy)
    if size != found.end:
        raise InputError(f"'{name}' is {'cut short' if size < found.end else 'longer than it says'}", "write it again with numpy.save")
    return found


def _is_first(shape: tuple[int, ...], channels: int | None) -> bool:
    """Whether channels stand before rows and columns; a picture of one channel may have no place for them."""
    if len(shape) == 2 or shape[0] == channels:
        return True
    return shape[2] != channels and shape[0] <= shape[2]
