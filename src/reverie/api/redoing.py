"""What was made, made again: the same, or the same but for what is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack, cast, overload

from reverie.api.choices import Changes, RedoChoices
from reverie.api.dreaming import plan_dream
from reverie.api.moving import plan_film, plan_journey, split
from reverie.api.opening import Networks, all_open
from reverie.api.own_score import plan_climb
from reverie.api.planning import Before
from reverie.api.plans_from_noise import plan_feature, plan_imagine
from reverie.api.replanning import Carried, Given, carried_by, plan_redo
from reverie.errors import InputError, UsageError, choice
from reverie.motion.made_film import Footage
from reverie.motion.plan import MovingPlan
from reverie.networks import Network
from reverie.pictures import MadePicture, Picture
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import CHOSEN, CLIMB, COMMANDS, OWN, Machinery, NoiseInput, Recipe, choose, is_noise
from reverie.render import Objective, PictureScore, Plan, Watcher
from reverie.store import originals, sha256_of
from reverie.target import Target
from reverie.work import Watcher as FilmWatcher

EitherWatcher = Watcher | FilmWatcher
_INPUTS = frozenset({"guide", "mask", "direction", "where"})  # which None takes away
_NOT_OF_TILES = frozenset(
    {"seed", "threads", "device", "precision", "max_pixels", "keep", "dpi", "octaves", "octave_scale", "steps", "strength", "settle"}
)
_NOT_CHOSEN = ("machine", "networks", "opinions", "made_from")


@overload
def redo(
    picture: str | Path, output: None = None, *, force: bool = ..., start: str | Path | None = ..., network: Given = ...,
    progress: Watcher | None = ..., **machinery: Unpack[RedoChoices],
) -> MadePicture: ...  # fmt: skip


@overload
def redo(
    picture: str | Path, output: str | Path, *, force: bool = ..., start: str | Path | None = ..., network: Given = ...,
    progress: FilmWatcher | None = ..., **machinery: Unpack[RedoChoices],
) -> Footage: ...  # fmt: skip


@ordinary_modes()
def redo(
    picture: str | Path,
    output: str | Path | None = None,
    *,
    force: bool = False,
    start: str | Path | None = None,
    network: Given = None,
    progress: EitherWatcher | None = None,
    **machinery: Unpack[RedoChoices],
) -> MadePicture | Footage:
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
        **machinery: `device`, `precision`, `threads`, `max_pixels`: other than those of the recipe.

    Raises:
        InputError: no recipe, a recipe that cannot be used, a start that cannot be found, or another network.
        UsageError: a film without an output. OutputError: as in `journey`.
    """
    carried = carried_by(picture, start, network)
    _check_output(carried, output)
    return _made(plan_redo(carried, choose(Machinery, **machinery)), output, {"force": force}, progress, carried)


@ordinary_modes()
def again(
    picture: str | Path | Picture,
    output: str | Path | None = None,
    *,
    network: Networks = None,
    objective: Objective | PictureScore | None = None,
    progress: EitherWatcher | None = None,
    **changes: Unpack[Changes],
) -> MadePicture | Footage:
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
    return _made(plan_again(picture, network=network, objective=objective, **others), output, dict(writing), progress, carried)


def plan_again(
    picture: str | Path | Picture, *, network: Networks = None, objective: Objective | PictureScore | None = None, **changes: Any
) -> Plan | MovingPlan:
    """All of `again` but the making."""
    changes = {name: value for name, value in changes.items() if value is not None or name in _INPUTS}
    start = changes.pop("start", None)
    carried = _carried(picture)
    old = carried.recipe
    if old.objective == "rebuild":
        raise _only_as_it_was(carried, {"start": start, **changes} if start is not None else changes)
    _check_own(carried, objective, changes)
    others = network is not None and not _are(network, old)
    if network is None and old.networks:
        carried.check_hashes()
        network = carried.networks(changes.get("device"), changes.get("precision"))
    elif old.networks:  # those named are opened in the precision that it was made in
        network = all_open(network, changes.get("device"), changes.get("precision") or carried.precision(changes.get("device")))
    targets = () if others or objective is not None else tuple(each.target or old.target for each in old.networks)
    begin = _start(carried, start)
    before = {
        **_chosen(old),
        **_extent(old, begin),
        **_beside(carried, objective, changes),
        **({} if others or changes.get("natural") == 0 else _kept(carried, "usual", changes)),
        **_cut(old, changes, others or start is not None),
    }
    if ("level" in changes or "preset" in changes) or objective is not None or old.command in ("imagine", "feature"):
        targets = ()
    else:
        before["target"] = old.target
    if isinstance(begin, str) != isinstance(old.input("start"), NoiseInput) or changes.keys() & {"size", "print"}:
        before.pop("octaves" if old.command in ("imagine", "feature") else "spread", None)
    return _with_origin(_planned(old, begin, Before(before, targets), changes, network, objective), old)


