"""Every view for every reader: axe finds nothing, nothing is wider than the screen, keys lead everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.helpers.browsing import axe_faults
from tests.helpers.studio_pages import Page, picture
from tests.studio.fake_server import Studio

SCREENS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "phone, dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True},
    "at 200 %": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
}
VIEWS = ("", "make/imagine", "make/feature", "make/film", "pictures", "picture", "compare", "trash", "queue", "camera", "more", "nothing")


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(opened: Callable[..., Page], studio: Studio, screen: str) -> None:
    one, two = list(studio.pictures)[:2]
    studio.make("film.mp4", picture(7), kind="film", flashes=5)
    studio.add("dream", ["noise:pink"], {})
    studio.set(1, state="running", done=0.4, doing="octave 2 of 5", left=20.0)
    studio.add("imagine", ["banana"], {})
    studio.add("dream", ["noise:pink"], {})
    studio.set(3, state="aside", fault="it ended twice – take a smaller size")
    page = opened(**SCREENS[screen])
    for view in VIEWS:
        page.go({"picture": f"picture/{one}", "compare": f"compare/{one}/{two}"}.get(view, view))
        page.until("document.querySelector('main h1')")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert axe_faults(page.page) == [], view
        width = SCREENS[screen]["viewport"]["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view


def test_keys_lead_past_the_head_and_to_every_view(opened: Callable[..., Page]) -> None:
    page = opened("more")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.until("document.activeElement.id === 'view'")
    assert page.text("h1") == "What else can be made"  # the link moved the focus, and nothing else
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.until("document.querySelector('h1').textContent.includes('expects')")
    page.until("document.activeElement.tagName === 'H1'")  # a screen reader begins where the new view does
    assert page.title() == "What a network expects a thing to look like · Reverie"


def test_until_it_is_ready_that_is_told_in_words(opened: Callable[..., Page], studio: Studio) -> None:
    studio.device = None
    page = opened("more")
    page.until("document.querySelector('main').textContent.includes('efficientnet-lite0: getting ready …')")
    studio.device = "cpu"
    page.until("document.querySelector('main').textContent.includes('efficientnet-lite0 on cpu')")


def test_who_wants_no_motion_sees_none(opened: Callable[..., Page]) -> None:
    page = opened()
    page.until("document.querySelector('.plate')")
    assert page.evaluate("getComputedStyle(document.querySelector('.plate'), '::after').animationName") == "none"


def test_a_view_that_is_left_early_does_not_come_back(opened: Callable[..., Page]) -> None:
    page = opened()
    page.evaluate("() => { location.hash = '#/pictures'; location.hash = '#/make/dream'; location.hash = '#/queue'; }")
    page.until("document.querySelector('h1').textContent === 'Queue'")
    page.until("document.querySelectorAll('main h1').length === 1")


def test_what_has_the_focus_is_not_below_the_job_that_runs(opened: Callable[..., Page], studio: Studio) -> None:
    studio.add("dream", ["noise:pink"], {})
    studio.set(1, state="running", done=0.4, doing="octave 2 of 5", left=20.0)
    page = opened("more", viewport={"width": 390, "height": 700})
    page.until("!document.querySelector('#dock').hidden")
    for _ in range(13):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('main')"):
            low = page.evaluate(
                "[document.activeElement.getBoundingClientRect().bottom, document.querySelector('#dock').getBoundingClientRect().top]"
            )
            assert low[0] <= low[1], page.evaluate("document.activeElement.innerText")


def test_what_is_pressed_and_how_far_it_is_shows_in_the_readers_own_colours(opened: Callable[..., Page], studio: Studio) -> None:
    studio.add("dream", ["noise:pink"], {})
    studio.set(1, state="running", done=0.4, doing="octave 2 of 5", left=20.0)
    page = opened(forced_colors="active")
    page.until("!document.querySelector('#dock').hidden && document.querySelector('.preset[aria-pressed=true]')")
    widths = page.evaluate(
        "['true', 'false'].map((each) => getComputedStyle(document.querySelector(`.preset[aria-pressed=${each}]`)).borderTopWidth)"
    )
    assert widths == ["3px", "1px"]
    colour = "getComputedStyle(document.querySelector('nav a%s')).borderBottomColor"
    lines = [page.evaluate(colour % each) for each in ("[aria-current]", ":not([aria-current])")]
    assert lines[0] != lines[1]
    assert page.evaluate("getComputedStyle(document.querySelector('.dock progress')).borderTopStyle") == "solid"


def test_letters_of_twice_the_size_fit_on_a_phone(opened: Callable[..., Page], studio: Studio) -> None:
    studio.add("dream", ["noise:pink"], {})
    studio.set(1, state="running", done=0.4, doing="octave 2 of 5", left=20.0)
    page = opened("more", viewport={"width": 390, "height": 844})
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    for view in VIEWS:
        page.go({"picture": f"picture/{next(iter(studio.pictures))}", "compare": ""}.get(view, view))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view
        assert page.evaluate("document.querySelector('#dock').offsetHeight") <= 211, view  # a quarter of the screen
