"""Where results go: the file or the folder that was named, found out before anything is made."""

from __future__ import annotations

import os
from pathlib import Path

from reverie.errors import OutputError, choice, typed
from reverie.store.atomic import check_place, made_folder
from reverie.store.paths import expanded, is_folder


class Destination:
    """Where the results of one command go. Nothing is written before `made` is called.

    A folder that is there is a folder. What is not there is one too if its name ends in `/` or has no suffix, or if several results go
    there; its parent must exist. Everything else names a file: whether its kind can be written is for the writer to say.

    Args:
        path: what was asked for, in text where a `/` at its end shall count; None for the working folder.
        several: more than one result goes there.
        suffixes: of files that can be written, in lower case; several results do not go to a name that ends in one.

    Raises:
        OutputError: it cannot be: no such parent, not writable, a file where a folder is needed.

    Attributes:
        folder: where files are put, or None where one file was named.
    """

    def __init__(self, path: str | Path | None, several: bool, suffixes: frozenset[str]) -> None:
        self._path = Path() if path is None else expanded(path)
        slash = isinstance(path, str) and path.endswith(tuple(each for each in (os.sep, os.altsep) if each))
        is_there = is_folder(self._path)
        wanted = is_there or slash or several or not self._path.suffix
        self.folder = self._path if wanted else None
        if is_there:
            check_place(self._path / ".reverie")
        elif self.folder is not None:
            self._check_new(several, is_named_as_file=not slash and self._path.suffix.lower() in suffixes)
        else:
            check_place(self._path)

    def file(self, name: str) -> Path:
        """Where a result of this name goes: the file that was named, or one in the folder."""
        return self._path if self.folder is None else self.folder / name

    def made(self) -> None:
        """Make the folder if it is not there; called just before the first result is written.

        Raises:
            OutputError: it cannot be made.
        """
        if self.folder is not None:
            made_folder(self.folder)

    def _check_new(self, several: bool, is_named_as_file: bool) -> None:
        """Whether a folder that is not there can be made."""
        if is_named_as_file or os.path.lexists(self._path):
            needed = "several results need a folder" if several else "a folder is named"
            raise OutputError(f"'{self._path}' is not a folder, and {needed}", "name one" + typed(f" with {choice('output')}"))
        check_place(self._path)
