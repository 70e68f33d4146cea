"""What counted: how much each place and channel of a layer spoke for one class and against another, in one picture."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from reverie.errors import MissingExtra, UsageError
from reverie.installing import install
from reverie.networks.inspection.failures import run
from reverie.networks.inspection.layer_names import ATTENTION, LayerName
from reverie.networks.inspection.outputs import class_scores
from reverie.networks.prepared.prepared import Prepared
from reverie.pictures import resize
from reverie.target import CLASSES

STEPS = 16
ROUNDS = 12  # at most so many times the steps, for one layer
TOLERANCE = 0.02  # of the change in score, between what the values sum to and what they should
_AT_ONCE = 16  # steps in one pass: more want more memory, and gain little
_GOLDEN = (math.sqrt(5) - 1) / 2  # multiples of it, less their whole parts, lie evenly in 0..1 however many there are
_SAME = 0.02  # of the largest score; a network that mixes the pictures of a batch is far off, bfloat16 is not


@dataclass(frozen=True)
class Attribution:
    """What the values of one layer added to a score, in its units, on the path from the baseline picture to the picture.

    `values`: (C, H, W), float32 on the CPU; positive spoke for the class, negative against it.
    `total`: score(picture) - score(baseline), as the network itself gives them. Values of a layer that everything goes through, as a
    stage or block, sum to it, but for the error of finitely many steps; of one branch of several they sum to what that branch added
    while the others were as the picture has them.
    """

    layer: str
    values: Tensor
    total: float

    @property
    def places(self) -> Tensor:
        """(H, W): what each place added, all channels together."""
        return self.values.sum(0)

    @property
    def channels(self) -> Tensor:
        """(C,): what each channel added, all places together."""
        return self.values.sum((1, 2))


def attribute(
    ready: Prepared, picture: Tensor, layers: Sequence[str], index: int, against: int | None = None, steps: int = STEPS
) -> list[Attribution]:
    """Integrated gradients (Sundararajan, Taly & Yan 2017, "Axiomatic Attribution for Deep Networks") in each layer's own activations.

    The path leads straight from the activations of a picture of nothing but the network's mean colour to those of the picture; the
    gradient is taken at the middle of each of `steps` equal stretches. Where the values then miss the total by more than 2 % of the
    change in score (with `against`, of the larger change of the two classes, if that is more), as many places between are added, again
    and again, 12 times as many in all at most. The gradient of a network along such a path is rough: 128 even steps can still miss by 2 %.

    Args:
        ready: the network, made ready to give these layers and CLASSES.
        picture: (C, H, W) in 0..1, brought to the network's native size as `Network.recognise` does.
        layers: names of layers that give (N, C, H, W); of a module called several times in a pass also `name#0`, `name#1` …
        index: the class spoken for; the score is its logit,
        against: less the logit of this class, if one is given.
        steps: passes through the network, forward and back, for each layer to begin with; from 1.

    Returns:
        one for each of `layers`, in their order.

    Raises:
        UsageError: no such layer or class, a layer without places, or no steps. MissingExtra: captum is not installed.
    """
    if steps < 1:
        raise UsageError(f"{steps} steps", "take at least one")
    for name in layers:
        _check_layer(ready, name)
    gradients = _captum()
    with torch.inference_mode(False):  # else nothing could be in a graph
        pixels = resize(picture, *ready.size)[None].to(ready.device)  # (1, C, H, W)
        mean = ready.normalise.mean.clamp(0, 1).expand(-1, -1, *ready.size)  # (1, C, H, W)
        with torch.no_grad():
            before, after = ready(mean), ready(pixels)
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
            rest = Remainder(ready, name, pixels)
            start, end = before[name], after[name]  # (1, C, H, W)
            path = _Path(gradients(lambda given: _score(rest(given), index, against)), start, end, rest.at_once(start, end, after[CLASSES]))
            return _integrated(path, steps, total, allowed)

        return [Attribution(name, values(name), total) for name in layers]


def _check_layer(ready: Prepared, name: str) -> None:
    shape = ready.anatomy.shape(name)
    if LayerName.parse(name, ready.anatomy.calls).part == ATTENTION:
        raise UsageError(f"what counted in '{name}'", "attention says where; name the layer itself")
    if len(shape) != 4:
        raise UsageError(f"layer '{name}' has no places: it gives {'×'.join(map(str, shape))}", "name one that `reverie layers` lists")


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
        self.ready = ready
        self.name = name
        asked = LayerName.parse(name, ready.anatomy.calls)
        self.of = asked.part
        self.part = ready.module.get_submodule(asked.module)
        self.call = ready.anatomy.calls.get(asked.module, 1) - 1 if asked.call is None else asked.call
        self.x = ready.as_taken(pixels)  # (1, C, H, W)

    def __call__(self, given: Tensor) -> Tensor:
        calls = 0

        def put(_module: nn.Module, _inputs: Any, output: Any) -> Tensor | None:
            nonlocal calls
            calls += 1
            if calls != self.call + 1:
                return None
            if not isinstance(output, Tensor):
                raise UsageError(f"layer '{self.name}' gives more than one tensor", "name a layer in it")
            layout = self.ready.anatomy.layout(self.name)
            put_in = given if layout is None else layout.from_maps(given, output, self.of)
            return put_in.to(output.dtype, copy=True)  # a copy: the next layer may work in place

        with self.ready.lock:
            handle = self.part.register_forward_hook(put)
            try:
                output = run(self.ready.module, self.x, graded=self.ready.anatomy.habits.graded)
                return class_scores(output, self.ready.anatomy.scores, len(given)).float()  # (N, K)
            finally:
                handle.remove()

    def at_once(self, start: Tensor, end: Tensor, scores: Tensor) -> int:
        """How many steps one pass can take: one, for a network in which many cannot take the place of one, or would mix."""
        try:
            with torch.no_grad():
                found = self(torch.cat([start, end]))  # (2, K)
        except UsageError:  # it counts its pictures where it begins, say
            return 1
        same = found.shape == (2, scores.shape[1]) and bool((found[1] - scores[0]).abs().max() <= _SAME * scores.abs().max())
        return _AT_ONCE if same else 1


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
