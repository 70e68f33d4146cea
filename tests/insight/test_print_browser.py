"""The page and the handout of what a network saw, printed: no layer over two sheets, and the handout on one, in A4 and Letter."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.browsing import axe_faults, opened
from tests.helpers.browsing import browser as browser
from tests.helpers.sights import bare, noisy, rung, sight

from reverie.insight import Rung, Sight
from reverie.networks import Label

LONG = "sulphur-crested cockatoo of the far mountains"
SHAPES = pytest.mark.parametrize(("height", "width"), [(64, 96), (96, 64), (80, 80), (40, 160), (160, 40)])
PAPER = pytest.mark.parametrize("paper", ["A4", "Letter"])


def of_shape(height: int, width: int, count: int) -> Sight:
    """With every part on every layer, and long names."""
    rungs = [rung(number) for number in range(1, count + 1)]
    shaped = [replace(each, rebuilt=noisy(3, height, width), enhanced=noisy(3, height, width), noticed=each.noticed * 2) for each in rungs]
    labels = tuple(Label(number, f"{LONG} {number}", 0.5 / 2**number) for number in range(5))
    return sight(
        layers=tuple(shaped), expected=count, picture=noisy(3, height, width), seen=(height, width), labels=labels, why=f"{LONG} 0",
        against=f"{LONG} 1",
    )  # fmt: skip


def sheets(browser: Any, page: str, place: Path, paper: str) -> int:
    """How many it is printed on."""
    place.write_text(page, "utf-8")
    shown, _ = opened(browser, place)
    printed = shown.pdf(format=paper)
    shown.context.close()
    return len(re.findall(rb"/Type\s*/Page\b", printed))


@PAPER
@SHAPES
def test_each_layer_is_printed_on_a_sheet_of_its_own(browser: Any, tmp_path: Path, height: int, width: int, paper: str) -> None:
    seen = of_shape(height, width, 3)
    assert sheets(browser, seen.page(), tmp_path / "page.html", paper) == 2 + 3  # the picture and its labels, how to read this
    if (height, width) == (64, 96):
        assert sheets(browser, replace(seen, layers=(bare(seen.layers[0]),)).page(), tmp_path / "page.html", paper) == 2 + 1


@PAPER
@SHAPES
@pytest.mark.parametrize(("count", "with_levels"), [(6, True), (6, False), (5, True), (4, True), (3, True), (2, True), (1, True)])
def test_the_handout_is_one_sheet(browser: Any, tmp_path: Path, height: int, width: int, paper: str, count: int, with_levels: bool) -> None:
    seen = of_shape(height, width, count)
    levels = ("edges", "textures", "patterns", "parts", "objects", "scenes")
    layers: list[Rung] = [
        replace(each, layer=each.layer._replace(level=level if with_levels else None))
        for each, level in zip(seen.layers, levels, strict=False)
    ]
    assert sheets(browser, replace(seen, layers=tuple(layers)).handout(), tmp_path / "handout.html", paper) == 1


def test_the_handout_is_for_everyone_and_what_the_teacher_reads_is_not_printed(browser: Any, tmp_path: Path) -> None:
    place = tmp_path / "handout.html"
    place.write_text(of_shape(64, 96, 6).handout(), "utf-8")
    for width in (1280, 380):
        for scheme in ("light", "dark"):
            page, heard = opened(browser, place, viewport={"width": width, "height": 800}, color_scheme=scheme)
            assert axe_faults(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width and heard == [place.as_uri()]
            assert page.locator("#print").is_visible() and page.locator("#teacher").is_visible()
            page.emulate_media(media="print")
            assert not page.locator("#print").is_visible() and not page.locator("#teacher").is_visible()
            page.context.close()


def test_a_picture_of_few_pixels_is_enlarged_as_it_is(browser: Any, tmp_path: Path) -> None:
    small, large = sight(1), sight(1, seen=(224, 336), picture=noisy(3, 224, 336))
    for seen, wanted in ((small, "pixelated"), (large, "auto")):
        place = tmp_path / "page.html"
        place.write_text(seen.page(), "utf-8")
        page, _ = opened(browser, place)
        places = ("#photograph", "#rebuilt-1", "#layer-1 .thumb use", "#layer-1 .heat use")
        found = [page.evaluate("place => getComputedStyle(document.querySelector(place)).imageRendering", each) for each in places]
        assert found == [wanted] * 4
        page.context.close()
