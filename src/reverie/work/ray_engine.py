"""The engine that makes tasks on a Ray cluster: workers hold what is opened, tasks travel as data, what came of them is written here.

A worker that dies, or gives no sign of life for long, is replaced, and its task tried again; a task that does so twice is set aside.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reverie.errors import InputError, OutputError, ReverieError, choice, first_line
from reverie.version import __version__
from reverie.work.any_order import Doing, Outcome, kept_so_far
from reverie.work.engines import Opening, Result, Task
from reverie.work.ray_cluster import LOCAL, Cluster
from reverie.work.ray_worker import Answer, Worker

_TRIES = 2  # of a task whose worker dies over it
_DEATHS = 4  # of workers in a row before any is ready, after which the cluster is to blame
_SEAT = 300.0  # seconds until a first worker has its place on the cluster and is ready
_LOOK = 0.2  # seconds between two looks
_ASK = 1.0  # seconds between two questions of how far a task is


@dataclass(frozen=True)
class RayChoices:
    """Where it works.

    Attributes:
        on: `ray` for a cluster of this machine alone, which begins and ends with the work; `auto`, `HOST:PORT` or `ray://HOST:PORT`.
        workers: how many; None for as many as there is room for.
        threads: of each. gpus: of each; a part of one is shared.
        patience: seconds without a sign of life after which a task is given up.
    """

    on: str = LOCAL
    workers: int | None = None
    threads: int = 1
    gpus: float = 0.0
    patience: float = 900.0


class RayEngine:
    """Makes tasks on a Ray cluster, which is reached or started at the first one.

    Raises:
        as `Cluster`, from `run`.
    """

    def __init__(self, choices: RayChoices, processors: int) -> None:
        self.choices = choices
        self._processors = processors  # of this machine
        self._cluster: Cluster | None = None
        self._seats: list[_Seat] = []
        self._opening: Opening | None = None

    @property
    def name(self) -> str:
        return "Ray" if self.choices.on == LOCAL else f"the Ray cluster at {self.choices.on}"

    def run(
        self,
        tasks: Sequence[Task],
        opening: Opening,
        done: Callable[[Task, Result], object],
        watcher: Callable[[Doing], object] | None = None,
    ) -> Outcome[Task]:
        """See `Engine.run`. `opening` is pickled."""
        if not tasks:
            return Outcome(0)
        cluster = self._connected()
        if self._opening is not None and self._opening != opening:
            self._dismiss()
        self._opening = opening
        count = min(len(tasks), self._workers(cluster))
        running = _Running(cluster.ray, self.choices, pickle.dumps(opening), self._seats, count, tasks, done, watcher)
        try:
            return running.go()
        except BaseException:
            self._dismiss()
            raise

    def close(self) -> None:
        """The workers end, and a cluster of this machine alone."""
        self._dismiss()
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None

    def _connected(self) -> Cluster:
        if self._cluster is None:
            self._cluster = Cluster(self.choices.on, (self.choices.workers or self._room_here()) * self.choices.threads)
        return self._cluster

    def _room_here(self) -> int:
        return max(1, self._processors // self.choices.threads)

    def _workers(self, cluster: Cluster) -> int:
        """How many workers the cluster has room for, or those that were asked for."""
        if self.choices.workers is not None:
            return self.choices.workers
        found = 0
        for each in cluster.resources():
            room = int(each.get("CPU", 0.0) // self.choices.threads)
            found += min(room, int(each.get("GPU", 0.0) / self.choices.gpus + 1e-9)) if self.choices.gpus else room
        return max(1, found)

    def _dismiss(self) -> None:
        for seat in self._seats:
            seat.end()
        self._seats.clear()
        self._opening = None


class _Seat:
    """A worker and what it is at.

    Attributes:
        ready: whether it has opened what it makes tasks with. task: the number of the one that it makes; None of one that is idle.
        call: what is waited for. share, part: how far the task is.
    """

    def __init__(self, ray: Any, choices: RayChoices, opening: Any) -> None:
        self._ray = ray
        kind = ray.remote(
            num_cpus=choices.threads, num_gpus=choices.gpus, max_restarts=0, max_task_retries=0,
            max_concurrency=2,
        )(Worker)  # fmt: skip
        self._worker = kind.remote()
        self.call: Any = self._worker.open.remote(opening, __version__)
        self.ready = False
        self.task: int | None = None
        self.share, self.part = 0.0, ""
        self._question: Any = None
        self._ticks, self._alive = -1, time.monotonic()
        self._asked = 0.0

    def give(self, number: int, task: Task) -> None:
        """Begin a task."""
        self.task, self.share, self.part = number, 0.0, ""
        self._ticks, self._alive = -1, time.monotonic()
        self.call = self._worker.make.remote(task)

    def rest(self) -> None:
        """It has nothing to do."""
        self.task, self.call = None, None

    def silence(self) -> float:
        """Seconds since the last sign of life; asks for one now and then."""
        now = time.monotonic()
        if self._question is not None:
            answered, _ = self._ray.wait([self._question], timeout=0)
            if answered:
                self._question = None
                try:
                    ticks, self.share, self.part = self._ray.get(answered[0])
                except Exception:  # noqa: BLE001  # it is dead, which the call tells too
                    return now - self._alive
                if ticks != self._ticks:
                    self._ticks, self._alive = ticks, now
        elif now - self._asked >= _ASK:
            self._asked = now
            self._question = self._worker.told.remote()
        return now - self._alive

    def end(self) -> None:
        """Its process ends, whatever it is at."""
        try:
            self._ray.kill(self._worker, no_restart=True)
        except Exception:  # noqa: BLE001  # it is dead, or the cluster is
            return


class _Running:
    """Tasks on their way through some workers."""

    def __init__(
        self, ray: Any, choices: RayChoices, opening: bytes, seats: list[_Seat], count: int, tasks: Sequence[Task],
        done: Callable[[Task, Result], object], watcher: Callable[[Doing], object] | None,
    ) -> None:  # fmt: skip
        self._ray, self._choices, self._seats, self._count = ray, choices, seats, count
        self._tasks, self._done, self._watcher = tasks, done, watcher
        self._opening = ray.put(opening)
        self._left = deque(range(len(tasks)))
        self._tries = [0] * len(tasks)
        self._outcome: Outcome[Task] = Outcome(0)
        self._began, self._behind, self._whole = time.monotonic(), 0.0, sum(each.weight for each in tasks)
        self._deaths = 0

    def go(self) -> Outcome[Task]:
        while self._left or self._busy():
            self._fill()
            calls = {seat.call: seat for seat in self._seats if seat.call is not None}
            answered, _ = self._ray.wait(list(calls), num_returns=len(calls), timeout=_LOOK, fetch_local=False)
            for call in answered:
                self._hear(calls[call])
            self._look_for_silent()
            if self._told() and (self._left or self._busy()):
                self._outcome.stopped = True
                for seat in self._busy():  # what it is at is lost, and nothing else
                    self._end(seat)
                break
        return self._outcome

    def _busy(self) -> list[_Seat]:
        return [each for each in self._seats if each.task is not None]

    def _fill(self) -> None:
        """Every worker that is ready has a task, and there are as many workers as are wanted."""
        idle = [each for each in self._seats if each.ready and each.task is None]
        while idle and self._left:
            number = self._left.popleft()
            idle.pop().give(number, self._tasks[number])
        wanted = min(self._count, len(self._left) + len(self._busy()))
        while len(self._seats) < wanted:
            self._seats.append(_Seat(self._ray, self._choices, self._opening))

    def _hear(self, seat: _Seat) -> None:
        """What came of a call."""
        try:
            answer: Answer = self._ray.get(seat.call)
        except Exception as error:  # noqa: BLE001  # Ray raises what kept the answer from coming: the worker's end, first of all
            self._lost(seat, f"its worker died: {_cause(error)}")
            return
        if not seat.ready:
            self._opened(seat, answer)
            return
        assert seat.task is not None
        number = seat.task
        seat.rest()
        if answer.fault is not None:
            self._set_aside(number, answer.fault)
        elif answer.result is None:
            self._again(number, answer.broken or "it gave nothing")
        else:
            self._put(number, answer.result)

    def _opened(self, seat: _Seat, answer: Answer) -> None:
        if answer.fault is not None:
            raise answer.fault
        if answer.broken:
            raise OutputError(f"a worker of the cluster cannot get ready ({answer.broken})", f"leave out {choice('on')}")
        seat.ready, self._deaths = True, 0
        seat.rest()

    def _put(self, number: int, result: Result) -> None:
        task = self._tasks[number]
        try:
            self._done(task, result)
        except OutputError as error:
            raise kept_so_far(error, self._outcome.finished, len(self._tasks)) from error
        except ReverieError as error:
            self._outcome.faults.append((task, error))
        else:
            self._outcome.finished += 1
        self._behind += task.weight

    def _lost(self, seat: _Seat, why: str) -> None:
        """A worker is no more: another takes its place, and its task is tried again."""
        number = seat.task
        self._end(seat)
        if number is not None:
            self._again(number, why)
            return
        self._deaths += 1
        if self._deaths >= _DEATHS:
            raise OutputError(f"workers of the cluster end before they are ready ({why})", f"leave out {choice('on')}")

    def _again(self, number: int, why: str) -> None:
        self._tries[number] += 1
        if self._tries[number] < _TRIES:
            self._left.append(number)
            return
        fault = f"'{self._tasks[number].name}' was tried {_TRIES} times, and {why}"
        self._set_aside(number, InputError(fault, "the same command tries it once more"))

    def _set_aside(self, number: int, fault: ReverieError) -> None:
        self._outcome.faults.append((self._tasks[number], fault))
        self._behind += self._tasks[number].weight

    def _look_for_silent(self) -> None:
        for seat in self._busy():
            if seat.silence() > self._choices.patience:
                self._lost(seat, f"gave no sign of life for {self._choices.patience:g} seconds")
        if not any(each.ready for each in self._seats) and time.monotonic() - self._began > _SEAT:
            fault = f"no worker of the cluster was ready within {_SEAT:g} seconds"
            raise OutputError(fault, f"see that it has room: fewer {choice('threads')}, or fewer {choice('gpus_per_worker')}")

    def _end(self, seat: _Seat) -> None:
        seat.end()
        self._seats.remove(seat)

    def _told(self) -> bool:
        if self._watcher is None:
            return False
        busy = self._busy()
        part = sum(seat.share * self._tasks[seat.task].weight for seat in busy if seat.task is not None)
        here = self._behind + part
        count = self._outcome.finished + len(self._outcome.faults)
        left = (self._whole - here) * (time.monotonic() - self._began) / here if self._behind and here else None
        words = max((seat.part for seat in busy), key=len, default="") if busy else "workers get ready"
        number = min(count, len(self._tasks) - 1)
        return bool(self._watcher(Doing(number, len(self._tasks), 0, part, words, here / self._whole if self._whole else 1.0, left)))


def _cause(error: Exception) -> str:
    """Why a worker died, in a line."""
    return first_line(error).removeprefix("The actor died unexpectedly before finishing this task.").strip() or type(error).__name__
