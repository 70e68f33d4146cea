"""Opening a file that a user named, telling its format by its first bytes, and saying what is wrong with it."""

from __future__ import annotations

import contextlib
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from reverie.errors import InputError
from reverie.store import files_in

READABLE: frozenset[str] = frozenset(
    [
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".webp",
        ".tif",
        ".tiff",
        ".avif",
        ".gif",
        ".bmp",
        ".heic",
        ".heif",
        ".mpo",
        ".jp2",
        ".j2k",
        ".jpx",
    ]
)
"""Lower-case suffixes of files that are worth trying; `decode` itself goes by content."""

PILLOW_FAULTS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, BufferError,
    EOFError, MemoryError, RuntimeError, SystemError, Warning, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow and its plugins raise on hostile bytes (Warning: where the user runs Python with -W error)."""

_STARTS = {
    "JPEG": re.compile(rb"\xff\xd8\xff"), "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"), "WEBP": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "TIFF": re.compile(rb"II[*+]\0|MM\0[*+]"), "JPEG2000": re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    "GIF": re.compile(rb"GIF8[79]a"), "BMP": re.compile(rb"BM"),
}  # fmt: skip
_OTHERS = {
    re.compile(rb"\x93NUMPY"): ".npy", re.compile(rb".{4}\0{4}\{\"", re.DOTALL): ".safetensors",
    re.compile(rb".{4}ftypqt", re.DOTALL): ".mov",
    re.compile(rb"\x1aE\xdf\xa3.*webm", re.DOTALL): ".webm",
    re.compile(rb"\x1aE\xdf\xa3"): ".mkv", re.compile(rb"RIFF.{4}AVI ", re.DOTALL): ".avi",
    re.compile(rb".{4}(ftyp(?!avi[fs]|hei|hev|mif|msf)|moov|mdat)", re.DOTALL): ".mp4",
}  # fmt: skip
_SUFFIXES = {
    "JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "GIF": ".gif", "BMP": ".bmp", "AVIF": ".avif", "HEIF": ".heic"
}  # fmt: skip
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


@contextlib.contextmanager
def reading(path: Path, what: str = "picture") -> Iterator[BinaryIO]:
    """The file at `path`, open for reading; its name, kind and every failure to read it become an InputError. `what` should be there."""
    name = str(path)
    try:
        if "\0" in str(path) or not path.exists():
            raise InputError(f"'{name}' does not exist", "check the name and the folder")
        if path.is_dir():
            raise InputError(f"'{name}' is a folder", f"give a {what} in it")
        if not path.is_file():  # a pipe or a device may never end
            raise InputError(f"'{name}' is not a file", f"save the {what} as a file first")
        with path.open("rb") as file:
            yield file
    except PermissionError as error:
        raise InputError(f"'{name}' may not be read", "ask for permission to read it, or copy it to a place of your own") from error
    except OSError as error:
        raise InputError(f"'{name}' cannot be read ({error.strerror or error})", "copy it to another place and try again") from error


def pictures_in(folder: Path) -> list[Path]:
    """The pictures directly in a folder, by name; of one without any its arrays (.npy)."""
    return list(files_in(folder, READABLE)) or list(files_in(folder, frozenset([".npy"])))


def suffix_of(start: bytes) -> str:
    """The suffix that a file with these first bytes usually has; empty of one that is not known."""
    for mark, suffix in _OTHERS.items():
        if mark.match(start):
            return suffix
    return _SUFFIXES.get(kind_of(start) or "", "")


def kind_of(start: bytes) -> str | None:
    """The format that these first bytes (64 are enough) announce, by Pillow's name for it, or None."""
    for kind, mark in _STARTS.items():
        if mark.match(start):
            return kind
    if start[4:8] == b"ftyp":
        length = min(int.from_bytes(start[:4], "big"), 64)
        brands = {start[8:12]} | {start[at : at + 4] for at in range(16, length - 3, 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIF:
            return "HEIF"
    return None
