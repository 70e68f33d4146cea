"""`reverie see` as a user types it: a folder with a page, its figures and its pictures."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.commands import Run, listed, pixels, saved
from tests.helpers.looking import lightly
from tests.helpers.tiny import Hand, wrapped

import reverie.api.opening
from reverie.album import read_recipe
from reverie.networks import Network

FEW = ("--channels", "1", "--steps", "3")
BARE = ("--channels", "0", "--steps", "2")
PARTS = ("rebuilt", "enhanced", "feature")


@pytest.fixture(autouse=True)
def alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lightly(monkeypatch)
    return place


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Network:
    """A small network in the place of the built-in ones."""
    network = wrapped(Hand(), labels=["edges", "warmth", "cold"])
    monkeypatch.setattr(reverie.api.opening, "open_network", lambda *_: network)
    return network


@pytest.fixture
def small(place: Path) -> Path:
    return saved(place / "small.png", 20, 24)


def strict(text: str) -> Any:
    """JSON as its standard has it: NaN is none."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))


def assert_page(folder: Path, layers: int, expected: int) -> None:
    """The page is whole, with so many layers, and the figures say the same."""
    page, data = (folder / "index.html").read_text("utf-8"), strict((folder / "see.json").read_text("utf-8"))
    assert page.lower().startswith("<!doctype html") and page.rstrip().endswith("</html>")
    assert len(data["layers"]) == layers and data["expected"] == expected
    for each in data["layers"]:
        for part in ("rebuilt", "enhanced"):
            assert (folder / each[part]).is_file()
    assert not [each for each in listed(folder) if each.startswith(".")]


# ---- what is written


def test_a_folder_with_a_page_its_figures_and_pictures(run: Run, hand: Network, small: Path, place: Path) -> None:
    answer = run("see", small.name, *FEW)
    assert (answer.code, answer.out, answer.err) == (0, "small-seen/index.html\n", "")
    folder = place / "small-seen"
    data = strict((folder / "see.json").read_text("utf-8"))
    names = {"index.html", "see.json"}
    for each in data["layers"]:
        (noticed,) = each["noticed"]
        names |= {each["rebuilt"], each["enhanced"], noticed["heat"], noticed["feature"]}
    assert names == set(listed(folder)) and len(names) == 2 + 2 * 4
    assert_page(folder, 2, 2)
    assert [each["name"] for each in data["layers"]] == ["light", "edge"] and data["picture"] == "small.png"
    for name in names:
        if name.endswith(".png"):
            assert pixels(folder / name).shape[2] == 3


def test_pictures_carry_their_recipes_and_are_made_again(run: Run, sky: Path, place: Path) -> None:
    ways = ("--layers", "blocks.1.0", "--width", "48", "--seed", "3", *FEW)
    assert run("see", sky.name, *ways, "-o", "page").out == "page/index.html\n"
    (layer,) = strict(Path("page/see.json").read_text("utf-8"))["layers"]
    found = dict(zip(PARTS, (layer["rebuilt"], layer["enhanced"], layer["noticed"][0]["feature"]), strict=True))
    recipes = {part: read_recipe(Path("page") / name) for part, name in found.items()}
    assert {part: each.command for part, each in recipes.items()} == {"rebuilt": "see", "enhanced": "dream", "feature": "feature"}
    assert recipes["rebuilt"].ascent.steps == 3 and recipes["rebuilt"].seed == 3
    for part, name in found.items():
        assert run("redo", f"page/{name}", "-o", f"{part}.png").code == 0
        assert Path(f"{part}.png").read_bytes() == (Path("page") / name).read_bytes()
    assert run("see", sky.name, *ways, "-o", "bare", "--no-recipe").code == 0
    for name in found.values():
        run("recipe", f"bare/{name}").fault(3, "carries no recipe")
        assert np.array_equal(pixels(Path("bare") / name), pixels(Path("page") / name))


