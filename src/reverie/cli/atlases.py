"""The command that makes a site of a network."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import Line, line, print_json, remark, say, told
from reverie.cli.estimates import in_bytes, in_time
from reverie.cli.flags import Call
from reverie.cli.outputs import named
from reverie.errors import Interrupted
from reverie.recipe import DEFAULT_NETWORK, AtlasWriting, Estimate, Printing, Working
from reverie.store import Destination, speakable

if TYPE_CHECKING:
    from reverie.cli.public import api
    from reverie.work import Doing

_DOING = {
    "examples": "looking at pictures", "features": "growing", "classes": "imagining", "wiring": "following the weights",
    "effect": "leaving layers out", "speaks": "holding units", "eyes": "asking another network", "looks": "looking at what was made",
    "maps": "drawing maps",
}  # fmt: skip


def atlas(call: Call) -> int:
    printing, writing, working = call.of(Printing), call.of(AtlasWriting), call.of(Working)
    place = _place(call, writing)
    from reverie.cli.public import api

    network = call.network.one(printing.quiet)
    with line(printing.quiet, "step") as shown:
        shown.begin("planning")
        plan = api.plan_atlas(network, **dict(call.choices))
        shown.close()
        if call.of(Estimate).estimate:
            _estimate(plan, printing.as_json)
            return 0
        with closing(api.engine_for(working, plan.machine.threads, plan.machine.device != "cpu")) as engine:
            _tell_begin(plan, printing.quiet)
            opening = api.opening_for(engine, plan, api.NamedNetwork(*call.network.by_name()), call.choices)
            made = api.make_atlas(plan, place, opening, engine, _Told(shown, printing.quiet), writing.force)
        shown.close()
    return _tell(made, plan, printing)


def _place(call: Call, writing: AtlasWriting) -> Path:
    """The folder that was named, or one called after the network, in the working folder."""
    from reverie.atlases.store import check_atlas_folder

    if writing.output is None:
        name = call.network.names[0] if call.network.names else DEFAULT_NETWORK
        place = Path(named(speakable(Path(name).stem), "-atlas"))
    else:
        found = Destination(writing.output, True, frozenset()).folder
        assert found is not None
        place = found
    check_atlas_folder(place)
    return place


def _estimate(plan: api.AtlasPlan, as_json: bool) -> None:
    from reverie.cli.public import api

    found = api.estimate_atlas(plan)
    if as_json:
        print_json([dataclasses.asdict(found)])
        return
    time = f"about {in_time(found.seconds)} as fast as the machine is now"
    say(f"{_counted(plan)}, {time}, {in_bytes(found.memory)} of memory, a site of {in_bytes(found.result)}")


def _counted(plan: api.AtlasPlan) -> str:
    parts = [f"{plan.units:,} unit{'s' * (plan.units != 1)} of {len(plan.layers)} layer{'s' * (len(plan.layers) != 1)}"]
    if plan.classes:
        parts.append(f"{len(plan.classes):,} class{'es' * (len(plan.classes) != 1)}")
    if plan.data is not None:
        parts.append(f"{len(plan.data):,} picture{'s' * (len(plan.data) != 1)}")
    return ", ".join(parts)


def _tell_begin(plan: api.AtlasPlan, quiet: bool) -> None:
    if quiet:
        return
    from reverie.cli.public import api

    remark(_counted(plan))
    if plan.data is None:
        remark("no real pictures: --dataset FOLDER shows of each unit those that excite it most")
    elif count := len(plan.data.duplicates):
        remark(f"{count} picture{'s are' if count > 1 else ' is'} there twice, and counted once")
    if note := api.note_on_maps(plan):
        remark(note)


def _tell(made: api.Atlas, plan: api.AtlasPlan, printing: Printing) -> int:
    if made.unreadable and not printing.quiet:
        count, (path, why) = len(made.unreadable), made.unreadable[0]
        which = (
            f"{count} pictures of the data set cannot be read and are" if count > 1 else "a picture of the data set cannot be read and is"
        )
        remark(f"{which} left out, first: {path}: {why}")
    if printing.as_json:
        row: dict[str, Any] = {
            "path": str(made.page), "units": made.units, "classes": made.classes, "manifest": made.digest, "finished": made.finished,
            "unreadable": [{"picture": path, "fault": why} for path, why in made.unreadable],
            "failed": [{"task": name, "fault": error.fault} for name, error in made.faults],
        }  # fmt: skip
        print_json([row])
    elif made.finished or made.units:
        say(str(made.page))
    if not made.finished:
        raise Interrupted("stopped early", f"{made.units:,} units are finished and kept, and the same command goes on")
    return told([error for _, error in made.faults])


class _Told:
    """A line of progress that names the stage; it says once of each how long it will take."""

    def __init__(self, shown: Line, quiet: bool) -> None:
        self._shown, self._quiet, self._stage, self._told = shown, quiet, "", False

    def __call__(self, stage: str, doing: Doing) -> bool:
        if stage != self._stage:
            self._shown.close()
            self._stage, self._told = stage, False
            self._shown.begin(_DOING.get(stage, stage))
        if not self._told and doing.left is not None and doing.number + 1 < doing.units:
            self._told = True
            self._shown.close()
            remark(f"{_DOING.get(stage, stage)}: about {in_time(doing.left)} for the rest")
        return bool(self._shown(doing))
