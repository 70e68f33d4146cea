"""Films of cameras: the dreamt frames are put down as they go out, and become a film when it ends, in whatever way it ends."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from reverie.errors import MissingExtra, ReverieError
from reverie.files import recipe_text
from reverie.files.films.writing import write_film
from reverie.installing import install_extra, missing
from reverie.recipe import DEFAULT_NETWORK, camera_mark
from reverie.store import made_folder, speakable, write_whole
from reverie.studio.jobs import Home, Queue
from reverie.version import __version__

_ABOUT = "about.json"
_FADING = 0.6  # of each frame into the last, as the page shows them: it calms what differs between them
_LAST = 250  # milliseconds that the last frame stays


class Recording:
    """A film that is being kept: its frames lie in a folder until it is whole.

    Args:
        folder: its own. most: frames, after which it is full.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self._most = folder, most
        self._began: float | None = None
        self._count = 0
        self._one, self._closed = threading.Lock(), False

    @property
    def full(self) -> bool:
        """Whether it is as long as it may be."""
        return self._count >= self._most

    def add(self, frame: bytes, moment: float) -> None:
        """Put down a dreamt frame, a JPEG, that was shown at this moment, in seconds of any clock.

        Raises:
            OutputError: no room, or not writable.
        """
        with self._one:
            if self._closed:  # a frame that was on its way when it ended
                return
            self._began = moment if self._began is None else self._began
            write_whole(self.folder / f"{round(1000 * (moment - self._began)):010d}.jpg", frame, replace=True)
            self._count += 1

    def close(self) -> None:
        """Nothing more is put down."""
        with self._one:
            self._closed = True


class CameraFilms:
    """Keeps films of cameras, and puts them among the pictures.

    Args:
        home: whose pictures. queue: which tells of them. most: frames of a film.
    """

    def __init__(self, home: Home, queue: Queue, most: int) -> None:
        self._home, self._queue, self._most = home, queue, most
        self._folder = made_folder(home.folder / "camera")
        self._one = threading.Lock()  # written: one after another, so that names differ
        self._numbers = count(time.time_ns())

    def begin(self, choices: Mapping[str, Any]) -> Recording:
        """A film that begins now.

        Raises:
            MissingExtra: films cannot be written here. OutputError: no room.
        """
        if missing(("av",)):
            raise MissingExtra("films need PyAV, which is not installed", install_extra("film"))
        folder = made_folder(self._folder / str(next(self._numbers)))
        about = {"what": choices.get("target") or choices.get("level") or "dream", "network": choices.get("network") or DEFAULT_NETWORK}
        write_whole(folder / _ABOUT, json.dumps(about).encode())
        return Recording(folder, self._most)

    def end(self, recording: Recording) -> str | None:
        """Make the film of what was put down; its name below `pictures/`, or None where not two frames came.

        Raises:
            ReverieError: it cannot be written; what was put down stays, and it is tried again at the next start.
        """
        recording.close()
        with self._one:
            return self._publish(recording.folder)

    def finish_others(self) -> None:
        """Make films of what an earlier studio, which was ended in the midst of them, had put down. Nothing may be recorded yet."""
        for each in sorted(self._folder.iterdir()):
            with suppress(ReverieError, OSError), self._one:
                self._publish(each)

    def _publish(self, folder: Path) -> str | None:
        about, frames = _about(folder), sorted(each for each in folder.glob("*.jpg") if each.stem.isdecimal())
        what = str(about.get("what", "dream"))
        mark = camera_mark(what, str(about.get("network", "")), __version__, folder.name)
        made = self._home.pictures / str(about.get("name", "."))
        if len(frames) < 2 or (made.is_file() and recipe_text(made) == mark):  # nothing came; or it was killed just after it was whole
            shutil.rmtree(folder, ignore_errors=True)
            return None
        name = next(each for each in _names(f"camera-{speakable(what, 60).strip('-.') or 'dream'}") if self._is_free(each))
        write_whole(folder / _ABOUT, json.dumps({**about, "name": name}).encode(), replace=True)
        times = [Fraction(int(each.stem), 1000) for each in frames]
        write_film(self._home.pictures / name, _faded(frames), times, times[-1] + Fraction(_LAST, 1000), recipe=mark)
        shutil.rmtree(folder, ignore_errors=True)
        self._queue.made(name)
        return name

    def _is_free(self, name: str) -> bool:
        return not (os.path.lexists(self._home.pictures / name) or os.path.lexists(self._home.trash / name))


def _about(folder: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found = json.loads((folder / _ABOUT).read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


def _names(stem: str) -> Iterator[str]:
    yield f"{stem}.mp4"
    yield from (f"{stem}-{number}.mp4" for number in count(2))


def _faded(frames: list[Path]) -> Iterator[npt.NDArray[np.uint8]]:
    """The frames (H, W, 3), each over the one before; all of the size of the first, since a camera may be turned."""
    before: Image.Image | None = None
    for each in frames:
        with Image.open(BytesIO(each.read_bytes())) as opened:
            frame = opened.convert("RGB")
        if before is not None:
            frame = frame if frame.size == before.size else ImageOps.pad(frame, before.size)
            frame = Image.blend(before, frame, _FADING)
        before = frame
        yield np.asarray(frame)
