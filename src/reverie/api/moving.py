"""Journeys and dreamt films: pictures that move."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Unpack

from torch import Tensor

from reverie.api.choices import Climbed, FilmChoices, JourneyChoices, PictureLike, documented
from reverie.api.journey_ring import ring_of
from reverie.api.opening import Networks
from reverie.api.planning import Before, Planning, check_frames
from reverie.api.start_guide_mask import start_of
from reverie.errors import MissingExtra, UsageError, choice
from reverie.files.films.reading import Survey, survey
from reverie.files.limits import at_most_pixels
from reverie.installing import install_extra
from reverie.motion.film_plan import FilmPlan
from reverie.motion.journey_frames import check, closing
from reverie.motion.journey_plan import JourneyPlan
from reverie.motion.made_film import Footage
from reverie.motion.motion_expressions import Motion
from reverie.networks.read_once import reading_once
from reverie.pictures import Picture, resize
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import Course, FileInput, Film, FilmReading, FilmWriting, Journey, Request, Size, Width, choose, is_noise
from reverie.render import check as check_target
from reverie.render import check_reach, check_size, network_used
from reverie.render.class_words import notes_on
from reverie.store import expanded, originals
from reverie.target import Target
from reverie.work import Watcher

SIZE = (360, 640)  # of a journey that begins with noise: height, width
WIDEST = 1280  # pixels, of a start that is a picture or a film, unless a width is given
_MOST_KEPT = 1 << 30  # bytes of a film that is kept for `redo`


@documented("journey")
@ordinary_modes()
def journey(
    start: PictureLike,
    output: str | Path,
    target: Climbed | None = None,
    *,
    network: Networks = None,
    progress: Watcher | None = None,
    **choices: Unpack[JourneyChoices],
) -> Footage:
    """A film in which each frame is dreamt from the last, moved a little.

    Finished frames are kept beside the result in `NAME.work` until the film is whole: the same call goes on where it was stopped or killed.

    Args:
        start: a path, a PIL image, a tensor (C, H, W) in 0..1, or `noise:white`, `noise:grey`, `noise:pink`.
        output: .mp4, .webm or .gif; or a folder for its frames alone.
        target: what to climb; see `dream`. A `ring` has several, which take turns, with `NETWORK/` before it one of another network.
        network: as in `dream`.
        progress: is told of each frame (number, units, per_second, left); a true answer stops after it.
        **choices: beside those below `force`, `with_recipe`, `preview`, `keep_frames` and `partial`: how the film is written.

    Raises:
        UsageError, InputError, UnsafeError: as `dream`. MissingExtra: a film needs packages that are not installed.
        OutputError: it would overwrite, another process is at work on it, or there is no room; finished frames are kept.
    """
    writing, others = split(dict(choices))
    with originals([expanded(start)] if isinstance(start, (str, Path)) else []):
        return plan_journey(start, target, network=network, **others).make(output, writing, progress)


@documented("film")
@ordinary_modes()
def film(
    video: str | Path,
    output: str | Path,
    target: Climbed | None = None,
    *,
    network: Networks = None,
    progress: Watcher | None = None,
    **choices: Unpack[FilmChoices],
) -> Footage:
    """A dreamt film, steady from frame to frame, with its sound.

    What the last dream added is carried along the optical flow (Ruder, Dosovitskiy & Brox 2016, for styles) and dreamt on. Finished frames
    are kept beside the result in `NAME.work` until the film is whole: the same call goes on where it was stopped or killed.

    Args:
        video: a film's file.
        output, target, network, progress, **choices: as for `journey`.

    Raises:
        as `journey`.
    """
    writing, others = split(dict(choices))
    with originals([expanded(video)]):
        return plan_film(video, target, network=network, **others).make(output, writing, progress)


def split(choices: dict[str, Any]) -> tuple[FilmWriting, dict[str, Any]]:
    """How it is written, and the other choices."""
    written = {name: choices.pop(name) for name in FilmWriting.model_fields if name in choices}
    return choose(FilmWriting, **{name: value for name, value in written.items() if value is not None}), choices


@reading_once()
def plan_journey(
    start: PictureLike,
    target: Climbed | None = None,
    *,
    network: Networks = None,
    before: Before | None = None,
    **choices: Any,
) -> JourneyPlan:
    """All of `journey` but the dreaming: what is wrong comes to light here, and the recipe is known."""
    ring: Sequence[str | Target] = choices.get("ring") or ()
    if ring and (target is not None or choices.get("level") is not None):
        raise UsageError(f"both {choice('ring')} and {choice('target')} or {choice('level')}", "name the targets of the ring alone")
    stops = ring_of(ring, network, choices.get("device"), choices.get("precision")) if ring else None
    wish = Planning("journey", network if stops is None else stops.networks, {"target": target, **choices}, before)
    check_frames(wish.network)
    moving = _moving(wish.request)
    notes = check(moving)
    noise = is_noise(start)
    if not noise:
        wish.without_spread()
    elif wish.request.changed("enter"):
        raise UsageError(f"{choice('enter')} for a start of noise", "it says how a start that is a picture goes over into the dream")
    with at_most_pixels(wish.machinery.max_pixels):
        picture, used = start_of(start, _for_films(wish.request, noise), wish.network.channels)
    pixels, said = _fitting(picture, wish.request[Width].width)
    size = (pixels.shape[1], pixels.shape[2])
    if stops is None:
        targets = wish.targets()
        wish.check(targets, size)
        recipe = wish.recipe(targets, size, (used,), journey=moving)
    else:
        for each in stops.stops:
            check_target(each.target, wish.networks[each.network])
            check_reach(each.target, wish.networks[each.network], *size)
        moving = moving.model_copy(update={"ring": stops.stops})
        nets = tuple(network_used(net, stops.layers(at)) for at, net in enumerate(wish.networks))
        recipe = wish.recipe([stops.stops[0].target] * len(nets), size, (used,), journey=moving, networks=nets)
    kept = (picture.content,) if wish.machinery.keep and isinstance(used, FileInput) else ()
    asked = [recipe.target] if stops is None else [each.target for each in stops.stops if each.network == 0]
    return JourneyPlan(recipe, wish.networks, pixels, kept=kept, notes=(*notes_on(asked, wish.network), *notes, *picture.notes, *said))


@reading_once()
def plan_film(
    video: str | Path,
    target: Climbed | None = None,
    *,
    network: Networks = None,
    before: Before | None = None,
    **choices: Any,
) -> FilmPlan:
    """All of `film` but the dreaming. The film is read once from end to end, so that what is wrong with it comes to light here."""
    check_installed()
    wish = Planning("film", network, {"target": target, **choices}, before)
    check_frames(wish.network)
    place = expanded(video)
    with at_most_pixels(wish.machinery.max_pixels):
        found = survey(place, wish.request[FilmReading].strict)
    width = wish.request[Width].width
    size = _size(found, width, place)
    targets = wish.targets()
    wish.check(targets, size)
    used = FileInput(role="film", sha256=found.sha256, width=found.width, height=found.height)
    recipe = wish.recipe(targets, size, (used,), film=wish.request[Film])
    notes = [*notes_on(targets, wish.network), *found.notes]
    if size != (found.height, found.width):
        why = "" if width else "; another width gives another"
        notes.append(f"the film is {found.width}×{found.height}, and its dream {size[1]}×{size[0]}{why}")
    keep = wish.machinery.keep and place.stat().st_size <= _MOST_KEPT
    if wish.machinery.keep and not keep:
        notes.append("the film is too large to be kept: `redo` will need it beside the dream, or to be told where it is")
    return FilmPlan(
        recipe, wish.networks, place, found, wish.machinery.max_pixels, kept=(place,) if keep else (), notes=tuple(notes)
    )  # fmt: skip


def check_installed() -> None:
    """Raise MissingExtra where what films need is not installed."""
    for package, name in (("av", "PyAV"), ("cv2", "OpenCV")):
        if find_spec(package) is None:
            raise MissingExtra(f"films need {name}", install_extra("film"))


def _moving(request: Request) -> Journey:
    """How it moves, the motion in canonical form."""
    moving, seconds = request[Journey], request[Course].seconds
    if seconds is not None:
        if request.changed("frames"):
            raise UsageError(f"both {choice('frames')} and {choice('seconds')}", "give one of them")
        moving = choose(Journey, **{**dict(moving), "frames": max(1, round(seconds * moving.fps))})
    if request.changed("close") and not moving.loop:
        raise UsageError(f"{choice('close')} without {choice('loop')}", "it says how a loop's end goes over into its beginning: give both")
    if request.changed("turn") and not request[Course].ring:
        raise UsageError(f"{choice('turn')} without {choice('ring')}", "it says how long each target of a ring dreams: give both")
    moving = moving.model_copy(update={"motion": Motion(moving.motion).text})
    if moving.loop and closing(moving) < 2:
        raise UsageError(f"a loop of {moving.frames} frames", "it takes 4 or more to go over from its end into its beginning")
    return moving


def _for_films(request: Request, noise: bool) -> Request:
    """Noise of a size that a film can have; a picture as it is, which is brought to such a size at once."""
    width = request[Width].width
    if not noise:
        given = {name: value for name, value in request.given.items() if name != "width"}
        return Request(request.command, given, {**request.before, "width": None})
    if width is not None and request[Size].size is not None:
        return request  # and who reads the start says what is wrong
    high, wide = request[Size].size or ((width, width) if width else SIZE)
    given = {name: value for name, value in request.given.items() if name not in ("width", "size")}
    return Request(request.command, {**given, "size": (high - high % 2, wide - wide % 2)}, {**request.before, "width": None, "size": None})


def _fitting(picture: Picture, width: int | None) -> tuple[Tensor, tuple[str, ...]]:
    """(C, H, W) with even sides, no wider than a film that was asked for nothing else; and a note where that is not the start's size."""
    high, wide = picture.size
    new = min(wide, WIDEST) if width is None else width
    if width is not None:
        check_size(max(1, round(high * width / wide)), width, "the start")
        high, wide = max(1, round(high * width / wide)), width  # as a picture of this width has it
    size = max(2, 2 * round(high * new / wide / 2)), new - new % 2
    note = f"the start is {wide}×{high}, and the journey {size[1]}×{size[0]}; another width gives another"
    return resize(picture.pixels, *size), (note,) if new < wide else ()


def _size(found: Survey, width: int | None, place: Path) -> tuple[int, int]:
    """Height and width of the dream: even, and no wider than was asked for."""
    wide = min(found.width, WIDEST) if width is None else max(2, width)
    size = max(2, 2 * round(found.height * wide / found.width / 2)), wide - wide % 2
    check_size(*size, str(place))
    return size
