"""A studio as its routes have it: the queue, the worker, the gallery, what was brought, and what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from reverie.errors import ReverieError
from reverie.recipe import DEFAULT_NETWORK
from reverie.studio.jobs import Event, Home, Queue
from reverie.studio.jobs.worker import Question
from reverie.studio.server.backstage import Worker
from reverie.studio.server.camera_films import CameraFilms
from reverie.studio.server.inputs import Inputs
from reverie.studio.server.limits import Limits
from reverie.studio.server.made_pictures import Gallery
from reverie.studio.server.marks import Marks
from reverie.studio.server.pulse import Happened, Pulse
from reverie.studio.server.refusals import Refused, busy, told
from reverie.studio.server.trash import Trash
from reverie.studio.server.wishes import Translator
from reverie.version import __version__


class Slots:
    """So many at once, and no more: who finds none free is told so, and does not wait."""

    def __init__(self, count: int, what: str) -> None:
        self._free, self._what = count, what

    def __enter__(self) -> None:
        if not self._free:
            raise Refused(429, f"too many {self._what} at once", "wait for one to end")
        self._free -= 1

    def __exit__(self, *_: object) -> None:
        self._free += 1


class Studio:
    """Everything that a server serves.

    Args:
        home: the folder. queue, worker: of it; whoever made them ends them.
        limits: of what is taken.
    """

    def __init__(self, home: Home, queue: Queue, worker: Worker, limits: Limits | None = None) -> None:
        self.home, self.queue, self.worker, self.limits = home, queue, worker, limits or Limits()
        self.marks = Marks(home.folder / "marks.sqlite")
        self.gallery = Gallery(home.pictures, self.marks)
        self.trash = Trash(home.trash, self.gallery)
        self.inputs = Inputs(home, self.limits)
        self.translator = Translator(home, self.gallery)
        self.films = CameraFilms(home, queue, self.limits.film_frames)
        self.pulse = Pulse(queue, self._told)
        self.uploads = Slots(self.limits.uploads, "files")
        self.streams = Slots(self.limits.streams, "pages")
        self.cameras = Slots(self.limits.cameras, "cameras")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Inside, what happens is heard of; what an earlier studio had filmed of cameras becomes films."""
        self.pulse.start()
        await asyncio.to_thread(self.films.finish_others)
        try:
            yield
        finally:
            await self.pulse.close()

    def close(self) -> None:
        """Close what it has opened itself."""
        self.gallery.close()
        self.marks.close()

    async def ask(self, kind: Question, seconds: float = 120.0, **what: Any) -> Any:
        """What the worker answers.

        Raises:
            Refused: 422 and the like for what it refuses, 503 where it does not answer in time, or was ended.
        """
        try:
            future = asyncio.wrap_future(self.worker.ask(kind, **what))
            done, _ = await asyncio.wait([future], timeout=seconds)
            if not done:
                future.cancel()
            if not done or future.cancelled():
                raise busy("the network is busy, or is being opened")
            return future.result()
        except ReverieError as error:
            status, data = told(error)
            raise Refused(status, **data) from error
        except (RuntimeError, OSError, EOFError) as error:  # its process ended under the question
            raise busy("the network is being opened again") from error

    def state(self) -> dict[str, Any]:
        """All jobs that are not done, the newest 50 of those that are, and the event after which this is so; `silent`: seconds since
        something was heard of the one that runs."""
        event = self.queue.last_event
        jobs = self.queue.jobs(("waiting", "running", "paused", "failed", "aside")) + self.queue.jobs(("done", "cancelled"), limit=50)
        return {
            "event": event, "held": self.queue.held, "jobs": [self.translator.job(each) for each in jobs],
            "device": self.worker.device, "network": DEFAULT_NETWORK, "version": __version__,
            "working": self.worker.alive, "silent": self.worker.silent,
        }  # fmt: skip

    def _told(self, event: Event) -> Happened:
        if event.kind == "picture":
            self.gallery.look()
            return Happened(event.id, event.kind, self.translator.picture(event.data))
        data = self.translator.data(event.data) if event.kind == "job" else event.data
        return Happened(event.id, event.kind, data)


def _of(connection: HTTPConnection) -> Studio:
    found: Studio = connection.app.state.studio
    return found


Here = Annotated[Studio, Depends(_of)]
"""The studio that a route belongs to."""
