"""From the last state of an ascent to pictures as they are given back: size, colour, mask, opacity, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reverie.ascent import Progress, added
from reverie.canvas import keep_colour
from reverie.networks import Network
from reverie.networks.known_parts import KnownParts
from reverie.pictures import banded, resample, resize
from reverie.recipe import Recipe
from reverie.render.tiling import ONE_PASS

_STRIP = 480  # pixels of height of pictures from along the way of a large one


def finished(state: Progress, start: Tensor, recipe: Recipe, mask: Tensor | None, wanted: Sequence[int]) -> list[Tensor]:
    """The pictures that are wanted as they are at this state: each (C, H, W), on the CPU, at the size of the result.

    Args:
        start: (N, C, H, W).
        mask: (H, W) in 0..1; where it is 0 the start is left as it is.
        wanted: which of the N.
    """
    pictures, finish = state.pictures, recipe.finish
    if pictures.shape != start.shape:
        if recipe.command == "dream":
            more = added(pictures, resize(start, *pictures.shape[2:]), *start.shape[2:])
            pictures = banded(torch.add, start, more, out=more)
        else:
            pictures = resize(pictures, *start.shape[2:])

    def finishing(dream: Tensor, own: Tensor, mask: Tensor | None = None) -> Tensor:
        dream = dream.clamp(0, 1)
        if finish.keep_colour:
            dream = keep_colour(dream, own)
        if finish.mix:
            dream = torch.lerp(dream, own, finish.mix)
        return dream if mask is None else torch.where(mask == 0, own, dream)

    masks = () if mask is None else (mask,)
    return [banded(finishing, pictures[index].cpu(), start[index].cpu(), *masks) for index in wanted]


def sobered(dreams: Sequence[Tensor], start: Tensor, parts: KnownParts) -> tuple[list[Tensor], tuple[str, ...]]:
    """Dreams (C, H, W), and their starts (N, C, H, W) where they go further than the network knows what it sees; and a note on that."""
    found, left = [], []
    for dream, own in zip(dreams, start.cpu(), strict=True):
        share = resize(parts.as_far(own, dream)[None], *dream.shape[1:])  # (1, H, W)
        found.append(banded(torch.lerp, own, dream, share.expand_as(dream)))
        change = banded(lambda one, other: (one - other).abs().mean(0, keepdim=True), dream, own)  # (1, H, W)
        left.append(float((change * share).mean() / change.mean().clamp_min(1e-9)))
    whole, name = sum(left) / len(left), parts.network.name
    if not whole:
        return found, ()
    taken = f"{whole:.0%} of the dream is left, as far as" if whole < 0.995 else "the whole dream is left, since"
    return found, (f"{taken} {name} still knows what it sees",)


def for_strip(picture: Tensor) -> Tensor:
    """(C, H, W) no larger than a strip of pictures needs it, where it is very large."""
    height, width = picture.shape[1:]
    return picture if height * width <= ONE_PASS else resize(picture, _STRIP, max(1, round(width * _STRIP / height)))


def opacities(state: Progress, recipe: Recipe) -> list[Tensor | None]:
    """Where the gradient went: for each picture (H, W) in 0..1, smooth, 1 where it went most; None of a tiled one that does not ask."""
    if recipe.tiles is not None and not recipe.finish.opacity:
        return [None] * len(state.pictures)
    size = (recipe.height, recipe.width)
    coarse = _smoothly(state.changed, max(1, size[0] // 8), max(1, size[1] // 8))
    full = resample(coarse, *size) if recipe.tiles else _smoothly(coarse, *size)  # (N, 1, H, W)
    return [_stretched(each[0].cpu()) for each in full]


def _stretched(values: Tensor) -> Tensor:
    """(H, W) of any range → 0..1, from what a twentieth are below to what a twentieth are above."""
    flat = values.flatten()
    low, high = flat[:: max(1, len(flat) // 65536)].clamp_min(0).quantile(torch.tensor([0.05, 0.95])).tolist()
    return banded(lambda band: ((band.clamp_min(0) - low) / max(high - low, 1e-6)).clamp_(0, 1), values)


def _smoothly(values: Tensor, height: int, width: int) -> Tensor:
    """(N, C, H, W) of any range at another size, without overshoot."""
    return torch.nn.functional.interpolate(values, (height, width), mode="bilinear", antialias=True, align_corners=False)


def note_on_skipped(skipped: int, octaves: int) -> tuple[str, ...]:
    if not skipped:
        return ()
    were = "is too small for this target and was" if skipped == 1 else "are too small for this target and were"
    return (f"{skipped} of {octaves} octaves {were} skipped",)


def note_on_maps(recipe: Recipe, networks: Sequence[Network]) -> tuple[str, ...]:
    """On a class of a network that tells classes place by place."""
    labels = [term.unit() for term in recipe.target.terms if term.label is not None]
    told = [each.name for each in networks if labels and each.anatomy.reading and each.anatomy.reading.is_map]
    return tuple(f"{name} gives scores for every place: '{labels[0]}' is the mean of its channel over the map" for name in told)


def note_on_dead(recipe: Recipe, alive: bool, soft_steps: int) -> tuple[str, ...]:
    """On a start that had no gradient, or only one that was found softly."""
    if not alive:
        if recipe.command == "dream":
            return (f"nothing in this picture moves '{recipe.target}': its gradient is zero, and the result is the start",)
        return (f"'{recipe.target}' never fired, whatever was shown to it",)
    if soft_steps:
        return (f"the start left '{recipe.target}' dead: {soft_steps} steps were led softly through units that do not fire",)
    return ()
