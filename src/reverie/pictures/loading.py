"""Pictures from wherever they come: files, their bytes, PIL images, tensors."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from reverie import files
from reverie.errors import UsageError
from reverie.pictures.channels import IN_FILES, in_channels
from reverie.pictures.picture import Picture
from reverie.pictures.quantisation import as_float, as_npy
from reverie.pictures.torch_modes import owned
from reverie.store import expanded


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


def as_tensor(picture: Any) -> Tensor:
    """(C, H, W) float32 in 0..1 from a path, a Picture, a PIL image or a tensor of that kind.

    Raises:
        UsageError: something else, or a tensor of another shape or range.
    """
    return as_picture(picture).pixels


def as_picture(picture: Any) -> Picture:
    """See `as_tensor`; alpha, resolution and content come along where there are any."""
    if isinstance(picture, Picture):
        return picture
    if isinstance(picture, (str, Path)):
        return load(picture)
    if isinstance(picture, Image.Image):
        if picture.mode in ("F", "I", "I;16B"):
            raise UsageError(f"a PIL image of mode {picture.mode} does not say what white is", "give a tensor (C, H, W) in 0..1")
        buffer = io.BytesIO()
        upright = ImageOps.exif_transpose(picture)
        kept = upright if upright.mode in ("RGB", "RGBA", "L", "LA", "I;16") else upright.convert("RGBA")
        kept.save(buffer, "PNG", pnginfo=files.as_chunks(picture))
        return load_bytes(buffer.getvalue(), "the image")
    if isinstance(picture, Tensor):
        if picture.dim() != 3 or picture.numel() == 0:
            raise UsageError(f"a tensor of shape {tuple(picture.shape)}", "a picture is (C, H, W)")
        plain = owned(picture.detach().float().cpu())
        if not torch.isfinite(plain).all() or plain.min() < 0 or plain.max() > 1:
            raise UsageError("a tensor with values outside 0..1", "a picture is in 0..1")
        return Picture(plain)
    raise UsageError(f"a {type(picture).__name__} is no picture", "give a path, a PIL image, or a tensor (C, H, W) in 0..1")


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
