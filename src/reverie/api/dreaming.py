"""Dreams: pictures that begin with a picture."""

from __future__ import annotations

from typing import Any, Unpack

from reverie.api.choices import Climbed, DreamChoices, PictureLike, documented
from reverie.api.opening import Networks
from reverie.api.planning import Before, Planning
from reverie.api.start_guide_mask import beside_of, start_of
from reverie.errors import UsageError
from reverie.files.limits import at_most_pixels
from reverie.pictures import MadePicture, Picture
from reverie.recipe import OWN, Beside, Cut, FileInput, Goal
from reverie.render import Objective, Plan, Watcher, network_used, own_layers, own_target, tiles_for, whole_only


@documented("dream")
def dream(
    start: PictureLike,
    target: Climbed | None = None,
    *,
    network: Networks = None,
    objective: Objective | None = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[DreamChoices],
) -> MadePicture:
    """Enhance in a picture what a layer, a unit or any target detects in it (Mordvintsev, Olah & Tyka 2015).

    Args:
        start: a path, a PIL image, a tensor (C, H, W) in 0..1, or `noise:white`, `noise:grey`, `noise:pink`.
        target: what to climb, e.g. `blocks.4.1`, `blocks.4.1:12 - 0.5*blocks.2.0:3`, `class:banana`.
        network: an open network, or the name of a built-in one; or several, for a picture that all of them want.
        objective: instead of a target, a function of one's own from activations by layer, each (N, C, …), to scores (N,). Its picture
            cannot be made again from its recipe alone: `reverie.again(picture, objective=…)`.
        progress: is shown every step; a true answer stops, and the picture is marked as partial.
        making: keep so many pictures from along the way.

    Raises:
        UsageError: an unknown name or a value out of bounds. InputError: a start that cannot be used. UnsafeError: one that is refused.
    """
    return plan_dream(start, target, network=network, objective=objective, **choices).make(progress, making)


def plan_dream(
    start: PictureLike,
    target: Climbed | None = None,
    *,
    network: Networks = None,
    objective: Objective | None = None,
    before: Before | None = None,
    **choices: Any,
) -> Plan:
    """All of `dream` but the dreaming: what is wrong comes to light here, before any time is spent, and the recipe is known."""
    wish = Planning("dream", network, {"target": target, **choices}, before)
    kind, limit = OWN if objective is not None else objective_of(wish.request[Beside]), wish.machinery.max_pixels
    with at_most_pixels(limit):
        picture, used = start_of(start, wish.request, wish.network.channels, largest=limit)
        if isinstance(used, FileInput):
            wish.without_spread()
        layers = () if objective is None else _layers_of(objective, wish, picture)
        wanted = wish.targets() if objective is None else [own_target(layers)]
        beside = beside_of(wish.request, wish.networks, wanted[0], picture.size)
    if objective is None:
        wish.check(wanted, picture.size, kind, beside.direction)
    made, cut = wish.choices, wish.request[Cut]
    why_not = whole_only(wish.network, wanted[0], kind, made.transforms, made.penalties, len(wish.networks))
    if not why_not and made.canvas.canvas != "pixels":
        why_not = f"the canvas '{made.canvas.canvas}' has no places"
    tiles, notes = tiles_for(wish.network, wanted[0], *picture.size, cut.tile, cut.halo, why_not)
    looked_at = {} if objective is None else {"networks": (network_used(wish.network, layers),)}
    recipe = wish.recipe(wanted, picture.size, (used, *beside.used), objective=kind, tiles=tiles, **looked_at)
    kept = (*((picture.content,) if isinstance(used, FileInput) else ()), *beside.kept) if wish.machinery.keep else ()
    return Plan(
        recipe, wish.networks, picture, guide=beside.guide, mask=beside.mask, direction=beside.direction, kept=kept,
        notes=(*beside.notes, *notes), objective=objective,
    )  # fmt: skip


def _layers_of(objective: Objective, wish: Planning, picture: Picture) -> tuple[str, ...]:
    """The layers that an objective of one's own looks at, class scores among them."""
    if not callable(objective):
        raise UsageError(
            f"an objective that is a {type(objective).__name__}", "give a function from what layers see to scores, or a target"
        )
    goal = wish.request[Goal]
    if goal.target is not None or goal.level is not None or wish.request.changed("preset"):
        raise UsageError("both an objective of one's own and a target, level or preset", "give one of them: each says what to climb")
    given = wish.request[Beside]
    if given.caricature or any(each is not None for each in (given.guide, given.direction, given.towards, given.away)):
        raise UsageError("an objective of one's own with a guide, a caricature or a direction", "give one of them: each says what to climb")
    return own_layers(objective, wish.networks, picture.pixels[None])


def objective_of(given: Beside) -> str:
    """The objective that the inputs call for; UsageError where they call for several."""
    along = given.direction is not None or given.towards is not None
    called = [
        name for name, wanted in (("guide", given.guide is not None), ("caricature", given.caricature), ("direction", along)) if wanted
    ]
    if len(called) > 1:
        raise UsageError(f"both a {called[0]} and a {called[1]}", "give one of them: each says what to climb")
    return called[0] if called else "excite"
