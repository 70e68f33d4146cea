"""From a wish to its results, by the public functions; nothing is added to what they do."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from reverie import api
from reverie.album import read_recipe
from reverie.errors import printable
from reverie.insight import Sight
from reverie.judging.answers import observers_page
from reverie.motion.plan import MovingPlan
from reverie.pictures import MadePicture
from reverie.recipe import FilmWriting, Machinery, NoiseInput, choose, each_of, is_noise
from reverie.render import Plan
from reverie.store import Kept, beside, file_stems, made_folder, sha256_of, speakable, write_whole
from reverie.studio.jobs.home import Home
from reverie.studio.jobs.open_networks import OpenNetworks
from reverie.studio.jobs.running import Running
from reverie.studio.jobs.wishes import Wish, is_file
from reverie.target import as_said
from reverie.work import Progress as FrameProgress

Find = Callable[[str, str], Path]  # of a reference, and of the choice in which it stands

_PAGE_AGAIN = 2.0  # seconds between two writings of a page that grows
_LONGEST = 60  # characters of a part of a name


@dataclass(frozen=True)
class Batch:
    """Pictures that are made together: the plan, how many there are, and their names."""

    plan: Callable[[], Plan]
    names: tuple[str, ...]


def make(job: Running) -> None:
    """Do what a job asks for: what has a number that is made already is left, each result is published as soon as it is there.

    Raises:
        ReverieError: as the public function does.
    """
    _DOERS[job.wish.command](job)


def batches(home: Home, networks: OpenNetworks, wish: Wish) -> Iterator[Batch]:
    """The pictures of a dream, of labels or targets, in order; each is planned when it is its turn.

    Raises:
        ReverieError: where labels or targets are wrong.
    """
    nets, choices = networks.of(wish.networks, wish.choices), values(wish, home)
    if wish.command == "dream":
        for subject in wish.subjects:
            start = subject if is_noise(subject) else home.find(subject)
            for each in each_of(choices):
                variant = f"-v{each['variant']}" if "variant" in each else ""
                name = f"{_stem(home, subject)}-{_what(wish)}-{each.get('seed') or 0}{variant}.png"
                yield Batch(lambda start=start, each=each: api.plan_dream(start, network=nets, **each), (name,))  # type: ignore[misc]
        return
    plan_all: Callable[..., list[Plan]] = api.plan_imagine if wish.command == "imagine" else api.plan_feature
    for plan in plan_all(list(wish.subjects) or None, network=nets, **choices):
        names = tuple(f"{_part(as_said(each.target))}-{each.seed}.png" for each in plan.recipes())
        yield Batch(lambda plan=plan: plan, names)  # type: ignore[misc]


def plan_moving(home: Home, networks: OpenNetworks, wish: Wish) -> MovingPlan:
    """The plan of a journey or a film."""
    nets, choices = networks.of(wish.networks, wish.choices), values(wish, home)
    start = wish.subjects[0] if is_noise(wish.subjects[0]) else home.find(wish.subjects[0])
    if wish.command == "film":
        return api.plan_film(start, network=nets, **choices)
    if isinstance(choices.get("ring"), bool):
        del choices["ring"]
    if len(wish.subjects) > 1:
        choices["ring"] = wish.subjects[1:]
    return api.plan_journey(start, network=nets, **choices)


def plan_grid(home: Home, networks: OpenNetworks, wish: Wish, folder: Path | None = None, find: Find | None = None) -> api.GridPlan:
    """The plan of a grid.

    Args:
        folder: where an earlier part of it may be. find: gives the file of a reference; the words for it on sheets are that file's name.
    """
    find = find or home.find

    def found(name: str, value: Any) -> Any:
        return find(value, name) if is_file(name, value) else value

    vary: dict[str, Any] = {name: [found(name, each) for each in given] for name, given in wish.vary.items()}
    if "network" in vary:
        vary["network"] = networks.of(vary["network"], wish.choices)
    nets = None if "network" in vary and not wish.networks else networks.of(wish.networks, wish.choices)
    subjects = [each if is_noise(each) or wish.maker != "dream" else find(each, "") for each in wish.subjects]
    choices = {name: value for name, value in values(wish, home).items() if name not in ("vary", "command")}
    return api.plan_grid(subjects or None, vary, command=wish.maker, folder=folder, network=nets, **choices)


def plan_again(home: Home, wish: Wish) -> Plan | MovingPlan:
    """The plan of what a picture's recipe says, or of the same but for what is named."""
    place, choices = home.find(wish.subjects[0]), values(wish, home)
    for used in read_recipe(place).inputs:  # what was handed in here is found by its hash
        if not isinstance(used, NoiseInput) and Kept().find(used.sha256) is None and (kept := home.inputs.find(used.sha256)) is not None:
            Kept().put(kept)
    if wish.networks or not choices.keys() <= Machinery.model_fields.keys():
        return api.plan_again(place, network=wish.networks or None, **choices)
    return api.plan_redo(api.carried_by(place), choose(Machinery, **choices))


