"""Commands that make pictures: dream, redo."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverie.cli import flags
from reverie.cli.asking import check_readable
from reverie.cli.show import line, print_json, remark, say
from reverie.errors import InputError, Interrupted, MissingExtra, OutputError, ReverieError, UnsafeError
from reverie.recipe import DEFAULT_NETWORK, MAX_PIXELS, PRESETS, Ascent, Finish
from reverie.store import check_place, exists, expanded, files_in, is_folder

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.render import Plan


@flags.with_fields(Ascent, Finish)
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
    width: Annotated[int | None, typer.Option("--width", help="Bring the start to this width, its shape kept.", metavar="W")] = None,
    size: Annotated[
        str | None, typer.Option("--size", help="Of a picture made from noise: a side, or width x height.", metavar="N|WxH")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives another picture.", metavar="N")] = 0,
    making: Annotated[int, typer.Option("--making", help="Also write N pictures from along the way, as a strip.", metavar="N")] = 0,
    network: flags.Network = DEFAULT_NETWORK,
    device: flags.Device = None,
    threads: flags.Threads = None,
    output: flags.Output = None,
    force: flags.Force = False,
    no_recipe: flags.NoRecipe = False,
    no_keep: Annotated[bool, typer.Option("--no-keep", help="Do not keep the start in the cache for `redo`.")] = False,
    max_pixels: flags.MaxPixels = MAX_PIXELS,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
    **choices: Any,
) -> int:
    """Enhance what a layer detects in START: pictures, a folder of them, or noise."""
    wanted = flags.sides(size)
    named = _expanded(starts)
    many = len(named) > 1
    place = _place(output, many)
    from reverie import api

    net: Any = network
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
                        start, target, level=level, preset=preset, network=net, width=width, size=wanted, seed=seed,
                        device=device, threads=threads, keep=not no_keep, max_pixels=max_pixels, **choices,
                    )  # fmt: skip
                    net = plan.network
                    path = place if place is not None and not is_folder(place) else (place or Path()) / _name(start, plan, named, taken)
                    _ready(path, plan, force, no_recipe)
                    strip = _strip_place(path, plan, force) if making else None
                    if not shown.interrupted:
                        picture = plan.make(shown, making)
                        shown.close()
                        done += 1
                        results.append(_saved(picture, path, force, no_recipe, json))
                        unfinished += picture.recipe is not None and picture.recipe.stopped is not None
                        if strip is not None:
                            results.append({**results[-1], "path": _save_strip(picture, strip, force, no_recipe, json)})
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
        raise _stopped(unfinished)
    return first.exit_code if first else 0


def redo_command(
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="A picture made by Reverie.", show_default=False)],
    start: Annotated[
        str | None, typer.Option("--start", help="Its start, or the folder it is in, if it is neither kept nor beside it.", metavar="PATH")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="Another device than the recipe's.", metavar="D")] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="Other than the recipe's number of threads.", metavar="N")] = None,
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
    place = _place(output, many=False)
    from reverie import api, files

    plan = api.plan_again(source, start=start, device=device, threads=threads, max_pixels=max_pixels)
    name = f"{_fitting(source.stem, 20)}-redo{source.suffix if source.suffix.lower() in files.SUFFIXES else '.png'}"
    path = place if place is not None and not is_folder(place) else (place or Path()) / name
    _ready(path, plan, force, no_recipe)
    with line(quiet) as shown:
        made = plan.make(shown)
        shown.close()
        result = _saved(made, path, force, no_recipe, json)
    if json:
        print_json([result])
    if shown.interrupted and made.recipe is not None and made.recipe.stopped != plan.recipe.stopped:
        raise _stopped(1)
    return 0


def _stopped(unfinished: int) -> Interrupted:
    so_far = "the last picture is what had been dreamt so far; its recipe says where it stopped"
    return Interrupted("stopped early", so_far if unfinished else "")


def _expanded(starts: list[str]) -> list[str]:
    """Folders replaced by the pictures in them. What is not there is found out now."""
    from reverie.files.source import READABLE

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
        inside = [str(each) for each in files_in(folder, READABLE)]
        if not inside:
            raise InputError(f"no picture in the folder '{start}'", "pictures end in " + " ".join(sorted(READABLE)))
        found += inside
    return found


def _place(output: Path | None, many: bool) -> Path | None:
    """The file or folder asked for, if it can be; a folder where there are several results."""
    if output is None:
        return None
    place = expanded(output)
    if is_folder(place):
        return place
    if many:
        fault = "is not a folder" if place.suffix else "does not exist"
        raise OutputError(f"'{place}' {fault}, and several results need a folder", f"make one first: mkdir -p '{place.with_suffix('')}'")
    if not place.suffix and is_folder(place.parent):
        raise OutputError(f"'{place}' is no folder", f"make it first: mkdir -p '{place}', or name a file such as '{place}.png'")
    check_place(place)
    return place


def _name(start: str, plan: Plan, starts: list[str], taken: dict[str, str]) -> str:
    """A name made from the start, target and seed; another for each start."""
    stem = start.replace(":", "-") if start.startswith("noise:") else Path(start).stem
    if sum(Path(each).stem == stem for each in starts) > 1:
        stem = Path(start).name
    target = re.sub(r"[^A-Za-z0-9._#@+-]+", "_", plan.recipe.target)[:80]
    ending = f"-{target}-{plan.recipe.seed}.png"
    stem = _fitting(stem, len(ending) + 16)
    name, turn = stem + ending, 1
    while taken.setdefault(name, start) != start:
        turn += 1
        name = f"{stem}-{turn}{ending}"
    return name


def _fitting(stem: str, rest: int) -> str:
    """As much of `stem` as a file's name has room for beside `rest` bytes."""
    while len(os.fsencode(stem)) > 255 - rest:
        stem = stem[:-1]
    return stem


