"""Words that stand for several classes, in targets: the recipe gets the numbers, the user is told which they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reverie.networks import Network
from reverie.networks.builtin.class_lookup import listed, pinned
from reverie.target import Target, Term


def with_numbers(target: Target, network: Network) -> Target:
    """The same target; a word for several classes has their numbers with it: `class:cat` → `class:cat=281..285`."""
    return Target(tuple(_with_numbers(term, network) for term in target.terms))


def notes_on(targets: Sequence[Target], network: Network) -> tuple[str, ...]:
    """What is to be told of the words for several classes in targets."""
    labels = dict.fromkeys(term.label for target in targets for term in target.terms if term.label is not None)
    found = {label: network.class_indices(label) for label in labels if "=" in label}
    return tuple(_note(label, indices, network) for label, indices in found.items() if len(indices) > 1)


def _with_numbers(term: Term, network: Network) -> Term:
    if term.label is None or len(found := network.class_indices(term.label)) == 1:
        return term
    return replace(term, label=pinned(term.label, found))


def _note(label: str, found: Sequence[int], network: Network) -> str:
    word = label.partition("=")[0]
    more = f"; `reverie labels '{word}'` lists them" if len(found) > 12 else ""
    return f"{word} is any of {len(found)} classes: {listed(found, network.labels)}{more}; name one of them for that one alone"
