"""The page of a gallery in a browser: from disk, for every reader, by keyboard alone, asking for nothing from outside."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.browsing import axe_faults, opened
from tests.helpers.browsing import browser as browser
from tests.helpers.commands import carrying, saved
from tests.helpers.galleries import ODD, filled, gridded, made
from tests.helpers.recipes import PLAIN
from tests.insight.test_page_valid import faults

from reverie.judging.galleries.page import page as page_of
from reverie.judging.scores.kept import Scored, keep

ORDER = sorted([ODD, "dream.png", "banana.png", "daisy.jpg", "below/photo.jpg", "broken.png"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("galleries")
    made(place / "gallery", filled(place / "pictures"))
    return place


@pytest.fixture(scope="module")
def file(root: Path) -> Path:
    return root / "gallery" / "index.html"


def until(page: Any, condition: str) -> None:
    """Wait until it is so. Playwright's own waiting evaluates text in the page, which the page forbids."""
    for _ in range(300):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {condition}")


def names(page: Any) -> list[str]:
    until(page, "pictures.every((each) => each.detail)")
    return [str(each) for each in page.locator(".card").evaluate_all("cards => cards.map((card) => card.title)")]


def choose(page: Any, what: str, value: str) -> None:
    page.select_option(f"#{what}", value)
    page.wait_for_timeout(250)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 380])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(browser: Any, file: Path, root: Path, scheme: str, width: int) -> None:
    page, heard = opened(browser, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert names(page) == ORDER
    assert axe_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".card").nth(4).click()
    until(page, "document.querySelector('#large-image').complete")
    assert axe_faults(page) == []
    page.keyboard.press("Escape")
    for key in ("c", "ArrowLeft", "c"):
        page.keyboard.press(key)
    page.click("#compare")
    page.wait_for_selector("#pair[open]")
    assert axe_faults(page) == []
    assert page.evaluate("document.querySelector('#pair').scrollWidth <= innerWidth")
    assert all(each.startswith(root.as_uri()) for each in heard), heard
    page.context.close()


