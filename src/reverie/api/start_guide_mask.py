"""What goes into a picture: a start, a guide, a mask, a direction. Each is known by its content."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import torch
from torch import Tensor

from reverie import pictures as _pictures
from reverie.api.choices import PictureLike
from reverie.errors import InputError, UsageError, choice, unknown
from reverie.files.input_files import reading
from reverie.networks import Network
from reverie.networks.norm_statistics import Statistics
from reverie.pictures import Picture, resize
from reverie.recipe import (
    PRINT_DPI,
    Along,
    Beside,
    Canvas,
    FileInput,
    Finish,
    Mask,
    Noise,
    NoiseInput,
    Paper,
    Places,
    Print,
    Request,
    Seed,
    Size,
    UsedFile,
    VectorInput,
    Width,
    is_noise,
    resolve,
)  # fmt: skip
from reverie.render import LARGEST, check_size, noise_start
from reverie.store import expanded, sha256_of
from reverie.target import Target

NOISE_SIZE = (512, 512)
_MOST_BYTES = 64 << 20  # of the file of a direction


@dataclass(frozen=True)
class Inputs:
    """What goes in beside the start.

    Attributes:
        guide: (C, H, W). mask: (H, W) in 0..1, at the size of the picture. direction: (C,). usual: see `usual_pictures`.
        used: how the recipe names them. kept: their files. notes: what the user should know of them.
    """

    guide: Tensor | None = None
    mask: Tensor | None = None
    direction: Tensor | None = None
    usual: Statistics = field(default_factory=dict)
    used: tuple[UsedFile, ...] = ()
    kept: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()


def start_of(start: PictureLike, request: Request, channels: int, largest: int = LARGEST) -> tuple[Picture, FileInput | NoiseInput]:
    """The start of a dream, at the size it will be dreamt at, which has no more than `largest` pixels; noise at the request's spread."""
    width, size, canvas = request[Width].width, request[Size].size, request[Canvas]
    paper, dpi = request[Print].print, request[Finish].dpi or PRINT_DPI
    if is_noise(start):
        kind = start.partition(":")[2]
        kinds = get_args(Noise)
        if kind not in kinds:
            raise unknown("noise", kind, kinds, "there is noise:" + ", noise:".join(kinds))
        if size is not None and width is not None:
            raise UsageError(
                f"both {choice('size')} and {choice('width')}", f"noise is made at the size it shall have: give {choice('size')} alone"
            )
        height, wide = size or ((width, width) if width else paper.pixels(dpi) if paper else NOISE_SIZE)
        check_size(height, wide, start, "size")
        noise = cast(Noise, kind)
        drawn = noise_start(noise, height, wide, request[Seed].seed, spread=canvas.spread, around=canvas.light, channels=channels)
        return _on_paper(drawn, paper, dpi), NoiseInput(noise=noise)
    for name, what in (("spread", "contrast"), ("light", "light")):
        if request.changed(name) and getattr(canvas, name):
            raise UsageError(f"a {name} for a start that is a picture", f"{choice(name)} is for noise; a picture keeps its own {what}")
    if size is not None:
        raise UsageError("a size for a start that is a picture", f"{choice('size')} is for noise; {choice('width')} is for pictures")
    picture = picture_of(start, channels)
    name = str(start) if isinstance(start, (str, Path)) else "the picture"
    height, wide = picture.size
    if paper is not None:
        paper = paper.turned_as(height, wide)
        width = paper.fitted(height, wide, dpi)[1]
    check_size(*((max(1, round(height * width / wide)), width) if width else (height, wide)), name, largest=largest)
    picture = replace(picture, notes=_pictures.notes_on(picture, "the start"))
    return _on_paper(_pictures.to_width(picture, width), paper, dpi), FileInput(sha256=picture.sha256, width=wide, height=height)


def noise_of(noise: str, seed: int, channels: int) -> Picture:
    """The noise of this name that a dream of this seed begins with, where nothing else is said: `noise:pink`.

    Raises:
        UsageError: no noise of this name.
    """
    return start_of(noise, resolve("dream", {"seed": seed}), channels)[0]


def _on_paper(picture: Picture, paper: Paper | None, dpi: float) -> Picture:
    """The same with a note on what it is on paper."""
    return picture if paper is None else replace(picture, notes=(*picture.notes, paper.told(*picture.size, dpi)))


