"""Commands that make pictures: dream, redo."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverie.cli import flags
from reverie.cli.asking import DEFAULT_NETWORK
from reverie.cli.show import line, print_json, remark
from reverie.errors import InputError, Interrupted, OutputError, ReverieError, UsageError
from reverie.recipe import Ascent, Finish
from reverie.store import check_place, exists, files_in

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.render import Plan


@flags.with_fields(Ascent, Finish)
def dream_command(
    starts: Annotated[
        list[str], typer.Argument(metavar="START…", help="Pictures, a folder of them, or noise:white|grey|pink.", show_default=False)
    ],
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="What to climb: blocks.4.1, blocks.4.1:12, class:banana, sums of them.", metavar="T"),
    ] = None,
    level: Annotated[
        str | None, typer.Option("--level", "-l", help="edges, textures, patterns, parts, objects or scenes.", metavar="L")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", "-p", help="Named choices: etching, weave, mosaic, eyes, menagerie, foliage.", metavar="P")
    ] = None,
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
    max_pixels: flags.MaxPixels = 500_000_000,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
    **choices: Any,
) -> int:
    """Enhance what a layer detects in START: pictures, a folder of them, or noise."""
    from reverie import api

    if making < 0 or making > 100:
        raise UsageError(f"--making {making}", "it is a number from 0 to 100")
    named = _expanded(starts)
    many = len(named) > 1
    place = _place(output, many)
    wanted = flags.sides(size)
    net: Any = None
    results: list[dict[str, Any]] = []
    first: ReverieError | None = None
    with line(quiet) as shown:
        for start in named:
            try:
                net = net or api.load(network, device=device)
                plan = api.plan(
                    start, target, level=level, preset=preset, network=net, width=width, size=wanted, seed=seed,
                    threads=threads, keep=not no_keep, max_pixels=max_pixels, **choices,
                )  # fmt: skip
                path = place if place is not None and not place.is_dir() else (place or Path()) / _name(start, plan, named)
                _ready(path, plan, force, no_recipe)
                strip = path.with_name(f"{path.stem}-making.png") if making else None
                if strip is not None and strip.exists() and not force and not path.exists():
                    raise exists(strip)
                picture = plan.make(shown, making)
                results.append(_saved(picture, path, force, no_recipe))
                if strip is not None:
                    _save_strip(picture, strip)
            except (InputError, OutputError) as error:
                if not many:
                    raise
                remark(str(error))
                first = first or error
            if shown.interrupted:
                break
    _tell(results, json)
    if shown.interrupted:
        raise Interrupted("stopped early", "the picture is what had been dreamt so far; its recipe says where it stopped")
    return first.exit_code if first else 0


def redo_command(
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="A picture made by Reverie.", show_default=False)],
    start: Annotated[
        str | None, typer.Option("--start", help="Where its start is, if it is neither kept nor beside it.", metavar="PATH")
    ] = None,
    device: flags.Device = None,
    threads: flags.Threads = None,
    output: flags.Output = None,
    force: flags.Force = False,
    no_recipe: flags.NoRecipe = False,
    max_pixels: flags.MaxPixels = 500_000_000,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
) -> int:
    """Make a picture again from the recipe it carries."""
    from reverie import api, files

    source = Path(picture).expanduser()
    place = _place(output, many=False)
    plan = api.plan_again(source, start=start, device=device, threads=threads, max_pixels=max_pixels)
    name = f"{source.stem}-redo{source.suffix if source.suffix.lower() in files.SUFFIXES else '.png'}"
    path = place if place is not None and not place.is_dir() else (place or Path()) / name
    _ready(path, plan, force, no_recipe)
    with line(quiet) as shown:
        made = plan.make(shown)
    _tell([_saved(made, path, force, no_recipe)], json)
    if shown.interrupted:
        raise Interrupted("stopped early", "the picture is what had been dreamt so far; its recipe says where it stopped")
    return 0


def _expanded(starts: list[str]) -> list[str]:
    """Folders replaced by the pictures in them."""
    from reverie import files

    found: list[str] = []
    for start in starts:
        folder = Path(start).expanduser()
        if start.startswith("noise:") or not folder.is_dir():
            found.append(start)
            continue
        inside = [str(each) for each in files_in(folder, files.READABLE)]
        if not inside:
            raise InputError(f"no picture in the folder '{start}'", "pictures end in " + " ".join(sorted(files.READABLE)))
        found += inside
    return found


def _place(output: Path | None, many: bool) -> Path | None:
    """The file or folder asked for, if it can be; a folder where there are several results."""
    if output is None:
        return None
    place = output.expanduser()
    if many and not place.is_dir():
        raise OutputError(f"'{place}' is not a folder, and there are several results", f"make it first: mkdir -p '{place}'")
    return place


def _name(start: str, plan: Plan, starts: list[str]) -> str:
    """A name made from the start, target and seed."""
    stem = start.replace(":", "-") if start.startswith("noise:") else Path(start).stem
    if sum(Path(each).stem == stem for each in starts) > 1:
        stem = Path(start).name
    target = re.sub(r"[^A-Za-z0-9._#@+-]+", "_", plan.recipe.target)[:80]
    return f"{stem}-{target}-{plan.recipe.seed}.png"


def _ready(path: Path, plan: Plan, force: bool, no_recipe: bool) -> None:
    """Find out now whether the result can be written, not after minutes of work."""
    from dataclasses import replace

    check_place(path)
    sample = replace(plan.start, pixels=plan.start.pixels[:, :1, :1], recipe=plan.recipe)
    sample = replace(sample, alpha=None if plan.start.alpha is None else plan.start.alpha[:1, :1])
    sample.encode(path.suffix, with_recipe=not no_recipe)
    if path.exists() and not force and not sample.is_at(path):
        raise exists(path)


def _saved(picture: Picture, path: Path, force: bool, no_recipe: bool) -> dict[str, Any]:
    picture.save(path, force=force, with_recipe=not no_recipe)
    for note in picture.notes:
        remark(note)
    recipe = None if picture.recipe is None else picture.recipe.model_dump(mode="json")
    return {"path": str(path), "recipe": recipe, "seconds": round(picture.seconds or 0.0, 3), "score": picture.score}


def _save_strip(picture: Picture, place: Path) -> None:
    from reverie.pictures import Picture, strip

    Picture(strip(picture.making)).save(place, force=True)


def _tell(results: list[dict[str, Any]], json: bool) -> None:
    if json:
        print_json(results)
        return
    for each in results:
        print(each["path"])
