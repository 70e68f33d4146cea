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
    return tuple(_note(label, network) for label in labels if "=" in label and not _is_one(label, network))


def _with_numbers(term: Term, network: Network) -> Term:
    if term.label is None or _is_one(term.label, network):
        return term
    return replace(term, label=pinned(term.label, network.class_indices(term.label)))


def _is_one(label: str, network: Network) -> bool:
    return len(network.class_indices(label)) == 1


def _note(label: str, network: Network) -> str:
    found, word = network.class_indices(label), label.partition("=")[0]
    more = f"; `reverie labels '{word}'` lists them" if len(found) > 12 else ""
    return f"{word} is any of {len(found)} classes: {listed(found, network.labels)}{more}; name one of them for that one alone"
