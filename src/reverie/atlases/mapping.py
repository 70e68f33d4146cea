"""An activation atlas of a layer (Carter et al. 2019): what it answers at many places, laid out in the plane and cut into cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reverie.errors import MissingExtra
from reverie.installing import install_extra

FEWEST = 100  # places that a map is made of
_PER_CELL, _LEAST_SIDE, _MOST_SIDE = 8, 6, 24  # places in a cell on average; cells a side
_IN_A_CELL = 3  # places below which a cell stays empty
_NEAR = 15  # neighbours by which umap lays out
_SHRUNK = 0.1  # of the mean variance that is added to each: few places of many channels say little of how these go together
_RULES = 0.5  # share of a cell's places that one label must have to be the cell's
_SHOWN = 3  # pictures of a cell

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Cell:
    """A cell of a map: its column and row, counted from the left and the top, and the numbers of the places that lie in it."""

    column: int
    row: int
    members: tuple[int, ...]


def can_lay_out() -> bool:
    """Whether umap-learn is installed; it is not imported here."""
    return find_spec("umap") is not None


def laid_out(values: Floats, seed: int) -> Floats:
    """(m, 2) in 0..1: places of a layer in the plane, near each other where the layer answers alike, by umap.

    The same seed lays out the same on one system only. Half of where a place lies is by its rank along the axis, so that a group far off
    does not crowd all others into a corner.

    Args:
        values: (m, C), of m places; at least 100.

    Raises:
        MissingExtra: umap-learn is not installed.
    """
    try:
        from umap import UMAP  # here and not above: it takes many seconds
    except ImportError as error:
        raise MissingExtra("maps are laid out by one more package", install_extra("atlas")) from error
    made = UMAP(n_neighbors=min(_NEAR, len(values) - 1), min_dist=0.1, metric="cosine", random_state=seed, n_jobs=1).fit_transform(values)
    return in_square(np.asarray(made, np.float64))


def in_square(plane: NDArray[np.float64]) -> Floats:
    """(m, 2) → (m, 2) in 0..1, the order along each axis kept, half by place and half by rank."""
    low, high = np.percentile(plane, 1, axis=0), np.percentile(plane, 99, axis=0)
    straight = np.clip((plane - low) / np.maximum(high - low, 1e-9), 0, 1)
    ranks = plane.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") / max(1, len(plane) - 1)
    return ((straight + ranks) / 2).astype(np.float32)


def versions() -> dict[str, str]:
    """Of what lays out."""
    return {name: metadata.version(name) for name in ("umap-learn", "numpy", "scikit-learn")}


def side_of(count: int) -> int:
    """Cells a side for so many places."""
    return int(np.clip(np.sqrt(count / _PER_CELL), _LEAST_SIDE, _MOST_SIDE))


def cells_of(plane: Floats, side: int) -> list[Cell]:
    """The cells of a grid in which enough places lie, row by row.

    Args:
        plane: (m, 2) in 0..1: x from the left, y from the top.
    """
    at = np.minimum((plane * side).astype(int), side - 1)  # (m, 2)
    found: dict[tuple[int, int], list[int]] = {}
    for number, (column, row) in enumerate(at.tolist()):
        found.setdefault((row, column), []).append(number)
    return [Cell(column, row, tuple(members)) for (row, column), members in sorted(found.items()) if len(members) >= _IN_A_CELL]


def directions(values: Floats, cells: Sequence[Cell]) -> Floats:
    """(n, C): what sets the mean of each cell apart from the mean of all, channels that go together counted once (whitened), length 1.

    Args:
        values: (m, C).
    """
    middle = values.mean(0)
    spread = np.atleast_2d(np.cov(values.T.astype(np.float64)))
    spread += max(_SHRUNK * float(np.trace(spread)) / len(spread), 1e-12) * np.eye(len(spread))
    apart = np.stack([values[list(each.members)].mean(0) - middle for each in cells])  # (n, C)
    found = np.linalg.solve(spread, apart.T.astype(np.float64)).T
    units: Floats = (found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return units


def told(cell: Cell, pictures: NDArray[np.int32], labels: Mapping[int, int]) -> dict[str, Any]:
    """What is told of a cell: how many places, the pictures of most of them, and the label that at least half of them have, with its share,
    where it is that of more than one picture: else it says nothing of what the layer tells apart.

    Args:
        pictures: (m,): the picture of each place. labels: of pictures the first label that the network gives; none is left out or -1.
    """
    among = Counter(pictures[list(cell.members)].tolist())
    said, voices = Counter[int](), Counter[int]()
    for picture, count in among.items():
        if labels.get(picture, -1) >= 0:
            said[labels[picture]] += count
            voices[labels[picture]] += 1
    index, count = min(said.items(), key=lambda each: (-each[1], each[0]), default=(-1, 0))
    share = count / len(cell.members)
    shown = sorted(among, key=lambda each: (-among[each], each))[:_SHOWN]
    label = [index, round(share, 4)] if share >= _RULES and voices[index] > 1 else None
    return {"column": cell.column, "row": cell.row, "count": len(cell.members), "label": label, "pictures": shown}
