"""A name that is taken by something else: what that is, is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.commands import SHORT, Run, carrying, saved
from tests.helpers.recipes import DIGEST, PLAIN

from reverie.album import read_recipe
from reverie.cli.seen_folder import FIGURES, what_is_in
from reverie.recipe import Opinion, Stopped
from reverie.recipe.description import told_apart

OPINIONS = (Opinion(network="lite1", sha256=DIGEST, rank=1, probability=0.5),)


def test_recipes_are_told_apart_by_the_names_of_their_choices() -> None:
    other = PLAIN.model_copy(update={"seed": PLAIN.seed + 1, "ascent": PLAIN.ascent.model_copy(update={"steps": 3})})
    assert told_apart(PLAIN, other) == ["steps", "seed"] and told_apart(PLAIN, PLAIN) == []
    for unchosen in (
        {"machine": PLAIN.machine.model_copy(update={"threads": 7})}, {"opinions": OPINIONS}, {"schema_version": 1},
        {"stopped": Stopped(octave=1, step=1)},
    ):  # fmt: skip
        assert told_apart(PLAIN, PLAIN.model_copy(update=unchosen)) == [], unchosen


def test_another_picture_of_the_name_is_told_with_what_it_is(run: Run, place: Path) -> None:
    saved(place / "a.png")
    first = run("dream", "a.png", *SHORT, "--level", "edges")
    name = first.out.strip()
    other = run("dream", "a.png", *SHORT, "--level", "edges", "--strength", "0.02")
    assert f"'{name}' is there already, and is something else, made with other choices (strength)" in other.err, other
    saved(place / name)
    assert "something else, without a recipe" in run("dream", "a.png", *SHORT, "--level", "edges").err


def test_one_of_another_machine_or_version_is_told_as_that(run: Run, place: Path) -> None:
    saved(place / "a.png")
    command = ("dream", "a.png", *SHORT, "--level", "edges", "--threads")
    name = run(*command, "1").out.strip()
    words = "made on another machine, or by another torch or Reverie, or with other threads or precision: this one goes to"
    assert words in run(*command, "2").err
    older = read_recipe(name).model_copy(update={"schema_version": 1, "opinions": OPINIONS})
    carrying(place / name, older.text())
    assert words in run(*command, "1").err


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ('{"asked": {"picture": "b", "steps": 3}, "expected": 1, "layers": []}', "of another picture"),
        ('{"asked": {"picture": "a", "steps": 4}, "expected": 1, "layers": []}', "of this picture with other choices (steps)"),
        ("[]", "no page of this command"),
    ],
)
def test_another_look_is_told_with_what_it_is(there: str, words: str, tmp_path: Path) -> None:
    (tmp_path / FIGURES).write_text(there)
    assert what_is_in(tmp_path, {"picture": "a", "steps": 3}) == words
