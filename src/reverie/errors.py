"""The tree of errors. Each says what is wrong and what to do about it, and carries the exit code of the command line.

ReverieError
├── UsageError        2    a wrong flag, name or value
├── InputError        3    a file or recipe that cannot be used
├── UnsafeError       4    refused: a bomb, a hostile file, weights that are not what they claim
├── OutputError       5    no room, not writable, or would overwrite
├── MissingExtra      6    a package that is not installed
└── Interrupted     130    stopped by the user
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_FAR, _LONGEST, _MANY = 1000, 200, 300  # edits of a name that is not near; letters of one that is looked for; words
_TECHNICAL, _NO_DIGIT, _DOUBLE = re.compile(r"[.\d]"), re.compile(r"\D"), re.compile(r"([^aeiou\W\d_])\1+")
_CHOICE = re.compile("⟦([a-z_][a-z0-9_]*)(?:=([^⟧]*))?⟧")
_TYPED = re.compile("⟪([^⟫]*)⟫")
_LISTING = re.compile("⟦all ([a-z]+)⟧")


def printable(text: object) -> str:
    """The text fit for one line of a message, whoever wrote it: what cannot be printed becomes �."""
    return "".join(each if each.isprintable() else "�" for each in str(text))


def first_line(error: BaseException) -> str:
    """What an error says, in one line fit for a message; its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def choice(name: str, value: object = None) -> str:
    """A choice, by the name of its field, as a message carries it: `seed=5` in Python, `--seed 5` on the command line."""
    return f"⟦{name}⟧" if value is None else f"⟦{name}={str(value).strip()[:80].replace('⟧', '')}⟧"


def listing(what: str) -> str:
    """Where all layers or labels are listed, as a message carries it: `net.layers` in Python, `reverie layers` on the command line."""
    return f"⟦all {what}⟧"


def typed(text: str) -> str:
    """A part of a message for the command line alone: Python, whose functions call it otherwise, leaves it out."""
    return f"⟪{text}⟫"


def spoken(text: str, flag: Callable[[str], str] | None = None) -> str:
    """A message with its choices and listings as Python has them, or as the command line has: `flag` gives the flag of a field."""

    def said(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        if flag is None:
            return f"{name}={value or ''}"
        return flag(name) if value is None else f"{flag(name)} {value}"

    text = _TYPED.sub("" if flag is None else r"\1", text)
    return _CHOICE.sub(said, _LISTING.sub(r"`net.\1`" if flag is None else r"`reverie \1`", text))


class ReverieError(Exception):
    """Root of every error that a user can cause or mend.

    Args:
        fault: the thing and what is wrong with it, one line; a choice is named by `choice`.
        remedy: what the user can do, one line; may be empty.

    Attributes:
        fault, remedy: as Python says them.
        field: the name of the choice that is at fault, or None.
    """

    exit_code = 1

    def __init__(self, fault: str, remedy: str = "") -> None:
        self._written = printable(fault), printable(remedy)
        self.fault, self.remedy = (spoken(each) for each in self._written)
        named = _CHOICE.search(self._written[0]) or _CHOICE.search(self._written[1])
        self.field = None if named is None else named[1]
        super().__init__(f"{self.fault}; {self.remedy}" if remedy else self.fault)

    def __reduce__(self) -> tuple[Any, ...]:
        """It travels between processes with its choices still to be named."""
        return type(self), self._written

    def with_flags(self, flag: Callable[[str], str]) -> tuple[str, str]:
        """Fault and remedy as the command line says them; `flag` gives the flag of a field."""
        return spoken(self._written[0], flag), spoken(self._written[1], flag)


class UsageError(ReverieError):
    exit_code = 2


class Refused(UsageError):
    """Some of several things that were asked for cannot be had; nothing was done yet.

    Attributes:
        faults: what is wrong with each, by what was asked for.
    """

    def __init__(self, faults: Mapping[Any, ReverieError]) -> None:
        self.faults = dict(faults)
        written = [each._written for each in self.faults.values()]
        super().__init__("; ".join(fault for fault, _ in written), "; ".join(dict.fromkeys(remedy for _, remedy in written if remedy)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.faults,)


class InputError(ReverieError):
    exit_code = 3


class UnsafeError(ReverieError):
    exit_code = 4


class OutputError(ReverieError):
    exit_code = 5


class MissingExtra(ReverieError):
    exit_code = 6


class Interrupted(ReverieError):
    exit_code = 130


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Those of the known names that sound like one, or are spelt most nearly like it, at most three; none where all are far.

    Of a word a quarter of its letters may be wrong, a fifth where hundreds are known, of which some are like it by chance; of a name with
    dots or digits a third. Capitals count where all else is alike.
    """
    names = [*dict.fromkeys(known)] if len(name) <= _LONGEST else []
    word, sound = name.casefold(), _sound(name.casefold())
    part = 3 if _TECHNICAL.search(word) else 5 if len(names) > _MANY else 4
    found: dict[str, int] = {}
    for each in names:
        other = each.casefold()
        most = max(len(word), len(other)) // part
        if part > 3 and other[:1] not in word[:2] and word[:1] not in other[:2]:  # few mistake how a word begins
            most -= 1
        found[each] = 0 if sound == _sound(other) else _edits(word, other, most)
        if part == 3 and _NO_DIGIT.sub("", word) != _NO_DIGIT.sub("", other):  # blocks.4.1 is nearer to block4.1 than blocks.1 is
            found[each] += 2
    least = min((edits for edits in found.values() if edits < _FAR), default=-1)
    return sorted(
        (each for each, edits in found.items() if edits == least), key=lambda each: (_edits(name, each, _FAR), each[:1] != name[:1])
    )[:3]


def _sound(word: str) -> str:
    """A word without what is written in several ways: `lynks`, `lynx` → `linx`."""
    for written, heard in (("ph", "f"), ("ck", "k"), ("ks", "x"), ("c", "k"), ("z", "s"), ("y", "i")):
        word = word.replace(written, heard)
    return _DOUBLE.sub(r"\1", word)


def _edits(one: str, other: str, most: int) -> int:
    """How many letters are missing, added, wrong or swapped with the next; `_FAR` for more than `most`. Two swapped ones always may be."""
    if abs(len(one) - len(other)) > max(most, 0):
        return _FAR
    older: list[int] = []
    before, swapped = [*range(len(other) + 1)], one != other and sorted(one) == sorted(other) and len(one) > 2
    for row, letter in enumerate(one, 1):
        here = [row]
        for column, beside in enumerate(other, 1):
            edits = min(before[column] + 1, here[-1] + 1, before[column - 1] + (letter != beside))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == beside:
                edits = min(edits, older[column - 2] + 1)
            here.append(edits)
        if min(here) > max(most, 1):
            return _FAR
        older, before = before, here
    return before[-1] if before[-1] <= max(most, swapped) else _FAR


def unknown(kind: str, name: str, known: Iterable[str], see: str = "") -> UsageError:
    """A UsageError for a name that does not exist, with the nearest that does (or where to see them all)."""
    near = nearest(name, known)
    return UsageError(f"no {kind} '{name}'", did_you_mean(near) if near else see)


def did_you_mean(names: Iterable[str]) -> str:
    """`did you mean 'a' or 'b'?`"""
    return "did you mean " + " or ".join(f"'{each}'" for each in names) + "?"