def test_the_shape_of_the_json(run: Run, hand: Network, small: Path) -> None:
    (seen,) = strict(run("see", small.name, *FEW, "--json").out)
    assert seen["path"] == "small-seen/index.html" and seen["recipe"] is None and seen["score"] is None and seen["seconds"] > 0
    assert [each["name"] for each in seen["layers"]] == ["light", "edge"]
    for each in seen["layers"]:
        assert set(each) == {"name", "rebuilt", "enhanced", "fidelity", "noticed", "counted"}
        assert set(each["fidelity"]) == {"relative_error", "similarity", "opinions"}
        assert set(each["counted"]) == {"total", "for", "against"}
        (noticed,) = each["noticed"]
        assert set(noticed) == {"channel", "score", "heat", "feature"}
        for path in (each["rebuilt"], each["enhanced"], noticed["heat"], noticed["feature"]):
            assert Path(path).is_file() and Path(path).parent.name == "small-seen"
    assert [set(each) for each in seen["labels"]] == [{"index", "label", "probability"}] * 3 and seen["why"] == seen["labels"][0]["label"]
    kept = strict(Path("small-seen/see.json").read_text("utf-8"))
    assert {name: kept[name] for name in ("labels", "why", "usual")} == {name: seen[name] for name in ("labels", "why", "usual")}


def test_flags_reach_the_page(run: Run, hand: Network, small: Path, place: Path) -> None:
    (place / "mine").mkdir()
    saved(place / "mine" / "a.png")
    flags = ("--layers", "edge, light", "--why", "cold", "--usual", "mine", "--width", "32", *BARE)
    (seen,) = run("see", small.name, *flags, "--json", "--no-keep").data
    assert [each["name"] for each in seen["layers"]] == ["light", "edge"] and seen["seen"] == {"width": 32, "height": 27}
    assert (seen["why"], seen["usual"]) == ("cold", "1 picture in mine")
    assert not (place.parent / "cache").exists()
    (again,) = run("see", small.name, "--layers", "edge", "--layers", "light", *BARE, "--json", "-o", "b").data
    assert [each["name"] for each in again["layers"]] == ["light", "edge"]


