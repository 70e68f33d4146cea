"""A film about to be made: where it goes, how its frames are made one after the other, and how they are put together."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reverie import files
from reverie import pictures as _pictures
from reverie.album import recipe_at
from reverie.ascent import octave_sizes
from reverie.errors import InputError, MissingExtra, OutputError, UsageError, choice
from reverie.files.recipes.film_containers import FILMS
from reverie.installing import install_extra
from reverie.motion.made_film import Footage
from reverie.networks import Network
from reverie.pictures import in_colours, quantise
from reverie.recipe import Ascent, FilmWriting, Recipe
from reverie.render import Dreamer
from reverie.render import threads as using
from reverie.render.batch_memory import bytes_per_pixel
from reverie.render.natural import statistics_for
from reverie.render.tiling import estimated
from reverie.store import Kept, check_no_original_in, check_place, exists, expanded, is_folder, made_folder, write_whole
from reverie.target import CLASSES
from reverie.work import Job, Progress, Watcher, run_in_order

Tell = Callable[[str], None] | None
Frame = Callable[[int], Tensor]  # a unit that is finished, by its number: (C, H, W) in 0..1, as it is on disk
Make = Callable[[int, Frame], Tensor]  # a unit by its number, and those before it → (C, H, W) in 0..1

_PLAINLY = FilmWriting()
_STEPS = 3  # by which the time is measured
_PACKED = {".mp4": 0.15, ".webm": 0.15, ".gif": 1.0}  # bytes a pixel of each frame of a dreamt film, as measured


@dataclass(frozen=True)
class FilmEstimate:
    """What a film will take: frames, seconds, bytes of memory, of disk for the frames while it is made, and of the result."""

    frames: int
    seconds: float
    memory: int
    disk: int
    result: int


@dataclass(frozen=True)
class Soundtrack:
    """The film whose sound a made film has, when that ends, in seconds, or None for all of it, and which of its sounds are taken."""

    film: Path
    end: Fraction | None
    tracks: tuple[int, ...]


@dataclass(frozen=True)
class MovingPlan(ABC):
    """A journey or a film about to begin: its recipe, and its networks, open.

    `kept` are files that are kept in the cache by their hash once it begins, `notes` what the user should know.
    """

    recipe: Recipe
    networks: tuple[Network, ...]
    kept: tuple[bytes | Path, ...] = field(default=(), kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    @abstractmethod
    def units(self) -> int:
        """How many pictures are dreamt."""

    @property
    @abstractmethod
    def frames(self) -> int:
        """How many frames it has when it is whole."""

    @abstractmethod
    def maker(self, finished: int) -> AbstractContextManager[Make]:
        """What makes the units from number `finished` on, in order."""

    @abstractmethod
    def shown(self, finished: int, frame: Frame) -> Iterator[tuple[int, Tensor | None]]:
        """The frames in order: the number of the unit, and the picture where it is not the unit itself."""

    @abstractmethod
    def times(self, count: int) -> tuple[list[Fraction], Fraction]:
        """When each of so many frames is shown, in seconds, and when the last one is over."""

    @abstractmethod
    def of_frames(self, count: int) -> Recipe:
        """The recipe of its first frames alone."""

    @abstractmethod
    def dreams(self) -> list[tuple[int, Ascent]]:
        """How many dreams it takes, and how each climbs: first those of the first frame."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Of all that finished units depend on."""

    @abstractmethod
    def follows(self, old: Recipe) -> bool:
        """Whether a film of this recipe is this one or the beginning of it, so that nothing is lost with it."""

    def sound(self, count: int) -> Soundtrack | None:
        """Of its first frames."""
        return None

    def estimate(self, output: str | Path = "film.mp4") -> FilmEstimate:
        """What making it will take, from a few steps on one frame."""
        recipe = self.recipe
        height, width = recipe.height, recipe.width
        one = recipe.ascent.model_copy(update={"octaves": 1, "steps": _STEPS})
        dreamer = Dreamer(recipe, self.networks, recipe.journey.ring if recipe.journey else ())
        frame = torch.rand(recipe.channels, height, width, generator=torch.Generator().manual_seed(0))  # (C, H, W)
        times = []
        for _ in range(2):  # the first is slower: what is measured is the second
            began = time.monotonic()
            dreamer(frame, "estimate", ascent=one)
            times.append(time.monotonic() - began)
        work = sum(
            count * ascent.steps * sum(size.height * size.width for size in octave_sizes(height, width, ascent))
            for count, ascent in self.dreams()
        )
        layers = [*recipe.target.layers()] or [CLASSES]
        usual = statistics_for(recipe.penalties.natural, self.networks[0], layers)
        memory = estimated(recipe, None, bytes_per_pixel(self.networks[0], layers, usual), 0.0).memory
        frames = self.units * files.packed_size(height, width, recipe.channels, ".png")
        kind = Path(output).suffix.lower()
        result = int(self.frames * height * width * _PACKED[kind]) if kind in _PACKED else frames
        return FilmEstimate(self.frames, times[-1] * work / (_STEPS * height * width), memory, frames, result)

    def ready(self, output: str | Path, writing: FilmWriting = _PLAINLY) -> Path:
        """Where it goes; raises now, before any time is spent, if it cannot."""
        place = expanded(output)
        if place.name in ("", ".."):
            place = place.resolve()
        if not place.name:
            raise OutputError(f"'{place}' is no place for a film", f"name one: {choice('output', 'NAME.mp4')}")
        if place.suffix.lower() in FILMS:
            if place.suffix.lower() != ".gif" and find_spec("av") is None:
                raise MissingExtra(f"a film ({place.suffix}) needs PyAV", f"{install_extra('film')}, or name a folder for the frames")
            check_place(place)
            if place.exists() and not writing.force and not self._leads_to(place):
                raise exists(place)
            _pictures.check_not_input(place, self.recipe)
        elif place.suffix and not is_folder(place):
            raise UsageError(f"films cannot be written as '{place.suffix}'", "name it .mp4, .webm or .gif, or name a folder for the frames")
        else:
            if is_folder(place) and any(place.iterdir()) and not writing.force:
                raise OutputError(
                    f"the folder '{place}' is not empty", f"give {choice('force')} to write into it, or name a film in it: NAME.mp4"
                )
            check_no_original_in(place)
            for each in place.glob("*.png") if is_folder(place) else ():
                _pictures.check_not_input(each, self.recipe)
        work = _beside(place, ".work")
        for each in (work, _beside(place, "-preview")):
            check_no_original_in(each)
        check_place(work / "manifest.json" if is_folder(work) else work, room=0 if is_folder(work) else self._room())
        if not writing.force and (others := self._job(place).others()):
            fault = f"'{work}' holds {others} frames of a film that was made with other choices"
            raise OutputError(fault, f"give {choice('force')} to drop them, or another name with {choice('output')}")
        return place

    def is_free(self, place: Path) -> bool:
        """Whether a film can go there without anything being lost: nothing is there, or what it goes on with."""
        return not self._job(place).others() and (not os.path.lexists(place) or self._leads_to(place))

    def is_made(self, place: Path) -> bool:
        """Whether the very same is there already, whole."""
        first = place / f"{0:06d}.png"
        return recipe_at(first if is_folder(place) else place) == self.recipe

    def make(
        self,
        output: str | Path,
        writing: FilmWriting = _PLAINLY,
        progress: Watcher | None = None,
        tell: Tell = None,
    ) -> Footage:
        """Make it, or go on with it. See `journey` and `film`; `tell` is told each note as soon as it is known."""
        place, began = self.ready(output, writing), time.monotonic()
        job = self._job(place)
        with job.locked() as note:
            notes = (*self.notes, *((note,) if note else ()), *Kept().put_all(self.kept))
            if tell is not None:
                for each in notes:
                    tell(each)
            with using(self.recipe.machine.threads):
                with self.maker(job.finished()) as made:

                    def make(number: int) -> bytes:
                        return files.encode(quantise(made(number, lambda each: self._unit(job, each))), suffix=".png")

                    finished = run_in_order(job, make, _previewing(place, writing.preview, job, progress))
                done = finished == job.units
                recipe = self.recipe if done else self.of_frames(max(1, min(finished, self.frames)))
                if done or writing.partial:
                    self._write(place, job, finished, recipe if writing.with_recipe else None, writing.force, tell)
            if done and not writing.keep_frames:
                job.remove()
        frames = min(finished, self.frames)
        return Footage(place, recipe if writing.with_recipe else None, frames, time.monotonic() - began, notes, done)

    def _write(self, place: Path, job: Job, finished: int, recipe: Recipe | None, replace: bool, tell: Tell) -> None:
        """Put the finished units together."""
        text = None if recipe is None else recipe.text()

        def frames(look: Callable[[Tensor], Tensor] = lambda pixels: pixels) -> Iterator[np.ndarray[Any, Any] | Path]:
            for number, picture in self.shown(finished, lambda each: self._unit(job, each)):
                yield job.unit(number) if picture is None else quantise(look(picture))

        if place.suffix.lower() not in FILMS:
            made_folder(place)
            for number, frame in enumerate(frames()):
                content = frame.read_bytes() if isinstance(frame, Path) else files.encode(frame, suffix=".png")
                if number == 0 and text is not None:
                    pixels = _pictures.load_bytes(content, "a frame", channels=self.recipe.channels).pixels
                    content = files.encode(quantise(pixels), suffix=".png", recipe=text)
                write_whole(place / f"{number:06d}.png", content, replace=True)
            return
        from reverie.files.films.writing import write_film

        count = min(finished, self.frames)
        (times, end), sound = self.times(count), self.sound(count)
        replace = replace or self._leads_to(place)
        try:
            taken: dict[str, Any] = {} if sound is None else {"sound": sound.film, "sound_end": sound.end, "tracks": sound.tracks}
            write_film(place, frames(in_colours), times, end, **taken, recipe=text, replace=replace, tell=tell)
        except InputError as error:  # sound at which the writer breaks must not cost the film
            if sound is None:
                raise
            if tell is not None:
                tell(f"{error.fault}: the film is without it")
            write_film(place, frames(in_colours), times, end, recipe=text, replace=replace, tell=tell)

    def _job(self, place: Path) -> Job:
        return Job(_beside(place, ".work"), self.fingerprint(), self.units)

    def _leads_to(self, place: Path) -> bool:
        old = recipe_at(place)
        return old is not None and self.follows(old)

    def _unit(self, job: Job, number: int) -> Tensor:
        return _pictures.load(job.unit(number), channels=self.recipe.channels).pixels

    def _room(self) -> int:
        """Bytes that its frames take at the least."""
        return self.units * self.recipe.width * self.recipe.height // 2


def _beside(place: Path, ending: str) -> Path:
    return place.with_name(f"{place.stem if place.suffix.lower() in FILMS else place.name}{ending}")


def _previewing(place: Path, every: int, job: Job, progress: Watcher | None) -> Watcher:
    """What is done after each frame: every so many are put where they can be looked at."""
    folder = _beside(place, "-preview")
    if every:
        made_folder(folder)
        for number in range(0, job.finished(), every):
            _put(job, number, folder)

    def look(made: Progress) -> object:
        if every and made.number % every == 0:
            _put(job, made.number, folder)
        return progress is not None and progress(made)

    return look


def _put(job: Job, number: int, folder: Path) -> None:
    write_whole(folder / f"{number:06d}.png", job.unit(number).read_bytes(), replace=True)
