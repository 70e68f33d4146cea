"""The engine on a Ray cluster: the same comes of tasks as in this process, whatever becomes of workers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from tests.helpers.travelling import Opens, tasks

from reverie.api import NamedNetwork, opening_for, plan_atlas
from reverie.api.atlases.making import make_atlas
from reverie.api.grids.cells import Unit
from reverie.cli.main import main
from reverie.errors import InputError, OutputError, UsageError
from reverie.recipe import Working
from reverie.work import Doing, Engine, Result, Task, ThisProcess, engine_for
from reverie.work import ray_engine as module
from reverie.work.ray_cluster import Cluster
from reverie.work.ray_engine import RayChoices, RayEngine

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One of this machine, for all tests of this file."""
    with closing(Cluster("ray", 4)) as found:
        yield found


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture with something in it."""
    place = tmp_path / "hills.png"
    rows, columns = np.mgrid[0:48, 0:64]
    pixels = np.stack([rows * 5, columns * 3, (rows * columns) % 251], axis=2).astype(np.uint8)
    Image.fromarray(pixels).save(place)
    return place


@pytest.fixture
def engine(cluster: Cluster) -> Iterator[RayEngine]:
    with closing(RayEngine(RayChoices(workers=2, patience=300.0), 4)) as found:  # no test hangs on how busy the machine is
        yield found


def run(engine: Engine, given: list[Task], opening: Opens | None = None) -> tuple[dict[str, bytes], dict[str, str], set[bytes]]:
    """What came of tasks, what was wrong with the others, and the processes."""
    came: dict[str, bytes] = {}
    processes: set[bytes] = set()

    def done(task: Task, result: Result) -> None:
        assert task.name not in came
        came[task.name] = result["double"]
        processes.add(result["process"])

    outcome = engine.run(given, opening or Opens(), done)
    assert outcome.finished == len(came)
    return came, {task.name: str(error) for task, error in outcome.faults}, processes


def test_the_same_comes_of_tasks_as_in_this_process(engine: RayEngine) -> None:
    here, _, _ = run(ThisProcess(), tasks(7))
    there, faults, processes = run(engine, tasks(7))
    assert (there, faults) == (here, {})
    assert processes and str(os.getpid()).encode() not in processes


def test_workers_stay_open_from_one_run_to_the_next(engine: RayEngine, tmp_path: Path) -> None:
    for _ in range(3):
        run(engine, tasks(2), Opens(str(tmp_path)))
    assert 1 <= len(list(tmp_path.iterdir())) <= 2
    (tmp_path / "other").mkdir()
    run(engine, tasks(2), Opens(str(tmp_path / "other")))  # what is opened is another
    assert list((tmp_path / "other").iterdir())


def test_without_tasks_nothing_is_started() -> None:
    with closing(RayEngine(RayChoices("ray://192.0.2.1:1"), 1)) as engine:  # which nobody can reach
        assert engine.run([], Opens(), lambda *_: None).finished == 0


def test_what_kills_its_worker_is_set_aside_and_the_others_are_made(engine: RayEngine) -> None:
    came, faults, _ = run(engine, tasks(5, t1={"does": "die"}, t3={"does": "raise"}))
    assert sorted(came) == ["task 0", "task 2", "task 4"]
    assert "'task 1' was tried 2 times" in faults["task 1"]
    assert "'task 3' was tried 2 times" in faults["task 3"]
    assert "a mistake of ours" in faults["task 3"]


def test_a_worker_that_dies_once_loses_nothing(engine: RayEngine, tmp_path: Path) -> None:
    came, faults, _ = run(engine, tasks(4, t0={"first": str(tmp_path / "a")}, t2={"first": str(tmp_path / "b")}))
    assert (len(came), faults) == (4, {})


def test_a_task_that_is_stuck_is_given_up(engine: RayEngine) -> None:
    engine.choices = replace(engine.choices, patience=3.0)
    came, faults, _ = run(engine, tasks(3, t1={"does": "sleep"}))
    assert sorted(came) == ["task 0", "task 2"]
    assert "no sign of life for 3 seconds" in faults["task 1"]


def test_a_fault_travels_with_its_remedy_and_is_tried_once(engine: RayEngine) -> None:
    outcome = engine.run(tasks(2, t1={"does": "fault"}), Opens(), lambda *_: None)
    ((task, error),) = outcome.faults
    assert (task.name, error.fault, error.remedy, error.exit_code) == ("task 1", "'task 1' cannot be made", "leave it out", 3)


def test_what_cannot_be_opened_is_told(engine: RayEngine) -> None:
    with pytest.raises(Exception, match="no such network; mend it"):
        engine.run(tasks(1), Opens(fault="no such network"), lambda *_: None)


def test_a_worker_of_another_version_is_refused(engine: RayEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__version__", "0.0.1")
    with pytest.raises(OutputError, match=r"and this is 0\.0\.1; install the same on all machines"):
        engine.run(tasks(1), Opens(), lambda *_: None)


def test_it_stops_when_it_is_told_and_keeps_what_is_finished(engine: RayEngine) -> None:
    came: list[str] = []
    outcome = engine.run(
        tasks(6, t5={"seconds": 3600}, t4={"seconds": 3600}), Opens(), lambda task, _: came.append(task.name), lambda _: len(came) >= 4
    )
    assert (outcome.stopped, outcome.finished, sorted(came)) == (True, 4, [f"task {number}" for number in range(4)])


def test_progress_grows_and_names_what_is_done(engine: RayEngine) -> None:
    seen: list[Doing] = []
    engine.run(tasks(6, t0={"seconds": 2.5}), Opens(), lambda *_: None, seen.append)
    shares = [each.done for each in seen]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert "half" in {each.part for each in seen}


def test_no_room_ends_it_with_what_is_kept(engine: RayEngine) -> None:
    def done(task: Task, result: Result) -> None:
        raise OutputError("the disk is full", "free some space")

    with pytest.raises(OutputError, match="free some space; 0 of 3 are finished and kept"):
        engine.run(tasks(3), Opens(), done)


def test_the_cluster_listens_at_the_loopback_address_alone(cluster: Cluster, engine: RayEngine) -> None:
    run(engine, tasks(1))
    found = [
        address.laddr.ip
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]
        for address in process.net_connections("tcp")
        if address.status == psutil.CONN_LISTEN
    ]
    assert found
    assert set(found) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_nobody_joins_but_with_its_token(cluster: Cluster) -> None:
    address = cluster.ray.get_runtime_context().gcs_address
    stranger = f"from reverie.work.ray_cluster import Cluster; Cluster('{address}', 1).close()"
    right, answers = os.environ["RAY_AUTH_TOKEN"], []
    for token in (right, "0" * len(right)):
        asked = {**os.environ, "RAY_AUTH_TOKEN": token}
        answers.append(subprocess.run([sys.executable, "-c", stranger], capture_output=True, text=True, env=asked, check=False))
    assert answers[0].returncode == 0, answers[0].stderr
    assert answers[1].returncode != 0
    assert "RAY_AUTH_TOKEN" in answers[1].stderr


def test_the_choice_of_an_engine() -> None:
    assert isinstance(engine_for(Working(), 2), ThisProcess)
    chosen = engine_for(Working(on="ray", workers=3), 2, on_gpu=True)
    assert isinstance(chosen, RayEngine)
    assert chosen.choices == RayChoices("ray", 3, 2, 1.0)
    with pytest.raises(UsageError, match="workers"):
        engine_for(Working(workers=3), 2)


def test_an_atlas_has_the_same_manifest_on_both_engines(engine: RayEngine, tmp_path: Path) -> None:
    choices: dict[str, Any] = {
        "layers": "blocks.0.0",
        "sample": 3,
        "facets": 0,
        "classes": "none",
        "steps": 2,
        "size": 32,
        "octaves": 1,
        "threads": 1,
    }
    plan = plan_atlas(**choices)
    digests = []
    for each in (ThisProcess(), engine):
        opening = opening_for(each, plan, NamedNetwork("efficientnet-lite0"), choices)
        made = make_atlas(plan, tmp_path / type(each).__name__, opening, each)
        assert (made.units, made.faults, made.finished) == (3, (), True)
        digests.append(made.digest)
    assert digests[0] == digests[1]
    with pytest.raises(UsageError, match="open networks by name"):
        opening_for(engine, plan, None, choices)


COMMANDS = {
    "grid": ["--vary", "seed=0-1", "--width", "64", "--steps", "2", "--octaves", "1", "--threads", "1"],
    "feature": ["blocks.0.0:0-2", "--batch", "2", "--size", "48", "--steps", "2", "--octaves", "1", "--threads", "1"],
    "see": ["--layers", "blocks.0.0", "--steps", "1", "--threads", "1", "--pictures"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_makes_the_same_bytes_on_both_engines(name: str, cluster: Cluster, tmp_path: Path, photo: Path) -> None:
    made = []
    for where in ([], ["--on", "ray", "--workers", "1"]):
        folder = tmp_path / f"made-{len(where)}"
        if name == "feature":
            folder.mkdir()
        start = [] if name == "feature" else [str(photo)]
        assert main([name, *start, *COMMANDS[name], *where, "-o", str(folder)]) == 0
        made.append({str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*.png"))})
    assert len(made[0]) >= 3
    assert made[0] == made[1]


def test_a_picture_of_a_grid_that_cannot_be_made_is_told_and_the_others_are_there(
    cluster: Cluster, tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = Unit.plan

    def plan(unit: Unit) -> Any:
        if unit.cells[0].recipe.seed == 1:
            raise InputError("this one cannot be made", "try another")
        return planned(unit)

    monkeypatch.setattr(Unit, "plan", plan)
    code = main(["grid", str(photo), *COMMANDS["grid"], "--on", "ray", "--workers", "1", "-o", str(tmp_path / "grid")])
    assert code == 3
    assert "this one cannot be made" in capsys.readouterr().err
    assert (tmp_path / "grid" / "seed-0.png").is_file() and not (tmp_path / "grid" / "seed-1.png").exists()