def test_notes_are_told(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = wrapped(Hand())
    monkeypatch.setattr(reverie.api.opening, "open_network", lambda *_: network)
    answer = run("see", small.name, *BARE)
    assert answer.code == 0 and "reverie: Hand has no labels" in answer.err
    assert_page(Path("small-seen"), 2, 2)


# ---- what is there already, and what cannot be


def test_a_folder_that_is_there_is_left_alone_unless_forced(run: Run, hand: Network, small: Path) -> None:
    folder = Path("small-seen")
    folder.mkdir()
    (folder / "index.html").write_text("mine")
    (folder / "other.txt").write_text("mine")
    run("see", small.name, *BARE, "-o", "small-seen").fault(5, "the folder 'small-seen' exists already", "--force")
    free = run("see", small.name, *BARE)
    assert free.out == "small-seen-2/index.html\n" and "'small-seen' is there already" in free.err
    assert listed(folder) == ["index.html", "other.txt"] and (folder / "index.html").read_text() == "mine"
    assert run("see", small.name, *BARE, "--force").code == 0
    assert_page(folder, 2, 2)
    assert (folder / "other.txt").read_text() == "mine"
    assert run("see", small.name, *BARE, "--force", "--layers", "light").code == 0  # over its own
    assert_page(folder, 1, 1)


@pytest.mark.parametrize(
    ("flags", "code", "parts"),
    [
        (("small.png", "-o", "none/page"), 5, ("'none' does not exist", "mkdir")),
        (("small.png", "-o", "small.png"), 5, ("is not a folder", "-o")),
        (("small.png", "-o", "small.png/page"), 5, ("small.png",)),
        (("small.png", "-o", "n" * 300), 5, ("-o",)),
        (("small.png", "-o", "nowhere"), 5, ("'nowhere' is not a folder",)),
        (("small.png", "-o", "."), 5, ("exists already",)),
        (("none.png",), 3, ("'none.png' does not exist",)),
        (("text.png",), 3, ("text.png",)),
        (("",), 2, ("without a name",)),
        (("empty",), 3, ("empty",)),
        (("small.png", "--layers", "light,edge,light"), 2, ("stands twice", "once")),
        (("small.png", "--layers", "ligth"), 2, ("no layer 'ligth'", "light")),
        (("small.png", "--layers", ""), 2, ("layer",)),
        (("small.png", "--channels", "5"), 2, ("--channels 5",)),
        (("small.png", "--width", "3"), 2, ("--width 3",)),
        (("small.png", "--why", "nobody"), 2, ("no label 'nobody'",)),
        (("small.png", "--usual", "empty"), 3, ("no picture in 'empty'",)),
        (("small.png", "--max-pixels", "10"), 4, ("small.png",)),
        (("small.png", "--threads", "0"), 2, ("--threads 0",)),
        ((), 2, ("PICTURE",)),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made(
    run: Run, hand: Network, small: Path, place: Path, flags: tuple[str, ...], code: int, parts: tuple[str, ...]
) -> None:
    Path("text.png").write_text("no picture at all")
    Path("empty").mkdir()
    Path("nowhere").symlink_to("is-not-there")
    run("see", *flags).fault(code, *parts)
    assert listed(place) == ["empty", "nowhere", "small.png", "text.png"] and listed(Path("empty")) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the one who runs this may write anywhere")
def test_a_folder_that_may_not_be_written(run: Run, hand: Network, small: Path) -> None:
    Path("closed").mkdir(mode=0o500)
    run("see", small.name, *BARE, "-o", "closed/page").fault(5, "not writable")


# ---- names


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("a b'<i>&.png", "a_b_i-seen"),
        ("été 夢.png", "t-seen"),
        ("夢.png", "_-seen"),
        ("x" * 200 + ".png", "x" * 80 + "-seen"),
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
    assert (seen["picture"], seen["usual"]) == ("��.png", "1 picture in ��")


# ---- Ctrl-C


def at(monkeypatch: pytest.MonkeyPatch, words: str, times: int = 1) -> None:
    """Ctrl-C so many times when this is being done."""
    from reverie.cli.console import Line, Progress

    seen: list[str] = []

    def call(self: Line, progress: Progress) -> bool:
        if progress.doing == words and not seen:
            seen.append(words)
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return self.interrupted

    monkeypatch.setattr(Line, "__call__", call)


@pytest.mark.parametrize(("words", "done"), [("light: enhancing", 0), ("edge: rebuilding", 1), ("edge: counting", 1)])
def test_ctrl_c_leaves_a_page_of_what_is_done(
    run: Run, hand: Network, small: Path, monkeypatch: pytest.MonkeyPatch, words: str, done: int
) -> None:
    at(monkeypatch, words)
    before = signal.getsignal(signal.SIGINT)
    answer = run("see", small.name, *FEW)
    assert answer.code == 130 and answer.out == "small-seen/index.html\n" and signal.getsignal(signal.SIGINT) is before
    assert "stopped early" in answer.err and f"the page has {done} of 2 layers" in answer.err and "Traceback" not in answer.err
    assert_page(Path("small-seen"), done, 2)
    unfinished = Path("small-seen/index.html").read_text("utf-8")
    assert "This page is unfinished." in unfinished and f"{done} of 2 layers" in unfinished


def test_ctrl_c_with_json_says_what_is_done(run: Run, hand: Network, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "edge: enhancing")
    answer = run("see", small.name, *FEW, "--json")
    assert answer.code == 130 and [each["name"] for each in answer.data[0]["layers"]] == ["light"]
    assert answer.data[0]["expected"] == 2 and Path(answer.data[0]["path"]).is_file()


def test_ctrl_c_twice_gives_up_and_leaves_a_page(run: Run, hand: Network, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "edge: rebuilding", 2)
    answer = run("see", small.name, *FEW)
    assert answer.code == 130 and "Traceback" not in answer.err
    assert_page(Path("small-seen"), 1, 2)
