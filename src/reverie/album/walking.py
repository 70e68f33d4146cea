"""The files of a folder and below, and what cannot be looked into."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from reverie.errors import InputError


@dataclass(frozen=True)
class Found:
    """A file: its path below the folder with `/` between, its size in bytes, when it was last changed in nanoseconds."""

    path: str
    size: int
    changed: int


@dataclass
class Walked:
    """What lies in a folder and below.

    Attributes:
        files: by path.
        faults: folders that were not looked into, by path, and why.
    """

    files: list[Found] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


def walked(folder: Path) -> Walked:
    """Every file in a folder and below, but for what is hidden (its name begins with a dot). Links to files count as files; links to
    folders are not followed, since they may lead in circles, and are told.

    Raises:
        InputError: it is no folder, or cannot be looked into.
    """
    found, left = Walked(), [""]
    while left:
        below = left.pop()
        try:
            with os.scandir(folder / below) as entries:
                for each in entries:
                    if not each.name.startswith("."):
                        path = f"{below}/{each.name}" if below else each.name
                        _sort(each, path, found, left)
        except OSError as error:
            if not below:
                raise _no_folder(folder, error) from error
            found.faults[below] = f"this folder cannot be looked into ({error.strerror or error})"
    found.files.sort(key=lambda each: each.path)
    return found


def _sort(entry: os.DirEntry[str], path: str, found: Walked, left: list[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        left.append(path)
        return
    try:
        if entry.is_dir():
            found.faults[path] = "a link to a folder, which is not followed"
            return
        facts = entry.stat()
    except OSError:  # a link that leads nowhere, or in a circle: who reads it says so
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError:  # gone meanwhile
            return
    found.files.append(Found(path, facts.st_size, facts.st_mtime_ns))


def _no_folder(folder: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"the folder '{folder}' does not exist", "check the name")
    if isinstance(error, NotADirectoryError):
        return InputError(f"'{folder}' is not a folder", "give the folder that the picture is in")
    return InputError(f"the folder '{folder}' cannot be looked into ({error.strerror or error})", "ask for permission to read it")
