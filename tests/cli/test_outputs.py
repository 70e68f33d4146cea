"""The commands as a user types them: where results go, and what each command prints."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from tests.helpers.commands import SHORT, Answer, Run, carrying, header, listed, pixels, saved
from tests.helpers.recipes import PLAIN

import reverie.api
import reverie.checkup
from reverie import store
from reverie.album import read_recipe
from reverie.cli import console
from reverie.cli.main import main
from reverie.networks.builtin import catalogue
from reverie.recipe import DEFAULT_NETWORK, LEVELS
from reverie.waiting import WAITING

pytestmark = pytest.mark.usefixtures("place")


# ── places for results ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        ("no/a.png", "mkdir -p 'no'"), ("new/sub/", "mkdir -p 'new'"), ("sky.png/a.png", "'sky.png' is not a folder"),
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

    monkeypatch.setattr(store.atomic, "_open_beside", refuse)
    run("dream", sky.name, *SHORT).fault(5, "is not writable", "-o")
    assert listed(place) == ["sky.png"]


def test_a_disk_that_is_full_before(run: Run, sky: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    monkeypatch.setattr(reverie.render.Plan, "make", lambda *_: pytest.fail("nothing should be dreamt"))
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
    monkeypatch.setattr(reverie.render.Plan, "make", lambda *_: pytest.fail("nothing should be dreamt in vain"))
    run("dream", sky.name, *SHORT, "-o", sky.name).fault(5, "'sky.png' is what goes in")
    assert sky.read_bytes() == before


def test_where_results_go(run: Run, sky: Path, place: Path) -> None:
    (place / "out").mkdir()
    named = run("dream", "sky.png", *SHORT, "--level", "edges", "--seed", "3")
    assert named.out == f"sky-{catalogue.CATALOGUE[DEFAULT_NETWORK].levels['edges']}-3.png\n" and Path(named.out.strip()).exists()
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
    layer = catalogue.CATALOGUE[DEFAULT_NETWORK].levels["textures"]
    names = [f"{stem}-{layer}-0.png" for stem in ("a.png", "a.png", "b", "noise-grey")]
    names[1] = f"a.png-{layer}-0-2.png"
    assert answer.code == 0 and answer.out.splitlines() == [f"out/{each}" for each in names]
    assert listed(place / "out") == sorted(names)
    assert pixels(place / "out" / names[0]).shape == (80, 64, 3) and pixels(place / "out" / names[2]).shape == (51, 64, 3)
    assert f"'out/{names[0]}' is another result of this run: this one goes to 'out/{names[1]}'" in answer.err
    (place / "two" / "a.png").rename(place / "two" / "B.jpg")
    capitals = run("dream", "two", "one/b.jpg", *SHORT, "-o", "new")
    first, last = capitals.out.splitlines()
    assert last.lower() == first.lower().replace(".png", "-2.png")
    assert f"'{first}' is another result of this run: this one goes to '{last}'" in capitals.err
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
    for command in (("dream", *SHORT, "--level", "edges"), ("recognise",), ("see", "--steps", "1", "--channels", "0", "--level", "edges")):
        good, bad = (run(*command, *names, "--json") for names in (("in/a.png", "no.png", "in/c.png"), ("no.png", "in/c.png")))
        assert (good.code, len(good.data), bad.code, bad.data) == (3, 1, 3, []), (command, good, bad)
        for answer in (good, bad):
            missing, empty = answer.err.splitlines()[-2:]  # named at the end
            assert "'no.png' does not exist" in missing and "'in/c.png' is empty" in empty


def test_what_is_wrong_with_all_is_told_once(run: Run, sky: Path, place: Path) -> None:
    (place / "guide.png").write_bytes(b"no picture")
    answer = run("dream", sky.name, "noise:pink", "noise:grey", *SHORT, "--guide", "guide.png")
    assert answer.code == 3 and answer.err.count("guide.png") == 1, answer


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_recognise(run: Run, sky: Path) -> None:
    data = run("recognise", "sky.png", "--json", "--top", "3").data
    assert [each["picture"] for each in data] == ["sky.png"] and len(data[0]["labels"]) == 3
    for label in data[0]["labels"]:
        assert set(label) == {"index", "label", "probability"} and 0 <= label["probability"] <= 1
        assert type(label["index"]) is int and type(label["label"]) is str
    lines = run("recognise", "sky.png").out.splitlines()
    said = [line for line in lines if "nothing I know" in line]
    assert lines[0] == "sky.png" and len(lines) - len(said) == 6 and data[0]["labels"][0]["label"] in lines[1]


def test_networks(run: Run) -> None:
    data = run("networks", "--json").data
    assert [each["name"] for each in data] == [*catalogue.CATALOGUE, *catalogue.KNOWN]
    assert {"name", "size", "licence", "installed", "sha256", "levels"} <= set(data[0])
    assert all(each["name"] in run("networks").out for each in data)
    one = run("networks", "efficientnet-lite1", "--json").data
    assert one == [each for each in data if each["name"] == "efficientnet-lite1"]
    assert one[0]["rejector"]["method"] == "GEN + norms" and one[0]["rejector"]["sets"]["noise"]["auroc"] > 0.9
    told = run("networks", "efficientnet-lite1").out
    assert one[0]["sha256"] in told and f"scores {one[0]['rejector']['threshold']:.2f} or more" in told and "near" in told
    assert "was not measured" in run("networks", "torchvision:vgg16").out
    run("networks", "efficientnet-lite9").fault(2, "no network 'efficientnet-lite9'", "did you mean")


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
    assert found[f"weights of {DEFAULT_NETWORK}"]["state"] == "installed"
    facts = catalogue.CATALOGUE[DEFAULT_NETWORK]
    monkeypatch.setitem(catalogue.CATALOGUE, DEFAULT_NETWORK, dataclasses.replace(facts, package="not-here"))
    Path("file").touch()
    monkeypatch.setenv("REVERIE_CACHE", str(Path("file").absolute()))
    found = {each["what"]: each for each in run("doctor", "--json").data}
    assert found[f"weights of {DEFAULT_NETWORK}"]["remedy"].endswith("pip install not-here")
    assert "REVERIE_CACHE" in found["cache"]["remedy"]
    monkeypatch.setitem(sys.modules, "torch", None)
    broken = run("doctor")
    assert broken.code == 0 and "cannot be imported" in broken.out


@pytest.mark.parametrize(
    ("said", "state", "remedy"),
    [
        ({}, "give their core away in commands, spin in Python", "set OMP_WAIT_POLICY=passive and GOMP_SPINCOUNT=3000"),
        (WAITING, "give their core away", ""),
        ({"OMP_WAIT_POLICY": "active"}, "spin: slow beside other work", "before torch is loaded set OMP_WAIT_POLICY=passive"),
    ],
)
def test_doctor_tells_how_threads_wait_in_python(place: Path, said: dict[str, str], state: str, remedy: str) -> None:
    surroundings = {name: value for name, value in os.environ.items() if name not in WAITING} | said
    command = [sys.executable, "-c", "from reverie.cli import run; run()", "doctor", "--json"]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True)
    (row,) = (each for each in json.loads(done.stdout) if each["what"] == "waiting threads")
    assert row["state"] == state and remedy in row["remedy"] and bool(remedy) == bool(row["remedy"])


def test_progress_goes_to_a_terminal_and_results_to_stdout(run: Run, sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    answer = run("dream", "sky.png", "noise:grey", *SHORT, "--width", "64")
    assert [each.partition("-")[0] for each in answer.out.splitlines()] == ["sky", "noise"]
    assert "dreaming 1/2" in answer.err and "dreaming 2/2" in answer.err and "octave 2/2  step 2/2  score" in answer.err
    assert run("redo", answer.out.split()[0], "--quiet").err.count("octave") == 0


def test_dream_and_redo_tell_what_they_made(run: Run, sky: Path) -> None:
    (made,) = run("dream", "sky.png", *SHORT, "--json", "--seed", "5").data
    assert set(made) == {"path", "recipe", "seconds", "score", "notes"}
    assert made["recipe"]["seed"] == 5 and made["seconds"] > 0 and type(made["score"]) is float
    assert json.loads(read_recipe(made["path"]).text()) == made["recipe"]
    (again,) = run("redo", made["path"], "--json").data
    assert set(again) == set(made) and again["recipe"] == made["recipe"] and again["score"] == made["score"]


def test_recipe(run: Run, place: Path) -> None:
    for name in ("a.png", "a.jpg", "a.webp", "a.tif"):
        carrying(place / name, PLAIN.text())
        assert run("recipe", name, "--json").data == [{"picture": name, "recipe": json.loads(PLAIN.text())}]
        first, *_ = run("recipe", name).out.splitlines()
        assert first.startswith("a dream on blocks.4.1:12 - 0.5*blocks.2.0:3, 5 octaves of 16 steps") and "seed 7" in first
        lines = [" ".join(line.split()) for line in run("recipe", name, "--all").out.splitlines()]
        assert "ascent.octaves 5" in lines and "stopped -" in lines and "finish.deep no" in lines


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_that_is_no_text(place: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    name = os.fsdecode("夢\udcff.png".encode(errors="surrogateescape"))
    carrying(place / name, PLAIN.text())
    seen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(seen, encoding))
    console.say(name)
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
