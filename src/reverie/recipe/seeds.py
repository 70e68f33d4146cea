"""Several seeds at once, `1-10`, `1,4,7` or a list of them; and variants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from numbers import Integral
from typing import Any

from reverie.errors import UsageError, choice
from reverie.recipe.reading import choose
from reverie.recipe.requests import Variants

MOST_SEEDS = 1000  # at once, as many as go on a sheet
_PART = re.compile(r"(\d{1,19})(?:-(\d{1,19}))?")


def seeds(given: Any) -> list[Any]:
    """Each of the seeds that are meant, once; of one alone, or of None, that alone. What one may be is for its bounds to say.

    Raises:
        UsageError: a text that names none, a range that ends before it begins, none, or more than 1000.
    """
    if isinstance(given, str):
        found = _read(given)
    elif isinstance(given, Iterable):
        found = list(dict.fromkeys(islice(given, MOST_SEEDS + 1)))  # a range may be endless, or nearly so
    else:
        return [given]
    if not 1 <= len(found) <= MOST_SEEDS:
        raise UsageError("no seeds" if not found else f"more than {MOST_SEEDS} seeds", f"give 1 to {MOST_SEEDS}")
    return [int(each) if isinstance(each, Integral) else each for each in found]


def is_one_seed(given: Any) -> bool:
    """Whether a single seed is meant, so that a single picture is given back."""
    return given is None or isinstance(given, Integral) or (isinstance(given, str) and given.strip().isdecimal())


def each_of(choices: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `plan_dream` takes for each of several seeds and variants, in order."""
    others = {name: value for name, value in choices.items() if name not in ("seed", "variants")}
    count = choose(Variants, variants=choices.get("variants")).variants
    numbers: list[dict[str, Any]] = [{}] if count is None else [{"variant": number} for number in range(1, count + 1)]
    return [{**others, **number, "seed": seed} for seed in seeds(choices.get("seed")) for number in numbers]


def _read(text: str) -> list[int]:
    found: dict[int, None] = {}
    for part in text.replace(" ", "").split(","):
        matched = _PART.fullmatch(part)
        if matched is None:
            raise UsageError(choice("seed", text), "write a number, or several: 1-10 or 1,4,7")
        first, last = int(matched[1]), int(matched[2] or matched[1])
        if last < first or last - first >= MOST_SEEDS:
            raise UsageError(choice("seed", text), f"a range leads from its first to its last, and has {MOST_SEEDS} seeds at most")
        found.update(dict.fromkeys(range(first, last + 1)))
    return list(found)
