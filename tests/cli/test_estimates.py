"""What something would take, before it is made: time, memory, disk and the result; of films also as they are made."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.helpers.commands import SHORT, Run, listed, saved

from reverie.api import plan_journey
from reverie.cli.console import Line
from reverie.cli.estimates import corrected, in_bytes, in_time, of_all
from reverie.cli.moving import _TimeTold
from reverie.files import packed_size
from reverie.work import Progress

TINY = ("--size", "64x48", "--level", "edges", "--octaves", "2", "--octave-scale", "2", "--steps", "5", "--rounds", "4")


def test_figures_as_people_say_them() -> None:
    assert [in_time(each) for each in (0.2, 61, 150, 9000)] == ["1 s", "61 s", "2 min", "2.5 h"]
    assert [in_bytes(each) for each in (500, 34_000, 12_300_000, 940_000_000, 2.34e10)] == ["1 KB", "34 KB", "12 MB", "0.9 GB", "23.4 GB"]


def test_the_result_by_its_kind() -> None:
    assert packed_size(1000, 1000, 3, ".png") == 2_000_000 > packed_size(1000, 1000, 3, ".JPG") > packed_size(1000, 1000, 3, ".webp")
    assert packed_size(100, 100, 3, ".png", deep=True) > 2 * packed_size(100, 100, 3, ".png")
    assert packed_size(300, 100, 1, ".png") == packed_size(100, 100, 3, ".png")
    assert packed_size(100, 100, 5, ".png") == 10_000 * (2 + 4 * 5)  # all channels beside it
    rows: list[dict[str, Any]] = [
        {"seconds": 60.0, "memory": 1e9, "disk": 0, "result": 2e6}, {"seconds": 90.0, "memory": 3e9, "disk": 5e9, "result": 1e6},
    ]  # fmt: skip
    assert (
        of_all(rows)
        == "2 pictures: about 2 min as fast as the machine is now, 3.0 GB of memory, 5.0 GB of disk while it works, a result of 3 MB"
    )


def test_a_folder_has_a_sum_and_the_result_is_named(run: Run, place: Path) -> None:
    (place / "in").mkdir()
    for name in ("a.png", "b.png"):
        saved(place / "in" / name)
    made = run("dream", "in", *SHORT, "--level", "edges", "--estimate")
    assert made.code == 0 and len(made.out.splitlines()) == 3, made
    assert "a result of 25 KB" in made.out.splitlines()[0] and made.out.splitlines()[2].startswith("2 pictures: about ")
    (one,) = run("dream", "in/a.png", *SHORT, "--level", "edges", "--estimate", "--json", "-o", "x.jpg").data
    assert one["result"] == int(96 * 128 * 0.7) and listed(place) == ["in"]


def test_pictures_from_noise_with_those_that_nobody_sees(run: Run, place: Path) -> None:
    short = ("--size", "64", "--octaves", "1", "--steps", "2", "--estimate")
    (alone,) = run("imagine", "banana", *short, "--company", "1", "--json").data
    (one,) = run("imagine", "banana", *short, "--json").data
    assert (alone["unseen"], one["unseen"], one["targets"]) == (0, 3, ["banana"])
    assert one["memory"] - 400_000_000 == pytest.approx(4 * (alone["memory"] - 400_000_000), rel=0.01)  # but for the program itself
    assert one["result"] == alone["result"] == packed_size(64, 64, 3, ".png") and one["seconds"] > 0
    told = run("feature", "blocks.4.1:0-2", *short, "--batch", "2", "-o", "made/").out.splitlines()
    assert told[0].startswith("blocks.4.1:0, blocks.4.1:1: 64×64, about ") and told[2].startswith("3 pictures: about "), told
    assert listed(place) == []


def test_a_journey_by_the_steps_it_takes(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()
    monkeypatch.setattr("reverie.motion.plan.time", SimpleNamespace(monotonic=lambda: next(clock) * 3.0))  # three steps take three seconds
    (found,) = run("journey", "noise:pink", *TINY, "--frames", "10", "--estimate", "--json").data
    dreams, steps = (
        4 + 9,
        5 * (1 + 1 / 4),
    )  # the first frame has four; each of two octaves has five steps, and the first a quarter of the pixels
    assert found["seconds"] == pytest.approx(dreams * steps) and found["frames"] == 10
    assert found["disk"] == 10 * 2 * 64 * 48 and 0 < found["result"] < found["disk"]
    told = run("journey", "noise:pink", *TINY, "--frames", "10", "--estimate", "-o", "frames/").out
    assert told.startswith("10 frames of 64×48, about 81 s as fast as the machine is now, ") and told.rstrip().endswith("a result of 61 KB")
    assert listed(place) == []
    looped = plan_journey("noise:pink", size=(48, 64), level="edges", frames=10, fps=2.0, loop=True, close=1.0, rounds=4).estimate()
    assert looped.frames == 10 and looped.disk == 12 * 2 * 64 * 48  # two frames more are dreamt


def test_frames_and_time_are_told_after_the_first_that_follow(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()
    monkeypatch.setattr("reverie.cli.moving.time", SimpleNamespace(monotonic=lambda: next(clock) * 7.0))  # seconds for each frame
    small = ("--size", "64x48", "--level", "edges", "--octaves", "1", "--steps", "1", "--rounds", "1", "--frames", "5")
    told = run("journey", "noise:pink", *small, "-o", "a/")
    assert told.code == 0 and told.err.count("5 frames, about 21 s") == 1, told
    assert "frames, about" not in run("journey", "noise:pink", *small, "-o", "b/", "--quiet").err


def test_a_film_that_goes_on_tells_the_frames_that_are_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = count()
    monkeypatch.setattr("reverie.cli.moving.time", SimpleNamespace(monotonic=lambda: next(clock) * 7.0))
    told = _TimeTold(Line(quiet=False), 40)
    for number in range(11, 40):
        told(Progress(number, 40, 1.0, 1.0))
    assert "29 frames, about 3 min" in capsys.readouterr().err


def test_what_was_told_of_several_is_corrected_by_the_first() -> None:
    assert corrected(10, 14, 90, 9) is None and corrected(10, 30, 0, 0) is None
    assert corrected(1, 4, 90, 9) is None and corrected(10, 30, 9, 1) is None
    assert corrected(10, 30, 90, 9) == "the first took 30 s where 10 s were expected: 9 left, about 4 min"
    assert corrected(10, 5, 90, 9) == "the first took 5 s where 10 s were expected: 9 left, about 45 s"


@pytest.mark.parametrize("command", ["see", "dream"])
def test_the_rest_of_a_folder_is_told_anew_once_the_first_is_made(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("reverie.insight.SeePlan.seconds", lambda _: 9e6)
    monkeypatch.setattr("reverie.render.Plan.estimate", lambda _: SimpleNamespace(seconds=9e6))
    for name in ("a.png", "b.png", "c.png"):
        saved(place / name)
    flags = ("--layers", "blocks.0.0", "--channels", "0", "--steps", "1") if command == "see" else (*SHORT, "--level", "edges")
    told = run(command, "a.png", "b.png", "c.png", *flags)
    assert told.code == 0 and told.err.count("where 2500.0 h were expected: 2 left, about ") == 1, told
    assert "were expected" not in run(command, "a.png", *flags, "--force").err
