"""What the tests of the docs share: the pages, their sections and tables, and what of the program they are held against."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from reverie import networks
from reverie.recipe import COMMANDS, GROUPS, Film, Journey

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
FIELDS = {name: model.model_fields[name] for model in GROUPS for name in model.model_fields}
MOVING = {name: model.model_fields[name] for model in (Film, Journey) for name in model.model_fields}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_command = pytest.mark.parametrize("name", COMMANDS)


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


_opened: dict[str, networks.Network] = {}


def open_once(name: str, device: str | None = None) -> networks.Network:
    """A network on the CPU, opened once for all that the pages show."""
    if name not in _opened:
        _opened[name] = networks.open_network(name)
    return _opened[name]
