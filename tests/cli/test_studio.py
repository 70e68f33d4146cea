"""The command studio: it serves, tells its address first, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.docs.test_how_it_works import blocks
from tests.helpers.commands import Run, saved
from tests.helpers.pages import text

from reverie import installing
from reverie.album import read_recipe


def test_it_serves_what_the_page_on_it_says_and_ends_when_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "cat.png", 48, 64)
    monkeypatch.chdir(tmp_path)
    words = [sys.executable, "-m", "reverie", "studio", "--home", str(tmp_path / "home"), "--no-browser"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as run:
        assert run.stdout is not None and run.stderr is not None
        try:
            space: dict[str, Any] = {"address": run.stdout.readline().strip()}
            assert space["address"].startswith("http://127.0.0.1:") and "/?token=" in space["address"]
            (block,) = blocks(text("docs/studio.md"))
            exec(compile(block.code, "docs/studio.md", "exec"), space)
        finally:
            run.send_signal(signal.SIGTERM)
        out, told = run.communicate(timeout=60)
    assert (run.returncode, out) == (0, "")  # nothing but the address goes to stdout
    assert "Traceback" not in told
    assert Image.open("cat-dream.png").size == (64, 48)
    recipe = read_recipe("cat-dream.png")
    assert (recipe.command, recipe.ascent.steps) == ("dream", 4)
    assert [each.name for each in (tmp_path / "home" / "pictures").iterdir()] == ["cat-parts-0.png"]


def test_without_its_extra_it_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(installing.EXTRAS, "studio", ("fastapi", "a-package-that-is-not-here"))
    answer = run("studio")
    assert answer.code == 6
    assert "the studio needs a-package-that-is-not-here" in answer.err and "install a-package-that-is-not-here" in answer.err


@pytest.mark.parametrize(("words", "code"), [(("--port", "70000"), 2), (("--host", "203.0.113.7"), 2), (("--home", "file.txt"), 5)])
def test_what_cannot_be_served_is_said_in_two_lines(run: Run, place: Path, words: tuple[str, ...], code: int) -> None:
    (place / "file.txt").write_text("")
    answer = run("studio", "--no-browser", *(words if "--home" in words else ("--home", str(place / "home"), *words)))
    assert answer.code == code and answer.out == ""
    if "203.0.113.7" in words:
        assert "whoever has the address with its token" in answer.err
