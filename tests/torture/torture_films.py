"""Sweep: damaged films, each surveyed and read in a process of its own. Exit 1 if anything but our errors gets out, or takes over 10 s.

python tests/torture/torture_films.py [--seed N] [--films 300]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.helpers.damage import damaged, sound_films

from reverie.errors import ReverieError
from reverie.files import at_most_pixels, recipe_text
from reverie.files.films.reading import frames, survey
from reverie.files.films.writing import write_film

SLOW = 10.0  # seconds
LIMIT = 10_000_000


def attempt(place: Path, counts: Counter[str]) -> None:
    """Survey it, read every frame, and take its sound into a film of ours."""
    recipe_text(place)
    found = survey(place)
    counts["whole" if found.complete else "in part"] += 1
    with frames(place) as pictures:
        read = list(pictures)
    if len(read) != len(found.times) or {each.shape for each in read} != {(found.height, found.width, 3)}:
        raise AssertionError(f"{len(read)} frames read, {len(found.times)} found")
    if found.sound:
        write_film(place.with_name("out.mp4"), read, found.times, found.end, sound=place, replace=True)
        if len(survey(place.with_name("out.mp4"), strict=True).times) != len(read):
            raise AssertionError("frames were lost on the way into our film")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--films", type=int, default=300)
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    rng, counts, slowest = random.Random(wanted.seed), Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = sound_films(folder)
        for turn in range(wanted.films):
            how, place = damaged(rng, films, folder)
            began = time.perf_counter()
            try:
                with at_most_pixels(LIMIT):
                    attempt(place, counts)
            except ReverieError as error:
                counts[type(error).__name__] += 1
                if "\n" in str(error) or not error.remedy or error.exit_code not in (3, 4):
                    counts["faults"] += 1
                    print(f"film {turn} ({how}): not one line with a remedy: {error!r}", flush=True)
            except BaseException:  # noqa: BLE001 - what gets out is what we look for
                counts["faults"] += 1
                print(f"film {turn} ({how})\n{traceback.format_exc()}", flush=True)
            took = time.perf_counter() - began
            slowest = max(slowest, took)
            if took > SLOW:
                counts["hangs"] += 1
                print(f"film {turn} ({how}): {took:.1f} s", flush=True)
            place.unlink()
        left = [each.name for each in folder.iterdir() if each.name.startswith(".reverie-")]
    counts["faults"] += len(left)
    bad = {each: counts.pop(each, 0) for each in ("faults", "hangs")}
    rest = ", ".join(f"{each} {count}" for each, count in sorted(counts.items()))
    print(f"seed {wanted.seed}: {wanted.films} films: {bad}; {rest}; slowest {slowest:.2f} s")
    return int(any(bad.values()))


if __name__ == "__main__":
    sys.exit(main())
