"""Files that are no picture, or no film, that we read, named as what they are, with what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reverie.errors import InputError
from reverie.files.input_files import kind_of
from reverie.files.recipes.film_containers import film_kind_of

_DEVELOP = "develop it into a TIFF or JPEG with the camera's program, darktable or RawTherapee"
_EXPORT = "export it as PNG or TIFF first"
_RAW = "a camera's raw file ({})"


@dataclass(frozen=True)
class OtherKind:
    """`what` it is, with its article, and what to do, where that is more than to give another; `known` of what could be
    something else than it was taken for."""

    what: str
    remedy: str = ""
    known: bool = False

    def instead_of(self, wanted: str, name: str) -> InputError:
        """What to say where a "picture" or a "film" was wanted."""
        fault = f"'{name}' is {self.what}, {f'not a {wanted}' if self.known else 'which cannot be read'}"
        return InputError(fault, self.remedy or f"give a {wanted}")


_STARTS: tuple[tuple[bytes, OtherKind], ...] = (
    (rb"....ftypcrx ", OtherKind(_RAW.format("CR3"), _DEVELOP)),
    (rb"II\x1a\0\0\0HEAPCCDR", OtherKind(_RAW.format("CRW"), _DEVELOP)),
    (rb"FUJIFILMCCD-RAW", OtherKind(_RAW.format("RAF"), _DEVELOP)),
    (rb"IIU\0", OtherKind(_RAW.format("RW2"), _DEVELOP)),
    (rb"IIR[OS]|MMOR", OtherKind(_RAW.format("ORF"), _DEVELOP)),
    (rb"FOVb", OtherKind(_RAW.format("X3F"), _DEVELOP)),
    (rb"\0MRM", OtherKind(_RAW.format("MRW"), _DEVELOP)),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", OtherKind("a JPEG XL", "convert it to PNG first, with djxl or an image program")),
    (rb"8BPS", OtherKind("a Photoshop document (PSD)", _EXPORT)),
    (rb"v/1\x01", OtherKind("an OpenEXR picture", "export it as PNG or TIFF of 16 bits first")),
    (rb"#\?(RADIANCE|RGBE)", OtherKind("a Radiance HDR picture", "export it as PNG or TIFF of 16 bits first")),
    (rb"%PDF-", OtherKind("a PDF document", "export the page as a PNG first, as with: pdftoppm -png")),
    (rb"%!PS|\xc5\xd0\xd3\xc6", OtherKind("a PostScript drawing", _EXPORT)),
    (rb"gimp xcf", OtherKind("a GIMP document (XCF)", _EXPORT)),
    (rb"II\xbc\x01", OtherKind("a JPEG XR", _EXPORT)),
    (rb"DDS ", OtherKind("a texture (DDS)", _EXPORT)),
    (rb"P[1-7]\s|P[Ff]\s", OtherKind("a Netpbm picture", _EXPORT)),
    (rb"qoif", OtherKind("a QOI picture", _EXPORT)),
    (rb".\0[\x02\x03\x0a\x0b]\0{5}.{8}[\x08\x10\x18\x20][\0\x08\x20\x28]", OtherKind("a Targa picture (TGA)", _EXPORT)),
    (rb"\x00\x00[\x01\x02]\x00[^\0]\x00", OtherKind("an icon (ICO)", _EXPORT)),
    (rb"icns", OtherKind("an icon (ICNS)", _EXPORT)),
    (rb"(SIMPLE|XTENSION)  ?=", OtherKind("a FITS file", "bring its numbers to 0..1 and save them with numpy.save")),
    (rb"\x89HDF", OtherKind("an HDF5 file", "bring its numbers to 0..1 and save them with numpy.save")),
    (rb"\x80[\x02-\x05]", OtherKind("a Python pickle", "save the numbers with numpy.save")),
    (rb"PK\x03\x04", OtherKind("a ZIP archive or a document in one", "unpack it, and give a picture in it")),
    (rb"Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ", OtherKind("an archive", "unpack it, and give a picture in it")),
    (rb"ID3|\xff[\xfb\xf3\xf2]|fLaC|OggS.{24}(\x01vorbis|OpusHead)|RIFF....WAVE", OtherKind("sound", known=True)),
)  # fmt: skip
_COMPILED = tuple((re.compile(mark, re.DOTALL), kind) for mark, kind in _STARTS)
_FILM_STARTS = re.compile(
    rb"RIFF....AVI |FLV\x01|\x30\x26\xb2\x75|OggS|\x00\x00\x01[\xba\xb3]|\x47.{187}\x47|.{4}\x47.{191}\x47", re.DOTALL
)
_FILM = OtherKind("a film", "give it to: reverie film", True)
_PICTURE = OtherKind("a picture", "give it to: reverie dream", True)
_MOVING_WEBP = OtherKind("an animated WebP", "convert it to APNG, GIF or MP4 first")
_PAGE = OtherKind("a web page", "fetch the file itself: open its address in a browser and save it from there", True)
_TEXT = OtherKind("a text", known=True)
_SVG = OtherKind("an SVG drawing", "export it as PNG first, as with: rsvg-convert or Inkscape")


def other_kind(content: bytes) -> OtherKind | None:
    """What a file is that is none of our pictures, by its first bytes (a thousand are enough); None where that is not known."""
    start = content[:1024]
    for mark, kind in _COMPILED:
        if mark.match(start):
            return kind
    if film_kind_of(start[:64]) or _FILM_STARTS.match(start):
        return _FILM
    text = start.decode("utf-16", "ignore") if start[:2] in (b"\xff\xfe", b"\xfe\xff") else start.decode("utf-8", "ignore")
    text = text.lstrip("\ufeff \t\r\n").lower()
    if re.match(r"(<\?xml[^>]*>|<!--.*?-->|<!doctype svg[^>]*>|\s)*<svg\b", text, re.DOTALL):
        return _SVG
    if re.match(r"(<\?xml[^>]*>|<!--.*?-->|\s)*<(!doctype html|html|head|body|script|meta)\b", text, re.DOTALL):
        return _PAGE
    if len(text) > 8 and sum(each.isprintable() or each in "\t\r\n" for each in text) == len(text):
        return _TEXT
    return None


def no_film(content: bytes) -> OtherKind | None:
    """What a file is that was given as a film, by its first bytes (a million are enough); None where it may be one."""
    kind = kind_of(content[:64])
    if kind is None:
        other = None if content.startswith(b"YUV4MPEG2 ") else other_kind(content)
        return None if other is _FILM else other
    moving = {
        "GIF": True,
        "PNG": b"acTL" in content.partition(b"IDAT")[0],
        "JPEG": b"\xff\xd9\xff\xd8" in content,  # one after the other
        "AVIF": b"avis" in content[:64],
    }
    if kind == "WEBP" and content[12:16] == b"VP8X" and content[20] & 2:
        return _MOVING_WEBP
    return None if moving.get(kind, False) else _PICTURE
