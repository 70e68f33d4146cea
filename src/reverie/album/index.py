"""The index of a folder: SQLite in the cache, brought up to date by size and time of files, made again from them at any time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock

from reverie.album.entries import Entry, State, look
from reverie.album.walking import Found, walked
from reverie.store import cache_folder, sha256_of
from reverie.version import __version__

_FORMAT = f"1 {__version__}"  # another version says other words of a recipe, and the index is made again
_COLUMNS = [each.name for each in fields(Entry)]
_SCHEMA = f"""
CREATE TABLE made (format TEXT NOT NULL);
CREATE TABLE files (path BLOB PRIMARY KEY, {", ".join(f"{each} NOT NULL" for each in _COLUMNS[1:])}, looked NOT NULL, sought NOT NULL);
CREATE TABLE tags (kind TEXT, value TEXT, path BLOB, PRIMARY KEY (kind, value, path)) WITHOUT ROWID;
CREATE TABLE thumbnails (path BLOB PRIMARY KEY, picture BLOB NOT NULL);
CREATE INDEX by_hash ON files (sha256);
CREATE INDEX tags_of ON tags (path);
"""
_AT_ONCE = 1.0  # seconds between commits: so much is lost where the process is killed
_TICK = 100_000_000  # nanoseconds: a file changed so shortly before it was looked at may change again with no other time
_PATIENCE = 60.0  # seconds that one process waits for a write of another


@dataclass
class Changes:
    """What an update found.

    Attributes:
        added, changed, removed: paths.
        faults: folders that were not looked into, by path, and why.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


