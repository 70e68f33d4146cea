"""The folder of an atlas: files that people see, and beside them an index of what is finished, which is where the work goes on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from reverie.errors import InputError, OutputError, choice
from reverie.store import made_folder, sha256_of, write_whole

HIDDEN, LISTING = ".atlas", "atlas.json"
OWN_FOLDERS = ("classes", "examples", "maps", "site")  # of the folder of an atlas, beside those of layers
_FORMAT = 1
_WRITERS = 8  # files that are written at once
_LAST = "\U0010ffff"  # after which no name goes on
_PATIENCE = 30.0  # seconds that one process waits for a write of another
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS finished (kind TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, facts TEXT NOT NULL,"
    " files TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID",
    f"PRAGMA user_version={_FORMAT}",
)


class AtlasStore:
    """What of an atlas is finished.

    A unit of work has a kind (`shard`, `unit`, `class` …), a name within it, and a key: a hash of all that it follows from. Where the same
    key is there with its files, it need not be made again. Files are written before their unit counts as finished, so that a process that
    is killed loses what it was at and nothing else.

    Args:
        folder: of the atlas; made where it is not there.

    Raises:
        OutputError: it cannot be made or written. InputError: its index is damaged, or of a newer Reverie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers = ThreadPoolExecutor(_WRITERS)
        made_folder(folder)
        self._place = made_folder(folder / HIDDEN) / "index.sqlite"
        with self._told():
            self._db = sqlite3.connect(self._place, timeout=_PATIENCE, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # what a power cut takes is made again; nothing is damaged
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            for each in _SCHEMA if version < _FORMAT else ():
                self._db.execute(each)
        if version > _FORMAT:
            self.close()
            raise InputError(f"the atlas in '{folder}' was written by a newer Reverie", "install that one, or give another folder")

    def __enter__(self) -> AtlasStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._writers.shutdown()
        self._db.close()

    def is_finished(self, kind: str, name: str, key: str) -> bool:
        """Whether it is there, follows from the same, and its files are there with as many bytes as were written."""
        with self._told():
            row = self._db.execute("SELECT files FROM finished WHERE kind = ? AND name = ? AND key = ?", (kind, name, key)).fetchone()
        return row is not None and all(self._size(path) == size for path, (size, _) in json.loads(row[0]).items())

    def put(self, kind: str, name: str, key: str, facts: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> None:
        """It is finished now.

        Args:
            facts: what is known of it, as JSON has it.
            files: contents by their paths below the folder, with `/` between.

        Raises:
            OutputError: no room, or not writable.
        """
        there = files or {}
        writing = [self._writers.submit(copy_context().run, self.write, path, content) for path, content in there.items()]
        for each in writing:  # each waits for the disk, which takes several at a time
            each.result()
        written = {path: (len(content), sha256_of(content)) for path, content in there.items()}
        row = (kind, name, key, json.dumps(facts, ensure_ascii=False), json.dumps(written))
        with self._told():
            self._db.execute("INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?, ?)", row)

    def put_written(self, kind: str, rows: Iterable[tuple[str, str, Mapping[str, tuple[int, str]]]]) -> None:
        """Many are finished whose files are there already; all count at once. Of each its name, its key, and size and sha256 by path."""
        with self._told(), self._db:
            self._db.execute("BEGIN")
            given = ((kind, name, key, "{}", json.dumps(written)) for name, key, written in rows)
            self._db.executemany("INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?, ?)", given)

    def write(self, path: str, content: bytes) -> None:
        """A file below the folder that belongs to no unit of work, whole or not at all: a page, or a picture that several show."""
        place = self.folder / PurePosixPath(path)
        made_folder(place.parent, parents=True)
        write_whole(place, content, replace=True)

    def facts(self, kind: str, name: str) -> dict[str, Any] | None:
        """What is known of a unit of work; None where it is not finished."""
        with self._told():
            row = self._db.execute("SELECT facts FROM finished WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        return None if row is None else json.loads(row[0])

    def all(self, kind: str, below: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """The names of one kind that begin so, in order, with what is known of each."""
        with self._told():
            query = "SELECT name, facts FROM finished WHERE kind = ? AND name >= ? AND name < ? ORDER BY name"
            rows = self._db.execute(query, (kind, below, below + _LAST)).fetchall()
        for name, facts in rows:
            yield name, json.loads(facts)

    def written(self, kind: str) -> dict[str, tuple[str, dict[str, tuple[int, str]]]]:
        """By the names of one kind the key of each, and size and sha256 of its files by their paths."""
        with self._told():
            rows = self._db.execute("SELECT name, key, files FROM finished WHERE kind = ?", (kind,)).fetchall()
        return {name: (key, {path: (size, digest) for path, (size, digest) in json.loads(files).items()}) for name, key, files in rows}

    def state(self, kind: str, below: str = "") -> str:
        """A hash of what is finished of one kind whose names begin so: it changes where one comes, goes, or is made of something else."""
        with self._told():
            query = "SELECT name, key, length(facts) FROM finished WHERE kind = ? AND name >= ? AND name < ? ORDER BY name"
            rows = self._db.execute(query, (kind, below, below + _LAST)).fetchall()
        return sha256(json.dumps(rows).encode()).hexdigest()

    def files_of(self, kind: str, name: str) -> list[str]:
        """Paths below the folder of what belongs to it."""
        with self._told():
            row = self._db.execute("SELECT files FROM finished WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        return [] if row is None else list(json.loads(row[0]))

    def forget(self, kind: str, but: Iterable[str]) -> None:
        """Drop what is of one kind and not among these names, and its files: of a data set that is another now."""
        kept = set(but)
        for name, _ in list(self.all(kind)):
            if name not in kept:
                for path in self.files_of(kind, name):
                    (self.folder / PurePosixPath(path)).unlink(missing_ok=True)
                with self._told():
                    self._db.execute("DELETE FROM finished WHERE kind = ? AND name = ?", (kind, name))

    def manifest(self) -> list[tuple[str, str, str, str]]:
        """Of every finished unit of work its kind, name, key and the hash of all its files, in order: the same on every engine."""
        with self._told():
            rows = self._db.execute("SELECT kind, name, key, files FROM finished ORDER BY kind, name").fetchall()
        return [(kind, name, key, _together(json.loads(files))) for kind, name, key, files in rows]

    def digest(self) -> str:
        """One hash of the manifest."""
        return sha256(json.dumps(self.manifest()).encode()).hexdigest()

    def _size(self, path: str) -> int | None:
        try:
            return (self.folder / PurePosixPath(path)).stat().st_size
        except OSError:
            return None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite finds wrong, in our words."""
        try:
            yield
        except sqlite3.OperationalError as error:
            remedy = f"see that there is room, and that it may be written, or choose another place with {choice('output')}"
            raise OutputError(f"'{self._place}' cannot be read or written ({error})", remedy) from error
        except sqlite3.DatabaseError as error:
            remedy = f"give {choice('force')} to begin anew, or another folder with {choice('output')}"
            raise InputError(f"the index of the atlas in '{self.folder}' is damaged ({error})", remedy) from error


def check_atlas_folder(folder: Path) -> None:
    """Raise OutputError where something is at a place that is no atlas, and has files in it: nothing of that is ever replaced."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is not a folder", f"give the name of one with {choice('output')}")
    if folder.is_dir() and not (folder / HIDDEN).is_dir() and any(not each.name.startswith(".") for each in folder.iterdir()):
        raise OutputError(f"'{folder}' holds something else", f"give another folder with {choice('output')}")


def _together(files: Mapping[str, tuple[int, str]]) -> str:
    return sha256(json.dumps(sorted((path, digest) for path, (_, digest) in files.items())).encode()).hexdigest()
