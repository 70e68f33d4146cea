"""What the tests of `reverie see` share: few steps, and whether a page is whole."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import listed, saved

from reverie.cli.console import Line, Progress

FEW = ("--channels", "1", "--steps", "3")


BARE = ("--channels", "0", "--steps", "2")


def strict(text: str) -> Any:
    """JSON as its standard has it: NaN is none."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))


def assert_page(folder: Path, layers: int, expected: int) -> None:
    """The page is whole, with so many layers, and the figures say the same."""
    page, data = (folder / "index.html").read_text("utf-8"), strict((folder / "see.json").read_text("utf-8"))
    assert page.lower().startswith("<!doctype html") and page.rstrip().endswith("</html>")
    assert len(data["layers"]) == layers and data["expected"] == expected
    for each in data["layers"]:
        for part in ("rebuilt", "enhanced"):
            assert each[part] is None or (folder / each[part]).is_file()
    assert not [each for each in listed(folder) if each.startswith(".")]


def interrupted_at(monkeypatch: pytest.MonkeyPatch, words: str, times: int = 1) -> None:
    """Ctrl-C so many times when this is being done."""
    seen: list[str] = []

    def call(self: Line, progress: Progress) -> bool:
        if progress.doing == words and not seen:
            seen.append(words)
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return self.interrupted

    monkeypatch.setattr(Line, "__call__", call)


def three(place: Path) -> list[str]:
    """Three small pictures, and their names."""
    for number, name in enumerate("abc"):
        saved(place / f"{name}.png", 20, 24 + number)
    return ["a.png", "b.png", "c.png"]
