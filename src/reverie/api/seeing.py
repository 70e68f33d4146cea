"""What every layer of a network made of a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, Unpack, overload

from reverie.api.choices import PictureLike, SeeChoices, documented
from reverie.api.planning import Planning
from reverie.api.start_guide_mask import picture_of
from reverie.errors import UsageError
from reverie.files.limits import at_most_pixels
from reverie.insight import Progress, SeePlan, Sight, Watcher, make_plan
from reverie.networks import Network
from reverie.networks.read_once import reading_once
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import Look

Given = TypeVar("Given", bound=PictureLike)


@overload
def see(
    picture: PictureLike, *, network: Network | str | None = None, progress: Watcher | None = None, **choices: Unpack[SeeChoices]
) -> Sight: ...
@overload
def see(
    picture: list[Given] | tuple[Given, ...],
    *,
    network: Network | str | None = None,
    progress: Watcher | None = None,
    **choices: Unpack[SeeChoices],
) -> list[Sight]: ...
@documented("see")
@ordinary_modes()
def see(
    picture: PictureLike | list[Given] | tuple[Given, ...],
    *,
    network: Network | str | None = None,
    progress: Watcher | None = None,
    **choices: Unpack[SeeChoices],
) -> Sight | list[Sight]:
    """What each layer, lowest to highest, made of a picture: four things of each.

    - What it still knows: the picture rebuilt from the layer's activations alone (Mahendran & Vedaldi 2015), and how much of it that keeps.
    - What it noticed: the channels furthest above their usual, where, and what excites them most.
    - What it would add: the picture with what the layer detects enhanced.
    - What counted: how much each place and channel spoke for the label, and against the runner-up (Sundararajan et al. 2017).

    Args:
        picture: a path, a PIL image or a tensor (C, H, W) in 0..1; a list of them gives a list.
        network: open, or its name.
        progress: is told how far it is, `done`, 0..1, and `doing`, in words; a true answer stops, and what is done so far is given back:
            of several pictures those before, and what there is of the one that was stopped.

    Raises:
        UsageError: an unknown name, a layer that is named twice, or a value out of bounds. InputError: a picture that cannot be used.
        MissingExtra: `why` was given, and captum is not installed.
    """
    if not isinstance(picture, (list, tuple)):
        *_, last = plan_see(picture, network=network, **choices).layers(progress)
        return last
    if not picture:
        raise UsageError("no pictures to look at", "give one at least")
    found: list[Sight] = []
    for number, each in enumerate(picture):
        plan = plan_see(each, network=network, **choices)
        *_, last = plan.layers(None if progress is None else _of_several(progress, number, len(picture)))
        network = plan.network
        found.append(last)
        if len(last.layers) < last.expected:
            break
    return found


def _of_several(watcher: Watcher, number: int, count: int) -> Watcher:
    """Tells how far all of them are."""
    return lambda state: watcher(Progress((number + state.done) / count, f"{number + 1}/{count}, {state.doing}"))


@reading_once()
def plan_see(picture: PictureLike, *, network: Network | str | None = None, **choices: Any) -> SeePlan:
    """All of `see` but the looking: what is wrong comes to light here."""
    wish = Planning("see", network, choices)
    if len(wish.networks) > 1:
        raise UsageError("several networks to see with", "give one: a page shows what one network saw")
    called = Path(picture).name if isinstance(picture, (str, Path)) else "the picture"
    with at_most_pixels(wish.machinery.max_pixels):
        given = picture_of(picture, wish.network.channels)
        return make_plan(wish.network, given, wish.request[Look], name=called, seed=wish.seed, machinery=wish.machinery)
