"""Frames → a film: MP4, WebM or GIF, with the sound of another. Encoded in a process of its own; whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, islice, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reverie.errors import InputError, OutputError, UsageError
from reverie.files.films.child_process import Child, Died, NoRoom, whole_path
from reverie.files.films.protocol import WriteRequest, pair
from reverie.files.recipes.embedded import check_text
from reverie.files.recipes.film_containers import FILMS, with_recipe
from reverie.store import beside

_PATIENCE = 300.0  # seconds for the encoder to take one frame, or to say something at the end
_Frame = npt.NDArray[np.uint8] | Path


def write_film(
    place: Path,
    frames: Iterable[_Frame],
    times: Sequence[Fraction],
    end: Fraction,
    *,
    sound: Path | None = None,
    sound_end: Fraction | None = None,
    tracks: Sequence[int] | None = None,
    recipe: str | None = None,
    replace: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Write a film; the same arguments give the same bytes.

    .mp4 is H.264 (4:2:0, bt709) with its index in front, .webm VP9; both of high quality. .gif has 256 colours and goes round for ever;
    it has no sound, counts time in hundredths of a second, and leaves out frames that would be shown for less than two of them.
    WebM counts in thousandths, MP4 exactly. H.264 has even sides: an odd one is made longer by repeating the last row or column.

    Args:
        place: its suffix, one of `FILMS`, in either case, says which.
        frames: each (H, W, 3) uint8 in sRGB, all of one size, or the file of a picture like that; as many as `times`.
        times: when each is shown, in seconds, from 0 on, each later than the one before.
        end: when the last is over.
        sound: a film whose sound is taken, packet by packet where the new film can hold it as it is, else encoded again, as AAC (MP4) or
            Opus (WebM); its title, artist, comment, date, copyright, chapters, and the languages of the sound come along.
        sound_end: sound that begins later than this is left out.
        tracks: the numbers, from 0, of the sounds that are taken; None for all. One that cannot be taken over is left out, and told.
        recipe: text to carry; `recipe_text` reads it back.
        replace: allow an existing file to be replaced.
        tell: gets notes about what could not be kept, a line each.

    Raises:
        UsageError: a suffix that is not known, or a recipe that no file can hold.
        InputError: the sound makes the writer crash.
        OutputError: no room, not writable, or the file exists and `replace` is false.
        MissingExtra: without PyAV.
    """
    suffix = place.suffix.lower()
    if suffix not in FILMS:
        raise UsageError(f"films cannot be written as '{place.suffix}'", "name the file with one of " + ", ".join(sorted(FILMS)))
    _check_times(times, end)
    if recipe is not None:
        check_text(recipe)
    with Child("write", _PATIENCE) as child, beside(place, replace=replace) as part:
        try:
            pictures = _pixels(frames)
            first = next(pictures)
            request: WriteRequest = {
                "path": whole_path(part), "suffix": suffix, "height": first.shape[0], "width": first.shape[1],
                "times": [pair(each) for each in (*times, end)],
                "sound": None if sound is None else whole_path(sound), "sound_name": str(sound),
                "sound_end": None if sound_end is None else pair(sound_end), "tracks": None if tracks is None else list(tracks),
            }  # fmt: skip
            _send(child, request, chain([first], pictures), len(times))
            while (answer := child.answer())["type"] != "done":
                if answer["type"] == "note" and tell is not None:
                    tell(answer["text"])
        except NoRoom as error:
            raise OSError(error.number, str(error)) from error
        except Died as died:
            if sound is not None:
                raise InputError(f"'{sound}' has sound that makes the writer crash", "leave the sound out") from died
            raise OutputError(f"'{place}' cannot be written: the encoder stopped", "try again, or another kind of film") from died
        if recipe is not None:
            with_recipe(part, suffix, recipe)
    return place


def _check_times(times: Sequence[Fraction], end: Fraction) -> None:
    if not times or times[0] < 0 or any(after <= before for before, after in pairwise([*times, end])):
        raise ValueError("times should be one or more, from 0 on, each later than the one before, and the end later than all")


def _send(child: Child, request: WriteRequest, frames: Iterable[npt.NDArray[np.uint8]], count: int) -> None:
    """The request, and so many frames of the size that it says."""
    shape = (request["height"], request["width"], 3)
    given = 0
    try:
        child.ask(request)
        for given, frame in enumerate(islice(frames, count + 1), 1):
            if frame.shape != shape or given > count:
                raise ValueError(f"frame {given} of {count} is {frame.shape}, the first {shape}")
            child.give(np.ascontiguousarray(frame).data.cast("B"))
        if given < count:
            raise ValueError(f"{given} frames for {count} times")
        child.done()
    except Died:
        if child.hung:
            raise
        # it went before it had everything: its last words say why


def _pixels(frames: Iterable[_Frame]) -> Iterator[npt.NDArray[np.uint8]]:
    for each in frames:
        if isinstance(each, Path):
            from reverie.files.decoding import read

            decoded = read(each).rgb
            yield decoded.astype(np.uint8, copy=False) if decoded.dtype == np.uint8 else (decoded >> 8).astype(np.uint8)
        else:
            yield each