def test_by_keyboard_alone_pictures_are_reached_opened_given_stars_and_compared(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file)
    names(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#choices [type=reset]").focus()
    page.keyboard.press("Tab")
    focused = "document.activeElement.title"
    assert page.evaluate(focused) == ORDER[0]
    page.keyboard.press("End")
    assert page.evaluate(focused) == ORDER[-1]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("4")
    assert page.evaluate(focused) == ORDER[1] and "4 stars" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    page.wait_for_selector("#large[open]")
    assert page.inner_text("#large-name") == ORDER[1] and page.locator("#stars input:checked").get_attribute("value") == "4"
    page.keyboard.press("ArrowRight")
    until(page, f"document.querySelector('#large-name').innerText === {json.dumps(ORDER[2])}")
    page.keyboard.press("Escape")
    until(page, f"{focused} === {json.dumps(ORDER[2])}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#pictures')") is None  # one stop, not thousands
    page.context.close()


def test_a_picture_is_shown_large_from_its_own_file_and_without_it_as_a_thumbnail(browser: Any, root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "moved")
    file = tmp_path / "moved" / "gallery" / "index.html"
    (tmp_path / "moved" / "pictures" / "dream.png").unlink()
    page, _ = opened(browser, file)
    names(page)
    page.locator(".card").nth(ORDER.index(ODD)).click()
    until(page, "document.querySelector('#large-image').naturalWidth === 48")
    assert page.locator("#small").is_hidden()
    facts = page.inner_text("#facts")
    assert "80 gradient steps" in facts and "a dream on blocks.4.1:12 - 0.5*blocks.2.0:3" in facts and "sha256" in facts
    page.locator("#large .close").click()
    page.locator(".card").nth(ORDER.index("dream.png")).click()
    until(page, "document.querySelector('#large-image').src.startsWith('data:image/webp')")
    assert page.locator("#small").is_visible()
    page.locator("#large .close").click()
    page.locator(".card").nth(ORDER.index("broken.png")).click()
    assert "is damaged" in page.inner_text("#facts") and page.locator("#large-image").is_hidden()
    page.context.close()


def test_pictures_are_filtered_and_sorted_and_the_page_says_how_many_there_are(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file)
    names(page)
    choose(page, "layer", "blocks.2.0")
    assert names(page) == [ODD, "dream.png"] and page.inner_text("#status") == "Shown: 2 of 6 pictures."
    choose(page, "kind", "imagine")
    assert names(page) == [] and page.locator("#none").is_visible()
    page.click("#choices [type=reset]")
    page.wait_for_timeout(100)
    assert names(page) == ORDER
    choose(page, "sort", "oldest")
    oldest = names(page)
    choose(page, "sort", "newest")
    assert names(page) == oldest[::-1] and oldest[0] == ORDER[0]
    choose(page, "class", "daisy")
    assert names(page) == ["daisy.jpg"]
    page.click("#choices [type=reset]")
    page.fill("#text", "SEED 8")
    page.wait_for_timeout(250)
    assert names(page) == ["dream.png"]
    page.context.close()


def test_a_best_of_says_of_how_many_by_which_score_and_where_each_stood(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file)
    names(page)
    assert page.locator("#best").is_disabled()  # without a score nothing is best
    choose(page, "sort", "score 0")
    assert names(page)[:2] == ["daisy.jpg", "banana.png"] and len(names(page)) == 6
    assert page.locator(".card").nth(2).inner_text().count("no place") == 1
    choose(page, "best", "12")
    choose(page, "class", "banana")
    assert names(page) == ["banana.png"] and "place 2 of 2" in page.locator(".card").inner_text()
    said = page.inner_text("#status")  # which shows all that have it
    assert said.startswith("Shown: the one of 1 of 6 pictures that has a place by probability of its class, by efficientnet-lite1,")
    assert "4 of 6 pictures have no such score" in said and "its place among all 2 that have it" in said
    page.context.close()


def test_two_side_by_side_show_what_differs_in_their_recipes_and_nothing_else(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file)
    names(page)
    for name in (ODD, "dream.png"):
        page.locator(".card").nth(ORDER.index(name)).focus()
        page.keyboard.press("c")
    page.click("#compare")
    page.wait_for_selector("#pair[open]")
    assert page.locator("#differences tbody tr").all_inner_texts() == ["seed\t7\t8"]
    assert page.inner_text("#alike") == "All other fields of their recipes are alike."
    page.context.close()


def test_from_the_large_view_the_comparison_is_reached_with_scores_and_stars(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file)
    names(page)
    page.locator(".card").nth(ORDER.index("daisy.jpg")).focus()
    page.keyboard.press("4")
    page.locator(".card").nth(ORDER.index("banana.png")).click()
    page.wait_for_selector("#large[open]")
    assert page.locator("#with").is_hidden() and page.inner_text("#hint") == ""
    page.click("#mark")
    assert page.inner_text("#hint").startswith("Chosen to be compared") and page.locator("#with").is_hidden()
    page.click("#after")
    page.click("#after")
    page.click("#after")
    until(page, "document.querySelector('#large-name').innerText === 'daisy.jpg'")
    assert page.inner_text("#with") == "Compare with banana.png"
    page.click("#with")
    page.wait_for_selector("#pair[open]")
    rows = page.locator("#sides tbody tr").all_inner_texts()
    assert rows == ["probability of its class, by efficientnet-lite1\t0.25, place 2\t0.75, place 1", "your stars\t–\t4 stars"]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.locator(".card[aria-pressed=true]").evaluate_all("cards => cards.map((card) => card.title)") == ["banana.png", "daisy.jpg"]
    page.locator(".card").nth(ORDER.index("dream.png")).focus()
    page.keyboard.press("c")
    assert page.inner_text("#said") == "daisy.jpg and dream.png"
    page.locator(".card").nth(ORDER.index("broken.png")).click()
    page.wait_for_selector("#large[open]")
    assert page.locator("#stars").is_hidden()
    page.context.close()


@pytest.mark.parametrize("width", [1280, 380])
def test_upright_pictures_are_whole_in_their_cards_and_small_ones_are_not_magnified_more_than_thrice(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pictures").mkdir()
    saved(tmp_path / "pictures" / "tall.png", 120, 40)
    saved(tmp_path / "pictures" / "wide.png", 40, 120)
    made(tmp_path / "gallery", tmp_path / "pictures")
    page, _ = opened(browser, tmp_path / "gallery" / "index.html", viewport={"width": width, "height": 800})
    names(page)
    until(page, "[...document.querySelectorAll('.shot img')].every((each) => each.naturalHeight > 1)")
    sides = "shots => shots.map((shot) => [shot, shot.firstElementChild].map((each) => each.getBoundingClientRect().height))"
    for frame, image in page.locator(".shot").evaluate_all(sides):
        assert image <= frame <= 160
    page.locator(".card").first.click()
    until(page, "document.querySelector('#large-image').naturalWidth === 40")
    assert page.evaluate("document.querySelector('#large-image').getBoundingClientRect().width") <= 120
    page.context.close()


def test_without_a_script_there_are_no_controls_that_do_nothing(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file, java_script_enabled=False)
    assert not any(page.locator(each).is_visible() for each in ("#choices", "#how", "#save", "#open"))
    assert page.locator(".sheets img").is_visible() and page.locator("noscript p").is_visible()
    page.context.close()


@pytest.fixture
def grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of a grid of two levels and three seeds, of which one picture was taken away."""
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    folder = gridded(tmp_path / "grid", {"level": ("parts", "edges"), "seed": ("0", "1", "2")})
    (folder / "edges-1.png").unlink()
    made(folder, folder, force=True)
    return folder / "index.html"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (380, "light")])
def test_the_page_of_a_grid_is_told_sorted_and_filtered_by_its_axes(browser: Any, grid: Path, width: int, scheme: str) -> None:
    page, _ = opened(browser, grid, viewport={"width": width, "height": 800}, color_scheme=scheme)
    in_order = ["parts-0.png", "parts-1.png", "parts-2.png", "edges-0.png", "edges-2.png"]
    assert names(page) == in_order
    assert axe_faults(page) == [] and page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.inner_text(".sizes") == "2 levels × 3 seeds"
    assert page.inner_text(".by").startswith("5 of the 6 pictures of the grid, and 1 sheet; missing is edges-1.png; 5 made by Reverie.")
    assert page.evaluate("document.querySelector('.sheets').compareDocumentPosition(document.querySelector('#pictures'))") == 4  # before
    assert page.locator(".card .name").all_inner_texts() == ["parts · 0", "parts · 1", "parts · 2", "edges · 0", "edges · 2"]
    choose(page, "sort", "path")
    assert names(page) == sorted(in_order)
    if not page.locator("#axis-0").is_visible():
        page.click("#filters summary")
    choose(page, "axis-0", "edges")
    choose(page, "axis-1", "2")
    assert names(page) == ["edges-2.png"] and page.inner_text("#status") == "Shown: 1 of 5 pictures."
    page.locator(".card").click()
    until(page, "document.querySelector('#facts').innerText.includes('seed')")
    texts = page.locator("#facts dt, #facts dd").all_inner_texts()
    assert texts[:4] == ["level", "edges", "seed", "2"]
    page.context.close()


def test_stars_are_saved_as_a_file_that_the_gallery_takes_when_it_is_made_again(browser: Any, root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "own")
    file = tmp_path / "own" / "gallery" / "index.html"
    page, _ = opened(browser, file)
    names(page)
    page.locator(".card").nth(0).focus()
    page.keyboard.press("5")
    page.locator(".card").nth(4).focus()
    page.keyboard.press("2")
    assert page.inner_text("#said") == f"{ORDER[4]}: 2 stars"  # for those who hear the page
    page.locator(".card").nth(ORDER.index("broken.png")).focus()
    page.keyboard.press("3")  # of what cannot be seen nobody says how it is
    page.reload()
    names(page)
    choose(page, "sort", "stars")
    assert names(page)[:2] == [ORDER[0], ORDER[4]] and "place 1 of 2" in page.locator(".card").first.inner_text()
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "stars.json"
    download.value.save_as(file.parent / "stars.json")
    page.context.close()
    gallery = made(file.parent, tmp_path / "own" / "pictures")
    assert sorted(json.loads((file.parent / "stars.json").read_text())["stars"].values()) == [2, 5]
    page, _ = opened(browser, file)  # another browser profile
    names(page)
    assert "5 stars" in page.locator(".card").first.inner_text() and len(gallery.pictures) == 6
    bad = tmp_path / "bad.json"
    for text in ('{"stars": {"x": 17}}', '{"made": "stars", "stars": {"x": 17}}', '{"made": "stars", "stars": []}'):
        bad.write_text(text)
        page.set_input_files("#open", bad)
        until(page, "document.querySelector('#saved').innerText === 'This file holds no stars as this page saves them.'")
        page.evaluate("document.querySelector('#saved').textContent = ''")
    page.set_input_files("#open", file.parent / "stars.json")
    until(page, "document.querySelector('#saved').innerText === 'Stars of 2 pictures.'")
    page.context.close()


@pytest.fixture
def scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of 24 pictures with scores and stars."""
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    pictures, stars = tmp_path / "pictures", {}
    pictures.mkdir()
    for number in range(24):
        shot = carrying(pictures / f"{number:02}.png", PLAIN.model_copy(update={"seed": number}).text())
        digest = hashlib.sha256(shot.read_bytes()).hexdigest()
        stars[digest] = 1 + number // 5
        keep(digest, Scored({"naturalness": (number + 1) / 30, "rise": 7.123456 - number}, {"agreement": "nobody was asked"}))
    made(tmp_path / "gallery", pictures)
    (tmp_path / "gallery" / "stars.json").write_text(json.dumps({"made": "stars", "stars": stars}))
    made(tmp_path / "gallery", pictures)
    return tmp_path / "gallery" / "index.html"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (380, "dark")])
