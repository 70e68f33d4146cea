"""The file of the queue: SQLite, written ahead and synced, so that what was told to be done is there after a power cut."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reverie.errors import InputError, OutputError

VERSION = 1
_PATIENCE = 30.0  # seconds that a process waits for another that writes
_TABLES = (
    "CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, subjects TEXT NOT NULL,"
    " choices TEXT NOT NULL, state TEXT NOT NULL, position REAL NOT NULL, done REAL NOT NULL DEFAULT 0, doing TEXT NOT NULL DEFAULT '',"
    " left REAL, crashes INTEGER NOT NULL DEFAULT 0, fault TEXT NOT NULL DEFAULT '', units INTEGER, made REAL NOT NULL, started REAL,"
    " ended REAL)",
    "CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, position)",
    # a result: `unit` is its number in the job, NULL of one that was not finished; `origin` its file below work/JOB until it is `moved`
    "CREATE TABLE IF NOT EXISTS results (number INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL, unit INTEGER,"
    " origin TEXT NOT NULL, name TEXT NOT NULL UNIQUE, moved INTEGER NOT NULL DEFAULT 0, UNIQUE (job, unit))",
    "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, data TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS events_by_key ON events (kind, key)",
    "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
)


class Database:
    """A connection, which threads may share.

    Args:
        path: of the file, made where it is not there.
        durable: whether what is written is synced before it counts as written; how far a job is need not be.

    Raises:
        InputError: the file is damaged, or of a newer Reverie. OutputError: it cannot be opened or made.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._told():
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            self.close()
            raise InputError(f"'{path}' was written by a newer Reverie", "install that one, or give another folder")
        if version < VERSION:
            with self.changing() as change:
                for each in _TABLES:
                    change.execute(each)
                change.execute(f"PRAGMA user_version={VERSION}")

    def read(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._told(), self._lock:
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Inside is one change: all of it is there afterwards, or after an error none.

        Raises:
            OutputError: no room, not writable, or another process has been writing for half a minute.
        """
        with self._lock, self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def version(self) -> int:
        """Another number when another connection has changed something."""
        (row,) = self.read("PRAGMA data_version")
        return int(row[0])

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite finds wrong, in our words."""
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
            raise OutputError(
                f"'{self.path}' cannot be read or written ({error})", "see that there is room, and that it may be written"
            ) from error
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"'{self.path}' is damaged ({error})", "move it away: the pictures beside it are not touched by that"
            ) from error
