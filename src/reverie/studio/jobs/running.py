"""A job that runs: how far it is, what it looks like, whether it shall go on, what came of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from torch import Tensor

from reverie.ascent import Progress as AscentProgress
from reverie.pictures import Picture, load
from reverie.store import made_folder
from reverie.studio.jobs.frames import jpeg
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.ledger import Claimed, Ledger
from reverie.studio.jobs.mailbox import Outbox
from reverie.studio.jobs.open_networks import OpenNetworks
from reverie.studio.jobs.protocol import Message
from reverie.studio.jobs.settling import publish
from reverie.studio.jobs.wishes import Wish, checked

_TOLD, _SHOWN = 0.5, 1.0  # seconds between two times that it says how far it is, and shows what it looks like
_SIGNED = 0.5  # seconds between two signs of life
_SHARE = 0.05  # of the time that showing may take
_LONGEST = 640  # pixels of what is shown


class Left(BaseException):
    """What is being done is given up where it is. No Exception, so that nothing on the way takes it for a fault."""


class Progress(Protocol):
    """How far some work is: its share, 0..1, and what is being done, in words."""

    @property
    def done(self) -> float: ...

    @property
    def doing(self) -> str: ...


class Running:
    """A job that runs.

    Attributes:
        id, wish: of it. folder: its own below `work/`; what is made goes there first.
        networks: those that are open.
        cancelled: whether it shall stop soon, and what there is of it becomes its result.
        away: seconds that others took between its steps.
        shows_steps: whether the state of a step is what it looks like; a film shows whole frames instead.
    """

    def __init__(self, home: Home, ledger: Ledger, networks: OpenNetworks, outbox: Outbox, job: Claimed) -> None:
        self.home, self.networks, self.id = home, networks, job.id
        self._ledger, self._outbox, self._job = ledger, outbox, job
        self.folder = home.work / str(job.id)
        self.wish = Wish(job.command, (), {})
        self.cancelled = False
        self.away = 0.0
        self.shows_steps = True
        self._named: dict[str, str] = {}  # what people call a file
        self._notes: dict[str, None] = {}
        self._began = time.monotonic()
        self._told = self._next_show = self._signed = 0.0

    def begin(self) -> bool:
        """Check what is asked for once more; whether anything of it is left to be made."""
        self.wish = checked(self.home, self._job.command, json.loads(self._job.subjects), json.loads(self._job.choices))
        self._named = {str(self.home.find(each, field)): self.home.called(each) for field, each in self.wish.files()}
        made_folder(self.folder)
        return not self._ledger.done_if_whole(self.id)

    def end(self) -> None:
        """All of it was made; what should be there and is not is a fault."""
        if not self._ledger.done_if_whole(self.id):
            self._ledger.ended(self.id, "failed", "nothing came of it")

    def check(self, stopping: bool) -> None:
        """See whether it shall go on.

        Raises:
            Left: it is given up where it is: it was paused or cleared, or the process shall end.
        """
        state = self._ledger.state(self.id)
        if stopping or state not in ("running", "cancelled"):
            raise Left
        self.cancelled = state == "cancelled"

    def sign(self, *, busy: bool = False) -> None:
        """Let the server know that it goes on, now and then.

        Args:
            busy: what comes now takes its time, and says nothing meanwhile.
        """
        now = time.monotonic()
        if busy or now - self._signed >= _SIGNED:
            self._signed = now
            self._outbox.send(Message("alive", self.id, {"busy": busy}))

    def tell(self, done: float, doing: str, left: float | None = None) -> bool:
        """Say how far it is; whether it shall stop. Without `left` the rest is expected to be as fast as what was done since it began."""
        now = time.monotonic()
        if now - self._told >= _TOLD or done >= 1:
            self._told = now
            if left is None and done > 0.01:
                left = (now - self._began - self.away) * (1 - done) / done
            self._ledger.progressed(self.id, min(1.0, done), self.in_names(doing), left)
        if self.cancelled or done >= 1:  # what there is of it is finished and written now, which has no steps
            self.sign(busy=True)
        return self.cancelled

    def watching(self, before: float = 0.0, share: float = 1.0, what: str = "") -> Callable[[Progress], bool]:
        """What is told of each step of a part of it, which begins at `before` and is this share of the whole, both 0..1."""
        return lambda progress: self.tell(before + share * progress.done, f"{what}{progress.doing}")

    def show(self, progress: AscentProgress) -> None:
        """Show the state of a step, now and then."""
        if self.shows_steps:
            self._show(lambda: progress.pictures[0])

    def show_file(self, path: Path) -> None:
        """Show a picture that is there, now and then."""
        with suppress(OSError):
            self._show(lambda: load(path).pixels)

    def made(self) -> set[int]:
        """The numbers of its results that are there, and are not made again."""
        return self._ledger.made(self.id)

    def planned(self, units: int) -> None:
        """Say how many results it will have."""
        self._ledger.planned(self.id, units)

    def publish(self, made: Sequence[tuple[int | None, str, str]], notes: Sequence[str] = ()) -> None:
        """Make results of files in its folder: of each its number (None: it is not whole), the file, and the name that it shall have.

        Args:
            notes: what there is to know of them.
        """
        self._notes |= dict.fromkeys(notes)
        self._ledger.noted(self.id, self.in_names("; ".join(self._notes)))
        publish(self.home, self._ledger, self.id, made)

    def save(self, pictures: Sequence[Picture], first: int, names: Sequence[str]) -> None:
        """Make results of pictures that were made together, numbered from `first`; those that stopped early count as not whole."""
        made: list[tuple[int | None, str, str]] = []
        notes: list[str] = []
        self.sign(busy=True)
        for number, (picture, name) in enumerate(zip(pictures, names, strict=True), first):
            whole = picture.recipe is None or picture.recipe.stopped is None
            origin = f"{number}.png"
            picture.save(self.folder / origin, force=True)
            made.append((number if whole else None, origin, name))
            notes += picture.notes
        self.publish(made, notes)

    def in_names(self, text: str) -> str:
        """The same, with the names that people know in the place of files."""
        for path, name in self._named.items():
            text = text.replace(path, name)
        return text.replace(f"{self.folder}/", "")

    def close(self) -> None:
        """Take away what nobody needs any more."""
        if self._ledger.state(self.id) in ("done", "cancelled", None):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _show(self, pixels: Callable[[], Tensor]) -> None:
        began = time.monotonic()
        if began < self._next_show:
            return
        frame = jpeg(pixels(), _LONGEST)
        self._outbox.send(Message("job frame", self.id, content=frame))
        now = time.monotonic()
        self._next_show = now + max(_SHOWN, (now - began) / _SHARE)
