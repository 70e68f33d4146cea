"""Shared by the tests of the studio's server: a studio whose work is done by a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.studio_server import Set, made


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Set]:
    found = made(tmp_path / "home")
    yield found
    found.close()
