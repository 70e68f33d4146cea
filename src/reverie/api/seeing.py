"""What every layer of a network made of a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reverie.api.inputs import Start, picture_of
from reverie.api.opening import all_opened
from reverie.api.validation import check_colours
from reverie.errors import UsageError, unknown
from reverie.insight import SeePlan, Sight, Watcher, make_plan
from reverie.networks import Network
from reverie.recipe import Finish, choose
from reverie.recipe.requests import Look, Machinery, Seed


def see(picture: Start, *, network: Network | str | None = None, progress: Watcher | None = None, **choices: Any) -> Sight:
    """What each layer, lowest to highest, made of a picture: four things of each.

    - What it still knows: the picture rebuilt from the layer's activations alone (Mahendran & Vedaldi 2015), and how much of it that keeps.
    - What it noticed: the channels furthest above their usual, where, and what excites them most.
    - What it would add: the picture with what the layer detects enhanced.
    - What counted: how much each place and channel spoke for the label, and against the runner-up (Sundararajan et al. 2017).

    Args:
        picture: a path, a PIL image or a tensor (C, H, W) in 0..1.
        network: open, or its name.
        progress: is told how far it is, `done`, 0..1, and `doing`, in words; a true answer stops, and what is done so far is given back.
        **choices: `layers`, `why`, `channels`, `width`, `steps`, `usual`, `shown`, `seed`, `device`, `threads`, `keep`, `max_pixels`.

    Raises:
        UsageError: an unknown name, a layer that is named twice, or a value out of bounds. InputError: a picture that cannot be used.
        MissingExtra: `why` was given, and captum is not installed.
    """
    *_, last = plan_see(picture, network=network, **choices).layers(progress)
    return last


def plan_see(picture: Start, *, network: Network | str | None = None, **choices: Any) -> SeePlan:
    """All of `see` but the looking: what is wrong comes to light here."""
    models = (Look, Seed, Machinery)
    known = {name for model in models for name in model.model_fields}
    for name in choices:
        if name not in known:
            raise unknown("choice", name, known)

    def chosen(model: type[Any]) -> Any:
        return choose(model, **{name: value for name, value in choices.items() if name in model.model_fields})

    look, seed, machinery = (chosen(model) for model in models)
    networks = all_opened(network, machinery.device)
    if len(networks) > 1:
        raise UsageError("several networks to see with", "give one: a page shows what one network saw")
    check_colours(networks[0], {}, choose(Finish, shown=look.shown))
    given = picture_of(picture, machinery.max_pixels, networks[0].channels)
    called = Path(picture).name if isinstance(picture, (str, Path)) else "the picture"
    return make_plan(networks[0], given, look, name=called, seed=seed.seed, machinery=machinery)
