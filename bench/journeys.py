"""Do journeys drift? Light, contrast and detail over a thousand frames, beside those of the first second, and whether loops close.

python -m bench.journeys [--frames 1000] [--size 192x144] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from bench.floor import processor
from reverie.api import plan_journey
from reverie.motion.journey_frames import Traveller
from reverie.motion.journey_plan import JourneyPlan
from reverie.pictures import quantise
from reverie.pictures.geometry import light
from reverie.render import threads as using

FPS = 25


class Run(NamedTuple):
    start: str
    level: str
    motion: str
    held: bool = True


RUNS = (
    Run("noise:pink", "objects", "zoom"),
    Run("noise:pink", "parts", "spiral"),
    Run("noise:pink", "patterns", "drift"),
    Run("a photograph", "objects", "wander"),
    Run("noise:pink", "objects", "zoom", held=False),
)


class Loose(Traveller):
    """A journey on which nothing is held but what each dream holds itself."""

    def _held(self, picture: Tensor) -> Tensor:
        return picture.clamp(0, 1)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--frames", type=int, default=1000)
    asked.add_argument("--size", default="192x144")
    asked.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked.add_argument("--runs", type=int, nargs="*", help="only these, counted from 0")
    given = asked.parse_args()
    width, height = (int(each) for each in given.size.split("x"))
    print(f"{given.frames} frames of {width}×{height}, {FPS} a second, {given.threads} threads, torch {torch.__version__}, {processor()}\n")
    print("Least and most of any second beside the first second, in percent.\n")
    print("| start | level | motion | held | light | contrast | detail | s a frame |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for number, run in enumerate(RUNS):
        if given.runs is None or number in given.runs:
            setting = set_out(run, given.frames, (height, width), given.threads)
            seconds, figures = drift(setting, run.held)
            spans = [f"{100 * each.min() - 100:+.1f} … {100 * each.max() - 100:+.1f}" for each in figures.T]
            print(
                f"| {run.start} | {run.level} | {run.motion} | {'yes' if run.held else 'no'} | {' | '.join(spans)} | {seconds:.2f} |",
                flush=True,
            )
    if given.runs is None:
        loops((height, width), given.threads)


def set_out(run: Run, frames: int, size: tuple[int, int], threads: int, **choices: Any) -> JourneyPlan:
    if run.start.startswith("noise:"):
        start: Any = run.start
        choices["size"] = size
    else:
        from skimage import data

        start = torch.from_numpy(data.chelsea().copy()).permute(2, 0, 1) / 255  # (3, 300, 451)
        choices["width"] = size[1]
    return plan_journey(
        start, level=run.level, motion=run.motion, frames=frames, fps=FPS, threads=threads, keep=False, **choices
    )  # fmt: skip


def travelled(setting: JourneyPlan, held: bool = True) -> tuple[float, Traveller, list[np.ndarray[Any, Any]]]:
    """Seconds a frame, and every unit, as it would be on disk: (H, W, 3) uint8."""
    with using(setting.recipe.machine.threads):
        traveller = (Traveller if held else Loose)(setting.recipe, setting.networks, setting.start)
        made: list[np.ndarray[Any, Any]] = []
        began = time.monotonic()
        for number in range(traveller.units):
            made.append(quantise(traveller.make(number, lambda each: as_float(made[each]))))
            if sys.stderr.isatty():
                print(f"\r{number + 1}/{traveller.units}", end="", file=sys.stderr, flush=True)
    return (time.monotonic() - began) / traveller.units, traveller, made


def drift(setting: JourneyPlan, held: bool) -> tuple[float, np.ndarray[Any, Any]]:
    """Seconds a frame; light, contrast and detail of each second beside those of the first: (seconds, 3)."""
    pace, _, made = travelled(setting, held)
    each = np.array([figures(as_float(frame)) for frame in made])  # (frames, 3)
    whole = len(each) // FPS * FPS
    by_second = each[:whole].reshape(-1, FPS, 3).mean(1)
    return pace, by_second / by_second[0]


def figures(picture: Tensor) -> tuple[float, float, float]:
    """Mean of the light, its standard deviation, and the mean square of its Laplacian."""
    shown = light(picture)
    laplacian = 4 * shown[1:-1, 1:-1] - shown[:-2, 1:-1] - shown[2:, 1:-1] - shown[1:-1, :-2] - shown[1:-1, 2:]
    return float(shown.mean()), float(shown.std()), float(laplacian.square().mean())


def as_float(frame: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(frame).permute(2, 0, 1).float() / 255


def loops(size: tuple[int, int], threads: int) -> None:
    print("\nLoops of 150 frames: the step from the last frame to the first beside those between neighbours (root mean square).\n")
    print("| motion | last to first | median | most |\n| --- | --- | --- | --- |")
    for motion in ("zoom", "sway", "drift"):
        _, traveller, made = travelled(set_out(Run("noise:pink", "objects", motion), 150, size, threads, loop=True))
        shown = [as_float(made[number]) for number, _ in traveller.shown(len(made), lambda each: as_float(made[each]))]  # noqa: B023
        steps = [float((one - other).square().mean().sqrt()) for one, other in zip(shown, [*shown[1:], shown[0]], strict=True)]
        print(f"| {motion} | {steps[-1]:.4f} | {statistics.median(steps[:-1]):.4f} | {max(steps[:-1]):.4f} |", flush=True)


if __name__ == "__main__":
    main()
