"""What something would take, in words and as data: time, memory, disk while it works, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reverie.target import as_said

if TYPE_CHECKING:
    from reverie.motion.plan import MovingPlan
    from reverie.render import Plan

Row = dict[str, Any]

_HOLDS = 1.5  # times as long or as short: within it an estimate was right
_FEW, _SOON = 4.0, 30.0  # seconds of the first, and of all the others, that are not worth a word


def of_picture(start: str, plan: Plan, suffix: str) -> tuple[Row, str]:
    """Of a dream that is written into a file of this kind."""
    from reverie.files import packed_size

    found, recipe = plan.estimate(), plan.recipe
    cut = f"in {found.tiles} tiles of {recipe.tiles.tile} + {recipe.tiles.halo}" if recipe.tiles else "in one pass"
    result = packed_size(recipe.height, recipe.width, recipe.channels, suffix, deep=recipe.finish.deep)
    row = {"start": start, "width": recipe.width, "height": recipe.height, **asdict(found), "result": result}
    return row, f"{start}: {recipe.width}×{recipe.height} {cut}, {_in_words(row)}"


def of_batch(plan: Plan, suffix: str) -> tuple[Row, str]:
    """Of pictures from noise that are made together, each written into a file of this kind: those that are wanted, and others with them."""
    from reverie.files import packed_size

    found, recipe, recipes = plan.estimate(), plan.recipe, plan.recipes()
    result = len(recipes) * packed_size(recipe.height, recipe.width, recipe.channels, suffix, deep=recipe.finish.deep)
    targets, unseen = [as_said(each.target) for each in recipes], recipe.together - len(recipes)
    row = {"targets": targets, "unseen": unseen, "width": recipe.width, "height": recipe.height, **asdict(found), "result": result}
    others = f" with {unseen} other{'s' * (unseen > 1)} that nobody sees" if unseen else ""
    return row, f"{', '.join(targets)}: {recipe.width}×{recipe.height}{others}, {_in_words(row)}"


def of_all(rows: Sequence[Row]) -> str:
    """Of pictures, or batches of them, that are made one after the other."""
    most = {name: max(row[name] for row in rows) for name in ("memory", "disk")}
    count = sum(len(row.get("targets", "1")) for row in rows)
    return f"{count} pictures: {_in_words({**most, **{name: sum(row[name] for row in rows) for name in ('seconds', 'result')}})}"


def of_film(place: str, plan: MovingPlan) -> tuple[Row, str]:
    """Of a journey or a film."""
    found, recipe = plan.estimate(place), plan.recipe
    row = {"width": recipe.width, "height": recipe.height, **asdict(found)}
    return row, f"{found.frames} frames of {recipe.width}×{recipe.height}, {_in_words(row)}"


def corrected(expected: float, took: float, left: float, count: int) -> str | None:
    """What to say once the first of several is made, of the rest; None where what was told of it holds.

    Args:
        expected, took: seconds of the first, as they were estimated and as they were.
        left: estimated seconds of the rest. count: how many these are.
    """
    if count < 1 or expected <= 0 or took <= 0 or 1 / _HOLDS < took / expected < _HOLDS:
        return None
    rest = left * took / expected
    if abs(took - expected) < _FEW or max(left, rest) < _SOON:
        return None
    return f"the first took {in_time(took)} where {in_time(expected)} were expected: {count} left, about {in_time(rest)}"


def _in_words(row: Row) -> str:
    working = f", {in_bytes(row['disk'])} of disk while it works" if row["disk"] else ""
    time = f"about {in_time(row['seconds'])} as fast as the machine is now"
    return f"{time}, {in_bytes(row['memory'])} of memory{working}, a result of {in_bytes(row['result'])}"


def in_time(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def in_bytes(count: float) -> str:
    """`0.9 GB`, `12 MB`, `340 KB`."""
    for size, name in ((1e8, "GB"), (1e6, "MB")):
        if count >= size:
            return f"{count / (1e9 if name == 'GB' else 1e6):.{1 if name == 'GB' else 0}f} {name}"
    return f"{max(1, round(count / 1e3))} KB"
