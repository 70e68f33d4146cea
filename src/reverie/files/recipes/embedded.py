"""The recipe inside a file: a PNG text chunk `reverie`, a property in XMP, or what films have. What is read is a stranger's."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from reverie.errors import InputError, UsageError, choice
from reverie.files.input_files import kind_of, reading
from reverie.files.recipes import xmp
from reverie.files.recipes.bounds import MAX_PACKET, MAX_RECIPE, bounded, parts, too_long
from reverie.files.recipes.film_containers import film_kind_of, from_gif, from_mp4, from_webm

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def recipe_text(source: Path | bytes, name: str | None = None) -> str | None:
    """The recipe that a picture or a film carries, or None. Reads no more of a file than the places where one can be.

    Args:
        source: a file, or its bytes.
        name: for messages about bytes.

    Raises:
        InputError: the file cannot be read, or carries a recipe that is damaged.
        UnsafeError: a text above 1 MiB, also once unpacked; XML that declares a document type; a file made of countless tiny parts.
    """
    label = name or ("picture" if isinstance(source, bytes) else str(source))
    if isinstance(source, bytes):
        return _found(BytesIO(source), label)
    with reading(source) as file:
        return _found(file, label)


def check_text(recipe: str) -> None:
    """Raise UsageError if `recipe` could not be read back from every format."""
    if found := _NOT_IN_XML.search(recipe):
        raise UsageError(f"a recipe cannot hold the character U+{ord(found[0]):04X}", "escape it, as JSON does")
    if len(recipe.encode()) > MAX_RECIPE:
        fault = f"a recipe of {len(recipe.encode()):,} bytes is too long, above {MAX_RECIPE:,}"
        raise UsageError(fault, f"save without it: {choice('recipe')}")


def _found(file: BinaryIO, name: str) -> str | None:
    start = file.read(64)
    kind = kind_of(start) or film_kind_of(start)
    if kind is None or kind not in _FINDERS:
        return None
    try:
        text = _FINDERS[kind](file, name)
    except (zlib.error, *xmp.FAULTS) as error:
        raise InputError(f"the recipe in '{name}' is damaged", "take it from another copy of the picture") from error
    except struct.error:
        return None  # the file ends where its parts are listed: no recipe was found so far
    if text is not None and len(text.encode()) > MAX_RECIPE:
        raise too_long(name)
    return text


# ── PNG ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _from_png(file: BinaryIO, name: str) -> str | None:
    file.seek(8)
    for _ in parts(name):
        length, kind = struct.unpack(">I4s", file.read(8))
        after = file.tell() + length + 4
        if kind == b"IEND":
            return None
        if kind in (b"tEXt", b"zTXt", b"iTXt") and file.read(min(length, 8)) == b"reverie\0":
            if length > MAX_RECIPE + 4096:
                raise too_long(name)
            content = file.read(length - 8)
            if file.read(4) != struct.pack(">I", zlib.crc32(b"reverie\0" + content, zlib.crc32(kind))):
                raise zlib.error("checksum")
            return _png_text(kind, content, name)
        file.seek(after)
    return None


def _png_text(kind: bytes, content: bytes, name: str) -> str:
    """The text of a chunk, after its key."""
    if kind == b"tEXt":
        return content.decode("latin-1")
    if kind == b"zTXt":
        return _inflated(content[1:], name).decode("latin-1")
    packed = content[:1] == b"\1"
    text = content[2:].split(b"\0", 2)[-1]  # after the language and the translated key
    return (_inflated(text, name) if packed else text).decode()


def _inflated(packed: bytes, name: str) -> bytes:
    inflate = zlib.decompressobj()
    text = inflate.decompress(packed, MAX_RECIPE + 1)
    if len(text) > MAX_RECIPE:
        raise too_long(name)
    if not inflate.eof:
        raise zlib.error("cut short")
    return text


# ── XMP: JPEG, WebP, TIFF ────────────────────────────────────────────────────────────────────────────────────────────────


def _from_jpeg(file: BinaryIO, name: str) -> str | None:
    file.seek(2)
    for _ in parts(name):
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or kind in (0xDA, 0xD9) or length < 2:  # the pixels, the end, or nonsense
            return None
        after = file.tell() + length - 2
        if kind == 0xE1 and (segment := file.read(length - 2)).startswith(xmp.JPEG_HEADER):
            text = xmp.recipe_in(segment.removeprefix(xmp.JPEG_HEADER), name)
            if text is not None:
                return text
        file.seek(after)
    return None


def _from_webp(file: BinaryIO, name: str) -> str | None:
    file.seek(12)
    for _ in parts(name):
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"XMP ":
            return xmp.recipe_in(bounded(file, length, MAX_PACKET, name), name)
        file.seek(length + length % 2, 1)
    return None


def _from_tiff(file: BinaryIO, name: str) -> str | None:
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    version, start = struct.unpack(order + "HI", file.read(6))
    if version != 42:  # BigTIFF, which we do not write
        return None
    file.seek(start)
    (count,) = struct.unpack(order + "H", file.read(2))
    for tag, kind, length, place in struct.iter_unpack(order + "HHII", file.read(12 * count)):
        if tag == xmp.TAG and kind in (1, 7) and length > 4:
            file.seek(place)
            return xmp.recipe_in(bounded(file, length, MAX_PACKET, name), name)
    return None


_FINDERS: dict[str, Callable[[BinaryIO, str], str | None]] = {
    "PNG": _from_png, "JPEG": _from_jpeg, "WEBP": _from_webp, "TIFF": _from_tiff, "MP4": from_mp4, "WEBM": from_webm,
    "GIF": from_gif,
}  # fmt: skip
