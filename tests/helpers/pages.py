"""What the tests of the docs share: the pages, their sections and tables, and what of the program they are held against."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from reverie import networks
from reverie.cli.main import app
from reverie.recipe import GROUPS, Film, Journey

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
FIELDS = {name: model.model_fields[name] for model in GROUPS for name in model.model_fields}
MOVING = {name: model.model_fields[name] for model in (Film, Journey) for name in model.model_fields}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_command = pytest.mark.parametrize("name", COMMANDS)

Rows = dict[str, list[str]]


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def section(page: str, title: str) -> str:
    """What stands under a heading of the second order, up to the next."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading '{title}'"
    return found[1]


def find_table(page: str, first: str) -> re.Match[str]:
    """The table whose first column has this head; its rows are the first group."""
    found = re.search(rf"^\| {re.escape(first)} \|.*\n\|[ -|]*\n((?:\|.*\n?)*)", page, re.MULTILINE)
    assert found, f"there is no table of {first}s"
    return found


def table(page: str, first: str) -> Rows:
    """Its rows by their first cell, without the backticks of that."""
    rows: Rows = {}
    for line in find_table(page, first)[1].splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        assert cells[0] not in rows, f"twice: {cells[0]}"
        rows[cells[0].replace("`", "")] = cells[1:]
    return rows


_opened: dict[str, networks.Network] = {}


def open_once(name: str, device: str | None = None) -> networks.Network:
    """A network on the CPU, opened once for all that the pages show."""
    if name not in _opened:
        _opened[name] = networks.open_network(name)
    return _opened[name]
