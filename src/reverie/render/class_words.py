"""Words that stand for several classes, in targets: the recipe gets the numbers, the user is told which they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reverie.networks import Network
from reverie.networks.builtin.class_lookup import listed, misnamed, pinned
from reverie.render.provenance import is_built_in
from reverie.target import Target, Term


def with_numbers(target: Target, *networks: Network) -> Target:
    """The same target; a word for several classes has their numbers with it: `class:cat` → `class:cat=281..285`.

    So has the name of one class of one's own networks, whose labels may be others when it is read again; where it has another number in
    each of several networks, the name alone is meant.
    """
    return Target(tuple(_with_numbers(term, networks) for term in target.terms))


def notes_on(targets: Sequence[Target], network: Network) -> tuple[str, ...]:
    """What is to be told of the words for several classes in targets."""
    labels = dict.fromkeys(term.label for target in targets for term in target.terms if term.label is not None)
    return tuple(note for label in labels for note in note_on(label, network))


def renamed_in(targets: Sequence[Target], network: Network) -> tuple[str, ...]:
    """What is to be told of classes that have other names in a network of one's own than a recipe has for their numbers."""
    notes = (_renamed(term.label, network) for target in targets for term in target.terms if term.label is not None)
    return tuple(dict.fromkeys(filter(None, notes)))


def note_on(label: object, network: Network) -> tuple[str, ...]:
    """What is to be told of what somebody wrote of a class: which classes a word stands for; nothing of a class's own name or number.

    Args:
        label: that the network has.
    """
    word = " ".join(str(label).removeprefix("class:").split())
    if not isinstance(label, str) or word[:1].isdecimal():
        return ()
    found = network.class_indices(label)
    if renamed := _renamed(word, network):
        return (renamed,)
    if len(found) > 1:
        return (_note(word, found, network),) if "=" in word else ()
    if "=" in word or word.casefold() in (name.casefold() for name in network.labels[found[0]]):
        return ()
    return (f"{word} is taken for {listed(found, network.labels)}, the one class that the word stands for",)


def _renamed(label: str, network: Network) -> str:
    if is_built_in(network) or (found := misnamed(label, network.labels)) is None:
        return ""
    name, index = found
    return f"{name} was class {index}, which {network.name} calls {network.labels[index][0]}"


def _with_numbers(term: Term, networks: Sequence[Network]) -> Term:
    if term.label is None or (
        len(found := networks[0].class_indices(term.label)) == 1
        and (term.label.isdecimal() or is_built_in(networks[0]) or any(each.class_indices(term.label) != found for each in networks[1:]))
    ):
        return term
    return replace(term, label=pinned(term.label, found))


def _note(label: str, found: Sequence[int], network: Network) -> str:
    word = label.partition("=")[0]
    more = f"; `reverie labels '{word}'` lists them" if len(found) > 12 else ""
    return f"{word} is any of {len(found)} classes: {listed(found, network.labels)}{more}; name one of them for that one alone"
