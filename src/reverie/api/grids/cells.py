"""The pictures of a grid, and which are made together: each planned once before the first is made, and again when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from math import prod
from typing import Any

from reverie.api.dreaming import plan_dream
from reverie.api.grids.axes import Wanted
from reverie.api.opening import Networks, networks_from
from reverie.api.plans_from_noise import plan_feature, plan_imagine
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.recipe import Recipe, digest
from reverie.render import Plan

Told = Callable[[int, int], object]  # how many pictures are planned, and how many there are; a true answer stops


@dataclass(frozen=True)
class GridCell:
    """One picture: its places on the axes, and its recipe."""

    at: tuple[int, ...]
    recipe: Recipe

    @cached_property
    def digest(self) -> str:
        """Of its recipe, by which it is known."""
        return digest(self.recipe)


@dataclass(frozen=True)
class Unit:
    """Pictures that are made together.

    Attributes:
        cells: in the order in which they are made. again: plans them once more.
    """

    cells: tuple[GridCell, ...]
    again: Callable[[], Plan]

    @property
    def weight(self) -> float:
        """How long it takes beside others: pixels of all its steps."""
        recipe = self.cells[0].recipe
        ascent, together = recipe.ascent, recipe.together
        shares = sum(ascent.octave_scale ** (-2 * octave) for octave in range(ascent.octaves))
        return max(1.0, recipe.height * recipe.width * ascent.steps * shares * together * max(1, len(recipe.networks)))

    def plan(self) -> Plan:
        """The plan, which is still what it was.

        Raises:
            InputError: it is not.
        """
        plan = self.again()
        if not all(one.is_as(cell.recipe) for one, cell in zip(plan.recipes(), self.cells, strict=True)):
            raise InputError(
                "what goes into a picture of the grid was changed since it was planned, or the memory that is free",
                "give the same command once more, when nothing else changes",
            )
        return plan


class Opened:
    """Networks of a grid, each opened once."""

    def __init__(self) -> None:
        self._open: dict[tuple[Any, ...], Network] = {}

    def __call__(self, given: Networks, device: Any = None, precision: Any = None) -> tuple[Network, ...]:
        """Those that are meant, open; raises as `networks_from`."""
        asked = list(given) if isinstance(given, (list, tuple)) else [given]
        keys = [(each, str(device), str(precision)) for each in asked]
        found = networks_from(
            [self._open.get(key, each) if isinstance(each, str) or each is None else each for key, each in zip(keys, asked, strict=True)],  # type: ignore[misc]
            device, precision,
        )  # fmt: skip
        self._open.update({key: net for key, net in zip(keys, found, strict=True) if not isinstance(key[0], Network)})
        return found


def units_of(wanted: Wanted, opened: Opened, earlier: Sequence[Sequence[str]], told: Told | None = None) -> list[Unit]:
    """Every picture, by what is made together.

    Args:
        earlier: words of labels or targets that were made together before, in runs, and are so again.

    Raises:
        UsageError: two pictures are the same, or one cannot be made.
    """
    units: list[Unit] = []
    count, planned = prod(wanted.sizes), 0
    for some in _dreams(wanted, opened) if wanted.command == "dream" else _from_noise(wanted, opened, earlier):
        units.append(some)
        planned += len(some.cells)
        if told is not None and told(planned, count):
            raise KeyboardInterrupt
    _check_different(wanted, units)
    return units


def _dreams(wanted: Wanted, opened: Opened) -> Iterator[Unit]:
    for at in product(*(range(size) for size in wanted.sizes)):
        yield Unit((GridCell(at, _dream(wanted, opened, at).recipe),), partial(_dream, wanted, opened, at))


def _dream(wanted: Wanted, opened: Opened, at: tuple[int, ...]) -> Plan:
    choices = wanted.chosen(at)
    networks = opened(choices.pop("network", None), choices.get("device"), choices.get("precision"))
    return plan_dream(choices.pop("start"), network=networks, **choices)


def _from_noise(wanted: Wanted, opened: Opened, earlier: Sequence[Sequence[str]]) -> Iterator[Unit]:
    """Pictures that differ in nothing but label or target are planned together."""
    names = [axis.name for axis in wanted.axes]
    place = names.index(wanted.subject) if wanted.subject in names else None
    others = [range(1) if number == place else range(size) for number, size in enumerate(wanted.sizes)]
    latest: list[_Group] = []
    for at in product(*others):
        for run in runs(wanted, earlier):
            ats = [at if place is None else (*at[:place], number, *at[place + 1 :]) for number in run]
            group = _Group(wanted, opened, ats, latest)
            cells = iter(ats)
            for number, plan in enumerate(group.plans()):
                made = tuple(GridCell(next(cells), recipe) for recipe in plan.recipes())
                yield Unit(made, partial(_numbered, group, number))


def _numbered(group: _Group, number: int) -> Plan:
    return group.plans()[number]


def runs(wanted: Wanted, earlier: Sequence[Sequence[str]]) -> list[list[int]]:
    """Which values of the subject are planned together, by their number: those that were before as they were, then all others."""
    axis = next((each for each in wanted.axes if each.name == wanted.subject), None)
    if axis is None:
        return [[0]]
    found = [[axis.words.index(word) for word in run if word in axis.words] for run in earlier]
    known = {number for run in found for number in run}
    return [run for run in [*found, [number for number in range(len(axis.values)) if number not in known]] if run]


class _Group:
    """Plans that are made in one go; they are held until another group's are."""

    def __init__(self, wanted: Wanted, opened: Opened, ats: list[tuple[int, ...]], latest: list[_Group]) -> None:
        self._wanted, self._opened, self._ats, self._latest = wanted, opened, ats, latest
        self._plans: list[Plan] = []

    def plans(self) -> list[Plan]:
        if not self._plans:
            for each in self._latest:
                each._plans = []
            self._latest[:] = [self]
            self._plans = self._planned()
        return self._plans

    def _planned(self) -> list[Plan]:
        choices = self._wanted.chosen(self._ats[0])
        networks = self._opened(choices.pop("network", None), choices.get("device"), choices.get("precision"))
        del choices[self._wanted.subject]
        given = [self._wanted.chosen(at)[self._wanted.subject] for at in self._ats]
        plan_all: Callable[..., list[Plan]] = plan_imagine if self._wanted.command == "imagine" else plan_feature
        return plan_all(given, network=networks, **choices)


def _check_different(wanted: Wanted, units: Sequence[Unit]) -> None:
    seen: dict[str, GridCell] = {}
    for cell in (each for unit in units for each in unit.cells):
        same = seen.setdefault(digest(cell.recipe.model_copy(update={"batch": None})), cell)
        if same is not cell:
            one, other = (" and ".join(_apart(wanted, first, second)) for first, second in ((same, cell), (cell, same)))
            raise UsageError(f"{one} makes the very same picture as {other}", "leave one of them out")


def _apart(wanted: Wanted, one: GridCell, other: GridCell) -> list[str]:
    """What sets a picture apart from another, in words."""
    words = zip(wanted.axes, wanted.words(one.at), wanted.words(other.at), strict=True)
    return [f"{axis.name} '{word}'" for axis, word, another in words if word != another]
