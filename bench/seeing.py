"""How well a picture is rebuilt from a layer, and how long a page takes: `python -m bench.seeing`.

Eighteen photographs with one clear subject (`bench.photographs`), each rebuilt from single layers of EfficientNet-Lite 0 from the same
noise and in the same number of steps: on our canvas, and on plain pixels under total variation (Mahendran & Vedaldi 2015), whose weight
was chosen beforehand on other photographs. EfficientNet-Lite 1 and 2 say what they see in the result.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import torch
from PIL import Image
from skimage import data
from torch import Tensor

import reverie
from bench import photographs
from bench.floor import processor
from reverie.ascent import ClimbSettings, Size, climb, kept_memory
from reverie.insight import Fidelity, SeeRequest, noise_usual, seen_size
from reverie.insight.measures import fidelity, inversion, judged
from reverie.networks import Layer, Network
from reverie.objectives import rebuild
from reverie.pictures import Picture, load_bytes, resize
from reverie.recipe import Canvas
from reverie.recipe.running_requests import Machinery
from reverie.render import Plan, generator
from reverie.target import parse

LAYERS = ("blocks.0.0", "blocks.1.0", "blocks.1.1", "blocks.2.0", "blocks.2.1", "blocks.4.2", "blocks.6.0")
VARIATION = 0.1  # weight of total variation beside the relative error
EDGE = 1e-3  # differences well under it count as squares, so that there is a slope


@dataclass(frozen=True)
class Result:
    layer: str
    way: str
    found: Fidelity
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", nargs="*", default=LAYERS)
    parser.add_argument("--photographs", type=int, default=None, help="only so many of them")
    parser.add_argument("--no-page", action="store_true", help="leave out the whole page")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    net = reverie.load("efficientnet-lite0", device="cpu")
    results = list(rebuilt(net, list(options.layers), dict(list(photographs.benchmark_set().items())[: options.photographs])))
    print(f"\n{platform.machine()}, {processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, load before {load:.1f}.\n")
    table(results, list(options.layers))
    if not options.no_page:
        pages()


def rebuilt(net: Network, layers: list[str], pictures: dict[str, Tensor], variation: float = VARIATION) -> Iterator[Result]:
    """Every photograph from every layer, both ways, told as it goes."""
    facts = {each.name: each for each in net.layers}
    usual, machinery = noise_usual(net, layers[:1]), Machinery(keep=False)
    for name, pixels in pictures.items():
        picture = load_bytes(Picture(pixels).encode(".png"), name)
        request = SeeRequest(net, picture, tuple(layers), seen_size(picture, net), usual, machinery=machinery)
        small = resize(picture.pixels, *request.size)  # (3, H, W)
        asked = judged(small, net)
        for layer in layers:
            plan = inversion(request, facts[layer])
            seen = activations(net, layer, small)
            for way, make in ours_and_plain(variation):
                began = time.monotonic()
                made = make(plan, facts[layer], seen)
                seconds = time.monotonic() - began
                found = fidelity(made, seen, small, facts[layer], net, asked)
                told = ", ".join(f"{each.label} {each.probability:.2f}{'' if each.same else ' (another)'}" for each in found.opinions)
                print(f"{name:18} {layer} {way:7} error {found.relative_error:.4f}  {seconds:5.1f} s  {told}", flush=True)
                yield Result(layer, way, found, seconds)


def activations(net: Network, layer: str, pixels: Tensor) -> Tensor:
    """(3, H, W) → (C, h, w)."""
    with torch.no_grad():
        return net.prepare([layer])(pixels[None])[layer][0]


def ours_and_plain(variation: float) -> list[tuple[str, Callable[[Plan, Layer, Tensor], Picture]]]:
    return [("ours", lambda plan, layer, seen: plan.make()), ("plain", lambda plan, layer, seen: plain(plan, layer, seen, variation))]


def plain(plan: Plan, layer: Layer, seen: Tensor, variation: float) -> Picture:
    """The same start, steps and way of stepping, on pixels as they are, with total variation in the score."""
    prepared = plan.network.prepare([layer.name])
    judge = rebuild([parse(layer.name)], {layer.name: seen[None]})

    def score(pictures: Tensor, view: object = None) -> Tensor:
        across = pictures[..., :-1, 1:] - pictures[..., :-1, :-1]
        down = pictures[..., 1:, :-1] - pictures[..., :-1, :-1]
        rough = (across.square() + down.square()).sum(1).add(EDGE**2).sqrt().mean(dim=(1, 2))  # (N,)
        return judge(prepared(pictures)) - variation * rough

    settings = ClimbSettings(Canvas(canvas="pixels"), plan.recipe.ascent, plan.recipe.transforms, grown=True, matching=True)
    start = plan.start.pixels[None]
    with kept_memory():
        *_, last = climb(start, score, settings, [Size(*plan.start.size)], [generator(0, "plain")])
    return Picture(last.pictures[0].clamp(0, 1))


def table(results: list[Result], layers: list[str]) -> None:
    print("| layer | way | relative error, mean (worst) | similarity | same label, lite1 | lite2 | seconds |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for layer in layers:
        for way in ("ours", "plain"):
            some = [each for each in results if each.layer == layer and each.way == way]
            errors = [each.found.relative_error for each in some]
            same = [f"{mean(each.found.opinions[judge].same for each in some):.0%}" for judge in range(len(some[0].found.opinions))]
            alike = mean(each.found.similarity for each in some)
            words = "our canvas" if way == "ours" else "pixels and total variation"
            seconds = median(each.seconds for each in some)
            print(f"| `{layer}` | {words} | {mean(errors):.4f} ({max(errors):.3f}) | {alike:.2f} | {' | '.join(same)} | {seconds:.1f} |")


def pages() -> None:
    """`reverie see` of a photograph of 640 px, in a process of its own, twice: with nothing in the cache, and again."""
    print("\n| a page, 640×427, 16 layers | wall clock | size |\n| --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / "coffee.jpg"
        Image.fromarray(data.coffee()).resize((640, 427), Image.Resampling.LANCZOS).save(start, quality=92)
        for turn in ("the first time", "again"):
            began = time.monotonic()
            command = [sys.executable, "-m", "reverie", "see", str(start), "-o", str(Path(folder) / "page"), "--force", "--quiet"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "REVERIE_CACHE": str(Path(folder) / "cache")})
            seconds, size = time.monotonic() - began, (Path(folder) / "page" / "index.html").stat().st_size
            print(f"| {turn} | {seconds:.0f} s | {size / 1e6:.1f} MB |", flush=True)


if __name__ == "__main__":
    main()
