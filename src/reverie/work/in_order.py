"""Long jobs as numbered units in a folder: what is finished is a file, whole or absent, and the same command goes on where it stopped."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from reverie.errors import OutputError, choice
from reverie.store import check_place, made_folder, write_whole
from reverie.work.locking import acquired
from reverie.work.whole_png import is_whole_png

VERSION = 1  # of the manifest
_FRAMES, _MANIFEST, _LOCK = "frames", "manifest.json", "lock"
_ELSEWHERE = f"choose another place with {choice('output')}"
_MOVE = f"move it away, or {_ELSEWHERE}"


@dataclass(frozen=True)
class Progress:
    """How far a job is: a unit was finished just now.

    Attributes:
        number: of that unit, counted from 0.
        units: of the whole job.
        per_second: units a second, of those made by this process.
        left: seconds that the rest will take at this pace.
    """

    number: int
    units: int
    per_second: float
    left: float

    @property
    def done(self) -> float:
        """The share of the job that is finished, 0..1."""
        return (self.number + 1) / self.units

    @property
    def doing(self) -> str:
        """The same in words."""
        pace = f"{self.per_second:.2g} a second" if self.per_second >= 0.1 else f"{1 / self.per_second:.3g} s each"
        return f"frame {self.number + 1}/{self.units}  {pace}"


Watcher = Callable[[Progress], object]
"""Is told of each unit; a true answer stops."""


class Job:
    """Units that follow from each other, in a folder of their own.

    Args:
        place: the folder, `NAME.work` beside the result; the folder it lies in must be there.
        fingerprint: of all that the finished units depend on; units of another are never taken.
        units: how many.
        suffix: of a unit's file.
    """

    def __init__(self, place: Path, fingerprint: str, units: int, suffix: str = ".png") -> None:
        self.place, self.fingerprint, self.units, self.suffix = place, fingerprint, units, suffix
        self.frames = place / _FRAMES

    def unit(self, number: int) -> Path:
        """Where a unit is, or will be; they are counted from 0."""
        return self.frames / f"{number:06d}{self.suffix}"

    def finished(self) -> int:
        """How many units from the first on are there."""
        return next((number for number in range(self.units) if not self._is_finished(number)), self.units)

    def others(self) -> int:
        """How many units are there that are another's: `locked` drops them."""
        if self._fingerprint() == self.fingerprint:
            return 0
        with suppress(OSError):
            return sum(each.stem.isdecimal() for each in self.frames.iterdir())
        return 0

    @contextmanager
    def locked(self) -> Iterator[str]:
        """The folder, made and locked, for as long as the block lasts.

        Yields:
            what the user should know: that it goes on, or that it begins anew because of other settings; empty where neither is so.

        Raises:
            OutputError: it cannot be made, holds something else, or another process is at work in it.
        """
        made_folder(self.place)
        check_place(self.place / _MANIFEST)
        self._check_ours()
        lock = acquired(self.place / _LOCK, self.place)
        try:
            yield self._prepared()
        finally:
            self._release(lock)

    def _release(self, lock: FileLock) -> None:
        """Unlock the folder; of a job that was removed it goes."""
        manifest = self.place / _MANIFEST
        if not manifest.exists():  # nothing is left to guard
            with suppress(OSError):
                (self.place / _LOCK).unlink()
        lock.release()
        if not manifest.exists():  # and nobody else began meanwhile
            with suppress(OSError):  # Windows cannot remove what is open; others may have files in it
                (self.place / _LOCK).unlink(missing_ok=True)
            with suppress(OSError):
                self.place.rmdir()

    def remove(self) -> None:
        """Take all of it away; inside `locked`, the folder itself goes when that ends. What others put into it stays."""
        shutil.rmtree(self.frames, ignore_errors=True)
        for each in (*self.place.glob(".reverie-*.part"), self.place / _MANIFEST):
            with suppress(OSError):
                each.unlink()
        with suppress(OSError):
            self.place.rmdir()

    def _check_ours(self) -> None:
        """Raise OutputError for a folder that somebody else made: the manifest is there before the first unit is."""
        if (self.place / _MANIFEST).is_file():
            return
        others = [each for each in self.place.iterdir() if each.name not in (_FRAMES, _LOCK) and not each.name.startswith(".reverie-")]
        if others or (self.frames.exists() and (not self.frames.is_dir() or any(self.frames.iterdir()))):
            raise OutputError(f"'{self.place}' is there, and is no work of Reverie's", _MOVE)

    def _prepared(self) -> str:
        """Make the folder fit for this job, and say what became of what was there."""
        old = self._fingerprint()
        made_folder(self.frames)
        for each in self.frames.glob(".reverie-*.part"):  # of a writer that was killed: nobody else writes here
            with suppress(OSError):
                each.unlink()
        note = ""
        if old != self.fingerprint:
            dropped = sum(_removed(each) for each in self.frames.iterdir() if each.stem.isdecimal())
            if dropped:
                note = f"the settings are not those of the {dropped} frames in '{self.place}': they were dropped, and it begins anew"
        elif finished := self.finished():
            note = f"{finished} of {self.units} frames are there from before, and it goes on"
        manifest = {"version": VERSION, "fingerprint": self.fingerprint, "units": self.units}
        write_whole(self.place / _MANIFEST, json.dumps(manifest, indent=1).encode(), replace=True)
        return note

    def _fingerprint(self) -> str | None:
        """Of the units that are there; None where that cannot be known."""
        try:
            data = json.loads((self.place / _MANIFEST).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(data, dict) or data.get("version") != VERSION:
            return None
        found = data.get("fingerprint")
        return found if isinstance(found, str) else None

    def _is_finished(self, number: int) -> bool:
        """Whether the file of a unit is one that we moved into place, not an empty or a cut one."""
        if self.suffix == ".png":
            return is_whole_png(self.unit(number))
        try:
            return self.unit(number).stat().st_size > 0
        except OSError:
            return False


def run_in_order(job: Job, make: Callable[[int], bytes], watcher: Watcher | None = None) -> int:
    """The engine of this process: it makes the units that are missing, one after the other, inside `job.locked()`.

    Args:
        job: whose units.
        make: the whole file of a unit; it may read earlier units.

    Returns:
        how many units are finished.

    Raises:
        OutputError: no room, or not writable; what is finished is kept.
    """
    first, began = job.finished(), time.monotonic()
    for number in range(first, job.units):
        content = make(number)
        try:
            write_whole(job.unit(number), content, replace=True)
        except OutputError as error:
            kept = f"{number} finished frames are kept, and the same command goes on"
            raise OutputError(error.fault, f"{error.remedy}; {kept}" if error.remedy else kept) from error
        per_second = (number + 1 - first) / max(time.monotonic() - began, 1e-6)
        if watcher is not None and watcher(Progress(number, job.units, per_second, (job.units - number - 1) / per_second)):
            return number + 1
    return job.units


def _removed(path: Path) -> bool:
    """True: it is gone."""
    try:
        path.unlink()
    except OSError as error:
        raise OutputError(f"'{path}' cannot be removed ({error.strerror or error})", _MOVE) from error
    return True
