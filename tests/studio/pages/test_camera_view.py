"""The camera: frames go out, one at a time, and come back dreamt. Chromium's own test camera stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.helpers.browsing import launched
from tests.helpers.studio_pages import Page, asked, picture
from tests.studio.fake_server import Studio


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream") as opened:
        yield opened


def test_frames_come_back_dreamt_until_it_is_left(browser: Any, studio: Studio, address: str) -> None:
    page = Page(browser.new_context(permissions=["camera"]).new_page(), address)
    page.go("camera")
    page.get_by_role("button", name="Start the camera").click()
    page.until("Number(document.querySelector('canvas.dream').dataset.frames) > 3")
    assert asked(studio, "/api/camera") == [{"choices": {"level": "objects"}}]
    assert page.locator(".labels .label").first.inner_text() == "tabby"
    assert "blocks.4.1:12" in page.text(".sees > .soft")
    page.locator(".levels input").press("Home")
    page.until("document.querySelector('.mark.here').textContent === 'Edges'")
    for _ in range(200):
        if len(asked(studio, "/api/camera")) == 2:
            break
        page.wait_for_timeout(25)
    assert asked(studio, "/api/camera")[1:] == [{"choices": {"level": "edges"}}]
    with page.expect_download() as film:
        page.get_by_role("button", name="Keep a film of it").click()
        page.until("document.querySelector('.hand').textContent.includes('End the film')")
        seen = int(page.evaluate("Number(document.querySelector('canvas.dream').dataset.frames)"))
        page.until(f"Number(document.querySelector('canvas.dream').dataset.frames) > {seen + 5}")
        page.get_by_role("button", name="End the film").click()
    assert film.value.suggested_filename.startswith("reverie-camera.")
    page.get_by_role("button", name="Dream on this moment").click()
    page.until("document.querySelector('.start').naturalWidth > 100 && !document.querySelector('video')")
    assert "camera.jpg" in [name for name, _ in studio.inputs.values()]
    page.context.close()
    assert page.heard == []


def test_an_exhibition_shows_what_was_dreamt_before_and_nothing_else(browser: Any, studio: Studio, address: str) -> None:
    studio.make("film.mp4", picture(8), kind="film")
    studio.make("torn", picture(8), faulty=True)
    studio.make("page", picture(8), kind="page")
    page = Page(browser.new_context().new_page(), address)
    page.go("camera")
    page.evaluate(
        """async () => {
        const { exhibition } = await import('/static/camera/exhibition.js');
        window.show = exhibition(40); // milliseconds a picture
        document.body.append(show.element);
        window.shown = new Set();
        const look = () => document.querySelectorAll('body > .show img').forEach((each) => shown.add(each.src.split('/').at(-2)));
        new MutationObserver(look).observe(show.element, { childList: true });
        await show.start();
    }"""
    )
    page.until("shown.size === 3 && document.querySelectorAll('body > .show img').length <= 2")
    page.evaluate("show.stop()")
    assert page.evaluate("show.element.hidden && !show.element.children.length")
    names = {studio.pictures[key]["name"] for key in page.evaluate("[...shown]")}
    assert names == {"one", "two", "three"}
    page.context.close()


def test_a_camera_that_is_refused_is_told(browser: Any, address: str) -> None:
    page = Page(browser.new_context().new_page(), address)
    page.go("camera")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); }; }")
    page.get_by_role("button", name="Start the camera").click()
    page.until("document.querySelector('.note').textContent.includes('allow it')")
    page.context.close()
