"""The command that makes every combination of choices."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.album import check_grid_folder
from reverie.album.grid_listing import sizes_in_words
from reverie.cli.console import Counted, Faults, Line, Notes, aside, line, print_json, remark, say, told
from reverie.cli.dreaming import pictures_of
from reverie.cli.estimates import in_bytes, in_time
from reverie.cli.flags import Call
from reverie.cli.outputs import named, so_far, stem_of
from reverie.cli.query_commands import check_readable
from reverie.cli.working import elsewhere
from reverie.errors import Interrupted, UsageError, choice
from reverie.recipe import NAMING_FILES, Estimate, GridWriting, Printing, Varying, varied
from reverie.store import Destination, expanded, is_folder, originals, speakable

if TYPE_CHECKING:
    from reverie.cli.public import api
    from reverie.pictures import MadePicture
    from reverie.work import Doing


_DOING = {"dream": "dreaming", "imagine": "imagining", "feature": "growing"}


def grid(call: Call) -> int:
    command, printing, writing = call.of(Varying).command, call.of(Printing), call.of(GridWriting)
    vary = varied(call.of(Varying).vary or (), command)
    subjects = _subjects(command, call.subjects[0])
    if command == "dream" and "start" in vary:
        vary["start"] = _subjects(command, vary["start"])
    for name in NAMING_FILES - {"start"}:
        for each in (*vary.get(name, ()), *([call.given[name]] if name in call.given else [])):
            if not is_folder(expanded(each)):
                check_readable(each)
    choices = {name: value for name, value in call.choices.items() if name not in Varying.model_fields}
    place = _place(command, subjects or vary.get("start") or vary.get("label") or vary.get("target") or [], writing)
    check_grid_folder(place, writing.force)
    files = [Path(each) for name in NAMING_FILES for each in (*vary.get(name, ()), *([call.given[name]] if name in call.given else []))]
    files += [Path(each) for each in subjects]
    from reverie.cli.public import api

    network: Any = None if "network" in vary and not call.network.names else call.network.several(printing.quiet)
    if "network" in vary:
        vary["network"] = [each for name in vary["network"] for each in dataclasses.replace(call.network, names=(name,)).several() or ()]
    with originals(files), line(printing.quiet, "step") as shown:
        shown.begin("planning")
        plan = api.plan_grid(
            subjects or None, vary, command=command, folder=place, network=network, force=writing.force, told=_Planning(shown), **choices
        )
        shown.close()
        if call.of(Estimate).estimate:
            _estimate(plan, printing.as_json)
            return 0
        with elsewhere(call, [cell.recipe for cell in plan.cells], map(expanded, files)) as where:
            return _make(plan, place, writing.force, printing, shown, where)


def _subjects(command: str, given: Sequence[str]) -> list[str]:
    """What a command begins with; folders of pictures as the pictures in them."""
    faults = Faults(many=False)
    return pictures_of(given, faults) if command == "dream" else list(given)


def _place(command: str, subjects: Sequence[Any], writing: GridWriting) -> Path:
    """The folder that was named, or one called after what the first picture begins with, in the working folder."""
    if writing.output is None:
        first = str(subjects[0]) if subjects else command
        return Path(named(stem_of(first) if command == "dream" else f"{command}-{speakable(first)}", "-grid"))
    found = Destination(writing.output, True, frozenset()).folder
    assert found is not None
    return found


def _estimate(plan: api.GridPlan, as_json: bool) -> None:
    found = plan.estimate()
    if as_json:
        print_json([dataclasses.asdict(found)])
        return
    working = f", {in_bytes(found.disk)} of disk while it works" if found.disk else ""
    time = f"about {in_time(found.seconds)} as fast as the machine is now"
    say(f"{_counted(plan)}, {time}, {in_bytes(found.memory)} of memory{working}, results of {in_bytes(found.result)}")


def _make(plan: api.GridPlan, place: Path, force: bool, printing: Printing, shown: Line, where: api.Elsewhere | None) -> int:
    from reverie.cli.public import api

    into = api.GridFolder(place, plan, force)
    rows: dict[tuple[int, ...], dict[str, Any]] = {}
    notes = Notes()

    def done(cell: api.GridCell, path: Path, picture: MadePicture | None) -> None:
        if picture is not None:
            shown.close()
            notes.tell(picture.notes, path.name)
        if picture is not None and not picture.alive:
            remark(f"{path.name}: {picture.notes[-1]}: no picture of it")
            return
        rows[cell.at] = _row(cell, path, picture)
        if not printing.as_json:
            say(str(path))

    with into.ready():
        _tell_begin(plan, into.before, printing.quiet)
        for each in into.changed:
            remark(f"'{each}' was changed since its gallery was made, and stays: take it away, and the same command makes it again")
        _tell_presets(plan, printing.quiet)
        shown.begin(_DOING[plan.wanted.command])
        try:
            outcome = into.make(_TimeTold(shown, printing.quiet), done, where)
        finally:
            shown.close()
            if printing.as_json:
                print_json([rows[at] for at in sorted(rows)])
        if outcome.stopped:
            raise Interrupted("stopped early", so_far(len(rows), len(plan.cells), force))
        code = told([error for _, error in outcome.faults])
        if not rows:
            if not code:
                raise UsageError("no picture was made: nothing that was asked for ever fired", "try another seed, or other units")
            return code
        if not printing.quiet:
            sheets = [str(each) for each in into.sheets]
            more = f" and {len(sheets) - 1} more" if len(sheets) > 1 else ""
            whole = len(rows) == len(plan.cells)
            left_out = "of which nothing is left out" if whole else f"with {len(rows):,} of {len(plan.cells):,}"
            remark(f"{sheets[0]}{more}: {'all of them on a sheet' if whole else 'a sheet'}; {into.page}: the gallery, {left_out}")
            aside(f"         to rank them: reverie gallery {shlex.quote(str(place))} --scores")
    return code


def _row(cell: api.GridCell, path: Path, picture: MadePicture | None) -> dict[str, Any]:
    made = {} if picture is None else {"notes": list(picture.notes)}
    recipe = cell.recipe if picture is None else picture.recipe
    seconds, score = (0.0, None) if picture is None else (round(picture.seconds or 0.0, 3), picture.score)
    return {"path": str(path), "recipe": recipe.model_dump(mode="json"), "seconds": seconds, "score": score, "notes": [], **made}


def _counted(plan: api.GridPlan) -> str:
    """`24 pictures (6 levels × 4 seeds)`."""
    count = len(plan.cells)
    return f"{count:,} picture{'s' * (count > 1)} ({sizes_in_words([(axis.name, axis.words) for axis in plan.axes])})"


def _tell_begin(plan: api.GridPlan, before: int, quiet: bool) -> None:
    if before:
        rest = "nothing is left to be made" if before == len(plan.cells) else "and it goes on"
        remark(f"{before:,} of {_counted(plan)} are there from before, {rest}")
    elif not quiet and len(plan.cells) > 1:
        remark(_counted(plan))


def _tell_presets(plan: api.GridPlan, quiet: bool) -> None:
    """That of presets that vary the level does not count, where something else says what is climbed."""
    names = {axis.name for axis in plan.axes}
    said = next((name for name in ("level", "target") if name in names or plan.wanted.fixed.get(name) is not None), None)
    if not quiet and plan.wanted.command == "dream" and "preset" in names and said is not None:
        remark(f"{choice('preset')} beside {choice(said)}: of each preset all counts but its level, in whose place stands the {said}")


class _Planning:
    """A line of how many pictures are planned."""

    def __init__(self, shown: Line) -> None:
        self._shown = shown

    def __call__(self, number: int, count: int) -> bool:
        return self._shown(Counted(number, count))


class _TimeTold:
    """A line of progress that says once, when the first pictures are made, how long the rest will take."""

    def __init__(self, shown: Line, quiet: bool) -> None:
        self._shown, self._told = shown, quiet

    def __call__(self, doing: Doing) -> bool:
        if not self._told and doing.left is not None and doing.number + 1 < doing.units:
            self._told = True
            self._shown.close()
            remark(f"about {in_time(doing.left)} for the rest")
        return self._shown(doing)
