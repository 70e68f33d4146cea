"""Commands that make films: journey, film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import line, print_json, remark, say
from reverie.cli.flags import Call
from reverie.cli.outputs import check_name, named, numbered, tell_taken
from reverie.cli.query_commands import check_readable
from reverie.errors import Interrupted, UsageError, choice
from reverie.recipe import FilmWriting, Printing
from reverie.store import Kept, expanded, speakable

if TYPE_CHECKING:
    from reverie.motion.plan import MovingPlan
    from reverie.recipe import Recipe


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
    check_output(call)
    from reverie import api

    plan = api.plan_journey(start, ring=targets, network=call.network.several(call.of(Printing).quiet), **choices)
    stem = start.replace(":", "-") if start.startswith("noise:") else Path(start).stem
    return make(call, plan, named(stem, f"-{speakable(plan.recipe.target)}{'-ring' * bool(targets)}-{plan.recipe.seed}.mp4"))


def film(call: Call) -> int:
    (video,) = call.subjects
    check_readable(video, "film")
    check_output(call)
    from reverie import api

    plan = api.plan_film(video, network=call.network.several(call.of(Printing).quiet), **call.choices)
    return make(call, plan, named(Path(video).stem, f"-{speakable(plan.recipe.target)}-{plan.recipe.seed}.mp4"))


def check_output(call: Call) -> None:
    """Raise OutputError now, before torch is there, where the film that was named cannot be written."""
    from reverie.files.recipes.film_containers import FILMS

    output = call.of(FilmWriting).output
    if output is not None and expanded(output).suffix.lower() in FILMS:
        check_name(expanded(output), call)


def make(call: Call, plan: MovingPlan, name: str) -> int:
    """Make a film, at the place that was asked for or at one of this name; another film there is left alone, and a free name taken."""
    writing, printing = call.of(FilmWriting), call.of(Printing)
    place = Path(name) if writing.output is None else expanded(writing.output)
    if writing.output is None and not writing.force:
        place = next(each for each in numbered(place) if plan.is_free(each))
        if place != Path(name):
            tell_taken(Path(name), place)
    if plan.is_made(place) and not (writing.force or writing.preview or writing.keep_frames):
        for note in Kept().put_all(plan.kept):
            remark(note)
        remark(f"'{place}' is there already, made by the very same recipe; --force makes it again")
        _tell(str(place), plan.recipe, 0.0, printing)
        return 0
    place = plan.ready(place if writing.output is None else writing.output, writing)
    with line(printing.quiet, "frame") as shown:
        shown.begin("dreaming")
        made = plan.make(place, writing, shown, remark)
    if made.finished or writing.partial:
        _tell(str(made.path), made.recipe, made.seconds, printing)
    if not made.finished:
        raise Interrupted(f"stopped early: {made.frames} of {plan.frames} frames are kept", "the same command goes on")
    return 0


def _tell(path: str, recipe: Recipe | None, seconds: float, printing: Printing) -> None:
    if printing.as_json:
        how = None if recipe is None else recipe.model_dump(mode="json")
        print_json([{"path": path, "recipe": how, "seconds": round(seconds, 3), "score": None}])
    else:
        say(path)
