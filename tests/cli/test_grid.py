"""`reverie grid`: what it prints, what it refuses, and the folder that it leaves."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from tests.helpers.commands import Run, listed, saved

from reverie.album import read_recipe
from reverie.cli.console import Notes
from reverie.networks import Network
from reverie.render import Plan

FEW = ("--octaves", "1", "--steps", "1")
AXES = ("--vary", "target=edge:0,edge:1", "--vary", "seed=0-1")
NAMES = [f"edge_{unit}-{seed}.png" for unit in (0, 1) for seed in (0, 1)]


@pytest.fixture(autouse=True)
def desk(place: Path, hand: Network) -> Path:
    """A working folder, and after that the small network in the place of the built-in ones."""
    return place


def test_paths_on_stdout_and_the_sheet_and_the_gallery_on_stderr(run: Run, small: Path) -> None:
    answer = run("grid", "small.png", *AXES, *FEW)
    assert answer.code == 0 and answer.out.split() == [f"small-grid/{name}" for name in NAMES], answer
    assert "4 pictures (2 targets × 2 seeds)" in answer.err and "small-grid/sheet.png" in answer.err
    assert "small-grid/index.html" in answer.err
    assert run("dream", "small.png", "-t", "edge:1", "--seed", "1", *FEW, "-o", "alone.png").code == 0
    assert answer.err.splitlines()[-1].strip() == "to rank them: reverie gallery small-grid --scores"
    assert Path("alone.png").read_bytes() == Path("small-grid/edge_1-1.png").read_bytes()
    again = run("grid", "small.png", *AXES, *FEW, "--json")
    assert "4 of 4 pictures (2 targets × 2 seeds) are there from before, nothing is left to be made" in again.err
    assert [(each["path"], each["seconds"], each["score"]) for each in again.data] == [(f"small-grid/{name}", 0.0, None) for name in NAMES]
    assert again.data[3]["recipe"]["seed"] == 1
    quiet = run("grid", "small.png", *AXES, *FEW, "--quiet", "--force", "--json", "-o", "other")
    assert quiet.err == "" and all(each["seconds"] > 0 and each["score"] is not None for each in quiet.data)


def test_an_estimate_says_how_many_and_makes_nothing(run: Run, small: Path) -> None:
    answer = run("grid", "small.png", *AXES, *FEW, "--estimate")
    assert answer.code == 0 and answer.out.startswith("4 pictures (2 targets × 2 seeds), about ") and "results of " in answer.out
    (row,) = run("grid", "small.png", *AXES, *FEW, "--estimate", "--json").data
    assert set(row) == {"pictures", "seconds", "memory", "disk", "result"} and row["pictures"] == 4
    assert listed(small.parent) == ["small.png"]


def test_a_folder_and_several_starts_are_the_first_axis(run: Run, small: Path) -> None:
    (small.parent / "in").mkdir()
    saved(small.parent / "in" / "one.png", 24, 24)
    saved(small.parent / "in" / "two.jpg", 24, 20)
    answer = run("grid", "in", "small.png", "--vary", "seed=3", "-t", "edge:0", *FEW, "-o", "out")
    assert answer.out.split() == ["out/one-3.png", "out/two-3.png", "out/small-3.png"], answer
    assert json.loads(Path("out/grid.json").read_text("utf-8"))["axes"][0] == {"name": "start", "values": ["one", "two", "small"]}
    same = run("grid", "--vary", "start=in,small.png", "--vary", "seed=3", "-t", "edge:0", *FEW, "-o", "out")
    assert "3 of 3 pictures" in same.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--vary", "sed=1"), "did you mean 'seed'?"),
        (("--vary", "seed=1,1"), "--seed 1 twice in a grid"),
        (("small.png", "--vary", "seed=1"), "reverie: 'small.png' twice in a grid"),
        (("--vary", "seed=1", "--seed", "2"), "--seed beside --vary seed"),
        (("--vary", "level=edges", "--vary", "target=edge:0"), "both --target and --level"),
        (("--vary", "steps=1,0"), "--steps 0"),
        (("--vary", "seed=0-1", "--command", "imagine", "--mix", "0.5"), "--mix is no choice of `imagine`"),
        ((), "--vary seed=0-3"),
        (("--vary", "target=edge:0,edge:9"), "edge"),
    ],
)
def test_a_mistake_is_a_line_and_a_remedy_and_nothing_is_made(run: Run, small: Path, arguments: tuple[str, ...], told: str) -> None:
    run("grid", "small.png", *arguments, "-o", "out").fault(2, told)
    assert listed(small.parent) == ["small.png"]


def test_files_that_are_not_there_are_told_before_anything(run: Run, small: Path) -> None:
    run("grid", "none.png", "--vary", "seed=1").fault(3, "none.png")
    run("grid", "small.png", "--vary", "guide=small.png,none.png", "-t", "edge").fault(3, "none.png")
    run("grid", "small.png", *AXES, "-o", "small.png").fault(5, "small.png")
    run("grid", "small.png", *AXES, "-o", ".").fault(5, "holds other things")


def test_guides_and_masks_vary_and_what_goes_in_is_not_written_over(run: Run, small: Path) -> None:
    saved(small.parent / "other.png", 32, 32)
    answer = run("grid", "small.png", "--vary", "guide=small.png,other.png", "-t", "edge", *FEW, "-o", "out")
    assert answer.out.split() == ["out/small.png", "out/other.png"], answer
    assert [read_recipe(each).objective for each in answer.out.split()] == ["guide", "guide"]


def test_another_grid_of_the_folder_is_refused_and_says_in_what_it_differs(run: Run, small: Path) -> None:
    run("grid", "small.png", *AXES, *FEW, "-o", "out")
    run("grid", "small.png", *AXES, "--octaves", "1", "--steps", "2", "-o", "out").fault(5, "4 of its 4 pictures", "(steps)", "--force")


def test_the_gallery_of_a_grid_is_brought_up_to_date_where_it_is(run: Run, small: Path) -> None:
    run("grid", "small.png", *AXES, *FEW, "-o", "out")
    assert run("gallery", "--verify", "out").out.startswith("4 pictures and 1 sheet are as they were listed")
    saved(small.parent / "out" / "mine.png", 20, 24)
    assert run("gallery", "--verify", "out").out == "added    mine.png\n"
    answer = run("gallery", "out")
    assert (
        answer.out == "out/index.html\n"
        and "all 4 pictures of the grid, none left out, and 1 sheet; beside them 1 other picture; 4 made" in answer.err
        and listed(small.parent) == ["out", "small.png"]
    )
    page = Path("out/index.html").read_text("utf-8")
    assert "other file" not in page and 'href="sheet.png">sheet.png</a>: a sheet of 4 pictures' in page  # grid.json is Reverie's own
    Path("out").rename("moved")
    assert run("gallery", "--verify", "moved").code == 0 and run("gallery", "moved").out == "moved/index.html\n"
    assert run("gallery", "moved", "-o", "beside").out == "beside/index.html\n"


def test_a_picture_that_was_taken_away_is_missing_from_the_page_and_told(run: Run, small: Path) -> None:
    run("grid", "small.png", *AXES, *FEW, "-o", "out")
    Path("out", NAMES[1]).unlink()
    answer = run("gallery", "out")
    assert f"3 of the 4 pictures of the grid, and 1 sheet; missing is {NAMES[1]}; 3 made by Reverie" in answer.err
    assert "none left out" not in answer.err + Path("out/index.html").read_text("utf-8").split("<main>")[0]
    (row,) = run("gallery", "out", "--json").data
    assert (row["pictures"], row["sheets"]) == (3, 1)
    assert row["grid"] == {"pictures": 4, "there": 3, "sheets": 1, "strange": [], "missing": [NAMES[1]], "never_fired": []}
    gone = run("gallery", "--verify", "out")  # though the page was made when it was gone already
    assert (gone.code, gone.out) == (3, f"removed  {NAMES[1]}\n") and "its own command makes what is missing" in gone.err
    run("grid", "small.png", *AXES, *FEW, "-o", "out")
    assert "all 4 pictures of the grid, none left out, and 1 sheet" in run("gallery", "out").err
    Path("out/grid.json").write_text("{")
    damaged = run("gallery", "out")
    assert damaged.code == 0 and "4 pictures and 1 sheet, none left out" in damaged.err and "grid.json is damaged" in damaged.err
    assert run("gallery", "out", "--json").data[0]["unreadable"][0]["path"] == "grid.json"


def test_a_switch_is_called_by_its_name(run: Run, small: Path) -> None:
    answer = run("grid", "small.png", "--vary", "opacity=true,false", "--vary", "mirror=false", "-t", "edge:0", *FEW, "-o", "out")
    assert answer.code == 0 and "2 pictures (opacity or not × not mirror)" in answer.err, answer
    assert answer.out.split() == ["out/opacity-not-mirror.png", "out/not-opacity-not-mirror.png"]
    assert json.loads(Path("out/grid.json").read_text("utf-8"))["axes"][0] == {"name": "opacity", "values": ["opacity", "not opacity"]}


def test_a_note_begins_with_the_picture_that_it_is_of_and_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    notes = Notes()
    for name in ("one.png", "two.png"):
        notes.tell(["it is flat"], name)
    assert capsys.readouterr().err == "reverie: one.png: it is flat\n"


def test_a_preset_beside_a_level_says_what_of_it_counts(run: Run, small: Path) -> None:
    answer = run("grid", "small.png", "--vary", "preset=weave,neon", "--vary", "target=edge:0,edge:1", *FEW, "-o", "out")
    assert answer.code == 0 and "--preset beside --target: of each preset all counts but its level" in answer.err, answer
    alone = run("grid", "small.png", "--vary", "seed=0-1", "-t", "edge:0", "--preset", "neon", *FEW, "-o", "alone")
    assert alone.code == 0 and "all counts but its level" not in alone.err


def test_interrupted_it_keeps_what_is_finished_and_goes_on(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, turns = Plan.make_all, iter(range(9))

    def interrupted(plan: Plan, *given: object) -> object:
        if next(turns) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return real(plan, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Plan, "make_all", interrupted)
        answer = run("grid", "small.png", *AXES, "--octaves", "1", "--steps", "2", "-o", "out")
    assert answer.code == 130 and "2 of 4 pictures are done, and the same command goes on with the rest" in answer.err
    assert "Traceback" not in answer.err and listed(small.parent / "out") == [*NAMES[:2], "grid.json"]
    again = run("grid", "small.png", *AXES, "--octaves", "1", "--steps", "2", "-o", "out")
    assert again.code == 0 and "2 of 4 pictures (2 targets × 2 seeds) are there from before, and it goes on" in again.err


def test_one_that_fails_is_told_and_gives_its_exit_code(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Plan.make_all

    def failing(plan: Plan, *given: object) -> object:
        if plan.recipe.seed == 1:
            raise MemoryError
        return real(plan, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Plan, "make_all", failing)
    answer = run("grid", "small.png", *AXES, *FEW, "-o", "out")
    assert answer.code == 3 and answer.out.split() == ["out/edge_0-0.png", "out/edge_1-0.png"], answer
    assert answer.err.count("there is not enough memory for this") == 1 and "out/index.html" in answer.err
    assert answer.err.count("there is not enough memory for this") == 1 and "out/index.html: the gallery, with 2 of 4" in answer.err


def test_several_networks_by_name(run: Run, small: Path, hand: Network) -> None:
    run("grid", "small.png", "--vary", "network=efficientnet-lite0,efficientnet-lite9", *FEW).fault(2, "efficientnet-lite9")
