"""Where results go: told from the name and from what is there, before anything is made."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from reverie.errors import OutputError
from reverie.store import Destination

SUFFIXES = frozenset([".png", ".jpg"])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "file.png").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "several", "place"),
    [
        (None, False, "a.png"), (None, True, "a.png"), ("there", False, "there/a.png"), ("there", True, "there/a.png"),
        (Path("there"), False, "there/a.png"), ("there/", False, "there/a.png"), ("..", True, "../a.png"),
        ("new", False, "new/a.png"), ("new", True, "new/a.png"), ("new/", False, "new/a.png"), ("new.png/", False, "new.png/a.png"),
        ("new.png/", True, "new.png/a.png"), ("new.2024", True, "new.2024/a.png"), ("there/new", False, "there/new/a.png"),
        ("b.png", False, "b.png"), ("B.PNG", False, "B.PNG"), ("file.png", False, "file.png"), ("there/b.jpg", False, "there/b.jpg"),
        ("b.bmp", False, "b.bmp"),  # which nobody can write: the writer has better words for it
    ],
)  # fmt: skip
def test_places(path: str | Path | None, several: bool, place: str, here: Path) -> None:
    before = sorted(here.rglob("*"))
    found = Destination(path, several, SUFFIXES)
    assert found.file("a.png") == Path(place)
    assert sorted(here.rglob("*")) == before  # nothing is made, and nothing is left
    found.made()
    assert found.file("a.png").parent.is_dir()
    found.made()  # again, for the next result


@pytest.mark.parametrize(
    ("path", "several", "fault"),
    [
        ("no/new", False, "the folder 'no' does not exist"), ("no/new/", True, "the folder 'no' does not exist"),
        ("no/a.png", False, "the folder 'no' does not exist"), ("file/new", False, "'file' is not a folder"),
        ("file/", False, "'file' is not a folder, and a folder is named"), ("file", True, "'file' is not a folder, and several results"),
        ("file.png", True, "'file.png' is not a folder, and several results"), ("file", False, "'file' is not a folder"),
        ("new.png", True, "'new.png' is not a folder, and several results need a folder"),
        ("n" * 300, False, "too long"), ("n" * 300 + ".png", False, "too long"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_at_once(path: str, several: bool, fault: str, here: Path) -> None:
    before = sorted(here.rglob("*"))
    with pytest.raises(OutputError) as refused:
        Destination(path, several, SUFFIXES)
    assert fault in refused.value.fault and refused.value.remedy and "\n" not in str(refused.value)
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("path", [None, "there", "new", "b.png"])
def test_a_place_that_is_not_writable(path: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # tests may run as root, whom permissions do not bind

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match="is not writable"):
        Destination(path, False, SUFFIXES)


def test_a_link_that_leads_nowhere_is_no_folder(here: Path) -> None:
    (here / "link").symlink_to("nowhere")
    with pytest.raises(OutputError, match="'link' is not a folder"):
        Destination("link", False, SUFFIXES)


def test_a_folder_that_cannot_be_made_after_all(here: Path) -> None:
    found = Destination("new", True, SUFFIXES)
    (here / "new").touch()  # somebody was faster
    with pytest.raises(OutputError, match="'new' cannot be written"):
        found.made()
