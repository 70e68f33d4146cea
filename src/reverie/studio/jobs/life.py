"""Whether the job that runs gives signs of life, as the server hears it; and the end of one that was cancelled and gives none."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess

from reverie.errors import OutputError, ReverieError
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.ledger import Ledger
from reverie.studio.jobs.protocol import Message

PATIENCE, PATIENCE_BUSY = 20.0, 600.0  # seconds without a sign, after which a job that was cancelled hangs; of one that said it is busy
LOOK = 1.0  # seconds between two looks
_SLOW = 3.0  # it may take so many times what it took between two signs before


class Life:
    """Of the jobs of one process, one after another. Any thread may use it.

    Args:
        home: whose jobs they are.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._job: int | None = None
        self._last = time.monotonic()
        self._longest = 0.0  # seconds between two signs of this job
        self._busy = False
        self._cancelled: float | None = None  # when that was seen

    @property
    def silent(self) -> float:
        """Seconds since the last sign; 0 where no job runs."""
        with self._lock:
            return 0.0 if self._job is None else time.monotonic() - self._last

    def heard(self, message: Message) -> None:
        """Something came from the process."""
        now = time.monotonic()
        with self._lock:
            if message.kind == "alive":
                job = int(message.key)
                if job != self._job:
                    self._job, self._longest, self._cancelled = job, 0.0, None
                elif not self._busy:
                    self._longest = max(self._longest, now - self._last)
                self._busy = bool(message.what.get("busy"))
            elif message.kind == "job frame" and not message.content:  # it has ended
                self._job = None
            self._last = now

    def watch(self, process: BaseProcess) -> None:
        """End the process where a job was cancelled and does not react; in a thread, until the process ends."""
        threading.Thread(target=self._watch, args=(process,), name="reverie-worker-life", daemon=True).start()

    def _watch(self, process: BaseProcess) -> None:
        while process.is_alive():
            process.join(LOOK)
            with suppress(ReverieError):  # the queue cannot be read now
                if self._hangs():
                    process.kill()

    def _hangs(self) -> bool:
        """Whether a job was cancelled, and has given no sign for longer than it may take."""
        job = self._job
        cancelled = job is not None and self._is_cancelled(job)
        now = time.monotonic()
        with self._lock:
            if not cancelled or job != self._job:
                self._cancelled = None
                return False
            self._cancelled = self._cancelled or now
            patience = PATIENCE_BUSY if self._busy else max(PATIENCE, _SLOW * self._longest)
            return now - max(self._cancelled, self._last) > patience

    def _is_cancelled(self, job: int) -> bool:
        ledger = Ledger(self._home)
        try:
            return ledger.state(job) == "cancelled"
        finally:
            ledger.close()


def how_it_ended(code: int | None) -> str:
    """The end of a process in words, by its exit code."""
    if code is None or code >= 0:
        return f"it ended with {code}"
    known = {each.value: each.name for each in signal.Signals}
    return f"it was ended by {known.get(-code, f'signal {-code}')}"


def unanswered() -> OutputError:
    """What a question leads to whose process ended."""
    return OutputError("the process that does the work ended before it had answered", "it is started again: ask again")
