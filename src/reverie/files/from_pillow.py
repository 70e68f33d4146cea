"""An opened picture of Pillow's → arrays: colours in sRGB, alpha, which way is up, dots per inch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from reverie.files.colour import grey_curve, to_srgb
from reverie.files.colour_coding import Coding
from reverie.files.input_files import PILLOW_FAULTS
from reverie.files.png import Pixels
from reverie.files.png_reading import Told
from reverie.files.tiff_directories import TiffPicture

_BAND = 1 << 24  # pixels converted at a time
_SAMPLE = 1 << 20  # pixels that are looked at for the brightest


@dataclass(frozen=True)
class Found:
    """The pixels of a picture as they lie in its file.

    Attributes:
        rgb: (H, W, 3) in sRGB, uint8, or uint16 of deep ones.
        alpha: (H, W) of the same dtype, or None where all is opaque.
        notes: how they were understood, where the file does not say it or says it in an unusual way.
    """

    rgb: Pixels
    alpha: Pixels | None
    notes: tuple[str, ...] = ()


def pixels_of(image: Image.Image, kind: str, content: bytes, told: Told, tiff: TiffPicture | None = None) -> Found:
    """What an opened and loaded picture holds.

    Args:
        kind: Pillow's name of the format.
        content: the file.
        told: how it tells its colours.
        tiff: what the directory of a TIFF says of its numbers.
    """
    notes = [told.note] if isinstance(told, Coding) and told.note else []
    signed = tiff is not None and tiff.format == 2
    if image.mode.startswith("I;16") or image.mode in ("I", "F") or (signed and image.mode == "L"):
        key = image.info.get("transparency")
        clear = None if key is None else _keyed(np.asarray(image).astype(np.uint16), key, 65535)
        grey, said = _grey_of(image, told, tiff)  # (H, W)
        grey = 65535 - grey if tiff is not None and tiff.white_is_zero else grey
        return Found(_grey_to_rgb(grey, told), clear, (*notes, *([said] if said else [])))
    if isinstance(told, Coding) and told.hdr:
        told = told.for_picture(np.asarray(_sample(image)))
    width, height = image.size
    rgb: Pixels = np.empty((height, width, 3), np.uint8)
    alpha: Pixels | None = None
    step = max(1, _BAND // width)
    for top in range(0, height, step):  # in bands: each step of a conversion is one more copy
        colour, clear = _eight(image.crop((0, top, width, min(top + step, height))), kind, content, told)
        rgb[top : top + step] = colour
        if clear is not None:
            alpha = np.empty((height, width), np.uint8) if alpha is None else alpha
            alpha[top : top + step] = clear
    return Found(rgb, alpha, tuple(notes))


def deep_pixels(levels: npt.NDArray[np.uint16], key: object, told: Coding) -> Found:
    """The same of levels (H, W), or (H, W, C) of one to four channels, the second or fourth alpha, that a decoder gave at 16 bits."""
    levels = levels[..., None] if levels.ndim == 2 else levels
    channels = levels.shape[-1]
    colours, alpha = (levels, None) if channels % 2 else (levels[..., :-1], np.ascontiguousarray(levels[..., -1]))
    clear: Pixels | None = _keyed(colours, key, 65535) if alpha is None else alpha
    colours = np.ascontiguousarray(np.broadcast_to(colours, (*colours.shape[:2], 3)))
    stride = max(1, math.isqrt(colours.shape[0] * colours.shape[1] // _SAMPLE))
    rgb = told.for_picture(colours[::stride, ::stride]).to_srgb(colours)
    return Found(rgb, clear, (told.note,) if told.note else ())


def coloured_of_fewer_bits(levels: npt.NDArray[np.uint16], told: Told) -> Found | None:
    """The same of (H, W, 3) levels of 16 bits whose upper bytes say next to nothing; None where they are just dark."""
    scaled, said = of_fewer_bits(levels)
    if said is None:
        return None
    image = Image.fromarray((scaled >> 8).astype(np.uint8))
    return Found(np.asarray(to_srgb(image, told)), None, (said,))


def _sample(image: Image.Image) -> Image.Image:
    """Some of its pixels, in RGB."""
    scale = min(1.0, math.sqrt(_SAMPLE / (image.width * image.height)))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.NEAREST).convert("RGB")


def _eight(image: Image.Image, kind: str, content: bytes, told: Told) -> tuple[Pixels, Pixels | None]:
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        full = image.convert(image.mode.upper())
        return np.asarray(to_srgb(full.convert(full.mode[:-1]), told)), np.asarray(full.getchannel("A"))
    key = _key_at_8_bits(image, kind, content)
    alpha = None if key is None else _keyed(np.asarray(image.convert("L") if image.mode == "1" else image), key, 255)
    return np.asarray(to_srgb(image, told)), alpha


def _grey_to_rgb(grey: npt.NDArray[np.uint16], told: Told) -> Pixels:
    if isinstance(told, Coding):
        told = told.for_picture(grey[..., None])
    curve = grey_curve(told)
    return np.repeat((grey if curve is None else curve[grey])[..., None], 3, axis=-1)  # (H, W, 3)


def _grey_of(image: Image.Image, told: Told, tiff: TiffPicture | None) -> tuple[npt.NDArray[np.uint16], str | None]:
    """Grey of more than 8 bits, or of numbers with a sign → 0..65535; and how, where the file does not say it."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        deep = values.astype(np.uint16)
        return (deep, None) if isinstance(told, Coding) else of_fewer_bits(deep)
    bits, kind = (tiff.bits, tiff.format) if tiff is not None else (32, 1)
    if image.mode == "F":
        return _sixteen(values, (1, 255, 65535))
    if kind == 2 and bits < 32:
        values = values.view(np.int8) if image.mode == "L" else values
        return _sixteen(values, (2 ** (bits - 1) - 1,))
    if kind == 1 and bits == 32 and values.min() < 0:  # Pillow has no mode for them
        return _sixteen(values.view(np.uint32), (2**32 - 1,))
    return _sixteen(values, (65535,))


