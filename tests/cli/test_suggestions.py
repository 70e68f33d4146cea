"""What is said of names: what is near to one that there is not, in spelling or in kind, if anything; what a word is taken for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.commands import Run, saved

from reverie.api.plans_from_noise import plan_feature, plan_imagine
from reverie.errors import nearest

LIGHT = ("--level", "edges", "--steps", "1", "--channels", "0", "--width", "64")

pytestmark = pytest.mark.usefixtures("sky")


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("lynks", "lynx lens lion", ["lynx"]), ("bananaz", "ananaz banana", ["banana", "ananaz"]),
        ("dolfin", "dolphin dotfin", ["dolphin"]), ("bananna", "banana bandanna", ["banana"]),
        ("teacher", "stretcher", []), ("rose", "hose", []), ("cta", "cat act", ["cat"]), ("sun", "sub gun bun", []),
        ("block4.1", "blocks.1 blocks.4.1 blocks head", ["blocks.4.1"]), ("EDGES", "edges", ["edges"]), ("net", "NEt Net", ["Net", "NEt"]),
        ("ab", "ac", []), ("", "a", []), ("x" * 5000, "x", []),
    ],
)  # fmt: skip
def test_what_is_near(name: str, known: str, near: list[str]) -> None:
    assert nearest(name, known.split()) == near


def test_among_hundreds_of_words_one_must_be_nearer() -> None:
    words = [f"{letter}{number}" for letter in "qz" for number in range(200)]
    assert nearest("fire", ["file"]) == ["file"] and nearest("fire", ["file", *words]) == []


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("see", "sky.png", "--why", "lynks"), "lynx"), (("see", "sky.png", "--layers", "edges,partz"), "parts"),
        (("see", "sky.png", "--level", "partz"), "parts"), (("dream", "sky.png", "-t", "partz"), "parts"),
        (("dream", "sky.png", "-t", "block.4.1"), "blocks.4.1"), (("dream", "sky.png", "--preset", "eyez"), "eyes"),
        (("imagine", "persian"), "Persian cat"),
    ],
)  # fmt: skip
def test_classes_layers_levels_and_presets_alike(run: Run, arguments: tuple[str, ...], near: str) -> None:
    run(*arguments).fault(2, f"did you mean '{near}'?")


@pytest.mark.parametrize("word", ["teacher", "tree", "rose"])
def test_nothing_is_suggested_where_all_is_far(run: Run, word: str) -> None:
    run("imagine", word).fault(2, f"no label '{word}'", "`reverie labels` lists them all")


def test_a_word_that_is_taken_for_one_class_is_told(run: Run, place: Path) -> None:
    small = ("--size", "64", "--octaves", "1", "--steps", "1")
    told = "dolphin is taken for killer whale (148), the one class that the word stands for"
    for command in (("imagine", "dolphin"), ("imagine", "--between", "dolphin", "banana", "--count", "2"), ("feature", "class:dolphin")):
        answer = run(*command, *small)
        assert answer.code == 0 and answer.err.count(told) == 1, answer
    assert "Orca is taken for killer whale (148), which has that name too" in run("imagine", "Orca", *small, "--force").err
    seen = run("see", "sky.png", saved(place / "other.png", 64, 64).name, "--why", "dolphin", *LIGHT)
    assert seen.code == 0 and seen.err.count(told) == 1, seen
    assert "is taken for" not in run("see", "sky.png", "--why", "killer whale", *LIGHT).err
    for label in ("148", "killer whale", "Killer Whale"):
        assert "is taken for" not in run("imagine", label, *small, "--force").err


def test_two_words_that_are_one_name_are_told(run: Run) -> None:
    answer = run("imagine", "light", "house", "--size", "64", "--octaves", "1", "--steps", "1")
    assert answer.code == 0 and "light and house are two classes here: did you mean 'lighthouse'?" in answer.err
    assert "light is taken for lighter (626)" in answer.err


@pytest.mark.parametrize(("one", "other"), [("cat", "CAT"), ("lighthouse", "LIGHTHOUSE"), ("class:banana", "class:BANANA")])
def test_capitals_mean_the_same_picture(one: str, other: str) -> None:
    targets = []
    for each in (one, other):
        plan = plan_feature(each, size=64) if each.startswith("class:") else plan_imagine(each, size=64)
        targets.append(str(plan[0].recipe.target))
    assert targets[0] == targets[1]
