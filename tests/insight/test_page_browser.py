"""The page of what a network saw, in a browser: for every reader, by keyboard alone, and without asking for anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.helpers.browsing import axe_faults, opened
from tests.helpers.browsing import browser as browser
from tests.helpers.sights import bare, rung, sight

from reverie.insight import Fidelity, Noticed


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page") / "seen.html"
    empty = replace(rung(5), noticed=(Noticed(7, -0.3, torch.zeros(16, 24), None),), fidelity=Fidelity(0.03, 0.94))
    place.write_text(sight(layers=(*(rung(number) for number in range(1, 5)), empty, bare(rung(6))), expected=8).page(), "utf-8")
    return place


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 380])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(browser: Any, file: Path, scheme: str, width: int) -> None:
    page, heard = opened(browser, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert axe_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert heard == [file.as_uri()]
    page.context.close()


def test_by_keyboard_alone_every_control_is_reached_and_the_walk_walks(browser: Any, file: Path) -> None:
    page, heard = opened(browser, file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0  # it comes into sight
    wanted = page.evaluate("[...document.querySelectorAll('a, button:not(:disabled), input')].length")
    reached = set()
    for _ in range(wanted + 2):
        here = page.evaluate(
            "(() => { const e = document.activeElement; e.dataset.seen ??= Math.random(); return [e.tagName, e.id, e.dataset.seen]; })()"
        )
        if here[0] == "BODY":
            break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", here
        reached.add(here[2])
        if here[1] == "layer":
            before = page.get_attribute("#stage", "src")
            page.keyboard.press("ArrowRight")
            assert page.get_attribute("#stage", "src") == page.get_attribute("#rebuilt-1", "src") != before
            assert "Layer 1 (blocks.1)" in page.inner_text("#title")
            assert "rebuilt from layer blocks.1" in page.get_attribute("#stage", "alt")
            wanted += 1  # the button back is not disabled any more
        if here[1] in ("across", "down"):
            before = page.inner_text("#summary")
            page.keyboard.press("End")
            assert page.inner_text("#summary") != before and f"100 % {here[1]}" in page.inner_text("#summary")
        page.keyboard.press("Tab")
    assert len(reached) >= wanted - 1
    assert heard == [file.as_uri()]
    page.context.close()


def test_a_place_says_what_was_unusual_there_and_for_what_it_spoke(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file)
    page.locator("#ladder button").nth(1).click()
    box = page.locator("#frame").bounding_box()

    def point(x: float, y: float) -> str:
        page.locator("#frame").scroll_into_view_if_needed()
        area = page.locator("#frame").bounding_box() or box
        page.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"])
        return str(page.inner_text("#summary"))

    corner = point(0.005, 0.005)
    assert "one value of layer 2 sees 25 × 25 pixels" in corner
    assert "Channel 7 stands 5.0 spreads above usual there." in corner and "The place spoke for Egyptian cat." in corner
    assert page.get_attribute("#feature img", "src") == page.get_attribute("#feature-2-0", "src")
    middle = point(0.5, 0.5)
    assert "None of the channels shown is unusual there. The place spoke for neither." in middle
    assert page.locator("#feature img").count() == 0
    assert "The place spoke for tabby." in point(0.995, 0.995)
    page.mouse.down()
    page.mouse.up()  # held: the place stays when the pointer moves on
    assert "spoke for tabby" in point(0.5, 0.5)
    page.context.close()


def test_without_javascript_the_layers_are_there_and_the_walk_is_not(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file, java_script_enabled=False)
    assert not page.locator("#walk").is_visible()
    assert page.locator("#layer-4 img").first.is_visible()
    page.context.close()
