"""Commands that begin with noise: imagine, feature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverie.cli import flags
from reverie.cli.console import aside, line, print_json, remark
from reverie.cli.network_flags import NONE, Wanted, with_network
from reverie.cli.outputs import fitting, place_for, ready, save_sheet, save_strip, saved, speakable, stopped_early, strip_place, within
from reverie.errors import OutputError, UsageError
from reverie.recipe import GROUPS, OF_DREAMS
from reverie.store import check_place, exists, expanded

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.recipe import Recipe
    from reverie.render import Plan

Batch = Annotated[
    int, typer.Option("--batch", help="How many are made together: part of the recipe, since it changes details.", metavar="N")
]
Diverse = Annotated[
    int | None,
    typer.Option("--diverse", help="N pictures of each that differ from one another.", metavar="N", show_default=False),
]
Count = Annotated[int | None, typer.Option("--count", help="Pictures from one to the other, with --between. [default: 7]", metavar="N")]
Sheet = Annotated[
    str | None, typer.Option("--sheet", help="Also write all of them on one labelled sheet, to this picture file.", metavar="FILE")
]


@flags.with_fields("imagine", *GROUPS, without=OF_DREAMS)
@with_network(several=True)
def imagine_command(
    labels: Annotated[
        list[str] | None,
        typer.Argument(metavar="LABEL", help="Classes, by name or number: banana, 954, class:banana.", show_default=False),
    ] = None,
    between: Annotated[
        tuple[str, str] | None, typer.Option("--between", help="Two labels: a row of pictures from one to the other.", metavar="A B")
    ] = None,
    count: Count = None,
    diverse: Diverse = None,
    size: flags.Size = None,
    seed: flags.Seed = 0,
    batch: Batch = 8,
    sheet: Sheet = None,
    making: flags.Making = 0,
    network: Wanted = NONE,
    device: flags.Device = None,
    threads: flags.Threads = None,
    output: flags.Output = None,
    force: flags.Force = False,
    no_recipe: flags.NoRecipe = False,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
    **choices: Any,
) -> int:
    """What a network expects a class to look like, from noise. Other networks then say what they see in it."""
    given = {"between": between, "count": count, "diverse": diverse, "seed": seed, "batch": batch, "device": device, "threads": threads}

    def plans() -> list[Plan]:
        from reverie import api

        return api.plan_imagine(
            list(dict.fromkeys(labels or ())) or None, network=network.several(device, quiet), size=flags.sides(size), **given, **choices
        )

    several = len(set(labels or ())) > 1 or diverse is not None or between is not None
    return _make("imagining", plans, several, sheet, making, output, force, no_recipe, json, quiet)


@flags.with_fields("feature", *GROUPS, without=OF_DREAMS)
@with_network(several=True)
def feature_command(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="TARGET", help="What to excite: blocks.4.1:12, blocks.4.1:0-15, a layer, sums of them.", show_default=False),
    ] = None,
    between: Annotated[
        tuple[str, str] | None, typer.Option("--between", help="Two targets: a row of pictures from one to the other.", metavar="A B")
    ] = None,
    count: Count = None,
    diverse: Diverse = None,
    direction: flags.Direction = None,
    towards: flags.Towards = None,
    away: flags.Away = None,
    size: flags.Size = None,
    seed: flags.Seed = 0,
    batch: Batch = 8,
    sheet: Sheet = None,
    making: flags.Making = 0,
    network: Wanted = NONE,
    device: flags.Device = None,
    threads: flags.Threads = None,
    output: flags.Output = None,
    force: flags.Force = False,
    no_recipe: flags.NoRecipe = False,
    no_keep: flags.NoKeep = False,
    json: flags.Json = False,
    quiet: flags.Quiet = False,
    **choices: Any,
) -> int:
    """What excites a unit or any target most, from noise."""
    from reverie.target import expand

    given = {"between": between, "count": count, "diverse": diverse, "direction": direction, "towards": towards, "away": away}
    given |= {"seed": seed, "batch": batch, "device": device, "threads": threads, "keep": not no_keep}

    def plans() -> list[Plan]:
        from reverie import api

        return api.plan_feature(
            list(dict.fromkeys(targets or ())) or None, network=network.several(device, quiet), size=flags.sides(size), **given, **choices
        )

    several = sum(len(expand(each)) for each in set(targets or ())) > 1 or diverse is not None or between is not None
    return _make("growing", plans, several, sheet, making, output, force, no_recipe, json, quiet)


def _make(
    doing: str, plan_all: Callable[[], list[Plan]], several: bool, sheet: str | None, making: int, output: Path | None,
    force: bool, no_recipe: bool, json: bool, quiet: bool,
) -> int:  # fmt: skip
    place = place_for(output, several)
    sheet_place = None if sheet is None else _sheet_place(sheet, force)
    plans = plan_all()
    paths = _paths(plans, place)
    strips: dict[Path, Path] = {}
    for plan, names in zip(plans, paths, strict=True):
        for recipe, path in zip(plan.recipes(), names, strict=True):
            ready(path, plan.start, recipe, force, no_recipe)
            if making:
                strips[path] = strip_place(path, recipe, force)
    if sheet_place is not None:
        _check_sheet(sheet_place, [path for names in paths for path in names], list(strips.values()))
    results: list[dict[str, Any]] = []
    made: list[Picture] = []
    told: set[str] = set()
    unfinished = 0
    with line(quiet) as shown:
        try:
            for number, (plan, names) in enumerate(zip(plans, paths, strict=True), 1):
                shown.begin(f"{doing} {number}/{len(plans)}" if len(plans) > 1 else doing)
                pictures = plan.make_all(shown, making)
                shown.close()
                made += pictures
                for picture, path in zip(pictures, names, strict=True):
                    unfinished += picture.recipe is not None and picture.recipe.stopped is not None
                    if not picture.alive:
                        remark(f"{picture.notes[-1]}: no picture of it")
                        continue
                    results.append({**saved(picture, path, force, no_recipe, json, told), **_said(picture, json or quiet)})
                    if making:
                        results.append({**results[-1], "path": save_strip(picture, strips[path], force, no_recipe, json)})
                if shown.interrupted:
                    break
            if sheet_place is not None and made:
                file = save_sheet(made, [_label(each) for each in made], sheet_place, force, json)
                seconds = round(sum(each.seconds or 0.0 for each in made), 3)
                results.append({"path": file, "recipe": None, "seconds": seconds, "score": None})
        finally:
            if json and results:
                print_json(results)
    if unfinished or len(made) < sum(len(names) for names in paths):
        raise stopped_early(unfinished)
    if not any(each.alive for each in made):
        raise UsageError("no picture was made: nothing that was asked for ever fired", "try another --seed, or other units")
    return 0


def _sheet_place(sheet: str, force: bool) -> Path:
    from reverie import files

    place = expanded(sheet)
    if place.suffix.lower() not in files.SUFFIXES:
        raise UsageError(f"--sheet {sheet}", "name a picture file, such as sheet.png")
    check_place(place)
    if place.exists() and not force:
        raise exists(place)
    return place


def _check_sheet(sheet: Path, pictures: list[Path], strips: list[Path]) -> None:
    """Find out now whether all of them fit on one sheet, and whether it is a file of its own."""
    from reverie.pictures.sheets import MOST

    if len(pictures) > MOST:
        raise UsageError(f"--sheet of {len(pictures)} pictures", f"it holds {MOST}: make them in several runs")
    if sheet.absolute() in {each.absolute() for each in [*pictures, *strips]}:
        raise UsageError(f"--sheet {sheet} is also the name of a picture", "give the sheet another name")


def _paths(plans: list[Plan], place: Path | None) -> list[list[Path]]:
    """For each plan the files of its pictures, all different."""
    taken: set[str] = set()
    found = []
    for plan in plans:
        names = []
        for recipe in plan.recipes():
            name = _name(recipe)
            turn = 1
            while name in taken:
                turn += 1
                name = f"{_name(recipe)[:-4]}-{turn}.png"
            taken.add(name)
            names.append(within(place, name))
        found.append(names)
    everything = [path for names in found for path in names]
    if len(set(everything)) < len(everything):
        raise OutputError(f"'{place}' is one file, and there are {len(everything)} pictures", "give a folder with -o")
    return found


def _name(recipe: Recipe) -> str:
    """`imagine-banana-0.png`: made from the command, the target and the seed, and from the place in the batch where that sets it apart."""
    kind = recipe.batch.kind if recipe.batch else "each"
    middle = speakable(_plain(recipe.target))
    if recipe.batch and kind == "between":
        first, last = (speakable(_plain(each), 40) for each in (recipe.batch.targets[0], recipe.batch.targets[-1]))
        middle = f"{first}-to-{last}-{recipe.batch.index + 1:02d}"
    elif recipe.batch and kind == "diverse":
        middle += f"-{recipe.batch.index + 1:02d}"
    ending = f"-{recipe.seed}.png"
    return fitting(f"{recipe.command}-{middle}", len(ending) + 8) + ending


def _plain(target: object) -> str:
    """A target as people say it: `class:banana` is a banana."""
    text = str(target)
    return text.removeprefix("class:") if text.count("class:") == 1 else text


def _share(probability: float) -> str:
    return "<1%" if probability < 0.01 else f"{probability:.0%}"


def _label(picture: Picture) -> str:
    recipe = picture.recipe
    assert recipe is not None
    if recipe.batch and recipe.batch.kind == "diverse":
        return f"{_plain(recipe.target)} · {recipe.batch.index + 1}"
    return _plain(recipe.target)


def _said(picture: Picture, quiet: bool) -> dict[str, Any]:
    """The second opinions on a picture: as data, and as a line each for people."""
    recipe = picture.recipe
    if recipe is None or recipe.command != "imagine":
        return {}
    if not quiet:
        for each in recipe.opinions:
            beside = [f"{named.label} {named.probability:.0%}" for named in each.labels if named.probability >= 0.01]
            rank = "first" if each.rank == 1 else f"as number {each.rank}"
            aside(f"  {each.network} ranks it {rank}, {_share(each.probability)}" + (f"   ({', '.join(beside)})" if beside else ""))
    return {"opinions": [each.model_dump(mode="json") for each in recipe.opinions]}
