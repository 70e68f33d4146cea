"""How pictures from noise are made where nothing is said: as the network's own size and its pictures ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from reverie.canvas import PHOTOGRAPHS
from reverie.networks import Network
from reverie.pictures import frequencies
from reverie.recipe import COMMANDS
from reverie.render.provenance import is_built_in

TUNED = 224  # pixels a side for which the commands' own choices were tuned
SMALLEST = 32  # a side at which a picture bears little turning and scaling
LARGE = 128  # from this side on a network of colours is one of photographs
_IMAGENET = (0.485, 0.456, 0.406, 0.229, 0.224, 0.225)  # means and deviations of its photographs
_NEAR = 0.06  # those of CIFAR and others are as near
_WIDEST = 0.45  # deviation of pictures: 0.5 is black and white alone, and commonly said of pictures nobody measured
_FINE = 0.6  # smoothing of what excites a unit of a small network: broad forms alone saturate it
# tokens know their places: what is moved is something else to them
_OF_TOKENS = {
    "jitter": 1,
    "rotate": 0.0,
    "scale": 1.0,
    "fade": 1.0,
    "noise": 0.0,
    "smoothing": 0.3,
}
_REST = 0.1  # of the steps: what small networks are shown moved they may call something else
_GENTLE = {"rotate": 5.0, "scale": 1.1, "fade": 0.7, "noise": 0.05}  # at the smallest side


def network_defaults(network: Network, command: str, usual: Sequence[Tensor] = ()) -> dict[str, Any]:
    """The choices that follow from a network, by name; none of a built-in one without usual pictures.

    Args:
        command: `imagine` or `feature`.
        usual: pictures as it was trained on, (C, H, W) in 0..1 each, at its native size.
    """
    found = {} if is_built_in(network) else {**_movement(min(network.size), command), **_tones(network), "rest": _REST}
    if usual:
        found.update(tones_of(usual))
    if command == "feature" and "tone" in found:
        # what excites a single unit is often darker, lighter or finer than any picture
        found.update(tone="free", **({} if _is_large(network) else {"smoothing": _FINE}))
        if network.anatomy.heads and min(network.size) < LARGE:
            found.update(_OF_TOKENS)
    return found


def of_photographs(network: Network) -> bool:
    """Whether its pictures are photographs, as far as its size and its mean and deviation tell."""
    if network.channels != 3:
        return False
    apart = (abs(own - theirs) for own, theirs in zip((*network.mean, *network.std), _IMAGENET, strict=True))
    return _is_large(network) or max(apart) < _NEAR


def _is_large(network: Network) -> bool:
    """Whether it is one of photographs as large as those for which the commands' own choices were tuned, or nearly."""
    return network.channels == 3 and min(network.size) >= LARGE


def _movement(side: int, command: str) -> dict[str, Any]:
    """Jitter and transforms for pictures of this side: the smaller, the gentler."""
    share = min(1.0, max(0.0, math.log(side / SMALLEST) / math.log(TUNED / SMALLEST)))
    looks = COMMANDS[command].presets["emblem"].choices
    usual = {name: looks.get(name, COMMANDS[command].default(name)) for name in ("jitter", *_GENTLE)}
    between = {name: round(usual[name] ** share * gentle ** (1 - share), 3) for name, gentle in _GENTLE.items()}
    return {"jitter": max(1, round(usual["jitter"] * side / TUNED)), **between}


def _tones(network: Network) -> dict[str, Any]:
    """Light, contrast and colours by the mean and deviation of its pictures; free where they say nothing."""
    if _is_large(network):
        return {}
    colours = {} if of_photographs(network) else {"vivid": 1.0, "smoothing": 1.0}
    if all(0 < each < 1 for each in network.mean) and all(0 < each < _WIDEST for each in network.std):
        square = sum(each * each for each in network.std) / network.channels
        return {"tone": "light", "light": network.mean, "spread": round(min(0.5, math.sqrt(square)), 4), **colours}
    return {"tone": "free", **colours}


def tones_of(pictures: Sequence[Tensor]) -> dict[str, Any]:
    """Light, contrast, colours and detail as these pictures have them, (C, H, W) each, of one size."""
    seen = torch.stack(list(pictures)).double()  # (N, C, H, W)
    mean, spread = seen.mean((0, 2, 3)), seen.var((2, 3)).mean().sqrt()
    found = {
        "tone": "light", "light": tuple(round(each, 4) for each in mean.tolist()), "spread": round(min(0.5, float(spread)), 4),
        "smoothing": round(_steepness(seen), 3),
    }  # fmt: skip
    if seen.shape[1] == 3:
        found["vivid"] = round(_vividness(seen), 3)
    return found


def _steepness(pictures: Tensor) -> float:
    """The power of frequency by which their amplitude falls, 0..1.5; about 1.3 in photographs."""
    height, width = pictures.shape[2:]
    amplitude = torch.fft.rfft2(pictures - pictures.mean((2, 3), keepdim=True)).abs().square().mean((0, 1)).sqrt()  # (H, W//2+1)
    frequency = frequencies(height, width)
    inside = (frequency > 0) & (frequency < 0.4) & (amplitude > 0)  # the corners are mostly what resizing left
    if int(inside.sum()) < 3:
        return 1.0
    x, y = frequency[inside].double().log(), amplitude[inside].log()
    weight = 1 / frequency[inside].double()  # every octave counts the same, though the high ones hold most of the waves
    x, y = x - (weight * x).sum() / weight.sum(), y - (weight * y).sum() / weight.sum()
    return float((-(weight * x * y).sum() / (weight * x * x).sum()).clamp(0, 1.5))


def _vividness(pictures: Tensor) -> float:
    """0 where their colours go together as in photographs, 1 where each goes its own way."""
    flat = (pictures - pictures.mean((2, 3), keepdim=True)).transpose(0, 1).flatten(1)  # (3, values)
    together = torch.corrcoef(flat).nan_to_num(1.0)
    theirs = (together.sum() - 3) / (PHOTOGRAPHS.sum() - PHOTOGRAPHS.trace())
    return float((1 - theirs).clamp(0, 1))


def octaves_for(scale: float, network: Network, size: tuple[int, int]) -> int:
    """As many as lead from half the network's own size to the size that is asked for: then the subject fills any picture."""
    half = min(network.size) / 2
    return max(1, min(24, 1 + round(math.log(max(1.0, min(size) / half)) / math.log(scale))))
