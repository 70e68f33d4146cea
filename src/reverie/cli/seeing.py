"""The command see: a folder with a page, its figures and its pictures, written anew as layers are done."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import line, print_json, remark, say
from reverie.cli.flags import Call
from reverie.cli.outputs import numbered, tell_taken
from reverie.cli.query_commands import check_readable
from reverie.errors import Interrupted, OutputError, choice
from reverie.recipe import Printing, Writing
from reverie.store import check_not_original, check_place, expanded, is_folder, made_folder, speakable, write_whole

if TYPE_CHECKING:
    from reverie.insight import Sight

PAGE, FIGURES = "index.html", "see.json"
AGAIN = 30.0  # seconds after which the page is written anew: that takes a second or two


def see(call: Call) -> int:
    (picture,), writing, printing = call.subjects, call.of(Writing), call.of(Printing)
    check_readable(picture)
    usual = Path(f"{speakable(expanded(picture).stem)}-seen")
    free = usual if writing.force else next(each for each in numbered(usual, "") if not os.path.lexists(each))
    place = free if writing.output is None else expanded(writing.output)
    _check(place, writing.force)
    from reverie.api import plan_see

    plan = plan_see(picture, network=call.network.one(printing.quiet), **call.choices)
    if place == free != usual:
        tell_taken(usual, free)
    made_folder(place)
    for note in plan.sight.notes:
        remark(note)
    sight = plan.sight
    written: dict[str, str] = {}
    with line(printing.quiet) as shown:
        shown.begin("looking")
        try:
            due = 0.0
            for sight in plan.layers(shown):
                _save(sight, place, written, writing.with_recipe)
                if time.monotonic() >= due:
                    _write(sight, place)
                    due = time.monotonic() + AGAIN
        finally:
            _write(sight, place)
    if printing.as_json:
        answer = {"path": str(place / PAGE), "recipe": None, "seconds": round(sight.seconds, 3), "score": None}
        print_json([{**answer, **sight.as_data(written)}])
    else:
        say(str(place / PAGE))
    if len(sight.layers) < sight.expected:
        raise Interrupted("stopped early", f"the page has {len(sight.layers)} of {sight.expected} layers")
    return 0


def _check(place: Path, force: bool) -> None:
    """Raise OutputError now where the folder is there already, or cannot be made."""
    there = os.path.lexists(place)  # unlike `place.exists`, no name is too long for it, and a link that leads nowhere is there
    if there and not is_folder(place):
        raise OutputError(f"'{place}' is not a folder", f"give the name of one with {choice('output')}")
    if there and not force:
        raise OutputError(f"the folder '{place}' exists already", f"give {choice('force')} to write into it, or another name")
    for each in place.iterdir() if there else ():
        check_not_original(each)
    check_place(place / PAGE if there else place)


def _save(sight: Sight, place: Path, written: dict[str, str], with_recipe: bool) -> None:
    """The pictures that are not there yet."""
    for name, each in sight.pictures().items():
        if name not in written:
            written[name] = str(place / name)
            each.save(place / name, force=True, with_recipe=with_recipe)


def _write(sight: Sight, place: Path) -> None:
    """The page as far as it is, and its figures."""
    data: Any = sight.as_data()
    write_whole(place / FIGURES, json.dumps(data, ensure_ascii=False, indent=1).encode(), replace=True)
    write_whole(place / PAGE, sight.page().encode(), replace=True)
