"""Words that stand for several classes, in targets: the recipe gets the numbers, the user is told which they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from reverie.networks import Network
from reverie.networks.builtin.class_lookup import listed, misnamed, pinned
from reverie.networks.builtin.words import singulars
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
    """What is to be told of what somebody wrote of a class: which classes a word stands for; nothing of the name that is shown, or a
    number.

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
    if found[0] >= len(network.labels):  # a number alone
        return ()
    shown, *others = ({name.casefold()} for name in network.labels[found[0]])
    if "=" in word or word.casefold() in shown:
        return ()
    why = "which has that name too" if any(word.casefold() in each for each in others) else "the one class that the word stands for"
    return (f"{word} is taken for {listed(found, network.labels)}, {why}",)


def notes_on_neighbours(labels: Sequence[Any], network: Network) -> tuple[str, ...]:
    """What is to be told of two labels that are one class's name together: somebody may have left out the quotes."""
    names = {name.casefold(): name for each in network.labels for name in each}
    found = []
    for one, other in pairwise(each for each in labels if isinstance(each, str)):
        if name := names.get(f"{one} {other}".casefold()) or names.get(f"{one}{other}".casefold()):
            found.append(f"{one} and {other} are two classes here: did you mean '{name}'?")
    return tuple(found)


def spelt(label: str, found: Sequence[int], network: Network) -> str:
    """A label that means these classes as a recipe has it, since random numbers are drawn for what it says: `BANANA` → `banana`.

    A word for several has their numbers with it. A name as the network has it, and what is written in lower case, stay as they are.
    """
    if len(found) > 1:
        return pinned(label if "=" in label else label.lower(), found)
    names = [name for each in network.labels for name in each]
    low = " ".join(label.split()).casefold()
    known = {name.casefold(): name for name in reversed(names)}
    plural = next((known[each] for each in singulars(low)[1:] if each in known), None) if low not in known else None
    if label in names or (plural is None and label == label.lower()):
        return label
    return plural or known.get(low, low)


def _renamed(label: str, network: Network) -> str:
    if is_built_in(network) or (found := misnamed(label, network.labels)) is None:
        return ""
    name, index = found
    return f"{name} was class {index}, which {network.name} calls {network.labels[index][0]}"


def _with_numbers(term: Term, networks: Sequence[Network]) -> Term:
    if term.label is None:
        return term
    found = networks[0].class_indices(term.label)
    label = spelt(term.label, found, networks[0])
    of_name = term.label.isdecimal() or is_built_in(networks[0]) or any(each.class_indices(term.label) != found for each in networks[1:])
    return replace(term, label=label if len(found) > 1 or of_name else pinned(label, found))


def _note(label: str, found: Sequence[int], network: Network) -> str:
    word = label.partition("=")[0]
    more = f"; `reverie labels '{word}'` lists them" if len(found) > 12 else ""
    return f"{word} is any of {len(found)} classes: {listed(found, network.labels)}{more}; name one of them for that one alone"
