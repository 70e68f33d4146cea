"""Shared by the tests of the studio: a home with a picture in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.studios import Studio, sky

from reverie.studio.jobs import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def picture(home: Home) -> str:
    """The reference of a small picture that was handed in as sky.png."""
    return f"input:{home.keep(sky(), 'sky.png')}"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """With its process, which the tests of a file share."""
    made = Studio(tmp_path_factory.mktemp("studio") / "home")
    made.worker.start()
    yield made
    made.worker.stop(60)
