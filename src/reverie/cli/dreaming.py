"""Commands that begin with a picture: dream, redo."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverie.album import read_recipe
from reverie.cli import flags
from reverie.cli.console import line, print_json, remark, say
from reverie.cli.info import check_readable
from reverie.cli.journeying import moving_again
from reverie.cli.network_flags import NONE, Wanted, with_network
from reverie.cli.outputs import fitting, place_for, ready, save_strip, saved, speakable, stopped_early, strip_place, within
from reverie.errors import InputError, MissingExtra, OutputError, ReverieError, UnsafeError
from reverie.recipe import GROUPS, MAX_PIXELS, PRESETS
from reverie.store import expanded, is_folder

if TYPE_CHECKING:
    from reverie.render import Plan


@flags.with_fields("dream", *GROUPS)
@with_network(several=True)
def dream_command(
    starts: Annotated[
        list[str], typer.Argument(metavar="START", help="Pictures, a folder of them, or noise:white|grey|pink.", show_default=False)
    ],
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="What to climb: blocks.4.1, blocks.4.1:12, class:banana, sums of them.", metavar="T"),
    ] = None,
    level: Annotated[
        str | None, typer.Option("--level", "-l", help="edges, textures, patterns, parts, objects or scenes.", metavar="L")
    ] = None,
    preset: Annotated[str | None, typer.Option("--preset", "-p", help="Named choices: " + ", ".join(PRESETS) + ".", metavar="P")] = None,
    guide: Annotated[
        str | None, typer.Option("--guide", help="A picture: enhance in the start what is like it at the layer.", metavar="PICTURE")
    ] = None,
    caricature: Annotated[bool, typer.Option("--caricature", help="Exaggerate what the layer sees in the start.")] = False,
    direction: flags.Direction = None,
    towards: flags.Towards = None,
    away: flags.Away = None,
    mask: Annotated[
        str | None, typer.Option("--mask", help="A picture: dream where it is white, leave as it is where it is black.", metavar="PICTURE")
    ] = None,
    width: Annotated[int | None, typer.Option("--width", help="Bring the start to this width, its shape kept.", metavar="W")] = None,
    tile: Annotated[
        int | None,
        typer.Option(
            "--tile", help="Side of the tiles a large picture's gradient is computed in; without it as memory allows.", metavar="N"
        ),
    ] = None,
    halo: Annotated[
        int | None,
        typer.Option("--halo", help="Pixels around each tile that the network sees too; without it as many as it takes.", metavar="N"),
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what memory, disk and time it would take, and stop.")] = False,
    size: flags.NoiseSize = None,
    seed: flags.Seed = 0,
    making: flags.Making = 0,
    network: Wanted = NONE,
    device: flags.Device = None,
    threads: flags.Threads = None,
    output: flags.Output = None,
    force: flags.Force = False,
    no_recipe: flags.NoRecipe = False,
    no_keep: flags.NoKeep = False,
    max_pixels: flags.MaxPixels = MAX_PIXELS,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
    **choices: Any,
) -> int:
    """Enhance what a layer detects in START: pictures, a folder of them, or noise."""
    wanted = flags.sides(size)
    named = _expanded(starts)
    for given in (guide, mask):
        if given is not None:
            check_readable(given)
    many = len(named) > 1
    place = place_for(output, many)
    from reverie import api

    net: Any = network.several(device, quiet)
    taken: dict[str, str] = {}
    results: list[dict[str, Any]] = []
    first: ReverieError | None = None
    done = unfinished = 0
    with line(quiet) as shown:
        try:
            for number, start in enumerate(named, 1):
                shown.begin(f"dreaming {number}/{len(named)}" if many else "dreaming")
                try:
                    plan = api.plan(
                        start, target, level=level, preset=preset, network=net, guide=guide, caricature=caricature, direction=direction,
                        towards=towards, away=away, mask=mask, tile=tile, halo=halo, width=width, size=wanted, seed=seed, device=device,
                        threads=threads, keep=not no_keep, max_pixels=max_pixels, **choices,
                    )  # fmt: skip
                    net = plan.networks
                    if estimate:
                        results.append(_estimated(start, plan, json))
                        done += 1
                        continue
                    path = within(place, _name(start, plan, named, taken))
                    ready(path, plan.start, plan.recipe, force, no_recipe)
                    strip = strip_place(path, plan.recipe, force) if making else None
                    if not shown.interrupted:
                        picture = plan.make(shown, making)
                        shown.close()
                        done += 1
                        results.append(saved(picture, path, force, no_recipe, json))
                        unfinished += picture.recipe is not None and picture.recipe.stopped is not None
                        if strip is not None:
                            results.append({**results[-1], "path": save_strip(picture, strip, force, no_recipe, json)})
                except (InputError, UnsafeError, OutputError, MissingExtra) as error:
                    if not many:
                        raise
                    remark(str(error))
                    first = first or error
                if shown.interrupted:
                    break
        finally:
            if json and (results or first):
                print_json(results)
    if unfinished or (done < len(named) and shown.interrupted):
        raise stopped_early(unfinished)
    return first.exit_code if first else 0


def _estimated(start: str, plan: Plan, json: bool) -> dict[str, Any]:
    """Tell what a dream would take."""
    found = plan.estimate()
    size = f"{plan.recipe.width}×{plan.recipe.height}"
    cut = f"in {found.tiles} tiles of {plan.recipe.tiles.tile} + {plan.recipe.tiles.halo}" if plan.recipe.tiles else "in one pass"
    disk = f", {found.disk / 1e9:.1f} GB of disk while it works" if found.disk else ""
    if not json:
        time = f"{found.seconds / 60:.0f} min" if found.seconds >= 120 else f"{found.seconds:.0f} s"
        say(f"{start}: {size} {cut}, about {time}, {found.memory / 1e9:.1f} GB of memory{disk}")
    return {"start": start, "width": plan.recipe.width, "height": plan.recipe.height, **asdict(found)}


@with_network(again=True)
def redo_command(
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="A picture made by Reverie.", show_default=False)],
    start: Annotated[
        str | None,
        typer.Option("--start", help="What went into it, or the folder it is in, if it is neither kept nor beside it.", metavar="PATH"),
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="Another device than the recipe's.", metavar="D")] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="Other than the recipe's number of threads.", metavar="N")] = None,
    network: Wanted = NONE,
    output: flags.Output = None,
    force: flags.Force = False,
    no_recipe: flags.NoRecipe = False,
    max_pixels: flags.MaxPixels = MAX_PIXELS,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
) -> int:
    """Make a picture again from the recipe it carries."""
    source = expanded(picture)
    check_readable(picture)
    old = read_recipe(source)
    there = device or ("cpu" if old.machine.device == "cpu" else None)  # of a network that is named
    if old.command in ("journey", "film"):
        own = network.opened(there, quiet)
        return moving_again(source, old.command, start, own, device, threads, output, force, no_recipe, max_pixels, json, quiet)
    place = place_for(output, many=False)
    from reverie import api, files

    own = network.opened(there, quiet)
    plan = api.plan_again(source, start=start, network=own, device=device, threads=threads, max_pixels=max_pixels)
    name = f"{fitting(source.stem, 20)}-redo{source.suffix if source.suffix.lower() in files.SUFFIXES else '.png'}"
    path = within(place, name)
    ready(path, plan.start, plan.recipe, force, no_recipe)
    with line(quiet) as shown:
        made = plan.make(shown)
        shown.close()
        result = saved(made, path, force, no_recipe, json)
    if json:
        print_json([result])
    if shown.interrupted and made.recipe is not None and made.recipe.stopped != plan.recipe.stopped:
        raise stopped_early(1)
    return 0


def _expanded(starts: list[str]) -> list[str]:
    """Folders replaced by the pictures in them. What is not there is found out now."""
    from reverie.files.source import READABLE, pictures_in

    found: list[str] = []
    for start in starts:
        if start.startswith("noise:"):
            found.append(start)
            continue
        folder = expanded(start)
        if not start or not is_folder(folder):
            check_readable(start)
            found.append(start)
            continue
        inside = [str(each) for each in pictures_in(folder)]
        if not inside:
            raise InputError(f"no picture in the folder '{start}'", "pictures end in " + " ".join(sorted(READABLE)))
        found += inside
    return found


def _name(start: str, plan: Plan, starts: list[str], taken: dict[str, str]) -> str:
    """A name made from the start, target and seed; another for each start."""
    stem = start.replace(":", "-") if start.startswith("noise:") else Path(start).stem
    if sum(Path(each).stem == stem for each in starts) > 1:
        stem = Path(start).name
    how = "" if plan.recipe.objective == "excite" else f"-{plan.recipe.objective}"
    ending = f"-{speakable(str(plan.recipe.target))}{how}-{plan.recipe.seed}.png"
    stem = fitting(stem, len(ending) + 16)
    name, turn = stem + ending, 1
    while taken.setdefault(name, start) != start:
        turn += 1
        name = f"{stem}-{turn}{ending}"
    return name
