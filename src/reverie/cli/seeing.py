"""The command see: for each picture a folder with a page and its figures, written anew as layers are done."""

from __future__ import annotations

import pickle
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverie.cli.console import Faults, Line, Notes, line, of_file, print_json, remark, say, told
from reverie.cli.dreaming import pictures_of
from reverie.cli.estimates import corrected
from reverie.cli.flags import Call
from reverie.cli.outputs import named, numbered, so_far, stem_of, tell_taken
from reverie.cli.query_commands import check_readable
from reverie.cli.seen_folder import HANDOUT, PAGE, SeenFolder, SeenIndex, check_free, figures_in, what_is_in
from reverie.errors import Interrupted, OutputError
from reverie.recipe import PageWriting, Printing, Working, Writing, is_noise
from reverie.store import Destination, expanded, is_folder, made_folder, speakable

if TYPE_CHECKING:
    from reverie.insight import SeePlan
    from reverie.work import Result, Task

AGAIN = 30.0  # seconds after which the page is written anew: that takes a second or two


def see(call: Call) -> int:
    given, printing = call.subjects[0], call.of(Printing)
    many = len(given) > 1 or any(is_folder(expanded(each)) for each in given)
    for each in filter(is_noise, given):
        check_readable(each)
    pictures = pictures_of(given, faults := Faults(many=len(given) > 1))
    faults.many = many
    looking = _Looking(call, faults)
    with line(printing.quiet) as shown:
        try:
            for number, picture in enumerate(pictures):
                looking.at(picture, shown, len(pictures) - number)
                if shown.interrupted:
                    break
            looking.elsewhere(shown)
        finally:
            looking.tell_index()
            if printing.as_json and (looking.results or many):
                print_json(looking.results)
    code = told(faults)
    if looking.unfinished or (shown.interrupted and looking.done < len(pictures)):
        left = so_far(looking.done, len(pictures), call.of(Writing).force)
        raise Interrupted("stopped early", left if many else looking.unfinished)
    return code


