"""What is handed in, checked: what to climb, numbers, colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from reverie.errors import UsageError, unknown
from reverie.networks import Network
from reverie.recipe import DEFAULT_PRESET, LEVELS, MOST_SEED, MOST_THREADS, Finish, Preset
from reverie.recipe import preset as preset_called
from reverie.target import Target, brief, parse


@dataclass(frozen=True)
class Asked:
    """What is to be climbed: by a target, or by the level that stands for one in each network, its own or its preset's."""

    terms: Target | None
    level: str
    preset: Preset | None

    def of(self, network: Network) -> Target:
        return self.terms or parse(network.level(self.level))


def asked(target: str | None, level: str | None, preset: str | None, alone: bool = True) -> Asked:
    """What was asked for; the default preset where nothing was, and nothing else says what to climb (`alone`).

    Raises:
        UsageError: both a target and a level, or none that there is.
    """
    if target is not None and level is not None:
        raise UsageError("both a target and a level", "a level stands for a target: give one of them")
    if level is not None and level not in LEVELS:
        raise unknown("level", level, LEVELS, "the levels are " + ", ".join(LEVELS))
    if preset is None and target is None and level is None and alone:
        preset = DEFAULT_PRESET
    named = preset_called(preset) if preset is not None else None
    return Asked(parse(target) if target is not None else None, level or (named.level if named else ""), named)


def seeded(seed: Any) -> int:
    return whole("--seed", seed, 0, MOST_SEED)


def threaded(threads: Any) -> int | None:
    return None if threads is None else whole("--threads", threads, 1, MOST_THREADS)


def check_colours(network: Network, given: Mapping[str, Any], finish: Finish) -> None:
    """Raise UsageError for a choice of colours that was given and changes nothing with so many channels, or that names one there is not."""
    channels = network.channels
    for name in ("vivid", "keep_colour"):
        if channels != 3 and given.get(name) is not None and given[name] is not False:
            raise _pointless(name, network, "only three channels are colours, as photographs have them")
    if finish.shown and channels in (1, 3):
        raise _pointless("shown", network, "one channel is shown in grey, three in their colours")
    if finish.shown and max(finish.shown) >= channels:
        raise UsageError(f"--shown {','.join(map(str, finish.shown))}", f"{network.name} has {channels} channels, numbered from 0")


def check_frames(network: Network) -> None:
    """Raise UsageError for a network whose pictures cannot be the frames of a film."""
    if network.channels not in (1, 3):
        raise UsageError(f"{network.name} takes {network.channels} channels, and a film has one or three", "dream single pictures with it")


def _pointless(name: str, network: Network, why: str) -> UsageError:
    flag = name.replace("_", "-")
    return UsageError(f"--{flag} changes nothing on a network of {network.channels} channel{'s' * (network.channels > 1)}", why)


def sides(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) from a side or both."""
    height, width = size if isinstance(size, tuple) and len(size) == 2 else (size, size)
    return whole("--size", height, 1), whole("--size", width, 1)


def whole(flag: str, value: Any, least: int, most: int | None = None) -> int:
    number = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else least - 1
    if number < least or (most is not None and number > most):
        raise UsageError(f"{flag} {brief(str(value))}", f"it is a whole number from {least} " + ("on" if most is None else f"to {most}"))
    return number
