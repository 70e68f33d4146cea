"""What was made, made again: the same, or the same but for what is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast, overload

from reverie.api.choices import Changes, MachineryChoices
from reverie.api.dreaming import plan_dream
from reverie.api.imagining import plan_feature, plan_imagine
from reverie.api.moving import plan_film, plan_journey, split
from reverie.api.opening import Networks
from reverie.api.own_score import plan_climb
from reverie.api.replanning import Carried, Given, carried_by, plan_redo
from reverie.errors import InputError, UsageError, choice
from reverie.motion.made_film import Footage
from reverie.motion.plan import MovingPlan
from reverie.pictures import Picture
from reverie.recipe import CLIMB, COMMANDS, OWN, Machinery, NoiseInput, Recipe, choose, preset
from reverie.render import Objective, PictureScore, Plan, Watcher
from reverie.store import sha256_of
from reverie.work import Watcher as FilmWatcher

EitherWatcher = Watcher | FilmWatcher
_NOT_CHOSEN = ("machine", "networks", "opinions", "made_from")


@overload
def redo(
    picture: str | Path, output: None = None, *, force: bool = ..., start: str | Path | None = ..., network: Given = ...,
    progress: Watcher | None = ..., **machinery: Unpack[MachineryChoices],
) -> Picture: ...  # fmt: skip


@overload
def redo(
    picture: str | Path, output: str | Path, *, force: bool = ..., start: str | Path | None = ..., network: Given = ...,
    progress: FilmWatcher | None = ..., **machinery: Unpack[MachineryChoices],
) -> Footage: ...  # fmt: skip


def redo(
    picture: str | Path,
    output: str | Path | None = None,
    *,
    force: bool = False,
    start: str | Path | None = None,
    network: Given = None,
    progress: EitherWatcher | None = None,
    **machinery: Unpack[MachineryChoices],
) -> Picture | Footage:
    """Make a picture, a journey or a dreamt film again from the recipe it carries.

    What went in is looked for by hash: in the cache, then beside the picture, then at `start`. On the same machine, device and thread
    count the same bytes come; elsewhere the same to the eye, and `notes` says which. A picture that was made in a batch is made in that
    batch again.

    Args:
        picture: a file with a recipe; of a journey or film in frames the folder's first.
        output: of a journey or film, where it goes: see `journey`. A picture is saved by its `save`.
        force: replace what is there.
        start: what went in, or a folder with all that went in, if it is neither in the cache nor beside the picture.
        network: one's own network, if it was made with one (or several); each is checked by the hash of its weights.
        progress: as in `dream`; of a journey or film as in `journey`.
        **machinery: `device`, `threads`, `max_pixels`: other than those of the recipe.

    Raises:
        InputError: no recipe, a recipe that cannot be used, a start that cannot be found, or another network.
        UsageError: a film without an output. OutputError: as in `journey`.
    """
    carried = carried_by(picture, start, network)
    _check_output(carried, output)
    return _made(plan_redo(carried, choose(Machinery, **machinery)), output, {"force": force}, progress)


def again(
    picture: str | Path | Picture,
    output: str | Path | None = None,
    *,
    network: Networks = None,
    objective: Objective | PictureScore | None = None,
    progress: EitherWatcher | None = None,
    **changes: Unpack[Changes],
) -> Picture | Footage:
    """The same as a picture, a journey or a film, but for what is named: another seed, strength, start, network, the next checkpoint.

    A choice that is given as it was is no change. The new recipe says by hash what it was made from.

    Args:
        picture: a file with a recipe, or a Picture.
        output: of a journey or film, where it goes.
        network: instead of the recipe's: open, or by name; one or several.
        objective: of a picture that was made with one of one's own, as in `dream`, or the score of one that `climb` made.
        progress: as in `dream`; of a journey or film as in `journey`.
        **changes: choices of its command, and `start`.

    Raises:
        UsageError: a choice that its command has not. InputError: as `redo`.
    """
    writing, others = split(dict(changes))
    carried = _carried(picture)
    _check_output(carried, output)
    return _made(plan_again(picture, network=network, objective=objective, **others), output, dict(writing), progress)


def plan_again(
    picture: str | Path | Picture, *, network: Networks = None, objective: Objective | PictureScore | None = None, **changes: Any
) -> Plan | MovingPlan:
    """All of `again` but the making."""
    start = changes.pop("start", None)
    carried = _carried(picture)
    old = carried.recipe
    if old.objective == "rebuild":
        raise UsageError("a picture rebuilt from a layer, but for something", "look again: `reverie see` has those choices")
    _check_own(carried, objective, changes)
    if network is None and old.networks:
        carried.check_hashes()
        network = carried.networks(changes.get("device"))
    named = preset(changes["preset"]).choices if changes.get("preset") else {}
    given = {**chosen_in(old), **_inputs(carried, start, changes), **named, **changes}
    return _with_origin(_planned(old, given, network, objective), old)


def chosen_in(recipe: Recipe) -> dict[str, Any]:
    """Every choice of a recipe that its command has, by name."""
    fields = COMMANDS[recipe.command].fields if recipe.networks else CLIMB.fields
    groups = [getattr(recipe, name) for name in ("canvas", "ascent", "transforms", "penalties", "finish", "journey", "film")]
    found = {name: getattr(group, name) for group in groups if group is not None for name in type(group).model_fields}
    kept = {name: value for name, value in found.items() if name in fields and name != "ring"}
    return {**kept, "seed": recipe.seed, "threads": recipe.machine.threads}


def _inputs(carried: Carried, start: Any, changes: dict[str, Any]) -> dict[str, Any]:
    """What went in and how large, as choices; what was named instead is not looked for."""
    old = carried.recipe
    used = old.input("start") or old.input("film")
    if start is not None and old.command in ("imagine", "feature"):
        raise UsageError(f"another start for what `{old.command}` made", "it begins with noise: another seed gives another")
    if start is None:
        start = f"noise:{used.noise}" if isinstance(used, NoiseInput) else carried.role("film" if old.film else "start")
    found: dict[str, Any] = {"start": start}
    if not isinstance(start, str) or not start.startswith("noise:"):
        found["width"] = old.width
    elif "width" not in changes:
        found["size"] = (old.height, old.width)
    for role in ("guide", "mask", "direction"):
        if role not in changes and old.input(role) is not None:
            found[role] = carried.role(role)
    if old.objective == "caricature":
        found["caricature"] = True
    if old.tiles is not None and not changes.keys() & {"target", "level", "preset", "width", "size"}:
        found |= {"tile": old.tiles.tile, "halo": old.tiles.halo}
    return found


def _check_own(carried: Carried, objective: Objective | PictureScore | None, changes: Mapping[str, Any]) -> None:
    """Raise where an objective of one's own is missing, has no place, or stands beside another."""
    old = carried.recipe
    if objective is None and old.objective == OWN and not changes.keys() & {"target", "level", "preset"}:
        what = "a score of pictures" if not old.networks else "an objective"
        raise InputError(
            f"'{carried.name}' was made with {what} of somebody's own, which a recipe cannot hold", f"give it: {choice('objective')}"
        )
    if objective is not None and old.command != "dream":
        raise UsageError(f"an objective of one's own for what `{old.command}` made", "dreams have one")
    if objective is not None and changes.keys() & {"target", "level", "preset"}:
        raise UsageError("both an objective of one's own and a target, level or preset", "give one of them: each says what to climb")


