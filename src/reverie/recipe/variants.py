"""Variants of a dream, as data: the same choices but for the units that have a say, and for how the octaves lie.

Another seed moves a dream on a photograph by some pixels, since what grows where follows from the photograph. What the network is asked
for makes another picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from reverie.recipe.choices import Ascent
from reverie.target import Target, Term

_UNITS = 6  # of a layer, that get a weight of their own
_OF_LAYER = 0.25  # of the weight of a layer that is left to all its units
_COMPANY = 3  # units that join a unit or a class that was asked for alone
_WEIGHTS, _FAINT, _STRONG = (0.5, 1.5), (0.2, 0.6), (1.5, 3.0)  # of those units; of the company of a unit, and of a class
_REACH = (1.25, 0.75, 1.0)  # powers of the octaves' scale, in turn: larger forms, smaller ones, and as they are
_REACHES, _SMOOTHER = (0.6, 1.6), (-0.3, 0.5)  # where units cannot be mixed: those powers, and what is added to the smoothing


class Layers(NamedTuple):
    """What there is to mix: how many channels a layer has, and the layer whose units join a class; empty where there is none."""

    channels: Callable[[str], int]
    deep: str = ""


class Variation(NamedTuple):
    """What a variant has in the place of the first one's."""

    target: Target
    ascent: dict[str, Any]


def variation(number: int, seed: int, target: Target, layers: Layers | None, ascent: Ascent, given: Mapping[str, Any]) -> Variation:
    """A variant by its number, from 2 on; the first is the dream itself. The same arguments give the same.

    Args:
        layers: of the network; None where the objective takes no mixture of units.
        ascent: of the first one.
        given: choices that were asked for, which stay as they are.
    """
    drawing = Random(f"{seed} {number} {target}")
    if layers is None:
        power, smoothing = drawing.uniform(*_REACHES), round(ascent.smoothing + drawing.uniform(*_SMOOTHER), 2)
        changes: dict[str, Any] = {"smoothing": min(3.0, max(0.0, smoothing))}
        varied = target
    else:
        power, changes = _REACH[number % len(_REACH)], {}
        varied = Target(tuple(each for term in target.terms for each in _mixed(term, layers, drawing)))
    changes["octave_scale"] = min(4.0, round(ascent.octave_scale**power, 3))
    return Variation(varied, {name: value for name, value in changes.items() if name not in given})


def _mixed(term: Term, layers: Layers, drawing: Random) -> list[Term]:
    """A layer as a few of its units before the others; a unit or a class in the company of some."""
    layer = term.layer or layers.deep
    if term.weight < 0 or not layer:
        return [term]
    whole = term.label is None and term.channel is None
    count, (low, high) = (_UNITS, _WEIGHTS) if whole else (_COMPANY, _FAINT if term.label is None else _STRONG)
    others = [each for each in range(layers.channels(layer)) if each != term.channel]
    units = sorted(drawing.sample(others, min(count, len(others))))
    rest = Term(round(_OF_LAYER * term.weight, 6), layer) if whole and units else term
    return [rest, *(Term(round(term.weight * drawing.uniform(low, high), 2), layer, unit) for unit in units)]
