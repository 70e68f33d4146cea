"""An opened picture of Pillow's → arrays: colours in sRGB, alpha, which way is up, dots per inch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from reverie.files.colour import grey_curve, to_srgb
from reverie.files.input_files import PILLOW_FAULTS
from reverie.files.png import Pixels

_BAND = 1 << 24  # pixels converted at a time


def pixels_of(image: Image.Image, kind: str, content: bytes) -> tuple[Pixels, Pixels | None]:
    """Colours (H, W, 3) in sRGB and alpha (H, W), or None where all is opaque; both uint8, or uint16 of deep greys.

    Args:
        image: loaded.
        kind: Pillow's name of the format.
        content: the file.
    """
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
