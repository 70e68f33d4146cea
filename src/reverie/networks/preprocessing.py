"""How a network takes pictures and what it says of them: what is known before one can go in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from reverie.errors import UsageError, choice
from reverie.networks.builtin import labels as label_names

SIDE = 224  # the native side where nothing says one
RANGE = (0.0, 1.0)  # black and white where nothing says them
LONGEST_SIDE = 8192  # native, pixels


@dataclass(frozen=True)
class Preprocessing:
    """How a network takes pictures and what it says of them; None is: not said.

    Attributes:
        mean, std: of each channel, in the units of `range`.
        range: what black and white are before normalisation.
        size: (height, width) of a picture in its training.
        labels: the names of each class, the one to show first.
        scores: which entry of its output is the class scores: a key or a field, or its place, from 0.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    range: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    labels: tuple[tuple[str, ...], ...] | None = None
    scores: str | None = None

    @classmethod
    def of(
        cls,
        mean: Sequence[float] | float | None = None,
        std: Sequence[float] | float | None = None,
        range: Sequence[float] | None = None,
        size: int | Sequence[int] | None = None,
        labels: Iterable[Any] | str | Path | None = None,
        scores: str | int | None = None,
    ) -> Preprocessing:
        """What a user says of a network, checked as far as it can be without the network; `labels` may be a file of them.

        Raises:
            UsageError: not as many means as deviations, a number that cannot be one. InputError: a file of labels that cannot be read.
        """
        made = cls(
            mean=None if mean is None else _numbers("mean", mean),
            std=None if std is None else _numbers("std", std),
            range=None if range is None else _ends(_numbers("range", range)),
            size=None if size is None else _sides(size),
            labels=None if labels is None else tuple((each,) for each in _names(labels)) or None,
            scores=None if scores is None else _entry(scores),
        )
        made.check_channels()
        if made.std is not None and not all(each > 0 for each in made.std):
            raise UsageError(choice("std", listed(made.std)), "each must be above 0")
        return made

    def check_channels(self) -> None:
        """Raise UsageError for a mean and a deviation of different numbers of channels."""
        if self.mean is not None and self.std is not None and len(self.mean) != len(self.std):
            raise UsageError(f"mean has {len(self.mean)} channels and std {len(self.std)}", "give one of each for every channel")

    def over(self, other: Preprocessing) -> Preprocessing:
        """This, with what it does not say from `other`. A mean and its deviation and range belong together."""
        said = {name: each for name, each in vars(self).items() if each is not None}
        if {"mean", "std"} <= said.keys():
            other = replace(other, range=None)
        return replace(other, **said)


def listed(numbers: Sequence[float]) -> str:
    """Numbers as a user writes them: `0.485,0.456,0.406`."""
    return ",".join(f"{each:g}" for each in numbers)


def _numbers(name: str, given: Any) -> tuple[float, ...]:
    is_one = isinstance(given, Real) or getattr(given, "ndim", 1) == 0  # of one channel
    try:
        found = tuple(float(each) for each in ([given] if is_one else given))
    except (TypeError, ValueError):
        found = ()
    if not 0 < len(found) <= 4096 or not all(math.isfinite(each) for each in found):
        raise UsageError(choice(name, given), "give finite numbers, one for each channel, e.g. 0.485,0.456,0.406")
    return found


def _ends(numbers: tuple[float, ...]) -> tuple[float, float]:
    if len(numbers) != 2 or numbers[0] >= numbers[1]:
        raise UsageError(choice("range", listed(numbers)), "two numbers: what black is before normalisation, and white, e.g. 0,255")
    return numbers[0], numbers[1]


def _sides(size: int | Sequence[int]) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    whole = [int(each) for each in sides if isinstance(each, Integral)]
    if len(whole) != len(sides) or len(whole) != 2 or not all(0 < each <= LONGEST_SIDE for each in whole):
        raise UsageError(f"a native size of {size}", "give the native side in pixels, or (height, width)")
    return whole[0], whole[1]


def _entry(scores: str | int) -> str:
    if isinstance(scores, bool) or not isinstance(scores, (str, Integral)) or not 0 < len(str(scores)) <= 200:
        raise UsageError(choice("scores", scores), "name an entry of what the network gives, or say its place, from 0")
    return str(scores)


def _names(labels: Iterable[Any] | str | Path) -> list[str]:
    if isinstance(labels, (str, Path)):
        return label_names.read(labels)
    if not isinstance(labels, Iterable):
        raise UsageError(f"labels that are a {type(labels).__name__}", "give a list of names, one for each class, in order")
    return label_names.in_order(labels)
