"""The recipe inside a file: a PNG text chunk `reverie`, a property in XMP, or what films have. What is read is a stranger's."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from reverie.errors import InputError, UnsafeError, UsageError
from reverie.files.recipes.containers import film_kind_of, gif_text, mp4_packet, webm_text
from reverie.files.source import kind_of, reading

MAX_RECIPE = 1 << 20
"""A recipe has at most this many bytes of UTF-8."""

XMP_TAG = 700  # of TIFF
MAX_JPEG_XMP = 65533 - 29  # a JPEG segment, less the name in front
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_NAMESPACE = "urn:reverie:xmp:1#"
_MAX_PACKET = 8 * MAX_RECIPE  # escaped, a recipe grows at most sixfold
_MAX_PARTS = 200_000  # chunks or segments of one file: more is an attempt to keep us busy
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {'"': "&quot;", "'": "&apos;", "\r": "&#13;"}  # quotes too: Pillow looks for `tiff:Orientation="6"` in raw XMP


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
        raise UsageError(f"a recipe of {len(recipe.encode()):,} bytes is too long, above {MAX_RECIPE:,}", "save without it: --no-recipe")


def xmp_packet(recipe: str) -> bytes:
    """An XMP packet that holds `recipe` and nothing else."""
    from xml.sax.saxutils import escape  # brings urllib along: not for those who only read

    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:reverie="{_NAMESPACE}">'
        f"<reverie:recipe>{escape(recipe, _ESCAPES)}</reverie:recipe>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def _found(file: BinaryIO, name: str) -> str | None:
    start = file.read(64)
    kind = kind_of(start) or film_kind_of(start)
    if kind is None or kind not in _FINDERS:
        return None
    try:
        text = _FINDERS[kind](file, name)
    except (UnicodeDecodeError, zlib.error, expat.ExpatError) as error:
        raise InputError(f"the recipe in '{name}' is damaged", "take it from another copy of the picture") from error
    except struct.error:
        return None  # the file ends where its parts are listed: no recipe was found so far
    if text is not None and len(text.encode()) > MAX_RECIPE:
        raise _too_long(name)
    return text


def _too_long(name: str) -> UnsafeError:
    return UnsafeError(f"'{name}' carries a text above {MAX_RECIPE:,} bytes where a recipe should be", "do not trust this file")


def _parts(name: str) -> Iterator[None]:
    for _ in range(_MAX_PARTS):
        yield
    raise UnsafeError(f"'{name}' is made of more than {_MAX_PARTS:,} parts", "open it in an image program and export it again")


# ── PNG ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _from_png(file: BinaryIO, name: str) -> str | None:
    file.seek(8)
    for _ in _parts(name):
        length, kind = struct.unpack(">I4s", file.read(8))
        after = file.tell() + length + 4
        if kind == b"IEND":
            return None
        if kind in (b"tEXt", b"zTXt", b"iTXt") and file.read(min(length, 8)) == b"reverie\0":
            if length > MAX_RECIPE + 4096:
                raise _too_long(name)
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
        raise _too_long(name)
    if not inflate.eof:
        raise zlib.error("cut short")
    return text


# ── XMP: JPEG, WebP, TIFF ────────────────────────────────────────────────────────────────────────────────────────────────


def _from_jpeg(file: BinaryIO, name: str) -> str | None:
    file.seek(2)
    for _ in _parts(name):
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or kind in (0xDA, 0xD9) or length < 2:  # the pixels, the end, or nonsense
            return None
        after = file.tell() + length - 2
        if kind == 0xE1 and (packet := file.read(length - 2)).startswith(_JPEG_XMP):
            text = _from_packet(packet[len(_JPEG_XMP) :], name)
            if text is not None:
                return text
        file.seek(after)
    return None


def _from_webp(file: BinaryIO, name: str) -> str | None:
    file.seek(12)
    for _ in _parts(name):
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"XMP ":
            return _from_packet(_bounded(file, length, name), name)
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
        if tag == XMP_TAG and kind in (1, 7) and length > 4:
            file.seek(place)
            return _from_packet(_bounded(file, length, name), name)
    return None


def _bounded(file: BinaryIO, length: int, name: str) -> bytes:
    if length > _MAX_PACKET:
        raise _too_long(name)
    return file.read(length)


def _from_packet(packet: bytes, name: str) -> str | None:
    """The recipe in an XMP packet. Expat expands no entity here: those need a document type, and that is refused."""
    if _NAMESPACE.encode() not in packet:
        return None
    pieces: list[str] = []
    inside = found = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside, found
        inside = not found and tag == f"{_NAMESPACE} recipe"
        found = found or inside

    def end(tag: str) -> None:
        nonlocal inside
        inside = False

    def text(piece: str) -> None:
        if inside:
            pieces.append(piece)

    def refuse(*declaration: object) -> None:
        raise UnsafeError(f"the recipe in '{name}' declares a document type, as attacks do", "do not trust this file")

    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(packet.rstrip(b"\0"), True)
    return "".join(pieces) if found else None


# ── films ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _from_mp4(file: BinaryIO, name: str) -> str | None:
    packet = mp4_packet(file, name, _MAX_PACKET)
    if packet is not None and len(packet) > _MAX_PACKET:
        raise _too_long(name)
    return None if packet is None else _from_packet(packet, name)


def _from_webm(file: BinaryIO, name: str) -> str | None:
    return _plain(webm_text(file, name, MAX_RECIPE), name)


def _from_gif(file: BinaryIO, name: str) -> str | None:
    return _plain(gif_text(file, name, MAX_RECIPE), name)


def _plain(text: bytes | None, name: str) -> str | None:
    if text is not None and len(text) > MAX_RECIPE:
        raise _too_long(name)
    return None if text is None else text.decode()


_FINDERS: dict[str, Callable[[BinaryIO, str], str | None]] = {
    "PNG": _from_png, "JPEG": _from_jpeg, "WEBP": _from_webp, "TIFF": _from_tiff, "MP4": _from_mp4, "WEBM": _from_webm,
    "GIF": _from_gif,
}  # fmt: skip
