"""Dreamt films: each frame begins with the last dream, carried along with the film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reverie import recipe as _recipe
from reverie.album import read_recipe
from reverie.api.opening import Networks, networks_from
from reverie.api.replanning import check_hashes, compared, find, networks_of
from reverie.api.setting import Frame, Make, Setting, Watch
from reverie.api.validation import asked, check_colours, check_frames, seeded, threaded, whole
from reverie.errors import InputError, MissingExtra, UsageError
from reverie.files.films.reading import Survey, frames, survey
from reverie.motion.films import Cinema
from reverie.motion.flow import Frame as Source
from reverie.motion.footage import Footage
from reverie.networks import Network
from reverie.pictures import quantise, resize
from reverie.recipe import Choices, FileInput, Film, Recipe, chosen
from reverie.render import check as check_target
from reverie.render import check_reach, check_size, machine, used_by
from reverie.store import expanded, sha256_of
from reverie.target import parse

WIDEST = 1280  # pixels of a dreamt film, unless a width is given
_MOST_KEPT = 1 << 30  # bytes of a film that is kept for `redo`


@dataclass(frozen=True)
class FilmSetting(Setting):
    """A film about to be dreamt: where it is, and what it holds."""

    film: Path
    survey: Survey
    max_pixels: int

    @property
    def units(self) -> int:
        return self.frames

    @property
    def frames(self) -> int:
        assert self.recipe.film is not None
        return min(self.recipe.film.frames or len(self.survey.times), len(self.survey.times))

    @contextmanager
    def maker(self, finished: int) -> Iterator[Make]:
        cinema = Cinema(self.recipe, self.networks)
        if finished >= self.units:
            yield self._all_made
            return
        with frames(self.film, self.max_pixels, max(0, finished - 1)) as decoded:
            last = self._next(decoded) if finished else None

            def make(number: int, frame: Frame) -> Tensor:
                nonlocal last
                source = self._next(decoded)
                made = cinema.make(number, source, last, frame(number - 1) if number else None)
                last = source
                return made

            yield make

    def _all_made(self, number: int, _frame: Frame) -> Tensor:
        raise AssertionError(f"unit {number} was made before")

    def _next(self, decoded: Iterator[Source]) -> Source:
        """The next frame of the film, at the recipe's size."""
        source = next(decoded, None)
        if source is None:
            raise InputError(f"'{self.film}' has fewer frames than it had", "it was changed while it was read: begin again")
        if source.shape[:2] == (self.recipe.height, self.recipe.width):
            return source
        pixels = torch.from_numpy(source).permute(2, 0, 1).float() / 255  # (3, H, W)
        return quantise(resize(pixels, self.recipe.height, self.recipe.width))

    def shown(self, finished: int, frame: Frame) -> Iterator[tuple[int, Tensor | None]]:
        return ((number, None) for number in range(finished))

    def times(self, count: int) -> tuple[list[Fraction], Fraction]:
        times = self.survey.times
        return list(times[:count]), times[count] if count < len(times) else self.survey.end

    def sound(self, count: int) -> tuple[Path | None, Fraction | None]:
        if not self.survey.sound:
            return None, None
        return self.film, self.times(count)[1] if count < len(self.survey.times) else None

    def of_frames(self, count: int) -> Recipe:
        assert self.recipe.film is not None
        return self.recipe.model_copy(update={"film": self.recipe.film.model_copy(update={"frames": count})})

    def fingerprint(self) -> str:
        return sha256_of(self.of_frames(0).text().encode())

    def follows(self, old: Recipe) -> bool:
        if old.film is None or old.model_copy(update={"film": old.film.model_copy(update={"frames": 0})}) != self.of_frames(0):
            return False
        return 0 < old.film.frames <= self.frames or self.frames == len(self.survey.times)


def film(
    video: str | Path,
    output: str | Path,
    target: str | None = None,
    *,
    force: bool = False,
    keep_frames: bool = False,
    partial: bool = False,
    with_recipe: bool = True,
    preview: int = 0,
    progress: Watch | None = None,
    **choices: Any,
) -> Footage:
    """A dreamt film, steady from frame to frame, with its sound.

    What the last dream added is carried along the optical flow (Ruder, Dosovitskiy & Brox 2016, for styles) and dreamt on. Finished frames
    are kept beside the result in `NAME.work` until the film is whole: the same call goes on where it was stopped or killed.

    Args:
        video: a film's file.
        output: .mp4, .webm or .gif; or a folder for its frames alone.
        target: what to climb; see `dream`.
        force, keep_frames, partial, preview, progress: as for `journey`.
        **choices: see `plan_film`.

    Raises:
        UsageError, InputError, UnsafeError: as `dream`. MissingExtra: a film needs packages that are not installed.
        OutputError: it would overwrite, another process is at work on it, or there is no room; finished frames are kept.
    """
    way = plan_film(video, target, **choices)
    return way.make(
        output, force=force, keep_frames=keep_frames, partial=partial, with_recipe=with_recipe, preview=preview, progress=progress
    )