def test_scores_have_their_range_and_stars_their_comparison_for_every_reader(browser: Any, scored: Path, width: int, scheme: str) -> None:
    page, _ = opened(browser, scored, viewport={"width": width, "height": 800}, color_scheme=scheme)
    names(page)
    page.locator(".words summary").click()
    assert axe_faults(page) == [] and page.evaluate("document.documentElement.scrollWidth") <= width
    assert "Any number, in standard deviations of photographs." in page.inner_text(".words .facts")
    assert page.locator("#newer").is_hidden()
    choose(page, "sort", "score 0")
    assert names(page)[0] == "00.png" and "by rise" in page.inner_text("#status") and "what you like" not in page.inner_text("#status")
    choose(page, "sort", "score 2")
    choose(page, "best", "12")
    said = page.inner_text("#status")
    assert said.startswith("Not all: the 12 highest of 24 by fitted to your 24 stars") and said.endswith("what you like, not what is good.")
    assert names(page)[0] in ("23.png", "00.png")
    page.locator(".card").first.focus()
    page.keyboard.press("1")
    assert page.inner_text("#newer").startswith("The stars of 1 picture in this browser are not in this comparison yet")
    choose(page, "sort", "path")
    page.locator(".card").first.click()
    until(page, "document.querySelector('#facts').innerText.includes('place 1 of 24')")
    facts = page.inner_text("#facts")
    assert "7.123, place 1 of 24" in facts and "agreement: nobody was asked" in facts
    assert "standard deviations of photographs" in page.locator("#facts dt", has_text="rise").get_attribute("title")
    page.context.close()


