"""Ctrl-C: once keeps what was dreamt, twice gives up, and neither leaves anything half-made."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.commands import Run, contents, listed, photo, pixels, saved

from reverie import store
from reverie.album import read_recipe, sheet_at
from reverie.recipe import digest

pytestmark = pytest.mark.usefixtures("place")


def interrupted(times: int, *flags: str) -> tuple[int, str]:
    """A dream of very many steps in a process of its own, and Ctrl-C so many times once it has begun."""
    command = [sys.executable, "-c", "from reverie.cli import run; run()", "dream", "sky.png", "-o", "a.png", "--steps", "10000"]
    dreaming = subprocess.Popen([*command, *flags], stderr=subprocess.PIPE, text=True)
    assert dreaming.stderr is not None
    kept, until = store.cache_folder() / "inputs", time.monotonic() + 60
    while not (kept.is_dir() and any(kept.rglob("*"))) and time.monotonic() < until:  # the start is kept when the dream begins
        time.sleep(0.02)
    time.sleep(0.7)
    err = ""
    for _ in range(times):
        dreaming.send_signal(signal.SIGINT)
        while "give up" not in err and dreaming.poll() is None:
            err += dreaming.stderr.readline()
    err += dreaming.communicate(timeout=60)[1]
    return dreaming.returncode, err


def test_ctrl_c_keeps_what_was_dreamt_and_redo_makes_it_again(run: Run, sky: Path, place: Path) -> None:
    code, err = interrupted(1, "--octaves", "2")
    assert code == 130 and "stopped early" in err and "Traceback" not in err
    assert listed(place) == ["a.png", "sky.png"]
    stopped = read_recipe("a.png").stopped
    assert stopped is not None and stopped.octave == 1 and 1 <= stopped.step < 10_000
    assert np.abs(pixels(Path("a.png")) - photo()).mean() > 0.5
    again = run("redo", "a.png", "-o", "b.png")
    assert again.code == 0 and "the same bytes" in again.err
    assert Path("b.png").read_bytes() == Path("a.png").read_bytes()


def test_ctrl_c_twice_gives_up(sky: Path, place: Path) -> None:
    code, err = interrupted(2, "--octaves", "1", "--width", "1200")  # a step of it takes so long that the second comes before its end
    assert code == 130 and "Traceback" not in err
    assert listed(place) == ["sky.png"]


def at_step(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Ctrl-C so many times when the third step is made."""
    from reverie.cli.console import Line

    seen: list[object] = []

    def call(self: Line, progress: object) -> bool:
        seen.append(progress)
        if len(seen) == 3:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return self.interrupted

    monkeypatch.setattr(Line, "__call__", call)


