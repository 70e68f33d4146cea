"""Twenty kills, of the process that does the jobs and of its server, at moments drawn by chance; then two hundred jobs and the memory of
the server. It takes minutes: `python -m tests.studio.kills [--kills N] [--jobs N] [--seed N]`."""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from tests.helpers.studios import QUICK, SERVER, sky, until

from reverie.studio.jobs import Home, Queue, Worker


def kills(count: int, seed: int) -> None:
    """Exit with a fault unless every job is done with each of its results once."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        queue, picture = Queue(home), f"input:{home.keep(sky(), 'sky.png')}"
        expected = {}
        for number in range(6):
            expected[queue.add("dream", [picture], {**QUICK, "steps": 8, "seed": f"{4 * number}-{4 * number + 3}"}).id] = 4
            expected[queue.add("journey", [picture], {**QUICK, "frames": 30, "rounds": 2, "seed": number}).id] = 1
        done, server, pid, of_server = 0, None, 0, 0
        while any(queue.job(each).state != "done" for each in expected):
            if server is None:
                server = subprocess.Popen([sys.executable, "-c", SERVER, str(home.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                assert server.stdout is not None
                pid = int(server.stdout.readline())
            for each in queue.jobs(["aside"]):  # as somebody does who knows that it was not the job's fault
                queue.retry(each.id)
            after = queue.last_event + chance.randrange(1, 30)
            until(queue, lambda after=after: queue.last_event >= after or not queue.jobs(["waiting", "running"]))  # type: ignore[misc]
            if done == count:
                continue
            child = psutil.Process(pid)
            if chance.random() < 0.5:
                server.kill()
                server.wait()
                server, of_server = None, of_server + 1
                child.wait(60)
            else:
                os.kill(pid, signal.SIGKILL)
                told = server.stdout.readline() if server.stdout is not None else b""
                pid = int(told)
            done += 1
            if done < count and not queue.jobs(["waiting", "running", "aside"]):
                expected[queue.add("dream", [picture], {**QUICK, "steps": 8, "seed": 1000 + done}).id] = 1
        if server is not None and server.stdin is not None:
            server.stdin.close()
            server.wait(60)
        jobs = {each: queue.job(each) for each in expected}
        names = [name for each in jobs.values() for name in each.results]
        assert {number: len(each.results) for number, each in jobs.items()} == expected, jobs
        assert sorted(names) == sorted(each.name for each in home.pictures.iterdir())
        print(f"{done} kills ({of_server} of the server), {len(jobs)} jobs: all done, {len(names)} results, each once")


def memory(count: int) -> None:
    """Exit with a fault if the server holds more than 5 % more memory after all jobs than after the first tenth."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        queue, picture = Queue(home), f"input:{home.keep(sky(24, 24), 'sky.png')}"
        worker = Worker(home)
        worker.start()
        held: list[int] = []
        for part in (count // 10, count - count // 10):
            jobs = [queue.add("dream", [picture], {**QUICK, "steps": 1, "seed": number + 1000 * len(held)}).id for number in range(part)]
            until(queue, lambda jobs=jobs: queue.job(jobs[-1]).state == "done", 600)  # type: ignore[misc]
            held.append(psutil.Process().memory_info().rss)
        worker.stop(60)
        print(f"{count} jobs: the server holds {held[0] / 1e6:.1f} MB after {count // 10} of them, {held[1] / 1e6:.1f} MB after all")
        assert held[1] <= 1.05 * held[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("--kills", 20), ("--jobs", 200), ("--seed", random.randrange(2**32))):
        parser.add_argument(name, type=int, default=usual)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    if given.kills:
        kills(given.kills, given.seed)
    if given.jobs:
        memory(given.jobs)