def test_what_shares_the_last_place_is_not_cut_through(browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pictures").mkdir()
    for number in range(20):
        shot = carrying(tmp_path / "pictures" / f"{number:02}.png", PLAIN.model_copy(update={"seed": number}).text())
        scores = {"naturalness": 1.0 if number >= 2 else 0.5, "rise": 1.0 if number < 12 else 0.0}
        keep(hashlib.sha256(shot.read_bytes()).hexdigest(), Scored(scores, {}))
    made(tmp_path / "gallery", tmp_path / "pictures")
    page, _ = opened(browser, tmp_path / "gallery" / "index.html")
    names(page)
    assert page.locator("#best option").all_inner_texts() == ["all of them", "the highest 12", "the highest 50"]
    choose(page, "sort", "score 1")
    choose(page, "best", "12")
    assert names(page) == [f"{number:02}.png" for number in range(2, 20)]
    assert page.inner_text("#status").startswith("Not all: the 18 highest of 20 by naturalness, since 18 share place 1, out of all 20")
    choose(page, "sort", "score 0")
    assert len(names(page)) == 12 and page.inner_text("#status").startswith("Not all: the 12 highest of 20 by rise, out of all")
    choose(page, "best", "50")
    assert page.inner_text("#status").startswith("Shown: all 20 of all 20 pictures that have a place by rise, the highest first.")
    page.context.close()


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java on this machine: the page is not shown to the HTML validator")
def test_the_page_is_valid_html(file: Path, scored: Path, grid: Path, tmp_path: Path) -> None:
    assert not faults(grid.read_text("utf-8"), tmp_path)
    about = {"details": [], "thumbs": [], "list_sha256": "0", "stars": {}, "unseen": {"x": "y"}, "films": 1, "others": 1}
    assert not faults(file.read_text("utf-8"), tmp_path)
    assert not faults(scored.read_text("utf-8"), tmp_path)
    assert not faults(page_of("nothing", [], [], about), tmp_path)
