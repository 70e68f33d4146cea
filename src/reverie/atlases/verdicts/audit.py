"""What is wrong with units: those that are dead, those that are the same, and those that mean several things."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reverie.atlases.examples.of_units import dead_units
from reverie.atlases.examples.summary import Floats, Summary
from reverie.atlases.verdicts.paths import unit_length

ALIKE = 0.98  # of the correlation of answers
SIXTEEN = 16  # pictures of a sample, below which nothing is said of units that are the same
SEVERAL = 0.6  # of the disagreement: of thirty units of lite0 that were looked at seven are above it
_FEW = 4  # units of a layer whose pictures tell how much pictures of different units differ
_BLOCK = 512  # units that are compared at once with all others


@dataclass(frozen=True)
class AuditLayer:
    """What is known of a layer.

    Attributes:
        units: that are gone through. summary: of its answers to a data set. silent: units whose picture never excited them.
        pictures: by unit the embedding of its picture, (D,).
        facets: by unit what another network sees in its picture (E,) and in pictures of it that differ from one another (f, E).
    """

    name: str
    units: Sequence[int]
    summary: Summary | None
    silent: Sequence[int] = ()
    pictures: Mapping[int, Floats] = field(default_factory=dict)
    facets: Mapping[int, tuple[Floats, Floats]] = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        dead: layer, unit, and how that shows.
        duplicates: layer, unit, layer, unit, the correlation, and how alike their pictures are, where both have one.
        several: layer, unit, disagreement 0..1, the most first. pictures: by layer, of how many answers that is told.
    """

    dead: tuple[tuple[str, int, str], ...]
    duplicates: tuple[tuple[str, int, str, int, float, float | None], ...]
    several: tuple[tuple[str, int, float], ...]
    pictures: Mapping[str, int]

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "dead": [[layer, unit] for layer, unit, _ in self.dead], "duplicates": [list(each[:5]) for each in self.duplicates],
            "several": [list(each) for each in self.several],
        }  # fmt: skip

    def csv(self) -> str:
        """As a table: what, layer, unit, other unit, figure, how it shows."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(("finding", "layer", "unit", "other_unit", "figure", "evidence"))
        for layer, unit, how in self.dead:
            table.writerow(("dead", layer, unit, "", "", how))
        for layer, unit, _, other, correlation, alike in self.duplicates:
            how = f"largest and mean answers to {self.pictures[layer]} pictures correlate"
            table.writerow(
                ("duplicate", layer, unit, other, correlation, how + ("" if alike is None else f"; their pictures: cosine {alike}"))
            )
        for layer, unit, much in self.several:
            table.writerow(
                ("several meanings", layer, unit, "", much, "its facets differ, in another network's eyes, as pictures of two units do (1)")
            )
        return out.getvalue()


def audited(layers: Sequence[AuditLayer]) -> Audit:
    """Look through layers; of one that saw no data set only what its pictures tell."""
    dead: list[tuple[str, int, str]] = []
    duplicates: list[tuple[str, int, str, int, float, float | None]] = []
    several: list[tuple[str, int, float]] = []
    for each in layers:
        unmoved = set() if each.summary is None else {*np.flatnonzero(dead_units(each.summary)).tolist()} & {*each.units}
        for unit in sorted({*unmoved, *each.silent}):
            ways = [
                ("no picture of the data set excites it", unit in unmoved),
                ("no picture could be made that excites it", unit in each.silent),
            ]
            dead.append((each.name, unit, " and ".join(how for how, is_so in ways if is_so)))
        if each.summary is not None:
            duplicates += _duplicates(each, each.summary, unmoved)
        several += [(each.name, unit, much) for unit, much in disagreements(each.facets).items() if much >= SEVERAL]
    counts = {each.name: each.summary.count for each in layers if each.summary is not None}
    several.sort(key=lambda each: -each[2])
    return Audit(tuple(dead), tuple(duplicates), tuple(several), counts)


def disagreements(facets: Mapping[int, tuple[Floats, Floats]]) -> dict[int, float]:
    """By unit how far its facets are from each other, 0..1: 1 is as far as pictures of different units of the layer are, in the middle.

    Nothing is said of fewer than four units: then it is not known how far that is.
    """
    if len(facets) < _FEW:
        return {}
    firsts = np.stack([first for first, _ in facets.values()])
    mean = firsts.mean(0)
    apart = _distances(unit_length(firsts - mean))
    usual = float(np.median(apart))
    if usual <= 0:
        return {}
    return {unit: round(min(1.0, float(_distances(unit_length(rows - mean)).mean()) / usual), 3) for unit, (_, rows) in facets.items()}


def _distances(rows: Floats) -> Floats:
    """1 − cosine of every two of (n, D)."""
    found: Floats = 1 - (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    return found


def _duplicates(layer: AuditLayer, summary: Summary, dead: set[int]) -> list[tuple[str, int, str, int, float, float | None]]:
    """Every two units whose largest and whose mean answers go together over the sample; the smaller of the two correlations is told."""
    if len(summary.rows_at) < SIXTEEN:
        return []
    units = [each for each in layer.units if each not in dead]
    largest, means = (_columns(rows[:, units].astype(np.float32)) for rows in (summary.rows_max, summary.rows_mean))  # (n, u) each
    found = []
    for first in range(0, len(units), _BLOCK):
        here = slice(first, first + _BLOCK)
        both = np.minimum(largest[:, here].T @ largest, means[:, here].T @ means)  # (b, u)
        for row, other in np.argwhere(both >= ALIKE).tolist():
            if first + row < other:
                pair = units[first + row], units[other]
                found.append((layer.name, pair[0], layer.name, pair[1], round(float(both[row, other]), 4), _alike(layer, *pair)))
    return found


def _columns(rows: Floats) -> Floats:
    """Each column less its mean, of length 1; 0 where it does not vary."""
    less = rows - rows.mean(0)
    length = np.linalg.norm(less, axis=0)
    found: Floats = np.where(length > 1e-6, less / np.maximum(length, 1e-6), 0)
    return found


def _alike(layer: AuditLayer, one: int, other: int) -> float | None:
    if one not in layer.pictures or other not in layer.pictures:
        return None
    pair = unit_length(np.stack([layer.pictures[one], layer.pictures[other]]))
    return round(float(pair[0] @ pair[1]), 3)
