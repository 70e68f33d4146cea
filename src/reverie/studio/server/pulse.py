"""What happens, as it happens: one reader of the queue's events for all pages that listen."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reverie.studio.jobs import Event, Queue

_EVERY = 0.2  # seconds between two looks
_AT_ONCE = 500  # events read together
_REMEMBERED = 2000  # events that pages read without the queue


@dataclass(frozen=True)
class Happened:
    """An event as clients get it. The data `missed` of the kind `queue` says that events before it are forgotten: read the state anew."""

    id: int
    kind: str
    data: Mapping[str, Any]


class Pulse:
    """Reads the events of a queue while it runs, and hands them to whoever listens.

    Args:
        told: turns an event of the queue into what clients may see of it; called outside of the loop's thread.
    """

    def __init__(self, queue: Queue, told: Callable[[Event], Happened]) -> None:
        self._queue, self._told = queue, told
        self._recent: deque[Happened] = deque(maxlen=_REMEMBERED)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.last = self._begin = queue.last_event
        self.closed = False

    def start(self) -> None:
        """Inside a running loop."""
        self._task = asyncio.get_running_loop().create_task(self._read())

    async def close(self) -> None:
        """End every stream."""
        self.closed = True
        self._wake()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def after(self, id: int) -> AsyncIterator[Happened]:
        """Every event after this one, for as long as somebody listens and the studio runs."""
        last, held = await asyncio.to_thread(lambda: (self._queue.last_event, self._queue.held))
        if id > last:  # of another studio, or made up
            id = last
            yield Happened(id, "queue", {"held": held, "missed": True})
        while not self.closed:
            news = self._news
            if id < self._begin:  # from before this start, or forgotten here
                found = await asyncio.to_thread(self._read_after, id)
                id = id if found else self._begin
            else:
                found = [each for each in self._recent if each.id > id]
                if not found:
                    await news.wait()
            for each in found:
                yield each
                id = each.id

    async def _read(self) -> None:
        while True:
            for each in await asyncio.to_thread(self._read_after, self.last):
                if len(self._recent) == _REMEMBERED:
                    self._begin = self._recent[0].id
                self._recent.append(each)
                self.last = each.id
                self._wake()
            await asyncio.sleep(_EVERY)

    def _read_after(self, id: int) -> list[Happened]:
        return [self._told(each) for each in self._queue.events(id, _AT_ONCE)]

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
