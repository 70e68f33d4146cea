"""An atlas made: stage by stage, what is missing alone, the site written anew as it grows."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from reverie.api.atlases.choices import AtlasChoices
from reverie.api.atlases.maps_stage import seconds_of_maps
from reverie.api.atlases.planning import TOGETHER, AtlasPlan, plan_atlas
from reverie.api.atlases.workshop import STAGES, opening_for
from reverie.api.choices import documented
from reverie.api.elsewhere import NamedNetwork
from reverie.atlases.examples.passing import seconds_of_pass
from reverie.atlases.site import write_site
from reverie.atlases.store import HIDDEN, LISTING, AtlasStore, check_atlas_folder
from reverie.errors import InputError, OutputError, ReverieError, choice
from reverie.networks import Network
from reverie.networks.calibrating import label
from reverie.networks.read_once import reading_once
from reverie.pictures.torch_modes import ordinary_modes
from reverie.recipe import DEFAULT_NETWORK
from reverie.store import check_place, expanded, made_folder
from reverie.version import __version__
from reverie.work import Doing, Engine, Opening, Task, ThisProcess, locked

_PAGE, _PICTURE = 14_000, 9_000  # bytes, as measured
_AGAIN = 60.0  # seconds between two writings of the site while it grows

Watcher = Callable[[str, Doing], object]
"""Is told the stage and how far it is; a true answer stops."""


@dataclass(frozen=True)
class Atlas:
    """An atlas in a folder.

    Attributes:
        folder: it is whole, and can be moved or served.
        page: where to begin.
        units, classes: how many it shows.
        digest: of its manifest: the same where the same was made, on whichever engine.
        faults: tasks that failed, and why. unreadable: pictures of the data set that could not be read, and why.
        finished: whether all that was asked for is there.
    """

    folder: Path
    page: Path
    units: int
    classes: int
    digest: str
    faults: tuple[tuple[str, ReverieError], ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    finished: bool = False


@dataclass(frozen=True)
class AtlasEstimate:
    """What an atlas will take: its units, classes and pictures of the data set, seconds, bytes of memory, bytes of the site."""

    units: int
    classes: int
    pictures: int
    seconds: float
    memory: int
    result: int


@documented("atlas")
@ordinary_modes()
def atlas(
    network: Network | str | None = None,
    *,
    folder: str | Path = "atlas",
    engine: Engine | None = None,
    force: bool = False,
    progress: Watcher | None = None,
    **choices: Unpack[AtlasChoices],
) -> Atlas:
    """A site with a page for every unit of a network, in a folder; what is there already of the same is not made again.

    Args:
        network: open, or its name.
        folder: where it goes. It opens from disk, and can be served by any static host.
        engine: who makes it; without one this process.
        force: begin anew, and replace what an atlas made there.
        progress: is told the stage and how far it is; a true answer stops, and what is finished stays.

    Raises:
        UsageError: a layer, unit or class that is not there, or a value out of bounds. InputError: a data set that cannot be used.
        OutputError: the folder holds something else, an atlas of another network, or there is no room. ReverieError: what kept a unit from
            being made, once all others are.
    """
    place = expanded(folder)
    check_atlas_folder(place)
    plan = plan_atlas(network, **choices)
    chosen = engine or ThisProcess()
    named = None if isinstance(network, Network) else NamedNetwork(network or DEFAULT_NETWORK)
    made = make_atlas(plan, place, opening_for(chosen, plan, named, choices), chosen, progress, force)
    if made.faults and made.finished:
        raise made.faults[0][1]
    return made


def estimate_atlas(plan: AtlasPlan) -> AtlasEstimate:
    """What it will take of what is missing, by a small part of what each layer's units and a class take, some seconds each."""
    units, seconds, memory, result = 0, 0.0, 0, 0
    for layer in plan.layers:
        found = plan.features(layer.name, layer.channels[:TOGETHER])[0].estimate()
        count, together = len(layer.channels), min(TOGETHER, len(layer.channels))
        seconds += found.seconds / together * count * (2 + plan.facets)
        memory, units = max(memory, found.memory), units + count
        result += count * (_PAGE + (2 + plan.facets) * _PICTURE)
    if plan.classes:
        found = plan.class_pictures(plan.classes[:1])[0].estimate()
        seconds += found.seconds * len(plan.classes)
        memory = max(memory, found.memory)
        result += len(plan.classes) * (_PAGE + _PICTURE)
    if plan.data is not None:
        seconds += seconds_of_pass(plan.network, [each.name for each in plan.layers], len(plan.data))
        seconds += seconds_of_maps(plan)
        result += min(len(plan.data), units * 12) * _PICTURE
    return AtlasEstimate(units, len(plan.classes), 0 if plan.data is None else len(plan.data), seconds, memory, result)


