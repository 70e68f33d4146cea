"""Which classes somebody means: by number, by name, by a word for several, or by a group of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import index
from typing import SupportsIndex

from reverie.errors import Refused, UsageError, choice, did_you_mean, listing, nearest
from reverie.networks.builtin import words
from reverie.networks.builtin.labels import text_of

Names = Sequence[Sequence[str]]  # of each class, the one to show first


@dataclass(frozen=True)
class Label:
    """A class the network sees in a picture; `probability` in 0..1."""

    index: int
    label: str
    probability: float


def said(label: str | SupportsIndex | Label) -> str:
    """What somebody wrote of a class, or its number."""
    return text_of(label.index if isinstance(label, Label) else label)


@dataclass(frozen=True)
class ClassEntry:
    """A class: its number, the name that is shown, all its names, and words that stand for it among others, the narrowest first."""

    index: int
    label: str
    names: tuple[str, ...]
    words: tuple[str, ...]


def how_many(top: object, count: int) -> int:
    """So many of the `count` most probable classes, at most all; UsageError for what is no whole number from 1."""
    if isinstance(top, bool) or not isinstance(top, SupportsIndex):
        raise UsageError(f"{choice('top', top)}", "give a whole number from 1")
    if index(top) < 1:
        raise UsageError(f"top {index(top)}", "ask for at least one label")
    return min(index(top), count)


_GROUP = re.compile(r"(?:[^=]*=)?\s*(\d{1,9}(?:\.\.\d{1,9})?(?:\s*\|\s*\d{1,9}(?:\.\.\d{1,9})?)*)")
_LISTED = 12  # classes that a message names


def find(label: str, names: Names, count: int | None = None) -> int:
    """The number of the one class that `label` means; see `find_all`.

    Raises:
        UsageError: also for what means several classes.
    """
    found = find_all(label, names, count)
    if len(found) > 1:
        raise UsageError(f"'{_plain(label)}' is {len(found)} classes", "say which: " + listed(found, names))
    return found[0]


def find_all(label: str, names: Names, count: int | None = None) -> tuple[int, ...]:
    """The numbers of the classes that `label` means: a number, a name, a word for several, `281..285|300`, or `class:` and any of them.

    Args:
        label: what somebody wrote. `cat=281..285` means the numbers; what stands before them is for people.
        names: of each class, the one to show first.
        count: of the classes, where some or all have no name.

    Raises:
        UsageError: no such class (with what is near in spelling), or a name that several classes share (with all of them).
    """
    wanted = _plain(label)
    most = len(names) if count is None else count
    if wanted.removeprefix("-").isdecimal():
        if wanted.isdecimal() and len(wanted) < 10 and int(wanted) < most:
            return (int(wanted),)
        raise UsageError(f"no class {wanted[:20]}", f"the network has {most} classes, numbered from 0")
    found = _named(wanted, names)
    if len(found) > 1:
        raise UsageError(f"'{wanted}' is the name of several classes", "say which: " + listed(found, names))
    if found:
        return (found[0],)
    if group := _GROUP.fullmatch(wanted):
        return _numbered(group[1], most)
    if not names:
        raise UsageError(f"this network has no labels, so '{wanted}' means nothing to it", "give the class by number, e.g. class:3")
    if meant := words.meant(wanted, names):
        return meant
    if one := next((found for each in words.singulars(wanted.casefold()) if len(found := _named(each, names)) == 1), None):
        return (one[0],)
    raise _unknown(wanted, names)


def entries(names: Names, wanted: Sequence[str] = ()) -> list[ClassEntry]:
    """The classes in order: all, or those that any of the words means; of a word that means none, those that have it in a name.

    Raises:
        UsageError: no labels; Refused: words that fit none.
    """
    if not names:
        raise UsageError("this network has no labels: its classes are numbers", f"name a file of them with {choice('labels', 'FILE')}")
    wanted = [text_of(each) for each in wanted]
    found = set() if wanted else set(range(len(names)))
    faults: dict[str, UsageError] = {}
    for word in wanted:
        try:
            found |= set(find_all(word, names))
        except UsageError as error:
            fitting = _with_word(word, names)
            found |= fitting
            if not fitting:
                faults[word] = error
    if faults:
        raise Refused(faults)
    said = words.words_for(names)
    return [ClassEntry(place, names[place][0], tuple(names[place]), tuple(said[place])) for place in sorted(found)]


def pinned(label: str, found: Sequence[int]) -> str:
    """A label with the numbers of its classes, so that it means the same for good: `cat` → `cat=281..285`."""
    word = _plain(label)
    group = _GROUP.fullmatch(word)
    with suppress(UsageError):  # a name that looks like numbers which there are not
        if group and set(_numbered(group[1], max(found) + 1)) == set(found):
            return word
    return f"{_readable(word)}={as_group(found)}"


def misnamed(label: str, names: Names) -> tuple[str, int] | None:
    """The name and number in a label that was `pinned` to one class, where the class of that number has not that name."""
    name, _, number = label.rpartition("=")
    if not name or not number.isdecimal() or int(number) >= len(names):
        return None
    known = {each.casefold() for own in names[int(number)] for each in (own, f"{_readable(_plain(own))}={number}")}
    return None if known & {name.casefold(), label.casefold()} else (name, int(number))


def _readable(word: str) -> str:
    """A name that can stand before numbers."""
    return word.replace("=", " ").replace("|", " ")


def as_group(numbers: Iterable[int]) -> str:
    """`281..285|300`"""
    runs: list[list[int]] = []
    for each in numbers:
        if runs and each == runs[-1][1] + 1:
            runs[-1][1] = each
        else:
            runs.append([each, each])
    return "|".join(str(low) if low == high else f"{low}..{high}" for low, high in runs)


def listed(found: Sequence[int], names: Names) -> str:
    """`tabby (281), tiger cat (282)`, and how many more."""
    said = ", ".join(f"{names[each][0]} ({each})" if each < len(names) else str(each) for each in found[:_LISTED])
    return said + (f", and {len(found) - _LISTED} more" if len(found) > _LISTED else "")


def _plain(label: str) -> str:
    return " ".join(label.removeprefix("class:").split())


def _named(wanted: str, names: Names) -> list[int]:
    low = wanted.casefold()
    first = [index for index, each in enumerate(names) if each[0] == wanted]  # a Cardigan is a dog, a cardigan a garment
    first = first or [index for index, each in enumerate(names) if each[0].casefold() == low]
    return first or [index for index, each in enumerate(names) if low in (name.casefold() for name in each)]


def _with_word(word: str, names: Names) -> set[int]:
    low = _plain(word).casefold()
    return {place for place, each in enumerate(names) if low and any(low in re.split(r"[\s-]+", name.casefold()) for name in each)}


def _numbered(text: str, most: int) -> tuple[int, ...]:
    """`281..285|300` → all of them, each once."""
    found: dict[int, None] = {}
    for part in text.split("|"):
        low, _, high = part.strip().partition("..")
        last = int(high or low)
        if int(low) > last or last >= most:
            fault = f"no class {last}" if last >= most else f"the classes '{part.strip()}'"
            raise UsageError(fault, f"the network has {most} classes, numbered from 0; the lower number comes first")
        found.update(dict.fromkeys(range(int(low), last + 1)))
    return tuple(found)


def _is_a(name: str, low: str) -> bool:
    """Whether a name of several words is of one of that kind, or called so: a Persian cat is both, a tree frog is no tree."""
    first, last = name.partition(" ")[0], name.casefold().rpartition(" ")[2]
    return last == low or (first != first.lower() and first.casefold() == low)


def _unknown(wanted: str, names: Names) -> UsageError:
    low = wanted.casefold()
    fitting = ([name for name in each if len(low) > 2 and len(name) < 40 and _is_a(name, low)] for each in names)
    within = [found[0] for found in fitting if found][:5]
    near = within or (nearest(wanted, [*(name for each in names for name in each), *words.known(names)]) if len(low) > 2 else [])
    return UsageError(f"no label '{wanted}'", did_you_mean(near) if near else f"{listing('labels')} lists them all")
