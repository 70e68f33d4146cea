"""Parts of a picture as masks: geometric ones, what the network takes to be the subject, and where it knows what it sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from reverie.errors import UsageError, choice
from reverie.networks import Network
from reverie.networks.known_parts import KnownParts
from reverie.networks.rejector import calibration_from
from reverie.networks.subject import subject
from reverie.pictures import Picture, resize, rounded
from reverie.pictures.regions import region
from reverie.recipe import Learnt, Where
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


class Sober(NamedTuple):
    """Where a sober dream may be: a mask (H, W) in 0..1, and what goes on telling what is known; nothing of any other dream."""

    mask: Tensor | None = None
    parts: KnownParts | None = None
    notes: tuple[str, ...] = ()

    @property
    def learnt(self) -> Learnt | None:
        """By what it is told, for the recipe."""
        return None if self.parts is None else Learnt(**self.parts.learnt.as_data())

    def within(self, mask: Tensor | None) -> Tensor | None:
        """Both it and another mask (H, W)."""
        return self.mask if mask is None else mask if self.mask is None else rounded((self.mask * mask)[None])[0]


def sober_part(sober: bool, start: Picture, networks: Sequence[Network], thread_count: int | None, learnt: Learnt | None = None) -> Sober:
    """Where the first network knows what it sees in a start; `learnt` as a recipe has it.

    Raises:
        UsageError: it cannot tell what it knows.
    """
    if not sober:
        return Sober()
    with threads(thread_count):
        parts = KnownParts(networks[0], None if learnt is None else calibration_from(learnt.model_dump()))
        found = parts.places(start.pixels)  # (h, w)
    mask = rounded(resize(found[None], *start.size))[0]
    name, part = networks[0].name, float(mask.mean())
    share = f"{part:.0%}" if part >= 0.005 else "less than 1%"
    if not mask.any():
        return Sober(mask, parts, (f"{name} knows nothing in this picture: it stays as it is",))
    return Sober(mask, parts, (f"{name} knows what it sees in {share} of the picture, and it is dreamt on there alone",))
