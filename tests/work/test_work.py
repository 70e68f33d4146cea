"""Long work: killed at any moment it goes on where it stopped, other settings begin anew, and nobody else's files are touched."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reverie.errors import OutputError
from reverie.work import Job, Progress, run_in_order

UNITS = 12
# a process that makes units, each of the one before, and counts every making in a file; slow enough to be killed in the midst of one
MAKER = """
import hashlib, sys, time
from pathlib import Path
from reverie.work import Job, run_in_order
place, fingerprint, units, pause = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
job = Job(place, fingerprint, units, suffix=".bin")
def make(number):
    with (place.parent / "made").open("a") as made:
        print(number, file=made)
    before = job.unit(number - 1).read_bytes() if number else fingerprint.encode()
    time.sleep(pause)
    return hashlib.sha256(before + bytes([number])).digest() * 4096
with job.locked() as note:
    print(note, flush=True)
    run_in_order(job, make)
"""


def maker(place: Path, fingerprint: str = "a", units: int = UNITS, pause: float = 0.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MAKER, str(place), fingerprint, str(units), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def units_of(place: Path) -> list[bytes]:
    return [each.read_bytes() for each in sorted((place / "frames").iterdir())]


def png(content: bytes = b"") -> bytes:
    return b"\x89PNG\r\n\x1a\n" + content + b"\0\0\0\0IEND\xaeB`\x82"


def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    whole, torn = tmp_path / "whole" / "a.work", tmp_path / "torn" / "a.work"
    for each in (whole, torn):
        each.parent.mkdir()
    assert maker(whole).wait(60) == 0
    kills = 0
    for _ in range(10):
        working = maker(torn, pause=0.02)
        assert working.stdout is not None
        working.stdout.readline()  # it is at work
        time.sleep(moments.uniform(0, 0.15))
        working.kill()
        kills += working.wait(60) != 0
        left = list((torn / "frames").glob("*.bin"))
        assert all(each.stat().st_size == 32 * 4096 for each in left)  # whole or absent
    assert kills >= 1
    assert maker(torn).wait(60) == 0
    assert units_of(torn) == units_of(whole) and len(units_of(torn)) == UNITS
    made = [int(each) for each in (torn.parent / "made").read_text().split()]
    assert len(made) <= UNITS + kills  # each kill costs one unit at most
    assert made == sorted(made)  # and nothing that was finished was done again


def test_other_settings_begin_anew_with_a_word(tmp_path: Path) -> None:
    job = Job(tmp_path / "a.work", "a", 3)
    with job.locked() as note:
        assert note == ""
        assert run_in_order(job, lambda number: png(b"a%d" % number)) == 3
    other = Job(tmp_path / "a.work", "b", 3)
    with other.locked() as note:
        assert "3 frames" in note and "dropped" in note and "settings" in note
        assert other.finished() == 0 and list(other.frames.iterdir()) == []
        assert run_in_order(other, lambda number: png(b"b%d" % number)) == 3
    with other.locked() as note:
        assert note.startswith("3 of 3 frames")
    assert [each.read_bytes() for each in sorted(other.frames.iterdir())] == [png(b"b%d" % number) for number in range(3)]


def test_killed_while_it_drops_old_units_it_never_takes_one_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job(tmp_path / "a.work", "a", 3)
    with job.locked():
        run_in_order(job, lambda number: png(b"a"))
    other, unlink = Job(tmp_path / "a.work", "b", 3), Path.unlink
    gone: list[Path] = []

    def stops(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".png" and gone:
            raise KeyboardInterrupt
        gone.append(path) if path.suffix == ".png" else None
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", stops)
    with pytest.raises(KeyboardInterrupt), other.locked():
        pass
    monkeypatch.setattr(Path, "unlink", unlink)
    with other.locked() as note:
        assert "2 frames" in note and other.finished() == 0


def test_a_longer_job_of_the_same_settings_goes_on(tmp_path: Path) -> None:
    short, long = Job(tmp_path / "a.work", "a", 2), Job(tmp_path / "a.work", "a", 5)
    with short.locked():
        run_in_order(short, lambda number: png())
    made: list[int] = []

    def make(number: int) -> bytes:
        made.append(number)
        return png()

    with long.locked() as note:
        assert note.startswith("2 of 5")
        run_in_order(long, make)
    assert made == [2, 3, 4]
    assert json.loads((long.place / "manifest.json").read_text())["units"] == 5


def test_a_second_process_is_refused_in_one_line(tmp_path: Path) -> None:
    first = maker(tmp_path / "a.work", pause=5)
    assert first.stdout is not None
    try:
        first.stdout.readline()
        with pytest.raises(OutputError) as refused, Job(tmp_path / "a.work", "a", UNITS).locked():
            pass
    finally:
        first.kill()
        first.wait(60)
    assert "another process is at work" in refused.value.fault and "\n" not in str(refused.value)
    with Job(tmp_path / "a.work", "a", UNITS).locked():  # a lock dies with its process
        pass


def test_no_room_is_told_and_what_is_finished_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, fsync = Job(tmp_path / "a.work", "a", 5), os.fsync

    def full(handle: int) -> None:
        if job.unit(1).exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    with job.locked():
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError) as told:
            run_in_order(job, lambda number: png())
        assert "no room" in told.value.fault and "2 finished frames are kept" in told.value.remedy
        monkeypatch.setattr(os, "fsync", fsync)
        assert sorted(each.name for each in job.frames.iterdir()) == ["000000.png", "000001.png"]
    with job.locked():
        assert job.finished() == 2 and run_in_order(job, lambda number: png()) == 5


@pytest.mark.parametrize("content", [b"", b"\x89PNG", png()[:-1], b"GIF89a" + png(), png() + b"more"])
def test_a_file_that_is_not_whole_is_made_again(tmp_path: Path, content: bytes) -> None:
    job = Job(tmp_path / "a.work", "a", 4)
    with job.locked():
        run_in_order(job, lambda number: png())
        job.unit(2).write_bytes(content)
    made: list[int] = []

    def make(number: int) -> bytes:
        made.append(number)
        return png()

    with job.locked() as note:
        assert job.finished() == 2 and note.startswith("2 of 4")
        run_in_order(job, make)
        assert made == [2, 3] and job.finished() == 4
        job.unit(1).unlink()
        job.unit(1).mkdir()
        assert job.finished() == 1


def test_pace_and_stopping(tmp_path: Path) -> None:
    job, seen = Job(tmp_path / "a.work", "a", 9), list[Progress]()

    def watch(done: Progress) -> bool:
        seen.append(done)
        return done.number == 3

    with job.locked():
        assert run_in_order(job, lambda number: png(), watch) == 4
    assert [each.number for each in seen] == [0, 1, 2, 3] and {each.units for each in seen} == {9}
    assert [each.done for each in seen] == pytest.approx([1 / 9, 2 / 9, 3 / 9, 4 / 9]) and seen[-1].doing.startswith("frame 4/9  ")
    assert seen[-1].left == pytest.approx(5 / seen[-1].per_second) and seen[-1].per_second > 0


@pytest.mark.parametrize(("pace", "words"), [(12.34, "12 a second"), (0.1, "0.1 a second"), (0.05, "20 s each")])
def test_progress_in_words(pace: float, words: str) -> None:
    assert Progress(2, 16, pace, 0.0).doing == f"frame 3/16  {words}"


def test_removed_it_leaves_nothing_but_what_others_put_there(tmp_path: Path) -> None:
    job = Job(tmp_path / "a.work", "a", 2)
    with job.locked():
        run_in_order(job, lambda number: png())
        job.remove()
    assert list(tmp_path.iterdir()) == []
    with job.locked():
        run_in_order(job, lambda number: png())
        (job.place / "mine.txt").write_text("mine")
        job.remove()
    assert [each.name for each in job.place.iterdir()] == ["mine.txt"]


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "a.work"
    (place / "frames").mkdir(parents=True)
    (place / "frames" / "000000.png").write_bytes(png())
    with pytest.raises(OutputError, match="no work of Reverie's"), Job(place, "a", 2).locked():
        pass
    assert [each.name for each in place.rglob("*.*")] == ["000000.png"]
    (place / "frames" / "000000.png").unlink()
    with Job(place, "a", 2).locked():  # one that was killed before its manifest was written
        pass


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"), Job(tmp_path / "no" / "a.work", "a", 2).locked():
        pass
    (tmp_path / "b.work").write_text("a file")
    with pytest.raises(OutputError), Job(tmp_path / "b.work", "a", 2).locked():
        pass
