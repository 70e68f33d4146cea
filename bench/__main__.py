"""How fast Reverie is here, in one table made in one run: python -m bench [--peers PYTHON] [--rounds 5]

What is compared is measured in turn, round by round, so that a busy moment of the machine falls on all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from skimage import data
from torch import Tensor

import reverie
from bench.floor import count_flops, processor, sgemm_rate
from reverie.api import plan_dream
from reverie.ascent import IDENTITY, ClimbSettings, Score, climb, kept_memory, octave_sizes
from reverie.networks import Network
from reverie.recipe import Ascent
from reverie.render import Inputs, generator, scorers

LAYER = "blocks.4.1"
Row = tuple[str, str, str]


def timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def often(way: Callable[[], object], times: int) -> list[float]:
    """Seconds of each of so many runs, after one that warms up."""
    way()
    return [timed(way) for _ in range(times)]


def score_of(net: Network, target: str, size: tuple[int, int]) -> Score:
    """What a dream of this target climbs."""
    made = plan_dream("noise:white", target, network=net, size=size, keep=False)
    return scorers(made.recipe, made.networks, Inputs(made.start.pixels[None]))[0]


def bare_step(net: Network, target: str, size: tuple[int, int]) -> Callable[[], Tensor]:
    """One forward and one gradient of a picture, as the ascent asks for it."""
    score = score_of(net, target, size)
    picture = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)).to(net.device)

    def step() -> Tensor:
        x = picture.detach().requires_grad_(True)
        return torch.autograd.grad(score(x, IDENTITY).sum(), x)[0]

    return step


def hooked_step(net: Network, size: tuple[int, int], *, frozen: bool) -> Callable[[], Tensor]:
    """What the usual tools do: a hook on the layer, the whole network run, its parameters frozen or not."""
    module: Any = net.module.to(net.device)
    scale, shift = torch.tensor(255 / 128, device=net.device), torch.tensor(-127 / 128, device=net.device)
    picture = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)).to(net.device)

    def step() -> Tensor:
        module.requires_grad_(not frozen)
        seen: list[Tensor] = []
        handle = module.get_submodule(LAYER).register_forward_hook(lambda _m, _i, output: seen.append(output))
        x = picture.detach().requires_grad_(True)
        module(torch.addcmul(shift, x, scale))
        handle.remove()
        loss = seen[0].square().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        assert frozen or all(each.grad is not None for each in module.conv_stem.parameters())
        module.zero_grad(set_to_none=True)
        module.requires_grad_(False)
        assert x.grad is not None
        return x.grad

    return step


def ascent_step(net: Network, target: str, size: tuple[int, int]) -> Callable[[], float]:
    """Seconds of a whole step from outside: (24 steps − 4 steps) / 20."""
    score = score_of(net, target, size)
    start = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)).to(net.device)

    def run(steps: int) -> float:
        settings = ClimbSettings(ascent=Ascent(octaves=1, steps=steps))
        sizes = octave_sizes(*size, settings.ascent)
        return timed(lambda: [None for _ in climb(start, score, settings, sizes, [generator(0, target)])])

    return lambda: (run(24) - run(4)) / 20


def feature_step(net: Network, target: str, count: int, **choices: Any) -> Callable[[], float]:
    """Seconds a picture of a step of `feature` with its own defaults, from outside: (24 steps − 4 steps) / 20 / pictures."""

    def run(steps: int) -> float:
        return timed(lambda: reverie.feature(target, network=net, octaves=1, steps=steps, batch=count, **choices))

    return lambda: (run(24) - run(4)) / 20 / count


_BETWEEN = """\
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, code]))
"""  # a process that is small: Linux counts what a parent held when it started a child as the child's


def process(arguments: Sequence[str], rounds: int) -> tuple[list[float], int]:
    """Wall-clock seconds of a whole process, cold start included, and the largest memory it took, in bytes."""
    times, most = [], 0
    for _ in range(rounds):
        command = [sys.executable, "-c", _BETWEEN, sys.executable, "-m", "reverie", *arguments]
        seconds, memory, code = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        if code:
            raise SystemExit(f"reverie {' '.join(arguments)} ended with {code}")
        times.append(seconds)
        most = max(most, memory * (1 if sys.platform == "darwin" else 1024))
    return times, most


def peers(python: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds a step of each peer, one run of each a round."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name in ("torch-dreams", "torch-lucent"):
            command = [
                python,
                str(Path(__file__).with_name("peers.py")),
                "--threads",
                str(torch.get_num_threads()),
                "--repeats",
                "1",
                "--only",
                name,
            ]
            answer = json.loads(
                subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}).stdout
            )[name]
            if "error" in answer:
                print(f"{name}: {answer['error']}", file=sys.stderr)
            else:
                times.setdefault(f"{name} {answer['version']}", []).append(answer["ms"] / 1000)
    return times


def ms(times: Sequence[float]) -> str:
    return f"{statistics.median(times) * 1e3:.1f} ({min(times) * 1e3:.1f}–{max(times) * 1e3:.1f})"


def ratio(times: Sequence[float], base: float) -> str:
    return f"{statistics.median(times) / base:.2f} ×"


def steps_table(net: Network, rounds: int) -> list[Row]:
    """640×360 up to blocks.4.1: our step, the usual hook, the arithmetic floor."""
    size = (360, 640)
    flop = sum(count_flops(net.module, torch.rand(1, 3, *size), LAYER))
    bare_way, whole_way = bare_step(net, LAYER, size), ascent_step(net, LAYER, size)
    times: dict[str, list[float]] = {name: [] for name in ("bare", "whole", "frozen", "unfrozen")}
    rates = []
    for _ in range(rounds):
        rates.append(sgemm_rate(torch.get_num_threads()))
        with kept_memory():  # as in every dream of ours
            times["bare"] += often(bare_way, 5)
            times["whole"].append(whole_way())
        hooks = subprocess.run([sys.executable, "-m", "bench", "--hooks"], capture_output=True, text=True, check=True).stdout
        for name, seconds in json.loads(hooks).items():
            times[name] += seconds
    floor = flop / statistics.median(rates)
    bare, whole = statistics.median(times["bare"]), statistics.median(times["whole"])
    return [
        (f"floor: {flop / 1e9:.2f} GFLOP at {statistics.median(rates) / 1e9:.0f} GFLOP/s", f"{floor * 1e3:.1f}", "1 ×"),
        ("our bare step: one forward, one gradient", ms(times["bare"]), f"{bare / floor:.2f} × the floor"),
        ("our whole step: with shift, smoothing, colours and tone", ms(times["whole"]), f"{whole / floor:.2f} × the floor"),
        ("a hook on the whole network, frozen", ms(times["frozen"]), f"{ratio(times['frozen'], whole)} our whole step"),
        (
            "a hook on the whole network, not frozen",
            ms(times["unfrozen"]),
            f"{ratio(times['unfrozen'], whole)} our whole step",
        ),
    ]


def peers_table(net: Network, python: str | None, rounds: int) -> list[Row]:
    """224 px, one channel: our step and the peers'."""
    step = ascent_step(net, f"{LAYER}:10", (224, 224))
    step()
    plain = {"rotate": 0.0, "scale": 1.0, "fade": 1.0, "noise": 0.0, "total_variation": 0.0}
    ways = {
        "`feature`: turned, scaled, faded, under noise, total variation": feature_step(net, f"{LAYER}:10", 1),
        "… without these: shifted alone": feature_step(net, f"{LAYER}:10", 1, **plain),
        "`feature`, sixteen channels together, a picture": feature_step(net, f"{LAYER}:0-15", 16),
    }
    ours, theirs = [], {}  # type: ignore[var-annotated]
    features: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        with kept_memory():
            ours.append(step())
        for name, way in ways.items():
            features[name].append(way())
        for name, times in (peers(python, 1) if python else {}).items():
            theirs.setdefault(name, []).extend(times)
    base = statistics.median(ours)
    rows = [("our whole step of a dream", ms(ours), "1 ×")]
    rows += [(name, ms(times), ratio(times, base)) for name, times in features.items()]
    return rows + [(name, ms(times), ratio(times, base)) for name, times in theirs.items()]