def values(wish: Wish, home: Home) -> dict[str, Any]:
    """The choices of a wish as the public functions take them, but the network: files in the place of references."""
    found: dict[str, Any] = {}
    for name, value in wish.choices.items():
        if name == "network":
            continue
        several = value if isinstance(value, list) else [value]
        if several and all(is_file(name, each) for each in several):
            paths = [home.find(each, name) for each in several]
            found[name] = paths if isinstance(value, list) else paths[0]
        else:
            found[name] = value
    return found


def _pictures(job: Running) -> None:
    _make_batches(job, list(batches(job.home, job.networks, job.wish)))


def _make_batches(job: Running, wanted: Sequence[Batch]) -> None:
    total, first, there = sum(len(each.names) for each in wanted), 0, job.made()
    job.planned(total)
    for number, each in enumerate(wanted, 1):
        if not there.issuperset(range(first, first + len(each.names))):
            what = f"{number}/{len(wanted)}, " if len(wanted) > 1 else ""
            pictures = each.plan().make_all(job.watching(first / total, len(each.names) / total, what))
            job.save(pictures, first, each.names)
            if any(one.recipe.stopped is not None for one in pictures):
                return
        first += len(each.names)


def _film(job: Running) -> None:
    plan = plan_moving(job.home, job.networks, job.wish)
    if job.wish.command == "film":
        plan = replace(plan, notes=tuple(job.in_names(each) for each in plan.notes))
    _make_film(job, plan, f"{_stem(job.home, job.wish.subjects[0])}-{_what(job.wish)}-{plan.recipe.seed}")


def _make_film(job: Running, plan: MovingPlan, stem: str) -> None:
    """Frames that are there from before are gone on from."""
    suffix = ".mp4" if find_spec("av") is not None else ".gif"
    place, frames = job.folder / f"film{suffix}", job.folder / "film.work" / "frames"
    job.planned(1)
    job.shows_steps = False

    def watch(progress: FrameProgress) -> bool:
        job.show_file(frames / f"{progress.number:06d}.png")
        return job.tell(progress.done, progress.doing, progress.left)

    notes: tuple[str, ...] = ()
    whole = plan.is_made(place)  # of a process that was killed just before it could say so
    if not whole:
        made = plan.make(place, FilmWriting(partial=True, force=True), watch)
        whole, notes = made.finished, made.notes
    job.publish([(0 if whole else None, place.name, f"{stem}{suffix}")], notes)


def _see(job: Running) -> None:
    (net,) = job.networks.of(job.wish.networks, job.wish.choices)
    choices, there = values(job.wish, job.home), job.made()
    count = len(job.wish.subjects)
    job.planned(count)
    page = job.folder / "page.html"
    for number, subject in enumerate(job.wish.subjects):
        if number in there:
            continue
        place = job.home.find(subject)
        job.show_file(place)
        plan = api.plan_see(place, network=net, **choices)
        sight, due = plan.sight, 0.0
        plan = replace(plan, sight=replace(sight, name=printable(job.home.called(subject))))
        for sight in plan.layers(job.watching(number / count, 1 / count)):
            if sight.layers and time.monotonic() >= due:
                write_whole(page, sight.page().encode(), replace=True)
                due = time.monotonic() + _PAGE_AGAIN
        _publish_sight(job, sight, number, page, f"{_stem(job.home, subject)}-seen.html")
        if len(sight.layers) < sight.expected:
            return


