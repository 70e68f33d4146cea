"""What the tests of the studio share: a picture to hand in, and waiting for what the queue tells."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reverie.studio.jobs import Home, Job, Queue, Worker
from reverie.studio.jobs.ledger import Ledger
from reverie.studio.jobs.mailbox import Inbox, Outbox
from reverie.studio.jobs.protocol import Message

PATIENCE = 120.0  # seconds; the slowest machine needs less to start a process that loads torch
QUICK = {"octaves": 1, "steps": 2, "level": "edges"}
LONG = {"octaves": 1, "steps": 100_000, "level": "edges"}  # that nobody waits for

# a server of no pages; it says the id of its process, and of each that is started in the place of one that ended
SERVER = """
import sys, threading
from pathlib import Path
from reverie.studio.jobs import Home, Worker

def tell(worker):
    told = None
    while True:
        try:
            worker.ask("networks").result(120)
        except Exception:
            pass
        if worker.pid not in (None, told):
            told = worker.pid
            print(told, flush=True)
        threading.Event().wait(0.05)

if __name__ == "__main__":
    home = Home(Path(sys.argv[1]))
    with home.serving():
        worker = Worker(home)
        worker.start()
        threading.Thread(target=tell, args=(worker,), daemon=True).start()
        sys.stdin.read()
        worker.stop(30)
"""


def sky(height: int = 32, width: int = 40, seed: int = 0) -> bytes:
    """The PNG file of a soft picture."""
    values = np.random.default_rng(seed).integers(0, 255, (4, 5, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def ends_at_once(_connection: object, _folder: str) -> None:
    """In the place of the process that does the jobs."""
    sys.exit(3)


def never_ready(_connection: object, _folder: str) -> None:
    """In its place, one that loads torch for ever."""
    threading.Event().wait()


def hangs(connection: Connection, folder: str) -> None:
    """In the place of the process that does the jobs: an imagined banana hangs at its first step, all else is done at once."""
    inbox, outbox = Inbox(connection), Outbox(connection)
    home = Home(Path(folder))
    with home.working():
        ledger = Ledger(home)
        ledger.put_back()
        outbox.send(Message("ready", what={"device": "cpu"}))
        while not inbox.stopped:
            job = ledger.claim()
            if job is None:
                inbox.wait(0.05)
                continue
            outbox.send(Message("alive", job.id, {"busy": False}))
            if "banana" in job.subjects:
                threading.Event().wait()
            ledger.ended(job.id, "done")
            outbox.send(Message("job frame", job.id))


def until(queue: Queue, holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something holds, looking again whenever the queue tells of something, or soon at least."""
    ends, seen = time.monotonic() + patience, queue.last_event
    while not holds():
        assert time.monotonic() < ends, queue.jobs()
        found = queue.wait(seen, 0.2)
        seen = found[-1].id if found else seen


def ended(queue: Queue, number: int, patience: float = PATIENCE) -> Job:
    """The job once it neither waits nor runs."""
    until(queue, lambda: queue.job(number).state not in ("waiting", "running"), patience)
    return queue.job(number)


class Studio:
    """A home, its queue, its process, and a picture that was handed in."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.queue, self.worker = Queue(self.home), Worker(self.home)
        self.picture = f"input:{self.home.keep(sky(), 'sky.png')}"

    def running(self, number: int, steps: bool = True) -> None:
        """Wait until a job runs, and has made steps."""

        def holds() -> bool:
            job = self.queue.job(number)
            assert job.state in ("waiting", "running"), job
            return job.state == "running" and (job.done > 0 or not steps)

        until(self.queue, holds)

    def preview(self, number: int) -> Any:
        """What was told of a preview last."""
        found = [each.data for each in self.queue.events(0) if each.data.get("preview") == number]
        return found[0] if found else {"ended": False}

    def cancelled(self, number: int) -> Job:
        """The job, cancelled, with what it had come to."""
        before = len(self.queue.job(number).results)
        self.queue.cancel(number)
        until(self.queue, lambda: len(self.queue.job(number).results) > before)
        return self.queue.job(number)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """As the machine does when memory is short; another process has the place of this one afterwards."""
        pid = self.worker.pid
        assert pid is not None
        os.kill(pid, how)
        until(self.queue, lambda: self.worker.pid not in (None, pid))


def answer(found: Future[Any]) -> Any:
    return found.result(PATIENCE)


def size(jpeg: bytes | None) -> tuple[int, int]:
    assert jpeg is not None
    image = Image.open(BytesIO(jpeg))
    assert image.format == "JPEG"
    return image.size
