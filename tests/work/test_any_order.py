"""Units in any order: what is missing is made, what fails is set aside, and nobody else works in the folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reverie.errors import InputError, OutputError, UsageError
from reverie.work import Doing, locked, run_in_any_order
from reverie.work.any_order import Part


def test_only_what_is_missing_is_made_and_progress_tells_how_much_of_that() -> None:
    made: list[str] = []
    seen: list[Doing] = []

    def make(unit: str, part: Part) -> bool:
        assert not part(0.5, "half")
        made.append(unit)
        return True

    outcome = run_in_any_order("abcd", lambda unit: unit in "bd", make, seen.append, lambda unit: {"a": 3.0}.get(unit, 1.0))
    assert made == ["a", "c"] and outcome.finished == 4 and not outcome.faults and not outcome.stopped
    assert [(each.number, each.share, each.done) for each in seen] == [(0, 0.5, 0.375), (0, 1.0, 0.75), (1, 0.5, 0.875), (1, 1.0, 1.0)]
    assert (seen[0].before, seen[0].units, seen[0].doing) == (2, 2, "3/4  half") and seen[0].left is None
    assert seen[1].left is not None and seen[-1].left == 0


def test_what_fails_is_set_aside_but_a_full_disk_ends_it() -> None:
    def make(unit: int, part: Part) -> bool:
        if unit == 1:
            raise UsageError("it cannot be", "try another")
        if unit == 3:
            raise OutputError("no room", "free some")
        return True

    outcome = run_in_any_order(range(3), lambda _: False, make)
    assert outcome.finished == 2 and [(unit, str(error)) for unit, error in outcome.faults] == [(1, "it cannot be; try another")]
    with pytest.raises(OutputError, match="no room; free some; 2 of 5 are finished and kept, and the same command goes on"):
        run_in_any_order(range(5), lambda _: False, make)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_it_stops_where_it_is_told_to_and_an_unfinished_unit_counts_for_nothing(share: float) -> None:
    made: list[int] = []

    def make(unit: int, part: Part) -> bool:
        if part(0.5, ""):
            return False
        made.append(unit)
        return True

    outcome = run_in_any_order(range(4), lambda _: False, make, lambda doing: doing.number == 1 and doing.share == share)
    assert outcome.stopped and made == ([0] if share == 0.5 else [0, 1]) and outcome.finished == len(made)


def test_told_to_stop_after_the_last_unit_it_is_finished_all_the_same() -> None:
    outcome = run_in_any_order([1], lambda _: False, lambda *_: True, lambda doing: doing.share == 1)
    assert outcome.finished == 1 and not outcome.stopped


def test_a_folder_is_one_process_s_and_free_once_that_is_killed(tmp_path: Path) -> None:
    holding = (
        "import sys; from pathlib import Path; from reverie.work import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", holding, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    with pytest.raises(OutputError, match="another process is at work in") as found, locked(tmp_path):
        pass
    assert found.value.exit_code == 5
    other.kill()
    other.communicate(timeout=60)
    with locked(tmp_path):
        assert [each.name for each in tmp_path.iterdir()] == [".reverie.lock"]
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError), locked(tmp_path):
        raise InputError("what goes wrong inside", "is raised")
    assert not list(tmp_path.iterdir())
