"""Commands that begin with noise: imagine, feature."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import aside, line, remark
from reverie.cli.flags import Call
from reverie.cli.outputs import Outputs, named, stopped_early, strip_of
from reverie.errors import UsageError, choice
from reverie.recipe import Printing
from reverie.store import speakable

_RANGE = re.compile(r":\d+-\d")  # of channels, unless a layer is called so

if TYPE_CHECKING:
    from reverie.pictures import Picture
    from reverie.recipe import Recipe
    from reverie.render import Plan


def imagine(call: Call) -> int:
    labels = list(dict.fromkeys(call.subjects[0]))

    def plans(network: Any) -> list[Plan]:
        from reverie import api

        return api.plan_imagine(labels or None, network=network, **call.choices)

    return _make("imagining", call, plans, several=len(labels) > 1)


def feature(call: Call) -> int:
    from reverie.target import NO_NAMES, has_range

    targets = list(dict.fromkeys(call.subjects[0]))
    opened, several = None, len(targets) > 1
    if len(targets) == 1 and _RANGE.search(targets[0]):
        opened = call.network.several(call.of(Printing).quiet)
        own = None if not opened or isinstance(opened[0], str) else opened[0]
        several = has_range(targets[0], NO_NAMES if own is None else own.names)

    def plans(network: Any) -> list[Plan]:
        from reverie import api

        return api.plan_feature(targets or None, network=network, **call.choices)

    return _make("growing", call, plans, several, opened)


def _make(doing: str, call: Call, plan_all: Callable[[Any], list[Plan]], several: bool, opened: Any = None) -> int:
    out = Outputs(call, several or call.given.get("diverse") is not None or call.given.get("between") is not None)
    plans = plan_all(opened or call.network.several(out.printing.quiet))
    paths = [[out.ready(_name(recipe), plan.start, recipe) for recipe in plan.recipes()] for plan in plans]
    if out.sheet is not None:
        _check_sheet(out.sheet, [path for files in paths for path in files])
    made: list[Picture] = []
    with line(out.printing.quiet) as shown, out.printed():
        for number, (plan, files) in enumerate(zip(plans, paths, strict=True), 1):
            if all(out.is_there(path) for path in files):
                made += [_made_before(path, plan, out) for path in files]
                continue
            shown.begin(f"{doing} {number}/{len(plans)}" if len(plans) > 1 else doing)
            pictures = plan.make_all(shown, out.making)
            shown.close()
            made += pictures
            for picture, path in zip(pictures, files, strict=True):
                if not picture.alive:
                    remark(f"{picture.notes[-1]}: no picture of it")
                    continue
                out.save(picture, path, **_opinions(picture, out))
            if shown.interrupted:
                break
        out.save_sheet(made)
    if out.unfinished or len(made) < sum(len(files) for files in paths):
        raise stopped_early(out.unfinished)
    if not any(each.alive for each in made):
        raise UsageError("no picture was made: nothing that was asked for ever fired", f"try another {choice('seed')}, or other units")
    return 0


def _check_sheet(sheet: Path, pictures: list[Path]) -> None:
    """Find out now whether all of them fit on one sheet, and whether it is a file of its own."""
    from reverie.pictures.sheets import MOST

    if len(pictures) > MOST:
        raise UsageError(f"{choice('sheet')} of {len(pictures)} pictures", f"it holds {MOST}: make them in several runs")
    if sheet.absolute() in {each.absolute() for path in pictures for each in (path, strip_of(path))}:
        raise UsageError(f"{choice('sheet', sheet)} is also the name of a picture", "give the sheet another name")


def _made_before(path: Path, plan: Plan, out: Outputs) -> Picture:
    """A picture that is there already, told of; as it is on a sheet."""
    from reverie.album import read_recipe
    from reverie.pictures import load

    out.tell_there(path, plan.kept)
    return replace(load(path), recipe=read_recipe(path))


def _name(recipe: Recipe) -> str:
    """`imagine-banana-0.png`: made from the command, the target and the seed, and from the place in the batch where that sets it apart."""
    kind = recipe.batch.kind if recipe.batch else "each"
    middle = speakable(_plain(recipe.target))
    if recipe.batch and kind == "between":
        first, last = (speakable(_plain(each), 40) for each in (recipe.batch.targets[0], recipe.batch.targets[-1]))
        middle = f"{first}-to-{last}-{recipe.batch.index + 1:02d}"
    elif recipe.batch and kind == "diverse":
        middle += f"-{recipe.batch.index + 1:02d}"
    return named(f"{recipe.command}-{middle}", f"-{recipe.seed}.png")


def _plain(target: object) -> str:
    """A target as people say it: `class:banana` is a banana."""
    text = str(target)
    return text.removeprefix("class:") if text.count("class:") == 1 else text


def _opinions(picture: Picture, out: Outputs) -> dict[str, Any]:
    """The second opinions on a picture: as data, and as a line each for people."""
    recipe = picture.recipe
    if recipe is None or recipe.command != "imagine":
        return {}
    if not (out.printing.as_json or out.printing.quiet):
        for each in recipe.opinions:
            beside = [f"{said.label} {said.probability:.0%}" for said in each.labels if said.probability >= 0.01]
            rank = "first" if each.rank == 1 else f"as number {each.rank}"
            share = "<1%" if each.probability < 0.01 else f"{each.probability:.0%}"
            aside(f"  {each.network} ranks it {rank}, {share}" + (f"   ({', '.join(beside)})" if beside else ""))
    return {"opinions": [each.model_dump(mode="json") for each in recipe.opinions]}
