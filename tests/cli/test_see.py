"""`reverie see` as a user types it: a folder with a page, its figures and its pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.helpers.commands import Run, listed, pixels, saved
from tests.helpers.seen_pages import BARE, FEW, assert_page, strict
from tests.helpers.tiny import Hand, wrapped

import reverie.api.opening
from reverie.album import read_recipe
from reverie.cli.seeing import how_long
from reverie.networks import Network

pytestmark = pytest.mark.usefixtures("place", "briefly")


PARTS = ("rebuilt", "enhanced", "feature")


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


def test_pictures_carry_their_recipes_and_are_made_again(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.networks.attribution.ROUNDS", 1)  # attribution has a test of its own
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


def test_levels_are_accepted_where_layers_are(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = wrapped(Hand(), labels=["edges", "warm", "cold"])
    network.levels = {"edges": "norm", "textures": "edge"}
    monkeypatch.setattr(reverie.api.opening, "open_network", lambda *_: network)
    ways = (*BARE, "--json")
    (one,) = run("see", small.name, "--level", "textures", *ways, "-o", "one").data
    assert [each["name"] for each in one["layers"]] == ["edge"]
    (two,) = run("see", small.name, "--layers", "textures,edges,light", *ways, "-o", "two").data
    assert [each["name"] for each in two["layers"]] == ["light", "norm", "edge"]
    run("see", small.name, "--level", "edges", "--layers", "light").fault(2, "both layers and a level", "--layers")
    run("see", small.name, "--layers", "edges,norm").fault(2, "'norm' stands twice among the layers", "by its level")
    run("see", small.name, "--level", "scenes").fault(2, "no level 'scenes'")


def test_a_level_of_a_network_that_has_none(run: Run, hand: Network, small: Path) -> None:
    run("see", small.name, "--level", "parts").fault(2, "Hand has no level 'parts'", "reverie layers")


def test_a_rebuilt_picture_with_changes_says_what_can_be_done(run: Run, hand: Network, small: Path) -> None:
    assert run("see", small.name, *FEW, "--pictures").code == 0
    rebuilt = "small-seen/pictures/edge-rebuilt.png"
    run("redo", rebuilt, "--seed", "5").fault(2, "rebuilt", "reverie see PICTURE --layers edge --seed 5")
    run("redo", rebuilt, "--strength", "0.1").fault(2, "rebuilt", "--strength", "reverie see PICTURE --layers edge")
