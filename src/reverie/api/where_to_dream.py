"""Parts of a picture by name, as masks: geometric ones, and what the network takes to be the subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from reverie.errors import UsageError, choice
from reverie.networks import Network
from reverie.networks.subject import subject
from reverie.pictures import Picture, resize, rounded
from reverie.pictures.regions import region
from reverie.recipe import Where
from reverie.render import threads


class Part(NamedTuple):
    """A mask (H, W) in 0..1, and what there is to say of it."""

    mask: Tensor | None = None
    notes: tuple[str, ...] = ()


def part_of(where: Where | None, start: Picture, networks: Sequence[Network], thread_count: int | None) -> Part:
    """Where to dream on a start, at its size. It follows from the start, the first network and the number of threads, so that `redo` finds
    the same.

    Raises:
        InputError: the network sees no subject. UsageError: there is no network to ask, or it cannot say.
    """
    if where is None:
        return Part()
    height, width = start.size
    if where not in ("subject", "background"):
        return Part(rounded(region(where, height, width)[None])[0])
    if not networks:
        raise UsageError(f"{choice('where', where)} without a network", f"it takes one to see a subject: paint a {choice('mask')}")
    with threads(thread_count):
        found = subject(networks[0], start.pixels)  # (h, w)
    found = 1 - found if where == "background" else found
    mask = rounded(resize(found[None], height, width))[0]
    return Part(mask, (f"the {where} is {float(mask.mean()):.0%} of the picture, as {networks[0].name} sees it",))
