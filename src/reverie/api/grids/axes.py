"""What of a grid varies: the axes, their values, and the words for them, of which sheets and names of files are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from reverie.api.opening import Networks
from reverie.api.opening import named as networks_named
from reverie.api.plans_from_noise import are_several, is_one_label
from reverie.errors import UsageError, choice, unknown
from reverie.networks import Network
from reverie.recipe import NAMING_FILES, SUBJECTS, Variants, choose, is_noise, resolve, values_of, vary_named
from reverie.store import file_stems
from reverie.target import Names, Target, asked, expand, has_range

MOST = 10_000  # pictures of a grid
_PLAIN = (str, int, float, bool, Path, Target, type(None))


@dataclass(frozen=True)
class Axis:
    """A choice that varies.

    Attributes:
        name: of the choice, or `start`, `label` or `target` for what the pictures begin with.
        values: as the command takes them. words: for each, all different.
    """

    name: str
    values: tuple[Any, ...]
    words: tuple[str, ...]

    @property
    def stems(self) -> list[str]:
        """What stands for each value in names of files: `not-sober` of a switch."""
        said = (word.replace(" ", "-") if isinstance(value, bool) else word for word, value in zip(self.words, self.values, strict=True))
        return list(file_stems(said).values())


@dataclass(frozen=True)
class Wanted:
    """All that a grid was asked for.

    Attributes:
        command: that makes the pictures. axes: in order; the first are rows. fixed: what all pictures share, by name.
    """

    command: str
    axes: tuple[Axis, ...]
    fixed: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """What the pictures of its command begin with: `start`, `label` or `target`."""
        return SUBJECTS[self.command]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(each.values) for each in self.axes)

    def chosen(self, at: Sequence[int]) -> dict[str, Any]:
        """Every choice of the picture at these places of the axes, its subject and network among them."""
        return {**self.fixed, **{axis.name: axis.values[place] for axis, place in zip(self.axes, at, strict=True)}}

    def words(self, at: Sequence[int]) -> tuple[str, ...]:
        """The words for the value of each axis there."""
        return tuple(axis.words[place] for axis, place in zip(self.axes, at, strict=True))


def wanted(
    command: str, start: Any, vary: Mapping[str, Any], network: Networks, choices: Mapping[str, Any], names: Callable[[Networks], Names]
) -> Wanted:
    """What is asked for, validated value by value; no picture was read yet.

    Args:
        start: a subject, or several, which are the first axis then; None where `vary` has them, or there is none.
        names: of the layers of a network that is opened for it, where a target may stand for several.

    Raises:
        UsageError: no such command or choice, nothing that varies, two values alike, one out of bounds, or too many pictures.
    """
    if command not in SUBJECTS:
        raise unknown("command", str(command), SUBJECTS, f"a grid is made by `{'`, `'.join(SUBJECTS)}`")
    subject, values = SUBJECTS[command], _read(vary, command)
    fixed = {**{name: value for name, value in choices.items() if value is not None}, "network": network}
    given = [] if start is None else _several(command, start)
    if given and subject in values:
        raise UsageError(f"{choice('vary', subject)} beside what stands without a name", "give one of them: each says what is begun with")
    if command == "feature":
        known = names(values["network"][0] if values.get("network") else network)
        given, values = _expanded(given, known), {**values, **({subject: _expanded(values[subject], known)} if subject in values else {})}
    if len(given) == 1:
        fixed[subject] = given[0]
    elif given:
        values = {subject: given, **values}
    if subject not in values and not given:
        raise UsageError(f"a grid without a {subject}", f"name what `{command}` begins with, or vary it")
    for name in values:
        if fixed.get(name) is not None:
            raise UsageError(f"{choice(name)} beside {choice('vary', name)}", "it varies, or it is the same for all: give one of them")
        fixed.pop(name, None)
    if not values:
        raise UsageError("a grid in which nothing varies", f"say what shall: {choice('vary', 'seed=0-3')}")
    found = Wanted(command, tuple(Axis(name, tuple(each), words_for(name, each)) for name, each in values.items()), fixed)
    _check(found)
    return found


def _read(vary: Mapping[str, Any], command: str) -> dict[str, list[Any]]:
    """The values of each choice, by its own name; a text is read as the command line's."""
    found: dict[str, list[Any]] = {}
    for name, given in vary.items():
        known = vary_named(name, command)
        if isinstance(given, str):
            each = values_of(known, given, command)
        elif isinstance(given, Iterable) and not isinstance(given, torch.Tensor):
            each = list(islice(given, MOST + 1))  # a range may be endless, or nearly so
        else:
            raise UsageError(choice(name, given), "give a list of values, to vary it")
        if known in found:
            raise UsageError(f"{choice(known)} varies twice", "give all its values together")
        found[known] = each
    return found


