"""Plans of pictures that begin with noise: targets grouped into batches, choices that follow from the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeGuard, cast

from reverie.api.choices import ClassLike, Climbed
from reverie.api.company import accompanied
from reverie.api.opening import Networks
from reverie.api.planning import Before, Planning
from reverie.api.start_guide_mask import beside_of
from reverie.api.usual_pictures import usual_pictures, with_usual
from reverie.errors import Refused, ReverieError, UsageError, choice
from reverie.files.limits import at_most_pixels
from reverie.networks import Label, Network
from reverie.networks.norm_statistics import Statistics
from reverie.networks.read_once import reading_once
from reverie.recipe import COMPANY, LOOKS, PRINT_DPI, Along, Batch, NoiseInput, OfTheNetwork, Print, Seeds, Size, Together, choose, seeds
from reverie.render import (
    Plan,
    best_of,
    check,
    check_objective,
    check_places,
    check_reach,
    check_size,
    drawn,
    fitting,
    is_built_in,
    purposes,
)
from reverie.render.class_words import note_on, notes_on_neighbours, spelt, with_numbers
from reverie.render.natural import statistics_for
from reverie.render.network_defaults import network_defaults, octaves_for
from reverie.render.target_checks import layers_of
from reverie.target import Target, Term, asked, expand, is_unit, parse

BETWEEN = 7  # pictures of a row from one target to another
Meant = Callable[[Any, Planning], list[Target]]  # what somebody asked for → the targets that it means


def plan_imagine(
    label: ClassLike | Sequence[ClassLike] | None = None, *, network: Networks = None, before: Before | None = None, **choices: Any
) -> list[Plan]:
    """All of `imagine` but the making, a plan for each batch."""
    if label is not None and not is_one_label(label) and not isinstance(label, Iterable):
        raise UsageError(f"a {type(label).__name__} is no class", "give its name or its number")
    labels = [] if label is None else [cast(ClassLike, label)] if is_one_label(label) else list(cast(Sequence[ClassLike], label))
    return _planned("imagine", labels, _classes, network, before, choices)


def plan_feature(
    target: Climbed | Sequence[Climbed] | None = None, *, network: Networks = None, before: Before | None = None, **choices: Any
) -> list[Plan]:
    """All of `feature` but the making, a plan for each batch."""
    given = [] if target is None else list(target) if are_several(target) else [cast(Climbed, target)]
    return _planned("feature", given, _units, network, before, choices)


@reading_once()
def _planned(
    command: str, given: Sequence[Any], meant: Meant, network: Networks, before: Before | None, choices: dict[str, Any]
) -> list[Plan]:
    """The plans for each seed; what does not follow from the seed is read and looked at once."""
    first, *others = seeds(choices.pop("seed", None))
    wish = Planning(command, network, {**choices, "seed": first}, before)
    numbers = [wish.seed, *(choose(Seeds, seed=each).seed for each in others)]
    between = wish.request[Together].between
    targets, ends = (None if these is None else _each(these, lambda each: meant(each, wish)) for these in (given, between))
    words: list[str] = []
    if command == "imagine":
        words = [note for each in (*given, *(between or ())) for note in note_on(each, wish.network)]
        words += notes_on_neighbours(given, wish.network)
    return _plans(wish, targets or [], ends, numbers, dict.fromkeys(words))


def _classes(label: ClassLike, wish: Planning) -> list[Target]:
    return [with_numbers(_class(label, wish.network), *wish.networks)]


def _units(text: Climbed, wish: Planning) -> list[Target]:
    """The targets that a text stands for; UsageError where a network lacks one."""
    found = [with_numbers(each, *wish.networks) for each in expand(asked(text), wish.network.names)]
    for target in found:
        for net in wish.networks:
            check(target, net)
    return found


def _plans(wish: Planning, targets: list[Target], between: list[Target] | None, numbers: Sequence[int], words: Iterable[str]) -> list[Plan]:
    """A plan for each seed of `numbers` and each batch; `words` is what is to be told of those that were asked for."""
    kind, groups = _grouped(targets, between, wish.request)
    paper, dpi = wish.request[Print].print, wish.choices.finish.dpi or PRINT_DPI
    size = paper.pixels(dpi) if paper else wish.request[Size].size or wish.network.size
    check_size(*size, "the picture", "size")
    with at_most_pixels(wish.machinery.max_pixels):
        usual = usual_pictures(wish.request[OfTheNetwork].usual, wish.network)
    others = not all(map(is_built_in, wish.networks))  # what they remember may be of anything, or nothing
    look = LOOKS["emblem"].choices if others and wish.request.command.name == "imagine" else {}
    wish.fit({**look, **network_defaults(wish.network, wish.request.command.name, usual.pictures)})
    wish.fit({"octaves": octaves_for(wish.choices.ascent.octave_scale, wish.network, size)})
    wanted = list(dict.fromkeys(target for group in groups for target in group))
    for target in wanted:
        for net in wish.networks:
            check(target, net)
            check_reach(target, net, *size)
    along = wish.request[Along]
    objective = _objective(wish) if along.direction is None and along.towards is None else "direction"
    with at_most_pixels(wish.machinery.max_pixels):
        beside = beside_of(wish.request, wish.networks, wanted[0], size)
    beside = with_usual(beside, usual, wish.choices.penalties.natural, wish.networks, wanted)
    if objective == "direction" and len(wanted) > 1:
        raise UsageError("a direction for several targets", "give one layer")
    check_objective(objective, wanted[0], wish.network, beside.direction)
    if beside.mask is not None:
        for target in wanted:
            for net in wish.networks:
                check_places(target, net)
    together, notes = _fitted(kind, groups, wanted, wish, size, beside.usual)
    notes = (*words, *usual.notes, *notes, *_on_look(wish, others, bool(usual.pictures)), *((paper.told(*size, dpi),) if paper else ()))
    best = best_of(wish.networks, wanted, usual.pictures)
    inputs, kept = (NoiseInput(noise="pink"), *beside.used), beside.kept if wish.machinery.keep else ()
    recipes = [
        wish.recipe(
            [made[0]] * len(wish.networks), size, inputs, objective=objective,
            batch=Batch(kind=kind, targets=tuple(made)) if len(made) > 1 else None,
        )
        for made, _ in together
    ]  # fmt: skip
    return [
        Plan(
            recipe, wish.networks, drawn(recipe, purposes(recipe)[0]), tuple(range(count)), mask=beside.mask,
            direction=beside.direction, usual=beside.usual, kept=kept, notes=(*beside.notes, *notes), best=best,
        )
        for number in numbers
        for (_, count), each in zip(together, recipes, strict=True)
        for recipe in [each.model_copy(update={"seed": number})]
    ]  # fmt: skip


def _on_look(wish: Planning, others: bool, usual: bool) -> tuple[str, ...]:
    """What is to be said where it is not plain how natural it is: two choices that do not go together, or a network of one's own.

    Args:
        others: whether not all networks are built-in ones. usual: whether usual pictures were given.
    """
    given, natural = wish.request.given, wish.choices.penalties.natural
    look = "preset" in given and wish.request.preset
    if look and "natural" in given and (natural > 0) != (look.choices["natural"] > 0):
        drawn_to, other = ("drawn to photographs all the same", "natural") if natural else ("not drawn to photographs", "emblem")
        beside = f"'natural' {natural:g} beside the preset {given['preset']}"
        return (f"{beside}: {drawn_to}, and all else as the preset has it; the preset {other} alone is the other look",)
    if wish.request.command.name != "imagine" or not others or {"preset", "natural"} & {*given, *wish.request.before}:
        return ()
    what = "'natural' 1 draws to the usual pictures" if usual else "'natural' 1 with 'usual', a folder of pictures, draws to those"
    return (f"an emblem, since nobody knows whether networks of your own remember photographs: {what}",)


def _company(kind: _Kind, wish: Planning) -> int:
    """How many pictures are made together at least."""
    asked = wish.request[Together].company
    if wish.choices.penalties.natural and kind == "each":
        return asked or min(COMPANY, wish.request[Together].batch)
    if asked is not None and asked > 1:
        why = f"pictures of {choice('diverse')} and {choice('between')} have their own" if kind != "each" else "no picture is natural here"
        raise UsageError(choice("company", asked), f"leave it out: {why}")
    return 1


def _objective(wish: Planning) -> str:
    """By log-odds a class is a class to the network itself; by its logit it was for the built-in ones."""
    asked = wish.request[OfTheNetwork].class_score
    return "log-odds" if asked == "log-odds" or (asked is None and not all(map(is_built_in, wish.networks))) else "excite"


_Kind = Literal["each", "diverse", "between"]
_Groups = list[list[Target]]


def _grouped(targets: list[Target], between: list[Target] | None, request: Any) -> tuple[_Kind, _Groups]:
    """The kind of the batches, and the targets of each."""
    asked: Together = request[Together]
    if asked.diverse is not None and between is not None:
        raise UsageError(f"both {choice('diverse')} and {choice('between')}", "give one of them")
    if asked.count is not None and between is None:
        raise UsageError(f"{choice('count')} without {choice('between')}", "it says how many pictures lead from one target to the other")
    if between is not None:
        if targets:
            raise UsageError(f"targets beside the two of {choice('between')}", "leave them out")
        if len(between) != 2:
            raise UsageError(f"a row between {len(between)} targets", "it leads from one to another: give two")
        count = asked.count or BETWEEN
        return "between", [[_mixed(between[0], between[1], number / (count - 1)) for number in range(count)]]
    if not targets:
        raise UsageError("nothing to make a picture of", "name a class, such as banana, or a target, such as blocks.4.1:12")
    if asked.diverse is not None:
        return "diverse", [[target] * asked.diverse for target in targets]
    return "each", [targets[first : first + asked.batch] for first in range(0, len(targets), asked.batch)]


def _fitted(
    kind: _Kind, groups: _Groups, wanted: list[Target], wish: Planning, size: tuple[int, int], usual: Statistics
) -> tuple[list[tuple[list[Target], int]], tuple[str, ...]]:
    """The batches, smaller where memory is short, in their company, and how many of each are wanted, the first; and notes on it.

    Raises:
        OutputError: not even one picture fits into memory.
    """
    layers = layers_of(*wanted)
    most = max(len(group) for group in groups)
    looked_at = {net: (layers, statistics_for(wish.choices.penalties.natural, net, layers, usual)) for net in wish.networks}
    company = _company(kind, wish)
    fits = fitting(max(most, company), looked_at, *size)
    if fits < most and kind != "each":
        fault = f"{most} pictures of {size[1]}×{size[0]} that depend on each other"
        raise UsageError(fault, f"{fits} fit into memory: ask for fewer, or smaller")
    smaller = [group[first : first + fits] for group in groups for first in range(0, len(group), fits)]
    notes = [f"{most} pictures together do not fit into memory: made {fits} at a time"] if fits < most else []
    if fits < company:
        whom = f"in one of {fits}" if fits > 1 else "alone, which is often less calm and clear"
        notes.append(f"a company of {company} pictures of {size[1]}×{size[0]} does not fit into memory: made {whom}")
    company = min(company, fits)
    return [(accompanied(each, company, wish.network, lambda number: _classes(number, wish)[0]), len(each)) for each in smaller], (*notes,)


def _each(asked: Sequence[Any], meant: Callable[[Any], list[Target]]) -> list[Target]:
    """The targets that all of them mean.

    Raises:
        UsageError: the only one means none. Refused: one of several does not, or some do not.
    """
    found: list[Target] = []
    faults: dict[object, ReverieError] = {}
    for each in asked:
        try:
            found += meant(each)
        except UsageError as error:
            if len(asked) == 1:
                raise
            faults[each if isinstance(each, (str, int, Target)) else repr(each)] = error
    if faults:
        raise Refused(faults)
    return found


def _mixed(first: Target, last: Target, share: float) -> Target:
    """The target that is so far from the first on the way to the last."""
    terms: list[Term] = []
    for target, weight in ((first, 1 - share), (last, share)):
        terms += [Term(round(term.weight * weight, 6), term.layer, term.channel, term.at, term.label) for term in target.terms]
    return Target(tuple(term for term in terms if term.weight))


def are_several(targets: object) -> TypeGuard[Sequence[Climbed]]:
    return isinstance(targets, Iterable) and not isinstance(targets, (str, Target)) and not is_unit(targets)


def is_one_label(label: object) -> bool:
    """Whether it is a class, not several: a name, a number of any kind, what was recognised."""
    return isinstance(label, (str, Label)) or (hasattr(label, "__index__") and getattr(label, "ndim", 0) == 0)


def _class(label: ClassLike, network: Network) -> Target:
    """`banana`, `954`, 954, `class:954` → `class:banana`: the name that was used, or the first; the number where no name can be said.

    A word for several classes keeps their numbers with it: `cat` → `class:cat=281..285`.
    """
    found = network.class_indices(label)
    if len(found) > 1:
        return parse(f"class:{spelt(str(label), found, network)}")
    index = found[0]
    names = network.labels[index] if index < len(network.labels) else ()
    said = " ".join(str(label).removeprefix("class:").split()).casefold()
    for name in sorted(names, key=lambda each: each.casefold() != said):
        with suppress(UsageError):
            said_so = parse(f"class:{name}")
            if str(said_so) == f"class:{name}" and network.class_index(name) == index:
                return said_so
    return parse(f"class:{index}")
