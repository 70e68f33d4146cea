"""`--sheet`: a sheet of the very same pictures is made again, one of others is left as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.commands import SHORT, Run, carrying, saved

import reverie
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
