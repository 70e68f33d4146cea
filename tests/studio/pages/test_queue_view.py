"""The queue as the page shows it, and a page that was away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.helpers.browsing import axe_faults
from tests.helpers.studio_pages import Page, asked
from tests.studio.fake_server import Studio, running

CARDS = "[...document.querySelectorAll('.{} .job h3')].map((each) => each.textContent).join()"


def some(studio: Studio) -> None:
    """One that runs, and three that wait."""
    studio.add("dream", ["noise:pink"], {"level": "parts"})
    studio.set(1, state="running", done=0.25, doing="octave 2 of 5", left=90.0)
    for name in ("banana", "volcano", "tabby"):
        studio.add("imagine", [name], {})
    for place, number in enumerate((2, 3, 4)):
        studio.set(number, place=place)


def test_it_shows_what_runs_and_what_waits_as_it_changes(opened: Callable[..., Page], studio: Studio) -> None:
    some(studio)
    page = opened("queue")
    page.until(f"{CARDS.format('next')} === 'Imagine · banana,Imagine · volcano,Imagine · tabby'")
    assert "25 % · octave 2 of 5 · about 2 minutes left" in page.text(".now .progress")
    page.until("document.querySelector('.now canvas').width > 100")
    studio.set(1, done=0.75, left=30.0)
    page.until("document.querySelector('.now progress').value === 0.75")
    studio.set(1, state="done", done=1.0, started=1.8e9, ended=1.8e9 + 44, results=list(studio.pictures)[:2])
    studio.set(2, state="running", place=-1)
    page.until(f"{CARDS.format('over')} === 'Dream · noise:pink · parts' && {CARDS.format('now')} === 'Imagine · banana'")
    assert "it took about 44 seconds" in page.text(".over .job")
    assert page.locator(".over .made a").count() == 2


def test_jobs_are_paused_moved_cancelled_and_tried_again(opened: Callable[..., Page], studio: Studio) -> None:
    some(studio)
    page = opened("queue")
    page.get_by_role("button", name="Imagine · tabby: one place sooner").press("Enter")
    page.until(f"{CARDS.format('next')} === 'Imagine · banana,Imagine · tabby,Imagine · volcano'")
    assert page.evaluate("document.activeElement.dataset.key") == "4-up"  # what has the focus keeps it while the list is drawn anew
    page.get_by_role("button", name="Pause: Dream").click()
    page.until("document.querySelector('[data-id=\"1\"]').dataset.state === 'paused'")
    page.get_by_role("button", name="Go on: Dream").click()
    page.get_by_role("button", name="Cancel: Imagine · volcano").click()
    page.until(f"{CARDS.format('over')} === 'Imagine · volcano'")
    page.get_by_role("button", name="Try again: Imagine · volcano").click()
    page.until(f"!{CARDS.format('over')}")
    page.get_by_role("button", name="Hold the queue").click()
    page.until("document.querySelector('main').textContent.includes('The queue is held')")
    assert [path for path, _ in studio.asked] == [
        "/api/jobs/4/move", "/api/jobs/1/pause", "/api/jobs/1/resume", "/api/jobs/3/cancel", "/api/jobs/3/retry", "/api/queue/hold",
    ]  # fmt: skip
    assert asked(studio, "/api/jobs/4/move") == [{"place": 1}]


def test_a_list_is_cleared_only_after_a_question(opened: Callable[..., Page], studio: Studio) -> None:
    some(studio)
    studio.set(1, state="failed", fault="no memory <i>")
    page = opened("queue")
    assert page.text(".over .fault") == "no memory <i>"
    page.get_by_role("button", name="Clear this list").click()
    page.locator("dialog").get_by_role("button", name="Cancel").click()
    assert asked(studio, "/api/jobs/clear") == []
    page.get_by_role("button", name="Clear this list").click()
    page.locator("dialog").get_by_role("button", name="Clear this list").click()
    page.until(f"!{CARDS.format('over')}")
    assert len(asked(studio, "/api/jobs/clear")) == 1


def test_of_a_job_that_says_nothing_for_long_that_is_told_until_it_speaks_again(opened: Callable[..., Page], studio: Studio) -> None:
    some(studio)
    studio.silent = 185.0
    page = opened("queue")
    page.until("document.querySelector('.now .fault').textContent.startsWith('Nothing heard for about 3 minutes.')")
    assert axe_faults(page.page) == []
    studio.set(1, done=0.4)
    page.until("document.querySelector('.now .fault').hidden")


def test_the_page_of_what_is_seen_grows_in_the_queue(opened: Callable[..., Page], studio: Studio) -> None:
    studio.add("see", ["noise:pink"], {})
    studio.set(1, state="running", done=0.1, doing="layer 1 of 9", place=-1)
    page = opened("queue")
    page.get_by_text("Its page, as far as it is").click()
    text = page.frame_locator(".now iframe").locator("p")
    text.get_by_text("layer 1 of 9").wait_for()
    studio.set(1, doing="layer 2 of 9")
    text.get_by_text("layer 2 of 9").wait_for()  # by itself


def test_the_running_job_is_seen_from_every_other_view(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened("more")
    assert page.locator("#dock").is_hidden()
    some(studio)
    page.until("!document.querySelector('#dock').hidden && document.querySelector('#dock progress').value === 0.25")
    page.until("document.querySelector('#dock').textContent.includes('3 wait')")
    studio.set(1, state="done", done=1.0)
    page.until("document.querySelector('#spoken').textContent === 'Dream · noise:pink · parts is done.'")
    studio.set(2, state="running")
    page.locator("#dock a").click()
    page.until("document.querySelector('h1').textContent === 'Queue' && document.querySelector('#dock').hidden")


def test_a_line_that_is_cut_comes_back_with_what_happened_meanwhile(opened: Callable[..., Page], studio: Studio) -> None:
    some(studio)
    page = opened("queue")
    page.until("document.querySelector('.now progress')")
    page.context.set_offline(True)
    page.until("document.querySelector('#banner').textContent.includes('What was begun goes on')")
    studio.set(1, state="done", done=1.0)
    studio.set(2, state="running", done=0.5, place=-1)
    assert page.locator(".now h3").inner_text() == "Dream · noise:pink · parts"  # what was known stays in sight
    page.context.set_offline(False)
    page.until(f"{CARDS.format('now')} === 'Imagine · banana' && document.querySelector('#banner').hidden")
    studio.set(2, done=0.9)  # and it hears again
    page.until("document.querySelector('.now progress').value === 0.9")


def test_a_server_that_was_killed_comes_back(browser: Any) -> None:
    studio = Studio()
    some(studio)
    with running(studio) as address:
        port = int(address.rpartition(":")[2])
        page = Page(browser.new_context().new_page(), address)
        page.go("queue")
        page.until("document.querySelector('.now progress').value === 0.25")
    page.until("!document.querySelector('#banner').hidden")
    later = Studio()
    some(later)
    later.set(1, done=0.6)
    with running(later, port):
        page.until("document.querySelector('#banner').hidden && document.querySelector('.now progress').value === 0.6")
        page.context.close()