class Album:
    """Every file of a folder and below, and of each picture its size, date, hash, thumbnail, and recipe in words and fields.

    The index is a file in the cache. Where the cache cannot be written it is kept in memory, and gone afterwards. Several processes may
    use it: one brings it up to date while the others read or wait. It knows nothing that is not in the files, so that a damaged index is
    thrown away and made again.

    Args:
        folder: of the pictures; it is only read.

    Raises:
        InputError: from `update`, where the folder is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = cache_folder() / "albums" / f"{sha256_of(os.fsencode(folder.resolve()))}.sqlite"
        self._lock: FileLock | None = FileLock(self.place.with_suffix(".lock"))
        self._db = self._opened()

    def __enter__(self) -> Album:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()

    def update(self, told: Callable[[int, int], None] | None = None) -> Changes:
        """Look at every file that is new or was changed, forget those that are gone.

        Args:
            told: is handed how many of the files that must be looked at are done, and how many there are.

        Raises:
            InputError: the folder is not there, or cannot be looked into.
        """
        with self._alone():
            return self._sound(lambda: self._update(told))

    def rebuild(self) -> None:
        """Throw the index away; the next update makes it from the files."""
        with self._alone():
            if self._lock is None:
                self._db.close()
                self._db = self._in_memory()
            else:
                self._db = self._made_anew(self._db)

    def entries(self, *states: State) -> list[Entry]:
        """Every file in one of these states, by path; without any every picture, those that cannot be read too."""
        wanted = states or ("picture", "unreadable")
        return self._asked(f"state IN ({', '.join('?' * len(wanted))}) ORDER BY path", wanted)

    def count(self, state: str) -> int:
        """How many files are in this state."""
        return int(self._rows("SELECT count(*) FROM files WHERE state = ?", (state,))[0][0])

    def find(self, text: str = "", *, sha256: str = "", **tags: str) -> list[Entry]:
        """The pictures of which all of this is so, by path.

        Args:
            text: stands in the path or the words, in capitals or not.
            sha256: of the file.
            **tags: `network`, `layer`, `command` or `class_`, as the recipe has it; `input`, the sha256 of a file that went in.
        """
        wanted, given = ["state IN ('picture', 'unreadable')"], []
        if sha256:
            wanted.append("sha256 = ?")
            given.append(sha256)
        for kind, value in tags.items():
            wanted.append("path IN (SELECT path FROM tags WHERE kind = ? AND value = ?)")
            given += [kind.rstrip("_"), value]
        if text:
            wanted.append("instr(sought, ?)")
            given.append(_folded(text))
        return self._asked(" AND ".join(wanted) + " ORDER BY path", tuple(given))

    def thumbnail(self, path: str) -> bytes:
        """Of a picture, in WebP, no side longer than 192 pixels; empty where there is none."""
        found = self._rows("SELECT picture FROM thumbnails WHERE path = ?", (os.fsencode(path),))
        return bytes(found[0][0]) if found else b""

    def _asked(self, condition: str, given: tuple[object, ...]) -> list[Entry]:
        rows = self._rows(f"SELECT {', '.join(_COLUMNS)} FROM files WHERE {condition}", given)
        return [Entry(os.fsdecode(row[0]), *row[1:]) for row in rows]

    def _rows(self, query: str, given: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """What SQLite answers; of a damaged index what it answers once it is made again."""
        try:
            return self._db.execute(query, given).fetchall()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
        self.rebuild()
        self.update()
        return self._db.execute(query, given).fetchall()

    # ── bringing it up to date ───────────────────────────────────────────────────────────────────────────────────────────

    def _update(self, told: Callable[[int, int], None] | None) -> Changes:
        found = walked(self.folder)
        changes = Changes(faults=found.faults)
        known = {os.fsdecode(row[0]): row[1:] for row in self._db.execute("SELECT path, size, changed, looked FROM files")}
        there = {each.path for each in found.files}
        changes.removed = sorted(path for path in known if path not in there)
        for path in changes.removed:
            self._forget(path)
        todo = [each for each in found.files if not _is_known(each, known.get(each.path))]
        due = time.monotonic() + _AT_ONCE
        for number, each in enumerate(todo, 1):
            try:
                self._put(each)
                if told is not None:
                    told(number, len(todo))
            except KeyboardInterrupt:
                self._db.commit()
                raise
            before = known.get(each.path)
            if before is None:
                changes.added.append(each.path)
            elif before[:2] != (each.size, each.changed):
                changes.changed.append(each.path)
            if time.monotonic() > due:
                self._db.commit()
                due = time.monotonic() + _AT_ONCE
        self._db.commit()
        return changes

    def _put(self, found: Found) -> None:
        now = time.time_ns()
        seen = look(self.folder, found)
        path = os.fsencode(found.path)
        self._forget(found.path)
        values = (path, *astuple(seen.entry)[1:], now, _folded(f"{found.path}\n{seen.entry.words}"))
        self._db.execute(f"INSERT INTO files VALUES ({', '.join('?' * len(values))})", values)
        self._db.executemany("INSERT INTO tags VALUES (?, ?, ?)", [(*each, path) for each in seen.tags])
        if seen.thumbnail:
            self._db.execute("INSERT INTO thumbnails VALUES (?, ?)", (path, seen.thumbnail))

    def _forget(self, path: str) -> None:
        for table in ("files", "tags", "thumbnails"):
            self._db.execute(f"DELETE FROM {table} WHERE path = ?", (os.fsencode(path),))

    def _sound(self, work: Callable[[], Changes]) -> Changes:
        try:
            return work()
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                self.rebuild()
            else:  # a full disk, or a cache that cannot be written any more
                self._db.close()
                self._db = self._in_memory()
            return work()

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Inside, no other process changes the index."""
        if self._lock is None:
            yield
            return
        with self._lock:
            yield

    def _opened(self) -> sqlite3.Connection:
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            db = _connected(str(self.place))
            if _is_ready(db):  # another process may be bringing it up to date: it can be read meanwhile
                return db
            db.close()
            with self._alone():
                db = _connected(str(self.place))
                if not _is_ready(db):
                    db = self._made_anew(db)
                return db
        except (OSError, sqlite3.OperationalError):
            return self._in_memory()

    def _made_anew(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """The index, empty; called with the lock held."""
        db.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.place}{suffix}").unlink(missing_ok=True)
        db = _connected(str(self.place))
        _fill(db)
        return db

    def _in_memory(self) -> sqlite3.Connection:
        self._lock, db = None, _connected(":memory:")
        _fill(db)
        return db


def _connected(place: str) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=_PATIENCE)


def _folded(text: str) -> str:
    """For comparing; bytes that are no text as `?`, which SQLite takes."""
    return text.encode(errors="replace").decode().casefold()


def _is_ready(db: sqlite3.Connection) -> bool:
    """Whether it is an index of this version; not where it is new, damaged, or of another."""
    try:
        return db.execute("SELECT format FROM made").fetchall() == [(_FORMAT,)]
    except sqlite3.DatabaseError as error:
        if _is_damage(error) or "no such table" in str(error):
            return False
        raise


def _fill(db: sqlite3.Connection) -> None:
    """Make the tables of a new index."""
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(_SCHEMA)
    db.execute("INSERT INTO made VALUES (?)", (_FORMAT,))
    db.commit()


def _is_known(found: Found, before: tuple[int, int, int] | None) -> bool:
    """Whether a file is as it was when it was looked at."""
    return before is not None and before[:2] == (found.size, found.changed) and not 0 <= before[2] - found.changed <= _TICK


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return type(error) is sqlite3.DatabaseError  # what the machine is to blame for has kinds of its own
