"""Several pictures: a list like any other, shown as a contact sheet; and short forms of all that holds pixels."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.recipes import PLAIN

from reverie.errors import UsageError
from reverie.files import Array, Decoded
from reverie.pictures import Picture, Pictures, contact_sheet, label_of, sheet
from reverie.recipe import Batch
from reverie.target import parse

SIZE = (48, 64)


def made(target: str = "blocks.4.1", colour: float = 0.5, kind: Any = "", index: int = 0, alive: bool = True) -> Picture:
    """A picture of one colour, made for a target; of a batch of this kind the one with this index."""
    batch = Batch(kind=kind, targets=(parse(target),) * (index + 1), index=index) if kind else None
    recipe = PLAIN.model_copy(update={"target": parse(target), "batch": batch, "seed": 0})
    return Picture(torch.full((3, *SIZE), colour), recipe=recipe, alive=alive)


# ── short forms ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_picture_says_its_size_and_what_made_it() -> None:
    assert repr(made()) == "Picture(64×48, 'blocks.4.1', seed 0)"
    assert repr(Picture(torch.rand(5, 360, 640))) == "Picture(640×360)"


def test_what_holds_arrays_shows_no_numbers() -> None:
    rgb = np.zeros((*SIZE, 3), np.uint8)
    assert repr(Decoded(rgb, None, None, "", b"content")) == "Decoded(64×48, uint8)"
    assert repr(Decoded(rgb.astype(np.uint16), rgb[..., 0], None, "", b"")) == "Decoded(64×48, uint16, with alpha)"
    assert repr(Array(np.zeros((*SIZE, 5), np.float32), 1, "", b"content")) == "Array(64×48, 5 channels, float32)"


# ── the list ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_a_list() -> None:
    first, second, third = (made(f"blocks.4.1:{number}") for number in range(3))
    several = Pictures([first, second])
    several.append(third)
    assert isinstance(several, list) and len(several) == 3 and list(several) == [first, second, third]
    assert several[0] is first and several[-1] is third and second in several and several.index(third) == 2
    assert type(several[1:]) is Pictures and several[1:] == [second, third] and several[::-1][0] is third
    several[0] = third
    del several[1]
    assert several == [third, third] and [*several, first] == [third, third, first]
    assert copy.copy(several) == several and type(copy.copy(several)) is Pictures
    assert len(pickle.loads(pickle.dumps(several))) == 2 and made() != made()
    with pytest.raises(IndexError):
        several[2]


def test_its_short_form() -> None:
    assert repr(Pictures()) == "Pictures(0)"
    assert repr(Pictures([made("class:banana"), made("blocks.4.1:7")])) == "Pictures(2: 'banana', 'blocks.4.1:7')"
    many = repr(Pictures([made()] * 1234))
    assert many.startswith("Pictures(1,234: 'blocks.4.1', ") and many.endswith(", …)") and len(many) < 120


def test_a_notebook_shows_the_sheet() -> None:
    pictures = [made("class:banana", 0.2), made("blocks.4.1:7", 0.8)]
    content = Pictures(pictures)._repr_png_()
    assert content is not None
    shown = np.asarray(Image.open(io.BytesIO(content)))
    assert np.array_equal(shown, np.asarray(sheet(pictures).image))
    assert Pictures()._repr_png_() is None  # and the short form is shown
    assert Pictures([Picture(torch.zeros(1, 16, 16))] * 1001)._repr_png_() is not None


# ── sheets ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("picture", "label"),
    [
        (made("class:banana"), "banana"), (made("blocks.4.1:12"), "blocks.4.1:12"), (Picture(torch.zeros(3, *SIZE)), ""),
        (made("class:banana + class:truck"), "class:banana + class:truck"), (made("class:banana", kind="diverse", index=2), "banana · 3"),
        (made("class:banana", kind="each", index=2), "banana"), (made("class:banana", kind="between", index=2), "banana"),
    ],
)  # fmt: skip
def test_labels_come_from_the_recipes(picture: Picture, label: str) -> None:
    assert label_of(picture) == label
    assert torch.equal(sheet([picture]).pixels, contact_sheet([picture.pixels], [label]))


def test_labels_that_are_given_count() -> None:
    pictures = [made(colour=0.2), made(colour=0.8)]
    page = sheet(pictures, ["one", "two"])
    assert torch.equal(page.pixels, contact_sheet([each.pixels for each in pictures], ["one", "two"]))
    assert page.recipe is None and page.pixels.shape[0] == 3 and page.pixels.min() >= 0 and page.pixels.max() <= 1
    assert torch.equal(sheet(iter(pictures), ["one", "two"]).pixels, page.pixels)


def test_a_unit_that_never_fired_has_an_empty_place() -> None:
    pictures = [made("blocks.4.1:1"), made("blocks.4.1:2", alive=False)]
    assert torch.equal(sheet(pictures).pixels, contact_sheet([pictures[0].pixels, None], ["blocks.4.1:1", "blocks.4.1:2"]))


def test_pictures_of_other_channels_are_shown_as_they_are_looked_at() -> None:
    grey, many = Picture(torch.rand(1, *SIZE)), Picture(torch.rand(5, *SIZE))
    assert torch.equal(sheet([grey, many]).pixels, contact_sheet([grey.colours, many.colours], ["", ""]))


@pytest.mark.parametrize(("count", "labels"), [(0, None), (1001, None), (2, ["one"]), (1, [])])
def test_what_cannot_be_a_sheet(count: int, labels: list[str] | None) -> None:
    with pytest.raises(UsageError):
        sheet([made()] * count, labels)
