"""The bytes of a picture file → upright pixels in sRGB."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from reverie.errors import InputError, MissingExtra, UnsafeError, choice
from reverie.files.colour import hdr_in, told_by
from reverie.files.colour_coding import Coding
from reverie.files.from_pillow import Found, coloured_of_fewer_bits, deep_pixels, dpi_of, orientation_of, pixels_of, upright
from reverie.files.input_files import PILLOW_FAULTS, kind_of, reading
from reverie.files.limits import most_pixels
from reverie.files.other_kinds import other_kind
from reverie.files.png import Pixels
from reverie.files.png_reading import Told, deep_levels, lean
from reverie.files.tiff_directories import TiffPicture, the_picture
from reverie.installing import install
from reverie.store import sha256_of

# Pillow's classes, called directly: Image.open would also try formats that start other programs, and warns at a size of its own.
_OPENERS: dict[str, Callable[[IO[bytes], str], Image.Image]] = {
    "JPEG": JpegImagePlugin.jpeg_factory,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "JPEG2000": Jpeg2KImagePlugin.Jpeg2KImageFile,
}
_BYTES_A_PIXEL = 16  # no format needs more
_DARK = 16  # of 255: so dark is a picture of 16 bits of which 12 are filled


@dataclass(frozen=True)
class Decoded:
    """A picture as its file holds it, turned upright and brought to sRGB.

    Attributes:
        rgb: (H, W, 3), uint8 0..255 or uint16 0..65535, writable.
        alpha: (H, W) of the same dtype, 0 transparent; None where the file has none.
        dpi: dots per inch across and down, where the file says so.
        sha256: of the file's bytes, hexadecimal.
        content: the file's bytes.
        notes: how it was understood, where that may surprise: a line each.
        size: (height, width) in its file, upright; `rgb` is smaller only where that was asked for.
    """

    rgb: Pixels
    alpha: Pixels | None
    dpi: tuple[float, float] | None
    sha256: str
    content: bytes
    notes: tuple[str, ...] = ()
    size: tuple[int, int] = (0, 0)

    def __repr__(self) -> str:
        height, width = self.rgb.shape[:2]
        return f"Decoded({width}×{height}, {self.rgb.dtype}{'' if self.alpha is None else ', with alpha'})"


def read(path: Path, fit: int | None = None) -> Decoded:
    """`decode` for the file at `path`.

    Raises:
        InputError: no such file, a folder, not readable, and all that `decode` raises.
    """
    with reading(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max(_BYTES_A_PIXEL * most_pixels(), 1 << 26):
            fault = f"'{path}' has {size:,} bytes, too many for {most_pixels():,} pixels"
            raise UnsafeError(fault, f"allow more with {choice('max_pixels')}")
        try:
            content = file.read()
        except MemoryError as error:
            raise _no_memory(str(path)) from error
    return decode(content, str(path), fit)


def decode(content: bytes, name: str, fit: int | None = None) -> Decoded:
    """The picture in these bytes: JPEG, PNG, WebP, TIFF, AVIF, GIF, BMP, JPEG 2000, HEIC, told apart by content; of several the first.

    The orientation in EXIF is applied. Colours become sRGB as the file tells them (ignored where that is broken): by numbers (cICP, nclx),
    an ICC profile, gAMA and cHRM, or a camera's word for Adobe RGB. Light for HDR screens is brought to that of ordinary ones. Palettes,
    greys, CMYK, LAB and YCbCr become RGB. Grey of 16 bits stays at 16 bits, also where white is zero; whole numbers of 32 bits, those
    with a sign and floats become 16 bits (0..1, 0..255 and 0..65535 as such, other ranges stretched from their least to their greatest).
    Pillow reads RGB of 16 bits at 8 bits, and so do we but where its colours have to be converted by numbers. What may surprise is noted.

    Args:
        content: the whole file.
        name: for messages.
        fit: pixels; a JPEG may be read smaller, as long as no side is below, which is many times faster.

    Raises:
        InputError: empty, damaged, cut short, not a picture, or of a kind that is not read, which is named.
        UnsafeError: more pixels than `most_pixels`, refused before anything is decoded, or texts or profiles that unpack to more than they
            should.
        MissingExtra: HEIC, without pillow-heif.
    """
    kind = _kind(content, name)
    png = lean(content, name) if kind == "PNG" else None
    tiff = None
    try:
        tiff = the_picture(content, name) if kind == "TIFF" else None
        source = png.content if png else tiff.content if tiff else content
        with _pillow_limit(most_pixels()), _open(kind, source, name) as image:
            width, height = image.size
            if width * height > most_pixels():
                raise _too_large(name, f"{width}×{height} = {width * height:,}")
            if png and not _can_hold(content):
                raise EOFError
            before = orientation_of(image)
            if fit and kind == "JPEG":
                image.draft(image.mode, (fit, fit))
            image.load()
            told = hdr_in(png.told if png else told_by(image, kind, content))
            deep = _deep(kind, source, told)
            if deep is not None and isinstance(told, Coding):
                found = deep_pixels(deep, image.info.get("transparency"), told)
            else:
                found = pixels_of(image, kind, source, told, tiff)
                if found.rgb.dtype == np.uint8 and image.mode == "RGB" and found.rgb.max() < _DARK:
                    found = _of_fewer_bits(kind, source, told, tiff) or found
            coarse = _coarsely(image, kind, source, told, tiff, found)
            left = orientation_of(image)  # Pillow turns a TIFF by itself, and then no longer says so
            dpi = dpi_of(image)
            several = _of_several(image, kind, png.pictures if png else 1)
            if several and kind != "PNG" and _is_empty(found):
                found, several = _first_not_empty(image, kind, source, told) or (found, several)
    except Image.DecompressionBombError as error:
        claimed = re.search(r"\d+", str(error))
        raise _too_large(name, f"{int(claimed[0]):,}" if claimed else "too many") from error
    except MemoryError as error:
        raise _no_memory(name) from error
    except PILLOW_FAULTS as error:
        raise _explain(error, name, tiff) from error
    if 0 in found.rgb.shape:
        raise InputError(f"'{name}' has no pixels", "export it again")
    if dpi and max(before, left) > 4:
        dpi = dpi[1], dpi[0]
    alpha = None if found.alpha is None else upright(found.alpha, left)
    notes = (*(png.notes if png else tiff.notes if tiff else ()), *several, *coarse, *found.notes)
    size = (width, height) if before > 4 else (height, width)
    return Decoded(upright(found.rgb, left), alpha, dpi, sha256_of(content), content, notes, size)


def size_of(path: Path) -> tuple[int, int] | None:
    """(height, width) of the picture in a file, from its header, upright; None where that does not tell."""
    try:
        with reading(path) as file:
            kind = kind_of(file.read(64))
            file.seek(0)
            if kind is None or kind not in _OPENERS:
                return None
            with _pillow_limit(most_pixels()), _OPENERS[kind](file, "") as image:
                width, height = image.size
                return (width, height) if orientation_of(image) > 4 else (height, width)
    except (InputError, *PILLOW_FAULTS):
        return None


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _kind(content: bytes, name: str) -> str:
    """Pillow's name of the format."""
    if not content:
        raise InputError(f"'{name}' is empty", "fetch or export it again")
    kind = kind_of(content[:64])
    if kind is None and (other := other_kind(content)):
        raise other.instead_of("picture", name)
    if kind is None:
        raise InputError(f"'{name}' is not a picture", "give a JPEG, PNG, WebP, TIFF, AVIF, GIF, BMP, JPEG 2000 or HEIC")
    return kind