def _only_as_it_was(carried: Carried, changes: Mapping[str, Any]) -> UsageError:
    """Of a picture rebuilt from a layer: what `see` takes of what shall be other than it was, and how that is asked for."""
    layer = str(carried.recipe.target)
    fields = COMMANDS["see"].fields
    taken = " ".join(choice(name, value) for name, value in changes.items() if name in fields)
    other = [choice(name) for name in changes if name not in fields and name not in ("start", "target")]
    fault = f"'{carried.name}' was rebuilt from layer '{layer}', and is made again only as it was"
    if other:
        fault += (
            f"; {', '.join(other)} is no choice of such pictures" if len(other) == 1 else f"; {', '.join(other)} are no choices of them"
        )
    layer = str(changes.get("target", layer))
    return UsageError(fault, f"for another look: reverie see PICTURE {choice('layers', layer)} {taken}".rstrip())


def _are(network: Networks, old: Recipe) -> bool:
    """Whether these are the networks of a recipe."""
    given = list(network) if isinstance(network, (list, tuple)) else [network]
    return len(given) == len(old.networks) and all(
        isinstance(each, Network) and each.has_weights(used.sha256) for each, used in zip(given, old.networks, strict=True)
    )


def _chosen(recipe: Recipe) -> dict[str, Any]:
    """Every choice of a recipe that its command has, by name."""
    fields = COMMANDS[recipe.command].fields if recipe.networks else CLIMB.fields
    groups = [getattr(recipe, name) for name in CHOSEN]
    found = {name: getattr(group, name) for group in groups if group is not None for name in type(group).model_fields}
    kept = {name: value for name, value in found.items() if name in fields and name != "ring"}
    if "class_score" in fields and recipe.objective in ("excite", "log-odds"):
        kept["class_score"] = "logit" if recipe.objective == "excite" else "log-odds"
    return {**kept, "seed": recipe.seed, "threads": recipe.machine.threads}


def _start(carried: Carried, start: Any) -> Any:
    """What it begins with now: what was named, or what it began with."""
    old = carried.recipe
    if start is not None:
        if old.command in ("imagine", "feature"):
            raise UsageError(f"another start for what `{old.command}` made", "it begins with noise: another seed gives another")
        return start
    used = old.input("start") or old.input("film")
    return used.start if isinstance(used, NoiseInput) else carried.role("film" if old.film else "start")


def _extent(old: Recipe, start: Any) -> dict[str, Any]:
    """How large, in the word that goes with its start."""
    return {"size": (old.height, old.width)} if is_noise(start) else {"width": old.width}


