"""Pictures as float tensors (3, H, W) in 0..1: from files and PIL, from noise, resized, and back."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from reverie import files
from reverie.errors import ReverieError, UsageError
from reverie.pictures.large import banded as banded
from reverie.pictures.large import bands as bands
from reverie.pictures.large import room as room
from reverie.pictures.likeness import similarity as similarity
from reverie.pictures.scale import resample as resample
from reverie.pictures.scale import resize as resize
from reverie.pictures.sheet import sheet as sheet
from reverie.pictures.sheet import strip as strip
from reverie.recipe import MAX_PIXELS, Noise, Recipe, read
from reverie.store import expanded, write_whole


@dataclass(frozen=True)
class Picture:
    """An image with its recipe, if it has one.

    Attributes:
        pixels: (3, H, W) float32 in 0..1, sRGB.
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

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def image(self) -> Image.Image:
        """As a PIL image, RGB or RGBA, 8 bits a colour."""
        rgb = quantise(self.pixels)  # (H, W, 3)
        if self.alpha is None:
            return Image.fromarray(rgb, "RGB")
        return Image.fromarray(np.dstack([rgb, quantise(self.alpha[None])[..., 0]]), "RGBA")

    def encode(self, suffix: str = ".png", *, with_recipe: bool = True) -> bytes:
        """The bytes of a file of this kind, with the recipe inside.

        Raises:
            UsageError: a kind of file that cannot hold this picture.
        """
        bits = 16 if self.recipe is not None and self.recipe.finish.deep else 8
        alpha = None if self.alpha is None else quantise(self.alpha[None], bits)[..., 0]  # (H, W)
        text = self.recipe.text() if with_recipe and self.recipe is not None else None
        return files.encode(quantise(self.pixels, bits), alpha, suffix=suffix, dpi=self.dpi, recipe=text)

    def save(self, path: str | Path, *, force: bool = False, with_recipe: bool = True) -> Path:
        """Write the file whole or not at all.

        A file that is there already is replaced only if `force` is given, or if it carries the same recipe.

        Raises:
            OutputError: no such folder, not writable, no room, or it would overwrite. UsageError: an unknown kind of file.
        """
        place = expanded(path)
        return write_whole(place, self.encode(place.suffix, with_recipe=with_recipe), replace=force or self.is_at(place))

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


def load(path: str | Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """A picture from a file: turned upright, in sRGB, alpha kept.

    Raises:
        InputError: missing, damaged or no picture. UnsafeError: it claims more than `max_pixels`.
    """
    found = files.read(expanded(path), max_pixels)
    return _from_decoded(found)


def load_bytes(content: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """The same, from a file's bytes; `name` is used in messages."""
    return _from_decoded(files.decode(content, name, max_pixels))


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


def to_width(picture: Picture, width: int | None) -> Picture:
    """Brought to this width, its shape kept."""
    height, old = picture.size
    if width is None or width == old:
        return picture
    size = (max(1, round(height * width / old)), width)
    alpha = None if picture.alpha is None else resize(picture.alpha[None], *size)[0]
    return replace(picture, pixels=resize(picture.pixels, *size), alpha=alpha)


def noise(kind: Noise, height: int, width: int, generator: torch.Generator) -> Tensor:
    """(3, H, W) in 0..1. White: every value by itself. Grey: faint noise around middle grey. Pink: 1/f, as strong at every scale.

    Grey has mean 0.5 and spread 0.01; pink has those of photographs, 0.47 and 0.23, and colours that go together as in photographs.
    """
    if kind == "white":
        return torch.rand(3, height, width, generator=generator)
    normal = torch.randn(3, height, width, generator=generator)
    if kind == "grey":
        return (0.5 + 0.01 * normal).clamp(0, 1)
    spectrum = torch.fft.rfft2(normal)  # (3, H, W/2+1)
    spectrum /= frequencies(height, width).clamp_min(1 / max(height, width))
    spectrum[:, 0, 0] = 0
    pink = torch.fft.irfft2(spectrum, s=(height, width))
    light, *colour = pink / pink.std(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    mixed = torch.stack([light + 0.35 * colour[0], light - 0.2 * colour[0] + 0.2 * colour[1], light - 0.35 * colour[1]])  # (3, H, W)
    return (0.47 + 0.23 * mixed / mixed.std()).clamp(0, 1) if height * width > 1 else torch.full((3, 1, 1), 0.47)


def frequencies(height: int, width: int) -> Tensor:
    """(H, W//2+1): cycles per pixel of each coefficient of `rfft2`."""
    vertical = torch.fft.fftfreq(height)[:, None]
    horizontal = torch.fft.rfftfreq(width)[None]
    return torch.hypot(vertical, horizontal)


def quantise(pixels: Tensor, bits: int = 8) -> np.ndarray[Any, Any]:
    """(C, H, W) in 0..1 → (H, W, C) uint8 or uint16."""
    most = 2**bits - 1
    channels, height, width = pixels.shape
    result = np.empty((height, width, channels), np.uint8 if bits == 8 else np.uint16)
    for rows in bands(height, width):
        result[rows] = pixels[:, rows].clamp(0, 1).mul_(most).round_().permute(1, 2, 0).numpy()  # (h, W, C)
    return result


def rounded(pixels: Tensor) -> Tensor:
    """(C, H, W) in 0..1 as a file of 8 bits has it: the same shape."""
    return banded(lambda band: band.clamp(0, 1).mul_(255).round_().div_(255), pixels)


def _from_decoded(found: files.Decoded) -> Picture:
    def as_float(values: np.ndarray[Any, Any]) -> Tensor:
        """(H, W, C) of whole numbers → (C, H, W) in 0..1."""
        most = 255 if values.dtype == np.uint8 else 65535
        result = room(values.shape[2], *values.shape[:2])
        for rows in bands(*values.shape[:2]):
            result[:, rows] = torch.from_numpy(values[rows].astype(np.float32) / most).permute(2, 0, 1)
        return result

    alpha = None if found.alpha is None else as_float(found.alpha[..., None])[0]  # (H, W)
    return Picture(as_float(found.rgb), alpha, found.dpi, content=found.content, sha256=found.sha256)
