"""The bytes of a picture file → upright pixels in sRGB."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from reverie.errors import InputError, MissingExtra, UnsafeError, choice
from reverie.files.from_pillow import dpi_of, orientation_of, pixels_of, upright
from reverie.files.input_files import PILLOW_FAULTS, kind_of, reading
from reverie.files.limits import most_pixels
from reverie.files.png import Pixels
from reverie.files.recipes.film_containers import film_kind_of
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
}
_BYTES_A_PIXEL = 16  # no format needs more


@dataclass(frozen=True)
class Decoded:
    """A picture as its file holds it, turned upright and brought to sRGB.

    Attributes:
        rgb: (H, W, 3), uint8 0..255 or uint16 0..65535, writable.
        alpha: (H, W) of the same dtype, 0 transparent; None where the file has none.
        dpi: dots per inch across and down, where the file says so.
        sha256: of the file's bytes, hexadecimal.
        content: the file's bytes.
    """

    rgb: Pixels
    alpha: Pixels | None
    dpi: tuple[float, float] | None
    sha256: str
    content: bytes

    def __repr__(self) -> str:
        height, width = self.rgb.shape[:2]
        return f"Decoded({width}×{height}, {self.rgb.dtype}{'' if self.alpha is None else ', with alpha'})"


def read(path: Path) -> Decoded:
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
    return decode(content, str(path))


def decode(content: bytes, name: str) -> Decoded:
    """The picture in these bytes: JPEG, PNG, WebP, TIFF, AVIF, GIF, BMP, HEIC, told apart by content; of an animation the first frame.

    The orientation in EXIF is applied, an embedded ICC profile converted to sRGB (ignored where broken), palettes, greys, CMYK, LAB
    and YCbCr become RGB. Grey of 16 bits stays at 16 bits; whole numbers of 32 bits and floats become 16 bits (0..1, 0..255 and
    0..65535 as such, other ranges stretched from their least to their greatest). Pillow reads RGB of 16 bits at 8 bits, and so do we.

    Args:
        content: the whole file.
        name: for messages.

    Raises:
        InputError: empty, damaged, cut short, or not a picture.
        UnsafeError: more pixels than `most_pixels`, refused before anything is decoded, or texts or profiles that unpack to more than they
            should.
        MissingExtra: HEIC, without pillow-heif.
    """
    kind = _kind(content, name)
    try:
        with _pillow_limit(most_pixels()), _open(kind, content, name) as image:
            width, height = image.size
            if width * height > most_pixels():
                raise _too_large(name, f"{width}×{height} = {width * height:,}")
            if kind == "PNG" and not _can_hold(content):
                raise EOFError
            before = orientation_of(image)
            image.load()
            rgb, alpha = pixels_of(image, kind, content)
            left = orientation_of(image)  # Pillow turns a TIFF by itself, and then no longer says so
            dpi = dpi_of(image)
    except Image.DecompressionBombError as error:
        claimed = re.search(r"\d+", str(error))
        raise _too_large(name, f"{int(claimed[0]):,}" if claimed else "too many") from error
    except MemoryError as error:
        raise _no_memory(name) from error
    except PILLOW_FAULTS as error:
        raise _explain(error, name) from error
    if 0 in rgb.shape:
        raise InputError(f"'{name}' has no pixels", "export it again")
    if dpi and max(before, left) > 4:
        dpi = dpi[1], dpi[0]
    alpha = None if alpha is None else upright(alpha, left)
    return Decoded(upright(rgb, left), alpha, dpi, sha256_of(content), content)


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
    if kind is None and film_kind_of(content[:64]):
        raise InputError(f"'{name}' is a film, not a picture", "give it to: reverie film")
    if kind is None:
        raise InputError(f"'{name}' is not a picture", "give a JPEG, PNG, WebP, TIFF, AVIF, GIF, BMP or HEIC")
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


def _explain(error: Exception, name: str) -> InputError | UnsafeError:
    text = str(error).lower()
    if "too large for png" in text or "too much memory used in text" in text:
        return UnsafeError(f"'{name}' carries texts or a profile that unpack to too much", "export it again without metadata")
    if isinstance(error, EOFError) or "truncated" in text or "cut short" in text:
        return InputError(f"'{name}' is cut short", "fetch or export it again")
    return InputError(f"'{name}' is damaged", "open it in an image program and export it again")
