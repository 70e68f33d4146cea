"""Words that people use for several classes: `cat`, `vehicle`. Ours for everyday ones, else what WordNet puts below a word."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from reverie.networks.builtin.labels import imagenet


class Group(NamedTuple):
    """Words that mean the same, and the classes they stand for."""

    words: tuple[str, ...]
    classes: tuple[int, ...]


@cache
def groups() -> tuple[Group, ...]:
    """All of them, in ImageNet's numbers: everyday words first, then WordNet's, those for the fewest classes first."""
    here = files("reverie.networks.builtin")
    own = [each.split(":") for each in here.joinpath("everyday.txt").read_text("utf-8").splitlines() if each and each[0] != "#"]
    wordnet = json.loads(here.joinpath("wordnet.json").read_text("utf-8"))["words"]
    both = ([Group(tuple(_parts(words)), tuple(_numbers(classes))) for words, classes in rows] for rows in (own, wordnet))
    return tuple(group for found in both for group in sorted(found, key=lambda each: len(each.classes)))


def meant(word: str, names: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """The classes of a network that a word, or its plural, stands for; none where nothing is known of it.

    Args:
        names: of each class of the network.
    """
    by_word, places = _by_word(), _places(names)
    low = " ".join(word.split()).casefold()
    found = next((by_word[each] for each in singulars(low) if each in by_word), None)
    return () if found is None else tuple(sorted({place for each in found.classes for place in places.get(each, ())}))


def words_for(names: Sequence[Sequence[str]]) -> list[list[str]]:
    """For each class of a network the words that stand for it among others: everyday ones first, those for the fewest classes first."""
    by_word, places = _by_word(), _places(names)
    found: list[list[str]] = [[] for _ in names]
    for group in groups():
        said = [word for word in group.words if by_word[word.casefold()] is group][:1]
        for place in {place for each in group.classes for place in places.get(each, ())}:
            found[place] += said
    return found


def known(names: Sequence[Sequence[str]]) -> list[str]:
    """Every word that stands for classes of a network."""
    places = _places(names)
    return [word for word, group in _by_word().items() if any(each in places for each in group.classes)]


@cache
def _by_word() -> dict[str, Group]:
    return {word.casefold(): group for group in reversed(groups()) for word in reversed(group.words)}


def _places(names: Sequence[Sequence[str]]) -> Mapping[int, Sequence[int]]:
    """Where a network has each class of ImageNet: by its number, or by a name that only this class has."""
    known = imagenet()
    if len(names) == len(known) and tuple(tuple(each) for each in names) == known:
        return {number: (number,) for number in range(len(known))}
    often = Counter(name.casefold() for each in known for name in {name.casefold() for name in each})
    numbers = {name.casefold(): number for number, each in enumerate(known) for name in each if often[name.casefold()] == 1}
    found: dict[int, list[int]] = {}
    for place, each in enumerate(names):
        number = next((numbers[name.casefold()] for name in each if name.casefold() in numbers), None)
        if number is not None:
            found.setdefault(number, []).append(place)
    return found


def singulars(word: str) -> list[str]:
    """A word, and what it may be the plural of: cats, boxes, puppies, wolves."""
    found = [word]
    for ending, instead in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            found.append(word.removesuffix(ending) + instead)
    return found


def _parts(text: str) -> list[str]:
    return [each.strip() for each in text.split(",")]


def _numbers(text: str) -> list[int]:
    """`281-285, 287` → all of them."""
    ends = [[int(end) for end in each.split("-")] for each in _parts(text)]
    return [number for each in ends for number in range(each[0], each[-1] + 1)]