def _ready(path: Path, plan: Plan, force: bool, no_recipe: bool) -> None:
    """Find out now whether the result can be written, not after minutes of work."""
    from dataclasses import replace

    start = plan.start
    check_place(path, room=start.size[0] * start.size[1] // 4)  # a dream is never packed into less
    for edge in (start.pixels[:, :1, :], start.pixels[:, :, :1]):  # as wide and as high as the result, for formats with a limit
        alpha = None if start.alpha is None else start.alpha.min().expand(edge.shape[1:])
        replace(start, pixels=edge, alpha=alpha, recipe=plan.recipe).encode(path.suffix, with_recipe=not no_recipe)
    if path.exists() and not force and not replace(start, recipe=plan.recipe).is_at(path):
        raise exists(path)


def _saved(picture: Picture, path: Path, force: bool, no_recipe: bool, json: bool) -> dict[str, Any]:
    """Save it and print its path at once; with `json` all are printed at the end."""
    stopped = picture.recipe is not None and picture.recipe.stopped is not None
    if stopped and not force and path.exists() and not picture.is_at(path):
        raise Interrupted("stopped early", f"'{path}' was there before and is left as it was")
    picture.save(path, force=force, with_recipe=not no_recipe)
    for note in picture.notes:
        remark(note)
    if not json:
        say(str(path))
    recipe = None if picture.recipe is None else picture.recipe.model_dump(mode="json")
    return {"path": str(path), "recipe": recipe, "seconds": round(picture.seconds or 0.0, 3), "score": picture.score}


def _strip_place(path: Path, plan: Plan, force: bool) -> Path:
    from reverie.pictures import carried

    place = path.with_name(f"{path.stem}-making.png")
    check_place(place)
    if place.exists() and not force and carried(place) != plan.recipe.text():
        raise exists(place)
    return place


def _save_strip(picture: Picture, place: Path, force: bool, no_recipe: bool, json: bool) -> str:
    from reverie.pictures import Picture, strip

    Picture(strip(picture.making), recipe=picture.recipe).save(place, force=force, with_recipe=not no_recipe)
    if not json:
        say(str(place))
    return str(place)