_lock = threading.Lock()
_limits: list[int] = []  # of the decodes under way, below them Pillow's own


@contextlib.contextmanager
def _pillow_limit(pixels: int) -> Iterator[None]:
    """While pictures are decoded, Pillow's limit is at least ours; after the last it is what it was."""
    with _lock:
        if not _limits:
            _limits.append(Image.MAX_IMAGE_PIXELS or 0)
        _limits.append(pixels)
        if Image.MAX_IMAGE_PIXELS is not None:
            Image.MAX_IMAGE_PIXELS = max(_limits)
    try:
        yield
    finally:
        with _lock:
            _limits.remove(pixels)
            if len(_limits) == 1:
                own = _limits.pop()
                if Image.MAX_IMAGE_PIXELS is not None:
                    Image.MAX_IMAGE_PIXELS = own


def _open(kind: str, content: bytes, name: str) -> Image.Image:
    """The picture with its header read and its pixels not yet."""
    if kind != "HEIF":
        return _OPENERS[kind](BytesIO(content), "")
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtra(f"'{name}' is HEIC, which needs one more package", install("pillow-heif")) from error
    file = pillow_heif.open_heif(BytesIO(content))
    if file.size[0] * file.size[1] > most_pixels():
        raise Image.DecompressionBombError(f"{file.size[0] * file.size[1]}")
    image: Image.Image = file.to_pillow()  # decodes; libheif has turned it already
    return image


def _deep(kind: str, source: bytes, told: Told) -> npt.NDArray[np.uint16] | None:
    """(H, W) or (H, W, C) at 16 bits, where Pillow gives 8 and a conversion by numbers would show it."""
    if not isinstance(told, Coding):
        return None
    if kind == "PNG" and source[24] == 16 and source[25] in (2, 4, 6):
        return deep_levels(source)
    if kind == "HEIF" and told.hdr:
        import pillow_heif

        file = pillow_heif.open_heif(BytesIO(source), convert_hdr_to_8bit=False)
        if "16" in file.mode:
            return np.asarray(file)[:, : file.size[0]].astype(np.uint16)  # rows may be padded
    return None


