"""A process of its own that decodes or writes a film. It may crash, hang or run out of memory: we hear of it, and go on."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from reverie.errors import InputError, MissingExtra, ReverieError, UnsafeError
from reverie.files.films.protocol import LONGEST_MESSAGE, Answer, Kind, Message, ReadRequest, WriteRequest
from reverie.installing import install_extra

PATIENCE = 20.0  # seconds without a sign of life; the slowest machine decodes a frame in less
_ERRORS: dict[Kind, type[ReverieError]] = {"input": InputError, "unsafe": UnsafeError, "extra": MissingExtra}
_CODE = (
    f"import sys; sys.path.append({str(Path(__file__).parents[3])!r}); from reverie.files.films.child_main import main; main(sys.argv[1])"
)
_Value = TypeVar("_Value")


class Died(Exception):
    """The process ended before it had answered, or was stopped because it no longer did."""


class NoRoom(Exception):
    """The process found no room on disk, or a place that cannot be written."""

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        super().__init__(text)


class Child(AbstractContextManager["Child"]):
    """The process, started at once; it ends with the `with`, or with us.

    Args:
        work: "read", which serves many requests, or "write" for one film.
        patience: seconds without a sign of life after which it is stopped.
    """

    def __init__(self, work: str = "read", patience: float | None = None) -> None:
        if importlib.util.find_spec("av") is None:
            raise MissingExtra("films need PyAV, which is not installed", install_extra("film"))
        self.patience = PATIENCE if patience is None else patience
        self.hung = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE, work],  # -P: a file `av.py` in the working folder is not what we mean
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: ReadRequest | WriteRequest) -> None:
        """Hand over a request."""
        self.give((json.dumps(request) + "\n").encode())

    def give(self, content: bytes | memoryview) -> None:
        """Hand over bytes, all of them.

        Raises:
            Died: it does not take them.
        """
        pipe = self._process.stdin
        assert pipe is not None

        def write() -> None:
            pipe.write(content)
            pipe.flush()

        self._watched(write)

    def done(self) -> None:
        """Say that nothing more will be handed over."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError as error:
                raise Died from error

    def answer(self) -> Answer:
        """The next answer.

        Raises:
            Died: it ended, or says nothing. NoRoom: it cannot write. A fault that it tells is raised as our own error.
        """
        pipe = self._process.stdout
        assert pipe is not None
        line = self._watched(lambda: pipe.readline(LONGEST_MESSAGE))
        try:
            message: Message = json.loads(line)
        except ValueError as error:
            raise Died from error
        if message["type"] == "fault":
            raise _ERRORS[message["kind"]](message["fault"], message["remedy"])
        if message["type"] == "no room":
            raise NoRoom(message["number"], message["text"])
        return message

    def pixels(self, height: int, width: int) -> npt.NDArray[np.uint8]:
        """The (H, W, 3) that follow a message."""
        out = np.empty((height, width, 3), np.uint8)
        pipe = self._process.stdout
        assert pipe is not None
        if self._watched(lambda: pipe.readinto(out.data.cast("B"))) != out.nbytes:  # type: ignore[attr-defined]
            raise Died
        return out

    def close(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what it had not taken yet
                    continue

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _watched(self, act: Callable[[], _Value]) -> _Value:
        """What `act` gives; if it takes too long the process is stopped, which ends every read and write."""
        timer = threading.Timer(self.patience, self._stop)
        timer.daemon = True
        timer.start()
        try:
            value = act()
        except OSError as error:
            raise Died from error
        finally:
            timer.cancel()
        return value

    def _stop(self) -> None:
        self.hung = True
        self._process.kill()


def decoder_died(child: Child, name: str) -> InputError:
    """What to say of a film on which the process died."""
    if child.hung:
        return InputError(f"'{name}' keeps the decoder busy without end", "convert it with another program first")
    return InputError(f"'{name}' is damaged: it makes the decoder crash", "fetch it again, or convert it with another program first")


def whole_path(place: Path) -> str:
    """The path for the process, which must not take `a:b.mp4` for an address."""
    return str(place.absolute())
