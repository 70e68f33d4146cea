"""Parts of a picture by name: dreamt on there alone, in the recipe, and the same again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.commands import SHORT, Run, pixels

import reverie
from reverie.album import read_recipe
from reverie.errors import UsageError

EDGES = (*SHORT, "--level", "edges")


def test_the_top_is_dreamt_on_and_the_rest_left_as_it_was(run: Run, sky: Path) -> None:
    assert run("dream", sky, *EDGES, "--where", "top", "-o", "a.png").code == 0
    before, after = pixels(sky), pixels(Path("a.png"))
    assert (before[62:] == after[62:]).all() and np.abs(before[:30] - after[:30]).mean() > 2
    assert read_recipe("a.png").where == "top" and len(read_recipe("a.png").inputs) == 1
    assert any(line.split() == ["where", "top"] for line in run("recipe", "a.png").out.splitlines())
    assert run("redo", "a.png", "-o", "b.png").code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_subject_and_background_part_the_picture_and_come_again(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = torch.zeros(24, 32)
    found[:, :16] = 1.0
    monkeypatch.setattr("reverie.api.where_to_dream.subject", lambda *_: found)
    before = pixels(sky)
    for part, share, kept in (("subject", "50%", np.s_[:, 76:]), ("background", "50%", np.s_[:, :52])):
        made = run("dream", sky, *EDGES, "--where", part, "-o", f"{part}.png")
        assert made.code == 0 and f"the {part} is {share} of the picture, as efficientnet-lite0 sees it" in made.err, made
        assert (pixels(Path(f"{part}.png"))[kept] == before[kept]).all()
        assert (pixels(Path(f"{part}.png")) != before).any()
        assert run("redo", f"{part}.png", "-o", "again.png", "--force").code == 0
        assert Path("again.png").read_bytes() == Path(f"{part}.png").read_bytes()


def test_another_part_or_a_mask_takes_the_place_of_the_old(run: Run, sky: Path) -> None:
    Image.fromarray(np.full((96, 128), 255, np.uint8)).save("white.png")
    assert run("dream", sky, *EDGES, "--where", "top", "-o", "a.png").code == 0
    for flags, where, roles in (
        (("--seed", "3"), "top", ["start"]),
        (("--where", "left"), "left", ["start"]),
        (("--mask", "white.png"), None, ["start", "mask"]),
    ):
        assert run("redo", "a.png", *flags, "-o", "b.png", "--force").code == 0
        made = read_recipe("b.png")
        assert made.where == where and [each.role for each in made.inputs] == roles
    assert run("redo", "b.png", "--where", "center", "-o", "c.png").code == 0
    assert read_recipe("c.png").where == "centre" and len(read_recipe("c.png").inputs) == 1
    everywhere = reverie.again("a.png", where=None)
    assert everywhere.recipe is not None and everywhere.recipe.where is None


def test_the_place_is_in_the_name_and_in_what_differs(run: Run, sky: Path) -> None:
    first = run("dream", sky, *EDGES[:-2], "--level", "Edges", "--where", "TOP").out.strip()
    assert first.endswith("-top-0.png") and read_recipe(first).where == "top"
    assert run("dream", sky, *EDGES, "-o", first.replace("-top", "-left")).code == 0
    other = run("dream", sky, *EDGES, "--where", "left")
    assert "something else, made with other choices (where)" in other.err, other


def test_what_cannot_be_is_refused(run: Run, sky: Path) -> None:
    answer = run("dream", sky, "--where", "sky")
    answer.fault(2, "no part 'sky'", "the parts are top, bottom", "a sky is often the top", "--mask FILE takes any shape")
    run("dream", sky, "--where", "top", "--mask", sky).fault(2, "both --mask and --where")
    run("dream", "noise:white", "--size", "96", "--where", "subject").fault(3, "sees no subject", "--mask")
    with pytest.raises(UsageError, match="without a network"):
        reverie.climb(sky, lambda seen: seen.mean((1, 2, 3)), where="subject")


def test_it_is_a_choice_of_climb_too(sky: Path) -> None:
    choices: dict[str, Any] = {"octaves": 1, "steps": 1}
    made = reverie.climb(sky, lambda seen: seen.square().mean((1, 2, 3)), where="bottom", **choices)
    assert (pixels(made.save("a.png"))[:30] == pixels(sky)[:30]).all() and read_recipe("a.png").where == "bottom"
