"""Commands that begin with noise: imagine, feature."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import Line, aside, line, remark, say, told
from reverie.cli.estimates import of_all, of_batch
from reverie.cli.flags import Call
from reverie.cli.outputs import Outputs, named
from reverie.cli.working import elsewhere
from reverie.errors import Refused, ReverieError, UsageError, choice
from reverie.recipe import NAMING_FILES, Estimate, Printing
from reverie.store import expanded, speakable
from reverie.target import as_said

Job = tuple["Plan", list[Path]]  # pictures that are made together, and their files
_RANGE = re.compile(r":\d+-\d")  # of channels, unless a layer is called so

if TYPE_CHECKING:
    from reverie.cli.public import api
    from reverie.pictures import MadePicture, Picture
    from reverie.recipe import Recipe
    from reverie.render import Plan


def imagine(call: Call) -> int:
    def plans(labels: list[str], network: Any) -> list[Plan]:
        from reverie.cli.public import api

        return api.plan_imagine(labels or None, network=network, **call.choices)

    return _make("imagining", call, plans, several=len(set(call.subjects[0])) > 1)


def feature(call: Call) -> int:
    from reverie.target import NO_NAMES, has_range

    given = list(dict.fromkeys(call.subjects[0]))
    opened, several = None, len(given) > 1
    if len(given) == 1 and _RANGE.search(given[0]):
        opened = call.network.several(call.of(Printing).quiet)
        own = None if not opened or isinstance(opened[0], str) else opened[0]
        several = has_range(given[0], NO_NAMES if own is None else own.names)

    def plans(targets: list[str], network: Any) -> list[Plan]:
        from reverie.cli.public import api

        return api.plan_feature(targets or None, network=network, **call.choices)

    return _make("growing", call, plans, several, opened)


def _make(doing: str, call: Call, plan_all: Callable[[list[str], Any], list[Plan]], several: bool, opened: Any = None) -> int:
    out = Outputs(
        call,
        several or any(call.given.get(name) is not None for name in ("diverse", "between")) or isinstance(call.given.get("seed"), list),
    )
    plans, refused = _planned(call, plan_all, opened or call.network.several(out.printing.quiet))
    if call.of(Estimate).estimate:
        _tell_estimates(plans, out)
        return told(refused)
    recipes = [recipe for plan in plans for recipe in plan.recipes()]
    out.check_on_sheet(recipes)
    paths = [[out.ready(_name(recipe), plan.start, recipe) for recipe in plan.recipes()] for plan in plans]
    out.check_sheet(sum(len(files) for files in paths), *(path for files in paths for path in files))
    jobs = list(zip(plans, paths, strict=True))
    wanted = sum(len(files) for files in paths)
    with line(out.printing.quiet) as shown, out.printed(), elsewhere(call, recipes, _files_in(call)) as where:
        if where is None:
            made = _made_here(doing, jobs, out, shown)
        else:
            made, failed = _made_elsewhere(doing, where, jobs, out, shown)
            refused += [error for _, error in failed]
            wanted -= sum(len(paths[number]) for number, _ in failed)
        out.save_sheet(made)
    code = told(refused)
    if out.unfinished or len(made) < wanted:
        raise out.stopped(len(made), sum(len(files) for files in paths))
    if code and not made:
        return code
    if not any(each.alive for each in made):
        raise UsageError("no picture was made: nothing that was asked for ever fired", f"try another {choice('seed')}, or other units")
    return code


def _made_here(doing: str, jobs: Sequence[Job], out: Outputs, shown: Line) -> list[Picture]:
    """The pictures of plans, one plan after the other, until it is interrupted."""
    made: list[Picture] = []
    for number, (plan, files) in enumerate(jobs, 1):
        if all(out.is_there(path) for path in files):
            made += [out.made_before(path, plan.kept) for path in files]
            continue
        out.note(plan.notes)  # what is made takes long
        shown.begin(f"{doing} {number}/{len(jobs)}" if len(jobs) > 1 else doing)
        pictures = plan.make_all(shown, out.making)
        shown.close()
        made += _saved(pictures, files, out)
        if shown.interrupted:
            break
    return made


def _made_elsewhere(
    doing: str, where: api.Elsewhere, jobs: Sequence[Job], out: Outputs, shown: Line
) -> tuple[list[Picture], list[tuple[int, ReverieError]]]:
    """The same by an engine, saved and told in the order in which they were asked for; and what was wrong with some, by their place."""
    from reverie.cli.public import api

    there = {number for number, (_, files) in enumerate(jobs) if all(out.is_there(path) for path in files)}
    missing = [number for number in range(len(jobs)) if number not in there]
    made: list[Picture] = []
    came: dict[int, Sequence[MadePicture]] = {}
    told_of = 0

    def tell(upto: int) -> None:
        nonlocal told_of
        for number in range(told_of, upto):
            plan, files = jobs[number]
            if number in there:
                made.extend(out.made_before(path, plan.kept) for path in files)
            elif number in came:
                out.note(plan.notes)
                made.extend(_saved(came.pop(number), files, out))
        told_of = max(told_of, upto)

    def done(place: int, pictures: Sequence[MadePicture]) -> None:
        came[missing[place]] = pictures
        shown.close()
        tell(next(number for number in range(told_of, len(jobs) + 1) if number not in there and number not in came))

    shown.begin(doing)
    wishes = [api.Wish(jobs[each][1][0].stem, partial(_same, jobs[each][0]), float(len(jobs[each][1])), out.making) for each in missing]
    try:
        outcome = api.make_elsewhere(where, wishes, done, shown)
    finally:
        shown.close()
        tell(len(jobs))
    return made, [(missing[place], error) for place, error in outcome.faults]


def _saved(pictures: Sequence[MadePicture], files: Sequence[Path], out: Outputs) -> list[Picture]:
    """Those that are whole now, or of which there is nothing to save."""
    made: list[Picture] = []
    for picture, path in zip(pictures, files, strict=True):
        if not picture.alive:
            remark(f"{picture.notes[-1]}: no picture of it")
        elif not out.save(picture, path, **_opinions(picture, out)):
            continue
        made.append(picture)
    return made


def _same(plan: Plan) -> Plan:
    return plan


def _files_in(call: Call) -> list[Path]:
    """Files that its flags name, and that may go in."""
    return [expanded(value) for name in NAMING_FILES for value in [call.given.get(name)] if isinstance(value, str)]


def _tell_estimates(plans: Sequence[Plan], out: Outputs) -> None:
    """What making each batch would take, and all of them."""
    rows: list[dict[str, Any]] = []
    with out.printed():
        for plan in plans:
            out.note(plan.notes)
            row, words = of_batch(plan, out.destination.file("a.png").suffix)
            out.tell(row, words)
            rows.append(row)
        if len(rows) > 1 and not out.printing.as_json:
            say(of_all(rows))


def _planned(call: Call, plan_all: Callable[[list[str], Any], list[Plan]], network: Any) -> tuple[list[Plan], list[ReverieError]]:
    """The plans for all that can be made, and what is wrong with the rest; if nothing can be made, that is raised."""
    asked = list(dict.fromkeys(call.subjects[0]))
    try:
        return plan_all(asked, network), []
    except Refused as error:
        left = [each for each in asked if each not in error.faults]
        if not left:
            raise
        return plan_all(left, network), list(error.faults.values())


def _name(recipe: Recipe) -> str:
    """`imagine-banana-0.png`: made from the command, the target and the seed, and from the place in the batch where that sets it apart."""
    kind = recipe.batch.kind if recipe.batch else "each"
    middle = speakable(as_said(recipe.target))
    if recipe.batch and kind == "between":
        first, last = (speakable(as_said(each), 40) for each in (recipe.batch.targets[0], recipe.batch.targets[-1]))
        middle = f"{first}-to-{last}-{recipe.batch.index + 1:02d}"
    elif recipe.batch and kind == "diverse":
        middle += f"-{recipe.batch.index + 1:02d}"
    return named(f"{recipe.command}-{middle}", f"-{recipe.seed}.png")


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
