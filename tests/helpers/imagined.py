"""What the tests of pictures from noise share: the shortest choices, and how pictures are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.helpers.known import recipe_of

import reverie
from reverie.pictures import Picture, quantise

TINY: dict[str, Any] = {"size": 32, "octaves": 1, "steps": 2}


def targets(pictures: list[Picture]) -> list[str]:
    return [str(recipe_of(each).target) for each in pictures]


def same(first: Picture, second: Picture) -> bool:
    return np.array_equal(quantise(first.pixels), quantise(second.pixels))


def assert_again(picture: Picture, **given: Any) -> None:
    """`redo` of its file gives the same file, byte for byte."""
    first = picture.save("first.png", force=True)
    again = reverie.redo(first, **given)
    assert again.notes[0].endswith("the same bytes")
    assert again.save("again.png", force=True).read_bytes() == first.read_bytes()
