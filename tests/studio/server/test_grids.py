"""A grid in the gallery: one card, one page in its frame, one thing to throw away and to save; and each picture of it still there."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.helpers.browsing import axe_faults
from tests.helpers.browsing import browser as browser
from tests.helpers.galleries import gridded
from tests.helpers.studio_pages import Page
from tests.helpers.studio_server import TOKEN, Set, jpeg, served

AXES = {"level": ("edges", "parts"), "seed": ("0", "1", "2")}


@pytest.fixture
def grid(studio: Set) -> dict[str, Any]:
    """The row of a grid beside a picture."""
    gridded(studio.home.pictures / "sky-grid", AXES)
    (studio.home.pictures / "sky-grid" / "parts").mkdir()
    (studio.home.pictures / "sky-grid" / "parts" / "details-000.js").write_text("gallery.details(0, []);")
    (studio.home.pictures / "other.jpg").write_bytes(jpeg())
    studio.studio.gallery.look()
    (found,) = (each for each in studio.studio.gallery.rows()["pictures"] if each["kind"] == "grid")
    return dict(found)


def listed(found: Set, query: str = "") -> dict[str, Any]:
    answer = found.ask("GET", f"/api/pictures?{query}")
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.data
    return told


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()}


def test_a_grid_is_one_card_and_says_how_many_pictures_it_holds(studio: Set, grid: dict[str, Any]) -> None:
    told = listed(studio)
    assert (told["total"], told["grids"], told["held"], len(told["pictures"])) == (2, 1, 6, 2)
    assert (grid["name"], grid["words"], grid["command"], grid["holds"]) == ("sky-grid", "a grid of 2 levels × 3 seeds", "grid", 6)
    small = studio.ask("GET", f"/api/pictures/{grid['id']}/thumb")
    assert small.status == 200 and Image.open(BytesIO(small.body)).format == "WEBP"
    assert studio.ask("GET", f"/api/pictures/{grid['id']}/image").status == 415
    for query in ("command=grid", "command=dream", "words=levels", "words=edges-2"):  # by itself, or by what it holds
        assert [each["id"] for each in listed(studio, query)["pictures"]] == [grid["id"]], query
    assert listed(studio, "words=nowhere")["total"] == 0


def test_each_of_its_pictures_is_there_by_its_id(studio: Set, grid: dict[str, Any]) -> None:
    held = {each["name"]: each for each in listed(studio, f"grid={grid['id']}")["pictures"]}
    assert set(held) == {*(f"{level}-{seed}" for level in AXES["level"] for seed in AXES["seed"]), "sheet"}
    one = held["edges-2"]["id"]
    assert studio.ask("GET", f"/api/pictures/{one}").data["grid"] == {"id": grid["id"], "name": "sky-grid"}
    assert studio.ask("GET", f"/api/pictures/{one}/download").body == (studio.home.pictures / "sky-grid/edges-2.png").read_bytes()
    assert studio.send("PUT", f"/api/pictures/{one}/stars", {"stars": 3}).status == 200
    assert studio.send("POST", "/api/again", {"picture": one}).status == 200
    assert listed(studio, "grid=" + "0" * 24)["total"] == 0
    for wrong in ("grid=../sky-grid", "grid=sky-grid"):
        assert studio.ask("GET", f"/api/pictures?{wrong}").status == 422


def test_a_grid_whose_list_is_damaged_is_shown_as_the_pictures_that_are_there(studio: Set, grid: dict[str, Any]) -> None:
    (studio.home.pictures / "sky-grid/grid.json").write_text("{")
    studio.studio.gallery.look()
    assert listed(studio)["total"] == 1 + 6 + 1 and studio.ask("GET", f"/api/pictures/{grid['id']}").status == 404


def test_it_goes_into_the_trash_as_a_whole_and_comes_back_byte_for_byte(studio: Set, grid: dict[str, Any]) -> None:
    folder = studio.home.pictures / "sky-grid"
    before = content_of(folder)
    one = listed(studio, f"grid={grid['id']}&words=edges-1")["pictures"][0]["id"]
    studio.send("PUT", f"/api/pictures/{one}/stars", {"stars": 5})
    assert studio.ask("POST", f"/api/pictures/{grid['id']}/trash").status == 200
    assert not folder.exists() and listed(studio)["total"] == 1 and studio.ask("GET", f"/api/pictures/{one}").status == 404
    (thrown,) = studio.ask("GET", "/api/trash").data["pictures"]
    assert thrown["name"] == "sky-grid" and studio.ask("GET", f"/api/trash/{grid['id']}/thumb").status == 200
    assert studio.ask("POST", f"/api/trash/{grid['id']}/restore").status == 200
    assert content_of(folder) == before and listed(studio)["grids"] == 1
    assert listed(studio, f"grid={grid['id']}&words=edges-1")["pictures"][0]["stars"] == 5
    studio.ask("POST", f"/api/pictures/{grid['id']}/trash")
    assert studio.ask("POST", "/api/trash/empty").data == {"removed": 1} and list(studio.home.trash.iterdir()) == []


def test_it_is_saved_as_one_zip_file_of_all_that_is_in_its_folder(studio: Set, grid: dict[str, Any]) -> None:
    folder = studio.home.pictures / "sky-grid"
    (folder / ".lock").write_text("")
    (folder / "away.png").symlink_to("/etc/passwd")
    answer = studio.ask("GET", f"/api/pictures/{grid['id']}/download")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip") and "sky-grid.zip" in answer.headers[
        "content-disposition"
    ]
    with zipfile.ZipFile(BytesIO(answer.body)) as packed:
        assert packed.testzip() is None and {each.compress_type for each in packed.infolist()} == {zipfile.ZIP_STORED}
        found = {name.removeprefix("sky-grid/"): packed.read(name) for name in packed.namelist()}
    assert found == {name: content for name, content in content_of(folder).items() if name not in (".lock", "away.png")}


def test_its_page_is_whole_in_itself_and_may_ask_for_nothing(studio: Set, grid: dict[str, Any]) -> None:
    (studio.home.pictures / "sky-grid/index.html").write_text("<script>parent.stolen = 1</script>")  # what lies there is not what is shown
    answer = studio.ask("GET", f"/api/pictures/{grid['id']}/page")
    policy, text = answer.headers["content-security-policy"], answer.body.decode()
    assert (
        policy.startswith("default-src 'none'; img-src data: blob:;")
        and policy.endswith("sandbox allow-scripts")
        and "'self' file:" not in text
    )
    assert "All 6 pictures of the grid, none left out, and 1 sheet" in text and "stolen" not in text and str(studio.home.folder) not in text
    (one,) = listed(studio, f"grid={grid['id']}&words=edges-1")["pictures"]
    studio.ask("POST", f"/api/pictures/{one['id']}/trash")
    text = studio.ask("GET", f"/api/pictures/{grid['id']}/page").body.decode()
    assert "5 of the 6 pictures of the grid, and 1 sheet; missing is edges-1.png" in text


def test_a_finished_grid_is_the_one_result_of_its_job(studio: Set, grid: dict[str, Any]) -> None:
    job = studio.queue.add("dream", ["noise:pink"], {})
    with studio.queue.database.changing() as change:
        change.execute("INSERT INTO results (job, unit, origin, name, moved) VALUES (?, 0, 'grid', 'sky-grid', 1)", (job.id,))
    assert studio.ask("GET", f"/api/jobs/{job.id}").data["results"] == [grid["id"]]
    wish = {"command": "dream", "subjects": [f"picture:{grid['id']}"], "choices": {}}
    assert studio.send("POST", "/api/jobs", wish).status == 422  # a folder is no picture


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_in_the_browser_its_pictures_are_seen_large_given_stars_and_opened(
    studio: Set, grid: dict[str, Any], browser: Any, width: int, scheme: str
) -> None:
    with served(studio) as (host, port):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
        page = Page(context.new_page(), f"http://{host}:{port}")
        page.page.goto(f"{page.address}/?token={TOKEN}")
        page.go("pictures")
        page.until("document.querySelector('.tray').textContent.includes('One picture · one grid that holds 6 more')")
        page.locator("[data-kind=grid] a").click()
        frame = page.frame_locator("iframe.page")
        frame.locator(".card").nth(4).click()
        large = frame.locator("#large-image")
        for _ in range(400):
            if str(large.get_attribute("src")).startswith("blob:"):
                break
            page.page.wait_for_timeout(25)
        assert large.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 48
        frame.get_by_role("radio", name="4").check()
        held = {each["name"]: each["id"] for each in studio.studio.gallery.rows(grid=grid["id"])["pictures"]}
        for _ in range(400):
            if studio.studio.marks.stars():
                break
            page.page.wait_for_timeout(25)
        assert studio.studio.marks.stars() == {held["parts-1"]: 4}
        assert axe_faults(page.page) == [] and page.evaluate("document.documentElement.scrollWidth") <= width
        frame.get_by_role("button", name="Open it in the studio").click()
        page.until(f"location.hash === '#/picture/{held['parts-1']}' && document.querySelector('h1').textContent === 'parts-1'")
        page.get_by_role("link", name="← sky-grid").click()
        page.get_by_role("link", name="Its pictures singly").click()
        page.until("document.querySelectorAll('.shots li').length === 7 && document.querySelector('.shots').textContent.includes('★★★★')")
        assert page.heard == []
        context.close()
