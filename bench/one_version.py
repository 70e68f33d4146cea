"""One version of Reverie, in a process of its own, makes steps as it is told to: the other side of bench.paired, which starts it.

Of the version before it may only use what both have: `reverie` itself, and some functions of the version's own `bench`, which PYTHONPATH
leads to. It reads how many steps to make, a number a line, makes them, and prints their seconds.
"""

from __future__ import annotations

import sys
import time
from contextlib import redirect_stdout

import torch  # before `bench`, which would set for torch what here stands in the environment, or stands there for a reason not

import reverie
from reverie.ascent import kept_memory

WARM = 6  # steps before the first that counts: a tape is recorded and believed, freed memory is there
ENDLESS = 9999


class Turns:
    """Called after each step: waits for its turn where all of the last one are made, and ends with its input."""

    def __init__(self, warm: int = WARM) -> None:
        self._left, self._began = warm, time.perf_counter()

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            print(time.perf_counter() - self._began, file=sys.__stdout__, flush=True)
            line = sys.stdin.readline()
            if not line:
                sys.exit()
            self._left, self._began = int(line), time.perf_counter()


def main(kind: str, subject: str, height: int, width: int) -> None:
    size = (height, width)
    if kind == "zoo":
        from bench.zoo import block_of, built, opened, ours  # type: ignore[attr-defined]

        network = opened(subject, built(subject))
        step = ours(network, block_of(network), torch.rand(1, 3, *network.size, generator=torch.Generator().manual_seed(0)))
    else:
        network = reverie.load(device="cpu")
    turns = Turns(1 if kind == "plan" else WARM)
    if kind == "dream":
        reverie.dream("noise:white", subject, network=network, size=size, octaves=1, steps=ENDLESS, progress=turns)
    elif kind == "feature":
        reverie.feature(subject, network=network, size=size, octaves=1, steps=ENDLESS, progress=turns)
    elif kind == "imagine":
        reverie.imagine(subject.split(","), network=network, size=size, octaves=1, steps=ENDLESS, progress=turns)
    elif kind == "plan":
        from reverie.api import plan_feature

        units = [f"blocks.4.1:{channel}" for channel in range(50)] + [f"blocks.5.1:{channel}" for channel in range(100)]
        units += [f"blocks.6.0:{channel}" for channel in range(150)]
        while True:
            plan_feature(units, network=network)
            turns()
    else:
        if kind == "bare":
            from bench.__main__ import bare_step

            step = bare_step(network, subject, size)
        with kept_memory():
            while True:
                step()
                turns()


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):  # what builders of networks have to say
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
