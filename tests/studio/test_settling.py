"""From work to results: whatever the moment of a kill, each result is there once, with its whole content, and the job is done."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reverie.studio.jobs import Home, Queue
from reverie.studio.jobs.database import Database
from reverie.studio.jobs.ledger import Ledger
from reverie.studio.jobs.settling import publish, settle

UNITS = 2
# a process that does the jobs of a home with files that say what they are, and kills itself at its N-th moment
MAKER = """
import os, signal, sys
from pathlib import Path
import tests.studio.test_settling as own
from reverie.studio.jobs import Home
left = [int(sys.argv[2])]
def moment():
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
with own.at_moments(moment):
    own.work(Home(Path(sys.argv[1])))
"""


class Killed(BaseException):
    pass


def work(home: Home) -> None:
    """What the process does, with files in the place of pictures."""
    ledger = Ledger(home)
    settle(home, ledger)
    ledger.put_back()
    while (job := ledger.claim()) is not None:
        folder = home.work / str(job.id)
        folder.mkdir(exist_ok=True)
        ledger.planned(job.id, UNITS)
        for unit in set(range(UNITS)) - ledger.made(job.id):
            (folder / f"{unit}.png").write_text(f"{job.id} {unit}")
            publish(home, ledger, job.id, [(unit, f"{unit}.png", "sky.png")])
        ledger.done_if_whole(job.id)
    ledger.close()


@contextmanager
def at_moments(moment: Callable[[], object]) -> Iterator[None]:
    """Inside, `moment` is called before each change is written, after it, and around each file that is moved."""
    changing, rename = Database.changing, Path.rename

    @contextmanager
    def watched(self: Database) -> Iterator[Any]:
        with changing(self) as change:
            yield change
            moment()
        moment()

    def renamed(self: Path, target: Path) -> Path:
        moment()
        found = rename(self, target)
        moment()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "changing", watched)
        patch.setattr(Path, "rename", renamed)
        yield


def check(home: Home, jobs: int) -> None:
    """Each result is there once, and every job is done."""
    queue = Queue(home)
    found = sorted(each.read_text() for each in home.pictures.iterdir())
    assert found == sorted(f"{job} {unit}" for job in range(1, jobs + 1) for unit in range(UNITS))
    assert all((each.state, each.done, each.crashes) == ("done", 1.0, 0) for each in queue.jobs())
    assert sorted(name for each in queue.jobs() for name in each.results) == sorted(each.name for each in home.pictures.iterdir())


def asked(folder: Path, jobs: int = 1) -> Home:
    home = Home(folder)
    queue = Queue(home)
    for _ in range(jobs):
        queue.add("imagine", ["banana"], {})
    queue.close()
    return home


def test_killed_at_every_moment_each_result_is_there_once(tmp_path: Path) -> None:
    moments = 0
    while True:
        moments += 1
        home, left = asked(tmp_path / str(moments)), [moments]

        def moment(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        try:
            with at_moments(moment):
                work(home)
        except Killed:
            work(home)
            check(home, 1)
            continue
        break
    assert moments > 15  # all of them were tried
    check(home, 1)


def test_killed_again_and_again_for_good(tmp_path: Path) -> None:
    home = asked(tmp_path / "home", 3)
    for moment in (3, 5, 7, 11, 13, 10_000):
        made = subprocess.run([sys.executable, "-c", MAKER, str(home.folder), str(moment)], timeout=120, check=False)
        assert made.returncode == (0 if moment == 10_000 else -signal.SIGKILL)
    check(home, 3)


def test_a_name_that_somebody_took_meanwhile_is_left_to_them(tmp_path: Path) -> None:
    home = asked(tmp_path / "home")
    ledger = Ledger(home)
    job = ledger.claim()
    assert job is not None
    (home.work / "1").mkdir()
    for unit in range(UNITS):
        (home.work / "1" / f"{unit}.png").write_text(f"1 {unit}")
    (home.trash / "sky.png").write_text("thrown away")
    ledger.announced(1, [(0, "0.png", "sky.png")], lambda name: not (home.trash / name).exists())
    (home.pictures / "sky-2.png").write_text("somebody's")
    settle(home, ledger)
    assert {each.name: each.read_text() for each in home.pictures.iterdir()} == {"sky-2.png": "somebody's", "sky-2-2.png": "1 0"}
    assert Queue(home).job(1).results == ("sky-2-2.png",)


def test_what_is_not_whole_does_not_count_as_made(tmp_path: Path) -> None:
    home = asked(tmp_path / "home")
    ledger = Ledger(home)
    assert ledger.claim() is not None
    (home.work / "1").mkdir()
    (home.work / "1" / "0.png").write_text("a part")
    ledger.planned(1, 1)
    publish(home, ledger, 1, [(None, "0.png", "sky.png")])
    job = Queue(home).job(1)
    assert (job.state, job.results, ledger.made(1)) == ("running", ("sky.png",), set())


def test_work_that_nobody_needs_is_taken_away_and_that_of_others_stays(tmp_path: Path) -> None:
    home = asked(tmp_path / "home", 3)
    for name in ("1", "2", "3", "99", "other"):
        (home.work / name).mkdir()
        (home.work / name / "frame").write_text("x")
    queue = Queue(home)
    queue.cancel(1)
    queue.pause(2)
    settle(home, Ledger(home))
    assert sorted(each.name for each in home.work.iterdir()) == ["2", "3"]
