"""`reverie gallery`: a page of every picture of a folder, and whether they are still what they were."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import Run, saved
from tests.helpers.galleries import filled


@pytest.fixture
def pictures(place: Path) -> Path:
    return filled(place / "pictures")


def test_the_page_is_in_the_working_folder_and_what_cannot_be_read_is_told(run: Run, pictures: Path) -> None:
    answer = run("gallery", "pictures")
    assert answer.code == 0 and answer.out == "pictures-gallery/index.html\n"
    assert "6 pictures and 1 sheet, none left out; 4 made by Reverie" in answer.err
    assert "'broken.png' is damaged: it is in the gallery without a picture" in answer.err
    assert Path("pictures-gallery/index.html").is_file() and not list(pictures.glob("*.html"))
    (pictures / "sheet.png").unlink()
    (pictures / "dream.png").write_bytes((pictures / "banana.png").read_bytes())
    again = run("gallery", "pictures")
    assert again.code == 0 and "since the gallery that was there: 1 removed, 1 changed" in again.err


def test_as_json_it_says_what_was_made(run: Run, pictures: Path) -> None:
    (row,) = run("gallery", pictures, "-o", "out", "--json", "--quiet").data
    assert (row["path"], row["pictures"], row["sheets"], row["grid"], row["score"]) == ("out/index.html", 6, 1, None, None)
    assert [each["path"] for each in row["unreadable"]] == ["broken.png"] and row["seconds"] > 0 and len(row["list_sha256"]) == 64


def test_verify_tells_what_changed_and_writes_nothing(run: Run, pictures: Path) -> None:
    run("gallery", "pictures")
    sound = run("gallery", "--verify", "pictures")
    assert sound.code == 0 and sound.out.startswith("6 pictures and 1 sheet are as they were listed, in 'pictures'; the list has sha256 ")
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
    page.write_text(page.read_text("utf-8").replace("6 pictures", "5 pictures"), "utf-8")
    both = run("gallery", "--verify", "pictures")
    assert both.code == 4 and both.out == "removed  dream.png\n" and "index.html' was changed since the gallery was made" in both.err


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


def entries_of(page: Path) -> list[dict[str, Any]]:
    """What the page knows of the scores of each picture."""
    found = re.search('<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    names = [each["name"] for each in data["scores"]]
    return [{name: each for name, each in zip(names, row[10], strict=True) if each} for row in data["rows"]]


def test_scores_are_computed_once_and_every_later_gallery_has_them(run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pictures / "walk.mp4").write_bytes(b"a film")
    before = run("gallery", pictures, "--quiet")
    assert before.code == 0 and all("naturalness" not in each for each in entries_of(Path("pictures-gallery/index.html")))
    done = run("gallery", pictures, "--scores", "--network", "efficientnet-lite1", "--network", "efficientnet-lite2", "--device", "cpu")
    assert done.code == 0 and "5 of 6 pictures have scores; 5 were computed now" in done.err, done
    assert "4 without rise, strength among photographs: for its network 'efficientnet-lite0' no scores of photographs are known" in done.err
    assert (
        "1 without rise, strength among photographs, difference from its start, difference from its siblings: it has no recipe" in done.err
    )
    for each in ("it cannot be read", "a film"):
        assert f"  1 without any score: {each}\n" in done.err
    scores = entries_of(Path("pictures-gallery/index.html"))
    assert [len(each) > 3 for each in scores].count(True) == 5  # what cannot be read has none
    assert sorted(each["naturalness"][1] for each in scores if each)[0] == 1
    monkeypatch.setattr("reverie.judging.scores.scoring.Scorer.score", lambda *_: pytest.fail("scored again"))
    again = run("gallery", pictures, "--scores", "--network", "efficientnet-lite2", "--network", "efficientnet-lite1", "--json")
    assert again.data[0]["scores"]["new"] == 0 and again.data[0]["scores"]["pictures"] == 5 and again.data[0]["scores"]["faults"] == {}
    assert {(each["score"], each["pictures"]) for each in again.data[0]["scores"]["without"]} >= {("rise", 4), ("rise", 1)}
    assert run("gallery", pictures).code == 0 and entries_of(Path("pictures-gallery/index.html")) == scores


def test_scoring_that_was_stopped_goes_on_where_it_was(run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reverie.judging.scores.scoring import Scorer

    scored: list[Path] = []
    plain = Scorer.score

    def stopped(self: Scorer, place: Path, recipe: Any, fault: str) -> Any:
        if len(scored) == 2:
            raise KeyboardInterrupt  # as a kill: nothing is tidied up
        scored.append(place)
        return plain(self, place, recipe, fault)

    monkeypatch.setattr(Scorer, "score", stopped)
    assert run("gallery", pictures, "--scores", "--network", "efficientnet-lite1").code == 130
    assert not Path("pictures-gallery/index.html").exists()
    monkeypatch.setattr(Scorer, "score", plain)
    done = run("gallery", pictures, "--scores", "--network", "efficientnet-lite1")
    assert done.code == 0 and "5 of 6 pictures have scores; 3 were computed now" in done.err
    assert "5 without agreement: fewer than two of the networks that were asked did not make it" in done.err


def test_a_picture_that_cannot_be_scored_is_told_and_the_others_are_scored(
    run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reverie.judging.scores.scoring import Scorer

    plain = Scorer.score

    def fragile(self: Scorer, place: Path, recipe: Any, fault: str) -> Any:
        if place.name == "daisy.jpg":
            raise MemoryError
        return plain(self, place, recipe, fault)

    monkeypatch.setattr(Scorer, "score", fragile)
    done = run("gallery", pictures, "--scores", "--network", "efficientnet-lite1")
    assert done.code == 0 and "'daisy.jpg' cannot be scored: it needs more memory than is free" in done.err
    assert "4 of 6 pictures have scores; 4 were computed now" in done.err


def test_what_is_wrong_with_scoring_is_a_line_and_a_remedy(run: Run, pictures: Path) -> None:
    run("gallery", "pictures", "--network", "efficientnet-lite1").fault(2, "--network without --scores", "needs no network")
    run("gallery", "pictures", "--threads", "1").fault(2, "--threads without --scores")
    run("gallery", "pictures", "--offline").fault(2, "--offline without --scores")
    run("gallery", "pictures", "--verify", "--scores").fault(2, "--verify and --scores")
    run("gallery", "pictures", "--scores", "--device", "abacus").fault(2, "no device 'abacus'")
    run("gallery", "pictures", "--scores", "--network", "nonsense").fault(2, "nonsense")
    assert not Path("pictures-gallery").exists()


def test_stars_that_were_found_and_a_list_that_was_changed_are_told(run: Run, pictures: Path) -> None:
    run("gallery", "pictures")
    digest = hashlib.sha256((pictures / "dream.png").read_bytes()).hexdigest()
    Path("pictures-gallery/stars.json").write_text(json.dumps({"made": "stars", "stars": {digest: 4}}))
    assert "stars.json: 1 picture has stars; no ranking is fitted to them: that takes 20" in run("gallery", "pictures").err
    manifest = Path("pictures-gallery/manifest.json")
    manifest.write_text(manifest.read_text().replace('"count": 7', '"count": 6'))
    run("gallery", "--verify", "pictures").fault(4, "was changed")
    again = run("gallery", "pictures")  # its own page may be replaced, and is told as changed
    assert again.code == 0 and "of the gallery that was there: the list in 'pictures-gallery/manifest.json' was changed" in again.err
    assert "was changed" not in run("gallery", "pictures").err


def test_one_picture_is_as_it_was(run: Run, place: Path) -> None:
    (place / "one").mkdir()
    saved(place / "one" / "a.png", 20, 20)
    run("gallery", "one")
    assert run("gallery", "--verify", "one").out.startswith("1 picture is as it was listed, in 'one'; ")
