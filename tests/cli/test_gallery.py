"""`reverie gallery`: a page of every picture of a folder, and whether they are still what they were."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.helpers.commands import Run
from tests.helpers.galleries import filled


@pytest.fixture
def pictures(place: Path) -> Path:
    return filled(place / "pictures")


def test_the_page_is_in_the_working_folder_and_what_cannot_be_read_is_told(run: Run, pictures: Path) -> None:
    answer = run("gallery", "pictures")
    assert answer.code == 0 and answer.out == "pictures-gallery/index.html\n"
    assert "7 pictures, none left out; 5 made by Reverie" in answer.err
    assert "'broken.png' is damaged: it is in the gallery without a picture" in answer.err
    assert Path("pictures-gallery/index.html").is_file() and not list(pictures.glob("*.html"))
    (pictures / "sheet.png").unlink()
    (pictures / "dream.png").write_bytes((pictures / "banana.png").read_bytes())
    again = run("gallery", "pictures")
    assert again.code == 0 and "since the gallery that was there: 1 removed, 1 changed" in again.err


def test_as_json_it_says_what_was_made(run: Run, pictures: Path) -> None:
    (row,) = run("gallery", pictures, "-o", "out", "--json", "--quiet").data
    assert (row["path"], row["pictures"], row["recipe"], row["score"]) == ("out/index.html", 7, None, None)
    assert [each["path"] for each in row["unreadable"]] == ["broken.png"] and row["seconds"] > 0 and len(row["list_sha256"]) == 64


def test_verify_tells_what_changed_and_writes_nothing(run: Run, pictures: Path) -> None:
    run("gallery", "pictures")
    sound = run("gallery", "--verify", "pictures")
    assert sound.code == 0 and sound.out.startswith("7 pictures are as they were listed; the list has sha256 ")
    assert run("gallery", "--verify", "pictures-gallery").code == 0
    assert run("gallery", "--verify", "pictures", "--json").data == []
    (pictures / "dream.png").rename(pictures / "night.png")
    renamed = run("gallery", "--verify", "pictures")
    assert (renamed.code, renamed.out) == (3, "renamed  dream.png → night.png\n") and "1 renamed" in renamed.err
    assert run("gallery", "--verify", "pictures", "--json").data == [{"path": "night.png", "state": "renamed", "was": "dream.png"}]
    (pictures / "night.png").unlink()
    before = {each: each.stat().st_mtime_ns for each in Path().rglob("*")}
    found = run("gallery", "--verify", "pictures")
    assert (found.code, found.out) == (3, "removed  dream.png\n")
    assert found.err.splitlines()[0] == "reverie: 'pictures' is not what its gallery lists: 1 removed"
    assert run("gallery", "--verify", "pictures", "--json").data == [{"path": "dream.png", "state": "removed"}]
    assert {each: each.stat().st_mtime_ns for each in Path().rglob("*")} == before
    page = Path("pictures-gallery/index.html")
    page.write_text(page.read_text("utf-8").replace("7 pictures", "6 pictures"), "utf-8")
    run("gallery", "--verify", "pictures").fault(4, "was changed since the gallery was made")


def test_what_cannot_be_is_a_line_and_a_remedy(run: Run, pictures: Path) -> None:
    (pictures.parent / "empty").mkdir()
    (pictures.parent / "texts").mkdir()
    (pictures.parent / "texts" / "a.txt").write_text("a")
    run("gallery", "empty").fault(3, "no pictures in 'empty' or below")
    run("gallery", "texts").fault(3, "only 1 other file")
    run("gallery", "gone").fault(3, "the folder 'gone' does not exist")
    run("gallery", "pictures/dream.png").fault(3, "is not a folder")
    run("gallery", "").fault(2, "a folder without a name")
    run("gallery", "--verify", "pictures").fault(3, "no gallery of 'pictures'")
    run("gallery", "pictures", "-o", "pictures/notes.txt").fault(5, "is not a folder")
    run("gallery", "pictures", "-o", "gone/deeper/out").fault(5)
    assert not list(pictures.parent.glob("*-gallery"))


def test_it_needs_no_torch(pictures: Path) -> None:
    code = "import sys; from reverie.cli.main import main; print(main(['gallery', 'pictures', '--quiet']), 'torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=pictures.parent, capture_output=True, check=True, text=True)
    assert said.stdout.splitlines()[-1] == "0 False"
