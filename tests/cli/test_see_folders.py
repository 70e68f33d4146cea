"""Where `reverie see` writes: what is there already, and pictures of odd names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.helpers.commands import Run, listed, saved
from tests.helpers.seen_pages import BARE, FEW, assert_page, strict

from reverie.networks import Network

pytestmark = pytest.mark.usefixtures("place", "briefly")


def test_a_folder_that_is_there_is_left_alone_unless_forced(run: Run, hand: Network, small: Path) -> None:
    folder = Path("small-seen")
    folder.mkdir()
    (folder / "index.html").write_text("mine")
    (folder / "other.txt").write_text("mine")
    run("see", small.name, *BARE, "-o", "small-seen").fault(5, "the folder 'small-seen' exists already", "--force")
    free = run("see", small.name, *BARE)  # a name of ours is free, and told
    assert free.out == "small-seen-2/index.html\n" and "'small-seen' is there already" in free.err
    assert listed(folder) == ["index.html", "other.txt"] and (folder / "index.html").read_text() == "mine"
    assert run("see", small.name, *BARE, "--force").code == 0
    assert_page(folder, 2, 2)
    assert (folder / "other.txt").read_text() == "mine"
    assert run("see", small.name, *BARE, "--force", "--layers", "light").code == 0  # over its own
    assert_page(folder, 1, 1)


def test_the_same_look_is_not_taken_twice_and_lacking_files_are_added(run: Run, hand: Network, small: Path, place: Path) -> None:
    first = run("see", small.name, *FEW, "--json")
    again = run("see", small.name, *FEW, "--json")
    assert again.code == 0 and again.data == first.data and "--force makes it anew" in again.err and "layers, about" not in again.err
    more = run("see", small.name, *FEW, "--pictures")
    assert more.out == "small-seen/index.html\n" and listed(place / "small-seen") == ["index.html", "pictures", "see.json"]
    other = run("see", small.name, *FEW, "--seed", "1")
    assert other.out == "small-seen-2/index.html\n" and "something else" in other.err
    saved(place / "small.png", 24, 20)  # another picture of the same name
    assert run("see", small.name, *FEW, "--seed", "1").out == "small-seen-3/index.html\n"
    Path("small-seen/see.json").write_text('{"layers": 3}')
    assert run("see", small.name, *FEW).out == "small-seen-4/index.html\n"


def test_a_picture_of_the_page_is_not_written_over(run: Run, hand: Network, small: Path) -> None:
    assert run("see", small.name, *FEW, "--pictures").code == 0
    rebuilt = Path("small-seen/pictures/light-rebuilt.png")
    before = rebuilt.read_bytes()
    assert run("see", rebuilt, *FEW, "--pictures", "-o", "small-seen", "--force").code == 5
    assert rebuilt.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the one who runs this may write anywhere")
def test_a_folder_that_may_not_be_written(run: Run, hand: Network, small: Path) -> None:
    Path("closed").mkdir(mode=0o500)
    run("see", small.name, *BARE, "-o", "closed/page").fault(5, "not writable")


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("a b'<i>&.png", "a b'<i>&-seen"),
        ("été 夢.png", "été 夢-seen"),
        ("夢.png", "夢-seen"),
        ("x" * 245 + ".png", "x" * 234 + "-seen"),
        ("-a.png", "-a-seen"),
    ],
)
def test_pictures_of_odd_names(run: Run, hand: Network, place: Path, name: str, folder: str) -> None:
    saved(place / name, 20, 24)
    answer = run("see", *BARE, "--", name)
    assert (answer.code, answer.out) == (0, f"{folder}/index.html\n")
    assert_page(place / folder, 2, 2)
    assert strict(Path(folder, "see.json").read_text("utf-8"))["picture"] == name
    assert "<i>&." not in Path(folder, "index.html").read_text("utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_a_name_that_is_not_text(run: Run, hand: Network, place: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.png")
    saved(place / "a.png", 20, 24).rename(place / name)
    assert run("see", name, *BARE, "-o", "page").code == 0
    assert_page(Path("page"), 2, 2)
    (place / "mine").mkdir()
    (place / "mine").rename(place / name.removesuffix(".png"))
    saved(place / name.removesuffix(".png") / "a.png")
    (seen,) = run("see", name, *BARE, "-o", "again", "--json", "--usual", name.removesuffix(".png")).data
    assert run("see", name, *BARE, "-o", "several/", "a.png").code == 3
    assert_page(Path("several/_-seen"), 2, 2)
    assert (seen["picture"], seen["usual"]) == ("��.png", "1 picture in ��")
