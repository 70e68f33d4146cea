"""What the tests of galleries share: a folder of a few small pictures, made by Reverie or not."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

from tests.helpers.commands import carrying, saved
from tests.helpers.recipes import DIGEST, PLAIN

from reverie.album import Album
from reverie.album.grid_listing import Listing
from reverie.judging.galleries import GalleryFolder
from reverie.recipe import Named, Opinion, Recipe, digest, sheet_mark
from reverie.target import parse

JUDGE = "efficientnet-lite1"
SCORE = f"probability of its class, by {JUDGE}"
ODD = "a#b?ä%20 'x'.png"


def judged(label: str, probability: float, seed: int = 0) -> Recipe:
    """A class picture of which another network has an opinion."""
    said = Opinion(network=JUDGE, sha256=DIGEST, rank=2, probability=probability, labels=(Named(index=3, label="tench", probability=0.5),))
    return PLAIN.model_copy(update={"command": "imagine", "target": parse(f"class:{label}"), "opinions": (said,), "seed": seed})


def filled(place: Path) -> Path:
    """A folder with seven pictures: two dreams that differ in their seed, two class pictures, a sheet, a photograph below, a broken one."""
    (place / "below").mkdir(parents=True)
    carrying(place / ODD, PLAIN.text())
    carrying(place / "dream.png", PLAIN.model_copy(update={"seed": 8}).text())
    carrying(place / "banana.png", judged("banana", 0.25).text())
    carrying(place / "daisy.jpg", judged("daisy", 0.75, 4).text())
    carrying(place / "sheet.png", sheet_mark([PLAIN]))
    saved(place / "below" / "photo.jpg", 60, 90)
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (place / "notes.txt").write_text("no picture")
    for number, each in enumerate(sorted(each for each in place.rglob("*") if each.is_file())):
        os.utime(each, (1_700_000_000 + 86_400 * number,) * 2)
    return place


def made(place: Path, folder: Path, force: bool = False) -> GalleryFolder:
    """A gallery of a folder."""
    gallery = GalleryFolder(place, folder)
    gallery.ready(force)
    with Album(folder) as album:
        gallery.write(album)
    return gallery


def gridded(place: Path, axes: dict[str, tuple[str, ...]], never: tuple[str, ...] = ()) -> Path:
    """The folder of a grid over these words, as `reverie grid` leaves it but for its page.

    Args:
        never: names of files of pictures that never fired, so that there are none.
    """
    place.mkdir(parents=True)
    pictures: dict[str, str] = {}
    for number, words in enumerate(product(*axes.values())):
        recipe, name = PLAIN.model_copy(update={"seed": number}), "-".join(words) + ".png"
        pictures[name] = digest(recipe)
        if name not in never:
            carrying(place / name, recipe.text())
    carrying(place / "sheet.png", sheet_mark([PLAIN]))
    fired = tuple(pictures[name] for name in never)
    listing = Listing("dream", tuple(axes.items()), {}, (), pictures, ("sheet.png",), fired)
    (place / "grid.json").write_text(listing.text(), "utf-8")
    return place
