"""The first minute: a picture that dreams already, one's own, its labels, the six steps, the looks, and the one button."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.helpers.studio_pages import Page, asked
from tests.studio.fake_server import Studio

FRAMES = "Number(document.querySelector('.stage').dataset.frames ?? 0)"
PIXELS = "document.querySelector('.stage canvas').getContext('2d').getImageData(0, 0, 32, 32).data"
DREAM = f"{PIXELS}.reduce((sum, each, at) => sum + each * (at % 251), 0)"
STILL = "document.querySelector('.plate').getAttribute('aria-busy') === 'false'"
TAKES = "document.querySelector('.takes').textContent"


def test_it_opens_on_a_picture_that_is_dreaming(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(f"{FRAMES} > 1 && {STILL}")
    first, *later = asked(studio, "/api/previews")
    (start,) = first["subjects"]
    assert studio.inputs[start.removeprefix("input:")][0] == "sky.jpg"
    assert first["choices"] == {} and first["side"] == 320 and later[0]["side"] == 768  # quick first, then finer
    assert page.locator(".labels .label").all_inner_texts() == ["tabby", "Egyptian cat", "tiger cat"]
    assert "knows" in page.text(".sees p") and page.text(".labels .value") == "56 %"
    page.until(f"{TAKES} === 'It takes about 2 minutes.'")


def test_ones_own_picture_dreams_at_the_level_of_the_slider(opened: Callable[..., Page], studio: Studio, own: Path) -> None:
    page = opened()
    page.set_input_files("input[type=file]", str(own))
    page.until(f"document.querySelector('.start').naturalWidth === 96 && {FRAMES} > 1 && {STILL}")
    objects = page.evaluate(DREAM)
    page.locator(".levels input").focus()
    page.keyboard.press("Home")
    page.until(f"{DREAM} !== {objects} && {STILL}")
    large = [each for each in asked(studio, "/api/previews") if not each["session"].endswith("-presets")]
    assert large[-1]["choices"] == {"level": "edges"} and page.text(".mark.here") == "Edges"
    assert page.locator(".levels input").get_attribute("aria-valuetext") == "Edges"
    page.get_by_role("button", name="Show the original").click()
    assert page.locator("canvas.dream.away").count() == 1


def test_of_many_wishes_the_newest_is_shown(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(STILL)
    for _ in range(4):
        page.locator(".levels input").press("ArrowLeft")
    page.locator(".levels input").press("ArrowRight")
    page.until(STILL)
    large = [each for each in asked(studio, "/api/previews") if not each["session"].endswith("-presets")]
    assert large[-1]["choices"] == {"level": "textures"} and large[-1]["side"] == 768
    before = page.evaluate(DREAM)
    page.locator(".levels input").press("End")
    page.locator(".levels input").press("Home")
    page.locator(".levels input").press("ArrowRight")
    page.until(f"{STILL} && {DREAM} === {before}")


def test_looks_are_pictures_of_this_picture(opened: Callable[..., Page], studio: Studio, own: Path) -> None:
    page = opened()
    page.until("!document.querySelector('.undreamt')")
    page.set_input_files("input[type=file]", str(own))
    page.until("document.querySelector('.start').naturalWidth === 96 && document.querySelectorAll('.preset').length === 7")
    page.until("!document.querySelector('.undreamt') && document.querySelector('.preset canvas').height === 64")
    page.get_by_role("button", name="etching").click()
    page.until("document.querySelector('.mark.here').textContent === 'Edges'")
    assert page.get_by_role("button", name="etching").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Make it in full size").click()
    page.until("document.querySelector('#toast').textContent.includes('queue')")
    (start,) = [name for name, (called, _) in studio.inputs.items() if called == "mine.png"]
    assert asked(studio, "/api/jobs") == [{"command": "dream", "subjects": [f"input:{start}"], "choices": {"preset": "etching"}}]


def test_a_picture_is_pasted(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(STILL)
    page.evaluate("""async () => {
        const canvas = new OffscreenCanvas(40, 30), carried = new DataTransfer();
        canvas.getContext('2d').fillRect(0, 0, 40, 30);
        carried.items.add(new File([await canvas.convertToBlob()], 'pasted.png', { type: 'image/png' }));
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: carried, bubbles: true, cancelable: true }));
    }""")
    page.until("document.querySelector('.start').naturalWidth === 40")
    assert "pasted.png" in [name for name, _ in studio.inputs.values()]


def test_what_the_server_refuses_is_told_where_it_is_wrong(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(STILL)
    studio.refuse["/api/jobs"] = (422, {"fault": "too wide <b>", "remedy": "take less", "field": "width"})
    page.get_by_role("button", name="Make it in full size").click()
    page.until("document.querySelector('[data-field=width] .fault').textContent === 'too wide <b> – take less'")
    assert page.locator("[data-field=width] input").get_attribute("aria-invalid") == "true"
    assert page.locator("details.every").get_attribute("open") is not None
    assert studio.jobs == {}


def test_without_a_network_it_says_so_and_keeps_the_picture(opened: Callable[..., Page], studio: Studio) -> None:
    page = opened()
    page.until(STILL)
    page.context.set_offline(True)
    page.get_by_role("button", name="Make it in full size").click()
    page.until("document.querySelector('#toast.fault') && !document.querySelector('#toast').hidden")
    page.until("document.querySelector('#banner').textContent.includes('comes back by itself')")
    assert page.locator("canvas.dream").is_visible()
    page.context.set_offline(False)
    page.until("document.querySelector('#banner').hidden")
    page.get_by_role("button", name="Make it in full size").click()
    page.until("document.querySelector('#toast').textContent.includes('queue')")
    assert len(studio.jobs) == 1
