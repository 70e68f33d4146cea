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

import numpy as np
import numpy.typing as npt
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

from reverie.errors import InputError, MissingExtra, UnsafeError
from reverie.files.colour import grey_curve, to_srgb
from reverie.files.png import Pixels
from reverie.files.recipes.containers import film_kind_of
from reverie.files.source import PILLOW_FAULTS, kind_of, reading
from reverie.recipe import MAX_PIXELS
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
_BAND = 1 << 24  # pixels converted at a time
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


def read(path: Path, max_pixels: int = MAX_PIXELS) -> Decoded:
    """`decode` for the file at `path`.

    Raises:
        InputError: no such file, a folder, not readable, and all that `decode` raises.
    """
    with reading(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max(_BYTES_A_PIXEL * max_pixels, 1 << 26):
            raise UnsafeError(f"'{path}' has {size:,} bytes, too many for {max_pixels:,} pixels", "allow more with --max-pixels")
        try:
            content = file.read()
        except MemoryError as error:
            raise _no_memory(str(path)) from error
    return decode(content, str(path), max_pixels)


def decode(content: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Decoded:
    """The picture in these bytes: JPEG, PNG, WebP, TIFF, AVIF, GIF, BMP, HEIC, told apart by content; of an animation the first frame.

    The orientation in EXIF is applied, an embedded ICC profile converted to sRGB (ignored where broken), palettes, greys, CMYK, LAB
    and YCbCr become RGB. Grey of 16 bits stays at 16 bits; whole numbers of 32 bits and floats become 16 bits (0..1, 0..255 and
    0..65535 as such, other ranges stretched from their least to their greatest). Pillow reads RGB of 16 bits at 8 bits, and so do we.

    Args:
        content: the whole file.
        name: for messages.
        max_pixels: width × height above this is refused before anything is decoded.

    Raises:
        InputError: empty, damaged, cut short, or not a picture.
        UnsafeError: more pixels than `max_pixels`, or texts or profiles that unpack to more than they should.
        MissingExtra: HEIC, without pillow-heif.
    """
    if not content:
        raise InputError(f"'{name}' is empty", "fetch or export it again")
    kind = kind_of(content[:64])
    if kind is None and film_kind_of(content[:64]):
        raise InputError(f"'{name}' is a film, not a picture", "give it to: reverie film")
    if kind is None:
        raise InputError(f"'{name}' is not a picture", "give a JPEG, PNG, WebP, TIFF, AVIF, GIF, BMP or HEIC")
    try:
        with _own_limit(max_pixels), _opened(kind, content, name, max_pixels) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise _too_large(name, f"{width}×{height} = {width * height:,}", max_pixels)
            if kind == "PNG" and not _can_hold(content):
                raise EOFError
            before = _orientation(image)
            image.load()
            rgb, alpha = _pixels(image, kind, content)
            left = _orientation(image)  # Pillow turns a TIFF by itself, and then no longer says so
            dpi = _dpi(image)
    except Image.DecompressionBombError as error:
        claimed = re.search(r"\d+", str(error))
        raise _too_large(name, f"{int(claimed[0]):,}" if claimed else "too many", max_pixels) from error
    except MemoryError as error:
        raise _no_memory(name) from error
    except PILLOW_FAULTS as error:
        raise _explain(error, name) from error
    if 0 in rgb.shape:
        raise InputError(f"'{name}' has no pixels", "export it again")
    if dpi and max(before, left) > 4:
        dpi = dpi[1], dpi[0]
    alpha = None if alpha is None else _upright(alpha, left)
    return Decoded(_upright(rgb, left), alpha, dpi, sha256_of(content), content)


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_lock = threading.Lock()
_limits: list[int] = []  # of the decodes under way, below them Pillow's own


@contextlib.contextmanager
def _own_limit(max_pixels: int) -> Iterator[None]:
    """While pictures are decoded, Pillow's limit is at least ours; after the last it is what it was."""
    with _lock:
        if not _limits:
            _limits.append(Image.MAX_IMAGE_PIXELS or 0)
        _limits.append(max_pixels)
        if Image.MAX_IMAGE_PIXELS is not None:
            Image.MAX_IMAGE_PIXELS = max(_limits)
    try:
        yield
    finally:
        with _lock:
            _limits.remove(max_pixels)
            if len(_limits) == 1:
                own = _limits.pop()
                if Image.MAX_IMAGE_PIXELS is not None:
                    Image.MAX_IMAGE_PIXELS = own


def _opened(kind: str, content: bytes, name: str, max_pixels: int) -> Image.Image:
    """The picture with its header read and its pixels not yet."""
    if kind != "HEIF":
        return _OPENERS[kind](BytesIO(content), "")
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtra(f"'{name}' is HEIC, which needs one more package", "pip install pillow-heif") from error
    file = pillow_heif.open_heif(BytesIO(content))
    if file.size[0] * file.size[1] > max_pixels:
        raise Image.DecompressionBombError(f"{file.size[0] * file.size[1]}")
    image: Image.Image = file.to_pillow()  # decodes; libheif has turned it already
    return image


def _can_hold(png: bytes) -> bool:
    """Whether a PNG is long enough for the pixels it claims: deflate packs at most 1032 bytes into one."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    bits = depth * {2: 3, 4: 2, 6: 4}.get(colour, 1)
    return bool(height * (width * bits // 8) <= 1032 * len(png))


def _too_large(name: str, claimed: str, max_pixels: int) -> UnsafeError:
    return UnsafeError(f"'{name}' claims {claimed} pixels, more than {max_pixels:,}", "allow more with --max-pixels if you trust it")


def _no_memory(name: str) -> InputError:
    return InputError(f"'{name}' needs more memory than is free", "close other programs, or make the picture smaller first")


def _explain(error: Exception, name: str) -> InputError | UnsafeError:
    text = str(error).lower()
    if "too large for png" in text or "too much memory used in text" in text:
        return UnsafeError(f"'{name}' carries texts or a profile that unpack to too much", "export it again without metadata")
    if isinstance(error, EOFError) or "truncated" in text or "cut short" in text:
        return InputError(f"'{name}' is cut short", "fetch or export it again")
    return InputError(f"'{name}' is damaged", "open it in an image program and export it again")


# ── pixels ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pixels(image: Image.Image, kind: str, content: bytes) -> tuple[Pixels, Pixels | None]:
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint16)  # (H, W)
        return _grey_to_rgb(grey, profile), _keyed(grey[..., None], image.info.get("transparency"), 65535)
    if image.mode in ("I", "F"):
        return _grey_to_rgb(_sixteen(np.asarray(image), (1, 255, 65535) if image.mode == "F" else (65535,)), profile), None
    width, height = image.size
    rgb: Pixels = np.empty((height, width, 3), np.uint8)
    alpha: Pixels | None = None
    step = max(1, _BAND // width)
    for top in range(0, height, step):  # in bands: each step of a conversion is one more copy
        colour, clear = _eight(image.crop((0, top, width, min(top + step, height))), kind, content)
        rgb[top : top + step] = colour
        if clear is not None:
            alpha = np.empty((height, width), np.uint8) if alpha is None else alpha
            alpha[top : top + step] = clear
    return rgb, alpha


def _eight(image: Image.Image, kind: str, content: bytes) -> tuple[Pixels, Pixels | None]:
    profile = image.info.get("icc_profile")
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        full = image.convert(image.mode.upper())
        return np.asarray(to_srgb(full.convert(full.mode[:-1]), profile)), np.asarray(full.getchannel("A"))
    key = _key_at_8_bits(image, kind, content)
    alpha = None if key is None else _keyed(np.asarray(image.convert("L") if image.mode == "1" else image), key, 255)
    return np.asarray(to_srgb(image, profile)), alpha


def _grey_to_rgb(grey: npt.NDArray[np.uint16], profile: object) -> Pixels:
    curve = grey_curve(profile)
    if curve is not None:
        grey = (np.interp(np.arange(65536) / 257, np.arange(256), curve) * 257).round().astype(np.uint16)[grey]
    return np.repeat(grey[..., None], 3, axis=-1)  # (H, W, 3)


def _sixteen(values: npt.NDArray[np.int32 | np.float32], ranges: tuple[int, ...]) -> npt.NDArray[np.uint16]:
    """Numbers of unknown range → 0..65535: the first of `ranges` that holds them all is white, else they are stretched."""
    wide = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)  # (H, W)
    low, high = float(wide.min()), float(wide.max())
    white = next((float(each) for each in ranges if low >= 0 and high <= each), None)
    if white is None:
        wide, white = wide - low, high - low
    return (wide * (65535 / white)).round().clip(0, 65535).astype(np.uint16)


def _key_at_8_bits(image: Image.Image, kind: str, content: bytes) -> object:
    """The colour that means transparent. A PNG gives it at the depth of the file, Pillow its pixels at 8 bits."""
    key = image.info.get("transparency")
    depth = content[24] if kind == "PNG" else 8
    if isinstance(key, int) and image.mode == "L" and depth in (2, 4):
        return key * (255 // (2**depth - 1))
    if isinstance(key, tuple) and depth == 16:
        return tuple(each >> 8 for each in key)
    return key


def _keyed(values: Pixels, key: object, opaque: int) -> Pixels | None:
    """Alpha (H, W): 0 where the pixel is `key`, a number or one for each channel."""
    wanted = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(each, int) for each in wanted):
        return None
    if values.ndim == 2:
        values = values[..., None]  # (H, W, 1)
    if len(wanted) != values.shape[-1]:
        return None
    clear = np.ones(values.shape[:2], bool)
    for channel, each in enumerate(wanted):
        clear &= values[..., channel] == each
    return np.where(clear, 0, opaque).astype(values.dtype)


# ── orientation and resolution ───────────────────────────────────────────────────────────────────────────────────────────


def _orientation(image: Image.Image) -> int:
    """EXIF's 1..8; 1 where it is missing or makes no sense."""
    try:
        value = image.getexif().get(0x0112, 1)
    except PILLOW_FAULTS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(values: Pixels, orientation: int) -> Pixels:
    """(H, W) or (H, W, 3) turned and mirrored as EXIF says."""
    if orientation > 4:
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return np.ascontiguousarray(values)


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        found = image.info.get("dpi")
        if found is None:
            exif = image.getexif()
            scale = {2: 1.0, 3: 2.54}[exif[0x0128]]
            found = float(exif[0x011A]) * scale, float(exif[0x011B]) * scale
        across, down = (round(float(each), 2) for each in found)  # PNG counts in whole dots per metre
    except PILLOW_FAULTS:
        return None
    return (across, down) if 1 < across <= 1e6 and 1 < down <= 1e6 else None  # Pillow says 1 for a TIFF that says nothing
