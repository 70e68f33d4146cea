"""The command journey, and redo of one: what it writes and says, what is refused before any time is spent, recipes of strangers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import Run, carrying, listed, saved
from tests.helpers.known import there

import reverie
from reverie.api import plan_again, plan_journey
from reverie.errors import UsageError
from reverie.motion.journey_frames import Traveller

SMALL: dict[str, Any] = {"octaves": 1, "steps": 1, "rounds": 2, "threads": 1, "keep": False}


class Muxed:
    """In the place of the writer of films: what it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[dict[str, Any]] = []
        monkeypatch.setitem(sys.modules, "reverie.files.films.writing", self)

    def write_film(self, place: Path, frames: Iterator[Any], times: Any, end: Any, **rest: Any) -> Path:
        self.calls.append({"frames": list(frames), "times": list(times), "end": end, **rest})
        place.write_bytes(b"a film")
        return place


def test_a_film_has_all_frames_in_time_and_the_recipe(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    muxed = Muxed(monkeypatch)
    said = run(
        "journey", "noise:pink", "--size", "64x48", "--octaves", "1", "--steps", "1", "--rounds", "1", "--frames", "3", "--fps", "12.5",
        "--level", "edges", "--preview", "2",
    )  # fmt: skip
    assert said.code == 0 and said.out.strip() == "noise-pink-blocks.1.0-0.mp4", said
    assert listed(place) == ["noise-pink-blocks.1.0-0-preview", "noise-pink-blocks.1.0-0.mp4"]
    assert listed(place / "noise-pink-blocks.1.0-0-preview") == ["000000.png", "000002.png"]
    (call,) = muxed.calls
    assert len(call["frames"]) == 3 and [float(each) for each in call["times"]] == [0, 0.08, 0.16] and float(call["end"]) == 0.24
    assert '"command":"journey"' in call["recipe"]


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_a_real_film_is_as_long_as_it_was_asked_for_and_is_made_again(place: Path, run: Run, suffix: str) -> None:
    pytest.importorskip("av")
    from reverie.files.films.reading import survey

    small = ["--size", "64x48", "--octaves", "1", "--steps", "1", "--rounds", "1", "--level", "edges", "--threads", "1"]
    said = run("journey", "noise:pink", "-o", f"a{suffix}", "--seconds", "0.8", "--fps", "10", "--loop", "--close", "0.3", *small)
    assert said.code == 0 and listed(place) == [f"a{suffix}"], said
    found = survey(Path(f"a{suffix}"))
    assert (found.width, found.height, len(found.times), float(found.end)) == (64, 48, 8, 0.8)
    assert run("recipe", f"a{suffix}", "--json").data[0]["recipe"]["journey"]["frames"] == 8
    if suffix == ".mp4":
        said = run("redo", "a.mp4", "-o", "b.mp4")
        assert said.code == 0 and said.err.count("the same bytes") == 1 and Path("a.mp4").read_bytes() == Path("b.mp4").read_bytes()


def test_stopped_it_says_how_to_go_on_and_leaves_a_part_on_request(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from reverie.cli.console import Line

    muxed = Muxed(monkeypatch)
    command = [
        "journey",
        "noise:pink",
        "-o",
        "a.gif",
        "--size",
        "64x48",
        "--octaves",
        "1",
        "--steps",
        "1",
        "--rounds",
        "1",
        "--frames",
        "5",
    ]
    monkeypatch.setattr(Line, "__call__", lambda self, progress: progress.done >= 0.4)
    said = run(*command)
    assert said.code == 130 and "2 of 5 frames are kept" in said.err and "goes on" in said.err and said.out == ""
    assert listed(place) == ["a.work"] and muxed.calls == []
    said = run(*command, "--partial")
    assert said.code == 130 and said.out.strip() == "a.gif" and len(muxed.calls[0]["frames"]) == 3
    assert '"frames":3' in muxed.calls[0]["recipe"]
    monkeypatch.setattr(Line, "__call__", lambda self, progress: False)
    assert run(*command, "--force").code == 0
    assert len(muxed.calls[1]["frames"]) == 5 and listed(place) == ["a.gif"]


def test_what_cannot_be_written_is_told_before_any_time_is_spent(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch, sky: Path) -> None:
    monkeypatch.setattr(Traveller, "make", lambda *_: pytest.fail("it began"))
    Path("a.mp4").write_bytes(b"mine")
    run("journey", "sky.png", "-o", "a.mp4").fault(5, "'a.mp4' exists already")
    run("journey", "sky.png", "-o", "no/a.mp4").fault(5, "does not exist")
    run("journey", "sky.png", "-o", "a.avi").fault(2, "'.avi'")
    run("journey", "sky.png", "edges", "objects").fault(2, "--ring")
    run("journey", "sky.png", "--ring").fault(2, "ring without targets")
    run("journey", "none.png").fault(3, "none.png")
    run("journey", "sky.png", "--preview", "-1").fault(2, "--preview -1")
    monkeypatch.setattr("reverie.motion.plan.find_spec", lambda name: None)
    run("journey", "sky.png", "-o", "b.mp4").fault(6, "PyAV", "pip install av opencv-python-headless")
    Path("full").mkdir()
    saved(Path("full/mine.png"))
    run("journey", "sky.png", "-o", "full").fault(5, "not empty")
    assert listed(place) == ["a.mp4", "full", "sky.png"]


def test_redo_makes_the_same_journey_again(place: Path, run: Run, sky: Path) -> None:
    small = ["--octaves", "1", "--steps", "1", "--rounds", "1", "--frames", "3", "--threads", "1"]
    assert run("journey", "sky.png", "-o", "a", "--level", "edges", "--width", "64", *small).code == 0
    said = run("redo", "a/000000.png", "-o", "b")
    assert said.code == 0 and said.out.strip() == "b" and "the same bytes" in said.err, said
    assert listed(place / "b") == listed(place / "a")
    assert all((place / "b" / each).read_bytes() == (place / "a" / each).read_bytes() for each in listed(place / "a"))
    assert run("redo", "a/000000.png").out.strip() == "a-redo"
    run("redo", "a/000001.png").fault(3, "no recipe")
    again = reverie.redo("a/000000.png", "c")
    assert again.finished and again.path == Path("c") and again.notes[0].endswith("the same bytes")
    assert all((place / "c" / each).read_bytes() == (place / "a" / each).read_bytes() for each in listed(place / "a"))
    with pytest.raises(UsageError, match=r"is a journey, which is written.*output"):
        reverie.redo("a/000000.png")
    with pytest.raises(UsageError, match="is a journey"):
        reverie.again("a/000000.png", seed=3)
    assert plan_again("a/000000.png", seed=3).recipe.seed == 3


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"motion": "open('x')"}, "motion"),
        ({"motion": "zoom=exp(9*t)"}, "motion"),
        ({"ring": ({"target": "blocks.1.0", "network": 3},)}, "ring"),
    ],
)
def test_a_strangers_recipe_is_checked(place: Path, run: Run, changed: dict[str, Any], part: str) -> None:
    recipe = plan_journey("noise:pink", "blocks.1.0", size=(32, 48), frames=9, fps=1, **SMALL | {"threads": 2}).recipe
    data = recipe.model_dump(mode="json") | {"journey": there(recipe.journey).model_dump(mode="json") | changed}
    carrying(place / "a.png", json.dumps(data))
    run("redo", "a.png", "-o", "b").fault(3, "cannot be followed", part)
    assert listed(place) == ["a.png"]


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        (("--close", "0.5"), "--close without --loop"),
        (("--turn", "2"), "--turn without --ring"),
        (("--enter", "3"), "--enter for a start of noise"),
    ],
)
def test_a_choice_that_would_change_nothing_is_refused(run: Run, place: Path, flags: tuple[str, ...], fault: str) -> None:
    run("journey", "noise:pink", "--size", "64x48", "--level", "edges", "--frames", "4", *flags).fault(2, fault)
    assert listed(place) == []
