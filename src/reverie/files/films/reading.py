"""Films: what a file holds, and its frames one after another. Decoded in a process that may die without us; no torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reverie.errors import InputError
from reverie.files.films.process import Child, Died, spoken, told
from reverie.files.films.writing import FILMS, write_film
from reverie.files.source import reading
from reverie.store import sha256_of

__all__ = ["FILMS", "READABLE_FILMS", "Survey", "frames", "survey", "write_film"]

READABLE_FILMS: frozenset[str] = frozenset(
    [".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".flv", ".wmv", ".ogv", ".3gp"]
)
"""Lower-case suffixes of films that are worth trying; they are read by content."""

_LONGEST_PAUSE = 3600  # seconds between two frames; more is a mistake in the file
_Times = Sequence[Fraction | None]


@dataclass(frozen=True)
class Survey:
    """What a film holds.

    Attributes:
        width, height: of a frame, upright, with square pixels.
        times: when each readable frame is shown, in seconds, each later than the one before. The film begins at 0, its first frame
            perhaps a little later, where the sound comes first.
        end: when the last frame is over, in seconds.
        sound: whether there is sound that can be decoded.
        sha256: of the file, hexadecimal.
        notes: what is worth knowing, a line each.
        whole: whether all of it can be read, and as it is meant.
    """

    width: int
    height: int
    times: tuple[Fraction, ...]
    end: Fraction
    sound: bool
    sha256: str
    notes: tuple[str, ...]
    whole: bool

    @property
    def fps(self) -> Fraction:
        """Frames a second, on average."""
        return len(self.times) / (self.end - self.times[0])


def survey(place: Path, max_pixels: int, strict: bool = False, *, child: Child | None = None) -> Survey:
    """Decode the whole film once, and tell what there is.

    Args:
        max_pixels: width × height of a frame above this is refused before anything is decoded.
        strict: refuse a film of which only a part can be read.
        child: a process to do it, in the place of a new one.

    Raises:
        InputError: no such file, not a film, nothing in it that can be read; or, if `strict`, not all of it.
        UnsafeError: frames of more than `max_pixels`, or more than a million of them.
        MissingExtra: without PyAV.
    """
    name = str(place)
    with reading(place, "film") as file:
        if not file.read(1):
            raise InputError(f"'{name}' is empty", "fetch or export it again")
    head: dict[str, Any] = {}
    raw: list[list[int | None]] = []
    with contextlib.nullcontext(child) if child else Child() as process:
        try:
            process.ask(do="survey", path=spoken(place), name=name, max_pixels=max_pixels)
            while (message := process.answer())["is"] != "end":
                if message["is"] == "head":
                    head = message
                elif message["is"] == "times":
                    raw += message["times"]
        except Died as died:
            raise told(process, name) from died
    notes, damage = _remarks(head, message, len(raw))
    times, end, mended = _shown(head, raw)
    damage += mended
    if damage and strict:
        raise InputError(f"'{name}': {damage[0]}", "leave out --strict to use what can be read")
    width, height = _turned(head["size"], head["matrix"])
    sound = bool(message["sounds"] and message["heard"])
    return Survey(width, height, times, end, sound, sha256_of(place), (*damage, *notes), not damage)


@contextlib.contextmanager
def frames(place: Path, max_pixels: int, begin: int = 0) -> Iterator[Iterator[npt.NDArray[np.uint8]]]:
    """The frames of a film in order, from number `begin` on, as many as `survey` finds: each (H, W, 3) uint8 sRGB, upright.

    They are decoded while they are asked for; the process that does it ends with the `with`. Errors as `survey`, also between frames.
    """
    name = str(place)
    with reading(place, "film"):
        pass
    with Child() as child:
        yield _decoded(child, place, name, max_pixels, begin)


def _decoded(child: Child, place: Path, name: str, max_pixels: int, begin: int) -> Iterator[npt.NDArray[np.uint8]]:
    try:
        child.ask(do="frames", path=spoken(place), name=name, max_pixels=max_pixels, begin=begin)
        while (message := child.answer())["is"] != "end":
            if message["is"] == "frame":
                width, height = message["size"]
                yield _upright(child.pixels(height, width), message["matrix"])
    except Died as died:
        raise told(child, name) from died


# ── upright ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _turned(size: Sequence[int], matrix: Sequence[int]) -> tuple[int, int]:
    a, b, *_ = matrix
    return (size[0], size[1]) if abs(a) >= abs(b) else (size[1], size[0])


def _upright(rgb: npt.NDArray[np.uint8], matrix: Sequence[int]) -> npt.NDArray[np.uint8]:
    """(H, W, 3) turned and mirrored by quarters: (x, y) goes to (a·x + c·y, b·x + d·y)."""
    a, b, c, d = matrix
    if abs(a) >= abs(b):
        across, down = a, d
    else:
        rgb, across, down = rgb.swapaxes(0, 1), c, b  # (W, H, 3)
    rgb = rgb[:, ::-1] if across < 0 else rgb
    rgb = rgb[::-1] if down < 0 else rgb
    return np.ascontiguousarray(rgb)


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _shown(head: dict[str, Any], raw: list[list[int | None]]) -> tuple[tuple[Fraction, ...], Fraction, list[str]]:
    """When each frame is shown, when the last is over, and what was wrong with the file's own times."""
    base, begins = Fraction(*head["base"]), Fraction(*head["origin"])
    rate = Fraction(*head["rate"]) if head["rate"] else None
    times: _Times = [None if each is None else each * base - begins for each, _ in raw]
    step, notes = _step(times, rate)
    shown, mended = _mended(times, step)
    if mended and not notes:
        notes = [f"the times of {mended:,} of {len(raw):,} frames make no sense and were mended"]
    last = (raw[-1][1] or 0) * base
    return tuple(shown), shown[-1] + (last if 0 < last <= _LONGEST_PAUSE else step), notes


