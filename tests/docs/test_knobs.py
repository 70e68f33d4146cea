"""The table of knobs says what its pictures were made with, in the same order."""

from __future__ import annotations

import importlib.util
import re
import sys
from typing import Any

import pytest
from PIL import Image
from tests.helpers.pages import ROOT, text
from tools.doc_tables import table

from reverie.cli.flags import Call, built
from reverie.recipe import COMMANDS


def knobs() -> dict[str, dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("knobs", ROOT / "examples/knobs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, dict[str, Any]] = module.KNOBS
    return found


def test_each_row_is_the_choice_its_picture_was_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "examples"), *sys.path])
    said: list[dict[str, Any]] = [{}]
    rows = table(text("docs/knobs.md"), "you want")

    def note(call: Call) -> None:
        said.append(dict(call.choices))

    for cells in rows.values():
        built(COMMANDS["dream"], note).main(["sky.png", *cells[0].strip("`").split()], standalone_mode=False)
    assert dict(zip(["as usual", *rows], said, strict=True)) == knobs() and ["as usual", *rows] == list(knobs())


def test_the_sheet_has_a_place_for_each() -> None:
    shown = re.search(r"!\[[^]]+\]\((pictures/knobs\.jpg)\)", text("docs/knobs.md"))
    assert shown
    with Image.open(ROOT / "docs" / shown[1]) as image:
        assert image.width == 3 * 262 - 6 and image.height > 7 * 150
