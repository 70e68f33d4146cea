"""Whom a natural picture is made with: others that nobody asked for and nobody sees, so that it need not be like all photographs itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import torch

from reverie.errors import UsageError
from reverie.networks import Network
from reverie.render import generator
from reverie.target import Target


def accompanied(group: Sequence[Target], count: int, network: Network, meant: Callable[[int], Target]) -> list[Target]:
    """These targets, and behind them others of their kind until there are so many: other classes, or other channels of the layer.

    They follow from the first target alone. What is neither a class nor a channel has none of its kind.

    Args:
        meant: the target of a class by its number; UsageError of one that not all networks have.
    """
    others = (each for each in _others(group[0], network, meant) if each not in group)
    return [*group, *islice(others, max(0, count - len(group)))]


def _others(target: Target, network: Network, meant: Callable[[int], Target]) -> Iterator[Target]:
    """All others of its kind, in an order drawn for it."""
    if len(target.terms) != 1:
        return
    (term,), chance = target.terms, generator(0, f"{target} | company")
    if term.label is not None:
        for number in torch.randperm(network.anatomy.classes or 0, generator=chance).tolist():
            with suppress(UsageError):
                yield meant(number)
    elif term.channel is not None:
        for number in torch.randperm(network.layer(term.layer)[1], generator=chance).tolist():
            yield Target((replace(term, channel=number),))
