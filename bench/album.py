"""How fast a folder of pictures is indexed, and how fast they are found again: python -m bench.album [--count N]

The pictures are small and most carry recipes; they are made here, into a folder that goes afterwards, and the index is kept in it too.
"""

from __future__ import annotations

import argparse
import colorsys
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from reverie import files
from reverie.album import Album, Entry, recipe_at
from reverie.recipe import Named, Opinion, Recipe, resolve
from reverie.target import parse

SHOWN = Path(__file__).parents[1] / "docs" / "pictures"
SIZE = (144, 96)  # width and height in pixels
LAYERS = ("blocks.2.1", "blocks.3.2", "blocks.4.1", "blocks.4.2", "blocks.5.1")
CLASSES = ("banana", "goldfish", "daisy", "tiger", "lighthouse", "sunglasses")
JUDGES = {"efficientnet-lite1": "1" * 64, "efficientnet-lite2": "2" * 64}
ROUNDS = 20


def fill(folder: Path, count: int) -> None:
    """So many small pictures in folders of a thousand: pictures of the docs in other colours, three of four with a recipe of their own."""
    given = sorted(each for each in SHOWN.iterdir() if each.suffix in (".jpg", ".png", ".webp"))[:24]
    bases = []
    for each in given:
        with Image.open(each) as image:
            bases.append(np.asarray(image.convert("RGB").resize(SIZE)))
    plain = next(found for each in given if (found := recipe_at(each)) is not None and found.command == "dream")
    draw = Random(0)
    for number in range(count):
        place = folder / f"{number // 1000:02}"
        place.mkdir(exist_ok=True)
        light = np.array(colorsys.hsv_to_rgb(draw.random(), draw.random() * 0.5, 1.0))
        pixels = (bases[number % len(bases)] * light).astype(np.uint8)  # (H, W, 3)
        recipe = None if number % 4 == 3 else _another(plain, number, draw).text()
        (place / f"picture {number:05}.jpg").write_bytes(files.encode(pixels, suffix=".jpg", recipe=recipe))


def _another(recipe: Recipe, number: int, draw: Random) -> Recipe:
    """The recipe of another dream, or of a class picture on which two networks have an opinion."""
    if number % 3:
        return recipe.model_copy(update={"seed": number, "target": parse(draw.choice(LAYERS)), "width": SIZE[0], "height": SIZE[1]})
    label = draw.choice(CLASSES)
    top = (Named(index=1, label=label, probability=0.5),)
    said = tuple(
        Opinion(network=name, sha256=digest, rank=draw.randint(1, 9), probability=round(draw.random(), 4), labels=top)
        for name, digest in JUDGES.items()
    )
    request = resolve("imagine", {})
    groups = {name: request[type(getattr(recipe, name))] for name in ("canvas", "ascent", "transforms", "penalties", "finish")}
    other = {"command": "imagine", "target": parse(f"class:{label}"), "opinions": said, "seed": number, "width": SIZE[0], "height": SIZE[1]}
    return recipe.model_copy(update={**groups, **other})


def timed(work: Callable[[], object]) -> list[float]:
    """Milliseconds of each of some rounds."""
    found = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - begin))
    return found


def row(what: str, found: list[float]) -> str:
    return f"| {what} | {statistics.median(found):.1f} | {min(found):.1f}–{max(found):.1f} |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=10_000)
    count = options.parse_args().count
    with tempfile.TemporaryDirectory() as place:
        os.environ["REVERIE_CACHE"] = str(Path(place) / "cache")
        folder = Path(place) / "pictures"
        folder.mkdir()
        fill(folder, count)
        with Album(folder) as album:
            begin = time.perf_counter()
            assert len(album.update().added) == count
            seconds = time.perf_counter() - begin
            entries = album.entries()
            size = album.place.stat().st_size
        first = next(each for each in entries if each.recipe)
        print(
            f"{count:,} pictures of {SIZE[0]}×{SIZE[1]} indexed in {seconds:.1f} s: {count / seconds:.0f} a second; {size / 1e6:.0f} MB\n"
        )
        print("| with the index at hand | ms, median | runs |\n| --- | ---: | ---: |")
        print(row("opened, and one picture found by its hash", timed(lambda: opened(folder, first))))
        with Album(folder) as album:
            print(row("by its hash", timed(lambda: album.find(sha256=first.sha256))))
            print(row(f"by a class ({len(album.find(class_='banana')):,} pictures)", timed(lambda: album.find(class_="banana"))))
            print(row(f"by a layer ({len(album.find(layer=LAYERS[0])):,})", timed(lambda: album.find(layer=LAYERS[0]))))
            print(row(f"by a word ({len(album.find('seed 12')):,})", timed(lambda: album.find("seed 12"))))
            print(row("a thumbnail", timed(lambda: album.thumbnail(first.path))))
            print(row(f"all {count:,}", timed(album.entries)))
            print(row("brought up to date, where nothing has changed", timed(album.update)))
    print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def opened(folder: Path, entry: Entry) -> None:
    with Album(folder) as album:
        assert album.find(sha256=entry.sha256)[0].path == entry.path


if __name__ == "__main__":
    main()
