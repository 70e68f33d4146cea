"""Files as a browser shows them: a picture or the first frame of a film, no larger than asked for; and of what kind its bytes are."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reverie import files
from reverie.errors import InputError
from reverie.files.films.reading import frames
from reverie.files.input_files import kind_of, reading, suffix_of
from reverie.files.limits import at_most_pixels

_SHOWN_AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "AVIF": "image/avif"}
_FILMS = {".mp4": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm", ".gif": "image/gif"}
_QUALITY = 90  # 0..100, of JPEG


def media_type(place: Path) -> str | None:
    """Of a file that browsers show or play as it is, by its first bytes; None of any other."""
    with reading(place) as file:
        start = file.read(4096)
    kind = kind_of(start)
    return _SHOWN_AS_THEY_ARE.get(kind) if kind else _FILMS.get(suffix_of(start))


def reduced(place: Path, side: int, pixels: int) -> tuple[bytes, str]:
    """A picture, an array's or a film's first frame, no side longer than that: JPEG, or PNG where it is transparent; and which it is.

    Args:
        pixels: that it may have in its file.

    Raises:
        InputError, UnsafeError: it cannot be read. MissingExtra: what reads it is not installed.
    """
    with at_most_pixels(pixels):
        image = _image(place, side)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    out = BytesIO()
    if image.mode == "RGBA":
        image.save(out, "PNG", compress_level=3)
        return out.getvalue(), "image/png"
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue(), "image/jpeg"


def first_frame(place: Path) -> Image.Image:
    """Of a film. InputError where it has none."""
    with frames(place) as each:
        for frame in each:
            return Image.fromarray(np.array(frame))
    raise InputError(f"'{place}' has no frame that can be read", "export the film again")


def _image(place: Path, side: int) -> Image.Image:
    with reading(place) as file:
        start = file.read(64)
    if files.is_array(start):
        found = files.read_array(place)
        values = found.values[..., :3] if found.values.shape[2] > 2 else found.values[..., :1].repeat(3, axis=2)  # (H, W, 3)
        return Image.fromarray((values.astype("float32") * (255 / found.white)).round().astype("uint8"))
    if kind_of(start) is None:
        return first_frame(place)
    decoded = files.read(place, fit=side)
    image = Image.fromarray(_bytes(decoded.rgb))
    if decoded.alpha is not None:
        image.putalpha(Image.fromarray(_bytes(decoded.alpha)))
    return image


def _bytes(values: Any) -> Any:
    return values if values.itemsize == 1 else (values >> 8).astype("uint8")
