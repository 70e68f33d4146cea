"""Maps: where places lie, which cells there are, what is told of them and what they are drawn from, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reverie.atlases.mapping import Cell, cells_of, directions, in_square, laid_out, side_of, told


@pytest.mark.parametrize(("count", "side"), [(100, 6), (288, 6), (392, 7), (800, 10), (4096, 22), (10**6, 24)])
def test_there_are_as_many_cells_as_places_can_fill(count: int, side: int) -> None:
    assert side_of(count) == side  # eight places in a cell, 6×6 to 24×24 cells


def test_the_order_along_each_axis_is_kept_and_a_group_far_off_takes_no_more_than_half() -> None:
    near = np.arange(90, dtype=np.float64)
    plane = np.stack([np.concatenate([near, 10_000 + near[:10]]), np.arange(100)[::-1]], axis=1)
    found = in_square(plane)
    assert (np.diff(found[:, 0]) > 0).all() and (np.diff(found[:, 1]) < 0).all()
    assert found.min() >= 0 and found.max() <= 1
    assert found[89, 0] == pytest.approx(0.45, abs=0.01)  # nine tenths of the places by rank, nothing by place


def test_a_cell_is_where_three_places_lie() -> None:
    plane = np.asarray([[0.1, 0.9], [0.2, 0.8], [0.1, 0.8], [0.9, 0.1], [0.9, 0.2], [1.0, 0.0], [0.1, 0.1]], np.float32)
    assert cells_of(plane, 2) == [Cell(1, 0, (3, 4, 5)), Cell(0, 1, (0, 1, 2))]


def test_what_sets_a_cell_apart_counts_channels_that_go_together_once() -> None:
    """Channels 0 and 1 always answer alike, 2 by itself: whitened, each of the pair has half of what 2 has."""
    print("seed 4")
    drawn = np.random.default_rng(4).standard_normal((4000, 2)).astype(np.float32)
    values = drawn[:, [0, 0, 1]] + 5
    cell = Cell(0, 0, tuple(np.flatnonzero((drawn > 0.5).all(1)).tolist()))
    (found,) = directions(values, [cell])
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert found[0] == pytest.approx(found[1], abs=1e-4)
    assert found[0] / found[2] == pytest.approx(0.5, abs=0.05)
    others = Cell(0, 0, tuple(np.flatnonzero((drawn < -0.5).all(1)).tolist()))
    assert directions(values, [others])[0] @ found < -0.95


def test_of_channels_that_never_change_nothing_breaks() -> None:
    found = directions(np.ones((10, 3), np.float32), [Cell(0, 0, (0, 1, 2))])
    assert found.tolist() == [[0, 0, 0]]


def test_a_cell_has_the_label_of_at_least_half_of_its_places() -> None:
    pictures = np.asarray([7, 7, 3, 3, 3, 5, 9], np.int32)
    cell = Cell(2, 1, (0, 1, 2, 3, 4, 5))
    labels = {7: 281, 3: 281, 5: 10, 9: 10}
    assert told(cell, pictures, labels) == {"column": 2, "row": 1, "count": 6, "label": [281, 0.8333], "pictures": [3, 7, 5]}
    assert told(cell, pictures, {7: 1, 3: -1, 5: 1})["label"] == [1, 0.5]  # of picture 3 no label is known
    assert told(cell, pictures, {7: 1, 3: -1, 5: 3})["label"] is None  # a third
    assert told(cell, pictures, {7: 1, 3: 2, 5: 3})["label"] is None  # half, but of one picture
    assert told(cell, pictures, {})["label"] is None


def test_places_that_answer_alike_lie_together() -> None:
    """Three groups in six channels; a place's nearest neighbours in the plane are of its own group."""
    pytest.importorskip("umap", reason="the extra `atlas` is not installed")
    print("seed 0")
    drawing = np.random.default_rng(0)
    group = np.repeat(np.arange(3), 40)
    values = (4 * np.eye(6)[group] + 0.3 * drawing.standard_normal((120, 6))).astype(np.float32)
    plane = laid_out(values, seed=1)
    assert plane.shape == (120, 2) and plane.min() >= 0 and plane.max() <= 1
    apart = np.linalg.norm(plane[:, None] - plane[None], axis=2) + 10 * np.eye(120)
    assert (group[apart.argsort(1)[:, :5]] == group[:, None]).mean() > 0.95
