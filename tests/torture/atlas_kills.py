"""Atlases killed on the way: python -m tests.torture.atlas_kills [--seed N] [--rounds N]

Ten times, by a seed that is printed, the command that makes an atlas on Ray is killed (kill -9), or one of its workers. In the end the
same command is left alone: no unit may be missing, and the manifest must be that of an atlas made in one go in one process.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

UNITS = ("--layers", "blocks.0.0,blocks.2.1", "--sample", "12", "--facets", "0", "--classes", "none", "--size", "48", "--steps", "6")
ON_RAY = ("--on", "ray", "--workers", "2")


def begin(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "reverie", "atlas", *UNITS, "--octaves", "1", "--threads", "1", "--json", "-o", str(folder), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    said, wrong = process.communicate()
    if process.returncode:
        raise SystemExit(f"the command ended with {process.returncode}: {wrong}")
    (row,) = json.loads(said)
    found: dict[str, Any] = row
    return found


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Its workers that have begun."""
    try:
        return [each for each in psutil.Process(process.pid).children(recursive=True) if each.name().startswith("ray::Worker")]
    except psutil.NoSuchProcess:
        return []


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args(arguments)
    draw = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as base:
        whole = answer(begin(Path(base) / "whole"))
        folder, killed = Path(base) / "killed", {"worker": 0, "driver": 0}
        process = begin(folder, *ON_RAY)
        for number in range(options.rounds):
            while process.poll() is None and not workers_of(process):
                time.sleep(0.1)
            time.sleep(draw.uniform(0, 6))
            who = draw.choice(["worker", "driver"])
            if process.poll() is not None:
                print(f"round {number}: it was finished, and begins once more", flush=True)
            elif who == "worker" and (there := workers_of(process)):
                draw.choice(there).kill()
                killed["worker"] += 1
            else:
                process.kill()
                killed["driver"] += 1
            if who == "driver" or process.poll() is not None:
                process.communicate()
                process = begin(folder, *ON_RAY)
        made = answer(process)
    print(f"killed: {killed}; units: {made['units']} of {whole['units']}; failed: {made['failed']}", flush=True)
    same = made["manifest"] == whole["manifest"]
    print("the same manifest" if same else "another manifest", flush=True)
    if not same or made["failed"] or made["units"] != whole["units"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
