"""`--sheet`: a sheet of the very same pictures is made again, one of others is left as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.helpers.commands import SHORT, Run, carrying, saved

import reverie
from reverie.album import sheet_at
from reverie.cli.console import Line
from reverie.errors import OutputError
from reverie.render import Plan

DREAM = ("dream", "noise:pink", "noise:grey", *SHORT, "--size", "64", "--sheet", "s.png")
IMAGINE = ("imagine", "banana", "daisy", "--size", "32", "--octaves", "1", "--steps", "1", "--sheet", "s.png")


@pytest.fixture(autouse=True)
def unseen(sky: Path, alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.render.plan.own_views", lambda pictures, *_: [() for _ in pictures])


def test_a_sheet_of_other_pictures_is_refused_before_any_is_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(*DREAM).code == 0
    before = Path("s.png").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Plan, "make_all", lambda *_: pytest.fail("nothing should be made"))
        for other in (IMAGINE, (*DREAM, "--seed", "3"), (*DREAM, "--preset", "eyes"), ("dream", "noise:white", *DREAM[2:])):
            run(*other).fault(5, "'s.png' exists already, a sheet of other pictures", "--force")
        run("dream", "noise:pink", *DREAM[3:]).fault(5, "'s.png' exists already, a sheet of more pictures", "--force")
        assert Path("s.png").read_bytes() == before
        assert run(*DREAM).out.splitlines()[-1] == "s.png"
    assert run(*IMAGINE, "--force").code == 0 and Path("s.png").read_bytes() != before


def test_one_that_was_broken_off_is_made_whole(run: Run) -> None:
    assert run("dream", "noise:pink", *DREAM[3:]).code == 0
    before = Path("s.png").read_bytes()
    assert run(*DREAM).code == 0 and Path("s.png").read_bytes() != before


def test_a_picture_that_failed_comes_onto_the_sheet_later(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate("am"):
        saved(Path(f"{name}.png"), 48, 64 + number)
    shutil.move("m.png", "later.png")
    command = ("dream", "a.png", "m.png", sky.name, *SHORT, "--width", "64", "--sheet", "s.png")
    first = run(*command)
    assert first.code == 3 and "'m.png' does not exist" in first.err
    some = sheet_at(Path("s.png")) or []
    assert len(some) == 2
    shutil.move("later.png", "m.png")
    with monkeypatch.context() as patch:  # Ctrl-C before the last leaves the sheet that has it
        patch.setattr(Line, "interrupted", property(lambda self: self.doing == "dreaming 3/3", lambda *_: None), raising=False)
        stopped = run(*command)
    assert stopped.code == 130 and "'s.png' has more" in stopped.err and sheet_at(Path("s.png")) == some, stopped
    second = run(*command)
    assert second.code == 0 and second.out.splitlines()[-1] == "s.png", second
    whole = sheet_at(Path("s.png")) or []
    assert len(whole) == 3 and [whole[0], whole[2]] == some


def test_a_sheet_with_another_picture_at_its_end_is_refused_before_any_is_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(*IMAGINE).code == run("dream", "noise:grey", *DREAM[3:], "--sheet", "t.png").code == 0
    monkeypatch.setattr(Plan, "make", lambda *_: pytest.fail("nothing should be made"))
    monkeypatch.setattr(Plan, "make_all", lambda *_: pytest.fail("nothing should be made"))
    run("imagine", "jeep", *IMAGINE[2:]).fault(5, "'s.png' exists already, a sheet of other pictures")
    run("dream", "noise:white", "noise:pink", *DREAM[3:], "--sheet", "t.png").fault(5, "'t.png' exists already, a sheet of other pictures")


def test_a_sheet_is_not_put_over_what_goes_in(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").mkdir()
    saved(Path("in/a.png"))
    monkeypatch.setattr(Plan, "make", lambda *_: pytest.fail("nothing should be made"))
    for start in ("in/a.png", "in"):
        refused = run("dream", start, "sky.png", *SHORT, "--sheet", "in/a.png", "--force", "-o", "out/")
        refused.fault(5, "'in/a.png' is what goes in", "give another name with --sheet")
    run("dream", "sky.png", *SHORT, "--sheet", "sky.png/s.png").fault(5, "'sky.png' is not a folder", "with --sheet")


def test_an_older_sheet_that_does_not_say_of_what_it_is_stays(run: Run) -> None:
    carrying(Path("s.png"), '{"made":"sheet"}')
    run(*IMAGINE).fault(5, "'s.png' exists already", "--force")
    run("recipe", "s.png").fault(3, "is a sheet of pictures")


def test_in_python_as_on_the_command_line() -> None:
    pictures = [reverie.dream("sky.png", octaves=1, steps=1, seed=seed) for seed in (0, 1)]
    reverie.sheet(pictures).save("s.png")
    reverie.sheet(pictures).save("s.png")
    with pytest.raises(OutputError, match="exists already"):
        reverie.sheet(pictures[::-1]).save("s.png")
    saved(Path("mine.png"))
    with pytest.raises(OutputError, match="exists already"):
        reverie.sheet(pictures).save("mine.png")