def _publish_sight(job: Running, sight: Sight, number: int, page: Path, name: str) -> None:
    if sight.layers:
        origin = write_whole(job.folder / f"{number}.html", sight.page().encode(), replace=True)
        job.publish([(number if len(sight.layers) == sight.expected else None, origin.name, name)], sight.notes)
    page.unlink(missing_ok=True)


def _ask(job: Running) -> None:
    job.planned(1)
    choices = values(job.wish, job.home)
    nets = job.networks.of(job.wish.networks, choices) if job.wish.networks else job.networks.all_installed(choices)
    answers = []
    others = {name: value for name, value in choices.items() if name not in ("device", "precision")}
    for number, subject in enumerate(job.wish.subjects):
        if job.tell(number / len(job.wish.subjects), f"asking about {job.home.called(subject)}, {number + 1} of {len(job.wish.subjects)}"):
            break
        place = job.home.find(subject)
        job.show_file(place)
        answers.append(replace(api.ask(place, network=nets, **others), name=printable(job.home.called(subject))))
    if answers:
        origin = write_whole(job.folder / "0.html", observers_page(answers).encode(), replace=True)
        whole = len(answers) == len(job.wish.subjects)
        job.publish([(0 if whole else None, origin.name, f"{_stem(job.home, job.wish.subjects[0])}-asked.html")])


def _grid(job: Running) -> None:
    """One folder, which is moved when it is whole; pictures that are there from before are not made again."""
    inputs, place = made_folder(job.folder / "inputs"), job.folder / "grid"
    plan = plan_grid(job.home, job.networks, job.wish, place, lambda reference, field: _called(job.home, reference, field, inputs))
    into = api.GridFolder(place, plan)
    notes: list[str] = []
    there: set[Path] = set()

    def note(_cell: object, path: Path, picture: MadePicture | None) -> None:
        there.add(path)
        notes.extend(() if picture is None else picture.notes)

    job.planned(1)
    with into.ready():
        outcome = into.make(
            lambda doing: job.tell(doing.done, f"{len(there)} of {len(plan.cells)} made, {doing.part}".removesuffix(", "), doing.left),
            note,
        )
    notes += [str(fault) for _, fault in outcome.faults]
    if not into.pictures():
        if outcome.faults:
            raise outcome.faults[0][1]  # all the others failed too
        return
    what = _stem(job.home, job.wish.subjects[0]) if job.wish.subjects and job.wish.maker == "dream" else job.wish.maker
    job.publish([(None if outcome.stopped else 0, place.name, f"{what}-grid")], notes)


def _called(home: Home, reference: str, field: str, folder: Path) -> Path:
    """The file of a reference, under the name that people know it by."""
    place = home.find(reference, field)
    if not reference.startswith("input:"):
        return place
    name = Path(home.called(reference))
    stem = next(iter(file_stems([name.stem]).values()))
    for called in (f"{stem}{name.suffix}", f"{stem}-{place.name[:8]}{name.suffix}"):
        link = folder / called
        if link.exists() and sha256_of(link) != place.name:
            continue
        if not link.exists():
            with beside(link) as part:
                shutil.copyfile(place, part)
        return link
    return place


def _again(job: Running) -> None:
    plan, stem = plan_again(job.home, job.wish), f"{_stem(job.home, job.wish.subjects[0])}-again"
    if isinstance(plan, MovingPlan):
        _make_film(job, plan, stem)
    else:
        _make_batches(job, [Batch(lambda: plan, tuple(f"{stem}.png" for _ in plan.wanted))])


def _stem(home: Home, subject: str) -> str:
    """What the name of a result begins with: what it was made from."""
    if is_noise(subject):
        return subject.replace(":", "-")
    return _part(Path(home.called(subject)).stem)


def _what(wish: Wish) -> str:
    """What was dreamt, in a name."""
    given = [wish.choices.get(name) for name in ("target", "level", "preset")]  # as they count
    if wish.command == "journey" and len(wish.subjects) > 1:
        return "ring"
    return _part(next((each for each in given if each), "guided" if "guide" in wish.choices else "dream"))


def _part(text: object) -> str:
    return speakable(text, _LONGEST).strip("-.") or "_"


_DOERS: dict[str, Callable[[Running], None]] = {
    "dream": _pictures, "imagine": _pictures, "feature": _pictures, "see": _see, "journey": _film, "film": _film, "ask": _ask,
    "redo": _again,
    "grid": _grid,
}  # fmt: skip
