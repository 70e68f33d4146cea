"""A small picture of a wish, shown as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor

from reverie import api
from reverie.ascent import Progress
from reverie.errors import OutputError, UsageError
from reverie.motion.plan import MovingPlan
from reverie.pictures import Picture, load, resize, rounded
from reverie.recipe import each_of, is_noise, resolve, seeds
from reverie.recipe.requests import Print, Size, sides
from reverie.render import Plan
from reverie.render.finishing import finished
from reverie.store import Shelf
from reverie.studio.jobs.frames import fitted, jpeg
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.making import plan_moving, values
from reverie.studio.jobs.open_networks import OpenNetworks
from reverie.studio.jobs.running import Left
from reverie.studio.jobs.wishes import Wish, checked

_BETWEEN = 0.08  # seconds between two frames at the least
_MOST_FRAMES = 48  # of a journey or film
_NOT_SMALL = frozenset({"print", "dpi", "tile", "halo", "deep", "variants", "batch", "diverse", "between", "count", "max_pixels"})
_KEPT_SIDE = 128  # pixels; what excites a channel is kept in the cache up to this size
_SIDES = (224, 224)  # height and width of what begins with noise, where nothing is said

Show = Callable[[bytes, float], None]  # a JPEG file, and how far it is, 0..1


class Preview:
    """A preview; the first of several pictures that are asked for. Nothing of it is kept, but small pictures of what excites a channel: the
    page shows those again and again.

    Args:
        home, networks: see `Desk`. what: `command`, `subjects`, `choices`, and `side`, the longest in pixels.

    Attributes:
        done: how far it is, 0..1.
    """

    def __init__(self, home: Home, networks: OpenNetworks, what: Mapping[str, Any]) -> None:
        self.home, self.networks = home, networks
        self.side = int(what["side"])
        self.wish = checked(home, what["command"], what["subjects"], what["choices"])
        self.done = 0.0
        self._plan: Plan | MovingPlan | None = None
        self._show: Show | None = None
        self._due = 0.0
        self._shelf: Shelf | None = None

    def make(self, show: Show) -> None:
        """Make it, and show what there is of it as often as is worth while.

        Raises:
            ReverieError: as the public function does; UsageError for a command that has no preview.
        """
        if self.wish.command in ("journey", "film"):
            self._move(show)
            return
        if self.wish.command not in ("dream", "imagine", "feature"):
            raise UsageError(f"a preview of `{self.wish.command}`", "add it to the queue: it shows what there is as it grows")
        plan = self._dream() if self.wish.command == "dream" else self._from_noise()
        if self.wish.command == "feature" and self.side <= _KEPT_SIDE:
            self._shelf = Shelf("features")
            if (kept := self._shelf.get(_key(plan))) is not None:
                self.done = 1.0
                show(kept, 1.0)
                return
        self._plan, self._show = plan, show
        made = plan.make()
        self._plan = None
        show(jpeg(made.colours, self.side), 1.0)
        self.done = 1.0

    def step(self, progress: Progress) -> None:
        """Show the state of a step."""
        plan = self._plan
        if plan is None or self._show is None or (time.monotonic() < self._due and progress.done < 1):
            return
        recipe = plan.recipe
        if isinstance(plan, Plan) and recipe.command == "dream":
            picture = finished(progress, plan.start.pixels[None], recipe, plan.mask, (0,))[0]  # (C, H, W)
        else:
            picture = progress.pictures[plan.wanted[0] if isinstance(plan, Plan) else 0].clamp(0, 1).cpu()
        if isinstance(plan, Plan):
            self.done = progress.done
        frame = jpeg(resize(picture, recipe.height, recipe.width), self.side)
        self._show(frame, self.done)
        if self._shelf is not None and isinstance(plan, Plan) and progress.done >= 1:
            with suppress(OutputError):  # no room in the cache is no reason not to see it
                self._shelf.put(_key(plan), frame)
        self._due = time.monotonic() + _BETWEEN
        if recipe.command in ("imagine", "feature") and progress.done >= 1:
            raise Left  # what others think of it takes longer than it did

    def _choices(self) -> dict[str, Any]:
        """Those that a small picture has; of several seeds the first."""
        found = {name: value for name, value in values(self.wish, self.home).items() if name not in _NOT_SMALL}
        if "seed" in found:
            found["seed"] = seeds(found["seed"])[0]
        return {**found, "keep": False}

    def _dream(self) -> Plan:
        choices, subject = self._choices(), self.wish.subjects[0]
        nets = self.networks.of(self.wish.networks, self.wish.choices)
        if is_noise(subject):
            choices.pop("width", None)
            return api.plan_dream(subject, network=nets, **{**choices, "size": self._size(choices)})
        choices.pop("width", None)
        (each,) = each_of(choices)
        place = self.home.find(subject)
        return api.plan_dream(_small(place, self.side, place.stat().st_mtime_ns), network=nets, **each)

    def _from_noise(self) -> Plan:
        choices = self._choices()
        if "company" in resolve(self.wish.command, {}).command.fields:
            choices.setdefault("company", 1)  # the others would take three times as long again
        nets = self.networks.of(self.wish.networks, self.wish.choices)
        plan = api.plan_imagine if self.wish.command == "imagine" else api.plan_feature
        return plan(self.wish.subjects[0], network=nets, **{**choices, "size": self._size(choices)})[0]

    def _size(self, choices: Mapping[str, Any]) -> tuple[int, int]:
        """(height, width) of what begins with noise."""
        asked = resolve(self.wish.command, {name: self.wish.choices.get(name) for name in ("size", "print")})
        paper = asked[Print].print
        found = asked[Size].size or (paper.pixels(72) if paper is not None else sides(choices.get("size")) or _SIDES)
        return fitted(*found, self.side)

    def _move(self, show: Show) -> None:
        """The first frames, one after the other."""
        wish = self._small_film()
        plan = plan_moving(self.home, self.networks, wish)
        made: dict[int, Tensor] = {}
        count = min(plan.units, _MOST_FRAMES)
        self._plan, self._show = plan, show  # the first frame takes long, and is shown as it grows
        with plan.maker(0) as make:
            for number in range(count):
                made[number] = rounded(make(number, made.__getitem__))
                made.pop(number - 2, None)
                self._plan, self.done = None, (number + 1) / count
                show(jpeg(made[number], self.side), self.done)

    def _small_film(self) -> Wish:
        """The same film, small."""
        choices = {name: value for name, value in self.wish.choices.items() if name not in _NOT_SMALL}
        if is_noise(self.wish.subjects[0]):
            choices.pop("width", None)
            high, wide = fitted(*(sides(choices.get("size")) or (360, 640)), self.side)
            choices["size"] = [high, wide]
        else:
            choices["width"] = min(self.side, choices.get("width") or self.side)
        return replace(self.wish, choices={**choices, "keep": False})


def _key(plan: Plan) -> str:
    """Of the small picture of a plan in the cache."""
    return f"small {plan.recipe.text()}"


@lru_cache(maxsize=4)
def _small(place: Path, side: int, changed: int) -> Picture:
    """The picture in a file that was last `changed` then, no side longer than so many pixels; the last ones are kept at hand."""
    picture = load(place)
    size = fitted(*picture.size, side)
    alpha = None if picture.alpha is None else resize(picture.alpha[None], *size)[0]
    return Picture(resize(picture.pixels, *size), alpha=alpha)
