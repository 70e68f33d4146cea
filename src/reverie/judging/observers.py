"""Observers: what several networks each see in a picture, where they agree and where not, and averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import torch
from torch import Tensor

from reverie.errors import UsageError
from reverie.judging.answers import Asked, ClassSeen, Observed
from reverie.networks import Label, Network
from reverie.networks.calibrating import label
from reverie.networks.rejector import Recognised
from reverie.pictures import Picture

Name = tuple[str, int]  # of a class: what it is called, and the how manieth of that name it is: there are two cranes


def asked(
    name: str, picture: Picture, networks: Sequence[Network], top: int = 3, makers: Sequence[str] = (), before: Picture | None = None
) -> Asked:
    """What networks see in a picture.

    Args:
        name: of the picture.
        networks: one or more. Classes are the same where they are called the same.
        top: how many classes are told.
        makers: hashes of the weights of networks that made it.
        before: what it was made from.

    Raises:
        UsageError: they have fewer than two classes of one name in common, or one of them tells no classes apart.
    """
    names = _told_apart([each.name for each in networks])
    places = _places(networks)
    common, left_out = _common(places, names)
    made_it = [any(each.has_weights(maker) for maker in makers) for each in networks]
    counted = [row for row, made in enumerate(made_it) if not made] or [*range(len(networks))]
    found, table = _look(networks, picture, common, places)
    start, then = _look(networks, before, common, places) if before is not None else ([], None)

    def answer(
        of: Picture, seen: list[Recognised], here: Tensor, other: Tensor | None, made: Sequence[bool], notes: tuple[str, ...]
    ) -> Asked:
        observers = tuple(
            Observed(*each) for each in zip(names, (tuple(one[:top]) for one in seen), (one.known for one in seen), made, strict=True)
        )
        classes = _classes(common, places[0], here, other, counted, top)
        average = tuple(Label(each.index, each.label, each.average) for each in classes[:top])
        return Asked(name, of, observers, average, _shared(here[counted]), _first(observers), classes, None, notes)

    notes = (*left_out, *_of_makers(names, made_it))
    whole = answer(picture, found, table, then, made_it, notes)
    if before is None or then is None:
        return whole
    return replace(whole, before=answer(before, start, then, None, [False] * len(networks), ()))


def _look(
    networks: Sequence[Network], picture: Picture, common: Sequence[Name], places: Sequence[dict[Name, int]]
) -> tuple[list[Recognised], Tensor]:
    """What each network sees, all its classes; and the probabilities of the common ones, (networks, K) float64."""
    found = [each.recognise(picture, each.anatomy.classes or 1) for each in networks]
    rows = []
    for seen, own in zip(found, places, strict=True):
        by_index = {each.index: each.probability for each in seen}
        rows.append([by_index[own[name]] for name in common])
    return found, torch.tensor(rows, dtype=torch.float64)


def _places(networks: Sequence[Network]) -> list[dict[Name, int]]:
    """By network the number of each class of a name."""
    found = []
    for network in networks:
        places: dict[Name, int] = {}
        counts: dict[str, int] = {}
        for index in range(network.anatomy.classes or 0):
            called = label(network, index)
            counts[called] = counts.get(called, 0) + 1
            places[called, counts[called]] = index
        found.append(places)
    return found


def _common(places: Sequence[dict[Name, int]], names: Sequence[str]) -> tuple[list[Name], tuple[str, ...]]:
    """The classes that all networks have, in the order of the first; and what is to be said of others."""
    common = [each for each in places[0] if all(each in other for other in places)]
    if len(common) < 2:
        own = [next(iter(each), ("none", 1))[0] for each in places]
        called = ", ".join(f"'{one}' of {name}" for one, name in zip(own, names, strict=True))
        count = "no class has" if not common else f"only the class '{common[0][0]}' has"
        raise UsageError(
            f"{count} the same name in all of {', '.join(names)}: they begin with {called}", "ask networks of the same classes"
        )
    notes = [
        f"{len(each) - len(common)} of the {len(each)} classes of {name} have no namesake in the others, and are not averaged"
        for name, each in zip(names, places, strict=True)
        if len(each) > len(common)
    ]
    return common, tuple(notes)


def _classes(
    common: Sequence[Name], index: dict[Name, int], here: Tensor, before: Tensor | None, counted: list[int], top: int
) -> tuple[ClassSeen, ...]:
    """The likeliest on average, here or (one) before, and what any network puts first among the common ones; the likeliest first."""
    mean = here[counted].mean(0)  # (K,)
    then = None if before is None else before[counted].mean(0)
    wanted = set(mean.topk(min(top, len(common))).indices.tolist()) | set(here.argmax(1).tolist())
    if then is not None:
        wanted.add(int(then.argmax()))
    return tuple(
        ClassSeen(
            index[common[place]], common[place][0], float(mean[place]), tuple(here[:, place].tolist()),
            None if then is None else float(then[place]),
        )
        for place in sorted(wanted, key=lambda each: (-float(mean[each]), each))
    )  # fmt: skip


def _shared(rows: Tensor) -> float | None:
    """How much of their probability two of the rows (N, K) share on average."""
    pairs = list(combinations(rows, 2))
    if not pairs:
        return None
    return float(sum(2 * torch.minimum(one, other).sum() / (one.sum() + other.sum()).clamp_min(1e-12) for one, other in pairs) / len(pairs))


def _first(observers: Sequence[Observed]) -> dict[str, tuple[str, ...]]:
    """Which class each puts first, that of most networks first."""
    found: dict[str, tuple[str, ...]] = {}
    for each in observers:
        called = each.labels[0].label
        found[called] = (*found.get(called, ()), each.network)
    return dict(sorted(found.items(), key=lambda each: -len(each[1])))


def _of_makers(names: Sequence[str], made_it: Sequence[bool]) -> list[str]:
    who = [name for name, made in zip(names, made_it, strict=True) if made]
    if not who:
        return []
    does = f"{' and '.join(who)} made it"
    return [f"{does}: no other network is asked"] if all(made_it) else [f"{does}, and do{'es' * (len(who) == 1)} not count in the average"]


def _told_apart(names: Sequence[str]) -> list[str]:
    """Each name once: `net`, `net 2`."""
    return [f"{name} {names[:place].count(name) + 1}" if name in names[:place] else name for place, name in enumerate(names)]
