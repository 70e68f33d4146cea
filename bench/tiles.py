"""What tiles cost and whether they show: python -m bench.tiles [--large]

Photographs are those of scikit-image and scikit-learn. `--large` adds 64 megapixels beside 2, and 10,000 × 10,000 pixels; it takes an hour.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

import reverie
from bench.photographs import photograph
from reverie.api import plan_dream
from reverie.ascent import IDENTITY, Differentiation, Transform
from reverie.canvas import Preconditioner, preconditioner
from reverie.networks import Network
from reverie.pictures import resize
from reverie.render import Inputs, scorers
from reverie.render.tiling import tiling_of

CPU = torch.device("cpu")
TILE, PHASE = 256, 32  # sides of tiles, and of the coarsest grid of the network
SIZE = (1021, 1331)  # odd, so that parity counts
PHOTOGRAPHS = ("astronaut", "chelsea")


def gradients(net: Network, level: str, photo: Tensor, halo: int | None) -> tuple[Tensor, Tensor, int]:
    """In one pass, by tiles, and the halo."""
    made = plan_dream(photo, level=level, network=net, tile=TILE, halo=halo, keep=False)
    assert made.recipe.tiles is not None
    transform = Transform(shifts=((13, -21),))
    whole = scorers(made.recipe.model_copy(update={"tiles": None}), [net], Inputs(photo[None]))[0]
    parts = scorers(made.recipe, [net], Inputs(photo[None]))[0]
    cut = tiling_of(made.recipe, net)
    assert cut is not None
    out = Differentiation(cut, CPU)(parts, photo[None], transform)[1]
    return Differentiation()(whole, photo[None], transform)[1], out, made.recipe.tiles.halo


def across(values: Tensor, step: int) -> tuple[float, float]:
    """Energy of the difference between neighbours in a dream (3, H, W): across the borders of tiles, and elsewhere.

    Elsewhere are places that lie alike in the grid of the network, which leaves a pattern of its own.
    """
    found: tuple[list[Tensor], list[Tensor]] = ([], [])
    for turned in (values, values.transpose(1, 2)):
        energy = (turned[:, :, 1:] - turned[:, :, :-1]).square().mean((0, 1))  # (W - 1,)
        for place in range(PHASE, turned.shape[2], PHASE):
            found[place % step != 0].append(energy[place - 1])
    return float(torch.stack(found[0]).mean()), float(torch.stack(found[1]).mean())


def exactness(net: Network) -> None:
    photos = [resize(photograph(name), *SIZE) for name in PHOTOGRAPHS]
    print(f"\ngradient of {len(photos)} photographs at {SIZE[1]}×{SIZE[0]} by tiles of {TILE}, against one pass; largest of them\n")
    print("| level | layer | halo | relative error | halo halved | energy across borders, tiles | the same places, one pass |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for level, layer in net.levels.items():
        errors, halved = [], []
        energies: dict[int | None, list[tuple[float, float]]] = {TILE: [], None: []}
        for photo in photos:
            whole, parts, halo = gradients(net, level, photo, None)
            errors.append(float((parts - whole).norm() / whole.norm()))
            whole, fewer, _ = gradients(net, level, photo, halo // 2)
            halved.append(float((fewer - whole).norm() / whole.norm()))
            for tile, found in energies.items():
                dream = plan_dream(photo, level=level, network=net, tile=tile, octaves=1, steps=4, jitter=0, keep=False).make()
                found.append(across(dream.pixels - photo, TILE))
        seams = [sum(each[0] for each in found) / sum(each[1] for each in found) for found in energies.values()]
        row = f"{halo} | {max(errors):.0e} | {max(halved):.0e} | {seams[0]:.3f} | {seams[1]:.3f}"
        print(f"| {level} | `{layer}` | {row} |", flush=True)


def preconditioning(net: Network) -> None:
    photo = resize(photograph("china"), 2402, 3601)[None]
    gradient = Differentiation()(lambda x, _: net.prepare(["blocks.4.1"])(x)["blocks.4.1"].square().mean()[None], photo, IDENTITY)[1]
    print("\ngradient of `blocks.4.1` at 3601×2402 divided by frequency in blocks, against one go\n")
    print("| power | relative error |\n| --- | --- |")
    for power in (0.7, 1.0, 1.3, 2.0):
        found = []
        for whole, block in ((1 << 40, 5120), (1, 2048)):
            preconditioner._AT_ONCE, preconditioner._BLOCK = whole, block
            found.append(Preconditioner(2402, 3601, power, 0.1, CPU)(gradient))
        print(f"| {power} | {float((found[1] - found[0]).norm() / found[0].norm()):.1e} |")
    preconditioner._AT_ONCE, preconditioner._BLOCK = 1 << 22, 5120


def stamping(at: list[float]) -> Callable[[object], None]:
    """Writes down when each step was made."""
    return lambda _: at.append(time.perf_counter())


def seconds_a_megapixel(net: Network, layer: str) -> None:
    """Of one step at full size, 2 megapixels in one pass beside 64 in tiles, in turn."""
    photo = photograph("china")
    print(f"\none step of `{layer}`, seconds a megapixel, in turn\n")
    print("| size | in | median | runs |\n| --- | --- | --- | --- |")
    times: dict[int, list[float]] = {1731: [], 9798: []}
    cut = {}
    for _ in range(2):
        for width in times:
            at: list[float] = []

            made = plan_dream(photo, layer, network=net, width=width, octaves=1, steps=8 if width < 2000 else 2, keep=False)
            made.make(stamping(at))
            pixels = made.recipe.width * made.recipe.height / 1e6
            times[width] += [(after - before) / pixels for before, after in pairwise(at)]
            cut[width] = "one pass" if made.recipe.tiles is None else f"tiles of {made.recipe.tiles.tile} + {made.recipe.tiles.halo}"
    for width, found in times.items():
        runs = f"{min(found):.3f}–{max(found):.3f}"
        print(f"| {width}×{round(width * photo.shape[1] / photo.shape[2])} | {cut[width]} | {statistics.median(found):.3f} | {runs} |")
    print(f"\nratio {statistics.median(times[9798]) / statistics.median(times[1731]):.2f}")


def memory() -> None:
    """The most anonymous memory of a process that dreams 10,000 × 10,000 pixels."""
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / "start.png"
        photo = photograph("china")
        side = min(photo.shape[1:])
        Image.fromarray((photo[:, :side, :side].permute(1, 2, 0) * 255).byte().numpy()).save(start)
        flags = [
            "--width",
            "10000",
            "--target",
            "blocks.4.1",
            "--tile",
            "1536",
            "--octaves",
            "2",
            "--steps",
            "2",
            "-o",
            f"{folder}/wall.png",
        ]
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "reverie", "dream", str(start), *flags])
        most = 0
        while process.poll() is None:
            found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
            most = max(most, int(found[1]) if found else 0)
            time.sleep(0.05)
        minutes = (time.perf_counter() - began) / 60
        what = f"RssAnon at most {most / 1e6:.2f} GB, {minutes:.0f} min, exit {process.returncode}"
        print(f"\n10,000×10,000 at `blocks.4.1`, tiles of 1536: {what}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--layer", default="blocks.4.1")
    given = parser.parse_args()
    net = reverie.load()
    if given.large:
        seconds_a_megapixel(net, given.layer)
        memory()
        return
    exactness(net)
    preconditioning(net)


if __name__ == "__main__":
    main()
