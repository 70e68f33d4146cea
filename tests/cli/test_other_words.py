"""Flags that other programs have: the usage error says what the same is called here."""

from __future__ import annotations

import pytest
from tests.helpers.commands import Answer, Run

from reverie.cli.other_words import _OURS
from reverie.recipe import COMMANDS


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("dream", "a.png", "--style", "b.png"), "--guide FLOWERS.jpg enhances what is like another picture"),
        (("dream", "a.png", "--style=b.png"), "--guide FLOWERS.jpg"),
        (("dream", "a.png", "--iterations", "9"), "--steps: steps in each octave"),
        (("dream", "a.png", "--learning_rate", "0.1"), "--strength"),
        (("dream", "a.png", "--LR", "0.1"), "--strength"),
        (("dream", "a.png", "--model", "vgg16"), "--network"),
        (("dream", "a.png", "--layer", "x"), "--target"),
        (("see", "a.png", "--layer", "x"), "--layers"),
        (("dream", "a.png", "--output-dir", "x"), "--output"),
        (("dream", "a.png", "--image-size", "9"), "--width"),
        (("imagine", "banana", "--image-size", "9"), "--size"),
        (("dream", "a.png", "--octave", "9"), "--octaves"),
        (("dream", "--image", "a.png"), "what stands for START is given without a flag"),
        (("imagine", "--class", "banana"), "what stands for LABEL is given without a flag"),
        (("recognise", "a.png", "-k", "3"), "--top"),
        (("recognise", "a.png", "--style", "x"), "`dream` has --guide"),
        (("dream", "a.png", "--fps", "3"), "`journey` has --fps"),
        (("dream", "a.png", "--prompt", "a castle"), "`reverie imagine castle` makes one, and so does --target class:castle"),
        (("dream", "a.png", "--stepz", "3"), "did you mean '--steps'?"),
        (("dream", "a.png", "--qwertz"), "see `reverie dream --help-all`"),
        (("--qwertz",), "`reverie --help` lists them"),
    ],
)
def test_the_remedy_says_what_it_is_called_here(run: Run, arguments: tuple[str, ...], remedy: str) -> None:
    run(*arguments).fault(2, "has no flag -", remedy)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cache", "--clear"), "here it is --prune"),
        (("cache", "clear"), "here it is --prune"),
        (("cache", "prune", "--kind", "inputs"), "here it is --prune"),
        (("cache", "--days", "3"), "here it is --older-than"),
        (("cache", "--max-size", "3GB"), "here it is --to"),
        (("cache", "--type", "inputs"), "here it is --kind"),
        (("cache", "list"), "`reverie cache` alone tells it"),
        (("networks", "--list"), "`reverie networks` alone tells it"),
        (("film", "a.mp4", "b.mp4"), "takes one VIDEO, and 'b.mp4' is one more"),
        (("doctor", "x"), "see `reverie doctor --help`"),
        (("imagine", "cat", "--sheet"), "see `reverie imagine --help`"),
        (("dream", "noise:pink", "--print", "A9"), "no paper 'A9'"),
    ],
)
def test_words_and_flags_that_there_are_not(run: Run, arguments: tuple[str, ...], said: str) -> None:
    run(*arguments).fault(2, said)


def test_every_word_leads_to_a_choice_that_some_command_has() -> None:
    fields = {field for spec in COMMANDS.values() for field in spec.flags} | {"network"}
    assert set(_OURS) <= fields


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("noise:pink", "dream noise:pink"),
        ("photos/sky.jpg", "dream photos/sky.jpg"),
        ("a b.MP4", "film 'a b.MP4'"),
        (".", "dream ."),
        ("a.gif", "dream a.gif"),
    ],
)
def test_a_start_in_the_place_of_a_command(run: Run, word: str, meant: str) -> None:
    run(word).fault(2, f"no command '{word}'", f"`reverie {meant}`")


def test_nothing_in_the_place_of_a_command(run: Run) -> None:
    run("").fault(2, "no command ''", "`reverie --help` lists them")


@pytest.mark.parametrize(
    ("given", "fault", "remedy"),
    [
        (["imagine", "banana", "--natural", "banana"], "--natural banana", "it should be a number from 0 to 10"),
        (["imagine", "banana", "--steps", "5.5"], "--steps 5.5", "it should be a whole number from 1 to 100000"),
        (["imagine", "banana", "--rotate", ""], "--rotate without a value", "it should be a number from 0 to 180"),
        (["imagine", "banana", "--steps"], "--steps without a value", "write --steps N; see `reverie imagine --help`"),
        (["imagine", "--between", "cat"], "--between without 2 values", "write --between A B; see `reverie imagine --help`"),
        (["imagine", "banana", "--force=3"], "--force takes no value", "give it alone, or leave it out; see `reverie imagine --help`"),
        (["labels", "--network"], "--network without a value", "write --network N; see `reverie labels --help`"),
        (["dream"], "`reverie dream` needs START…", "for example: reverie dream sky.jpg --level objects; see `reverie dream --help`"),
        (["gallery"], "`reverie gallery` needs FOLDER", "for example: reverie gallery dreams; see `reverie gallery --help`"),
        (["cache", "--older-than", "soon"], "--older-than soon", "it should be a number from 0"),
    ],
)  # fmt: skip
def test_a_flag_or_a_value_that_cannot_be_is_told_in_our_words(run: Run, given: list[str], fault: str, remedy: str) -> None:
    assert run(*given) == Answer(2, "", f"reverie: {fault}\n         {remedy}\n")


def test_a_preset_of_another_command_is_told_as_such(run: Run) -> None:
    run("imagine", "banana", "--preset", "garden").fault(2, "no preset 'garden' here", "`dream`, `journey`, `film` have it; the presets")
    run("dream", "noise:pink", "--preset", "Emblem").fault(2, "no preset 'Emblem' here", "`imagine`, `feature` have it; the presets")
    run("feature", "blocks.4.1:1", "--preset", "gardn").fault(2, "no preset 'gardn'")


def test_what_makes_class_pictures_natural_stands_in_the_first_help(run: Run) -> None:
    shown = run("imagine", "--help").out
    assert all(f"  {flag} " in shown for flag in ("--natural", "--usual", "--company", "-p, --preset"))
    assert "--natural" in run("feature", "--help").out and "--natural" not in run("dream", "--help").out
