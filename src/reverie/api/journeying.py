"""Journeys: films in which each frame is dreamt from the last, moved a little."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from reverie import recipe as _recipe
from reverie.album import read_recipe
from reverie.api.inputs import Start, start_of
from reverie.api.opening import Networks, networks_from
from reverie.api.replanning import check_hashes, compared, find, networks_of
from reverie.api.setting import Frame, Make, Setting, Watch
from reverie.api.validation import asked, check_colours, check_frames, seeded, sides, threaded, whole
from reverie.errors import InputError, UsageError, unknown
from reverie.motion.expressions import Motion
from reverie.motion.footage import Footage
from reverie.motion.journeys import Traveller, check, closing, units
from reverie.networks import Network
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.sources.source import ZOOS, is_same
from reverie.pictures import Picture, load, resize
from reverie.recipe import Choices, FileInput, Journey, Recipe, Stop, chosen
from reverie.render import check as check_target
from reverie.render import check_reach, check_size, drawn, machine, network_used, used_by
from reverie.store import expanded, sha256_of
from reverie.target import CLASSES, brief, parse

SIZE = (360, 640)  # of a journey that begins with noise: height, width
WIDEST = 1280  # pixels, of a start that is a picture, unless a width is given


@dataclass(frozen=True)
class JourneySetting(Setting):
    """A journey about to begin; `start` is (C, H, W) in 0..1, at its size."""

    start: Tensor

    @property
    def journey(self) -> Journey:
        assert self.recipe.journey is not None
        return self.recipe.journey

    @property
    def units(self) -> int:
        return units(self.journey)

    @property
    def frames(self) -> int:
        return self.journey.frames

    def maker(self, finished: int) -> AbstractContextManager[Make]:
        return nullcontext(self._traveller.make)

    def shown(self, finished: int, frame: Frame) -> Iterator[tuple[int, Tensor | None]]:
        return self._traveller.shown(finished, frame)

    def times(self, count: int) -> tuple[list[Fraction], Fraction]:
        rate = Fraction(self.journey.fps).limit_denominator(1001)
        return [index / rate for index in range(count)], count / rate

    def of_frames(self, count: int) -> Recipe:
        return self.recipe.model_copy(update={"journey": self.journey.model_copy(update={"frames": count, "loop": False})})

    def fingerprint(self) -> str:
        return fingerprint(self.recipe)

    def follows(self, old: Recipe) -> bool:
        shorter = old.journey is not None and old.journey.frames <= self.journey.frames
        return shorter and (old == self.recipe or fingerprint(old) == fingerprint(self.of_frames(1)))

    @cached_property
    def _traveller(self) -> Traveller:
        return Traveller(self.recipe, self.networks, self.start)


def fingerprint(recipe: Recipe) -> str:
    """sha256 of all that finished frames depend on: a longer journey has the same, but a loop depends on its length."""
    moving = recipe.journey
    assert moving is not None
    if not moving.loop:
        recipe = recipe.model_copy(update={"journey": moving.model_copy(update={"frames": 1})})
    return sha256_of(recipe.text().encode())


def journey(
    start: Start,
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
    """A film in which each frame is dreamt from the last, moved a little.

    Finished frames are kept beside the result in `NAME.work` until the film is whole: the same call goes on where it was stopped or killed.

    Args:
        start: a path, a PIL image, a tensor (C, H, W) in 0..1, or `noise:white`, `noise:grey`, `noise:pink`.
        output: .mp4, .webm or .gif; or a folder for its frames alone.
        target: what to climb; see `dream`.
        force: replace what is there.
        keep_frames: leave the work folder.
        partial: if it is stopped, make a film of what is there.
        preview: also write every so many frames as a picture, into `NAME-preview`, while it goes; 0 for none.
        progress: is told of each frame (number, units, per_second, left); a true answer stops after it.
        **choices: see `plan_journey`.

    Raises:
        UsageError, InputError, UnsafeError: as `dream`. MissingExtra: a film needs packages that are not installed.
        OutputError: it would overwrite, another process is at work on it, or there is no room; finished frames are kept.
    """
    way = plan_journey(start, target, **choices)
    return way.make(
        output, force=force, keep_frames=keep_frames, partial=partial, with_recipe=with_recipe, preview=preview, progress=progress
    )


def plan_journey(
    start: Start,
    target: str | None = None,
    *,
    level: str | None = None,
    preset: str | None = None,
    ring: Sequence[str] = (),
    network: Networks = None,
    width: int | None = None,
    size: int | tuple[int, int] | None = None,
    seconds: float | None = None,
    seed: int = 0,
    device: str | None = None,
    threads: int | None = None,
    keep: bool = True,
    max_pixels: int = _recipe.MAX_PIXELS,
    **choices: Any,
) -> JourneySetting:
    """All of `journey` but the dreaming: what is wrong comes to light here, and the recipe is known.

    Args:
        level, preset: as for `dream`; of a preset, what is tuned for a single picture is left out.
        ring: targets or levels that take turns, each dreaming on what the last one saw; with `NETWORK/` before it one of another network.
        width, size: as for `dream`; without them noise is 640×360, and a picture no wider than 1280. Sides are made even, as films need.
        seconds: of the film, in the place of `frames`.
        **choices: `motion`, `frames`, `fps`, `loop`, `close`, `enter`, `rounds`, `turn` of the recipe's `Journey`, and every field of its
            `Ascent`, `Transforms` and `Penalties`.
    """
    own = {name: choices.pop(name) for name in list(choices) if name in Journey.model_fields and name != "ring"}
    if ring and (target is not None or level is not None):
        raise UsageError("both a ring and a target or level", "name the targets of the ring alone")
    what = asked(target, level, preset, alone=not ring)
    made = _made(what.preset, choices)
    moving = _moving(own, seconds)
    notes = check(moving)
    seed, threads = seeded(seed), threaded(threads)
    max_pixels = whole("--max-pixels", max_pixels, 1)
    noise = isinstance(start, str) and start.startswith("noise:")
    if noise and width is None:
        size = sides(size) if size is not None else SIZE
    if not noise and choices.get("spread") is None:
        made = made._replace(canvas=made.canvas.model_copy(update={"spread": 0.0}))
    if ring:
        nets, stops, texts = _ring(ring, network, device)
        moving = moving.model_copy(update={"ring": stops})
        used_nets = tuple(
            network_used(net, list(dict.fromkeys(name for each in texts[at] for name in parse(each).layers())) or [CLASSES])
            for at, net in enumerate(nets)
        )
        wanted = [(nets[each.network], parse(each.target)) for each in stops]
    else:
        nets = networks_from(network, device)
        wanted = [(net, what.of(net)) for net in nets]
        used_nets = tuple(used_by(net, each, wanted[0][1]) for net, each in wanted)
    check_colours(nets[0], choices, made.finish)
    check_frames(nets[0])
    size = _even(size, width) if noise else size
    picture, used = start_of(start, nets[0].channels, width, size, seed, max_pixels, made.canvas.spread)
    pixels, said = _fitting(picture, width)
    high, wide = pixels.shape[1:]
    for net, each in wanted:
        check_target(each, net)
        check_reach(each, net, high, wide)
    recipe = Recipe(
        command="journey", networks=used_nets, inputs=(used,), target=wanted[0][1], **made._asdict(), width=wide, height=high,
        channels=nets[0].channels, seed=seed, journey=moving, machine=machine(nets[0], threads),
    )  # fmt: skip
    kept = (picture.content,) if keep and isinstance(used, FileInput) else ()
    return JourneySetting(recipe, nets, pixels, kept=kept, notes=(*notes, *said))


def plan_journey_again(
    film: str | Path,
    *,
    start: str | Path | None = None,
    network: Network | Sequence[Network] | None = None,
    device: str | None = None,
    threads: int | None = None,
    max_pixels: int = _recipe.MAX_PIXELS,
) -> JourneySetting:
    """A journey again, from the recipe that its film carries, or the first of its frames in a folder. See `redo`.

    Raises:
        InputError: no recipe of a journey, one that cannot be used, a start that cannot be found, or another network.
    """
    place, threads = expanded(film), threaded(threads)
    max_pixels = whole("--max-pixels", max_pixels, 1)
    old = read_recipe(place)
    if old.journey is None:
        raise InputError(f"'{place.name}' is no journey", "its recipe says what it is: reverie recipe")
    given = [network] if isinstance(network, Network) else list(network or ())
    check_hashes(old, given, place)
    check_size(old.height, old.width, place.name)
    used = old.input("start")
    if isinstance(used, FileInput):
        picture = load(find(used, place, None if start is None else expanded(start)), max_pixels, old.channels)
        pixels = resize(picture.pixels, old.height, old.width)
    else:
        pixels = drawn(old, "").pixels
    nets = networks_of(old, given, device, place)
    try:
        notes = check(old.journey)
        if max((each.network for each in old.journey.ring), default=0) >= len(nets):
            raise UsageError("a stop of its ring has no network", "it may have been edited")
        stops = [(nets[each.network], parse(each.target)) for each in old.journey.ring]
        texts = [each.target or old.target for each in old.networks]
        for net, each in stops or [(net, parse(text)) for net, text in zip(nets, texts, strict=True)]:
            check_target(each, net)
            check_reach(each, net, old.height, old.width)
    except UsageError as error:
        raise InputError(f"the recipe in '{place.name}' cannot be followed: {error.fault}", error.remedy) from error
    here = machine(nets[0], threads or old.machine.threads)
    notes = (compared(old.machine, here), *notes)
    return JourneySetting(old.model_copy(update={"machine": here}), nets, pixels, notes=notes)


def _made(named: _recipe.Preset | None, choices: dict[str, Any]) -> Choices:
    of_preset = {} if named is None else {name: value for name, value in named.choices.items() if name in ("vivid",)}
    made = chosen("journey", of_preset, choices)
    if made.canvas.canvas != "pixels" or made.finish != type(made.finish)():
        raise UsageError("a journey on another canvas, or with a finish", "it climbs pixels, and its frames are as they are dreamt")
    return made


def _moving(asked: dict[str, Any], seconds: float | None) -> Journey:
    """How it moves, the motion in canonical form."""
    given = {name: value for name, value in asked.items() if value is not None}
    if seconds is not None:
        if "frames" in given:
            raise UsageError("both a number of frames and of seconds", "give one of them")
        if not isinstance(seconds, (int, float)) or not 0 < seconds <= 10**7:
            raise UsageError(f"--seconds {brief(str(seconds))}", "it is a number above 0")
        rate = _recipe.choose(Journey, **{name: value for name, value in given.items() if name == "fps"}).fps
        given["frames"] = max(1, round(seconds * rate))
    moving = _recipe.choose(Journey, **given)
    moving = moving.model_copy(update={"motion": Motion(moving.motion).text})
    if moving.loop and closing(moving) < 2:
        raise UsageError(f"a loop of {moving.frames} frames", "it takes 4 or more to go over from its end into its beginning")
    return moving


def _ring(ring: Sequence[str], network: Networks, device: str | None) -> tuple[tuple[Network, ...], tuple[Stop, ...], list[list[str]]]:
    """The networks of a ring, its stops, and for each network the targets of its stops."""
    if isinstance(ring, str) or len(ring) < 2:
        raise UsageError("a ring of fewer than two targets", "name two or more: --ring parts objects")
    given: list[Any] = list(network) if isinstance(network, (list, tuple)) else [network]
    parts: list[tuple[str | None, str]] = []
    for each in ring:
        whole_text = str(each)
        end = next((found.start() for found in re.finditer(r"/(class|attention)(?=$|[:@\s])", whole_text)), len(whole_text))
        name, slash, text = whole_text[:end].rpartition("/")  # blocks.7/class is a layer, efficientnet-lite1/blocks.3.1 one of a network
        parts.append((name if slash else None, text + whole_text[end:]))
    own = {each.name for each in given if isinstance(each, Network)} | {each for each in given if isinstance(each, str)}
    missing = dict.fromkeys(name for name, _ in parts if name is not None and not any(is_same(each, name) for each in own))
    for name in missing:
        if name not in CATALOGUE and not name.startswith(tuple(f"{each}:" for each in ZOOS)):
            raise unknown("network", brief(name, 60), [*CATALOGUE, *own], "`reverie networks` lists them")
    first_named = all(name is not None for name, _ in parts) and given == [None]
    asked = [*([] if first_named else given), *missing]
    nets = networks_from(asked, device)
    called = [each.name if isinstance(each, Network) else each or _recipe.DEFAULT_NETWORK for each in asked]
    index = {name: next(at for at, each in enumerate(called) if is_same(each, name)) for name, _ in parts if name is not None}
    stops, texts = [], [list[str]() for _ in nets]
    for of, text in parts:
        at = 0 if of is None else index[of]
        said = str(parse(nets[at].level(text) if text in _recipe.LEVELS else text))
        stops.append(Stop(target=parse(said), network=at))
        texts[at].append(said)
    return nets, tuple(stops), texts


def _even(size: Any, width: int | None) -> Any:
    """Of noise: sides that a film can have."""
    high, wide = sides(size) if size is not None else (whole("--width", width, 1),) * 2
    return high - high % 2, wide - wide % 2


def _fitting(picture: Picture, width: int | None) -> tuple[Tensor, tuple[str, ...]]:
    """(C, H, W) with even sides, no wider than a film that was asked for nothing else; and a note where that is not the start's size."""
    high, wide = picture.size
    new = min(wide, WIDEST) if width is None else wide
    size = max(2, 2 * round(high * new / wide / 2)), new - new % 2
    note = f"the start is {wide}×{high}, and the journey {size[1]}×{size[0]}; --width makes it another"
    return resize(picture.pixels, *size), (note,) if new < wide else ()