def _several(command: str, start: Any) -> list[Any]:
    if command == "imagine":
        return [start] if is_one_label(start) else list(start)
    if command == "feature":
        return list(start) if are_several(start) else [start]
    return list(start) if isinstance(start, (list, tuple)) else [start]


def _expanded(targets: Sequence[Any], known: Names) -> list[Any]:
    """A range of channels as one target each."""
    return [
        each
        for given in targets
        for each in ([str(one) for one in expand(asked(given), known)] if has_range(asked(given), known) else [given])
    ]


def _check(found: Wanted) -> None:
    """Raise UsageError where a value is none, or there are too many."""
    count = 1
    for axis in found.axes:
        if not axis.values:
            raise UsageError(f"{choice(axis.name)} varies over nothing", "give one value or more")
        alike = _alike(axis.values)
        if alike is not None:
            what = f"'{alike}'" if axis.name == found.subject else choice(axis.name, alike)  # which stands without a flag
            raise UsageError(f"{what} twice in a grid", "each value makes pictures of its own: give it once")
        count *= len(axis.values)
    if count > MOST:
        sizes = " × ".join(f"{len(axis.values):,} values of {axis.name}" for axis in found.axes)
        raise UsageError(f"a grid of {count:,} pictures ({sizes})", f"it holds {MOST:,}: vary less, or make several grids")
    base = found.chosen([0] * len(found.axes))
    for axis in found.axes:
        for value in axis.values:
            given = {**base, axis.name: value}
            variant = given.pop("variant", None)
            if variant is not None and variant != 1:
                choose(Variants, variants=variant)
            if axis.name == "network":
                networks_named(value)
            resolve(found.command, {name: each for name, each in given.items() if name not in ("network", found.subject)})


def _alike(values: Sequence[Any]) -> Any:
    """A value that is there twice; None where each is there once."""
    seen: set[tuple[type, Any]] = set()
    for each in values:
        key = (type(each), each if isinstance(each, _PLAIN) else id(each))
        if key in seen:
            return each
        seen.add(key)
    return None


def words_for(name: str, values: Sequence[Any]) -> tuple[str, ...]:
    """A word for each value of a choice, all different: of a file its name without the folder, of a number itself."""
    found = [_word(name, each, number) for number, each in enumerate(values, 1)]
    if name in NAMING_FILES and len(set(found)) < len(found):
        found = [
            Path(each).name if isinstance(each, (str, Path)) and not is_noise(each) else word
            for each, word in zip(values, found, strict=True)
        ]
    counts: dict[str, int] = {}
    for place, word in enumerate(found):
        counts[word] = counts.get(word, 0) + 1
        if counts[word] > 1:
            found[place] = f"{word} ({counts[word]})"
    return tuple(found)


def _word(name: str, value: Any, number: int) -> str:
    said = name.replace("_", " ")
    if isinstance(value, bool):
        return said if value else f"not {said}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Network):
        return value.name
    if isinstance(value, (str, Path)):
        is_file = name in NAMING_FILES or (name == "network" and Path(value).suffix and "/" in str(value).replace("\\", "/"))
        return Path(value).stem if is_file and not is_noise(value) else str(value)
    if name == "size" and isinstance(value, (list, tuple)) and len(value) == 2:
        return f"{value[1]}x{value[0]}"
    if isinstance(value, (list, tuple)):
        return "+".join(_word(name, each, number) for each in value)
    if isinstance(value, (int, Target, torch.device, torch.dtype)) or hasattr(value, "__index__"):
        return str(value)
    return "none" if value is None else f"{name} {number}"
