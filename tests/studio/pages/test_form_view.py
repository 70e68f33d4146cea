"""Every choice: fields by their kind, what differs marked, search among classes and layers, targets, masks, grids."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image
from tests.helpers.studio_pages import Page, asked
from tests.studio.fake_server import Studio

from reverie.studio.server.forms import forms

READY = "document.querySelector('.plate').getAttribute('aria-busy') === 'false'"
DIFFERING = "[...document.querySelectorAll('.every [data-differs]')].map((each) => each.dataset.field).join()"


def with_choices(opened: Callable[..., Page], view: str = "make/dream") -> Page:
    page = opened(view)
    page.locator("details.every > summary").click()
    return page


def ordered(page: Page, studio: Studio) -> dict[str, object]:
    """The choices with which it is made."""
    before = len(studio.jobs)
    page.locator(".go").click()
    for _ in range(400):
        if len(studio.jobs) > before:
            break
        page.wait_for_timeout(25)
    assert len(studio.jobs) == before + 1
    found: dict[str, object] = asked(studio, "/api/jobs")[-1]["choices"]
    return found


def test_every_choice_of_every_command_has_a_field(opened: Callable[..., Page]) -> None:
    page = opened("more")
    for form in forms()["commands"]:
        page.go(f"make/{form['name']}")
        page.until("document.querySelector('.every')")
        there = set(page.evaluate("[...document.querySelectorAll('.field')].map((each) => each.dataset.field)"))
        wanted = {field["name"] for group in form["groups"] for field in group["fields"]}
        slider = {"level"} if page.locator(".levels").count() else set()
        assert wanted - there == slider | ({"preset"} if form["name"] == "dream" else set()) and there <= wanted, form["name"]
        assert bool(slider) == (form["name"] in ("dream", "journey", "film"))


def test_what_differs_is_marked_sent_and_taken_back(opened: Callable[..., Page], studio: Studio) -> None:
    page = with_choices(opened)
    page.until(READY)
    page.locator("[data-field=octaves] input[type=number]").fill("3")
    page.locator("[data-field=sober] input").check()
    page.locator("[data-field=where] select").select_option("top")
    page.locator("[data-field=seed] input").fill("1-3")
    page.locator("[data-field=network] input").nth(1).check()
    page.until(f"{DIFFERING} === 'network,where,seed,octaves,sober'")
    assert "5 not as usual" in page.text(".count")
    wished = {"octaves": 3, "sober": True, "where": "top", "seed": "1-3", "network": "efficientnet-lite1"}
    assert ordered(page, studio) == wished
    page.locator("[data-field=octaves]").get_by_role("button").click()
    page.until(f"{DIFFERING} === 'network,where,seed,sober'")
    assert page.locator("[data-field=octaves] input[type=number]").input_value() == ""
    page.get_by_role("button", name="All as usual").click()
    page.until(f"{DIFFERING} === ''")
    assert ordered(page, studio) == {}
    assert not page.locator("[data-field=sober] input").is_checked()


def test_a_choice_is_found_by_its_help(opened: Callable[..., Page]) -> None:
    page = with_choices(opened)
    page.get_by_label("Find a choice").fill("larger forms")
    shown = "[...document.querySelectorAll('.field')].filter((each) => each.checkVisibility())"
    page.until(f"{shown}.map((each) => each.dataset.field).join() === 'octaves'")
    page.get_by_label("Find a choice").fill("nothing of this kind")
    page.until("document.querySelector('.every').innerText.includes('no choice of this name')")


def test_a_class_is_found_by_keys_and_imagined(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened("make/imagine")
    assert page.locator(".go").is_disabled()
    page.get_by_role("combobox").first.focus()
    page.keyboard.type("fru")  # a word that people use for it
    page.until(
        "document.querySelector('[role=option]') && document.querySelector('[role=combobox]').getAttribute('aria-expanded') === 'true'"
    )
    page.keyboard.press("ArrowDown")
    assert page.locator("[role=option][aria-selected=true] span").first.inner_text() == "banana"
    assert page.evaluate("document.activeElement.getAttribute('aria-activedescendant')") == page.locator(
        "[aria-selected=true]"
    ).get_attribute("id")
    page.keyboard.press("Enter")
    page.until("document.querySelector('.chips').textContent.includes('banana') && !document.querySelector('.go').disabled")
    page.until("Number(document.querySelector('.stage').dataset.frames) > 0")
    page.locator(".go").click()
    page.until("!document.querySelector('#toast').hidden")
    assert asked(studio, "/api/jobs") == [{"command": "imagine", "subjects": ["banana"], "choices": {}}]
    page.get_by_role("button", name="Without banana").click()
    page.until("document.querySelector('.go').disabled")


def test_targets_are_built_of_layers_channels_and_classes(opened: Callable[..., Page], studio: Studio) -> None:
    page = with_choices(opened)
    page.until(READY)
    target = page.locator("[data-field=target]")
    target.get_by_role("combobox", name="Add a layer").fill("objects")
    page.until("document.querySelector('[data-field=target] [role=option]')")
    target.get_by_role("combobox", name="Add a layer").press("Enter")
    page.until("document.querySelectorAll('.terms li').length === 1")
    target.locator(".channel").fill("12")
    target.locator(".channel").press("Tab")
    target.get_by_role("combobox", name="Add a class").fill("volc")
    page.until("document.querySelector('[data-field=target] .search:last-child [role=option]')")
    target.get_by_role("combobox", name="Add a class").press("Enter")
    page.until("document.querySelectorAll('.terms li').length === 2")
    target.get_by_role("button", name="class:volcano: more of it").click()
    assert page.evaluate("document.activeElement.classList.contains('sign') && document.activeElement.textContent") == "−"
    target.get_by_label("Weight of class:volcano").fill("0.5")
    target.get_by_label("Weight of class:volcano").press("Tab")
    assert target.locator("input").last.input_value() == "blocks.4.0:12 - 0.5*class:volcano"
    page.until("[...document.querySelectorAll('.excited')].every((each) => each.width === 96)")  # what excites each, small
    shown = [each["subjects"] for each in asked(studio, "/api/previews") if each["command"] == "feature"]
    assert shown == [["blocks.4.0"], ["blocks.4.0:12"], ["class:volcano"]]
    assert ordered(page, studio) == {"target": "blocks.4.0:12 - 0.5*class:volcano"}
    target.locator("input").last.fill("2*blocks.1.0 + class:banana")  # and it is read as it is written
    target.locator("input").last.press("Tab")
    page.until("[...document.querySelectorAll('.term')].map((each) => each.textContent).join() === 'blocks.1.0,class:banana'")
    target.get_by_role("button", name="Without class:banana").click()
    assert ordered(page, studio) == {"target": "2*blocks.1.0"}


def test_a_target_and_the_slider_take_each_others_place(opened: Callable[..., Page], studio: Studio) -> None:
    page = with_choices(opened)
    page.until(READY)
    page.locator(".levels input").press("Home")
    written = page.locator("[data-field=target] input").last
    written.fill("class:volcano")
    written.press("Tab")
    page.until("document.querySelector('.levels output').textContent.includes('class:volcano')")
    assert ordered(page, studio) == {"target": "class:volcano"}  # the level of the slider made way
    assert page.locator(".mark.here").count() == 0 and page.locator(".preset[aria-pressed=true]").count() == 0
    page.locator(".levels input").press("End")
    page.until("document.querySelector('.mark.here')?.textContent === 'Scenes' && !document.querySelector('#toast').hidden")
    assert ordered(page, studio) == {"level": "scenes"}
    page.locator(".levels input").press("Home")
    written.fill("class:volcano")
    written.press("Tab")
    page.locator(".levels input").press("End")
    page.get_by_role("button", name="Have it back").click()
    page.until("document.querySelector('.levels output').textContent.includes('class:volcano')")
    assert written.input_value() == "class:volcano"


def test_a_name_that_is_whole_goes_first_and_one_that_is_none_is_told(opened: Callable[..., Page]) -> None:
    page = opened("make/feature")
    layer = page.get_by_role("combobox", name="Add a layer")
    layer.fill("blocks.4.0")
    layer.press("Enter")  # quicker than the list
    page.until("document.querySelector('.term')?.textContent === 'blocks.4.0'")
    page.go("make/imagine")
    page.get_by_role("combobox").first.fill("unicorn")
    page.until("document.querySelector('.nothing').checkVisibility() && document.querySelector('.nothing').textContent.includes('unicorn')")
    page.get_by_role("combobox").first.press("Enter")
    assert page.locator(".chips li").count() == 0


def test_what_was_set_is_there_after_a_look_elsewhere_and_a_reload(opened: Callable[..., Page], studio: Studio) -> None:
    page = with_choices(opened)
    page.until(READY)
    page.locator("[data-field=octaves] input[type=number]").fill("3")
    page.get_by_role("button", name="weave").click()
    page.until("document.querySelector('.preset[aria-pressed=true]')?.textContent === 'weave'")
    page.go("queue")
    page.go()
    page.until("document.querySelector('.preset[aria-pressed=true]')?.textContent === 'weave'")
    page.reload()
    page.until("document.querySelector('.preset[aria-pressed=true]')?.textContent === 'weave'")
    assert ordered(page, studio) == {"octaves": 3, "preset": "weave"}


def test_the_same_is_not_put_into_the_queue_twice(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(READY)
    button = page.get_by_role("button", name="Make it in full size")
    button.click()
    page.until("document.querySelector('#toast').textContent.includes('in the queue.')")
    button.click()
    page.until("document.querySelector('#toast').textContent.includes('already')")
    assert len(asked(studio, "/api/jobs")) == 1


def test_a_target_as_a_text_and_its_terms_are_the_same(opened: Callable[..., Page]) -> None:
    page = opened("more")
    told = page.evaluate(
        """async () => {
        const { termsOf, textOf } = await import('/static/form/target.js');
        return ['blocks.4.1', 'blocks.4.1:12@7,9 - 0.5*blocks.2.0:3', 'class:tiger cat + 2*class:954', '- a.b', 'a -', 'a b - '].map(
            (text) => { const terms = termsOf(text); return terms && textOf(terms); });
    }"""
    )
    assert told[:4] == ["blocks.4.1", "blocks.4.1:12@7,9 - 0.5*blocks.2.0:3", "class:tiger cat + 2*class:954", "- a.b"]
    assert told[4:] == [None, None]


def test_a_mask_is_painted_by_keys_and_by_pointer(opened: Callable[..., Page], studio: Studio) -> None:
    page = with_choices(opened)
    page.until(READY)
    page.get_by_role("button", name="Paint it").click()
    page.until("document.activeElement.classList.contains('mask')")
    page.keyboard.press("Space")  # in the middle
    box = page.locator("canvas.mask").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 10)
    page.mouse.up()
    page.get_by_role("button", name="Use this mask").click()
    page.until("document.querySelector('[data-field=mask] img')")
    (sha,) = [sha for sha, (name, _) in studio.inputs.items() if name == "mask.png"]
    mask = np.asarray(Image.open(BytesIO(studio.inputs[sha][1])).convert("L"))
    height, width = mask.shape
    assert (width, height) == (1024, 683)  # of the picture's own shape
    assert mask[height // 2, width // 2] == 255 and mask[4, 40] == 255 and mask[-1, -1] == 0
    assert 0.005 < (mask > 127).mean() < 0.1
    assert ordered(page, studio) == {"mask": f"input:{sha}"}


def test_a_painter_that_is_left_changes_nothing(opened: Callable[..., Page], studio: Studio) -> None:
    page = with_choices(opened)
    page.until(READY)
    page.get_by_role("button", name="Paint it").click()
    page.until("document.activeElement.classList.contains('mask')")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.until("!document.querySelector('dialog')")
    assert ordered(page, studio) == {}


def test_noise_begins_a_dream(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(READY)
    page.get_by_text("Or begin with noise").click()
    page.get_by_role("button", name="Soft noise").click()
    page.until(f"{READY} && document.querySelector('.start').hidden && !document.querySelector('canvas.dream').hidden")
    large = [each for each in asked(studio, "/api/previews") if not each["session"].endswith("-presets")]
    assert large[-1]["subjects"] == ["noise:pink"]
