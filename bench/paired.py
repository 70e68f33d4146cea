"""This version beside the one before, step by step in turn: python -m bench.paired --base TREE [--only bare …]; `make bench` has the tree.

Two processes wait for their turn, each makes a step and tells how long it took; the ratio is the median of the ratios of pairs. A busy or
slow moment of the machine falls on both of a pair alike, so that the ratio stands where medians of separate runs do not.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from bench.__main__ import coffee, ms
from bench.floor import processor
from bench.zoo import TEN
from reverie.waiting import WAITING

NOW = Path(__file__).resolve().parent.parent
STEPPER = Path(__file__).with_name("one_version.py")
CLASSES = "banana,goldfish,lighthouse,teapot,tiger,daisy,volcano,airliner"
LOOP = [sys.executable, "-c", "while True: pass"]


class Case(NamedTuple):
    """What is compared: what `one_version` is told, how many pairs, how many steps at a turn, the aim."""

    title: str
    told: tuple[str, str, int, int]
    pairs: int
    steps: int = 1
    aim: str = ""


STEPS = (
    Case("bare step, 640×360, up to `blocks.4.1`", ("bare", "blocks.4.1", 360, 640), 40, aim="≥ 1.3 ×"),
    Case("whole step, 640×360", ("dream", "blocks.4.1", 360, 640), 40, aim="≥ 1.3 ×"),
    Case("bare step, 32×32", ("bare", "blocks.4.1", 32, 32), 40, 10, "≥ 2 ×"),
    Case("bare step, one channel, 224×224", ("bare", "blocks.4.1:10", 224, 224), 40, 3, "≥ 1.4 ×"),
    Case("step of `feature`, one channel, 224×224", ("feature", "blocks.4.1:10", 224, 224), 40, 2),
    Case("step of `imagine`, eight classes together, 224×224", ("imagine", CLASSES, 224, 224), 15),
    Case("planning `feature` of 300 units", ("plan", "", 0, 0), 5),
)
Row = Sequence[str]


def environment(tree: Path, gives_way: bool) -> dict[str, str]:
    """Of a process that runs this tree's code; with threads that give way when they wait, or such as torch has them."""
    found = {key: value for key, value in os.environ.items() if key not in WAITING}
    paths = (tree / "src", tree, tree / "packages")  # the last: what the version before needs that we do not
    return found | {"PYTHONPATH": os.pathsep.join(map(str, paths))} | (WAITING if gives_way else {})


class Stepper:
    """A version that makes steps when it is told to."""

    def __init__(self, tree: Path, told: Sequence[object], gives_way: bool = True) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(STEPPER), *map(str, told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(tree, gives_way),
        )
        self._seconds()  # of those that warm up

    def tell(self, steps: int) -> None:
        assert self.process.stdin is not None
        print(steps, file=self.process.stdin, flush=True)

    def turn(self, steps: int) -> float:
        """Seconds a step."""
        self.tell(steps)
        return self._seconds() / steps

    def _seconds(self) -> float:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended with {self.process.wait()}")  # type: ignore[arg-type]
        return float(line)


@contextmanager
def running(*processes: subprocess.Popen[str]) -> Iterator[None]:
    """Until the end of the block."""
    try:
        yield
    finally:
        for each in processes:
            each.kill()
            each.wait()


