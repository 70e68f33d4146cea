"""Pixels and a recipe → the bytes of a picture file, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from reverie.errors import UsageError, choice
from reverie.files.colour import srgb_profile
from reverie.files.png import Pixels, ancillary, deep_png
from reverie.files.recipes import xmp
from reverie.files.recipes.embedded import check_text

_PREDICTOR = 317
_DPI = tuple[float, float] | None


def encode(
    rgb: Pixels,
    alpha: Pixels | None = None,
    *,
    suffix: str,
    dpi: _DPI = None,
    recipe: str | None = None,
) -> bytes:
    """A picture file, tagged as sRGB; the same arguments give the same bytes.

    PNG and TIFF (deflated) keep every number. JPEG is of quality 95 without colour subsampling. WebP is lossy too, of quality 95, its
    alpha exact. Dots per inch are rounded to whole ones in JPEG, to whole dots per metre in PNG.

    Args:
        rgb: (H, W, 3), uint8 0..255 or uint16 0..65535 in sRGB; 16 bits for .png alone. (H, W, 1) is grey.
        alpha: (H, W) of the same dtype, 0 transparent.
        suffix: one of `SUFFIXES`, in either case.
        recipe: text to carry: in a PNG text chunk `reverie`, else in XMP. `recipe_text` reads it back.

    Raises:
        UsageError: a suffix that is not known, or one that cannot hold this depth, transparency, size or recipe.
    """
    writer = _WRITERS.get(suffix.lower())
    if suffix.lower() == ".npy":
        raise UsageError("pictures cannot be written as '.npy' alone", "name a .png: channels it cannot hold go beside it, into a .npy")
    if writer is None:
        raise UsageError(f"pictures cannot be written as '{suffix}'", "name the file with one of " + ", ".join(sorted(SUFFIXES)))
    if rgb.ndim != 3 or rgb.shape[2] not in (1, 3) or 0 in rgb.shape or rgb.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"rgb should be (H, W, 1 or 3) of uint8 or uint16, not {rgb.shape} of {rgb.dtype}")
    if alpha is not None and (alpha.shape != rgb.shape[:2] or alpha.dtype != rgb.dtype):
        raise ValueError(f"alpha should be {rgb.shape[:2]} of {rgb.dtype}, not {alpha.shape} of {alpha.dtype}")
    if recipe is not None:
        check_text(recipe)
    return writer(rgb, alpha, dpi, recipe)


def _png(rgb: Pixels, alpha: Pixels | None, dpi: _DPI, recipe: str | None) -> bytes:
    chunks = ancillary(dpi, recipe)
    if rgb.dtype == np.uint16:
        return deep_png(_joined(rgb, alpha).astype(np.uint16, copy=False), chunks)
    info = PngImagePlugin.PngInfo()
    for kind, content in chunks:
        info.add(kind, content)
    return _saved(_image(rgb, alpha), "PNG", pnginfo=info, dpi=dpi)


def _jpeg(rgb: Pixels, alpha: Pixels | None, dpi: _DPI, recipe: str | None) -> bytes:
    _check(rgb, "JPEG", 65500)
    if alpha is not None and int(alpha.min()) < 255:
        raise UsageError("JPEG cannot hold transparency", "save as .png or .webp")
    packet = b"" if recipe is None else xmp.packet(recipe)
    if len(packet) > xmp.MAX_IN_JPEG:
        remedy = f"save as .png, or without the recipe: {choice('recipe')}"
        raise UsageError(f"JPEG cannot hold a recipe of {len(packet):,} bytes", remedy)
    dots = dpi and tuple(max(1, min(65535, round(each))) for each in dpi)
    return _saved(_image(rgb, None), "JPEG", quality=95, subsampling=0, icc_profile=_profile(rgb), xmp=packet, dpi=dots)


def _webp(rgb: Pixels, alpha: Pixels | None, dpi: _DPI, recipe: str | None) -> bytes:
    _check(rgb, "WebP", 16383)
    exif = Image.Exif()
    if dpi:  # WebP has no field of its own for it
        exif[0x011A], exif[0x011B], exif[0x0128] = dpi[0], dpi[1], 2
    return _saved(
        _image(rgb, alpha), "WEBP", quality=95, alpha_quality=100, method=4, exact=True, icc_profile=srgb_profile(),
        exif=exif.tobytes() if dpi else b"", xmp=b"" if recipe is None else xmp.packet(recipe),
    )  # fmt: skip


def _tiff(rgb: Pixels, alpha: Pixels | None, dpi: _DPI, recipe: str | None) -> bytes:
    _check(rgb, "TIFF", 2**31 - 1)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[_PREDICTOR] = 2  # differences along the row: a third smaller
    if recipe is not None:
        tags.tagtype[xmp.TAG] = 1  # bytes
        tags[xmp.TAG] = xmp.packet(recipe)
    options = {"dpi": dpi} if dpi else {}
    return _saved(_image(rgb, alpha), "TIFF", compression="tiff_adobe_deflate", icc_profile=_profile(rgb), tiffinfo=tags, **options)


_Writer = Callable[[Pixels, Pixels | None, _DPI, str | None], bytes]
_WRITERS: dict[str, _Writer] = {".png": _png, ".jpg": _jpeg, ".jpeg": _jpeg, ".webp": _webp, ".tif": _tiff, ".tiff": _tiff}

SUFFIXES: frozenset[str] = frozenset(_WRITERS)
"""Lower-case suffixes that `encode` knows."""


_PACKED = {
    ".png": 2.0,
    ".jpg": 0.7,
    ".jpeg": 0.7,
    ".webp": 0.5,
    ".tif": 2.8,
    ".tiff": 2.8,
}  # bytes a pixel of a dream in colour, as measured
_DEEPER = 2.6  # times that with 16 bits, of which the last ones are noise


def packed_size(height: int, width: int, channels: int, suffix: str, *, deep: bool = False) -> int:
    """About how many bytes a dream takes in a file of this kind; with the .npy beside it, where it has other than one or three channels."""
    each = _PACKED.get(suffix.lower(), _PACKED[".png"]) * (_DEEPER if deep else 1) * (1 / 3 if channels == 1 else 1)
    return int(height * width * (each + (0 if channels in (1, 3) else 4 * channels)))


def _check(rgb: Pixels, name: str, longest: int) -> None:
    if rgb.dtype == np.uint16:
        raise UsageError(f"{name} is written with 8 bits a channel, not 16", "save as .png")
    if max(rgb.shape) > longest:
        raise UsageError(f"{name} cannot hold {rgb.shape[1]}×{rgb.shape[0]}: no side may exceed {longest}", "save as .png or .tif")


def _joined(rgb: Pixels, alpha: Pixels | None) -> Pixels:
    return rgb if alpha is None else np.concatenate([rgb, alpha[..., None]], axis=-1)  # (H, W, 1 to 4)


def _image(rgb: Pixels, alpha: Pixels | None) -> Image.Image:
    joined = _joined(rgb, alpha)
    return Image.fromarray(np.ascontiguousarray(joined[..., 0] if joined.shape[2] == 1 else joined))


def _profile(rgb: Pixels) -> bytes | None:
    """That of colours; grey is taken to be as sRGB has it."""
    return srgb_profile() if rgb.shape[2] == 3 else None


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **{name: value for name, value in options.items() if value is not None})
    return out.getvalue()
