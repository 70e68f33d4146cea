"""A picture: its pixels, what is known of it, and the files it goes to."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from reverie import files
from reverie.errors import ReverieError
from reverie.pictures.channels import IN_FILES, in_colours
from reverie.pictures.quantisation import as_npy, quantise
from reverie.pictures.resizing import resize
from reverie.recipe import Recipe, read
from reverie.store import beside, expanded, is_original, sha256_of, write_whole


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
        notes: what the user should know of how it was made, or how its file was understood.
        score: of the target, at the last step.
        seconds: it took.
        making: pictures from along the way, where they were asked for.
        opacity: (H, W) in 0..1, where the gradient went while it was made, or None.
        alive: whether anything moved the target while it was made; False of a unit that never fired.
        sheet_of: of a sheet what its file says in the place of a recipe: that it shows other pictures, and which; else empty.
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
    sheet_of: str = ""

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
        told = self.sheet_of or None if self.recipe is None else self.recipe.text()
        text = told if with_recipe else None
        return files.encode(quantise(self._held, bits), alpha, suffix=suffix, dpi=self.dpi, recipe=text)

    def places(self, path: str | Path) -> tuple[Path, ...]:
        """The files that `save` writes: the picture, and beside it NAME.npy where it has channels that no picture file holds."""
        place = expanded(path)
        return (place,) if len(self.pixels) in IN_FILES else (place, place.parent / f"{place.stem}.npy")

    def save(self, path: str | Path, *, force: bool = False, with_recipe: bool = True) -> Path:
        """Write the file whole or not at all; of a picture with other than one or three channels all of them, beside it, as NAME.npy.

        Files that are there already are replaced only if `force` is given, or if the picture there carries the same recipe; one that holds
        what this picture was made from is never replaced.

        Raises:
            OutputError: no such folder, not writable, no room, or it would overwrite. UsageError: an unknown kind of file.
        """
        place, *others = self.places(path)
        if self.recipe is not None:
            for each in (place, *others):
                check_not_input(each, self.recipe)
        content = self.encode(place.suffix, with_recipe=with_recipe)
        replace = force or self.is_at(place)
        if not others:
            return write_whole(place, content, replace=replace)
        with beside(others[0], replace=replace) as part:  # it gets its name once the picture has its own
            part.write_bytes(as_npy(self.pixels))
            return write_whole(place, content, replace=replace)

    def is_at(self, place: Path) -> bool:
        """Whether the file there carries this picture's recipe, or is a sheet of the same pictures."""
        if self.sheet_of:
            return place.is_file() and carried(place) == self.sheet_of
        return self.recipe is not None and place.is_file() and made_by(place, self.recipe)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG")
        return buffer.getvalue()


def notes_on(picture: Picture, role: str) -> tuple[str, ...]:
    """The notes of a picture that goes into another as "the start", "the guide" or "the mask"."""
    return tuple(f"{role}: {each}" for each in picture.notes)


@dataclass(frozen=True, eq=False, repr=False)
class MadePicture(Picture):
    """A picture that was made here, so that it has its recipe."""

    recipe: Recipe = field(kw_only=True)


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
    return old is not None and old.is_as(recipe)


def check_not_input(place: Path, recipe: Recipe) -> None:
    """Raise OutputError where the file there, whatever it is called, holds what went into a recipe."""
    inputs = recipe.contents
    if inputs and place.is_file() and sha256_of(place) in inputs:
        raise is_original(place)


def to_width(picture: Picture, width: int | None) -> Picture:
    """Brought to this width, its shape kept."""
    if width is None or width == picture.size[1]:
        return picture
    size = size_at_width(picture.size, width)
    alpha = None if picture.alpha is None else resize(picture.alpha[None], *size)[0]
    return replace(picture, pixels=resize(picture.pixels, *size), alpha=alpha)


def size_at_width(size: tuple[int, int], width: int) -> tuple[int, int]:
    """(height, width) of a picture of this size brought to this width, its shape kept."""
    return max(1, round(size[0] * width / size[1])), width


def _joined(values: np.ndarray[Any, Any], alpha: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any]:
    """(H, W, C) and (H, W, 1) as Pillow takes them: (H, W) of a single channel, else (H, W, C')."""
    joined = values if alpha is None else np.dstack([values, alpha])
    return joined[..., 0] if joined.shape[2] == 1 else joined
