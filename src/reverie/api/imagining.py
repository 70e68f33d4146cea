"""Pictures that begin with noise: what a class looks like to a network, and what excites a unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from numbers import Integral
from typing import Any, cast

from reverie.api.dreaming import objective_of
from reverie.api.inputs import beside_of
from reverie.api.opening import Networks, all_opened
from reverie.api.validation import check_colours, seeded, sides, threaded, whole
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.pictures import Picture
from reverie.recipe import MAX_PIXELS, MOST_TOGETHER, Batch, Command, NoiseInput, Recipe, chosen
from reverie.render import Plan, Watcher, check, check_objective, check_reach, check_size, drawn, fitting, machine, purposes, used_by
from reverie.target import CLASSES, Target, Term, expand, parse

TOGETHER = 8  # pictures in a batch, unless somebody says otherwise
BETWEEN = 7  # pictures of a row from one target to another


def imagine(
    label: str | int | Sequence[str | int] | None = None,
    *,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Any,
) -> Any:
    """What a network expects a class to look like, from noise (Simonyan et al. 2014; Mordvintsev et al. 2015).

    Every picture's recipe holds second opinions: what the other built-in networks that are installed say of it. They are taken when it is
    final, and never choose, stop or repeat it.

    Args:
        label: a class's name, its number, or `class:` and either; or several of them, which are made in batches.
        progress: is shown every step; a true answer stops, and the pictures are marked as partial.
        making: keep so many pictures from along the way.
        **choices: `network`, `size`, `seed`, `diverse`, `between`, `count`, `batch`, `device`, `threads` of `plan_imagine`, and every field
            of the recipe's `Canvas`, `Ascent`, `Transforms`, `Penalties` and `Finish`.

    Returns:
        a Picture for one label; a list of them for several, for `diverse` and for `between`.

    Raises:
        UsageError: an unknown or ambiguous label (with the candidates), a network without labels, a value out of bounds.
    """
    plans = plan_imagine(label, **choices)
    return _made(plans, progress, making, single=isinstance(label, (str, Integral)) and not choices.get("diverse"))


def feature(
    target: str | Sequence[str] | None = None,
    *,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Any,
) -> Any:
    """What excites a unit or any target most, from noise (Erhan et al. 2009; Olah et al. 2017).

    Args:
        target: what to climb; a range of channels, `blocks.4.1:0-15`, stands for one target each; or several targets.
        progress: is shown every step; a true answer stops, and the pictures are marked as partial.
        making: keep so many pictures from along the way.
        **choices: `network`, `size`, `seed`, `diverse`, `between`, `count`, `direction`, `towards`, `away`, `batch`, `device`, `threads` of
            `plan_feature`, and every field of the recipe's `Canvas`, `Ascent`, `Transforms`, `Penalties` and `Finish`.

    Returns:
        a Picture for one target; a list of them for several, for a range, for `diverse` and for `between`. A picture of a unit that never
        fired says so in its `alive` and `notes`.

    Raises:
        UsageError: an unknown layer, channel, place or class, or a value out of bounds.
    """
    plans = plan_feature(target, **choices)
    single = isinstance(target, str) and expand(target) == [target] and not choices.get("diverse")
    return _made(plans, progress, making, single)


def plan_imagine(label: str | int | Sequence[str | int] | None = None, *, network: Networks = None, **choices: Any) -> list[Plan]:
    """All of `imagine` but the making, a plan for each batch.

    Args:
        network: an open network, or the name of a built-in one; or several, for pictures that all of them want.
        size: side, or (height, width), in pixels; without it the network's own.
        diverse: so many pictures of the same class that differ from each other.
        between: two labels; `count` pictures lead from the first to the second.
        batch: pictures that are made together; it changes their last bits, and the recipe holds it.
        keep: keep what goes in in the cache.
    """
    for name in ("direction", "towards", "away"):
        if choices.get(name) is not None:
            raise UsageError(f"a {name} for a class", "`feature` climbs along a direction in a layer")
    nets = all_opened(network, choices.get("device"))
    between = choices.pop("between", None)
    if between is not None:
        between = [_class_target(each, nets[0]) for each in between]
    labels: list[Any] = [] if label is None else [label] if isinstance(label, (str, Integral)) else list(cast(Any, label))
    return _plans("imagine", [_class_target(each, nets[0]) for each in labels], nets, between=between, **choices)


def plan_feature(target: str | Sequence[str] | None = None, *, network: Networks = None, **choices: Any) -> list[Plan]:
    """All of `feature` but the making, a plan for each batch: see `plan_imagine`.

    Args:
        direction: an .npy file or a row of numbers, one for each channel of the target's layer, that every place shall lie along.
        towards, away: instead of a direction: pictures, or folders of them; it leads from what the layer sees in `away` to `towards`.
    """
    given = [] if target is None else [target] if isinstance(target, str) else list(target)
    texts = [str(parse(each)) for text in given for each in expand(text)]
    between = choices.pop("between", None)
    if between is not None:
        between = [str(parse(each)) for each in between]
    return _plans("feature", texts, all_opened(network, choices.get("device")), between=between, **choices)


def _plans(
    command: Command,
    targets: list[str],
    networks: tuple[Network, ...],
    *,
    size: int | tuple[int, int] | None = None,
    seed: int = 0,
    diverse: int | None = None,
    between: list[str] | None = None,
    count: int | None = None,
    direction: Any = None,
    towards: Any = None,
    away: Any = None,
    batch: int = TOGETHER,
    device: str | None = None,
    threads: int | None = None,
    keep: bool = True,
    max_pixels: int = MAX_PIXELS,
    **choices: Any,
) -> list[Plan]:
    kind, groups = _grouped(targets, diverse, between, count, whole("--batch", batch, 1, MOST_TOGETHER))
    seed, threads = seeded(seed), threaded(threads)
    height, width = sides(size) if size is not None else networks[0].size
    check_size(height, width, "the picture", "size")
    octaves = {} if choices.get("octaves") is not None else {"octaves": _octaves(command, choices, networks[0], height, width)}
    made = chosen(command, octaves, choices)
    check_colours(networks[0], choices, made.finish)
    objective = objective_of(False, False, direction is not None or towards is not None or away is not None)
    parsed = [parse(each) for group in groups for each in group]
    for network in networks:
        for target in dict.fromkeys(parsed):
            check(target, network)
            check_reach(target, network, height, width)
    beside = beside_of(None, None, direction, towards, away, networks, parsed[0], (height, width), max_pixels)
    if objective == "direction" and len(set(parsed)) > 1:
        raise UsageError("a direction for several targets", "give one layer")
    check_objective(objective, parsed[0], networks[0], beside.direction)
    notes = beside.notes
    layers = list(dict.fromkeys(name for target in parsed for name in target.layers()))
    classes = [CLASSES] if any(term.label is not None for target in parsed for term in target.terms) else []
    most = max(len(group) for group in groups)
    fits = min(fitting(most, network, layers + classes, height, width) for network in networks)
    if fits < most:
        if kind != "each":
            raise UsageError(
                f"{most} pictures of {width}×{height} that depend on each other", f"{fits} fit into memory: ask for fewer, or smaller"
            )
        notes += (f"{most} pictures together do not fit into memory: made {fits} at a time",)
        groups = [group[first : first + fits] for group in groups for first in range(0, len(group), fits)]
    plans = []
    for group in groups:
        together = Batch(kind=kind, targets=tuple(map(parse, group))) if len(group) > 1 else None
        recipe = Recipe(
            command=command,
            networks=tuple(used_by(network, parse(group[0]), parse(group[0])) for network in networks),
            inputs=(NoiseInput(noise="pink"), *beside.used),
            target=parse(group[0]),
            objective=objective,
            **made._asdict(),
            width=width,
            height=height,
            channels=networks[0].channels,
            seed=seed,
            batch=together,
            machine=machine(networks[0], threads),
        )
        start = drawn(recipe, purposes(recipe)[0])
        wanted = tuple(range(len(group)))
        kept = beside.kept if keep else ()
        plans.append(Plan(recipe, networks, start, wanted, direction=beside.direction, kept=kept, notes=notes))
    return plans


def _grouped(
    targets: list[str], diverse: int | None, between: list[str] | None, count: int | None, batch: int
) -> tuple[Any, list[list[str]]]:
    """The kind of the batches, and the targets of each."""
    if diverse is not None and between is not None:
        raise UsageError("both diverse pictures and a row between two", "give one of them")
    if count is not None and between is None:
        raise UsageError("a count without --between", "it says how many pictures lead from one target to the other")
    if between is not None:
        if targets:
            raise UsageError("targets beside those of --between", "give two targets to --between, and no others")
        if len(between) != 2:
            raise UsageError(f"a row between {len(between)} targets", "it leads from one to another: give two")
        steps = whole("--count", BETWEEN if count is None else count, 2, MOST_TOGETHER)
        return "between", [[_mixed(between[0], between[1], number / (steps - 1)) for number in range(steps)]]
    if not targets:
        raise UsageError("nothing to make a picture of", "name a class, such as banana, or a target, such as blocks.4.1:12")
    if diverse is not None:
        return "diverse", [[target] * whole("--diverse", diverse, 2, MOST_TOGETHER) for target in targets]
    return "each", [targets[first : first + batch] for first in range(0, len(targets), batch)]


def _mixed(first: str, last: str, share: float) -> str:
    """The target that is so far from the first on the way to the last."""
    terms: list[Term] = []
    for text, weight in ((first, 1 - share), (last, share)):
        terms += [Term(round(term.weight * weight, 6), term.layer, term.channel, term.at, term.label) for term in parse(text).terms]
    return str(Target(tuple(term for term in terms if term.weight)))


def _class_target(label: str | int, network: Network) -> str:
    """`banana`, `954`, 954, `class:954` → `class:banana`: the name that was used, or the first; the number where no name can be said."""
    index = network.class_index(str(label))
    names = network.labels[index] if index < len(network.labels) else ()
    said = " ".join(str(label).removeprefix("class:").split()).casefold()
    for name in sorted(names, key=lambda each: each.casefold() != said):
        text = f"class:{name}"
        with suppress(UsageError):
            if str(parse(text)) == text and network.class_index(name) == index:
                return text
    return f"class:{index}"


def _octaves(command: Command, choices: dict[str, Any], network: Network, height: int, width: int) -> int:
    """As many as lead from half the network's own size to the size that is asked for: then the subject fills any picture."""
    scale = choices.get("octave_scale") or chosen(command, {}, {}).ascent.octave_scale
    half = min(network.size) / 2
    if not isinstance(scale, (int, float)) or scale <= 1:
        return 1  # and what is wrong with it is said where choices are checked
    return max(1, min(24, 1 + round(math.log(max(1.0, min(height, width) / half)) / math.log(scale))))


def _made(plans: list[Plan], progress: Watcher | None, making: int, single: bool) -> Picture | list[Picture]:
    pictures: list[Picture] = []
    for each in plans:
        pictures += each.make_all(progress, making)
        if pictures[-1].recipe is not None and pictures[-1].recipe.stopped is not None:
            break
    return pictures[0] if single else pictures
