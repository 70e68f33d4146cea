"""What people say of pictures, and what is in the trash: a SQLite file in the studio's folder. The pictures themselves are the album's."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS stars (picture TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notes (picture TEXT PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trash (picture TEXT PRIMARY KEY, path BLOB NOT NULL, thrown REAL NOT NULL, words TEXT NOT NULL, thumbnail BLOB);
"""


class Marks:
    """Stars and notes by the id of the picture, and what was thrown away. Any thread may use it."""

    def __init__(self, place: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(place, timeout=30, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def stars(self) -> dict[str, int]:
        """Of each picture that has any, 1..5."""
        return dict(self._rows("SELECT picture, count FROM stars"))

    def notes(self) -> dict[str, str]:
        return dict(self._rows("SELECT picture, note FROM notes"))

    def give_stars(self, picture: str, count: int) -> None:
        """Of `count` 0 they are taken away."""
        if count:
            self._do("INSERT OR REPLACE INTO stars VALUES (?, ?)", picture, count)
        else:
            self._do("DELETE FROM stars WHERE picture = ?", picture)

    def write_note(self, picture: str, note: str) -> None:
        """An empty one is taken away."""
        if note:
            self._do("INSERT OR REPLACE INTO notes VALUES (?, ?)", picture, note)
        else:
            self._do("DELETE FROM notes WHERE picture = ?", picture)

    def throw(self, picture: str, path: bytes, words: str, thumbnail: bytes) -> None:
        self._do("INSERT OR REPLACE INTO trash VALUES (?, ?, ?, ?, ?)", picture, path, time.time(), words, thumbnail)

    def thrown(self) -> list[tuple[str, bytes, float, str]]:
        """What is in the trash, the last first: id, path that it had, when, words."""
        return self._rows("SELECT picture, path, thrown, words FROM trash ORDER BY thrown DESC")

    def thrown_thumbnail(self, picture: str) -> bytes | None:
        found = self._rows("SELECT thumbnail FROM trash WHERE picture = ?", picture)
        return bytes(found[0][0]) if found else None

    def no_more_thrown(self, picture: str) -> None:
        self._do("DELETE FROM trash WHERE picture = ?", picture)

    def _rows(self, query: str, *given: object) -> list[Any]:
        with self._lock:
            return self._db.execute(query, given).fetchall()

    def _do(self, query: str, *given: object) -> None:
        with self._lock, self._db:
            self._db.execute(query, given)
