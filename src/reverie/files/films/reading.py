"""Films: what a file holds, and its frames one after another. Decoded in a process that may die without us; no torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reverie.errors import InputError, choice
from reverie.files.films.child_process import Child, Died, decoder_died, whole_path
from reverie.files.films.protocol import Found, Head, ReadRequest
from reverie.files.input_files import reading
from reverie.files.limits import most_pixels
from reverie.files.other_kinds import no_film
from reverie.store import sha256_of

READABLE_FILMS: frozenset[str] = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".webm",
        ".mkv",
        ".avi",
        ".gif",
        ".ts",
        ".m2ts",
        ".mts",
        ".mpg",
        ".mpeg",
        ".flv",
        ".wmv",
        ".ogv",
        ".3gp",
        ".apng",
        ".avif",
    ]
)
"""Lower-case suffixes of films that are worth trying; they are read by content."""

_START = 1 << 20  # bytes, of which a file's kind is told
_LONGEST_PAUSE = 3600  # seconds between two frames; more is a mistake in the file
_Ticks = list[tuple[int | None, int]]  # when a frame is shown and how long, as the file counts
_Times = Sequence[Fraction | None]


@dataclass(frozen=True)
class Survey:
    """What a film holds.

    Attributes:
        width, height: of a frame, upright, with square pixels.
        times: when each readable frame is shown, in seconds, each later than the one before. The film begins at 0, its first frame
            perhaps a little later, where the sound comes first.
        end: when the last frame is over, in seconds.
        sounds: the numbers, from 0, of those of its sounds that can be decoded.
        brightest: light of a film for HDR screens, where white is 1; None of others.
        order: of two fields, which is the earlier: tff, bff, or auto where that cannot be told.
        sha256: of the file, hexadecimal.
        notes: what is worth knowing, a line each.
        complete: whether all of it can be read, and as it is meant.
    """

    width: int
    height: int
    times: tuple[Fraction, ...]
    end: Fraction
    sounds: tuple[int, ...]
    sha256: str
    notes: tuple[str, ...]
    complete: bool
    brightest: float | None = None
    order: str = "auto"

    def __repr__(self) -> str:
        return f"Survey({self.width}×{self.height}, {len(self.times):,} frames, {float(self.end):.3g} s)"

    @property
    def fps(self) -> Fraction:
        """Frames a second, on average."""
        return len(self.times) / (self.end - self.times[0])

    @property
    def sound(self) -> bool:
        """Whether there is sound that can be decoded."""
        return bool(self.sounds)


def survey(place: Path, strict: bool = False, *, child: Child | None = None) -> Survey:
    """Decode the whole film once, and tell what there is.

    Args:
        strict: refuse a film of which only a part can be read.
        child: a process to do it, in the place of a new one.

    Raises:
        InputError: no such file, not a film, nothing in it that can be read; or, if `strict`, not all of it.
        UnsafeError: frames of more than `most_pixels`, refused before anything is decoded, or more than a million of them.
        MissingExtra: without PyAV.
    """
    name = str(place)
    with reading(place, "film") as file:
        start = file.read(_START)
    if not start:
        raise InputError(f"'{name}' is empty", "fetch or export it again")
    if other := no_film(start):
        raise other.instead_of("film", name)
    with contextlib.nullcontext(child) if child else Child() as process:
        try:
            process.ask({"do": "survey", "path": whole_path(place), "name": name, "max_pixels": most_pixels()})
            head, ticks, found = _answers(process)
        except Died as died:
            raise decoder_died(process, name) from died
    notes, damage = _remarks(head, found, len(ticks))
    times, end, mended = _times(head, ticks)
    damage += mended
    if damage and strict:
        raise InputError(f"'{name}': {damage[0]}", f"leave out {choice('strict')} to use what can be read")
    width, height = _turned(head["size"], head["matrix"])
    sounds = tuple(found["heard"])
    return Survey(width, height, times, end, sounds, sha256_of(place), (*damage, *notes), not damage, found["brightest"], found["order"])


def _answers(process: Child) -> tuple[Head, _Ticks, Found]:
    """All that a survey has to say."""
    head: Head | None = None
    ticks: _Ticks = []
    while (answer := process.answer())["type"] != "found":
        if answer["type"] == "head":
            head = answer
        elif answer["type"] == "times":
            ticks += answer["times"]
    assert head is not None and answer["type"] == "found"
    return head, ticks, answer


def frames(place: Path, begin: int = 0, found: Survey | None = None) -> AbstractContextManager[Iterator[npt.NDArray[np.uint8]]]:
    """The frames of a film in order, from number `begin` on, as many as `survey` finds: each (H, W, 3) uint8 sRGB, upright.

    Fields are made frames, light for HDR screens is brought to that of ordinary ones, and what is transparent is laid on white. What a
    survey `found` is taken into account.

    They are decoded while they are asked for, under the limit of pixels that holds now; the process that does it ends with the `with`.
    Errors as `survey`, also between frames.
    """
    with reading(place, "film"):
        pass
    request: ReadRequest = {
        "do": "frames", "path": whole_path(place), "name": str(place), "max_pixels": most_pixels(), "begin": begin,
        "brightest": found.brightest if found else None, "order": found.order if found else "auto",
    }  # fmt: skip
    return _reading(request)


@contextlib.contextmanager
def _reading(request: ReadRequest) -> Iterator[Iterator[npt.NDArray[np.uint8]]]:
    with Child() as child:
        yield _decoded(child, request)


def _decoded(child: Child, request: ReadRequest) -> Iterator[npt.NDArray[np.uint8]]:
    try:
        child.ask(request)
        while (answer := child.answer())["type"] != "done":
            if answer["type"] == "frame":
                width, height = answer["size"]
                yield _upright(child.pixels(height, width), answer["matrix"])
    except Died as died:
        raise decoder_died(child, request["name"]) from died


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


def _times(head: Head, ticks: _Ticks) -> tuple[tuple[Fraction, ...], Fraction, list[str]]:
    """When each frame is shown, when the last is over, and what was wrong with the file's own times."""
    base, begins = Fraction(*head["base"]), Fraction(*head["origin"])
    rate = Fraction(*head["rate"]) if head["rate"] else None
    times: _Times = [None if each is None else each * base - begins for each, _ in ticks]
    step, notes = _step(times, rate)
    mended, changed = _mended(times, step)
    if changed and not notes:
        notes = [f"the times of {changed:,} of {len(ticks):,} frames make no sense and were mended"]
    last = (ticks[-1][1] or 0) * base
    return tuple(mended), mended[-1] + (last if 0 < last <= _LONGEST_PAUSE else step), notes


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


