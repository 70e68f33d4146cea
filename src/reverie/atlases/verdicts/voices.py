"""What units speak for: the class scores of pictures that excite a unit, less those with the unit held at its mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reverie.errors import ReverieError
from reverie.networks import Network, Prepared
from reverie.networks.altering import altered_scores, takes_several
from reverie.pictures import as_tensor, in_channels, resize
from reverie.pictures.torch_modes import ordinary_modes
from reverie.target import CLASSES

PICTURES = 8  # that excite a unit, by which it is judged
_AT_ONCE = 16  # pictures, or variants of one, in a pass
_NOT_A_NUMBER = float("nan")

Tell = Callable[[float], object]
"""Is told the share that is done; a true answer stops."""


@dataclass(frozen=True)
class Voices:
    """What some units of a layer speak for.

    Attributes:
        channels: (n,). changes: (n, K): how much larger each class score is with the unit as it is than with it held at its mean, the mean
            over its pictures; less the mean of all classes, since what all scores share changes no probability. Of chances that are told
            one by one nothing is taken off. NaN where no picture could be read. pictures: (n,): how many these were.
    """

    channels: NDArray[np.int32]
    changes: NDArray[np.float32]
    pictures: NDArray[np.int32]

    def strongest(self, row: int, count: int) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """Classes that a unit speaks for most, and against most, with the changes, the strongest first; none that it leaves alone."""
        return strongest(self.changes[row], count)


@dataclass(frozen=True)
class Effect:
    """What a layer changes.

    Attributes:
        changed: the share of pictures whose first label is another without it; None where that says nothing.
        pictures: how many. how: `passed by`, where a block gives what it is given, or `held` at the means of its channels.
        why: that says nothing.
    """

    changed: float | None
    pictures: int
    how: str
    why: str = ""


def strongest(changes: NDArray[np.float32], count: int) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """The places of the largest and of the smallest of (K,), with what is there: those above 0, falling, and those below 0, rising."""
    order = np.argsort(-np.nan_to_num(changes), kind="stable")
    above = [(int(each), float(changes[each])) for each in order[:count] if changes[each] > 0]
    below = [(int(each), float(changes[each])) for each in order[::-1][:count] if changes[each] < 0]
    return above, below


def voices(
    network: Network, layer: str, means: Mapping[int, float], shown: Sequence[tuple[Any, Sequence[int]]], tell: Tell = lambda _: False
) -> Voices | None:
    """Hold units at their means on pictures that excite them: each runs once as far as the layer, and from there with each unit held.

    Args:
        network: with class scores. layer: a name.
        means: by channel, over places and pictures. shown: pictures, with the channels that are held on each.
        tell: is told the share that is done; a true answer stops.

    Returns:
        of all channels in `means`; None where it was stopped.
    """
    order = list(means)
    row_of = {channel: row for row, channel in enumerate(order)}
    whole, counts = np.zeros((len(order), network.anatomy.classes or 0)), np.zeros(len(order), np.int32)
    ready = network.prepare([layer, CLASSES])
    at_once = 0
    with ordinary_modes(), torch.no_grad():
        for number, (picture, channels) in enumerate(shown, 1):
            pixels = _seen(network, picture)
            if pixels is not None:
                x = ready.as_taken(pixels)
                at_once = at_once or _at_once(ready, layer, x)
                for first in range(0, len(channels), at_once):
                    some = channels[first : first + at_once]
                    found = _changes(ready, layer, x, some, means, at_once).double().cpu().numpy()
                    for channel, change in zip(some, found, strict=True):
                        whole[row_of[channel]] += change
                        counts[row_of[channel]] += 1
            if tell(number / len(shown)) and number < len(shown):
                return None
    changes = whole / np.where(counts, counts, _NOT_A_NUMBER)[:, None]
    if network.anatomy.reading is not None and network.anatomy.reading.gives != "chances":
        changes -= changes.mean(1, keepdims=True)
    return Voices(np.asarray(order, np.int32), changes.astype(np.float32), counts)


def effect(network: Network, layer: str, means: Sequence[float], shown: Sequence[Any], tell: Tell = lambda _: False) -> Effect | None:
    """What becomes of the first labels of pictures when a layer is passed by, or, where its shape is another before it, held at its means.

    Args:
        means: (C,), over places and pictures.

    Returns:
        None where it was stopped.
    """
    ready = network.prepare([layer, CLASSES])
    flat = torch.tensor(list(means), device=ready.device).view(1, -1, 1, 1)  # (1, C, 1, 1)
    passed = True

    def without(maps: Tensor, before: Tensor | None) -> Tensor:
        nonlocal passed
        passed = before is not None
        return flat.to(maps.dtype).expand_as(maps) if before is None else before

    labels: list[tuple[int, int]] = []
    size = 1 if ready.anatomy.single else _AT_ONCE
    with ordinary_modes(), torch.no_grad():
        for first in range(0, len(shown), size):
            read = [pixels for each in shown[first : first + size] if (pixels := _seen(network, each)) is not None]
            if read:
                x = ready.as_taken(torch.cat(read))
                as_they_are, others = (
                    altered_scores(ready, layer, x, change).argmax(1).tolist() for change in (lambda maps, _: maps, without)
                )
                labels += zip(as_they_are, others, strict=True)
            done = min(1.0, (first + size) / len(shown))
            if tell(done) and done < 1:
                return None
    if not labels:
        return Effect(None, 0, "passed by", "no picture could be read")
    how = "passed by" if passed else "held"
    if not passed and len({other for _, other in labels}) == 1:
        return Effect(None, len(labels), how, "all that the network sees goes through it")
    return Effect(sum(before != after for before, after in labels) / len(labels), len(labels), how)


def _changes(ready: Prepared, layer: str, x: Tensor, channels: Sequence[int], means: Mapping[int, float], at_once: int) -> Tensor:
    """(n, K): the scores of a picture less those with each channel held."""

    def held(maps: Tensor, _: Tensor | None) -> Tensor:
        found = maps.expand(len(channels), -1, -1, -1).clone()
        for row, channel in enumerate(channels):
            found[row, channel] = means[channel]
        return torch.cat([maps, found]) if at_once > 1 else found

    if at_once > 1:
        scores = altered_scores(ready, layer, x, held)  # (1 + n, K)
        return scores[:1] - scores[1:]
    return altered_scores(ready, layer, x, lambda maps, _: maps) - altered_scores(ready, layer, x, held)


def _at_once(ready: Prepared, layer: str, x: Tensor) -> int:
    """How many variants of a picture go through the network together."""
    kept: list[Tensor] = []

    def keep(maps: Tensor, _: Tensor | None) -> Tensor:
        kept.append(maps.clone())
        return maps

    alone = altered_scores(ready, layer, x, keep)[0]  # (K,)
    pair = torch.cat([torch.zeros_like(kept[0]), kept[0]])
    return _AT_ONCE if takes_several(lambda given: altered_scores(ready, layer, x, given), pair, alone) else 1


def _seen(network: Network, picture: Any) -> Tensor | None:
    """(1, C, H, W) at the native size, on the device; None of what cannot be read any more."""
    try:
        pixels = in_channels(as_tensor(picture, network.channels), network.channels)
    except ReverieError:
        return None
    return resize(pixels, *network.size)[None].to(network.device)
