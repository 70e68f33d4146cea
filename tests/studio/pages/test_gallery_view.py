"""The gallery as the page shows it: all pictures, stars, notes, two side by side, the trash, and a picture made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.helpers.studio_pages import Page, asked, picture
from tests.studio.fake_server import Studio

SHOTS = "[...document.querySelectorAll('.shots .line')].map((each) => each.textContent).join()"
WICKED = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


def test_everything_that_was_made_is_there_and_can_be_looked_for(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened("pictures")
    page.until(f"{SHOTS} === 'three,two,one'")
    page.locator("input[type=search]").fill("two")
    page.until(f"{SHOTS} === 'two'")
    page.locator("input[type=search]").fill("nothing")
    page.until("document.querySelector('.tray').textContent.includes('Everything that was made is still here')")
    page.locator("input[type=search]").fill("")
    page.until(f"{SHOTS} === 'three,two,one'")
    studio.make("four", picture(4))
    page.until(f"{SHOTS}.startsWith('four')")  # as soon as it is made


def test_many_are_shown_in_parts(opened: Callable[..., Page], studio: Studio) -> None:
    for number in range(130):
        studio.make(f"more {number}", picture(number, 16, 16))
    page = opened("pictures")
    page.until("document.querySelectorAll('.shots li').length === 60")
    page.get_by_role("button", name="Show more").click()
    page.until("document.querySelectorAll('.shots li').length === 120")
    page.get_by_role("button", name="Show more").click()
    page.until("document.querySelectorAll('.shots li').length === 133")
    assert page.get_by_role("button", name="Show more").is_hidden()


def test_stars_and_notes_by_keys(opened: Callable[..., Page], studio: Studio) -> None:
    key = next(iter(studio.pictures))
    page = opened(f"picture/{key}")
    page.locator(".stars input:checked").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.until("document.querySelector('#spoken').textContent === '2 stars'")
    page.locator("textarea").fill("the eyes")
    page.until("document.querySelector('.noted').textContent.includes('Kept.')")
    assert studio.pictures[key]["stars"] == 2 and studio.pictures[key]["note"] == "the eyes"


def test_two_are_compared(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened("pictures")
    page.get_by_role("checkbox", name="Compare two").check()
    assert page.get_by_role("link", name="Compare the two").is_hidden()
    page.get_by_role("checkbox", name="Compare one").check()
    page.get_by_role("link", name="Compare the two").click()
    page.until("document.querySelectorAll('.two img').length === 2")
    assert page.locator("tbody tr").all_inner_texts() == ["ascent.steps\t17\t16"]  # only what differs


def test_what_is_thrown_away_comes_back_until_the_trash_is_emptied(opened: Callable[..., Page], studio: Studio) -> None:
    first, second, _ = studio.pictures
    page = opened(f"picture/{first}")
    page.get_by_role("button", name="Move to the trash").click()
    page.until("document.querySelector('h1').textContent === 'Pictures'")
    assert list(studio.trash) == [first]
    page.go("trash")
    page.get_by_role("button", name="Bring back: one").click()
    page.until("document.querySelector('main').textContent.includes('The trash is empty')")
    assert first in studio.pictures
    page.go(f"picture/{second}")
    page.get_by_role("button", name="Move to the trash").click()
    page.until("document.querySelector('h1').textContent === 'Pictures'")
    page.go("trash")
    page.get_by_role("button", name="Empty the trash").click()
    page.keyboard.press("Escape")
    assert list(studio.trash) == [second]
    page.get_by_role("button", name="Empty the trash").click()
    page.locator("dialog").get_by_role("button", name="Empty the trash").click()
    page.until("document.querySelector('main').textContent.includes('The trash is empty')")
    assert studio.trash == {}


def test_a_name_is_text_wherever_it_is_shown(opened: Callable[..., Page], studio: Studio) -> None:
    key = studio.make(WICKED, picture(5), {"command": "dream", "note": WICKED}, words=WICKED, note=WICKED)
    other = next(iter(studio.pictures))
    page = opened("pictures")
    page.until(f"{SHOTS}.includes('onerror')")
    for view in (f"picture/{key}", f"compare/{key}/{other}", f"make/dream?again={key}"):
        page.go(view)
        page.until("document.querySelector('h1').textContent")
    studio.add("imagine", [WICKED], {})
    page.go("queue")
    page.until(f"document.querySelector('.next h3').textContent === {('Imagine · ' + WICKED)!r}")
    assert page.locator("img[src='x']").count() == 0


def test_a_picture_of_reverie_fills_the_form_and_is_made_again_with_another_seed(
    opened: Callable[..., Page], studio: Studio, own: Path
) -> None:
    studio.recipes["mine.png"] = {"command": "dream"}
    page = opened()
    page.until("document.querySelector('.start').naturalWidth")
    page.set_input_files("input[type=file]", str(own))
    page.until("document.querySelector('.recalled')")
    assert "a dream on parts, 24 steps, seed 7" in page.text(".recalled")
    assert page.text(".recalled summary") == "3 choices differ from the usual ones"
    assert page.locator(".recalled dt").all_text_contents() == ["level", "seed", "steps"]
    assert page.evaluate("[...document.querySelectorAll('.every [data-differs]')].map((each) => each.dataset.field)") == ["seed", "steps"]
    assert page.locator("[data-field=steps] input").input_value() == "24" and page.text(".mark.here") == "Parts"
    page.get_by_role("button", name="Again with another seed").click()
    page.until("document.querySelector('#toast').textContent.includes('queue')")
    (job,) = asked(studio, "/api/jobs")
    assert job["choices"]["steps"] == 24 and job["choices"]["level"] == "parts" and job["choices"]["seed"] != 7


def test_a_picture_is_dragged_out_of_the_gallery_itself(opened: Callable[..., Page], studio: Studio) -> None:
    page, key = opened(), list(studio.pictures)[1]
    page.until("document.querySelector('.start').naturalWidth")
    page.evaluate(
        """([address]) => {
        const carried = new DataTransfer();
        carried.setData('text/uri-list', address);
        carried.items.add(new File(['stripped'], 'image.jpg', { type: 'image/jpeg' }));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));
    }""",
        [f"{page.address}/api/pictures/{key}/image"],
    )
    page.until("document.querySelector('.recalled')")
    assert asked(studio, "/api/again") == [{"picture": key}]
    assert len(asked(studio, "/api/inputs")) == 1  # the first picture alone: the bytes that the browser made are not sent


def test_films_warn_before_they_play(opened: Callable[..., Page], studio: Studio) -> None:
    wild = studio.make("wild.mp4", picture(6), kind="film", flashes=7)
    calm = studio.make("calm.mp4", picture(6), kind="film", flashes=2)
    unknown = studio.make("unknown.mp4", picture(6), kind="film")
    page = opened(f"picture/{wild}")
    page.until("document.querySelector('.warning').textContent.includes('up to 7 times a second')")
    assert page.locator("video").count() == 0  # it is not even asked for
    page.get_by_role("button", name="Play").click()
    assert page.locator("video, .film img").count() == 1
    page.go(f"picture/{unknown}")
    page.until("document.querySelector('.warning').textContent.includes('not measured')")
    page.go(f"picture/{calm}")
    page.until("document.querySelector('.sight').textContent.includes('safe for most people')")
    assert page.locator(".warning").count() == 0
