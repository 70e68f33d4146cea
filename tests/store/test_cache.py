"""`reverie cache`: what it holds, and what goes when it is pruned."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from filelock import FileLock
from tests.helpers.commands import Run

from reverie.errors import OutputError
from reverie.store import Kept, Shelf, cache_folder, holdings, prune


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three inputs of 100, 200 and 300 bytes, 30, 20 and 10 days old; a feature; a download in progress."""
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    kept = Kept()
    for size, days in ((100, 30), (200, 20), (300, 10)):
        place = kept.find(kept.put(bytes([size % 256]) * size))
        assert place is not None
        os.utime(place, (time.time() - days * 86_400,) * 2)
    Shelf("features").put("a", b"x" * 50)
    weights = cache_folder() / "weights"
    weights.mkdir()
    for name in (".net.pth.download", ".net.pth.lock"):
        (weights / name).write_bytes(b"y" * 7)
    return cache_folder()


def sizes(kind: str) -> list[int]:
    return sorted(each.stat().st_size for each in (cache_folder() / kind).rglob("*") if each.is_file())


def test_what_is_held_is_counted_by_kind(filled: Path) -> None:
    found = {each.kind: (each.files, each.size) for each in holdings()}
    assert found["inputs"] == (3, 600) and found["features"] == (1, 50) and found["weights"] == (1, 7) and found["scratch"] == (0, 0)


def test_an_empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "none"))
    assert sum(each.files for each in holdings()) == 0 and prune(to=0).files == 0
    answer = run("cache")
    assert answer.code == 0 and "0 B" in answer.out and not (tmp_path / "none").exists()


def test_by_age(filled: Path) -> None:
    gone = prune(older_than=15)
    assert (gone.files, gone.size) == (2, 300) and sizes("inputs") == [300] and sizes("features") == [50]


def test_down_to_a_size_the_oldest_first(filled: Path) -> None:
    gone = prune(["inputs"], to=350)
    assert (gone.files, gone.size) == (2, 300) and sizes("inputs") == [300] and sizes("features") == [50]
    assert prune(["inputs"], to=350).files == 0


def test_both_hold_together(filled: Path) -> None:
    assert prune(["inputs"], older_than=25, to=0).size == 100 and sizes("inputs") == [200, 300]


def test_what_another_process_writes_stays(filled: Path) -> None:
    prune(to=0)
    assert sizes("inputs") == sizes("features") == [] and sizes("weights") == [7, 7]
    old = time.time() - 7200
    for each in (filled / "weights").iterdir():
        os.utime(each, (old, old))
    assert prune(["weights"], to=0).files == 1 and sizes("weights") == [7], "a download that nobody goes on with goes, its lock stays"


def test_a_download_that_goes_on_stays(filled: Path) -> None:
    old = time.time() - 7200
    for each in (filled / "weights").iterdir():
        os.utime(each, (old, old))
    with FileLock(filled / "weights" / ".net.pth.lock"):
        assert prune(["weights"], to=0).files == 0


def test_what_is_not_ours_is_not_removed(filled: Path) -> None:
    """REVERIE_CACHE may name a folder in which other things are."""
    theirs = [
        filled / name
        for name in (
            "mine.txt", "weights/mine.pth", "weights/net-20240101.pth", "inputs/photo.jpg", "inputs/ab/photo.jpg", "work/ab/a.txt",
            "photos/a.jpg", "scratch/tmp_notes", f"cas/ab/{'ab' * 32}",
        )
    ]  # fmt: skip
    for each in theirs:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_bytes(b"theirs")
    (filled / "weights" / f"vgg-{hashlib.sha256(b'ours').hexdigest()[:8]}.pth").write_bytes(b"ours")
    assert {each.kind: each.files for each in holdings() if each.files} == {"inputs": 3, "features": 1, "weights": 3, "cas": 1}
    assert prune(to=0).files == 5
    assert all(each.exists() for each in theirs)


def test_a_folder_of_another_version(filled: Path, run: Run) -> None:
    Shelf("sketches").put("a", b"1234")
    assert {each.kind: each.size for each in holdings()}["sketches"] == 4
    assert "removed 1 file, 4 B" in run("cache", "--prune", "--kind", "sketches").err


def test_what_was_used_lately_is_not_old(filled: Path) -> None:
    kept, content = Kept(), bytes([100]) * 100
    assert kept.find(hashlib.sha256(content).hexdigest()) is not None
    place = next(each for each in (filled / "features").rglob("*") if each.is_file())
    os.utime(place, (0, 0))
    assert Shelf("features").get("a") is not None
    prune(older_than=15)
    assert sizes("inputs") == [100, 300] and sizes("features") == [50]


def test_a_file_that_may_not_go_is_told_and_the_others_go(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self.stat().st_size == 200:
            raise PermissionError(13, "in use", str(self))
        real(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match=r"removed 2 files, but 1 cannot be \(in use"):
        prune(["inputs"])
    assert sizes("inputs") == [200]


def test_the_command_lists_and_prunes(filled: Path, run: Run) -> None:
    answer = run("cache", "--prune", "--kind", "inputs", "--to", "0.3kB")
    assert answer.code == 0 and "removed 2 files, 300 B" in answer.err and "357 B" in answer.out and str(filled) in answer.out
    rows = {each["kind"]: each for each in run("cache", "--json").data}
    assert rows["inputs"]["size"] == 300 and rows["inputs"]["folder"] == str(filled / "inputs")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--prune"], "--kind features"),
        (["--kind", "inputs"], "--prune"),
        (["--prune", "--kind", "input"], "inputs"),
        (["--prune", "--to", "many"], "2GB"),
        (["--prune", "--older-than", "-1"], "at least 0"),
        (["--prune", "--older-than", "nan"], "a finite number"),
    ],
)
def test_what_is_not_clear_removes_nothing(filled: Path, run: Run, flags: list[str], said: str) -> None:
    answer = run("cache", *flags)
    assert answer.code == 2 and said in answer.err and sizes("inputs") == [100, 200, 300]
