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

import difflib
from collections.abc import Iterable


def printable(text: object) -> str:
    """The text fit for one line of a message, whoever wrote it: what cannot be printed becomes �."""
    return "".join(each if each.isprintable() else "�" for each in str(text))


def first_line(error: BaseException) -> str:
    """What an error says, in one line fit for a message; its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


class ReverieError(Exception):
    """Root of every error that a user can cause or mend.

    Args:
        fault: the thing and what is wrong with it, one line.
        remedy: what the user can do, one line; may be empty.
    """

    exit_code = 1

    def __init__(self, fault: str, remedy: str = "") -> None:
        self.fault = printable(fault)
        self.remedy = printable(remedy)
        super().__init__(f"{self.fault}; {self.remedy}" if remedy else self.fault)


class UsageError(ReverieError):
    exit_code = 2


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


def unknown(kind: str, name: str, known: Iterable[str], see: str = "") -> UsageError:
    """A UsageError for a name that does not exist, with the nearest that does (or where to see them all)."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    question = "did you mean " + " or ".join(f"'{each}'" for each in near) + "?"
    return UsageError(f"no {kind} '{name}'", question if near else see)
