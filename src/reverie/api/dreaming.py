"""Dreams: pictures that begin with a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack, cast, overload

from reverie.api.choices import Climbed, DreamChoices, PictureLike, Several, documented
from reverie.api.opening import Networks
from reverie.api.planning import Before, Planning
from reverie.api.start_guide_mask import beside_of, start_of
from reverie.api.where_to_dream import part_of, sober_part
from reverie.errors import UsageError, choice
from reverie.files.limits import at_most_pixels
from reverie.networks import Network
from reverie.networks.read_once import reading_once
from reverie.pictures import MadePicture, Picture, Pictures
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import OWN, Beside, Cut, FileInput, Goal, Layers, Mask, Recipe, each_of, is_one_seed, variation
from reverie.render import Objective, Plan, Watcher, machine, network_used, own_layers, own_target, tiles_for, whole_only
from reverie.target import Target


@overload
def dream(
    start: PictureLike, target: Climbed | None = ..., *, network: Networks = ..., objective: Objective | None = ...,
    seed: int | None = ..., variants: None = ..., progress: Watcher | None = ..., making: int = ..., **choices: Unpack[DreamChoices],
) -> MadePicture: ...  # fmt: skip


@overload
def dream(
    start: PictureLike, target: Climbed | None = ..., *, network: Networks = ..., objective: Objective | None = ...,
    seed: Sequence[int], variants: int | None = ..., progress: Watcher | None = ..., making: int = ..., **choices: Unpack[DreamChoices],
) -> Pictures: ...  # fmt: skip


@overload
def dream(
    start: PictureLike, target: Climbed | None = ..., *, network: Networks = ..., objective: Objective | None = ...,
    seed: Several = ..., variants: int, progress: Watcher | None = ..., making: int = ..., **choices: Unpack[DreamChoices],
) -> Pictures: ...  # fmt: skip


@documented("dream")
@ordinary_modes()
def dream(
    start: PictureLike,
    target: Climbed | None = None,
    *,
    network: Networks = None,
    objective: Objective | None = None,
    seed: Several = None,
    variants: int | None = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[DreamChoices],
) -> MadePicture | Pictures:
    """Enhance in a picture what a layer, a unit or any target detects in it (Mordvintsev, Olah & Tyka 2015).

    Args:
        start: a path, a PIL image, a tensor (C, H, W) in 0..1, or `noise:white`, `noise:grey`, `noise:pink`.
        target: what to climb, e.g. `blocks.4.1`, `blocks.4.1:12 - 0.5*blocks.2.0:3`, `class:banana`.
        network: an open network, or the name of a built-in one; or several, for a picture that all of them want.
        objective: instead of a target, a function of one's own from activations by layer, each (N, C, …), to scores (N,). Its picture
            cannot be made again from its recipe alone: `reverie.again(picture, objective=…)`.
        seed: another one gives another picture; several, as range(1, 11), give one of each.
        variants: so many pictures that differ to the eye; the first is the one that comes without it.
        progress: is shown every step; a true answer stops, and the picture is marked as partial.
        making: keep so many pictures from along the way.

    Returns:
        a Picture; a list of them for several seeds, and for `variants`.

    Raises:
        UsageError: an unknown name or a value out of bounds. InputError: a start that cannot be used. UnsafeError: one that is refused.
    """
    made = Pictures()
    for each in each_of({**choices, "seed": seed, "variants": variants}):
        plan = plan_dream(start, target, network=network, objective=objective, **each)
        network = plan.networks
        made.append(plan.make(progress, making))
        if (recipe := made[-1].recipe) is not None and recipe.stopped is not None:
            break
    return cast(MadePicture, made[0]) if is_one_seed(seed) and variants is None else made


@reading_once()
def plan_dream(
    start: PictureLike,
    target: Climbed | None = None,
    *,
    network: Networks = None,
    objective: Objective | None = None,
    before: Before | None = None,
    variant: int = 1,
    **choices: Any,
) -> Plan:
    """All of `dream` but the dreaming: what is wrong comes to light here, before any time is spent, and the recipe is known.

    `variant` is the number of one that differs from the dream itself, which is the first.
    """
    wish = Planning("dream", network, {"target": target, **choices}, before)
    kind, limit = OWN if objective is not None else objective_of(wish.request[Beside]), wish.machinery.max_pixels
    with at_most_pixels(limit):
        picture, used = start_of(start, wish.request, wish.network.channels, largest=limit)
        if isinstance(used, FileInput):
            wish.without_spread()
        layers = () if objective is None else _layers_of(objective, wish, picture)
        wanted = wish.targets() if objective is None else [own_target(layers)]
        if variant > 1:
            wanted = _varied(wish, wanted, variant, mixed=kind == "excite")
        beside = beside_of(wish.request, wish.networks, wanted[0], picture.size)
    if objective is None:
        wish.check(wanted, picture.size, kind, beside.direction)
    where = wish.request[Mask].where
    thread_count = machine(wish.network, wish.machinery.threads).threads
    part = part_of(where, picture, wish.networks, thread_count)
    made, cut = wish.choices, wish.request[Cut]
    why_not = whole_only(wish.network, wanted[0], kind, made.transforms, made.penalties, len(wish.networks))
    if not why_not and made.canvas.canvas != "pixels":
        why_not = f"the canvas '{made.canvas.canvas}' has no places"
    tiles, notes = tiles_for(wish.network, wanted[0], *picture.size, cut.tile, cut.halo, why_not)
    looked_at = {} if objective is None else {"networks": (network_used(wish.network, layers),)}
    sober = sober_part(wish.choices.finish.sober, picture, wish.networks, thread_count)
    recipe = wish.recipe(
        wanted, picture.size, (used, *beside.used), objective=kind, tiles=tiles, where=where, learnt=sober.learnt, **looked_at
    )
    kept = (*((picture.content,) if isinstance(used, FileInput) else ()), *beside.kept) if wish.machinery.keep else ()
    return Plan(
        recipe, wish.networks, picture, guide=beside.guide, direction=beside.direction,
        mask=sober.within(beside.mask if where is None else part.mask), sober=sober.parts,
        kept=kept, notes=(*beside.notes, *part.notes, *sober.notes, *notes, *_told(recipe, variant)), objective=objective,
    )  # fmt: skip


def _varied(wish: Planning, wanted: Sequence[Target], variant: int, *, mixed: bool) -> list[Target]:
    """What a variant asks each network for: other mixtures of units, if the objective takes them. The octaves lie otherwise too."""
    varied = [
        variation(variant, wish.seed, each, _layers(net) if mixed else None, wish.choices.ascent, wish.request.given)
        for net, each in zip(wish.networks, wanted, strict=True)
    ]
    wish.with_ascent(**varied[0].ascent)
    return [each.target for each in varied]


def _layers(net: Network) -> Layers:
    placed = [each.name for each in net.layers if each.height > 1]
    return Layers(lambda name: net.layer(name)[1], net.levels.get("objects", placed[-1] if placed else ""))


def _told(recipe: Recipe, variant: int) -> tuple[str, ...]:
    """How a variant differs, in words."""
    ascent = recipe.ascent
    how = f"{recipe.target}, octave scale {ascent.octave_scale:g}, smoothing {ascent.smoothing:g}"
    return (f"variant {variant}: {how}",) if variant > 1 else ()


def _layers_of(objective: Objective, wish: Planning, picture: Picture) -> tuple[str, ...]:
    """The layers that an objective of one's own looks at, class scores among them."""
    if not callable(objective):
        raise UsageError(
            f"an objective that is a {type(objective).__name__}", "give a function from what layers see to scores, or a target"
        )
    goal = wish.request[Goal]
    if goal.target is not None or goal.level is not None or wish.request.changed("preset"):
        raise UsageError(
            f"an objective of one's own beside {choice('target')}, {choice('level')} or {choice('preset')}",
            "give one of them: each says what to climb",
        )
    given = wish.request[Beside]
    if given.caricature or any(each is not None for each in (given.guide, given.direction, given.towards, given.away)):
        raise UsageError(
            f"an objective of one's own with {choice('guide')}, {choice('caricature')}, {choice('direction')} or {choice('towards')}",
            "give one of them: each says what to climb",
        )
    return own_layers(objective, wish.networks, picture.pixels[None])


def objective_of(given: Beside) -> str:
    """The objective that the inputs call for; UsageError where they call for several."""
    along = given.direction is not None or given.towards is not None
    called = [
        name
        for name, wanted in (
            ("guide", given.guide is not None),
            ("caricature", given.caricature),
            ("direction" if given.direction is not None else "towards", along),
        )
        if wanted
    ]
    if len(called) > 1:
        raise UsageError(f"both {choice(called[0])} and {choice(called[1])}", "give one of them: each says what to climb")
    return "direction" if along else called[0] if called else "excite"
