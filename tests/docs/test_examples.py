"""What the pages show runs: command lines, messages, recipes and code."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from skimage import data
from tests.docs.test_how_it_works import FENCE, one_thread, run
from tests.helpers import clips
from tests.helpers.pages import ROOT, each_command, each_page, open_once, text
from tools.doc_tables import section, table

from reverie import recipe
from reverie.api import opening
from reverie.cli.flags import built
from reverie.cli.main import main
from reverie.recipe import COMMANDS


def shell_lines(page: str) -> list[list[str]]:
    """The command lines of ours in the ```sh fences of a page, without the name."""
    fences = [fence[2] for fence in FENCE.finditer(page) if fence[1] in ("sh", "bash", "console")]
    lines = [shlex.split(line.removeprefix("$ "), comments=True) for fence in fences for line in fence.splitlines()]
    return [words[1:] for words in lines if len(words) > 1 and words[0].endswith("reverie")]


@each_page
def test_every_command_line_of_a_page_is_one_the_program_takes(page: Path) -> None:
    for words in shell_lines(page.read_text("utf-8")):
        if words[0].startswith("-"):
            assert words[0] in ("--help", "--version", "-h")
        elif not {"--help", "-h"} & set(words):
            assert words[0] in COMMANDS, words[0]
            built(COMMANDS[words[0]]).make_context(words[0], words[1:])  # raises on a flag or a value it does not know


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with the pictures that the pages name, small; a network is opened once."""
    (tmp_path / "dreams").mkdir()
    for name, picture in {"sky.png": data.rocket(), "cat.png": data.chelsea(), "coffee.png": data.coffee()}.items():
        Image.fromarray(picture).resize((96, 64)).save(tmp_path / name)
    Image.linear_gradient("L").resize((96, 64)).save(tmp_path / "mask.png")
    clips.save_clip(tmp_path / "street.mp4", clips.pan(6, 48, 64).frames)
    for folder, name in {"pictures": "cat.png", "cats": "cat.png", "skies": "sky.png"}.items():
        (tmp_path / folder).mkdir()
        shutil.copy(tmp_path / name, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(opening, "open_network", open_once)
    with one_thread():
        yield tmp_path


def shape(value: Any) -> Any:
    """What a piece of JSON is made of: names and kinds; of a list the first entry."""
    if isinstance(value, dict):
        return {name: [] if name == "notes" else shape(each) for name, each in value.items()}  # there may be none
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if type(value) in (int, float) else type(value).__name__


def test_every_example_of_the_commands_page_runs(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands there, but on small pictures and with few steps."""
    page = text("docs/commands.md")
    ran = []
    for words in shell_lines(page):
        if words[0] == "studio":  # it runs until it is ended: tests/cli/test_studio.py runs it
            ran.append(words[0])
            continue
        few = ["--steps", "1", "--octaves", "1"] if words[0] in ("dream", "imagine", "feature", "grid") else []
        few += ["--width", "64"] if "--width" in words else []
        if words[0] == "see":
            few += ["--steps", "1", "--width", "96", "--channels", "1" if "--json" in words else "0"]
            few += ["--layers", "blocks.2.1"] if "--layers" not in words else []
        if words[0] == "journey":
            few += ["--steps", "1", "--octaves", "1", "--rounds", "1", "--width" if "sky.png" in words else "--size", "64"]
            few += ["--seconds", "0.2"] if "--seconds" in words else ["--frames", "5"]
        if words[0] == "film":
            few += ["--steps", "1", "--octaves", "1"]
        few += ["--size", "64x48"] if ("--size" in words and words[0] != "journey") or words[0] in ("imagine", "feature") else []
        if words[0] in ("recipe", "redo") and not Path("dream.jpg").exists():
            assert main(["dream", "sky.png", "-o", "dream.jpg", "--steps", "1", "--octaves", "1"]) == 0
        capsys.readouterr()
        assert main([*words, *few]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        shown_json = [fence[2] for fence in FENCE.finditer(section(page, f"reverie {words[0]}")) if fence[1] == "json"]
        if "--json" in words and shown_json:
            given, documented = shape(json.loads(out)), shape(json.loads(shown_json[0]))
            if "recipe" in documented[0]:
                given[0]["recipe"] = documented[0]["recipe"]  # docs/recipe.md has it
            if words[0] == "layers":
                given[0]["level"] = documented[0]["level"]  # of the first layer there is none
                assert json.loads(shown_json[0])[0] in json.loads(out)
            if words[0] == "networks":
                assert json.loads(shown_json[0])[0]["levels"] == json.loads(out)[0]["levels"]
                given[0]["rejector"]["sets"] = {"noise": given[0]["rejector"]["sets"]["noise"]}  # the others are alike
            assert given == documented, shlex.join(words)
        ran.append(words[0])
    assert set(ran) == set(COMMANDS)


@each_command
def test_a_number_outside_its_documented_range_is_refused(name: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = {
        "recognise": "cat.png",
        "ask": "cat.png",
        "dream": "cat.png",
        "grid": "cat.png",
        "imagine": "banana",
        "feature": "blocks.2.1:3",
        "see": "cat.png",
        "journey": "cat.png",
        "film": "street.mp4",
        "redo": "dream.png",
    }.get(name)
    if name == "redo":
        assert main(["dream", "sky.png", "-o", "dream.png", "--steps", "1", "--octaves", "1"]) == 0
    for flag, (_, told, _) in table(section(text("docs/commands.md"), f"reverie {name}"), "flag").items():
        bounds = re.match(r"(above |from )?([\d.]+)(?: to ([\d.]+))?$", told)
        if bounds is None:
            continue
        low = float(bounds[2]) - (0 if bounds[1] == "above " else 1)
        outside = [f"{low:g}", *([f"{float(bounds[3]) + 1:.12g}"] if bounds[3] else [])]
        for value in outside:
            value = str(int(float(value))) if "e+" in value else value
            capsys.readouterr()
            code = main([name, *([start] if start else []), f"{flag.split(', ')[-1].split()[0]}={value}"])
            assert code == 2, f"{flag} {value}: {capsys.readouterr().err}"


def test_the_message_shown_is_the_message_given(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown_text = next(fence[2] for fence in FENCE.finditer(section(text("docs/commands.md"), "Exit codes")))
    assert main(["dream", "sky.png", "--target", "block4.1"]) == 2
    assert capsys.readouterr().err == shown_text


def test_the_code_of_the_python_page_runs_and_prints_what_stands_there(desk: Path) -> None:
    ran = run(ROOT / "docs/python.md", {"__name__": "python_page"})
    assert len(ran) > 6
    for block, printed in ran:
        assert printed == (block.printed or ""), f"python.md:{block.line}"


def test_the_recipe_shown_is_a_recipe() -> None:
    example = next(fence[2] for fence in FENCE.finditer(text("docs/recipe.md")) if fence[1] == "json")
    read = recipe.read(example)
    assert json.loads(read.text()) == json.loads(example)


def test_the_code_of_the_page_on_channels_runs_and_prints_what_stands_there(desk: Path) -> None:
    for block, printed in run(ROOT / "docs/channels.md", {"__name__": "channels_page"}):
        assert printed == (block.printed or ""), f"channels.md:{block.line}"


def test_the_lines_and_the_code_of_the_page_on_galleries_run_and_print_what_stands_there(desk: Path) -> None:
    for words in shell_lines(text("docs/gallery.md")):
        assert main(words) == 0, words
    for block, printed in run(ROOT / "docs/gallery.md", {"__name__": "gallery_page"}):
        assert printed == block.printed, f"gallery.md:{block.line}"
