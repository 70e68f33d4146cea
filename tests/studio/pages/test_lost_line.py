"""The line to the studio is cut and comes back, in each view: it is said plainly, nothing is lost, and it goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.helpers.studio_pages import Page, asked, picture
from tests.studio.fake_server import Studio

BANNER = "document.querySelector('#banner')"
STILL = "document.querySelector('.plate').getAttribute('aria-busy') === 'false'"


def cut(page: Page) -> None:
    page.context.set_offline(True)
    page.until(f"!{BANNER}.hidden && {BANNER}.textContent.includes('comes back by itself')")


def restored(page: Page) -> None:
    page.context.set_offline(False)
    page.until(f"{BANNER}.hidden")


@pytest.mark.parametrize("view", ["", "make/imagine", "make/film", "pictures", "picture", "trash", "queue", "more"])
def test_a_view_that_is_opened_meanwhile_fills_when_the_line_is_back(opened: Callable[..., Page], studio: Studio, view: str) -> None:
    at = f"picture/{next(iter(studio.pictures))}" if view == "picture" else view
    page = opened("camera")
    cut(page)
    page.evaluate(f"() => {{ location.hash = '#/{at}'; }}")
    page.until("document.querySelector('main h1')")
    assert "Failed to fetch" not in page.text("main")
    restored(page)
    page.until("document.querySelector('main h1').textContent !== 'This cannot be shown'")
    if view == "":
        page.until(f"document.querySelector('canvas.dream').width && {STILL}")
    if view in ("pictures", "picture"):
        page.until("document.querySelector('main img').naturalWidth > 0")


def test_a_preview_that_was_under_way_is_begun_again(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(STILL)
    cut(page)
    page.locator(".levels input").press("Home")
    page.until(f"{STILL} && !document.querySelector('.levels input').disabled")
    assert page.text(".mark.here") == "Edges"
    before = len(asked(studio, "/api/previews"))
    restored(page)
    page.until(f"{STILL} && document.querySelectorAll('.labels li').length === 3")
    large = [each for each in asked(studio, "/api/previews")[before:] if each["side"] == 768]
    assert [each["choices"] for each in large] == [{"level": "edges"}]
    page.until("!document.querySelector('.undreamt')")  # the looks too


def test_an_end_that_was_told_meanwhile_does_not_leave_the_page_busy(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(STILL)
    real, studio.tell = studio.tell, lambda kind, data: None  # type: ignore[method-assign]
    with page.expect_response(lambda answer: answer.url.endswith("/api/previews")):
        page.locator(".levels input").press("Home")
    page.until("document.querySelector('.plate').getAttribute('aria-busy') === 'true'")
    studio.tell = real  # type: ignore[method-assign]
    cut(page)
    restored(page)
    page.until(STILL)


def test_a_picture_that_was_on_its_way_is_sent_again(opened: Callable[..., Page], studio: Studio, own: Path) -> None:
    page = opened()
    page.until(STILL)
    cut(page)
    page.set_input_files("input[type=file]", str(own))
    page.until("document.querySelector('.note').textContent.includes('being read')")
    assert "mine.png" not in [name for name, _ in studio.inputs.values()]
    restored(page)
    page.until("document.querySelector('.start').naturalWidth === 96 && document.querySelector('.note').hidden")
    assert "mine.png" in [name for name, _ in studio.inputs.values()]


def test_a_note_that_was_written_meanwhile_is_kept(opened: Callable[..., Page], studio: Studio) -> None:
    key = next(iter(studio.pictures))
    page = opened(f"picture/{key}")
    cut(page)
    page.get_by_label("Note", exact=True).fill("a fox in the cloud")
    page.until("document.querySelector('#toast.fault') && !document.querySelector('#toast').hidden")
    page.get_by_text("★").nth(2).click()
    page.until("document.querySelector('.stars input:checked').value === '0'")  # which could not be kept
    restored(page)
    page.until("document.querySelector('.noted').textContent.includes('Kept')")
    assert studio.pictures[key]["note"] == "a fox in the cloud"


def test_what_was_made_meanwhile_is_shown(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened("pictures")
    page.until("document.querySelectorAll('.shots li').length === 3")
    cut(page)
    page.get_by_label("Words").fill("x")
    page.until("document.querySelector('#toast.fault') && !document.querySelector('#toast').hidden")
    page.get_by_label("Words").fill("")
    studio.make("four", picture(4), {"command": "dream", "seed": 9})
    restored(page)
    page.until("document.querySelectorAll('.shots li').length === 4")
