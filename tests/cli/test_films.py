"""The command film, and recipe and redo of one: what it writes and says, Ctrl-C, and what is refused before any time is spent."""

from __future__ import annotations

import signal
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("av")

from tests.helpers import clips
from tests.helpers.commands import Run, listed

import reverie
from reverie.album import read_recipe
from reverie.cli.console import Line, Progress
from reverie.errors import InputError
from reverie.files.films.reading import survey
from reverie.motion.film_frames import Cinema

SMALL = ("--level", "edges", "--octaves", "1", "--steps", "1", "--carried-octaves", "1", "--carried-steps", "1", "--threads", "1")
TARGET = "blocks.1.0"
NAME = f"in-{TARGET}-0.mp4"


@pytest.fixture
def video(place: Path) -> Path:
    """Four frames, of which the third is shown longer, with sound."""
    times = [Fraction(each, 25) for each in (0, 1, 2, 5)]
    clips.save_clip(place / "in.mp4", clips.pan(4, 48, 64).frames, times=times, sound_seconds=0.24)
    return Path("in.mp4")


def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cinema, "make", lambda *_: pytest.fail("it began"))


def test_a_film_is_named_carries_its_recipe_and_is_made_again(place: Path, run: Run, video: Path) -> None:
    said = run("film", video, "--json", "--steady", "0.9", *SMALL)
    assert said.code == 0 and listed(place) == [NAME, "in.mp4"], said
    (made,) = said.data
    assert sorted(made) == ["path", "recipe", "score", "seconds"] and made["path"] == NAME
    assert made["score"] is None and made["seconds"] >= 0
    recipe = made["recipe"]
    assert (recipe["command"], recipe["target"], recipe["film"]["steady"], recipe["film"]["carried_steps"]) == ("film", TARGET, 0.9, 1)
    found, source = survey(Path(NAME)), survey(video)
    assert (found.times, found.end, found.width, found.height) == (source.times, source.end, 64, 48) and found.sound
    told = run("recipe", NAME, "--json")
    assert told.code == 0 and told.data[0]["recipe"] == made["recipe"]
    video.unlink()  # it is kept in the cache
    said = run("redo", NAME)
    assert said.code == 0 and said.out.strip() == "in-blocks.1.0-0-redo.mp4" and said.err.count("the same bytes") == 1, said
    assert Path("in-blocks.1.0-0-redo.mp4").read_bytes() == Path(NAME).read_bytes()