def _of_fewer_bits(kind: str, source: bytes, told: Told, tiff: TiffPicture | None) -> Found | None:
    """Colours that are black because they fill 10 or 12 of 16 bits."""
    if kind == "PNG" and source[24] == 16 and source[25] == 2:
        return coloured_of_fewer_bits(deep_levels(source), told)
    if tiff is not None and tiff.bits == 16 and tiff.samples == 3:
        high, low = (_loaded_tiff(source, swapped) for swapped in (False, True))
        return coloured_of_fewer_bits((high.astype(np.uint16) << np.uint16(8)) | low.astype(np.uint16), told)
    return None


def _coarsely(image: Image.Image, kind: str, source: bytes, told: Told, tiff: TiffPicture | None, found: Found) -> tuple[str, ...]:
    """A word where colours are not all that the file holds, or nobody says what they look like."""
    if image.mode == "CMYK" and not (isinstance(told, bytes) and told[16:20] == b"CMYK"):
        return ("its colours are inks (CMYK) and it has no profile of them: they were taken for plain ones, and may look harsh",)
    deep = kind == "PNG" and source[24] == 16 and source[25] in (2, 6)
    deep = deep or (tiff is not None and tiff.bits == 16 and tiff.samples > 2)
    return ("its colours have 16 bits, of which 8 were read",) if deep and found.rgb.dtype == np.uint8 and not found.notes else ()


def _loaded_tiff(source: bytes, swapped: bool) -> npt.NDArray[np.uint8]:
    """(H, W, 3) of the upper bytes of 16 bits, or of the lower ones, which are the upper of the other order."""
    with TiffImagePlugin.TiffImageFile(BytesIO(source), "") as image:
        if swapped:
            image.tile = [each._replace(args=_swapped(each.args)) for each in image.tile]
        image.load()
        return np.asarray(image)


def _swapped(args: Any) -> Any:
    """What a tile is decoded by, with the other order of bytes."""
    other = {"RGB;16L": "RGB;16B", "RGB;16B": "RGB;16L", "RGB;16N": "RGB;16B" if sys.byteorder == "little" else "RGB;16L"}
    return other.get(args, args) if isinstance(args, str) else (other.get(args[0], args[0]), *args[1:])


def _is_empty(found: Found) -> bool:
    return found.alpha is not None and not found.alpha.any()


def _first_not_empty(image: Image.Image, kind: str, source: bytes, told: Told) -> tuple[Found, tuple[str, ...]] | None:
    """Of an animation that begins with nothing the first picture in which there is something, if that comes soon."""
    most = min(100, most_pixels() // (image.width * image.height))
    with contextlib.suppress(EOFError):
        for number in range(1, most):
            image.seek(number)
            image.load()
            found = pixels_of(image, kind, source, told)
            if not _is_empty(found):
                return found, (f"it is an animation that begins transparent; picture number {number + 1} was taken",)
    return None


def _of_several(image: Image.Image, kind: str, pictures: int) -> tuple[str, ...]:
    """A word where there are more pictures than the one that is taken."""
    if kind in ("GIF", "WEBP", "AVIF"):
        pictures = image.n_frames if kind != "GIF" else 1 + image.is_animated  # type: ignore[attr-defined]
    return ("it is an animation, of which the first picture was taken",) if pictures > 1 else ()


def _can_hold(png: bytes) -> bool:
    """Whether a PNG is long enough for the pixels it claims: deflate packs at most 1032 bytes into one."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    bits = depth * {2: 3, 4: 2, 6: 4}.get(colour, 1)
    return bool(height * (width * bits // 8) <= 1032 * len(png))


def _too_large(name: str, claimed: str) -> UnsafeError:
    remedy = f"allow more with {choice('max_pixels')} if you trust it"
    return UnsafeError(f"'{name}' claims {claimed} pixels, more than {most_pixels():,}", remedy)


def _no_memory(name: str) -> InputError:
    return InputError(f"'{name}' needs more memory than is free", "close other programs, or make the picture smaller first")


def _explain(error: Exception, name: str, tiff: TiffPicture | None) -> InputError | UnsafeError:
    text = str(error).lower()
    if tiff is not None and "unknown pixel mode" in text:
        return InputError(f"'{name}' is {tiff.kind}, which cannot be read", "export it with 8 or 16 bits a channel")
    if "too large for png" in text or "too much memory used in text" in text:
        return UnsafeError(f"'{name}' carries texts or a profile that unpack to too much", "export it again without metadata")
    if isinstance(error, EOFError) or "truncated" in text or "cut short" in text:
        return InputError(f"'{name}' is cut short", "fetch or export it again")
    return InputError(f"'{name}' is damaged", "open it in an image program and export it again")
