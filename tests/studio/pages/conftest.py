"""A studio whose network is a fake, with pictures in it, and its page in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.browsing import browser as browser
from tests.helpers.studio_pages import Page, picture
from tests.studio.fake_server import Studio, running


@pytest.fixture
def studio() -> Studio:
    made = Studio()
    for number, name in enumerate(("one", "two", "three")):
        made.make(name, picture(number), {"command": "dream", "ascent": {"steps": 16 + number}, "seed": 7})
    return made


@pytest.fixture
def address(studio: Studio) -> Iterator[str]:
    with running(studio) as at:
        yield at


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A picture of the user's."""
    picture(9).save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Callable[..., Page]]:
    """Opens a view in a browser of its own; what it asked for elsewhere, or did wrong, fails the test at the end."""
    contexts, pages = [], []

    def open_(view: str = "", **options: Any) -> Page:
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options)))
        pages.append(Page(contexts[-1].new_page(), address))
        pages[-1].go(view)
        return pages[-1]

    yield open_
    for each in contexts:
        each.close()
    assert [each.heard for each in pages if each.heard] == []
