"""A film about to be dreamt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from reverie.errors import InputError
from reverie.files.films.reading import Survey, frames
from reverie.files.limits import at_most_pixels
from reverie.motion.film_frames import Cinema, following
from reverie.motion.optical_flow import Frame as Source
from reverie.motion.plan import Frame, Make, MovingPlan, Soundtrack
from reverie.pictures import quantise, resize
from reverie.recipe import Ascent, Recipe
from reverie.store import sha256_of


@dataclass(frozen=True)
class FilmPlan(MovingPlan):
    """A film about to be dreamt: where it is, and what it holds."""

    film: Path
    survey: Survey
    most_pixels: int

    @property
    def units(self) -> int:
        return self.frames

    @property
    def frames(self) -> int:
        assert self.recipe.film is not None
        return min(self.recipe.film.frames or len(self.survey.times), len(self.survey.times))

    @contextmanager
    def maker(self, finished: int) -> Iterator[Make]:
        cinema = Cinema(self.recipe, self.networks)
        if finished >= self.units:
            yield self._all_made
            return
        with ExitStack() as stack:
            with at_most_pixels(self.most_pixels):
                decoded = stack.enter_context(frames(self.film, max(0, finished - 1), self.survey))
            last = self._next(decoded) if finished else None

            def make(number: int, frame: Frame) -> Tensor:
                nonlocal last
                source = self._next(decoded)
                made = cinema.make(number, source, last, frame(number - 1) if number else None)
                last = source
                return made

            yield make

    def _all_made(self, number: int, _frame: Frame) -> Tensor:
        raise AssertionError(f"unit {number} was made before")

    def _next(self, decoded: Iterator[Source]) -> Source:
        """The next frame of the film, at the recipe's size."""
        source = next(decoded, None)
        if source is None:
            raise InputError(f"'{self.film}' has fewer frames than it had", "it was changed while it was read: begin again")
        if source.shape[:2] == (self.recipe.height, self.recipe.width):
            return source
        pixels = torch.from_numpy(source).permute(2, 0, 1).float() / 255  # (3, H, W)
        return quantise(resize(pixels, self.recipe.height, self.recipe.width))

    def shown(self, finished: int, frame: Frame) -> Iterator[tuple[int, Tensor | None]]:
        return ((number, None) for number in range(finished))

    def times(self, count: int) -> tuple[list[Fraction], Fraction]:
        times = self.survey.times
        return list(times[:count]), times[count] if count < len(times) else self.survey.end

    def sound(self, count: int) -> Soundtrack | None:
        if not self.survey.sounds:
            return None
        return Soundtrack(self.film, self.times(count)[1] if count < len(self.survey.times) else None, self.survey.sounds)

    def of_frames(self, count: int) -> Recipe:
        assert self.recipe.film is not None
        return self.recipe.model_copy(update={"film": self.recipe.film.model_copy(update={"frames": count})})

    def dreams(self) -> list[tuple[int, Ascent]]:
        assert self.recipe.film is not None
        steady = self.recipe.film.steady > 0
        later = following(self.recipe.ascent, self.recipe.film) if steady else self.recipe.ascent
        return [(1, self.recipe.ascent), (self.units - 1, later)]

    def fingerprint(self) -> str:
        return sha256_of(self.of_frames(0).text().encode())

    def follows(self, old: Recipe) -> bool:
        if old.film is None or old.model_copy(update={"film": old.film.model_copy(update={"frames": 0})}) != self.of_frames(0):
            return False
        return 0 < old.film.frames <= self.frames or self.frames == len(self.survey.times)
