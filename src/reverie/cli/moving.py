"""Commands that make films: journey, film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import line, print_json, remark, say
from reverie.cli.flags import Call
from reverie.cli.outputs import named, what_for
from reverie.cli.query_commands import check_readable
from reverie.errors import Interrupted, UsageError, choice
from reverie.recipe import FilmWriting, Printing

if TYPE_CHECKING:
    from reverie.motion.plan import MovingPlan


def journey(call: Call) -> int:
    start, targets = call.subjects
    choices: dict[str, Any] = dict(call.choices)
    ring = choices.pop("ring", False)
    if targets and not ring:
        raise UsageError(f"targets after the start: {' '.join(targets)[:80]}", f"say {choice('ring')} to hand it round them")
    if ring and not targets:
        raise UsageError("a ring without targets", f"name them after the start: reverie journey START parts objects {choice('ring')}")
    if not start.startswith("noise:"):
        check_readable(start)
    from reverie import api

    plan = api.plan_journey(start, ring=targets, network=call.network.several(call.of(Printing).quiet), **choices)
    stem = start.replace(":", "-") if start.startswith("noise:") else Path(start).stem
    return make(call, plan, named(stem, f"-{what_for(call, plan.recipe.target)}{'-ring' * bool(targets)}-{plan.recipe.seed}.mp4"))


def film(call: Call) -> int:
    (video,) = call.subjects
    check_readable(video, "film")
    from reverie import api

    plan = api.plan_film(video, network=call.network.several(call.of(Printing).quiet), **call.choices)
    return make(call, plan, named(Path(video).stem, f"-{what_for(call, plan.recipe.target)}-{plan.recipe.seed}.mp4"))


def make(call: Call, plan: MovingPlan, name: str) -> int:
    """Make a film, at the place that was asked for or at one of this name."""
    writing, printing = call.of(FilmWriting), call.of(Printing)
    place = name if writing.output is None else writing.output
    plan.ready(place, writing)
    with line(printing.quiet, "frame") as shown:
        shown.begin("dreaming")
        made = plan.make(place, writing, shown, remark)
    if made.finished or writing.partial:
        if printing.as_json:
            recipe = None if made.recipe is None else made.recipe.model_dump(mode="json")
            print_json([{"path": str(made.path), "recipe": recipe, "seconds": round(made.seconds, 3), "score": None}])
        else:
            say(str(made.path))
    if not made.finished:
        raise Interrupted(f"stopped early: {made.frames} of {plan.frames} frames are kept", "the same command goes on")
    return 0
