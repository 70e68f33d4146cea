"""Dreams: pictures that begin with a picture."""

from __future__ import annotations

from typing import Any

from reverie import recipe as _recipe
from reverie.api.inputs import Start, beside_of, start_of
from reverie.api.opening import Networks, networks_from
from reverie.api.validation import asked, check_colours, seeded, threaded, whole
from reverie.errors import UsageError
from reverie.pictures import Picture
from reverie.recipe import Choices, FileInput, Objective, Recipe, chosen
from reverie.render import Plan, Watcher, check, check_objective, check_reach, machine, tiles_for, used_by, whole_only


def dream(
    start: Start,
    target: str | None = None,
    *,
    network: Networks = None,
    progress: Watcher | None = None,
    making: int = 0,
    **choices: Any,
) -> Picture:
    """Enhance in a picture what a layer, a unit or any target detects in it (Mordvintsev, Olah & Tyka 2015).

    Args:
        start: a path, a PIL image, a tensor (C, H, W) in 0..1, or `noise:white`, `noise:grey`, `noise:pink`.
        target: what to climb, e.g. `blocks.4.1`, `blocks.4.1:12 - 0.5*blocks.2.0:3`, `class:banana`.
        network: an open network, or the name of a built-in one; or several, for a picture that all of them want.
        progress: is shown every step; a true answer stops, and the picture is marked as partial.
        making: keep so many pictures from along the way.
        **choices: `level`, `preset`, `guide`, `caricature`, `direction`, `towards`, `away`, `mask`, `tile`, `halo`, `width`, `size`,
            `seed`, `device`, `threads`, `keep`, `max_pixels` of `plan`, and every field of the recipe's `Canvas`, `Ascent`, `Transforms`,
            `Penalties` and `Finish`: `octaves`, `steps`, `strength`, `rotate`, `total_variation`, `mix` …

    Raises:
        UsageError: an unknown name or a value out of bounds. InputError: a start that cannot be used. UnsafeError: one that is refused.
    """
    return plan(start, target, network=network, **choices).make(progress, making)


def plan(
    start: Start,
    target: str | None = None,
    *,
    level: str | None = None,
    preset: str | None = None,
    network: Networks = None,
    guide: Start | None = None,
    caricature: bool = False,
    direction: Any = None,
    towards: Any = None,
    away: Any = None,
    mask: Start | None = None,
    tile: int | None = None,
    halo: int | None = None,
    width: int | None = None,
    size: int | tuple[int, int] | None = None,
    seed: int = 0,
    device: str | None = None,
    threads: int | None = None,
    keep: bool = True,
    max_pixels: int = _recipe.MAX_PIXELS,
    **choices: Any,
) -> Plan:
    """All of `dream` but the dreaming: what is wrong comes to light here, before any time is spent, and the recipe is known.

    Args:
        level: a plain-language level in the place of a target.
        preset: named choices; what is given beside it goes before it.
        guide: a picture whose features at the layer are enhanced in the start.
        caricature: exaggerate what the layer sees in the start.
        direction: an .npy file or a row of numbers, one for each channel of the layer, that every place shall lie along.
        towards, away: instead of a direction: pictures, or folders of them; it leads from what the layer sees in `away` to `towards`.
        mask: a picture that is white where to dream; what is black stays as it was, byte for byte.
        tile: side of the tiles in which the gradient of a large picture is computed; None for one pass, or as large as memory allows.
        halo: pixels around each that the network is shown with it; None for as many as its layers depend on.
        width: bring the start to this width, its shape kept.
        size: side, or (height, width), of a start made from noise.
        keep: keep what goes in in the cache by its hash, so that `redo` finds it.
    """
    what = asked(target, level, preset)
    objective = objective_of(guide is not None, caricature, direction is not None or towards is not None or away is not None)
    made = chosen("dream", {**(what.preset.choices if what.preset else {}), **(_recipe.CARICATURE if caricature else {})}, choices)
    seed, threads = seeded(seed), threaded(threads)
    max_pixels = whole("--max-pixels", max_pixels, 1)
    tile = None if tile is None else whole("--tile", tile, 16, 2**16)
    halo = None if halo is None else whole("--halo", halo, 0, 2**12)
    nets = networks_from(network, device)
    check_colours(nets[0], choices, made.finish)
    picture, used = start_of(start, nets[0].channels, width, size, seed, max_pixels, made.canvas.spread, largest=max_pixels)
    wanted = [what.of(net) for net in nets]
    for net, each in zip(nets, wanted, strict=True):
        check(each, net)
        check_reach(each, net, *picture.size)
    beside = beside_of(guide, mask, direction, towards, away, nets, wanted[0], picture.size, max_pixels)
    for net, each in zip(nets, wanted, strict=True):
        check_objective(objective, each, net, beside.direction)
    why_not = whole_only(nets[0], wanted[0], objective, made.transforms, made.penalties, len(nets)) or _no_tiles(made)
    tiles, notes = tiles_for(nets[0], wanted[0], *picture.size, tile, halo, why_not)
    recipe = Recipe(
        networks=tuple(used_by(net, each, wanted[0]) for net, each in zip(nets, wanted, strict=True)),
        inputs=(used, *beside.used),
        target=wanted[0],
        objective=objective,
        **made._asdict(),
        width=picture.size[1],
        height=picture.size[0],
        channels=nets[0].channels,
        seed=seed,
        tiles=tiles,
        machine=machine(nets[0], threads),
    )
    kept = (*((picture.content,) if isinstance(used, FileInput) else ()), *beside.kept) if keep else ()
    return Plan(
        recipe, nets, picture, guide=beside.guide, mask=beside.mask, direction=beside.direction, kept=kept,
        notes=(*beside.notes, *notes),
    )  # fmt: skip


def _no_tiles(made: Choices) -> str:
    return "" if made.canvas.canvas == "pixels" else f"the canvas '{made.canvas.canvas}' has no places"


def objective_of(guided: bool, caricature: bool, directed: bool) -> Objective:
    """The objective that the inputs call for; UsageError where they call for several."""
    called: list[Objective] = []
    if guided:
        called.append("guide")
    if caricature:
        called.append("caricature")
    if directed:
        called.append("direction")
    if len(called) > 1:
        raise UsageError(f"both a {called[0]} and a {called[1]}", "give one of them: each says what to climb")
    return called[0] if called else "excite"
