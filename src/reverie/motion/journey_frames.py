"""Journeys: each frame is dreamt from the last, moved a little."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.motion.motion_expressions import Motion, Rates
from reverie.networks import Network
from reverie.pictures.geometry import bands, from_opponent, moved, opponent
from reverie.recipe import Journey, NoiseInput, Recipe
from reverie.render import Dreamer

_MOST_GAIN = 1.25  # by which a frame's tone or detail is corrected at once
_LEAST_SPREAD = 0.1  # contrast that a journey has, even of a start that is flat
_GRAIN = 0.25  # what is left of the finest octave of noise, of the next twice as much: see `_calm`
_LEAST_SHARE = torch.tensor([1.0, 0.5, 0.5]).view(3, 1, 1)  # of light, and of the two differences of colour, in `_held`
_CHECKED = 2000  # times at which a motion is tried before the journey begins

Frame = Callable[[int], Tensor]  # a unit that is finished, by its number: (C, H, W) in 0..1, as it is on disk


class Traveller:
    """Makes the units of a journey: its frames, and for a loop those in which the end goes over into the beginning.

    All that a unit needs follows from the recipe, the start and earlier units.

    Args:
        recipe: of a journey.
        networks: as the recipe names them.
        start: (C, H, W) in 0..1, at the recipe's size.
    """

    def __init__(self, recipe: Recipe, networks: Sequence[Network], start: Tensor) -> None:
        assert recipe.journey is not None
        self.recipe, self.journey, self.start = recipe, recipe.journey, start
        self.motion = Motion(recipe.journey.motion)
        self.dreamer = Dreamer(recipe, networks, recipe.journey.ring)
        self.closing = closing(self.journey)
        self.units = units(self.journey)
        self._reference: list[Tensor] | None = None

    def make(self, number: int, frame: Frame) -> Tensor:
        """A unit, (C, H, W) in 0..1."""
        if number == 0:
            return self._opening()
        if self._reference is None:
            self._reference = _spreads(frame(0))
        begin = self._moved(frame(number - 1), number - 0.5)
        past = number - self.journey.frames  # of a loop: how far behind its end
        if past <= 0:
            return self._dreamt(begin, str(number), number)
        old, new = (_smoothly(1 - each / self.closing) for each in (past - 1, past))  # what is left of the end, here and before
        share = 1 - new / old
        aim = frame(past)
        begin = torch.lerp(begin, aim, share)
        return self._held(torch.lerp(self._dreamt(begin, str(number), past), aim, share))

    def shown(self, finished: int, frame: Frame) -> Iterator[tuple[int, Tensor | None]]:
        """The frames of the film in order: the number of the unit, and the picture where it is not the unit itself.

        Args:
            finished: so many units there are; with fewer than all of a loop, it is left open.
        """
        if self.closing and finished == self.units:
            yield from ((number, None) for number in range(self.journey.frames, self.units))
            yield from ((number, None) for number in range(self.closing, self.journey.frames))
            return
        entering = self._entering()
        picture = self.start
        for number in range(min(finished, self.journey.frames)):
            if number >= entering:
                yield number, None
                continue
            picture = self._moved(picture, number - 0.5) if number else picture
            yield number, torch.lerp(picture, frame(number), _smoothly((number + 1) / (entering + 1))).clamp(0, 1)

    def _opening(self) -> Tensor:
        """The first frame: the start, dreamt on some times, moved to and fro by half a pixel so that its grain is that of later frames."""
        picture = _calm(self.start) if isinstance(self.recipe.input("start"), NoiseInput) else self.start
        for turn in range(self.journey.rounds):
            half = 0.5 if turn % 2 else -0.5
            picture = self._toned(moved(picture, right=half, down=half) if turn else picture)
            picture = self.dreamer(picture, f"opening {turn}", self.shares(0)).pixels
        return picture

    def _dreamt(self, begin: Tensor, purpose: str, number: float) -> Tensor:
        """Dreamt on, and held afterwards: before it, what the dream adds would come on top."""
        return self._held(self.dreamer(begin.clamp(0, 1), purpose, self.shares(number / self.journey.fps)).pixels)

    def _moved(self, picture: Tensor, number: float) -> Tensor:
        zoom, rotate, right, down = _step(self.motion, self.journey, number)
        return moved(picture, zoom, rotate, right * self.recipe.width, down * self.recipe.width)

    def _entering(self) -> int:
        """How many frames the start takes to go over into the dream."""
        if isinstance(self.recipe.input("start"), NoiseInput):
            return 0
        return min(round(self.journey.enter * self.journey.fps), self.journey.frames)

    def _held(self, picture: Tensor) -> Tensor:
        """With the mean colour of the start, and each octave as strong as in the first frame.

        Colour may be half as strong: a dream's own colours are not those of a start, and amplified they would glare.
        """
        assert self._reference is not None
        whole = torch.zeros_like(picture)
        for band, wanted in zip(bands(opponent(picture)), self._reference, strict=True):
            least = wanted * _LEAST_SHARE[: len(wanted)].to(wanted)
            whole += (band - band.mean((1, 2), keepdim=True)) * _gain(_spread(band).clamp(least, wanted), band)
        return (from_opponent(whole) + self.start.mean((1, 2), keepdim=True)).clamp(0, 1)

    def _toned(self, picture: Tensor) -> Tensor:
        """With the mean and the spread of each colour of the start."""
        mean, wanted = self.start.mean((1, 2), keepdim=True), _spread(self.start).clamp_min(_LEAST_SPREAD)
        return ((picture - picture.mean((1, 2), keepdim=True)) * _gain(wanted, picture) + mean).clamp(0, 1)

    def shares(self, time: float) -> tuple[float, ...]:
        """How much each stop of the ring dreams at a time in seconds: one of them, and in the second half of its turn the next."""
        stops = len(self.journey.ring)
        if stops < 2:
            return ()
        around = self.journey.turn * stops  # seconds
        if self.closing:  # whole rounds in a loop
            whole = self.journey.frames / self.journey.fps
            time, around = time % whole, whole / max(1, round(whole / around))
        place = time / around * stops
        here = math.floor(place)
        next_one = _smoothly(2 * (place - here) - 1)
        found = [0.0] * stops
        found[here % stops] += 1 - next_one
        found[(here + 1) % stops] += next_one
        return tuple(found)


def check(journey: Journey) -> tuple[str, ...]:
    """Notes on the way of a journey.

    Raises:
        UsageError: the motion is no number somewhere, or so fast that nothing carries over from frame to frame.
    """
    motion = Motion(journey.motion)
    for index in range(min(_CHECKED, journey.frames)):
        zoom = _step(motion, journey, index * journey.frames / min(_CHECKED, journey.frames))[0]
        if not 0.5 <= zoom <= 2:
            raise UsageError(f"a zoom by {zoom:.3g} from one frame to the next", "nothing of it is left: zoom slower, or raise --fps")
    if not journey.loop:
        return ()
    first, last = motion.at(0), motion.at(journey.frames / journey.fps)
    if max(_apart(first, last)) > 0.25 * max(*_apart(first, Rates()), *_apart(last, Rates()), 1e-6):
        return ("the motion is not at the end of the loop what it is at its beginning: it will change there at once",)
    return ()


def _step(motion: Motion, journey: Journey, number: float) -> tuple[float, float, float, float]:
    """Zoom, degrees, widths to the right and down in a frame's time, around that of frame `number`. A loop's time comes round."""
    time = number / journey.fps
    if journey.loop:
        time %= journey.frames / journey.fps
    rates = motion.at(time)
    return rates.zoom ** (1 / journey.fps), rates.rotate / journey.fps, rates.right / 100 / journey.fps, rates.down / 100 / journey.fps


def closing(journey: Journey) -> int:
    """In how many frames a loop's end goes over into its beginning; 0 of a journey that is none."""
    return min(max(2, round(journey.close * journey.fps)), journey.frames // 2) if journey.loop else 0


def units(journey: Journey) -> int:
    """How many pictures are dreamt for it."""
    return journey.frames + closing(journey)


def _spreads(picture: Tensor) -> list[Tensor]:
    return [_spread(each) for each in bands(opponent(picture))]


def _spread(values: Tensor) -> Tensor:
    """(C, 1, 1): the deviation of each colour."""
    return (values - values.mean((1, 2), keepdim=True)).square().mean((1, 2), keepdim=True).sqrt()


def _gain(wanted: Tensor, values: Tensor) -> Tensor:
    """(C, 1, 1): what brings values to a spread, or closer to it: never so much at once that grain is made of nothing."""
    return (wanted / _spread(values).clamp_min(1e-4)).clamp(1 / _MOST_GAIN, _MOST_GAIN)


def _calm(noise: Tensor) -> Tensor:
    """Noise without its finest grain, which takes long to dream away, and would be held as if it were detail."""
    *fine, rest = bands(noise)
    return rest + sum((band * min(1.0, _GRAIN * 2**number) for number, band in enumerate(fine)), torch.zeros_like(rest))


def _apart(one: Rates, other: Rates) -> tuple[float, ...]:
    """How far apart two motions are, in percent of the picture a second or so."""
    zoom = 100 * abs(math.log(one.zoom / other.zoom))
    return (zoom, abs(one.rotate - other.rotate), abs(one.right - other.right), abs(one.down - other.down))


def _smoothly(share: float) -> float:
    """0 up to 0, 1 from 1 on, without a kink between."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
