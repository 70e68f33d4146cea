"""What the very network that a picture was climbed on makes of it, when it is final: is the class its class, the unit above its usual?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from reverie.networks import Network
from reverie.pictures import resize, rounded
from reverie.recipe import Recipe
from reverie.target import CLASSES, Target, Term

BATCH = 32  # pictures in a pass


@dataclass(frozen=True)
class Best:
    """How strongly usual pictures excite units.

    Attributes:
        units: the best mean activation, by layer and channel.
    """

    units: Mapping[tuple[str, int], float] = field(default_factory=dict)


def best_of(network: Network, targets: Sequence[Target], usual: Sequence[Tensor]) -> Best | None:
    """How strongly usual pictures, (C, H, W) each, excite the units that are asked for; None without pictures."""
    units = {(unit.layer, unit.channel) for unit in map(_unit, targets) if unit is not None and unit.channel is not None}
    if not usual or not units:
        return None
    prepared = network.prepare([layer for layer, _ in units])
    best: dict[tuple[str, int], float] = {}
    for first in range(0, len(usual), BATCH):
        batch = torch.stack(list(usual[first : first + BATCH])).to(network.device)
        with torch.no_grad():
            seen = prepared(batch)
        for layer, channel in units:
            found = float(seen[layer][:, channel].flatten(1).mean(1).max())
            best[layer, channel] = max(found, best.get((layer, channel), found))
    return Best(best)


def own_views(
    pictures: Sequence[Tensor], recipes: Sequence[Recipe], networks: Sequence[Network], usual: Best | None
) -> list[tuple[str, ...]]:
    """For each picture (C, H, W), rounded to 8 bits as a file of it would be, what is to be said of it; nothing where all is well."""
    return [
        tuple(note for network in networks for note in _view(rounded(picture), recipe, network, usual, len(networks) > 1))
        for picture, recipe in zip(pictures, recipes, strict=True)
    ]


def _view(picture: Tensor, recipe: Recipe, network: Network, usual: Best | None, several: bool) -> list[str]:
    term = recipe.target.terms[0] if len(recipe.target.terms) == 1 and recipe.target.terms[0].weight > 0 else None
    if recipe.command not in ("imagine", "feature") or recipe.objective not in ("excite", "log-odds") or term is None:
        return []
    if term.label is not None:
        return _other_class(picture, term.label, network, network.name if several else "the network")
    unit = _unit(recipe.target)
    return [] if unit is None else _below(picture, unit, network, usual)


def _other_class(picture: Tensor, label: str, network: Network, name: str) -> list[str]:
    """That the network calls a picture of a class another class."""
    wanted = network.class_indices(label)
    with torch.no_grad():
        scores = network.prepare([CLASSES])(resize(picture, *network.size)[None].to(network.device))[CLASSES][0]  # (K,)
    said = int(scores.argmax())
    if said in wanted:
        return []
    ours, theirs = (network.labels[each][0] if each < len(network.labels) else str(each) for each in (wanted[0], said))
    return [f"{name} says {theirs}, not {ours if len(wanted) == 1 else label.partition('=')[0]}"]


def _below(picture: Tensor, unit: Term, network: Network, usual: Best | None) -> list[str]:
    """That a picture excites a channel less than the best of usual pictures does, or than photographs do on average."""
    assert unit.layer is not None and unit.channel is not None
    known = network.usual() if usual is None else None
    if usual is not None:
        least, whose = usual.units.get((unit.layer, unit.channel)), "the best of the usual pictures"
    elif known is not None and unit.layer in known.layers:
        least, whose = float(known.layers[unit.layer][0][unit.channel]), "photographs on average"
    else:
        return []
    with torch.no_grad():
        found = float(network.prepare([unit.layer])(picture[None].to(network.device))[unit.layer][0, unit.channel].mean())
    return [] if least is None or found >= least else [f"'{unit.unit()}' stays below {whose}: {found:.3g} of {least:.3g}"]


def _unit(target: Target) -> Term | None:
    """The whole channel that a target asks for alone, if it does."""
    term = target.terms[0]
    return term if len(target.terms) == 1 and term.weight > 0 and term.channel is not None and term.at is None else None