def _remarks(head: Head, found: Found, readable: int) -> tuple[list[str], list[str]]:
    """What is worth knowing, and what is damage."""
    notes, damage = [], []
    size, coded = "×".join(map(str, head["size"])), "×".join(map(str, head["coded"]))
    if found["resized"]:
        other, total = "×".join(map(str, found["resized"])), max(found["packets"] + found["missing"], readable + 1)
        damage.append(f"{readable:,} of {total:,} frames can be read: after them the size changes from {coded} to {other}")
    elif lost := found["lost"] + found["missing"]:
        damage.append(f"{readable:,} of {readable + lost:,} frames can be read")
    if found["corrupt"]:
        damage.append(f"{found['corrupt']:,} of {readable:,} frames are damaged in places")
    unheard = [f"number {at + 1} ({kind})" for at, kind in enumerate(found["sounds"]) if at not in found["heard"]]
    if unheard and not found["heard"]:
        damage.append("its sound cannot be read" if len(unheard) == 1 else f"none of its {len(unheard)} sounds can be read")
    elif unheard:
        damage.append(f"of its {len(found['sounds'])} sounds {', '.join(unheard)} cannot be read; the others are kept")
    if size != coded:
        notes.append(f"its pixels are not square; it is brought from {coded} to {size}")
    if head["hdr"]:
        notes.append(head["hdr"])
    if found["fields"]:
        count = "its frames are" if found["fields"] >= readable else f"{found['fields']:,} of its {readable:,} frames are"
        notes.append(f"{count} interlaced and were deinterlaced (bwdif), each at its time")
    if found["clear"]:
        notes.append("it is transparent in places, which were laid on white")
    return notes, damage
