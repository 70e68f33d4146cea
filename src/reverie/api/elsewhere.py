"""What is made in other processes, and on other machines: networks opened there by name, pictures made there by their recipes."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from reverie.api.opening import load
from reverie.api.replanning import Carried, hash_in, plan_redo
from reverie.api.seeing import plan_see
from reverie.errors import InputError, ReverieError, UsageError, choice
from reverie.networks import Network
from reverie.pictures import MadePicture
from reverie.recipe import MAX_PIXELS, Machinery, NoiseInput, is_noise, read
from reverie.render import Plan
from reverie.store import Kept, expanded, sha256_of
from reverie.work import Doing, Engine, Make, Outcome, Result, Task
from reverie.work.any_order import Part

Watcher = Callable[[Doing], object]


@dataclass(frozen=True)
class NamedNetwork:
    """A network as it can be opened wherever it is installed, or its file can be read.

    Attributes:
        name: as `load` takes it. said: what else `load` is told, of one's own.
    """

    name: str
    said: Mapping[str, Any] = field(default_factory=dict)

    def opened(self, device: str, precision: str, sha256: str | None = None) -> Network:
        """It, open here.

        Raises:
            InputError: its weights are others here. As `load`.
        """
        found = load(self.name, device=device, precision=precision, **self.said)  # type: ignore[arg-type]
        if sha256 is not None and found.sha256 != sha256:
            raise InputError(f"'{self.name}' has other weights where the work is done", "bring the same file there")
        return found


def not_by_name(network: Network) -> UsageError:
    """That a network cannot be opened in other processes."""
    fault = f"'{network.name}' is open here, and workers on Ray open networks by name"
    return UsageError(fault, f"give the name of one, or leave out {choice('on')}")


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class OpenRecipes:
    """Gets a worker ready to make pictures by their recipes.

    Attributes:
        own: networks that a recipe knows by their hash alone. inputs: what goes in, by sha256.
        device, precision: of one's own networks. max_pixels: as `Machinery` has it.
    """

    own: tuple[NamedNetwork, ...]
    inputs: Mapping[str, bytes]
    device: str
    precision: str
    max_pixels: int = MAX_PIXELS

    def __call__(self) -> Make:
        open_here = [each.opened(self.device, self.precision) for each in self.own]
        folder = tempfile.TemporaryDirectory(prefix="reverie-inputs-")  # held by what is given back
        for digest, content in self.inputs.items():
            (Path(folder.name) / f"{digest}.png").write_bytes(content)  # files are known by their content
        return partial(_make_pictures, self, open_here, folder)


def _make_pictures(opened: OpenRecipes, nets: list[Network], folder: Any, task: Task, part: Part) -> Result | None:
    """The pictures of a task: `pictures`, a pickled list of MadePicture."""
    what, recipe = task.what, read(task.what["recipe"])
    given = {hash_in(recipe, net): net for net in nets if any(net.has_weights(used.sha256) for used in recipe.networks)}
    carried = Carried(Path(), recipe, Path(folder.name) if opened.inputs else None, given)
    plan = plan_redo(carried, Machinery(max_pixels=opened.max_pixels))
    assert isinstance(plan, Plan)
    nets += [each for each in plan.networks if each not in nets]
    plan = replace(plan, wanted=tuple(what["wanted"]), notes=tuple(what["notes"]))
    if not plan.recipe.is_as(recipe):
        raise InputError(
            f"'{task.name}' would be another picture where the work is done", "have the same torch and Reverie on all machines"
        )
    made = plan.make_all(lambda now: part(now.done, now.doing), what["making"])
    if any(each.recipe.stopped != recipe.stopped for each in made):
        return None
    return {"pictures": pickle.dumps(made)}


@dataclass(frozen=True)
class Wish:
    """Pictures that are wanted and made together.

    Attributes:
        name: for people. plan: gives their plan; it is asked once. weight: in what is left. making: as `Plan.make_all` takes it.
    """

    name: str
    plan: Callable[[], Plan]
    weight: float = 1.0
    making: int = 0


@dataclass(frozen=True)
class Elsewhere:
    """Who makes pictures in the place of this process.

    Attributes:
        engine: to be closed by whoever made it. own: networks of one's own among those that are used. places: files that may go in.
        max_pixels: as `Machinery` has it.
    """

    engine: Engine
    own: tuple[NamedNetwork, ...] = ()
    places: tuple[Path, ...] = ()
    max_pixels: int = MAX_PIXELS


def make_elsewhere(
    where: Elsewhere, wishes: Sequence[Wish], done: Callable[[int, list[MadePicture]], object], watcher: Watcher | None = None
) -> Outcome[int]:
    """Have pictures made by an engine, in any order, with the same bytes as in this process.

    Args:
        done: is handed the number of a wish and its pictures.

    Returns:
        what became of the wishes, by their numbers.

    Raises:
        UsageError: one of them has an objective of somebody's own. As `Engine.run`.
    """
    outcome: Outcome[int] = Outcome(0)
    tasks, inputs, machine = [], _Inputs(where.places), None
    for number, wish in enumerate(wishes):
        try:
            plan = wish.plan()
            inputs.take(plan)
        except ReverieError as error:
            outcome.faults.append((number, error))
            continue
        if plan.objective is not None or plan.score is not None:
            raise UsageError("an objective of one's own", f"it cannot travel: leave out {choice('on')}")
        notes = [*plan.notes, *Kept().put_all(plan.kept)]
        what = {"number": number, "recipe": plan.recipe.text(), "wanted": [*plan.wanted], "notes": notes, "making": wish.making}
        tasks.append(Task(wish.name, what, wish.weight))
        machine = plan.recipe.machine
    if machine is None:
        return outcome
    opening = OpenRecipes(where.own, inputs.found, machine.device, machine.precision, where.max_pixels)

    def put(task: Task, result: Result) -> None:
        done(task.what["number"], pickle.loads(result["pictures"]))

    found = where.engine.run(tasks, opening, put, watcher)
    outcome.finished, outcome.stopped = found.finished, found.stopped
    outcome.faults += [(task.what["number"], error) for task, error in found.faults]
    outcome.faults.sort(key=lambda each: each[0])
    return outcome


class _Inputs:
    """What goes into plans, by its hash."""

    def __init__(self, places: Iterable[Path]) -> None:
        self.found: dict[str, bytes] = {}
        self._places = {sha256_of(each): each for each in dict.fromkeys(places) if each.is_file()}

    def take(self, plan: Plan) -> None:
        """Those of a plan. InputError where one is no file, and is not kept either."""
        for used in plan.recipe.inputs:
            if isinstance(used, NoiseInput) or used.sha256 in self.found:
                continue
            self.found[used.sha256] = self._content(used.sha256, used.role, plan)

    def _content(self, digest: str, role: str, plan: Plan) -> bytes:
        for content in plan.kept:
            if sha256_of(content) == digest:
                return content if isinstance(content, bytes) else Path(content).read_bytes()
        place = self._places.get(digest) or Kept().find(digest)
        if place is None:
            raise InputError(f"the {role} cannot travel to workers: it is neither a file nor kept", f"leave out {choice('keep')}")
        return place.read_bytes()


# ── looks ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class OpenLooks:
    """Gets a worker ready to see pictures: the network is opened there by its name.

    Attributes:
        choices: as `see` takes them, the machine's among them.
    """

    named: NamedNetwork
    sha256: str
    choices: Mapping[str, Any]

    def __call__(self) -> Make:
        network = self.named.opened(self.choices["device"], self.choices["precision"], self.sha256)
        return partial(_look, self, network)


def _look(opened: OpenLooks, network: Network, task: Task, part: Part) -> Result | None:
    """What is seen in a task's picture: `sight`, pickled."""
    what = task.what
    with tempfile.TemporaryDirectory(prefix="reverie-inputs-") as folder:
        picture = what["picture"]
        if what["content"] is not None:
            place = Path(folder) / picture
            place.write_bytes(what["content"])
            picture = place
        plan = plan_see(picture, network=network, **opened.choices)
        *_, sight = plan.layers(lambda now: part(now.done, now.doing))
    return {"sight": pickle.dumps(sight)} if len(sight.layers) == sight.expected else None


def look_task(picture: str, number: int) -> Task:
    """A picture that shall be seen, as a task: its number among others, its name and its content."""
    if is_noise(picture):
        return Task(picture, {"number": number, "picture": picture, "content": None})
    place = expanded(picture)
    return Task(place.name, {"number": number, "picture": place.name, "content": place.read_bytes()})
