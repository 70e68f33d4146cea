"""The site of an atlas in a browser: from disk without a network, for every reader, by keyboard; sorted, searched, and its maps moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.helpers.atlases import about, put_about, put_unit, whole
from tests.helpers.browsing import axe_faults, opened
from tests.helpers.browsing import browser as browser

from reverie.atlases.site import write_site
from reverie.atlases.store import AtlasStore

PAGES = ("index.html", "stem/index.html", "stem/8.html", "classes/0.html", "classes/index.html", "maps/stem.html", "audit.html",
         "about.html")  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("atlases") / "of made-up #1"
    with whole(place) as store:
        write_site(store)
    return place


def at(browser: Any, file: Path, **options: Any) -> tuple[Any, list[str]]:
    """A page, with what it asks for or says amiss; no network is there, and what asks for one fails."""
    page, heard = opened(browser, file, offline=True, **options)
    return page, heard


def until(page: Any, condition: str) -> None:
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    pytest.fail(f"never: {condition}")


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_nothing_is_wider_than_the_screen_and_nothing_is_asked_of_others(browser: Any, root: Path, name: str) -> None:
    for width, scheme in ((1280, "light"), (320, "dark")):
        page, heard = at(browser, root / name, viewport={"width": width, "height": 800}, color_scheme=scheme)
        assert axe_faults(page) == [], (width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert heard and all(each.startswith(root.as_uri()) for each in heard), heard
        page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_without_a_script_every_page_can_be_read_and_offers_nothing_that_would_not_work(browser: Any, root: Path, name: str) -> None:
    page, _ = at(browser, root / name, java_script_enabled=False)
    assert page.locator("h1").is_visible()
    assert page.locator("input:visible, select:visible, button:visible").count() == 0
    page.context.close()


def numbers(page: Any) -> list[int]:
    return [
        int(each) for each in page.evaluate("[...document.querySelectorAll('#units .name')].map((each) => each.firstChild.textContent)")
    ]


def test_units_are_sorted_by_number_trust_strength_and_the_dead_first(browser: Any, root: Path) -> None:
    page, _ = at(browser, root / "stem" / "index.html")
    plain = numbers(page)
    assert plain == sorted(plain) and len(plain) == 12
    first_spot = page.locator("#units .spot").first.get_attribute("style")
    page.select_option("#sort", "-2")
    until(page, "document.querySelector('#told').textContent.startsWith('12')")
    low = numbers(page)
    assert {each % 5 for each in low[:2]} == {3} and sorted(low) == plain  # these are the ones that mislead
    page.select_option("#sort", "3")
    until(page, "document.querySelector('#units .name').textContent.includes('0.55')")
    assert [each % 2 for each in numbers(page)][-4:] == [0, 0, 0, 0]  # what was not judged comes last
    page.select_option("#sort", "5")
    until(page, f"document.querySelector('#units .name').textContent.startsWith('{plain[-1]} dead')")
    page.select_option("#sort", "0")
    until(page, f"document.querySelector('#units .name').textContent === '{plain[0]}'")
    assert numbers(page) == plain
    script_spot = page.locator("#units .spot").first.get_attribute("style")
    assert "tiles-0.webp" in first_spot and "tiles-0.webp" in script_spot and "--x: 0" in script_spot
    assert axe_faults(page) == []
    page.context.close()


def test_a_layer_of_many_units_is_sorted_as_a_whole_a_part_at_a_time(browser: Any, tmp_path: Path) -> None:
    facts = about({"net": 1200}, name="mine")
    (layer,) = facts["layers"]
    with AtlasStore(tmp_path) as store:
        put_about(store, facts)
        for channel in (*range(600), 1199):
            put_unit(store, layer, channel)
        write_site(store)
    page, _ = at(browser, tmp_path / "net" / "index-2.html")
    assert numbers(page) == [*range(512, 600), 1199]
    page.select_option("#sort", "4")
    until(page, "document.querySelector('#told').textContent.startsWith('601')")
    assert numbers(page)[:3] == [1199, 599, 598]  # by score, from all of the layer
    page.get_by_role("button", name="2").click()
    assert numbers(page)[-1] == 0 and page.evaluate("document.activeElement.className") == "tile"
    page.context.close()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("blocks.2.1:6", "blocks.2.1/6.html"), ("edges", "stem/index.html"), ("GOLDFISH", "classes/1.html"), ("hammerhead", "/4.html"),
     ("model 990", "stem/9.html"), ("blocks#4:", "blocks%234/0.html"), ("7", "classes/7.html")],
)  # fmt: skip
def test_layers_units_classes_and_words_are_found(browser: Any, root: Path, text: str, wanted: str) -> None:
    page, heard = at(browser, root / "index.html")
    page.fill("#query", text)
    until(page, "document.querySelector('#found a') !== null")
    addresses = [str(each) for each in page.locator("#found a").evaluate_all("all => all.map((each) => each.href)")]
    assert any(each.endswith(wanted) for each in addresses), addresses
    assert axe_faults(page) == []
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url(addresses[0])
    assert page.locator("h1").count() == 1
    assert all(each.startswith(root.as_uri()) for each in heard)
    page.context.close()


def test_a_question_that_finds_nothing_says_so(browser: Any, root: Path) -> None:
    page, _ = at(browser, root / "index.html")
    page.fill("#query", "no such thing")
    until(page, "document.querySelector('#found-told').textContent.startsWith('Nothing')")
    page.fill("#query", "")
    until(page, "document.querySelector('#found-told').textContent === ''")
    page.context.close()


def test_from_unit_to_unit_by_the_arrow_keys(browser: Any, root: Path) -> None:
    page, _ = at(browser, root / "blocks.2.1" / "4.html")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/6.html")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/4.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the page itself"
    page.context.close()


def test_the_patch_that_did_it_is_outlined_where_it_lies(browser: Any, root: Path) -> None:
    page, _ = at(browser, root / "stem" / "1.html")
    edges = page.evaluate("""() => {
      const [box, whole] = ['.box', '.frame'].map((each) => document.querySelector(each).getBoundingClientRect());
      return [(box.left - whole.left) / whole.width, (box.top - whole.top) / whole.height, box.width / whole.width,
        box.height / whole.height];
    }""")
    # the picture has number 1: row 1 and column 3 of 14, and a unit looks at 0.3 of a side
    assert edges == pytest.approx([3.5 / 14 - 0.15, 0, 0.3, 1.5 / 14 + 0.15], abs=0.02)
    page.context.close()


def zoom(page: Any) -> float:
    return float(page.evaluate("new DOMMatrix(document.querySelector('.world').style.transform).a"))


def test_a_map_is_zoomed_and_moved_by_keys_mouse_and_buttons_and_tells_what_is_in_a_cell(browser: Any, root: Path) -> None:
    page, heard = at(browser, root / "maps" / "stem.html")
    page.focus("#map")
    assert zoom(page) == 1
    page.keyboard.press("+")
    assert zoom(page) == 1.5
    before = page.evaluate("document.querySelector('.world').style.transform")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('.world').style.transform") != before
    page.keyboard.press("0")
    assert zoom(page) == 1
    page.click("#in")
    assert zoom(page) == 1.5
    page.click("#whole")
    edges = page.locator("#map img").bounding_box()
    x, y = edges["x"] + edges["width"] * 3.5 / 8, edges["y"] + edges["height"] * 5.5 / 8  # column 3, row 5
    page.mouse.click(x, y)
    assert "column 4, row 6" in page.inner_text("#cell") and page.locator("#cell img").count() == 3
    assert axe_faults(page) == []
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    until(page, "new DOMMatrix(document.querySelector('.world').style.transform).a > 1.5")
    page.mouse.click(x, y)
    assert "column 4, row 6" in page.inner_text("#cell")  # what lies under the pointer stays there
    page.click("#whole")
    page.mouse.click(edges["x"] + 2, edges["y"] + 2)
    assert "Nothing lies there" in page.inner_text("#cell")
    assert all(each.startswith(root.as_uri()) for each in heard)
    page.context.close()


def test_a_map_is_pinched_and_dragged_on_a_phone(browser: Any, root: Path) -> None:
    page, _ = at(browser, root / "maps" / "stem.html", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    edges = page.locator("#map").bounding_box()
    middle = (edges["x"] + edges["width"] / 2, edges["y"] + edges["height"] / 2)
    hand = page.context.new_cdp_session(page)

    def fingers(kind: str, apart: float) -> None:
        points = [{"x": middle[0] + side * apart, "y": middle[1], "id": number} for number, side in enumerate((-1, 1))]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if kind != "touchEnd" else []})

    fingers("touchStart", 30)
    for apart in (45, 60, 90):
        fingers("touchMove", apart)
    fingers("touchEnd", 0)
    assert zoom(page) == pytest.approx(3, rel=0.05)
    page.context.close()
