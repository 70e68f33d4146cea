"""docs/studio.md: every request of the interface is on it, and what it says of the folder and the limits is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.helpers.pages import text
from tests.helpers.studio_server import Set, made
from tools.doc_tables import table

from reverie.studio.server import Limits


@pytest.fixture
def studio(tmp_path: Path) -> Set:
    return made(tmp_path / "home")


def test_every_request_is_on_the_page_and_no_other(studio: Set) -> None:
    cells = " ".join(table(text("docs/studio.md"), "request"))
    words = {each for each in re.findall(r"\w+", cells) if each.islower()}
    there = {part for path in studio.app.openapi()["paths"] for part in path.split("/") if part and "{" not in part}
    there |= {"camera", "pause", "resume", "cancel", "retry", "hold", "go"}  # a socket, and what stands in the place of a name
    assert words - {"after", "side", "q"} == there
    studio.close()


def test_the_folder_is_as_it_says(studio: Set) -> None:
    studio.studio.marks.give_stars("a", 1)
    named = set(table(text("docs/studio.md"), "in the folder"))
    assert {each.name.removesuffix("-wal").removesuffix("-shm") for each in studio.home.folder.iterdir()} <= named | {"server.lock"}
    assert named == {"camera", "pictures", "inputs", "trash", "work", "studio.sqlite", "marks.sqlite"}
    studio.close()


def test_the_limits_are_as_it_says() -> None:
    limits, page = Limits(), text("docs/studio.md")
    assert limits.upload == 1 << 30 and "in size (1 GB)" in page
    assert limits.pixels == 100_000_000 and "in pixels (100 million)" in page
