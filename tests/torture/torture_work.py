"""Sweep: journeys and dreamt films killed at random moments, and gone on with: the same bytes as without. Exit 1 if not.

python tests/torture/torture_work.py [--seed N] [--kills 30]
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.helpers.clips import pan, save_clip

from reverie.errors import ReverieError
from reverie.files import read

FEW = ["--octaves", "1", "--steps", "1", "--target", "blocks.1.0", "--threads", "1", "--quiet"]
KINDS = {
    "journey": ["journey", "noise:pink", "--size", "64x48", "--frames", "20", "--rounds", "1", *FEW],
    "film": ["film", "clip.mp4", "--carried-octaves", "1", "--carried-steps", "1", *FEW],
}


def begun(words: list[str], result: str, folder: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "reverie", *words, "-o", result]
    environment = {**os.environ, "REVERIE_CACHE": str(Path(folder) / "cache")}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def units(place: Path) -> int:
    """How many frames there are; all of them must be whole."""
    found = sorted(each for each in (place / "frames").glob("*.png"))
    for each in found:
        read(each)
    return len(found)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked.add_argument("--kills", type=int, default=30)
    given = asked.parse_args()
    draw = random.Random(given.seed)
    faults, kills, through = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        save_clip(Path(folder) / "clip.mp4", pan(20, 48, 64).frames, sound_seconds=0.8)
        wanted, lasted = {}, {}
        for kind, words in KINDS.items():
            began = time.monotonic()
            if begun(words, f"whole-{kind}.mp4", folder).wait() != 0:
                print(f"{kind}: it cannot be made at all")
                return 1
            lasted[kind] = time.monotonic() - began
            wanted[kind] = (Path(folder) / f"whole-{kind}.mp4").read_bytes()
        while kills < given.kills:
            kind = draw.choice(list(KINDS))
            result, work = Path(folder) / f"{kind}.mp4", Path(folder) / f"{kind}.work"
            running = begun(KINDS[kind], result.name, folder)
            time.sleep(draw.uniform(0, 1.1 * lasted[kind]))
            over = running.poll() is not None
            running.kill()
            running.wait()
            kills += not over
            try:
                units(work)
            except ReverieError as error:
                faults += 1
                print(f"{kind}: after kill {kills} a frame is not whole: {error}", flush=True)
            if result.exists():
                through += 1
                if result.read_bytes() != wanted[kind]:
                    faults += 1
                    print(f"{kind}: after kill {kills} the film is another", flush=True)
                result.unlink()
            elif over:
                faults += 1
                print(f"{kind}: it ended with {running.returncode} and no film", flush=True)
        for kind, words in KINDS.items():
            result = Path(folder) / f"{kind}.mp4"
            if begun(words, result.name, folder).wait() != 0 or result.read_bytes() != wanted[kind]:
                faults += 1
                print(f"{kind}: at last it is another", flush=True)
    print(f"seed {given.seed}: {kills} journeys and films killed, {through} of them came through, {faults} faults", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
