"""The queue as the process that does the jobs has it: what it takes up, how far it is, what came of it.

What keeps a job from being lost, and from having two results, whenever either process is killed:

- A result is made whole below `work/JOB`. Then it gets a row (`announced`), with its number in the job and the name that it will have; from
  then on that number is never made again. Then it is renamed into `pictures/`, and then its row says so (`moved`), which together with the
  last of the job says that the job is done.
- So a file below `pictures/` always has a row; a row whose file was not renamed yet has it below `work/JOB`, and `settling.settle` renames
  it before anybody takes up a job; and what has no row was never to be seen, and is made again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from reverie.studio.jobs.database import Database
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.queue import setting, told, told_order, waiting
from reverie.studio.jobs.records import MOST_CRASHES, State


class Claimed(NamedTuple):
    """A job that was taken up."""

    id: int
    command: str
    subjects: str
    choices: str


class Result(NamedTuple):
    """A result that has its row.

    Attributes:
        origin: its file below `work/JOB`. name: that it has, or will have, below `pictures/`.
    """

    number: int
    job: int
    origin: str
    name: str


class Ledger:
    """See `Queue` for what it raises."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._database = Database(home.database)
        self._lightly = Database(home.database, durable=False)  # for how far something is

    def claim(self) -> Claimed | None:
        """The first job that waits, which runs from now on; None where there is none, or where the queue is held."""
        with self._database.changing() as change:
            held = change.execute("SELECT value FROM settings WHERE name = 'held'").fetchone()
            order = [] if held is not None and held[0] else waiting(change)
            if not order:
                return None
            change.execute(
                "UPDATE jobs SET state = 'running', started = ?, ended = NULL, fault = '', left = NULL WHERE id = ?",
                (time.time(), order[0]),
            )  # fmt: skip
            told(change, "job", order[0])
            told_order(change)
            row = change.execute("SELECT id, command, subjects, choices FROM jobs WHERE id = ?", (order[0],)).fetchone()
            return Claimed(*row)

    def state(self, job: int) -> State | None:
        """Of a job; None of one that was cleared."""
        rows = self._lightly.read("SELECT state FROM jobs WHERE id = ?", job)
        found: State | None = rows[0]["state"] if rows else None
        return found

    @property
    def held(self) -> bool:
        return bool(setting(self._lightly, "held"))

    def progressed(self, job: int, done: float, doing: str, left: float | None) -> None:
        """How far a job is, 0..1, in words, and seconds that are left."""
        with self._lightly.changing() as change:
            change.execute(
                "UPDATE jobs SET done = ?, doing = ?, left = ? WHERE id = ? AND state = 'running'", (done, doing[:200], left, job)
            )
            told(change, "job", job)

    def planned(self, job: int, units: int) -> None:
        """How many results it will have."""
        with self._database.changing() as change:
            change.execute("UPDATE jobs SET units = ? WHERE id = ?", (units, job))

    def noted(self, job: int, notes: str) -> None:
        """What there is to know of its results so far."""
        with self._lightly.changing() as change:
            change.execute("UPDATE jobs SET doing = ? WHERE id = ?", (notes[:2000], job))

    def made(self, job: int) -> set[int]:
        """The numbers of the results that have a row, and are not made again."""
        rows = self._database.read("SELECT unit FROM results WHERE job = ? AND unit IS NOT NULL", job)
        return {row["unit"] for row in rows}

    def announced(self, job: int, made: Sequence[tuple[int | None, str, str]], is_free: Callable[[str], bool]) -> list[Result]:
        """Give results their rows.

        Args:
            made: of each its number (None: it is not whole, and does not count as made), its file below `work/JOB`, and the name that it
                shall have; of one that is taken another is made from it.
            is_free: whether nothing below `pictures/` or in the trash has a name.
        """
        found = []
        with self._database.changing() as change:
            for unit, origin, wanted in made:
                name = _free(change, wanted, is_free)
                row = change.execute("INSERT INTO results (job, unit, origin, name) VALUES (?, ?, ?, ?)", (job, unit, origin, name))
                found.append(Result(int(row.lastrowid or 0), job, origin, name))
        return found

    def unmoved(self) -> list[Result]:
        """Results that have a row, and may not be below `pictures/` yet."""
        rows = self._database.read("SELECT number, job, origin, name FROM results WHERE NOT moved ORDER BY number")
        return [Result(*row) for row in rows]

    def renamed(self, result: Result, is_free: Callable[[str], bool]) -> Result:
        """The same with another name: the old one was taken meanwhile."""
        with self._database.changing() as change:
            name = _free(change, result.name, is_free)
            change.execute("UPDATE results SET name = ? WHERE number = ?", (name, result.number))
        return result._replace(name=name)

    def moved(self, results: Sequence[Result]) -> None:
        """They are below `pictures/`; a job all of whose results are is done."""
        with self._database.changing() as change:
            for each in results:
                change.execute("UPDATE results SET moved = 1 WHERE number = ?", (each.number,))
                told(change, "picture", each.name, {"name": each.name, "job": each.job})
            for job in {each.job for each in results}:
                self._done_if_whole(change, job)
                told(change, "job", job)

    def done_if_whole(self, job: int) -> bool:
        """Whether all its results are there, so that it is done."""
        with self._database.changing() as change:
            return self._done_if_whole(change, job)

    def ended(self, job: int, state: State, fault: str = "") -> None:
        """A job that runs has come to this end; one that was cancelled or paused meanwhile stays so."""
        with self._database.changing() as change:
            change.execute(
                "UPDATE jobs SET state = ?, fault = ?, ended = ?, left = NULL WHERE id = ? AND state = 'running'",
                (state, fault, time.time(), job),
            )
            told(change, "job", job)

    def put_back(self) -> None:
        """Jobs that run wait again, at their old places: nobody runs them."""
        with self._database.changing() as change:
            for (job,) in change.execute("SELECT id FROM jobs WHERE state = 'running'").fetchall():
                change.execute("UPDATE jobs SET state = 'waiting', left = NULL WHERE id = ?", (job,))
                told(change, "job", job)
            told_order(change)

    def crashed(self, why: str) -> None:
        """The process ended under the jobs that run (there is one at most): each waits again, or is set aside."""
        with self._database.changing() as change:
            for job, crashes in change.execute("SELECT id, crashes + 1 FROM jobs WHERE state = 'running'").fetchall():
                aside = crashes >= MOST_CRASHES
                fault = f"the process that did it ended {crashes} times under it: {why}; where memory was short, a smaller size helps"
                change.execute(
                    "UPDATE jobs SET state = ?, crashes = ?, fault = ?, doing = ?, left = NULL, ended = ? WHERE id = ?",
                    ("aside" if aside else "waiting", crashes, fault if aside else "", "" if aside else "begun again after a crash",
                     time.time() if aside else None, job),
                )  # fmt: skip
                told(change, "job", job)
            told_order(change)

    def previewed(self, preview: int, done: float, *, ended: bool = False, fault: dict[str, Any] | None = None) -> None:
        """There is a new frame of a preview, or it has ended."""
        with self._lightly.changing() as change:
            told(change, "preview", preview, {"preview": preview, "done": done, "ended": ended, "fault": fault})

    def previews_ended(self, why: str) -> None:
        """The previews that were being made are not made any more."""
        with self._lightly.changing() as change:
            rows = change.execute("SELECT key FROM events WHERE kind = 'preview' AND data LIKE '%\"ended\": false%'").fetchall()
            for (preview,) in rows:
                fault = {"fault": why, "remedy": "", "field": None}
                told(change, "preview", preview, {"preview": int(preview), "done": 0.0, "ended": True, "fault": fault})

    def open_jobs(self) -> set[int]:
        """Those whose work is needed still."""
        rows = self._database.read("SELECT id FROM jobs WHERE state NOT IN ('done', 'cancelled')")
        return {row["id"] for row in rows}

    def version(self) -> int:
        """Another number when another process, or the server, has changed something."""
        return self._lightly.version()

    def close(self) -> None:
        self._database.close()
        self._lightly.close()

    def _done_if_whole(self, change: sqlite3.Connection, job: int) -> bool:
        whole = "units IS NOT NULL AND units <= (SELECT COUNT(*) FROM results WHERE job = jobs.id AND unit IS NOT NULL AND moved)"
        found = change.execute(
            f"UPDATE jobs SET state = 'done', done = 1, left = NULL, fault = '', ended = ? WHERE id = ? AND"
            f" state IN ('running', 'waiting', 'paused') AND {whole}",
            (time.time(), job),
        )
        if found.rowcount:
            told(change, "job", job)
            told_order(change)
        return bool(found.rowcount)


def _free(change: sqlite3.Connection, wanted: str, is_free: Callable[[str], bool]) -> str:
    """A name that neither a file nor another result has: the one that is wanted, or one made from it."""
    return next(
        each
        for each in _numbered(wanted)
        if is_free(each) and change.execute("SELECT 1 FROM results WHERE name = ?", (each,)).fetchone() is None
    )


def _numbered(name: str) -> Iterator[str]:
    """The name, and the same with -2, -3 … before its suffix."""
    stem, dot, suffix = name.rpartition(".")
    yield name
    turn = 2
    while True:
        yield f"{stem}-{turn}{dot}{suffix}" if dot else f"{name}-{turn}"
        turn += 1
