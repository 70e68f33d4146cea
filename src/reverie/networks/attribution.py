"""What counted: how much each place and channel of a layer spoke for one class and against another, in one picture."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from reverie.errors import MissingExtra, UsageError, choice, listing
from reverie.installing import install
from reverie.networks.altering import Rest, altered_scores, takes_several
from reverie.networks.inspection.layer_names import ATTENTION, LayerName
from reverie.networks.prepared.gradients import broken
from reverie.networks.prepared.prepared import Prepared
from reverie.pictures import as_tensor, in_channels, resize
from reverie.store import expanded
from reverie.target import CLASSES

STEPS = 16
ROUNDS = 12  # at most so many times the steps, for one layer
TOLERANCE = 0.02  # of the change in score, between what the values sum to and what they should
_AT_ONCE = 16  # steps in one pass: more want more memory, and gain little
_GOLDEN = (math.sqrt(5) - 1) / 2  # multiples of it, less their whole parts, lie evenly in 0..1 however many there are
PIXELS = "pixels"  # in the place of a layer: the picture itself
BASELINES = ("mean", "black", "blurred")  # the network's mean colour; nothing; the picture without its smaller forms
_BLURRED = 12  # pixels of the native size, below which those are


@dataclass(frozen=True)
class Attribution:
    """What the values of one layer added to a score, in its units, on the path from the baseline picture to the picture.

    `layer`: its name, or PIXELS for the picture itself, at the native size.
    `values`: (C, H, W), float32 on the CPU; positive spoke for the class, negative against it. Of several pictures (N, C, H, W).
    `total`: score(picture) - score(baseline), a number, as the network itself gives them; of several pictures (N,). Values of the
    pixels, or of a layer that everything goes through, as a stage or block, sum to it, but for the error of finitely many steps; of one
    branch of several they sum to what that branch added while the others were as the picture has them.
    """

    layer: str
    values: Tensor
    total: Any

    @property
    def places(self) -> Tensor:
        """(H, W): what each place added, all channels together; of several pictures (N, H, W)."""
        return self.values.sum(-3)

    @property
    def channels(self) -> Tensor:
        """(C,): what each channel added, all places together; of several pictures (N, C)."""
        return self.values.sum((-2, -1))


def attribute_pictures(
    ready: Prepared, picture: Any, layers: Sequence[str], index: Any, against: Any = None, baseline: Any = "mean"
) -> list[Attribution]:
    """`attribute` for whatever holds a picture, or several of them in a list or a batch, of which all that comes back begins with N."""
    channels, many = ready.normalise.channels, isinstance(picture, (list, tuple)) or getattr(picture, "ndim", 0) == 4
    begin = baseline_of(baseline, channels)
    pictures = [in_channels(as_tensor(each, channels), channels) for each in (picture if many else [picture])]
    if not pictures:
        raise UsageError("no picture", "give one or more")
    found = [attribute(ready, each, layers, index, against, baseline=begin) for each in pictures]
    if not many:
        return found[0]
    return [
        Attribution(each[0].layer, torch.stack([one.values for one in each]), torch.tensor([one.total for one in each]))
        for each in zip(*found, strict=True)
    ]


def attribute(
    ready: Prepared,
    picture: Tensor,
    layers: Sequence[str],
    index: int,
    against: int | None = None,
    steps: int = STEPS,
    baseline: str | Tensor = "mean",
) -> list[Attribution]:
    """Integrated gradients (Sundararajan, Taly & Yan 2017, "Axiomatic Attribution for Deep Networks") in each layer's own activations.

    The path leads straight from the activations of a baseline picture, of nothing but the network's mean colour say, to those of the
    picture; the gradient is taken at the middle of each of `steps` equal stretches. Where the values then miss the total by more than 2 %
    of the change in score (with `against`, of the larger change of the two classes, if that is more), as many places between are added,
    again and again, 12 times as many in all at most. The gradient of a network along such a path is rough: 128 even steps can still miss
    by 2 %.

    Args:
        ready: the network, made ready to give these layers and CLASSES.
        picture: (C, H, W) in 0..1, brought to the network's native size as `Network.recognise` does.
        layers: names of layers that give (N, C, H, W), all that are listed but those of kind `attention`; of a module called several times
            in a pass also `name#0`, `name#1` … What of them it was not made ready to give is PIXELS.
        index: the class spoken for; the score is its logit,
        against: less the logit of this class, if one is given.
        steps: passes through the network, forward and back, for each layer to begin with; from 1.
        baseline: what the path begins with: one of BASELINES, or a picture (C, H, W).

    Returns:
        one for each of `layers`, in their order.

    Raises:
        UsageError: no such layer or class, a layer without places or a gradient, or no steps. MissingExtra: captum is not installed.
    """
    if steps < 1:
        raise UsageError(f"{steps} steps", "take at least one")
    for name in layers:
        if name in ready.wanted:
            _check_layer(ready, name)
    gradients = _captum()
    with torch.inference_mode(False):  # else nothing could be in a graph
        pixels = _at_native_size(picture, ready)  # (1, C, H, W)
        begin = _begin(baseline, pixels, ready)  # (1, C, H, W)
        with torch.no_grad():
            before, after = ({PIXELS: each, **ready(each)} for each in (begin, pixels))
        classes = after[CLASSES].shape[1]
        for each in (index, against):
            if each is not None and not 0 <= each < classes:
                raise UsageError(f"no class {each}", f"the network has {classes} classes, numbered from 0")
        if index == against:
            raise UsageError(f"class {index} against itself", "give two classes, or one")
        changes = (after[CLASSES] - before[CLASSES])[0]  # (K,)
        asked = changes[[index] if against is None else [index, against]]  # (1,) or (2,)
        total = float(asked[0] if against is None else asked[0] - asked[1])
        allowed = TOLERANCE * max(abs(total), float(asked.abs().max()))

        def values(name: str) -> Tensor:
            rest: Rest = Remainder(ready, name, pixels) if name in ready.wanted else _Whole(ready)
            start, end = before[name], after[name]  # (1, C, H, W)
            if not _speaks(rest, name, start, end):
                return torch.zeros(start.shape[1:])
            at_once = _AT_ONCE if takes_several(rest, torch.cat([start, end]), after[CLASSES][0]) else 1
            path = _Path(gradients(lambda given: _score(rest(given), index, against)), start, end, at_once)
            return _integrated(path, steps, total, allowed)

        return [Attribution(name, values(name), total) for name in layers]


def baseline_of(given: Any, channels: int) -> str | Tensor:
    """One of BASELINES, or the picture (C, H, W) that is meant; UsageError for a name that is neither."""
    if isinstance(given, str) and given in BASELINES:
        return given
    if isinstance(given, str) and not expanded(given).exists():
        raise UsageError(choice("baseline", given), f"it is {', '.join(BASELINES)} or a picture")
    return as_tensor(given, channels)


def _at_native_size(picture: Tensor, ready: Prepared) -> Tensor:
    """(C, H, W) → (1, C, H, W), on the device."""
    return resize(picture, *ready.size)[None].to(ready.device)


def _begin(baseline: str | Tensor, pixels: Tensor, ready: Prepared) -> Tensor:
    """(1, C, H, W): what the path to the pixels begins with."""
    if isinstance(baseline, Tensor):
        return in_channels(_at_native_size(baseline, ready)[0], pixels.shape[1])[None]
    if baseline not in BASELINES:
        raise UsageError(choice("baseline", baseline), f"it is {', '.join(BASELINES)} or a picture")
    if baseline == "mean":
        return ready.normalise.mean.clamp(0, 1).expand(-1, -1, *ready.size)
    if baseline == "black":
        return torch.zeros_like(pixels)
    return resize(resize(pixels, *(max(1, round(side / _BLURRED)) for side in ready.size)), *ready.size)


def _check_layer(ready: Prepared, name: str) -> None:
    shape = ready.anatomy.shape(name)
    if LayerName.parse(name, ready.anatomy.calls).part == ATTENTION:
        whole = name.removesuffix(f"/{ATTENTION}")
        raise UsageError(f"what counted in '{name}', which is where a layer looks, not what it says", f"name '{whole}' itself")
    if len(shape) != 4:
        raise UsageError(f"layer '{name}' has no places: it gives {'×'.join(map(str, shape))}", f"name one that {listing('layers')} lists")


def available() -> bool:
    """Whether captum is installed; it is not imported here."""
    return importlib.util.find_spec("captum") is not None


def _captum() -> Callable[..., Any]:
    try:
        from captum.attr import IntegratedGradients  # here and not above: it takes a second, and matplotlib with it
    except ImportError as error:
        raise MissingExtra("what counted is worked out by one more package", install("captum")) from error
    return IntegratedGradients  # type: ignore[no-any-return]


def _score(logits: Tensor, index: int, against: int | None) -> Tensor:
    """(N, K) → (N,)."""
    return logits[:, index] if against is None else logits[:, index] - logits[:, against]


class Remainder:
    """The class scores as a function of what one layer gives, (N, C, H, W) → (N, K), everything before it as the picture has it.

    captum's own way for layers runs what is before the layer anew for every step. Here one picture goes in, and at the layer N take its
    place; what goes round the layer is broadcast. `LayerIntegratedGradients` gives the same values in twice the time.
    """

    def __init__(self, ready: Prepared, name: str, pixels: Tensor) -> None:
        self.ready, self.name = ready, name
        self.x = ready.as_taken(pixels)  # (1, C, H, W)

    def __call__(self, given: Tensor) -> Tensor:
        return altered_scores(self.ready, self.name, self.x, given)  # (N, K)


@dataclass(frozen=True)
class _Whole:
    """The class scores as a function of the picture, (N, C, H, W) → (N, K)."""

    ready: Prepared

    def __call__(self, given: Tensor) -> Tensor:
        return self.ready(given)[CLASSES]


def _speaks(rest: Rest, name: str, start: Tensor, end: Tensor) -> bool:
    """Whether the scores depend on a layer; UsageError where they do, and no gradient comes from them."""
    with torch.enable_grad():
        given = end.detach().clone().requires_grad_(True)  # (1, C, H, W)
        why = broken(rest(given), given)
    if not why:
        return True
    with torch.no_grad():
        if torch.equal(rest(start), rest(end)):
            return False
    what = "the picture" if name == PIXELS else f"'{name}'"
    raise UsageError(f"no gradient comes from the class scores to {what}: {why}", "name a layer behind that")


@dataclass(frozen=True)
class _Path:
    """From `start` to `end`, both (1, C, H, W), in straight stretches, `at_once` of them in a pass."""

    gradients: Any
    start: Tensor
    end: Tensor
    at_once: int

    def added(self, steps: int, offset: float) -> Tensor:
        """What was added on all of it, (C, H, W), judged at one place, `offset` in 0..1, in each of `steps` equal stretches."""
        middles = (torch.arange(steps, device=self.start.device) + offset) / steps  # (S,)
        added = torch.zeros_like(self.start)  # (1, C, H, W)
        for first in range(0, steps, self.at_once):
            here = middles[first : first + self.at_once].view(-1, 1, 1, 1)  # (S, 1, 1, 1)
            low, high = (self.start + (here + side / steps) * (self.end - self.start) for side in (-0.5, 0.5))  # (S, C, H, W)
            # with one step, Gauss and Legendre look at the middle
            added += self.gradients.attribute(high, baselines=low, n_steps=1, method="gausslegendre").detach().sum(0)
        return added[0]


def _integrated(path: _Path, steps: int, total: float, allowed: float) -> Tensor:
    """What the layer's values added, (C, H, W), in as many rounds of steps as it takes to come within `allowed` of the total."""
    added = path.added(steps, 0.5)
    rounds = 1
    while rounds < ROUNDS and abs(float(added.sum()) / rounds - total) > allowed:
        added += path.added(steps, (0.5 + rounds * _GOLDEN) % 1)
        rounds += 1
    return (added / rounds).float().cpu()
