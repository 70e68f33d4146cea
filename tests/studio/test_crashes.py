"""Crashes and kills, of the process that does the jobs and of its server: no job is lost, none runs for ever, none is made twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.helpers.studios import LONG, PATIENCE, QUICK, SERVER, Studio, answer, ended, ends_at_once, hangs, never_ready, sky, until

from reverie.errors import OutputError
from reverie.studio.jobs import Home, Queue, Worker, life
from reverie.studio.jobs.protocol import Message


def test_a_job_that_ends_the_process_twice_is_set_aside_and_the_queue_goes_on(studio: Studio) -> None:
    number = studio.queue.add("dream", [studio.picture], {**LONG, "seed": 13}).id
    other = studio.queue.add("dream", [studio.picture], {**QUICK, "seed": 14}).id
    studio.running(number)
    asked = studio.worker.ask("networks")
    studio.kill()
    if (error := asked.exception(PATIENCE)) is not None:  # unless it was answered just before
        assert isinstance(error, OutputError)
    assert studio.queue.job(number).crashes == 1
    studio.running(number, steps=False)
    studio.kill()
    assert ended(studio.queue, other).state == "done"
    job = studio.queue.job(number)
    assert (job.state, job.crashes, job.results) == ("aside", 2, ()) and "SIGKILL" in job.fault
    studio.queue.retry(number)
    studio.running(number)
    assert studio.queue.job(number).crashes == 0
    studio.cancelled(number)


def test_a_stopped_process_gives_its_job_back_and_goes_on_with_it(studio: Studio) -> None:
    number = studio.queue.add("dream", [studio.picture], {**LONG, "seed": 15}).id
    studio.running(number)
    studio.worker.stop(60)
    job = studio.queue.job(number)
    assert (job.state, job.crashes, studio.worker.alive) == ("waiting", 0, False)
    with pytest.raises(OutputError, match="does not run"):
        answer(studio.worker.ask("networks"))
    studio.worker.start()
    studio.running(number)
    studio.cancelled(number)


def test_a_process_that_is_asked_to_end_gives_its_job_back_without_a_crash(studio: Studio) -> None:
    number = studio.queue.add("dream", [studio.picture], {**LONG, "seed": 16}).id
    studio.running(number)
    studio.kill(signal.SIGTERM)
    assert studio.queue.job(number).crashes == 0
    studio.running(number)
    studio.cancelled(number)


def test_a_killed_server_leaves_no_process_behind_and_loses_no_job(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    queue, picture = Queue(home), f"input:{home.keep(sky(), 'sky.png')}"
    long = queue.add("journey", [picture], {**QUICK, "frames": 40, "rounds": 1}).id
    jobs = [long, *(queue.add("dream", [picture], {**QUICK, "seed": seed}).id for seed in range(2))]
    for kills in range(2):
        server = subprocess.Popen([sys.executable, "-c", SERVER, str(home.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert server.stdout is not None and server.stdin is not None
        pid = int(server.stdout.readline())
        if kills < 1:
            until(queue, lambda: queue.job(long).state in ("running", "done"))
            child = psutil.Process(pid)
            server.kill()
            server.wait(60)
            child.wait(60)
        else:
            for each in jobs:
                assert ended(queue, each).state == "done"
            server.stdin.close()
            assert server.wait(60) == 0
    made = [queue.job(each) for each in jobs]
    assert [(each.crashes, len(each.results)) for each in made] == [(0, 1)] * 3
    assert sorted(each.name for each in home.pictures.iterdir()) == sorted(each.results[0] for each in made)


def test_a_process_that_cannot_be_started_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.studio.jobs.process.main", ends_at_once)
    home = Home(tmp_path / "home")
    worker = Worker(home)
    worker.start()
    asked = worker.ask("networks")
    assert isinstance(asked.exception(PATIENCE), OutputError)
    until(Queue(home), lambda: bool(worker.fault))
    assert not worker.alive and "cannot be started" in worker.fault
    worker.stop()


def test_a_job_that_hangs_is_ended_when_it_is_cancelled_and_the_next_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.studio.jobs.process.main", hangs)
    monkeypatch.setattr(life, "PATIENCE", 0.3)
    monkeypatch.setattr(life, "LOOK", 0.1)
    home = Home(tmp_path / "home")
    queue, worker = Queue(home), Worker(home)
    hanging, other = (queue.add("imagine", [word], {}).id for word in ("banana", "volcano"))
    worker.start()
    until(queue, lambda: worker.silent > 0.5)  # longer than its patience: but nobody asked it to stop
    assert queue.job(hanging).state == "running" and queue.job(other).state == "waiting"
    pid = worker.pid
    queue.cancel(hanging)
    assert ended(queue, other).state == "done" and worker.pid != pid
    job = queue.job(hanging)
    assert (job.state, job.crashes, queue.job(other).crashes) == ("cancelled", 0, 0)
    until(queue, lambda: worker.silent == 0)
    worker.stop()


def test_how_long_a_job_may_be_silent_after_it_was_cancelled_follows_from_what_it_took_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("reverie.studio.jobs.life.time.monotonic", lambda: now[0])
    monkeypatch.setattr(life.Life, "_is_cancelled", lambda *_: True)
    found = life.Life(Home(tmp_path / "home"))

    def after(seconds: float, busy: bool = False, job: int = 1) -> None:
        now[0] += seconds
        found.heard(Message("alive", job, {"busy": busy}))

    def hangs_after(seconds: float) -> bool:
        assert not found._hangs()
        now[0] += seconds
        return found._hangs()

    after(0)
    assert found.silent == 0 and not hangs_after(20) and hangs_after(0.1)
    after(0)
    after(30)  # a step of a large picture
    assert not hangs_after(89) and found.silent == 89
    after(0, busy=True)
    assert not hangs_after(590)
    after(0, job=2)
    assert hangs_after(21)
    found.heard(Message("job frame", 2))
    assert found.silent == 0 and not found._hangs()


def test_a_process_that_is_not_ready_is_ended_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverie.studio.jobs.process.main", never_ready)
    worker = Worker(Home(tmp_path / "home"))
    worker.start()
    assert worker.alive
    worker.stop(PATIENCE * 10)  # which it would take: it does not listen
    assert not worker.alive


def test_pictures_that_are_there_are_not_made_again_after_a_crash(studio: Studio) -> None:
    number = studio.queue.add("dream", [studio.picture], {**QUICK, "steps": 40, "seed": "20-25"}).id
    until(studio.queue, lambda: len(studio.queue.job(number).results) >= 2)
    before = {each.name: each.stat().st_mtime_ns for each in studio.home.pictures.iterdir()}
    studio.kill()
    job = ended(studio.queue, number)
    assert (job.state, job.results) == ("done", tuple(f"sky-edges-{seed}.png" for seed in range(20, 26)))
    assert {name: (studio.home.pictures / name).stat().st_mtime_ns for name in before} == before


def test_a_crash_of_a_preview_is_not_the_fault_of_the_job_that_it_goes_before(studio: Studio) -> None:
    number = studio.queue.add("dream", [studio.picture], {**LONG, "seed": 17}).id
    studio.running(number)
    preview = studio.worker.preview("page", "dream", [studio.picture], LONG, 64)
    until(studio.queue, lambda: studio.worker.frame(preview) is not None)
    studio.kill()
    assert studio.queue.job(number).crashes == 0
    assert studio.preview(preview)["ended"] and "SIGKILL" in studio.preview(preview)["fault"]["fault"]
    studio.running(number)
    studio.cancelled(number)
