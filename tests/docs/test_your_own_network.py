"""docs/your-own-network.md: from a module to its layers, a sheet and a page, run as it stands there, with fewer steps."""

from __future__ import annotations

import contextlib
import io
import runpy
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.docs.test_how_it_works import FENCE, one_thread
from tests.helpers.pages import ROOT

from reverie.cli.main import main

PAGE = ROOT / "docs/your-own-network.md"

FEW = {  # the page shows the commands as people give them
    "feature": ("--steps", "12"),
    "imagine": ("--steps", "12"),
    "see": ("--steps", "4", "--channels", "1", "--layers", "edges,corners"),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[tuple[str, str | None, str]]]]:
    """The folder it ran in; and what ran, with what it should have printed where the page says, and what it did print."""
    desk = tmp_path_factory.mktemp("desk")
    space: dict[str, Any] = {"__name__": "own_network"}
    done: list[tuple[str, str | None, str]] = []
    fences = list(FENCE.finditer(PAGE.read_text("utf-8")))
    with pytest.MonkeyPatch.context() as patch, one_thread():
        patch.chdir(desk)
        patch.syspath_prepend(str(desk))
        patch.setenv("REVERIE_CACHE", str(desk / "cache"))
        for number, fence in enumerate(fences):
            after = fences[number + 1] if number + 1 < len(fences) else None
            wanted = after[2] if after is not None and after[1] == "text" else None
            if fence[1] == "python" and fence[2].startswith("# ") and fence[2].partition("\n")[0].endswith(".py"):
                Path(fence[2].partition("\n")[0][2:]).write_text(fence[2], "utf-8")
            elif fence[1] == "python":
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(compile(fence[2], str(PAGE), "exec"), space)
                done.append((fence[2], wanted, out.getvalue()))
            elif fence[1] == "sh":
                for line in fence[2].splitlines():
                    done.append((line, None, _command(shlex.split(line))))
        yield desk, done
    for name in ("shapes", "train"):
        sys.modules.pop(name, None)


def _command(words: list[str]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        if words[0] == "reverie":
            assert main([*words[1:], *FEW.get(words[1], ())]) == 0, words
        elif words[0] == "python":
            runpy.run_path(words[1], run_name="__main__")
        else:
            assert words[0] == "mkdir", words
            Path(words[1]).mkdir()
    return out.getvalue()


def test_every_block_ran_and_printed_what_stands_there(ran: tuple[Path, list[tuple[str, str | None, str]]]) -> None:
    _, done = ran
    assert len(done) >= 13
    assert {line.split()[1] for line, _, _ in done if line.startswith("reverie")} == {
        "layers", "feature", "imagine", "recognise", "see", "dream", "redo"
    }  # fmt: skip
    for code, wanted, printed in done:
        if wanted is not None or not code.startswith("reverie"):
            assert printed == (wanted or ""), code


def test_the_sheet_the_page_and_the_picture_made_again_are_there(ran: tuple[Path, list[tuple[str, str | None, str]]]) -> None:
    desk, _ = ran
    assert "<html" in (desk / "seen/index.html").read_text("utf-8")
    assert len(list((desk / "features").glob("feature-corners_*.png"))) >= 5  # a channel that never fires has none
    with Image.open(desk / "features.png") as sheet:
        assert sheet.width > 200
    assert (desk / "dream-redo.png").read_bytes() == (desk / "dream.png").read_bytes()
