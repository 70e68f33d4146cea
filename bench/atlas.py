"""How fast an atlas is made: python -m bench.atlas [--only PART …] [--peers PYTHON]

Parts, each with its own options (--help): `units`, pictures of units made eight at a time and one at a time; `pass`, the data set looked at
by all blocks, on synthetic pictures; `ray`, the same tasks in this process and by workers on Ray of this machine; `driver`, what the driver
does with what comes back: made-up results of real sizes into the store. Each line says how busy the machine was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image

from reverie.api import NamedNetwork, engine_for, opening_for, plan_atlas
from reverie.api.atlases.planning import AtlasPlan
from reverie.api.atlases.unit_pictures import make_features
from reverie.atlases.examples.passing import Shown, layer_groups, look_at
from reverie.atlases.store import AtlasStore
from reverie.recipe import DEFAULT_NETWORK, Working
from reverie.render.noise import threads
from reverie.work import Task

LAYER, TOGETHER, SIZE = "blocks.4.1", 8, 128
LUCENT_STEPS = 512  # of a picture, by its default
PICTURE, FILES, FACTS = 9_000, 6, 700  # bytes of a picture, pictures of a unit, bytes of what is told of it, as measured
ROUNDS = 10_000  # made-up units between two lines


def say(text: str) -> None:
    print(f"{text}   [load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores]", flush=True)


@contextmanager
def timed(found: list[float]) -> Iterator[None]:
    began = time.monotonic()
    yield
    found.append(time.monotonic() - began)


def units(options: argparse.Namespace) -> None:
    """Pictures of units, eight at a time and one at a time, and what all units of all blocks would take."""
    plan = planned(options, LAYER, TOGETHER)
    channels = list(plan.layers[0].channels)
    rates = {}
    for name, chunks in (("eight at a time", [channels]), ("one at a time", [[each] for each in channels[: options.alone]])):
        made_in: list[float] = []
        for chunk in chunks:
            with timed(made_in), threads(plan.machine.threads):
                make_features(plan, {"layer": LAYER, "channels": chunk}, lambda *_: False)
        rates[name] = 60 * sum(map(len, chunks)) / sum(made_in)
        say(f"units of {LAYER}, {name}: {rates[name]:.2f} a minute ({2 + plan.facets} pictures each, {plan.machine.threads} threads)")
    every = plan_atlas(DEFAULT_NETWORK, classes="none")
    hours = every.units / rates["eight at a time"] / 60
    say(f"all {every.units:,} units of {len(every.layers)} blocks so: {hours:.1f} hours (lower layers take less, deeper ones more)")
    if options.peers:
        script = str(Path(__file__).with_name("peers.py"))
        command = [options.peers, script, "--threads", str(plan.machine.threads), "--repeats", "3", "--only", "torch-lucent"]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["torch-lucent"]
        pace = 60_000 / (told["ms"] * LUCENT_STEPS)
        say(f"torch-lucent {told['version']}: {told['ms']:.0f} ms a step at 224 px, {pace:.2f} pictures a minute of {LUCENT_STEPS} steps")


def look(options: argparse.Namespace) -> None:
    """The data set looked at by all blocks: pictures a second."""
    plan = planned(options, None, 1)
    names = [each.name for each in plan.layers]
    groups = layer_groups(plan.network, names)
    with tempfile.TemporaryDirectory() as folder:
        places = list(synthetic(Path(folder), options.pictures))
        shown = Shown(range(len(places)), places, [4] * len(places))
        spent: list[float] = []
        sizes: list[int] = []
        for group in groups:
            with timed(spent), threads(plan.machine.threads):
                found = look_at(plan.network, group, names[-1], shown)
            sizes.append(sum(map(len, found.files().values())) if found else 0)
    rate = len(places) / sum(spent)
    say(f"pass: {rate:.1f} pictures a second by all {len(names)} blocks ({len(groups)} passes, {len(places):,} pictures of 320×240)")
    say(f"what is handed back of these {len(places):,}: {sum(sizes) / 2**20:.1f} MB")
    say(f"100,000 pictures at that pace: {100_000 / rate / 3600:.1f} hours; peak memory {peak() / 2**20:.0f} MB")


def ray(options: argparse.Namespace) -> None:
    """The same tasks here and by workers: how long they take, and what Ray itself costs."""
    options.threads = 1
    plan = planned(options, LAYER, options.tasks)
    tasks = [
        Task(str(each), {"stage": "features", "layer": LAYER, "stem": "x", "channels": [each], "missing": [each]})
        for each in plan.layers[0].channels
    ]
    kept = chosen(options, LAYER, options.tasks)
    for words, working in (
        ("this process", Working()), ("Ray, 1 worker", Working(on="ray", workers=1)), ("Ray, 2 workers", Working(on="ray", workers=2)),
    ):  # fmt: skip
        with closing(engine_for(working, 1)) as engine:
            opening = opening_for(engine, plan, NamedNetwork(DEFAULT_NETWORK), kept)
            spent: list[float] = []
            for some in (tasks[:1], tasks[1:]):  # the first gets the workers ready
                with timed(spent):
                    engine.run(some, opening, lambda *_: None)
            say(f"{words}: first unit after {spent[0]:.1f} s, then {60 * (len(tasks) - 1) / spent[1]:.1f} units a minute (1 thread each)")


def driver(options: argparse.Namespace) -> None:
    """What the driver does: made-up results of real sizes, put into the store as those of workers are."""
    draw = np.random.default_rng(0)
    pictures = [draw.bytes(PICTURE) for _ in range(FILES)]
    facts = {"alive": True, "score": 1.0, "words": "x" * FACTS}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, AtlasStore(Path(folder)) as store:
        began = last = time.monotonic()
        for number in range(options.units):
            layer, channel = divmod(number, 1000)
            files = {f"layer{layer}/{channel}-{place}.webp": each for place, each in enumerate(pictures)} if options.files else {}
            store.put("unit", f"layer{layer}:{channel}", f"{number:064x}", facts, files)
            if (number + 1) % ROUNDS == 0:
                now = time.monotonic()
                say(f"{number + 1:,} units: {ROUNDS / (now - last):.0f} a second, memory {rss() / 2**20:.0f} MB")
                last = now
        spent = time.monotonic() - began
        index = sum(each.stat().st_size for each in (Path(folder) / ".atlas").glob("index.sqlite*"))
        say(f"driver: {options.units / spent:.0f} units a second with {len(pictures) if options.files else 0} files each")
        say(f"index: {index / 2**20:.1f} MB, {index / options.units:.0f} bytes a unit; memory {rss() / 2**20:.0f} MB")
        found: list[float] = []
        with timed(found):
            store.digest()
        say(f"manifest of {options.units:,} units: {found[0]:.1f} s, memory at most {peak() / 2**20:.0f} MB")


def chosen(options: argparse.Namespace, layer: str | None, sample: int) -> dict[str, Any]:
    found = {"layers": layer, "sample": sample, "classes": "none", "steps": options.steps, "size": SIZE, "threads": options.threads}
    return {**found, "facets": options.facets}


def planned(options: argparse.Namespace, layer: str | None, sample: int) -> AtlasPlan:
    return plan_atlas(DEFAULT_NETWORK, **chosen(options, layer, sample))


def synthetic(folder: Path, count: int) -> Iterator[Path]:
    """So many pictures of soft colours."""
    draw = np.random.default_rng(0)
    for number in range(count):
        small = draw.integers(0, 255, (12, 16, 3), np.uint8)
        place = folder / f"{number:06}.jpg"
        Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC).save(place, quality=85)
        yield place


def rss() -> int:
    return int(psutil.Process().memory_info().rss)


def peak() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {"units": units, "pass": look, "ray": ray, "driver": driver}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    parser.add_argument("--steps", type=int, default=48, metavar="N", help="of a picture")
    parser.add_argument("--facets", type=int, default=4, metavar="N", help="of a unit")
    parser.add_argument("--alone", type=int, default=2, metavar="N", help="units that are made one at a time")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), metavar="N")
    parser.add_argument("--pictures", type=int, default=2000, metavar="N", help="of the pass")
    parser.add_argument("--tasks", type=int, default=7, metavar="N", help="units for each engine")
    parser.add_argument("--units", type=int, default=10_000, metavar="N", help="made-up ones for the driver")
    parser.add_argument("--no-files", dest="files", action="store_false", help="the driver's index alone")
    parser.add_argument("--folder", default=None, help="where the driver writes; without it the usual place for such")
    parser.add_argument("--peers", default=None, metavar="PYTHON", help="the python of .venv-peers, for torch-lucent")
    options = parser.parse_args(arguments)
    for name in options.only:
        PARTS[name](options)


if __name__ == "__main__":
    main(sys.argv[1:])