def coffee(folder: Path) -> Path:
    """A photograph of 640×360."""
    picture = Image.fromarray(data.coffee()).crop((0, 31, 600, 369)).resize((640, 360), Image.Resampling.BICUBIC)
    picture.save(folder / "coffee.png")
    return folder / "coffee.png"


def processes_table(rounds: int) -> list[Row]:
    """Whole processes, cold start included."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["REVERIE_CACHE"] = str(Path(folder) / "cache")
        start, result = coffee(Path(folder)), Path(folder) / "result.png"
        here = ["--device", "cpu"]
        dream, memory = process(["dream", str(start), "-o", str(result), "--octaves", "5", "--steps", "16", "--force", *here], rounds)
        recipe, _ = process(["recipe", str(result)], rounds)
        recognise, _ = process(["recognise", str(start), *here], rounds)
        show, _ = process(["--help"], rounds)
    return [
        ("reverie dream, 640×360, 5 octaves × 16 steps", f"{statistics.median(dream):.2f} s", f"at most {memory / 1e9:.2f} GB"),
        ("reverie recognise", f"{statistics.median(recognise):.2f} s", ""),
        ("reverie --help", f"{statistics.median(show):.2f} s", "no torch"),
        ("reverie recipe", f"{statistics.median(recipe):.2f} s", "no torch"),
    ]


def gpu_table(rounds: int) -> list[Row]:
    """1080p on a GPU: our step, and the floor at the rate of its matrix products in the precision that we use."""
    net = reverie.load(device="cuda")
    size = (1080, 1920)
    flop = sum(count_flops(reverie.load(device="cpu").module, torch.rand(1, 3, *size), LAYER))
    a = torch.rand(8192, 8192, device="cuda", dtype=net.dtype)
    a @ a
    rate = 2 * 8192**3 / min(timed(lambda: a @ a) for _ in range(10))
    bare = often(bare_step(net, LAYER, size), rounds * 3)
    hook = often(hooked_step(net, size, frozen=True), rounds)
    step = ascent_step(net, LAYER, size)
    step()
    whole = [step() for _ in range(rounds)]
    floor = flop / rate
    return [
        (
            f"floor: {flop / 1e9:.1f} GFLOP at {rate / 1e12:.0f} TFLOP/s, {str(net.dtype).removeprefix('torch.')}",
            f"{floor * 1e3:.2f}",
            "1 ×",
        ),
        ("our bare step", ms(bare), f"{statistics.median(bare) / floor:.1f} × the floor"),
        ("our whole step", ms(whole), f"{statistics.median(whole) / floor:.1f} × the floor"),
        ("a hook on the whole network, frozen, float32", ms(hook), f"{ratio(hook, statistics.median(whole))} our whole step"),
    ]


def show(title: str, head: Row, rows: list[Row]) -> None:
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n| --- | ---: | ---: |")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--peers", metavar="PYTHON", help="the interpreter of the environment with the peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--hooks", action="store_true", help="only the hooks, as JSON: in a process of their own, with memory as the system gives it"
    )
    options = parser.parse_args()
    if options.hooks:
        net = reverie.load(device="cpu")
        print(json.dumps({"frozen" if f else "unfrozen": often(hooked_step(net, (360, 640), frozen=f), 5) for f in (True, False)}))
        return
    load = f", load before {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{platform.machine()}, {processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {options.rounds} rounds{load}."
    )
    print("Medians; the least and the most in brackets.")
    net = reverie.load(device="cpu")
    head = ("lite0 up to `blocks.4.1`, 640×360, float32", "ms", "ratio")
    show("A step", head, steps_table(net, options.rounds))
    show(
        "One channel of blocks.4.1",
        ("224×224, each with its own defaults", "ms a step", "ratio"),
        peers_table(net, options.peers, options.rounds),
    )
    show("Whole processes", ("cold start included", "wall clock", ""), processes_table(options.rounds))
    if torch.cuda.is_available():
        show(f"On a GPU: {torch.cuda.get_device_name()}", ("1920×1080, up to `blocks.4.1`", "ms", "ratio"), gpu_table(options.rounds))


if __name__ == "__main__":
    main()