def test_redo_finds_the_film_beside_or_where_it_is_told(place: Path, run: Run, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("film", video, "-o", "a", "--frames", "2", "--no-keep", *SMALL).out.strip() == "a"
    assert listed(place / "a") == ["000000.png", "000001.png"]
    assert read_recipe(place / "a" / "000000.png").film.frames == 2  # type: ignore[union-attr]
    run("recipe", "a/000001.png").fault(3, "no recipe")
    Path("other").mkdir()
    video.rename("other/mine.mp4")
    clips.save_clip(place / "wrong.mp4", clips.pan(4, 48, 64, seed=2).frames)
    run("redo", "a/000000.png", "-o", "b").fault(3, "the film of '000000.png' is not to be found", "--start")
    with pytest.raises(InputError, match="is not the film of"):
        reverie.redo("a/000000.png", "b", start="wrong.mp4")
    another = run("redo", "a/000000.png", "-o", "another", "--start", "wrong.mp4", "--quiet")
    assert another.code == 0 and read_recipe("another/000000.png").made_from is not None, another
    run("redo", "a/000000.png", "-o", "b", "--start", "none.mp4").fault(3, "does not exist")
    said = run("redo", "a/000000.png", "-o", "b", "--start", "other")
    assert said.code == 0 and said.out.strip() == "b", said
    Path("other/mine.mp4").rename("a/mine.mp4")
    said = run("redo", "a/000000.png", "-o", "c", "--quiet")
    assert said.code == 0 and listed(place / "b") == listed(place / "c") == ["000000.png", "000001.png"], said
    for each in listed(place / "b"):
        assert (place / "a" / each).read_bytes() == (place / "b" / each).read_bytes() == (place / "c" / each).read_bytes()


def presses(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Ctrl-C after so many frames."""
    drawn = Line.__call__
    seen: list[str] = []

    def pressing(self: Line, progress: Progress) -> bool:
        seen.append(progress.doing)
        if len(seen) == after:
            signal.raise_signal(signal.SIGINT)
        return drawn(self, progress)

    monkeypatch.setattr(Line, "__call__", pressing)


def test_ctrl_c_keeps_the_frames_and_the_same_command_goes_on(place: Path, run: Run, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        presses(patch, 2)
        said = run("film", video, "-o", "a", *SMALL)
    assert said.code == 130 and said.out == "", said
    words = [each.strip() for each in said.err.splitlines()[-2:]]
    assert words == ["reverie: stopped early: 2 of 4 frames are kept", "the same command goes on"], said.err
    assert listed(place) == ["a.work", "in.mp4"] and listed(place / "a.work" / "frames") == ["000000.png", "000001.png"]
    said = run("film", video, "-o", "a", *SMALL)
    assert said.code == 0 and "2 of 4 frames are there from before" in said.err and listed(place) == ["a", "in.mp4"], said


def test_a_part_is_left_on_request_with_the_sound_to_its_end(place: Path, run: Run, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        presses(patch, 2)
        said = run("film", video, "-o", "a.mp4", "--partial", "--json", *SMALL)
    assert said.code == 130 and "2 of 4 frames are kept" in said.err, said
    assert said.data[0]["path"] == "a.mp4" and said.data[0]["recipe"]["film"]["frames"] == 2
    part = survey(Path("a.mp4"), strict=True)
    assert len(part.times) == 2 and part.end == Fraction(2, 25) and part.sound
    sounds = [clips.heard(each)[0] for each in (Path("a.mp4"), video)]
    assert abs(len(sounds[0]) / clips.RATE - 2 / 25) < 0.03 and len(sounds[1]) / clips.RATE > 0.2
    assert np.array_equal(sounds[0][:2048], sounds[1][:2048])
    said = run("film", video, "-o", "a.mp4", "--frames", "3", *SMALL)  # goes on, in the place of its own part
    assert said.code == 0 and len(survey(Path("a.mp4")).times) == 3 and listed(place) == ["a.mp4", "in.mp4"], said
    idle(monkeypatch)
    run("film", video, "-o", "a.mp4", "--frames", "2", *SMALL).fault(5, "'a.mp4' exists already")


def test_what_cannot_be_written_is_told_before_any_time_is_spent(
    place: Path, run: Run, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle(monkeypatch)
    Path(NAME).write_bytes(b"mine")
    run("film", video, "-o", NAME, *SMALL).fault(5, f"'{NAME}' exists already")
    for forced in ((), ("--force",)):
        run("film", video, "-o", "in.mp4", *SMALL, *forced).fault(5, "'in.mp4' is what goes in")
    run("film", video, "-o", "no/a.mp4", *SMALL).fault(5, "does not exist")
    run("film", video, "-o", "c.avi", *SMALL).fault(2, "'.avi'")
    Path("full").mkdir()
    Path("full/mine").write_bytes(b"mine")
    run("film", video, "-o", "full", *SMALL).fault(5, "not empty")
    run("film", video, "--preview", "-1", *SMALL).fault(2, "--preview -1")
    run("film", video, "--steady", "2", *SMALL).fault(2, "--steady 2")
    assert listed(place) == ["full", NAME, "in.mp4"] and Path(NAME).read_bytes() == b"mine"


@pytest.mark.parametrize(("package", "name"), [("av", "PyAV"), ("cv2", "OpenCV")])
def test_a_missing_extra_is_named(run: Run, video: Path, monkeypatch: pytest.MonkeyPatch, package: str, name: str) -> None:
    from reverie.api import moving

    idle(monkeypatch)
    find = find_spec
    monkeypatch.setattr(moving, "find_spec", lambda each: None if each == package else find(each))
    run("film", video, *SMALL).fault(6, name, "pip install av opencv-python-headless")


def test_what_is_no_film_is_told_in_two_lines(place: Path, run: Run, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    idle(monkeypatch)
    Path("text.mp4").write_text("no film\n" * 99)
    Path("empty.mp4").touch()
    Path("folder.mp4").mkdir()
    for name, said in (("text.mp4", "text.mp4"), ("empty.mp4", "is empty"), ("folder.mp4", "is a folder"), ("none.mp4", "does not exist")):
        run("film", name, *SMALL).fault(3, f"'{name}'", said)
    run("film", video, "--max-pixels", "3000", *SMALL).fault(4, "in.mp4")
    assert listed(place) == ["empty.mp4", "folder.mp4", "in.mp4", "text.mp4"]


def test_a_damaged_film_is_dreamt_with_a_remark_and_refused_on_request(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = clips.save_clip(place / "cut.mkv", clips.pan(30, 48, 64).frames, sound_seconds=1.2)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with monkeypatch.context() as patch:
        idle(patch)
        run("film", "cut.mkv", "--strict", *SMALL).fault(3, "'cut.mkv'", "leave out --strict")
    said: Any = run("film", "cut.mkv", "-o", "a", *SMALL)
    assert said.code == 0 and 0 < len(listed(place / "a")) < 30 and ("can be read" in said.err or "damaged" in said.err), said