class _Looking:
    """Looks at one picture after another.

    Args:
        call: the command.
        faults: where there may be several, each has a folder of its own, and what is wrong with one goes here.

    Attributes:
        results: what `--json` says. done: how many pictures. unfinished: what there is to say of one that was broken off.

    Raises:
        OutputError: what was named cannot be written.
    """

    def __init__(self, call: Call, faults: Faults) -> None:
        self.results: list[dict[str, Any]] = []
        self.done, self.unfinished = 0, ""
        self._call, self._faults = call, faults
        self._many = many = faults.many
        self._writing, self._beside, self._printing = call.of(Writing), call.of(PageWriting), call.of(Printing)
        self._working = call.of(Working)
        self._waiting: list[tuple[str, SeePlan, SeenFolder]] = []  # what an engine shall look at
        self._network: Any = None
        self._taken: set[Path] = set()
        self._notes = Notes()
        self._has_told_how_long = False
        given = None if self._writing.output is None else expanded(self._writing.output)
        self._place = None if many else given
        self._index = SeenIndex(_folder(self._writing.output), self._writing.force) if many and given is not None else None
        if self._place is not None:  # found out before torch is there, as far as it can be
            check_free(self._place, self._writing.force or figures_in(self._place) is not None)

    def at(self, picture: str, shown: Line, left: int) -> None:
        """Look at one; `left` is how many there are still, with it."""
        with self._faults.kept():
            plan = self._plan(picture)
            folder = self._folder_for(picture, plan)
            self._notes.tell(of_file(note, "the picture", picture if self._many else "") for note in plan.sight.notes)
            if folder.kept is not None:
                remark(f"'{folder.place}' is there already, of this picture and these choices; --force makes it anew")
                self._tell(folder, plan, plan.sight.expected)
            elif self._working.on is not None:
                self._waiting.append((picture, plan, folder))
            else:
                self._look(picture, plan, folder, shown, left)

    def elsewhere(self, shown: Line) -> None:
        """Have those that wait looked at by an engine, where flags choose one; each page is written when its picture is done."""
        if not self._waiting:
            return
        from reverie.cli.public import api

        plan = self._waiting[0][1]
        machine = api.machine(plan.network, self._call.given.get("threads"))
        same = {"device": machine.device, "precision": machine.precision, "threads": machine.threads}
        named = api.NamedNetwork(*self._call.network.by_name())
        opening = api.OpenLooks(named, plan.network.sha256, {**self._call.choices, **same})

        def done(task: Task, result: Result) -> None:
            _, plan, folder = self._waiting[task.what["number"]]
            shown.close()
            sight = pickle.loads(result["sight"])
            folder.write(sight)
            self._tell(folder, plan, len(sight.layers))

        shown.begin("looking")
        tasks = [api.look_task(picture, number) for number, (picture, _, _) in enumerate(self._waiting)]
        with closing(api.engine_for(self._working, machine.threads, machine.device != "cpu")) as engine:
            outcome = engine.run(tasks, opening, done, shown)
        self._faults += [error for _, error in outcome.faults]
        if outcome.stopped:
            self.unfinished = "no page of it was written; the same command makes it"

    def tell_index(self) -> None:
        """The page that links the others, once there is one."""
        if self._index is not None and self.results and not self._printing.as_json:
            say(str(self._index.page))

    def _plan(self, picture: str) -> SeePlan:
        from reverie.cli.public import api

        network = self._network or self._call.network.one(self._printing.quiet)
        choices: dict[str, Any] = dict(self._call.choices)
        plan = api.plan_see(picture, network=network, **choices)
        self._network = plan.network
        return plan

    def _folder_for(self, picture: str, plan: SeePlan) -> SeenFolder:
        """The folder that was named; else one called after the picture, or with a number where something else is there."""
        if self._place is not None:
            return self._ready(picture, plan, self._place)
        stem = stem_of(picture)
        if stem != stem.encode(errors="replace").decode():  # bytes that are no text, which no page can link
            stem = speakable(stem)
        usual = Path(named(stem, "-seen"))
        if self._index is not None:
            made_folder(self._index.folder)
            usual = self._index.folder / usual
        other = ""
        for place in numbered(usual, ""):
            if place in self._taken:
                other = other or "of another picture that was named too"
                continue
            try:
                folder = self._ready(picture, plan, place)
            except OutputError:
                if self._writing.force or not is_folder(place):
                    raise
                other = other or what_is_in(place, plan.asked)
                continue
            self._taken.add(place)
            if place != usual and folder.kept is None:
                tell_taken(usual, place, other)
            return folder
        raise AssertionError("there is always another number")

    def _ready(self, picture: str, plan: SeePlan, place: Path) -> SeenFolder:
        folder = SeenFolder(place, self._writing, self._beside)
        folder.check_input(expanded(picture))
        folder.ready(plan)
        return folder

    def _look(self, picture: str, plan: SeePlan, folder: SeenFolder, shown: Line, left: int) -> None:
        expected = 0.0  # seconds of the first, which tells of the rest
        if not self._printing.quiet and not self._has_told_how_long:
            expected = plan.seconds()
            remark(how_long(left, plan.sight.expected, expected))
            self._has_told_how_long = True
        shown.begin(f"looking at {Path(picture).name}" if self._many else "looking")
        sight, due = plan.sight, 0.0
        try:
            for sight in plan.layers(shown):
                if sight.layers:
                    folder.write_pictures(sight)
                if sight.layers and time.monotonic() >= due:
                    folder.write(sight)
                    due = time.monotonic() + AGAIN
        finally:
            shown.close()
            if sight.layers:
                folder.write(sight)
        if sight.layers:
            self._tell(folder, plan, len(sight.layers))
        if len(sight.layers) == sight.expected and (words := corrected(expected, sight.seconds, expected * (left - 1), left - 1)):
            remark(words)
        if len(sight.layers) < sight.expected:
            there = (
                f"the page has {len(sight.layers)} of {sight.expected} layers" if sight.layers else "no layer was done, so there is no page"
            )
            self.unfinished = f"{there}; the same command makes it whole"

    def _tell(self, folder: SeenFolder, plan: SeePlan, layers: int) -> None:
        self.done += layers == plan.sight.expected
        if self._index is not None:
            self._index.add(plan, folder.place, layers)
        self.results.append(folder.told())
        if not self._printing.as_json:
            say(str(folder.place / PAGE))
            if self._beside.handout and (folder.place / HANDOUT).is_file():
                say(str(folder.place / HANDOUT))


def _folder(output: str) -> Path:
    """The folder that several pages go to; OutputError where it cannot be one."""
    from reverie.files import SUFFIXES

    found = Destination(output, True, frozenset(SUFFIXES)).folder
    assert found is not None
    return found


def how_long(pictures: int, layers: int, seconds: float) -> str:
    """`16 layers, about 25 seconds`; of several pictures all, told by the first."""
    each = f"{layers} layer{'s' * (layers != 1)}"
    what = each if pictures == 1 else f"{pictures} pictures, {each} each"
    return f"{what}, about {_time(seconds * pictures)}"


def _time(seconds: float) -> str:
    if seconds < 10:
        count = max(1, round(seconds))
    elif seconds < 90:
        count = 5 * round(seconds / 5)
    else:
        return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
    return f"{count} second{'s' * (count != 1)}"
