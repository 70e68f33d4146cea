"""What lies between the server and the process that does the jobs, on the side of the process."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from contextlib import suppress
from multiprocessing.connection import Connection

from reverie.studio.jobs.protocol import Message, receive, send


class Inbox:
    """What the server sent and was not looked at yet. A thread takes it in, so that nobody waits to hand something over.

    Of a camera's frames the newest counts. When nobody is there any more the process ends, in the midst of whatever it does: what it had
    finished is on disk.

    Args:
        connection: to the server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._there = threading.Condition()
        self._questions: deque[Message] = deque()
        self._previews: OrderedDict[int, Message] = OrderedDict()
        self._frames: OrderedDict[str, Message] = OrderedDict()
        self._dropped: deque[int] = deque(maxlen=1000)
        self._closed: deque[str] = deque()
        self._stopped = False
        threading.Thread(target=self._read, name="reverie-inbox", daemon=True).start()

    @property
    def stopped(self) -> bool:
        """Whether the process shall end."""
        return self._stopped

    def stop(self) -> None:
        """The process shall end. For a signal's handler, which may take no lock: whoever waits is woken by time."""
        self._stopped = True

    def is_dropped(self, preview: int) -> bool:
        """Whether nobody wants a preview any more."""
        with self._there:
            return preview in self._dropped

    def question(self) -> Message | None:
        """The next question."""
        with self._there:
            return self._questions.popleft() if self._questions else None

    def picture(self, *, previews: bool, patient: bool = True) -> Message | None:
        """The next frame of a camera, or the next preview; without `patient` none that nobody waits for."""
        with self._there:
            if self._frames:
                return self._frames.popitem(last=False)[1]
            found = (key for key, each in self._previews.items() if patient or not each.what.get("patient"))
            key = next(found, None) if previews else None
            return None if key is None else self._previews.pop(key)

    def closed_camera(self) -> str | None:
        """A camera that nobody looks at any more."""
        with self._there:
            return self._closed.popleft() if self._closed else None

    def wait(self, seconds: float) -> None:
        """Until something comes, or for so long."""
        with self._there:
            if not (self._questions or self._previews or self._frames or self._stopped):
                self._there.wait(seconds)

    def _read(self) -> None:
        while True:
            try:
                message = receive(self._connection)
            except EOFError:
                os._exit(0)
            with self._there:
                self._put(message)
                self._there.notify_all()

    def _put(self, message: Message) -> None:
        if message.kind == "ask":
            self._questions.append(message)
        elif message.kind == "preview":
            self._previews[int(message.key)] = message
        elif message.kind == "drop":
            self._previews.pop(int(message.key), None)
            self._dropped.append(int(message.key))
        elif message.kind == "camera":
            self._frames[str(message.key)] = message
        elif message.kind == "close camera":
            self._frames.pop(str(message.key), None)
            self._closed.append(str(message.key))
        elif message.kind == "stop":
            self._stopped = True


class Outbox:
    """What is sent to the server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, message: Message) -> None:
        """Hand over a message. Where nobody is there any more it is lost: the inbox sees to the rest."""
        with suppress(OSError):
            send(self._connection, message)
