"""Commands that make films: journey, film."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import Line, line, print_json, remark, say
from reverie.cli.estimates import in_time, of_film
from reverie.cli.flags import Call
from reverie.cli.outputs import check_name, named, numbered, stem_of, tell_taken, what_for, what_is_at
from reverie.cli.query_commands import check_readable
from reverie.errors import Interrupted, UsageError, choice
from reverie.recipe import Estimate, FilmWriting, Printing, is_noise
from reverie.store import Kept, expanded

if TYPE_CHECKING:
    from reverie.motion.plan import MovingPlan
    from reverie.recipe import Recipe
    from reverie.work import Progress


def journey(call: Call) -> int:
    start, targets = call.subjects
    choices: dict[str, Any] = dict(call.choices)
    ring = choices.pop("ring", False)
    if targets and not ring:
        raise UsageError(f"targets after the start: {' '.join(targets)[:80]}", f"say {choice('ring')} to hand it round them")
    if ring and not targets:
        raise UsageError("a ring without targets", f"name them after the start: reverie journey START parts objects {choice('ring')}")
    if not is_noise(start):
        check_readable(start)
    check_output(call)
    from reverie.cli.public import api

    plan = api.plan_journey(start, ring=targets, network=call.network.several(call.of(Printing).quiet), **choices)
    return make(call, plan, named(stem_of(start), f"-{what_for(call, plan.recipe.target)}{'-ring' * bool(targets)}-{plan.recipe.seed}.mp4"))


def film(call: Call) -> int:
    (video,) = call.subjects
    check_readable(video, "film")
    check_output(call)
    from reverie.cli.public import api

    plan = api.plan_film(video, network=call.network.several(call.of(Printing).quiet), **call.choices)
    return make(call, plan, named(Path(video).stem, f"-{what_for(call, plan.recipe.target)}-{plan.recipe.seed}.mp4"))


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
    if call.of(Estimate).estimate:
        row, words = of_film(str(place), plan)
        if printing.as_json:
            print_json([row])
        else:
            say(words)
        return 0
    if writing.output is None and not writing.force:
        place = next(each for each in numbered(place) if plan.is_free(each))
        if place != Path(name):
            tell_taken(Path(name), place, what_is_at(Path(name), plan.recipe))
    if plan.is_made(place) and not (writing.force or writing.preview or writing.keep_frames):
        for note in Kept().put_all(plan.kept):
            remark(note)
        remark(f"'{place}' is there already, made by the very same recipe; --force makes it again")
        _tell(str(place), plan.recipe, 0.0, printing)
        return 0
    place = plan.ready(place if writing.output is None else writing.output, writing)
    with line(printing.quiet, "frame") as shown:
        shown.begin("dreaming")
        made = plan.make(place, writing, shown if printing.quiet else _TimeTold(shown, plan.frames), remark)
    if made.finished or writing.partial:
        _tell(str(made.path), made.recipe, made.seconds, printing)
    if not made.finished:
        raise Interrupted(f"stopped early: {made.frames} of {plan.frames} frames are kept", "the same command goes on")
    return 0


class _TimeTold:
    """A line of progress that says once how many frames are made now and how long the rest of them will take.

    It waits for the second frame that is made: the first takes longer than those that follow from it.
    """

    def __init__(self, shown: Line, frames: int) -> None:
        self._shown, self._frames = shown, frames
        self._before: float | None = None
        self._told = False

    def __call__(self, progress: Progress) -> bool:
        now = time.monotonic()
        if self._before is None:
            self._frames -= progress.number  # those that are there from before
        elif not self._told and progress.number + 1 < progress.units:
            self._told = True
            self._shown.close()
            remark(f"{self._frames} frames, about {in_time((now - self._before) * (progress.units - progress.number - 1))}")
        self._before = now
        return self._shown(progress)


def _tell(path: str, recipe: Recipe | None, seconds: float, printing: Printing) -> None:
    if printing.as_json:
        how = None if recipe is None else recipe.model_dump(mode="json")
        print_json([{"path": path, "recipe": how, "seconds": round(seconds, 3), "score": None}])
    else:
        say(path)
