"""Pictures that begin with noise: what a class looks like to a network, and what excites a unit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeGuard, Unpack, cast, overload

from reverie.api.choices import ClassLike, Climbed, FeatureChoices, ImagineChoices, documented
from reverie.api.opening import Networks
from reverie.api.planning import Before, Planning
from reverie.api.start_guide_mask import beside_of
from reverie.errors import UsageError, choice
from reverie.files.limits import at_most_pixels
from reverie.networks import Label, Network
from reverie.pictures import MadePicture, Pictures
from reverie.recipe import Along, Batch, NoiseInput, Size, Together
from reverie.render import Plan, Watcher, check, check_objective, check_places, check_reach, check_size, drawn, fitting, purposes
from reverie.target import CLASSES, Target, Term, asked, expand, has_range, is_unit, parse

BETWEEN = 7  # pictures of a row from one target to another


@overload
def imagine(  # type: ignore[overload-overlap]  # a text is a sequence of texts too
    label: ClassLike, *, network: Networks = ..., diverse: None = ..., progress: Watcher | None = ..., making: int = ...,
    **choices: Unpack[ImagineChoices],
) -> MadePicture: ...  # fmt: skip


@overload
def imagine(
    label: ClassLike, *, network: Networks = ..., diverse: int, progress: Watcher | None = ..., making: int = ...,
    **choices: Unpack[ImagineChoices],
) -> Pictures: ...  # fmt: skip


@overload
def imagine(
    label: Sequence[ClassLike] | None = ..., *, network: Networks = ...,
    between: Sequence[ClassLike] | None = ..., count: int | None = ..., diverse: int | None = ..., progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[ImagineChoices],
) -> Pictures: ...  # fmt: skip


@documented("imagine")
def imagine(
    label: ClassLike | Sequence[ClassLike] | None = None,
    *,
    network: Networks = None,
    between: Sequence[ClassLike] | None = None,
    count: int | None = None,
    diverse: int | None = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[ImagineChoices],
) -> MadePicture | Pictures:
    """What a network expects a class to look like, from noise (Simonyan et al. 2014; Mordvintsev et al. 2015).

    Every picture's recipe holds second opinions: what the other built-in networks that are installed say of it. They are taken when it is
    final, and never choose, stop or repeat it.

    Args:
        label: a class's name, its number, or `class:` and either; or several of them, which are made in batches.
        network: an open network, or the name of a built-in one; or several, for pictures that all of them want.
        between: two labels, instead of one; `count` pictures lead from the first to the second.
        diverse: so many pictures of the class that differ from one another.
        progress: is shown every step; a true answer stops, and the pictures are marked as partial.
        making: keep so many pictures from along the way.

    Returns:
        a Picture for one label; a list of them for several, for `diverse` and for `between`.

    Raises:
        UsageError: an unknown or ambiguous label (with the candidates), a network without labels, a value out of bounds.
    """
    plans = plan_imagine(label, network=network, between=between, count=count, diverse=diverse, **choices)
    made = Pictures(_made(plans, progress, making))
    return cast(MadePicture, made[0]) if _is_one(label) and not diverse else made


@overload
def feature(  # type: ignore[overload-overlap]  # a text is a sequence of texts too
    target: Climbed, *, network: Networks = ..., diverse: None = ..., progress: Watcher | None = ..., making: int = ...,
    **choices: Unpack[FeatureChoices],
) -> MadePicture: ...  # fmt: skip


@overload
def feature(
    target: Climbed, *, network: Networks = ..., diverse: int, progress: Watcher | None = ..., making: int = ...,
    **choices: Unpack[FeatureChoices],
) -> Pictures: ...  # fmt: skip


@overload
def feature(
    target: Sequence[Climbed] | None = ..., *, network: Networks = ...,
    between: Sequence[Climbed] | None = ..., count: int | None = ..., diverse: int | None = ..., progress: Watcher | None = ...,
    making: int = ..., **choices: Unpack[FeatureChoices],
) -> Pictures: ...  # fmt: skip


@documented("feature")
def feature(
    target: Climbed | Sequence[Climbed] | None = None,
    *,
    network: Networks = None,
    between: Sequence[Climbed] | None = None,
    count: int | None = None,
    diverse: int | None = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[FeatureChoices],
) -> MadePicture | Pictures:
    """What excites a unit or any target most, from noise (Erhan et al. 2009; Olah et al. 2017).

    Args:
        target: what to climb; a list of targets gives a list, and a range of channels in it, `["blocks.4.1:0-15"]`, stands for one each.
        network: an open network, or the name of a built-in one; or several, for pictures that all of them want.
        between: two targets, instead of one; `count` pictures lead from the first to the second.
        diverse: so many pictures of the target that differ from one another.
        progress: is shown every step; a true answer stops, and the pictures are marked as partial.
        making: keep so many pictures from along the way.

    Returns:
        a Picture for one target; a list of them for several, for a range, for `diverse` and for `between`. A picture of a unit that never
        fired says so in its `alive` and `notes`.

    Raises:
        UsageError: an unknown layer, channel, place or class, or a value out of bounds.
    """
    plans = plan_feature(target, network=network, between=between, count=count, diverse=diverse, **choices)
    made = Pictures(_made(plans, progress, making))
    one = target is not None and not _are_several(target) and not has_range(asked(target), plans[0].network.names)
    return cast(MadePicture, made[0]) if one and not diverse else made


@documented("feature")
def features(
    targets: Climbed | Sequence[Climbed] | None = None,
    *,
    network: Networks = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Unpack[FeatureChoices],
) -> Iterator[MadePicture]:
    """What excites each of many units, as `feature`: each picture as soon as it is done, of a batch all together.

    What is wrong comes to light at once, before the first is asked for.
    """
    return _made(plan_feature(targets, network=network, **choices), progress, making)


def plan_imagine(
    label: ClassLike | Sequence[ClassLike] | None = None, *, network: Networks = None, before: Before | None = None, **choices: Any
) -> list[Plan]:
    """All of `imagine` but the making, a plan for each batch."""
    wish = Planning("imagine", network, choices, before)
    labels = [] if label is None else [cast(ClassLike, label)] if _is_one(label) else list(cast(Sequence[ClassLike], label))
    between = wish.request[Together].between
    return _plans(
        wish, [_class(each, wish.network) for each in labels], None if between is None else [_class(each, wish.network) for each in between]
    )


def plan_feature(
    target: Climbed | Sequence[Climbed] | None = None, *, network: Networks = None, before: Before | None = None, **choices: Any
) -> list[Plan]:
    """All of `feature` but the making, a plan for each batch."""
    given = [] if target is None else [asked(each) for each in (target if _are_several(target) else [target])]
    wish = Planning("feature", network, choices, before)
    between, names = wish.request[Together].between, wish.network.names
    targets = [each for text in given for each in expand(text, names)]
    return _plans(wish, targets, None if between is None else [parse(asked(each), names) for each in between])


def _plans(wish: Planning, targets: list[Target], between: list[Target] | None) -> list[Plan]:
    kind, groups = _grouped(targets, between, wish.request)
    size = wish.request[Size].size or wish.network.size
    check_size(*size, "the picture", "size")
    if "octaves" not in {**wish.request.before, **wish.request.given}:
        wish.with_ascent(octaves=_octaves(wish.choices.ascent.octave_scale, wish.network, size))
    wanted = list(dict.fromkeys(target for group in groups for target in group))
    for target in wanted:
        for net in wish.networks:
            check(target, net)
            check_reach(target, net, *size)
    along = wish.request[Along]
    objective = "excite" if along.direction is None and along.towards is None else "direction"
    with at_most_pixels(wish.machinery.max_pixels):
        beside = beside_of(wish.request, wish.networks, wanted[0], size)
    if objective == "direction" and len(wanted) > 1:
        raise UsageError("a direction for several targets", "give one layer")
    check_objective(objective, wanted[0], wish.network, beside.direction)
    if beside.mask is not None:
        for target in wanted:
            for net in wish.networks:
                check_places(target, net)
    groups, notes = _fitted(kind, groups, wanted, wish, size)
    plans = []
    for group in groups:
        together = Batch(kind=kind, targets=tuple(group)) if len(group) > 1 else None
        inputs = (NoiseInput(noise="pink"), *beside.used)
        recipe = wish.recipe([group[0]] * len(wish.networks), size, inputs, objective=objective, batch=together)
        start = drawn(recipe, purposes(recipe)[0])
        kept = beside.kept if wish.machinery.keep else ()
        plans.append(Plan(
            recipe, wish.networks, start, tuple(range(len(group))), mask=beside.mask, direction=beside.direction, kept=kept,
            notes=(*beside.notes, *notes),
        ))  # fmt: skip
    return plans


_Kind = Literal["each", "diverse", "between"]
_Groups = list[list[Target]]


def _grouped(targets: list[Target], between: list[Target] | None, request: Any) -> tuple[_Kind, _Groups]:
    """The kind of the batches, and the targets of each."""
    asked: Together = request[Together]
    if asked.diverse is not None and between is not None:
        raise UsageError("both diverse pictures and a row between two", "give one of them")
    if asked.count is not None and between is None:
        raise UsageError(f"a count without {choice('between')}", "it says how many pictures lead from one target to the other")
    if between is not None:
        if targets:
            raise UsageError("targets beside those of a row between two", f"give two to {choice('between')}, and no others")
        if len(between) != 2:
            raise UsageError(f"a row between {len(between)} targets", "it leads from one to another: give two")
        count = asked.count or BETWEEN
        return "between", [[_mixed(between[0], between[1], number / (count - 1)) for number in range(count)]]
    if not targets:
        raise UsageError("nothing to make a picture of", "name a class, such as banana, or a target, such as blocks.4.1:12")
    if asked.diverse is not None:
        return "diverse", [[target] * asked.diverse for target in targets]
    return "each", [targets[first : first + asked.batch] for first in range(0, len(targets), asked.batch)]


def _fitted(kind: _Kind, groups: _Groups, wanted: list[Target], wish: Planning, size: tuple[int, int]) -> tuple[_Groups, tuple[str, ...]]:
    """The batches, smaller where memory is short; and a note that it was."""
    layers = list(dict.fromkeys(name for target in wanted for name in target.layers()))
    layers += [CLASSES] if any(term.label is not None for target in wanted for term in target.terms) else []
    most = max(len(group) for group in groups)
    fits = min(fitting(most, net, layers, *size) for net in wish.networks)
    if fits >= most:
        return groups, ()
    if kind != "each":
        fault = f"{most} pictures of {size[1]}×{size[0]} that depend on each other"
        raise UsageError(fault, f"{fits} fit into memory: ask for fewer, or smaller")
    smaller = [group[first : first + fits] for group in groups for first in range(0, len(group), fits)]
    return smaller, (f"{most} pictures together do not fit into memory: made {fits} at a time",)


def _mixed(first: Target, last: Target, share: float) -> Target:
    """The target that is so far from the first on the way to the last."""
    terms: list[Term] = []
    for target, weight in ((first, 1 - share), (last, share)):
        terms += [Term(round(term.weight * weight, 6), term.layer, term.channel, term.at, term.label) for term in target.terms]
    return Target(tuple(term for term in terms if term.weight))


def _are_several(targets: object) -> TypeGuard[Sequence[Climbed]]:
    return isinstance(targets, Iterable) and not isinstance(targets, (str, Target)) and not is_unit(targets)


def _is_one(label: object) -> bool:
    """Whether it is a class, not several: a name, a number of any kind, what was recognised."""
    return isinstance(label, (str, Label)) or (hasattr(label, "__index__") and getattr(label, "ndim", 0) == 0)


def _class(label: ClassLike, network: Network) -> Target:
    """`banana`, `954`, 954, `class:954` → `class:banana`: the name that was used, or the first; the number where no name can be said."""
    index = network.class_index(label)
    names = network.labels[index] if index < len(network.labels) else ()
    said = " ".join(str(label).removeprefix("class:").split()).casefold()
    for name in sorted(names, key=lambda each: each.casefold() != said):
        with suppress(UsageError):
            found = parse(f"class:{name}")
            if str(found) == f"class:{name}" and network.class_index(name) == index:
                return found
    return parse(f"class:{index}")


def _octaves(scale: float, network: Network, size: tuple[int, int]) -> int:
    """As many as lead from half the network's own size to the size that is asked for: then the subject fills any picture."""
    half = min(network.size) / 2
    return max(1, min(24, 1 + round(math.log(max(1.0, min(size) / half)) / math.log(scale))))


def _made(plans: list[Plan], progress: Watcher | None, making: int) -> Iterator[MadePicture]:
    """The pictures of each plan when they are made; the last ones where one was stopped."""
    for each in plans:
        pictures = each.make_all(progress, making)
        yield from pictures
        if pictures[-1].recipe is not None and pictures[-1].recipe.stopped is not None:
            return
