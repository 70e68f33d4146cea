"""Pictures from wherever they come: files, their bytes, PIL images, tensors."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from reverie import files
from reverie.errors import InputError, UsageError, choice
from reverie.pictures.channels import IN_FILES, in_channels
from reverie.pictures.from_arrays import from_array
from reverie.pictures.picture import Picture
from reverie.pictures.quantisation import as_float, as_npy
from reverie.store import expanded, is_folder

Item = TypeVar("Item")
_MOST = 500  # pictures that are taken of what hands out one after the other


def load(path: str | Path, channels: int | None = None) -> Picture:
    """A picture from a file: turned upright, in sRGB, alpha kept; or an array of numbers, from a .npy file.

    Args:
        channels: that it shall have: see `in_channels`. None for as many as the file has; of an array the shorter end of its shape.

    Raises:
        InputError: missing, damaged, no picture, or of another number of channels. UnsafeError: it claims more than `most_pixels`.
    """
    place = expanded(path)
    found = files.read_array(place, channels) if files.is_array(place) else files.read(place)
    return _from_decoded(found, str(place), channels)


def load_bytes(content: bytes, name: str, channels: int | None = None) -> Picture:
    """The same, from a file's bytes; `name` is used in messages."""
    if files.is_array(content):
        return _from_decoded(files.decode_array(content, name, channels), name, channels)
    return _from_decoded(files.decode(content, name), name, channels)


def as_tensor(picture: Any, channels: int | None = None) -> Tensor:
    """(C, H, W) float32 in 0..1: see `as_picture`."""
    return as_picture(picture, channels).pixels


def as_picture(picture: Any, channels: int | None = None) -> Picture:
    """A picture from whatever holds one: a path, a Picture, a PIL image, an array, a tensor, the bytes of a file.

    Alpha, resolution and content come along where there are any.

    Args:
        channels: that are looked for in an array or tensor; see `from_array`. Nothing is brought to them.

    Raises:
        UsageError: something else, or an array or tensor of another shape or range. Else as `load`.
    """
    if isinstance(picture, Picture):
        return picture
    if isinstance(picture, (str, Path)):
        return load(picture)
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return load_bytes(bytes(picture), "the picture")
    if isinstance(picture, Image.Image):
        if picture.mode in ("F", "I", "I;16B"):
            raise UsageError(f"a PIL image of mode {picture.mode} does not say what white is", "give a tensor (C, H, W) in 0..1")
        buffer = io.BytesIO()
        upright = ImageOps.exif_transpose(picture)
        kept = upright if upright.mode in ("RGB", "RGBA", "L", "LA", "I;16") else upright.convert("RGBA")
        kept.save(buffer, "PNG", pnginfo=files.as_chunks(picture))
        return load_bytes(buffer.getvalue(), "the image")
    if isinstance(picture, (Tensor, np.ndarray)):
        return from_array(picture, channels)
    raise UsageError(f"a {type(picture).__name__} is no picture", "give a path, a PIL image, an array (H, W, C) or a tensor (C, H, W)")


def several(given: Any, field: str) -> list[Any]:
    """The pictures that a choice names: those of a folder, of a list or of a batch; or one alone; or the first of what gives batches.

    A DataLoader, or whatever else can be gone through, gives pictures or batches of them, with or without labels beside.

    Raises:
        InputError: there is none.
    """
    if isinstance(given, (str, Path)):
        place = expanded(given)
        found = files.pictures_in(place) if is_folder(place) else [place]
    else:
        is_batch = isinstance(given, (Tensor, np.ndarray)) and given.ndim == 4
        is_one = isinstance(given, (Picture, Image.Image, bytes, bytearray, memoryview, Tensor, np.ndarray))
        if is_batch or isinstance(given, (list, tuple)):
            found = list(given)
        elif is_one or not (hasattr(given, "__iter__") or hasattr(given, "__getitem__")):
            found = [given]
        else:
            found = list(islice(_handed_out(given), _MOST))
    if not found:
        if not isinstance(given, (str, Path)):
            raise InputError(f"no picture in what {choice(field)} is", "give one at least")
        raise InputError(f"no picture in '{given}', which {choice(field)} names", "pictures end in " + " ".join(sorted(files.READABLE)))
    return found


def evenly(found: Sequence[Item], most: int) -> list[Item]:
    """So many of them at most, evenly taken, the first among them."""
    step = max(1.0, len(found) / most)
    return [found[int(number * step)] for number in range(min(most, len(found)))]


def _handed_out(given: Iterable[Any]) -> Iterator[Any]:
    """The pictures of what is gone through: of (pictures, labels) the first, of a batch (N, C, H, W) each."""
    for each in given:
        first = each[0] if isinstance(each, (list, tuple)) and each else each
        yield from first if isinstance(first, (Tensor, np.ndarray)) and first.ndim == 4 else [first]


def with_content(picture: Picture) -> Picture:
    """A picture as it is when read from a file that holds all its channels; that file is its content."""
    if picture.content:
        return picture
    channels = len(picture.pixels)
    content = picture.encode(".png") if channels in IN_FILES else as_npy(picture.pixels)
    with files.at_most_pixels(math.prod(picture.size)):  # it is here: nobody claims anything
        return replace(load_bytes(content, "the picture", channels), dpi=picture.dpi)


def _from_decoded(found: files.Decoded | files.Array, name: str, channels: int | None) -> Picture:
    notes: tuple[str, ...] = ()
    if isinstance(found, files.Array):
        pixels, alpha, dpi = as_float(found.values, found.white), None, None
    else:
        most = 255 if found.rgb.dtype == np.uint8 else 65535
        alpha = None if found.alpha is None else as_float(found.alpha[..., None], most)[0]  # (H, W)
        pixels, dpi = as_float(found.rgb, most), found.dpi
        notes = found.notes
    pixels = pixels if channels is None else in_channels(pixels, channels, name)
    return Picture(pixels, alpha, dpi, content=found.content, sha256=found.sha256, notes=notes)
