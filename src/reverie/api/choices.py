"""Numbers that are handed in, checked."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from reverie.errors import UsageError
from reverie.networks import Network
from reverie.recipe import MOST_SEED, MOST_THREADS, Finish
from reverie.target import brief


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
