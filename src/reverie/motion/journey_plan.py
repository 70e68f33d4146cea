"""A journey about to begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from torch import Tensor

from reverie.motion.journey_frames import Traveller, units
from reverie.motion.plan import Frame, Make, MovingPlan
from reverie.recipe import Ascent, Journey, Recipe
from reverie.store import sha256_of


@dataclass(frozen=True)
class JourneyPlan(MovingPlan):
    """A journey about to begin; `start` is (C, H, W) in 0..1, at its size."""

    start: Tensor

    @property
    def journey(self) -> Journey:
        assert self.recipe.journey is not None
        return self.recipe.journey

    @property
    def units(self) -> int:
        return units(self.journey)

    @property
    def frames(self) -> int:
        return self.journey.frames

    def maker(self, finished: int) -> AbstractContextManager[Make]:
        return nullcontext(self._traveller.make)

    def shown(self, finished: int, frame: Frame) -> Iterator[tuple[int, Tensor | None]]:
        return self._traveller.shown(finished, frame)

    def times(self, count: int) -> tuple[list[Fraction], Fraction]:
        rate = Fraction(self.journey.fps).limit_denominator(1001)
        return [index / rate for index in range(count)], count / rate

    def of_frames(self, count: int) -> Recipe:
        return self.recipe.model_copy(update={"journey": self.journey.model_copy(update={"frames": count, "loop": False})})

    def dreams(self) -> list[tuple[int, Ascent]]:
        return [(self.journey.rounds, self.recipe.ascent), (self.units - 1, self.recipe.ascent)]

    def fingerprint(self) -> str:
        return fingerprint(self.recipe)

    def follows(self, old: Recipe) -> bool:
        shorter = old.journey is not None and old.journey.frames <= self.journey.frames
        return shorter and (old == self.recipe or fingerprint(old) == fingerprint(self.of_frames(1)))

    @cached_property
    def _traveller(self) -> Traveller:
        return Traveller(self.recipe, self.networks, self.start)


def fingerprint(recipe: Recipe) -> str:
    """sha256 of all that finished frames depend on: a longer journey has the same, but a loop depends on its length."""
    moving = recipe.journey
    assert moving is not None
    if not moving.loop:
        recipe = recipe.model_copy(update={"journey": moving.model_copy(update={"frames": 1})})
    return sha256_of(recipe.text().encode())