def _step(times: _Times, rate: Fraction | None) -> tuple[Fraction, list[str]]:
    """The usual time from one frame to the next; by the header, where the times tell nothing."""
    known = [each for each in times if each is not None]
    steps = sorted(after - before for before, after in pairwise(known) if 0 < after - before <= _LONGEST_PAUSE)
    if len(steps) * 2 >= len(times) - 1 and steps:
        return steps[len(steps) // 2], []
    if rate is not None:
        return 1 / rate, []
    return Fraction(1, 25), ["it does not say how many frames a second it has; 25 are taken"] if len(times) > 1 else []


def _mended(times: _Times, step: Fraction) -> tuple[list[Fraction], int]:
    """The times, each later than the one before and none far away, and how many had to be changed for it.

    A single one that sticks out is put between its neighbours; where the clock of the file jumps, frames follow each other at `step`.
    """
    out: list[Fraction] = []
    changed = 0
    for number, time in enumerate(times):
        if not out:
            good = time is not None and 0 <= time <= _LONGEST_PAUSE
            out.append(time if good and time is not None else Fraction(0))
            changed += not good
            continue
        before = out[-1]
        after = times[number + 1] if number + 1 < len(times) else None
        if time is not None and before < time <= before + _LONGEST_PAUSE and not (after is not None and before < after < time):
            out.append(time)
            continue
        changed += 1
        between = after is not None and before < after < before + 3 * step
        out.append((before + after) / 2 if between and after is not None else before + step)
    return out, changed


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _remarks(head: dict[str, Any], end: dict[str, Any], readable: int) -> tuple[list[str], list[str]]:
    """What is worth knowing, and what is damage."""
    notes, damage = [], []
    if end["resized"]:
        coded, other = "×".join(map(str, head["coded"])), "×".join(map(str, end["resized"]))
        total = max(end["packets"] + end["left"], readable + 1)
        damage.append(f"{readable:,} of {total:,} frames can be read: after them the size changes from {coded} to {other}")
    elif lost := end["lost"] + end["left"]:
        damage.append(f"{readable:,} of {readable + lost:,} frames can be read")
    if end["corrupt"]:
        damage.append(f"{end['corrupt']:,} of {readable:,} frames are damaged in places")
    if end["sounds"] and not end["heard"]:
        damage.append("its sound cannot be read")
    if head["size"] != head["coded"]:
        notes.append(
            f"its pixels are not square; it is brought from {'×'.join(map(str, head['coded']))} to {'×'.join(map(str, head['size']))}"
        )
    if head["bright"]:
        notes.append("its light is coded for HDR screens; colours will look pale")
    return notes, damage
