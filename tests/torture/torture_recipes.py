"""Sweep: recipes that hypothesis makes, sound and hostile, read from real files and planned again. Exit 1 if more than our errors gets out.

python tests/torture/torture_recipes.py [--seed N] [--recipes 1000]
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.commands import carrying
from tests.helpers.recipes import hostile, sound

import reverie
from reverie import api
from reverie.album import read_recipe
from reverie.errors import ReverieError
from reverie.networks import Network
from reverie.recipe import Recipe, read

SLOW = 5.0  # seconds
SUFFIXES = (".png", ".jpg", ".webp")


class Sweep:
    """Counts of what happened; whatever is not a ReverieError or a result is a finding."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.slowest = 0.0

    def attempt(self, what: str, act: Callable[[], object]) -> object:
        faulthandler.dump_traceback_later(120, exit=True)
        began, result = time.perf_counter(), None
        try:
            result = act()
            self.counts[f"{what}: fine"] += 1
        except ReverieError as error:
            self.counts[f"{what}: {type(error).__name__}"] += 1
            if "\n" in str(error).replace("\\n", "") or not error.remedy or len(str(error)) > 1000:
                self.finding("ugly", f"{what}: not one short line with a remedy: {error!r}")
        except Exception:  # noqa: BLE001 - what gets out is what we look for
            self.finding("tracebacks", f"{what}\n{traceback.format_exc()}")
        faulthandler.cancel_dump_traceback_later()
        took = time.perf_counter() - began
        self.slowest = max(self.slowest, took)
        if took > SLOW:
            self.finding("hangs", f"{what}: {took:.1f} s")
        return result

    def finding(self, kind: str, text: str) -> None:
        self.counts[kind] += 1
        print(f"{kind}: {text}", flush=True)


def fitted(recipe: Recipe, network: Network, side: int) -> str:
    """The text of a recipe that names the open network, and whose picture is small enough to be planned in no time."""
    data = json.loads(recipe.text())
    data["networks"][0].update(name=network.name, sha256=network.sha256)
    data.update(width=1 + recipe.width % side, height=1 + recipe.height % side)
    return json.dumps(data, ensure_ascii=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recipes", type=int, default=1000)
    wanted = parser.parse_args()
    warnings.simplefilter("ignore")
    sweep, network = Sweep(), reverie.load(device="cpu")
    network.prepare([])
    quiet = settings(
        max_examples=wanted.recipes // 2, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["REVERIE_CACHE"] = str(folder / "cache")

        def look(text: str, suffix: str, valid: bool) -> None:
            place = folder / f"a{suffix}"
            try:
                carrying(place, text)
            except ReverieError:  # what our own files cannot carry: nothing to read
                sweep.counts["not written"] += 1
                return
            found = sweep.attempt("read", lambda: read_recipe(place))
            if valid and (not isinstance(found, Recipe) or found != read(text)):
                sweep.finding("lost", f"a sound recipe was not read from {suffix}: {text[:300]}")
            if isinstance(found, Recipe):
                sweep.attempt("planned", lambda: api.plan_redo(api.carried_by(place, network=network)))

        @seeded(wanted.seed)
        @quiet
        @given(sound, st.sampled_from(SUFFIXES), st.integers(1, 200))
        def sound_ones(recipe: Recipe, suffix: str, side: int) -> None:
            look(recipe.text(), suffix, True)
            look(fitted(recipe, network, side), suffix, True)

        @seeded(wanted.seed)
        @quiet
        @given(hostile(), st.sampled_from(SUFFIXES))
        def hostile_ones(text: str, suffix: str) -> None:
            look(text, suffix, False)

        sound_ones()
        hostile_ones()
        if sorted(each.name for each in folder.iterdir()) != sorted(f"a{suffix}" for suffix in SUFFIXES):
            sweep.finding("litter", str(sorted(each.name for each in folder.iterdir())))
    kinds = ("tracebacks", "hangs", "ugly", "lost", "litter")
    bad = {kind: sweep.counts.pop(kind, 0) for kind in kinds}
    rest = ", ".join(f"{what} {count}" for what, count in sorted(sweep.counts.items()))
    print(f"seed {wanted.seed}: {wanted.recipes} recipes: {bad}; {rest}; slowest {sweep.slowest:.2f} s")
    return int(any(bad.values()))


if __name__ == "__main__":
    sys.exit(main())