def of_fewer_bits(grey: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.uint16], str | None]:
    """Levels of 10 or 12 bits, as microscopes and cameras write them into 16, brought to 16: a picture so dark is none."""
    high = int(grey.max())
    for bits in (10, 12):
        most = 2**bits - 1
        if most // 4 < high <= most:  # of fewer levels nothing can be told
            scaled = ((grey.astype(np.uint32) * 65535 + most // 2) // most).astype(np.uint16)
            return scaled, f"its levels end at {high:,} of 65,535: they were taken for {bits} bits, with {most:,} as white"
    return grey, None


def _sixteen(values: npt.NDArray[Any], ranges: tuple[int, ...]) -> tuple[npt.NDArray[np.uint16], str | None]:
    """Numbers of unknown range → 0..65535, and how: the first of `ranges` that they fill to a quarter is white, else they are stretched."""
    wide = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)  # (H, W)
    low, high = float(wide.min()), float(wide.max())
    white: float | None = next((each for each in ranges if low >= 0 and (each / 4 if each > ranges[0] else 0) <= high <= each), None)
    if white is not None:
        said = None if white == ranges[0] else f"its numbers end at {high:,.6g}: {white:,.0f} was taken for white"
    else:
        black = 0.0 if 0 <= low < high / 2 else low
        said = f"its numbers go from {low:,.6g} to {high:,.6g}: {black:,.6g} was taken for black, {high:,.6g} for white"
        wide, white = wide - black, high - black or 1.0
    return (wide * (65535 / white)).round().clip(0, 65535).astype(np.uint16), said


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


def orientation_of(image: Image.Image) -> int:
    """EXIF's 1..8; 1 where it is missing or makes no sense."""
    try:
        value = image.getexif().get(0x0112, 1)
    except PILLOW_FAULTS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(values: Pixels, orientation: int) -> Pixels:
    """(H, W) or (H, W, 3) turned and mirrored as EXIF says."""
    if orientation > 4:
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return np.ascontiguousarray(values)


def dpi_of(image: Image.Image) -> tuple[float, float] | None:
    """Dots per inch across and down, where the file says so."""
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
