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
from reverie.cli.seeing import how_long
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
            assert each[part] is None or (folder / each[part]).is_file()
    assert not [each for each in listed(folder) if each.startswith(".")]


# ---- what is written


def test_a_folder_with_a_page_its_figures_and_pictures(run: Run, hand: Network, small: Path, place: Path) -> None:
    answer = run("see", small.name, *FEW, "--pictures")
    assert (answer.code, answer.out) == (0, "small-seen/index.html\n")
    folder = place / "small-seen"
    data = strict((folder / "see.json").read_text("utf-8"))
    names = set()
    for each in data["layers"]:
        (noticed,) = each["noticed"]
        names |= {each["rebuilt"], each["enhanced"], noticed["heat"], noticed["feature"]}
    assert listed(folder) == ["index.html", "pictures", "see.json"] and len(names) == 2 * 4
    assert names == {f"pictures/{each}" for each in listed(folder / "pictures")}
    assert_page(folder, 2, 2)
    assert [each["name"] for each in data["layers"]] == ["light", "edge"] and data["picture"] == "small.png"
    for name in names:
        assert pixels(folder / name).shape[2] == 3


def test_pictures_lie_beside_the_page_only_where_they_are_asked_for(run: Run, hand: Network, small: Path, place: Path) -> None:
    (seen,) = strict(run("see", small.name, *FEW, "--json").out)
    assert listed(place / "small-seen") == ["index.html", "see.json"]
    for each in seen["layers"]:
        assert each["rebuilt"] is each["enhanced"] is each["noticed"][0]["heat"] is each["noticed"][0]["feature"] is None
    assert seen["handout"] is None


def test_pictures_carry_their_recipes_and_are_made_again(run: Run, sky: Path, place: Path) -> None:
    ways = ("--layers", "blocks.1.0", "--width", "48", "--seed", "3", "--pictures", *FEW)
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
    (seen,) = strict(run("see", small.name, *FEW, "--json", "--pictures", "--handout").out)
    assert seen["handout"] == "small-seen/handout.html" and Path(seen["handout"]).is_file()
    assert seen["path"] == "small-seen/index.html" and seen["recipe"] is None and seen["score"] is None and seen["seconds"] > 0
    assert [each["name"] for each in seen["layers"]] == ["light", "edge"]
    for each in seen["layers"]:
        assert set(each) == {"name", "rebuilt", "enhanced", "fidelity", "noticed", "counted"}
        assert set(each["fidelity"]) == {"relative_error", "similarity", "opinions"}
        assert set(each["counted"]) == {"total", "for", "against"}
        (noticed,) = each["noticed"]
        assert set(noticed) == {"channel", "score", "heat", "feature"}
        for path in (each["rebuilt"], each["enhanced"], noticed["heat"], noticed["feature"]):
            assert Path(path).is_file() and Path(path).parent == Path("small-seen/pictures")
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
    free = run("see", small.name, *BARE)  # a name of ours is free, and told
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
    assert answer.code == 130 and signal.getsignal(signal.SIGINT) is before
    assert "stopped early" in answer.err and "Traceback" not in answer.err
    if not done:
        assert answer.out == "" and "no layer was done, so there is no page" in answer.err and not Path("small-seen").exists()
        return
    assert answer.out == "small-seen/index.html\n" and f"the page has {done} of 2 layers" in answer.err
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


