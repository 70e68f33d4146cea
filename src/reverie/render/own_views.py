"""What the very network that a picture was climbed on makes of it, when it is final: is the class its class, the unit above its usual?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from reverie.networks import Network
from reverie.networks.calibrating import label as label_of
from reverie.pictures import resize, rounded
from reverie.recipe import Recipe
from reverie.target import CLASSES, Target, Term

BATCH = 32  # pictures in a pass
EXCITING = ("excite", "log-odds")  # objectives that want more of their target alone
_FAINT = 0.5  # of what moved views of a picture came to: a picture as it is should have more
_NOTHING = 1e-6  # an activation, nearly


Best = Mapping[tuple[str, int], float]  # how strongly usual pictures excite units: the best mean activation, by layer and channel


def best_of(networks: Sequence[Network], targets: Sequence[Target], usual: Sequence[Tensor]) -> tuple[Best, ...]:
    """How strongly usual pictures, (C, H, W) each, excite the units that are asked for, in each network; nothing without pictures."""
    found = [_best_of(each, targets, [resize(picture, *each.size) for picture in usual]) for each in networks] if usual else []
    return tuple(each or {} for each in found)


def _best_of(network: Network, targets: Sequence[Target], usual: Sequence[Tensor]) -> Best | None:
    units = {(unit.layer, unit.channel) for unit in map(_unit, targets) if unit is not None and unit.channel is not None}
    if not units:
        return None
    prepared = network.prepare([layer for layer, _ in units])
    best: dict[tuple[str, int], float] = {}
    for batch in _batches(usual):
        with torch.no_grad():
            seen = prepared(torch.stack(batch).to(network.device))
        for layer, channel in units:
            found = float(seen[layer][:, channel].flatten(1).mean(1).max())
            best[layer, channel] = max(found, best.get((layer, channel), found))
    return best


def own_views(
    pictures: Sequence[Tensor], recipes: Sequence[Recipe], networks: Sequence[Network], usual: Sequence[Best]
) -> list[tuple[str, ...]]:
    """For each picture (C, H, W), rounded to 8 bits as a file of it would be, what is to be said of it; nothing where all is well."""
    if recipes[0].command not in ("imagine", "feature") or recipes[0].objective not in EXCITING:
        return [()] * len(pictures)
    seen = [rounded(each) for each in pictures]
    found: list[list[str]] = [[] for _ in seen]
    for number, network in enumerate(networks):
        name = network.name if len(networks) > 1 else "the network"
        targets = [each.networks[number].target or each.target for each in recipes]
        best = usual[number] if usual else None
        for each in (_other_classes(seen, targets, network, name), _below(seen, targets, network, name, best)):
            for place, note in each:
                found[place].append(note)
    return [tuple(each) for each in found]


def on_faint(target: Target, moved: float, as_it_is: float) -> tuple[str, ...]:
    """On a feature picture that excites its target much less as it is than when it was last shown, moved, or not at all.

    Args:
        moved: its score at the last step. as_it_is: that of the finished picture.
    """
    if any(term.label is not None for term in target.terms):
        return ()  # scores of classes may be of any sign: of those it is said what the network calls them
    if moved > 0 and as_it_is < _FAINT * moved:
        return (f"'{target}' is {as_it_is:.3g} in the finished picture, {moved:.3g} when it was last shown moved: a larger 'rest' helps",)
    if _alone(target) is not None and abs(as_it_is) < _NOTHING:
        return (f"'{target}' does not fire in the finished picture: more steps or another seed may help",)
    return ()


def _other_classes(pictures: Sequence[Tensor], targets: Sequence[Target], network: Network, name: str) -> Iterator[tuple[int, str]]:
    """The pictures of a class that the network calls another class, by place, and what is to be said."""
    labels = {place: term.label for place, target in enumerate(targets) if (term := _alone(target)) and term.label is not None}
    if not labels:
        return
    scores = _seen(network, CLASSES, [resize(pictures[place], *network.size) for place in labels])  # (N, K)
    for (place, label), said in zip(labels.items(), scores.argmax(1).tolist(), strict=True):
        wanted = network.class_indices(label)
        if said not in wanted:
            ours, theirs = (label_of(network, each) for each in (wanted[0], said))
            yield place, f"{name} says {theirs}, not {ours if len(wanted) == 1 else label.partition('=')[0]}"


def _below(
    pictures: Sequence[Tensor], targets: Sequence[Target], network: Network, name: str, usual: Best | None
) -> Iterator[tuple[int, str]]:
    """The pictures that excite a channel less than the best of usual pictures does, or than photographs do on average, by place."""
    units = {place: unit for place, target in enumerate(targets) if (unit := _unit(target)) is not None}
    known = network.usual() if usual is None and units else None
    whose = "photographs on average" if usual is None else "the best of the usual pictures"
    of = "" if name == "the network" else f" of {name}"
    for layer in dict.fromkeys(unit.layer for unit in units.values()):
        here = {place: unit.channel for place, unit in units.items() if unit.layer == layer and unit.channel is not None}
        if usual is None and (known is None or layer not in known.layers):
            continue
        seen = _seen(network, layer, [pictures[place] for place in here])  # (N, C, h, w)
        for number, (place, channel) in enumerate(here.items()):
            least = usual.get((layer, channel)) if usual is not None else None if known is None else float(known.layers[layer][0][channel])
            found = float(seen[number, channel].mean())
            if least is not None and found < least:
                yield place, f"'{units[place].unit()}'{of} stays below {whose}: {found:.3g} of {least:.3g}"


def _seen(network: Network, layer: str, pictures: Sequence[Tensor]) -> Tensor:
    """What a layer (or CLASSES) gives for pictures (C, H, W) of one size, on the CPU."""
    prepared = network.prepare([layer])
    with torch.no_grad():
        return torch.cat([prepared(torch.stack(batch).to(network.device))[layer].cpu() for batch in _batches(pictures)])


def _batches(pictures: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    return (list(pictures[first : first + BATCH]) for first in range(0, len(pictures), BATCH))


def _alone(target: Target) -> Term | None:
    """The only thing that a target asks for more of."""
    return target.terms[0] if len(target.terms) == 1 and target.terms[0].weight > 0 else None


def _unit(target: Target) -> Term | None:
    """The whole channel that a target asks for alone, if it does."""
    term = _alone(target)
    return term if term is not None and term.channel is not None and term.at is None else None
