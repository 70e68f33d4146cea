"""The queue as its users have it: jobs are added, ordered, paused, cancelled; and what has happened since."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reverie.errors import InputError, UsageError, printable
from reverie.studio.jobs.database import Database
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.records import OPEN, STATES, Event, Job, Kind, State
from reverie.studio.jobs.wishes import checked

KEPT_EVENTS = 10_000
_LOOK = 0.05  # seconds between two looks at whether something has changed
_WITH_PLACE = (
    "SELECT jobs.*, CASE WHEN state = 'waiting' THEN (SELECT COUNT(*) FROM jobs AS other WHERE other.state = 'waiting' AND"
    " other.position < jobs.position) ELSE -1 END AS place FROM jobs"
)


class Queue:
    """The jobs of a home. Several processes may have it open; what it says is done is on disk.

    Args:
        home: whose they are.

    Raises:
        InputError: its file is damaged. OutputError: it cannot be read or written; so raise all methods.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.database = Database(home.database)

    def add(self, command: str, subjects: Sequence[str], choices: Mapping[str, Any]) -> Job:
        """A new job, behind all others. See `wishes.checked` for what can be asked.

        Raises:
            UsageError: what is asked for is no command, or has a choice that is none, out of bounds, or a path.
            InputError: a picture that it names is not here.
        """
        wish = checked(self.home, command, subjects, choices)
        with self.database.changing() as change:
            found = change.execute(
                "INSERT INTO jobs (command, subjects, choices, state, position, made) VALUES (?, ?, ?, 'waiting',"
                " (SELECT COALESCE(MAX(position), 0) + 1 FROM jobs), ?)",
                (wish.command, json.dumps(wish.subjects), json.dumps(wish.choices), time.time()),
            )  # fmt: skip
            number = int(found.lastrowid or 0)
            told(change, "job", number)
            told_order(change)
        return self.job(number)

    def job(self, number: int) -> Job:
        """The job of this id.

        Raises:
            InputError: there is none, or no longer.
        """
        rows = self.database.read(f"{_WITH_PLACE} WHERE id = ?", number)
        if not rows:
            raise _gone(number)
        return self._as_jobs(rows)[0]

    def jobs(self, states: Iterable[State] | None = None, limit: int = 1000, before: int | None = None) -> list[Job]:
        """Jobs in these states (None: in any), the newest first.

        Args:
            before: only those with a smaller id.
        """
        wanted = [*(STATES if states is None else states)]
        marks = ", ".join("?" * len(wanted))
        older = "" if before is None else f" AND id < {int(before)}"
        rows = self.database.read(f"{_WITH_PLACE} WHERE state IN ({marks}){older} ORDER BY id DESC LIMIT {int(limit)}", *wanted)
        return self._as_jobs(rows)

    def pause(self, number: int) -> Job:
        """One that waits is passed over until `resume`; one that runs stops at its next step.

        Finished frames of a film or journey, and finished pictures of several, are kept, and it goes on from there. Of the picture or frame
        that is being made the state is dropped: it begins anew.
        """
        return self._moved_to(number, "paused", ("waiting", "running", "paused"))

    def resume(self, number: int) -> Job:
        """One that was paused waits again, at its old place."""
        return self._moved_to(number, "waiting", ("paused", "waiting", "running"))

    def cancel(self, number: int) -> Job:
        """One that runs stops at its next step (a film after its frame), and the best so far becomes a result."""
        return self._moved_to(number, "cancelled", ("waiting", "running", "paused", "aside", "cancelled"))

    def retry(self, number: int) -> Job:
        """One that failed, was cancelled or set aside waits again, at its old place; what of it is finished is not made again."""
        return self._moved_to(
            number, "waiting", ("failed", "cancelled", "aside", "waiting", "running"), fault="", crashes=0, done=0.0, doing=""
        )

    def move(self, number: int, place: int) -> Job:
        """One that waits comes to this place among those that wait, from 0; behind the last it is the last.

        Raises:
            UsageError: it does not wait.
        """
        with self.database.changing() as change:
            order = waiting(change)
            if number not in order:
                raise _wrong_state(number, change, "is not waiting")
            positions = [change.execute("SELECT position FROM jobs WHERE id = ?", (each,)).fetchone()[0] for each in order]
            order.remove(number)
            order.insert(max(0, int(place)), number)
            change.executemany("UPDATE jobs SET position = ? WHERE id = ?", zip(positions, order, strict=True))
            told(change, "job", number)
            told_order(change)
        return self.job(number)

    def clear(self, states: Iterable[State] = ("done", "failed", "cancelled", "aside")) -> int:
        """Forget the jobs in these states; their results stay. One that runs is never forgotten.

        Returns:
            how many there were.
        """
        wanted = [each for each in states if each in STATES and each != "running"]
        marks = ", ".join("?" * len(wanted))
        with self.database.changing() as change:
            # one whose results are still on their way is left until they are there
            gone = change.execute(
                f"SELECT id FROM jobs WHERE state IN ({marks}) AND NOT EXISTS (SELECT 1 FROM results WHERE job = jobs.id AND NOT moved)",
                wanted,
            ).fetchall()
            for (number,) in gone:
                told(change, "job", number, {"id": number, "state": "cleared"})
                change.execute("DELETE FROM jobs WHERE id = ?", (number,))
            told_order(change)
        return len(gone)

    def hold(self) -> None:
        """No job begins, and the one that runs waits at its next step, until `go_on`. Previews go on."""
        self._hold(True)

    def go_on(self) -> None:
        """The opposite of `hold`."""
        self._hold(False)

    @property
    def held(self) -> bool:
        """Whether `hold` was said; that outlives a restart."""
        return bool(setting(self.database, "held"))

    @property
    def last_event(self) -> int:
        """The id of the newest event; 0 before the first."""
        return _last_event(self.database)

    def events(self, after: int, limit: int = 1000) -> list[Event]:
        """What happened after an event, in order. Of one thing only the last is told, as it is now.

        Where events after that one are no longer kept (or it is of another home), the first that is told is of kind `queue` and has
        `"missed": True`: read the state anew.
        """
        last, floor = self.last_event, setting(self.database, "floor")
        found: list[Event] = []
        if after > last or after < floor:
            found.append(Event(last if after > last else floor, "queue", {"held": self.held, "order": self._order(), "missed": True}))
            after = found[0].id
        rows = self.database.read("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?", after, max(0, limit - len(found)))
        numbers = [int(row["key"]) for row in rows if row["kind"] == "job" and not row["data"]]
        marks = ", ".join("?" * len(numbers))
        jobs = {each.id: each for each in self._as_jobs(self.database.read(f"{_WITH_PLACE} WHERE id IN ({marks})", *numbers))}
        for row in rows:
            if row["data"]:
                found.append(Event(row["id"], row["kind"], json.loads(row["data"])))
            elif row["kind"] == "queue":
                found.append(Event(row["id"], "queue", {"held": self.held, "order": self._order()}))
            elif int(row["key"]) in jobs:
                found.append(Event(row["id"], "job", jobs[int(row["key"])].as_data()))
        return found

    def wait(self, after: int, seconds: float) -> list[Event]:
        """The same, as soon as there are any, or none after so long. Whoever changes the queue, this process or another, is heard of."""
        ends = time.monotonic() + seconds
        while self.last_event == after and (left := ends - time.monotonic()) > 0:
            threading.Event().wait(min(_LOOK, left))
        return self.events(after)

    def made(self, name: str) -> None:
        """Tell that there is something new below `pictures/` that no job made."""
        with self.database.changing() as change:
            told(change, "picture", name, {"name": name, "job": None})

    def close(self) -> None:
        self.database.close()

    def _order(self) -> list[int]:
        return [row["id"] for row in self.database.read("SELECT id FROM jobs WHERE state = 'waiting' ORDER BY position")]

    def _hold(self, held: bool) -> None:
        with self.database.changing() as change:
            set_setting(change, "held", int(held))
            told_order(change)

    def _moved_to(self, number: int, state: State, from_: Sequence[State], **also: Any) -> Job:
        """Bring a job from one of these states to another. One that is there already stays as it is."""
        with self.database.changing() as change:
            row = change.execute("SELECT state FROM jobs WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise _gone(number)
            if row["state"] not in from_:
                raise _wrong_state(number, change, f"cannot become {state}")
            if row["state"] == state or (state == "waiting" and row["state"] == "running"):
                return self.job(number)
            also = {**also, "ended": None if state in OPEN else time.time(), "left": None}
            change.execute(
                f"UPDATE jobs SET state = ?, {', '.join(f'{name} = ?' for name in also)} WHERE id = ?", (state, *also.values(), number)
            )
            told(change, "job", number)
            told_order(change)
        return self.job(number)

    def _as_jobs(self, rows: Sequence[sqlite3.Row]) -> list[Job]:
        marks = ", ".join("?" * len(rows))
        made: dict[int, list[str]] = {row["id"]: [] for row in rows}
        query = f"SELECT job, name FROM results WHERE moved AND job IN ({marks}) ORDER BY unit IS NULL, unit, number"
        for each in self.database.read(query, *made):
            made[each["job"]].append(each["name"])
        return [_as_job(row, tuple(made[row["id"]])) for row in rows]


def _as_job(row: sqlite3.Row, results: tuple[str, ...]) -> Job:
    same = ("id", "command", "state", "place", "done", "doing", "left", "crashes", "fault", "made", "started", "ended")
    return Job(
        subjects=tuple(json.loads(row["subjects"])), choices=json.loads(row["choices"]), results=results,
        **{name: row[name] for name in same}
    )  # fmt: skip


def told(change: sqlite3.Connection, kind: Kind, key: object, data: Mapping[str, Any] | None = None) -> None:
    """Note an event in the place of an earlier one of the same thing; a job without data is told as it is when somebody asks."""
    change.execute("DELETE FROM events WHERE kind = ? AND key = ?", (kind, str(key)))
    made = change.execute(
        "INSERT INTO events (kind, key, data) VALUES (?, ?, ?)", (kind, str(key), "" if data is None else json.dumps(data))
    )
    floor = int(made.lastrowid or 0) - KEPT_EVENTS
    if floor > 0 and change.execute("DELETE FROM events WHERE id <= ?", (floor,)).rowcount:
        set_setting(change, "floor", floor)


def told_order(change: sqlite3.Connection) -> None:
    """Note that the order of those that wait, or whether the queue is held, may be another."""
    told(change, "queue", "queue")


def waiting(change: sqlite3.Connection) -> list[int]:
    """The ids of those that wait, in order."""
    return [row["id"] for row in change.execute("SELECT id FROM jobs WHERE state = 'waiting' ORDER BY position").fetchall()]


def setting(database: Database, name: str) -> int:
    rows = database.read("SELECT value FROM settings WHERE name = ?", name)
    return int(rows[0]["value"]) if rows else 0


def set_setting(change: sqlite3.Connection, name: str, value: int) -> None:
    change.execute(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )


def _last_event(database: Database) -> int:
    rows = database.read("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
    return int(rows[0]["seq"]) if rows else 0


def _gone(number: object) -> InputError:
    return InputError(f"there is no job {printable(number)[:20]}", "it may have been cleared: its pictures are in the gallery")


def _wrong_state(number: int, change: sqlite3.Connection, what: str) -> UsageError | InputError:
    row = change.execute("SELECT state FROM jobs WHERE id = ?", (number,)).fetchone()
    return _gone(number) if row is None else UsageError(f"job {number} is {row['state']}, and {what}", "look at the queue again")