def make_atlas(
    plan: AtlasPlan, folder: Path, opening: Opening, engine: Engine, watcher: Watcher | None = None, force: bool = False,
    written: Callable[[Path], object] = lambda _: None,
) -> Atlas:  # fmt: skip
    """Make what a plan says.

    Args:
        opening: gets a worker of the engine ready. written: is told the first page, each time that the site was written.
    """
    made_folder(folder)
    check_place(folder / "index.html")
    with locked(folder):
        if force:
            _begin_anew(folder)
        with AtlasStore(folder) as store, reading_once():
            _tell_about(plan, store)
            return _Making(plan, store, opening, engine, watcher, written).run()


class _Making:
    """A plan on its way."""

    def __init__(
        self, plan: AtlasPlan, store: AtlasStore, opening: Opening, engine: Engine, watcher: Watcher | None,
        written: Callable[[Path], object],
    ) -> None:  # fmt: skip
        self._plan, self._store, self._opening, self._engine, self._watcher, self._written = plan, store, opening, engine, watcher, written
        self._due = 0.0
        self._faults: list[tuple[str, ReverieError]] = []

    def run(self) -> Atlas:
        """All stages; the site is written between them, and at the end."""
        stopped = False
        page = self._write_site()
        for stage in STAGES:
            tasks = stage.tasks(self._plan, self._store)

            def done(task: Task, result: Any, stage: Any = stage) -> None:
                stage.done(self._plan, self._store, task, result)
                if time.monotonic() >= self._due:
                    self._write_site()

            def told(doing: Doing, stage: Any = stage) -> bool:
                return self._watcher is not None and bool(self._watcher(stage.name, doing))

            outcome = self._engine.run(tasks, self._opening, done, told)
            self._faults += [(task.name, error) for task, error in outcome.faults]
            stopped = outcome.stopped
            if stopped:
                break
            if not outcome.faults:
                stage.after(self._plan, self._store)
        page = self._write_site()
        units, classes = (sum(1 for _ in self._store.all(kind)) for kind in ("unit", "class"))
        unread = (self._store.facts("data", "set") or {}).get("faults", ())
        unreadable = tuple((str(path), str(why)) for path, why in unread) if self._plan.data is not None else ()
        return Atlas(self._store.folder, page, units, classes, self._store.digest(), tuple(self._faults), unreadable, not stopped)

    def _write_site(self) -> Path:
        page = write_site(self._store)
        self._due = time.monotonic() + _AGAIN
        self._written(page)
        return page


def _begin_anew(folder: Path) -> None:
    """Take away what an atlas made there, and nothing else: its index says what that is."""
    if not (folder / HIDDEN).is_dir():
        return
    try:
        with AtlasStore(folder) as store:
            for kind in {each[0] for each in store.manifest()}:
                store.forget(kind, ())
    except InputError:  # damaged: its files are replaced as they come
        pass
    shutil.rmtree(folder / HIDDEN, ignore_errors=True)


def _tell_about(plan: AtlasPlan, store: AtlasStore) -> None:
    """What the site says of the network; layers and classes of an earlier run stay.

    Raises:
        OutputError: the folder holds an atlas of another network.
    """
    net, before = plan.network, store.facts("about", "network") or {}
    if before and before["sha256"] != net.sha256:
        fault = f"'{store.folder}' holds an atlas of another network ({before['name']})"
        raise OutputError(fault, f"give {choice('force')} to begin anew, or another folder with {choice('output')}")
    order = [each.name for each in net.layers]
    layers = {each["name"]: each for each in before.get("layers", ())}
    for part in plan.layers:
        there = layers.get(part.name, {}).get("units", [])
        layer = part.layer
        layers[part.name] = {
            "name": layer.name, "stem": part.stem, "kind": layer.kind, "channels": layer.channels, "height": layer.height,
            "width": layer.width, "stride": layer.stride, "receptive_field": layer.receptive_field, "level": layer.level,
            "units": sorted({*there, *part.channels}),
        }  # fmt: skip
    indices = sorted({*(each["index"] for each in before.get("classes", ())), *plan.classes})
    about = {
        "name": net.name, "sha256": net.sha256, "size": list(net.size), "channels": net.channels, "all_classes": net.anatomy.classes,
        "layers": sorted(layers.values(), key=lambda each: order.index(each["name"])), "facets": plan.facets, "reverie": __version__,
        "classes": [{"index": each, "label": label(net, each)} for each in indices],
        "labels": [label(net, each) for each in range(net.anatomy.classes or 0)],
    }  # fmt: skip
    store.put("about", "network", net.sha256, about)
    store.write(LISTING, (json.dumps({"made": "atlas", "network": net.name, "sha256": net.sha256, "reverie": __version__}) + "\n").encode())
