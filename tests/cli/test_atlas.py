"""`reverie atlas`: what it prints, what it refuses, and the folder that it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.commands import Run, listed, saved

from reverie.networks import Network

FEW = ("--octaves", "1", "--steps", "1", "--size", "16", "--facets", "0", "--no-maps")
ONE = ("--units", "edge:0-1", "--classes", "none", *FEW)


@pytest.fixture(autouse=True)
def desk(place: Path, hand: Network) -> Path:
    """A working folder, and after that the small network in the place of the built-in ones."""
    return place


def test_the_first_page_on_stdout_and_what_is_missing_on_stderr(run: Run) -> None:
    answer = run("atlas", *ONE, "-o", "site")
    assert answer.code == 0 and answer.out.split() == ["site/index.html"], answer
    assert "2 units of 1 layer" in answer.err and "--dataset FOLDER" in answer.err
    assert Path("site/edge/0.html").is_file() and Path("site/edge/1.webp").is_file()
    (row,) = run("atlas", *ONE, "-o", "site", "--json").data
    assert row["path"] == "site/index.html" and (row["units"], row["classes"], row["finished"], row["failed"]) == (2, 0, True, [])
    (other,) = run("atlas", *ONE, "-o", "another", "--json", "--quiet").data
    assert other["manifest"] == row["manifest"]


def test_an_estimate_makes_nothing(run: Run, small: Path) -> None:
    (small.parent / "in").mkdir()
    saved(small.parent / "in" / "one.png", 24, 24)
    answer = run("atlas", *ONE, "--dataset", "in", "--estimate")
    assert answer.code == 0 and answer.out.startswith("2 units of 1 layer, 1 picture, about "), answer
    (row,) = run("atlas", *ONE, "--estimate", "--json").data
    assert set(row) == {"units", "classes", "pictures", "seconds", "memory", "result"} and row["units"] == 2
    assert listed(small.parent) == ["in", "small.png"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--layers", "edeg", *FEW), 2, "did you mean 'edge'?"),
        (("--units", "edge:9", *FEW), 2, "edge:9"),
        ((*ONE, "--dataset", "nowhere"), 3, "nowhere"),
        ((*ONE, "-o", "taken"), 5, "holds something else"),
        ((*ONE, "-o", "taken", "--force"), 5, "holds something else"),
        ((*ONE, "--workers", "2"), 2, "--workers without --on"),
        ((*ONE, "--sample", "0"), 2, "--sample 0"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(arguments: tuple[str, ...], code: int, told: str, run: Run, tmp_path: Path) -> None:
    Path("taken").mkdir()
    Path("taken/mine.txt").write_text("kept")
    answer = run("atlas", *arguments)
    assert answer.code == code and told in answer.err and answer.out == "" and answer.err.count("\n") <= 3, answer
    assert Path("taken/mine.txt").read_text() == "kept" and [each.name for each in Path("taken").iterdir()] == ["mine.txt"]
