"""A picture: its pixels, what is known of it, and the files it comes from and goes to."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from reverie import files
from reverie.errors import ReverieError, UsageError
from reverie.pictures.channels import IN_FILES, in_channels, in_colours
from reverie.pictures.scale import resize
from reverie.pictures.values import as_float, as_npy, quantise
from reverie.recipe import Recipe, read
from reverie.store import beside, expanded, write_whole


@dataclass(frozen=True, eq=False)
class Picture:
    """An image with its recipe, if it has one. It equals itself alone: whether pixels are the same is for `torch.equal`.

    Attributes:
        pixels: (C, H, W) float32 in 0..1: three channels are sRGB, one is grey, others are what the network takes.
        alpha: (H, W) float32 in 0..1, or None where all is opaque.
        dpi: resolution for print, or None.
        recipe: how it was made, or None.
        content: the file it was read from, byte for byte; empty if it was not.
        sha256: of that file; empty if there is none.
        notes: what the user should know of how it was made.
        score: of the target, at the last step.
        seconds: it took.
        making: pictures from along the way, where they were asked for.
        opacity: (H, W) in 0..1, where the gradient went while it was made, or None.
        alive: whether anything moved the target while it was made; False of a unit that never fired.
    """

    pixels: Tensor
    alpha: Tensor | None = None
    dpi: tuple[float, float] | None = None
    recipe: Recipe | None = None
    content: bytes = b""
    sha256: str = ""
    notes: tuple[str, ...] = ()
    score: float | None = None
    seconds: float | None = None
    making: tuple[Tensor, ...] = ()
    opacity: Tensor | None = None
    alive: bool = True

    def __repr__(self) -> str:
        height, width = self.size
        made = "" if self.recipe is None else f", '{self.recipe.target}', seed {self.recipe.seed}"
        return f"Picture({width}×{height}{made})"

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def colours(self) -> Tensor:
        """(3, H, W) in 0..1: as it is looked at, its channels mapped to colours as its recipe says."""
        return self.colours_of(self.pixels)

    def colours_of(self, pixels: Tensor) -> Tensor:
        """The same of another picture with its channels, such as one of `making`."""
        chosen = () if self.recipe is None or self.recipe.channels != len(pixels) else self.recipe.finish.shown
        return in_colours(pixels, chosen)

    @property
    def image(self) -> Image.Image:
        """As a PIL image: grey or RGB, with alpha or without, 8 bits a channel."""
        return Image.fromarray(_joined(quantise(self._held), None if self.alpha is None else quantise(self.alpha[None])))

    @property
    def _held(self) -> Tensor:
        """(1 or 3, H, W): what a picture file holds of it."""
        return self.pixels if len(self.pixels) in IN_FILES else self.colours

    def encode(self, suffix: str = ".png", *, with_recipe: bool = True) -> bytes:
        """The bytes of a file of this kind, with the recipe inside. It holds one channel as grey, three as colours, of others the look.

        Raises:
            UsageError: a kind of file that cannot hold this picture.
        """
        bits = 16 if self.recipe is not None and self.recipe.finish.deep else 8
        alpha = None if self.alpha is None else quantise(self.alpha[None], bits)[..., 0]  # (H, W)
        text = self.recipe.text() if with_recipe and self.recipe is not None else None
        return files.encode(quantise(self._held, bits), alpha, suffix=suffix, dpi=self.dpi, recipe=text)

    def places(self, path: str | Path) -> tuple[Path, ...]:
        """The files that `save` writes: the picture, and beside it NAME.npy where it has channels that no picture file holds."""
        place = expanded(path)
        return (place,) if len(self.pixels) in IN_FILES else (place, place.parent / f"{place.stem}.npy")

    def save(self, path: str | Path, *, force: bool = False, with_recipe: bool = True) -> Path:
        """Write the file whole or not at all; of a picture with other than one or three channels all of them, beside it, as NAME.npy.

        Files that are there already are replaced only if `force` is given, or if the picture there carries the same recipe.

        Raises:
            OutputError: no such folder, not writable, no room, or it would overwrite. UsageError: an unknown kind of file.
        """
        place, *others = self.places(path)
        content = self.encode(place.suffix, with_recipe=with_recipe)
        replace = force or self.is_at(place)
        if not others:
            return write_whole(place, content, replace=replace)
        with beside(others[0], replace=replace) as part:  # it gets its name once the picture has its own
            part.write_bytes(as_npy(self.pixels))
            return write_whole(place, content, replace=replace)

    def is_at(self, place: Path) -> bool:
        """Whether the file there carries this picture's recipe."""
        return self.recipe is not None and place.is_file() and made_by(place, self.recipe)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG")
        return buffer.getvalue()


def carried(place: Path) -> str | None:
    """The recipe text that a file carries; None if it carries none or cannot be read."""
    try:
        return files.recipe_text(place)
    except ReverieError:
        return None


def made_by(place: Path, recipe: Recipe) -> bool:
    """Whether a file carries this recipe, whatever other networks say of its picture."""
    text = carried(place)
    try:
        old = None if text is None else read(text)
    except ReverieError:
        return False
    return old is not None and old.model_copy(update={"opinions": ()}) == recipe.model_copy(update={"opinions": ()})


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
        (upright if upright.mode in ("RGB", "RGBA", "L", "LA", "I;16") else upright.convert("RGBA")).save(buffer, "PNG")
        return load_bytes(buffer.getvalue(), "the image")
    if isinstance(picture, Tensor):
        if picture.dim() != 3 or picture.numel() == 0:
            raise UsageError(f"a tensor of shape {tuple(picture.shape)}", "a picture is (C, H, W)")
        plain = picture.detach().float().cpu()
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


def to_width(picture: Picture, width: int | None) -> Picture:
    """Brought to this width, its shape kept."""
    height, old = picture.size
    if width is None or width == old:
        return picture
    size = (max(1, round(height * width / old)), width)
    alpha = None if picture.alpha is None else resize(picture.alpha[None], *size)[0]
    return replace(picture, pixels=resize(picture.pixels, *size), alpha=alpha)


def _from_decoded(found: files.Decoded | files.Array, name: str, channels: int | None) -> Picture:
    if isinstance(found, files.Array):
        pixels, alpha, dpi = as_float(found.values, found.white), None, None
    else:
        most = 255 if found.rgb.dtype == np.uint8 else 65535
        alpha = None if found.alpha is None else as_float(found.alpha[..., None], most)[0]  # (H, W)
        pixels, dpi = as_float(found.rgb, most), found.dpi
    pixels = pixels if channels is None else in_channels(pixels, channels, name)
    return Picture(pixels, alpha, dpi, content=found.content, sha256=found.sha256)


def _joined(values: np.ndarray[Any, Any], alpha: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any]:
    """(H, W, C) and (H, W, 1) as Pillow takes them: (H, W) of a single channel, else (H, W, C')."""
    joined = values if alpha is None else np.dstack([values, alpha])
    return joined[..., 0] if joined.shape[2] == 1 else joined
