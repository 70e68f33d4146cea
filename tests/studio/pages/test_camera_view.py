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
    page.until("document.querySelectorAll('.strongest .excited[data-made]').length === 4")
    assert [each.splitlines()[-2:] for each in page.locator(".strongest li").all_inner_texts()] == [
        [f"blocks.4.1:{12 - at}", f"{3 - at / 2:.1f} above usual"] for at in range(4)
    ]
    wanted = [each["subjects"] for each in asked(studio, "/api/previews")]
    assert sorted(wanted) == [["blocks.4.1:10"], ["blocks.4.1:11"], ["blocks.4.1:12"], ["blocks.4.1:9"]]  # each once
    page.locator(".levels input").press("Home")
    page.until("document.querySelector('.mark.here').textContent === 'Edges'")
    for _ in range(200):
        if len(asked(studio, "/api/camera")) == 2:
            break
        page.wait_for_timeout(25)
    assert asked(studio, "/api/camera")[1:] == [{"choices": {"level": "edges"}}]
    page.keyboard.press("Tab")  # from the slider, where keys belong to it
    page.locator(".plate").focus()
    page.keyboard.press("r")
    page.until("document.querySelector('.hand').textContent.includes('End the film') && document.querySelector('.plate.filming')")
    page.keyboard.press("r")
    page.until("document.querySelector('#toast').textContent.includes('among the pictures') && !document.querySelector('.plate.filming')")
    assert [each["film"] for each in asked(studio, "/api/camera") if "film" in each] == [True, False]
    assert page.locator("#toast a").get_attribute("href") == "#/picture/" + next(
        key for key, each in studio.pictures.items() if each["name"] == "camera.mp4"
    )
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


def test_nobody_there_for_a_minute_brings_the_show_and_a_movement_ends_it(browser: Any, studio: Studio, address: str) -> None:
    page = Page(browser.new_context(permissions=["camera"]).new_page(), address)
    page.go("camera")
    page.evaluate(
        """async () => {
        const { clock } = await import('/static/core/clock.js');
        window.later = 0;
        clock.now = () => performance.now() + window.later;
    }"""
    )
    page.get_by_role("button", name="Start the camera").click()
    page.until("document.querySelector('canvas.dream').dataset.frames > 2 && document.activeElement.className === 'plate'")
    page.evaluate("window.later += 61000")
    frames = "Number(document.querySelector('canvas.dream').dataset.frames)"
    before = int(page.evaluate(frames))
    page.until(f"{frames} > {before + 3}")
    assert page.evaluate("document.querySelector('.show').hidden")  # it is no exhibition
    page.keyboard.press("f")
    page.until("document.fullscreenElement")
    page.evaluate("window.later += 59000")
    before = int(page.evaluate(frames))
    page.until(f"{frames} > {before + 3}")
    assert page.evaluate("document.querySelector('.show').hidden")
    page.evaluate("window.later += 2000")
    page.until("!document.querySelector('.show').hidden && document.querySelector('.show img')")
    studio.stirred = 0.2
    page.until("document.querySelector('.show').hidden")
    studio.stirred = 0.0
    page.evaluate("window.later += 61000")
    page.until("!document.querySelector('.show').hidden")
    page.keyboard.press("Shift")  # somebody is at the keys
    page.until("document.querySelector('.show').hidden")
    page.keyboard.press("f")
    page.until("!document.fullscreenElement")
    page.keyboard.press("c")
    page.until("document.querySelector('canvas.dream').hidden")
    page.context.close()
    assert page.heard == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("NotAllowedError", "allow it"),
        ("NotFoundError", "connect one"),
        ("NotReadableError", "Another program or page"),
    ],
)
def test_why_there_is_no_camera_is_told_with_the_remedy(browser: Any, address: str, fault: str, told: str) -> None:
    page = Page(browser.new_context().new_page(), address)
    page.go("camera")
    page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('no', '{fault}'); }}; }}")
    page.get_by_role("button", name="Start the camera").click()
    page.until(f"document.querySelector('.note').textContent.includes('{told}')")
    page.context.close()


def test_a_page_to_which_browsers_give_no_camera_says_where_they_do(browser: Any, address: str) -> None:
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page = Page(context.new_page(), address)
    page.go("camera")
    page.until("document.querySelector('.note').textContent.includes('localhost')")
    assert page.get_by_role("button", name="Start the camera").is_disabled()
    context.close()
