"""Sweep: hostile files of weights, read in processes of a hundred. Exit 1 if one runs, takes over 5 s or 1 GB, or is taken.

python tests/torture/torture_weights.py [--seed N] [--files 3000]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.helpers.hostile_weights import hostile

SLOW, LARGE = 5.0, 1 << 30  # seconds, bytes above the file's own
BATCH = 100


def faults(folder: Path, counts: Counter[str]) -> list[str]:
    """What is wrong with how the files of the folder were read."""
    found = []
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.reading_weights", folder], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, timeout=600
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(told) < len(list(folder.iterdir())):
        found.append(f"the process ended with {done.returncode} after {told[-1:]}")
    for each in told:
        counts[f"exit {each['code']}"] += 1
        counts["slowest ms"] = max(counts["slowest ms"], round(1000 * each["seconds"]))
        counts["peak MB"] = max(counts["peak MB"], round(each["peak"] / 1e6))
        room = LARGE + (folder / each["file"]).stat().st_size
        if each["wrong"] or each["seconds"] > SLOW or each["peak"] > room or (each["code"] not in (3, 4) and "mutated" not in each["file"]):
            found.append(json.dumps(each))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=3000)
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    counts, wrong = Counter[str](), 0
    for first in range(0, wanted.files, BATCH):
        with tempfile.TemporaryDirectory() as name:
            folder, canary = Path(name) / "files", Path(name) / "canary"
            folder.mkdir()
            seed = f"{wanted.seed}, {first}"
            made = len(list(hostile(random.Random(seed), folder, canary, min(BATCH, wanted.files - first))))
            found = faults(folder, counts)
            if canary.exists():
                found.append("something ran")
            counts["files"] += made
            wrong += len(found)
            for each in found:
                print(f"seed {seed}: {each}", flush=True)
    rest = ", ".join(f"{each} {count}" for each, count in sorted(counts.items()))
    print(f"seed {wanted.seed}: {wrong} faults; {rest}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