def _planned(old: Recipe, given: dict[str, Any], network: Networks, objective: Objective | PictureScore | None) -> Plan | MovingPlan:
    start, target = given.pop("start"), given.pop("target", None)
    if target is None and "level" not in given and "preset" not in given:
        target = old.target
    if old.command == "film":
        return plan_film(start, target, network=network, **given)
    if old.command == "journey":
        if old.journey is not None and old.journey.ring and target == old.target:
            names = [each.name for each in old.networks]
            given["ring"] = [f"{names[each.network]}/{each.target}" for each in old.journey.ring]
            target = None
        return plan_journey(start, target, network=network, **given)
    if old.objective == OWN and not old.networks:
        return plan_climb(start, cast(PictureScore, objective), **given)
    if old.command == "dream":
        return plan_dream(start, None if objective else target, network=network, objective=cast(Objective | None, objective), **given)
    plan_all = plan_imagine if old.command == "imagine" else plan_feature
    batch = old.batch if target == old.target else None
    if batch is None:
        return plan_all(_subject(target), network=network, **given)[0]
    if batch.kind == "between":
        given |= {"between": [_subject(batch.targets[0]), _subject(batch.targets[-1])], "count": len(batch.targets)}
        plan = plan_all(None, network=network, **given)[0]
    elif batch.kind == "diverse":
        plan = plan_all(_subject(target), network=network, diverse=len(batch.targets), **given)[0]
    else:
        plan = plan_all([_subject(each) for each in batch.targets], network=network, **{**given, "batch": len(batch.targets)})[0]
    together = batch.model_copy(update={"targets": tuple(each.target for each in plan.recipes())})
    wanted = plan.recipe.model_copy(update={"target": together.targets[batch.index], "batch": together})
    return replace(plan, recipe=wanted, wanted=(batch.index,))


def _subject(target: Any) -> str:
    return str(target)


def _with_origin(plan: Plan | MovingPlan, old: Recipe) -> Plan | MovingPlan:
    """The plan, its recipe saying what it was made from; the very same where nothing differs."""
    same = all(getattr(plan.recipe, name) == getattr(old, name) for name in Recipe.model_fields if name not in _NOT_CHOSEN)
    same = same and [each.sha256 for each in plan.recipe.networks] == [each.sha256 for each in old.networks]
    origin = old.made_from if same else sha256_of(old.text().encode())
    return replace(plan, recipe=plan.recipe.model_copy(update={"made_from": origin}))


def _carried(picture: str | Path | Picture) -> Carried:
    if not isinstance(picture, Picture):
        return carried_by(picture)
    if picture.recipe is None:
        raise InputError("a picture without a recipe", "give one that Reverie made")
    return Carried(Path(), picture.recipe, None, {})


def _check_output(carried: Carried, output: str | Path | None) -> None:
    """Raise UsageError for a film that is to go nowhere, and for a picture that goes somewhere."""
    moving = carried.recipe.command in ("journey", "film")
    if moving and output is None:
        raise UsageError(
            f"'{carried.name}' is a {carried.recipe.command}, which is written as it is made", f"say where: {choice('output')}"
        )
    if output is not None and not moving:
        raise UsageError("an output for a picture", "save it: redo(…).save(…)")


def _made(plan: Plan | MovingPlan, output: str | Path | None, writing: dict[str, Any], progress: EitherWatcher | None) -> Picture | Footage:
    if isinstance(plan, Plan):
        return plan.make(cast(Watcher | None, progress))
    assert output is not None
    return plan.make(output, split(writing)[0], cast(FilmWatcher | None, progress))