def paired(ways: Sequence[Callable[[], float]], pairs: int) -> tuple[list[float], list[float]]:
    """Seconds of either way, in turn; who is first changes, as the second may find the caches or the clock otherwise."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs):
        for which in (0, 1) if number % 2 else (1, 0):
            times[which].append(ways[which]())
    return times


def ratio(times: tuple[list[float], list[float]]) -> float:
    return statistics.median(one / other for one, other in zip(*times, strict=True))


def in_turn(base: Path, case: Case) -> tuple[list[float], list[float]]:
    with ExitStack() as stack:
        both = []
        for tree in (base, NOW):
            both.append(Stepper(tree, case.told))
            stack.enter_context(running(both[-1].process))
        return paired([partial(each.turn, case.steps) for each in both], case.pairs)


def steps_rows(base: Path) -> Iterator[Row]:
    for case in STEPS:
        times = in_turn(base, case)
        yield case.title, ms(times[0]), ms(times[1]), f"**{ratio(times):.2f} ×**", case.aim


def zoo_rows(base: Path) -> Iterator[Row]:
    ratios = []
    for name in TEN:
        times = in_turn(base, Case(name, ("zoo", name, 0, 0), 12))
        ratios.append(ratio(times))
        yield f"`{name}`", ms(times[0]), ms(times[1]), f"**{ratios[-1]:.2f} ×**", "none slower"
    yield "mean of the ratios", "", "", f"**{statistics.mean(ratios):.2f} ×**", "≥ 1.15 ×"


def processes_rows(base: Path) -> Iterator[Row]:
    """Whole processes, cold start included, each version as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        start = coffee(Path(folder))

        def process(tree: Path, arguments: Sequence[str]) -> float:
            cache = {"REVERIE_CACHE": str(Path(folder) / tree.name)}
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], env=environment(tree, False) | cache, check=True, capture_output=True, cwd=folder)
            return time.perf_counter() - began

        dream = ("-m", "reverie", "dream", str(start), "-o", "a.png", "--octaves", "5", "--steps", "16", "--force", "--device", "cpu")
        for title, arguments, pairs in (
            ("`reverie dream`, 640×360, 5 octaves × 16 steps", dream, 5),
            ('`python -c "import reverie; reverie.load()"`', ("-c", "import reverie; reverie.load()"), 7),
        ):
            times = paired([partial(process, tree, arguments) for tree in (base, NOW)], pairs)
            yield title, seconds(times[0]), seconds(times[1]), f"**{ratio(times):.2f} ×**", ""


def seconds(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.2f} s ({min(times):.2f}–{max(times):.2f})"


def beside_rows(_base: Path) -> Iterator[Row]:
    """A bare step while others are at work, against the same while they are stopped."""
    told = STEPS[0].told
    cores = os.cpu_count() or 1

    def loops() -> list[subprocess.Popen[str]]:
        return [subprocess.Popen(LOOP, text=True) for _ in range(cores)]

    def steps(gives_way: bool) -> list[subprocess.Popen[str]]:
        other = Stepper(NOW, told, gives_way)
        other.tell(10**9)
        return [other.process]

    for title, gives_way, begin, aim in (
        ("a busy loop on every core", True, loops, "≤ 2.5 ×"),
        ("… threads waiting as torch comes", False, loops, ""),
        ("another process that makes the same steps", True, lambda: steps(True), "≤ 2.5 ×"),
        ("… the threads of both waiting as torch comes", False, lambda: steps(False), ""),
    ):
        one = Stepper(NOW, told, gives_way)
        with running(one.process):
            others = begin()
            with running(*others):
                times = paired([partial(turn_as, one, others, sign) for sign in (signal.SIGCONT, signal.SIGSTOP)], 6)
        yield title, ms(times[1]), ms(times[0]), f"**{ratio(times):.2f} ×**", aim


def turn_as(one: Stepper, others: Sequence[subprocess.Popen[str]], sign: signal.Signals) -> float:
    """Seconds a step while others go on or stand still."""
    for each in others:
        each.send_signal(sign)
    return one.turn(5)


TABLES: dict[str, tuple[Callable[[Path], Iterator[Row]], Row]] = {
    "steps": (steps_rows, ("lite0, float32", "before, ms", "now, ms", "ratio", "aim")),
    "zoo": (zoo_rows, ("up to a block two thirds of the way up, native size", "before, ms", "now, ms", "ratio", "aim")),
    "processes": (processes_rows, ("cold start included, as they come", "before", "now", "ratio", "aim")),
    "beside": (beside_rows, ("the bare step at 640×360 beside", "alone, ms", "beside, ms", "times as long", "aim")),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.paired")
    parser.add_argument("--base", type=Path, required=True, help="the tree of the version before")
    parser.add_argument("--only", nargs="*", choices=TABLES, default=TABLES, help="these tables")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # then too those at work are ended
    load = f", load before {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{platform.machine()}, {processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}{load}.")
    print(f"Before: {options.base.name}. Medians, the least and the most in brackets; ratios are medians of those of pairs.")
    for name in options.only:
        rows, head = TABLES[name]
        print(f"\n| {' | '.join(head)} |\n| --- | ---: | ---: | ---: | ---: |")
        for row in rows(options.base.resolve()):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