def beside_of(request: Request, networks: Sequence[Network], target: Target | None, size: tuple[int, int]) -> Inputs:
    """What goes in beside the start; `size` is that of the picture, (height, width).

    Raises:
        UsageError: contradictory ones. InputError: one that cannot be used.
    """
    given = request[Beside] if Beside in request else request[Along]
    mask = request[Places].mask if Places in request else request[Mask].mask
    guide, direction = given.guide if isinstance(given, Beside) else None, given.direction
    if len(networks) > 1 and any(each is not None for each in (guide, direction, given.towards)):
        raise UsageError("a guide or a direction for several networks", f"each has features of its own: give one {choice('network')}")
    found = Inputs()
    if guide is not None:
        picture = picture_of(guide, networks[0].channels)
        if min(picture.size) < 16:
            raise InputError(f"the guide is {picture.size[1]}×{picture.size[0]} pixels", "the least is 16 a side")
        height, width = picture.size
        used = FileInput(role="guide", sha256=picture.sha256, width=width, height=height)
        found = with_input(replace(found, notes=_pictures.notes_on(picture, "the guide")), used, picture.content, guide=picture.pixels)
    if mask is not None:
        picture = picture_of(mask)
        height, width = picture.size
        used = FileInput(role="mask", sha256=picture.sha256, width=width, height=height)
        found = with_input(found, used, picture.content, mask=mask_from(picture, size))
        found = replace(found, notes=(*found.notes, *_pictures.notes_on(picture, "the mask")))
        if (height, width) != size:
            found = replace(found, notes=(*found.notes, f"the mask is {width}×{height} and was brought to {size[1]}×{size[0]}"))
    if given.towards is not None and target is not None:
        direction = _between(given.towards, given.away, networks[0], target)
    if direction is not None:
        content, vector = direction_from(direction)
        found = with_input(found, VectorInput(sha256=sha256_of(content), channels=len(vector)), content, direction=vector)
    return found


def mask_from(picture: Picture, size: tuple[int, int]) -> Tensor:
    """(H, W) in 0..1 at this size: how light a mask is, or how opaque where some of it is transparent.

    Raises:
        InputError: it is black all over, and leaves nothing to dream on.
    """
    see_through = picture.alpha is not None and bool(picture.alpha.min() < 1)  # many programs write an alpha that says nothing
    light = picture.alpha if picture.alpha is not None and see_through else picture.pixels.mean(0)  # (H, W)
    light = (resize(light[None], *size)[0] * 255).round() / 255
    if not light.any():
        raise InputError("the mask is black all over", "white is where to dream")
    return light


def direction_from(given: Any) -> tuple[bytes, Tensor]:
    """The file of a direction, and its numbers (C,).

    Raises:
        InputError: not an .npy file of finite numbers in one row, or all of them 0.
    """
    if isinstance(given, (str, Path)):
        place = expanded(given)
        name = f"'{place}'"
        with reading(place) as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise InputError(f"{name} is too large for a direction", "it holds one number for each channel of a layer")
    elif isinstance(given, bytes):
        content, name = given, "the direction"
    else:
        content, name = _as_npy(torch.as_tensor(given).detach().float().cpu().numpy()), "the direction"
    try:
        values = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError) as error:
        raise InputError(f"{name} is no .npy file of numbers", "write one with numpy.save") from error
    if not isinstance(values, np.ndarray) or values.ndim != 1 or not values.size or values.dtype.kind not in "fiu":
        raise InputError(f"{name} does not hold one row of numbers", "a direction has one number for each channel of a layer")
    values = values.astype(np.float64)
    if not np.isfinite(values).all() or not values.any():
        raise InputError(f"{name} holds numbers that are not finite, or nothing but 0", "a direction leads somewhere")
    return content, torch.from_numpy(values / np.abs(values).max()).float()  # whose square is neither too large nor too small


def _between(towards: Any, away: Any, network: Network, target: Target) -> bytes:
    """Mean activations of one set of pictures minus those of another, at the target's layer, as an .npy file."""
    if len(target.layers()) != 1 or len(target.terms) != 1:
        raise UsageError(f"a direction between pictures with the target '{target}'", "it needs one layer, such as blocks.4.1")
    name = target.layers()[0]
    ends = [_mean_activation(each, network, name, field) for each, field in ((towards, "towards"), (away, "away"))]
    return _as_npy((ends[0] - ends[1]).numpy())


def _mean_activation(place: Any, network: Network, name: str, field: str) -> Tensor:
    """(C,): the mean over pictures and places."""
    found = _pictures.several(place, field)
    prepared = network.prepare([name])
    total: Tensor | None = None
    for each in found:
        pixels = resize(picture_of(each, network.channels).pixels, *network.size)[None]
        with torch.no_grad():
            seen = prepared(pixels.to(network.device))[name].flatten(2).mean(2)[0].cpu()  # (C,)
        total = seen if total is None else total + seen
    assert total is not None
    return total / len(found)


def _as_npy(values: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def picture_of(picture: PictureLike, channels: int | None = None) -> Picture:
    """A picture with so many channels, or with as many as it has, and with the bytes of a file that holds it.

    Raises:
        InputError: it cannot be used, or has another number of channels.
    """
    if isinstance(picture, (str, Path)):
        return _pictures.load(picture, channels)
    found = _pictures.with_content(_pictures.as_picture(picture, channels))
    return found if channels is None else replace(found, pixels=_pictures.in_channels(found.pixels, channels))


def with_input(found: Inputs, used: UsedFile, content: bytes, **values: Any) -> Inputs:
    """The same with one more, and what it is to the picture."""
    return replace(found, used=(*found.used, used), kept=(*found.kept, content), **values)