def test_ctrl_c_among_several(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(monkeypatch, 1)
    before = signal.getsignal(signal.SIGINT)
    answer = run("dream", "noise:pink", "noise:white", "noise:grey", "--octaves", "1", "--steps", "2", "--width", "64", "--json")
    assert answer.code == 130 and [each["path"].split("-")[1] for each in answer.data] == ["pink", "white"]
    assert [each["recipe"]["stopped"] for each in answer.data] == [None, {"octave": 1, "step": 1}]
    assert signal.getsignal(signal.SIGINT) is before
    assert "1 of 3 pictures are done, and the same command goes on with the rest" in answer.err


def test_ctrl_c_says_how_many_are_done_and_what_goes_on(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ("--size", "64", "--octaves", "1", "--steps", "2", "--batch", "1")
    with monkeypatch.context() as patch:
        at_step(patch, 1)
        answer = run("imagine", "banana", "daisy", "jeep", *small, "--force")
    assert answer.code == 130 and "1 of 3 pictures are done, and the same command without --force goes on" in answer.err, answer


@pytest.mark.parametrize(
    "command",
    [
        ("imagine", "banana", "daisy", "--batch", "1", "--steps", "2"),
        ("dream", "noise:pink", "--steps", "5"),
        ("dream", "noise:pink", "--steps", "5", "-o", "a.png"),
    ],
)
@pytest.mark.parametrize("forced", [(), ("--force",)])
def test_ctrl_c_without_a_recipe_says_that_it_is_made_anew(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], forced: tuple[str, ...]
) -> None:
    """Nobody knows how far it had come: the same command takes it for another's."""
    command = (*command, "--size", "64", "--octaves", "1", "--no-recipe")
    with monkeypatch.context() as patch:
        at_step(patch, 1)
        answer = run(*command, *forced)
    assert answer.code == 130 and listed(place) == sorted(answer.out.splitlines()), answer
    assert "as its recipe says" not in answer.err and "makes it whole" not in answer.err and " are done" not in answer.err
    again = "the same command makes it anew" if forced else "the same command with --force makes it anew"
    assert f"the last picture is what had been dreamt so far; {again}" in answer.err
    assert run(*command, "--force").code == 0 and set(answer.out.splitlines()) <= set(listed(place))


def test_ctrl_c_leaves_a_whole_picture_that_was_there(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("dream", sky.name, "--octaves", "1", "--steps", "5", "-o", "a.png")
    before = Path("a.png").read_bytes()
    at_step(monkeypatch, 1)
    run("dream", sky.name, "--octaves", "1", "--steps", "5", "-o", "a.png", "--force").fault(130, "'a.png' was there before")
    assert Path("a.png").read_bytes() == before


def test_what_was_there_before_hides_neither_count_nor_faults_nor_sheet(
    run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "b.png"):
        saved(place / name)
    command = ("dream", "a.png", "none.png", "b.png", "noise:pink", "--width", "64", "--octaves", "1", "--steps", "2", "-o", "out")
    assert run(*command).code == 3
    before = contents(place / "out")
    at_step(monkeypatch, 1)
    answer = run(*command, "--force", "--sheet", "s.png")
    assert answer.code == 130 and contents(place / "out") == before, answer
    first, sheet = answer.out.splitlines()
    assert sheet == "s.png" and sheet_at(Path("s.png")) == [digest(read_recipe(first))]
    assert "'none.png' does not exist" in answer.err
    assert "1 of 3 pictures are done" in answer.err and re.search(r"'out/b-.*\.png' was there before and is left as it was", answer.err)


def test_a_batch_that_was_there_before_is_left(run: Run, alone: None, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("imagine", "banana", "daisy", "--size", "64", "--octaves", "1", "--steps", "5")
    assert run(*command).code == 0
    before = contents(place)
    at_step(monkeypatch, 1)
    run(*command, "--force").fault(130, "stopped early", "0 of 2 pictures", "2 pictures were there before and are left as they were")
    assert contents(place) == before


@pytest.mark.parametrize("named", [("-o", "a.png"), (), ("--making", "2")])
def test_the_same_command_makes_whole_what_was_stopped(
    run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch, named: tuple[str, ...]
) -> None:
    command = ("dream", sky.name, "--octaves", "1", "--steps", "5", *named)
    with monkeypatch.context() as patch:
        at_step(patch, 1)
        stopped = run(*command)
    assert stopped.code == 130 and "the same command makes it whole" in stopped.err
    part, *_ = stopped.out.splitlines()
    assert (old := read_recipe(part).stopped) is not None and old.step == 3
    with monkeypatch.context() as patch:  # stopped earlier, the further one stays
        at_step(patch, 1)
        before = Path(part).read_bytes()
        from reverie.cli.console import Line

        patch.setattr(Line, "__call__", lambda *_: True)
        assert run(*command).code == 130 and Path(part).read_bytes() == before
    whole = run(*command)
    assert whole.code == 0 and whole.out == stopped.out and "stopped at octave 1, step 3" in whole.err
    assert read_recipe(part).stopped is None and listed(place) == sorted({"sky.png", *whole.out.splitlines()})


def test_ctrl_c_twice_in_one_step(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(monkeypatch, 2)
    answer = run("dream", sky.name, "--octaves", "1", "--steps", "5", "-o", "a.png")
    assert (answer.code, answer.out) == (130, "") and listed(place) == ["sky.png"]


@pytest.mark.parametrize(("command", "part"), [("dream", "step"), ("journey", "frame")])
def test_ctrl_c_says_after_what_it_stops(run: Run, monkeypatch: pytest.MonkeyPatch, command: str, part: str) -> None:
    told: list[bytes] = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda place, text: told.append(text) if place == 2 else write(place, text))
    at_step(monkeypatch, 1)
    frames = ("--frames", "5", "-o", "a.gif") if command == "journey" else ("-o", "a.png")
    assert run(command, "noise:pink", "--size", "64", "--octaves", "1", "--steps", "5", *frames).code == 130
    assert len(told) == 1 and f"stopping after this {part};".encode() in told[0]


def test_a_part_of_a_class_picture_is_not_judged_and_is_made_again_over_another(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ("--size", "64", "--octaves", "1", "--company", "1")
    with monkeypatch.context() as patch:
        at_step(patch, 1)
        part = run("imagine", "banana", *small, "--steps", "5", "-o", "part.png")
    assert part.code == 130 and "ranks it" not in part.err and "the network says" not in part.err, part
    stopped = read_recipe("part.png")
    assert stopped.stopped is not None and stopped.opinions == ()
    whole = run("imagine", "banana", *small, "--steps", "1", "-o", "other.png")
    assert whole.code == 0 and "ranks it" in whole.err and read_recipe("other.png").opinions
    again = run("redo", "part.png", "-o", "other.png", "--force")
    assert again.code == 0 and "stopped early" not in again.err, again
    assert Path("other.png").read_bytes() == Path("part.png").read_bytes()
