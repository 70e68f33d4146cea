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
    return tuple(note for label in labels for note in note_on(label, network))


def note_on(label: object, network: Network) -> tuple[str, ...]:
    """What is to be told of what somebody wrote of a class: which classes a word stands for; nothing of a class's own name or number.

    Args:
        label: that the network has.
    """
    word = " ".join(str(label).removeprefix("class:").split())
    if not isinstance(label, str) or word[:1].isdecimal():
        return ()
    found = network.class_indices(label)
    if len(found) > 1:
        return (_note(word, found, network),) if "=" in word else ()
    if "=" in word or word.casefold() in (name.casefold() for name in network.labels[found[0]]):
        return ()
    return (f"{word} is taken for {listed(found, network.labels)}, the one class that the word stands for",)


def _with_numbers(term: Term, network: Network) -> Term:
    if term.label is None or len(found := network.class_indices(term.label)) == 1:
        return term
    return replace(term, label=pinned(term.label, found))


def _note(label: str, found: Sequence[int], network: Network) -> str:
    word = label.partition("=")[0]
    more = f"; `reverie labels '{word}'` lists them" if len(found) > 12 else ""
    return f"{word} is any of {len(found)} classes: {listed(found, network.labels)}{more}; name one of them for that one alone"
