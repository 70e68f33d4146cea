"""Several seeds and variants of a dream, a class or a feature: each a picture, all on a sheet."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.commands import SHORT, Run, listed, pixels

import reverie
from reverie.album import read_recipe
from reverie.errors import UsageError
from reverie.pictures import Picture, Pictures

pytestmark = pytest.mark.usefixtures("place", "alone")

TINY = ("--size", "32", "--octaves", "1", "--steps", "1")


def test_each_seed_of_a_dream_is_a_picture_as_if_it_had_been_alone(run: Run, sky: Path) -> None:
    made = run("dream", sky, *SHORT, "--level", "edges", "--seed", "1-2,5", "--sheet", "all.png", "-o", "new/")
    names = [f"new/sky-blocks.1.0-{seed}.png" for seed in (1, 2, 5)]
    assert made.code == 0 and made.out.split() == [*names, "all.png"], made
    assert [read_recipe(each).seed for each in names] == [1, 2, 5]
    assert run("dream", sky, *SHORT, "--level", "edges", "--seed", "2", "-o", "alone.png").code == 0
    assert Path("alone.png").read_bytes() == Path(names[1]).read_bytes()


def test_each_seed_of_a_class_and_a_feature(run: Run, place: Path) -> None:
    made = run("imagine", "banana", *TINY, "--seed", "3,1", "--sheet", "all.png")
    assert made.out.split() == ["imagine-banana-3.png", "imagine-banana-1.png", "all.png"], made
    assert run("imagine", "banana", *TINY, "--seed", "1", "-o", "alone.png").code == 0
    assert Path("alone.png").read_bytes() == Path("imagine-banana-1.png").read_bytes()
    made = run("feature", "blocks.2.0:1", "blocks.2.0:2", *TINY, "--seed", "0-1")
    assert made.out.split() == [f"feature-blocks.2.0_{unit}-{seed}.png" for seed in (0, 1) for unit in (1, 2)], made


def test_variants_differ_and_say_how_and_come_again(run: Run, sky: Path) -> None:
    made = run("dream", sky, "--octaves", "3", "--steps", "6", "--level", "textures", "--variants", "3", "--sheet", "all.png", "-o", "new/")
    names = [f"new/sky-blocks.2.1-0-v{number}.png" for number in (1, 2, 3)]
    assert made.code == 0 and made.out.split() == [*names, "all.png"], made
    assert "variant 2: 0.25*blocks.2.1 + " in made.err and "variant 3: " in made.err and "octave scale 1.523" in made.err
    assert run("dream", sky, "--octaves", "3", "--steps", "6", "--level", "textures", "-o", "plain.png").code == 0
    assert Path("plain.png").read_bytes() == Path(names[0]).read_bytes()
    assert run("dream", sky, "--octaves", "3", "--steps", "6", "--level", "textures", "--seed", "1", "-o", "seed.png").code == 0
    moved = np.abs(pixels(Path("seed.png")) - pixels(Path("plain.png"))).mean()
    for first, second in itertools.combinations(names, 2):
        assert np.abs(pixels(Path(first)) - pixels(Path(second))).mean() > moved
    assert run("redo", names[2], "-o", "again.png").code == 0
    assert Path("again.png").read_bytes() == Path(names[2]).read_bytes()
    told = run("recipe", names[2]).out
    assert "a dream on 0.25*blocks.2.1 + " in told and "ascent.octave_scale     1.523   (usually 1.4)" in told


def test_in_python_a_list_comes_for_several(sky: Path) -> None:
    quick = {"octaves": 1, "steps": 1}
    several = reverie.dream(sky, "blocks.1.0", seed=range(2), octaves=1, steps=1)
    assert isinstance(several, Pictures) and [each.recipe.seed for each in several if each.recipe] == [0, 1]
    varied = reverie.dream(sky, "blocks.1.0", variants=2, octaves=1, steps=1)
    assert isinstance(varied, Pictures) and len(varied) == 2
    assert isinstance(reverie.dream(sky, "blocks.1.0", seed=4, octaves=1, steps=1), Picture)
    assert isinstance(reverie.dream(sky, "blocks.1.0", seed=[4], octaves=1, steps=1), Pictures)
    assert [each.recipe.seed for each in reverie.imagine("banana", seed="1-2", size=32, **quick) if each.recipe] == [1, 2]  # type: ignore[call-overload]
    assert len(reverie.feature("blocks.1.0:3", seed=[5, 6], size=32, octaves=1, steps=1)) == 2
    assert reverie.sheet(several).size == reverie.sheet(varied).size


def test_variants_of_what_cannot_be_mixed_have_other_octaves(run: Run, sky: Path) -> None:
    made = run("dream", sky, *SHORT, "--level", "edges", "--caricature", "--variants", "3", "-o", "new/", "--json")
    recipes = [each["recipe"] for each in made.data]
    assert {each["target"] for each in recipes} == {"blocks.1.0"} and {each["objective"] for each in recipes} == {"caricature"}
    assert len({each["ascent"]["octave_scale"] for each in recipes}) == 3


def test_what_cannot_be_is_refused_before_any_time_is_spent(run: Run, sky: Path, place: Path) -> None:
    run("dream", sky, "--seed", "3-1").fault(2, "--seed 3-1", "a range leads from its first to its last")
    run("dream", sky, "--seed", "a,b").fault(2, "--seed a,b", "1-10 or 1,4,7")
    run("dream", sky, "--variants", "1").fault(2, "--variants 1", "at least 2")
    run("dream", sky, "--seed", "1-2", "-o", "a.png").fault(5, "several results need a folder")
    run("journey", "noise:pink", "--seed", "1-2").fault(2, "--seed")
    run("redo", sky, "--seed", "1-2").fault(2, "--seed")
    run("dream", sky, *SHORT, "--seed", "1-2", "--sheet", "sky-blocks.4.2-1.png").fault(2, "is also the name of a picture")
    run("dream", sky, "--seed", "0-999", "--variants", "2", "--sheet", "all.png").fault(2, "--sheet of 2000 pictures")
    assert listed(place) == ["sky.png"]
    with pytest.raises(UsageError, match="no seeds"):
        reverie.dream(sky, seed=[])
