"""Sweep: `reverie dream` killed at random moments over a picture that is there already: it stays whole. Exit 1 if it does not.

python tests/torture/torture_dreams.py [--seed N] [--kills 10]
"""

from __future__ import annotations

import argparse
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from reverie.album import read_recipe
from reverie.errors import ReverieError


def dream(folder: Path, seed: int) -> subprocess.Popen[bytes]:
    """A short dream of noise, in a process of its own, over `a.png`."""
    code = "from reverie.cli import run; run()"
    flags = ["noise:pink", "--size", "640", "--octaves", "1", "--steps", "2", "-o", "a.png", "--force", "--seed", str(seed)]
    return subprocess.Popen([sys.executable, "-c", code, "dream", *flags], cwd=folder, stdout=subprocess.DEVNULL)


def whole(path: Path, seeds: set[int]) -> bool:
    """A picture that opens to its last pixel, with the recipe of one of these dreams."""
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            image.load()
            return image.size == (640, 640) and read_recipe(path).seed in seeds
    except (OSError, ReverieError):
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=10)
    wanted = parser.parse_args()
    rng, faults, old, new, parts = random.Random(wanted.seed), 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "a.png"
        began = time.monotonic()
        assert dream(folder, 0).wait() == 0
        took = time.monotonic() - began
        there = 0
        for turn in range(1, wanted.kills + 1):
            dreaming = dream(folder, turn)
            time.sleep(took * rng.choice([rng.random(), rng.uniform(0.8, 1.1)]))  # half of them near the end, where it writes
            os.kill(dreaming.pid, signal.SIGKILL)
            dreaming.wait()
            if not whole(path, {there, turn}):
                faults += 1
                print(f"partial: kill {turn} left {path.stat().st_size} bytes that are no whole picture", flush=True)
                break
            old, new = old + (read_recipe(path).seed == there), new + (read_recipe(path).seed == turn)
            there = read_recipe(path).seed
            others = [each.name for each in folder.iterdir() if each != path]
            parts += len(others)
            for each in others:
                if not (each.startswith(".reverie-") and each.endswith(".part")):
                    faults += 1
                    print(f"partial: left beside: {each}", flush=True)
                (folder / each).unlink()
    print(f"seed {wanted.seed}: {old + new} dreams killed: {old} before their picture was there, {new} after, "
          f"{parts} hidden parts left, {faults} faults")  # fmt: skip
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
