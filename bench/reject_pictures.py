"""The pictures of bench.reject: photographs in which a thing of ImageNet's classes is to be seen, and pictures in which none is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from skimage import data
from torch import Tensor

import reverie
from bench import photographs
from bench.pictures import CLASSES as PICTURED
from reverie.pictures import as_tensor, frequencies, quantise
from reverie.recipe import LEVELS

NOISES = ("white", "grey", "pink")
SIDE = 300  # of what is made
EACH = 24  # pictures of each set that is made
NEAR = ("flower", "quokka", "Düsseldorf, Germany", "Marrakech, Morocco", "Sydney, Australia", "Warsaw, Poland")
UNCLEAR = (  # a motorcycle is no moped, a town by the water may be a dock: no plain answer, so they count for neither
    *("astronaut", "motorcycle_left", "church window", "Geneva, Switzerland", "Lisbon, Portugal", "Naples, Italy", "Palermo, Italy"),
    *("Rome, Italy", "Stockholm, Sweden", "Venice, Italy", "York, England"),
)
INSTRUMENTS = ("hubble_deep_field", "moon", "retina", "immunohistochemistry", "cell", "microaneurysms")
TEXTURES = ("brick", "grass", "gravel")
PAGES = ("page", "text")
WORDS = (
    "reverie",
    "shows",
    "what",
    "a",
    "network",
    "sees",
    "of",
    "picture",
    "in",
    "every",
    "layer",
    "from",
    "edges",
    "to",
    "scenes",
    "and",
)


def known() -> dict[str, Tensor]:
    """(3, H, W) each: a thing of one of the thousand classes is plainly there."""
    names = [name for name in photographs.FILES if name not in (*NEAR, *UNCLEAR)]
    return {name: photographs.photograph(name) for name in names} | {"camera": _of_skimage("camera")}  # a tripod


def unknown(folder: Path | None) -> dict[str, list[Tensor]]:
    """By set, (3, H, W) each; dreams and class pictures are kept in the folder, or read from it."""
    sets = {
        "noise": [_noise(number) for number in range(EACH)],
        "flat": [_generated(number, 1, 1).expand(3, SIDE, SIDE) for number in range(EACH)],
        "gradients": [_gradient(number) for number in range(EACH)],
        "text": [*(_of_skimage(name) for name in PAGES), *(_text(number) for number in range(EACH - len(PAGES)))],
        "textures": [*(_of_skimage(name) for name in TEXTURES), *(_texture(number) for number in range(EACH - len(TEXTURES)))],
    }
    sets |= {f"dreams, {level}": [_kept(folder, f"dream-{level}-{seed}", _dream(level, seed)) for seed in range(6)] for level in LEVELS}
    for look in ("natural", "emblem"):
        made = (_kept(folder, f"class-{look}-{label}", _class_picture(look, label)) for _, label in PICTURED[:8])
        sets[f"class pictures, {look}"] = list(made)
    sets["near, of instruments"] = [_of_skimage(name) for name in INSTRUMENTS]
    sets["near"] = [photographs.photograph(name) for name in NEAR] + [_of_skimage("coins")]
    return sets


def _of_skimage(name: str) -> Tensor:
    pixels = as_tensor(getattr(data, name)())
    return pixels[:3].expand(3, -1, -1) if len(pixels) < 3 else pixels[:3]  # (3, H, W)


def _generated(seed: int, *size: int) -> Tensor:
    """(3, *size) in 0..1."""
    return torch.rand(3, *size, generator=torch.Generator().manual_seed(seed))


def _noise(number: int) -> Tensor:
    """1/f^p from blue to brown, p -1, 0, 0.5, 1, 1.5, 2; every other of one colour."""
    generator, power = torch.Generator().manual_seed(number), (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0)[number // 4]
    spectrum = torch.fft.rfft2(torch.randn(3, SIDE, SIDE, generator=generator))  # (3, H, W/2+1)
    spectrum /= frequencies(SIDE, SIDE).clamp_min(1 / SIDE) ** power
    spectrum[:, 0, 0] = 0
    waves: Tensor = torch.fft.irfft2(spectrum, s=(SIDE, SIDE))  # (3, H, W)
    waves = waves[:1].expand(3, -1, -1) if number % 2 else waves
    return (0.5 + 0.23 * waves / waves.std()).clamp(0, 1)


def _gradient(number: int) -> Tensor:
    """Between two colours, along a line or around a place."""
    one, other = _generated(number, 2, 1, 1).unbind(1)  # (3, 1, 1) each
    place = torch.linspace(0, 1, SIDE)
    angle = torch.tensor(number * 0.7)
    along = place[None] * angle.cos() + place[:, None] * angle.sin() if number % 2 else torch.hypot(place[None] - 0.4, place[:, None] - 0.6)
    along = (along - along.min()) / (along.max() - along.min())  # (H, W)
    return one + (other - one) * along


def _text(number: int) -> Tensor:
    """Lines of words, in letters of 10 to 40 pixels, black on white and the other way round."""
    generator = torch.Generator().manual_seed(number)
    size = 10 + 6 * (number % 6)
    image = Image.new("RGB", (SIDE, SIDE), "white" if number % 4 else "black")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for top in range(4, SIDE, round(1.4 * size)):
        order = torch.randperm(len(WORDS), generator=generator).tolist()
        pen.text((6, top), " ".join(WORDS[each] for each in order), fill="black" if number % 4 else "white", font=font)
    return as_tensor(image)[:3]


def _texture(number: int) -> Tensor:
    """Stripes, checks and cells, of two colours or many."""
    down, across = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    one, other = _generated(number, 2, 1, 1).unbind(1)  # (3, 1, 1) each
    size = 6 + 5 * (number // 3)
    if number % 3 == 0:
        weight = 0.5 + 0.5 * torch.sin((down * (number % 2) + across) / size * 2)  # (H, W)
    elif number % 3 == 1:
        weight = ((down // size + across // size) % 2).float()
    else:
        places = torch.rand(4 + 900 // size, 2, generator=torch.Generator().manual_seed(number)) * SIDE
        nearest = torch.cdist(torch.stack([down, across], -1).reshape(-1, 2).float(), places).argmin(1)  # (H * W,)
        weight = torch.rand(len(places), generator=torch.Generator().manual_seed(number))[nearest].reshape(SIDE, SIDE)
    return one + (other - one) * weight


def _dream(level: str, seed: int) -> Callable[[], Tensor]:
    """Of lite0, on noise or on a gradient: where nothing was before."""
    start: str | Tensor = f"noise:{NOISES[seed % len(NOISES)]}" if seed % 2 else _gradient(seed)
    size = {"size": SIDE} if seed % 2 else {}
    return lambda: reverie.dream(start, level=level, seed=seed, network="efficientnet-lite0", keep=False, **size).pixels  # type: ignore


def _class_picture(look: str, label: str) -> Callable[[], Tensor]:
    return lambda: reverie.imagine(label, preset=look, network="efficientnet-lite0", size=224).pixels  # type: ignore


def _kept(folder: Path | None, name: str, make: Callable[[], Tensor]) -> Tensor:
    place = None if folder is None else folder / f"{name}.png".replace(" ", "-")
    if place is not None and place.is_file():
        return as_tensor(place)[:3]
    pixels = make().clamp(0, 1)
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(quantise(pixels)).save(place)
    return pixels