def test_after_ctrl_c_the_same_command_makes_it_whole(
    run: Run, hand: Network, small: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        at(patch, "edge: rebuilding")
        assert run("see", small.name, *FEW, "--handout").code == 130
    assert listed(place / "small-seen") == ["index.html", "see.json"]
    again = run("see", small.name, *FEW, "--handout")
    assert again.code == 0 and again.out.splitlines() == ["small-seen/index.html", "small-seen/handout.html"]
    assert_page(Path("small-seen"), 2, 2)
    assert "small-seen-2" not in listed(place)


def test_ctrl_c_among_several_pictures(run: Run, hand: Network, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = several(place)
    with monkeypatch.context() as patch:
        at(patch, "light: counting")
        answer = run("see", *names, *FEW, "-o", "out")
    assert answer.code == 130 and "0 of 3 pictures are done, and the same command goes on" in answer.err
    assert run("see", *names[:1], names[2], *FEW, "-o", "out").code == 0
    kept = Path("out/a-seen/index.html").stat().st_mtime_ns
    again = run("see", *names, *FEW, "-o", "out")
    assert again.code == 0 and Path("out/a-seen/index.html").stat().st_mtime_ns == kept
    assert "'out/a-seen' is there already, of this picture and these choices" in again.err
    assert again.out.splitlines() == [*(f"out/{each}-seen/index.html" for each in "abc"), "out/index.html"]


# ---- what is there already and is the same


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


# ---- several pictures


def several(place: Path) -> list[str]:
    for number, name in enumerate("abc"):
        saved(place / f"{name}.png", 20, 24 + number)
    return ["a.png", "b.png", "c.png"]


def test_several_pictures_have_a_page_each_and_one_that_links_them(run: Run, hand: Network, place: Path) -> None:
    names = several(place)
    answer = run("see", *names, *BARE, "-o", "out")
    assert answer.code == 0 and answer.out.splitlines() == [*(f"out/{each}-seen/index.html" for each in "abc"), "out/index.html"]
    assert answer.err.count("3 pictures, 2 layers each, about ") == 1
    index = Path("out/index.html").read_text("utf-8")
    for each in "abc":
        assert_page(Path(f"out/{each}-seen"), 2, 2)
        assert f'<a href="{each}-seen/index.html"><span class="shot"><img src="data:image/webp;base64,' in index and f"{each}.png" in index
    saved(place / "d.png", 20, 24)
    saved(place / "e.png", 20, 24)
    assert run("see", "d.png", "e.png", *BARE, "-o", "out").code == 0
    index = Path("out/index.html").read_text("utf-8")
    assert [f'href="{each}-seen/index.html"' in index for each in "abcde"] == [True] * 5


def test_a_folder_of_pictures_and_the_json_of_several(run: Run, hand: Network, place: Path) -> None:
    (place / "mine").mkdir()
    for each in several(place)[:2]:
        (place / each).rename(place / "mine" / each)
    answer = run("see", "mine", *BARE, "--json")
    assert [each["path"] for each in answer.data] == ["a-seen/index.html", "b-seen/index.html"]
    assert [each["picture"] for each in answer.data] == ["a.png", "b.png"]


def test_pictures_of_one_name_and_one_that_cannot_be_seen(run: Run, hand: Network, place: Path) -> None:
    several(place)
    (place / "b").mkdir()
    (place / "a.png").rename(place / "b" / "c.png")
    Path("text.png").write_text("no picture")
    answer = run("see", "c.png", "text.png", "b/c.png", *BARE, "-o", "out")
    assert answer.code == 3 and "text.png" in answer.err
    assert answer.out.splitlines() == ["out/c-seen/index.html", "out/c-seen-2/index.html", "out/index.html"]
    (place / "other").mkdir()
    Path("other/index.html").write_text("mine")
    run("see", "c.png", "b.png", *BARE, "-o", "other").fault(5, "'other/index.html' exists already")


# ---- how long, and levels


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((1, 16, 25.4), "16 layers, about 25 seconds"), ((1, 1, 0.2), "1 layer, about 1 second"),
        ((1, 2, 7.4), "2 layers, about 7 seconds"), ((3, 16, 40.0), "3 pictures, 16 layers each, about 2 minutes"),
        ((400, 16, 30.0), "400 pictures, 16 layers each, about 3.3 hours"),
    ],
)  # fmt: skip
def test_how_long_it_takes_is_said_in_words(told: tuple[int, int, float], words: str) -> None:
    assert how_long(*told) == words


def test_how_long_is_told_before_it_begins_and_not_where_quiet(
    run: Run, hand: Network, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reverie.insight import SeePlan

    monkeypatch.setattr(SeePlan, "seconds", lambda _self: 25.0)
    assert run("see", small.name, *BARE).err == "reverie: 2 layers, about 25 seconds\n"
    assert run("see", small.name, *BARE, "--quiet", "-o", "quiet").err == ""


def test_levels_are_accepted_where_layers_are(run: Run, sky: Path, lite0: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.api.opening, "open_network", lambda *_: lite0)
    ways = ("--width", "32", *BARE, "--json")
    (one,) = run("see", sky.name, "--level", "textures", *ways, "-o", "one").data
    assert [each["name"] for each in one["layers"]] == ["blocks.2.1"]
    (two,) = run("see", sky.name, "--layers", "textures,edges,blocks.0.0", *ways, "-o", "two").data
    assert [each["name"] for each in two["layers"]] == ["blocks.0.0", "blocks.1.0", "blocks.2.1"]
    run("see", sky.name, "--level", "edges", "--layers", "parts").fault(2, "both layers and a level", "--layers")
    run("see", sky.name, "--layers", "edges,blocks.1.0").fault(2, "'blocks.1.0' stands twice among the layers", "by its level")
    run("see", sky.name, "--level", "edge").fault(2, "no level 'edge'")


def test_a_level_of_a_network_that_has_none(run: Run, hand: Network, small: Path) -> None:
    run("see", small.name, "--level", "parts").fault(2, "Hand has no level 'parts'", "reverie layers")


# ---- what is rebuilt, but for something


def test_a_rebuilt_picture_with_changes_says_what_can_be_done(run: Run, hand: Network, small: Path) -> None:
    assert run("see", small.name, *FEW, "--pictures").code == 0
    rebuilt = "small-seen/pictures/edge-rebuilt.png"
    run("redo", rebuilt, "--seed", "5").fault(2, "rebuilt", "reverie see PICTURE --layers edge --seed 5")
    run("redo", rebuilt, "--strength", "0.1").fault(2, "rebuilt", "--strength", "reverie see PICTURE --layers edge")
