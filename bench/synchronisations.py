"""How often a step makes the program wait for the device: `python -m bench.synchronisations`, on a pretended GPU, in a minute.

While it waits nothing is queued, and the device runs dry. A wait is a number or a copy fetched from the device (`read`), or a copy to it
that is not `non_blocking` (`write`): PyTorch waits for the device at the end of both. What lies before the first step and after the
last is not counted: the waits of a run of eight steps less those of a run of four, by four.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from tests.helpers.pretend_device import Log, Place, pretending

import reverie

SIDE = 64
FEW, MORE = 4, 8
LAYER, UNIT = "blocks.2.1", "blocks.2.1:12"
Make = Callable[[int], Any]  # so many steps → what was made


def cases(network: reverie.Network, folder: Path) -> dict[str, Make]:
    """What is counted, by name; each makes a picture, or several, of one octave."""
    start, mask = folder / "start.png", folder / "mask.png"
    reverie.dream("noise:pink", LAYER, network=network, size=SIDE, octaves=1, steps=1).save(start)
    white = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(white).ellipse((8, 8, SIDE - 8, SIDE - 8), fill=255)
    white.save(mask)
    common: dict[str, Any] = {"network": network, "octaves": 1, "progress": lambda state: float(state.score.mean()) < -1e9}

    def dream(target: str = LAYER, **choices: Any) -> Make:
        return lambda steps: reverie.dream(start, target, steps=steps, keep=False, **common, **choices)

    def feature(**choices: Any) -> Make:
        return lambda steps: reverie.feature(UNIT, steps=steps, size=SIDE, keep=False, **common, **choices)

    def imagine(**choices: Any) -> Make:
        return lambda steps: reverie.imagine(["banana", "tench", "daisy"], steps=steps, size=SIDE, **common, **choices)

    return {
        "dream": dream(),
        "dream, masked": dream(mask=mask),
        "dream, guided": dream(guide=start),
        "dream, caricature": dream(caricature=True),
        "dream, four tiles": dream("blocks.1.1", tile=32),
        "imagine three": imagine(),
        "feature, pixels": feature(),
        "feature, fourier": feature(canvas="fourier"),
        "feature, maco": feature(canvas="maco"),
        "see, a layer rebuilt": lambda steps: reverie.see(start, network=network, layers=[LAYER], steps=steps, width=SIDE),
    }


def waits(log: Log, make: Make) -> tuple[Counter[Place], Counter[Place]]:
    """Reads and writes of `MORE - FEW` steps."""
    found = []
    for steps in (FEW, MORE):
        log.reads.clear()
        log.writes.clear()
        make(steps)
        found.append((log.reads.copy(), log.writes.copy()))
    return found[1][0] - found[0][0], found[1][1] - found[0][1]


def main() -> None:
    print("| a step of | reads | writes | where |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, pretending() as log:
        network = reverie.load("efficientnet-lite0", device="cuda")
        for name, make in cases(network, Path(folder)).items():
            reads, writes = waits(log, make)
            where = ", ".join(f"{place.file}:{place.line} ({count / (MORE - FEW):g})" for place, count in (reads + writes).most_common(6))
            print(f"| {name} | {reads.total() / (MORE - FEW):g} | {writes.total() / (MORE - FEW):g} | {where} |", flush=True)


if __name__ == "__main__":
    main()