def plan_film(
    video: str | Path,
    target: str | None = None,
    *,
    level: str | None = None,
    preset: str | None = None,
    network: Networks = None,
    width: int | None = None,
    seed: int = 0,
    device: str | None = None,
    threads: int | None = None,
    keep: bool = True,
    strict: bool = False,
    max_pixels: int = _recipe.MAX_PIXELS,
    **choices: Any,
) -> FilmSetting:
    """All of `film` but the dreaming. The film is read once from end to end, so that what is wrong with it comes to light here.

    Args:
        level, preset: as for `dream`.
        width: of the film, its shape kept; without it its own, but no more than 1280. Sides are made even, as films need.
        keep: keep the film in the cache by its hash, so that `redo` finds it; one of more than a gigabyte is not.
        strict: refuse a film of which only a part can be read.
        **choices: `steady`, `frames`, `carried_octaves`, `carried_steps` of the recipe's `Film`, and every field of its `Ascent`,
            `Transforms` and `Penalties`.
    """
    check_installed()
    own = {name: choices.pop(name) for name in list(choices) if name in Film.model_fields}
    what = asked(target, level, preset)
    made = _made(what.preset, choices)
    moving = _recipe.choose(Film, **{name: value for name, value in own.items() if value is not None})
    seed, threads = seeded(seed), threaded(threads)
    max_pixels = whole("--max-pixels", max_pixels, 1)
    place = expanded(video)
    found = survey(place, max_pixels, strict)
    high, wide = _size(found, width, place)
    nets = networks_from(network, device)
    check_colours(nets[0], choices, made.finish)
    check_frames(nets[0])
    wanted = [what.of(net) for net in nets]
    for net, each in zip(nets, wanted, strict=True):
        check_target(each, net)
        check_reach(each, net, high, wide)
    recipe = Recipe(
        command="film", networks=tuple(used_by(net, each, wanted[0]) for net, each in zip(nets, wanted, strict=True)),
        inputs=(FileInput(role="film", sha256=found.sha256, width=found.width, height=found.height),), target=wanted[0],
        **made._asdict(), width=wide, height=high, channels=nets[0].channels, seed=seed, film=moving, machine=machine(nets[0], threads),
    )  # fmt: skip
    small = place.stat().st_size <= _MOST_KEPT
    notes = list(found.notes)
    if (high, wide) != (found.height, found.width):
        notes.append(
            f"the film is {found.width}×{found.height}, and its dream {wide}×{high}" + ("" if width else "; --width gives another")
        )
    if keep and not small:
        notes.append("the film is too large to be kept: `redo` will need it beside the dream, or --start")
    kept = (place,) if keep and small else ()
    return FilmSetting(recipe, nets, place, found, max_pixels, kept=kept, notes=tuple(notes))


def plan_film_again(
    dreamt: str | Path,
    *,
    start: str | Path | None = None,
    network: Network | Sequence[Network] | None = None,
    device: str | None = None,
    threads: int | None = None,
    max_pixels: int = _recipe.MAX_PIXELS,
) -> FilmSetting:
    """A dreamt film again, from the recipe that it carries, or the first of its frames in a folder. See `redo`.

    Raises:
        InputError: no recipe of a film, one that cannot be used, a film that cannot be found, or another network.
    """
    check_installed()
    place, threads = expanded(dreamt), threaded(threads)
    max_pixels = whole("--max-pixels", max_pixels, 1)
    old = read_recipe(place)
    used = old.input("film")
    if old.film is None or not isinstance(used, FileInput):
        raise InputError(f"'{place.name}' is no dreamt film", "its recipe says what it is: reverie recipe")
    given = [network] if isinstance(network, Network) else list(network or ())
    check_hashes(old, given, place)
    check_size(old.height, old.width, place.name)
    source = find(used, place, None if start is None else expanded(start))
    found = survey(source, max_pixels)
    nets = networks_of(old, given, device, place)
    try:
        for net, each in zip(nets, old.networks, strict=True):
            check_target(parse(each.target or old.target), net)
            check_reach(parse(each.target or old.target), net, old.height, old.width)
    except UsageError as error:
        raise InputError(f"the recipe in '{place.name}' cannot be followed: {error.fault}", error.remedy) from error
    here = machine(nets[0], threads or old.machine.threads)
    notes = (compared(old.machine, here), *found.notes)
    return FilmSetting(old.model_copy(update={"machine": here}), nets, source, found, max_pixels, notes=notes)


def check_installed() -> None:
    """Raise MissingExtra where what films need is not installed."""
    for package, name in (("av", "PyAV"), ("cv2", "OpenCV")):
        if find_spec(package) is None:
            raise MissingExtra(f"films need {name}", "pip install 'reverie[film]'")


def _made(named: _recipe.Preset | None, choices: dict[str, Any]) -> Choices:
    made = chosen("film", {} if named is None else named.choices, choices)
    if made.canvas.canvas != "pixels" or made.finish != type(made.finish)():
        raise UsageError("a film on another canvas, or with a finish", "it climbs pixels, and its frames are as they are dreamt")
    return made


def _size(found: Survey, width: int | None, place: Path) -> tuple[int, int]:
    """Height and width of the dream: even, and no wider than was asked for."""
    wide = min(found.width, WIDEST) if width is None else whole("--width", width, 2)
    size = max(2, 2 * round(found.height * wide / found.width / 2)), wide - wide % 2
    check_size(*size, str(place))
    return size
