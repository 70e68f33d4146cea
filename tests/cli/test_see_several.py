"""`reverie see` of several pictures: a page each, and one that links them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from tests.helpers.commands import Run, photo, saved
from tests.helpers.seen_pages import BARE, FEW, assert_page, interrupted_at, three

from reverie.networks import Network

pytestmark = pytest.mark.usefixtures("place", "briefly")


def test_ctrl_c_among_several_pictures(run: Run, hand: Network, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = three(place)
    with monkeypatch.context() as patch:
        interrupted_at(patch, "light: counting")
        answer = run("see", *names, *FEW, "-o", "out")
    assert answer.code == 130 and "0 of 3 pictures are done, and the same command goes on" in answer.err
    assert run("see", *names[:1], names[2], *FEW, "-o", "out").code == 0
    kept = Path("out/a-seen/index.html").stat().st_mtime_ns
    again = run("see", *names, *FEW, "-o", "out")
    assert again.code == 0 and Path("out/a-seen/index.html").stat().st_mtime_ns == kept
    assert "'out/a-seen' is there already, of this picture and these choices" in again.err
    assert again.out.splitlines() == [*(f"out/{each}-seen/index.html" for each in "abc"), "out/index.html"]


def test_several_pictures_have_a_page_each_and_one_that_links_them(run: Run, hand: Network, place: Path) -> None:
    names = three(place)
    answer = run("see", *names, *BARE, "-o", "out")
    assert answer.code == 0 and answer.out.splitlines() == [*(f"out/{each}-seen/index.html" for each in "abc"), "out/index.html"]
    assert answer.err.count("3 pictures, 2 layers each, about ") == 1
    index = Path("out/index.html").read_text("utf-8")
    for each in "abc":
        assert_page(Path(f"out/{each}-seen"), 2, 2)
        assert f'<a href="{each}-seen/index.html"><span class="shot"><img src="data:image/webp;base64,' in index and f"{each}.png" in index
    saved(place / "d.png", 20, 24)
    saved(place / "e.png", 20, 24)
    assert run("see", "d.png", "e.png", *BARE, "--handout", "-o", "out").code == 0
    index = Path("out/index.html").read_text("utf-8")
    assert [f'href="{each}-seen/index.html"' in index for each in "abcde"] == [True] * 5
    assert [f'href="{each}-seen/handout.html"' in index for each in "abcde"] == [False] * 3 + [True] * 2


def test_notes_on_several_name_the_file_and_folders_are_called_as_it_is(run: Run, hand: Network, place: Path) -> None:
    pages = [Image.fromarray(photo(20, 24)) for _ in range(2)]
    for name in ("Urlaub in München.tif", "zwei.tif"):
        pages[0].save(place / name, save_all=True, append_images=pages[1:])
    seen = run("see", "Urlaub in München.tif", "zwei.tif", *BARE)
    assert seen.out.splitlines() == ["Urlaub in München-seen/index.html", "zwei-seen/index.html"]
    dreamt = run("dream", "Urlaub in München.tif", "zwei.tif", "--octaves", "1", "--steps", "1", "-t", "edge")
    for answer in (seen, dreamt):
        assert [answer.err.count(f"'{name}': it has 2 pages") for name in ("Urlaub in München.tif", "zwei.tif")] == [1, 1], answer


def test_a_folder_of_pictures_and_the_json_of_several(run: Run, hand: Network, place: Path) -> None:
    (place / "mine").mkdir()
    for each in three(place)[:2]:
        (place / each).rename(place / "mine" / each)
    answer = run("see", "mine", *BARE, "--json")
    assert [each["path"] for each in answer.data] == ["a-seen/index.html", "b-seen/index.html"]
    assert [each["picture"] for each in answer.data] == ["a.png", "b.png"]


def test_pictures_of_one_name_and_one_that_cannot_be_seen(run: Run, hand: Network, place: Path) -> None:
    three(place)
    (place / "b").mkdir()
    (place / "a.png").rename(place / "b" / "c.png")
    Path("text.png").write_text("no picture")
    answer = run("see", "c.png", "text.png", "b/c.png", *BARE, "-o", "out")
    assert answer.code == 3 and "text.png" in answer.err
    assert answer.out.splitlines() == ["out/c-seen/index.html", "out/c-seen-2/index.html", "out/index.html"]
    (place / "other").mkdir()
    Path("other/index.html").write_text("mine")
    run("see", "c.png", "b.png", *BARE, "-o", "other").fault(5, "'other/index.html' exists already")
