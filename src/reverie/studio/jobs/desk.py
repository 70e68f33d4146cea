"""What the process does, one thing after another; and what goes before another thing, between two of its steps."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from reverie.api import plan_dream
from reverie.ascent import Progress, between_steps
from reverie.errors import OutputError, ReverieError
from reverie.networks.prepared.device import choose
from reverie.recipe import LEVELS
from reverie.studio.jobs.answers import answer
from reverie.studio.jobs.camera import Cameras
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.ledger import Claimed, Ledger
from reverie.studio.jobs.mailbox import Inbox, Outbox
from reverie.studio.jobs.making import make
from reverie.studio.jobs.open_networks import OpenNetworks
from reverie.studio.jobs.previews import Preview
from reverie.studio.jobs.protocol import Message, as_fault, fault_of, unforeseen
from reverie.studio.jobs.running import Left, Running
from reverie.studio.jobs.settling import settle

_FIRST = (240, 320)  # height and width of the first dream, that of many previews
_IDLE = 0.25  # seconds between two looks at the queue
_DEEPEST = 4  # previews of which one goes before another
_AGAIN = 5.0  # seconds until it is tried again where it cannot be written


class Desk:
    """Questions go first, then the camera, then previews, the newest before others, then jobs.

    One thing is done at a time, in one thread: what goes first is done between two steps of what it interrupts, which then goes on.

    Args:
        home: whose queue. inbox, outbox: from and to the server.
    """

    def __init__(self, home: Home, inbox: Inbox, outbox: Outbox) -> None:
        self.home, self.inbox, self.outbox = home, inbox, outbox
        self.ledger = Ledger(home)
        self.networks = OpenNetworks()
        self.cameras = Cameras(self.networks)
        self._depth = 0  # of what goes before what
        self._seen = -1  # version of the queue in which nothing waited
        self._owed = 0.0  # seconds that the running job has before the next preview that nobody waits for
        self._cold: list[str | None] = [None, *reversed(LEVELS)]  # levels of which nothing was dreamt yet; None: the usual one

    def run(self) -> None:
        """Until the server says stop."""
        settle(self.home, self.ledger)
        self.ledger.put_back()  # of a server and its process that were killed together
        self.outbox.send(Message("ready", what={"device": choose(None).type}))
        self.attend()
        self._warm_up()
        while not self.inbox.stopped:
            self.attend()
            try:
                job = self._claimed()
                self._owed = 0.0
                if job is None and self._cold:
                    self._warm_up()
                elif job is None:
                    self.inbox.wait(_IDLE)
                else:
                    self._do(job)
            except OutputError:  # the queue cannot be written: no room, perhaps
                self.inbox.wait(_AGAIN)
                with suppress(OutputError):
                    self.ledger.put_back()

    def attend(self) -> None:
        """Do all that goes before jobs."""
        while not self.inbox.stopped:
            self._answer_all()
            message = self.inbox.picture(previews=self._depth < _DEEPEST, patient=not self._depth and self._owed <= 0)
            if message is None:
                return
            began = time.monotonic()
            with self._away(), between_steps(lambda _: self._answer_all()):
                if message.kind == "camera":
                    self.outbox.send(self.cameras.dreamt(message))
                else:
                    self._preview(message)
            if message.what.get("patient"):
                self._owed = time.monotonic() - began

    @contextmanager
    def _away(self) -> Iterator[None]:
        """Inside, what goes wrong is not the fault of the running job; the server knows, whatever happens."""
        self._depth += 1
        if self._depth == 1:
            self.outbox.send(Message("away", what={"away": True}))
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.outbox.send(Message("away", what={"away": False}))

    def _warm_up(self) -> None:
        """What the first who asks would wait for is done before: the usual network is open, and has dreamt once on each level."""

        def step(_: Progress) -> None:
            self.attend()
            if self.inbox.stopped:
                raise Left

        with suppress(ReverieError, Left), between_steps(step):
            level = self._cold.pop(0)
            plan_dream("noise:pink", network=self.networks.get(), level=level, size=_FIRST, octaves=1, steps=2, keep=False).make()

    def _claimed(self) -> Claimed | None:
        version = self.ledger.version()
        if version == self._seen or self.inbox.stopped:
            return None
        job = self.ledger.claim()
        self._seen = version if job is None else -1
        return job

    def _answer_all(self) -> None:
        while (session := self.inbox.closed_camera()) is not None:
            self.cameras.close(session)
        while (message := self.inbox.question()) is not None:
            try:
                with self._away(), between_steps(lambda _: None):  # those of an estimate are nobody's picture
                    found = Message("answer", message.key, {"answer": answer(self.home, self.networks, dict(message.what))})
            except ReverieError as error:
                found = Message("fault", message.key, self.home.in_names(as_fault(error)))
            except Exception as error:  # noqa: BLE001  # a fault of ours must not end the jobs
                found = Message("fault", message.key, self.home.in_names(as_fault(unforeseen(error))))
            self.outbox.send(found)

    def _preview(self, message: Message) -> None:
        number = int(message.key)
        preview: Preview | None = None
        fault = None

        def show(frame: bytes, done: float) -> None:
            self.outbox.send(Message("preview frame", number, content=frame))
            self.ledger.previewed(number, done)

        def step(progress: Progress) -> None:
            self.attend()
            if self.inbox.is_dropped(number) or self.inbox.stopped:
                raise Left
            if preview is not None:
                preview.step(progress)

        try:
            preview = Preview(self.home, self.networks, dict(message.what))
            with between_steps(step):
                preview.make(show)
        except Left:
            pass
        except ReverieError as error:
            fault = fault_of(error)
        except Exception as error:  # noqa: BLE001  # as above
            fault = fault_of(unforeseen(error))
        self.ledger.previewed(number, 0.0 if preview is None else preview.done, ended=True, fault=fault and self.home.in_names(fault))

    def _do(self, job: Claimed) -> None:
        running = Running(self.home, self.ledger, self.networks, self.outbox, job)

        last = time.monotonic()

        def step(progress: Progress) -> None:
            nonlocal last
            began = time.monotonic()
            self._owed -= began - last
            self.attend()
            running.check(self.inbox.stopped)
            running.sign()
            while self.ledger.held and not running.cancelled:
                self.inbox.wait(_IDLE)
                self.attend()
                running.check(self.inbox.stopped)
                running.sign()
            running.away += time.monotonic() - began
            running.show(progress)
            last = time.monotonic()

        fault: ReverieError | None = None
        running.sign()
        try:
            with between_steps(step):
                if running.begin():
                    make(running)
                    running.end()
        except Left:
            if self.inbox.stopped:
                self.ledger.put_back()
        except ReverieError as error:
            fault = error
        except (MemoryError, torch.OutOfMemoryError):
            fault = OutputError("there is not enough memory for this", "a smaller size helps")
        except Exception as error:  # noqa: BLE001  # it must not end the other jobs
            fault = unforeseen(error)
            with suppress(OSError):
                (running.folder / "error.txt").write_text(traceback.format_exc())
        if fault is not None:
            told = as_fault(fault)
            self.ledger.ended(job.id, "failed", running.in_names("; ".join(filter(None, (told["fault"], told["remedy"])))))
        self.outbox.send(Message("job frame", job.id))
        running.close()
