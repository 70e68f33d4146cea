"""Shared by the tests of the studio: a home with a picture in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.studios import sky

from reverie.studio.jobs import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def picture(home: Home) -> str:
    """The reference of a small picture that was handed in as sky.png."""
    return f"input:{home.keep(sky(), 'sky.png')}"