def _beside(carried: Carried, objective: object, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What lay beside the start; another way of asking takes the place of the old one."""
    old = carried.recipe
    asked = objective is not None or bool(changes.keys() & {"guide", "direction", "towards", "away", "caricature"})
    found: dict[str, Any] = {}
    if not changes.keys() & {"mask", "where"}:
        found.update({"mask": carried.role("mask"), "where": old.where})
    for role in () if asked else ("guide", "direction"):
        found.update(_kept(carried, role, changes))
    if old.objective == "caricature" and not asked:
        found["caricature"] = True
    return found


def _kept(carried: Carried, role: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Where the input of this role is, if there is one and no other was given."""
    return {} if role in changes or carried.recipe.input(role) is None else {role: carried.role(role)}


def _cut(old: Recipe, changes: Mapping[str, Any], others: bool) -> dict[str, Any]:
    """The tiles, where nothing changed that they follow from."""
    if old.tiles is None or others or not changes.keys() <= _NOT_OF_TILES:
        return {}
    return {"tile": old.tiles.tile, "halo": old.tiles.halo}


def _check_own(carried: Carried, objective: Objective | PictureScore | None, changes: Mapping[str, Any]) -> None:
    """Raise where an objective of one's own is missing, has no place, or stands beside another."""
    old = carried.recipe
    if objective is None and old.objective == OWN and not (old.networks and changes.keys() & {"target", "level", "preset"}):
        what = "a score of pictures" if not old.networks else "an objective"
        raise InputError(
            f"'{carried.name}' was made with {what} of somebody's own, which a recipe cannot hold", f"give it: {choice('objective')}"
        )
    if objective is not None and old.command != "dream":
        raise UsageError(f"an objective of one's own for what `{old.command}` made", "dreams have one")
    if objective is not None and changes.keys() & {"target", "level", "preset"}:
        raise UsageError(
            f"an objective of one's own beside {choice('target')}, {choice('level')} or {choice('preset')}",
            "give one of them: each says what to climb",
        )


def _planned(
    old: Recipe, start: Any, before: Before, changes: dict[str, Any], network: Networks, objective: Objective | PictureScore | None
) -> Plan | MovingPlan:
    if old.objective == OWN and not old.networks:
        return plan_climb(start, cast(PictureScore, objective), before=before, **changes)
    if old.command == "film":
        return plan_film(start, network=network, before=before, **changes)
    if old.command == "journey":
        if old.journey is not None and old.journey.ring and not changes.keys() & {"ring", "target", "level", "preset"}:
            changes = {**changes, "ring": _ring(old, network)}
        if "ring" in changes:
            before = Before({name: value for name, value in before.choices.items() if name != "target"})
        return plan_journey(start, network=network, before=before, **changes)
    if old.command == "dream":
        return plan_dream(start, network=network, objective=cast(Objective | None, objective), before=before, **changes)
    return _in_its_batch(old, before, changes, network)


def _ring(old: Recipe, network: Networks) -> list[str | Target]:
    """The stops of a ring, each of its network by place."""
    assert old.journey is not None
    given = list(network) if isinstance(network, (list, tuple)) else [cast("Network | str | None", network)]
    names = [each.name if isinstance(each, Network) else each for each in given]
    if len(names) == 1:
        return [each.target for each in old.journey.ring]
    return [f"{names[min(each.network, len(names) - 1)]}/{each.target}" for each in old.journey.ring]


def _in_its_batch(old: Recipe, before: Before, changes: dict[str, Any], network: Networks) -> Plan:
    """A picture from noise, in the batch that it was made in; of another target, or in other company, without those beside it."""
    wrong = next((name for name in ("diverse", "between", "count", "batch") if name in changes), None)
    if wrong is not None:
        raise UsageError(f"{choice(wrong)} of one picture", f"`{old.command}` makes several: ask it")
    plan_all: Callable[..., list[Plan]] = plan_imagine if old.command == "imagine" else plan_feature
    target, batch = changes.pop("target", None), old.batch
    if "company" in changes:
        if batch is not None and batch.kind != "each":
            raise UsageError(choice("company", changes["company"]), f"leave it out: it is one of several that {choice(batch.kind)} made")
        batch = None
    alone = {"company": 1} if batch is None and old.penalties.natural and "company" not in changes else {}
    plan_some = partial(plan_all, network=network, before=before, **changes, **alone)
    said: Callable[[Target], Any] = str if old.command == "imagine" else lambda each: each  # a label, or the target itself
    asked = target if isinstance(target, str) else said(target or old.target)
    if batch is None or (target is not None and batch.kind != "diverse"):
        plan = plan_some(asked)[0]
        if batch is None or plan.recipe.target != old.target:
            return plan
    if batch.kind == "between":
        plans = plan_some(None, between=[said(batch.targets[0]), said(batch.targets[-1])], count=len(batch.targets))
    elif batch.kind == "diverse":
        plans = plan_some(asked, diverse=len(batch.targets))
    else:
        plans = plan_some([said(each) for each in batch.targets], batch=len(batch.targets))
    recipes = plans[0].recipes()
    if len(recipes) != len(batch.targets):
        fewer = f", or for less company: {choice('company', len(recipes))}" if old.penalties.natural and batch.kind == "each" else ""
        raise UsageError(f"a batch of {len(batch.targets)} pictures", f"{len(recipes)} fit into memory here: ask for smaller ones{fewer}")
    return replace(plans[0], recipe=recipes[batch.index], wanted=(batch.index,))


def _with_origin(plan: Plan | MovingPlan, old: Recipe) -> Plan | MovingPlan:
    """The plan, its recipe saying what it was made from; the very same where nothing differs."""
    same = all(getattr(plan.recipe, name) == getattr(old, name) for name in Recipe.model_fields if name not in _NOT_CHOSEN)
    same = same and _asked(plan.recipe) == _asked(old)
    origin = old.made_from if same else sha256_of(old.text().encode())
    return replace(plan, recipe=plan.recipe.model_copy(update={"made_from": origin}))


def _asked(recipe: Recipe) -> list[tuple[Any, ...]]:
    """What its networks are, and are asked for."""
    return [(each.sha256, each.target, each.mean, each.std, each.size) for each in recipe.networks]


def _carried(picture: str | Path | Picture) -> Carried:
    if not isinstance(picture, Picture):
        return carried_by(picture)
    if picture.recipe is None:
        raise InputError("a picture without a recipe", "give one that Reverie made")
    return Carried(Path(), picture.recipe, None, {})


def _check_output(carried: Carried, output: str | Path | None) -> None:
    """Raise UsageError for a film that is to go nowhere, and for a picture that goes somewhere."""
    moves = carried.recipe.moves
    if moves and output is None:
        raise UsageError(
            f"'{carried.name}' is a {carried.recipe.command}, which is written as it is made", f"say where: {choice('output')}"
        )
    if output is not None and not moves:
        raise UsageError("an output for a picture", "save it: .save(…) of what comes back")


def _made(
    plan: Plan | MovingPlan, output: str | Path | None, writing: dict[str, Any], progress: EitherWatcher | None, carried: Carried
) -> MadePicture | Footage:
    if isinstance(plan, Plan):
        return plan.make(cast(Watcher | None, progress))
    assert output is not None
    with originals([carried.place]):
        return plan.make(output, split(writing)[0], cast(FilmWatcher | None, progress))
